from native_generators._native import *

from native_generators.spark import *
from native_generators.spark import __all__ as __all__

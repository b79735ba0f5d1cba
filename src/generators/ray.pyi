from native_generators.ray import *
from native_generators.ray import __all__ as __all__

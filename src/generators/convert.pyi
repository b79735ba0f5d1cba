from native_generators.convert import *
from native_generators.convert import __all__ as __all__

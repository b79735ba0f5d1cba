from native_generators.csv import *
from native_generators.csv import __all__ as __all__
from native_generators.csv import __getattr__ as __getattr__

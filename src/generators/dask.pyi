from native_generators.dask import *
from native_generators.dask import __all__ as __all__

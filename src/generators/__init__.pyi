from native_generators import *
from native_generators import __all__ as __all__
from native_generators import __version__ as __version__
from native_generators import csv as csv

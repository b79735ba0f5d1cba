"""``generators.dask`` is ``native_generators.dask``, the same module."""

import sys

import native_generators.dask

sys.modules[__name__] = native_generators.dask

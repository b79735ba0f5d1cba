"""``generators.ray`` is ``native_generators.ray``, the same module."""

import sys

import native_generators.ray

sys.modules[__name__] = native_generators.ray

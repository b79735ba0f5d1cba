"""``generators.convert`` is ``native_generators.convert``, the same module."""

import sys

import native_generators.convert

sys.modules[__name__] = native_generators.convert

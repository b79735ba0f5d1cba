"""``generators.spark`` is ``native_generators.spark``, the same module."""

import sys

import native_generators.spark

sys.modules[__name__] = native_generators.spark

"""``native_generators._native``, for pickles that were made when it had this name."""

import sys

import native_generators._native

sys.modules[__name__] = native_generators._native

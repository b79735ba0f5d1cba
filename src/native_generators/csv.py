"""The csv module of the standard library, with readers and writers in native code.

    from generators import csv

is the only change that a program needs.  `reader`, `writer`, `DictReader` and `DictWriter` are
native, and behave as those of CPython 3.13 on every version of Python.  Everything else is that of
the standard module, such as the registry of dialects and `field_size_limit`.
"""

import csv as _standard
from csv import (
    QUOTE_ALL,
    QUOTE_MINIMAL,
    QUOTE_NONE,
    QUOTE_NONNUMERIC,
    Dialect,
    Error,
    Sniffer,
    excel,
    excel_tab,
    field_size_limit,
    get_dialect,
    list_dialects,
    register_dialect,
    unix_dialect,
    unregister_dialect,
)

from native_generators._native import csv_dict_reader as DictReader
from native_generators._native import csv_dict_writer as DictWriter
from native_generators._native import csv_reader as reader
from native_generators._native import csv_writer as writer

# 3.11 knows neither; the native reader and writer do.
QUOTE_STRINGS = 4
QUOTE_NOTNULL = 5

__all__ = [
    'QUOTE_ALL',
    'QUOTE_MINIMAL',
    'QUOTE_NONE',
    'QUOTE_NONNUMERIC',
    'QUOTE_NOTNULL',
    'QUOTE_STRINGS',
    'Dialect',
    'DictReader',
    'DictWriter',
    'Error',
    'Sniffer',
    'excel',
    'excel_tab',
    'field_size_limit',
    'get_dialect',
    'list_dialects',
    'reader',
    'register_dialect',
    'unix_dialect',
    'unregister_dialect',
    'writer',
]


def __getattr__(name: str) -> object:
    """What else the running csv has: `__version__`, or a name that it gained later."""
    return getattr(_standard, name)

"""LeakSanitizer, where it is in the process: memory that nothing points to any more.

It looks when a process ends, which the workers of pytest-xdist do by os._exit(), and CPython only
after it has dropped much without freeing it.  So it is asked here, while the interpreter is whole:
what is held by anything, a cache or a global, is then no leak.  Nor is an object that the garbage
collector knows, for that has a list of all of them: tests/isolated/leaks.py counts these.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import tempfile
from pathlib import Path

from tests import compiled


def is_here() -> bool:
    try:
        return hasattr(ctypes.CDLL(None), '__lsan_do_recoverable_leak_check')
    except (OSError, TypeError):
        return False


def leaks() -> bool:
    """Whether it finds any, which it tells on standard error."""
    if not is_here():
        return False
    with tempfile.TemporaryDirectory() as folder:
        lsan = compiled.load(compiled.build(Path(__file__).with_suffix('.c'), folder))
    gc.collect()
    sys.stderr.flush()
    return bool(lsan.check())

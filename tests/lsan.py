"""LeakSanitizer, where it is in the process: memory that nothing points to any more.

It looks when a process ends, which the workers of pytest-xdist do by os._exit(), and CPython only
after it has dropped much without freeing it.  So it is asked here, while the interpreter is whole:
what is held by anything, a cache or a global, is then no leak.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from typing import Any


def _check() -> Any:
    """The function of its library, or None where it is not there."""
    try:
        return ctypes.CDLL(None).__lsan_do_recoverable_leak_check
    except (AttributeError, OSError, TypeError):
        return None


def is_here() -> bool:
    return _check() is not None


def leaks() -> bool:
    """Whether it finds any, which it tells on standard error."""
    check = _check()
    if check is None:
        return False
    gc.collect()
    sys.stderr.flush()
    return bool(check())

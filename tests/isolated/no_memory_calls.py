"""Memory that runs out in the uses of calls.py: python -m tests.isolated.no_memory_calls NAME

Where no_memory.py steps each type to its end, these are its ways to be asked for.  Each use is made
again and again, and each time another allocation fails: as at first, in a copy of the extension
that is new and has found nothing yet, and as later.  What comes of it is what came without a
failure, or a MemoryError.  The last line printed tells how often one failed.

`import` is the use that comes before all others.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import importlib.util
import os
import pickle
import signal
import sys
import warnings
from collections.abc import Callable
from importlib.machinery import ExtensionFileLoader
from typing import Any

from native_generators import _native
from tests.isolated.calls import CALLS
from tests.isolated.catalogue import Record
from tests.isolated.hand_loop import hook
from tests.isolated.no_memory import check_unraisable, is_from_memory_error


def not_yet() -> tuple[Any, Any]:
    """A copy of the extension that is still to be executed, and what does that."""
    assert _native.__file__ is not None
    loader = ExtensionFileLoader(_native.__name__, _native.__file__)
    spec = importlib.util.spec_from_file_location(loader.name, loader.path, loader=loader)
    assert spec is not None
    return importlib.util.module_from_spec(spec), loader


def fresh() -> Any:
    """A copy with a state of its own."""
    made, loader = not_yet()
    loader.exec_module(made)
    return made


def difference(came: Any, expected: Any) -> Any:
    if type(came) is type(expected) is list and len(came) == len(expected):
        return [pair for pair in zip(came, expected, strict=True) if pair[0] != pair[1]]
    return came, expected


def fail_at(use: Callable[[Any], Any], module: Any, expected: Any, at: int) -> bool:
    """Whether there was such an allocation."""
    hook.fail(at, at + 1)
    hook.turn(True)
    try:
        came = use(module)
    except BaseException as error:
        hook.turn(False)
        if not is_from_memory_error(error):
            raise
        error = error.with_traceback(None)
    else:
        hook.turn(False)
        if hook.failures() > 0:
            assert came == expected, difference(came, expected)
    return hook.failures() > 0


def walk(use: Callable[[Any], Any], expected: Any, module: Callable[[], Any]) -> int:
    at = 1
    while True:
        try:
            found = fail_at(use, module(), expected, at)
        except BaseException as error:
            error.add_note(f'allocation {at} of {use.__name__}')
            raise
        if not found:
            return at - 1
        at += 1
        if at % 100 == 0:
            gc.collect()


def main(name: str) -> None:
    loop = asyncio.new_event_loop()  # asyncio is there
    loop.close()
    pickle.dumps(Record(1, ''))
    warnings.simplefilter('ignore')
    unraisable: list[Any] = []
    sys.unraisablehook = unraisable.append
    use = CALLS[name]
    expected = use(_native)
    gc.disable()
    gc.freeze()
    counts = [walk(use, expected, module) for module in (lambda: _native, fresh)]
    while unraisable:
        check_unraisable(unraisable.pop())
    print('failed', *counts)


def import_with_failure(at: int) -> int:
    """In a process of its own.  0: MemoryError; 1: another; 2: there was no such allocation."""
    made, loader = not_yet()
    child = os.fork()
    if child != 0:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    status = 0
    hook.fail(at, at + 1)
    hook.turn(True)
    try:
        loader.exec_module(made)
    except BaseException as error:
        hook.turn(False)
        if not is_from_memory_error(error):
            sys.excepthook(type(error), error, None)
            status = 1
    else:
        hook.turn(False)
        is_whole = vars(made).keys() >= vars(_native).keys()  # what failed was made good
        status = 2 if hook.failures() == 0 else int(not is_whole)
    if os.environ.get('COVERAGE'):
        ctypes.CDLL(None).exit(status)  # C's own: gcov's counters are written
    os._exit(status)


def walk_import(step: int) -> None:
    """Up to 3.13 CPython crashes itself where a type's dict cannot grow: no test of ours."""
    at = 1
    seen = {0: 0, -signal.SIGSEGV: 0}
    while (status := import_with_failure(at)) != 2:
        assert status in seen, (at, status)
        seen[status] += 1
        at += step
    assert seen[0] > 10 * seen[-signal.SIGSEGV]
    print('failed', seen[0])


if __name__ == '__main__':
    if sys.argv[1] == 'import':
        walk_import(7)
    else:
        main(sys.argv[1])

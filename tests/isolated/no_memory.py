"""A recipe with memory that runs out: python -m tests.isolated.no_memory RECIPE [MOST]

The recipe is made and stepped to its end again and again, and each time another allocation fails:
first one alone, then that one and all that follow until the exception is out.  What comes before
the failure is what came without it, a failure is a MemoryError (or raised from one), what has
failed still closes, and no exception stays alive.  The last line printed tells how often it failed;
a crash leaves none.

What runs a loop has one that has memory itself (see hand_loop.py); the steps of tasks, and the
source on a thread of its own with what is called from there, have none.  A thread is made and
begins with memory: CPython waits for ever for one that could not.
"""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.isolated import catalogue
from tests.isolated.catalogue import RECIPES, THREADED, Recipe
from tests.isolated.hand_loop import HandLoop, hook

COUNT = 5

# What CPython makes of a MemoryError by itself.
OF_CPYTHON = re.compile(
    # A Python function that has no memory for the entry of a traceback loses its exception.
    'error return without exception set$'
    '|<(function|built-in method \\w+ of generator object) .* returned NULL without setting'
    # _csv.Dialect takes an attribute that it could not get for one that is not there.
    '|lineterminator must be set$'
    # The locks of io.BufferedReader and threading.
    "|can't allocate (read )?lock$"
    # What awaits it had no memory to begin.
    "|coroutine '.*' was never awaited$"
    # An asend() that had no memory for its first step.
    "|coroutine method 'asend' of '\\w+' was never awaited$"
    # A class of another's metaclass, or a method of one, that is made with an error set.
    "|<class 'classmethod'> returned a result with an exception set$"
    "|'__weaklistoffset__'$"
    # pickle, of any error of an import.
    "|Can't pickle .*: import of module .* failed$"
)


class Outcome:
    """What one use came to; its room is taken beforehand."""

    def __init__(self) -> None:
        self.stream: Any = None
        self.taken: list[Any] = [None] * (4 * COUNT + 10)
        self.steps = 0
        self.ended = False


def use(recipe: Recipe, outcome: Outcome, begin: Callable[[], None]) -> None:
    begin()
    stream = outcome.stream = recipe.make(COUNT)
    step = recipe.step
    taken = outcome.taken
    while True:
        try:
            taken[outcome.steps] = step(stream)
        except StopIteration:
            outcome.ended = True
            return
        outcome.steps += 1


def is_from_memory_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or OF_CPYTHON.match(str(error)):
            return True
        # A function that gives a result and an exception, or neither: its cause does not excuse it.
        if isinstance(error, SystemError):
            return False
        if isinstance(error, BaseExceptionGroup):
            return any(map(is_from_memory_error, error.exceptions))
        error = error.__cause__ or error.__context__
    return False


def with_memory(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        was = hook.turn(False)
        try:
            return function(*args, **kwargs)
        finally:
            hook.turn(was)

    return call


def run_out(start: int, stop: int) -> None:
    hook.fail(start, stop)
    hook.turn(True)


def run_in() -> None:
    hook.turn(False)
    hook.fail(sys.maxsize, 0)


def fail_at(recipe: Recipe, start: int, stop: int) -> bool:
    """Whether an allocation failed."""
    outcome = Outcome()
    failure: BaseException | None = None
    try:
        use(recipe, outcome, lambda: run_out(start, stop))
    except BaseException as error:
        run_in()
        failure = error
    else:
        run_in()
    expected = recipe.items(COUNT)
    taken = outcome.taken[: outcome.steps]
    if recipe.joined and failure is not None:
        assert b''.join(expected).startswith(b''.join(taken)), taken
    else:
        assert taken == expected[: len(taken)], taken
    if failure is None:
        assert outcome.ended
        assert outcome.steps == len(expected), (outcome.steps, 'items, then a quiet end')
    else:
        if not is_from_memory_error(failure):
            raise AssertionError(repr(failure)) from failure
        failure = failure.with_traceback(None)
    if outcome.stream is not None:
        close(recipe, outcome.stream)
    return failure is not None


def close(recipe: Recipe, stream: Any) -> None:
    """There is memory again, but a failure that nobody was told of may come now."""
    try:
        recipe.close(stream)
    except BaseException as error:
        if not is_from_memory_error(error):
            raise
    recipe.close(stream)


def check_unraisable(report: Any) -> None:
    # A failed handler of a recipe, that there was no memory to report better.
    if type(report.exc_value) is not LookupError:
        assert is_from_memory_error(report.exc_value), report


def check_alive() -> None:
    alive = [error for error in gc.get_objects() if isinstance(error, BaseException)]
    # Async streams keep one exception of an item, to use it again.
    assert all(isinstance(error, StopIteration) for error in alive), alive


def open_descriptors() -> list[str]:
    return os.listdir('/proc/self/fd') if os.path.isdir('/proc/self/fd') else []


def main(name: str, most: int = 100_000) -> None:
    recipe = {**RECIPES, **THREADED}[name]
    catalogue.new_loop = HandLoop
    for method in ('__init__', 'start'):
        setattr(threading.Thread, method, with_memory(getattr(threading.Thread, method)))
    catalogue.thread_begins = partial(hook.turn, True)
    catalogue.thread_ends = partial(hook.turn, False)
    # What is imported and cached at the first use is there then.
    use(recipe, Outcome(), lambda: None)
    warnings.simplefilter('error')
    # Where not even a name can be made, a file is closed when it is freed: no descriptor stays.
    warnings.simplefilter('ignore', ResourceWarning)
    descriptors = open_descriptors()
    unraisable: list[Any] = []
    sys.unraisablehook = unraisable.append
    gc.disable()
    gc.freeze()
    counts = []
    for width in (1, 0) if recipe.out_of_memory else (1,):
        failed = unfailed = 0
        start = 1
        while unfailed < 20 and start < most:
            # Some failures are made good in the interpreter (a smaller table, a fuller freelist).
            try:
                stop = start + width if width else 0
                if fail_at(recipe, start, stop):
                    failed += 1
                    unfailed = 0
                else:
                    unfailed += 1
                # 3.11 ends the process when sixteen MemoryErrors are alive.
                while unraisable:
                    check_unraisable(unraisable.pop())
                gc.collect()
                if not recipe.runs_loop:  # whose tasks keep theirs for a while
                    check_alive()
            except BaseException as error:
                error.add_note(f'{name}: allocation {start}, {"one" if width else "all"} failing')
                raise
            start += 1
        counts.append(failed)
    assert open_descriptors() == descriptors
    print('failed', *counts)


if __name__ == '__main__':
    main(sys.argv[1], *map(int, sys.argv[2:]))

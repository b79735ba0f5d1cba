"""An event loop whose own methods fail: python -m tests.isolated.failing_loop [RECIPE ...]

Each recipe is made, stepped to its end or midway, and closed, again and again, and each time
another call of a method of the loop raises.  What came before is what comes without it; then it is
raised, or told where nobody can raise it; and the stream still closes.  Tasks of asyncio
themselves do not fail: a task whose step is not scheduled is lost by asyncio.

A loop that has lost a wake-up may leave all waiting: that is told as Stuck.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any

from tests.isolated import catalogue
from tests.isolated.catalogue import RECIPES, Recipe
from tests.isolated.hand_loop import HandLoop, Stuck

COUNT = 5
METHODS = ('call_soon', 'call_soon_threadsafe', 'call_later', 'create_future', 'create_task')
MOST = 60  # calls of one method that fail


class Failed(Exception):
    """What a method of the loop raises."""


class Failing:
    """Which call fails next, of all loops."""

    method = ''
    left = 0
    came = False

    @classmethod
    def at(cls, method: str, call: int) -> None:
        cls.method, cls.left, cls.came = method, call, False

    @classmethod
    def check(cls, method: str) -> None:
        if method == cls.method and cls.left:
            cls.left -= 1
            if cls.left == 0:
                cls.came = True
                raise Failed(method)


def is_of_asyncio(callback: Any) -> bool:
    """A step of one of its tasks, or its wake-up."""
    return isinstance(getattr(callback, '__self__', None), asyncio.Task)


class FailingLoop(HandLoop):
    def __init__(self) -> None:
        super().__init__(idle=0.05)

    def call_soon(self, callback: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if not is_of_asyncio(callback):
            Failing.check('call_soon')
        return super().call_soon(callback, *args, **more)

    def call_soon_threadsafe(self, callback: Callable[..., Any], *args: Any, **more: Any) -> Any:
        if not is_of_asyncio(callback):
            Failing.check('call_soon_threadsafe')
        return super().call_soon(callback, *args, **more)

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, **more: Any
    ) -> Any:
        Failing.check('call_later')
        return super().call_later(delay, callback, *args, **more)

    def create_future(self) -> Any:
        Failing.check('create_future')
        return super().create_future()

    def create_task(self, coro: Any, **options: Any) -> Any:
        if self._running and asyncio.current_task(self) is not None:  # not the test's own
            Failing.check('create_task')
        return super().create_task(coro, **options)

    def _next(self) -> asyncio.Handle | None:
        """A timer that is far away wakes nobody in time."""
        with self._changed:
            timers = [when for when, _, handle in self._timers if not handle.cancelled()]
            until = min(timers, default=self.time() + self._idle)
            if until > self.time() + self._idle or not timers:
                alone = threading.active_count() == 1
                if not self._changed.wait_for(lambda: self._ready, 0 if alone else self._idle):
                    return None
        return super()._next()


def is_from_loop(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, (Failed, Stuck)):
            return True
        if isinstance(error, BaseExceptionGroup):
            return any(map(is_from_loop, error.exceptions))
        error = error.__cause__ or error.__context__
    return False


def close(recipe: Recipe, stream: Any) -> None:
    """What nobody was told of may come now."""
    try:
        recipe.close(stream)
    except BaseException as error:
        if not is_from_loop(error):
            raise
    recipe.close(stream)


def use(recipe: Recipe, most: int) -> None:
    """Make it, step it, and close it."""
    stream = recipe.make(COUNT)
    taken: list[Any] = []
    expected = recipe.items(COUNT)
    try:
        while len(taken) < most:
            taken.append(recipe.step(stream))
    except StopIteration:
        assert taken == expected, (taken, 'and a quiet end')
    except BaseException as error:
        if not is_from_loop(error):
            raise
        assert recipe.joined or taken == expected[: len(taken)], taken
    finally:
        close(recipe, stream)


def walk(recipe: Recipe, unraisable: list[Any]) -> int:
    """How many calls failed."""
    failed = 0
    for method, most in itertools.product(METHODS, (1, 3 * COUNT)):
        for call in range(1, MOST):
            Failing.at(method, call)
            try:
                use(recipe, most)
                while unraisable:
                    report = unraisable.pop()
                    assert is_from_loop(report.exc_value), report
            except BaseException as error:
                error.add_note(f'{recipe.name}: call {call} of {method}() failing')
                raise
            if not Failing.came:
                break
            failed += 1
    Failing.at('', 0)
    return failed


def main(names: list[str]) -> None:
    catalogue.new_loop = FailingLoop
    warnings.simplefilter('ignore')
    unraisable: list[Any] = []
    sys.unraisablehook = unraisable.append
    total = 0
    for name in names or RECIPES:
        total += walk(RECIPES[name], unraisable)
        gc.collect()
    print('failed', total)


if __name__ == '__main__':
    main(sys.argv[1:])

"""A process that forks while a stream is new, under way, read ahead or closed."""

import asyncio
import ctypes
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

import pytest

from generators import to_async, to_sync
from tests import lsan
from tests.isolated.catalogue import RECIPES, Recipe, acounted, counted

pytestmark = [
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork'),
    # Its allocator takes a lock that another thread had when the process forked; it does not since
    # LLVM 18.  Threads there are: a loop of to_sync() stays for the next one.
    pytest.mark.skipif(
        lsan.is_here(), reason='a process with threads cannot fork under this sanitizer'
    ),
]

COUNT = 30


def rest(recipe: Recipe, stream: Any) -> list[Any]:
    taken = []
    while True:
        try:
            taken.append(recipe.step(stream))
        except StopIteration:
            return taken


def leave(status: int) -> None:
    """As os._exit(), but gcov's counters are written where the extension has some."""
    if os.environ.get('COVERAGE'):
        sys.stderr.flush()
        ctypes.CDLL(None).exit(status)
    os._exit(status)


def in_child(body: Callable[[], None]) -> None:
    """Run it in a forked child, which has 20 seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # threads are alive: that is the test
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            body()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            leave(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize('begun', [0, 1, 5])
@pytest.mark.parametrize('name', RECIPES)
def test_fork(name: str, begun: int) -> None:
    """The child goes on by itself, or is told that it can't; the parent has lost nothing."""
    recipe = RECIPES[name]
    everything = recipe.items(COUNT)
    earlier = recipe.make(COUNT)
    assert rest(recipe, earlier) == everything  # from now on forks are looked for
    recipe.close(earlier)
    begun = min(begun, len(everything) - 1)
    stream = recipe.make(COUNT)
    for i in range(begun):
        assert recipe.step(stream) == everything[i]

    def child() -> None:
        if recipe.forked is None:
            assert rest(recipe, stream) == everything[begun:]
        else:
            with pytest.raises(recipe.forked):
                recipe.step(stream)
        recipe.close(stream)
        # What is new works there.
        assert rest(recipe, recipe.make(COUNT)) == everything

    in_child(child)
    if not recipe.one_descriptor or begun > 0:
        assert rest(recipe, stream) == everything[begun:]
    recipe.close(stream)


# --- every state of a bridge --------------------------------------------------------------------

POINTS = ('before the first step', 'waiting', 'between two steps', 'ended', 'closed')


def gated(go: threading.Event) -> Iterator[int]:
    """Two items at once, and the others once it may go on."""
    for i in range(COUNT):
        if i == 2:
            assert go.wait(60)
        yield i


async def agated(go: threading.Event) -> AsyncIterator[int]:
    for i in range(COUNT):
        while i == 2 and not go.is_set():
            await asyncio.sleep(0.001)
        yield i


async def step_in_child(stream: Any, error: type[Exception] | None, items: list[int]) -> None:
    if error is None:
        assert [item async for item in stream] == items
    else:
        with pytest.raises(error):
            await anext(stream)


async def close_in_child(stream: Any, is_waiting: bool) -> None:
    if is_waiting:  # for ever, there: nothing can come of it, and nothing hangs
        with pytest.raises(RuntimeError, match='already running'):
            await stream.aclose()
    else:
        await stream.aclose()


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize('kind', ['thread', 'no thread', 'executor'])
def test_to_async_in_every_state(kind: str, point: str) -> None:
    if (kind, point) == ('no thread', 'waiting'):
        pytest.skip('it never waits')

    def make(source: Iterator[int], executor: Any) -> Any:
        if kind == 'no thread':
            return to_async(source, thread=False)
        return to_async(source, executor=executor)

    async def main(executor: Any) -> None:
        assert await collect(make(counted(3), executor)) == [0, 1, 2]
        go = threading.Event()
        stream = make(gated(go), executor)
        taken, step = [], None
        if point != 'before the first step':
            taken = [await anext(stream), await anext(stream)]
        if point == 'waiting':
            step = asyncio.ensure_future(anext(stream))
            while stream.ag_await is None:  # it may let others run first
                await asyncio.sleep(0)
        else:
            go.set()
        if point == 'ended':
            taken += await collect(stream)
        elif point == 'closed':
            await stream.aclose()
        left = [] if point == 'closed' else list(range(len(taken), COUNT))

        def child() -> None:
            over = point in ('ended', 'closed')
            error: type[Exception] | None = None if kind == 'no thread' else RuntimeError
            asyncio.run(step_in_child(stream, StopAsyncIteration if over else error, left))
            asyncio.run(close_in_child(stream, point == 'waiting'))
            with ThreadPoolExecutor(1) if kind == 'executor' else nullcontext() as anew:
                assert asyncio.run(collect(make(counted(3), anew))) == [0, 1, 2]

        in_child(child)
        go.set()
        if step is not None:
            assert await step == left.pop(0)
        assert await collect(stream) == left
        await stream.aclose()

    with ThreadPoolExecutor(1) if kind == 'executor' else nullcontext() as executor:
        asyncio.run(main(executor))


@pytest.mark.parametrize('point', POINTS)
def test_to_sync_in_every_state(point: str) -> None:
    assert list(to_sync(acounted(3))) == [0, 1, 2]
    go = threading.Event()
    stream = to_sync(agated(go))
    taken: list[int] = []
    reader = threading.Thread(target=lambda: taken.append(next(stream)))
    if point != 'before the first step':
        taken += [next(stream), next(stream)]
    if point == 'waiting':
        reader.start()
        while not is_stepped(stream):
            time.sleep(0.001)
    else:
        go.set()
    if point == 'ended':
        taken += stream
    elif point == 'closed':
        stream.close()

    def child() -> None:
        errors = {'waiting': ValueError, 'ended': StopIteration, 'closed': StopIteration}
        with pytest.raises(errors.get(point, RuntimeError)):
            next(stream)
        with pytest.raises(ValueError) if point == 'waiting' else nullcontext():
            stream.close()
        assert list(to_sync(acounted(3))) == [0, 1, 2]

    in_child(child)
    go.set()
    if point == 'waiting':
        reader.join(60)
    assert taken + list(stream) == ([0, 1] if point == 'closed' else list(range(COUNT)))


def is_stepped(stream: Any) -> bool:
    """Whether another thread is in a step of it."""
    try:
        stream.prime()
    except ValueError:
        return True
    return False

"""``to_sync``: what it gives, where the source runs, how long it waits, and its errors."""

from __future__ import annotations

import asyncio
import contextvars
import doctest
import gc
import sys
import threading
import time
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import to_sync
from tests.bridge.sources import Failed, Source, count, nothing_left, running_loop
from tests.stream.model import check_against_model, steps

__all__ = ['nothing_left']

pytestmark = [pytest.mark.usefixtures('nothing_left'), pytest.mark.timeout(60)]


# --- items ------------------------------------------------------------------------------------


@pytest.mark.parametrize('buffersize', [0, 1, 2, 3, 256, 10**9])
@pytest.mark.parametrize('length', [0, 1, 2, 255, 257, 2000])
def test_it_gives_all_items_in_order(buffersize: int, length: int) -> None:
    assert list(to_sync(count(length), buffersize=buffersize)) == list(range(length))


@given(
    items=st.lists(st.one_of(st.binary(max_size=300), st.text(max_size=300), st.none())),
    pauses=st.sets(st.integers(0, 20)),
    buffersize=st.integers(0, 5),
    max_bytes=st.integers(1, 500),
)
def test_any_items_and_bounds(
    items: list[Any], pauses: set[int], buffersize: int, max_bytes: int
) -> None:
    async def source() -> AsyncIterator[Any]:
        for i, item in enumerate(items):
            if i in pauses:
                await asyncio.sleep(0)
            yield item

    assert list(to_sync(source(), buffersize=buffersize, max_bytes=max_bytes)) == items


def test_items_are_the_same_objects() -> None:
    items = [object() for _ in range(20)]

    async def source() -> AsyncIterator[object]:
        for item in items:
            yield item

    assert all(a is b for a, b in zip(to_sync(source()), items, strict=True))


def test_a_callable_makes_the_source_on_the_loops_thread() -> None:
    made = []

    def make() -> AsyncIterator[int]:
        made.append(threading.current_thread().name)
        asyncio.get_running_loop()
        assert asyncio.current_task() is not None
        return count(3)

    stream = to_sync(make)
    assert made == []
    assert list(stream) == [0, 1, 2]
    assert made == ['generators.to_sync']


def test_an_async_iterable_that_is_no_iterator() -> None:
    class Rows:
        def __aiter__(self) -> AsyncIterator[int]:
            assert threading.current_thread().name == 'generators.to_sync'
            return count(3)

    assert list(to_sync(Rows())) == [0, 1, 2]


def test_an_object_that_is_iterable_is_not_called() -> None:
    class Rows:
        def __aiter__(self) -> AsyncIterator[int]:
            return count(3)

        def __call__(self) -> Any:
            raise AssertionError

    assert list(to_sync(Rows())) == [0, 1, 2]


def test_a_given_loop_runs_the_source() -> None:
    seen = []

    async def source() -> AsyncIterator[int]:
        seen.append(asyncio.get_running_loop())
        yield 1

    with running_loop() as loop:
        assert list(to_sync(source(), loop=loop)) == [1]
        assert seen == [loop]


@pytest.mark.skipif(sys.version_info < (3, 12), reason='eager tasks came with 3.12')
def test_a_loop_with_eager_tasks() -> None:
    with running_loop() as loop:
        loop.call_soon_threadsafe(loop.set_task_factory, asyncio.eager_task_factory)
        assert list(to_sync(count(300), loop=loop)) == list(range(300))
        assert list(to_sync(count(30, pause=0), loop=loop, buffersize=2)) == list(range(30))
        stream = to_sync(count(300), loop=loop, buffersize=2)
        assert next(stream) == 0
        stream.close()


def test_streams_share_the_one_background_thread() -> None:
    names = set()

    async def source() -> AsyncIterator[int]:
        names.add((threading.get_ident(), threading.current_thread().name))
        yield 1

    for _ in range(5):
        assert list(to_sync(source())) == [1]
    assert len(names) == 1


def test_many_streams_at_once() -> None:
    streams = [to_sync(count(50, pause=0), buffersize=7) for _ in range(50)]
    for i in range(50):
        assert [next(stream) for stream in streams] == [i] * 50
    assert [next(stream, None) for stream in streams] == [None] * 50


def test_contextvars_are_those_of_who_made_it() -> None:
    variable = contextvars.ContextVar('variable', default='unset')

    async def source() -> AsyncIterator[str]:
        yield variable.get()
        variable.set('by the source')
        yield variable.get()

    variable.set('when made')
    stream = to_sync(source())
    variable.set('afterwards')
    assert list(stream) == ['when made', 'by the source']
    assert variable.get() == 'afterwards'


def test_all_of_the_source_runs_in_one_task() -> None:
    """As timeouts and cancel scopes need it."""
    tasks = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            async with asyncio.timeout(60):
                yield 1
                await asyncio.sleep(0)
                tasks.append(asyncio.current_task())
                yield 2
                await asyncio.sleep(60)
        finally:
            tasks.append(asyncio.current_task())

    stream = to_sync(source())
    assert [next(stream), next(stream)] == [1, 2]
    stream.close()
    assert len(tasks) == 3
    assert len(set(tasks)) == 1


# --- beside the generator that it stands for --------------------------------------------------


class Adapted(AsyncGenerator[Any, None]):
    """A generator as an async one, which is closed also before its first step."""

    def __init__(self, source: Any) -> None:
        self._source = source

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        try:
            return next(self._source)
        except StopIteration:
            raise StopAsyncIteration from None

    async def asend(self, value: Any) -> Any:
        raise AssertionError

    async def athrow(self, *args: Any) -> Any:
        raise AssertionError

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self._source.close()


@given(st.lists(st.integers(), max_size=5), steps, st.booleans())
def test_protocol(items: list[int], moves: Any, fails: bool) -> None:
    check_against_model(
        lambda source: to_sync(Adapted(source), buffersize=0),
        lambda source: (item for item in source),
        items,
        moves,
        LookupError('of the source') if fails else None,
    )


def test_prime_makes_the_first_item() -> None:
    source = Source(5)
    stream = to_sync(source, buffersize=0)
    assert source.asked == 0
    assert stream.prime() is stream
    assert source.asked == 1
    assert list(stream) == [0, 1, 2, 3, 4]


def test_prime_raises_the_first_error() -> None:
    with pytest.raises(Failed):
        to_sync(Source(0, fails=True)).prime()


def test_weak_references() -> None:
    stream = to_sync(count(1))
    reference = weakref.ref(stream)
    assert reference() is stream
    del stream
    assert reference() is None


# --- reading ahead ----------------------------------------------------------------------------


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def barrier() -> None:
    """Until the background loop has nothing left to do at once."""
    from native_generators import _background

    async def turns() -> None:
        for _ in range(10):
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(turns(), _background.loop()).result(20)


@pytest.mark.parametrize('buffersize', [1, 2, 10, 100])
def test_no_more_is_read_ahead_than_buffersize(buffersize: int) -> None:
    source = Source(1000)
    with to_sync(source, buffersize=buffersize) as stream:
        for i in range(150):
            assert next(stream) == i
            assert source.asked <= i + 1 + buffersize
        wait_until(lambda: source.asked >= 150 + buffersize // 2)
        barrier()
        assert source.asked <= 150 + buffersize


def test_nothing_is_read_before_the_first_step() -> None:
    source = Source(5)
    stream = to_sync(source)
    barrier()
    assert source.asked == 0
    stream.close()


def test_buffersize_0_asks_only_when_asked() -> None:
    source = Source(5)
    with to_sync(source, buffersize=0) as stream:
        for i in range(4):
            assert next(stream) == i
            barrier()
            assert source.asked == i + 1


@pytest.mark.parametrize(
    'item',
    [
        b'x' * 1000,
        'x' * 1000,
        bytearray(1000),
        memoryview(bytes(1000)),
        [b'x' * 500, 'x' * 500],
        ('x' * 1000,),
        {'key': 'x' * 1000},
        '\U0001f600' * 250,
    ],
    ids=lambda item: type(item).__name__,
)
def test_no_more_is_read_ahead_than_max_bytes(item: Any) -> None:
    asked = 0

    async def source() -> AsyncIterator[Any]:
        nonlocal asked
        while True:
            asked += 1
            yield item

    with to_sync(source(), max_bytes=10_000) as stream:
        next(stream)
        wait_until(lambda: asked >= 9)
        barrier()
        assert 9 <= asked <= 12


def test_an_item_larger_than_max_bytes_crosses() -> None:
    async def source() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(1000)

    assert [len(item) for item in to_sync(source(), max_bytes=1)] == [1000] * 5


# --- the loop has its turn --------------------------------------------------------------------


def test_a_source_that_is_always_ready_does_not_starve_the_loop() -> None:
    turns = 0

    async def source() -> AsyncIterator[int]:
        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        start = time.thread_time()  # no time in which this thread did not run
        try:
            while time.thread_time() - start < 0.1:
                yield 1
        finally:
            task.cancel()

    for _ in to_sync(source(), buffersize=10**9, max_bytes=sys.maxsize):
        pass
    assert turns >= 5


# --- waiting ----------------------------------------------------------------------------------


def test_a_wait_that_times_out_loses_nothing() -> None:
    release = threading.Event()

    async def source() -> AsyncIterator[int]:
        for i in range(3):
            while not release.is_set():
                await asyncio.sleep(0.001)
            release.clear()
            yield i

    stream = to_sync(source(), timeout=0.01)
    for i in range(3):
        with pytest.raises(TimeoutError, match=r'no item came within 0\.01 seconds'):
            next(stream)
        release.set()
        got = None
        while got is None:
            with suppress(TimeoutError):
                got = next(stream)
        assert got == i
    release.set()
    with suppress(TimeoutError):
        while next(stream, 'end') != 'end':
            pass
    stream.close()


@pytest.mark.parametrize('buffersize', [0, 1, 256])
def test_a_timeout_of_zero_only_looks(buffersize: int) -> None:
    stream = to_sync(count(5), timeout=0, buffersize=buffersize)
    got = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            got.append(next(stream))
        except TimeoutError:
            time.sleep(0.0005)
        except StopIteration:
            break
    assert got == [0, 1, 2, 3, 4]


def test_an_item_that_came_too_late_is_the_next() -> None:
    source = Source(5, pause=0.02)
    stream = to_sync(source, buffersize=0, timeout=0.001)
    with pytest.raises(TimeoutError):
        next(stream)
    wait_until(lambda: source.given == 1)
    barrier()
    assert source.asked == 1
    assert next(stream) == 0
    with suppress(TimeoutError):
        stream.close()


def test_closing_is_bounded_by_the_timeout_and_goes_on() -> None:
    release, closed = threading.Event(), threading.Event()

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            while not release.is_set():
                await asyncio.sleep(0.001)
            closed.set()

    stream = to_sync(source(), timeout=0.05, buffersize=0)
    assert next(stream) == 1
    with pytest.raises(TimeoutError, match=r'the source was not closed within 0\.05 seconds'):
        stream.close()
    stream.close()
    assert not closed.is_set()
    release.set()
    assert closed.wait(20)


def test_waiting_lets_other_threads_run() -> None:
    ran = threading.Event()

    async def source() -> AsyncIterator[int]:
        while not ran.is_set():
            await asyncio.sleep(0.001)
        yield 1

    thread = threading.Thread(target=ran.set)
    stream = to_sync(source())
    thread.start()
    assert list(stream) == [1]
    thread.join()


# --- its own thread ---------------------------------------------------------------------------


def test_on_its_own_loops_thread_it_refuses_instead_of_a_deadlock() -> None:
    async def use() -> None:
        loop = asyncio.get_running_loop()
        source = Source(3, blocks=True)
        stream = to_sync(source, loop=loop)
        for _ in range(2):
            with pytest.raises(RuntimeError, match='on the thread of its own event loop'):
                next(stream)
        assert await asyncio.to_thread(next, stream) == 0
        with pytest.raises(RuntimeError, match='on the thread of its own event loop'):
            list(stream)
        with pytest.raises(RuntimeError, match='on the thread of its own event loop'):
            stream.close()
        async with asyncio.timeout(20):
            while not source.closed:
                await asyncio.sleep(0)
        assert source.closed == [threading.get_ident()]

    asyncio.run(use())


def test_a_source_may_not_wait_for_a_stream_of_its_own_loop() -> None:
    async def source() -> AsyncIterator[int]:
        yield next(to_sync(count(3)))

    with pytest.raises(RuntimeError, match='on the thread of its own event loop'):
        list(to_sync(source()))


def test_within_another_loop_it_works() -> None:
    async def use() -> list[int]:
        return list(to_sync(count(300)))

    assert asyncio.run(use()) == list(range(300))


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize('buffersize', [0, 1, 256])
def test_an_error_comes_after_the_items_before_it(buffersize: int) -> None:
    error = Failed('gone')

    async def source() -> AsyncIterator[int]:
        yield 0
        yield 1
        raise error

    stream = to_sync(source(), buffersize=buffersize)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(Failed) as caught:
        next(stream)
    assert caught.value is error
    assert error.__notes__ == ['while reading item 2']
    assert list(stream) == []


@pytest.mark.parametrize('kind', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_asks_to_stop_is_not_noted(kind: type[BaseException]) -> None:
    error = kind('stop')

    class Stops(Source):
        async def __anext__(self) -> int:
            raise error

    with pytest.raises(kind) as caught:
        list(to_sync(Stops(1)))
    assert caught.value is error
    assert not hasattr(error, '__notes__')


def test_a_cancellation_of_the_sources_own_comes_through() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        raise asyncio.CancelledError('its own')

    stream = to_sync(source())
    assert next(stream) == 1
    with pytest.raises(asyncio.CancelledError, match='its own') as caught:
        next(stream)
    assert not hasattr(caught.value, '__notes__')


def test_an_error_of_the_callable_comes_through() -> None:
    def make() -> Any:
        raise Failed('no connection')

    with pytest.raises(Failed, match='no connection'):
        list(to_sync(make))


@pytest.mark.parametrize('kind', [StopIteration, StopAsyncIteration])
@pytest.mark.parametrize('place', ['callable', '__aiter__', '__anext__', 'aclose'])
def test_a_stop_that_is_no_end_is_a_runtime_error(place: str, kind: type[Exception]) -> None:
    class Odd(AsyncGenerator[int, None]):
        def __aiter__(self) -> Any:
            if place == '__aiter__':
                raise kind('odd')
            return self

        def __anext__(self) -> Any:
            if place == '__anext__':
                raise kind('odd')
            return count(1).__anext__()

        async def asend(self, value: Any) -> int:
            return 1

        async def athrow(self, *args: Any) -> int:
            return 1

        def aclose(self) -> Any:
            if place == 'aclose':
                raise kind('odd')
            return asyncio.sleep(0)

    def make() -> Any:
        if place == 'callable':
            raise kind('odd')
        return Odd()

    def use() -> None:
        with to_sync(make, buffersize=0) as stream:
            next(stream)

    if place == '__anext__' and kind is StopAsyncIteration:
        assert list(to_sync(make)) == []  # as for `async for`
        return
    with pytest.raises(RuntimeError, match=f'the source raised {kind.__name__}') as caught:
        use()
    assert isinstance(caught.value.__cause__, kind)


def test_a_step_that_is_not_awaitable() -> None:
    class Odd:
        def __aiter__(self) -> Any:
            return self

        def __anext__(self) -> Any:
            return 5

    with pytest.raises(TypeError, match=r'an invalid object from __anext__: int') as caught:
        list(to_sync(Odd()))
    assert caught.value.__notes__ == ['while reading item 0']


@pytest.mark.parametrize('made', [None, [], 5])
def test_a_callable_that_makes_no_async_iterable(made: Any) -> None:
    with pytest.raises(TypeError, match='requires an object with __aiter__ method'):
        list(to_sync(lambda: made))


def test_an_aiter_that_gives_no_async_iterator() -> None:
    class Odd:
        def __aiter__(self) -> Any:
            return iter([])

    with pytest.raises(TypeError, match='does not implement __anext__'):
        list(to_sync(Odd()))


class Yields:
    """An awaitable that yields what no task takes."""

    def __await__(self) -> Iterator[Any]:
        yield 'not a future'


def test_a_source_of_another_librarys_loop() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        await Yields()
        yield 2

    stream = to_sync(source())
    assert next(stream) == 1
    with pytest.raises(RuntimeError, match='Task got bad yield'):
        next(stream)


@pytest.mark.parametrize(
    ('arguments', 'error', 'text'),
    [
        (
            {'source': [1, 2]},
            TypeError,
            "an async iterable, or a callable that returns one, not 'l",
        ),
        ({'source': iter([])}, TypeError, 'async iterable'),
        ({'buffersize': -1}, ValueError, 'buffersize must be at least 0'),
        ({'buffersize': 1.5}, TypeError, 'float'),
        ({'buffersize': 1 << 80}, OverflowError, 'too large'),
        ({'max_bytes': 0}, ValueError, 'max_bytes must be at least 1'),
        ({'timeout': -0.1}, ValueError, 'timeout must be None or at least 0, not -0.1'),
        ({'timeout': float('nan')}, ValueError, 'not nan'),
        ({'timeout': 'x'}, TypeError, 'timeout must be a number of seconds'),
        ({'loop': object()}, TypeError, "loop must be an asyncio event loop, not 'object'"),
        ({'unknown': 1}, TypeError, 'unknown'),
    ],
)
def test_arguments(arguments: dict[str, Any], error: type[Exception], text: str) -> None:
    source = count(1)
    with pytest.raises(error, match=text):
        to_sync(**{'source': source, **arguments})


def test_timeouts_of_any_length() -> None:
    for timeout in (1e300, float('inf'), 5, None):
        assert list(to_sync(count(3), timeout=timeout)) == [0, 1, 2]


# --- threads ----------------------------------------------------------------------------------


def test_threads_get_each_item_once_or_are_refused() -> None:
    total = 3000
    stream = to_sync(count(total), buffersize=16)
    taken: list[list[int]] = [[] for _ in range(4)]
    start = threading.Barrier(4)

    def take(mine: list[int]) -> None:
        start.wait()
        while True:
            try:
                mine.append(next(stream))
            except StopIteration:
                return
            except ValueError as error:
                assert str(error) == 'generator already executing'

    threads = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(50)
    assert sorted(item for mine in taken for item in mine) == list(range(total))


def test_a_step_that_waits_refuses_others() -> None:
    release = threading.Event()

    async def source() -> AsyncIterator[int]:
        while not release.is_set():
            await asyncio.sleep(0.001)
        yield 1

    stream = to_sync(source())
    got: list[int] = []
    thread = threading.Thread(target=lambda: got.extend(stream))
    thread.start()
    refused = []
    for act in (next, lambda s: s.throw(KeyError()), lambda s: s.prime()):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                act(stream)
            except ValueError as error:
                refused.append(str(error))
                break
            pytest.fail('it was not waiting')
    release.set()
    thread.join(20)
    assert refused == ['generator already executing'] * 3
    assert got == [1]


# --- memory -----------------------------------------------------------------------------------


def test_nothing_leaks() -> None:
    item = object()

    async def source(error: bool) -> AsyncIterator[object]:
        for _ in range(20):
            yield item
        if error:
            raise Failed

    def use() -> None:
        list(to_sync(source(False)))
        with suppress(Failed):
            list(to_sync(source(True)))
        with to_sync(source(False), buffersize=3) as stream:
            next(stream)
        to_sync(source(False)).close()
        next(to_sync(source(False)))
        stream = to_sync(count(3, pause=0.001), timeout=0)
        with suppress(TimeoutError):
            next(stream)
        with suppress(TimeoutError):
            stream.close()
        barrier()

    for _ in range(3):
        use()
    gc.collect()
    before = sys.getrefcount(item), sys.getrefcount(to_sync)
    for _ in range(20):
        use()
    barrier()
    gc.collect()
    assert (sys.getrefcount(item), sys.getrefcount(to_sync)) == before
    assert [o for o in gc.get_objects() if type(o).__name__ == '_Driver'] == []


def test_a_stream_in_a_cycle_is_collected_and_closed() -> None:
    source = Source(10)

    def tie() -> None:
        stream = to_sync(source)
        next(stream)
        cycle: list[Any] = [stream]
        cycle.append(cycle)

    tie()
    gc.collect()
    wait_until(lambda: bool(source.closed))


@contextmanager
def switching_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        yield
    finally:
        sys.setswitchinterval(interval)


@pytest.mark.parametrize('buffersize', [0, 1, 2, 7])
def test_no_wake_up_is_lost(buffersize: int) -> None:
    with switching_often():
        for pause in (None, 0):
            items = list(to_sync(count(700, pause=pause), buffersize=buffersize))
            assert items == list(range(700))


# --- the docstring ----------------------------------------------------------------------------


def test_the_docstring_runs() -> None:
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(recurse=False).find(
        to_sync, 'to_sync', globs={'to_sync': to_sync}
    ):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


def test_aclosing_is_not_for_it() -> None:
    """It is synchronous only."""
    stream = to_sync(count(1))
    assert not hasattr(stream, '__aiter__')
    assert not hasattr(stream, '__len__')
    assert not hasattr(aclosing(stream), 'close')
    stream.close()

"""to_async with a worker thread: what crosses, in what bounds, and what becomes of errors."""

from __future__ import annotations

import asyncio
import contextvars
import itertools
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Any

import pytest

from generators import batched, to_async


class Failed(Exception):
    """What a source of these tests raises."""


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


async def until(condition: Callable[[], bool]) -> None:
    """Let others run until that holds; a test that waits in vain ends by its timeout."""
    while not condition():
        await asyncio.sleep(0.001)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith('to_async')]


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 30
    while workers() and time.monotonic() < deadline:
        time.sleep(0.001)
    assert workers() == []


# --- what crosses -----------------------------------------------------------------------------


@pytest.mark.parametrize('buffersize', [0, 1, 2, 7, 256, None])
@pytest.mark.parametrize('count', [0, 1, 3, 1000])
def test_all_items_arrive_in_order(buffersize: int | None, count: int) -> None:
    items = [object() for _ in range(count)]
    stream = to_async(items, buffersize=buffersize)
    assert asyncio.run(collect(stream)) == items


def test_a_callable_is_called_on_the_worker() -> None:
    threads = []

    def make() -> Generator[int, None, None]:
        threads.append(threading.get_ident())
        try:
            for i in range(3):
                threads.append(threading.get_ident())
                yield i
        finally:
            threads.append(threading.get_ident())

    assert asyncio.run(collect(to_async(make))) == [0, 1, 2]
    assert len(threads) == 5
    assert set(threads) != {threading.get_ident()}
    assert len(set(threads)) == 1


def test_iter_is_called_on_the_worker_too() -> None:
    threads = []

    class Source:
        def __iter__(self) -> Iterator[int]:
            threads.append(threading.current_thread().name)
            return iter([1, 2])

    assert asyncio.run(collect(to_async(Source()))) == [1, 2]
    assert threads == ['to_async']


def test_a_handle_that_is_bound_to_its_thread_works() -> None:
    import sqlite3

    def rows() -> Generator[Any, None, None]:
        connection = sqlite3.connect(':memory:')  # refuses every other thread
        try:
            yield from connection.execute('values (1), (2), (3)')
        finally:
            connection.close()

    assert asyncio.run(collect(to_async(rows))) == [(1,), (2,), (3,)]


def test_the_worker_is_no_daemon_even_if_a_daemon_starts_it() -> None:
    seen: list[bool] = []

    def source() -> Generator[int, None, None]:
        seen.append(threading.current_thread().daemon)
        yield 1

    thread = threading.Thread(target=lambda: asyncio.run(collect(to_async(source()))), daemon=True)
    thread.start()
    thread.join()
    assert seen == [False]


def test_the_worker_runs_in_a_copy_of_the_context_of_who_made_it() -> None:
    variable = contextvars.ContextVar('variable', default='none')

    def source() -> Generator[str, None, None]:
        yield variable.get()
        variable.set('set by the worker')
        yield variable.get()

    async def main() -> list[str]:
        variable.set('of who made it')
        stream = to_async(source())
        variable.set('of who reads it')
        got = await collect(stream)
        assert variable.get() == 'of who reads it'
        return got

    assert asyncio.run(main()) == ['of who made it', 'set by the worker']


def test_nothing_runs_before_the_first_step() -> None:
    called: list[int] = []

    async def main() -> None:
        stream = to_async(lambda: called.append(1))
        await asyncio.sleep(0.01)
        assert workers() == []
        await stream.aclose()

    asyncio.run(main())
    assert called == []


def test_one_stream_can_be_read_by_several_loops_in_turn() -> None:
    stream = to_async(itertools.count(), buffersize=2)

    async def some() -> list[int]:
        return [await anext(stream) for _ in range(5)]

    loops = [asyncio.new_event_loop() for _ in range(3)]
    got = [loop.run_until_complete(some()) for loop in loops]
    assert got == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11, 12, 13, 14]]
    loops[0].run_until_complete(stream.aclose())
    for loop in loops:
        loop.close()


def test_a_source_may_hand_over_the_own_objects_of_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        things = [future, loop, asyncio.current_task(), StopIteration(3), None]
        assert await collect(to_async(things)) == things
        future.cancel()

    asyncio.run(main())


def test_a_thousand_streams_run_at_once() -> None:
    async def main() -> None:
        streams = [to_async(iter([i, i + 1])) for i in range(1000)]
        for i, items in enumerate(await asyncio.gather(*map(collect, streams))):
            assert items == [i, i + 1]

    asyncio.run(main())


# --- executors --------------------------------------------------------------------------------


def test_an_executor_gives_one_place_for_the_whole_life() -> None:
    names: list[str] = []

    def source() -> Generator[int, None, None]:
        try:
            for i in range(1000):
                names.append(threading.current_thread().name)
                yield i
        finally:
            names.append(threading.current_thread().name)

    with ThreadPoolExecutor(3, thread_name_prefix='pool') as executor:
        got = asyncio.run(collect(to_async(source, executor=executor, buffersize=4)))
    assert got == list(range(1000))
    assert len(set(names)) == 1
    assert names[0].startswith('pool')


def test_streams_wait_for_a_place_in_the_executor() -> None:
    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            streams = [to_async(range(50), executor=executor) for _ in range(4)]
            assert await asyncio.gather(*map(collect, streams)) == [list(range(50))] * 4

    asyncio.run(main())


def test_one_that_waits_for_a_place_is_closed_without_it() -> None:
    log: list[str] = []

    def source() -> Generator[int, None, None]:
        log.append('begun')
        yield 1

    async def main() -> None:
        go = threading.Event()
        with ThreadPoolExecutor(1) as executor:
            executor.submit(go.wait)
            stream = to_async(source, executor=executor)
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.01)
            await stream.aclose()
            go.set()

    asyncio.run(main())
    assert log == []


def test_an_executor_that_ends_first_is_an_error() -> None:
    async def main() -> None:
        go = threading.Event()
        executor = ThreadPoolExecutor(1)
        executor.submit(go.wait)
        step = asyncio.ensure_future(anext(to_async([1], executor=executor)))
        await asyncio.sleep(0)
        executor.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match='the executor was shut down before it ran'):
            await step
        go.set()
        with pytest.raises(RuntimeError, match='after shutdown'):
            await anext(to_async([1], executor=executor))

    asyncio.run(main())


# --- how far it reads ahead -------------------------------------------------------------------


class Counted:
    """A source that says how many items were taken from it."""

    def __init__(self, item: Any = 'item') -> None:
        self.item = item
        self.taken = 0

    def __iter__(self) -> Counted:
        return self

    def __next__(self) -> Any:
        self.taken += 1
        return self.item


@pytest.mark.parametrize('buffersize', [1, 2, 3, 100])
def test_it_reads_no_further_ahead_than_the_buffersize(buffersize: int) -> None:
    async def main() -> None:
        source = Counted()
        async with to_async(source, buffersize=buffersize) as stream:
            for given in range(1, 300):
                await anext(stream)
                assert source.taken <= given + buffersize
            await until(lambda: source.taken >= 299 + (buffersize + 1) // 2)
            await asyncio.sleep(0.01)
            assert source.taken <= 299 + buffersize

    asyncio.run(main())


@pytest.mark.parametrize(
    ('item', 'size'),
    [
        (b'x' * 1000, 1000),
        (bytearray(1000), 1000),
        (memoryview(bytes(4000)).cast('I')[::2], 2000),
        ('x' * 1000, 1000),
        ('\u20ac' * 1000, 2000),
        ('\U0001f600' * 1000, 4000),
    ],
)
def test_bytes_that_items_stand_for_bound_it_too(item: Any, size: int) -> None:
    async def main() -> None:
        source = Counted(item)
        async with to_async(source, max_bytes=10 * size) as stream:
            await anext(stream)
            await until(lambda: source.taken >= 10)
            await asyncio.sleep(0.01)
            assert source.taken <= 11

    asyncio.run(main())


def test_an_item_that_is_larger_than_the_bound_has_its_turn() -> None:
    items = [b'x' * 5000, b'y', b'z' * 5000]
    assert asyncio.run(collect(to_async(items, max_bytes=100))) == items


def test_without_a_buffer_an_item_is_taken_only_when_it_is_asked_for() -> None:
    async def main() -> None:
        source = Counted()
        async with to_async(source, buffersize=0) as stream:
            for taken in range(1, 20):
                await anext(stream)
                await asyncio.sleep(0.001)
                assert source.taken == taken

    asyncio.run(main())


# --- waiting ----------------------------------------------------------------------------------


@pytest.mark.parametrize('buffersize', [0, 1, 256])
def test_a_step_that_is_cancelled_loses_nothing(buffersize: int) -> None:
    items: queue.Queue[int] = queue.Queue()

    async def main() -> None:
        stream = to_async(iter(items.get, None), buffersize=buffersize)
        got = []
        for i in range(30):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.002)
            task = asyncio.ensure_future(anext(stream))
            await asyncio.sleep(0)
            task.cancel()
            items.put(i)
            with suppress(asyncio.CancelledError):
                got.append(await task)
                continue
            got.append(await asyncio.wait_for(anext(stream), 60))
        assert got == list(range(30))
        items.put(None)  # type: ignore[arg-type]
        assert await collect(stream) == []

    asyncio.run(main())


def test_items_are_given_soon_although_a_quick_source_blocks_then() -> None:
    go = threading.Event()

    def source() -> Generator[int, None, None]:
        for turn in range(5):
            yield from range(turn * 100, turn * 100 + 10)
            go.wait()
            go.clear()

    async def main() -> None:
        stream = to_async(source())
        for turn in range(5):
            for i in range(10):
                assert await asyncio.wait_for(anext(stream), 30) == turn * 100 + i
            go.set()
        assert await collect(stream) == []

    asyncio.run(main())


def test_a_blocked_source_does_not_block_the_loop() -> None:
    go = threading.Event()

    def source() -> Generator[int, None, None]:
        go.wait()
        yield 1

    async def main() -> None:
        step = asyncio.ensure_future(anext(to_async(source())))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not step.done()
        go.set()
        assert await step == 1

    asyncio.run(main())


def test_it_needs_a_loop(recwarn: pytest.WarningsRecorder) -> None:
    stream = to_async([1, 2])
    with pytest.raises(
        RuntimeError, match=r'to_async\(\) needs a running asyncio event loop, and none runs'
    ):
        anext(stream).send(None)
    assert workers() == []


def test_two_steps_at_once_are_refused() -> None:
    go = threading.Event()

    def source() -> Generator[int, None, None]:
        go.wait()
        yield 1

    async def main() -> None:
        stream = to_async(source())
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        try:
            with pytest.raises(
                RuntimeError, match=r'anext\(\): asynchronous generator is already running'
            ):
                await anext(stream)
        finally:
            go.set()
        assert await step == 1

    asyncio.run(main())


def test_closing_it_ends_a_step_that_waits() -> None:
    go = threading.Event()
    closed = []

    def source() -> Generator[int, None, None]:
        try:
            go.wait()
            yield 1
        finally:
            closed.append(True)

    async def main() -> None:
        stream = to_async(source())
        step = asyncio.ensure_future(anext(stream, 'ended'))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(stream.aclose())
        try:
            assert await step == 'ended'
            assert not closing.done()
        finally:
            go.set()
        await closing
        assert closed == [True]

    asyncio.run(main())


def test_a_source_that_waits_for_its_own_items_is_refused() -> None:
    refused: list[str] = []

    def source() -> Generator[int, None, None]:
        yield 1
        ready.wait()
        try:
            asyncio.run(collect(stream))
        except RuntimeError as error:
            refused.append(str(error))
        yield 2

    ready = threading.Event()
    stream: Any = to_async(source())

    async def main() -> None:
        assert await anext(stream) == 1
        ready.set()
        await until(lambda: refused != [])

    loop = asyncio.new_event_loop()
    loop.run_until_complete(main())
    loop.close()
    assert refused == ['the source of to_async() cannot wait for its own items']


# --- errors -----------------------------------------------------------------------------------


def test_items_made_before_an_error_come_first() -> None:
    error = Failed('at the third')

    def source() -> Generator[int, None, None]:
        yield 1
        yield 2
        raise error

    async def main() -> None:
        stream = to_async(source())
        await stream.aprime()
        await asyncio.sleep(0.01)
        assert [await anext(stream), await anext(stream)] == [1, 2]
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value is error
        assert error.__notes__ == ['while reading item 2']
        assert await collect(stream) == []

    asyncio.run(main())


def test_what_the_callable_or_iter_raises_comes_through() -> None:
    def fail() -> Any:
        raise Failed

    class Fails:
        def __iter__(self) -> Any:
            raise Failed

    for source in (fail, Fails()):
        with pytest.raises(Failed):
            asyncio.run(collect(to_async(source)))
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        asyncio.run(collect(to_async(lambda: 3)))


def test_stop_iteration_of_the_callable_is_no_end() -> None:
    def stop() -> Any:
        raise StopIteration(3)

    for thread in (True, False):
        with pytest.raises(RuntimeError, match='async generator raised StopIteration') as caught:
            asyncio.run(collect(to_async(stop, thread=thread)))
        assert type(caught.value.__cause__) is StopIteration


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_comes_through_too(error: type[BaseException]) -> None:
    def source() -> Generator[int, None, None]:
        yield 1
        raise error

    async def main() -> None:
        stream = to_async(source())
        assert await anext(stream) == 1
        try:
            await anext(stream)
        except error as caught:
            assert not hasattr(caught, '__notes__')
        else:
            pytest.fail('it ended quietly')

    asyncio.run(main())


def test_an_error_of_closing_is_raised_by_aclose() -> None:
    def source() -> Generator[int, None, None]:
        try:
            yield from itertools.count()
        finally:
            raise OSError('from its finally')

    async def main() -> None:
        stream = to_async(source())
        await anext(stream)
        with pytest.raises(OSError, match='from its finally'):
            await stream.aclose()
        await stream.aclose()
        assert await collect(stream) == []

    asyncio.run(main())


def test_an_error_of_closing_comes_with_the_one_that_it_follows() -> None:
    class Source(Generator[int, None, None]):
        def send(self, value: Any) -> int:
            raise Failed

        def throw(self, *arguments: Any) -> int:
            raise arguments[0]

        def close(self) -> None:
            raise OSError('from close')

    with pytest.raises(OSError, match='from close') as caught:
        asyncio.run(collect(to_async(Source())))
    assert type(caught.value.__context__) is Failed


def test_aclose_returns_when_the_finally_has_run_and_never_blocks_the_loop() -> None:
    closing, go = threading.Event(), threading.Event()

    def source() -> Generator[int, None, None]:
        try:
            yield from itertools.count()
        finally:
            closing.set()
            go.wait()
            log.append('closed')

    log: list[str] = []

    async def main() -> None:
        stream = to_async(source())
        await anext(stream)
        task = asyncio.ensure_future(stream.aclose())
        await until(closing.is_set)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        assert log == []
        go.set()
        await task
        assert log == ['closed']

    asyncio.run(main())


def test_an_aclose_that_is_cancelled_can_be_taken_up_again() -> None:
    go = threading.Event()
    log: list[str] = []

    def source() -> Generator[int, None, None]:
        try:
            yield from itertools.count()
        finally:
            go.wait()
            log.append('closed')

    async def main() -> None:
        stream = to_async(source())
        await anext(stream)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stream.aclose(), 0.005)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        go.set()
        await stream.aclose()
        assert log == ['closed']

    asyncio.run(main())


# --- bad input --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'source': 3}, TypeError, 'source must be an iterable, or a callable .*, not .int'),
        ({'buffersize': -1}, ValueError, 'buffersize must be at least 0'),
        ({'buffersize': 'x'}, TypeError, "'str' object cannot be interpreted as an integer"),
        ({'max_bytes': 0}, ValueError, 'max_bytes must be at least 1'),
        ({'max_bytes': 1 << 80}, OverflowError, 'cannot fit'),
        ({'thread': False, 'executor': object()}, ValueError, 'thread=False takes no executor'),
        ({'unknown': 1}, TypeError, 'unknown'),
    ],
)
def test_it_refuses_what_it_cannot_do(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        to_async(**{'source': [], **arguments})


def test_an_executor_without_submit_is_refused() -> None:
    with pytest.raises(TypeError, match=r"submit.* 'int' has none"):
        to_async([1], executor=3)


# --- the end of the process -------------------------------------------------------------------


def run_program(program: str) -> str:
    done = subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ''
    assert done.returncode == 0
    return done.stdout


STREAM_LEFT_OPEN = """
import asyncio, itertools
from concurrent.futures import ThreadPoolExecutor
from generators import to_async
def source():
    try:
        yield from itertools.count()
    finally:
        print('closed')
{executor}
stream = to_async(source(), executor={given})
loop = asyncio.new_event_loop()
loop.run_until_complete(anext(stream))
loop.close()
"""


@pytest.mark.parametrize('executor', ['executor = None', 'executor = ThreadPoolExecutor(1)'])
@pytest.mark.parametrize('earlier', ['', 'asyncio.run(to_async([1]).__anext__())'])
def test_a_stream_that_is_open_at_exit_is_closed(executor: str, earlier: str) -> None:
    # The earlier stream has our function registered before that of concurrent.futures.
    program = STREAM_LEFT_OPEN.format(
        executor=f'{executor}\nasync def first(): return await anext(to_async([1]))\n'
        + ('asyncio.run(first())' if earlier else ''),
        given='executor',
    )
    assert run_program(program) == 'closed\n'


def test_a_stream_that_is_dropped_on_a_closed_loop_is_closed() -> None:
    program = (
        STREAM_LEFT_OPEN.format(executor='', given='None')
        + """
import gc, threading
gc.disable()
del stream
for thread in threading.enumerate():
    if thread.name == 'to_async':
        thread.join()
print('joined')
"""
    )
    assert run_program(program) == 'closed\njoined\n'


def test_a_stream_that_is_dropped_closes_its_source_though_its_loop_never_runs_again() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.set()

    loop = asyncio.new_event_loop()
    stream = to_async(source, buffersize=0)
    assert loop.run_until_complete(anext(stream)) == 0
    del stream
    assert closed.wait(30)
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


class OfSeveralLoops:
    """Gives what it is told to, and says when it is asked."""

    def __init__(self) -> None:
        self.items: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.asked = threading.Semaphore(0)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.asked.release()
        item = self.items.get(timeout=30)
        if item < 0:
            raise StopIteration
        return item


def test_a_loop_that_waited_first_does_not_end_the_wait_of_another() -> None:
    source = OfSeveralLoops()
    stream = to_async(source)
    left, goes_on = threading.Event(), threading.Event()

    async def first() -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        left.set()
        goes_on.wait(30)  # what it is told comes late

    async def second() -> list[int]:
        taken = [await anext(stream)]
        threading.Timer(0.05, tell_late).start()
        taken.append(await anext(stream))
        return taken + await collect(stream)

    def tell_late() -> None:
        goes_on.set()
        other.join()
        source.items.put(2)
        source.items.put(-1)

    other = threading.Thread(target=lambda: asyncio.run(first()))
    other.start()
    assert left.wait(30)
    source.items.put(1)
    for _ in range(2):
        assert source.asked.acquire(timeout=30)  # the first item is there, and was told of
    assert asyncio.run(asyncio.wait_for(second(), 30)) == [1, 2]


@pytest.mark.skipif(not hasattr(__import__('os'), 'fork'), reason='there is no fork')
def test_a_bridge_made_before_a_fork_touches_nothing_in_the_child() -> None:
    program = """
import asyncio, itertools, os, sys, warnings
from generators import to_async
warnings.simplefilter('ignore', DeprecationWarning)
class Source:
    def __iter__(self): return self
    def __next__(self): return 1
    def __del__(self): print('dropped in', names[os.getpid() != parent], flush=True)
names = ['parent', 'child']
parent = os.getpid()
stream, unstarted = to_async(Source()), to_async(Source())
loop = asyncio.new_event_loop()
async def first(stream): return await anext(stream)
loop.run_until_complete(first(stream))
child = os.fork()
if child == 0:
    for s in (stream, unstarted):
        try:
            asyncio.run(first(s))
        except RuntimeError as error:
            print(error, flush=True)
    s = None
    del stream, unstarted
    async def anew(): return [item async for item in to_async(range(3))]
    print(asyncio.run(anew()), flush=True)
    sys.stdout.flush()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
loop.run_until_complete(stream.aclose())
loop.close()
del stream, unstarted
"""
    message = (
        'to_async() was made before a fork, and its worker is not in this process: make another\n'
    )
    assert run_program(program) == message * 2 + '[0, 1, 2]\n' + 'dropped in parent\n' * 2


@pytest.mark.skipif(not hasattr(__import__('os'), 'fork'), reason='there is no fork')
def test_the_first_bridge_of_all_belongs_to_the_process_that_made_it() -> None:
    """Also where none was begun before the fork."""
    program = """
import asyncio, os
from generators import to_async
stream = to_async(range(3))
async def collect(stream): return [item async for item in stream]
child = os.fork()
if child == 0:
    try:
        asyncio.run(collect(stream))
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
print(asyncio.run(collect(stream)))
"""
    message = (
        'to_async() was made before a fork, and its worker is not in this process: make another\n'
    )
    assert run_program(program) == message + '[0, 1, 2]\n'


@pytest.mark.skipif(sys.version_info < (3, 13), reason='the module has another name before')
def test_it_works_in_a_subinterpreter() -> None:
    program = """
import _interpreters
code = '''
import asyncio
from generators import to_async
async def main():
    return [item async for item in to_async(range(5))]
print(asyncio.run(main()), flush=True)
stream = to_async(range(100000))
loop = asyncio.new_event_loop()
loop.run_until_complete(anext(stream))
loop.close()
'''
interpreter = _interpreters.create()
error = _interpreters.run_string(interpreter, code)
assert error is None, error
_interpreters.destroy(interpreter)
"""
    assert run_program(program) == '[0, 1, 2, 3, 4]\n'


# --- closing, exhaustively --------------------------------------------------------------------


class Source:
    """A generator of three items of some kind, and what became of it."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.made_on: list[int] = []
        self.closed_on: list[int] = []
        self.go = threading.Event()

    def items(self) -> Generator[int, None, None]:
        try:
            for i in range(3):
                self.made_on.append(threading.get_ident())
                if self.kind == 'slow':
                    time.sleep(0.002)
                if self.kind == 'blocked' and i > 0:
                    self.go.wait()
                if self.kind == 'raises' and i > 0:
                    raise Failed('in next')
                yield i
        finally:
            self.closed_on.append(threading.get_ident())
            if self.kind == 'raises in close':
                raise Failed('in close')


async def leave_before_the_first_step(stream: Any) -> None:
    pass


async def leave_in_a_pending_step(stream: Any) -> None:
    task = asyncio.ensure_future(anext(stream))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])  # a cancellation of who waits here is not swallowed
    assert task.cancelled() or isinstance(task.exception(), Failed | None)


async def leave_between_steps(stream: Any) -> None:
    await anext(stream)


async def leave_at_the_last(stream: Any) -> None:
    with suppress(Failed):
        for _ in range(3):
            await anext(stream)


async def by_aclose(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    await point(stream)
    with suppress(Failed):
        await stream.aclose()


async def by_an_exception(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    with suppress(KeyError, Failed):
        async with aclosing(stream):
            await point(stream)
            raise KeyError


async def by_athrow(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    await point(stream)
    with suppress(KeyError, Failed):
        await stream.athrow(KeyError())


async def by_cancelling(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    async def consume() -> None:
        async with stream:
            await point(stream)
            await asyncio.Event().wait()

    task = asyncio.create_task(consume())
    await asyncio.sleep(0.01 if point is not leave_at_the_last else 0.02)
    task.cancel()
    with suppress(asyncio.CancelledError, Failed):
        await task


async def by_a_timeout(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    with suppress(TimeoutError, Failed):
        async with asyncio.timeout(0.02), stream:
            await point(stream)
            await asyncio.Event().wait()


async def by_dropping(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    await point(stream)


async def by_the_end_of_the_task(stream: Any, point: Callable[[Any], Awaitable[None]]) -> None:
    await asyncio.create_task(point(stream))
    await asyncio.sleep(0)


POINTS = [
    leave_before_the_first_step,
    leave_in_a_pending_step,
    leave_between_steps,
    leave_at_the_last,
]
WAYS = [
    by_aclose,
    by_an_exception,
    by_athrow,
    by_cancelling,
    by_a_timeout,
    by_dropping,
    by_the_end_of_the_task,
]


@pytest.mark.parametrize('buffersize', [0, 256])
@pytest.mark.parametrize('kind', ['quick', 'slow', 'blocked', 'raises', 'raises in close'])
@pytest.mark.parametrize('way', WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize('point', POINTS, ids=lambda point: point.__name__)
def test_nothing_is_left(
    point: Any, way: Any, kind: str, buffersize: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == 'blocked' and point is leave_at_the_last:
        pytest.skip('it has no last')
    reports: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda r: reports.append(r.exc_value))
    source = Source(kind)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: reports.append(context['exception']))
        releasing = loop.call_later(0.03, source.go.set)
        stream = to_async(
            source.items(),
            buffersize=buffersize,
            close_with_task=way is by_the_end_of_the_task,
        )
        await way(stream, point)
        del stream
        await until(lambda: not workers())
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            await asyncio.wait(others)
        releasing.cancel()

    import gc

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
    assert workers() == []
    assert len(source.closed_on) == (1 if source.made_on else 0)
    assert set(source.closed_on) == set(source.made_on)
    assert threading.get_ident() not in source.made_on
    # An error of closing has nobody else to go to where nobody closed it.
    dropped = way in (by_dropping, by_the_end_of_the_task)
    assert all(type(error) is Failed for error in reports)
    assert len(reports) <= (1 if dropped and kind in ('raises', 'raises in close') else 0)


# --- what is raised while something else is -------------------------------------------------------


class FailsAndFailsToClose(Generator[int, None, None]):
    def __init__(self, error: BaseException, closing_error: BaseException) -> None:
        self.error, self.closing_error = error, closing_error

    def send(self, value: Any) -> int:
        raise self.error

    def throw(self, *args: Any) -> int:
        raise AssertionError

    def close(self) -> None:
        raise self.closing_error


@pytest.mark.timeout(30)
@pytest.mark.parametrize('thread', [False, True])
def test_an_error_of_closing_that_is_in_the_chain_already_makes_no_circle(thread: bool) -> None:
    first, second = KeyError('first'), OSError('second')
    second.__context__ = first

    async def main() -> None:
        with pytest.raises(KeyError) as caught:
            await anext(to_async(FailsAndFailsToClose(second, first), thread=thread))
        assert caught.value is first
        assert first.__context__ is second
        assert second.__context__ is None

    asyncio.run(main())


@pytest.mark.parametrize('thread', [False, True])
def test_one_that_is_stopped_before_its_first_step_takes_nothing(thread: bool) -> None:
    taken: list[int] = []
    made: list[bool] = []

    def make() -> Iterator[int]:
        made.append(True)
        return iter([1])

    async def main() -> None:
        for source in (map(taken.append, [1, 2]), make):
            stream = to_async(source, thread=thread)  # type: ignore[call-overload, var-annotated]
            stream.stop()
            assert [item async for item in stream] == []
            assert stream.closed

    asyncio.run(main())
    assert taken == []
    assert made == []


def test_a_native_stream_is_stopped_through_one_without_a_thread() -> None:
    async def main() -> None:
        inner = batched([1, 2, 3, 4, 5], 2)
        stream = to_async(inner, thread=False)
        assert await anext(stream) == (1, 2)
        stream.stop()
        assert [item async for item in stream] == []
        assert inner.closed

    asyncio.run(main())

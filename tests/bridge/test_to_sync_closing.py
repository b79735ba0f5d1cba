"""However a reader of ``to_sync`` leaves: the source is closed once, on its loop's thread, and
nothing is left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any

import pytest

from generators import to_sync
from tests.bridge.sources import Failed, Source, count, nothing_left, running_loop

__all__ = ['nothing_left']

pytestmark = [pytest.mark.usefixtures('nothing_left', 'no_collector'), pytest.mark.timeout(60)]


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.disable()
    yield
    gc.enable()


# --- every way out, at every point, of every source ----------------------------------------------

LENGTH = 4

SOURCES: dict[str, dict[str, Any]] = {
    'quick': {},
    'slow': {'pause': 0.001},
    'blocked': {'blocks': True},
    'fails': {'fails': True},
}

# Steps made before leaving; in a pending step where the source is blocked.
POINTS = {'before the first step': 0, 'between': 2, 'at the last': LENGTH, 'in a step': LENGTH + 1}


class Left(Exception):
    """Why a reader leaves."""


def leave_by_close(stream: Any) -> None:
    stream.close()


def leave_by_throw(stream: Any) -> None:
    with suppress(Left):
        stream.throw(Left())


def leave_by_error(stream: Any) -> None:
    with suppress(Left), stream:
        raise Left


WAYS: dict[str, Callable[[Any], None]] = {
    'close': leave_by_close,
    'throw': leave_by_throw,
    'error': leave_by_error,
}


def patient_next(stream: Any) -> Any:
    """On a busy machine an item may take longer than the stream's timeout; it is not lost then."""
    while True:
        try:
            return next(stream)
        except TimeoutError:
            pass


def take(stream: Any, steps: int) -> None:
    for i in range(min(steps, LENGTH)):
        assert patient_next(stream) == i
    if steps > LENGTH:
        with suppress(TimeoutError, Failed, StopIteration):
            next(stream)


def loops() -> list[Any]:
    return [pytest.param(nullcontext, id='background'), pytest.param(running_loop, id='given')]


@pytest.mark.parametrize('open_loop', loops())
@pytest.mark.parametrize('buffersize', [0, 2, 256])
@pytest.mark.parametrize('closing_error', [None, OSError('while closing')])
@pytest.mark.parametrize('kind', SOURCES)
@pytest.mark.parametrize('point', POINTS)
@pytest.mark.parametrize('way', WAYS)
def test_leaving(
    way: str,
    point: str,
    kind: str,
    closing_error: OSError | None,
    buffersize: int,
    open_loop: Any,
) -> None:
    source = Source(LENGTH, closing_error=closing_error, **SOURCES[kind])
    timeout = None
    if (kind, point) == ('blocked', 'in a step'):
        # It bounds closing, too, and each step before.
        timeout = 0.25
    errors = []
    with open_loop() as loop:
        stream = to_sync(source, loop=loop, buffersize=buffersize, timeout=timeout)
        try:
            take(stream, POINTS[point])
            WAYS[way](stream)
        except (OSError, Failed) as error:
            errors.append(error)
        with suppress(TimeoutError):
            stream.close()
        assert source.done.wait(20)
        if timeout is None:
            assert errors == ([closing_error] if closing_error else [])
        assert next(stream, 'ended') == 'ended'
        assert len(source.closed) == 1
        assert source.closed != [threading.get_ident()]
        if closing_error is not None:
            closing_error.__context__ = None


@pytest.mark.parametrize('open_loop', loops())
@pytest.mark.parametrize('buffersize', [0, 2, 256])
@pytest.mark.parametrize('kind', SOURCES)
@pytest.mark.parametrize('point', POINTS)
def test_dropping(point: str, kind: str, buffersize: int, open_loop: Any) -> None:
    source = Source(LENGTH, **SOURCES[kind])
    timeout = 0.25 if (kind, point) == ('blocked', 'in a step') else None
    with open_loop() as loop:
        stream = to_sync(source, loop=loop, buffersize=buffersize, timeout=timeout)
        take(stream, POINTS[point])
        start = time.monotonic()
        del stream
        assert time.monotonic() - start < 5
        assert source.done.wait(20)
        assert len(source.closed) == 1
        assert source.closed != [threading.get_ident()]


def test_dropping_within_the_loops_own_thread() -> None:
    async def use() -> None:
        source = Source(LENGTH)
        stream = to_sync(source, loop=asyncio.get_running_loop())
        assert await asyncio.to_thread(next, stream) == 0
        del stream
        async with asyncio.timeout(20):
            while not source.closed:
                await asyncio.sleep(0)
        assert source.closed == [threading.get_ident()]

    asyncio.run(use())


def test_a_break_closes() -> None:
    source = Source(LENGTH)
    for _ in to_sync(source):
        break
    assert source.done.wait(20)


def test_the_finally_of_a_generator_has_run_when_close_returns() -> None:
    done = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            done.append(threading.current_thread().name)

    for buffersize in (0, 1, 256):
        with to_sync(source(), buffersize=buffersize) as stream:
            assert next(stream) == 1
        assert done.pop() == 'generators.to_sync'


def test_a_pending_step_is_cancelled_and_the_cancellation_taken_back() -> None:
    seen: list[Any] = []

    async def source() -> AsyncIterator[int]:
        task = asyncio.current_task()
        assert task is not None
        try:
            yield 1
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            seen.append(task.cancelling())
            raise

    class Closes(Source):
        inner = source()

        async def __anext__(self) -> int:
            return await anext(self.inner)

        async def aclose(self) -> None:
            task = asyncio.current_task()
            assert task is not None
            seen.append(task.cancelling())
            async with asyncio.timeout(20):
                await super().aclose()

    stream = to_sync(Closes(5), timeout=0.01)
    assert next(stream) == 1
    with pytest.raises(TimeoutError):
        next(stream)
    with suppress(TimeoutError):
        stream.close()
    deadline = time.monotonic() + 20
    while len(seen) < 2 and time.monotonic() < deadline:
        time.sleep(0.001)
    assert seen == [1, 0]


@pytest.mark.parametrize('ends', ['item', 'end', 'error'])
def test_a_source_that_takes_a_cancellation_for_something_else(ends: str) -> None:
    class Stubborn(Source):
        async def __anext__(self) -> int:
            if self.given == self.length:
                try:
                    await asyncio.sleep(3600)
                except asyncio.CancelledError:
                    self.cancelled += 1
                    if ends == 'item':
                        return 5
                    if ends == 'error':
                        raise Failed('when cancelled') from None
                    raise StopAsyncIteration from None
            return await super().__anext__()

    source = Stubborn(1)
    stream = to_sync(source)
    assert next(stream) == 0
    while source.given < 1:
        time.sleep(0.001)
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.005), background()).result(20)
    if ends == 'error':
        with pytest.raises(Failed, match='when cancelled'):
            stream.close()
    else:
        stream.close()
    assert source.cancelled == 1
    assert len(source.closed) == 1


def background() -> asyncio.AbstractEventLoop:
    from native_generators import _background

    return _background.loop()


def test_an_error_that_was_read_ahead_is_not_raised_by_close() -> None:
    source = Source(2, fails=True)
    stream = to_sync(source)
    assert next(stream) == 0
    assert source.done.wait(20)
    stream.close()


def test_an_error_of_closing_comes_with_the_sources_as_context() -> None:
    error = OSError('while closing')
    source = Source(1, fails=True, closing_error=error)
    stream = to_sync(source)
    assert next(stream) == 0
    with pytest.raises(OSError, match='while closing') as caught:
        next(stream)
    assert caught.value is error
    assert isinstance(error.__context__, Failed)
    assert error.__context__.__notes__ == ['while reading item 1']


@pytest.mark.parametrize('late', [False, True])
def test_an_error_of_closing_is_unraisable_when_dropped(
    late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    told = threading.Event()

    def hook(args: Any) -> None:
        seen.append(args.exc_value)
        told.set()

    monkeypatch.setattr(sys, 'unraisablehook', hook)
    error = OSError('while closing')
    source = Source(1 if late else 5, closing_error=error)
    stream = to_sync(source, buffersize=256 if late else 0)
    next(stream)
    if late:
        assert source.done.wait(20)
    del stream
    assert told.wait(20)
    assert seen == [error]


def test_an_iterator_that_is_no_generator_is_not_closed() -> None:
    class Cursor:
        closed = False

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            return 1

        async def aclose(self) -> None:
            self.closed = True

    cursor = Cursor()
    with to_sync(cursor) as stream:
        next(stream)
    to_sync(cursor).close()
    assert not cursor.closed


def test_a_callable_that_was_not_called_is_not_called_to_be_closed() -> None:
    to_sync(pytest.fail).close()


def test_a_stream_of_a_stream_is_closed_to_the_end() -> None:
    source = Source(50)

    async def middle() -> AsyncIterator[int]:
        try:
            async for item in source:
                yield item
        finally:
            await source.aclose()

    with to_sync(middle()) as stream:
        assert next(stream) == 0
    assert len(source.closed) == 1


# --- closing while another thread waits ---------------------------------------------------------


class Reader:
    """A thread that waits in a step of the stream."""

    def __init__(self, stream: Any, step: Callable[[Any], Any] = next) -> None:
        self.came: list[Any] = []
        self.thread = threading.Thread(target=self.read, args=(stream, step))
        self.thread.start()

    def read(self, stream: Any, step: Callable[[Any], Any]) -> None:
        try:
            self.came.append(step(stream))
        except BaseException as error:
            self.came.append(type(error))

    def end(self) -> list[Any]:
        self.thread.join(20)
        assert not self.thread.is_alive()
        return self.came


def waiting_source(**options: Any) -> tuple[Source, Any]:
    source = Source(1, blocks=True, **options)
    stream = to_sync(source)
    assert next(stream) == 0
    return source, stream


def until_waiting(stream: Any) -> None:
    """A step is refused while another is under way."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            stream.prime()
        except ValueError:
            return
        time.sleep(0.001)


def until_asked(source: Source) -> None:
    deadline = time.monotonic() + 20
    while source.asked == 0 and time.monotonic() < deadline:
        time.sleep(0.001)


def leave_block(stream: Any) -> None:
    with stream:
        pass


@pytest.mark.parametrize('close', [leave_by_close, leave_block])
def test_closing_ends_the_step_of_another_thread(close: Callable[[Any], None]) -> None:
    source, stream = waiting_source()
    reader = Reader(stream)
    until_waiting(stream)
    close(stream)
    assert len(source.closed) == 1
    assert source.cancelled == 1
    assert reader.end() == [StopIteration]
    assert next(stream, 'ended') == 'ended'


def test_closing_ends_the_first_step_of_another_thread() -> None:
    source = Source(0, blocks=True)
    stream = to_sync(source)
    reader = Reader(stream, lambda stream: stream.prime() is stream)
    until_asked(source)
    stream.close()
    assert len(source.closed) == 1
    assert reader.end() == [True]


def test_closing_raises_its_error_where_it_was_called_first() -> None:
    error = OSError('while closing')
    _source, stream = waiting_source(closing_error=error)
    reader = Reader(stream)
    until_waiting(stream)
    with pytest.raises(OSError, match='while closing') as caught:
        stream.close()
    assert caught.value is error
    stream.close()
    assert reader.end() == [StopIteration]


def test_all_that_close_wait_until_the_source_is_closed() -> None:
    release = threading.Event()

    class Slow(Source):
        async def aclose(self) -> None:
            while not release.is_set():
                await asyncio.sleep(0.001)
            await super().aclose()

    source = Slow(1, blocks=True)
    stream = to_sync(source)
    assert next(stream) == 0
    reader = Reader(stream)
    until_waiting(stream)

    def close(stream: Any) -> int:
        stream.close()
        return len(source.closed)

    closers = [Reader(stream, close) for _ in range(5)]
    asyncio.run_coroutine_threadsafe(asyncio.sleep(0.02), background()).result(20)
    assert [closer.came for closer in closers] == [[]] * 5
    release.set()
    assert [closer.end() for closer in closers] == [[1]] * 5
    assert reader.end() == [StopIteration]


def test_closing_beside_a_step_is_bounded_by_the_timeout() -> None:
    release, closed = threading.Event(), threading.Event()

    class Slow(Source):
        async def aclose(self) -> None:
            while not release.is_set():
                await asyncio.sleep(0.001)
            closed.set()

    source = Slow(0, blocks=True)
    stream = to_sync(source, timeout=1)
    reader = Reader(stream)
    until_asked(source)
    with pytest.raises(TimeoutError, match='the source was not closed within'):
        stream.close()
    assert reader.end() == [StopIteration]
    assert not closed.is_set()
    release.set()
    assert closed.wait(20)


@pytest.mark.parametrize('buffersize', [0, 1, 256])
def test_closing_at_any_moment_of_a_step(buffersize: int) -> None:
    for _ in range(40):
        source = Source(10**6)
        stream = to_sync(source, buffersize=buffersize)
        reader = Reader(stream, list)
        stream.close()
        reader.end()
        stream.close()
        assert len(source.closed) == 1


def test_a_signal_handler_cannot_close_the_stream_that_it_interrupts() -> None:
    if not hasattr(signal, 'setitimer'):
        pytest.skip('signals of POSIX')
    source, stream = waiting_source()
    old = signal.signal(signal.SIGALRM, lambda *args: stream.close())
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(ValueError, match='generator already executing'):
            next(stream)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert len(source.closed) == 1


def test_an_error_of_closing_that_is_in_the_chain_already_makes_no_circle() -> None:
    first, second = KeyError('first'), OSError('second')
    second.__context__ = first

    class Fails(Source):
        async def __anext__(self) -> int:
            raise second

    stream = to_sync(Fails(1, closing_error=first))  # type: ignore[arg-type]
    with pytest.raises(KeyError) as caught:
        next(stream)
    assert caught.value is first
    assert first.__context__ is second
    assert second.__context__ is None


# --- loops that end -----------------------------------------------------------------------------


@contextmanager
def run_until_told() -> Iterator[tuple[asyncio.AbstractEventLoop, Callable[[], None]]]:
    """asyncio.run() in a thread, as a service ends it."""
    ready: list[Any] = []
    started = threading.Event()

    async def main() -> None:
        stop = asyncio.Event()
        ready.append((asyncio.get_running_loop(), stop))
        started.set()
        await stop.wait()

    thread = threading.Thread(target=lambda: asyncio.run(main()))
    thread.start()
    assert started.wait(20)
    loop, stop = ready[0]

    def end() -> None:
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        assert not thread.is_alive()

    try:
        yield loop, end
    finally:
        end()


@pytest.mark.parametrize('kind', ['quick', 'blocked', 'slow'])
@pytest.mark.parametrize('buffersize', [0, 2])
def test_a_loop_that_shuts_down_closes_the_source(kind: str, buffersize: int) -> None:
    source = Source(LENGTH if kind == 'blocked' else 1000, **SOURCES[kind])
    with run_until_told() as (loop, end):
        stream = to_sync(source, loop=loop, buffersize=buffersize)
        take(stream, 3)
        end()
        assert len(source.closed) == 1
        with pytest.raises(RuntimeError, match='its event loop is shutting down') as caught:
            list(stream)
        assert isinstance(caught.value.__cause__, asyncio.CancelledError)
        stream.close()


def test_a_loop_that_shuts_down_wakes_who_waits() -> None:
    with run_until_told() as (loop, end):
        stream = to_sync(Source(1, blocks=True), loop=loop)
        assert next(stream) == 0
        timer = threading.Timer(0.02, end)
        timer.start()
        with pytest.raises(RuntimeError, match='its event loop is shutting down'):
            next(stream)
        timer.join()


def test_closing_after_the_loop_has_shut_down() -> None:
    source = Source(100)
    with run_until_told() as (loop, end):
        stream = to_sync(source, loop=loop, buffersize=2)
        next(stream)
        end()
        stream.close()
        assert len(source.closed) == 1


def test_a_loop_that_was_closed_before_the_first_step() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    source = Source(3)
    for act in (next, lambda s: s.close()):
        stream = to_sync(source, loop=loop)
        with pytest.raises(RuntimeError, match='the event loop was closed, and the source was not'):
            act(stream)
        stream.close()
    with pytest.raises(RuntimeError, match='the event loop was closed'):
        list(to_sync(count(1), loop=loop))


def stop_and_close(loop: asyncio.AbstractEventLoop, thread: threading.Thread) -> None:
    loop.call_soon_threadsafe(loop.stop)
    thread.join(20)
    loop.close()


@pytest.mark.parametrize('buffersize', [0, 2])
@pytest.mark.parametrize('act', [list, lambda s: s.close()], ids=['read', 'close'])
def test_a_loop_that_is_closed_with_its_tasks_pending(act: Any, buffersize: int) -> None:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stream = to_sync(Source(100), loop=loop, buffersize=buffersize)
    assert next(stream) == 0
    stop_and_close(loop, thread)
    with pytest.raises(RuntimeError, match='the event loop was closed, and the source was not'):
        act(stream)
    stream.close()


def test_a_loop_that_does_not_run() -> None:
    loop = asyncio.new_event_loop()
    stream = to_sync(count(3), loop=loop)
    with pytest.raises(RuntimeError, match=r'the event loop of to_sync\(\) is not running'):
        next(stream)
    # The step was refused: when the loop runs the stream goes on.
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    assert list(stream) == [0, 1, 2]
    stop_and_close(loop, thread)


# --- signals ------------------------------------------------------------------------------------


class Alarm(BaseException):
    """What a signal's handler raises."""


@contextmanager
def alarm(seconds: float) -> Iterator[None]:
    def ring(*args: Any) -> None:
        raise Alarm

    old = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


posix = pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals of POSIX')


@posix
@pytest.mark.parametrize('timeout', [None, 30])
def test_a_signal_ends_a_wait_and_closes_the_source(timeout: float | None) -> None:
    source = Source(2, blocks=True)
    stream = to_sync(source, timeout=timeout)
    assert [next(stream), next(stream)] == [0, 1]
    with pytest.raises(Alarm), alarm(0.05):
        next(stream)
    assert len(source.closed) == 1
    assert source.cancelled == 1
    assert next(stream, 'ended') == 'ended'


@posix
def test_a_signal_ends_a_wait_for_closing() -> None:
    release, closed = threading.Event(), threading.Event()

    class Slow(Source):
        async def aclose(self) -> None:
            while not release.is_set():
                await asyncio.sleep(0.001)
            closed.set()

    stream = to_sync(Slow(5))
    next(stream)
    with pytest.raises(Alarm), alarm(0.05):
        stream.close()
    assert not closed.is_set()
    release.set()
    assert closed.wait(20)


@posix
def test_a_signal_whose_handler_returns_changes_nothing() -> None:
    rang = []
    old = signal.signal(signal.SIGALRM, lambda *args: rang.append(args))
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
    try:
        assert list(to_sync(count(20, pause=0.005), timeout=30)) == list(range(20))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)
    assert len(rang) > 5


# --- processes ----------------------------------------------------------------------------------

PRELUDE = """
import asyncio, logging, os, signal, sys, threading, time
from generators import to_sync

# In development mode asyncio warns of a slow machine; what is wrong it says as an error.
logging.getLogger('asyncio').setLevel(logging.ERROR)

# A shell has its background jobs ignore it, and so would what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

async def count(n, pause=None, blocks=False):
    try:
        for i in range(n):
            if pause is not None:
                await asyncio.sleep(pause)
            yield i
        if blocks:
            await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0)
        print('closed', flush=True)

"""


def run(script: str, *options: str) -> subprocess.CompletedProcess[str]:
    code = PRELUDE + textwrap.dedent(script)
    command = [sys.executable, '-W', 'error', '-X', 'dev', *options, '-c', code]
    return subprocess.run(command, capture_output=True, text=True, timeout=50)


def printed(script: str, *options: str) -> list[str]:
    done = run(script, *options)
    assert done.stderr == ''
    assert done.returncode == 0
    return done.stdout.split('\n')[:-1]


@pytest.mark.parametrize(
    'script',
    [
        'stream = to_sync(count(10)); next(stream)',
        'stream = to_sync(count(10), buffersize=0); next(stream)',
        'stream = to_sync(count(10**9)); next(stream)',
        'stream = to_sync(count(1, blocks=True)); next(stream)',
        'stream = to_sync(count(10**9, pause=0.001)); next(stream)',
        'streams = [to_sync(count(10**9))]; next(streams[0]); streams.append(streams)',
        'next(to_sync(count(10**9)))',
        'with to_sync(count(10**9)) as stream: next(stream)',
        'stream = to_sync(count(10**9)); next(stream); sys.exit(0)',
    ],
)
def test_at_exit_the_source_is_closed_without_a_word(script: str) -> None:
    assert printed(script) == ['closed']


@pytest.mark.parametrize(
    'script', ['to_sync(count(10))', 'stream = to_sync(count(10))', 'list(to_sync(count(0)))']
)
def test_at_exit_nothing_is_begun(script: str) -> None:
    assert printed(script) in ([], ['closed'])


def test_at_exit_who_still_reads_is_told() -> None:
    script = """
    def read():
        try:
            list(to_sync(count(1, blocks=True)))
        except RuntimeError as error:
            print(error, flush=True)
        try:
            list(to_sync(count(1)))
        except RuntimeError as error:
            print(error, flush=True)

    threading.Thread(target=read).start()
    time.sleep(0.1)
    """
    assert printed(script) == [
        'closed',
        'the source was cancelled: its event loop is shutting down',
        'no event loop can be started: the interpreter is shutting down',
    ]


def test_an_error_of_closing_at_exit_is_told() -> None:
    script = """
    async def source():
        try:
            yield 1
            yield 2
        finally:
            raise OSError('while closing')

    stream = to_sync(source(), buffersize=0)
    next(stream)
    """
    done = run(script)
    assert done.returncode == 0
    assert 'OSError: while closing' in done.stderr


@posix
def test_ctrl_c_in_a_wait() -> None:
    script = """
    def interrupt():
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt).start()
    start = time.monotonic()
    try:
        for item in to_sync(count(1, blocks=True)):
            print(item, flush=True)
    except KeyboardInterrupt:
        print('interrupted', time.monotonic() - start < 20)
    """
    assert printed(script) == ['0', 'closed', 'interrupted True']


@posix
def test_ctrl_c_that_nobody_catches() -> None:
    script = """
    for item in to_sync(count(1, blocks=True)):
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    """
    done = run(script)
    assert done.returncode == -signal.SIGINT
    assert done.stdout == 'closed\n'
    assert done.stderr.endswith('KeyboardInterrupt\n')
    assert done.stderr.count('Traceback') == 1


forks = pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork here')


@forks
@pytest.mark.parametrize('point', ['new', 'parked', 'blocked', 'ended', 'failed'])
def test_in_a_forked_child_a_stream_refuses_and_a_new_one_works(point: str) -> None:
    script = f"""
    point = {point!r}
    kinds = {{'ended': (0,), 'blocked': (5, None, True), 'failed': (3,)}}
    stream = to_sync(count(*kinds.get(point, (10**6,))))
    if point != 'new':
        next(stream, None)
        time.sleep(0.05)
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        for act in (next, lambda s: s.send(None)):
            try:
                print('child got', act(stream))
            except RuntimeError as error:
                print('child', str(error)[:33])
            except StopIteration:
                print('child saw the end')
        stream.close()
        stream.close()
        print('child', list(to_sync(count(3))), flush=True)
        del stream
        import gc; gc.collect()
        sys.exit(7)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    print('parent', next(stream, 'end'))
    stream.close()
    """
    lines = printed(script, '-W', 'ignore::DeprecationWarning')
    refused = 'child to_sync() was made before a fork,'
    ours = [line for line in lines if line.startswith('child')]
    if point == 'ended':
        assert ours[0] == 'child saw the end'
    else:
        assert ours[:2] == [refused] * 2
    assert 'child [0, 1, 2]' in ours
    expected = {'new': 'parent 0', 'ended': 'parent end'}.get(point, 'parent 1')
    assert expected in lines


@forks
def test_a_child_forked_within_a_with_block_exits_quietly() -> None:
    script = """
    with to_sync(count(10**6)) as stream:
        next(stream)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            sys.exit(3)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    """
    assert printed(script, '-W', 'ignore::DeprecationWarning') == ['closed']


@forks
def test_multiprocessing_by_fork() -> None:
    script = """
    import multiprocessing

    def work(queue):
        queue.put(list(to_sync(count(3))))

    context = multiprocessing.get_context('fork')
    stream = to_sync(count(10**6))
    next(stream)
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    print(queue.get())
    process.join()
    print(process.exitcode)
    """
    lines = printed(script, '-W', 'ignore::DeprecationWarning')
    assert sorted(lines) == ['0', '[0, 1, 2]', 'closed', 'closed']


def test_in_a_subinterpreter() -> None:
    """One that has threads has a background loop of its own; one that refuses them says so."""
    pytest.importorskip('_interpreters', reason='subinterpreters are made otherwise before 3.13')
    script = """
    import _interpreters
    code = '''if True:
        from generators import to_sync
        async def count(n):
            for i in range(n):
                yield i
        try:
            stream = to_sync(count(3))
            print(next(stream), flush=True)
            print(list(stream), flush=True)
            left = to_sync(count(1000), buffersize=2)
            print(next(left), flush=True)
        except RuntimeError as error:
            print(error, flush=True)
        try:
            to_sync(count(3)).close()
        except RuntimeError as error:
            print(error, flush=True)
    '''
    for threads in (True, False):
        config = _interpreters.new_config('isolated', allow_threads=threads)
        interpreter = _interpreters.create(config)
        failed = _interpreters.exec(interpreter, code)
        if failed is not None:
            print(failed.formatted)
        _interpreters.destroy(interpreter)
    """
    refused = 'thread is not supported for isolated subinterpreters'
    assert printed(script) == ['0', '[1, 2]', '0', refused, refused]

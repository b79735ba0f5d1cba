"""heartbeat() and aheartbeat(): another item whenever none came for so long."""

import asyncio
import contextvars
import queue
import signal
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from generators import aheartbeat, amap, heartbeat, to_async

SOON = 60  # seconds: what takes longer hangs
BEAT = object()


def run(main: Any) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(SOON):
            return await main

    return asyncio.run(in_time())


# --- aheartbeat -----------------------------------------------------------------------------------


def test_items_and_beats() -> None:
    async def main() -> None:
        jobs: asyncio.Queue[int] = asyncio.Queue()

        async def source() -> AsyncIterator[int]:
            for _ in range(3):
                yield await jobs.get()

        stream = aheartbeat(source(), 0.01, BEAT)
        assert await anext(stream) is BEAT
        assert await anext(stream) is BEAT
        jobs.put_nowait(1)
        jobs.put_nowait(2)
        assert await anext(stream) == 1
        assert await anext(stream) == 2
        assert await anext(stream) is BEAT
        jobs.put_nowait(3)
        assert [item async for item in stream] == [3]

    run(main())


def test_nothing_is_cancelled() -> None:
    seen = []

    async def source() -> AsyncIterator[int]:
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            seen.append('cancelled')
            raise
        yield 1

    async def main() -> None:
        found = [item async for item in aheartbeat(source(), 0.01, BEAT)]
        assert found[-1] == 1
        assert found.count(BEAT) >= 1

    run(main())
    assert seen == []


def test_ready_items_come_without_a_beat() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(1000):
            yield number
            if number % 100 == 0:
                await asyncio.sleep(0)

    async def main() -> None:
        found = [item async for item in aheartbeat(source(), 10, BEAT)]
        assert found == list(range(1000))

    run(main())


def test_a_source_of_bare_turns_lets_others_run() -> None:
    async def source() -> AsyncIterator[int]:
        for _ in range(50):
            await asyncio.sleep(0)
        yield 1

    async def main() -> None:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        counter = asyncio.ensure_future(count())
        assert [item async for item in aheartbeat(source(), 10, BEAT)] == [1]
        counter.cancel()
        assert turns > 20

    run(main())


def test_the_time_counts_on_where_a_step_is_cancelled() -> None:
    async def main() -> None:
        never = asyncio.get_running_loop().create_future()

        async def source() -> AsyncIterator[int]:
            await never
            yield 1

        stream = aheartbeat(source(), 0.1, BEAT)
        start = time.monotonic()
        while True:
            try:
                async with asyncio.timeout(0.03):
                    item = await anext(stream)
            except TimeoutError:
                continue
            break
        assert item is BEAT
        assert time.monotonic() - start > 0.09
        await stream.aclose()

    run(main())


def test_over_a_native_stream() -> None:
    async def call(seconds: float) -> float:
        await asyncio.sleep(seconds)
        return seconds

    async def main() -> None:
        stream = aheartbeat(amap(call, [0.05, 0]), 0.01, BEAT)
        found = [item async for item in stream]
        assert [item for item in found if item is not BEAT] == [0.05, 0]
        assert len(found) > 2
        slow = aheartbeat(to_async(lambda: map(time.sleep, [0.03])), 0.005, BEAT)
        assert BEAT in [item async for item in slow]

    run(main())


def counted() -> Any:
    return iter(range(10)).__next__


def test_what_a_callable_returns() -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[int]:
            await asyncio.sleep(SOON)
            yield 1

        stream = aheartbeat(source(), 0.005, counted())
        assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
        await stream.aclose()

    run(main())
    stream = heartbeat(lambda: map(time.sleep, [0.1]), 0.005, counted())
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    stream.close()


def stop_it() -> None:
    raise StopIteration


async def awaited() -> None: ...


@pytest.mark.parametrize(('item', 'error'), [(stop_it, RuntimeError), (awaited, TypeError)])
def test_a_callable_that_fails(item: Any, error: type[Exception]) -> None:
    closed = []

    async def asource() -> AsyncIterator[int]:
        try:
            await asyncio.sleep(SOON)
            yield 1
        finally:
            closed.append(True)

    async def main() -> None:
        with pytest.raises(error):
            await anext(aheartbeat(asource(), 0.001, item))

    run(main())
    assert closed == [True]

    begun = threading.Event()

    def source() -> Iterator[int]:
        try:
            begun.set()
            time.sleep(0.05)
            yield 1
        finally:
            closed.append(True)

    def item_once_begun() -> Any:
        assert begun.wait(SOON)  # one that is closed before has no finally
        return item()

    with pytest.raises(error):
        next(heartbeat(source(), 0.001, item_once_begun))
    assert closed == [True, True]


def test_it_needs_a_loop() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1

    stream = aheartbeat(source(), 1, None)
    with pytest.raises(RuntimeError, match='aheartbeat'):
        stream.__anext__().send(None)

    async def main() -> list[int]:
        return [item async for item in stream]

    assert run(main()) == [1]  # nothing had changed


@pytest.mark.parametrize('make', [heartbeat, aheartbeat])
@pytest.mark.parametrize(
    ('every', 'error'),
    [
        (0, ValueError),
        (-1, ValueError),
        (float('nan'), ValueError),
        ('5', TypeError),
        (None, TypeError),
    ],
)
def test_a_bad_time(make: Any, every: Any, error: type[Exception]) -> None:
    source = iter([1]) if make is heartbeat else to_async([1])
    with pytest.raises(error, match='every must be'):
        make(source, every, None)


def test_a_time_that_never_comes() -> None:
    assert list(heartbeat([1, 2], float('inf'), None)) == [1, 2]


# --- heartbeat ------------------------------------------------------------------------------------


def test_items_and_beats_of_a_queue() -> None:
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stream = heartbeat(iter(jobs.get, None), 0.01, BEAT)

    def item() -> Any:
        """The next one; there may be beats before it, if the machine is slow."""
        while (given := next(stream)) is BEAT:
            pass
        return given

    assert next(stream) is BEAT
    jobs.put(1)
    jobs.put(2)
    assert item() == 1
    assert item() == 2
    assert next(stream) is BEAT
    jobs.put(3)
    jobs.put(None)
    assert [given for given in stream if given is not BEAT] == [3]
    assert stream.closed


def test_the_sources_error_comes_through() -> None:
    def source() -> Iterator[int]:
        yield 1
        raise LookupError('lost')

    stream = heartbeat(source(), 10, BEAT)
    assert next(stream) == 1
    with pytest.raises(LookupError, match='lost') as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 1']
    assert stream.errors == 1


def test_closing_waits_for_the_sources_finally() -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            time.sleep(0.01)
            closed.append(threading.current_thread())

    stream = heartbeat(source(), 10, BEAT)
    assert next(stream) == 1
    stream.close()
    assert len(closed) == 1
    assert closed[0] is not threading.current_thread()
    stream.close()


class Jobs(queue.Queue[Any]):
    """It tells when the thread of a stream has begun to wait for one."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = threading.Event()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        self.asked.set()
        return super().get(block, timeout)


def test_closing_wakes_a_source_that_blocks() -> None:
    jobs = Jobs()
    calls = []

    def wake() -> None:
        calls.append(threading.current_thread())
        jobs.put(None)

    stream = heartbeat(iter(jobs.get, None), 0.001, BEAT, on_close=wake)
    assert next(stream) is BEAT
    assert jobs.asked.wait(SOON)
    stream.close()
    assert calls == [threading.current_thread()]


def test_one_that_was_not_begun_is_closed() -> None:
    closed = []

    def source() -> Iterator[int]:
        try:
            yield 1
        finally:
            closed.append(True)

    begun = source()
    next(begun)
    heartbeat(begun, 1, BEAT).close()
    assert closed == [True]


def test_one_that_is_dropped_closes_its_source() -> None:
    closed = threading.Event()

    def source() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.set()

    stream = heartbeat(source(), 1, BEAT)
    assert next(stream) == 1
    del stream
    assert closed.wait(SOON)


def test_stop_gives_what_the_source_is_giving() -> None:
    jobs = Jobs()
    stream = heartbeat(iter(jobs.get, None), 0.001, BEAT)
    assert next(stream) is BEAT
    assert jobs.asked.wait(SOON)
    stream.stop()
    jobs.put(1)
    jobs.put(2)
    assert [item for item in stream if item is not BEAT] == [1]


def test_one_that_is_stopped_before_its_first_step_takes_nothing() -> None:
    taken: list[int] = []
    stream = heartbeat(map(taken.append, [1, 2]), 1, BEAT)
    stream.stop()
    assert list(stream) == []
    assert taken == []


def test_a_source_that_reads_its_own_stream_is_refused() -> None:
    gate, ended = threading.Event(), threading.Event()
    errors: list[str] = []

    def source() -> Iterator[Any]:
        gate.wait(SOON)
        try:
            yield next(stream)
        except RuntimeError as error:
            errors.append(str(error))
        ended.set()

    stream: heartbeat[Any] = heartbeat(source(), 0.001, BEAT)
    assert next(stream) is BEAT
    gate.set()  # it reads while nobody else does
    assert ended.wait(SOON)
    assert errors == ['a source cannot wait for its own stream']


def test_on_close_that_fails_is_reported_and_the_source_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr('sys.unraisablehook', lambda args: told.append(str(args.exc_value)))
    gate, begun = threading.Event(), threading.Event()
    closed: list[bool] = []

    def source() -> Iterator[int]:
        try:
            begun.set()
            gate.wait(SOON)
            yield 1
        finally:
            closed.append(True)

    def on_close() -> None:
        gate.set()
        raise ValueError('on_close')

    stream = heartbeat(source(), 0.001, BEAT, on_close=on_close)
    assert next(stream) is BEAT
    assert begun.wait(SOON)
    stream.close()
    assert closed == [True]
    assert told == ['on_close']


@pytest.mark.skipif(not hasattr(signal, 'pthread_kill'), reason='no thread gets signals')
def test_a_signal_interrupts_the_wait_for_the_sources_end() -> None:
    class Interrupt(Exception):
        pass

    def handle(*_: Any) -> None:
        raise Interrupt

    main, gate, ended = threading.get_ident(), threading.Event(), threading.Event()

    def source() -> Iterator[int]:
        try:
            yield 1
            yield 2
        finally:
            signal.pthread_kill(main, signal.SIGUSR1)
            gate.wait(SOON)
            ended.set()

    stream = heartbeat(source(), 1, BEAT)
    previous = signal.signal(signal.SIGUSR1, handle)
    try:
        assert next(stream) == 1
        with pytest.raises(Interrupt):
            stream.close()
        assert not ended.is_set()
    finally:
        signal.signal(signal.SIGUSR1, previous)
        gate.set()
    assert ended.wait(SOON)


def test_the_context_is_that_of_the_code_that_made_it() -> None:
    variable = contextvars.ContextVar('variable', default=0)
    variable.set(5)

    def source() -> Iterator[int]:
        yield variable.get()

    assert list(heartbeat(source(), 1, BEAT)) == [5]


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='there are no timers')
def test_a_signal_interrupts_the_wait() -> None:
    class Interrupt(Exception):
        pass

    def handle(*_: Any) -> None:
        raise Interrupt

    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    stream = heartbeat(iter(jobs.get, None), 100, BEAT, on_close=lambda: jobs.put(None))
    previous = signal.signal(signal.SIGALRM, handle)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(Interrupt):
            next(stream)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert stream.closed


def test_many_items_of_another_thread() -> None:
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put() -> None:
        for number in range(2000):
            jobs.put(number)
        jobs.put(None)

    thread = threading.Thread(target=put)
    thread.start()
    stream = heartbeat(iter(jobs.get, None), 0.0001, BEAT)
    assert [item for item in stream if item is not BEAT] == list(range(2000))
    thread.join()

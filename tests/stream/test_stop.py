"""stop(): nothing more is taken from the source, and nothing that was taken is lost.

Each type over each other, over a source that waits.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from generators import amap, amerge, map_threads, to_async, to_sync
from tests.isolated.catalogue import ASYNC_STAGES, Stage, item_of, number_of, stacked

SOON = 60  # seconds: what takes longer hangs


class Source:
    """An async generator's ways, one item a permit."""

    def __init__(self, kind: str, count: int = 100) -> None:
        self.kind = kind
        self.left = count
        self.pulled: list[int] = []
        self.asked = asyncio.Event()
        self.permits = asyncio.Semaphore(0)
        self.closed = 0

    def allow(self, count: int = 1) -> None:
        for _ in range(count):
            self.permits.release()

    async def items(self) -> AsyncIterator[Any]:
        try:
            for number in range(self.left):
                self.asked.set()
                await self.permits.acquire()
                self.pulled.append(number)
                yield item_of(self.kind, number)
        finally:
            await asyncio.sleep(0)
            self.closed += 1


PAIRS = [(outer, inner) for outer in ASYNC_STAGES for inner in ASYNC_STAGES]


def run(main: Any) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(SOON):
            return await main

    return asyncio.run(in_time())


class Pair:
    def __init__(self, outer: str, inner: str) -> None:
        self.stages = ASYNC_STAGES[outer], ASYNC_STAGES[inner]

    def over(self) -> tuple[Any, Source]:
        made: list[Source] = []

        def source(kind: str) -> Any:
            made.append(Source(kind))
            return made[0].items()

        return stacked(*self.stages, source, None), made[0]


@pytest.fixture(params=PAIRS, ids='-'.join)
def pair(request: pytest.FixtureRequest) -> Pair:
    return Pair(*request.param)


async def numbers(stream: Any) -> list[int]:
    return [number_of(item) async for item in stream]


def test_one_that_was_not_begun_takes_nothing(pair: Pair) -> None:
    if all(stage.runs_threads for stage in pair.stages):
        pytest.skip('the inner to_sync() would be closed on the thread of its own loop')

    async def main() -> None:
        stream, source = pair.over()
        stream.stop()
        source.allow(3)
        assert await numbers(stream) == []
        assert source.pulled == []
        assert stream.closed

    run(main())


def test_what_was_taken_is_given_and_nothing_else_is_taken(pair: Pair) -> None:
    async def main() -> None:
        stream, source = pair.over()
        source.allow(4)
        first = number_of(await anext(stream))
        stream.stop()
        source.allow(1)  # for the item that the source is asked for
        rest = await numbers(stream)
        assert [first, *rest] == source.pulled
        assert len(source.pulled) <= 5
        assert source.closed == 1
        assert stream.closed

    run(main())


def test_a_step_that_waits_gets_what_the_source_is_giving(pair: Pair) -> None:
    async def main() -> None:
        stream, source = pair.over()
        step = asyncio.ensure_future(anext(stream))
        await source.asked.wait()
        stream.stop()
        stream.stop()
        await asyncio.sleep(0.01)
        assert not step.done()
        source.allow(5)
        assert number_of(await step) == 0
        assert await numbers(stream) == source.pulled[1:]
        assert source.closed == 1

    run(main())


def test_a_step_that_was_left_is_not_lost(pair: Pair) -> None:
    async def main() -> None:
        stream, source = pair.over()
        step = asyncio.ensure_future(anext(stream))
        await source.asked.wait()
        step.cancel()
        await asyncio.wait([step])
        stream.stop()
        source.allow(5)
        assert await numbers(stream) == source.pulled
        assert source.pulled[0] == 0
        assert source.closed == 1

    run(main())


def test_it_may_be_called_from_any_thread(pair: Pair) -> None:
    async def main() -> None:
        stream, source = pair.over()
        source.allow(2)
        first = number_of(await anext(stream))
        threads = [threading.Thread(target=stream.stop) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            await asyncio.to_thread(thread.join)
        source.allow(3)
        assert [first, *await numbers(stream)] == source.pulled
        assert source.closed == 1

    run(main())


def test_one_that_was_stopped_can_be_closed_at_once(pair: Pair) -> None:
    if any(stage.runs_threads for stage in pair.stages):
        pytest.skip('a thread that waits for its source cannot be told to leave it')

    async def main() -> None:
        stream, source = pair.over()
        step = asyncio.ensure_future(anext(stream))
        await source.asked.wait()
        stream.stop()
        await stream.aclose()
        await asyncio.wait([step])
        assert isinstance(step.exception(), StopAsyncIteration)
        assert source.closed == 1
        stream.stop()

    run(main())


# --- what is torn ---------------------------------------------------------------------------------

TEXT = ('acsv_rows', 'alines', 'ajsonl_rows')


@pytest.mark.parametrize('name', TEXT)
@pytest.mark.parametrize('through', ['itself', 'amap', 'amerge', 'to_async'])
def test_a_line_that_has_begun_is_not_given(name: str, through: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'1\n2\n3'
        await asyncio.sleep(0)
        yield b'4\n'

    async def same(piece: bytes) -> bytes:
        return piece

    def over() -> Any:
        if through == 'amap':
            return amap(same, pieces(), concurrency=1, buffersize=1)
        if through == 'amerge':
            return amerge(pieces())
        if through == 'to_async':
            return to_async(
                to_sync(pieces(), loop=asyncio.get_running_loop(), buffersize=0), buffersize=0
            )
        return pieces()

    async def main() -> None:
        stream = ASYNC_STAGES[name].over(over())
        found = [await anext(stream)]
        stream.stop()
        found += [item async for item in stream]
        # Where a stream between them had begun to read the next piece, the line is whole.
        assert [number_of(item) for item in found] in ([1, 2], [1, 2, 34])

    run(main())


@pytest.mark.parametrize('name', TEXT)
def test_the_sources_own_end_ends_the_last_line(name: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'1\n2\n3'

    async def main() -> None:
        stream = ASYNC_STAGES[name].over(amerge(pieces()))
        found = [item async for item in stream]
        stream.stop()
        assert [number_of(item) for item in found] == [1, 2, 3]

    run(main())


# --- calls, threads -------------------------------------------------------------------------------


@pytest.mark.parametrize('is_async', [True, False])
def test_amap_finishes_the_calls_that_run(is_async: bool) -> None:
    async def main() -> None:
        go = asyncio.Event()
        begun: list[int] = []

        async def call(number: int) -> int:
            begun.append(number)
            await go.wait()
            return number

        async def source() -> AsyncIterator[int]:
            for number in range(10):
                yield number

        stream = amap(call, source() if is_async else iter(range(10)), concurrency=3)
        step = asyncio.ensure_future(anext(stream))
        while len(begun) < 3:
            await asyncio.sleep(0)
        stream.stop()
        assert stream.running == 3
        go.set()
        assert [await step, *[item async for item in stream]] == begun == [0, 1, 2]

    run(main())


def test_map_threads_finishes_the_calls_that_run() -> None:
    go, begun = threading.Event(), threading.Semaphore(0)

    def call(number: int) -> int:
        begun.release()
        assert go.wait(SOON)
        return number

    closed = []

    def source() -> Iterator[int]:
        try:
            yield from range(10)
        finally:
            closed.append(True)

    stream = map_threads(call, source(), concurrency=2)
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.extend(stream))
    reader.start()
    assert begun.acquire(timeout=SOON)
    assert begun.acquire(timeout=SOON)
    stream.stop()
    stream.stop()
    go.set()
    reader.join(SOON)
    assert found == [0, 1]
    assert closed == [True]
    assert stream.closed


def test_map_threads_stops_a_stream_that_it_reads_from() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(1000):
            yield number

    inner = to_sync(source(), buffersize=8)
    stream = map_threads(str, inner, concurrency=1)
    found = [next(stream)]
    stream.stop()
    found += stream
    assert found == [str(number) for number in range(len(found))]
    assert len(found) == inner.items < 100
    assert inner.closed


def test_to_sync_gives_what_is_held() -> None:
    pulled = []

    async def source() -> AsyncIterator[int]:
        for number in range(1000):
            pulled.append(number)
            yield number
            await asyncio.sleep(0.0001)

    stream = to_sync(source(), buffersize=8)
    found = [next(stream)]
    stream.stop()
    found += stream
    assert found == pulled
    assert len(found) < 20


def test_to_sync_is_stopped_while_a_thread_waits_in_it() -> None:
    async def main() -> None:
        source = Source('text')
        stream = to_sync(source.items(), loop=asyncio.get_running_loop())
        step = asyncio.ensure_future(asyncio.to_thread(list, stream))
        await source.asked.wait()
        stream.stop()
        source.allow(2)
        assert [number_of(item) for item in await step] == [0]
        assert source.closed == 1

    run(main())


def test_to_sync_is_closed_while_a_thread_waits_in_it() -> None:
    async def main() -> None:
        source = Source('text')
        stream = to_sync(source.items(), loop=asyncio.get_running_loop())
        step = asyncio.ensure_future(asyncio.to_thread(list, stream))
        await source.asked.wait()
        await asyncio.to_thread(stream.close)
        assert await step == []
        assert source.closed == 1

    run(main())


@pytest.mark.parametrize(
    'make', [lambda: to_sync(Source('text').items()), lambda: map_threads(str, 'abc')]
)
def test_a_sync_stream_that_was_not_begun(make: Callable[[], Any]) -> None:
    stream = make()
    stream.stop()
    assert list(stream) == []
    stream.stop()
    assert stream.closed


def test_to_async_gives_what_its_thread_has_read() -> None:
    read: list[int] = []

    def source() -> Iterator[int]:
        for number in range(1000):
            read.append(number)
            yield number

    async def main() -> None:
        stream = to_async(source(), buffersize=4)
        found = [await anext(stream)]
        stream.stop()
        found += [item async for item in stream]
        assert found == read
        assert len(found) < 20

    run(main())


def test_amerge_drops_nothing_of_any_source() -> None:
    async def main() -> None:
        sources = [Source('text') for _ in range(3)]
        stream = amerge(*[source.items() for source in sources])
        for source in sources:
            source.allow(2)
        found = [await anext(stream)]
        stream.stop()
        for source in sources:
            source.allow(1)
        found += [item async for item in stream]
        assert len(found) == sum(len(source.pulled) for source in sources) <= 9
        assert [source.closed for source in sources] == [1, 1, 1]

    run(main())


@pytest.mark.parametrize('stage', ASYNC_STAGES.values(), ids=lambda stage: stage.name)
def test_in_every_state(stage: Stage) -> None:
    async def main() -> None:
        source = Source(stage.takes or 'text', 2)
        stream = stage.over(source.items())
        source.allow(2)
        assert [number_of(item) async for item in stream] == [0, 1]
        stream.stop()  # after the end
        source = Source(stage.takes or 'text')
        closed = stage.over(source.items())
        source.allow()
        await anext(closed)
        source.allow()  # for a thread that reads ahead
        await closed.aclose()
        closed.stop()
        with pytest.raises(StopAsyncIteration):
            await anext(closed)

    run(main())


@pytest.mark.parametrize('stage', ASYNC_STAGES.values(), ids=lambda stage: stage.name)
def test_by_the_source_itself(stage: Stage) -> None:
    made: list[Any] = []

    async def source() -> AsyncIterator[Any]:
        for number in range(100):
            if number == 2:
                made[0].stop()
            yield item_of(stage.takes or 'text', number)
            await asyncio.sleep(0)

    async def main() -> None:
        made.append(stage.over(source()))
        found = [number_of(item) async for item in made[0]]
        assert found[:3] == [0, 1, 2]
        assert len(found) <= 4

    run(main())


def test_of_an_event_loop_that_is_closed() -> None:
    async def source() -> AsyncIterator[int]:
        for number in range(10):
            yield number

    async def begin() -> list[Any]:
        async def same(item: int) -> int:
            return item

        streams: list[Any] = [
            to_async(iter(range(10)), buffersize=1),
            amap(same, source()),
            amerge(source()),
        ]
        for stream in streams:
            await anext(stream)
        return streams

    for stream in asyncio.run(begin()):
        stream.stop()


# --- a second cancellation ------------------------------------------------------------------------


def test_a_second_cancellation_closes_the_source_all_the_same(pair: Pair) -> None:
    if any(stage.runs_threads for stage in pair.stages):
        pytest.skip('a thread that waits for its source cannot be told to leave it')

    async def main() -> None:
        stream, source = pair.over()

        async def consume() -> None:
            try:
                async for _ in stream:
                    pass
            finally:
                await stream.aclose()

        consumer = asyncio.ensure_future(consume())
        await source.asked.wait()
        consumer.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
            consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        assert source.closed == 1
        assert stream.closed

    run(main())


def test_a_second_cancellation_of_a_stream_that_was_stopped(pair: Pair) -> None:
    if any(stage.runs_threads for stage in pair.stages):
        pytest.skip('a thread that waits for its source cannot be told to leave it')

    async def main() -> None:
        stream, source = pair.over()
        for _ in range(2):
            step = asyncio.ensure_future(anext(stream))
            await source.asked.wait()
            step.cancel()
            await asyncio.wait([step])
            stream.stop()
        source.allow(3)
        assert await numbers(stream) == source.pulled
        assert source.closed == 1

    run(main())

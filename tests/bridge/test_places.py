"""to_async(): places in an executor that are left, what wakes a source, and the size of items."""

import asyncio
import contextvars
import gc
import queue
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from generators import to_async, to_sync

SOON = 60  # seconds: what takes longer hangs


def run(main: Any) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(SOON):
            return await main

    return asyncio.run(in_time())


@pytest.fixture(params=[1, 2])
def pool(request: pytest.FixtureRequest) -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(request.param) as made:
        yield made


async def take(stream: Any, found: list[Any]) -> None:
    async for item in stream:
        found.append(item)


class Source:
    """A generator that notes what happens to it."""

    def __init__(self, count: int = 1000, pause: float = 0) -> None:
        self.count = count
        self.pause = pause
        self.pulled = 0
        self.closed: list[threading.Thread] = []

    def items(self) -> Iterator[int]:
        try:
            for number in range(self.count):
                if self.pause:
                    time.sleep(self.pause)
                self.pulled += 1
                yield number
        finally:
            self.closed.append(threading.current_thread())


# --- hold=False -----------------------------------------------------------------------------------


@pytest.mark.parametrize('buffersize', [0, 1, 7, 256, None])
def test_every_item_comes(pool: ThreadPoolExecutor, buffersize: int | None) -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=buffersize)
        assert [item async for item in stream] == list(range(1000))
        assert len(source.closed) == 1
        assert source.closed[0] is not threading.current_thread()

    run(main())


def test_streams_within_one_another_on_one_place() -> None:
    async def main(pool: ThreadPoolExecutor) -> None:
        found: list[Any] = []
        async for a in to_async(range(5), executor=pool, hold=False, buffersize=1):
            async for b in to_async(range(3), executor=pool, hold=False, buffersize=1):
                async for c in to_async(range(2), executor=pool, hold=False):
                    found.append((a, b, c))
        assert found == [(a, b, c) for a in range(5) for b in range(3) for c in range(2)]

    with ThreadPoolExecutor(1) as pool:
        run(main(pool))


def test_many_streams_on_few_places(pool: ThreadPoolExecutor) -> None:
    async def read(number: int) -> int:
        total = 0
        async for item in to_async(range(30), executor=pool, hold=False, buffersize=4):
            total += item
            await asyncio.sleep(0)
        return total

    async def main() -> None:
        assert set(await asyncio.gather(*map(read, range(100)))) == {sum(range(30))}

    run(main())


def test_a_place_is_left_while_nothing_is_wanted() -> None:
    async def main(pool: ThreadPoolExecutor) -> None:
        stream = to_async(Source().items(), executor=pool, hold=False, buffersize=4)
        assert await anext(stream) == 0
        assert await asyncio.wrap_future(pool.submit(lambda: 'free')) == 'free'
        await stream.aclose()

    with ThreadPoolExecutor(1) as pool:
        run(main(pool))


def test_a_source_that_is_slow_shares_its_place() -> None:
    async def main(pool: ThreadPoolExecutor) -> None:
        source = Source(100, 0.02)
        slow = to_async(source.items(), executor=pool, hold=False)
        assert await anext(slow) == 0
        # Others have their turn in between.
        assert await asyncio.wrap_future(pool.submit(lambda: source.pulled)) < 100
        await slow.aclose()

    with ThreadPoolExecutor(1) as pool:
        run(main(pool))


def test_no_more_is_read_ahead_than_the_buffer_holds(pool: ThreadPoolExecutor) -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=8)
        for number in range(20):
            assert await anext(stream) == number
            await asyncio.sleep(0.001)
            assert source.pulled <= number + 1 + 8
        await stream.aclose()

    run(main())


def test_closing_takes_a_place(pool: ThreadPoolExecutor) -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=4)
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)
        await stream.aclose()
        assert len(source.closed) == 1
        assert source.closed[0] is not threading.current_thread()

    run(main())


def test_throwing_takes_a_place(pool: ThreadPoolExecutor) -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=4)
        assert await anext(stream) == 0
        with pytest.raises(LookupError):
            await stream.athrow(LookupError)
        assert source.closed[0] is not threading.current_thread()

    run(main())


def test_stop_gives_what_was_read(pool: ThreadPoolExecutor) -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=4)
        found = [await anext(stream)]
        await asyncio.sleep(0.01)
        stream.stop()
        found += [item async for item in stream]
        assert found == list(range(source.pulled))
        assert source.pulled < 20
        assert len(source.closed) == 1

    run(main())


def test_one_that_is_dropped_is_closed(pool: ThreadPoolExecutor) -> None:
    source = Source()

    async def main() -> None:
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=4)
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)

    run(main())
    gc.collect()
    assert len(source.closed) == 1


def test_one_that_outlives_its_loop_is_closed(pool: ThreadPoolExecutor) -> None:
    source = Source()

    async def main() -> Any:
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=4)
        await anext(stream)
        await asyncio.sleep(0.01)
        return stream

    loop = asyncio.new_event_loop()
    stream = loop.run_until_complete(main())
    loop.close()
    del stream
    gc.collect()
    assert len(source.closed) == 1


def test_the_sources_error_comes_after_its_items(pool: ThreadPoolExecutor) -> None:
    def source() -> Iterator[int]:
        yield from range(10)
        raise LookupError('lost')

    async def main() -> None:
        stream = to_async(source(), executor=pool, hold=False, buffersize=3)
        found: list[Any] = []
        with pytest.raises(LookupError) as caught:
            await take(stream, found)
        assert found == list(range(10))
        assert caught.value.__notes__ == ['while reading item 10']

    run(main())


def test_the_context_is_one_for_all_refills(pool: ThreadPoolExecutor) -> None:
    variable = contextvars.ContextVar('variable', default=0)
    variable.set(100)

    def source() -> Iterator[int]:
        for _ in range(50):
            variable.set(variable.get() + 1)
            yield variable.get()

    async def main() -> None:
        stream = to_async(source(), executor=pool, hold=False, buffersize=2)
        assert [item async for item in stream] == list(range(101, 151))
        assert variable.get() == 100

    run(main())


def test_a_pool_that_is_shut_down_midway_is_told_and_closes_the_source() -> None:
    async def main() -> None:
        source = Source()
        pool = ThreadPoolExecutor(1)
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=2)
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)
        pool.shutdown()
        found: list[Any] = []
        with pytest.raises(RuntimeError, match='shutdown'):
            await take(stream, found)
        assert found == list(range(1, source.pulled))
        assert len(source.closed) == 1

    run(main())


def test_a_pool_that_is_shut_down_before() -> None:
    async def main() -> None:
        source = Source()
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        stream = to_async(source.items(), executor=pool, hold=False)
        with pytest.raises(RuntimeError, match='shutdown'):
            await anext(stream)

    run(main())


def test_refills_that_are_cancelled_are_told() -> None:
    async def main() -> None:
        source = Source()
        pool = ThreadPoolExecutor(1)
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=2)
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)
        go = threading.Event()
        pool.submit(go.wait, SOON)
        while stream.held:
            await anext(stream)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        pool.shutdown(wait=False, cancel_futures=True)
        with pytest.raises(RuntimeError, match='shut down before'):
            await step
        go.set()
        pool.shutdown()
        assert len(source.closed) == 1

    run(main())


def test_closing_while_a_refill_waits_for_its_place() -> None:
    async def main(pool: ThreadPoolExecutor) -> None:
        source = Source()
        stream = to_async(source.items(), executor=pool, hold=False, buffersize=2)
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)
        go = threading.Event()
        pool.submit(go.wait, SOON)
        while stream.held:
            await anext(stream)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        closing = asyncio.ensure_future(stream.aclose())
        await asyncio.sleep(0.01)
        assert not closing.done()
        go.set()
        await closing
        await asyncio.wait([step])
        assert len(source.closed) == 1
        assert source.closed[0] is not threading.current_thread()

    with ThreadPoolExecutor(1) as pool:
        run(main(pool))


def test_a_callable_is_called_once(pool: ThreadPoolExecutor) -> None:
    calls = []

    def make() -> Iterator[int]:
        calls.append(threading.current_thread())
        return iter(range(100))

    async def main() -> None:
        stream = to_async(make, executor=pool, hold=False, buffersize=2)
        assert [item async for item in stream] == list(range(100))
        assert len(calls) == 1

    run(main())


@pytest.mark.parametrize(
    'options',
    [
        {'hold': False},
        {'thread': False, 'hold': False},
        {'thread': False, 'sizeof': len},
        {'thread': False, 'on_close': int},
    ],
)
def test_options_that_do_not_go_together(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r'hold=False needs an executor|thread=False takes no'):
        to_async([], **options)


# --- on_close -------------------------------------------------------------------------------------


@pytest.mark.parametrize('hold', [True, False])
def test_closing_wakes_a_source_that_blocks(pool: ThreadPoolExecutor, hold: bool) -> None:
    async def main() -> None:
        jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        calls: list[threading.Thread] = []

        def wake() -> None:
            calls.append(threading.current_thread())
            jobs.put(None)

        stream = to_async(
            iter(jobs.get, None), executor=pool, hold=hold, buffersize=0, on_close=wake
        )
        jobs.put(1)
        assert await anext(stream) == 1
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        await stream.aclose()
        await stream.aclose()
        await asyncio.wait([step])
        assert calls == [threading.current_thread()]

    run(main())


def test_a_source_that_does_not_block_is_not_woken() -> None:
    async def main() -> None:
        calls: list[int] = []
        stream = to_async(range(5), buffersize=0, on_close=lambda: calls.append(1))
        assert await anext(stream) == 0
        await asyncio.sleep(0.01)
        await stream.aclose()
        ended = to_async(range(5), on_close=lambda: calls.append(1))
        assert [item async for item in ended] == list(range(5))
        await ended.aclose()
        unbegun = to_async(range(5), on_close=lambda: calls.append(1))
        await unbegun.aclose()
        assert calls == []

    run(main())


def test_one_that_is_dropped_wakes_its_source() -> None:
    jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
    calls = []

    def wake() -> None:
        calls.append(1)
        jobs.put(None)

    async def main() -> None:
        stream = to_async(iter(jobs.get, None), on_close=wake)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        step.cancel()
        await asyncio.wait([step])

    run(main())
    gc.collect()
    assert calls == [1]


@pytest.mark.parametrize('raised', [LookupError, StopIteration, StopAsyncIteration])
def test_what_it_raises_comes_when_all_is_closed(raised: type[Exception]) -> None:
    async def main() -> None:
        go, closed = threading.Event(), []

        def source() -> Iterator[int]:
            try:
                assert go.wait(SOON)
                yield 1
            finally:
                closed.append(True)

        def wake() -> None:
            go.set()
            raise raised

        stream = to_async(source(), on_close=wake)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.01)
        with pytest.raises(LookupError if raised is LookupError else RuntimeError):
            await stream.aclose()
        await asyncio.wait([step])
        assert closed == [True]

    run(main())


# --- the size of items ----------------------------------------------------------------------------


def held_bytes(items: list[Any], **options: Any) -> int:
    """What a stream counts for all but the first of the items."""

    async def main() -> Any:
        stream = to_async(items, max_bytes=None, buffersize=None, **options)
        await anext(stream)
        while stream.held < len(items) - 1:
            await asyncio.sleep(0.001)
        counted = stream.held_bytes
        await stream.aclose()
        return counted

    counted: int = run(main())
    return counted


TEXT = 'x' * 1000


@pytest.mark.parametrize(
    ('item', 'expected'),
    [
        (5, 64),
        (TEXT, 1064),
        (TEXT.encode(), 1064),
        (bytearray(1000), 1064),
        (memoryview(bytes(1000)), 1064),
        ((TEXT, 1), 64 + 1064 + 64),
        ([TEXT, [TEXT]], 64 + 1064 + 64 + 1064),
        ({'a': TEXT}, 64 + 65 + 1064),
        ({'a': {'b': [TEXT]}}, 64 + 65 + 64 + 65 + 64 + 1064),
        ({TEXT}, 64 + 1064),
        (frozenset([(TEXT,)]), 64 + 64 + 1064),
        ([[[[TEXT]]]], 4 * 64 + 1064),
        ([[[[[TEXT]]]]], 5 * 64),
    ],
)
def test_what_an_item_counts(item: Any, expected: int) -> None:
    assert held_bytes([0, item]) == expected


@pytest.mark.parametrize('kind', [list, tuple, set, dict])
def test_the_rest_of_a_large_container_is_estimated(kind: Any) -> None:
    count = 200_000
    values = [f'{number:0100}' for number in range(count)]
    item = dict.fromkeys(values, None) if kind is dict else kind(values)
    counted = held_bytes([0, item])
    expected = count * (164 + (64 if kind is dict else 0))
    assert 0.99 * expected < counted < 1.01 * expected


def test_a_large_nested_item_is_estimated_quickly() -> None:
    rows = [[TEXT] * 100 for _ in range(2000)]
    counted = held_bytes([0, rows])
    assert 0.9 * 2000 * 100 * 1064 < counted < 1.1 * 2000 * 100 * 1064


def test_a_container_within_itself() -> None:
    item: list[Any] = []
    item.append(item)
    item.append(item)
    assert held_bytes([0, item]) > 64


class Picture:
    def __init__(self, size: int) -> None:
        self.size = size


def test_sizeof_counts_what_it_can_not_know() -> None:
    assert held_bytes([Picture(7), Picture(1000)], sizeof=lambda picture: picture.size) == 1000


def test_sizeof_bounds_what_is_read_ahead() -> None:
    async def main() -> None:
        source = Source()
        stream = to_async(source.items(), max_bytes=1000, sizeof=lambda item: 100)
        await anext(stream)
        await asyncio.sleep(0.02)
        assert 5 <= source.pulled <= 11
        await stream.aclose()

    run(main())
    pulled = []

    async def numbers() -> AsyncIterator[int]:
        for number in range(100):
            pulled.append(number)
            yield number

    back = to_sync(numbers(), max_bytes=1000, sizeof=lambda item: 100)
    next(back)
    time.sleep(0.02)
    assert len(pulled) <= 12
    back.close()


def stops(item: Any) -> int:
    raise StopIteration


@pytest.mark.parametrize(
    ('sizeof', 'error', 'text'),
    [
        (lambda item: 'x', TypeError, "a number of bytes, not 'str'"),
        (lambda item: 1.5, TypeError, "a number of bytes, not 'float'"),
        (lambda item: -1, ValueError, 'a number of bytes, not -1'),
        (lambda item: 1 << 80, ValueError, 'a number of bytes'),
        (lambda item: 1 // 0, ZeroDivisionError, 'zero'),
        (stops, RuntimeError, r'sizeof\(\) raised StopIteration'),
    ],
)
def test_a_sizeof_that_fails(
    sizeof: Callable[[Any], Any], error: type[Exception], text: str
) -> None:
    async def numbers() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    async def main() -> None:
        source = Source()
        with pytest.raises(error, match=text):
            await anext(to_async(source.items(), sizeof=sizeof))
        assert len(source.closed) == 1

    run(main())
    with pytest.raises(error, match=text):
        next(to_sync(numbers(), sizeof=sizeof))

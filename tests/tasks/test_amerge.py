"""``amerge``: the items of several async iterables as they come."""

from __future__ import annotations

import asyncio
import gc
import sys
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from generators import amap, amerge
from tests.tasks.test_amap import Failed, run, turns


class Source:
    """An async generator that gives what it is fed, and tells what it did."""

    def __init__(self, name: str = '') -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.log: list[Any] = []
        self.name = name

    async def items(self) -> AsyncGenerator[Any, None]:
        try:
            while (item := await self.queue.get()) is not ...:
                if isinstance(item, BaseException):
                    raise item
                self.log.append(item)
                yield item
        finally:
            await asyncio.sleep(0)
            self.log.append('closed')

    def feed(self, *items: Any) -> None:
        for item in items:
            self.queue.put_nowait(item)


def test_items_come_as_they_come_and_in_the_order_of_each() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        two.feed('a')
        assert await anext(stream) == 'a'
        one.feed(1)
        assert await anext(stream) == 1
        one.feed(2, 3, ...)
        two.feed('b', ...)
        rest = [x async for x in stream]
        assert sorted(map(str, rest)) == ['2', '3', 'b']
        assert rest.index(2) < rest.index(3)

    run(main)


def test_no_more_than_one_item_of_each_is_held() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        one.feed(1, 2, 3, ...)
        two.feed('a', ...)
        stream = amerge(one.items(), two.items())
        await anext(stream)
        await turns()
        assert len(one.log) <= 2
        assert sorted(map(str, [x async for x in stream] + [0])) != []
        assert one.log == [1, 2, 3, 'closed']

    run(main)


def test_nothing_is_pulled_before_the_first_step() -> None:
    async def main() -> None:
        one = Source()
        one.feed(1)
        stream = amerge(one.items())
        await turns()
        assert one.log == []
        await stream.aclose()

    run(main)


def test_no_source_is_the_end() -> None:
    async def main() -> None:
        assert [x async for x in amerge()] == []

    run(main)


def test_until_first_ends_with_the_first_and_closes_the_others() -> None:
    async def main() -> None:
        websocket, subscription = Source(), Source()
        stream = amerge(websocket.items(), subscription.items(), until='first')
        subscription.feed('news')
        assert await anext(stream) == 'news'
        websocket.feed('bye', ...)
        assert [x async for x in stream] == ['bye']
        assert subscription.log == ['news', 'closed']

    run(main)


def test_an_error_of_a_source_comes_after_what_came_before_it_and_closes_the_others() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        one.feed(1, Failed())
        assert await anext(stream) == 1
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading item 1']
        assert two.log == ['closed']
        assert [x async for x in stream] == []

    run(main)


def test_leaving_a_step_loses_nothing() -> None:
    async def ticks(step: float, count: int) -> AsyncGenerator[int, None]:
        for i in range(count):
            await asyncio.sleep(step)
            yield i

    async def main() -> None:
        stream = amerge(ticks(0.003, 10), ticks(0.005, 6))
        found, left = [], 0
        while len(found) < 16:
            try:
                found.append(await asyncio.wait_for(anext(stream), 0.001))
            except TimeoutError:
                left += 1
        assert sorted(found) == sorted([*range(10), *range(6)])
        assert left > 5
        assert [x async for x in stream] == []

    run(main)


@pytest.mark.parametrize('taken', range(3))
def test_aclose_closes_every_source(taken: int) -> None:
    async def main() -> None:
        sources = [Source() for _ in range(3)]
        stream = amerge(*(source.items() for source in sources))
        for i in range(taken):
            sources[i].feed(i)
            assert await anext(stream) == i
        await stream.aclose()
        await stream.aclose()
        for source in sources:
            assert source.log[-1:] == (['closed'] if taken else [])

    run(main)


@pytest.mark.parametrize('call', [anext, lambda stream: stream.aclose()])
def test_a_step_on_the_thread_of_another_loop_is_refused(call: Any) -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        one.feed(1)
        assert await anext(stream) == 1

        async def elsewhere() -> None:
            with pytest.raises(RuntimeError, match=r'^amerge\(\) belongs to another event loop'):
                await call(stream)

        await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
        if call is anext:
            two.feed(2)
            assert await anext(stream) == 2
        await stream.aclose()
        assert (one.log[-1], two.log[-1]) == ('closed', 'closed')

    run(main)


def test_the_collector_meets_sources_that_ended_with_an_item_not_taken() -> None:
    """One that stood in the list twice was a circle in it, and a collection did not end."""

    async def main() -> None:
        one, two, last = Source(), Source(), asyncio.Event()

        async def slow() -> AsyncGenerator[str, None]:
            try:
                yield 'slow'
                await asyncio.Event().wait()
            finally:
                await last.wait()

        stream = amerge(slow(), one.items(), two.items())
        one.feed(1, 2)
        two.feed(3, 4)
        assert await anext(stream) == 'slow'
        await turns()
        closing = asyncio.create_task(stream.aclose())
        await turns()
        assert one.log[-1] == two.log[-1] == 'closed'
        gc.collect()
        last.set()
        await closing

    run(main)


def test_an_error_of_closing_is_raised() -> None:
    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            raise Failed('closing')

    async def main() -> None:
        stream = amerge(source())
        assert await anext(stream) == 1
        with pytest.raises(Failed, match='closing'):
            await stream.aclose()

    run(main)


def test_a_source_is_read_by_one_task() -> None:
    tasks = set()

    async def source() -> AsyncGenerator[int, None]:
        try:
            for i in range(5):
                tasks.add(asyncio.current_task())
                yield i
        finally:
            tasks.add(asyncio.current_task())

    async def main() -> None:
        stream = amerge(source())
        for _ in range(3):
            await anext(stream)
        await stream.aclose()
        assert len(tasks) == 1

    run(main)


def test_what_is_dropped_is_closed_by_its_loop() -> None:
    async def main() -> None:
        one = Source()
        one.feed(1)
        stream = amerge(one.items())
        assert await anext(stream) == 1
        del stream
        await turns(30)
        assert one.log == [1, 'closed']

    run(main)


def test_a_native_stream_is_a_source() -> None:
    async def double(x: int) -> int:
        return 2 * x

    async def main() -> None:
        found = [x async for x in amerge(amap(double, range(5)), amap(double, range(5, 9)))]
        assert sorted(found) == [2 * x for x in range(9)]

    run(main)


def test_an_iterator_that_is_no_generator_stays_open() -> None:
    class Cursor:
        closed = False

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            return 1

        async def aclose(self) -> None:
            self.closed = True

    async def main() -> None:
        cursor = Cursor()
        stream = amerge(cursor)
        assert await anext(stream) == 1
        await stream.aclose()
        assert not cursor.closed

    run(main)


@pytest.mark.parametrize('value', [1, [1], iter([1]), None])
def test_what_is_no_async_iterable_is_named(value: Any) -> None:
    source = Source().items()
    with pytest.raises(TypeError, match='source 1 must be an async iterable, not '):
        amerge(source, value)


def test_until_is_checked() -> None:
    with pytest.raises(ValueError, match="until must be 'all' or 'first', not 'last'"):
        amerge(until='last')  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        amerge(until=1)  # type: ignore[arg-type]


def test_nothing_leaks() -> None:
    item = object()

    async def main() -> None:
        async def use() -> None:
            for last in (..., Failed()):
                one, two = Source(), Source()
                one.feed(item, item, last)
                two.feed(item)
                stream = amerge(one.items(), two.items(), until='first')
                try:
                    async for _ in stream:
                        pass
                except Failed:
                    pass
            stream = amerge(one.items(), two.items())
            one.feed(item)
            await anext(stream)
            del stream, one, two
            await turns(20)
            gc.collect()

        await use()
        before = sys.getrefcount(item), sys.getrefcount(amerge)
        for _ in range(10):
            await use()
        assert (sys.getrefcount(item), sys.getrefcount(amerge)) == before

    run(main)

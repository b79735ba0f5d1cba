"""``Dispatcher.subscribe``: the events of a type as an async stream."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest

from generators import Dispatcher, ErrorEvent, Event

Log = list[Any]


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main()

    return asyncio.run(bounded())


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_stream_gives_the_data_of_the_events_of_its_type() -> None:
    async def main() -> None:
        d = Dispatcher()
        assert d.emit('x', 0) is False
        stream = d.subscribe('x')
        assert d.emit('x', 1) is True
        assert d.emit('y', 2) is False
        assert await d.aemit('x', 3) is True
        await d.aclose()
        assert [data async for data in stream] == [1, 3]

    run(main)


def test_stream_of_all_events_gives_them_whole() -> None:
    async def main() -> None:
        with Dispatcher() as d:
            stream = d.subscribe(None)
            d.emit('x', 1)
            d.emit('y')
        assert [event async for event in stream] == [Event('x', 1), Event('y', None)]

    run(main)


def test_waiting_for_the_stream_in_a_handler_of_the_same_dispatcher_is_refused() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        stream = d.subscribe('x')
        d.emit('x', 1)

        async def handle(data: Any) -> None:
            log.append(await anext(stream))  # it is there
            async for item in d.subscribe('x'):
                log.append(item)

        d.on('y', handle)
        with pytest.raises(RuntimeError, match='would wait for ever'):
            await d.aemit('y')
        assert log == [1]
        d.emit('x', 2)
        assert await anext(stream) == 2  # it goes on

    run(main)


def test_a_task_of_a_handler_a_background_handler_and_other_handlers_read_the_stream() -> None:
    async def main() -> None:
        d, other, log = Dispatcher(), Dispatcher(), Log()
        tasks: list[Any] = []

        async def read(data: Any) -> None:
            log.append((data, await anext(d.subscribe('x'))))

        async def start(data: Any) -> None:
            tasks.append(asyncio.create_task(read('task')))
            await turns()

        d.on('start', start)
        d.on('background', read, background=True)
        other.on('other', read)
        await d.aemit('start')
        await d.aemit('background', 'background')
        tasks.append(asyncio.create_task(other.aemit('other', 'other')))
        await turns()
        d.emit('x', 1)
        await asyncio.gather(*tasks)
        await d.aclose()
        assert sorted(log) == [('background', 1), ('other', 1), ('task', 1)]

    run(main)


def test_several_streams_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        with Dispatcher() as d:
            one, other = d.subscribe('x'), d.subscribe('x')
            d.emit('x', 1)
            assert await anext(one) == 1
            d.emit('x', 2)
            assert await anext(one) == 2
        assert [data async for data in other] == [1, 2]

    run(main)


def test_stream_that_is_closed_or_dropped_is_forgotten() -> None:
    async def main() -> None:
        d = Dispatcher()
        stream, dropped = d.subscribe('x'), d.subscribe('x')
        await stream.aclose()
        del dropped
        gc.collect()
        await turns()
        d.emit('x')
        assert d.emit('x') is False

    run(main)


def test_async_dispatch_waits_for_room_in_the_stream() -> None:
    async def main() -> None:
        d = Dispatcher()
        stream = d.subscribe('x', buffersize=1)
        await d.aemit('x', 1)
        second = asyncio.create_task(d.aemit('x', 2))
        await turns()
        assert not second.done()
        assert await anext(stream) == 1
        assert await second is True
        third = asyncio.create_task(d.aemit('x', 3))
        await turns()
        await stream.aclose()
        assert await third is True

    run(main)


def test_wait_for_room_that_is_cancelled_gives_the_event_to_nobody() -> None:
    async def main() -> None:
        d = Dispatcher()
        stream = d.subscribe('x', buffersize=1)
        await d.aemit('x', 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await d.aemit('x', 2)
        assert await anext(stream) == 1
        await d.aemit('x', 3)
        assert await anext(stream) == 3
        await stream.aclose()

    run(main)


def test_sync_dispatch_cannot_wait_for_room() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        stream = d.subscribe('x', buffersize=1)
        d.emit('x', 1)
        with pytest.raises(asyncio.QueueFull):
            d.emit('x', 2)

        def report(failure: ErrorEvent) -> None:
            log.append((failure.event, type(failure.exception)))

        d.on('error', report)
        assert d.emit('x', 3) is True
        assert log == [(Event('x', 3), asyncio.QueueFull)]
        await stream.aclose()

    run(main)


@pytest.mark.parametrize(('on_full', 'left'), [('drop_oldest', [3, 4]), ('drop_newest', [0, 1])])
def test_events_that_are_dropped_are_counted(on_full: Any, left: Log) -> None:
    async def main() -> None:
        with Dispatcher() as d:
            stream = d.subscribe('x', buffersize=2, on_full=on_full)
            for n in range(5):
                d.emit('x', n)
            assert stream.dropped == 3
        assert [data async for data in stream] == left

    run(main)


def test_stream_that_is_too_slow_ends_with_buffer_error() -> None:
    async def main() -> None:
        d = Dispatcher()
        stream = d.subscribe('x', buffersize=1, on_full='close')
        d.emit('x', 1)
        d.emit('x', 2)
        assert await anext(stream) == 1
        with pytest.raises(BufferError):
            await anext(stream)

    run(main)


def test_stream_is_no_handler_that_is_listed() -> None:
    async def main() -> None:
        d = Dispatcher()
        stream = d.subscribe('x')
        assert (d.handlers(), d.types) == ((), ())
        await stream.aclose()

    run(main)


def test_stream_is_a_source_of_another_dispatcher() -> None:
    async def main() -> None:
        d, other, log = Dispatcher(), Dispatcher(), Log()
        other.on('x', log.append)
        stream = d.subscribe(None)
        running = asyncio.create_task(other.arun(stream))
        await d.aemit('x', 1)
        await d.aclose()
        await running
        assert log == [1]

    run(main)


@pytest.mark.parametrize(
    ('options', 'error'),
    [({'buffersize': '5'}, TypeError), ({'on_full': 'drop'}, ValueError), ({'n': 5}, TypeError)],
)
def test_options_that_are_wrong(options: Any, error: type[Exception]) -> None:
    d: Any = Dispatcher()
    with pytest.raises(error):
        d.subscribe('x', **options)
    with pytest.raises(TypeError, match='unhashable'):
        d.subscribe([])


def test_closed_dispatcher_has_no_streams() -> None:
    d = Dispatcher()
    d.close()
    with pytest.raises(RuntimeError, match='the dispatcher is closed'):
        d.subscribe('x')


def test_emitting_beside_a_consumer_in_one_task_group() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def consume(stream: AsyncGenerator[Any, Any]) -> None:
            async for data in stream:
                log.append(data)

        async with asyncio.TaskGroup() as group:
            group.create_task(consume(d.subscribe('x', buffersize=2)))
            for n in range(20):
                await d.aemit('x', n)
            await d.aclose()
        assert log == [*range(20)]

    run(main)

"""What a stream held is let go when the stream is closed, though somebody keeps the stream."""

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from generators import (
    Broadcast,
    abatched,
    achunked,
    aheartbeat,
    amap,
    amerge,
    batched,
    map_threads,
    to_async,
    to_sync,
)

SOON = 60  # seconds: what takes longer hangs


class Item:
    pass


class Failed(Exception):
    pass


def is_gone(reference: weakref.ref[Any]) -> bool:
    gc.collect()
    return reference() is None


async def turns(count: int = 20) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize('max_delay', [None, 0, 3600])
def test_a_source_whose_loop_was_closed_while_it_was_read(max_delay: float | None) -> None:
    class Source:
        async def read(self, size: int) -> bytes:
            await asyncio.sleep(3600)
            return b''

    source = Source()
    reference = weakref.ref(source)
    stream = achunked(source, max_delay=max_delay)
    loop = asyncio.new_event_loop()
    said: list[Any] = []
    loop.set_exception_handler(lambda loop, context: said.append(context['message']))
    step = loop.create_task(anext(stream))
    loop.run_until_complete(turns())
    loop.close()
    del source, step, loop, stream
    assert is_gone(reference)
    assert set(said) <= {'Task was destroyed but it is pending!'}


def test_an_exception_that_nobody_was_given() -> None:
    async def main() -> None:
        references = []

        async def items() -> AsyncIterator[int]:
            failure = Failed()
            references.append(weakref.ref(failure))
            yield 1
            raise failure

        async def forever() -> AsyncIterator[int]:
            yield 2
            await asyncio.sleep(3600)

        stream = amerge(items(), forever())
        assert await anext(stream) == 1
        await turns()
        with pytest.raises(Failed):
            await stream.aclose()
        assert stream.closed
        assert is_gone(references[0])

    asyncio.run(main())


class Items:
    """Async iterators over items, which know whether these live."""

    def __init__(self) -> None:
        self.references: list[weakref.ref[Item]] = []

    def make(self) -> Item:
        item = Item()
        self.references.append(weakref.ref(item))
        return item

    def sync(self) -> Iterator[Item]:
        for _ in range(6):
            yield self.make()

    async def __aiter__(self) -> AsyncIterator[Item]:
        for _ in range(6):
            yield self.make()
        await asyncio.sleep(3600)

    def all_gone(self) -> bool:
        return all(map(is_gone, self.references))


async def call(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def subscribed(items: Items) -> Any:
    sender: Broadcast[Item] = Broadcast()
    stream = sender.subscribe()
    for item in items.sync():
        sender.publish(item)
    return stream


ASYNC: dict[str, Any] = {
    'abatched': lambda items: abatched(items, 4, max_delay=0),
    'aheartbeat': lambda items: aheartbeat(items, 3600, None),
    'amap': lambda items: amap(call, items),
    'amap, as they come': lambda items: amap(call, items, ordered=False),
    'amap of pairs': lambda items: amap(call, items.sync(), pairs=True),
    'amerge': lambda items: amerge(items, items, items),
    'amerge with names': lambda items: amerge(a=items, b=items),
    'subscribe': subscribed,
    'to_async': lambda items: to_async(items.sync()),
    'to_async on the loop': lambda items: to_async(items.sync(), thread=False),
    'two of them': lambda items: abatched(amerge(amap(call, items), items), 4, max_delay=0),
}


@pytest.mark.parametrize('name', ASYNC)
def test_items_that_nobody_took(name: str) -> None:
    async def main() -> None:
        items = Items()
        stream = ASYNC[name](items)
        await anext(stream)
        await turns()
        await stream.aclose()
        assert stream.held == 0
        assert items.references
        assert items.all_gone()
        assert stream.closed

    asyncio.run(main())


SYNC: dict[str, Any] = {
    'batched': lambda items: batched(items.sync(), 4),
    'map_threads': lambda items: map_threads(lambda item: item, items.sync()),
    'to_sync': to_sync,
}


@pytest.mark.parametrize('name', SYNC)
def test_items_that_nobody_took_of_a_sync_stream(name: str) -> None:
    items = Items()
    stream = SYNC[name](items)
    next(stream)
    stream.close()
    assert stream.closed
    assert items.references
    assert items.all_gone()


def test_results_that_nobody_took_where_another_thread_closes() -> None:
    references = []

    async def call(number: int) -> Item:
        await asyncio.sleep(0)
        item = Item()
        references.append(weakref.ref(item))
        return item

    stream = amap(call, range(4), concurrency=4)

    async def begin() -> None:
        await anext(stream)
        await turns()

    asyncio.run(begin())
    assert len(references) >= 4
    failures: list[BaseException] = []

    def close() -> None:
        try:
            asyncio.run(stream.aclose())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=close)
    thread.start()
    thread.join(SOON)
    assert not thread.is_alive()
    assert failures == []
    assert stream.closed
    assert [is_gone(reference) for reference in references] == [True] * len(references)

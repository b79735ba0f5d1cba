"""Broadcast against queues by hand, in one process.

    python benchmarks/flow.py [--subscribers 1000] [--items 1000] [--rounds 5] [--only WORD] [--cpu]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from measure import Row, Suite, Work, compared, medians

from generators import Broadcast

BURST = 20

suite = Suite(__doc__, subscribers=1000, items=1000)
options = suite.options

END = object()


# ---- peers ----


class Buffered:
    """A deque, and a future while it is empty."""

    __slots__ = 'future', 'items'

    def __init__(self) -> None:
        self.items: deque[Any] = deque()
        self.future: asyncio.Future[None] | None = None

    def __aiter__(self) -> Buffered:
        return self

    async def __anext__(self) -> Any:
        while not self.items:
            self.future = asyncio.get_running_loop().create_future()
            await self.future
            self.future = None
        item = self.items.popleft()
        if item is END:
            raise StopAsyncIteration
        return item


class ByHand:
    def __init__(self) -> None:
        self.subscribers: list[Buffered] = []

    def publish(self, item: object) -> None:
        for subscriber in self.subscribers:
            subscriber.items.append(item)
            future = subscriber.future
            if future is not None and not future.done():
                future.set_result(None)

    def close(self) -> None:
        self.publish(END)

    def subscribe(self) -> Buffered:
        self.subscribers.append(Buffered())
        return self.subscribers[-1]


class Queues:
    """An asyncio.Queue for each subscriber."""

    def __init__(self) -> None:
        self.queues: list[asyncio.Queue[Any]] = []

    def publish(self, item: object) -> None:
        for queue in self.queues:
            queue.put_nowait(item)

    def close(self) -> None:
        self.publish(END)

    def subscribe(self) -> asyncio.Queue[Any]:
        self.queues.append(asyncio.Queue())
        return self.queues[-1]


# ---- what is measured ----


async def read(stream: Any) -> None:
    if isinstance(stream, asyncio.Queue):
        while await stream.get() is not END:
            pass
    else:
        async for _ in stream:
            pass


async def deliver(make: Callable[[], Any], burst: int, slow: bool) -> None:
    """Each item to each subscriber; the loop has its turn after each burst."""
    hub = make()
    late = hub.subscribe(on_full='drop_oldest') if slow else None
    tasks = [asyncio.create_task(read(hub.subscribe())) for _ in range(options.subscribers)]
    await asyncio.sleep(0)
    for n in range(options.items):
        hub.publish(n)
        if n % burst == burst - 1:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
    hub.close()
    await asyncio.gather(*tasks)
    del late


def delivers(make: Callable[[], Any], burst: int, slow: bool = False) -> Work:
    return lambda: asyncio.run(deliver(make, burst, slow))


def delivery(burst: int, name: str, by_hand: float, queue: float) -> Iterator[Row]:
    hand, queues, slow, ours = medians(
        [
            delivers(ByHand, burst),
            delivers(Queues, burst),
            delivers(Broadcast, burst, slow=True),
            delivers(Broadcast, burst),
        ],
        options.rounds,
    )
    yield compared(name, 'a deque and a future', hand, ours, by_hand)
    yield compared(name, 'asyncio.Queue', queues, ours, queue)
    yield compared(f'{name}, one is slow', 'a deque and a future', hand, slow, by_hand)
    yield compared(f'{name}, one is slow', 'asyncio.Queue', queues, slow, queue)


@suite.measurement
def bursts() -> Iterator[Row]:
    yield from delivery(BURST, f'bursts of {BURST}', 4, 8)


@suite.measurement
def one_by_one() -> Iterator[Row]:
    yield from delivery(1, 'one by one', 1.2, 1.5)


if __name__ == '__main__':
    sys.exit(suite.main())

"""Streams that flow side by side: many clients on few threads, many bridges, one slow call.

    python benchmarks/flow_tasks.py [--clients 500] [--rounds 5] [--only WORD ...] [--cpu] [--list]

Each work runs on an asyncio loop of its own.  A ratio is the peer's median over ours: more is
better.  `MISSED` marks a figure that does not reach its bar.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from measure import Row, Suite, compared, medians
from pump import pump

from native_generators import amap, to_async

suite = Suite(__doc__, clients=500)
options = suite.options

PLACES = 32
ITEMS = 40  # a slow client's
STREAMS = 1000
QUICK = 100  # items of a quick stream
CALLS = 5000


def run(main: Callable[[], Awaitable[object]]) -> Callable[[], None]:
    async def awaited() -> None:
        await main()

    return lambda: asyncio.run(awaited())


# ---- peers ----


async def in_executor(source: Iterable[Any], executor: Executor) -> AsyncIterator[Any]:
    """next() of an iterator, by hand."""
    loop = asyncio.get_running_loop()
    iterator, end = iter(source), object()
    while (item := await loop.run_in_executor(executor, next, iterator, end)) is not end:
        yield item


# ---- what is measured ----

Bridge = Callable[[Iterable[Any], Executor], AsyncIterable[Any]]


def left(source: Iterable[Any], executor: Executor) -> AsyncIterable[Any]:
    return to_async(source, executor=executor, hold=False)


async def slow_clients(bridge: Bridge) -> None:
    """Each takes an item, and is slow before it takes the next."""

    async def client() -> None:
        async for _ in bridge(iter(range(ITEMS)), pool):
            await asyncio.sleep(0.001)

    with ThreadPoolExecutor(PLACES) as pool:
        await asyncio.gather(*[client() for _ in range(options.clients)])


async def quick_streams(bridge: Callable[[Iterable[Any]], AsyncIterable[Any]]) -> None:
    async def client() -> None:
        async for _ in bridge(range(QUICK)):
            pass

    await asyncio.gather(*[client() for _ in range(STREAMS)])


async def one_slow_call(ordered: bool) -> None:
    async def call(number: int) -> int:
        await asyncio.sleep(0.02 if number % 100 == 0 else 0.001)
        return number

    async for _ in amap(call, range(CALLS), concurrency=50, ordered=ordered):
        pass


@suite.measurement
def slow() -> Iterator[Row]:
    theirs, ours = medians(
        [run(functools.partial(slow_clients, bridge)) for bridge in (in_executor, left)],
        options.rounds,
    )
    work = f'{options.clients} slow clients on {PLACES} places, hold=False'
    yield compared(work, 'run_in_executor(next) by hand', theirs, ours, 1.0)


@suite.measurement
def quick() -> Iterator[Row]:
    theirs, ours = medians(
        [
            run(functools.partial(quick_streams, bridge))
            for bridge in (functools.partial(pump, size=256), to_async)
        ],
        options.rounds,
    )
    yield compared(f'{STREAMS} quick to_async() at once', 'the pump by hand', theirs, ours, 1.0)


@suite.measurement
def ordered_calls() -> Iterator[Row]:
    unordered, ordered = medians(
        [run(functools.partial(one_slow_call, way)) for way in (False, True)], options.rounds
    )
    work = 'amap(concurrency=50), one slow call in 100'
    yield compared(work, 'ordered=False', unordered, ordered, 1 / 1.1)


if __name__ == '__main__':
    sys.exit(suite.main())

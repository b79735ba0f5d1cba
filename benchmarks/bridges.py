"""to_async against async generators, and its thread against other bridges.

    python benchmarks/bridges.py [--items 1000000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

Each work runs on an asyncio loop of its own.  A ratio is the peer's median over ours: more is
better.  `MISSED` marks a figure that does not reach its bar.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from statistics import median
from typing import Any

from measure import Row, Suite, compared, medians, package
from pump import pump

from generators import to_async

BATCH = 1024

suite = Suite(__doc__, items=1_000_000)
options = suite.options


async def take_all(source: AsyncIterable[object]) -> None:
    async for _ in source:
        pass


def run(make: Callable[[], AsyncIterable[object]]) -> Callable[[], None]:
    async def main() -> None:
        await take_all(make())

    return lambda: asyncio.run(main())


# ---- peers ----


batches_by_hand = partial(pump, size=BATCH)


async def generator(source: Iterable[object]) -> AsyncIterator[object]:
    for item in source:
        yield item


def queue_bridge(module: str) -> Callable[[Iterable[object]], AsyncIterator[object]]:
    """A queue of that package between a thread and the loop, item by item."""
    make = package(module).Queue

    async def bridge(source: Iterable[object]) -> AsyncIterator[object]:
        queue = make(BATCH)
        end = object()

        def work() -> None:
            for item in source:
                queue.sync_q.put(item)
            queue.sync_q.put(end)

        thread = threading.Thread(target=work)
        thread.start()
        while (item := await queue.async_q.get()) is not end:
            yield item
        thread.join()

    return bridge


# ---- what is measured ----


@suite.measurement
def ready_step() -> Iterator[Row]:
    n = options.items
    bar = 2.5 if sys.version_info[:2] in ((3, 12), (3, 13), (3, 15)) else 2.0
    theirs, ours = medians(
        [run(lambda: generator(range(n))), run(lambda: to_async(range(n), thread=False))],
        options.rounds,
    )
    yield compared('async for, each item ready', 'async generator', theirs, ours, bar)


@suite.measurement
def ready_step_peers() -> Iterator[Row]:
    n = max(options.items // 10, 1)
    peers = {
        'aiostream iterate': lambda: package('aiostream').stream.iterate(range(n)),
        'asyncstdlib iter': lambda: package('asyncstdlib').iter(range(n)),
    }
    for name, peer in peers.items():
        peer()
        theirs, ours = medians(
            [run(peer), run(lambda: to_async(range(n), thread=False))], options.rounds
        )
        yield compared('async for, each item ready', name, theirs, ours)


@suite.measurement
def thread_bridge() -> Iterator[Row]:
    n = options.items
    bar = 1.3 if sys.version_info[:2] == (3, 11) else 1.8
    theirs, ours = medians(
        [run(lambda: pump(range(n), BATCH)), run(lambda: to_async(range(n), buffersize=BATCH))],
        options.rounds,
    )
    yield compared('a thread, a quick source', 'Python, islice batches', theirs, ours, bar)


@suite.measurement
def thread_bridge_peers() -> Iterator[Row]:
    n = max(options.items // 100, 1)
    peers: list[tuple[str, Callable[[Iterable[object]], Any], float | None]] = [
        ('starlette', package('starlette.concurrency').iterate_in_threadpool, 300)
    ]
    for name in ('janus', 'culsans'):
        peers.append((name, queue_bridge(name), None))
    ours = medians([run(lambda: to_async(range(100 * n), buffersize=BATCH))], options.rounds)[0]
    for name, bridge, bar in peers:
        theirs = medians([run(lambda bridge=bridge: bridge(range(n)))], options.rounds)[0]  # type: ignore[misc]
        yield compared('a thread, for each million items', name, theirs * 100, ours, bar)


@suite.measurement
def latency() -> Iterator[Row]:
    """From the making of an item to its arrival, the source making one each millisecond."""

    def ticks() -> Iterator[float]:
        for _ in range(300):
            time.sleep(0.001)
            yield time.perf_counter()

    async def late(source: AsyncIterable[float]) -> float:
        return median([time.perf_counter() - made async for made in source])

    async def main(make: Callable[[], Any]) -> float:
        return await late(make())

    theirs = asyncio.run(main(lambda: pump(ticks(), 1)))
    ours = asyncio.run(main(lambda: to_async(ticks())))
    yield compared('latency at an item a millisecond', 'Python, an item a batch', theirs, ours)


@suite.measurement
def longest_pause() -> Iterator[Row]:
    async def main() -> float:
        longest = 0.0

        async def other() -> None:
            nonlocal longest
            last = time.perf_counter()
            while True:
                await asyncio.sleep(0)
                now = time.perf_counter()
                longest = max(longest, now - last)
                last = now

        task = asyncio.create_task(other())
        await asyncio.sleep(0)
        await take_all(to_async(range(options.items), thread=False))
        task.cancel()
        return longest

    pauses = [asyncio.run(main()) for _ in range(options.rounds)]
    yield Row('longest pause of the loop, all ready', ours=f'{median(pauses) * 1e3:.2f} ms')


@suite.measurement
def thousand_streams() -> Iterator[Row]:
    async def main(make: Callable[[Iterable[int]], Any]) -> None:
        await asyncio.gather(*(take_all(make(range(1000))) for _ in range(1000)))

    theirs, ours = medians(
        [lambda: asyncio.run(main(batches_by_hand)), lambda: asyncio.run(main(to_async))],
        min(options.rounds, 3),
    )
    yield compared('a thousand streams at once', 'Python, islice batches', theirs, ours)


if __name__ == '__main__':
    sys.exit(suite.main())

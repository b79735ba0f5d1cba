"""Tasks and concurrent calls against their peers, in one process.

    python benchmarks/tasks.py [--items 20000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import AsyncIterable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from measure import Row, Skipped, Suite, Work, at_most, compared, consume, medians, package

from generators import amap, drive, map_threads

suite = Suite(__doc__, items=20_000)
options = suite.options


def found(name: str) -> Any:
    try:
        return package(name)
    except Skipped:
        return None


def in_loop(make: Callable[[], Any]) -> Work:
    return lambda: asyncio.run(make())


async def drain(stream: AsyncIterable[Any]) -> None:
    async for _ in stream:
        pass


# ---- drive ----


def waits(future: Any, count: int) -> Iterator[Any]:
    for _ in itertools.repeat(None, count):
        yield future


async def ready_future() -> Any:
    future = asyncio.get_running_loop().create_future()
    future.set_result(1)
    return future


@suite.measurement
def ready_futures() -> Iterator[Row]:
    count = 10 * options.items

    async def ours() -> None:
        await drive(waits(await ready_future(), count))

    async def plainly() -> None:
        future = await ready_future()
        for _ in itertools.repeat(None, count):
            await future

    works = [in_loop(ours), in_loop(plainly)]
    tornado = found('tornado.gen')
    if tornado is not None:

        async def theirs() -> None:
            await tornado.coroutine(waits)(await ready_future(), count)

        works.append(in_loop(theirs))
    mine, plain, *other = medians(works, options.rounds)
    yield compared('drive, ready futures', 'async def', plain, mine, 0.5)
    if other:
        yield compared('drive, ready futures', 'tornado gen.Runner', other[0], mine, 4)


@suite.measurement
def plain_values() -> Iterator[Row]:
    count = 10 * options.items
    data = ['data']

    def send_loop() -> None:
        generator: Any = waits(data, count)
        value = None
        try:
            while True:
                value = generator.send(value)
        except StopIteration:
            pass

    def ours() -> None:
        with suppress(StopIteration):
            drive(waits(data, count)).send(None)

    theirs, mine = medians([send_loop, ours], options.rounds)
    yield compared('drive, plain values', 'a send loop', theirs, mine, 1.3)


# ---- amap ----


async def immediate(x: int) -> int:
    return x


async def by_hand(count: int) -> None:
    window: deque[Any] = deque()
    for i in range(count):
        window.append(asyncio.create_task(immediate(i)))
        if len(window) >= 10:
            await window.popleft()
    while window:
        await window.popleft()


@suite.measurement
def amap_immediate() -> Iterator[Row]:
    count = options.items
    names = ['a window by hand']
    bars = [1.1]
    works = [
        in_loop(lambda: drain(amap(immediate, range(count), concurrency=10))),
        in_loop(lambda: by_hand(count)),
    ]
    aiostream, streamable = found('aiostream'), found('streamable')
    if streamable is not None:
        names.append('streamable')
        bars.append(2)
        stream = streamable.stream if hasattr(streamable, 'stream') else streamable.Stream
        works.append(in_loop(lambda: drain(stream(range(count)).map(immediate, concurrency=10))))
    if aiostream is not None:
        names.append('aiostream')
        bars.append(20)

        async def theirs() -> None:
            source = aiostream.stream.iterate(range(count))
            async with aiostream.stream.map(source, immediate, task_limit=10).stream() as s:
                async for _ in s:
                    pass

        works.append(in_loop(theirs))
    mine, *others = medians(works, options.rounds)
    for name, bar, other in zip(names, bars, others, strict=True):
        yield compared('amap(concurrency=10), immediate', name, other, mine, bar)


# ---- map_threads ----


@suite.measurement
def threads_per_item() -> Iterator[Row]:
    items = range(options.items // 4)

    def theirs() -> None:
        with ThreadPoolExecutor(8) as executor:
            consume(executor.map(abs, items))

    works: list[Work] = [theirs, lambda: consume(map_threads(abs, items, concurrency=8))]
    yield compared('map_threads, per item', 'Executor.map', *medians(works, options.rounds))


# ---- real calls ----


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b'\r\n\r\n')
    await asyncio.sleep(0.01)
    writer.write(b'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n1')
    await writer.drain()
    writer.close()


@suite.measurement
def http_calls() -> Iterator[Row]:
    """The ideal is the calls' own time, measured alone, fifty times."""

    async def run() -> tuple[float, float]:
        server = await asyncio.start_server(serve, '127.0.0.1', 0)
        port = server.sockets[0].getsockname()[1]

        async def get(_: int) -> bytes:
            reader, writer = await asyncio.open_connection('127.0.0.1', port)
            writer.write(b'GET / HTTP/1.0\r\n\r\n')
            body = await reader.read()
            writer.close()
            return body

        start = time.perf_counter()
        for i in range(50):
            await asyncio.gather(*(get(i) for _ in range(20)))
        ideal = time.perf_counter() - start
        start = time.perf_counter()
        await drain(amap(get, range(1000), concurrency=20))
        ours = time.perf_counter() - start
        server.close()
        return ideal, ours

    ideal, ours = asyncio.run(run())
    yield compared('1000 HTTP calls, 20 at once', '50 times 20 by gather', ideal, ours, 1 / 1.1)


@suite.measurement
def memory() -> Iterator[Row]:
    async def held(count: int) -> int:
        stream = amap(immediate, itertools.count(), concurrency=10)
        for _ in range(count):
            await anext(stream)
        gc.collect()
        size = tracemalloc.get_traced_memory()[0]
        await stream.aclose()
        return size

    tracemalloc.start()
    few, many = asyncio.run(held(1000)), asyncio.run(held(50 * options.items))
    tracemalloc.stop()
    kilobytes = max(0, many - few) / 1024
    yield Row(
        f'amap over {50 * options.items} items',
        'memory',
        ours=f'{kilobytes:.1f} kB',
        bar=at_most(64, kilobytes, 'kB'),
    )


if __name__ == '__main__':
    sys.exit(suite.main())

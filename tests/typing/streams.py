"""What type checkers make of streams of any type; mypy reads this, nothing runs it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import assert_type

from generators import (
    AsyncStream,
    Broadcast,
    Handler,
    Stream,
    amap,
    batched,
    chunked,
    csv_rows,
    map_threads,
    to_async,
    to_sync,
)


def first(stream: Stream[int]) -> int:
    assert_type(stream.items, int)
    with stream.prime() as primed:
        assert_type(primed, Stream[int])
    return next(stream)


async def afirst(stream: AsyncStream[bytes]) -> bytes:
    stream.stop()
    assert_type(stream.held, int)
    async with await stream.aprime() as primed:
        assert_type(primed, AsyncStream[bytes])
    return await anext(stream)


def any_of_them(several: bool) -> Stream[list[str]]:
    return csv_rows('a.csv') if several else map_threads(str.split, ['a'])


def sync_streams(number: Broadcast[int], text: Broadcast[str]) -> None:
    first(map_threads(int, ['1']))
    first(to_sync(to_async([1])))
    first(number.subscribe_sync())
    first(text.subscribe_sync())  # type: ignore[arg-type]
    first(batched([1], 2))  # type: ignore[arg-type]
    first(iter([1]))  # type: ignore[arg-type]
    generator: Generator[bytes, None, None] = chunked(['a'])
    iterator: Iterator[bytes] = chunked(['a'])
    del generator, iterator


async def async_streams(data: Broadcast[bytes]) -> None:
    await afirst(to_async([b'a']))
    await afirst(data.subscribe())
    await afirst(amap(asyncio.sleep, [1]))  # type: ignore[arg-type]
    await afirst(chunked(['a']))  # type: ignore[arg-type]
    generator: AsyncGenerator[bytes, None] = to_async([b'a'])
    iterator: AsyncIterator[bytes] = to_async([b'a'])
    del generator, iterator


def count(handler: Handler) -> int:
    return handler.calls + handler.errors

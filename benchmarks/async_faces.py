"""What `async for` costs: each async face against its synchronous twin, over the same chunks.

    python benchmarks/async_faces.py [--mb 20] [--items 500000] [--rounds 5] [--only WORD ...]
        [--cpu] [--list]

The source of the twin is a generator, that of the async face an async generator whose items are
ready; for acsv_rows they are chunks of 64 KiB of three real files from ../shared/data/bench.  The
ratio is the twin's median over that of the async face: more is better.  `MISSED` marks a figure
that does not reach its bar.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from files import THREE, three
from measure import Row, Suite, at_most, loop, medians, milliseconds

from generators import (
    abatched,
    achunked,
    acsv_encode,
    acsv_rows,
    batched,
    chunked,
    csv_encode,
    csv_rows,
)

CHUNK = 65536

suite = Suite(__doc__, mb=20.0, items=500_000)
options = suite.options


def plain(items: Iterable[Any]) -> Iterator[Any]:
    yield from items


async def ready(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def aloop(items: AsyncIterable[Any]) -> None:
    async for _ in items:
        pass


def faces(
    name: str,
    twin: Callable[[Iterator[Any]], Iterable[Any]],
    face: Callable[[AsyncIterator[Any]], AsyncIterable[Any]],
    items: list[Any],
    bar: float | None = None,
) -> Row:
    async def run() -> None:
        await aloop(face(ready(items)))

    sync, ours = medians(
        [lambda: loop(twin(plain(items))), lambda: asyncio.run(run())], options.rounds
    )
    return Row(
        name,
        twin.__name__,
        milliseconds(sync),
        milliseconds(ours),
        f'{sync / ours:.2f}',
        '' if bar is None else at_most(bar, ours / sync, f'times {twin.__name__}'),
    )


@suite.measurement
def rows() -> Iterator[Row]:
    for name in THREE:
        data = three(suite, name).read_bytes()
        chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
        yield faces(f'acsv_rows, {name}', csv_rows, acsv_rows, chunks, 1.15)


@suite.measurement
def pieces() -> Iterator[Row]:
    items = [b'a piece of 20 bytes.'] * options.items
    yield faces('achunked, pieces of 20 bytes', chunked, achunked, items)


@suite.measurement
def batches() -> Iterator[Row]:
    def batched_1000(items: Iterator[Any]) -> Iterable[Any]:
        return batched(items, 1000)

    items = list(range(options.items))
    yield faces('abatched, n=1000', batched_1000, lambda source: abatched(source, 1000), items)


@suite.measurement
def encoding() -> Iterator[Row]:
    items = [('a row', 'of four', 'fields', n) for n in range(options.items // 10)]
    yield faces('acsv_encode', csv_encode, acsv_encode, items)


if __name__ == '__main__':
    sys.exit(suite.main())

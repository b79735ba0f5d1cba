"""What `async for` costs: each async face beside its synchronous twin, over the same chunks.

python benchmarks/async_faces.py [--mb 20] [--rounds 5] [--data FOLDER]

CPU time; medians. The source is an async generator of chunks that are ready, 64 KiB each.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any

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

DATA = Path(__file__).parents[2] / 'shared' / 'data' / 'bench'
CHUNK = 65536


async def ready(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


def count(stream: Iterable[Any]) -> int:
    n = 0
    for _ in stream:
        n += 1
    return n


def acount(make: Callable[[], Any]) -> int:
    async def run() -> int:
        n = 0
        async for _ in make():
            n += 1
        return n

    return asyncio.run(run())


def compare(name: str, sync: Callable[[], int], waiting: Callable[[], int], rounds: int) -> None:
    times: dict[Callable[[], int], list[float]] = {sync: [], waiting: []}
    counts = set()
    for _ in range(rounds):
        for run, spent in times.items():
            start = time.process_time()
            counts.add(run())
            spent.append(time.process_time() - start)
    assert len(counts) == 1
    (n,) = counts
    plain, other = (statistics.median(spent) for spent in times.values())
    print(
        f'{name:36} {plain / n * 1e9:9.0f} {other / n * 1e9:9.0f} ns an item  {other / plain:.2f}'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mb', type=int, default=20)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--data', type=Path, default=DATA)
    options = parser.parse_args()
    print(f'Python {sys.version.split()[0]}: synchronous, asynchronous, ratio')
    rows: list[list[str]] = []
    for path in sorted(options.data.glob('*.csv')):
        data = path.read_bytes()
        data *= max(1, options.mb * 1_000_000 // len(data))
        chunks = [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]
        rows = rows or list(csv_rows(path))
        compare(
            f'csv_rows, {path.stem}',
            lambda chunks=chunks: count(csv_rows(iter(chunks))),
            lambda chunks=chunks: acount(lambda: acsv_rows(ready(chunks))),
            options.rounds,
        )
    pieces = [b'a piece of 20 bytes.'] * 500_000
    compare(
        'chunked, pieces of 20 bytes',
        lambda: count(chunked(iter(pieces), max_delay=None)),
        lambda: acount(lambda: achunked(ready(pieces), max_delay=None)),
        options.rounds,
    )
    compare(
        'batched by 1000',
        lambda: count(batched(iter(pieces), 1000)),
        lambda: acount(lambda: abatched(ready(pieces), 1000)),
        options.rounds,
    )
    if rows:
        compare(
            'csv_encode',
            lambda: count(csv_encode(iter(rows), max_delay=None)),
            lambda: acount(lambda: acsv_encode(ready(rows), max_delay=None)),
            options.rounds,
        )


if __name__ == '__main__':
    main()

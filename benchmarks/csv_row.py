"""CSVRow against csv.reader, in one process and on the same data, and what kept rows cost.

    python benchmarks/csv_row.py [--mb 100] [--rounds 5] [--only WORD ...] [--cpu]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb.  A ratio is
the peer's median over ours: more is better.  `MISSED` marks a figure that does not reach its bar.
"""

from __future__ import annotations

import csv
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from files import THREE, three
from measure import (
    Row,
    Suite,
    Work,
    at_least,
    compared,
    consume,
    geometric_mean,
    loop,
    medians,
)

from generators import CSVRow, csv_rows

suite = Suite(__doc__, mb=100.0)
options = suite.options
Take = Callable[[Any, str], None]


def same_rows(path: Path) -> None:
    """Speed counts only where the rows are csv.reader's."""
    with open(path, encoding='utf-8', newline='') as f:
        expected = list(islice(csv.reader(f), 1, 25_000))
    if list(islice(csv_rows(path, into=CSVRow), 24_999)) != expected:
        raise RuntimeError(f'{path.name}: not the rows of csv.reader')


# ---- what is done with each row ----


def untouched(rows: Any, _: str) -> None:
    consume(rows)


def untouched_in_a_for_loop(rows: Any, _: str) -> None:
    loop(rows)


def one_by_index(rows: Any, _: str) -> None:
    for row in rows:
        row[1]


def one_by_name(rows: Any, name: str) -> None:
    for row in rows:
        row[name]


def all_as_a_list(rows: Any, _: str) -> None:
    for row in rows:
        list(row)


def each_of_all(rows: Any, _: str) -> None:
    for row in rows:
        for _field in row:
            pass


# Ours, what csv.reader's rows are asked for the same, and the bar.
TAKES: list[tuple[Take, Take, float | None]] = [
    (untouched, untouched, 13),
    (untouched_in_a_for_loop, untouched_in_a_for_loop, None),
    (one_by_index, one_by_index, 8),
    (one_by_name, one_by_index, None),
    (all_as_a_list, untouched_in_a_for_loop, None),
    (each_of_all, each_of_all, None),
]


def standard(path: Path, take: Take) -> Work:
    def work() -> None:
        with open(path, encoding='utf-8', newline='') as f:
            take(csv.reader(f), '')

    return work


def ours(path: Path, take: Take) -> Work:
    with csv_rows(path, into=CSVRow) as rows:
        name = rows.header[1]  # type: ignore[index]
    return lambda: take(csv_rows(path, into=CSVRow), name)


def speed(take: Take, theirs: Take, bar: float | None) -> Iterator[Row]:
    title = take.__name__.replace('_', ' ')
    ratios = []
    for name in THREE:
        path = three(suite, name)
        same_rows(path)
        their_time, my_time = medians([standard(path, theirs), ours(path, take)], options.rounds)
        ratios.append(their_time / my_time)
        yield compared(f'{title}, {name}', 'csv.reader', their_time, my_time)
    mean = geometric_mean(ratios)
    yield Row(f'{title}, geometric mean', ratio=f'{mean:.2f}', bar=at_least(bar, mean))


# ---- memory ----


def bytes_for_each(make: Callable[[], list[Any]]) -> float:
    tracemalloc.start()
    try:
        kept = make()
        return tracemalloc.get_traced_memory()[0] / len(kept)
    finally:
        tracemalloc.stop()


def memory() -> Iterator[Row]:
    count = 100_000
    for name in THREE:
        path = three(suite, name)

        def lists(path: Path = path) -> list[Any]:
            with open(path, encoding='utf-8', newline='') as f:
                return list(islice(csv.reader(f), count))

        def rows(path: Path = path) -> list[Any]:
            with csv_rows(path, into=CSVRow) as stream:
                return list(islice(stream, count))

        theirs, mine = bytes_for_each(lists), bytes_for_each(rows)
        yield Row(
            f'memory of a kept row, {name}',
            'csv.reader',
            f'{theirs:.0f} B',
            f'{mine:.0f} B',
            f'{theirs / mine:.2f}',
        )


for take, theirs, bar in TAKES:
    suite.measurements[take.__name__] = partial(speed, take, theirs, bar)
suite.measurements['memory'] = memory

if __name__ == '__main__':
    sys.exit(suite.main())

"""generators.csv against the standard csv, in one process and on the same data.

    python benchmarks/csv_module.py [--mb 20] [--rounds 7] [--only WORD ...] [--cpu] [--list]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb and opened
as text files.  A ratio is the standard module's median over ours: more is better.  `MISSED` marks
a figure that does not reach its bar.
"""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Callable, Iterable, Iterator
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

from generators import csv as native

suite = Suite(__doc__, rounds=7, mb=20.0)
options = suite.options


def lines_of(path: Path) -> Any:
    return open(path, encoding='utf-8', newline='')


def reading(
    make: Callable[[Any], Iterable[Any]], path: Path, take: Callable[[Any], None] = consume
) -> Work:
    def work() -> None:
        with lines_of(path) as f:
            take(make(f))

    return work


def same_rows(theirs: Any, ours: Any, path: Path) -> None:
    """Speed counts only where the rows are the standard module's."""
    with lines_of(path) as f, lines_of(path) as g:
        if list(islice(theirs(f), 25_000)) != list(islice(ours(g), 25_000)):
            raise RuntimeError(f'{path.name}: not the rows of the standard module')


def over_the_three(
    what: str, theirs: Any, ours: Any, mean_bar: float, bar: float | None
) -> Iterator[Row]:
    ratios = []
    for name in THREE:
        path = three(suite, name)
        same_rows(theirs, ours, path)
        works = [reading(theirs, path), reading(ours, path)]
        works += [reading(theirs, path, loop), reading(ours, path, loop)]
        peer, mine, peer_loop, my_loop = medians(works, options.rounds)
        ratios.append(peer / mine)
        yield compared(f'{what}, {name}', f'csv.{what}', peer, mine, bar)
        yield compared(f'  in a for loop, {name}', f'csv.{what}', peer_loop, my_loop)
    mean = geometric_mean(ratios)
    bar_text = at_least(mean_bar, mean)
    yield Row(f'{what}, geometric mean', f'csv.{what}', ratio=f'{mean:.2f}', bar=bar_text)


@suite.measurement
def reader() -> Iterator[Row]:
    yield from over_the_three('reader', csv.reader, native.reader, 2, 1.7)


@suite.measurement
def dict_reader() -> Iterator[Row]:
    yield from over_the_three('DictReader', csv.DictReader, native.DictReader, 4, None)


@suite.measurement
def single_lines() -> Iterator[Row]:
    """A reader a line, as programs do that have their lines from elsewhere."""
    lines = ['a,b,"c",1\n'] * 50_000

    def one_by_one(make: Any) -> Work:
        return lambda: consume(next(make([line])) for line in lines)

    works = [one_by_one(csv.reader), one_by_one(native.reader)]
    yield compared('a reader for one line', 'csv.reader', *medians(works, options.rounds))


@suite.measurement
def writer() -> Iterator[Row]:
    for name in THREE:
        with lines_of(three(suite, name)) as f:
            rows = list(islice(csv.reader(f), 100_000))

        def writing(make: Any, rows: list[list[str]] = rows) -> Work:
            def work() -> None:
                with open(os.devnull, 'w', newline='') as f:
                    make(f).writerows(rows)

            return work

        works = [writing(csv.writer), writing(native.writer)]
        yield compared(f'writerows, {name}', 'csv.writer', *medians(works, options.rounds), 2)


@suite.measurement
def dict_writer() -> Iterator[Row]:
    for name in THREE:
        with lines_of(three(suite, name)) as f:
            rows = list(islice(csv.DictReader(f), 50_000))

        def writing(make: Any, rows: list[dict[Any, Any]] = rows) -> Work:
            def work() -> None:
                with open(os.devnull, 'w', newline='') as f:
                    make(f, list(rows[0])).writerows(rows)

            return work

        works = [writing(csv.DictWriter), writing(native.DictWriter)]
        yield compared(f'dicts, {name}', 'csv.DictWriter', *medians(works, options.rounds))


if __name__ == '__main__':
    sys.exit(suite.main())

"""generators.csv against the standard csv, in one process and on the same data.

    python benchmarks/csv_module.py [--mb 20] [--rounds 7] [--only WORD ...] [--cpu] [--list]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb and opened
as text files.  A ratio is the standard module's median over ours: more is better.  `MISSED` marks
a figure that does not reach its bar.
"""

from __future__ import annotations

import argparse
import csv
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import measure
from measure import (
    Row,
    Work,
    at_least,
    compared,
    consume,
    geometric_mean,
    loop,
    medians,
    print_table,
)

from generators import _native
from generators import csv as native

SHARED = Path(__file__).resolve().parents[2] / 'shared' / 'data' / 'bench'
THREE = ('nfl', 'worldcitiespop', 'gtfs-mbta-stop-times')

options: argparse.Namespace
folder: Path


def three(name: str) -> Path:
    """The header once, then the rows, and again while there is room."""
    source, path = SHARED / f'{name}.csv', folder / f'{name}.csv'
    if not path.exists():
        header, rows = source.read_bytes().split(b'\n', 1)
        times = max(1, int(options.mb * 1e6) // len(rows))
        path.write_bytes(header + b'\n' + rows * times)
    return path


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


MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {}


def measurement(function: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    MEASUREMENTS[function.__name__.replace('_', '-')] = function
    return function


def over_the_three(
    what: str, theirs: Any, ours: Any, mean_bar: float, bar: float | None
) -> Iterator[Row]:
    ratios = []
    for name in THREE:
        path = three(name)
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


@measurement
def reader() -> Iterator[Row]:
    yield from over_the_three('reader', csv.reader, native.reader, 2, 1.7)


@measurement
def dict_reader() -> Iterator[Row]:
    yield from over_the_three('DictReader', csv.DictReader, native.DictReader, 4, None)


@measurement
def single_lines() -> Iterator[Row]:
    """A reader a line, as programs do that have their lines from elsewhere."""
    lines = ['a,b,"c",1\n'] * 50_000

    def one_by_one(make: Any) -> Work:
        return lambda: consume(next(make([line])) for line in lines)

    works = [one_by_one(csv.reader), one_by_one(native.reader)]
    yield compared('a reader for one line', 'csv.reader', *medians(works, options.rounds))


@measurement
def writer() -> Iterator[Row]:
    for name in THREE:
        with lines_of(three(name)) as f:
            rows = list(islice(csv.reader(f), 100_000))

        def writing(make: Any, rows: list[list[str]] = rows) -> Work:
            def work() -> None:
                with open(os.devnull, 'w', newline='') as f:
                    make(f).writerows(rows)

            return work

        works = [writing(csv.writer), writing(native.writer)]
        yield compared(f'writerows, {name}', 'csv.writer', *medians(works, options.rounds), 2)


@measurement
def dict_writer() -> Iterator[Row]:
    for name in THREE:
        with lines_of(three(name)) as f:
            rows = list(islice(csv.DictReader(f), 50_000))

        def writing(make: Any, rows: list[dict[Any, Any]] = rows) -> Work:
            def work() -> None:
                with open(os.devnull, 'w', newline='') as f:
                    make(f, list(rows[0])).writerows(rows)

            return work

        works = [writing(csv.DictWriter), writing(native.DictWriter)]
        yield compared(f'dicts, {name}', 'csv.DictWriter', *medians(works, options.rounds))


def chosen() -> list[str]:
    if not options.only:
        return list(MEASUREMENTS)
    return [name for name in MEASUREMENTS if any(word in name for word in options.only)]


def main() -> int:
    global options, folder
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--mb', type=float, default=20, help='size of each file')
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--only', nargs='+', metavar='WORD', help='measurements named with it')
    parser.add_argument('--cpu', action='store_true', help='CPU time, not time passed')
    parser.add_argument('--list', action='store_true', help='name the measurements')
    options = parser.parse_args()
    if options.list:
        print(*MEASUREMENTS, sep='\n')
        return 0
    if not SHARED.is_dir():
        print('no ../shared/data/bench beside the repository', file=sys.stderr)
        return 2
    if options.cpu:
        measure.clock = time.process_time
    print(f'Python {platform.python_version()}, {platform.machine()}, ', end='')
    print(f'{options.mb:g} MB, median of {options.rounds}, ', end='')
    print(f'{"CPU" if options.cpu else "wall"} time, kernel {_native.scan_kernel}')
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title in chosen():
            print(f'... {title}', file=sys.stderr)
            rows += MEASUREMENTS[title]()
    print_table(rows)
    return 1 if any('MISSED' in row.bar for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())

"""Rows of every shape, against the same made of csv's in Python, in one process, on the same data.

    python benchmarks/rows.py [--mb 20] [--rounds 5] [--only WORD ...] [--cpu]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import measure
from measure import Row, Work, compared, consume, medians, print_table

from generators import csv_rows

options: argparse.Namespace
folder: Path

TYPES = {'id': int, 'count': int, 'price': float, 'weight': float}


class Order(NamedTuple):
    id: int
    name: str
    count: int
    price: float
    weight: float
    city: str
    code: str
    day: str
    state: str
    note: str


OrderClass = dataclasses.make_dataclass('OrderClass', list(Order.__annotations__.items()))
SlotsClass = dataclasses.make_dataclass(
    'SlotsClass', list(Order.__annotations__.items()), slots=True, frozen=True
)


# ---- data ----


def ten_columns() -> Path:
    """Two columns of int, two of float and six of text, one of them quoted here and there."""
    path = folder / 'orders.csv'
    if path.exists():
        return path
    rand = random.Random(1)
    cities = ['Reykjavik', 'Oslo', 'Paris', 'Washington, D.C.', 'Lima']
    lines = []
    for i in range(20_000):
        city = rand.choice(cities)
        lines.append(
            f'{i},name {rand.randrange(10**6)},{rand.randrange(1000)},{rand.random() * 100:.2f},'
            f'{rand.random():.6f},{f"{chr(34)}{city}{chr(34)}" if "," in city else city},'
            f'{rand.randrange(10**9):x},2024-{rand.randrange(1, 13):02}-{rand.randrange(1, 29):02},'
            f'{rand.choice("AB")},{rand.choice(["", "ok", "late", "returned"])}\n'
        )
    body = ''.join(lines)
    with open(path, 'w') as f:
        f.write(','.join(Order._fields) + '\n')
        for _ in range(max(1, round(options.mb * 1e6 / len(body)))):
            f.write(body)
    return path


def standard(path: Path, rows: Callable[[Any], Iterable[object]]) -> Work:
    def work() -> None:
        with open(path, encoding='utf-8', newline='') as f:
            reader = csv.reader(f)
            next(reader)
            consume(rows(reader))

    return work


def dict_reader(path: Path) -> Work:
    def work() -> None:
        with open(path, encoding='utf-8', newline='') as f:
            consume(csv.DictReader(f))

    return work


def ours(path: Path, **arguments: Any) -> Work:
    return lambda: consume(csv_rows(path, **arguments))


def typed(reader: Any) -> Iterator[list[Any]]:
    for row in reader:
        row[0] = int(row[0])
        row[2] = int(row[2])
        row[3] = float(row[3])
        row[4] = float(row[4])
        yield row


def made(type_: Callable[..., object]) -> Callable[[Any], Iterator[object]]:
    def rows(reader: Any) -> Iterator[object]:
        for i, name, n, price, weight, *rest in reader:
            yield type_(int(i), name, int(n), float(price), float(weight), *rest)

    return rows


def same(path: Path, peer: Callable[[Any], Iterable[object]], **arguments: Any) -> None:
    """Speed counts only where the rows are the same."""
    with open(path, encoding='utf-8', newline='') as f:
        reader = csv.reader(f)
        next(reader)
        if list(peer(reader)) != list(csv_rows(path, header=True, **arguments)):
            raise RuntimeError(f'not the rows of csv.reader with {arguments}')


# ---- what is measured ----

MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {}


def measurement(function: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    MEASUREMENTS[function.__name__.replace('_', '-')] = function
    return function


@measurement
def dicts() -> Iterator[Row]:
    path = ten_columns()
    theirs, mine = medians([dict_reader(path), ours(path, into=dict)], options.rounds)
    yield compared('into=dict', 'csv.DictReader', theirs, mine, 5)


@measurement
def typed_columns() -> Iterator[Row]:
    path = ten_columns()
    same(path, typed, types=TYPES)
    works = [standard(path, typed), ours(path, types=TYPES)]
    theirs, mine = medians(works, options.rounds)
    yield compared('2 int, 2 float of 10 columns', 'csv.reader, int(), float()', theirs, mine, 4)


@measurement
def chosen_columns() -> Iterator[Row]:
    path = ten_columns()
    works = [ours(path, into=tuple, header=True), ours(path, into=tuple, columns=['id', 'price'])]
    theirs, mine = medians(works, options.rounds)
    yield compared('2 of 10 columns, tuples', 'all columns, tuples', theirs, mine, 1.8)


@measurement
def classes() -> Iterator[Row]:
    path = ten_columns()
    for name, type_ in (
        ('NamedTuple', Order),
        ('dataclass', OrderClass),
        ('dataclass, slots and frozen', SlotsClass),
    ):
        same(path, made(type_), into=type_)
        works = [standard(path, made(type_)), ours(path, into=type_)]
        theirs, mine = medians(works, options.rounds)
        yield compared(f'into={name}', 'the same from csv.reader', theirs, mine)


@measurement
def callables() -> Iterator[Row]:
    path = ten_columns()

    def call(reader: Any) -> Iterator[object]:
        return (first(*row) for row in reader)

    def first(*fields: str) -> str:
        return fields[0]

    theirs, mine = medians(
        [standard(path, call), ours(path, into=first, header=True)], options.rounds
    )
    yield compared('into=a function', 'the same from csv.reader', theirs, mine)


def main() -> int:
    global options, folder
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--mb', type=float, default=20, help='size of the file')
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', nargs='+', metavar='WORD', help='measurements named with it')
    parser.add_argument('--cpu', action='store_true', help='CPU time, not time passed')
    options = parser.parse_args()
    if options.cpu:
        measure.clock = time.process_time
    print(f'Python {platform.python_version()}, {platform.machine()}, ', end='')
    print(f'{options.mb:g} MB, median of {options.rounds}')
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for title, measured in MEASUREMENTS.items():
            if not options.only or any(word in title for word in options.only):
                print(f'... {title}', file=sys.stderr)
                rows += measured()
    print_table(rows)
    return 1 if any('MISSED' in row.bar for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())

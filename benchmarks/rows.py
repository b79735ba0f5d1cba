"""Rows of every shape, against the same made of csv's in Python, in one process, on the same data.

    python benchmarks/rows.py [--mb 20] [--rounds 5] [--only WORD ...] [--cpu]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import measure
from measure import Row, Suite, Work, compared, consume, medians

from generators import csv_rows

suite = Suite(__doc__, mb=20.0)
options = suite.options

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
    path = suite.folder / 'orders.csv'
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


@suite.measurement
def dicts() -> Iterator[Row]:
    path = ten_columns()
    theirs, mine = medians([dict_reader(path), ours(path, into=dict)], options.rounds)
    yield compared('into=dict', 'csv.DictReader', theirs, mine, 5)


@suite.measurement
def typed_columns() -> Iterator[Row]:
    path = ten_columns()
    same(path, typed, types=TYPES)
    works = [standard(path, typed), ours(path, types=TYPES)]
    theirs, mine = medians(works, options.rounds)
    yield compared('2 int, 2 float of 10 columns', 'csv.reader, int(), float()', theirs, mine, 4)


@suite.measurement
def chosen_columns() -> Iterator[Row]:
    path = ten_columns()
    works = [ours(path, into=tuple, header=True), ours(path, into=tuple, columns=['id', 'price'])]
    theirs, mine = medians(works, options.rounds)
    yield compared('2 of 10 columns, tuples', 'all columns, tuples', theirs, mine, 1.8)


@suite.measurement
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


@suite.measurement
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


# ---- the whole job, each in a process of its own ----

LOAD = """
import csv, gzip, io, os, resource, sqlite3, sys, time
path, way, clock = sys.argv[1:]
clock = getattr(time, clock)
NAMES = ['id', 'name', 'count', 'price', 'weight', 'city', 'day']
if way == 'pandas':
    import pandas
if way == 'polars':
    import polars
from generators import csv_rows

def by_csv():
    with gzip.open(path, 'rt', encoding='utf-8', newline='') as f:
        reader = csv.reader(f)
        next(reader)
        for row in reader:
            yield (int(row[0]), row[1], int(row[2]), float(row[3]), float(row[4]), row[5], row[7])

def by_pandas():
    for chunk in pandas.read_csv(path, usecols=NAMES, chunksize=20_000):
        yield from chunk[NAMES].itertuples(index=False, name=None)

def by_polars():
    return polars.read_csv(path, columns=NAMES).select(NAMES).iter_rows()

def by_csv_rows():
    types = {'id': int, 'count': int, 'price': float, 'weight': float}
    return csv_rows(gzip.open(path), into=tuple, columns=NAMES, types=types)

database = sqlite3.connect(':memory:')
database.execute('CREATE TABLE orders (id, name, count, price, weight, city, day)')
start = clock()
with database:
    rows = globals()['by_' + way]()
    database.executemany('INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?)', rows)
seconds = clock() - start
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
if os.path.exists('/proc/self/status'):  # there ru_maxrss counts the parent's memory, too
    with open('/proc/self/status') as f:
        peak = next(int(line.split()[1]) for line in f if line.startswith('VmHWM'))
print(seconds, peak)
print(*database.execute('SELECT count(*), sum(id), sum(count), round(sum(price), 2), max(name), '
                        'round(sum(weight), 2), max(city), max(day) FROM orders'))
"""


def packed() -> Path:
    path = suite.folder / 'orders.csv.gz'
    if not path.exists():
        path.write_bytes(gzip.compress(ten_columns().read_bytes(), 6))
    return path


@suite.measurement
def job() -> Iterator[Row]:
    """A gz file, typed columns of it, into sqlite; the peak is that of the process."""
    path = packed()
    ways = {
        'csv': 'csv, int(), float()',
        'pandas': 'pandas chunksize',
        'polars': 'polars iter_rows',
        'csv_rows': '',
    }
    times: dict[str, list[float]] = {way: [] for way in ways}
    peaks: dict[str, int] = {}
    loaded: dict[str, str] = {}
    for _ in range(options.rounds):
        for way in ways:
            printed = measure.in_new_process(LOAD, path, way, measure.clock.__name__)
            figures, loaded[way] = printed.splitlines()
            seconds, peak = figures.split()
            times[way].append(float(seconds))
            peaks[way] = int(peak) // 1024
    if len(set(loaded.values())) != 1:
        raise RuntimeError(f'not the same rows were loaded: {loaded}')
    mine = median(times.pop('csv_rows'))
    for way, theirs in times.items():
        row = compared('gz to sqlite, 4 of 7 columns typed', ways[way], median(theirs), mine, 1)
        row.theirs += f', peak {peaks[way]} MB'
        row.ours += f', peak {peaks["csv_rows"]} MB'
        yield row


if __name__ == '__main__':
    sys.exit(suite.main())

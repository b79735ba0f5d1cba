"""csv_encode of Arrow tables against pyarrow, polars and csv.writer, in one process.

    python benchmarks/columns_write.py [--rows 200000] [--rounds 5] [--only WORD ...] [--cpu]

The tables are made here.  A ratio is the peer's median over ours: more is better.  `MISSED` marks
a figure that does not reach its bar.  The threads of the peers are off.  csv.writer gets rows
that are lists already; that they must be made of a table first is not counted.
"""

from __future__ import annotations

import csv
import io
import os
import random
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

os.environ['POLARS_MAX_THREADS'] = '1'  # it is read at import

from measure import Row, Suite, Work, compared, consume, medians, package

from native_generators import csv_encode

suite = Suite(__doc__, rows=200_000)
options = suite.options


# ---- data ----


def arrow() -> Any:
    pa = package('pyarrow')
    pa.set_cpu_count(1)
    return pa


WORDS = ['alpha', 'beta', 'gamma delta', 'epsilon', 'Ünïcode', 'a longer piece of text', 'x']


def words(r: random.Random, *more: str) -> list[str]:
    choice = [*WORDS, *more]
    return [f'{r.choice(choice)}{r.randrange(1000)}' for _ in range(options.rows)]


@cache
def strings() -> Any:
    r = random.Random(1)
    return arrow().table({f's{i}': words(r) for i in range(6)})


@cache
def quoted() -> Any:
    r = random.Random(2)
    return arrow().table({f's{i}': words(r, 'has, comma', 'has "q"') for i in range(6)})


@cache
def floats() -> Any:
    r = random.Random(3)
    return arrow().table(
        {
            f'f{i}': [r.random() * 10 ** r.randrange(-3, 6) for _ in range(options.rows)]
            for i in range(6)
        }
    )


@cache
def prices() -> Any:
    r = random.Random(4)
    return arrow().table(
        {f'f{i}': [round(r.uniform(0, 1000), 2) for _ in range(options.rows)] for i in range(6)}
    )


@cache
def mixed() -> Any:
    pa, r, count = arrow(), random.Random(5), options.rows
    days = [r.randrange(20_000) for _ in range(count)]
    moments = [r.randrange(1_700_000_000_000_000) for _ in range(count)]
    return pa.table(
        {
            'id': range(count),
            'name': words(r),
            'price': prices()['f0'],
            'x': floats()['f0'],
            'day': pa.array(days, pa.int32()).cast(pa.date32()),
            'at': pa.array(moments, pa.int64()).cast(pa.timestamp('us')),
            'kind': pa.array([r.choice('abc') for _ in range(count)]).dictionary_encode(),
            'n': pa.array([r.choice([None, r.randrange(10**6)]) for _ in range(count)]),
        }
    )


# ---- the peers ----


def by_pyarrow(table: Any) -> None:
    package('pyarrow.csv').write_csv(table, io.BytesIO())


def by_polars(frame: Any) -> None:
    frame.write_csv(io.BytesIO())


def by_writer(rows: list[Any]) -> None:
    csv.writer(io.StringIO(newline='')).writerows(rows)


def rows_of(table: Any) -> list[Any]:
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


# ---- what is measured ----


def against_all(name: str, table: Any, bar: float | None = 10) -> Iterator[Row]:
    rows, polars = rows_of(table), package('polars')
    text = io.StringIO(newline='')
    csv.writer(text).writerows(rows)
    if b''.join(csv_encode(table, header=False)) != text.getvalue().encode():
        raise RuntimeError(f'{name}: not the bytes of csv.writer')
    frame = polars.from_arrow(table)
    works: list[Work] = [
        lambda: consume(csv_encode(table)),
        lambda: consume(csv_encode(frame)),
        lambda: by_pyarrow(table),
        lambda: by_polars(frame),
        lambda: by_writer(rows),
    ]
    ours, of_frame, pyarrow, theirs, writer = medians(works, options.rounds)
    yield compared(f'{name}: a table', 'pyarrow write_csv', pyarrow, ours, 1)
    yield compared(f'{name}: a table', 'polars write_csv', theirs, ours, 1)
    yield compared(f'{name}: a polars frame', 'polars write_csv', theirs, of_frame, None)
    yield compared(f'{name}: a table', 'csv.writer', writer, ours, bar)


@suite.measurement
def text() -> Iterator[Row]:
    yield from against_all('strings', strings())
    yield from against_all('strings, some quoted', quoted(), None)


@suite.measurement
def numbers() -> Iterator[Row]:
    yield from against_all('floats of 17 digits', floats())
    yield from against_all('floats of 2 places', prices())


@suite.measurement
def all_kinds() -> Iterator[Row]:
    yield from against_all('mixed', mixed())


if __name__ == '__main__':
    sys.exit(suite.main())

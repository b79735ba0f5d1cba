"""csv_encode and the drop-in writer against csv.writer, in one process and on the same rows.

    python benchmarks/csv_encode.py [--rows 200000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

The rows are made here.  A ratio is the peer's median over ours: more is better.  `MISSED` marks
a figure that does not reach its bar.
"""

from __future__ import annotations

import csv
import io
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any

from measure import Row, Suite, Work, compared, consume, geometric_mean, medians

from native_generators import _native, csv_encode

SIZE = 65536

suite = Suite(__doc__, rows=200_000)
options = suite.options


# ---- data ----


@cache
def strings() -> list[list[Any]]:
    r = random.Random(1)
    words = [''.join(r.choices('abcdefghij klmnop', k=r.randrange(3, 18))) for _ in range(5000)]
    return [r.choices(words, k=10) for _ in range(options.rows)]


@cache
def mixed() -> list[list[Any]]:
    r = random.Random(2)
    names = [row[0] for row in strings()[:5000]]
    return [
        [
            n,
            r.choice(names),
            r.randrange(10**6),
            round(r.uniform(0, 1000), 2),
            r.random(),
            r.choice(names),
            None,
            r.random() < 0.5,
            '2024-05-17',
            r.choice(names),
        ]
        for n in range(options.rows)
    ]


@cache
def quoted() -> list[list[Any]]:
    return [[f'{cell}, "{cell[:3]}"' for cell in row] for row in strings()[: options.rows // 2]]


@cache
def long_text() -> list[list[Any]]:
    text = ' '.join(row[0] for row in strings()[:100])
    return [[n, text, text] for n in range(options.rows // 20)]


@cache
def cyrillic() -> list[list[Any]]:
    table = str.maketrans('abcdefghijklmnop', 'абвгдежзийклмноп')
    return [[cell.translate(table) for cell in row] for row in strings()[: options.rows // 2]]


@cache
def records() -> list[dict[str, Any]]:
    names = [f'column{i}' for i in range(10)]
    return [dict(zip(names, row, strict=True)) for row in mixed()]


# ---- the peer: csv.writer into a StringIO that is used again, cut by hand ----


def by_hand(rows: Iterable[Any], **parameters: Any) -> Iterator[bytes]:
    text = io.StringIO(newline='')
    writer = csv.writer(text, **parameters)
    for row in rows:
        writer.writerow(row)
        if text.tell() >= SIZE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


def dicts_by_hand(rows: list[dict[str, Any]]) -> Iterator[bytes]:
    text = io.StringIO(newline='')
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for row in rows:
        writer.writerow(row)
        if text.tell() >= SIZE:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


# ---- what is measured ----


def against_csv_writer(work: str, rows: list[Any], bar: float | None, **parameters: Any) -> Row:
    """Speed counts only where the bytes are csv.writer's."""
    if b''.join(csv_encode(rows, **parameters)) != b''.join(by_hand(rows, **parameters)):
        raise RuntimeError(f'{work}: not the bytes of csv.writer')
    works: list[Work] = [
        lambda: consume(by_hand(rows, **parameters)),
        lambda: consume(csv_encode(rows, **parameters)),
    ]
    return compared(work, 'csv.writer', *medians(works, options.rounds), bar)


@suite.measurement
def encode() -> Iterator[Row]:
    yield against_csv_writer('csv_encode, strings', strings(), 3)
    yield against_csv_writer('csv_encode, mixed', mixed(), 3)
    yield against_csv_writer('csv_encode, every field needs quoting', quoted(), 3)


@suite.measurement
def other_data() -> Iterator[Row]:
    yield against_csv_writer('csv_encode, long text', long_text(), None)
    yield against_csv_writer('csv_encode, Cyrillic', cyrillic(), None)
    yield against_csv_writer('csv_encode, QUOTE_ALL', strings(), None, quoting=csv.QUOTE_ALL)
    yield against_csv_writer('csv_encode, tuples', list(map(tuple, mixed())), None)


@suite.measurement
def dicts() -> Iterator[Row]:
    rows = records()
    works: list[Work] = [
        lambda: consume(dicts_by_hand(rows)),
        lambda: consume(csv_encode(rows, header=True)),
    ]
    assert b''.join(csv_encode(rows, header=True)) == b''.join(dicts_by_hand(rows))
    yield compared('csv_encode, dicts', 'csv.DictWriter', *medians(works, options.rounds))


@suite.measurement
def from_a_generator() -> Iterator[Row]:
    rows = mixed()
    works: list[Work] = [
        lambda: consume(by_hand(row for row in rows)),
        lambda: consume(csv_encode(row for row in rows)),
    ]
    yield compared('csv_encode, a generator', 'csv.writer', *medians(works, options.rounds))


@suite.measurement
def writerows() -> Iterator[Row]:
    ratios = []
    for name, rows in (('strings', strings()), ('mixed', mixed()), ('quoted', quoted())):

        def to_file(make: Callable[[Any], Any], rows: list[Any] = rows) -> None:
            with open(os.devnull, 'w', encoding='utf-8', newline='') as f:
                make(f).writerows(rows)

        works: list[Work] = [lambda: to_file(csv.writer), lambda: to_file(_native.csv_writer)]
        theirs, mine = medians(works, options.rounds)
        ratios.append(theirs / mine)
        yield compared(f'writer.writerows to a file, {name}', 'csv.writer', theirs, mine, 2)
    yield Row('writer.writerows, geometric mean', ratio=f'{geometric_mean(ratios):.2f}')


if __name__ == '__main__':
    sys.exit(suite.main())

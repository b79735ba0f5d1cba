"""Values as people write them, against the same by Python callables, polars and pandas.

    python benchmarks/convert.py [--mb 20] [--rounds 5] [--only WORD ...] [--cpu]

A file of three columns is made: a number with a decimal comma, a date as 24.12.2026, and a word.
A ratio is the peer's median over ours: more is better.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from measure import Row, Suite, Work, compared, consume, medians, package

from generators import convert, csv_batches, csv_rows

os.environ['POLARS_MAX_THREADS'] = '1'  # it is read at import

suite = Suite(__doc__, mb=20.0)
options = suite.options

NUMBER = convert.number(decimal=',')
DATE = convert.date_format('%d.%m.%Y')


def made() -> Path:
    """The file: the same on every run."""
    path = suite.folder / 'values.csv'
    if not path.exists():
        chance = random.Random(0)
        first = date(1990, 1, 1)
        lines = []
        for _ in range(10_000):
            number = f'{chance.uniform(-99999, 99999):.2f}'.replace('.', ',')
            day = first + timedelta(days=chance.randrange(15_000))
            lines.append(f'{number};{day:%d.%m.%Y};{chance.choice(["ja", "nein"])}\n')
        block = ''.join(lines)
        times = max(1, int(options.mb * 1e6 / len(block)))
        path.write_text('betrag;datum;bezahlt\n' + block * times)
    return path


def rows(column: str, kind: Any) -> Work:
    path = made()
    return lambda: consume(csv_rows(path, delimiter=';', columns=[column], types={column: kind}))


def batches(types: dict[Any, Any]) -> Work:
    path = made()
    return lambda: consume(
        csv_batches(path, delimiter=';', columns=[*types], types=types, threads=1)
    )


def by_callable(column: str, kind: Any, function: Any, peer: str) -> Iterator[Row]:
    with csv_rows(made(), delimiter=';', columns=[column], types={column: function}) as theirs:
        expected = [next(theirs) for _ in range(1000)]
    with csv_rows(made(), delimiter=';', columns=[column], types={column: kind}) as ours:
        if [next(ours) for _ in range(1000)] != expected:
            raise RuntimeError(f'{column}: not the values of {peer}')
    times = medians([rows(column, function), rows(column, kind)], options.rounds)
    yield compared(f'rows, {kind!r}', peer, *times)


@suite.measurement
def numbers_of_rows() -> Iterator[Row]:
    yield from by_callable(
        'betrag', NUMBER, lambda text: float(text.replace(',', '.')), 'float(replace())'
    )


@suite.measurement
def dates_of_rows() -> Iterator[Row]:
    def by_strptime(text: str) -> date:
        return datetime.strptime(text, '%d.%m.%Y').date()

    yield from by_callable('datum', DATE, by_strptime, 'strptime()')


@suite.measurement
def words_of_rows() -> Iterator[Row]:
    table = {'ja': True, 'nein': False}
    kind = convert.boolean(true=['ja'], false=['nein'])
    yield from by_callable('bezahlt', kind, lambda text: table[text.lower()], 'dict')


@suite.measurement
def numbers_of_plain_spelling() -> Iterator[Row]:
    """What a rule costs beside float, which C reads as well."""
    path = suite.folder / 'plain.csv'
    path.write_text(made().read_text().replace(',', '.'))

    def read(kind: Any) -> Work:
        return lambda: consume(
            csv_rows(path, delimiter=';', columns=['betrag'], types={'betrag': kind})
        )

    times = medians([read(float), read(convert.number())], options.rounds)
    yield compared('rows, number()', 'types=float', *times)


@suite.measurement
def columns_of_pandas() -> Iterator[Row]:
    pandas = package('pandas')
    path = made()

    def theirs() -> None:
        pandas.read_csv(path, sep=';', usecols=['betrag'], decimal=',')

    def dates() -> None:
        pandas.read_csv(path, sep=';', usecols=['datum'], parse_dates=[0], date_format='%d.%m.%Y')

    yield compared(
        'columns, number', 'pandas', *medians([theirs, batches({'betrag': NUMBER})], options.rounds)
    )
    yield compared(
        'columns, date', 'pandas', *medians([dates, batches({'datum': DATE})], options.rounds)
    )


@suite.measurement
def columns_of_polars() -> Iterator[Row]:
    polars = package('polars')
    path = made()

    def theirs() -> None:
        polars.read_csv(path, separator=';', columns=['betrag'], decimal_comma=True)

    def dates() -> None:
        frame = polars.read_csv(path, separator=';', columns=['datum'])
        frame.with_columns(polars.col('datum').str.to_date('%d.%m.%Y'))

    yield compared(
        'columns, number', 'polars', *medians([theirs, batches({'betrag': NUMBER})], options.rounds)
    )
    yield compared(
        'columns, date', 'polars', *medians([dates, batches({'datum': DATE})], options.rounds)
    )


if __name__ == '__main__':
    sys.exit(suite.main())

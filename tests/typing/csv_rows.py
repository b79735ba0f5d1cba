"""What type checkers see; read by mypy, never run."""

import csv
import io
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Generic, NamedTuple, TypedDict, TypeVar, assert_type

from generators import CSVError, CSVRow, convert, csv_batches, csv_rows

T = TypeVar('T')


class City(NamedTuple):
    name: str
    population: int


def lists() -> None:
    for row in csv_rows('cities.csv'):
        assert_type(row, list[str])
    assert_type(next(csv_rows('cities.csv', into=list)), list[str])


def tuples() -> None:
    for row in csv_rows('cities.csv', into=tuple):
        assert_type(row, tuple[str, ...])


def lazy_rows() -> None:
    row = next(csv_rows('cities.csv', into=CSVRow))
    assert_type(row, CSVRow[str])
    assert_type(row[0], str)
    assert_type(row['name'], str)
    assert_type(row[1:], tuple[str, ...])
    assert_type(dict(row), dict[str, str])
    assert_type(CSVRow(['1', None], names=['a', 'b']), CSVRow[str | None])
    assert_type(CSVRow({'a': 1}), CSVRow[int])
    typed = next(csv_rows('cities.csv', into=CSVRow, columns=['id'], types={'id': int}))
    assert_type(typed, CSVRow[Any])
    csv_rows('cities.csv', into=CSVRow, column=['id'])  # type: ignore[call-overload]


def shapes() -> None:
    assert_type(next(csv_rows('cities.csv', into=dict)), dict[str, str])
    assert_type(next(csv_rows('cities.csv', into=dict, types={'id': int})), dict[str, Any])
    assert_type(next(csv_rows('cities.csv', types={0: float | None})), list[Any])
    assert_type(next(csv_rows('cities.csv', into=City, null=['NA'])), City)
    assert_type(next(csv_rows('cities.csv', into=len, columns=['name', 1])), int)
    csv_rows('cities.csv', ragged='never')  # type: ignore[call-overload]


class Keys(TypedDict):
    id: int


@dataclass
class Pair(Generic[T]):
    a: T
    b: Annotated[float, convert.number(decimal=',')]


def other_classes() -> None:
    assert_type(next(csv_rows('cities.csv', into=list[str])), list[str])
    assert_type(next(csv_rows('cities.csv', into=dict[str, str])), dict[str, str])
    assert_type(next(csv_rows('cities.csv', into=Pair[int])), Pair[int])
    assert_type(next(csv_rows('cities.csv', into=Keys)), Keys)


def mapping(row: CSVRow[int]) -> None:
    assert_type(row.get('a'), int | None)
    assert_type(row.get('a', 'b'), int | str)
    assert_type(row.items(), tuple[tuple[str, int], ...])


def converters() -> None:
    types = {'a': convert.number(decimal=',', thousands='.'), None: convert.strip}
    csv_rows('cities.csv', types=types)
    csv_batches('cities.csv', types={1: convert.time, 'b': convert.decimal(9, 2), None: int})
    assert_type(convert.number()('1'), float)
    assert_type(convert.integer(thousands=' ')('1'), int)
    assert_type(convert.decimal(9, 2, decimal=',')('1'), Decimal)
    assert_type(convert.boolean(true=['ja'], false={'nein'})('ja'), bool)
    assert_type(convert.date_format('%Y')('2026'), date | datetime | time)
    assert_type(convert.time('10:00'), time)
    assert_type(convert.strip(' '), str)
    convert.number(',')  # type: ignore[call-arg]
    convert.boolean(true=['ja'])  # type: ignore[call-arg]


def going_on() -> None:
    rows = csv_rows('cities.csv', on_error=lambda error, raw: print(error.line, raw))
    csv_rows('cities.csv', start=rows.checkpoint(), on_error='skip')
    csv_rows('cities.csv', on_error='ignore')  # type: ignore[call-overload]


def sources(chunks: Iterator[bytes], lines: list[str]) -> None:
    csv_rows(Path('cities.csv'))
    csv_rows(b'a,b\n')
    csv_rows(memoryview(b'a,b\n'))
    csv_rows(io.BytesIO())
    csv_rows(io.StringIO())
    csv_rows(open('cities.csv', newline=''))
    csv_rows(chunks)
    csv_rows(lines, items='lines')
    csv_rows(1)  # type: ignore[call-overload]
    csv_rows('cities.csv', items='rows')  # type: ignore[call-overload]
    csv_rows('cities.csv', ',')  # type: ignore[call-overload]


def parameters() -> None:
    csv_rows('cities.csv', header=True, names=['name', 'population'])
    csv_rows('cities.csv', header=True, names=lambda header: [name.strip() for name in header])
    csv_rows('cities.csv', dialect=csv.excel_tab, max_field=None, max_record=None)
    csv_rows('cities.csv', delimiter=b',')  # type: ignore[call-overload]


def generator() -> Iterator[list[str]]:
    with csv_rows('cities.csv') as rows:
        assert_type(rows, csv_rows[list[str]])
        assert_type(rows.header, tuple[str, ...] | None)
        assert_type(rows.total_bytes, int | None)
        assert_type(rows.line_num + rows.row_num + rows.bytes_read + rows.errors, int)
        assert_type(rows.prime(), csv_rows[list[str]])
        generator: Generator[list[str], object, None] = rows
        yield from generator


def errors(e: CSVError) -> None:
    standard: csv.Error = e
    value: ValueError = e
    print(standard, value)
    assert_type(e.line, int | None)
    assert_type(e.path, str | None)

"""What type checkers make of generators.csv; mypy reads this, nothing runs it."""

import csv as standard
import io
from collections.abc import Sequence
from typing import Any, TextIO, assert_type

from generators import csv


def rows(f: TextIO) -> None:
    for row in csv.reader(f, delimiter=';'):
        assert_type(row, list[str])
    reader = csv.reader(f, 'excel-tab', quoting=csv.QUOTE_NOTNULL)
    assert_type(reader.line_num, int)
    csv.reader(f, delimeter=';')  # type: ignore[call-arg]


def dicts(f: TextIO) -> None:
    r = csv.DictReader(f)
    assert_type(next(r), dict[str | Any, str | Any])
    named: csv.DictReader[str] = csv.DictReader(f, ['a'], restkey='more', strict=True)
    for row in named:
        print(row['a'].upper())
    assert_type(r.fieldnames, Sequence[str] | None)
    numbered = csv.DictReader(f, [1, 2])
    assert_type(next(numbered), dict[int | Any, str | Any])
    csv.DictReader(f, fieldname=['a'])  # type: ignore[call-overload]


def written() -> None:
    w = csv.writer(io.StringIO(), lineterminator='\n')
    w.writerow(['a', 1, None])
    w.writerows([['a'], (2,)])
    named = csv.DictWriter(io.StringIO(), ['a', 'b'], extrasaction='ignore')
    named.writeheader()
    named.writerow({'a': 1})
    named.writerow({1: 1})  # type: ignore[dict-item]
    csv.writer(io.StringIO(), lineend='\n')  # type: ignore[call-arg]


def shared() -> None:
    csv.register_dialect('semicolons', delimiter=';')
    with io.StringIO() as f:
        f.seek(0)
    try:
        csv.field_size_limit(1)
    except standard.Error as error:
        raise csv.Error(str(error)) from error


def read(f: TextIO) -> 'csv.DictReader[str]':
    return csv.DictReader(f, dialect=csv.excel_tab)

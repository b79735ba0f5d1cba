"""Rows of CSV files: which columns are read, as what, which rows are kept, and what is written."""

from __future__ import annotations

import argparse
import decimal
import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from native_generators import csv_rows
from native_generators._cli.arguments import TEXT, reading
from native_generators._cli.conditions import Condition, Test, either, test_of
from native_generators._cli.kinds import function_of, type_of
from native_generators._cli.trouble import Trouble


class Names:
    """The columns of a file by what the arguments call them."""

    def __init__(self, header: Sequence[str] | None, width: int) -> None:
        self.header = header
        self.width = width

    def one(self, text: str, option: str) -> int:
        found = self.find(text, option)
        if len(found) != 1:
            raise Trouble(f'{option} {text}: it is {len(found)} columns, and must be one')
        return found[0]

    def find(self, text: str, option: str) -> list[int]:
        """A name, if there is one, or else a number or a range of numbers."""
        if self.header is not None and text in self.header:
            return [self.header.index(text)]
        match = re.fullmatch(r'(\d+)?(-)?(\d+)?', text, re.ASCII)
        if match is None or text in ('', '-'):
            raise Trouble(f'{option} {text}: {self.missing(text)}')
        first, dash, last = match.groups()
        begin = int(first or 1)
        end = int(last) if last else self.width if dash else begin
        if not 1 <= begin <= self.width or end > self.width:
            raise Trouble(f'{option} {text}: there are {self.width} columns, numbered from 1')
        if end < begin:
            raise Trouble(f'{option} {text}: the range ends before it begins')
        return list(range(begin - 1, end))

    def missing(self, text: str) -> str:
        if self.header is None:
            return f'without names, columns are numbered from 1: {text!r} is not a number'
        close = difflib.get_close_matches(text, self.header, 1)
        hint = f': did you mean {close[0]!r}?' if close else f' among {tuple(self.header)!r}'
        return f'there is no column {text!r}{hint}'

    def name(self, column: int) -> str:
        return f'column_{column + 1}' if self.header is None else self.header[column]


class Selection:
    """What the arguments ask of every file."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        # Text is written as it stands, and its types are only checked.
        self.keeps_text = options.to in TEXT and not options.convert
        for one in options.where:
            if one.sign not in ('~', '!~') and one.value:
                kind = dict(options.types).get(one.name)
                self.convert(one, kind)

    def convert(self, one: Condition, kind: str | None) -> Callable[[str], Any] | None:
        """What makes values to compare with, if the condition's own value is one."""
        if kind is None or kind == 'str':
            return None
        convert = function_of(kind, self.options)
        if convert is int and one.sign != '=':
            convert = decimal.Decimal  # 3.5 too is a bound of integers
        try:
            if one.sign not in ('~', '!~') and one.value:
                convert(one.value)
        except ArithmeticError:  # decimal's own text is of no use
            raise Trouble(f'{one}: {one.value!r} is not a number') from None
        except ValueError as e:
            raise Trouble(f'{one}: {e}') from None
        if kind == 'bool' and one.sign not in ('=', '!=', '~', '!~'):
            raise Trouble(f'{one}: bool has no order')
        return convert

    def of(self, name: str, source: Callable[[], Any]) -> Chosen | None:
        """For the file of that name; None if it is empty.  `source` opens it."""
        keywords = reading(self.options, name)
        with csv_rows(source(), into=tuple, **keywords) as rows:
            header = rows.header
            first = next(rows, None) if header is None else None
        if not header and first is None:
            return None
        return Chosen(self, keywords, Names(header, len(header or first or ())))

    def empty(self, name: str, source: Any) -> csv_rows[Any]:
        """The rows of an empty file: it may grow."""
        keywords = reading(self.options, name)
        return csv_rows(source, into=tuple, **keywords)


class Chosen:
    """What is read of one file, and what of that is written."""

    def __init__(self, selection: Selection, keywords: dict[str, Any], names: Names) -> None:
        options = selection.options
        self.options = options
        self.keywords = keywords
        self.keeps_text = selection.keeps_text
        self.nulls = {'', *options.null}
        self.kinds = {names.one(name, '--types'): kind for name, kind in options.types}
        self.types: dict[Any, Any] = {
            column: self.checked(kind) if self.keeps_text else type_of(kind, options)
            for column, kind in self.kinds.items()
        }
        wanted: dict[int, list[Condition]] = {}
        for one in options.where:
            wanted.setdefault(names.one(one.name, '--where'), []).append(one)
        self.columns: list[int] | None = None
        self.written: int | None = None  # columns written, the first ones of those read
        if options.columns is not None:
            self.columns = [c for text in options.columns for c in names.find(text, '--columns')]
            self.written = len(self.columns)
            self.columns += [column for column in wanted if column not in self.columns]
        read = list(range(names.width)) if self.columns is None else self.columns
        self.tests: list[tuple[int, Test]] = [
            (read.index(column), test)
            for column, conditions in wanted.items()
            for test in self.tests_of(selection, column, conditions)
        ]
        self.wanted = wanted
        self.names = (
            None
            if names.header is None
            else tuple(names.header[column] for column in read[: self.written])
        )
        self.labels = tuple(names.name(column) for column in read)

    def checked(self, kind: str) -> Callable[[str], str]:
        """A type that keeps the text."""
        convert = function_of(kind, self.options)
        nulls = self.nulls

        def check(text: str) -> str:
            if text not in nulls:
                convert(text)
            return text

        return check

    def tests_of(
        self, selection: Selection, column: int, conditions: list[Condition]
    ) -> Iterable[Test]:
        equal = []
        for one in conditions:
            kind = self.kinds.get(column)
            test = test_of(one, selection.convert(one, kind))
            if self.keeps_text and kind is not None and kind != 'str':
                test = self.of_text(function_of(kind, self.options), test)
            if one.sign == '=':
                equal.append(test)
            else:
                yield test
        if equal:
            yield either(equal)

    def of_text(self, convert: Callable[[str], Any], test: Test) -> Test:
        def converted(text: str | None) -> bool:
            return test(None if text is None or text in self.nulls else convert(text))

        return converted

    def open(self, source: Any, start: Any, changed: Any, on_error: Any) -> csv_rows[Any]:
        options = self.options
        keywords = {'ragged': 'error', **self.keywords}
        if self.types and not self.keeps_text:
            keywords['null'] = options.null
        return csv_rows(
            source,
            into=tuple,
            columns=self.columns,
            types=self.types or None,
            on_error=on_error if options.rejects else 'raise',
            start=start,
            changed=changed,
            **keywords,
        )

    def keep(self, rows: Iterable[Any]) -> list[Any]:
        """Rows as they are read -> those that are written."""
        kept = [row for row in rows if row]  # a blank line is no row
        for at, test in self.tests:
            kept = [row for row in kept if test(row[at])]
        written = self.written
        return [row[:written] for row in kept] if self.tests and written is not None else kept

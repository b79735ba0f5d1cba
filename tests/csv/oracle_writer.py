"""The rule that ``csv_encode`` and ``generators.csv.writer`` keep: CPython 3.13's ``_csv`` writer.

From 3.13 on the running ``csv`` module is the oracle.  Before that, ``PlainWriter`` is: the same
writer said in plain Python.  ``test_writer_rule.py`` holds it against ``csv`` on 3.13 and newer.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Any, SupportsFloat, SupportsIndex, SupportsInt

from .oracle import (
    QUOTE_ALL,
    QUOTE_NONE,
    QUOTE_NONNUMERIC,
    QUOTE_NOTNULL,
    QUOTE_STRINGS,
    RUNNING_CSV_IS_THE_RULE,
    plain_dialect,
)


def is_number(value: object) -> bool:
    """``PyNumber_Check``."""
    return isinstance(value, SupportsInt | SupportsFloat | SupportsIndex | complex)


class PlainWriter:
    """``csv.writer`` of 3.13, one character at a time."""

    def __init__(self, file: Any, dialect: Any = None, **parameters: Any) -> None:
        self._write = file.write
        self._dialect = plain_dialect(dialect, **parameters)
        if isinstance(dialect, str):
            dialect = csv.get_dialect(dialect)
        default = getattr(dialect, 'lineterminator', '\r\n')
        self._terminator = parameters.get('lineterminator', default)

    def writerow(self, row: Iterable[Any]) -> Any:
        return self._write(self.line(row))

    def writerows(self, rows: Iterable[Iterable[Any]]) -> None:
        for row in rows:
            self.writerow(row)

    def line(self, row: Iterable[Any]) -> str:
        try:
            fields = iter(row)
        except TypeError:
            raise csv.Error(f'iterable expected, not {type(row).__name__}') from None
        quoting = self._dialect.quoting
        parts = []
        value: Any = ''
        for value in fields:
            parts.append(self._field(value, self._is_quoted(value)))
        line = self._dialect.delimiter.join(parts)
        if parts and not line:
            not_quoted = value is None and quoting in (QUOTE_STRINGS, QUOTE_NOTNULL)
            if quoting == QUOTE_NONE or not_quoted:
                raise csv.Error('single empty field record must be quoted')
            line = self._field(None, True)
        return line + self._terminator

    def _is_quoted(self, value: Any) -> bool:
        match self._dialect.quoting:
            case n if n == QUOTE_NONNUMERIC:
                return not is_number(value)
            case n if n == QUOTE_ALL:
                return True
            case n if n == QUOTE_STRINGS:
                return isinstance(value, str)
            case n if n == QUOTE_NOTNULL:
                return value is not None
            case _:
                return False

    def _field(self, value: Any, quoted: bool) -> str:
        d = self._dialect
        text = '' if value is None else value if isinstance(value, str) else str(value)
        if not text and d.delimiter == ' ' and d.skipinitialspace:
            if d.quoting == QUOTE_NONE or (
                value is None and d.quoting in (QUOTE_STRINGS, QUOTE_NOTNULL)
            ):
                raise csv.Error(
                    'empty field must be quoted if delimiter is a space '
                    'and skipinitialspace is true'
                )
            quoted = True
        special = {d.delimiter, d.escapechar, d.quotechar, '\n', '\r', *self._terminator}
        out = []
        for char in text:
            if char in special:
                escape = d.quoting == QUOTE_NONE
                if not escape:
                    if char == d.quotechar:
                        if d.doublequote:
                            out.append(char)
                        else:
                            escape = True
                    elif char == d.escapechar:
                        escape = True
                    quoted = quoted or not escape
                if escape:
                    if d.escapechar is None:
                        raise csv.Error('need to escape, but no escapechar set')
                    out.append(d.escapechar)
            out.append(char)
        body = ''.join(out)
        return f'{d.quotechar}{body}{d.quotechar}' if quoted else body


def write(
    rows: Iterable[Iterable[Any]], *, plainly: bool = False, **dialect: Any
) -> tuple[str, str | None]:
    """What the rule gives for the rows: the text up to the first error, and its words."""
    file = io.StringIO(newline='')
    rule = csv.writer if RUNNING_CSV_IS_THE_RULE and not plainly else PlainWriter
    writer = rule(file, **dialect)
    error = None
    try:
        writer.writerows(rows)
    except csv.Error as e:
        error = str(e)
    return file.getvalue(), error

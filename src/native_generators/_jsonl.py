"""JSON lines for the command line: read by ``jsonl_rows``, written by ``jsonl_encode``.

``loads`` and ``dumps`` are orjson's if it is installed.  What they accept and what they write is
the same with and without it.
"""

from __future__ import annotations

import argparse
import datetime as dt
import decimal
import importlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from native_generators import jsonl_encode, jsonl_rows

try:
    orjson: Any = importlib.import_module('orjson')
except ImportError:
    orjson = None


# ---- one line ----


def finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f'{text} is too large for a number')
    return value


def no_constant(name: str) -> None:
    raise ValueError(f'{name} is not JSON')


decode = json.JSONDecoder(parse_float=finite, parse_constant=no_constant).decode
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(',', ':')).encode


def has_large_float(value: Any) -> bool:
    kind = type(value)
    if kind is float:
        return bool(abs(value) >= 2**63)
    if kind is dict:
        value = value.values()
    elif kind is not list:
        return False
    for part in value:
        kind = type(part)
        if (kind is float or kind is dict or kind is list) and has_large_float(part):
            return True
    return False


def loads(line: bytes) -> Any:
    if orjson is not None:
        value = orjson.loads(line)
        if not has_large_float(value):
            return value
        # orjson has no integers of more than 64 bits: it makes floats of them.
    value = decode(line.decode())
    if b'\\ud' in line or b'\\uD' in line:
        encode(value).encode()  # half of a surrogate pair can't be written
    return value


def plain(value: Any) -> Any:
    """What JSON has no form of: dates as ISO 8601 has them, Decimals as text, no nan."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dt.date):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal) else value


def dumps(value: Any) -> str | bytes:
    if orjson is not None:
        try:
            data: bytes = orjson.dumps(value, default=str)
            return data
        except TypeError:
            pass  # it has a wide integer, or is deep
    if isinstance(value, dict):
        value = {name: plain(cell) for name, cell in value.items()}
    elif isinstance(value, (tuple, list)):
        value = list(map(plain, value))
    return encode(value)


def lines_of(values: Iterable[Any]) -> bytes:
    return b''.join(jsonl_encode(values, dumps=dumps, size=1 << 20, max_delay=None))


# ---- the lines of a file ----


class Condition:
    """``NAME=VALUE``: the text, or what it is as JSON; without VALUE: null, '' or not there."""

    def __init__(self, text: str) -> None:
        self.values: list[Any] = [text] if text else ['', None]
        with suppress(ValueError):
            self.values.append(loads(text.encode()))

    def holds(self, value: Any) -> bool:
        is_bool = isinstance(value, bool)  # True is no 1
        return any(value == v and isinstance(v, bool) == is_bool for v in self.values)


class Objects:
    """Which values are read, which are kept, and what of them is written.

    Whole values of any kind, if nothing is asked of them; otherwise objects.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.to_csv = options.to == 'csv'
        self.wanted: dict[str, list[Condition]] = {}
        for name, value in options.where:
            self.wanted.setdefault(name, []).append(Condition(value))
        self.columns: tuple[str, ...] | None = None
        if options.columns is not None:
            self.columns = tuple(options.columns)
            for i, name in enumerate(self.columns):
                if not self.to_csv and name in self.columns[:i]:
                    raise ValueError(f'--columns names {name!r} twice')
        self.given = self.columns is not None

    def loads(self, line: bytes) -> Any:
        value = loads(line)
        if not self.given and not self.to_csv and not self.wanted:
            return value
        if not isinstance(value, dict):
            raise ValueError('it is not an object')
        if self.to_csv and not self.given:
            self.compare(value)
        return value

    def compare(self, value: dict[str, Any]) -> None:
        """The columns of CSV are the names of the first object; others may have fewer."""
        if self.columns is None:
            if not value:
                raise ValueError('the first object is empty: choose with --columns')
            self.columns = tuple(value)
        elif not value.keys() <= set(self.columns):
            others = [name for name in value if name not in self.columns]
            raise ValueError(
                f'it has {", ".join(map(repr, others))}, which the first object has not: '
                'choose with --columns'
            )

    def open(self, source: Any, start: Mapping[str, Any] | None, on_error: Any) -> jsonl_rows[Any]:
        return jsonl_rows(
            source,
            loads=self.loads,
            encoding=self.options.encoding,
            on_error=on_error if self.options.rejects else 'raise',
            start=start,
        )

    def look_again(self, source: Any) -> bool:
        """A run that goes on finds the first object where it found it before."""
        if self.columns is None and self.to_csv:
            rows = jsonl_rows(
                source, loads=self.loads, encoding=self.options.encoding, on_error='skip'
            )
            next(rows, None)
        return self.columns is not None or not self.to_csv

    def header(self, rows: jsonl_rows[Any]) -> tuple[str, ...] | None:
        rows.prime()
        return self.columns if self.columns is not None or not self.to_csv else ()

    def names(self, header: tuple[str, ...] | None) -> tuple[str, ...] | None:
        return header

    def filter(self, header: tuple[str, ...] | None) -> Callable[[Iterable[Any]], list[Any]]:
        """Values as they are read -> those that are written."""

        def keep(values: Iterable[Any]) -> list[Any]:
            kept = list(values)
            for name, conditions in self.wanted.items():
                kept = [v for v in kept if any(c.holds(v.get(name)) for c in conditions)]
            if self.to_csv:
                return [[cell(value.get(name)) for name in header or ()] for value in kept]
            if header is not None:
                return [{name: value.get(name) for name in header} for value in kept]
            return kept

        return keep

    def lines(self, names: tuple[str, ...] | None) -> Callable[[list[Any]], bytes]:
        return lines_of


def cell(value: Any) -> Any:
    """Arrays and objects are JSON in CSV too."""
    return encode(value) if isinstance(value, (list, dict)) else value

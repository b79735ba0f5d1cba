"""JSON lines for the command line: read by ``jsonl_rows``.

``loads`` and ``dumps`` are orjson's if it is installed.  What they accept and what they write is
the same with and without it.
"""

from __future__ import annotations

import argparse
import importlib
import json
import math
import re
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from native_generators import jsonl_rows
from native_generators._cli.arguments import TEXT, opening
from native_generators._cli.conditions import ORDER, Condition, Test, either, number

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


def dumps(value: Any) -> str:
    if orjson is not None:
        try:
            text: str = orjson.dumps(value).decode()
            return text
        except TypeError:
            pass  # it has a wide integer, or is deep
    return encode(value)


def texts_of(values: Iterable[Any]) -> list[str]:
    return [dumps(value) for value in values]


# ---- the lines of a file ----


def equality(text: str) -> Test:
    """The text, or what it is as JSON; without text: null, '' or not there."""
    values: list[Any] = [text] if text else ['', None]
    with suppress(ValueError):
        values.append(loads(text.encode()))

    def test(value: Any) -> bool:
        is_bool = isinstance(value, bool)  # True is no 1
        return any(value == v and isinstance(v, bool) == is_bool for v in values)

    return test


def order(sign: str, text: str) -> Test:
    """Numbers with numbers, texts with texts."""
    compare = ORDER[sign]
    bound = number(text)

    def test(value: Any) -> bool:
        if isinstance(value, bool):
            return False
        if isinstance(value, (int, float)):
            return bound is not None and compare(value, bound)
        return isinstance(value, str) and bound is None and compare(value, text)

    return test


def matching(text: str) -> Test:
    search = re.compile(text).search

    def test(value: Any) -> bool:
        if value is None:
            return False
        return bool(search(value if isinstance(value, str) else encode(value)))

    return test


def opposite(test: Test) -> Test:
    return lambda value: not test(value)


def tests_of(conditions: Iterable[Condition]) -> list[Test]:
    """Of one name: one of the equalities, and all others."""
    equal, others = [], []
    for _, sign, text in conditions:
        if sign in ORDER:
            others.append(order(sign, text))
        elif '~' in sign:
            others.append(matching(text) if sign == '~' else opposite(matching(text)))
        elif sign == '=':
            equal.append(equality(text))
        else:
            others.append(opposite(equality(text)))
    return [*others, either(equal)] if equal else others


class Objects:
    """Which values are read, which are kept, and what of them is written.

    Whole values of any kind, if nothing is asked of them; otherwise objects.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.to_csv = options.to in TEXT
        wanted: dict[str, list[Condition]] = {}
        for one in options.where:
            wanted.setdefault(one.name, []).append(one)
        self.wanted = {name: tests_of(conditions) for name, conditions in wanted.items()}
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

    def open(self, source: Any, start: Any, changed: Any, on_error: Any) -> jsonl_rows[Any]:
        return jsonl_rows(
            source,
            loads=self.loads,
            encoding=self.options.encoding or 'utf-8',
            on_error=on_error if self.options.rejects else 'raise',
            start=start,
            changed=changed,
            **opening(self.options),
        )

    def look_again(self, source: Any) -> bool:
        """A run that goes on finds the first object where it found it before."""
        if self.columns is None and self.to_csv:
            rows = jsonl_rows(
                source,
                loads=self.loads,
                encoding=self.options.encoding or 'utf-8',
                on_error='skip',
                **opening(self.options),
            )
            next(rows, None)
        return self.columns is not None or not self.to_csv

    def header(self, rows: jsonl_rows[Any]) -> tuple[str, ...] | None:
        rows.prime()
        return self.columns if self.columns is not None or not self.to_csv else ()

    def keep(self, values: Iterable[Any]) -> list[Any]:
        """Values as they are read -> those that are written."""
        kept = list(values)
        for name, tests in self.wanted.items():
            kept = [v for v in kept if all(test(v.get(name)) for test in tests)]
        names = self.columns
        if self.to_csv:
            return [[cell(value.get(name)) for name in names or ()] for value in kept]
        if names is not None:
            return [{name: value.get(name) for name in names} for value in kept]
        return kept


def cell(value: Any) -> Any:
    """Arrays and objects are JSON in CSV too."""
    return encode(value) if isinstance(value, (list, dict)) else value

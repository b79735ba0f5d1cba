"""``--types``: what csv_rows is told of a column, and what makes a value of one text of it."""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import decimal
import re
from collections.abc import Callable
from typing import Any

from native_generators import convert, csv_rows

TYPES: dict[str, Any] = {
    'int': int,
    'float': float,
    'bool': bool,
    'str': str,
    'decimal': decimal.Decimal,
    'date': dt.date,
    'datetime': dt.datetime,
    'time': convert.time,
    'strip': convert.strip,
}
KINDS = (*TYPES, 'decimal(P,S)')
DECIMAL = re.compile(r'decimal\((\d+),(\d+)\)', re.ASCII)


def typed_pairs(text: str) -> list[tuple[str, str]]:
    """``name=int,price=decimal(10,2)`` as pairs."""
    parts: list[str] = []
    for part in next(csv.reader([text]), []):
        if parts and re.fullmatch(r'.*=decimal\([^)]*', parts[-1], re.S):
            parts[-1] += f',{part}'
        else:
            parts.append(part)
    return [typed_pair(part) for part in parts]


def typed_pair(text: str) -> tuple[str, str]:
    name, equals, kind = text.rpartition('=')
    if not name or not equals:
        raise argparse.ArgumentTypeError(f'{text!r} is not NAME=TYPE')
    if kind not in TYPES and not DECIMAL.fullmatch(kind):
        raise argparse.ArgumentTypeError(
            f'{name}: there is no type {kind!r}, but {", ".join(KINDS)}'
        )
    return name, kind


def type_of(kind: str, options: argparse.Namespace) -> Any:
    """What csv_rows is told of a column of that kind."""
    point, thousands = options.decimal or '.', options.thousands or ''
    match = DECIMAL.fullmatch(kind)
    if match is not None:
        precision, scale = map(int, match.groups())
        return convert.decimal(precision, scale, decimal=point, thousands=thousands)
    if kind == 'float' and (point, thousands) != ('.', ''):
        return convert.number(decimal=point, thousands=thousands)
    if kind == 'int' and thousands:
        return convert.integer(thousands=thousands)
    if kind in ('date', 'datetime') and options.date_format is not None:
        return convert.date_format(options.date_format)
    return TYPES[kind]


def to_bool(text: str) -> bool:
    return bool(next(csv_rows([text], types={0: bool}))[0])


FUNCTIONS: dict[Any, Callable[[str], Any]] = {
    bool: to_bool,
    dt.date: dt.date.fromisoformat,
    dt.datetime: dt.datetime.fromisoformat,
}


def function_of(kind: str, options: argparse.Namespace) -> Callable[[str], Any]:
    """What makes of a text what csv_rows makes of it in a column of that kind."""
    told = type_of(kind, options)
    function: Callable[[str], Any] = FUNCTIONS.get(told, told)
    return function

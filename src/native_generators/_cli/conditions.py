"""``--where``: what a condition says, and whether it holds for a value of CSV."""

from __future__ import annotations

import decimal
import operator
import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

PATTERN = re.compile(r'(?s)(?:"((?:[^"]|"")+)"|([^=<>!~]+?))(\s*)(==|=|!=|!~|>=|<=|>|<|~)(.*)')

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    '>': operator.gt,
    '>=': operator.ge,
    '<': operator.lt,
    '<=': operator.le,
}

Test = Callable[[Any], bool]


class Condition(NamedTuple):
    name: str
    sign: str  # = != > >= < <= ~ !~
    value: str

    def __str__(self) -> str:
        return f'--where {self.name}{self.sign}{self.value}'


def condition(text: str) -> Condition:
    match = PATTERN.fullmatch(text)
    if match is None:
        raise ValueError(
            f'{text!r} is not NAME=VALUE; instead of = it may have !=, >, >=, <, <=, ~ or !~'
        )
    quoted, plain, blanks, sign, value = match.groups()
    name = plain if quoted is None else quoted.replace('""', '"')
    sign = '=' if sign == '==' else sign
    if sign in ('~', '!~'):
        try:
            re.compile(value.strip() if blanks else value)
        except re.error as e:
            raise ValueError(f'{text!r}: {e}') from None
    return Condition(name, sign, value.lstrip() if blanks else value)


def number(text: str) -> decimal.Decimal | None:
    try:
        value = decimal.Decimal(text)
    except decimal.InvalidOperation:
        return None
    return None if value.is_nan() else value


def test_of(one: Condition, convert: Callable[[str], Any] | None) -> Test:
    """Whether it holds for a field that `convert` makes of its text; None for text.

    An empty field, and None, are equal to nothing but an empty VALUE, and in no order.
    """
    _, sign, text = one
    if sign in ('~', '!~'):
        search = re.compile(text).search
        found = sign == '~'
        return lambda value: (value is not None and bool(search(str(value)))) is found
    if sign in ('=', '!='):
        return equality(convert(text) if convert and text else text, sign == '=')
    if convert is None:
        bound = number(text)
        return ordered(sign, text) if bound is None else numbers(sign, bound)
    return ordered(sign, convert(text))


def equality(wanted: Any, equal: bool) -> Test:
    if wanted == '':
        return lambda value: (value is None or value == '') is equal
    return lambda value: (value == wanted) is equal


def ordered(sign: str, bound: Any) -> Test:
    compare = ORDER[sign]
    return lambda value: value is not None and value != '' and compare(value, bound)


def numbers(sign: str, bound: decimal.Decimal) -> Test:
    compare = ORDER[sign]

    def test(text: Any) -> bool:
        value = None if text is None else number(text)
        return value is not None and compare(value, bound)

    return test


def either(tests: Iterable[Test]) -> Test:
    tests = list(tests)
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)

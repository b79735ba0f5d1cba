"""Random rows, hostile to the dialects they are written in."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from . import oracle
from .strategies import DELIMITERS, ESCAPES, ODD_CHARACTERS, QUOTES


class Text(str):
    pass


class NumberText(str):
    """``PyNumber_Check`` takes it for a number."""

    def __int__(self) -> int:
        return 5


class Number(float):
    def __str__(self) -> str:
        return 'a,"number"'


class Thing:
    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text


TERMINATORS = [
    '\r\n',
    '\r\n',
    '\n',
    '',
    '|',
    'xyz',
    '\u2028',
    '1',
    ' ',
    '€\n',
    '\0',
    'ab\U0001f600',
]


@st.composite
def dialects(draw: st.DrawFn, **fixed: Any) -> dict[str, Any]:
    flag = st.booleans()
    parameters: dict[str, Any] = {
        'delimiter': draw(st.sampled_from(DELIMITERS)),
        'quotechar': draw(st.sampled_from([*QUOTES, None])),
        'escapechar': draw(st.sampled_from(ESCAPES)),
        'quoting': draw(st.sampled_from([0, 0, 1, 2, 3, 4, 5])),
        'doublequote': draw(flag),
        'skipinitialspace': draw(flag),
        'strict': draw(flag),
        'lineterminator': draw(st.sampled_from(TERMINATORS)),
    } | fixed
    if parameters['quotechar'] is None:
        parameters['quoting'] = oracle.QUOTE_NONE
    while not oracle.is_valid(**parameters):
        # Two of them are the same character, or one is a skipped space: give one up.
        if parameters['lineterminator'] != '\r\n':
            parameters['lineterminator'] = '\r\n'
        elif parameters['escapechar'] is not None:
            parameters['escapechar'] = None
        else:
            parameters['quotechar'] = "'"
    return parameters


def texts(dialect: dict[str, Any]) -> st.SearchStrategy[str]:
    special = [dialect[name] or '' for name in ('delimiter', 'quotechar', 'escapechar')]
    special += ['\n', '\r', ' ', '\0', '', *dialect['lineterminator']]
    ordinary = ['a', '1', 'some words', 'x' * 63, 'y' * 64, 'z' * 130]
    pieces = st.sampled_from([*special * 3, *ordinary * 4, *ODD_CHARACTERS])
    return st.one_of(
        st.lists(pieces, max_size=4).map(''.join),
        st.sampled_from(ordinary),
        st.lists(pieces, max_size=40).map(''.join),
    )


numbers = st.one_of(
    st.integers(-1000, 1000),
    st.integers(),
    st.integers(-(2**64), 2**64),
    st.floats(),
    st.decimals(-1000, 1000, places=2).map(float),
    st.booleans(),
    st.none(),
    st.none(),
)
others = st.sampled_from(
    [
        Decimal('1.50'),
        Fraction(1, 3),
        2 + 3j,
        10**30,
        dt.date(2024, 2, 29),
        dt.datetime(2024, 2, 29, 12, 30),
        b'bytes',
        [1, 'two'],
        Text('te,xt'),
        NumberText('7'),
        Number(5),
        Thing('thi"ng'),
        Thing(''),
        Thing('é€😀'),
    ]
)


def cells(dialect: dict[str, Any]) -> st.SearchStrategy[Any]:
    text = texts(dialect)
    return st.one_of(text, text, text, numbers, numbers, others)


@st.composite
def dialects_and_rows(draw: st.DrawFn, **fixed: Any) -> tuple[dict[str, Any], list[list[Any]]]:
    dialect = draw(dialects(**fixed))
    return dialect, draw(st.lists(st.lists(cells(dialect), max_size=6), max_size=8))

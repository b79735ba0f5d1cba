"""Every short text there is, whole, cut in two, and on the edge of a group of 64."""

from __future__ import annotations

import itertools
from functools import cache
from typing import Any

import pytest

from generators import csv_rows

from . import oracle
from .compare import CsvRows
from .oracle import Outcome

Sample = tuple[bytes, Outcome]

ALPHABETS = {
    'quotes': ('a,"\n', 7, {}),
    'quotes_strict': ('a,"\n', 6, {'strict': True}),
    'no_doubling': ('a,"\n', 5, {'doublequote': False}),
    'returns': ('a,"\r\n', 5, {}),
    'escapes': ('a,"\\\n', 5, {'escapechar': '\\'}),
    'escapes_strict': ('a,"\\\n', 5, {'escapechar': '\\', 'strict': True}),
    'escapes_and_returns': ('a"\\\r\n', 5, {'escapechar': '\\', 'doublequote': False}),
    'escapes_and_no_quotes': ('a,"\\\n', 5, {'escapechar': '\\', 'quoting': oracle.QUOTE_NONE}),
    'skipped_spaces': ('a," \n', 5, {'skipinitialspace': True}),
    'spaces_and_strings': (
        '1," \n',
        5,
        {'skipinitialspace': True, 'quoting': oracle.QUOTE_STRINGS},
    ),
    'numbers': ('1,"\n', 5, {'quoting': oracle.QUOTE_NONNUMERIC}),
    'nuls': ('a,"\0\n', 5, {}),
    'wide': ('é€😀\n', 5, {'delimiter': '€', 'quotechar': '😀'}),
}


@cache
def samples(name: str, longest: int = 99, before: str = '', after: str = '') -> list[Sample]:
    """Each text over the alphabet with what the rule gives for it."""
    alphabet, length, dialect = ALPHABETS[name]
    found = []
    for size in range(min(length, longest) + 1):
        for chars in itertools.product(alphabet, repeat=size):
            text = before + ''.join(chars) + after
            outcome = oracle.read_quickly(oracle.split_lines(text), **dialect)
            found.append((text.encode(), outcome))
    return found


def assert_reads(csv_rows: CsvRows, source: Any, expected: Outcome, dialect: Any) -> None:
    """``compare.check``, pared down for a hundred thousand calls."""
    rows: list[Any] = []
    failed = False
    pieces = isinstance(source, list) and source and isinstance(source[0], bytes)
    cut = {'items': 'chunks'} if pieces else {}
    stream = csv_rows(source, **(cut | dialect))
    try:
        rows.extend(stream)
    except ValueError:
        failed = True
    assert rows == expected.rows, source
    assert failed is (expected.error is not None), source
    if expected.line_nums and not failed:
        assert stream.line_num == expected.error_line, source


@pytest.mark.parametrize('name', ALPHABETS)
def test_every_short_text(kernel_csv_rows: CsvRows, name: str) -> None:
    dialect = ALPHABETS[name][2]
    for raw, expected in samples(name):
        assert_reads(kernel_csv_rows, raw, expected, dialect)


def assert_reads_in_two_pieces(csv_rows: CsvRows, name: str, longest: int) -> None:
    dialect = ALPHABETS[name][2]
    for raw, expected in samples(name, longest):
        for at in range(1, len(raw)):
            assert_reads(csv_rows, [raw[:at], raw[at:]], expected, dialect)


@pytest.mark.parametrize('name', ALPHABETS)
def test_every_short_text_in_two_pieces(name: str) -> None:
    assert_reads_in_two_pieces(csv_rows, name, 99)


@pytest.mark.parametrize('name', ALPHABETS)
def test_every_shorter_text_in_two_pieces(kernel_csv_rows: CsvRows, name: str) -> None:
    assert_reads_in_two_pieces(kernel_csv_rows, name, 4)


@pytest.mark.parametrize('shift', range(57, 65))
def test_every_short_text_across_the_edge_of_a_group(kernel_csv_rows: CsvRows, shift: int) -> None:
    """What follows is long enough for the next group to be a whole one."""
    before = 'x' * (shift - 1) + '\n'
    after = '\n"b",c\n' * 9
    for raw, expected in samples('quotes', 5, before, after):
        assert_reads(kernel_csv_rows, raw, expected, {})


@pytest.mark.parametrize('shift', [62, 63, 64])
@pytest.mark.parametrize('name', ALPHABETS)
def test_every_short_text_behind_an_irregular_group(
    kernel_csv_rows: CsvRows, name: str, shift: int
) -> None:
    """The stray quote goes to the exact machine, which hands over within the short text."""
    dialect = ALPHABETS[name][2]
    quote = dialect.get('quotechar', '"')
    delimiter = dialect.get('delimiter', ',')
    stray = f'1{quote}'
    before = stray + '2' * (shift - 1 - len(stray.encode())) + '\n'
    after = f'\n{delimiter}2\n' * 33
    for raw, expected in samples(name, 4, before, after):
        assert_reads(kernel_csv_rows, raw, expected, dialect)


@pytest.mark.parametrize('name', [name for name in ALPHABETS if name != 'quotes'])
def test_every_short_text_between_regular_records(kernel_csv_rows: CsvRows, name: str) -> None:
    """Out of the regular stretch and back into it, for every dialect."""
    dialect = ALPHABETS[name][2]
    d = dialect.get('delimiter', ',')
    before = f'1{d}2\n' * 15
    after = f'\n1{d}2\n' * 33
    for raw, expected in samples(name, 4, before, after):
        assert_reads(kernel_csv_rows, raw, expected, dialect)


@pytest.mark.parametrize('at', [62, 63, 64, 65, 66])
def test_every_short_text_cut_at_the_edge_of_a_group(kernel_csv_rows: CsvRows, at: int) -> None:
    before = 'x' * 60 + '\n'
    after = '\n"b",c\n' * 9
    for raw, expected in samples('quotes', 4, before, after):
        chunks = [raw[:at], raw[at:]]
        assert_reads(kernel_csv_rows, chunks, expected, {})


@pytest.mark.parametrize('kind', ['é', '€', '😀'])
def test_every_short_text_beside_wide_characters(kernel_csv_rows: CsvRows, kind: str) -> None:
    """``str`` chunks whose units are one, two and four bytes wide."""
    before = kind * 61 + '\n'
    after = f'\n{kind},c\n' * 12
    for raw, expected in samples('quotes', 4, before, after):
        assert_reads(kernel_csv_rows, [raw.decode()], expected, {'items': 'chunks'})


@pytest.mark.parametrize('name', ALPHABETS)
def test_every_pair_of_short_items(kernel_csv_rows: CsvRows, name: str) -> None:
    """``str`` items that hold line ends, or lack them, between quotes and behind escapes, too."""
    alphabet, _, dialect = ALPHABETS[name]
    items = ['', *alphabet, *map(''.join, itertools.product(alphabet, repeat=2))]
    for pair in itertools.product(items, items):
        assert_reads(kernel_csv_rows, pair, pair_outcome(name, pair), dialect)


@cache
def pair_outcome(name: str, pair: tuple[str, str]) -> Outcome:
    return oracle.read_quickly(pair, **ALPHABETS[name][2])


@pytest.mark.parametrize('limit', [1, 2, 3])
@pytest.mark.parametrize('name', ['returns', 'escapes', 'skipped_spaces', 'wide'])
def test_every_short_text_under_a_field_limit(name: str, limit: int) -> None:
    dialect = ALPHABETS[name][2]
    arguments = dialect | {'max_field': limit}
    for raw, _ in samples(name, 4):
        text = raw.decode()
        expected = oracle.read_quickly(oracle.split_lines(text), field_limit=limit, **dialect)
        assert_reads(csv_rows, raw, expected, arguments)
        expected = oracle.read_quickly([text], field_limit=limit, **dialect)
        assert_reads(csv_rows, [text], expected, arguments)


PLACES = 200
ODD = [',', '"', '\\', '\n', '\r', '\x7f', '\x80', 'ÿ', '\u012c', '\u2222', '\U0001000a', '😀']
ODD_DIALECT = {'escapechar': '\\'}


@cache
def one_odd_character(char: str, last: str) -> list[tuple[str, Outcome]]:
    """It stands at each place in turn, so in every lane of every group."""
    found = []
    for at in range(PLACES):
        text = 'x' * at + char + 'y' * (PLACES - at) + f',{last}\n'
        found.append((text, oracle.read_quickly(oracle.split_lines(text), **ODD_DIALECT)))
    return found


@pytest.mark.parametrize('char', ODD)
def test_one_odd_character_at_every_place_of_bytes(kernel_csv_rows: CsvRows, char: str) -> None:
    for text, expected in one_odd_character(char, 'z'):
        assert_reads(kernel_csv_rows, text.encode(), expected, ODD_DIALECT)
        if char <= '\xff':
            arguments = ODD_DIALECT | {'encoding': 'latin-1'}
            assert_reads(kernel_csv_rows, text.encode('latin-1'), expected, arguments)


@pytest.mark.parametrize('last', ['z', 'ÿ', '€', '😀'])
@pytest.mark.parametrize('char', ODD)
def test_one_odd_character_at_every_place_of_str(
    kernel_csv_rows: CsvRows, char: str, last: str
) -> None:
    """``last`` makes the units one, two or four bytes wide."""
    for text, expected in one_odd_character(char, last):
        assert_reads(kernel_csv_rows, [text], expected, ODD_DIALECT | {'items': 'chunks'})
        assert_reads(kernel_csv_rows, oracle.split_lines(text), expected, ODD_DIALECT)


@pytest.mark.parametrize('delimiter', ['é', '€', '😀', '\x80'])
def test_a_wide_delimiter_at_every_place(kernel_csv_rows: CsvRows, delimiter: str) -> None:
    dialect = {'delimiter': delimiter}
    for at in range(PLACES):
        text = 'x' * at + delimiter + 'y' * (PLACES - at) + '\n'
        expected = Outcome([['x' * at, 'y' * (PLACES - at)]], [1], None, 1)
        assert_reads(kernel_csv_rows, text.encode(), expected, dialect)
        assert_reads(kernel_csv_rows, [text], expected, dialect)


def test_a_quoted_stretch_between_all_places(kernel_csv_rows: CsvRows) -> None:
    """What is inside quotes is found by a carry-less product: each start, and many lengths."""
    for start in range(130):
        for length in (0, 1, 2, 31, 32, 33, 61, 62, 63, 64, 65, 126, 127, 128):
            before, inside = 'x' * start, ',\n' * (length // 2) + 'x' * (length % 2)
            raw = f'{before},"{inside}",b\nc,"d"\n{"e,f" * 40}\n'.encode()
            lines = 2 + (length // 2)
            rows = [[before, inside, 'b'], ['c', 'd'], ['e', *['fe'] * 39, 'f']]
            expected = Outcome(rows, [lines - 1, lines, lines + 1], None, lines + 1)
            assert_reads(kernel_csv_rows, raw, expected, {})

"""The oracle held against ``csv``, and each difference of an older ``csv`` from the rule."""

from __future__ import annotations

import csv
import itertools
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given

from generators import csv_rows

from . import oracle, strategies
from .compare import check
from .oracle import (
    QUOTE_NONNUMERIC,
    QUOTE_NOTNULL,
    QUOTE_STRINGS,
    Outcome,
    exact,
    read_plainly,
    read_with_running_csv,
)

only_where_csv_is_the_rule = pytest.mark.skipif(
    not oracle.RUNNING_CSV_IS_THE_RULE, reason='csv before 3.13 is not the rule'
)


def strings(alphabet: str, up_to: int) -> Iterator[str]:
    for length in range(up_to + 1):
        for chars in itertools.product(alphabet, repeat=length):
            yield ''.join(chars)


def every_dialect() -> Iterator[dict[str, Any]]:
    names = ('quoting', 'escapechar', 'doublequote', 'skipinitialspace', 'strict')
    flags = (False, True)
    for values in itertools.product(oracle.QUOTINGS, (None, '\\'), flags, flags, flags):
        yield dict(zip(names, values, strict=True))


def assert_csv_reads_as_stated(items: list[str], dialect: dict[str, Any], **limit: int) -> None:
    stated = read_plainly(items, **dialect, **limit)
    running = read_with_running_csv(items, **dialect, **limit)
    stated.rows, running.rows = exact(stated.rows), exact(running.rows)
    assert stated == running, (items, dialect)


# --- The plain statement is the running csv, from 3.13 on ------------------------------------


@only_where_csv_is_the_rule
def test_statement_reads_all_short_items_as_csv_in_every_dialect() -> None:
    items = list(strings('a1,"\\ \n\r', 3))
    for dialect in every_dialect():
        for item in items:
            assert_csv_reads_as_stated([item], dialect)


@only_where_csv_is_the_rule
@pytest.mark.parametrize('strict', [False, True])
def test_statement_reads_all_short_texts_as_csv(strict: bool) -> None:
    for text in strings('a,"\n', 6):
        assert_csv_reads_as_stated(oracle.split_lines(text), {'strict': strict})


@only_where_csv_is_the_rule
@given(strategies.dialects_and_items())
def test_statement_reads_arbitrary_items_as_csv(case: tuple[dict[str, Any], list[str]]) -> None:
    dialect, items = case
    assert_csv_reads_as_stated(items, dialect)


@only_where_csv_is_the_rule
@given(strategies.dialects_and_texts())
def test_statement_reads_lines_as_csv(case: tuple[dict[str, Any], str]) -> None:
    dialect, text = case
    assert_csv_reads_as_stated(oracle.split_lines(text), dialect)


@only_where_csv_is_the_rule
@pytest.mark.parametrize('limit', [0, 1, 2, 3])
def test_statement_keeps_the_field_limit_of_csv(limit: int) -> None:
    for text in strings('ab,"\\', 4):
        assert_csv_reads_as_stated([text], {'escapechar': '\\'}, field_limit=limit)


@only_where_csv_is_the_rule
def test_statement_refuses_an_item_that_is_no_string_as_csv() -> None:
    assert_csv_reads_as_stated(['a,b\n', b'c,d\n'], {})  # type: ignore[list-item]


def test_older_csv_reads_items_as_stated_where_it_is_said_to() -> None:
    """What lets large files be checked with the running csv on 3.11 and 3.12, too."""
    items = list(strings('a1,"\\ \n\r', 3))
    for dialect in filter(oracle.running_csv_agrees, every_dialect()):
        for item in items:
            assert_csv_reads_as_stated([item], dialect)


@given(strategies.dialects_and_texts(quoting=oracle.QUOTE_MINIMAL))
def test_older_csv_reads_lines_as_stated_where_it_is_said_to(
    case: tuple[dict[str, Any], str],
) -> None:
    dialect, text = case
    assert_csv_reads_as_stated(oracle.split_lines(text), dialect)


# --- Formatting parameters -------------------------------------------------------------------

VALUES: dict[str, list[Any]] = {
    'delimiter': ['', 'ab', None, 1, '\n', '\r', ' ', ';', b',', '\0', '"', '\ud800'],
    'quotechar': ['', 'ab', None, 1, '\n', '\r', ' ', ',', b'"', 'q', '\0'],
    'escapechar': ['', 'ab', None, 1, '\n', '\r', ' ', ',', '"', b'\\', '\\', '\0'],
    'lineterminator': ['', None, 1, ',', '"', '\\', 'x', '\r', b'\n'],
    'quoting': [-1, 0, 1, 2, 3, 4, 5, 6, None, 'x', 1.0, True],
    'skipinitialspace': [True, False],
    'doublequote': [None],
    'strict': [1],
}


def parameters(how_many: int) -> Iterator[dict[str, Any]]:
    for names in itertools.combinations(VALUES, how_many):
        for values in itertools.product(*(VALUES[name] for name in names)):
            yield dict(zip(names, values, strict=True))


def refusal(call: Any, *args: Any, **given_parameters: Any) -> tuple[str, str] | None:
    try:
        call(*args, **given_parameters)
    except (TypeError, ValueError, csv.Error) as error:
        return type(error).__name__, str(error)
    return None


@only_where_csv_is_the_rule
@pytest.mark.parametrize('dialect', [None, 'excel', 'unix'])
@pytest.mark.parametrize('how_many', [1, 2, 3])
def test_statement_refuses_parameters_as_csv(how_many: int, dialect: str | None) -> None:
    for given_parameters in parameters(how_many):
        stated = refusal(oracle.plain_dialect, dialect, **given_parameters)
        running = refusal(csv.reader, [], dialect, **given_parameters)
        if sys.version_info >= (3, 14):  # which words some in another way
            stated, running = stated and stated[:1], running and running[:1]
        assert stated == running, given_parameters


@pytest.mark.parametrize('how_many', [1, 2, 3])
def test_parameters_are_refused_as_the_rule_says(how_many: int) -> None:
    for given_parameters in parameters(how_many):
        if given_parameters.get('delimiter', ',') is None:  # a line such as "sep=;" gives it
            continue
        expected = refusal(oracle.check_dialect, **given_parameters)
        assert refusal(csv_rows, [], **given_parameters) == expected, given_parameters


@pytest.mark.parametrize('dialect', ['excel', 'excel-tab', 'unix', csv.excel, csv.excel_tab()])
def test_parameters_beside_a_dialect_are_refused_as_the_rule_says(dialect: Any) -> None:
    for given_parameters in parameters(1):
        if dialect == 'excel' and given_parameters.get('delimiter', ',') is None:
            continue
        expected = refusal(oracle.check_dialect, dialect, **given_parameters)
        actual = refusal(csv_rows, [], dialect=dialect, **given_parameters)
        assert actual == expected, given_parameters


def test_an_unknown_dialect_is_the_error_of_csv() -> None:
    with pytest.raises(csv.Error, match=r'^unknown dialect$'):
        csv_rows([], dialect='no such dialect')


def test_an_unknown_parameter_is_a_type_error() -> None:
    with pytest.raises(TypeError, match='delimeter'):
        csv_rows([], delimeter=';')


def test_a_dialect_gives_the_parameters_it_has() -> None:
    class Plain:
        delimiter = ';'
        quotechar = "'"
        escapechar = '^'
        skipinitialspace = True

    lines = ["a; 'b;''c'; ^;d\n"]
    expected = [['a', "b;'c", ';d']]
    assert oracle.read(lines, dialect=Plain).rows == expected
    assert list(csv_rows(lines, dialect=Plain)) == expected
    assert list(csv_rows(lines, dialect=Plain())) == expected


def test_a_parameter_overrides_the_dialect() -> None:
    lines = ['a;b\tc\n']
    assert list(csv_rows(lines, dialect='excel-tab')) == [['a;b', 'c']]
    assert list(csv_rows(lines, dialect='excel-tab', delimiter=';')) == [['a', 'b\tc']]


def test_a_registered_dialect_is_found_by_name() -> None:
    csv.register_dialect('generators-test', delimiter='|', quotechar="'")
    try:
        assert list(csv_rows(["'a|b'|c\n"], dialect='generators-test')) == [['a|b', 'c']]
    finally:
        csv.unregister_dialect('generators-test')


def test_no_quotechar_and_no_dialect_means_no_quoting() -> None:
    lines = ['"a,b"\n']
    assert oracle.read(lines, quotechar=None).rows == [['"a', 'b"']]
    assert list(csv_rows(lines, quotechar=None)) == [['"a', 'b"']]


# --- Where an older csv differs --------------------------------------------------------------
# csv_rows keeps the rule everywhere; the running csv gives the rule, or the older answer.


def rows(*given_rows: list[Any]) -> Outcome:
    lines = len(given_rows)
    return Outcome(list(given_rows), list(range(1, lines + 1)), None, lines)


NOT_A_NUMBER = Outcome([], [], ValueError, 1)


def assert_differs(text: str, dialect: dict[str, Any], *, rule: Outcome, older: Outcome) -> None:
    assert read_plainly([text], **dialect) == rule
    if oracle.RUNNING_CSV_IS_THE_RULE:
        assert read_with_running_csv([text], **dialect) == rule
    elif hasattr(csv, 'QUOTE_STRINGS') or dialect['quoting'] == QUOTE_NONNUMERIC:
        assert read_with_running_csv([text], **dialect) in (rule, older)
    else:  # 3.11 does not know the quoting at all
        assert refusal(csv.reader, [], **dialect) == ('TypeError', 'bad "quoting" value')
    check(csv_rows, [text], rule, **dialect)
    check(csv_rows, text.encode(), rule, **dialect)


@pytest.mark.parametrize('quoting', [QUOTE_STRINGS, QUOTE_NOTNULL])
def test_an_empty_unquoted_field_is_none(quoting: int) -> None:
    assert_differs(
        ',""\n',
        {'quoting': quoting},
        rule=rows([None, '']),
        older=rows(['', '']),
    )


def test_an_unquoted_field_is_a_number_under_quote_strings() -> None:
    assert_differs(
        '1.5,"2"\n',
        {'quoting': QUOTE_STRINGS},
        rule=rows([1.5, '2']),
        older=rows(['1.5', '2']),
    )


def test_an_unquoted_word_is_an_error_under_quote_strings() -> None:
    assert_differs(
        'a\n',
        {'quoting': QUOTE_STRINGS},
        rule=NOT_A_NUMBER,
        older=rows(['a']),
    )


def test_an_unquoted_word_stays_a_word_under_quote_notnull() -> None:
    assert_differs(
        'a,1\n',
        {'quoting': QUOTE_NOTNULL},
        rule=rows(['a', '1']),
        older=rows(['a', '1']),
    )


def test_a_number_may_begin_with_an_escape() -> None:
    assert_differs(
        '\\1,2\n',
        {'quoting': QUOTE_NONNUMERIC, 'escapechar': '\\'},
        rule=rows([1.0, 2.0]),
        older=rows(['1', 2.0]),
    )


def test_a_word_that_begins_with_an_escape_is_no_number() -> None:
    assert_differs(
        '\\a\n',
        {'quoting': QUOTE_NONNUMERIC, 'escapechar': '\\'},
        rule=NOT_A_NUMBER,
        older=rows(['a']),
    )


DIFFERING_CHECKS: dict[str, tuple[dict[str, Any], type[Exception], str]] = {
    'delimiter_is_a_line_end': ({'delimiter': '\n'}, ValueError, 'bad delimiter value'),
    'quotechar_is_a_line_end': ({'quotechar': '\n'}, ValueError, 'bad quotechar value'),
    'escapechar_is_a_line_end': ({'escapechar': '\r'}, ValueError, 'bad escapechar value'),
    'quotechar_is_a_skipped_space': (
        {'quotechar': ' ', 'skipinitialspace': True},
        ValueError,
        'bad quotechar value',
    ),
    'escapechar_is_a_skipped_space': (
        {'escapechar': ' ', 'skipinitialspace': True},
        ValueError,
        'bad escapechar value',
    ),
    'delimiter_is_the_quotechar': (
        {'delimiter': '"'},
        ValueError,
        'bad delimiter or quotechar value',
    ),
    'delimiter_is_the_escapechar': (
        {'escapechar': ','},
        ValueError,
        'bad delimiter or escapechar value',
    ),
    'escapechar_is_the_quotechar': (
        {'escapechar': '"'},
        ValueError,
        'bad escapechar or quotechar value',
    ),
    'lineterminator_holds_the_delimiter': (
        {'lineterminator': '\n,'},
        ValueError,
        'bad delimiter or lineterminator value',
    ),
    'lineterminator_holds_the_quotechar': (
        {'lineterminator': '"\n'},
        ValueError,
        'bad quotechar or lineterminator value',
    ),
    'lineterminator_holds_the_escapechar': (
        {'lineterminator': '\\\n', 'escapechar': '\\'},
        ValueError,
        'bad escapechar or lineterminator value',
    ),
}


@pytest.mark.parametrize('name', DIFFERING_CHECKS)
def test_a_check_that_an_older_csv_does_not_make(name: str) -> None:
    given_parameters, error, message = DIFFERING_CHECKS[name]
    rule = (error.__name__, message)
    assert refusal(oracle.plain_dialect, **given_parameters) == rule
    assert refusal(csv_rows, [], **given_parameters) == rule
    running = refusal(csv.reader, [], **given_parameters)
    assert running in ((rule,) if oracle.RUNNING_CSV_IS_THE_RULE else (rule, None))


@pytest.mark.parametrize('quoting', [QUOTE_STRINGS, QUOTE_NOTNULL])
def test_a_quoting_that_3_11_does_not_know_is_taken(quoting: int) -> None:
    assert list(csv_rows(['"a"\n'], quoting=quoting)) == [['a']]


def test_no_quotechar_with_no_terminator_is_refused_for_the_quotechar_first() -> None:
    """3.13 looks at the quote first, older and newer ones at the terminator; all refuse."""
    given_parameters = {'quotechar': None, 'quoting': 0, 'lineterminator': None}
    rule = ('TypeError', 'quotechar must be set if quoting enabled')
    assert refusal(oracle.plain_dialect, **given_parameters) == rule
    actual = refusal(csv_rows, [], **given_parameters)
    assert actual is not None
    assert actual == rule if sys.version_info < (3, 14) else actual[0] == rule[0]

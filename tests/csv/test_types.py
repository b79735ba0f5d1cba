"""``types`` and ``null``: the value of a field is Python's own, always."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generators import CSVError, convert, csv_rows
from tests.references import check_references

PYTHON: dict[Any, Callable[[str], Any]] = {
    int: int,
    float: float,
    Decimal: Decimal,
    date: date.fromisoformat,
    datetime: datetime.fromisoformat,
}


def quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def sources(text: str) -> list[tuple[Any, str]]:
    """The field as bytes of three encodings and as text, with quotes."""
    record = f'{quoted(text)}\n'
    made: list[tuple[Any, str]] = [
        (list(io.StringIO(record, newline='')), 'utf-8'),
        (record.encode('utf-8', 'surrogatepass'), 'utf-8'),
        (record.encode('utf-16', 'surrogatepass'), 'utf-16'),
    ]
    if all(ord(c) < 256 for c in text):
        made.append((record.encode('latin-1'), 'latin-1'))
    return made


def check(kind: Any, text: str) -> None:
    if not text or '\0' in text or any(0xD800 <= ord(c) < 0xE000 for c in text):
        return
    try:
        expected = PYTHON[kind](text)
    except Exception as error:
        expected = error
    for source, encoding in sources(text):
        rows = csv_rows(source, types={0: kind}, encoding=encoding, max_field=None)
        try:
            ((value,),) = rows
        except CSVError as error:
            assert isinstance(expected, Exception), (text, expected)
            assert type(error.__cause__) is type(expected)
            assert str(error.__cause__) == str(expected)
        else:
            assert type(value) is type(expected), (text, value, expected)
            assert repr(value) == repr(expected)


spaces = st.text(' \t\n\r\v\f\x1c\x1f\x85\xa0\u2003', max_size=2)
digits = st.text('0123456789', max_size=22) | st.text('0123456789_٣५', max_size=9)
integers = st.builds(
    lambda a, sign, digits, b: a + sign + digits + b,
    spaces,
    st.sampled_from(['', '+', '-', '--', '0x', '\u2212']),
    digits | st.integers().map(str),
    spaces,
)
floats = (
    st.floats().map(repr)
    | st.builds(
        lambda a, sign, whole, point, rest, e, b: a + sign + whole + point + rest + e + b,
        spaces,
        st.sampled_from(['', '+', '-']),
        digits,
        st.sampled_from(['', '.', ',']),
        digits,
        st.sampled_from(['', 'e5', 'E-7', 'e+308', 'e-324', 'e', 'e9999', 'e-99999', 'e1_0']),
        spaces,
    )
    | st.sampled_from(['inf', '-Infinity', 'NaN', '+nan', '1_0.5', '5e-324'])
    | st.sampled_from(['2.2250738585072011e-308'])
)
dates = (
    st.dates().map(str)
    | st.dates().map(lambda d: d.strftime('%Y%m%d'))
    | st.from_regex(r'\A[0-9]{4}-?W?[0-9]{2}-?[0-9]{1,2}\Z')
)
datetimes = (
    st.datetimes().map(str)
    | st.datetimes().map(lambda d: d.isoformat(timespec='milliseconds'))
    | st.datetimes(timezones=st.timezones()).map(str)
    | st.from_regex(r'\A2[0-9]{3}-[01][0-9]-[0-3][0-9][T x][0-2][0-9]:[0-6][0-9](:[0-9.,]{2,9})?\Z')
)


@given(integers | floats | dates | st.text(max_size=12))
@example('9' * 18)
@example('9' * 19)
@example('-9223372036854775808')
@example('1' * 5000)
@example('-' + '1' * 4301)
@example('\u0663')
@example('1_0')
@example('_1')
def test_int_is_pythons(text: str) -> None:
    check(int, text)


def test_int_keeps_the_interpreters_limit() -> None:
    before = sys.get_int_max_str_digits()
    try:
        sys.set_int_max_str_digits(0)
        check(int, '7' * 5000)
        sys.set_int_max_str_digits(640)
        check(int, '7' * 640)
        check(int, '7' * 641)
    finally:
        sys.set_int_max_str_digits(before)


@given(floats | integers | st.text(max_size=12))
@example('-0')
@example('1e23')
@example('9007199254740993')
@example('0.1e-400')
@example('1' * 400)
def test_float_is_pythons(text: str) -> None:
    check(float, text)


@given(floats | integers | st.text(max_size=12))
def test_decimal_is_pythons(text: str) -> None:
    check(Decimal, text)


@given(dates | datetimes | st.text(max_size=12))
@example('2024-02-29')
@example('2023-02-29')
@example('20240229')
@example('2024-W09-4')
@example('0000-01-01')
def test_date_is_pythons(text: str) -> None:
    check(date, text)


@given(datetimes | dates | st.text(max_size=20))
@example('2024-01-01T24:00')
@example('2024-01-01T00:00:00,5')
@example('2024-01-01\u202f00:00')
def test_datetime_is_pythons(text: str) -> None:
    check(datetime, text)


# --- bool, str, bytes and callables -----------------------------------------------------------


def column(kind: Any, *fields: str, **arguments: Any) -> list[Any]:
    data = ''.join(f'{field}\n' for field in fields)
    return [row[0] for row in csv_rows(data.encode(), types={0: kind}, **arguments)]


def test_bool_has_its_own_spellings() -> None:
    assert column(bool, 'true', 'T', 'Yes', '1', 'YES', '"true"') == [True] * 6
    assert column(bool, 'FALSE', 'f', 'no', '0') == [False] * 4
    for text in ('y', 'n', 'on', '2', 'truer', ' true', 'ｔ'):
        with pytest.raises(CSVError, match=f"invalid bool: '{text}'"):
            column(bool, text)


def test_str_is_always_text() -> None:
    assert column(str, '""', '1', 'NA', null=['NA']) == ['', '1', 'NA']
    rows = csv_rows(b'"1",2,x\n', types={0: str, 1: str}, quoting=2, columns=[0, 1])
    assert list(rows) == [['1', '2']]


@given(st.text(max_size=8).filter(lambda text: not set(text) & set('\0')))
@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'utf-16', 'utf-16-le', 'cp1252'])
def test_bytes_are_those_of_the_source(encoding: str, text: str) -> None:
    try:
        data = f'{quoted(text)},x\n'.encode(encoding)
    except UnicodeError:
        return
    (row,) = csv_rows(data, types={0: bytes}, encoding=encoding)
    expected = text.encode(encoding)
    if encoding == 'utf-16':
        expected = expected[2:]
    assert row == [expected or None, 'x']


def test_bytes_of_text_sources_are_encoded() -> None:
    assert list(csv_rows(['é,"a""b"\n'], types={0: bytes, 1: bytes})) == [[b'\xc3\xa9', b'a"b']]
    rows = csv_rows(['é\n'], types={0: bytes}, encoding='latin-1')
    assert list(rows) == [[b'\xe9']]


def test_a_callable_gets_text() -> None:
    assert column(str.upper, 'é', '"a"', '""') == ['É', 'A', None]
    assert column(lambda text: [text], 'x') == [['x']]


def test_no_decimal_is_made_of_a_subclass() -> None:
    class Money(Decimal):
        pass

    assert type(column(Money, '1')[0]) is Money


# --- None -------------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', [int, float, bool, bytes, Decimal, date, datetime, len])
def test_empty_and_null_are_none_where_types_says_the_type(kind: Any) -> None:
    assert column(kind, '""', 'NA', '-', null=('NA', '-')) == [None] * 3


def test_a_quoted_null_is_not_null() -> None:
    assert column(len, '"NA"', 'NA', null=['NA']) == [2, None]
    assert column(len, 'ÿ€', '"ÿ€"', 'x', null=['ÿ€']) == [None, 2, 1]
    lines = ['ÿ€\n', '"NA"\n', 'NA\n', 'NAN\n']
    rows = csv_rows(lines, types={0: len}, null=['ÿ€', 'NA'])
    assert list(rows) == [[None], [2], [None], [3]]


def test_an_annotation_says_whether_none_may_be() -> None:
    class Row(NamedTuple):
        a: int | None
        b: float
        c: str
        d: str | None

    data = b'a,b,c,d\n1,2,,\n,3,NA,NA\n1,,x,y\n'
    rows = csv_rows(data, into=Row, null=['NA'])
    assert next(rows) == (1, 2.0, '', None)
    assert next(rows) == (None, 3.0, 'NA', None)
    with pytest.raises(CSVError, match='an empty field, but None is not allowed') as caught:
        next(rows)
    assert (caught.value.record, caught.value.line, caught.value.column) == (4, 4, 'b')
    with pytest.raises(CSVError, match='a null, but None is not allowed'):
        next(csv_rows(b'a,b,c,d\n1,NA,,\n', into=Row, null=['NA']))


def test_union_types() -> None:
    assert column(int | None, '1', '""') == [1, None]
    with pytest.raises(TypeError, match="types: column 'a' must have a type or a callable"):
        csv_rows(b'', types={'a': int | str})


@pytest.mark.parametrize(
    ('arguments', 'error'),
    [
        ({'types': [int]}, TypeError),
        ({'types': {'a': 3}}, TypeError),
        ({'types': {1.5: int}}, TypeError),
        ({'types': {-1: int}}, ValueError),
        ({'null': 'NA'}, TypeError),
        ({'null': [3]}, TypeError),
    ],
)
def test_what_is_no_type_or_spelling_is_refused(arguments: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        csv_rows(b'a\n', **arguments)


# --- errors and quoting -----------------------------------------------------------------------


def test_the_error_of_a_field_names_its_column() -> None:
    rows = csv_rows(b'id,"the\nx"\n1,"\nbad"\n', types={'the\nx': float})
    with pytest.raises(CSVError) as caught:
        next(rows)
    error = caught.value
    assert (error.column, error.text, error.record, error.line) == ('the\nx', '\nbad', 2, 3)
    assert isinstance(error.__cause__, ValueError)


def test_untyped_columns_keep_what_quoting_makes_of_them() -> None:
    rows = csv_rows(b'1,2,"3"\n', types={1: str}, quoting=2)
    assert list(rows) == [[1.0, '2', '3']]


def test_memory_errors_come_through() -> None:
    def full(text: str) -> Any:
        raise MemoryError

    with pytest.raises(MemoryError):
        column(full, 'x')


def test_the_notes_of_a_type_are_let_go() -> None:
    hint = Annotated[int, 'a note', convert.integer()]
    notes = hint.__metadata__

    def use() -> None:
        assert list(csv_rows(b'1\n', types={0: hint})) == [[1]]
        assert list(csv_rows(b'1\n', types={0: Annotated[int, 'a note']})) == [[1]]

    check_references(use, notes)

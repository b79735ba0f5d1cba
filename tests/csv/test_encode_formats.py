"""``csv_encode``: how values are written, against a model in plain Python."""

from __future__ import annotations

import csv
import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, csv_encode, csv_rows

from .oracle import QUOTE_NOTNULL, QUOTE_STRINGS
from .oracle_writer import is_number, write

UTC2 = dt.timezone(dt.timedelta(hours=2))


def encoded(rows: Any, **arguments: Any) -> bytes:
    return b''.join(csv_encode(rows, **arguments))


# ---- the model ----


def text_of(value: Any, formats: dict[str, Any]) -> str | None:
    """The text of a value; None if it is written as None is."""
    if value is None or (value != value and 'null' in formats):
        return None
    if value is True or value is False:
        return str(formats.get('true' if value else 'false', value))
    if isinstance(value, dt.datetime) and 'datetime_format' in formats:
        if formats['datetime_format'] == 'iso':
            return value.isoformat()
        return value.strftime(formats['datetime_format'])
    text = str(value)
    if isinstance(value, float) and 'float_format' in formats:
        text = format(value, formats['float_format'].removeprefix('%'))
    if isinstance(value, float | Decimal) and formats.get('decimal') == ',':
        text = text.replace('.', ',')
    return text


def field(value: Any, quoting: int, formats: dict[str, Any], alone: bool) -> str:
    text = text_of(value, formats)
    null = formats.get('null', '')
    number = is_number(value) and text is not None
    quoted = {
        csv.QUOTE_MINIMAL: not number and text is not None and text == formats.get('null'),
        csv.QUOTE_ALL: True,
        csv.QUOTE_NONNUMERIC: not number,
        QUOTE_STRINGS: isinstance(value, str),
        QUOTE_NOTNULL: text is not None,
    }[quoting]
    text = null if text is None else text
    if quoted or set(text) & set(',"\r\n') or (alone and text == ''):
        return '"' + text.replace('"', '""') + '"'
    return text


def model(rows: list[list[Any]], quoting: int, formats: dict[str, Any]) -> bytes:
    lines = [
        ','.join(field(value, quoting, formats, len(row) == 1) for value in row) for row in rows
    ]
    return ''.join(f'{line}\r\n' for line in lines).encode()


values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from([0.125, 2.5, 1e22, 1e-7, -0.0, 123456.789]),
    st.text('aNé,."\n-1=', max_size=4),
    st.sampled_from(['', 'NA', 'nan', '\\N', 'True']),
    st.decimals(places=2, min_value=-1000, max_value=1000),
    st.datetimes(
        min_value=dt.datetime(1900, 1, 1),
        timezones=st.sampled_from([None, dt.UTC, UTC2, dt.timezone(dt.timedelta(0), 'Z')]),
    ),
    st.dates(),
    st.times(timezones=st.sampled_from([None, dt.UTC])),
    st.timedeltas(),
)
formats = st.fixed_dictionaries(
    {},
    optional={
        'null': st.sampled_from(['', 'NA', '\\N', 'N,A', '-', 'é']),
        'true': st.sampled_from(['yes', '1', 'j,a', 'ü' * 70, '']),
        'false': st.sampled_from(['no', '0', '"']),
        'float_format': st.sampled_from(['.2f', '%.3f', '.0f', '.17g', '+.1e', 'g', 'F', '.300f']),
        'datetime_format': st.sampled_from(['iso', '%d.%m.%Y', '%H:%M, %j']),
        'decimal': st.sampled_from(['.', ',']),
    },
)
quotings = [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, QUOTE_STRINGS, QUOTE_NOTNULL]


def is_refused(row: list[Any], quoting: int, formats: dict[str, Any]) -> bool:
    """What csv.writer refuses: nothing at all in a line, that may not be quoted."""
    return (
        quoting in (QUOTE_STRINGS, QUOTE_NOTNULL)
        and len(row) == 1
        and text_of(row[0], formats) is None
        and formats.get('null', '') == ''
    )


@given(st.lists(st.lists(values, min_size=1, max_size=4)), st.sampled_from(quotings), formats)
def test_values_are_written_as_the_model_says(
    rows: list[list[Any]], quoting: int, formats: dict[str, Any]
) -> None:
    rows = [row for row in rows if not is_refused(row, quoting, formats)]
    expected = model(rows, quoting, formats)
    assert encoded(rows, quoting=quoting, **formats) == expected
    assert encoded(map(iter, rows), quoting=quoting, **formats) == expected


@given(st.lists(st.lists(values, min_size=1, max_size=4)))
def test_by_default_it_is_csv_writer(rows: list[list[Any]]) -> None:
    defaults: Any = {
        **dict.fromkeys(['null', 'true', 'false', 'float_format', 'datetime_format']),
        'decimal': '.',
    }
    assert encoded(rows, **defaults) == write(rows)[0].encode()


@pytest.mark.parametrize('make', [dt.datetime, dt.date, dt.time])
def test_a_subclass_of_a_date_or_time_has_its_own_text(make: Any) -> None:
    class Mine(make):  # type: ignore[misc]
        def __str__(self) -> str:
            return 'mine'

    value = Mine(1, 2, 3)
    assert encoded([[value, make(1, 2, 3)]]) == write([[value, make(1, 2, 3)]])[0].encode()


def test_dates_that_need_quotes_or_escapes() -> None:
    row = [dt.date(1, 1, 1), dt.datetime(9999, 12, 31, 23, 59, 59, 999999), dt.time(0)]
    for arguments in (
        *({'delimiter': c} for c in '-: 1.'),
        *({'quoting': quoting} for quoting in quotings),
        {'quoting': csv.QUOTE_NONE, 'escapechar': '-'},
        {'escape_formulas': True},
    ):
        options: Any = {k: v for k, v in arguments.items() if k != 'escape_formulas'}
        assert encoded([row], **arguments) == write([row], **options)[0].encode()
    assert encoded([row], null='0001-01-01').startswith(b'"0001-01-01",9999-')


# ---- each parameter ----


def test_null() -> None:
    assert encoded([[None, 1, 'x']], null='NULL') == b'NULL,1,x\r\n'
    assert encoded([[None, 'NULL', '']], null='NULL') == b'NULL,"NULL",\r\n'
    assert encoded([[None, '']], null='') == b',""\r\n'
    assert encoded([[None]], null='-') == b'-\r\n'
    assert encoded([[None, 'a']], null='-', quoting=csv.QUOTE_ALL) == b'"-","a"\r\n'
    assert encoded([[None, 'a', 1]], null='-', quoting=QUOTE_NOTNULL) == b'-,"a","1"\r\n'


def test_null_is_read_back() -> None:
    def as_it_is(text: str) -> str:
        return text

    rows = [[None, 'NULL', 'y', '"NULL"', ' NULL'], ['NULL', None, 'x', None, 'null']]
    data = encoded(rows, null='NULL')
    types = dict.fromkeys(range(5), as_it_is)
    assert list(csv_rows(data, types=types, null=['NULL'])) == rows


def test_nan_is_null_where_null_is_given() -> None:
    row = [float('nan'), Decimal('NaN'), 'nan', math.inf]
    assert encoded([row]) == b'nan,NaN,nan,inf\r\n'
    assert encoded([row], null='') == b',,nan,inf\r\n'
    assert encoded([row], null='NA', float_format='.1f') == b'NA,NA,nan,inf\r\n'


def test_true_and_false() -> None:
    assert encoded([[True, False]], true='ja') == b'ja,False\r\n'
    assert encoded([[True, False]], false='') == b'True,\r\n'
    assert encoded([[True, 1, 'True']], true='yes', quoting=csv.QUOTE_NONNUMERIC) == (
        b'yes,1,"True"\r\n'
    )


def test_floats() -> None:
    class Special(float):
        def __str__(self) -> str:
            return 'special'

    assert encoded([[1.005, 2, Decimal('1.555'), 1e300]], float_format='.2f').startswith(
        b'1.00,2,1.555,1000000'
    )
    assert encoded([[Special(1.5)]], float_format='.3f') == b'1.500\r\n'
    assert encoded([[Special(1.5)]]) == b'special\r\n'
    assert encoded([[1.5, Fraction(1, 3)]], float_format='%e') == b'1.500000e+00,1/3\r\n'


def test_a_decimal_comma() -> None:
    row = [1.5, -2e-7, Decimal('1234.50'), 3, '1.5', dt.time(1, 2, 3, 4)]
    assert encoded([row], decimal=',', delimiter=';') == (
        b'1,5;-2e-07;1234,50;3;1.5;01:02:03.000004\r\n'
    )
    assert encoded([[1.5, 2.0]], decimal=',') == b'"1,5","2,0"\r\n'
    assert encoded([[-1.5]], decimal=',', delimiter=';', escape_formulas=True) == b'-1,5\r\n'


def test_datetimes() -> None:
    moment = dt.datetime(2024, 2, 29, 12, 30, tzinfo=UTC2)
    row = [moment, moment.date(), moment.time()]
    assert encoded([row]) == b'2024-02-29 12:30:00+02:00,2024-02-29,12:30:00\r\n'
    assert encoded([row], datetime_format='iso') == (
        b'2024-02-29T12:30:00+02:00,2024-02-29,12:30:00\r\n'
    )
    assert encoded([row], datetime_format='%d.%m.%Y') == b'29.02.2024,2024-02-29,12:30:00\r\n'


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'null': 5}, TypeError, "null must be a str or None, not 'int'"),
        ({'true': b'1'}, TypeError, "true must be a str or None, not 'bytes'"),
        ({'false': False}, TypeError, "false must be a str or None, not 'bool'"),
        ({'float_format': 2}, TypeError, 'float_format must be a str or None'),
        ({'float_format': ''}, ValueError, 'float_format must be a format such as'),
        ({'float_format': '.2'}, ValueError, 'float_format must be a format such as'),
        ({'float_format': '.f'}, ValueError, 'float_format must be a format such as'),
        ({'float_format': '.2fx'}, ValueError, 'float_format must be a format such as'),
        ({'float_format': '.2f\0'}, ValueError, 'float_format must be a format such as'),
        ({'float_format': '.999999999999f'}, ValueError, 'a precision of 350 at most'),
        ({'float_format': '{:.2f}'}, ValueError, 'float_format must be a format such as'),
        ({'float_format': 'é'}, ValueError, 'float_format must be a format such as'),
        ({'datetime_format': True}, TypeError, 'datetime_format must be a str or None'),
        ({'datetime_format': 'ISO'}, ValueError, "datetime_format must be 'iso' or a format of"),
        ({'decimal': 5}, TypeError, "decimal must be '.' or ',', not 'int'"),
        ({'decimal': ';'}, ValueError, "decimal must be '.' or ',', not ';'"),
        ({'decimal': ''}, ValueError, "decimal must be '.' or ','"),
    ],
)
def test_what_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message.replace('.', '[.]').replace("'[.]'", "'.'")):
        csv_encode([], **arguments)


class Moment(dt.datetime):
    answer: Any = 'ok'

    def isoformat(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer

    strftime = isoformat


@pytest.mark.parametrize('form', ['iso', '%Y'])
def test_a_datetime_of_another_class(form: str) -> None:
    moment = Moment(2024, 1, 1)
    assert encoded([[moment]], datetime_format=form) == b'ok\r\n'
    moment.answer = KeyError('no')
    with pytest.raises(KeyError) as caught:
        encoded([[1, moment]], datetime_format=form)
    assert caught.value.__notes__ == ['while reading row 0, column 1']
    moment.answer = 5
    with pytest.raises(TypeError, match='should have returned a str'):
        encoded([[moment]], datetime_format=form)


# ---- numpy and pandas ----


def test_scalars_of_numpy() -> None:
    np = pytest.importorskip('numpy')
    row = [np.bool_(True), np.float32(0.1), np.float64(2.5), np.int64(-3), np.str_('x')]
    assert encoded([row]) == b'True,0.1,2.5,-3,x\r\n'
    assert encoded([row], true='yes', float_format='.3f', decimal=',', delimiter=';') == (
        b'yes;0,100;2,500;-3;x\r\n'
    )
    assert encoded([[np.bool_(False), np.float32('nan')]], false='n', null='NA') == b'n,NA\r\n'
    moment = np.datetime64('2024-02-29T12:30:00.000000500')
    assert encoded([[moment]]) == b'2024-02-29T12:30:00.000000500\r\n'
    assert encoded([[moment]], datetime_format='%d.%m.%Y') == b'29.02.2024\r\n'


def test_what_pandas_and_numpy_have_for_none() -> None:
    pd, np = pytest.importorskip('pandas'), pytest.importorskip('numpy')
    row = [pd.NaT, pd.NA, np.datetime64('NaT', 's'), np.timedelta64('NaT', 's'), 1]
    assert encoded([row]) == b',,,,1\r\n'
    assert encoded([row], null='-', datetime_format='%Y') == b'-,-,-,-,1\r\n'
    assert encoded([['NaT', '<NA>']]) == b'NaT,<NA>\r\n'
    assert encoded([[pd.NaT]]) == b'""\r\n'


def test_no_class_is_taken_for_one_of_pandas() -> None:
    class NaTType:
        def __str__(self) -> str:
            return 'mine'

    assert encoded([[NaTType()]], null='-', datetime_format='iso') == b'mine\r\n'


def test_values_that_fail_while_they_are_looked_at() -> None:
    class Hidden:
        @property
        def __class__(self) -> Any:
            raise KeyError('hidden')

    with pytest.raises(KeyError, match='hidden'):
        encoded([[Hidden()]], datetime_format='iso')
    alike = type('numpy.float_alike', (), {})
    with pytest.raises(TypeError, match='must be real number'):
        encoded([[alike()]], float_format='.2f')


# ---- columns of Arrow ----

pa = pytest.importorskip('pyarrow')


def as_columns(table: Any, **arguments: Any) -> None:
    """By columns, the text is that of the rows."""
    rows = [list(row.values()) for row in table.to_pylist()]
    expected = encoded(rows, **arguments)
    assert encoded(table, header=False, **arguments) == expected
    coded = pa.table({name: table[name].dictionary_encode() for name in table.column_names})
    assert encoded(coded, header=False, **arguments) == expected


texts = st.sampled_from(['', 'NA', '\\N', '-5', '=x', 'a,b', 'é"']) | st.text(max_size=6)


@given(st.data(), st.sampled_from(quotings), formats, st.booleans())
def test_columns_are_written_as_rows(
    data: Any, quoting: int, formats: dict[str, Any], escapes: bool
) -> None:
    count = data.draw(st.integers(0, 6))

    def column(values: Any, kind: Any) -> Any:
        drawn = data.draw(st.lists(st.none() | values, min_size=count, max_size=count))
        return pa.array(drawn, kind)

    naive = st.datetimes(min_value=dt.datetime(1900, 1, 1))
    table = pa.table(
        {
            'bool': column(st.booleans(), pa.bool_()),
            'int': column(st.integers(-5, 5), pa.int8()),
            'double': column(st.floats(), pa.float64()),
            'float': column(st.floats(width=32), pa.float32()),
            'half': column(st.floats(width=16), pa.float16()),
            'decimal': column(st.decimals(-99, 99, places=2), pa.decimal128(6, 2)),
            'text': column(texts, pa.string()),
            'large': column(st.sampled_from(['', 'NA', '\\N', '-']), pa.large_string()),
            'view': column(st.sampled_from(['', 'NA', '-5', '=x']), pa.string_view()),
            'moment': column(naive, pa.timestamp('us')),
            'zone': column(naive, pa.timestamp('s', '+02:00')),
        }
    )
    table = table.select(data.draw(st.permutations(table.column_names)))
    rows = [list(row.values()) for row in table.to_pylist()]
    expected = encoded(rows, quoting=quoting, escape_formulas=escapes, **formats)
    given = {'quoting': quoting, 'escape_formulas': escapes, **formats}
    assert encoded(table, header=False, **given) == expected


def test_formats_of_dictionaries_and_nested_columns() -> None:
    table = pa.table(
        {
            'bool': pa.array([True, False, None]),
            'float': pa.array([1.5, float('nan'), None]),
            'moment': pa.array([dt.datetime(2024, 1, 1), None, dt.datetime(2024, 1, 2)]),
            'text': pa.array(['NA', '', None]),
        }
    )
    for moments in ('iso', '%d.%m.%Y'):
        as_columns(table, true='yes', decimal=',', null='NA', datetime_format=moments)
    as_columns(table, float_format='.3f', null='')
    nested = pa.table({'list': pa.array([[1.5], None]), 'x': [1, 2]})
    assert encoded(nested, null='-', decimal=',', header=False) == b'[1.5],1\r\n-,2\r\n'


@pytest.mark.parametrize('kind', [pa.float16(), pa.float32(), pa.float64()])
def test_floats_of_every_width(kind: Any) -> None:
    table = pa.table({'x': pa.array([0.5, -2.0, float('nan'), None], kind), 'y': [1, 2, 3, 4]})
    for arguments in ({'null': '-'}, {'float_format': '.3f'}, {'decimal': ',', 'null': ''}):
        as_columns(table, **arguments)


def test_nested_text_that_is_that_of_null() -> None:
    table = pa.table({'x': pa.array([[1], [2], None]), 'y': [1, 2, 3]})
    assert encoded(table, header=False, null='[1]') == b'"[1]",1\r\n[2],2\r\n[1],3\r\n'


@pytest.mark.parametrize('kind', [pa.timestamp('ns'), pa.duration('ns')])
def test_nat_among_columns_is_null(kind: Any) -> None:
    pytest.importorskip('pandas')
    array = pa.array([-(2**63), 0], pa.int64()).cast(kind)
    table = pa.table({'x': array, 'y': [1, 2]})
    lines = encoded(table, header=False, null='-').splitlines()
    assert lines[0] == b'-,1'
    assert encoded(table, header=False).startswith(b',1\r\n')
    if kind == pa.timestamp('ns'):
        written = encoded(table, header=False, null='-', datetime_format='%Y')
        assert written == b'-,1\r\n1970,2\r\n'


def test_a_null_text_that_cannot_be_written() -> None:
    table = pa.table({'x': [1]})
    with pytest.raises(UnicodeEncodeError):
        encoded(table, null='\ud800')
    with pytest.raises(CSVError, match="row 0: 'utf-8' codec can't encode"):
        encoded(pa.table({'x': [True]}), true='\ud800')


def test_a_strftime_that_fails_among_columns() -> None:
    table = pa.table({'x': pa.array([dt.datetime(2024, 1, 1)])})
    with pytest.raises(CSVError, match='row 0: '):
        encoded(table, datetime_format='%Y\ud800')

"""``generators.convert``: each converter gives what plain Python says of the same text."""

import pickle
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generators import CSVError, CSVRow, convert, csv_batches, csv_rows
from tests.csv.test_types import sources

GERMAN = convert.number(decimal=',', thousands='.')
DATE = convert.date_format('%d.%m.%Y')
FRENCH = convert.number(decimal=',', thousands=' \u00a0\u202f')
WORDS = convert.boolean(true=['ja', 'Straße'], false=['NEIN', 'ÿ'])


def outcome(make: Callable[[], Any]) -> Any:
    """The value, or ValueError."""
    try:
        return repr(make())
    except ValueError:
        return ValueError


def from_rows(source: Any, kind: Any, encoding: str) -> Any:
    ((value,),) = csv_rows(source, types={0: kind}, encoding=encoding, max_field=None)
    return value


def check(kind: Any, text: str, model: Callable[[str], Any]) -> None:
    """A field is what the model makes of its text; whitespace alone is None."""
    if '\0' in text:
        return
    expected = outcome(lambda: model(text.strip()) if text.strip() else None)
    for source, encoding in sources(text):
        assert outcome(lambda: from_rows(source, kind, encoding)) == expected, (text, encoding)  # noqa: B023
    if text.strip():
        assert outcome(lambda: kind(text)) == expected


# ---- numbers ----


def grouping(marks: str) -> str:
    if not marks:
        return '[0-9]*'
    mark = f'[{re.escape(marks)}]'
    threes = rf'[0-9]{{1,3}}(?:{mark}[0-9]{{3}})+'
    twos = rf'[0-9]{{1,2}}(?:{mark}[0-9]{{2}})+{mark}[0-9]{{3}}'
    return f'[0-9]*|{threes}|{twos}'


def plain_number(text: str, decimal: str, thousands: str, special: bool = True) -> str:
    """The text as float() takes it, or ValueError."""
    whole = grouping(thousands)
    rest = rf'(?:{re.escape(decimal)}[0-9]*)?(?:[eE][+-]?[0-9]+)?'
    if special and re.fullmatch(r'[+-]?(nan|inf|infinity)', text, re.ASCII | re.IGNORECASE):
        return text
    if not re.fullmatch(rf'[+-]?(?:{whole}){rest}', text):
        raise ValueError(text)
    for mark in thousands:
        text = text.replace(mark, '')
    text = text.replace(decimal, '.')
    if not re.match(r'[+-]?\.?[0-9]', text):
        raise ValueError(text)
    return text


numbers = st.one_of(
    st.floats().map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda x: f'{x:,.4f}'),
    st.integers().map(lambda n: f'{n:,}'),
    st.text('0123456789.,+-eE \u00a0_nif', max_size=14),
    st.from_regex(r'\A[+-]?[0-9]{1,3}([.,][0-9]{3}){0,8}([.,][0-9]{1,30})?(e[+-]?[0-9]{1,4})?\Z'),
)
swapped = numbers.map(lambda text: text.translate(str.maketrans(',.', '.,')))


@given(swapped | numbers)
@example('1.5')
@example('1.234.567,5e3')
@example('12.34.567')
@example('1.2.345')
@example('1.234567')
@example('-,5')
@example('-,')
@example('١٢')
@example('1_000')
@example('1' * 70 + ',5')
@example('0,' + '0' * 400 + '1e400')
@example('1e999')
@example(' -Infinity\u3000')
@example('−1')
@example('1,')
def test_a_number_is_the_float_of_the_plain_text(text: str) -> None:
    check(GERMAN, text, lambda t: float(plain_number(t, ',', '.')))


@given(numbers)
@example('1 234\u00a0567\u202f890,5')
@example('1  234')
@example('1 23')
def test_each_of_several_characters_may_group(text: str) -> None:
    text = text.replace(',', ' ').replace('.', ',')
    check(FRENCH, text, lambda t: float(plain_number(t, ',', ' \u00a0\u202f')))


@given(numbers)
def test_a_point_and_no_groups(text: str) -> None:
    check(convert.number(), text, lambda t: float(plain_number(t, '.', '')))


def whole_number(text: str, thousands: str) -> int:
    if not re.fullmatch(rf'[+-]?(?:{grouping(thousands)})', text) or not text.strip('+-'):
        raise ValueError(text)
    for mark in thousands:
        text = text.replace(mark, '')
    return int(text)


@given(numbers)
@example('9223372036854775808')
@example('-9.223.372.036.854.775.808')
@example('1' * 100)
@example('1' * 5000)
@example('1.000,0')
@example('+')
@example('007')
def test_an_integer_is_the_int_of_the_plain_text(text: str) -> None:
    check(convert.integer(thousands="'"), text.replace(',', "'"), lambda t: whole_number(t, "'"))
    check(convert.integer(), text, lambda t: whole_number(t, ''))


def fitting_decimal(text: str, precision: int, scale: int) -> Decimal:
    value = Decimal(plain_number(text, ',', '.', special=False))
    sign, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    number = int(''.join(map(str, digits)))
    if number and (exponent + scale > 40 or exponent + scale < -len(digits)):
        raise ValueError(text)
    scaled = number * 10 ** max(exponent + scale, 0)
    scaled, rest = divmod(scaled, 10 ** max(-exponent - scale, 0)) if number else (0, 0)
    if rest or scaled >= 10**precision:
        raise ValueError(text)
    return Decimal((sign if scaled else 0, tuple(map(int, str(scaled))), -scale))


@given(swapped)
@example('1,999')
@example('1,990')
@example('99999999,99')
@example('100000000')
@example('nan')
@example('1e6')
@example('-0')
def test_a_decimal_has_its_scale_or_does_not_fit(text: str) -> None:
    check(
        convert.decimal(10, 2, decimal=',', thousands='.'),
        text,
        lambda t: fitting_decimal(t, 10, 2),
    )


def test_a_decimal_of_38_digits() -> None:
    text = '-' + '9' * 30 + ',' + '8' * 8
    check(convert.decimal(38, 8, decimal=','), text, lambda t: Decimal(t.replace(',', '.')))


# ---- words ----


@given(
    st.sampled_from(
        ['ja', 'JA', 'nein', 'STRASSE', 'strasse', 'ÿ', 'Ÿ', 'j', 'jaa', '1', 'ſtrasse']
    ),
    st.text(' \t\u00a0', max_size=2),
)
def test_a_word_is_true_or_false_in_any_case(word: str, space: str) -> None:
    table = {'ja': True, 'strasse': True, 'nein': False, 'ÿ': False}

    def model(text: str) -> bool:
        if text.casefold() not in table:
            raise ValueError(text)
        return table[text.casefold()]

    check(WORDS, space + word + space, model)


# ---- dates ----

FORMATS = [
    '%d.%m.%Y', '%Y%m%d', '%d/%m/%y', '%m-%d-%Y %H:%M', '%d.%m.%Y %H:%M:%S.%f', '%H:%M',
    '%I:%M %p', '%d-%b-%Y', '%d %B %Y', '%Y年%m月%d日', '%d%m%Y%H%M%S', '%Y-%j', '%a %d.%m.%Y',
    '%Y-%m-%dT%H:%M:%S%z', '%d.  %m. %Y', '%%%Y', '%m.', '%H', '%y%m%d%f', 'the %d.%m.%Y',
]  # fmt: skip


def by_strptime(format: str) -> Callable[[str], Any]:
    named = {letter for letter in re.findall('%(.)', format) if letter != '%'}
    has_time = bool(named & set('HIpMSfz'))
    has_date = bool(named - set('HIpMSfz'))

    def model(text: str) -> Any:
        value = datetime.strptime(text, format)
        return value if has_date and has_time else value.date() if has_date else value.timetz()

    return model


@pytest.mark.filterwarnings('ignore::DeprecationWarning')
@given(
    st.sampled_from(FORMATS),
    st.datetimes(min_value=datetime(1000, 1, 1)),
    st.sampled_from([None, *'0123456789 .:-/aAP']),
    st.integers(0, 30),
    st.booleans(),
)
@example('%d.%m.%Y', datetime(2024, 2, 29), None, 0, False)
@example('%I:%M %p', datetime(2024, 2, 29, 0, 5), None, 0, False)
@example('%I:%M %p', datetime(2024, 2, 29, 12, 5), None, 0, False)
def test_a_date_is_that_of_strptime(
    format: str, moment: datetime, character: str | None, place: int, narrow: bool
) -> None:
    text = moment.strftime(format)
    if narrow:
        text = re.sub(r'(?<![0-9])0(?=[0-9])', '', text)
    if character is not None and place < len(text):
        text = text[:place] + character + text[place + 1 :]
    if '%z' in format and character is None:
        text += '+0530'
    if text.strip() != text:
        return
    kind = convert.date_format(format)
    check(kind, text, by_strptime(format))
    check(kind, f' {text}\u00a0', by_strptime(format))


@given(st.text('0123456789.: -', max_size=12))
def test_any_text_is_that_of_strptime(text: str) -> None:
    check(DATE, text, by_strptime('%d.%m.%Y'))
    check(convert.date_format('%H:%M'), text, by_strptime('%H:%M'))


@given(st.times().map(str) | st.text('0123456789:.', max_size=9))
@example('24:00')
@example('10:30+01:00')
def test_a_time_is_that_of_fromisoformat(text: str) -> None:
    check(convert.time, text, time.fromisoformat)
    if text.strip():
        assert outcome(lambda: from_rows(f'{text}\n'.encode(), time, 'utf-8')) == outcome(
            lambda: time.fromisoformat(text)
        )


# ---- strip ----


@given(st.text(' \t\x1c\x85\u00a0\u2003\u3000\u1680aé中', max_size=9))
def test_a_text_is_stripped(text: str) -> None:
    assert convert.strip(text) == text.strip()
    for source, encoding in sources(text):
        assert from_rows(source, convert.strip, encoding) == text.strip()


# ---- where a type is ----

TABLE = (
    'betrag;datum;um;bezahlt;name;stück;preis;zeit\n'
    '1.234,50;24.12.2026;10:30;ja;  Ann ;1.000;12,5;24.12.2026 08:15\n'
    '-5;1.2.2026;23:59:01.5;NEIN;\u00a0Zoë;12;7;1.1.1970 00:00\n'
    ' ;;\t;  ;  ;"";;\n'
    '1e400; 31.12.1969 ;00:00;Ja;\u3000中;9223372036854775807;-0,01;31.12.9999 23:59\n'
)
TYPES: dict[Any, Any] = {
    'betrag': GERMAN,
    'datum': DATE,
    'um': convert.time,
    'bezahlt': convert.boolean(true=['ja'], false=['nein']),
    'name': convert.strip,
    'stück': convert.integer(thousands='.'),
    'preis': convert.decimal(8, 2, decimal=','),
    'zeit': convert.date_format('%d.%m.%Y %H:%M'),
}
EXPECTED = [
    [
        1234.5, date(2026, 12, 24), time(10, 30), True, 'Ann', 1000, Decimal('12.50'),
        datetime(2026, 12, 24, 8, 15),
    ],
    [
        -5.0, date(2026, 2, 1), time(23, 59, 1, 500000), False, 'Zoë', 12, Decimal('7.00'),
        datetime(1970, 1, 1),
    ],
    [None, None, None, None, '', None, None, None],
    [
        float('inf'), date(1969, 12, 31), time(), True, '中', 2**63 - 1, Decimal('-0.01'),
        datetime(9999, 12, 31, 23, 59),
    ],
]  # fmt: skip


@pytest.mark.parametrize('into', [list, tuple, dict, CSVRow])
def test_rows_of_every_shape(into: Any) -> None:
    rows = csv_rows(TABLE.encode(), into=into, types=TYPES, delimiter=';', header=True)
    assert [list(row.values()) if into is dict else list(row) for row in rows] == EXPECTED


@pytest.mark.parametrize('encoding', ['utf-8', 'utf-16', None])
@pytest.mark.parametrize('threads', [1, 2])
def test_columns_of_every_kind(encoding: str | None, threads: int) -> None:
    pyarrow = pytest.importorskip('pyarrow')
    source: Any = TABLE.splitlines(keepends=True) if encoding is None else TABLE.encode(encoding)
    more = {} if encoding is None else {'encoding': encoding}
    batches = csv_batches(source, types=TYPES, delimiter=';', threads=threads, **more)
    table = pyarrow.table(batches)
    assert [str(field.type) for field in table.schema] == [
        'double', 'date32[day]', 'time64[us]', 'bool', 'string', 'int64', 'decimal128(8, 2)',
        'timestamp[us]',
    ]  # fmt: skip
    assert [list(row.values()) for row in table.to_pylist()] == EXPECTED


def test_columns_are_those_of_rows_for_large_files() -> None:
    pyarrow = pytest.importorskip('pyarrow')
    body = TABLE.partition('\n')[2]
    data = (TABLE + body * 3000).encode()
    batches = csv_batches(data, types=TYPES, delimiter=';', threads=2, rows=1000)
    assert [list(row.values()) for row in pyarrow.table(batches).to_pylist()] == EXPECTED * 3001


def test_a_zone_of_a_format_is_utc_in_arrow() -> None:
    pyarrow = pytest.importorskip('pyarrow')
    types = {'t': convert.date_format('%d.%m.%Y %H:%M %z')}
    table = pyarrow.table(csv_batches(b't\n01.02.2026 10:00 +0100\n', types=types))
    assert str(table.schema.field('t').type) == 'timestamp[us, tz=UTC]'
    assert table['t'][0].as_py().hour == 9


@pytest.mark.parametrize(
    ('kind', 'text', 'says'),
    [
        (GERMAN, '1.5', "number(decimal=',', thousands='.'): invalid number: '1.5'"),
        (convert.integer(), '1,5', 'invalid number'),
        (convert.decimal(4, 1), '1.25', 'does not fit'),
        (WORDS, 'vielleicht', 'invalid word'),
        (DATE, '31.02.2026', 'day '),
        (DATE, '2026-02-01', "does not match format '%d.%m.%Y'"),
        (convert.time, '25:00', 'hour must be in 0..23'),
    ],
)
def test_an_error_says_what_was_asked_for(kind: Any, text: str, says: str) -> None:
    data = f'a;b\nx;{text}\n'.encode()
    if text == '25:00':
        says = 'hour'
    for read in (csv_rows, csv_batches):
        with pytest.raises(CSVError) as caught:
            list(read(data, types={'b': kind}, delimiter=';', header=True))
        assert says in str(caught.value)
        assert (caught.value.column, caught.value.line) == ('b', 2)


def test_columns_of_rare_spellings_are_answered_by_python() -> None:
    pyarrow = pytest.importorskip('pyarrow')
    kinds: dict[Any, Any] = {
        'number': (GERMAN, '0,' + '0' * 70 + '1', 1e-71),
        'whole': (convert.integer(), '0' * 70 + '7', 7),
        'fixed': (convert.decimal(5, 2), '0' * 70 + '1.5', Decimal('1.50')),
        'word': (WORDS, 'STRASSE', True),
        'day': (convert.date_format('%Y-%j'), '2026-032', date(2026, 2, 1)),
        'moment': (convert.date_format('%Y-%j %H'), '2026-032 7', datetime(2026, 2, 1, 7)),
        'hour': (convert.time, '073000', time(7, 30)),
    }
    header, line = ';'.join(kinds), ';'.join(text for _, text, _ in kinds.values())
    data = f'{header}\n{line}\n\u00a0' + ';' * (len(kinds) - 1) + '\n'
    types = {name: kind for name, (kind, _, _) in kinds.items()}
    table = pyarrow.table(csv_batches(data.encode(), types=types, delimiter=';'))
    assert table.to_pylist() == [
        {name: value for name, (_, _, value) in kinds.items()},
        dict.fromkeys(kinds),
    ]


def test_a_whole_number_that_no_column_holds() -> None:
    with pytest.raises(CSVError, match='does not fit int64: uint64 would do'):
        list(csv_batches(b'a\n9223372036854775808\n', types={'a': convert.integer()}))


def test_annotations_of_a_class() -> None:
    @dataclass
    class Sale:
        betrag: Annotated[float | None, GERMAN]
        datum: Annotated[date, 'a note', DATE] | None
        name: Annotated[str | None, convert.strip]

    class Paid(NamedTuple):
        bezahlt: Annotated[bool | None, TYPES['bezahlt']]
        preis: Annotated[str, 'only a note']

    rows = list(csv_rows(TABLE.encode(), into=Sale, delimiter=';'))
    assert rows[:3] == [
        Sale(1234.5, date(2026, 12, 24), 'Ann'),
        Sale(-5.0, date(2026, 2, 1), 'Zoë'),
        Sale(None, None, None),
    ]
    assert next(csv_rows(TABLE.encode(), into=Paid, delimiter=';')) == (True, '12,5')


@pytest.mark.parametrize('text', ['', '  ', '\u00a0'])
def test_whitespace_alone_is_no_value(text: str) -> None:
    @dataclass
    class Must:
        a: Annotated[float, GERMAN]

    with pytest.raises(CSVError, match='an empty field, but None is not allowed'):
        list(csv_rows(f'a,b\n{text},\n'.encode(), into=Must))


def test_null_is_looked_for_first() -> None:
    types = {'a': GERMAN, 'b': convert.strip}
    rows = csv_rows(b'a,b\n-,-\n"-",x\n', types=types, null=['-'], header=True, on_error='skip')
    assert (list(rows), rows.errors) == ([[None, '-']], 1)


def test_a_default_type_is_for_the_other_columns() -> None:
    pyarrow = pytest.importorskip('pyarrow')
    types: dict[Any, Any] = {None: GERMAN, 'b': str}
    data = b'a;b;c\n1,5;1,5;2\n'
    assert list(csv_rows(data, types=types, delimiter=';', header=True)) == [[1.5, '1,5', 2.0]]
    assert list(csv_rows(data, types={None: int}, into=dict, columns=['c'], delimiter=';')) == [
        {'c': 2}
    ]
    assert pyarrow.table(csv_batches(data, types=types, delimiter=';')).to_pylist() == [
        {'a': 1.5, 'b': '1,5', 'c': 2.0}
    ]
    schema = pyarrow.schema([('c', pyarrow.int8())])
    batches = csv_batches(data, types={None: GERMAN, 'b': str}, schema=schema, delimiter=';')
    assert str(pyarrow.table(batches).schema.field('c').type) == 'int8'


def test_a_default_type_gives_way_to_an_annotation() -> None:
    @dataclass
    class Row:
        a: str
        b: object
        c: 'int'

    assert list(csv_rows(b'a,b,c\n1,2,3\n', into=Row, types={None: float})) == [Row('1', '2', 3)]


def test_a_default_type_is_checked_and_fits_ragged_rows() -> None:
    with pytest.raises(TypeError, match='types: column None must have a type'):
        csv_rows(b'', types={None: 3})  # type: ignore[dict-item]
    with pytest.raises(TypeError, match='is a callable'):
        csv_batches(b'', types={None: len})
    assert list(csv_rows(b'1\n2,3\n', types={None: int})) == [[1], [2, 3]]


# ---- converters themselves ----

ALL = [GERMAN, FRENCH, WORDS, DATE, convert.time, convert.strip, *TYPES.values(), convert.integer()]


class Text(str): ...


def made(kind: str, words: tuple[Any, ...] = ()) -> Any:
    """A converter as no function of the module makes it."""
    return convert.Converter(kind, '', '', '', 0, 0, words, (), '', False)


@pytest.mark.parametrize('kind', ALL, ids=repr)
def test_a_converter_is_a_value(kind: Any) -> None:
    again = pickle.loads(pickle.dumps(kind))
    assert again == kind
    assert hash(again) == hash(kind)
    assert again is not kind
    assert kind != convert.number(decimal=';')
    assert kind != 'number()'
    made = repr(kind)
    assert eval(f'convert.{made}') == kind
    with pytest.raises(TypeError):
        kind(b'1')
    with pytest.raises(TypeError):
        kind(text='1')


@pytest.mark.parametrize(
    ('make', 'error', 'says'),
    [
        (lambda: convert.number(decimal='.', thousands='.'), ValueError, "both '.'"),
        (lambda: convert.number(decimal=''), ValueError, 'one character'),
        (lambda: convert.number(decimal=',,'), ValueError, 'one character'),
        (lambda: convert.number(decimal=' '), ValueError, 'whitespace'),
        (lambda: convert.number(decimal=b','), TypeError, 'str, not bytes'),
        (lambda: convert.number(decimal='e'), ValueError, 'part of a number'),
        (lambda: convert.number(decimal='\n'), ValueError, 'part of a number'),
        (lambda: convert.number(thousands='-'), ValueError, 'part of a number'),
        (lambda: convert.number(thousands='٣'), ValueError, 'part of a number'),
        (lambda: convert.number(thousands=',;:/#~!*§'), ValueError, 'more than 8'),
        (lambda: convert.number(thousands=None), TypeError, 'str, not NoneType'),
        (lambda: convert.number(','), TypeError, 'positional'),
        (lambda: convert.integer(thousands='1'), ValueError, 'part of a number'),
        (lambda: convert.decimal(0, 0), ValueError, 'precision must be 1 to 38'),
        (lambda: convert.decimal(39, 0), ValueError, 'precision must be 1 to 38'),
        (lambda: convert.decimal(4, 5), ValueError, 'scale 0 to precision'),
        (lambda: convert.decimal(4, -1), ValueError, 'scale 0 to precision'),
        (lambda: convert.decimal('4', 1), TypeError, 'precision must be int'),
        (lambda: convert.decimal(4, True), TypeError, 'scale must be int'),
        (lambda: convert.boolean(true=[], false=['x']), ValueError, 'true has no words'),
        (lambda: convert.boolean(true=['x'], false=()), ValueError, 'false has no words'),
        (lambda: convert.boolean(true=['Ja', 'x'], false=['JA ']), ValueError, "both have 'ja'"),
        (lambda: convert.boolean(true='ja', false=['n']), TypeError, 'collection of words'),
        (lambda: convert.boolean(true=[1], false=['n']), TypeError, 'a word must be str'),
        (lambda: convert.boolean(true=[' '], false=['n']), ValueError, 'an empty field'),
        (lambda: convert.boolean(true=['ja']), TypeError, 'false'),
        (lambda: convert.date_format('%Q'), ValueError, 'bad directive'),
        (lambda: convert.date_format('%'), ValueError, 'stray %'),
        (lambda: convert.date_format('%Y.%Y'), ValueError, 'twice'),
        (lambda: convert.date_format('today'), ValueError, 'names no part'),
        (lambda: convert.date_format(''), ValueError, 'names no part'),
        (lambda: convert.date_format(3), TypeError, 'str, not int'),
        (lambda: convert.Converter('number'), TypeError, 'argument'),
        (lambda: made('x'), ValueError, 'no converter'),
        (lambda: made('number', ('x',)), ValueError, 'no words'),
        (lambda: made('boolean', (1,)), TypeError, 'a word must be str'),
        (lambda: made('decimal'), ValueError, 'precision must be'),
        (lambda: made(Text('strip')), TypeError, "not made of 'strip'"),
        (lambda: convert.number(thousands='\ud800'), ValueError, 'surrogates'),
        (lambda: convert.Converter(kind='number'), TypeError, 'no keyword'),
    ],
)  # fmt: skip
def test_wrong_arguments(make: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=re.escape(says)):
        make()


def test_a_format_of_many_parts_is_left_to_strptime() -> None:
    format = '%Y' + '%%' * 40 + '%m'
    assert convert.date_format(format)('2026' + '%' * 40 + '02') == date(2026, 2, 1)


class Enumerated(str):
    """As a StrEnum's member, or numpy.str_."""

    __slots__ = ()

    def __str__(self) -> str:
        return 'shown otherwise'

    def __repr__(self) -> str:
        return 'shown otherwise'


def test_texts_of_a_subclass_are_taken_as_they_are() -> None:
    comma, point, day = Enumerated(','), Enumerated('.'), Enumerated('%d.%m.%Y')
    number = convert.number(decimal=comma, thousands=point)
    assert number == convert.number(decimal=',', thousands='.')
    assert convert.integer(thousands=point) == convert.integer(thousands='.')
    assert convert.decimal(9, 2, decimal=comma) == convert.decimal(9, 2, decimal=',')
    assert convert.boolean(true=[Enumerated('ja')], false=['no'])('JA') is True
    assert convert.date_format(day) == convert.date_format('%d.%m.%Y')
    assert repr(number) == "number(decimal=',', thousands='.')"

"""``csv_encode`` of Arrow data against ``csv.writer`` over the values' Python counterparts."""

from __future__ import annotations

import asyncio
import codecs
import csv
import datetime as dt
import decimal
import errno
import gc
import itertools
import re
import sys
import zoneinfo
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from generators import FLUSH, CSVError, acsv_encode, csv_encode

from . import arrow_abi as abi
from .oracle_writer import write
from .rows import dialects, texts

pa = pytest.importorskip('pyarrow')

D = decimal.Decimal
DAY = 86_400


def encoded(source: Any, **arguments: Any) -> bytes:
    return b''.join(csv_encode(source, **arguments))


def rows_of(table: Any) -> list[list[Any]]:
    columns = [column.to_pylist() for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)] or [[]] * table.num_rows


def written(table: Any, *, header: bool = True, **dialect: Any) -> str:
    names = [table.schema.names] if header else []
    text, error = write([*names, *rows_of(table)], **dialect)
    assert error is None
    return text


# --- Exactness: every type, in every dialect ---------------------------------------------------


def clock(unit: str, zone: str | None = None) -> Any:
    # What the years 1 to 9999 have, with room for the offset of a zone.
    per_second = {'s': 1, 'ms': 10**3, 'us': 10**6, 'ns': 10**9}[unit]
    low = max(-62_135_500_000 * per_second, DAY * per_second - 2**63)
    high = min(253_402_200_000 * per_second, 2**63 - DAY * per_second)
    return pa.timestamp(unit, zone), st.integers(low, high)


def length_of_time(unit: str) -> Any:
    per_second = {'s': 1, 'ms': 10**3, 'us': 10**6, 'ns': 10**9}[unit]
    most = min(86_400 * 999_999_998 * per_second, 2**63 - 1)
    return pa.duration(unit), st.integers(-most, most)


def integers(bits: int, signed: bool) -> st.SearchStrategy[int]:
    return st.integers(-(2 ** (bits - 1)) if signed else 0, 2 ** (bits - signed) - 1)


FLOATS = st.one_of(
    st.floats(),
    st.floats(-1e7, 1e7).map(lambda x: round(x, 2)),
    st.integers(-(10**17), 10**17).map(float),
)
DECIMALS = [
    *(pa.decimal128(38, 10), pa.decimal128(5, -2), pa.decimal128(7, 0), pa.decimal128(9, 9)),
    pa.decimal256(50, 3),
]


def decimals(kind: Any) -> st.SearchStrategy[D]:
    # The first value must have all digits, or pyarrow refuses more in a later one.
    most = 10**kind.precision - 1
    return st.integers(-most, most).map(lambda n: D(f'{n}e{-kind.scale}'))


NUMBERS = [
    *((getattr(pa, f'int{bits}')(), integers(bits, True)) for bits in (8, 16, 32, 64)),
    *((getattr(pa, f'uint{bits}')(), integers(bits, False)) for bits in (8, 16, 32, 64)),
    (pa.float64(), FLOATS),
    (pa.float32(), st.floats(width=32)),
    (pa.float16(), st.floats(width=16)),
    (pa.bool_(), st.booleans()),
    *((kind, decimals(kind)) for kind in DECIMALS),
]
TIMES = [
    (pa.date32(), st.dates()),
    (pa.date64(), st.dates()),
    (pa.time32('s'), st.integers(0, DAY - 1)),
    (pa.time32('ms'), st.integers(0, DAY * 10**3 - 1)),
    (pa.time64('us'), st.integers(0, DAY * 10**6 - 1)),
    (pa.time64('ns'), st.integers(0, DAY * 10**9 - 1)),
    *(
        clock(unit, zone)
        for unit in ('s', 'ms', 'us', 'ns')
        for zone in (None, 'UTC', '+05:30', '-03:15', 'Europe/Paris')
    ),
    *(length_of_time(unit) for unit in ('s', 'ms', 'us', 'ns')),
]
BINARY = [
    (pa.binary(), st.binary()),
    (pa.large_binary(), st.binary()),
    (pa.binary_view(), st.binary()),
    (pa.binary(5), st.binary(min_size=5, max_size=5)),
]
TEXT = [pa.string(), pa.large_string(), pa.string_view()]


def nested(text: st.SearchStrategy[str]) -> list[Any]:
    small = integers(8, True)
    pair = st.fixed_dictionaries({'a': st.none() | small, 'b': text})
    return [
        (pa.list_(pa.int8()), st.lists(st.none() | small, max_size=3)),
        (pa.large_list(pa.string()), st.lists(text, max_size=3)),
        (pa.list_view(pa.float64()), st.lists(FLOATS, max_size=3)),
        (pa.list_(pa.date32(), 2), st.lists(st.dates(), min_size=2, max_size=2)),
        (pa.struct([('a', pa.int8()), ('b', pa.string())]), pair),
        (pa.map_(pa.string(), pa.int8()), st.lists(st.tuples(text, small), max_size=2)),
        (
            pa.month_day_nano_interval(),
            st.tuples(integers(32, True), integers(32, True), integers(64, True)),
        ),
    ]


def made(kind: Any, values: list[Any]) -> Any:
    """An array: times are given as the integers that stand for them."""
    counted = pa.types.is_time(kind) or pa.types.is_timestamp(kind) or pa.types.is_duration(kind)
    if counted:
        width = pa.int32() if pa.types.is_time32(kind) else pa.int64()
        return pa.array(values, width).cast(kind)
    return pa.array(values, kind)


@st.composite
def columns(draw: st.DrawFn, text: st.SearchStrategy[str], count: int) -> Any:
    kinds = [*NUMBERS, *TIMES, *BINARY, *((kind, text) for kind in TEXT), *nested(text)]
    kind, values = draw(st.sampled_from(kinds))
    strategy = draw(st.sampled_from([values, values | st.none()]))
    got = draw(st.lists(strategy, min_size=count, max_size=count))
    column = made(kind, got)
    form = draw(st.sampled_from(['plain', 'plain', 'dictionary', 'runs', 'null']))
    if form == 'dictionary' and (kind in TEXT[:2] or pa.types.is_integer(kind)):
        return column.dictionary_encode()
    if form == 'runs' and count and pa.types.is_integer(kind):
        return pa.RunEndEncodedArray.from_arrays(pa.array(range(1, count + 1), pa.int32()), column)
    return pa.nulls(count) if form == 'null' else column


def is_utf8(text: str) -> bool:
    """Arrow has no lone surrogates."""
    return not any('\ud800' <= c <= '\udfff' for c in text)


@st.composite
def dialects_and_tables(draw: st.DrawFn) -> Any:
    dialect = draw(dialects())
    assume(is_utf8(''.join(map(str, dialect.values()))))
    count = draw(st.integers(0, 6))
    text = texts(dialect).filter(is_utf8)
    drawn = draw(st.lists(columns(text, count), min_size=1, max_size=4))
    table = pa.table(drawn, names=[f'c{i}' for i in range(len(drawn))])
    start = draw(st.integers(0, count))
    return dialect, table.slice(start, draw(st.integers(0, count - start)))


@given(dialects_and_tables(), st.integers(1, 200))
def test_exactness(drawn: Any, size: int) -> None:
    dialect, table = drawn
    text, error = write(rows_of(table), **dialect)
    stream = csv_encode(table, size=size, header=False, max_delay=None, **dialect)
    chunks: list[bytes] = []
    caught = None
    try:
        chunks.extend(iter(stream.__next__, None))
    except StopIteration:
        pass
    except CSVError as e:
        caught = e
    assert b''.join(chunks).decode() == text
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert (caught is None) == (error is None)
    if error is not None:
        assert error in str(caught)


def some(kind: Any) -> list[Any]:
    """Values of a kind, the same each time."""
    if kind in TEXT:
        return ['', 'a,b', 'é"', 'x' * 70]
    if pa.types.is_boolean(kind):
        return [True, False]
    if pa.types.is_decimal(kind):
        digits = ['9' * kind.precision, '0', '-1', '12'[: kind.precision]]
        return [D(f'{text}e{-kind.scale}') for text in digits]
    if pa.types.is_date(kind):
        return [dt.date(1, 1, 1), dt.date(2024, 2, 29), dt.date(9999, 12, 31)]
    if kind == pa.binary(5):
        return [b'\0\t\n\r\\', b"it's!", b'\xff"\'~ ']
    if kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
        return [b'', b"it's", b'"\'', b'\xff' * 20]
    if pa.types.is_floating(kind):
        return [0.0, -0.0, 0.1, -1.5, float('inf'), float('nan'), 6.1e-5, 5.96e-8, 65504.0]
    if pa.types.is_integer(kind):
        top = 2 ** (kind.bit_width - pa.types.is_signed_integer(kind)) - 1
        return [0, 1, 100, top, -top - 1 if pa.types.is_signed_integer(kind) else top // 3]
    if pa.types.is_time(kind):
        return [0, 1, 86_399]
    return [0, 1, -1, 90_061_000_000, -86_400]


@pytest.mark.parametrize('kind', [kind for kind, _ in [*NUMBERS, *TIMES, *BINARY]] + TEXT, ids=str)
@pytest.mark.parametrize('quoting', [0, 2])
def test_each_type(kind: Any, quoting: int) -> None:
    if getattr(kind, 'unit', None) == 'ns':
        pytest.importorskip('pandas')  # pyarrow has no other values for them
    column = made(kind, [some(kind)[0], None, *some(kind)[1:]])
    count = len(column)
    lists = pa.ListArray.from_arrays(pa.array(range(count + 1), pa.int32()), column)
    pairs = pa.StructArray.from_arrays([column, column], ['a', 'b'])
    table = pa.table({'plain': column, 'list': lists, 'struct': pairs, 'n': range(count)})
    for part in (table, table[1:]):
        assert encoded(part, quoting=quoting).decode() == written(part, quoting=quoting)


@pytest.mark.parametrize(
    ('kind', 'value'),
    [
        (pa.large_list(pa.int8()), [1, None]),
        (pa.list_view(pa.string()), ['a', "b'"]),
        (pa.large_list_view(pa.string()), ['a']),
        (pa.list_(pa.int16(), 2), [1, -2]),
        (pa.map_(pa.string(), pa.list_(pa.uint16())), [('k', [1]), ('l', None)]),
        (pa.list_(pa.month_day_nano_interval()), [(1, 2, 3)]),
        (pa.month_day_nano_interval(), (-1, 2, -3)),
        (pa.list_(pa.dictionary(pa.uint32(), pa.string())), ['x', None, 'y']),
        (pa.list_(pa.null()), [None]),
    ],
    ids=str,
)
def test_nested_types(kind: Any, value: Any) -> None:
    column = pa.array([value, None, value], kind)
    table = pa.table({'x': column, 'y': [1, 2, 3]})
    assert encoded(table).decode() == written(table)
    assert encoded(table[1:]).decode() == written(table[1:])


def test_runs_in_a_list() -> None:
    runs = pa.RunEndEncodedArray.from_arrays(pa.array([2, 3], pa.int16()), pa.array(['a', None]))
    lists = pa.ListArray.from_arrays(pa.array([0, 1, 3], pa.int32()), runs)
    table = pa.table({'x': lists, 'y': [1, 2]})
    assert encoded(table) == b"x,y\r\n['a'],1\r\n\"['a', None]\",2\r\n"


def test_times_that_are_none_in_pandas() -> None:
    kinds = (pa.timestamp('ns'), pa.duration('ns'))
    table = pa.table({str(k): pa.array([-(2**63), 0], pa.int64()).cast(k) for k in kinds})
    assert encoded(table, header=False) == b',\r\n1970-01-01 00:00:00,0 days 00:00:00\r\n'


ODD = ['', 'plain', 'é€\U0001f600', 'a,b', 'say "x"', 'two\nlines', '=1+1', ' ', "'", 'x' * 100]


def everything(count: int) -> Any:
    """A table of all kinds, longer than what is written at once."""
    texts = list(itertools.islice(itertools.cycle([*ODD, None]), count))
    numbers = [None if i % 7 == 3 else i * i for i in range(count)]
    return pa.table(
        {
            'text': pa.array(texts),
            'large': pa.array(texts, pa.large_string()),
            'view': pa.array(texts, pa.string_view()),
            'coded': pa.array(texts).dictionary_encode(),
            'int': pa.array(numbers, pa.int64()),
            'float': pa.array([None if n is None else n / 16 for n in numbers]),
            'flag': pa.array([None if n is None else n % 2 == 0 for n in numbers]),
            'when': pa.array(numbers, pa.int64()).cast(pa.timestamp('ms', 'Europe/Paris')),
            'list': pa.array([[n] for n in numbers]),
            'null': pa.nulls(count),
        }
    )


@pytest.mark.parametrize('quoting', [0, 1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    'dialect',
    [
        {},
        {'delimiter': '1'},
        {'delimiter': 'é'},
        {'delimiter': ' ', 'quotechar': "'"},
        {'lineterminator': '€'},
        {'lineterminator': ''},
        {'doublequote': False, 'quotechar': '.'},
    ],
    ids=str,
)
@pytest.mark.parametrize('part', [slice(None), slice(13, 777)], ids=str)
def test_every_kind_in_many_rows(quoting: int, dialect: dict[str, str], part: slice) -> None:
    table = everything(1200)[part]
    got = encoded(table, quoting=quoting, escapechar='\\', **dialect)
    assert got.decode() == written(table, quoting=quoting, escapechar='\\', **dialect)


@pytest.mark.parametrize('offset', range(9))
def test_values_at_the_edge_of_their_memory(offset: int) -> None:
    # Run with a sanitizer, this tells whether more is read than there is.
    table = pa.table({'a': ['x' * offset, 'end'], 'b': pa.array(['y', 'z'], pa.string_view())})
    assert encoded(table) == b'a,b\r\n' + b'x' * offset + b',y\r\nend,z\r\n'


def test_a_union_is_quoted_as_each_of_its_values() -> None:
    values = pa.UnionArray.from_dense(
        pa.array([0, 1, 1], pa.int8()), pa.array([0, 0, 1], pa.int32()), [pa.array([5]), ODD_TEXTS]
    )
    table = pa.table({'u': values})
    assert encoded(table, quoting=2).decode() == written(table, quoting=2)


ODD_TEXTS = pa.array(['text', None])


def test_formulas_are_defused_and_numbers_are_not() -> None:
    texts = ['=1', ' +x', '\u3000@a', 'fine', '\ufeff-1', None, '  ', '\uff1d1']
    table = pa.table({'t': texts, 'n': range(-8, 0), 'd': pa.array([-1] * 8, pa.duration('us'))})
    rows = rows_of(table)
    expected = encoded(rows, escape_formulas=True)
    assert encoded(table, escape_formulas=True, header=False) == expected
    assert expected.startswith(b'\'=1,-8,"\'-1 day, 23:59:59.999999"\r\n')


def test_special_characters_anywhere_in_long_texts() -> None:
    texts = ['x' * 50, ',' + 'y' * 100, 'y' * 80 + ',' + 'y' * 100, 'z' * 200, 'z' * 99 + ',']
    table = pa.table({'a': texts})
    assert encoded(table).decode() == written(table)


def test_an_offset_that_changes_within_an_hour() -> None:
    change = 63_593_070  # 1972-01-07 00:44:30 in Monrovia
    seconds = range(change - 2, change + 2)
    table = pa.table({'t': pa.array(seconds, pa.timestamp('s', 'Africa/Monrovia'))})
    assert encoded(table).decode() == written(table)


# --- Which columns, and the header --------------------------------------------------------------

TABLE = pa.table({'a': [1, None], 'b': ['x', 'y,z'], 'c': [0.5, 2.0]})


def test_the_header_is_written_unless_it_is_refused() -> None:
    assert encoded(TABLE) == b'a,b,c\r\n1,x,0.5\r\n,"y,z",2.0\r\n'
    assert encoded(TABLE, header=True) == encoded(TABLE) == encoded(TABLE, header=None)
    assert encoded(TABLE, header=False) == b'1,x,0.5\r\n,"y,z",2.0\r\n'
    assert encoded(TABLE, header=['A', 'B', 'C'], bom=True).startswith(b'\xef\xbb\xbfA,B,C\r\n1')


def test_a_header_alone() -> None:
    assert encoded(TABLE.slice(0, 0)) == b'a,b,c\r\n'
    assert encoded(pa.RecordBatchReader.from_batches(TABLE.schema, [])) == b'a,b,c\r\n'
    assert encoded(TABLE.slice(0, 0), header=False) == b''


def test_columns_choose_and_order() -> None:
    assert encoded(TABLE, columns=['c', 'a']) == b'c,a\r\n0.5,1\r\n2.0,\r\n'
    assert encoded(TABLE, columns=['c', 'a'], header=['C', 'A']).startswith(b'C,A\r\n0.5,1')
    assert encoded(TABLE, columns=['c', 'c'], header=False) == b'0.5,0.5\r\n2.0,2.0\r\n'
    assert encoded(TABLE, columns=[]) == b'\r\n\r\n\r\n'


def test_a_missing_column() -> None:
    with pytest.raises(CSVError, match="row 0: the row has no 'z'") as caught:
        encoded(TABLE, columns=['a', 'z'])
    assert caught.value.column == 'z'
    got = encoded(TABLE, columns=['a', 'z'], missing='n,a')
    assert got == b'a,z\r\n1,"n,a"\r\n,"n,a"\r\n'


@pytest.mark.parametrize('missing', ['', None, 0, 1.5, 'x,y', '=1', D('1.0')], ids=repr)
@pytest.mark.parametrize('quoting', [0, 1, 2])
def test_what_is_missing_is_written_as_in_a_row(missing: Any, quoting: int) -> None:
    options = {'missing': missing, 'quoting': quoting, 'columns': ['z', 'a']}
    rows = [dict(zip(TABLE.schema.names, row, strict=True)) for row in rows_of(TABLE)]
    expected = encoded(rows, header=True, extra='ignore', **options)
    assert encoded(TABLE, **options) == expected


def test_what_is_missing_cannot_be_written() -> None:
    with pytest.raises(CSVError, match='need to escape'):
        encoded(TABLE, columns=['a', 'z'], missing='x,y', quoting=csv.QUOTE_NONE)


def test_extra_columns_are_ignored_unless_they_are_refused() -> None:
    with pytest.raises(CSVError, match="there is no column 'b'"):
        encoded(TABLE, columns=['a', 'c'], extra='raise')
    assert encoded(TABLE, columns=['a'], extra='ignore') == b'a\r\n1\r\n""\r\n'


def test_a_header_of_another_length() -> None:
    with pytest.raises(ValueError, match='the header has 2 labels for 3 columns'):
        encoded(TABLE, header=['a', 'b'])


def test_two_columns_of_one_name() -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], ['a', 'a'])
    assert encoded(table) == b'a,a\r\n1,2\r\n'
    with pytest.raises(CSVError, match="there are two columns 'a'"):
        encoded(table, columns=['a'])


def test_a_single_empty_field_is_told_from_an_empty_line() -> None:
    table = pa.table({'a': ['', None, 'x']})
    assert encoded(table) == b'a\r\n""\r\n""\r\nx\r\n'
    with pytest.raises(CSVError, match='row 0: single empty field record must be quoted'):
        encoded(table, quoting=csv.QUOTE_NONE)


# --- Sources ------------------------------------------------------------------------------------


def reader(*batches: Any) -> Any:
    return pa.RecordBatchReader.from_batches(batches[0].schema, iter(batches))


@pytest.mark.parametrize(
    'make',
    [
        lambda: TABLE,
        lambda: TABLE.to_batches()[0],
        lambda: reader(*TABLE.to_batches()),
        lambda: reader(*TABLE.slice(0, 1).to_batches(), *TABLE.slice(1).to_batches()),
        lambda: TABLE.to_struct_array().combine_chunks(),
        lambda: pytest.importorskip('polars').from_arrow(TABLE),
        lambda: pytest.importorskip('duckdb').arrow(TABLE),
    ],
)
def test_sources(make: Any) -> None:
    assert encoded(make()) == b'a,b,c\r\n1,x,0.5\r\n,"y,z",2.0\r\n'


def test_a_pandas_frame_is_written_by_columns() -> None:
    pandas = pytest.importorskip('pandas')
    frame = pandas.DataFrame({'n': [1, 2], 't': ['x', None], 'f': [1.5, None]})
    assert encoded(frame) == b'n,t,f\r\n1,x,1.5\r\n2,,\r\n'


def test_a_series_is_rows_as_ever() -> None:
    pandas = pytest.importorskip('pandas')
    assert encoded(pandas.Series([[1, 2], [3, 4]])) == b'1,2\r\n3,4\r\n'
    rows = (row for _, row in pandas.DataFrame({'a': [1, 2], 'b': ['x', 'y']}).iterrows())
    assert encoded(rows, header=False) == b'1,x\r\n2,y\r\n'


def test_an_array_that_is_no_batch() -> None:
    with pytest.raises(TypeError, match="must be record batches, not an Arrow array of type 'l'"):
        encoded(pa.array([1]))
    # But it may be a row.
    assert encoded([pa.array([1, 2])]) == b'1,2\r\n'


KINDS_OF_UNION = [pa.array([1]), pa.array(['x'])]


@pytest.mark.parametrize(
    ('array', 'format'),
    [
        (pa.array([b'12345'], pa.binary(5)), 'w:5'),
        (pa.array([[1, 2]], pa.list_(pa.int8(), 2)), '+w:2'),
        (pa.array([D('1.5')], pa.decimal128(5, 2)), 'd:5,2'),
        (pa.array([D('1.5')], pa.decimal256(50, 3)), 'd:50,3,256'),
        (pa.array([1], pa.timestamp('ms', 'UTC')), 'tsm:UTC'),
        (pa.UnionArray.from_sparse(pa.array([0], pa.int8()), KINDS_OF_UNION), '+us:0,1'),
        (
            pa.UnionArray.from_dense(
                pa.array([0], pa.int8()), pa.array([0], pa.int32()), KINDS_OF_UNION
            ),
            '+ud:0,1',
        ),
    ],
    ids=str,
)
def test_the_type_of_what_is_no_batch_is_told(array: Any, format: str) -> None:
    with pytest.raises(TypeError, match=f"type '{re.escape(format)}'"):
        encoded(array)


def test_a_type_whose_name_is_too_long_to_tell() -> None:
    ids = ','.join(map(str, range(40)))
    kind = abi.schema(f'+us:{ids}', '', *(abi.schema('l') for _ in range(40)))
    values = (abi.array(1, [None, EIGHT]) for _ in range(40))
    with pytest.raises(TypeError, match="type ''"):
        encoded(abi.Batch(kind, abi.array(1, [EIGHT], *values)))


def test_batches_in_an_iterable() -> None:
    parts = [TABLE.slice(0, 1), FLUSH, TABLE.to_batches()[0], TABLE.slice(0, 0)]
    assert list(csv_encode(parts)) == [b'a,b,c\r\n1,x,0.5\r\n', b'1,x,0.5\r\n,"y,z",2.0\r\n']
    with pytest.raises(TypeError, match="item 1 is 'list', not an Arrow batch"):
        encoded([TABLE, [1, 2, 3]])


def test_later_batches_are_read_by_the_names_of_the_first() -> None:
    second = pa.table({'c': ['!'], 'a': [3], 'b': [None]})
    assert encoded([TABLE.slice(0, 1), second]) == b'a,b,c\r\n1,x,0.5\r\n3,,!\r\n'
    with pytest.raises(CSVError, match="row 2: the row has no 'b'"):
        encoded([TABLE, second.select(['c', 'a'])])
    with pytest.raises(CSVError, match="row 2: there is no column 'd'"):
        encoded([TABLE, pa.table({'c': [1], 'a': [3], 'b': [None], 'd': [1]})])


def test_batches_with_different_dictionaries() -> None:
    values = pa.chunked_array(
        [pa.array(['a', 'b,']).dictionary_encode(), pa.array(['c', 'a']).dictionary_encode()]
    )
    assert encoded(pa.table({'k': values, 'x': [1, 2, 3, 4]}), header=False).split() == [
        *(b'a,1', b'"b,",2', b'c,3', b'a,4')
    ]


def test_a_dictionary_much_longer_than_its_batch() -> None:
    values = pa.array([f'v{i}' for i in range(5000)])
    column = pa.DictionaryArray.from_arrays(pa.array([4999, None, 0]), values)
    assert encoded(pa.table({'a': column, 'b': [1, 2, 3]})) == b'a,b\r\nv4999,1\r\n,2\r\nv0,3\r\n'


def test_one_batch_at_a_time() -> None:
    pulled = []

    def batches() -> Iterator[Any]:
        for i in range(3):
            pulled.append(i)
            yield pa.record_batch({'a': [i] * 100})

    source = pa.RecordBatchReader.from_batches(pa.schema([('a', pa.int64())]), batches())
    stream = csv_encode(source, size=64)
    assert pulled == []
    next(stream)
    assert pulled == [0]
    stream.close()
    assert pulled == [0]


def test_memory_is_that_of_some_rows() -> None:
    table = pa.table({'t': ['x' * 1000] * 20000})
    stream = csv_encode(table, size=1000, max_delay=None)
    assert sum(len(chunk) for chunk in stream) == 20000 * 1002 + 3


async def async_items(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


def test_async_batches() -> None:
    async def use() -> list[bytes]:
        items = async_items(TABLE.to_batches()[0], TABLE, TABLE.slice(0, 0))
        return [chunk async for chunk in acsv_encode(items, size=10)]

    chunks = asyncio.run(use())
    rows = b'1,x,0.5\r\n,"y,z",2.0\r\n'
    assert b''.join(chunks) == b'a,b,c\r\n' + 2 * rows
    assert all(len(chunk) == 10 for chunk in chunks[:-1])


def test_async_batches_let_others_run() -> None:
    table = pa.table({'a': range(1_000_000)})

    async def use() -> int:
        turns = 0

        async def count() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        other = asyncio.create_task(count())
        async for _ in acsv_encode(async_items(table), size=10**9):
            pass
        other.cancel()
        return turns

    assert asyncio.run(use()) > 1


# --- Encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize('encoding', ['latin-1', 'cp1252', 'utf-16', 'utf-8-sig', 'ascii'])
def test_encodings(encoding: str) -> None:
    table = pa.table({'a': ['é', 'plain'], 'b': [1, 2]}) if encoding != 'ascii' else TABLE
    expected = written(table).encode(encoding)
    assert encoded(table, encoding=encoding) == expected
    assert encoded(table, encoding=encoding, size=3) == expected


def test_what_cannot_be_encoded() -> None:
    table = pa.table({'a': ['x', 'é', 'y'], 'b': ['1', '€', '2']})
    stream = csv_encode(table, encoding='latin-1', header=False)
    assert next(stream) == b'x,1\r\n'
    with pytest.raises(CSVError, match=r'row 1: .*latin-1') as caught:
        next(stream)
    assert caught.value.column == 'b'
    assert isinstance(caught.value.__cause__, UnicodeEncodeError)
    assert b'&#8364;' in encoded(table, encoding='latin-1', errors='xmlcharrefreplace')


@pytest.mark.parametrize('place', ['delimiter', 'quotechar', 'lineterminator'])
def test_a_dialect_that_is_not_unicode(place: str) -> None:
    with pytest.raises(UnicodeEncodeError, match='surrogates'):
        encoded(TABLE, **{place: '\ud800'})


def test_a_line_terminator_that_cannot_be_encoded() -> None:
    with pytest.raises(CSVError, match=r"row 0: 'ascii' codec") as caught:
        encoded(TABLE, encoding='ascii', lineterminator='é\n', header=False)
    assert caught.value.column is None


@pytest.mark.parametrize('answers', [[KeyError], [None, KeyError], [None, None, KeyError]])
def test_a_handler_of_encoding_errors_that_fails(answers: list[type[Exception] | None]) -> None:
    # It is asked about the lines, then about those of each row, then about each field.
    left = list(answers)

    def handle(error: UnicodeError) -> Any:
        raise error if (kind := left.pop(0)) is None else kind('handler')

    codecs.register_error('generators.encoding', handle)
    table = pa.table({'a': ['x', 'é'], 'b': ['1', '2']})
    with pytest.raises(KeyError, match='handler'):
        encoded(table, encoding='ascii', errors='generators.encoding')
    assert left == []


def test_a_handler_of_encoding_errors_that_changes_its_mind() -> None:
    left = [True, False]

    def handle(error: UnicodeError) -> Any:
        if left.pop(0):
            raise error
        assert isinstance(error, UnicodeEncodeError)
        return '?', error.end

    codecs.register_error('generators.encoding', handle)
    table = pa.table({'a': ['x', 'é'], 'b': ['1', '2']})
    chunks = encoded(table, encoding='ascii', errors='generators.encoding', header=False)
    assert chunks == b'x,1\r\n?,2\r\n'


# --- Failures -----------------------------------------------------------------------------------


def failing(column: Any, **options: Any) -> tuple[bytes, CSVError]:
    """What is written before the failure, and the failure."""
    stream = csv_encode(pa.table({'n': range(len(column)), 'x': column}), **options)
    chunks = []
    with pytest.raises(CSVError) as caught:
        chunks.extend(iter(stream.__next__, None))
    assert list(stream) == []
    return b''.join(chunks), caught.value


def test_a_value_out_of_range_is_placed() -> None:
    times = pa.array([0, None, 2**62], pa.int64()).cast(pa.timestamp('s'))
    before, error = failing(times)
    assert before == b'n,x\r\n0,1970-01-01 00:00:00\r\n1,\r\n'
    assert (error.column, error.record) == ('x', 4)
    assert 'row 2: date value out of range' in str(error)
    assert isinstance(error.__cause__, OverflowError)


@pytest.mark.parametrize(
    'column',
    [
        pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32()),
        pa.array([0, 2**60], pa.int64()).cast(pa.duration('s')),
        pa.array([0, 253_402_300_799], pa.int64()).cast(pa.timestamp('s', '+05:30')),
        pa.array([0, 253_402_300_799], pa.int64()).cast(pa.timestamp('s', 'Asia/Tokyo')),
        pa.array([None, [2**31 - 1]], pa.list_(pa.int32())).cast(pa.list_(pa.date32())),
        pa.array([0, 2**31 - 1], pa.int32()).cast(pa.date32()).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_values_that_have_no_counterpart(column: Any) -> None:
    with pytest.raises((OverflowError, ValueError)):
        column.to_pylist()
    assert 'row 1: ' in str(failing(column)[1])


def test_the_first_row_that_fails_is_told() -> None:
    table = pa.table({'a': ['', '', 'x,'], 'b': ['', 'x,', '']})
    stream = csv_encode(table, quoting=csv.QUOTE_NONE, header=False)
    assert next(stream) == b',\r\n'
    with pytest.raises(CSVError, match='row 1: need to escape') as caught:
        next(stream)
    assert caught.value.column == 'b'


def test_a_field_that_fails_before_a_value() -> None:
    times = pa.array([0, 2**62], pa.int64()).cast(pa.timestamp('s'))
    with pytest.raises(CSVError, match='row 0: need to escape'):
        encoded(pa.table({'t': times}), quoting=csv.QUOTE_NONE, delimiter=':', header=False)


def test_an_unknown_zone_of_a_dictionary() -> None:
    values = abi.array(1, [None, EIGHT])
    source = abi.Batch(
        abi.schema('+s', '', abi.schema('c', 'x', dictionary=abi.schema('tss:Nowhere/At_All'))),
        abi.array(1, [None], abi.array(1, [None, bytes(1)], dictionary=values)),
    )
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        encoded(source)


def test_an_unknown_zone() -> None:
    source = abi.Batch(
        abi.schema('+s', '', abi.schema('tss:Nowhere/At_All', 'when')),
        abi.array(1, [None], abi.array(1, [None, bytes(8)])),
    )
    with pytest.raises(zoneinfo.ZoneInfoNotFoundError):
        encoded(source)


def test_the_source_fails() -> None:
    def batches() -> Iterator[Any]:
        yield TABLE.to_batches()[0]
        raise KeyError('gone')

    stream = csv_encode(pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    assert next(stream) == encoded(TABLE)
    with pytest.raises((OSError, ValueError, KeyError), match='gone') as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading batch 1']


NUMBER = abi.schema('+s', '', abi.schema('l', 'n'))


def number(value: int) -> Any:
    return abi.array(1, [None], abi.array(1, [None, value.to_bytes(8, sys.byteorder)]))


@pytest.mark.parametrize(
    ('code', 'kind'),
    [
        (errno.EINVAL, ValueError),
        (errno.ENOSYS, NotImplementedError),
        (errno.ENOENT, FileNotFoundError),
        (errno.ENOMEM, MemoryError),
        (errno.EIO, OSError),
    ],
)
def test_the_error_of_a_stream(code: int, kind: type[Exception]) -> None:
    source = abi.Stream(NUMBER, [number(5), code])
    stream = csv_encode(source)
    assert next(stream) == b'n\r\n5\r\n'
    with pytest.raises(kind) as caught:
        next(stream)
    assert code == errno.ENOMEM or 'no more data' in str(caught.value)
    assert source.released == 1
    with pytest.raises(kind):
        encoded(abi.Stream(code, []))
    with pytest.raises(kind):
        encoded(abi.Stream(NUMBER, [code], message=None))


# --- Closing ------------------------------------------------------------------------------------


@pytest.mark.parametrize('steps', [0, 1, 2])
def test_closing_releases_the_stream(steps: int) -> None:
    source = abi.Stream(NUMBER, map(number, range(9)))
    stream = csv_encode(source, size=4, header=False)
    for _ in range(steps):
        next(stream)
    assert source.released == 0
    stream.close()
    assert source.released == 1
    assert list(stream) == []


def test_the_end_releases_the_stream() -> None:
    source = abi.Stream(NUMBER, map(number, range(3)))
    stream = csv_encode(source)
    assert b''.join(stream) == b'n\r\n0\r\n1\r\n2\r\n'
    assert (source.released, stream.row_num) == (1, 3)


def test_dropping_releases_the_stream() -> None:
    source = abi.Stream(NUMBER, [number(1)])
    gc.disable()
    try:
        stream = csv_encode(source)
        del stream
        assert source.released == 1
    finally:
        gc.enable()


def test_a_stream_is_taken_once() -> None:
    source = abi.Stream(NUMBER, [number(1)])
    assert encoded(source) == b'n\r\n1\r\n'
    with pytest.raises(ValueError, match='the Arrow stream was released'):
        csv_encode(source)


# --- Producers that do not keep to the rules ----------------------------------------------------


class Odd:
    def __init__(self, answer: object, name: str = '__arrow_c_array__') -> None:
        self.__dict__[name] = lambda: answer


@pytest.mark.parametrize(
    'source',
    [
        Odd(None),
        Odd(()),
        Odd((1, 2)),
        Odd(5, '__arrow_c_stream__'),
        Odd(TABLE.to_batches()[0].__arrow_c_array__()[::-1]),
    ],
)
def test_no_capsules(source: Any) -> None:
    with pytest.raises(TypeError, match='capsule'):
        csv_encode(source)


def test_an_array_that_was_released() -> None:
    capsules = TABLE.to_batches()[0].__arrow_c_array__()
    assert encoded(Odd(capsules)) == encoded(TABLE)
    with pytest.raises(ValueError, match='the Arrow array was released'):
        csv_encode(Odd(capsules))


EIGHT = bytes(8)


def released(struct: Any) -> Any:
    struct.release = None
    return struct


def without_buffers(array: Any) -> Any:
    array.buffers = None
    return array


@pytest.mark.parametrize(
    ('kind', 'column'),
    [
        ('l', abi.array(1, [None])),
        ('l', abi.array(1, [None, EIGHT, EIGHT])),
        ('l', abi.array(1, [None, None])),
        ('l', released(abi.array(1, [None, EIGHT]))),
        ('l', without_buffers(abi.array(1, [None, EIGHT]))),
        ('l', abi.array(-1, [None, EIGHT])),
        ('l', abi.array(1, [None, EIGHT], offset=-1)),
        ('l', abi.array(1, [None, EIGHT], offset=2**63 - 1)),
        ('l', abi.array(1, [None, EIGHT], abi.array(0, [None, EIGHT]))),
        ('l', abi.array(0, [None, EIGHT])),
        ('u', abi.array(1, [None, None, EIGHT])),
        ('u', abi.array(1, [None, (5).to_bytes(4, sys.byteorder) + bytes(4), EIGHT])),
        ('u', abi.array(1, [None, bytes(4) + (5).to_bytes(4, sys.byteorder), None])),
        ('u', abi.array(1, [None, b'\xff' * 8, EIGHT])),
        ('vu', abi.array(1, [None, b'\xff' * 16, EIGHT])),
        ('vu', abi.array(1, [None, (50).to_bytes(4, sys.byteorder) + bytes(12), EIGHT])),
        ('vu', abi.array(1, [None, EIGHT])),
        ('z', abi.array(1, [None, b'\xff' * 8, EIGHT])),
        ('n', abi.array(1, [None])),
        ('+s', abi.array(1, [None], abi.array(1, [None, EIGHT]))),
    ],
)
def test_wrong_arrays(kind: str, column: Any) -> None:
    source = abi.Batch(abi.schema('+s', '', abi.schema(kind, 'x')), abi.array(1, [None], column))
    with pytest.raises(ValueError, match='Arrow data are wrong'):
        encoded(source)


def integers_of(width: int, *numbers: int) -> bytes:
    return b''.join(n.to_bytes(width, sys.byteorder, signed=True) for n in numbers)


def list_of(schema: Any, array: Any, count: int = 1) -> tuple[Any, Any]:
    """A list of the first values."""
    return (
        abi.schema('+l', 'x', schema),
        abi.array(1, [None, integers_of(4, 0, count)], array),
    )


BAD_TEXT = abi.array(1, [None, b'\xff' * 8, EIGHT])
TEXT_AND_TEXT = abi.schema('+s', '', abi.schema('u', 'k'), abi.schema('u', 'v'))


@pytest.mark.parametrize(
    ('schema', 'array'),
    [
        list_of(abi.schema('u'), BAD_TEXT),
        list_of(abi.schema('l'), abi.array(1, [None, EIGHT]), 5),
        list_of(
            abi.schema('c', dictionary=abi.schema('l')),
            abi.array(1, [None, b'\x05'], dictionary=abi.array(1, [None, EIGHT])),
        ),
        list_of(
            abi.schema('+r', '', abi.schema('i'), abi.schema('l')),
            abi.array(5, [], abi.array(1, [None, integers_of(4, 2)]), abi.array(1, [None, EIGHT])),
            5,
        ),
        (
            abi.schema('+m', 'x', TEXT_AND_TEXT),
            abi.array(1, [None, integers_of(4, 0, 5)], abi.array(1, [None], BAD_TEXT, BAD_TEXT)),
        ),
        (
            abi.schema('+m', 'x', TEXT_AND_TEXT),
            abi.array(1, [None, integers_of(4, 0, 1)], abi.array(1, [None], BAD_TEXT, BAD_TEXT)),
        ),
        (abi.schema('+s', 'x', abi.schema('u')), abi.array(1, [None], BAD_TEXT)),
        (
            abi.schema('+us:0', 'x', abi.schema('l')),
            abi.array(1, [b'\x07'], abi.array(1, [None, EIGHT])),
        ),
        (
            abi.schema('+ud:0', 'x', abi.schema('l')),
            abi.array(1, [b'\x00', integers_of(4, 5)], abi.array(1, [None, EIGHT])),
        ),
    ],
)
def test_wrong_values_within_others(schema: Any, array: Any) -> None:
    source = abi.Batch(abi.schema('+s', '', schema), abi.array(1, [None], array))
    with pytest.raises(CSVError, match='row 0: Arrow data are wrong'):
        encoded(source)


@pytest.mark.parametrize(
    ('schema', 'array', 'message'),
    [
        (
            abi.schema('+s', 'x', abi.schema('l', 'a'), abi.schema('l', 'a')),
            abi.array(1, [None], *(abi.array(1, [None, EIGHT]) for _ in range(2))),
            'two fields of one name',
        ),
        (abi.schema('tiM', 'x'), abi.array(1, [None, EIGHT]), 'intervals of months alone'),
    ],
)
def test_values_without_a_counterpart(schema: Any, array: Any, message: str) -> None:
    source = abi.Batch(abi.schema('+s', '', schema), abi.array(1, [None], array))
    with pytest.raises(CSVError, match=f'row 0: .*{message}'):
        encoded(source)


@pytest.mark.parametrize('index', [-1, 1, 127])
def test_an_index_outside_of_its_dictionary(index: int) -> None:
    values = abi.array(1, [None, EIGHT])
    column = abi.array(1, [None, index.to_bytes(1, 'little', signed=True)], dictionary=values)
    source = abi.Batch(
        abi.schema('+s', '', abi.schema('c', 'x', dictionary=abi.schema('l'))),
        abi.array(1, [None], column),
    )
    with pytest.raises(CSVError, match='row 0: Arrow data are wrong'):
        encoded(source)


def test_runs_that_end_too_early() -> None:
    column = abi.array(
        5, [], abi.array(1, [None, (2).to_bytes(4, sys.byteorder)]), abi.array(1, [None, EIGHT])
    )
    source = abi.Batch(
        abi.schema('+s', '', abi.schema('+r', 'x', abi.schema('i'), abi.schema('l'))),
        abi.array(5, [None], column),
    )
    with pytest.raises(CSVError, match='row 2: Arrow data are wrong'):
        encoded(source)


@pytest.mark.parametrize('format', ['', '?', 'd:x', 'd:5', 'w:-1', 'tsx:', 'd:9,2,100', '+ud:300'])
def test_unknown_types(format: str) -> None:
    source = abi.Batch(abi.schema('+s', '', abi.schema(format)), number(1))
    with pytest.raises(NotImplementedError, match='unknown type'):
        encoded(source)


def with_children(count: int) -> Any:
    made = abi.schema('+s', 'x')
    made.n_children = count
    return made


@pytest.mark.parametrize(
    ('column', 'message'),
    [
        (abi.schema('u', 'x', dictionary=abi.schema('l')), 'the schema is wrong'),
        (with_children(-1), 'the schema is wrong'),
        (released(abi.schema('l', 'x')), 'the Arrow schema was released'),
    ],
)
def test_wrong_schemas(column: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encoded(abi.Batch(abi.schema('+s', '', column), number(1)))


def test_a_stream_whose_schema_was_released() -> None:
    with pytest.raises(ValueError, match='the Arrow schema was released'):
        encoded(abi.Stream(released(abi.schema('+s')), []))


def test_a_schema_that_never_ends() -> None:
    deep = abi.schema('l')
    for _ in range(100):
        deep = abi.schema('+l', '', deep)
    with pytest.raises(ValueError, match='the schema is wrong'):
        encoded(abi.Batch(abi.schema('+s', '', deep), number(1)))


def test_text_that_is_not_utf_8() -> None:
    offsets = b''.join(n.to_bytes(4, sys.byteorder) for n in (0, 1, 3))
    source = abi.Batch(
        abi.schema('+s', '', abi.schema('l', 'n'), abi.schema('u', 'x')),
        abi.array(
            2, [None], abi.array(2, [None, bytes(16)]), abi.array(2, [None, offsets, b'a\xff\xfe'])
        ),
    )
    for options in ({}, {'delimiter': 'é'}):
        stream = csv_encode(source, header=False, **options)
        assert next(stream).endswith(b'a\r\n')
        with pytest.raises(CSVError, match=r'row 1: .*invalid start byte') as caught:
            next(stream)
        assert caught.value.column == 'x'


def test_rows_that_are_not_there() -> None:
    source = abi.Batch(
        NUMBER, abi.array(3, [b'\x05'], abi.array(3, [None, bytes(24)]), null_count=1)
    )
    assert encoded(source) == b'n\r\n0\r\n""\r\n0\r\n'

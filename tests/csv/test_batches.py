"""``csv_batches``: columns, types, null, batches, errors, positions, and what a stream promises."""

from __future__ import annotations

import csv
import datetime as dt
import inspect
import io
import json
import math
import pickle
from collections.abc import Callable, Generator, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import CSVBatch, CSVError, csv_batches

from . import oracle, strategies
from .batches import by_columns, check_batches, pa, told, values
from .strategies import cut, cuts

ORDERS = b'id,name,price\n1,Ann,2.5\n2,Bob,\n3,"C, D",1e3\n'
TYPED = {'id': int, 'price': float}
UTC = dt.UTC


def one(source: Any, **arguments: Any) -> CSVBatch:
    (batch,) = csv_batches(source, **arguments)
    return batch


def column(text: str, **arguments: Any) -> list[Any]:
    """The values of a column, a field a line."""
    table = pa.Table.from_batches(
        [pa.record_batch(batch) for batch in csv_batches(f'x\n{text}'.encode(), **arguments)]
    )
    table.validate(full=True)
    return table['x'].to_pylist()


def schema(**fields: Any) -> Any:
    return pa.schema(list(fields.items()))


# --- what a batch is --------------------------------------------------------------------------


def test_a_batch_has_rows_and_columns() -> None:
    batch = one(ORDERS, types=TYPED)
    assert len(batch) == batch.num_rows == 3
    assert batch.num_columns == 3
    assert batch.column_names == ('id', 'name', 'price')
    assert repr(batch) == '<CSVBatch of 3 rows, 3 columns>'
    assert batch.nbytes > 0
    assert values(batch) == [[1, 'Ann', 2.5], [2, 'Bob', None], [3, 'C, D', 1000.0]]


def test_a_column_by_its_name_and_by_its_index() -> None:
    batch = one(ORDERS, types=TYPED)
    assert repr(batch.column('price')) == "<column 'price' of 3 rows, 1 nulls>"
    assert batch.column('price').name == batch.column(2).name == batch.column(-1).name == 'price'
    assert batch.column('price') == batch.column(2)
    assert batch.column('price') != batch.column('id')
    assert batch.column(2).null_count == 1
    assert pa.array(batch.column(1)).to_pylist() == ['Ann', 'Bob', 'C, D']
    assert pa.field(batch.column(1)).type == pa.string()


@pytest.mark.parametrize(
    ('key', 'error'),
    [('none', KeyError), (3, IndexError), (-4, IndexError), (1.0, TypeError), (None, TypeError)],
)
def test_there_is_no_such_column(key: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        one(ORDERS).column(key)


def test_a_column_of_numbers_is_a_buffer() -> None:
    batch = one(ORDERS, types=TYPED, columns=['id'])
    view = memoryview(batch.column('id'))
    assert (view.format, view.itemsize, view.shape, view.readonly) == ('q', 8, (3,), True)
    del batch
    assert view.tolist() == [1, 2, 3]


def test_every_buffer_is_aligned() -> None:
    numpy = pytest.importorskip('numpy')
    for rows in (1, 3, 1000):
        batch = next(csv_batches(b'id,x\n' + b'1,2\n' * rows, types={'id': int, 'x': float}))
        for name in ('id', 'x'):
            array = numpy.asarray(batch.column(name))
            assert array.ctypes.data % 64 == 0
            assert len(array) == rows
            with pytest.raises(ValueError, match='read-only'):
                array[0] = 1


@pytest.mark.parametrize(
    ('name', 'message'), [('price', 'has nulls'), ('name', 'no fixed size'), ('flag', 'no fixed')]
)
def test_another_column_is_no_buffer(name: str, message: str) -> None:
    source = b'name,price,flag\nAnn,1,t\nBob,,f\n'
    batch = one(source, types={'price': float, 'flag': bool})
    with pytest.raises(BufferError, match=message):
        memoryview(batch.column(name))


def test_a_batch_is_no_dict_key_and_cannot_be_made() -> None:
    batch = one(ORDERS)
    with pytest.raises(TypeError, match='unhashable'):
        hash(batch)
    with pytest.raises(TypeError, match='cannot create'):
        CSVBatch()  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        batch.x = 1  # type: ignore[attr-defined]


EVERY = schema(
    i8=pa.int8(),
    u64=pa.uint64(),
    f32=pa.float32(),
    flag=pa.bool_(),
    text=pa.string(),
    large=pa.large_string(),
    view=pa.string_view(),
    raw=pa.binary(),
    day=pa.date32(),
    time=pa.time64('us'),
    at=pa.timestamp('ns', 'Europe/Berlin'),
    price=pa.decimal128(20, 3),
    kind=pa.dictionary(pa.int32(), pa.string()),
)
EVERY_ROW = (
    b'-128,18446744073709551615,0.1,yes,"t,1",large,a text of more than twelve,\xc3\xa9,'
    b'2024-02-29,12:30:01.5,2024-02-29T12:30:00+02:00,-17.25,red\n'
)
EVERY_SOURCE = ','.join(EVERY.names).encode() + b'\n' + EVERY_ROW + b',' * 12 + b'\n' + EVERY_ROW


def test_every_type_of_a_schema() -> None:
    table = pa.table(csv_batches(EVERY_SOURCE, schema=EVERY, null=('',)))
    table.validate(full=True)
    assert table.schema == EVERY
    first, second, third = table.to_pylist()
    assert first == third
    assert second == dict.fromkeys(EVERY.names)
    assert first == {
        'i8': -128,
        'u64': 2**64 - 1,
        'f32': pytest.approx(0.1),
        'flag': True,
        'text': 't,1',
        'large': 'large',
        'view': 'a text of more than twelve',
        'raw': 'é'.encode(),
        'day': dt.date(2024, 2, 29),
        'time': dt.time(12, 30, 1, 500000),
        'at': table['at'][0].as_py(),
        'price': Decimal('-17.250'),
        'kind': 'red',
    }
    assert first['at'].astimezone(UTC) == dt.datetime(2024, 2, 29, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize('null', [(), ('',)])
def test_a_batch_is_pickled(null: tuple[str, ...]) -> None:
    batch = one(EVERY_SOURCE, schema=EVERY, null=null)
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        came = pickle.loads(pickle.dumps(batch, protocol))
        assert came == batch
        assert not came != batch  # noqa: SIM202
        assert values(came) == values(batch)
        assert came.column_names == batch.column_names
    for rows in (0, 1):
        assert one(EVERY_SOURCE, schema=EVERY, rows=3, columns=['i8']) != batch, rows


def test_batches_of_other_values_are_not_equal() -> None:
    for name in EVERY.names:
        batch = one(EVERY_SOURCE, schema=EVERY, columns=[name], null=('',))
        others = list(csv_batches(EVERY_SOURCE, schema=EVERY, columns=[name], null=('',), rows=1))
        assert others[0] == others[2]
        assert others[0] != others[1]
        assert batch != others[0]
        assert batch != name


def test_what_is_no_pickled_batch_is_refused() -> None:
    """A wrong offset would be an address that nobody checks."""
    for name in EVERY.names:
        batch = one(EVERY_SOURCE, schema=EVERY, columns=[name], null=('',))
        restore, (rows, ((*field, validity, numbers, data, entries),)) = batch.__reduce__()
        assert restore(rows, ((*field, validity, numbers, data, entries),)) == batch
        wrong = [
            (rows + 8, (validity, numbers, data, entries)),
            (-1, (validity, numbers, data, entries)),
            (2**40, (validity, numbers, data, entries)),
            (rows, (b'', b'', data, entries)),
        ]
        if data and name != 'view':
            wrong += [
                (rows, (validity, numbers, data[:-1], entries)),
                (rows, (validity, b'\x7f' * len(numbers), data, entries)),
            ]
        if entries:
            wrong.append((rows, (validity, numbers, data, b'\x7f' * len(entries))))
        if data and name != 'raw':
            wrong.append((rows, (validity, numbers, b'\xff' * len(data), entries)))
        for count, buffers in wrong:
            with pytest.raises(ValueError):
                restore(count, ((*field, *buffers),))
    with pytest.raises(ValueError, match='format'):
        restore(1, (('x', '+s', 0, 1, 0, b'', b'', b'', b''),))
    with pytest.raises(ValueError, match='format'):
        restore(1, (('x', 'x' * 300, 0, 1, 0, b'', b'', b'', b''),))
    for parts in (([],), (('x',),), 5):
        with pytest.raises(TypeError):
            restore(1, parts)


# --- names and columns ------------------------------------------------------------------------


def test_header_false_names_the_columns() -> None:
    assert one(b'1,2\n3,4\n', header=False).column_names == ('f0', 'f1')
    stream = csv_batches(b'1,2\n3,4\n', header=False, types={'f1': int, 0: float})
    assert stream.header is None
    assert values(next(stream)) == [[1.0, 2], [3.0, 4]]
    assert stream.header is None


def test_names_replace_and_give_names() -> None:
    assert one(ORDERS, names=str.upper).column_names == ('ID', 'NAME', 'PRICE')
    assert one(b'1,2\n', names=['a', 'b'], header=False).column_names == ('a', 'b')
    stream = csv_batches(ORDERS, names=['xyz', 'y', 'z'])
    assert stream.header == ('xyz', 'y', 'z')


def test_columns_choose_and_order() -> None:
    batch = one(ORDERS, columns=['price', 0], types=TYPED)
    assert batch.column_names == ('price', 'id')
    assert values(batch) == [[2.5, 1], [None, 2], [1000.0, 3]]


def test_no_columns_still_have_rows() -> None:
    batch = one(ORDERS, columns=[])
    assert (len(batch), batch.num_columns, batch.column_names) == (3, 0, ())
    assert pa.record_batch(batch).num_rows == 3
    assert pickle.loads(pickle.dumps(batch)) == batch


def test_empty_sources() -> None:
    for source in (b'', b'\n\n', b'a,b\n', b'a,b', b'\xef\xbb\xbf'):
        stream = csv_batches(source)
        assert list(stream) == []
        assert list(csv_batches(source, header=False, rows=1)) == (
            [one(b'a,b', header=False)] if source.startswith(b'a') else []
        )
    assert pa.table(csv_batches(b'')).num_columns == 0
    assert pa.table(csv_batches(b'a,b\n', types={'a': int})).schema == schema(
        a=pa.int64(), b=pa.string()
    )
    assert csv_batches(b'').header == ()


def test_a_request_that_the_names_do_not_allow_is_an_error_of_the_header() -> None:
    requests: list[tuple[dict[str, Any], str]] = [
        ({'types': {'none': int}}, "types: there is no column 'none'"),
        ({'types': {7: int}}, 'types: there is no column 7'),
        ({'columns': ['none']}, "columns: there is no column 'none'"),
        ({'columns': ['id', 'id']}, "several columns are named 'id'"),
        ({'schema': schema(none=pa.int8())}, "schema: there is no column 'none'"),
        ({'schema': schema(id=pa.int8()), 'types': {0: int}}, 'both `types` and `schema`'),
        ({'names': ['a', 'b', 'a']}, "several columns are named 'a': 0 and 2"),
        ({'names': ['a', 'b', 3]}, 'the name of column 2 must be str, not 3'),
        ({'names': ['a', 'b', 'c\0']}, 'has a NUL'),
        ({'names': ['a', 'b', '\ud800']}, 'surrogates not allowed'),
    ]
    for arguments, message in requests:
        for make in (
            lambda arguments=arguments: next(csv_batches(ORDERS, **arguments)),
            lambda arguments=arguments: csv_batches(ORDERS, **arguments).__arrow_c_schema__(),
        ):
            with pytest.raises(CSVError, match=message) as caught:
                make()
            assert (caught.value.record, caught.value.line) == (1, 1)


def test_duplicate_names_are_told_unless_one_is_chosen() -> None:
    source = b'a,b,a\n1,2,3\n'
    with pytest.raises(CSVError, match="several columns are named 'a': 0 and 2"):
        next(csv_batches(source))
    assert values(one(source, columns=[2, 'b'])) == [['3', '2']]


def test_an_empty_name_is_a_name() -> None:
    """As of the index that pandas writes."""
    assert values(one(b',a\n0,x\n', types={'': int})) == [[0, 'x']]


def test_five_thousand_columns() -> None:
    names = [f'c{i}' for i in range(5000)]
    line = ','.join(str(i) for i in range(5000))
    source = f'{",".join(names)}\n{line}\n{line}\n'.encode()
    batch = one(source, types=dict.fromkeys(names[::2], int))
    table = pa.table(pa.record_batch(batch))
    table.validate(full=True)
    assert table.column('c4998').to_pylist() == [4998, 4998]
    assert table.column('c4999').to_pylist() == ['4999', '4999']
    assert pickle.loads(pickle.dumps(batch)) == batch


# --- arguments that are wrong for any data ----------------------------------------------------


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'rows': 0}, ValueError, 'rows must be at least 1, not 0'),
        ({'rows': -(10**30)}, ValueError, 'rows must be at least 1'),
        ({'rows': '5'}, TypeError, 'integer'),
        ({'rows': None}, TypeError, 'integer'),
        ({'threads': 0}, ValueError, 'threads must be at least 1'),
        ({'ragged': 'allow'}, ValueError, "ragged='allow' is not possible"),
        ({'ragged': 'none'}, ValueError, "'pad' or 'error', not 'none'"),
        ({'types': {'a': len}}, TypeError, "'a': <built-in function len> is a callable"),
        ({'types': {'a': Decimal}}, TypeError, 'a field of decimal128'),
        ({'types': {'a': dict}}, TypeError, 'is a callable'),
        ({'types': {'a': 5}}, TypeError, "column 'a' must have a type"),
        ({'types': [('a', int)]}, TypeError, 'types must be a mapping'),
        ({'schema': {'a': 'int8'}}, TypeError, 'schema must have __arrow_c_schema__'),
        ({'schema': pa.int8()}, ValueError, 'schema must have fields'),
        ({'null': 'NA'}, TypeError, 'null must be a collection'),
        ({'on_error': 'none'}, (TypeError, ValueError), 'on_error'),
        ({'header': False, 'names': str.upper}, ValueError, 'needs a header'),
        ({'into': dict}, TypeError, 'into'),
        ({'schema': schema(a=pa.int8()), 'types': {'a': int}}, ValueError, 'both `types`'),
        ({'schema': pa.schema([('a', pa.int8())] * 2)}, ValueError, "several fields are named 'a'"),
    ],
)
def test_wrong_arguments(arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        csv_batches(ORDERS, **arguments)


@pytest.mark.parametrize(
    'made',
    [
        pa.null(),
        pa.float16(),
        pa.date64(),
        pa.time32('s'),
        pa.time64('ns'),
        pa.duration('s'),
        pa.decimal256(40, 2),
        pa.large_binary(),
        pa.list_(pa.int8()),
        pa.struct([('x', pa.int8())]),
        pa.dictionary(pa.int8(), pa.string()),
        pa.dictionary(pa.int32(), pa.large_string()),
        pa.timestamp('us', 'x' * 200),
    ],
)
def test_a_type_that_is_not_made_is_refused_by_its_field(made: Any) -> None:
    with pytest.raises(ValueError, match="schema: field 'odd' is of a type that is not made"):
        csv_batches(ORDERS, schema=schema(id=pa.int8(), odd=made))


def test_a_large_number_of_rows_is_no_limit() -> None:
    assert len(one(ORDERS, rows=10**30)) == 3


# --- null and ragged --------------------------------------------------------------------------


def test_null_is_as_in_csv_rows() -> None:
    source = '1\n\n""\nNA\n"NA"\n'.replace('\n\n', '\n,\n')
    text = b'x,y\n1,1\nNA,NA\n"NA","NA"\n,\n"",""\n'
    batch = one(text, null=('NA',))
    assert values(batch) == [['1', '1'], [None, None], ['NA', 'NA'], ['', ''], ['', '']]
    batch = one(text, null=('NA', ''))
    assert values(batch)[3:] == [[None, None], ['', '']]
    text = text.replace(b'"NA"', b'3')
    assert values(one(text, null=('NA',), types={'x': int, 'y': float})) == [
        [1, 1.0],
        [None, None],
        [3, 3.0],
        [None, None],
        [None, None],
    ]
    assert source


def test_a_bitmap_exists_only_where_there_are_nulls() -> None:
    first, second = csv_batches(b'x\n1\n2\n""\n3\n', types={'x': int}, rows=2)
    assert pa.array(first.column(0)).buffers()[0] is None
    assert pa.array(second.column(0)).buffers()[0] is not None
    assert memoryview(first.column(0)).tolist() == [1, 2]


def test_str_or_none_is_null_where_it_is_empty() -> None:
    assert values(one(b'x,y\n,1\n"",1\na,1\n', types={'x': str | None})) == [
        [None, '1'],
        [None, '1'],
        ['a', '1'],
    ]


def test_null_that_the_schema_does_not_allow() -> None:
    strict = pa.schema([pa.field('x', pa.int8(), nullable=False)])
    table = pa.table(csv_batches(b'x\n1\n', schema=strict))
    assert not table.schema.field('x').nullable
    stream = csv_batches(b'x,y\n1,\n,2\n', schema=strict)
    assert len(next(stream)) == 1
    with pytest.raises(CSVError, match='a null, but the schema allows none') as caught:
        next(stream)
    assert (caught.value.record, caught.value.column) == (3, 'x')


def test_quoting_makes_null_of_what_it_makes_none_of() -> None:
    source = b'"x","y"\n,"1"\n"","1"\n'
    for quoting in (oracle.QUOTE_NOTNULL, oracle.QUOTE_STRINGS):
        assert values(one(source, quoting=quoting, header=True)) == [[None, '1'], ['', '1']]
        typed = one(source, quoting=quoting, types={'x': str})
        assert values(typed) == [['', '1'], ['', '1']]


def test_pad_gives_null_for_missing_fields() -> None:
    assert values(one(b'a,b,c\n1\n1,2\n\n1,2,3\n', ragged='pad', types={'c': int})) == [
        ['1', None, None],
        ['1', '2', None],
        ['1', '2', 3],
    ]
    check_batches(csv_batches, lambda: b'a,b\n1\n1,2\n1,2,3\n4\n', ragged='pad')


# --- errors -----------------------------------------------------------------------------------

WIDE = ''.join(f'{i},{i}.5,t{i}\n' for i in range(300))


@pytest.mark.parametrize('bad', [0, 1, 6, 7, 8, 150, 298, 299])
@pytest.mark.parametrize('fault', ['x,1,t', '1,x,t', '1,2', '1,2,3,4', '1_000,1_0.5,"t'])
@pytest.mark.parametrize('on_error', ['raise', 'skip'])
def test_a_bad_record_anywhere(bad: int, fault: str, on_error: str) -> None:
    lines = WIDE.splitlines(keepends=True)
    lines[bad] = fault + '\n'
    source = ('a,b,c\n' + ''.join(lines)).encode()
    arguments: dict[str, Any] = {'types': {'a': int, 'b': float}, 'on_error': on_error}
    for make in (lambda: source, lambda: iter(cut(source, 50))):
        check_batches(csv_batches, make, items='chunks', **arguments)


def test_every_second_record_is_bad() -> None:
    source = b'a,b\n' + b'1,2\nx,2\n3\n5,y\n7,8\n9,10,11\n' * 50
    read = check_batches(csv_batches, lambda: source, types={'a': int, 'b': int}, on_error='skip')
    assert read.counts == (301, 100, 200)
    assert len(read.rows) == 100


def test_on_error_gets_the_error_and_the_source_text_in_order() -> None:
    source = b'a,b\r\n1,2\r\nx,"3\n"\r\n4\r\n5,6\r\n7,"y" z\r\n8,q'

    def reported(read: Callable[..., Any], **arguments: Any) -> list[tuple[str, bytes]]:
        found: list[tuple[str, bytes]] = []
        for pieces in ([source], cut(source, 1), cut(source, 7)):
            found.clear()
            list(
                read(
                    iter(pieces),
                    types={'a': int, 'b': int},
                    on_error=lambda error, raw: found.append((told(error), raw)),
                    **arguments,
                )
            )
        return found

    from generators import csv_rows

    expected = reported(csv_rows, header=True, ragged='error', into=tuple)
    assert reported(csv_batches) == expected
    assert [raw for _, raw in expected] == [b'x,"3\n"\r\n', b'4\r\n', b'7,"y" z\r\n', b'8,q']


def test_what_on_error_raises_comes_after_the_rows_before_it() -> None:
    def refuse(error: CSVError, raw: bytes) -> None:
        raise LookupError(raw)

    stream = csv_batches(b'a\n1\n2\nx\n3\n', types={'a': int}, on_error=refuse)
    assert values(next(stream)) == [[1], [2]]
    assert (stream.line_num, stream.errors, stream.row_num) == (3, 0, 2)
    with pytest.raises(LookupError):
        next(stream)
    assert stream.errors == 1
    assert next(stream, None) is None


def test_ctrl_c_in_on_error_comes_at_once() -> None:
    def interrupt(error: CSVError, raw: bytes) -> None:
        raise KeyboardInterrupt

    stream = csv_batches(b'a\n1\nx\n', types={'a': int}, on_error=interrupt)
    with pytest.raises(KeyboardInterrupt):
        next(stream)


@pytest.mark.parametrize(
    ('text', 'given', 'other'),
    [
        ('9223372036854775808', int, 'int64: uint64'),
        ('-9223372036854775809', int, 'int64: str'),
        ('1' * 40, int, 'int64: str'),
        ('18446744073709551616', pa.uint64(), 'uint64: str'),
        ('128', pa.int8(), 'int8: int16'),
        ('-129', pa.int8(), 'int8: int16'),
        ('40000', pa.int16(), 'int16: int32'),
        ('-1', pa.uint8(), 'uint8: int8'),
        ('256', pa.uint8(), 'uint8: uint16'),
        ('3_000_000_000', pa.int32(), 'int32: int64'),
        ('1e39', pa.float32(), 'float32: float64'),
        ('1.005', pa.decimal128(5, 2), r'decimal128\(5, 2\): decimal128\(5, 3\)'),
        ('1000.00', pa.decimal128(5, 2), r'decimal128\(5, 2\): decimal128\(6, 2\)'),
        ('1e50', pa.decimal128(5, 2), r'decimal128\(5, 2\): str'),
        ('NaN', pa.decimal128(5, 2), r'decimal128\(5, 2\): str'),
        ('-Infinity', pa.decimal128(5, 2), r'decimal128\(5, 2\): str'),
        ('1500-01-01T00:00:00', pa.timestamp('ns'), r'timestamp\[ns\]: timestamp\[us\]'),
        ('2020-01-01T00:00:00.5', pa.timestamp('s'), r'timestamp\[s\]: timestamp\[us\]'),
        ('2020-01-01T00:00:00.0005', pa.timestamp('ms'), r'timestamp\[ms\]: timestamp\[us\]'),
        ('2020-01-01T00:00:00Z', pa.timestamp('us'), r'timestamp\[us\]: str'),
        ('12:00:00+01:00', dt.time, r'time64\[us\]: str'),
    ],
)
def test_a_value_that_does_not_fit_says_which_type_would_do(
    text: str, given: Any, other: str
) -> None:
    arguments: dict[str, Any] = {'types': {'x': given}}
    if isinstance(given, pa.DataType):
        arguments = {'schema': schema(x=given)}
    with pytest.raises(CSVError, match=f'does not fit {other} would do') as caught:
        next(csv_batches(f'y,x\n1,{text}\n'.encode(), **arguments))
    assert (caught.value.record, caught.value.column, caught.value.text) == (2, 'x', text)


@pytest.mark.parametrize(
    ('text', 'given'),
    [
        ('x', int),
        ('x', float),
        ('x', bool),
        ('x', dt.date),
        ('2020-02-30', dt.date),
        ('x', dt.time),
        ('x', dt.datetime),
        ('x', pa.decimal128(3, 1)),
        ('1.5', pa.int8()),
        ('x', pa.float32()),
    ],
)
def test_a_bad_value(text: str, given: Any) -> None:
    arguments: dict[str, Any] = {'types': {'x': given}}
    if isinstance(given, pa.DataType):
        arguments = {'schema': schema(x=given)}
    with pytest.raises(CSVError) as caught:
        next(csv_batches(f'x\n{text}\n'.encode(), **arguments))
    assert (caught.value.column, caught.value.text) == ('x', text)


def test_text_that_is_not_unicode_is_an_error_of_its_field() -> None:
    for arguments in ({}, {'schema': schema(x=pa.dictionary(pa.int32(), pa.string()))}):
        stream = csv_batches(['x,y\n', '1,a\n', '\ud800,b\n'], **arguments)
        assert len(next(stream)) == 1
        with pytest.raises(CSVError, match='surrogates not allowed') as caught:
            next(stream)
        assert isinstance(caught.value.__cause__, UnicodeEncodeError)
        assert (caught.value.record, caught.value.column) == (3, 'x')
    raw = b'x\n\xff\n'
    with pytest.raises(CSVError, match='surrogates'):
        next(csv_batches(raw, errors='surrogateescape'))


def test_bytes_of_text_that_is_not_unicode() -> None:
    stream = csv_batches(['x\n', 'a\udcff\n'], types={'x': bytes}, errors='surrogateescape')
    assert pa.record_batch(next(stream)).to_pydict() == {'x': [b'a\xff']}


# --- values -----------------------------------------------------------------------------------

SPELLINGS = [
    *('0', '-0', '+7', ' 12 ', '1_000', '٣', '007', '9223372036854775807', '-9223372036854775808'),
    *('1.5', '.5', '5.', '1e300', '-1E-300', 'nan', '-inf', 'Infinity', '0x1', '1e400', '1' * 30),
    *('0.1', '123456789.123456789', '2.2250738585072014e-308', '1_0.5'),
    *('true', 'F', 'yes', 'No', '1', '0', 'T', 'maybe'),
    *('2024-02-29', '20240229', '2024-W09-4', '2023-02-29', '0001-01-01', '9999-12-31'),
    *('12:30', '12:30:45', '12:30:45.123456', '123045', 'T12:30', '24:00'),
    *('2024-02-29T12:30:45', '2024-02-29 12:30', '2024-02-29T12:30:45.123456', '20240229T123045'),
    *('2024-02-29T12', '1969-12-31T23:59:59.999999'),
    *('', 'NA', 'é', '€', '😀', 'a"b', 'x' * 40),
]
KINDS = [str, bytes, int, float, bool, dt.date, dt.datetime]


@pytest.mark.parametrize('kind', KINDS)
def test_each_spelling_as_each_type(kind: Any) -> None:
    """One at a time, and all of them, the bad ones left out."""
    fields = ['"{}"'.format(text.replace('"', '""')) for text in SPELLINGS]
    for field in fields:
        source = f'x,y\n{field},1\n'.encode()
        if kind is int and field == f'"{"1" * 30}"':
            continue  # an int of any size is one to csv_rows()
        check_batches(csv_batches, lambda source=source: source, (1,), types={'x': kind})
        check_batches(
            csv_batches, lambda source=source: iter([source.decode()]), (1,), types={'x': kind}
        )
    fields = [field for field in fields if field != f'"{"1" * 30}"']
    source = ('x,y\n' + ''.join(f'{field},1\n' for field in fields)).encode()
    check_batches(csv_batches, lambda: source, types={'x': kind}, on_error='skip')


def test_datetimes_are_in_utc_if_the_first_has_a_zone() -> None:
    text = '""\n2024-01-01T00:00:00+02:00\n2024-01-01T00:00:00Z\n0001-01-01T00:00:00+14:00\n'
    table = pa.table(csv_batches(f'x\n{text}'.encode(), types={'x': dt.datetime}))
    assert table.schema.field('x').type == pa.timestamp('us', 'UTC')
    assert table['x'].cast(pa.int64()).to_pylist()[:3] == [
        None,
        1704060000000000,
        1704067200000000,
    ]
    assert table['x'].cast(pa.int64()).to_pylist()[3] == -62135596800000000 - 14 * 3600 * 10**6


def test_datetimes_with_and_without_a_zone_do_not_mix() -> None:
    for lines, message in [
        ('2024-01-01T00:00\n2024-01-01T00:00Z\n', 'has a zone and does not fit'),
        ('2024-01-01T00:00Z\n2024-01-01T00:00\n', 'has no zone and does not fit'),
    ]:
        stream = csv_batches(f'x\n{lines}'.encode(), types={'x': dt.datetime})
        assert len(next(stream)) == 1
        with pytest.raises(CSVError, match=message):
            next(stream)


def test_a_column_of_datetimes_without_a_value_has_no_zone() -> None:
    source = b'x,y\n' + b',1\n' * 10 + b'2024-01-01T00:00,2\n'
    assert pa.table(csv_batches(source, types={'x': dt.datetime})).schema.field('x').type == (
        pa.timestamp('us')
    )
    # The first batch has decided.
    stream = csv_batches(source.replace(b':00,', b':00Z,'), types={'x': dt.datetime}, rows=10)
    assert len(next(stream)) == 10
    with pytest.raises(CSVError, match='has a zone and does not fit'):
        next(stream)
    # Without one, the value decides, in whichever piece it comes.
    pieces = cut(source.replace(b':00,', b':00Z,'), 7)
    table = pa.table(csv_batches(iter(pieces), types={'x': dt.datetime}, rows=1000))
    assert table.schema.field('x').type == pa.timestamp('us', 'UTC')


def test_time() -> None:
    assert column('12:30\n""\n23:59:59.999999\nT07\n', types={'x': dt.time}) == [
        dt.time(12, 30),
        None,
        dt.time(23, 59, 59, 999999),
        dt.time(7),
    ]


@pytest.mark.parametrize('unit', ['s', 'ms', 'us', 'ns'])
def test_timestamps_of_every_unit(unit: str) -> None:
    text = '2024-02-29T12:30:45\n1969-12-31T23:59:59\n20240229T123045\n'
    moment = dt.datetime(2024, 2, 29, 12, 30, 45)
    given = schema(x=pa.timestamp(unit))
    assert column(text, schema=given) == [moment, dt.datetime(1969, 12, 31, 23, 59, 59), moment]


@given(st.decimals(allow_nan=False, allow_infinity=False), st.integers(1, 38), st.integers(-5, 38))
@settings(max_examples=300)
def test_decimals_are_exact(number: Decimal, precision: int, scale: int) -> None:
    if abs(number.adjusted()) > 60:
        return
    kind = pa.decimal128(precision, scale)
    unscaled = Fraction(number) * Fraction(10) ** scale
    fits = unscaled.denominator == 1 and abs(unscaled) < 10**precision
    expected = number if fits else None
    for text in (str(number), f'{number:f}', f' {number} '):
        try:
            (came,) = column(f'"{text}"\n', schema=schema(x=kind))
        except CSVError as error:
            assert 'would do' in str(error)
            came = None
        assert came == expected, text


@given(st.floats(width=64, allow_nan=False))
@settings(max_examples=300)
def test_float32_is_the_nearest(number: float) -> None:
    numpy = pytest.importorskip('numpy')
    with numpy.errstate(over='ignore'):
        nearest = numpy.float32(number)
    for text in (repr(number), f' {number:.40e} '):
        if math.isinf(nearest) and not math.isinf(number):
            with pytest.raises(CSVError, match='float64 would do'):
                column(f'{text}\n', schema=schema(x=pa.float32()))
        else:
            assert column(f'{text}\n', schema=schema(x=pa.float32())) == [float(nearest)]


def test_float32_of_what_lies_beside_the_middle_of_two_floats() -> None:
    """float() gives the middle, and the text is above or below it."""
    middle = '1.00000005960464477539062500000'
    for text, above in [(middle, False), (middle + '0' * 30 + '1', True)]:
        for spelled in (text, f'{text[0]}_0{text[1:]}'[0] + text[1:]):
            (came,) = column(f'{spelled}\n', schema=schema(x=pa.float32()))
            assert (came > 1.0) is above


RARE: list[tuple[str, Any, Any]] = [
    ('1_000', pa.uint64(), 1000),
    ('1844674407370955161_5', pa.uint64(), 2**64 - 1),
    ('\u0663', pa.uint8(), 3),
    ('-1_0', pa.int8(), -10),
    ('1_000.50', pa.decimal128(9, 2), Decimal('1000.50')),
    ('-1_000.50', pa.decimal128(9, 2), Decimal('-1000.50')),
    ('\u0663e1', pa.decimal128(9, 2), Decimal('30.00')),
    ('-1_' + '7' * 37, pa.decimal128(38, 0), Decimal('-1' + '7' * 37)),
    ('0_0', pa.decimal128(1, 1), Decimal('0.0')),
    ('1_2e3', pa.decimal128(5, -3), Decimal('12E+3')),
    ('1_0.5', pa.float32(), 10.5),
    ('20240229', pa.date32(), dt.date(2024, 2, 29)),
    ('T123045', pa.time64('us'), dt.time(12, 30, 45)),
    ('20240229T12', pa.timestamp('ms'), dt.datetime(2024, 2, 29, 12)),
    ('2024-W09-4T12:30:00.000001', pa.timestamp('ns'), None),
]


@pytest.mark.parametrize(('text', 'kind', 'value'), RARE)
def test_a_rare_spelling_in_each_type(text: str, kind: Any, value: Any) -> None:
    came = column(f'{text}\n{text}\n', schema=schema(x=kind))
    if value is not None:
        assert came == [value, value]
        assert type(came[0]) is type(value)
    else:
        assert [str(moment) for moment in came] == ['2024-02-29 12:30:00.000001'] * 2


@pytest.mark.parametrize('kind', ['int', 'uint'])
@pytest.mark.parametrize('bits', [8, 16, 32, 64])
def test_numbers_of_every_size_are_buffers(kind: str, bits: int) -> None:
    made = getattr(pa, f'{kind}{bits}')()
    (batch,) = csv_batches(b'x\n1\n7\n', schema=schema(x=made))
    view = memoryview(batch.column('x'))
    assert (view.itemsize, view.tolist()) == (bits // 8, [1, 7])


def test_dates_times_and_floats_are_buffers() -> None:
    kinds = schema(d=pa.date32(), t=pa.time64('us'), at=pa.timestamp('s'), f=pa.float32())
    source = b'd,t,at,f\n1970-01-02,00:00:01,1970-01-01T00:01:00,0.5\n'
    (batch,) = csv_batches(source, schema=kinds)
    assert [memoryview(batch.column(i)).tolist() for i in range(4)] == [[1], [10**6], [60], [0.5]]
    with pytest.raises(TypeError):
        assert batch.column(0) < batch.column(1)  # type: ignore[operator]


def test_a_null_that_is_spelled_as_a_datetime_has_no_say_in_the_zone() -> None:
    source = b'y,x\n\n1\n1,9999-12-31T00:00Z\n2,2024-01-01T00:00\n'
    stream = csv_batches(source, types={'x': dt.datetime}, null=['9999-12-31T00:00Z'], ragged='pad')
    assert pa.schema(stream).field('x').type == pa.timestamp('us')
    assert values(next(stream))[1:] == [['1', None], ['2', dt.datetime(2024, 1, 1)]]


def test_a_capsule_is_a_schema() -> None:
    capsule = schema(id=pa.int8()).__arrow_c_schema__()
    assert pa.schema(csv_batches(ORDERS, schema=capsule)).field('id').type == pa.int8()
    with pytest.raises(ValueError, match='name'):
        csv_batches(ORDERS, schema=next(csv_batches(ORDERS)).__arrow_c_array__()[1])


# --- random text ------------------------------------------------------------------------------


def encodable(text: str) -> str:
    return text.encode('utf-8', 'ignore').decode()


@given(case=strategies.dialects_and_bytes(), places=cuts, rows=st.sampled_from([1, 2, 7, 1000]))
def test_bytes_under_random_dialects(
    kernel_csv_batches: Any, case: tuple[dict[str, Any], bytes], places: Any, rows: int
) -> None:
    dialect, raw = case
    arguments = dialect | {'header': False, 'items': 'chunks'}
    if dialect['quoting'] in (oracle.QUOTE_NONNUMERIC, oracle.QUOTE_STRINGS):
        arguments['quoting'] = oracle.QUOTE_ALL
    for ragged in ('pad', 'error'):
        for on_error in ('raise', 'skip'):
            check_batches(
                kernel_csv_batches,
                lambda: iter(cut(raw, places)),
                (rows,),
                ragged=ragged,
                on_error=on_error,
                **arguments,
            )


@given(case=strategies.dialects_and_texts(), places=cuts)
def test_text_under_random_dialects(case: tuple[dict[str, Any], str], places: Any) -> None:
    dialect, text = case
    text = encodable(text)
    if dialect['quoting'] in (oracle.QUOTE_NONNUMERIC, oracle.QUOTE_STRINGS):
        dialect = dialect | {'quoting': oracle.QUOTE_MINIMAL}
    arguments = dialect | {'header': False, 'ragged': 'pad', 'on_error': 'skip'}
    check_batches(csv_batches, lambda: iter(oracle.split_lines(text)), (3,), **arguments)
    check_batches(csv_batches, lambda: iter(cut(text, places)), (3,), items='chunks', **arguments)


@given(case=strategies.dialects_and_broken_bytes(), places=cuts)
def test_broken_bytes(case: tuple[dict[str, Any], bytes], places: Any) -> None:
    dialect, raw = case
    arguments = dialect | {'quoting': oracle.QUOTE_MINIMAL, 'header': False, 'ragged': 'pad'}
    if not oracle.is_valid(**{**dialect, 'quoting': oracle.QUOTE_MINIMAL}):
        return
    for on_error in ('raise', 'skip'):
        for errors in ('strict', 'replace'):
            check_batches(
                csv_batches,
                lambda: iter(cut(raw, places)),
                (3,),
                items='chunks',
                on_error=on_error,
                errors=errors,
                **arguments,
            )


typed_fields = st.one_of(
    st.sampled_from(SPELLINGS),
    st.integers(-(2**64), 2**64).map(str),
    st.floats().map(repr),
    st.dates().map(str),
    st.datetimes().map(str),
    st.booleans().map(str),
)


@given(
    rows=st.lists(st.lists(typed_fields, min_size=3, max_size=3), max_size=12),
    kinds=st.lists(st.sampled_from([None, *KINDS]), min_size=3, max_size=3),
    null=st.sets(st.sampled_from(['NA', 'x', '1'])),
    places=cuts,
    encoding=st.sampled_from(['utf-8', 'latin-1', 'utf-16', 'cp1252']),
)
def test_random_values_of_random_types(
    rows: list[list[str]], kinds: list[Any], null: set[str], places: Any, encoding: str
) -> None:
    text = io.StringIO(newline='')
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([['a', 'b', 'c'], *rows])
    raw = text.getvalue().encode(encoding, 'replace')
    types = {i: kind for i, kind in enumerate(kinds) if kind is not None}
    expected = by_rows_without_large(raw, types=types, null=null, encoding=encoding)
    for make in (lambda: raw, lambda: iter(cut(raw, places))):
        came = by_columns(
            csv_batches,
            make(),
            5,
            types=types,
            null=null,
            encoding=encoding,
            items='chunks',
            on_error='skip',
        )
        assert list(map(repr, came.rows)) == list(map(repr, expected))


def by_rows_without_large(raw: bytes, **arguments: Any) -> list[list[Any]]:
    """What csv_rows() gives, but for ints beyond 64 bits."""
    from generators import csv_rows

    kept: list[list[Any]] = []
    rows = csv_rows(raw, into=tuple, header=True, ragged='error', on_error='skip', **arguments)
    for row in rows:
        if all(not isinstance(value, int) or -(2**63) <= value < 2**63 for value in row):
            kept.append(list(row))
    return kept


# --- where batches end ------------------------------------------------------------------------


@pytest.mark.parametrize('rows', [1, 2, 3, 7, 10])
def test_a_batch_has_at_most_so_many_rows(rows: int) -> None:
    source = b'x\n' + b'1\n' * 10
    sizes = [len(batch) for batch in csv_batches(source, rows=rows)]
    assert sizes == [rows] * (10 // rows) + ([10 % rows] if 10 % rows else [])


def test_batches_do_not_depend_on_the_pieces() -> None:
    source = b'a,b\n' + b''.join(b'%d,"x\n%d"\n' % (i, i) for i in range(200))
    expected = list(csv_batches(source, rows=30))
    for size in (1, 5, 64, 1000):
        assert list(csv_batches(iter(cut(source, size)), rows=30, items='chunks')) == expected


# --- what a stream promises -------------------------------------------------------------------


def test_it_behaves_as_a_generator() -> None:
    stream = csv_batches(ORDERS, rows=1)
    assert isinstance(stream, Generator)
    assert inspect.getgeneratorstate(stream) == 'GEN_CREATED'
    assert stream.send(None).num_rows == 1
    assert inspect.getgeneratorstate(stream) == 'GEN_SUSPENDED'
    assert stream.send('ignored').num_rows == 1
    with pytest.raises(LookupError):
        stream.throw(LookupError)
    assert inspect.getgeneratorstate(stream) == 'GEN_CLOSED'
    assert next(stream, None) is None
    stream.close()
    with csv_batches(ORDERS) as stream:
        assert stream.prime() is stream
        assert len(next(stream)) == 3


def closing(pieces: list[bytes], log: list[str]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        log.append('closed')


def test_it_closes_the_generator_that_it_reads() -> None:
    for use in (list, next, lambda stream: stream.close()):
        log: list[str] = []
        stream = csv_batches(closing([b'x\n1\n', b'2\n'], log), rows=1)
        assert stream.header == ('x',)
        use(stream)
        del stream
        assert log == ['closed']


def test_a_source_that_raises_gives_the_batches_before_it() -> None:
    def source() -> Iterator[bytes]:
        yield b'x\n1\n2\n3'
        raise LookupError('gone')

    stream = csv_batches(source(), rows=10)
    assert values(next(stream)) == [['1'], ['2']]
    assert (stream.line_num, stream.row_num, stream.errors) == (3, 2, 0)
    with pytest.raises(LookupError, match='gone') as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 1']
    assert next(stream, None) is None


def test_a_source_that_closes_the_stream_is_refused() -> None:
    def source() -> Iterator[bytes]:
        yield b'x\n1\n'
        with pytest.raises(ValueError, match='already executing'):
            stream.close()
        for use in (next, list, lambda s: s.checkpoint()):
            with pytest.raises(ValueError, match='already executing'):
                use(stream)
        with pytest.raises(ValueError, match='already executing'):
            stream.__arrow_c_schema__()
        with pytest.raises(ValueError, match='already executing'):
            stream.throw(LookupError)
        yield b'2\n'

    stream = csv_batches(source())
    assert stream.header == ('x',)
    assert [len(batch) for batch in stream] == [2]


def test_a_file_that_shrinks_ends_there(tmp_path: Path) -> None:
    path = tmp_path / 'shrinks.csv'
    path.write_bytes(b'x\n' + b'1234567\n' * 100_000)
    stream = csv_batches(path, rows=1000)
    assert stream.total_bytes == 800_002
    assert len(next(stream)) == 1000
    with path.open('r+b') as file:
        file.truncate(200_000)
    with pytest.raises(CSVError, match='the file shrank while it was read'):
        list(stream)
    assert stream.row_num == 24_999
    assert stream.bytes_read == 200_000


def test_no_file() -> None:
    with pytest.raises(FileNotFoundError):
        csv_batches('/none/such.csv')


def test_positions() -> None:
    stream = csv_batches(ORDERS, rows=2)
    assert (stream.line_num, stream.row_num, stream.errors, stream.bytes_read) == (0, 0, 0, 0)
    assert stream.header == ('id', 'name', 'price')
    assert (stream.line_num, stream.row_num) == (1, 0)
    next(stream)
    assert (stream.line_num, stream.row_num) == (3, 2)
    next(stream)
    assert (stream.line_num, stream.row_num) == (4, 3)
    assert stream.bytes_read == stream.total_bytes == len(ORDERS)


# --- checkpoints ------------------------------------------------------------------------------

LONG = b'a,b\r\n' + b''.join(b'%d,"t\r\n%d"\r\n' % (i, i) for i in range(100))


@pytest.mark.parametrize('header', [True, False])
@pytest.mark.parametrize('primed', [False, True])
def test_a_reader_resumes_after_any_batch(tmp_path: Path, header: bool, primed: bool) -> None:
    path = tmp_path / 'long.csv'
    path.write_bytes(LONG)
    arguments: dict[str, Any] = {'header': header, 'rows': 7}
    whole = list(csv_batches(path, **arguments))
    stream = csv_batches(path, **arguments)
    if primed:
        stream.prime()
    for taken in range(len(whole) + 1):
        mark = json.loads(json.dumps(stream.checkpoint()))
        assert list(csv_batches(path, start=mark, **arguments)) == whole[taken:]
        next(stream, None)


def test_a_checkpoint_after_the_rows_before_an_error_is_before_the_error(tmp_path: Path) -> None:
    path = tmp_path / 'bad.csv'
    path.write_bytes(b'a,b\n1,2\n3,4\nx,6\n7,8\n')
    stream = csv_batches(path, types={'a': int})
    assert len(next(stream)) == 2
    before = stream.checkpoint()
    with pytest.raises(CSVError):
        next(stream)
    for mark in (before, stream.checkpoint()):
        assert (mark['row'], mark['record'], mark['errors']) == (2, 3, 0)
        resumed = csv_batches(path, start=mark, types={'a': int}, on_error='skip')
        assert values(next(resumed)) == [[7, '8']]
        assert (resumed.errors, resumed.row_num, resumed.line_num) == (1, 3, 5)


def test_a_checkpoint_needs_a_seekable_file() -> None:
    with pytest.raises(io.UnsupportedOperation):
        csv_batches(iter([b'x\n'])).checkpoint()

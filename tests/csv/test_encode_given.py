"""``csv_encode``: what rows may be, and what is refused: mappings without names, rows of another
length, objects with attributes, cursors, arrays and frames."""

from __future__ import annotations

import asyncio
import collections
import csv
import dataclasses
import gc
import io
import sqlite3
import sys
import types
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, acsv_encode, csv_encode


def encoded(rows: Any, **arguments: Any) -> bytes:
    return b''.join(csv_encode(rows, **arguments))


def aencoded(rows: Any, **arguments: Any) -> bytes:
    async def use() -> bytes:
        return b''.join([chunk async for chunk in acsv_encode(rows, **arguments)])

    return asyncio.run(use())


async def given_later(rows: Any) -> AsyncIterator[Any]:
    for row in rows:
        yield row


def in_both_ways(rows: list[Any], **arguments: Any) -> bytes:
    written = encoded(rows, **arguments)
    assert aencoded(given_later(rows), **arguments) == written
    return written


# ---- mappings ----


class Plain(collections.abc.Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return {'a': 1}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(['a'])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    'row',
    [{'a': 1}, collections.OrderedDict(a=1), types.MappingProxyType({'a': 1}), Plain()],
)
@pytest.mark.parametrize('arguments', [{}, {'header': False}, {'columns': None}])
def test_mappings_need_names(row: Any, arguments: Any) -> None:
    stream = csv_encode([[1, 2], row], **arguments)
    assert next(stream) == b'1,2\r\n'
    with pytest.raises(ValueError, match=r'row 1 is a mapping .*pass columns=.* or header=True'):
        next(stream)
    with pytest.raises(ValueError, match='row 0 is a mapping'):
        aencoded(given_later([row]), **arguments)
    assert encoded([row], header=True) == b'a\r\n1\r\n'
    assert encoded([row], columns=['a']) == b'1\r\n'


# ---- the length of rows ----


@pytest.mark.parametrize('row', [[1], [1, 2, 3], (), iter('abc'), range(1)])
@pytest.mark.parametrize(
    'arguments',
    [{'columns': ['a', 'b']}, {'header': ['a', 'b']}, {'columns': 'ab', 'header': True}],
)
def test_rows_of_another_length(row: Any, arguments: Any) -> None:
    if arguments['columns' if 'columns' in arguments else 'header'] == 'ab':
        arguments = {'columns': ('a', 'b'), 'header': True}
    rows = [[1, 2], list(row), [3, 4]]
    stream = csv_encode(rows, **arguments)
    with pytest.raises(CSVError, match=r'row 1: \d fields? for 2 columns') as caught:
        list(stream)
    assert caught.value.record == 2 + ('header' in arguments)
    assert next(csv_encode(rows, **arguments)).endswith(b'1,2\r\n')
    with pytest.raises(CSVError, match='row 1: '):
        aencoded(given_later(rows), **arguments)


def test_without_names_rows_may_differ() -> None:
    assert in_both_ways([[1], [2, 3], []]) == b'1\r\n2,3\r\n\r\n'


def test_one_column() -> None:
    assert in_both_ways([[''], [None], ['x']], columns=['a']) == b'""\r\n""\r\nx\r\n'
    with pytest.raises(CSVError, match='row 0: 0 fields for 1 column '):
        encoded([[]], columns=['a'])


def test_rows_after_the_first_with_names() -> None:
    with pytest.raises(CSVError, match='row 1: 1 field for 2 columns'):
        encoded([{'a': 1, 'b': 2}, [3]], header=True)


@given(st.lists(st.lists(st.integers(0, 9), max_size=4)), st.integers(0, 4))
def test_rows_until_the_first_of_another_length(rows: list[list[int]], width: int) -> None:
    names = [f'c{i}' for i in range(width)]
    expected = io.StringIO(newline='')
    writer = csv.writer(expected)
    good = True
    for row in rows:
        good = good and len(row) == width
        if good:
            writer.writerow(row)
    got = b''
    try:
        for chunk in csv_encode(rows, columns=names):
            got += chunk
    except CSVError:
        assert not good
    else:
        assert good
    assert got.decode() == expected.getvalue()


# ---- by attribute ----


class Model:
    """As ORMs have them."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    @property
    def double(self) -> int:
        return 2 * int(self.__dict__['id'])


class Slots:
    __slots__ = ('id', 'name')

    def __init__(self, id: int, name: str) -> None:
        self.id, self.name = id, name


class Pairs:
    """An iterable of pairs with attributes: a model of pydantic is one."""

    def __init__(self, **values: Any) -> None:
        self.__dict__.update(values)

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        return iter(self.__dict__.items())


@pytest.mark.parametrize(
    'make',
    [Model, Slots, Pairs, types.SimpleNamespace, dataclasses.make_dataclass('D', ['id', 'name'])],
)
def test_rows_by_attribute(make: Any) -> None:
    rows = [make(id=1, name='a,b'), make(id=2, name=None)]
    assert in_both_ways(rows, columns=['name', 'id'], extra='ignore') == b'"a,b",1\r\n,2\r\n'
    assert in_both_ways(rows, columns=['id'], header=['Id'], extra='ignore') == b'Id\r\n1\r\n2\r\n'


def test_properties_are_attributes() -> None:
    assert encoded([Model(id=4)], columns=['double', 'id']) == b'8,4\r\n'


def test_an_attribute_that_is_missing() -> None:
    rows = [Model(id=1, name='a'), Model(id=2)]
    with pytest.raises(CSVError, match="row 1: the row has no 'name'") as caught:
        encoded(rows, columns=['id', 'name'])
    assert caught.value.column == 'name'
    assert encoded(rows, columns=['id', 'name'], missing='-') == b'1,a\r\n2,-\r\n'


def test_an_attribute_that_fails() -> None:
    class Failing:
        id = 1

        @property
        def name(self) -> str:
            raise LookupError('lost')

    with pytest.raises(LookupError, match='lost') as caught:
        encoded([Failing()], columns=['id', 'name'])
    assert caught.value.__notes__ == ['while reading row 0']
    with pytest.raises(LookupError):
        encoded([Failing()], columns=['name', 'id'])


def test_sequences_and_iterators_stay_what_they_are() -> None:
    class Both(list[int]):
        a = 'attribute'

    rows = [Both([1, 2]), iter([3, 4]), {5: 0, 6: 0}.keys(), range(7, 9)]
    assert in_both_ways(rows[:1], columns=['a', 'b']) == b'1,2\r\n'
    assert encoded(rows, columns=['a', 'b']) == b'1,2\r\n3,4\r\n5,6\r\n7,8\r\n'


@pytest.mark.parametrize('row', [None, 5, object()])
def test_an_object_without_the_attributes(row: Any) -> None:
    with pytest.raises(CSVError, match='iterable expected, not '):
        encoded([row], columns=['a', 'b'])
    with pytest.raises(CSVError, match='iterable expected, not '):
        encoded([Model()])


def test_columns_that_are_no_attributes() -> None:
    with pytest.raises(CSVError, match='iterable expected'):
        encoded([Model(id=1)], columns=[1])
    with pytest.raises(TypeError, match='attribute name must be string'):
        encoded([Model(id=1)], columns=['id', 1])


def test_attributes_named_keys_and_fields() -> None:
    assert encoded([Model(keys='k', _fields=5)], columns=['keys']) == b'k\r\n'


def test_models_of_libraries() -> None:
    attrs = pytest.importorskip('attrs')
    pydantic = pytest.importorskip('pydantic')
    orm = pytest.importorskip('sqlalchemy.orm')
    import sqlalchemy as sa

    A = attrs.make_class('A', ['id', 'name'])
    P = pydantic.create_model('P', id=(int, ...), name=(str, ...))

    class Base(orm.DeclarativeBase):  # type: ignore[misc, name-defined]
        pass

    class S(Base):
        __tablename__ = 's'
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String)

    for kind in (A, P, S):
        rows = [kind(id=1, name='x'), kind(id=2, name='y,z')]
        assert encoded(rows, columns=['name', 'id'], header=True) == (
            b'name,id\r\nx,1\r\n"y,z",2\r\n'
        )


def test_models_of_django() -> None:
    django = pytest.importorskip('django')
    from django.conf import settings

    if not settings.configured:
        settings.configure(INSTALLED_APPS=[])
        django.setup()
    from django.db import models

    class Order(models.Model):
        name = models.CharField(max_length=9)

        class Meta:
            app_label = 'orders'

    assert encoded([Order(id=1, name='x')], columns=['id', 'name']) == b'1,x\r\n'


# ---- cursors ----


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(':memory:')
    connection.execute('CREATE TABLE t (id INT, name TEXT)')
    connection.executemany('INSERT INTO t VALUES (?, ?)', [(1, 'a'), (2, 'b,c')])
    yield connection
    connection.close()


SELECT = 'SELECT id, name FROM t ORDER BY id'
NONE = 'SELECT id, name FROM t WHERE id < 0'


def as_dict(cursor: Any, row: Any) -> dict[str, Any]:
    return {column[0]: value for column, value in zip(cursor.description, row, strict=True)}


@pytest.mark.parametrize('factory', [None, sqlite3.Row, as_dict])
def test_the_names_of_a_cursor(connection: sqlite3.Connection, factory: Any) -> None:
    connection.row_factory = factory
    lines = b'id,name\r\n1,a\r\n2,"b,c"\r\n'
    assert encoded(connection.execute(SELECT), header=True) == lines
    assert encoded(connection.execute(NONE), header=True) == b'id,name\r\n'
    assert encoded(connection.execute(NONE), header=['Id', 'Name']) == b'Id,Name\r\n'
    assert encoded(connection.execute(SELECT), header=['Id', 'Name'])[:12] == b'Id,Name\r\n1,a'
    assert encoded(connection.execute(SELECT), columns=['name']) == b'a\r\n"b,c"\r\n'
    chosen = encoded(connection.execute(SELECT), columns=['name', 'id'], header=True)
    assert chosen == b'name,id\r\na,1\r\n"b,c",2\r\n'
    assert encoded(connection.execute(NONE), columns=['name'], header=True) == b'name\r\n'


def test_without_a_header_a_cursor_is_not_asked(connection: sqlite3.Connection) -> None:
    assert encoded(connection.execute(SELECT)) == b'1,a\r\n2,"b,c"\r\n'


def test_names_that_a_cursor_does_not_have(connection: sqlite3.Connection) -> None:
    with pytest.raises(ValueError, match='the header has 1 labels for 2 columns'):
        csv_encode(connection.execute(SELECT), header=['Id'])
    with pytest.raises(CSVError, match="row 0: the row has no 'price'"):
        encoded(connection.execute(SELECT), columns=['id', 'price'])
    assert encoded(connection.execute(SELECT), columns=['id', 'z'], missing='') == b'1,\r\n2,\r\n'
    with pytest.raises(CSVError, match="row 0: there is no column 'name'"):
        encoded(connection.execute(SELECT), columns=['id'], extra='raise')


class Cursor:
    """A cursor whose description comes with its first row, as that of a server-side one."""

    def __init__(self, rows: list[Any], description: Any, late: bool = False) -> None:
        self.rows, self._description, self.late = iter(rows), description, late

    @property
    def description(self) -> Any:
        if isinstance(self._description, Exception):
            raise self._description
        return None if self.late else self._description

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        self.late = False
        return next(self.rows)

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        try:
            return next(self)
        except StopIteration:
            raise StopAsyncIteration from None


@pytest.mark.parametrize('late', [False, True])
@pytest.mark.parametrize('rows', [[], [(1, 2), [3, 4]]])
@pytest.mark.parametrize('encode', [encoded, aencoded])
def test_a_description_that_comes_later(late: bool, rows: list[Any], encode: Any) -> None:
    lines = b'1,2\r\n3,4\r\n' if rows else b''
    description = [('a', 23, None), ('b', 23, None)]
    assert encode(Cursor(rows, description, late), header=True) == b'a,b\r\n' + lines
    last = b'2\r\n4\r\n' if rows else b''
    assert encode(Cursor(rows, description, late), columns=['b'], header=['B']) == b'B\r\n' + last


def test_rows_that_are_not_as_the_cursor_says() -> None:
    description = (('a',), ('b',))
    with pytest.raises(CSVError, match='row 0: 3 fields for 2 columns'):
        encoded(Cursor([(1, 2, 3)], description), header=True)
    with pytest.raises(ValueError, match='3 fields for 2 columns of the cursor'):
        encoded(Cursor([(1, 2, 3)], description), columns=['a'])
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        encoded(Cursor([5], description), columns=['a'])


@pytest.mark.parametrize('description', [None, (), 5, 'ab', [1], ['ab'], [()], [(5,)], [('a',), 5]])
def test_a_description_of_something_else(description: Any) -> None:
    assert encoded(Cursor([(1, 2)], description), header=['x', 'y']) == b'x,y\r\n1,2\r\n'
    assert encoded(Cursor([], description), header=True) == b''


@pytest.mark.parametrize('rows', [[], [(1, 2)]])
def test_a_description_that_fails_later(rows: list[Any]) -> None:
    class Later(Cursor):
        asked = 0

        @property
        def description(self) -> Any:
            self.asked += 1
            if self.asked < 3:  # whether there is one, and what it is
                return None
            raise OSError('closed')

    with pytest.raises(OSError, match='closed'):
        encoded(Later(rows, None), header=True)


def test_a_description_that_fails() -> None:
    with pytest.raises(OSError, match='closed'):
        csv_encode(Cursor([], OSError('closed')), header=True)


def test_a_result_of_sqlalchemy() -> None:
    sa = pytest.importorskip('sqlalchemy')
    engine = sa.create_engine('sqlite://')
    select = 'SELECT 1 AS a, 2 AS b'
    with engine.connect() as connection:
        for query, lines in ((select, b'1,2\r\n'), (f'{select} WHERE 0', b'')):
            assert encoded(connection.execute(sa.text(query)), header=True) == b'a,b\r\n' + lines
            result = connection.execute(sa.text(query)).mappings()
            assert encoded(result, header=True) == b'a,b\r\n' + lines
    engine.dispose()


def test_a_cursor_is_released() -> None:
    cursor = Cursor([], None)
    before = sys.getrefcount(cursor)
    stream = csv_encode(cursor, header=True)
    assert sys.getrefcount(cursor) > before
    list(stream)
    gc.collect()
    assert sys.getrefcount(cursor) == before


# ---- arrays of numpy ----


def test_arrays_of_two_dimensions() -> None:
    np = pytest.importorskip('numpy')
    for values in ([[1, 2], [3, 4]], [[1.5, -0.0], [1e22, float('nan')]], [[True], [False]]):
        for dtype in (None, object):
            array = np.array(values, dtype)
            assert encoded(array) == encoded(values)
            assert encoded(array.T[:, ::-1]) == encoded([list(r) for r in array.T[:, ::-1]])
    words = np.array([['a', 'é,'], ['', 'x']])
    assert encoded(words, header=['x', 'y']) == 'x,y\r\na,"é,"\r\n,x\r\n'.encode()
    assert encoded(np.empty((0, 2)), header=['x', 'y']) == b'x,y\r\n'
    assert encoded(np.empty((2, 0))) == b'\r\n\r\n'
    with pytest.raises(CSVError, match='row 0: 2 fields for 1 column '):
        encoded(words, columns=['x'])


@pytest.mark.parametrize(
    'dtype', ['f2', 'f4', 'f8', 'g', 'i1', 'u8', 'c8', 'c16', 'S3', 'M8[ns]', 'm8[s]']
)
def test_arrays_are_written_as_csv_writer_writes_them(dtype: str) -> None:
    np = pytest.importorskip('numpy')
    array = np.array([[1, 2], [100, 7]]).astype(dtype)
    if dtype in ('f2', 'f4', 'f8', 'g'):
        array = array / 3
    file = io.StringIO(newline='')
    csv.writer(file).writerows(array)
    assert encoded(array).decode() == file.getvalue()


def test_an_array_longer_than_a_block() -> None:
    np = pytest.importorskip('numpy')
    array = np.arange(200_000).reshape(-1, 2)
    assert encoded(array) == b''.join(b'%d,%d\r\n' % (i, i + 1) for i in range(0, 200_000, 2))


def test_arrays_with_fields_and_masks() -> None:
    np = pytest.importorskip('numpy')
    table = np.array([(1, 0.1, 'x'), (2, 0.5, 'y')], [('id', 'i4'), ('v', 'f8'), ('t', 'U3')])
    assert encoded(table, header=True) == b'id,v,t\r\n1,0.1,x\r\n2,0.5,y\r\n'
    assert encoded(table) == b'1,0.1,x\r\n2,0.5,y\r\n'
    assert encoded(table[:0], header=True) == b'id,v,t\r\n'
    assert encoded(table, columns=['t', 'id']) == b'x,1\r\ny,2\r\n'
    single = table.astype([('id', 'i4'), ('v', 'f4'), ('t', 'U3')])
    assert encoded(single, header=True) == b'id,v,t\r\n1,0.1,x\r\n2,0.5,y\r\n'
    masked = np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]])
    assert encoded(masked, null='-') == b'1,-\r\n3,4\r\n'


def test_arrays_of_other_dimensions() -> None:
    np = pytest.importorskip('numpy')
    for array in (np.array(5), np.array([1, 2]), np.zeros((1, 1, 1)), np.array(['ab'])):
        with pytest.raises(TypeError, match='rows must be an array of two dimensions, not of'):
            csv_encode(array)
    rows = np.empty(2, object)
    rows[:] = [(1, 2), (3, 4)]
    assert encoded(rows) == b'1,2\r\n3,4\r\n'


@pytest.mark.parametrize('rows', [memoryview(b'ab'), b'ab', bytearray(b'ab'), 'ab', {'a': 1}])
def test_what_is_no_rows(rows: Any) -> None:
    with pytest.raises(TypeError, match='rows must be an iterable of rows'):
        csv_encode(rows)


# ---- frames ----


def test_frames_of_pandas_through_arrow() -> None:
    pd, _ = pytest.importorskip('pandas'), pytest.importorskip('pyarrow')
    frame = pd.DataFrame(
        {
            'f': [1.5, float('nan')],
            'm': pd.to_datetime(['2024-01-01 10:00', None]),
            's': ['x', None],
            'i': pd.array([1, None], 'Int64'),
        }
    )
    assert encoded(frame) == b'f,m,s,i\r\n1.5,2024-01-01 10:00:00,x,1\r\n,,,\r\n'
    assert encoded(frame, null='NA', datetime_format='iso', decimal=',', delimiter=';') == (
        b'f;m;s;i\r\n1,5;2024-01-01T10:00:00;x;1\r\nNA;NA;NA;NA\r\n'
    )


@pytest.mark.parametrize('arrow', [False, True])
def test_frames_that_arrow_cannot_take(monkeypatch: pytest.MonkeyPatch, arrow: bool) -> None:
    """Without pyarrow, or with objects of several types in a column."""
    pd = pytest.importorskip('pandas')
    if not arrow:

        def refuse(self: Any, requested_schema: Any = None) -> Any:
            raise ImportError('no pyarrow')

        monkeypatch.setattr(pd.DataFrame, '__arrow_c_stream__', refuse, raising=False)
    frame = pd.DataFrame(
        {'x': ['a', 5], 'y': [1.5, float('nan')], 'z': [pd.NaT, None]}, dtype=object
    )
    assert encoded(frame) == b'x,y,z\r\na,1.5,\r\n5,,\r\n'
    assert encoded(frame, header=False, null='-') == b'a,1.5,-\r\n5,-,-\r\n'
    assert encoded(frame, columns=['y', 'x'], header=['Y', 'X']) == b'Y,X\r\n1.5,a\r\n,5\r\n'
    named = frame.set_index(pd.Index([7, 8], name='key'))
    assert encoded(named) == b'x,y,z,key\r\na,1.5,,7\r\n5,,,8\r\n'
    assert encoded(frame[:0]) == b'x,y,z\r\n'


def test_a_frame_that_fails_for_another_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    pd = pytest.importorskip('pandas')

    def fail(self: Any, requested_schema: Any = None) -> Any:
        raise failure

    monkeypatch.setattr(pd.DataFrame, '__arrow_c_stream__', fail, raising=False)
    for failure in (KeyboardInterrupt(), MemoryError()):
        with pytest.raises(type(failure)):
            csv_encode(pd.DataFrame({'x': [1]}))


def test_frames_of_polars() -> None:
    pl = pytest.importorskip('polars')
    frame = pl.DataFrame({'x': [True, None], 'y': [0.5, float('nan')]})
    assert encoded(frame) == b'x,y\r\nTrue,0.5\r\n,nan\r\n'
    assert encoded(frame, true='1', null='NA', float_format='.2f') == b'x,y\r\n1,0.50\r\nNA,NA\r\n'

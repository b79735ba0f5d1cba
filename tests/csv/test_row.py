"""``CSVRow``: a tuple to whoever looks at it, wherever its fields are."""

from __future__ import annotations

import collections.abc
import copy
import csv
import doctest
import gc
import io
import itertools
import pickle
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import CSVError, CSVRow, csv_rows

from . import strategies
from .strategies import cut, cuts

DATA = b'id,name,town\r\n1,"Ann",Oslo\r\n\r\n2,"B ""b"" b",\r\n'
ROWS = [('1', 'Ann', 'Oslo'), ('2', 'B "b" b', '')]
NAMES = ('id', 'name', 'town')


def one(*values: str) -> CSVRow:
    """A row read, that is in the block still as long as its reader is kept."""
    text = io.StringIO()
    csv.writer(text).writerow(values)
    return next(csv_rows(text.getvalue().encode(), into=CSVRow, header=False))


# --- the rows ---------------------------------------------------------------------------------


def read(source: Any, **arguments: Any) -> tuple[list[Any], str]:
    """The rows of a source that may fail, and how it does."""
    rows: list[Any] = []
    try:
        rows.extend(csv_rows(source, **arguments))
    except ValueError as error:
        return rows, str(error)
    return rows, ''


def check_rows(source: Callable[[], Any], **arguments: Any) -> None:
    """Rows kept, and rows asked at once, are the tuples read without the blank ones."""
    expected, fault = read(source(), into=tuple, **arguments)
    expected = [row for row in expected if row]
    kept, same = read(source(), into=CSVRow, header=False, **arguments)
    assert same == fault
    assert [len(row) for row in kept] == [len(row) for row in expected]
    # nan is not equal to itself
    assert [list(map(repr, row)) for row in kept] == [list(map(repr, row)) for row in expected]

    at_once = []
    try:
        for row in csv_rows(source(), into=CSVRow, header=False, **arguments):
            at_once.append([row[i] for i in range(len(row))])
    except ValueError as error:
        assert str(error) == fault
    assert repr(at_once) == repr([list(row) for row in expected])


@given(case=strategies.dialects_and_bytes(), places=cuts)
def test_rows_of_bytes(case: tuple[dict[str, Any], bytes], places: list[int] | int) -> None:
    dialect, raw = case
    check_rows(lambda: cut(raw, places), items='chunks', **dialect)
    check_rows(lambda: raw, **dialect)


@settings(max_examples=40)
@pytest.mark.parametrize('encoding', ['latin-1', 'ascii', 'utf-16-le', 'cp1252'])
@given(data=st.data())
def test_rows_of_other_encodings(encoding: str, data: st.DataObject) -> None:
    dialect, raw = data.draw(strategies.dialects_and_bytes(encoding))
    places = data.draw(cuts)
    check_rows(lambda: cut(raw, places), items='chunks', encoding=encoding, **dialect)


@given(case=strategies.dialects_and_broken_bytes(), places=cuts)
def test_rows_before_bytes_that_are_no_text(
    case: tuple[dict[str, Any], bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    check_rows(lambda: cut(raw, places), items='chunks', **dialect)


@given(case=strategies.dialects_and_texts(), places=cuts)
def test_rows_of_text(case: tuple[dict[str, Any], str], places: list[int] | int) -> None:
    dialect, text = case
    check_rows(lambda: cut(text, places), items='chunks', **dialect)
    check_rows(lambda: io.StringIO(text, newline=''), **dialect)
    check_rows(lambda: text.splitlines(keepends=True), **dialect)


@pytest.mark.parametrize('alphabet', ['abc', 'aé', 'aж', 'a😀'])
@pytest.mark.parametrize('size', [1, 3, 100, 4096, 1 << 20])
def test_kept_rows_of_any_width_and_any_chunks(alphabet: str, size: int) -> None:
    expected = [
        (str(i), alphabet * (i % 7), f'{alphabet} "quoted", {i}', f'two\n{alphabet}')
        for i in range(2000)
    ]
    text = io.StringIO(newline='')
    csv.writer(text).writerows(expected)
    raw = text.getvalue().encode()
    for pieces, items in ((cut(raw, size), 'chunks'), (cut(text.getvalue(), size), 'chunks')):
        rows = csv_rows(pieces, into=CSVRow, header=False, items=items)
        assert list(rows) == expected
    # One in seven is kept, and asked first where it is, then where it was moved to.
    kept = []
    for i, row in enumerate(csv_rows(cut(raw, size), into=CSVRow, header=False, items='chunks')):
        if i % 7 == 0:
            assert row[2] == expected[i][2]
            kept.append(row)
    assert kept == expected[::7]


def test_a_block_that_grows_and_gets_wider() -> None:
    long = 'x' * 300_000
    pieces = ['a,b\n', f'c,"{long}', f'{long}"\nd,é\n', 'ж,e\n😀', ',f\n']
    expected = [('a', 'b'), ('c', long + long), ('d', 'é'), ('ж', 'e'), ('😀', 'f')]
    for source in (pieces, [piece.encode() for piece in pieces]):
        rows = csv_rows(source, into=CSVRow, header=False, items='chunks', max_field=None)
        assert list(rows) == expected


def test_the_last_record_does_not_disturb_the_rows_before_it() -> None:
    """At the end the block may grow: an escaped end gets its line feed."""
    for text in ('a,b\nc,d\\', 'a,b\nc,"d\\', 'a,b\nc,"d'):
        for source in ([text], [text.encode()], text.splitlines(keepends=True)):
            check_rows(lambda source=source: source, escapechar='\\')


@pytest.mark.parametrize('quoting', [csv.QUOTE_NONNUMERIC, 4, 5])
def test_values_follow_the_dialect(quoting: int) -> None:
    rows = list(csv_rows(b'"a",1.5,"",2\n', into=CSVRow, header=False, quoting=quoting))
    assert rows == list(csv_rows(b'"a",1.5,"",2\n', into=tuple, quoting=quoting))
    assert pickle.loads(pickle.dumps(rows)) == rows


def test_conversions_are_checked_when_the_row_is_made() -> None:
    rows = csv_rows(b'"a","b"\n1,"x"\n2,x\n', into=CSVRow, quoting=csv.QUOTE_NONNUMERIC)
    assert dict(next(rows)) == {'a': 1.0, 'b': 'x'}
    with pytest.raises(CSVError) as caught:
        next(rows)
    assert (caught.value.record, caught.value.column) == (3, 'b')


# --- where they are kept ----------------------------------------------------------------------


@pytest.mark.parametrize('end', ['close', 'del', 'exhaust', 'fail', 'throw'])
def test_a_row_outlives_its_reader(end: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield DATA[: DATA.index(b'2')]
        if end == 'fail':
            raise OSError('gone')
        yield DATA[DATA.index(b'2') :]

    rows = csv_rows(pieces(), into=CSVRow)
    row = next(rows)
    if end == 'close':
        rows.close()
    elif end == 'exhaust':
        assert list(rows) == ROWS[1:]
    elif end == 'fail':
        with pytest.raises(OSError, match='gone'):
            next(rows)
    elif end == 'throw':
        with pytest.raises(KeyError):
            rows.throw(KeyError)
    del rows
    gc.collect()
    assert row == ROWS[0]
    assert row['town'] == 'Oslo'
    assert dict(row) == dict(zip(NAMES, ROWS[0], strict=True))


def test_a_row_made_beforehand_is_held_by_the_stream() -> None:
    rows = csv_rows(DATA, into=CSVRow).prime()
    assert list(rows) == ROWS
    csv_rows(DATA, into=CSVRow).prime().close()


def test_rows_are_freed_in_any_order() -> None:
    source = b''.join(b'%d,x\n' % i for i in range(300))
    for order in itertools.permutations(range(5)):
        rows = csv_rows([source], into=CSVRow, header=False)
        some: list[Any] = list(itertools.islice(rows, 5))
        for i in order:
            some[i] = None
        next(rows)
        assert sum(1 for _ in rows) == 294


# --- a sequence -------------------------------------------------------------------------------

fields = st.text(st.sampled_from('ab",\n é€😀'), max_size=3)
tuples = st.lists(fields, min_size=1, max_size=5).map(tuple).filter(lambda t: t != ('',))
indices = st.integers(-7, 7) | st.sampled_from([-(1 << 70), 1 << 70, sys.maxsize, -sys.maxsize])


def outcome(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        return type(error)


@given(model=tuples, other=tuples, places=st.lists(st.none() | indices, min_size=3, max_size=3))
def test_a_row_is_its_tuple(model: tuple[str, ...], other: tuple[str, ...], places: Any) -> None:
    reader = csv_rows(csv_bytes(model), into=CSVRow, header=False)
    placed = next(reader)
    moved = one(*model)
    for row in (placed, moved, CSVRow(model), pickle.loads(pickle.dumps(placed))):
        assert len(row) == len(model)
        assert (tuple(row), list(row), [*row]) == (model, list(model), [*model])
        assert list(reversed(row)) == list(reversed(model))
        assert hash(row) == hash(model)
        assert row == model == row
        assert row == list(model)
        assert list(model) == row
        assert (row != model) is False
        assert (row == other, row != other) == (model == other, model != other)
        assert (row == list(other), row == one(*other)) == (model == other,) * 2
        assert row in {model}
        for i in places:
            if i is not None:
                assert outcome(row.__getitem__, i) == outcome(model.__getitem__, i)
        if 0 not in places[2:]:
            assert row[slice(*places)] == model[slice(*places)]
        start, stop = (0 if place is None else place for place in places[:2])
        for value in {*model, *other}:
            assert (value in row) == (value in model)
            assert row.count(value) == model.count(value)
            assert outcome(row.index, value) == outcome(model.index, value)
            assert outcome(row.index, value, start) == outcome(model.index, value, start)
            assert outcome(row.index, value, start, stop) == outcome(
                model.index, value, start, stop
            )
        assert repr(row) == f'CSVRow({model!r})'
        assert eval(repr(row)) == row


def csv_bytes(*rows: tuple[str, ...]) -> bytes:
    text = io.StringIO(newline='')
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def test_it_is_a_sequence() -> None:
    row = one('a', 'b', 'c')
    assert isinstance(row, collections.abc.Sequence)
    assert issubclass(CSVRow, collections.abc.Sequence)
    assert not isinstance(row, tuple)
    first, *rest = row
    assert (first, rest) == ('a', ['b', 'c'])
    a, b, c = row
    assert (a, b, c) == row
    assert (lambda *fields: fields)(*row) == ('a', 'b', 'c')


def test_patterns_match_it() -> None:
    match one('move', '3'):
        case [only]:
            raise AssertionError(only)
        case ['move', steps]:
            assert steps == '3'
        case _:
            raise AssertionError


def test_it_equals_nothing_else() -> None:
    row = one('a', 'b')
    assert row != 'ab'
    assert row != {'a', 'b'}
    assert row != iter(('a', 'b'))
    assert row != None  # noqa: E711
    assert row != ['a', 'b', 'c']
    with pytest.raises(TypeError):
        _ = row < row  # type: ignore[operator]


def test_comparing_runs_what_the_values_of_a_list_do() -> None:
    class Hostile:
        def __eq__(self, other: object) -> bool:
            them.clear()
            rows.close()
            return True

        __hash__ = None  # type: ignore[assignment]

    rows = csv_rows(b'a,b\n', into=CSVRow, header=False)
    row = next(rows)
    them: list[Any] = [Hostile(), 'b']
    assert row == them
    assert them == []
    assert row == ['a', 'b']


def test_an_equality_that_raises_is_raised() -> None:
    class Raises:
        def __eq__(self, other: object) -> bool:
            raise KeyError

        __hash__ = None  # type: ignore[assignment]

    row = one('a')
    for look in (
        lambda: row == [Raises()],
        lambda: Raises() in row,
        lambda: row.count(Raises()),
        lambda: row.index(Raises()),
    ):
        with pytest.raises(KeyError):
            look()


def test_nothing_changes_it() -> None:
    row: Any = one('a', 'b')
    with pytest.raises(TypeError):
        row[0] = 'c'
    with pytest.raises(TypeError):
        del row[0]
    with pytest.raises(AttributeError):
        row.name = 'c'
    with pytest.raises(TypeError):
        CSVRow.index = None  # type: ignore[method-assign, assignment]
    with pytest.raises(TypeError):
        type('Sub', (CSVRow,), {})


@pytest.mark.parametrize('key', [1.0, None, b'id', ('id',)])
def test_keys_of_other_types_are_refused(key: Any) -> None:
    with pytest.raises(TypeError, match='integers, slices or names, not'):
        one('a')[key]


def test_an_index_may_be_an_object() -> None:
    class Index:
        def __index__(self) -> int:
            return -1

    assert one('a', 'b')[Index()] == 'b'
    assert one('a', 'b')[True] == 'b'


# --- names ------------------------------------------------------------------------------------


def test_rows_are_named_by_the_header() -> None:
    rows = csv_rows(DATA, into=CSVRow)
    read = list(rows)
    assert read == ROWS
    assert rows.header == NAMES
    assert [row['name'] for row in read] == ['Ann', 'B "b" b']
    assert read[0].keys() == NAMES
    assert dict(read[0]) == {'id': '1', 'name': 'Ann', 'town': 'Oslo'}
    assert {**read[1]} == {'id': '2', 'name': 'B "b" b', 'town': ''}
    assert repr(read[0]) == "CSVRow({'id': '1', 'name': 'Ann', 'town': 'Oslo'})"
    assert eval(repr(read[0])).keys() == NAMES
    assert (rows.row_num, rows.line_num) == (2, 4)


@pytest.mark.parametrize('name', ['Name', 'nam', '', 'é'])
def test_a_name_that_there_is_not_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError) as caught:
        next(csv_rows(DATA, into=CSVRow))[name]
    assert caught.value.args == (name,)


def test_rows_without_a_header_have_no_names() -> None:
    row = next(csv_rows(DATA, into=CSVRow, header=False))
    assert row == NAMES
    for look in (lambda: row['id'], row.keys, lambda: dict(row)):
        with pytest.raises(TypeError, match='without a header'):
            look()


def test_names_given() -> None:
    rows = csv_rows(DATA, into=CSVRow, names=['a', 'b', 'c'])
    assert [row['b'] for row in rows] == ['Ann', 'B "b" b']
    rows = csv_rows(DATA, into=CSVRow, names=['a', 'b', 'c'], header=False)
    assert [row['b'] for row in rows] == ['name', 'Ann', 'B "b" b']
    assert next(csv_rows(DATA, into=CSVRow, names=str.upper))['TOWN'] == 'Oslo'


@pytest.mark.parametrize(
    ('header', 'message'),
    [
        ('a,b,a', "two fields, 0 and 2, have the name 'a'"),
        ('a,,b', 'the name of field 1 is empty'),
        ('a,""', 'the name of field 1 is empty'),
    ],
)
def test_names_twice_or_empty_are_refused_by_name(header: str, message: str) -> None:
    source = f'{header}\n1,2,3\n'.encode()
    for look in (next, lambda rows: rows.header):
        with pytest.raises(CSVError, match=message) as caught:
            look(csv_rows(source, into=CSVRow))
        assert (caught.value.record, caught.value.line) == (1, 1)
    names = next(csv.reader([header]))
    with pytest.raises(ValueError, match=message):
        csv_rows(source, into=CSVRow, names=names, header=False)
    with pytest.raises(ValueError, match=message):
        next(csv_rows(source, into=CSVRow, names=names))
    assert next(csv_rows(source, into=list, header=True)) == ['1', '2', '3']


def test_names_are_text() -> None:
    with pytest.raises(TypeError, match='name of field 1 must be str, not int'):
        csv_rows(DATA, into=CSVRow, names=['a', 1], header=False)  # type: ignore[list-item]

    class Text(str):
        pass

    keys = next(csv_rows(DATA, into=CSVRow, names=[Text('a'), 'b', 'c'])).keys()
    assert list(map(type, keys)) == [str] * 3


def test_a_key_may_be_any_text() -> None:
    class Text(str):
        def __hash__(self) -> int:
            rows.close()
            return hash(str(self))

        def __eq__(self, other: object) -> bool:
            return str(self) == other

    rows = csv_rows(DATA, into=CSVRow)
    assert next(rows)[Text('name')] == 'Ann'


@pytest.mark.parametrize(
    ('record', 'count'), [('1', 1), ('1,2,3', 3), ('"1\n",2,3', 3)], ids=['short', 'long', 'lines']
)
def test_a_ragged_record_is_an_error(record: str, count: int) -> None:
    rows = csv_rows(f'a,b\n"x\ny",2\n\n{record}\n7,8\n'.encode(), into=CSVRow)
    assert next(rows) == ['x\ny', '2']
    with pytest.raises(CSVError, match=f'expected 2 fields, got {count}') as caught:
        next(rows)
    assert (caught.value.record, caught.value.line, caught.value.byte) == (4, 5, 13)
    assert next(rows, None) is None


def test_ragged_rows_without_names() -> None:
    rows = csv_rows(b'a\n1,2\n\n1,2,3\n', into=CSVRow, header=False)
    assert [len(row) for row in rows] == [1, 2, 3]


@pytest.mark.parametrize('source', [b'', b'a,b', b'a,b\n\n\n', []])
def test_no_rows(source: Any) -> None:
    assert list(csv_rows(source, into=CSVRow)) == []


# --- made by a program, pickled, copied -------------------------------------------------------


def test_a_program_may_make_one() -> None:
    row = CSVRow(['1', 2.5, None], names=('a', 'b', 'c'))
    assert row == ('1', 2.5, None)
    assert (row['b'], row.keys()) == (2.5, ('a', 'b', 'c'))
    assert CSVRow({'a': '1'})['a'] == '1'
    assert CSVRow(str(i) for i in range(3)) == ['0', '1', '2']
    assert CSVRow(()) == ()
    assert (len(CSVRow(())), list(CSVRow([]))) == (0, [])


@pytest.mark.parametrize(
    'arguments',
    [
        (),
        ('ab',),
        (3,),
        ([[]],),
        ([CSVRow],),
        (['a'], 'b'),
        (['a'], [1]),
        (['a'], [], 1),
    ],
)
def test_what_no_row_is_made_of(arguments: Any) -> None:
    with pytest.raises(TypeError):
        CSVRow(*arguments)


@pytest.mark.parametrize('names', [[], ['a', 'b'], [''], {'a': 1, 'b': 2}])
def test_names_that_do_not_fit(names: Any) -> None:
    with pytest.raises(ValueError):
        CSVRow(['1'], names)


@pytest.mark.parametrize('protocol', range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickled(protocol: int) -> None:
    rows = csv_rows(DATA, into=CSVRow)
    read = list(rows)
    again = pickle.loads(pickle.dumps(read, protocol))
    assert again == read
    assert [dict(row) for row in again] == [dict(row) for row in read]
    assert again[0].keys() is again[1].keys()
    row = pickle.loads(pickle.dumps(next(csv_rows(DATA, into=CSVRow, header=False)), protocol))
    assert row == NAMES
    with pytest.raises(TypeError):
        row.keys()


def test_unpickled_where_nothing_was_read() -> None:
    data = pickle.dumps(next(csv_rows(DATA, into=CSVRow)))
    script = f'import pickle; print(dict(pickle.loads({data!r})))'
    done = subprocess.run([sys.executable, '-c', script], capture_output=True, check=True)
    assert eval(done.stdout) == dict(zip(NAMES, ROWS[0], strict=True))


def test_names_are_pickled_once() -> None:
    names = [f'a rather long name {i}' for i in range(50)]
    source = csv_bytes(tuple(names), *[('x',) * 50] * 100)
    size = len(pickle.dumps(list(csv_rows(source, into=CSVRow))))
    assert size < 100 * 50 * 6


def test_a_copy_is_the_row() -> None:
    row = next(csv_rows(DATA, into=CSVRow))
    assert copy.copy(row) is row
    assert copy.deepcopy(row) is row
    assert copy.deepcopy([row]) == [row]


# --- memory -----------------------------------------------------------------------------------


def test_rows_are_not_tracked() -> None:
    rows = csv_rows(DATA, into=CSVRow)
    row = next(rows)
    assert not gc.is_tracked(row)
    list(rows)
    assert not gc.is_tracked(row)
    assert not gc.is_tracked(CSVRow(['a'], ['b']))


def test_a_million_kept_rows_cost_what_they_hold() -> None:
    # As a list in the source they would be counted, too.
    pieces = (b''.join(b'%d,some text,%d\n' % (i, i) for i in range(n, n + 1000))
              for n in range(0, 1_000_000, 1000))  # fmt: skip
    tracemalloc.start()
    try:
        kept = list(csv_rows(pieces, into=CSVRow, header=False))
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(kept) == 1_000_000
    assert kept[-1] == ('999999', 'some text', '999999')
    own = sum(map(sys.getsizeof, kept))
    assert used <= own + sys.getsizeof(kept) + 65536
    assert own <= 1_000_000 * (sys.getsizeof(one('')) + 4 * 3 + len('999999,some text,999999'))


def test_one_kept_row_in_each_block_keeps_no_block() -> None:
    count = 300
    filler = b'x' * 50 + b',y\n'
    piece = filler * (65536 // len(filler))
    tracemalloc.start()
    try:
        kept = []
        rows = csv_rows((piece for _ in range(count)), into=CSVRow, header=False)
        for i, row in enumerate(rows):
            if i % (65536 // len(filler)) == 700:
                kept.append(row)
        reading, _ = tracemalloc.get_traced_memory()
        del rows, row
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept == [('x' * 50, 'y')] * count
    assert used < count * 300 + 4096
    assert reading < used + 1_500_000


def test_nothing_leaks() -> None:
    def use() -> None:
        for source in (DATA, [DATA[:20], DATA[20:]], DATA.decode().splitlines(keepends=True)):
            rows = csv_rows(source, into=CSVRow)
            row = next(rows)
            others = [*rows, row]
            for each in others:
                pickle.loads(pickle.dumps(each))
                _ = (dict(each), repr(each), hash(each), each[1:], each['id'], 'x' in each)
                assert each == list(each)
                with pytest.raises(KeyError):
                    each['none']
            with pytest.raises(CSVError):
                list(csv_rows(b'a,a\n1,2\n', into=CSVRow))
            with pytest.raises(CSVError):
                list(csv_rows(b'a,b\n1\n', into=CSVRow))
            with pytest.raises(TypeError):
                CSVRow([[]])

    def blocks() -> int:
        gc.collect()
        return sys.getallocatedblocks()

    types = (CSVRow, type(pickle.loads(pickle.dumps(CSVRow({'a': 'b'})))), csv_rows)

    def left() -> tuple[int, list[int]]:
        before, references = blocks(), [sys.getrefcount(t) for t in types]
        for _ in range(500):
            use()
        after = [sys.getrefcount(t) for t in types]
        return blocks() - before, [a - b for a, b in zip(after, references, strict=True)]

    # The free lists of the interpreter grow, too, until they are long enough.
    for _ in range(3):
        count, references = left()
        if count < 500 and references == [0, 0, 0]:
            return
    assert (count, references) == (0, [0, 0, 0])


NO_MEMORY = """
import _testcapi
from generators import CSVRow, csv_rows
import gc
gc.disable()
data = b'id,name\\n' + b''.join(b'%d,"a ""b"" %d"\\n' % (i, i) for i in range(9))
pieces = [data[i : i + 16] for i in range(0, len(data), 16)]
failed = whole = 0
for start in range(1, 400):
    kept = []
    rows = csv_rows(pieces, into=CSVRow)
    _testcapi.set_nomemory(start, start + {width})
    try:
        for row in rows:
            kept.append(row)
    except MemoryError:
        failed += 1
    finally:
        _testcapi.remove_mem_hooks()
    del rows
    for i, row in enumerate(kept):
        try:
            assert row['id'] == str(i) and row[1] == f'a "b" {{i}}', row
            whole += 1
        except MemoryError:
            pass
print(failed > 0 and whole > 0)
"""


@pytest.mark.parametrize('width', [1, 50])
def test_memory_that_runs_out(width: int) -> None:
    pytest.importorskip('_testcapi')
    done = subprocess.run(
        [sys.executable, '-c', NO_MEMORY.format(width=width)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, 'True\n'), done.stderr


# --- threads ----------------------------------------------------------------------------------


def test_threads_read_rows_while_another_goes_on(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    with path.open('w') as file:
        file.write('id,text,same\n')
        file.writelines(f'{i},text of {i},"{i}"\n' for i in range(30_000))
    kept: list[CSVRow] = []
    failures: list[BaseException] = []
    done = threading.Event()

    def look() -> None:
        try:
            at = 0
            while not done.is_set() or at < len(kept):
                for row in kept[at : at + 50]:
                    i = row['id']
                    assert tuple(row) == (i, f'text of {i}', i)
                    assert row[2] == i
                at = min(at + 50, len(kept))
        except BaseException as error:
            failures.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    threads = [threading.Thread(target=look) for _ in range(3)]
    try:
        for thread in threads:
            thread.start()
        for row in csv_rows(path, into=CSVRow):
            kept.append(row)
    finally:
        done.set()
        for thread in threads:
            thread.join()
        sys.setswitchinterval(interval)
    assert failures == []
    assert len(kept) == 30_000


# --- the docstring ----------------------------------------------------------------------------


def test_the_docstring_runs() -> None:
    runner = doctest.DocTestRunner()
    for test in doctest.DocTestFinder(recurse=False).find(CSVRow, 'CSVRow', globs={}):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


# --- as a mapping -------------------------------------------------------------------------------


def test_get_and_items_are_those_of_a_mapping() -> None:
    row = next(csv_rows(DATA, into=CSVRow))
    assert row.items() == tuple(dict(row).items())
    assert [row.get(name) for name in (*NAMES, 'nothing')] == ['1', 'Ann', 'Oslo', None]
    assert row.get('nothing', 3) == 3
    assert row.get('id', 3) == '1'
    typed = next(csv_rows(DATA, into=CSVRow, types={'id': int}))
    assert (typed.get('id'), typed.items()[0]) == (1, ('id', 1))


@pytest.mark.parametrize('arguments', [(), ('id', 1, 2), (0,), (None,)])
def test_get_takes_a_name(arguments: tuple[Any, ...]) -> None:
    row = next(csv_rows(DATA, into=CSVRow))
    with pytest.raises(TypeError, match=r'get expected 1 or 2 arguments|a name must be str'):
        row.get(*arguments)


def test_a_row_without_names_is_no_mapping() -> None:
    row = one('1', '2')
    for method in (row.keys, row.items, lambda: row.get('id')):
        with pytest.raises(TypeError, match='this row has no names'):
            method()


def test_in_looks_at_the_values() -> None:
    row = next(csv_rows(DATA, into=CSVRow))
    assert 'Ann' in row
    assert 'name' not in row
    assert 'name' in row.keys()  # noqa: SIM118
    assert row.__contains__('Ann')
    assert 'value' in (CSVRow.__contains__.__doc__ or '')

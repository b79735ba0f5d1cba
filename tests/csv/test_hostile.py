"""Objects of the user's whose own code runs where a row is made or written.

They are subclasses of str and int, callables, names and cells that give strange attributes, are
part of cycles, or use the object at work when they are compared, dropped or turned into text.
"""

from __future__ import annotations

import dataclasses
import gc
import io
import threading
import typing
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from generators import CSVRow, chunked, csv, csv_encode, csv_rows

DATA = b'a,b\n1,2\n3,4\n'


class Text(str):
    """A str that may be part of a cycle, and have code of its own."""


class Number(int):
    """An int that may be part of a cycle."""


# --- Cycles ------------------------------------------------------------------------------------


def is_collected(make: Callable[[Any], Any], make_part: Callable[[], Any]) -> bool:
    """Whether the cycle of an object and a part of it is collected."""
    part = make_part()
    part.owner = make(part)
    seen = weakref.ref(part.owner)
    del part
    gc.collect()
    return seen() is None


def read(part: Any, **parameters: Any) -> Any:
    rows = csv_rows(DATA, **parameters)
    next(rows)
    return rows


def field_named(name: str) -> Any:
    return type('Row', (tuple,), {'_fields': (name,), '_field_defaults': {}})


CYCLES: dict[str, tuple[Callable[[Any], Any], Callable[[], Any]]] = {
    'columns': (lambda s: read(s, columns=[s]), lambda: Text('a')),
    'columns, an int': (lambda n: read(n, columns=[n]), lambda: Number(1)),
    'types': (lambda s: read(s, types={s: int}), lambda: Text('a')),
    'types, an int': (lambda n: read(n, types={n: str}), lambda: Number(1)),
    'null': (lambda s: read(s, into=dict, types={'a': int}, null=[s]), lambda: Text('1')),
    'names': (lambda s: read(s, into=dict, names=[s, 'x']), lambda: Text('a')),
    'names, tuples': (lambda s: read(s, names=[s, 'x'], columns=[0]), lambda: Text('a')),
    'names, rows': (lambda s: read(s, into=CSVRow, names=[s, 'x']), lambda: Text('a')),
    'a field of a class': (lambda s: read(s, into=field_named(s)), lambda: Text('a')),
    'columns of csv_encode': (lambda s: csv_encode([], columns=[s]), lambda: Text('a')),
    'header of csv_encode': (lambda s: csv_encode([], header=[s]), lambda: Text('a')),
    'missing': (lambda s: csv_encode([], columns=['a'], missing=s), lambda: Text('a')),
    'encoding of csv_encode': (lambda s: csv_encode([], encoding=s), lambda: Text('utf-16')),
    'errors of csv_encode': (lambda s: csv_encode([], errors=s), lambda: Text('replace')),
    'a line end': (
        lambda s: csv_encode([], lineterminator=s),
        lambda: Text('\n'),
    ),
    'a line end of a writer': (
        lambda s: Watched(csv.writer(io.StringIO(), lineterminator=s)),
        lambda: Text('\n'),
    ),
    'encoding of chunked': (lambda s: chunked([], encoding=s), lambda: Text('utf-16')),
    'a piece held': (lambda s: primed(chunked([s, 'x'], 2)), lambda: Text('abcdef')),
    'a restkey': (lambda s: csv.DictReader([], restkey=s), lambda: Text('a')),
    'fieldnames': (lambda s: csv.DictReader([], [s]), lambda: Text('a')),
    'fieldnames of a writer': (lambda s: csv.DictWriter(io.StringIO(), [s]), lambda: Text('a')),
}


class Watched:
    """What has no weak references of its own."""

    def __init__(self, held: Any) -> None:
        self.held = held


def primed(stream: Any) -> Any:
    next(stream)
    return stream


@pytest.mark.parametrize('name', CYCLES)
def test_a_cycle_through_a_parameter_is_collected(name: str) -> None:
    make, part = CYCLES[name]
    assert is_collected(make, part)


# --- Types -------------------------------------------------------------------------------------


@pytest.mark.timeout(20)
def test_a_callable_that_gives_itself_for_any_attribute_converts() -> None:
    class Itself:
        def __call__(self, text: str) -> str:
            return text * 2

        def __getattr__(self, name: str) -> Any:
            return self

    for into in (dict, CSVRow):
        rows = csv_rows(DATA, into=into, types={'a': Itself()})
        assert [row['a'] for row in rows] == ['11', '33']


@pytest.mark.timeout(20)
def test_a_new_type_of_itself_is_refused() -> None:
    itself = typing.NewType('itself', int)
    itself.__supertype__ = itself
    with pytest.raises(TypeError, match='NewType'):
        csv_rows(DATA, types={'a': itself})

    annotations = {'a': itself}
    fields = {'_fields': ('a',), '_field_defaults': {}, '__annotations__': annotations}
    with pytest.raises(TypeError, match='NewType'):
        list(csv_rows(DATA, into=type('Row', (tuple,), fields)))


def test_a_new_type_of_a_new_type_is_read_as_what_it_stands_for() -> None:
    inner = typing.NewType('inner', int)
    outer = typing.NewType('outer', inner)
    assert next(csv_rows(DATA, into=dict, types={'a': outer})) == {'a': 1, 'b': '2'}


def test_a_column_is_chosen_by_what_a_subclass_of_str_or_int_holds() -> None:
    class Other(str):
        def __eq__(self, other: object) -> bool:
            raise AssertionError

        __hash__ = None  # type: ignore[assignment]

    types = {'a': int}
    columns = [Other('b'), Number(0)]
    rows = csv_rows(DATA, into=dict, columns=columns, types=types, null=[Other('1')])
    assert list(rows) == [{'b': '2', 'a': None}, {'b': '4', 'a': 3}]
    assert [type(name) for name in next(csv_rows(DATA, into=dict, names=[Text('x'), 'y']))] == [
        str,
        str,
    ]


def test_an_index_beyond_any_number_is_refused() -> None:
    for index in (1 << 80, -(1 << 80), -1, 1 << 31):
        with pytest.raises(ValueError, match='there is no column'):
            csv_rows(DATA, columns=[index])


def test_a_name_of_a_field_that_is_no_str_is_refused() -> None:
    for name in (1, None, b'a'):
        with pytest.raises(TypeError, match='name of a field must be str'):
            csv_rows(DATA, into=field_named(name))  # type: ignore[arg-type]


def test_a_default_that_uses_the_reader_as_it_goes() -> None:
    class Default:
        def __del__(self) -> None:
            used.append(list(rows))

    @dataclasses.dataclass
    class Row:
        a: int
        c: Any = None

    used: list[Any] = []
    Row.__init__.__defaults__ = (Default(),)  # type: ignore[misc]
    rows = csv_rows(DATA, into=Row, columns=['a'])
    assert next(rows).a == 1
    rows.close()
    Row.__init__.__defaults__ = (None,)  # type: ignore[misc]
    gc.collect()
    assert used in ([], [[]])


# --- Rows --------------------------------------------------------------------------------------


def test_an_index_of_a_row_that_raises_or_is_too_large() -> None:
    class Index:
        def __index__(self) -> int:
            raise ZeroDivisionError

    row = next(csv_rows(DATA, into=CSVRow))
    with pytest.raises(ZeroDivisionError):
        row[Index()]
    for index in (1 << 80, -(1 << 80), 2, -3):
        with pytest.raises(IndexError):
            row[index]


def test_a_name_that_is_looked_up_may_close_the_reader() -> None:
    class Closer(str):
        def __hash__(self) -> int:
            rows.close()
            return str.__hash__(self)

    rows = csv_rows(DATA, into=CSVRow)
    row = next(rows)
    assert row[Closer('b')] == '2'
    assert list(rows) == []


# --- Writing -----------------------------------------------------------------------------------


def test_a_cell_that_writes_a_row_of_its_own_comes_after_it() -> None:
    class Cell:
        def __str__(self) -> str:
            writer.writerow(['inner', 1])
            return 'outer'

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(['x', Cell(), 'y'])
    assert out.getvalue() == 'inner,1\r\nx,outer,y\r\n'


def test_a_cell_that_writes_a_row_as_it_goes_leaves_the_line_whole() -> None:
    class Cell(str):
        def __del__(self) -> None:
            writer.writerow(['inner'])

    def cells() -> Iterator[str]:
        for text in 'ab':
            yield Cell(text)

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(cells())
    assert out.getvalue().count('inner\r\n') == 2
    assert out.getvalue().replace('inner\r\n', '') == 'a,b\r\n'


def test_rows_of_two_threads_that_cross_are_refused_and_not_mixed() -> None:
    class Cell:
        def __str__(self) -> str:
            entered.set()
            left.wait(20)
            return 'late'

    entered, left = threading.Event(), threading.Event()
    out = io.StringIO()
    writer = csv.writer(out)
    failures: list[BaseException] = []

    def late() -> None:
        try:
            writer.writerow(['x', Cell(), 'y'])
        except RuntimeError as error:
            failures.append(error)

    def crossing() -> Iterator[str]:
        yield 'first'
        left.set()
        thread.join(20)
        yield 'second'

    thread = threading.Thread(target=late)
    thread.start()
    assert entered.wait(20)
    try:
        writer.writerow(crossing())
    except RuntimeError as error:
        failures.append(error)
    thread.join(20)
    writer.writerow(['after', 1])
    assert failures
    assert all(str(error) == 'rows are written by two threads at once' for error in failures)
    assert set(out.getvalue().splitlines()) <= {'first,second', 'x,late,y', 'after,1'}
    assert out.getvalue().endswith('after,1\r\n')


def test_a_handler_that_empties_the_row_it_is_asked_about() -> None:
    import codecs

    def empty(error: UnicodeError) -> Any:
        row.clear()
        raise error

    codecs.register_error('generators-test-empty', empty)
    row = ['a', chr(0xDC80), 'b']
    with pytest.raises(ValueError, match='row 0'):
        list(csv_encode([row], errors='generators-test-empty'))


def test_names_of_rows_that_use_the_stream_as_they_go() -> None:
    class Name(str):
        def __del__(self) -> None:
            with pytest.raises(ValueError, match='already executing'):
                next(stream)
            refused.append(str(self))

    class Row(list[int]):
        def __init__(self, *names: str) -> None:
            super().__init__(range(len(names)))
            self.names = names

        def keys(self) -> Any:
            return [Name(name) for name in self.names]

    refused: list[str] = []
    stream = csv_encode((Row('b', 'a') for _ in range(3)), columns=['a', 'b'], max_delay=None)
    assert list(stream) == [b'1,0\r\n1,0\r\n1,0\r\n']
    assert len(refused) >= 4

"""``csv_writer``, the writer of ``generators.csv``, against ``csv.writer``."""

from __future__ import annotations

import csv
import gc
import io
import itertools
import random
import struct
import sys
import weakref
from collections import UserDict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_generators._native import csv_dict_reader as DictReader
from native_generators._native import csv_dict_writer as DictWriter
from native_generators._native import csv_reader, csv_writer
from tests.references import check_references

from .oracle_writer import write
from .rows import dialects_and_rows


def written(rows: Any, **dialect: Any) -> tuple[str, str | None]:
    file = io.StringIO(newline='')
    error = None
    try:
        csv_writer(file, **dialect).writerows(rows)
    except csv.Error as e:
        error = f'{type(e).__name__}: {e}' if type(e) is not csv.Error else str(e)
    return file.getvalue(), error


# --- Exactness -------------------------------------------------------------------------------


@given(dialects_and_rows())
def test_exactness(drawn: tuple[dict[str, Any], list[list[Any]]]) -> None:
    dialect, rows = drawn
    expected = write(rows, **dialect)
    assert written(rows, **dialect) == expected
    assert written(map(tuple, rows), **dialect) == expected
    assert written(map(iter, rows), **dialect) == expected


ALPHABETS: dict[str, tuple[str, dict[str, Any]]] = {
    'excel': ('a,"\r\n', {}),
    'all': ('a,"\n', {'quoting': 1}),
    'none': ('a,"\\\n', {'quoting': 3, 'escapechar': '\\'}),
    'none_and_no_escape': ('a,"\n', {'quoting': 3}),
    'no_quotechar': ('a,"\n', {'quoting': 3, 'quotechar': None, 'escapechar': '\\'}),
    'escapes': ('a,"\\\n', {'escapechar': '\\'}),
    'no_doubling': ('a,"\\', {'doublequote': False, 'escapechar': '\\'}),
    'no_doubling_no_escape': ('a,"', {'doublequote': False}),
    'spaces': ('a "', {'delimiter': ' ', 'skipinitialspace': True}),
    'terminator': ('axy,', {'lineterminator': 'xy'}),
    'wide': ('a€😀é', {'delimiter': '€', 'quotechar': '😀', 'lineterminator': 'é'}),
}


@pytest.mark.parametrize('name', ALPHABETS)
def test_every_short_text(name: str) -> None:
    alphabet, dialect = ALPHABETS[name]
    for size in range(5):
        for chars in itertools.product(alphabet, repeat=size):
            text = ''.join(chars)
            for row in ([text], ['b', text], [text, None]):
                assert written([row], **dialect) == write([row], **dialect)


@pytest.mark.parametrize('special', [',', '"', '\n', '\r', '\\'])
def test_special_character_at_every_place(special: str) -> None:
    for length in (1, 63, 64, 65, 128, 600):
        for at in {0, 1, length // 2, length - 2, length - 1} & set(range(length)):
            for filler in ('x', 'é', '€', '😀'):
                text = filler * at + special + filler * (length - at - 1)
                row = [text, 'y', text]
                assert written([row], escapechar='\\') == write([row], escapechar='\\')


@pytest.mark.parametrize('quoting', range(6))
@pytest.mark.parametrize(
    'row',
    [[], [''], [None], ['', ''], [None, None], [0], [0.0, -0.0], [True, False], ['1', 1, None]],
)
def test_quotings(quoting: int, row: list[Any]) -> None:
    assert written([row], quoting=quoting) == write([row], quoting=quoting)


def test_numbers() -> None:
    numbers: list[Any] = [
        0.1,
        1e16,
        1e-5,
        1e22,
        5e-324,
        1.7976931348623157e308,
        123456789012345680.0,
    ]
    numbers += [float('nan'), float('inf'), float('-inf'), -0.0, 2**63, -(2**63), 2**63 - 1]
    numbers += [10**100, 1e15, 1e17, 0.0001, 0.00001, 9007199254740993.0, 2.0**-44]
    generator = random.Random(5)
    for _ in range(30_000):
        numbers.append(struct.unpack('d', generator.randbytes(8))[0])
        numbers.append(round(generator.uniform(-1e6, 1e6), generator.randrange(8)))
        numbers.append(generator.randrange(-(10**18), 10**18) >> generator.randrange(60))
    assert written([[n] for n in numbers])[0].split('\r\n')[:-1] == [repr(n) for n in numbers]


@pytest.mark.parametrize('delimiter', ['.', '-', 'e', '1', 'T'])
def test_numbers_that_hold_the_delimiter(delimiter: str) -> None:
    row = [1.5, -1, 1e30, 11, True, None]
    assert written([row], delimiter=delimiter) == write([row], delimiter=delimiter)


# --- The object ------------------------------------------------------------------------------


class Sink:
    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> int:
        self.lines.append(line)
        return len(self.lines)


def test_returns_what_write_returns() -> None:
    sink = Sink()
    writer = csv_writer(sink)
    assert writer.writerow([1, 2]) == 1
    assert writer.writerow('ab') == 2
    assert writer.writerows([[1], [2]]) is None
    assert sink.lines == ['1,2\r\n', 'a,b\r\n', '1\r\n', '2\r\n']
    assert [type(line) for line in sink.lines] == [str] * 4


def test_dialect() -> None:
    writer = csv_writer(Sink(), 'excel-tab', quoting=csv.QUOTE_ALL)
    assert writer.dialect.delimiter == '\t'
    assert writer.dialect.lineterminator == '\r\n'
    assert writer.dialect.quoting == csv.QUOTE_ALL
    with pytest.raises(AttributeError):
        writer.dialect = None
    assert csv_writer(Sink(), csv.unix_dialect).writerow([1]) == 1


@pytest.mark.parametrize(
    'arguments',
    [((), {}), ((Sink(), 'excel', 5), {}), ((5,), {}), ((Sink(), 'nonesuch'), {})]
    + [
        ((Sink(),), {name: value})
        for name, value in [
            ('delimiter', ''),
            ('delimiter', '::'),
            ('delimiter', 5),
            ('quotechar', ''),
            ('lineterminator', None),
            ('quoting', 'QUOTE_ALL'),
            ('quoting', 6),
            ('nonesuch', 1),
        ]
    ],
)
def test_arguments(arguments: Any) -> None:
    args, kwargs = arguments
    with pytest.raises(Exception) as expected:
        csv.writer(*args, **kwargs)
    with pytest.raises(type(expected.value)) as caught:
        csv_writer(*args, **kwargs)
    if sys.version_info[:2] == (3, 13) and 'nonesuch' not in kwargs and args:
        assert str(caught.value) == str(expected.value)


def test_rows_that_are_none() -> None:
    for row in (5, None, object()):
        name = type(row).__name__
        with pytest.raises(csv.Error, match=f'^iterable expected, not {name}$'):
            csv_writer(Sink()).writerow(row)
    for rows in (5, None):
        with pytest.raises(TypeError, match='object is not iterable'):
            csv_writer(Sink()).writerows(rows)


def test_error_writes_nothing_and_the_writer_goes_on() -> None:
    sink = Sink()
    writer = csv_writer(sink, quoting=csv.QUOTE_NONE)
    with pytest.raises(csv.Error, match=r'^need to escape, but no escapechar set$'):
        writer.writerow(['a', 'b,c'])
    with pytest.raises(csv.Error, match=r'^single empty field record must be quoted$'):
        writer.writerow([''])
    writer.writerow(['d'])
    assert sink.lines == ['d\r\n']


# --- Hostile objects -------------------------------------------------------------------------


class Hostile:
    """Its text is made by whatever is given."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def __str__(self) -> Any:
        return self.make()


def test_text_that_raises() -> None:
    writer = csv_writer(sink := Sink())

    def fail() -> str:
        raise LookupError('no text')

    with pytest.raises(LookupError, match='no text'):
        writer.writerow(['a', Hostile(fail)])
    with pytest.raises(TypeError, match=r'__str__(\(\) must return a str| returned non-string)'):
        writer.writerow(['a', Hostile(lambda: 5)])
    writer.writerow(['b'])
    assert sink.lines == ['b\r\n']


def test_row_that_raises() -> None:
    def row() -> Iterator[str]:
        yield 'a'
        raise LookupError('gone')

    def rows() -> Iterator[Any]:
        yield [1]
        raise LookupError('rows')

    class NoRow:
        def __iter__(self) -> Any:
            raise LookupError('no row')

    writer = csv_writer(sink := Sink())
    for bad, message in ((row(), 'gone'), (NoRow(), 'no row')):
        with pytest.raises(LookupError, match=message):
            writer.writerow(bad)
    with pytest.raises(LookupError, match='rows'):
        writer.writerows(rows())
    assert sink.lines == ['1\r\n']


@pytest.mark.parametrize('change', ['clear', 'append', 'pop'])
def test_text_that_changes_the_row(change: str) -> None:
    def texts(make_writer: Any) -> list[str]:
        row: list[Any] = ['a', 'b', 'c']

        def make() -> str:
            if change == 'append':
                row.append('more')
            elif row:
                getattr(row, change)()
            return 'x'

        row[1] = Hostile(make)
        make_writer(sink := Sink()).writerow(row)
        return sink.lines

    assert texts(csv_writer) == texts(csv.writer)


def test_text_that_writes_another_row() -> None:
    """``csv.writer`` mixes the two up; here each is whole."""
    writer = csv_writer(sink := Sink())
    inner = Hostile(lambda: (writer.writerow(['inner', '€']), 'x')[1])
    writer.writerow(['a', inner, 'b'])
    writer.writerow(['c'])
    assert sink.lines == ['inner,€\r\n', 'a,x,b\r\n', 'c\r\n']


def test_write_that_raises_or_writes() -> None:
    class Target:
        depth = 0

        def write(self, line: str) -> str:
            lines.append(line)
            if line.startswith('bad'):
                raise OSError(28, 'full')
            if self.depth < 3:
                self.depth += 1
                writer.writerow([f'depth {self.depth}'])
            return line

    lines: list[str] = []
    writer = csv_writer(Target())
    assert writer.writerow(['a']) == 'a\r\n'
    with pytest.raises(OSError, match='full'):
        writer.writerow(['bad'])
    writer.writerow(['b'])
    assert lines == ['a\r\n', 'depth 1\r\n', 'depth 2\r\n', 'depth 3\r\n', 'bad\r\n', 'b\r\n']


def test_deep_recursion() -> None:
    writer = csv_writer(Sink())
    with pytest.raises(RecursionError):
        writer.writerow([loop := Hostile(lambda: writer.writerow([loop]))])
    writer.writerow(['a'])


@given(st.lists(st.text(), max_size=5))
def test_wide_after_narrow(texts: list[str]) -> None:
    """The block is wide for one line, and narrow again for the next."""
    rows = [[text, 'a'] for text in texts] + [['a']] * 2
    assert written(rows) == write(rows)


def test_cycle_is_collected() -> None:
    class Target:
        def write(self, line: str) -> None: ...

    target = Target()
    target.writer = csv_writer(target)  # type: ignore[attr-defined]
    gone = weakref.ref(target)
    del target
    gc.collect()
    assert gone() is None


def test_nothing_leaks() -> None:
    text, other, sink = 'some ' * 3, Hostile(lambda: 'x'), Sink()

    def use() -> None:
        writer = csv_writer(sink, quoting=csv.QUOTE_NONE)
        writer.writerows([[text, other, 1.5, 10**30, None, True], (text, other), iter([text])])
        for bad in ([text, 'a,b'], [other, ''] and [''], 5, [text, Hostile(lambda: 5)]):
            with pytest.raises((csv.Error, TypeError)):
                writer.writerow(bad)
        sink.lines.clear()

    check_references(use, text, other, sink, csv_writer)


# --- DictWriter and DictReader, bent ------------------------------------------------------------


def test_what_was_never_initialised_says_so() -> None:
    with pytest.raises(AttributeError):
        next(DictReader.__new__(DictReader))
    with pytest.raises(AttributeError):
        DictWriter.__new__(DictWriter).writerow({})
    with pytest.raises(AttributeError):
        DictWriter.__new__(DictWriter).writeheader()


def test_a_name_that_shortens_the_names_is_survived() -> None:
    class Name(str):
        __slots__ = ()
        __eq__ = str.__eq__

        def __hash__(self) -> int:
            del names[1:]
            return str.__hash__(self)

    names = ['a', 'b', 'c']
    names[0] = Name('a')
    out = io.StringIO()
    DictWriter(out, names, '-', 'ignore').writerow({'a': 1, 'b': 2})
    assert out.getvalue() == '1\r\n'


def test_rows_that_are_mappings_and_no_dicts() -> None:
    out = io.StringIO()
    writer = DictWriter(out, ['a', 'b'], '-')
    writer.writerow(UserDict(a=1))
    with pytest.raises(ValueError, match="fields not in fieldnames: 'c'"):
        writer.writerow(UserDict(a=1, c=2))
    assert out.getvalue() == '1,-\r\n'


def test_a_quoting_beyond_any_number() -> None:
    with pytest.raises((OverflowError, TypeError)):
        csv_reader([], quoting=1 << 70)

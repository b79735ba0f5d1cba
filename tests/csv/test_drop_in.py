"""``generators.csv`` held against the standard ``csv``: its own tests, and random ones.

The reader's rule is 3.13's; on 3.11 and 3.12 the plain statement of it in ``oracle.py`` stands in
for the running ``csv.reader``.
"""

from __future__ import annotations

import contextlib
import copy
import csv
import functools
import gc
import importlib.util
import io
import sys
import types
import unittest
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import csv as ours
from tests.references import check_references

from . import oracle, strategies
from .oracle import QUOTE_NONNUMERIC, QUOTE_STRINGS, exact, field_size_limit

LIMIT = oracle.FIELD_LIMIT


# --- CPython's own tests ---------------------------------------------------------------------

OWN_NAME = 'compares __all__ with what is defined in modules named csv and _csv'
OWN_PLACE = 'a warning of the standard module says who asked it: here, generators.csv'
OWN_TYPES = 'looks at _csv.Reader and _csv.Writer, not at the module under test'

LEFT_OUT = {
    'MiscTestCase.test__all__': OWN_NAME,
    'MiscTestCase.test_disallow_instantiation': OWN_TYPES,
}
if sys.version_info >= (3, 15):
    LEFT_OUT['TestModule.test_deprecated__version__'] = OWN_PLACE


@functools.cache
def cpython_tests() -> types.ModuleType | None:
    """CPython's test_csv with ``generators.csv`` in the place of ``csv``; None if not installed."""
    try:
        spec = importlib.util.find_spec('test.test_csv')
        importlib.import_module('test.support')
        importlib.import_module('test.support.import_helper')
    except ImportError:
        return None
    if spec is None or spec.origin is None:
        return None
    module = types.ModuleType('cpython_test_csv')
    code = compile(Path(spec.origin).read_text('utf-8'), spec.origin, 'exec')
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, 'csv', ours)
        exec(code, module.__dict__)
    assert module.csv is ours
    return module


def cpython_cases() -> Iterator[tuple[str, str]]:
    module = cpython_tests()
    for name, case in sorted(vars(module).items() if module else ()):
        if isinstance(case, type) and issubclass(case, unittest.TestCase):
            for test in unittest.defaultTestLoader.getTestCaseNames(case):
                yield name, test


@pytest.mark.skipif(cpython_tests() is None, reason='this Python came without test.test_csv')
@pytest.mark.parametrize(('case', 'test'), [*cpython_cases()])
def test_cpython_test_csv(case: str, test: str) -> None:
    if reason := LEFT_OUT.get(f'{case}.{test}'):
        pytest.skip(reason)
    result = unittest.TestResult()
    getattr(cpython_tests(), case)(test).run(result)
    if result.skipped:
        pytest.skip(result.skipped[0][1])
    assert result.testsRun == 1
    assert [trace for _, trace in result.errors + result.failures] == []


def test_what_is_left_out_is_there() -> None:
    if cpython_tests() is None:
        pytest.skip('this Python came without test.test_csv')
    assert LEFT_OUT.keys() <= {f'{case}.{test}' for case, test in cpython_cases()}


# --- The module ------------------------------------------------------------------------------

NATIVE = {'reader', 'writer', 'DictReader', 'DictWriter'}


def test_it_has_every_public_name() -> None:
    public = {*csv.__all__, 'QUOTE_STRINGS', 'QUOTE_NOTNULL'} - {'__doc__', '__version__'}
    assert set(ours.__all__) == public
    assert all(hasattr(ours, name) for name in [*csv.__all__, *ours.__all__])


def test_all_else_is_the_standard_modules_own() -> None:
    for name in set(csv.__all__) - NATIVE - {'__doc__', '__version__'}:
        assert getattr(ours, name) is getattr(csv, name), name
    assert (ours.QUOTE_STRINGS, ours.QUOTE_NOTNULL) == (4, 5)


def test_a_name_that_neither_has() -> None:
    with pytest.raises(AttributeError):
        _ = ours.no_such_name


def test_the_registry_is_shared() -> None:
    csv.register_dialect('shared', delimiter='|')
    try:
        assert 'shared' in ours.list_dialects()
        assert list(ours.reader(['a|b'], 'shared')) == [['a', 'b']]
    finally:
        ours.unregister_dialect('shared')
    with pytest.raises(csv.Error, match=r'^unknown dialect$'):
        ours.reader([], 'shared')


# --- The reader against csv.reader -----------------------------------------------------------


class Lines:
    """Gives lines, and counts how many were asked for; raises what is no str or None."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = list(items)
        self.pulls = 0

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> Any:
        self.pulls += 1
        if self.pulls > len(self.items):
            raise StopIteration
        item = self.items[self.pulls - 1]
        if item is StopIteration or isinstance(item, Exception):
            raise item
        return item


def standard_reader(lines: Iterable[Any], **dialect: Any) -> Any:
    if oracle.RUNNING_CSV_IS_THE_RULE:
        return csv.reader(lines, **dialect)
    return oracle.PlainReader(lines, field_limit=csv.field_size_limit(), **dialect)


def trace(make: Callable[..., Any], items: list[Any], dialect: dict[str, Any]) -> list[Any]:
    """All there is to see of every step, and of some behind the end."""
    lines = Lines(items)
    reader = make(lines, **dialect)
    steps: list[Any] = []
    for _ in range(len(items) + 3):
        outcome: Any
        try:
            outcome = exact([next(reader)], dialect.get('quoting', 0))
        except StopIteration:
            outcome = 'the end'
        except Exception as e:
            outcome = (type(e), str(e))
        steps.append((outcome, lines.pulls, reader.line_num))
    return steps


def assert_same(items: list[Any], dialect: dict[str, Any], limit: int = LIMIT) -> None:
    with field_size_limit(limit):
        expected = trace(standard_reader, items, dialect)
        assert trace(ours.reader, items, dialect) == expected


ODD_ITEMS = [b'a,b\n', None, 1, StopIteration, OSError('gone'), ValueError('bad')]


@given(strategies.dialects_and_items(), st.data())
def test_any_items(case: tuple[dict[str, Any], list[Any]], data: st.DataObject) -> None:
    dialect, items = case
    for at in data.draw(st.lists(st.integers(0, len(items)), max_size=3)):
        items.insert(at, data.draw(st.sampled_from(ODD_ITEMS)))
    assert_same(items, dialect)


@given(strategies.dialects_and_texts())
def test_lines(case: tuple[dict[str, Any], str]) -> None:
    dialect, text = case
    assert_same(oracle.split_lines(text), dialect)


@given(strategies.dialects_and_items(), st.integers(0, 70))
def test_field_limit(case: tuple[dict[str, Any], list[str]], limit: int) -> None:
    dialect, items = case
    assert_same(items, dialect, limit)


numbers = st.lists(
    st.sampled_from(['1', 'x', ',', '"', '\n', '\\', '1.5', '"a"', ',,', '1,"', '"\n"']), max_size=9
).map(''.join)


@given(
    st.lists(numbers, max_size=6),
    st.sampled_from([QUOTE_NONNUMERIC, QUOTE_STRINGS]),
    st.booleans(),
)
def test_a_field_that_is_no_number(items: list[str], quoting: int, strict: bool) -> None:
    assert_same(items, {'quoting': quoting, 'strict': strict, 'escapechar': '\\'})


def test_a_field_that_is_no_number_is_raised_at_its_line() -> None:
    lines = Lines(['x,"goes\n', 'on"\n', '1\n'])
    reader = ours.reader(lines, quoting=csv.QUOTE_NONNUMERIC)
    with pytest.raises(ValueError, match='could not convert string to float') as raised:
        next(reader)
    assert type(raised.value) is ValueError
    assert (lines.pulls, reader.line_num) == (1, 1)


MESSAGES = [
    (['a\n', 1], {}, 'iterator should return strings, not int (the file should be opened in text'),
    (['"a'], {'strict': True}, 'unexpected end of data'),
    (['"a"b'], {'strict': True}, "',' expected after '\"'"),
    (['a\rb'], {}, 'new-line character seen in unquoted field - do you need to open the file wi'),
    (['a' * (LIMIT + 1)], {}, f'field larger than field limit ({LIMIT})'),
]


@pytest.mark.parametrize(('items', 'dialect', 'message'), MESSAGES)
def test_the_error_and_its_message(items: list[Any], dialect: Any, message: str) -> None:
    with pytest.raises(csv.Error) as raised:
        list(ours.reader(items, **dialect))
    assert type(raised.value) is csv.Error
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize('length', [*range(1, 140), 4094, 4095, 4096, 4097, 9000])
@pytest.mark.parametrize('end', ['', '\n', '\r\n', '\r', '\n\n'])
def test_lines_of_every_length(length: int, end: str) -> None:
    plain = ('abc,de,f,,' * length)[:length]
    quoted = ('"a,b",c,"d""e",' * length)[:length]
    for wide in ('', 'é', '€', '😀'):
        assert_same([plain + wide + end, quoted + wide + end, 'x,y'], {})


def test_the_limit_changes_between_lines() -> None:
    def lines(limits: list[int]) -> Iterator[str]:
        for limit in limits:
            csv.field_size_limit(limit)
            yield '"abcde\n'

    for limits in ([9, 3], [12, 6, 3], [7, 5], [100, 6, 12], [100, -1]):
        with field_size_limit(LIMIT):
            for make in (ours.reader, csv.reader):
                reader = make(lines(limits), escapechar='\\')
                with pytest.raises(csv.Error) as raised:
                    list(reader)
                outcome = (str(raised.value), reader.line_num)
                if make is ours.reader:
                    actual = outcome
            assert actual == outcome, limits


def test_a_lowered_limit_counts_for_short_lines_within_32_of_them() -> None:
    def lines() -> Iterator[str]:
        yield 'abcdef\n'
        csv.field_size_limit(2)
        yield from ['abcdef\n'] * 100

    with field_size_limit(LIMIT):
        reader = ours.reader(lines())
        with pytest.raises(csv.Error, match=r'field limit \(2\)'):
            list(reader)
        assert reader.line_num <= 33


def test_the_limit_fallen_below_a_field_counts_from_the_next_character() -> None:
    def lines() -> Iterator[str]:
        yield '"abcdef\n'
        csv.field_size_limit(2)
        yield '","x"\n'
        yield '"abc"\n'

    with field_size_limit(LIMIT):
        reader = ours.reader(lines())
        assert next(reader) == ['abcdef\n', 'x']
        with pytest.raises(csv.Error, match=r'field limit \(2\)'):
            next(reader)


@given(
    st.lists(st.sampled_from(['a,b\n', '"two\nlines",c\r\n', '\n', 'x' * 90 + ',y\n'])),
    st.lists(st.booleans()),
)
def test_it_interleaves_with_readline(lines: list[str], by_reader: list[bool]) -> None:
    outcomes = []
    for make in (csv.reader, ours.reader):
        file = io.TextIOWrapper(io.BytesIO(''.join(lines).encode()), newline='')
        reader = make(iter(file.readline, ''))
        outcomes.append(
            [next(reader, None) if read else file.readline() for read in by_reader]
            + [file.read(), file.closed]
        )
    assert outcomes[0] == outcomes[1]


def test_a_file_that_grows_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / 'grows.csv'
    path.write_text('a,b\n')
    with open(path, newline='') as file, open(path, 'a') as end:
        reader = ours.reader(file)
        assert list(reader) == [['a', 'b']]
        end.write('c,d\n')
        end.flush()
        assert list(reader) == [['c', 'd']]
        assert reader.line_num == 2


def test_attributes() -> None:
    reader = ours.reader([], delimiter=';')
    assert type(reader.dialect) is type(csv.reader([]).dialect)
    assert reader.dialect.delimiter == ';'
    assert not hasattr(reader, 'close')
    for name in ('line_num', 'dialect'):
        with pytest.raises(AttributeError):
            setattr(reader, name, 1)
    assert iter(reader) is reader


@pytest.mark.parametrize(
    ('args', 'kwargs'),
    [
        ((), {}),
        (([], 'excel', 'more'), {}),
        ((1,), {}),
        (([],), {'no_such': 1}),
        (([], 'excel'), {'dialect': 'excel'}),
        (([],), {'delimiter': 'ab'}),
    ],
)
def test_a_call_that_is_refused(args: Any, kwargs: Any) -> None:
    for make in (csv.reader, ours.reader):
        with pytest.raises(TypeError):
            make(*args, **kwargs)


# --- Hostile sources -------------------------------------------------------------------------


class Reentrant:
    """Asks the reader for a record while it is asked for a line."""

    def __init__(self, *inner: str) -> None:
        self.inner = list(inner)
        self.reader: Any = None
        self.seen: list[Any] = []

    def __iter__(self) -> Reentrant:
        return self

    def __next__(self) -> str:
        if self.reader is not None:
            reader, self.reader = self.reader, None
            try:
                self.seen.append(next(reader))
            except StopIteration:
                self.seen.append('the end')
            return 'outer,line\n'
        if self.inner:
            return self.inner.pop(0)
        raise StopIteration


def test_a_source_that_takes_a_record_itself() -> None:
    source = Reentrant('inner,line\n', 'next,line\n')
    source.reader = reader = ours.reader(source)
    with pytest.raises(csv.Error, match=r'^iterator has already advanced the reader$'):
        next(reader)
    assert source.seen == [['inner', 'line']]
    assert list(reader) == [['next', 'line']]


def test_a_source_that_takes_the_end_of_an_open_record() -> None:
    source = Reentrant('"open\n')
    source.reader = reader = ours.reader(source)
    with pytest.raises(csv.Error, match='already advanced'):
        next(reader)
    assert source.seen == [['open\n']]
    assert list(reader) == []


def test_a_source_that_finds_the_end_itself_goes_on() -> None:
    source = Reentrant()
    source.reader = reader = ours.reader(source)
    assert list(reader) == [['outer', 'line']]
    assert source.seen == ['the end']


def test_a_line_that_comes_back_when_it_dies() -> None:
    class Line(str):
        def __del__(self) -> None:
            seen.append(next(reader, None))

    seen: list[Any] = []
    lines = iter([Line('a,b\n'), 'c,d\n', 'e,"f\n', Line('g"\n'), 'h\n'])
    reader = ours.reader(lines)
    rows = list(reader)
    gc.collect()
    assert sorted(filter(None, rows + seen)) == [['a', 'b'], ['c', 'd'], ['e', 'f\ng'], ['h']]


def test_a_generator_that_closes_itself() -> None:
    def lines() -> Iterator[str]:
        yield 'a\n'
        generator.close()
        yield 'b\n'

    generator = lines()
    reader = ours.reader(generator)
    assert next(reader) == ['a']
    with pytest.raises(ValueError, match='generator already executing'):
        next(reader)
    assert list(reader) == []


@pytest.mark.parametrize('last', ['"a\n', 'a,"b', '"a\n"x'])
def test_a_source_that_raises_within_a_record_goes_on_with_another(last: str) -> None:
    class Source:
        def __init__(self) -> None:
            self.items = iter(['first\n', last, OSError(), 'next"\n', 'row\n'])

        def __iter__(self) -> Source:
            return self

        def __next__(self) -> str:
            item = next(self.items)
            if isinstance(item, OSError):
                raise item
            return item

    def rows(module: Any) -> list[Any]:
        reader = module.reader(Source())
        read = [next(reader)]
        with contextlib.suppress(OSError):
            while True:
                read.append(next(reader))
        return [*read, reader.line_num, *reader, reader.line_num]

    assert rows(ours) == rows(csv)


def test_a_source_is_not_closed() -> None:
    def lines() -> Iterator[str]:
        yield 'a\n'
        yield 'b\n'

    generator = lines()
    reader = ours.reader(generator)
    assert next(reader) == ['a']
    del reader
    assert next(generator) == 'b\n'


# --- Leaks -----------------------------------------------------------------------------------


def test_a_cycle_through_the_source_is_collected() -> None:
    class Source:
        def __iter__(self) -> Source:
            return self

        def __next__(self) -> str:
            return 'a,b\n'

    for make in (ours.reader, ours.DictReader):
        source = Source()
        source.reader = make(source)  # type: ignore[attr-defined]
        next(source.reader)  # type: ignore[attr-defined]
        seen = weakref.ref(source)
        del source
        gc.collect()
        assert seen() is None, make


def test_a_dict_reader_or_writer_that_was_not_initialised_says_so() -> None:
    reader = ours.DictReader.__new__(ours.DictReader)
    for use in (next, lambda reader: reader.fieldnames):
        with pytest.raises(AttributeError, match='DictReader'):
            use(reader)
    writer = ours.DictWriter.__new__(ours.DictWriter)
    with pytest.raises(AttributeError, match='fieldnames'):
        writer.writeheader()


@pytest.mark.parametrize('module', [csv, ours])
def test_an_attribute_of_a_dict_reader_that_was_deleted_is_missed_where_it_is_needed(
    module: Any,
) -> None:
    reader = module.DictReader(['a\n', '1\n', '2,3\n', '4\n'])
    del reader.restkey
    assert next(reader) == {'a': '1'}
    with pytest.raises(AttributeError, match='restkey'):
        next(reader)
    with pytest.raises(AttributeError, match='restkey'):
        del reader.restkey
    assert next(reader) == {'a': '4'}
    del reader.reader
    with pytest.raises(AttributeError, match='reader'):
        next(reader)
    with pytest.raises(AttributeError):
        del reader.fieldnames


@pytest.mark.parametrize('module', [csv, ours])
def test_the_attributes_of_a_dict_reader_are_in_its_dict(module: Any) -> None:
    reader = module.DictReader(['a,b\n', '1\n', '2\n', '3,4\n'], restval='-')
    assert next(reader) == {'a': '1', 'b': '-'}
    attributes = vars(reader)
    names = ['_fieldnames', 'restkey', 'restval', 'reader', 'dialect', 'line_num']
    assert list(attributes) == names
    assert [attributes[name] for name in names if name != 'reader'] == [
        ['a', 'b'],
        None,
        '-',
        'excel',
        2,
    ]
    attributes['restval'] = '+'
    assert next(reader) == {'a': '2', 'b': '+'}
    assert attributes['line_num'] == reader.line_num == 3
    reader.__dict__ = {**attributes, '_fieldnames': ['x', 'y']}
    assert list(reader) == [{'x': '3', 'y': '4'}]
    assert reader.fieldnames == ['x', 'y']


@pytest.mark.parametrize('module', [csv, ours])
def test_a_copy_of_a_dict_reader_reads_on_from_the_same_reader(module: Any) -> None:
    class Named(module.DictReader):  # type: ignore[misc]
        __slots__ = ('slot',)

    reader = Named(['a\n', '1\n', '2\n', '3\n'])
    reader.mark, reader.slot = 'kept', 'too'
    assert next(reader) == {'a': '1'}
    other = copy.copy(reader)
    assert type(other) is Named
    assert (other.mark, other.slot, other.line_num) == ('kept', 'too', 2)
    assert other.reader is reader.reader
    assert [next(other), next(reader), *other] == [{'a': '2'}, {'a': '3'}]
    with pytest.raises(TypeError, match='pickle'):
        copy.deepcopy(reader)


@pytest.mark.parametrize('module', [csv, ours])
def test_the_attributes_of_a_dict_writer_are_in_its_dict_and_copied(module: Any) -> None:
    file = io.StringIO()
    writer = module.DictWriter(file, ['a', 'b'], lineterminator='\n')
    assert list(vars(writer)) == ['fieldnames', 'restval', 'extrasaction', 'writer']
    vars(writer)['restval'] = '-'
    other = copy.copy(writer)
    assert other.writer is writer.writer
    other.writerow({'a': 1})
    writer.extrasaction = 'ignore'
    writer.writerow({'b': 2, 'c': 3})
    with pytest.raises(ValueError, match="'c'"):
        other.writerow({'c': 3})
    assert file.getvalue() == '1,-\n-,2\n'
    del writer.restval
    with pytest.raises(AttributeError, match='restval'):
        writer.writerow({})


@pytest.mark.parametrize('module', [csv, ours])
def test_a_subclass_of_dict_writer_may_have_properties_for_its_attributes(module: Any) -> None:
    class Fixed(module.DictWriter):  # type: ignore[misc]
        @property
        def restval(self) -> str:
            return '?'

        @restval.setter
        def restval(self, value: str) -> None:
            pass

    file = io.StringIO()
    Fixed(file, ['a', 'b'], lineterminator='\n').writerow({'a': 1})
    assert file.getvalue() == '1,?\n'


def test_code_of_names_that_are_dropped_may_read_on() -> None:
    class Name(str):
        def __del__(self) -> None:
            if len(rows) < 4:
                rows.append(next(reader))

    rows: list[Any] = []
    reader = ours.DictReader(['1,2\n'] * 8, [Name('a'), Name('b')])
    rows.append(next(reader))
    reader.fieldnames = ['c', 'd']
    gc.collect()
    rows.append(next(reader))
    rows.append(next(reader))
    assert {'a': '1', 'b': '2'} in rows
    assert all(row in ({'a': '1', 'b': '2'}, {'c': '1', 'd': '2'}) for row in rows)
    assert rows[-1] == {'c': '1', 'd': '2'}


def test_a_line_that_reads_a_record_as_it_goes_tears_none_unnoticed() -> None:
    class Line(str):
        def __del__(self) -> None:
            if self.startswith('"') and not nested:
                nested.append(next(reader))

    nested: list[Any] = []
    lines = [Line('"a\n'), Line('b"\n'), Line('c\n'), Line('d\n')]
    lines.reverse()
    reader = ours.reader(iter(lines.pop, None))
    with pytest.raises(csv.Error, match='already advanced'):
        next(reader)
    assert nested == [['b"']]
    assert next(reader) == ['d']


def test_a_dict_reader_and_writer_are_seen_to_go() -> None:
    gone: list[Any] = []
    things = [ours.DictReader([]), ours.DictWriter(io.StringIO(), ['a'])]
    seen = [weakref.ref(thing, gone.append) for thing in things]
    things.clear()
    assert len(gone) == len(seen) == 2


def test_lines_rows_and_errors_leave_nothing_behind() -> None:
    def work() -> None:
        for items in (['a,b\n', '"c\n', 'd"\n'], ['"a"x\n'], [1], ['x,1\n', '"']):
            for quoting in (0, QUOTE_NONNUMERIC):
                reader = ours.reader(iter(items), strict=True, quoting=quoting)
                for _ in range(4):
                    with contextlib.suppress(csv.Error, ValueError):
                        list(reader)
                with contextlib.suppress(csv.Error):
                    list(ours.DictReader(iter(items), restkey='more'))

    def blocks_more(times: int) -> int:
        gc.collect()
        before = sys.getallocatedblocks()
        for _ in range(times):
            work()
        gc.collect()
        return sys.getallocatedblocks() - before

    # The first rounds fill caches of the interpreter; a leak shows in every round.
    assert min(blocks_more(50) for _ in range(5)) < 50


def test_a_dict_reader_leaves_no_reference_to_its_arguments() -> None:
    class Key:
        pass

    key, value, names = Key(), Key(), ['a', 'b']

    def use() -> None:
        lines = ['1\n', '1,2\n', '1,2,3\n', '1,2,3,4\n']
        for source in (lines, io.StringIO(''.join(lines))):
            list(ours.DictReader(source, names, restkey=key, restval=value))
        reader = ours.DictReader(lines, restkey=key, restval=value)
        reader.restkey, reader.restval = value, key
        reader.reader = csv.reader(lines)
        assert [len(row) for row in reader] == [2, 2, 2]
        assert (reader.restkey, reader.restval) == (value, key)
        with pytest.raises(TypeError):
            ours.DictReader(lines, names, key, value, 'excel', 'more')

    check_references(use, key, value, names)


# --- DictReader and DictWriter against the standard classes ----------------------------------

cells = st.sampled_from(['a', 'b', '', '1', '"q"', 'a', 'c'])
records = st.lists(cells, max_size=5).map(','.join)
tables = st.lists(records, max_size=6).map(lambda lines: [line + '\n' for line in lines])
some_names = st.one_of(
    st.none(),
    st.lists(st.sampled_from('abcd'), max_size=5),
    st.lists(st.sampled_from(['a', 1, None, (2,)]), max_size=4).map(tuple),
    st.text('abc', max_size=4),
)
actions = st.lists(
    st.sampled_from(['next', 'next', 'names', 'line_num', 'rename', 'reset', 'grow', 'swap']),
    max_size=12,
)


def steps_of_dict_reader(
    make: Any, read: Any, lines: list[str], given: dict[str, Any], todo: list[str]
) -> list[Any]:
    reader = make(iter(lines), **given)
    steps: list[Any] = []
    for action in todo:
        try:
            if action == 'next':
                row = next(reader)
                outcome = (type(row), list(row.items()))
            elif action == 'names':
                outcome = reader.fieldnames
            elif action == 'rename':
                reader.fieldnames = ['x', 'y', 'x']
                outcome = reader.fieldnames
            elif action == 'reset':
                reader.fieldnames = None
                outcome = None
            elif action == 'grow':
                reader.fieldnames.append('grown')
                outcome = reader.fieldnames
            elif action == 'swap':
                reader.reader = read(['p,q\n', '\n', 'r\n'])
                outcome = None
            else:
                outcome = None
        except (StopIteration, AttributeError, TypeError) as e:
            outcome = type(e)
        steps.append((action, outcome, reader.line_num))
    return steps


@given(tables, some_names, st.sampled_from([None, 'rest', 'a']), actions)
def test_dict_reader(lines: list[str], names: Any, restkey: Any, todo: list[str]) -> None:
    given_names = names if names is None or isinstance(names, str | tuple) else [*names]
    given_arguments = {'fieldnames': given_names, 'restkey': restkey, 'restval': '-'}
    expected = steps_of_dict_reader(csv.DictReader, csv.reader, lines, given_arguments, todo)
    given_arguments['fieldnames'] = [*names] if isinstance(names, list) else names
    actual = steps_of_dict_reader(ours.DictReader, ours.reader, lines, given_arguments, todo)
    assert actual == expected


def test_dict_reader_is_lazy() -> None:
    lines = Lines(['a,b\n', '1,2\n'])
    reader = ours.DictReader(lines)
    assert lines.pulls == 0
    assert reader.fieldnames == ['a', 'b']
    assert (lines.pulls, reader.line_num) == (1, 1)
    assert type(reader.reader) is ours.reader
    assert reader.dialect == 'excel'


def test_dict_reader_passes_arguments_on() -> None:
    reader = ours.DictReader(['1;2'], ['a', 'b'], delimiter=';', quoting=csv.QUOTE_NONNUMERIC)
    assert list(reader) == [{'a': 1.0, 'b': 2.0}]
    assert list(ours.DictReader(['1\t2'], iter('ab'), dialect='excel-tab')) == [
        {'a': '1', 'b': '2'}
    ]
    for arguments in ((), ([], None, None, None, 'excel', 'more')):
        with pytest.raises(TypeError):
            ours.DictReader(*arguments)
    with pytest.raises(TypeError):
        ours.DictReader([], f=[])
    with pytest.raises(TypeError):
        ours.DictReader([], no_such=1)


def test_dict_reader_may_be_subclassed() -> None:
    class Upper(ours.DictReader):  # type: ignore[misc, valid-type]
        def __init__(self, f: Any) -> None:
            super().__init__(f)
            self.extra = 1

        @property
        def fieldnames(self) -> list[str]:
            return [name.upper() for name in super().fieldnames]

        def __next__(self) -> Any:
            return types.MappingProxyType(super().__next__())

    reader = Upper(['a,b\n', '1,2\n'])
    assert [dict(row) for row in reader] == [{'A': '1', 'B': '2'}]
    assert vars(reader)['extra'] == reader.extra == 1
    assert vars(reader)['_fieldnames'] == ['a', 'b']
    assert weakref.ref(reader)() is reader


class Names:
    """Fieldnames that are no list."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: Any) -> Any:
        return self.names[index]


class Rows:
    """A reader of rows that are no lists."""

    def __init__(self, *rows: Any) -> None:
        self.rows = iter(rows)
        self.line_num = 7

    def __iter__(self) -> Rows:
        return self

    def __next__(self) -> Any:
        return next(self.rows)


@pytest.mark.parametrize('module', [csv, ours])
def test_dict_reader_over_other_names_and_rows(module: Any) -> None:
    reader = module.DictReader(['1\n', '1,2,3\n'], Names('a', 'b'), restval='-')
    assert list(reader) == [{'a': '1', 'b': '-'}, {'a': '1', 'b': '2', None: ['3']}]
    reader = module.DictReader([], ['a', 'b'])
    reader.reader = Rows([], (1, 2, 3), 'x')
    assert list(reader) == [{'a': 1, 'b': 2, None: (3,)}, {'a': 'x', 'b': None}]
    assert reader.line_num == 7
    reader.reader = 5
    with pytest.raises(TypeError, match='not an iterator'):
        next(reader)


@pytest.mark.parametrize('name', ['DictReader', 'DictWriter'])
def test_generic_alias(name: str) -> None:
    alias = getattr(ours, name)[str]
    assert isinstance(alias, types.GenericAlias)
    assert alias.__origin__ is getattr(ours, name)


keyed_rows = st.lists(
    st.dictionaries(st.sampled_from('abcd'), st.sampled_from(['x', '', None, 1, 2.5])), max_size=4
)


def steps_of_dict_writer(make: Any, rows: Any, given: dict[str, Any], how: str) -> list[Any]:
    file = io.StringIO()
    steps: list[Any] = []
    try:
        writer = make(file, **given)
        steps.append(writer.writeheader())
        if how == 'writerows':
            steps.append(writer.writerows(rows))
        else:
            steps += [writer.writerow(row) for row in rows]
    except (ValueError, TypeError, AttributeError) as e:
        message = str(e)
        steps.append((type(e), message.partition(':')[0]))
    return [*steps, file.getvalue()]


@given(
    keyed_rows,
    st.one_of(st.lists(st.sampled_from('abcd'), max_size=5), st.just('abcd'), st.none()),
    st.sampled_from(['raise', 'IGNORE', 'ignore', 'neither']),
    st.sampled_from(['writerow', 'writerows']),
    st.sampled_from([dict, types.MappingProxyType, lambda row: list(row.items())]),
)
def test_dict_writer(rows: Any, names: Any, action: str, how: str, kind: Any) -> None:
    arguments = {'fieldnames': names, 'extrasaction': action, 'restval': '-', 'delimiter': ';'}
    kinds = [kind(row) for row in rows]
    expected = steps_of_dict_writer(csv.DictWriter, kinds, arguments, how)
    assert steps_of_dict_writer(ours.DictWriter, kinds, arguments, how) == expected


def test_dict_writer_names_what_is_too_much() -> None:
    writer = ours.DictWriter(io.StringIO(), ['a'])
    with pytest.raises(ValueError, match=r"^dict contains fields not in fieldnames: 'b'$"):
        writer.writerow({'a': 1, 'b': 2})


def test_dict_writer_may_be_subclassed() -> None:
    class Loud(ours.DictWriter):  # type: ignore[misc, valid-type]
        def _dict_to_list(self, rowdict: Any) -> list[str]:
            return [str(value).upper() for value in super()._dict_to_list(rowdict)]

    file = io.StringIO()
    writer = Loud(file, ['a'], lineterminator='\n')
    writer.writeheader()
    writer.writerows([{'a': 'x'}, {}])
    assert file.getvalue() == 'A\nX\n""\n'


def test_dict_writer_refuses_arguments() -> None:
    with pytest.raises(TypeError):
        ours.DictWriter(io.StringIO(), 5)
    for arguments in ((), (io.StringIO(),)):
        for module in (csv, ours):
            with pytest.raises(TypeError):
                module.DictWriter(*arguments)

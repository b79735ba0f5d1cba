"""A table: the mistake, and what its message must name."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from generators import CSVError, CSVRow, acsv_rows, csv_batches, csv_rows

DATA = b'id,name\n1,Ann\n'


def rows(source: Any = DATA, **arguments: Any) -> Callable[[], object]:
    return lambda: list(csv_rows(source, **arguments))


def batches(source: Any = DATA, **arguments: Any) -> Callable[[], object]:
    return lambda: list(csv_batches(source, **arguments))


OPEN = b'id,text\n1,a\n2,"b\n3,c\n'

# The mistake, the class of its error, and what the message names.
TABLE: dict[str, tuple[Callable[[], object], type[Exception], tuple[str, ...]]] = {
    # -- quotes and limits
    'an unclosed quote, strict': (
        rows(OPEN, strict=True),
        CSVError,
        ('unexpected end of data', 'quote that opens here is not closed', 'line 3', 'byte 14'),
    ),
    'an unclosed quote, complete': (
        rows(OPEN, complete=True),
        CSVError,
        ('not complete', 'line 3', 'byte 14'),
    ),
    'an unclosed quote that ran into max_field': (
        rows(OPEN, max_field=5),
        CSVError,
        ('field limit (5)', 'quote that opens here', 'max_field', 'line 3', 'byte 14'),
    ),
    'an unclosed quote that ran into max_record': (
        rows(OPEN, max_record=7),
        CSVError,
        ('max_record (7)', 'quote that opens here', 'line 3', 'byte 14'),
    ),
    'an unclosed quote in one line': (
        rows(OPEN, multiline=False),
        CSVError,
        ('multiline is False', 'quote that opens here', 'line 3', 'byte 14'),
    ),
    'an unclosed quote among lines of str': (
        lambda: list(csv_rows(io.StringIO(OPEN.decode()), strict=True)),
        CSVError,
        ('unexpected end of data', 'line 3'),
    ),
    'a long field': (rows(b'a' * 9, max_field=5), CSVError, ('larger max_field', 'byte 5')),
    'a long record': (rows(b'a,' * 9, max_record=5), CSVError, ('larger max_record', 'byte 5')),
    # -- the delimiter and the header
    'semicolons': (rows(b'id;name\n1;Ann\n', into=dict), CSVError, ("delimiter=';'", 'id;name')),
    'tabs': (rows(b'id\tname\n1\tAnn\n', header=True), CSVError, (r"delimiter='\t'",)),
    'semicolons, columns': (batches(b'id;name\n1;Ann\n'), CSVError, ("delimiter=';'",)),
    'header=3': (rows(header=3), TypeError, ('header must be True, False or None', 'skip')),
    "header='infer'": (batches(header='infer'), TypeError, ('header must be True',)),
    'a header that is too long': (
        rows(b'a,b,c\n1,2\n', into=dict),
        CSVError,
        ('3 fields expected, but 2 found', 'line 2'),
    ),
    'a header that is too short': (
        rows(b'a\n1,2\n', into=dict),
        CSVError,
        ('1 fields expected, but 2 found', 'line 2'),
    ),
    'a name twice': (rows(b'a,a\n1,2\n', into=dict), CSVError, ("'a'", 'names')),
    'an empty name': (rows(b'a,\n1,2\n', into=CSVRow), CSVError, ('is empty',)),
    # -- names
    'too few names': (rows(names=['x']), CSVError, ('1 name for the 2 columns', 'id', 'line 1')),
    'too many names': (batches(names=['x'] * 3), CSVError, ('3 names for the 2 columns',)),
    'a callable that gives too many': (
        rows(names=lambda names: [*names, 'x']),
        CSVError,
        ('3 names for the 2 columns',),
    ),
    'names of no column': (rows(names={'x': 'y'}), CSVError, ("no column 'x'", 'id')),
    'a mapping of no header': (rows(names={'x': 'y'}, header=False), ValueError, ('header',)),
    'a set of names': (rows(names={'x', 'y'}), TypeError, ('names', 'order')),
    # -- arguments
    'a set of columns': (rows(columns={'id'}), TypeError, ('columns', 'order')),
    'null without types': (rows(null=['NA']), ValueError, ('null', 'types', 'annotations')),
    'no line to begin with': (rows(skip='x'), CSVError, ('skip', "begins with 'x'")),
    'a callable for no line': (rows(skip=lambda line: False), CSVError, ('skip', 'true for no')),
    'a blank record': (rows(b'a\n\nb\n', blank='error'), CSVError, ('blank', 'line 2', 'byte 2')),
    # -- keywords of other libraries
    'sep': (rows(sep=';'), TypeError, ('csv_rows', "'sep'", 'delimiter')),
    'skiprows': (rows(skiprows=1), TypeError, ("'skiprows'", 'use skip')),
    'usecols': (rows(usecols=[0]), TypeError, ("'usecols'", 'use columns')),
    'dtype': (rows(dtype={}), TypeError, ("'dtype'", 'use types')),
    'nrows': (rows(nrows=1), TypeError, ("'nrows'", 'islice')),
    'fieldnames': (rows(fieldnames=[]), TypeError, ("'fieldnames'", 'use names')),
    'chunksize': (rows(chunksize=1), TypeError, ("'chunksize'", 'csv_batches')),
    'sep, columns': (batches(sep=';'), TypeError, ('csv_batches', "'sep'", 'delimiter')),
    'sep, async': (lambda: acsv_rows([], sep=';'), TypeError, ('acsv_rows', "'sep'")),
    'no keyword of any library': (rows(nonsense=1), TypeError, ('nonsense',)),
}


@pytest.mark.parametrize('mistake', TABLE)
def test_the_message_names_what_to_do(mistake: str) -> None:
    call, error, named = TABLE[mistake]
    with pytest.raises(error) as caught:
        call()
    for text in named:
        assert text in str(caught.value)


def test_the_record_begins_above_the_quote_and_the_error() -> None:
    data = b'id,text\n1,"a\nb","c\nd\n'
    with pytest.raises(CSVError) as caught:
        list(csv_rows(data, strict=True))
    error = caught.value
    assert (error.record, error.record_line, error.line, error.byte) == (2, 2, 3, 16)
    data = b'#\nid,n\n"a\nb",x\n'
    for stream in (
        csv_rows(data, into=dict, types={'n': int}, comment='#'),
        csv_rows(io.StringIO(data.decode()), into=dict, types={'n': int}, comment='#'),
        csv_batches(data, types={'n': int}, comment='#'),
    ):
        with pytest.raises(CSVError) as caught:
            list(stream)
        error = caught.value
        assert (error.record, error.record_line, error.line) == (2, 3, 4)


def test_the_place_is_the_same_wherever_the_data_is_cut() -> None:
    data = b'id,text\n1,a\n2,"b\n' + b'3,c\n' * 60
    for limits in ({'max_field': 100}, {'max_record': 100}, {'strict': True}):
        for size in range(1, 130):
            pieces = [data[i : i + size] for i in range(0, len(data), size)]
            with pytest.raises(CSVError) as caught:
                list(csv_rows(pieces, items='chunks', **limits))
            assert (caught.value.line, caught.value.byte, caught.value.record) == (3, 14, 3)


# --- problems ---------------------------------------------------------------------------------

BAD = b'a,b,c,d\n1,x,2,y\n5,6,7,8\n'
TYPES = {'a': int, 'b': int, 'c': float, 'd': float}
PROBLEMS = (
    ('b', 'x', "invalid literal for int() with base 10: 'x'"),
    ('d', 'y', "could not convert string to float: 'y'"),
)


@pytest.mark.parametrize('read', [csv_rows, csv_batches])
def test_every_bad_field_of_a_record_is_listed(read: Any) -> None:
    with pytest.raises(CSVError) as caught:
        list(read(BAD, types=TYPES))
    assert caught.value.column == 'b'
    assert caught.value.problems == PROBLEMS
    found: list[Any] = []
    stream = read(BAD, types=TYPES, on_error=lambda error, raw: found.append(error.problems))
    assert sum(len(item) if read is csv_batches else 1 for item in stream) == 1
    assert found == [PROBLEMS]


@pytest.mark.parametrize('into', [list, tuple, dict, CSVRow, lambda *fields: fields])
def test_every_shape_lists_them(into: Any) -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(BAD, into=into, types=TYPES))
    assert caught.value.problems == PROBLEMS


def test_other_errors_have_no_problems() -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(b'a\n1,2\n', into=dict))
    assert caught.value.problems == ()
    assert CSVError('said').problems == ()
    assert CSVError('said').record_line is None


def test_what_is_raised_while_the_problems_are_found_comes_through() -> None:
    def interrupt(text: str) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        list(csv_rows(BAD, types={'b': int, 'd': interrupt}, on_error='skip'))
    assert isinstance(caught.value.__context__, CSVError)

    class Silent(Exception):
        def __str__(self) -> str:
            raise MemoryError

    def fails(text: str) -> Any:
        raise Silent

    with pytest.raises(MemoryError):
        list(csv_rows(BAD, types={'b': int, 'd': fails}))


# --- names ------------------------------------------------------------------------------------


def test_a_mapping_renames_some() -> None:
    stream = csv_rows(DATA, names={'id': 'number'}, into=dict)
    assert list(stream) == [{'number': '1', 'name': 'Ann'}]
    assert stream.header == ('number', 'name')
    assert next(csv_batches(DATA, names={'id': 'number'})).column_names == ('number', 'name')


def test_a_method_of_str_is_called_with_each_name() -> None:
    assert csv_rows(b' a , b\n', names=str.strip).header == ('a', 'b')


@pytest.mark.parametrize(
    ('header', 'names'),
    [
        ('x,x,x', ('x', 'x_2', 'x_3')),
        ('x,x_2,x,x', ('x', 'x_2', 'x_3', 'x_4')),
        (',a,', ('column_1', 'a', 'column_3')),
        ('column_2,,', ('column_2', 'column_2_2', 'column_3')),
        ('a,b', ('a', 'b')),
    ],
)
def test_names_are_numbered(header: str, names: tuple[str, ...]) -> None:
    data = f'{header}\n{header}\n'.encode()
    rows = csv_rows(data, into=dict, duplicates='number')
    assert list(rows) == [dict(zip(names, header.split(','), strict=True))]
    assert rows.header == names
    assert next(csv_batches(data, duplicates='number')).column_names == names
    given = csv_rows(data, names=header.split(','), header=False, duplicates='number')
    assert given.header == names


def test_many_names_are_numbered_in_little_time() -> None:
    data = b','.join([b'x'] * 20_000) + b'\n'
    assert csv_rows(data, header=True, duplicates='number').header[-1] == 'x_20000'
    with pytest.raises(CSVError):
        csv_rows(data, into=dict, duplicates='error').prime()


def test_a_delimiter_that_was_given_is_not_doubted() -> None:
    data = b'id;name\n1;Ann\n'
    for arguments in ({'delimiter': ','}, {'dialect': 'excel'}, {'dialect': csv.excel}):
        assert list(csv_rows(data, into=dict, **arguments)) == [{'id;name': '1;Ann'}]
    assert list(csv_rows(b'"id;name"\n1\n', into=dict)) == [{'id;name': '1'}]
    assert list(csv_rows(data)) == [['id;name'], ['1;Ann']]


def test_header_may_be_none() -> None:
    for header in (None, True):
        assert list(csv_rows(DATA, header=header, into=dict)) == [{'id': '1', 'name': 'Ann'}]
        assert [len(b) for b in csv_batches(DATA, header=header)] == [1]
    assert list(itertools.islice(csv_rows(DATA, header=None), 1)) == [['id', 'name']]

"""``csv_rows`` itself: its sources, header, counters and what it refuses."""

import array
import ast
import asyncio
import bz2
import csv
import doctest
import gzip
import io
import lzma
import mmap
import os
import pickle
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import native_generators
from generators import CSVError, acsv_rows, csv_rows

DATA = b'id,name\r\n1,"Ann"\r\n2,"B ""b"" b"\r\n'
ROWS = [['id', 'name'], ['1', 'Ann'], ['2', 'B "b" b']]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / 'data.csv'
    file.write_bytes(DATA)
    return file


# --- sources ----------------------------------------------------------------------------------


SOURCES: dict[str, Callable[[Path], Any]] = {
    'path': lambda path: path,
    'path as str': str,
    'bytes': lambda path: DATA,
    'bytearray': lambda path: bytearray(DATA),
    'memoryview': lambda path: memoryview(DATA),
    'array': lambda path: array.array('B', DATA),
    'BytesIO': lambda path: io.BytesIO(DATA),
    'StringIO': lambda path: io.StringIO(DATA.decode(), newline=''),
    'lines': lambda path: DATA.decode().splitlines(keepends=True),
    'chunks': lambda path: [DATA[i : i + 5] for i in range(0, len(DATA), 5)],
    'chunks of other buffers': lambda path: [bytearray(DATA[:9]), memoryview(DATA[9:])],
    'empty chunks': lambda path: [b'', DATA[:3], b'', DATA[3:], b''],
}


@pytest.mark.parametrize('source', SOURCES)
def test_every_source_gives_the_same_rows(source: str, path: Path) -> None:
    assert list(csv_rows(SOURCES[source](path))) == ROWS


@pytest.mark.parametrize(
    'opened',
    [
        lambda path: path.open('rb'),
        lambda path: path.open('rb', buffering=0),
        lambda path: path.open('r+b'),
        lambda path: path.open(newline=''),
    ],
    ids=['buffered', 'raw', 'random', 'text'],
)
def test_a_file_that_was_handed_in_stays_open(opened: Callable[[Path], Any], path: Path) -> None:
    with opened(path) as file:
        rows = csv_rows(file)
        assert list(rows) == ROWS
        rows.close()
        assert not file.closed


@pytest.mark.parametrize('module', [gzip, bz2, lzma])
def test_compressed_file_objects_are_read(module: Any, tmp_path: Path) -> None:
    path = tmp_path / 'data'
    with module.open(path, 'wb') as file:
        file.write(DATA)
    with module.open(path) as file:
        assert list(csv_rows(file)) == ROWS
    with module.open(path, 'rt', newline='') as file:
        assert list(csv_rows(file)) == ROWS


def test_a_mapped_file_is_read(path: Path) -> None:
    with path.open('rb') as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
        assert list(csv_rows(view)) == ROWS


def test_a_temporary_file_wrapper_is_a_file() -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.write(DATA)
        file.seek(0)
        assert list(csv_rows(file)) == ROWS


def test_a_file_is_read_from_where_it_stands(path: Path) -> None:
    with path.open('rb') as file:
        file.readline()
        rows = csv_rows(file)
        assert list(rows) == ROWS[1:]
        assert rows.bytes_read == rows.total_bytes == len(DATA) - len('id,name\r\n')


class Reads:
    """A file object of somebody else's: nothing but ``read``."""

    def __init__(self, *results: Any) -> None:
        self.results = list(results)
        self.sizes: list[int] = []

    def read(self, size: int) -> Any:
        self.sizes.append(size)
        return self.results.pop(0) if self.results else b''


def test_any_object_with_read_is_a_binary_file() -> None:
    file = Reads(DATA[:7], bytearray(DATA[7:]))
    assert list(csv_rows(file)) == ROWS
    assert all(size > 0 for size in file.sizes)


def test_read_that_gives_text_is_read_as_text() -> None:
    assert list(csv_rows(Reads('a,"b\r', '\nc"\n', ''))) == [['a', 'b\r\nc']]


@pytest.mark.parametrize('result', [3, ['a'], object()])
def test_read_that_gives_neither_is_refused(result: Any) -> None:
    with pytest.raises(TypeError, match=r'read\(\) should have returned bytes or str'):
        list(csv_rows(Reads(result)))


def test_read_that_would_block_is_an_error() -> None:
    with pytest.raises(BlockingIOError):
        list(csv_rows(Reads(None)))


def test_a_pipe_gives_its_rows_as_they_come() -> None:
    """No read waits for more than one row's data."""
    code = (
        'import sys; from generators import csv_rows\n'
        'for row in csv_rows(sys.stdin.buffer): print(row, flush=True)'
    )
    with subprocess.Popen(
        [sys.executable, '-c', code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for i in range(3):
            process.stdin.write(f'{i},x\n'.encode())
            process.stdin.flush()
            assert process.stdout.readline() == f"['{i}', 'x']\n".encode()
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize('source', [3, None, 1.5, object(), print])
def test_what_is_no_source_is_refused_by_name(source: Any) -> None:
    with pytest.raises(TypeError, match=f"not '{type(source).__name__}'"):
        csv_rows(source)


def test_an_async_iterable_is_no_source() -> None:
    async def lines() -> Any:
        yield 'a,b'

    with pytest.raises(TypeError, match='async_generator'):
        csv_rows(lines())


def test_construction_reads_nothing() -> None:
    file = Reads(DATA)
    csv_rows(file)
    assert file.sizes == []


def test_no_item_is_pulled_before_it_is_needed() -> None:
    pulled = []

    def lines() -> Iterator[str]:
        for line in DATA.decode().splitlines(keepends=True):
            pulled.append(line)
            yield line

    rows = csv_rows(lines())
    for count, expected in enumerate(ROWS, 1):
        assert next(rows) == expected
        assert len(pulled) == count


# --- items ------------------------------------------------------------------------------------


def test_lines_that_lost_their_ends_get_them_back() -> None:
    lines = ['a,"b', '', 'c"', '', 'd']
    assert list(csv_rows(lines, items='lines')) == [['a', 'b\n\nc'], [], ['d']]
    assert list(csv_rows([line.encode() for line in lines], items='lines')) == [
        ['a', 'b\n\nc'],
        [],
        ['d'],
    ]


def test_lines_that_kept_their_ends_are_left_alone() -> None:
    assert list(csv_rows(['a,"b\r\n', 'c"\n'], items='lines')) == [['a', 'b\r\nc']]


def test_bytes_lines_are_decoded() -> None:
    lines = ['é,b'.encode('latin-1'), 'ü'.encode('latin-1')]
    assert list(csv_rows(lines, items='lines', encoding='latin-1')) == [['é', 'b'], ['ü']]
    assert list(csv_rows(['\ufeffé'.encode()], items='lines')) == [['é']]


def test_a_bytes_line_that_is_not_text_comes_after_the_rows_before_it() -> None:
    rows = csv_rows([b'a', b'\xff', b'c'], items='lines')
    assert next(rows) == ['a']
    with pytest.raises(CSVError) as caught:
        next(rows)
    assert isinstance(caught.value.__cause__, UnicodeDecodeError)
    assert (caught.value.record, caught.value.line) == (2, 2)


def test_text_cut_anywhere_is_chunks() -> None:
    assert list(csv_rows(['a,"', 'b', '"\r', '\nc', ''], items='chunks')) == [['a', 'b'], ['c']]


def test_bytes_lines_without_ends_are_found_out() -> None:
    with pytest.raises(ValueError, match="items='lines'"):
        next(csv_rows([b'a,b'] * 8))


@pytest.mark.parametrize(
    'items',
    [
        [b'a,b'] * 2,
        [b'a,b'] * 7,
        [b'ab'] + [b'a,b'] * 9,
        [b'one', b'', b'column'],
        [b'id,"a\nb"'] + [b'1,x'] * 3,
    ],
    ids=['two', 'seven', 'one without a delimiter', 'one column', 'a quoted line end'],
)
@pytest.mark.parametrize('encoding', ['utf-8', 'shift_jis'])
def test_lines_without_ends_are_found_out_at_the_end(items: list[bytes], encoding: str) -> None:
    stream = csv_rows(items, encoding=encoding)
    with pytest.raises(ValueError, match="pass items='lines' if they are lines"):
        next(stream)
    assert next(stream, 'ended') == 'ended'
    assert len(list(csv_rows(items, items='lines'))) == len(items)
    assert len(list(csv_rows(items, items='chunks'))) == 1

    async def chunks() -> AsyncIterator[bytes]:
        for item in items:
            yield item

    async def read() -> list[Any]:
        return [row async for row in acsv_rows(chunks(), encoding=encoding)]

    with pytest.raises(ValueError, match="pass items='lines' if they are lines"):
        asyncio.run(read())


@pytest.mark.parametrize(
    'items',
    [[b'a,b,c'], [b'', b'a,b'], [b'a,b'] * 4 + [b'c\n'] + [b'a,b'] * 9],
    ids=['one', 'an empty one', 'one with an end'],
)
def test_chunks_that_may_be_chunks_are_not_suspected(items: list[bytes]) -> None:
    assert ''.join(','.join(row) for row in csv_rows(items))


def test_items_has_three_values() -> None:
    with pytest.raises(ValueError, match="'auto', 'lines' or 'chunks', not 'rows'"):
        csv_rows([], items='rows')


# --- header and names -------------------------------------------------------------------------


def test_the_header_is_a_row_by_default() -> None:
    rows = csv_rows(DATA)
    assert rows.header is None
    assert list(rows) == ROWS


def test_header_takes_the_first_record() -> None:
    rows = csv_rows(DATA, header=True)
    assert list(rows) == ROWS[1:]
    assert rows.header == ('id', 'name')
    assert (rows.row_num, rows.line_num) == (2, 3)


def test_asking_for_the_header_reads_it_and_no_row() -> None:
    rows = csv_rows(DATA, header=True)
    assert rows.header == rows.header == ('id', 'name')
    assert (rows.row_num, rows.line_num) == (0, 1)
    assert list(rows) == ROWS[1:]


@pytest.mark.parametrize('source', [b'', [], b'\xef\xbb\xbf'])
def test_an_empty_file_has_an_empty_header(source: Any) -> None:
    rows = csv_rows(source, header=True)
    assert rows.header == ()
    assert list(rows) == []


def test_a_reader_that_was_closed_before_it_read_has_no_header() -> None:
    rows = csv_rows(DATA, header=True)
    rows.close()
    assert rows.header is None


def test_a_reader_that_was_thrown_into_before_it_read_has_no_header() -> None:
    rows = csv_rows(DATA, header=True)
    with pytest.raises(LookupError):
        rows.throw(LookupError())
    assert rows.header is None
    assert list(rows) == []


def test_names_replace_the_header() -> None:
    rows = csv_rows(DATA, names=['a', 'b'])
    assert rows.header == ('a', 'b')
    assert list(rows) == ROWS[1:]


def test_names_name_a_file_without_header() -> None:
    rows = csv_rows(DATA, header=False, names=['a', 'b'])
    assert rows.header == ('a', 'b')
    assert list(rows) == ROWS


def test_a_method_of_str_is_called_with_each_name() -> None:
    assert csv_rows(b' Id , NAME\n', names=str.strip).header == ('Id', 'NAME')
    assert csv_rows(b'Id,NAME\n', names=str.lower).header == ('id', 'name')


def test_another_callable_is_called_with_all_names() -> None:
    rows = csv_rows(b'a,a\n', names=lambda names: [f'{n}{i}' for i, n in enumerate(names)])
    assert rows.header == ('a0', 'a1')


@pytest.mark.parametrize('text', [['\ufeffid,name\n'], io.StringIO('\ufeffid,name\n')])
def test_a_mark_before_the_first_name_goes_from_text_too(text: Any) -> None:
    assert csv_rows(text, header=True).header == ('id', 'name')


def test_a_mark_in_text_stays_where_there_is_no_header() -> None:
    assert list(csv_rows(['\ufeffid'])) == [['\ufeffid']]


def test_names_that_are_one_text_are_refused() -> None:
    with pytest.raises(TypeError, match='names must be a sequence of names'):
        csv_rows(DATA, names='ab')


def test_a_callable_without_a_header_is_refused() -> None:
    with pytest.raises(ValueError, match='needs a header'):
        csv_rows(DATA, names=str.lower, header=False)


def test_names_that_raise_end_the_stream() -> None:
    def names(header: Any) -> Any:
        raise KeyError('names')

    rows = csv_rows(DATA, names=names)
    with pytest.raises(KeyError):
        _ = rows.header
    assert list(rows) == []


def test_names_that_raise_stop_iteration_are_a_runtime_error() -> None:
    def names(header: Any) -> Any:
        raise StopIteration

    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        next(csv_rows(DATA, names=names))
    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        _ = csv_rows(DATA, names=names).header


def test_names_may_not_reach_the_reader() -> None:
    def names(header: Any) -> Any:
        next(rows)

    rows = csv_rows(DATA, names=names)
    with pytest.raises(ValueError, match='generator already executing'):
        next(rows)


# --- counters and parameters ------------------------------------------------------------------


def test_counters_follow_the_rows(path: Path) -> None:
    rows = csv_rows(path)
    assert (rows.line_num, rows.row_num, rows.bytes_read, rows.errors) == (0, 0, 0, 0)
    assert rows.total_bytes == len(DATA)
    next(rows)
    assert (rows.line_num, rows.row_num, rows.bytes_read) == (1, 1, len(DATA))
    rows.close()
    assert (rows.line_num, rows.row_num, rows.bytes_read) == (1, 1, len(DATA))


def test_total_bytes_is_unknown_for_what_does_not_tell() -> None:
    assert csv_rows(Reads()).total_bytes is None
    assert csv_rows([]).total_bytes is None
    assert csv_rows(b'abc').total_bytes == 3


@pytest.mark.parametrize('into', ['list', 3, [str]])
def test_what_is_no_shape_is_refused(into: Any) -> None:
    with pytest.raises(TypeError, match='into must be list, tuple, dict, a NamedTuple'):
        csv_rows(DATA, into=into)


@pytest.mark.parametrize('name', ['max_field', 'max_record'])
def test_limits_are_numbers_or_none(name: str) -> None:
    assert list(csv_rows(DATA, **{name: None})) == ROWS
    with pytest.raises(ValueError, match=f'{name} must not be negative'):
        csv_rows(DATA, **{name: -1})
    with pytest.raises(TypeError):
        csv_rows(DATA, **{name: 1.5})


@pytest.mark.parametrize(
    ('encoding', 'error'), [('no such', LookupError), ('hex', LookupError), (3, TypeError)]
)
def test_encodings_that_are_none_are_refused(encoding: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        csv_rows(DATA, encoding=encoding)


def test_error_handlers_that_are_none_are_refused() -> None:
    with pytest.raises(LookupError):
        csv_rows(DATA, errors='no such')


def test_a_refused_construction_leaves_no_file_open(path: Path) -> None:
    """ResourceWarning is an error in this suite."""
    with pytest.raises(TypeError):
        csv_rows(path, delimiter='')


def test_the_docstring_runs() -> None:
    finder = doctest.DocTestFinder(recurse=False)
    runner = doctest.DocTestRunner()
    for test in finder.find(csv_rows, 'csv_rows', globs={}):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


# --- the error --------------------------------------------------------------------------------


def test_the_error_is_of_csv_and_a_value_error() -> None:
    assert issubclass(CSVError, csv.Error)
    assert issubclass(CSVError, ValueError)


def test_the_error_tells_where(path: Path) -> None:
    path.write_bytes(b'a,b\n"x\ny",1\n"p"q,2\n')
    rows = csv_rows(path, strict=True)
    assert [next(rows), next(rows)] == [['a', 'b'], ['x\ny', '1']]
    with pytest.raises(CSVError) as caught:
        next(rows)
    error = caught.value
    assert (error.path, error.record, error.line, error.byte) == (str(path), 3, 4, 15)
    assert str(error).startswith("',' expected after '\"'")
    assert f'{path}, record 3, line 4, byte 15' in str(error)
    assert rows.line_num == 4


def test_the_error_of_a_field_tells_which() -> None:
    rows = csv_rows(b'1,2\n3,four\n', quoting=csv.QUOTE_NONNUMERIC)
    assert next(rows) == [1.0, 2.0]
    with pytest.raises(CSVError) as caught:
        next(rows)
    error = caught.value
    assert (error.record, error.line, error.byte, error.column, error.text) == (2, 2, 6, 1, 'four')
    assert isinstance(error.__cause__, ValueError)


def test_the_error_can_be_pickled() -> None:
    with pytest.raises(CSVError) as caught:
        list(csv_rows(b'"a"b', strict=True))
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.byte) == (str(caught.value), 3)


def test_an_error_made_by_hand_has_no_place() -> None:
    error = CSVError('by hand')
    assert (error.path, error.record, error.line, error.byte) == (None,) * 4
    assert (error.column, error.text) == (None, None)


# --- threads ----------------------------------------------------------------------------------


def test_other_threads_run_while_a_read_waits() -> None:
    """The GIL is let go of around the read of a file: a writer in this process gets on."""
    read, write = (
        open(fd, mode, buffering=0) for fd, mode in zip(os.pipe(), ('rb', 'wb'), strict=True)
    )
    with read, write:
        writer = threading.Thread(target=lambda: (write.write(DATA), write.close()))
        rows = csv_rows(read)
        writer.start()
        assert list(rows) == ROWS
        writer.join(30)


@pytest.mark.parametrize(
    ('kind', 'options'), [(csv_rows, '_Reading'), (acsv_rows, '_AsyncReading')]
)
def test_the_stub_has_every_parameter(kind: Any, options: str) -> None:
    stub = (Path(native_generators.__file__).parent / '_native.pyi').read_text('utf-8')
    classes = {node.name: node for node in ast.parse(stub).body if isinstance(node, ast.ClassDef)}
    shared = {
        line.target.id
        for name in ('_ReadingAnySource', options)
        for line in classes[name].body
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
    }
    parameters = re.findall(r'[(\s](\w+)(?=[=,)])', kind.__text_signature__)
    assert sorted(shared | {'source', 'into', 'types'}) == sorted(parameters)

"""``jsonl_rows`` and ``ajsonl_rows``: a value for each line, and what becomes of bad lines."""

from __future__ import annotations

import asyncio
import codecs
import doctest
import gc
import io
import itertools
import json
import weakref
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import DataError, ajsonl_rows, jsonl_rows, lines
from tests.text.oracle import cuts

pytestmark = pytest.mark.timeout(60)

DATA = b'{"a": 1}\r\n\n  \t\r\n[2, "\xc3\xa9"]\n"\\n"\r\n4'
VALUES = [{'a': 1}, [2, 'é'], '\n', 4]


async def given_later(pieces: list[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        await asyncio.sleep(0)
        yield piece


async def collect(stream: Any) -> list[Any]:
    return [row async for row in stream]


def rows_and_error(source: Any, **options: Any) -> tuple[list[Any], DataError]:
    taken: list[Any] = []
    stream = jsonl_rows(source, **options)
    with pytest.raises(DataError) as caught:
        taken.extend(stream)
    assert next(stream, 'ended') == 'ended'
    return taken, caught.value


# --- values ---------------------------------------------------------------------------------------


def test_values_by_every_size() -> None:
    for size in range(1, len(DATA) + 1):
        pieces = [DATA[i : i + size] for i in range(0, len(DATA), size)]
        rows = jsonl_rows(pieces)
        assert list(rows) == VALUES
        assert (rows.line_num, rows.row_num, rows.errors) == (6, 4, 0)
        assert rows.bytes_read == len(DATA)
        stream = ajsonl_rows(given_later(pieces))
        assert asyncio.run(collect(stream)) == VALUES
        assert (stream.line_num, stream.row_num, stream.errors) == (6, 4, 0)
        assert (stream.bytes_read, stream.total_bytes) == (len(DATA), None)


def test_a_mark_goes_and_the_line_is_utf8() -> None:
    seen: list[bytes] = []
    for pieces in cuts(codecs.BOM_UTF8 + b'1\n\r'):
        assert list(jsonl_rows(pieces)) == [1]
    text = '\ufeff"é"\r\n\n"\ud800"\n'
    for source in ([text], text.encode('utf-8', 'surrogatepass')):
        seen.clear()
        assert list(jsonl_rows(source, loads=seen.append)) == [None, None]
        assert seen == ['"é"'.encode(), '"\ud800"'.encode('utf-8', 'surrogatepass')]
    for encoding in ('utf-16', 'utf-16-le', 'utf-32', 'utf-8-sig'):
        data = '\ufeff{"a": "é"}\n2'.encode(encoding)
        for size in (1, 3, 100):
            pieces = [data[i : i + size] for i in range(0, len(data), size)]
            assert list(jsonl_rows(pieces, encoding=encoding)) == [{'a': 'é'}, 2]
    assert list(jsonl_rows('"é"'.encode('latin-1'), encoding='latin-1')) == ['é']
    assert list(jsonl_rows(io.StringIO('"é"\n2\n'))) == ['é', 2]


def test_a_carriage_return_alone_is_a_blank_of_json() -> None:
    assert list(jsonl_rows(b'{"a":\r1}\n\r\n2\r')) == [{'a': 1}, 2]


def test_sources(tmp_path: Path) -> None:
    path = tmp_path / 'a.jsonl'
    path.write_bytes(DATA)
    for source in (path, DATA, io.BytesIO(DATA), bytearray(DATA)):
        rows = jsonl_rows(source)
        assert list(rows) == VALUES
    assert jsonl_rows(path).total_bytes == len(DATA)
    assert list(jsonl_rows(['1', '{}', '[2]\r'], items='lines')) == [1, {}, [2]]
    assert list(jsonl_rows([b'1', b'{}\n', b'[2]\r'], items='lines')) == [1, {}, [2]]
    assert list(jsonl_rows([b'{}\n'] * 20)) == [{}] * 20
    assert list(jsonl_rows([b'[1', b',2]'] * 1)) == [[1, 2]]


@pytest.mark.parametrize('item', [b'{"a": 1}', '{"a": 1}', '[1]'])
def test_values_without_line_ends_are_told(item: Any) -> None:
    with pytest.raises(ValueError, match="pass items='lines'"):
        list(jsonl_rows([item] * 20))
    assert len(list(jsonl_rows([item] * 20, items='lines'))) == 20


# --- errors ---------------------------------------------------------------------------------------


def test_what_loads_raises_is_told_with_its_place() -> None:
    data = b'1\n\n{"a" 1}\r\n2\n'
    for pieces in cuts(data[:9]):
        taken, error = rows_and_error([*pieces, data[9:]])
        assert taken == [1]
        assert (error.path, error.line, error.byte, error.text) == (None, 3, 3, '{"a" 1}')
        assert str(error) == (
            "loads() raised JSONDecodeError: Expecting ':' delimiter: line 1 column 6 (char 5) "
            '(line 3, byte 3, \'{"a" 1}\')'
        )
        assert isinstance(error.__cause__, json.JSONDecodeError)
        assert error.__context__ is error.__cause__


def test_the_path_is_told(tmp_path: Path) -> None:
    path = tmp_path / 'a.jsonl'
    path.write_bytes(b'x' * 200)
    _, error = rows_and_error(path)
    assert error.path == str(path)
    assert error.text == 'x' * 80 + '...'


def test_blank_lines_are_errors_if_asked() -> None:
    for blank in (b'', b' \t\r'):
        taken, error = rows_and_error(b'1\n' + blank + b'\n2\n', blank='error')
        assert taken == [1]
        assert (error.line, error.byte) == (2, 2)
        assert 'the line is blank' in str(error)


def test_bad_lines_are_handed_over() -> None:
    seen: list[tuple[Any, ...]] = []

    def take(error: DataError, line: bytes) -> None:
        seen.append((error.line, error.byte, type(error.__cause__), line))

    long = b'"' + b'x' * 100_000
    data = b'1\nx\r\n\n2\n' + long + b'\n3\n' + b'y' * 200_000 + b'\n4\nz'
    for size in (1, 7, 1000, 10**6):
        seen.clear()
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        rows = jsonl_rows(pieces, on_error=take, blank='error', max_line=150_000)
        assert list(rows) == [1, 2, 3, 4]
        assert seen == [
            (2, 2, json.JSONDecodeError, b'x\r\n'),
            (3, 5, type(None), b'\n'),
            (5, 8, json.JSONDecodeError, long + b'\n'),
            (7, 100_012, type(None), b'y' * 150_000),
            (9, 300_015, json.JSONDecodeError, b'z'),
        ]
        assert (rows.errors, rows.row_num, rows.line_num) == (5, 4, 9)
        rows = jsonl_rows(pieces, on_error='skip', max_line=150_000)
        assert list(rows) == [1, 2, 3, 4]
        assert rows.errors == 4
    stream = ajsonl_rows(given_later([data]), on_error=take, max_line=150_000)
    assert asyncio.run(collect(stream)) == [1, 2, 3, 4]


@pytest.mark.parametrize('raised', [KeyError('x'), RecursionError(), UnicodeError('no')])
def test_any_exception_of_loads_is_a_data_error(raised: Exception) -> None:
    def loads(line: bytes) -> Any:
        raise raised

    taken, error = rows_and_error(b'1\n', loads=loads)
    assert taken == []
    assert error.__cause__ is raised
    assert list(jsonl_rows(b'1\n', loads=loads, on_error='skip')) == []


@pytest.mark.parametrize('raised', [KeyboardInterrupt, SystemExit, MemoryError, GeneratorExit])
def test_what_is_no_fault_of_the_line_comes_through(raised: type[BaseException]) -> None:
    def loads(line: bytes) -> Any:
        raise raised

    rows = jsonl_rows(io.BytesIO(b'1\n2\n'), loads=loads, on_error='skip')
    with pytest.raises(raised):
        next(rows)
    assert next(rows, 'ended') == 'ended'
    assert rows.errors == 0
    assert rows.checkpoint()['offset'] == 0


@pytest.mark.parametrize('where', ['loads', 'on_error'])
def test_stop_iteration_does_not_end_the_rows(where: str) -> None:
    def stop(*arguments: object) -> Any:
        raise StopIteration(3)

    options: dict[str, Any] = {where: stop}
    with pytest.raises(RuntimeError, match='raised StopIteration') as caught:
        list(jsonl_rows(b'x\n', **options))
    assert isinstance(caught.value.__cause__, StopIteration)
    with pytest.raises(RuntimeError, match='raised StopIteration'):
        asyncio.run(collect(ajsonl_rows(given_later([b'x\n']), **options)))


def test_what_on_error_raises_comes_out_and_the_line_is_not_passed() -> None:
    def refuse(error: DataError, line: bytes) -> None:
        raise LookupError(line) from error

    rows = jsonl_rows(io.BytesIO(b'1\nx\n2\n'), on_error=refuse)
    assert next(rows) == 1
    with pytest.raises(LookupError):
        next(rows)
    start = rows.checkpoint()
    assert (start['offset'], start['line'], start['row'], start['errors']) == (2, 1, 1, 0)
    rest = jsonl_rows(io.BytesIO(b'1\nx\n2\n'), start=start, on_error='skip')
    assert list(rest) == [2]
    assert (rest.row_num, rest.errors, rest.line_num) == (2, 1, 3)


def test_loads_may_not_reach_its_stream() -> None:
    def loads(line: bytes) -> Any:
        return next(rows)

    rows: Any = jsonl_rows(b'1\n2\n', loads=loads)
    with pytest.raises(DataError, match='generator already executing'):
        next(rows)


def test_an_error_whose_text_fails_is_told_by_that() -> None:
    class Unspeakable(Exception):
        def __str__(self) -> str:
            raise OSError('no text')

    def loads(line: bytes) -> Any:
        raise Unspeakable

    with pytest.raises(OSError, match='no text'):
        list(jsonl_rows(b'1\n', loads=loads))


def test_a_codec_that_rejects_bytes_ends_the_rows() -> None:
    taken, error = rows_and_error(
        '1\n2'.encode('utf-16-le') + b'\x00\xd8', encoding='utf-16-le', on_error='skip'
    )
    assert taken == [1]
    assert (error.line, error.byte) == (2, 6)


def test_a_line_over_the_limit_ends_the_rows() -> None:
    taken, error = rows_and_error(b'1\n' + b'2' * 50 + b'\n', max_line=10)
    assert taken == [1]
    assert (error.line, error.byte, error.text) == (2, 2, '2' * 10)
    with pytest.raises(DataError, match='line larger than max_line'):
        list(jsonl_rows(itertools.repeat(b'x' * 1000), max_line=100_000))


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'loads': 3}, TypeError, "loads must be a callable, not 'int'"),
        ({'blank': 'raise'}, ValueError, "blank must be 'skip' or 'error', not 'raise'"),
        ({'on_error': 'ignore'}, ValueError, "on_error must be 'raise', 'skip' or a callable"),
        ({'on_error': 3}, TypeError, "on_error must be 'raise', 'skip' or a callable"),
        ({'encoding': 'none'}, LookupError, 'unknown encoding'),
        ({'encoding': None}, TypeError, 'str'),
        ({'max_line': -1}, ValueError, 'max_line must not be negative'),
        ({'items': 'rows'}, ValueError, "items must be 'auto', 'lines' or 'chunks'"),
        ({'start': {}}, ValueError, 'start is not a checkpoint'),
    ],
)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        jsonl_rows(io.BytesIO(), **options)


# --- checkpoints ----------------------------------------------------------------------------------


def test_a_checkpoint_continues_after_every_row(tmp_path: Path) -> None:
    path = tmp_path / 'a.jsonl'
    path.write_bytes(codecs.BOM_UTF8 + DATA)
    for count in range(len(VALUES) + 1):
        rows = jsonl_rows(path)
        assert list(itertools.islice(rows, count)) == VALUES[:count]
        start = json.loads(json.dumps(rows.checkpoint()))
        rest = jsonl_rows(path, start=start)
        assert rest.row_num == count
        assert list(rest) == VALUES[count:]
        assert rest.row_num == len(VALUES)
    with pytest.raises(ValueError, match='of another format'):
        lines(path, start=start, newline='\n', encoding='utf-8')


def test_a_checkpoint_in_a_line_that_is_skipped() -> None:
    """The source fails there: another reader must not begin within the line."""

    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            data = super().read(4)
            if not data:
                raise OSError('gone')
            return data

    rows = jsonl_rows(Failing(b'1\n' + b'2' * 50), max_line=10, on_error='skip')
    assert next(rows) == 1
    with pytest.raises(OSError, match='gone'):
        next(rows)
    assert rows.checkpoint()['offset'] == 2


def test_rows_are_closed_with_their_source() -> None:
    closed = []

    def source() -> Iterator[bytes]:
        try:
            yield b'1\n2\n'
        finally:
            closed.append(True)

    with jsonl_rows(source()) as rows:
        assert next(rows) == 1
    assert closed == [True]


def test_the_examples_run() -> None:
    for type_ in (jsonl_rows, ajsonl_rows):
        finder = doctest.DocTestFinder(recurse=False)
        for test in finder.find(type_, type_.__name__, globs={type_.__name__: type_}):
            assert test.examples
            assert doctest.DocTestRunner().run(test).failed == 0


def test_what_reads_the_rows_is_dropped_when_they_are_closed() -> None:
    class Loads:
        def __call__(self, text: bytes) -> Any:
            return text

    loads, handler = Loads(), Loads()
    seen = [weakref.ref(loads), weakref.ref(handler)]
    rows = jsonl_rows(b'1\n2\n', loads=loads, on_error=handler)
    next(rows)
    del loads, handler
    rows.close()
    gc.collect()
    assert [reference() for reference in seen] == [None, None]

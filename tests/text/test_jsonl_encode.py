"""``jsonl_encode`` and ``ajsonl_encode``: a line for each row, in chunks."""

from __future__ import annotations

import asyncio
import collections
import dataclasses
import doctest
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import (
    FLUSH,
    CSVRow,
    DataError,
    ajsonl_encode,
    chunked,
    csv_rows,
    jsonl_encode,
    jsonl_rows,
)

pytestmark = pytest.mark.timeout(60)


class Point(NamedTuple):
    x: int
    y: str = 'é'


@dataclasses.dataclass
class Record:
    x: int
    inner: Any = None


async def given_later(rows: list[Any]) -> AsyncIterator[Any]:
    for row in rows:
        await asyncio.sleep(0)
        yield row


async def collect(stream: Any) -> list[bytes]:
    return [chunk async for chunk in stream]


def in_both_ways(rows: list[Any], **options: Any) -> bytes:
    text = b''.join(jsonl_encode(iter(rows), **options))
    assert b''.join(asyncio.run(collect(ajsonl_encode(given_later(rows), **options)))) == text
    return text


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=['Cs'])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('aé"', max_size=3), inner),
    max_leaves=8,
)


@given(rows=st.lists(JSON, max_size=8), size=st.integers(1, 40))
def test_rows_come_back_and_chunks_are_of_one_size(rows: list[Any], size: int) -> None:
    stream = jsonl_encode(rows, size=size, max_delay=None)
    chunks = list(stream)
    assert stream.row_num == len(rows)
    text = b''.join(chunks)
    dumped = [json.dumps(row, ensure_ascii=False, separators=(',', ':')) for row in rows]
    assert text == ''.join(f'{line}\n' for line in dumped).encode()
    assert chunks == list(chunked([text], size))
    assert list(jsonl_rows(chunks)) == rows


def test_rows_with_names_are_objects() -> None:
    with closing(sqlite3.connect(':memory:')) as connection:
        connection.row_factory = sqlite3.Row
        of_database = list(connection.execute("select 1 as x, 'a' as y"))
    rows = [
        {'x': 1},
        Point(1),
        Record(1, {'in': Record(2)}),
        MappingProxyType({'x': 1}),
        collections.ChainMap({'x': 1}),
        CSVRow({'x': 1, 'y': None}),
        *csv_rows('x,y\n1,2\n'.splitlines(), into=CSVRow),
        *csv_rows(['1,2\n'], into=CSVRow, header=False),
        *of_database,
        collections.namedtuple('Old', 'x y')(1, 2),
        (1, Point(2)),
        [],
    ]
    assert in_both_ways(rows).decode().splitlines() == [
        '{"x":1}',
        '{"x":1,"y":"é"}',
        '{"x":1,"inner":{"in":{"x":2,"inner":null}}}',
        '{"x":1}',
        '{"x":1}',
        '{"x":1,"y":null}',
        '{"x":"1","y":"2"}',
        '["1","2"]',
        '{"x":1,"y":"a"}',
        '{"x":1,"y":2}',
        '[1,[2,"é"]]',
        '[]',
    ]


def test_dumps_returns_text_or_bytes() -> None:
    results: list[Any] = ['a', 'é', b'b', bytearray(b'c'), memoryview(b'd'), 'x' * 100, b'y' * 100]
    expected = b''.join((r.encode() if isinstance(r, str) else bytes(r)) + b'\n' for r in results)
    for size in (1, 2, 7, 101, 65536):
        assert in_both_ways(results, dumps=lambda row: row, size=size) == expected


def test_a_subclass_of_str_is_text() -> None:
    class Text(str):
        pass

    assert in_both_ways([Text('a')], dumps=lambda row: row) == b'a\n'


# --- chunks ---------------------------------------------------------------------------------------


def test_flush_and_delay() -> None:
    assert list(jsonl_encode([1, FLUSH, 2, 3])) == [b'1\n', b'2\n3\n']
    assert list(jsonl_encode(iter([1, 2]), max_delay=0)) == [b'1\n', b'2\n']
    assert asyncio.run(collect(ajsonl_encode(given_later([1, FLUSH, 2])))) == [b'1\n', b'2\n']

    def slow() -> Iterator[int]:
        yield 1
        time.sleep(0.05)
        yield 2
        yield 3

    assert list(jsonl_encode(slow(), max_delay=0.02)) == [b'1\n2\n', b'3\n']


def test_a_timer_sends_what_is_held() -> None:
    async def main() -> None:
        release = asyncio.Event()

        async def slow() -> AsyncIterator[int]:
            yield 1
            await release.wait()
            yield 2

        stream = ajsonl_encode(slow(), max_delay=0.01)
        assert await anext(stream) == b'1\n'
        release.set()
        assert await collect(stream) == [b'2\n']

    asyncio.run(main())


def test_a_cancelled_step_loses_nothing() -> None:
    async def slow() -> AsyncIterator[int]:
        for i in range(5):
            await asyncio.sleep(0.02)
            yield i

    async def main() -> list[bytes]:
        taken = []
        stream = ajsonl_encode(slow(), max_delay=0)
        while True:
            try:
                taken.append(await asyncio.wait_for(anext(stream), 0.005))
            except TimeoutError:
                continue
            except StopAsyncIteration:
                return taken

    assert asyncio.run(main()) == [b'%d\n' % i for i in range(5)]


# --- errors ---------------------------------------------------------------------------------------


def chunks_and_error(make: Callable[[], Any]) -> tuple[bytes, Exception]:
    chunks: list[bytes] = []
    stream = make()
    with pytest.raises(Exception) as caught:
        chunks.extend(stream)
    assert next(stream, 'ended') == 'ended'
    return b''.join(chunks), caught.value


@pytest.mark.parametrize(
    ('result', 'message'),
    [
        ('a\n', 'row 1: dumps() returned a line end within the line'),
        ('a\rb', 'row 1: dumps() returned a line end within the line'),
        (b'\na', 'row 1: dumps() returned a line end within the line'),
        ('é\n', 'row 1: dumps() returned a line end within the line'),
        (bytearray(b'a\n'), 'row 1: dumps() returned a line end within the line'),
        ('', 'row 1: dumps() returned nothing, which is no JSON'),
        (b'', 'row 1: dumps() returned nothing, which is no JSON'),
        ('\ud800', 'row 1: dumps() returned text that cannot be encoded as UTF-8'),
    ],
)
def test_a_result_that_is_no_line_is_an_error(result: Any, message: str) -> None:
    text, error = chunks_and_error(
        lambda: jsonl_encode([1, 2, 3], dumps=lambda row: result if row == 2 else 'x')
    )
    assert text == b'x\n'
    assert isinstance(error, DataError)
    assert str(error) == f'{message} (record 2)'
    assert error.record == 2


@pytest.mark.parametrize('result', [None, 3, ['a']])
def test_a_result_of_another_type_is_an_error(result: Any) -> None:
    text, error = chunks_and_error(
        lambda: jsonl_encode([1, 2], dumps=lambda row: result if row == 2 else 'x')
    )
    assert text == b'x\n'
    assert isinstance(error, TypeError)
    assert str(error).startswith('row 1: dumps() should return str or bytes-like, not ')


def test_what_dumps_raises_names_the_row() -> None:
    text, error = chunks_and_error(lambda: jsonl_encode([1, {1, 2}]))
    assert text == b'1\n'
    assert str(error) == 'Object of type set is not JSON serializable'
    assert error.__notes__ == ['while reading row 1']
    _, error = chunks_and_error(lambda: jsonl_encode([1.5, float('nan')]))
    assert isinstance(error, ValueError)


def test_stop_iteration_of_dumps_does_not_end_the_rows() -> None:
    def stop(row: Any) -> str:
        raise StopIteration

    text, error = chunks_and_error(lambda: jsonl_encode([1], dumps=stop))
    assert text == b''
    assert isinstance(error, RuntimeError)
    with pytest.raises(RuntimeError, match='raised StopIteration'):
        asyncio.run(collect(ajsonl_encode(given_later([1]), dumps=stop)))


def test_the_error_of_a_source_comes_after_the_lines_before_it() -> None:
    closed = []

    def rows() -> Iterator[int]:
        try:
            yield 1
            raise OSError('gone')
        finally:
            closed.append(True)

    text, error = chunks_and_error(lambda: jsonl_encode(rows()))
    assert text == b'1\n'
    assert str(error) == 'gone'
    assert closed == [True]


@pytest.mark.parametrize(
    ('rows', 'options', 'error', 'message'),
    [
        ('text', {}, TypeError, "rows must be an iterable of rows, not 'str'"),
        (b'text', {}, TypeError, "rows must be an iterable of rows, not 'bytes'"),
        ({}, {}, TypeError, "rows must be an iterable of rows, not 'dict'"),
        (3, {}, TypeError, 'not iterable'),
        ([], {'dumps': 3}, TypeError, "dumps must be a callable, not 'int'"),
        ([], {'size': 0}, ValueError, 'size must be at least 1'),
        ([], {'max_delay': -1}, ValueError, 'max_delay must be None or at least 0'),
    ],
)
def test_wrong_arguments(
    rows: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        jsonl_encode(rows, **options)


def test_async_rows_are_asked_for() -> None:
    with pytest.raises(TypeError, match='rows must be an async iterable of rows'):
        ajsonl_encode([1])  # type: ignore[arg-type]


def test_the_examples_run() -> None:
    for type_ in (jsonl_encode, ajsonl_encode):
        finder = doctest.DocTestFinder(recurse=False)
        for test in finder.find(type_, type_.__name__, globs={type_.__name__: type_}):
            assert test.examples
            assert doctest.DocTestRunner().run(test).failed == 0

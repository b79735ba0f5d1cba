"""``acsv_rows`` beside ``csv_rows``, of which it is the asynchronous face."""

from __future__ import annotations

import asyncio
import doctest
import gc
import sys
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, CSVRow, acsv_rows, csv_rows
from tests.chunks.test_async_faces import Failed, Upload, async_outcome, collect, outcome, source

pytestmark = pytest.mark.timeout(60)

TEXTS = st.text(alphabet='ab1,"\r\n é;', max_size=40)
OPTIONS = st.sampled_from(
    [
        {},
        {'into': tuple, 'header': True},
        {'into': dict},
        {'into': CSVRow},
        {'header': True, 'names': str.upper},
        {'columns': [0], 'types': {0: str}},
        {'strict': True},
        {'strict': True, 'on_error': 'skip'},
        {'delimiter': ';', 'skipinitialspace': True},
        {'max_field': 3},
        {'ragged': 'error', 'on_error': 'skip'},
    ]
)
COUNTERS = ('header', 'line_num', 'row_num', 'bytes_read', 'errors')


def cut(data: Any, places: list[int]) -> list[Any]:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def check(items: list[Any], pauses: set[int], options: dict[str, Any]) -> None:
    plain: list[Any] = []
    waiting: list[Any] = []

    def rows() -> Any:
        plain.append(csv_rows(iter(items), **options))
        return map(as_plain, plain[0])

    async def arows() -> AsyncIterator[Any]:
        waiting.append(acsv_rows(source(items, pauses), **options))
        async for row in waiting[0]:
            yield as_plain(row)

    assert async_outcome(arows) == outcome(rows)
    for name in COUNTERS:
        assert getattr(waiting[0], name) == getattr(plain[0], name)


def as_plain(row: Any) -> Any:
    return (row.keys(), tuple(row)) if isinstance(row, CSVRow) else row


@given(
    text=TEXTS,
    places=st.lists(st.integers(0, 45), max_size=8),
    pauses=st.sets(st.integers(0, 9)),
    options=OPTIONS,
)
def test_chunks_give_what_csv_rows_gives(
    text: str, places: list[int], pauses: set[int], options: dict[str, Any]
) -> None:
    check(cut(text.encode(), places), pauses, options)


@given(
    lines=st.lists(TEXTS, max_size=8),
    pauses=st.sets(st.integers(0, 9)),
    options=OPTIONS,
    items=st.sampled_from(['auto', 'lines', 'chunks']),
)
def test_lines_give_what_csv_rows_gives(
    lines: list[str], pauses: set[int], options: dict[str, Any], items: str
) -> None:
    check(lines, pauses, {**options, 'items': items})


@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'utf-16', 'shift_jis'])
def test_encodings(encoding: str) -> None:
    data = 'id,name\n1,\u00c9\n'.encode(encoding, 'replace')
    check([bytes([byte]) for byte in data], set(), {'encoding': encoding})


def test_an_empty_chunk_is_skipped() -> None:
    """Starlette's request.stream() ends with one."""
    rows = asyncio.run(collect(acsv_rows(source([b'', b'a,b\n1', b'', b',2\n', b'']))))
    assert rows == [['a', 'b'], ['1', '2']]


def test_an_upload_is_read() -> None:
    upload = Upload(b'id,name\n1,"Ann\na"\n2,Bob\n')
    assert asyncio.run(collect(acsv_rows(upload, into=dict))) == [
        {'id': '1', 'name': 'Ann\na'},
        {'id': '2', 'name': 'Bob'},
    ]
    assert set(upload.asked) == {128 * 1024}


def test_a_stream_reader_is_read() -> None:
    async def use() -> list[Any]:
        reader = asyncio.StreamReader(limit=16)  # too short for its own lines
        reader.feed_data(b'id,name\n1,' + b'x' * 100 + b'\n')
        reader.feed_eof()
        return await collect(acsv_rows(reader))

    assert asyncio.run(use()) == [['id', 'name'], ['1', 'x' * 100]]


def test_an_error_of_read_says_where() -> None:
    async def use() -> None:
        stream = acsv_rows(Upload(b'a,b\n1,2\n', Failed('gone')))
        assert [await anext(stream), await anext(stream)] == [['a', 'b'], ['1', '2']]
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading part 2 of the file']

    asyncio.run(use())


def test_the_header_comes_with_the_first_step() -> None:
    async def use() -> None:
        for step in ('aprime', '__anext__'):
            stream = acsv_rows(source([b'id,name\n1,Ann\n']), header=True)
            assert stream.header is None
            assert stream.total_bytes is None
            await getattr(stream, step)()
            assert stream.header == ('id', 'name')
        stream = acsv_rows(source([b'id,name\n']), header=True)
        assert await collect(stream) == []
        assert stream.header == ('id', 'name')
        empty = acsv_rows(source([]), header=True)
        assert await collect(empty) == []
        assert empty.header == ()

    asyncio.run(use())


def test_rows_of_a_type() -> None:
    class City(NamedTuple):
        name: str
        people: int

    data = [b'people,na', b'me\n7,Oslo\n']
    assert asyncio.run(collect(acsv_rows(source(data), into=City))) == [City('Oslo', 7)]


def test_a_bad_record_says_where() -> None:
    async def use() -> None:
        stream = acsv_rows(source([b'a,b\n1,2\n"3"x,4\n']), strict=True)
        assert [await anext(stream), await anext(stream)] == [['a', 'b'], ['1', '2']]
        with pytest.raises(CSVError) as caught:
            await anext(stream)
        assert (caught.value.record, caught.value.line) == (3, 3)
        assert await anext(stream, 'ended') == 'ended'

    asyncio.run(use())


def test_wrong_items_say_which() -> None:
    for items in ([b'a,b\n', 'c,d\n'], [5], ['a', None]):
        with pytest.raises(CSVError, match=f'item {len(items) - 1}'):
            asyncio.run(collect(acsv_rows(source(items))))


@pytest.mark.parametrize('bad', ['a path.csv', b'data', [b'chunk'], 5, None, iter([])])
def test_what_is_no_async_source(bad: Any) -> None:
    with pytest.raises(TypeError, match='source must be an async iterable of str or bytes'):
        acsv_rows(bad)


def test_arguments_are_those_of_csv_rows() -> None:
    for options, error in (
        ({'items': 'other'}, ValueError),
        ({'delimiter': 'ab'}, TypeError),
        ({'on_error': 5}, TypeError),
        ({'encoding': 'unknown'}, LookupError),
        ({'start': {}}, TypeError),
        ({'unknown': 1}, TypeError),
    ):
        with pytest.raises(error):
            acsv_rows(source([]), **options)
    with pytest.raises(TypeError, match='close_with_task'):
        csv_rows([], close_with_task=True)  # type: ignore[call-overload]


def test_the_source_is_closed() -> None:
    async def use() -> None:
        closed = []

        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b'a,b\n'
                    await asyncio.sleep(0)
            finally:
                await asyncio.sleep(0)
                closed.append(True)

        async with acsv_rows(chunks()) as rows:
            assert await anext(rows) == ['a', 'b']
        assert closed == [True]

        async def leave() -> None:
            async with acsv_rows(chunks()) as rows:
                async for _ in rows:
                    raise Failed

        with pytest.raises(Failed):
            await leave()
        assert closed == [True, True]

    asyncio.run(use())


def test_a_cancelled_step_loses_nothing() -> None:
    async def use() -> None:
        closed = []
        ready = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            try:
                yield b'a,b\n1,'
                await ready.wait()
                yield b'2\n'
            finally:
                closed.append(True)

        stream = acsv_rows(chunks())
        assert await anext(stream) == ['a', 'b']
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        assert closed == []
        ready.set()
        assert await anext(stream) == ['1', '2']
        assert await anext(stream, 'ended') == 'ended'
        assert closed == [True]

    asyncio.run(use())


def test_close_with_task() -> None:
    async def use() -> None:
        closed = asyncio.Event()

        async def chunks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b'a,b\n'
            finally:
                closed.set()

        stream = acsv_rows(chunks(), close_with_task=True)

        async def first() -> None:
            await anext(stream)

        await asyncio.create_task(first())
        await asyncio.wait_for(closed.wait(), 20)

    asyncio.run(use())


def test_a_long_chunk_does_not_starve_the_loop() -> None:
    async def use() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        async for _ in acsv_rows(source([b'a,b\n' * 100_000])):
            pass
        assert turns >= 5
        task.cancel()

    asyncio.run(use())


def test_nothing_leaks() -> None:
    chunk = b'id,name\n1,Ann\n' * 3

    async def use() -> None:
        await collect(acsv_rows(source([chunk] * 3, range(3)), into=CSVRow))
        async with acsv_rows(source([chunk])) as stream:
            await anext(stream)
        await acsv_rows(source([chunk])).aprime()

    for _ in range(3):
        asyncio.run(use())
    gc.collect()
    before = sys.getrefcount(chunk), sys.getrefcount(acsv_rows)
    for _ in range(20):
        asyncio.run(use())
    gc.collect()
    assert (sys.getrefcount(chunk), sys.getrefcount(acsv_rows)) == before


def test_the_docstring_runs() -> None:
    runner = doctest.DocTestRunner()
    globs = {'acsv_rows': acsv_rows}
    for test in doctest.DocTestFinder(recurse=False).find(acsv_rows, 'acsv_rows', globs=globs):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0

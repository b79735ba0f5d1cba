"""``acsv_encode`` beside ``csv_encode``, of which it is the asynchronous face."""

from __future__ import annotations

import asyncio
import csv
import doctest
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, CSVError, acsv_encode, csv_encode
from tests.chunks.test_async_faces import async_outcome, collect, outcome, source
from tests.csv.arrow_abi import numbers_and_texts

CELLS = st.one_of(
    st.text(max_size=6), st.integers(), st.floats(allow_nan=False), st.none(), st.just('a,"\n')
)
ROWS = st.one_of(
    st.lists(CELLS, max_size=4),
    st.lists(CELLS, max_size=4).map(tuple),
    st.dictionaries(st.sampled_from('abc'), CELLS, max_size=3),
    st.just(FLUSH),
    st.sampled_from(['a row that is text', 5]),
)
OPTIONS = st.sampled_from(
    [
        {},
        {'header': True},
        {'columns': ['a', 'b']},
        {'columns': ['a', 'b'], 'header': True, 'extra': 'ignore', 'missing': ''},
        {'header': ['x', 'y'], 'extra': 'ignore', 'missing': None},
        {'quoting': csv.QUOTE_ALL, 'delimiter': ';', 'lineterminator': '\n'},
        {'encoding': 'latin-1'},
        {'encoding': 'utf-16', 'bom': True, 'header': ['é']},
        {'escape_formulas': True, 'bom': True},
    ]
)


@given(
    rows=st.lists(ROWS, max_size=8),
    pauses=st.sets(st.integers(0, 8)),
    options=OPTIONS,
    size=st.integers(1, 60),
    max_delay=st.sampled_from([0, None, 3600]),
)
def test_it_gives_what_csv_encode_gives(
    rows: list[Any], pauses: set[int], options: dict[str, Any], size: int, max_delay: Any
) -> None:
    chosen = {**options, 'size': size, 'max_delay': max_delay}
    assert async_outcome(lambda: acsv_encode(source(rows, pauses), **chosen)) == outcome(
        lambda: csv_encode(iter(rows), **chosen)
    )


def test_lines_held_go_out_without_a_further_row() -> None:
    async def use() -> None:
        closed = []

        async def rows() -> AsyncIterator[list[int]]:
            try:
                yield [1, 2]
                yield [3, 4]
                await asyncio.sleep(3600)
            finally:
                closed.append(True)

        stream = acsv_encode(rows(), max_delay=0.02)
        start = time.monotonic()
        assert await anext(stream) == b'1,2\r\n3,4\r\n'
        assert time.monotonic() - start < 20
        assert stream.row_num == 2
        assert closed == []
        await stream.aclose()
        assert closed == [True]

    asyncio.run(use())


def test_an_error_comes_after_the_lines_before_it() -> None:
    async def use() -> None:
        stream = acsv_encode(source([{'a': 1}, {'b': 2}]), columns=['a'])
        assert await anext(stream) == b'1\r\n'
        with pytest.raises(CSVError, match='row 1'):
            await anext(stream)
        assert await anext(stream, 'ended') == 'ended'

    asyncio.run(use())


def test_close_with_task() -> None:
    async def use() -> None:
        closed = asyncio.Event()

        async def rows() -> AsyncIterator[list[int]]:
            try:
                while True:
                    yield [1]
            finally:
                closed.set()

        stream = acsv_encode(rows(), close_with_task=True)

        async def first() -> None:
            await anext(stream)

        await asyncio.create_task(first())
        await asyncio.wait_for(closed.wait(), 20)

    asyncio.run(use())


@pytest.mark.parametrize('bad', [[[1, 2]], 'text', b'', {'a': 1}, 5, iter([])])
def test_what_is_no_async_source_of_rows(bad: Any) -> None:
    with pytest.raises(TypeError, match='rows must be an'):
        acsv_encode(bad)


def test_arguments_are_those_of_csv_encode() -> None:
    for options, error in (
        ({'extra': 'other'}, ValueError),
        ({'columns': 'ab'}, TypeError),
        ({'size': 0}, ValueError),
        ({'delimiter': 'ab'}, TypeError),
        ({'encoding': 'unknown'}, LookupError),
        ({'unknown': 1}, TypeError),
    ):
        with pytest.raises(error):
            acsv_encode(source([]), **options)
    with pytest.raises(TypeError, match='close_with_task'):
        csv_encode([], close_with_task=True)  # type: ignore[call-overload]
    assert asyncio.run(collect(acsv_encode(source([])))) == []


def test_the_docstring_runs() -> None:
    runner = doctest.DocTestRunner()
    globs = {'acsv_encode': acsv_encode}
    for test in doctest.DocTestFinder(recurse=False).find(acsv_encode, 'acsv_encode', globs=globs):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


@pytest.mark.parametrize('size', [1, 16, 1 << 16])
def test_arrow_batches_in_pieces(size: int) -> None:
    batches = [numbers_and_texts(*(f'text {i}' for i in range(count))) for count in (300, 0, 5)]
    options: Any = {'size': size, 'max_delay': None}
    pieces = asyncio.run(collect(acsv_encode(source(batches), **options)))
    assert pieces == list(csv_encode(batches, **options))
    assert b''.join(pieces).count(b'\r\n') == 306

"""``acsv_batches`` beside ``csv_batches``, of which it is the asynchronous twin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVBatch, CSVError, acsv_batches, csv_batches
from tests.chunks.test_async_faces import Failed, Upload, async_outcome, collect, outcome, source

from .test_arows import COUNTERS, TEXTS, cut

pytestmark = pytest.mark.timeout(60)

OPTIONS = st.sampled_from(
    [
        {},
        {'header': False, 'ragged': 'pad'},
        {'header': False, 'types': {0: int}, 'on_error': 'skip', 'ragged': 'pad'},
        {'names': str.upper},
        {'columns': [0], 'types': {0: str}, 'rows': 1},
        {'strict': True},
        {'strict': True, 'on_error': 'skip'},
        {'delimiter': ';', 'skipinitialspace': True, 'rows': 2},
        {'max_field': 3},
    ]
)


def described(batch: CSVBatch) -> Any:
    return batch.__reduce__()[1]


def check(items: list[Any], pauses: set[int], options: dict[str, Any]) -> None:
    plain: list[Any] = []
    waiting: list[Any] = []

    def batches() -> Any:
        plain.append(csv_batches(iter(items), **options))
        return map(described, plain[0])

    async def abatches() -> AsyncIterator[Any]:
        waiting.append(acsv_batches(source(items, pauses), **options))
        async for batch in waiting[0]:
            yield described(batch)

    assert async_outcome(abatches) == outcome(batches)
    for name in COUNTERS:
        assert getattr(waiting[0], name) == getattr(plain[0], name)


@given(
    text=TEXTS,
    places=st.lists(st.integers(0, 45), max_size=8),
    pauses=st.sets(st.integers(0, 9)),
    options=OPTIONS,
)
def test_chunks_give_what_csv_batches_gives(
    text: str, places: list[int], pauses: set[int], options: dict[str, Any]
) -> None:
    check(cut(text.encode(), places), pauses, options)


@given(lines=st.lists(TEXTS, max_size=8), pauses=st.sets(st.integers(0, 9)), options=OPTIONS)
def test_lines_give_what_csv_batches_gives(
    lines: list[str], pauses: set[int], options: dict[str, Any]
) -> None:
    check(lines, pauses, options)


def test_an_upload_is_read() -> None:
    upload = Upload(b'id,name\n1,"Ann\na"\n2,Bob\n')
    (batch,) = asyncio.run(collect(acsv_batches(upload, types={'id': int})))
    assert memoryview(batch.column('id')).tolist() == [1, 2]
    assert set(upload.asked) == {128 * 1024}


def test_an_error_of_the_source_comes_after_the_rows_before_it() -> None:
    async def use() -> None:
        stream = acsv_batches(Upload(b'a,b\n1,2\n', Failed('gone')))
        assert len(await anext(stream)) == 1
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading part 2 of the file']
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    asyncio.run(use())


def test_a_bad_record_comes_after_the_rows_before_it() -> None:
    async def use() -> None:
        stream = acsv_batches(source([b'a\n1\n2\nx\n', b'3\n']), types={'a': int})
        assert len(await anext(stream)) == 2
        assert (stream.line_num, stream.row_num, stream.errors) == (3, 2, 0)
        with pytest.raises(CSVError) as caught:
            await anext(stream)
        assert (caught.value.record, stream.errors) == (4, 1)

    asyncio.run(use())


def test_the_header_comes_with_the_first_batch() -> None:
    async def use() -> None:
        for step in ('aprime', '__anext__'):
            stream = acsv_batches(source([b'id,name\n1,Ann\n']))
            assert stream.header is None
            assert stream.total_bytes is None
            await getattr(stream, step)()
            assert stream.header == ('id', 'name')
            await stream.aclose()

    asyncio.run(use())


def test_a_cancelled_step_loses_nothing() -> None:
    async def use() -> None:
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b'x\n1\n'
            await go_on.wait()
            yield b'2\n'

        stream = acsv_batches(slow(), types={'x': int})
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.01)
        go_on.set()
        (batch,) = [batch async for batch in stream]
        assert memoryview(batch.column(0)).tolist() == [1, 2]

    asyncio.run(use())


def test_a_stop_gives_the_records_that_are_complete() -> None:
    async def use() -> None:
        go_on = asyncio.Event()

        async def slow() -> AsyncIterator[bytes]:
            yield b'x\n1\n'
            await go_on.wait()
            yield b'2\n3'
            yield b'4\n'

        stream = acsv_batches(slow(), types={'x': int})
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        stream.stop()
        go_on.set()
        (batch,) = [batch async for batch in stream]
        assert memoryview(batch.column(0)).tolist() == [1, 2]

    asyncio.run(use())


def test_wrong_arguments() -> None:
    with pytest.raises(TypeError, match='an async iterable'):
        acsv_batches([b'x\n'])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='start'):
        acsv_batches(source([]), start={})  # type: ignore[call-arg]

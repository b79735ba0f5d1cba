"""What every stream tells of itself: counts, what it holds, and what it waits for."""

import asyncio
import inspect
import itertools
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

import generators
from generators import (
    AsyncStream,
    Stream,
    amap,
    amerge,
    csv_rows,
    map_threads,
    to_async,
    to_sync,
)
from native_generators import _native
from tests.isolated.catalogue import ASYNC_STAGES, SYNC_STAGES, Stage, item_of

SOON = 60  # seconds: what takes longer hangs
NAMES = ('items', 'held', 'held_bytes', 'running', 'errors', 'closed', 'waits_for')

all_sync = pytest.mark.parametrize('stage', SYNC_STAGES.values(), ids=lambda stage: stage.name)
all_async = pytest.mark.parametrize('stage', ASYNC_STAGES.values(), ids=lambda stage: stage.name)


class Failed(Exception):
    pass


def run(main: Any) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(SOON):
            return await main

    return asyncio.run(in_time())


def look(stream: Any) -> dict[str, Any]:
    return {name: getattr(stream, name) for name in NAMES}


def agen_state(stream: Any) -> Any:
    """As inspect.getasyncgenstate(), which came with 3.12."""
    return getattr(inspect, 'getasyncgenstate', lambda one: one.ag_state)(stream)


def numbers(stage: Stage, count: int, fails: bool = False) -> Iterator[Any]:
    for number in range(count):
        yield item_of(stage.takes or 'text', number)
    if fails:
        raise Failed


async def anumbers(stage: Stage, count: int, fails: bool = False) -> AsyncIterator[Any]:
    for item in numbers(stage, count, fails):
        await asyncio.sleep(0)
        yield item


# --- every type -----------------------------------------------------------------------------------


@all_sync
def test_a_sync_stream_from_begin_to_end(stage: Stage) -> None:
    stream = stage.over(numbers(stage, 4))
    assert inspect.getgeneratorstate(stream) == 'GEN_CREATED'
    assert look(stream) | {'held_bytes': None} == {
        'items': 0,
        'held': 0,
        'held_bytes': None,
        'running': 0,
        'errors': 0,
        'closed': False,
        'waits_for': None,
    }
    next(stream)
    assert (stream.items, stream.closed, stream.waits_for) == (1, False, 'consumer')
    assert inspect.getgeneratorstate(stream) == 'GEN_SUSPENDED'
    given = 1 + len(list(stream))
    assert (stream.items, stream.closed, stream.waits_for) == (given, True, None)
    assert (stream.held, stream.running, stream.errors) == (0, 0, 0)
    assert inspect.getgeneratorstate(stream) == 'GEN_CLOSED'
    assert stream.gi_frame is None


@all_async
def test_an_async_stream_from_begin_to_end(stage: Stage) -> None:
    async def main() -> None:
        stream = stage.over(anumbers(stage, 4))
        assert agen_state(stream) == 'AGEN_CREATED'
        assert look(stream) | {'held_bytes': None} == {
            'items': 0,
            'held': 0,
            'held_bytes': None,
            'running': 0,
            'errors': 0,
            'closed': False,
            'waits_for': None,
        }
        await anext(stream)
        assert (stream.items, stream.closed, stream.waits_for) == (1, False, 'consumer')
        assert agen_state(stream) == 'AGEN_SUSPENDED'
        given = 1 + len([item async for item in stream])
        assert (stream.items, stream.closed, stream.waits_for) == (given, True, None)
        assert (stream.held, stream.running, stream.errors) == (0, 0, 0)
        assert agen_state(stream) == 'AGEN_CLOSED'
        assert stream.ag_frame is None

    run(main())


@all_async
def test_a_step_that_waits_waits_for_the_source(stage: Stage) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def source() -> AsyncIterator[Any]:
            await go.wait()
            yield item_of(stage.takes or 'text', 0)

        stream = stage.over(source())
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.001)
        assert stream.waits_for == 'source'
        assert agen_state(stream) == 'AGEN_RUNNING'
        go.set()
        await step
        assert stream.waits_for == 'consumer'
        await stream.aclose()

    run(main())


@all_sync
def test_an_error_of_a_sync_stream_is_counted(stage: Stage) -> None:
    stream = stage.over(numbers(stage, 2, fails=True))
    with pytest.raises(Failed):
        list(stream)
    assert stream.closed
    if stage.name not in ('csv_rows', 'csv_batches', 'jsonl_rows'):  # they count records
        assert stream.errors == 1


@all_async
def test_an_error_of_an_async_stream_is_counted(stage: Stage) -> None:
    async def main() -> None:
        stream = stage.over(anumbers(stage, 2, fails=True))
        with pytest.raises(Failed):
            async for _ in stream:
                pass
        assert stream.closed
        if stage.name not in ('acsv_rows', 'acsv_batches', 'ajsonl_rows'):
            assert stream.errors == 1

    run(main())


@all_sync
def test_the_first_item_of_a_sync_stream_is_held_and_not_given(stage: Stage) -> None:
    stream = stage.over(numbers(stage, 4)).prime()
    assert (stream.items, stream.waits_for) == (0, 'consumer')
    assert stream.held >= 1
    next(stream)
    assert stream.items == 1
    stream.close()
    assert (stream.closed, stream.held) == (True, 0)


@all_async
def test_the_first_item_of_an_async_stream_is_held_and_not_given(stage: Stage) -> None:
    async def main() -> None:
        stream = await stage.over(anumbers(stage, 4)).aprime()
        assert (stream.items, stream.waits_for) == (0, 'consumer')
        assert stream.held >= 1
        await anext(stream)
        assert stream.items == 1
        await stream.aclose()
        assert (stream.closed, stream.held) == (True, 0)

    run(main())


@all_sync
def test_the_repr_of_a_sync_stream(stage: Stage) -> None:
    stream = stage.over(numbers(stage, 4))
    name = f'native_generators.{stage.name}'
    assert repr(stream) == f'<{name} of numbers: items=0, held=0, running=0, errors=0>'
    next(stream)
    assert 'items=1,' in repr(stream)
    assert repr(stream).endswith(', waits_for=consumer>')
    stream.close()
    assert repr(stream).endswith(', closed>')


@all_async
def test_the_repr_of_an_async_stream(stage: Stage) -> None:
    async def main() -> None:
        stream = stage.over(anumbers(stage, 4))
        assert repr(stream).startswith(f'<native_generators.{stage.name} of ')
        assert repr(stream).endswith(': items=0, held=0, running=0, errors=0>')
        await anext(stream)
        assert 'items=1,' in repr(stream)
        assert repr(stream).endswith(', waits_for=consumer>')
        await stream.aclose()
        assert repr(stream).endswith(', closed>')

    run(main())


@pytest.mark.parametrize('name', NAMES)
def test_they_are_read_from_any_thread_while_the_stream_runs(name: str) -> None:
    async def main() -> None:
        stream = amap(asyncio.sleep, itertools.repeat(0, 2000))
        done = threading.Event()
        seen = []

        def read() -> None:
            while not done.is_set():
                seen.append(getattr(stream, name))
                repr(stream)

        thread = threading.Thread(target=read)
        thread.start()
        async for _ in stream:
            pass
        done.set()
        await asyncio.to_thread(thread.join)
        assert stream.items == 2000

    run(main())


def streams() -> list[Any]:
    """All types of the extension that have the methods of a stream."""
    return [
        kind
        for name, kind in vars(_native).items()
        if isinstance(kind, type) and (hasattr(kind, 'prime') or hasattr(kind, 'aprime'))
    ]


def test_every_type_of_stream_has_all_attributes() -> None:
    found = streams()
    public = {kind.__name__ for kind in found if not kind.__name__.startswith('_')}
    assert public == {*ASYNC_STAGES, *SYNC_STAGES, 'to_sync', 'Stream', 'AsyncStream'}
    for kind in found:
        base = Stream if hasattr(kind, 'prime') else AsyncStream
        assert issubclass(kind, base)
        assert [name for name in NAMES if not hasattr(kind, name)] == []
        if kind is not base:
            assert kind.__repr__ is base.__repr__


def test_stream_and_async_stream_are_names_of_all_streams_alone() -> None:
    assert isinstance(csv_rows(b''), Stream)
    assert isinstance(to_async([]), AsyncStream)
    assert not isinstance(iter([]), Stream)
    assert not issubclass(Stream, AsyncStream)
    assert issubclass(Stream, Generator)
    assert issubclass(AsyncStream, AsyncGenerator)
    assert Stream[int].__origin__ is Stream
    for name in (Stream, AsyncStream):
        with pytest.raises(TypeError, match='cannot create'):
            name()


def test_no_type_has_a_length() -> None:
    for stage in SYNC_STAGES.values():
        assert not hasattr(stage.over(numbers(stage, 1)), '__len__')


# --- what is of one type --------------------------------------------------------------------------


def test_a_source_is_named(tmp_path: Path) -> None:
    path = tmp_path / 'rows.csv'
    path.touch()

    class Rows(list[Any]):
        pass

    def lines() -> Iterator[str]:
        yield ''

    assert f'csv_rows of {path}:' in repr(csv_rows(str(path)))
    assert '.lines: ' in repr(csv_rows(lines()))
    assert 'map_threads of list_iterator:' in repr(map_threads(str, []))
    assert 'to_async of Rows:' in repr(to_async(Rows()))
    assert 'to_sync of to_async:' in repr(to_sync(to_async([])))


def test_calls_of_amap() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def call(number: int) -> int:
            if number:
                await go.wait()
            if number == 2:
                raise Failed
            return number

        stream = amap(call, range(4), concurrency=4, return_exceptions=True)
        assert await anext(stream) == 0
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.001)
        assert (stream.running, stream.held, stream.waits_for) == (3, 0, 'source')
        go.set()
        await step
        assert (stream.running, stream.held, stream.errors) == (0, 2, 1)
        assert len([item async for item in stream]) == 2
        assert stream.errors == 1

    run(main())


def test_calls_that_are_cancelled_at_the_end_are_no_errors() -> None:
    async def main() -> None:
        async def call(number: int) -> int:
            if number:
                await asyncio.sleep(SOON)
            return number

        stream = amap(call, range(4))
        await anext(stream)
        await stream.aclose()
        assert stream.errors == 0

    run(main())


def test_calls_of_map_threads() -> None:
    go = threading.Event()

    def call(number: int) -> int:
        if number == 1:
            raise Failed
        if number > 1:
            assert go.wait(SOON)
        return number

    stream = map_threads(call, range(4), concurrency=4, return_exceptions=True)
    assert next(stream) == 0
    next(stream)
    assert stream.errors == 1
    assert stream.running == 2
    go.set()
    assert list(stream) == [2, 3]
    assert stream.running == 0


def test_what_amerge_holds() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2

    async def main() -> None:
        stream = amerge(source(), source(), source())
        await anext(stream)
        await asyncio.sleep(0)
        assert stream.held >= 2
        await stream.aclose()

    run(main())


def test_what_a_bridge_holds() -> None:
    async def main() -> None:
        stream = to_async(['abcd'] * 6, buffersize=10)
        assert stream.held_bytes == 0
        await anext(stream)
        while stream.held < 5:
            await asyncio.sleep(0.001)
        assert stream.held_bytes == 5 * (64 + 4)
        await stream.aclose()
        assert stream.held_bytes is None

    run(main())
    back = to_sync(to_async(['abcd'] * 6), buffersize=10)
    assert back.held_bytes == 0
    next(back)
    while back.held < 5:
        pass
    assert back.held_bytes == 5 * (64 + 4)
    back.close()


def test_what_chunks_hold() -> None:
    async def pieces() -> AsyncIterator[str]:
        yield 'abcdef'
        await asyncio.sleep(SOON)

    async def main() -> None:
        stream = generators.achunked(pieces(), 4, max_delay=None)
        await anext(stream)
        assert (stream.held, stream.held_bytes) == (1, 2)
        await stream.aclose()

    run(main())


def test_what_a_batch_holds() -> None:
    async def items() -> AsyncIterator[int]:
        for number in range(3):
            yield number
        await asyncio.sleep(SOON)

    async def main() -> None:
        stream = generators.abatched(items(), 10)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.001)
        assert (stream.held, stream.held_bytes) == (3, None)
        await stream.aclose()
        await asyncio.wait([step])

    run(main())


def test_the_stack_of_a_task_that_waits_in_a_call() -> None:
    async def inner(number: int) -> None:
        await asyncio.sleep(SOON)

    async def main() -> None:
        stream = amap(inner, range(1))
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.001)
        names = {frame.f_code.co_name for task in asyncio.all_tasks() for frame in task.get_stack()}
        assert 'inner' in names
        await stream.aclose()
        await asyncio.wait([step])

    run(main())

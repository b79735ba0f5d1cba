"""The coroutines that the package makes for its own tasks, as a debugger or a loop sees them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from operator import methodcaller
from typing import Any

import pytest

from generators import achunked, acsv_batches, acsv_rows, alines, amap, amerge, to_sync

METHODS: dict[str, Callable[[Any], Any]] = {
    'send': lambda coroutine: coroutine.send(None),
    'next': next,
    'throw': lambda coroutine: coroutine.throw(KeyError()),
}


class Failed(Exception):
    pass


def own() -> Any:
    """The coroutine of the task that this runs in, if it is one of the package's."""
    task = asyncio.current_task()
    assert task is not None
    coroutine = task.get_coro()
    return coroutine if type(coroutine).__module__ == 'native_generators._native' else None


async def source(seen: list[Any]) -> AsyncIterator[int]:
    coroutine = own()
    if coroutine is not None:
        seen.append(coroutine)
        for use in (*METHODS.values(), methodcaller('close')):
            with pytest.raises(ValueError, match='coroutine already executing'):
                use(coroutine)
    await asyncio.sleep(0)
    yield 1


async def of_amap(seen: list[Any]) -> None:
    async def call(x: int) -> int:
        return sum([y async for y in source(seen)]) + x

    assert [x async for x in amap(call, source(seen))] == [2]


async def of_amerge(seen: list[Any]) -> None:
    assert [x async for x in amerge(source(seen), source(seen))] == [1, 1]


async def of_to_sync(seen: list[Any]) -> None:
    stream = to_sync(source(seen), loop=asyncio.get_running_loop())
    assert await asyncio.to_thread(list, stream) == [1]


@pytest.mark.parametrize('use', METHODS)
@pytest.mark.parametrize('run', [of_amap, of_amerge, of_to_sync])
def test_they_are_stepped_by_their_task_alone(run: Callable[..., Any], use: str) -> None:
    seen: list[Any] = []
    asyncio.run(run(seen))
    assert seen
    for coroutine in seen:
        with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
            METHODS[use](coroutine)
        assert coroutine.close() is None


def test_a_source_whose_coroutine_is_closed_is_an_error_of_its_reader() -> None:
    async def endless(closing: asyncio.Event) -> AsyncIterator[int]:
        loop, coroutine = asyncio.get_running_loop(), own()
        yield 1
        loop.call_soon(coroutine.close)
        closing.set()
        await asyncio.sleep(3600)

    async def main() -> None:
        stream = to_sync(endless(asyncio.Event()), loop=asyncio.get_running_loop(), buffersize=0)
        assert await asyncio.to_thread(next, stream) == 1
        with pytest.raises(RuntimeError, match='the task of the source was closed'):
            await asyncio.to_thread(next, stream)

    asyncio.run(main())


# --- a step that waits for the source -------------------------------------------------------------

STREAMS = {
    'achunked': lambda source: achunked(source, max_delay=0.001),
    'acsv_batches': acsv_batches,
    'acsv_rows': acsv_rows,
    'alines': alines,
}


@pytest.fixture(params=STREAMS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return STREAMS[request.param]


async def waiting(log: list[str]) -> AsyncIterator[bytes]:
    try:
        yield b'1'
        await asyncio.sleep(3600)
    except Failed:
        log.append('failed')
        raise
    finally:
        log.append('closed')


def begun(stream: Any) -> Any:
    """A step of it that waits, its task held still."""
    return begun_by(anext(stream))


def begun_by(step: Any) -> Any:
    while step.send(None) is None:  # a turn of the loop's, where the machine is slow
        pass
    return step


def test_a_step_that_is_closed_leaves_its_source_alone(make: Callable[..., Any]) -> None:
    async def main() -> None:
        log: list[str] = []
        stream = make(waiting(log))
        begun(stream).close()
        assert log == []
        await stream.aclose()
        assert log == ['closed']

    asyncio.run(main())


def test_what_is_thrown_into_a_step_is_raised_by_it_alone(make: Callable[..., Any]) -> None:
    async def main() -> None:
        log: list[str] = []
        stream = make(waiting(log))
        step = begun(stream)
        with pytest.raises(Failed):
            step.throw(Failed())
        assert log == []
        with pytest.raises(RuntimeError, match='cannot reuse already awaited'):
            step.send(None)
        await stream.aclose()
        assert log == ['closed']

    asyncio.run(main())


def test_a_coroutine_that_is_new_takes_no_value(make: Callable[..., Any]) -> None:
    closing = make(waiting([])).aclose()
    with pytest.raises(RuntimeError, match="can't send non-None value to a just-started coroutine"):
        closing.send(1)


def test_the_iterator_of_a_step_throws_and_closes(make: Callable[..., Any]) -> None:
    async def main() -> None:
        log: list[str] = []
        stream = make(waiting(log))
        iterator = begun_by(stream.__anext__().__await__())
        with pytest.raises(Failed):
            iterator.throw(Failed())
        iterator = begun_by(stream.__anext__().__await__())
        iterator.close()
        with pytest.raises(RuntimeError, match='cannot reuse already awaited'):
            next(iterator)
        assert log == []
        await stream.aclose()
        assert log == ['closed']

    asyncio.run(main())

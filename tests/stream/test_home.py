"""What a task that reads an async source refuses to wait for, and where the source may be read."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Generator
from typing import Any

import pytest

from generators import abatched, achunked, acsv_rows, alines

MAKE: dict[str, Callable[[Any], Any]] = {
    'abatched': lambda source: abatched(source, 2),
    'achunked': lambda source: achunked(source, 2),
    'acsv_rows': lambda source: acsv_rows(source),
    'alines': lambda source: alines(source),
}


class Yields:
    """An awaitable that gives the task something of one's choice."""

    def __init__(self, given: Any) -> None:
        self.given = given

    def __await__(self) -> Generator[Any, Any, None]:
        yield self.given


class Unfinished(asyncio.Future[None]):
    """A future whose `add_done_callback()` fails."""

    def add_done_callback(self, *args: Any, **kwargs: Any) -> None:
        raise LookupError('no callbacks')


class Homeless(asyncio.Future[None]):
    def get_loop(self) -> Any:
        raise LookupError('no loop')


def other_loop(_: Any) -> Any:
    loop = asyncio.new_event_loop()
    loop.close()
    future: asyncio.Future[None] = asyncio.Future(loop=loop)
    return future


def awaited(future: Any) -> Any:
    """As `yield from future` leaves it."""
    future._asyncio_future_blocking = True
    return future


GIVEN: dict[str, tuple[Callable[[Any], Any], type[Exception], str]] = {
    'no future': (lambda loop: object(), RuntimeError, 'Task got bad yield: <object'),
    'a future that nobody awaits': (
        lambda loop: asyncio.Future(loop=loop),
        RuntimeError,
        'Task got bad yield: <Future',
    ),
    'a future of another loop': (
        lambda loop: awaited(other_loop(loop)),
        RuntimeError,
        'attached to a different loop',
    ),
    'a future without a loop': (lambda loop: awaited(Homeless()), LookupError, 'no loop'),
    'a future without callbacks': (lambda loop: awaited(Unfinished()), LookupError, 'no callbacks'),
    'its own task': (
        lambda loop: awaited(asyncio.current_task()),
        RuntimeError,
        'Task cannot await on itself',
    ),
}


@pytest.mark.parametrize('given', GIVEN)
@pytest.mark.parametrize('name', MAKE)
def test_a_source_is_told_what_its_task_cannot_wait_for(name: str, given: str) -> None:
    make_given, error, text = GIVEN[given]
    raised: list[BaseException] = []

    async def source() -> AsyncIterator[Any]:
        if given == 'its own task':
            await asyncio.sleep(0)  # in the task that reads it
        try:
            await Yields(make_given(asyncio.get_running_loop()))
        except Exception as failed:
            raised.append(failed)
            raise
        yield b'a\n'

    async def main() -> None:
        with pytest.raises(error, match=text):
            async for _ in MAKE[name](source()):
                pass

    asyncio.run(main())
    assert len(raised) == 1


async def endless() -> AsyncIterator[bytes]:
    while True:
        await asyncio.sleep(0)
        yield b'a\n'


def in_thread(run: Callable[[], Any]) -> Any:
    came: list[Any] = []

    def call() -> None:
        try:
            came.append(run())
        except BaseException as error:
            came.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(30)
    assert not thread.is_alive()
    return came[0]


@pytest.mark.parametrize('name', MAKE)
def test_a_loop_of_another_thread_is_refused(name: str) -> None:
    async def step(stream: Any) -> Any:
        return await anext(stream)

    async def main() -> None:
        stream = MAKE[name](endless())
        await anext(stream)
        refused = in_thread(lambda: asyncio.run(step(stream)))
        assert isinstance(refused, RuntimeError)
        assert 'belongs to another event loop' in str(refused)

    asyncio.run(main())


@pytest.mark.parametrize('name', MAKE)
def test_a_loop_may_go_on_in_another_thread(name: str) -> None:
    loop = asyncio.new_event_loop()
    try:

        async def begin() -> Any:
            stream = MAKE[name](endless())
            return stream, await anext(stream)

        async def go_on() -> Any:
            return await anext(stream)

        stream, first = loop.run_until_complete(begin())
        assert in_thread(lambda: loop.run_until_complete(go_on())) == first
        loop.run_until_complete(stream.aclose())
    finally:
        loop.close()

"""``Dispatcher.wait_for`` and ``emit_threadsafe``."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from generators import Dispatcher, Event

Log = list[Any]


class Failed(Exception):
    """What a handler of these tests raises."""


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main()

    return asyncio.run(bounded())


def test_next_event_is_returned() -> None:
    async def main() -> None:
        d = Dispatcher()
        task = asyncio.create_task(d.wait_for('x'))
        assert d.emit('y', 0) is False
        assert d.emit('x', 1) is True
        assert d.emit('x', 2) is False
        assert await task == 1

    run(main)


def test_events_count_from_the_call_on() -> None:
    async def main() -> None:
        d = Dispatcher()
        answer = d.wait_for('answer')
        d.on('ask', lambda data: d.emit('answer', 2 * data))
        d.emit('ask', 21)
        assert await answer == 42

    run(main)


def test_where_chooses_the_event() -> None:
    async def main() -> None:
        d = Dispatcher()
        answer = d.wait_for('x', where=lambda data: data > 1)
        for n in range(4):
            await d.aemit('x', n)
        assert await answer == 2

    run(main)


def test_type_none_waits_for_any_event() -> None:
    async def main() -> None:
        d = Dispatcher()
        answer = d.wait_for(None, where=lambda event: event.data)
        d.emit('x', 0)
        d.emit('y', 1)
        assert await answer == Event('y', 1)

    run(main)


def test_none_is_data() -> None:
    async def main() -> None:
        d = Dispatcher()
        answer = d.wait_for('x')
        d.emit('x')
        assert await answer is None

    run(main)


def test_failure_of_where_is_raised_by_the_wait_alone() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        d.on('error', log.append)

        def where(data: Any) -> bool:
            raise Failed(data)

        answer = d.wait_for('x', where=where)
        assert d.emit('x', 1) is True
        with pytest.raises(Failed):
            await answer
        assert log == []
        assert d.emit('x') is False

    run(main)


@pytest.mark.parametrize('stop', [StopIteration, StopAsyncIteration])
def test_stop_iteration_of_where_is_a_runtime_error(stop: type[Exception]) -> None:
    async def main() -> None:
        d = Dispatcher()

        def where(data: Any) -> bool:
            raise stop

        answer = d.wait_for('x', where=where)
        d.emit('x')
        with pytest.raises(RuntimeError, match=f'where raised {stop.__name__}'):
            await answer

    run(main)


def test_interrupt_in_where_is_raised_by_the_dispatch() -> None:
    async def main() -> None:
        d = Dispatcher()

        def where(data: Any) -> bool:
            raise KeyboardInterrupt

        answer = d.wait_for('x', where=where)
        with pytest.raises(KeyboardInterrupt):
            d.emit('x')
        answer.close()

    run(main)


def test_where_that_is_async_is_refused() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def where(data: Any) -> bool:
            return True

        answer = d.wait_for('x', where=where)
        d.emit('x')
        with pytest.raises(TypeError, match='where must be a plain function'):
            await answer

    run(main)


def test_timeout() -> None:
    async def main() -> None:
        d = Dispatcher()
        with pytest.raises(TimeoutError, match="no event of type 'x' came in time"):
            await d.wait_for('x', timeout=0.001)
        with pytest.raises(TimeoutError):
            await d.wait_for('x', timeout=-1)
        assert d.emit('x') is False
        answer = d.wait_for('x', timeout=10)
        d.emit('x', 1)
        assert await answer == 1

    run(main)


def test_wait_that_is_cancelled_leaves_nothing() -> None:
    async def main() -> None:
        d = Dispatcher()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await d.wait_for('x', timeout=100)
        assert d.emit('x') is False

    run(main)


def test_wait_that_is_dropped_leaves_nothing_and_is_told() -> None:
    d = Dispatcher()
    with pytest.warns(RuntimeWarning, match=r"'Dispatcher\.wait_for' was never awaited"):
        del [d.wait_for('x')][0]
    assert d.emit('x') is False
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        d.wait_for('x').close()


def test_closing_ends_the_wait() -> None:
    async def main() -> None:
        d = Dispatcher()
        task = asyncio.create_task(d.wait_for('x'))
        await asyncio.sleep(0)
        d.close()
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            await task
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            await d.wait_for('x')

    run(main)


def test_wait_is_no_handler_that_is_listed_or_removed() -> None:
    async def main() -> None:
        d = Dispatcher()
        answer = d.wait_for('x')
        assert (d.handlers(), d.handlers('x'), d.types) == ((), (), ())
        assert d.off('x', None) is False  # type: ignore[arg-type]
        d.emit('x', 1)
        assert await answer == 1

    run(main)


def test_waiting_in_a_handler_of_the_same_dispatcher_is_refused() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle(data: Any) -> None:
            await d.wait_for('y')

        async def handle_in_a_task(data: Any) -> None:
            async with asyncio.TaskGroup() as group:
                group.create_task(handle(data))

        d.on('x', handle)
        with pytest.raises(RuntimeError, match='would wait for ever'):
            await d.aemit('x')
        d.on('z', handle_in_a_task)
        with pytest.raises(ExceptionGroup):
            await d.aemit('z')

    run(main)


def test_waiting_in_a_handler_of_another_dispatcher_is_not() -> None:
    async def main() -> None:
        d, other, log = Dispatcher(), Dispatcher(), Log()

        async def handle(data: Any) -> None:
            log.append(await other.wait_for('y'))

        d.on('x', handle)
        task = asyncio.create_task(d.aemit('x'))
        await asyncio.sleep(0)
        other.emit('y', 1)
        await task
        assert log == [1]

    run(main)


def test_background_handler_may_wait_for_another_event() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            log.append(await d.wait_for('y'))

        d.on('x', handle, background=True)
        await d.aemit('x')
        while not d.emit('y', 1):
            await asyncio.sleep(0)
        await d.aclose()
        assert log == [1]

    run(main)


def test_event_of_another_thread_ends_the_wait() -> None:
    async def main() -> None:
        d = Dispatcher()
        task = asyncio.create_task(d.wait_for('x'))
        await asyncio.sleep(0)
        await asyncio.to_thread(d.emit, 'x', 1)
        assert await task == 1

    run(main)


def test_wait_needs_a_loop() -> None:
    d = Dispatcher()
    with pytest.raises(RuntimeError, match=r'wait_for\(\) needs a running asyncio event loop'):
        d.wait_for('x').send(None)


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'where': 5}, TypeError, "where must be a function or None, not 'int'"),
        ({'timeout': '5'}, TypeError, "timeout must be a number of seconds or None, not '5'"),
        ({'timeout': float('nan')}, ValueError, 'timeout must not be NaN'),
        ({'timeout': 10**400}, OverflowError, 'too large'),
    ],
)
def test_arguments_that_are_wrong(options: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        Dispatcher().wait_for('x', **options)
    with pytest.raises(TypeError, match='unhashable'):
        Dispatcher().wait_for([])  # type: ignore[call-overload]


# ---- emit_threadsafe ----


def test_event_of_another_thread_goes_to_async_handlers() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await asyncio.sleep(0)
            log.append((data, threading.current_thread() is threading.main_thread()))

        d.on('x', handle)

        def emit() -> tuple[bool, bool]:
            return (
                d.emit_threadsafe('x', 1).result(10),
                d.emit_threadsafe('unknown').result(10),
            )

        assert await asyncio.to_thread(emit) == (True, False)
        assert log == [(1, True)]
        await d.aclose()

    run(main)


def test_events_of_one_thread_keep_their_order() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        d.on('x', handle)

        def emit() -> None:
            for future in [d.emit_threadsafe('x', n) for n in range(20)]:
                future.result(10)

        await asyncio.to_thread(emit)
        assert log == [*range(20)]

    run(main)


def test_failure_reaches_the_thread() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle(data: Any) -> None:
            raise Failed(data)

        d.on('x', handle)

        def emit() -> BaseException | None:
            return d.emit_threadsafe('x', 1).exception(10)

        assert repr(await asyncio.to_thread(emit)) == 'Failed(1)'

    run(main)


def test_emit_threadsafe_needs_a_loop() -> None:
    d = Dispatcher()
    with pytest.raises(RuntimeError, match='enter `async with dispatcher` first'):
        d.emit_threadsafe('x')

    async def main() -> None:
        async with d:
            pass

    async def enter() -> None:
        await d.__aenter__()

    run(enter)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(RuntimeError, match='Event loop is closed'):
            d.emit_threadsafe('x')
        gc.collect()
    run(main)
    with pytest.raises(RuntimeError, match='the dispatcher is closed'):
        d.emit_threadsafe('x')
    with pytest.raises(TypeError, match='expected 1 or 2 arguments, got 0'):
        d.emit_threadsafe()  # type: ignore[call-arg]

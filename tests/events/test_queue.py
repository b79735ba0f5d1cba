"""Events that were queued: what runs them, and who is told of their failures."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

import pytest

from generators import Dispatcher, ErrorEvent, Event

Log = list[Any]


class Failed(Exception):
    """What a handler of these tests raises."""


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> list[dict[str, Any]]:
    """Run it, with a timeout, and return what the loop's exception handler was told."""
    told: list[dict[str, Any]] = []

    async def bounded() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        async with asyncio.timeout(60):
            await main()

    asyncio.run(bounded())
    return told


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def failing(data: Any) -> None:
    raise Failed(data)


class Gate:
    """An async handler that emits, tells that it was reached, and stays there."""

    def __init__(self, d: Dispatcher, *types: str) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.d, self.types = d, types

    async def __call__(self, data: Any) -> None:
        for type in self.types:
            await self.d.aemit(type, data)  # queued, as by emit()
        self.reached.set()
        await self.opened.wait()

    async def cancelled(self, call: Coroutine[Any, Any, Any]) -> None:
        """Cancel the call when it has reached the handler."""
        task = asyncio.ensure_future(call)
        await self.reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


# ---- what was queued is run ----


def test_event_queued_in_a_dispatch_that_is_cancelled_is_run() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued', 'queued')
        d.on('message', gate)
        d.on('queued', seen.append)
        await gate.cancelled(d.aemit('message', 1))
        await turns()
        assert seen == [1, 1]  # without another dispatch
        assert d.emit('queued', 2)
        assert seen == [1, 1, 2]

    assert run(main) == []


def test_event_queued_is_run_before_another_dispatch() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued')
        d.on('message', gate)

        async def slow(data: Any) -> None:
            await asyncio.sleep(0)
            seen.append(data)

        d.on('queued', slow)
        waiting = asyncio.ensure_future(d.aemit('message', 0))
        await gate.reached.wait()
        other = asyncio.ensure_future(d.aemit('queued', 'other'))
        await turns()
        waiting.cancel()
        await other
        assert seen == [0, 'other']
        with contextlib.suppress(asyncio.CancelledError):
            await waiting

    assert run(main) == []


def test_sync_emit_while_the_queue_goes_on_is_queued_behind() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued')
        d.on('message', gate)

        async def slow(data: Any) -> None:
            await asyncio.sleep(0)
            seen.append(data)

        d.on('queued', slow)
        d.on('plain', seen.append)
        await gate.cancelled(d.aemit('message', 1))
        assert d.emit('plain', 2)
        assert seen == []
        await turns()
        assert seen == [1, 2]

    assert run(main) == []


def test_queue_that_is_cancelled_too_goes_on_with_the_next_event() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()
        gate, second = Gate(d, 'second', 'queued'), Gate(d)
        d.on('message', gate)
        d.on('second', second)
        d.on('queued', seen.append)
        await gate.cancelled(d.aemit('message', 1))
        await second.reached.wait()
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()
        await turns()
        assert seen == [1]
        assert task.cancelled()

    assert run(main) == []


def test_queue_whose_task_is_cancelled_before_it_began_is_run() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()

        async def cancels(data: Any) -> None:
            d.emit('queued', data)
            await asyncio.Event().wait()

        d.on('message', cancels)
        d.on('queued', seen.append)
        call = d.aemit('message', 1)
        call.send(None)
        with pytest.raises(asyncio.CancelledError):
            call.throw(asyncio.CancelledError)
        (task,) = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()
        await turns()
        assert seen == [1]

    assert run(main) == []


def test_queue_of_a_loop_that_ends_is_run_by_the_next_dispatch() -> None:
    d, seen = Dispatcher(), Log()

    async def waits(data: Any) -> None:
        d.emit('queued', data)
        await asyncio.Event().wait()

    d.on('message', waits)
    d.on('queued', seen.append)
    loop = asyncio.new_event_loop()
    asyncio._set_running_loop(loop)  # it never runs what is cancelled here
    try:
        call = d.aemit('message', 1)
        call.send(None)
        with pytest.raises(asyncio.CancelledError):
            call.throw(asyncio.CancelledError)
    finally:
        asyncio._set_running_loop(None)
    d.emit('queued', 2)
    assert seen == []  # behind what is queued
    loop.set_exception_handler(lambda loop, context: None)  # the task is destroyed
    loop.close()
    del loop, call
    gc.collect()
    d.emit('queued', 3)
    assert seen == [1, 2, 3]


def test_sync_dispatch_that_is_interrupted_beside_a_loop_has_its_queue_run() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()

        class Interrupted(BaseException):
            pass

        def handler(data: Any) -> None:
            d.emit('queued', data)
            raise Interrupted

        d.on('message', handler)
        d.on('queued', seen.append)
        with pytest.raises(Interrupted):
            d.emit('message', 1)
        await turns()
        assert seen == [1]

    assert run(main) == []


def test_close_behind_a_queue_that_is_handed_over_waits_for_it() -> None:
    seen = Log()

    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued')
        d.on('message', gate)
        d.on('queued', seen.append)

        def generator() -> Generator[None, Any, None]:
            try:
                while True:
                    yield
            finally:
                seen.append('closed')

        d.on('other', generator)
        task = asyncio.ensure_future(d.aemit('message', 1))
        await gate.reached.wait()
        d.close()
        task.cancel()
        await d.aclose()
        assert seen == [1, 'closed']
        with contextlib.suppress(asyncio.CancelledError):
            await task

    assert run(main) == []


# ---- failures ----


def test_failure_of_a_queued_event_is_not_raised_in_the_call_beside_which_it_was_queued() -> None:
    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d)
        d.on('message', gate)
        d.on('queued', failing)
        call = asyncio.ensure_future(d.aemit('message', 1))
        await gate.reached.wait()
        assert d.emit('queued', 2)
        gate.opened.set()
        assert await call is True

    (told,) = run(main)
    assert isinstance(told['exception'], Failed)
    assert told['event'] == Event('queued', 2)
    assert told['handler'] is failing
    assert 'queued event' in told['message']


def test_failure_of_a_queued_event_goes_to_the_error_handlers() -> None:
    seen: list[ErrorEvent] = []

    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued')
        d.on('message', gate)
        d.on('queued', failing)
        d.on('error', seen.append)
        await gate.cancelled(d.aemit('message', 1))
        await turns()

    assert run(main) == []
    assert [each.event for each in seen] == [Event('queued', 1)]


def test_failure_of_an_error_handler_for_a_queued_event_is_told_to_the_loop() -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('message', lambda _: d.emit('queued', 1))
        d.on('queued', failing)
        d.on('error', lambda error: failing('error'))
        assert await d.aemit('message') is True

    (told,) = run(main)
    assert told['exception'].args == ('error',)


def test_failure_of_the_event_of_a_call_is_raised_there_all_the_same() -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('message', lambda _: d.emit('queued', 1))
        d.on('message', failing)
        d.on('queued', failing)
        with pytest.raises(Failed, match='own'):
            await d.aemit('message', 'own')

    (told,) = run(main)
    assert told['exception'].args == (1,)


def test_queued_event_without_a_loop_raises_in_the_dispatch_that_runs_it() -> None:
    d = Dispatcher()
    d.on('message', lambda _: d.emit('queued', 1))
    d.on('queued', failing)
    with pytest.raises(Failed):
        d.emit('message')


def test_queued_event_that_waits_for_what_was_cancelled_does_not_cancel_the_call() -> None:
    async def main() -> None:
        d = Dispatcher()
        future = asyncio.get_running_loop().create_future()
        future.cancel()

        async def waits(data: Any) -> None:
            await future

        async def emits(data: Any) -> None:
            await d.aemit('queued', 1)

        d.on('message', emits)
        d.on('queued', waits)
        assert await d.aemit('message') is True

    (told,) = run(main)
    assert isinstance(told['exception'], asyncio.CancelledError)


def test_exception_handler_of_the_loop_that_interrupts_is_heard() -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('message', lambda _: d.emit('queued', 1))
        d.on('queued', failing)

        def interrupts(loop: Any, context: Any) -> None:
            raise KeyboardInterrupt

        asyncio.get_running_loop().set_exception_handler(interrupts)
        with pytest.raises(KeyboardInterrupt):
            await d.aemit('message')

    run(main)


def test_failure_to_close_behind_a_queue_is_told_to_the_loop() -> None:
    async def main() -> None:
        d = Dispatcher()
        gate = Gate(d, 'queued')

        async def agen() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    yield
            finally:
                raise Failed('closing')

        d.on('message', gate)
        d.on('queued', agen)
        task = asyncio.ensure_future(d.aemit('message', 1))
        await gate.reached.wait()
        task.cancel()
        closing = asyncio.ensure_future(d.aclose())
        with contextlib.suppress(asyncio.CancelledError):
            await task
        with contextlib.suppress(BaseExceptionGroup):
            await closing
        assert d.closed

    run(main)


# ---- calls that are closed ----


def test_call_whose_handler_ignores_being_closed_lets_the_dispatcher_go() -> None:
    d, seen = Dispatcher(), Log()

    async def stubborn(data: Any) -> None:
        try:
            await asyncio.sleep(0)
        except GeneratorExit:
            await asyncio.sleep(0)

    d.on('message', stubborn)
    d.on('message', seen.append)
    call = d.aemit('message', 1)
    call.send(None)
    with pytest.raises(RuntimeError, match='ignored GeneratorExit'):
        call.close()
    d.on('other', seen.append)
    assert d.emit('other', 2)
    assert seen == [2]


def test_default_report_of_a_queued_failure_names_event_and_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('message', lambda _: d.emit('queued', 1))
        d.on('queued', failing)
        await d.aemit('message')

    with caplog.at_level(logging.ERROR, 'asyncio'):
        asyncio.run(main())
    assert "event: Event(type='queued', data=1)" in caplog.text
    assert 'failing' in caplog.text

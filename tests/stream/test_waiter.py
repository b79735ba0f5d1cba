"""The future that a step yields while its source waits in its home."""

import asyncio
import contextvars
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from generators import abatched


def run(use: Callable[[Any, Any, Any], Any]) -> Any:
    """With a stream whose step waits, what the step yielded, and what the source waits for."""

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        gate = loop.create_future()

        async def source() -> AsyncIterator[int]:
            await gate
            yield 1

        async with abatched(source(), 1) as stream:
            step = stream.__anext__()
            waiter = step.send(None)
            try:
                return await use(step, waiter, gate)
            finally:
                step.close()

    return asyncio.run(asyncio.wait_for(main(), 60))


async def turns() -> None:
    for _ in range(4):
        await asyncio.sleep(0)


def test_it_is_a_future_of_the_loop() -> None:
    async def use(step: Any, waiter: Any, gate: Any) -> None:
        assert asyncio.isfuture(waiter)
        assert waiter._asyncio_future_blocking is True
        waiter._asyncio_future_blocking = False
        assert waiter._asyncio_future_blocking is False
        assert waiter.get_loop() is asyncio.get_running_loop()
        assert not waiter.done()
        with pytest.raises(RuntimeError, match='not over'):
            waiter.result()
        with pytest.raises(RuntimeError, match='used with future'):
            next(waiter)
        gate.set_result(None)
        await turns()
        assert waiter.done()
        assert not waiter.cancelled()
        assert waiter.result() is None
        assert waiter.exception() is None
        assert list(waiter) == []

    run(use)


def test_all_that_were_added_are_called_in_their_contexts() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar('variable', default=0)

    async def use(step: Any, waiter: Any, gate: Any) -> list[tuple[str, int]]:
        called: list[tuple[str, int]] = []

        def note(name: str) -> Callable[[Any], None]:
            def callback(future: Any) -> None:
                assert future is waiter
                called.append((name, variable.get()))

            return callback

        variable.set(1)
        waiter.add_done_callback(note('first'))
        context = contextvars.copy_context()
        context.run(variable.set, 2)
        waiter.add_done_callback(note('second'), context=context)
        waiter.add_done_callback(note('third'), context=None)
        gate.set_result(None)
        await turns()
        waiter.add_done_callback(note('late'))
        await turns()
        return called

    assert run(use) == [('first', 1), ('second', 2), ('third', 1), ('late', 1)]


class Gate:
    """A future that calls back when it is opened, and not in the loop's next turn."""

    _asyncio_future_blocking = False

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.callbacks: list[Callable[[Any], Any]] = []

    def __await__(self) -> Any:
        self._asyncio_future_blocking = True
        yield self

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self.loop

    def add_done_callback(self, callback: Callable[[Any], Any], *, context: Any) -> None:
        self.callbacks.append(callback)

    def open(self) -> None:
        for callback in self.callbacks:
            callback(self)


def test_a_callback_whose_context_is_entered_is_called_by_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        gate = Gate(loop)

        async def source() -> AsyncIterator[int]:
            await gate
            yield 1

        async with abatched(source(), 1) as stream:
            step = stream.__anext__()
            waiter = step.send(None)
            called: list[Any] = []
            order: list[list[Any]] = []
            context = contextvars.copy_context()
            waiter.add_done_callback(called.append, context=context)

            def ended() -> None:
                gate.open()
                order.append(called.copy())

            loop.call_soon(ended, context=context)
            await turns()
            assert order == [[]]
            assert called == [waiter]
            step.close()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_ctrl_c_that_came_while_nobody_waited_is_raised_by_closing() -> None:
    async def main() -> None:
        gate = asyncio.get_running_loop().create_future()

        async def source() -> AsyncIterator[int]:
            await gate
            raise KeyboardInterrupt
            yield 1

        stream = abatched(source(), 1)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.001)
        gate.set_result(None)
        await turns()
        with pytest.raises(KeyboardInterrupt):
            await stream.aclose()

    asyncio.run(asyncio.wait_for(main(), 60))


def test_one_that_was_removed_is_not_called() -> None:
    async def use(step: Any, waiter: Any, gate: Any) -> list[Any]:
        called: list[Any] = []
        waiter.add_done_callback(called.append)
        assert waiter.remove_done_callback(print) == 0
        assert waiter.remove_done_callback(called.append) == 1
        assert waiter.remove_done_callback(called.append) == 0
        gate.set_result(None)
        await turns()
        return called

    assert run(use) == []


@pytest.mark.parametrize('arguments', [((), {}), ((print, print), {}), ((print,), {'loop': None})])
def test_wrong_arguments_are_named(arguments: Any) -> None:
    async def use(step: Any, waiter: Any, gate: Any) -> None:
        with pytest.raises(TypeError, match='add_done_callback'):
            waiter.add_done_callback(*arguments[0], **arguments[1])

    run(use)


def test_cancelling_it_gives_the_message_and_is_done_once() -> None:
    async def use(step: Any, waiter: Any, gate: Any) -> None:
        called: list[Any] = []
        waiter.add_done_callback(called.append)
        assert waiter.cancel('why') is True
        assert waiter.cancel() is False
        assert waiter.cancelled()
        assert called == []
        await turns()
        assert called == [waiter]
        with pytest.raises(asyncio.CancelledError, match='why'):
            waiter.result()
        assert not gate.cancelled()

    run(use)


def test_the_message_of_a_cancelled_task_comes_through() -> None:
    async def main() -> None:
        async def source() -> AsyncIterator[int]:
            await asyncio.sleep(3600)
            yield 1

        async with abatched(source(), 1) as stream:
            task = asyncio.ensure_future(anext(stream))
            await turns()
            task.cancel('why')
            with pytest.raises(asyncio.CancelledError, match='why'):
                await task

    asyncio.run(asyncio.wait_for(main(), 60))


def test_what_a_callback_raises_is_unraisable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', seen.append)

    async def use(step: Any, waiter: Any, gate: Any) -> None:
        waiter.add_done_callback(lambda future: 1 / 0)
        gate.set_result(None)
        await turns()
        with pytest.raises(StopIteration) as stop:
            step.send(None)
        assert stop.value.value == (1,)

    run(use)
    assert [hook.exc_type for hook in seen] == [ZeroDivisionError]


def test_ctrl_c_in_a_callback_ends_the_loop() -> None:
    def interrupt(future: Any) -> None:
        raise KeyboardInterrupt

    async def use(step: Any, waiter: Any, gate: Any) -> None:
        waiter.add_done_callback(interrupt)
        gate.set_result(None)
        await turns()

    with pytest.raises(KeyboardInterrupt):
        run(use)


def test_a_task_is_resumed_in_the_turn_in_which_the_item_comes() -> None:
    async def use(step: Any, waiter: Any, gate: Any) -> list[str]:
        order: list[str] = []
        waiter.add_done_callback(lambda future: order.append('resumed'))
        gate.set_result(None)
        asyncio.get_running_loop().call_soon(lambda: order.append('next'))
        await turns()
        return order

    assert run(use) == ['resumed', 'next']


def test_who_waits_for_the_end_is_resumed_after_the_sources_task_has_ended() -> None:
    async def main() -> set[Any]:
        async def source() -> AsyncIterator[int]:
            try:
                yield 1
                yield 2
            finally:
                await asyncio.sleep(0.001)

        stream = abatched(source(), 1)
        assert await anext(stream) == (1,)
        await stream.aclose()
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert asyncio.run(main()) == set()

"""The async face of ``Dispatcher``: aemit, adispatch, arun and aclose."""

from __future__ import annotations

import asyncio
import collections.abc
import contextlib
import gc
import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from typing import Any

import pytest

from generators import Dispatcher, ErrorEvent, Event

Log = list[Any]


class Failed(Exception):
    """What a handler of these tests raises."""


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run it, with a timeout: a wait that nobody ends must fail, not hang."""

    async def bounded() -> Any:
        async with asyncio.timeout(60):
            return await main()

    return asyncio.run(bounded())


def alogging(log: Log, name: Any = None) -> Callable[[], AsyncGenerator[None, Any]]:
    async def handle() -> AsyncGenerator[None, Any]:
        if name is not None:
            log.append(f'{name} starts')
        try:
            while True:
                data = yield
                await asyncio.sleep(0)
                log.append(data if name is None else (name, data))
        finally:
            if name is not None:
                await asyncio.sleep(0)
                log.append(f'{name} ends')

    return handle


class Gate:
    """An async handler that tells when it is reached, and stays there until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.log = Log()

    async def __call__(self, data: Any) -> None:
        self.log.append(data)
        self.reached.set()
        try:
            await self.opened.wait()
        except asyncio.CancelledError:
            self.log.append('cancelled')
            raise
        self.log.append('done')


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


# ---- the kinds of handler ----


def test_handlers_of_all_kinds_run_in_order() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def generator() -> Generator[None, Any, None]:
            while True:
                log.append(('generator', (yield)))

        async def coroutine(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(('coroutine', data))

        d.on('message', coroutine)
        d.on('message', generator)
        d.on('message', alogging(log, 'agen'))
        d.on('message', lambda data: log.append(('callable', data)))
        d.on('message', generator())
        d.on('message', alogging(log, 'object')())
        assert log == []  # an async generator is primed by the first event
        assert await d.aemit('message', 1) is True
        assert log == [
            ('coroutine', 1),
            ('generator', 1),
            'agen starts',
            ('agen', 1),
            ('callable', 1),
            ('generator', 1),
            'object starts',
            ('object', 1),
        ]
        log.clear()
        assert await d.adispatch({'type': 'message', 'data': 2}) is True
        assert [data for _, data in log] == [2] * 6
        assert await d.aemit('other') is False
        await d.aclose()

    run(main)


def test_async_generator_that_has_begun_is_not_primed_again() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        generator = alogging(log)()
        await anext(generator)
        d.on('message', generator)
        await d.aemit('message', 1)
        assert log == [1]
        await d.aclose()

    run(main)


def test_objects_whose_call_is_async_are_awaited() -> None:
    from functools import partial

    async def main() -> None:
        d, log = Dispatcher(), Log()

        class Handler:
            async def __call__(self, data: Any) -> None:
                await asyncio.sleep(0)
                log.append(data)

            async def method(self, data: Any) -> None:
                await self(data)

        async def two(extra: Any, data: Any) -> None:
            log.append((extra, data))

        for handler in (Handler(), Handler().method, partial(two, 'extra')):
            d.on('message', handler)
            with pytest.raises(TypeError, match='is async'):
                d.emit('message')
        await d.aemit('message', 1)
        assert log == [1, 1, ('extra', 1)]

    run(main)


def test_coroutine_that_a_plain_callable_returns_is_awaited() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def work(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        d.on('message', lambda data: work(data))
        d.on('task', lambda data: asyncio.ensure_future(work(data)))
        assert await d.aemit('message', 1)
        assert log == [1]
        assert await d.aemit('task', 2)  # a task is its own; nobody waits for it
        assert log == [1]
        await turns()
        assert log == [1, 2]

    run(main)


def test_sync_dispatch_refuses_async_handlers_before_any_ran() -> None:
    d, log = Dispatcher(), Log()

    async def handle(data: Any) -> None:
        raise AssertionError

    d.on('message', log.append)
    d.on('message', handle)
    for act in (
        lambda: d.emit('message', 1),
        lambda: d.dispatch(Event('message', 1)),
        lambda: d.run([Event('message', 1)]),
    ):
        with pytest.raises(TypeError, match="a handler of 'message' is async: await aemit"):
            act()
    assert log == []
    assert d.emit('other') is False
    d.off('message', handle)
    assert d.emit('message', 1)


def test_sync_dispatch_refuses_async_error_handlers_before_any_ran() -> None:
    d, log = Dispatcher(), Log()

    async def handle(data: Any) -> None:
        raise AssertionError

    d.on('message', log.append)
    d.on('error', handle)
    with pytest.raises(TypeError, match="a handler of 'error' is async: await aemit"):
        d.emit('message', 1)
    assert log == []


def test_sync_dispatch_refuses_a_coroutine_that_a_callable_returns() -> None:
    async def work(data: Any) -> None:
        raise AssertionError

    d = Dispatcher()
    d.on('message', lambda data: work(data))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(TypeError, match="returned a coroutine, which a sync dispatch can't"):
            d.emit('message')
        gc.collect()


# ---- a coroutine ----


def test_calls_are_coroutines() -> None:
    d = Dispatcher()
    calls = (
        d.aemit('message'),
        d.adispatch(Event('message', 1)),
        d.arun([]),
        d.aclose(),
        d.__aenter__(),
    )
    for call in calls:
        assert isinstance(call, collections.abc.Coroutine)
        assert inspect.isawaitable(call)
        assert asyncio.iscoroutine(call)
        assert call.__qualname__.startswith('Dispatcher.')
        assert call.__name__ in repr(call)
        call.close()


def test_asyncio_takes_them_as_coroutines() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        d.on('message', handle)
        assert await asyncio.create_task(d.aemit('message', 1))
        assert await asyncio.wait_for(d.aemit('message', 2), 60)
        assert await asyncio.gather(d.aemit('message', 3), d.aemit('x', 4)) == [True, False]
        async with asyncio.TaskGroup() as group:
            group.create_task(d.aemit('message', 5))
        assert log == [1, 2, 3, 5]

    run(main)
    d = Dispatcher()
    assert asyncio.run(d.aemit('message')) is False  # type: ignore[arg-type]


def test_each_slot_steps_it() -> None:
    """send(), next() and `await` give the same, however a step ends."""
    d = Dispatcher()
    d.on('message', lambda data: None)

    @d.on('error')
    def errors() -> Generator[None, ErrorEvent, None]:
        raise (yield).exception

    d.on('fails', lambda data: [].pop())
    for step in (lambda c: c.send(None), next, lambda c: next(c.__await__())):
        with pytest.raises(StopIteration) as stopped:
            step(d.aemit('message'))
        assert stopped.value.value is True
        with pytest.raises(IndexError):
            step(d.aemit('fails'))


def test_it_is_awaited_once() -> None:
    d = Dispatcher()
    call = d.aemit('message')
    with pytest.raises(TypeError, match="can't send non-None value to a just-started coroutine"):
        call.send(1)
    with pytest.raises(StopIteration):
        call.send(None)
    with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
        call.send(None)
    with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
        call.throw(Failed())
    call.close()
    call = d.aemit('message')
    with pytest.raises(Failed):
        call.throw(Failed())
    with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
        next(call)


def test_it_refuses_to_be_stepped_within_itself() -> None:
    d = Dispatcher()
    seen = []

    def handle(data: Any) -> None:
        with pytest.raises(ValueError, match='coroutine already executing') as caught:
            call.send(None)
        seen.append(caught.value)

    d.on('message', handle)
    call = d.aemit('message')
    with pytest.raises(StopIteration):
        call.send(None)
    assert len(seen) == 1


def test_call_that_is_kept_by_somebody_is_not_used_again() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)

    async def main() -> None:
        for i in range(3):
            call = d.aemit('message', i)
            await call
            other = d.aemit('message', 'other')
            assert other is not call
            with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
                await call
            await other

    run(main)
    assert log == [0, 'other', 1, 'other', 2, 'other']


def test_call_that_is_over_holds_nothing() -> None:
    class Data:
        pass

    async def main() -> None:
        d = Dispatcher()
        d.on('message', lambda data: None)
        data = Data()
        alive = weakref.ref(data)
        await d.aemit('message', data)
        del data
        assert alive() is None
        dispatcher = weakref.ref(d)
        del d
        assert dispatcher() is None

    run(main)


def test_calls_found_by_the_collector_are_over_and_stay_so() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)

    async def main() -> None:
        await d.aemit('message', 1)
        found = [each for each in gc.get_objects() if type(each).__name__ == '_EventCoroutine']
        for call in found:
            with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
                call.send(None)
            assert 'Dispatcher.' in repr(call)
        call = d.aemit('message', 2)
        assert all(call is not each for each in found)
        await call

    run(main)
    assert log == [1, 2]


def test_call_made_after_others_is_a_new_one_in_all_that_it_tells() -> None:
    d = Dispatcher()
    d.on('message', lambda data: None)

    async def main() -> None:
        assert await d.aemit('message') is True
        assert await d.aemit('nobody') is False
        assert await d.adispatch(Event('message', 1)) is True
        assert await d.arun([Event('message', 1)]) is None
        ended = weakref.ref(d.aemit('message'), lambda _: None)
        assert ended() is None
        call = d.aemit('nobody')
        assert call.__name__ == 'aemit'
        assert not call.cr_running
        assert call.cr_await is None
        assert await call is False

    with pytest.warns(RuntimeWarning, match='never awaited'):
        run(main)
    for _ in range(3):
        with pytest.warns(RuntimeWarning, match='never awaited'):
            d.aemit('message')


def test_what_is_never_awaited_is_told() -> None:
    d = Dispatcher()
    with pytest.warns(RuntimeWarning, match=r"coroutine 'Dispatcher.aemit' was never awaited"):
        d.aemit('message')
    call = d.aemit('message')
    call.close()
    del call


def test_failures_are_raised_as_by_emit() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def fails(data: Any) -> None:
            await asyncio.sleep(0)
            raise Failed(data)

        d.on('message', fails)
        with pytest.raises(Failed, match='1'):
            await d.aemit('message', 1)
        d.on('message', fails)
        with pytest.raises(ExceptionGroup, match='2 handlers failed'):
            await d.aemit('message', 1)

    run(main)


def test_async_error_handlers_are_awaited() -> None:
    async def main() -> None:
        d, told = Dispatcher(), Log()
        error = Failed()

        async def fails(data: Any) -> None:
            raise error

        async def errors(event: ErrorEvent) -> None:
            await asyncio.sleep(0)
            told.append(event)

        d.on('message', fails)
        d.on('error', errors)
        assert await d.aemit('message', 1)
        assert told == [(Event('message', 1), fails, error)]

    run(main)


def test_async_generator_function_is_started_again() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle() -> AsyncGenerator[None, Any]:
            log.append('starts')
            while True:
                data = yield
                log.append(data)
                if data == 'fail':
                    raise Failed

        handle_ = d.on('message', handle)
        with pytest.raises(Failed):
            await d.aemit('message', 'fail')
        assert handle_.active
        await d.aemit('message', 'next')
        assert log == ['starts', 'fail', 'starts', 'next']
        await d.aclose()

    run(main)


def test_async_generator_that_fails_or_returns_is_removed() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle() -> AsyncGenerator[None, Any]:
            if (yield) == 'fail':
                raise Failed

        failing, returning = d.on('a', handle()), d.on('b', handle)
        with pytest.raises(Failed) as caught:
            await d.aemit('a', 'fail')
        assert caught.value.__notes__[0].endswith('a generator cannot be started again')
        assert (failing.active, failing.returned) == (False, False)
        assert await d.aemit('b')
        assert (returning.active, returning.returned, returning.value) == (False, True, None)
        assert not await d.aemit('a')
        assert not await d.aemit('b')

    run(main)


def test_async_generator_that_returns_at_once_gets_nothing() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle() -> AsyncGenerator[None, Any]:
            if d is not None:
                return
            yield

        handle_ = d.on('message', handle)
        assert await d.aemit('message')
        assert handle_.returned
        assert not await d.aemit('message')

    run(main)


@pytest.mark.parametrize('stop', [StopIteration, StopAsyncIteration])
def test_stop_iteration_of_an_async_handler_is_a_runtime_error(stop: type[Exception]) -> None:
    async def main() -> None:
        d = Dispatcher()

        async def coroutine(data: Any) -> None:
            raise data

        async def generator() -> AsyncGenerator[None, Any]:
            raise (yield)

        def raises(data: Any) -> None:
            raise data

        class Awaitable(Coroutine[Any, Any, None]):
            def __await__(self) -> Any:
                return self

            __iter__ = __await__

            def __next__(self) -> None:
                raise RuntimeError

            def send(self, value: Any) -> None:
                raise stop

            def throw(self, *args: Any) -> None:
                raise AssertionError

        d.on('coroutine', coroutine)
        d.on('generator', generator)
        d.on('call', raises)
        for type in ('generator', 'call') + ('coroutine',) * (stop is StopIteration):
            with pytest.raises(RuntimeError, match=f'raised {stop.__name__}'):
                await d.aemit(type, stop)

        async def events() -> AsyncGenerator[Event, None]:
            yield Event('call', stop)
            raise AssertionError

        with pytest.raises(RuntimeError, match=f'raised {stop.__name__}'):
            await d.arun(events())

    run(main)


# ---- turns ----


def test_concurrent_calls_wait_their_turn_in_order() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        rest = [asyncio.create_task(d.aemit('message', n)) for n in range(5)]
        await turns()
        assert log == []
        gate.opened.set()
        assert await asyncio.gather(first, *rest) == [True] * 6
        assert log == [*range(5)]

    run(main)


def test_one_that_waits_and_is_cancelled_leaves_the_line() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        rest = [asyncio.create_task(d.aemit('message', n)) for n in range(4)]
        await turns()
        for n in (0, 2):
            rest[n].cancel()
        await turns()
        assert rest[0].cancelled()
        assert not first.done()
        gate.opened.set()
        await turns()
        rest[3].cancel()
        await asyncio.wait([first, *rest])
        assert log == [1, 3]
        assert rest[3].result() is True  # it had run already

    run(main)


def test_one_that_is_woken_and_then_cancelled_wakes_the_next() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        rest = [asyncio.create_task(d.aemit('message', n)) for n in range(2)]
        await turns()
        gate.opened.set()
        while not first.done():
            await asyncio.sleep(0)
            if gate.log[-1] == 'done':
                rest[0].cancel()
        assert await rest[1] is True
        assert log in ([1], [0, 1])

    run(main)


def test_cancelling_delivers_into_the_handler_and_leaves_the_dispatcher_whole() -> None:
    async def main() -> None:
        d, gate, log, told = Dispatcher(), Gate(), Log(), Log()
        d.on('message', gate)
        d.on('message', log.append)
        d.on('error', told.append)
        task = asyncio.create_task(d.aemit('message', 1))
        await gate.reached.wait()
        waiting = asyncio.create_task(d.aemit('error', 'next'))
        await turns()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert gate.log == [1, 'cancelled']
        assert log == []
        assert await waiting
        assert told == ['next']
        gate.opened.set()
        assert await d.aemit('message', 2)
        assert gate.log[2:] == [2, 'done']
        assert log == [2]

    run(main)


def test_cancelled_async_generator_function_is_started_again() -> None:
    async def main() -> None:
        d, log, reached = Dispatcher(), Log(), asyncio.Event()

        @d.on('message')
        async def handle() -> AsyncGenerator[None, Any]:
            log.append('starts')
            try:
                while True:
                    data = yield
                    log.append(data)
                    if data == 'wait':
                        reached.set()
                        await asyncio.sleep(60)
            finally:
                log.append('ends')

        task = asyncio.create_task(d.aemit('message', 'wait'))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await d.aemit('message', 'next')
        assert log == ['starts', 'wait', 'ends', 'starts', 'next']
        await d.aclose()

    run(main)


def test_timeout_is_a_cancellation() -> None:
    async def main() -> None:
        d, gate = Dispatcher(), Gate()
        d.on('message', gate)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(d.aemit('message'), 0.01)
        assert gate.log == [None, 'cancelled']
        gate.opened.set()
        assert await d.aemit('message')

    run(main)


def test_handler_that_swallows_the_cancellation_goes_on() -> None:
    async def main() -> None:
        d, log, reached = Dispatcher(), Log(), asyncio.Event()

        @d.on('message')
        async def handle(data: Any) -> None:
            reached.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(60)
            await asyncio.sleep(0)
            log.append('went on')

        d.on('message', log.append)
        task = asyncio.create_task(d.aemit('message', 1))
        await reached.wait()
        task.cancel()
        assert await task is True
        assert log == ['went on', 1]

    run(main)


def test_nested_async_dispatch_is_queued() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        @d.on('outer')
        async def outer(data: Any) -> None:
            log.append(('inner is', await d.aemit('inner', data), await d.aemit('none')))
            await asyncio.sleep(0)
            log.append(('inner is', await d.adispatch(Event('inner', 2))))
            log.append('outer ends')

        @d.on('inner')
        async def inner(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        assert await d.aemit('outer', 1)
        assert log == [('inner is', True, False), ('inner is', True), 'outer ends', 1, 2]

    run(main)


def test_task_that_a_handler_awaits_does_not_wait_for_the_handler() -> None:
    """It would wait for itself."""

    async def main() -> None:
        d, log = Dispatcher(), Log()

        @d.on('outer')
        async def outer(data: Any) -> None:
            await asyncio.gather(d.aemit('inner', 1), d.aemit('inner', 2))
            await asyncio.wait_for(asyncio.create_task(d.aemit('inner', 3)), 60)
            log.append('outer ends')

        d.on('inner', log.append)
        await d.aemit('outer')
        assert log == ['outer ends', 1, 2, 3]

    run(main)


def test_task_that_outlives_its_handler_waits_as_any_other() -> None:
    async def main() -> None:
        d, log, gate, go_on = Dispatcher(), Log(), Gate(), asyncio.Event()
        tasks = []

        async def session() -> None:
            await go_on.wait()
            log.append('begins')
            await d.aemit('message', 1)
            log.append('returns')

        @d.on('start')
        async def start(data: Any) -> None:
            tasks.append(asyncio.create_task(session()))

        d.on('gate', gate)
        d.on('message', log.append)
        await d.aemit('start')
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        go_on.set()
        await turns()
        assert log == ['begins']
        gate.opened.set()
        await first
        await asyncio.wait(tasks)
        assert log == ['begins', 1, 'returns']

    run(main)


def test_context_of_the_caller_is_left_as_it_was() -> None:
    import contextvars

    async def main() -> None:
        d = Dispatcher()

        @d.on('message')
        async def handle(data: Any) -> None:
            await asyncio.sleep(0)

        before = dict(contextvars.copy_context())
        await d.aemit('message')
        assert dict(contextvars.copy_context()) == before

    run(main)


def test_sync_dispatch_during_an_async_one_is_queued() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        task = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        assert d.emit('message', 1) is True
        assert d.emit('none') is False
        assert log == []
        gate.opened.set()
        await task
        assert log == [1]

    run(main)


def test_dropped_task_lets_the_dispatcher_go() -> None:
    """The loop of the task is gone; another one goes on."""
    d, log = Dispatcher(), Log()

    async def handle(data: Any) -> None:
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            log.append('ends')

    d.on('message', handle)
    d.on('other', log.append)
    calls = [d.aemit('message'), d.aemit('other', 1)]

    async def begin() -> None:
        for call in calls:
            call.send(None)

    asyncio.run(begin())
    reference = weakref.ref(calls[0])
    del calls[0]
    gc.collect()
    assert reference() is None
    assert log == ['ends']
    run(lambda: d.aemit('other', 2))
    assert log == ['ends', 2]
    calls[0].close()


def test_call_that_waits_is_closed_and_the_next_goes_on() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        dropped = d.aemit('message', 1)
        dropped.send(None)
        last = asyncio.create_task(d.aemit('message', 2))
        await turns()
        dropped.close()
        gate.opened.set()
        await first
        assert await last
        assert log == [2]

    run(main)


def test_waiting_needs_a_loop() -> None:
    d = Dispatcher()

    class Once:
        def __await__(self) -> Generator[str, None, None]:
            yield 'paused'

    async def handle(data: Any) -> None:
        await Once()

    d.on('message', handle)
    first, second = d.aemit('message'), d.aemit('message')
    assert first.send(None) == 'paused'
    with pytest.raises(RuntimeError, match='waiting for a dispatch to end needs a running'):
        second.send(None)
    with pytest.raises(StopIteration) as stopped:
        first.send(None)
    assert stopped.value.value is True


def test_loops_of_two_threads_take_turns() -> None:
    d, log = Dispatcher(), Log()
    inside = 0

    @d.on('message')
    async def handle(data: Any) -> None:
        nonlocal inside
        inside += 1
        await asyncio.sleep(0)
        assert inside == 1
        log.append(data)
        inside -= 1

    async def emits(name: str) -> None:
        for n in range(200):
            assert await d.aemit('message', (name, n))

    failures = Log()

    def work(name: str) -> None:
        try:
            run(lambda: emits(name))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in 'ab']
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for name in 'ab':
        assert [n for who, n in log if who == name] == [*range(200)]


# ---- arun ----


def test_arun_takes_async_iterables_and_iterables() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        d.on('message', log.append)

        async def events() -> AsyncGenerator[Event, None]:
            for n in range(3):
                await asyncio.sleep(0)
                yield Event('message', n)

        class Own:
            left = 2

            def __aiter__(self) -> Own:
                return self

            async def __anext__(self) -> dict[str, Any]:
                if not self.left:
                    raise StopAsyncIteration
                self.left -= 1
                return {'type': 'message', 'data': 'own'}

        assert await d.arun(events()) is None
        await d.arun(Own())
        await d.arun([Event('message', 'list')])
        assert log == [0, 1, 2, 'own', 'own', 'list']

    run(main)


def test_slow_handler_is_backpressure() -> None:
    async def main() -> None:
        d, made = Dispatcher(), Log()

        async def slow(data: Any) -> None:
            await turns(3)
            assert made[-1] == data

        async def events() -> AsyncGenerator[Event, None]:
            for n in range(5):
                made.append(n)
                yield Event('message', n)

        d.on('message', slow)
        await d.arun(events())
        assert made == [*range(5)]

    run(main)


def test_arun_closes_the_async_generator_that_it_is_given() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def events() -> AsyncGenerator[Event, None]:
            try:
                yield Event('message', 'fail')
            finally:
                await asyncio.sleep(0)
                log.append('closed')

        async def fails(data: Any) -> None:
            raise Failed

        d.on('message', fails)
        with pytest.raises(Failed):
            await d.arun(events())
        assert log == ['closed']

    run(main)


def test_cancelled_arun_closes_its_source() -> None:
    async def main() -> None:
        d, log, reached = Dispatcher(), Log(), asyncio.Event()

        async def events() -> AsyncGenerator[Event, None]:
            try:
                while True:
                    reached.set()
                    await asyncio.sleep(60)
                    yield
            finally:
                await asyncio.sleep(0)
                log.append('closed')

        task = asyncio.create_task(d.arun(events()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ['closed']

    run(main)


def test_arun_over_what_is_always_ready_lets_the_loop_run() -> None:
    async def main() -> None:
        d, stop = Dispatcher(), False
        d.on('message', lambda data: None)
        event = Event('message', None)

        def events() -> Generator[Event, None, None]:
            while not stop:
                yield event

        async def aevents() -> AsyncGenerator[Event, None]:
            while not stop:
                yield event

        for source in (events, aevents):
            stop = False
            task = asyncio.create_task(d.arun(source()))
            await asyncio.sleep(0.05)
            stop = True
            await task

    run(main)


def test_arun_ends_when_a_handler_closes_the_dispatcher() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def events() -> AsyncGenerator[Event, None]:
            try:
                for n in range(5):
                    yield Event('message', n)
            finally:
                log.append('source closed')

        @d.on('message')
        def handle() -> Generator[None, Any, None]:
            try:
                while True:
                    log.append((yield))
                    if log[-1] == 1:
                        d.close()
            finally:
                log.append('handler closed')

        await d.arun(events())
        assert log == [0, 1, 'handler closed', 'source closed']

    run(main)


def test_two_arun_interleave() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        d.on('message', handle)
        await asyncio.gather(
            *(d.arun([Event('message', (name, n)) for n in range(3)]) for name in 'ab')
        )
        assert log == [(name, n) for n in range(3) for name in 'ab']

    run(main)


# ---- closing ----


def test_aclose_closes_handlers_in_reverse_order() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def generator() -> Generator[None, Any, None]:
            try:
                yield
            finally:
                log.append('generator ends')

        d.on('a', generator)
        d.on('b', alogging(log, 'agen'))
        d.on('a', generator)
        d.on('b', alogging(log, 'unused'))
        d.on('c', alogging(log, 'never begun'))
        await d.aemit('b', 1)
        log.clear()
        await d.aclose()
        assert log == ['unused ends', 'generator ends', 'agen ends', 'generator ends']
        await d.aclose()
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            await d.aemit('a')

    run(main)


def test_aclose_reports_every_failure_in_one_group() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    yield
            finally:
                await asyncio.sleep(0)
                raise Failed

        d.on('message', handle)
        d.on('message', handle)
        await d.aemit('message')
        with pytest.raises(ExceptionGroup, match='closing 2 handlers failed') as caught:
            await d.aclose()
        assert [type(e) for e in caught.value.exceptions] == [Failed, Failed]

    run(main)


def test_close_of_async_generators_that_have_begun_needs_aclose() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        d.on('message', alogging(log, 'a'))
        await d.aemit('message', 1)
        with pytest.raises(TypeError, match='await aclose'):
            d.close()
        assert not d.closed
        await d.aemit('message', 2)
        await d.aclose()
        assert log[-1] == 'a ends'

    run(main)
    d = Dispatcher()
    d.on('message', alogging(Log(), 'a'))
    d.close()


def test_aclose_waits_for_its_turn_and_later_calls_are_refused() -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        d.on('gate', gate)
        d.on('message', log.append)
        first = asyncio.create_task(d.aemit('gate'))
        await gate.reached.wait()
        before = asyncio.create_task(d.aemit('message', 1))
        closing = [asyncio.create_task(d.aclose()) for _ in range(2)]
        after = asyncio.create_task(d.aemit('message', 2))
        await turns()
        assert not any(task.done() for task in (before, after, *closing))
        gate.opened.set()
        await asyncio.wait([first, before, *closing, after])
        assert log == [1]
        assert [task.result() for task in (first, before)] == [True, True]
        assert [task.result() for task in closing] == [None, None]
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            after.result()

    run(main)


def test_aclose_from_inside_is_done_at_the_end_of_the_dispatch() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        @d.on('message')
        async def handle() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    log.append((yield))
                    await d.aclose()
                    log.append('goes on')
            finally:
                log.append('ends')

        await d.aemit('message', 1)
        assert log == [1, 'goes on', 'ends']
        assert d.closed

    run(main)


def test_cancelled_aclose_closes_the_rest() -> None:
    async def main() -> None:
        d, log, reached = Dispatcher(), Log(), asyncio.Event()

        async def slow() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    yield
            finally:
                reached.set()
                await asyncio.sleep(60)

        d.on('message', alogging(log, 'first'))
        d.on('message', slow)
        await d.aemit('message', 1)
        task = asyncio.create_task(d.aclose())
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log[-1] == 'first ends'
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            await d.aemit('message')

    run(main)


def test_async_with_statement_closes() -> None:
    async def main() -> None:
        log = Log()
        async with Dispatcher() as d:
            assert isinstance(d, Dispatcher)
            d.on('message', alogging(log, 'a'))
            await d.aemit('message', 1)
        assert log == ['a starts', ('a', 1), 'a ends']

    run(main)


def test_off_during_an_async_dispatch_closes_an_async_generator() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        function = alogging(log, 'a')
        d.on('message', function)
        await d.aemit('message', 1)
        d.on('message', lambda data: d.off('message', function))
        await d.aemit('message', 2)
        assert log == ['a starts', ('a', 1), ('a', 2), 'a ends']

    run(main)


@pytest.mark.skipif(sys.version_info < (3, 12), reason='eager tasks came with 3.12')
def test_eager_tasks() -> None:
    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
        d, log = Dispatcher(), Log()

        @d.on('message')
        async def handle(data: Any) -> None:
            if data == 1:
                await asyncio.gather(d.aemit('message', 2), d.aemit('message', 3))
            await asyncio.sleep(0)
            log.append(data)

        await asyncio.create_task(d.aemit('message', 1))
        assert log == [1, 2, 3]

    run(main)


def test_call_is_no_iterable_and_has_the_attributes_of_a_coroutine() -> None:
    d = Dispatcher()
    call = d.aemit('message')
    assert not isinstance(call, collections.abc.Iterable)
    with pytest.raises(TypeError, match='not iterable'):
        iter(call)  # type: ignore[call-overload]
    assert isinstance(call, collections.abc.Coroutine)
    assert inspect.getcoroutinestate(call) == inspect.CORO_CREATED
    call.close()
    assert inspect.getcoroutinestate(call) == inspect.CORO_CLOSED


def test_where_a_call_was_made_is_told_if_it_is_asked_for() -> None:
    d = Dispatcher()
    sys.set_coroutine_origin_tracking_depth(1)
    try:
        with pytest.warns(RuntimeWarning, match=r'(?s)Coroutine created at.*test_async\.py'):
            d.aemit('message')
    finally:
        sys.set_coroutine_origin_tracking_depth(0)


@pytest.mark.parametrize('waits', [False, True])
def test_events_are_let_go_when_they_were_dispatched(waits: bool) -> None:
    class Message:
        key = 'message'
        data = object()

    async def handler(data: Any) -> None:
        if waits:
            await asyncio.sleep(0)

    event = Message()

    async def use() -> None:
        d = Dispatcher(key='key', data='data')
        d.on('message', handler)
        await d.adispatch(event)
        await asyncio.gather(*(d.adispatch(event) for _ in range(3)))

    asyncio.run(use())
    gc.collect()
    before = sys.getrefcount(event), sys.getrefcount(event.data)
    for _ in range(10):
        asyncio.run(use())
    gc.collect()
    assert (sys.getrefcount(event), sys.getrefcount(event.data)) == before

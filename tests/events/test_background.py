"""``on(type, handler, background=True)``: handlers with a task of their own."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import threading
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


class Gate:
    """An async handler that stays in each event until it is opened."""

    def __init__(self) -> None:
        self.reached, self.opened = asyncio.Event(), asyncio.Event()
        self.log = Log()

    async def handle(self, data: Any) -> None:
        self.reached.set()
        await self.opened.wait()
        self.log.append(data)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@contextlib.contextmanager
def told(loop: asyncio.AbstractEventLoop) -> Any:
    contexts: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: contexts.append(context))
    yield contexts
    loop.set_exception_handler(None)


def test_dispatch_does_not_wait_for_a_background_handler_and_aclose_does() -> None:
    async def main() -> None:
        gate, d = Gate(), Dispatcher()
        d.on('x', gate.handle, background=True)
        assert await d.aemit('x', 1) is True
        assert d.emit('x', 2) is True
        await gate.reached.wait()
        assert gate.log == []
        closing = asyncio.create_task(d.aclose())
        await turns()
        assert not closing.done()
        gate.opened.set()
        await closing
        assert gate.log == [1, 2]

    run(main)


def test_background_handlers_run_at_the_same_time() -> None:
    async def main() -> None:
        gate, d = Gate(), Dispatcher()
        running = 0
        all_run = asyncio.Event()

        async def handle(data: Any) -> None:
            nonlocal running
            running += 1
            if running == 50:
                all_run.set()
            await gate.handle(data)

        for _ in range(50):
            d.on('x', handle, background=True)
        d.emit('x')
        await all_run.wait()
        gate.opened.set()
        await d.aclose()
        assert len(gate.log) == 50

    run(main)


def test_quick_event_does_not_wait_behind_a_slow_background_handler() -> None:
    async def main() -> None:
        gate, d, log = Gate(), Dispatcher(), Log()
        d.on('slow', gate.handle, background=True)
        d.on('quick', log.append)
        await d.aemit('slow')
        await gate.reached.wait()
        await d.aemit('quick', 1)
        assert log == [1]
        gate.opened.set()
        await d.aclose()

    run(main)


def test_events_keep_their_order() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await asyncio.sleep(0)
            log.append(data)

        d.on('x', handle, background=True, buffersize=3)
        for n in range(50):
            await d.aemit('x', n)
        await d.aclose()
        assert log == [*range(50)]

    run(main)


def handlers_of_every_kind(log: Log) -> list[Any]:
    def function(data: Any) -> None:
        log.append(('function', data))

    async def coroutine(data: Any) -> None:
        await asyncio.sleep(0)
        log.append(('coroutine', data))

    def generator() -> Generator[None, Any, None]:
        try:
            while True:
                log.append(('generator', (yield)))
        finally:
            log.append('generator ends')

    async def async_generator() -> AsyncGenerator[None, Any]:
        try:
            while True:
                data = yield
                await asyncio.sleep(0)
                log.append(('async generator', data))
        finally:
            await asyncio.sleep(0)
            log.append('async generator ends')

    return [function, coroutine, generator, async_generator]


def test_handlers_of_every_kind_run_in_the_background() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        for handler in handlers_of_every_kind(log):
            d.on('x', handler, background=True)
        d.emit('x', 1)
        assert log == []
        await d.aclose()
        kinds = 'function', 'coroutine', 'generator', 'async generator'
        assert {entry for entry in log if isinstance(entry, tuple)} == {(k, 1) for k in kinds}
        assert log[-2:] == ['async generator ends', 'generator ends']

    run(main)


def test_async_generator_runs_in_one_task_and_one_context() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        variable: contextvars.ContextVar[int] = contextvars.ContextVar('variable')
        variable.set(1)

        async def handle() -> AsyncGenerator[None, Any]:
            tasks = {asyncio.current_task()}
            async with asyncio.timeout(60):
                try:
                    while True:
                        data = yield
                        log.append((data, variable.get()))
                        variable.set(variable.get() + 1)
                        tasks.add(asyncio.current_task())
                finally:
                    log.append(len(tasks))

        d.on('x', handle, background=True)
        for n in range(3):
            await d.aemit('x', n)
            await turns()
        await d.aclose()
        assert log == [(0, 1), (1, 2), (2, 3), 1]
        assert variable.get() == 1

    run(main)


def test_failure_goes_to_the_error_handlers() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            raise Failed(data)

        async def report(failure: ErrorEvent) -> None:
            await asyncio.sleep(0)
            log.append((failure.event, failure.handler, repr(failure.exception)))

        handler = d.on('x', handle, background=True)
        d.on('error', report)
        assert await d.aemit('x', 1)
        await turns()
        assert log == [(Event('x', 1), handle, 'Failed(1)')]
        assert (handler.calls, handler.errors, handler.awaits) == (1, 1, 1)
        await d.aclose()

    run(main)


def test_error_handler_in_the_background_is_no_error_of_itself() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def report(failure: ErrorEvent) -> None:
            log.append(failure.exception)
            raise Failed('the error handler')

        def handle(data: Any) -> None:
            raise Failed(data)

        d.on('error', report, background=True)
        d.on('x', handle)
        d.on('y', handle, background=True)
        with told(asyncio.get_running_loop()) as contexts:
            d.emit('x', 1)
            d.emit('y', 2)
            await turns(20)
        assert [str(e) for e in log] == ['1', '2']
        assert [str(c['exception']) for c in contexts] == ['the error handler'] * 2
        await d.aclose()

    run(main)


def test_failure_without_error_handlers_goes_to_the_loop() -> None:
    async def main() -> None:
        d = Dispatcher()

        def handle(data: Any) -> None:
            raise Failed(data)

        d.on('x', handle, background=True)
        with told(asyncio.get_running_loop()) as contexts:
            await d.aemit('x', 1)
            await turns()
        assert [repr(c['exception']) for c in contexts] == ['Failed(1)']
        assert (contexts[0]['event'], contexts[0]['handler']) == (Event('x', 1), handle)
        await d.aclose()

    run(main)


def test_error_handler_that_fails_is_told_to_the_loop() -> None:
    async def main() -> None:
        d = Dispatcher()

        def handle(data: Any) -> None:
            raise Failed('handler')

        def error(failure: ErrorEvent) -> None:
            raise Failed('error handler')

        d.on('error', error)
        d.on('x', handle, background=True)
        with told(asyncio.get_running_loop()) as failures:
            d.emit('x', 1)
            await turns()
            assert [repr(context['exception']) for context in failures] == [
                "Failed('error handler')"
            ]
            await d.aclose()

    run(main)


@pytest.mark.parametrize('stays', [True, False])
def test_failure_waits_for_the_dispatch_that_runs(stays: bool) -> None:
    async def main() -> None:
        d, gate, log = Dispatcher(), Gate(), Log()
        fails = asyncio.Event()

        async def handle(data: Any) -> None:
            await fails.wait()
            raise Failed

        def error(failure: ErrorEvent) -> None:
            log.append(type(failure.exception))

        d.on('error', error)
        d.on('x', handle, background=True)
        d.on('y', gate.handle)
        d.emit('x')
        with told(asyncio.get_running_loop()) as contexts:
            running = asyncio.create_task(d.aemit('y'))
            await gate.reached.wait()
            fails.set()
            await turns()
            assert log == []
            if not stays:
                d.off('error', error)
            gate.opened.set()
            await running
            await turns()
            told_too = [type(context['exception']) for context in contexts]
        assert (log, told_too) == (([Failed], []) if stays else ([], [Failed]))
        await d.aclose()

    run(main)


def test_failure_while_aclose_waits_is_in_its_group() -> None:
    async def main() -> None:
        gate, d, log = Gate(), Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await gate.handle(data)
            raise Failed(data)

        d.on('error', log.append)
        d.on('x', handle, background=True)
        d.emit('x', 1)
        d.emit('x', 2)
        await gate.reached.wait()
        closing = asyncio.create_task(d.aclose())
        await turns()
        gate.opened.set()
        with pytest.raises(ExceptionGroup, match='closing 2 handlers failed') as raised:
            await closing
        assert [repr(e) for e in raised.value.exceptions] == ['Failed(1)', 'Failed(2)']
        assert log == []

    run(main)


def test_failure_of_closing_the_generator_is_in_the_group_of_aclose() -> None:
    async def main() -> None:
        d = Dispatcher()

        async def handle() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    yield
            finally:
                await asyncio.sleep(0)
                raise Failed('closing')

        d.on('x', handle, background=True)
        d.emit('x')
        with pytest.raises(ExceptionGroup) as raised:
            await d.aclose()
        assert [repr(e) for e in raised.value.exceptions] == ["Failed('closing')"]

    run(main)


def test_generator_function_is_started_again_after_a_failure() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def handle() -> Generator[None, Any, None]:
            log.append('starts')
            while True:
                if (yield) == 'bad':
                    raise Failed

        d.on('error', lambda failure: log.append(type(failure.exception)))
        d.on('x', handle, background=True)
        for data in ('good', 'bad', 'good'):
            d.emit('x', data)
        await turns()
        assert log == ['starts', 'starts', Failed]
        await d.aclose()

    run(main)


def test_generator_that_returns_is_removed_and_its_value_kept() -> None:
    async def main() -> None:
        d = Dispatcher()

        def handle() -> Generator[None, Any, str]:
            return f'got {(yield)}'

        handler = d.on('x', handle, background=True)
        for n in range(3):
            d.emit('x', n)
        await turns()
        assert (handler.active, handler.value, handler.calls) == (False, 'got 0', 1)
        assert d.emit('x') is False
        assert d.handlers() == ()
        await d.aclose()

    run(main)


def test_sync_handler_that_always_has_an_event_lets_the_loop_run() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def handle(data: int) -> None:
            log.append(data)
            if not seen:
                d.emit('x', data + 1)

        seen = Log()
        d.on('x', handle, background=True)
        d.emit('x', 0)
        while len(log) < 1000:
            await asyncio.sleep(0)
        seen.append(len(log))
        await d.aclose()

    run(main)


# ---- a full buffer ----


def test_aemit_waits_for_room() -> None:
    async def main() -> None:
        gate, d = Gate(), Dispatcher()
        handler = d.on('x', gate.handle, background=True, buffersize=2)
        await d.aemit('x', 0)
        await gate.reached.wait()
        await d.aemit('x', 1)
        await d.aemit('x', 2)
        third = asyncio.create_task(d.aemit('x', 3))
        await turns()
        assert not third.done()
        assert handler.held == 2
        gate.opened.set()
        assert await third is True
        await d.aclose()
        assert gate.log == [0, 1, 2, 3]

    run(main)


def test_wait_for_room_that_is_cancelled_gives_the_event_to_nobody() -> None:
    async def main() -> None:
        gate, d = Gate(), Dispatcher()
        d.on('x', gate.handle, background=True, buffersize=1)
        await d.aemit('x', 0)
        await gate.reached.wait()
        await d.aemit('x', 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await d.aemit('x', 2)
        gate.opened.set()
        await d.aemit('x', 3)
        await d.aclose()
        assert gate.log == [0, 1, 3]

    run(main)


def test_sync_dispatch_cannot_wait_for_room() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        d.on('x', log.append, background=True, buffersize=1)
        d.on('x', lambda data: log.append(('plain', data)))
        d.emit('x', 1)
        with pytest.raises(asyncio.QueueFull, match='already holds 1 events'):
            d.emit('x', 2)
        assert log == [('plain', 1), ('plain', 2)]
        await d.aclose()
        assert log == [('plain', 1), ('plain', 2), 1]

    run(main)


@pytest.mark.parametrize(
    ('on_full', 'left', 'dropped'), [('drop_oldest', [3, 4], 3), ('drop_newest', [0, 1], 3)]
)
def test_events_that_are_dropped_are_counted(on_full: Any, left: Log, dropped: int) -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        handler = d.on('x', log.append, background=True, buffersize=2, on_full=on_full)
        for n in range(5):
            d.emit('x', n)
        await d.aclose()
        assert (log, handler.dropped) == (left, dropped)

    run(main)


def test_handler_that_is_too_slow_is_removed_and_runs_what_it_holds() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        handler = d.on('x', log.append, background=True, buffersize=2, on_full='close')
        d.emit('x', 0)
        d.emit('x', 1)
        with pytest.raises(BufferError, match='was removed, since it already held 2 events'):
            d.emit('x', 2)
        assert not handler.active
        assert d.emit('x', 3) is False
        await d.aclose()
        assert log == [0, 1]

    run(main)


def test_handler_that_emits_to_itself_does_not_wait_for_itself() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: int) -> None:
            if data == 0:
                for n in (1, 2, 3):
                    try:
                        await d.aemit('x', n)
                    except asyncio.QueueFull:
                        log.append(f'{n} does not fit')
            else:
                log.append(data)

        d.on('x', handle, background=True, buffersize=2)
        await d.aemit('x', 0)
        await turns()
        await d.aclose()
        assert log == ['3 does not fit', 1, 2]

    run(main)


def test_handlers_that_fill_each_other_do_not_stand_still() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        with told(asyncio.get_running_loop()):

            def to(other: str) -> Callable[[int], Coroutine[Any, Any, None]]:
                async def handle(data: int) -> None:
                    log.append(data)
                    if data < 6:
                        for _ in range(2):
                            with contextlib.suppress(asyncio.QueueFull):
                                await d.aemit(other, data + 1)

                return handle

            d.on('a', to('b'), background=True, buffersize=1)
            d.on('b', to('a'), background=True, buffersize=1)
            await asyncio.gather(d.aemit('a', 0), d.aemit('b', 0), d.aemit('a', 0))
            await d.aclose()
        assert 6 in log

    run(main)


# ---- ends ----


def test_off_runs_what_it_holds_and_closes_the_generator() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def handle() -> Generator[None, Any, None]:
            try:
                while True:
                    log.append((yield))
            finally:
                log.append('ends')

        d.on('x', handle, background=True)
        d.emit('x', 1)
        assert d.off('x', handle) is True
        assert d.emit('x', 2) is False
        await turns()
        assert log == [1, 'ends']
        await d.aclose()

    run(main)


def test_aclose_waits_for_a_handler_that_was_removed() -> None:
    async def main() -> None:
        gate, d = Gate(), Dispatcher()
        d.on('x', gate.handle, background=True)
        d.emit('x', 1)
        await gate.reached.wait()
        d.off('x', gate.handle)
        closing = asyncio.create_task(d.aclose())
        await turns()
        assert not closing.done()
        gate.opened.set()
        await closing
        assert gate.log == [1]

    run(main)


def test_off_before_any_event_closes_the_generator_at_once() -> None:
    log = Log()

    def handle() -> Generator[None, Any, None]:
        try:
            yield
        finally:
            log.append('ends')

    d = Dispatcher()
    d.on('x', handle, background=True)
    d.off('x', handle)
    assert log == ['ends']
    d.close()


@pytest.mark.parametrize('is_async', [False, True])
def test_off_tells_the_loop_what_closing_the_generator_raises(is_async: bool) -> None:
    async def main() -> None:
        d = Dispatcher()

        def handle() -> Generator[None, Any, None]:
            try:
                while True:
                    yield
            finally:
                raise Failed('closing')

        async def ahandle() -> AsyncGenerator[None, Any]:
            try:
                while True:
                    yield
            finally:
                raise Failed('closing')

        handler: Any = ahandle if is_async else handle
        d.on('x', handler, background=True)
        with told(asyncio.get_running_loop()) as failures:
            d.emit('x', 1)
            await turns()
            d.off('x', handler)
            await turns()
            assert [repr(context['exception']) for context in failures] == ["Failed('closing')"]
            await d.aclose()

    run(main)


def test_off_leaves_a_generator_that_was_registered_open() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def handle() -> Generator[None, Any, None]:
            while True:
                log.append((yield))

        generator = handle()
        d.on('x', generator, background=True)
        d.emit('x', 1)
        d.off('x', generator)
        await turns()
        generator.send(2)
        assert log == [1, 2]
        await d.aclose()

    run(main)


@pytest.mark.parametrize('on_full', ['wait', 'drop_oldest', 'drop_newest', 'close'])
def test_aclose_runs_what_a_full_mailbox_holds(on_full: Any) -> None:
    async def main() -> None:
        d, log, gate = Dispatcher(), Log(), asyncio.Event()

        async def handle(data: Any) -> None:
            await gate.wait()
            log.append(data)

        d.on('x', handle, background=True, buffersize=1, on_full=on_full)
        d.on('error', lambda report: log.append(type(report.exception)))
        await d.aemit('x', 0)
        await turns()  # it runs
        await d.aemit('x', 1)
        more = asyncio.create_task(d.aemit('x', 2))
        await turns()
        assert more.done() is (on_full != 'wait')
        closing = asyncio.create_task(d.aclose())
        await turns()
        assert not closing.done()
        gate.set()
        await asyncio.gather(more, closing)
        expected = {
            'wait': [0, 1, 2],
            'drop_oldest': [0, 2],
            'drop_newest': [0, 1],
            'close': [BufferError, 0, 1],
        }[on_full]
        assert sorted(log, key=str) == sorted(expected, key=str)

    run(main)


def test_aclose_that_is_cancelled_cancels_the_handler() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        reached = asyncio.Event()

        async def handle(data: Any) -> None:
            reached.set()
            try:
                await asyncio.sleep(100)
            except asyncio.CancelledError:
                log.append(('cancelled', data))
                raise

        d.on('x', handle, background=True)
        d.emit('x', 1)
        d.emit('x', 2)
        await reached.wait()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await d.aclose()
        assert log == [('cancelled', 1)]
        assert d.closed
        await d.aclose()

    run(main)


def test_aclose_in_the_handler_does_not_wait_for_itself() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            await d.aclose()
            log.append(data)

        d.on('x', handle, background=True)
        d.emit('x', 1)
        d.emit('x', 2)
        await turns()
        assert d.closed
        assert log == [1, 2]

    run(main)


def test_sync_close_refuses_a_background_handler_that_runs() -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('x', print, background=True)
        d.emit('x')
        with pytest.raises(TypeError, match='runs in the background: await aclose'):
            d.close()
        d.off('x', print)
        with pytest.raises(TypeError, match='was removed runs in the background: await aclose'):
            d.close()
        await d.aclose()

    with contextlib.redirect_stdout(None):
        run(main)


def test_event_loop_that_ends_cancels_the_handler_and_the_next_one_goes_on() -> None:
    d, log = Dispatcher(), Log()
    cancelled = Log()

    async def handle(data: Any) -> None:
        try:
            await asyncio.sleep(0 if data else 100)
        except asyncio.CancelledError:
            cancelled.append(data)
            raise
        log.append(data)

    d.on('x', handle, background=True)

    async def first() -> None:
        for n in range(3):
            d.emit('x', n)
        await turns()

    async def second() -> None:
        d.emit('x', 3)
        await d.aclose()

    run(first)
    assert (log, cancelled) == ([], [0])
    run(second)
    assert (log, cancelled) == ([1, 2, 3], [0])


def test_task_of_a_loop_that_was_closed_is_forgotten() -> None:
    d, log = Dispatcher(), Log()

    async def handle(data: Any) -> None:
        log.append(data)
        if data == 0:
            await asyncio.get_running_loop().create_future()

    d.on('x', handle, background=True)
    loop = asyncio.new_event_loop()

    async def first() -> None:
        d.emit('x', 0)
        await turns()

    loop.run_until_complete(first())
    loop.close()

    async def second() -> None:
        d.emit('x', 1)
        await d.aclose()

    run(second)
    assert log == [0, 1]


def test_task_that_is_cancelled_before_it_begins_is_started_again() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        async def handle(data: Any) -> None:
            log.append(data)

        d.on('x', handle, background=True)
        d.emit('x', 1)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await turns()
        assert log == []
        d.emit('x', 2)
        await turns()
        assert log == [1, 2]
        await d.aclose()

    run(main)


def test_event_without_a_loop_fails() -> None:
    d = Dispatcher()
    handler = d.on('x', print, background=True)
    with pytest.raises(RuntimeError, match='needs an event loop, and none is running'):
        d.emit('x')
    assert handler.held == 0
    d.close()


def test_event_of_another_thread_runs_in_the_loop() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()
        done = asyncio.Event()

        async def handle(data: Any) -> None:
            log.append((data, threading.current_thread() is threading.main_thread()))
            if data == 9:
                done.set()

        d.on('x', handle, background=True)
        await asyncio.to_thread(lambda: [d.emit('x', n) for n in range(10)])
        await done.wait()
        assert log == [(n, True) for n in range(10)]
        await d.aclose()

    run(main)


def test_dispatcher_that_is_dropped_lets_its_background_handlers_go() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        def handle() -> Generator[None, Any, None]:
            try:
                while True:
                    log.append((yield))
            finally:
                log.append('ends')

        d.on('x', handle, background=True)
        d.emit('x', 1)
        await turns()
        gone = weakref.ref(d)
        del d
        gc.collect()
        await turns()
        gc.collect()
        assert gone() is None
        assert log == [1, 'ends']

    run(main)


def test_interrupt_in_the_handler_ends_the_loop() -> None:
    d = Dispatcher()

    async def handle(data: Any) -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        d.on('x', handle, background=True)
        d.emit('x')
        await asyncio.sleep(1)

    with pytest.raises(KeyboardInterrupt):
        run(main)


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'background': True, 'buffersize': 0}, ValueError, 'buffersize must be 1 or greater'),
        ({'background': True, 'buffersize': '5'}, TypeError, 'interpreted as an integer'),
        ({'background': True, 'on_full': 'drop'}, ValueError, "on_full must be 'wait', 'drop_"),
        ({'background': True, 'on_full': None}, ValueError, 'not None'),
        ({'buffersize': 5}, TypeError, 'also pass background=True'),
        ({'on_full': 'wait'}, TypeError, 'also pass background=True'),
    ],
)
def test_options_that_are_wrong(options: Any, error: Any, message: str) -> None:
    d: Any = Dispatcher()
    with pytest.raises(error, match=message):
        d.on('x', print, **options)
    with pytest.raises(error, match=message):
        d.on('x', **options)(print)


def test_decorator_takes_the_options() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        @d.on('x', background=True, buffersize=1, on_full='drop_newest')
        async def handle(data: Any) -> None:
            log.append(data)

        d.emit('x', 1)
        d.emit('x', 2)
        await d.aclose()
        assert log == [1]

    run(main)

"""``on(None, handler)``, and what a Dispatcher tells about itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from generators import Dispatcher, ErrorEvent, Event, Handler

Log = list[Any]


def test_handler_of_all_events_receives_them_whole_after_the_handlers_of_their_type() -> None:
    d, log = Dispatcher(), Log()
    d.on(None, log.append)
    d.on('x', lambda data: log.append(('x', data)))
    assert d.emit('x', 1) is True
    assert d.emit('y', 2) is True
    assert log == [('x', 1), Event('x', 1), Event('y', 2)]


def test_it_receives_the_event_that_was_dispatched() -> None:
    d, log = Dispatcher(), Log()
    d.on(None, log.append)
    event = {'type': 'x', 'data': 1}
    d.dispatch(event)
    assert log[0] is event


def test_default_receives_the_event_too() -> None:
    log = Log()
    d = Dispatcher(default=lambda event: log.append(('default', event)))
    d.on(None, log.append)
    d.on('x', lambda data: None)
    d.emit('x')
    d.emit('y', 2)
    assert log == [Event('x', None), ('default', Event('y', 2)), Event('y', 2)]


def test_event_of_type_none_is_received_once() -> None:
    d, log = Dispatcher(), Log()
    handler = d.on(None, log.append)
    d.emit(None, 1)
    assert log == [Event(None, 1)]
    assert (handler.type, handler.calls) == (None, 1)
    assert repr(handler).endswith('of all events>')


def test_it_is_removed() -> None:
    d, log = Dispatcher(), Log()
    d.on('x', lambda data: None)
    d.emit('x')
    handler = d.on(None, log.append)
    d.emit('x', 1)
    assert d.off(None, handler) is True
    d.emit('x', 2)
    assert d.emit('y') is False
    assert log == [Event('x', 1)]


def test_it_may_be_a_generator_or_async() -> None:
    async def main() -> None:
        d, log = Dispatcher(), Log()

        @d.on(None)
        async def handle(event: Event) -> None:
            await asyncio.sleep(0)
            log.append(event)

        @d.on(None)
        async def handle_all() -> Any:
            while True:
                log.append((yield))

        @d.on(None, background=True)
        def handle_later() -> Any:
            while True:
                log.append((yield))

        with pytest.raises(TypeError, match='is async'):
            d.emit('x')
        await d.aemit('x', 1)
        await d.aclose()
        assert log == [Event('x', 1)] * 3

    asyncio.run(main())


def test_failure_goes_to_the_error_handlers_alone() -> None:
    d, log = Dispatcher(), Log()

    def fail(event: Event) -> None:
        if event.type != 'error':
            raise LookupError(event)

    d.on(None, fail)
    d.on('error', lambda failure: log.append(failure.event))
    d.on(None, log.append)
    d.emit('x', 1)
    assert log == [Event('x', 1)] * 2
    failure = ErrorEvent(Event('y', 2), print, LookupError())
    d.emit('error', failure)
    assert log[2:] == [Event('y', 2), Event('error', failure)]


def test_generator_of_all_events_that_fails_is_removed_and_that_is_told() -> None:
    d = Dispatcher()

    def handle() -> Any:
        yield
        raise LookupError

    d.on(None, handle())
    with pytest.raises(LookupError) as raised:
        d.emit('x')
    assert 'of all events was removed' in raised.value.__notes__[0]


# ---- what a Dispatcher tells ----


def test_handlers_and_types() -> None:
    d = Dispatcher(default=print)
    x = d.on('x', print)
    every = d.on(None, print)
    y = d.on(5, print)
    again = d.on('x', repr)
    assert d.types == ('x', 5)
    assert d.handlers('x') == (x, again)
    assert d.handlers(5) == (y,)
    assert d.handlers('unknown') == ()
    assert d.handlers(None) == d.handlers()
    assert d.handlers()[1:] == (x, every, y, again)
    assert all(type(handler) is Handler for handler in d.handlers())
    d.on('error', print)
    d.off('x', print)
    d.off('x', repr)
    assert d.types == ('error', 5) or d.types == (5, 'error')
    with pytest.raises(TypeError, match='unhashable'):
        d.handlers([])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='at most 1 argument, got 2'):
        d.handlers('x', 'y')  # type: ignore[call-arg]


def test_length_is_the_number_of_queued_events() -> None:
    d, log = Dispatcher(), Log()

    def handle(data: int) -> None:
        for _ in range(data):
            d.emit('x', 0)
        log.append(len(d))

    d.on('x', handle)
    d.emit('x', 3)
    assert log == [3, 2, 1, 0]


def test_dispatcher_without_events_is_true() -> None:
    d = Dispatcher()
    assert len(d) == 0
    assert d


def test_handler_counts_calls_errors_and_awaits() -> None:
    async def main() -> None:
        d = Dispatcher()
        d.on('error', lambda failure: None)

        def plain(data: int) -> None:
            if data == 0:
                raise LookupError

        async def later(data: int) -> None:
            plain(data)

        def generator() -> Any:
            while True:
                plain((yield))

        async def async_generator() -> Any:
            while True:
                plain((yield))

        sync = [d.on('x', handler) for handler in (plain, generator)]
        later_ones = [d.on('x', handler) for handler in (later, async_generator)]
        for n in range(3):
            await d.aemit('x', n)
        assert [(h.calls, h.errors, h.awaits) for h in sync] == [(3, 1, 0)] * 2
        assert [(h.calls, h.errors, h.awaits) for h in later_ones] == [(3, 1, 3)] * 2
        assert not any(h.background or h.held or h.dropped for h in d.handlers())
        await d.aclose()

    asyncio.run(main())


def test_handler_cannot_be_made() -> None:
    with pytest.raises(TypeError, match='cannot create'):
        Handler()


def test_dispatcher_can_be_subscripted_for_annotations() -> None:
    assert repr(Dispatcher[dict[str, int]]) == 'native_generators.Dispatcher[dict[str, int]]'


@pytest.mark.parametrize(
    ('events', 'advice'),
    [
        (lambda: iter([]), ': it is a function: call it, and pass what it returns'),
        (asyncio.sleep(0), ': it is a coroutine: await it first, and pass what it gives'),
        (5, '$'),
    ],
)
def test_source_of_another_kind_is_told(events: Any, advice: str) -> None:
    d = Dispatcher()
    with pytest.raises(TypeError, match=f'object is not iterable{advice}'):
        d.run(events)
    with pytest.raises(TypeError, match=f'object is not iterable{advice}'):
        asyncio.run(d.arun(events))  # type: ignore[arg-type]
    if asyncio.iscoroutine(events):
        events.close()


def test_async_source_for_run_names_arun() -> None:
    async def events() -> Any:
        yield

    with pytest.raises(TypeError, match=r'await arun\(\) for an async iterable'):
        Dispatcher().run(events())

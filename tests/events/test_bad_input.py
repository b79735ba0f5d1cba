"""Bad input to ``Dispatcher``: events, keys, handlers and moments that are wrong."""

from __future__ import annotations

import asyncio
import collections.abc
import functools
import gc
import re
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from generators import Dispatcher, ErrorEvent, Event

Log = list[Any]


def handle() -> Generator[None, Any, None]:
    while True:
        yield


# ---- events ----


@pytest.mark.parametrize('missing', ['type', 'data'])
def test_event_without_the_key_is_told_by_name(missing: str) -> None:
    d = Dispatcher()
    d.on('message', handle)
    fields = {'type': 'message', 'data': 1}
    del fields[missing]
    with pytest.raises(KeyError, match=missing) as of_a_dict:
        d.dispatch(fields)
    with pytest.raises(AttributeError, match=missing) as of_an_object:
        d.dispatch(SimpleNamespace(**fields))
    assert of_a_dict.value.__notes__ == [f"while reading '{missing}' of an event of type 'dict'"]
    assert of_an_object.value.__notes__ == [
        f"while reading '{missing}' of an event of type 'types.SimpleNamespace'"
    ]


@pytest.mark.parametrize('event', [None, 1, 'message', b'message', ('message', 1), ['message'], {}])
def test_what_is_no_event_is_refused(event: Any) -> None:
    d = Dispatcher(default=handle)
    with pytest.raises((AttributeError, KeyError)):
        d.dispatch(event)
    with pytest.raises((AttributeError, KeyError)):
        d.run([event])
    with pytest.raises((AttributeError, KeyError)):
        asyncio.run(d.adispatch(event))  # type: ignore[arg-type]


def test_slot_that_is_empty_is_missing() -> None:
    class Slots:
        __slots__ = ('data', 'type')

    d = Dispatcher()
    d.on('message', handle)
    whole, empty = Slots(), Slots()
    whole.type = empty.type = 'message'
    whole.data = 1
    assert d.dispatch(whole)
    assert d.dispatch(whole)
    with pytest.raises(AttributeError, match='data'):
        d.dispatch(empty)


@pytest.mark.parametrize('stop', [StopIteration, StopAsyncIteration])
def test_stop_iteration_of_a_reader_is_a_runtime_error(stop: type[Exception]) -> None:
    def raises(event: Any) -> Any:
        raise stop

    class Events:
        @property
        def type(self) -> Any:
            raise stop

    for d, event in (
        (Dispatcher(key=raises), 1),
        (Dispatcher(key=str, data=raises), 1),
        (Dispatcher(), Events()),
    ):
        with pytest.raises(RuntimeError, match=f'raised {stop.__name__}') as caught:
            d.run([event])
        assert isinstance(caught.value.__cause__, stop)
        with pytest.raises(RuntimeError, match=f'raised {stop.__name__}'):
            asyncio.run(d.arun([event]))  # type: ignore[arg-type]


def test_type_that_cannot_be_hashed_is_told() -> None:
    d = Dispatcher()
    for act in (
        lambda: d.emit([1]),  # type: ignore[arg-type]
        lambda: d.dispatch(Event([1], 2)),
        lambda: d.on([1], handle),  # type: ignore[call-overload]
        lambda: d.on([1]),  # type: ignore[call-overload]
        lambda: asyncio.run(d.aemit([1])),  # type: ignore[arg-type]
    ):
        with pytest.raises(TypeError, match="unhashable type: 'list'") as caught:
            act()
        assert caught.value.__notes__ == ['while reading the handlers of events of type [1]']
    with pytest.raises(TypeError, match="unhashable type: 'list'"):
        d.off([1], handle)  # type: ignore[arg-type]


def test_types_that_change_the_dispatcher_when_they_are_compared() -> None:
    d, log = Dispatcher(), Log()

    class Evil:
        armed = False

        def __hash__(self) -> int:
            return hash('message')

        def __eq__(self, other: object) -> bool:
            if Evil.armed:
                Evil.armed = False
                d.on('message', log.append)
                d.off('message', log.append)
                d.emit('message', 'nested')
                d.emit(Evil(), 'nested')
            return type(other) is Evil

    evil = Evil()
    for act in (
        lambda: d.on(evil, log.append),
        lambda: d.emit('message', 1),
        lambda: d.emit(Evil(), 2),
        lambda: d.off(Evil(), log.append),
        lambda: d.on(Evil(), log.append),
        lambda: d.emit(evil, 3),
    ):
        Evil.armed = True
        act()
        Evil.armed = False
    assert 3 in log
    d.close()


@pytest.mark.parametrize('source', [None, 1, print])
def test_source_that_is_none(source: Any) -> None:
    d = Dispatcher()
    with pytest.raises(TypeError, match='not iterable'):
        d.run(source)
    with pytest.raises(TypeError, match='not iterable'):
        asyncio.run(d.arun(source))  # type: ignore[arg-type]


def test_run_does_not_take_an_async_iterable() -> None:
    async def events() -> AsyncGenerator[Event, None]:
        yield Event('message', 1)

    with pytest.raises(TypeError, match="'async_generator' object is not iterable"):
        Dispatcher().run(events())  # type: ignore[arg-type]


# ---- arguments ----


def test_arguments() -> None:
    d = Dispatcher()
    for act in (
        lambda: Dispatcher('type'),  # type: ignore[misc]
        lambda: Dispatcher(key=1),  # type: ignore[arg-type]
        lambda: Dispatcher(data=None),  # type: ignore[arg-type]
        lambda: Dispatcher(default=1),  # type: ignore[arg-type]
        lambda: d.on(),  # type: ignore[call-overload]
        lambda: d.on('a', None),  # type: ignore[call-overload]
        lambda: d.on('a', 'not callable'),  # type: ignore[call-overload]
        lambda: d.on('a')(1),  # type: ignore[type-var]
        lambda: d.on('a', print, print),  # type: ignore[call-overload]
        lambda: d.off('a'),  # type: ignore[call-arg]
        lambda: d.emit(),  # type: ignore[call-arg]
        lambda: d.emit('a', 1, 2),  # type: ignore[call-arg]
        lambda: d.aemit(),  # type: ignore[call-arg]
        lambda: d.aemit('a', 1, 2),  # type: ignore[call-arg]
        lambda: type(d.on('a', print))(),
    ):
        with pytest.raises(TypeError):
            act()


def test_coroutine_is_no_handler() -> None:
    async def work() -> None:
        raise AssertionError

    coroutine = work()
    with pytest.raises(TypeError, match='register the function, not its call'):
        Dispatcher().on('message', coroutine)  # type: ignore[call-overload]
    coroutine.close()


# ---- handlers ----


def test_generator_that_has_ended_is_refused() -> None:
    generator = handle()
    generator.close()
    with pytest.raises(ValueError, match='the generator has ended already'):
        Dispatcher().on('message', generator)


def test_generator_that_is_running_is_refused() -> None:
    d, refused = Dispatcher(), Log()

    def registers() -> Generator[None, Any, None]:
        with pytest.raises(ValueError, match='generator already executing') as caught:
            d.on('message', generator)
        refused.append(caught.value)
        yield

    generator = registers()
    next(generator)
    assert len(refused) == 1


def test_handler_that_runs_elsewhere_fails_and_stays() -> None:
    """It is sent to by hand, and dispatches to itself: two senders, which a generator refuses."""
    d, log = Dispatcher(), Log()

    def dispatches() -> Generator[None, Any, None]:
        while True:
            data = yield
            log.append(data)
            if data == 'by hand':
                with pytest.raises(ValueError, match='generator already executing'):
                    d.emit('message', 'dispatched')

    generator = dispatches()
    handle_ = d.on('message', generator)
    generator.send('by hand')
    assert handle_.active
    d.emit('message', 'next')
    assert log == ['by hand', 'next']


def test_handler_that_raises_at_priming_is_not_registered() -> None:
    d = Dispatcher()

    def raises() -> Generator[None, Any, None]:
        if d is not None:
            raise LookupError
        yield

    for handler in (raises, raises()):
        with pytest.raises(LookupError):
            d.on('message', handler)
    with pytest.raises(LookupError):
        d.on('message')(raises)
    with pytest.raises(LookupError):
        Dispatcher(default=raises)
    assert not d.emit('message')


def test_generator_function_that_needs_arguments_is_refused() -> None:
    def needs(argument: Any) -> Generator[None, Any, None]:
        yield

    with pytest.raises(TypeError, match='missing 1 required positional argument'):
        Dispatcher().on('message', needs)


def test_priming_may_use_the_dispatcher() -> None:
    d, log = Dispatcher(), Log()

    @d.on('message')
    def first() -> Generator[None, Any, None]:
        d.on('message', log.append)
        d.emit('message', 'while priming')
        while True:
            log.append(('first', (yield)))

    d.emit('message', 1)
    assert log == ['while priming', 1, ('first', 1)]


def test_handler_closes_the_dispatcher_while_it_is_primed() -> None:
    d = Dispatcher()

    def closes() -> Generator[None, Any, None]:
        d.close()
        yield

    with pytest.raises(RuntimeError, match='the dispatcher is closed'):
        d.on('message', closes)


def test_callable_that_returns_a_generator_is_told() -> None:
    d = Dispatcher()
    d.on('message', lambda data: handle())
    with pytest.raises(TypeError, match='returned a generator, which is never run'):
        d.emit('message')
    with pytest.raises(TypeError, match='returned a generator, which is never run'):
        asyncio.run(d.aemit('message'))  # type: ignore[arg-type]


def test_value_of_a_callable_is_nothing() -> None:
    d = Dispatcher()
    d.on('message', lambda data: object())
    assert d.emit('message')
    assert asyncio.run(d.aemit('message'))  # type: ignore[arg-type]


def test_async_handler_that_gives_no_awaitable_fails() -> None:
    class Changes:
        async def __call__(self, data: Any) -> None: ...

    d = Dispatcher()
    d.on('message', Changes())
    Changes.__call__ = lambda self, data: 5  # type: ignore[assignment, method-assign, return-value]
    with pytest.raises(TypeError, match='int'):
        asyncio.run(d.aemit('message'))  # type: ignore[arg-type]


def test_exception_that_takes_no_note_is_raised_without() -> None:
    class NoNote(Exception):
        def add_note(self, note: str) -> None:
            raise LookupError

    d = Dispatcher()

    def fails() -> Generator[None, Any, None]:
        yield
        raise NoNote

    d.on('message', fails())
    with pytest.raises(NoNote):
        d.emit('message')


def test_handler_whose_repr_fails_is_removed_all_the_same() -> None:
    class Fails(Generator[None, Any, None]):
        def send(self, value: Any) -> None:
            if value is not None:
                raise KeyError('send')

        def throw(self, *args: Any) -> None:
            raise args[0]

        def __repr__(self) -> str:
            raise LookupError

    d = Dispatcher()
    d.on('message', Fails())
    with pytest.raises(KeyError) as caught:
        d.emit('message', 1)
    assert 'was removed' in caught.value.__notes__[0]
    assert not d.emit('message', 1)


def test_error_handler_that_emits_an_error_does_not_recurse() -> None:
    d, told = Dispatcher(), Log()

    @d.on('error')
    def errors(error: Any) -> None:
        told.append(error)
        if len(told) < 1000:
            d.emit('error', len(told))

    def fails(data: Any) -> None:
        raise LookupError

    d.on('message', fails)
    d.emit('message')
    assert isinstance(told[0], ErrorEvent)
    assert told[1:] == [*range(1, 1000)]


def test_dispatching_to_itself_for_ever_can_be_interrupted() -> None:
    """No line of Python runs in between: signals are looked for."""
    import _thread
    import functools
    import signal

    d = Dispatcher()
    d.on('start', functools.partial(d.emit, 'again'))
    d.on('start', _thread.interrupt_main)
    d.on('again', functools.partial(d.emit, 'again'))
    old = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            d.emit('start', signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, old)


def test_dispatcher_in_a_cycle_is_collected() -> None:
    import weakref

    cycle: list[Any] = []
    d = Dispatcher(key=lambda e: cycle, default=lambda e: cycle)
    d.on('message', lambda data: cycle)
    call = d.aemit('message', d)
    cycle += d, call
    references = [weakref.ref(d), weakref.ref(call)]
    call.close()
    d = call = None  # type: ignore[assignment]
    cycle = []
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_interrupted_handlers_leave_no_reference() -> None:
    import sys

    d = Dispatcher()

    def fails(data: Any) -> None:
        raise LookupError

    d.on('message', fails)
    d.on('message', handle)
    data = object()
    before = sys.getrefcount(data)
    for _ in range(10):
        with pytest.raises(LookupError):
            d.emit('message', data)
    gc.collect()
    assert sys.getrefcount(data) == before


def test_a_handler_says_what_it_is() -> None:
    d = Dispatcher(default=handle)
    assert repr(d.on('message', handle)) == f"<handler {handle!r} of 'message'>"


def test_default_handler_that_is_removed_is_named() -> None:
    def once() -> Iterator[None]:
        raise LookupError((yield))

    dispatcher = Dispatcher(default=once())
    with pytest.raises(LookupError) as caught:
        dispatcher.emit('any', 1)
    (note,) = caught.value.__notes__
    assert re.fullmatch('default handler <generator object .*> was removed: .*', note)
    assert not dispatcher.emit('any', 2)


@pytest.mark.filterwarnings('ignore:Assigning a code object')
def test_generator_function_that_has_become_another_is_told() -> None:
    def handler() -> Iterator[None]:
        raise LookupError((yield))

    def plain() -> int:
        return 5

    dispatcher = Dispatcher()
    dispatcher.on('a', handler)
    handler.__code__ = plain.__code__
    with pytest.raises(ExceptionGroup) as caught:
        dispatcher.emit('a', 1)
    assert caught.group_contains(LookupError)
    assert caught.group_contains(TypeError, match="should have returned a generator, not 'int'")
    assert not dispatcher.emit('a', 2)


@pytest.mark.parametrize('error', [LookupError('lost'), StopIteration()], ids=['error', 'end'])
def test_source_of_arun_that_is_an_iterator_and_fails(error: Exception) -> None:
    class Source:
        def __iter__(self) -> Any:
            return self

        def __next__(self) -> Any:
            raise error

    async def main() -> None:
        dispatcher = Dispatcher()
        dispatcher.on('a', print)
        await dispatcher.arun(Source())

    if isinstance(error, StopIteration):
        asyncio.run(main())
    else:
        with pytest.raises(LookupError, match='lost'):
            asyncio.run(main())


@pytest.mark.parametrize('is_async', [False, True])
def test_source_of_arun_that_cannot_begin(is_async: bool) -> None:
    class Source:
        def __iter__(self) -> Any:
            raise LookupError('lost')

    class AsyncSource:
        def __aiter__(self) -> Any:
            raise LookupError('lost')

    async def main() -> None:
        source: Any = AsyncSource() if is_async else Source()
        await Dispatcher().arun(source)

    with pytest.raises(LookupError, match='lost'):
        asyncio.run(main())


def test_an_event_under_way_is_collected_with_what_it_leads_to() -> None:
    class Waiting:
        def __await__(self) -> Iterator[None]:
            yield

    async def handler(waiting: Waiting) -> None:
        await waiting

    def begin() -> weakref.ref[Waiting]:
        dispatcher = Dispatcher()
        dispatcher.on('a', handler)
        waiting = Waiting()
        waiting.call = dispatcher.aemit('a', waiting)  # type: ignore[attr-defined]
        waiting.call.send(None)  # type: ignore[attr-defined]
        gc.collect()
        return weakref.ref(waiting)

    seen = begin()
    assert seen() is not None
    gc.collect()
    assert seen() is None


# ---- what passes, and what is refused ----


@pytest.mark.parametrize('error', [KeyboardInterrupt, MemoryError])
@pytest.mark.parametrize('where', ['__repr__', 'add_note'])
def test_interrupt_while_a_removal_is_noted_is_raised(
    where: str, error: type[BaseException]
) -> None:
    def interrupts(self: Any, *note: Any) -> str:
        raise error

    class Noted(Exception):
        pass

    class Handler(collections.abc.Generator[None, Any, None]):
        def send(self, value: Any) -> None:
            if value is not None:
                raise Noted

        def throw(self, *args: Any) -> None:
            raise StopIteration

    setattr(Handler if where == '__repr__' else Noted, where, interrupts)
    d = Dispatcher()
    d.on('message', Handler())
    with pytest.raises(BaseException) as raised:
        d.emit('message', 1)
    found = raised.value
    members = found.exceptions if isinstance(found, BaseExceptionGroup) else (found,)
    assert any(isinstance(member, error) for member in members)


@pytest.mark.parametrize(
    'handler',
    [lambda data: None, [].append, (_ for _ in ()), functools.partial(print)],
    ids=['function', 'method', 'generator', 'partial'],
)
def test_on_without_parentheses_is_refused(handler: Any) -> None:
    d = Dispatcher()
    with pytest.raises(TypeError, match=r'use @on\(type\) or on\(type, handler\)'):
        d.on(handler)


def test_class_is_a_type_of_events() -> None:
    class Message:
        def __init__(self) -> None:
            self.data = 1

    d, log = Dispatcher(key=type), Log()
    d.on(Message)(log.append)
    assert d.dispatch(Message())
    assert log == [1]

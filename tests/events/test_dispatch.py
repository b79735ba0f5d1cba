"""What a dispatch does, and what becomes of handlers: ``Dispatcher`` without a loop."""

from __future__ import annotations

import gc
import queue
import weakref
from collections.abc import Callable, Generator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest

from generators import Dispatcher, ErrorEvent, Event

Log = list[Any]


class Failed(Exception):
    """What a handler of these tests raises."""


def logging(log: Log, name: Any = None) -> Callable[[], Generator[None, Any, Any]]:
    """A generator function that logs what it gets, and its start and end if it has a name."""

    def handle() -> Generator[None, Any, None]:
        if name is not None:
            log.append(f'{name} starts')
        try:
            while True:
                data = yield
                log.append(data if name is None else (name, data))
        finally:
            if name is not None:
                log.append(f'{name} ends')

    return handle


def failing(log: Log, error: BaseException) -> Callable[[], Generator[None, Any, None]]:
    """A generator function that logs what it gets and raises when that is 'fail'."""

    def handle() -> Generator[None, Any, None]:
        log.append('starts')
        while True:
            data = yield
            log.append(data)
            if data == 'fail':
                raise error

    return handle


# ---- the kinds of handler ----


def test_generator_function_is_called_and_primed() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', logging(log, 'a'))
    assert log == ['a starts']
    assert d.emit('message', 1)
    assert d.emit('message', 2)
    assert log == ['a starts', ('a', 1), ('a', 2)]


def test_generator_is_primed() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', logging(log, 'a')())
    assert log == ['a starts']
    d.emit('message', 1)
    assert log == ['a starts', ('a', 1)]


def test_generator_that_has_begun_is_not_primed_again() -> None:
    d, log = Dispatcher(), Log()
    generator = logging(log)()
    next(generator)
    d.on('message', generator)
    assert log == []
    d.emit('message', 1)
    assert log == [1]


def test_callable_is_called_with_the_data() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    d.emit('message', 1)
    d.emit('message')
    assert log == [1, None]


class Methods:
    def __init__(self) -> None:
        self.log = Log()

    def generator(self) -> Generator[None, Any, None]:
        while True:
            self.log.append((yield))

    def plain(self, data: Any) -> None:
        self.log.append(data)

    def __call__(self) -> Generator[None, Any, None]:
        return self.generator()


class CallableGenerator:
    def __init__(self) -> None:
        self.log = Log()

    def __call__(self) -> Generator[None, Any, None]:
        while True:
            self.log.append((yield))


def test_methods_partials_and_objects_are_handlers_of_the_kind_that_they_call() -> None:
    from functools import partial

    d, methods, called, log = Dispatcher(), Methods(), CallableGenerator(), Log()

    def with_arguments(out: Log) -> Generator[None, Any, None]:
        while True:
            out.append((yield))

    for handler in (
        methods.generator,
        methods.plain,
        called,
        partial(with_arguments, log),
        log.append,
    ):
        d.on('message', handler)
    d.emit('message', 'x')
    assert methods.log == ['x', 'x']
    assert called.log == ['x']
    assert log == ['x', 'x']


def test_object_that_is_a_generator_by_its_class_is_sent_to() -> None:
    class Own(Generator[None, Any, None]):
        def __init__(self) -> None:
            self.log = Log()

        def send(self, value: Any) -> None:
            self.log.append(value)

        def throw(self, *args: Any) -> None:
            raise args[0]

    d, own = Dispatcher(), Own()
    d.on('message', own)
    d.emit('message', 1)
    d.emit('message', None)
    assert own.log == [None, 1, None]
    d.close()


def test_decorator_gives_the_function_back() -> None:
    d = Dispatcher()

    def handle(data: Any) -> None:
        raise AssertionError

    assert d.on('message')(handle) is handle
    assert d.off('message', handle)


def test_decorator_takes_restart() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', restart=False)(failing(log, Failed()))
    with pytest.raises(Failed):
        d.emit('message', 'fail')
    assert not d.emit('message')


def test_handlers_run_in_order_of_registration() -> None:
    d, log = Dispatcher(), Log()
    for name in 'abc':
        d.on('message', logging(log, name))
    log.clear()
    d.emit('message', 1)
    assert log == [('a', 1), ('b', 1), ('c', 1)]


def test_same_handler_twice_gets_events_twice() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    d.on('message', log.append)
    d.emit('message', 1)
    assert log == [1, 1]


def test_types_are_told_apart_by_equality() -> None:
    d, log = Dispatcher(), Log()
    d.on(('room', 1), log.append)
    d.on(2, log.append)
    assert d.emit(('room', int('1')), 'a')
    assert d.emit(2.0, 'b')
    assert not d.emit(('room', 2), 'c')
    key = ''.join(['mess', 'age'])
    d.on('message', log.append)
    assert d.emit(key, 'd')
    assert log == ['a', 'b', 'd']


# ---- reading events ----


class Slots:
    __slots__ = ('data', 'type')

    def __init__(self, type: Any, data: Any) -> None:
        self.type, self.data = type, data


@dataclass
class Plain:
    type: Any
    data: Any


class Defaulted:
    """Its data is the class's, or its own where that is set."""

    data: Any = None

    def __init__(self, type: Any, data: Any) -> None:
        self.type = type
        if data != 'default':
            self.data = data


class Named(NamedTuple):
    type: Any
    data: Any


class Computed:
    def __init__(self, type: Any, data: Any) -> None:
        self.pair = type, data

    @property
    def type(self) -> Any:
        return self.pair[0]

    def __getattr__(self, name: str) -> Any:
        if name == 'data':
            return self.pair[1]
        raise AttributeError(name)


class AMapping(dict[str, Any]):
    pass


KINDS: list[Callable[[Any, Any], Any]] = [
    Slots,
    Plain,
    Defaulted,
    Named,
    Computed,
    Event,
    lambda type, data: SimpleNamespace(type=type, data=data),
    lambda type, data: {'type': type, 'data': data},
    lambda type, data: AMapping(type=type, data=data),
]


def test_type_and_data_are_attributes_or_keys() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    for _ in range(3):
        for i, make in enumerate(KINDS):
            assert d.dispatch(make('message', i))
    assert log == [*range(len(KINDS))] * 3
    d.run(make('message', 'run') for make in KINDS for _ in range(3))
    assert log[3 * len(KINDS) :] == ['run'] * 3 * len(KINDS)


def test_class_that_changes_is_read_as_it_is_now() -> None:
    class Changing:
        __slots__ = ('data', 'type')

    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    event = Changing()
    event.type, event.data = 'message', 1
    d.dispatch(event)
    d.dispatch(event)
    Changing.data = property(lambda self: 2)  # type: ignore[assignment, method-assign]
    d.dispatch(event)
    assert log == [1, 1, 2]


@pytest.mark.parametrize(
    'change',
    [
        lambda cls: setattr(cls, 'data', property(lambda self: 2)),
        lambda cls: setattr(cls.__bases__[0], 'data', property(lambda self: 2)),
        lambda cls: setattr(cls, '__getattribute__', lambda self, name: 2),
        lambda cls: setattr(cls, '__bases__', (WithComputedData,)),
    ],
    ids=['property', 'property of a base', '__getattribute__', 'another base'],
)
def test_plain_class_that_changes_is_read_as_it_is_now(change: Callable[[Any], Any]) -> None:
    class Base:
        pass

    class Changing(Base):
        def __init__(self, data: Any) -> None:
            self.__dict__['data'] = data
            self.first = self.second = data

    class Untouched(Base):
        def __init__(self, data: Any) -> None:
            self.data = data

    for cls in Changing, Untouched:
        d, log = Dispatcher(key=lambda event: 'message', data='data'), Log()
        d.on('message', log.append)
        d.run([cls(1), cls(1)])
        event = cls(1)
        change(cls)
        d.run([event, event])
        assert log == [1, 1, 2, 2]
        if 'data' in Base.__dict__:
            del Base.data  # type: ignore[attr-defined]


class WithComputedData:
    @property
    def data(self) -> Any:
        return 2


def test_event_whose_dict_was_looked_at_is_read_as_it_is_now() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    events = [Plain('message', i) for i in range(4)]
    d.dispatch(events[0])
    vars(events[1])['data'] = 'put'
    events[2].__dict__ = {'type': 'message', 'data': 'replaced'}
    vars(events[3]).clear()
    events[3].type, events[3].data = 'message', 'anew'
    d.run(events)
    assert log == [0, 0, 'put', 'replaced', 'anew']


def test_event_of_a_plain_class_without_its_data_is_told() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    events = [Plain('message', i) for i in range(3)]
    del events[1].data
    d.dispatch(events[0])
    with pytest.raises(AttributeError, match='data'):
        d.run(events)
    assert log == [0, 0]


def test_events_of_one_class_need_not_set_their_attributes_in_one_order() -> None:
    class Event:
        pass

    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    names = ['type', 'data', *(f'other{i}' for i in range(40))]
    for first in range(len(names)):
        event = Event()
        for name in names[first:] + names[:first]:
            setattr(event, name, name if name != 'type' else 'message')
        d.dispatch(event)
    assert log == ['data'] * len(names)


def test_class_whose_default_becomes_a_descriptor_is_read_as_it_is_now() -> None:
    class Default:
        def __get__(self, event: Any, cls: Any) -> str:
            return 'default'

    class Event:
        type = 'message'
        data = Default()

    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    event = Event()
    event.__dict__['data'] = 'own'
    d.run([event, Event()])
    Default.__set__ = lambda *args: None  # type: ignore[attr-defined]
    d.run([event, Event()])
    assert log == ['own', 'default', 'default', 'default']


def test_event_that_changes_its_class_is_read_as_one_of_that() -> None:
    class Reversed:
        def __init__(self) -> None:
            self.data, self.type = 'reversed', 'message'

    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    event: Any = Plain('message', 'plain')
    d.run([event, Reversed(), event])
    event.__class__ = Reversed
    d.run([event, Reversed(), event])
    assert log == ['plain', 'reversed', 'plain', 'plain', 'reversed', 'plain']


def test_key_of_a_dict_is_not_one_of_its_methods() -> None:
    d, log = Dispatcher(key='pop', data='items'), Log()
    d.on('message', log.append)
    d.dispatch({'pop': 'message', 'items': 1})
    assert log == [1]


def test_key_and_data_have_any_name() -> None:
    d, log = Dispatcher(key='kind', data='body'), Log()
    d.on('message', log.append)
    assert d.dispatch(SimpleNamespace(kind='message', body=1))
    assert d.dispatch({'kind': 'message', 'body': 2})
    assert log == [1, 2]


def test_key_and_data_are_callables() -> None:
    d, log = Dispatcher(key=lambda e: e[0], data=lambda e: e[1:]), Log()
    d.on('message', log.append)
    assert d.dispatch(('message', 1, 2))
    assert log == [(1, 2)]


def test_run_takes_any_iterable() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    q: queue.Queue[Any] = queue.Queue()
    for item in (Event('message', 1), Event('message', 2), None):
        q.put(item)
    assert d.run(iter(q.get, None)) is None  # type: ignore[func-returns-value]
    d.run([Event('message', 3), Event('other', 4)])
    assert log == [1, 2, 3]


def test_run_closes_the_generator_that_it_is_given() -> None:
    log = Log()

    def events() -> Generator[Event, None, None]:
        try:
            yield Event('message', 'fail')
            yield Event('message', 2)
        finally:
            log.append('closed')

    d = Dispatcher()
    d.on('message', failing(log, Failed()))
    source = events()
    with pytest.raises(Failed):
        d.run(source)
    assert log == ['starts', 'fail', 'starts', 'closed']
    assert next(source, 'over') == 'over'


def test_error_of_the_source_comes_out_of_run() -> None:
    def events() -> Generator[Event, None, None]:
        yield Event('message', 1)
        raise Failed

    d, log = Dispatcher(), Log()
    d.on('message', log.append)
    with pytest.raises(Failed):
        d.run(events())
    assert log == [1]


# ---- who handled it ----


def test_answer_is_whether_there_is_a_handler() -> None:
    d = Dispatcher()
    assert d.emit('message') is False
    assert d.dispatch(Event('message', 1)) is False
    d.on('message', lambda data: None)
    assert d.emit('message') is True
    assert d.dispatch(Event('message', 1)) is True


def test_default_gets_the_whole_event() -> None:
    log = Log()
    d = Dispatcher(default=log.append)
    event = SimpleNamespace(type='other', data=1)
    assert d.dispatch(event) is True
    assert d.emit('other', 2) is True
    assert log == [event, Event('other', 2)]
    assert log[0] is event
    assert type(log[1]) is Event


def test_default_gets_nothing_that_a_handler_gets() -> None:
    log = Log()
    d = Dispatcher(default=logging(log, 'default'))
    d.on('message', lambda data: None)
    d.emit('message', 1)
    assert log == ['default starts']
    d.close()
    assert log == ['default starts', 'default ends']


# ---- handlers that return ----


def test_handler_that_returns_is_removed_and_its_value_kept() -> None:
    d, log = Dispatcher(), Log()

    def twice() -> Generator[None, Any, str]:
        log.append((yield))
        log.append((yield))
        return 'done'

    handle = d.on('message', twice)
    assert (handle.type, handle.handler) == ('message', twice)
    assert (handle.active, handle.returned, handle.value) == (True, False, None)
    d.emit('message', 1)
    d.emit('message', 2)
    assert (handle.active, handle.returned, handle.value) == (False, True, 'done')
    assert not d.emit('message', 3)
    assert log == [1, 2]


def test_handler_that_returns_at_once_is_not_registered() -> None:
    d = Dispatcher()

    def at_once() -> Generator[None, Any, str]:
        if d is not None:
            return 'at once'
        yield

    for handler in (at_once, at_once()):
        handle = d.on('message', handler)
        assert (handle.active, handle.value) == (False, 'at once')
    assert not d.emit('message')


def test_values_are_not_kept_when_nobody_asks() -> None:
    class Value:
        pass

    d = Dispatcher()
    values = []

    def once() -> Generator[None, Any, Value]:
        yield
        value = Value()
        values.append(weakref.ref(value))
        return value

    d.on('message')(once)
    d.emit('message')
    gc.collect()
    assert values[0]() is None


# ---- handlers that raise ----


def test_failure_is_raised_after_the_other_handlers_ran() -> None:
    d, log = Dispatcher(), Log()
    error = Failed('first')
    d.on('message', failing(log, error))
    d.on('message', lambda data: log.append(('after', data)))
    with pytest.raises(Failed) as caught:
        d.emit('message', 'fail')
    assert caught.value is error
    assert log == ['starts', 'fail', 'starts', ('after', 'fail')]


def test_several_failures_are_one_group() -> None:
    d, log = Dispatcher(), Log()
    errors = [Failed(n) for n in range(3)]
    for error in errors:
        d.on('message', failing(log, error))
    with pytest.raises(ExceptionGroup) as caught:
        d.emit('message', 'fail')
    assert caught.value.message == '3 handlers failed'
    assert list(caught.value.exceptions) == errors


def test_error_handlers_get_event_handler_and_exception() -> None:
    d, log = Dispatcher(), Log()
    errors = [Failed(1), Failed(2)]
    functions = [failing(log, error) for error in errors]
    for function in functions:
        d.on('message', function)
    d.on('message', lambda data: log.append('after'))
    told = Log()
    d.on('error', told.append)
    d.on('error', logging(told))
    log.clear()
    event = Event('message', 'fail')
    assert d.dispatch(event) is True
    assert log == ['fail', 'starts', 'fail', 'starts', 'after']
    first, again, second, _ = told
    assert first is again
    assert isinstance(first, ErrorEvent)
    assert first == (event, functions[0], errors[0])
    assert first.event is event
    assert second == (event, functions[1], errors[1])
    d.emit('message', 'fail')
    assert told[4].event == Event('message', 'fail')


def test_generator_function_is_started_again() -> None:
    d, log = Dispatcher(), Log()
    handle = d.on('message', failing(log, Failed()))
    with pytest.raises(Failed):
        d.emit('message', 'fail')
    assert handle.active
    assert d.emit('message', 'next')
    assert log == ['starts', 'fail', 'starts', 'next']


def test_generator_function_without_restart_is_removed_and_that_is_told() -> None:
    d, log = Dispatcher(), Log()
    handle = d.on('message', failing(log, Failed()), restart=False)
    with pytest.raises(Failed) as caught:
        d.emit('message', 'fail')
    (note,) = caught.value.__notes__
    assert note.startswith('handler <function failing.')
    assert note.endswith("of 'message' was removed: restart=False")
    assert not handle.active
    assert not d.emit('message', 'next')


def test_generator_that_fails_is_removed_and_that_is_told() -> None:
    d, log = Dispatcher(), Log()
    told: list[ErrorEvent] = []
    d.on('error', told.append)
    generator = failing(log, Failed())()
    handle = d.on('message', generator)
    assert d.emit('message', 'fail') is True
    assert not handle.active
    assert not handle.returned
    assert not d.emit('message', 'next')
    ((_, handler, exception),) = told
    assert handler is generator
    (note,) = exception.__notes__
    assert note.startswith('handler <generator object failing.<locals>.handle at')
    assert note.endswith("of 'message' was removed: a generator cannot be started again")


def test_callable_that_fails_stays() -> None:
    d = Dispatcher()

    def handle(data: Any) -> None:
        raise Failed(data)

    d.on('message', handle)
    for n in range(3):
        with pytest.raises(Failed, match=str(n)):
            d.emit('message', n)


def test_handler_that_cannot_be_started_again_is_removed() -> None:
    d, starts = Dispatcher(), iter((True, False))

    def handle() -> Generator[None, Any, None]:
        if not next(starts):
            raise Failed('start')
        yield
        raise Failed('event')

    handle_ = d.on('message', handle)
    with pytest.raises(ExceptionGroup) as caught:
        d.emit('message')
    event, start = caught.value.exceptions
    assert (str(event), str(start)) == ('event', 'start')
    assert not hasattr(event, '__notes__')
    assert start.__notes__[0].endswith('was removed: it failed when it was started again')
    assert not handle_.active
    assert not d.emit('message')


def test_error_of_an_error_handler_is_raised_and_not_dispatched() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', failing(log, Failed('handler')))
    told = Log()

    def fails(event: ErrorEvent) -> None:
        told.append(event)
        raise Failed('error handler')

    d.on('error', fails)
    d.on('error', told.append)
    with pytest.raises(Failed, match='error handler'):
        d.emit('message', 'fail')
    assert len(told) == 2


def test_error_event_that_a_user_emits_is_as_any_other() -> None:
    d, log = Dispatcher(), Log()
    d.on('error', failing(log, Failed()))
    assert d.emit('error', 1)
    with pytest.raises(Failed):
        d.emit('error', 'fail')
    assert d.emit('error', 2)
    assert log == ['starts', 1, 'fail', 'starts', 2]


def test_error_handler_is_started_again() -> None:
    d, log = Dispatcher(), Log()

    def errors() -> Generator[None, ErrorEvent, None]:
        log.append('starts')
        log.append((yield).exception.args[0])
        raise Failed('error handler')

    def fails(data: Any) -> None:
        raise Failed(data)

    d.on('error', errors)
    d.on('message', fails)
    for n in range(2):
        with pytest.raises(Failed, match='error handler'):
            d.emit('message', n)
    assert log == ['starts', 0, 'starts', 1, 'starts']


def test_default_that_fails_is_reported() -> None:
    def fails(event: Event) -> None:
        raise Failed

    told: list[ErrorEvent] = []
    d = Dispatcher(default=fails)
    with pytest.raises(Failed):
        d.emit('other')
    d.on('error', told.append)
    d.emit('other', 1)
    assert told[0][:2] == (Event('other', 1), fails)


def test_stop_iteration_of_a_handler_is_a_runtime_error() -> None:
    d = Dispatcher()

    @d.on('call')
    def call(data: type[Exception]) -> None:
        raise data

    @d.on('generator')
    def generator() -> Generator[None, Any, None]:
        raise (yield)

    for type in ('call', 'generator'):
        with pytest.raises(RuntimeError, match='raised StopIteration') as caught:
            d.emit(type, StopIteration)
        assert isinstance(caught.value.__cause__, StopIteration)
    with pytest.raises(RuntimeError, match='raised StopAsyncIteration'):
        d.emit('call', StopAsyncIteration)


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_is_no_exception_ends_the_dispatch_at_once(error: type[BaseException]) -> None:
    d, log, told = Dispatcher(), Log(), Log()
    d.on('message', lambda data: d.emit('nested', data))
    d.on('message', failing(log, error()))
    d.on('message', log.append)
    d.on('nested', lambda data: log.append(('nested', data)))
    d.on('error', told.append)
    with pytest.raises(error):
        d.emit('message', 'fail')
    assert told == []
    assert log == ['starts', 'fail', 'starts']
    # What was queued comes first in the next dispatch.
    d.emit('message', 1)
    assert log[3:] == [('nested', 'fail'), 1, 1, ('nested', 1)]


def test_failures_before_an_interrupt_are_its_context() -> None:
    d = Dispatcher()
    first = Failed()
    errors = iter((first, KeyboardInterrupt()))

    def fails(data: Any) -> None:
        raise next(errors)

    d.on('message', fails)
    d.on('message', fails)
    with pytest.raises(KeyboardInterrupt) as caught:
        d.emit('message')
    assert caught.value.__context__ is first


# ---- nested ----


def test_nested_dispatch_is_queued_and_runs_next() -> None:
    d, log = Dispatcher(), Log()

    @d.on('a')
    def a(data: Any) -> None:
        log.append(('a starts', data, d.emit('b', data), d.dispatch({'type': 'c', 'data': 1})))

    d.on('a', lambda data: log.append('second a'))
    d.on('b', lambda data: log.append(('b', data, d.emit('a', 2) if data == 1 else None)))
    d.emit('a', 1)
    assert log == [
        ('a starts', 1, True, False),
        'second a',
        ('b', 1, True),
        ('a starts', 2, True, False),
        'second a',
        ('b', 2, None),
    ]


def test_nested_dispatch_runs_before_the_next_event_of_run() -> None:
    d, log = Dispatcher(), Log()
    d.on('a', lambda data: d.emit('b', data))
    d.on('b', log.append)
    d.on('c', log.append)
    d.run([Event('a', 1), Event('c', 2)])
    assert log == [1, 2]


def test_handler_that_dispatches_to_itself_does_not_recurse() -> None:
    d = Dispatcher()
    count = 0

    @d.on('again')
    def again() -> Generator[None, int, None]:
        nonlocal count
        while True:
            left = yield
            count += 1
            if left:
                d.emit('again', left - 1)

    d.emit('again', 50_000)
    assert count == 50_001


def test_failures_of_nested_dispatches_come_out_of_the_outer_one() -> None:
    d = Dispatcher()

    def outer(data: Any) -> None:
        assert d.emit('inner')
        raise Failed('outer')

    def inner(data: Any) -> None:
        raise Failed('inner')

    d.on('outer', outer)
    d.on('inner', inner)
    with pytest.raises(ExceptionGroup) as caught:
        d.emit('outer')
    assert [str(e) for e in caught.value.exceptions] == ['outer', 'inner']


def test_nested_run_queues_its_events() -> None:
    d, log = Dispatcher(), Log()
    d.on('a', lambda data: (d.run([Event('b', 1), Event('b', 2)]), log.append('a ends')))
    d.on('b', log.append)
    d.emit('a')
    assert log == ['a ends', 1, 2]


# ---- change during dispatch ----


def test_handler_added_during_dispatch_counts_from_the_next_event() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', lambda data: data == 1 and d.on('message', log.append))
    d.on('message', lambda data: data == 1 and d.emit('message', 'nested'))
    d.emit('message', 1)
    assert log == ['nested']


def test_handler_removed_during_dispatch_counts_from_the_next_event() -> None:
    d, log = Dispatcher(), Log()
    d.on('message', lambda data: data == 1 and d.off('message', function))
    function = logging(log, 'a')
    d.on('message', function)
    d.on('message', lambda data: log.append(('last', data)))
    d.emit('message', 1)
    assert log == ['a starts', ('a', 1), ('last', 1), 'a ends']
    d.emit('message', 2)
    assert log[4:] == [('last', 2)]


def test_handler_removes_itself() -> None:
    d, log = Dispatcher(), Log()

    @d.on('message')
    def handle() -> Generator[None, Any, None]:
        try:
            while True:
                log.append((yield))
                assert d.off('message', handle)
                assert not d.off('message', handle)
        finally:
            log.append('ends')

    assert d.emit('message', 1)
    assert log == [1, 'ends']
    assert not d.emit('message', 2)


def test_off_closes_what_was_made_of_a_function() -> None:
    d, log = Dispatcher(), Log()
    function = logging(log, 'a')
    handle = d.on('message', function)
    assert d.off('message', function) is True
    assert log == ['a starts', 'a ends']
    assert not handle.active
    assert d.off('message', function) is False
    assert not d.emit('message')


def test_off_leaves_a_generator_to_its_owner() -> None:
    d, log = Dispatcher(), Log()
    generator = logging(log)()
    d.on('message', generator)
    assert d.off('message', generator)
    generator.send('by hand')
    assert log == ['by hand']


def test_off_takes_what_on_gave() -> None:
    d, log = Dispatcher(), Log()
    first = d.on('message', log.append)
    d.on('message', log.append)
    assert d.off('message', first)
    d.emit('message', 1)
    assert log == [1]


def test_off_takes_all_that_equal_the_handler() -> None:
    d, methods = Dispatcher(), Methods()
    d.on('message', methods.plain)
    d.on('message', methods.plain)
    d.on('other', methods.plain)
    assert d.off('message', methods.plain)
    assert not d.emit('message', 1)
    assert d.emit('other', 2)
    assert methods.log == [2]


def test_off_raises_what_closing_raises() -> None:
    d = Dispatcher()

    def handle() -> Generator[None, Any, None]:
        try:
            yield
        finally:
            raise Failed

    d.on('message', handle)
    with pytest.raises(Failed):
        d.off('message', handle)
    assert not d.emit('message')


def test_failure_to_close_during_dispatch_is_that_of_the_handler() -> None:
    d = Dispatcher()
    told: list[ErrorEvent] = []

    def handle() -> Generator[None, Any, None]:
        try:
            while True:
                yield
        finally:
            raise Failed

    d.on('error', told.append)
    d.on('message', handle)
    d.on('message', lambda data: d.off('message', handle))
    d.emit('message')
    assert [t.handler for t in told] == [handle]


# ---- closing ----


def test_close_closes_handlers_in_reverse_order() -> None:
    d, log = Dispatcher(default=logging(log := Log(), 'default')), log
    d.on('b', logging(log, 1))
    d.on('a', logging(log, 2))
    d.on('b', logging(log, 3))
    d.on('a', logging(log, 4)())
    log.clear()
    d.close()
    assert log == ['4 ends', '3 ends', '2 ends', '1 ends', 'default ends']
    assert d.closed
    d.close()
    assert len(log) == 5


def test_close_reports_every_failure_in_one_group() -> None:
    d, log = Dispatcher(), Log()

    def ending(error: Exception | None) -> Callable[[], Generator[None, Any, None]]:
        def handle() -> Generator[None, Any, None]:
            try:
                yield
            finally:
                log.append('ends')
                if error is not None:
                    raise error

        return handle

    errors = [Failed(1), Failed(2)]
    for error in (errors[1], None, errors[0]):
        d.on('message', ending(error))
    with pytest.raises(ExceptionGroup) as caught:
        d.close()
    assert caught.value.message == 'closing 2 handlers failed'
    assert list(caught.value.exceptions) == errors
    assert log == ['ends'] * 3
    d.close()


def test_one_failure_to_close_is_a_group_too() -> None:
    d = Dispatcher()

    def handle() -> Generator[None, Any, None]:
        try:
            yield
        except GeneratorExit:
            yield

    d.on('message', handle)
    with pytest.raises(ExceptionGroup) as caught:
        d.close()
    (error,) = caught.value.exceptions
    assert str(error) == 'generator ignored GeneratorExit'


def test_closed_dispatcher_takes_nothing() -> None:
    d = Dispatcher()
    d.on('message', lambda data: None)
    d.close()
    for act in (
        lambda: d.emit('message'),
        lambda: d.dispatch(Event('message', 1)),
        lambda: d.on('message', lambda data: None),
    ):
        with pytest.raises(RuntimeError, match='the dispatcher is closed'):
            act()
    assert not d.off('message', print)


def test_close_from_inside_is_done_at_the_end_of_the_dispatch() -> None:
    d, log = Dispatcher(), Log()

    @d.on('message')
    def first() -> Generator[None, Any, None]:
        try:
            while True:
                data = yield
                d.emit('nested', data)
                d.close()
                with pytest.raises(RuntimeError, match='the dispatcher is closed'):
                    d.emit('nested', data)
                log.append(('first', data))
        finally:
            log.append('first ends')

    d.on('message', logging(log, 'second'))
    d.on('nested', log.append)
    log.clear()
    d.run(iter([Event('message', 1), Event('message', 2)]))
    assert log == [('first', 1), ('second', 1), 1, 'second ends', 'first ends']
    assert d.closed


def test_with_statement_closes() -> None:
    log = Log()
    with Dispatcher() as d:
        d.on('message', logging(log, 'a'))
    assert log == ['a starts', 'a ends']
    assert d.closed


def test_dropped_dispatcher_closes_its_generators() -> None:
    log = Log()
    d = Dispatcher()
    d.on('message', logging(log, 'a'))
    d.on('self', lambda data, d=d: None)
    reference = weakref.ref(d)
    del d
    gc.collect()
    assert reference() is None
    assert log == ['a starts', 'a ends']


def test_a_cycle_through_the_default_handler_is_collected() -> None:
    class Owner:
        def __init__(self) -> None:
            self.events = Dispatcher(default=self.handle)

        def handle(self, event: Any) -> None:
            pass

    owner = Owner()
    seen = weakref.ref(owner)
    del owner
    gc.collect()
    assert seen() is None

"""What every async stream promises, shown on each type that is one.

A type joins by an entry in STREAMS: how to make it over a generator or an async generator of
short strings, and what an async generator makes of the same item.
"""

import asyncio
import gc
import inspect
import subprocess
import sys
import threading
import time
import warnings
import weakref
from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Sized,
)
from contextlib import aclosing, closing, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import (
    CSVBatch,
    abatched,
    achunked,
    acsv_batches,
    acsv_rows,
    ajsonl_rows,
    alines,
    csv_batches,
    to_async,
)

try:
    import uvloop
except ImportError:
    uvloop = None


def to_async_unthreaded(source: Any, **options: Any) -> Any:
    return to_async(source, thread=False, **options)


# Name: how to make it, and whether it takes an async source.
STREAMS: dict[str, tuple[Callable[..., Any], bool]] = {
    'to_async': (to_async_unthreaded, False),
    'abatched': (lambda source, **options: abatched(source, 1, **options), True),
    'achunked': (lambda source, **options: achunked(source, max_delay=0, **options), True),
    'acsv_batches': (
        lambda source, **options: acsv_batches(source, header=False, rows=1, **options),
        True,
    ),
    'acsv_rows': (acsv_rows, True),
    'alines': (lambda source, **options: alines(source, items='lines', **options), True),
    'ajsonl_rows': (
        lambda source, **options: ajsonl_rows(source, items='lines', loads=bytes.decode, **options),
        True,
    ),
}

# What else than the item itself an async generator makes of it.
CONVERTS: dict[str, Callable[[str], Any]] = {
    'abatched': lambda item: (item,),
    'achunked': str.encode,
    'acsv_batches': lambda item: batch_of(item),
    'acsv_rows': lambda item: [item],
}


def batch_of(item: str) -> CSVBatch:
    return next(csv_batches([item], header=False))


class Like(str):
    """What any of the streams makes of that item."""

    def __eq__(self, other: object) -> bool:
        alike = (str(self), (str(self),), [str(self)], self.encode(), batch_of(self))
        return other in alike

    __hash__ = str.__hash__


class Failed(Exception):
    """What a source of these tests raises."""


class Turn:
    """An awaitable that gives way once, by yielding what it was made with."""

    def __init__(self, mark: Any = None) -> None:
        self.mark = mark

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self.mark)


class Log(list[str]):
    """What happened to a source, in order."""

    def source(
        self,
        is_async: bool,
        count: int,
        error: BaseException | None = None,
        closing_error: BaseException | None = None,
        waits: bool = False,
    ) -> Any:
        make = self.async_source if is_async else self.sync_source
        return make(count, error, closing_error, waits)

    def sync_source(
        self, count: int, error: Any, closing_error: Any, waits: bool
    ) -> Generator[str, Any, None]:
        try:
            for i in range(count):
                self.append('made')
                yield f'item{i}'
            if error is not None:
                raise error
        finally:
            self.append('closed')
            if closing_error is not None:
                raise closing_error

    async def async_source(
        self, count: int, error: Any, closing_error: Any, waits: bool
    ) -> AsyncGenerator[str, Any]:
        try:
            for i in range(count):
                if waits:
                    await Turn()
                self.append('made')
                yield f'item{i}'
            if error is not None:
                raise error
        finally:
            if waits:
                await Turn()
            self.append('closed')
            if closing_error is not None:
                raise closing_error


class Plain:
    """A source of either kind that is no generator."""

    closed = False

    def __iter__(self) -> Any:
        return self

    def __aiter__(self) -> Any:
        return self

    def __next__(self) -> str:
        return 'item'

    async def __anext__(self) -> str:
        return 'item'

    def close(self) -> None:
        self.closed = True

    async def aclose(self) -> None:
        self.closed = True


async def model(source: Any, convert: Callable[[str], Any]) -> AsyncGenerator[Any, Any]:
    """The generator that a stream stands for."""
    if isinstance(source, AsyncGenerator):
        async with aclosing(source):
            async for item in source:
                yield convert(item)
    else:
        with closing(source):
            for item in source:
                yield convert(item)


def run(awaitable: Awaitable[Any]) -> Any:
    """Drive it by hand, without a loop."""
    steps = awaitable.__await__()
    value = None
    for _ in range(1000):
        try:
            value = steps.send(None)
        except StopIteration as stop:
            return stop.value
        assert value is None
    raise AssertionError('it waits for ever')


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def outcome(act: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        return ('gave', act())
    except BaseException as error:
        causes = type(error.__cause__).__name__, type(error.__context__).__name__
        return ('raised', type(error), str(error), *causes)


@pytest.fixture(params=STREAMS)
def make(request: pytest.FixtureRequest) -> Callable[..., Any]:
    return STREAMS[request.param][0]


@pytest.fixture(params=STREAMS)
def opened(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a stream over a log's source of the kind that the type takes."""
    make, is_async = STREAMS[request.param]

    def open_stream(log: Log, *arguments: Any, **options: Any) -> Any:
        return make(log.source(is_async, *arguments), **options)

    return open_stream


loops = pytest.mark.parametrize(
    'new_loop',
    [
        asyncio.new_event_loop,
        pytest.param(
            uvloop and uvloop.new_event_loop,
            marks=pytest.mark.skipif(uvloop is None, reason='uvloop is not installed'),
        ),
    ],
    ids=['asyncio', 'uvloop'],
)


def run_on(
    new_loop: Callable[[], asyncio.AbstractEventLoop], main: Coroutine[Any, Any, Any]
) -> Any:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(main)


# --- beside the async generator that it stands for --------------------------------------------

STEPS: list[Callable[[Any], Any]] = [
    anext,
    anext,
    anext,
    lambda s: s.asend(None),
    lambda s: s.asend('ignored'),
    lambda s: s.athrow(KeyError('thrown')),
    lambda s: s.athrow(KeyError),
    lambda s: s.athrow(GeneratorExit()),
    lambda s: s.athrow(StopIteration(3)),
    lambda s: s.athrow(StopAsyncIteration(3)),
    lambda s: s.aclose(),
]
STARTING, CLOSING = STEPS[:4], STEPS[5:]


def compare(
    name: str, arguments: Callable[[], tuple[Any, ...]], steps: list[int], run: Any
) -> None:
    make, is_async = STREAMS[name]
    expected_log, log = Log(), Log()
    source = expected_log.source(is_async, *arguments())
    expected: Any = model(source, CONVERTS.get(name, str))
    stream = make(log.source(is_async, *arguments()))
    started = False
    for step in steps:
        act = STEPS[step]
        started = started or act in STARTING
        if act in CLOSING and not started:
            # A generator that was not started does nothing here, not even its `finally`.
            outcome(lambda act=act: run(act(stream)))
            break
        assert outcome(lambda act=act: run(act(stream))) == outcome(
            lambda act=act: run(act(expected))
        )
        assert log == expected_log
    with suppress(OSError):
        run(stream.aclose())
    with suppress(OSError):
        run(expected.aclose())
    assert log == expected_log


cases = given(
    name=st.sampled_from(sorted(STREAMS)),
    count=st.integers(0, 4),
    error=st.sampled_from([None, Failed, StopIteration, GeneratorExit]),
    closing_error=st.sampled_from([None, OSError]),
    waits=st.booleans(),
    steps=st.lists(st.integers(0, len(STEPS) - 1), max_size=8),
)


def source_arguments(
    count: int, error: Any, closing_error: Any, waits: bool
) -> Callable[[], tuple[Any, ...]]:
    return lambda: (
        count,
        error('from the source') if error else None,
        closing_error('from its finally') if closing_error else None,
        waits,
    )


@cases
def test_it_does_what_an_async_generator_does(
    name: str, count: int, error: Any, closing_error: Any, waits: bool, steps: list[int]
) -> None:
    compare(name, source_arguments(count, error, closing_error, waits), steps, run)


@loops
@cases
def test_it_does_so_on_a_loop(
    new_loop: Any,
    name: str,
    count: int,
    error: Any,
    closing_error: Any,
    waits: bool,
    steps: list[int],
) -> None:
    with closing(new_loop()) as loop:

        def run_on_loop(awaitable: Any) -> Any:
            async def main() -> Any:
                return await awaitable

            return loop.run_until_complete(main())

        compare(name, source_arguments(count, error, closing_error, waits), steps, run_on_loop)


@cases
def test_it_does_so_in_tasks_under_wait_for(
    name: str, count: int, error: Any, closing_error: Any, waits: bool, steps: list[int]
) -> None:
    if error is GeneratorExit or closing_error is GeneratorExit or 7 in steps:
        return  # no Exception: it would go through the task and end the loop
    with closing(asyncio.new_event_loop()) as loop:

        def run_in_task(awaitable: Any) -> Any:
            return loop.run_until_complete(asyncio.wait_for(awaitable, 60))

        compare(name, source_arguments(count, error, closing_error, waits), steps, run_in_task)


@cases
def test_it_does_so_under_a_tracer(
    name: str, count: int, error: Any, closing_error: Any, waits: bool, steps: list[int]
) -> None:
    kept = []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if event == 'exception':
            kept.append(argument)
        return trace

    async def act(awaitable: Any) -> Any:
        return await awaitable

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        compare(
            name, source_arguments(count, error, closing_error, waits), steps, lambda a: run(act(a))
        )
    finally:
        sys.settrace(earlier)


def test_a_tracer_may_keep_what_carried_each_item() -> None:
    kept: list[Any] = []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        if event == 'exception' and isinstance(argument[1], StopIteration):
            kept.append(argument[1])
        return trace

    earlier = sys.gettrace()
    sys.settrace(trace)
    try:
        run(collect(to_async_unthreaded(['a', 'b', 'c'])))
    finally:
        sys.settrace(earlier)
    if sys.version_info < (3, 15):
        assert [stop.value for stop in kept][:3] == ['a', 'b', 'c']


def stopped(step: Any) -> StopIteration:
    """The exception that carries a step's item."""
    try:
        next(step)
    except StopIteration as stop:
        return stop
    raise AssertionError('the step is not ready')


def test_what_was_set_on_the_exception_of_an_item_is_not_on_that_of_the_next() -> None:
    def spoil(stop: Any, how: int) -> None:
        if how == 0:
            stop.args = ('spoilt',)
        elif how == 1:
            stop.add_note('spoilt')
        elif how == 2:
            stop.__suppress_context__ = True
        elif how == 3:
            stop.__cause__ = stop.__context__ = KeyError('spoilt')
        else:
            stop.spoilt = stop

    stream = to_async_unthreaded(range(20))
    for i in range(20):
        stop: Any = stopped(anext(stream))
        assert stop.value == i
        assert 'spoilt' not in stop.args
        assert not hasattr(stop, '__notes__')
        assert not hasattr(stop, 'spoilt')
        assert (stop.__suppress_context__, stop.__cause__) == (False, None)
        assert not isinstance(stop.__context__, KeyError)
        spoil(stop, i % 5)
        stop.value = 'spoilt'
        del stop


def test_the_exception_of_an_item_can_be_copied_and_both_dropped() -> None:
    stream = to_async_unthreaded([Item() for _ in range(4)])
    for _ in range(4):
        stop = stopped(anext(stream))
        other: Any = type(stop)(stop.value)
        assert other.value is stop.value
        del stop
        gc.collect()
        del other


def test_an_exception_that_a_collection_shows_may_be_kept_to_the_end() -> None:
    program = """
import gc, sys
from generators import to_async
async def main():
    return [item async for item in to_async(range(10), thread=False)]
def steps():
    try:
        main().send(None)
    except StopIteration as stop:
        assert stop.value == list(range(10))
steps()
shown = [each for each in gc.get_objects() if isinstance(each, StopIteration)]
assert [each.value for each in shown] == [None] * len(shown)
steps()
for each in shown:
    each.value = shown
sys.kept = shown
if '--unload' in sys.argv:
    del to_async, main, steps
    package = ('generators', 'native_generators')
    for name in [name for name in sys.modules if name.startswith(package)]:
        del sys.modules[name]
    gc.collect()
"""
    for argument in ('--stay', '--unload'):
        subprocess.run([sys.executable, '-c', program, argument], check=True, timeout=60)


def test_athrow_refuses_what_an_async_generator_refuses(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 1)
    for arguments in [(), (1, 2, 3, 4), (int,), (None,), ('no exception',), (KeyError('a'), 'b')]:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore', DeprecationWarning)
            with pytest.raises(TypeError):
                stream.athrow(*arguments)
    assert run(anext(stream)) == Like('item0')


@pytest.mark.skipif(sys.version_info < (3, 12), reason='not deprecated before')
def test_athrow_with_three_arguments_is_deprecated(opened: Callable[..., Any]) -> None:
    with pytest.raises(DeprecationWarning, match=r'signature of athrow\(\) is deprecated'):
        opened(Log(), 1).athrow(KeyError, KeyError('a'), None)


# --- what it is -------------------------------------------------------------------------------


def test_it_is_an_async_generator_by_its_abc(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 1)
    assert isinstance(stream, AsyncGenerator)
    assert not isinstance(stream, Iterable)
    assert not isinstance(stream, Sized)
    assert not inspect.isasyncgen(stream)
    assert aiter(stream) is stream


def test_it_can_be_written_with_its_item_type(opened: Callable[..., Any]) -> None:
    kind = type(opened(Log(), 0))
    assert kind[str].__origin__ is kind


def test_it_can_be_weakly_referenced(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 1)
    reference = weakref.ref(stream)
    assert reference() is stream
    del stream
    assert reference() is None


CALLS: list[Callable[[Any], Any]] = [
    anext,
    lambda s: s.asend(None),
    lambda s: s.athrow(Failed()),
    lambda s: s.aclose(),
    lambda s: s.aprime(),
    lambda s: s.__aenter__(),
    lambda s: s.__aexit__(None, None, None),
]
calls = pytest.mark.parametrize(
    'call', CALLS, ids=['anext', 'asend', 'athrow', 'aclose', 'aprime', 'aenter', 'aexit']
)


@calls
def test_what_its_methods_give_is_a_coroutine(
    opened: Callable[..., Any], call: Callable[[Any], Any]
) -> None:
    coroutine = call(opened(Log(), 1))
    assert isinstance(coroutine, Coroutine)
    assert asyncio.iscoroutine(coroutine)
    iterator = coroutine.__await__()
    assert iter(iterator) is iterator
    with pytest.raises(TypeError, match='is not iterable'):
        iter(coroutine)
    coroutine.close()


@calls
def test_nothing_can_be_awaited_twice(
    opened: Callable[..., Any], call: Callable[[Any], Any]
) -> None:
    coroutine = call(opened(Log(), 1))
    with suppress(Failed):
        run(coroutine)
    for again in (
        lambda: coroutine.send(None),
        lambda: next(coroutine),
        lambda: coroutine.throw(KeyError()),
    ):
        with pytest.raises(RuntimeError, match='cannot reuse already awaited'):
            again()
    assert coroutine.close() is None


def test_an_awaitable_that_is_kept_is_not_used_again(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 3)
    kept = anext(stream)
    assert run(kept) == Like('item0')
    assert run(anext(stream)) == Like('item1')
    with pytest.raises(RuntimeError, match=r'already awaited __anext__\(\)/asend\(\)'):
        kept.send(None)
    assert run(anext(stream)) == Like('item2')


@pytest.mark.parametrize('item', [None, (), (1, 2), StopIteration(3), KeyError('x'), [1]])
def test_an_item_of_any_type_arrives_as_it_is(item: Any) -> None:
    async def main() -> None:
        stream = to_async_unthreaded([item, item, item])
        assert await anext(stream) is item
        assert await stream.asend(None) is item
        async for last in stream:
            assert last is item

    run(main())
    steps = [anext(to_async_unthreaded([item])), anext(to_async_unthreaded([item]))]
    for act in (lambda: next(steps[0]), lambda: steps[1].send(None)):
        with pytest.raises(StopIteration) as caught:
            act()
        assert caught.value.value is item


class Item:
    """Something that can be weakly referenced."""


def test_an_item_is_not_held_once_it_was_given() -> None:
    async def main() -> None:
        stream = to_async_unthreaded(Item() for _ in range(3))
        for _ in range(3):
            reference = weakref.ref(await anext(stream))
            assert reference() is None

    run(main())


def test_async_with_closes_it(opened: Callable[..., Any]) -> None:
    log = Log()

    async def main() -> None:
        async with opened(log, 2) as stream:
            assert await anext(stream) == Like('item0')
        assert log == ['made', 'closed']
        assert await collect(stream) == []

    run(main())


# --- aprime -----------------------------------------------------------------------------------


def test_aprime_makes_the_first_item_and_holds_it(opened: Callable[..., Any]) -> None:
    log = Log()
    stream = opened(log, 2)
    assert run(stream.aprime()) is stream
    assert run(stream.aprime()) is stream
    assert log == ['made']
    assert run(collect(stream)) == [Like('item0'), Like('item1')]
    assert run(stream.aprime()) is stream


def test_aprime_raises_the_error_of_the_source(opened: Callable[..., Any]) -> None:
    log = Log()
    stream = opened(log, 0, Failed())
    with pytest.raises(Failed):
        run(stream.aprime())
    assert log == ['closed']
    assert run(collect(stream)) == []


def test_aprime_of_an_empty_source_is_no_error(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 0)
    assert run(stream.aprime()) is stream
    assert run(collect(stream)) == []


def test_closing_drops_a_primed_item(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 2)
    run(stream.aprime())
    run(stream.aclose())
    assert run(collect(stream)) == []


# --- closing ----------------------------------------------------------------------------------


def test_closing_before_the_first_step_closes_the_source(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 2)
    run(stream.aclose())
    assert run(collect(stream)) == []
    run(stream.aclose())


def test_throwing_before_the_first_step_ends_it(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 2)
    with pytest.raises(Failed):
        run(stream.athrow(Failed()))
    assert run(collect(stream)) == []


def test_a_source_that_is_no_generator_stays_open(make: Callable[..., Any]) -> None:
    source = Plain()
    stream = make(source)
    assert run(anext(stream)) == Like('item')
    run(stream.aclose())
    assert not source.closed


def test_what_is_dropped_without_hooks_is_closed_at_once(opened: Callable[..., Any]) -> None:
    log = Log()
    gc.disable()
    try:
        run(anext(opened(log, 2)))
        assert log == ['made', 'closed']
    finally:
        gc.enable()


def test_what_is_dropped_on_a_loop_is_closed_by_it(opened: Callable[..., Any]) -> None:
    log = Log()

    async def main() -> None:
        await anext(opened(log, 2))
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ['made', 'closed']

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()


def test_what_is_open_when_the_loop_ends_is_closed_by_it(opened: Callable[..., Any]) -> None:
    log = Log()
    stream = opened(log, 2)

    async def main() -> None:
        await anext(stream)

    asyncio.run(main())
    assert log == ['made', 'closed']
    assert run(collect(stream)) == []


def test_what_is_dropped_after_its_loop_was_closed_is_let_go_of(
    opened: Callable[..., Any],
) -> None:
    log = Log()
    with closing(asyncio.new_event_loop()) as loop:

        async def first() -> Any:
            stream = opened(log, 2)
            await anext(stream)
            return stream

        stream = loop.run_until_complete(first())
    reference = weakref.ref(stream)
    del stream
    assert reference() is None


def test_an_error_while_a_dropped_one_is_closed_is_reported(
    opened: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda report: reported.append(report.exc_type))
    run(anext(opened(Log(), 2, None, OSError('from its finally'))))
    assert reported == [OSError]


def test_the_hooks_are_those_of_the_first_step(make: Callable[..., Any]) -> None:
    seen: list[Any] = []
    earlier = sys.get_asyncgen_hooks()
    try:
        sys.set_asyncgen_hooks(
            lambda s: seen.append(('first', type(s))), lambda s: seen.append(('dropped', type(s)))
        )
        stream = make(Plain())
        kind = type(stream)
        run(anext(stream))
        run(anext(stream))
        assert seen == [('first', kind)]
        sys.set_asyncgen_hooks(None, None)
        del stream
        assert seen == [('first', kind), ('dropped', kind)]
    finally:
        sys.set_asyncgen_hooks(*earlier)


def test_an_error_of_a_hook_comes_out_of_the_first_call(make: Callable[..., Any]) -> None:
    def refuse(stream: Any) -> None:
        raise Failed

    earlier = sys.get_asyncgen_hooks()
    stream = make(Plain())
    sys.set_asyncgen_hooks(firstiter=refuse)
    try:
        with pytest.raises(Failed):
            anext(stream)
        assert run(anext(stream)) == Like('item')
    finally:
        sys.set_asyncgen_hooks(*earlier)


@calls
def test_an_awaitable_that_is_never_awaited_does_not_keep_the_stream(
    opened: Callable[..., Any], call: Callable[[Any], Any]
) -> None:
    gc.disable()
    try:
        stream = opened(Log(), 2)
        reference = weakref.ref(stream)
        with pytest.warns(RuntimeWarning, match='was never awaited'):
            call(stream)
        run(anext(stream))
        with pytest.warns(RuntimeWarning, match='was never awaited'):
            call(stream)
        del stream
        assert reference() is None
    finally:
        gc.enable()


@calls
def test_what_is_cancelled_before_it_began_does_nothing(
    opened: Callable[..., Any], call: Callable[[Any], Any]
) -> None:
    log = Log()

    async def main() -> None:
        stream = opened(log, 1)
        task = asyncio.ensure_future(call(stream))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == []
        assert await collect(stream) == [Like('item0')]

    asyncio.run(main())


# --- close_with_task --------------------------------------------------------------------------


@loops
def test_close_with_task_closes_it_when_the_task_ends(
    opened: Callable[..., Any], new_loop: Any
) -> None:
    log = Log()

    async def request(stream: Any) -> None:
        async for _ in stream:
            raise Failed

    async def main() -> None:
        stream = opened(log, 3, close_with_task=True)
        with pytest.raises(Failed):
            await asyncio.create_task(request(stream))
        for _ in range(5):
            await asyncio.sleep(0)
        assert log == ['made', 'closed']
        assert await collect(stream) == []

    run_on(new_loop, main())


def test_close_with_task_means_the_task_that_asked_and_not_that_of_wait_for(
    opened: Callable[..., Any],
) -> None:
    async def main() -> None:
        stream = opened(Log(), 3, close_with_task=True)
        for i in range(3):
            assert await asyncio.wait_for(anext(stream), 60) == Like(f'item{i}')
            await asyncio.sleep(0)

    asyncio.run(main())


def test_close_with_task_does_not_keep_the_stream(opened: Callable[..., Any]) -> None:
    async def main() -> None:
        stream = opened(Log(), 3, close_with_task=True)
        await anext(stream)
        await stream.aclose()
        reference = weakref.ref(stream)
        del stream
        assert reference() is None

    asyncio.run(main())


@loops
def test_a_stream_that_its_task_drops_in_ending_is_closed_once_and_without_complaint(
    opened: Callable[..., Any], new_loop: Any
) -> None:
    log = Log()
    complaints: list[Any] = []

    async def request() -> None:
        async for _ in opened(log, 3, None, None, True, close_with_task=True):
            raise Failed

    async def handler() -> None:
        with suppress(Failed):
            await request()
        # The stream was dropped, and is about to be closed.

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context))
        await asyncio.create_task(handler())
        for _ in range(10):
            await asyncio.sleep(0)
        gc.collect()
        assert log.count('closed') == 1

    run_on(new_loop, main())
    assert complaints == []


def complaints_of(leave: Callable[[Log], Awaitable[None]]) -> list[Any]:
    """What the loop is told when nobody closes what was left, until the log's source is."""
    log = Log()
    complaints: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: complaints.append(context))
        await asyncio.create_task(leave(log))  # type: ignore[arg-type]
        gc.collect()
        while 'closed' not in log:
            await asyncio.sleep(0.001)
        for _ in range(5):
            await asyncio.sleep(0)
        gc.collect()

    asyncio.run(main())
    assert log.count('closed') == 1
    return complaints


@pytest.mark.parametrize('inner_first', [False, True])
@pytest.mark.parametrize('is_kept', [False, True])
def test_a_source_of_a_stream_may_be_closed_with_the_same_task(
    inner_first: bool, is_kept: bool
) -> None:
    kept = []

    async def leave(log: Log) -> None:
        try:
            inner = to_async(log.source(False, 1000), close_with_task=True)
            if inner_first:
                await inner.aprime()
            outer = achunked(inner, max_delay=0, close_with_task=True)
            async for _ in outer:
                raise Failed
        except Failed as error:
            if is_kept:
                kept.append(error)  # and with it this frame

    assert complaints_of(leave) == []


@pytest.mark.parametrize('inner_first', [False, True])
def test_a_source_that_is_late_when_the_task_ends_is_left_to_what_reads_it(
    inner_first: bool,
) -> None:
    kept = []
    going = threading.Event()

    async def leave(log: Log) -> None:
        def late() -> Any:
            try:
                yield 'first'
                going.wait(60)
                yield 'second'
            finally:
                log.append('closed')

        inner = to_async(late(), close_with_task=True)
        if inner_first:
            await inner.aprime()
        outer = achunked(inner, max_delay=0.001, close_with_task=True)
        assert await anext(outer) == b'first'
        kept.append(outer)
        asyncio.get_running_loop().call_later(0.05, going.set)

    assert complaints_of(leave) == []


def test_streams_that_a_cycle_holds_are_closed_in_order() -> None:
    async def leave(log: Log) -> None:
        inner = to_async(log.source(False, 1000))
        middle = achunked(inner, max_delay=0)
        outer = abatched(middle, 1)
        await anext(outer)
        cycle: list[Any] = [inner, middle, outer]
        cycle.append(cycle)

    assert complaints_of(leave) == []


def test_close_with_task_needs_a_task(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 3, close_with_task=True)
    with pytest.raises(RuntimeError, match='close_with_task=True needs a running asyncio task'):
        anext(stream)
    run(stream.aclose())


# --- overlap ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('call', 'name'),
    [
        (anext, 'anext'),
        (lambda s: s.asend(None), 'anext'),
        (lambda s: s.athrow(Failed()), 'athrow'),
        (lambda s: s.aclose(), 'aclose'),
        (lambda s: s.aprime(), 'aprime'),
    ],
)
def test_a_source_that_calls_back_is_refused(call: Callable[[Any], Any], name: str) -> None:
    refused: list[str] = []

    def source() -> Generator[int, None, None]:
        for i in range(2):
            try:
                run(call(stream))
            except RuntimeError as error:
                refused.append(str(error))
            yield i

    stream: Any = to_async_unthreaded(source())
    assert run(collect(stream)) == [0, 1]
    assert refused == [f'{name}(): asynchronous generator is already running'] * 2


def test_an_awaitable_that_is_sent_into_by_its_own_source_is_refused() -> None:
    def source() -> Generator[int, None, None]:
        for method, argument in (('send', None), ('throw', Failed())):
            with pytest.raises(ValueError, match='already executing'):
                getattr(step, method)(argument)
        yield 1

    step = anext(to_async_unthreaded(source()))
    assert run(step) == 1


# --- fairness ---------------------------------------------------------------------------------


@loops
def test_a_stream_that_is_always_ready_lets_others_run(new_loop: Any) -> None:
    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        async for _ in to_async_unthreaded(range(200_000)):
            pass
        task.cancel()
        assert turns >= 200_000 // 16384

    run_on(new_loop, main())


def test_slow_items_let_others_run_after_each_few() -> None:
    def slow() -> Generator[int, None, None]:
        for i in range(20):
            time.sleep(0.002)
            yield i

    async def main() -> None:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        assert await collect(to_async_unthreaded(slow())) == list(range(20))
        task.cancel()
        assert turns >= 8

    asyncio.run(main())


def test_a_pause_that_is_cancelled_loses_nothing() -> None:
    async def main() -> None:
        stream = to_async_unthreaded(range(100_000))
        got: list[int] = []

        async def consume() -> None:
            async for item in stream:
                got.append(item)

        cancelled = 0
        while len(got) < 100_000:
            task = asyncio.create_task(consume())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            cancelled += task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        assert cancelled > 2
        assert got == list(range(100_000))

    asyncio.run(main())


def test_no_loop_is_needed_and_then_there_is_no_pause() -> None:
    coroutine = collect(to_async_unthreaded(range(50_000)))
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)
    assert caught.value.value == list(range(50_000))


# --- notes ------------------------------------------------------------------------------------


def test_an_error_says_at_which_item_it_arose(opened: Callable[..., Any]) -> None:
    stream = opened(Log(), 3, Failed())
    with pytest.raises(Failed) as caught:
        run(collect(stream))
    assert caught.value.__notes__ == ['while reading item 3']


@pytest.mark.parametrize('error', [GeneratorExit, KeyboardInterrupt, asyncio.CancelledError])
def test_leaving_is_not_noted(opened: Callable[..., Any], error: type[BaseException]) -> None:
    stream = opened(Log(), 1, error())
    with pytest.raises(error) as caught:
        run(collect(stream))
    assert not hasattr(caught.value, '__notes__')


# --- bad input --------------------------------------------------------------------------------


def test_to_async_refuses_what_cannot_be_iterated() -> None:
    for source in (1, None, model([], str)):
        with pytest.raises(TypeError, match='is not iterable'):
            to_async_unthreaded(source)


def test_asyncio_is_not_imported_before_it_is_needed() -> None:
    program = """
import sys
from generators import to_async
async def main():
    return [item async for item in to_async(range(100_000), thread=False)]
try:
    main().send(None)
except StopIteration as stop:
    assert len(stop.value) == 100_000
assert 'asyncio' not in sys.modules
"""
    subprocess.run([sys.executable, '-c', program], check=True, timeout=60)

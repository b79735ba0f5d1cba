"""``amap``: async calls, a bounded number at a time, their results in a stream."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import itertools
import sys
import threading
import weakref
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import amap

try:
    import anyio
except ImportError:
    anyio = None  # type: ignore[assignment]


class Failed(Exception):
    """What fails in these tests."""


def run(main: Callable[[], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    async def bounded() -> Any:
        before = asyncio.all_tasks()
        result = await asyncio.wait_for(main(), 300)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() - before == set()
        return result

    return asyncio.run(bounded(), **options)


class Gate:
    """Calls that wait until they are let go."""

    def __init__(self) -> None:
        self.begun: list[Any] = []
        self.ended: list[Any] = []
        self.cancelled: list[Any] = []
        self.events: dict[Any, asyncio.Event] = {}

    def event(self, item: Any) -> asyncio.Event:
        return self.events.setdefault(item, asyncio.Event())

    async def __call__(self, item: Any) -> Any:
        self.begun.append(item)
        try:
            await self.event(item).wait()
        except asyncio.CancelledError:
            self.cancelled.append(item)
            raise
        self.ended.append(item)
        return item

    def let(self, *items: Any) -> None:
        for item in items:
            self.event(item).set()


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def as_async(items: Any, log: list[str] | None = None) -> AsyncGenerator[Any, None]:
    try:
        for item in items:
            await asyncio.sleep(0)
            yield item
    finally:
        if log is not None:
            log.append('closed')


def as_sync(items: Any, log: list[str] | None = None) -> Iterator[Any]:
    try:
        yield from items
    finally:
        if log is not None:
            log.append('closed')


SOURCES = pytest.mark.parametrize('source', [as_sync, as_async])


async def double(x: Any) -> Any:
    return x + x


async def slow_double(x: Any) -> Any:
    await asyncio.sleep(0)
    return x + x


# --- results ----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(0, 3), max_size=20),
    st.integers(1, 5),
    st.one_of(st.none(), st.integers(1, 7)),
    st.booleans(),
    st.booleans(),
)
def test_the_results_are_those_of_map(
    items: list[int], concurrency: int, buffersize: int | None, ordered: bool, is_async: bool
) -> None:
    running, most = 0, 0

    async def call(x: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        for _ in range(x):
            await asyncio.sleep(0)
        running -= 1
        return -x

    async def main() -> None:
        stream = amap(
            call,
            as_async(items) if is_async else items,
            concurrency=concurrency,
            buffersize=buffersize,
            ordered=ordered,
        )
        results = [x async for x in stream]
        expected = [-x for x in items]
        assert results == expected if ordered else sorted(results) == sorted(expected)
        assert most <= min(concurrency, buffersize or concurrency)

    run(main)


@SOURCES
def test_results_come_in_order_or_as_they_are_ready(source: Any) -> None:
    async def main() -> None:
        for ordered in (True, False):
            gate = Gate()
            stream = amap(gate, source(range(3)), concurrency=3, ordered=ordered)
            step = asyncio.ensure_future(anext(stream))
            await turns()
            assert gate.begun == [0, 1, 2]
            gate.let(2)
            await turns()
            assert step.done() is not ordered
            gate.let(0, 1)
            assert await step == (0 if ordered else 2)
            assert [x async for x in stream] == ([1, 2] if ordered else [0, 1])

    run(main)


def test_an_item_of_a_slow_source_does_not_wait_for_the_next_one() -> None:
    async def source() -> AsyncIterator[int]:
        yield 1
        await asyncio.sleep(3600)

    async def main() -> None:
        stream = amap(slow_double, source())
        assert await anext(stream) == 2
        await stream.aclose()

    run(main)


@SOURCES
def test_no_more_than_buffersize_are_started_and_not_given(source: Any) -> None:
    async def main() -> None:
        gate = Gate()
        stream = amap(gate, source(itertools.count()), concurrency=2, buffersize=3)
        step = asyncio.ensure_future(anext(stream))
        await turns()
        assert gate.begun == [0, 1]
        gate.let(1)
        await turns()
        assert gate.begun == [0, 1, 2]
        gate.let(2)
        await turns()
        assert gate.begun == [0, 1, 2]
        gate.let(0)
        assert await step == 0
        await stream.aclose()

    run(main)


def test_construction_pulls_nothing() -> None:
    async def main() -> None:
        source = iter([1])
        stream = amap(double, source)
        assert next(source) == 1
        await stream.aclose()

    run(main)


def test_each_call_is_a_task_of_its_own_with_a_copy_of_the_context() -> None:
    variable = contextvars.ContextVar('variable', default=0)

    async def call(x: int) -> Any:
        value = variable.get()
        variable.set(x + 100)
        await asyncio.sleep(0)
        return asyncio.current_task(), value

    async def main() -> None:
        variable.set(7)
        found = [x async for x in amap(call, range(5), concurrency=3)]
        assert len({task for task, _ in found} | {asyncio.current_task()}) == 6
        assert {value for _, value in found} == {7}
        assert variable.get() == 7

    run(main)


def test_a_task_factory_is_asked() -> None:
    names = []

    def factory(loop: Any, coroutine: Any, **options: Any) -> Any:
        names.append(coroutine.__qualname__)
        return asyncio.Task(coroutine, loop=loop, **options)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        assert [x async for x in amap(double, range(3))] == [0, 2, 4]
        asyncio.get_running_loop().set_task_factory(None)
        assert names == ['amap'] * 3

    run(main)


def test_a_task_shows_where_its_call_is() -> None:
    async def call(x: int) -> None:
        await asyncio.get_running_loop().create_future()

    async def main() -> None:
        stream = amap(call, [1])
        step = asyncio.ensure_future(anext(stream))
        await turns()
        (task,) = asyncio.all_tasks() - {step, asyncio.current_task()} - outer
        assert 'call() running at' in repr(task)
        assert task.get_stack()[-1].f_code.co_name == 'call'
        step.cancel()
        await turns()
        await stream.aclose()

    outer: set[Any] = set()

    async def with_outer() -> None:
        outer.update(asyncio.all_tasks())
        await main()

    run(with_outer)


def test_in_debug_mode() -> None:
    async def main() -> None:
        assert [x async for x in amap(slow_double, as_async(range(3)))] == [0, 2, 4]

    run(main, debug=True)


def test_calls_that_are_ready_do_not_starve_the_loop() -> None:
    async def main() -> int:
        count = 0

        async def use() -> None:
            async for _ in amap(double, range(100_000)):
                pass

        task = asyncio.ensure_future(use())
        while not task.done():
            await asyncio.sleep(0)
            count += 1
        await task
        return count

    assert run(main) > 20


# --- failures ---------------------------------------------------------------------------------


@SOURCES
def test_a_failure_comes_in_its_turn_and_cancels_the_rest(source: Any) -> None:
    gate = Gate()
    log: list[str] = []

    async def call(x: int) -> Any:
        if x == 1:
            raise Failed
        return await gate(x)

    async def main() -> None:
        stream = amap(call, source(itertools.count(), log), concurrency=3)
        gate.let(0)
        assert await anext(stream) == 0
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == [f'while calling {call.__qualname__} with item 1: 1']
        assert sorted(gate.cancelled) == [x for x in gate.begun if x]
        assert log == ['closed']
        assert [x async for x in stream] == []

    run(main)


def test_a_call_that_outlasts_its_cancellation_is_waited_for() -> None:
    log = []

    async def call(x: int) -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.01)
            log.append(x)

    async def main() -> None:
        stream = amap(call, range(3))
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        await stream.aclose()
        assert sorted(log) == [0, 1, 2]

    run(main)


def test_failures_as_results() -> None:
    async def call(x: int) -> int:
        if x % 2:
            raise Failed
        return x

    async def main() -> None:
        results = [x async for x in amap(call, range(4), return_exceptions=True)]
        assert [results[0], results[2]] == [0, 2]
        assert [r.__notes__[0][-9:] for r in results[1::2]] == ['item 1: 1', 'item 3: 3']

    run(main)


@SOURCES
def test_a_source_that_fails_gives_what_it_began_first(source: Any) -> None:
    def items() -> Iterator[int]:
        yield from range(3)
        raise Failed

    async def main() -> None:
        stream = amap(slow_double, source(items()))
        assert [await anext(stream) for _ in range(3)] == [0, 2, 4]
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading item 3']

    run(main)


def test_a_call_that_fails_before_the_source_comes_first() -> None:
    async def source() -> AsyncIterator[int]:
        yield 0
        raise KeyError

    async def call(x: int) -> None:
        await asyncio.sleep(0.01)
        raise Failed

    async def main() -> None:
        with pytest.raises(Failed) as caught:
            await anext(amap(call, source()))
        assert isinstance(caught.value.__context__, KeyError)

    run(main)


def test_a_function_that_returns_no_awaitable() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match=r"fn must return an awaitable, not 'int'.*map_threads"):
            await anext(amap(abs, [1]))  # type: ignore[type-var]
        with pytest.raises(TypeError, match='await'):
            await anext(amap(as_async, [[1]]))  # type: ignore[type-var]

    run(main)


def test_a_function_that_raises_before_it_returns() -> None:
    def call(x: int) -> Any:
        raise Failed

    async def main() -> None:
        with pytest.raises(Failed) as caught:
            await anext(amap(call, [1]))
        assert len(caught.value.__notes__) == 1

    run(main)


def test_stop_iteration_is_a_runtime_error() -> None:
    def raises(x: int) -> Any:
        raise StopIteration

    class Source:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> Any:
            raise RuntimeError('of the source')

    async def main() -> None:
        with pytest.raises(RuntimeError, match='raised StopIteration'):
            await anext(amap(raises, [1]))
        with pytest.raises(RuntimeError, match='of the source'):
            await anext(amap(double, Source()))

    run(main)


def test_stop_async_iteration_of_a_call_does_not_end_the_stream() -> None:
    async def call(x: int) -> Any:
        raise StopAsyncIteration

    async def main() -> None:
        with pytest.raises(RuntimeError, match='StopAsyncIteration'):
            await anext(amap(call, [1]))

    run(main)


def test_a_call_that_cancels_itself() -> None:
    async def call(x: int) -> int:
        if x == 1:
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
        await asyncio.sleep(0)
        return x

    async def main() -> None:
        stream = amap(call, range(3))
        assert await anext(stream) == 0
        with pytest.raises(asyncio.CancelledError):
            await anext(stream)
        results = [x async for x in amap(call, range(3), return_exceptions=True)]
        assert isinstance(results.pop(1), asyncio.CancelledError)
        assert results == [0, 2]

    run(main)


# --- leaving, closing -------------------------------------------------------------------------


@SOURCES
def test_leaving_a_step_loses_nothing(source: Any) -> None:
    async def call(x: int) -> int:
        await asyncio.sleep(0.005)
        return x

    async def main() -> None:
        stream = amap(call, source(range(20)), concurrency=2)
        found, left = [], 0
        while len(found) < 20:
            try:
                found.append(await asyncio.wait_for(anext(stream), 0.001))
            except TimeoutError:
                left += 1
        assert found == list(range(20))
        assert left > 5
        assert [x async for x in stream] == []

    run(main)


@SOURCES
@pytest.mark.parametrize('taken', range(4))
def test_aclose_cancels_the_calls_and_then_closes_the_source(source: Any, taken: int) -> None:
    async def main() -> None:
        gate = Gate()
        log: list[str] = []
        stream = amap(gate, source(itertools.count(), log), concurrency=2)
        gate.let(*range(taken))
        for i in range(taken):
            assert await anext(stream) == i
        await stream.aclose()
        assert sorted(gate.ended + gate.cancelled) == sorted(gate.begun)
        assert log == (['closed'] if taken else [])
        await stream.aclose()
        assert [x async for x in stream] == []

    run(main)


@SOURCES
def test_what_is_dropped_is_closed_by_its_loop(source: Any) -> None:
    async def main() -> None:
        gate = Gate()
        log: list[str] = []
        stream = amap(gate, source(itertools.count(), log), concurrency=3)
        gate.let(0)
        assert await anext(stream) == 0
        await turns()
        reference = weakref.ref(stream)
        del stream
        await turns(30)
        assert reference() is None
        assert sorted(gate.cancelled) == [x for x in gate.begun if x]
        assert log == ['closed']

    run(main)


def test_a_loop_that_ends_in_the_middle() -> None:
    gate = Gate()
    held = []

    async def main() -> None:
        stream = amap(gate, itertools.count(), concurrency=3)
        held.append(stream)
        gate.let(0)
        assert await anext(stream) == 0

    asyncio.run(main())
    assert sorted(gate.cancelled) == [x for x in gate.begun if x]
    held.clear()
    gc.collect()


def test_a_loop_that_is_closed_in_the_middle() -> None:
    async def never(x: int) -> None:
        await asyncio.get_running_loop().create_future()

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)
    stream = amap(never, range(3))
    step = loop.create_task(anext(stream))  # type: ignore[arg-type]
    loop.call_later(0.01, loop.stop)
    loop.run_forever()
    loop.close()
    del step, stream
    gc.collect()


def test_one_that_is_dropped_on_another_thread_cancels_all_that_run() -> None:
    gate = Gate()

    async def main() -> None:
        loop: Any = asyncio.get_running_loop()
        ended = threading.Event()
        tell = loop.call_soon_threadsafe

        def tell_and_wait(cancel: Any) -> None:
            """The call is over before the next one is cancelled."""
            ended.clear()
            cancel.__self__.add_done_callback(lambda task: ended.set())
            tell(cancel)
            assert ended.wait(20)

        sys.set_asyncgen_hooks(None, None)  # nothing else closes it
        stream = amap(gate, range(5))
        step = asyncio.ensure_future(anext(stream))
        await turns()
        step.cancel()
        with suppress(asyncio.CancelledError):
            await step
        assert gate.begun == [0, 1, 2, 3, 4]
        del step
        held = [stream]
        del stream
        loop.call_soon_threadsafe = tell_and_wait
        thread = threading.Thread(target=held.clear)
        thread.start()
        while thread.is_alive():
            await asyncio.sleep(0.001)
        del loop.call_soon_threadsafe
        await turns()
        assert sorted(gate.cancelled) == [0, 1, 2, 3, 4]

    run(main)


@pytest.mark.parametrize('source', [as_async, iter])
@pytest.mark.parametrize('call', [anext, lambda stream: stream.aclose()])
def test_a_step_on_the_thread_of_another_loop_is_refused(source: Any, call: Any) -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def double(x: int) -> int:
            await go.wait()
            return 2 * x

        stream = amap(double, source(range(100)))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)

        async def elsewhere() -> str:
            with pytest.raises(RuntimeError, match='belongs to another event loop') as caught:
                await call(stream)
            return str(caught.value)

        said = await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
        assert said == 'amap() belongs to another event loop than the one of this thread'
        go.set()
        if call is anext:
            assert [item async for item in stream] == [2 * i for i in range(100)]
        await stream.aclose()

    run(main)


def test_a_loop_may_go_on_in_another_thread() -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    loop = asyncio.new_event_loop()
    stream = amap(double, range(3))

    async def step() -> int:
        return await anext(stream)

    taken: list[int] = []
    for _ in range(3):
        thread = threading.Thread(target=lambda: taken.append(loop.run_until_complete(step())))
        thread.start()
        thread.join(20)
    loop.run_until_complete(stream.aclose())
    loop.close()
    assert taken == [0, 2, 4]


def test_close_with_task() -> None:
    async def main() -> None:
        gate = Gate()
        stream = amap(gate, range(9), close_with_task=True)

        async def client() -> None:
            await anext(stream)

        task = asyncio.ensure_future(client())
        await turns()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await turns()
        assert sorted(gate.cancelled) == gate.begun != []

    run(main)


def test_overlapping_steps_are_refused() -> None:
    async def main() -> None:
        gate = Gate()
        stream = amap(gate, range(2))
        first = asyncio.ensure_future(anext(stream))
        await turns()
        with pytest.raises(RuntimeError, match='already running'):
            await anext(stream)
        gate.let(0, 1)
        assert await first == 0
        await stream.aclose()

    run(main)


def test_it_needs_a_loop() -> None:
    stream = amap(double, [1])
    with pytest.raises(RuntimeError, match=r'amap\(\) needs a running asyncio event loop'):
        stream.__anext__().__await__().__next__()


@pytest.mark.parametrize(
    ('arguments', 'options', 'error', 'message'),
    [
        ((double,), {}, TypeError, 'source'),
        ((1, []), {}, TypeError, "fn must be callable, not 'int'"),
        ((double, 5), {}, TypeError, "an iterable or an async iterable, not 'int'"),
        ((double, []), {'concurrency': 0}, ValueError, 'concurrency must be at least one, not 0'),
        ((double, []), {'concurrency': 'a'}, TypeError, 'str'),
        ((double, []), {'buffersize': 0}, ValueError, 'buffersize must be at least one, not 0'),
        ((double, []), {'executor': None}, TypeError, 'executor'),
    ],
)
def test_bad_arguments(arguments: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        amap(*arguments, **options)


# --- what is raised while it closes -----------------------------------------------------------


class FailedToStop(Exception):
    """What a call raises when it is cancelled."""


async def fails_to_stop(x: Any) -> Any:
    try:
        await asyncio.sleep(3600)
    finally:
        raise FailedToStop(x)


@SOURCES
def test_what_calls_raise_while_they_are_cancelled_is_raised_by_aclose(source: Any) -> None:
    async def main() -> None:
        stream = amap(fails_to_stop, source(range(9)), concurrency=2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        with pytest.raises(FailedToStop) as caught:
            await stream.aclose()
        (number,) = caught.value.args
        assert caught.value.item == number
        assert caught.value.__notes__ == [
            f'while calling fails_to_stop with item {number}: {number}',
            (
                f'the call with item {1 - number} raised FailedToStop({1 - number}) '
                'when it was cancelled'
            ),
        ]
        await stream.aclose()

    run(main)


def test_what_calls_raise_while_they_are_cancelled_comes_with_the_first_failure() -> None:
    async def call(x: int) -> Any:
        if x == 0:
            await asyncio.sleep(0.001)
            raise Failed
        return await fails_to_stop(x)

    async def main() -> None:
        with pytest.raises(Failed) as caught:
            await anext(amap(call, range(2)))
        assert caught.value.item == 0
        assert caught.value.__notes__[1:] == [
            'the call with item 1 raised FailedToStop(1) when it was cancelled'
        ]

    run(main)


class Mute(Exception):
    def __repr__(self) -> str:
        raise ValueError


def test_what_has_no_repr_is_named_by_its_type() -> None:
    async def call(x: int) -> Any:
        if x == 0:
            await asyncio.sleep(0.001)
            raise Failed
        try:
            await asyncio.sleep(3600)
        finally:
            raise Mute

    async def main() -> None:
        with pytest.raises(Failed) as caught:
            await anext(amap(call, range(2)))
        assert 'the call with item 1 raised ' in caught.value.__notes__[1]
        assert 'Mute when it was cancelled' in caught.value.__notes__[1]

    run(main)


def test_an_error_of_closing_the_source_comes_with_the_first_failure() -> None:
    class Angry(Exception):
        pass

    async def source() -> AsyncIterator[int]:
        try:
            for i in range(9):
                yield i
        finally:
            raise Angry

    async def main() -> None:
        stream = amap(fails_to_stop, source(), concurrency=2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        with pytest.raises(Angry) as caught:
            await stream.aclose()
        chain: list[BaseException] = [caught.value]
        while chain[-1].__context__ is not None:
            chain.append(chain[-1].__context__)
        assert any(isinstance(error, FailedToStop) for error in chain)

    run(main)


# --- pairs, and the item of an exception ----------------------------------------------------------


@SOURCES
@pytest.mark.parametrize('ordered', [True, False])
def test_pairs(source: Any, ordered: bool) -> None:
    async def call(x: int) -> int:
        await asyncio.sleep(0.001 if x % 2 else 0)
        return x * x

    async def main() -> None:
        found = [pair async for pair in amap(call, source(range(9)), pairs=True, ordered=ordered)]
        assert sorted(found) == [(x, x * x) for x in range(9)]
        assert not ordered or found == sorted(found)

    run(main)


def test_pairs_of_exceptions() -> None:
    async def call(x: int) -> int:
        if x == 1:
            raise Failed
        if x == 2:
            raise asyncio.CancelledError
        return x

    async def main() -> None:
        found = [pair async for pair in amap(call, range(4), pairs=True, return_exceptions=True)]
        assert [item for item, _ in found] == [0, 1, 2, 3]
        assert isinstance(found[1][1], Failed)
        assert [getattr(result, 'item', None) for _, result in found] == [None, 1, 2, None]

    run(main)


def test_the_item_is_held_no_longer_than_its_pair() -> None:
    class Item:
        pass

    async def call(x: Item) -> None:
        await asyncio.sleep(0)

    async def main() -> None:
        item = Item()
        held = weakref.ref(item)
        stream = amap(call, [item], pairs=True)
        del item
        pair = await anext(stream)
        assert pair == (held(), None)
        del pair
        await stream.aclose()
        del stream
        await turns()
        gc.collect()
        assert held() is None

    run(main)


def test_an_exception_that_takes_no_attribute_is_raised_all_the_same() -> None:
    class Closed(Exception):
        def __setattr__(self, name: str, value: object) -> None:
            raise AttributeError(name)

    async def call(x: int) -> None:
        raise Closed

    async def main() -> None:
        with pytest.raises(Closed):
            await anext(amap(call, range(2)))

    run(main)


def test_the_outermost_item_is_that_of_the_exception() -> None:
    async def inner(x: int) -> None:
        raise Failed

    async def outer(x: str) -> None:
        async for _ in amap(inner, range(3)):
            pass

    async def main() -> None:
        with pytest.raises(Failed) as caught:
            await anext(amap(outer, 'abc'))
        assert caught.value.item == 'a'
        assert len(caught.value.__notes__) == 2

    run(main)


# --- one slow call --------------------------------------------------------------------------------


def test_one_slow_call_does_not_hold_up_the_quick_ones() -> None:
    async def main() -> None:
        go, most, running = asyncio.Event(), 0, 0

        async def call(x: int) -> int:
            nonlocal most, running
            running += 1
            most = max(most, running)
            if x == 0:
                await go.wait()
            else:
                await asyncio.sleep(0)
            running -= 1
            return x

        stream = amap(call, range(500), concurrency=4)
        step = asyncio.ensure_future(anext(stream))
        while stream.held < 499:
            await asyncio.sleep(0)
        assert most == 4
        assert not step.done()
        go.set()
        assert [await step, *[x async for x in stream]] == list(range(500))

    run(main)


# --- a second cancellation ------------------------------------------------------------------------


@SOURCES
def test_a_second_cancellation_leaves_no_call_running(source: Any) -> None:
    async def main() -> None:
        running = 0

        async def call(x: int) -> None:
            nonlocal running
            running += 1
            try:
                await asyncio.sleep(3600)
            finally:
                for _ in range(20):
                    await asyncio.sleep(0)
                running -= 1

        async def consume() -> None:
            async with contextlib.aclosing(amap(call, source(range(9)), concurrency=3)) as all_:
                async for _ in all_:
                    pass

        consumer = asyncio.ensure_future(consume())
        await turns()
        assert running == 3
        consumer.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
            assert not consumer.done()
            consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        assert running == 0

    run(main)


class Quit(SystemExit):
    pass


@pytest.mark.parametrize('raised', [Quit, KeyboardInterrupt])
@pytest.mark.parametrize('late', [True, False])
@pytest.mark.parametrize('where', ['source', 'call'])
def test_what_ends_the_program_is_retrieved(
    raised: type[BaseException], late: bool, where: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        if late:
            await asyncio.sleep(0)
        raise raised

    async def source() -> AsyncIterator[int]:
        yield 1
        if where == 'source':
            await fail()
        yield 2

    async def call(x: int) -> int:
        if x == 2:
            await fail()
        return x

    async def main() -> None:
        async with contextlib.aclosing(amap(call, source(), concurrency=1)) as stream:
            async for _ in stream:
                await asyncio.sleep(0.01)

    with pytest.raises(raised):
        asyncio.run(main())
    gc.collect()
    # The task of main() itself, which the runner cancels, is none of ours.
    lost = [text for text in caplog.messages if 'main() done' not in text]
    assert not any('never retrieved' in text for text in lost)


def test_with_exceptions_as_results_nobody_is_told_of_those_not_asked_for() -> None:
    async def main() -> None:
        stream = amap(fails_to_stop, range(2), return_exceptions=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        await stream.aclose()

    run(main)


@pytest.mark.parametrize('error', [GeneratorExit, BaseExceptionGroup('several', [GeneratorExit()])])
def test_any_exception_of_a_call_is_raised_and_nothing_is_logged(error: Any) -> None:
    async def call(x: int) -> None:
        await asyncio.sleep(0)
        raise error

    async def main() -> None:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        with pytest.raises(BaseException) as caught:
            await anext(amap(call, [1]))
        assert isinstance(caught.value, error if isinstance(error, type) else type(error))
        del caught
        gc.collect()
        assert said == []

    run(main)


def test_what_the_source_raises_when_it_is_closed_is_raised() -> None:
    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            raise Failed('closing')

    async def main() -> None:
        stream = amap(double, source(), concurrency=1, buffersize=1)
        assert await anext(stream) == 2
        with pytest.raises(Failed, match='closing'):
            await stream.aclose()

    run(main)


class Slow:
    """Calls that take their time to stop."""

    def __init__(self) -> None:
        self.running = 0

    async def __call__(self, x: Any) -> Any:
        self.running += 1
        try:
            await asyncio.sleep(3600)
        finally:
            await asyncio.sleep(0.02)
            self.running -= 1


@SOURCES
@pytest.mark.parametrize('cancellations', [1, 2, 5])
def test_no_call_runs_behind_the_block_however_often_it_is_cancelled(
    source: Any, cancellations: int
) -> None:
    async def main() -> None:
        slow = Slow()

        async def use() -> None:
            try:
                async with amap(slow, source(range(9)), concurrency=3) as stream:
                    await anext(stream)
            finally:
                assert slow.running == 0

        task = asyncio.create_task(use())
        await asyncio.sleep(0.01)
        assert slow.running == 3
        for _ in range(cancellations):
            task.cancel()
            await turns(3)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert slow.running == 0

    run(main)


@pytest.mark.skipif(anyio is None, reason='anyio is not installed')
@SOURCES
def test_no_call_runs_behind_a_scope_of_anyio(source: Any) -> None:
    async def main() -> None:
        slow = Slow()
        with anyio.move_on_after(0.01) as scope:
            async with amap(slow, source(range(9)), concurrency=3) as stream:
                await anext(stream)
        assert scope.cancelled_caught
        assert slow.running == 0

    run(main)


def test_a_cancellation_while_it_closes_is_raised_when_it_has() -> None:
    async def main() -> None:
        slow = Slow()
        stream = amap(slow, range(2))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        closing = asyncio.create_task(stream.aclose())
        await turns(2)
        closing.cancel()
        await turns(2)
        assert slow.running == 2
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert slow.running == 0

    run(main)


# --- an async source lives in one task --------------------------------------------------------


async def in_one_task(log: list[Any]) -> AsyncGenerator[int, None]:
    try:
        for i in itertools.count():
            log.append(asyncio.current_task())
            yield i
    finally:
        log.append(asyncio.current_task())
        await asyncio.sleep(0)
        log.append('closed')


def assert_in_one_task(log: list[Any]) -> None:
    assert log[-1] == 'closed'
    assert len(set(log)) == 2


def test_closing_runs_the_finally_of_the_source_in_its_task() -> None:
    async def main() -> None:
        log: list[Any] = []
        stream = amap(double, in_one_task(log), concurrency=2)
        assert await anext(stream) == 0
        await stream.aclose()
        assert_in_one_task(log)

    run(main)


@pytest.mark.parametrize('hooks', [True, False])
def test_dropping_runs_the_finally_of_the_source_in_its_task(hooks: bool) -> None:
    async def main() -> None:
        log: list[Any] = []
        if not hooks:
            sys.set_asyncgen_hooks(None, None)
        stream = amap(double, in_one_task(log), concurrency=2)
        assert await anext(stream) == 0
        del stream
        await turns(30)
        assert_in_one_task(log)

    run(main)


def test_the_end_of_the_loop_runs_the_finally_of_the_source_in_its_task() -> None:
    log: list[Any] = []
    held = []

    async def main() -> None:
        held.append(amap(double, in_one_task(log), concurrency=2))
        assert await anext(held[0]) == 0

    asyncio.run(main())
    assert_in_one_task(log)


def test_the_source_is_closed_when_the_calls_have_ended() -> None:
    async def main() -> None:
        log: list[str] = []

        async def source() -> AsyncGenerator[int, None]:
            try:
                while True:
                    yield 1
            finally:
                log.append('source')

        async def call(x: int) -> None:
            try:
                await asyncio.sleep(3600)
            finally:
                await asyncio.sleep(0.01)
                log.append('call')

        stream = amap(call, source(), concurrency=2)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(stream), 0.01)
        await stream.aclose()
        assert log == ['call', 'call', 'source']

    run(main)


def test_no_item_is_taken_after_a_call_has_failed() -> None:
    async def main() -> None:
        taken: list[int] = []
        go = asyncio.Event()

        async def source() -> AsyncGenerator[int, None]:
            for i in range(2):
                yield i
            await go.wait()
            taken.append(2)
            yield 2

        async def call(x: int) -> int:
            if x == 1:
                raise Failed
            await asyncio.sleep(0.01)
            return x

        stream = amap(call, source())
        step = asyncio.ensure_future(anext(stream))
        await turns()
        go.set()
        assert await step == 0
        with pytest.raises(Failed):
            await anext(stream)
        assert taken == []

    run(main)


def test_a_reader_that_is_closed_is_an_error_of_the_stream() -> None:
    async def endless(own: list[Any]) -> AsyncIterator[int]:
        task = asyncio.current_task()
        assert task is not None
        own.append(task.get_coro())
        yield 1
        await asyncio.sleep(3600)

    async def main() -> None:
        own: list[Any] = []
        stream = amap(double, endless(own))
        assert await anext(stream) == 2
        await turns()
        own[0].close()
        with pytest.raises(RuntimeError, match='the task of the source was closed'):
            await anext(stream)

    asyncio.run(main())


# --- memory -----------------------------------------------------------------------------------


def test_nothing_leaks() -> None:
    item = Failed()

    async def fail(x: Any) -> Any:
        await asyncio.sleep(0)
        raise KeyError

    async def same(x: Any) -> Any:
        await asyncio.sleep(0)
        return x

    async def main() -> None:
        async def use() -> None:
            for source in (list, as_async):
                for ordered in (True, False):
                    stream = amap(same, source([item] * 9), ordered=ordered)
                    assert len([x async for x in stream]) == 9
                    stream = amap(same, source([item] * 9), ordered=ordered)
                    await anext(stream)
                    await stream.aclose()
                    with pytest.raises(KeyError):
                        await anext(amap(fail, source([item] * 9), ordered=ordered))
                    stream = amap(same, source([item] * 9), ordered=ordered)
                    await anext(stream)
                    del stream
                    await turns()
            gc.collect()

        await use()
        before = sys.getrefcount(item), sys.getrefcount(amap)
        for _ in range(10):
            await use()
        assert (sys.getrefcount(item), sys.getrefcount(amap)) == before

    run(main)


class Forgetful(asyncio.Future[Any]):
    """It has no memory when it is to end for the first time."""

    failed = False

    def set_result(self, result: Any) -> None:
        if not self.failed:
            self.failed = True
            raise MemoryError
        super().set_result(result)


def test_a_wait_that_could_not_be_ended_for_want_of_memory_is_ended_all_the_same() -> None:
    made: list[Forgetful] = []

    class Loop(asyncio.SelectorEventLoop):
        def create_future(self) -> Any:
            made.append(Forgetful(loop=self))
            return made[-1]

    async def call(x: int) -> int:
        await asyncio.sleep(0)
        return x

    async def collect() -> list[int]:
        return [x async for x in amap(call, range(5), concurrency=2)]

    loop = Loop()
    try:
        assert loop.run_until_complete(collect()) == [0, 1, 2, 3, 4]
    finally:
        loop.close()
    assert any(future.failed for future in made)


def test_a_call_tells_that_it_runs() -> None:
    async def main() -> list[Any]:
        async def call(x: int) -> Any:
            return asyncio.current_task().get_coro().cr_running

        return [running async for running in amap(call, [1])]

    assert asyncio.run(main()) == [True]

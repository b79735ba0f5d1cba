"""``amerge``: the items of several async iterables as they come."""

from __future__ import annotations

import asyncio
import gc
import itertools
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from generators import amap, amerge
from tests.tasks.test_amap import Failed, anyio, run, turns


class Source:
    """An async generator that gives what it is fed, and tells what it did."""

    def __init__(self, name: str = '') -> None:
        self.queue: asyncio.Queue[Any] = asyncio.Queue()
        self.log: list[Any] = []
        self.name = name

    async def items(self) -> AsyncGenerator[Any, None]:
        try:
            while (item := await self.queue.get()) is not ...:
                if isinstance(item, BaseException):
                    raise item
                self.log.append(item)
                yield item
        finally:
            await asyncio.sleep(0)
            self.log.append('closed')

    def feed(self, *items: Any) -> None:
        for item in items:
            self.queue.put_nowait(item)


def test_items_come_as_they_come_and_in_the_order_of_each() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        two.feed('a')
        assert await anext(stream) == 'a'
        one.feed(1)
        assert await anext(stream) == 1
        one.feed(2, 3, ...)
        two.feed('b', ...)
        rest = [x async for x in stream]
        assert sorted(map(str, rest)) == ['2', '3', 'b']
        assert rest.index(2) < rest.index(3)

    run(main)


def test_no_more_than_one_item_of_each_is_held() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        one.feed(1, 2, 3, ...)
        two.feed('a', ...)
        stream = amerge(one.items(), two.items())
        await anext(stream)
        await turns()
        assert len(one.log) <= 2
        assert sorted(map(str, [x async for x in stream] + [0])) != []
        assert one.log == [1, 2, 3, 'closed']

    run(main)


def test_nothing_is_pulled_before_the_first_step() -> None:
    async def main() -> None:
        one = Source()
        one.feed(1)
        stream = amerge(one.items())
        await turns()
        assert one.log == []
        await stream.aclose()

    run(main)


def test_no_source_is_the_end() -> None:
    async def main() -> None:
        assert [x async for x in amerge()] == []

    run(main)


def test_until_first_ends_with_the_first_and_closes_the_others() -> None:
    async def main() -> None:
        websocket, subscription = Source(), Source()
        stream = amerge(websocket.items(), subscription.items(), until='first')
        subscription.feed('news')
        assert await anext(stream) == 'news'
        websocket.feed('bye', ...)
        assert [x async for x in stream] == ['bye']
        assert subscription.log == ['news', 'closed']

    run(main)


def test_an_error_of_a_source_comes_after_what_came_before_it_and_closes_the_others() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        one.feed(1, Failed())
        assert await anext(stream) == 1
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading item 1']
        assert two.log == ['closed']
        assert [x async for x in stream] == []

    run(main)


def test_leaving_a_step_loses_nothing() -> None:
    async def ticks(step: float, count: int) -> AsyncGenerator[int, None]:
        for i in range(count):
            await asyncio.sleep(step)
            yield i

    async def main() -> None:
        stream = amerge(ticks(0.003, 10), ticks(0.005, 6))
        found, left = [], 0
        while len(found) < 16:
            try:
                found.append(await asyncio.wait_for(anext(stream), 0.001))
            except TimeoutError:
                left += 1
        assert sorted(found) == sorted([*range(10), *range(6)])
        assert left > 5
        assert [x async for x in stream] == []

    run(main)


# --- items at the end -------------------------------------------------------------------------


async def counted(taken: list[Any], wait: float) -> AsyncGenerator[int, None]:
    for i in itertools.count():
        await asyncio.sleep(wait)
        taken.append(i)
        yield i


async def few(error: Exception | None) -> AsyncGenerator[str, None]:
    yield 'a'
    await asyncio.sleep(0.01)
    if error is not None:
        raise error


ENDS = pytest.mark.parametrize(
    ('error', 'until'), [(None, 'first'), (Failed(), 'first'), (Failed(), 'all')]
)


@ENDS
@pytest.mark.parametrize('wait', [0, 0.001])
@pytest.mark.parametrize('slow', [False, True])
def test_no_item_is_taken_that_is_not_given(
    error: Exception | None, until: Any, wait: float, slow: bool
) -> None:
    async def main() -> None:
        taken: list[Any] = []
        found: list[Any] = []
        stream: Any = amerge(counted(taken, wait), few(error), until=until)
        try:
            async for item in stream:
                found.append(item)
                if slow:
                    await asyncio.sleep(0.004)
        except Failed as caught:
            assert caught is error
        else:
            assert error is None
        found.remove('a')
        assert found == taken == list(range(len(taken)))

    run(main)


@ENDS
def test_an_item_that_comes_in_spite_of_the_end_is_given(
    error: Exception | None, until: Any
) -> None:
    async def stubborn() -> AsyncGenerator[str, None]:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)
            yield 'last'
            yield 'too late'

    async def main() -> None:
        found = []
        stream: Any = amerge(stubborn(), few(error), until=until)
        try:
            async for item in stream:
                found.append(item)
        except Failed as caught:
            assert caught is error
        assert found == ['a', 'last']

    run(main)


def test_the_others_are_stopped_though_nobody_asks_for_an_item() -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items(), until='first')
        one.feed(1, ...)
        assert await anext(stream) == 1
        await turns()
        assert two.log == ['closed']
        assert [x async for x in stream] == []

    run(main)


def test_sources_that_follow_an_empty_one_are_closed() -> None:
    async def none() -> AsyncGenerator[int, None]:
        for x in ():
            yield x

    async def main() -> None:
        two = Source()
        assert [x async for x in amerge(none(), two.items(), until='first')] == []
        assert two.log == []  # it was never begun

    run(main)


# --- what is raised while it closes -----------------------------------------------------------


async def grouped() -> AsyncGenerator[int, None]:
    async with asyncio.TaskGroup() as group:
        group.create_task(asyncio.sleep(3600))
        for i in itertools.count():
            yield i


async def raised_by(awaitable: Awaitable[Any]) -> BaseException | None:
    try:
        await awaitable
    except BaseExceptionGroup as raised:
        return raised
    return None


def test_what_a_task_group_around_a_yield_raises_is_raised_by_aclose() -> None:
    async def main() -> None:
        said: list[Any] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
        alone = grouped()
        assert await anext(alone) == 0
        expected = await raised_by(alone.aclose())
        assert (expected is None) is (sys.version_info >= (3, 15))
        stream = amerge(grouped())
        assert await anext(stream) == 0
        assert repr(await raised_by(stream.aclose())) == repr(expected)
        del stream
        await turns()
        gc.collect()
        assert said == []

    run(main)


def test_errors_of_several_sources_are_raised_together() -> None:
    async def source(name: str) -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            raise Failed(name)

    async def main() -> None:
        stream = amerge(source('a'), source('b'))
        await anext(stream)
        with pytest.raises(Failed) as caught:
            await stream.aclose()
        other = caught.value.__context__
        while other is not None and not isinstance(other, Failed):
            other = other.__context__
        assert other is not None
        assert {caught.value.args, other.args} == {('a',), ('b',)}

    run(main)


async def slow_to_stop(log: list[str]) -> AsyncGenerator[int, None]:
    try:
        yield 1
        await asyncio.sleep(3600)
    finally:
        await asyncio.sleep(0.02)
        log.append('closed')


@pytest.mark.parametrize('cancellations', [1, 2, 5])
def test_no_source_runs_behind_the_block_however_often_it_is_cancelled(cancellations: int) -> None:
    async def main() -> None:
        log: list[str] = []

        async def use() -> None:
            try:
                async with amerge(slow_to_stop(log), slow_to_stop(log)) as stream:
                    async for _ in stream:
                        pass
            finally:
                assert log == ['closed', 'closed']

        task = asyncio.create_task(use())
        await asyncio.sleep(0.01)
        for _ in range(cancellations):
            task.cancel()
            await turns(3)
        with pytest.raises(asyncio.CancelledError):
            await task
        assert log == ['closed', 'closed']

    run(main)


@pytest.mark.skipif(anyio is None, reason='anyio is not installed')
def test_no_source_runs_behind_a_scope_of_anyio() -> None:
    async def main() -> None:
        log: list[str] = []
        with anyio.move_on_after(0.01) as scope:
            async with amerge(slow_to_stop(log), slow_to_stop(log)) as stream:
                async for _ in stream:
                    pass
        assert scope.cancelled_caught
        assert log == ['closed', 'closed']

    run(main)


@pytest.mark.parametrize('taken', range(3))
def test_aclose_closes_every_source(taken: int) -> None:
    async def main() -> None:
        sources = [Source() for _ in range(3)]
        stream = amerge(*(source.items() for source in sources))
        for i in range(taken):
            sources[i].feed(i)
            assert await anext(stream) == i
        await stream.aclose()
        await stream.aclose()
        for source in sources:
            assert source.log[-1:] == (['closed'] if taken else [])

    run(main)


@pytest.mark.parametrize('call', [anext, lambda stream: stream.aclose()])
def test_a_step_on_the_thread_of_another_loop_is_refused(call: Any) -> None:
    async def main() -> None:
        one, two = Source(), Source()
        stream = amerge(one.items(), two.items())
        one.feed(1)
        assert await anext(stream) == 1

        async def elsewhere() -> None:
            with pytest.raises(RuntimeError, match=r'^amerge\(\) belongs to another event loop'):
                await call(stream)

        await asyncio.to_thread(lambda: asyncio.run(elsewhere()))
        if call is anext:
            two.feed(2)
            assert await anext(stream) == 2
        await stream.aclose()
        assert (one.log[-1], two.log[-1]) == ('closed', 'closed')

    run(main)


def test_the_collector_meets_sources_that_ended_with_an_item_not_taken() -> None:
    """One that stood in the list twice was a circle in it, and a collection did not end."""

    async def main() -> None:
        one, two, last = Source(), Source(), asyncio.Event()

        async def slow() -> AsyncGenerator[str, None]:
            try:
                yield 'slow'
                await asyncio.Event().wait()
            finally:
                await last.wait()

        stream = amerge(slow(), one.items(), two.items())
        one.feed(1, 2)
        two.feed(3, 4)
        assert await anext(stream) == 'slow'
        await turns()
        closing = asyncio.create_task(stream.aclose())
        await turns()
        assert one.log[-1] == two.log[-1] == 'closed'
        gc.collect()
        last.set()
        await closing

    run(main)


def test_an_error_of_closing_is_raised() -> None:
    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            raise Failed('closing')

    async def main() -> None:
        stream = amerge(source())
        assert await anext(stream) == 1
        with pytest.raises(Failed, match='closing'):
            await stream.aclose()

    run(main)


@pytest.mark.parametrize('end', ['aclose', 'drop', 'loop'])
def test_a_source_is_read_by_one_task(end: str) -> None:
    tasks: set[Any] = set()
    log: list[str] = []
    held: list[Any] = []

    async def source() -> AsyncGenerator[int, None]:
        try:
            for i in range(5):
                tasks.add(asyncio.current_task())
                yield i
        finally:
            tasks.add(asyncio.current_task())
            await asyncio.sleep(0)
            log.append('closed')

    async def main() -> None:
        stream = amerge(source())
        for _ in range(3):
            await anext(stream)
        if end == 'aclose':
            await stream.aclose()
        elif end == 'drop':
            sys.set_asyncgen_hooks(None, None)
            del stream
            await turns(20)
        else:
            held.append(stream)

    asyncio.run(main())
    assert log == ['closed']
    assert len(tasks) == 1


def test_what_is_dropped_is_closed_by_its_loop() -> None:
    async def main() -> None:
        one = Source()
        one.feed(1)
        stream = amerge(one.items())
        assert await anext(stream) == 1
        del stream
        await turns(30)
        assert one.log == [1, 'closed']

    run(main)


def test_a_native_stream_is_a_source() -> None:
    async def double(x: int) -> int:
        return 2 * x

    async def main() -> None:
        found = [x async for x in amerge(amap(double, range(5)), amap(double, range(5, 9)))]
        assert sorted(found) == [2 * x for x in range(9)]

    run(main)


def test_an_iterator_that_is_no_generator_stays_open() -> None:
    class Cursor:
        closed = False

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            return 1

        async def aclose(self) -> None:
            self.closed = True

    async def main() -> None:
        cursor = Cursor()
        stream = amerge(cursor)
        assert await anext(stream) == 1
        await stream.aclose()
        assert not cursor.closed

    run(main)


@pytest.mark.parametrize('value', [1, [1], iter([1]), None])
def test_what_is_no_async_iterable_is_named(value: Any) -> None:
    source = Source().items()
    with pytest.raises(TypeError, match='source 1 must be an async iterable, not '):
        amerge(source, value)


def test_until_is_checked() -> None:
    with pytest.raises(ValueError, match="until must be 'all' or 'first', not 'last'"):
        amerge(until='last')  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        amerge(until=1)  # type: ignore[arg-type]


def test_nothing_leaks() -> None:
    item = object()

    async def main() -> None:
        async def use() -> None:
            for last in (..., Failed()):
                one, two = Source(), Source()
                one.feed(item, item, last)
                two.feed(item)
                stream = amerge(one.items(), two.items(), until='first')
                try:
                    async for _ in stream:
                        pass
                except Failed:
                    pass
            stream = amerge(one.items(), two.items())
            one.feed(item)
            await anext(stream)
            del stream, one, two
            await turns(20)
            gc.collect()

        await use()
        before = sys.getrefcount(item), sys.getrefcount(amerge)
        for _ in range(10):
            await use()
        assert (sys.getrefcount(item), sys.getrefcount(amerge)) == before

    run(main)


# --- names, and sources that are added ------------------------------------------------------------


async def several(*items: Any) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


def test_items_with_the_name_of_their_source() -> None:
    async def main() -> None:
        found = [x async for x in amerge(quotes=several(1, 2), trades=several(3))]
        assert sorted(found) == [('quotes', 1), ('quotes', 2), ('trades', 3)]
        assert [name for name, _ in found].count('quotes') == 2

    run(main)


class Name(str):
    pass


def test_a_name_is_an_exact_text() -> None:
    async def main() -> None:
        ((name, item),) = [x async for x in amerge(**{Name('a'): several(1)})]
        assert type(name) is str
        assert (name, item) == ('a', 1)

    run(main)


@pytest.mark.parametrize(
    ('make', 'error', 'text'),
    [
        (lambda: amerge(several(1), a=several(2)), TypeError, 'all sources .* have names, or none'),
        (lambda: amerge(until=several(1)), TypeError, 'no source can have that name'),
        (lambda: amerge(close_with_task=several(1)), TypeError, 'no source can have that name'),
        (lambda: amerge(until='some'), ValueError, "not 'some'"),
        (lambda: amerge(until=5), TypeError, 'not 5'),
        (lambda: amerge(a=5), TypeError, "source a must be an async iterable, not 'int'"),
        (lambda: amerge([several(1), several(2)]), TypeError, r'amerge\(\*sources\)'),
        (lambda: amerge(range(5)), TypeError, r'pass to_async\(source\)'),
        (lambda: amerge(several), TypeError, 'it is a function: call it'),
    ],
)
def test_sources_that_are_refused(
    make: Callable[[], Any], error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        make()


def test_a_source_is_added_before_the_first_step() -> None:
    async def main() -> None:
        stream = amerge()
        stream.add(several(1))
        stream.add(several(2), several(3))
        assert sorted([x async for x in stream]) == [1, 2, 3]

    run(main)


def test_a_source_is_added_while_a_step_waits() -> None:
    async def main() -> None:
        never = asyncio.get_running_loop().create_future()

        async def silent() -> AsyncIterator[Any]:
            await never
            yield

        stream = amerge(a=silent())
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.001)
        stream.add(b=several(5))
        assert await step == ('b', 5)
        await stream.aclose()

    run(main)


def test_a_name_is_free_when_its_source_has_ended() -> None:
    async def main() -> None:
        go = asyncio.Event()

        async def waits() -> AsyncIterator[Any]:
            await go.wait()
            yield 9

        stream = amerge(a=several(1), b=waits())
        assert await anext(stream) == ('a', 1)
        with pytest.raises(ValueError, match="has a source named 'b'"):
            stream.add(b=several(2))
        for _ in range(5):
            await asyncio.sleep(0)
        stream.add(a=several(2))
        assert await anext(stream) == ('a', 2)
        go.set()
        assert [x async for x in stream] == [('b', 9)]

    run(main)


def test_names_are_for_all_sources_that_are_added() -> None:
    async def main() -> None:
        stream = amerge(several(1))
        with pytest.raises(TypeError, match='names'):
            stream.add(a=several(1))
        named = amerge(a=several(1))
        with pytest.raises(TypeError, match='names'):
            named.add(several(1))
        for one in (stream, named):
            await one.aclose()

    run(main)


def test_nothing_is_added_after_the_end() -> None:
    async def main() -> None:
        ended, closed, stopped = amerge(several(1)), amerge(several(1)), amerge(several(1))
        assert [x async for x in ended] == [1]
        await closed.aclose()
        stopped.stop()
        for stream in (ended, closed, stopped):
            with pytest.raises(RuntimeError, match='has ended, or was stopped'):
                stream.add(several(1))
        assert [x async for x in stopped] == []

    run(main)


def test_a_source_that_is_added_fails() -> None:
    async def failing() -> AsyncIterator[Any]:
        raise LookupError('lost')
        yield

    async def main() -> None:
        stream = amerge(several(1, 2, 3))
        assert await anext(stream) == 1
        stream.add(failing())
        with pytest.raises(LookupError, match='lost'):
            async for _ in stream:
                pass

    run(main)


def test_a_source_adds_others() -> None:
    made: list[Any] = []

    async def adding(depth: int) -> AsyncIterator[int]:
        if depth:
            made[0].add(adding(depth - 1))
        yield depth

    async def main() -> None:
        made.append(amerge(adding(5)))
        assert sorted([x async for x in made[0]]) == list(range(6))

    run(main)


def test_many_sources_are_added_and_let_go() -> None:
    async def main() -> None:
        stream = amerge(several(0))
        found = []
        async for item in stream:
            found.append(item)
            if item < 200:
                stream.add(several(item + 1))
        assert found == list(range(201))

    run(main)


def test_a_second_cancellation_leaves_no_source_open() -> None:
    async def main() -> None:
        closed = 0

        async def source() -> AsyncIterator[int]:
            nonlocal closed
            try:
                await asyncio.sleep(3600)
                yield 1
            finally:
                for _ in range(20):
                    await asyncio.sleep(0)
                closed += 1

        async def consume() -> None:
            stream = amerge(source(), source())
            try:
                async for _ in stream:
                    pass
            finally:
                await stream.aclose()

        consumer = asyncio.ensure_future(consume())
        await asyncio.sleep(0.001)
        consumer.cancel()
        for _ in range(3):
            await asyncio.sleep(0)
            assert not consumer.done()
            consumer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await consumer
        assert closed == 2

    run(main)


def test_a_base_exception_of_a_reader_is_raised_by_closing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Odd(BaseException):
        pass

    go: list[Any] = []

    async def failing() -> AsyncIterator[int]:
        yield 1
        await go[0].wait()
        raise Odd

    async def main() -> None:
        go.append(asyncio.Event())
        stream = amerge(failing())
        assert await anext(stream) == 1
        go[0].set()
        await asyncio.sleep(0.001)
        with pytest.raises(Odd):
            await stream.aclose()

    run(main)
    gc.collect()
    assert 'never retrieved' not in caplog.text


def test_close_with_task_closes_it_when_the_task_ends() -> None:
    async def main() -> None:
        source = Source()
        source.feed(1)
        stream = amerge(source.items(), close_with_task=True)

        async def first() -> int:
            return await anext(stream)

        assert await asyncio.create_task(first()) == 1
        await turns()
        assert source.log == [1, 'closed']

    run(main)


def test_close_with_task_must_have_a_truth() -> None:
    class Undecided:
        def __bool__(self) -> bool:
            raise Failed

    with pytest.raises(Failed):
        amerge(close_with_task=Undecided())  # type: ignore[call-overload]

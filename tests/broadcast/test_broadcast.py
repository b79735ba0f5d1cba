"""``Broadcast``: who gets what, in which order, and what becomes of one that is full."""

from __future__ import annotations

import asyncio
import gc
import sys
import weakref
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import Broadcast, abatched

POLICIES = ['wait', 'drop_oldest', 'drop_newest', 'close']
LOSING = POLICIES[1:]
policies = pytest.mark.parametrize('policy', POLICIES)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(20):
            return await main

    return asyncio.run(in_time())


async def turns(count: int = 4) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def taken(stream: Any) -> Any:
    """What a step that does not wait comes to: (item,), or the type of what it raises."""
    try:
        anext(stream).send(None)
    except StopIteration as stop:
        return (stop.value,)
    except (StopAsyncIteration, BufferError, RuntimeError) as error:
        return type(error)
    raise AssertionError('it waits')


class Item:
    """Can be weakly referenced."""


# --- against a model ------------------------------------------------------------------------------


class Model:
    """A subscriber as a deque."""

    def __init__(self, size: int, policy: str, replay: list[int]) -> None:
        self.size = size
        self.policy = policy
        self.items = deque(replay[-size:])
        self.dropped = 0
        self.overflowed = False
        self.failed = False

    def is_full(self) -> bool:
        return len(self.items) == self.size

    def give(self, item: int) -> int:
        if self.overflowed:
            return 0
        if self.is_full():
            if self.policy == 'close':
                self.overflowed = True
                return 0
            self.dropped += 1
            if self.policy == 'drop_newest':
                return 0
            self.items.popleft()
        self.items.append(item)
        return 1

    def take(self, closed: bool) -> Any:
        if self.items:
            return (self.items.popleft(),)
        if self.overflowed and not self.failed:
            self.failed = True
            return BufferError
        return StopAsyncIteration if closed or self.failed else None


moves = st.lists(
    st.one_of(
        st.tuples(st.just('publish'), st.integers(1, 9)),
        st.tuples(st.just('take'), st.integers(0, 20), st.integers(1, 9)),
        st.tuples(
            st.just('subscribe'),
            st.integers(1, 9),
            st.sampled_from(POLICIES),
            st.integers(0, 5),
        ),
        st.tuples(st.just('leave'), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(moves, st.integers(0, 4))
def test_as_a_deque_for_each(steps: list[Any], replay: int) -> None:
    sender: Broadcast[int] = Broadcast(replay=replay)
    pairs: list[tuple[Model, Any]] = []
    kept: deque[int] = deque(maxlen=replay)
    number = 0
    for name, *values in steps:
        if name == 'publish':
            for _ in range(values[0]):
                models = [model for model, _ in pairs]
                if any(m.policy == 'wait' and m.is_full() for m in models):
                    with pytest.raises(asyncio.QueueFull):
                        sender.publish(number)
                    break
                assert sender.publish(number) == sum(m.give(number) for m in models)
                kept.append(number)
                number += 1
        elif name == 'subscribe':
            size, policy, first = values
            model = Model(size, policy, list(kept)[max(len(kept) - first, 0) :] if first else [])
            stream = sender.subscribe(
                buffersize=size,
                on_full=policy,  # type: ignore[arg-type]
                replay=first,
            )
            pairs.append((model, stream))
        elif pairs and name == 'take':
            model, stream = pairs[values[0] % len(pairs)]
            for _ in range(values[1]):
                if (expected := model.take(False)) is None:
                    break
                assert taken(stream) == expected
        elif pairs:
            _, stream = pairs.pop(values[0] % len(pairs))
            with suppress(StopIteration):
                stream.aclose().send(None)
        for model, stream in pairs:
            assert stream.held == len(model.items)
            assert stream.dropped == model.dropped
        assert sender.subscribers == sum(not model.overflowed for model, _ in pairs)
    sender.close()
    for model, stream in pairs:
        while True:
            expected = model.take(True)
            assert taken(stream) == expected
            if not isinstance(expected, tuple):
                break


# --- who gets what --------------------------------------------------------------------------------


@policies
@pytest.mark.parametrize('count', [0, 1, 1000])
def test_each_subscriber_gets_each_item(policy: Any, count: int) -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=4, on_full=policy)
        tasks = [asyncio.create_task(collect(sender.subscribe())) for _ in range(count)]
        await turns()
        for start in range(0, 12, 3):
            assert [sender.publish(start + i) for i in range(3)] == [count] * 3
            await turns()
        sender.close()
        assert await asyncio.gather(*tasks) == [list(range(12))] * count
        assert sender.subscribers == 0

    run(main())


def test_items_are_shared_and_not_kept() -> None:
    sender: Broadcast[Item] = Broadcast()
    one, other = sender.subscribe(), sender.subscribe()
    item = Item()
    reference = weakref.ref(item)
    sender.publish(item)
    assert taken(one)[0] is item
    assert taken(other)[0] is item
    del item
    assert reference() is None


@policies
def test_a_thousand_that_are_full(policy: Any) -> None:
    sender: Broadcast[int] = Broadcast(buffersize=2, on_full=policy)
    streams = [sender.subscribe() for _ in range(1000)]
    given = []
    for i in range(5):
        try:
            given.append(sender.publish(i))
        except asyncio.QueueFull:
            given.append(-1)
    expected = {'wait': -1, 'drop_oldest': 1000, 'drop_newest': 0, 'close': 0}[policy]
    assert given == [1000, 1000, *[expected] * 3]
    sender.close()
    held = [3, 4] if policy == 'drop_oldest' else [0, 1]
    for stream in streams:
        assert [taken(stream), taken(stream)] == [(held[0],), (held[1],)]
        assert taken(stream) is (BufferError if policy == 'close' else StopAsyncIteration)
        assert stream.dropped == (3 if policy.startswith('drop') else 0)


def test_one_that_is_slow_leaves_the_others_alone() -> None:
    sender: Broadcast[int] = Broadcast()
    slow = sender.subscribe(buffersize=2, on_full='drop_oldest')
    quick = sender.subscribe(buffersize=2)
    for i in range(100):
        assert sender.publish(i) == 2
        assert taken(quick) == (i,)
    assert (slow.held, slow.dropped) == (2, 98)
    assert (quick.held, quick.dropped) == (0, 0)


def test_a_subscriber_that_lost_items_goes_on_with_all() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe(buffersize=2, on_full='drop_newest')
    numbers = iter(range(100))
    for _ in range(4):
        for _ in range(5):
            sender.publish(next(numbers))
        while stream.held:
            taken(stream)
        assert sender.publish(-1) == 1
        assert taken(stream) == (-1,)
    assert stream.dropped == 12


def test_a_subscriber_that_lost_items_and_holds_some_still_gets_new_ones() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe(buffersize=3, on_full='drop_newest')
    for i in range(5):
        sender.publish(i)
    assert [taken(stream), taken(stream)] == [(0,), (1,)]
    assert [sender.publish(i) for i in range(5, 9)] == [1, 1, 0, 0]
    assert (stream.held, stream.dropped) == (3, 4)
    assert [taken(stream) for _ in range(3)] == [(2,), (5,), (6,)]
    assert sender.publish(9) == 1
    assert taken(stream) == (9,)


def test_a_long_backlog_and_then_none() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=10_000)
    stream = sender.subscribe()
    for count in (3000, 1, 1, 3000):
        for i in range(count):
            sender.publish(i)
        assert [taken(stream)[0] for _ in range(count)] == list(range(count))
    for i in range(9000):
        sender.publish(i)
        assert taken(stream) == (i,)


def test_it_can_be_weakly_referenced() -> None:
    sender: Broadcast[int] = Broadcast()
    reference = weakref.ref(sender)
    stream = sender.subscribe()
    del sender
    assert reference() is not None, 'its subscriber holds it'
    del stream
    assert reference() is None


def test_replay() -> None:
    sender: Broadcast[int] = Broadcast(replay=3)
    assert sender.subscribe().held == 0
    sender.run(range(5))
    late = sender.subscribe()
    assert [taken(late) for _ in range(4)] == [(2,), (3,), (4,), StopAsyncIteration]
    assert sender.subscribe(replay=2).held == 2
    assert sender.subscribe(replay=9).held == 3
    assert sender.subscribe(replay=0).held == 0
    assert sender.subscribe(buffersize=1).held == 1


def test_a_buffer_goes_with_its_subscriber() -> None:
    for policy in POLICIES:
        sender: Broadcast[Item] = Broadcast(buffersize=3, on_full=policy)  # type: ignore[arg-type]
        stream = sender.subscribe()
        items = [Item() for _ in range(3)]
        references = [weakref.ref(item) for item in items]
        for item in items:
            sender.publish(item)
        with suppress(asyncio.QueueFull):
            sender.publish(Item())
        del items[:], item
        assert any(reference() for reference in references)
        del stream
        gc.collect()
        assert not any(reference() for reference in references)
        assert sender.subscribers == 0
        assert sender.publish(Item()) == 0


def test_a_replay_goes_with_its_broadcast() -> None:
    sender: Broadcast[Any] = Broadcast(replay=2)
    item = Item()
    reference = weakref.ref(item)
    sender.publish(item)
    sender.publish(sender)  # a circle
    stream = sender.subscribe()
    sender.publish(stream)
    del item, sender, stream
    gc.collect()
    assert reference() is None


# --- publishing -----------------------------------------------------------------------------------


def test_nobody_gets_an_item_that_one_has_no_room_for() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    full, loses, other = (
        sender.subscribe(),
        sender.subscribe(on_full='drop_oldest'),
        sender.subscribe(buffersize=9),
    )
    sender.publish(1)
    for _ in range(3):
        with pytest.raises(asyncio.QueueFull):
            sender.publish(2)
    assert (loses.held, loses.dropped, other.held) == (1, 0, 1)
    assert taken(full) == (1,)
    assert sender.publish(3) == 3
    assert taken(loses) == (3,)


def test_apublish_waits_for_room() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream = sender.subscribe()
        assert await sender.apublish(1) == 1
        calls = [asyncio.create_task(sender.apublish(n)) for n in (2, 3)]
        await turns(10)
        assert not any(call.done() for call in calls)
        assert await anext(stream) == 1
        assert {await anext(stream), await anext(stream)} == {2, 3}  # one may overtake the other
        assert await asyncio.gather(*calls) == [1, 1]

    run(main())


def test_nobody_gets_what_a_cancelled_apublish_would_give() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream = sender.subscribe()
        sender.publish(1)
        call = asyncio.create_task(sender.apublish(2))
        await turns()
        call.cancel()
        await asyncio.wait([call])
        assert call.cancelled()
        sender.close()
        assert await collect(stream) == [1]

    run(main())


@pytest.mark.parametrize('leaves', ['aclose', 'drop', 'close'])
def test_apublish_goes_on_when_the_one_that_is_full_leaves(leaves: str) -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream: Any = sender.subscribe()
        sender.publish(1)
        call = asyncio.create_task(sender.apublish(2))
        await turns()
        if leaves == 'aclose':
            await stream.aclose()
        elif leaves == 'drop':
            del stream
        else:
            sender.close()
            with pytest.raises(RuntimeError, match='closed'):
                await call
            return
        assert await call == 0

    run(main())


def test_apublish_lets_others_run() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe(on_full='drop_oldest')
        reader = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        for i in range(10**7):
            await sender.apublish(i)
            if reader.done():
                break
        assert reader.done()
        await stream.aclose()

    run(main())


def test_publishing_after_the_end() -> None:
    sender: Broadcast[int] = Broadcast(replay=1)
    sender.publish(1)
    sender.close()
    sender.close()
    with pytest.raises(RuntimeError, match='the broadcast is closed'):
        sender.publish(2)
    with pytest.raises(RuntimeError, match='the broadcast is closed'):
        sender.apublish(2).send(None)
    sender.run([3])  # nobody wants it
    late = sender.subscribe()
    assert [taken(late), taken(late)] == [(1,), StopAsyncIteration]


class Publishes:
    """When it is dropped."""

    def __init__(self, sender: Any, item: object) -> None:
        self.sender = sender
        self.item = item

    def __del__(self) -> None:
        self.sender.publish(self.item)


@policies
def test_publishing_from_a_finalizer(policy: Any) -> None:
    sender: Broadcast[Any] = Broadcast(buffersize=2, on_full='drop_oldest')
    stream = sender.subscribe()
    other = sender.subscribe(on_full=policy, buffersize=9)
    sender.publish(Publishes(sender, 'last'))
    sender.publish(1)
    del_soon = taken(other)
    del del_soon
    sender.publish(2)  # drops the first of `stream`, which publishes
    sender.close()
    assert [taken(stream)[0] for _ in range(2)] == ['last', 2]
    assert [taken(other)[0] for _ in range(other.held)] == [1, 'last', 2]


def test_publishing_from_within_a_subscriber() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        streams = [sender.subscribe() for _ in range(3)]

        async def answer(stream: Any) -> list[int]:
            seen = []
            async for item in stream:
                seen.append(item)
                if item < 5:
                    sender.publish(item + 5)
                if len(seen) == 4:
                    sender.close()
            return seen

        tasks = [asyncio.create_task(answer(stream)) for stream in streams]
        await turns()
        sender.publish(1)
        results = await asyncio.gather(*tasks)
        assert results == [[1, 6, 6, 6]] * 3

    run(main())


# --- sources --------------------------------------------------------------------------------------


class Failed(Exception):
    """What a source of these tests raises."""


def test_arun_takes_either_kind_of_source() -> None:
    async def source() -> AsyncIterator[int]:
        for i in range(3):
            await asyncio.sleep(0)
            yield i

    async def main() -> None:
        for made in (source(), abatched(source(), 1), range(3), iter([0, 1, 2])):
            sender: Broadcast[Any] = Broadcast(buffersize=1)
            reader = asyncio.create_task(collect(sender.subscribe()))
            await turns()
            assert await sender.arun(made) is None
            assert await reader in ([0, 1, 2], [(0,), (1,), (2,)])

    run(main())


def test_a_source_that_fails_fails_all() -> None:
    error = Failed('no more')

    async def source() -> AsyncIterator[int]:
        yield 1
        yield 2
        raise error

    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        streams = [sender.subscribe() for _ in range(3)]
        with pytest.raises(Failed) as caught:
            await sender.arun(source())
        assert caught.value is error
        assert error.__notes__ == ['while reading item 2']
        depths = []
        for stream in [*streams, sender.subscribe()]:
            if stream.held:
                assert [await anext(stream), await anext(stream)] == [1, 2]
            with pytest.raises(Failed) as caught:
                await anext(stream)
            assert caught.value is error
            traceback, depth = error.__traceback__, 0
            while traceback is not None:
                traceback, depth = traceback.tb_next, depth + 1
            depths.append(depth)
            with pytest.raises(StopAsyncIteration):
                await anext(stream)
        assert len(set(depths)) == 1, 'each adds to the traceback'

    run(main())


@pytest.mark.parametrize('is_async', [False, True])
def test_a_source_is_closed_before_its_subscribers_end(is_async: bool) -> None:
    log: list[str] = []

    async def later() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            log.append('closed')

    def soon() -> Generator[int, None, None]:
        try:
            yield 1
            yield 2
        finally:
            log.append('closed')

    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream = sender.subscribe()
        call = asyncio.create_task(sender.arun(later() if is_async else soon()))
        await turns(20)
        assert not call.done()
        assert log == []
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert log == ['closed']
        assert await collect(stream) == [1]

    run(main())


def test_arun_ends_when_the_broadcast_is_closed() -> None:
    async def numbers() -> AsyncGenerator[int, None]:
        for i in range(10**9):
            await asyncio.sleep(0)
            yield i

    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        call = asyncio.create_task(sender.arun(numbers()))
        assert [await anext(stream) for _ in range(3)] == [0, 1, 2]
        sender.close()
        await call

    run(main())


def test_what_a_source_raises_when_it_is_closed() -> None:
    async def source() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            raise Failed('in closing')

    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream = sender.subscribe()
        call = asyncio.create_task(sender.arun(source()))
        await turns(10)
        call.cancel()
        with pytest.raises(Failed) as caught:
            await call
        exit = caught.value.__context__
        assert isinstance(exit, GeneratorExit)
        assert isinstance(exit.__context__, asyncio.CancelledError)
        assert await anext(stream) == 1
        with pytest.raises(Failed):
            await anext(stream)

    run(main())


def test_an_arun_that_is_dropped_ends_its_subscribers() -> None:
    async def source() -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(3600)

    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        call = sender.arun(source())
        call.send(None)
        call.close()
        assert await collect(stream) == [1]

    run(main())


class Stops:
    """Raises what ends an iteration, where that is not its end."""

    def __init__(self, stop: type[Exception]) -> None:
        self.stop = stop

    def __aiter__(self) -> Stops:
        return self

    async def __anext__(self) -> int:
        raise self.stop

    def __iter__(self) -> Iterator[int]:
        raise self.stop


def test_pep_479() -> None:
    async def main() -> None:
        for method in ('run', 'arun'):
            sender: Broadcast[int] = Broadcast()
            stream = sender.subscribe()
            if method == 'run':
                with pytest.raises(StopIteration):
                    sender.run(Stops(StopIteration))
            else:
                with pytest.raises(RuntimeError, match='raised StopIteration'):
                    await sender.arun(Stops(StopIteration))
            with pytest.raises(RuntimeError, match='raised StopIteration'):
                await anext(stream)

    run(main())


# --- steps ----------------------------------------------------------------------------------------


def test_a_step_that_is_cancelled_loses_nothing() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        seen: list[int] = []
        for number in range(200):
            step = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
            await turns(number % 4)
            if number % 3 == 0:
                sender.publish(number)
            await turns(number // 4 % 3)
            step.cancel()
            with suppress(asyncio.CancelledError):
                seen.append(await step)
        sender.close()
        assert seen + await collect(stream) == list(range(0, 200, 3))

    run(main())


def test_a_heartbeat_loses_nothing_and_holds_nothing() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        beats, seen = 0, []
        publishing = asyncio.create_task(sender.arun(slowly()))
        while True:
            try:
                seen.append(await asyncio.wait_for(anext(stream), 0.001))
            except TimeoutError:
                beats += 1
            except StopAsyncIteration:
                break
        await publishing
        assert seen == [0, 1, 2]
        assert beats > 3

    async def slowly() -> AsyncIterator[int]:
        for i in range(3):
            await asyncio.sleep(0.02)
            yield i

    run(main())


def test_many_waits_take_no_memory() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        for _ in range(50):
            step = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
            await turns(2)
            step.cancel()
            await asyncio.wait([step])
        gc.collect()
        waiters = [op for op in gc.get_objects() if type(op).__name__ == '_Waiter']
        assert len(waiters) <= 1
        await stream.aclose()

    run(main())


def test_aclose_ends_a_step_that_waits() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        step = asyncio.create_task(collect(stream))
        await turns()
        await stream.aclose()
        assert await step == []
        assert sender.subscribers == 0

    run(main())


def test_it_closes_with_its_task() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(replay=1)
        sender.publish(1)
        stream = sender.subscribe(close_with_task=True)

        async def client() -> None:
            await anext(stream)

        await asyncio.create_task(client())
        await turns()
        assert sender.subscribers == 0

    run(main())


def test_it_is_a_stream() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        assert isinstance(stream, AsyncGenerator)
        assert stream.ag_state == 'AGEN_CREATED'
        with pytest.raises(TypeError, match='just-started'):
            await stream.asend(1)
        sender.publish(1)
        assert await stream.aprime() is stream
        assert await stream.asend(None) == 1
        with pytest.raises(Failed):
            await stream.athrow(Failed())
        assert stream.ag_frame is None
        assert sender.subscribers == 0
        assert await collect(stream) == []

    run(main())


def test_the_hooks_are_called() -> None:
    sender: Broadcast[int] = Broadcast()
    finalized: list[object] = []
    begun: list[object] = []
    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(firstiter=begun.append, finalizer=finalized.append)
    try:
        stream = sender.subscribe()
        step = anext(stream)
        step.close()
        del step
        assert begun == [stream]
        begun.clear()
        del stream
        assert len(finalized) == 1
    finally:
        sys.set_asyncgen_hooks(*before)


def test_the_end_of_a_loop_ends_its_subscribers() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    streams = []

    async def main() -> None:
        streams.append(sender.subscribe())
        task = asyncio.create_task(collect(streams[0]))
        await turns()
        task.cancel()
        await asyncio.wait([task])

    run(main())
    assert sender.subscribers == 0
    assert [sender.publish(i) for i in range(9)] == [0] * 9


def test_without_a_loop_nobody_can_wait() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    stream = sender.subscribe()
    with pytest.raises(RuntimeError, match='a subscriber of a Broadcast needs a running asyncio'):
        anext(stream).send(None)
    sender.publish(1)
    with pytest.raises(RuntimeError, match=r'apublish\(\) needs a running asyncio'):
        sender.apublish(2).send(None)
    assert taken(stream) == (1,)


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'buffersize': 0}, ValueError, 'buffersize must be at least 1, not 0'),
        ({'buffersize': '5'}, TypeError, 'integer'),
        ({'buffersize': 1 << 80}, OverflowError, None),
        ({'replay': -1}, ValueError, 'replay must be at least 0, not -1'),
        ({'on_full': 'never'}, ValueError, "on_full must be 'wait', .* not 'never'"),
        ({'on_full': 5}, TypeError, "on_full must be 'wait', .* not 5"),
        ({'size': 5}, TypeError, None),
    ],
)
def test_bad_arguments(options: Any, error: type[Exception], message: str | None) -> None:
    sender: Broadcast[int] = Broadcast()
    for call in (Broadcast, sender.subscribe, sender.subscribe_sync):
        with pytest.raises(error, match=message):
            call(**options)
    assert sender.subscribers == 0


@pytest.mark.parametrize(
    ('timeout', 'error'), [(-1, ValueError), (float('nan'), ValueError), ('5', TypeError)]
)
def test_a_bad_timeout(timeout: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        Broadcast().subscribe_sync(timeout=timeout)


def test_a_buffer_without_end() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=sys.maxsize)
    stream = sender.subscribe()
    for i in range(5000):
        sender.publish(i)
    assert [taken(stream)[0] for _ in range(5000)] == list(range(5000))


@pytest.mark.parametrize('source', [5, None])
def test_what_is_no_source(source: Any) -> None:
    sender: Broadcast[int] = Broadcast()
    with pytest.raises(TypeError, match='not iterable'):
        sender.run(source)
    with pytest.raises(TypeError, match='not iterable'):
        asyncio.run(Broadcast().arun(source))  # type: ignore[arg-type]


# --- stop() ---------------------------------------------------------------------------------------


def test_a_subscriber_that_is_stopped_gets_what_it_holds() -> None:
    async def main() -> None:
        source = Broadcast()
        stream = source.subscribe()
        source.publish(1)
        source.publish(2)
        stream.stop()
        source.publish(3)
        assert [item async for item in stream] == [1, 2]
        waiting = source.subscribe()
        step = asyncio.ensure_future(anext(waiting))
        await asyncio.sleep(0)
        waiting.stop()
        await asyncio.wait([step])
        assert isinstance(step.exception(), StopAsyncIteration)
        assert waiting.closed

    asyncio.run(main())


@pytest.mark.parametrize('policy', ['wait', 'drop_oldest', 'drop_newest', 'close'])
def test_one_that_is_stopped_keeps_what_it_holds_and_holds_nobody_up(policy: Any) -> None:
    async def main() -> None:
        source = Broadcast(buffersize=2, on_full=policy)
        stream = source.subscribe()
        source.publish(1)
        source.publish(2)
        waiting = asyncio.ensure_future(source.apublish(3)) if policy == 'wait' else None
        await asyncio.sleep(0)
        stream.stop()
        stream.stop()
        assert source.subscribers == 0
        assert stream.held == 2
        if waiting:
            assert await waiting == 0
        assert source.publish(4) == 0
        assert [item async for item in stream] == [1, 2]
        assert stream.dropped == 0

    asyncio.run(main())


def test_one_that_is_stopped_when_all_is_published_gets_the_failure_too() -> None:
    async def main() -> None:
        source = Broadcast()
        stream = source.subscribe()

        def items() -> Iterator[int]:
            yield 1
            raise Failed

        with pytest.raises(Failed):
            source.run(items())
        stream.stop()
        assert await anext(stream) == 1
        with pytest.raises(Failed):
            await anext(stream)

    asyncio.run(main())


def test_what_a_subscriber_tells_of_itself() -> None:
    async def main() -> None:
        source = Broadcast()
        for subscribe in (source.subscribe, source.subscribe_sync):
            stream: Any = subscribe()
            name = type(stream).__name__
            prefix = f'<native_generators._native.{name} of Broadcast: '
            source.publish(1)
            source.publish(2)
            assert (stream.items, stream.held, stream.closed, stream.waits_for) == (
                0, 2, False, None,
            )  # fmt: skip
            assert repr(stream) == f'{prefix}items=0, held=2, running=0, errors=0>'
            if hasattr(stream, '__anext__'):
                assert await anext(stream) == 1
            else:
                assert next(stream) == 1
            assert repr(stream) == (
                f'{prefix}items=1, held=1, running=0, errors=0, waits_for=consumer>'
            )
            if hasattr(stream, 'aclose'):
                await stream.aclose()
            else:
                stream.close()
            assert (stream.held, stream.closed) == (0, True)

    asyncio.run(main())

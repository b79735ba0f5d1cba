"""Chains of streams: each async type over each other, over sources that wait in each way.

The types are those of the catalogue's stages, so that a type that is new is walked, too.  A few
promises hold for each pair: a step that is left loses nothing, the source lives in one task and
one context, its `finally` runs, and closing ends a step that waits.  GENERATORS_TESTS=long takes
each pair over each way to wait; otherwise each pair is taken over one of them.
"""

import asyncio
import contextvars
import gc
import inspect
import os
import pickle
import sys
import warnings
import weakref
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import suppress
from types import FrameType
from typing import Any, ClassVar

import pytest

from generators import amap, map_threads, to_sync
from tests.isolated.catalogue import (
    ASYNC_STAGES,
    SYNC_STAGES,
    Stage,
    item_of,
    number_of,
    stacked,
)

try:
    import anyio
    import anyio.lowlevel
except ImportError:
    anyio = None  # type: ignore[assignment]

COUNT = 5
SOON = 60  # seconds: what takes longer hangs
variable: contextvars.ContextVar[Any] = contextvars.ContextVar('variable', default=None)

# --- sources --------------------------------------------------------------------------------------


class Turn:
    """Awaiting it is a bare yield."""

    def __await__(self) -> Generator[None, None, None]:
        yield


WAITS: dict[str, Callable[[], Awaitable[Any]]] = {
    'sleep(0)': lambda: asyncio.sleep(0),
    'timer': lambda: asyncio.sleep(0.001),
    'bare yield': Turn,
}
if anyio is not None:
    WAITS['checkpoint'] = lambda: anyio.lowlevel.checkpoint()


class Log(list[str]):
    """What happened to a source, and where."""

    task: Any = None

    def look(self, what: str) -> None:
        """It happens; all of it must be in one task."""
        if self.task is None:
            self.task = asyncio.current_task()
        assert asyncio.current_task() is self.task, f'{what} in another task'
        self.append(what)


async def numbers(
    kind: str, wait: Callable[[], Awaitable[Any]], log: Log, count: int = COUNT
) -> AsyncGenerator[Any, None]:
    log.look('begun')
    try:
        for i in range(count):
            await wait()
            log.look(f'item {i}')
            yield item_of(kind, i)
    finally:
        await wait()
        log.look('closed')


async def stuck(kind: str, log: Log) -> AsyncGenerator[Any, None]:
    """One item, and a wait that nobody ends."""
    log.look('begun')
    try:
        yield item_of(kind, 0)
        log.look('waits')
        await asyncio.get_running_loop().create_future()
    finally:
        await asyncio.sleep(0)
        log.look('closed')


PAIRS = [(outer, inner) for outer in ASYNC_STAGES for inner in ASYNC_STAGES]
CASES = [
    (outer, inner, way)
    for number, (outer, inner) in enumerate(PAIRS)
    for place, way in enumerate(WAITS)
    if os.environ.get('GENERATORS_TESTS') == 'long' or number % len(WAITS) == place
]
Make = Callable[[Callable[[str], Any]], Any]


def maker(outer: str, inner: str) -> Make:
    return lambda source: stacked(ASYNC_STAGES[outer], ASYNC_STAGES[inner], source, None)


@pytest.fixture(
    params=[pair for pair in PAIRS if not any(ASYNC_STAGES[name].runs_threads for name in pair)],
    ids='-'.join,
)
def make_here(request: pytest.FixtureRequest) -> Make:
    """Without threads: a thread that waits for its source can't be told to leave it."""
    return maker(*request.param)


@pytest.fixture(params=PAIRS, ids='-'.join)
def make(request: pytest.FixtureRequest) -> Make:
    return maker(*request.param)


cases = pytest.mark.parametrize(
    ('make', 'way'),
    [(maker(outer, inner), way) for outer, inner, way in CASES],
    ids=['-'.join(case) for case in CASES],
)


def run(main: Coroutine[Any, Any, Any]) -> Any:
    async def in_time() -> Any:
        async with asyncio.timeout(SOON):
            return await main

    return asyncio.run(in_time())


async def step(stream: Any) -> Any:
    return await anext(stream)


async def turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def until(holds: Callable[[], Any]) -> None:
    while not holds():
        await asyncio.sleep(0.001)


# --- a step that is left --------------------------------------------------------------------------


async def read_and_cancel(stream: Any, after: int) -> list[int]:
    """Each step is cancelled after so many turns of the loop, and made anew."""
    taken: list[int] = []
    for attempt in range(5000):
        task = asyncio.ensure_future(step(stream))
        await turns(after + attempt // 40)
        if attempt % 16 == 15:
            await asyncio.sleep(0.002)
        task.cancel()
        try:
            taken.append(number_of(await task))
        except asyncio.CancelledError:
            continue
        except StopAsyncIteration:
            return taken
    raise AssertionError('no step comes to an end')


@cases
def test_a_step_that_is_cancelled_loses_nothing(make: Make, way: str) -> None:
    async def main() -> None:
        for after in range(6):
            log = Log()
            stream = make(lambda kind, log=log: numbers(kind, WAITS[way], log))
            assert await read_and_cancel(stream, after) == list(range(COUNT))
            assert log[-1] == 'closed'
            await stream.aclose()

    run(main())


def test_a_heartbeat_loses_nothing(make: Make) -> None:
    async def main() -> None:
        stream = make(lambda kind: numbers(kind, lambda: asyncio.sleep(0.004), Log(), 3))
        taken: list[int] = []
        beats = 0
        while True:
            try:
                taken.append(number_of(await asyncio.wait_for(anext(stream), 0.002)))
            except TimeoutError:
                beats += 1
            except StopAsyncIteration:
                break
        assert taken == [0, 1, 2]
        assert beats > 0

    run(main())


# --- one task, one context ------------------------------------------------------------------------


async def scoped(kind: str, wait: Callable[[], Awaitable[Any]], log: Log) -> Any:
    """What belongs to a task and a context, held across the yields."""
    log.look('begun')
    try:
        async with asyncio.timeout(SOON), asyncio.TaskGroup() as group:
            beside = group.create_task(asyncio.sleep(0))
            for i in range(COUNT):
                token = variable.set(i)
                await wait()
                yield item_of(kind, i)
                log.look(f'item {i}')
                assert variable.get() == i
                variable.reset(token)
            await beside
    finally:  # no wait: a task group that is left by closing cancels what comes after it
        log.look('closed')


if anyio is not None:

    async def scoped_by_anyio(kind: str, wait: Callable[[], Awaitable[Any]], log: Log) -> Any:
        log.look('begun')
        try:
            with anyio.fail_after(SOON):
                async with anyio.create_task_group() as group:
                    group.start_soon(anyio.sleep, 0)
                    for i in range(COUNT):
                        await wait()
                        yield item_of(kind, i)
                        log.look(f'item {i}')
        finally:
            log.look('closed')


SCOPES = [scoped] if anyio is None else [scoped, scoped_by_anyio]
scopes = pytest.mark.parametrize('scope', SCOPES, ids=lambda scope: scope.__name__)


@scopes
@cases
def test_scopes_within_the_source_stay_in_one_task(make: Make, way: str, scope: Any) -> None:
    """Primed in one task, and read by a new one for each item."""

    async def main() -> None:
        log = Log()
        stream = make(lambda kind: scope(kind, WAITS[way], log))

        async def prime() -> None:
            await stream.aprime()

        await asyncio.create_task(prime())
        taken = [number_of(await asyncio.create_task(step(stream))) for _ in range(COUNT)]
        with pytest.raises(StopAsyncIteration):
            await asyncio.create_task(step(stream))
        assert taken == list(range(COUNT))
        assert log[-1] == 'closed'

    run(main())


@scopes
def test_scopes_are_left_where_the_stream_is_closed_midway(make: Make, scope: Any) -> None:
    async def main() -> None:
        log = Log()
        stream = make(lambda kind: scope(kind, WAITS['sleep(0)'], log))
        assert number_of(await asyncio.create_task(step(stream))) == 0
        try:
            await asyncio.create_task(stream.aclose())
        except BaseExceptionGroup as group:  # so a task group leaves an async generator
            assert group.split(GeneratorExit)[1] is None
        assert log[-1] == 'closed'

    run(main())


async def late(kind: str, log: Log) -> Any:
    try:
        async with asyncio.timeout(0.005):
            yield item_of(kind, 0)
            await asyncio.sleep(SOON)
    finally:
        log.look('closed')


async def late_by_anyio(kind: str, log: Log) -> Any:
    try:
        with anyio.fail_after(0.005):
            yield item_of(kind, 0)
            await anyio.sleep(SOON)
    finally:
        log.look('closed')


@pytest.mark.parametrize(
    'source', [late] if anyio is None else [late, late_by_anyio], ids=lambda one: one.__name__
)
def test_a_timeout_within_the_source_is_a_failure_of_the_source(make: Make, source: Any) -> None:
    """And no cancellation of who reads, or of who primed it."""

    async def main() -> None:
        log = Log()
        stream = make(lambda kind: source(kind, log))
        await asyncio.create_task(stream.aprime())
        assert number_of(await anext(stream)) == 0
        with pytest.raises(TimeoutError):
            await anext(stream)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert log == ['closed']

    run(main())


# --- the end --------------------------------------------------------------------------------------


def test_closing_runs_the_sources_finally(make: Make) -> None:
    async def main() -> None:
        log = Log()
        stream = make(lambda kind: numbers(kind, WAITS['sleep(0)'], log, 50))
        assert number_of(await anext(stream)) == 0
        await stream.aclose()
        assert log[-1] == 'closed'
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(main())


def number_of_task(task: Any) -> int:
    return int(task.get_name().rpartition('-')[2])


def run_and_end(main: Coroutine[Any, Any, Any], backwards: bool) -> None:
    """As asyncio.run() does, whose order in which it cancels what is left is any."""
    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(asyncio.wait_for(main, SOON))
        left = sorted(asyncio.all_tasks(loop), key=number_of_task, reverse=backwards)
        for task in left:
            task.cancel()
        ending = asyncio.wait_for(asyncio.gather(*left, return_exceptions=True), SOON)
        loop.run_until_complete(ending)
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()


@pytest.mark.parametrize('backwards', [False, True], ids=['forwards', 'backwards'])
def test_the_end_of_the_loop_runs_the_sources_finally(make_here: Make, backwards: bool) -> None:
    """While a step waits for it; and nothing is said of it."""
    log, said = Log(), list[Any]()
    kept: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: said.append(context))
        stream = make_here(lambda kind: stuck(kind, log))
        kept.append(stream)
        assert number_of(await anext(stream)) == 0
        kept.append(asyncio.create_task(step(stream)))
        await until(lambda: 'waits' in log)

    run_and_end(main(), backwards)
    assert log == ['begun', 'waits', 'closed']
    assert said == []
    with suppress(asyncio.CancelledError, StopAsyncIteration, RuntimeError):
        kept[1].result()


def test_closing_ends_a_source_that_waits_on_after_a_timeout(make_here: Make) -> None:
    """What was cancelled once, and caught that, is cancelled when it is closed."""
    log = Log()

    async def source(kind: str) -> AsyncGenerator[Any, None]:
        yield item_of(kind, 0)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.001):
                    await asyncio.get_running_loop().create_future()
            log.look('waits')
            await asyncio.get_running_loop().create_future()
        finally:
            log.look('closed')

    async def main() -> None:
        stream = make_here(source)
        assert number_of(await anext(stream)) == 0
        waiting = asyncio.create_task(step(stream))
        await until(lambda: 'waits' in log)
        await turns()  # in which the step begins, where the source was read ahead
        await stream.aclose()
        assert log == ['waits', 'closed']
        with pytest.raises(StopAsyncIteration):
            await waiting

    run(main())


@pytest.mark.skipif(anyio is None, reason='anyio is not installed')
def test_a_shielded_finally_outlives_a_scope_that_is_cancelled(make_here: Make) -> None:
    """anyio cancels again and again, and what is shielded is not for it."""
    log = Log()

    async def source(kind: str) -> AsyncGenerator[Any, None]:
        try:
            for i in range(50):
                await asyncio.sleep(0)
                yield item_of(kind, i)
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.002)
            log.look('closed')

    async def main() -> None:
        with anyio.CancelScope() as scope:
            async with make_here(source) as stream:
                assert number_of(await anext(stream)) == 0
                loop = asyncio.get_running_loop()
                loop.call_soon(scope.cancel)
                await loop.create_future()
        assert log == ['closed']

    run(main())


def test_a_stream_that_is_dropped_closes_its_source(make_here: Make) -> None:
    async def main() -> None:
        log = Log()
        stream = make_here(lambda kind: stuck(kind, log))
        assert number_of(await anext(stream)) == 0
        gone = weakref.ref(stream)
        del stream
        gc.collect()
        await until(lambda: 'closed' in log)
        await turns()  # in which the loop's own aclose() returns
        gc.collect()
        assert gone() is None

    run(main())


# --- closing beside a step ------------------------------------------------------------------------


def test_closing_ends_a_step_that_waits(make_here: Make) -> None:
    async def main() -> None:
        log = Log()
        stream = make_here(lambda kind: stuck(kind, log))
        assert number_of(await anext(stream)) == 0
        waiting = asyncio.create_task(step(stream))
        await until(lambda: 'waits' in log)
        await turns()
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert log == ['begun', 'waits', 'closed']
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(main())


def test_two_close_it_at_once(make_here: Make) -> None:
    async def main() -> None:
        log = Log()
        stream = make_here(lambda kind: stuck(kind, log))
        assert number_of(await anext(stream)) == 0
        waiting = asyncio.create_task(step(stream))
        await until(lambda: 'waits' in log)
        closing = [asyncio.create_task(stream.aclose()) for _ in range(2)]
        assert await asyncio.gather(*closing) == [None, None]
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert log[-1] == 'closed'

    run(main())


class Angry(Exception):
    pass


def test_what_the_source_raises_when_it_is_closed_comes_out_of_closing(make_here: Make) -> None:
    async def angry(kind: str) -> Any:
        try:
            yield item_of(kind, 0)
            await asyncio.get_running_loop().create_future()
        finally:
            raise Angry

    async def main() -> None:
        stream = make_here(angry)
        assert number_of(await anext(stream)) == 0
        with pytest.raises(Angry):
            await stream.aclose()

    run(main())


# --- a timer --------------------------------------------------------------------------------------

DELAYED = [
    (outer, inner, way)
    for outer, stage in ASYNC_STAGES.items()
    if stage.delayed is not None
    for inner in ASYNC_STAGES
    for way in WAITS
    if way != 'timer'
]


@pytest.mark.parametrize(('outer', 'inner', 'way'), DELAYED, ids=['-'.join(x) for x in DELAYED])
def test_a_timer_fires_where_the_source_makes_bare_yields(outer: str, inner: str, way: str) -> None:
    async def main() -> None:
        go_on = True

        async def source(kind: str) -> Any:
            yield item_of(kind, 0)
            while go_on:
                await WAITS[way]()

        stages = ASYNC_STAGES[outer], ASYNC_STAGES[inner]
        stream = stacked(*stages, source, 0.002)
        assert number_of(await anext(stream)) == 0
        go_on = False
        with pytest.raises(StopAsyncIteration):
            await anext(stream)

    run(main())


# --- coroutines -----------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Any], Any]] = {
    'anext': lambda stream: stream.__anext__(),
    'asend': lambda stream: stream.asend(None),
    'athrow': lambda stream: stream.athrow(Angry()),
    'aclose': lambda stream: stream.aclose(),
    'aprime': lambda stream: stream.aprime(),
}
stages = pytest.mark.parametrize('stage', ASYNC_STAGES.values(), ids=ASYNC_STAGES)


def over_numbers(stage: Stage, count: int = COUNT) -> Any:
    return stage.over(numbers(stage.takes or 'text', WAITS['sleep(0)'], Log(), count))


@stages
@pytest.mark.parametrize('call', CALLS)
def test_a_forgotten_await_is_told(stage: Stage, call: str) -> None:
    async def main() -> None:
        stream = over_numbers(stage)
        await anext(stream)
        depth = sys.get_coroutine_origin_tracking_depth()
        sys.set_coroutine_origin_tracking_depth(1)
        try:
            forgotten = [CALLS[call](stream)]
            with pytest.raises(TypeError, match='not iterable'):
                iter(forgotten[0])
            with pytest.warns(RuntimeWarning, match='was never awaited') as said:
                forgotten.clear()
        finally:
            sys.set_coroutine_origin_tracking_depth(depth)
        assert call in str(said[0].message)
        if call != 'anext':  # nor does an async generator keep where that was made
            assert __file__.rpartition('/')[2] in str(said[0].message)
        await stream.aclose()

    run(main())


class Stepped:
    """An awaitable that is stepped in one of the ways, and keeps how it ended."""

    WAYS: ClassVar[dict[str, Callable[[Any, Any], Any]]] = {
        'next of __await__()': lambda coroutine, iterator: next(iterator),
        'send of __await__()': lambda coroutine, iterator: iterator.send(None),
        'send': lambda coroutine, iterator: coroutine.send(None),
    }
    stop: StopIteration

    def __init__(self, coroutine: Any, way: str) -> None:
        self.coroutine = coroutine
        self.way = self.WAYS[way]

    def __await__(self) -> Iterator[Any]:
        iterator = self.coroutine.__await__()
        while True:
            try:
                waited = self.way(self.coroutine, iterator)
            except StopIteration as stop:
                self.stop = stop
                return stop.value
            yield waited


@stages
@pytest.mark.parametrize('way', Stepped.WAYS)
def test_the_stop_iteration_of_a_step_is_a_real_one(stage: Stage, way: str) -> None:
    async def main() -> None:
        stream = over_numbers(stage)
        kept = []
        for i in range(COUNT):
            one = Stepped(stream.__anext__(), way)
            assert number_of(await one) == i
            kept.append(one.stop)
        for i, stop in enumerate(kept):
            assert type(stop) is StopIteration
            assert number_of(stop.value) == i
            assert stop.args == (stop.value,)
            again = pickle.loads(pickle.dumps(stop))
            assert (type(again), again.args) == (StopIteration, stop.args)
        with pytest.raises(StopAsyncIteration) as caught:
            await Stepped(stream.__anext__(), way)
        assert type(caught.value) is StopAsyncIteration
        assert caught.value.args == ()

    run(main())


# --- what can be seen of a stream -----------------------------------------------------------------


def sync_numbers(kind: str, seen: Callable[[], Any] = int) -> Generator[Any, None, None]:
    for i in range(COUNT):
        seen()
        yield item_of(kind, i)


@pytest.mark.parametrize('stage', SYNC_STAGES.values(), ids=SYNC_STAGES)
def test_the_state_of_a_sync_stream(stage: Stage) -> None:
    seen: list[str] = []

    def look() -> None:
        assert isinstance(stream.gi_frame, FrameType)
        seen.append(inspect.getgeneratorstate(stream))

    stream = stage.over(sync_numbers(stage.takes or 'text', look))
    assert inspect.getgeneratorstate(stream) == inspect.GEN_CREATED
    assert isinstance(stream.gi_frame, FrameType)
    assert number_of(next(stream)) == 0
    if not stage.runs_threads:
        assert inspect.getgeneratorstate(stream) == inspect.GEN_SUSPENDED
    assert stream.gi_running is (inspect.getgeneratorstate(stream) == inspect.GEN_RUNNING)
    assert [number_of(item) for item in stream] == list(range(1, COUNT))
    assert inspect.getgeneratorstate(stream) == inspect.GEN_CLOSED
    assert stream.gi_frame is None
    if not stage.runs_threads:
        assert set(seen) == {inspect.GEN_RUNNING}


def state_of(stream: Any) -> str:
    if sys.version_info >= (3, 12):
        return inspect.getasyncgenstate(stream)
    if stream.ag_running:
        return 'AGEN_RUNNING'
    return 'AGEN_CLOSED' if stream.ag_frame is None else 'AGEN_CREATED or AGEN_SUSPENDED'


@pytest.mark.parametrize(
    'stage',
    [stage for stage in ASYNC_STAGES.values() if not stage.runs_threads],
    ids=lambda stage: stage.name,
)
def test_the_state_of_an_async_stream(stage: Stage) -> None:
    async def main() -> None:
        stream = stage.over(stuck(stage.takes or 'text', log := Log()))
        assert state_of(stream).startswith('AGEN_CREATED')
        assert isinstance(stream.ag_frame, FrameType)
        assert stream.ag_running is False
        assert stream.ag_await is None
        assert number_of(await anext(stream)) == 0
        assert state_of(stream).endswith('AGEN_SUSPENDED')
        waiting = asyncio.create_task(step(stream))
        await until(lambda: 'waits' in log)
        await turns()
        assert stream.ag_running is True
        assert stream.ag_await is not None
        await stream.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting
        assert state_of(stream) == 'AGEN_CLOSED'
        assert stream.ag_frame is None
        assert stream.ag_running is False
        assert stream.ag_await is None

    run(main())


# --- errors ---------------------------------------------------------------------------------------


def contexts(error: BaseException | None) -> list[BaseException]:
    seen: list[BaseException] = []
    while error is not None:
        assert not any(error is one for one in seen), 'a circle of contexts'
        seen.append(error)
        error = error.__context__
    return seen


class Circle:
    """It raises e1, whose context is e0, and its closing raises e0."""

    def __init__(self) -> None:
        self.first, self.second = Angry('first'), Angry('second')
        self.second.__context__ = self.first

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        raise self.second

    def send(self, value: object) -> Any:
        return next(self)

    def throw(self, *error: Any) -> Any:
        raise self.second

    def close(self) -> None:
        raise self.first

    def __aiter__(self) -> Any:
        return self

    async def __anext__(self) -> Any:
        await asyncio.sleep(0)
        raise self.second

    async def asend(self, value: object) -> Any:
        raise self.second

    async def athrow(self, *error: Any) -> Any:
        raise self.second

    async def aclose(self) -> None:
        raise self.first


@pytest.mark.parametrize('stage', SYNC_STAGES.values(), ids=SYNC_STAGES)
def test_contexts_of_a_sync_stream_are_no_circle(stage: Stage) -> None:
    stream = stage.over(Circle())
    with pytest.raises(Angry) as caught:
        next(stream)
    assert len(contexts(caught.value)) >= 2
    with suppress(Angry):
        stream.close()
    assert contexts(caught.value)


def test_contexts_of_a_chain_are_no_circle(make: Make) -> None:
    async def main() -> None:
        stream = make(lambda kind: Circle())
        with pytest.raises(Angry) as caught:
            await anext(stream)
        assert contexts(caught.value)
        with suppress(Angry):
            await stream.aclose()
        assert contexts(caught.value)

    run(main())


class Stop(KeyboardInterrupt):
    pass


class NoMemory(MemoryError):
    pass


class NotesError(Exception):
    """A note cannot be added to it, at first."""

    def __init__(self, raised: type[BaseException]) -> None:
        self.raised = [raised]

    def add_note(self, note: str) -> None:
        while self.raised:
            raise self.raised.pop()


class NotesAttributeError(NotesError):
    add_note = Exception.add_note

    @property
    def __notes__(self) -> Any:
        while self.raised:
            raise self.raised.pop()
        return []


ERRORS = pytest.mark.parametrize('raised', [Stop, NoMemory])
NOTES = pytest.mark.parametrize('error', [NotesError, NotesAttributeError])


@ERRORS
@NOTES
@pytest.mark.parametrize('name', SYNC_STAGES)
def test_ctrl_c_in_a_note_comes_out_of_a_sync_stream(
    name: str, error: Any, raised: type[BaseException]
) -> None:
    def source() -> Any:
        yield from ()
        raise error(raised)

    stream = SYNC_STAGES[name].over(source())
    with pytest.raises(raised):
        next(stream)


@ERRORS
@NOTES
@stages
def test_ctrl_c_in_a_note_comes_out_of_an_async_stream(
    stage: Stage, error: Any, raised: type[BaseException]
) -> None:
    async def source() -> Any:
        for _ in ():
            yield
        raise error(raised)

    async def main() -> list[BaseException]:
        stream = stage.over(source())
        came: list[BaseException] = []
        try:
            await anext(stream)
        except BaseException as one:
            came.append(one)
        return came

    came: list[BaseException] = []
    try:  # it ends the loop, too, where a task of the stream's own has raised it
        came += run(main())
    except (Stop, NoMemory) as one:
        came.append(one)
    assert any(isinstance(one, raised) for one in came)


class Item:
    raised: type[BaseException]

    def __init__(self, raised: type[BaseException]) -> None:
        self.raised = raised

    def __repr__(self) -> str:
        raise self.raised


async def fail(item: object) -> None:
    raise Angry


def fail_now(item: object) -> None:
    raise Angry


@ERRORS
def test_ctrl_c_in_the_repr_of_an_item_comes_out(raised: type[BaseException]) -> None:
    async def main() -> None:
        async for _ in amap(fail, [Item(raised)]):
            pass

    with pytest.raises(raised):
        run(main())
    with pytest.raises(raised):
        list(map_threads(fail_now, [Item(raised)]))


# --- to_sync --------------------------------------------------------------------------------------


@stages
def test_a_chain_is_read_from_plain_code(stage: Stage) -> None:
    """The loop is another thread's; the source lives in one task of it."""
    log = Log()

    async def source() -> Any:
        stream = stage.over(numbers(stage.takes or 'text', WAITS['sleep(0)'], log))
        async for item in stream:
            yield item

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with to_sync(source) as stream:
            assert [number_of(item) for item in stream] == list(range(COUNT))
    assert log[-1] == 'closed'

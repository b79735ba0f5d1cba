"""``drive`` beside the coroutine that it stands for, and in the hands of asyncio."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import inspect
import subprocess
import sys
import threading
import traceback
import types
import warnings
import weakref
from collections.abc import Callable, Coroutine, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from generators import drive, task
from tests.references import check_references


class Failed(Exception):
    """What fails in these tests."""


# --- beside the coroutine that it stands for --------------------------------------------------


@types.coroutine
def turn(told: Any = None) -> Generator[Any, Any, Any]:
    return (yield told)


async def model(generator: Generator[Any, Any, Any]) -> Any:
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            waited_for = generator.send(answer) if error is None else generator.throw(error)
        except StopIteration as stop:
            return stop.value
        try:
            if waited_for is None:
                answer = await turn()
            else:
                answer = await waited_for if inspect.isawaitable(waited_for) else waited_for
            error = None
        except BaseException as e:
            error = e


class Waits:
    """An awaitable that tells its loop ``turns`` things and then returns or fails."""

    def __init__(self, turns: int, log: list[Any], error: BaseException | None = None) -> None:
        self.turns, self.log, self.error = turns, log, error

    def __await__(self) -> Iterator[Any]:
        try:
            for i in range(self.turns):
                self.log.append(('sent', (yield f'told {i}')))
            if self.error is not None:
                raise self.error
        except BaseException as e:
            self.log.append(repr(e))
            raise
        return f'after {self.turns}'


def scripted(script: list[tuple[Any, ...]], log: list[Any], stubborn: bool) -> Iterator[Any]:
    for kind, *arguments in script:
        try:
            if kind == 'waits':
                got = yield Waits(arguments[0], log)
            elif kind == 'fails':
                got = yield Waits(arguments[0], log, arguments[1]('of what was awaited'))
            elif kind == 'coroutine':
                got = yield turn('from a coroutine')
            elif kind == 'bare':
                got = yield
            elif kind == 'raises':
                raise arguments[0]('of the generator')
            else:
                got = yield arguments
            log.append(('got', got))
        except (Failed, GeneratorExit) as e:
            log.append(('caught', repr(e)))
            if not stubborn:
                raise
    return 'result'


def outcome(act: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        return ('told', act())
    except BaseException as error:
        told = error.value if isinstance(error, StopIteration) else str(error)
        return ('raised', type(error), told)


def close(coroutine: Any) -> None:
    """From 3.13 on a coroutine's close() gives what it returned then; a drive's gives None."""
    coroutine.close()


STEPS: list[Callable[[Any], Any]] = [
    lambda d: d.send(None),
    lambda d: d.send(None),
    lambda d: d.send(None),
    lambda d: d.send('sent'),
    lambda d: d.throw(Failed('thrown')),
    lambda d: d.throw(Failed),
    lambda d: d.throw(GeneratorExit()),
    close,
]

SCRIPT = st.lists(
    st.one_of(
        st.tuples(st.just('waits'), st.integers(0, 2)),
        st.tuples(st.just('fails'), st.integers(0, 2), st.sampled_from([Failed, KeyError])),
        st.sampled_from([('coroutine',), ('bare',), ('plain', 1), ('raises', Failed)]),
        st.just(('raises', StopIteration)),
    ),
    max_size=5,
)


@given(SCRIPT, st.lists(st.sampled_from(STEPS), max_size=8), st.booleans())
@example([('waits', 1)], [STEPS[0], close], True)
def test_it_does_what_a_coroutine_does(
    script: list[tuple[Any, ...]], steps: list[Callable[[Any], Any]], stubborn: bool
) -> None:
    expected_log: list[Any] = []
    log: list[Any] = []
    expected = model(scripted(script, expected_log, stubborn))
    driven = drive(scripted(script, log, stubborn))
    for i, step in enumerate(steps):
        if i == 0 and step is not STEPS[0] and step is not STEPS[3]:
            # A coroutine that never began does not run its generator; a drive is one with it.
            continue
        assert outcome(lambda step=step: step(driven)) == outcome(lambda step=step: step(expected))
        assert log == expected_log
    for either in (driven, expected):
        for _ in range(len(script) + 2):  # a stubborn one goes on after each
            with suppress(RuntimeError, Failed, KeyError):
                either.close()


# --- what is waited for -----------------------------------------------------------------------


def test_what_may_be_awaited_is_waited_for() -> None:
    async def double(x: int) -> int:
        await asyncio.sleep(0)
        return 2 * x

    def main() -> Iterator[Any]:
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        loop.call_soon(future.set_result, 'future')
        found = [(yield double(1)), (yield future), (yield asyncio.create_task(double(2)))]
        found.append((yield asyncio.gather(double(3), double(4))))
        found.append((yield Waits(0, [])))
        found.append((yield drive(nested())))
        return found

    def nested() -> Iterator[Any]:
        return (yield double(5))

    assert asyncio.run(drive(main())) == [2, 'future', 4, [6, 8], 'after 0', 10]


@pytest.mark.parametrize('value', [[1], {'a': 1}, 'text', b'x', 0, False, object(), (), Failed])
def test_any_other_value_comes_straight_back(value: Any) -> None:
    def main() -> Iterator[Any]:
        assert (yield value) is value
        return value

    with pytest.raises(StopIteration) as stop:
        drive(main()).send(None)
    # No loop was asked for anything.
    assert stop.value.value is value


def test_a_generator_is_a_plain_value_unless_it_is_a_coroutine() -> None:
    def values() -> Iterator[int]:
        yield 1

    @types.coroutine
    def awaitable() -> Iterator[Any]:
        yield from asyncio.sleep(0).__await__()
        return 'awaited'

    def main() -> Iterator[Any]:
        made = values()
        assert (yield made) is made
        return (yield awaitable())

    assert asyncio.run(drive(main())) == 'awaited'


def test_a_bare_yield_is_one_turn_of_the_loop() -> None:
    turns = 0

    def main() -> Iterator[Any]:
        nonlocal turns

        def count() -> None:
            nonlocal turns
            turns += 1

        for i in range(5):
            asyncio.get_running_loop().call_soon(count)
            assert (yield) is None
            assert turns == i + 1

    asyncio.run(drive(main()))


def test_a_ready_result_does_not_go_through_the_loop() -> None:
    def main() -> Iterator[Any]:
        loop = asyncio.get_running_loop()
        seen: list[str] = []
        loop.call_soon(seen.append, 'turned')
        ready, failed = loop.create_future(), loop.create_future()
        ready.set_result(1)
        failed.set_exception(Failed('ready'))
        executor_future: Future[int] = Future()
        executor_future.set_result(2)
        assert (yield ready) + (yield executor_future) == 3
        with pytest.raises(Failed):
            yield failed
        assert seen == []
        yield
        assert seen == ['turned']

    asyncio.run(drive(main()))


def test_a_million_ready_results_neither_recurse_nor_starve_the_loop() -> None:
    def main() -> Iterator[Any]:
        ready = asyncio.get_running_loop().create_future()
        ready.set_result(1)
        total = 0
        for _ in range(1_000_000):
            total += yield ready
        return total

    async def beside() -> int:
        turns = 0
        driven = asyncio.create_task(drive(main()))
        while not driven.done():
            await asyncio.sleep(0)
            turns += 1
        assert driven.result() == 1_000_000
        return turns

    assert asyncio.run(beside()) >= 3


def test_slow_plain_values_let_the_loop_run_between_them() -> None:
    """A blocking call's results come straight back, and the other tasks live all the same."""

    def blocking() -> Iterator[Any]:
        loop = asyncio.get_running_loop()
        for _ in range(8):
            until = loop.time() + 0.02
            while loop.time() < until:
                pass
            yield ['data']

    async def main() -> int:
        turns = 0
        driven = asyncio.create_task(drive(blocking()))
        while not driven.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(main()) >= 6


def test_without_a_loop_nothing_pauses() -> None:
    def main() -> Iterator[Any]:
        for _ in range(1_000_000):
            yield 'ready'
        return 'done'

    with pytest.raises(StopIteration) as stop:
        drive(main()).send(None)
    assert stop.value.value == 'done'


@pytest.mark.parametrize('delay', [True, False])
def test_a_future_of_an_executor_is_waited_for(delay: bool) -> None:
    gate = threading.Event()

    def work() -> str:
        gate.wait(10)
        return threading.current_thread().name

    def main(pool: ThreadPoolExecutor) -> Iterator[Any]:
        future = pool.submit(work)
        if delay:
            asyncio.get_running_loop().call_soon(gate.set)
        else:
            gate.set()
            future.result(10)
        name = yield future
        with pytest.raises(ZeroDivisionError):
            yield pool.submit(lambda: 1 // 0)
        return name

    with ThreadPoolExecutor(1, 'worker') as pool:
        assert asyncio.run(drive(main(pool))) == 'worker_0'


def test_a_cancelled_future_of_an_executor_is_cancelled_as_an_asyncio_one_is() -> None:
    future: Future[None] = Future()
    future.cancel()

    def main() -> Iterator[Any]:
        with pytest.raises(asyncio.CancelledError):
            yield future
        return 'went on'

    assert asyncio.run(drive(main())) == 'went on'


def test_cancelling_cancels_the_future_of_an_executor() -> None:
    future: Future[None] = Future()

    def main() -> Iterator[Any]:
        yield future

    async def beside() -> None:
        driven = asyncio.create_task(drive(main()))
        await asyncio.sleep(0)
        driven.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driven

    asyncio.run(beside())
    assert future.cancelled()


def test_a_pending_future_of_an_executor_needs_a_loop() -> None:
    def main() -> Iterator[Any]:
        yield Future()

    with pytest.raises(RuntimeError, match='Future needs a running asyncio event loop'):
        drive(main()).send(None)


def test_a_sub_task_is_yield_from() -> None:
    def sub(x: int) -> Iterator[Any]:
        return (yield asyncio.sleep(0, x)) + 1

    def main() -> Iterator[Any]:
        return (yield from sub(1)) + (yield from sub(10))

    assert asyncio.run(drive(main())) == 13


HINT = 'a task and a coroutine are yielded, without `from`: `result = yield call()`'


def test_yield_from_a_task_or_a_coroutine_says_what_to_do() -> None:
    @task
    def sub() -> Iterator[Any]:
        yield

    async def coroutine() -> None: ...

    made = [sub(), coroutine()]

    def outer(awaitable: Any) -> Iterator[Any]:
        return (yield drive(inner(awaitable)))

    def inner(awaitable: Any) -> Iterator[Any]:
        yield from awaitable

    for awaitable in made:
        with pytest.raises(TypeError) as caught:
            asyncio.run(drive(outer(awaitable)))
        assert caught.value.__notes__ == [HINT]
        awaitable.close()


@pytest.mark.parametrize('error', [TypeError(), TypeError('text'), TypeError(5)])
def test_another_type_error_gets_no_hint(error: TypeError) -> None:
    def main() -> Iterator[Any]:
        raise error
        yield

    with pytest.raises(TypeError) as caught:
        drive(main()).send(None)
    assert caught.value is error
    assert not hasattr(error, '__notes__')


# --- failures ---------------------------------------------------------------------------------


def test_a_failure_is_raised_at_the_yield_with_the_traceback_of_both() -> None:
    async def fetch() -> None:
        await asyncio.sleep(0)
        raise Failed('fetch')

    def main() -> Iterator[Any]:
        yield fetch()

    with pytest.raises(Failed) as caught:
        asyncio.run(drive(main()))
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert names[-2:] == ['main', 'fetch']


def test_a_failure_that_is_caught_is_over() -> None:
    async def fail() -> None:
        raise Failed

    def main() -> Iterator[Any]:
        try:
            yield fail()
        except Failed as error:
            failure = error
        assert sys.exc_info() == (None, None, None)
        yield
        return failure

    assert isinstance(asyncio.run(drive(main())), Failed)


def test_stop_iteration_becomes_runtime_error() -> None:
    def raised() -> Iterator[Any]:
        raise StopIteration(1)
        yield

    def awaited() -> Iterator[Any]:
        future: Future[None] = Future()
        future.set_exception(StopIteration(2))
        yield future

    for generator in (raised(), awaited()):
        with pytest.raises(RuntimeError, match='raised StopIteration'):
            asyncio.run(drive(generator))


@pytest.mark.parametrize(
    ('awaited', 'message'),
    [
        (lambda: 1, 'iterator'),
        (lambda: [1], 'iterator'),
        (lambda: turn(), 'returned a coroutine'),
        (lambda: 1 // 0, 'by zero'),
    ],
)
def test_a_bad_awaitable_fails_at_the_yield(awaited: Callable[[], Any], message: str) -> None:
    class Bad:
        def __await__(self) -> Any:
            return awaited()

    def main() -> Iterator[Any]:
        with pytest.raises((TypeError, ZeroDivisionError), match=message):
            yield Bad()
        return 'went on'

    assert asyncio.run(drive(main())) == 'went on'


def test_a_coroutine_that_another_awaits_is_refused() -> None:
    async def slow() -> None:
        await asyncio.sleep(3600)

    def main(other: Any) -> Iterator[Any]:
        with pytest.raises(RuntimeError, match='being awaited already'):
            yield other

    async def beside() -> None:
        coroutine, driven = slow(), drive(iter_sleep())
        for other in (coroutine, driven):
            task = asyncio.create_task(other)
            await asyncio.sleep(0)
            await drive(main(other))
            task.cancel()

    def iter_sleep() -> Iterator[Any]:
        yield asyncio.sleep(3600)

    asyncio.run(beside())


# --- cancelling -------------------------------------------------------------------------------


def test_cancelling_is_raised_at_the_yield() -> None:
    log: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            log.append('slow ended')

    def main() -> Iterator[Any]:
        try:
            yield slow()
        except asyncio.CancelledError:
            log.append('cancelled')
            yield asyncio.sleep(0)
            log.append('cleaned up')
            raise

    async def beside() -> None:
        task = asyncio.create_task(drive(main()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert task.cancelled()

    asyncio.run(beside())
    assert log == ['slow ended', 'cancelled', 'cleaned up']


def test_a_timeout_ends_it() -> None:
    def main() -> Iterator[Any]:
        yield asyncio.sleep(3600)

    async def beside() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(drive(main()), 0.01)

    asyncio.run(beside())


def test_a_task_group_takes_it_and_cancels_it() -> None:
    log: list[str] = []

    def slow() -> Iterator[Any]:
        try:
            yield asyncio.sleep(3600)
        finally:
            log.append('slow')

    def fails() -> Iterator[Any]:
        yield
        raise Failed

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(drive(slow()))
            group.create_task(drive(fails()))

    with pytest.raises(ExceptionGroup) as caught:
        asyncio.run(main())
    assert caught.group_contains(Failed)
    assert log == ['slow']


def test_it_runs_in_the_context_of_its_task() -> None:
    variable = contextvars.ContextVar('variable', default='outside')

    def main(value: str) -> Iterator[Any]:
        variable.set(value)
        yield
        return variable.get()

    async def beside() -> list[str]:
        return await asyncio.gather(drive(main('a')), drive(main('b')))

    assert asyncio.run(beside()) == ['a', 'b']
    assert variable.get() == 'outside'


def test_a_loop_that_closes_in_the_middle() -> None:
    log: list[str] = []

    def main() -> Iterator[Any]:
        try:
            yield asyncio.get_running_loop().create_future()
        finally:
            log.append('closed')

    loop = asyncio.new_event_loop()
    task = loop.create_task(drive(main()))
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    assert log == []
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    del task
    gc.collect()
    assert log == ['closed']


# --- misuse -----------------------------------------------------------------------------------


def test_a_generator_that_waits_for_its_own_drive() -> None:
    driven: Any = None

    def main() -> Iterator[Any]:
        with pytest.raises(RuntimeError, match='cannot wait for its own drive'):
            yield driven
        return 'went on'

    driven = drive(main())
    assert asyncio.run(driven) == 'went on'


def test_a_generator_that_waits_for_its_own_task() -> None:
    def main() -> Iterator[Any]:
        yield asyncio.current_task()

    with pytest.raises(RuntimeError, match='await on itself'):
        asyncio.run(drive(main()))


def test_two_that_wait_for_each_other() -> None:
    drives: list[Any] = []

    def main(other: int) -> Iterator[Any]:
        yield drives[other]

    drives += [drive(main(1)), drive(main(0))]
    with pytest.raises(RuntimeError, match='being awaited already'):
        asyncio.run(drives[0])


def test_a_generator_that_runs_already() -> None:
    def main() -> Iterator[Any]:
        with pytest.raises(ValueError, match='already executing'):
            drive(generator).send(None)
        with pytest.raises(ValueError, match='coroutine already executing'):
            driven.send(None)
        with pytest.raises(ValueError, match='coroutine already executing'):
            driven.close()
        assert driven.cr_running
        yield

    generator = main()
    driven = drive(generator)
    assert asyncio.run(driven) is None


def test_a_chain_of_drives_ends_in_recursion_error() -> None:
    def main(depth: int) -> Iterator[Any]:
        if depth > 0:
            yield drive(main(depth - 1))

    asyncio.run(drive(main(100)))
    with pytest.raises(RecursionError):
        asyncio.run(drive(main(100_000)))


def test_a_generator_that_swallows_generator_exit() -> None:
    def main() -> Iterator[Any]:
        while True:
            with suppress(GeneratorExit):
                yield asyncio.sleep(3600)
                return

    driven = drive(main())
    with pytest.raises(RuntimeError, match='no running event loop'):
        driven.send(None)

    def stubborn() -> Iterator[Any]:
        for _ in range(2):
            with suppress(GeneratorExit):
                yield

    driven = drive(stubborn())
    driven.send(None)
    with pytest.raises(RuntimeError, match='coroutine ignored GeneratorExit'):
        driven.close()
    driven.close()


def test_what_needs_no_waiting_may_be_done_while_it_is_closed() -> None:
    log = []

    def main() -> Iterator[Any]:
        try:
            yield
        finally:
            log.append((yield ['data']))

    driven = drive(main())
    driven.send(None)
    driven.close()
    assert log == [['data']]


@pytest.mark.parametrize('steps', range(3))
def test_close_closes_the_generator_at_every_point(steps: int) -> None:
    log: list[str] = []

    def main() -> Iterator[Any]:
        try:
            yield Waits(1, log)
            yield
        finally:
            log.append('closed')

    driven = drive(main())
    for _ in range(steps):
        driven.send(None)
    driven.close()
    driven.close()
    assert ('closed' in log) == (steps > 0)
    with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
        driven.send(None)
    with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
        driven.throw(Failed)


def test_it_is_awaited_once() -> None:
    def main() -> Iterator[Any]:
        yield

    async def beside() -> None:
        driven = drive(main())
        await driven
        with pytest.raises(RuntimeError, match='cannot reuse already awaited coroutine'):
            await driven

    asyncio.run(beside())


async def a_coroutine() -> None: ...


async def an_async_generator() -> Any:
    yield


@pytest.mark.parametrize('made', [a_coroutine, an_async_generator])
def test_what_is_asynchronous_is_refused(made: Callable[[], Any]) -> None:
    value = made()
    with pytest.raises(TypeError, match='takes a generator, not'):
        drive(value)
    if inspect.iscoroutine(value):
        value.close()


@pytest.mark.parametrize('value', [None, 1, [1], iter([1]), open, scripted])
def test_what_is_no_generator_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match='takes a generator, not') as caught:
        drive(value)
    assert ('call it' in str(caught.value)) == callable(value)
    for arguments in ((), (scripted([], [], False), 1)):
        with pytest.raises(TypeError):
            drive(*arguments)  # type: ignore[arg-type, call-arg]


def test_a_generator_of_another_kind() -> None:
    class Counts(Generator[Any, Any, str]):
        def __init__(self) -> None:
            self.sent: list[Any] = []

        def send(self, value: Any) -> Any:
            self.sent.append(value)
            if len(self.sent) == 3:
                raise StopIteration('result')
            return [len(self.sent)]

        def throw(self, exception: Any, *args: Any) -> Any:
            raise exception

    generator = Counts()
    assert asyncio.run(drive(generator)) == 'result'
    assert generator.sent == [None, [1], [2]]
    driven = drive(generator)
    with pytest.raises(Failed):
        driven.throw(Failed)
    assert driven.__qualname__.endswith('Counts')
    assert driven.cr_frame is None


# --- as a coroutine ---------------------------------------------------------------------------


def test_it_is_a_coroutine_to_the_abc_and_to_asyncio() -> None:
    def main() -> Iterator[Any]:
        yield

    driven = drive(main())
    assert isinstance(driven, Coroutine)
    assert asyncio.iscoroutine(driven)
    assert inspect.isawaitable(driven)
    driven.close()


def test_inspect_knows_its_state() -> None:
    def main() -> Iterator[Any]:
        seen.append(inspect.getcoroutinestate(driven))
        yield

    seen = []
    driven: Any = drive(main())
    seen.append(inspect.getcoroutinestate(driven))
    driven.send(None)
    seen.append(inspect.getcoroutinestate(driven))
    driven.close()
    seen.append(inspect.getcoroutinestate(driven))
    assert seen == ['CORO_CREATED', 'CORO_RUNNING', 'CORO_SUSPENDED', 'CORO_CLOSED']


def test_debuggers_see_where_it_waits() -> None:
    def main() -> Iterator[Any]:
        yield awaited

    awaited = turn()
    generator = main()
    driven = drive(generator)
    assert driven.cr_await is None
    driven.send(None)
    assert driven.cr_await is awaited
    assert driven.cr_frame is generator.gi_frame
    assert driven.cr_code is generator.gi_code
    assert not driven.cr_running
    driven.close()
    assert driven.cr_frame is None
    assert driven.cr_await is None


def test_names_are_those_of_the_generator() -> None:
    def fetch_and_process() -> Iterator[Any]:
        yield asyncio.get_running_loop().create_future()

    async def main() -> None:
        driven = drive(fetch_and_process())
        assert driven.__name__ == 'fetch_and_process'
        assert driven.__qualname__.endswith('<locals>.fetch_and_process')
        assert 'drive object' in repr(driven)
        assert driven.__qualname__ in repr(driven)
        task = asyncio.create_task(driven)
        await asyncio.sleep(0)
        assert 'fetch_and_process() running at' in repr(task)
        (frame,) = task.get_stack()
        assert frame.f_code.co_name == 'fetch_and_process'
        task.cancel()

    asyncio.run(main())


@pytest.mark.skipif(sys.version_info < (3, 14), reason='call graphs came with 3.14')
def test_it_is_in_the_call_graph_of_asyncio() -> None:
    def outer() -> Iterator[Any]:
        yield drive(inner())

    def inner() -> Iterator[Any]:
        yield asyncio.get_running_loop().create_future()

    async def main() -> None:
        task = asyncio.create_task(drive(outer()))
        await asyncio.sleep(0)
        graph = asyncio.capture_call_graph(task)  # type: ignore[attr-defined]
        names = [entry.frame.f_code.co_name for entry in graph.call_stack]
        assert names == ['inner', 'outer']
        task.cancel()

    asyncio.run(main())


def test_what_is_never_awaited_is_told() -> None:
    def main() -> Iterator[Any]:
        yield

    with pytest.warns(RuntimeWarning, match=r"coroutine '.*main' was never awaited"):
        drive(main())


def test_its_origin_is_told_where_that_is_asked_for() -> None:
    def main() -> Iterator[Any]:
        yield

    assert closed(drive(main())).cr_origin is None
    sys.set_coroutine_origin_tracking_depth(2)
    try:
        driven = drive(main())
        assert driven.cr_origin is not None
        assert len(driven.cr_origin) == 2
        file, line, name = driven.cr_origin[0]
        assert (file, name) == (__file__, 'test_its_origin_is_told_where_that_is_asked_for')
        assert line == inspect.currentframe().f_lineno - 5  # type: ignore[union-attr]
        with pytest.warns(RuntimeWarning, match='Coroutine created at'):
            del driven
    finally:
        sys.set_coroutine_origin_tracking_depth(0)


def closed(driven: Any) -> Any:
    driven.close()
    return driven


def test_in_asyncio_debug_mode() -> None:
    def main() -> Iterator[Any]:
        return (yield asyncio.sleep(0, 1))

    assert asyncio.run(drive(main()), debug=True) == 1


def test_a_warning_that_is_an_error_is_unraisable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda args: seen.append(args.exc_type))

    def main() -> Iterator[Any]:
        yield

    with warnings.catch_warnings():
        warnings.simplefilter('error')
        drive(main())
    assert seen == [RuntimeWarning]


@pytest.mark.filterwarnings('ignore:the .type, exc, tb. signature:DeprecationWarning')
def test_throw_reads_its_older_forms() -> None:
    def main() -> Iterator[Any]:
        yield

    for arguments in ((Failed, 'text'), (Failed, Failed('text')), (Failed('text'),)):
        driven = drive(main())
        driven.send(None)
        with pytest.raises(Failed, match='text'):
            driven.throw(*arguments)
    driven = drive(main())
    for bad in ((), (1,), (Failed('a'), 'b'), (Failed, None, 1)):
        with pytest.raises(TypeError):
            driven.throw(*bad)
    driven.close()


def test_the_iterator_and_send_do_the_same() -> None:
    def main(result: Any) -> Iterator[Any]:
        yield
        return result

    for result in (None, 1, (1, 2), Failed('value'), StopIteration(3)):
        stepped, sent = drive(main(result)), drive(main(result))
        assert next(stepped.__await__()) is sent.send(None) is None
        with pytest.raises(StopIteration) as by_next:
            stepped.__await__().__next__()
        with pytest.raises(StopIteration) as by_send:
            sent.send(None)
        assert by_next.value.value is by_send.value.value is result

        async def awaits(result: Any = result) -> Any:
            return await drive(main(result))

        assert asyncio.run(awaits()) is result


def test_a_value_sent_first_is_refused() -> None:
    def main() -> Iterator[Any]:
        yield

    driven = drive(main())
    with pytest.raises(TypeError, match="can't send non-None value"):
        driven.send(1)
    driven.send(None)
    driven.close()


# --- memory -----------------------------------------------------------------------------------


def test_what_is_dropped_is_closed_without_the_collector() -> None:
    log: list[str] = []

    def main() -> Iterator[Any]:
        try:
            yield Waits(1, log)
        finally:
            log.append('closed')

    gc.disable()
    try:
        driven = drive(main())
        driven.send(None)
        reference = weakref.ref(driven)
        del driven
        assert log == ['GeneratorExit()', 'closed']
        assert reference() is None
    finally:
        gc.enable()


def test_what_is_dropped_in_a_cycle_is_collected() -> None:
    log: list[str] = []

    def main() -> Iterator[Any]:
        me = driven()  # noqa: F841
        try:
            yield
        finally:
            log.append('closed')

    held: Any = drive(main())
    driven = weakref.ref(held)
    held.send(None)
    del held
    gc.collect()
    assert log == ['closed']


def test_an_error_of_closing_when_dropped_is_unraisable(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda args: seen.append(str(args.exc_value)))

    def main() -> Iterator[Any]:
        try:
            yield
        finally:
            raise Failed('from its finally')

    driven = drive(main())
    driven.send(None)
    del driven
    assert seen == ['from its finally']


def test_nothing_leaks() -> None:
    item = object()

    async def answer() -> Any:
        return item

    def main() -> Iterator[Any]:
        assert (yield item) is item
        assert (yield answer()) is item
        yield
        with suppress(Failed):
            yield Waits(1, [], Failed())
        return item

    def use() -> None:
        driven = drive(main())
        driven.send(None)
        with suppress(StopIteration):
            while True:
                driven.send(None)
        driven = drive(main())
        driven.send(None)
        with pytest.raises(Failed):
            driven.throw(Failed)
        driven = drive(main())
        driven.send(None)
        driven.close()
        with pytest.raises(TypeError):
            drive(item)  # type: ignore[arg-type]

    check_references(use, item, drive)


def test_nothing_of_asyncio_is_imported_for_it() -> None:
    script = """if True:
        import sys
        from generators import drive, task

        def main():
            yield [1]
            yield object()

        try:
            drive(main()).send(None)
        except StopIteration:
            pass
        assert 'asyncio' not in sys.modules and 'concurrent.futures' not in sys.modules
    """
    subprocess.run([sys.executable, '-c', script], check=True, timeout=30)


def test_threads_that_step_one_drive_are_told_so() -> None:
    steps = 2000

    def main() -> Iterator[Any]:
        for _ in range(steps):
            yield

    driven = drive(main())
    done, refused = [], []
    barrier = threading.Barrier(4)

    def use() -> None:
        barrier.wait(10)
        try:
            while True:
                try:
                    driven.send(None)
                    done.append(1)
                except ValueError:
                    refused.append(1)
        except (StopIteration, RuntimeError):
            pass

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(done) == steps


def test_its_state_is_told() -> None:
    """What inspect asks for since 3.15."""

    def generator() -> Iterator[Any]:
        seen.append(coroutine.cr_state)
        yield Once()

    class Once:
        def __await__(self) -> Iterator[None]:
            yield

    coroutine: Any = drive(generator())
    seen = [coroutine.cr_state]
    coroutine.send(None)
    seen.append(coroutine.cr_state)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    seen.append(coroutine.cr_state)
    assert seen == ['CORO_CREATED', 'CORO_RUNNING', 'CORO_SUSPENDED', 'CORO_CLOSED']


def test_a_name_that_is_no_text_is_that_of_the_type() -> None:
    class Named(Generator[Any, Any, Any]):
        def send(self, value: Any) -> Any:
            raise StopIteration

        def throw(self, *exception: Any) -> Any:
            raise exception[0]

    generator: Any = Named()
    generator.__name__ = generator.__qualname__ = 1
    coroutine = drive(generator)
    assert coroutine.__name__ == 'Named'
    assert coroutine.__qualname__ == Named.__qualname__
    coroutine.close()


def test_none_is_let_go() -> None:
    """Up to 3.11 None has a count of references, and the interpreter ends when it comes to 0."""

    async def answer() -> None:
        pass

    def main() -> Iterator[Any]:
        yield answer()
        yield
        assert (yield None) is None

    def use() -> None:
        for _ in range(100):
            driven = drive(main())
            assert driven.cr_await is None
            with suppress(StopIteration):
                while True:
                    driven.send(None)
            assert driven.cr_await is None

    use()
    gc.collect()
    before = sys.getrefcount(None)
    for _ in range(20):
        use()
    gc.collect()
    assert abs(sys.getrefcount(None) - before) < 1000

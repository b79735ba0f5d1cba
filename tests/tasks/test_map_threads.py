"""``map_threads``: calls on threads, a bounded number at a time, their results in a stream."""

from __future__ import annotations

import contextvars
import gc
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import map_threads

WAIT = 20  # seconds after which something hangs


class Failed(Exception):
    """What fails in these tests."""


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + WAIT
    while set(threading.enumerate()) - before and time.monotonic() < until:
        gc.collect()
        time.sleep(0.001)
    assert not set(threading.enumerate()) - before


class Gate:
    """Calls that wait until they are let go, one by one."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.begun: list[Any] = []
        self.ended: list[Any] = []
        self.open: set[Any] = set()

    def __call__(self, item: Any) -> Any:
        with self.lock:
            self.begun.append(item)
            self.lock.notify_all()
            assert self.lock.wait_for(lambda: item in self.open or ... in self.open, WAIT)
            self.ended.append(item)
        return item

    def let(self, *items: Any) -> None:
        with self.lock:
            self.open.update(items)
            self.lock.notify_all()

    def wait_until_begun(self, count: int) -> None:
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.begun) >= count, WAIT)


@contextmanager
def in_thread(function: Callable[[], Any]) -> Iterator[list[Any]]:
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:
            results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    yield results
    thread.join(WAIT)
    assert not thread.is_alive()


# --- results ----------------------------------------------------------------------------------


@given(
    st.lists(st.integers(), max_size=30),
    st.integers(1, 6),
    st.one_of(st.none(), st.integers(1, 9)),
    st.booleans(),
)
def test_the_results_are_those_of_map(
    items: list[int], concurrency: int, buffersize: int | None, ordered: bool
) -> None:
    stream = map_threads(
        lambda x: -x, items, concurrency=concurrency, buffersize=buffersize, ordered=ordered
    )
    results = list(stream)
    if ordered:
        assert results == [-x for x in items]
    else:
        assert sorted(results) == sorted(-x for x in items)


def test_results_come_in_the_order_of_the_items() -> None:
    gate = Gate()
    with in_thread(lambda: list(map_threads(gate, range(3), concurrency=3))) as results:
        gate.wait_until_begun(3)
        gate.let(2)
        gate.let(1)
        gate.let(0)
    assert results == [[0, 1, 2]]


def test_results_come_as_they_are_ready_where_they_need_no_order() -> None:
    gate = Gate()
    stream = map_threads(gate, range(3), concurrency=3, ordered=False)
    for item in (2, 0, 1):
        gate.let(item)
        assert next(stream) == item
    assert list(stream) == []


def test_none_and_exceptions_are_results_as_any_other() -> None:
    results = [None, Failed(), StopIteration(), ...]
    stream = map_threads(results.__getitem__, range(4))
    assert [a is b for a, b in zip(stream, results, strict=True)] == [True] * 4


@pytest.mark.parametrize('ordered', [True, False])
def test_every_result_of_many_comes_once(ordered: bool) -> None:
    results = list(map_threads(abs, range(20_000), concurrency=16, ordered=ordered))
    assert sorted(results) == list(range(20_000))
    assert not ordered or results == list(range(20_000))


# --- bounds -----------------------------------------------------------------------------------


def test_construction_pulls_nothing_and_starts_nothing() -> None:
    source = iter([1])
    threads = threading.active_count()
    stream = map_threads(abs, source)
    assert next(source) == 1
    assert threading.active_count() == threads
    stream.close()


def test_no_more_than_concurrency_calls_run_at_once() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def call(x: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        time.sleep(0.001)
        with lock:
            running -= 1
        return x

    assert list(map_threads(call, range(60), concurrency=4)) == list(range(60))
    assert 2 <= most <= 4


def test_all_of_concurrency_run_at_once() -> None:
    barrier = threading.Barrier(6)
    assert len(list(map_threads(lambda _: barrier.wait(WAIT), range(18), concurrency=6))) == 18


@pytest.mark.parametrize('ordered', [True, False])
@pytest.mark.parametrize(
    ('concurrency', 'buffersize', 'expected'), [(2, None, 4), (2, 1, 1), (3, 5, 5), (1, None, 2)]
)
def test_no_more_than_buffersize_are_started_and_not_given(
    concurrency: int, buffersize: int | None, expected: int, ordered: bool
) -> None:
    pulled = 0
    if buffersize is None and ordered:
        expected = 1000

    def source() -> Iterator[int]:
        nonlocal pulled
        for i in itertools.count():
            pulled += 1
            yield i

    gate = Gate()
    stream = map_threads(
        gate, source(), concurrency=concurrency, buffersize=buffersize, ordered=ordered
    )
    given_items = 0
    with in_thread(lambda: next(stream)) as results:
        if ordered:
            # All but the first end, and others take their place, up to the bound.
            gate.let(*range(1, 2000))
            gate.wait_until_begun(1 if concurrency == 1 else expected)
            gate.let(0)
        else:
            gate.let(...)
    given_items += 1
    assert len(results) == 1
    assert pulled <= expected
    for _ in range(10):
        next(stream)
        given_items += 1
        assert pulled - given_items <= expected - 1
    stream.close()


def test_it_pulls_on_the_thread_of_the_consumer() -> None:
    threads = set()

    def source() -> Iterator[int]:
        for i in range(20):
            threads.add(threading.get_ident())
            yield i

    list(map_threads(abs, source()))
    assert threads == {threading.get_ident()}


def test_a_slow_first_call_does_not_keep_others_from_running() -> None:
    gate = Gate()
    stream = map_threads(gate, range(10), concurrency=2, buffersize=5)
    with in_thread(lambda: next(stream)) as results:
        gate.let(1, 2, 3, 4)
        gate.wait_until_begun(5)
        gate.let(0)
    assert results == [0]
    gate.let(...)
    assert list(stream) == list(range(1, 10))


# --- failures ---------------------------------------------------------------------------------


def fails_at(*bad: int) -> Callable[[int], int]:
    def call(x: int) -> int:
        if x in bad:
            raise Failed(x)
        return x

    return call


def test_a_failure_comes_in_its_turn_with_a_note_and_ends_the_stream() -> None:
    stream = map_threads(fails_at(3), iter(range(100)), concurrency=4)
    assert [next(stream) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(Failed) as caught:
        next(stream)
    assert caught.value.__notes__ == [
        'while calling fails_at.<locals>.call with item 3: 3',
    ]
    assert list(stream) == []


def test_a_note_shortens_the_item() -> None:
    class Item:
        def __repr__(self) -> str:
            return 'x' * 1000

    class Bad:
        def __repr__(self) -> str:
            raise ZeroDivisionError

    def call(x: Any) -> None:
        raise Failed

    for item in (Item(), 'y' * 1000, list(range(1000)), Bad()):
        with pytest.raises(Failed) as caught:
            next(map_threads(call, [item]))
        (note,) = caught.value.__notes__
        assert note.startswith(f'while calling {call.__qualname__} with item 0: ')
        assert len(note) < 200


@pytest.mark.parametrize(
    ('where', 'error'),
    [
        *itertools.product(['repr', 'add_note', '__qualname__'], [KeyboardInterrupt, SystemExit]),
        ('add_note', MemoryError),
        ('__qualname__', MemoryError),  # reprlib itself makes a text of that of a repr
    ],
)
def test_what_ends_the_program_passes_through_the_note(
    where: str, error: type[BaseException]
) -> None:
    class Item:
        def __repr__(self) -> str:
            if where == 'repr':
                raise error
            return 'item'

    class Noted(Exception):
        def add_note(self, note: str) -> None:
            if where == 'add_note':
                raise error

    class Call:
        def __call__(self, item: Item) -> None:
            raise Noted

        def __getattr__(self, name: str) -> Any:
            if where == name:
                raise error
            raise AttributeError(name)

    with pytest.raises(error) as caught:
        next(map_threads(Call(), [Item()]))
    assert isinstance(caught.value.__context__, Noted)


class ByHand:
    """An executor that runs what the test tells it to run."""

    def __init__(self) -> None:
        self.lock = threading.Condition()
        self.given: list[tuple[Callable[[], Any], Future[Any]]] = []

    def submit(self, function: Callable[[], Any]) -> Future[Any]:
        with self.lock:
            self.given.append((function, Future()))
            self.lock.notify_all()
            return self.given[-1][1]

    def run(self, *indices: int) -> None:
        with self.lock:
            assert self.lock.wait_for(lambda: len(self.given) > max(indices), WAIT)
        for i in indices:
            function, future = self.given[i]
            if future.set_running_or_notify_cancel():
                function()
                future.set_result(None)


def test_a_failure_starts_nothing_more() -> None:
    executor = ByHand()
    stream = map_threads(fails_at(3), itertools.count(), concurrency=4, executor=executor)
    with in_thread(lambda: next(stream)) as results:
        executor.run(3, 1, 2, 0)
    assert results == [0]
    assert [next(stream), next(stream)] == [1, 2]
    with pytest.raises(Failed):
        next(stream)
    assert len(executor.given) == 4


def test_a_failure_waits_for_the_rest_and_then_closes_the_source() -> None:
    gate = Gate()
    log = []

    def call(x: int) -> int:
        if x == 0:
            gate.wait_until_begun(3)
            raise Failed
        return gate(x)  # type: ignore[no-any-return]

    def source() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            log.append(sorted(gate.ended))

    stream = map_threads(call, source(), concurrency=4, buffersize=4)
    with in_thread(lambda: next(stream)) as results:
        gate.wait_until_begun(3)
        gate.let(1, 2, 3)
    assert isinstance(results[0], Failed)
    assert log == [[1, 2, 3]]


def test_failures_as_results() -> None:
    results = list(map_threads(fails_at(1, 3), range(5), return_exceptions=True))
    assert [x for x in results if isinstance(x, int)] == [0, 2, 4]
    for i in (1, 3):
        failure = results[i]
        assert isinstance(failure, Failed)
        assert failure.__notes__[0].endswith(f'with item {i}: {i}')


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_what_ends_the_program_is_no_result(error: type[BaseException]) -> None:
    def call(x: int) -> None:
        raise error

    with pytest.raises(error) as caught:
        list(map_threads(call, range(3), return_exceptions=True))
    assert not hasattr(caught.value, '__notes__')


def test_stop_iteration_of_a_call_is_a_runtime_error() -> None:
    def call(x: int) -> None:
        raise StopIteration(x)

    with pytest.raises(RuntimeError, match='raised StopIteration') as caught:
        list(map_threads(call, range(3)))
    assert isinstance(caught.value.__cause__, StopIteration)


def test_a_source_that_fails_gives_what_it_began_first() -> None:
    def source() -> Iterator[int]:
        yield from range(5)
        raise Failed('source')

    stream = map_threads(abs, source(), concurrency=3)
    assert [next(stream) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(Failed) as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 5']
    assert list(stream) == []


def test_a_nested_stream_that_fails_tells_of_both_calls() -> None:
    inner = map_threads(fails_at(2), range(5))
    with pytest.raises(Failed) as caught:
        list(map_threads(abs, inner))
    assert caught.value.__notes__[0].endswith('with item 2: 2')


# --- ending -----------------------------------------------------------------------------------


@pytest.mark.parametrize('taken', range(4))
def test_close_waits_for_the_calls_and_then_closes_the_source(taken: int) -> None:
    log: list[Any] = []
    gate = Gate()
    gate.let(*range(taken))

    def source() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            log.append(sorted(gate.ended) == sorted(gate.begun))

    stream = map_threads(gate, source(), concurrency=3)
    for i in range(taken):
        assert next(stream) == i
    gate.let(...)
    stream.close()
    assert log == ([True] if taken else [])
    assert list(stream) == []
    stream.close()


def test_close_returns_after_the_calls_that_run() -> None:
    gate = Gate()
    gate.let(0)
    stream = map_threads(gate, range(5), concurrency=2)
    assert next(stream) == 0
    gate.wait_until_begun(2)
    with in_thread(stream.close):
        begun = len(gate.begun)
        gate.let(...)
    assert len(gate.ended) == len(gate.begun) == begun


class FailingLate(Gate):
    """Calls that fail when they are let go, but for the first."""

    def __call__(self, item: Any) -> Any:
        super().__call__(item)
        if item:
            raise Failed(item)
        return item


def note_of(item: int) -> str:
    return f'the call with item {item} raised Failed({item}) while the stream was closed'


@pytest.mark.parametrize('ordered', [True, False])
@pytest.mark.parametrize('pool', [None, ThreadPoolExecutor])
def test_what_calls_raise_while_it_closes_is_raised_by_close(ordered: bool, pool: Any) -> None:
    gate = FailingLate()
    gate.let(0)
    executor = pool and pool(3)
    stream = map_threads(gate, range(3), concurrency=3, ordered=ordered, executor=executor)
    assert next(stream) == 0
    gate.wait_until_begun(3)
    errors: list[Any] = []

    def close() -> None:
        try:
            stream.close()
        except Failed as error:
            errors.append(error)

    with in_thread(close):
        gate.let(...)
    (error,) = errors
    assert error.__notes__[1:] == [note_of(3 - error.item)]
    assert error.__notes__[0].startswith('while calling ')
    stream.close()
    if executor:
        executor.shutdown()


def test_what_calls_raise_while_it_closes_comes_with_the_first_failure() -> None:
    gate = FailingLate()
    gate.let(0)
    stream = map_threads(gate, range(3), concurrency=3)
    assert next(stream) == 0
    gate.wait_until_begun(3)
    gate.let(1)
    errors: list[Any] = []

    def step() -> None:
        try:
            next(stream)
        except Failed as error:
            errors.append(error)

    thread = threading.Thread(target=step)
    thread.start()
    until = time.monotonic() + WAIT
    while not stream.closed and time.monotonic() < until:
        time.sleep(0.001)
    gate.let(2)
    thread.join(WAIT)
    (error,) = errors
    assert error.item == 1
    assert error.__notes__[1:] == [note_of(2)]


@pytest.mark.parametrize('thrown', [KeyboardInterrupt, LookupError])
def test_what_calls_raise_while_it_closes_is_kept_by_what_is_thrown(
    thrown: type[BaseException],
) -> None:
    gate = FailingLate()
    gate.let(0)
    stream = map_threads(gate, range(2), concurrency=2)
    assert next(stream) == 0
    gate.wait_until_begun(2)
    errors: list[Any] = []

    def throw() -> None:
        try:
            stream.throw(thrown('stop'))
        except thrown as error:
            errors.append(error)

    with in_thread(throw):
        gate.let(1)
    (error,) = errors
    if thrown is LookupError:
        assert error.__notes__ == [note_of(1)]
    else:  # it gets no note
        assert not hasattr(error, '__notes__')
        assert repr(error.__context__) == 'Failed(1)'


def test_what_ends_the_program_in_a_call_that_ends_late_is_raised() -> None:
    gate = Gate()
    gate.let(0)

    def call(item: int) -> int:
        gate(item)
        if item:
            raise SystemExit(item)
        return item

    stream = map_threads(call, range(2), concurrency=2)
    assert next(stream) == 0
    gate.wait_until_begun(2)
    errors: list[Any] = []

    def close() -> None:
        try:
            stream.close()
        except SystemExit as error:
            errors.append(error)

    with in_thread(close):
        gate.let(1)
    assert [error.code for error in errors] == [1]


def test_a_call_that_failed_before_it_was_closed_is_forgotten() -> None:
    gate = FailingLate()
    gate.let(0, 1)
    stream = map_threads(gate, range(2), concurrency=2)
    assert next(stream) == 0
    until = time.monotonic() + WAIT
    while len(gate.ended) < 2 and time.monotonic() < until:
        time.sleep(0.001)
    time.sleep(0.01)  # it has its result, too
    stream.close()


def test_failures_as_results_are_no_late_failures() -> None:
    gate = FailingLate()
    gate.let(0)
    stream = map_threads(gate, range(2), concurrency=2, return_exceptions=True)
    assert next(stream) == 0
    gate.wait_until_begun(2)
    with in_thread(stream.close):
        gate.let(1)
    assert stream.closed


def test_what_is_dropped_does_not_wait() -> None:
    gate = Gate()
    gate.let(0)
    log = []

    def source() -> Iterator[int]:
        try:
            yield from itertools.count()
        finally:
            log.append('closed')

    stream = map_threads(gate, source(), concurrency=3)
    assert next(stream) == 0
    reference = weakref.ref(stream)
    del stream
    assert reference() is None
    assert log == ['closed']
    gate.let(...)


def test_a_call_may_hold_the_last_reference_to_its_stream() -> None:
    held: list[Any] = []
    begun = threading.Event()

    def call(x: int) -> int:
        if x == 1:
            begun.set()
            while len(held) > 1:
                time.sleep(0.001)
            held.clear()
        return x

    held.append(map_threads(call, range(9), concurrency=2))
    held.append(...)
    assert next(held[0]) == 0
    assert begun.wait(WAIT)
    held.pop()


def test_a_call_that_closes_its_own_stream_is_told_so() -> None:
    seen: list[Any] = []

    def call(x: int) -> int:
        if x == 1:
            ready.wait(WAIT)
            try:
                stream.close()
            except RuntimeError as error:
                seen.append(str(error))
        return x

    ready = threading.Event()
    stream = map_threads(call, range(9), concurrency=2)
    assert next(stream) == 0
    ready.set()
    until = time.monotonic() + WAIT
    while not seen and time.monotonic() < until:
        time.sleep(0.001)
    assert seen == ['a call cannot wait for the end of its own stream']
    assert list(stream) == []


def test_a_call_that_uses_its_own_stream_is_refused() -> None:
    def call(x: int) -> Any:
        try:
            return next(stream)
        except ValueError as error:
            return str(error)

    stream: Any = map_threads(call, range(1))
    assert next(stream) == 'generator already executing'


def test_a_source_that_closes_its_own_stream_is_refused() -> None:
    def source() -> Iterator[int]:
        yield 1
        with pytest.raises(ValueError, match='already executing'):
            stream.close()
        yield 2

    stream = map_threads(abs, source())
    assert list(stream) == [1, 2]


# --- threads ----------------------------------------------------------------------------------


def test_each_call_runs_in_a_copy_of_the_context_of_the_step() -> None:
    variable = contextvars.ContextVar('variable', default=0)

    def call(x: int) -> int:
        value = variable.get()
        variable.set(-1)
        return value

    variable.set(1)
    stream = map_threads(call, range(4), concurrency=1, buffersize=1)
    assert [next(stream), next(stream)] == [1, 1]
    variable.set(2)
    assert list(stream) == [2, 2]
    assert variable.get() == 2


def test_threads_are_named_and_no_more_than_needed() -> None:
    names = set()

    def call(x: int) -> None:
        names.add(threading.current_thread().name)
        assert not threading.current_thread().daemon

    list(map_threads(call, range(3), concurrency=50))
    assert names == {'map_threads'}
    most = 0

    def count(x: int) -> None:
        nonlocal most
        most = max(most, sum(t.name == 'map_threads' for t in threading.enumerate()))

    list(map_threads(count, range(3), concurrency=50))
    assert most <= 3


def test_an_executor_is_used_and_left_open() -> None:
    with ThreadPoolExecutor(2, 'mine') as executor:
        names = set(
            map_threads(lambda _: threading.current_thread().name, range(20), executor=executor)
        )
        assert names <= {'mine_0', 'mine_1'}
        assert executor.submit(abs, -1).result() == 1


def test_closing_cancels_what_an_executor_has_not_begun() -> None:
    gate = Gate()
    with ThreadPoolExecutor(1) as executor:
        stream = map_threads(gate, range(9), concurrency=4, executor=executor)
        with in_thread(lambda: next(stream)) as results:
            gate.wait_until_begun(1)
            gate.let(0)
        assert results == [0]
        gate.wait_until_begun(2)
        gate.let(...)
        stream.close()
    assert len(gate.begun) <= 3


def test_an_executor_that_cancels_a_call() -> None:
    class Cancels:
        def submit(self, function: Callable[[], Any]) -> Future[Any]:
            future: Future[Any] = Future()
            future.cancel()
            return future

    with pytest.raises(CancelledError) as caught:
        next(map_threads(abs, [1], executor=Cancels()))
    assert caught.value.__notes__ == ['while calling abs with item 0: 1']


def test_an_executor_that_does_not_run_the_call() -> None:
    class Lies:
        def submit(self, function: Callable[[], Any]) -> Future[Any]:
            future: Future[Any] = Future()
            future.set_result(1)
            return future

    with pytest.raises(RuntimeError, match='did not run the call'):
        next(map_threads(abs, [1], executor=Lies()))


def test_an_executor_that_runs_a_call_twice_at_once() -> None:
    gate, executor = Gate(), ByHand()
    stream = map_threads(gate, [1], executor=executor)
    with in_thread(lambda: next(stream)) as results, in_thread(lambda: executor.run(0)):
        gate.wait_until_begun(1)
        call, _ = executor.given[0]
        with pytest.raises(TypeError, match='a call runs once'):
            call()
        gate.let(1)
    assert results == [1]
    assert gate.begun == [1]


def test_an_executor_whose_future_ends_while_the_call_runs() -> None:
    gate, executor = Gate(), ByHand()
    stream = map_threads(gate, [1], executor=executor)
    with in_thread(lambda: next(stream)) as results:
        with executor.lock:
            assert executor.lock.wait_for(lambda: executor.given, WAIT)
        call, future = executor.given[0]
        with in_thread(call):
            gate.wait_until_begun(1)
            future.set_result('a lie')
            gate.let(1)
    assert results == [1]


def test_an_executor_that_runs_a_call_after_its_future_has_ended() -> None:
    executor = ByHand()
    stream = map_threads(abs, [1], executor=executor)
    with in_thread(lambda: next(stream)) as results:
        with executor.lock:
            assert executor.lock.wait_for(lambda: executor.given, WAIT)
        call, future = executor.given[0]
        future.set_result('a lie')
    assert type(results[0]) is RuntimeError
    assert 'did not run the call' in str(results[0])
    with pytest.raises(TypeError, match='a call runs once'):
        call()


def test_an_executor_that_is_shut_down() -> None:
    executor = ThreadPoolExecutor()
    executor.shutdown()
    with pytest.raises(RuntimeError, match='cannot schedule new futures'):
        next(map_threads(abs, [1], executor=executor))


def test_an_executor_that_returns_no_future() -> None:
    class Bad:
        def submit(self, function: Callable[[], Any]) -> Any:
            return 1

    with pytest.raises(AttributeError, match='add_done_callback'):
        next(map_threads(abs, [1], executor=Bad()))


def test_an_executor_that_calls_twice_is_refused() -> None:
    class Twice:
        calls: list[Callable[..., Any]] = []  # noqa: RUF012

        def submit(self, function: Callable[..., Any]) -> Any:
            self.calls.append(function)
            function()
            return self

        def add_done_callback(self, callback: Callable[[Any], Any]) -> None:
            callback(self)

        def cancel(self) -> bool:
            return False

    assert list(map_threads(abs, [-1], executor=Twice())) == [1]
    (call,) = Twice.calls
    for arguments in ((), (1,)):
        with pytest.raises(TypeError, match='a call runs once, without arguments'):
            call(*arguments)


@pytest.mark.skipif(sys.platform == 'win32', reason='slow to start')
def test_an_executor_of_processes_is_refused_before_anything_starts() -> None:
    import multiprocessing

    with ProcessPoolExecutor(1, multiprocessing.get_context('spawn')) as executor:
        with pytest.raises(TypeError, match=r'ProcessPoolExecutor.*pass a ThreadPoolExecutor'):
            map_threads(abs, [1], executor=executor)
        assert not executor._processes


@pytest.mark.skipif(sys.version_info < (3, 14), reason='they came with 3.14')
def test_an_executor_of_interpreters_is_refused_before_anything_starts() -> None:
    from concurrent.futures import InterpreterPoolExecutor

    with (
        InterpreterPoolExecutor(1) as executor,
        pytest.raises(TypeError, match=r'InterpreterPoolExecutor.*pass a ThreadPoolExecutor'),
    ):
        map_threads(abs, [1], executor=executor)


# --- arguments --------------------------------------------------------------------------------


async def a_coroutine_function(x: int) -> int:
    return x


@pytest.mark.parametrize(
    ('arguments', 'options', 'error', 'message'),
    [
        ((abs,), {}, TypeError, 'source'),
        ((abs, [], 8), {}, TypeError, 'positional'),
        ((1, []), {}, TypeError, "fn must be callable, not 'int'"),
        ((a_coroutine_function, []), {}, TypeError, r'use amap\(\)'),
        ((abs, 5), {}, TypeError, "'int' object is not iterable"),
        ((abs, []), {'concurrency': 0}, ValueError, 'concurrency must be at least one, not 0'),
        ((abs, []), {'concurrency': -1}, ValueError, 'concurrency must be at least one, not -1'),
        ((abs, []), {'concurrency': 1.5}, TypeError, 'integer'),
        ((abs, []), {'concurrency': 1 << 70}, OverflowError, 'int'),
        ((abs, []), {'buffersize': 0}, ValueError, 'buffersize must be at least one, not 0'),
        ((abs, []), {'buffersize': 'a'}, TypeError, 'str'),
        ((abs, []), {'buffersize': 1 << 70}, OverflowError, 'int'),
        ((abs, []), {'executor': 1}, TypeError, 'executor must have a submit'),
    ],
)
def test_bad_arguments(arguments: Any, options: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        map_threads(*arguments, **options)


def test_a_large_concurrency_costs_nothing() -> None:
    assert list(map_threads(abs, range(3), concurrency=sys.maxsize)) == [0, 1, 2]


# --- the program's end ------------------------------------------------------------------------


def run(script: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, '-W', 'error', '-c', script],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def test_a_stream_that_is_left_open_does_not_keep_the_program_from_ending() -> None:
    done = run("""if True:
        from generators import map_threads
        stream = map_threads(abs, iter(int, 1), concurrency=4)
        print(next(stream))
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, '0\n', '')


def test_calls_under_way_end_before_the_program_does() -> None:
    done = run("""if True:
        import threading, time
        from generators import map_threads

        def call(x):
            if x:
                time.sleep(0.1)
                print('ended')
            return x

        stream = map_threads(call, range(2), concurrency=2)
        print(next(stream))
    """)
    assert (done.returncode, done.stdout, done.stderr) == (0, '0\nended\n', '')


def test_after_the_end_has_begun_nothing_is_started() -> None:
    done = run("""if True:
        import threading
        from generators import map_threads

        def late():
            threading.main_thread().join()
            while True:
                try:
                    next(stream)
                except RuntimeError as error:
                    print(error)
                    break

        stream = map_threads(abs, iter(int, 1), concurrency=4)
        next(stream)
        threading.Thread(target=late).start()
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith('cannot start calls after') or 'thread' in done.stdout


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='there is no fork')
@pytest.mark.filterwarnings('ignore:This process .* is multi-threaded:DeprecationWarning')
def test_in_a_forked_child_it_says_so_and_closes_at_once() -> None:
    gate = Gate()
    gate.let(0)
    stream = map_threads(gate, range(9), concurrency=3)
    assert next(stream) == 0
    child = os.fork()
    if child == 0:
        status = 1
        try:
            try:
                next(stream)
            except RuntimeError as error:
                status = 0 if 'fork' in str(error) else 2
            stream.close()
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    gate.let(...)
    stream.close()


@pytest.mark.skipif(not hasattr(signal, 'pthread_kill'), reason='no thread gets signals here')
def test_ctrl_c_interrupts_the_wait() -> None:
    gate = Gate()
    stream = map_threads(gate, range(9), concurrency=3)
    main = threading.main_thread().ident
    assert main is not None

    def interrupt() -> None:
        gate.wait_until_begun(3)
        signal.pthread_kill(main, signal.SIGINT)
        # The stream waits for the three: it is let go once the signal was handled.
        handled.wait(WAIT)
        gate.let(...)

    handled = threading.Event()

    def handler(*_: Any) -> None:
        handled.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, handler)
    try:
        with in_thread(interrupt), pytest.raises(KeyboardInterrupt):
            next(stream)
    finally:
        signal.signal(signal.SIGINT, before)
    assert len(gate.ended) == 3
    assert list(stream) == []


@pytest.mark.skipif(not hasattr(signal, 'pthread_kill'), reason='no thread gets signals here')
def test_a_signal_that_is_no_error_leaves_the_wait_as_it_is() -> None:
    gate = Gate()
    stream = map_threads(gate, range(3), concurrency=3)
    main = threading.main_thread().ident
    assert main is not None
    handled = threading.Event()

    def interrupt() -> None:
        gate.wait_until_begun(3)
        for _ in range(3):
            signal.pthread_kill(main, signal.SIGUSR1)
        handled.wait(WAIT)
        gate.let(...)

    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())
    try:
        with in_thread(interrupt):
            assert list(stream) == [0, 1, 2]
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_a_subinterpreter_may_use_it() -> None:
    done = run("""if True:
        import sys
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        made = interpreters.create(**({'isolated': False} if sys.version_info < (3, 12) else {}))
        interpreters.run_string(made, '''if True:
            from generators import map_threads
            print(list(map_threads(abs, range(3))), flush=True)
        ''')
        interpreters.destroy(made)
    """)
    assert (done.returncode, done.stdout.strip()) == (0, '[0, 1, 2]'), done.stderr


# --- memory -----------------------------------------------------------------------------------


def test_nothing_leaks() -> None:
    item = Failed()

    def fail(x: Any) -> Any:
        raise KeyError

    def use() -> None:
        for options in ({}, {'ordered': False}):
            assert len(list(map_threads(lambda x: x, [item] * 20, **options))) == 20
            next(map_threads(lambda x: x, [item] * 20, **options))
            with pytest.raises(KeyError):
                next(map_threads(fail, [item] * 20, **options))
            list(map_threads(fail, [item] * 20, return_exceptions=True, **options))
        with ThreadPoolExecutor(2) as executor:
            list(map_threads(lambda x: x, [item] * 9, executor=executor))
            next(map_threads(lambda x: x, [item] * 9, executor=executor))

    def settled() -> tuple[int, int]:
        while any(t.name == 'map_threads' for t in threading.enumerate()):
            time.sleep(0.001)
        gc.collect()
        return sys.getrefcount(item), sys.getrefcount(map_threads)

    use()
    before = settled()
    for _ in range(10):
        use()
    assert settled() == before


def test_a_cycle_through_it_is_collected() -> None:
    class Items(list[Any]):
        pass

    def make() -> Any:
        items = Items([1, 2, 3])
        stream = map_threads(lambda x: (x, items), items)
        items.append(stream)
        next(stream)
        return weakref.ref(items)

    reference = make()
    until = time.monotonic() + WAIT
    while reference() is not None and time.monotonic() < until:
        gc.collect()
        time.sleep(0.001)
    assert reference() is None


def test_memory_does_not_grow_with_the_items() -> None:
    import tracemalloc

    def measure(stream: Iterable[Any], count: int) -> int:
        for _ in itertools.islice(stream, count):
            pass
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        with map_threads(abs, itertools.count(), concurrency=4) as stream:
            before = measure(stream, 1000)
            assert measure(stream, 20_000) - before < 20_000
    finally:
        tracemalloc.stop()


# --- pairs, and the item of an exception ----------------------------------------------------------


@pytest.mark.parametrize('ordered', [True, False])
@pytest.mark.parametrize('executor', [True, False])
def test_pairs(ordered: bool, executor: bool) -> None:
    def call(x: int) -> int:
        if x % 3 == 0:
            time.sleep(0.001)
        return x * x

    with ThreadPoolExecutor(2) as pool:
        found = list(
            map_threads(
                call,
                range(9),
                pairs=True,
                ordered=ordered,
                concurrency=2,
                executor=pool if executor else None,
            )
        )
    assert sorted(found) == [(x, x * x) for x in range(9)]
    assert not ordered or found == sorted(found)


def test_the_item_of_an_exception() -> None:
    def call(x: int) -> int:
        if x == 2:
            raise Failed
        return x

    found = list(map_threads(call, range(4), pairs=True, return_exceptions=True))
    assert [item for item, _ in found] == [0, 1, 2, 3]
    assert found[2][1].item == 2
    with pytest.raises(Failed) as caught:
        list(map_threads(call, range(4)))
    assert caught.value.item == 2


def test_one_slow_call_does_not_hold_up_the_quick_ones() -> None:
    go = threading.Event()

    def call(x: int) -> int:
        if x == 0:
            assert go.wait(WAIT)
        return x

    stream = map_threads(call, range(500), concurrency=4)
    with in_thread(lambda: next(stream)) as results:
        while stream.held < 499:
            time.sleep(0.001)
        go.set()
    assert [*results, *stream] == list(range(500))

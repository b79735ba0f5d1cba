"""What every synchronous stream promises, shown on each type that is one.

A type joins by an entry in STREAMS: how to make it over an iterable of short strings, and what a
plain generator makes of the same item.
"""

import gc
import inspect
import sys
import threading
import warnings
import weakref
from collections.abc import AsyncIterable, Callable, Generator, Iterator, Sized
from contextlib import closing, suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVBatch, batched, csv_batches, csv_rows, jsonl_rows, lines, map_threads

STREAMS: dict[str, tuple[Callable[[Any], Any], Callable[[str], Any]]] = {
    'csv_rows': (csv_rows, lambda item: item.split(',')),
    'csv_rows of tuples': (
        lambda source: csv_rows(source, into=tuple),
        lambda item: tuple(item.split(',')),
    ),
    'csv_batches': (
        lambda source: csv_batches(source, header=False, rows=1),
        lambda item: next(csv_batches([item], header=False)),
    ),
    'lines': (lambda source: lines(source, items='lines'), str),
    'jsonl_rows': (lambda source: jsonl_rows(source, items='lines', loads=bytes.decode), str),
    'map_threads': (
        lambda source: map_threads(
            lambda item: item.split(','), source, concurrency=1, buffersize=1
        ),
        lambda item: item.split(','),
    ),
}


@pytest.fixture(params=STREAMS)
def make(request: pytest.FixtureRequest) -> Callable[[Any], Any]:
    return STREAMS[request.param][0]


class Failed(Exception):
    """What a source of these tests raises."""


def as_text(row: Any) -> str:
    """The item that a row was made of."""
    if isinstance(row, CSVBatch):
        _, columns = row.__reduce__()[1]
        return ','.join(data.decode() for *_, data, _ in columns)
    return row if isinstance(row, str) else ','.join(row)


def items(count: int) -> list[str]:
    return [f'item{i},x' for i in range(count)]


class Log(list[str]):
    """What happened to a source, in order."""

    def source(
        self, count: int, error: BaseException | None = None, closing_error: Any = None
    ) -> Generator[str, Any, None]:
        try:
            for item in items(count):
                self.append('made')
                yield item
            if error is not None:
                raise error
        finally:
            self.append('closed')
            if closing_error is not None:
                raise closing_error


# --- beside the generator that it stands for --------------------------------------------------


def model(source: Generator[str, Any, None], convert: Callable[[str], Any]) -> Iterator[Any]:
    with closing(source):
        for item in source:
            yield convert(item)


def outcome(act: Callable[[], Any]) -> tuple[Any, ...]:
    try:
        return ('gave', act())
    except BaseException as error:
        causes = type(error.__cause__).__name__, type(error.__context__).__name__
        return ('raised', type(error), str(error), *causes)


def throw_stop_iteration(stream: Any) -> Any:
    return stream.throw(StopIteration(3))


STEPS: list[Callable[[Any], Any]] = [
    next,
    next,
    next,
    lambda s: s.send(None),
    lambda s: s.send('ignored'),
    lambda s: s.throw(KeyError('thrown')),
    lambda s: s.throw(KeyError),
    lambda s: s.throw(GeneratorExit()),
    throw_stop_iteration,
    lambda s: s.throw('no exception'),
    lambda s: s.close(),
]


@given(
    name=st.sampled_from(sorted(STREAMS)),
    count=st.integers(0, 4),
    error=st.sampled_from([None, Failed, StopIteration, GeneratorExit]),
    closing_error=st.sampled_from([None, OSError]),
    steps=st.lists(st.integers(0, len(STEPS) - 1), max_size=8),
)
def test_it_does_what_a_generator_does(
    name: str,
    count: int,
    error: type[BaseException] | None,
    closing_error: type[Exception] | None,
    steps: list[int],
) -> None:
    make, convert = STREAMS[name]

    def arguments() -> tuple[Any, ...]:
        return (
            count,
            error('from the source') if error else None,
            closing_error('from its finally') if closing_error else None,
        )

    expected_log, log = Log(), Log()
    expected: Any = model(expected_log.source(*arguments()), convert)
    stream = make(log.source(*arguments()))
    for step in steps:
        act = STEPS[step]
        if (
            act is throw_stop_iteration
            and inspect.getgeneratorstate(expected) == inspect.GEN_CREATED
        ):
            # 3.12 and later let it out of a generator that was not started; 3.11 does not.
            assert outcome(lambda act=act: act(stream))[1] is RuntimeError
            expected.close()
            continue
        assert outcome(lambda act=act: act(stream)) == outcome(lambda act=act: act(expected))
        assert log == expected_log
    # What is dropped is closed; its errors go where those of a generator go.
    with suppress(OSError):
        stream.close()
    with suppress(OSError):
        expected.close()
    assert log == expected_log


@pytest.mark.parametrize(
    'arguments',
    [(), (1, 2, 3, 4), (KeyError, None, 'no traceback'), (KeyError('a'), 'b'), (int,), (None,)],
)
def test_throw_refuses_what_a_generator_refuses(
    make: Callable[[Any], Any], arguments: tuple[Any, ...]
) -> None:
    stream = make(items(2))
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)
        with pytest.raises(TypeError):
            stream.throw(*arguments)
    assert next(stream) is not None


@pytest.mark.skipif(sys.version_info < (3, 12), reason='deprecated since 3.12')
def test_throw_refuses_what_is_no_traceback() -> None:
    with (
        pytest.warns(DeprecationWarning, match='throw'),
        pytest.raises(TypeError, match='traceback'),
    ):
        map_threads(abs, [1]).throw(ValueError, ValueError(), 1)  # type: ignore[call-overload]


@pytest.mark.skipif(sys.version_info < (3, 12), reason='deprecated since 3.12')
def test_the_older_forms_of_throw_warn(make: Callable[[Any], Any]) -> None:
    with pytest.warns(DeprecationWarning, match='signature of throw'), pytest.raises(KeyError):
        make(items(1)).throw(KeyError, 'value')


@pytest.mark.filterwarnings('ignore:the .type, exc, tb. signature:DeprecationWarning')
@pytest.mark.parametrize(
    ('arguments', 'expected'),
    [
        ((KeyError, 'value'), KeyError('value')),
        ((KeyError, ('a', 'b')), KeyError('a', 'b')),
        ((KeyError, KeyError('made')), KeyError('made')),
        ((KeyError('made'), None), KeyError('made')),
        ((KeyError,), KeyError()),
    ],
)
def test_throw_reads_its_older_forms(
    make: Callable[[Any], Any], arguments: tuple[Any, ...], expected: KeyError
) -> None:
    with pytest.raises(KeyError) as caught:
        make(items(1)).throw(*arguments)
    assert caught.value.args == expected.args


def test_it_is_a_generator_to_the_abc_and_not_to_inspect(make: Callable[[Any], Any]) -> None:
    stream = make(items(1))
    assert isinstance(stream, Generator)
    assert not isinstance(stream, AsyncIterable | Sized)
    assert not inspect.isgenerator(stream)
    assert iter(stream) is stream


def test_delegation_by_yield_from_reaches_it(make: Callable[[Any], Any]) -> None:
    log = Log()

    def outer() -> Iterator[Any]:
        yield from make(log.source(3))

    delegating = outer()
    next(delegating)
    delegating.close()
    assert log[-1] == 'closed'


# --- closing ----------------------------------------------------------------------------------


@pytest.mark.parametrize('taken', range(4))
def test_close_closes_the_source_at_every_point_once(
    make: Callable[[Any], Any], taken: int
) -> None:
    closes = []

    class Source(Generator[str, None, None]):
        def __init__(self) -> None:
            self.left = items(3)

        def __next__(self) -> str:
            if not self.left:
                raise StopIteration
            return self.left.pop(0)

        def send(self, value: Any) -> str:
            return next(self)

        def throw(self, *args: Any) -> Any:
            raise AssertionError('a source is closed, not thrown into')

        def close(self) -> None:
            closes.append(len(self.left))

    stream = make(Source())
    for _ in range(taken):
        next(stream)
    stream.close()
    stream.close()
    assert len(closes) == 1
    assert next(stream, 'ended') == 'ended'


def test_a_generator_made_by_iter_is_closed(make: Callable[[Any], Any]) -> None:
    log = Log()

    class Rows:
        def __iter__(self) -> Iterator[str]:
            return log.source(3)

    with make(Rows()) as stream:
        next(stream)
    assert log == ['made', 'closed']


def test_an_iterator_that_is_no_generator_stays_open(make: Callable[[Any], Any]) -> None:
    class Cursor:
        closed = False

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return 'a,b'

        def close(self) -> None:
            self.closed = True

    cursor = Cursor()
    with make(cursor) as stream:
        next(stream)
    assert not cursor.closed


def test_what_is_dropped_is_closed_without_the_collector(make: Callable[[Any], Any]) -> None:
    log = Log()
    gc.disable()
    try:
        stream = make(log.source(3))
        next(stream)
        del stream
        assert log == ['made', 'closed']
    finally:
        gc.enable()


def test_what_is_dropped_in_a_cycle_is_closed_by_the_collector(make: Callable[[Any], Any]) -> None:
    log = Log()
    held: list[Any] = []

    def source() -> Iterator[str]:
        yield from log.source(3)
        held.clear()

    def tie() -> None:
        made = source()
        stream = make(made)
        next(stream)
        local: list[Any] = [stream]
        local.append(local)

    tie()
    gc.collect()
    assert log == ['made', 'closed']


def test_an_error_of_closing_when_dropped_is_unraisable(
    make: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda args: seen.append(args.exc_value))
    stream = make(Log().source(2, None, OSError('from its finally')))
    next(stream)
    del stream
    assert [str(error) for error in seen] == ['from its finally']


def test_weak_references_die_with_it(make: Callable[[Any], Any]) -> None:
    stream = make(items(1))
    reference = weakref.ref(stream)
    assert reference() is stream
    del stream
    assert reference() is None


# --- errors -----------------------------------------------------------------------------------


def test_an_error_of_the_source_comes_through_with_one_note(make: Callable[[Any], Any]) -> None:
    error = Failed('broken')
    stream = make(Log().source(2, error))
    assert len([next(stream), next(stream)]) == 2
    with pytest.raises(Failed) as caught:
        next(stream)
    assert caught.value is error
    assert error.__notes__ == ['while reading item 2']
    assert next(stream, 'ended') == 'ended'


def test_only_the_innermost_stage_notes(make: Callable[[Any], Any]) -> None:
    error = Failed('broken')
    inner = make(Log().source(1, error))
    outer = csv_rows(as_text(row) for row in inner)
    with pytest.raises(Failed):
        list(outer)
    assert error.__notes__ == ['while reading item 1']


@pytest.mark.parametrize('kind', [GeneratorExit, KeyboardInterrupt, SystemExit])
def test_what_asks_to_stop_is_not_noted(
    make: Callable[[Any], Any], kind: type[BaseException]
) -> None:
    error = kind()
    with pytest.raises(kind) as caught:
        list(make(Log().source(1, error)))
    assert caught.value is error
    assert not hasattr(error, '__notes__')


def test_an_error_that_takes_no_note_comes_without(make: Callable[[Any], Any]) -> None:
    class Stubborn(Exception):
        def add_note(self, note: str) -> None:
            raise RuntimeError('no')

    with pytest.raises(Stubborn):
        list(make(Log().source(1, Stubborn())))


def test_a_stop_iteration_that_is_no_end_is_a_runtime_error(make: Callable[[Any], Any]) -> None:
    class Source:
        def __iter__(self) -> Any:
            return log

    class Closes(Generator[str, None, None]):
        def send(self, value: Any) -> str:
            return 'a,b'

        def throw(self, *args: Any) -> Any:
            raise AssertionError

        def close(self) -> None:
            raise StopIteration('from close')

    log = Closes()
    stream = make(Source())
    next(stream)
    with pytest.raises(RuntimeError, match='generator raised StopIteration') as caught:
        stream.close()
    assert isinstance(caught.value.__cause__, StopIteration)


# --- priming ----------------------------------------------------------------------------------


def test_prime_holds_the_first_item(make: Callable[[Any], Any]) -> None:
    log = Log()
    stream = make(log.source(2))
    assert stream.prime() is stream
    assert stream.prime() is stream
    assert log == ['made']
    assert len(list(stream)) == 2


def test_prime_raises_the_error_of_the_first_item(make: Callable[[Any], Any]) -> None:
    stream = make(Log().source(0, Failed('no connection')))
    with pytest.raises(Failed):
        stream.prime()
    assert list(stream) == []


def test_prime_on_an_empty_source_leaves_an_empty_stream(make: Callable[[Any], Any]) -> None:
    assert list(make([]).prime()) == []


def test_prime_after_the_first_item_does_nothing(make: Callable[[Any], Any]) -> None:
    log = Log()
    stream = make(log.source(3))
    next(stream)
    stream.prime()
    assert log == ['made']


def test_close_drops_the_primed_item(make: Callable[[Any], Any]) -> None:
    stream = make(items(2)).prime()
    stream.close()
    assert next(stream, 'ended') == 'ended'


# --- overlap ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'act',
    [
        next,
        lambda s: s.send(None),
        lambda s: s.close(),
        lambda s: s.throw(KeyError),
        lambda s: s.prime(),
    ],
    ids=['next', 'send', 'close', 'throw', 'prime'],
)
def test_a_source_that_calls_its_own_stream_is_refused(
    make: Callable[[Any], Any], act: Callable[[Any], Any]
) -> None:
    refused = []

    def source() -> Iterator[str]:
        try:
            act(stream)
        except ValueError as error:
            refused.append(str(error))
        yield 'a,b'

    stream = make(source())
    next(stream)
    assert refused == ['generator already executing']


def test_a_source_may_not_reach_its_stream_while_it_is_closed(make: Callable[[Any], Any]) -> None:
    refused = []

    def source() -> Iterator[str]:
        try:
            yield 'a,b'
        finally:
            try:
                next(stream)
            except ValueError as error:
                refused.append(str(error))

    stream = make(source())
    next(stream)
    stream.close()
    assert refused == ['generator already executing']


def test_two_threads_get_each_item_once_or_are_refused(make: Callable[[Any], Any]) -> None:
    # Those that are refused keep the interpreter from the threads of map_threads.
    count, threads = 60 if make is STREAMS['map_threads'][0] else 3000, 4
    stream = make(iter(items(count)))
    barrier = threading.Barrier(threads)
    taken: list[list[Any]] = [[] for _ in range(threads)]

    def take(mine: list[Any]) -> None:
        barrier.wait()
        while True:
            try:
                mine.append(next(stream))
            except StopIteration:
                return
            except ValueError as error:
                assert str(error) == 'generator already executing'

    workers = [threading.Thread(target=take, args=(mine,)) for mine in taken]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    everything = [row for mine in taken for row in mine]
    assert sorted(as_text(row) for row in everything) == sorted(items(count))


# --- the type ---------------------------------------------------------------------------------


def test_the_shared_base_makes_no_objects() -> None:
    base = csv_rows.__mro__[1]
    with pytest.raises(TypeError):
        base()
    subclass = type('Subclass', (base,), {})
    with pytest.raises(TypeError):
        subclass()
    with pytest.raises(TypeError):
        object.__new__(subclass)


def test_a_type_is_neither_subclassed_nor_changed() -> None:
    with pytest.raises(TypeError):
        type('Subclass', (csv_rows,), {})
    with pytest.raises(TypeError):
        csv_rows.close = None


@pytest.mark.parametrize('kind', [list, tuple, iter, dict.fromkeys, map])
def test_any_iterable_is_a_source(make: Callable[[Any], Any], kind: Callable[..., Any]) -> None:
    source = map(str, items(2)) if kind is map else kind(items(2))
    assert len(list(make(source))) == 2


def test_a_class_that_makes_no_exception_is_not_thrown(make: Callable[[Any], Any]) -> None:
    class Odd(Exception):
        def __new__(cls) -> Any:
            return 5

    with pytest.raises(TypeError, match='should have returned an instance of BaseException'):
        make(items(2)).throw(Odd)


def test_making_and_dropping_streams_leaks_nothing(make: Callable[[Any], Any]) -> None:
    source = items(3)
    item = source[0]

    def once() -> None:
        list(make(source))
        next(make(source))
        make(source).prime().close()
        with suppress(Failed):
            list(make(Log().source(2, Failed())))

    for _ in range(10):
        once()
    gc.collect()
    before = sys.getrefcount(item), sys.getrefcount(csv_rows)
    for _ in range(200):
        once()
    gc.collect()
    assert (sys.getrefcount(item), sys.getrefcount(csv_rows)) == before


def test_a_cycle_through_the_first_item_is_collected() -> None:
    class Item:
        stream: Any

    item = Item()
    seen = weakref.ref(item)
    item.stream = batched([item, Item()], 1)
    item.stream.prime()
    del item
    gc.collect()
    assert seen() is None

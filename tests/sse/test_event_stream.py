"""``event_stream`` and ``aevent_stream``: what they write, and when it leaves."""

from __future__ import annotations

import array
import asyncio
import collections
import doctest
import json
import math
import re
import time
import types
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import ServerSentEvent, abatched, aevent_stream, amap, event_source, event_stream
from tests.isolated.catalogue import ASYNC_STAGES, Stage, item_of, number_of, stacked

from .oracle import parse

pytestmark = pytest.mark.timeout(60)


async def ready(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def later(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def written(*events: Any, **options: Any) -> bytes:
    """By both faces, which must agree."""
    whole = b''.join(event_stream(events, **options))
    assert b''.join(asyncio.run(collect(aevent_stream(ready(events), **options)))) == whole
    assert b''.join(asyncio.run(collect(aevent_stream(later(events), **options)))) == whole
    return whole


def fields(event: ServerSentEvent) -> tuple[str, str, str, int | None]:
    return event.data, event.event, event.id, event.retry


@pytest.mark.parametrize(
    ('event', 'expected'),
    [
        ('', b'data: \n\n'),
        ('a', b'data: a\n\n'),
        (' a', b'data:  a\n\n'),
        ('a\nb\rc\r\nd', b'data: a\ndata: b\ndata: c\ndata: d\n\n'),
        ('\n', b'data: \ndata: \n\n'),
        ('\r\r\n\n', b'data: \ndata: \ndata: \ndata: \n\n'),
        ('é€\U0001f600', 'data: é€\U0001f600\n\n'.encode()),
        ('\ufeff\0\u2028', 'data: \ufeff\0\u2028\n\n'.encode()),
        (b'a\nb\xff', b'data: a\ndata: b\xff\n\n'),
        (bytearray(b'a'), b'data: a\n\n'),
        (memoryview(b'abc')[::1], b'data: abc\n\n'),
        (array.array('b', [97]), b'data: a\n\n'),
        (ServerSentEvent(), b'data: \n\n'),
        (ServerSentEvent('a', event='message'), b'data: a\n\n'),
        (
            ServerSentEvent('a\r\nb', event='é', id='7', retry=10),
            'event: é\nid: 7\nretry: 10\ndata: a\ndata: b\n\n'.encode(),
        ),
        ({'data': 'a'}, b'data: a\n\n'),
        ({'data': b'a', 'event': 'x'}, b'event: x\ndata: a\n\n'),
        (
            {'comment': 'c\nd', 'retry': 0, 'id': 'i', 'event': 'e', 'data': 'a'},
            b': c\n: d\nevent: e\nid: i\nretry: 0\ndata: a\n\n',
        ),
        ({'data': None}, b'data: null\n\n'),
        ({'data': [1, {'a': 'é\n'}]}, 'data: [1,{"a":"é\\n"}]\n\n'.encode()),
        ({'data': 1.5, 'id': 10**30}, b'id: %d\ndata: 1.5\n\n' % 10**30),
        ({'id': 7}, b'id: 7\n\n'),
        ({'event': None, 'id': None, 'retry': None, 'comment': None, 'data': ''}, b'data: \n\n'),
        ({'id': ''}, b'id: \n\n'),
        ({'event': ''}, b'event: \n\n'),
        ({'comment': ''}, b': \n\n'),
        (types.MappingProxyType({'data': 'a', 'id': 'b'}), b'id: b\ndata: a\n\n'),
        (collections.OrderedDict(event='e', data='a'), b'event: e\ndata: a\n\n'),
        (collections.ChainMap[str, Any]({'data': 'a'}, {'id': 1}), b'id: 1\ndata: a\n\n'),
    ],
)
def test_what_is_written(event: Any, expected: bytes) -> None:
    assert written(event) == expected
    assert written('x', event, 'y') == b'data: x\n\n' + expected + b'data: y\n\n'


TEXTS = st.text(alphabet='ab:\r\n \0é€\ufeff', max_size=12)
NAMES = st.text(alphabet='ab: é', max_size=6)


@given(st.lists(st.tuples(TEXTS, NAMES, NAMES, st.none() | st.integers(0, 2**63 - 1)), max_size=5))
def test_a_client_reads_what_was_sent(events: list[Any]) -> None:
    sent = [ServerSentEvent(*event) for event in events]
    as_dicts = [
        {'data': data, 'event': name, 'id': last_id, 'retry': retry}
        for data, name, last_id, retry in events
    ]
    expected: list[Any] = []
    last_id = ''
    for data, name, new_id, retry in events:
        last_id = new_id or last_id  # an empty one is not sent
        lines = data.replace('\r\n', '\n').replace('\r', '\n')
        expected.append((lines, name or 'message', last_id, retry))
    stream = written(*sent)
    assert parse(stream).events == expected
    assert [*map(fields, event_source(stream))] == expected
    assert [event[:2] for event in parse(written(*as_dicts)).events] == [e[:2] for e in expected]


@given(
    st.dictionaries(
        st.sampled_from(['data', 'event', 'id', 'comment']),
        st.text(alphabet='a:\r\n\0 ', max_size=8),
        min_size=1,
    )
)
def test_no_field_forges_another(event: dict[str, str]) -> None:
    """A reader gets one event at most, of no fields but those that were given."""
    marked = {'data': 'before'}, event, {'data': 'after'}
    unsafe = any(set(event.get(name, '')) & set('\r\n\0') for name in ('event', 'id'))
    if unsafe:
        with pytest.raises(ValueError, match=r"^event 1: '(event|id)' must not contain a line"):
            written(*marked)
        return
    first, *middle, last = parse(written(*marked)).events
    assert (first[0], last[0]) == ('before', 'after')
    if 'data' not in event:
        assert middle == []
        return
    lines = event['data'].replace('\r\n', '\n').replace('\r', '\n')
    assert middle == [(lines, event.get('event') or 'message', event.get('id', ''), None)]


@pytest.mark.parametrize(
    ('event', 'error', 'message'),
    [
        ({'event': 'a\nb'}, ValueError, "event 1: 'event' must not contain a line end or a NUL"),
        ({'id': 'a\rb'}, ValueError, "event 1: 'id' must not contain a line end or a NUL"),
        ({'id': 'a\0'}, ValueError, "event 1: 'id' must not contain a line end or a NUL"),
        (ServerSentEvent('a', event='\n'), ValueError, "event 1: 'event' must not contain"),
        (ServerSentEvent('a', id='\0'), ValueError, "event 1: 'id' must not contain"),
        ({'event': 1}, TypeError, "event 1: 'event' must be str, not 'int'"),
        ({'id': True}, TypeError, "event 1: 'id' must be str or int, not 'bool'"),
        ({'id': 1.5}, TypeError, "event 1: 'id' must be str or int, not 'float'"),
        ({'comment': b'a'}, TypeError, "event 1: 'comment' must be str, not 'bytes'"),
        ({'retry': '1'}, TypeError, "retry must be int or None, not 'str'"),
        ({'retry': -1}, ValueError, 'retry must be a number of milliseconds'),
        ({'name': 'a'}, ValueError, "event 1: an event has data, .* but not 'name'"),
        ({1: 'a'}, ValueError, 'event 1: an event has data, .* but not 1'),
        ({}, ValueError, 'event 1: an event has any of data'),
        (1, TypeError, "event 1: an event must be str, .*, not 'int': give {'data'"),
        (None, TypeError, "event 1: an event must be str, .*, not 'NoneType'"),
        ([1], TypeError, "event 1: an event must be str, .*, not 'list'"),
        ('\ud800', UnicodeEncodeError, 'surrogates not allowed'),
        ({'comment': '\ud800'}, UnicodeEncodeError, 'surrogates not allowed'),
        ({'id': '\ud800'}, UnicodeEncodeError, 'surrogates not allowed'),
        ({'data': {1, 2}}, TypeError, 'Object of type set is not JSON serializable'),
        (memoryview(b'abcd')[::2], BufferError, 'contiguous'),
    ],
)
def test_what_is_refused(event: Any, error: type[Exception], message: str) -> None:
    for make in (
        lambda: event_stream(['a', event, 'b']),
        lambda: aevent_stream(ready(['a', event, 'b'])),
        lambda: aevent_stream(later(['a', event, 'b'])),
    ):
        sent, raised = outcome(make)
        assert sent == b'data: a\n\n'
        assert type(raised) is error
        assert re.search(message, str(raised))
        notes = getattr(raised, '__notes__', [])
        assert str(raised).startswith('event 1: ') or notes == ['while reading event 1']


async def extend(given: list[Any], stream: Any) -> None:
    async for item in stream:
        given.append(item)


def test_dumps() -> None:
    assert written({'data': [1]}, dumps=repr) == b'data: [1]\n\n'
    assert written({'data': 1}, dumps=lambda value: b'a\nb') == b'data: a\ndata: b\n\n'
    assert written({'data': {}}, 'x', dumps=json.dumps) == b'data: {}\n\ndata: x\n\n'
    assert written({'data': 1}, dumps=None) == b'data: 1\n\n'
    with pytest.raises(TypeError, match=r'event 0: dumps\(\) should have returned str or bytes'):
        written({'data': 1}, dumps=lambda value: value)
    for stop in (StopIteration, StopAsyncIteration):

        def raise_stop(value: object, stop: type[Exception] = stop) -> str:
            raise stop

        with pytest.raises(RuntimeError, match=f'dumps raised {stop.__name__}') as caught:
            written({'data': 1}, dumps=raise_stop)
        assert type(caught.value.__cause__) is stop
        with pytest.raises(RuntimeError, match=f'dumps raised {stop.__name__}'):
            asyncio.run(collect(aevent_stream(ready([{'data': 1}]), dumps=raise_stop)))


def test_each_event_leaves_at_once() -> None:
    taken = []

    def events() -> Iterator[str]:
        for i in range(3):
            taken.append(i)
            yield str(i)

    stream = event_stream(events())
    for i in range(3):
        assert next(stream) == b'data: %d\n\n' % i
        assert taken == [*range(i + 1)]


def test_events_that_are_ready_share_a_chunk() -> None:
    async def events() -> AsyncIterator[str]:
        yield 'a'
        yield 'b'
        await asyncio.sleep(0)
        yield 'c'
        await asyncio.sleep(0.01)
        yield 'd'
        yield 'e'

    def chunks() -> list[bytes]:
        return asyncio.run(collect(aevent_stream(events())))

    # A busy machine may end the turn of the stream before the second event.
    expected = [b'data: a\n\ndata: b\n\n', b'data: c\n\n', b'data: d\n\ndata: e\n\n']
    assert any(chunks() == expected for _ in range(20))
    # Of another stream, too.
    pairs = amap(same, abatched(ready('abcd'), 2))
    sent = asyncio.run(collect(aevent_stream(pairs, dumps=''.join)))
    assert b''.join(sent) == b'data: ab\n\ndata: cd\n\n'


async def same(batch: tuple[str, ...]) -> dict[str, Any]:
    return {'data': batch}


def test_a_chunk_does_not_grow_for_ever() -> None:
    async def endless() -> AsyncIterator[str]:
        while True:
            yield 'x' * 1000

    async def main() -> None:
        async with aclosing(aevent_stream(endless())) as stream:
            for _ in range(3):
                assert len(await anext(stream)) < 67_000

    asyncio.run(main())


def test_other_tasks_have_their_turn() -> None:
    async def main() -> int:
        turns = 0

        async def other() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(other())
        begun = time.perf_counter()
        async for _ in aevent_stream(ready('a' for _ in range(10**9))):
            if turns > 5 or time.perf_counter() - begun > 20:
                break
        task.cancel()
        return turns

    assert asyncio.run(main()) > 5


def test_retry_is_sent_first() -> None:
    taken = []

    def events() -> Iterator[str]:
        taken.append(1)
        yield 'a'

    stream = event_stream(events(), retry=3000)
    assert next(stream) == b'retry: 3000\n\n'
    assert taken == []
    assert list(stream) == [b'data: a\n\n']
    assert written(retry=0) == b'retry: 0\n\n'

    async def main() -> None:
        async def never() -> AsyncIterator[str]:
            await asyncio.Event().wait()
            yield ''

        async with aclosing(aevent_stream(never(), retry=5)) as stream:
            assert await anext(stream) == b'retry: 5\n\n'

    asyncio.run(main())
    for retry, error in ((-1, ValueError), (2**63, ValueError), ('1', TypeError)):
        with pytest.raises(error, match='retry must be'):
            event_stream([], retry=retry)  # type: ignore[arg-type]


# --- heartbeats ---------------------------------------------------------------------------------


def test_a_heartbeat_touches_no_step() -> None:
    async def main() -> None:
        steps = []

        async def events() -> AsyncIterator[str]:
            task = asyncio.current_task()
            async with asyncio.timeout(60):
                for i in range(2):
                    steps.append(i)
                    await asyncio.sleep(0.06)
                    assert asyncio.current_task() is task
                    yield str(i)

        chunks = await collect(aevent_stream(events(), heartbeat=0.02))
        assert [chunk for chunk in chunks if chunk != b':\n\n'] == [b'data: 0\n\n', b'data: 1\n\n']
        assert 2 <= chunks.count(b':\n\n') <= 8
        assert steps == [0, 1]

    asyncio.run(main())


def test_heartbeats_go_on_and_closing_ends_them() -> None:
    async def main() -> None:
        closed = []

        async def events() -> AsyncIterator[str]:
            try:
                await asyncio.Event().wait()
                yield ''
            finally:
                closed.append(1)

        stream = aevent_stream(events(), heartbeat=0.005)
        for _ in range(3):
            assert await anext(stream) == b':\n\n'
        await stream.aclose()
        assert closed == [1]
        assert await collect(stream) == []

    asyncio.run(main())


def test_no_heartbeat_while_events_come() -> None:
    async def events() -> AsyncIterator[str]:
        for _ in range(20):
            await asyncio.sleep(0.005)
            yield 'a'

    chunks = asyncio.run(collect(aevent_stream(events(), heartbeat=1)))
    assert chunks == [b'data: a\n\n'] * 20


def test_a_cancelled_step_loses_nothing() -> None:
    async def main() -> None:
        async def events() -> AsyncIterator[str]:
            for i in range(5):
                await asyncio.sleep(0.01)
                yield str(i)

        stream = aevent_stream(events(), heartbeat=0.003)
        taken = []
        while True:
            try:
                taken.append(await asyncio.wait_for(anext(stream), 0.002))
            except TimeoutError:
                pass
            except StopAsyncIteration:
                break
        events_of = [chunk for chunk in taken if chunk != b':\n\n']
        assert events_of == [b'data: %d\n\n' % i for i in range(5)]

    asyncio.run(main())


@pytest.mark.parametrize('inner', ASYNC_STAGES)
def test_heartbeats_over_every_stream_lose_nothing(inner: str) -> None:
    async def main() -> None:
        async def source(kind: str) -> AsyncIterator[Any]:
            for number in range(6):
                await asyncio.sleep(0.004)
                yield item_of(kind, number)

        beating = Stage(
            'beating',
            lambda source: aevent_stream(source, heartbeat=0.001),
            takes='long text',
            gives='events',
        )
        chunks = await collect(stacked(beating, ASYNC_STAGES[inner], source, None))
        assert [number_of(chunk) for chunk in chunks if chunk != b':\n\n'] == [*range(6)]
        assert b':\n\n' in chunks

    asyncio.run(main())


@pytest.mark.parametrize('heartbeat', [0, -1, math.nan, '1'])
def test_a_heartbeat_that_is_none(heartbeat: Any) -> None:
    error = TypeError if heartbeat == '1' else ValueError
    with pytest.raises(error):
        aevent_stream(ready([]), heartbeat=heartbeat)
    aevent_stream(ready([]), heartbeat=math.inf)


# --- the end ------------------------------------------------------------------------------------


class Failed(Exception):
    """What a source of these tests raises."""


def failing(*events: Any) -> Iterator[Any]:
    yield from events
    raise Failed('down')


async def afailing(*events: Any) -> AsyncIterator[Any]:
    for event in events:
        yield event
    raise Failed('down')


async def afailing_later(*events: Any) -> AsyncIterator[Any]:
    for event in events:
        await asyncio.sleep(0)
        yield event
    await asyncio.sleep(0)
    raise Failed('down')


def outcome(make: Callable[[], Any]) -> tuple[bytes, Any]:
    given: list[bytes] = []
    try:
        if isinstance(stream := make(), event_stream):
            given.extend(stream)
        else:
            asyncio.run(extend(given, stream))
    except Exception as error:
        return b''.join(given), error
    return b''.join(given), None


FACES: list[Callable[..., Any]] = [
    lambda *events, **options: event_stream(failing(*events), **options),
    lambda *events, **options: aevent_stream(afailing(*events), **options),
    lambda *events, **options: aevent_stream(afailing_later(*events), **options),
]


@pytest.mark.parametrize('face', FACES)
def test_a_source_that_fails(face: Callable[..., Any]) -> None:
    sent, error = outcome(lambda: face('a', 'b'))
    assert sent == b'data: a\n\ndata: b\n\n'
    assert isinstance(error, Failed)
    assert error.__notes__ == ['while reading item 2']

    def last(error: Exception) -> Mapping[str, Any]:
        return {'event': 'error', 'data': str(error)}

    sent, error = outcome(lambda: face('a', error=last))
    assert sent == b'data: a\n\nevent: error\ndata: down\n\n'
    assert error is None

    seen: list[Exception] = []
    sent, error = outcome(lambda: face('a', error=seen.append))
    assert sent == b'data: a\n\n'
    assert [error] == seen


@pytest.mark.parametrize('face', FACES)
def test_an_error_that_fails(face: Callable[..., Any]) -> None:
    def fail(error: Exception) -> str:
        raise LookupError('x')

    sent, error = outcome(lambda: face('a', error=fail))
    assert sent == b'data: a\n\n'
    assert type(error) is LookupError
    assert isinstance(error.__context__, Failed)

    sent, error = outcome(lambda: face(error=lambda error: {'id': '\n'}))
    assert sent == b''
    assert str(error).startswith("the last event: 'id' must not contain")
    assert isinstance(error.__context__, Failed)

    def stop(error: Exception) -> str:
        raise StopIteration

    sent, error = outcome(lambda: face('a', error=stop))
    assert type(error) is RuntimeError
    assert str(error) == 'error raised StopIteration'

    _, error = outcome(
        lambda: face('a', dumps=lambda value: 1 / 0, error=lambda error: {'data': 1})
    )
    assert type(error) is ZeroDivisionError
    assert error.__notes__ == ['while reading the last event']


def test_an_event_that_fails_ends_in_a_last_event() -> None:
    for make in (
        lambda: event_stream(['a', {'id': '\n'}, 'b'], error=repr),
        lambda: aevent_stream(ready(['a', {'id': '\n'}, 'b']), error=repr),
    ):
        sent, error = outcome(make)
        assert error is None
        assert sent.startswith(b'data: a\n\ndata: ValueError("event 1: ')
        assert sent.count(b'\n\n') == 2


def test_what_is_no_exception_is_not_told() -> None:
    def interrupted() -> Iterator[str]:
        yield 'a'
        raise KeyboardInterrupt

    stream = event_stream(interrupted(), error=repr)
    assert next(stream) == b'data: a\n\n'
    with pytest.raises(KeyboardInterrupt):
        next(stream)

    async def cancelled() -> AsyncIterator[str]:
        yield 'a'
        raise asyncio.CancelledError

    async def main() -> None:
        await collect(aevent_stream(cancelled(), error=repr))

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(main())


def test_the_source_is_closed_after_a_last_event() -> None:
    closed = []

    def events() -> Iterator[Any]:
        try:
            yield 1
            yield 'b'
        finally:
            closed.append(1)

    stream = event_stream(events(), error=lambda error: 'last')
    assert next(stream) == b'data: last\n\n'
    assert list(stream) == []
    assert closed == [1]


def test_parameters() -> None:
    for wrong in ('a', b'a', bytearray(), {'data': 'a'}, ServerSentEvent('a')):
        with pytest.raises(TypeError, match=r'events must be an iterable of events, not .*\[event'):
            event_stream(wrong)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        event_stream(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='events must be an async iterable of events, not'):
        aevent_stream(['a'])  # type: ignore[arg-type]
    for name in ('dumps', 'error'):
        options: Any = {name: 1}
        with pytest.raises(TypeError, match=f"{name} must be callable, not 'int'"):
            event_stream([], **options)
        with pytest.raises(TypeError, match=f"{name} must be callable, not 'int'"):
            aevent_stream(ready([]), **options)


def test_a_mapping_that_fails() -> None:
    class Broken(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            raise Failed

        def __iter__(self) -> Iterator[str]:
            return iter(['data'])

        def __len__(self) -> int:
            return 1

    with pytest.raises(Failed) as caught:
        list(event_stream([Broken()]))
    assert caught.value.__notes__ == ['while reading event 0']


def test_names_that_are_no_plain_str() -> None:
    class Name(str):
        __slots__ = ()

    event = {Name('data'): 'a', Name('event'): Name('b'), 'id': Name('c')}
    assert written(event) == b'event: b\nid: c\ndata: a\n\n'
    assert written({''.join(['da', 'ta']): 'a'}) == b'data: a\n\n'


@pytest.mark.parametrize('newline', ['\n', '\r', '\r\n'])
def test_many_lines_take_linear_time(newline: str) -> None:
    data = ('x' + newline) * 300_000
    begun = time.process_time()
    assert len(written(data)) > 300_000
    assert time.process_time() - begun < 3


def test_the_docstrings() -> None:
    for thing in (event_stream, aevent_stream):
        test = doctest.DocTestParser().get_doctest(thing.__doc__ or '', {}, 'doc', None, 0)
        assert test.examples
        assert doctest.DocTestRunner().run(test).failed == 0

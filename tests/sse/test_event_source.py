"""``event_source`` and ``aevent_source`` beside the standard's algorithm in plain Python."""

from __future__ import annotations

import asyncio
import doctest
import io
import itertools
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import DataError, ServerSentEvent, aevent_source, event_source

from .oracle import LARGEST, Parsed, parse

pytestmark = pytest.mark.timeout(60)

# The examples of the standard, and what it says of them.
EXAMPLES = {
    'messages': (
        (
            'data: This is the first message.\n\n'
            'data: This is the second message, it\ndata: has two lines.\n\n'
            'data: This is the third message.\n\n'
        ),
        [
            ('This is the first message.', 'message', ''),
            ('This is the second message, it\nhas two lines.', 'message', ''),
            ('This is the third message.', 'message', ''),
        ],
    ),
    'names': (
        'event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n',
        [('73857293', 'add', ''), ('2153', 'remove', ''), ('113411', 'add', '')],
    ),
    'lines': ('data: YHOO\ndata: +2\ndata: 10\n\n', [('YHOO\n+2\n10', 'message', '')]),
    'ids': (
        (
            ': test stream\n\ndata: first event\nid: 1\n\n'
            'data:second event\nid\n\ndata:  third event\n\n'
        ),
        [
            ('first event', 'message', '1'),
            ('second event', 'message', ''),
            (' third event', 'message', ''),
        ],
    ),
    'empty': ('data\n\ndata\ndata\n\ndata:', [('', 'message', ''), ('\n', 'message', '')]),
    'blank': ('data:test\n\ndata: test\n\n', [('test', 'message', ''), ('test', 'message', '')]),
}


def fields(event: ServerSentEvent) -> tuple[str, str, str, int | None]:
    return event.data, event.event, event.id, event.retry


def read(source: Any, **options: Any) -> Parsed:
    events = event_source(source, **options)
    return Parsed([fields(event) for event in events], events.last_event_id, events.retry)


async def aread(source: Any, **options: Any) -> Parsed:
    events = aevent_source(source, **options)
    return Parsed([fields(event) async for event in events], events.last_event_id, events.retry)


def cut(data: bytes, *places: int) -> Iterator[bytes]:
    for start, end in itertools.pairwise([0, *sorted(places), len(data)]):
        yield data[start:end]


async def later(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        await asyncio.sleep(0)
        yield item


@pytest.mark.parametrize('name', EXAMPLES)
@pytest.mark.parametrize('newline', ['\n', '\r', '\r\n'])
@pytest.mark.parametrize('mark', [b'', b'\xef\xbb\xbf'])
def test_the_examples_of_the_standard_at_every_cut(name: str, newline: str, mark: bytes) -> None:
    text, said = EXAMPLES[name]
    data = mark + text.replace('\n', newline).encode()
    expected = parse(data)
    assert expected.events == [(*event, None) for event in said]
    assert read(data) == read([data]) == read(io.BytesIO(data)) == expected
    assert read(bytes([byte]) for byte in data) == expected
    for place in range(len(data) + 1):
        assert read(cut(data, place)) == expected


def check_every_cut(data: bytes) -> None:
    expected = parse(data)
    assert read(data) == expected, data
    assert read([data[i : i + 1] for i in range(len(data))]) == expected, data
    for place in range(1, len(data)):
        assert read([data[:place], data[place:]]) == expected, (data, place)


SHORT = ['data', ':', '\r', '\n', ' ', '\ufeff', 'a']
FIELDS = ['data:1', 'id', 'event', 'retry', ':', '7', '\0', '\n', '\r']


@pytest.mark.parametrize('first', SHORT)
def test_every_short_text_at_every_cut(first: str) -> None:
    """All that a grammar of a few words can say."""
    for length in range(5):
        for rest in itertools.product(SHORT, repeat=length):
            check_every_cut((first + ''.join(rest)).encode())


@pytest.mark.parametrize('first', FIELDS)
def test_every_short_text_of_fields(first: str) -> None:
    for rest in itertools.product(FIELDS, repeat=4):
        check_every_cut((first + ''.join(rest) + '\n\ndata:2\n\n').encode())


WORDS = st.sampled_from(
    [
        *('data', 'event', 'id', 'retry', 'Data', 'data2', ':', ': ', ' ', '\n', '\r', '\r\n'),
        *('\n\n', 'x', 'é', '€', '\U0001f600', '\0', '10', '\ufeff', '\u2028', '\x85', 'message'),
    ]
)
DATA = st.one_of(
    st.lists(WORDS, max_size=30).map(lambda words: ''.join(words).encode()),
    st.lists(st.one_of(WORDS.map(str.encode), st.binary(max_size=3)), max_size=20).map(b''.join),
)


@given(DATA, st.lists(st.integers(0, 60), max_size=5), st.sampled_from(['', '0', 'é']))
def test_any_bytes_cut_anywhere(data: bytes, places: list[int], last_id: str) -> None:
    expected = parse(data, last_id)
    pieces = list(cut(data, *(min(place, len(data)) for place in places)))
    assert read(data, last_event_id=last_id) == expected
    assert read(pieces, last_event_id=last_id) == expected
    assert asyncio.run(aread(later(pieces), last_event_id=last_id)) == expected


def test_invalid_utf8_is_replaced_as_a_decoder_does_it() -> None:
    for bad in (b'\xff', b'\xe2\x82', b'\xf0\x9f\x98', b'\xc0\xaf', b'\xed\xa0\x80', b'\xe2\x28'):
        data = b'event: x' + bad + b'\ndata: ' + bad + b'\nid:' + bad + b'y\n\n'
        assert read(data) == parse(data)
        check_every_cut(data)


def test_nothing_else_ends_a_line() -> None:
    text = 'a\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029b'
    (event,) = event_source(f'data: {text}\n\n'.encode())
    assert event.data == text


def test_text_is_read_by_lines() -> None:
    lines = ['event: a', 'data: é\n', 'data: €\r\n', 'id: 1', '', 'data: b\r', '\n', 'data: c']
    assert [*map(fields, event_source(lines))] == [
        ('é\n€', 'a', '1', None),
        ('b', 'message', '1', None),
    ]
    assert asyncio.run(aread(later(lines))).events == read(lines).events
    text = io.StringIO('data: é\n\ndata: x\n')
    assert read(text).events == [('é', 'message', '', None)]
    assert read(['data: \ud800\n', '\n']).events == [('\ufffd\ufffd\ufffd', 'message', '', None)]


def test_text_that_is_cut_is_told() -> None:
    with pytest.raises(
        DataError, match='item 1 of the source is a str that goes on after'
    ) as caught:
        list(event_source(['data: a\n\n', 'data: b\n\nda', 'ta: c\n\n']))
    assert caught.value.record == 2
    assert caught.value.byte is None


def test_lines_of_bytes_without_line_ends_are_told() -> None:
    lines = [b'event: a', b'data: b', b'', b'data: c', b'']
    with pytest.raises(ValueError, match='fields without a line end'):
        list(event_source(lines))
    with pytest.raises(ValueError, match='fields without a line end'):
        asyncio.run(aread(later(lines)))
    assert read([b'data: a', b'data: b\n', b'\n']).events == [('adata: b', 'message', '', None)]


def test_where_a_client_goes_on() -> None:
    chunks = [b'id: 1\ndata: a\nretry: 50\n\n', b'id: 2\n\n', b'data: b\n\nid: 3\ndata: c\n']
    events = event_source(iter(chunks), last_event_id='0')
    assert (events.last_event_id, events.retry) == ('0', None)
    events.prime()
    assert events.last_event_id == '0'
    assert next(events) == ServerSentEvent('a', id='1', retry=50)
    assert (events.last_event_id, events.retry) == ('1', 50)
    assert next(events) == ServerSentEvent('b', id='2')
    assert events.last_event_id == '2'
    assert list(events) == []
    assert (events.last_event_id, events.retry) == ('2', 50)
    events.close()
    assert events.last_event_id == '2'

    async def main() -> None:
        events = aevent_source(later(chunks))
        await events.aprime()
        assert (events.last_event_id, events.retry) == ('', 50)
        await anext(events)
        assert events.last_event_id == '1'
        await events.aclose()

    asyncio.run(main())


def test_retry_is_of_digits_only() -> None:
    for value in ('', '-1', '+1', '1.5', ' 1', '1 ', '１', 'x', '0x1'):
        assert (
            read(f'retry:{value}\ndata\n\n'.encode()).retry
            == parse(f'retry:{value}\ndata\n\n'.encode()).retry
        ), value
    assert read(b'retry: 007\n').retry == 7
    assert read(b'retry: %d\n' % LARGEST).retry == LARGEST
    assert read(b'retry: %d\n' % (LARGEST + 1)).retry == LARGEST
    assert read(b'retry: ' + b'9' * 5000 + b'\n').retry == LARGEST


@pytest.mark.parametrize('size', [1, 3, 7, 1000])
def test_an_event_that_is_too_long(size: int) -> None:
    fine = b'event: ab\ndata: 123\n: %s\n\n' % (b'c' * 100)
    # "data: 12345" and the name are 13 bytes.
    data = fine + b'event: ab\ndata: 12345\n\n'
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    assert len(read(pieces, max_event=13).events) == 2
    events = event_source(pieces, max_event=12)
    assert next(events).data == '123'
    with pytest.raises(DataError, match=r'an event is longer than max_event=12') as caught:
        next(events)
    error = caught.value
    assert (error.record, error.line, error.byte) == (2, 6, len(fine) + 10)
    with pytest.raises(StopIteration):
        next(events)
    with pytest.raises(DataError):
        asyncio.run(aread(later(pieces), max_event=12))


@pytest.mark.parametrize('line', [b' data: ', b'x', b'data: a\ndata:\n' * 10])
def test_an_endless_event_ends(line: bytes) -> None:
    with pytest.raises(DataError, match='longer than max_event'):
        list(event_source(itertools.repeat(line), max_event=1000))


def test_an_endless_comment_takes_no_memory() -> None:
    comment = itertools.chain([b'data: a\n:'], itertools.repeat(b' ' * 1000, 100000), [b'\n\n'])
    assert read(comment, max_event=100).events == [('a', 'message', '', None)]


def test_a_long_line_takes_linear_time() -> None:
    def seconds(size: int) -> float:
        pieces = [b'data: ', *[b'x' * 1024] * size, b'\n\n']
        begun = time.process_time()
        (event,) = event_source(pieces)
        assert len(event.data) == size * 1024
        return time.process_time() - begun

    assert seconds(20_000) < 2


@pytest.mark.parametrize('newline', [b'\n', b'\r', b'\r\n'])
def test_many_lines_take_linear_time(newline: bytes) -> None:
    data = (b'data: x' + newline) * 300_000 + newline
    begun = time.process_time()
    (event,) = event_source(data)
    assert event.data == '\n'.join('x' * 300_000)
    assert time.process_time() - begun < 2


def test_parameters() -> None:
    for limit in (0, -1):
        with pytest.raises(ValueError, match='max_event must be positive, or None'):
            event_source(b'', max_event=limit)
        with pytest.raises(ValueError, match='max_event must be positive, or None'):
            aevent_source(later([]), max_event=limit)
    assert read(b'data: a\n\n', max_event=None).events == [('a', 'message', '', None)]
    with pytest.raises(TypeError):
        event_source(b'', max_event='1')  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        event_source(b'', last_event_id=1)  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        event_source(b'', last_event_id='\ud800')
    with pytest.raises(TypeError, match='source must be a path'):
        event_source(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match='source must be an async iterable'):
        aevent_source([b''])  # type: ignore[arg-type]
    with pytest.raises(DataError, match='should return bytes, as the items before it'):
        list(event_source([b'data: a\n', 'b']))  # type: ignore[arg-type]
    with pytest.raises(DataError, match='iterator should return str or bytes, not int'):
        list(event_source([1]))  # type: ignore[arg-type]


def test_a_path(tmp_path: Path) -> None:
    path = tmp_path / 'events'
    path.write_bytes(b'data: a\n\ndata: ' + b'b' * 300_000 + b'\n\n')
    assert [len(event.data) for event in event_source(path)] == [1, 300_000]
    with pytest.raises(DataError) as caught:
        list(event_source(str(path), max_event=1000))
    assert caught.value.path == str(path)
    assert caught.value.byte == 9


def test_a_reader_of_a_coroutine() -> None:
    class File:
        def __init__(self, data: bytes) -> None:
            self.file = io.BytesIO(data)

        async def read(self, n: int) -> bytes:
            await asyncio.sleep(0)
            return self.file.read(min(n, 3))

    data = b'data: abc\r\n\r\nid: 3\r\rdata: e\n\n'
    assert asyncio.run(aread(File(data))) == parse(data)


def test_readers_of_text() -> None:
    """What read() gives is cut anywhere, text as well as bytes."""
    text = 'data: é\n\nevent: €\ndata\r\n\r\ndata: \U0001f600\n\n'

    class File:
        def __init__(self) -> None:
            self.file = io.StringIO(text)

        def read(self, n: int) -> str:
            return self.file.read(min(n, 3))

    class AsyncFile(File):
        async def read(self, n: int) -> str:  # type: ignore[override]
            return super().read(n)

    assert read(File()) == parse(text.encode())
    assert asyncio.run(aread(AsyncFile())) == parse(text.encode())


def test_a_source_that_breaks_off() -> None:
    def source() -> Iterator[bytes]:
        yield b'data: a\n\ndata: b\n'
        raise ConnectionResetError

    events = event_source(source())
    assert next(events).data == 'a'
    with pytest.raises(ConnectionResetError) as caught:
        next(events)
    assert caught.value.__notes__ == ['while reading item 1']


def test_a_connection_that_is_cut_at_every_byte() -> None:
    data = 'id: 1\r\ndata: é\r\n\r\nretry: 5\ndata: b\n\nid: 3\n\ndata: c\r\r'.encode()

    def source(end: int) -> Iterator[bytes]:
        yield data[:end]
        raise ConnectionResetError

    for end in range(len(data) + 1):
        expected = parse(data[:end])
        events = event_source(source(end))
        given: list[Any] = []
        with pytest.raises(ConnectionResetError):
            given.extend(map(fields, events))
        assert Parsed(given, events.last_event_id, events.retry) == expected


def test_a_cancelled_step_loses_nothing() -> None:
    async def main() -> None:
        gate = asyncio.Event()

        async def source() -> AsyncIterator[bytes]:
            yield b'data: a\n'
            await gate.wait()
            yield b'\ndata: b\n\n'

        events = aevent_source(source())
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.01)
        gate.set()
        assert [event.data async for event in events] == ['a', 'b']

    asyncio.run(main())


def test_the_docstrings() -> None:
    for thing in (event_source, aevent_source, ServerSentEvent):
        parser = doctest.DocTestParser()
        globs = {'ServerSentEvent': ServerSentEvent}
        test = parser.get_doctest(thing.__doc__ or '', globs, thing.__name__, None, 0)
        assert test.examples
        assert doctest.DocTestRunner().run(test).failed == 0

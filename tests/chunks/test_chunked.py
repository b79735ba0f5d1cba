"""``chunked`` against a coalescer in plain Python."""

from __future__ import annotations

import array
import codecs
import collections.abc
import copy
import gc
import inspect
import io
import itertools
import os
import pickle
import sys
import threading
import time
import tracemalloc
import weakref
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import generators
from generators import FLUSH, batched, chunked
from tests.references import check_references
from tests.stream.model import check_against_model, steps


def plain(pieces: Iterable[Any], size: int, encoding: str = 'utf-8') -> Iterator[bytes]:
    """``chunked(pieces, size, max_delay=None)``, but that nothing is handed on uncopied."""
    held = b''
    failure = None
    source = iter(pieces)
    while True:
        flush = False
        try:
            piece = next(source)
        except StopIteration:
            break
        except Exception as e:
            failure = e
            break
        if piece is FLUSH:
            flush = True
        else:
            held += piece.encode(encoding) if isinstance(piece, str) else bytes(piece)
        while len(held) >= size:
            yield held[:size]
            held = held[size:]
        if flush and held:
            yield held
            held = b''
    if held:
        yield held
    if failure is not None:
        raise failure


some_bytes = st.binary(max_size=12)
pieces = st.lists(
    st.one_of(
        some_bytes,
        some_bytes,
        st.binary(min_size=60, max_size=300),
        st.text(max_size=12),
        some_bytes.map(bytearray),
        some_bytes.map(memoryview),
        st.just(FLUSH),
    ),
    max_size=30,
)
sizes = st.one_of(st.integers(1, 20), st.integers(1, 400))


# --- Chunks ----------------------------------------------------------------------------------


@given(pieces, sizes)
def test_exactness(given_pieces: list[Any], size: int) -> None:
    expected = list(plain(given_pieces, size))
    assert list(chunked(given_pieces, size, max_delay=None)) == expected
    assert list(chunked(iter(given_pieces), size, max_delay=3600)) == expected


@given(pieces, sizes, steps, st.booleans())
def test_protocol(given_pieces: list[Any], size: int, moves: Any, fails: bool) -> None:
    check_against_model(
        lambda source: chunked(source, size, max_delay=None),
        lambda source: plain(source, size),
        given_pieces,
        moves,
        LookupError('of the source') if fails else None,
    )


@given(pieces, sizes)
def test_no_delay_passes_every_piece_on(given_pieces: list[Any], size: int) -> None:
    flushed = itertools.chain.from_iterable((piece, FLUSH) for piece in given_pieces)
    assert list(chunked(given_pieces, size, max_delay=0)) == list(plain(flushed, size))


@pytest.mark.parametrize('size', [1, 2, 7, 64])
def test_every_cut(size: int) -> None:
    data = bytes(range(256))
    for first in range(130):
        for second in (first, first + 1, first + size, 255):
            cut = [data[:first], data[first:second], data[second:]]
            assert list(chunked(cut, size)) == list(plain([data], size))


def test_default_size() -> None:
    assert [len(c) for c in chunked([b'x' * 1000] * 200)] == [65536] * 3 + [200_000 - 3 * 65536]


def test_whole_chunk_is_handed_on_as_it_is() -> None:
    a, b = bytes(100), bytes(range(100))
    stream = chunked([a, b'xy', FLUSH, b], 100)
    assert next(stream) is a
    assert next(stream) == b'xy'
    assert next(stream) is b


def test_whole_chunk_behind_others_is_cut() -> None:
    a = bytes(range(100))
    assert list(chunked([b'x', a], 100)) == [b'x' + a[:99], a[99:]]


def test_a_subclass_of_bytes_is_not_handed_on() -> None:
    class Bytes(bytes):
        pass

    piece = Bytes(b'0123456789')
    (chunk,) = chunked([piece], 10)
    assert type(chunk) is bytes
    assert chunk == piece


def test_long_piece_is_kept_only_while_it_is_cut() -> None:
    piece = bytes(1000)
    before = sys.getrefcount(piece)
    stream = chunked(iter([piece, b'x', piece[:0]]), 300)
    assert len(next(stream)) == 300
    assert sys.getrefcount(piece) > before
    assert [len(chunk) for chunk in stream] == [300, 300, 101]
    assert sys.getrefcount(piece) == before


def free_memory() -> int:
    try:
        return os.sysconf('SC_AVPHYS_PAGES') * os.sysconf('SC_PAGE_SIZE')
    except (AttributeError, ValueError):
        return 0


@pytest.mark.skipif(sys.maxsize < 1 << 32 or free_memory() < 3 << 30, reason='too little memory')
def test_piece_of_a_gigabyte_takes_no_second_one() -> None:
    piece, size = bytes(1 << 30), 1 << 20
    lengths = []
    tracemalloc.start()
    try:
        for chunk in chunked([b'x', piece], size):
            lengths.append(len(chunk))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert lengths == [size] * 1024 + [1]
    assert peak < 8 * size


@pytest.mark.parametrize('length', [3, 10, 11, 25])
def test_bytearray_changed_after_it_was_given(length: int) -> None:
    block = bytearray(b'a' * length)

    def source() -> Iterator[Any]:
        yield block
        block[:] = b'!' * length
        yield b'z'

    stream = chunked(source(), 10)
    first = next(stream)
    if length >= 20:
        block[:] = b'!' * length  # while chunks of it are still to come
    assert first + b''.join(stream) == b'a' * length + b'z'


def test_bytearray_is_not_held() -> None:
    block = bytearray(25)
    stream = chunked([block, b'x'], 10)
    next(stream)
    block.extend(b'y')  # BufferError while somebody looks at it


def test_buffers_of_other_items() -> None:
    numbers = array.array('i', [1, 2, 3])
    assert list(chunked([numbers, memoryview(numbers)], 8)) == list(
        plain([numbers.tobytes() * 2], 8)
    )


def test_buffer_that_is_not_contiguous() -> None:
    with pytest.raises(BufferError):
        list(chunked([memoryview(bytes(10))[::2]]))


# --- Text ------------------------------------------------------------------------------------


@given(
    st.lists(st.text(max_size=8), max_size=12),
    st.sampled_from(['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-7', 'cp1252', 'gb18030']),
    st.integers(1, 9),
)
def test_encodings(texts: list[str], encoding: str, size: int) -> None:
    try:
        expected = ''.join(texts).encode(encoding)
    except UnicodeEncodeError:
        with pytest.raises(UnicodeEncodeError):
            list(chunked(texts, size, encoding=encoding))
        return
    if not texts:
        expected = b''
    got = b''.join(chunked(texts, size, encoding=encoding))
    if encoding == 'utf-8-sig' and not ''.join(texts):
        # The mark came with the first piece, although that was empty.
        assert got in (expected, b'')
    elif encoding == 'utf-16' and not ''.join(texts):
        assert got in (expected, b'')
    else:
        assert got.decode(encoding) == ''.join(texts)


@pytest.mark.parametrize(
    ('encoding', 'expected'),
    [
        ('utf-8', b'a\xc3\xa9\xe2\x82\xac'),
        ('latin-1', None),
        ('ascii', None),
        ('iso8859-15', b'a\xe9\xa4'),
    ],
)
def test_native_encodings(encoding: str, expected: bytes | None) -> None:
    stream = chunked(['a', 'é', '€'], encoding=encoding)
    if expected is not None:
        assert list(stream) == [expected]
        return
    assert next(stream) == 'aé'.encode(encoding, 'ignore')
    with pytest.raises(UnicodeEncodeError) as caught:
        next(stream)
    at = 2 if encoding == 'latin-1' else 1
    assert caught.value.__notes__ == [f'while reading piece {at}']


def test_unknown_encoding() -> None:
    with pytest.raises(LookupError, match='unknown encoding: nonesuch'):
        chunked([], encoding='nonesuch')
    with pytest.raises(LookupError, match="'rot13' is not a text encoding"):
        chunked([], encoding='rot13')


# --- FLUSH -----------------------------------------------------------------------------------


def test_flush_is_one_object() -> None:
    assert repr(FLUSH) == 'native_generators.FLUSH'
    assert copy.copy(FLUSH) is FLUSH
    assert copy.deepcopy(FLUSH) is FLUSH
    with pytest.raises(TypeError, match='cannot create'):
        type(FLUSH)()


def test_flush_with_nothing_held() -> None:
    assert list(chunked([FLUSH, b'', FLUSH, b'a', FLUSH, FLUSH], 4)) == [b'a']


# --- Time ------------------------------------------------------------------------------------


def test_delay() -> None:
    def slow() -> Iterator[bytes]:
        yield b'a'
        time.sleep(0.08)
        yield b'b'
        yield b'c'

    assert list(chunked(slow(), max_delay=0.02)) == [b'ab', b'c']
    assert list(chunked(slow(), max_delay=0.07)) == [b'ab', b'c']
    assert list(chunked(slow(), max_delay=None)) == [b'abc']
    assert list(chunked(slow(), max_delay=60)) == [b'abc']
    assert list(chunked(slow(), max_delay=float('inf'))) == [b'abc']


def test_time_that_the_caller_takes_does_not_count() -> None:
    """A slow client gets chunks of the full size, not the remainder of each by itself."""
    stream = chunked(iter([b'x' * 15, b'y', b'z' * 20]), 10, max_delay=0.02)
    assert next(stream) == b'x' * 10
    time.sleep(0.05)
    assert next(stream) == b'xxxxxy' + b'z' * 4


def test_a_list_that_is_read_slowly_is_not_torn() -> None:
    for _ in chunked([b'x' * 15] * 20, 10, max_delay=0.001):
        time.sleep(0.002)


# --- Files -----------------------------------------------------------------------------------


class Reader:
    """A file object of somebody's own."""

    def __init__(self, *parts: Any) -> None:
        self.parts = list(parts)
        self.asked: list[int] = []

    def read(self, size: int) -> Any:
        self.asked.append(size)
        part = self.parts.pop(0) if self.parts else b''
        if isinstance(part, BaseException):
            raise part
        return part


def test_file(tmp_path: Any) -> None:
    path = tmp_path / 'data'
    path.write_bytes(os.urandom(10_000))
    for buffering in (-1, 0, 100):
        with open(path, 'rb', buffering=buffering) as f:
            assert list(chunked(f, 3000)) == list(plain([path.read_bytes()], 3000))
            assert not f.closed
    assert b''.join(chunked(io.BytesIO(b'abc' * 100), 7)) == b'abc' * 100


def test_file_object_of_ones_own() -> None:
    reader = Reader(b'ab', bytearray(b'cdefg'), memoryview(b'h'))
    assert list(chunked(reader, 3)) == [b'abc', b'def', b'gh']
    assert set(reader.asked) == {3}


def test_file_that_fails() -> None:
    stream = chunked(Reader(b'ab', OSError(5, 'broken')), 3)
    assert next(stream) == b'ab'
    with pytest.raises(OSError, match='broken') as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading part 1 of the file']


def test_file_in_text_mode(tmp_path: Any) -> None:
    with (
        open(tmp_path / 'text', 'w+') as f,
        pytest.raises(TypeError, match='the file is in text mode'),
    ):
        chunked(f)
    with pytest.raises(TypeError, match="bytes, not 'str': open the file in binary mode"):
        list(chunked(Reader('text')))


def test_file_that_has_no_data_yet() -> None:
    with pytest.raises(BlockingIOError):
        list(chunked(Reader(None)))


@pytest.mark.parametrize('data', [5, [b'a'], object()])
def test_file_that_gives_nonsense(data: Any) -> None:
    with pytest.raises(TypeError):
        list(chunked(Reader(data)))


def test_pipe() -> None:
    """What there is in a pipe is not held back until the chunk is full."""
    r, w = os.pipe()
    with open(r, 'rb') as reading, open(w, 'wb', buffering=0) as writing:
        stream = chunked(reading, max_delay=0)
        writing.write(b'first')
        assert next(stream) == b'first'
        writing.write(b'second')
        assert next(stream) == b'second'
        writing.close()
        assert list(stream) == []


# --- Bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize('item', [5, None, 1.5, [b'a'], {'a': 1}, (b'a',), object(), iter([])])
def test_piece_of_another_type(item: Any) -> None:
    stream = chunked([b'a', 'b', item, b'c'])
    assert next(stream) == b'ab'
    name = type(item).__name__
    message = f"piece 2 should be str or bytes-like, not '{name}': .* batched"
    with pytest.raises(TypeError, match=message):
        next(stream)
    assert list(stream) == []


@pytest.mark.parametrize('whole', [b'abc', bytearray(b'abc'), memoryview(b'abc')])
def test_one_piece_instead_of_many(whole: Any) -> None:
    with pytest.raises(TypeError, match=r'pass \[data\]'):
        chunked(whole)


def test_no_iterable() -> None:
    with pytest.raises(TypeError, match="'int' object is not iterable"):
        chunked(5)


@pytest.mark.parametrize('size', [0, -1, -(10**9)])
def test_size_too_small(size: int) -> None:
    with pytest.raises(ValueError, match=f'size must be at least 1, not {size}'):
        chunked([], size)


def test_size_of_nonsense() -> None:
    for size in ('5', 5.0, None):
        with pytest.raises(TypeError):
            chunked([], size)
    with pytest.raises(OverflowError):
        chunked([], 1 << 70)


def test_large_size_takes_no_more_than_it_needs() -> None:
    assert list(chunked([b'ab', b'c'], sys.maxsize)) == [b'abc']


@pytest.mark.parametrize('delay', [-0.1, float('nan'), float('-inf')])
def test_bad_delay(delay: float) -> None:
    with pytest.raises(ValueError, match='max_delay must be None or at least 0'):
        chunked([], max_delay=delay)


def test_arguments() -> None:
    with pytest.raises(TypeError):
        chunked()
    with pytest.raises(TypeError):
        chunked([], 5, 0.1)
    with pytest.raises(TypeError):
        chunked([], encoding=b'utf-8')


def test_source_that_fails_midway() -> None:
    error = LookupError('gone')

    def source() -> Iterator[bytes]:
        yield b'abcde'
        raise error

    stream = chunked(source(), 2)
    assert [next(stream), next(stream), next(stream)] == [b'ab', b'cd', b'e']
    with pytest.raises(LookupError) as caught:
        next(stream)
    assert caught.value is error
    assert error.__notes__ == ['while reading item 1']
    assert list(stream) == []


def test_interrupt_does_not_wait() -> None:
    def source() -> Iterator[bytes]:
        yield b'a'
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(chunked(source()))


def test_source_that_raises_stop_iteration_from_within() -> None:
    def source() -> Iterator[bytes]:
        yield b'a'
        raise StopIteration

    stream = chunked(source())
    assert next(stream) == b'a'
    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        next(stream)


def test_source_that_uses_its_own_stream() -> None:
    refused = []

    def source() -> Iterator[bytes]:
        for move in (stream.close, stream.__next__, lambda: stream.throw(KeyError)):
            try:
                move()
            except ValueError as e:
                refused.append(str(e))
            yield b'x'

    stream = chunked(source(), 2)
    assert list(stream) == [b'xx', b'x']
    assert refused == ['generator already executing'] * 3


def test_endless_empty_pieces_can_be_interrupted() -> None:
    import signal

    if not hasattr(signal, 'setitimer'):
        pytest.skip('there are no timers that send signals')

    def interrupt(*_: Any) -> None:
        raise InterruptedError

    old = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(InterruptedError):
            next(chunked(itertools.repeat(b'')))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


# --- The end ---------------------------------------------------------------------------------


def logged(log: list[str], count: int = 9) -> Iterator[bytes]:
    try:
        for _ in range(count):
            yield b'abc'
    finally:
        log.append('closed')


@pytest.mark.parametrize('taken', [0, 1, 2, 99])
def test_close(taken: int) -> None:
    log: list[str] = []
    stream = chunked(logged(log), 4)
    for _ in itertools.islice(stream, taken):
        pass
    stream.close()
    stream.close()
    assert log == (['closed'] if taken else [])
    assert list(stream) == []


def test_close_while_an_error_waits() -> None:
    def source() -> Iterator[bytes]:
        yield b'abc'
        raise LookupError

    stream = chunked(source(), 2)
    assert next(stream) == b'ab'
    assert next(stream) == b'c'
    stream.close()
    assert list(stream) == []


def test_close_while_a_long_piece_is_cut() -> None:
    stream = chunked([bytes(100)], 10)
    next(stream)
    stream.close()
    assert list(stream) == []


def test_close_after_a_failure() -> None:
    stream = chunked([b'a', 5])
    assert next(stream) == b'a'
    with pytest.raises(TypeError):
        next(stream)
    stream.close()
    assert list(stream) == []


def test_close_leaves_a_file_open() -> None:
    file = io.BytesIO(bytes(100))
    stream = chunked(file, 10)
    next(stream)
    stream.close()
    stream.close()
    assert list(stream) == []
    assert not file.closed


def test_empty_pieces_make_no_chunks() -> None:
    empty: list[Any] = [b'', '', bytearray(), memoryview(b'')]
    assert list(chunked(empty * 100)) == []
    assert list(chunked(empty, max_delay=0)) == []
    assert list(chunked([*empty, 'a', *empty, FLUSH, *empty], 1)) == [b'a']


def test_close_from_another_thread() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def source() -> Iterator[bytes]:
        inside.set()
        go_on.wait(10)
        yield b'a'

    stream = chunked(source())
    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(list(stream)))
    thread.start()
    assert inside.wait(10)
    with pytest.raises(ValueError, match='generator already executing'):
        stream.close()
    go_on.set()
    thread.join()
    assert results == [[b'a']]
    closing = threading.Thread(target=stream.close)
    closing.start()
    closing.join()


def test_dropped_stream_closes_its_source() -> None:
    log: list[str] = []
    gc.disable()
    try:
        stream = chunked(logged(log), 4)
        next(stream)
        del stream
        assert log == ['closed']
    finally:
        gc.enable()


def test_prime() -> None:
    def source() -> Iterator[bytes]:
        raise LookupError
        yield

    with pytest.raises(LookupError):
        chunked(source()).prime()
    stream = chunked([b'abc'], 2)
    assert stream.prime() is stream
    assert list(stream) == [b'ab', b'c']


def test_is_a_generator() -> None:
    stream = chunked([])
    assert isinstance(stream, collections.abc.Generator)
    assert not hasattr(stream, '__aiter__')
    assert not hasattr(stream, '__len__')
    assert weakref.ref(stream)() is stream
    assert generators.chunked is chunked
    with pytest.raises(TypeError):
        pickle.dumps(stream)


def test_signatures() -> None:
    assert str(inspect.signature(chunked)) == (
        "(pieces, size=65536, *, max_delay=Ellipsis, encoding='utf-8')"
    )
    assert str(inspect.signature(batched)) == '(source, n, *, max_delay=None, strict=False)'


def test_wsgi() -> None:
    """A WSGI server takes it as it is, and closes it."""
    from wsgiref.validate import validator

    log: list[str] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response('200 OK', [('Content-Type', 'text/plain')])
        return chunked(logged(log), 10)

    environ: dict[str, Any] = {}
    from wsgiref.util import setup_testing_defaults

    setup_testing_defaults(environ)
    environ['QUERY_STRING'] = ''
    body = validator(app)(environ, lambda *_: lambda data: None)  # type: ignore[arg-type]
    assert b''.join(body) == b'abc' * 9
    body.close()  # type: ignore[attr-defined]
    assert log == ['closed']


@pytest.fixture
def odd_codecs() -> Iterator[None]:
    def search(name: str) -> codecs.CodecInfo | None:
        if not name.startswith('generators_'):
            return None
        odd: Any = codecs.CodecInfo(
            lambda text, errors='strict': (text, len(text)),  # type: ignore[arg-type,return-value]
            lambda data, errors='strict': ('', len(data)),
            incrementalencoder=OddEncoder if name == 'generators_text' else None,
            name=name,
        )
        if name == 'generators_number':
            odd.name = 5
        return odd

    codecs.register(search)
    yield
    codecs.unregister(search)


class OddEncoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> Any:
        return text


@pytest.mark.usefixtures('odd_codecs')
def test_a_codec_that_gives_no_bytes_is_refused() -> None:
    with pytest.raises(TypeError, match="encoder should return bytes, not 'str'"):
        list(chunked(['a'], encoding='generators_text'))
    with pytest.raises(TypeError, match='codec name must be str, not int'):
        chunked(['a'], encoding='generators_number')


def test_nothing_leaks() -> None:
    class Text(str):
        pass

    text, data = Text('some text'), b'0123456789' * 3

    def use() -> None:
        def source(fails: bool) -> Iterator[Any]:
            yield from [text, data, FLUSH, bytearray(data)]
            if fails:
                raise LookupError

        list(chunked(source(False), 7))
        next(chunked(source(False), 7))
        with pytest.raises(LookupError):
            list(chunked(source(True), 7, encoding='utf-16'))
        with pytest.raises(TypeError):
            list(chunked([data, 5], 7))
        chunked([data]).close()

    check_references(use, text, data, FLUSH, chunked)


def test_the_handler_of_errors_is_let_go() -> None:
    handler = codecs.lookup_error('strict')

    def use() -> None:
        for encoding in ('ascii', 'utf-8', 'iso8859-15'):
            assert list(chunked(['ab'], encoding=encoding)) == [b'ab']
        with pytest.raises(LookupError):
            chunked([], encoding='no such')

    check_references(use, handler)

"""``lines`` and ``alines``: the lines of every source, however it is cut."""

from __future__ import annotations

import asyncio
import codecs
import doctest
import gzip
import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from native_generators import DataError, _native, alines, jsonl_rows, lines
from tests.chunks.test_async_faces import Upload
from tests.text.oracle import by_text_file, cuts, expected, texts

pytestmark = pytest.mark.timeout(60)


async def given_later(pieces: list[Any]) -> AsyncIterator[Any]:
    for i, piece in enumerate(pieces):
        if i % 2:
            await asyncio.sleep(0)
        yield piece


async def collect(stream: Any) -> list[Any]:
    return [line async for line in stream]


def lines_and_error(source: Any, **options: Any) -> tuple[list[Any], DataError]:
    taken: list[Any] = []
    stream = lines(source, **options)
    with pytest.raises(DataError) as caught:
        taken.extend(stream)
    assert next(stream, 'ended') == 'ended'
    return taken, caught.value


# --- the same lines for every cut -----------------------------------------------------------------


@pytest.mark.parametrize('newline', [None, '\n', '\r', '\r\n', b'\0', 'aa'])
@pytest.mark.parametrize('keepends', [False, True])
def test_all_short_texts_by_every_cut(newline: Any, keepends: bool) -> None:
    alphabet = {b'\0': 'a\0\n', 'aa': 'ab'}.get(newline, 'a\r\n')
    end = newline.encode() if isinstance(newline, str) else newline
    for text in texts(alphabet, 6):
        data = text.encode()
        wanted = expected(data, end, keepends)
        for pieces in cuts(data):
            got = list(lines(pieces, newline=newline, keepends=keepends))
            assert got == wanted, (text, pieces)


@pytest.mark.parametrize('newline', [None, '\n', '\r', '\r\n'])
def test_text_files_give_the_same(newline: str | None) -> None:
    for text in texts('aé\r\n\u2028', 5):
        wanted = by_text_file(text, newline)
        data = text.encode()
        for size in (1, 2, 3, 100):
            pieces = [data[i : i + size] for i in range(0, len(data), size)]
            assert list(lines(pieces, newline=newline, encoding='utf-8')) == wanted
        assert list(lines(iter(text), newline=newline)) == wanted
        assert list(lines(io.StringIO(text, newline=''), newline=newline)) == wanted


def test_nothing_else_ends_a_line() -> None:
    odd = 'a\x0bb\x0cc\x1cd\x1de\x1ef\x85g\u2028h\u2029i'
    assert list(lines([odd])) == [odd]
    assert list(lines(odd.encode(), encoding='utf-8')) == [odd]
    assert list(lines(odd.encode())) == [odd.encode()]


@given(
    data=st.binary(max_size=400).map(lambda data: data.replace(b'\x01', b'\n')),
    places=st.lists(st.integers(0, 400), max_size=8),
    newline=st.sampled_from([None, b'\n', b'\r\n', b'\0\0']),
    keepends=st.booleans(),
    pauses=st.booleans(),
)
def test_async_ones_are_the_same(
    data: bytes, places: list[int], newline: bytes | None, keepends: bool, pauses: bool
) -> None:
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    pieces = [data[start:end] for start, end in itertools.pairwise(edges)]
    options: dict[str, Any] = {'newline': newline, 'keepends': keepends, 'compression': None}
    wanted = expected(data, newline, keepends)
    assert list(lines(pieces, **options)) == wanted
    stream = alines(given_later(pieces), **options)
    assert asyncio.run(collect(stream)) == wanted
    assert stream.line_num == len(wanted)
    assert stream.bytes_read == len(data)
    assert stream.total_bytes is None


BY_KERNEL = r"""
from native_generators import _native, lines
data = bytes(i * 7 % 251 for i in range(20000)) + b'\r'
assert b''.join(lines(data, keepends=True)) == data
flat = data.replace(b'\r\n', b'\n').replace(b'\r', b'\n')
assert list(lines(data)) == flat.split(b'\n')[:-1]
print(_native.scan_kernel, end='')
"""


@pytest.mark.parametrize('kernel', _native.scan_kernels)
def test_every_kernel_finds_the_same(kernel: str) -> None:
    environment = {**os.environ, 'GENERATORS_SCAN': kernel}
    done = subprocess.run(
        [sys.executable, '-c', BY_KERNEL],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == kernel


# --- as soon as they are there --------------------------------------------------------------------


def pulled_before_first(pieces: list[bytes], **options: Any) -> int:
    pulled = []

    def source() -> Iterator[bytes]:
        for piece in pieces:
            pulled.append(piece)
            yield piece

    next(lines(source(), **options))
    return len(pulled)


def test_a_line_is_given_when_its_end_has_come() -> None:
    assert pulled_before_first([b'a', b'\n', b'b']) == 2
    assert pulled_before_first([b'a\r', b'\nb', b'c']) == 1
    assert pulled_before_first([b'a\r', b'\nb', b'c'], keepends=True) == 2
    assert pulled_before_first([b'a\r', b'\nb', b'c'], newline='\r\n') == 2
    assert list(lines([b'a\r', b'', b'\nb'])) == [b'a', b'b']
    assert list(lines([b'a\r', b'', b'\nb\r'], keepends=True)) == [b'a\r\n', b'b\r']


def test_a_byte_order_mark_is_dropped_from_utf8_alone() -> None:
    data = codecs.BOM_UTF8 + b'a\n' + codecs.BOM_UTF8 + b'b'
    for pieces in cuts(data):
        assert list(lines(pieces, encoding='utf-8')) == ['a', '\ufeffb']
    assert list(lines(data)) == [codecs.BOM_UTF8 + b'a', codecs.BOM_UTF8 + b'b']
    assert list(lines(['\ufeffa\n'], encoding='utf-8')) == ['\ufeffa']
    assert list(lines(codecs.BOM_UTF8, encoding='utf-8')) == []
    assert list(lines(codecs.BOM_UTF8[:2], encoding='utf-8', errors='replace')) == ['\ufffd']


# --- sources --------------------------------------------------------------------------------------


def test_sources(tmp_path: Path) -> None:
    path = tmp_path / 'a.txt'
    path.write_bytes(b'one\r\ntwo\nthree')
    wanted = [b'one', b'two', b'three']
    for source in (path, str(path), open(path, 'rb'), io.BytesIO(path.read_bytes())):
        stream = lines(source)
        assert list(stream) == wanted
        assert stream.line_num == 3
        assert stream.bytes_read == 14
        if hasattr(source, 'close'):
            assert not source.closed
            source.close()
    assert lines(path).total_bytes == 14
    assert list(lines(memoryview(path.read_bytes()))) == wanted
    assert list(lines(bytearray(path.read_bytes()))) == wanted
    assert list(lines(iter([bytearray(b'one\ntwo'), b'\nthree']))) == wanted
    with open(path) as text:
        assert list(lines(text)) == [line.decode() for line in wanted]
    with pytest.raises(FileNotFoundError):
        lines(tmp_path / 'none')
    with pytest.raises(TypeError, match='source must be a path'):
        lines(3)  # type: ignore[call-overload]
    assert asyncio.run(collect(alines(Upload(b'one\ntwo')))) == [b'one', b'two']
    with pytest.raises(TypeError, match='source must be an async iterable'):
        alines([b'a'])  # type: ignore[call-overload]


def test_a_generator_is_closed() -> None:
    closed = []

    def source() -> Iterator[bytes]:
        try:
            yield b'a\nb\n'
            yield b'c\n'
        finally:
            closed.append(True)

    with lines(source()) as stream:
        assert next(stream) == b'a'
    assert closed == [True]


def test_items_that_lost_their_line_ends() -> None:
    assert list(lines(['a', 'b\n', '', 'c\r', 'd'], items='lines')) == ['a', 'b', '', 'c', 'd']
    assert list(lines([b'a', b'b\n', b'', b'c\r', b'd'], items='lines')) == [
        *(b'a', b'b', b'', b'c', b'd')
    ]
    assert list(lines(['a\rb', 'c'], items='lines', newline=b'\n')) == ['a\rb', 'c']
    utf16 = [text.encode('utf-16-le') for text in ('aé', 'b\n', '')]
    assert list(lines(utf16, items='lines', encoding='utf-16-le')) == ['aé', 'b', '']
    for newline in ('\0', b'\r\n'):
        with pytest.raises(ValueError, match="items='lines' requires newline"):
            lines([], items='lines', newline=newline)


def test_an_item_of_another_type_is_an_error() -> None:
    taken, error = lines_and_error([b'a\n', 'b\n'])
    assert taken == [b'a']
    assert 'should return bytes, as the items before it, not str (item 1)' in str(error)
    assert error.line == 2


def test_the_error_of_a_source_comes_through() -> None:
    def source() -> Iterator[bytes]:
        yield b'a\nb'
        raise OSError('gone')

    stream = lines(source())
    assert next(stream) == b'a'
    with pytest.raises(OSError, match='gone') as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 1']


# --- encodings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'latin-1', 'ascii', 'utf-16', 'utf-16-be', 'shift_jis']
)
def test_encodings(encoding: str) -> None:
    text = 'one\r\ntw\xf6\u3042\rthree\n\nfour'.encode(encoding, 'ignore').decode(encoding)
    data = text.encode(encoding)
    wanted = expected(text.encode(), None, False)
    for size in (1, 2, 3, 7, 100):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        assert [line.encode() for line in lines(pieces, encoding=encoding)] == wanted


@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'utf-16-le'])
def test_a_newline_of_other_characters(encoding: str) -> None:
    data = 'aébéc'.encode(encoding)
    for pieces in cuts(data):
        assert list(lines(pieces, encoding=encoding, newline='é')) == ['a', 'b', 'c']


def test_a_newline_of_bytes_in_an_encoding() -> None:
    assert list(lines(b'a\0b', encoding='latin-1', newline=b'\0')) == ['a', 'b']
    assert list(lines(b'a\0b', newline='\0')) == [b'a', b'b']


def test_invalid_bytes_are_as_errors_says() -> None:
    data = b'a\n\xffb\xc3\nc'
    for size in (1, 2, 100):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        for errors in ('replace', 'ignore', 'surrogateescape', 'backslashreplace'):
            got = list(lines(pieces, encoding='utf-8', errors=errors))
            assert got == data.decode('utf-8', errors).split('\n')
        taken, error = lines_and_error(pieces, encoding='utf-8')
        assert taken == ['a']
        assert (error.line, error.byte, error.text) == (2, 2, '\\xffb\\xc3')
        assert str(error) == (
            'the source is not valid utf-8: byte 0xff is at offset 0 of the line; it can be read '
            "as 'cp1252', 'latin-1' (line 2, byte 2, '\\\\xffb\\\\xc3')"
        )
        assert isinstance(error.__cause__, UnicodeDecodeError)
    taken, error = lines_and_error(b'a\nb\xe9c\n', encoding='ascii')
    assert (taken, error.line, error.byte) == (['a'], 2, 3)
    assert pickle.loads(pickle.dumps(error)).line == 2


def test_invalid_bytes_of_a_codec_come_after_the_lines_before_them() -> None:
    data = 'a\nb'.encode('utf-16-le') + b'\x00\xd8c\x00\n\x00'
    for size in (1, 2, 3, 5, 100):
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        taken, error = lines_and_error(pieces, encoding='utf-16-le')
        assert taken == ['a']
        assert (error.line, error.byte) == (2, 6)
    taken, error = lines_and_error(
        [b'a\x00', b'\x00\xd8b\x00'], encoding='utf-16-le', items='lines'
    )
    assert taken == ['a']
    assert error.line == 2
    taken, error = lines_and_error(data[:-5], encoding='utf-16-le')
    assert taken == ['a']
    assert error.byte == 6


class Odd(codecs.IncrementalDecoder):
    """A decoder that is no good."""

    def decode(self, data: Any, final: bool = False) -> Any:
        if data.startswith(b'number'):
            return 3
        if data.startswith(b'error'):
            raise UnicodeError('it does not say where')
        if data.startswith(b'other'):
            raise LookupError('not of the text')
        return data.decode('ascii')


def test_a_codec_that_is_no_good_is_an_error() -> None:
    def search(name: str) -> codecs.CodecInfo | None:
        if name != 'generators_odd_lines':
            return None
        return codecs.CodecInfo(
            codecs.ascii_encode, codecs.ascii_decode, incrementaldecoder=Odd, name=name
        )

    codecs.register(search)
    options: dict[str, Any] = {'encoding': 'generators_odd_lines'}
    try:
        assert list(lines([b'a\n', b'b'], **options)) == ['a', 'b']
        for items in ('auto', 'lines'):
            stream = lines([b'a\n', b'number'], items=items, **options)
            assert next(stream) == 'a'
            with pytest.raises(TypeError, match="should return a string result, not 'int'"):
                next(stream)
            taken, error = lines_and_error([b'a\n', b'error'], items=items, **options)
            assert (taken, error.line, error.byte) == (['a'], 2, 2)
            with pytest.raises(LookupError, match='not of the text'):
                list(lines([b'other'], items=items, **options))
    finally:
        codecs.unregister(search)


def test_lone_surrogates_of_text_stay() -> None:
    assert list(lines(['a\ud800\n', '\udc80'])) == ['a\ud800', '\udc80']


@pytest.mark.parametrize(
    ('data', 'advice'),
    [
        (gzip.compress(b'a\n', mtime=0), "gzip data: pass compression='infer'"),
        (b'\x28\xb5\x2f\xfdx', 'zstd data'),
        (b'PK\x03\x04x', 'a zip archive'),
        ('a\n'.encode('utf-16'), "UTF-16 text: pass encoding='utf-16'"),
        ('a\n'.encode('utf-32'), "UTF-32 text: pass encoding='utf-32'"),
        (codecs.BOM_UTF16_BE, 'UTF-16 text'),
        (codecs.BOM_UTF16_LE, 'UTF-16 text'),
    ],
)
def test_what_is_no_text_is_told_by_its_beginning(data: bytes, advice: str) -> None:
    for encoding in ('utf-8', 'shift_jis'):
        for pieces in ([data], [data[i : i + 1] for i in range(len(data))], io.BytesIO(data)):
            taken, error = lines_and_error(
                pieces, encoding=encoding, errors='replace', compression=None
            )
            assert taken == []
            assert error.byte == 0
            assert f'the source begins as {advice}' in str(error)
    with pytest.raises(DataError, match='the source begins as'):
        list(jsonl_rows([data], items='lines'))
    assert b''.join(lines([data], keepends=True, compression=None)) == data


def test_a_short_line_is_not_held_for_the_first_bytes() -> None:
    for start in (b'\n', b'P\n', b'PK\n', b'\x1f\n'):
        assert pulled_before_first([start, b'x'], encoding='utf-8') == 1
    assert list(lines([b'P', b'K'], encoding='utf-8')) == ['PK']
    assert list(lines([b''], encoding='utf-8')) == []


# --- limits ---------------------------------------------------------------------------------------


def test_a_line_over_the_limit_is_told_where_it_is() -> None:
    for data in (b'ab\r\nabcd\nx\n', b'ab\r\nabcd', b'ab\r\nabcd\r\n'):
        for pieces in cuts(data):
            for keepends in (False, True):
                taken, error = lines_and_error(pieces, max_line=3, keepends=keepends)
                assert taken == [b'ab\r\n' if keepends else b'ab']
                assert (error.line, error.byte, error.text) == (2, 4, 'abc')
                assert 'line larger than max_line (3)' in str(error)
        assert len(list(lines(data, max_line=4))) == len(data.split())
    assert list(lines(b'\n\n', max_line=0)) == [b'', b'']
    assert list(lines(b'ab', max_line=None)) == [b'ab']


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / 'a.txt'
    path.write_bytes(b'line\n' * 100_000)
    stream = lines(path)
    next(stream)
    os.truncate(path, 200_000)
    with pytest.raises(DataError, match='the file shrank while it was read') as caught:
        list(stream)
    assert (caught.value.path, caught.value.byte) == (str(path), 200_000)


def test_an_endless_line_is_found_at_the_limit() -> None:
    taken, error = lines_and_error(itertools.repeat(b'x' * 1000), max_line=10**6)
    assert taken == []
    assert error.byte == 0
    assert error.text is not None
    assert len(error.text) < 100


def test_a_long_line_takes_linear_time_and_memory() -> None:
    def seconds(size: int) -> float:
        pieces = [b'x' * 1024] * (size // 1024)
        start = time.process_time()
        assert len(next(lines(pieces))) == size
        return time.process_time() - start

    seconds(2**20)
    short, long = min(seconds(2**20) for _ in range(3)), min(seconds(2**24) for _ in range(2))
    assert long < 16 * short * 6 + 0.05
    tracemalloc.start()
    for _ in lines(itertools.islice(itertools.repeat(b'0123456789\n' * 100), 5000)):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('options', 'error', 'message'),
    [
        ({'newline': ''}, ValueError, 'newline must have 1 to 16 bytes, not 0'),
        ({'newline': 'x' * 17}, ValueError, 'newline must have 1 to 16 bytes, not 17'),
        ({'newline': 3}, TypeError, "newline must be None, str or bytes, not 'int'"),
        ({'newline': b'\xe9', 'encoding': 'latin-1'}, ValueError, 'newline must be a str if'),
        ({'newline': 'é'}, UnicodeEncodeError, 'ascii'),
        ({'encoding': 'none'}, LookupError, 'unknown encoding'),
        ({'encoding': 'hex'}, LookupError, 'is not a text encoding'),
        ({'encoding': b'utf-8'}, TypeError, "encoding must be None or a str, not 'bytes'"),
        ({'encoding': 'utf-8', 'errors': 'none'}, LookupError, 'unknown error handler'),
        ({'max_line': -1}, ValueError, 'max_line must not be negative'),
        ({'max_line': 1.5}, TypeError, 'integer'),
        ({'items': 'rows'}, ValueError, "items must be 'auto', 'lines' or 'chunks'"),
        ({'start': 3}, ValueError, 'start is not a checkpoint'),
    ],
)
def test_wrong_arguments(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        lines(io.BytesIO(), **options)


# --- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize('options', [{}, {'keepends': True}, {'encoding': 'utf-8'}])
def test_a_checkpoint_continues_after_every_line(tmp_path: Path, options: dict[str, Any]) -> None:
    data = codecs.BOM_UTF8 + b'one\r\ntwo\r\rfour\n\nsix'
    path = tmp_path / 'a.txt'
    path.write_bytes(data)
    wanted = list(lines(path, **options))
    for count in range(len(wanted) + 1):
        stream = lines(path, **options)
        assert list(itertools.islice(stream, count)) == wanted[:count]
        start = json.loads(json.dumps(stream.checkpoint()))
        stream.close()
        assert stream.checkpoint() == start
        rest = lines(path, start=start, **options)
        assert rest.line_num == count
        assert list(rest) == wanted[count:]
        assert rest.line_num == len(wanted)
        primed = lines(path, start=start, **options).prime()
        assert primed.checkpoint() == start


class OneByte(io.BytesIO):
    """So that every line end is cut."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(1)


def test_a_checkpoint_after_a_carriage_return_that_was_cut() -> None:
    stream = lines(OneByte(b'a\r\nb\r\rc'))
    assert next(stream) == b'a'
    start = stream.checkpoint()
    assert (start['offset'], start['carriage'], start['line']) == (2, True, 1)
    assert list(lines(OneByte(b'a\r\nb\r\rc'), start=start)) == [b'b', b'', b'c']


def test_a_checkpoint_after_an_error_is_before_its_line() -> None:
    data = b'one\ntoo long\n'
    stream = lines(io.BytesIO(data), max_line=5)
    with pytest.raises(DataError):
        list(stream)
    start = stream.checkpoint()
    assert list(lines(io.BytesIO(data), start=start)) == [b'too long']


def test_a_checkpoint_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'a.txt'
    path.write_bytes(b'a\nb\n')
    start = lines(path).checkpoint()
    with pytest.raises(io.UnsupportedOperation, match='a checkpoint needs'):
        lines([b'a']).checkpoint()
    with pytest.raises(io.UnsupportedOperation, match='a checkpoint needs'):
        lines(path, encoding='utf-16').checkpoint()
    for options in ({'newline': '\n'}, {'encoding': 'utf-8'}):
        with pytest.raises(ValueError, match='of another format, newline or encoding'):
            lines(path, start=start, **options)
    with pytest.raises(ValueError, match='the file has changed'):
        lines(io.BytesIO(b'a\nb\nc'), start=start)
    for key in start:
        with pytest.raises(ValueError, match='start is not a checkpoint'):
            lines(path, start={name: value for name, value in start.items() if name != key})
    with pytest.raises(ValueError, match="'offset' is negative"):
        lines(path, start={**start, 'offset': -1})


# --- async ----------------------------------------------------------------------------------------


def test_a_cancelled_step_loses_nothing() -> None:
    async def source() -> AsyncIterator[bytes]:
        for piece in (b'one\ntw', b'o\r', b'\nthr', b'ee'):
            await asyncio.sleep(0.02)
            yield piece

    async def main() -> list[bytes]:
        taken = []
        async with alines(source()) as stream:
            while True:
                try:
                    taken.append(await asyncio.wait_for(anext(stream), 0.005))
                except TimeoutError:
                    continue
                except StopAsyncIteration:
                    return taken

    assert asyncio.run(main()) == [b'one', b'two', b'three']


def test_it_closes_with_the_task_that_took_its_first_line() -> None:
    closed = []

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b'a\n'
        finally:
            closed.append(True)

    async def main() -> None:
        stream = alines(source(), close_with_task=True)

        async def take() -> None:
            await anext(stream)

        await asyncio.create_task(take())
        await asyncio.sleep(0.01)
        assert closed == [True]

    asyncio.run(main())


def test_the_examples_run() -> None:
    for type_ in (lines, alines):
        finder = doctest.DocTestFinder(recurse=False)
        for test in finder.find(type_, type_.__name__, globs={type_.__name__: type_}):
            assert test.examples
            assert doctest.DocTestRunner().run(test).failed == 0

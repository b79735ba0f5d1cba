"""Parts of one size: how a `size` that is given turns off the clock, and files by path."""

import asyncio
import gc
import os
import pathlib
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from generators import FLUSH, achunked, acsv_encode, chunked, csv_encode, jsonl_encode


def slowly(*pieces: Any) -> Iterator[Any]:
    for piece in pieces:
        time.sleep(0.15)
        yield piece


@pytest.mark.parametrize(
    ('cut', 'pieces', 'whole'),
    [
        (lambda items, **options: chunked(items, **options), [b'a', b'b', b'c'], b'abc'),
        (
            lambda items, **options: csv_encode(items, **options),
            [[1], [2], [3]],
            b'1\r\n2\r\n3\r\n',
        ),
        (lambda items, **options: jsonl_encode(items, **options), [1, 2, 3], b'1\n2\n3\n'),
    ],
)
def test_a_size_that_is_given_turns_off_the_clock(
    cut: Callable[..., Any], pieces: list[Any], whole: bytes
) -> None:
    assert list(cut(slowly(*pieces), size=1000)) == [whole]
    assert len(list(cut(slowly(*pieces)))) == 2
    assert len(list(cut(slowly(*pieces), size=1000, max_delay=0.1))) == 2
    assert list(cut(slowly(*pieces), size=1000, max_delay=None)) == [whole]


def test_flush_still_cuts_parts_of_one_size() -> None:
    assert list(chunked([b'ab', FLUSH, b'cdef'], 3)) == [b'ab', b'cde', b'f']


@pytest.mark.parametrize('make', [achunked, acsv_encode])
def test_no_timer_cuts_parts_of_one_size(make: Any) -> None:
    item: Any = b'ab' if make is achunked else ['ab']

    async def pieces() -> AsyncIterator[Any]:
        yield item
        await asyncio.sleep(0.25)
        yield item

    async def sizes(**options: Any) -> int:
        return len([chunk async for chunk in make(pieces(), **options)])

    async def use() -> list[int]:
        return await asyncio.gather(sizes(size=100), sizes(), sizes(size=100, max_delay=0.01))

    assert asyncio.run(use()) == [1, 2, 2]


# ---- files by path ----


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / 'data.bin'
    path.write_bytes(bytes(range(256)) * 40)
    return path


def open_files() -> int:
    return len(os.listdir('/proc/self/fd'))


needs_proc = pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='no /proc')


@pytest.mark.parametrize('kind', [str, pathlib.Path])
def test_a_path_is_read_in_chunks(path: pathlib.Path, kind: Any) -> None:
    parts = list(chunked(kind(path), 1000))
    assert b''.join(parts) == path.read_bytes()
    assert {len(part) for part in parts[:-1]} == {1000}


def test_any_object_with_fspath(path: pathlib.Path) -> None:
    class Bytes:
        def __fspath__(self) -> bytes:
            return os.fsencode(path)

    assert b''.join(chunked(Bytes())) == path.read_bytes()


@needs_proc
@pytest.mark.parametrize('end', ['exhausted', 'closed', 'thrown', 'dropped', 'unused'])
def test_the_file_of_a_path_is_closed(path: pathlib.Path, end: str) -> None:
    gc.collect()
    before = open_files()
    stream = chunked(path, 1000)
    assert open_files() == before + 1
    if end != 'unused':
        next(stream)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        if end == 'exhausted':
            list(stream)
        elif end == 'closed':
            stream.close()
        elif end == 'thrown':
            with pytest.raises(KeyError):
                stream.throw(KeyError)
        del stream
        gc.collect()
    assert open_files() == before


def test_a_file_object_stays_open(path: pathlib.Path) -> None:
    with open(path, 'rb') as file:
        list(chunked(file, 1000))
        assert not file.closed


def test_a_path_without_a_file(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        chunked(tmp_path / 'none')
    with pytest.raises(IsADirectoryError):
        chunked(str(tmp_path))


def test_a_text_instead_of_a_path() -> None:
    with pytest.raises(ValueError, match=r'holds a line end: pass \[text\]'):
        chunked('a,b\n1,2\n')


def test_an_fspath_that_fails() -> None:
    class Broken:
        def __fspath__(self) -> str:
            raise LookupError('no path')

    with pytest.raises(LookupError, match='no path'):
        chunked(Broken())

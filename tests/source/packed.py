"""Compressed data, and the readers that read it."""

from __future__ import annotations

import asyncio
import bz2
import gzip
import io
import lzma
import zipfile
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

try:
    from compression import zstd  # type: ignore[import-not-found]
except ImportError:
    try:
        from backports import zstd  # type: ignore[import-not-found, no-redef]
    except ImportError:
        zstd = None


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, 'w', method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


class Pipe(io.BytesIO):
    """A file that can't be sought, written or read."""

    def seekable(self) -> bool:
        return False

    def seek(self, *args: Any) -> int:
        raise io.UnsupportedOperation

    def tell(self) -> int:
        raise io.UnsupportedOperation


def zipped_as_it_comes(*members: tuple[str, bytes]) -> bytes:
    """With the sizes behind each member."""
    file = Pipe()
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def halves(pack: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda data: pack(data[: len(data) // 2]) + pack(data[len(data) // 2 :])


PACK: dict[str, Callable[[bytes], bytes]] = {
    'gzip': gzip.compress,
    'gzip of two': halves(gzip.compress),
    'gzip with zeros behind': lambda data: gzip.compress(data) + b'\0' * 700,
    'bz2': bz2.compress,
    'bz2 of two': halves(bz2.compress),
    'xz': lzma.compress,
    'xz of two': halves(lzma.compress),
    'zip': lambda data: zipped(('a.csv', data)),
    'zip, stored': lambda data: zipped(('a.csv', data), method=zipfile.ZIP_STORED),
    'zip of bz2': lambda data: zipped(('a.csv', data), method=zipfile.ZIP_BZIP2),
    'zip as it comes': lambda data: zipped_as_it_comes(('a.csv', data)),
    'zip of macOS': lambda data: zipped(('d/', b''), ('a.csv', data), ('__MACOSX/._a', b'x')),
}
if zstd is not None:
    PACK['zstd'] = zstd.compress
    PACK['zstd of two'] = halves(zstd.compress)
    PACK['zstd behind a frame to skip'] = lambda data: (
        b'\x50\x2a\x4d\x18\x03\0\0\0abc' + zstd.compress(data)
    )

NAMES = [name for name in ('gzip', 'bz2', 'xz', 'zstd', 'zip') if name in PACK]


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def cut_later(data: bytes, size: int) -> AsyncIterator[bytes]:
    for piece in cut(data, size):
        await asyncio.sleep(0)
        yield piece


def collect(stream: Any) -> list[Any]:
    async def read() -> list[Any]:
        return [item async for item in stream]

    return asyncio.run(read())

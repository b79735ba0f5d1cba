"""Decompression for the readers of sources; `src/source/unpack.c` calls it.

An unpacker gives the decompressed bytes of a source piece by piece: `next()` returns some, or
None.  There are two kinds.

Pushed
    The source is read elsewhere.  `push(data)` gives the unpacker some of it; `next()` returns
    None when it needs more.  `finish()` is called at the end of the source.
Pulled
    The unpacker reads a file.  `next()` returns None at the end, and `position` is how many
    bytes of the file stand behind what was returned.  `close()` ends it; the file stays open.

What is wrong with the data is raised as Damaged.  No piece is longer than a limit, whatever the
data is: a few bytes may decompress to gigabytes.
"""

import io
import os
import sys
import threading
import weakref
import zlib
from collections import deque
from contextlib import suppress
from importlib import import_module
from typing import Any, Protocol
from zipfile import BadZipFile, ZipFile, ZipInfo

from native_generators._packed import MAGIC

__all__ = ['Damaged', 'pull', 'push']

STEP = 1 << 17  # the most bytes of a piece that is decompressed where it is asked for
AHEAD_STEP = 1 << 20  # of one that a thread decompresses: it waits for the GIL after each
AHEAD_PIECES = 2  # that wait to be taken
READ = 1 << 17  # bytes that are read at a time
AHEAD_READ = 1 << 18
XZ_MEMORY = 1 << 28  # for the dictionary; xz -9 needs a quarter of it


class Damaged(Exception):
    """Data that can't be decompressed: what is wrong, and the offset in the source."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message, offset)


class Decompressor(Protocol):
    """As those of `bz2`, `lzma` and `compression.zstd`: for one stream, which has an end."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int) -> bytes: ...


# --- streams ------------------------------------------------------------------------------------


class Inflate:
    """zlib with the methods of a Decompressor.

    If a call fails, `rescued` is what was decompressed before the wrong byte, and `left` is how
    many bytes there are from that on.
    """

    def __init__(self, wbits: int) -> None:
        self.inner = zlib.decompressobj(wbits)
        self.rest = b''
        self.eof = False
        self.needs_input = True
        self.unused_data = b''
        self.rescued = b''
        self.left = 0

    def decompress(self, data: bytes, max_length: int) -> bytes:
        if self.rest:
            data = self.rest + data if data else self.rest
        before = self.inner.copy()
        try:
            out = self.inner.decompress(data, max_length)
        except zlib.error:
            self._rescue(before, data, max_length)
            raise
        self.rest = self.inner.unconsumed_tail
        self.eof = self.inner.eof
        # A full piece may leave bytes within zlib, with all the data consumed.
        self.needs_input = not self.rest and len(out) < max_length
        self.unused_data = self.inner.unused_data
        return out

    def _rescue(self, inner: Any, data: bytes, max_length: int) -> None:
        pieces = []
        at, step = 0, len(data)
        while step > 0:
            before = inner.copy()
            try:
                pieces.append(inner.decompress(data[at : at + step], max_length))
                at += step
            except zlib.error:
                inner = before
                step //= 2
        self.rescued = b''.join(pieces)
        self.left = len(data) - at


class Stored:
    """A member of a zip file that is not compressed."""

    def __init__(self) -> None:
        self.eof = False
        self.needs_input = True
        self.unused_data = b''

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return data


def new_gzip() -> Decompressor:
    try:
        from isal import igzip_lib
    except ImportError:
        return Inflate(31)
    inner: Decompressor = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
    return inner


def new_bz2() -> Decompressor:
    from bz2 import BZ2Decompressor

    return BZ2Decompressor()


def new_xz() -> Decompressor:
    from lzma import FORMAT_XZ, LZMADecompressor

    return LZMADecompressor(FORMAT_XZ, XZ_MEMORY)


def new_zstd() -> Decompressor:
    for name in ('compression.zstd', 'backports.zstd'):
        with suppress(ImportError):
            made: Decompressor = import_module(name).ZstdDecompressor()
            return made
    raise ImportError(
        'zstd data needs Python 3.14 or the package backports.zstd: '
        "pip install 'native-generators[compression]'"
    )


def zip_decompressor(method: int, offset: int) -> Decompressor:
    if method == 0:
        return Stored()
    if method == 8:
        return Inflate(-15)
    if method == 12:
        return new_bz2()
    if method == 93:
        return new_zstd()
    raise Damaged(f'the zip member is compressed with method {method}, which is not read', offset)


NEW = {'gzip': new_gzip, 'bz2': new_bz2, 'xz': new_xz, 'zstd': new_zstd}
PADDED = {'gzip', 'xz'}  # zeros may stand behind a stream


def failures() -> tuple[type[Exception], ...]:
    """What decompressors raise; `bz2` raises OSError, and no file is read within the call."""
    found: list[type[Exception]] = [zlib.error, OSError, EOFError, ValueError]
    for module, name in (
        ('lzma', 'LZMAError'),
        ('compression.zstd', 'ZstdError'),
        ('backports.zstd', 'ZstdError'),
        ('isal.igzip_lib', 'error'),
    ):
        if module in sys.modules:
            found.append(getattr(sys.modules[module], name))
    return tuple(found)


class Pushed:
    """All streams of a source, one after the other."""

    def __init__(self, name: str, limit: int = STEP) -> None:
        self.name = name
        self.limit = limit
        self.data = b''  # that the decompressor does not have
        self.begins = 0  # where that is in the source
        self.fed = 0  # where the last data that the decompressor has begins
        self.inner: Decompressor | None = None
        self.whole: bytes | None = None  # all that the decompressor has, if that is one piece
        self.given = 0  # bytes of the stream
        self.streams = 0
        self.failed: Damaged | None = None

    @property
    def offset(self) -> int:
        """Where the next data is in the source."""
        return self.begins + len(self.data)

    def push(self, data: bytes) -> None:
        self.data = self.data + data if self.data else data

    def next(self) -> bytes | None:
        if self.failed is not None:
            raise self.failed
        while True:
            if self.inner is None and not self._begin():
                return None
            inner = self.inner
            assert inner is not None
            if inner.needs_input and not self.data:
                return None
            try:
                out = self._decompress(inner)
            except failures() as error:
                return self._fail(inner, error)
            self.given += len(out)
            if inner.eof:
                self._end(inner)
            if out:
                return out

    def _decompress(self, inner: Decompressor) -> bytes:
        data, self.data = self.data, b''
        if data:
            self.whole = data if self.fed < 0 else None
            self.fed = self.begins
            self.begins += len(data)
        return inner.decompress(data, self.limit)

    def _begin(self) -> bool:
        """Begin the next stream.  False if more data is needed for that."""
        if self.streams > 0 and self.name in PADDED:
            rest = self.data.lstrip(b'\0')
            self.begins += len(self.data) - len(rest)
            self.data = rest
        magic = MAGIC[self.name]
        begin = self.data[: len(magic)]
        if self.name == 'zstd' and begin[1:4] == b'*M\x18'[: len(begin) - 1]:
            # A frame to be skipped, of which the last half of the first byte tells nothing.
            begin = magic[: len(begin)] if begin and begin[0] >> 4 == 5 else begin
        if not magic.startswith(begin):
            raise Damaged(
                f'no {self.name} data begins here'
                if self.streams == 0
                else f'there is other data behind the {self.name} data',
                self.begins,
            )
        if len(begin) < len(magic):
            return False
        self.inner = NEW[self.name]()
        self.given = 0
        self.fed = -1
        self.streams += 1
        return True

    def _end(self, inner: Decompressor) -> None:
        self.data = inner.unused_data + self.data
        self.begins -= len(inner.unused_data)
        self.inner = None
        self.whole = None

    def _fail(self, inner: Decompressor, error: Exception) -> bytes:
        """Raise Damaged, after what was decompressed before the wrong byte."""
        offset, rescued = self.fed, b''
        if self.name == 'gzip' and not isinstance(inner, Inflate) and self.whole is not None:
            # Only zlib tells what was right.
            again = Inflate(31)
            try:
                piece = again.decompress(self.whole, self.given + self.limit)
            except zlib.error:
                piece = again.rescued
            rescued, offset = piece[self.given :], self.begins - again.left
        elif isinstance(inner, Inflate):
            rescued, offset = inner.rescued, self.begins - inner.left
        self.failed = Damaged(f'the {self.name} data is damaged: {error}', max(offset, 0))
        self.failed.__cause__ = error
        if rescued:
            return rescued
        raise self.failed

    def finish(self) -> None:
        """Nothing more is pushed."""
        if self.failed is not None:
            raise self.failed
        if self.inner is not None or self.data or self.streams == 0:
            raise Damaged(f'the {self.name} data ends early', self.offset)

    def close(self) -> None:
        self.data = b''
        self.inner = None
        self.whole = None


# --- zip ----------------------------------------------------------------------------------------


def is_wanted(name: str) -> bool:
    """Whether a member is a file, and none that macOS adds."""
    return not name.endswith('/') and not name.startswith('__MACOSX/')


def check_office(names: list[str]) -> None:
    if '[Content_Types].xml' in names:
        raise Damaged(
            'the source is an Excel workbook (xlsx) or another Office document, not text: save '
            'it as CSV, or read it with pandas.read_excel()',
            0,
        )
    if names[:1] == ['mimetype'] and 'content.xml' in names:
        raise Damaged('the source is an OpenDocument file, not text: save it as CSV', 0)


def several(names: list[str]) -> Damaged:
    shown = ', '.join(map(repr, names[:10])) + (', ...' if len(names) > 10 else '')
    return Damaged(f'the zip file has {len(names)} members: pass member= one of {shown}', 0)


def choose(infos: list[ZipInfo], member: str | None) -> ZipInfo:
    names = [info.filename for info in infos]
    if member is not None:
        for info in infos:
            if info.filename == member:
                return info
        shown = ', '.join(map(repr, names[:10])) + (', ...' if len(names) > 10 else '')
        raise Damaged(f'the zip file has no member {member!r}, but {shown or "none at all"}', 0)
    check_office(names)
    wanted = [info for info in infos if is_wanted(info.filename)]
    if not wanted:
        raise Damaged('the zip file has no members', 0)
    if len(wanted) > 1:
        raise several([info.filename for info in wanted])
    return wanted[0]


class Member:
    """The data of one member, without its header: a Pushed for `size` bytes of it."""

    def __init__(self, method: int, begins: int, size: int | None, limit: int) -> None:
        self.inner = zip_decompressor(method, begins)
        self.begins = begins
        self.fed = begins
        self.size = size  # that is not pushed yet, or None if it is unknown
        self.limit = limit
        self.data = b''
        self.sum = 0
        self.given = 0
        self.unused = b''  # behind the member
        self.failed: Damaged | None = None

    @property
    def over(self) -> bool:
        """All of the member was given."""
        if isinstance(self.inner, Stored):
            return self.size == 0 and not self.data
        return self.inner.eof and not self.data

    def push(self, data: bytes) -> None:
        if self.size is not None:
            if len(data) > self.size:
                self.unused += data[self.size :]
                data = data[: self.size]
            self.size -= len(data)
        self.data = self.data + data if self.data else data

    def next(self) -> bytes | None:
        if self.failed is not None:
            raise self.failed
        inner = self.inner
        if self.over or (inner.needs_input and not self.data):
            return None
        data, self.data = self.data, b''
        if isinstance(inner, Stored):
            data, self.data = data[: self.limit], data[self.limit :]
        if data:
            self.fed = self.begins
            self.begins += len(data)
        try:
            out = inner.decompress(data, self.limit)
        except failures() as error:
            self._fail(inner, error)
            out = inner.rescued if isinstance(inner, Inflate) else b''
            if not out:
                assert self.failed is not None
                raise self.failed from error
        if inner.eof:
            self.unused = inner.unused_data + self.unused
            self.begins -= len(inner.unused_data)
        self.sum = zlib.crc32(out, self.sum)
        self.given += len(out)
        return out or self.next()

    def _fail(self, inner: Decompressor, error: Exception) -> None:
        offset = self.begins - inner.left if isinstance(inner, Inflate) else self.fed
        self.failed = Damaged(f'the zip member is damaged: {error}', offset)
        self.failed.__cause__ = error

    def check(self, crc: int, size: int) -> None:
        if (self.sum, self.given & 0xFFFFFFFF) != (crc, size & 0xFFFFFFFF):
            raise Damaged('the zip member is damaged: its checksum is wrong', self.begins)


class PushedZip:
    """The one member of a zip file that can't be sought in.

    The directory of a zip file is at its end.  So another member is found only behind the rows
    of the first one.
    """

    def __init__(self, member: str | None, limit: int = STEP) -> None:
        self.wanted = member
        self.limit = limit
        self.data = b''
        self.begins = 0
        self.names: list[str] = []
        self.current: Member | None = None
        self.skips = False  # the current member
        self.found = False
        self.over = False  # the directory was reached
        self.descriptor = False
        self.crc = self.size = 0

    @property
    def offset(self) -> int:
        return self.begins + len(self.data)

    def push(self, data: bytes) -> None:
        if not self.over:
            self.data = self.data + data if self.data else data

    def next(self) -> bytes | None:
        while not self.over:
            if self.current is None:
                if not self._begin():
                    return None
                continue
            if self.current.over:
                if not self._end(self.current):
                    return None
                continue
            if self.data:
                self.begins += len(self.data)
                data, self.data = self.data, b''
                self.current.push(data)
            out = self.current.next()
            if out is not None:
                if not self.skips:
                    return out
            elif not self.current.over:
                return None
        return None

    def _begin(self) -> bool:
        head = self.data
        if len(head) < 4:
            return False
        if head[:4] != b'PK\x03\x04':
            if head[:2] != b'PK':
                raise Damaged('no zip member begins here', self.begins)
            self.over = True
            self.data = b''
            return True
        if len(head) < 30:
            return False
        flags, method = number(head, 6), number(head, 8)
        name_length, extra_length = number(head, 26), number(head, 28)
        length = 30 + name_length + extra_length
        if len(head) < length:
            return False
        name = head[30 : 30 + name_length].decode('utf-8' if flags & 0x800 else 'cp437', 'replace')
        self.names.append(name)
        if self.wanted is None:
            check_office(self.names)
            if self.found and is_wanted(name):
                raise several([name for name in self.names if is_wanted(name)])
        wanted = is_wanted(name) if self.wanted is None else name == self.wanted
        if wanted and flags & 1:
            raise Damaged(f'the zip member {name!r} is encrypted', self.begins)
        self.descriptor = bool(flags & 8)
        self.crc, size, self.size = (number(head, at, 4) for at in (14, 18, 22))
        if 0xFFFFFFFF in (size, self.size):
            size = large_size(head[length - extra_length : length], size, self.size)
        if self.descriptor and method == 0:
            raise Damaged('this zip file can only be read from a path or a file', self.begins)
        self.data = head[length:]
        self.begins += length
        self.skips = not wanted or (self.found and self.wanted is not None)
        self.found |= wanted
        if self.skips and not self.descriptor:
            method = 0
        self.current = Member(method, self.begins, None if self.descriptor else size, self.limit)
        return True

    def _end(self, current: Member) -> bool:
        """Pass what is behind a member.  False if more data is needed for that."""
        self.data = current.unused + self.data
        current.unused = b''
        self.begins = current.begins
        if self.descriptor:
            signed = self.data[:4] == b'PK\x07\x08'
            # Sizes of 8 bytes are followed by the next header; those of 4 are not.
            base = 4 if signed else 0
            if len(self.data) < base + 24:
                return False
            self.crc, self.size = number(self.data, base, 4), number(self.data, base + 8, 4)
            length = base + 12
            if self.data[length : length + 2] != b'PK':
                self.size = number(self.data, base + 12, 8)
                length = base + 20
            self.data = self.data[length:]
            self.begins += length
        if not self.skips:
            current.check(self.crc, self.size)
        self.current = None
        return True

    def finish(self) -> None:
        if not self.over:
            raise Damaged('the zip data ends early', self.offset)
        if self.found:
            return
        if self.wanted is not None:
            shown = ', '.join(map(repr, self.names[:10]))
            raise Damaged(f'the zip file has no member {self.wanted!r}, but {shown}', 0)
        raise Damaged('the zip file has no members', 0)

    def close(self) -> None:
        self.data = b''
        self.current = None


def number(data: bytes, at: int, size: int = 2) -> int:
    return int.from_bytes(data[at : at + size], 'little')


def large_size(extra: bytes, packed: int, unpacked: int) -> int:
    """The size of a member's data, from the field for sizes that have more than 32 bits."""
    at = 0
    while at + 4 <= len(extra):
        length = number(extra, at + 2)
        if number(extra, at) == 1:
            begin = at + 4 + (8 if unpacked == 0xFFFFFFFF else 0)
            return number(extra, begin, 8) if packed == 0xFFFFFFFF else packed
        at += 4 + length
    return packed


# --- files --------------------------------------------------------------------------------------


class Pulled:
    """A file of streams.  `head` was read already."""

    def __init__(self, file: Any, name: str, head: bytes) -> None:
        self.file = file
        self.inner = Pushed(name)
        self.inner.push(head)
        self.position = len(head)
        self.read = READ
        self.over = False

    def set_steps(self, read: int, step: int) -> None:
        self.read = read
        self.inner.limit = step

    def next(self) -> bytes | None:
        while True:
            out = self.inner.next()
            if out is not None or self.over:
                return out
            data = self.file.read(self.read)
            if data is None:
                raise BlockingIOError(f'{self.file!r} is non-blocking and has no data available')
            self.position += len(data)
            if data:
                self.inner.push(data)
            else:
                self.over = True
                self.inner.finish()

    def close(self) -> None:
        self.inner.close()


class PulledZip:
    """One member of a zip file.  `base` is where the source begins in the file."""

    def __init__(self, file: Any, member: str | None, base: int) -> None:
        self.file = file
        self.wanted = member
        self.base = base
        self.position = 0
        self.limit = STEP
        self.read = READ
        self.size = 0
        self.inner: Member | None = None
        self.info: ZipInfo | None = None
        self.over = False

    def set_steps(self, read: int, step: int) -> None:
        self.read = read
        if self.inner is not None:
            self.inner.limit = step

    def _begin(self) -> Member:
        try:
            with ZipFile(self.file) as archive:
                info = choose(archive.infolist(), self.wanted)
        except BadZipFile as error:
            raise Damaged(f'the zip file is damaged: {error}', 0) from error
        self.size = self.file.seek(0, 2)
        self.info = info
        if info.flag_bits & 1:
            raise Damaged(f'the zip member {info.filename!r} is encrypted', info.header_offset)
        self.file.seek(info.header_offset)
        head = self.file.read(30)
        if head[:4] != b'PK\x03\x04' or len(head) < 30:
            raise Damaged('the zip file is damaged: no member begins here', info.header_offset)
        begins = info.header_offset + 30 + number(head, 26) + number(head, 28)
        self.file.seek(begins)
        self.position = begins - self.base
        return Member(info.compress_type, begins, info.compress_size, self.limit)

    def next(self) -> bytes | None:
        if self.over:
            return None
        if self.inner is None:
            self.inner = self._begin()
        inner, info = self.inner, self.info
        assert info is not None
        while True:
            out = inner.next()
            if out is not None:
                return out
            if inner.over:
                inner.check(info.CRC, info.file_size)
                self.position = self.size - self.base
                self.over = True
                return None
            data = self.file.read(min(self.read, inner.size or 0))
            if not data:
                raise Damaged('the zip member ends early', inner.begins)
            self.position += len(data)
            inner.push(data)

    def close(self) -> None:
        self.inner = None


# --- reading ahead ------------------------------------------------------------------------------

_running: 'weakref.WeakSet[Ahead]' = weakref.WeakSet()
_at_exit = False


class Ahead:
    """Another unpacker, whose pieces a thread makes before they are asked for.

    The first piece is made where it is asked for, so that who reads only a header starts no
    thread.  The thread is not a daemon.  It ends with the data, an error, `close()`, or the
    interpreter.  In a child of the process it is missing, and nothing here is touched.
    """

    def __init__(self, inner: Pulled | PulledZip) -> None:
        self.inner = inner
        self.position = 0
        self.process = os.getpid()
        self.thread: threading.Thread | None = None
        self.changed = threading.Condition()
        self.pieces: deque[tuple[bytes | None, int]] = deque()
        self.error: BaseException | None = None
        self.begun = self.closed = self.alone = False

    def next(self) -> bytes | None:
        if self.thread is None:
            if not self.begun or self.alone:
                self.begun = True
                piece = self.inner.next()
                self.position = self.inner.position
                return piece
            self._start()
            return self.next()
        if self.process != os.getpid():
            raise RuntimeError(
                'the process was forked after a reader had started a thread: the child '
                "can't go on with it"
            )
        with self.changed:
            while not self.pieces and self.error is None and not self.closed:
                self.changed.wait()
            if self.pieces:
                piece, self.position = self.pieces.popleft()
                self.changed.notify_all()
                return piece
            if self.error is None:
                raise RuntimeError('the interpreter is shutting down')
            error, self.error = self.error, None
        self.closed = True
        raise error

    def _start(self) -> None:
        self.inner.set_steps(AHEAD_READ, AHEAD_STEP)
        thread = threading.Thread(target=self._run, name='generators.unpack')
        _running.add(self)
        try:
            if _at_exit:
                raise RuntimeError
            thread.start()
        except RuntimeError:  # there is no room for a thread, or no time
            self.alone = True
            return
        self.thread = thread

    def _run(self) -> None:
        piece: bytes | None = b''
        try:
            while piece is not None:
                piece = self.inner.next()
                with self.changed:
                    while len(self.pieces) >= AHEAD_PIECES and not self.closed:
                        self.changed.wait()
                    if self.closed:
                        return
                    self.pieces.append((piece, self.inner.position))
                    self.changed.notify_all()
        except BaseException as error:
            with self.changed:
                self.error = error
                self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.closed = True
            self.changed.notify_all()

    def close(self) -> None:
        if self.process != os.getpid():
            return
        if self.thread is not None:
            self.stop()
            if self.thread is not threading.current_thread():  # where garbage is collected
                self.thread.join()
        self.pieces.clear()
        self.error = None
        self.inner.close()


def _end() -> None:
    global _at_exit
    _at_exit = True
    for ahead in list(_running):
        if ahead.process == os.getpid():
            ahead.stop()


threading._register_atexit(_end)  # type: ignore[attr-defined]


# --- for unpack.c -------------------------------------------------------------------------------


def push(name: str, member: str | None) -> Pushed | PushedZip:
    """An unpacker of a source that is read elsewhere."""
    return PushedZip(member) if name == 'zip' else Pushed(name)


def pull(
    name: str, member: str | None, file: Any, head: bytes, ahead: bool
) -> Pulled | PulledZip | Ahead | None:
    """An unpacker that reads a file or a buffer itself, or None if it must be pushed.

    `head` was read from the file already.
    """
    inner: Pulled | PulledZip
    if name == 'zip':
        if not hasattr(file, 'read'):
            inner = PulledZip(io.BytesIO(file), member, 0)
        elif getattr(file, 'seekable', bool)():
            inner = PulledZip(file, member, file.tell() - len(head))
        else:
            return None
    elif ahead:
        inner = Pulled(file, name, head)
    else:
        return None
    return Ahead(inner) if ahead else inner

"""What is written: rows as text or JSON, and the files that it goes into."""

from __future__ import annotations

import datetime as dt
import decimal
import io
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, BinaryIO

from native_generators import DataError, csv_encode
from native_generators._cli.arguments import kind_of
from native_generators._cli.trouble import Trouble

Lines = Callable[[list[Any]], bytes]


# ---- rows ----


def csv_lines(delimiter: str) -> Lines:
    def lines(rows: list[Any]) -> bytes:
        return b''.join(
            csv_encode(rows, delimiter=delimiter, lineterminator='\n', size=1 << 20, max_delay=None)
        )

    return lines


quoted = json.encoder.encode_basestring  # in C, where the interpreter has it


def float_text(value: float) -> str:
    return float.__repr__(value) if math.isfinite(value) else 'null'


# What JSON has no form of: dates are as in ISO 8601, decimals are text, nan is null.
JSON: dict[type, Callable[[Any], str]] = {
    str: quoted,
    int: int.__repr__,
    float: float_text,
    bool: lambda value: 'true' if value else 'false',
    type(None): lambda value: 'null',
    decimal.Decimal: lambda value: quoted(str(value)),
    dt.date: lambda value: quoted(value.isoformat()),
    dt.datetime: lambda value: quoted(value.isoformat()),
    dt.time: lambda value: quoted(value.isoformat()),
}


def json_texts(names: tuple[str, ...] | None, width: int) -> Callable[[Iterable[Any]], list[str]]:
    """Rows of CSV as JSON objects, or arrays where there are no names."""
    for i, name in enumerate(names or ()):
        if name in (names or ())[:i]:
            raise ValueError(f'two columns are named {name!r}: choose with --columns')
    if names is None:
        form = '[' + ','.join(['%s'] * width) + ']'
    else:
        labels = (quoted(name).replace('%', '%%') for name in names)
        form = '{' + ','.join(f'{label}:%s' for label in labels) + '}'
    of = JSON

    def texts(rows: Iterable[Any]) -> list[str]:
        return [form % tuple([of[type(cell)](cell) for cell in row]) for row in rows]

    return texts


def json_lines(texts: Callable[[Iterable[Any]], list[str]]) -> Lines:
    def lines(rows: list[Any]) -> bytes:
        return ''.join([f'{text}\n' for text in texts(rows)]).encode()

    return lines


class JSONArray:
    """One array, an element a line."""

    def __init__(self, texts: Callable[[Iterable[Any]], list[str]]) -> None:
        self.texts = texts
        self.begun = False

    def __call__(self, rows: list[Any]) -> bytes:
        if not rows:
            return b''
        begin = ',\n' if self.begun else '[\n'
        self.begun = True
        return (begin + ',\n'.join(self.texts(rows))).encode()

    def end(self) -> bytes:
        return b'\n]\n' if self.begun else b'[]\n'


# ---- files ----


def compressor(suffix: str, file: BinaryIO, path: str) -> BinaryIO:
    """A file that compresses into another, as the suffix says."""
    if suffix == '.zst':
        for name in ('compression.zstd', 'backports.zstd'):
            try:
                return import_module(name).ZstdFile(file, 'wb')  # type: ignore[no-any-return]
            except ImportError:
                pass
        raise Trouble(f"{path}: it needs zstandard: pip install 'native-generators[compression]'")
    if suffix == '.gz':
        return import_module('gzip').GzipFile('', 'wb', 6, file)  # type: ignore[no-any-return]
    module, name = {'.bz2': ('bz2', 'BZ2File'), '.xz': ('lzma', 'LZMAFile')}[suffix]
    return getattr(import_module(module), name)(file, 'wb')  # type: ignore[no-any-return]


class Output:
    """Whole lines, written at once; opened by begin(), and not touched before."""

    def __init__(self, path: str | None, resumed_at: int | None, compresses: bool = False) -> None:
        self.path = path
        self.resumed_at = resumed_at
        self.written = resumed_at or 0
        self.suffix = kind_of(path)[1] if path is not None and compresses else None
        self.descriptor: int | None = None
        self.compressed: BinaryIO | None = None

    def begin(self) -> None:
        if self.descriptor is not None:
            return
        if self.path is None:
            if sys.stdout is None:
                raise Trouble('stdout is closed')
            self.descriptor = sys.stdout.fileno()
            return
        flags = os.O_RDWR | os.O_CREAT | getattr(os, 'O_BINARY', 0)
        self.descriptor = os.open(self.path, flags, 0o666)
        size = os.fstat(self.descriptor).st_size
        if self.resumed_at is not None and size < self.resumed_at:
            raise Trouble(f'{self.path}: it is shorter than when the run stopped')
        try:
            os.ftruncate(self.descriptor, self.resumed_at or 0)
        except OSError:
            if self.resumed_at is not None:
                raise  # a pipe or a device has no length, and needs none
        if self.resumed_at:
            os.lseek(self.descriptor, self.resumed_at, os.SEEK_SET)
        if self.suffix is not None:
            raw = io.FileIO(self.descriptor, 'wb', closefd=False)
            self.compressed = compressor(self.suffix, raw, self.path)

    def write(self, data: bytes) -> None:
        if not data:
            return
        self.begin()
        if self.compressed is not None:
            self.compressed.write(data)
            return
        assert self.descriptor is not None
        view = memoryview(data)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self.written += len(data)

    def size(self) -> int:
        """Of what is safely there."""
        if self.descriptor is not None:
            os.fsync(self.descriptor)
        return self.written

    def close(self) -> None:
        try:
            if self.compressed is not None:
                self.compressed.close()
        finally:
            if self.path is not None and self.descriptor is not None:
                os.close(self.descriptor)
            self.descriptor = None


REASONS = ('file', 'record', 'line', 'column', 'reason')


class Rejects:
    """Records that can't be read, as they stood in the file; and, for each, why."""

    def __init__(
        self,
        path: str | None,
        resumed_at: int | None = None,
        reasons: str | None = None,
        reasons_resumed_at: int | None = None,
    ) -> None:
        self.file = None if path is None else Output(path, resumed_at)
        self.reasons = None if reasons is None else Output(reasons, reasons_resumed_at)
        self.count = 0
        self.count_written = 0
        self.first = ''
        self.pending: list[bytes] = []
        self.pending_reasons: list[tuple[Any, ...]] = []
        self.name = ''
        self.lines = csv_lines(',')

    def begin(self, name: str) -> None:
        """Before the records of that file."""
        self.name = name
        if self.file is not None:
            self.file.begin()
        if self.reasons is not None:
            self.reasons.begin()
            if self.reasons.written == 0 and not self.pending_reasons:
                self.reasons.write(self.lines([REASONS]))

    def take(self, error: DataError, raw: bytes) -> None:
        self.first = self.first or str(error)
        self.count += 1
        self.pending.append(raw if raw.endswith((b'\n', b'\r')) else raw + b'\n')
        if self.reasons is not None:
            record = getattr(error, 'record', None)
            column = getattr(error, 'column', None)
            reason = '; '.join([str(error), *getattr(error, '__notes__', ())])
            self.pending_reasons.append((self.name, record, error.line, column, reason))

    def write(self) -> None:
        if self.file is not None and self.pending:
            self.file.write(b''.join(self.pending))
        if self.reasons is not None and self.pending_reasons:
            self.reasons.write(self.lines(list(self.pending_reasons)))
        self.pending = []
        self.pending_reasons = []
        self.count_written = self.count

    def sizes(self) -> tuple[int, int]:
        return tuple(0 if file is None else file.size() for file in (self.file, self.reasons))  # type: ignore[return-value]

    def close(self) -> None:
        for file in (self.file, self.reasons):
            if file is not None:
                file.close()

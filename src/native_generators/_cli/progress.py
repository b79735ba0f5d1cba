"""Input files of the command line, and how far they were read, on the terminal.

A bar of tqdm where that is installed (the ``cli`` extra), else a line of text.
"""

from __future__ import annotations

import importlib
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from native_generators._packed import packed

SECONDS = 0.2  # between two lines of text
MODULES = {'gzip': 'gzip', 'bz2': 'bz2', 'xz': 'lzma'}  # whose files can be sought


class Stream:
    """A pipe, whose beginning can be read twice."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.begin: list[bytes] | None = []
        self.again: list[bytes] = []

    def read(self, size: int = -1) -> bytes:
        if self.again:
            return self.again.pop(0)
        data: bytes = self.file.read1(size)  # type: ignore[attr-defined]
        if self.begin is not None:
            self.begin.append(data)
        return data

    def rewind(self) -> None:
        if self.begin is not None:
            self.again = [data for data in self.begin if data]
            self.begin = None


class Source:
    """An input file: what readers take, and how many of its bytes there are."""

    def __init__(self, name: str, file: BinaryIO, seekable: bool) -> None:
        self.name = 'stdin' if name == '-' else name
        self.file = file
        status = os.fstat(file.fileno())
        self.regular = stat.S_ISREG(status.st_mode) and name != '-'
        self.total = status.st_size if status.st_size > 0 and file.seekable() else None
        self.path = name
        self.seekable = seekable
        self.stream = None if self.regular else Stream(file)
        self.data: Any = self.stream or self.opened()

    def first(self) -> Any:
        """What a reader takes of which only the beginning is wanted."""
        return self.stream or self.path

    def rest(self) -> Any:
        """What the reader takes that reads it all, also after first()."""
        if self.stream is not None:
            self.stream.rewind()
        return self.data

    def opened(self) -> Any:
        """The path; or where it must be resumed, if it is compressed, a file that can be sought."""
        if self.seekable:
            beginning = self.file.read(6)
            self.file.seek(0)
            module = MODULES.get(packed(beginning) or '')
            if module is not None:
                return importlib.import_module(module).open(self.file)
        return self.path

    def position(self, rows: Any) -> int:
        """How many bytes, compressed as they may be, were read."""
        if self.data is not self.path:
            try:
                return self.file.tell()
            except OSError:
                pass  # a pipe has no position
        return rows.bytes_read or 0

    def close(self) -> None:
        if self.data is not self.path and self.stream is None:
            self.data.close()


@contextmanager
def opened(name: str, seekable: bool = False) -> Iterator[Source]:
    """A file, or stdin if it is ``-``.  `seekable`: it must be possible to resume it."""
    if name == '-':
        yield Source(name, sys.stdin.buffer, seekable)
        return
    with open(name, 'rb') as file:
        source = Source(name, file, seekable)
        try:
            yield source
        finally:
            source.close()


class Line:
    """What tqdm would show, in short."""

    def __init__(self, source: Source, rows: Any) -> None:
        self.source = source
        self.rows = rows
        self.shown_at = 0.0
        self.began = time.monotonic()

    def update(self) -> None:
        now = time.monotonic()
        if now - self.shown_at >= SECONDS:
            self.shown_at = now
            self.show(now)

    def show(self, now: float) -> None:
        done, total = self.source.position(self.rows), self.source.total
        speed = done / 1e6 / max(now - self.began, 1e-9)
        share = f'{100 * done // total}%' if total else f'{done / 1e6:.0f} MB'
        print(f'\r{self.source.name}: {share}, {speed:.0f} MB/s ', end='', file=sys.stderr)
        sys.stderr.flush()

    def close(self) -> None:
        self.show(time.monotonic())
        print(file=sys.stderr)


class Bar:
    def __init__(self, source: Source, rows: Any, tqdm: Any) -> None:
        self.source = source
        self.rows = rows
        self.bar = tqdm(
            desc=source.name, total=source.total, unit='B', unit_scale=True, file=sys.stderr
        )

    def update(self) -> None:
        self.bar.update(self.source.position(self.rows) - self.bar.n)

    def close(self) -> None:
        self.update()
        self.bar.close()


def bar_of(source: Source, rows: Any) -> Line | Bar:
    try:
        tqdm = importlib.import_module('tqdm').tqdm
    except ImportError:
        return Line(source, rows)
    return Bar(source, rows, tqdm)


@contextmanager
def shown(source: Source, rows: Any, wanted: bool | None) -> Iterator[Callable[[], None]]:
    """A function to be called now and then; `wanted` is None for a terminal alone."""
    if not (sys.stderr.isatty() if wanted is None else wanted):
        yield lambda: None
        return
    bar = bar_of(source, rows)
    try:
        yield bar.update
    finally:
        bar.close()

"""Input files of the command line, and how far they were read, on the terminal.

A bar of tqdm where that is installed (the ``cli`` extra), else a line of text.
"""

from __future__ import annotations

import gzip
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

SECONDS = 0.2  # between two lines of text


class Source:
    """A file opened, and how many of its bytes, compressed as they may be, were read."""

    def __init__(self, name: str, file: Any, raw: BinaryIO) -> None:
        self.name = name
        self.file = file
        self.raw = raw
        self.total: int | None = None
        status = os.fstat(raw.fileno())
        if raw.seekable() and status.st_size > 0:
            self.total = status.st_size

    def position(self) -> int:
        try:
            return self.raw.tell()
        except OSError:
            return 0  # a pipe has none


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """By its name: ``-`` is stdin, and what ends in ``.gz`` is unpacked."""
    if name == '-':
        yield Source('stdin', sys.stdin.buffer, sys.stdin.buffer)
        return
    with open(name, 'rb') as raw:
        if not name.endswith('.gz'):
            yield Source(name, raw, raw)
            return
        with gzip.open(raw) as file:
            yield Source(name, file, raw)


class Line:
    """What tqdm would show, in short."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.shown_at = 0.0
        self.began = time.monotonic()

    def update(self) -> None:
        now = time.monotonic()
        if now - self.shown_at >= SECONDS:
            self.shown_at = now
            self.show(now)

    def show(self, now: float) -> None:
        done, total = self.source.position(), self.source.total
        speed = done / 1e6 / max(now - self.began, 1e-9)
        share = f'{100 * done // total}%' if total else f'{done / 1e6:.0f} MB'
        print(f'\r{self.source.name}: {share}, {speed:.0f} MB/s ', end='', file=sys.stderr)
        sys.stderr.flush()

    def close(self) -> None:
        self.show(time.monotonic())
        print(file=sys.stderr)


class Bar:
    def __init__(self, source: Source, tqdm: Any) -> None:
        self.source = source
        self.bar = tqdm(
            desc=source.name, total=source.total, unit='B', unit_scale=True, file=sys.stderr
        )

    def update(self) -> None:
        self.bar.update(self.source.position() - self.bar.n)

    def close(self) -> None:
        self.update()
        self.bar.close()


def bar_of(source: Source) -> Line | Bar:
    try:
        tqdm = importlib.import_module('tqdm').tqdm
    except ImportError:
        return Line(source)
    return Bar(source, tqdm)


@contextmanager
def shown(source: Source, wanted: bool) -> Iterator[Callable[[], None]]:
    """A function to be called now and then."""
    if not wanted:
        yield lambda: None
        return
    bar = bar_of(source)
    try:
        yield bar.update
    finally:
        bar.close()

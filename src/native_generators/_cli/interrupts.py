"""Ctrl-C is heeded while reading and put off while writing: the output ends with a whole line."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from types import FrameType
from typing import Any

BATCH = 500  # rows that are read before they are written


class Interrupts:
    """Ctrl-C raises KeyboardInterrupt while rows are read; otherwise it waits for that.

    Its handler stays: what comes when the run is over finds the process ending.
    """

    def __init__(self) -> None:
        self.reading = False
        self.pending = False
        self.over = False

    def __enter__(self) -> Interrupts:
        signal.signal(signal.SIGINT, self.handle)
        return self

    def __exit__(self, *_: object) -> None:
        self.over = True

    def handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.over:
            return
        if self.reading or self.pending:  # the second one does not wait
            raise KeyboardInterrupt
        self.pending = True

    def read(self, rows: Iterator[Any], most: int) -> tuple[list[Any], BaseException | None]:
        """Some rows, and what ended them before there were `most` of them."""
        batch: list[Any] = []
        try:
            with self.heeded():
                batch.extend(islice(rows, most))  # rows before a failure stay in it
        except BaseException as e:
            return batch, e
        return batch, None

    @contextmanager
    def heeded(self) -> Iterator[None]:
        self.reading = True
        try:
            if self.pending:
                raise KeyboardInterrupt
            yield
        finally:
            self.reading = False

"""A loop whose clock goes on by itself: nothing sleeps, and what hangs is told at once."""

from __future__ import annotations

import asyncio
import selectors
from typing import Any


class Stuck(AssertionError):
    """All wait, and there is nothing that could wake them."""


class Selector(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Waits for no time: the clock is put forward instead."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is None:
            raise Stuck
        self.now += timeout
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """Without threads, what runs on it runs in the same way each time."""

    def __init__(self) -> None:
        self.selector = Selector()
        super().__init__(self.selector)

    def time(self) -> float:
        return self.selector.now

"""Async sources that tell what happens to them, and a check that nothing is left of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import pytest


class Failed(Exception):
    """What a source of these tests raises."""


async def count(length: int, pause: float | None = None) -> AsyncIterator[int]:
    for i in range(length):
        if pause is not None:
            await asyncio.sleep(pause)
        yield i


class Source(AsyncGenerator[int, None]):
    """Numbers; then the end, an error, or a wait for ever."""

    def __init__(
        self,
        length: int,
        pause: float | None = None,
        fails: bool = False,
        blocks: bool = False,
        closing_error: Exception | None = None,
    ) -> None:
        self.length = length
        self.pause = pause
        self.fails = fails
        self.blocks = blocks
        self.closing_error = closing_error
        self.asked = self.given = self.cancelled = 0
        self.closed: list[int] = []  # the threads
        self.done = threading.Event()

    async def __anext__(self) -> int:
        assert not self.closed
        self.asked += 1
        if self.pause is not None:
            await asyncio.sleep(self.pause)
        if self.given < self.length:
            self.given += 1
            return self.given - 1
        if self.fails:
            raise Failed('in next')
        if self.blocks:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
        raise StopAsyncIteration

    async def asend(self, value: Any) -> int:
        raise AssertionError

    async def athrow(self, *args: Any) -> int:
        raise AssertionError

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.closed.append(threading.get_ident())
        self.done.set()
        if self.closing_error is not None:
            raise self.closing_error


@contextmanager
def running_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs in a thread; at the end no task is left on it and it said nothing."""
    loop = asyncio.new_event_loop()
    said: list[dict[str, Any]] = []
    loop.set_exception_handler(lambda _, context: said.append(context))
    thread = threading.Thread(target=loop.run_forever, name='a loop of the tests')
    thread.start()
    try:
        yield loop
        assert tasks_of(loop) == []
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
    assert said == []


def tasks_of(loop: asyncio.AbstractEventLoop) -> list[str]:
    """Names of the tasks that are left when all that are about to end have ended."""

    async def look() -> list[str]:
        names: list[str] = []
        for _ in range(50):
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            names = [task.get_name() for task in tasks if task.get_name() == 'generators.to_sync']
            if not names:
                break
            await asyncio.sleep(0.002)
        return names

    return asyncio.run_coroutine_threadsafe(look(), loop).result(20)


@pytest.fixture
def nothing_left() -> Iterator[None]:
    """No thread beyond the one of the background loop, no task on it, and it says nothing."""
    from native_generators import _background

    said: list[dict[str, Any]] = []
    loop = _background.loop()
    loop.set_exception_handler(lambda _, context: said.append(context))
    threads = set(threading.enumerate())
    yield
    assert tasks_of(loop) == []
    assert set(threading.enumerate()) - threads == set()
    assert said == []
    loop.set_exception_handler(None)

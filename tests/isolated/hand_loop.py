"""An event loop that survives memory that runs out.

asyncio's own would lose a task whose step it can't schedule, and wait for it for ever; this one has
memory for all that it does itself.  The tasks on it are asyncio's, and their steps have none.
"""

from __future__ import annotations

import asyncio
import collections
import heapq
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

from tests.isolated.out_of_memory import load

hook = load()


class Watched(Coroutine[Any, Any, Any]):
    """A coroutine with memory that runs out."""

    def __init__(self, coroutine: Any) -> None:
        self.coroutine = coroutine

    def send(self, value: Any) -> Any:
        return hook.run(self.coroutine.send, value)

    def throw(self, *exception: Any) -> Any:
        return hook.run(self.coroutine.throw, *exception)

    def close(self) -> None:
        self.coroutine.close()

    def __await__(self) -> Any:
        return self


class Future(asyncio.Future[Any]):
    """Whom it wakes is woken: asyncio's forgets a callback that it had no memory to schedule."""

    def set_result(self, result: Any) -> None:
        was = hook.turn(False)
        try:
            super().set_result(result)
        finally:
            hook.turn(was)


class Stuck(MemoryError):
    """All wait, and nobody will wake them: there was no memory to do it."""


class HandLoop(asyncio.AbstractEventLoop):
    def __init__(self, idle: float = 1) -> None:
        was = hook.turn(False)
        self._ready: collections.deque[asyncio.Handle] = collections.deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._changed = threading.Condition()
        self._closed = False
        self._running = False
        self._idle = idle
        self._count = 0
        self.lost: list[Any] = []
        hook.turn(was)

    # ---- what is called by others, perhaps with no memory ----

    def _add(self, callback: Callable[..., Any], args: Any, context: Context | None) -> Any:
        if self._closed:
            raise RuntimeError('Event loop is closed')
        handle = asyncio.Handle(callback, args, self, context)
        with self._changed:
            self._ready.append(handle)
            self._changed.notify()
        return handle

    def call_soon(
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        was = hook.turn(False)
        try:
            return self._add(callback, args, context)
        finally:
            hook.turn(was)

    call_soon_threadsafe = call_soon

    def call_later(
        self, delay: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Any:
        was = hook.turn(False)
        try:
            when = self.time() + delay
            handle = asyncio.TimerHandle(when, callback, args, self, context)
            self._count += 1
            heapq.heappush(self._timers, (when, self._count, handle))
            return handle
        finally:
            hook.turn(was)

    def create_future(self) -> Any:
        was = hook.turn(False)
        try:
            return Future(loop=self)
        finally:
            hook.turn(was)

    def create_task(self, coro: Any, **options: Any) -> Any:
        was = hook.turn(False)
        try:
            return asyncio.Task(Watched(coro), loop=self, **options)
        finally:
            hook.turn(was)

    def get_task_factory(self) -> Any:
        return HandLoop.create_task  # any: then create_task() is called

    def call_exception_handler(self, context: Any) -> None:
        was = hook.turn(False)
        self.lost.append(context)
        hook.turn(was)

    def time(self) -> float:
        return time.monotonic()

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return self._running

    def is_closed(self) -> bool:
        return self._closed

    def _timer_handle_cancelled(self, handle: Any) -> None:
        pass

    # ---- what its owner does ----

    def close(self) -> None:
        self._closed = True
        self._ready.clear()
        self._timers.clear()

    def _next(self) -> asyncio.Handle | None:
        """What is to be run, once there is something; None where that takes too long."""
        until = time.monotonic() + (self._idle if threading.active_count() > 1 else 0)
        with self._changed:
            while True:
                now = self.time()
                while self._timers and self._timers[0][2].cancelled():
                    heapq.heappop(self._timers)
                if self._timers and self._timers[0][0] <= now:
                    return heapq.heappop(self._timers)[2]
                if self._ready:
                    return self._ready.popleft()
                left = self._timers[0][0] - now if self._timers else until - now
                if left <= 0:
                    return None
                self._changed.wait(left)

    def _run(self, main: Any) -> Any:
        stuck = False
        while not main.done():
            handle = self._next()
            if handle is None:
                assert not stuck, 'it is stuck, and can not be cancelled'
                stuck = True
                hook.fail(sys.maxsize, 0)  # there is memory again
                main.cancel()
            elif not handle.cancelled():
                handle._run()
        if stuck:
            raise Stuck
        return main.result()

    def run_until_complete(self, future: Any) -> Any:
        was = hook.turn(False)
        self._running = True
        asyncio.events._set_running_loop(self)
        try:
            return self._run(self.create_task(future))
        finally:
            self._running = False
            asyncio.events._set_running_loop(None)
            hook.turn(was)

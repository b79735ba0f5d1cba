"""A peer of several benchmarks: a bridge from a blocking iterable, written by hand."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterable
from itertools import islice


async def pump(source: Iterable[object], size: int) -> AsyncIterator[object]:
    """A good bridge in plain Python: a thread, batches, one wake-up for each; bounded."""
    loop = asyncio.get_running_loop()
    batches: deque[list[object]] = deque()
    ready = asyncio.Event()
    room = threading.Semaphore(2)

    def work() -> None:
        iterator = iter(source)
        while True:
            room.acquire()
            batch = list(islice(iterator, size))
            batches.append(batch)
            loop.call_soon_threadsafe(ready.set)
            if not batch:
                return

    thread = threading.Thread(target=work)
    thread.start()
    while True:
        while not batches:
            ready.clear()
            if not batches:
                await ready.wait()
        batch = batches.popleft()
        room.release()
        if not batch:
            break
        for item in batch:
            yield item
    thread.join()

"""Streams that are torn down in any state: python -m tests.isolated.teardown exit|unload [KIND]

Those that have threads or tasks.

At the exit of the interpreter, or when the extension was unloaded and is collected, the collector
clears types and objects in any order.  What an object does then must not need its type.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import sys
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from tests.isolated.unload import forget_coroutines

NATIVE = 'native_generators._native'
COUNT = 50


def counted() -> Iterator[Any]:
    try:
        for i in range(COUNT):
            time.sleep(0.0002)
            yield [i]
    finally:
        time.sleep(0)


async def acounted() -> AsyncIterator[Any]:
    try:
        for i in range(COUNT):
            await asyncio.sleep(0.0002)
            yield [i]
    finally:
        await asyncio.sleep(0)


class FullExecutor:
    """Its places never have their turn."""

    def submit(self, *call: Any) -> Future[None]:
        return Future()


def asynchronous(**options: Any) -> Callable[[Any], Any]:
    return lambda module: module.to_async(counted(), **options)


def synchronous(**options: Any) -> Callable[[Any], Any]:
    return lambda module: module.to_sync(acounted(), **options)


async def echo(item: Any) -> Any:
    await asyncio.sleep(0.0002)
    return item


KINDS: dict[str, Callable[[Any], Any]] = {
    'to_async': asynchronous(),
    'to_async of one item at a time': asynchronous(buffersize=0),
    'to_async of a callable': lambda module: module.to_async(counted),
    'to_async in a full executor': asynchronous(executor=FullExecutor()),
    'to_async without a thread': asynchronous(thread=False),
    'to_sync': synchronous(timeout=0.001),
    'to_sync of one item at a time': synchronous(buffersize=0, timeout=0.001),
    'to_sync of a callable': lambda module: module.to_sync(acounted, timeout=0.001),
    'amap': lambda module: module.amap(echo, range(COUNT)),
    'amap of an async source': lambda module: module.amap(echo, acounted(), concurrency=2),
    'amerge': lambda module: module.amerge(acounted(), acounted()),
    'amerge until the first': lambda module: module.amerge(acounted(), acounted(), until='first'),
    'map_threads': lambda module: module.map_threads(str, counted()),
}


def begin(awaitable: Any) -> Any:
    """Send into it once, and leave it there."""
    with suppress(StopIteration, StopAsyncIteration):
        awaitable.send(None)
    return awaitable


async def async_states(make: Callable[[], Any], is_full: bool) -> list[Any]:
    async def begun() -> Any:
        stream = make()
        if not is_full:
            await anext(stream)
        return stream

    async def left(step: str) -> Any:
        stream = await begun()
        return stream, begin(getattr(stream, step)())

    async def closed() -> Any:
        stream = await begun()
        await stream.aclose()
        return stream

    async def waited_for() -> Any:
        stream = await begun()
        task = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        return stream, task

    new = make()
    never_sent = make()
    return [
        new,
        (never_sent, never_sent.__anext__()),
        begin(make().__anext__()),
        await begun(),
        await left('__anext__'),
        await left('aclose'),
        await waited_for(),
        await closed(),
    ]


def sync_states(make: Callable[[], Any]) -> list[Any]:
    def take(stream: Any) -> Any:
        while True:
            try:
                next(stream)
            except TimeoutError:
                continue
            return stream

    def time_out(stream: Any, act: Callable[[Any], Any]) -> Any:
        with suppress(TimeoutError):
            act(stream)
        return stream

    return [
        make(),
        take(make()),
        time_out(make(), next),
        time_out(take(make()), next),
        time_out(take(make()), lambda stream: stream.close()),
    ]


def wait_for_workers() -> None:
    """Those that read to the end: nothing but the streams holds them then."""
    for thread in threading.enumerate():
        if thread.name == 'to_async':
            thread.join(20)


def make_states(kind: str) -> list[Any]:
    """Objects in each state, within a cycle, whose loop will not run again."""
    module = importlib.import_module('generators')

    def make() -> Any:
        return KINDS[kind](module)

    if kind.startswith(('to_sync', 'map_threads')):
        states: list[Any] = sync_states(make)
    else:
        loop = asyncio.new_event_loop()
        loop.set_exception_handler(lambda loop, context: None)
        states = loop.run_until_complete(async_states(make, 'full' in kind))
        if 'one item' not in kind:
            wait_for_workers()
        loop.close()
    states.append(states)
    return states


def unload(kind: str) -> bool:
    """Whether the extension went."""
    states = make_states(kind)
    reference = weakref.ref(sys.modules[NATIVE])
    for name in [
        name for name in sys.modules if name.split('.')[0] in ('generators', 'native_generators')
    ]:
        del sys.modules[name]
    del states
    until = time.monotonic() + 20
    while reference() is not None and time.monotonic() < until:
        forget_coroutines()
        gc.collect()
        time.sleep(0.002)  # a stream that was dropped does not wait for its threads
    return reference() is None


kept: list[Any] = []


def main(how: str, *kinds: str) -> None:
    gc.disable()
    for kind in kinds or KINDS:
        if how == 'exit':
            kept.append(make_states(kind))
        else:
            assert unload(kind), kind
    print('done')


if __name__ == '__main__':
    main(*sys.argv[1:])

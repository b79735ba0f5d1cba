"""Mistakes with events, subscribers and the command line: each raises, or ends with, a message."""

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from generators import Broadcast, Dispatcher


async def async_handler(data: Any) -> None:
    pass


async def noop() -> None:
    pass


def closed_dispatcher() -> None:
    d = Dispatcher()
    d.close()
    d.emit('a', 1)


def async_handler_in_plain_code() -> None:
    d = Dispatcher()
    d.on('a', async_handler)
    d.emit('a', 1)


def async_error_handler() -> None:
    d = Dispatcher()
    d.on('a', lambda data: 1 / 0)
    d.on('error', async_handler)
    d.emit('a', 1)


def handler_that_is_a_coroutine() -> None:
    coroutine = noop()
    try:
        Dispatcher().on('a', coroutine)  # type: ignore[call-overload]
    finally:
        coroutine.close()


def handler_that_has_ended() -> None:
    ended = (i for i in ())
    list(ended)
    Dispatcher().on('a', ended)


def no_loop_for_a_thread() -> None:
    Dispatcher().emit_threadsafe('a', 1)


def no_loop_for_the_background() -> None:
    d = Dispatcher()
    d.on('a', async_handler, background=True)
    d.emit('a', 1)


def buffer_without_background() -> None:
    Dispatcher().on('a', async_handler, buffersize=1)  # type: ignore[call-overload]


async def waiting_in_a_handler() -> None:
    async with Dispatcher() as d:

        @d.on('a')
        async def handle(data: Any) -> None:
            await d.wait_for('b')

        await d.aemit('a', 1)


async def reading_in_a_handler() -> None:
    async with Dispatcher() as d:
        stream = d.subscribe('a')

        @d.on('b')
        async def handle(data: Any) -> None:
            await anext(stream)

        await d.aemit('b', 1)


async def no_event_in_time() -> None:
    async with Dispatcher() as d:
        await d.wait_for('a', timeout=0)


async def background_handler_is_full() -> None:
    d = Dispatcher()
    d.on('a', async_handler, background=True, buffersize=1)
    try:
        d.emit('a', 1)
        d.emit('a', 2)
    finally:
        await d.aclose()


def closed_broadcast() -> None:
    b = Broadcast[int]()
    b.close()
    b.publish(1)


async def subscriber_is_full() -> None:
    b = Broadcast[int](buffersize=1, on_full='wait')
    stream = b.subscribe()
    b.publish(1)
    try:
        b.publish(2)
    finally:
        await stream.aclose()


async def subscriber_is_too_slow() -> None:
    b = Broadcast[int](buffersize=1, on_full='close')
    stream = b.subscribe()
    b.publish(1)
    b.publish(2)
    await anext(stream)
    await anext(stream)


async def waiting_on_the_thread_of_the_loop() -> None:
    with Broadcast[int]().subscribe_sync() as stream:
        next(stream)


def no_item_in_time() -> None:
    b = Broadcast[int]()
    with b.subscribe_sync(timeout=0.001) as stream:
        next(stream)


PLAIN: tuple[Callable[[], object], ...] = (
    closed_dispatcher,
    async_handler_in_plain_code,
    async_error_handler,
    handler_that_is_a_coroutine,
    handler_that_has_ended,
    no_loop_for_a_thread,
    no_loop_for_the_background,
    buffer_without_background,
    closed_broadcast,
    no_item_in_time,
)
ASYNC: tuple[Callable[[], Any], ...] = (
    waiting_in_a_handler,
    reading_in_a_handler,
    no_event_in_time,
    background_handler_is_full,
    subscriber_is_full,
    subscriber_is_too_slow,
    waiting_on_the_thread_of_the_loop,
)
CALLS: tuple[Callable[[], object], ...] = (
    *PLAIN,
    *((lambda one=one: asyncio.run(one())) for one in ASYNC),
)
NAMES = tuple(call.__name__ for call in (*PLAIN, *ASYNC))

FILE, TARGET, LINES = 'a.csv', 'b.csv', 'b.jsonl'
COMMANDS = (
    [TARGET],
    [FILE, '--columns', 'nobody'],
    [FILE, '--null', 'NA'],
    [FILE, '--changed', 'append'],
    [FILE, '--reject-reasons', 'why.csv'],
    ['-', '--sniff'],
    [FILE, '--resume', 'run.json'],
    ['-', '--resume', 'run.json', '--output', TARGET],
    [FILE, '--resume', 'run.json', '--output', TARGET, '--head', '1'],
    [FILE, '--resume', 'run.json', '--output', TARGET + '.gz'],
    [FILE, '--output', FILE],
    [FILE, LINES],
    [FILE, '--where', 'people'],
    [FILE, '--where', 'people>many', '--types', 'people=int'],
    [FILE, '--types', 'people=number'],
    [FILE, '--types', 'people'],
    ['split', '-'],
    ['split', FILE, '--output', 'part'],
)


def said_by(arguments: list[str], folder: Any) -> str:
    """What the command says when it refuses these."""
    (folder / FILE).write_text('city,people\nOslo,709037\n')
    names = (FILE, TARGET, f'{TARGET}.gz', LINES)
    arguments = [str(folder / one) if one in names else one for one in arguments]
    done = subprocess.run(
        [sys.executable, '-m', 'generators', *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 2, done
    last = done.stderr.decode().replace('\r\n', '\n').strip().split('\n')[-1]
    return last.removeprefix('generators: ')

"""Dispatcher against an if-elif loop of send(), a dict by hand, pyee and blinker, in one process.

    python benchmarks/events.py [--events 100000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from typing import Any

from measure import (
    Row,
    Skipped,
    Suite,
    Work,
    at_most,
    compared,
    medians,
    milliseconds,
    package,
)

from generators import Dispatcher, Event

TYPES = 'message', 'connection', 'disconnection'

suite = Suite(__doc__, events=100_000)
options = suite.options


def handle() -> Generator[None, Any, None]:
    """What the article's handlers are, but that they print nothing."""
    while True:
        _ = yield


def primed() -> Generator[None, Any, None]:
    generator = handle()
    next(generator)
    return generator


@dataclass(slots=True)
class Slots:
    type: str
    data: Any


@dataclass
class Plain:
    type: str
    data: Any


# ---- what is measured ----


def article(events: list[Any]) -> None:
    messages, connections, disconnections = primed(), primed(), primed()
    for event in events:
        if event.type == 'message':
            messages.send(event.data)
        elif event.type == 'connection':
            connections.send(event.data)
        elif event.type == 'disconnection':
            disconnections.send(event.data)


def by_dispatcher(events: list[Any]) -> None:
    d = Dispatcher()
    for type in TYPES:
        d.on(type, handle)
    d.run(events)


@suite.measurement
def run() -> Iterator[Row]:
    kinds: tuple[tuple[str, Callable[[str, Any], Any]], ...] = (
        ('Event, a named tuple', Event),
        ('a dataclass with slots', Slots),
        ('a dataclass', Plain),
    )
    for name, make in kinds:
        events = [make(TYPES[n % 3], n) for n in range(options.events)]
        theirs, ours = medians(
            [lambda e=events: article(e), lambda e=events: by_dispatcher(e)],  # type: ignore[misc]
            options.rounds,
        )
        yield compared(f'run(events) of {name}', "the article's if-elif", theirs, ours, 1.1)


def emits(count: int, times: int) -> Work:
    d = Dispatcher()
    for _ in range(count):
        d.on('message', handle)

    def work() -> None:
        for n in range(times):
            d.emit('message', n)

    return work


def by_hand(count: int, times: int) -> Work:
    handlers = {'message': [primed() for _ in range(count)]}

    def work() -> None:
        for n in range(times):
            for handler in handlers['message']:
                handler.send(n)

    return work


def by_pyee(count: int, times: int) -> Work:
    emitter = package('pyee.base').EventEmitter()
    for _ in range(count):
        emitter.on('message', lambda data: None)

    def work() -> None:
        for n in range(times):
            emitter.emit('message', n)

    return work


def by_blinker(count: int, times: int) -> Work:
    signal = package('blinker').Signal()
    handlers = [lambda sender, data: None for _ in range(count)]
    for handler in handlers:
        signal.connect(handler)

    def work() -> None:
        _ = handlers  # the signal holds them weakly
        for n in range(times):
            signal.send(None, data=n)

    return work


@suite.measurement
def emit() -> Iterator[Row]:
    peers = ('a dict and send()', by_hand, None), ('pyee', by_pyee, 8), ('blinker', by_blinker, 18)
    for count in (1, 3, 100):
        times = options.events // count
        works, names = [emits(count, times)], []
        for name, peer, bar in peers:
            try:
                works.append(peer(count, times))
            except Skipped as e:
                yield Row(f'emit, {count} handlers', name, bar=f'skipped: {e}')
            else:
                names.append((name, bar))
        ours, *theirs = medians(works, options.rounds)
        for (name, bar), seconds in zip(names, theirs, strict=True):
            yield compared(f'emit, {count} handlers', name, seconds, ours, bar)


def drive(main: Coroutine[Any, Any, None]) -> None:
    """Nothing in it waits."""
    try:
        main.send(None)
    except StopIteration:
        return
    raise AssertionError


@suite.measurement
def aemit() -> Iterator[Row]:
    for count in (1, 3, 100):
        times = options.events // count
        d = Dispatcher()
        for _ in range(count):
            d.on('message', handle)

        async def main(d: Dispatcher = d, times: int = times) -> None:
            for n in range(times):
                await d.aemit('message', n)

        sync, ours = medians(
            [emits(count, times), lambda main=main: drive(main())],  # type: ignore[misc]
            options.rounds,
        )
        yield Row(
            f'await aemit, {count} handlers',
            'emit',
            milliseconds(sync),
            milliseconds(ours),
            f'{sync / ours:.2f}',
            at_most(2, ours / sync, 'times emit'),
        )


if __name__ == '__main__':
    sys.exit(suite.main())

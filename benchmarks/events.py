"""Dispatcher against an if-elif loop of send(), a dict by hand, pyee and blinker, in one process.

    python benchmarks/events.py [--events 100000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import time
from collections.abc import Callable, Coroutine, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import measure
from measure import Row, Work, at_most, compared, medians, milliseconds, print_table

from generators import Dispatcher, Event

TYPES = 'message', 'connection', 'disconnection'

options: argparse.Namespace


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

MEASUREMENTS: dict[str, Callable[[], Iterator[Row]]] = {}


def measurement(function: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    MEASUREMENTS[function.__name__.replace('_', '-')] = function
    return function


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


@measurement
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
    emitter = importlib.import_module('pyee.base').EventEmitter()
    for _ in range(count):
        emitter.on('message', lambda data: None)

    def work() -> None:
        for n in range(times):
            emitter.emit('message', n)

    return work


def by_blinker(count: int, times: int) -> Work:
    signal = importlib.import_module('blinker').Signal()
    handlers = [lambda sender, data: None for _ in range(count)]
    for handler in handlers:
        signal.connect(handler)

    def work() -> None:
        _ = handlers  # the signal holds them weakly
        for n in range(times):
            signal.send(None, data=n)

    return work


@measurement
def emit() -> Iterator[Row]:
    peers = ('a dict and send()', by_hand, None), ('pyee', by_pyee, 8), ('blinker', by_blinker, 18)
    for count in (1, 3, 100):
        times = options.events // count
        works, names = [emits(count, times)], []
        for name, peer, bar in peers:
            try:
                works.append(peer(count, times))
            except ImportError as e:
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


@measurement
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


def chosen() -> list[str]:
    if not options.only:
        return list(MEASUREMENTS)
    return [name for name in MEASUREMENTS if any(word in name for word in options.only)]


def main() -> int:
    global options
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--events', type=int, default=100_000)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--only', nargs='+', metavar='WORD', help='measurements named with it')
    parser.add_argument('--cpu', action='store_true', help='CPU time, not time passed')
    parser.add_argument('--list', action='store_true', help='name the measurements')
    options = parser.parse_args()
    if options.list:
        print(*MEASUREMENTS, sep='\n')
        return 0
    if options.cpu:
        measure.clock = time.process_time
    print(f'Python {platform.python_version()}, {platform.machine()}, ', end='')
    print(f'{options.events} events, median of {options.rounds}, ', end='')
    print(f'{"CPU" if options.cpu else "wall"} time')
    rows: list[Row] = []
    for title in chosen():
        print(f'... {title}', file=sys.stderr)
        rows += MEASUREMENTS[title]()
    print_table(rows)
    return 1 if any('MISSED' in row.bar for row in rows) else 0


if __name__ == '__main__':
    sys.exit(main())

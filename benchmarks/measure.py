"""What all benchmarks share: medians over interleaved rounds, the table, and the command line."""

from __future__ import annotations

import argparse
import gc
import importlib
import platform
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from statistics import median
from typing import Any

from native_generators import _native

Work = Callable[[], object]

# time.process_time instead, for a machine that others use at the same time.
clock: Callable[[], float] = time.perf_counter


def consume(items: Iterable[object]) -> None:
    """Take every item, with no Python code run for any."""
    deque(items, maxlen=0)


def loop(items: Iterable[object]) -> None:
    """Take every item as most programs do."""
    for _ in items:
        pass


def seconds(work: Work) -> float:
    gc.collect()
    start = clock()
    work()
    return clock() - start


def medians(works: Sequence[Work], rounds: int) -> list[float]:
    """The median of each; a round runs all of them, every other one from the last to the first.

    Each runs once beforehand, unmeasured, where there is more than one round.
    """
    if rounds > 1:
        for work in works:
            work()
    times: list[list[float]] = [[] for _ in works]
    order = list(range(len(works)))
    for _ in range(rounds):
        for i in order:
            times[i].append(seconds(works[i]))
        order.reverse()
    return [median(t) for t in times]


def geometric_mean(values: Sequence[float]) -> float:
    return prod(values) ** (1 / len(values))


def in_new_process(script: str, *arguments: object, env: dict[str, str] | None = None) -> str:
    """What a Python program given as text prints."""
    command = [sys.executable, '-c', script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout


@dataclass
class Row:
    work: str
    peer: str = ''
    theirs: str = ''
    ours: str = ''
    ratio: str = ''
    bar: str = ''


def milliseconds(value: float) -> str:
    return f'{value * 1e3:.4g} ms'


def at_least(bar: float | None, value: float) -> str:
    if bar is None:
        return ''
    return f'>= {bar:g} {"ok" if value >= bar else "MISSED"}'


def at_most(bar: float, value: float, unit: str) -> str:
    return f'<= {bar:g} {unit} {"ok" if value <= bar else "MISSED"}'


def compared(work: str, peer: str, theirs: float, ours: float, bar: float | None = None) -> Row:
    ratio = theirs / ours
    return Row(
        work, peer, milliseconds(theirs), milliseconds(ours), f'{ratio:.2f}', at_least(bar, ratio)
    )


def print_table(rows: Sequence[Row]) -> None:
    head = Row('work', 'peer', 'peer median', 'ours', 'ratio', 'bar')
    cells = [list(vars(row).values()) for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for i, line in enumerate(cells):
        print('|', ' | '.join(c.ljust(w) for c, w in zip(line, widths, strict=True)), '|')
        if i == 0:
            print('|', ' | '.join('-' * w for w in widths), '|')


def svg(title: str, height: float, lines: Iterable[str]) -> str:
    """An SVG of those elements, under that title."""
    font = 'font-family="sans-serif" font-size="13" fill="#222"'
    box = f'viewBox="0 0 720 {height}" width="720" height="{height}"'
    head = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} {font} role="img">',
        f'<title>{title}</title>',
        f'<rect width="720" height="{height}" fill="#fff"/>',
        f'<text x="10" y="22" font-size="15">{title}</text>',
    ]
    return '\n'.join([*head, *lines, '</svg>\n'])


# ---- the command line ----


class Skipped(Exception):
    """The measurement cannot be made here; its text says why."""


def package(name: str) -> Any:
    """A peer's module."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise Skipped(f'{name} is not installed') from None


class Suite:
    """The measurements of one benchmark, by name; `sizes` are its own options and defaults."""

    def __init__(self, doc: str | None, *, rounds: int = 5, **sizes: float) -> None:
        self.measurements: dict[str, Callable[[], Iterable[Row]]] = {}
        self.options = argparse.Namespace()
        self.folder = Path()  # for files, while it runs
        self.sizes = sizes
        self.parser = argparse.ArgumentParser(description=(doc or '').splitlines()[0])
        for name, default in sizes.items():
            self.parser.add_argument(f'--{name}', type=type(default), default=default)
        add = self.parser.add_argument
        add('--rounds', type=int, default=rounds)
        add('--only', nargs='+', metavar='WORD', help='measurements named with it')
        add('--cpu', action='store_true', help='CPU time, not time passed')
        add('--list', action='store_true', help='name the measurements')

    def measurement(self, function: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
        self.measurements[function.__name__.replace('_', '-')] = function
        return function

    def chosen(self) -> Iterator[str]:
        for name in self.measurements:
            if not self.options.only or any(word in name for word in self.options.only):
                yield name

    def rows(self) -> Iterator[Row]:
        for title in self.chosen():
            print(f'... {title}', file=sys.stderr)
            try:
                yield from self.measurements[title]()
            except Skipped as reason:
                yield Row(title, bar=f'skipped: {reason}')

    def main(self) -> int:
        global clock
        self.parser.parse_args(namespace=self.options)
        if self.options.list:
            print(*self.measurements, sep='\n')
            return 0
        if self.options.cpu:
            clock = time.process_time
        print(f'Python {platform.python_version()}, {platform.machine()}, ', end='')
        for name in self.sizes:
            print(f'{getattr(self.options, name):g} {name}, ', end='')
        print(f'median of {self.options.rounds}, ', end='')
        print(f'{"CPU" if self.options.cpu else "wall"} time, kernel {_native.scan_kernel}')
        with tempfile.TemporaryDirectory() as folder:
            self.folder = Path(folder)
            rows = list(self.rows())
        print_table(rows)
        return 1 if any('MISSED' in row.bar for row in rows) else 0

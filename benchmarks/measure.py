"""Medians over interleaved rounds, and the table that shows them."""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import prod
from statistics import median

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

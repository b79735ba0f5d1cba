"""One file in parts: what a plan costs, what parts cost, and what more cores bring.

    python benchmarks/split.py [--mb 200] [--rounds 3] [--only WORD ...] [--cpu] [--list]

The peer of a plan is the index of csv_rows: the same bytes, read and parsed into records of which
no row is made.  That of parts is one reader of the whole file.  A ratio is the peer's median over
ours: more is better.  `MISSED` marks a figure that does not reach its bar.  Cores are compared by
the time that passes, for which the machine must be idle otherwise, and by CPU time: that of the
plan, and of what the workers did, shared equally, is that time on cores that nobody else uses.
`--picture` writes docs/scale.svg: megabytes a second by cores, of rows that Python looks at, of
batches and of plans.
"""

from __future__ import annotations

import concurrent.futures
import functools
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from measure import Row, Skipped, Suite, compared, consume, loop, medians, svg

from generators import csv_batches, csv_rows, csv_scan, csv_split

suite = Suite(__doc__, rounds=3, mb=200)
suite.parser.add_argument('--picture', action='store_true', help='write docs/scale.svg')
options = suite.options

READING: dict[str, Any] = {'into': tuple, 'header': True}


# ---- data ----


def plain(i: int, chance: random.Random) -> str:
    return f'{i},station {i % 400},{chance.random() * 40:.1f},2024-01-{i % 28 + 1:02},ok\n'


def quoted(i: int, chance: random.Random) -> str:
    text = f'"line one of {i}\nline, two\n""three""\nfour"' if chance.random() < 1 / 3 else 'none'
    return f'{i},"station, {i % 400}",{chance.random() * 40:.1f},{text}\n'


def accented(i: int, chance: random.Random) -> str:
    return f'{i},Zürich {i % 400},{chance.random() * 40:.1f},été,ok\n'


def file_of(record: Callable[[int, random.Random], str]) -> Path:
    path = suite.folder / f'{record.__name__}.csv'
    if not path.exists():
        chance = random.Random(1)
        block = ''.join(record(i, chance) for i in range(20_000)).encode()
        with path.open('wb') as file:
            file.write(b'id,station,temperature,day,text\n')
            for _ in range(int(options.mb * 1e6) // len(block)):
                file.write(block)
    return path


# ---- plans ----


def index(path: Path) -> None:
    """Every record is found, and no row is made."""
    with closing(csv_rows(path)) as rows:
        rows._pass_to(path.stat().st_size)


def plan(path: Path) -> None:
    csv_split(path, parts=8, threads=1)


def scan(path: Path) -> None:
    """From the middle of a record, in every state."""
    csv_scan(path, 5, path.stat().st_size)


def planned(record: Callable[[int, random.Random], str]) -> Iterator[Row]:
    path = file_of(record)
    size = path.stat().st_size
    works = [functools.partial(work, path) for work in (index, plan, scan)]
    theirs, one, every = medians(works, options.rounds)
    for name, ours in (('csv_split', one), ('csv_scan', every)):
        title = f'{name}, {record.__name__}: {size / ours / 1e9:.1f} GB/s'
        yield compared(title, f'index {size / theirs / 1e9:.1f} GB/s', theirs, ours, 0.6)


@suite.measurement
def plan_of_plain_rows() -> Iterator[Row]:
    yield from planned(plain)


@suite.measurement
def plan_of_line_ends_in_quotes() -> Iterator[Row]:
    yield from planned(quoted)


@suite.measurement
def plan_of_utf_8() -> Iterator[Row]:
    yield from planned(accented)


# ---- parts ----


@suite.measurement
def cost_of_parts() -> Iterator[Row]:
    path = file_of(quoted)

    def whole() -> None:
        consume(csv_rows(path, **READING))

    def in_parts(parts: list[dict[str, Any]]) -> None:
        for part in parts:
            consume(csv_rows(path, start=part, **READING))

    counts = (1, 2, 4, 16)
    works = [
        functools.partial(in_parts, csv_split(path, parts=count, **READING)) for count in counts
    ]
    theirs, *ours = medians([whole, *works], options.rounds)
    for count, seconds in zip(counts, ours, strict=True):
        yield compared(f'{count} parts, one after another', 'whole file', theirs, seconds, 0.95)


# ---- cores ----


def read(path: Path, part: dict[str, Any] | None) -> float:
    """Some work in Python for each row: its CPU seconds."""
    began = time.thread_time()
    loop(csv_rows(path, start=part, **READING))
    return time.thread_time() - began


def in_workers(path: Path, pool: concurrent.futures.Executor, count: int) -> tuple[float, float]:
    """The seconds that passed, and the CPU seconds of the plan and a worker's equal share."""
    began, planning = time.perf_counter(), time.thread_time()
    parts = csv_split(path, parts=count * 4, threads=1, **READING)
    planning = time.thread_time() - planning
    busy = sum(pool.map(functools.partial(read, path), parts))
    return time.perf_counter() - began, planning + busy / count


def alone(path: Path) -> tuple[float, float]:
    began = time.perf_counter()
    seconds = read(path, None)
    return time.perf_counter() - began, seconds


def compared_cores(name: str, make: Callable[[int], concurrent.futures.Executor]) -> Iterator[Row]:
    count = min(os.cpu_count() or 1, 8)
    if count < 2:
        raise Skipped('one core')
    path = file_of(quoted)
    with make(count) as pool:
        in_workers(path, pool, count)
        pairs = [(alone(path), in_workers(path, pool, count)) for _ in range(options.rounds)]
    bar = 1.7 if count == 2 else None
    for i, what in enumerate(('time', 'CPU in equal shares')):
        theirs, ours = (median(one[i] for one in ones) for ones in zip(*pairs, strict=True))
        counts = (what == 'time') is not options.cpu
        title = f'{count} {name} with the plan, {what}'
        yield compared(title, 'one reader', theirs, ours, bar if counts else None)


@suite.measurement
def processes() -> Iterator[Row]:
    yield from compared_cores('processes', concurrent.futures.ProcessPoolExecutor)


@suite.measurement
def threads_without_the_gil() -> Iterator[Row]:
    if getattr(sys, '_is_gil_enabled', lambda: True)():
        raise Skipped('this Python has a GIL')
    yield from compared_cores('threads', concurrent.futures.ThreadPoolExecutor)


@suite.measurement
def interpreters() -> Iterator[Row]:
    pool: Any = getattr(concurrent.futures, 'InterpreterPoolExecutor', None)
    if pool is None:
        raise Skipped('InterpreterPoolExecutor is of Python 3.14')
    yield from compared_cores('interpreters', pool)


# ---- the picture ----

Work = Callable[[], object]


def read_batches(path: Path, part: dict[str, Any] | None, threads: int) -> None:
    with closing(csv_batches(path, start=part, threads=threads, ragged='pad')) as batches:
        consume(batches)


def speed(path: Path, work: Work) -> float:
    """Megabytes a second: the median of some rounds."""
    times = []
    for _ in range(options.rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return path.stat().st_size / 1e6 / median(times)


def in_pool(path: Path, pool: concurrent.futures.Executor, count: int) -> None:
    in_workers(path, pool, count)


def speeds(path: Path) -> Iterator[tuple[str, list[tuple[str, float]]]]:
    """What is done, and how fast with each number of cores."""
    cores = [1, *(n for n in (2, 4, 8) if n <= (os.cpu_count() or 1))]
    rows = [('one reader', speed(path, lambda: read(path, None)))]
    for count in cores[1:]:
        with concurrent.futures.ProcessPoolExecutor(count) as pool:
            in_workers(path, pool, count)
            work = functools.partial(in_pool, path, pool, count)
            rows.append((f'{count} processes', speed(path, work)))
    yield 'tuples, each looked at in Python', rows
    kinds: dict[str, Callable[[int], Work]] = {
        'Arrow batches, all columns as text': lambda n: functools.partial(
            read_batches, path, None, n
        ),
        'a plan: csv_split': lambda n: functools.partial(
            csv_split, path, parts=16, threads=n, **READING
        ),
    }
    for title, make in kinds.items():
        found = [(f'{n} thread{"s" * (n > 1)}', speed(path, make(n))) for n in cores]
        yield title, found


@suite.measurement
def picture() -> Iterator[Row]:
    if not options.picture:
        raise Skipped('--picture asks for it')
    yield from ()
    lines, y = [], 50
    for title, found in speeds(file_of(quoted)):
        lines.append(f'<text x="10" y="{y}" font-weight="bold">{title}</text>')
        most = max(value for _, value in found)
        for name, value in found:
            y += 22
            width = 430 * value / most
            lines.append(f'<text x="10" y="{y}">{name}</text>')
            lines.append(
                f'<rect x="180" y="{y - 12}" width="{width:.0f}" height="15" fill="#1b6ac9"/>'
            )
            lines.append(f'<text x="{188 + width:.0f}" y="{y}">{value:.0f} MB/s</text>')
        y += 34
    title = 'One file with line ends in quotes, by cores, CPython {}.{}'.format(*sys.version_info)
    target = Path(__file__).parents[1] / 'docs' / 'scale.svg'
    target.write_text(svg(title, y, lines), 'utf-8')
    print(f'{target} was written')


if __name__ == '__main__':
    sys.exit(suite.main())

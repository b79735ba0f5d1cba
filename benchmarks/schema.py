"""csv_schema against duckdb, polars and pandas, in one process and on the same data.

    python benchmarks/schema.py [--mb 30] [--rounds 5] [--only WORD ...] [--cpu]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb.  A ratio
is the peer's median over ours: more is better.  `MISSED` marks a figure that does not reach its
bar.  Every reader has one thread, but for `threads`, which is of time passed, whatever --cpu says.

What peers do is not the same.  duckdb's SUMMARIZE estimates the distinct values and quantiles, and
its types are those of the values' sample; sniff_csv(sample_size=-1) finds types of the whole
file and nothing else.  polars and pandas build a frame, and describe it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

# Read when the libraries are imported.
os.environ['POLARS_MAX_THREADS'] = os.environ.get('SCHEMA_THREADS', '1')
os.environ['OMP_NUM_THREADS'] = os.environ.get('SCHEMA_THREADS', '1')

from files import THREE, three
from measure import (
    Row,
    Suite,
    Work,
    at_least,
    compared,
    geometric_mean,
    in_new_process,
    medians,
    package,
)

from native_generators import csv_batches, csv_rows, csv_schema

suite = Suite(__doc__, mb=30.0)
options = suite.options
LEAST = 700  # MB/s


def file_of(name: str) -> Path:
    path = three(suite, name)
    for _ in csv_batches(path, types=csv_schema(path).types):
        pass  # speed counts only where the types are right
    return path


def ours(path: Path, threads: int = 1) -> Work:
    return lambda: csv_schema(path, threads=threads)


def by_duckdb(path: Path, query: str) -> Work:
    duckdb = package('duckdb')
    database = duckdb.connect(config={'threads': int(os.environ['OMP_NUM_THREADS'])})
    return lambda: database.sql(query.format(path)).fetchall()


def by_polars(path: Path) -> Work:
    pl = package('polars')
    return lambda: pl.read_csv(path, infer_schema_length=None).describe()


def by_pandas(path: Path) -> Work:
    pd = package('pandas')
    return lambda: pd.read_csv(path, low_memory=False).describe(include='all')


def by_hand(path: Path) -> Work:
    """Plain Python that looks for int and float only, and for lengths."""

    def look() -> None:
        kinds: dict[int, int] = {}
        longest: dict[int, int] = {}
        for row in csv_rows(path):
            for i, text in enumerate(row):
                longest[i] = max(longest.get(i, 0), len(text))
                while text:
                    try:
                        (int, float, str)[kinds.setdefault(i, 0)](text)
                        break
                    except ValueError:
                        kinds[i] += 1

    return look


PEERS: dict[str, tuple[Callable[[Path], Work], float | None]] = {
    'duckdb SUMMARIZE': (lambda path: by_duckdb(path, "SUMMARIZE FROM read_csv('{}')"), 2),
    'duckdb sniff_csv': (
        lambda path: by_duckdb(path, "FROM sniff_csv('{}', sample_size=-1)"),
        None,
    ),
    'polars describe': (by_polars, 2),
    'pandas describe': (by_pandas, 5),
    'by hand': (by_hand, 10),
}


@suite.measurement
def speed() -> Iterator[Row]:
    for name in THREE:
        path = file_of(name)
        (own,) = medians([ours(path)], options.rounds)
        speed = path.stat().st_size / own / 1e6
        yield Row(f'MB/s, {name}', ours=f'{speed:.0f}', bar=at_least(LEAST, speed))


@suite.measurement
def against_peers() -> Iterator[Row]:
    ratios: dict[str, list[float]] = {peer: [] for peer in PEERS}
    for name in THREE:
        path = file_of(name)
        works = [ours(path), *(make(path) for make, _ in PEERS.values())]
        own, *theirs = medians(works, options.rounds)
        for peer, their in zip(PEERS, theirs, strict=True):
            ratios[peer].append(their / own)
            yield compared(f'schema, {name}', peer, their, own)
    for peer, (_, bar) in PEERS.items():
        mean = geometric_mean(ratios[peer])
        checked = '' if bar is None else at_least(bar, mean)
        yield Row('schema, mean', peer, ratio=f'{mean:.2f}', bar=checked)


THREADS = """
import sys
sys.path[0] = sys.argv[1]
import schema
schema.print_times(sys.argv[2:])
"""


def print_times(paths: list[str]) -> None:
    for path in map(Path, paths):
        print(*medians([ours(path), ours(path, threads=2)], 5))


@suite.measurement
def two_threads() -> Iterator[Row]:
    paths = [file_of(name) for name in THREE]
    environment = {**os.environ, 'SCHEMA_THREADS': '2'}
    folder = str(Path(__file__).parent)
    lines = in_new_process(THREADS, folder, *paths, env=environment).splitlines()
    ratios = []
    for name, line in zip(THREE, lines, strict=True):
        one, two = map(float, line.split())
        ratios.append(one / two)
        yield compared(f'two threads, {name}', 'ours, 1', one, two)
    mean = geometric_mean(ratios)
    yield Row('two threads, mean', 'ours, 1', ratio=f'{mean:.2f}', bar=at_least(1.6, mean))


if __name__ == '__main__':
    sys.exit(suite.main())

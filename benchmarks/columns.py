"""csv_batches against pyarrow, polars, duckdb and pandas, in one process and on the same data.

    python benchmarks/columns.py [--mb 30] [--gb 1] [--rounds 5] [--only WORD ...] [--cpu]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb.  A ratio
is the peer's median over ours: more is better.  `MISSED` marks a figure that does not reach its
bar.  Every reader has one thread, except where the work says `threads`: those two measurements
are of time passed, whatever --cpu says.  `--picture` writes docs/columns.svg.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

# Read when the libraries are imported.
os.environ['POLARS_MAX_THREADS'] = os.environ.get('COLUMNS_THREADS', '1')
os.environ['OMP_NUM_THREADS'] = os.environ.get('COLUMNS_THREADS', '1')

import measure
from files import THREE, repeated, three
from measure import (
    Row,
    Suite,
    Work,
    at_least,
    at_most,
    compared,
    geometric_mean,
    in_new_process,
    medians,
    milliseconds,
    package,
    svg,
)

from native_generators import csv_batches, csv_rows

suite = Suite(__doc__, mb=30.0, gb=1.0)
suite.parser.add_argument('--picture', action='store_true', help='write docs/columns.svg')
options = suite.options

TYPES: dict[str, dict[str, type]] = {
    'nfl': dict.fromkeys(
        ['qtr', 'min', 'sec', 'down', 'togo', 'ydline', 'offscore', 'defscore', 'season'], int
    ),
    'worldcitiespop': dict.fromkeys(['Population', 'Latitude', 'Longitude'], float),
    'gtfs-mbta-stop-times': dict.fromkeys(
        ['stop_sequence', 'pickup_type', 'drop_off_type', 'timepoint'], int
    ),
}
TWO = {
    'nfl': ['off', 'season'],
    'worldcitiespop': ['City', 'Latitude'],
    'gtfs-mbta-stop-times': ['stop_id', 'stop_sequence'],
}


def file_of(name: str) -> Path:
    path = three(suite, name)
    same_strings(path)
    return path


@cache
def same_strings(path: Path) -> None:
    """Speed counts only where the strings are those of csv_rows, which are csv.reader's."""
    expected = list(islice(csv_rows(path, header=True), 20_000))
    got = next(csv_batches(path, rows=len(expected), threads=1))
    table = package('pyarrow').record_batch(got)
    if [list(row) for row in zip(*(c.to_pylist() for c in table.columns), strict=True)] != expected:
        raise RuntimeError(f'{path.name}: not the strings of csv_rows')


# ---- the readers ----


@cache
def arrow() -> Any:
    pa = package('pyarrow')
    package('pyarrow.csv')
    pa.set_cpu_count(int(os.environ['OMP_NUM_THREADS']))
    return pa


def names_of(path: Path) -> tuple[str, ...]:
    header = csv_batches(path).header
    assert header is not None
    return header


def by_pyarrow(
    path: Path, types: dict[str, type], columns: list[str] | None = None, threads: bool = False
) -> Work:
    pa = arrow()
    kinds = {int: pa.int64(), float: pa.float64()}
    convert = pa.csv.ConvertOptions(
        column_types={
            name: kinds.get(types.get(name, str), pa.string()) for name in names_of(path)
        },
        include_columns=columns,
    )
    read = pa.csv.ReadOptions(use_threads=threads)
    parse = pa.csv.ParseOptions(newlines_in_values=True)  # as CSV has them
    return lambda: pa.csv.read_csv(
        path, read_options=read, convert_options=convert, parse_options=parse
    )


def by_polars(path: Path, types: dict[str, type], columns: list[str] | None = None) -> Work:
    pl = package('polars')
    kinds = {int: pl.Int64, float: pl.Float64}
    schema = {name: kinds.get(types.get(name, str), pl.String) for name in names_of(path)}
    return lambda: pl.read_csv(path, schema=schema, columns=columns)


def by_duckdb(path: Path) -> Work:
    duckdb = package('duckdb')
    database = duckdb.connect(config={'threads': int(os.environ['OMP_NUM_THREADS'])})
    query = f"from read_csv('{path}', all_varchar=true, header=true)"
    return lambda: database.sql(query).to_arrow_table()


def ours(path: Path, types: dict[str, type], **more: Any) -> Work:
    pa = arrow()
    more = {'threads': 1, **more}
    return lambda: pa.table(csv_batches(path, types=types, **more))


# ---- what is measured ----


def over_the_three(
    work: str,
    peers: dict[str, tuple[Callable[[Path, str], Work], float, float | None]],
    mine: Callable[[Path, str], Work],
) -> Iterator[Row]:
    """Each peer with its bar for the mean and, perhaps, for each file."""
    ratios: dict[str, list[float]] = {peer: [] for peer in peers}
    for name in THREE:
        path = file_of(name)
        works = [mine(path, name), *(make(path, name) for make, _, _ in peers.values())]
        own, *theirs = medians(works, options.rounds)
        size = path.stat().st_size
        for (peer, (_, _, each)), their in zip(peers.items(), theirs, strict=True):
            ratios[peer].append(their / own)
            row = compared(f'{work}, {name}', peer, their, own, each)
            row.theirs += f' {size / their / 1e6:.0f} MB/s'
            row.ours += f' {size / own / 1e6:.0f} MB/s'
            yield row
            speeds.setdefault(work, {}).setdefault(peer, []).append(size / their / 1e6)
        speeds[work].setdefault('csv_batches', []).append(size / own / 1e6)
    for peer, (_, bar, _) in peers.items():
        mean = geometric_mean(ratios[peer])
        yield Row(f'{work}, mean', peer, ratio=f'{mean:.2f}', bar=at_least(bar, mean))


# MB/s of each reader over the three files, for the picture.
speeds: dict[str, dict[str, list[float]]] = {}


@suite.measurement
def strings() -> Iterator[Row]:
    package('duckdb')
    yield from over_the_three(
        'all columns as strings',
        {
            'pyarrow read_csv': (lambda path, _: by_pyarrow(path, {}), 2.5, 2),
            'polars read_csv': (lambda path, _: by_polars(path, {}), 3, None),
            'duckdb all_varchar': (lambda path, _: by_duckdb(path), 5, None),
        },
        lambda path, _: ours(path, {}),
    )


@suite.measurement
def typed() -> Iterator[Row]:
    yield from over_the_three(
        'numbers typed',
        {
            'pyarrow column_types': (lambda path, name: by_pyarrow(path, TYPES[name]), 1.5, None),
            'polars schema': (lambda path, name: by_polars(path, TYPES[name]), 2, None),
        },
        lambda path, name: ours(path, TYPES[name]),
    )


@suite.measurement
def two_columns() -> Iterator[Row]:
    yield from over_the_three(
        'two columns',
        {
            'pyarrow include_columns': (lambda path, n: by_pyarrow(path, {}, TWO[n]), 2, None),
            'polars columns': (lambda path, name: by_polars(path, {}, TWO[name]), 2, None),
        },
        lambda path, name: ours(path, {}, columns=TWO[name]),
    )


@suite.measurement
def frames() -> Iterator[Row]:
    pd, pl = package('pandas'), package('polars')

    def pandas(path: Path, engine: Any) -> Work:
        return lambda: pd.read_csv(path, dtype=str, engine=engine)

    def to_pandas(path: Path, _: str) -> Work:
        # As pandas takes what any library gives: from_arrow() came with pandas 3.
        make = getattr(pd.DataFrame, 'from_arrow', None)
        if make is None:
            return lambda: arrow().table(csv_batches(path, threads=1)).to_pandas()
        return lambda: make(csv_batches(path, threads=1))

    yield from over_the_three(
        'a pandas frame',
        {
            'pandas, engine c': (lambda path, _: pandas(path, 'c'), 4, None),
            'pandas, engine pyarrow': (lambda path, _: pandas(path, 'pyarrow'), 1.5, None),
        },
        to_pandas,
    )
    yield from over_the_three(
        'a polars frame',
        {'polars read_csv': (lambda path, _: by_polars(path, {}), 2, None)},
        lambda path, _: lambda: pl.DataFrame(csv_batches(path, threads=1)),
    )


THREADS = """
import sys
sys.path[0] = sys.argv[1]
import columns
columns.print_times(sys.argv[2:])
"""


def print_times(paths: Iterable[str]) -> None:
    """In a process where the libraries have two threads: of each file, ours with one and two
    threads, pyarrow, polars.
    """
    for path in map(Path, paths):
        works = [ours(path, {}), ours(path, {}, threads=2), by_pyarrow(path, {}, threads=True)]
        print(*medians([*works, by_polars(path, {})], 5))


@suite.measurement
def two_threads() -> Iterator[Row]:
    environment = {**os.environ, 'COLUMNS_THREADS': '2'}
    paths = [file_of(name) for name in THREE]
    folder = str(Path(__file__).parent)
    lines = in_new_process(THREADS, folder, *paths, env=environment).splitlines()
    ratios: dict[str, list[float]] = {}
    for name, line in zip(THREE, lines, strict=True):
        one, own, pyarrow, polars = map(float, line.split())
        for peer, their in (('ours, 1', one), ('pyarrow, 2', pyarrow), ('polars, 2', polars)):
            ratios.setdefault(peer, []).append(their / own)
            yield compared(f'two threads, {name}', peer, their, own)
    for peer, values in ratios.items():
        mean = geometric_mean(values)
        bar = 1.6 if peer.startswith('ours') else 2
        yield Row('two threads, mean', peer, ratio=f'{mean:.2f}', bar=at_least(bar, mean))


@suite.measurement
def first_batch() -> Iterator[Row]:
    path = large()
    times = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        batches = csv_batches(path)
        next(batches)
        times.append(time.perf_counter() - start)
        batches.close()
    own = median(times)
    bar = at_most(5, own * 1e3, 'ms')
    yield Row(f'first batch of {options.gb:g} GB', ours=milliseconds(own), bar=bar)


MEMORY = """
import resource, sys
from native_generators import csv_batches
def kilobytes():
    for line in open('/proc/self/status'):
        if line.startswith('VmHWM'):
            return int(line.split()[1])
before = kilobytes()
for batch in csv_batches(sys.argv[1], threads=2):
    pass
print((kilobytes() - before) / 1024)
"""


def large() -> Path:
    source = three(suite, 'worldcitiespop').read_bytes()
    return repeated(suite, 'large', source, options.gb * 1000)


@suite.measurement
def memory() -> Iterator[Row]:
    if not Path('/proc/self/status').exists():
        raise measure.Skipped('there is no /proc')
    used = float(in_new_process(MEMORY, large()))
    bar = at_most(64, used, 'MiB')
    yield Row(f'memory over {options.gb:g} GB, 2 threads', ours=f'{used:.1f} MiB', bar=bar)


@suite.measurement
def to_parquet() -> Iterator[Row]:
    parquet = package('pyarrow.parquet')
    duckdb = package('duckdb')
    pa = arrow()
    path = file_of('worldcitiespop')
    types = TYPES['worldcitiespop']

    def write(reader: Any) -> None:
        with parquet.ParquetWriter(suite.folder / 'out.parquet', reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)

    def theirs() -> None:
        kinds = dict.fromkeys(types, pa.float64())
        strings = {name: pa.string() for name in names_of(path)}
        convert = pa.csv.ConvertOptions(column_types={**strings, **kinds})
        read = pa.csv.ReadOptions(use_threads=False)
        write(pa.csv.open_csv(path, read_options=read, convert_options=convert))

    def own() -> None:
        reader = pa.RecordBatchReader.from_stream(csv_batches(path, types=types, threads=1))
        write(reader)

    columns = ', '.join(f"'{n}': '{'DOUBLE' if n in types else 'VARCHAR'}'" for n in names_of(path))
    database = duckdb.connect(config={'threads': 1})
    query = f"copy (from read_csv('{path}', header=true, columns={{{columns}}})) to "
    query += f"'{suite.folder / 'duck.parquet'}' (format parquet)"
    mine, pyarrow, duck = medians([own, theirs, partial(database.execute, query)], options.rounds)
    yield compared('CSV to Parquet', 'pyarrow open_csv', pyarrow, mine, 1.2)
    yield compared('CSV to Parquet', 'duckdb COPY', duck, mine, 1)


# ---- the picture ----


def picture() -> None:
    """A bar for each reader: the mean of the three files."""
    lines, y = [], 50
    most = max(geometric_mean(values) for of in speeds.values() for values in of.values())
    for work, of in speeds.items():
        lines.append(f'<text x="10" y="{y}" font-weight="bold">{work}</text>')
        for reader, values in sorted(of.items(), key=lambda item: item[0] != 'csv_batches'):
            speed = geometric_mean(values)
            y += 22
            width = 430 * speed / most
            colour = '#1b6ac9' if reader == 'csv_batches' else '#b8bec6'
            lines.append(f'<text x="10" y="{y}">{reader}</text>')
            lines.append(
                f'<rect x="180" y="{y - 12}" width="{width:.0f}" height="15" fill="{colour}"/>'
            )
            lines.append(f'<text x="{188 + width:.0f}" y="{y}">{speed:.0f} MB/s</text>')
        y += 34
    title = f'Columns of CSV, one thread, CPython {sys.version_info[0]}.{sys.version_info[1]}'
    target = Path(__file__).parents[1] / 'docs' / 'columns.svg'
    target.write_text(svg(title, y, lines), 'utf-8')


if __name__ == '__main__':
    status = suite.main()
    if options.picture and speeds:
        picture()
    sys.exit(status)

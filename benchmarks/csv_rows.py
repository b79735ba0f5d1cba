"""csv_rows against csv.reader and other readers of rows, in one process and on the same data.

    python benchmarks/csv_rows.py [--mb 100] [--gb 1] [--rounds 5] [--only WORD ...] [--cpu]

The three files are real ones from ../shared/data/bench, their rows repeated up to --mb; all else
is made here.  A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure
that does not reach its bar.
"""

from __future__ import annotations

import csv
import gzip
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from files import THREE, original, repeated, three
from measure import (
    Row,
    Skipped,
    Suite,
    Work,
    at_least,
    at_most,
    compared,
    consume,
    geometric_mean,
    in_new_process,
    loop,
    medians,
    milliseconds,
    package,
)

from native_generators import _native, csv_rows

BLOCK = 256 * 1024  # at most so much is read before the first row

suite = Suite(__doc__, mb=100.0, gb=1.0)
options = suite.options


# ---- data ----


def made(name: str, lines: Iterable[str]) -> Path:
    """A file of these lines, repeated up to --mb."""
    return repeated(suite, name, '\n'.join(['header', *lines, '']).encode(), options.mb)


def same_rows(path: Path) -> None:
    """Speed counts only where the rows are csv.reader's."""
    with open(path, encoding='utf-8', newline='') as f:
        expected = list(islice(csv.reader(f), 25_000))
    if list(islice(csv_rows(path), 25_000)) != expected:
        raise RuntimeError(f'{path.name}: not the rows of csv.reader')


def standard(path: Path, take: Callable[[Iterable[object]], None] = consume) -> Work:
    def work() -> None:
        with open(path, encoding='utf-8', newline='') as f:
            take(csv.reader(f))

    return work


def ours(
    source: Any, take: Callable[[Iterable[object]], None] = consume, into: type = list
) -> Work:
    return lambda: take(csv_rows(source, into=into))


# ---- what is measured ----


@suite.measurement
def rows_of_the_three() -> Iterator[Row]:
    for into in (list, tuple):
        ratios = []
        for name in THREE:
            path = three(suite, name)
            same_rows(path)
            works = [standard(path), ours(path, into=into)]
            works += [standard(path, loop), ours(path, loop, into)]
            theirs, mine, their_loop, my_loop = medians(works, options.rounds)
            ratios.append(theirs / mine)
            yield compared(f'{into.__name__}s, {name}', 'csv.reader', theirs, mine, 3)
            yield compared(f'  in a for loop, {name}', 'csv.reader', their_loop, my_loop)
        mean = geometric_mean(ratios)
        yield Row(
            f'{into.__name__}s, geometric mean',
            'csv.reader',
            ratio=f'{mean:.2f}',
            bar=at_least(3.5, mean),
        )


def csvmonkey_lists(path: Path) -> None:
    csvmonkey = package('csvmonkey')
    consume(csvmonkey.from_path(str(path), yields='list', header=False))


@suite.measurement
def csvmonkey() -> Iterator[Row]:
    package('csvmonkey')
    ratios = []
    for name in THREE:
        path = three(suite, name)
        works = [partial(csvmonkey_lists, path), ours(path)]
        theirs, mine = medians(works, options.rounds)
        ratios.append(theirs / mine)
        yield compared(f'lists, {name}', 'csvmonkey', theirs, mine, 1.4)
    mean = geometric_mean(ratios)
    yield Row('lists, geometric mean', 'csvmonkey', ratio=f'{mean:.2f}', bar=at_least(1.4, mean))


def fastpycsv_lists(path: Path) -> None:
    fastpycsv = package('fastpycsv')
    with open(path, encoding='utf-8', newline='') as f:
        consume(map(list, fastpycsv.reader(f)))


def pyarrow_lists(path: Path) -> None:
    """Batch by batch, every column text, turned into rows."""
    pa = package('pyarrow')
    pacsv = package('pyarrow.csv')
    with open(path, encoding='utf-8', newline='') as f:
        names = next(csv.reader(f))
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
    )
    read = pacsv.ReadOptions(use_threads=False)
    for batch in pacsv.open_csv(path, read_options=read, convert_options=convert):
        consume(map(list, zip(*[column.to_pylist() for column in batch.columns], strict=True)))


def polars_lists(path: Path) -> None:
    """The whole file in memory first, as it has no rows otherwise; an empty field is None."""
    polars = package('polars')
    frame = polars.read_csv(path, infer_schema=False)
    consume(map(list, frame.iter_rows()))


@suite.measurement
def other_readers() -> Iterator[Row]:
    for peer, work in (
        ('fastpycsv', fastpycsv_lists),
        ('pyarrow', pyarrow_lists),
        ('polars', polars_lists),
    ):
        try:
            package(peer)
        except Skipped as reason:
            yield Row('lists', peer, bar=f'skipped: {reason}')
            continue
        for name in THREE:
            path = three(suite, name)
            theirs, mine = medians([partial(work, path), ours(path)], options.rounds)
            yield compared(f'lists, {name}', peer, theirs, mine)


def bytes_read_by_process() -> int | None:
    try:
        text = Path('/proc/self/io').read_text()
    except OSError:
        return None
    return int(text.split('rchar: ')[1].split()[0])


@suite.measurement
def first_row() -> Iterator[Row]:
    path = three(suite, 'nfl', options.gb * 1000)
    path_text = str(path)
    times, took = [], 0
    for _ in range(21):
        start = time.perf_counter()
        rows = csv_rows(path_text)
        next(rows)
        times.append(time.perf_counter() - start)
        rows.close()
    if (before := bytes_read_by_process()) is not None:
        around = bytes_read_by_process()
        rows = csv_rows(path_text)
        next(rows)
        after = bytes_read_by_process()
        assert around is not None
        assert after is not None
        took = after - around - (around - before)
    else:
        rows = csv_rows(path_text)
        next(rows)
        took = rows.bytes_read
    rows.close()
    size = f'first row of {options.gb:g} GB'
    yield Row(size, ours=milliseconds(median(times)), bar=at_most(1, median(times) * 1e3, 'ms'))
    yield Row(
        '  bytes read for it',
        ours=f'{took / 1024:.4g} KiB',
        bar=at_most(BLOCK / 1024, took / 1024, 'KiB'),
    )


PEAK = """
import sys
from collections import deque
from generators import csv_rows
path, into = sys.argv[1:]
if path:
    deque(csv_rows(path, into={'list': list, 'tuple': tuple}[into]), maxlen=0)
with open('/proc/self/status') as f:
    print(next(line.split()[1] for line in f if line.startswith('VmHWM')))
"""


@suite.measurement
def memory() -> Iterator[Row]:
    if not Path('/proc/self/status').exists():
        raise Skipped('no /proc to read the peak from')

    def peak(source: Path | str, into: str) -> float:
        return median(int(in_new_process(PEAK, source, into)) / 1024 for _ in range(3))

    empty = peak('', 'list')
    for into in ('list', 'tuple'):
        for name in ('nfl', 'gtfs-mbta-stop-times'):
            path = three(suite, name, options.gb * 1000)
            more = peak(path, into) - empty
            yield Row(
                f'memory for {options.gb:g} GB, {into}s, {name}',
                f'empty process {empty:.1f} MiB',
                ours=f'+{more:.2f} MiB',
                bar=at_most(4, more, 'MB'),
            )


@suite.measurement
def linearity() -> Iterator[Row]:
    sizes = [options.mb * part for part in (0.25, 0.5, 1)]
    works = [ours(three(suite, 'nfl', mb)) for mb in sizes]
    found = medians(works, options.rounds)
    for mb, took in zip(sizes, found, strict=True):
        ratio = (took / mb) / (found[0] / sizes[0])
        yield Row(
            f'{mb:g} MB of nfl, time for each MB',
            f'{sizes[0]:g} MB',
            milliseconds(found[0] / sizes[0]),
            milliseconds(took / mb),
            f'{ratio:.2f}',
            at_most(1.25, ratio, ''),
        )


def against_csv_reader(work: str, path: Path, bar: float | None = None) -> Row:
    same_rows(path)
    theirs, mine = medians([standard(path), ours(path)], options.rounds)
    path.unlink()
    return compared(work, 'csv.reader', theirs, mine, bar)


@suite.measurement
def irregular_input() -> Iterator[Row]:
    """A stray quote in every record: no stretch can be proved regular."""
    lines = original('worldcitiespop').decode().splitlines()[1:]
    half = [line[: len(line) // 2] + '"' + line[len(line) // 2 :] for line in lines]
    yield against_csv_reader('a stray quote in every record', made('stray', half), 1)
    nfl = original('nfl').decode().splitlines()[1:]
    stray = [line.replace('. ', '." ', 1) + '"' for line in nfl]
    yield against_csv_reader('a stray quote in long records', made('stray-long', stray), 1)


KERNEL = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from measure import consume, medians
from native_generators import _native, csv_rows
assert _native.scan_kernel == sys.argv[2], _native.scan_kernel
paths = sys.argv[4:]
print(*medians([lambda p=p: consume(csv_rows(p)) for p in paths], int(sys.argv[3])))
"""


@suite.measurement
def each_kernel() -> Iterator[Row]:
    paths = [three(suite, name) for name in THREE]
    theirs = medians([standard(path) for path in paths], options.rounds)
    here = Path(__file__).parent
    for kernel in _native.scan_kernels:
        env = {**os.environ, 'GENERATORS_SCAN': kernel}
        printed = in_new_process(KERNEL, here, kernel, options.rounds, *paths, env=env)
        found = [float(word) for word in printed.split()]
        for name, peer, mine in zip(THREE, theirs, found, strict=True):
            yield compared(f'kernel {kernel}, {name}', 'csv.reader', peer, mine)


@suite.measurement
def shapes() -> Iterator[Row]:
    yield against_csv_reader('one-character records', made('one', 'abcdefghij' * 1000))
    wide = [','.join(str(i * 7919 % 100_000) for i in range(5000))] * 20
    yield against_csv_reader('5,000-column records', made('wide', wide))
    empty = [',' * 40] * 1000
    yield against_csv_reader('records of empty fields', made('empty', empty))
    long = [','.join(['word ' * 400] * 5)] * 200
    yield against_csv_reader('2,000-character fields', made('long', long))
    quoted = [
        ','.join(f'"{i} said ""{i * 3}"", then"' for i in range(n, n + 8)) for n in range(999)
    ]
    yield against_csv_reader('doubled quotes in every field', made('doubled', quoted))
    crlf = [f'{n},{n * n},name {n}\r' for n in range(5000)]
    yield against_csv_reader('lines ended by \\r\\n', made('crlf', crlf))


def text_made_of(first: int, count: int, n: int) -> str:
    return ''.join(chr(first + (n * 31 + i * i * 7) % count) for i in range(4 + n % 9))


@suite.measurement
def other_scripts() -> Iterator[Row]:
    for script, first, count in (
        ('Latin-1 letters', 0xC0, 0x40),
        ('Cyrillic', 0x430, 32),
        ('CJK', 0x4E00, 0x5000),
        ('emoji', 0x1F600, 64),
    ):
        lines = [
            ','.join([str(n), *(text_made_of(first, count, n * 8 + i) for i in range(6))])
            for n in range(5000)
        ]
        name = script.split()[0].lower()
        yield against_csv_reader(f'UTF-8, {script}', made(name, lines))


@suite.measurement
def file_objects() -> Iterator[Row]:
    path = three(suite, 'nfl')

    def from_text_file() -> None:
        with open(path, encoding='utf-8', newline='') as f:
            consume(csv_rows(f))

    def from_binary_file() -> None:
        with open(path, 'rb') as f:
            consume(csv_rows(f))

    works = [standard(path), from_text_file, from_binary_file]
    theirs, text, binary = medians(works, options.rounds)
    yield compared('a text file object', 'csv.reader', theirs, text)
    yield compared('a binary file object', 'csv.reader on text', theirs, binary)


@suite.measurement
def lines_and_chunks() -> Iterator[Row]:
    path = three(suite, 'nfl')
    with open(path, encoding='utf-8', newline='') as f:
        lines = list(f)
    theirs, mine = medians([lambda: consume(csv.reader(lines)), ours(lines)], options.rounds)
    yield compared('a list of lines', 'csv.reader', theirs, mine)

    data = path.read_bytes()
    chunks = [data[i : i + 65536] for i in range(0, len(data), 65536)]
    theirs, whole, cut = medians([standard(path), ours(data), ours(chunks)], options.rounds)
    yield compared('bytes', 'csv.reader on text', theirs, whole)
    yield compared('a list of 64 KiB chunks', 'csv.reader on text', theirs, cut)


@suite.measurement
def gzip_file() -> Iterator[Row]:
    packed = suite.folder / 'nfl.csv.gz'
    with open(three(suite, 'nfl'), 'rb') as plain, gzip.open(packed, 'wb', compresslevel=1) as g:
        while block := plain.read(1 << 20):
            g.write(block)

    def theirs() -> None:
        with gzip.open(packed, 'rt', encoding='utf-8', newline='') as f:
            consume(csv.reader(f))

    def mine() -> None:
        with gzip.open(packed, 'rb') as f:
            consume(csv_rows(f))

    yield compared('a gzip file', 'csv.reader', *medians([theirs, mine], options.rounds))


if __name__ == '__main__':
    sys.exit(suite.main())

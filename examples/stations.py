"""The least, mean and greatest temperature of each station, by one reader or by many.

    python stations.py measurements.csv                        one reader
    python stations.py measurements.csv --by processes         one process for each core
    python stations.py measurements.csv --by threads           on a Python without the GIL
    python stations.py measurements.csv --by interpreters      Python 3.14 and newer

The file has the columns `station` and `temperature`, and may have others.  A text with line ends
inside quotes is no obstacle: csv_split() cuts the file where records begin.  Each worker reads a
part and sends back what it found about each station, which is little.

Temperatures have one digit behind the point, and are added up in tenths: so the sums, and with them
the means, are the same in whatever order the parts come.
"""

import argparse
import concurrent.futures
import functools
import os
from collections.abc import Iterable
from contextlib import closing
from typing import Any

from generators import csv_rows, csv_split

READING: dict[str, Any] = {
    'into': tuple,
    'header': True,
    'columns': ['station', 'temperature'],
    'types': {'temperature': float},
}
PARTS_PER_WORKER = 4  # a worker that is done early takes another

Summary = dict[str, list[int]]  # by station: least, greatest, sum and number, in tenths


def summary_of(path: str, part: dict[str, Any] | None) -> Summary:
    """What a part of the file, or all of it, tells."""
    found: Summary = {}
    with closing(csv_rows(path, start=part, **READING)) as rows:
        for station, temperature in rows:
            tenths = round(temperature * 10)
            known = found.get(station)
            if known is None:
                found[station] = [tenths, tenths, tenths, 1]
                continue
            if tenths < known[0]:
                known[0] = tenths
            elif tenths > known[1]:
                known[1] = tenths
            known[2] += tenths
            known[3] += 1
    return found


def together(summaries: Iterable[Summary]) -> Summary:
    """What all parts tell."""
    whole: Summary = {}
    for summary in summaries:
        for station, (least, greatest, total, count) in summary.items():
            known = whole.setdefault(station, [least, greatest, 0, 0])
            known[0] = min(known[0], least)
            known[1] = max(known[1], greatest)
            known[2] += total
            known[3] += count
    return whole


def executor(by: str, workers: int) -> concurrent.futures.Executor:
    if by == 'processes':
        return concurrent.futures.ProcessPoolExecutor(workers)
    if by == 'threads':
        return concurrent.futures.ThreadPoolExecutor(workers)
    interpreters = getattr(concurrent.futures, 'InterpreterPoolExecutor', None)
    if interpreters is None:
        raise SystemExit('interpreters need Python 3.14')
    pool: concurrent.futures.Executor = interpreters(workers)
    return pool


def summarise(path: str, by: str = 'one', workers: int | None = None) -> Summary:
    if by == 'one':
        return summary_of(path, None)
    workers = workers or os.cpu_count() or 1
    parts = csv_split(path, parts=workers * PARTS_PER_WORKER, **READING)
    with executor(by, workers) as pool:
        return together(pool.map(functools.partial(summary_of, path), parts))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file')
    parser.add_argument(
        '--by', choices=('one', 'processes', 'threads', 'interpreters'), default='one'
    )
    parser.add_argument('--workers', type=int, help='one for each core if not given')
    options = parser.parse_args()
    found = summarise(options.file, options.by, options.workers)
    for station in sorted(found):
        least, greatest, total, count = found[station]
        print(f'{station}: {least / 10:.1f} {total / count / 10:.1f} {greatest / 10:.1f}')


if __name__ == '__main__':
    main()

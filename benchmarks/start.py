"""What it costs to start: the import against csv, and all from nothing to a first row.

    python benchmarks/start.py [--rounds 21] [--install DIST ...]

The import is measured in new interpreters, as the CPU time and the memory that it adds to an empty
one.  DIST is a wheel, an sdist or a checkout: it is installed into a new virtual environment, and
reads one row.  A ratio is the peer's median over ours: more is better.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from measure import Row, Suite, compared, in_new_process

import native_generators

suite = Suite(__doc__, rounds=21)
options = suite.options
suite.parser.add_argument('--install', nargs='+', type=Path, default=[], metavar='DIST')

# The package is found where it is imported here.
MEASURED = """
import sys, time

def memory():
    try:
        with open('/proc/self/status') as f:
            return next(int(line.split()[1]) for line in f if line.startswith('VmRSS'))
    except OSError:
        return 0

sys.path.insert(0, sys.argv[2])
start, before = time.process_time(), memory()
exec(sys.argv[1])
print(time.process_time() - start, memory() - before)
"""
ROW = 'from native_generators import csv_rows; print(list(csv_rows(b"a,b\\n")))'


def import_cost(names: list[str]) -> list[tuple[float, float]]:
    """The median time and KiB of the import of each; the interpreters take turns."""
    folder = str(Path(native_generators.__file__ or '').parents[1])
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in names}
    for _ in range(options.rounds):
        for name in names:
            printed = in_new_process(MEASURED, f'import {name}', folder)
            taken, memory = map(float, printed.split())
            found[name].append((taken, memory))
    return [(median(t for t, _ in each), median(m for _, m in each)) for each in found.values()]


@suite.measurement
def imports() -> Iterator[Row]:
    (theirs, their_memory), (ours, our_memory) = import_cost(['csv', 'native_generators'])
    yield compared('import, CPU time', 'csv', theirs, ours)
    ratio = f'{their_memory / our_memory:.2f}' if our_memory else ''
    yield Row('import, memory', 'csv', f'{their_memory:g} KiB', f'{our_memory:g} KiB', ratio)


@suite.measurement
def installs() -> Iterator[Row]:
    """From nothing: an environment, what is installed into it, and a first row."""
    for number, distribution in enumerate(options.install):
        size = f'{distribution.stat().st_size / 1000:.0f} KB' if distribution.is_file() else ''
        venv = suite.folder / f'venv-{number}'
        python = str(venv / ('Scripts' if os.name == 'nt' else 'bin') / 'python')
        before, start = os.times(), time.perf_counter()
        for command in (
            [sys.executable, '-m', 'venv', str(venv)],
            [python, '-m', 'pip', 'install', '-q', str(distribution.resolve())],
            [python, '-c', ROW],
        ):
            subprocess.run(command, cwd=suite.folder, check=True, stdout=subprocess.DEVNULL)
        after, passed = os.times(), time.perf_counter() - start
        cpu = sum(after[2:4]) - sum(before[2:4])
        work = f'to a first row by {distribution.name}'
        yield Row(work, size, '', f'{passed:.1f} s, {cpu:.1f} s CPU')


if __name__ == '__main__':
    sys.exit(suite.main())

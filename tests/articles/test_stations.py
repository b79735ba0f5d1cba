"""One question of one file, answered by one reader and by many: examples/stations.py."""

from __future__ import annotations

import concurrent.futures
import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measurements import write_measurements

PROGRAM = Path(__file__).parents[2] / 'examples' / 'stations.py'
WAYS = ['one', 'processes', 'threads', 'interpreters']


@pytest.fixture(scope='module')
def measurements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('stations') / 'measurements.csv'
    write_measurements(path, 1)
    return path


@pytest.fixture(scope='module')
def expected(measurements: Path) -> str:
    """By the csv module and a few lines of Python."""
    found: dict[str, list[int]] = {}
    with measurements.open(newline='', encoding='utf-8') as file:
        for row in csv.DictReader(file):
            found.setdefault(row['station'], []).append(round(float(row['temperature']) * 10))
    return ''.join(
        f'{name}: {min(t) / 10:.1f} {sum(t) / len(t) / 10:.1f} {max(t) / 10:.1f}\n'
        for name, t in sorted(found.items())
    )


@pytest.mark.timeout(120)
@pytest.mark.parametrize('way', WAYS)
def test_each_way_gives_the_same(way: str, measurements: Path, expected: str) -> None:
    if way == 'interpreters' and not hasattr(concurrent.futures, 'InterpreterPoolExecutor'):
        pytest.skip('InterpreterPoolExecutor is of Python 3.14')
    done = subprocess.run(
        [sys.executable, '-X', 'utf8', PROGRAM, measurements, '--by', way, '--workers', '2'],
        capture_output=True,
        encoding='utf-8',
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == expected

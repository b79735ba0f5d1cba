"""One question of one file, by each engine: examples/stations_*.py, against stations.py."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.measurements import write_measurements

EXAMPLES = Path(__file__).parents[2] / 'examples'
NEEDED = {'dask': 'dask.dataframe', 'ray': 'ray', 'spark': 'pyspark'}


@pytest.fixture(scope='module')
def measurements(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp('stations') / 'measurements.csv'
    write_measurements(path, 2)
    return path


def printed(program: str, *arguments: str) -> list[str]:
    environment = {
        **os.environ,
        'PYTHONUTF8': '1',
        'SPARK_LOCAL_IP': '127.0.0.1',
        'PYSPARK_PYTHON': sys.executable,
        'PYSPARK_DRIVER_PYTHON': sys.executable,
        'PYSPARK_SUBMIT_ARGS': '--master local[2] pyspark-shell',
    }
    done = subprocess.run(
        [sys.executable, EXAMPLES / program, *arguments],
        capture_output=True,
        encoding='utf-8',
        check=False,
        env=environment,
    )
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


@pytest.mark.timeout(180)
@pytest.mark.parametrize('engine', NEEDED)
def test_each_engine_gives_what_one_reader_gives(engine: str, measurements: Path) -> None:
    if importlib.util.find_spec(NEEDED[engine].partition('.')[0]) is None:
        pytest.skip(f'{NEEDED[engine]} is not installed')
    expected = printed('stations.py', str(measurements))
    assert len(expected) == 40
    found = printed(f'stations_{engine}.py', str(measurements), '--blocksize', '100 KB')
    assert found == expected

"""Article 000, a large CSV read lazily: examples/article_000_csv.py."""

import csv
import math
import os
import runpy
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest

EXAMPLES = Path(__file__).parents[2] / 'examples'
PROGRAM = EXAMPLES / 'article_000_csv.py'
DATA = EXAMPLES / 'data' / 'computed_temperatures.csv'


@pytest.fixture(scope='module')
def example():
    return runpy.run_path(str(PROGRAM))


@pytest.fixture(scope='module')
def records():
    with open(DATA, encoding='utf-8', newline='') as f:
        return list(csv.DictReader(f))


def test_rows_are_the_records_without_the_header(example):
    with open(DATA, encoding='utf-8', newline='') as f:
        expected = list(csv.reader(f))[1:]
    assert len(expected) == 2016
    assert list(example['read_large_csv'](str(DATA))) == expected


def test_numbers_against_the_csv_module(example, records):
    result = example['main'](str(DATA))
    by_station = {}
    for record in records:
        by_station.setdefault(record['station'], []).append(float(record['temperature_c']))
    assert result.stations.keys() == by_station.keys()
    for station, values in by_station.items():
        assert result.stations[station].weight == len(values)
        assert math.isclose(result.stations[station].value, fmean(values), rel_tol=1e-12)
    weights = [math.cos(math.radians(float(r['latitude']))) for r in records]
    expected = fmean([float(r['temperature_c']) for r in records], weights)
    assert math.isclose(result.weighted.value, expected, rel_tol=1e-12)


def test_reads_no_more_than_it_is_asked_for(example, tmp_path):
    """The rows come while the file is still being written, through a pipe."""
    if not hasattr(os, 'mkfifo'):
        pytest.skip('no named pipes here')
    pipe = tmp_path / 'endless.csv'
    os.mkfifo(pipe)
    writer = subprocess.Popen(
        [sys.executable, '-c', f'f = open({str(pipe)!r}, "w")\nwhile 1: f.write("a,b\\n" * 4096)'],
        stderr=subprocess.DEVNULL,
    )
    try:
        rows = example['read_large_csv'](str(pipe))
        assert [next(rows) for _ in range(100_000)][-1] == ['a', 'b']
        rows.close()
        assert writer.wait(timeout=30) != 0  # a broken pipe: the reader's end was closed
    finally:
        writer.kill()
        writer.wait()


def test_as_a_program(records):
    done = subprocess.run(
        [sys.executable, PROGRAM, DATA],
        capture_output=True,
        encoding='utf-8',
        env={**os.environ, 'PYTHONIOENCODING': 'utf-8'},
        check=True,
    )
    lines = done.stdout.splitlines()
    assert done.stderr == ''
    assert len(lines) == len({r['station'] for r in records}) + 1
    vineyard = fmean(float(r['temperature_c']) for r in records if r['station'] == 'Vineyard')
    assert next(line for line in lines if line.startswith('Vineyard')).split()[1:3] == [
        f'{vineyard:.3f}',
        '°C',
    ]


def test_the_shipped_file_is_what_its_formula_gives(tmp_path):
    """libm may differ in the last bit from one system to another, hence not byte by byte."""
    again = tmp_path / 'again.csv'
    runpy.run_path(str(EXAMPLES / 'data' / 'make_temperatures.py'))['write'](again)
    with open(again, encoding='utf-8', newline='') as f, open(DATA, encoding='utf-8') as g:
        pairs = list(zip(csv.reader(f), csv.reader(g), strict=True))
    assert pairs[0][0] == pairs[0][1]
    for made, shipped in pairs[1:]:
        assert made[:3] == shipped[:3]
        assert math.isclose(float(made[3]), float(shipped[3]), abs_tol=0.011)

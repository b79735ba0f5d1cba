"""A packed CSV file into sqlite: examples/etl.py."""

import csv
import gzip
import runpy
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / 'examples' / 'etl.py'


@pytest.fixture(scope='module')
def example():
    return runpy.run_path(str(PROGRAM))


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, PROGRAM], capture_output=True, text=True, check=True, timeout=100
    )
    assert done.stdout == '49995 rows worth 2137158.00, and 5 records in sales.csv.gz.rejects\n'
    assert done.stderr.rstrip().endswith('100%')


def test_as_a_program_on_files(example, tmp_path):
    source, target = tmp_path / 'sales.csv.gz', tmp_path / 'sales.db'
    example['make'](source, 100)
    command = [sys.executable, PROGRAM, source, target]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert done.stdout.startswith('99 rows')
    with closing(sqlite3.connect(target)) as database:
        assert database.execute('SELECT count(*) FROM sales').fetchone() == (99,)


def test_what_is_loaded_is_what_python_reads(example, tmp_path):
    source, rejects = tmp_path / 'sales.csv.gz', tmp_path / 'rejects'
    example['make'](source, 20_000)
    expected, bad = [], []
    with gzip.open(source, 'rt', encoding='utf-8', newline='') as file:
        for i, day, shop, pieces, price in (
            (i, *rest) for i, _, *rest in list(csv.reader(file))[1:]
        ):
            try:
                expected.append((int(i), example['iso_day'](day), shop, int(pieces), float(price)))
            except ValueError:
                bad.append(i)
    seen = []
    with closing(sqlite3.connect(':memory:')) as database:
        loaded = example['load'](source, database, rejects, lambda *place: seen.append(place))
        rows = database.execute('SELECT * FROM sales ORDER BY id').fetchall()
    assert rows == sorted(expected)
    assert loaded == (len(expected), len(bad))
    with open(rejects, newline='', encoding='utf-8') as file:
        assert [row[0] for row in csv.reader(file)] == bad
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1] == source.stat().st_size


def test_nothing_is_loaded_where_the_file_is_cut_off(example, tmp_path):
    source = tmp_path / 'sales.csv.gz'
    example['make'](source, 20_000)
    source.write_bytes(source.read_bytes()[:-2000])
    with closing(sqlite3.connect(':memory:')) as database:
        with pytest.raises(EOFError):
            example['load'](source, database, tmp_path / 'rejects')
        assert database.execute('SELECT name FROM sqlite_master').fetchall() == []

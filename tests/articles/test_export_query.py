"""A query exported to a CSV file and read back: examples/export_query.py."""

import csv
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / 'examples' / 'export_query.py'


@pytest.fixture(scope='module')
def example():
    return runpy.run_path(str(PROGRAM))


def test_as_a_program(tmp_path):
    done = subprocess.run(
        [sys.executable, PROGRAM, tmp_path / 'out.csv'],
        capture_output=True,
        encoding='utf-8',
        env={**os.environ, 'PYTHONIOENCODING': 'utf-8'},
        check=True,
    )
    size = (tmp_path / 'out.csv').stat().st_size
    assert done.stdout == f'20000 rows in {size} bytes, all of them unchanged\n'
    assert done.stderr == ''


def test_file_is_what_the_csv_module_writes(example, tmp_path):
    connection = example['make_database']()
    ours, theirs = tmp_path / 'ours.csv', tmp_path / 'theirs.csv'
    assert example['export'](connection, ours) == ours.stat().st_size
    cursor = connection.execute(example['QUERY'])
    with open(theirs, 'w', encoding='utf-8', newline='') as f:
        writer = csv.writer(f)
        writer.writerow(column[0] for column in cursor.description)
        writer.writerows(cursor)
    assert ours.read_bytes() == theirs.read_bytes()
    connection.close()

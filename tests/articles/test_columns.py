"""CSV as columns: examples/csv_to_parquet.py and examples/columns.py."""

import csv
import os
import runpy
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

pytest.importorskip('pyarrow')

EXAMPLES = Path(__file__).parents[2] / 'examples'
CITIES = (
    'name,country,population\nReykjavík,IS,139875\nBergen,NO,289330\nLyon,FR,520774\n'
    'Oslo,NO,717710\n"Washington, D.C.",US,678972\n=x,=IS,1\n'
)
ANSWER = 'country,people\nNO,1007040\nUS,678972\nFR,520774\nIS,139875\n=IS,1\n'


@pytest.fixture
def cities(tmp_path):
    path = tmp_path / 'cities.csv'
    path.write_text(CITIES, 'utf-8')
    return path


def run(*arguments):
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert done.stderr == ''
    return done.stdout


def test_parquet_as_a_program():
    told = run(EXAMPLES / 'csv_to_parquet.py')
    assert told.startswith('49995 rows, 5 records in measurements.csv.rejects, ')


def test_parquet_holds_what_python_reads(tmp_path):
    from pyarrow import parquet

    example = runpy.run_path(str(EXAMPLES / 'csv_to_parquet.py'))
    source, target, rejects = tmp_path / 'm.csv', tmp_path / 'm.parquet', tmp_path / 'rejects'
    example['make'](source, 20_000)
    assert example['convert'](source, target, rejects) == (19_998, 2)
    table = parquet.read_table(target)
    with open(source, encoding='utf-8', newline='') as file:
        rows = [row for row in csv.DictReader(file) if row['celsius'] != 'broken']
    assert rejects.read_bytes().count(b'broken') == 2
    assert table['station'].to_pylist() == [row['station'] for row in rows]
    assert table['remark'].to_pylist() == [row['remark'] for row in rows]
    assert [value.isoformat() for value in table['at'].to_pylist()] == [row['at'] for row in rows]
    assert table['celsius'].to_pylist() == [
        None if row['celsius'] == 'n/a' else Decimal(row['celsius']) for row in rows
    ]
    assert [str(value or '') for value in table['checked'].to_pylist()] == [
        row['checked'] for row in rows
    ]


def test_each_library_gives_the_same_answer(cities):
    example = runpy.run_path(str(EXAMPLES / 'columns.py'))
    asked = 0
    for ask in example['WAYS'].values():
        try:
            answer = ask(str(cities))
        except ModuleNotFoundError:
            continue
        asked += 1
        assert example['as_csv'](answer) == ANSWER.encode()
    assert asked > 0


def test_columns_as_a_program(cities):
    for line in run(EXAMPLES / 'columns.py', cities).splitlines():
        name, _, told = line.partition(': ')
        assert name in ('duckdb', 'polars', 'pandas')
        assert told == 'NO,1007040' or told.endswith('is not installed')


def test_the_answer_as_a_download(cities, monkeypatch):
    pytest.importorskip('flask')
    pytest.importorskip('duckdb')
    monkeypatch.setitem(os.environ, 'CITIES', str(cities))
    example = runpy.run_path(str(EXAMPLES / 'columns.py'))
    response = example['create_app']().test_client().get('/countries.csv')
    assert response.mimetype == 'text/csv'
    assert response.data.decode() == ANSWER.replace('\n=IS', "\n'=IS").replace('\n', '\r\n')

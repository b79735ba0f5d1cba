"""CSV into SQLite: examples/csv_to_sqlite.py."""

import runpy
import sqlite3
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / 'examples' / 'csv_to_sqlite.py'


def run(*arguments):
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), *map(str, arguments)],
        capture_output=True,
        encoding='utf-8',
        env=None,
        check=True,
        timeout=100,
    )
    assert done.stderr == ''
    return done.stdout


def test_a_file_of_its_own():
    lines = run().splitlines()
    assert lines[0] == '<CSVSchema of 20000 rows, 6 columns>'
    assert [line.split()[:2] for line in lines[2:-1]] == [
        ['order', 'int'],
        ['customer', 'str'],
        ['day', 'date'],
        ['price', 'float'],
        ['paid', 'bool'],
        ['remark', 'str'],
    ]
    assert lines[-1] == '20000 rows in orders'


def test_awkward_values(tmp_path):
    source = tmp_path / 'x.csv'
    source.write_text('a,a,n\n1,"x ""y""",12345678901234567890.5\n2\n,"é\n",0.25,9\n', 'utf-8')
    load = runpy.run_path(str(EXAMPLE))['load']
    database = sqlite3.connect(tmp_path / 'x.db')
    schema = load(source, database, 'a "table"')
    assert (schema.short, schema.long) == (1, 1)
    assert database.execute('SELECT * FROM "a ""table"""').fetchall() == [
        (1, 'x "y"', '12345678901234567890.5'),
        (2, None, None),
        (None, 'é\n', '0.25'),
    ]
    database.close()

"""What mypy and pyright say, where they are installed: the stage `types` of .ci/run has both."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

CHECKERS = {
    'mypy': ['mypy', '--strict', '--cache-dir', '.mypy'],
    'pyright': ['pyright', '--pythonpath', sys.executable],
}
MISSPELT = [
    "csv_rows('a.csv', colunms=['id'])",
    "csv_rows('a.csv', into=dict, types={'a': int}, encodin='utf-8')",
    'csv_rows([], into=CSVRow, heder=True)',
    "csv_batches('a.csv', colunms=['id'])",
    "csv_encode([], colunms=['id'])",
    "lines('a.txt', newlin='x')",
    "map_threads(str, ['a'], concurency=2)",
    'csv.DictReader([], delimeter=";")',
]


@pytest.fixture(params=CHECKERS)
def checker(request: pytest.FixtureRequest) -> list[str]:
    if importlib.util.find_spec(request.param) is None:
        pytest.skip(f'{request.param} is not installed')
    return [sys.executable, '-m', *CHECKERS[request.param]]


def check(checker: list[str], folder: Path, program: str) -> list[str]:
    """What is said of a program, without the lines that sum up."""
    names = 'CSVRow, csv, csv_batches, csv_encode, csv_rows, lines, map_threads'
    (folder / 'program.py').write_text(f'from generators import {names}\n\n{program}\n')
    done = subprocess.run(
        [*checker, 'program.py'],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stderr == ''
    said = [
        line for line in done.stdout.splitlines() if 'program.py:' in line or line[:4] == '    '
    ]
    assert all('resolve' not in line and 'find' not in line for line in said), said
    return said


@pytest.mark.parametrize('call', MISSPELT)
def test_a_misspelt_keyword_is_an_error_of_ten_lines(
    checker: list[str], call: str, tmp_path: Path
) -> None:
    said = check(checker, tmp_path, call)
    assert 1 <= len(said) <= 10, said


def test_a_dict_reader_needs_no_annotation(checker: list[str], tmp_path: Path) -> None:
    program = 'r = csv.DictReader(["a"])\nfor row in r:\n    print(row["a"])\n'
    program += 'def f(rows: "csv.DictReader[str]") -> None: ...\n\nf(r)'
    assert check(checker, tmp_path, program) == []


def test_rows_have_the_type_of_their_shape(checker: list[str], tmp_path: Path) -> None:
    program = """\
from typing import NamedTuple

class City(NamedTuple):
    name: str
    country: str

a: list[str] = next(csv_rows('a.csv'))
b: dict[str, str] = next(csv_rows('a.csv', into=dict))
c: str = next(csv_rows('a.csv', into=City)).country
d: tuple[str, ...] = next(csv_rows('a.csv', into=tuple, header=True))
e: str = next(csv_rows('a.csv', into=CSVRow))['a']
f: int = next(csv_rows('a.csv', into=len))
for row in csv_rows('a.csv', types={'a': int}):
    g: int = row[0]
"""
    assert check(checker, tmp_path, program) == []

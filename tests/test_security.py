"""SECURITY.md names the tests that hold each of its promises, and two of them are here."""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from generators import CSVRow, csv_rows

ROOT = Path(__file__).parents[1]
ROWS = re.findall(r'^\| \*\*(.*?)\*\*.*\|(.*)\|$', (ROOT / 'SECURITY.md').read_text('utf-8'), re.M)


def names_of_tests(path: Path) -> set[str]:
    tree = ast.parse(path.read_text('utf-8'))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_each_line_of_the_table_is_seen() -> None:
    lines = re.findall(r'^\| (?!promise|---)', (ROOT / 'SECURITY.md').read_text('utf-8'), re.M)
    assert len(ROWS) == len(lines) > 10


@pytest.mark.parametrize(('promise', 'held'), ROWS, ids=[promise for promise, _ in ROWS])
def test_what_holds_a_promise_is_there(promise: str, held: str) -> None:
    named = re.findall(r'`((?:tests|benchmarks|src)[^`]*)`', held)
    assert any('::' in name for name in named), 'it names no test'
    for name in named:
        path, _, test = name.partition('::')
        if path.startswith('src') and not (ROOT / 'src').exists():
            continue  # the tests of what is installed come without it
        assert (ROOT / path).exists(), path
        assert not test or test in names_of_tests(ROOT / path), name


CODE = [
    "__import__('os').abort()",
    'os.abort()',
    '=cmd()',
    '${os.abort()}',
    'cos\\nabort\\n(tR.',
    '!!python/object/apply:os.abort []',
]


@pytest.mark.parametrize('into', [list, tuple, dict, CSVRow])
def test_no_code_is_run_from_data(into: Any) -> None:
    """Nothing is compiled, imported, opened or unpickled while rows are read."""
    done: list[str] = []
    watching = False

    def watch(event: str, arguments: Any) -> None:
        if watching and event in {'compile', 'exec', 'import', 'open', 'pickle.find_class'}:
            done.append(event)

    def read() -> list[Any]:
        return [*csv_rows(data, header=True, into=into, types={1: int})]

    data = ''.join(f'"{code}",1\n' for code in ['a', *CODE]).encode()
    read()  # what is imported at the first use is there then
    sys.addaudithook(watch)  # for ever
    watching = True
    rows = read()
    watching = False
    fields = [[*(row.values() if isinstance(row, dict) else row)] for row in rows]
    assert fields == [[code, 1] for code in CODE]
    assert done == []


def test_a_checkpoint_holds_plain_data_and_no_path(tmp_path: Path) -> None:
    path = tmp_path / 'secret name.csv'
    path.write_bytes(b'a,b\n1,2\n3,4\n')
    rows = csv_rows(path, into=dict)
    next(rows)
    text = json.dumps(rows.checkpoint())
    assert 'secret' not in text
    assert [*csv_rows(path, into=dict, start=json.loads(text))] == [{'a': '3', 'b': '4'}]

"""``generators sniff`` and ``generators schema``: what is in a file that nobody knows."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.cli.test_cli import output, run

MESSY = 'Sales of 2026\n\nid;price;day\n1;2,5;2026-01-02\n2;;2026-01-03\n3;1,0;2026-01-04\n'


@pytest.fixture
def messy(tmp_path: Path) -> Path:
    path = tmp_path / 'messy.csv'
    path.write_text(MESSY)
    return path


def test_how_a_file_is_to_be_read(messy: Path) -> None:
    lines = output('sniff', messy).splitlines()
    assert lines[0].split() == ['found', 'sure', 'next', 'best']
    assert any(line.startswith('delimiter') and "';'" in line for line in lines)
    found = json.loads(output('sniff', messy, '--to', 'json'))
    assert (found['format']['delimiter'], found['format']['header']) == (';', True)
    assert 0 <= found['sure']['delimiter'] <= 1
    assert json.loads(output('sniff', '--to', 'json', input=MESSY.encode())) == found


def test_what_was_found_is_what_is_used(messy: Path) -> None:
    words = shlex.split(output('sniff', messy, '--to', 'options'))
    expected = 'id,price,day\n1,"2,5",2026-01-02\n2,,2026-01-03\n3,"1,0",2026-01-04\n'
    assert output(messy, *words) == expected
    assert output(messy, '--sniff') == expected
    assert run(messy, '--sniff', '-d', ',').returncode == 1, 'an option comes before what is found'
    done = run('--sniff', input=MESSY.encode())
    assert (done.returncode, b'stdin can be read only once' in done.stderr) == (2, True)


def test_what_columns_hold(messy: Path) -> None:
    how = ['-d', ';', '--skip', '2']
    text = output('schema', messy, *how)
    assert text.splitlines()[0] == '<CSVSchema of 3 rows, 3 columns>'
    found = json.loads(output('schema', messy, *how, '--to', 'json'))
    assert found['rows'] == 3
    assert output('schema', messy, *how, '--to', 'types') == 'id=int,day=date\n'
    created = output('schema', messy, *how, '--to', 'sql', '--table', 'sales')
    assert created.startswith('CREATE TABLE')
    assert 'sales' in created
    assert output('schema', *how, '--to', 'types', input=MESSY.encode()) == 'id=int,day=date\n'


def test_types_that_were_found_are_used(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('"a,b",c\n1,NA\n2,1.5\n')
    types = output('schema', path, '--null', 'NA', '--to', 'types').strip()
    lines = output(path, '--types', types, '--null', 'NA', '--to', 'jsonl').splitlines()
    assert list(map(json.loads, lines)) == [{'a,b': 1, 'c': None}, {'a,b': 2, 'c': 1.5}]


@pytest.mark.parametrize('command', ['sniff', 'schema', 'split'])
def test_what_is_wrong(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path / 'none.csv')
    assert (done.returncode, b'none.csv' in done.stderr) == (2, True)
    assert b'Traceback' not in done.stderr
    assert output(command, '--help').startswith(f'usage: generators {command}')


def test_a_file_called_as_a_command(tmp_path: Path) -> None:
    (tmp_path / 'sniff').write_text('a\n1\n')
    assert output(tmp_path / 'sniff') == 'a\n1\n'


def test_a_schema_of_a_bad_file(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('a,b\n1,"2\n')
    done = run('schema', path)
    assert (done.returncode, done.stdout) == (1, b'')

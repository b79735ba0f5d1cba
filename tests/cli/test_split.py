"""``generators split``: parts of a file, which are read one by one."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_cli import many, output, run  # noqa: F401


def test_parts_make_the_whole(many: Path, tmp_path: Path) -> None:  # noqa: F811
    pattern = tmp_path / 'part-{}.json'
    assert output('split', many, '--parts', '3', '-o', pattern) == ''
    found = ''
    for number in (1, 2, 3):
        name, *rows = output(many, '--part', tmp_path / f'part-{number}.json').splitlines(True)
        found += ''.join(rows)
    assert name + found == many.read_text()
    lines = output('split', many, '--parts', '3').splitlines()
    assert lines == [(tmp_path / f'part-{n}.json').read_text().strip() for n in (1, 2, 3)]
    assert all(json.loads(line)['end'] for line in lines)


def test_of_another_dialect(tmp_path: Path) -> None:
    path = tmp_path / 'a.tsv'
    path.write_text('a\tb\n1\t2\n')
    part = tmp_path / 'part.json'
    part.write_text(output('split', path, '--parts', '1'))
    assert output(path, '--part', part) == 'a,b\n1,2\n'


def test_what_cannot_be_split(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('a\n1\n')
    for arguments, word in (
        ([path, '-o', 'x'], '{} is missing'),
        (['-'], 'not stdin'),
        (['none.csv'], 'none.csv'),
        ([path, '--parts', '0'], 'parts'),
        ([path, '--encoding', 'utf-16'], 'encoding'),
    ):
        done = run('split', *arguments)
        assert (done.returncode, word in done.stderr.decode()) == (2, True), done.stderr
        assert b'Traceback' not in done.stderr


def test_help_of_each_command() -> None:
    assert output('split', '--help').startswith('usage: generators split')

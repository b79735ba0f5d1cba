"""Which rows and columns the command line writes: ``-c``, ``--where``, ``--head``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.test_cli import output, run

FILE = 'id,town,n,price\n1,Oslo,7,10.50\n2,Rome,007,-2\n3,Lima,,1e1\n4,,x,abc\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / 'a.csv'
    path.write_text(FILE)
    return path


@pytest.mark.parametrize(
    ('columns', 'header'),
    [
        ('1-2,price', 'id,town,price'),
        ('3-', 'n,price'),
        ('-2', 'id,town'),
        ('4,1', 'price,id'),
        ('1,id', 'id,id'),
        ('-', None),
        ('0', None),
        ('5', None),
        ('3-9', None),
        ('3-2', None),
        ('twon', None),
    ],
)
def test_columns_by_number(columns: str, header: str | None, path: Path) -> None:
    if header is not None:
        assert output(path, '-c', columns).splitlines()[0] == header
        return
    done = run(path, '-c', columns)
    assert (done.returncode, done.stdout) == (2, b'')
    assert f'--columns {columns}'.encode() in done.stderr


def test_a_name_comes_before_a_number(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('2,1,1-2\na,b,c\n')
    assert output(path, '-c', '1') == '1\nb\n'
    assert output(path, '-c', '1-2,3') == '1-2,1-2\nc,c\n'


def test_a_name_that_is_nearly_right(path: Path) -> None:
    done = run(path, '-c', 'twon')
    assert b"there is no column 'twon': did you mean 'town'?" in done.stderr


@pytest.mark.parametrize(
    ('conditions', 'ids'),
    [
        (['price>3'], '13'),
        (['price > 3'], '13'),
        (['price>=10.5'], '1'),
        (['price<0'], '2'),
        (['price<=-2.00'], '2'),
        (['n>6'], '12'),
        (['n=7'], '1'),
        (['n!=7'], '234'),
        (['n='], '3'),
        (['n!='], '124'),
        (['town>Nome'], '12'),
        (['town~^.o'], '2'),
        (['town~o'], '12'),
        (['town!~o'], '34'),
        (['id>1', 'id<4'], '23'),
        (['id=1', 'id=4'], '14'),
        (['id=1', 'id=4', 'town!='], '1'),
        (['"id">3'], '4'),
        (['2=Rome'], '2'),
    ],
)
def test_where(conditions: list[str], ids: str, path: Path) -> None:
    where = [word for condition in conditions for word in ('--where', condition)]
    assert output(path, '-c', 'id', *where).split() == ['id', *ids]
    lines = output(path, '-c', 'id', '--to', 'jsonl', *where).splitlines()
    assert [json.loads(line)['id'] for line in lines] == list(ids)


@pytest.mark.parametrize('to', ['csv', 'jsonl'])
@pytest.mark.parametrize(
    ('condition', 'ids'),
    [
        ('n>6.5', '12'),
        ('n=7', '12'),
        ('n=', '3'),
        ('n<7', ''),
        ('day>2024-02-01', '13'),
        ('day!=2024-03-01', '23'),
        ('day~-0[13]-', '12'),
        ('ok=no', '23'),
    ],
)
def test_types_decide_what_is_compared(to: str, condition: str, ids: str, tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text(
        'id,n,day,ok\n1,7,2024-03-01,yes\n2,007,2024-01-31,false\n3,,20240205,0\n4,NA,,\n'
        if condition != 'n='
        else 'id,n,day,ok\n1,7,,\n2,8,,\n3,,,\n'
    )
    types = ['--types', 'n=int,day=date,ok=bool', '--null', 'NA']
    written = output(path, *types, '--where', condition, '--to', to, '-c', 'id')
    rows = written.split()[1:] if to == 'csv' else [json.loads(x)['id'] for x in written.split()]
    assert [row for row in rows if row != '4' or '!=' not in condition] == list(ids)


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['--where', 'town'], 'NAME=VALUE'),
        (['--where', 'town~('], 'unterminated'),
        (['--where', 'ok>yes', '--types', 'ok=bool'], 'no order'),
        (['--where', 'n>many', '--types', 'n=int'], 'n>many'),
        (['--where', 'none=1'], "no column 'none'"),
        (['--types', 'n'], 'NAME=TYPE'),
        (['--types', '1-2=int'], 'must be one'),
    ],
)
def test_what_cannot_be(arguments: list[str], word: str, path: Path) -> None:
    done = run(path, *arguments)
    assert (done.returncode, done.stdout) == (2, b'')
    assert word in done.stderr.decode()
    assert b'Traceback' not in done.stderr


def test_the_first_rows(path: Path, tmp_path: Path) -> None:
    assert output(path, '--head', '2') == ''.join(FILE.splitlines(True)[:3])
    assert output(path, '--head', '0') == ''
    assert output(path, '--head', '1', '--where', 'price>3', '--where', 'id!=1', '-c', '1') == (
        'id\n3\n'
    )
    both = output(path, path, '--head', '5', '-c', 'id').split()
    assert both == ['id', '1', '2', '3', '4', '1']
    lines = output(path, '--head', '2', '--to', 'json', '-c', 'id')
    assert json.loads(lines) == [{'id': '1'}, {'id': '2'}]


def test_how_values_are_written_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('n;x;day;at;p\n1.234;-1.234,5;24.12.2026;12:30;1,5\n7;0,5;01.01.2026;;\n')
    how = ['-d', ';', '--decimal', ',', '--thousands', '.', '--date-format', '%d.%m.%Y']
    types = ['--types', 'n=int,x=float,day=date,at=time,p=decimal(5,2)']
    assert json.loads(output(path, *how, *types, '--to', 'json')) == [
        {'n': 1234, 'x': -1234.5, 'day': '2026-12-24', 'at': '12:30:00', 'p': '1.50'},
        {'n': 7, 'x': 0.5, 'day': '2026-01-01', 'at': None, 'p': None},
    ]
    for condition in ('n>1.000', 'x<0', 'day>01.12.2026', 'p=1,5'):
        assert output(path, *how, *types, '--where', condition, '-c', 'n').split() == ['n', '1.234']
    done = run(path, *how, *types, '--where', 'x>a')
    assert (done.returncode, b'--where x>a' in done.stderr) == (2, True)

"""``python -m generators --to parquet`` and ``--to arrow``, run as the shell runs it."""

from __future__ import annotations

import datetime as dt
import gzip
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('pyarrow')

import pyarrow as pa
from pyarrow import ipc, parquet

from .test_cli import cities, many, run  # noqa: F401

TYPES = 'Population=int,Area=float,Founded=date'


def table(out: Path) -> Any:
    return parquet.read_table(out) if out.suffix == '.parquet' else ipc.open_file(out).read_all()


def columns(out: Path, *arguments: Any) -> Any:
    """Run it, and read what it wrote."""
    done = run(*arguments, '--to', out.suffix[1:], '--output', out)
    assert (done.returncode, done.stdout, done.stderr) == (0, b'', b'')
    assert [path.name for path in out.parent.glob('*.part')] == []
    return table(out)


@pytest.fixture(params=['parquet', 'arrow'])
def out(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f'out.{request.param}'


def test_typed_columns(cities: Path, out: Path) -> None:  # noqa: F811
    made = columns(out, cities, '--types', TYPES)
    assert made.schema == pa.schema(
        [
            ('Name', pa.string()),
            ('Population', pa.int64()),
            ('Area', pa.float64()),
            ('Founded', pa.date32()),
        ]
    )
    assert made.to_pylist() == [
        {'Name': 'Oslo', 'Population': 709037, 'Area': 454.0, 'Founded': dt.date(1040, 1, 1)},
        {'Name': 'Washington, D.C.', 'Population': 678972, 'Area': None, 'Founded': None},
    ]


def test_columns_and_rows_are_chosen(cities: Path, out: Path) -> None:  # noqa: F811
    where = ('--where', 'Population=678972', '--where', 'Population=5')
    made = columns(out, cities, '--types', TYPES, '--columns', 'Area,Name', *where)
    assert made.to_pydict() == {'Area': [None], 'Name': ['Washington, D.C.']}
    made = columns(out, cities, '--where', 'Name=none')
    assert (made.num_rows, made.num_columns) == (0, 4)
    made = columns(out, cities, '--types', TYPES, '--where', 'Area=', '--columns', 'Name')
    assert made.to_pydict() == {'Name': ['Washington, D.C.']}


def test_files_without_names(tmp_path: Path, out: Path) -> None:
    path = tmp_path / 'plain.csv'
    path.write_text('1,a\n2,b\n')
    made = columns(out, path, '--no-header', '--types', '1=int', '--where', '2=b')
    assert made.to_pydict() == {'column_1': [2], 'column_2': ['b']}
    assert columns(out, path, '--no-header', '--columns', '2').to_pydict() == {
        'column_2': ['a', 'b']
    }


def test_several_files_packed_or_not(tmp_path: Path, out: Path) -> None:
    one, two, empty = tmp_path / '1.csv', tmp_path / '2.csv.gz', tmp_path / '3.csv'
    one.write_text('a,b\n1,x\n')
    two.write_bytes(gzip.compress(b'a,b\n2,y\n'))
    empty.write_text('')
    made = columns(out, one, empty, two, '--types', 'a=int')
    assert made.to_pydict() == {'a': [1, 2], 'b': ['x', 'y']}
    assert columns(out, empty).num_columns == 0


def test_many_rows_to_stdout(many: Path) -> None:  # noqa: F811
    done = run(many, '--types', 'id=int', '--to', 'arrow')
    assert done.returncode == 0
    made = ipc.open_file(pa.BufferReader(done.stdout)).read_all()
    assert made['id'].to_pylist() == list(range(50_000))


def test_bad_records_are_put_aside(tmp_path: Path, out: Path) -> None:
    path, bad = tmp_path / 'bad.csv', tmp_path / 'bad.txt'
    path.write_text('n,m\n1,a\nx,b\n2\n3,c\n')
    arguments = (path, '--types', 'n=int', '--to', out.suffix[1:], '--output', out)
    done = run(*arguments, '--rejects', bad)
    assert done.returncode == 1
    assert b'2 records rejected, the first: invalid literal' in done.stderr
    assert bad.read_text() == 'x,b\n2\n'
    assert table(out).to_pydict() == {'n': [1, 3], 'm': ['a', 'c']}
    out.unlink()
    done = run(*arguments)
    assert done.returncode == 1
    assert b'record 3, line 3' in done.stderr
    assert list(tmp_path.glob('out*')) == []


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['--from', 'jsonl'], '--from jsonl reads JSON lines'),
        (['--resume', 'none/state', '--output', 'none/o'], '--resume appends lines only'),
        (['--types', 'Population=decimal'], 'Population=decimal: a column needs a precision'),
        (['--types', 'none=int'], "there is no column 'none'"),
        (['--columns', 'none'], "there is no column 'none'"),
        (['--where', 'none=1'], "there is no column 'none'"),
    ],
)
def test_what_cannot_be(
    cities: Path,  # noqa: F811
    arguments: list[str],
    message: str,
) -> None:
    done = run(cities, '--to', 'parquet', *arguments)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_files_of_other_columns(cities: Path, tmp_path: Path, out: Path) -> None:  # noqa: F811
    other = tmp_path / 'other.csv'
    other.write_text('Name\nx\n')
    done = run(cities, other, '--to', out.suffix[1:], '--output', out)
    assert done.returncode == 2
    assert b'its columns are Name string, and not Name string, Population string' in done.stderr
    assert not out.exists()


def test_without_pyarrow(cities: Path, tmp_path: Path) -> None:  # noqa: F811
    (tmp_path / 'pyarrow').mkdir()
    (tmp_path / 'run.py').write_text(
        'import importlib.util\n'
        'importlib.util.find_spec = lambda name: None\n'
        'from native_generators._cli import main\n'
        'import sys\n'
        'sys.exit(main(sys.argv[1:]))\n'
    )
    import subprocess

    done = subprocess.run(
        [sys.executable, str(tmp_path / 'run.py'), str(cities), '--to', 'parquet'],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "generators: --to parquet needs pyarrow: pip install 'native-generators[columns]'\n"
    )

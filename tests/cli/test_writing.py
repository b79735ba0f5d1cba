"""What the command line writes, and where: kinds, names, text as it stood, rejects."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_cli import COMMAND, environment, output, run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / 'a.csv'
    path.write_text('id,price,day\n007,12345678901234567890.12,20240102\n08,NA,\n')
    return path


TYPES = ['--types', 'id=int,price=float,day=date', '--null', 'NA']


def test_types_do_not_rewrite_text(path: Path) -> None:
    assert output(path, *TYPES) == path.read_text()
    assert output(path, *TYPES, '--where', 'id>1', '--to', 'tsv') == (
        path.read_text().replace(',', '\t')
    )


def test_types_rewrite_text_if_asked(path: Path) -> None:
    assert output(path, *TYPES, '--convert') == (
        'id,price,day\n7,1.2345678901234567e+19,2024-01-02\n8,,\n'
    )


def test_types_are_checked_where_text_is_kept(path: Path) -> None:
    with path.open('a') as file:
        file.write('1,2,3\nx,,\n')
    done = run(path, *TYPES)
    assert (done.returncode, done.stdout.decode()) == (1, path.read_text().partition('1,2,3')[0])
    assert b'line 4' in done.stderr


def test_json(path: Path) -> None:
    whole = output(path, *TYPES, '--to', 'json')
    assert json.loads(whole) == [
        {'id': 7, 'price': 12345678901234567890.12, 'day': '2024-01-02'},
        {'id': 8, 'price': None, 'day': None},
    ]
    assert whole.startswith('[\n{')
    assert whole.endswith('}\n]\n')
    assert output(path, '--where', 'id=none', '--to', 'json') == '[]\n'
    assert json.loads(output(path, '-n', '--to', 'json', '-c', '1')) == [['id'], ['007'], ['08']]


def test_json_of_nothing(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.touch()
    assert output(path, '--to', 'json') == '[]\n'
    assert output(path, '--to', 'jsonl') == ''


def test_json_names_with_signs(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('50%,"a""b",%s\n1,2,3\n')
    assert json.loads(output(path, '--to', 'jsonl')) == {'50%': '1', 'a"b': '2', '%s': '3'}


def test_json_of_json_lines(tmp_path: Path) -> None:
    path = tmp_path / 'a.jsonl'
    path.write_text('{"a":1}\n[2]\n')
    assert output(path, '--to', 'json') == '[\n{"a":1},\n[2]\n]\n'
    (tmp_path / 'b.ndjson').write_text('{"a":1,"b":"x"}\n{"a":5}\n')
    assert output(tmp_path / 'b.ndjson', '--where', 'a>2', '--to', 'tsv') == 'a\tb\n5\t\n'


def test_other_delimiters_are_written(path: Path, tmp_path: Path) -> None:
    assert output(path, '--out-delimiter', ';', '-c', '1,3') == 'id;day\n007;20240102\n08;\n'
    tsv = tmp_path / 'b.tsv'
    tsv.write_text('a\tb\n1\t"x,y"\n')
    assert output(tsv) == 'a,b\n1,"x,y"\n'
    assert output(tsv, '--to', 'tsv') == 'a\tb\n1\tx,y\n'


@pytest.mark.parametrize(
    ('name', 'read'),
    [
        ('out.csv.gz', gzip.decompress),
        ('out.csv.bz2', bz2.decompress),
        ('out.csv.xz', lzma.decompress),
        ('out.csv', bytes),
        ('out', bytes),
    ],
)
def test_the_name_says_how_it_is_compressed(
    name: str, read: Callable[[bytes], bytes], path: Path, tmp_path: Path
) -> None:
    assert output(path, '-o', tmp_path / name) == ''
    assert read((tmp_path / name).read_bytes()).decode() == path.read_text()


def test_zstandard(path: Path, tmp_path: Path) -> None:
    out = tmp_path / 'out.csv.zst'
    done = run(path, '-o', out)
    if done.returncode:
        assert b"pip install 'native-generators[compression]'" in done.stderr
    else:
        assert out.read_bytes().startswith(b'\x28\xb5\x2f\xfd')


def test_the_name_says_what_is_written(path: Path, tmp_path: Path) -> None:
    output(path, '-o', tmp_path / 'out.jsonl.gz')
    lines = gzip.decompress((tmp_path / 'out.jsonl.gz').read_bytes()).splitlines()
    assert json.loads(lines[1]) == {'id': '08', 'price': 'NA', 'day': ''}
    output(path, '-o', tmp_path / 'out.tsv')
    assert (tmp_path / 'out.tsv').read_text() == path.read_text().replace(',', '\t')


# --- files are not touched too early ----------------------------------------------------------


@pytest.mark.parametrize(
    'arguments',
    [
        ['none.csv'],
        ['a.csv', '-c', 'none'],
        ['a.csv', '--encoding', 'utf-9'],
        ['a.csv', '-d', ',,'],
        ['bad.csv'],
        ['.'],
    ],
)
def test_an_output_is_not_touched_before_the_header_was_read(
    arguments: list[str], path: Path, tmp_path: Path
) -> None:
    out, rejects = tmp_path / 'out.csv', tmp_path / 'rejects.csv'
    out.write_text('precious')
    rejects.write_text('precious')
    (tmp_path / 'bad.csv').write_bytes(b'\xff\n')
    done = run(*arguments, '-o', out, '--rejects', rejects, cwd=tmp_path, env=environment())
    assert done.returncode == 2
    assert (out.read_text(), rejects.read_text()) == ('precious', 'precious')


def test_an_empty_input_makes_an_empty_output(tmp_path: Path) -> None:
    out = tmp_path / 'out.csv'
    out.write_text('old')
    (tmp_path / 'a.csv').touch()
    assert output(tmp_path / 'a.csv', '-o', out) == ''
    assert out.read_text() == ''


# --- bad records ------------------------------------------------------------------------------


def test_an_unclosed_quote_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('a,b\n1,"2\n' + '3,4\n' * 396)
    done = run(path)
    assert (done.returncode, done.stdout) == (1, b'a,b\n')
    assert done.stderr.startswith(b'generators: ')
    path.write_text('a,b\n1,"2\n3,4\n5,"6"\n7,8\n')
    assert run(path).returncode == 1
    assert list(csv.reader(io.StringIO(output(path, '--lenient', '-n'), newline=''))) == list(
        csv.reader(io.StringIO(path.read_text(), newline=''))
    )


def test_rejects_are_whole_however_long(tmp_path: Path) -> None:
    path, rejects = tmp_path / 'a.csv', tmp_path / 'rejects'
    long = '"' + 'x' * 100_000 + '\n' + 'y' * 100_000 + '",1,2\n'
    path.write_text('a,b\n' + long + '3,4\n')
    done = run(path, '--rejects', rejects)
    assert (done.returncode, done.stdout) == (1, b'a,b\n3,4\n')
    assert rejects.read_text() == long


def test_why_each_record_was_rejected(tmp_path: Path) -> None:
    path, rejects, reasons = (tmp_path / name for name in ('a.csv', 'rejects', 'reasons.csv'))
    path.write_text('id,n\n1,2\n3,x\n4\n"5\n",y\n6,7\n')
    done = run(path, '--types', 'n=int', '--rejects', rejects, '--reject-reasons', reasons)
    assert done.returncode == 1
    with reasons.open(newline='') as file:
        rows = list(csv.DictReader(file))
    assert [(row['file'], row['record'], row['line'], row['column']) for row in rows] == [
        (str(path), '3', '3', 'n'),
        (str(path), '4', '4', ''),
        (str(path), '5', '6', 'n'),
    ]
    assert "invalid literal for int() with base 10: 'x'" in rows[0]['reason']
    assert '2 fields expected, but 1 found' in rows[1]['reason']
    done = run(path, '--reject-reasons', reasons)
    assert (done.returncode, b'needs --rejects' in done.stderr) == (2, True)


# --- how it is started ------------------------------------------------------------------------


def test_what_is_piped_in_needs_no_name() -> None:
    assert output('--to', 'jsonl', input=b'a\n1\n') == '{"a":"1"}\n'


def test_on_a_terminal_a_file_must_be_named() -> None:
    pty = pytest.importorskip('pty', reason='no terminals of POSIX')
    terminal, end = pty.openpty()
    done = subprocess.run(COMMAND, stdin=end, capture_output=True, timeout=60, check=False)
    assert (done.returncode, b'name a FILE' in done.stderr) == (2, True)
    for descriptor in (terminal, end):
        os.close(descriptor)


def test_the_version() -> None:
    from native_generators import __version__

    assert output('--version') == f'generators {__version__}\n'


def test_the_script() -> None:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        scripts = distribution('native-generators').entry_points
    except PackageNotFoundError:
        pytest.skip('native-generators is not installed')
    assert [s.value for s in scripts if s.name == 'generators'] == ['native_generators._cli:main']


def test_reading_options(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text("a; b\n'x;y'; 1\\;2\n")
    written = output(
        path, '-d', ';', '--quotechar', "'", '--escapechar', '\\', '--skipinitialspace'
    )
    assert written == 'a,b\nx;y,1;2\n'
    path.write_text('1,"2\n')
    assert output(path, '-n', '--quoting', 'none', '--names', 'x,y') == 'x,y\n1,"""2"\n'
    path.write_text('a,b\n1\n')
    assert output(path, '--ragged', 'pad') == 'a,b\n1,\n'
    done = run(path, '--max-field', '0')
    assert (done.returncode, b'field' in done.stderr) == (2, True)
    assert output(path, '--max-field', 'none', '--ragged', 'pad') == 'a,b\n1,\n'


def test_a_column_twice_in_json(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('a\n1\n')
    done = run(path, '-c', 'a,a', '--to', 'jsonl')
    assert (done.returncode, b"two columns are named 'a'" in done.stderr) == (2, True)


def test_what_is_around_the_records(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('Sales\n\na,a,\n# note\n1,2,3\n\ntotal,9,9\n')
    found = output(path, '--skip', '1', '--comment', '#', '--footer', '1', '--duplicates', 'number')
    assert found == 'a,a_2,column_3\n1,2,3\n'
    assert output(path, '--skip', 'a,', '--comment', '#', '-c', '1') == 'a\n1\ntotal\n'
    path.write_text('a,b\n1,"x\n2,y\n3,z"\n')
    done = run(path, '--no-multiline', '--rejects', tmp_path / 'rejects')
    assert (done.returncode, done.stdout) == (1, b'a,b\n2,y\n3,"z"""\n')
    assert (tmp_path / 'rejects').read_text() == '1,"x\n'


def test_a_file_that_may_be_cut_off(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('a,b\n1,2\n3,4')
    assert output(path) == 'a,b\n1,2\n3,4\n'
    done = run(path, '--complete')
    assert (done.returncode, done.stdout) == (1, b'a,b\n1,2\n')


def test_a_member_of_a_zip(tmp_path: Path) -> None:
    path = tmp_path / 'a.zip'
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('x.csv', 'a\n1\n')
        archive.writestr('y.csv', 'a\n2\n')
    done = run(path)
    assert done.returncode == 2
    assert b'x.csv' in done.stderr
    assert output(path, '--member', 'y.csv') == 'a\n2\n'
    done = run(path, '--compression', 'none')
    assert done.returncode == 2

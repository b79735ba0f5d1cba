"""``python -m generators``, run as the shell runs it."""

from __future__ import annotations

import contextlib
import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from generators import csv_split

CITIES = 'Name,Population,Area,Founded\nOslo,709037,454.0,1040-01-01\n"Washington, D.C.",678972,,\n'
COMMAND = [sys.executable, '-m', 'generators']

posix = pytest.mark.skipif(not hasattr(os, 'mkfifo'), reason='signals and pipes of POSIX')


def run(*arguments: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, timeout=100, check=False, **options
    )


def output(*arguments: Any, **options: Any) -> str:
    done = run(*arguments, **options)
    assert (done.returncode, done.stderr) == (0, b'')
    return done.stdout.decode('utf-8')


@pytest.fixture
def cities(tmp_path: Path) -> Path:
    path = tmp_path / 'cities.csv'
    path.write_text(CITIES, 'utf-8', newline='')
    return path


MANY = 50_000


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """More than is read and written at once, and more than a pipe holds."""
    path = tmp_path / 'many.csv'
    with path.open('w', newline='') as file:
        file.write('id,text\n')
        file.writelines(f'{i},"a ""text"" of {i}"\n' for i in range(MANY))
    return path


# --- rows -------------------------------------------------------------------------------------


def test_rows_as_they_are(cities: Path) -> None:
    assert output(cities) == CITIES


def test_columns_in_the_order_given(cities: Path) -> None:
    assert output(cities, '--columns', 'Population,Name') == (
        'Population,Name\n709037,Oslo\n678972,"Washington, D.C."\n'
    )


def test_a_column_whose_name_has_a_comma(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('"a,b",c\n1,2\n')
    assert output(path, '--columns', '"a,b"', '--columns', 'c') == '"a,b",c\n1,2\n'


def test_json_lines_of_typed_columns(cities: Path) -> None:
    types = 'Population=int,Area=float', '--types', 'Founded=date'
    lines = output(cities, '--to', 'jsonl', '--types', *types).splitlines()
    assert [json.loads(line) for line in lines] == [
        {'Name': 'Oslo', 'Population': 709037, 'Area': 454.0, 'Founded': '1040-01-01'},
        {'Name': 'Washington, D.C.', 'Population': 678972, 'Area': None, 'Founded': None},
    ]


@pytest.mark.parametrize(
    ('kind', 'text', 'value'),
    [
        ('int', '-07', -7),
        ('float', '1e3', 1000.0),
        ('float', 'nan', None),
        ('float', '-inf', None),
        ('bool', 'Yes', True),
        ('decimal', '1.10', '1.10'),
        ('datetime', '2024-01-02 03:04:05', '2024-01-02T03:04:05'),
        ('str', '', ''),
        ('str', 'NA', 'NA'),
        ('int', 'NA', None),
    ],
)
def test_types_in_json(kind: str, text: str, value: Any, tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text(f'a,b\n{text},\n')
    line = output(path, '--to', 'jsonl', '--types', f'a={kind}', '--null', 'NA')
    assert json.loads(line) == {'a': value, 'b': ''}


def test_text_is_not_escaped_in_json(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes('é\n"ß\n"\n'.encode('latin-1'))
    assert output(path, '--to', 'jsonl', '--encoding', 'latin-1') == '{"é":"ß\\n"}\n'


@pytest.mark.parametrize(
    ('conditions', 'ids'),
    [
        (['town=Oslo'], '124'),
        (['town=Oslo', 'town=Rome'], '1234'),
        (['town=Oslo', 'n=7'], '12'),
        (['n='], '3'),
        (['town=Paris'], ''),
        (['day=2024-02-29'], '4'),
    ],
)
def test_where(conditions: list[str], ids: str, tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text(
        'id,town,n,day\n1,Oslo,7,\n2,Oslo,007,\n3,Rome,,\n4,Oslo,8,2024-02-29\n5,Lima,8,\n'
    )
    where = [word for condition in conditions for word in ('--where', condition)]
    types = ['--types', 'n=int,day=date']
    assert output(path, '--columns', 'id', *types, *where).split() == ['id', *ids]
    whole = output(path, '--to', 'jsonl', *types, *where).splitlines()
    assert [json.loads(line)['id'] for line in whole] == list(ids)


def test_text_is_compared_as_text(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text('n\n7\n007\n"x=y"\n')
    assert output(path, '--where', 'n=7') == 'n\n7\n'
    assert output(path, '--where', 'n=x=y') == 'n\nx=y\n'


def test_without_a_header_columns_are_numbers(cities: Path) -> None:
    rows = output(cities, '--no-header', '--columns', '2,1', '--where', '4=1040-01-01')
    assert rows == '709037,Oslo\n'
    lines = output(cities, '-n', '--to', 'jsonl', '-c', '1').splitlines()
    assert list(map(json.loads, lines)) == [['Name'], ['Oslo'], ['Washington, D.C.']]


def test_other_delimiters(tmp_path: Path) -> None:
    path = tmp_path / 'a.tsv'
    path.write_text('a\tb,c\n1\t2\n')
    assert output(path, '--delimiter', 'tab') == 'a,"b,c"\n1,2\n'


def test_several_files_a_gz_and_stdin(cities: Path, tmp_path: Path) -> None:
    packed = tmp_path / 'more.csv.gz'
    packed.write_bytes(gzip.compress(b'Name,Population,Area,Founded\nLima,1,,\n'))
    empty = tmp_path / 'empty.csv'
    empty.touch()
    rest = b'Name,Population,Area,Founded\nRome,2,,\n'
    assert output(empty, cities, packed, '-', input=rest) == CITIES + 'Lima,1,,\nRome,2,,\n'


def test_blank_lines_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_bytes(b'a\r\n\r\n1\r\n\r\n')
    assert output(path) == 'a\n1\n'
    assert output(path, '--to', 'jsonl') == '{"a":"1"}\n'


def test_rows_of_many_batches(many: Path) -> None:
    lines = output(many, '--columns', 'text').splitlines()
    assert lines[1:] == [f'"a ""text"" of {i}"' for i in range(MANY)]


def test_output_to_a_file(cities: Path, tmp_path: Path) -> None:
    path = tmp_path / 'out.csv'
    path.write_text('longer than what is written' * 100)
    assert output(cities, '--output', path) == ''
    assert path.read_text('utf-8') == CITIES


# --- what goes wrong --------------------------------------------------------------------------


BAD = 'id,n\n1,2\n3,x\n4\n\n5,6\n"7",é\n'


def test_a_bad_record_ends_the_run_after_the_rows_before_it(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv'
    path.write_text(BAD, 'utf-8')
    done = run(path, '--types', 'n=int')
    assert (done.returncode, done.stdout) == (1, b'id,n\n1,2\n')
    message = done.stderr.decode()
    assert 'line 3' in message
    assert "'n'" in message
    assert message.count('\n') == 1


def test_rejects_are_kept_as_they_stood(tmp_path: Path) -> None:
    path, rejects = tmp_path / 'a.csv', tmp_path / 'rejects.csv'
    path.write_text(BAD, 'utf-8')
    done = run(path, '--types', 'n=int', '--rejects', rejects)
    assert (done.returncode, done.stdout) == (1, b'id,n\n1,2\n5,6\n')
    assert rejects.read_text('utf-8') == '3,x\n4\n"7",é\n'
    assert b'3 records rejected' in done.stderr
    assert run(rejects, '--no-header').returncode == 1, 'its records may be read again'
    done = run(path, '--rejects', rejects, '--types', 'id=int')
    assert (done.returncode, rejects.read_text()) == (1, '4\n')


def test_no_rejects(cities: Path, tmp_path: Path) -> None:
    rejects = tmp_path / 'rejects.csv'
    assert output(cities, '--rejects', rejects) == CITIES
    assert rejects.read_bytes() == b''


@pytest.mark.parametrize(
    'arguments',
    [
        ['--what'],
        ['cities.csv', '--to', 'xml'],
        ['cities.csv', '--types', 'Name=complex'],
        ['cities.csv', '--types', 'Name'],
        ['cities.csv', '--where', 'Name'],
        ['cities.csv', '--delimiter', ';;'],
        ['-', '-'],
        ['cities.csv', '--columns', 'None'],
        ['cities.csv', '--types', 'None=int'],
        ['cities.csv', '--where', 'None=1'],
        ['cities.csv', '--types', 'Population=int', '--where', 'Population=many'],
        ['cities.csv', '--no-header', '--columns', 'Name'],
        ['cities.csv', '--encoding', 'utf-9'],
        ['cities.csv', '--output', 'cities.csv'],
        ['cities.csv', '--output', './out.csv', '--rejects', 'out.csv'],
        ['cities.csv', '--resume', 'r.json'],
        ['-', '--resume', 'r.json', '--output', 'out.csv'],
        ['cities.csv', 'other.csv'],
        ['cities.csv', 'none.csv'],
        ['none.csv'],
        ['.'],
        ['cities.csv', '--output', 'none/out.csv'],
        ['twice.csv', '--to', 'jsonl'],
    ],
)
def test_wrong_arguments_and_files(arguments: list[str], cities: Path, tmp_path: Path) -> None:
    (tmp_path / 'other.csv').write_text('a\n1\n')
    (tmp_path / 'twice.csv').write_text('a,a\n1,2\n')
    done = run(*arguments, cwd=tmp_path, env=environment())
    assert done.returncode == 2
    assert done.stderr
    assert b'Traceback' not in done.stderr
    assert cities.read_text('utf-8') == CITIES


def environment(**more: str) -> dict[str, str]:
    paths = [os.path.abspath(path) for path in sys.path if path]
    return {**os.environ, 'PYTHONPATH': os.pathsep.join(paths), **more}


def test_a_gz_that_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / 'a.csv.gz'
    path.write_bytes(gzip.compress(b'a\n' + b'1\n' * 10)[:-10])
    done = run(path)
    assert (done.returncode, b'gzip' in done.stderr) == (1, True)
    assert (b'a\n' + b'1\n' * 10).startswith(done.stdout)
    assert b'Traceback' not in done.stderr


def test_a_full_disk(cities: Path) -> None:
    if not os.path.exists('/dev/full'):
        pytest.skip('there is no /dev/full')
    done = run(cities, '--output', '/dev/full')
    assert done.returncode == 2
    assert b'No space left' in done.stderr


def test_help_names_the_exit_codes() -> None:
    text = output('--help')
    for code in ('0 ', '1 ', '2 ', '130 ', '141 '):
        assert f'\n  {code}' in text


# --- pipes and signals ------------------------------------------------------------------------


@posix
def test_a_broken_pipe_is_silent(many: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b'id,text\n'
    process.stdout.close()
    assert process.stderr.read() == b''
    process.stderr.close()
    assert process.wait(60) == 141


@posix
def test_ctrl_c_while_waiting_for_input() -> None:
    process = subprocess.Popen(
        [*COMMAND, '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(b'a,b\n' + b'1,2\n' * 600 + b'3,"4')
    process.stdin.flush()
    assert process.stdout.readline() == b'a,b\n'
    assert process.stdout.readline() == b'1,2\n'
    # One that comes just before the read is heeded after it: until it waits in the read.
    for _ in range(20):
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
            break
    rest = process.stdout.read()
    assert rest in (b'1,2\n' * 499, b'1,2\n' * 599)
    assert (process.returncode, process.stderr.read()) == (130, b'')
    for pipe in (process.stdin, process.stdout, process.stderr):
        pipe.close()


@posix
def test_ctrl_c_while_writing_leaves_a_whole_last_line(many: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, str(many)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert process.stdout is not None
    begin = b''
    while begin.count(b'\n') < 3:
        begin += process.stdout.read(10)
    # Nobody reads on: the pipe fills, and the writer waits.
    process.send_signal(signal.SIGINT)
    rest, errors = process.communicate(timeout=60)
    text = (begin + rest).decode()
    assert (process.returncode, errors) == (130, b'')
    assert text.endswith('\n')
    rows = list(csv.reader(text.splitlines()))[1:]
    assert 0 < len(rows) < MANY
    assert rows == [[str(i), f'a "text" of {i}'] for i in range(len(rows))]


# --- progress ---------------------------------------------------------------------------------


def on_a_terminal(*arguments: Any, **variables: str) -> str:
    """What is shown there."""
    pty = pytest.importorskip('pty', reason='no terminals of POSIX')
    termios = pytest.importorskip('termios', reason='no terminals of POSIX')
    terminal, end = pty.openpty()
    termios.tcsetwinsize(end, (24, 500))
    process = subprocess.Popen(
        [*COMMAND, *map(str, arguments)],
        stdout=subprocess.DEVNULL,
        stderr=end,
        env=environment(**variables),
    )
    os.close(end)
    shown = b''
    try:
        while piece := os.read(terminal, 4096):
            shown += piece
    except OSError:
        pass  # so Linux says that the other end is closed
    os.close(terminal)
    assert process.wait(60) == 0
    return shown.decode()


@pytest.fixture
def no_tqdm(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / 'without'
    folder.mkdir()
    (folder / 'tqdm.py').write_text('raise ImportError("as if it were not installed")')
    return {'PYTHONPATH': os.pathsep.join([str(folder), environment()['PYTHONPATH']])}


def test_progress_is_shown_on_a_terminal(many: Path, no_tqdm: dict[str, str]) -> None:
    shown = on_a_terminal(many, **no_tqdm)
    assert 'many.csv: 100%' in shown
    assert shown.endswith('\n')
    assert on_a_terminal(many, '--no-progress', **no_tqdm) == ''


def test_progress_of_a_gz_is_of_what_is_packed(tmp_path: Path, no_tqdm: dict[str, str]) -> None:
    path = tmp_path / 'a.csv.gz'
    path.write_bytes(gzip.compress(b'a\n' + b'1\n' * 100_000))
    done = run(path, '--progress', env=environment(**no_tqdm))
    assert b'a.csv.gz: 100%' in done.stderr
    done = run('-', '--progress', input=b'a\n1\n', env=environment(**no_tqdm))
    assert (done.returncode, done.stdout) == (0, b'a\n1\n')
    assert b'stdin: 0 MB' in done.stderr


def test_progress_by_tqdm(many: Path) -> None:
    pytest.importorskip('tqdm')
    assert '100%|' in on_a_terminal(many)


# --- going on ---------------------------------------------------------------------------------


def resumable(source: Path, tmp_path: Path) -> list[Any]:
    return [source, '--output', tmp_path / 'out.csv', '--resume', tmp_path / 'state.json']


@posix
@pytest.mark.parametrize('name', ['SIGKILL', 'SIGINT', 'SIGTERM'])
def test_a_run_that_was_stopped_goes_on_exactly(name: str, many: Path, tmp_path: Path) -> None:
    number = signal.Signals[name]
    last, state, out = (tmp_path / file for file in ('last.csv', 'state.json', 'out.csv'))
    arguments = [many, last, '--to', 'jsonl', '--output', out, '--resume', state]
    os.mkfifo(last)  # nobody writes into it: there the run waits
    process = subprocess.Popen([*COMMAND, *map(str, arguments)])
    deadline = time.monotonic() + 60
    while not (state.exists() and out.read_bytes().endswith(b'of %d"}\n' % (MANY - 1))):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(60) == (130 if number == signal.SIGINT else -number)
    noted = json.loads(state.read_text())
    assert noted['done'] is False
    assert number == signal.SIGINT or noted['output_size'] < out.stat().st_size
    last.unlink()
    last.write_text('id,text\n1,last\n')
    expected = output(many, last, '--to', 'jsonl')
    for _ in range(2):  # then there is nothing left to do
        assert output(*arguments) == ''
        assert out.read_text() == expected


def test_a_run_goes_on_in_the_file_that_it_stopped_in(cities: Path, tmp_path: Path) -> None:
    packed, bad = tmp_path / 'more.csv.gz', tmp_path / 'bad.csv'
    packed.write_bytes(gzip.compress(b'Name,Population,Area,Founded\nLima,1,,\n'))
    bad.write_text('Name,Population,Area,Founded\nRome,2,,\nx\nPisa,3,,\n')
    arguments = [cities, packed, bad, '--types', 'Population=int', *resumable(cities, tmp_path)[1:]]
    for _ in range(2):  # it stays there
        assert run(*arguments).returncode == 1
        assert (tmp_path / 'out.csv').read_text('utf-8') == CITIES + 'Lima,1,,\nRome,2,,\n'
    for _ in range(2):
        done = run(*arguments, '--rejects', tmp_path / 'rejects')
        assert done.returncode == 1
        assert (tmp_path / 'out.csv').read_text(
            'utf-8'
        ) == CITIES + 'Lima,1,,\nRome,2,,\nPisa,3,,\n'
        assert (tmp_path / 'rejects').read_text() == 'x\n'


def test_what_a_run_can_not_go_on_with(cities: Path, tmp_path: Path) -> None:
    state, out = tmp_path / 'state.json', tmp_path / 'out.csv'
    bad = tmp_path / 'bad.csv'
    bad.write_text('a\n1\n2,3\n')
    arguments = resumable(bad, tmp_path)
    assert run(*arguments).returncode == 1
    for others, word in (
        ([*arguments, '--to', 'jsonl'], b'other arguments: to'),
        ([*arguments, '--columns', 'a'], b'other arguments: columns'),
        (resumable(cities, tmp_path), b'other arguments: files'),
    ):
        done = run(*others)
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr
    noted = state.read_text()
    for other in ('', '{}', '[]', '{"version": 2}'):
        state.write_text(other)
        assert run(*arguments).returncode == 2
    state.write_text(noted)
    out.write_text('')
    done = run(*arguments)
    assert (done.returncode, b'shorter' in done.stderr) == (2, True)
    out.write_text('a\n1\n')
    with bad.open('a') as file:
        file.write('4\n')
    done = run(*arguments)
    assert (done.returncode, b'has changed' in done.stderr) == (2, True)
    assert out.read_text() == 'a\n1\n'


def test_a_run_goes_on_with_what_was_added(cities: Path, tmp_path: Path) -> None:
    empty, out = tmp_path / 'empty.csv', tmp_path / 'out.csv'
    empty.touch()
    arguments = [empty, *resumable(cities, tmp_path)]
    assert run(*arguments).returncode == 0
    before = out.read_text('utf-8')
    with cities.open('a', encoding='utf-8') as file:
        file.write('Lima,1,,\n')
    done = run(*arguments)
    assert (done.returncode, out.read_text('utf-8')) == (2, before)
    assert b'has changed since the run that' in done.stderr
    assert b'--changed append' in done.stderr
    for _ in range(2):
        assert output(*arguments, '--changed', 'append') == ''
        assert out.read_text('utf-8') == CITIES + 'Lima,1,,\n'
    assert output(*arguments) == ''
    cities.write_text('Name\nx\n')
    done = run(*arguments, '--changed', 'append')
    assert (done.returncode, out.read_text('utf-8')) == (2, CITIES + 'Lima,1,,\n')


# --- parts ------------------------------------------------------------------------------------


def test_each_part_of_a_file_is_read_by_itself(many: Path, tmp_path: Path) -> None:
    found: list[str] = []
    for i, part in enumerate(csv_split(many, parts=3, header=True, strict=True)):
        (tmp_path / f'{i}.json').write_text(json.dumps(part))
        names, *rows = output(many, '--part', tmp_path / f'{i}.json').splitlines(keepends=True)
        assert names == 'id,text\n'
        found += rows
    assert len(found) == MANY
    assert 'id,text\n' + ''.join(found) == output(many)


def test_a_part_is_gone_on_with(many: Path, tmp_path: Path) -> None:
    part = tmp_path / 'part.json'
    part.write_text(json.dumps(csv_split(many, parts=2, header=True, strict=True)[1]))
    arguments = [*resumable(many, tmp_path), '--part', part]
    assert run(*arguments).returncode == 0
    whole = (tmp_path / 'out.csv').read_text()
    assert whole == output(many, '--part', part)
    assert run(*arguments).returncode == 0
    assert (tmp_path / 'out.csv').read_text() == whole


def test_what_is_no_part(cities: Path, tmp_path: Path) -> None:
    part = tmp_path / 'part.json'
    for text, word in (('{', b'not JSON'), ('{}', b'not a part'), ('[1]', b'not a part')):
        part.write_text(text)
        done = run(cities, '--part', part)
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr
    part.write_text(json.dumps(csv_split(cities, header=True, strict=True)[0]))
    for arguments, word in (
        ([cities, cities], b'needs one file'),
        (['-'], b'needs one file'),
        ([cities, '--from', 'jsonl'], b'is for CSV'),
        ([cities, '--delimiter', ';'], b'another dialect'),
        ([cities, '--part', tmp_path / 'nothing'], b'nothing'),
    ):
        done = run('--part', part, *arguments)
        assert (done.returncode, word in done.stderr) == (2, True), done.stderr

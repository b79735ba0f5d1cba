"""``python -m generators --from jsonl`` and ``--to jsonl``, with orjson and without it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli import COMMAND, environment, on_a_terminal

LINES = """\
{"id":1,"name":"Zoë","tags":["a","b"],"n":7}

{"id":2,"name":"Bo","n":7.0,"at":null}
{"id":3,"name":"7","n":"7","ok":true}
"""
SOME = '{"id":1}\nnone\n{"id":2}\n[3]\n{"id":4}\n'


@pytest.fixture(params=['orjson', 'json'])
def lib(request: Any, tmp_path: Path) -> dict[str, str]:
    """The variables of a process that has orjson, or has none."""
    if request.param == 'orjson':
        if importlib.util.find_spec('orjson') is None:
            pytest.skip('orjson is not installed')
        return environment()
    folder = tmp_path / 'without'
    folder.mkdir()
    (folder / 'orjson.py').write_text('raise ImportError("as if it were not installed")')
    return environment(PYTHONPATH=os.pathsep.join([str(folder), environment()['PYTHONPATH']]))


class Program:
    def __init__(self, variables: dict[str, str], folder: Path) -> None:
        self.variables = variables
        self.folder = folder

    def run(self, *arguments: Any, **options: Any) -> subprocess.CompletedProcess[bytes]:
        command = [*COMMAND, '--from', 'jsonl', *map(str, arguments)]
        options = {'env': self.variables, 'cwd': self.folder, 'timeout': 100, **options}
        return subprocess.run(command, capture_output=True, check=False, **options)

    def output(self, *arguments: Any, **options: Any) -> str:
        done = self.run(*arguments, **options)
        assert (done.returncode, done.stderr) == (0, b'')
        return done.stdout.decode('utf-8')

    def file(self, text: str | bytes, name: str = 'a.jsonl') -> Path:
        path = self.folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path


@pytest.fixture
def program(lib: dict[str, str], tmp_path: Path) -> Program:
    return Program(lib, tmp_path)


# --- values -----------------------------------------------------------------------------------


def test_values_as_they_are(program: Program) -> None:
    path = program.file(LINES)
    assert program.output(path, '--to', 'jsonl') == LINES.replace('\n\n', '\n')
    values = '1\r\n"a\\nb"\n [ ] \nnull\n-0.5'
    assert program.output(program.file(values), '--to', 'jsonl') == '1\n"a\\nb"\n[]\nnull\n-0.5\n'


@pytest.mark.parametrize(
    'number', ['9223372036854775808', '123456789012345678901234567890', '-18446744073709551617']
)
def test_wide_integers_keep_their_digits(number: str, program: Program) -> None:
    line = f'{{"a":[{{"b":{number}}}],"c":1.5}}\n'
    assert program.output(program.file(line), '--to', 'jsonl') == line
    assert program.output(program.file(number + '\n'), '--to', 'jsonl') == number + '\n'
    cells = program.output(program.file(f'{{"a":{number}}}'))
    assert cells == f'a\n{number}\n'


def test_deep_values(program: Program) -> None:
    line = '[' * 300 + ']' * 300 + '\n'
    assert program.output(program.file(line), '--to', 'jsonl') == line


@pytest.mark.parametrize('text', ['NaN', '[-Infinity]', '1e999', '"\\ud800"', '{"a":1', "'a'"])
def test_what_is_no_json_is_rejected(text: str, program: Program) -> None:
    path = program.file(f'1\n{text}\n2\n')
    done = program.run(path, '--to', 'jsonl', '--rejects', 'rejects')
    assert (done.returncode, done.stdout) == (1, b'1\n2\n')
    assert (program.folder / 'rejects').read_text() == text + '\n'
    assert b'1 record rejected' in done.stderr
    assert b'line 2' in done.stderr


def test_a_pair_of_surrogates_is_a_character(program: Program) -> None:
    assert program.output(program.file('"\\uD83D\\uDE00"'), '--to', 'jsonl') == '"😀"\n'


def test_columns(program: Program) -> None:
    path = program.file(LINES)
    assert program.output(path, '--to', 'jsonl', '--columns', 'n,id,ok') == (
        '{"n":7,"id":1,"ok":null}\n{"n":7.0,"id":2,"ok":null}\n{"n":"7","id":3,"ok":true}\n'
    )
    assert program.output(path, '--columns', 'id,tags,name') == (
        'id,tags,name\n1,"[""a"",""b""]",Zoë\n2,,Bo\n3,,7\n'
    )


@pytest.mark.parametrize(
    ('conditions', 'ids'),
    [
        (['name=Bo'], '2'),
        (['n=7'], '123'),
        (['n="7"'], '3'),
        (['n=7.0'], '12'),
        (['ok=true'], '3'),
        (['ok=1'], ''),
        (['ok='], '12'),
        (['tags=["a","b"]'], '1'),
        (['id=1', 'id=3'], '13'),
        (['id=1', 'name=Bo'], ''),
        (['at='], '123'),
        (['at=null'], '123'),
    ],
)
def test_where(conditions: list[str], ids: str, program: Program) -> None:
    where = [word for condition in conditions for word in ('--where', condition)]
    lines = program.output(program.file(LINES), '--to', 'jsonl', '--columns', 'id', *where)
    assert [json.loads(line)['id'] for line in lines.splitlines()] == list(map(int, ids))


def test_csv_has_the_columns_of_the_first_object(program: Program) -> None:
    path = program.file('{"b":1,"a":"x,y"}\n{"a":{"c":null}}\n{"b":false,"a":null}\n')
    assert program.output(path) == 'b,a\n1,"x,y"\n,"{""c"":null}"\nFalse,\n'
    path = program.file('{"a":1}\n{"a":2,"b":3}\n{"a":4}\n')
    done = program.run(path)
    assert (done.returncode, done.stdout) == (1, b'a\n1\n')
    assert b"it has 'b'" in done.stderr
    done = program.run(path, '--rejects', 'rejects')
    assert (done.returncode, done.stdout) == (1, b'a\n1\n4\n')
    assert (program.folder / 'rejects').read_text() == '{"a":2,"b":3}\n'
    done = program.run(program.file('{}\n{"a":1}\n'), '--rejects', 'rejects')
    assert (done.returncode, done.stdout) == (1, b'a\n1\n')


def test_what_is_no_object_is_rejected_where_names_are_asked_for(program: Program) -> None:
    path = program.file(SOME)
    for more in (['--columns', 'id'], ['--where', 'id=1', '--where', 'id=2', '--where', 'id=4']):
        done = program.run(path, '--to', 'jsonl', '--rejects', 'rejects', *more)
        assert (done.returncode, done.stdout) == (1, b'{"id":1}\n{"id":2}\n{"id":4}\n')
        assert (program.folder / 'rejects').read_text() == 'none\n[3]\n'
        assert b'2 records rejected' in done.stderr


def test_a_bad_line_ends_the_run_after_the_values_before_it(program: Program) -> None:
    done = program.run(program.file(SOME), '--to', 'jsonl')
    assert (done.returncode, done.stdout) == (1, b'{"id":1}\n')
    assert b'line 2' in done.stderr
    assert done.stderr.count(b'\n') == 1
    done = program.run(program.file('none\n1\n'), '--to', 'jsonl')
    assert (done.returncode, done.stdout) == (1, b'')
    assert b'line 1' in done.stderr


def test_several_files_a_gz_and_stdin(program: Program) -> None:
    empty = program.file('', 'empty.jsonl')
    packed = program.file(gzip.compress(b'{"a":2}\n'), 'b.jsonl.gz')
    files = [empty, program.file('{"a":1}'), packed, '-']
    assert program.output(*files, input=b'{"a":3}\n') == 'a\n1\n2\n3\n'
    lines = program.output(*files, '--to', 'jsonl', input=b'{"a":3}\n')
    assert lines == '{"a":1}\n{"a":2}\n{"a":3}\n'
    assert program.output(empty) == ''


def test_other_encodings(program: Program) -> None:
    path = program.file('{"a":"é"}\n'.encode('utf-16'))
    assert program.output(path, '--encoding', 'utf-16', '--to', 'jsonl') == '{"a":"é"}\n'


@pytest.mark.parametrize(
    ('arguments', 'word'),
    [
        (['--types', 'a=int'], '--types is for CSV'),
        (['--null', 'NA'], '--null is for CSV'),
        (['--delimiter', 'tab'], '--delimiter is for CSV'),
        (['--no-header'], '--no-header is for CSV'),
        (['--encoding', 'utf-9'], 'utf-9'),
        (['--to', 'jsonl', '--columns', 'a,a'], "'a' twice"),
        (['--resume', 'state'], '--resume needs --output'),
        (['--output', 'a.jsonl'], 'uses the same file twice'),
        (['none.jsonl'], 'none.jsonl'),
    ],
)
def test_wrong_arguments(arguments: list[str], word: str, program: Program) -> None:
    path = program.file('{"a":1}\n')
    done = program.run('a.jsonl', *arguments)
    assert (done.returncode, word in done.stderr.decode()) == (2, True), done.stderr
    assert b'Traceback' not in done.stderr
    assert path.read_bytes() == b'{"a":1}\n'


def test_a_gz_by_another_name(program: Program) -> None:
    assert program.output(program.file(gzip.compress(b'{"a":1}\n'))) == 'a\n1\n'


# --- there and back ---------------------------------------------------------------------------


def test_csv_to_json_lines_and_back(program: Program) -> None:
    path = program.file('id,text\n1,"a ""b"""\n2,"x\r\ny"\n', 'a.csv')
    lines = subprocess.run(
        [*COMMAND, path, '--to', 'jsonl'], capture_output=True, check=True, env=program.variables
    ).stdout
    assert lines == b'{"id":"1","text":"a \\"b\\""}\n{"id":"2","text":"x\\r\\ny"}\n'
    assert program.output('-', input=lines).encode() == path.read_bytes()


@pytest.mark.parametrize('text', ['nan', 'inf', '-inf', '1' * 30])
def test_numbers_of_csv_that_json_has_not(text: str, program: Program) -> None:
    path = program.file(f'a,b,c,d\n{text},{"1" * 30},1.10,2024-01-02\n', 'a.csv')
    types = ['--types', 'a=float,b=int,c=decimal,d=date']
    done = subprocess.run(
        [*COMMAND, path, '--to', 'jsonl', *types],
        capture_output=True,
        check=True,
        env=program.variables,
    )
    assert json.loads(done.stdout) == {
        'a': float(text) if text.isdecimal() else None,
        'b': int('1' * 30),
        'c': '1.10',
        'd': '2024-01-02',
    }


# --- many, and going on -----------------------------------------------------------------------

MANY = 5000


def many() -> str:
    return ''.join(f'{{"id":{i},"text":"é {i}"}}\n' for i in range(MANY))


def test_values_of_many_batches(program: Program) -> None:
    path = program.file(many())
    assert program.output(path, '--to', 'jsonl') == many()
    cells = program.output(path, '--columns', 'id').split()
    assert cells == ['id', *map(str, range(MANY))]


@pytest.mark.parametrize('to', ['csv', 'jsonl'])
@pytest.mark.parametrize('packed', [False, True])
def test_a_run_goes_on_where_it_stopped(to: str, packed: bool, program: Program) -> None:
    """A bad line stops it each time; the file of rejects lets it pass."""
    text = many().replace('{"id":1234,', '{"id":1234 ').replace('{"id":4000,', '{"id":4000 ')
    data = ('none\n' + text).encode()
    first = program.file('', 'first.jsonl')
    name = program.file(*((gzip.compress(data), 'a.jsonl.gz') if packed else (data,)))
    last = program.file('{"id":-1}\n', 'last.jsonl')
    arguments = [first, name, last, '--to', to, '--output', 'out', '--resume', 'state']
    for _ in range(2):
        assert program.run(*arguments).returncode == 1
        assert not (program.folder / 'out').exists() or not (program.folder / 'out').read_bytes()
    done = program.run(*arguments, '--rejects', 'rejects')
    assert done.returncode == 1
    assert b'3 records rejected' in done.stderr
    rejects = (program.folder / 'rejects').read_text('utf-8')
    assert rejects == 'none\n{"id":1234 "text":"é 1234"}\n{"id":4000 "text":"é 4000"}\n'
    expected = [i for i in [*range(MANY), -1] if i not in (1234, 4000)]
    lines = (program.folder / 'out').read_text('utf-8').splitlines()
    if to == 'csv':
        assert lines.pop(0) == 'id,text'
        assert [int(line.partition(',')[0]) for line in lines] == expected
    else:
        assert [json.loads(line)['id'] for line in lines] == expected


@pytest.mark.parametrize('at', [0, 1234, 4000])
def test_the_columns_of_a_run_that_goes_on(at: int, program: Program) -> None:
    """They are those of the first object, which was read by the run before."""
    lines = many().splitlines(True)
    lines[at] = 'none\n'
    path = program.file(''.join(lines))
    arguments = [path, '--output', 'out', '--resume', 'state']
    assert program.run(*arguments).returncode == 1
    if at == 0:  # nothing was read
        assert not (program.folder / 'out').exists()
    else:
        assert len((program.folder / 'out').read_text('utf-8').splitlines()) == at + 1
    assert program.run(*arguments, '--rejects', 'rejects').returncode == 1
    out = (program.folder / 'out').read_text('utf-8').splitlines()
    assert out == ['id,text', *(f'{i},é {i}' for i in range(MANY) if i != at)]
    saved = json.loads((program.folder / 'state').read_text())
    assert (saved['done'], saved['arguments']['from']) == (True, 'jsonl')
    done = subprocess.run(
        [*COMMAND, '--from', 'csv', *map(str, arguments)],
        capture_output=True,
        check=False,
        cwd=program.folder,
        env=program.variables,
    )
    assert (done.returncode, b'other arguments: from' in done.stderr) == (2, True)


def test_a_file_that_has_changed(program: Program) -> None:
    path = program.file('{"a":1}\nnone\n')
    arguments = [path, '--output', 'out', '--resume', 'state']
    assert program.run(*arguments).returncode == 1
    path.write_text('{"a":1}\n{"a":2}\n')
    done = program.run(*arguments)
    assert (done.returncode, b'has changed' in done.stderr) == (2, True)
    assert (program.folder / 'out').read_text() == 'a\n1\n'


def test_progress(program: Program) -> None:
    path = program.file(many())
    shown = on_a_terminal('--from', 'jsonl', '--progress', path, **program.variables)
    assert 'a.jsonl: 100%' in shown


def test_orjson_is_not_needed_to_import(lib: dict[str, str]) -> None:
    code = 'import native_generators._cli.objects as j; print(j.orjson is not None)'
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, check=True, env=lib, text=True
    )
    assert done.stdout.strip() == str('without' not in lib['PYTHONPATH'])

"""A language model's API and its client: examples/token_stream.py."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from generators import event_source
from tests.servers.harness import PATIENCE, Section, Server

pytest.importorskip('fastapi')
pytest.importorskip('httpx')
pytest.importorskip('uvicorn')
PROGRAM = Path(__file__).parents[2] / 'examples' / 'token_stream.py'


@pytest.fixture(scope='module')
def example() -> Any:
    spec = importlib.util.spec_from_file_location('token_stream', PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules['token_stream'] = module  # for the annotations of its models
    spec.loader.exec_module(module)
    yield module
    del sys.modules['token_stream']


@pytest.fixture
def server(tmp_path: Path, monkeypatch: Any) -> Iterator[Server]:
    section = Section({'app.py': PROGRAM.read_text('utf-8')}, [])
    monkeypatch.setenv('HEARTBEAT', '0.1')
    with Server(tmp_path, section, 'uvicorn app:app').running() as server:
        yield server
        log = server.log()
    assert 'Traceback' not in log
    assert 'never awaited' not in log


def url(server: Server) -> str:
    return f'http://127.0.0.1:{server.port}'


def running(server: Server) -> int:
    with closing(http.client.HTTPConnection('127.0.0.1', server.port, PATIENCE)) as connection:
        connection.request('GET', '/health')
        return int(json.loads(connection.getresponse().read())['running'])


def test_the_client_gets_the_answer_token_by_token(server: Server, example: Any) -> None:
    prompt = 'a "quoted"\r\n\r\nevent: done\ndata: forged'
    tokens = list(example.ask(url(server), prompt, seconds=0))
    assert len(tokens) > 10
    assert ''.join(tokens) == example.ANSWER.format(prompt=prompt)
    assert running(server) == 0


def test_tokens_come_as_they_are_made(server: Server, example: Any) -> None:
    tokens = example.ask(url(server), 'x' * 400, seconds=0.05)
    assert next(tokens) == 'You '
    assert running(server) == 1  # the others are still to come
    tokens.close()
    deadline = time.monotonic() + PATIENCE
    while running(server):  # the model stops when the client leaves
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_heartbeats_while_the_model_thinks(server: Server) -> None:
    with closing(http.client.HTTPConnection('127.0.0.1', server.port, timeout=PATIENCE)) as line:
        body = json.dumps({'prompt': 'x', 'seconds': 0.25})
        line.request('POST', '/v1/completions', body, {'Content-Type': 'application/json'})
        answer = line.getresponse()
        assert answer.headers['Content-Type'].startswith('text/event-stream')
        assert answer.read(3) == b':\n\n'
        assert next(event_source(iter(lambda: answer.read1(100), b''))).json() == {'token': 'You '}


def test_a_model_that_fails_is_told_from_the_end(server: Server, example: Any) -> None:
    tokens = example.ask(url(server), 'x', seconds=0, fails_at=2)
    assert next(tokens) == 'You '
    assert next(tokens) == 'said'
    with pytest.raises(example.ModelError, match='the model does not answer'):
        next(tokens)


def test_the_program_prints_the_answer(server: Server, example: Any) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, 'Hi'],
        env={**os.environ, 'MODEL': url(server), 'PYTHONUTF8': '1'},
        capture_output=True,
        encoding='utf-8',
        check=False,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == example.ANSWER.format(prompt='Hi') + '\n'

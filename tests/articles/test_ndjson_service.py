"""JSON lines in and out of a service, and its client: examples/ndjson_service.py."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.harness import PATIENCE, Section, Server

pytest.importorskip('fastapi')
pytest.importorskip('httpx')
pytest.importorskip('uvicorn')
pytest.importorskip('aiosqlite')
PROGRAM = Path(__file__).parents[2] / 'examples' / 'ndjson_service.py'


@pytest.fixture(scope='module')
def example() -> Any:
    spec = importlib.util.spec_from_file_location('ndjson_service', PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules['ndjson_service'] = module  # for the annotations of its models
    spec.loader.exec_module(module)
    yield module
    del sys.modules['ndjson_service']


class Service:
    def __init__(self, server: Server, database: Path) -> None:
        self.port, self.log, self.database = server.port, server.log, database
        self.url = f'http://127.0.0.1:{server.port}'

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, list[Any]]:
        with closing(self.connection()) as connection:
            connection.request(method, path, body, encode_chunked=True)
            answer = connection.getresponse()
            assert answer.headers['Content-Type'] == 'application/x-ndjson'
            return answer.status, [json.loads(line) for line in answer]

    def ids(self) -> list[int]:
        with closing(sqlite3.connect(self.database)) as connection:
            return [id for (id,) in connection.execute('select id from orders order by id')]


@pytest.fixture
def service(tmp_path: Path, monkeypatch: Any) -> Iterator[Service]:
    section = Section({'app.py': PROGRAM.read_text('utf-8')}, [])
    monkeypatch.setenv('ORDERS', str(tmp_path / 'orders.db'))
    with Server(tmp_path, section, 'uvicorn app:app').running() as server:
        service = Service(server, tmp_path / 'orders.db')
        yield service
        log = service.log()
    assert 'Traceback' not in log
    assert 'never awaited' not in log


def order(number: int) -> dict[str, Any]:
    return {'id': number, 'customer': f'Zoë {number % 3}', 'quantity': 2, 'price': number}


def line(number: int) -> bytes:
    return json.dumps(order(number), ensure_ascii=False).encode() + b'\n'


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def test_what_is_put_is_got(service: Service, example: Any) -> None:
    orders = [order(number) for number in range(1, 5001)]
    assert list(example.put(service.url, iter(orders))) == [{'stored': 5000}]
    assert list(example.get(service.url)) == orders
    assert list(example.get(service.url, 'Zoë 2')) == orders[1::3]
    assert list(example.get(service.url, 'nobody')) == []


@pytest.mark.parametrize('size', [1, 7, 100])
def test_a_body_cut_anywhere(size: int, service: Service) -> None:
    body = b'\xef\xbb\xbf' + b'\r\n'.join(line(number)[:-1] for number in range(1, 8))
    assert service.ask('PUT', '/orders', cut(body, size)) == (200, [{'stored': 7}])
    assert service.ask('GET', '/orders') == (200, [order(number) for number in range(1, 8)])


def test_lines_that_are_no_orders_are_told(service: Service) -> None:
    body = line(1) + b'{"id": 2}\n\nnone\n{"id": 0, "customer": "\\ud800"}\n' + line(3)
    status, lines = service.ask('PUT', '/orders', body)
    assert status == 200
    assert [entry.get('line') for entry in lines] == [2, 4, 5, None]
    assert lines[-1] == {'stored': 2}
    assert lines[0]['error'].startswith('customer: Field required; quantity: Field required')
    assert 'JSON' in lines[1]['error']
    assert service.ids() == [1, 3]


def test_a_long_line_is_told(service: Service) -> None:
    long = b'"' + b'x' * (2 << 20) + b'"\n'
    status, lines = service.ask('PUT', '/orders', line(1) + long + line(2))
    assert (status, [entry.get('line') for entry in lines]) == (200, [2, None])
    assert 'max_line' in lines[0]['error']
    assert service.ids() == [1, 2]


def test_an_upload_that_is_refused_leaves_nothing(service: Service) -> None:
    status, lines = service.ask('PUT', '/orders', line(1) + b'none\n' * 101)
    assert (status, lines[-1]) == (400, {'stored': 0})
    assert [entry.get('line') for entry in lines] == [*range(2, 103), None]
    assert service.ids() == []


def test_an_upload_that_breaks_off_leaves_nothing(service: Service) -> None:
    with closing(service.connection()) as connection:
        connection.putrequest('PUT', '/orders')
        connection.putheader('Content-Length', '1000000')
        connection.endheaders(line(1) * 2000)
    # Once it can write, the upload that broke off is over.
    assert service.ask('PUT', '/orders', line(2)) == (200, [{'stored': 1}])
    assert service.ids() == [2]


def test_a_client_that_leaves_closes_the_query(service: Service, example: Any) -> None:
    assert list(example.put(service.url, map(order, range(1, 50_001)))) == [{'stored': 50_000}]
    orders = example.get(service.url)
    assert next(orders) == order(1)
    orders.close()
    # While a query reads, the log of what was written since can't be put away.
    assert service.ask('PUT', '/orders', line(60_000)) == (200, [{'stored': 1}])
    deadline = time.monotonic() + PATIENCE
    with closing(sqlite3.connect(service.database)) as connection:
        while connection.execute('pragma wal_checkpoint(truncate)').fetchone()[0]:
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_the_program(service: Service, tmp_path: Path) -> None:
    path = tmp_path / 'orders.jsonl'
    path.write_bytes(line(1) + line(2) + line(4))

    def run(*arguments: Any) -> tuple[int, list[Any]]:
        done = subprocess.run(
            [sys.executable, PROGRAM, *arguments],
            env={**os.environ, 'SERVICE': service.url, 'PYTHONUTF8': '1'},
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )
        return done.returncode, list(map(json.loads, done.stdout.splitlines()))

    assert run('put', path) == (0, [{'stored': 3}])
    assert run('get') == (0, [order(1), order(2), order(4)])
    assert run('get', 'Zoë 1') == (0, [order(1), order(4)])
    assert run('put', tmp_path / 'none.jsonl')[0] == 1
    assert run()[0] == 2

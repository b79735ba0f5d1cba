"""Uploads, downloads, a blocking client and events in asyncio: examples/measurement_service.py."""

from __future__ import annotations

import csv
import http.client
import io
import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.harness import PATIENCE, Section, Server

pytest.importorskip('starlette')
pytest.importorskip('uvicorn')
pytest.importorskip('aiosqlite')
PROGRAM = Path(__file__).parents[2] / 'examples' / 'measurement_service.py'


class Service:
    def __init__(self, server: Server, database: Path) -> None:
        self.port, self.log, self.database = server.port, server.log, database

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        with closing(self.connection()) as connection:
            connection.request(method, path, body, encode_chunked=True)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE)

    def rows(self) -> list[Any]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute('select * from measurements order by number').fetchall()

    def wait_for_subscribers(self, count: int) -> None:
        deadline = time.monotonic() + PATIENCE
        while json.loads(self.ask('GET', '/health')[1]) != {'subscribers': count}:
            assert time.monotonic() < deadline


@pytest.fixture
def service(tmp_path: Path, monkeypatch: Any) -> Iterator[Service]:
    section = Section({'app.py': PROGRAM.read_text('utf-8')}, [])
    monkeypatch.setenv('MEASUREMENTS', str(tmp_path / 'measurements.db'))
    monkeypatch.setenv('HEARTBEAT', '0.1')
    with Server(tmp_path, section, 'uvicorn app:app').running() as server:
        service = Service(server, tmp_path / 'measurements.db')
        yield service
        log = service.log()
    assert 'Traceback' not in log
    assert 'never awaited' not in log


def measurements(count: int) -> list[tuple[int, str, float]]:
    return [(n, f'Zürich {n % 300:03}', n / 4) for n in range(count)]


def text(header: Iterable[Any], rows: Iterable[Any]) -> bytes:
    file = io.StringIO()
    csv.writer(file).writerows([header, *rows])
    return file.getvalue().encode()


FIELDS = ['number', 'station', 'celsius']


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


def test_what_is_uploaded_is_downloaded(service: Service) -> None:
    rows = measurements(10_000)
    data = text(FIELDS, rows)
    # In pieces that fall through characters, columns in another order and others among them.
    uploaded = text(
        ['remark', 'celsius', 'station', 'number'],
        (('a "remark",\nlong', celsius, station, number) for number, station, celsius in rows),
    )
    assert service.ask('POST', '/measurements.csv', cut(uploaded, 999)) == (200, b'{"rows":10000}')
    assert service.rows() == rows
    assert service.ask('GET', '/measurements.csv') == (200, data)
    assert service.ask('HEAD', '/measurements.csv') == (200, b'')


def test_others_are_answered_at_once_during_an_upload(service: Service) -> None:
    data = text(FIELDS, measurements(200_000))
    began, ready = threading.Event(), threading.Event()

    def body() -> Iterator[bytes]:
        pieces = cut(data, 65536)
        yield next(pieces)
        began.set()
        assert ready.wait(PATIENCE)
        yield from pieces

    answers: list[tuple[int, bytes]] = []
    uploading = threading.Thread(
        target=lambda: answers.append(service.ask('POST', '/measurements.csv', body()))
    )
    uploading.start()
    assert began.wait(PATIENCE)
    # While it waits for its client, and then while it is stored.
    assert service.ask('GET', '/measurements.csv') == (200, text(FIELDS, []))
    ready.set()
    longest, asked = 0.0, 0
    while uploading.is_alive():
        start = time.monotonic()
        assert service.ask('GET', '/health')[0] == 200
        longest = max(longest, time.monotonic() - start)
        asked += 1
    uploading.join()
    assert answers == [(200, b'{"rows":200000}')]
    assert asked > 1
    assert longest < 1


def test_an_upload_with_a_bad_record_stores_nothing(service: Service) -> None:
    rows: list[Any] = [*measurements(5000), (5000, 'Bern', 'warm')]
    status, answer = service.ask('POST', '/measurements.csv', cut(text(FIELDS, rows), 65536))
    assert status == 400
    assert json.loads(answer)['line'] == 5002
    assert 'warm' in json.loads(answer)['error']
    assert service.rows() == []


def test_an_upload_that_breaks_off_stores_nothing(service: Service) -> None:
    data = text(FIELDS, measurements(5000))
    with closing(service.connection()) as connection:
        connection.putrequest('POST', '/measurements.csv')
        connection.putheader('Content-Length', str(len(data)))
        connection.endheaders(data[:-1000])
    # It was given up: the next one need not wait for a lock.
    one = text(FIELDS, [(1, 'Bern', 1.5)])
    assert service.ask('POST', '/measurements.csv', [one]) == (200, b'{"rows":1}')
    assert service.rows() == [(1, 'Bern', 1.5)]


def test_a_client_that_blocks_is_read_on_its_own_thread(service: Service) -> None:
    service.ask('POST', '/measurements.csv', [text(FIELDS, measurements(900))])
    found = [(f'Zürich {n:03}', 3) for n in range(300)]
    header = ['station', 'measurements']
    assert service.ask('GET', '/stations.csv') == (200, text(header, found))
    assert service.ask('GET', '/stations.csv?prefix=Bern') == (200, text(header, []))


def test_events_and_heartbeats(service: Service) -> None:
    with closing(service.connection()) as connection:
        connection.request('GET', '/events')
        answer = connection.getresponse()
        service.wait_for_subscribers(1)
        for round_ in range(3):
            # Silence, in which heartbeats are sent, and then an event, which none has lost.
            assert answer.read(3) == b':\n\n'
            body = text(FIELDS, measurements(round_ + 1))
            assert service.ask('POST', '/measurements.csv', [body])[0] == 200
            event = b'data: %d measurements\n\n' % (round_ + 1)
            lines = b''
            while not lines.endswith(event):
                lines += answer.readline()
            assert lines.replace(b':\n\n', b'') == event
        answer.close()
    service.wait_for_subscribers(0)


def test_a_client_that_leaves_a_download_leaves_no_connection_to_the_database(
    service: Service,
) -> None:
    with closing(sqlite3.connect(service.database)) as database, database:
        database.executemany('insert into measurements values (?, ?, ?)', measurements(500_000))
    for path in ('/measurements.csv', '/stations.csv'):
        with closing(service.connection()) as connection:
            connection.request('GET', path)
            with connection.getresponse() as answer:
                assert answer.status == 200
                assert answer.read(10)
    # Only the last connection may turn this off.
    with closing(sqlite3.connect(service.database)) as database:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                assert database.execute('pragma journal_mode = delete').fetchone() == ('delete',)
                break
            except sqlite3.OperationalError:
                assert time.monotonic() < deadline

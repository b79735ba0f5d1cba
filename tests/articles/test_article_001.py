"""Article 001, a Flask route that streams, and a download: examples/article_001_flask.py."""

from __future__ import annotations

import contextlib
import csv
import hashlib
import http.client
import io
import os
import runpy
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.servers.harness import Section, Server

pytest.importorskip('flask')
PROGRAM = Path(__file__).parents[2] / 'examples' / 'article_001_flask.py'


@pytest.fixture(scope='module')
def example() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM))


@pytest.fixture(scope='module')
def database(example: Any, tmp_path_factory: Any) -> str:
    path = str(tmp_path_factory.mktemp('data') / 'measurements.db')
    example['make_database'](path)
    return path


@pytest.fixture(scope='module')
def port(database: str, tmp_path_factory: Any) -> Iterator[int]:
    if os.name != 'posix':
        pytest.skip('gunicorn needs POSIX')
    pytest.importorskip('gunicorn')
    section = Section({'app.py': PROGRAM.read_text('utf-8')}, [])
    server = Server(tmp_path_factory.mktemp('app'), section, 'gunicorn app:app')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('MEASUREMENTS', database)
        with server.running():
            yield server.port


@contextlib.contextmanager
def answer(port: int, path: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection('127.0.0.1', port, timeout=60)) as connection:
        connection.request('GET', path)
        with connection.getresponse() as response:
            yield response


def test_the_articles_route(port: int) -> None:
    with answer(port, '/stream') as response:
        assert response.status == 200
        assert response.headers['Content-Type'] == 'text/plain; charset=utf-8'
        assert response.read().decode() == ''.join(f'Data Chunk {i}\n' for i in range(10))


def written_by_csv(path: str, query: str, columns: list[str]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    with closing(sqlite3.connect(path)) as connection:
        rows = connection.execute(query)
        while batch := rows.fetchmany(10_000):
            writer.writerows(batch)
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()


def test_a_million_rows_as_a_download(example: Any, database: str, port: int) -> None:
    expected, got, size = hashlib.sha256(), hashlib.sha256(), 0
    for block in written_by_csv(database, example['QUERY'], example['COLUMNS']):
        expected.update(block)
        size += len(block)
    assert size > 30_000_000
    with answer(port, '/measurements.csv') as response:
        assert response.status == 200
        assert response.headers['Content-Type'] == 'text/csv; charset=utf-8'
        assert response.headers['Content-Disposition'] == 'attachment; filename="measurements.csv"'
        while block := response.read(65536):
            got.update(block)
            size -= len(block)
    assert size == 0
    assert got.digest() == expected.digest()


def test_a_query_that_fails_at_its_first_row_is_a_500(example: Any, database: str) -> None:
    """Asked of the application itself: its database is not there."""
    client = example['app'].test_client()
    response = client.get('/measurements.csv')
    assert response.status_code == 500
    assert b'station' not in response.data


def test_a_query_that_fails_later_breaks_the_download_off(database: str, port: int) -> None:
    with closing(sqlite3.connect(database)) as connection:
        change = 'update measurements set details = ? where id = 500000'
        with connection:
            connection.execute(change, ['{"remark": '])
        try:
            with answer(port, '/measurements.csv') as response:
                assert response.status == 200
                with pytest.raises(http.client.IncompleteRead) as caught:
                    response.read()
        finally:
            with connection:
                connection.execute(change, ['{}'])
    *_, last, end = caught.value.partial.rsplit(b'\r\n', 2)
    assert end == b''
    # sqlite3 looks one row ahead, and keeps the row before a failure to itself.
    assert int(last.split(b',')[0]) in (499_998, 499_999)

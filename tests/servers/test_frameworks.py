"""The applications of docs/frameworks, as they stand there, on real servers.

Their sources do what a test tells them, so that no test waits for time to pass, and no cyclic
garbage is collected in the servers.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import gzip
import importlib.util
import io
import math
import os
import select
import time
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.servers.harness import PATIENCE, Section, Server, TornError, sections

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='gunicorn needs POSIX')

CHUNK = 65536
DOCUMENT = sections()
# The package that each section with an application needs.
PACKAGES = {
    'WSGI without a framework': None,
    'Flask': 'flask_compress',
    'Django': 'django',
    'Starlette': 'starlette',
    'Quart': 'quart',
    'aiohttp': 'aiohttp',
}
# The same for asynchronous streams.
ASYNCHRONOUS = {
    'Starlette, asynchronous': 'starlette',
    'FastAPI, asynchronous': 'fastapi',
    'Django, asynchronous': 'django',
    'Quart, asynchronous': 'quart',
    'Litestar, asynchronous': 'litestar',
    'aiohttp, asynchronous': 'aiohttp',
}
PACKAGES.update(ASYNCHRONOUS)


def cases() -> Iterator[Any]:
    for heading, package in PACKAGES.items():
        commands = DOCUMENT[heading].commands
        if any('gunicorn' in command for command in commands):
            commands = [*commands, 'validated']
        for command in commands:
            words = command.removeprefix('python -m ').split()
            name = 'gthread' if 'gthread' in words else words[0]
            asynchronous = 'async ' if heading in ASYNCHRONOUS else ''
            identity = f'{asynchronous}{package or "wsgi"} on {name}'
            yield pytest.param((heading, command), id=identity)


@contextlib.contextmanager
def served(folder: Path, heading: str, command: str, section: Section) -> Iterator[Server]:
    server = Server(folder, section, command)
    asynchronous = heading in ASYNCHRONOUS
    server.patience = 1 if asynchronous else PATIENCE
    server.says_who_leaves = asynchronous and server.program in ('uvicorn', 'hypercorn')
    for package in (PACKAGES[heading], server.program.split('.')[0]):
        if package not in (None, 'validated') and importlib.util.find_spec(package) is None:
            pytest.skip(f'{package} is not installed')
    with server.running():
        yield server


@pytest.fixture(scope='module', params=cases())
def server(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Server]:
    heading, command = request.param
    with served(tmp_path_factory.mktemp('app'), heading, command, DOCUMENT[heading]) as running:
        yield running


def test_every_application_of_the_document_is_served() -> None:
    assert {heading for heading, section in DOCUMENT.items() if section.files} == set(PACKAGES)
    assert all(DOCUMENT[heading].commands for heading in PACKAGES)


@functools.cache
def exported(count: int) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(['id', 'name', 'price'])
    writer.writerows((n, f'Größe {n % 7}, "neu"', n / 4) for n in range(1, count + 1))
    return text.getvalue().encode()


def rows_in(size: int) -> int:
    """The rows that fill so many bytes, and not fewer."""
    return math.ceil(size / (len(exported(1000)) / 1000))


def test_export_is_what_the_csv_module_writes_in_chunks_of_one_size(server: Server) -> None:
    count = 12_000
    expected = exported(count)
    start = time.monotonic()
    with server.ask('/export.csv') as exchange:
        exchange.do(f'items {count}', 'end')
        exchange.receive()
        frames = list(exchange.frames())
        seconds = time.monotonic() - start
        assert exchange.status == 200
        assert sha256(b''.join(frames)).digest() == sha256(expected).digest()
        assert exchange.wait_until_source_is_closed() == count
    if server.framed:
        # A chunk that took a tenth of a second to fill went out short.
        assert max(map(len, frames)) == CHUNK
        assert len(frames) <= math.ceil(len(expected) / CHUNK) + seconds / 0.1


def test_export_says_what_it_is(server: Server) -> None:
    with server.ask('/export.csv') as exchange:
        exchange.do('items 1', 'end')
        exchange.receive()
        assert exchange.headers['content-type'].lower() == 'text/csv; charset=utf-8'
        assert exchange.headers['content-disposition'] == 'attachment; filename="export.csv"'
        assert 'content-length' not in exchange.headers
        assert exchange.body() == exported(1)


def test_first_byte_comes_while_the_source_waits(server: Server) -> None:
    with server.ask('/export.csv') as exchange:
        exchange.do('items 1', 'flush')
        exchange.receive()
        frames = exchange.frames()
        assert next(frames) == exported(1)
        exchange.do('items 1', 'end')
        assert b''.join([exported(1), *frames]) == exported(2)
        assert exchange.wait_until_source_is_closed() == 2


def test_each_event_comes_while_the_source_waits(server: Server) -> None:
    with server.ask('/events') as exchange:
        exchange.do('items 1')
        exchange.receive()
        assert exchange.headers['content-type'].partition(';')[0] == 'text/event-stream'
        assert exchange.headers['cache-control'] == 'no-cache'
        frames = exchange.frames()
        for n in range(1, 5):
            assert next(frames) == b'data: %d\n\n' % n
            exchange.do('items 1')
        exchange.leave()
        exchange.do('trickle')
        exchange.wait_until_source_is_closed()


def test_query_that_fails_at_its_first_row_is_a_500(server: Server) -> None:
    with server.ask('/export.csv') as exchange:
        exchange.do('fail')
        exchange.receive()
        assert exchange.status == 500
        assert b'id,name' not in exchange.body()
        assert exchange.wait_until_source_is_closed() == 0


def test_query_that_fails_later_breaks_the_transfer_off(server: Server) -> None:
    count = rows_in(3 * CHUNK)
    got = b''
    with server.ask('/export.csv') as exchange:
        exchange.do(f'items {count}', 'fail')
        exchange.receive()
        assert exchange.status == 200
        with pytest.raises(TornError) if server.framed else contextlib.nullcontext():
            for frame in exchange.frames():
                got += frame
        assert exchange.wait_until_source_is_closed() == count
    assert len(got) >= 2 * CHUNK
    assert exported(count).startswith(got)


@pytest.mark.parametrize('path', ['/export.csv', '/events'])
def test_head_has_the_headers_and_does_not_run_the_source(server: Server, path: str) -> None:
    with server.ask(path, 'HEAD', Connection='close') as exchange:
        if exchange.source:
            exchange.do(f'items {rows_in(10 * CHUNK)}', 'end')
        exchange.receive()
        assert exchange.status == 200
        assert exchange.headers['content-type'].partition(';')[0] in (
            'text/csv',
            'text/event-stream',
        )
        # waitress ends the body that a HEAD has not.
        assert exchange.file.read() == (b'0\r\n\r\n' if server.program == 'waitress' else b'')
        if exchange.source:
            assert exchange.wait_until_source_is_closed() <= rows_in(2 * CHUNK)


def test_gzip(server: Server) -> None:
    with server.ask('/export.csv', Accept_Encoding='gzip') as exchange:
        exchange.do('items 8000', 'end')
        exchange.receive()
        assert exchange.status == 200
        packed = exchange.body()
        if exchange.headers.get('content-encoding') == 'gzip':
            assert 'accept-encoding' in exchange.headers['vary'].lower()
            assert len(packed) * 5 < len(exported(8_000))
            packed = gzip.decompress(packed)  # Django 5 makes a member of each chunk
        assert packed == exported(8_000)
        assert exchange.wait_until_source_is_closed() == 8_000


def test_events_come_at_once_although_the_client_takes_gzip(server: Server) -> None:
    with server.ask('/events', Accept_Encoding='gzip') as exchange:
        exchange.do('items 1')
        exchange.receive()
        packed = exchange.headers.get('content-encoding') == 'gzip'
        unpack = zlib.decompressobj(wbits=31).decompress if packed else bytes
        got = b''
        for frame in exchange.frames():
            got += unpack(frame)
            if got:
                break
        assert got == b'data: 1\n\n'
        exchange.leave()
        exchange.do('trickle')
        exchange.wait_until_source_is_closed()


@pytest.mark.parametrize('encoding', ['identity', 'gzip'])
def test_client_that_leaves_midway_closes_the_source(server: Server, encoding: str) -> None:
    with server.ask('/export.csv', Accept_Encoding=encoding) as exchange:
        exchange.do('endless')
        exchange.receive()
        assert next(exchange.frames())
        left = time.monotonic()
        exchange.leave()
        exchange.wait_until_source_is_closed()
        assert time.monotonic() - left < server.patience


def test_client_that_leaves_while_the_source_waits(server: Server) -> None:
    with server.ask('/events') as exchange:
        exchange.do('items 1')
        exchange.receive()
        assert next(exchange.frames()) == b'data: 1\n\n'
        left = time.monotonic()
        exchange.leave()
        if not server.says_who_leaves:
            exchange.do('trickle')  # it is noticed when there is something to send
        assert exchange.wait_until_source_is_closed() == 1 or not server.says_who_leaves
        assert time.monotonic() - left < server.patience


def test_client_that_leaves_while_a_blocking_source_waits(server: Server) -> None:
    with server.ask('/export.csv') as exchange:
        exchange.do('items 1', 'flush')
        exchange.receive()
        assert next(exchange.frames()) == exported(1)
        exchange.leave()
        exchange.do('trickle')  # what blocks cannot be told before
        given = time.monotonic()
        exchange.wait_until_source_is_closed()
        assert time.monotonic() - given < server.patience


# --- Asynchronous streams ----------------------------------------------------------------------


@pytest.mark.parametrize('heading', ASYNCHRONOUS)
def test_an_asynchronous_cursor_needs_no_bridge(heading: str, tmp_path: Path) -> None:
    section = without(heading, 'to_async(orders)', 'orders()')
    for name, text in section.files.items():
        section.files[name] = text.replace('from shop import', 'from feed import')
    with served(tmp_path, heading, section.commands[0], section) as server:
        with server.ask('/export.csv') as exchange:
            exchange.do('items 10000', 'end')
            exchange.receive()
            assert exchange.body() == exported(10_000)
            assert exchange.wait_until_source_is_closed() == 10_000
        with server.ask('/export.csv') as exchange:
            exchange.do('endless')
            exchange.receive()
            assert next(exchange.frames())
            left = time.monotonic()
            exchange.leave()
            exchange.wait_until_source_is_closed()
            assert time.monotonic() - left < server.patience
        with server.ask('/export.csv') as exchange:
            exchange.do('fail')
            exchange.receive()
            assert exchange.status == 500
            assert exchange.wait_until_source_is_closed() == 0


@pytest.mark.parametrize('primed', [False, True])
def test_a_stream_primed_behind_synchronous_middleware_of_django_is_torn(
    primed: bool, tmp_path: Path
) -> None:
    heading = 'Django, asynchronous'
    priming = "await (chunks.aclose() if request.method == 'HEAD' else chunks.aprime())"
    files = dict(DOCUMENT[heading].files)
    if not primed:
        files['urls.py'] = files['urls.py'].replace(priming, 'pass')
    files['plain.py'] = 'def plain(get_response):\n    return lambda r: get_response(r)\n'
    files['settings.py'] += "\nMIDDLEWARE = ['plain.plain']\n"
    section = Section(files, DOCUMENT[heading].commands)
    with (
        served(tmp_path, heading, section.commands[0], section) as server,
        server.ask('/export.csv') as exchange,
    ):
        # More than is made before the view's task has ended.
        exchange.do('endless' if primed else 'items 8000', 'end')
        exchange.receive()
        if primed:
            with contextlib.suppress(TornError):
                exchange.body()
            exchange.wait_until_source_is_closed()
        else:
            assert exchange.body() == exported(8_000)
            assert exchange.wait_until_source_is_closed() == 8_000


@pytest.mark.parametrize('heading', ['Quart', 'Quart, asynchronous'])
def test_quart_does_not_cut_a_slow_stream_off(heading: str, tmp_path: Path) -> None:
    files = dict(DOCUMENT[heading].files)
    files['app.py'] += "\napp.config['RESPONSE_TIMEOUT'] = 0.1\n"
    section = Section(files, DOCUMENT[heading].commands)
    with (
        served(tmp_path, heading, section.commands[0], section) as server,
        server.ask('/events') as exchange,
    ):
        exchange.do('items 1')
        exchange.receive()
        frames = exchange.frames()
        assert next(frames) == b'data: 1\n\n'
        assert select.select([exchange.line], [], [], 0.4)[0] == []
        exchange.do('items 1', 'end')
        assert list(frames) == [b'data: 2\n\n']


# --- What the applications of the document are there to prevent -------------------------------


def without(heading: str, old: str, new: str) -> Section:
    section = DOCUMENT[heading]
    files = {name: text.replace(old, new) for name, text in section.files.items()}
    assert files != section.files
    return Section(files, section.commands)


@pytest.mark.parametrize(
    ('heading', 'old', 'new'),
    [
        ('WSGI without a framework', '[] if head else chunks', 'chunks'),
        ('Django', "[] if request.method == 'HEAD' else chunks", 'chunks'),
        ('Starlette', 'ClosingResponse(chunks', 'StreamingResponse(chunks'),
        ('Quart', "[] if request.method == 'HEAD' else chunks", 'chunks'),
    ],
)
def test_head_runs_the_whole_source_where_nothing_is_done(
    heading: str, old: str, new: str, tmp_path: Path
) -> None:
    section = without(heading, old, new)
    count = rows_in(10 * CHUNK)
    with (
        served(tmp_path, heading, section.commands[0], section) as server,
        server.ask('/export.csv', 'HEAD') as exchange,
    ):
        exchange.do(f'items {count}', 'end')
        exchange.receive()
        assert exchange.wait_until_source_is_closed() == count


def test_starlettes_own_response_leaves_the_source_to_a_garbage_collection(tmp_path: Path) -> None:
    """Nobody closes it when the client leaves, and a cycle of frames and tracebacks holds it."""
    heading = 'Starlette'
    section = without(heading, 'ClosingResponse(chunks', 'StreamingResponse(chunks')
    section.files['app.py'] += """

def collect(request):
    import gc
    gc.enable()
    gc.collect()
    gc.disable()
    return StreamingResponse([])


app.add_route('/collect', collect, methods=['HEAD'])
"""
    with (
        served(tmp_path, heading, 'uvicorn app:app', section) as server,
        server.ask('/events') as exchange,
    ):
        exchange.do('items 1')
        exchange.receive()
        assert next(exchange.frames()) == b'data: 1\n\n'
        exchange.leave()
        exchange.do('trickle')
        assert exchange.source is not None
        exchange.source.settimeout(0.2)
        deadline = time.monotonic() + PATIENCE
        said = ''
        while not said and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                said = exchange.last_words()
            with server.ask('/collect', 'HEAD') as collecting:
                collecting.receive()
        assert said.endswith(' by a collection\n')


@pytest.mark.parametrize(
    'heading',
    [
        'Starlette, asynchronous',
        'FastAPI, asynchronous',
        'Django, asynchronous',
        'Litestar, asynchronous',
    ],
)
def test_frameworks_close_no_asynchronous_stream(heading: str, tmp_path: Path) -> None:
    section = without(heading, ', close_with_task=True', '')
    with (
        served(tmp_path, heading, 'uvicorn app:app', section) as server,
        server.ask('/events') as exchange,
    ):
        exchange.do('endless')
        exchange.receive()
        assert next(exchange.frames())
        exchange.leave()
        assert exchange.source is not None
        exchange.source.settimeout(server.patience)
        with pytest.raises(TimeoutError):
            exchange.last_words()

"""Responses of the clients that programs use: compressed, cut anywhere, and as they come.

``tests/sse/test_clients.py`` has events that are not compressed, as they come.
"""

from __future__ import annotations

import asyncio
import gzip
import http.client
import http.server
import importlib
import json
import queue
import threading
import urllib.request
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from typing import Any, NamedTuple

import pytest

from generators import (
    DataError,
    aevent_source,
    ajsonl_rows,
    alines,
    event_source,
    jsonl_rows,
    lines,
)
from tests.sse.oracle import parse

pytestmark = pytest.mark.timeout(100)


def package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f'{name} is not installed')


# --- formats: what a body is read as, and a statement of it in Python -------------------------


class Format(NamedTuple):
    read: Callable[..., Any]
    aread: Callable[..., Any]
    body: bytes
    # Of what has come: the items that are certain, and then those of a stream that ends there;
    # None in them is an error.
    certain: Callable[[bytes], list[Any]]
    at_end: Callable[[bytes], list[Any]]


def split(data: bytes) -> list[bytes]:
    return data.replace(b'\r\n', b'\n').replace(b'\r', b'\n').split(b'\n')


def lines_at_end(data: bytes) -> list[Any]:
    found = split(data)
    return found if found[-1] else found[:-1]


def values_of(found: list[bytes]) -> list[Any]:
    values = []
    for line in found:
        if line.strip():
            try:
                values.append(json.loads(line))
            except ValueError:
                return [*values, None]
    return values


def events_of(data: bytes) -> list[Any]:
    return [(name, text, id) for text, name, id, _ in parse(data).events]


def plain(item: Any) -> Any:
    return (item.event, item.data, item.id) if hasattr(item, 'event') else item


FORMATS = {
    'lines': Format(
        lines,
        alines,
        b'one\r\ntw\xc3\xb6\r\rfour\n\xe2\x80\xa8five',
        lambda data: split(data)[:-1],
        lines_at_end,
    ),
    'values': Format(
        jsonl_rows,
        ajsonl_rows,
        b'{"a": 1}\n\n["\xc3\xa9"]\r\n12\n345',
        lambda data: values_of(data.split(b'\n')[:-1]),
        lambda data: values_of(data.split(b'\n')),
    ),
    'events': Format(
        event_source,
        aevent_source,
        b': hi\ndata: a\r\n\r\nid: 7\nevent: e\ndata: \xe2\x82\xac\rdata:\n\ndata: end\n\n',
        events_of,
        events_of,
    ),
}


def test_the_whole_bodies() -> None:
    assert FORMATS['lines'].at_end(FORMATS['lines'].body) == [
        b'one',
        'twö'.encode(),
        b'',
        b'four',
        '\u2028five'.encode(),
    ]
    assert FORMATS['values'].at_end(FORMATS['values'].body) == [{'a': 1}, ['é'], 12, 345]
    assert FORMATS['events'].at_end(FORMATS['events'].body) == [
        ('message', 'a', ''),
        ('e', '€\n', '7'),
        ('message', 'end', '7'),
    ]


# --- the server ---------------------------------------------------------------------------------


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    timeout = 30

    def do_GET(self) -> None:
        self.server.answer(self)  # type: ignore[attr-defined]

    def begin(self, **headers: str) -> None:
        self.send_response(200)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.end_headers()

    def piece(self, data: bytes) -> None:
        self.wfile.write(b'%x\r\n%s\r\n' % (len(data), data))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served(answer: Callable[[Handler], None]) -> Iterator[str]:
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        server.answer = answer  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_port}/'
        finally:
            server.shutdown()
            thread.join()


def coding(name: str | None) -> dict[str, str]:
    return {} if name is None else {'Content_Encoding': name}


# --- the clients: what opens a response, and the exceptions of one that breaks off --------------

Opener = Callable[[str], AbstractContextManager[Any]]
AsyncOpener = Callable[[str], AbstractAsyncContextManager[Any]]


@contextmanager
def by_urllib() -> Iterator[tuple[Opener, Any]]:
    @contextmanager
    def opened(url: str) -> Iterator[Any]:
        with urllib.request.urlopen(url, timeout=30) as response:
            packed = response.headers['Content-Encoding'] == 'gzip'
            yield gzip.GzipFile(fileobj=response) if packed else response

    yield opened, (http.client.IncompleteRead, EOFError, zlib.error)


def urllib3_of(size: int | None) -> Callable[[], AbstractContextManager[tuple[Opener, Any]]]:
    @contextmanager
    def client() -> Iterator[tuple[Opener, Any]]:
        urllib3 = package('urllib3')
        with urllib3.PoolManager() as pool:

            @contextmanager
            def opened(url: str) -> Iterator[Any]:
                response = pool.request('GET', url, preload_content=False, retries=False)
                yield response.stream(size, decode_content=True)
                response.close()

            yield opened, urllib3.exceptions.HTTPError

    return client


def requests_of(size: int | None) -> Callable[[], AbstractContextManager[tuple[Opener, Any]]]:
    @contextmanager
    def client() -> Iterator[tuple[Opener, Any]]:
        requests = package('requests')
        with requests.Session() as session:

            @contextmanager
            def opened(url: str) -> Iterator[Any]:
                with session.get(url, stream=True, timeout=30) as response:
                    yield response.iter_content(size)

            yield opened, requests.RequestException

    return client


@contextmanager
def by_httpx() -> Iterator[tuple[Opener, Any]]:
    httpx = package('httpx')
    with httpx.Client(timeout=30) as client:

        @contextmanager
        def opened(url: str) -> Iterator[Any]:
            with client.stream('GET', url) as response:
                yield response.iter_bytes()

        yield opened, httpx.HTTPError


CLIENTS: dict[str, Any] = {
    'urllib': by_urllib,
    'urllib3': urllib3_of(None),
    'urllib3, by bytes': urllib3_of(1),
    'requests': requests_of(None),
    'requests, by bytes': requests_of(1),
    'httpx': by_httpx,
}


@asynccontextmanager
async def aby_httpx() -> AsyncIterator[tuple[AsyncOpener, Any]]:
    httpx = package('httpx')
    async with httpx.AsyncClient(timeout=30) as client:

        @asynccontextmanager
        async def opened(url: str) -> AsyncIterator[Any]:
            async with client.stream('GET', url) as response:
                yield response.aiter_bytes()

        yield opened, httpx.HTTPError


def aiohttp_of(
    source: Callable[[Any], Any],
) -> Callable[[], AbstractAsyncContextManager[tuple[AsyncOpener, Any]]]:
    @asynccontextmanager
    async def client() -> AsyncIterator[tuple[AsyncOpener, Any]]:
        aiohttp = package('aiohttp')
        async with aiohttp.ClientSession() as session:

            @asynccontextmanager
            async def opened(url: str) -> AsyncIterator[Any]:
                async with session.get(url) as response:
                    yield source(response.content)

            yield opened, aiohttp.ClientError

    return client


ASYNC_CLIENTS: dict[str, Any] = {
    'httpx': aby_httpx,
    'aiohttp': aiohttp_of(lambda content: content.iter_any()),
    'aiohttp, its reader': aiohttp_of(lambda content: content),
}


def taken(items: Any) -> tuple[list[Any], BaseException | None]:
    """What is given, and what it ends with."""
    found = []
    try:
        for item in items:
            found.append(plain(item))
    except Exception as e:
        return found, e
    return found, None


async def ataken(items: Any) -> tuple[list[Any], BaseException | None]:
    found = []
    try:
        async for item in items:
            found.append(plain(item))
    except Exception as e:
        return found, e
    return found, None


Result = tuple[list[Any], BaseException | None]


def responses(client: str, format: Format, url: str, numbers: range) -> tuple[list[Result], Any]:
    """What each of some responses gives, and the exceptions of the client."""
    results = []
    if client.startswith('async '):

        async def main() -> Any:
            async with ASYNC_CLIENTS[client.removeprefix('async ')]() as (opened, errors):
                for number in numbers:
                    try:
                        async with opened(f'{url}{number}') as source:
                            results.append(await ataken(format.aread(source)))
                    except errors as e:
                        results.append(([], e))
                return errors

        return results, asyncio.run(main())
    with CLIENTS[client]() as (opened, errors):
        for number in numbers:
            try:
                with opened(f'{url}{number}') as source:
                    results.append(taken(format.read(source)))
            except errors as e:
                results.append(([], e))
        return results, errors


EVERY = [*CLIENTS, *(f'async {name}' for name in ASYNC_CLIENTS)]
every_client = pytest.mark.parametrize('client', EVERY)
every_format = pytest.mark.parametrize('name', FORMATS)


# --- cut at every byte --------------------------------------------------------------------------


@every_client
@every_format
def test_a_stream_that_ends_at_any_byte(client: str, name: str) -> None:
    """Without a length, the end of the connection is that of the body."""
    format = FORMATS[name]

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.begin(Connection='close')
        handler.wfile.write(format.body[: int(handler.path[1:])])

    numbers = range(len(format.body) + 1)
    with served(answer) as url:
        results, _ = responses(client, format, url, numbers)
    for number, (found, error) in zip(numbers, results, strict=True):
        expected = format.at_end(format.body[:number])
        if None in expected:
            assert isinstance(error, DataError), number
            assert [*found, None] == expected, number
        else:
            assert (found, error) == (expected, None), number


@every_client
@every_format
@pytest.mark.parametrize('encoding', [None, 'gzip', 'br'])
@pytest.mark.parametrize('chunked', [False, True])
def test_a_connection_that_breaks_off_at_any_byte(
    client: str, name: str, encoding: str | None, chunked: bool
) -> None:
    """The exception of the client comes through, after items that are whole."""
    format = FORMATS[name]
    if encoding == 'br' and client == 'urllib':
        pytest.skip('it knows no brotli')
    if client == 'urllib' and not chunked:
        pytest.skip('it takes a body that is too short for a whole one')
    body = compressed(format.body, encoding)

    def answer(handler: Handler) -> None:
        part = body[: int(handler.path[1:])]
        handler.close_connection = True
        if chunked:
            handler.begin(Transfer_Encoding='chunked', **coding(encoding))
            for i in range(len(part)):
                handler.piece(part[i : i + 1])
        else:
            handler.begin(Content_Length=str(len(body)), **coding(encoding))
            handler.wfile.write(part)

    numbers = range(len(body))
    with served(answer) as url:
        results, errors = responses(client, format, url, numbers)
    for number, (found, error) in zip(numbers, results, strict=True):
        assert isinstance(error, errors), (number, error)
        if encoding is None:
            certain = format.certain(body[:number])
            if client in ('httpx', 'async httpx') or client.endswith('by bytes'):
                assert found == certain, number
        else:
            certain = format.certain(format.body)
        assert found == certain[: len(found)], number


def compressed(body: bytes, encoding: str | None) -> bytes:
    if encoding == 'gzip':
        return gzip.compress(body, mtime=0)
    return bytes(package('brotli').compress(body)) if encoding == 'br' else body


# --- as they come -------------------------------------------------------------------------------


class Packer:
    """A stream that is compressed, and flushed behind each piece."""

    def __init__(self, encoding: str | None) -> None:
        self.flush = b''
        if encoding == 'gzip':
            packer = zlib.compressobj(wbits=31)
            self.pack = lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)
            self.finish = packer.flush
        elif encoding == 'br':
            compressor = package('brotli').Compressor()
            self.pack = lambda data: compressor.process(data) + compressor.flush()
            self.finish = compressor.finish
        else:
            self.pack = bytes
            self.finish = bytes


# Pieces, and the items that are there when they have come.
STEPS: dict[str, list[tuple[list[bytes], list[Any]]]] = {
    'lines': [
        ([b'one\r'], [b'one']),
        ([b'\ntw', b'\xc3', b'\xb6\nthree\n'], ['twö'.encode(), b'three']),
        ([b'four\n'], [b'four']),
    ],
    'values': [
        ([b'{"a"', b': 1}\n'], [{'a': 1}]),
        ([b'\n2\r', b'\n"\xc3', b'\xa9"\n'], [2, 'é']),
    ],
    'events': [
        ([b'data: \xe2', b'\x82', b'\xac\r\n\r'], [('message', '€', '')]),
        ([b'\nid: 7\nda', b'ta: b\n', b'\n'], [('message', 'b', '7')]),
    ],
}


def streamed(
    pieces: queue.Queue[bytes | None], packer: Packer, encoding: str | None
) -> Callable[[Handler], None]:
    def answer(handler: Handler) -> None:
        handler.close_connection = True
        handler.begin(Transfer_Encoding='chunked', **coding(encoding))
        while (piece := pieces.get(timeout=30)) is not None:
            handler.piece(packer.pack(piece))
        if rest := packer.finish():
            handler.piece(rest)
        handler.wfile.write(b'0\r\n\r\n')

    return answer


@every_format
@pytest.mark.parametrize('encoding', [None, 'gzip', 'br'])
@pytest.mark.parametrize('client', ['urllib3', 'requests', 'httpx'])
def test_each_item_comes_when_it_is_sent(client: str, name: str, encoding: str | None) -> None:
    pieces: queue.Queue[bytes | None] = queue.Queue()
    with (
        served(streamed(pieces, Packer(encoding), encoding)) as url,
        CLIENTS[client]() as (opened, _),
    ):
        try:
            with opened(url) as source:
                items = FORMATS[name].read(source)
                for parts, expected in STEPS[name]:
                    for part in parts:
                        pieces.put(part)
                    assert [plain(next(items)) for _ in expected] == expected
                pieces.put(None)
                assert list(items) == []
        finally:
            pieces.put(None)


@every_format
@pytest.mark.parametrize('encoding', [None, 'gzip', 'br'])
@pytest.mark.parametrize('client', ASYNC_CLIENTS)
def test_each_item_comes_when_it_is_sent_async(
    client: str, name: str, encoding: str | None
) -> None:
    pieces: queue.Queue[bytes | None] = queue.Queue()

    async def main(url: str) -> None:
        async with ASYNC_CLIENTS[client]() as (opened, _), opened(url) as source:
            items = FORMATS[name].aread(source)
            for parts, expected in STEPS[name]:
                for part in parts:
                    pieces.put(part)
                assert [plain(await anext(items)) for _ in expected] == expected
            pieces.put(None)
            assert [item async for item in items] == []

    with served(streamed(pieces, Packer(encoding), encoding)) as url:
        try:
            asyncio.run(main(url))
        finally:
            pieces.put(None)

"""Events by the clients that programs use, each given when it is sent and not later."""

from __future__ import annotations

import asyncio
import http.server
import importlib
import queue
import threading
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, contextmanager
from typing import Any

import pytest

from generators import aevent_source, event_source

pytestmark = pytest.mark.timeout(60)


class Handler(http.server.BaseHTTPRequestHandler):
    """It sends what the test tells it, piece by piece, each in a chunk of the transfer."""

    protocol_version = 'HTTP/1.1'
    pieces: queue.Queue[bytes]

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header('Content-Type', 'text/event-stream')
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        while piece := self.pieces.get(timeout=30):
            self.wfile.write(b'%x\r\n%s\r\n' % (len(piece), piece))
        self.wfile.write(b'0\r\n\r\n')

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def served() -> Iterator[tuple[str, queue.Queue[bytes]]]:
    pieces: queue.Queue[bytes] = queue.Queue()
    handler = type('Own', (Handler,), {'pieces': pieces})
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_port}/', pieces
        finally:
            pieces.put(b'')
            server.shutdown()
            thread.join()


def package(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        pytest.skip(f'{name} is not installed')


def by_urllib(url: str) -> Iterator[Any]:
    with urllib.request.urlopen(url, timeout=30) as response:
        yield event_source(response)


def by_urllib3(url: str) -> Iterator[Any]:
    pool = package('urllib3').PoolManager()
    response = pool.request('GET', url, preload_content=False)
    yield event_source(response.stream())
    response.close()
    pool.clear()


def by_requests(url: str) -> Iterator[Any]:
    with package('requests').get(url, stream=True, timeout=30) as response:
        yield event_source(response.iter_content(None))


def by_httpx(url: str) -> Iterator[Any]:
    with package('httpx').stream('GET', url, timeout=30) as response:
        yield event_source(response.iter_bytes())


def by_lines_of_httpx(url: str) -> Iterator[Any]:
    with package('httpx').stream('GET', url, timeout=30) as response:
        yield event_source(response.iter_lines())


# Cut in a character, in a line end, and in the name of a field.
PIECES = [
    [b'data: \xe2', b'\x82', b'\xac\r\n\r', b'\nda'],
    [b'ta: b\nid: 7\n', b'\n'],
    [b'event: e\ndata: c\n\n'],
]
EVENTS = [('message', '€', ''), ('message', 'b', '7'), ('e', 'c', '7')]


@pytest.mark.parametrize(
    'client', [by_urllib, by_urllib3, by_requests, by_httpx, by_lines_of_httpx]
)
def test_each_event_comes_when_it_is_sent(client: Callable[[str], Iterator[Any]]) -> None:
    with served() as (url, pieces):
        pieces.put(b': hello\n\n')
        opened = client(url)
        events = next(opened)
        for part, (name, data, last_id) in zip(PIECES, EVENTS, strict=True):
            for piece in part:
                pieces.put(piece)
            event = next(events)
            assert (event.event, event.data, event.id) == (name, data, last_id)
        pieces.put(b'')
        assert list(events) == []
        assert list(opened) == []


async def aby_httpx(url: str) -> AsyncIterator[Any]:
    async with (
        package('httpx').AsyncClient(timeout=30) as client,
        client.stream('GET', url) as response,
    ):
        yield aevent_source(response.aiter_bytes())


async def aby_aiohttp(url: str) -> AsyncIterator[Any]:
    async with package('aiohttp').ClientSession() as session, session.get(url) as response:
        yield aevent_source(response.content.iter_any())


async def aby_reader_of_aiohttp(url: str) -> AsyncIterator[Any]:
    async with package('aiohttp').ClientSession() as session, session.get(url) as response:
        yield aevent_source(response.content)


@pytest.mark.parametrize('client', [aby_httpx, aby_aiohttp, aby_reader_of_aiohttp])
def test_each_event_comes_when_it_is_sent_async(
    client: Callable[[str], AsyncIterator[Any]],
) -> None:
    async def main(url: str, pieces: queue.Queue[bytes]) -> None:
        pieces.put(b': hello\n\n')
        async with aclosing(client(url)) as opened:  # type: ignore[type-var]
            events = await anext(opened)
            for part, (name, data, last_id) in zip(PIECES, EVENTS, strict=True):
                for piece in part:
                    pieces.put(piece)
                event = await anext(events)
                assert (event.event, event.data, event.id) == (name, data, last_id)
            pieces.put(b'')
            assert [event async for event in events] == []

    with served() as (url, pieces):
        asyncio.run(main(url, pieces))

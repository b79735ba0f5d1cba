"""The article's fetch_and_process, against a real HTTP server."""

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

requests = pytest.importorskip('requests')

from examples import article_003_fetch as article  # noqa: E402


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        number = int(self.path.strip('/'))
        time.sleep(0.02)
        body = json.dumps({'number': number}).encode()
        self.send_response(500 if number == 13 else 200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope='module')
def urls() -> Iterator[list[str]]:
    with ThreadingHTTPServer(('127.0.0.1', 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield [f'http://127.0.0.1:{server.server_port}/{i}' for i in range(20)]
        server.shutdown()
        thread.join(10)


NUMBERS = [{'number': i} for i in range(6)]


def test_as_written(urls: list[str]) -> None:
    seen: list[Any] = []
    assert asyncio.run(article.fetch_and_process(urls[:6], seen.append)) == 6
    assert seen == NUMBERS


def test_with_threads_under_the_loop(urls: list[str]) -> None:
    seen: list[Any] = []
    assert asyncio.run(article.fetch_and_process_beside(urls[:6], seen.append)) == 6
    assert seen == NUMBERS
    seen.clear()
    assert asyncio.run(article.fetch_all_beside(urls[:6], seen.append)) == 6
    assert sorted(x['number'] for x in seen) == list(range(6))


def test_with_map_threads(urls: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert article.fetch_all(urls[:2]) == 2
    assert capsys.readouterr().out == "Processed: {'number': 0}\nProcessed: {'number': 1}\n"


def test_a_failure_is_where_it_belongs(urls: list[str]) -> None:
    seen: list[Any] = []
    with pytest.raises(requests.HTTPError) as caught:
        article.fetch_all(urls, seen.append)
    assert [x['number'] for x in seen] == list(range(13))
    assert 'with item 13' in caught.value.__notes__[0]
    with pytest.raises(requests.HTTPError):
        asyncio.run(article.fetch_and_process(urls, seen.append))

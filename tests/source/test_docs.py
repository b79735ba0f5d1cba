"""The examples of docs/files.md run as they stand, and those of HTTP against a server."""

from __future__ import annotations

import asyncio
import gzip
import http.server
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / 'docs' / 'files.md'
pytestmark = pytest.mark.skipif(not DOCS.exists(), reason='no docs beside the tests')
TEXT = DOCS.read_text('utf-8') if DOCS.exists() else ''
EXAMPLES = re.findall(r'```python\n(.*?)```', TEXT.partition('## Messy files')[0], re.DOTALL)
LIBRARIES = ('requests', 'httpx', 'aiohttp', 'fsspec')


def run(example: str) -> dict[str, Any]:
    for name in LIBRARIES:
        if f'import {name}' in example:
            pytest.importorskip(name)
    names: dict[str, Any] = {}
    exec(compile(example, 'docs/files.md', 'exec'), names)
    return names


@pytest.mark.parametrize('number', range(len(EXAMPLES)))
def test_an_example(number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(EXAMPLES[number])


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b'id,name\n1,Ann\n2,Bob\n'
        body = gzip.compress(body) if self.path.endswith('.gz') else body
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope='module')
def url() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Files)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f'http://127.0.0.1:{server.server_address[1]}'
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize('path', ['/a.csv', '/a.csv.gz'])
@pytest.mark.parametrize(
    'name', ['with_requests', 'with_httpx', 'with_async_httpx', 'with_aiohttp']
)
def test_http(name: str, path: str, url: str) -> None:
    (example,) = (text for text in EXAMPLES if f'def {name}(' in text)
    fetch = run(example)[name]

    async def read() -> list[Any]:
        return [row async for row in fetch(url + path)]

    is_async = 'async def' in example
    rows = asyncio.run(read()) if is_async else list(fetch(url + path))
    assert rows == [{'id': '1', 'name': 'Ann'}, {'id': '2', 'name': 'Bob'}]

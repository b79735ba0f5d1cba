"""Servers that are told to stop while clients listen: examples/recipes/shutdown.py."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

RECIPES = Path(__file__).parents[2] / 'examples' / 'recipes'
PATIENCE = 30.0

pytest.importorskip('starlette')
posix = pytest.mark.skipif(sys.platform == 'win32', reason='signals of POSIX')

SERVERS = {
    'uvicorn': '-m uvicorn --host 127.0.0.1 --port {port} --app-dir {folder} shutdown:app',
    'hypercorn': '-m hypercorn --workers 0 --bind 127.0.0.1:{port} shutdown:app',
    'granian': '-m granian --interface asgi --host 127.0.0.1 --port {port} shutdown:app',
}


def free_port() -> int:
    with socket.socket() as place:
        place.bind(('127.0.0.1', 0))
        port: int = place.getsockname()[1]
        return port


def connected(port: int, process: subprocess.Popen[bytes]) -> socket.socket:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None
        try:
            return socket.create_connection(('127.0.0.1', port), PATIENCE)
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def published(port: int, process: subprocess.Popen[bytes], text: bytes) -> bytes:
    with connected(port, process) as client:
        client.sendall(
            b'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n'
            b'Content-Length: %d\r\n\r\n%s' % (len(text), text)
        )
        answer = b''
        while piece := client.recv(4096):
            answer += piece
        return answer


@posix
@pytest.mark.timeout(120)
@pytest.mark.parametrize('name', SERVERS)
def test_live_streams_end_at_once(name: str, tmp_path: Path) -> None:
    pytest.importorskip(name)
    port = free_port()
    command = SERVERS[name].format(port=port, folder=RECIPES).split()
    with (tmp_path / 'log').open('wb') as log:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=RECIPES, stdout=log, stderr=log, env=dict(os.environ)
        )
    try:
        with connected(port, process) as client:
            client.sendall(b'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
            deadline = time.monotonic() + PATIENCE
            while b'\n1 of' not in published(port, process, b'hello').replace(b'\r', b''):
                assert time.monotonic() < deadline
            begun = time.monotonic()
            process.send_signal(signal.SIGTERM)
            received = b''
            while piece := client.recv(4096):
                received += piece
                if received.endswith(b'0\r\n\r\n'):
                    break
            assert process.wait(PATIENCE) in (0, -signal.SIGTERM), (tmp_path / 'log').read_text()
            took = time.monotonic() - begun
        assert b'data: hello\n\n' in received
        assert received.endswith(b'0\r\n\r\n'), 'the response has its proper end'
        assert took < 15, 'not by a timeout of the server'
        assert 'Traceback' not in (tmp_path / 'log').read_text()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()

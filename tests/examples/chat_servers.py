"""The chat on real servers, and Redis: each started on loopback, stopped by its own process id."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / 'examples'
PATIENCE = 30.0  # seconds, for what must happen

if str(EXAMPLES) not in sys.path:
    sys.path.insert(0, str(EXAMPLES))


def need(command: str, package: str) -> str:
    path = shutil.which(command)
    if path is None:
        pytest.skip(f"no {command} is installed: Debian's package {package} has it")
    return path


def eventually(condition: Callable[[], Any], what: str) -> Any:
    """What a condition gives as soon as it is true."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, f'it did not happen: {what}'
        time.sleep(0.01)
    return value


@contextmanager
def running(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, 'ab') as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class ChatServer:
    """One server process.  `stop` and `start` it again on the port that it had."""

    def __init__(self, folder: Path, history: Path, redis: str = '') -> None:
        self.log = folder / f'server-{id(self)}.log'
        self.environment = {
            **os.environ,
            'CHAT_HISTORY': str(history),
            'CHAT_REDIS': redis,
            'PYTHONUNBUFFERED': '1',
        }
        self.port = 0
        self._stack = ExitStack()

    def start(self) -> ChatServer:
        seen = len(self.text())
        command = f'-m uvicorn --app-dir {EXAMPLES} --ws-max-size 65536'
        command += ' --timeout-graceful-shutdown 1 --host 127.0.0.1'
        self.process = self._stack.enter_context(
            running(
                [sys.executable, *command.split(), '--port', str(self.port), 'chat.app:app'],
                self.log,
                env=self.environment,
                cwd=ROOT,
            )
        )

        def listening() -> re.Match[str] | None:
            assert self.process.poll() is None, self.text()
            return re.search(r'running on http://127\.0\.0\.1:(\d+)', self.text()[seen:])

        self.port = int(eventually(listening, 'the server listens')[1])
        return self

    def stop(self) -> None:
        self._stack.close()

    def kill(self) -> None:
        """As when its machine fails."""
        self.process.kill()
        self.stop()

    def __enter__(self) -> ChatServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def text(self) -> str:
        return self.log.read_text('utf-8', 'replace') if self.log.exists() else ''

    @property
    def url(self) -> str:
        return f'http://127.0.0.1:{self.port}/'

    def client(self, name: str, room: str = 'lobby', **options: Any) -> Client:
        return Client(self.port, name, room, **options)


class Client:
    """A program in the chat, which has heard that it joined."""

    def __init__(self, port: int, name: str, room: str, **options: Any) -> None:
        from websockets.sync.client import connect

        query = urlencode({'name': name, 'room': room})
        url = f'ws://127.0.0.1:{port}/socket?{query}'
        self._stack = ExitStack()
        self.websocket = self._stack.enter_context(
            connect(url, open_timeout=PATIENCE, close_timeout=1, proxy=None, **options)
        )
        self.lines: list[dict[str, Any]] = []
        self.history = self.until(kind='joined', name=name)

    def say(self, text: str) -> None:
        self.websocket.send(json.dumps({'text': text}))

    def hear(self) -> dict[str, Any]:
        while not self.lines:
            self.lines = json.loads(self.websocket.recv(PATIENCE))
        return self.lines.pop(0)

    def until(self, **fields: str) -> list[dict[str, Any]]:
        """All lines up to the first that has these fields."""
        lines = [self.hear()]
        while not fields.items() <= lines[-1].items():
            lines.append(self.hear())
        return lines

    def vanish(self) -> None:
        """As when a cable is cut and the other end notices: no closing handshake."""
        linger = b'\1\0\0\0\0\0\0\0'  # on, for no seconds: the connection is reset
        self.websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.websocket.socket.shutdown(socket.SHUT_RD)
        self.websocket.socket.close()

    def close(self) -> None:
        with suppress(OSError):  # it vanished
            self._stack.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class RedisServer:
    """A Redis of its own.  `stop` and `start` it again on the port that it had."""

    def __init__(self, folder: Path) -> None:
        self.program = need('redis-server', 'redis-server')
        self.folder = folder
        self.port = 0
        self._stack = ExitStack()

    @property
    def url(self) -> str:
        return f'redis://127.0.0.1:{self.port}'

    def start(self) -> RedisServer:
        if self.port:
            assert self._is_started()
            return self
        # It can't be given a port by the system: another program may be quicker to take it.
        for _ in range(10):
            with socket.create_server(('127.0.0.1', 0)) as s:
                self.port = s.getsockname()[1]
            if self._is_started():
                return self
        raise AssertionError((self.folder / 'redis.log').read_text('utf-8'))

    def _is_started(self) -> bool:
        options = f'--port {self.port} --bind 127.0.0.1 --appendonly no --daemonize no'
        process = self._stack.enter_context(
            running(
                [self.program, *options.split(), '--save', '', '--dir', str(self.folder)],
                self.folder / 'redis.log',
            )
        )
        return bool(
            eventually(
                lambda: process.poll() is not None or self.command('PING') == b'+PONG\r\n',
                'Redis answers',
            )
            and process.poll() is None
        )

    def command(self, *words: str) -> bytes:
        """Its answer; nothing where it is not there."""
        parts = [f'*{len(words)}\r\n'.encode()]
        for word in words:
            data = word.encode()
            parts.append(b'$%d\r\n%b\r\n' % (len(data), data))
        try:
            with socket.create_connection(('127.0.0.1', self.port), PATIENCE) as s:
                s.sendall(b''.join(parts))
                return s.recv(4096)
        except OSError:
            return b''

    def stop(self) -> None:
        self._stack.close()

    def __enter__(self) -> RedisServer:
        return self.start()

    def __exit__(self, *exception: object) -> None:
        self.stop()

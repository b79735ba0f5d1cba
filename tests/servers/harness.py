"""Applications on real servers, a client, and the lines on which a test leads their sources."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGES = HERE.parents[1] / 'docs' / 'frameworks'
PATIENCE = 20.0  # seconds, for what must happen

# How each server is told where to listen.
ADDRESSES = {
    'gunicorn': '--workers 1 --bind 127.0.0.1:{port}',
    'waitress': '--listen 127.0.0.1:{port}',
    'uvicorn': '--host 127.0.0.1 --port {port}',
    'hypercorn': '--bind 127.0.0.1:{port}',
    'aiohttp.web': '-H 127.0.0.1 -P {port}',
    'validated': '{port}',
}


@dataclass
class Section:
    """What a page of docs/frameworks has under one heading."""

    files: dict[str, str]
    commands: list[str]


def sections() -> dict[str, Section]:
    """The applications, by the title of the page, and `, asynchronous` for the second half."""
    found = {}
    for page in sorted(PAGES.glob('*.md')):
        text = page.read_text('utf-8')
        title = text.split('\n', 1)[0].removeprefix('# ')
        for heading, part in re.findall(r'^## (.*?)$(.*?)(?=^## |\Z)', text, re.M | re.S):
            blocks = re.findall(r'^```(\w+)\n(.*?)^```$', part, re.M | re.S)
            files = {
                b.split('\n', 1)[0].removeprefix('# '): b for kind, b in blocks if kind == 'python'
            }
            commands = [c for kind, b in blocks if kind == 'sh' for c in b.splitlines()]
            name = title if heading == 'Synchronous' else f'{title}, {heading.lower()}'
            found[name] = Section(files, commands)
    return found


def free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as s:
        return int(s.getsockname()[1])


# ---- one request ----


class TornError(Exception):
    """The connection ended before the body did."""


class Exchange:
    """A request under way: its client's connection, and the line to the source that it opened.

    `source` is None where the request is answered without.
    """

    def __init__(self, server: Server, path: str, method: str, headers: dict[str, str]) -> None:
        self.method = method
        self.line = socket.create_connection(('127.0.0.1', server.port), PATIENCE)
        self.file = self.line.makefile('rb')
        self.source: socket.socket | None = None
        lines = [f'{method} {path} HTTP/1.1', 'Host: localhost']
        lines += [f'{name.replace("_", "-")}: {value}' for name, value in headers.items()]
        self.line.sendall('\r\n'.join([*lines, '', '']).encode())
        # A HEAD may be answered without; the headers of a GET may come before.
        ready = [server.control]
        if method == 'HEAD':
            ready, _, _ = select.select([server.control, self.line], [], [], PATIENCE)
        if server.control in ready:
            self.source = server.control.accept()[0]
            self.source.settimeout(PATIENCE)

    # The source's end.

    def do(self, *orders: str) -> None:
        assert self.source is not None, 'the request opened no source'
        self.source.sendall(''.join(f'{order}\n' for order in orders).encode())

    def wait_until_source_is_closed(self) -> int:
        """How many items it has given.  It was closed, and not by a garbage collection."""
        said = self.last_words()
        closed = re.fullmatch(r'closed after (\d+)\n', said)
        assert closed, said or 'the source was dropped before its end'
        return int(closed[1])

    def last_words(self) -> str:
        assert self.source is not None
        with self.source.makefile('r') as told:
            return told.readline()

    # The client's end.

    def receive(self) -> None:
        """The answer, up to its body."""
        self.status = int(self._line().split()[1])
        self.headers: dict[str, str] = {}
        while text := self._line().decode('latin-1').rstrip('\r\n'):
            name, _, value = text.partition(':')
            self.headers[name.lower()] = value.strip()

    def frames(self) -> Iterator[bytes]:
        """The body, as the server framed it; TornError where it breaks off."""
        if self.method == 'HEAD':
            return
        if 'content-length' in self.headers:
            yield self._read(int(self.headers['content-length']))
        elif self.headers.get('transfer-encoding') == 'chunked':
            while size := int(self._line(), 16):
                yield self._read(size)
                self._line()
            self._line()
        else:  # as HTTP/1.0: to the end of the connection
            while data := self.file.read1():
                yield data

    def body(self) -> bytes:
        return b''.join(self.frames())

    def leave(self) -> None:
        self.file.close()
        self.line.close()

    def close(self) -> None:
        self.leave()
        if self.source is not None:
            self.source.close()

    def _line(self) -> bytes:
        return self._whole(self.file.readline, lambda line: line.endswith(b'\n'))

    def _read(self, size: int) -> bytes:
        return self._whole(lambda: self.file.read(size), lambda data: len(data) == size)

    def _whole(self, read: Callable[[], bytes], is_whole: Callable[[bytes], bool]) -> bytes:
        try:
            data = read()
        except ConnectionResetError:
            raise TornError from None
        if not is_whole(data):
            raise TornError
        return data


# ---- the server ----


class Server:
    def __init__(self, folder: Path, section: Section, command: str) -> None:
        self.folder = folder
        for name, text in section.files.items():
            (folder / name).write_text(text, 'utf-8')
        for name in ('shop.py', 'feed.py', 'validated.py'):
            (folder / name).write_text((HERE / name).read_text('utf-8'), 'utf-8')
        program, *arguments = command.removeprefix('python -m ').split()
        self.program = program = program.removesuffix('-serve')
        self.command = [sys.executable, '-m', program, *ADDRESSES[program].split(), *arguments]
        self.framed = program != 'validated'
        self.patience = PATIENCE  # seconds, between a client's leaving and its source's end
        self.says_who_leaves = False  # to the application, while the source waits

    @contextlib.contextmanager
    def running(self) -> Iterator[Server]:
        self.control = socket.create_server(('127.0.0.1', 0))
        self.port = free_port()  # when no other port is still to be taken
        self.control.settimeout(PATIENCE)
        command = [word.format(port=self.port) for word in self.command]
        environment = {
            **os.environ,
            'SHOP_PORT': str(self.control.getsockname()[1]),
            'PYTHONPATH': os.pathsep.join([str(self.folder), os.environ['PYTHONPATH']]),
        }
        with open(self.folder / 'log', 'w+', encoding='utf-8') as log:
            process = subprocess.Popen(
                command,
                cwd=self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
            try:
                self.wait_until_ready(process)
                yield self
            finally:
                self.control.close()
                stop(process)

    def wait_until_ready(self, process: subprocess.Popen[Any]) -> None:
        deadline = time.monotonic() + 2 * PATIENCE
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), PATIENCE).close()
                return
            except ConnectionRefusedError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f'{process.args} does not serve: {self.log()}') from None
                time.sleep(0.02)

    def log(self) -> str:
        return (self.folder / 'log').read_text('utf-8')

    @contextlib.contextmanager
    def ask(self, path: str, method: str = 'GET', **headers: str) -> Iterator[Exchange]:
        with contextlib.closing(Exchange(self, path, method, headers)) as exchange:
            yield exchange


def stop(process: subprocess.Popen[Any]) -> None:
    """With the workers that it forked: it leads a process group of its own."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

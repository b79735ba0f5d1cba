"""A server that streams CSV to clients that come, go, stall and break, for a long time.

    python benchmarks/soak.py --seconds 1800 --plot soak.csv --picture

One process serves, over loopback, in two ways.  Threads write csv_encode() over csv_rows() of a
file; an event loop writes acsv_encode() over to_async() of the same, closed with its task, and
reads uploads with acsv_rows() in batches.  Clients are another process.  Some read all and check
every row; some leave after a while, some reset the connection, some stall first; some ask for a
stream whose source fails in the middle; some upload, and some break off.  Memory, descriptors and
threads of the server are looked at each second, written to --plot, printed as a picture and with
--picture drawn to docs/soak.svg; the end is compared with the time after warming up.  It fails when
they have grown, when any client got what it should not, or when a source is left unclosed.
"""

import argparse
import asyncio
import collections
import contextlib
import gc
import os
import platform
import random
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measure import svg

from generators import (
    CSVError,
    abatched,
    acsv_encode,
    acsv_rows,
    csv_encode,
    csv_rows,
    to_async,
)

PICTURE = Path(__file__).parents[1] / 'docs' / 'soak.svg'

ROWS = 5000
END = b'end'


def line(i: int) -> str:
    return f'{i},"name, ""{i}""",{i / 8},été {i}\r\n'


class Source:
    """The rows of the file, and how many such generators are open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.opened = self.closed = 0  # each by one thread at a time: see the lock
        self.lock = threading.Lock()

    def rows(self, wish: str) -> Iterator[list[object]]:
        with self.lock:
            self.opened += 1
        try:
            with csv_rows(self.path, types={0: int, 2: float}) as rows:
                for i, row in enumerate(rows):
                    if wish == 'fail' and i == ROWS // 2:
                        raise LookupError(i)
                    yield row
        finally:
            with self.lock:
                self.closed += 1


class Handler(socketserver.BaseRequestHandler):
    """One line that says what is wanted; chunks, each with its length; a mark at a whole end."""

    server: 'Server'

    def handle(self) -> None:
        wish = self.request.makefile('rb').readline().decode().strip()
        self.server.counts[wish] += 1
        with contextlib.suppress(OSError, LookupError, ValueError):
            with csv_encode(self.server.source.rows(wish), size=4096) as out:
                for chunk in out:
                    self.request.sendall(struct.pack('>I', len(chunk)) + chunk)
            self.request.sendall(struct.pack('>I', 0) + END)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, source: Source) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.source = source
        self.counts: collections.Counter[str] = collections.Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        self.counts['errors'] += 1


class LoopServer(threading.Thread):
    """The same by an event loop, and uploads."""

    def __init__(self, source: Source) -> None:
        super().__init__(daemon=True)
        self.source = source
        self.counts: collections.Counter[str] = collections.Counter()
        self.port = 0
        self.ready = threading.Event()

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self.complain)
        self.over = asyncio.Event()
        server = await asyncio.start_server(self.handle, '127.0.0.1', 0, backlog=100)
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.over.wait()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self.join(60)

    def complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        print(f'the loop: {context}', file=sys.stderr)
        self.counts['errors'] += 1

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            wish = (await reader.readline()).decode().strip()
            self.counts[f'async {wish}'] += 1
            with contextlib.suppress(OSError, LookupError):
                if wish == 'upload':
                    await self.take(reader, writer)
                else:
                    await self.give(wish, writer)
        except Exception as error:
            print(f'the loop: {error!r}', file=sys.stderr)
            self.counts['errors'] += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def give(self, wish: str, writer: asyncio.StreamWriter) -> None:
        # Nobody closes these but the end of this task.
        rows = to_async(self.source.rows(wish), close_with_task=True)
        async for chunk in acsv_encode(rows, size=4096, close_with_task=True):
            writer.write(struct.pack('>I', len(chunk)) + chunk)
            await writer.drain()
        writer.write(struct.pack('>I', 0) + END)
        await writer.drain()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        total = 0
        with contextlib.suppress(CSVError):  # of an upload that was broken off
            async for rows in abatched(acsv_rows(reader, types={0: int, 2: float}), 100):
                total += sum(row[0] for row in rows)
        writer.write(struct.pack('>I', total))
        await writer.drain()


# ---- clients ----


def chunks(file: socket.SocketIO) -> Iterator[bytes]:
    while True:
        length = struct.unpack('>I', file.read(4))[0]
        if length == 0:
            assert file.read(len(END)) == END
            return
        yield file.read(length)


def upload(connection: socket.socket, rng: random.Random) -> None:
    text = ''.join(map(line, range(ROWS))).encode()
    if rng.random() < 0.3:
        connection.sendall(text[: rng.randrange(len(text))])
        return
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)
    with connection.makefile('rb') as file:
        assert struct.unpack('>I', file.read(4))[0] == sum(range(ROWS))


def client(port: int, wish: str, rng: random.Random) -> None:
    with socket.create_connection(('127.0.0.1', port), timeout=60) as connection:
        connection.sendall(f'{wish}\n'.encode())
        if wish == 'upload':
            upload(connection, rng)
            return
        file = connection.makefile('rb')
        if wish == 'all':
            count = 0
            for row in csv_rows(chunks(file), types={0: int, 2: float}):
                assert row == [count, f'name, "{count}"', count / 8, f'été {count}']
                count += 1
            assert count == ROWS
            return
        if wish == 'fail':
            got = b''
            with contextlib.suppress(struct.error):
                for chunk in chunks(file):
                    got += chunk
            assert got == ''.join(map(line, range(ROWS // 2))).encode()
            return
        file.read(rng.randrange(1, 60_000))
        if wish == 'stall':
            time.sleep(rng.random() * 3)
        elif wish == 'reset':
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


WISHES = ['all', 'all', 'all', 'leave', 'reset', 'stall', 'fail']


def clients(ports: list[int], seconds: float, at_once: int) -> None:
    """Of the threads' port and the loop's."""
    until = time.monotonic() + seconds
    failures: list[BaseException] = []

    def go_on(seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < until and not failures:
            which = rng.randrange(2)
            wish = rng.choice(WISHES + ['upload'] * 2 * which)
            try:
                client(ports[which], wish, rng)
            except BaseException as error:
                error.add_note(f'{wish} of {which}')
                failures.append(error)
            time.sleep(rng.random() / 10)

    threads = [threading.Thread(target=go_on, args=(seed,)) for seed in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# ---- what is looked at ----


def look() -> dict[str, int]:
    with open('/proc/self/statm') as file:
        pages = int(file.read().split()[1])
    return {
        'kilobytes': pages * os.sysconf('SC_PAGESIZE') // 1024,
        'descriptors': len(os.listdir('/proc/self/fd')),
        'threads': len(os.listdir('/proc/self/task')),
    }


def picture(values: list[int], width: int = 64) -> str:
    """The values over time, each column the most of its share."""
    bars = '▁▂▃▄▅▆▇█'
    step = max(1, len(values) / width)
    columns = [
        max(values[int(i * step) : max(int((i + 1) * step), int(i * step) + 1)])
        for i in range(min(width, len(values)))
    ]
    most = max(columns)
    return ''.join(bars[min(7, 8 * value // (most + 1))] for value in columns)


def draw(seen: list[dict[str, int]], clients: int, seconds: float) -> str:
    """Small: one line a measure, of the most in each of its shares of the time."""
    width, left, height = 500, 110, 60
    colours = {'kilobytes': '#2f6f9f', 'descriptors': '#b0413e', 'threads': '#5b8c5a'}
    lines = []
    y = 40
    for what, colour in colours.items():
        values = [s[what] for s in seen]
        most, step = max(values), max(1, len(values) / 250)
        points = [
            max(values[int(i * step) : max(int((i + 1) * step), int(i * step) + 1)])
            for i in range(min(250, len(values)))
        ]
        path = ' '.join(
            f'{left + width * i / max(len(points) - 1, 1):.0f},{y + height * (1 - v / most):.0f}'
            for i, v in enumerate(points)
        )
        lines += [
            f'<text x="{left - 8}" y="{y + height / 2 + 4:.0f}" text-anchor="end">{what}</text>',
            f'<path d="M{left} {y + height}h{width}" stroke="#9aa5ab"/>',
            f'<polyline points="{path}" fill="none" stroke="{colour}"/>',
            f'<text x="{left + width + 8}" y="{y + 5}">{most}</text>',
            f'<text x="{left + width + 8}" y="{y + height + 4}">0</text>',
        ]
        y += height + 20
    title = (
        f'{clients} clients in {seconds / 60:.0f} minutes: the server, '
        f'CPython {platform.python_version()}'
    )
    return svg(title, y, lines)


def watch(child: 'subprocess.Popen[bytes]') -> list[dict[str, int]]:
    seen: list[dict[str, int]] = []
    while child.poll() is None:
        time.sleep(1)
        seen.append(look())
    return seen


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not condition() and time.monotonic() < until:
        gc.collect()
        time.sleep(0.05)
    return condition()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--seconds', type=float, default=1800)
    parser.add_argument('--at-once', type=int, default=12, help='clients')
    parser.add_argument('--plot', help='a CSV file of what was looked at')
    parser.add_argument('--picture', action='store_true', help='draw docs/soak.svg')
    parser.add_argument('--clients', type=int, nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.clients:
        clients(options.clients, options.seconds, options.at_once)
        return

    with tempfile.NamedTemporaryFile('w', suffix='.csv', encoding='utf-8', newline='') as data:
        data.writelines(map(line, range(ROWS)))
        data.flush()
        source = Source(data.name)
        server, loop = Server(source), LoopServer(source)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        loop.start()
        loop.ready.wait(60)
        command = [sys.executable, __file__]
        command += ['--clients', str(server.server_address[1]), str(loop.port)]
        command += ['--seconds', str(options.seconds), '--at-once', str(options.at_once)]
        child = subprocess.Popen(command)
        seen = watch(child)
        server.shutdown()
        server.server_close()
        all_closed = wait_for(lambda: source.opened == source.closed)
        loop.stop()

    counts = server.counts + loop.counts
    if options.plot:
        with open(options.plot, 'wb') as plot:
            plot.writelines(csv_encode(seen, header=True))
    if options.picture:
        PICTURE.write_text(draw(seen, counts.total(), options.seconds), 'utf-8')
    print(f'{len(seen)} s, {counts.total()} clients: {dict(counts)}')
    print(f'{source.opened} sources opened, {source.closed} closed')
    grown = []
    warm, late = seen[len(seen) // 5 : len(seen) // 2], seen[len(seen) * 4 // 5 :]
    for what in seen[0]:
        before, after = (max(s[what] for s in part) for part in (warm, late))
        print(f'{what:12} {picture([s[what] for s in seen])}  {before} then, {after} at the end')
        if after > before * 1.1 + 2:
            grown.append(what)
    if child.returncode != 0 or counts['errors'] or grown or not all_closed:
        sys.exit(f'clients: {child.returncode}; errors: {counts["errors"]}; grown: {grown}')


if __name__ == '__main__':
    main()

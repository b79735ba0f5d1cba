"""A server that streams CSV to clients that come, go, stall and break, for a long time.

    python benchmarks/soak.py --seconds 1800 --plot soak.csv

One process serves, over loopback: threads write csv_encode() over csv_rows() of a file; clients are
another process.  Some read all and check every row; some leave after a while, some reset the
connection, some stall first; some ask for a stream whose source fails in the middle.  Memory,
descriptors and threads of the server are looked at each second, written to --plot, and printed as a
picture; the end is compared with the time after warming up.  It fails when they have grown, or when
any client got what it should not.
"""

import argparse
import collections
import contextlib
import gc
import os
import random
import socket
import socketserver
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator

from generators import csv_encode, csv_rows

ROWS = 5000
END = b'end'


def line(i: int) -> str:
    return f'{i},"name, ""{i}""",{i / 8},été {i}\r\n'


def failing(rows: Iterator[list[str]], at: int) -> Iterator[list[str]]:
    for i, row in enumerate(rows):
        if i == at:
            raise LookupError(at)
        yield row


class Handler(socketserver.BaseRequestHandler):
    """One line that says what is wanted; chunks, each with its length; a mark at a whole end."""

    server: 'Server'

    def handle(self) -> None:
        wish = self.request.makefile('rb').readline().decode().strip()
        self.server.counts[wish] += 1
        with contextlib.suppress(OSError, LookupError, ValueError):
            rows = csv_rows(self.server.path, types={0: int, 2: float})
            with csv_encode(failing(rows, ROWS // 2) if wish == 'fail' else rows, size=4096) as out:
                for chunk in out:
                    self.request.sendall(struct.pack('>I', len(chunk)) + chunk)
            self.request.sendall(struct.pack('>I', 0) + END)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 100

    def __init__(self, path: str) -> None:
        super().__init__(('127.0.0.1', 0), Handler)
        self.path = path
        self.counts: collections.Counter[str] = collections.Counter()

    def handle_error(self, request: object, client_address: object) -> None:
        self.counts['errors'] += 1


# ---- clients ----


def chunks(file: socket.SocketIO) -> Iterator[bytes]:
    while True:
        length = struct.unpack('>I', file.read(4))[0]
        if length == 0:
            assert file.read(len(END)) == END
            return
        yield file.read(length)


def client(port: int, rng: random.Random) -> None:
    wish = rng.choice(['all', 'all', 'all', 'leave', 'reset', 'stall', 'fail'])
    with socket.create_connection(('127.0.0.1', port), timeout=60) as connection:
        connection.sendall(f'{wish}\n'.encode())
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


def clients(port: int, seconds: float, at_once: int) -> None:
    until = time.monotonic() + seconds
    failures: list[BaseException] = []

    def go_on(seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < until and not failures:
            try:
                client(port, rng)
            except BaseException as error:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=1800)
    parser.add_argument('--at-once', type=int, default=12, help='clients')
    parser.add_argument('--plot', help='a CSV file of what was looked at')
    parser.add_argument('--clients', type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.clients:
        clients(options.clients, options.seconds, options.at_once)
        return

    with tempfile.NamedTemporaryFile('w', suffix='.csv', encoding='utf-8', newline='') as data:
        data.writelines(map(line, range(ROWS)))
        data.flush()
        server = Server(data.name)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        command = [sys.executable, __file__, '--clients', str(server.server_address[1])]
        command += ['--seconds', str(options.seconds), '--at-once', str(options.at_once)]
        child = subprocess.Popen(command)
        seen: list[dict[str, int]] = []
        while child.poll() is None:
            time.sleep(1)
            seen.append(look())
        server.shutdown()
        server.server_close()
        gc.collect()

    if options.plot:
        with open(options.plot, 'wb') as plot:
            plot.writelines(csv_encode(seen, header=True))
    print(f'{len(seen)} s, {sum(server.counts.values())} clients: {dict(server.counts)}')
    grown = []
    warm, late = seen[len(seen) // 5 : len(seen) // 2], seen[len(seen) * 4 // 5 :]
    for what in seen[0]:
        before, after = (max(s[what] for s in part) for part in (warm, late))
        print(f'{what:12} {picture([s[what] for s in seen])}  {before} then, {after} at the end')
        if after > before * 1.1 + 2:
            grown.append(what)
    if child.returncode != 0 or server.counts['errors'] or grown:
        sys.exit(f'clients: {child.returncode}; errors: {server.counts["errors"]}; grown: {grown}')


if __name__ == '__main__':
    main()

"""A million rows of 50 bytes as a download from Flask on gunicorn and Starlette on uvicorn.

    python benchmarks/http_export.py [--one 100000] [--crowd 200000] [--rounds 5] [--cpu]
        [--only WORD ...] [--picture] [--list]

The rows are sent through chunked, one at a time, and as the same bytes cut into 64 KiB beforehand,
over loopback to http.client.  A ratio is the peer's median over ours: more is better.  Those sent
one at a time are fewer, --one, and their time is counted up to a million; many clients at once
take --crowd rows each.  `--cpu` takes the CPU time of server and client together.  `--picture`
draws docs/http_export.svg.  It needs Linux, for /proc.
"""

from __future__ import annotations

import contextlib
import gzip
import http.client
import os
import platform
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from http_apps import ROWS, SIZE, row
from measure import Row, Suite, at_least, at_most, svg

HERE = Path(__file__).parent
PICTURE = HERE.parent / 'docs' / 'http_export.svg'
SERVERS = {
    'Flask on gunicorn': 'gunicorn --threads 64 --bind 127.0.0.1:{port} http_apps:make_flask()',
    'Starlette on uvicorn': 'uvicorn --log-level warning --no-access-log --port {port} --factory'
    ' http_apps:make_starlette',
}
CLIENTS, SLOW = 50, 10

suite = Suite(__doc__, one=100_000, crowd=200_000)
suite.parser.add_argument('--picture', action='store_true', help='draw the throughput')
suite.parser.add_argument('--verbose', action='store_true', help='what the servers say')
options = suite.options


# ---- servers and clients ----


@contextlib.contextmanager
def serving(name: str) -> Iterator[int]:
    """The port of a fresh server."""
    with socket.create_server(('127.0.0.1', 0)) as s:
        port = s.getsockname()[1]
    command = [sys.executable, '-m', *SERVERS[name].format(port=port).split()]
    process = subprocess.Popen(
        command,
        cwd=HERE,
        env={**os.environ},
        stderr=None if options.verbose else subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                socket.create_connection(('127.0.0.1', port)).close()
                break
            except ConnectionRefusedError:
                if process.poll() is not None:
                    raise RuntimeError(f'{command} does not serve') from None
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait()


@contextlib.contextmanager
def answer(port: int, path: str, encoding: str = 'identity') -> Iterator[http.client.HTTPResponse]:
    with contextlib.closing(http.client.HTTPConnection('127.0.0.1', port)) as connection:
        connection.request('GET', path, headers={'Accept-Encoding': encoding})
        yield connection.getresponse()


def fetch(port: int, path: str, encoding: str = 'identity') -> bytes:
    with answer(port, path, encoding) as response:
        return response.read()


def drain(port: int, path: str, pause: float = 0) -> None:
    """Read the body and forget it; a slow client pauses after each 16 KiB."""
    buffer = bytearray(16384 if pause else SIZE)
    with answer(port, path) as response:
        while response.readinto(buffer):
            if pause:
                time.sleep(pause)


def usage(port: int) -> tuple[float, int]:
    """CPU seconds so far, and the peak of memory in KiB since it was asked last."""
    seconds, peak = fetch(port, '/usage').split()
    return float(seconds), int(peak)


def seconds(port: int, path: str) -> float:
    if not options.cpu:
        start = time.perf_counter()
        drain(port, path)
        return time.perf_counter() - start
    before = usage(port)[0]
    start = time.process_time()
    drain(port, path)
    mine = time.process_time() - start
    return mine + usage(port)[0] - before


def medians(port: int, paths: list[str]) -> dict[str, float]:
    times: dict[str, list[float]] = {path: [] for path in paths}
    whole = b''.join(row(n) for n in range(ROWS))
    for path in paths:
        if not whole.startswith(fetch(port, path)):
            raise RuntimeError(f'{path} is not the rows')
    for _ in range(options.rounds):
        for path in paths:
            times[path].append(seconds(port, path))
        paths = paths[::-1]
    return {path: median(t) for path, t in times.items()}


def compared(name: str, peer: str, theirs: float, ours: float, bar: str) -> Row:
    return Row(name, peer, f'{theirs:.3g} s', f'{ours:.3g} s', f'{theirs / ours:.2f}', bar)


# ---- what is measured ----

drawn: dict[str, dict[str, float]] = {}


@suite.measurement
def throughput() -> Iterator[Row]:
    one = f'/one?rows={options.one}'
    for name in SERVERS:
        with serving(name) as port:
            paths = ['/list', '/generator', '/precut', one]
            if name.startswith('Starlette'):
                paths.append('/async')
            t = medians(port, paths)
        t[one] *= ROWS / options.one
        drawn[name] = {
            'one at a time': t[one],
            'chunked': t['/list'],
            'cut beforehand': t['/precut'],
        }
        for path, source in (('/list', 'of a list'), ('/generator', 'of a generator')):
            ours = t[path]
            work = f'{name}, {source}'
            yield compared(work, 'one at a time', t[one], ours, at_least(50, t[one] / ours))
            slower = ours / t['/precut']
            bar = at_most(1.3, round(slower, 3), 'times theirs')
            yield compared(work, 'cut into 64 KiB', t['/precut'], ours, bar)
        if '/async' in t:
            chunks = ROWS * len(row(0)) / SIZE
            hop = (t['/precut'] - t['/async']) / chunks
            yield Row(name, 'iterate_in_threadpool, each chunk', f'{hop * 1e6:.0f} µs')


@suite.measurement
def compression() -> Iterator[Row]:
    """Sizes; the same rows, the same bytes."""
    whole = b''.join(row(n) for n in range(ROWS))
    best = len(gzip.compress(whole, 6))
    yield Row('gzip.compress(level 6) of it all', '', '', f'{best / 1e6:.2f} MB')
    for name in SERVERS:
        with serving(name) as port:
            for path in ('/list', '/precut'):
                size, took = packed_size(port, path)
                yield Row(
                    f'{name}, gzip, {path[1:]}', 'gzip.compress', f'{best / 1e6:.2f} MB',
                    f'{size / 1e6:.2f} MB in {took:.3g} s', f'{best / size:.3f}',
                )  # fmt: skip


def packed_size(port: int, path: str) -> tuple[int, float]:
    start = time.perf_counter()
    data = fetch(port, path, 'gzip')
    took = time.perf_counter() - start
    if len(gzip.decompress(data)) != ROWS * len(row(0)):
        raise RuntimeError('it is not the rows')
    return len(data), took


@suite.measurement
def memory() -> Iterator[Row]:
    """Rows that are made when they are asked for: the peak above the idle server."""
    for name in SERVERS:
        with serving(name) as port:
            fetch(port, '/made?rows=1000')
            idle = usage(port)[1]

            def above(idle: int = idle, port: int = port) -> float:
                return round((usage(port)[1] - idle) / 1024, 2)

            drain(port, '/made')
            peak = above()
            idles = f'{idle / 1024:.1f} MiB'
            bar = at_most(4, peak, 'MiB')
            yield Row(f'{name}, a million rows', 'idle', idles, f'+{peak} MiB', '', bar)
            peaks = []
            crowd(port, f'/made?rows={options.crowd}')  # threads, and their room
            usage(port)
            for count in (options.crowd, 4 * options.crowd):
                crowd(port, f'/made?rows={count}')
                peaks.append(above())
                work = f'{name}, {CLIENTS} clients, {SLOW} slow, {count} rows each'
                yield Row(work, 'idle', idles, f'+{peaks[-1]} MiB')
            few, many = peaks
            bar = at_most(4, round(many - few, 2), 'MiB more')
            yield Row(f'{name}, four times the rows', '', f'+{few} MiB', f'+{many} MiB', '', bar)


def crowd(port: int, path: str) -> None:
    failed: list[BaseException] = []

    def client(slow: bool) -> None:
        try:
            drain(port, path, pause=0.002 if slow else 0)
        except BaseException as e:
            failed.append(e)

    threads = [threading.Thread(target=client, args=(n < SLOW,)) for n in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


# ---- the picture ----

COLOURS = {'one at a time': '#b0413e', 'chunked': '#2f6f9f', 'cut beforehand': '#9aa5ab'}
LABELS = {
    'one at a time': 'rows, one at a time',
    'chunked': 'chunked(rows)',
    'cut beforehand': 'bytes cut beforehand',
}


def draw() -> str:
    left, width, bar = 180, 430, 20
    lines, y = [], 34
    for name, times in drawn.items():
        lines.append(f'<text x="10" y="{y + 16}" font-weight="bold">{name}</text>')
        y += 26
        longest = max(times.values())
        for kind, value in times.items():
            length = max(value / longest * width, 1)
            size = f'width="{length:.1f}" height="{bar}"'
            lines += [
                f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{LABELS[kind]}</text>',
                f'<rect x="{left}" y="{y}" {size} fill="{COLOURS[kind]}"/>',
                f'<text x="{left + length + 6:.1f}" y="{y + 15}">{value:.3g} s</text>',
            ]
            y += bar + 5
        y += 12
    kind = 'CPU seconds of server and client' if options.cpu else 'seconds'
    title = f'A million 50-byte rows over HTTP: {kind}, CPython {platform.python_version()}'
    return svg(title, y, lines)


def main() -> int:
    status = suite.main()
    if options.picture and drawn:
        PICTURE.write_text(draw(), 'utf-8')
    return status


if __name__ == '__main__':
    sys.exit(main())

"""A server of streams for clients that come, go, stall and break, for a long time.

    python benchmarks/soak.py --seconds 1800 --plot soak.csv --picture

One process serves, over loopback, in two ways.  Threads write the rows of a file as CSV, NDJSON and
events, and its columns as CSV and, where pyarrow is, in Arrow's stream format; an event loop writes
the same over to_async(), closed with its task, and reads uploads with acsv_rows() in batches.
A Broadcast tells its news to --listeners subscribers, as events.  Clients are another process
(soak_clients.py).  Some read all and check every row; some leave after a while, some reset the
connection, some stall first; some ask for a stream whose source fails in the middle; some upload,
and some break off; listeners stay a while, leave, break, or never read and are given up.  Memory,
descriptors, threads, tasks and subscribers of the server are looked at each second, written to
--plot, printed as a picture and with --picture drawn to docs/soak.svg; the end is compared with the
time after warming up.  It fails when they have grown, when any client got what it should not, or
when a source is left unclosed.  What runs for less than a minute is not compared: nothing is warm.
"""

import argparse
import gc
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from measure import svg
from soak_clients import line
from soak_server import ROWS, LoopServer, Server, Source

from generators import csv_encode

PICTURE = Path(__file__).parents[1] / 'docs' / 'soak.svg'
CLIENTS = Path(__file__).with_name('soak_clients.py')


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
    colours = {
        'kilobytes': '#2f6f9f',
        'descriptors': '#b0413e',
        'threads': '#5b8c5a',
        'tasks': '#8a6d3b',
        'subscribers': '#6b5b95',
    }
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


def watch(child: 'subprocess.Popen[bytes]', loop: LoopServer) -> list[dict[str, int]]:
    seen: list[dict[str, int]] = []
    while child.poll() is None:
        time.sleep(1)
        seen.append(look() | loop.seen)
    return seen


def wait_for(condition: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not condition() and time.monotonic() < until:
        gc.collect()
        time.sleep(0.05)
    return condition()


def compare(seen: list[dict[str, int]]) -> list[str]:
    """What has grown since the time after warming up."""
    grown = []
    warm, late = seen[len(seen) // 5 : len(seen) // 2], seen[len(seen) * 4 // 5 :]
    for what in seen[0]:
        before, after = (max(s[what] for s in part) for part in (warm, late))
        print(f'{what:12} {picture([s[what] for s in seen])}  {before} then, {after} at the end')
        if after > before * 1.1 + 2:
            grown.append(what)
    return grown


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('--seconds', type=float, default=1800)
    parser.add_argument('--at-once', type=int, default=12, help='clients')
    parser.add_argument('--plot', help='a CSV file of what was looked at')
    parser.add_argument('--picture', action='store_true', help='draw docs/soak.svg')
    parser.add_argument('--listeners', type=int, default=200, help='subscribers of the broadcast')
    parser.add_argument('--pause', type=float, default=0.05, help='of a client, in the mean')
    options = parser.parse_args()

    with tempfile.NamedTemporaryFile('w', suffix='.csv', encoding='utf-8', newline='') as data:
        data.writelines(map(line, range(ROWS)))
        data.flush()
        source = Source(data.name)
        server, loop = Server(source), LoopServer(source)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        loop.start()
        loop.ready.wait(60)
        command = [sys.executable, str(CLIENTS), str(server.server_address[1]), str(loop.port)]
        for name in ('seconds', 'at_once', 'listeners', 'pause'):
            command += [f'--{name.replace("_", "-")}', str(getattr(options, name))]
        child = subprocess.Popen(command)
        seen = watch(child, loop)
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
    grown = compare(seen) if len(seen) >= 60 else []
    if child.returncode != 0 or counts['errors'] or grown or not all_closed:
        sys.exit(f'clients: {child.returncode}; errors: {counts["errors"]}; grown: {grown}')


if __name__ == '__main__':
    main()

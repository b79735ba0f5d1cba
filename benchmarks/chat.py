"""examples/chat under load: messages a second and latency, of one server process with and without
a Redis between what is said and what is heard.

    python benchmarks/chat.py [--connections 200] [--seconds 3] [--rounds 3]

The clients are one other process; both share the machine.  `steady` is a rate that the server
keeps up with: how long a line takes from its sender to each who hears it.  `as fast as it goes`:
each client says its next line when it has heard its last one.  All of it is appended to the
history, too.  The server's CPU time for a message (on Linux) tells how many it could take on a
core of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect

EXAMPLES = Path(__file__).parents[1] / 'examples'
PATIENCE = 60.0

options: argparse.Namespace


# ---- servers ----


@contextmanager
def running(command: list[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with open(log, 'wb') as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env={**os.environ, **environment}
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def logged(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := re.search(pattern, log.read_text('utf-8'))):
        if time.monotonic() > deadline:
            raise RuntimeError(log.read_text('utf-8')[-2000:])
        time.sleep(0.02)
    return found[1]


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    program = shutil.which('redis-server')
    assert program is not None
    with socket.create_server(('127.0.0.1', 0)) as s:
        port = s.getsockname()[1]
    command = f'{program} --bind 127.0.0.1 --port {port} --appendonly no --dir {folder} --save'
    with running([*command.split(), ''], folder / 'redis.log'):
        logged(folder / 'redis.log', '(Ready to accept connections)')
        yield f'redis://127.0.0.1:{port}'


@contextmanager
def chat_server(folder: Path, redis: str) -> Iterator[tuple[int, int]]:
    """Its port and process id."""
    command = f'-m uvicorn --app-dir {EXAMPLES} --host 127.0.0.1 --port 0 --ws-ping-timeout 600'
    log = folder / 'chat.log'
    with running(
        [sys.executable, *command.split(), 'chat.app:app'],
        log,
        CHAT_HISTORY=str(folder / 'chat.csv'),
        CHAT_REDIS=redis,
    ) as process:
        yield int(logged(log, r'running on http://127\.0\.0\.1:(\d+)')), process.pid
    if 'Traceback' in log.read_text('utf-8'):
        raise RuntimeError(log.read_text('utf-8')[-2000:])


def cpu_seconds(process: int) -> float:
    try:
        text = Path(f'/proc/{process}/stat').read_text('ascii')
    except OSError:
        return float('nan')
    ticks = text.rpartition(')')[2].split()[11:13]
    return sum(map(int, ticks)) / os.sysconf('SC_CLK_TCK')


# ---- clients ----


@dataclass
class Load:
    """What all clients heard in one stretch."""

    messages: int = 0
    latencies: list[float] = field(default_factory=list)  # of each delivery


class Client:
    def __init__(self, number: int, websocket: ClientConnection) -> None:
        self.number = number
        self.websocket = websocket
        self.heard = asyncio.Event()  # what it said last
        self.load = Load()

    async def say(self) -> None:
        self.heard.clear()
        text = f'{self.number} {time.perf_counter()!r}'
        await self.websocket.send(json.dumps({'text': text}))

    async def listen(self) -> None:
        async for frame in self.websocket:
            now = time.perf_counter()
            for line in json.loads(frame):
                if line['kind'] == 'message':
                    number, said = line['text'].split()
                    self.load.latencies.append(now - float(said))
                    if int(number) == self.number:
                        self.load.messages += 1
                        self.heard.set()

    async def say_and_hear(self) -> None:
        await self.say()
        await self.heard.wait()


async def as_fast_as_it_goes(clients: list[Client]) -> None:
    end = time.perf_counter() + options.seconds

    async def talk(client: Client) -> None:
        while time.perf_counter() < end:
            await client.say_and_hear()

    await asyncio.gather(*(talk(client) for client in clients))


async def steady(clients: list[Client], rate: float) -> None:
    start = time.perf_counter()
    for n in range(round(rate * options.seconds)):
        await asyncio.sleep(start + n / rate - time.perf_counter())
        await clients[n * 7 % len(clients)].say()
    await asyncio.gather(*(client.heard.wait() for client in clients))


@dataclass
class Figures:
    messages: float  # a second
    deliveries: float  # a second
    half: float  # latency in milliseconds: of half of the deliveries
    most: float  # of 99 of 100
    cpu: float  # microseconds of the server's CPU time for a message


async def measured(clients: list[Client], rate: float | None, process: int) -> Figures:
    load = Load()
    for client in clients:
        client.load = load
    cpu, start = cpu_seconds(process), time.perf_counter()
    await (as_fast_as_it_goes(clients) if rate is None else steady(clients, rate))
    passed, cpu = time.perf_counter() - start, cpu_seconds(process) - cpu
    for client in clients:
        client.load = Load()
    count = len(load.latencies)
    percents = quantiles(load.latencies, n=100)
    return Figures(
        load.messages / passed,
        count / passed,
        percents[49] * 1e3,
        percents[98] * 1e3,
        cpu / load.messages * 1e6,
    )


async def load(port: int, process: int, rooms: int, rate: float | None) -> Figures:
    """The median of each figure."""
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as listening:
        few = asyncio.Semaphore(50)

        async def opened(number: int) -> Client:
            query = urlencode({'name': f'client {number}', 'room': f'{number % rooms} of {rooms}'})
            url = f'ws://127.0.0.1:{port}/socket?{query}'
            async with few:
                websocket = await stack.enter_async_context(
                    connect(
                        url,
                        compression=None,
                        proxy=None,
                        open_timeout=PATIENCE,
                        ping_interval=None,
                        max_queue=None,
                    )
                )
            return Client(number, websocket)

        clients = await asyncio.gather(*map(opened, range(options.connections)))
        tasks = [listening.create_task(client.listen()) for client in clients]
        figures = []
        for _ in range(options.rounds):
            await asyncio.gather(*(client.say_and_hear() for client in clients))
            figures.append(await measured(clients, rate, process))
        for task in tasks:
            task.cancel()
    return Figures(
        *(median(values) for values in zip(*(vars(f).values() for f in figures), strict=True))
    )


# ---- the run ----


def settings() -> Iterator[tuple[str, int, str, float | None]]:
    n = options.connections
    for name, rooms, rate in (
        (f'1 room of {n}', 1, 10.0),
        (f'{n // 10} rooms of 10', n // 10, 100.0),
    ):
        yield name, rooms, f'steady, {rate:g} a second', rate
        yield name, rooms, 'as fast as it goes', None


def main() -> int:
    global options
    parser = argparse.ArgumentParser(description='The chat of examples/chat under load.')
    parser.add_argument('--connections', type=int, default=200)
    parser.add_argument('--seconds', type=float, default=3.0, help='of each round')
    parser.add_argument('--rounds', type=int, default=3)
    options = parser.parse_args()
    print(f'Python {platform.python_version()}, {platform.machine()}, ', end='')
    print(f'{options.connections} connections, median of {options.rounds}')
    head = ('', '', '', 'messages/s', 'deliveries/s', 'half in', '99 % in', 'CPU/message')
    line = '| {:14} | {:20} | {:10} | {:>10} | {:>12} | {:>9} | {:>9} | {:>12} |'
    print(line.format(*head))
    print(line.format(*('-' * 9 for _ in head)))
    for name, rooms, pace, rate in settings():
        for between in ('in process', 'Redis'):
            if between == 'Redis' and shutil.which('redis-server') is None:
                print(line.format(name, pace, between, 'skipped:', 'no redis-server', '', '', ''))
                continue
            with tempfile.TemporaryDirectory() as folder:
                figures = measure(Path(folder), between == 'Redis', rooms, rate)
            print(
                line.format(
                    name,
                    pace,
                    between,
                    f'{figures.messages:.0f}',
                    f'{figures.deliveries:.0f}',
                    f'{figures.half:.1f} ms',
                    f'{figures.most:.1f} ms',
                    f'{figures.cpu:.0f} µs',
                ),
                flush=True,
            )
    return 0


def measure(folder: Path, with_redis: bool, rooms: int, rate: float | None) -> Figures:
    if with_redis:
        with redis_server(folder) as url, chat_server(folder, url) as (port, process):
            return asyncio.run(load(port, process, rooms, rate))
    with chat_server(folder, '') as (port, process):
        return asyncio.run(load(port, process, rooms, rate))


if __name__ == '__main__':
    sys.exit(main())

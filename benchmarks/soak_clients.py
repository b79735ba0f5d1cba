"""The clients of soak.py, another process: some read all and check it, some leave, stall or break.

    python benchmarks/soak_clients.py 8001 8002 --seconds 1800

The ports are those of the server's threads and of its loop.  What a client gets that it should not
get ends all of them with a traceback.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from soak_server import END, FORMATS, ROWS, SHARE, TYPES, pa

from generators import aevent_source, csv_rows, event_source, jsonl_rows

WISHES = ['all', 'all', 'all', 'leave', 'reset', 'stall', 'fail']


def line(i: int) -> str:
    return f'{i},"name, ""{i}""",{i / 8},été {i}\r\n'


def row(i: int) -> list[Any]:
    return [i, f'name, "{i}"', i / 8, f'été {i}']


def chunks(file: Any) -> Iterator[bytes]:
    """The body, checked to its end."""
    while True:
        length = struct.unpack('>I', file.read(4))[0]
        if length == 0:
            assert file.read(len(END)) == END
            return
        yield file.read(length)


def rows_of_events(body: Iterator[bytes]) -> Iterator[list[Any]]:
    for event in event_source(body):
        yield from event.json()


def rows_of_arrow(body: Iterator[bytes]) -> Iterator[list[Any]]:
    with pa.ipc.open_stream(b''.join(body)) as batches:
        for batch in batches:
            yield from map(list, zip(*(column.to_pylist() for column in batch), strict=True))


def csv(body: Iterator[bytes]) -> Iterator[list[Any]]:
    return csv_rows(body, types=TYPES)


READ: dict[str, Callable[[Iterator[bytes]], Iterator[list[Any]]]] = {
    'csv': csv,
    'columns': csv,
    'ndjson': jsonl_rows,
    'events': rows_of_events,
    'arrow': rows_of_arrow,
}


def torn(file: Any) -> Iterator[bytes]:
    """A body that breaks off between two chunks: its mark is missing."""
    with contextlib.suppress(struct.error):
        yield from chunks(file)
        raise AssertionError('the body of a source that fails has an end')


def upload(connection: socket.socket, rng: random.Random) -> None:
    text = ''.join(map(line, range(ROWS))).encode()
    if rng.random() < 0.3:
        connection.sendall(text[: rng.randrange(len(text))])
        return
    connection.sendall(text)
    connection.shutdown(socket.SHUT_WR)
    with connection.makefile('rb') as file:
        assert struct.unpack('>I', file.read(4))[0] == sum(range(ROWS))


def reset(connection: Any) -> None:
    """Closing it sends a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))


def client(port: int, kind: str, wish: str, rng: random.Random) -> None:
    with socket.create_connection(('127.0.0.1', port), timeout=60) as connection:
        connection.sendall(f'{kind} {wish}\n'.encode())
        if kind == 'upload':
            upload(connection, rng)
            return
        with connection.makefile('rb') as file:
            if wish in ('all', 'fail'):
                body = torn(file) if wish == 'fail' else chunks(file)
                count = 0
                for got in READ[kind](body):
                    assert got == row(count)
                    count += 1
                assert count == (ROWS if wish == 'all' else ROWS // 2)
                return
            file.read(rng.randrange(1, 60_000))
            if wish == 'stall':
                time.sleep(rng.random() * 3)
            elif wish == 'reset':
                reset(connection)


async def listen(port: int, wish: str, rng: random.Random, until: float) -> None:
    """The news of some seconds, without one missing and none twice."""
    reader, writer = await asyncio.open_connection('127.0.0.1', port, limit=4096)
    try:
        writer.write(f'listen {wish}\n'.encode())
        leave = min(time.monotonic() + 5 + rng.random() * 40, until)
        if wish == 'stall':
            await asyncio.sleep(leave - time.monotonic())
        else:
            last = None
            async with aevent_source(reader) as events:
                async for event in events:
                    number = int(event.data.split()[0])
                    assert last is None or number == last + 1, (last, number)
                    last = number
                    if time.monotonic() > leave:
                        break
                else:
                    raise AssertionError('the news ended')
            if wish == 'reset':
                reset(writer.get_extra_info('socket'))
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


class Clients:
    def __init__(self, ports: list[int], seconds: float, pause: float) -> None:
        self.ports = ports
        self.until = time.monotonic() + seconds
        self.pause = pause
        self.failures: list[BaseException] = []

    def go_on(self, seed: int) -> None:
        rng = random.Random(seed)
        while time.monotonic() < self.until and not self.failures:
            which = rng.randrange(2)
            wish = rng.choice(WISHES)
            kind = rng.choice([*FORMATS, *['upload'] * which])
            try:
                client(self.ports[which], kind, wish, rng)
            except BaseException as error:
                error.add_note(f'{kind} {wish} of {which}')
                self.failures.append(error)
            time.sleep(rng.random() * 2 * self.pause)

    async def listen_on(self, seed: int) -> None:
        rng = random.Random(seed)
        await asyncio.sleep(min(rng.random() * 5, (self.until - time.monotonic()) / 4))
        while time.monotonic() < self.until and not self.failures:
            wish = rng.choice(['stay', 'stay', 'stay', 'reset', 'stall'])
            try:
                await listen(self.ports[1], wish, rng, self.until)
            except BaseException as error:
                error.add_note(f'listen {wish}')
                self.failures.append(error)

    async def listen_all(self, count: int) -> None:
        async with asyncio.TaskGroup() as group:
            for seed in range(count):
                group.create_task(self.listen_on(seed))

    def run(self, at_once: int, listeners: int) -> None:
        threads = [threading.Thread(target=self.go_on, args=(seed,)) for seed in range(at_once)]
        for thread in threads:
            thread.start()
        asyncio.run(self.listen_all(listeners))
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('ports', type=int, nargs=2)
    parser.add_argument('--seconds', type=float, required=True)
    parser.add_argument('--at-once', type=int, required=True)
    parser.add_argument('--listeners', type=int, required=True)
    parser.add_argument('--pause', type=float, required=True)
    options = parser.parse_args()
    assert ROWS // 2 % SHARE == 0
    Clients(options.ports, options.seconds, options.pause).run(options.at_once, options.listeners)


if __name__ == '__main__':
    main()

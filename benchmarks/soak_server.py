"""The server of soak.py: exports in every format, by threads and by an event loop, and a broadcast.

A client sends one line, `format wish`.  The answer is chunks, each with its length, and a mark at a
whole end.  `FORMATS` has the sync and the async form of each format, over the same rows.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import socket
import socketserver
import struct
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from generators import (
    Broadcast,
    CSVBatch,
    CSVError,
    abatched,
    acsv_encode,
    acsv_rows,
    aevent_stream,
    ajsonl_encode,
    batched,
    csv_batches,
    csv_encode,
    csv_rows,
    event_stream,
    jsonl_encode,
    to_async,
)

try:
    import pyarrow as pa
except ImportError:
    pa = None

ROWS = 5000
END = b'end'
SIZE = 4096
EVENT = 50  # rows in an event
TYPES: Any = {0: int, 2: float}
SHARE = 500  # rows in a batch of columns


class Source:
    """The rows of the file, and how many such generators are open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.opened = self.closed = 0  # each by one thread at a time: see the lock
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        with self.lock:
            self.opened += 1
        try:
            yield
        finally:
            with self.lock:
                self.closed += 1

    def rows(self, wish: str) -> Iterator[list[Any]]:
        with self.counted(), csv_rows(self.path, types=TYPES) as rows:
            for i, row in enumerate(rows):
                if wish == 'fail' and i == ROWS // 2:
                    raise LookupError(i)
                yield row

    def batches(self, wish: str) -> Iterator[CSVBatch]:
        options: Any = {'header': False, 'types': TYPES, 'rows': SHARE, 'threads': 2}
        with self.counted(), csv_batches(self.path, **options) as batches:
            for i, batch in enumerate(batches):
                if wish == 'fail' and i * SHARE == ROWS // 2:
                    raise LookupError(i)
                yield batch

    def arrow(self, wish: str) -> Iterator[bytes]:
        """The stream format of Arrow, by pyarrow."""
        for i, batch in enumerate(self.batches(wish)):
            theirs = pa.record_batch(batch)
            if i == 0:
                yield theirs.schema.serialize().to_pybytes()
            yield theirs.serialize().to_pybytes()
        yield b'\xff\xff\xff\xff\0\0\0\0'


def as_event(rows: Iterable[Any]) -> dict[str, Any]:
    return {'data': [*rows]}


def events(rows: Iterator[Any]) -> Iterator[bytes]:
    return event_stream(map(as_event, batched(rows, EVENT)))


async def aevents(rows: AsyncIterator[Any]) -> AsyncIterator[dict[str, Any]]:
    async with abatched(rows, EVENT) as batches:
        async for batch in batches:
            yield as_event(batch)


def bare(chunks: Any) -> Any:
    return chunks


Make = Callable[[Any], Any]
# What is read, the sync form over it, and the async form over to_async() of it.
FORMATS: dict[str, tuple[Callable[[Source, str], Iterator[Any]], Make, Make]] = {
    'csv': (
        Source.rows,
        lambda rows: csv_encode(rows, size=SIZE),
        lambda rows: acsv_encode(rows, size=SIZE, close_with_task=True),
    ),
    'ndjson': (
        Source.rows,
        lambda rows: jsonl_encode(rows, size=SIZE),
        lambda rows: ajsonl_encode(rows, size=SIZE, close_with_task=True),
    ),
    'events': (
        Source.rows,
        events,
        lambda rows: aevent_stream(aevents(rows), close_with_task=True),
    ),
    'columns': (
        Source.batches,
        lambda batches: csv_encode(batches, header=False, size=SIZE),
        lambda batches: acsv_encode(batches, header=False, size=SIZE, close_with_task=True),
    ),
}
if pa is not None:
    FORMATS['arrow'] = (Source.arrow, bare, bare)


class Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        kind, wish = self.request.makefile('rb').readline().decode().split()
        self.server.counts[f'{kind} {wish}'] += 1
        read, make, _ = FORMATS[kind]
        with contextlib.suppress(OSError, LookupError, ValueError):
            with contextlib.closing(make(read(self.server.source, wish))) as out:
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
    """The same by an event loop, and uploads, and a broadcast to those who listen."""

    def __init__(self, source: Source) -> None:
        super().__init__(daemon=True)
        self.source = source
        self.counts: collections.Counter[str] = collections.Counter()
        self.port = 0
        self.ready = threading.Event()
        self.news: Broadcast[dict[str, Any]] = Broadcast()
        self.seen = {'tasks': 0, 'subscribers': 0}

    def run(self) -> None:
        asyncio.run(self.serve())

    async def serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.loop.set_exception_handler(self.complain)
        self.over = asyncio.Event()
        server = await asyncio.start_server(self.handle, '127.0.0.1', 0, backlog=300)
        publishing = asyncio.create_task(self.publish())
        async with server:
            self.port = server.sockets[0].getsockname()[1]
            self.ready.set()
            await self.over.wait()
            await publishing
            self.news.close()

    def stop(self) -> None:
        self.loop.call_soon_threadsafe(self.over.set)
        self.join(60)

    def complain(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        print(f'the loop: {context}', file=sys.stderr)
        self.counts['errors'] += 1

    async def publish(self) -> None:
        """Ten items each second, at once."""
        number = 0
        while not self.over.is_set():
            for _ in range(10):
                self.news.publish({'data': f'{number} {"x" * 1000}'})
                number += 1
            self.seen = {
                'tasks': len(asyncio.all_tasks(self.loop)),
                'subscribers': self.news.subscribers,
            }
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.over.wait(), 1)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            kind, wish = (await reader.readline()).decode().split()
            self.counts[f'async {kind} {wish}'] += 1
            with contextlib.suppress(OSError, LookupError):
                if kind == 'upload':
                    await self.take(reader, writer)
                elif kind == 'listen':
                    await self.tell(wish, writer)
                else:
                    await self.give(kind, wish, writer)
        except Exception as error:
            print(f'the loop: {error!r}', file=sys.stderr)
            self.counts['errors'] += 1
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def give(self, kind: str, wish: str, writer: asyncio.StreamWriter) -> None:
        # Nobody closes these but the end of this task.
        read, _, make = FORMATS[kind]
        source = to_async(read(self.source, wish), close_with_task=True)
        async for chunk in make(source):
            writer.write(struct.pack('>I', len(chunk)) + chunk)
            await writer.drain()
        writer.write(struct.pack('>I', 0) + END)
        await writer.drain()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        total = 0
        with contextlib.suppress(CSVError):  # of an upload that was broken off
            async for rows in abatched(acsv_rows(reader, types=TYPES), 100):
                total += sum(row[0] for row in rows)
        writer.write(struct.pack('>I', total))
        await writer.drain()

    async def tell(self, wish: str, writer: asyncio.StreamWriter) -> None:
        """The news, until the client goes; one that doesn't read is given up."""
        writer.transport.set_write_buffer_limits(SIZE)
        connection = writer.get_extra_info('socket')
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SIZE)
        if wish == 'stall':
            news = self.news.subscribe(buffersize=16, on_full='close')
        else:
            news = self.news.subscribe(buffersize=600, on_full='drop_oldest')
        out = aevent_stream(news, heartbeat=0.7, close_with_task=True)
        try:
            async for chunk in out:
                writer.write(chunk)
                await writer.drain()
        except BufferError:
            self.counts['given up'] += 1
            writer.transport.abort()

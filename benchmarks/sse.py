"""Server-sent events, read and written, against the decoders and encoders of others.

    python benchmarks/sse.py [--events 100000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.  Every reader is asked for the name, the data and the id of each event.
"""

from __future__ import annotations

import asyncio
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from statistics import median
from typing import Any

from measure import Row, Suite, Work, compared, consume, medians, package

from generators import ServerSentEvent, aevent_source, aevent_stream, event_source, event_stream

suite = Suite(__doc__, events=100_000)
options = suite.options

CHUNK = 1400  # bytes, as of a packet


def dicts() -> list[dict[str, Any]]:
    text = '{"id":"chatcmpl-%d","choices":[{"index":0,"delta":{"content":" token"}}]}'
    return [{'event': 'delta', 'id': str(i), 'data': text % i} for i in range(options.events)]


def chunks() -> list[bytes]:
    data = b''.join(event_stream(dicts()))
    return [data[at : at + CHUNK] for at in range(0, len(data), CHUNK)]


def look(events: Iterable[Any]) -> None:
    for event in events:
        _ = event.event, event.data, event.id


# ---- readers ----


@suite.measurement
def reading() -> Iterator[Row]:
    """The whole of it: from the chunks of a response to the fields."""
    pieces = chunks()

    def ours() -> None:
        look(event_source(pieces))

    httpx, httpx_sse = package('httpx'), package('httpx_sse')
    headers = {'Content-Type': 'text/event-stream'}

    def by_httpx_sse() -> None:
        response = httpx.Response(200, headers=headers, content=iter(pieces))
        look(httpx_sse.EventSource(response).iter_sse())

    yield compared(
        'event_source, three fields', 'httpx-sse', *medians([by_httpx_sse, ours], options.rounds), 8
    )


@suite.measurement
def reading_as_openai_does() -> Iterator[Row]:
    pieces = chunks()
    decoder = package('openai._streaming').SSEDecoder
    works: list[Work] = [
        lambda: look(decoder().iter_bytes(iter(pieces))),
        lambda: look(event_source(pieces)),
    ]
    yield compared(
        'event_source, three fields', "OpenAI's decoder", *medians(works, options.rounds), 5
    )


@suite.measurement
def reading_without_fields() -> Iterator[Row]:
    pieces = chunks()
    works: list[Work] = [
        lambda: look(event_source(pieces)),
        lambda: consume(event_source(pieces)),
    ]
    yield compared('event_source', 'with its fields', *medians(works, options.rounds))


# ---- writers ----


@suite.measurement
def writing() -> Iterator[Row]:
    """What an application yields, to bytes; sse-starlette encodes each event with this."""
    events = dicts()
    encode = package('sse_starlette.event').ensure_bytes
    works: list[Work] = [
        lambda: consume(encode(event, '\r\n') for event in events),
        lambda: consume(event_stream(events)),
    ]
    yield compared('event_stream of dicts', 'sse-starlette', *medians(works, options.rounds), 8)


@suite.measurement
def writing_objects() -> Iterator[Row]:
    module = package('sse_starlette.event')
    ours = [ServerSentEvent(**event) for event in dicts()]
    theirs = [module.ServerSentEvent(**event) for event in dicts()]
    works: list[Work] = [
        lambda: consume(module.ensure_bytes(event, '\r\n') for event in theirs),
        lambda: consume(event_stream(ours)),
    ]
    yield compared('event_stream of objects', 'sse-starlette', *medians(works, options.rounds), 8)


@suite.measurement
def writing_texts() -> Iterator[Row]:
    """A token each."""
    texts = [' token'] * options.events
    works: list[Work] = [
        lambda: consume(f'data: {text}\n\n'.encode() for text in texts),
        lambda: consume(event_stream(texts)),
    ]
    yield compared('event_stream of texts', 'an f-string', *medians(works, options.rounds))


# ---- the async faces ----


async def ready(items: Iterable[Any]) -> AsyncIterator[Any]:
    for item in items:
        yield item


async def aconsume(stream: Any) -> None:
    async for _ in stream:
        pass


async def alook(events: Any) -> None:
    async for event in events:
        _ = event.event, event.data, event.id


@suite.measurement
def async_faces() -> Iterator[Row]:
    pieces, events = chunks(), dicts()
    works: list[Work] = [
        lambda: asyncio.run(alook(ready(event_source(pieces)))),
        lambda: asyncio.run(alook(aevent_source(ready(pieces)))),
        lambda: look(event_source(pieces)),
    ]
    by_hand, ours, sync = medians(works, options.rounds)
    yield compared('aevent_source', 'event_source in an async generator', by_hand, ours)
    yield compared('aevent_source', 'event_source', sync, ours, 1 / 1.3)
    works = [
        lambda: asyncio.run(aconsume(ready(events))),
        lambda: asyncio.run(aconsume(aevent_stream(ready(events)))),
    ]
    yield compared('aevent_stream of dicts', 'its source alone', *medians(works, options.rounds))


# ---- end to end ----


SERVER = """
import asyncio, sys
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from fastapi.sse import EventSourceResponse as Own
from sse_starlette import EventSourceResponse
from generators import aevent_stream
import uvicorn

app = FastAPI()

async def events(count, waits):
    for i in range(count):
        if waits:
            await asyncio.sleep(0)
        yield {'event': 'delta', 'id': str(i), 'data': 'a token or so'}

@app.get('/ours')
async def ours(count: int, waits: int):
    return StreamingResponse(aevent_stream(events(count, waits)), media_type='text/event-stream')

@app.get('/sse-starlette')
async def theirs(count: int, waits: int):
    return EventSourceResponse(events(count, waits))

@app.get('/fastapi', response_class=Own)
async def own(count: int, waits: int):
    async for event in events(count, waits):
        yield event

uvicorn.run(app, port=int(sys.argv[1]), log_level='error', access_log=False)
"""


@suite.measurement
def serving() -> Iterator[Row]:
    """FastAPI on uvicorn in a process of its own: wall time, whatever --cpu says."""
    for name in ('fastapi.sse', 'sse_starlette', 'uvicorn'):
        package(name)
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
    server = subprocess.Popen([sys.executable, '-c', SERVER, str(port)])
    try:
        for waits, title in ((0, 'events that are ready'), (1, 'events that come one by one')):
            ours, *theirs = (
                served(port, f'/{name}?count={options.events // 5}&waits={waits}')
                for name in ('ours', 'sse-starlette', 'fastapi')
            )
            for peer, time_of in zip(('sse-starlette', "FastAPI's own"), theirs, strict=True):
                yield compared(f'served, {title}', peer, time_of, ours)
    finally:
        server.terminate()
        server.wait()


def served(port: int, path: str) -> float:
    times = []
    for _ in range(options.rounds):
        connection = http.client.HTTPConnection('127.0.0.1', port)
        deadline = time.monotonic() + 20
        while True:
            try:
                connection.connect()
                break
            except ConnectionRefusedError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        begun = time.perf_counter()
        connection.request('GET', path)
        response = connection.getresponse()
        while response.read1(1 << 20):
            pass
        times.append(time.perf_counter() - begun)
        connection.close()
    return median(times)


if __name__ == '__main__':
    sys.exit(suite.main())

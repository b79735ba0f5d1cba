"""A service of measurements in asyncio: large uploads, downloads, a blocking client, events.

    cd examples
    MEASUREMENTS=measurements.db uvicorn measurement_service:app

    curl --data-binary @measurements.csv http://127.0.0.1:8000/measurements.csv
    curl http://127.0.0.1:8000/measurements.csv
    curl http://127.0.0.1:8000/stations.csv
    curl -N http://127.0.0.1:8000/events

An upload's columns are number, station and celsius, in any order, among others.  It is stored as
a whole or not at all, in the memory of one batch; meanwhile all other requests are answered.
"""

import os
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from functools import partial
from typing import Any, NamedTuple, TypeVar

from aiosqlite import Connection, Cursor, connect
from anyio import CancelScope
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from generators import (
    Broadcast,
    CSVError,
    abatched,
    acsv_encode,
    acsv_rows,
    aevent_stream,
    to_async,
)

DATABASE = os.environ.get('MEASUREMENTS', 'measurements.db')
HEARTBEAT = float(os.environ.get('HEARTBEAT', '15'))  # seconds
Closes = TypeVar('Closes', Connection, Cursor)


class Measurement(NamedTuple):
    number: int
    station: str
    celsius: float


@asynccontextmanager
async def closed_after(resource: Closes) -> AsyncIterator[Closes]:
    try:
        yield resource
    finally:
        # Starlette's anyio would cancel this as well, where the client has left.
        with CancelScope(shield=True):
            await resource.close()


# ---- CSV in ----


async def upload(request: Request) -> Response:
    rows = acsv_rows(request.stream(), into=Measurement)
    count = 0
    # What is not committed is taken back when the connection closes.
    async with closed_after(await connect(DATABASE)) as database:
        try:
            async for batch in abatched(rows, 1000):
                await database.executemany(
                    'insert or replace into measurements values (?, ?, ?)', batch
                )
                count += len(batch)
        except CSVError as error:
            return JSONResponse({'error': str(error), 'line': error.line}, 400)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        await database.commit()
    uploads.publish(f'{count} measurements')
    return JSONResponse({'rows': count})


# ---- CSV out, from an asynchronous cursor ----


async def stored() -> AsyncGenerator[Any, None]:
    async with closed_after(await connect(DATABASE)) as database:
        query = 'select * from measurements order by number'
        # A connection of sqlite stays open, although closed, as long as a cursor of it does.
        async with closed_after(await database.execute(query)) as cursor:
            async for row in cursor:
                yield row


async def download(request: Request) -> Response:
    chunks = acsv_encode(stored(), header=Measurement._fields, close_with_task=True)
    await (chunks.aclose() if request.method == 'HEAD' else chunks.aprime())
    return StreamingResponse(chunks, media_type='text/csv')


# ---- CSV out, from a client that blocks ----


def stations(prefix: str, page: int = 100) -> Iterator[tuple[str, int]]:
    """As a paginator of boto3: every page is a call that blocks.

    The connection refuses to be used on another thread than the one that made it; nothing here
    runs before the thread of to_async() asks for the first item.
    """
    with closing(sqlite3.connect(DATABASE)) as client:
        last = ''
        while found := client.execute(
            'select station, count(*) from measurements where station > ? and station glob ?'
            ' group by station order by station limit ?',
            (last, prefix + '*', page),
        ).fetchall():
            yield from found
            last = found[-1][0]


async def listing(request: Request) -> Response:
    source = to_async(partial(stations, request.query_params.get('prefix', '')))
    chunks = acsv_encode(source, header=['station', 'measurements'], close_with_task=True)
    await (chunks.aclose() if request.method == 'HEAD' else chunks.aprime())
    return StreamingResponse(chunks, media_type='text/csv')


# ---- events ----

# A client that is slow, or gone without a word, holds nobody up: it loses the oldest events.
uploads: Broadcast[str] = Broadcast(on_full='drop_oldest')


async def events(request: Request) -> Response:
    # A comment, whenever no event came for so long, tells that the client is still there.
    chunks = aevent_stream(uploads.subscribe(), heartbeat=HEARTBEAT, close_with_task=True)
    if request.method == 'HEAD':
        await chunks.aclose()
    headers = {'Cache-Control': 'no-cache', 'X-Accel-Buffering': 'no'}
    return StreamingResponse(chunks, media_type='text/event-stream', headers=headers)


# ---- the application ----


async def health(request: Request) -> Response:
    return JSONResponse({'subscribers': uploads.subscribers})


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    async with closed_after(await connect(DATABASE)) as database:
        await database.execute('pragma journal_mode = wal')  # to be read while it is written
        await database.execute(
            'create table if not exists measurements'
            ' (number integer primary key, station text, celsius real)'
        )
    yield


app = Starlette(
    routes=[
        Route('/measurements.csv', upload, methods=['POST']),
        Route('/measurements.csv', download),
        Route('/stations.csv', listing),
        Route('/events', events),
        Route('/health', health),
    ],
    lifespan=lifespan,
)

"""The application: a page, and a WebSocket for each that is in the chat; and a page that only
listens, by server-sent events.

CHAT_HISTORY   the CSV file of all that was said (chat.csv)
CHAT_REDIS     where several processes meet: redis://127.0.0.1:6379; else there is one
"""

import asyncio
import json
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from generators import Dispatcher, aevent_stream, to_async

from .handlers import Client, Reader, Sent, chat_events
from .history import replayed, stored_after
from .posts import Malformed, checked_name

HERE = Path(__file__).parent
FILES = {
    '/': ('page.html', 'text/html'),
    '/page.js': ('page.js', 'text/javascript'),
    '/listen': ('listen.html', 'text/html'),
    '/listen.js': ('listen.js', 'text/javascript'),
    '/lines.js': ('lines.js', 'text/javascript'),
    '/page.css': ('page.css', 'text/css'),
}
HEADERS = {
    'Content-Security-Policy': "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cache-Control': 'no-cache',
}
POLICY_VIOLATION, TRY_AGAIN_LATER = 1008, 1013  # codes of closing a WebSocket
HEARTBEAT = 15.0  # seconds
RETRY = 500  # milliseconds, after which a browser connects again
PATIENCE = 5.0  # seconds, for a client to take what is sent to it


async def file(request: Request) -> Response:
    name, media_type = FILES[request.url.path]
    return Response((HERE / name).read_bytes(), media_type=media_type, headers=HEADERS)


def is_from_own_page(websocket: WebSocket) -> bool:
    """Any page on the web may open a WebSocket here; a browser says which does."""
    origin = websocket.headers.get('origin')
    return origin is None or urlsplit(origin).netloc == websocket.headers.get('host')


async def read(websocket: WebSocket, client: Client, events: Dispatcher) -> None:
    while (message := await websocket.receive())['type'] == 'websocket.receive':
        frame = message.get('text')
        await events.aemit('message', Sent(client, message['bytes'] if frame is None else frame))
        await asyncio.sleep(0)  # one at a time, whoever sends many


async def write(websocket: WebSocket, client: Client) -> None:
    while lines := await client.take():
        try:
            async with asyncio.timeout(PATIENCE):
                await websocket.send_text(f'[{",".join(lines)}]')
        except TimeoutError:
            client.is_given_up = True
            return
        except (WebSocketDisconnect, RuntimeError):  # the latter where the server closed it
            return


async def converse(websocket: WebSocket, client: Client, events: Dispatcher) -> None:
    """Until the client leaves, vanishes, or is given up."""
    tasks: list[asyncio.Task[None]] = []
    try:
        await events.aemit('connection', client)
        tasks += (
            asyncio.create_task(read(websocket, client, events)),
            asyncio.create_task(write(websocket, client)),
        )
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        events.emit('disconnection', client)  # waits for nothing, so that no cancelling can lose it
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
    for task in tasks:
        if not task.cancelled():
            task.result()


async def socket(websocket: WebSocket) -> None:
    if not is_from_own_page(websocket):
        await websocket.close()  # before it is accepted: 403
        return
    await websocket.accept()
    asked = websocket.query_params
    try:
        room = checked_name(asked.get('room', ''), 'the room')
        name = checked_name(asked.get('name', ''), 'the name')
    except Malformed as e:
        await websocket.close(POLICY_VIOLATION, str(e))
        return
    client = Client(room, name)
    await converse(websocket, client, websocket.state.events)
    if client.is_given_up:
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(PATIENCE):
                await websocket.close(TRY_AGAIN_LATER, 'you took your lines too slowly')


async def heard(reader: Reader, events: Dispatcher, path: str) -> AsyncGenerator[Any, None]:
    """The events of a room.  Posts of the history have an id: behind it a browser goes on."""
    told: set[str] = set()
    try:
        await events.aemit('reader', reader)
        if reader.is_behind:  # lines wait from now on: nothing is missed while the file is read
            missed = partial(stored_after, path, reader.room, reader.last_id)
            async with aclosing(to_async(missed)) as posts:
                async for post in posts:
                    told.add(post.id)
                    yield {'id': post.id, 'data': post.to_json()}
        while lines := await reader.take():  # one that is given up connects again, and goes on
            for line in lines:
                post = json.loads(line)
                if post['id'] not in told:
                    is_kept = post['kind'] == 'message'
                    yield {'id': post['id'], 'data': line} if is_kept else {'data': line}
    finally:
        events.emit('disconnection', reader)


async def stream(request: Request) -> Response:
    try:
        room = checked_name(request.query_params.get('room', ''), 'the room')
    except Malformed as e:
        return Response(str(e), 400)
    reader = Reader(room, request.headers.get('last-event-id', ''))
    chunks = aevent_stream(
        heard(reader, request.state.events, request.app.state.history),
        retry=RETRY,
        heartbeat=HEARTBEAT,
        close_with_task=True,
    )
    if request.method == 'HEAD':
        await chunks.aclose()
    headers = {**HEADERS, 'X-Accel-Buffering': 'no'}
    return StreamingResponse(chunks, media_type='text/event-stream', headers=headers)


def create_app(history: str, redis: str | None = None) -> Starlette:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, Dispatcher]]:
        Path(history).touch()  # where that is not allowed, the server does not start
        async with AsyncExitStack() as stack:
            if redis is None:
                events = chat_events(replayed(history), history)
                await stack.enter_async_context(aclosing(events))
            else:
                from .link import MAX_OUTBOX, linked

                outbox = asyncio.Queue(MAX_OUTBOX)
                events = chat_events(replayed(history), history, outbox.put_nowait)
                await stack.enter_async_context(aclosing(events))
                await stack.enter_async_context(linked(redis, outbox, events, history))
            yield {'events': events}

    routes = [
        *(Route(path, file) for path in FILES),
        Route('/events', stream),
        WebSocketRoute('/socket', socket),
    ]
    app = Starlette(routes=routes, lifespan=lifespan)
    app.state.history = history
    return app


app = create_app(os.environ.get('CHAT_HISTORY', 'chat.csv'), os.environ.get('CHAT_REDIS') or None)

"""The application: a page, and a WebSocket for each that is in the chat.

CHAT_HISTORY   the CSV file of all that was said (chat.csv)
CHAT_REDIS     where several processes meet: redis://127.0.0.1:6379; else there is one
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from generators import Dispatcher

from .handlers import Client, Sent, chat_events
from .history import replayed
from .posts import Malformed, checked_name

HERE = Path(__file__).parent
FILES = {
    '/': ('page.html', 'text/html'),
    '/page.js': ('page.js', 'text/javascript'),
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
PATIENCE = 5.0  # seconds, for a client that is given up to hear of it


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
    while True:
        frame = await client.take()
        try:
            await websocket.send_text(frame)
        except (WebSocketDisconnect, RuntimeError):  # the latter where the server closed it
            return


async def converse(websocket: WebSocket, client: Client, events: Dispatcher) -> None:
    """Until the client leaves, vanishes, or is given up."""
    tasks = [
        asyncio.create_task(read(websocket, client, events)),
        asyncio.create_task(write(websocket, client)),
    ]
    try:
        await events.aemit('connection', client)
        await asyncio.wait([*tasks, client.overrun], return_when=asyncio.FIRST_COMPLETED)
    finally:
        events.emit('disconnection', client)  # waits for nothing, so that no cancelling can lose it
        for task in tasks:
            task.cancel()
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
    if client.overrun.done():
        with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
            async with asyncio.timeout(PATIENCE):
                await websocket.close(TRY_AGAIN_LATER, 'you took your lines too slowly')


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

    routes = [*(Route(path, file) for path in FILES), WebSocketRoute('/socket', socket)]
    return Starlette(routes=routes, lifespan=lifespan)


app = create_app(os.environ.get('CHAT_HISTORY', 'chat.csv'), os.environ.get('CHAT_REDIS') or None)

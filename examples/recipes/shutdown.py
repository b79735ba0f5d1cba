"""Streams that never end by themselves, and a server that is told to stop.

uvicorn and hypercorn wait for responses before they tell the application of the shutdown, and a
live stream has no end: they would wait until their timeout.  So the application hears the signal
itself, and ends its streams; each client gets what was published before, and a proper end.

    uvicorn --app-dir examples/recipes shutdown:app
    hypercorn --workers 0 examples/recipes/shutdown:app
    granian --interface asgi --working-dir examples/recipes shutdown:app
"""

import asyncio
import contextlib
import os
import signal

from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

from generators import Broadcast, aevent_stream

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def heard(callback):
    """Call it in the loop when the process is told to stop, before what the server does then."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}

    def handle(number, frame):
        loop.call_soon_threadsafe(callback)
        if callable(before[number]):
            before[number](number, frame)

    for number in SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.asynccontextmanager
async def lifespan(app):
    app.state.news = Broadcast(on_full='drop_oldest')
    with heard(app.state.news.close):
        yield
    app.state.news.close()


async def listen(request):
    events = aevent_stream(request.app.state.news.subscribe(), close_with_task=True)
    return StreamingResponse(events, media_type='text/event-stream')


async def publish(request):
    count = request.app.state.news.publish(await request.body())
    return StreamingResponse([f'{count} of process {os.getpid()}\n'], media_type='text/plain')


app = Starlette(
    lifespan=lifespan,
    routes=[Route('/', listen), Route('/', publish, methods=['POST'])],
)

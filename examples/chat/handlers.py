"""The events of the chat, and a generator for each.

    connection      a client came                    from its WebSocket
    reader          a browser only listens           from its event stream
    message         a client sent a frame            from its WebSocket
    disconnection   a client left, or vanished       from its WebSocket or stream
    post            a line is to be put out          from the handlers of the three above
    delivery        a line arrived for its room      from `publish`: at once, or by way of Redis

A handler that fails is started afresh by the Dispatcher, and what failed is an event of 'error':
whatever one client sends, the handlers go on for all others.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import NamedTuple

from generators import Dispatcher

from .history import History, append
from .posts import Malformed, Post, notice, read_frame

MAX_WAITING = 1 << 20  # characters that wait for a client to take them

log = logging.getLogger('chat')


class Client:
    """A browser, as handlers know it: who it is, and what waits to be sent to it.

    `send` never waits.  A client that takes its lines so slowly that more than MAX_WAITING
    characters wait for it is given up: `overrun` is set, and its WebSocket closes.
    """

    def __init__(self, room: str, name: str) -> None:
        self.room = room
        self.name = name
        self.overrun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting: list[str] = []
        self._size = 0
        self._ready = asyncio.Event()

    def send(self, *lines: str) -> None:
        if self.overrun.done():
            return
        self._waiting += lines
        self._size += sum(map(len, lines))
        if self._size > MAX_WAITING:
            self._waiting.clear()
            self.overrun.set_result(None)
        self._ready.set()

    async def take(self) -> list[str]:
        """All lines that wait, as soon as there is one; none if this client is given up."""
        await self._ready.wait()
        self._ready.clear()
        lines, self._waiting, self._size = self._waiting, [], 0
        return lines


class Reader(Client):
    """A browser that only listens, and goes on behind the post of which it has the id.

    `is_behind` says that the post is not in memory any more: the file tells what came after it.
    """

    def __init__(self, room: str, last_id: str) -> None:
        super().__init__(room, '')
        self.last_id = last_id
        self.is_behind = False


class Sent(NamedTuple):
    """A frame, as it came."""

    client: Client
    frame: str | bytes


class Delivery(NamedTuple):
    post: Post
    line: str  # the post as JSON


def chat_events(
    history: History, path: str, publish: Callable[[Delivery], None] | None = None
) -> Dispatcher:
    """The Dispatcher of one server process.

    `publish` brings a line to every process, to this one as an event 'delivery'; without it there
    is this one alone.
    """
    events = Dispatcher()
    rooms: dict[str, set[Client]] = {}

    @events.on('connection')
    def handle_connections():
        while True:
            client = yield
            client.send(*(post.to_json() for post in history.last(client.room)))
            rooms.setdefault(client.room, set()).add(client)
            events.emit('post', Post.new(client.room, client.name, kind='joined'))

    @events.on('reader')
    def handle_readers():
        while True:
            reader = yield
            missed = history.after(reader.room, reader.last_id)
            reader.is_behind = missed is None
            reader.send(*(post.to_json() for post in missed or ()))
            rooms.setdefault(reader.room, set()).add(reader)

    @events.on('message')
    def handle_messages():
        while True:
            client, frame = yield
            try:
                text = read_frame(frame)
            except Malformed as e:
                client.send(notice(str(e)))
            else:
                events.emit('post', Post.new(client.room, client.name, text))

    @events.on('disconnection')
    def handle_disconnections():
        while True:
            client = yield
            members = rooms.get(client.room, set())
            if client in members:
                members.remove(client)
                if not members:
                    del rooms[client.room]
                if not isinstance(client, Reader):
                    events.emit('post', Post.new(client.room, client.name, kind='left'))

    # Before it is published: a process that reads the file after it subscribed misses nothing.
    @events.on('post')
    def record_posts():
        while True:
            post = yield
            if post.kind == 'message':
                append(path, post)

    @events.on('post')
    def publish_posts():
        while True:
            post = yield
            delivery = Delivery(post, post.to_json())
            if publish is None:
                events.emit('delivery', delivery)
            else:
                publish(delivery)

    @events.on('delivery')
    def deliver():
        while True:
            post, line = yield
            if post.kind != 'message' or history.add(post):
                for client in rooms.get(post.room, ()):
                    client.send(line)

    @events.on('error')
    def handle_errors():
        while True:
            failure = yield
            log.error('a handler failed', exc_info=failure.exception)
            if isinstance(failure.event.data, Sent):
                failure.event.data.client.send(notice('that did not work'))

    return events

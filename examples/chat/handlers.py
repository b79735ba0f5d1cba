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

import logging
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import NamedTuple
from weakref import WeakValueDictionary

from generators import Broadcast, Dispatcher

from .history import History, append
from .posts import Malformed, Post, notice, read_frame

MAX_WAITING = 5000  # lines that wait for a client to take them; all in a room share them

log = logging.getLogger('chat')


class Line(NamedTuple):
    """What is put out in a room: for all that are in it, or for one of them alone."""

    text: str
    client: 'Client | None' = None


class Client:
    """A browser, as handlers know it: who it is, and what waits to be sent to it.

    A client that takes its lines so slowly that more than MAX_WAITING of them wait for it is given
    up: it gets those, and no more.
    """

    def __init__(self, room: str, name: str) -> None:
        self.room = room
        self.name = name
        self.is_given_up = False
        self._first: list[str] = []
        self._lines: AsyncGenerator[Line, None] | None = None

    def enter(self, room: Broadcast[Line], *first: str) -> None:
        """From now on, hear what is put out there, after these lines."""
        self._first += first
        self._lines = room.subscribe()

    def leave(self) -> bool:
        """Whether it was there."""
        was_there = self._lines is not None
        self._lines = None
        return was_there

    async def take(self) -> list[str]:
        """All lines that wait, as soon as there is one; none if this client is given up."""
        texts, self._first = self._first, []
        lines = self._lines
        while lines is not None and (not texts or lines.held):
            try:
                line = await anext(lines)
            except (BufferError, StopAsyncIteration):
                self.is_given_up = True
                break
            if line.client is None or line.client is self:
                texts.append(line.text)
        return texts


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
    # A room is there as long as anybody is in it: a subscriber holds its Broadcast.
    rooms: WeakValueDictionary[str, Broadcast[Line]] = WeakValueDictionary()

    def enter(client: Client, posts: Iterable[Post]) -> None:
        room = Broadcast[Line](buffersize=MAX_WAITING, on_full='close')
        room = rooms.setdefault(client.room, room)
        client.enter(room, *(post.to_json() for post in posts))

    def put_out(room: str, line: Line) -> None:
        if (subscribed := rooms.get(room)) is not None:
            subscribed.publish(line)

    @events.on('connection')
    def handle_connections():
        while True:
            client = yield
            enter(client, history.last(client.room))
            events.emit('post', Post.new(client.room, client.name, kind='joined'))

    @events.on('reader')
    def handle_readers():
        while True:
            reader = yield
            missed = history.after(reader.room, reader.last_id)
            reader.is_behind = missed is None
            enter(reader, missed or ())

    @events.on('message')
    def handle_messages():
        while True:
            client, frame = yield
            try:
                text = read_frame(frame)
            except Malformed as e:
                put_out(client.room, Line(notice(str(e)), client))
            else:
                events.emit('post', Post.new(client.room, client.name, text))

    @events.on('disconnection')
    def handle_disconnections():
        while True:
            client = yield
            if client.leave() and not isinstance(client, Reader):
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
                put_out(post.room, Line(line))

    @events.on('error')
    def handle_errors():
        while True:
            failure = yield
            log.error('a handler failed', exc_info=failure.exception)
            if isinstance(failure.event.data, Sent):
                client = failure.event.data.client
                put_out(client.room, Line(notice('that did not work'), client))

    return events

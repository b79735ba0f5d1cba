"""A chat service: what happens in it comes as events, and generators handle them.

    python article_002_events.py

prints what each handler makes of a short conversation.  Each handler is a generator that keeps
what it needs between two events in its own variables; the dispatcher primes it, feeds it with
send(), starts it again if it fails, and closes it in the end.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass

from generators import Dispatcher, ErrorEvent


@dataclass(slots=True)
class Event:
    type: str
    data: str


d = Dispatcher()


@d.on('message')
def handle_messages() -> Generator[None, str, None]:
    while True:
        message = yield
        print(f'Received message: {message}')


@d.on('connection')
def handle_connections() -> Generator[None, str, None]:
    while True:
        connection = yield
        print(f'New connection: {connection}')


@d.on('disconnection')
def handle_disconnections() -> Generator[None, str, None]:
    while True:
        disconnection = yield
        print(f'Disconnected: {disconnection}')


@d.on('error')
def handle_errors(error: ErrorEvent) -> None:
    print(f'Failed on {error.event.data}: {error.exception!r}')


def conversation() -> Iterator[Event]:
    """What a server would read from its sockets."""
    yield Event('connection', 'Ada')
    yield Event('connection', 'Grace')
    yield Event('message', 'Ada: hello, Grace')
    yield Event('message', 'Grace: hello, Ada')
    yield Event('disconnection', 'Ada')
    yield Event('disconnection', 'Grace')


def main() -> None:
    with d:
        d.run(conversation())


if __name__ == '__main__':
    main()

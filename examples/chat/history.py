"""What was said last in each room, in memory; and all of it in a CSV file, which a restart reads.

Every process appends what its own browsers said, each row in one write at the file's end: the
processes of one machine can share a file.
"""

import csv
import logging
import os
from collections import deque
from collections.abc import Iterator

from generators import csv_encode, csv_rows

from .posts import Post

COLUMNS = ('id', 'time', 'room', 'name', 'text')  # the file has no header
SHOWN = 100  # posts of a room, to who comes
MAX_ROOMS = 1000  # whose posts are kept in memory

log = logging.getLogger('chat')


class History:
    def __init__(self) -> None:
        # By room, the one with the latest post last; in it by id, which keeps a post from being
        # taken twice.  More are kept than shown: two processes need not agree on the order.
        self.rooms: dict[str, dict[str, Post]] = {}

    def add(self, post: Post) -> bool:
        """Whether it was new."""
        posts = self.rooms.pop(post.room, {})
        self.rooms[post.room] = posts
        if post.id in posts:
            return False
        posts[post.id] = post
        if len(posts) > 2 * SHOWN:
            del posts[next(iter(posts))]
        if len(self.rooms) > MAX_ROOMS:
            del self.rooms[next(iter(self.rooms))]
        return True

    def last(self, room: str) -> list[Post]:
        return list(self.rooms.get(room, {}).values())[-SHOWN:]

    def after(self, room: str, id: str) -> list[Post] | None:
        """What came after a post; without an id, the last ones; None if it is not known."""
        if not id:
            return self.last(room)
        posts = self.rooms.get(room, {})
        if id not in posts:
            return None
        return list(posts.values())[list(posts).index(id) + 1 :]

    def __iter__(self) -> Iterator[Post]:
        for room in self.rooms:
            yield from self.last(room)


def replayed(path: str) -> History:
    """The history that a file tells; rows that cannot be read are logged and left out."""
    history = History()
    for post in stored(path):
        history.add(post)
    return history


def stored(path: str) -> Iterator[Post]:
    return csv_rows(
        path,
        into=Post,
        names=COLUMNS,
        header=False,
        strict=True,
        on_error=lambda error, _: log.warning('%s: a row is left out: %s', path, error),
    )


def stored_after(path: str, room: str, id: str) -> Iterator[Post]:
    """What a room's file has after a post; the last ones, if that is not there."""
    last: deque[Post] = deque(maxlen=SHOWN)
    posts = (post for post in stored(path) if post.room == room)
    for post in posts:
        last.append(post)
        if post.id == id:
            last.clear()
            yield from posts
    yield from last


def append(path: str, post: Post) -> None:
    """Append a row in one write, so that those of several processes stay whole."""
    # All is quoted, so that a row that was cut off spoils no more than the one after it.
    chunks = csv_encode([post], columns=COLUMNS, extra='ignore', quoting=csv.QUOTE_ALL)
    row = b''.join(chunks)
    with open(path, 'a+b', buffering=0) as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b'\n':  # a write was cut off: this row begins on a line of its own
                row = b'\r\n' + row
        if file.write(row) != len(row):
            raise OSError(f'{path}: a row was not written whole')

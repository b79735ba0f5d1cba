"""What is said in the chat, and what of it is refused."""

import json
import secrets
from datetime import UTC, datetime
from typing import NamedTuple, Self

MAX_NAME = 40  # characters, of a person's or a room's name
MAX_TEXT = 2000  # characters
MAX_FRAME = 16 * MAX_TEXT  # characters of JSON: every one of MAX_TEXT may be an escaped pair


class Malformed(ValueError):
    """What came from outside cannot be taken; says why in words for who sent it."""


def checked_name(name: str, what: str) -> str:
    name = name.strip()
    if not name:
        raise Malformed(f'{what} is missing')
    if len(name) > MAX_NAME:
        raise Malformed(f'{what} is longer than {MAX_NAME} characters')
    if not name.isprintable():
        raise Malformed(f'{what} has characters that cannot be shown')
    return name


def checked_text(text: object) -> str:
    if not isinstance(text, str):
        raise Malformed('there is no text')
    if len(text) > MAX_TEXT:
        raise Malformed(f'the text is longer than {MAX_TEXT} characters')
    text = text.strip()
    if not text:
        raise Malformed('the text is empty')
    try:
        text.encode()
    except UnicodeEncodeError:  # JSON can spell half of a surrogate pair, no file can hold it
        raise Malformed('the text is not Unicode') from None
    return text


def read_object(frame: str | bytes) -> dict[str, object]:
    try:
        value = json.loads(frame)
    except (ValueError, RecursionError):
        raise Malformed('this is not JSON') from None
    if not isinstance(value, dict):
        raise Malformed('this is not a JSON object')
    return value


def read_frame(frame: str | bytes) -> str:
    """The text in a frame that a browser sent: ``{"text": "..."}``."""
    if isinstance(frame, bytes):
        raise Malformed('only text is taken')
    if len(frame) > MAX_FRAME:
        raise Malformed(f'the text is longer than {MAX_TEXT} characters')
    return checked_text(read_object(frame).get('text'))


class Post(NamedTuple):
    """One line of the chat, as all that are in the room see it."""

    id: str  # no other post has it, of whichever process
    time: datetime
    room: str
    name: str
    text: str
    kind: str = 'message'  # or 'joined', 'left'

    @classmethod
    def new(cls, room: str, name: str, text: str = '', kind: str = 'message') -> Self:
        return cls(secrets.token_hex(8), datetime.now(UTC), room, name, text, kind)

    def to_json(self) -> str:
        """As browsers and other server processes get it."""
        fields = {**self._asdict(), 'time': self.time.isoformat()}
        return json.dumps(fields, ensure_ascii=False, separators=(',', ':'))

    @classmethod
    def from_json(cls, frame: str | bytes) -> Self:
        """From another process: what anyone may have published is looked at like the rest."""
        fields = read_object(frame)
        if not all(isinstance(fields.get(name), str) for name in cls._fields):
            raise Malformed('this is not a post')
        post = cls._make(fields[name] for name in cls._fields)
        try:
            time = datetime.fromisoformat(fields['time'])
        except ValueError:
            raise Malformed('this is not a time') from None
        if post.kind not in ('message', 'joined', 'left') or len(post.id) > MAX_NAME:
            raise Malformed('this is not a post')
        return post._replace(
            time=time,
            room=checked_name(post.room, 'the room'),
            name=checked_name(post.name, 'the name'),
            text=checked_text(post.text) if post.kind == 'message' else '',
        )


def notice(text: str) -> str:
    """A line for one browser alone."""
    return json.dumps({'kind': 'error', 'text': text}, ensure_ascii=False)

"""The chat's logic, through Starlette's test client: examples/chat."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import json
import re
from contextlib import ExitStack, contextmanager

import pytest

pytest.importorskip('starlette')
pytest.importorskip('httpx2')

from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from generators import Broadcast

from . import chat_servers  # finds the examples

# isort: split
from chat import app, handlers, history, posts
from chat.app import create_app

assert chat_servers.EXAMPLES.name == 'examples'


class Person:
    """Someone in the chat, who has heard that he joined; `history` is what came before."""

    def __init__(self, session, name):
        self.session = session
        self.lines = []
        self.history = []
        while (line := self.hear())['kind'] != 'joined' or line['name'] != name:
            self.history.append(line['text'])

    def hear(self):
        while not self.lines:
            self.lines = self.session.receive_json()
        return self.lines.pop(0)

    def hears(self, *texts):
        assert [self.hear()['text'] for _ in texts] == list(texts)

    def say(self, text):
        self.session.send_json({'text': text})


class Chat:
    def __init__(self, client):
        self.client = client
        self.stack = ExitStack()

    def join(self, name, room='lobby'):
        session = self.client.websocket_connect(
            f'/socket?{chat_servers.urlencode({"name": name, "room": room})}'
        )
        return Person(self.stack.enter_context(session), name)


@contextmanager
def opened(path, **options):
    with TestClient(create_app(str(path), **options)) as client:
        chat = Chat(client)
        with chat.stack:
            yield chat


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'chat.csv'


@pytest.fixture
def chat(path):
    with opened(path) as chat:
        yield chat


# ---- who hears what ----


def test_everyone_in_the_room_hears_what_is_said(chat):
    ann = chat.join('Ann')
    bo = chat.join('Bo')
    line = ann.hear()
    assert (line['kind'], line['name']) == ('joined', 'Bo')
    ann.say('hello')
    bo.say('hi')
    for person in (ann, bo):
        lines = person.hear(), person.hear()
        assert [(x['kind'], x['name'], x['text']) for x in lines] == [
            ('message', 'Ann', 'hello'),
            ('message', 'Bo', 'hi'),
        ]


def test_rooms_are_apart(chat):
    ann = chat.join('Ann', 'lobby')
    bo = chat.join('Bo', 'attic')
    ann.say('to the lobby')
    bo.say('to the attic')
    ann.hears('to the lobby')
    bo.hears('to the attic')
    assert chat.join('Cy', 'attic').history == ['to the attic']


def test_one_who_leaves_is_a_disconnection(chat):
    ann = chat.join('Ann')
    bo = chat.join('Bo')
    ann.hear()
    bo.session.close(1006)  # as the server says of one that vanished
    line = ann.hear()
    assert (line['kind'], line['name']) == ('left', 'Bo')
    ann.say('still here')
    ann.hears('still here')


def test_two_may_have_one_name(chat):
    first = chat.join('Ann')
    second = chat.join('Ann')
    assert first.hear()['kind'] == 'joined'
    second.session.close(1000)
    assert first.hear()['kind'] == 'left'
    first.say('alone')
    first.hears('alone')


def test_one_who_sends_much_at_once_is_heard_in_order(chat):
    ann = chat.join('Ann')
    bo = chat.join('Bo')
    ann.hear()
    texts = [f'number {n}' for n in range(500)]
    for text in texts:
        ann.say(text)
    ann.hears(*texts)
    bo.hears(*texts)


@pytest.mark.parametrize('error', [WebSocketDisconnect(1006), RuntimeError('after closing')])
def test_writing_to_one_who_has_vanished_ends(error):
    """uvicorn raises RuntimeError where it has closed the connection itself."""

    class Gone:
        async def send_text(self, text):
            raise error

    async def main():
        client = handlers.Client('lobby', 'Ann')
        client.enter(Broadcast(), '"hello"')
        async with asyncio.timeout(30):
            await app.write(Gone(), client)

    asyncio.run(main())


# ---- what is refused ----

MALFORMED = {
    'no JSON': ('{"text"', 'this is not JSON'),
    'nothing': ('', 'this is not JSON'),
    'deep': ('[' * 20_000, 'this is not JSON'),
    'a huge number': ('1' * 10_000, 'this is not JSON'),
    'a list': ('["text"]', 'this is not a JSON object'),
    'a word': ('"text"', 'this is not a JSON object'),
    'no text': ('{}', 'there is no text'),
    'a number': ('{"text": 1}', 'there is no text'),
    'null': ('{"text": null}', 'there is no text'),
    'a list of text': ('{"text": ["x"]}', 'there is no text'),
    'blank': ('{"text": " \\n\\t "}', 'the text is empty'),
    'half a surrogate pair': ('{"text": "\\ud800"}', 'the text is not Unicode'),
    'long': (json.dumps({'text': 'x' * 2001}), 'the text is longer than 2000 characters'),
    'very long': (json.dumps({'text': 'x' * 100_000}), 'the text is longer than 2000 characters'),
    'bytes': (b'{"text": "x"}', 'only text is taken'),
    'no UTF-8': (b'\xff\xfe', 'only text is taken'),
}


@pytest.mark.parametrize('what', MALFORMED)
def test_a_malformed_message_is_told_to_its_sender_alone(chat, what):
    frame, reason = MALFORMED[what]
    ann = chat.join('Ann')
    bo = chat.join('Bo')
    ann.hear()
    (bo.session.send_bytes if isinstance(frame, bytes) else bo.session.send_text)(frame)
    assert bo.hear() == {'kind': 'error', 'text': reason}
    bo.say('sorry')
    ann.say('never mind')
    for person in (ann, bo):
        assert {person.hear()['text'], person.hear()['text']} == {'sorry', 'never mind'}


@pytest.mark.parametrize('escaped', [False, True])
def test_the_longest_text_is_taken(chat, escaped):
    ann = chat.join('Ann')
    text = '\U0001f642' * 2000
    ann.session.send_text(json.dumps({'text': text}, ensure_ascii=escaped))
    ann.hears(text)


@pytest.mark.parametrize(
    ('query', 'reason'),
    [
        ('', 'the room is missing'),
        ('room=lobby', 'the name is missing'),
        ('room=%20&name=Ann', 'the room is missing'),
        ('room=lobby&name=' + 'x' * 41, 'the name is longer than 40 characters'),
        ('room=lobby&name=a%00b', 'the name has characters that cannot be shown'),
        ('room=lobby&name=%E2%80%AEnnA', 'the name has characters that cannot be shown'),
    ],
)
def test_names_are_checked(chat, query, reason):
    session = chat.stack.enter_context(chat.client.websocket_connect(f'/socket?{query}'))
    with pytest.raises(WebSocketDisconnect) as caught:
        session.receive_json()
    assert (caught.value.code, caught.value.reason) == (1008, reason)


@pytest.mark.parametrize('origin', ['http://elsewhere.example', 'null', 'http://testserver:81'])
def test_a_page_from_elsewhere_is_refused(chat, origin):
    with pytest.raises(WebSocketDisconnect):
        chat.client.websocket_connect(
            '/socket?room=lobby&name=Ann', headers={'origin': origin}
        ).__enter__()


def test_the_own_page_is_not_refused(chat):
    with chat.client.websocket_connect(
        '/socket?room=lobby&name=Ann', headers={'origin': 'http://testserver'}
    ) as session:
        Person(session, 'Ann')


# ---- handlers that fail ----


def test_a_handler_that_fails_goes_on_for_others(chat, monkeypatch, caplog):
    def read_frame(frame):
        if 'bug' in frame:
            raise ZeroDivisionError('not foreseen')
        return posts.read_frame(frame)

    monkeypatch.setattr(handlers, 'read_frame', read_frame)
    ann = chat.join('Ann')
    bo = chat.join('Bo')
    ann.hear()
    for _ in range(3):
        bo.say('bug')
        assert bo.hear() == {'kind': 'error', 'text': 'that did not work'}
        ann.say('nothing happened')
        ann.hears('nothing happened')
        bo.hears('nothing happened')
    assert 'ZeroDivisionError: not foreseen' in caplog.text


def test_a_full_disk_stops_nobody(chat, path, monkeypatch, caplog):
    class Full(io.FileIO):
        def write(self, data):
            super().write(data[: len(data) // 2])
            raise OSError(errno.ENOSPC, 'No space left on device')

    ann = chat.join('Ann')
    ann.say('before')
    ann.hears('before')
    with monkeypatch.context() as patch:
        patch.setattr(history, 'open', lambda path, *_, **__: Full(path, 'a+'), raising=False)
        for text in ('during', 'still'):
            ann.say(text)
            ann.hears(text)
    assert 'No space left on device' in caplog.text
    for text in ('after', 'later'):
        ann.say(text)
        ann.hears(text)
    kept = [post.text for post in history.replayed(str(path))]
    assert kept[0] == 'before'
    assert kept[-1] == 'later'


# ---- the history ----

TEXTS = [
    'plain',
    'a, comma and "quotes"',
    'two\nlines',
    'blank \r\n between \r lines',
    '=1+1',
    "'; drop table posts; --",
    '<script>alert(1)</script>',
    'Grüße, 世界 \U0001f642',
    'a\x00b',
    '﻿mark',
]


def test_a_restart_replays_what_was_said(path):
    with opened(path) as chat:
        ann = chat.join('Ann')
        for text in TEXTS:
            ann.say(text)
        ann.hears(*TEXTS)
    with opened(path) as chat:
        bo = chat.join('Bo')
        assert bo.history == TEXTS
        bo.say('more')
        bo.hears('more')
    with opened(path) as chat:
        assert chat.join('Cy').history == [*TEXTS, 'more']
        assert chat.join('Di', 'attic').history == []


def test_history_is_a_csv_file_that_the_standard_module_reads(path):
    with opened(path) as chat:
        ann = chat.join('Ann')
        ann.say('a, "b"\nc')
        line = ann.hear()
    with open(path, encoding='utf-8', newline='') as f:
        rows = list(csv.reader(f))
    assert rows == [[line['id'], line['time'].replace('T', ' '), 'lobby', 'Ann', 'a, "b"\nc']]


def test_history_ends_with_the_last_posts(path, monkeypatch):
    monkeypatch.setattr(history, 'SHOWN', 5)
    texts = [str(n) for n in range(23)]
    with opened(path) as chat:
        ann = chat.join('Ann')
        for text in texts:
            ann.say(text)
        ann.hears(*texts)
        assert chat.join('Bo').history == texts[-5:]
    with opened(path) as chat:
        assert chat.join('Cy').history == texts[-5:]


def test_rows_that_cannot_be_read_are_left_out(path, caplog):
    with opened(path) as chat:
        ann = chat.join('Ann')
        ann.say('good')
        ann.hears('good')
    row = path.read_bytes()
    bad = [b'too,few\r\n', b'"1","no time","lobby","Ann","x"\r\n', b'"1"x,y\r\n', b'\xff\xfe\r\n']
    path.write_bytes(b''.join(b + row.replace(b'good', b'good %d' % n) for n, b in enumerate(bad)))
    replayed = history.replayed(str(path))
    assert [post.text for post in replayed] == ['good 0']  # they have one id
    assert len(caplog.records) == len(bad)


@pytest.mark.parametrize('cut', [1, 2, 3, 10, 30, 60])
def test_a_row_that_was_cut_off_spoils_at_most_the_next(path, cut):
    with opened(path) as chat:
        ann = chat.join('Ann')
        ann.say('whole')
        ann.say('cut off')
        ann.hears('whole', 'cut off')
    path.write_bytes(path.read_bytes()[:-cut])
    with opened(path) as chat:
        ann = chat.join('Ann')
        for text in ('first', 'second', 'third'):
            ann.say(text)
        ann.hears('first', 'second', 'third')
    texts = [post.text for post in history.replayed(str(path))]
    assert texts[0] == 'whole'
    assert texts[-2:] == ['second', 'third']


def test_posts_are_taken_once():
    kept = history.History()
    post = posts.Post.new('lobby', 'Ann', 'once')
    assert kept.add(post)
    assert not kept.add(post)
    assert kept.last('lobby') == [post]


def test_memory_has_an_end(monkeypatch):
    monkeypatch.setattr(history, 'MAX_ROOMS', 3)
    kept = history.History()
    for room in ('a', 'b', 'c', 'a', 'd'):
        for n in range(300):
            kept.add(posts.Post.new(room, 'Ann', str(n)))
    assert list(kept.rooms) == ['c', 'a', 'd']  # the one that is silent for longest went
    assert all(len(room) <= 2 * history.SHOWN for room in kept.rooms.values())


# ---- the page ----


@pytest.mark.parametrize(('address', 'script'), [('/', 'page.js'), ('/listen', 'listen.js')])
def test_page_has_what_it_needs_and_nothing_from_elsewhere(address, script, chat):
    page = chat.client.get(address)
    assert page.headers['content-type'] == 'text/html; charset=utf-8'
    linked = re.findall(r'(?:src|href)="([^"]*)"', page.text)
    assert linked == ['data:,', 'page.css', 'lines.js', script]
    for name in linked[1:]:
        file = chat.client.get(f'/{name}')
        assert file.status_code == 200
        assert '//' not in re.sub(r'//.*', '', file.text)
        assert 'innerHTML' not in file.text
    assert page.headers['content-security-policy'].startswith(
        "default-src 'none'; script-src 'self';"
    )


def test_events_of_a_room_that_has_no_name(chat):
    assert chat.client.get('/events').status_code == 400
    assert chat.client.get('/events', params={'room': 'x' * 41}).status_code == 400
    assert chat.client.head('/events', params={'room': 'lobby'}).status_code == 200


def test_posts_after_one(path):
    made = [posts.Post.new(f'room {n % 2}', 'Ann', str(n)) for n in range(1000)]
    for post in made:
        history.append(str(path), post)
    known = history.replayed(str(path))

    def stored(room, id):
        return [int(post.text) for post in history.stored_after(str(path), room, id)]

    for n in (0, 1, 500, 799, 998, 999):
        found = known.after(f'room {n % 2}', made[n].id)
        expected = list(range(n + 2, 1000, 2))
        assert stored(f'room {n % 2}', made[n].id) == expected
        if n >= 1000 - 2 * 2 * history.SHOWN:
            assert [int(post.text) for post in found] == expected
        else:
            assert found is None  # the file alone has it
    assert known.after('room 0', '') == made[-200::2]
    assert stored('room 0', 'nowhere') == list(range(800, 1000, 2))
    assert stored('room 0', made[-1].id) == list(range(800, 1000, 2))  # it is of another room
    assert stored('no room', '') == []


def test_other_paths_are_not_there(chat):
    for path in ('/app.py', '/../app.py', '/page.html/x'):
        assert chat.client.get(path).status_code == 404


# ---- posts of other processes ----


def test_a_post_travels_unchanged():
    for text in TEXTS:
        post = posts.Post.new('lobby', 'Ann', text.strip())
        assert posts.Post.from_json(post.to_json()) == post


def test_posts_that_are_none_are_refused():
    good = json.loads(posts.Post.new('lobby', 'Ann', 'x').to_json())
    assert posts.Post.from_json(json.dumps(good))
    for change in (
        {'id': 1},
        {'id': 'x' * 41},
        {'time': 'now'},
        {'time': None},
        {'room': ''},
        {'name': 'x' * 41},
        {'text': ''},
        {'kind': 'error'},
    ):
        with pytest.raises(posts.Malformed):
            posts.Post.from_json(json.dumps(good | change))
    for name in good:
        with pytest.raises(posts.Malformed):
            posts.Post.from_json(json.dumps({k: v for k, v in good.items() if k != name}))
    for junk in (b'', b'[]', b'\xff', b'null', b'{}'):
        with pytest.raises(posts.Malformed):
            posts.Post.from_json(junk)

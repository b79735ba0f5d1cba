"""The chat on a real server: clients that vanish, that flood, that do not listen."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import closing, contextmanager
from urllib.parse import urlencode

import pytest

pytest.importorskip('starlette')
pytest.importorskip('uvicorn')
pytest.importorskip('websockets')

from websockets.exceptions import ConnectionClosed

from generators import event_source

from .chat_servers import PATIENCE, ChatServer


@pytest.fixture(scope='module')
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp('chat')
    with ChatServer(folder, folder / 'chat.csv') as server:
        yield server
    assert 'Traceback' not in server.text()


def test_one_who_vanishes_is_a_disconnection(server):
    with server.client('Ann') as ann, server.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        bo.vanish()
        ann.until(kind='left', name='Bo')
        ann.say('still here')
        ann.until(text='still here')


def test_one_who_vanishes_in_the_middle_of_a_frame_is_a_disconnection(server):
    with server.client('Ann') as ann, server.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        bo.websocket.socket.sendall(b'\x81\xfe\x10\x00abcd' + b'x' * 100)  # 4096 were announced
        bo.vanish()
        ann.until(kind='left', name='Bo')


def test_a_frame_that_is_too_large_is_not_read(server):
    with server.client('Ann') as ann, server.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        bo.say('x' * 100_000)
        with pytest.raises(ConnectionClosed):
            bo.until(kind='left')
        ann.until(kind='left', name='Bo')


def test_one_who_does_not_listen_holds_nobody_up(server):
    """It is given up, and the others have heard everything."""
    with (
        server.client('Ann') as ann,
        server.client('Bo') as bo,
        server.client('Deaf', max_queue=1, compression=None) as deaf,
    ):
        # websockets reads ahead no more than a frame, and then its socket fills up.
        deaf.websocket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ann.until(kind='joined', name='Deaf')
        heard = 0
        while True:  # what it does not take is more than any buffer in the end
            for _ in range(50):
                heard += 1
                ann.say(text := str(heard).ljust(2000, 'x'))
            lines = ann.until(kind='message', text=text)
            if any(line['kind'] == 'left' for line in lines):
                break
            assert heard < 200_000  # a send that takes 5 seconds is one too slow
        assert [line['name'] for line in lines if line['kind'] == 'left'] == ['Deaf']
        ann.say('the end')
        texts = [x['text'] for x in bo.until(text='the end') if x['kind'] == 'message']
        assert len(texts) == heard + 1


def test_two_who_say_much_at_once_are_heard_by_all_in_one_order(server):
    with server.client('Ann') as ann, server.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        for person in (ann, bo):
            data = [json.dumps({'text': str(n)}) for n in range(200)]
            for frame in data:
                person.websocket.send(frame)
            person.say('done')
        orders = []
        for person in (ann, bo):
            lines = []
            while sum(line['text'] == 'done' for line in lines) < 2:
                lines.append(person.hear())
            orders.append([(line['name'], line['text']) for line in lines])
        assert orders[0] == orders[1]
        for name in ('Ann', 'Bo'):
            said = [text for who, text in orders[0] if who == name]
            assert said == [*map(str, range(200)), 'done']


def test_history_outlives_the_process(server):
    with server.client('Ann', 'library') as ann:
        for text in ('one', 'two, "three"'):
            ann.say(text)
            ann.until(text=text)
    server.stop()
    server.start()
    with server.client('Bo', 'library') as bo:
        assert [line['text'] for line in bo.history[:-1]] == ['one', 'two, "three"']


@contextmanager
def listening(server, room, last_event_id=''):
    """The events of a room: event_source of a response."""
    headers = {'Last-Event-ID': last_event_id} if last_event_id else {}
    with closing(http.client.HTTPConnection('127.0.0.1', server.port, PATIENCE)) as line:
        line.request('GET', f'/events?{urlencode({"room": room})}', headers=headers)
        answer = line.getresponse()
        assert answer.headers['Content-Type'].startswith('text/event-stream')
        yield event_source(iter(lambda: answer.read1(65536), b''), last_event_id=last_event_id)
        # Else its socket stays open, as long as the response is.
        answer.close()


def until(events, text):
    """The lines up to the one with this text."""
    lines = [next(events).json()]
    while lines[-1]['text'] != text:
        lines.append(next(events).json())
    return lines


def test_events_go_on_behind_the_last_one(server):
    with server.client('Ann', 'events') as ann:
        with listening(server, 'events') as events:
            ann.say('one\r\n\r\nid: forged\n')
            assert [line['text'] for line in until(events, 'one\r\n\r\nid: forged')]
            assert events.retry == 500
            last = events.last_event_id
            assert last != 'forged'
        for text in ('two', 'three'):
            ann.say(text)
            ann.until(text=text)
        with listening(server, 'events', last) as events:
            assert [line['text'] for line in until(events, 'three')] == ['two', 'three']
            with server.client('Bo', 'events'):
                event = next(events)
                assert (event.json()['kind'], event.json()['name']) == ('joined', 'Bo')
                assert event.id == events.last_event_id  # what is not kept has no id of its own
            assert next(events).json()['kind'] == 'left'
            ann.say('four')
            assert [line['text'] for line in until(events, 'four')] == ['four']
    with listening(server, 'events', 'unknown') as events:
        assert len(until(events, 'four')) == 4  # as without an id


def test_events_that_only_the_file_has(server):
    """And what is said while it is read."""
    with server.client('Ann', 'long') as ann:
        ann.say('begin')
        with listening(server, 'long') as events:
            until(events, 'begin')
            last = events.last_event_id
        texts = [str(n) for n in range(500)]
        for text in texts:
            ann.say(text)
        ann.until(text=texts[-1])
        with listening(server, 'long', last) as events:
            ann.say('end')
            assert [line['text'] for line in until(events, 'end')] == [*texts, 'end']


def test_a_listener_that_leaves_is_told_to_nobody(server):
    with server.client('Ann', 'quiet') as ann:
        with listening(server, 'quiet') as events:
            ann.say('one')
            until(events, 'one')
        ann.say('two')
        lines = [(line['kind'], line['text']) for line in ann.until(text='two')]
        assert lines == [('message', 'one'), ('message', 'two')]


def test_server_does_not_start_where_it_cannot_write(tmp_path):
    server = ChatServer(tmp_path, tmp_path / 'nowhere' / 'chat.csv')
    with pytest.raises(AssertionError, match='No such file or directory'), server:
        pass
    server.stop()

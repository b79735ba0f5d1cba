"""Two server processes of the chat, joined by a real Redis."""

from __future__ import annotations

import csv
import json

import pytest

pytest.importorskip('starlette')
pytest.importorskip('uvicorn')
pytest.importorskip('websockets')
pytest.importorskip('redis')

from .chat_servers import ChatServer, RedisServer, eventually


@pytest.fixture
def redis(tmp_path):
    with RedisServer(tmp_path) as redis:
        yield redis


@pytest.fixture
def servers(tmp_path, redis):
    path = tmp_path / 'chat.csv'
    first, second = (ChatServer(tmp_path, path, redis.url) for _ in range(2))
    with first, second:
        yield first, second
    for server in (first, second):
        assert 'Traceback' not in server.text()


def recorded(tmp_path):
    with open(tmp_path / 'chat.csv', encoding='utf-8', newline='') as f:
        return [row[-1] for row in csv.reader(f)]


def test_both_processes_are_one_chat(servers, tmp_path):
    first, second = servers
    assert first.process.pid != second.process.pid
    with first.client('Ann') as ann, second.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        ann.say('hello over there')
        assert bo.until(kind='message')[-1]['text'] == 'hello over there'
        bo.say('hello back')
        assert ann.until(name='Bo')[-1]['text'] == 'hello back'
        bo.close()
        ann.until(kind='left', name='Bo')
    assert recorded(tmp_path) == ['hello over there', 'hello back']


def test_rooms_are_apart_in_both(servers):
    first, second = servers
    with first.client('Ann', 'attic') as ann, second.client('Bo') as bo:
        ann.say('up here')
        ann.until(text='up here')
        bo.say('down here')
        assert [line['text'] for line in bo.until(kind='message')] == ['down here']


def test_all_hear_everything_once_and_in_one_order(servers, tmp_path):
    first, second = servers
    with (
        first.client('Ann') as ann,
        second.client('Bo') as bo,
        first.client('Cy') as cy,
    ):
        bo.until(kind='joined', name='Cy')
        for n in range(100):
            ann.say(f'a{n}')
            bo.say(f'b{n}')
        ann.say('done')
        bo.say('done')
        orders = []
        for person in (ann, bo, cy):
            texts = []
            while texts.count('done') < 2:
                line = person.hear()
                texts += [line['text']] * (line['kind'] == 'message')
            orders.append(texts)
        assert orders[0] == orders[1] == orders[2]
        assert sorted(orders[0]) == sorted(
            [f'{who}{n}' for who in 'ab' for n in range(100)] + ['done', 'done']
        )
    assert sorted(recorded(tmp_path)) == sorted(orders[0])


def test_one_who_comes_to_the_other_process_is_told_the_history(servers):
    first, second = servers
    with first.client('Ann') as ann:
        ann.say('early')
        ann.until(text='early')
        with second.client('Bo') as bo:
            bo.say('are you there?')  # Bo's process has heard all that was published before
            bo.until(text='are you there?')
        with second.client('Cy') as cy:
            texts = [line['text'] for line in cy.history if line['kind'] == 'message']
            assert texts == ['early', 'are you there?']


def test_a_malformed_publication_stops_nobody(servers, redis):
    first, second = servers
    post = {'id': 'x', 'time': '2026-01-01T00:00:00+00:00', 'room': 'lobby', 'name': 'Mallory'}
    junk = ['', 'x', '[]', '{}', '[' * 20_000, json.dumps(post | {'text': 'y', 'kind': 'message '})]
    with first.client('Ann') as ann, second.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        for text in junk:
            assert redis.command('PUBLISH', 'chat', text) == b':2\r\n'  # both have got it
        ann.say('nothing happened')
        assert ann.until(kind='message')[-1]['name'] == 'Ann'
        assert bo.until(kind='message')[-1]['text'] == 'nothing happened'
    for server in servers:
        text = server.text()
        assert text.count('a line from Redis is left out') == len(junk)
        server.log.write_text(text.replace('Traceback', 'as expected'), 'utf-8')


def test_what_is_said_while_redis_is_away_is_heard_when_it_is_back(servers, redis, tmp_path):
    first, second = servers
    with first.client('Ann') as ann, second.client('Bo') as bo:
        ann.until(kind='joined', name='Bo')
        redis.stop()
        eventually(lambda: redis.command('PING') == b'', 'Redis is gone')
        ann.say('from the dark')
        bo.say('me too')
        eventually(lambda: len(recorded(tmp_path)) == 2, 'both are recorded')
        redis.start()
        for person in (ann, bo):
            texts = {person.until(kind='message')[-1]['text'] for _ in range(2)}
            assert texts == {'from the dark', 'me too'}
        ann.say('again')
        for person in (ann, bo):  # nothing comes twice
            assert person.until(kind='message')[-1]['text'] == 'again'


def test_a_process_starts_without_redis_and_finds_it_later(tmp_path, redis):
    server = ChatServer(tmp_path, tmp_path / 'chat.csv', redis.url)
    redis.stop()
    with server:
        assert 'Redis does not answer' in server.text()
        redis.start()
        with server.client('Ann') as ann:
            ann.say('hello')
            ann.until(text='hello')

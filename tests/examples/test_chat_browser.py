"""Two windows of a real headless Chromium, in the chat."""

from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

pytest.importorskip('starlette')
pytest.importorskip('uvicorn')
pytest.importorskip('websockets')
pytest.importorskip('selenium')

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from .chat_servers import PATIENCE, ChatServer, need

# isort: split
from chat import history, posts


@pytest.fixture(scope='module')
def driver(tmp_path_factory):
    options = webdriver.ChromeOptions()
    options.binary_location = need('chromium', 'chromium')
    service = Service(need('chromedriver', 'chromium-driver'))
    for argument in (
        '--headless=new',
        '--disable-dev-shm-usage',  # /dev/shm is small in containers
        '--disable-gpu',
        '--disable-background-networking',
        '--no-proxy-server',
        f'--user-data-dir={tmp_path_factory.mktemp("chromium")}',
    ):
        options.add_argument(argument)
    if hasattr(os, 'geteuid') and os.geteuid() == 0:
        options.add_argument('--no-sandbox')  # root has none
    options.set_capability('goog:loggingPrefs', {'browser': 'ALL'})
    driver = webdriver.Chrome(options, service)
    try:
        yield driver
    finally:
        driver.quit()


@pytest.fixture
def server(tmp_path):
    with ChatServer(tmp_path, tmp_path / 'chat.csv') as server:
        yield server


class Window:
    """A window with the chat's page, used as a person would."""

    def __init__(self, driver, url):
        self.driver = driver
        driver.switch_to.new_window('window')
        self.handle = driver.current_window_handle
        driver.get(url)

    def find(self, name):
        self.driver.switch_to.window(self.handle)
        return self.driver.find_element(By.ID, name)

    def wait(self, condition, what):
        WebDriverWait(self.driver, PATIENCE, 0.02).until(
            lambda _: condition(), f'it did not happen: {what}'
        )

    def join(self, name, room='lobby'):
        for field, text in (('name', name), ('room', room)):
            self.find(field).clear()
            self.find(field).send_keys(text)
        self.find('join').submit()
        self.sees('joined', name, 'joined')
        return self

    def say(self, text):
        self.find('text').send_keys(text)
        self.find('send').click()

    def lines(self):
        """Kind, name and text of each line on the page."""
        self.driver.switch_to.window(self.handle)
        return [
            tuple(line)
            for line in self.driver.execute_script(
                """return [...document.querySelectorAll('#lines li')].map((line) => [
                     line.className,
                     line.querySelector('.name')?.textContent,
                     line.querySelector('.text')?.textContent ?? line.lastChild.textContent,
                   ])"""
            )
        ]

    def sees(self, kind, name, text):
        self.wait(lambda: (kind, name, text) in self.lines(), f'{name} {kind}: {text}')

    def says_status(self, text):
        self.wait(lambda: text in self.find('status').text, text)

    def close(self):
        self.driver.switch_to.window(self.handle)
        self.driver.close()


class Listener(Window):
    """A window with the page that only listens, by an EventSource."""

    def __init__(self, driver, url, room='lobby'):
        super().__init__(driver, f'{url}listen?room={room}')
        self.says_status(f'listening in {room}')

    def messages(self):
        return [text for kind, _, text in self.lines() if kind == 'message']


@pytest.fixture
def window(driver, server):
    first = driver.window_handles[0]
    driver.get_log('browser')
    yield lambda: Window(driver, server.url)
    for handle in driver.window_handles[1:]:
        driver.switch_to.window(handle)
        driver.close()
    driver.switch_to.window(first)


@contextmanager
def quiet(driver):
    """The page has nothing to complain of: no error, and nothing that its policy forbids."""
    yield
    assert [entry for entry in driver.get_log('browser') if entry['level'] == 'SEVERE'] == []


def test_two_windows_talk_to_each_other(driver, window):
    with quiet(driver):
        ann = window().join('Ann')
        bo = window().join('Bo')
        ann.sees('joined', 'Bo', 'joined')
        ann.say('hello Bo')
        bo.sees('message', 'Ann', 'hello Bo')
        bo.say('hello Ann')
        ann.sees('message', 'Bo', 'hello Ann')
        for person in (ann, bo):
            assert [line for line in person.lines() if line[0] == 'message'] == [
                ('message', 'Ann', 'hello Bo'),
                ('message', 'Bo', 'hello Ann'),
            ]
            assert person.find('text').get_attribute('value') == ''


def test_a_window_that_closes_is_a_disconnection(window):
    ann = window().join('Ann')
    window().join('Bo').close()
    ann.sees('left', 'Bo', 'left')


def test_a_window_changes_rooms(window):
    ann = window().join('Ann')
    bo = window().join('Bo', 'attic')
    ann.say('to the lobby')
    ann.sees('message', 'Ann', 'to the lobby')
    ann.join('Ann', 'attic')
    bo.sees('joined', 'Ann', 'joined')
    ann.say('to the attic')
    bo.sees('message', 'Ann', 'to the attic')
    assert all('lobby' not in line[2] for line in [*bo.lines(), *ann.lines()])


HOSTILE = [
    '<script>window.broken = 1</script>',
    '<img src=x onerror="window.broken = 1">',
    '</li><svg onload=window.broken=1>',
    '&lt;b&gt; &amp; "quotes" \' ${1+1} {{1+1}}',
    'javascript:window.broken=1',
]


def test_what_others_write_is_text(driver, window):
    with quiet(driver):
        bo = window().join('Bo')
        ann = window().join(HOSTILE[0])
        bo.sees('joined', HOSTILE[0], 'joined')
        for text in HOSTILE:
            ann.say(text)
        for person in (ann, bo):
            for text in HOSTILE:
                person.sees('message', HOSTILE[0], text)
            elements = driver.execute_script(
                """return [...new Set([...document.querySelectorAll('#lines *')]
                                      .map((e) => e.localName))].sort()"""
            )
            assert elements == ['li', 'span', 'time']
            assert driver.execute_script('return typeof window.broken') == 'undefined'


def test_a_window_that_comes_late_is_told_what_was_said(window):
    ann = window().join('Ann')
    ann.say('first')
    ann.say('second')
    ann.sees('message', 'Ann', 'second')
    bo = window().join('Bo')
    assert bo.lines() == [
        ('message', 'Ann', 'first'),
        ('message', 'Ann', 'second'),
        ('joined', 'Bo', 'joined'),
    ]


def test_windows_come_back_after_a_restart_of_the_server(server, window):
    ann = window().join('Ann')
    bo = window().join('Bo')
    ann.say('before')
    bo.sees('message', 'Ann', 'before')
    server.stop()
    for person in (ann, bo):
        person.says_status('connecting again')
        assert not person.find('send').is_enabled()
    server.start()
    for person in (ann, bo):
        person.says_status('in lobby')
        person.sees('message', 'Ann', 'before')
    ann.say('after')
    bo.sees('message', 'Ann', 'after')
    messages = [line for line in bo.lines() if line[0] == 'message']
    assert messages == [('message', 'Ann', 'before'), ('message', 'Ann', 'after')]


def test_a_refused_name_is_told_and_not_tried_again(window):
    page = window()
    page.find('name').send_keys('\u202eAnn')
    page.find('join').submit()
    page.says_status('the name has characters that cannot be shown')
    assert not page.find('send').is_enabled()


def test_a_malformed_message_of_one_window_leaves_the_other_alone(driver, server, window):
    ann = window().join('Ann')
    with server.client('Mallory') as mallory:
        ann.sees('joined', 'Mallory', 'joined')
        for frame in ('not JSON', '[]', b'\x00'):
            mallory.websocket.send(frame)
            mallory.until(kind='error')
        ann.say('fine')
        mallory.until(text='fine')
    ann.sees('left', 'Mallory', 'left')
    assert [line[0] for line in ann.lines()] == ['joined', 'joined', 'message', 'left']


# ---- the page that listens, by server-sent events ----


@pytest.fixture
def listener(driver, server, window):
    return lambda room='lobby': Listener(driver, server.url, room)


def test_one_who_listens_sees_what_is_said(driver, window, listener):
    with quiet(driver):
        ann = window().join('Ann')
        ann.say('before')
        ann.sees('message', 'Ann', 'before')
        page = listener()
        for text in HOSTILE:
            ann.say(text)
        ann.say('after')
        page.sees('message', 'Ann', 'after')
        assert page.messages() == ['before', *HOSTILE, 'after']
        assert driver.execute_script('return typeof window.broken') == 'undefined'
        ann.close()
        page.sees('left', 'Ann', 'left')


@pytest.mark.parametrize('missed', [0, 3, 500])  # which the memory of the server does not hold
@pytest.mark.parametrize('way', ['stop', 'kill'])
def test_one_who_listens_misses_nothing(missed, way, server, window, listener):
    """The browser connects again with the id of the last post, and gets those after it, once."""
    ann = window().join('Ann')
    page = listener()
    for text in ('one', 'two'):
        ann.say(text)
    page.sees('message', 'Ann', 'two')
    getattr(server, way)()
    page.says_status('connecting again')
    # As another process says it that has the same file.
    texts = [f'missed {number}' for number in range(missed)]
    for text in texts:
        history.append(server.environment['CHAT_HISTORY'], posts.Post.new('lobby', 'Bo', text))
    server.start()
    page.says_status('listening in lobby')
    ann.says_status('in lobby')
    ann.say('after')
    page.sees('message', 'Ann', 'after')
    assert page.messages() == ['one', 'two', *texts, 'after']


def test_one_who_listens_loses_the_server_again_and_again(server, window, listener):
    page = listener()
    texts = [f'text {number}' for number in range(4)]
    for number, text in enumerate(texts):
        with server.client('Ann') as ann:
            ann.say(text)
            if number % 2:  # it may have come to the browser, or not yet
                page.sees('message', 'Ann', text)
            ann.until(text=text)
        server.kill()
        page.says_status('connecting again')
        server.start()
    page.sees('message', 'Ann', texts[-1])
    page.says_status('listening in lobby')
    assert page.messages() == texts


def test_a_room_that_is_refused_is_not_tried_again(driver, server, window):
    page = Window(driver, f'{server.url}listen?room=')
    page.says_status('refused')
    assert page.lines() == []

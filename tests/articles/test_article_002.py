"""Article 002, a chat's events to generator handlers: examples/article_002_events.py."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[2] / 'examples' / 'article_002_events.py'

PRINTED = """\
New connection: Ada
New connection: Grace
Received message: Ada: hello, Grace
Received message: Grace: hello, Ada
Disconnected: Ada
Disconnected: Grace
"""


@pytest.fixture
def example():
    """The module anew, with a dispatcher of its own."""
    return runpy.run_path(str(PROGRAM))


def by_hand(example, events):
    """The article's own event loop, over the same three generator functions."""
    handlers = []
    for name in ('messages', 'connections', 'disconnections'):
        handler = example[f'handle_{name}']()
        next(handler)
        handlers.append(handler)
    messages, connections, disconnections = handlers
    for event in events:
        if event.type == 'message':
            messages.send(event.data)
        elif event.type == 'connection':
            connections.send(event.data)
        elif event.type == 'disconnection':
            disconnections.send(event.data)


def test_it_prints_what_the_articles_loop_prints(example, capsys):
    by_hand(example, example['conversation']())
    expected = capsys.readouterr().out
    assert expected == PRINTED
    example['main']()
    assert capsys.readouterr().out == expected
    assert example['d'].closed


def test_a_failing_handler_takes_none_of_the_others_down(example, capsys):
    d, event = example['d'], example['Event']

    class Torn:
        """Text that cannot be made the first time."""

        times = 0

        def __format__(self, spec):
            self.times += 1
            if self.times == 1:
                raise ValueError('torn')
            return 'whole'

    d.run(event('message', data) for data in ('one', Torn(), 'two'))
    assert capsys.readouterr().out.splitlines() == [
        'Received message: one',
        "Failed on whole: ValueError('torn')",
        'Received message: two',
    ]


def test_as_a_program():
    done = subprocess.run(
        [sys.executable, PROGRAM],
        capture_output=True,
        encoding='utf-8',
        env={**os.environ, 'PYTHONIOENCODING': 'utf-8'},
        check=True,
    )
    assert done.stdout == PRINTED
    assert done.stderr == ''

"""A log that grows, is rotated and truncated: examples/log_follower.py.

The follower waits by calling the test, which then does the next thing to the log: nothing here
depends on time.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / 'examples' / 'log_follower.py'


@pytest.fixture(scope='module')
def example() -> Any:
    spec = importlib.util.spec_from_file_location('log_follower', PROGRAM)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / 'app.log'


def add(path: Path, text: str | bytes) -> None:
    with path.open('ab') as file:
        file.write(text if isinstance(text, bytes) else text.encode())


def followed(
    example: Any, path: Path, *steps: Callable[[], object], from_start: bool = True
) -> list[str]:
    """All lines, where each step is done when the follower has nothing to read."""
    todo = iter(steps)

    class Done(Exception):
        pass

    def wait() -> None:
        step = next(todo, None)
        if step is None:
            raise Done
        step()

    found: list[str] = []
    with closing(example.follow(str(path), from_start=from_start, wait=wait)) as lines:
        try:
            for line in lines:
                found.append(line)
        except Done:
            return found
    raise AssertionError('it ended')


def test_lines_as_they_are_written(example: Any, log: Path) -> None:
    add(log, 'old\n')
    steps = [
        lambda: add(log, 'one\ntw'),
        lambda: add(log, 'o\r'),
        lambda: add(log, '\nZ\xfc'.encode()[:-1]),
        lambda: add(log, '\xfc'.encode()[1:] + b'rich\n'),
        lambda: add(log, b'\xff\n'),
        lambda: add(log, 'unfinished'),
    ]
    expected = ['one', 'two', 'Zürich', '\\xff']
    assert followed(example, log, *steps) == ['old', *expected]
    log.unlink()
    add(log, 'old\n')
    assert followed(example, log, *steps, from_start=False) == expected


def test_each_line_comes_before_the_next_wait(example: Any, log: Path) -> None:
    add(log, 'one\ntwo\n')
    waits = iter(['three\n', 'four\n'])
    lines = example.follow(str(log), from_start=True, wait=lambda: add(log, next(waits)))
    for line in ('one', 'two', 'three', 'four'):
        assert next(lines) == line
    lines.close()


def test_a_log_that_is_not_there_yet(example: Any, log: Path) -> None:
    assert followed(example, log, lambda: None, lambda: add(log, 'one\n')) == ['one']


def test_a_rotated_log(example: Any, log: Path) -> None:
    old = log.with_suffix('.1')
    steps = [
        lambda: add(log, 'one\n'),
        lambda: log.rename(old),  # the writer has not opened the new one yet
        lambda: add(old, 'two\n'),
        log.touch,  # as logrotate's `create` does
        lambda: add(old, 'three\nunfin'),
        lambda: (add(old, 'ished'), add(log, 'four\n')),
        lambda: add(log, 'five\n'),
    ]
    assert followed(example, log, *steps) == [
        'one',
        'two',
        'three',
        'unfinished',
        'four',
        'five',
    ]


def test_a_log_that_is_rotated_again_and_again(example: Any, log: Path) -> None:
    def rotate(number: int) -> None:
        log.rename(log.with_suffix(f'.{number}'))
        add(log, f'first of {number}\nsecond of {number}\n')

    add(log, 'begin\n')
    steps = [lambda number=number: rotate(number) for number in range(20)]
    expected = [f'{which} of {number}' for number in range(20) for which in ('first', 'second')]
    assert followed(example, log, *steps) == ['begin', *expected]


def test_a_log_that_is_rotated_while_it_is_read(example: Any, log: Path, monkeypatch: Any) -> None:
    """Between any two looks at it: what is written before is never lost."""
    looks = 0
    rotate_at = 0
    is_rotated = example.is_rotated

    def look(path: str, file: Any) -> bool:
        nonlocal looks
        looks += 1
        if looks == rotate_at:
            add(log, 'two\n')
            log.rename(log.with_suffix('.1'))
            add(log, 'three\n')
            found: bool = is_rotated(path, file)
            return found
        found = is_rotated(path, file)
        if looks == -rotate_at:  # after the look, and before the read
            add(log, 'two\n')
            log.rename(log.with_suffix('.1'))
            add(log, 'three\n')
        return found

    monkeypatch.setattr(example, 'is_rotated', look)
    for at in (1, 2, 3, -1, -2, -3):
        looks, rotate_at = 0, at
        for path in log.parent.iterdir():
            path.unlink()
        add(log, 'one\n')
        assert followed(example, log, *[lambda: None] * 5) == ['one', 'two', 'three'], at


def test_a_truncated_log(example: Any, log: Path) -> None:
    steps = [
        lambda: add(log, 'one\ntwo\nunfinished'),
        lambda: os.truncate(log, 0),
        lambda: add(log, 'three\n'),
        lambda: (os.truncate(log, 0), add(log, '4\n')),
        lambda: (os.truncate(log, 0), log.rename(log.with_suffix('.1')), add(log, '5\n')),
    ]
    assert followed(example, log, *steps) == ['one', 'two', 'unfinished', 'three', '4', '5']


def test_a_log_that_is_truncated_and_then_rotated(example: Any, log: Path) -> None:
    old = log.with_suffix('.1')
    steps = [
        lambda: (os.truncate(log, 0), add(log, '2\n'), log.rename(old)),
        lambda: add(log, '3\n'),
    ]
    add(log, 'line 1\n')
    assert followed(example, log, *steps) == ['line 1', '2', '3']


def test_nothing_stays_open(example: Any, log: Path) -> None:
    add(log, 'one\n')
    before = os.listdir('/dev/fd') if os.path.isdir('/dev/fd') else []
    lines = example.follow(str(log), from_start=True)
    assert next(lines) == 'one'
    lines.close()
    assert before == (os.listdir('/dev/fd') if os.path.isdir('/dev/fd') else [])


@pytest.fixture
def program(log: Path) -> Iterator[subprocess.Popen[str]]:
    add(log, 'an error\nfine\n')
    process = subprocess.Popen(
        [sys.executable, PROGRAM, '--all', log, 'error'],
        env={**os.environ, 'PYTHONUTF8': '1', 'INTERVAL': '0.01'},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding='utf-8',
    )
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(os.name == 'nt', reason='an open file cannot be renamed there')
def test_the_program(program: subprocess.Popen[str], log: Path) -> None:
    assert program.stdout is not None
    assert program.stdout.readline() == 'an error\n'
    add(log, 'an error: Zürich\n')
    assert program.stdout.readline() == 'an error: Zürich\n'
    log.rename(log.with_suffix('.1'))
    add(log, 'fine\nanother error\n')
    assert program.stdout.readline() == 'another error\n'
    program.send_signal(signal.SIGINT)
    assert program.communicate(timeout=20) == ('', '')
    assert program.returncode == 130

"""Where a greenlet library has replaced threads, what needs one says so before it starts."""

import importlib.util
import subprocess
import sys

import pytest

PATCHES = {
    'gevent': {
        'all': 'from gevent import monkey; monkey.patch_all()',
        'threads': 'from gevent import monkey; monkey.patch_thread()',
        'not threads': 'from gevent import monkey; monkey.patch_all(thread=False)',
        'nothing': 'import gevent.monkey',
    },
    'eventlet': {
        'all': 'import eventlet; eventlet.monkey_patch()',
        'threads': 'import eventlet; eventlet.monkey_patch(thread=True)',
        'not threads': 'import eventlet; eventlet.monkey_patch(thread=False)',
        'nothing': 'import eventlet.patcher',
    },
}

PROGRAM = """
import sys
import warnings
warnings.simplefilter('ignore')
{patch}
import asyncio
from generators import to_async, to_sync

async def count():
    for i in range(3):
        yield i

def told(make):
    try:
        stream = make()
    except RuntimeError as error:
        print(error)
    else:
        print(stream if isinstance(stream, list) else 'made')

async def read(stream):
    return [item async for item in stream]

modules = set(sys.modules)
told(lambda: to_async(range(3)))
told(lambda: to_async(range(3), executor=object()))
told(lambda: to_sync(count()))
told(lambda: to_sync(count(), loop=object()) if {refused} else 'made')
print({refused} and 'native_generators._background' in sys.modules)
told(lambda: asyncio.run(read(to_async(range(3), thread=False))))
{real}
"""

# A loop and a thread that are real: all works.
REAL = """
told(lambda: asyncio.run(read(to_async(range(3)))))
told(lambda: list(to_sync(count())))
"""


def run(library: str, what: str) -> list[str]:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f'{library} is not installed')
    refused = what in ('all', 'threads')
    program = PROGRAM.format(
        patch=PATCHES[library][what], refused=refused, real='' if what != 'nothing' else REAL
    )
    command = [sys.executable, '-X', 'faulthandler', '-c', program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.timeout(60)
@pytest.mark.parametrize('library', PATCHES)
@pytest.mark.parametrize('what', ['all', 'threads'])
def test_it_is_told_before_anything_starts(library: str, what: str) -> None:
    lines = run(library, what)
    how = {
        'gevent': 'gevent.monkey.patch_all(thread=False)',
        'eventlet': 'eventlet.monkey_patch(thread=False)',
    }[library]
    reason = f'needs threads, and {library} has replaced them by greenlets'
    end = f'or leave threads as they are with {how}'
    to_async = f'to_async() {reason}: use thread=False, {end}'
    to_sync = f'to_sync() {reason}: read the source in a process without it, {end}'
    assert lines[:5] == [to_async, to_async, to_sync, to_sync, 'False']
    assert lines[5] == '[0, 1, 2]'


@pytest.mark.timeout(60)
@pytest.mark.parametrize('library', PATCHES)
@pytest.mark.parametrize('what', ['not threads', 'nothing'])
def test_threads_that_are_real_are_used(library: str, what: str) -> None:
    lines = run(library, what)
    assert lines[:5] == ['made', 'made', 'made', 'made', 'False']
    if what == 'nothing':
        assert lines[6:] == ['[0, 1, 2]'] * 2

"""``map_threads`` where a greenlet library has replaced threads."""

import importlib.util
import subprocess
import sys

import pytest

from tests.bridge.test_patched import PATCHES

PROGRAM = """
import warnings
warnings.simplefilter('ignore')
{patch}
import threading
from concurrent.futures import ThreadPoolExecutor
from generators import map_threads

def own_threads():
    return [one for one in threading.enumerate() if one.name == "map_threads"]

try:
    print(list(map_threads(str, range(3))))
except RuntimeError as error:
    print(error)
print(own_threads())
try:
    with ThreadPoolExecutor(2) as executor:
        print(list(map_threads(str, range(3), executor=executor)))
except RuntimeError as error:
    print(error)
"""


def run(library: str, what: str) -> list[str]:
    if importlib.util.find_spec(library) is None:
        pytest.skip(f'{library} is not installed')
    command = [sys.executable, '-c', PROGRAM.format(patch=PATCHES[library][what])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.timeout(60)
@pytest.mark.parametrize('library', PATCHES)
@pytest.mark.parametrize('what', ['all', 'threads'])
def test_it_is_refused_before_anything_starts(library: str, what: str) -> None:
    first, own_threads, second = run(library, what)
    assert first.startswith(
        f'map_threads() needs threads, and {library} has replaced them by greenlets: '
        'use its own pool of greenlets, or leave threads as they are with '
    )
    assert own_threads == '[]'
    assert second == first


@pytest.mark.timeout(60)
@pytest.mark.parametrize('library', PATCHES)
@pytest.mark.parametrize('what', ['not threads', 'nothing'])
def test_threads_that_are_real_are_used(library: str, what: str) -> None:
    assert run(library, what) == ["['0', '1', '2']", '[]', "['0', '1', '2']"]

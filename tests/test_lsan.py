"""Where the suite runs under LeakSanitizer, that finds what is leaked, and nothing else."""

import os
import subprocess
import sys

import pytest

from tests import lsan

pytestmark = pytest.mark.skipif(
    not lsan.is_here() or 'detect_leaks=0' in os.environ.get('ASAN_OPTIONS', ''),
    reason='no LeakSanitizer looks for leaks here',
)

HELD = """
import sys
from tests import lsan

def hold(count):
    frame, number, text, items = sys._getframe(), count / 7, 'x' * count, (b'y' * count,)
    return lsan.leaks()

print(hold(1000))
"""

LEAKED = """
import ctypes
from tests import lsan

take = ctypes.pythonapi.PyMem_Malloc
take.argtypes, take.restype = [ctypes.c_size_t], ctypes.c_void_p
for size in range(100, 120):
    take(size)
print(lsan.leaks())
"""


def run(program: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def test_what_a_frame_alone_holds_is_no_leak() -> None:
    assert run(HELD) == ('False', '')


def test_a_leak_is_found() -> None:
    found, report = run(LEAKED)
    assert found == 'True'
    assert 'LeakSanitizer: detected memory leaks' in report

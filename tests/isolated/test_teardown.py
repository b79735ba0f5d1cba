"""What is torn down in any state crashes nothing: see teardown.py."""

import subprocess
import sys

import pytest

from tests.isolated.teardown import KINDS
from tests.isolated.test_scripts import TYPES_ARE_FREED


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, '-X', 'faulthandler', '-m', 'tests.isolated.teardown', *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


@pytest.mark.timeout(90)
@pytest.mark.parametrize('kind', KINDS)
@pytest.mark.parametrize('how', ['exit', pytest.param('unload', marks=TYPES_ARE_FREED)])
def test_a_stream_in_each_state(how: str, kind: str) -> None:
    done = run(how, kind)
    assert (done.returncode, done.stdout) == (0, 'done\n'), done.stderr

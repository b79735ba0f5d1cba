"""An event loop whose own methods fail, under every type."""

import os
import subprocess
import sys

import pytest

from tests.isolated.test_no_memory import environment

__all__ = ['environment']


@pytest.mark.timeout(300)
def test_every_stream_survives_a_loop_that_fails(environment: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, '-X', 'faulthandler', '-m', 'tests.isolated.failing_loop'],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) > 100

"""The soak of benchmarks/ for a few seconds: its server and its clients understand each other."""

import subprocess
import sys
from pathlib import Path

SOAK = Path(__file__).parents[2] / 'benchmarks' / 'soak.py'


def test_a_short_soak() -> None:
    """It fails where a client got what it should not, or a source is left open."""
    command = [sys.executable, str(SOAK), '--seconds', '3', '--at-once', '4', '--listeners', '20']
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    assert 'sources opened' in done.stdout
    assert done.stderr == ''

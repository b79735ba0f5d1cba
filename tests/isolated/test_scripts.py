"""What needs a process of its own: nothing may have run in it before."""

import subprocess
import sys

import pytest


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, '-X', 'faulthandler', '-m', *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_nothing_is_left_behind() -> None:
    assert run('tests.isolated.leaks') == 'nothing left behind\n'


def test_the_module_goes_when_nobody_uses_it() -> None:
    assert run('tests.isolated.unload') == 'gone\n'


def test_interpreters_of_their_own() -> None:
    assert run('tests.isolated.interpreters', '3') == 'used\n'


def test_the_import_leaves_the_gil_off() -> None:
    if not hasattr(sys, '_is_gil_enabled') or sys._is_gil_enabled():
        pytest.skip('this Python runs with the GIL')
    program = 'import sys, generators, generators.csv; print(sys._is_gil_enabled())'
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('False\n', '')

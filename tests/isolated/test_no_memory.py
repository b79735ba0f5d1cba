"""Memory that runs out at every allocation of every type, each in a process of its own."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.isolated.calls import CALLS
from tests.isolated.catalogue import RECIPES, THREADED
from tests.isolated.out_of_memory import build


@pytest.fixture(scope='session')
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """With the hook that makes memory run out, compiled once for all."""
    if sysconfig.get_config_var('Py_GIL_DISABLED'):
        pytest.skip('the allocator of free-threaded builds takes no hook')
    headers = Path(sysconfig.get_path('include'), 'Python.h')
    if shutil.which(os.environ.get('CC', 'cc').split()[0]) is None or not headers.exists():
        pytest.skip('no C compiler, or no headers of Python')
    # CPython's own crashes are told apart by their signal, which the sanitizer leaves alone then.
    sanitizer = os.environ.get('ASAN_OPTIONS', '') + ':handle_segv=0'
    hook = build(str(tmp_path_factory.mktemp('hook')))
    return {**os.environ, 'OUT_OF_MEMORY': hook, 'ASAN_OPTIONS': sanitizer}


# Of debug builds of 3.15: an instruction of the interpreter that finds no memory lets go of what it
# had while its frame is not written down.
INTERPRETERS_OWN = 'Assertion `tstate->current_frame == NULL || tstate->current_frame->stackpointer'


def failures(script: str, name: str, environment: dict[str, str]) -> list[int]:
    """How many allocations failed."""
    done = subprocess.run(
        [sys.executable, '-X', 'faulthandler', '-m', f'tests.isolated.{script}', name],
        capture_output=True,
        text=True,
        env=environment,
    )
    if INTERPRETERS_OWN in done.stderr:
        pytest.skip('an assert of the interpreter itself does not hold')
    assert done.returncode == 0, done.stderr
    what, *counts = done.stdout.split()
    assert what == 'failed'
    return [*map(int, counts)]


@pytest.mark.parametrize(
    'name', [name for name, r in [*RECIPES.items(), *THREADED.items()] if r.short_of_memory]
)
def test_no_memory(name: str, environment: dict[str, str]) -> None:
    assert min(failures('no_memory', name, environment)) > 5


# PyErr_Format() of 3.11 raises an exception without a text where it has no memory.
ERRORS = {'rows_that_fail', 'rows_that_cannot_be_written'} if sys.version_info < (3, 12) else set()
if sys.version_info < (3, 11, 5):  # it is mended there, but for some formats (gh-107915)
    ERRORS |= {'rows_with_faults', 'drop_in_writing', 'drop_in_dialects', 'calls_on_threads'}


@pytest.mark.parametrize('name', [*(name for name in CALLS if name not in ERRORS), 'import'])
def test_a_short_use(name: str, environment: dict[str, str]) -> None:
    assert min(failures('no_memory_calls', name, environment)) > 5

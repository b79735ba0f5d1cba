"""Memory that runs out at every allocation of every type, each in a process of its own."""

import subprocess
import sys
import sysconfig

import pytest

from tests.isolated.catalogue import RECIPES


@pytest.mark.parametrize('name', [name for name, r in RECIPES.items() if r.short_of_memory])
def test_no_memory(name: str) -> None:
    pytest.importorskip('_testcapi')
    if sysconfig.get_config_var('Py_GIL_DISABLED'):
        pytest.skip('the hook and the allocator of free-threaded builds do not go together')
    done = subprocess.run(
        [sys.executable, '-X', 'faulthandler', '-m', 'tests.isolated.no_memory', name],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    what, one, all_from_it = done.stdout.split()
    assert what == 'failed'
    assert min(int(one), int(all_from_it)) > 5

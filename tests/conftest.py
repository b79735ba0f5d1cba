"""Profiles of the random tests, the extension under each of its kernels, leaks of memory."""

from __future__ import annotations

import gc
import importlib.util
import os
import signal
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import lsan

# Tests start programs of this folder, `python -m tests.isolated.leaks` say, from anywhere.
PATHS = [
    *filter(None, os.environ.get('PYTHONPATH', '').split(os.pathsep)),
    Path(__file__).parents[1],
]
os.environ['PYTHONPATH'] = os.pathsep.join(map(os.path.abspath, PATHS))

# The same examples in every run: a failure that one machine sees, every machine sees.
settings.register_profile(
    'default',
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=75,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# GENERATORS_TESTS=long looks further; fresh examples each time.
settings.register_profile(
    'long',
    settings.get_profile('default'),
    derandomize=False,
    print_blob=True,
    max_examples=1500,
)
# GENERATORS_TESTS=short looks less far: for a second interpreter, or under a sanitizer.
settings.register_profile('short', settings.get_profile('default'), max_examples=20)
# GENERATORS_TESTS=few: under an emulator; of a test with many parameters, a few are taken, too.
settings.register_profile('few', settings.get_profile('default'), max_examples=5)
chosen = os.environ.get('GENERATORS_TESTS', '')
settings.load_profile(chosen if chosen in ('long', 'short', 'few') else 'default')
FEW = 8

# A shell starts what it runs in the background without Ctrl-C, which some tests are about.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@cache
def extension_with_kernel(kernel: str) -> ModuleType:
    """A second copy of the extension, its scan kernel forced by the environment.

    The kernel is chosen when the module executes, and each copy has a state of its own, so copies
    of different kernels live side by side.
    """
    from native_generators import _native

    name = _native.__name__
    assert _native.__file__ is not None
    loader = ExtensionFileLoader(name, _native.__file__)
    spec = importlib.util.spec_from_file_location(name, _native.__file__, loader=loader)
    assert spec is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('GENERATORS_SCAN', kernel)
        copy = importlib.util.module_from_spec(spec)
        loader.exec_module(copy)
    assert sys.modules[name] is _native
    assert copy is not _native
    assert copy.scan_kernel == kernel
    return copy


@pytest.fixture(autouse=True, scope='module')
def _settled() -> None:
    """What pytest holds of all tests, and what tests of other modules have cached, is none of the
    garbage that tests look for: without these millions of objects a collection takes a hundredth
    of the time.
    """
    gc.collect()
    gc.freeze()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for name in ('kernel_csv_rows', 'kernel_csv_batches'):
        if name in metafunc.fixturenames:
            from native_generators import _native

            metafunc.parametrize(name, _native.scan_kernels, indirect=True, scope='session')


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if chosen != 'few':
        return
    families = defaultdict(list)
    for item in items:
        families[item.nodeid.partition('[')[0]].append(item)
    kept = set()
    for family in families.values():
        step = max(len(family) / FEW, 1)
        kept |= {family[int(i * step)] for i in range(min(len(family), FEW))}
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = [item for item in items if item in kept]


@pytest.fixture(scope='session')
def kernel_csv_rows(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """``csv_rows`` of a copy of the extension, once for each kernel that the machine can run."""
    return extension_with_kernel(request.param).csv_rows


@pytest.fixture(scope='session')
def kernel_csv_batches(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """The same of ``csv_batches``."""
    return extension_with_kernel(request.param).csv_batches


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where LeakSanitizer finds a leak the run fails; a worker of pytest-xdist passes that on."""
    if lsan.leaks():
        getattr(session.config, 'workeroutput', {})['leaks'] = True
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
    elif getattr(session.config, 'workers_leaked', False):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    if getattr(node, 'workeroutput', {}).get('leaks'):
        node.config.workers_leaked = True
        print(f'\nworker {node.gateway.id} leaks memory: see its report on standard error')

"""What needs a process of its own: nothing may have run in it before."""

import asyncio
import gc
import importlib.util
import os
import subprocess
import sys
import sysconfig
import threading
import weakref
from collections.abc import Callable
from functools import partial
from importlib.machinery import ExtensionFileLoader
from typing import Any

import pytest

from tests.isolated import leaks
from tests.isolated.catalogue import Recipe

TYPES_ARE_FREED = pytest.mark.skipif(
    sysconfig.get_config_var('Py_GIL_DISABLED') == 1 and sys.version_info < (3, 14),
    reason='3.13 without the GIL keeps types and modules for ever once a thread was started',
)


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, '-X', 'faulthandler', '-m', *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_nothing_is_left_behind() -> None:
    assert run('tests.isolated.leaks') == 'nothing left behind\n'


async def wait() -> None:
    await asyncio.sleep(3600)


def task_left(kept: list[Any]) -> Callable[[], None]:
    loop = asyncio.new_event_loop()
    kept.append(asyncio.Task(wait(), loop=loop))
    return loop.close


def thread_left(kept: list[Any]) -> Callable[[], None]:
    go = threading.Event()
    threading.Thread(target=go.wait).start()
    return go.set


def descriptor_left(kept: list[Any]) -> Callable[[], None]:
    return partial(os.close, os.open(os.devnull, os.O_RDONLY))


def blocks_left(kept: list[Any]) -> Callable[[], None]:
    kept.append([0])
    return int


@pytest.mark.filterwarnings('ignore:coroutine .* was never awaited')
@pytest.mark.parametrize('what', ['tasks', 'threads', 'descriptors', 'blocks'])
def test_what_is_left_behind_is_counted(what: str) -> None:
    leave = {
        'tasks': task_left,
        'threads': thread_left,
        'descriptors': descriptor_left,
        'blocks': blocks_left,
    }[what]
    if what == 'descriptors' and not os.path.isdir('/proc/self/fd'):
        pytest.skip('this system does not list descriptors')
    if what == 'blocks' and not any(map(leaks.held().get, ('blocks', 'references'))):
        pytest.skip('this allocator does not count blocks')
    kept: list[Any] = []
    tidy: list[Callable[[], Any]] = []
    recipe = Recipe('a leak', (), make=lambda n: tidy.append(leave(kept)), items=list)
    try:
        with pytest.raises(AssertionError, match=f"'{what}': [1-9]"):
            leaks.check(recipe, lambda recipe: recipe.make(1), times=20, tries=1, looks=1)
    finally:
        for action in tidy:
            action()


@TYPES_ARE_FREED
def test_the_module_goes_when_nobody_uses_it() -> None:
    assert run('tests.isolated.unload') == 'gone\n'


def test_interpreters_of_their_own() -> None:
    assert run('tests.isolated.interpreters', '3') == 'used\n'


@TYPES_ARE_FREED
def test_a_module_that_nobody_holds_is_collected() -> None:
    """As that of an interpreter that ends: all that it holds goes with it."""
    from native_generators import _native

    assert _native.__file__ is not None
    loader = ExtensionFileLoader(_native.__name__, _native.__file__)
    spec = importlib.util.spec_from_file_location(loader.name, loader.path, loader=loader)
    assert spec is not None
    copy = importlib.util.module_from_spec(spec)
    loader.exec_module(copy)
    assert copy is not _native
    assert list(copy.chunked(['a', copy.FLUSH, 'b'])) == [b'a', b'b']
    assert list(copy.csv_rows(b'a,b\n1,2\n', into=copy.CSVRow)) == [('1', '2')]
    seen = [weakref.ref(thing) for thing in (copy, copy.csv_rows, copy.Dispatcher)]
    del copy
    gc.collect()
    assert [reference() for reference in seen] == [None] * 3


def test_an_unknown_kernel_is_an_import_error() -> None:
    done = subprocess.run(
        [sys.executable, '-c', 'import generators'],
        env={**os.environ, 'GENERATORS_SCAN': 'abacus'},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "ImportError: GENERATORS_SCAN names 'abacus'" in done.stderr


def test_the_names_of_rows_take_no_keywords() -> None:
    from native_generators import _native

    with pytest.raises(TypeError, match='takes no keyword arguments'):
        _native._CSVNames(names=('a',))  # type: ignore[attr-defined]


def test_the_import_leaves_the_gil_off() -> None:
    if not hasattr(sys, '_is_gil_enabled') or sys._is_gil_enabled():
        pytest.skip('this Python runs with the GIL')
    program = 'import sys, generators, generators.csv; print(sys._is_gil_enabled())'
    done = subprocess.run([sys.executable, '-c', program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ('False\n', '')

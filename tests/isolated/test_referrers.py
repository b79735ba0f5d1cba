"""The collector can see what a stream holds, and who holds it, whatever the stream is doing.

`gc.get_referrers()` ends a traversal where it has found its object: the result of each visit is
passed on.
"""

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from types import FrameType, ModuleType
from typing import Any

import pytest

from native_generators import _native
from tests.conftest import extension_with_kernel
from tests.isolated import catalogue
from tests.isolated.calls import CALLS
from tests.isolated.catalogue import RECIPES

AT_MOST = 6  # looks at one stream while it is stepped


@pytest.fixture(autouse=True)
def _young() -> Iterator[None]:
    """Nothing but what a test makes is looked at."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def native_objects() -> list[Any]:
    return [o for o in gc.get_objects() if type(o).__module__.startswith('native_generators')]


def find_all() -> int:
    """Look for each native object from each of the objects that it holds."""
    found = 0
    for holder in native_objects():
        for held in gc.get_referents(holder):
            if isinstance(held, (type, ModuleType)):
                continue  # which many hold
            assert any(o is holder for o in gc.get_referrers(held)), (holder, held)
            found += 1
    return found


def looking(look: Callable[[], object]) -> Callable[[FrameType, str, Any], None]:
    """A profile function that looks while code of the catalogue runs within a step."""
    left = AT_MOST

    def profile(frame: FrameType, event: str, _: Any) -> None:
        nonlocal left
        if event == 'call' and left and frame.f_code.co_filename == catalogue.__file__:
            left -= 1
            look()

    return profile


@pytest.mark.parametrize('name', RECIPES)
def test_what_a_stream_holds_finds_the_stream(name: str) -> None:
    recipe = RECIPES[name]
    stream = recipe.make(5)
    find_all()
    before = sys.getprofile()
    sys.setprofile(looking(find_all))
    try:
        with suppress(StopIteration):
            while True:
                recipe.step(stream)
                find_all()
        find_all()
    finally:
        sys.setprofile(before)
        recipe.close(stream)
    find_all()


@pytest.mark.parametrize('name', RECIPES)
def test_a_stream_that_is_closed_midway_is_found(name: str) -> None:
    recipe = RECIPES[name]
    stream = recipe.make(50)
    recipe.step(stream)
    before = sys.getprofile()
    sys.setprofile(looking(find_all))
    try:
        recipe.close(stream)
    finally:
        sys.setprofile(before)
    find_all()


def finds_all(module: ModuleType) -> None:
    for held in gc.get_referents(module):
        assert any(o is module for o in gc.get_referrers(held)), held


def test_what_a_module_holds_finds_the_module() -> None:
    """As it is executed, and when what it gets at first use is there."""
    module = extension_with_kernel.__wrapped__(_native.scan_kernel)
    finds_all(module)
    for use in CALLS.values():
        use(module)
    finds_all(module)

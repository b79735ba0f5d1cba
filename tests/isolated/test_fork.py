"""A process that forks while a stream is new, under way, read ahead or closed."""

import os
import signal
import sys
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from tests.isolated.catalogue import RECIPES, Recipe

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='this system has no fork')

COUNT = 30


def rest(recipe: Recipe, stream: Any) -> list[Any]:
    taken = []
    while True:
        try:
            taken.append(recipe.step(stream))
        except StopIteration:
            return taken


def in_child(body: Callable[[], None]) -> None:
    """Run it in a forked child, which has 20 seconds."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # threads are alive: that is the test
        child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(20)
            body()
            status = 0
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize('begun', [0, 1, 5])
@pytest.mark.parametrize('name', RECIPES)
def test_fork(name: str, begun: int) -> None:
    """The child goes on by itself, or is told that it can't; the parent has lost nothing."""
    recipe = RECIPES[name]
    everything = recipe.items(COUNT)
    begun = min(begun, len(everything) - 1)
    stream = recipe.make(COUNT)
    for i in range(begun):
        assert recipe.step(stream) == everything[i]

    def child() -> None:
        if recipe.forked is None:
            assert rest(recipe, stream) == everything[begun:]
        else:
            with pytest.raises(recipe.forked):
                recipe.step(stream)
        recipe.close(stream)
        # What is new works there.
        assert rest(recipe, recipe.make(COUNT)) == everything

    in_child(child)
    if not recipe.one_descriptor or begun > 0:
        assert rest(recipe, stream) == everything[begun:]
    recipe.close(stream)

"""One object of each type among many threads: whole, and every item to exactly one of them.

GENERATORS_STRESS=SECONDS goes on with each for that long.
"""

import os
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from tests.isolated.catalogue import RECIPES, Recipe

SHARED = {name: recipe for name, recipe in RECIPES.items() if recipe.shared}
THREADS = 4


@pytest.fixture(params=SHARED)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    return SHARED[request.param]


@pytest.fixture(autouse=True)
def short_turns() -> Iterator[None]:
    """With a GIL, threads take turns often."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def rounds() -> Iterator[None]:
    until = time.monotonic() + float(os.environ.get('GENERATORS_STRESS', '0'))
    yield
    while time.monotonic() < until:
        yield


def run(*bodies: Callable[[], None]) -> None:
    """All at once; the first exception of any comes out."""
    barrier = threading.Barrier(len(bodies))
    failures: list[BaseException] = []

    def guarded(body: Callable[[], None]) -> None:
        barrier.wait()
        try:
            body()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def take_all(recipe: Recipe, stream: Any, taken: list[Any]) -> None:
    while True:
        try:
            taken.append(recipe.step(stream))
        except StopIteration:
            return
        except recipe.refusal as error:
            assert 'already' in str(error), error


def plain(items: list[Any]) -> list[str]:
    return sorted(map(repr, items))


def test_each_item_reaches_exactly_one(recipe: Recipe) -> None:
    count = 400
    expected = plain(recipe.items(count))
    for _ in rounds():
        stream = recipe.make(count)
        taken: list[list[Any]] = [[] for _ in range(THREADS)]
        run(*(partial(take_all, recipe, stream, mine) for mine in taken))
        recipe.close(stream)
        assert plain([item for mine in taken for item in mine]) == expected


def test_it_is_closed_under_those_who_step_it(recipe: Recipe) -> None:
    count = 400
    everything = recipe.items(count)
    for _ in rounds():
        stream = recipe.make(count)
        taken: list[list[Any]] = [[] for _ in range(THREADS - 1)]

        def close(stream: Any = stream) -> None:
            time.sleep(random.random() / 2000)
            while True:
                try:
                    return recipe.close(stream)
                except recipe.refusal as error:
                    assert 'already' in str(error), error

        run(close, *(partial(take_all, recipe, stream, mine) for mine in taken))
        left = plain(everything)
        for item in (repr(item) for mine in taken for item in mine):
            left.remove(item)  # there, and once


def test_each_has_one_of_its_own(recipe: Recipe) -> None:
    """What is shared by all objects of a type is shared by threads."""

    def use() -> None:
        for _ in range(5):
            stream = recipe.make(20)
            taken: list[Any] = []
            take_all(recipe, stream, taken)
            recipe.close(stream)
            assert taken == recipe.items(20)

    for _ in rounds():
        run(*[use] * THREADS)

"""The catalogue says what is so: the walks through it are no better than it is."""

import gc
from collections.abc import Iterator
from typing import Any

import pytest

from tests.isolated.catalogue import RECIPES, Recipe, public_names, uncovered, unstaged


def test_every_public_name_has_a_recipe() -> None:
    assert uncovered() == set()


def test_every_recipe_is_of_a_public_name() -> None:
    assert {name for recipe in RECIPES.values() for name in recipe.covers} <= public_names()


def all_steps(recipe: Recipe, stream: Any) -> list[Any]:
    taken = []
    while True:
        try:
            taken.append(recipe.step(stream))
        except StopIteration:
            return taken


@pytest.mark.parametrize('count', [0, 1, 5, 200])
@pytest.mark.parametrize('name', RECIPES)
def test_a_recipe_gives_its_items(name: str, count: int) -> None:
    recipe = RECIPES[name]
    stream = recipe.make(count)
    try:
        assert all_steps(recipe, stream) == recipe.items(count)
    finally:
        recipe.close(stream)


@pytest.mark.parametrize('name', RECIPES)
def test_a_recipe_closes_midway_and_twice(name: str) -> None:
    recipe = RECIPES[name]
    stream = recipe.make(50)
    assert recipe.step(stream) == recipe.items(50)[0]
    recipe.close(stream)
    recipe.close(stream)


@pytest.fixture
def eager_collector() -> Iterator[None]:
    """Whatever is allocated, all that is not old is collected first."""
    gc.collect()
    gc.freeze()
    before = gc.get_threshold()
    gc.set_threshold(1, 1, 1)
    yield
    gc.set_threshold(*before)


@pytest.mark.parametrize('name', RECIPES)
def test_the_collector_runs_at_every_moment(name: str, eager_collector: None) -> None:
    recipe = RECIPES[name]
    expected = recipe.items(7)
    for taken in (len(expected), 2, 1):
        stream = recipe.make(7)
        cycle = [stream]
        cycle.append(cycle)
        for item in expected[:taken]:
            gc.collect(0)
            assert recipe.step(stream) == item
        if taken == len(expected):
            with pytest.raises(StopIteration):
                recipe.step(stream)
        if taken == len(expected) or recipe.runs_loop:  # its loop wants to be closed
            recipe.close(stream)
        del stream, cycle  # and nobody closes it
        gc.collect()


def test_every_stream_of_another_is_a_stage() -> None:
    assert unstaged() == set()

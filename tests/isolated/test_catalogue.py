"""The catalogue says what is so: the walks through it are no better than it is."""

from typing import Any

import pytest

from tests.isolated.catalogue import RECIPES, Recipe, public_names, uncovered


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

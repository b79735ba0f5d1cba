"""The catalogue says what is so: the walks through it are no better than it is."""

import ast
import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import generators
from tests.isolated.catalogue import RECIPES, Recipe, public_names, uncovered, unstaged


def test_every_public_name_has_a_recipe() -> None:
    assert uncovered() == set()


# Members that no recipe and no short use needs, with the reason.
WRITTEN_IN_PYTHON = {'CSVFormat', 'CSVSchema'}  # CPython has the memory of plain Python objects
OF_OTHERS = {
    'athrow',  # coroutine() of every async stream has it: see teardown.py and hostile.py
    'cr_code',  # of drive(), whose base is that of all coroutines
    'cr_frame',
}


def words_of(path: Path) -> set[str]:
    """The attributes and the strings of a module: some are names for methodcaller()."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    return found


def test_every_public_member_is_used_where_memory_runs_out() -> None:
    here = Path(__file__).parent
    used = words_of(here / 'catalogue.py') | words_of(here / 'calls.py') | OF_OTHERS
    types = {
        name: getattr(generators, name)
        for name in generators.__all__
        if isinstance(getattr(generators, name), type) and name not in WRITTEN_IN_PYTHON
    }
    members = {
        f'{name}.{member}'
        for name, kind in types.items()
        for member in vars(kind)
        if not member.startswith('_')
    }
    assert {member for member in members if member.partition('.')[2] not in used} == set()


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

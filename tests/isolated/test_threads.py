"""One object of each type among many threads: whole, and every item to exactly one of them.

GENERATORS_STRESS=SECONDS goes on with each for that long, GENERATORS_ITEMS=COUNT gives each so many
items to make: under a sanitizer, fewer.
"""

import os
import random
import sys
import threading
import time
import types
from collections.abc import Callable, Generator, Iterator
from functools import partial
from typing import Any

import pytest

from generators import Dispatcher
from tests.isolated.catalogue import RECIPES, Recipe

SHARED = {name: recipe for name, recipe in RECIPES.items() if recipe.shared}
THREADS = 4
COUNT = int(os.environ.get('GENERATORS_ITEMS', '400'))


@pytest.fixture(params=SHARED)
def recipe(request: pytest.FixtureRequest) -> Recipe:
    """One that threads may share."""
    return SHARED[request.param]


@pytest.fixture(params=RECIPES)
def any_recipe(request: pytest.FixtureRequest) -> Recipe:
    return RECIPES[request.param]


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
    expected = plain(recipe.items(COUNT))
    for _ in rounds():
        stream = recipe.make(COUNT)
        taken: list[list[Any]] = [[] for _ in range(THREADS)]
        run(*(partial(take_all, recipe, stream, mine) for mine in taken))
        recipe.close(stream)
        assert plain([item for mine in taken for item in mine]) == expected


def test_it_is_closed_under_those_who_step_it(recipe: Recipe) -> None:
    everything = recipe.items(COUNT)
    for _ in rounds():
        stream = recipe.make(COUNT)
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


def natives(made: Any) -> list[Any]:
    """What a recipe made, and is of this package."""
    parts = made if isinstance(made, tuple) else vars(made).values() if vars_of(made) else ()
    return [x for x in (made, *parts) if type(x).__module__.startswith('native_generators')]


def vars_of(made: Any) -> bool:
    return hasattr(made, '__dict__')


def attributes(op: Any) -> list[str]:
    kinds = types.GetSetDescriptorType, types.MemberDescriptorType
    return [name for name in dir(type(op)) if isinstance(getattr(type(op), name), kinds)]


def look_at(op: Any, refusal: type[Exception]) -> None:
    for name in attributes(op):
        try:
            repr(getattr(op, name))
        except (AttributeError, refusal) as error:
            assert type(error) is AttributeError or 'already' in str(error), error
    repr(op)


def test_it_is_looked_at_meanwhile(recipe: Recipe) -> None:
    expected = plain(recipe.items(COUNT))
    for _ in rounds():
        stream = recipe.make(COUNT)
        taken: list[list[Any]] = [[] for _ in range(2)]
        left = threading.Semaphore(0)

        def take(mine: list[Any], stream: Any = stream, left: Any = left) -> None:
            try:
                take_all(recipe, stream, mine)
            finally:
                left.release()

        def look(stream: Any = stream, left: Any = left) -> None:
            while not left.acquire(blocking=False):
                for op in natives(stream):
                    look_at(op, recipe.refusal)
            left.release()

        run(look, look, *(partial(take, mine) for mine in taken))
        recipe.close(stream)
        assert plain([item for mine in taken for item in mine]) == expected


def test_each_has_one_of_its_own(any_recipe: Recipe) -> None:
    """What is shared by all objects of a type is shared by threads."""
    recipe = any_recipe

    def use() -> None:
        for _ in range(5):
            stream = recipe.make(20)
            taken: list[Any] = []
            take_all(recipe, stream, taken)
            recipe.close(stream)
            assert taken == recipe.items(20)

    for _ in rounds():
        run(*[use] * THREADS)


def receive_one(received: list[int]) -> Generator[None, int, None]:
    received.append((yield))


def test_a_dispatcher_hands_each_event_over_once() -> None:
    """Events from two threads, handlers from a third, and a fourth that looks at all of them."""
    for _ in rounds():
        dispatcher, taken, received = Dispatcher(), [], []
        everything = dispatcher.on('number', taken.append)
        left = threading.Semaphore(0)

        def emit(first: int, dispatcher: Any = dispatcher, left: Any = left) -> None:
            for i in range(first, COUNT, 2):
                assert dispatcher.emit('number', i)
            left.release()

        def change(dispatcher: Any = dispatcher, received: Any = received) -> None:
            for i in range(20):
                one = dispatcher.on('number', partial(receive_one, received))
                look_at(one, ValueError)
                if i % 2:
                    dispatcher.off('number', one)

        def look(op: Any = (dispatcher, everything), left: Any = left) -> None:
            for _ in range(2):
                while not left.acquire(timeout=0.001):
                    for part in op:
                        look_at(part, ValueError)

        run(partial(emit, 0), partial(emit, 1), change, look)
        dispatcher.close()
        assert everything.active is False
        assert sorted(taken) == list(range(COUNT))
        assert len(received) <= 20  # each ends with its first

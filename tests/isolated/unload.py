"""The extension goes when nobody uses it any more: python -m tests.isolated.unload

It is loaded anew and used by one recipe after another, and dropped: after a collection module and
types are gone, and with them all that they held.  asyncio keeps the types of coroutines that it has
met in a cache of its own, a set, which is made to forget them.
"""

from __future__ import annotations

import gc
import importlib
import sys
import time
import weakref
from types import ModuleType
from typing import Any

NATIVE = 'native_generators._native'
CATALOGUE = 'tests.isolated.catalogue'


def forget() -> dict[str, ModuleType]:
    """Nobody finds them in sys.modules; what that held."""
    vars(sys.modules['tests.isolated']).pop('catalogue', None)
    names = [
        name for name in sys.modules if name.split('.')[0] in ('generators', 'native_generators')
    ]
    return {name: sys.modules.pop(name) for name in [*names, CATALOGUE] if name in sys.modules}


def types_of(module: ModuleType) -> dict[str, type]:
    return {name: value for name, value in vars(module).items() if isinstance(value, type)}


def use(recipe: Any) -> None:
    """To its end, and another that is left under way."""
    for count in (3, 30):
        stream = recipe.make(count)
        try:
            recipe.step(stream)
            while count == 3:
                recipe.step(stream)
        except StopIteration:
            recipe.close(stream)


def load_and_use(names: list[str]) -> dict[str, weakref.ref[Any]]:
    catalogue = importlib.import_module(CATALOGUE)
    native = importlib.import_module(NATIVE)
    for name in names:
        use(catalogue.RECIPES[name])
    return {name: weakref.ref(value) for name, value in [*types_of(native).items(), ('', native)]}


def forget_coroutines() -> None:
    """The modules that were there before use theirs no more than the one that is to go."""
    for cache in gc.get_objects():
        if type(cache) is set and all(isinstance(entry, type) for entry in cache):
            cache -= {entry for entry in cache if entry.__module__ == NATIVE}


def survivors(names: list[str]) -> list[str]:
    """What is left of a copy of the module that those recipes have used."""
    before = forget()
    references = load_and_use(names)
    forget()
    sys.modules.update(before)
    until = time.monotonic() + 20
    while True:
        gc.collect()
        forget_coroutines()
        gc.collect()
        left = [name for name, reference in references.items() if reference() is not None]
        if not left or time.monotonic() > until:
            return left
        time.sleep(0.01)  # a stream that was dropped does not wait for its threads


def main(names: list[str]) -> None:
    importlib.import_module(NATIVE)
    recipes = importlib.import_module(CATALOGUE).RECIPES
    assert survivors([]) == []
    for name in names or recipes:
        left = survivors([name])
        assert not left, (name, left)
    print('gone')


if __name__ == '__main__':
    main(sys.argv[1:])

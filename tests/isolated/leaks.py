"""Uses of every recipe that must leave nothing behind: python -m tests.isolated.leaks [RECIPE ...]

Each is used in each way again and again; then references (all of them where the interpreter counts
them, as debug builds do), blocks of memory, descriptors, threads and tasks are as many as before.
"""

import asyncio
import gc
import os
import sys
import sysconfig
import threading
import time
from collections.abc import Callable

from tests.isolated.catalogue import RECIPES, Recipe

COUNT = 9


def to_the_end(recipe: Recipe) -> None:
    stream = recipe.make(COUNT)
    try:
        while True:
            recipe.step(stream)
    except StopIteration:
        pass
    recipe.close(stream)


def closed_midway(recipe: Recipe) -> None:
    stream = recipe.make(COUNT)
    recipe.step(stream)
    recipe.close(stream)


def closed_before_the_first(recipe: Recipe) -> None:
    recipe.close(recipe.make(COUNT))


def dropped(recipe: Recipe) -> None:
    recipe.step(recipe.make(COUNT))


def in_a_cycle(recipe: Recipe) -> None:
    stream = recipe.make(COUNT)
    recipe.step(stream)
    cycle = [stream]
    cycle.append(cycle)
    del stream, cycle  # held() collects it


WAYS: list[Callable[[Recipe], None]] = [
    to_the_end,
    closed_midway,
    closed_before_the_first,
    dropped,
    in_a_cycle,
]


def entries(folder: str) -> int:
    return len(os.listdir(folder)) if os.path.isdir(folder) else 0


def held() -> dict[str, int]:
    gc.collect()
    return {
        'references': sys.gettotalrefcount() if hasattr(sys, 'gettotalrefcount') else 0,
        # Without a GIL, blocks are given back late, some thousands at a time.
        'blocks': 0 if sysconfig.get_config_var('Py_GIL_DISABLED') else sys.getallocatedblocks(),
        'descriptors': entries('/proc/self/fd'),
        'threads': max(threading.active_count(), entries('/proc/self/task')),
        # Also those that have ended, and that something keeps.
        'tasks': sum(type(thing) is asyncio.Task for thing in gc.get_objects()),
    }


def growth(recipe: Recipe, way: Callable[[Recipe], None], times: int, looks: int) -> dict[str, int]:
    before = held()
    for _ in range(times):
        way(recipe)
    grown = {}
    for _ in range(looks):
        after = held()
        grown = {what: after[what] - before[what] for what in before}
        if is_flat(grown, times):
            break
        time.sleep(0.02)  # a stream that is dropped does not wait for its thread to close it
    return grown


def is_flat(grown: dict[str, int], times: int) -> bool:
    """What grows with every use is a leak; caches of the interpreter fill once."""
    once = max(grown['references'], grown['blocks'])
    return once < times // 2 and max(grown[x] for x in ('descriptors', 'threads', 'tasks')) <= 0


def check(
    recipe: Recipe,
    way: Callable[[Recipe], None],
    times: int = 200,
    tries: int = 10,
    looks: int = 100,
) -> None:
    for _ in range(3):
        way(recipe)
    for _ in range(tries):
        grown = growth(recipe, way, times, looks)
        if is_flat(grown, times):
            return
    raise AssertionError(f'{recipe.name}, {way.__name__}, {times} times: {grown}')


def main(names: list[str]) -> None:
    for name in names or RECIPES:
        for way in WAYS:
            check(RECIPES[name], way)
    print('nothing left behind')


if __name__ == '__main__':
    main(sys.argv[1:])

"""Every recipe in interpreters of their own: python -m tests.isolated.interpreters COUNT

Interpreters with a GIL of their own, where the Python has them, run at once on threads, are closed
while streams are alive in them, and the extension still works in the first one afterwards.
"""

import sys
import threading

from tests.isolated.catalogue import RECIPES, Recipe

if sys.version_info >= (3, 13):
    import _interpreters as interpreters
else:
    import _xxsubinterpreters as interpreters

USE = """
import sys
sys.path[:] = {path!r}
from tests.isolated.interpreters import use_all
kept = use_all()
"""


def use(recipe: Recipe) -> object:
    """To its end, and then another that is left under way."""
    stream = recipe.make(20)
    taken = []
    try:
        while True:
            taken.append(recipe.step(stream))
    except StopIteration:
        pass
    assert taken == recipe.items(20), recipe.name
    recipe.close(stream)
    left = recipe.make(20)
    recipe.step(left)
    return left


def use_all() -> list[object]:
    return [use(recipe) for recipe in RECIPES.values() if can_be_used(recipe)]


def can_be_used(recipe: Recipe) -> bool:
    if 'Arrow' in recipe.name and sys.version_info < (3, 13):
        # In 3.11, ctypes has one cache of pointer types for all interpreters; 3.12 refuses it.
        return False
    return sys.version_info >= (3, 12) or not (recipe.runs_loop or recipe.runs_threads)


def create() -> object:
    if sys.version_info >= (3, 13):
        return interpreters.create('isolated')
    # 3.11 has one GIL, and its isolated interpreters have no threads.
    return interpreters.create(isolated=sys.version_info >= (3, 12))


def run(failures: list[object]) -> None:
    interpreter = create()
    try:
        code = USE.format(path=sys.path)
        if sys.version_info >= (3, 13):
            failed = interpreters.exec(interpreter, code)
            if failed is not None:
                failures.append(failed.formatted)
        else:
            interpreters.run_string(interpreter, code)
    except BaseException as error:
        failures.append(error)
    finally:
        interpreters.destroy(interpreter)


def main(count: int) -> None:
    kept = use_all()
    failures: list[object] = []
    for at_once in (1, count):
        threads = [threading.Thread(target=run, args=(failures,)) for _ in range(at_once)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures, failures[0]
    assert len(kept) == len(use_all())
    print('used')


if __name__ == '__main__':
    main(int(sys.argv[1]))

"""Whether references are left behind."""

import gc
import sys
from collections.abc import Callable


def check_references(use: Callable[[], object], *objects: object) -> None:
    """`use` leaves as many references to each object as there are after it ran once."""
    use()
    gc.collect()
    before = [*map(sys.getrefcount, objects)]
    for _ in range(50):
        use()
    gc.collect()
    assert [*map(sys.getrefcount, objects)] == before

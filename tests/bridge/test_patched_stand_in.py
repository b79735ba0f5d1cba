"""What is asked of a greenlet library that is loaded, by stand-ins for it."""

import sys
from types import ModuleType
from typing import Any

import pytest

from generators import map_threads, to_async, to_sync


async def endless() -> Any:
    while True:
        yield 1


MAKE = {
    'to_async': lambda: to_async(range(3)),
    'to_sync': lambda: to_sync(endless()),
    'map_threads': lambda: map_threads(abs, range(3)),
}
QUESTIONS = {
    'gevent.monkey': 'is_module_patched',
    'eventlet.patcher': 'is_monkey_patched',
}


@pytest.fixture(params=QUESTIONS)
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Any:
    made: Any = ModuleType(request.param)
    made.question = QUESTIONS[request.param]
    monkeypatch.setitem(sys.modules, request.param, made)
    return made


@pytest.mark.parametrize('name', MAKE)
def test_threads_that_are_replaced_are_refused(library: Any, name: str) -> None:
    setattr(library, library.question, lambda module: 'thread' in module)
    with pytest.raises(RuntimeError, match='has replaced them by greenlets'):
        MAKE[name]()


@pytest.mark.parametrize('name', MAKE)
def test_threads_that_are_real_are_used(library: Any, name: str) -> None:
    setattr(library, library.question, lambda module: 0)
    MAKE[name]()


@pytest.mark.parametrize('name', MAKE)
def test_a_library_that_is_still_being_imported_has_replaced_nothing(
    library: Any, name: str
) -> None:
    assert not hasattr(library, library.question)
    MAKE[name]()


class Failed(Exception):
    pass


class Undecided:
    def __bool__(self) -> bool:
        raise Failed


def failing(module: str) -> Any:
    raise Failed


@pytest.mark.parametrize('answer', [failing, lambda module: Undecided()])
@pytest.mark.parametrize('name', MAKE)
def test_an_error_of_the_library_comes_through(library: Any, name: str, answer: Any) -> None:
    setattr(library, library.question, answer)
    with pytest.raises(Failed):
        MAKE[name]()

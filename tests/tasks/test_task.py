"""``task``: generator functions as coroutine functions."""

from __future__ import annotations

import asyncio
import copy
import functools
import gc
import inspect
import pickle
import sys
import typing
import weakref
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from generators import drive, task
from tests.references import check_references

IS_COROUTINE_FUNCTION = [inspect.iscoroutinefunction]
if sys.version_info < (3, 14):  # deprecated since
    IS_COROUTINE_FUNCTION.append(asyncio.iscoroutinefunction)


@task
def fetch(url: str, /, count: int = 1, *, prefix: str = '') -> Iterator[Any]:
    """What is fetched."""
    return (yield asyncio.sleep(0, prefix + url * count))


class Service:
    def __init__(self, name: str) -> None:
        self.name = name

    @task
    def call(self, data: str) -> Iterator[Any]:
        return self.name + (yield asyncio.sleep(0, data))

    @classmethod
    @task
    def make(cls, name: str) -> Iterator[Any]:
        return cls((yield asyncio.sleep(0, name)))

    @staticmethod
    @task
    def ping() -> Iterator[Any]:
        return (yield asyncio.sleep(0, 'pong'))


def test_calling_it_gives_a_drive() -> None:
    made = fetch('a')
    assert isinstance(made, drive)
    assert asyncio.run(made) == 'a'
    assert asyncio.run(fetch('a', 2, prefix='b')) == 'baa'
    with pytest.raises(TypeError, match='positional-only'):
        fetch(url='a')  # type: ignore[call-arg]


def test_it_is_a_coroutine_function() -> None:
    for agrees in IS_COROUTINE_FUNCTION:
        assert agrees(fetch)
        assert agrees(Service.call)
        assert agrees(Service('a').call)
        assert agrees(Service.make)
        assert agrees(Service.ping)
        assert agrees(functools.partial(fetch, 'a'))
    assert not inspect.isgeneratorfunction(fetch)


def test_methods_are_bound() -> None:
    assert asyncio.run(Service('a').call('b')) == 'ab'
    assert asyncio.run(Service.call(Service('a'), 'b')) == 'ab'
    assert asyncio.run(Service.make('a')).name == 'a'
    assert asyncio.run(Service.ping()) == 'pong'
    bound = Service('a').call
    assert asyncio.run(bound('c')) == 'ac'
    assert inspect.ismethod(bound)


def test_it_stands_for_the_function_as_a_wrapper_does() -> None:
    function = fetch.__wrapped__
    assert fetch.__name__ == 'fetch'
    assert fetch.__qualname__ == 'fetch'
    assert fetch.__module__ == __name__
    assert fetch.__doc__ == 'What is fetched.'
    assert inspect.signature(fetch) == inspect.signature(function)
    assert inspect.signature(Service('a').call) == inspect.Signature.from_callable(
        Service('a').call.__func__.__wrapped__.__get__(Service('a'))
    )
    assert fetch.__annotations__ == function.__annotations__
    assert typing.get_type_hints(fetch)['url'] is str
    assert inspect.unwrap(fetch) is function
    assert inspect.getsource(fetch).startswith('@task\ndef fetch')
    assert repr(fetch).startswith('<task fetch at 0x')


def test_attributes_of_the_function_are_kept_and_may_be_added() -> None:
    def function() -> Iterator[Any]:
        yield

    function.kept = 1  # type: ignore[attr-defined]
    made: Any = task(function)
    assert made.kept == 1
    made.added = 2
    assert made.added == 2
    assert vars(made)['added'] == 2
    assert not hasattr(function, 'added')


def test_gather_and_create_task_take_its_calls() -> None:
    async def main() -> list[Any]:
        return await asyncio.gather(fetch('a'), asyncio.create_task(fetch('b')))

    assert asyncio.run(main()) == ['a', 'b']


def test_mock_makes_an_async_mock_of_it() -> None:
    assert isinstance(mock.create_autospec(Service).call, mock.AsyncMock) or (
        inspect.iscoroutinefunction(mock.create_autospec(Service('a')).call)
    )


def test_copy_and_pickle_find_it_by_its_name() -> None:
    assert copy.copy(fetch) is fetch
    assert copy.deepcopy(fetch) is fetch
    assert pickle.loads(pickle.dumps(fetch)) is fetch


def test_a_function_without_code_is_taken() -> None:
    def numbers(count: int) -> Iterator[int]:
        yield
        return count

    made = task(functools.partial(numbers, 3))
    assert asyncio.run(made()) == 3
    assert '__code__' not in dir(type(made)) or not hasattr(made, '__code__')
    assert repr(made).startswith('<task')
    if sys.version_info >= (3, 12):
        assert inspect.iscoroutinefunction(made)


async def a_coroutine_function() -> None: ...


async def an_async_generator_function() -> Any:
    yield


@pytest.mark.parametrize(
    'value', [None, 1, Service, a_coroutine_function, an_async_generator_function, fetch]
)
def test_what_makes_no_generator_is_refused(value: Any) -> None:
    with pytest.raises(TypeError, match='takes a generator function, not'):
        task(value)
    with pytest.raises(TypeError):
        task()  # type: ignore[call-arg]


def test_a_function_that_returns_no_generator() -> None:
    @task  # type: ignore[arg-type]
    def forgotten() -> int:
        return 3

    with pytest.raises(TypeError, match=r"forgotten at .* returned 'int', not a generator"):
        forgotten()


def test_a_function_that_raises_when_called() -> None:
    with pytest.raises(TypeError, match='count'):
        fetch('a', 1, count=2)  # type: ignore[misc]


def a_callable_object() -> Any:
    class Callable:
        def __call__(self) -> Iterator[Any]:
            return (yield)

    return Callable()


@pytest.mark.parametrize('wrapped', [fetch, task(functools.partial(fetch.__wrapped__, 'a'))])
def test_a_plain_function_that_wraps_a_task_is_no_coroutine_function(wrapped: Any) -> None:
    @functools.wraps(wrapped)
    def plain(*args: Any) -> str:
        return 'plain'

    for agrees in IS_COROUTINE_FUNCTION:
        assert not agrees(plain)
    assert plain() == 'plain'

    @functools.wraps(wrapped)
    async def asynchronous(*args: Any) -> None: ...

    assert inspect.iscoroutinefunction(asynchronous)


@pytest.mark.skipif(sys.version_info < (3, 12), reason='the mark came with 3.12')
@pytest.mark.parametrize(
    'make', [lambda: functools.partial(fetch.__wrapped__, 'a'), a_callable_object]
)
def test_a_task_without_code_is_known_by_its_mark(make: Any) -> None:
    made = task(make())
    assert inspect.iscoroutinefunction(made)
    assert inspect.markcoroutinefunction(made) is made
    assert inspect.iscoroutinefunction(made)


def test_weak_references_die_with_it() -> None:
    made = task(lambda: (yield))
    reference = weakref.ref(made)
    assert reference() is made
    del made
    assert reference() is None


def test_a_cycle_through_it_is_collected() -> None:
    def make() -> Any:
        def function() -> Iterator[Any]:
            yield made

        made: Any = task(function)
        made.me = made
        return weakref.ref(made)

    reference = make()
    gc.collect()
    assert reference() is None


def test_nothing_leaks() -> None:
    def function(x: Any) -> Iterator[Any]:
        return (yield x)

    def use() -> None:
        made = task(function)
        asyncio_less(made(made))
        with pytest.raises(TypeError):
            made()  # type: ignore[call-arg]
        assert made.__code__.co_flags & inspect.CO_COROUTINE

    def asyncio_less(driven: Any) -> None:
        with pytest.raises(StopIteration):
            driven.send(None)

    check_references(use, function, task, drive)

"""What is refused says what to do."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import generators as g
from generators import amap, map_threads, to_async, to_sync


async def items() -> AsyncIterator[Any]:
    yield b'1'


def rows() -> Iterator[Any]:
    yield b'1'


async def coroutine() -> list[Any]:
    return []


async def call(item: Any) -> Any:
    return item


SYNC: dict[str, Callable[[Any], Any]] = {
    'batched': lambda source: g.batched(source, 2),
    'chunked': g.chunked,
    'csv_rows': g.csv_rows,
    'csv_batches': g.csv_batches,
    'csv_encode': g.csv_encode,
    'lines': g.lines,
    'jsonl_rows': g.jsonl_rows,
    'jsonl_encode': g.jsonl_encode,
    'event_source': g.event_source,
    'event_stream': g.event_stream,
}
ASYNC: dict[str, Callable[[Any], Any]] = {
    'abatched': lambda source: g.abatched(source, 2),
    'achunked': g.achunked,
    'acsv_rows': g.acsv_rows,
    'acsv_batches': g.acsv_batches,
    'acsv_encode': g.acsv_encode,
    'alines': g.alines,
    'ajsonl_rows': g.ajsonl_rows,
    'ajsonl_encode': g.ajsonl_encode,
    'aevent_source': g.aevent_source,
    'aevent_stream': g.aevent_stream,
    'aheartbeat': lambda source: g.aheartbeat(source, 1, None),
}
every = pytest.mark.parametrize('name', [*SYNC, *ASYNC])


def test_every_type_that_has_a_twin_is_here() -> None:
    pairs = {name for name in g.__all__ if 'a' + name in g.__all__}
    assert pairs == {*SYNC, 'heartbeat'}
    assert {'a' + name for name in pairs} == {*ASYNC}


def make(name: str, source: Any) -> Any:
    return {**SYNC, **ASYNC}[name](source)


@pytest.mark.parametrize('name', SYNC)
def test_an_async_source_names_the_async_twin(name: str) -> None:
    with pytest.raises(TypeError, match=rf'use a{name}\(\), or pass to_sync\(source\)$'):
        make(name, items())


@pytest.mark.parametrize('name', ASYNC)
def test_a_sync_source_names_the_sync_twin(name: str) -> None:
    with pytest.raises(TypeError, match=rf'use {name[1:]}\(\), or pass to_async\(source\)$'):
        make(name, rows())


@every
def test_a_function_that_was_not_called(name: str) -> None:
    for function in (items, rows):
        with pytest.raises(
            TypeError, match=r'it is a function: call it, and pass what it returns$'
        ):
            make(name, function)


@every
def test_a_coroutine_where_a_source_was_meant(name: str) -> None:
    never = coroutine()
    with pytest.raises(TypeError, match='it is a coroutine: await it first'):
        make(name, never)
    never.close()


@pytest.mark.parametrize(
    ('refused', 'text'),
    [
        (lambda: to_async(items()), 'it is an async source already: use `async for`, or to_sync'),
        (lambda: to_async(items(), thread=False), 'it is an async source already'),
        (lambda: to_async(5), "an iterable, or a callable that returns one, not 'int'$"),
        (lambda: to_sync(rows()), 'it is no async source: use `for`, or to_async'),
        (lambda: to_sync(5), "not 'int'$"),
        (lambda: g.heartbeat(items(), 1, None), r'use aheartbeat\(\), or pass to_sync'),
        (lambda: map_threads(str, items()), r'use amap\(\), or pass to_sync'),
        (lambda: map_threads(str, rows), 'it is a function: call it'),
        (lambda: amap(call, items), 'it is a function: call it'),
        (lambda: amap(call, 5), "not 'int'$"),
        (lambda: g.batched(5, 2), "'int' object is not iterable$"),
        (lambda: map_threads(str, [], executor=5), "must have a submit.* and 'int' has none"),
        (lambda: to_async([], executor=5), "must have a submit.* and 'int' has none"),
        (lambda: to_sync(items(), timeout='5'), "timeout must be a number of seconds, not 'str'"),
        (lambda: g.amerge([items()]), r'not .list.: pass sources one by one, as in amerge'),
        (lambda: g.amerge(rows()), r'pass to_async\(source\)$'),
        (lambda: g.amerge(items), 'it is a function: call it'),
        (lambda: g.Broadcast().run(items()), r'await arun\(\) for an async iterable$'),
        (lambda: g.Broadcast().run(rows), 'it is a function: call it'),
        (lambda: g.Broadcast().run(5), "'int' object is not iterable$"),
        (lambda: g.Dispatcher().run(items()), r'await arun\(\) for an async iterable$'),
        (lambda: g.drive(items()), r'it by `async for`$'),
        (lambda: g.drive(rows), r'call it, or decorate it with task\(\)$'),
        (lambda: g.batched([], 2, max_delay='5'), 'max_delay must be a number of seconds'),
        (lambda: g.heartbeat([], '5', None), "every must be a number of seconds, not 'str'"),
        (lambda: g.aevent_stream(items(), heartbeat='5'), 'heartbeat must be a number of sec'),
        (lambda: g.Broadcast().subscribe_sync(timeout='5'), 'timeout must be a number of sec'),
        (lambda: g.Dispatcher().wait_for('x', timeout='5'), 'timeout must be a number of sec'),
        (lambda: g.Dispatcher().on(rows), r'use @on\(type\) or on\(type, handler\)$'),
        (lambda: to_async([], on_close=5), "on_close must be callable or None, not 'int'"),
        (lambda: to_async([], sizeof=5), "sizeof must be callable or None, not 'int'"),
        (lambda: to_sync(items(), sizeof=5), "sizeof must be callable or None, not 'int'"),
    ],
)
def test_what_else_is_refused(refused: Callable[[], Any], text: str) -> None:
    with pytest.raises(TypeError, match=text):
        refused()


def test_what_a_callable_returns_is_refused_in_the_same_way() -> None:
    async def main() -> None:
        with pytest.raises(TypeError, match='it is an async source already'):
            await anext(to_async(items))

    asyncio.run(main())
    with pytest.raises(TypeError, match='it is no async source'):
        next(to_sync(rows))


@pytest.mark.parametrize(
    ('source', 'text'),
    [
        (lambda: rows, 'it is a function: call it, and pass what it returns$'),
        (coroutine, 'it is a coroutine: await it first, and pass what it gives$'),
        (lambda: 5, "'int' object is not iterable$"),
    ],
)
def test_arun_of_a_broadcast_says_what_to_do(source: Callable[[], Any], text: str) -> None:
    given = source()
    with pytest.raises(TypeError, match=text):
        asyncio.run(g.Broadcast().arun(given))
    if asyncio.iscoroutine(given):
        given.close()


def test_a_function_that_returns_no_awaitable_names_what_takes_it() -> None:
    async def generator(item: Any) -> AsyncIterator[Any]:
        yield item

    for function, text in ((str, 'use map_threads'), (generator, 'use amerge')):
        with pytest.raises(TypeError, match=text):
            asyncio.run(anext(amap(function, [1])))


def test_a_native_coroutine_where_a_source_was_meant() -> None:
    coroutine = g.drive(rows())
    for name in ('batched', 'abatched'):
        with pytest.raises(TypeError, match='it is a coroutine: await it first'):
            make(name, coroutine)
    with pytest.raises(TypeError, match='it is awaitable already'):
        g.drive(coroutine)
    coroutine.close()


def test_the_type_of_the_error_of_an_iterator_stays() -> None:
    class Own(TypeError):
        pass

    class Source:
        def __iter__(self) -> Any:
            raise Own('text')

    with pytest.raises(Own, match=r'^text$'):
        g.batched(Source(), 2)

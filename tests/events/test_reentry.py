"""Objects of the user that call the dispatcher back, from everywhere.

The tests walk: each method of `Dispatcher`, called by each hook of each kind of object that a
dispatcher meets.  A method or a kind that is added is walked, too.  Under a sanitizer they also
show that nothing is used after it was freed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from typing import Any

import pytest

from generators import Dispatcher, Event

METHODS = sorted(
    name
    for name, value in vars(Dispatcher).items()
    if callable(value) and name not in ('__new__', '__doc__')
)
HOOKS = ['__del__', '__eq__', '__hash__', '__repr__', '__getattr__', '__call__', '__bool__']


def handle(_: Any) -> None:
    pass


def generator() -> Generator[None, Any, None]:
    while True:
        yield


class Attack:
    """Calls a method of the dispatcher, with what fits it; so often, so that it ends."""

    def __init__(self, d: Dispatcher, method: str) -> None:
        self.d, self.method, self.left = d, method, 20

    def __call__(self) -> None:
        if self.left == 0:
            return
        self.left -= 1
        with contextlib.suppress(Exception):
            for arguments in self.arguments():
                self.use(getattr(self.d, self.method)(*arguments))

    def arguments(self) -> Iterator[tuple[Any, ...]]:
        event = Event('b', 1)
        if self.method == 'on':
            return iter([('a', handle), ('b', generator), ('error', handle), ('new', handle)])
        if self.method == 'off':
            return iter([(type, handle) for type in ('a', 'b', 's', 'error')])
        if self.method in ('emit', 'aemit'):
            return iter([('a', 1), ('b',), ('nobody',)])
        if self.method in ('dispatch', 'adispatch'):
            return iter([(event,)])
        if self.method in ('run', 'arun'):
            return iter([([event, event],)])
        return iter([()])

    def use(self, given: Any) -> None:
        """Begin a coroutine, and drop it as it stands."""
        if hasattr(given, 'send'):
            with contextlib.suppress(StopIteration):
                given.send(None)


def hostile(base: type, hook: str, attack: Attack) -> Any:
    """An object of which one hook attacks, and then does what it does otherwise."""

    def on_getattr(self: Any, name: str) -> Any:
        attack()
        raise AttributeError(name)

    def on_eq(self: Any, other: Any) -> bool:
        attack()
        return self is other

    def on_hash(self: Any) -> int:
        attack()
        return hash('a')

    def on_any(self: Any, *args: Any) -> Any:
        attack()
        return {'__repr__': 'hostile', '__bool__': True}.get(hook)

    hooks = {'__getattr__': on_getattr, '__eq__': on_eq, '__hash__': on_hash}
    body: dict[str, Any] = {hook: hooks.get(hook, on_any)}
    if hook != '__hash__':
        body['__hash__'] = lambda self: hash('a')
    if hook not in ('__call__', '__bool__', '__del__'):
        body['__call__'] = lambda self, data: None
    return type('Hostile', (base,), body)()


Make = Callable[[type], Any]
Scenario = Callable[[Dispatcher, Make], None]


def quiet(call: Callable[..., Any], *arguments: Any) -> None:
    with contextlib.suppress(Exception):
        call(*arguments)


def queued_data(d: Dispatcher, make: Make) -> None:
    quiet(d.on, 's', lambda _: (d.emit('a', make(object)), d.emit('b', make(object)), d.emit('b')))
    quiet(d.emit, 's')


def data(d: Dispatcher, make: Make) -> None:
    quiet(d.emit, 'a', make(object))
    quiet(d.emit, 'nobody', make(object))


def types(d: Dispatcher, make: Make) -> None:
    quiet(d.on, make(object), handle)
    kind = make(object)
    quiet(d.on, kind, generator)
    quiet(d.emit, kind, 1)
    quiet(d.emit, make(object), 1)
    quiet(d.on, 's', lambda _: quiet(d.emit, kind))
    quiet(d.emit, 's')
    quiet(d.off, kind, generator)
    quiet(d.off, make(object), handle)


def strings(d: Dispatcher, make: Make) -> None:
    quiet(d.on, make(str), generator)
    quiet(d.emit, make(str), 1)
    quiet(d.off, make(str), generator)


def events(d: Dispatcher, make: Make) -> None:
    for base in (object, dict):
        quiet(d.dispatch, make(base))

    class Properties:
        @property
        def type(self) -> str:
            repr(make(object))
            return 'a'

        @property
        def data(self) -> Any:
            return make(object)

    quiet(d.dispatch, Properties())
    quiet(d.run, iter([Properties(), {'type': 'b', 'data': make(object)}]))


def handlers(d: Dispatcher, make: Make) -> None:
    handler = make(object)
    quiet(d.on, 'a', handler)
    quiet(d.on, 'b', handler)
    quiet(d.emit, 'a', 1)
    quiet(d.off, 'a', make(object))
    quiet(d.off, 'a', handler)
    quiet(d.emit, 'b', 1)


def generators(d: Dispatcher, make: Make) -> None:
    def returns() -> Generator[Any, Any, Any]:
        yield make(object)
        yield make(object)
        return make(object)

    quiet(d.on, 'a', returns)
    quiet(d.on, 'b', returns())
    for type in 'aabbab':
        quiet(d.emit, type, make(object))


def results(d: Dispatcher, make: Make) -> None:
    quiet(d.on, 'a', lambda _: make(object))
    quiet(d.on, 'b', lambda _: make(list))
    quiet(d.on, 's', lambda _: (d.emit('a'), d.emit('b'), make(object)))
    quiet(d.emit, 's')


def raise_(error: BaseException) -> None:
    raise error


def exceptions(d: Dispatcher, make: Make) -> None:
    def fails() -> Generator[None, Any, None]:
        yield
        raise make(ValueError)

    quiet(d.on, 'a', lambda _: raise_(make(ValueError)))
    quiet(d.on, 'a', fails)
    quiet(d.on, 'b', fails())
    for _ in range(2):
        quiet(d.emit, 'a')
        quiet(d.emit, 'b')
        quiet(d.on, 'error', lambda _: make(object))
    quiet(d.on, 'error', lambda _: raise_(make(KeyError)))
    quiet(d.emit, 'a')


def sources(d: Dispatcher, make: Make) -> None:
    def source() -> Generator[Any, None, Any]:
        yield {'type': 'a', 'data': make(object)}
        yield make(object)
        return make(object)

    quiet(d.run, source())
    quiet(d.run, make(list))


SCENARIOS: list[Scenario] = [
    queued_data,
    data,
    types,
    strings,
    events,
    handlers,
    generators,
    results,
    exceptions,
    sources,
]


async def alogging() -> AsyncGenerator[None, Any]:
    while True:
        yield


async def asynchronously(d: Dispatcher, make: Make) -> None:
    """The same kinds of objects in front of async handlers."""

    async def returns(data: Any) -> Any:
        await asyncio.sleep(0)
        d.emit('b', make(object))
        return make(object)

    async def fails(data: Any) -> Any:
        d.emit('b', make(object))
        await asyncio.sleep(0)
        raise make(ValueError)

    async def source() -> AsyncGenerator[Any, None]:
        yield {'type': 'a', 'data': make(object)}
        yield make(object)

    quiet(d.on, 'a', returns)
    quiet(d.on, 'a', alogging)
    quiet(d.on, 'b', make(object))
    quiet(d.on, make(object), returns)
    quiet(d.on, 'failing', fails)
    for call in (
        lambda: d.aemit('a', make(object)),
        lambda: d.aemit(make(object), 1),
        lambda: d.aemit('failing', 1),
        lambda: d.adispatch(make(object)),
        lambda: d.arun([make(object), {'type': 'a', 'data': make(object)}]),
        lambda: d.arun(source()),
    ):
        with contextlib.suppress(Exception):
            await call()
    quiet(d.on, 'error', returns)
    with contextlib.suppress(Exception):
        await asyncio.gather(
            d.aemit('a', make(object)),
            d.aemit('failing', make(object)),
            d.aemit('b', make(object)),
            return_exceptions=True,
        )
    task = asyncio.ensure_future(d.aemit('a', make(object)))
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


@pytest.fixture(autouse=True)
def unheard() -> Iterator[None]:
    """A coroutine that an attack drops warns; what a hook raises is unraisable."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        yield
        gc.collect()


def prepared(default: Any = None) -> Dispatcher:
    d = Dispatcher(default=default)
    for type in 'ab':
        d.on(type, handle)
        d.on(type, generator)
    return d


def assert_works(d: Dispatcher) -> None:
    """It is either closed, or gives an event to a handler at once."""
    seen: list[Any] = []
    if d.closed:
        with pytest.raises(RuntimeError):
            d.emit('last', 1)
        return
    d.on('last', seen.append)
    quiet(d.emit, 'last', 1)  # what was queued may be in front of it, and fail
    assert seen == [1]


def test_every_method_is_walked() -> None:
    assert {'on', 'off', 'emit', 'aemit', 'dispatch', 'run', 'arun', 'close'} <= set(METHODS)


@pytest.mark.parametrize('scenario', SCENARIOS, ids=lambda scenario: scenario.__name__)
@pytest.mark.parametrize('method', METHODS)
def test_object_that_calls_the_dispatcher_back(method: str, scenario: Scenario) -> None:
    for hook in HOOKS:
        for default in (None, handle):
            d = prepared(default)
            attack = Attack(d, method)
            scenario(d, lambda base, a=attack, h=hook: hostile(base, h, a))  # type: ignore[misc]
            attack.left = 0
            assert_works(d)


@pytest.mark.parametrize('hook', HOOKS)
@pytest.mark.parametrize('method', METHODS)
def test_object_that_calls_the_dispatcher_back_beside_async_handlers(
    method: str, hook: str
) -> None:
    async def main() -> None:
        d = prepared()
        attack = Attack(d, method)
        async with asyncio.timeout(60):
            await asynchronously(d, lambda base: hostile(base, hook, attack))
            attack.left = 0
            with contextlib.suppress(Exception):
                await d.aclose()
        assert d.closed

    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda loop, context: None)
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


def test_data_that_takes_handlers_off_in_a_nested_dispatch() -> None:
    d, seen = Dispatcher(), []

    class Data:
        def __del__(self) -> None:
            d.off('b', seen.append)

    d.on('a', lambda _: None)
    d.on('b', seen.append)
    d.on('s', lambda _: (d.emit('a', Data()), d.emit('b', 1), d.emit('b', 2)))
    d.emit('s')
    assert seen == []


def test_collection_within_a_registration_loses_no_handler() -> None:
    """Making the tuple of handlers may run the collector, and with it code of the user."""
    d, seen = Dispatcher(), []

    class Registers:
        def __init__(self) -> None:
            self.me = self

        def __del__(self) -> None:
            d.on('a', seen.append)

    before = gc.get_threshold()
    count = 300
    gc.collect()
    try:
        gc.set_threshold(1)
        for _ in range(count):
            Registers()
            d.on('a', lambda _: None)
    finally:
        gc.set_threshold(*before)
    gc.collect()
    d.emit('a', 1)
    assert seen == [1] * count


def test_handler_that_equality_of_a_type_closes_the_dispatcher_under_is_refused() -> None:
    d = Dispatcher()
    ended: list[str] = []

    class Type:
        def __hash__(self) -> int:
            return hash('error')

        def __eq__(self, other: object) -> bool:
            d.close()
            return False

    def handler() -> Generator[None, Any, None]:
        try:
            while True:
                yield
        finally:
            ended.append('closed')

    with pytest.raises(RuntimeError, match='closed'):
        d.on(Type(), handler)
    assert ended == ['closed']

"""What type checkers make of Dispatcher; mypy reads this, nothing runs it."""

from concurrent.futures import Future
from typing import Any, Literal, Protocol, assert_type, overload

from generators import Dispatcher, Handler


class Events(Protocol):
    @overload
    def __call__(self, type: Literal['message'], data: str, /) -> Any: ...
    @overload
    def __call__(self, type: Literal['closed'], /) -> Any: ...


async def typed() -> None:
    d = Dispatcher[Events]()
    d.emit('message', 'hello')
    d.emit('closed')
    await d.aemit('message', 'hello')
    d.emit_threadsafe('message', 'hello')
    d.emit('message', 5)  # type: ignore[call-overload]
    d.emit('mesage', 'hello')  # type: ignore[call-overload]
    d.emit('closed', 'hello')  # type: ignore[call-overload]
    await d.aemit('message', 5)  # type: ignore[call-overload]
    d.emit_threadsafe('message', 5)  # type: ignore[call-overload]


async def untyped() -> None:
    d = Dispatcher()
    assert_type(d.emit('message', 5), bool)
    assert_type(d.emit(5), bool)
    assert_type(await d.aemit('message'), bool)
    assert_type(d.emit_threadsafe('message'), Future[bool])
    assert_type(d.on('message', print), Handler)
    assert_type(d.on('message', print, background=True, on_full='close'), Handler)
    assert_type(d.handlers('message'), tuple[Handler, ...])
    assert_type(len(d), int)
    assert_type([data async for data in d.subscribe('message')], list[Any])
    d.on('message', print, buffersize=5)  # type: ignore[call-overload]
    d.on('message', print, background=True, on_full='drop')  # type: ignore[call-overload]
    d.emit()  # type: ignore[call-arg]
    d.wait_for('message', timeout='5')  # type: ignore[arg-type, unused-coroutine]

    @d.on('message', background=True)
    async def handle(data: str) -> None: ...

    await handle('hello')

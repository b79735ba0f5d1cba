"""Objects of a user whose every method tells that it was called, and may do anything then.

What they do is decided by the world of the moment: `reentry.py` counts the calls of one run, its
moments, and at one of them does something to the object under test.  Each method tells first, and
then does what such a method is for.
"""

from __future__ import annotations

import asyncio
import codecs
import collections
import contextlib
import dataclasses
import gc
import heapq
import sys
import weakref
from collections.abc import Callable, Iterable, Iterator
from typing import Any


def is_native(thing: Any) -> bool:
    return type(thing).__module__.partition('.')[0] == 'native_generators'


class World:
    """One run: what it counts, what is done at which moment, and to what."""

    current: World | None = None

    def __init__(self, at: int = -1, action: Callable[[World], None] | None = None) -> None:
        self.at = at
        self.action = action
        self.names: list[str] = []  # of the moments, in order
        self.giving = False  # what has no such attribute gives itself
        self.failing = False  # sources end with an error
        self.waiting = True  # what is awaited waits
        self.targets: list[Any] = []  # native objects, the oldest first
        self.lost: list[Any] = []  # weak references to those that were dropped
        self.callbacks: list[Any] = []  # native ones, that a loop was given
        self.containers: list[Any] = []  # what can be changed under a reader's hands
        self.made: list[Any] = []  # by an action: coroutines that are under way
        self.sources: list[Any] = []  # weak references
        self.teller: Any = None  # whose method tells of the present moment
        self.kinds: dict[str, type] = {}  # all types that were met
        self.fired = False
        self.over = True  # nothing is counted
        self.loop = Loop()
        self.task = Task(None, self.loop)

    def __enter__(self) -> World:
        World.current = self
        self.loop.begin(self.task)
        self.over = False
        return self

    def __exit__(self, *exception: object) -> None:
        self.over = True
        self.loop.end(self.task)
        World.current = None

    def tell(self, name: str, teller: Any = None) -> None:
        number = len(self.names)
        self.names.append(name)
        if number == self.at and not self.fired:
            self.fired = True
            self.teller = teller
            try:
                assert self.action is not None
                self.action(self)
            finally:
                self.teller = None

    def watch(self, thing: Any) -> Any:
        """It is one of what is attacked."""
        if is_native(thing) and not any(thing is one for one in self.targets):
            self.targets.append(thing)
            self.kinds.setdefault(type(thing).__name__, type(thing))
        return thing

    def meet(self, callback: Any) -> None:
        """A loop was given this to call."""
        owner = getattr(callback, '__self__', None)
        for one in (callback, owner):
            if is_native(one):
                self.watch(one)
        if is_native(owner) or is_native(callback):
            self.callbacks.append(callback)

    def drop(self) -> None:
        """Hold none of it any longer."""
        dropped, self.targets = self.targets, []
        self.callbacks.clear()
        for one in dropped:
            with contextlib.suppress(TypeError):
                self.lost.append(weakref.ref(one))
        del dropped
        if self.teller is None:
            return
        gc.collect(0)

    def tie(self, owner: Any) -> None:
        """What the object reads holds the object."""
        for reference in self.sources:
            source = reference()
            if source is not None:
                source.owner = owner

    def living(self) -> list[Any]:
        found = [*self.targets, *(reference() for reference in self.lost)]
        found.append(getattr(self.teller, 'owner', None))
        return [one for one in reversed(found) if is_native(one)]

    # ---- what a user gives ----

    def container(self, made: Any) -> Any:
        self.containers.append(made)
        return made


def tell(name: str, teller: Any = None) -> None:
    world = World.current
    if world is not None and not world.over:
        world.tell(name, teller)


def world() -> World:
    assert World.current is not None
    return World.current


class Hostile:
    """What all of them do."""

    owner: Any = None

    def __del__(self) -> None:
        tell(f'{type(self).__name__}.__del__', self)

    def __repr__(self) -> str:
        tell(f'{type(self).__name__}.__repr__', self)
        return 'hostile'

    def __str__(self) -> str:
        tell(f'{type(self).__name__}.__str__', self)
        return 'hostile'

    def __eq__(self, other: object) -> bool:
        tell(f'{type(self).__name__}.__eq__', self)
        return self is other

    def __hash__(self) -> int:
        tell(f'{type(self).__name__}.__hash__', self)
        return 1

    def __getattr__(self, name: str) -> Any:
        if name in ('__class__', '__dict__', '__set_name__'):
            raise AttributeError(name)
        tell(f'{type(self).__name__}.{name}', self)
        if World.current is not None and World.current.giving:
            return self
        raise AttributeError(name)

    def __call__(self, *args: Any, **options: Any) -> Any:
        tell(f'{type(self).__name__}.__call__', self)
        return self


class Item(Hostile):
    """Any value: a field, an item, an event's data."""

    def __bool__(self) -> bool:
        tell('Item.__bool__', self)
        return True

    def __float__(self) -> float:
        tell('Item.__float__', self)
        return 1.0

    def __index__(self) -> int:
        tell('Item.__index__', self)
        return 1

    def __len__(self) -> int:
        tell('Item.__len__', self)
        return 1


class Text(str):
    """A str of a class of its own."""

    owner: Any = None

    def __del__(self) -> None:
        tell('Text.__del__', self)

    def __repr__(self) -> str:
        tell('Text.__repr__', self)
        return str.__repr__(self)

    def __str__(self) -> str:
        tell('Text.__str__', self)
        return str.__str__(self)

    def __eq__(self, other: object) -> bool:
        tell('Text.__eq__', self)
        return str.__eq__(self, other)

    def __hash__(self) -> int:
        tell('Text.__hash__', self)
        return str.__hash__(self)

    def __getattr__(self, name: str) -> Any:
        tell(f'Text.{name}', self)
        raise AttributeError(name)


class Number(float):
    def __del__(self) -> None:
        tell('Number.__del__', self)

    def __repr__(self) -> str:
        tell('Number.__repr__', self)
        return '1.5'

    __str__ = __repr__


class Buffer(bytearray):
    """Bytes that can be changed."""

    def __del__(self) -> None:
        tell('Buffer.__del__', self)

    def __len__(self) -> int:
        tell('Buffer.__len__', self)
        return bytearray.__len__(self)

    def __buffer__(self, flags: int) -> memoryview:  # from 3.12 on
        tell('Buffer.__buffer__', self)
        return super().__buffer__(flags)  # type: ignore[misc,no-any-return]

    def __release_buffer__(self, view: memoryview) -> None:
        tell('Buffer.__release_buffer__', self)
        super().__release_buffer__(view)  # type: ignore[misc]


class Error(Exception):
    """Every way in which an error is looked at."""

    def __del__(self) -> None:
        tell('Error.__del__', self)

    def __str__(self) -> str:
        tell('Error.__str__', self)
        return 'an error'

    __repr__ = __str__

    def add_note(self, note: str) -> None:
        tell('Error.add_note', self)
        super().add_note(note)

    @property
    def __notes__(self) -> list[str]:
        tell('Error.__notes__', self)
        return vars(self).setdefault('notes', [])  # type: ignore[no-any-return]

    @__notes__.setter
    def __notes__(self, notes: Any) -> None:
        tell('Error.__notes__ =', self)

    def __getattr__(self, name: str) -> Any:
        tell(f'Error.{name}', self)
        raise AttributeError(name)


class Row(collections.UserList[Any]):
    """A sequence of fields."""

    owner: Any = None

    def __iter__(self) -> Iterator[Any]:
        tell('Row.__iter__', self)
        for field in list(self.data):
            tell('Row.next', self)
            yield field

    def __len__(self) -> int:
        tell('Row.__len__', self)
        return len(self.data)

    def __getitem__(self, place: Any) -> Any:
        tell('Row.__getitem__', self)
        return self.data[place]

    def __del__(self) -> None:
        tell('Row.__del__', self)


class Keyed(collections.UserDict[Any, Any]):
    """A mapping."""

    owner: Any = None

    def __iter__(self) -> Iterator[Any]:
        tell('Keyed.__iter__', self)
        for key in list(self.data):
            tell('Keyed.next', self)
            yield key

    def __len__(self) -> int:
        tell('Keyed.__len__', self)
        return len(self.data)

    def __getitem__(self, key: Any) -> Any:
        tell('Keyed.__getitem__', self)
        return self.data[key]

    def __contains__(self, key: Any) -> bool:
        tell('Keyed.__contains__', self)
        return key in self.data

    def keys(self) -> Any:
        tell('Keyed.keys', self)
        return super().keys()

    def get(self, key: Any, default: Any = None) -> Any:
        tell('Keyed.get', self)
        return self.data.get(key, default)

    def __del__(self) -> None:
        tell('Keyed.__del__', self)


@dataclasses.dataclass(eq=False)
class Record(Hostile):
    a: Any
    b: Any


class Call(Hostile):
    """A callable: what it was made with does the work."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *args: Any, **options: Any) -> Any:
        tell('Call.__call__', self)
        return self.function(*args, **options)


class Held:
    """A step, held here alone: a frame that an error keeps would hold it otherwise."""

    def __init__(self, step: Any) -> None:
        self.step = step


# --- files ----------------------------------------------------------------------------------------


class File(Hostile):
    """A file object, in all its methods."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.place = 0
        world().sources.append(weakref.ref(self))

    def read(self, size: int = -1) -> Any:
        tell('File.read', self)
        piece = self.data[self.place :] if size < 0 else self.data[self.place :][: min(size, 4)]
        self.place += len(piece)
        return piece

    def readline(self) -> Any:
        tell('File.readline', self)
        return self.read(4)

    def __iter__(self) -> Any:
        tell('File.__iter__', self)
        return self

    def __next__(self) -> Any:
        tell('File.__next__', self)
        piece = self.read(4)
        if not piece:
            raise StopIteration
        return piece

    def seekable(self) -> bool:
        tell('File.seekable', self)
        return True

    def tell(self) -> int:
        tell('File.tell', self)
        return self.place

    def seek(self, place: int, whence: int = 0) -> int:
        tell('File.seek', self)
        self.place = place if whence == 0 else len(self.data)
        return self.place

    def write(self, text: Any) -> Any:
        tell('File.write', self)
        return Item()

    def close(self) -> None:
        tell('File.close', self)


class AsyncFile(Hostile):
    """A file object whose read() is a coroutine."""

    def __init__(self, data: Any) -> None:
        self.data = data
        world().sources.append(weakref.ref(self))

    async def read(self, size: int = -1) -> Any:
        tell('AsyncFile.read', self)
        piece, self.data = self.data[:4], self.data[4:]
        await Awaitable(None)
        return await pause(piece)

    async def aclose(self) -> None:
        tell('AsyncFile.aclose', self)


# --- sources --------------------------------------------------------------------------------------


class Source(Hostile):
    """A generator by its methods."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = iter(items)
        world().sources.append(weakref.ref(self))

    def __iter__(self) -> Any:
        tell('Source.__iter__', self)
        return self

    def __length_hint__(self) -> int:
        tell('Source.__length_hint__', self)
        return 3

    def __next__(self) -> Any:
        tell('Source.__next__', self)
        try:
            return next(self.items)
        except StopIteration:
            if world().failing:
                raise Error('the end') from None
            raise

    def send(self, value: Any) -> Any:
        tell('Source.send', self)
        return next(self.items)

    def throw(self, error: Any, *rest: Any) -> Any:
        tell('Source.throw', self)
        self.items = iter(())
        raise error

    def close(self) -> None:
        tell('Source.close', self)
        self.items = iter(())
        if world().failing:
            raise Error('at its close')


class Waiting(Hostile):
    """What __await__() gives: it waits once, and then gives its value."""

    def __init__(self, value: Any, gives: Any = None) -> None:
        self.value = value
        self.gives = gives
        self.began = False

    def __iter__(self) -> Any:
        tell('Waiting.__iter__', self)
        return self

    def __next__(self) -> Any:
        tell('Waiting.__next__', self)
        if not self.began and world().waiting:
            self.began = True
            return self.gives
        if isinstance(self.value, BaseException):
            raise self.value
        raise StopIteration(self.value)

    def send(self, value: Any) -> Any:
        tell('Waiting.send', self)
        return self.__next__()

    def throw(self, error: Any, *rest: Any) -> Any:
        tell('Waiting.throw', self)
        raise error

    def close(self) -> None:
        tell('Waiting.close', self)


class Awaitable(Hostile):
    def __init__(self, value: Any, gives: Any = None) -> None:
        self.value = value
        self.gives = gives

    def __await__(self) -> Any:
        tell('Awaitable.__await__', self)
        value, self.value = self.value, None
        return Waiting(value, self.gives)


def pause(value: Any) -> Any:
    """An awaitable of that value that waits for a future of the loop, as most do."""
    return Future.ready_later(asyncio._get_running_loop() or world().loop, value)


class AsyncSource(Hostile):
    """An async generator by its methods."""

    how: Any = staticmethod(Awaitable)

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = iter(items)
        world().sources.append(weakref.ref(self))

    def __aiter__(self) -> Any:
        tell('AsyncSource.__aiter__', self)
        return self

    def __anext__(self) -> Any:
        tell('AsyncSource.__anext__', self)
        for item in self.items:
            return self.how(item)
        return self.how(Error('the end') if world().failing else StopAsyncIteration())

    def asend(self, value: Any) -> Any:
        tell('AsyncSource.asend', self)
        return self.__anext__()

    def athrow(self, error: Any, *rest: Any) -> Any:
        tell('AsyncSource.athrow', self)
        self.items = iter(())
        return self.how(error)

    def aclose(self) -> Any:
        tell('AsyncSource.aclose', self)
        self.items = iter(())
        return self.how(Error('at its close') if world().failing else None)


class SlowSource(AsyncSource):
    """The same, where each step waits for a future of the loop."""

    how: Any = staticmethod(pause)


def generator(items: Iterable[Any]) -> Iterator[Any]:
    """A true generator, which tells of its steps, too."""
    try:
        for item in items:
            tell('generator')
            yield item
        if world().failing:
            raise Error('the end')
    finally:
        tell('generator.finally')


async def async_generator(items: Iterable[Any], how: Any = pause) -> Any:
    try:
        for item in items:
            tell('async_generator')
            yield await how(item)
        if world().failing:
            raise Error('the end')
    finally:
        tell('async_generator.finally')
        await how(None)


# --- the loop -------------------------------------------------------------------------------------


class Handle(Hostile):
    def __init__(self, callback: Any, args: Any) -> None:
        self.callback = callback
        self.args = args
        self.off = False

    def cancel(self) -> None:
        tell('Handle.cancel', self)
        self.off = True

    def cancelled(self) -> bool:
        return self.off

    def __lt__(self, other: Any) -> bool:
        return id(self) < id(other)

    def run(self) -> None:
        if not self.off:
            self.callback(*self.args)


def set_current_task(loop: Any, task: Any) -> Any:
    """The one that was before."""
    before = asyncio.current_task(loop)
    if before is not None:
        asyncio.tasks._leave_task(loop, before)
    if task is not None:
        asyncio.tasks._enter_task(loop, task)
    return before


class Loop(Hostile, asyncio.AbstractEventLoop):
    """An event loop; its time is of its own, and passes when there is nothing else to do."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self) -> None:
        self.ready: collections.deque[Any] = collections.deque()
        self.timers: list[Any] = []
        self.now = 0.0
        self.closed = False
        self.errors: list[Any] = []

    # ---- what streams call ----

    def call_soon(self, callback: Any, *args: Any, context: Any = None) -> Any:
        tell('Loop.call_soon', self)
        world().meet(callback)
        handle = Handle(callback, args)
        self.ready.append(handle)
        return handle

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_soon(callback, *args)

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        tell('Loop.call_later', self)
        world().meet(callback)
        handle = Handle(callback, args)
        heapq.heappush(self.timers, (self.now + delay, handle))
        return handle

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_later(when - self.now, callback, *args)

    def create_future(self) -> Any:
        tell('Loop.create_future', self)
        return Future(self)

    def create_task(self, coroutine: Any, **options: Any) -> Any:
        tell('Loop.create_task', self)
        world().watch(coroutine)
        task = Task(coroutine, self)
        self.ready.append(Handle(task.step, ()))
        return task

    def get_task_factory(self) -> Any:
        tell('Loop.get_task_factory', self)
        return self.create_task

    def call_exception_handler(self, context: Any) -> None:
        tell('Loop.call_exception_handler', self)
        self.errors.append(context.get('exception'))

    def time(self) -> float:
        tell('Loop.time', self)
        return self.now

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        tell('Loop.is_running', self)
        return True

    def is_closed(self) -> bool:
        tell('Loop.is_closed', self)
        return self.closed

    # ---- what the run does with it ----

    def begin(self, task: Any) -> None:
        asyncio._set_running_loop(self)  # type: ignore[arg-type]
        set_current_task(self, task)

    def end(self, task: Any) -> None:
        set_current_task(self, None)
        asyncio._set_running_loop(None)

    def turn(self, timers: bool = False) -> bool:
        """Run what is ready; whether there was anything."""
        if not self.ready and timers:
            while self.timers and self.timers[0][1].off:
                heapq.heappop(self.timers)
            if self.timers:
                self.now, handle = heapq.heappop(self.timers)
                self.ready.append(handle)
        any_ready = bool(self.ready)
        outer = set_current_task(self, None)
        for _ in range(len(self.ready)):
            try:
                self.ready.popleft().run()
            except IndexError:
                break
            except BaseException as error:
                world().loop.errors.append(error)
        set_current_task(self, outer)
        return any_ready

    def run_until(self, done: Callable[[], bool]) -> bool:
        for _ in range(100):
            if done():
                return True
            if not self.turn(timers=True):
                break
        return done()


def is_future(given: Any) -> bool:
    """Whether that which a step yields is a future: one of ours, or the stream's own."""
    return getattr(type(given), '_asyncio_future_blocking', None) is not None


class Future(Hostile):
    """A future, by all that a task and a stream ask of one."""

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, loop: Any) -> None:
        self.loop = loop
        self.state = 'pending'
        self.value: Any = None
        self.callbacks: list[Any] = []
        self.blocking = False

    @classmethod
    def ready_later(cls, loop: Any, value: Any) -> Any:
        made = cls(loop)
        if world().waiting:
            loop.ready.append(Handle(made.settle, (value,)))
        else:
            made.settle(value)
        return made

    def settle(self, value: Any) -> None:
        if self.state == 'pending':
            self.value = value
            self.state = 'done'
            self._called()

    def _called(self) -> None:
        for callback in self.callbacks:
            self.loop.ready.append(Handle(callback, (self,)))
        self.callbacks.clear()

    @property
    def _asyncio_future_blocking(self) -> bool:
        tell('Future._asyncio_future_blocking', self)
        return self.blocking

    @_asyncio_future_blocking.setter
    def _asyncio_future_blocking(self, value: bool) -> None:
        tell('Future._asyncio_future_blocking =', self)
        self.blocking = value

    def get_loop(self) -> Any:
        tell('Future.get_loop', self)
        return self.loop

    def done(self) -> bool:
        tell('Future.done', self)
        return self.state != 'pending'

    def cancelled(self) -> bool:
        tell('Future.cancelled', self)
        return self.state == 'cancelled'

    def cancel(self, msg: Any = None) -> bool:
        tell('Future.cancel', self)
        if self.state != 'pending':
            return False
        self.state = 'cancelled'
        self._called()
        return True

    def set_result(self, value: Any) -> None:
        tell('Future.set_result', self)
        if self.state != 'pending':
            raise asyncio.InvalidStateError
        self.settle(value)

    def set_exception(self, error: Any) -> None:
        tell('Future.set_exception', self)
        self.settle(error)

    def result(self) -> Any:
        tell('Future.result', self)
        if self.state == 'cancelled':
            raise asyncio.CancelledError
        if self.state == 'pending':
            raise asyncio.InvalidStateError
        if isinstance(self.value, BaseException):
            raise self.value
        return self.value

    def exception(self) -> Any:
        tell('Future.exception', self)
        return self.value if isinstance(self.value, BaseException) else None

    def add_done_callback(self, callback: Any, *, context: Any = None) -> None:
        tell('Future.add_done_callback', self)
        world().meet(callback)
        if self.state == 'pending':
            self.callbacks.append(callback)
        else:
            self.loop.ready.append(Handle(callback, (self,)))

    def remove_done_callback(self, callback: Any) -> int:
        tell('Future.remove_done_callback', self)
        before = len(self.callbacks)
        self.callbacks = [one for one in self.callbacks if one != callback]
        return before - len(self.callbacks)

    def __await__(self) -> Any:
        tell('Future.__await__', self)
        return FutureWaiting(self)


class FutureWaiting(Hostile):
    def __init__(self, future: Any) -> None:
        self.future = future
        self.began = False

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        tell('FutureWaiting.__next__', self)
        if self.future.state == 'pending':
            self.future.blocking = True
            return self.future
        raise StopIteration(self.future.result())

    def send(self, value: Any) -> Any:
        tell('FutureWaiting.send', self)
        return self.__next__()

    def throw(self, error: Any, *rest: Any) -> Any:
        tell('FutureWaiting.throw', self)
        raise error

    def close(self) -> None:
        tell('FutureWaiting.close', self)


class Task(Future):
    """A task, by all that a stream asks of one."""

    def __init__(self, coroutine: Any, loop: Any) -> None:
        super().__init__(loop)
        self.coroutine = coroutine
        self.waits: Any = None
        self.cancels = False

    def get_coro(self) -> Any:
        return self.coroutine

    def get_name(self) -> str:
        return 'task'

    def cancel(self, msg: Any = None) -> bool:
        tell('Task.cancel', self)
        if self.state != 'pending':
            return False
        if self.waits is not None and self.waits.cancel():
            return True
        self.cancels = True
        return True

    def cancelling(self) -> int:
        return int(self.cancels)

    def uncancel(self) -> int:
        self.cancels = False
        return 0

    def step(self, woken: Any = None) -> None:
        if self.state != 'pending':
            return
        self.waits = None
        outer = set_current_task(self.loop, self)
        try:
            self.step_entered(woken)
        finally:
            set_current_task(self.loop, outer)

    def step_entered(self, woken: Any) -> None:
        error: BaseException | None = None
        if self.cancels or (woken is not None and woken.cancelled()):
            self.cancels = False
            error = asyncio.CancelledError()
        try:
            given = self.coroutine.send(None) if error is None else self.coroutine.throw(error)
        except StopIteration as stop:
            self.settle(stop.value)
        except asyncio.CancelledError:
            Future.cancel(self)
        except BaseException as raised:
            self.settle(raised)
            if not isinstance(raised, Exception):
                raise
        else:
            if is_future(given):
                given._asyncio_future_blocking = False
                self.waits = given
                given.add_done_callback(self.step)
            else:
                self.loop.ready.append(Handle(self.step, ()))


class Executor(Hostile):
    """It runs what it is given on the spot."""

    def submit(self, function: Any, *args: Any) -> Any:
        tell('Executor.submit', self)
        world().meet(function)
        function(*args)
        return Done()


class Done(Hostile):
    """The future of an executor that has done it."""

    def add_done_callback(self, callback: Any) -> None:
        tell('Done.add_done_callback', self)
        callback(self)

    def cancel(self) -> bool:
        tell('Done.cancel', self)
        return False

    def done(self) -> bool:
        tell('Done.done', self)
        return True


class InlineLoop(Loop):
    """The loop of another thread, so to say: what it is given is run at once."""

    def call_soon_threadsafe(self, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = self.call_soon(callback, *args)
        outer = world().loop
        outer.end(world().task)
        inner = Task(None, self)
        self.begin(inner)
        try:
            for _ in range(20):
                if not self.turn(timers=True):
                    break
        finally:
            self.end(inner)
            outer.begin(world().task)
        return handle


# --- encodings ------------------------------------------------------------------------------------


class Decoder(codecs.IncrementalDecoder):
    def decode(self, data: Any, final: bool = False) -> str:
        tell('Decoder.decode', self)
        return bytes(data).decode('latin-1')

    def reset(self) -> None:
        tell('Decoder.reset', self)

    def getstate(self) -> Any:
        tell('Decoder.getstate', self)
        return b'', 0

    def setstate(self, state: Any) -> None:
        tell('Decoder.setstate', self)

    def __del__(self) -> None:
        tell('Decoder.__del__', self)


class Encoder(codecs.IncrementalEncoder):
    def encode(self, text: str, final: bool = False) -> bytes:
        tell('Encoder.encode', self)
        return text.encode('latin-1', 'replace')

    def __del__(self) -> None:
        tell('Encoder.__del__', self)


def encode(text: str, errors: str = 'strict') -> tuple[bytes, int]:
    tell('encode')
    return text.encode('latin-1', 'replace'), len(text)


def decode(data: Any, errors: str = 'strict') -> tuple[str, int]:
    tell('decode')
    return bytes(data).decode('latin-1'), len(data)


def find_codec(name: str) -> Any:
    if name != 'hostile':
        return None
    return codecs.CodecInfo(
        encode, decode, incrementalencoder=Encoder, incrementaldecoder=Decoder, name='hostile'
    )


def handle_error(error: Any) -> tuple[str, int]:
    tell('handle_error')
    return '?', error.end


codecs.register(find_codec)
codecs.register_error('hostile', handle_error)


def watch_async_generators(world: World) -> Any:
    """Its hooks tell, too."""

    def first(stream: Any) -> None:
        tell('firstiter')

    def last(stream: Any) -> None:
        tell('finalizer')
        world.meet(stream.aclose)
        world.watch(stream)

    before = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(first, last)
    return before

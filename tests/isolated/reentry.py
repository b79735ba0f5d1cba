"""Code of the user's, run at every moment, that uses the object which runs it.

    python -m tests.isolated.reentry [SUBJECT ...] [--all] [--case CASE]

Each type is made of hostile objects (hostile.py) and lives through each of its lives once, while
the calls of those objects are counted: its moments.  Then it lives again, for each moment and each
of what can be done to it (every method of it and of its steps, its attributes, dropping it,
changing what it reads, raising), and that is done at that moment.  What comes of it may be any
error, but no crash, no hang, no SystemError, no lost Ctrl-C, and an object that is stuck.

A subject's cases are run in a process of its own, which notes each before it begins it: one that
ends the process is known, and the next process goes on behind it.  Without --all a sample of them
is run, always the same.
"""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import functools
import gc
import inspect
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.isolated.hostile import (
    Error,
    Future,
    Held,
    Item,
    World,
    is_future,
    is_native,
    watch_async_generators,
)
from tests.isolated.reentry_subjects import NEVER, SUBJECTS, Subject

SAMPLE = 300  # cases of a subject, if not all
SECONDS = float(os.environ.get('GENERATORS_CASE_SECONDS', '10'))  # for one of them
CRASHES = 5  # of one subject: then it is given up


# What was found and is not mended yet; what is found beyond it fails.
OPEN = [
    # On a busy machine, once in many runs; it was not seen again when it was looked for.
    r'Future\.get_loop \| to_async\..*SystemError: .* returned a result with an exception set',
]


def is_open(failure: str) -> bool:
    return any(re.search(known, failure) for known in OPEN)


# --- a life ---------------------------------------------------------------------------------------


class Stuck(AssertionError):
    """The object can't be used, or closed, any longer."""


def chain(error: BaseException | None, seen: set[int]) -> Iterator[BaseException]:
    """It, and what it came from."""
    if error is None or id(error) in seen:
        return
    seen.add(id(error))
    yield error
    yield from chain(error.__cause__, seen)
    yield from chain(error.__context__, seen)
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from chain(one, seen)


def bare(error: BaseException) -> BaseException:
    """Without its tracebacks, which hold what was called."""
    for one in chain(error, set()):
        one.__traceback__ = None
    return error


class Run:
    """What a life does with the object, and what came of it."""

    def __init__(self, world: World, thing: Any) -> None:
        self.world = world
        self.thing = thing
        self.raised: list[BaseException] = []

    def watch(self, thing: Any) -> Any:
        return self.world.watch(thing)

    def attempt(self, act: Callable[[], Any]) -> Any:
        """What it gives; None where it raises."""
        try:
            return self.watch(act())
        except BaseException as error:
            self.raised.append(bare(error))
        return None

    def step(self, coroutine: Any) -> bool:
        """One step of a coroutine: whether it goes on."""
        if coroutine is None:
            return False
        try:
            given = coroutine.send(None)
        except StopIteration as stop:
            self.watch(stop.value)
            return False
        except BaseException as error:
            self.raised.append(bare(error))
            return False
        self.wait(given)
        return True

    def wait(self, given: Any) -> None:
        if isinstance(given, Future):
            given.blocking = False

            def woken(future: Any) -> None:
                pass

            given.callbacks.append(woken)
            self.world.loop.run_until(lambda: given.state != 'pending')
            if woken in given.callbacks:
                given.callbacks.remove(woken)
        elif is_future(given):
            given._asyncio_future_blocking = False
            self.world.loop.run_until(given.done)
        else:
            self.world.loop.turn()

    def finish(self, coroutine: Any) -> None:
        for _ in range(30):
            if not self.step(coroutine):
                return
        self.attempt(lambda: coroutine.throw(asyncio.CancelledError()))
        self.attempt(coroutine.close)

    def drive(self, make: Callable[[], Any]) -> None:
        self.finish(self.attempt(make))

    def drop(self) -> None:
        """Forget it."""
        self.thing = None
        self.world.drop()
        gc.collect(0)

    def drop_step(self, held: Held) -> None:
        """Forget that step alone."""
        targets = self.world.targets
        self.world.targets = [one for one in targets if one is not held.step]
        del targets
        held.step = None


# What is done with what has the methods of a generator.


def to_the_end(run: Run) -> None:
    for _ in range(12):
        before = len(run.raised)
        run.attempt(lambda: next(run.thing))
        if len(run.raised) > before:
            break
    run.attempt(lambda: next(run.thing))
    run.attempt(getattr(run.thing, 'close', int))


def closed_midway(run: Run) -> None:
    run.attempt(lambda: next(run.thing))
    run.attempt(run.thing.close)
    run.attempt(run.thing.close)


def thrown_into(run: Run) -> None:
    run.attempt(lambda: run.thing.send(None))
    run.attempt(lambda: run.thing.throw(Error('thrown')))
    run.attempt(lambda: next(run.thing))


def primed_and_closed(run: Run) -> None:
    run.attempt(run.thing.prime)
    run.attempt(run.thing.close)


def with_it(run: Run) -> None:
    def use() -> None:
        with run.thing as stream:
            next(stream)

    run.attempt(use)


def dropped_midway(run: Run) -> None:
    run.attempt(lambda: next(run.thing))
    run.drop()


def dropped_new(run: Run) -> None:
    run.drop()


def collected(run: Run) -> None:
    run.attempt(lambda: next(run.thing))
    run.world.tie(run.thing)
    run.drop()
    gc.collect()


SYNC: dict[str, Callable[[Run], None]] = {
    'read to the end': to_the_end,
    'closed midway': closed_midway,
    'thrown into': thrown_into,
    'primed and closed': primed_and_closed,
    'with it': with_it,
    'dropped midway': dropped_midway,
    'dropped new': dropped_new,
    'collected': collected,
}

# The same of an async stream.


def begin_step(run: Run) -> Held:
    """A step that waits, if it ever does."""
    for _ in range(6):
        held = Held(run.attempt(lambda: run.thing.__anext__()))
        if held.step is None or begins(run, held):
            break
    return held


def begins(run: Run, held: Held) -> bool:
    """Whether the step came to anything else than an item."""
    try:
        given = held.step.send(None)
    except StopIteration:
        return False
    except BaseException as error:
        run.raised.append(bare(error))
        return True
    if is_future(given):
        given._asyncio_future_blocking = False
    return True


def aread_to_the_end(run: Run) -> None:
    for _ in range(12):
        before = len(run.raised)
        run.drive(lambda: run.thing.__anext__())
        if len(run.raised) > before:
            break
    run.drive(lambda: run.thing.__anext__())
    run.drive(run.thing.aclose)


def aclosed_midway(run: Run) -> None:
    run.drive(lambda: run.thing.__anext__())
    run.drive(run.thing.aclose)
    run.drive(run.thing.aclose)


def aprimed_and_closed(run: Run) -> None:
    run.drive(run.thing.aprime)
    run.drive(run.thing.aclose)


def athrown_into(run: Run) -> None:
    run.drive(lambda: run.thing.asend(None))
    run.drive(lambda: run.thing.athrow(Error('thrown')))
    run.drive(lambda: run.thing.__anext__())


def async_with_it(run: Run) -> None:
    run.drive(run.thing.__aenter__)
    run.drive(lambda: run.thing.__anext__())
    run.drive(lambda: run.thing.__aexit__(None, None, None))


def step_thrown_into(run: Run) -> None:
    held = begin_step(run)
    run.attempt(lambda: held.step.throw(asyncio.CancelledError()))
    run.attempt(lambda: held.step.send(None))
    run.drive(lambda: run.thing.__anext__())
    run.drive(run.thing.aclose)


def step_closed(run: Run) -> None:
    for _ in range(2):
        held = begin_step(run)
        run.attempt(lambda held=held: held.step.close())
        run.attempt(lambda held=held: held.step.close())
    run.drive(run.thing.aclose)


def step_dropped(run: Run) -> None:
    for _ in range(2):
        held = begin_step(run)
        run.drop_step(held)
    run.drive(run.thing.aclose)


def closed_beside_a_step(run: Run) -> None:
    held = begin_step(run)
    run.drive(run.thing.aclose)
    run.finish(held.step)
    run.drive(run.thing.aclose)


def adropped_midway(run: Run) -> None:
    run.drive(lambda: run.thing.__anext__())
    run.drop()
    run.world.loop.turn()
    run.world.loop.turn()


def adropped_beside_a_step(run: Run) -> None:
    begin_step(run)
    run.drop()
    run.world.loop.turn()
    run.world.loop.turn()


def acollected(run: Run) -> None:
    run.world.tie([run.thing, begin_step(run).step])
    run.drop()
    gc.collect()
    run.world.loop.turn()


def read_by_tasks(run: Run) -> None:
    loop = run.world.loop
    tasks = [
        loop.create_task(step)
        for _ in range(2)
        if (step := run.attempt(lambda: run.thing.__anext__())) is not None
    ]
    loop.turn()
    for task in tasks:
        task.cancel()
    loop.run_until(lambda: all(task.state != 'pending' for task in tasks))
    run.drive(run.thing.aclose)


def with_the_task(run: Run) -> None:
    """What is to be closed with its task: it ends."""
    run.drive(lambda: run.thing.__anext__())
    run.world.task.settle(None)
    for _ in range(4):
        run.world.loop.turn()
    run.drive(run.thing.aclose)


ASYNC: dict[str, Callable[[Run], None]] = {
    'read to the end': aread_to_the_end,
    'closed midway': aclosed_midway,
    'primed and closed': aprimed_and_closed,
    'thrown into': athrown_into,
    'with it': async_with_it,
    'step thrown into': step_thrown_into,
    'step closed': step_closed,
    'step dropped': step_dropped,
    'closed beside a step': closed_beside_a_step,
    'dropped midway': adropped_midway,
    'dropped beside a step': adropped_beside_a_step,
    'dropped new': dropped_new,
    'collected': acollected,
    'read by tasks': read_by_tasks,
    'with the task': with_the_task,
}

# The same of a coroutine.


def awaited(run: Run) -> None:
    run.finish(run.thing)
    run.attempt(lambda: run.thing.send(None))


def coroutine_thrown_into(run: Run) -> None:
    run.step(run.thing)
    run.attempt(lambda: run.thing.throw(Error('thrown')))
    run.finish(run.thing)


def coroutine_closed(run: Run) -> None:
    run.step(run.thing)
    run.attempt(run.thing.close)
    run.attempt(run.thing.close)


def coroutine_dropped(run: Run) -> None:
    run.step(run.thing)
    run.drop()


def in_a_task(run: Run) -> None:
    task = run.world.loop.create_task(run.thing)
    run.world.loop.turn()
    task.cancel()
    run.world.loop.run_until(lambda: task.state != 'pending')


COROUTINE: dict[str, Callable[[Run], None]] = {
    'awaited': awaited,
    'thrown into': coroutine_thrown_into,
    'closed': coroutine_closed,
    'dropped': coroutine_dropped,
    'dropped new': dropped_new,
    'in a task': in_a_task,
}


def called(run: Run) -> None:
    run.drive(run.thing)
    run.drive(lambda: run.thing.__get__(Item(), Item)())


def lives_of(subject: Subject, thing: Any) -> dict[str, Callable[[Run], None]]:
    if subject.lives is not None:
        return subject.lives
    if hasattr(thing, '__anext__'):
        return ASYNC
    if hasattr(thing, 'cr_running') or (hasattr(thing, '__await__') and hasattr(thing, 'send')):
        return COROUTINE
    if hasattr(thing, 'throw'):
        return SYNC
    if hasattr(thing, '__next__'):
        return {'read to the end': to_the_end, 'dropped midway': dropped_midway}
    assert callable(thing), f'give {subject.name} lives of its own'
    return {'called': called}


# --- what is done at a moment ---------------------------------------------------------------------

# What a method of that name is given; others get a hostile object for each that they ask for.
ARGUMENTS: dict[str, list[Callable[[], tuple[Any, ...]]]] = {
    'send': [lambda: (None,)],
    'asend': [lambda: (None,), lambda: (Item(),)],
    'throw': [lambda: (Error('thrown'),), lambda: (GeneratorExit(),)],
    'athrow': [lambda: (Error('thrown'),)],
    '__exit__': [lambda: (None, None, None)],
    '__aexit__': [lambda: (None, None, None)],
    '__init__': [lambda: ([],)],
    'off': [lambda: ('a', ...), lambda: ('b', ...)],
    'on': [lambda: ('b', print_nothing)],
    'emit': [lambda: ('a', Item()), lambda: ('b', Item()), lambda: ('fails', Item())],
    'aemit': [lambda: ('b', Item())],
    'emit_threadsafe': [lambda: ('b', Item())],
    'wait_for': [lambda: ('b',)],
    'run': [lambda: ([('b', Item())],)],
    'arun': [lambda: ([('b', Item())],)],
    'dispatch': [lambda: (('b', Item()),)],
    'adispatch': [lambda: (('b', Item()),)],
    'writerow': [lambda: ([Item()],), lambda: ({'a': Item()},)],
    'writerows': [lambda: ([[Item()]],)],
    '__getitem__': [lambda: (0,), lambda: ('a',), lambda: (slice(None),)],
    '__setstate__': [],
    '__reduce_ex__': [lambda: (4,)],
    '__get__': [lambda: (Item(), Item)],
    '__call__': [tuple],
}
NOT_CALLED = {
    '__class__', '__new__', '__init_subclass__', '__subclasshook__', '__class_getitem__',
    '__getattribute__', '__setattr__', '__delattr__', '__getstate__', '__dir__', '__format__',
    '__lt__', '__le__', '__gt__', '__ge__', '__ne__',
}  # fmt: skip


def print_nothing(data: object) -> None:
    """A handler."""


class Action(NamedTuple):
    name: str
    act: Callable[[World], None]


def is_coroutine(thing: Any) -> bool:
    return hasattr(thing, 'send') and hasattr(thing, 'close') and not hasattr(thing, 'gi_frame')


def handlers_in(world: World) -> list[Any]:
    return [one for one in world.living() if type(one).__name__ == 'Handler']


def call(world: World, target: Any, method: str, arguments: Any, then: str) -> None:
    given = arguments()
    if ... in given:  # a handler: each
        for handler in handlers_in(world):
            attempt(world, lambda handler=handler: target.off(given[0], handler.handler))
        return
    made = attempt(world, lambda: getattr(target, method)(*given))
    if not is_coroutine(made) or made is target:
        return
    if then == 'kept':
        world.made.append(made)
        attempt(world, lambda: made.send(None))
    elif then == 'driven':
        drive(world, made)
    elif then == 'dropped':
        attempt(world, lambda: made.send(None))


def drive(world: World, coroutine: Any) -> None:
    """To its end, if it has one."""
    for _ in range(20):
        ends: list[Any] = []
        given = attempt(world, lambda: coroutine.send(None), ends)
        if ends:
            return
        if is_future(given):
            given._asyncio_future_blocking = False
        world.loop.turn(timers=True)
    world.made.append(coroutine)


SEEN_ERRORS: list[BaseException] = []


def attempt(world: World, act: Callable[[], Any], ends: list[Any] | None = None) -> Any:
    try:
        return act()
    except BaseException as error:
        note_error(error)
        if ends is not None:
            ends.append(error)
        bare(error)
    return None


def note_error(error: BaseException) -> None:
    """A SystemError is remembered, wherever it comes."""
    SEEN_ERRORS.extend(one for one in chain(error, set()) if type(one) is SystemError)


def on_type(name: str, act: Callable[[World, Any], None]) -> Callable[[World], None]:
    def do(world: World) -> None:
        for target in world.living():
            if type(target).__name__ == name:
                act(world, target)

    return do


def read_everything(world: World, target: Any) -> None:
    for name in dir(target):
        attempt(world, lambda name=name: getattr(target, name))
    attempt(world, lambda: repr(target))
    gc.get_referents(target)


def set_everything(world: World, target: Any) -> None:
    for name in dir(target):
        if not name.startswith('__') and not callable(getattr(target, name, None)):
            attempt(world, lambda name=name: setattr(target, name, Item()))
            attempt(world, lambda name=name: setattr(target, name, [Item(), 'a']))


def required_arguments(method: Any) -> list[Callable[[], tuple[Any, ...]]]:
    """What a method of a type must be given, its object left out."""
    try:
        parameters = list(inspect.signature(method).parameters.values())[1:]
    except (TypeError, ValueError):
        return [tuple]
    count = sum(
        one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
        for one in parameters
    )
    return [lambda: tuple(Item() for _ in range(count))]


def methods_of(target: type) -> Iterator[tuple[str, Any]]:
    for name in dir(target):
        method = getattr(target, name)
        if name not in NOT_CALLED and callable(method) and not isinstance(method, type):
            yield name, method


def actions_on(target: type) -> Iterator[Action]:
    kind = target.__name__
    yield Action(f'{kind}: its attributes', on_type(kind, read_everything))
    yield Action(f'{kind}: its attributes, set', on_type(kind, set_everything))
    for name, method in methods_of(target):
        for number, arguments in enumerate(ARGUMENTS.get(name) or required_arguments(method)):
            is_async = name.lstrip('_').startswith('a') or name == 'wait_for'
            for then in ('kept', 'driven', 'dropped') if is_async else ('',):

                def act(
                    world: World,
                    target: Any,
                    name: str = name,
                    arguments: Any = arguments,
                    then: str = then,
                ) -> None:
                    call(world, target, name, arguments, then)

                title = f'{kind}.{name}({number or ""}){then and " " + then}'
                yield Action(title, on_type(kind, act))


@functools.cache
def all_on(target: type) -> list[Action]:
    made = list(actions_on(target))
    gc.freeze()
    return made


def change_containers(world: World) -> None:
    for container in world.containers:
        attempt(world, container.clear)


def grow_containers(world: World) -> None:
    for container in world.containers:
        if isinstance(container, dict):
            container.update({str(i): Item() for i in range(20)})
        elif isinstance(container, bytearray):
            attempt(world, lambda container=container: container.extend(b'x' * 999))
        else:
            attempt(world, lambda container=container: container.extend([Item()] * 20))


def call_back(world: World) -> None:
    for callback in reversed(list(world.callbacks)):
        attempt(world, lambda callback=callback: callback(Future(world.loop)))
        attempt(world, callback)


def turn_loop(world: World) -> None:
    world.loop.turn(timers=True)
    world.loop.turn(timers=True)


def forget(world: World) -> None:
    world.drop()
    gc.collect()


class Interrupt(KeyboardInterrupt):
    """A Ctrl-C of the search's own."""


def raises(error: type[BaseException]) -> Callable[[World], None]:
    def act(world: World) -> None:
        raise error('raised by the search')

    return act


GENERAL = [
    Action('containers emptied', change_containers),
    Action('containers grown', grow_containers),
    Action('callbacks called', call_back),
    Action('the loop turned', turn_loop),
    Action('forgotten', forget),
    Action('collected', lambda world: gc.collect() and None),
    *(
        Action(f'raise {error.__name__}', raises(error))
        for error in (
            Interrupt,
            ValueError,
            AttributeError,
            TypeError,
            StopIteration,
            StopAsyncIteration,
            GeneratorExit,
            MemoryError,
            asyncio.CancelledError,
        )
    ),
]


# --- one case -------------------------------------------------------------------------------------


UNRAISABLE: list[BaseException] = []


def look(world: World, run: Run, deterministic: bool) -> None:
    """What was done is undone; then the object must be as good as ever."""
    for made in world.made:
        attempt(world, made.close)
    world.made.clear()
    gc.collect()
    for _ in range(3):
        world.loop.turn()
    for error in run.raised:
        note_error(error)
    steps = [one for one in world.targets if hasattr(one, 'cr_running')]
    for step in steps:
        attempt(world, step.close)
        if step.cr_running:
            raise Stuck(f'{type(step).__name__} runs for ever')
    if run.thing is None or not deterministic:
        return
    thing = getattr(run.thing, 'dispatcher', run.thing)
    if is_native(thing):
        look_at(world, run, thing)


def is_busy(world: World, error: BaseException) -> bool:
    """Whether it says that the object is in use."""
    world.over = True  # its words are asked for by the search itself
    try:
        text = str(error)
    finally:
        world.over = False
    return any(word in text for word in BUSY)


BUSY = ('already running', 'already executing', 're-entr', 'reentr', 'being executed')


def errors_of(run: Run, act: Callable[[], Any], drives: bool) -> list[BaseException]:
    before = len(run.raised)
    if drives:
        run.drive(act)
    else:
        run.attempt(act)
    return run.raised[before:]


def look_at(world: World, run: Run, thing: Any) -> None:
    for name in ('aclose', 'close'):
        method = getattr(thing, name, None)
        if method is None:
            continue
        for error in errors_of(run, method, name == 'aclose') * 2:
            if is_busy(world, error):
                raise Stuck(f'{name}(): {error!r}')
        again = errors_of(run, method, name == 'aclose')
        if [error for error in again if is_busy(world, error)]:
            raise Stuck(f'{name}() again: {again!r}')
    if hasattr(thing, '__anext__'):
        after = errors_of(run, lambda: thing.__anext__(), True)
        if not after or is_busy(world, after[0]):
            raise Stuck(f'anext() of a closed stream: {after!r}')
    elif hasattr(thing, '__next__') and hasattr(thing, 'throw'):
        after = errors_of(run, lambda: next(thing), False)
        if not after or is_busy(world, after[0]):
            raise Stuck(f'next() of a closed stream: {after!r}')
    elif hasattr(thing, '__next__'):
        after = errors_of(run, lambda: next(thing), False)
        if after and is_busy(world, after[0]):
            raise Stuck(f'next(): {after!r}')


def is_lost(world: World, run: Run, must_come: bool) -> bool:
    """Whether a Ctrl-C has come to nobody."""
    if not must_come:
        return False
    errors = [*run.raised, *UNRAISABLE, *world.loop.errors, *SEEN_ERRORS]
    seen: set[int] = set()
    return not any(isinstance(one, Interrupt) for error in errors for one in chain(error, seen))


# Lives in which a step is left, or nothing is awaited any more: what a source raises then is kept
# for the next step, and there is none.
LEFT = {
    'step thrown into', 'step closed', 'step dropped', 'closed beside a step', 'dropped midway',
    'dropped beside a step', 'collected', 'read by tasks', 'with the task', 'cancelled',
    'emits together', 'dropped',
}  # fmt: skip


def must_come(subject: Subject, life: str, mode: Mode, moment: str) -> bool:
    """Whether someone must see a Ctrl-C of that moment."""
    kind = moment.partition('.')[0]
    # _csv.Dialect forgets whatever its attributes raise; a loop's own methods are no user's.
    if kind in ('Dialect', 'Loop', 'Task', 'Future', 'FutureWaiting', 'Handle'):
        return False
    if subject.ahead:
        return (life, mode.name) in subject.ahead
    return life not in LEFT


class Mode(NamedTuple):
    name: str
    set: dict[str, bool]


MODES = [
    Mode('', {}),
    Mode('failing', {'failing': True}),
    Mode('ready', {'waiting': False}),
    Mode('giving', {'giving': True}),
]


class Case(NamedTuple):
    life: str
    mode: Mode
    at: int
    moment: str
    action: Action

    def __str__(self) -> str:
        where = f'{self.life} | {self.mode.name} | {self.at}'
        return f'{where} {self.moment} | {self.action.name}'


class Baseline(NamedTuple):
    """A life in which nothing is done, and what could be."""

    life: str
    mode: Mode
    moments: list[str]
    actions: list[Action]

    def size(self) -> int:
        return len(self.moments) * len(self.actions)

    def case(self, number: int) -> Case:
        at, which = divmod(number, len(self.actions))
        return Case(self.life, self.mode, at, self.moments[at], self.actions[which])


def live(
    subject: Subject, life: str, mode: Mode, at: int = -1, action: Action | None = None
) -> tuple[World, Run]:
    """One life, and what must hold at its end."""
    UNRAISABLE.clear()
    SEEN_ERRORS.clear()
    world = World(at, action.act if action else None)
    for name, value in mode.set.items():
        setattr(world, name, value)
    hooks = watch_async_generators(world)
    try:
        with world:
            run = Run(world, None)
            run.thing = run.attempt(subject.make)
            if run.thing is not None:
                run.attempt(lambda: lives_of(subject, run.thing)[life](run))
            look(world, run, subject.ahead != frozenset(NEVER))
            if SEEN_ERRORS:
                raise SEEN_ERRORS[0]
            raises = world.fired and action is not None and action.name == 'raise Interrupt'
            if raises and is_lost(world, run, must_come(subject, life, mode, world.names[at])):
                raise Stuck(f'a Ctrl-C in {world.names[at]} is lost')
    finally:
        sys.set_asyncgen_hooks(*hooks)
    return world, run


def clean(world: World, run: Run) -> None:
    """What is left of it goes now, and not in the next."""
    for error in (*run.raised, *world.loop.errors, *UNRAISABLE):
        if error is not None:
            error.__traceback__ = None
    run.raised.clear()
    run.thing = None
    world.targets.clear()
    world.callbacks.clear()
    world.made.clear()
    world.loop.ready.clear()
    world.loop.timers.clear()
    world.loop.errors.clear()
    gc.collect()


def moments_of(subject: Subject, life: str, mode: Mode) -> Baseline:
    arm()
    world, run = live(subject, life, mode)
    kinds = list(world.kinds.values())  # a thread may add to it
    actions = [*GENERAL, *(action for one in kinds for action in all_on(one))]
    if mode.name == 'giving':
        actions = GENERAL  # that is about what is given
    moments = list(world.names)
    clean(world, run)
    return Baseline(life, mode, moments, actions)


def first_lives(subject: Subject) -> dict[str, Callable[[Run], None]]:
    world = World()
    with world:
        return lives_of(subject, subject.make())


def chosen(subject: Subject, baselines: list[Baseline], sample: int) -> Iterator[int]:
    """The numbers of the cases that are run, in order."""
    total = sum(baseline.size() for baseline in baselines)
    if not sample or sample >= total:
        yield from range(total)
        return
    numbers = {(i * total // sample + i * 2654435761 % (total // sample)) for i in range(sample)}
    first = 0
    for baseline in baselines:
        for at, moment in enumerate(baseline.moments):
            for which, action in enumerate(baseline.actions):
                if (moment, action.name) in subject.always:
                    numbers.add(first + at * len(baseline.actions) + which)
        first += baseline.size()
    yield from sorted(numbers)


def case_of(baselines: list[Baseline], number: int) -> Case:
    for baseline in baselines:
        if number < baseline.size():
            return baseline.case(number)
        number -= baseline.size()
    raise IndexError


def run_subject(name: str, sample: int, begin: int, note: int, only: str | None) -> None:
    """Its cases from that number on; what is wrong is printed, a line each."""
    subject = SUBJECTS[name]

    def write(text: str) -> None:
        os.pwrite(note, text.ljust(200)[:200].encode(), 0)

    baselines = []
    for mode in MODES:
        for life in first_lives(subject):
            write(f'counting {life} | {mode.name}')
            try:
                baselines.append(moments_of(subject, life, mode))
            except (Stuck, SystemError) as error:
                print(f'{life} | {mode.name} | nothing is done: {error!r}', flush=True)
    gc.freeze()
    failures = 0
    for number in chosen(subject, baselines, 0 if only else sample):
        case = case_of(baselines, number)
        if number < begin or (only is not None and only not in str(case)):
            continue
        write(f'{number:>12} {case}')
        arm()
        try:
            world, run = live(subject, case.life, case.mode, case.at, case.action)
            clean(world, run)
            del world, run
        except (Stuck, SystemError) as error:
            failure = f'{case}: {type(error).__name__}: {error}'
            print(failure, flush=True)
            failures += not is_open(failure)
        if failures > 20:
            break
    write('done')


def arm() -> None:
    if hasattr(signal, 'setitimer'):
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
    else:
        faulthandler.dump_traceback_later(SECONDS, exit=True)


def limit_memory() -> None:
    """What asks for ever more fails, and does not take the machine with it."""
    try:
        import resource
    except ImportError:
        return
    if 'asan' not in os.environ.get('LD_PRELOAD', ''):
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))


def child(name: str, sample: int, begin: int, note: str, only: str | None) -> None:
    faulthandler.enable()
    limit_memory()
    if hasattr(signal, 'setitimer'):
        faulthandler.register(signal.SIGALRM, chain=True)
    sys.unraisablehook = lambda report: UNRAISABLE.append(report.exc_value or Error())  # type: ignore[arg-type,return-value]
    gc.collect()
    gc.freeze()
    gc.disable()
    with open(note, 'r+b') as file:
        run_subject(name, sample, begin, file.fileno(), only)
    arm()  # the end of the process, too, takes no longer


# --- the processes --------------------------------------------------------------------------------


def told(text: str) -> str:
    """What a process that has ended said, shortened."""
    lines = [line for line in text.splitlines() if not line.startswith('  <')]
    return '\n'.join(lines if len(lines) < 60 else [*lines[:50], '...', *lines[-5:]])


def search(name: str, sample: int = SAMPLE, only: str | None = None) -> list[str]:
    """All that is wrong with that subject, and is not known to be."""
    found: list[str] = []
    begin = 0
    with tempfile.NamedTemporaryFile() as note:
        while sum(not is_open(one) for one in found) < CRASHES:
            note.seek(0)
            note.write(b'start'.ljust(200))
            note.flush()
            command = [
                sys.executable, '-m', __spec__.name, '--child', name, '--sample', str(sample),
                '--begin', str(begin), '--note', note.name, *(['--case', only] if only else []),
            ]  # fmt: skip
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                env={'PYTHONMALLOC': 'debug', **os.environ, 'PYTHONHASHSEED': '0'},
            )
            found += done.stdout.splitlines()
            note.seek(0)
            last = note.read(200).decode().strip()
            if done.returncode == 0 and last == 'done':
                break
            found.append(f'{last}: ended by {done.returncode}\n{told(done.stderr)}')
            number = last.split(' ', 1)[0]
            if not number.isdigit() or only is not None:
                break
            begin = int(number) + 1
    return found if only is not None else [one for one in found if not is_open(one)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument('subjects', nargs='*')
    parser.add_argument('--all', action='store_true')
    parser.add_argument('--sample', type=int, default=SAMPLE)
    parser.add_argument('--case')
    parser.add_argument('--child')
    parser.add_argument('--begin', type=int, default=0)
    parser.add_argument('--note', default='')
    options = parser.parse_args()
    sample = 0 if options.all else options.sample
    if options.child:
        child(options.child, sample, options.begin, options.note, options.case)
        return
    failed = False
    for name in options.subjects or SUBJECTS:
        started = time.monotonic()
        found = search(name, sample, options.case)
        print(f'== {name}: {len(found)} ({time.monotonic() - started:.1f} s)', flush=True)
        for failure in found:
            failed = True
            print('  ', failure, flush=True)
    sys.exit(failed)


if __name__ == '__main__':
    main()

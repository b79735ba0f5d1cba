"""Random chains of up to four types, used in random ways, against a count of every item.

A script takes items, cancels steps, lets time pass, stops, and leaves in one of many ways.
Whatever it does: each number is delivered at most once, in order, and none is left out; where the
stream comes to its end, all came that a source gave; each source is closed exactly once; no task is
left; nothing is told to the loop's exception handler, and nothing warns.  GENERATORS_TESTS=long
takes many more scripts, and GENERATORS_CHAINS=COUNT so many.
"""

from __future__ import annotations

import asyncio
import dataclasses
import gc
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.stream.chains import (
    Chain,
    Failed,
    build,
    check_all_came,
    check_numbers,
    numbers_of,
)
from tests.stream.clock import VirtualLoop

COUNT = int(os.environ.get('GENERATORS_CHAINS', '0'))
LONG = 30.0  # seconds: what takes longer hangs
BEATS = 60  # so many items without a number: the source blocks


class Thrown(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Move:
    what: str
    turns: int
    seconds: float


moves = st.lists(
    st.builds(
        Move,
        what=st.sampled_from(
            ['take', 'take', 'cancel', 'cancel', 'timeout', 'sleep', 'overlap', 'prime', 'stop']
        ),
        turns=st.integers(0, 8),
        seconds=st.sampled_from([0.0, 0.004, 0.01, 0.025, 0.1]),
    ),
    max_size=8,
)
leavings = st.builds(
    Move,
    what=st.sampled_from(
        [
            'drain',
            'drain',
            'close',
            'close',
            'close twice',
            'close beside a step',
            'close and cancel',
            'throw',
            'drop',
            'drop beside a step',
            'leave',
            'leave beside a step',
        ]
    ),
    turns=st.integers(0, 8),
    seconds=st.sampled_from([0.0, 0.01, 0.1]),
)


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def was_refused(step: asyncio.Task[Any]) -> bool:
    return not step.cancelled() and isinstance(step.exception(), RuntimeError)


class Reader:
    """Who reads a chain, and what came of it."""

    def __init__(self, stream: Any, chain: Chain) -> None:
        self.stream = stream
        self.chain = chain
        self.got: list[Any] = []
        self.ended = False
        self.blocked = False
        self.stopped = False
        self.error: BaseException | None = None

    async def anext(self) -> Any:
        return await anext(self.stream)

    def start(self) -> asyncio.Task[Any]:
        return asyncio.ensure_future(self.anext())

    def settle(self, step: asyncio.Task[Any]) -> None:
        """What a step that is done came to."""
        if step.cancelled():
            return
        error = step.exception()
        if error is None:
            assert not self.ended
            self.got.append(step.result())
        elif isinstance(error, StopAsyncIteration):
            self.ended = True
        else:
            assert not self.ended
            assert any(error is plan.error for plan in self.chain.plans), error
            self.error = error
            self.ended = True

    async def cancel(self, step: asyncio.Task[Any]) -> None:
        step.cancel()
        await asyncio.wait({step}, timeout=LONG)
        assert step.done(), 'a step that was cancelled goes on'
        self.settle(step)

    async def take(self) -> None:
        """A step that is waited for, unless the source blocks."""
        step = self.start()
        for _ in range(int(LONG / 0.5)):
            await asyncio.wait({step}, timeout=0.5)
            if step.done():
                self.settle(step)
                return
            if any(plan.blocked for plan in self.chain.plans):
                self.blocked = True
                await self.cancel(step)
                return
        raise AssertionError(f'it hangs: {self.stream!r}')

    async def move(self, move: Move) -> None:
        if move.what == 'take':
            await self.take()
        elif move.what in ('cancel', 'timeout'):
            step = self.start()
            await turns(move.turns)
            if move.what == 'timeout' and not step.done():
                await asyncio.wait({step}, timeout=move.seconds)
            await self.cancel(step)
        elif move.what == 'sleep':
            await asyncio.sleep(move.seconds)
        elif move.what == 'overlap':
            await self.overlap(move)
        elif move.what == 'prime':
            await self.prime(move)
        elif move.what == 'stop':
            step = self.start()
            await turns(move.turns)
            self.stop()
            await asyncio.wait({step}, timeout=move.seconds)
            await self.cancel(step)

    def stop(self) -> None:
        self.stream.stop()
        self.stopped = True

    async def overlap(self, move: Move) -> None:
        """A second step is refused while one waits."""
        step, other = self.start(), self.start()
        await turns(move.turns)
        await asyncio.wait({other}, timeout=move.seconds)
        other.cancel()
        await asyncio.wait({other}, timeout=LONG)
        await self.cancel(step)
        if not was_refused(other):
            self.settle(other)

    async def prime(self, move: Move) -> None:
        async def prime() -> None:
            await self.stream.aprime()

        step = asyncio.ensure_future(prime())
        await asyncio.wait({step}, timeout=move.seconds)
        step.cancel()
        await asyncio.wait({step}, timeout=LONG)
        if not step.cancelled() and step.exception() is not None:
            self.settle(step)

    # ---- ways to leave ----

    async def drain(self) -> None:
        beats = 0
        while not self.ended and not self.blocked and beats < BEATS:
            await self.take()
            beats = 0 if self.got and numbers_of(self.got[-1:]) else beats + 1
        if self.ended:
            self.check_end()
        await self.stream.aclose()

    def check_end(self) -> None:
        """The stream came to its end by itself."""
        assert self.stream.closed
        assert self.stream.waits_for is None
        assert self.stream.held == 0
        if self.stopped and not self.chain.stops:
            return
        got = numbers_of(self.got)
        if self.error is None:
            check_all_came(self.chain, got)
            for plan in self.chain.plans:
                assert self.stopped or len(plan.given) == len(plan.waits)
        elif not self.chain.torn:
            check_all_came(self.chain, got)

    async def close(self) -> None:
        try:
            await self.stream.aclose()
        except Failed as error:
            assert any(error is plan.error for plan in self.chain.plans)

    async def leave(self, move: Move) -> None:
        what, _, beside = move.what.partition(' beside ')
        step = None
        if beside:
            step = self.start()
            # Of a stream that is left nobody asks what its step came to.
            step.add_done_callback(lambda step: step.cancelled() or step.exception())
            await turns(move.turns)
        if what == 'drain':
            await self.drain()
        elif what == 'close':
            await self.close()
        elif what == 'close twice':
            await asyncio.gather(self.close(), self.close())
        elif what == 'close and cancel':
            closing = asyncio.ensure_future(self.close())
            await turns(move.turns)
            closing.cancel()
            await asyncio.wait({closing}, timeout=LONG)
            assert closing.done()
            await self.close()
        elif what == 'throw':
            try:
                await self.stream.athrow(Thrown())
            except (Thrown, Failed):
                pass
            else:
                assert self.ended, 'what is thrown in comes out'
        if what in ('close', 'close twice', 'throw') and not step:
            again = self.start()
            await asyncio.wait({again}, timeout=LONG)
            assert isinstance(again.exception(), StopAsyncIteration)
        if step is not None and what != 'leave':
            if what == 'drop':
                step.cancel()
            await asyncio.wait({step}, timeout=LONG)
            assert step.done(), 'a step waits in a stream that was closed'
            if not was_refused(step):  # as one is that begins while the stream is closed
                self.settle(step)


async def until(holds: Callable[[], Any], what: str) -> None:
    for _ in range(int(LONG / 0.01)):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError(what)


async def use(draw: Any, kept: list[Any]) -> None:
    script, leaving = draw(moves), draw(leavings)
    stream, chain = build(draw)
    reader = Reader(stream, chain)
    kept.append((chain, reader.got))
    for move in script:
        await reader.move(move)
    await reader.leave(leaving)
    if leaving.what.startswith('leave'):
        kept.append(stream)  # until the loop has ended
        return
    if not leaving.what.startswith('drop'):
        assert reader.stream.closed
        assert reader.stream.items == len(reader.got)
    del stream, reader
    gc.collect()
    for beside in chain.beside:
        beside.cancel()
        with suppress(asyncio.CancelledError, Failed):
            await beside
    chain.tail.clear()
    gc.collect()
    me = asyncio.current_task()
    await until(
        lambda: all(plan.closed == min(plan.begun, 1) for plan in chain.plans), 'a source is open'
    )
    await until(lambda: asyncio.all_tasks() == {me}, f'tasks are left: {asyncio.all_tasks()}')


def was_closing(told: Any, failures: list[Failed]) -> bool:
    """Whether the loop was told that a failure of a source came out when a stream was closed."""
    return (
        isinstance(told, dict)
        and told['message'].startswith('an error occurred during closing of asynchronous generator')
        and any(told['exception'] is failure for failure in failures)
    )


def run(draw: Any) -> None:
    said: list[Any] = []
    kept: list[Any] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: said.append(context))
        await use(draw, kept)

    hook, sys.unraisablehook = sys.unraisablehook, said.append
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('error')
            with asyncio.Runner(loop_factory=VirtualLoop) as runner:
                runner.run(main())
            chain, got = kept[0]
            del kept[1:]
            chain.beside.clear()
            chain.tail.clear()
            gc.collect()
    finally:
        sys.unraisablehook = hook
    # Who drops a stream is not there to be given the failure that it holds.
    failures = [plan.error for plan in chain.plans]
    assert [told for told in said if not was_closing(told, failures)] == []
    assert all(plan.closed == plan.begun <= 1 for plan in chain.plans)
    check_numbers(chain, numbers_of(got))


def many(test: Any) -> Any:
    return settings(max_examples=COUNT)(test) if COUNT else test


@many
@given(st.data())
def test_a_chain_on_a_loop(data: Any) -> None:
    """Without threads, on a clock of its own: the same script does the same each time."""
    run(data.draw)

"""Each async type over a subscriber: what it holds is not lost, and closing reaches it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from generators import Broadcast
from tests.broadcast.test_broadcast import run, turns
from tests.isolated.catalogue import ASYNC_STAGES, SYNC_STAGES, Stage, item_of, number_of

COUNT = 6
stages = pytest.mark.parametrize(
    'stage',
    [stage for stage in ASYNC_STAGES.values() if not stage.runs_threads],
    ids=lambda stage: stage.name,
)


def kind_of(stage: Stage) -> str:
    return stage.takes or 'text'


def items(stage: Stage) -> list[Any]:
    return [item_of(kind_of(stage), number) for number in range(COUNT)]


@stages
def test_a_step_that_is_cancelled_loses_nothing(stage: Stage) -> None:
    async def main(after: int) -> None:
        sender: Broadcast[Any] = Broadcast(buffersize=2)
        stream = stage.over(sender.subscribe())
        publishing = asyncio.create_task(sender.arun(items(stage)))
        taken = []
        while True:
            step = asyncio.ensure_future(anext(stream))
            await turns(after + len(taken))
            step.cancel()
            try:
                taken.append(number_of(await step))
            except asyncio.CancelledError:
                await turns(5)
            except StopAsyncIteration:
                break
        await publishing
        assert taken == list(range(COUNT))
        assert sender.subscribers == 0

    for after in range(1, 5):
        run(main(after))


@stages
@pytest.mark.parametrize('way', ['aclose', 'athrow', 'cancel', 'pending'])
@pytest.mark.parametrize('count', range(4))
def test_closing_leaves_the_broadcast(stage: Stage, count: int, way: str) -> None:
    async def main() -> None:
        sender: Broadcast[Any] = Broadcast()
        stream = stage.over(sender.subscribe())
        for item in items(stage)[:count]:
            sender.publish(item)
        for number in range(count - 1):  # the last may wait for what comes after it
            assert number_of(await anext(stream)) == number
        pending = None
        if way in ('cancel', 'pending'):
            pending = asyncio.ensure_future(step(stream))
            await turns()
        if way == 'cancel':
            assert pending is not None
            pending.cancel()
            with suppress(asyncio.CancelledError):
                await pending
        if way == 'athrow':
            with pytest.raises(LookupError):
                await stream.athrow(LookupError())
        else:
            await stream.aclose()
        if pending is not None:
            await asyncio.wait([pending])
        assert sender.subscribers == 0
        assert sender.publish('nobody') == 0

    async def step(stream: Any) -> Any:
        with suppress(StopAsyncIteration):
            return await anext(stream)

    run(main())


@pytest.mark.parametrize('stage', SYNC_STAGES.values(), ids=lambda stage: stage.name)
@pytest.mark.parametrize('count', range(3))
def test_closing_a_sync_stream_leaves_the_broadcast(stage: Stage, count: int) -> None:
    sender: Broadcast[Any] = Broadcast()
    with stage.over(sender.subscribe_sync()) as stream:
        for item in items(stage):
            sender.publish(item)
        sender.close()
        for number in range(count):
            assert number_of(next(stream)) == number
    assert sender.subscribers == 0

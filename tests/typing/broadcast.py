"""What type checkers see; read by mypy, never run."""

from collections.abc import AsyncIterable, Iterator
from typing import assert_type

from generators import FLUSH, Broadcast, abatched, batched


async def subscribers(numbers: AsyncIterable[int]) -> None:
    sender = Broadcast[int](buffersize=5, on_full='close', replay=2)
    assert_type(sender.publish(1), int)
    assert_type(await sender.apublish(1), int)
    await sender.arun(numbers)
    async for item in sender.subscribe(on_full='drop_oldest'):
        assert_type(item, int)
    for item in sender.subscribe_sync(timeout=0.5):
        assert_type(item, int)
    assert_type(sender.subscribe().dropped, int)
    sender.publish('text')  # type: ignore[arg-type]
    sender.subscribe(on_full='never')  # type: ignore[arg-type]


def batches(numbers: Iterator[int]) -> None:
    for batch in batched(numbers, 5, max_delay=1, strict=True):
        assert_type(batch, tuple[int, ...])
    batched([1, FLUSH], 2)


async def async_batches(numbers: AsyncIterable[int]) -> None:
    async for batch in abatched(numbers, 5, max_delay=1):
        assert_type(batch, tuple[int, ...])

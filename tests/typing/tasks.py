"""What type checkers make of drive and task; mypy reads this, nothing runs it."""

import asyncio
from collections.abc import Generator
from typing import Any, assert_type

from generators import drive, task


def double(x: int) -> Generator[Any, Any, str]:
    yield asyncio.sleep(0)
    return str(2 * x)


class Service:
    @task
    def call(self, data: str, times: int = 1) -> Generator[Any, Any, bytes]:
        yield
        return data.encode() * times


async def main() -> None:
    assert_type(drive(double(1)), drive[str])
    assert_type(await drive(double(1)), str)
    assert_type(await task(double)(1), str)
    assert_type(await Service().call('a', times=2), bytes)
    assert_type(await Service.call(Service(), 'a'), bytes)
    assert_type(await asyncio.create_task(task(double)(2)), str)
    task(double)('a')  # type: ignore[arg-type]
    Service().call(1)  # type: ignore[arg-type]
    drive(double)  # type: ignore[arg-type]

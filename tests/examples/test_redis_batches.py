"""examples/recipes/redis_batches.py with a real Redis."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip('redis')

from .chat_servers import RedisServer

PATH = Path(__file__).parents[2] / 'examples' / 'recipes' / 'redis_batches.py'
COUNT = 1200


def recipe() -> Any:
    spec = importlib.util.spec_from_file_location('recipe_redis_batches', PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_batches_are_acknowledged_after_success(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        from redis.asyncio import Redis

        redis = Redis.from_url(url)
        await redis.xgroup_create('orders', 'billing', id='0', mkstream=True)
        for n in range(COUNT):
            await redis.xadd('orders', {'n': n})
        saved: list[int] = []
        sizes: list[int] = []

        async def save(batch: list[dict[bytes, bytes]]) -> None:
            if len(sizes) == 1:
                sizes.append(0)
                raise OSError('the database is away')
            sizes.append(len(batch))
            saved.extend(int(fields[b'n']) for fields in batch)
            if len(saved) == COUNT:
                raise StopAsyncIteration

        process = recipe().process
        with pytest.raises(OSError, match='away'):
            await process(redis, 'orders', 'billing', 'one', save)
        assert saved == list(range(500))
        pending = await redis.xpending('orders', 'billing')
        assert pending['pending'] >= 500, 'what failed is still to be done'
        with pytest.raises((StopAsyncIteration, RuntimeError)):
            await process(redis, 'orders', 'billing', 'one', save)
        assert saved == list(range(COUNT)), 'each once, in order'
        assert max(sizes) == 500
        await redis.aclose()

    with RedisServer(tmp_path) as server:
        asyncio.run(main(server.url))


def test_a_batch_goes_out_after_a_second(tmp_path: Path) -> None:
    async def main(url: str) -> None:
        from redis.asyncio import Redis

        redis = Redis.from_url(url)
        await redis.xgroup_create('orders', 'billing', id='0', mkstream=True)
        await redis.xadd('orders', {'n': 1})
        done = asyncio.get_running_loop().create_future()

        async def save(batch: list[dict[bytes, bytes]]) -> None:
            done.set_result(batch)

        task = asyncio.create_task(recipe().process(redis, 'orders', 'billing', 'one', save))
        assert await asyncio.wait_for(done, 20) == [{b'n': b'1'}]
        while (await redis.xpending('orders', 'billing'))['pending']:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await redis.aclose()

    with RedisServer(tmp_path) as server:
        asyncio.run(main(server.url))

"""A time limit for each call, and one for all of them."""

import asyncio

from generators import amap


async def answers(call, items, each, whole):
    """(item, answer) for each item; a call that takes longer than `each` gives a TimeoutError."""

    async def in_time(item):
        async with asyncio.timeout(each):
            return await call(item)

    async with asyncio.timeout(whole):
        async with amap(in_time, items, pairs=True, return_exceptions=True) as results:
            return [pair async for pair in results]

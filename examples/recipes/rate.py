"""At most so many calls in a time, by aiolimiter, however many may run at once."""

from aiolimiter import AsyncLimiter

from generators import amap


async def limited(call, items, rate, seconds):
    limiter = AsyncLimiter(rate, seconds)

    async def when_allowed(item):
        async with limiter:
            return await call(item)

    async with amap(when_allowed, items, concurrency=20) as results:
        async for result in results:
            yield result

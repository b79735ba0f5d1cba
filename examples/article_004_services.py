"""The article's services: square_service(5), then service1 and service2 together.

python examples/article_004_services.py
"""

import asyncio
from collections.abc import AsyncIterator

from generators import amap, amerge


async def square_service(n: int) -> int:
    await asyncio.sleep(0.01)
    return n * n


async def service1() -> AsyncIterator[str]:
    for i in range(3):
        await asyncio.sleep(0.01)
        yield f'Service 1: {i}'


async def service2() -> AsyncIterator[str]:
    for i in range(3):
        await asyncio.sleep(0.015)
        yield f'Service 2: {i}'


async def main() -> None:
    async for square in amap(square_service, range(5)):
        print(square)
    async for line in amerge(service1(), service2()):
        print(line)


if __name__ == '__main__':
    asyncio.run(main())

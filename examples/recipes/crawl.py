"""A crawl: pages are fetched 50 at a time, and each may name others that nobody has fetched."""

import asyncio

from generators import amap


async def crawl(fetch, start):
    """(url, links) of each page that can be reached; `fetch` gives the links of one."""
    seen = {start}
    frontier = asyncio.Queue()
    frontier.put_nowait(start)

    async def urls():
        while (url := await frontier.get()) is not None:
            yield url

    unfinished = 1
    async with amap(fetch, urls(), concurrency=50, ordered=False, pairs=True) as pages:
        async for url, links in pages:
            for link in links:
                if link not in seen:
                    seen.add(link)
                    unfinished += 1
                    frontier.put_nowait(link)
            unfinished -= 1
            if unfinished == 0:
                frontier.put_nowait(None)
            yield url, links

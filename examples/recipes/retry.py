"""Calls that are tried again, by stamina, or by tenacity."""

import stamina
import tenacity

from generators import amap


class Unavailable(Exception):
    """What is worth another try."""


def with_stamina(fetch):
    return stamina.retry(on=Unavailable, attempts=3, wait_initial=0.01)(fetch)


def with_tenacity(fetch):
    return tenacity.retry(
        retry=tenacity.retry_if_exception_type(Unavailable),
        stop=tenacity.stop_after_attempt(3),
        wait=tenacity.wait_exponential(multiplier=0.01),
        reraise=True,
    )(fetch)


async def pages(fetch, urls):
    """Ten at a time; only the call that failed is made again."""
    async with amap(with_stamina(fetch), urls, concurrency=10) as results:
        async for page in results:
            yield page

"""The article's fetch_and_process: `data = yield fetch_data(url)`, and then at once.

python examples/article_003_fetch.py URL ...
"""

import asyncio
import sys
from collections.abc import Callable, Generator, Iterable
from typing import Any

import requests

from generators import map_threads, task


def fetch_data(url: str) -> Any:
    response = requests.get(url, timeout=10)
    response.raise_for_status()
    return response.json()


def process_data(data: Any) -> None:
    print('Processed:', data)


@task
def fetch_and_process(
    urls: Iterable[str], process: Callable[[Any], None] = process_data
) -> Generator[Any, Any, int]:
    """As in the article: the call blocks, and its result comes straight back."""
    count = 0
    for url in urls:
        data = yield fetch_data(url)
        process(data)
        count += 1
    return count


@task
def fetch_and_process_beside(
    urls: Iterable[str], process: Callable[[Any], None] = process_data
) -> Generator[Any, Any, int]:
    """The call runs on a thread, and other tasks of the loop run meanwhile."""
    count = 0
    for url in urls:
        data = yield asyncio.to_thread(fetch_data, url)
        process(data)
        count += 1
    return count


async def fetch_all_beside(urls: Iterable[str], process: Callable[[Any], None]) -> int:
    """A task for each URL: all of them at once."""
    counts = await asyncio.gather(*(fetch_and_process_beside([url], process) for url in urls))
    return sum(counts)


def fetch_all(urls: Iterable[str], process: Callable[[Any], None] = process_data) -> int:
    """Without asyncio: at most eight calls at a time, in the order of the URLs."""
    count = 0
    for data in map_threads(fetch_data, urls, concurrency=8):
        process(data)
        count += 1
    return count


if __name__ == '__main__':
    print(fetch_all(sys.argv[1:]), 'processed')

"""The recipes of docs/recipes.md, with the libraries that they name."""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import io
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

RECIPES = Path(__file__).parents[2] / 'examples' / 'recipes'
PAGE = Path(__file__).parents[2] / 'docs' / 'recipes.md'


def recipe(name: str, *needed: str) -> Any:
    for module in needed:
        pytest.importorskip(module)
    spec = importlib.util.spec_from_file_location(f'recipe_{name}', RECIPES / f'{name}.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


async def all_of(stream: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in stream]


@pytest.mark.parametrize('path', sorted(RECIPES.glob('*.py')), ids=lambda path: path.stem)
def test_the_page_shows_what_is_run(path: Path) -> None:
    text = path.read_text('utf-8')
    code = re.sub(r'\A.*?"""\n\n', '', text, count=1, flags=re.S).strip()
    assert f'```python\n{code}\n```' in PAGE.read_text('utf-8')


@pytest.mark.parametrize('library', ['with_stamina', 'with_tenacity'])
def test_a_call_that_fails_is_made_again(library: str) -> None:
    retry = recipe('retry', 'stamina', 'tenacity')
    tries: dict[int, int] = {}

    async def fetch(n: int) -> int:
        tries[n] = tries.get(n, 0) + 1
        if n % 5 == 0 and tries[n] < 3:
            raise retry.Unavailable(n)
        return n * n

    async def never(n: int) -> int:
        raise retry.Unavailable(n)

    again = getattr(retry, library)

    async def main() -> None:
        from generators import amap

        assert await all_of(amap(again(fetch), range(20))) == [n * n for n in range(20)]
        assert tries == {n: 3 if n % 5 == 0 else 1 for n in range(20)}
        tries.clear()
        assert await all_of(retry.pages(fetch, range(20))) == [n * n for n in range(20)]
        with pytest.raises(retry.Unavailable) as caught:
            await all_of(amap(again(never), [7]))
        assert caught.value.item == 7

    asyncio.run(main())


def test_calls_are_limited_in_time() -> None:
    rate = recipe('rate', 'aiolimiter')
    begun: list[float] = []

    async def call(n: int) -> int:
        begun.append(asyncio.get_running_loop().time())
        return n

    assert asyncio.run(all_of(rate.limited(call, range(15), 5, 0.1))) == list(range(15))
    # A bucket of 5, and then one in 20 ms.
    assert begun[4] - begun[0] < 0.1 or begun[14] - begun[0] >= 0.19
    assert begun[14] - begun[0] >= 0.19


def test_each_call_has_its_time() -> None:
    timeouts = recipe('timeouts')

    async def call(n: int) -> int:
        if n == 1:
            await asyncio.Event().wait()
        return n

    (first, slow, last) = asyncio.run(timeouts.answers(call, range(3), 0.02, 30))
    assert (first, last) == ((0, 0), (2, 2))
    assert slow[0] == 1
    assert isinstance(slow[1], TimeoutError)
    with pytest.raises(TimeoutError):
        asyncio.run(timeouts.answers(call, range(3), 30, 0.02))


def test_progress_of_a_file(tmp_path: Path) -> None:
    progress = recipe('progress', 'tqdm', 'rich')
    data = b''.join(b'%d,x\n' % n for n in range(20_000))
    for name, kept in (('a.csv', data), ('a.csv.gz', gzip.compress(data))):
        (tmp_path / name).write_bytes(kept)
        shown = io.StringIO()
        rows = list(progress.rows_with_a_bar(str(tmp_path / name), file=shown, mininterval=0))
        assert len(rows) == 20_000
        assert '100%' in shown.getvalue()


def test_progress_of_calls() -> None:
    progress = recipe('progress', 'tqdm', 'rich')
    from rich.console import Console

    shown = io.StringIO()

    async def call(n: int) -> int:
        await asyncio.sleep(0)
        return -n

    console = Console(file=shown, force_terminal=True, width=60)
    results = asyncio.run(all_of(progress.results_with_a_bar(call, range(30), console)))
    assert results == [-n for n in range(30)]
    assert '100%' in shown.getvalue()


def test_metrics() -> None:
    metrics = recipe('metrics', 'prometheus_client')
    from prometheus_client import CollectorRegistry, generate_latest

    from generators import map_threads, to_async

    registry = CollectorRegistry()
    collector = metrics.StreamCollector()
    registry.register(collector)

    async def main() -> None:
        stream = collector.add('rows', to_async(range(10), thread=False))
        assert await anext(stream) == 0
        assert await anext(stream) == 1
        text = generate_latest(registry).decode()
        assert 'stream_items_total{stream="rows"} 2.0' in text
        assert 'stream_held{stream="rows"}' in text
        await stream.aclose()

    asyncio.run(main())
    with map_threads(abs, range(3)) as calls:
        collector.add('calls', calls)
        assert list(calls) == [0, 1, 2]
        assert 'stream_items_total{stream="calls"} 3.0' in generate_latest(registry).decode()


# ---- a crawl ----

PAGES = 2000


@pytest.fixture
def site() -> Iterator[tuple[str, list[int]]]:
    """2,000 pages on loopback, each with links to some others, and how many were asked at once."""
    pytest.importorskip('aiohttp')
    import threading

    from aiohttp import web

    at_once = [0, 0]
    ready = threading.Event()
    place: list[Any] = []

    async def page(request: web.Request) -> web.Response:
        n = int(request.match_info['n'])
        at_once[0] += 1
        at_once[1] = max(at_once)
        await asyncio.sleep(0.001)
        at_once[0] -= 1
        links = [f'/{m % PAGES}' for m in (2 * n, 2 * n + 1, n * 7 + 3)]
        return web.json_response(links)

    async def serve() -> None:
        app = web.Application()
        app.add_routes([web.get('/{n}', page)])
        runner = web.AppRunner(app)
        await runner.setup()
        server = web.TCPSite(runner, '127.0.0.1', 0)
        await server.start()
        stop = asyncio.Event()
        port = runner.addresses[0][1]
        place.extend([f'http://127.0.0.1:{port}', asyncio.get_running_loop(), stop])
        ready.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(20)
    url, loop, stop = place
    try:
        yield url, at_once
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


def test_a_crawl_of_two_thousand_pages(site: tuple[str, list[int]]) -> None:
    crawl = recipe('crawl')
    url, at_once = site

    async def main() -> list[str]:
        import aiohttp

        async with aiohttp.ClientSession(url) as session:

            async def fetch(path: str) -> list[str]:
                async with session.get(path) as response:
                    links: list[str] = await response.json()
                    return links

            return [path async for path, _ in crawl.crawl(fetch, '/1')]

    found = asyncio.run(main())
    assert len(found) == PAGES
    assert set(found) == {f'/{n}' for n in range(PAGES)}
    assert 10 < at_once[1] <= 50


def test_a_crawl_that_fails_ends() -> None:
    crawl = recipe('crawl')

    async def fetch(url: str) -> list[str]:
        if url == 'c':
            raise OSError('unreachable')
        return {'a': ['b', 'c'], 'b': ['a']}[url]

    async def main() -> None:
        with pytest.raises(OSError, match='unreachable') as caught:
            await all_of(crawl.crawl(fetch, 'a'))
        assert caught.value.item == 'c'  # type: ignore[attr-defined]

    asyncio.run(main())

"""``Dispatcher`` from several threads, with and without the GIL."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import pytest

from generators import Dispatcher

THREADS = 4
EVENTS = 500


@pytest.fixture(autouse=True)
def switch_often() -> Generator[None, None, None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


def together(*works: Callable[[], Any]) -> None:
    """Run them at the same time, and raise what any of them raises."""
    barrier = threading.Barrier(len(works))
    failures = []

    def run(work: Callable[[], Any]) -> None:
        try:
            barrier.wait(30)
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    if failures:
        raise failures[0]


def test_every_event_reaches_the_handler_once_and_one_at_a_time() -> None:
    d, seen = Dispatcher(), []
    inside = 0

    @d.on('message')
    def handle() -> Generator[None, tuple[int, int], None]:
        nonlocal inside
        while True:
            data = yield
            inside += 1
            assert inside == 1
            seen.append(data)
            inside -= 1

    def emits(thread: int) -> None:
        for n in range(EVENTS):
            assert d.emit('message', (thread, n))

    together(*(lambda thread=i: emits(thread) for i in range(THREADS)))
    assert sorted(seen) == [(i, n) for i in range(THREADS) for n in range(EVENTS)]
    for thread in range(THREADS):
        assert [n for i, n in seen if i == thread] == [*range(EVENTS)]


def test_emit_of_another_thread_is_queued_and_does_not_wait() -> None:
    d, log = Dispatcher(), []
    inside, go_on = threading.Event(), threading.Event()

    def slow(data: Any) -> None:
        inside.set()
        assert go_on.wait(30)
        log.append(('slow', threading.get_ident()))

    d.on('slow', slow)
    d.on('message', lambda data: log.append((data, threading.get_ident())))

    def first() -> None:
        d.emit('slow')

    def second() -> None:
        assert inside.wait(30)
        assert d.emit('message', 1) is True
        assert log == []
        go_on.set()

    together(first, second)
    (slow_, its_thread), (message, thread) = log
    assert (slow_, message) == ('slow', 1)
    assert thread == its_thread


def test_handlers_come_and_go_meanwhile() -> None:
    d = Dispatcher()
    counts = [0] * THREADS

    def changes(index: int) -> None:
        for _ in range(EVENTS // 5):

            def handle() -> Generator[None, Any, None]:
                while True:
                    yield
                    counts[index] += 1

            d.on('message', handle)
            d.emit('message')
            assert d.off('message', handle)

    def emits() -> None:
        for _ in range(EVENTS):
            d.emit('message')
            d.emit('other')

    together(emits, *(lambda i=i: changes(i) for i in range(THREADS)))
    assert any(counts)
    assert not d.emit('message')


def test_close_meanwhile() -> None:
    for _ in range(20):
        d, ended = Dispatcher(), []

        def handle(ended: list[int] = ended) -> Generator[None, Any, None]:
            try:
                while True:
                    yield
            finally:
                ended.append(1)

        for _ in range(3):
            d.on('message', handle)

        def emits(d: Dispatcher = d) -> None:
            while True:
                d.emit('message')

        def refused(emits: Callable[[], None] = emits) -> None:
            with pytest.raises(RuntimeError, match='the dispatcher is closed'):
                emits()

        together(d.close, refused, refused)
        assert ended == [1] * 3


def test_async_calls_of_several_loops_and_sync_ones() -> None:
    d, seen = Dispatcher(), []

    async def handle(data: Any) -> None:
        await asyncio.sleep(0)
        seen.append(data)

    d.on('async', handle)
    d.on('sync', seen.append)

    async def emits(name: str) -> None:
        for n in range(EVENTS // 5):
            assert await d.aemit('async', (name, n))

    def plain() -> None:
        for n in range(EVENTS):
            assert d.emit('sync', ('plain', n))

    async def bounded(name: str) -> None:
        async with asyncio.timeout(60):
            await emits(name)

    together(lambda: asyncio.run(bounded('a')), lambda: asyncio.run(bounded('b')), plain)
    d.emit('sync', ('plain', EVENTS))
    assert [n for name, n in seen if name == 'plain'] == [*range(EVENTS + 1)]
    for who in 'ab':
        assert [n for name, n in seen if name == who] == [*range(EVENTS // 5)]

"""``Broadcast`` between threads and loops: ``subscribe_sync``, publishing from anywhere."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from generators import Broadcast, to_sync
from tests.broadcast.test_broadcast import Failed, collect, run, turns

SOON = 60


def in_thread(work: Callable[[], Any]) -> Any:
    return ThreadPoolExecutor(1).submit(work)


def until(holds: Callable[[], Any]) -> None:
    deadline = time.monotonic() + SOON
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.001)


# --- subscribe_sync -------------------------------------------------------------------------------


def test_one_that_is_stopped_gets_what_it_holds() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=2)
    stream = sender.subscribe_sync()
    sender.publish(1)
    sender.publish(2)
    waiting = in_thread(lambda: sender.run([3]))
    stream.stop()
    stream.stop()
    waiting.result(SOON)
    assert list(stream) == [1, 2]
    stream.stop()


def test_one_that_waits_is_stopped_from_another_thread() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe_sync()
    reader = in_thread(lambda: list(stream))
    sender.publish(1)
    until(lambda: stream.waits_for == 'source' and stream.items == 1)
    stream.stop()
    assert reader.result(SOON) == [1]
    assert sender.publish(2) == 0


def test_a_thread_waits_for_items() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=4)
    streams = [sender.subscribe_sync() for _ in range(3)]
    readers = [in_thread(lambda stream=stream: list(stream)) for stream in streams]
    sender.run(range(1000))
    assert [reader.result(SOON) for reader in readers] == [list(range(1000))] * 3
    assert sender.subscribers == 0


def test_it_times_out_and_goes_on() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe_sync(timeout=0.02)
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r'no item came within 0\.02 seconds'):
        next(stream)
    assert time.monotonic() - started >= 0.02
    sender.publish(1)
    assert next(stream) == 1
    at_once = sender.subscribe_sync(timeout=0)
    with pytest.raises(TimeoutError):
        next(at_once)
    sender.close()
    assert list(at_once) == []


def test_another_thread_closes_it() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe_sync()
    reader = in_thread(lambda: list(stream))
    until(lambda: stream.gi_running)
    stream.close()
    assert reader.result(SOON) == []
    assert sender.subscribers == 0


def test_one_of_many_that_wait_is_closed() -> None:
    sender: Broadcast[int] = Broadcast()
    streams = [sender.subscribe_sync() for _ in range(3)]
    readers = [in_thread(lambda stream=stream: list(stream)) for stream in streams]
    until(lambda: all(stream.gi_running for stream in streams))
    time.sleep(0.02)
    streams[0].close()
    assert readers[0].result(SOON) == []
    sender.run([1])
    assert [reader.result(SOON) for reader in readers[1:]] == [[1], [1]]


def test_a_failing_source_fails_a_thread() -> None:
    error = Failed()

    def source() -> Generator[int, None, None]:
        yield 1
        raise error

    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe_sync()
    with pytest.raises(Failed):
        sender.run(source())
    assert next(stream) == 1
    with pytest.raises(Failed) as caught:
        next(stream)
    assert caught.value is error
    assert list(stream) == []


def test_it_does_not_block_a_loop() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast(buffersize=1)
        stream = sender.subscribe_sync()
        with pytest.raises(RuntimeError, match='cannot wait on the thread of an event loop'):
            next(stream)
        sender.publish(1)
        with pytest.raises(RuntimeError, match=r'use arun\(\) there'):
            sender.run([2])
        assert next(stream) == 1

    run(main())


def test_run_waits_for_a_thread_that_is_slow() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    stream = sender.subscribe_sync()
    publishing = in_thread(lambda: sender.run(range(5)))
    until(lambda: stream.held == 1)
    assert not publishing.done()
    assert list(stream) == [0, 1, 2, 3, 4]
    publishing.result(SOON)


def test_a_stream_of_a_subscriber() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = to_sync(sender.subscribe())
    reader = in_thread(lambda: list(stream))
    sender.run(range(100))
    assert reader.result(SOON) == list(range(100))


# --- publishing from other threads, several loops -------------------------------------------------


def test_several_loops_and_threads() -> None:
    count, loops, threads = 200, 3, 3
    sender: Broadcast[int] = Broadcast(buffersize=16)
    ready = threading.Barrier(loops + 1)

    def read() -> list[list[int]]:
        async def main() -> list[list[int]]:
            tasks = [asyncio.create_task(collect(sender.subscribe())) for _ in range(5)]
            await turns()
            await asyncio.to_thread(ready.wait)
            return await asyncio.gather(*tasks)

        return asyncio.run(main())

    def publish(start: int) -> None:
        async def main() -> None:
            for number in range(start, start + count):
                assert await sender.apublish(number) == 5 * loops

        asyncio.run(main())

    with ThreadPoolExecutor(loops + threads) as pool:
        readers = [pool.submit(read) for _ in range(loops)]
        ready.wait(SOON)
        for publisher in [pool.submit(publish, i * count) for i in range(threads)]:
            publisher.result(SOON)
        sender.close()
        results = [items for reader in readers for items in reader.result(SOON)]
    assert len(results) == 5 * loops
    assert all(items == results[0] for items in results), 'in the same order for all'
    assert sorted(results[0]) == list(range(count * threads))
    for i in range(threads):
        mine = [item for item in results[0] if item // count == i]
        assert mine == sorted(mine)


def test_a_subscriber_goes_on_on_another_loop() -> None:
    sender: Broadcast[int] = Broadcast()
    stream = sender.subscribe()

    async def one() -> int:
        step = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        await turns()
        sender.publish(1)
        return await step

    loops = [asyncio.new_event_loop() for _ in range(3)]
    assert [loop.run_until_complete(one()) for loop in loops] == [1, 1, 1]
    for loop in loops:
        loop.close()


@pytest.mark.parametrize('policy', ['wait', 'drop_oldest', 'drop_newest', 'close'])
def test_one_on_a_loop_that_was_closed(policy: Any) -> None:
    sender: Broadcast[int] = Broadcast(buffersize=2, on_full=policy)
    stream = sender.subscribe()
    other = sender.subscribe(buffersize=100)
    loop = asyncio.new_event_loop()
    step = stream.__anext__()
    task = loop.create_task(step)
    loop.run_until_complete(turns())
    task._log_destroy_pending = False  # type: ignore[attr-defined]
    loop.close()
    counts = [sender.publish(i) for i in range(5)]
    assert counts[:2] == [2, 2]
    assert counts[4] == (2 if policy == 'drop_oldest' else 1)
    assert other.held == 5
    assert sender.subscribers == (2 if policy.startswith('drop') else 1)
    del task, step


def test_what_one_whose_loop_was_closed_gets() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    stream = sender.subscribe()

    async def leave() -> None:
        step = asyncio.create_task(anext(stream))  # type: ignore[arg-type]
        await turns()
        step.cancel()
        await asyncio.wait([step])

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()
    assert [sender.publish(1), sender.publish(2)] == [1, 0]

    async def main() -> None:
        assert await anext(stream) == 1
        with pytest.raises(BufferError, match='the event loop of the subscriber was closed'):
            await anext(stream)

    run(main())


def test_publishing_from_a_callback_and_a_thread_wakes_the_loop() -> None:
    async def main() -> None:
        sender: Broadcast[str] = Broadcast()
        stream = sender.subscribe()
        asyncio.get_running_loop().call_later(0.01, sender.publish, 'callback')
        assert await anext(stream) == 'callback'
        threading.Timer(0.01, sender.publish, ['thread']).start()
        assert await anext(stream) == 'thread'

    run(main())


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals of this system')
def test_publishing_from_a_signal_handler() -> None:
    async def main() -> None:
        sender: Broadcast[int] = Broadcast()
        stream = sender.subscribe()
        before = signal.signal(signal.SIGALRM, lambda number, frame: sender.publish(number))
        try:
            for _ in range(5):
                signal.setitimer(signal.ITIMER_REAL, 0.01)
                assert await anext(stream) == signal.SIGALRM
        finally:
            signal.signal(signal.SIGALRM, before)

    run(main())


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals of this system')
def test_a_signal_interrupts_a_thread_that_waits() -> None:
    sender: Broadcast[int] = Broadcast(buffersize=1)
    stream = sender.subscribe_sync()

    def interrupt(number: int, frame: object) -> None:
        raise Failed('interrupted')

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Failed, match='interrupted'):
            next(stream)
        sender.publish(1)
        assert next(stream) == 1
        sender.publish(2)
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(Failed, match='interrupted'):
            sender.run([3])
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals of this system')
def test_a_signal_handler_ends_its_own_wait() -> None:
    sender: Broadcast[int] = Broadcast()
    for act in (lambda stream: stream.close(), lambda stream: sender.publish(1)):
        stream = sender.subscribe_sync(timeout=SOON)
        before = signal.signal(signal.SIGALRM, lambda *_, act=act, stream=stream: act(stream))
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            assert next(stream, None) in (None, 1)
        finally:
            signal.signal(signal.SIGALRM, before)


INTERRUPTED = """
import asyncio
from generators import Broadcast

sender = Broadcast()
seen = []

async def read(stream, fails):
    async for item in stream:
        seen.append(item)
        if fails:
            raise KeyboardInterrupt

async def main():
    tasks = [asyncio.create_task(read(sender.subscribe(), i == 1)) for i in range(4)]
    await asyncio.sleep(0)
    sender.publish(1)
    await asyncio.sleep(1)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print('interrupted', len(seen))
"""


def test_ctrl_c_in_one_subscriber_ends_the_program() -> None:
    done = subprocess.run(
        [sys.executable, '-c', INTERRUPTED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() in (['interrupted', '2'], ['interrupted', '4'])

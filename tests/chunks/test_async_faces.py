"""``abatched`` and ``achunked`` beside their synchronous twins, and how they wait."""

from __future__ import annotations

import asyncio
import doctest
import gc
import pathlib
import sys
import time
import weakref
from collections.abc import AsyncIterator, Iterable
from contextlib import aclosing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, abatched, achunked, batched, chunked

pytestmark = pytest.mark.timeout(60)


async def source(items: Iterable[Any], pauses: Any = ()) -> AsyncIterator[Any]:
    """The items; before those at the places of `pauses` the loop has a turn, or time passes."""
    for i, item in enumerate(items):
        if i in pauses:
            await asyncio.sleep(0 if isinstance(pauses, set | range) else pauses[i])
        yield item


async def collect(stream: Any) -> list[Any]:
    return [item async for item in stream]


def outcome(make: Any) -> tuple[list[Any], Any]:
    """What was given before the end, and the error."""
    given: list[Any] = []
    try:
        for item in make():
            given.append(item)
    except Exception as error:
        return given, (type(error), str(error), getattr(error, '__notes__', None))
    return given, None


def async_outcome(make: Any) -> tuple[list[Any], Any]:
    given: list[Any] = []

    async def use() -> None:
        async for item in make():
            given.append(item)

    try:
        asyncio.run(use())
    except Exception as error:
        return given, (type(error), str(error), getattr(error, '__notes__', None))
    return given, None


class Failed(Exception):
    """What a source of these tests raises."""


PIECES = st.one_of(
    st.text(max_size=12),
    st.binary(max_size=12),
    st.binary(max_size=12).map(bytearray),
    st.binary(max_size=12).map(memoryview),
    st.just(FLUSH),
    st.sampled_from([b'', 'é', '\ud800', 5, None]),
)


@given(
    pieces=st.lists(PIECES, max_size=12),
    pauses=st.sets(st.integers(0, 12)),
    size=st.integers(1, 20),
    max_delay=st.sampled_from([0, None, 3600]),
    encoding=st.sampled_from(['utf-8', 'latin-1', 'ascii', 'utf-16', 'shift_jis']),
    fails=st.booleans(),
)
def test_achunked_gives_what_chunked_gives(
    pieces: list[Any],
    pauses: set[int],
    size: int,
    max_delay: float | None,
    encoding: str,
    fails: bool,
) -> None:
    def plain() -> Any:
        yield from pieces
        if fails:
            raise Failed

    async def waiting() -> AsyncIterator[Any]:
        async with aclosing(source(pieces, pauses)) as items:  # type: ignore[type-var]
            async for item in items:
                yield item
        if fails:
            raise Failed

    options: dict[str, Any] = {'max_delay': max_delay, 'encoding': encoding}
    assert async_outcome(lambda: achunked(waiting(), size, **options)) == outcome(
        lambda: chunked(plain(), size, **options)
    )


@given(
    items=st.lists(st.integers() | st.just(FLUSH), max_size=20),
    pauses=st.sets(st.integers(0, 20)),
    n=st.integers(1, 9),
    max_delay=st.sampled_from([0, None, 3600]),
    strict=st.booleans(),
    fails=st.booleans(),
)
def test_abatched_gives_what_batched_gives(
    items: list[Any],
    pauses: set[int],
    n: int,
    max_delay: float | None,
    strict: bool,
    fails: bool,
) -> None:
    def plain() -> Any:
        yield from items
        if fails:
            raise Failed

    async def waiting() -> AsyncIterator[Any]:
        async for item in source(items, pauses):
            yield item
        if fails:
            raise Failed

    options: dict[str, Any] = {'max_delay': max_delay, 'strict': strict}
    given, error = async_outcome(lambda: abatched(waiting(), n, **options))
    expected, expected_error = outcome(lambda: batched(plain(), n, **options))
    assert given == expected
    if error is not None and error[0] is ValueError:
        assert error == (ValueError, 'abatched(): incomplete batch', None)
        assert expected_error == (ValueError, 'batched(): incomplete batch', None)
    else:
        assert error == expected_error


def test_a_source_is_not_asked_after_its_end() -> None:
    class Once:
        ended = False

        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            assert not self.ended
            self.ended = True
            raise StopAsyncIteration

    class OneMore(Once):
        given = False

        async def __anext__(self) -> Any:
            if not self.given:
                self.given = True
                return b'x'
            return await super().__anext__()

    assert asyncio.run(collect(abatched(OneMore(), 2))) == [(b'x',)]
    assert asyncio.run(collect(achunked(OneMore(), 2))) == [b'x']


# --- what read() gives ------------------------------------------------------------------------


class Upload:
    """As Starlette's UploadFile."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self.data = data
        self.error = error
        self.asked: list[int] = []

    async def read(self, size: int = -1) -> bytes:
        self.asked.append(size)
        await asyncio.sleep(0)
        if self.error and not self.data:
            raise self.error
        piece, self.data = self.data[: min(size, 7)], self.data[min(size, 7) :]
        return piece


def test_an_object_whose_read_is_a_coroutine_function() -> None:
    upload = Upload(b'0123456789' * 3)
    assert asyncio.run(collect(achunked(upload, 8))) == [
        b'01234567',
        b'89012345',
        b'67890123',
        b'456789',
    ]
    assert set(upload.asked) == {8}


def test_an_error_of_read_comes_after_what_was_read() -> None:
    async def use() -> None:
        stream = achunked(Upload(b'0123456789', Failed('gone')), 8)
        assert await anext(stream) == b'01234567'
        assert await anext(stream) == b'89'
        with pytest.raises(Failed) as caught:
            await anext(stream)
        assert caught.value.__notes__ == ['while reading part 2 of the file']

    asyncio.run(use())


def test_a_stream_reader_is_read_and_not_iterated() -> None:
    async def use() -> list[bytes]:
        reader = asyncio.StreamReader()
        reader.feed_data(b'line\nline\n')
        reader.feed_eof()
        return await collect(achunked(reader, 4))

    assert asyncio.run(use()) == [b'line', b'\nlin', b'e\n']


@pytest.mark.parametrize('path', ['data.bin', pathlib.Path('data.bin')])
def test_a_path_is_no_async_source(path: Any) -> None:
    with pytest.raises(TypeError, match=r'not a path: use chunked\(path\), or to_async\(chunked'):
        achunked(path)


@pytest.mark.parametrize('bad', [[b'x'], b'bytes', 5, None, iter([])])
def test_what_is_no_async_source(bad: Any) -> None:
    with pytest.raises(TypeError, match='pieces must be an async iterable of pieces'):
        achunked(bad)
    with pytest.raises(TypeError, match='__aiter__'):
        abatched(bad, 2)


def test_arguments() -> None:
    async def use() -> None:
        for n in (0, -1):
            with pytest.raises(ValueError, match='n must be at least one'):
                abatched(source([]), n)
        with pytest.raises(ValueError, match='size must be at least 1'):
            achunked(source([]), 0)
        with pytest.raises(ValueError, match='max_delay must be'):
            achunked(source([]), max_delay=-1)
        with pytest.raises(LookupError):
            achunked(source([]), encoding='unknown')
        with pytest.raises(TypeError):
            achunked()  # type: ignore[call-arg]

    asyncio.run(use())


# --- the timer --------------------------------------------------------------------------------


def test_bytes_held_go_out_without_a_further_piece() -> None:
    async def use() -> None:
        release = asyncio.Event()

        async def pieces() -> AsyncIterator[str]:
            yield 'a'
            yield 'b'
            await release.wait()
            yield 'c'

        stream = achunked(pieces(), max_delay=0.02)
        start = time.monotonic()
        assert await anext(stream) == b'ab'
        assert 0.01 < time.monotonic() - start < 10
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.03)
        assert not waiting.done()  # nothing is held
        release.set()
        assert await waiting == b'c'
        assert await collect(stream) == []

    asyncio.run(use())


def test_a_batch_goes_out_without_a_further_item() -> None:
    async def use() -> None:
        release = asyncio.Event()

        async def items() -> AsyncIterator[int]:
            yield 1
            yield 2
            await release.wait()
            yield 3

        stream = abatched(items(), 100, max_delay=0.02)
        start = time.monotonic()
        assert await anext(stream) == (1, 2)
        assert 0.015 < time.monotonic() - start < 10
        waiting = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.03)
        assert not waiting.done()  # nothing is held
        release.set()
        assert await waiting == (3,)
        assert await collect(stream) == []

    asyncio.run(use())


def test_the_time_of_a_batch_goes_on_where_a_step_is_cancelled() -> None:
    async def use() -> None:
        async def items() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(3600)

        stream = abatched(items(), 100, max_delay=0.1)
        start = time.monotonic()
        steps = 0
        while True:
            steps += 1
            try:
                assert await asyncio.wait_for(anext(stream), 0.01) == (1,)
                break
            except TimeoutError:
                continue
        assert steps > 1
        assert time.monotonic() - start > 0.09
        await stream.aclose()

    asyncio.run(use())


def test_a_batch_that_nobody_asked_for_in_time_is_given_at_once() -> None:
    async def use() -> None:
        async def items() -> AsyncIterator[int]:
            yield 1
            await asyncio.sleep(3600)

        stream = abatched(items(), 100, max_delay=0.02)
        step = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        step.cancel()
        await asyncio.wait([step])
        await asyncio.sleep(0.03)
        async with asyncio.timeout(60):
            assert await anext(stream) == (1,)
        await stream.aclose()

    asyncio.run(use())


def test_flush_gives_an_async_batch_at_once() -> None:
    async def use() -> None:
        async def items() -> AsyncIterator[Any]:
            yield FLUSH
            yield 1
            yield FLUSH
            await asyncio.sleep(3600)

        stream = abatched(items(), 100, max_delay=3600)
        assert await anext(stream) == (1,)
        await stream.aclose()

    asyncio.run(use())


def test_the_step_that_was_left_is_gone_on_with() -> None:
    """In the same task, and each piece once, however often the time is over meanwhile."""
    tasks = set()

    async def use() -> None:
        async def pieces() -> AsyncIterator[str]:
            for i in range(5):
                yield f'{i}a'
                yield f'{i}b'
                for _ in range(3):
                    tasks.add(asyncio.current_task())
                    await asyncio.sleep(0.01)

        got = await collect(achunked(pieces(), max_delay=0.004))
        assert b''.join(got) == b''.join(b'%da%db' % (i, i) for i in range(5))
        assert len(got) >= 5

    asyncio.run(use())
    assert len(tasks) == 1


def test_a_pending_step_is_cancelled_when_it_is_closed() -> None:
    log: list[Any] = []

    async def use() -> None:
        async def pieces() -> AsyncIterator[str]:
            try:
                yield 'a'
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                log.append('cancelled')
                raise
            finally:
                await asyncio.sleep(0.001)
                log.append('closed')

        stream = achunked(pieces(), max_delay=0.001)
        assert await anext(stream) == b'a'
        await stream.aclose()
        assert log == ['cancelled', 'closed']
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(use())


def test_what_the_source_awaits_is_cancelled_with_it() -> None:
    async def use() -> None:
        inner: list[asyncio.Task[None]] = []

        async def pieces() -> AsyncIterator[str]:
            yield 'a'
            inner.append(asyncio.ensure_future(asyncio.sleep(3600)))
            await inner[-1]

        stream = achunked(pieces(), max_delay=0.001)
        assert await anext(stream) == b'a'
        await stream.aclose()
        assert inner[0].cancelled()

        stream = achunked(pieces(), max_delay=3600)
        step = asyncio.ensure_future(anext(stream))
        while len(inner) < 2:
            await asyncio.sleep(0)
        step.cancel()
        with pytest.raises(asyncio.CancelledError):
            await step
        assert not inner[1].done()
        await stream.aclose()
        assert inner[1].cancelled()
        assert await anext(stream, 'ended') == 'ended'

    asyncio.run(use())


def test_an_error_of_a_step_that_is_cancelled_to_close_comes_through() -> None:
    async def use() -> None:
        async def pieces() -> AsyncIterator[str]:
            try:
                yield 'a'
                await asyncio.sleep(3600)
            finally:
                raise OSError('while closing')

        stream = achunked(pieces(), max_delay=0.001)
        await anext(stream)
        with pytest.raises(OSError, match='while closing'):
            await stream.aclose()

    asyncio.run(use())


def test_a_source_that_takes_a_cancellation_for_a_piece() -> None:
    async def use() -> None:
        async def pieces() -> AsyncIterator[str]:
            yield 'a'
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                yield 'b'

        stream = achunked(pieces(), max_delay=0.001)
        await anext(stream)
        await stream.aclose()
        assert await anext(stream, 'ended') == 'ended'

    asyncio.run(use())


def test_cancelling_a_pending_step_loses_nothing() -> None:
    async def use(held: bool) -> None:
        release, closed = asyncio.Event(), []

        async def pieces() -> AsyncIterator[str]:
            try:
                if held:
                    yield 'a'
                await release.wait()
                yield 'b'
            finally:
                closed.append(True)

        stream = achunked(pieces(), max_delay=3600)
        for _ in range(3):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(stream), 0.001)
        assert closed == []
        release.set()
        assert await collect(stream) == [b'ab' if held else b'b']
        assert closed == [True]

    asyncio.run(use(False))
    asyncio.run(use(True))


def test_dropped_with_a_step_pending_the_loop_closes_it() -> None:
    async def use() -> None:
        closed = asyncio.Event()

        async def pieces() -> AsyncIterator[str]:
            try:
                yield 'a'
                await asyncio.sleep(3600)
            finally:
                closed.set()

        stream = achunked(pieces(), max_delay=0.001)
        await anext(stream)
        del stream
        gc.collect()
        await asyncio.wait_for(closed.wait(), 60)

    asyncio.run(use())


def test_without_a_loop_it_waits_for_pieces_only() -> None:
    class Turn:
        def __await__(self) -> Any:
            yield None

    async def pieces() -> AsyncIterator[str]:
        for piece in 'abc':
            await Turn()
            yield piece

    async def use() -> list[bytes]:
        return await collect(achunked(pieces(), 2, max_delay=0.5))

    steps = use().__await__()
    while True:
        try:
            assert steps.send(None) is None
        except StopIteration as stop:
            assert stop.value == [b'ab', b'c']
            break


@pytest.mark.parametrize('make', [achunked, abatched])
def test_close_with_task(make: Any) -> None:
    async def use() -> None:
        closed = asyncio.Event()

        async def pieces() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b'x'
            finally:
                closed.set()

        stream = make(pieces(), 3, close_with_task=True)

        async def first() -> None:
            await anext(stream)

        await asyncio.create_task(first())
        await asyncio.wait_for(closed.wait(), 60)

    asyncio.run(use())


@pytest.mark.parametrize('make', [achunked, abatched])
def test_a_source_that_is_always_ready_does_not_starve_the_loop(make: Any) -> None:
    async def use() -> None:
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        task = asyncio.create_task(others())
        async for _ in make(source([b'x'] * 100_000), 100_000):
            pass
        assert turns >= 5
        task.cancel()

    asyncio.run(use())


def test_a_source_whose_anext_gives_nothing_to_await() -> None:
    class Odd:
        def __aiter__(self) -> Any:
            return self

        def __anext__(self) -> int:
            return 5

    async def main() -> None:
        with pytest.raises(TypeError, match='invalid object from __anext__: int'):
            await anext(abatched(Odd(), 2))

    asyncio.run(main())


def test_nothing_leaks() -> None:
    item = b'an item'

    async def use() -> None:
        await collect(achunked(source([item] * 9, range(9)), 20))
        await collect(abatched(source([item] * 9, range(9)), 2))
        stream = achunked(source([item, item], [0, 3600]), max_delay=0.0001)
        await anext(stream)
        await stream.aclose()

    for _ in range(3):
        asyncio.run(use())
    gc.collect()
    before = sys.getrefcount(item), sys.getrefcount(achunked), sys.getrefcount(abatched)
    for _ in range(20):
        asyncio.run(use())
    gc.collect()
    assert (
        sys.getrefcount(item),
        sys.getrefcount(achunked),
        sys.getrefcount(abatched),
    ) == before


@pytest.mark.parametrize('kind', [abatched, achunked])
def test_the_docstring_runs(kind: Any) -> None:
    runner = doctest.DocTestRunner()
    globs = {kind.__name__: kind}
    for test in doctest.DocTestFinder(recurse=False).find(kind, kind.__name__, globs=globs):
        runner.run(test)
    assert runner.tries > 0
    assert runner.failures == 0


def test_a_source_whose_class_loses_its_anext() -> None:
    class Source:
        def __aiter__(self) -> Any:
            return self

        async def __anext__(self) -> int:
            return 1

    async def main() -> None:
        stream = abatched(Source(), 1)
        assert await anext(stream) == (1,)
        del Source.__anext__
        with pytest.raises(TypeError, match='iterator with __anext__ method, got Source'):
            await anext(stream)

    asyncio.run(main())


def test_a_read_without_data_is_an_error() -> None:
    class Source:
        async def read(self, size: int) -> None:
            return None

    async def main() -> None:
        with pytest.raises(BlockingIOError, match='it has no data yet'):
            await anext(achunked(Source()))  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_batch_that_was_not_given_is_dropped_by_aclose() -> None:
    class Item:
        pass

    seen: list[weakref.ref[Item]] = []

    async def items() -> AsyncIterator[Any]:
        item = Item()
        seen.append(weakref.ref(item))
        yield item
        del item
        await asyncio.sleep(3600)

    async def main() -> None:
        stream = abatched(items(), 5)
        step = asyncio.ensure_future(anext(stream))
        while stream.held < 1:
            await asyncio.sleep(0)
        step.cancel()
        await asyncio.wait([step])
        assert seen[0]() is not None
        await stream.aclose()
        gc.collect()
        assert seen[0]() is None
        assert stream.held == 0

    asyncio.run(main())

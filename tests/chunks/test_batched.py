"""``batched`` against ``itertools.islice``."""

from __future__ import annotations

import gc
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import count, islice, repeat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, batched
from tests.references import check_references
from tests.stream.model import check_against_model, steps


def plain(source: Iterable[Any], n: int) -> Iterator[tuple[Any, ...]]:
    iterator = iter(source)
    while batch := tuple(islice(iterator, n)):
        yield batch


@given(st.integers(0, 500), st.integers(1, 300))
def test_exactness(length: int, n: int) -> None:
    expected = list(plain(range(length), n))
    assert list(batched(range(length), n)) == expected
    assert list(batched(iter(range(length)), n)) == expected
    assert list(batched(source=[*range(length)], n=n)) == expected


@given(st.lists(st.integers(), max_size=30), st.integers(1, 9), steps, st.booleans())
def test_protocol(items: list[int], n: int, moves: Any, fails: bool) -> None:
    check_against_model(
        lambda source: batched(source, n),
        lambda source: plain(source, n),
        items,
        moves,
        LookupError('of the source') if fails else None,
    )


@pytest.mark.skipif(sys.version_info < (3, 12), reason='itertools.batched came with 3.12')
def test_as_itertools() -> None:
    from itertools import batched as standard

    for n in range(1, 12):
        assert list(batched(range(10), n)) == list(standard(range(10), n))


def test_large_n_takes_no_more_than_it_needs() -> None:
    assert list(batched('abc', sys.maxsize)) == [('a', 'b', 'c')]
    (batch,) = batched(range(100_000), sys.maxsize)
    assert batch == tuple(range(100_000))


def test_reads_no_further_than_the_batch() -> None:
    numbers = count()
    stream = batched(numbers, 3)
    assert next(stream) == (0, 1, 2)
    assert next(numbers) == 3


@pytest.mark.parametrize('max_delay', [None, 1000])
def test_flush_gives_what_is_there(max_delay: float | None) -> None:
    items = [FLUSH, 1, FLUSH, FLUSH, 2, 3, FLUSH, 4, 5, 6, FLUSH]
    expected = [(1,), (2, 3), (4, 5), (6,)]
    assert list(batched(items, 2, max_delay=max_delay)) == expected
    assert list(batched([FLUSH] * 5, 2, max_delay=max_delay)) == []


def test_flush_in_a_large_batch() -> None:
    first, second = batched([*range(5000), FLUSH, *range(10)], 10_000)
    assert first == tuple(range(5000))
    assert second == tuple(range(10))


def slowly(pauses: Iterable[float]) -> Iterator[int]:
    for number, pause in enumerate(pauses):
        time.sleep(pause)
        yield number


def test_a_batch_is_given_with_the_item_that_comes_late() -> None:
    assert list(batched(slowly([0, 0, 0.6, 0, 0]), 100, max_delay=0.5)) == [(0, 1, 2), (3, 4)]
    assert list(batched(slowly([0.6, 0, 0]), 2, max_delay=0.5)) == [(0, 1), (2,)]
    assert list(batched(range(3), 2, max_delay=0)) == [(0,), (1,), (2,)]
    assert list(batched(range(3), 2, max_delay=float('inf'))) == [(0, 1), (2,)]


@pytest.mark.parametrize('max_delay', [None, 1000])
def test_strict(max_delay: float | None) -> None:
    assert list(batched(range(4), 2, strict=True, max_delay=max_delay)) == [(0, 1), (2, 3)]
    assert list(batched([], 2, strict=True)) == []
    stream = batched(iter(range(5)), 2, strict=True, max_delay=max_delay)
    assert [next(stream), next(stream)] == [(0, 1), (2, 3)]
    with pytest.raises(ValueError, match=r'batched\(\): incomplete batch'):
        next(stream)
    assert list(stream) == []
    assert list(batched([1, FLUSH, 2, 3], 2, strict=True)) == [(1,), (2, 3)]
    with pytest.raises(ValueError, match='incomplete'):
        list(batched(range(5000), 10_000, strict=True))


@pytest.mark.parametrize(
    ('max_delay', 'error'), [(-1, ValueError), (float('nan'), ValueError), ('1', TypeError)]
)
def test_a_bad_max_delay(max_delay: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        batched([], 2, max_delay=max_delay)


@pytest.mark.skipif(not hasattr(signal, 'setitimer'), reason='signals of this system')
def test_a_signal_ends_what_gives_nothing() -> None:
    def interrupt(number: int, frame: object) -> None:
        raise LookupError('interrupted')

    before = signal.signal(signal.SIGALRM, interrupt)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        with pytest.raises(LookupError, match='interrupted'):
            next(batched(repeat(FLUSH), 2))
    finally:
        signal.signal(signal.SIGALRM, before)


def test_batches_are_collected() -> None:
    """A cycle through a batch is found."""
    items: list[Any] = [[], []]
    (batch,) = batched(items, 2)
    assert gc.is_tracked(batch)
    (short,) = batched(items, 5)
    assert gc.is_tracked(short)
    assert len(short) == 2


def test_batch_is_not_seen_before_it_is_whole() -> None:
    seen = []
    marker = object()

    def source() -> Iterator[Any]:
        for _ in range(20):
            yield marker
            seen.extend(
                o for o in gc.get_referrers(marker) if type(o) is tuple and o and o[0] is marker
            )

    (batch,) = batched(source(), 500)
    assert len(batch) == 20
    assert seen == []


@pytest.mark.parametrize('n', [0, -1])
def test_n_too_small(n: int) -> None:
    with pytest.raises(ValueError, match='n must be at least one'):
        batched([], n)


def test_arguments() -> None:
    for bad in ((), ([],), ([], '2'), ([], 2.0), ([], 1, 1), (5, 1)):
        with pytest.raises(TypeError):
            batched(*bad)
    with pytest.raises(OverflowError):
        batched([], 1 << 70)


def test_source_that_fails() -> None:
    def source() -> Iterator[int]:
        yield from range(5)
        raise LookupError('gone')

    stream = batched(source(), 3)
    assert next(stream) == (0, 1, 2)
    with pytest.raises(LookupError) as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading item 5']
    assert list(stream) == []


def test_source_that_closes_its_own_stream() -> None:
    def source() -> Iterator[int]:
        yield 1
        with pytest.raises(ValueError, match='generator already executing'):
            stream.close()
        yield 2

    stream = batched(source(), 2)
    assert list(stream) == [(1, 2)]


def test_nothing_leaks() -> None:
    item = object()

    def use() -> None:
        list(batched([item] * 200, 150))
        next(batched([item] * 9, 2))

        def source() -> Iterator[Any]:
            yield item
            raise LookupError

        with pytest.raises(LookupError):
            next(batched(source(), 2))

    check_references(use, item, batched)


def test_an_error_behind_flush_names_its_item() -> None:
    def items() -> Iterator[Any]:
        yield from [1, FLUSH, 2]
        raise LookupError

    batches = batched(items(), 5)
    assert next(batches) == (1,)
    with pytest.raises(LookupError) as caught:
        list(batches)
    assert caught.value.__notes__ == ['while reading item 3']

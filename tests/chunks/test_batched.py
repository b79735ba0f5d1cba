"""``batched`` against ``itertools.islice``."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, batched
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


def test_flush_is_an_item_as_any_other() -> None:
    assert list(batched([FLUSH, 1], 2)) == [(FLUSH, 1)]


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

    use()
    gc.collect()
    before = sys.getrefcount(item), sys.getrefcount(batched)
    for _ in range(50):
        use()
    gc.collect()
    assert (sys.getrefcount(item), sys.getrefcount(batched)) == before

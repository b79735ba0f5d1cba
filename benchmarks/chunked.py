"""chunked and batched against what is written by hand, in one process and on the same pieces.

    python benchmarks/chunked.py [--pieces 1000000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

A ratio is the peer's median over ours: more is better.  `MISSED` marks a figure that does not
reach its bar.
"""

from __future__ import annotations

import importlib
import itertools
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from measure import Row, Suite, Work, compared, consume, medians

from generators import batched, chunked

SIZE = 65536

suite = Suite(__doc__, pieces=1_000_000)
options = suite.options


# ---- the coalescers that people write ----


def by_hand(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """No piece is asked for before it is needed; chunks end where a piece does."""
    buf = b''
    for piece in pieces:
        buf += piece
        if len(buf) >= SIZE:
            yield buf
            buf = b''
    if buf:
        yield buf


def exact_by_hand(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in chunks of exactly SIZE, of a bytearray."""
    buf = bytearray()
    for piece in pieces:
        buf += piece
        while len(buf) >= SIZE:
            yield bytes(buf[:SIZE])
            del buf[:SIZE]
    if buf:
        yield bytes(buf)


def text_by_hand(pieces: Iterable[str]) -> Iterator[bytes]:
    buf = ''
    for piece in pieces:
        buf += piece
        if len(buf) >= SIZE:
            yield buf.encode()
            buf = ''
    if buf:
        yield buf.encode()


def joined_by_hand(pieces: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    length = 0
    for piece in pieces:
        held.append(piece)
        length += len(piece)
        if length >= SIZE:
            yield b''.join(held)
            held.clear()
            length = 0
    yield b''.join(held)


# ---- what is measured ----


def made(length: int) -> list[bytes]:
    return [(b'%d ' % n * length)[:length] for n in range(options.pieces)]


@suite.measurement
def short_pieces() -> Iterator[Row]:
    pieces = made(20)
    assert b''.join(chunked(pieces)) == b''.join(pieces)
    peers = (
        ('buf += piece', by_hand),
        ('bytearray, exact', exact_by_hand),
        ('join', joined_by_hand),
    )
    works: list[Work] = [lambda: consume(chunked(pieces))]
    works += [lambda peer=peer: consume(peer(pieces)) for _, peer in peers]  # type: ignore[misc]
    mine, *theirs = medians(works, options.rounds)
    for i, (name, _) in enumerate(peers):
        yield compared('20-byte pieces of a list', name, theirs[i], mine, 3)


@suite.measurement
def short_texts() -> Iterator[Row]:
    texts = [piece.decode() for piece in made(20)]
    wide = [text.replace('1', 'é') for text in texts]
    for name, pieces in (('ASCII', texts), ('not ASCII', wide)):
        works: list[Work] = [
            lambda pieces=pieces: consume(text_by_hand(pieces)),  # type: ignore[misc]
            lambda pieces=pieces: consume(chunked(pieces)),  # type: ignore[misc]
        ]
        yield compared(
            f'20-character texts, {name}', 'buf += piece', *medians(works, options.rounds)
        )


@suite.measurement
def from_a_generator() -> Iterator[Row]:
    pieces = made(20)

    def generate() -> Iterator[bytes]:
        yield from pieces

    works: list[Work] = [lambda: consume(by_hand(generate())), lambda: consume(chunked(generate()))]
    yield compared('20-byte pieces of a generator', 'buf += piece', *medians(works, options.rounds))


@suite.measurement
def without_a_delay() -> Iterator[Row]:
    pieces = made(20)
    source = lambda: map(bytes, pieces)  # noqa: E731
    works: list[Work] = [
        lambda: consume(chunked(source())),
        lambda: consume(chunked(source(), max_delay=None)),
    ]
    yield compared('max_delay=None', 'a clock look each piece', *medians(works, options.rounds))


@suite.measurement
def whole_chunks() -> Iterator[Row]:
    """A chunk that is handed on costs no more than to iterate over it."""
    pieces = [bytes(SIZE)] * 100_000
    works: list[Work] = [
        lambda: consume(piece for piece in pieces),
        lambda: consume(chunked(pieces)),
    ]
    works = [*works, lambda: consume(by_hand(pieces))]
    loop, mine, theirs = medians(works, options.rounds)
    yield compared('pieces of exactly 64 KiB', 'a generator that does nothing', loop, mine, 1)
    yield compared('pieces of exactly 64 KiB', 'buf += piece', theirs, mine)


@suite.measurement
def batches() -> Iterator[Row]:
    items: list[Any] = list(range(options.pieces))
    for n in (3, 100, 10_000):
        for name, module in (('itertools', 'itertools'), ('more-itertools', 'more_itertools')):
            try:
                peer = importlib.import_module(module).batched
            except (ImportError, AttributeError) as e:
                yield Row(f'batched, n={n}', name, bar=f'skipped: {e}')
                continue
            works: list[Work] = [
                lambda peer=peer, n=n: consume(peer(items, n)),  # type: ignore[misc]
                lambda n=n: consume(batched(items, n)),  # type: ignore[misc]
            ]
            yield compared(f'batched, n={n}', name, *medians(works, options.rounds))

        def islices(n: int = n) -> None:
            iterator = iter(items)
            deque(iter(lambda: tuple(itertools.islice(iterator, n)), ()), maxlen=0)

        works = [islices, lambda n=n: consume(batched(items, n))]  # type: ignore[misc]
        yield compared(f'batched, n={n}', 'islice by hand', *medians(works, options.rounds))


if __name__ == '__main__':
    sys.exit(suite.main())

"""A character that was cut between the two halves of its surrogate pair."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import FLUSH, achunked, chunked

HIGH, LOW = '\ud83d', '\ude00'
EMOJI = '\U0001f600'


def halves(text: str) -> list[str]:
    """The UTF-16 code units of a text, each as a `str`."""
    units = text.encode('utf-16-le', 'surrogatepass')
    return [chr(int.from_bytes(units[i : i + 2], 'little')) for i in range(0, len(units), 2)]


async def given_later(pieces: list[Any]) -> AsyncIterator[Any]:
    for piece in pieces:
        yield piece


def in_both_ways(pieces: list[Any], **options: Any) -> bytes:
    async def use() -> bytes:
        return b''.join([chunk async for chunk in achunked(given_later(pieces), **options)])

    joined = b''.join(chunked(pieces, **options))
    assert asyncio.run(use()) == joined
    return joined


@given(
    text=st.text(st.characters(exclude_categories=['Cs']), min_size=1, max_size=30),
    cuts=st.sets(st.integers(0, 60)),
    encoding=st.sampled_from(['utf-8', 'utf-16', 'utf-32']),
)
def test_any_cut_between_code_units(text: str, cuts: set[int], encoding: str) -> None:
    pieces, piece = [], ''
    for i, unit in enumerate(halves(text)):
        if i in cuts or '\ud800' <= unit <= '\udfff':
            pieces.append(piece)
            piece = ''
        piece += unit
    pieces.append(piece)
    assert in_both_ways(pieces, encoding=encoding) == text.encode(encoding)


@pytest.mark.parametrize(
    'pieces',
    [
        [HIGH, LOW],
        ['x' + HIGH, LOW + 'y'],
        [HIGH, '', LOW],
        [HIGH, FLUSH, LOW],
        ['é' * 300 + HIGH, LOW + 'é' * 300],
        [HIGH, LOW + HIGH, LOW],
    ],
)
def test_halves_are_joined(pieces: list[Any]) -> None:
    text = ''.join(piece for piece in pieces if piece is not FLUSH)
    expected = text.encode('utf-16', 'surrogatepass').decode('utf-16').encode()
    assert in_both_ways(pieces) == expected
    assert in_both_ways(pieces, max_delay=0) == expected


@pytest.mark.parametrize(
    'pieces',
    [
        [HIGH],
        [HIGH, 'x'],
        [HIGH, 'é'],
        [HIGH, HIGH, LOW],
        [HIGH, b'x', LOW],
        [HIGH, bytearray(b'x')],
        [LOW, HIGH],
        ['a' + HIGH + 'b'],
    ],
)
@pytest.mark.parametrize('encoding', ['utf-8', 'latin-1', 'ascii', 'utf-16'])
def test_a_half_alone_is_no_text(pieces: list[Any], encoding: str) -> None:
    with pytest.raises(UnicodeEncodeError):
        list(chunked(pieces, encoding=encoding))


def test_what_comes_before_a_half_alone_is_given() -> None:
    stream = chunked(['ab', 'c' + HIGH, b'x'])
    assert next(stream) == b'abc'
    with pytest.raises(UnicodeEncodeError) as caught:
        next(stream)
    assert caught.value.__notes__ == ['while reading piece 2']


def test_a_failing_source_is_not_hidden_by_a_half() -> None:
    def pieces() -> Any:
        yield 'a' + HIGH
        raise OSError('lost')

    stream = chunked(pieces())
    assert next(stream) == b'a'
    with pytest.raises(OSError, match='lost'):
        next(stream)

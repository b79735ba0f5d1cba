"""Pieces, files and parameters whose own code runs where a chunk is made."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from generators import chunked, csv_encode


def test_a_piece_that_uses_the_stream_as_it_goes() -> None:
    class Piece(str):
        def __del__(self) -> None:
            try:
                used.append(next(stream))
            except (ValueError, StopIteration) as error:
                used.append(type(error))

    used: list[Any] = []
    stream = chunked((Piece('abcdef') for _ in range(3)), 4, max_delay=None)
    chunks = [*itertools.islice(stream, 3), *stream]
    taken = [chunk for chunk in used if isinstance(chunk, bytes)]
    assert b''.join(chunks + taken) == b'abcdef' * 3
    assert used


def test_an_error_that_comes_after_a_piece_whose_code_raises_too() -> None:
    class Piece(str):
        def __del__(self) -> None:
            with pytest.raises(ValueError, match='already executing'):
                stream.close()

    def pieces() -> Iterator[str]:
        yield Piece('abcdef')
        raise ZeroDivisionError

    stream = chunked(pieces(), 4, max_delay=None)
    assert [next(stream), next(stream)] == [b'abcd', b'ef']
    with pytest.raises(ZeroDivisionError):
        next(stream)


@pytest.mark.parametrize('name', ['size', 'max_delay'])
def test_a_parameter_whose_code_raises(name: str) -> None:
    class Hostile:
        def __index__(self) -> int:
            raise ZeroDivisionError

        def __float__(self) -> float:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        chunked([], **{name: Hostile()})
    with pytest.raises(ZeroDivisionError):
        csv_encode([], **{name: Hostile()})


def test_what_a_file_read_has_a_length_that_raises_or_lies() -> None:
    class File:
        def __init__(self, data: Any) -> None:
            self.data = data

        def read(self, size: int) -> Any:
            return self.data

    class Data(bytearray):
        def __len__(self) -> int:
            length = lengths.pop()
            if length is None:
                raise ZeroDivisionError
            return length

    lengths: list[int | None] = [None]
    with pytest.raises(ZeroDivisionError):
        next(chunked(File(Data(b'ab')), 4))
    lengths = [sys.maxsize, sys.maxsize]
    assert next(chunked(File(Data(b'ab')), 4)) == b'abab'
    lengths = [0]
    assert list(chunked(File(Data(b'ab')), 4)) == []

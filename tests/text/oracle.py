"""Plain statements of what lines are, and sources that are cut everywhere."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from itertools import product
from typing import Any


def expected(data: bytes, newline: bytes | None, keepends: bool) -> list[bytes]:
    """The lines of the data, by a regular expression."""
    end = rb'\r\n|\r|\n' if newline is None else re.escape(newline)
    lines, start = [], 0
    for match in re.finditer(end, data):
        lines.append(data[start : match.end() if keepends else match.start()])
        start = match.end()
    return [*lines, data[start:]] if start < len(data) else lines


def by_text_file(text: str, newline: str | None) -> list[str]:
    """What a text file opened with that newline gives, without line ends."""
    data = text.encode('utf-8', 'surrogatepass')
    file = io.TextIOWrapper(io.BytesIO(data), 'utf-8', 'surrogatepass', newline=newline)
    return [line.removesuffix('\n' if newline is None else newline) for line in file]


def texts(alphabet: str, longest: int) -> Iterator[str]:
    for length in range(longest + 1):
        yield from map(''.join, product(alphabet, repeat=length))


def cuts(data: Any) -> Iterator[list[Any]]:
    """The data in pieces, by every cut."""
    for places in product((False, True), repeat=max(0, len(data) - 1)):
        pieces, start = [], 0
        for at, cut in enumerate(places, 1):
            if cut:
                pieces.append(data[start:at])
                start = at
        yield [*pieces, data[start:]]

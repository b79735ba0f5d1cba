"""What ``skip``, ``comment``, ``footer``, ``blank`` and ``multiline`` mean, in plain Python."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import oracle


class Record(NamedTuple):
    """One record, or a fault: ``row`` is None."""

    row: list[str] | None
    first_line: int  # physical, from 1
    last_line: int
    raw: str


def lines_to_pass(lines: list[str], skip: Any) -> int:
    """How many physical lines are above the first record."""
    if skip is None or isinstance(skip, int):
        return min(skip or 0, len(lines))
    for i, line in enumerate(lines):
        bare = line.rstrip('\r\n')
        if skip(bare) if callable(skip) else bare.startswith(skip):
            return i
    raise ValueError('there is no such line')


def one_record(lines: list[str], at: int, multiline: bool, dialect: dict[str, Any]) -> Record:
    reader = csv.reader(
        iter([*lines[at : at + 1], 'x"\n'] if not multiline else lines[at:]), **dialect
    )
    row = next(reader)
    count = reader.line_num
    if not multiline and count > 1:
        return Record(None, at + 1, at + 1, lines[at])
    return Record(row, at + 1, at + count, ''.join(lines[at : at + count]))


def records(
    text: str,
    *,
    skip: Any = None,
    comment: str | None = None,
    multiline: bool = True,
    **dialect: Any,
) -> Iterator[Record]:
    lines = oracle.split_lines(text)
    at = lines_to_pass(lines, skip)
    while at < len(lines):
        if comment is not None and lines[at].startswith(comment):
            at += 1
            continue
        record = one_record(lines, at, multiline, dialect)
        yield record
        at = record.last_line


def read(text: str, *, footer: int = 0, blank: str = 'keep', **around: Any) -> list[Record]:
    found = list(records(text, **around))
    found = found[: max(len(found) - footer, 0)]
    return [record for record in found if blank != 'skip' or record.row != []]

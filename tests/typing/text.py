"""What type checkers make of lines and JSON lines; mypy reads this, nothing runs it."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, assert_type

from generators import (
    DataError,
    ajsonl_encode,
    ajsonl_rows,
    alines,
    jsonl_encode,
    jsonl_rows,
    lines,
)


def of_lines(chunks: Iterator[bytes], text: Iterator[str]) -> None:
    assert_type(lines(Path('a.txt')), lines[bytes])
    assert_type(lines(b'a'), lines[bytes])
    assert_type(lines(chunks, newline=b'\0', keepends=True), lines[bytes])
    assert_type(lines(chunks, encoding='utf-8', errors='replace'), lines[str])
    assert_type(lines(text), lines[str])
    assert_type(next(lines('a.txt', encoding='utf-8', max_line=None)), str)
    assert_type(lines(open('a.txt', 'rb'), start=lines('a.txt').checkpoint()), lines[bytes])
    lines('a.txt', newline=1)  # type: ignore[call-overload]
    lines('a.txt', close_with_task=True)  # type: ignore[call-overload]


def number(line: bytes) -> int:
    return int(line)


def refused(error: DataError, line: bytes) -> None:
    value: ValueError = error
    print(value, line)
    assert_type(error.line, int | None)
    assert_type(error.text, str | None)


def of_rows(chunks: Iterator[bytes]) -> None:
    rows = jsonl_rows(chunks, loads=number, on_error=refused)
    assert_type(next(rows), int)
    assert_type(rows.row_num + rows.errors + rows.line_num, int)
    assert_type(next(jsonl_rows('a.jsonl', blank='error')), Any)
    assert_type(next(jsonl_rows('a.jsonl', loads=json.loads)), Any)
    jsonl_rows('a.jsonl', blank='raise')  # type: ignore[call-overload]


async def of_async(chunks: AsyncIterator[bytes], text: AsyncIterator[str]) -> None:
    assert_type(await anext(alines(chunks)), bytes)
    assert_type(await anext(alines(text)), str)
    assert_type(await anext(alines(chunks, encoding='utf-8', close_with_task=True)), str)
    assert_type(await anext(ajsonl_rows(chunks, loads=number)), int)


def encoded(rows: Iterator[Any], text: AsyncIterator[str]) -> None:
    assert_type(next(jsonl_encode(rows)), bytes)
    assert_type(jsonl_encode(rows, dumps=repr, max_delay=None).row_num, int)
    assert_type(ajsonl_encode(text, dumps=str.encode), ajsonl_encode)
    jsonl_encode(rows, dumps=len)  # type: ignore[arg-type]
    ajsonl_encode(rows)  # type: ignore[arg-type]

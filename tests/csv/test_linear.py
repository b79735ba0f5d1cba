"""Cost grows with the input and no faster, whatever is in it.

Eight times the input takes about eight times the time; what grows with its square takes 64 times.
Time is that of the process's CPU, the least of several, and the bound lies far from both.

Both sizes start without free memory in malloc.  glibc keeps what is freed up to a threshold, and
gives back to the system what is above it.  The system then has to map each page again, which takes
longer than reading what is in it: even `[None] * n` takes seven times as long for each item once
its memory is new.  Where only the larger input is above the threshold, the ratio is that of new
memory to memory that was kept.
"""

import ctypes
import sys
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from generators import CSVRow, chunked, csv_encode, csv_rows

TIMES = 8
AT_MOST = 32  # times as long
ENDLESS = {'max_field': None, 'max_record': None}


def consume(items: Iterable[Any]) -> None:
    deque(items, maxlen=0)


def give_free_memory_back() -> None:
    """To the system, where malloc has a function for it."""
    if sys.platform == 'linux':
        trim = getattr(ctypes.CDLL(None), 'malloc_trim', None)  # glibc
        if trim is not None:
            trim(ctypes.c_size_t(0))


def seconds(work: Callable[[int], object], n: int) -> float:
    taken = []
    for _ in range(3):
        give_free_memory_back()
        start = time.process_time()
        work(n)
        taken.append(time.process_time() - start)
    return min(taken)


def check_linear(work: Callable[[int], object], n: int) -> None:
    """From so much on that it takes a time that can be measured."""
    work(n)
    while n < 100_000 and seconds(work, n) < 0.0003:
        n *= 2
    ratios = []
    for _ in range(5):
        ratios.append(seconds(work, n * TIMES) / seconds(work, n))
        if ratios[-1] < AT_MOST:
            return
    raise AssertionError(f'{TIMES} times as much took {ratios} times as long')


def in_pieces(text: bytes, size: int) -> Iterable[bytes]:
    return (text[i : i + size] for i in range(0, len(text), size))


HOSTILE: dict[str, bytes] = {
    'quotes': b'"',
    'pairs of quotes': b'""',
    'quotes within words': b'a"b',
    'delimiters': b',',
    'quoted fields': b'"a",',
    'quoted line ends': b'"\r\n"\r\n',
    'words behind quotes': b'"a"b,',
    'line ends': b'\n',
    'carriage returns': b'\r',
    'NULs': b'\0',
    'wide characters': 'é'.encode(),
    'broken bytes': b'\xff',
    'short records': b'a,b\n',
    'long fields': b'x',
    'a quote that is never closed': b'"\n,',
}


@pytest.mark.parametrize('unit', HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize('size', [None, 64], ids=['whole', 'in pieces'])
def test_rows_of_hostile_bytes(unit: bytes, size: int | None) -> None:
    def read(n: int) -> None:
        text = unit * n
        source: Any = text if size is None else in_pieces(text, size)
        consume(csv_rows(source, items='chunks', errors='replace', **ENDLESS))

    check_linear(read, 2000)


@pytest.mark.parametrize('unit', HOSTILE.values(), ids=HOSTILE)
def test_text_in_pieces(unit: bytes) -> None:
    def read(n: int) -> None:
        text = unit.decode('utf-8', 'replace') * n
        pieces = (text[i : i + 64] for i in range(0, len(text), 64))
        consume(csv_rows(pieces, items='chunks', **ENDLESS))

    check_linear(read, 2000)


@pytest.mark.parametrize(
    'record', [b'a,b,c\n', b'"a"b\n', b'\xff\n', b'"\xff\n'], ids=['long', 'strict', 'byte', 'open']
)
def test_records_that_are_skipped(record: bytes) -> None:
    def read(n: int) -> None:
        consume(
            csv_rows(
                record * n,
                names=['a', 'b'],
                header=False,
                into=dict,
                on_error='skip',
                strict=True,
                **ENDLESS,
            )
        )

    check_linear(read, 500)


def test_rows_that_are_kept() -> None:
    def read(n: int) -> None:
        rows = list(csv_rows(in_pieces(b'a,b\n1,2\n' + b'x,y\n' * n, 64), into=CSVRow))
        assert rows[-1]['a'] == 'x'

    check_linear(read, 500)


@pytest.mark.parametrize('into', [dict, list])
def test_columns_without_end(into: type) -> None:
    def read(n: int) -> None:
        names = ','.join(f'c{i}' for i in range(n))
        consume(csv_rows(f'{names}\n{names}\n'.encode(), into=into, **ENDLESS))

    check_linear(read, 500)


@pytest.mark.parametrize('cell', ['"', ' ', '=', ',\r\n'], ids=repr)
def test_rows_that_are_written(cell: str) -> None:
    def write(n: int) -> None:
        consume(csv_encode([[cell * n]], escape_formulas=True))

    check_linear(write, 2000)


def test_pieces_that_are_sent() -> None:
    check_linear(lambda n: consume(chunked([b'x'] * n, 65536)), 2000)
    check_linear(lambda n: consume(chunked([b'x' * n], 16)), 2000)


@pytest.mark.parametrize('fields', [100_000, 800_000])
def test_memory_of_one_long_row(fields: int) -> None:
    """A reference and a position for each field, and a byte of text, and what they may grow by."""
    text = b',' * (fields - 1)
    tracemalloc.start()
    try:
        rows = csv_rows(text, items='chunks', **ENDLESS)
        assert [len(row) for row in rows] == [fields]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 18 * fields

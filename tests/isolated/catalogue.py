"""One table of every public type: how it is made, stepped and closed.

The tests of faults (memory that runs out, leaks, threads, interpreters, forks) walk it, so a type
that is new is put to all of them by an entry here.  `test_catalogue.py` fails while a public name
has none.  It imports nothing but the standard library, so that scripts run it on any interpreter.
"""

import asyncio
import atexit
import concurrent.futures
import dataclasses
import datetime as dt
import functools
import io
import itertools
import json
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from operator import methodcaller
from pathlib import Path
from typing import Any, NamedTuple

import generators
from generators import (
    FLUSH,
    Broadcast,
    CSVBatch,
    CSVError,
    CSVRow,
    DataError,
    Dispatcher,
    ErrorEvent,
    Event,
    ServerSentEvent,
    abatched,
    achunked,
    acsv_batches,
    acsv_encode,
    acsv_rows,
    aevent_source,
    aevent_stream,
    aheartbeat,
    ajsonl_encode,
    ajsonl_rows,
    alines,
    amap,
    amerge,
    batched,
    chunked,
    csv,
    csv_batches,
    csv_encode,
    csv_rows,
    csv_scan,
    csv_sniff,
    csv_split,
    drive,
    event_source,
    event_stream,
    heartbeat,
    jsonl_encode,
    jsonl_rows,
    map_threads,
    task,
    to_async,
    to_sync,
)

LATIN1 = b'\xe9t\xe9'


@dataclasses.dataclass(frozen=True)
class Recipe:
    """`make(count)` gives an object whose steps give `items(count)`, each of them plain."""

    name: str
    covers: tuple[str, ...]
    make: Callable[[int], Any]
    items: Callable[[int], list[Any]]
    step: Callable[[Any], Any] = next
    close: Callable[[Any], Any] = methodcaller('close')
    # Several threads may step one object, and each item comes once.
    shared: bool = True
    # What an overlapping step is refused with.
    refusal: type[Exception] = ValueError
    # It runs an event loop: 3.11's asyncio has one state for all interpreters.
    runs_loop: bool = False
    # It has threads of its own: 3.11 destroys no interpreter that has any left.
    runs_threads: bool = False
    # What a step of one that was begun before a fork raises in the child; None: it goes on.
    forked: type[Exception] | None = None
    # Both processes read one descriptor, so that what one has read the other has not.
    one_descriptor: bool = False
    # Bytes that are cut in other places where an error comes: only what they join to is compared.
    joined: bool = False
    # False where CPython itself crashes.  Up to 3.13 it frees the code of a function for which
    # there is no memory, and much of the standard library makes functions.
    short_of_memory: bool = True
    # False where it does if a second allocation fails, too.
    out_of_memory: bool = True


RECIPES: dict[str, Recipe] = {}


def recipe(name: str, *covers: str, **how: Any) -> None:
    assert name not in RECIPES
    RECIPES[name] = Recipe(name, covers or (name.split()[0],), **how)


# --- what is streamed -------------------------------------------------------------------------


def text_of(i: int) -> str:
    return ('plain', 'a "b", c', 'été', '')[i % 4]


def pair(i: int) -> tuple[str, str]:
    return str(i), text_of(i)


def line(i: int) -> str:
    name, text = pair(i)
    return '{},"{}"\r\n'.format(name, text.replace('"', '""')) if i % 2 else f'{name},{text}\r\n'


def lines(count: int) -> Iterator[str]:
    """A generator, so that it is closed."""
    for i in range(count):
        yield line(i)


def written(count: int) -> bytes:
    return ''.join(lines(count)).encode()


def cut(data: bytes, size: int) -> Iterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


def pairs(count: int) -> list[tuple[str, str]]:
    return [pair(i) for i in range(count)]


def lists(count: int) -> list[list[str]]:
    return [list(pair(i)) for i in range(count)]


def named(data: Iterable[str]) -> Iterator[str]:
    yield 'id,text\r\n'
    yield from data


@dataclasses.dataclass
class Record:
    id: int
    text: str


class Fields(NamedTuple):
    id: float
    text: str


def called(name: str, text: str) -> tuple[str, str]:
    return name, text


# --- csv_rows -----------------------------------------------------------------------------------

recipe('csv_rows of bytes', make=lambda n: csv_rows(written(n)), items=lists)
recipe('csv_rows of chunks', make=lambda n: csv_rows(cut(written(n), 7)), items=lists)
recipe('csv_rows of a buffer', make=lambda n: csv_rows(bytearray(written(n))), items=lists)
recipe('csv_rows of lines', make=lambda n: csv_rows(lines(n)), items=lists)
recipe(
    'csv_rows of a messy file',
    make=lambda n: csv_rows(
        cut(b'title\nsep=,\n# "\n' + written(n) + b'"end', 9),
        skip='sep=',
        comment='#',
        delimiter=None,
        footer=1,
        strict=True,
        blank='skip',
    ),
    items=lists,
)
recipe(
    'csv_rows of messy lines',
    make=lambda n: csv_rows(
        ['title\n', 'i,i\n', '#\n', *lines(n), 'end'],
        skip='i,i'.__eq__,
        comment='#',
        names={'i': 'j'},
        header=True,
        duplicates='number',
        footer=1,
    ),
    items=lists,
)
recipe(
    'csv_rows of a binary file',
    make=lambda n: csv_rows(io.BytesIO(written(n)), into=tuple),
    items=pairs,
)
recipe(
    'csv_rows of a text file',
    make=lambda n: csv_rows(io.StringIO(written(n).decode(), newline='')),
    items=lists,
)
recipe(
    'csv_rows of another encoding',
    make=lambda n: csv_rows(
        cut(written(n).decode().encode('utf-16-le'), 5), encoding='utf-16-le', header=False
    ),
    items=lists,
)
recipe(
    'csv_rows of bytes that are no text',
    make=lambda n: csv_rows(cut(LATIN1 * n, 3), encoding='ascii', errors='replace', items='chunks'),
    items=lambda n: [['\ufffdt\ufffd' * n]] if n else [],
)


@functools.cache
def folder() -> Path:
    """A folder that goes at exit."""
    made = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(made)


@functools.cache
def path_of(count: int) -> str:
    descriptor, made = tempfile.mkstemp(dir=folder())
    with open(descriptor, 'wb') as file:
        file.write(written(count))
    return made


recipe(
    'csv_rows of a path',
    make=lambda n: csv_rows(path_of(n)),
    items=lists,
    one_descriptor=True,
)


def rows_of_parts(count: int) -> Iterator[list[str]]:
    file = io.BytesIO(written(count))
    for part in csv_split(file, parts=max(count // 2, 1), threads=1):
        yield from csv_rows(file, start=part)


def rows_of_scans(count: int) -> Iterator[list[str]]:
    file = io.BytesIO(written(count))
    size = len(file.getvalue())
    step = max(size // 5, 1)
    scans = [csv_scan(file, at, min(at + step, size)) for at in range(0, size, step)]
    for part in csv_split(file, scans=scans):
        yield from csv_rows(file, start=part)


# csv_split is a Python function, and what is made here is a generator of Python, which threads
# without the GIL do not share.
MAKES_FUNCTIONS = sys.version_info >= (3, 14)
recipe(
    'csv_split into parts',
    make=rows_of_parts,
    items=lists,
    shared=False,
    short_of_memory=MAKES_FUNCTIONS,
)
recipe(
    'csv_scan and csv_split',
    'csv_scan',
    make=rows_of_scans,
    items=lists,
    shared=False,
    short_of_memory=MAKES_FUNCTIONS,
)


def rows_as_sniffed(count: int) -> Iterator[list[str]]:
    file = io.BytesIO(written(count))
    return csv_rows(file, **{**csv_sniff(file), 'header': False})


recipe(
    'csv_sniff and csv_rows',
    'CSVFormat',
    'csv_sniff',
    make=rows_as_sniffed,
    items=lists,
    short_of_memory=MAKES_FUNCTIONS,
)
recipe(
    'csv_rows into dicts',
    make=lambda n: csv_rows(named(lines(n)), into=dict),
    items=lambda n: [{'id': name, 'text': text} for name, text in pairs(n)],
)


def look_at_row(rows: Any) -> tuple[str, str]:
    row = next(rows)
    return row['id'], row[1]


recipe(
    'csv_rows into CSVRow',
    'csv_rows',
    'CSVRow',
    make=lambda n: csv_rows(cut(b'id,text\n' + written(n), 16), into=CSVRow),
    step=look_at_row,
    items=pairs,
)
recipe(
    'csv_rows into a dataclass',
    make=lambda n: csv_rows(named(lines(n)), into=Record),
    items=lambda n: [Record(i, text_of(i)) for i in range(n)],
    short_of_memory=sys.version_info >= (3, 14),  # inspect.signature()
)
recipe(
    'csv_rows into a NamedTuple',
    make=lambda n: csv_rows(b'id,text\n' + written(n), into=Fields),
    items=lambda n: [Fields(float(i), text_of(i)) for i in range(n)],
)
recipe(
    'csv_rows into a call',
    make=lambda n: csv_rows(named(lines(n)), into=called, header=True),
    items=pairs,
)


def typed_line(i: int) -> str:
    return f'{i},{i / 8},{i % 2 == 0},2024-02-{i % 28 + 1:02},{i}.50,{text_of(i % 3)!r},x\n'


def typed_rows(count: int) -> Any:
    from datetime import date
    from decimal import Decimal

    types = {0: int, 1: float, 2: bool, 3: date, 4: Decimal, 5: str.upper, 6: bytes}
    data = ''.join(map(typed_line, range(count))).encode()
    return csv_rows(cut(data, 20), types=types, columns=(0, 1, 2, 3, 4, 6), quotechar="'")


def typed_items(count: int) -> list[Any]:
    from datetime import date
    from decimal import Decimal

    return [
        [i, i / 8, i % 2 == 0, date(2024, 2, i % 28 + 1), Decimal(f'{i}.50'), b'x']
        for i in range(count)
    ]


recipe('csv_rows typed', make=typed_rows, items=typed_items)


@functools.cache
def converters() -> dict[int, Any]:
    from generators import convert

    return {
        0: convert.number(decimal=',', thousands='.'),
        1: convert.strip,
        2: convert.date_format('%d.%m.%Y'),
        3: convert.time,
        4: convert.boolean(true=['ja'], false=['nein']),
        5: convert.integer(thousands="'"),
        6: convert.decimal(9, 2, decimal=','),
    }


def converted_line(i: int) -> str:
    answer = ('ja', 'NEIN')[i % 2]
    return f" 1.00{i % 10},5;x{i} ;1.{i % 12 + 1}.2024;10:{i % 60:02};{answer};1'000;{i},50\n"


def converted_items(count: int) -> list[Any]:
    from decimal import Decimal

    return [
        [
            1000.5 + i % 10,
            f'x{i}',
            dt.date(2024, i % 12 + 1, 1),
            dt.time(10, i % 60),
            i % 2 == 0,
            1000,
            Decimal(f'{i}.50'),
        ]
        for i in range(count)
    ]


recipe(
    'csv_rows by converters',
    'csv_rows',
    *(f'convert.{name}' for name in generators.convert.__all__),
    make=lambda n: csv_rows(map(converted_line, range(n)), types=converters(), delimiter=';'),
    items=converted_items,
    shared=False,
)


def marked(text: str) -> str:
    return text + '!'


recipe(
    'csv_rows of names and types',
    make=lambda n: csv_rows(
        named(lines(n)),
        into=tuple,
        names=str.upper,
        header=True,
        columns=['TEXT', 'ID'],
        types={'ID': int, 'TEXT': marked},
        null=[''],
    ),
    items=lambda n: [(text_of(i) + '!' if text_of(i) else None, i) for i in range(n)],
)


class Faulty(NamedTuple):
    rows: Any
    seen: list[Any]


def faulty_lines(count: int) -> Iterator[bytes]:
    for i in range(count):
        yield b'no%d\n' % i if i % 2 else b'%d\n' % i


def take_fault(seen: list[Any], error: CSVError, record: bytes) -> None:
    seen += [(error.record, record)]  # append() of 3.15's debug build can't fail


def make_faulty(count: int) -> Faulty:
    """Every second record is refused, and handed over."""
    seen: list[Any] = []
    take = functools.partial(take_fault, seen)
    return Faulty(csv_rows(faulty_lines(count), types={0: int}, on_error=take), seen)


recipe(
    'csv_rows with errors',
    'csv_rows',
    'CSVError',
    make=make_faulty,
    step=lambda faulty: next(faulty.rows),
    close=lambda faulty: faulty.rows.close(),
    items=lambda n: [[i] for i in range(0, n, 2)],
)


def step_to_error(rows: Any) -> Any:
    try:
        return next(rows)
    except CSVError as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        return type(error.__cause__).__name__, error.record, error.column, error.text


recipe(
    'csv_rows to an error',
    'csv_rows',
    'CSVError',
    'DataError',
    make=lambda n: csv_rows(cut(b'1\n' * n + b'none\n', 3), types={0: int}),
    step=step_to_error,
    items=lambda n: [*([1] for _ in range(n)), ('ValueError', n + 1, 0, 'none')],
)


# --- csv_batches --------------------------------------------------------------------------------


def ids_of(batch: CSVBatch) -> list[int]:
    """What is in it, by each way to look at it."""
    import pickle

    assert pickle.loads(pickle.dumps(batch)) == batch
    assert batch.column_names == ('id', 'text')
    assert [type(capsule).__name__ for capsule in batch.__arrow_c_array__()] == ['PyCapsule'] * 2
    batch.column('text').__arrow_c_array__()
    batch.__arrow_c_schema__()
    return memoryview(batch.column('id')).tolist()


def in_batches(count: int) -> list[list[int]]:
    return [list(range(count))[at : at + 3] for at in range(0, count, 3)]


recipe(
    'csv_batches',
    'csv_batches',
    'CSVBatch',
    make=lambda n: csv_batches(cut(b'id,text\n' + written(n), 16), types={'id': int}, rows=3),
    step=lambda batches: ids_of(next(batches)),
    items=in_batches,
)


def ask_before(batches: Any) -> list[int]:
    """The schema may make the first batch."""
    batches.__arrow_c_schema__()
    return ids_of(next(batches))


def asked_lines(count: int) -> bytes:
    data = b''
    for i in range(count):
        data += f'"{i:_}","2024-0{i % 9 + 1}-01T00Z"\n'.encode()
    return data


recipe(
    'csv_batches of asked values',
    make=lambda n: csv_batches(
        asked_lines(n),
        types={0: int, 'text': dt.datetime},
        names=['id', 'text'],
        header=False,
        rows=3,
        null=['x'],
    ),
    step=ask_before,
    items=in_batches,
)


@functools.cache
def long_rows(count: int) -> bytes:
    return ''.join(['id,text\n', *(f'{i},{"x" * 40_000}\n' for i in range(-10, count))]).encode()


def by_threads(count: int) -> Any:
    """Blocks are under way: a block is 512 KiB, and threads start after the first batch."""
    batches = csv_batches(long_rows(count), types={'id': int}, rows=5, threads=3)
    next(batches), next(batches)
    return batches


recipe(
    'csv_batches by threads',
    make=by_threads,
    step=lambda batches: memoryview(next(batches).column('id')).tolist(),
    items=lambda n: [list(range(i, min(i + 5, n))) for i in range(0, n, 5)],
    forked=RuntimeError,
)


def ignore_fault(error: CSVError, raw: bytes) -> None:
    if isinstance(error.__cause__, MemoryError):
        raise error


def skip_in_batches(count: int) -> Any:
    return csv_batches(
        cut(b'id,text\n' + b''.join(faulty_pairs(count)), 9),
        types={'id': int},
        on_error=ignore_fault,
        rows=3,
    )


def faulty_pairs(count: int) -> Iterator[bytes]:
    for i in range(count):
        yield b'%d,a\nx,a\n%d\n' % (i, i)


recipe(
    'csv_batches with errors',
    make=skip_in_batches,
    step=lambda batches: ids_of(next(batches)),
    items=in_batches,
)


# --- csv_schema ---------------------------------------------------------------------------------


def answer(kind: int, text: str) -> object:
    """What csv_schema() asks Python, answered for the texts here: numbers, and weeks for dates."""
    if '-' in text:
        return 19_000 if kind == 3 else None
    return text.replace('_', '') if kind in (0, 1, 6) and text[0] in '0123456789' else None


def schema_reader(source: Any, threads: int = 1) -> Any:
    """The native half of csv_schema(), which can be stepped and closed."""
    from native_generators import _native

    reader: Any = _native._CSVSchemaReader
    return reader((answer, 3, 'allow'), source, threads=threads)


def surveyed(reader: Any) -> list[Any]:
    """What it found, without the values."""
    found = next(reader)
    result = [found['rows']]
    for i in range(len(found['columns'])):
        column = found['columns'][i]
        result.append((found['header'][i], column['values'] + column['empty']))
    return result


def of_columns(count: int, *names: str) -> list[list[Any]]:
    return [[count, *((name, count) for name in names)]]


recipe(
    'csv_schema',
    'csv_schema',
    'CSVSchema',
    make=lambda n: schema_reader(cut(b'id,text\n' + written(n), 16)),
    step=surveyed,
    items=lambda n: of_columns(n, 'id', 'text'),
)

recipe(
    'csv_schema of asked values',
    make=lambda n: schema_reader(b'a,b\n' + asked_numbers(n)),
    step=surveyed,
    items=lambda n: of_columns(n, 'a', 'b'),
)


def asked_numbers(count: int) -> bytes:
    data = b''
    for i in range(count):
        data += f'1{i}_0,2024-W{i % 9 + 10}-1\n'.encode()
    return data


recipe(
    'csv_schema by threads',
    make=lambda n: schema_reader(long_rows(n + 40), threads=3),
    step=lambda reader: surveyed(reader)[:2],
    items=lambda n: [[n + 50, ('id', n + 50)]],
)


# --- lines, jsonl_rows ----------------------------------------------------------------------------


def flat_text(count: int) -> str:
    return ''.join([f'{i}: {text_of(i)}\n' for i in range(count)])


def flat_lines(count: int) -> list[str]:
    return [f'{i}: {text_of(i)}' for i in range(count)]


def flat_bytes(count: int) -> list[bytes]:
    return [line.encode() for line in flat_lines(count)]


@functools.cache
def flat_path(count: int) -> str:
    descriptor, made = tempfile.mkstemp(dir=folder())
    with open(descriptor, 'wb') as file:
        file.write(flat_text(count).encode())
    return made


recipe(
    'lines',
    make=lambda n: generators.lines(cut(flat_text(n).encode(), 7)),
    items=flat_bytes,
)
recipe(
    'lines of text',
    make=lambda n: generators.lines(iter(flat_text(n)), newline='\n'),
    items=flat_lines,
)
recipe(
    'lines of a path',
    make=lambda n: generators.lines(flat_path(n), encoding='utf-8'),
    items=flat_lines,
    one_descriptor=True,
)
recipe(
    'lines with their ends, in another encoding',
    make=lambda n: generators.lines(
        cut(flat_text(n).replace('\n', '\r\n').encode('utf-16-le'), 5),
        encoding='utf-16-le',
        keepends=True,
    ),
    items=lambda n: [line + '\r\n' for line in flat_lines(n)],
)


def step_lines_to_error(stream: Any) -> Any:
    try:
        return next(stream)
    except DataError as error:
        if isinstance(error.__cause__, MemoryError):
            raise
        return error.line, error.byte, error.text


recipe(
    'lines to an error',
    'lines',
    'DataError',
    make=lambda n: generators.lines(b'1\n' * n + b'long\n', max_line=3),
    step=step_lines_to_error,
    items=lambda n: [*(b'1' for _ in range(n)), (n + 1, 2 * n, 'lon')],
)


def loaded(line: bytes) -> tuple[str]:
    if line.startswith(b'no'):
        raise ValueError(line)
    return (line.decode(),)


recipe(
    'jsonl_rows',
    make=lambda n: jsonl_rows(cut(b'[1]\n\n' * n, 3)),
    items=lambda n: [[1]] * n,
)


def take_json_fault(seen: list[Any], error: DataError, line: bytes) -> None:
    seen += [(error.line, line)]


def make_faulty_json(count: int) -> Faulty:
    seen: list[Any] = []
    take = functools.partial(take_json_fault, seen)
    return Faulty(jsonl_rows(faulty_lines(count), loads=loaded, on_error=take), seen)


recipe(
    'jsonl_rows with errors',
    'jsonl_rows',
    'DataError',
    make=make_faulty_json,
    step=lambda faulty: next(faulty.rows),
    close=lambda faulty: faulty.rows.close(),
    items=lambda n: [(str(i),) for i in range(0, n, 2)],
)
recipe(
    'jsonl_rows to an error',
    'jsonl_rows',
    'DataError',
    make=lambda n: jsonl_rows(b'1\n' * n + b'none\n', loads=loaded),
    step=step_lines_to_error,
    items=lambda n: [*(('1',) for _ in range(n)), (n + 1, 2 * n, 'none')],
)


class Locked:
    """An iterator for several threads: a generator, or that of a range, is none."""

    def __init__(self, items: Iterable[Any]) -> None:
        self.items = iter(items)
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        with self.lock:
            return next(self.items)


# --- CSVRow, made by a program ------------------------------------------------------------------


def use_row(rows: Iterator[int]) -> Any:
    import copy
    import pickle

    name, text = pair(next(rows))
    row = CSVRow({'id': name, 'text': text})
    assert row == (name, text)
    assert hash(row) == hash((name, text))
    assert row.keys() == ('id', 'text')
    assert copy.deepcopy(row) == pickle.loads(pickle.dumps(row)) == row
    assert row.index(text, 1) == 1
    return tuple(CSVRow(row[:], row.keys()))


recipe(
    'CSVRow',
    make=lambda n: Locked(range(n)),
    step=use_row,
    close=lambda rows: None,
    items=pairs,
)

# --- csv_encode ---------------------------------------------------------------------------------


def numbered(count: int) -> Iterator[tuple[int, str]]:
    for i in range(count):
        yield i, text_of(i)


def keyed(count: int) -> Iterator[dict[str, object]]:
    for i in range(count):
        yield {'text': text_of(i), 'id': i, 'more': 1}


def records(count: int) -> Iterator[Record]:
    for i in range(count):
        yield Record(i, text_of(i))


def formulas(count: int) -> Iterator[tuple[str, float, None]]:
    for i in range(count):
        yield f'={i}', i / 4, None


def formatted(count: int) -> Iterator[tuple[bool, float, None, dt.datetime, float]]:
    for i in range(count):
        yield True, i + 0.5, None, dt.datetime(2024, 1, 1), float('nan')


def encoded(data: bytes, size: int) -> list[bytes]:
    return list(cut(data, size))


def quoted_minimal(count: int) -> bytes:
    return b''.join(
        b'%d,"a ""b"", c"\r\n' % i if i % 4 == 1 else f'{i},{text_of(i)}\r\n'.encode()
        for i in range(count)
    )


recipe(
    'csv_encode',
    make=lambda n: csv_encode(numbered(n), size=16, max_delay=None),
    items=lambda n: encoded(quoted_minimal(n), 16),
    joined=True,
)
recipe(
    'csv_encode of dicts',
    make=lambda n: csv_encode(
        keyed(n),
        columns=['id', 'text'],
        header=True,
        extra='ignore',
        size=16,
        max_delay=None,
    ),
    items=lambda n: encoded(b'id,text\r\n' + quoted_minimal(n), 16),
    joined=True,
)
recipe(
    'csv_encode of dataclasses in another encoding',
    make=lambda n: csv_encode(
        records(n),
        header=['Id', 'Text'],
        columns=['id', 'text'],
        encoding='utf-16-le',
        size=16,
        max_delay=None,
    ),
    items=lambda n: encoded((b'Id,Text\r\n' + quoted_minimal(n)).decode().encode('utf-16-le'), 16),
    joined=True,
    short_of_memory=sys.version_info >= (3, 14),  # dataclasses.fields()
)
recipe(
    'csv_encode of NamedTuples',
    make=lambda n: csv_encode(
        map(Fields, range(n), map(text_of, range(n))), header=True, size=16, max_delay=None
    ),
    items=lambda n: encoded(b'id,text\r\n' + quoted_minimal(n), 16) if n else [],
    joined=True,
)
recipe(
    'csv_encode of formulas',
    make=lambda n: csv_encode(formulas(n), escape_formulas=True, size=9, max_delay=None),
    items=lambda n: encoded(''.join(f"'={i},{i / 4!r},\r\n" for i in range(n)).encode(), 9),
    joined=True,
)


def encode_arrow(count: int) -> Any:
    # Only here: up to 3.12 an interpreter of its own cannot import ctypes.
    from tests.csv.arrow_abi import numbers_and_texts

    batch = numbers_and_texts(*map(text_of, range(count)))
    return csv_encode(batch, header=False, size=16, max_delay=None)


class ByAttribute:
    __slots__ = ('id', 'text')

    def __init__(self, id: int, text: str) -> None:
        self.id, self.text = id, text


class Cursor:
    """As those of databases."""

    description = (('id', None), ('text', None))

    def __init__(self, count: int) -> None:
        self.rows = numbered(count)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return self.rows


recipe(
    'csv_encode of objects by attribute',
    make=lambda n: csv_encode(
        map(ByAttribute, range(n), map(text_of, range(n))),
        columns=['id', 'text'],
        size=16,
        max_delay=None,
    ),
    items=lambda n: encoded(quoted_minimal(n), 16),
    joined=True,
)
recipe(
    'csv_encode of a cursor',
    make=lambda n: csv_encode(Cursor(n), header=True, size=16, max_delay=None),
    items=lambda n: encoded(b'id,text\r\n' + quoted_minimal(n), 16),
    joined=True,
)
recipe(
    'csv_encode in other formats',
    make=lambda n: csv_encode(
        formatted(n),
        delimiter=';',
        null='NA',
        true='yes',
        float_format='.2f',
        datetime_format='iso',
        decimal=',',
        size=9,
        max_delay=None,
    ),
    items=lambda n: encoded(
        ''.join(f'yes;{i},50;NA;2024-01-01T00:00:00;NA\r\n' for i in range(n)).encode(), 9
    ),
    joined=True,
)

recipe(
    'csv_encode of Arrow batches',
    make=encode_arrow,
    items=lambda n: encoded(quoted_minimal(n), 16),
    joined=True,
)

# --- event_source, ServerSentEvent --------------------------------------------------------------


def event_of(i: int) -> str:
    name, text = pair(i)
    return f'event: e{i % 3}\r\n: ping\nid: {name}\ndata: {text}\rdata\n\n'


def events_written(count: int) -> bytes:
    data = ''
    for i in range(count):
        data += event_of(i)
    return data.encode()


def event_items(count: int) -> list[Any]:
    return [(f'{text_of(i)}\n', f'e{i % 3}', str(i)) for i in range(count)]


def fields_of(event: Any) -> tuple[str, str, str]:
    return event.data, event.event, event.id


def step_event(events: Any) -> tuple[str, str, str]:
    return fields_of(next(events))


def event_lines(count: int) -> Iterator[str]:
    for i in range(count):
        yield f'event: e{i % 3}'
        yield f'id: {i}\n'
        yield f'data: {text_of(i)}\r'
        yield 'data'
        yield ''


recipe(
    'event_source',
    make=lambda n: event_source(cut(events_written(n), 5)),
    step=step_event,
    items=event_items,
)
recipe(
    'event_source of bytes',
    make=lambda n: event_source(events_written(n)),
    step=step_event,
    items=event_items,
)
recipe(
    'event_source of lines',
    make=lambda n: event_source(event_lines(n)),
    step=step_event,
    items=event_items,
)
recipe(
    'event_source of a file',
    make=lambda n: event_source(io.BytesIO(events_written(n))),
    step=step_event,
    items=event_items,
)


def look_at_event(events: Any) -> str:
    event = next(events)
    assert hash(event) != 0
    return repr(event)


recipe(
    'event_source of bytes that are no text',
    'event_source',
    'ServerSentEvent',
    make=lambda n: event_source(b'event: \xff\nid: ab\nretry: 300\ndata: xy\n\n' * n),
    step=look_at_event,
    items=lambda n: ["ServerSentEvent(data='xy', event='\ufffd', id='ab', retry=300)"] * n,
)


@functools.cache
def events_path_of(count: int) -> str:
    descriptor, made = tempfile.mkstemp(dir=folder())
    with open(descriptor, 'wb') as file:
        file.write(events_written(count))
    return made


recipe(
    'event_source of a path',
    make=lambda n: event_source(events_path_of(n)),
    step=step_event,
    items=event_items,
    one_descriptor=True,
)


def step_to_long_event(events: Any) -> Any:
    try:
        return next(events).data
    except DataError as error:
        assert events.last_event_id == 'x'
        return error.record, error.line


recipe(
    'event_source to an error',
    'event_source',
    'DataError',
    make=lambda n: event_source(
        cut(b'data: a\n\n' * n + b'data: long\n\n', 3), last_event_id='x', max_event=8
    ),
    step=step_to_long_event,
    items=lambda n: [*('a' for _ in range(n)), (n + 1, 2 * n + 1)],
)


def use_event(numbers: Iterator[int]) -> Any:
    import copy
    import pickle

    name, text = pair(next(numbers))
    event = ServerSentEvent(text, event=name, id='é', retry=3)
    assert copy.deepcopy(event) == pickle.loads(pickle.dumps(event)) == event
    assert hash(event) == hash(ServerSentEvent(text, name, 'é', 3))
    assert repr(event)
    assert event.json(str.upper) == text.upper()
    return event.event, event.data


recipe(
    'ServerSentEvent',
    make=lambda n: Locked(range(n)),
    step=use_event,
    close=lambda numbers: None,
    items=pairs,
)

# --- event_stream -------------------------------------------------------------------------------


def sent(i: int) -> Any:
    return (
        text_of(i),
        {'event': 'e', 'id': i, 'data': (i,), 'retry': 5, 'comment': 'a\nb'},
        ServerSentEvent(text_of(i), event='é', id=str(i)),
        b'a\rb',
    )[i % 4]


def events_sent(count: int) -> Iterator[Any]:
    for i in range(count):
        yield sent(i)


def sent_bytes(i: int) -> bytes:
    comment = ': a\n: b\nevent: e\n'
    return (
        f'data: {text_of(i)}\n\n',
        f'{comment}id: {i}\nretry: 5\ndata: ({i},)\n\n',
        f'event: é\nid: {i}\ndata: {text_of(i)}\n\n',
        'data: a\ndata: b\n\n',
    )[i % 4].encode()


def sent_items(count: int) -> list[bytes]:
    items = []
    for i in range(count):
        items.append(sent_bytes(i))
    return items


recipe('event_stream', make=lambda n: event_stream(events_sent(n), dumps=ascii), items=sent_items)
recipe(
    'event_stream as JSON',
    'event_stream',
    make=lambda n: event_stream([{'data': {'a': [i]}} for i in range(n)]),
    items=lambda n: [b'data: {"a":[%d]}\n\n' % i for i in range(n)],
    short_of_memory=sys.version_info >= (3, 14),  # JSONEncoder makes a function
)


def tuples_sent(count: int) -> Iterator[Any]:
    for i in range(count):
        yield {'data': (i,)}


def sent_and_broken_off(count: int) -> Iterator[Any]:
    """It fails in C: CPython loses an exception of Python code that it has no memory to trace."""
    return itertools.chain(tuples_sent(count), map(int, ['x']))


def tuples_and_last(count: int) -> list[bytes]:
    items = [b'event: error\ndata: ()\n\n']
    for i in range(count):
        items.insert(i, b'data: (%d,)\n\n' % i)
    return items


def last_of(error: Exception) -> Any:
    if not isinstance(error, ValueError):
        raise error
    return {'event': 'error', 'data': ()}


recipe(
    'event_stream with a last event',
    'event_stream',
    make=lambda n: event_stream(sent_and_broken_off(n), dumps=str, error=last_of),
    items=tuples_and_last,
)

# --- jsonl_encode -------------------------------------------------------------------------------


def dumped(row: tuple[int, str]) -> Any:
    text = f'[{row[0]},"{row[1]}"]'.replace('"b"', 'b')
    return text if row[0] % 2 else text.encode()


def json_text(count: int) -> bytes:
    data = b''
    for row in numbered(count):
        text = dumped(row)
        data += (text.encode() if isinstance(text, str) else text) + b'\n'
    return data


recipe(
    'jsonl_encode',
    make=lambda n: jsonl_encode(numbered(n), dumps=dumped, size=16, max_delay=None),
    items=lambda n: encoded(json_text(n), 16),
    joined=True,
)
recipe(
    'jsonl_encode of records',
    'jsonl_encode',
    make=lambda n: jsonl_encode(records(n), size=16, max_delay=None),
    items=lambda n: encoded(
        ''.join(
            [
                json.dumps(vars(r), ensure_ascii=False, separators=(',', ':')) + '\n'
                for r in records(n)
            ]
        ).encode(),
        16,
    ),
    joined=True,
    short_of_memory=sys.version_info >= (3, 14),  # json's encoder makes functions
)

# --- chunked, batched, FLUSH --------------------------------------------------------------------


def pieces(count: int) -> Iterator[Any]:
    for i in range(count):
        yield (text_of(i), text_of(i).encode(), bytearray(b'piece'), b'y' * 30)[i % 4]


def joined(count: int) -> bytes:
    data = b''
    for piece in pieces(count):  # no generator expression: see short_of_memory
        data += piece.encode() if isinstance(piece, str) else bytes(piece)
    return data


def flushed(count: int) -> Iterator[Any]:
    for i in range(count):
        yield b'%d' % i
        yield FLUSH


def counted(count: int) -> Iterator[int]:
    yield from range(count)


recipe(
    'chunked',
    'chunked',
    'Stream',
    make=lambda n: chunked(pieces(n), 8, max_delay=None),
    step=lambda chunks: bytes(next(chunks)),
    items=lambda n: encoded(joined(n), 8),
    joined=True,
)
recipe(
    'chunked with FLUSH',
    'chunked',
    'FLUSH',
    make=lambda n: chunked(flushed(n)),
    items=lambda n: [b'%d' % i for i in range(n)],
    joined=True,
)
recipe(
    'chunked of a file',
    make=lambda n: chunked(io.BytesIO(joined(n)), 8),
    items=lambda n: encoded(joined(n), 8),
    joined=True,
)


def in_threes(count: int) -> list[tuple[int, ...]]:
    return [tuple(range(i, min(i + 3, count))) for i in range(0, count, 3)]


recipe('batched', make=lambda n: batched(counted(n), 3), items=in_threes)
recipe(
    'batched with a delay',
    'batched',
    make=lambda n: batched(counted(n), 3, max_delay=1000),
    items=in_threes,
)

# --- awaitables, by hand ------------------------------------------------------------------------


class Told:
    """Awaiting it suspends once, and gives what it was told."""

    def __init__(self, value: object) -> None:
        self.value = value

    def __await__(self) -> Iterator[object]:
        yield self.value
        return self.value


def finish(awaitable: Any) -> Any:
    """What comes of an awaitable that needs no loop."""
    steps = awaitable.__await__()
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value


def resume(coroutine: Any) -> Any:
    try:
        return coroutine.send(None)
    except RuntimeError as error:
        if str(error) == 'cannot reuse already awaited coroutine':
            raise StopIteration from error
        raise


# --- bridges ------------------------------------------------------------------------------------


async def acounted(count: int) -> AsyncIterator[int]:
    for i in range(count):
        yield i


def up_to(count: int) -> list[int]:
    return list(range(count))


recipe(
    'to_sync',
    make=lambda n: to_sync(acounted(n)),
    items=up_to,
    forked=RuntimeError,
    runs_loop=True,
)
recipe(
    'to_sync of one item at a time',
    'to_sync',
    make=lambda n: to_sync(functools.partial(acounted, n), buffersize=0),
    items=up_to,
    forked=RuntimeError,
    runs_loop=True,
)

# --- drive, task --------------------------------------------------------------------------------


def waits(count: int) -> Iterator[Any]:
    for i in range(count):
        told = yield Told(i)
        assert told == i
        back = yield (i,)
        assert back == (i,)


waits_as_task = task(waits)


recipe('drive', make=lambda n: drive(waits(n)), step=resume, items=up_to)
recipe('task', make=lambda n: waits_as_task(n), step=resume, items=up_to)

# --- async streams ------------------------------------------------------------------------------


def step_async(stream: Any) -> Any:
    try:
        return finish(anext(stream))
    except StopAsyncIteration:
        raise StopIteration from None


def close_async(stream: Any) -> None:
    finish(stream.aclose())


async def apieces(count: int) -> AsyncIterator[Any]:
    for piece in pieces(count):
        yield piece


async def anumbered(count: int) -> AsyncIterator[tuple[int, str]]:
    for row in numbered(count):
        yield row


BY_HAND: dict[str, Any] = {'step': step_async, 'close': close_async, 'refusal': RuntimeError}

recipe('abatched', make=lambda n: abatched(acounted(n), 3), items=in_threes, **BY_HAND)
recipe(
    'abatched with a delay',
    'abatched',
    make=lambda n: abatched(acounted(n), 3, max_delay=1000),
    items=in_threes,
    **BY_HAND,
)
recipe(
    'achunked',
    'achunked',
    'AsyncStream',
    make=lambda n: achunked(apieces(n), 8, max_delay=None),
    items=lambda n: encoded(joined(n), 8),
    joined=True,
    **BY_HAND,
)


async def abytes(count: int) -> AsyncIterator[bytes]:
    for piece in cut(written(count), 7):
        yield piece


recipe('acsv_rows', make=lambda n: acsv_rows(abytes(n)), items=lists, **BY_HAND)


async def named_bytes(count: int) -> AsyncIterator[bytes]:
    yield b'id,text\n'
    for piece in cut(written(count), 7):
        yield piece


recipe(
    'acsv_batches',
    make=lambda n: acsv_batches(named_bytes(n), types={'id': int}, rows=3),
    items=in_batches,
    **{**BY_HAND, 'step': lambda batches: ids_of(step_async(batches))},
)


async def aevents(count: int) -> AsyncIterator[bytes]:
    for piece in cut(events_written(count), 5):
        yield piece


recipe(
    'aevent_source',
    make=lambda n: aevent_source(aevents(n)),
    items=event_items,
    **{**BY_HAND, 'step': lambda events: fields_of(step_async(events))},
)


async def aevents_sent(count: int) -> AsyncIterator[Any]:
    for i in range(count):
        yield sent(i)


recipe(
    'aevent_stream',
    make=lambda n: aevent_stream(aevents_sent(n), dumps=ascii),
    items=sent_items,
    **BY_HAND,
)


async def alines_cut(count: int) -> AsyncIterator[bytes]:
    for piece in cut(flat_text(count).encode(), 7):
        yield piece


recipe('alines', make=lambda n: alines(alines_cut(n)), items=flat_bytes, **BY_HAND)
recipe(
    'ajsonl_rows',
    make=lambda n: ajsonl_rows(alines_cut(n), loads=loaded),
    items=lambda n: [(line,) for line in flat_lines(n)],
    **BY_HAND,
)
recipe(
    'acsv_encode',
    make=lambda n: acsv_encode(anumbered(n), size=16, max_delay=None),
    items=lambda n: encoded(quoted_minimal(n), 16),
    joined=True,
    **BY_HAND,
)
recipe(
    'ajsonl_encode',
    make=lambda n: ajsonl_encode(anumbered(n), dumps=dumped, size=16, max_delay=None),
    items=lambda n: encoded(json_text(n), 16),
    joined=True,
    **BY_HAND,
)
recipe(
    'to_async without a thread',
    'to_async',
    make=lambda n: to_async(counted(n), thread=False),
    step=step_async,
    close=lambda stream: finish(stream.aclose()),
    refusal=RuntimeError,
    items=up_to,
)

# --- heartbeat ----------------------------------------------------------------------------------

recipe(
    'heartbeat',
    make=lambda n: heartbeat(counted(n), 60, None),
    items=up_to,
    forked=RuntimeError,
    runs_threads=True,
    short_of_memory=False,  # threading.Thread
)

# --- map_threads --------------------------------------------------------------------------------


class AtOnce:
    """An executor that runs what it is given on the spot."""

    class Future:
        def add_done_callback(self, callback: Any) -> None:
            callback(self)

        def cancel(self) -> bool:
            return False

    def submit(self, function: Callable[[], None]) -> Any:
        function()
        return self.Future()


recipe(
    'map_threads',
    make=lambda n: map_threads(abs, iter(range(n))),
    items=up_to,
    runs_threads=True,
    forked=RuntimeError,
)
recipe(
    'map_threads of an executor',
    make=lambda n: map_threads(abs, iter(range(n)), executor=AtOnce()),
    forked=RuntimeError,
    items=up_to,
)


# Others may be put in their place: the loop, and what a source calls on a thread of its own.
new_loop: Callable[[], Any] = asyncio.new_event_loop
thread_begins: Callable[[], object] = int
thread_ends: Callable[[], object] = int


class Looped:
    """An async stream, stepped from plain code by a loop of its own."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.loop = new_loop()

    async def step(self) -> Any:
        try:
            return await anext(self.stream)
        except StopAsyncIteration:
            return ...

    def __next__(self) -> Any:
        item = self.loop.run_until_complete(self.step())
        if item is ...:
            raise StopIteration
        return item

    async def aclose(self) -> None:
        await self.stream.aclose()

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.run_until_complete(self.aclose())
            self.loop.close()


class Bridged(Looped):
    """The same; in a process that was forked the parent's loop is left alone."""

    def __init__(self, stream: Any) -> None:
        super().__init__(stream)
        self.process = os.getpid()
        self.lost: list[Any] = []

    def __next__(self) -> Any:
        if self.process != os.getpid():
            self.process = os.getpid()
            self.lost.append(self.loop)
            self.loop = asyncio.new_event_loop()
        return super().__next__()


@functools.cache
def executor_of(process: int) -> concurrent.futures.Executor:
    return concurrent.futures.ThreadPoolExecutor(2)


def bridged(**options: Any) -> dict[str, Any]:
    return {
        'make': lambda n: Bridged(to_async(counted(n), **options)),
        'items': up_to,
        'shared': False,
        'runs_loop': True,
        'forked': RuntimeError,
        'short_of_memory': False,
    }


recipe('to_async', **bridged())
recipe('to_async of one item at a time', 'to_async', **bridged(buffersize=0))
recipe(
    'to_async in an executor',
    'to_async',
    **{
        **bridged(),
        'make': lambda n: Bridged(to_async(counted(n), executor=executor_of(os.getpid()))),
    },
)
recipe(
    'to_async leaving its place in an executor',
    'to_async',
    **{
        **bridged(),
        'make': lambda n: Bridged(
            to_async(counted(n), executor=executor_of(os.getpid()), hold=False, buffersize=2)
        ),
    },
)


async def absolute(x: int) -> int:
    await asyncio.sleep(0)
    return abs(x)


def looped(make: Callable[[int], Any]) -> dict[str, Any]:
    return {
        'make': lambda n: Looped(make(n)),
        'items': up_to,
        'shared': False,
        'runs_loop': True,
    }


recipe('amap', **looped(lambda n: amap(absolute, range(n))))
recipe('amap of an async source', **looped(lambda n: amap(absolute, amap(absolute, range(n)))))
recipe('amerge', **looped(lambda n: amerge(amap(absolute, range(n)))))


def counted_on_thread(count: int) -> Iterator[int]:
    thread_begins()
    try:
        yield from range(count)
    finally:
        thread_ends()


recipe(
    'amap of pairs',
    'amap',
    **{
        **looped(lambda n: amap(absolute, range(n), pairs=True)),
        'items': lambda n: [(i, i) for i in range(n)],
    },
)


def adding(count: int) -> Any:
    stream = amerge()
    stream.add(source=amap(absolute, range(count)))
    return stream


recipe(
    'amerge of names',
    'amerge',
    **{**looped(adding), 'items': lambda n: [('source', i) for i in range(n)]},
)
recipe(
    'aheartbeat',
    **looped(lambda n: aheartbeat(amap(absolute, range(n)), 60, None)),
    out_of_memory=False,  # a home that has no memory to wake who waits can only say so
)
recipe(
    'to_async by a loop',
    'to_async',
    **looped(lambda n: to_async(counted(n))),
    forked=RuntimeError,
)
recipe(
    'to_async by a loop, one item at a time',
    'to_async',
    **looped(lambda n: to_async(functools.partial(counted_on_thread, n), buffersize=0)),
    forked=RuntimeError,
)

# The walk without memory puts its own loop in place of asyncio's, where `Bridged`, for the others,
# takes a new one of asyncio's in a forked child.
THREADED = {
    name: RECIPES.pop(name)
    for name in ('to_async by a loop', 'to_async by a loop, one item at a time')
}

# --- Broadcast ----------------------------------------------------------------------------------


def broadcast_all(count: int) -> Any:
    """A subscriber that is as slow as can be."""
    sender = Broadcast(buffersize=max(count, 1))
    stream = sender.subscribe()
    sender.run(counted(count))
    return stream


def broadcast_apart(count: int) -> Any:
    """What two threads that lose items get, from their own memory."""
    sender = Broadcast(buffersize=3, on_full='drop_newest', replay=2)
    stream = sender.subscribe_sync()
    sender.run(counted(count))
    return stream


class Publishing(NamedTuple):
    sender: Any
    stream: Any
    items: Iterator[int]


def make_publishing(count: int) -> Publishing:
    sender = Broadcast(on_full='drop_oldest', buffersize=1, replay=1)
    return Publishing(sender, sender.subscribe_sync(), counted(count))


def publish_one(use: Publishing) -> Any:
    assert use.sender.publish(next(use.items)) == 1
    return next(use.stream)


def close_publishing(use: Publishing) -> None:
    use.sender.close()
    use.stream.close()


recipe('Broadcast', make=broadcast_all, items=up_to, **BY_HAND)
recipe(
    'Broadcast to a thread',
    'Broadcast',
    make=broadcast_apart,
    items=lambda n: up_to(min(n, 3)),
)
recipe(
    'Broadcast, one by one',
    'Broadcast',
    make=make_publishing,
    step=publish_one,
    close=close_publishing,
    items=up_to,
    shared=False,
)

# --- Dispatcher ---------------------------------------------------------------------------------


class Dispatching(NamedTuple):
    dispatcher: Any
    events: Iterator[Any]
    log: list[Any]


def log_all(log: list[Any]) -> Iterator[None]:
    while True:
        log += [(yield)]


async def log_all_later(log: list[Any]) -> Any:
    while True:
        log += [(yield)]


def raise_all() -> Iterator[None]:
    raise_it((yield))


def raise_it(data: object) -> None:
    raise LookupError(data)


def log_errors(log: list[Any], report: ErrorEvent) -> None:
    if not isinstance(report.exception, LookupError):
        raise report.exception
    assert type(report.event) is Event
    log += [(report.event.data, report.exception.args)]


def make_dispatcher(count: int) -> Dispatching:
    log: list[Any] = []
    dispatcher = Dispatcher()
    dispatcher.on('number', functools.partial(log_all, log))
    return Dispatching(dispatcher, counted(count), log)


def dispatch_one(use: Dispatching) -> Any:
    assert use.dispatcher.emit('number', next(use.events))
    return use.log.pop()


def close_dispatcher(use: Dispatching) -> None:
    use.dispatcher.close()


recipe(
    'Dispatcher',
    'Dispatcher',
    'Handler',
    make=make_dispatcher,
    step=dispatch_one,
    close=close_dispatcher,
    items=up_to,
    shared=False,
)


def make_failing_dispatcher(count: int) -> Dispatching:
    log: list[Any] = []
    dispatcher = Dispatcher(key='type', data='data')
    dispatcher.on('number', raise_all)
    dispatcher.on('error', functools.partial(log_errors, log))
    return Dispatching(dispatcher, counted(count), log)


def dispatch_to_error(use: Dispatching) -> Any:
    assert use.dispatcher.emit('number', next(use.events))
    return use.log.pop()


recipe(
    'Dispatcher with errors',
    'Dispatcher',
    'ErrorEvent',
    'Event',
    make=make_failing_dispatcher,
    step=dispatch_to_error,
    close=close_dispatcher,
    items=lambda n: [(i, (i,)) for i in range(n)],
    shared=False,
    short_of_memory=sys.version_info >= (3, 12),  # 3.11 gives up itself
)


def make_async_dispatcher(count: int) -> Dispatching:
    log: list[Any] = []
    dispatcher = Dispatcher()
    dispatcher.on('number', functools.partial(log_all_later, log))
    return Dispatching(dispatcher, counted(count), log)


def adispatch_one(use: Dispatching) -> Any:
    assert finish(use.dispatcher.aemit('number', next(use.events)))
    return use.log.pop()


recipe(
    'Dispatcher of async handlers',
    'Dispatcher',
    make=make_async_dispatcher,
    step=adispatch_one,
    close=lambda use: finish(use.dispatcher.aclose()),
    items=up_to,
    shared=False,
    out_of_memory=False,  # PyContextVar_Set() does not look at its token
)


class Background:
    """Events for a handler with a task of its own, and one that waits for each."""

    def __init__(self, count: int) -> None:
        self.loop = new_loop()
        self.events = counted(count)
        self.dispatcher: Any = None

    async def later(self, data: Any) -> None:
        await self.dispatcher.aemit('answer', data)

    async def step(self) -> Any:
        if self.dispatcher is None:
            self.dispatcher = Dispatcher()
            self.dispatcher.on('number', self.later, background=True, buffersize=2)
        answer = self.dispatcher.wait_for('answer')
        try:
            await self.dispatcher.aemit('number', next(self.events))
            return await answer
        except StopIteration:
            return ...
        finally:
            answer.close()

    def __next__(self) -> Any:
        item = self.loop.run_until_complete(self.step())
        if item is ...:
            raise StopIteration
        return item

    async def aclose(self) -> None:
        if self.dispatcher is not None:
            await self.dispatcher.aclose()

    def close(self) -> None:
        if not self.loop.is_closed():
            self.loop.run_until_complete(self.aclose())
            self.loop.close()


recipe(
    'Dispatcher of background handlers',
    'Dispatcher',
    make=Background,
    items=up_to,
    shared=False,
    runs_loop=True,
    short_of_memory=False,  # a failure is told to the loop, and the answer never comes
)

# --- generators.csv -----------------------------------------------------------------------------


def leave_open(stream: Any) -> None:
    """These have csv's protocol, which knows no closing."""


recipe(
    'csv.reader',
    make=lambda n: csv.reader(list(lines(n))),
    close=leave_open,
    refusal=csv.Error,
    items=lists,
)
recipe(
    'csv.DictReader',
    make=lambda n: csv.DictReader(iter([*named(lines(n))])),
    close=leave_open,
    refusal=csv.Error,
    items=lambda n: [{'id': name, 'text': text} for name, text in pairs(n)],
)


class Sink:
    """Writing gives the text back."""

    def write(self, text: str) -> str:
        return text


class Writing(NamedTuple):
    writer: Any
    rows: Iterator[Any]


recipe(
    'csv.writer',
    make=lambda n: Writing(csv.writer(Sink()), Locked(numbered(n))),
    step=lambda use: use.writer.writerow(next(use.rows)),
    close=leave_open,
    items=lambda n: quoted_minimal(n).decode().splitlines(keepends=True),
)
recipe(
    'csv.DictWriter',
    make=lambda n: Writing(
        csv.DictWriter(Sink(), ['id', 'text'], '', 'ignore'),
        Locked(keyed(n)),
    ),
    step=lambda use: use.writer.writerow(next(use.rows)),
    close=leave_open,
    items=lambda n: quoted_minimal(n).decode().splitlines(keepends=True),
)


# --- what there is ------------------------------------------------------------------------------


def public_names() -> set[str]:
    native = {
        f'csv.{name}'
        for name in csv.__all__
        if getattr(getattr(csv, name), '__module__', '').startswith('native_generators')
    }
    converters = {f'convert.{name}' for name in generators.convert.__all__}
    return {*generators.__all__, *native, *converters}


def uncovered() -> set[str]:
    covered = {name for entry in RECIPES.values() for name in entry.covers}
    return public_names() - covered


# --- one over another ---------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Stage:
    """A type that streams what another gives: `over(source)`, an item for each of the source's.

    The items of its source are what it takes: 'text' (str or bytes), 'row', 'events' (text of
    whole events), or 'long text', each of which leaves alone though others are ready.  Those that
    it gives are of the kind that it `gives`, which may be 'event' or 'batch', too.  None: as those
    of its source.
    """

    name: str
    over: Callable[..., Any]
    takes: str | None = None
    gives: str | None = None
    # It reads on a thread of its own, and so ahead of its reader.
    runs_threads: bool = False
    # It makes tasks, and works on an event loop alone.
    needs_loop: bool = False
    # The same with a timer, which gives what has come before its items are full: (source, seconds).
    delayed: Callable[[Any, float], Any] | None = None


async def same(item: Any) -> Any:
    await asyncio.sleep(0)
    return item


def joined_row(row: Any) -> str:
    """Six digits are no JSON, but a line that every stage can read."""
    return f'{number_of(row):06}'


ASYNC_STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            'abatched',
            lambda source, **options: abatched(source, 1, **options),
            gives='row',
            delayed=lambda source, delay: abatched(source, 100, max_delay=delay),
        ),
        Stage(
            'achunked',
            lambda source, **options: achunked(source, max_delay=0, **options),
            takes='text',
            gives='text',
            delayed=lambda source, delay: achunked(source, max_delay=delay),
        ),
        Stage(
            'acsv_batches',
            lambda source, **options: acsv_batches(
                source, header=False, rows=1, types={0: int}, **options
            ),
            takes='text',
            gives='batch',
        ),
        Stage('acsv_rows', acsv_rows, takes='text', gives='row'),
        Stage('aevent_source', aevent_source, takes='events', gives='event'),
        Stage('aevent_stream', aevent_stream, takes='long text', gives='events'),
        Stage(
            'alines',
            lambda source, **options: alines(source, keepends=True, **options),
            takes='text',
            gives='text',
        ),
        Stage(
            'ajsonl_rows',
            lambda source, **options: ajsonl_rows(source, loads=loaded, **options),
            takes='text',
            gives='row',
        ),
        Stage(
            'acsv_encode',
            lambda source, **options: acsv_encode(source, max_delay=0, **options),
            takes='row',
            gives='text',
            delayed=lambda source, delay: acsv_encode(source, max_delay=delay),
        ),
        Stage(
            'ajsonl_encode',
            lambda source, **options: ajsonl_encode(
                source, dumps=joined_row, max_delay=0, **options
            ),
            takes='row',
            gives='text',
            delayed=lambda source, delay: ajsonl_encode(source, dumps=joined_row, max_delay=delay),
        ),
        Stage(
            'aheartbeat',
            lambda source, **options: aheartbeat(source, 60, None, **options),
            needs_loop=True,
        ),
        Stage('amap', lambda source, **options: amap(same, source, **options), needs_loop=True),
        Stage('amerge', lambda source, **options: amerge(source, **options), needs_loop=True),
        Stage(
            'to_async',
            lambda source, **options: to_async(
                to_sync(source, loop=asyncio.get_running_loop()), buffersize=1, **options
            ),
            runs_threads=True,
            needs_loop=True,
        ),
    )
}

SYNC_STAGES = {
    stage.name: stage
    for stage in (
        Stage('batched', lambda source: batched(source, 1), gives='row'),
        Stage('chunked', lambda source: chunked(source, max_delay=0), takes='text', gives='text'),
        Stage(
            'csv_batches',
            lambda source: csv_batches(source, header=False, rows=1, types={0: int}),
            takes='text',
            gives='batch',
        ),
        Stage('csv_rows', csv_rows, takes='text', gives='row'),
        Stage('event_source', event_source, takes='events', gives='event'),
        Stage('event_stream', event_stream, takes='text', gives='events'),
        Stage(
            'lines',
            lambda source: generators.lines(source, keepends=True),
            takes='text',
            gives='text',
        ),
        Stage(
            'jsonl_rows',
            lambda source: jsonl_rows(source, loads=loaded),
            takes='text',
            gives='row',
        ),
        Stage(
            'csv_encode', lambda source: csv_encode(source, max_delay=0), takes='row', gives='text'
        ),
        Stage(
            'jsonl_encode',
            lambda source: jsonl_encode(source, dumps=joined_row, max_delay=0),
            takes='row',
            gives='text',
        ),
        Stage('heartbeat', lambda source: heartbeat(source, 60, None), runs_threads=True),
        Stage(
            'map_threads',
            lambda source: map_threads(str.strip, source, concurrency=1),
            takes='text',
            gives='text',
            runs_threads=True,
        ),
    )
}


def unstaged() -> set[str]:
    """Public types that are streams of what another gives, and no stage."""
    streams = {
        name
        for name in generators.__all__
        if hasattr(getattr(generators, name), 'prime')
        or hasattr(getattr(generators, name), 'aprime')
    }
    # The one that is driven from plain code: what it streams is an async source.
    return streams - {*ASYNC_STAGES, *SYNC_STAGES} - {'to_sync', 'Stream', 'AsyncStream'}


def number_of(item: Any) -> int:
    """The number that an item of any stage holds."""
    while isinstance(item, tuple | list):
        item = item[0]
    if isinstance(item, ServerSentEvent):
        item = item.data
    if isinstance(item, CSVBatch):
        return int(memoryview(item.column(0))[0])
    text = item.decode() if isinstance(item, bytes) else item
    return int(text.replace('data:', '').strip().strip('"'))


def item_of(kind: str | None, number: int) -> Any:
    text = f'{number:06}'  # the first bytes of a file are looked at together
    if kind == 'row':
        return (text,)
    if kind == 'long text':
        return text.ljust(65536)
    return f'data: {text}\n\n' if kind == 'events' else text + '\n'


def stacked(outer: Stage, inner: Stage, source: Callable[[str], Any], delay: float | None) -> Any:
    """One stage over another, over what that function gives for a kind of items.

    Where the one does not take what the other gives an amap() stands between them.
    """
    kind = inner.takes or ('text' if inner.gives else outer.takes or 'text')
    stream = inner.over(source(kind))
    given = inner.gives or kind
    if outer.takes is not None and outer.takes != given:
        takes = outer.takes

        async def convert(item: Any) -> Any:
            return item_of(takes, number_of(item))

        stream = amap(convert, stream)
    if delay is None:
        return outer.over(stream)
    assert outer.delayed is not None
    return outer.delayed(stream, delay)

"""What reentry.py attacks: each public type, made of hostile objects, in each way that it reads.

A type that is new joins by an entry here; `test_reentry.py` fails while a public name has none.
"""

from __future__ import annotations

import contextlib
import copy
import csv as standard_csv
import dataclasses
import gzip
import io
import pickle
import zipfile
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from generators import (
    FLUSH,
    Broadcast,
    CSVRow,
    Dispatcher,
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
    convert,
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
    lines,
    map_threads,
    task,
    to_async,
    to_sync,
)
from native_generators import _native
from tests.csv.arrow_abi import numbers_and_texts
from tests.isolated.hostile import (
    AsyncFile,
    AsyncSource,
    Awaitable,
    Buffer,
    Call,
    Error,
    Executor,
    File,
    Future,
    Held,
    Hostile,
    InlineLoop,
    Item,
    Keyed,
    Number,
    Record,
    Row,
    SlowSource,
    Source,
    Text,
    async_generator,
    generator,
    pause,
    tell,
    world,
)


@dataclasses.dataclass(frozen=True)
class Subject:
    name: str
    covers: tuple[str, ...]
    make: Callable[[], Any]
    # Uses of what was made, each (name, function of a Run); none: by its methods.
    lives: dict[str, Callable[[Any], None]] | None = None
    # It works ahead of its reader, so that a Ctrl-C may come to what nobody reads any more: the
    # lives and modes in which it is read.  NEVER: on threads, too, which come when they come.
    ahead: frozenset[tuple[str, str]] = frozenset()
    # Moments and what is done at them that no sample leaves out: that was a fault once.
    always: frozenset[tuple[str, str]] = frozenset()


READ = [('read to the end', ''), ('read to the end', 'ready')]
NEVER = [('never', '')]

SUBJECTS: dict[str, Subject] = {}


def subject(
    name: str,
    *covers: str,
    make: Any,
    lives: Any = None,
    ahead: Iterable[tuple[str, str]] = (),
    always: Iterable[tuple[str, str]] = (),
) -> None:
    assert name not in SUBJECTS
    covered = covers or (name.split()[0],)
    SUBJECTS[name] = Subject(name, covered, make, lives, frozenset(ahead), frozenset(always))


def items(count: int = 5) -> Any:
    return (Item() for _ in range(count))


def texts(*given: str) -> Any:
    return (Text(text) for text in given)


LINES = ('a,b\n', '1,"x\n', 'y"\n', '2,z\n', '3,\n')


def buffers(*given: bytes) -> Any:
    return (world().container(Buffer(data)) for data in given)


DATA = [line.encode() for line in LINES]


def rows() -> Any:
    yield world().container(Row([Item(), Text('a"b'), Number(1.5)]))
    yield world().container([Item(), Text('x,y'), None])
    yield (Item(), 2, Text(''))


def keyed() -> Any:
    for _ in range(3):
        yield world().container(Keyed({Text('a'): Item(), 'b': Number(1.5)}))
        yield world().container({Text('b'): Item(), 'a': Text('x')})


def records() -> Any:
    for _ in range(3):
        yield Record(Item(), Text('x'))


class Columns:
    """A row that is read by attribute."""

    @property
    def id(self) -> Any:
        tell('Columns.id', self)
        return Item()

    @property
    def text(self) -> Any:
        tell('Columns.text', self)
        return Text('x')


def objects() -> Any:
    for _ in range(3):
        yield Columns()


class Cursor(Source):
    """A cursor that has a description only once it gave a row."""

    def __init__(self) -> None:
        super().__init__([(Item(), 1), (2, Text('x'))])
        self.asked = 0

    @property
    def description(self) -> Any:
        tell('Cursor.description', self)
        self.asked += 1
        return [(Text('a'), None), ('b', None)] if self.asked > 2 else None


def pieces() -> Any:
    yield Text('ab')
    yield world().container(Buffer(b'cdefgh'))
    yield FLUSH
    yield memoryview(world().container(Buffer(b'ijklmnopqrst')))
    yield b'x' * 9
    yield Text('é')


# --- synchronous streams --------------------------------------------------------------------------

subject('batched', make=lambda: batched(Source(items()), 2))
subject('batched of a generator', make=lambda: batched(generator(items()), 2))
subject('batched of a stream', make=lambda: batched(batched(generator(items()), 1), 2))
subject('batched with a delay', make=lambda: batched(Source(items()), 2, max_delay=100))
subject('batched of a list', make=lambda: batched(world().container([*items()]), 2))

subject(
    'chunked',
    'chunked',
    'FLUSH',
    make=lambda: chunked(Source(pieces()), 4, max_delay=None, encoding=Text('utf-8')),
)
subject(
    'chunked at once',
    'chunked',
    'Stream',
    make=lambda: chunked(generator(pieces()), 4, max_delay=0),
)
subject('chunked of a file', make=lambda: chunked(File(b'abcdefghi'), 3))
subject('chunked in an encoding', make=lambda: chunked(Source(pieces()), 4, encoding='hostile'))

subject('csv_rows of lines', make=lambda: csv_rows(Source(texts(*LINES))))
subject(
    'csv_rows of names and types',
    'csv_rows',
    make=lambda: csv_rows(
        Source(texts(*LINES)),
        into=dict,
        names=Call(lambda names: world().container([Text(name + 'x') for name in names])),
        header=True,
        columns=world().container([Text('bx'), Text('ax')]),
        types=world().container({Text('ax'): Call(lambda text: Item()), 'bx': Call(str)}),
        null=world().container([Text('z')]),
        ragged=Text('pad'),
    ),
)
subject(
    'csv_rows into a call',
    make=lambda: csv_rows(
        generator(buffers(*DATA)),
        into=Call(lambda a, b: Item()),
        header=True,
        types={'a': Call(int)},
    ),
)
subject(
    'csv_rows with errors',
    'csv_rows',
    'CSVError',
    make=lambda: csv_rows(
        Source(texts('1\n', 'x\n', '2\n', 'y\n')),
        types={0: Call(fail_sometimes)},
        on_error=Call(lambda error, text: Item()),
    ),
)
subject(
    'csv_rows to an error',
    'csv_rows',
    'CSVError',
    make=lambda: csv_rows(Source(texts('1\n', 'x\n', '2\n')), types={0: Call(fail_sometimes)}),
)


def fail_sometimes(text: str) -> Any:
    if text.isalpha():
        raise Error(text)
    return Item()


class Fields(NamedTuple):
    a: int
    b: str


subject('csv_rows into a NamedTuple', make=lambda: csv_rows(Source(texts(*LINES)), into=Fields))


@dataclasses.dataclass(init=False)
class Keywords:
    """A class that is built by name, of code that does anything."""

    a: Any
    b: str = 'b'

    def __init__(self, **values: Any) -> None:
        self.a = Call(lambda: Item())()
        self.values = values


subject(
    'csv_rows into a class by name',
    'csv_rows',
    make=lambda: csv_rows(
        Source(texts('b,a\n', '1,2\n', '3\n', '4,5\n')),
        into=Keywords,
        types={'a': Call(lambda text: Item()), None: Call(str)},
        ragged='pad',
    ),
)
subject(
    'csv_rows by converters',
    'csv_rows',
    *(f'convert.{name}' for name in convert.__all__),
    make=lambda: csv_rows(
        Source(texts('1,5;x;24.12.2026;1;2,5;ja;10:30;z\n', ' 2,5 ; y;1.1.2026;2;3;no;9:00;\n')),
        delimiter=';',
        types={
            0: convert.number(decimal=','),
            None: Call(str),
            2: convert.date_format('%d.%m.%Y'),
            3: convert.integer(),
            4: convert.decimal(9, 2, decimal=Text(',')),
            5: convert.boolean(true=world().container([Text('ja')]), false=['no']),
            6: convert.time,
            7: convert.strip,
        },
        on_error='skip',
    ),
)
subject('csv_rows into CSVRow', make=lambda: csv_rows(Source(buffers(*DATA)), into=CSVRow))
subject(
    'csv_rows into CSVRow of types',
    make=lambda: csv_rows(
        Source(texts(*LINES)), into=CSVRow, types={'a': Call(lambda text: Item()), 'b': Call(str)}
    ),
)
subject('csv_rows of a file', make=lambda: csv_rows(File(b''.join(DATA)), into=dict))


def rows_of_parts() -> Any:
    file = File(b''.join(DATA))
    scans = [csv_scan(file, 0, 9), csv_scan(file, 9, len(file.data))]
    file.seek(0)
    for part in csv_split(file, scans=scans):
        file.seek(0)
        yield from csv_rows(file, start=part)


subject('csv_split', 'csv_split', 'csv_scan', make=rows_of_parts)


PACKED = gzip.compress(b''.join(DATA), mtime=0)


def zipped() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, 'w', zipfile.ZIP_DEFLATED) as archive:
        archive.writestr('a.csv', b'x\n')
        archive.writestr('b.csv', b''.join(DATA))
    return made.getvalue()


class Readable(File):
    """It reads as much as is asked for."""

    def read(self, size: int = -1) -> Any:
        tell('Readable.read', self)
        end = len(self.data) if size < 0 else self.place + size
        piece = self.data[self.place : end]
        self.place += len(piece)
        return piece

    def seek(self, place: int, whence: int = 0) -> int:
        tell('Readable.seek', self)
        self.place = place + (0, self.place, len(self.data))[whence]
        return self.place


class Short(File):
    """A response of http.client that was cut off."""

    def getheader(self, name: str) -> Any:
        return None

    @property
    def length(self) -> Any:
        tell('Short.length', self)
        return 5


class Descriptor:
    """What a class has is found by code."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        tell('Descriptor.__get__', self)
        return self


class Response(Hostile):
    """A response of httpx."""

    iter_bytes = Descriptor()


def refused(source: Any) -> Any:
    """Another stream, since that of the source is an error."""
    with contextlib.suppress(TypeError, ValueError):
        csv_rows(source)
    return csv_rows(Source(texts(*LINES)))


def rows_as_sniffed() -> Any:
    file = File(b''.join(DATA))
    return csv_rows(file, **csv_sniff(file))


subject('csv_sniff', 'csv_sniff', 'CSVFormat', make=rows_as_sniffed)
subject(
    'csv_rows of compressed items',
    'csv_rows',
    make=lambda: csv_rows(
        Source(buffers(PACKED[:1], PACKED[1:15], PACKED[15:])), compression=Text('infer')
    ),
)
subject('csv_rows of a compressed file', make=lambda: csv_rows(File(PACKED)))
subject(
    'csv_rows of a damaged file', 'csv_rows', 'CSVError', make=lambda: csv_rows(File(PACKED[:-9]))
)
subject('csv_rows of a zip file', make=lambda: csv_rows(Readable(zipped()), member=Text('b.csv')))
subject(
    'csv_rows to bytes that are no text',
    'csv_rows',
    'CSVError',
    make=lambda: csv_rows(File(b'a,b\n1,\xe9\n'), encoding=Text('ascii')),
)
subject('csv_rows of what is no source', make=lambda: refused(Response()))
subject('csv_rows of a path that is none', make=lambda: refused(Text('a,b\n1,2\n')))
subject('csv_rows of a response', make=lambda: csv_rows(Short(b''.join(DATA))))
subject('csv_rows of an async file', make=lambda: csv_rows(AsyncFile(b''.join(DATA))))
subject('csv_rows of a text file', make=lambda: csv_rows(File(Text(''.join(LINES)))))
subject('csv_rows of a buffer', make=lambda: csv_rows(world().container(Buffer(b''.join(DATA)))))
LONG_ROWS = ('1,' + 'x' * 100_000 + '\n').encode() * 4  # a block of a thread is 512 KiB

subject(
    'csv_batches',
    'csv_batches',
    'CSVBatch',
    make=lambda: csv_batches(
        generator(buffers(*DATA)),
        names=Call(lambda names: world().container([Text(name + 'x') for name in names])),
        columns=world().container([Text('bx'), Text('ax')]),
        types=world().container({Text('ax'): int}),
        null=world().container([Text('z')]),
        ragged=Text('pad'),
        rows=1,
    ),
)
subject(
    'csv_batches with errors',
    make=lambda: csv_batches(
        Source(texts('a\n', '1\n', 'x\n', '2\n', 'y\n')),
        types={'a': int},
        on_error=Call(lambda error, text: Item()),
    ),
)
subject(
    'csv_batches by threads',
    make=lambda: csv_batches(
        generator(buffers(b'a,b\n1,2\n', *[LONG_ROWS] * 4)), types={'a': int}, rows=4, threads=2
    ),
)
subject(
    'csv_batches to an error',
    make=lambda: csv_batches(Source(texts('a\n', '1\n', 'x\n', '2\n')), types={'a': int}),
)


def schema_reader(source: Any, **reading: Any) -> Any:
    reader: Any = _native._CSVSchemaReader
    return reader((Call(lambda kind, text: '1'), 3, Text('error')), source, **reading)


subject(
    'csv_schema',
    'csv_schema',
    'CSVSchema',
    make=lambda: schema_reader(
        Source(texts('a\n', '1_0\n', 'x,y\n', '2_0\n')), on_error=Call(lambda error, text: Item())
    ),
)
subject(
    'csv_schema by threads',
    make=lambda: schema_reader(generator(buffers(b'a,b\n1,2\n', *[LONG_ROWS] * 4)), threads=2),
)


class ArrowSchema(Hostile):
    """That of a batch, as a library gives it whose code runs meanwhile."""

    def __arrow_c_schema__(self) -> Any:
        tell('ArrowSchema.__arrow_c_schema__', self)
        return next(csv_batches(b'a,b\n1,2\n', types={'a': int})).__arrow_c_schema__()


def use_as_arrow(run: Any) -> None:
    capsules: list[Any] = []
    for use in (
        lambda: capsules.append(run.thing.__arrow_c_schema__()),
        lambda: capsules.append(run.thing.__arrow_c_stream__()),
        lambda: next(run.thing),
        lambda: run.thing.__arrow_c_stream__(),
    ):
        run.attempt(use)
    capsules.clear()
    run.drop()


subject(
    'csv_batches as an Arrow stream',
    make=lambda: csv_batches(
        Source(buffers(*DATA)), schema=world().container(ArrowSchema()), rows=1
    ),
    lives={'used': use_as_arrow},
)
subject(
    'csv_rows of another encoding',
    make=lambda: csv_rows(Source(buffers(*DATA)), encoding=Text('hostile'), header=False),
)
subject(
    'csv_rows of bytes that are no text',
    make=lambda: csv_rows(
        Source(buffers(b'a\xff', b'\xffb\n', b'\xc3', b'\n')), errors=Text('hostile')
    ),
)
subject(
    'csv_rows by a dialect',
    make=lambda: csv_rows(Source(texts(*LINES)), delimiter=Text(';'), quotechar=Text("'")),
)
subject('csv_rows of a path', make=lambda: csv_rows(Path(__file__)))


class Path(Hostile):
    def __init__(self, path: str) -> None:
        self.path = path

    def __fspath__(self) -> str:
        tell('Path.__fspath__', self)
        return self.path


subject(
    'csv_encode',
    make=lambda: csv_encode(Source(rows()), size=8, max_delay=None, encoding=Text('utf-8')),
)
subject(
    'csv_encode of mappings',
    make=lambda: csv_encode(
        generator(keyed()),
        columns=world().container([Text('a'), Text('b')]),
        header=world().container([Text('A'), Item()]),
        missing=Item(),
        size=8,
        max_delay=0,
    ),
)
subject(
    'csv_encode of a cursor',
    make=lambda: csv_encode(Cursor(), columns=['a'], header=True, size=8, max_delay=None),
)
subject(
    'csv_encode of objects by attribute',
    make=lambda: csv_encode(Source(objects()), columns=['id', 'text'], size=8, missing=Text('x')),
)
subject(
    'csv_encode in other formats',
    make=lambda: csv_encode(
        Source(rows()), size=8, null='NA', float_format='.2f', datetime_format='iso', decimal=','
    ),
)
subject('csv_encode of records', make=lambda: csv_encode(Source(records()), header=True, size=8))
subject(
    'csv_encode in an encoding',
    make=lambda: csv_encode(Source(rows()), size=8, encoding='hostile', escape_formulas=True),
)
subject(
    'csv_encode of batches',
    make=lambda: csv_encode(
        Source([numbers_and_texts(*map(str, range(3)))] * 2),
        columns=world().container([Text('text'), Text('more')]),
        missing=Item(),
        size=8,
        encoding='hostile',
    ),
)
subject(
    'csv_encode of what cannot be encoded',
    make=lambda: csv_encode(
        Source([[Text('é')], [Text('ü')]]), size=8, encoding='ascii', errors='hostile'
    ),
)

EVENTS = (b'event: a\r', b'\ndata: x\n\ndata', b': y\xff\nid: 7\n\n', b'data: z\n')
EVENT_LINES = ('event: a', 'data: x\n', '', 'data: é', 'id: 7\r', '')

subject('event_source', make=lambda: event_source(Source(buffers(*EVENTS))))
subject(
    'event_source of lines',
    make=lambda: event_source(generator(texts(*EVENT_LINES)), last_event_id=Text('é')),
)
subject('event_source of a file', make=lambda: event_source(File(b''.join(EVENTS))))
subject(
    'event_source of a buffer',
    make=lambda: event_source(world().container(Buffer(b''.join(EVENTS)))),
)
subject(
    'event_source to an error',
    make=lambda: event_source(Source(buffers(*EVENTS)), max_event=8),
)


def served() -> Any:
    yield Text('a\nb')
    yield world().container(Buffer(b'c\rd'))
    yield world().container({Text('data'): Item(), Text('event'): Text('e'), 'id': Text('7')})
    yield world().container(Keyed({Text('comment'): Text('x'), 'data': Item()}))
    yield ServerSentEvent(Text('x'))
    yield {'data': Number(1.5), 'retry': 7}


def dumped(value: Any) -> Any:
    return world().container(Buffer(b'dumped'))


def unserved() -> Any:
    yield Text('a')
    yield world().container({Text('data'): Item(), Item(): Item(), 'id': Text('7\n')})


subject('event_stream', make=lambda: event_stream(Source(served()), dumps=Call(dumped), retry=7))
subject(
    'event_stream with a last event',
    make=lambda: event_stream(
        generator(unserved()),
        error=Call(lambda error: world().container({'data': Item(), Text('id'): Text('7')})),
        dumps=Call(lambda value: Text('x')),
    ),
)
subject(
    'event_stream that breaks off',
    make=lambda: event_stream(Source(unserved()), error=Call(lambda error: None)),
)

subject('lines of text', 'lines', make=lambda: lines(Source(texts(*LINES)), newline=Text('\n')))
subject(
    'lines of chunks',
    'lines',
    make=lambda: lines(generator(buffers(*DATA)), keepends=True, encoding=Text('utf-8')),
)
subject('lines of a file', 'lines', make=lambda: lines(File(b''.join(DATA))))
subject('lines of a buffer', 'lines', make=lambda: lines(world().container(Buffer(b''.join(DATA)))))
subject('lines of a path', 'lines', make=lambda: lines(Path(__file__)))
subject(
    'lines in an encoding',
    'lines',
    make=lambda: lines(Source(buffers(*DATA)), encoding=Text('hostile')),
)
subject(
    'lines of bytes that are no text',
    'lines',
    'DataError',
    make=lambda: lines(
        Source(buffers(b'a\xff', b'\xffb\n', b'\xc3', b'\n')),
        encoding='utf-8',
        errors=Text('hostile'),
    ),
)
subject(
    'jsonl_rows',
    make=lambda: jsonl_rows(Source(buffers(*DATA)), loads=Call(lambda line: Item())),
)
subject(
    'jsonl_rows with errors',
    'jsonl_rows',
    'DataError',
    make=lambda: jsonl_rows(
        Source(texts('1\n', 'x\n', '2\n', 'y\n')),
        loads=Call(load_sometimes),
        on_error=Call(lambda error, line: Item()),
        encoding=Text('utf-8'),
    ),
)
subject(
    'jsonl_rows to an error',
    'jsonl_rows',
    'DataError',
    make=lambda: jsonl_rows(generator(buffers(b'1\n', b'x\n', b'2\n')), loads=Call(load_sometimes)),
)
subject(
    'jsonl_encode',
    make=lambda: jsonl_encode(Source(items()), dumps=Call(dump_any), size=8, max_delay=None),
)
subject('jsonl_encode of records', make=lambda: jsonl_encode(Source(records()), size=8))
subject(
    'jsonl_encode of mappings',
    make=lambda: jsonl_encode(generator(named_rows()), size=8, max_delay=0),
)


def dump_any(item: Any) -> Any:
    dump_any.count += 1  # type: ignore[attr-defined]
    return (Text('a'), world().container(Buffer(b'bcdefghijk')), 'é')[dump_any.count % 3]


dump_any.count = 0  # type: ignore[attr-defined]


def named_rows() -> Any:
    yield world().container(Keyed({Text('a'): 1, 'b': Number(1.5)}))
    yield FLUSH
    yield world().container({Text('b'): Text('x')})
    yield CSVRow({Text('a'): Text('x')})


def load_sometimes(line: bytes) -> Any:
    return fail_sometimes(line.decode())


def results(item: Any) -> Any:
    return Item()


def failing_call(item: Any) -> Any:
    raise Error('the call')


subject(
    'map_threads',
    make=lambda: map_threads(Call(results), Source(items()), executor=Executor()),
    ahead=READ,
)
subject(
    'map_threads that fails',
    make=lambda: map_threads(Call(failing_call), Source(items()), executor=Executor()),
    ahead=NEVER,
)
subject(
    'map_threads that gives errors',
    make=lambda: map_threads(
        Call(failing_call), generator(items()), executor=Executor(), return_exceptions=True
    ),
    ahead=READ,
)
subject(
    'map_threads on threads',
    make=lambda: map_threads(Call(results), Source(items()), concurrency=2),
    ahead=NEVER,
)
subject(
    'to_sync',
    make=lambda: to_sync(AsyncSource(items()), loop=InlineLoop(), timeout=0.005),
    ahead=READ,
)
subject(
    'to_sync of a call',
    make=lambda: to_sync(
        Call(lambda: async_generator(items())), loop=InlineLoop(), buffersize=1, timeout=0.005
    ),
    ahead=READ,
)
subject(
    'to_sync of an iterator that waits',
    make=lambda: to_sync(SlowSource(items()), loop=InlineLoop(), buffersize=0, timeout=0.005),
    ahead=READ,
)

subject(
    'heartbeat',
    make=lambda: heartbeat(Source(items()), Number(0.05), Call(Item), on_close=Call(Item)),
    ahead=NEVER,
)

# --- coroutines -----------------------------------------------------------------------------------


def awaiting() -> Any:
    try:
        tell('awaiting')
        yield Awaitable(Item())
        yield Item()
        yield None
        yield Future.ready_later(world().loop, Item())
        yield pause(Item())
        return Item()
    finally:
        tell('awaiting.finally')


class Awaiting(Source):
    """A generator of awaitables, by its methods."""


def awaitables() -> Any:
    yield Awaitable(Item())
    yield pause(Item())
    yield Awaitable(Error('awaited'))


subject('drive', make=lambda: drive(awaiting()))
subject('drive of a generator by its methods', make=lambda: drive(Awaiting(awaitables())))
subject('task', make=lambda: task(Call(awaiting)))
subject('task, called', 'task', make=lambda: task(awaiting)())

# --- asynchronous streams -------------------------------------------------------------------------

subject(
    'abatched',
    make=lambda: abatched(AsyncSource(items()), 2),
    always=[('Waiting.__del__', '_AsyncStep.send()'), ('Waiting.__del__', '_AsyncStep.close()')],
)
subject('abatched of waits', make=lambda: abatched(SlowSource(items()), 2, close_with_task=True))
subject('abatched with a timer', make=lambda: abatched(SlowSource(items()), 40, max_delay=100))
subject('abatched of a generator', make=lambda: abatched(async_generator(items()), 2))
subject('abatched of a stream', make=lambda: abatched(abatched(async_generator(items()), 1), 2))
subject(
    'achunked',
    'achunked',
    'AsyncStream',
    make=lambda: achunked(AsyncSource(pieces()), 4, max_delay=None),
)
subject('achunked with a timer', make=lambda: achunked(SlowSource(pieces()), 40, max_delay=100))
subject('achunked at once', make=lambda: achunked(async_generator(pieces()), 4, max_delay=0))
subject('achunked of a file', make=lambda: achunked(AsyncFile(b'abcdefgh'), 3, max_delay=1))


class Turns:
    """Awaitables that are ready at first, and then wait for a future that is of nobody."""

    def __init__(self) -> None:
        self.count = 0

    def __aiter__(self) -> Any:
        return self

    def __anext__(self) -> Any:
        self.count += 1
        if self.count == 1:
            return Future.ready_later(world().loop, b'a')
        return Future(world().loop)


subject(
    'achunked of what never comes',
    make=lambda: achunked(Turns(), 10, max_delay=100),
    always=[('Loop.create_future', '_AsyncStep.__next__()')],
)
subject('acsv_rows', make=lambda: acsv_rows(AsyncSource(texts(*LINES))))
subject(
    'acsv_batches',
    make=lambda: acsv_batches(
        AsyncSource(texts(*LINES)), types={'a': int}, on_error=Call(lambda error, text: Item())
    ),
)
subject(
    'acsv_batches of waits',
    make=lambda: acsv_batches(SlowSource(buffers(*DATA)), rows=1, header=False, ragged='pad'),
)
subject(
    'acsv_rows of waits',
    make=lambda: acsv_rows(
        SlowSource(buffers(*DATA)), into=dict, types={Text('a'): Call(lambda text: Item())}
    ),
)
subject('acsv_rows of a file', make=lambda: acsv_rows(AsyncFile(b''.join(DATA)), into=CSVRow))
subject(
    'acsv_rows with errors',
    make=lambda: acsv_rows(
        async_generator(texts('1\n', 'x\n', '2\n')),
        types={0: Call(fail_sometimes)},
        on_error=Call(lambda error, text: Item()),
    ),
)
subject('aevent_source', make=lambda: aevent_source(AsyncSource(buffers(*EVENTS))))
subject(
    'aevent_source of waits',
    make=lambda: aevent_source(SlowSource(texts(*EVENT_LINES)), close_with_task=True),
)
subject('aevent_source of a file', make=lambda: aevent_source(AsyncFile(b''.join(EVENTS))))
subject(
    'aevent_stream', make=lambda: aevent_stream(AsyncSource(served()), dumps=Call(dumped), retry=7)
)
subject(
    'aevent_stream with heartbeats',
    make=lambda: aevent_stream(
        SlowSource(served()), dumps=Call(dumped), heartbeat=100, close_with_task=True
    ),
)
subject(
    'aevent_stream with a last event',
    make=lambda: aevent_stream(
        async_generator(unserved()),
        error=Call(lambda error: {'data': Item()}),
        dumps=Call(lambda value: Text('x')),
    ),
)
subject('alines', make=lambda: alines(AsyncSource(texts(*LINES))))
subject('alines of waits', make=lambda: alines(SlowSource(buffers(*DATA)), keepends=True))
subject('alines of a file', make=lambda: alines(AsyncFile(b''.join(DATA)), encoding='utf-8'))
subject(
    'ajsonl_rows',
    make=lambda: ajsonl_rows(AsyncSource(buffers(*DATA)), loads=Call(lambda line: Item())),
)
subject(
    'ajsonl_rows with errors',
    'ajsonl_rows',
    'DataError',
    make=lambda: ajsonl_rows(
        SlowSource(texts('1\n', 'x\n', '2\n')),
        loads=Call(load_sometimes),
        on_error=Call(lambda error, line: Item()),
    ),
)
subject(
    'ajsonl_encode',
    make=lambda: ajsonl_encode(AsyncSource(items()), dumps=Call(dump_any), size=8, max_delay=None),
)
subject(
    'ajsonl_encode with a timer',
    make=lambda: ajsonl_encode(SlowSource(items()), dumps=Call(dump_any), size=100, max_delay=100),
)
subject('acsv_encode', make=lambda: acsv_encode(AsyncSource(rows()), size=8, max_delay=None))
subject(
    'acsv_encode with a timer',
    make=lambda: acsv_encode(SlowSource(keyed()), size=100, header=True, max_delay=100),
)
subject(
    'acsv_encode of a generator',
    make=lambda: acsv_encode(async_generator(records()), size=8, header=True, max_delay=0),
)
subject(
    'to_async',
    make=lambda: to_async(Source(items()), thread=False),
    always=[('Item.__del__', 'to_async.aclose() kept')],
)
subject('to_async of a call', make=lambda: to_async(Call(lambda: generator(items())), thread=False))
subject(
    'to_async in an executor',
    make=lambda: to_async(Source(items()), executor=Executor(), close_with_task=True),
)
subject('to_async on a thread', make=lambda: to_async(Source(items()), buffersize=1), ahead=NEVER)
subject(
    'to_async that leaves its place',
    make=lambda: to_async(
        Source(items()),
        executor=Executor(),
        hold=False,
        buffersize=1,
        sizeof=Call(lambda item: 5),
        on_close=Call(Item),
    ),
)
subject(
    'amerge of names',
    make=lambda: amerge(first=SlowSource(items(2)), second=async_generator(items(3))),
)
subject(
    'amap of pairs',
    make=lambda: amap(Call(pause), SlowSource(items()), pairs=True, return_exceptions=True),
)
subject('aheartbeat', make=lambda: aheartbeat(AsyncSource(items()), Number(0.0005), Item()))
subject(
    'aheartbeat of waits',
    make=lambda: aheartbeat(SlowSource(items()), 0.00001, Call(Item), close_with_task=True),
)
subject('amap', make=lambda: amap(Call(Awaitable), Source(items()), concurrency=2))
subject('amap of waits', make=lambda: amap(Call(pause), SlowSource(items()), concurrency=2))
subject(
    'amap of calls',
    make=lambda: amap(Call(a_call), async_generator(items()), ordered=False, close_with_task=True),
)
subject(
    'amap that fails',
    make=lambda: amap(Call(lambda item: Awaitable(Error('the call'))), Source(items())),
)
subject(
    'amap that gives errors',
    make=lambda: amap(
        Call(lambda item: pause(Error('the call'))), generator(items()), return_exceptions=True
    ),
)


async def a_call(item: Any) -> Any:
    tell('a_call')
    try:
        await Awaitable(None)
        await pause(None)
    finally:
        tell('a_call.finally')
    return Item()


subject('amerge', make=lambda: amerge(AsyncSource(items(2)), AsyncSource(items(3))))
subject('amerge of waits', make=lambda: amerge(SlowSource(items(2)), async_generator(items(3))))
subject(
    'amerge until the first',
    make=lambda: amerge(SlowSource(items(2)), SlowSource(items(9)), until='first'),
)

# --- Broadcast ------------------------------------------------------------------------------------


class Sending:
    """A Broadcast of each policy, and streams of it that hold items."""

    def __init__(self) -> None:
        self.sender = Broadcast(buffersize=2, on_full='drop_oldest', replay=2)
        for item in items(3):
            self.sender.publish(item)
        self.streams = [self.sender.subscribe(on_full='drop_newest'), self.sender.subscribe()]
        self.plain = [
            self.sender.subscribe_sync(on_full='close'),
            self.sender.subscribe_sync(timeout=0),
        ]


def publish_and_read(run: Any) -> None:
    use = run.thing
    for item in items(4):
        run.attempt(lambda item=item: use.sender.publish(item))
    for stream in use.plain:
        for _ in range(4):
            run.attempt(lambda stream=stream: next(stream))
    run.attempt(lambda: use.sender.run(Source(items())))
    for stream in use.streams:
        for _ in range(4):
            run.drive(stream.__anext__)
        run.drive(stream.aclose)
    for stream in use.plain:
        run.attempt(stream.close)


def publish_later(run: Any) -> None:
    use = run.thing
    run.drive(lambda: use.sender.apublish(Item()))
    run.drive(lambda: use.sender.arun(SlowSource(items())))
    run.drive(lambda: use.sender.arun(Source(items())))
    for stream in use.streams:
        run.drive(stream.__anext__)


def drop_broadcast(run: Any) -> None:
    use = run.thing
    run.attempt(use.streams.pop)
    run.attempt(use.plain.pop)
    run.attempt(lambda: use.sender.publish(Item()))
    use.streams.clear()
    use.plain.clear()
    use.sender = None


subject(
    'Broadcast',
    make=Sending,
    lives={'read': publish_and_read, 'later': publish_later, 'dropped': drop_broadcast},
)

# --- Dispatcher -----------------------------------------------------------------------------------


class Name(Hostile):
    """The type of an event: it is equal to its text."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __eq__(self, other: object) -> bool:
        tell('Name.__eq__', self)
        return self.text == (other.text if isinstance(other, Name) else other)

    def __hash__(self) -> int:
        tell('Name.__hash__', self)
        return hash(self.text)


def handle_by_generator() -> Any:
    tell('handle_by_generator')
    try:
        while True:
            data = yield
            tell('handle_by_generator.data')
            del data
    finally:
        tell('handle_by_generator.finally')


def handle_once() -> Any:
    yield
    return Item()


def handle_and_fail() -> Any:
    yield
    raise Error('the handler')


async def handle_later(data: Any) -> Any:
    tell('handle_later')
    await pause(None)


async def handle_by_async_generator() -> Any:
    try:
        while True:
            await pause((yield))
    finally:
        await pause(None)


class Dispatching:
    """A dispatcher and its handlers."""

    def __init__(self, is_async: bool = False) -> None:
        self.dispatcher = dispatcher = Dispatcher(
            key=Call(lambda event: event[0]),
            data=Call(lambda event: event[1]),
            default=Call(lambda event: Item()),
        )
        world().watch(dispatcher)
        self.plain = Call(lambda data: Item())
        self.handlers: list[tuple[Any, Any]] = [
            ('a', self.plain),
            ('b', self.plain),
            ('b', handle_by_generator),
            ('once', handle_once),
            ('fails', handle_and_fail),
            (Name('named'), self.plain),
            ('error', Call(lambda report: Item())),
            ('start', self.start),
            ('b', handle_by_generator()),
        ]
        if is_async:
            self.handlers += [('a', handle_later), ('b', handle_by_async_generator)]
        next(self.handlers[8][1])
        for kind, handler in self.handlers:
            world().watch(dispatcher.on(kind, handler))
        self.is_async = is_async

    def start(self, data: Any) -> None:
        """An event within an event."""
        if self.is_async:
            world().watch(self.dispatcher.aemit('b', Item()))
        else:
            self.dispatcher.emit('a', Item())
            self.dispatcher.emit('b')


KINDS = ('start', 'a', 'b', 'once', 'fails', 'named', 'unknown', 'b')


def emit_all(run: Any) -> None:
    use = run.thing
    for kind in KINDS:
        run.attempt(lambda kind=kind: use.dispatcher.emit(kind, Item()))
    run.attempt(lambda: use.dispatcher.dispatch((Name('named'), Item())))
    run.attempt(use.dispatcher.close)


def run_events(run: Any) -> None:
    run.attempt(lambda: run.thing.dispatcher.run(Source((kind, Item()) for kind in KINDS)))
    run.attempt(run.thing.dispatcher.close)


def register_and_forget(run: Any) -> None:
    use = run.thing
    for kind, handler in use.handlers[:4]:
        run.attempt(lambda kind=kind, handler=handler: use.dispatcher.off(kind, handler))
    run.attempt(lambda: use.dispatcher.on(Name('x'), handle_by_generator))
    run.attempt(lambda: use.dispatcher.emit(Name('x'), Item()))
    run.attempt(lambda: use.dispatcher.off(Name('x'), handle_by_generator))


def drop_dispatcher(run: Any) -> None:
    run.attempt(lambda: run.thing.dispatcher.emit('b', Item()))
    run.drop()


def emit_all_later(run: Any) -> None:
    use = run.thing
    for kind in KINDS:
        run.drive(lambda kind=kind: use.dispatcher.aemit(kind, Item()))
    run.drive(lambda: use.dispatcher.adispatch((Name('named'), Item())))
    run.drive(use.dispatcher.aclose)


def emit_together(run: Any) -> None:
    use = run.thing
    calls = [run.watch(use.dispatcher.aemit(kind, Item())) for kind in ('b', 'a', 'b')]
    for call in calls:
        run.step(call)
    run.attempt(calls[1].close)
    for call in calls:
        run.finish(call)
    run.drive(use.dispatcher.aclose)


def cancel_an_emit(run: Any) -> None:
    use = run.thing
    call = run.watch(use.dispatcher.aemit('b', Item()))
    waiting = run.watch(use.dispatcher.aemit('b', Item()))
    run.step(call)
    run.step(waiting)
    run.attempt(lambda: call.throw(Error('thrown')))
    run.finish(call)
    run.finish(waiting)
    run.drive(use.dispatcher.aclose)


def run_events_later(run: Any) -> None:
    use = run.thing
    run.drive(lambda: use.dispatcher.arun(SlowSource((kind, Item()) for kind in KINDS)))
    run.drive(lambda: use.dispatcher.arun(Source((kind, Item()) for kind in KINDS)))
    run.drive(use.dispatcher.aclose)


def drop_an_emit(run: Any) -> None:
    use = run.thing
    for _ in range(2):
        held = Held(run.watch(use.dispatcher.aemit('b', Item())))
        run.attempt(lambda held=held: held.step.send(None))
        run.drop_step(held)
    run.drive(use.dispatcher.aclose)


subject(
    'Dispatcher',
    'Dispatcher',
    'ErrorEvent',
    'Event',
    make=Dispatching,
    lives={
        'emits': emit_all,
        'runs': run_events,
        'registers': register_and_forget,
        'dropped': drop_dispatcher,
    },
    always=[('Item.__del__', 'Dispatcher.off(1)')],
)
subject(
    'Dispatcher of async handlers',
    'Dispatcher',
    make=lambda: Dispatching(is_async=True),
    lives={
        'emits': emit_all_later,
        'emits together': emit_together,
        'cancelled': cancel_an_emit,
        'runs': run_events_later,
        'dropped': drop_an_emit,
    },
)


class BackgroundDispatching(Dispatching):
    """The same, with handlers that have tasks of their own."""

    def __init__(self) -> None:
        super().__init__()
        for kind, handler in (
            ('a', self.plain),
            ('b', handle_later),
            ('b', handle_by_generator),
            ('once', handle_once),
            ('fails', handle_and_fail),
            ('b', handle_by_async_generator),
            (None, Call(lambda event: Item())),
        ):
            handled = self.dispatcher.on(kind, handler, background=True, buffersize=2)
            world().watch(handled)
            self.handlers.append((kind, handler))


def emit_in_the_background(run: Any) -> None:
    use = run.thing
    for kind in KINDS:
        run.drive(lambda kind=kind: use.dispatcher.aemit(kind, Item()))
    run.attempt(lambda: use.dispatcher.off('b', handle_by_generator))
    run.drive(lambda: use.dispatcher.aemit('b', Item()))
    run.drive(use.dispatcher.aclose)


def emit_in_the_background_and_drop(run: Any) -> None:
    use = run.thing
    for kind in KINDS:
        run.attempt(lambda kind=kind: use.dispatcher.emit(kind, Item()))
    run.drop()


def close_in_the_background(run: Any) -> None:
    use = run.thing
    for kind in ('b', 'fails', 'b'):
        run.attempt(lambda kind=kind: use.dispatcher.emit(kind, Item()))
    closing = run.watch(use.dispatcher.aclose())
    run.step(closing)
    run.attempt(lambda: closing.throw(Error('thrown')))
    run.finish(closing)


def wait_for_events(run: Any) -> None:
    use = run.thing
    calls = [
        run.watch(use.dispatcher.wait_for('b', where=Call(lambda data: Item()))),
        run.watch(use.dispatcher.wait_for(Name('named'))),
        run.watch(use.dispatcher.wait_for(None, timeout=0.005)),
        run.watch(use.dispatcher.wait_for('unknown', timeout=0.005)),
    ]
    for call in calls:
        run.step(call)
    run.attempt(lambda: use.dispatcher.emit('b', Item()))
    run.attempt(calls[1].close)
    for call in calls:
        run.finish(call)
    stream = run.watch(use.dispatcher.subscribe('b', buffersize=1))
    every = run.watch(use.dispatcher.subscribe(None, on_full='drop_oldest'))
    run.drive(lambda: anext(every))
    for _ in range(2):
        run.drive(lambda: use.dispatcher.aemit('b', Item()))
        run.drive(lambda: anext(stream))
    run.drive(every.aclose)
    run.attempt(use.dispatcher.handlers)
    run.attempt(lambda: use.dispatcher.handlers(Name('named')))
    run.drive(use.dispatcher.aclose)


subject(
    'Dispatcher of background handlers',
    'Dispatcher',
    'Handler',
    make=BackgroundDispatching,
    lives={
        'emits': emit_in_the_background,
        'dropped': emit_in_the_background_and_drop,
        'closed': close_in_the_background,
        'waits': wait_for_events,
    },
)

# --- generators.csv, CSVRow -----------------------------------------------------------------------

subject('csv.reader', make=lambda: csv.reader(Source(texts(*LINES)), delimiter=Text(',')))
subject(
    'csv.reader of numbers',
    make=lambda: csv.reader(
        Source(texts('1,"a"\n', '2,x\n')), quoting=standard_csv.QUOTE_NONNUMERIC
    ),
)


class Dialect(Hostile):
    """A dialect, by attributes that tell."""

    delimiter = property(lambda self: Text(','))
    quotechar = property(lambda self: Text('"'))
    lineterminator = property(lambda self: Text('\n'))
    quoting = property(lambda self: 0)
    doublequote = property(lambda self: Item())


subject('csv.reader by a dialect', make=lambda: csv.reader(Source(texts(*LINES)), Dialect()))
subject(
    'csv.DictReader',
    make=lambda: csv.DictReader(
        Source(texts('a,b\n', '1,2,3\n', '4\n', '\n', '5,6\n')), restkey=Item(), restval=Item()
    ),
)
subject(
    'csv.DictReader of names',
    make=lambda: csv.DictReader(
        Source(texts('1,2,3\n', '4\n')),
        world().container(Row([Text('a'), Item()])),
        restkey=Text('rest'),
    ),
)


def write_rows(run: Any) -> None:
    writer = run.thing
    for row in list(rows()):
        run.attempt(lambda row=row: writer.writerow(row))
    run.attempt(lambda: writer.writerows(Source(rows())))


def write_keyed(run: Any) -> None:
    writer = run.thing
    run.attempt(writer.writeheader)
    for row in list(keyed()):
        run.attempt(lambda row=row: writer.writerow(row))
    run.attempt(lambda: writer.writerows(Source(keyed())))
    run.attempt(lambda: writer.writerow(Keyed({'c': Item(), Item(): 1})))


subject(
    'csv.writer',
    make=lambda: csv.writer(File(''), Dialect()),
    lives={'writes': write_rows},
)
subject(
    'csv.writer of quotes',
    make=lambda: csv.writer(File(''), quoting=standard_csv.QUOTE_NONNUMERIC),
    lives={'writes': write_rows},
)
subject(
    'csv.DictWriter',
    make=lambda: csv.DictWriter(
        File(''), world().container([Text('a'), 'b']), Item(), extrasaction=Text('raise')
    ),
    lives={'writes': write_keyed},
)
subject(
    'csv.DictWriter of any names',
    make=lambda: csv.DictWriter(File(''), Row([Text('a'), 'b']), Item(), 'ignore'),
    lives={'writes': write_keyed},
)


def use_row(run: Any) -> None:

    row, item = run.thing, Text('x')
    for use in (
        lambda: row == (item, Item()),
        lambda: row == Row([item, item]),
        lambda: hash(row),
        lambda: repr(row),
        lambda: row.index(item),
        lambda: row.count(item),
        lambda: item in row,
        lambda: row[Text('a')],
        lambda: row[Item()],
        lambda: [*row, *row[0:], *reversed(row)],
        lambda: CSVRow(row, Row([Text('x'), Text('y')])),
        lambda: CSVRow(Source([1.5, 'y']), Source(texts('a', 'b'))),
        lambda: CSVRow(Keyed({Text('a'): 2})),
        lambda: copy.deepcopy(row),
        lambda: pickle.dumps(row),
        row.keys,
    ):
        run.attempt(use)
    run.drop()


subject(
    'CSVRow',
    make=lambda: CSVRow(world().container({Text('a'): 'x', Text('b'): 1.5})),
    lives={'used': use_row},
)


def use_read_rows(run: Any) -> None:
    taken: list[Any] = []
    run.attempt(lambda: taken.extend(run.thing))
    world().targets += taken
    for row in taken:
        for use in (
            lambda row=row: row == (Item(), Item()),
            lambda row=row: hash(row),
            lambda row=row: row.index(Item()),
            lambda row=row: repr(row),
            lambda row=row: row[Text('a')],
            lambda row=row: [*row],
        ):
            run.attempt(use)
    taken.clear()
    run.drop()


subject(
    'CSVRow of a reader',
    'CSVRow',
    make=lambda: csv_rows(
        Source(texts(*LINES)), into=CSVRow, types={'a': Call(lambda text: Item()), 'b': Call(str)}
    ),
    lives={'used': use_read_rows},
)


def use_event(run: Any) -> None:
    event = run.thing
    world().targets.append(event)
    for use in (
        lambda: event.json(Call(lambda text: Item())),
        event.json,
        lambda: event == Item(),
        lambda: hash(event),
        lambda: repr(event),
        lambda: copy.deepcopy(event),
        lambda: pickle.dumps(event),
        lambda: (event.data, event.event, event.id, event.retry),
    ):
        run.attempt(use)
    run.drop()


subject(
    'ServerSentEvent',
    make=lambda: ServerSentEvent(Text('x'), event=Text('é'), id=Text('7'), retry=7),
    lives={'used': use_event},
)

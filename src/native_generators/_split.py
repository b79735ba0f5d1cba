"""Cutting one CSV file for many workers: ``csv_split`` and ``csv_scan``.

A plan is made from scans of consecutive ranges.  A scan tells, for every state that a reader may
be in at the start of its range, what such a reader passes in it; so ranges are scanned in any
order, by threads or by other machines.  Put together, they tell the state at each cut, and with it
where the first record behind the cut starts and how many lines and records came before.

Limits of length and bytes that are not text of the encoding are not followed by a scan, which only
tells where they are possible.  There the plan is made by the reader itself, ``csv_rows``, which
goes over such a range as it does when bad records are skipped.
"""

from __future__ import annotations

import io
import operator
import os
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any, NamedTuple, TypedDict, Unpack

from native_generators._native import csv_rows, csv_scanner

SIZE = 64 << 20  # of a part in bytes, if nothing else is asked for
BLOCK = 512 << 10  # bytes that are read at a time
VERSION = 1  # of a scan
MARK = b'\xef\xbb\xbf'

COMPRESSED = {
    b'\x1f\x8b\x08': 'gzip',
    b'\x28\xb5\x2f\xfd': 'zstd',
    b'BZh': 'bzip2',
    b'\xfd7zXZ': 'xz',
    b'PK\x03\x04': 'zip',
}
# Files whose bytes are made while they are read, where they were imported.
DECOMPRESSING = {
    'gzip': 'GzipFile',
    'bz2': 'BZ2File',
    'lzma': 'LZMAFile',
    'zipfile': 'ZipExtFile',
    'compression.zstd': 'ZstdFile',
}
# What decides where records end, and what else a reader needs that only looks for that.
STRUCTURE = {
    *('dialect', 'delimiter', 'quotechar', 'escapechar', 'doublequote', 'skipinitialspace'),
    *('lineterminator', 'quoting', 'strict', 'encoding', 'errors', 'max_field', 'max_record'),
}
# What only a reader of the whole file can follow, and what it is by default.
WHOLE = {'skip': 0, 'comment': None, 'footer': 0, 'multiline': True}


class Reading(TypedDict, total=False):
    """What csv_rows takes for reading."""

    into: Any
    header: bool | None
    names: Any
    duplicates: str
    columns: Any
    types: Any
    null: Any
    ragged: str | None
    dialect: Any
    delimiter: str
    quotechar: str | None
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    lineterminator: str
    quoting: int
    strict: bool
    blank: str | None
    encoding: str
    errors: str
    items: str
    max_field: int | None
    max_record: int | None
    on_error: Any


# ---- files ----


class File:
    """Bytes of a file at any offset, for several threads."""

    def __init__(self, file: Any) -> None:
        self.file = file
        self.lock = threading.Lock()
        self.base: int = file.tell()
        self.size: int = file.seek(0, os.SEEK_END)
        if self.size is None:  # as of some file objects
            self.size = file.tell()
        self.descriptor = None
        if type(file) is io.FileIO and hasattr(os, 'preadv'):
            self.descriptor = file.fileno()
        self.rewind()

    def __len__(self) -> int:
        return max(self.size - self.base, 0)

    def rewind(self) -> None:
        self.file.seek(self.base)

    def read_into(self, view: memoryview, offset: int) -> int:
        """Read some bytes, or all that are left: how many."""
        if self.descriptor is not None:
            return os.preadv(self.descriptor, [view], self.base + offset)
        with self.lock:
            self.file.seek(self.base + offset)
            data = self.file.read(len(view))
        if data is None:
            raise BlockingIOError('read() returned None: no data is available')
        view[: len(data)] = data
        return len(data)

    def blocks(self, start: int, stop: int, stopped: Callable[[], bool]) -> Iterator[memoryview]:
        buffer = memoryview(bytearray(min(BLOCK, max(stop - start, 1))))
        while start < stop and not stopped():
            count = self.read_into(buffer[: stop - start], start)
            if count == 0:
                raise ValueError(f'the file shrank while it was read: {start} of {len(self)} bytes')
            yield buffer[:count]
            start += count

    def read(self, start: int, stop: int) -> bytes:
        stop = min(stop, len(self))
        return b''.join(bytes(block) for block in self.blocks(max(start, 0), stop, bool))


def refuse(reason: str) -> io.UnsupportedOperation:
    return io.UnsupportedOperation(f'a file can be split if it can be read from anywhere: {reason}')


def check_file(file: Any) -> None:
    if isinstance(file, io.TextIOBase):
        raise refuse('this is a text file, and not a binary one')
    for module, name in DECOMPRESSING.items():
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(file, kind):
            raise refuse('this one is compressed')
    seekable = getattr(file, 'seekable', None)
    if not hasattr(file, 'read') or seekable is None:
        raise refuse(f'a path or a seekable binary file, not {type(file).__name__!r}')
    if not seekable():
        raise refuse('this one is not seekable')


@contextmanager
def opened(source: Any) -> Iterator[File]:
    """The file of a path, or a file object, whose position stays."""
    if isinstance(source, str) or hasattr(source, '__fspath__'):
        with io.FileIO(os.fspath(source), 'rb') as raw:
            check_file(raw)
            yield File(raw)
        return
    check_file(source)
    file = File(source)
    try:
        yield file
    finally:
        file.rewind()


def check_head(file: File) -> None:
    head = file.read(0, 6)
    for magic, name in COMPRESSED.items():
        if head.startswith(magic):
            raise refuse(f'this one is compressed ({name})')


# ---- the format ----


class Format:
    """What is known without the file: the dialect, the encoding and the limits."""

    def __init__(self, reading: Mapping[str, Any], name: str) -> None:
        for keyword in ('start', 'changed', 'compression', 'member', 'complete'):
            if keyword in reading:
                raise TypeError(f'{name}() got an unexpected keyword argument {keyword!r}')
        for keyword, none in WHOLE.items():
            if reading.get(keyword, none) not in (none, None):
                raise ValueError(
                    f'{name}() finds where records begin by the rules of csv: it does not support '
                    f'{keyword}'
                )
        if reading.get('delimiter', ',') is None:
            raise ValueError(f"{name}() needs the delimiter: it does not read a line 'sep=;'")
        with closing(csv_rows(io.BytesIO(), **reading)) as rows:
            self.dialect: list[Any] = rows.checkpoint()['dialect']
        self.structure = {key: reading[key] for key in STRUCTURE & reading.keys()}
        self.limits = [reading.get('max_field', 131072), reading.get('max_record', 64 << 20)]
        self.limits = [None if limit is None else operator.index(limit) for limit in self.limits]
        self.encoding: str = self.dialect[-1]
        self.bad_bytes = b''
        self.characters = self.dialect[:3]
        if self.encoding not in ('utf-8', 'ascii', 'latin-1'):
            self.read_codec()

    def read_codec(self) -> None:
        """A codec of one byte per character: each special character as a byte."""
        found: dict[int, int] = {}
        for byte in range(256):
            try:
                character = ord(bytes([byte]).decode(self.encoding))
            except UnicodeDecodeError:
                self.bad_bytes += bytes([byte])
                continue
            if character in self.characters and character in found:
                raise refuse(f'{self.encoding} has several bytes for {chr(character)!r}')
            found[character] = byte
        self.characters = [found.get(character, -1) for character in self.characters]

    def scanner(self) -> csv_scanner:
        _, _, _, doublequote, skip_space, strict, _, _ = self.dialect
        known = self.encoding in ('utf-8', 'ascii', 'latin-1')
        delimiter, quote, escape = self.characters
        return csv_scanner(
            delimiter,
            quote,
            escape,
            doublequote,
            skip_space,
            strict,
            self.encoding if known else 'single',
            self.bad_bytes,
        )


# ---- scans ----


def scan(
    format: Format,
    file: File,
    start: int,
    stop: int,
    state: str | None = None,
    stopped: Callable[[], bool] = bool,
) -> tuple[bool, dict[str, dict[str, Any]]]:
    """Whether all bytes are text, and what readers pass, by the state at the start."""
    scanner = format.scanner()
    text = 0  # where it begins: the byte order mark is not read
    if start < 2 * len(MARK) and format.encoding == 'utf-8' and file.read(0, len(MARK)) == MARK:
        text = len(MARK)
    first = min(max(start, text), max(stop, start))
    high = min(stop + 3, len(file))
    head = file.read(max(first - 3, text), first)
    scanner.begin(first, head, state)
    after = b''
    at = first
    for block in file.blocks(first, high, stopped):
        cut = max(stop - at, 0)
        scanner.feed(block[:cut])
        after += bytes(block[cut:])
        at += len(block)
    return scanner.end(after)


def csv_scan(source: Any, start: int, stop: int, **reading: Unpack[Reading]) -> dict[str, Any]:
    """Scan a range of bytes of a CSV file, which may start anywhere.  The result is for
    csv_split().

    >>> import io
    >>> from generators import csv_scan, csv_split
    >>> file = io.BytesIO(b'id,text\\n1,"two\\nlines"\\n2,one\\n')
    >>> scans = [csv_scan(file, 0, 14), csv_scan(file, 14, 28)]
    >>> [(part['offset'], part['end']) for part in csv_split(file, scans=scans)]
    [(0, 22), (22, 28)]

    source is a path or a seekable binary file.  start and stop are offsets in bytes; stop may be
    greater than the size of the file.  The other arguments are those of csv_rows.

    Return a dict that can be stored as JSON.  A reader of the whole file may be in one of several
    states at start.  For each of them, the dict has the state at stop, where the first record
    starts, and the number of lines and records in the range.  Several workers can scan a range
    each; csv_split(source, scans=[...]) then joins the scans without reading the file again.

    io.UnsupportedOperation is raised for a file that can't be read from any offset: a compressed
    file, or one in an encoding other than UTF-8 with several bytes per character.
    """
    start, stop = operator.index(start), operator.index(stop)
    if not 0 <= start <= stop:
        raise ValueError(f'a range must have 0 <= start <= stop, not {start} and {stop}')
    format = Format(reading, 'csv_scan')
    with opened(source) as file:
        stop = min(stop, len(file))
        start = min(start, stop)
        if start == 0:  # a request of its own, for a worker far from the file
            check_head(file)
        text, states = scan(format, file, start, stop)
        identity = identify(file, format)
    return {
        'version': VERSION,
        'start': start,
        'stop': stop,
        'text': text,
        'states': states,
        **identity,
    }


def identify(file: File, format: Format) -> dict[str, Any]:
    """The file and the dialect, as in a checkpoint."""
    file.rewind()
    with closing(csv_rows(file.file, **format.structure)) as rows:
        place = rows.checkpoint()
    file.rewind()
    size = file.size if place['size'] < 0 else place['size']
    return {'dialect': format.dialect, 'base': file.base, 'size': size, 'mtime': place['mtime']}


class Span(NamedTuple):
    """What a reader passes in a range: see split_span in core/split_types.h."""

    end: str
    lines: int
    records: int
    first: int | None
    first_line: int
    last: int | None
    last_line: int
    field_ends: bool
    head_field: int
    longest_field: int
    tail_field: int
    longest_record: int


class Scan(NamedTuple):
    start: int
    stop: int
    text: bool
    states: Mapping[str, Mapping[str, Any]]

    def span(self, state: str) -> Span:
        try:
            span = Span(**self.states[state])
        except (KeyError, TypeError):
            raise ValueError(
                'the scans do not fit together: they are of other files, or the file has changed'
            ) from None
        numbers = [value for name, value in span._asdict().items() if name != 'end']
        if not all(value is None or isinstance(value, int) for value in numbers):
            raise ValueError('this is no scan of csv_scan()')
        return span


def read_scans(
    scans: Iterable[Mapping[str, Any]], identity: Mapping[str, Any], length: int
) -> list[Scan]:
    """Scans as csv_scan() returned them, of consecutive ranges that are the whole file."""
    result = []
    at = 0
    for given in scans:
        try:
            if given['version'] != VERSION:
                raise KeyError('version')
            states: Mapping[str, Any] = given['states']
            one = Scan(int(given['start']), int(given['stop']), bool(given['text']), states)
            known = {key: given[key] for key in identity}
        except (KeyError, TypeError):
            raise ValueError('this is no scan of csv_scan() of this version') from None
        if known['dialect'] != identity['dialect']:
            raise ValueError('a scan is of another dialect or another encoding')
        if known != identity:
            raise ValueError('the file has changed since it was scanned')
        if one.start != at or one.stop < at:
            raise ValueError(f'the next scan must start at {at}, and not at {one.start}')
        at = one.stop
        result.append(one)
    if at != length:
        raise ValueError(f'the scans end at {at}, and the file at {length}')
    return result


# ---- the plan ----


class Place(NamedTuple):
    """Where a record starts, and what comes before it."""

    offset: int
    line: int
    record: int


class Plan:
    """Goes from range to range, and keeps where the first record of each starts.

    Between two ranges it knows either the state (`state`) or only where the next record starts
    (`next`): the latter after a range that was read by csv_rows.
    """

    def __init__(self, format: Format, file: File, start: Mapping[str, Any]) -> None:
        self.format = format
        self.file = file
        self.start = start
        self.state = 'record'
        self.lines = 0
        self.records = 0
        self.open = Place(0, 0, 0)  # the record in progress
        self.field = 0  # at most so long is the field in progress
        self.next: Place | None = None
        self.places: list[Place] = []

    def add(self, one: Scan, again: Callable[[int, int, str], Scan]) -> None:
        """The next range; `again` scans a part of it."""
        if self.next is not None:
            place = self.next
            if place.offset >= one.stop:
                return
            self.next = None
            self.state, self.lines, self.records = 'record', place.line, place.record
            self.open, self.field = place, 0
            one = again(place.offset, one.stop, 'record')
        span = one.span(self.state)
        if self.is_sure(one, span):
            self.follow(span)
        else:
            self.read(one)

    def is_sure(self, one: Scan, span: Span) -> bool:
        """Whether a reader passes the range without a fault of limits or of the encoding."""
        max_field, max_record = self.format.limits
        field = max(span.longest_field, self.field + span.head_field)
        if not span.field_ends:
            field = self.field + span.tail_field
        record = max(
            span.longest_record,
            (one.stop if span.first is None else span.first) - self.open.offset,
            one.stop - (self.open.offset if span.last is None else span.last),
        )
        return (
            one.text
            and (max_field is None or field <= max_field)
            and (max_record is None or record <= max_record)
        )

    def follow(self, span: Span) -> None:
        if span.first is not None:
            records = self.records + (self.state != 'record')
            self.places.append(Place(span.first, self.lines + span.first_line, records))
        if span.last is not None:
            records = self.records + span.records - (span.end == 'record')
            self.open = Place(span.last, self.lines + span.last_line, records)
        self.field = span.tail_field + (0 if span.field_ends else self.field)
        self.lines += span.lines
        self.records += span.records
        self.state = span.end

    def read(self, one: Scan) -> None:
        """Pass the range with csv_rows, from the start of the record in progress."""
        offset, line, record = self.open
        start = {
            **self.start,
            'offset': offset,
            'line': line,
            'record': record,
            'carriage': False,
            'open': False,
        }
        self.file.rewind()
        structure = self.format.structure
        with closing(csv_rows(self.file.file, start=start, on_error='skip', **structure)) as rows:
            for until in (one.start, one.stop):
                place = rows._pass_to(until)
                at = Place(place['offset'], place['line'], place['record'])
                if until == one.start and at.offset < one.stop:
                    self.places.append(at)
        self.next = at


def first_width(format: Format, file: File) -> int:
    """The number of fields of the first record that has any."""
    import csv

    file.rewind()
    structure = dict(format.structure)
    if format.dialect[6] != csv.QUOTE_NONE:
        structure['quoting'] = csv.QUOTE_MINIMAL  # fields that are no numbers do not matter here
    with closing(csv_rows(file.file, into=tuple, on_error='skip', **structure)) as rows:
        return next((len(row) for row in rows if row), 0)


def first_checkpoint(file: File, format: Format, reading: Mapping[str, Any]) -> dict[str, Any]:
    """The place behind the header, with what every part needs to know."""
    file.rewind()
    with closing(csv_rows(file.file, **reading)) as rows:
        start = rows.checkpoint()
    if start['header'] is None and len(file) > 0:
        start['width'] = first_width(format, file)
    return start


def cut(
    start: dict[str, Any],
    places: Iterable[Place],
    identity: Mapping[str, Any],
    limits: list[int | None],
    end: int,
) -> list[dict[str, Any]]:
    """The parts that start behind the header and at each place behind that."""
    first = Place(start['offset'], start['line'], start['record'])
    kept = [first]
    for place in places:
        if place.record > kept[-1].record:
            kept.append(place)
    ends = [place.offset for place in kept[1:]] + [end]
    parts = []
    for i, (place, stop) in enumerate(zip(kept, ends, strict=True)):
        part = {**start, **identity, **place._asdict(), 'end': stop, 'limits': limits}
        part['carriage'] = start['carriage'] and i == 0
        part['check'] = csv_scanner.check(part)
        parts.append(part)
    return parts


def scanned(
    format: Format, file: File, cuts: Sequence[tuple[int, int]], threads: int
) -> Generator[Scan, None, None]:
    """Scans of all ranges, in order, made by threads."""
    from concurrent.futures import ThreadPoolExecutor

    over = threading.Event()

    def one(cut: tuple[int, int]) -> Scan:
        start, stop = cut
        return Scan(start, stop, *scan(format, file, start, stop, None, over.is_set))

    with ThreadPoolExecutor(threads) as pool:
        try:
            yield from pool.map(one, cuts)
        finally:
            over.set()


def cores() -> int:
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def positive(value: Any, name: str) -> int:
    number = operator.index(value)
    if number < 1:
        raise ValueError(f'{name} must be positive, not {number}')
    return number


def ranges(length: int, parts: int | None, size: int | None) -> list[tuple[int, int]]:
    if size is None:
        size = SIZE if parts is None else -(-length // parts)
    size = max(size, 1)
    return [(start, min(start + size, length)) for start in range(0, length, size)]


def csv_split(
    source: Any,
    *,
    parts: int | None = None,
    size: int | None = None,
    threads: int | None = None,
    scans: Iterable[Mapping[str, Any]] | None = None,
    **reading: Unpack[Reading],
) -> list[dict[str, Any]]:
    """Split a CSV file into parts that can be read separately, for example by several workers.
    Return a list of parts.

    >>> import io
    >>> from generators import csv_rows, csv_split
    >>> file = io.BytesIO(b'id,text\\n1,"two\\nlines"\\n2,one\\n')
    >>> for part in csv_split(file, parts=2, into=dict):
    ...     print(list(csv_rows(file, start=part, into=dict)))
    [{'id': '1', 'text': 'two\\nlines'}]
    [{'id': '2', 'text': 'one'}]

    source is a path or a seekable binary file.  A part is a dict that can be stored as JSON and
    pickled.  csv_rows(source, start=part), or csv_batches, reads the records that begin in the
    part.  Together, the parts yield exactly what the whole file yields: rows, line numbers, record
    numbers and positions of errors.  Each part contains the header.  checkpoint() of a
    reader of a part is a checkpoint of the whole file.

    parts is the number of parts, or size the number of bytes of a part, 64 MiB by default.  A part
        starts with the first record at or after its offset.  There are fewer parts if there are
        fewer records, and always at least one.
    threads is the number of threads that scan the file; the default is the number of cores.
    scans are results of csv_scan() for consecutive ranges of the whole file, given in place of
        parts and size.  There is a part for each range.  The file is not read again, except for
        its header and for ranges in which a record may be too long, or may not be valid text.
    The other arguments are those with which csv_rows will read the parts.

    The file is read once, and no rows are made.  CSVError is raised for a header that can't be
    read, ValueError for scans that do not belong together, and io.UnsupportedOperation for a file
    that can't be read from any offset: a compressed file, or one in an encoding other than UTF-8
    with several bytes per character.
    """
    if parts is not None and size is not None:
        raise ValueError('parts and size exclude each other')
    if scans is not None and (parts is not None or size is not None):
        raise ValueError('parts and size can not be given with scans, each of which is a part')
    parts = None if parts is None else positive(parts, 'parts')
    size = None if size is None else positive(size, 'size')
    count = cores() if threads is None else positive(threads, 'threads')
    format = Format(reading, 'csv_split')
    with opened(source) as file:
        check_head(file)
        identity = identify(file, format)
        start = first_checkpoint(file, format, reading)
        plan = Plan(format, file, start)

        def again(first: int, stop: int, state: str) -> Scan:
            return Scan(first, stop, *scan(format, file, first, stop, state))

        if scans is not None:
            for one in read_scans(scans, identity, len(file)):
                plan.add(one, again)
        else:
            cuts = ranges(len(file), parts, size)
            count = min(count, len(cuts))
            if count > 1:
                with closing(scanned(format, file, cuts, count)) as made:
                    for one in made:
                        plan.add(one, again)
            else:
                for first, stop in cuts:
                    if plan.next is None:
                        plan.add(again(first, stop, plan.state), again)
                    else:
                        plan.add(Scan(first, stop, True, {}), again)
        if identify(file, format) != identity:
            raise ValueError('the file changed while it was read')
        return cut(start, plan.places, identity, format.limits, len(file))

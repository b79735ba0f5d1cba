"""How a file is to be read: ``csv_sniff``.

A sample is read from the front of the source and decoded.  `csv_sniffed` of the extension tries
candidate dialects on it.  What it counted is put together here: the parameters, how sure each of
them is, and the next best.
"""

from __future__ import annotations

import codecs
import io
import math
import operator
from collections.abc import AsyncIterable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from native_generators._native import csv_rows, csv_sniffed
from native_generators._packed import packed

SAMPLE = 1 << 20
LONGEST = 1 << 30  # of a sample
QUOTE_NONE = 3  # of csv, which is not imported for it
BLOCK = 1 << 16
LOOKED_AT = 1 << 14  # characters, for how likely an encoding is
FALLBACKS = ('cp1252', 'latin-1')
DELIMITERS = ',;\t|'  # of which one is reported for a single column
BITS = 0.017  # a delimiter that needs so much less to describe the text is twice as sure

MARKS = (
    (codecs.BOM_UTF8, 'utf-8'),
    (codecs.BOM_UTF32_LE, 'utf-32'),
    (codecs.BOM_UTF32_BE, 'utf-32'),
    (codecs.BOM_UTF16_LE, 'utf-16'),
    (codecs.BOM_UTF16_BE, 'utf-16'),
)
DEFAULTS: dict[str, Any] = {
    'encoding': 'utf-8',
    'delimiter': ',',
    'quotechar': '"',
    'escapechar': None,
    'doublequote': True,
    'skipinitialspace': False,
    'skip': None,
    'comment': None,
}


class CSVFormat(Mapping[str, Any]):
    """The parameters with which to read a CSV file, as csv_sniff() found them.

    It is a mapping of `header` and of those parameters of csv_rows() that differ from the default,
    so that ``csv_rows(path, **csv_sniff(path))`` reads the file.  All parameters are also
    attributes.

    >>> format = csv_sniff(b'id;name\\r\\n1;Ada\\r\\n2;Grace\\r\\n')
    >>> dict(format)
    {'delimiter': ';', 'header': True}
    >>> format.quotechar, format.encoding
    ('"', 'utf-8')

    `sure` is a mapping of each parameter to its confidence, from 0 to 1; 0.5 means that nothing in
    the sample decides, and the value is assumed.  `next_best` is a mapping of each parameter to the
    value that is the next most likely, or None.
    """

    __slots__ = (
        '_parameters',
        'comment',
        'delimiter',
        'doublequote',
        'encoding',
        'escapechar',
        'header',
        'next_best',
        'quotechar',
        'skip',
        'skipinitialspace',
        'sure',
    )

    encoding: str | None
    delimiter: str
    quotechar: str | None
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    skip: int
    comment: str | None
    header: bool
    _parameters: dict[str, Any]
    sure: Mapping[str, float]
    next_best: Mapping[str, Any]

    def __init__(
        self, found: Mapping[str, Any], sure: Mapping[str, float], next_best: Mapping[str, Any]
    ) -> None:
        for name, value in found.items():
            object.__setattr__(self, name, value)
        object.__setattr__(self, 'sure', sure)
        object.__setattr__(self, 'next_best', next_best)
        parameters = {
            name: found[name]
            for name, default in DEFAULTS.items()
            if found[name] != default and not (name in ('encoding', 'skip') and not found[name])
        }
        if sure['delimiter'] <= 0.5:
            parameters['delimiter'] = found['delimiter']  # said, of a single column
        if found['quotechar'] is None:
            parameters['quoting'] = QUOTE_NONE
        parameters['header'] = found['header']
        object.__setattr__(self, '_parameters', parameters)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f'{name!r} of a CSVFormat cannot be set')

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f'{name!r} of a CSVFormat cannot be deleted')

    def __getitem__(self, name: str) -> Any:
        return self._parameters[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        found = {name: getattr(self, name) for name in (*DEFAULTS, 'header')}
        return CSVFormat, (found, dict(self.sure), dict(self.next_best))

    def __repr__(self) -> str:
        shown = ', '.join(f'{name}={getattr(self, name)!r}' for name in (*DEFAULTS, 'header'))
        return f'CSVFormat({shown})'


# ---- samples ----


class Sample(NamedTuple):
    """The front of a source: bytes or text.  `whole`: it is all of it."""

    data: bytes | str
    whole: bool


def refuse_lost(what: str) -> io.UnsupportedOperation:
    return io.UnsupportedOperation(
        f'csv_sniff() cannot give back what it reads from {what}: pass a list of its first '
        'pieces, and read on from itertools.chain(pieces, source)'
    )


def read_pieces(read: Any, size: int) -> Iterator[Any]:
    """What a file has: up to `size` bytes or characters at first, and then more if asked for."""
    while True:
        data = read(min(size, BLOCK))
        if data is None:
            raise BlockingIOError('read() returned None: no data is available')
        if not isinstance(data, str):
            data = bytes(memoryview(data))
        if not data:
            return
        size = size - len(data) if size > len(data) else BLOCK
        yield data


def front(pieces: Iterator[Any], size: int) -> Sample:
    """The first `size` of it.  Whether there is more, one more tells."""
    held: list[Any] = []
    length = 0
    while length <= size and (piece := next(pieces, None)) is not None:
        if held and type(held[0]) is not type(piece):
            kind = type(held[0]).__name__
            raise TypeError(f'the source gave {kind} first, and then {type(piece).__name__}')
        held.append(piece)
        length += len(piece)
    if not held or isinstance(held[0], str):
        text = ''.join(held)
        return Sample(text[:size], length <= size) if held else Sample(b'', True)
    data = b''.join(held)
    compression = packed(data)
    if compression is not None:
        data = unpacked(compression, data, pieces, size + 1)
    return Sample(data[:size], len(data) <= size)


def unpacked(kind: str, data: bytes, pieces: Iterator[Any], size: int) -> bytes:
    """Decompress `size` bytes of a source, or what there is."""
    from native_generators._unpack import Damaged, push

    unpacker = push(kind, None)
    unpacker.push(data)
    out: list[bytes] = []
    length = 0
    try:
        while length < size:
            piece = unpacker.next()
            if piece is not None:
                out.append(piece)
                length += len(piece)
                continue
            more = next(pieces, None)
            if more is None:
                break
            unpacker.push(more)
    except Damaged:
        if not out:
            list(csv_rows(data))  # raises what a reader raises
            raise
    return b''.join(out)


@contextmanager
def kept_position(file: Any) -> Iterator[None]:
    """Seek back to where the file is now."""
    seekable = getattr(file, 'seekable', None)
    if seekable is None or not seekable():
        raise refuse_lost(f'a {type(file).__name__} that is not seekable')
    position = file.tell()
    try:
        yield
    finally:
        file.seek(position)


def item_pieces(items: Iterator[Any]) -> Iterator[Any]:
    """The items of an iterable, with the line ends of lines that have none."""
    for index, item in enumerate(items):
        if isinstance(item, str):
            yield item if item.endswith(('\n', '\r')) else item + '\n'
            continue
        try:
            data = bytes(memoryview(item))
        except TypeError:
            raise TypeError(
                f'item {index} of the source must be str or bytes, not {type(item).__name__!r}'
            ) from None
        yield data


def iterable_sample(source: Any, size: int) -> Sample:
    if isinstance(source, AsyncIterable):
        raise TypeError(
            f"csv_sniff() reads no async source, as '{type(source).__name__}' is: pass a list of "
            'its first pieces'
        )
    if isinstance(source, (set, frozenset, Mapping)):
        raise TypeError(f"source must not be a '{type(source).__name__}': pass a list")
    items = iter(source)
    if items is source:
        raise refuse_lost(f"an iterator, as '{type(source).__name__}' is")
    csv_rows(source).close()  # refuses what is no source
    try:
        return front(item_pieces(items), size)
    finally:
        if isinstance(items, Generator):
            items.close()


def take_sample(source: Any, size: int) -> Sample:
    """The front of anything that csv_rows() takes."""
    if isinstance(source, str) or hasattr(source, '__fspath__'):
        try:
            file = open(source, 'rb', buffering=0)
        except (OSError, ValueError):
            csv_rows(source).close()  # says what to pass instead
            raise
        with file:
            return front(read_pieces(file.read, size + 1), size)
    try:
        view = memoryview(source)
    except TypeError:
        pass
    else:
        with view, memoryview(view if view.c_contiguous else bytes(view)).cast('B') as plain:
            starts = range(0, len(plain), size + 1)
            return front((bytes(plain[at : at + size + 1]) for at in starts), size)
    if hasattr(source, 'read'):
        with kept_position(source):
            return front(read_pieces(source.read, size + 1), size)
    if not hasattr(source, '__iter__') and not isinstance(source, AsyncIterable):
        csv_rows(source).close()  # a sequence by its __getitem__, or a TypeError
    return iterable_sample(source, size)


# ---- encodings ----


class Decoded(NamedTuple):
    encoding: str | None
    text: str
    sure: float
    next_best: str | None


def decode(data: bytes, encoding: str, whole: bool) -> str | None:
    """The text, or None if the bytes are none of this encoding."""
    try:
        return codecs.getincrementaldecoder(encoding)().decode(data, whole)
    except UnicodeError:
        return None


def wide_encoding(data: bytes) -> str | None:
    """UTF-16 and UTF-32 without a mark, told by the zeros of common characters."""
    front = data[: 4096 - 4096 % 4]
    front = front[: len(front) - len(front) % 4]
    zeros = [front[at::4].count(0) * 4 for at in range(4)]
    most, few = len(front) * 0.7, len(front) * 0.1
    if not front:
        return None
    full = [count >= most for count in zeros]
    none = [count <= few for count in zeros]
    if full[1] and full[2] and full[3] and none[0]:
        return 'utf-32-le'
    if full[0] and full[1] and full[2] and none[3]:
        return 'utf-32-be'
    if full[1] and full[3] and none[0] and none[2]:
        return 'utf-16-le'
    if full[0] and full[2] and none[1] and none[3]:
        return 'utf-16-be'
    return None


def likely(text: str) -> float:
    """How likely it is that the characters that are not ASCII are text, from 0 to 1."""
    high = [c for c in text[:LOOKED_AT] if c > '\x7f']
    if not high:
        return 1.0
    letters = sum(c.isalpha() for c in high)
    controls = sum('\x80' <= c <= '\x9f' or c == '\ufffd' for c in high)
    return max(0.0, (letters + (len(high) - letters) * 0.5 - controls) / len(high))


def find_encoding(data: bytes, whole: bool, encodings: Sequence[str]) -> Decoded:
    for mark, name in MARKS:
        if data.startswith(mark):
            text = decode(data, 'utf-8-sig' if name == 'utf-8' else name, whole)
            if text is not None:
                return Decoded(name, text, 1.0, None)
    wide = wide_encoding(data)
    text = decode(data, wide, whole) if wide is not None else None
    if wide is not None and text is not None:
        return Decoded(wide, text, 0.95, 'utf-8')
    others = list(dict.fromkeys((*encodings, *FALLBACKS)))
    text = decode(data, 'utf-8', whole)
    if text is not None:
        # Plain ASCII is UTF-8, until a character comes that may be either.
        sure = 0.75 if data.isascii() else 0.99
        return Decoded('utf-8', text, sure if b'\0' not in data else sure / 2, others[0])
    for at, name in enumerate(others):
        text = decode(data, name, whole)
        if text is not None:
            base = 0.7 if name in encodings else 0.5
            below = others[at + 1] if at + 1 < len(others) else None
            sure = base * likely(text) * (1 if b'\0' not in data else 0.5)
            return Decoded(name, text, round(sure, 3), below)
    raise AssertionError('Latin-1 takes every byte')


# ---- how sure ----


def doubling(evidence: float) -> float:
    """0.5 without evidence, and nearer to 1 by half with each unit of it."""
    return round(1 - 0.5 * math.exp2(-min(evidence, 30)), 4)


def rival(candidates: Sequence[Mapping[str, Any]], name: str) -> Mapping[str, Any] | None:
    """The best candidate that differs in this from the best of all."""
    best = candidates[0][name]
    return next((c for c in candidates[1:] if c[name] != best), None)


def margin(best: Mapping[str, Any], other: Mapping[str, Any] | None) -> float:
    """How much longer the description by another candidate is, as a share."""
    bits: tuple[float, float] = (best['bits'], (other or best)['bits'])
    return 1.0 if other is None else (bits[1] - bits[0]) / max(bits[1], 1.0)


def judge(found: Mapping[str, Any], text: str) -> tuple[dict[str, Any], dict[str, float], Any]:
    """The parameters that a text tells of, how sure they are, and the next best."""
    candidates = found['candidates']
    best = candidates[0]
    values = {
        'delimiter': best['delimiter'] or spare_delimiter(text),
        'quotechar': best['quotechar'],
        'escapechar': best['escapechar'],
        'doublequote': True,
        'skipinitialspace': best['skipinitialspace'],
        'skip': found['skip'],
        'comment': found['comment'],
        'header': found['header'] > 0,
    }
    others = {name: rival(candidates, name) for name in ('delimiter', 'quotechar', 'escapechar')}
    blanks = rival(candidates, 'skipinitialspace')
    splits = best['cells'] - best['records']
    bad = best['damaged']
    sure = {
        'delimiter': 1.0
        if found['declared']
        else doubling(margin(best, others['delimiter']) / BITS if splits else 0.0),
        'quotechar': doubling(max(best['quoted'] - bad, 0))
        if best['quotechar']
        else doubling(margin(best, others['quotechar']) / BITS),
        'escapechar': doubling(best['escaped'])
        if best['escapechar']
        else doubling(margin(best, others['escapechar']) / BITS if others['escapechar'] else 0.0),
        'doublequote': doubling(best['doubled']),
        'skipinitialspace': doubling(margin(best, blanks) / BITS if blanks else splits / 8),
        'skip': doubling(found['records'] / (2 if not found['titles'] else 4)),
        'comment': doubling(found['comments'] if found['comment'] else found['records'] / 16),
        'header': doubling(abs(found['header']) / 2),
    }
    second: dict[str, Any] = {
        name: other[name] if other else None for name, other in others.items()
    }
    second['doublequote'] = False
    second['skipinitialspace'] = not best['skipinitialspace']
    second['skip'] = 0 if found['skip'] else None
    second['comment'] = None
    second['header'] = not values['header']
    return values, sure, second


def spare_delimiter(text: str) -> str:
    """One that a text of a single column does not hold."""
    return next((c for c in DELIMITERS if c not in text), ',')


# ---- the function ----


def check_encodings(encodings: Iterable[str] | None) -> tuple[str, ...]:
    if encodings is None:
        return ()
    if isinstance(encodings, str):
        raise TypeError("encodings must be several, as in ('utf-8', 'cp1251'), not a str")
    names = tuple(encodings)
    for name in names:
        b' '.decode(name, 'replace')  # LookupError if it is none
    return names


def csv_sniff(
    source: Any, *, sample: int = SAMPLE, encodings: Iterable[str] | None = None
) -> CSVFormat:
    """Find the parameters with which to read a CSV file, from a sample of its beginning.  Return a
    CSVFormat.

    >>> for row in csv_rows(path, **csv_sniff(path)): ...

    `source` is as for csv_rows(), if it can be read again afterwards.  A file object must be
    seekable, and its position is kept.  For an iterator or an async source, pass a list of its
    first pieces.  io.UnsupportedOperation is raised for other sources.

    `sample` is the number of bytes, or characters of text, to examine.  A record that is incomplete
    at the end of the sample is ignored.  `encodings` are tried in this order for bytes that are not
    UTF-8, UTF-16 or UTF-32, and after them Windows-1252 and Latin-1.

    The sample is parsed with several dialects, as csv_rows() does it, and the dialect is chosen
    that describes it best: rows with the same number of fields, columns of one type, no text left
    over.  The result is that nothing is quoted only if the sample has quotes, at places where they
    do not end a field.
    """
    size = operator.index(sample)
    if size < 1:
        raise ValueError('sample must be at least 1')
    names = check_encodings(encodings)
    front = take_sample(source, min(size, LONGEST))
    if isinstance(front.data, str):
        decoded = Decoded(None, front.data.removeprefix('\ufeff'), 1.0, None)
    else:
        decoded = find_encoding(front.data, front.whole, names)
        check_text(front.data, decoded.encoding or '')
    values, sure, second = judge(csv_sniffed(decoded.text, front.whole), decoded.text)
    return CSVFormat(
        {'encoding': decoded.encoding, **values},
        {'encoding': decoded.sure, **sure},
        {'encoding': decoded.next_best, **second},
    )


def check_text(data: bytes, encoding: str) -> None:
    """Raise what a reader raises of a document that is no text."""
    head = data[:64].removeprefix(codecs.BOM_UTF8)
    encoding = encoding if encoding.startswith(('utf-16', 'utf-32')) else 'latin-1'
    reader: Any = csv_rows
    for _ in reader(head, encoding=encoding, errors='replace', compression=None):
        return

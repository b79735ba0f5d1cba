"""Lines and JSON lines against what is written by hand and against client libraries.

    python benchmarks/text.py [--items 200000] [--rounds 5] [--only WORD ...] [--cpu] [--list]

All read the same chunks in one process.  A ratio is the peer's median over ours: more is better.
`MISSED` marks a figure that does not reach its bar.
"""

from __future__ import annotations

import asyncio
import codecs
import io
import random
import sys
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from measure import Row, Suite, Work, at_most, compared, consume, loop, medians, package, seconds

from generators import ajsonl_rows, alines, jsonl_encode, jsonl_rows, lines

SIZES = (65536, 1400)
LINE = 55  # bytes, with the line end

suite = Suite(__doc__, items=200_000)
options = suite.options


# ---- data ----


def plain_text() -> bytes:
    rand = random.Random(1)
    made = [
        b'%d %s' % (rand.randrange(10**6), b'x' * rand.randrange(10, 2 * LINE - 26))
        for _ in range(10_000)
    ]
    body = b'\n'.join(made) + b'\n'
    return body * (options.items // 10_000)


def json_text() -> bytes:
    rand = random.Random(2)
    made = [
        b'{"id":%d,"name":"name %d","price":%d.5}\n'
        % (rand.randrange(10**6), rand.randrange(10**6), rand.randrange(100))
        for i in range(10_000)
    ]
    return b''.join(made) * (options.items // 10_000)


def cut(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


# ---- the generators that people write ----


def by_hand(chunks: Iterable[bytes]) -> Iterator[bytes]:
    buf = b''
    for chunk in chunks:
        buf += chunk
        *done, buf = buf.split(b'\n')
        yield from done
    if buf:
        yield buf


def text_by_hand(chunks: Iterable[bytes]) -> Iterator[str]:
    decode = codecs.getincrementaldecoder('utf-8')().decode
    buf = ''
    for chunk in chunks:
        buf += decode(chunk)
        *done, buf = buf.split('\n')
        yield from done
    if buf:
        yield buf


def by_requests(data: bytes, size: int) -> Iterator[bytes]:
    response = package('requests').Response()
    response.raw = io.BytesIO(data)
    yield from response.iter_lines(chunk_size=size)


def by_httpx(chunks: Iterable[bytes]) -> Iterator[str]:
    response = package('httpx').Response(200, content=iter(chunks))
    yield from response.iter_lines()


def against(
    work: str, ours: Work, peers: dict[str, tuple[Callable[[], Iterable[object]], float | None]]
) -> Iterator[Row]:
    """One round runs all of them."""
    works: list[Work] = [ours]
    works += [lambda peer=peer: consume(peer()) for peer, _ in peers.values()]
    mine, *theirs = medians(works, options.rounds)
    for (name, (_, bar)), theirs_median in zip(peers.items(), theirs, strict=True):
        yield compared(work, name, theirs_median, mine, bar)


# ---- lines ----


@suite.measurement
def bytes_lines() -> Iterator[Row]:
    data = plain_text()
    for size, httpx_bar in zip(SIZES, (2.5, 4), strict=True):
        chunks = cut(data, size)
        yield from against(
            f'lines, chunks of {size}',
            lambda chunks=chunks: consume(lines(chunks)),
            {
                'by hand': (lambda chunks=chunks: by_hand(chunks), 2),
                'httpx': (lambda chunks=chunks: by_httpx(chunks), httpx_bar),
                'requests': (lambda size=size: by_requests(data, size), None),
                'for line in BytesIO': (lambda: io.BytesIO(data), None),
            },
        )


@suite.measurement
def text_lines() -> Iterator[Row]:
    data = plain_text()
    for size in SIZES:
        chunks = cut(data, size)
        yield from against(
            f"lines, encoding='utf-8', chunks of {size}",
            lambda chunks=chunks: consume(lines(chunks, encoding='utf-8')),
            {
                'by hand': (lambda chunks=chunks: text_by_hand(chunks), None),
                'by hand, .decode() of each': (
                    lambda chunks=chunks: map(bytes.decode, by_hand(chunks)),
                    2,
                ),
                'httpx': (lambda chunks=chunks: by_httpx(chunks), None),
                'for line in TextIOWrapper': (
                    lambda: io.TextIOWrapper(io.BytesIO(data), 'utf-8'),
                    None,
                ),
            },
        )


@suite.measurement
def a_long_line() -> Iterator[Row]:
    """A line of 10 MB and one of 1.25 MB, in chunks of 1 KiB: the same time for each byte."""

    def read(count: int) -> float:
        chunks = [b'x' * 1024] * count
        return min(seconds(lambda: consume(lines(chunks))) for _ in range(options.rounds)) / count

    short, long = read(1250), read(10_000)
    yield Row(
        'lines, one of 10 MB in chunks of 1 KiB',
        'one of 1.25 MB, each byte',
        f'{short / 1024 * 1e9:.3f} ns',
        f'{long / 1024 * 1e9:.3f} ns',
        f'{short / long:.2f}',
        at_most(2.5, long / short, 'times'),
    )


# ---- JSON lines ----


@suite.measurement
def json_rows() -> Iterator[Row]:
    loads = package('orjson').loads
    jsonlines = package('jsonlines')
    data = json_text()
    for size in SIZES:
        chunks = cut(data, size)
        yield from against(
            f'jsonl_rows(loads=orjson.loads), chunks of {size}',
            lambda chunks=chunks: consume(jsonl_rows(chunks, loads=loads)),
            {
                'orjson.loads over BytesIO': (lambda: map(loads, io.BytesIO(data)), 1 / 1.1),
                'jsonlines': (lambda: jsonlines.Reader(io.BytesIO(data), loads=loads), 2),
                'by hand': (lambda chunks=chunks: map(loads, by_hand(chunks)), None),
            },
        )


@suite.measurement
def json_encoding() -> Iterator[Row]:
    orjson = package('orjson')
    jsonlines = package('jsonlines')
    rows = [orjson.loads(line) for line in io.BytesIO(json_text())]

    def encoded_by_hand() -> Iterator[bytes]:
        buf = bytearray()
        for row in rows:
            buf += orjson.dumps(row)
            buf += b'\n'
            if len(buf) >= 65536:
                yield bytes(buf)
                buf.clear()
        if buf:
            yield bytes(buf)

    def by_jsonlines() -> Iterator[bytes]:
        file = io.BytesIO()
        with jsonlines.Writer(file, dumps=orjson.dumps) as writer:
            writer.write_all(rows)
        yield file.getvalue()

    yield from against(
        'jsonl_encode(dumps=orjson.dumps)',
        lambda: consume(jsonl_encode(rows, dumps=orjson.dumps)),
        {'by hand': (encoded_by_hand, None), 'jsonlines': (by_jsonlines, None)},
    )


# ---- async faces ----


async def ready(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def aby_hand(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    buf = b''
    async for chunk in ready(chunks):
        buf += chunk
        *done, buf = buf.split(b'\n')
        for line in done:
            yield line
    if buf:
        yield buf


async def aloop(items: Any) -> None:
    async for _ in items:
        pass


@suite.measurement
def async_faces() -> Iterator[Row]:
    chunks = cut(plain_text(), SIZES[0])
    values = cut(json_text(), SIZES[0])
    loads = package('orjson').loads

    def row(name: str, twin: str, sync: Work, face: Callable[[], Any]) -> Row:
        theirs, ours = medians([sync, lambda: asyncio.run(aloop(face()))], options.rounds)
        return compared(name, twin, theirs, ours, 1 / 1.3)

    yield row('alines', 'lines', lambda: loop(lines(chunks)), lambda: alines(ready(chunks)))
    by_hand, ours = medians(
        [
            lambda: asyncio.run(aloop(aby_hand(chunks))),
            lambda: asyncio.run(aloop(alines(ready(chunks)))),
        ],
        options.rounds,
    )
    yield compared('alines', 'by hand', by_hand, ours, 2)
    yield row(
        'ajsonl_rows(loads=orjson.loads)',
        'jsonl_rows',
        lambda: loop(jsonl_rows(values, loads=loads)),
        lambda: ajsonl_rows(ready(values), loads=loads),
    )


if __name__ == '__main__':
    sys.exit(suite.main())

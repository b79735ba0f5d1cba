"""What http_export.py asks of its servers: the same rows, handed over in each way.

`/list`, `/generator`, `/one` and `/precut` send a million rows of 50 bytes, `/made` rows that are
made when they are asked for, `?rows=` of them.  `/usage` tells the CPU seconds and the peak of
memory since it was asked last.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable
from functools import cache
from typing import Any

from generators import chunked

ROWS = 1_000_000
SIZE = 65536


def row(n: int) -> bytes:
    return b'%010d,station %03d,%+08.3f,2026-11-21T%02d:%02d\r\n' % (
        n,
        n * 7919 % 1000,
        n * 104729 % 80000 / 1000 - 40,
        n // 60 % 24,
        n % 60,
    )


@cache
def rows() -> list[bytes]:
    return [row(n) for n in range(ROWS)]


@cache
def precut() -> list[bytes]:
    whole = b''.join(rows())
    return [whole[at : at + SIZE] for at in range(0, len(whole), SIZE)]


def body(path: str, count: int) -> Iterable[bytes]:
    if path == '/list':
        return chunked(rows())
    if path == '/generator':
        return chunked(item for item in rows())
    if path == '/one':
        return (item for item in rows()[:count])
    if path == '/precut':
        return iter(precut())
    if path == '/made':
        return chunked(b'%048d\r\n' % n for n in range(count))
    return iter([usage()])


async def precut_without_threads() -> AsyncIterator[bytes]:
    for chunk in precut():
        yield chunk


def usage() -> bytes:
    with open('/proc/self/status') as f:
        peak = next(line.split()[1] for line in f if line.startswith('VmHWM'))
    with open('/proc/self/clear_refs', 'w') as f:
        f.write('5')
    return f'{time.process_time()} {peak}'.encode()


def make_flask() -> Any:
    from flask import Flask, Response, request
    from flask_compress import Compress

    app = Flask('export')
    app.config['COMPRESS_MIMETYPES'] = ['text/csv']
    app.config['COMPRESS_ALGORITHM_STREAMING'] = ['gzip']
    Compress(app)

    @app.get('/<path>')
    def export(path: str) -> Response:
        count = int(request.args.get('rows', ROWS))
        return Response(body(request.path, count), mimetype='text/csv')

    return app


def make_starlette() -> Any:
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.gzip import GZipMiddleware
    from starlette.requests import Request
    from starlette.responses import StreamingResponse
    from starlette.routing import Route

    def export(request: Request) -> StreamingResponse:
        count = int(request.query_params.get('rows', ROWS))
        content: Any = body(request.url.path, count)
        if request.url.path == '/async':
            content = precut_without_threads()
        return StreamingResponse(content, media_type='text/csv')

    return Starlette(
        routes=[Route('/{path}', export)], middleware=[Middleware(GZipMiddleware, compresslevel=6)]
    )

"""Orders as JSON lines, in and out, of any number in constant memory: a service and its client.

    cd examples
    ORDERS=orders.db uvicorn ndjson_service:app

    python ndjson_service.py put orders.jsonl
    python ndjson_service.py get Zoë > orders.jsonl
    curl -T orders.jsonl http://127.0.0.1:8000/orders
    curl http://127.0.0.1:8000/orders

An order is `{"id": 1, "customer": "Zoë", "quantity": 2, "price": 999}`.  A line that is no order is
told in the answer, a line of JSON each, and left out; the answer's last line tells how many are
stored.  They are stored when all have come, or none is.
"""

import json
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import httpx
from aiosqlite import Connection, Cursor, Row, connect
from anyio import CancelScope
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import ClientDisconnect

from generators import DataError, abatched, ajsonl_encode, ajsonl_rows, jsonl_encode, jsonl_rows

DATABASE = os.environ.get('ORDERS', 'orders.db')
NDJSON = 'application/x-ndjson'
MAX_LINE = 1 << 20  # bytes
MAX_ERRORS = 100  # that are told; an upload with more is refused
Closes = TypeVar('Closes', Connection, Cursor)

# ---- the service ----


class Order(BaseModel):
    id: int = Field(ge=1, lt=2**63)
    customer: str
    quantity: int = Field(ge=1, lt=2**31)
    price: int = Field(ge=0, lt=2**31)  # cents


@asynccontextmanager
async def closed_after(resource: Closes) -> AsyncIterator[Closes]:
    try:
        yield resource
    finally:
        # Starlette's anyio would cancel this as well, where the client has left.
        with CancelScope(shield=True):
            await resource.close()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with closed_after(await connect(DATABASE)) as database:
        await database.execute('pragma journal_mode = wal')  # to be read while it is written
        await database.execute(
            'create table if not exists orders'
            ' (id integer primary key, customer text, quantity integer, price integer)'
        )
    yield


app = FastAPI(lifespan=lifespan)


class Errors:
    """The lines that are no orders."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def __call__(self, error: DataError, line: bytes) -> None:
        if len(self.lines) == MAX_ERRORS:
            raise error
        self.lines.append(described(error))


def described(error: DataError) -> dict[str, Any]:
    reason = str(error)
    if isinstance(error.__cause__, ValidationError):
        reason = '; '.join(
            ': '.join([*map(str, e['loc']), e['msg']]) for e in error.__cause__.errors()
        )
    return {'line': error.line, 'error': reason}


async def answer(lines: Iterable[Any]) -> AsyncGenerator[Any, None]:
    for line in lines:
        yield line


@app.put('/orders')
async def upload(request: Request) -> Response:
    errors = Errors()
    orders = ajsonl_rows(
        request.stream(), loads=Order.model_validate_json, on_error=errors, max_line=MAX_LINE
    )
    count = 0
    # What is not committed is taken back when the connection closes.
    async with closed_after(await connect(DATABASE)) as database:
        try:
            async for batch in abatched(orders, 500):
                await database.executemany(
                    'insert or replace into orders values (:id, :customer, :quantity, :price)',
                    [order.model_dump() for order in batch],
                )
                count += len(batch)
        except DataError as error:
            refused = answer([*errors.lines, described(error), {'stored': 0}])
            return StreamingResponse(ajsonl_encode(refused), 400, media_type=NDJSON)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        await database.commit()
    told = ajsonl_encode(answer([*errors.lines, {'stored': count}]))
    return StreamingResponse(told, media_type=NDJSON)


async def stored(customer: str | None) -> AsyncGenerator[Row, None]:
    async with closed_after(await connect(DATABASE)) as database:
        database.row_factory = Row  # its rows have names, and become objects
        query = 'select * from orders where ?1 is null or customer = ?1 order by id'
        # A connection of sqlite stays open, although closed, as long as a cursor of it does.
        async with closed_after(await database.execute(query, [customer])) as cursor:
            async for row in cursor:
                yield row


@app.get('/orders')
async def download(customer: str | None = None) -> StreamingResponse:
    chunks = ajsonl_encode(stored(customer), close_with_task=True)
    await chunks.aprime()  # a query that fails is a 500, and no answer that breaks off
    return StreamingResponse(chunks, media_type=NDJSON)


# ---- the client ----


def put(url: str, orders: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """What the service says of the orders, which are sent as they are made."""
    headers = {'Content-Type': NDJSON}
    with httpx.stream(
        'PUT', f'{url}/orders', content=jsonl_encode(orders), headers=headers, timeout=60
    ) as response:
        if response.status_code != 400:
            response.raise_for_status()
        yield from jsonl_rows(response.iter_bytes())


def get(url: str, customer: str | None = None) -> Iterator[dict[str, Any]]:
    query = {} if customer is None else {'customer': customer}
    with httpx.stream('GET', f'{url}/orders', params=query, timeout=60) as response:
        response.raise_for_status()
        yield from jsonl_rows(response.iter_bytes())


def main() -> int:
    url = os.environ.get('SERVICE', 'http://127.0.0.1:8000')
    match sys.argv[1:]:
        case ['put', path]:
            found = put(url, jsonl_rows(path))
        case ['get', *customer]:
            found = get(url, *customer[:1])
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    try:
        for row in found:
            print(json.dumps(row, ensure_ascii=False))
    except (OSError, httpx.HTTPError, DataError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.exit(main())

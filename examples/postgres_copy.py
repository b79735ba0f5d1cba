"""Rows into a table of PostgreSQL and out of it by COPY, many times as fast as INSERT.

    python postgres_copy.py 'host=localhost dbname=test'

fills a table with 100,000 orders, copies a query of it into a CSV file, and says how long both
took. Needs psycopg 3.

CSV has one text for NULL and another for the empty string only if both sides agree. Here NULL is
\\N without quotes, and every text is quoted: so a text may be empty, or `\\N`, or anything else.
"""

import datetime as dt
import sys
import time
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from typing import Any

import psycopg
from psycopg import sql

from generators import acsv_encode, chunked, csv_encode, csv_rows
from generators.csv import QUOTE_NOTNULL, QUOTE_STRINGS

ROWS = 100_000


def copy_in(table: str, columns: Sequence[str]) -> sql.Composed:
    names = sql.SQL(', ').join(map(sql.Identifier, columns))
    return sql.SQL("COPY {} ({}) FROM STDIN (FORMAT csv, NULL '\\N', ENCODING 'UTF8')").format(
        sql.Identifier(table), names
    )


def load(
    connection: psycopg.Connection[Any],
    table: str,
    columns: Sequence[str],
    rows: Iterable[Any],
) -> int:
    """Copy rows into a table. They may be sequences, dicts, dataclasses, models, Arrow data.

    Where a row cannot be written, or PostgreSQL refuses one, nothing is copied.
    """
    chunks = csv_encode(
        rows, columns=columns, header=False, quoting=QUOTE_STRINGS, null='\\N', max_delay=None
    )
    with connection.cursor() as cursor:
        with cursor.copy(copy_in(table, columns)) as copy:
            for chunk in chunks:
                copy.write(chunk)
        return cursor.rowcount


async def aload(
    connection: psycopg.AsyncConnection[Any],
    table: str,
    columns: Sequence[str],
    rows: AsyncIterable[Any],
) -> int:
    """The same of an async source, and without blocking the loop."""
    chunks = acsv_encode(
        rows, columns=columns, header=False, quoting=QUOTE_STRINGS, null='\\N', max_delay=None
    )
    async with connection.cursor() as cursor:
        async with cursor.copy(copy_in(table, columns)) as copy:
            async for chunk in chunks:
                await copy.write(chunk)
        return cursor.rowcount


def copy_out(connection: psycopg.Connection[Any], query: str, **options: Any) -> Iterator[Any]:
    """The rows of a query, as csv_rows() gives them: `into`, `types` and the rest are its own.

    PostgreSQL writes NULL as nothing and an empty text as "", which is what QUOTE_NOTNULL reads.
    A line with NULL alone would be blank: select a second column beside one that may be NULL.
    If the rows are not read to their end, the transaction is aborted.
    """
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
    options = {'max_field': None, **options}  # a text may have a gigabyte
    with connection.cursor() as cursor, cursor.copy(statement.encode()) as copy:
        yield from csv_rows(chunked(iter(copy)), header=True, quoting=QUOTE_NOTNULL, **options)


def export(connection: psycopg.Connection[Any], query: str, path: str) -> None:
    """A query into a file, as PostgreSQL writes it."""
    statement = f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')"
    with (
        connection.cursor() as cursor,
        cursor.copy(statement.encode()) as copy,
        open(path, 'wb') as file,
    ):
        file.writelines(chunked(iter(copy)))


def orders(count: int) -> Iterator[tuple[Any, ...]]:
    remarks = [None, '', 'gift, "fragile"', 'two\nlines', '\\N', '\\.', 'Grüße', "it's"]
    start = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    for n in range(count):
        ordered = None if n % 11 == 0 else start + dt.timedelta(minutes=n)
        yield n, f'customer {n % 997}', n * 0.01, remarks[n % len(remarks)], n % 3 == 0, ordered


COLUMNS = ['id', 'customer', 'price', 'remark', 'paid', 'ordered']
TABLE = """
create temp table orders (
    id bigint, customer text, price float8, remark text, paid bool, ordered timestamptz
)
"""


def main(conninfo: str) -> None:
    with psycopg.connect(conninfo) as connection:
        connection.execute(TABLE)
        connection.execute("set timezone = 'UTC'")
        started = time.perf_counter()
        count = load(connection, 'orders', COLUMNS, orders(ROWS))
        loaded = time.perf_counter()
        types = {'id': int, 'price': float, 'paid': bool, 'ordered': dt.datetime}
        query = 'select * from orders order by id'
        same = list(copy_out(connection, query, into=tuple, types=types)) == list(orders(ROWS))
        read = time.perf_counter()
        print(f'{count} rows copied in within {loaded - started:.1f} s')
        print(f'and out within {read - loaded:.1f} s, {"unchanged" if same else "CHANGED"}')


if __name__ == '__main__':
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])

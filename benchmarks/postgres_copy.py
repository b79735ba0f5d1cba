"""Rows into PostgreSQL by csv_encode and COPY, and out by COPY and csv_rows, against psycopg.

    python benchmarks/postgres_copy.py [--rows 100000] [--rounds 5] [--only WORD ...] [--cpu]

A server is started for this on a socket in a folder, and stopped (Debian: postgresql); its time
counts, but not with --cpu.  A ratio is the peer's median over ours: more is better.
"""

from __future__ import annotations

import datetime as dt
import itertools
import runpy
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from measure import Row, Skipped, Suite, compared, consume, medians, package

ROOT = Path(__file__).resolve().parent.parent
suite = Suite(__doc__, rows=100_000)
options = suite.options
INSERT = 'insert into orders values (%s, %s, %s, %s, %s, %s)'


@cache
def example() -> dict[str, Any]:
    package('psycopg')
    return runpy.run_path(str(ROOT / 'examples' / 'postgres_copy.py'))


@cache
def rows() -> list[tuple[Any, ...]]:
    return list(example()['orders'](options.rows))


@contextmanager
def connected() -> Iterator[Any]:
    psycopg = package('psycopg')
    servers = runpy.run_path(str(ROOT / 'tests' / 'examples' / 'postgres_server.py'))
    if reason := servers['reason_for_none']():
        raise Skipped(reason)
    with (
        servers['PostgresServer'](servers['find_programs']()) as server,
        psycopg.connect(server.conninfo) as connection,
    ):
        connection.execute(example()['TABLE'])
        yield connection


def load(connection: Any) -> None:
    connection.execute('truncate orders')
    example()['load'](connection, 'orders', example()['COLUMNS'], rows())


def execute_many(connection: Any) -> None:
    connection.execute('truncate orders')
    with connection.cursor() as cursor:
        cursor.executemany(INSERT, rows())


def write_rows(connection: Any) -> None:
    connection.execute('truncate orders')
    with connection.cursor() as cursor, cursor.copy('copy orders from stdin') as copy:
        for row in rows():
            copy.write_row(row)


def check(connection: Any) -> None:
    found = connection.execute('select * from orders order by id').fetchall()
    if found != rows():
        raise AssertionError('the rows are others')


@suite.measurement
def copy_in() -> Iterator[Row]:
    with connected() as connection:
        for work in (load, execute_many, write_rows):
            work(connection)
            check(connection)
        ours, inserted, copied = medians(
            [
                lambda: load(connection),
                lambda: execute_many(connection),
                lambda: write_rows(connection),
            ],
            options.rounds,
        )
        yield compared('rows into a table', 'executemany of psycopg', inserted, ours, 10)
        yield compared('the same', 'write_row of psycopg', copied, ours)


@suite.measurement
def copy_out() -> Iterator[Row]:
    query = 'select * from orders'
    types = {'id': int, 'price': float, 'paid': bool, 'ordered': dt.datetime}
    with connected() as connection:
        load(connection)
        cursor = connection.cursor()

        def read(types: Any = None) -> Iterator[Any]:
            given = {} if types is None else {'types': types}
            return example()['copy_out'](connection, query, into=tuple, **given)

        def select() -> Iterator[Any]:
            return iter(cursor.execute(query))

        if list(read(types)) != list(itertools.chain(select())):
            raise AssertionError('the rows are others')
        ours, theirs = medians(
            [lambda: consume(read(types)), lambda: consume(select())], options.rounds
        )
        yield compared('rows of a query, with types', 'a cursor of psycopg', theirs, ours)


if __name__ == '__main__':
    sys.exit(suite.main())

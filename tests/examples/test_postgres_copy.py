"""COPY of PostgreSQL, in and out, on a server that is started here: examples/postgres_copy.py."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import math
import random
import runpy
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generators import CSVError

from .postgres_server import PostgresServer, find_programs, reason_for_none

if reason_for_none():
    pytest.skip(reason_for_none(), allow_module_level=True)
psycopg = pytest.importorskip('psycopg', reason='psycopg is not installed')

PROGRAM = Path(__file__).parents[2] / 'examples' / 'postgres_copy.py'

# Everything that CSV, COPY or a shell has a meaning for.
AWKWARD = [
    *('', ' ', '\\N', '\\.', '\\', 'NULL', 'null', '""', '"', '","', "'", ',', ';', '\t', 'a,b'),
    *('\n', '\r', '\r\n', 'two\nlines', '\n\\.\n', '\\.\n', 'x\n\\.', ' padded ', '\x01\x7f'),
    *('é', '😀', '\ufeffmark', '\u2028', '=1+1', '-5', '\\x41', '\\n', '#', 'x' * 200_000, '"\\N"'),
]


@pytest.fixture(scope='module')
def example() -> dict[str, Any]:
    return runpy.run_path(str(PROGRAM))


@pytest.fixture(scope='module')
def server() -> Iterator[PostgresServer]:
    programs = find_programs()
    assert programs is not None
    with PostgresServer(programs) as server:
        yield server


@pytest.fixture(scope='module')
def connection(server: PostgresServer) -> Iterator[Any]:
    with psycopg.connect(server.conninfo) as connection:
        yield connection


@pytest.fixture
def texts(connection: Any) -> Iterator[Any]:
    connection.execute('create temp table texts (n serial, a text, b text)')
    yield connection
    connection.rollback()


def selected(connection: Any, query: str) -> list[Any]:
    return connection.execute(query).fetchall()


def test_as_a_program(server: PostgresServer) -> None:
    done = subprocess.run(
        [sys.executable, PROGRAM, server.conninfo], capture_output=True, text=True, check=True
    )
    first, second = done.stdout.splitlines()
    assert first.startswith('100000 rows copied in within ')
    assert second.startswith('and out within ')
    assert second.endswith(' s, unchanged')


@pytest.mark.parametrize('alone', [False, True])
def test_every_awkward_text_both_ways(example: Any, texts: Any, alone: bool) -> None:
    columns = ['a'] if alone else ['a', 'b']
    values = [*AWKWARD, None]
    rows = [(x,) for x in values] if alone else [(x, y) for x in values[:-1] for y in (x, None)]
    rows += [] if alone else [(None, x) for x in values]
    assert example['load'](texts, 'texts', columns, rows) == len(rows)
    query = f'select {", ".join(columns)} from texts order by n'
    assert selected(texts, query) == rows
    if alone:  # a line with NULL alone is blank
        query = query.replace('order', 'where a is not null order')
        rows.pop()
    assert list(example['copy_out'](texts, query, into=tuple)) == rows


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40
)
@given(
    st.lists(
        st.tuples(*[st.none() | st.text(st.characters(exclude_characters='\0', codec='utf-8'))] * 2)
    )
)
def test_any_text_both_ways(example: Any, texts: Any, rows: list[tuple[Any, ...]]) -> None:
    texts.execute('truncate texts')
    example['load'](texts, 'texts', ['a', 'b'], rows)
    query = 'select a, b from texts order by n'
    assert selected(texts, query) == rows
    assert list(example['copy_out'](texts, query, into=tuple)) == rows


def test_types_both_ways(example: Any, connection: Any) -> None:
    connection.execute(
        'create temp table typed (i int8, f float8, n numeric, b bool, d date, t time,'
        ' m timestamptz, u uuid, j json)'
    )
    moment = dt.datetime(2024, 2, 29, 12, 30, 1, 500, tzinfo=dt.UTC)
    identity = UUID(int=7)
    r = random.Random(1)
    rows: list[Any] = [
        (2**63 - 1, 0.1, Decimal('1.50'), True, moment.date(), moment.time(), moment, identity),
        (-(2**63), -math.inf, Decimal('-1E+5'), False, *[None] * 4),
        *((n, r.uniform(-1e300, 1e300), Decimal(n), n % 2 == 0, *[None] * 4) for n in range(500)),
        (None,) * 8,
    ]
    columns = list('ifnbdtmu')
    example['load'](connection, 'typed', columns, rows)
    query = f'select {", ".join(columns)} from typed'
    assert selected(connection, query) == rows
    types = {
        'i': int,
        'f': float,
        'n': Decimal,
        'b': bool,
        'd': dt.date,
        't': dt.time.fromisoformat,
        'm': dt.datetime,
        'u': UUID,
    }
    assert list(example['copy_out'](connection, query, into=tuple, types=types)) == rows
    connection.rollback()


@dataclasses.dataclass
class Text:
    b: str | None
    a: str | None


def test_rows_of_any_kind(example: Any, texts: Any) -> None:
    rows = [{'a': 'x', 'b': None}, Text(b='y', a='\\N'), ['', None]]
    assert example['load'](texts, 'texts', ['a', 'b'], rows) == 3
    assert selected(texts, 'select a, b from texts order by n') == [
        ('x', None),
        ('\\N', 'y'),
        ('', None),
    ]


def test_columns_of_arrow(example: Any, texts: Any) -> None:
    pa = pytest.importorskip('pyarrow')
    table = pa.table({'b': [*AWKWARD, None], 'a': [None, *AWKWARD]})
    assert example['load'](texts, 'texts', ['a', 'b'], table) == len(AWKWARD) + 1
    expected = list(zip([None, *AWKWARD], [*AWKWARD, None], strict=True))
    assert selected(texts, 'select a, b from texts order by n') == expected


def test_a_row_that_cannot_be_written(example: Any, texts: Any) -> None:
    with pytest.raises(CSVError, match='row 1: 1 field for 2 columns'), texts.transaction():
        example['load'](texts, 'texts', ['a', 'b'], [('x', 'y'), ('z',)])
    assert selected(texts, 'select * from texts') == []


def test_a_row_that_postgresql_refuses(example: Any, texts: Any) -> None:
    with pytest.raises(psycopg.errors.CharacterNotInRepertoire), texts.transaction():
        example['load'](texts, 'texts', ['a', 'b'], [('x', 'y'), ('\0', None)])
    assert selected(texts, 'select * from texts') == []


def test_reading_that_is_left(example: Any, texts: Any) -> None:
    rows = example['copy_out'](texts, "select n, 'text ' || n from generate_series(1, 200000) n")
    assert next(rows) == ['1', 'text 1']
    rows.close()
    texts.rollback()
    assert selected(texts, 'select 1') == [(1,)]


def test_a_file(example: Any, texts: Any, tmp_path: Path) -> None:
    example['load'](texts, 'texts', ['a', 'b'], [('x,', None), ('', 'y')])
    example['export'](texts, 'select a, b from texts order by n', str(tmp_path / 'out.csv'))
    assert (tmp_path / 'out.csv').read_bytes() == b'a,b\n"x,",\n"",y\n'


def test_the_header_of_a_cursor(texts: Any) -> None:
    from generators import csv_encode

    for late in (False, True):
        with texts.cursor('named') if late else texts.cursor() as cursor:
            cursor.execute('select a, b from texts')
            assert b''.join(csv_encode(cursor, header=True)) == b'a,b\r\n'


def test_of_an_async_source(example: Any, server: PostgresServer) -> None:
    async def rows() -> AsyncIterator[Any]:
        for text in AWKWARD:
            yield text, None

    async def use() -> list[Any]:
        connection = await psycopg.AsyncConnection.connect(server.conninfo)
        async with connection:
            await connection.execute('create temp table texts (n serial, a text, b text)')
            assert await example['aload'](connection, 'texts', ['a', 'b'], rows()) == len(AWKWARD)
            cursor = await connection.execute('select a, b from texts order by n')
            return await cursor.fetchall()

    assert asyncio.run(use()) == [(text, None) for text in AWKWARD]

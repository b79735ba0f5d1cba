"""CSVSchema.sql: tables that hold every value, in sqlite3 and duckdb for real."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from generators import CSVSchema, csv_rows, csv_schema

ALL = (
    'i,j,f,b,d,t,n,z,m,s,e\n'
    '1,9000000000,1.5,yes,2024-01-01,10:00,2024-01-01T10:00,2024-01-01T10:00Z,'
    '12345678901234567890.25,"it\'s ""x""",\n'
    ',-1,nan,no,,,,,1,é,\n'
)

TYPES = {
    'postgresql': [
        'INTEGER',
        'BIGINT NOT NULL',
        'DOUBLE PRECISION NOT NULL',
        'BOOLEAN NOT NULL',
        'DATE',
        'TIME',
        'TIMESTAMP',
        'TIMESTAMP WITH TIME ZONE',
        'NUMERIC(22, 2) NOT NULL',
        'TEXT NOT NULL',
        'TEXT',
    ],
    'sqlite': [
        'INTEGER',
        'INTEGER NOT NULL',
        'REAL NOT NULL',
        'BOOLEAN NOT NULL',
        'TEXT',
        'TEXT',
        'TEXT',
        'TEXT',
        'TEXT NOT NULL',
        'TEXT NOT NULL',
        'TEXT',
    ],
    'mysql': [
        'INT',
        'BIGINT NOT NULL',
        'VARCHAR(3) NOT NULL',  # nan is no DOUBLE there
        'BOOLEAN NOT NULL',
        'DATE',
        'TIME(6)',
        'DATETIME(6)',
        'DATETIME(6)',
        'NUMERIC(22, 2) NOT NULL',
        'VARCHAR(8) NOT NULL',
        'VARCHAR(1)',
    ],
    'duckdb': [
        'INTEGER',
        'BIGINT NOT NULL',
        'DOUBLE NOT NULL',
        'BOOLEAN NOT NULL',
        'DATE',
        'TIME',
        'TIMESTAMP',
        'TIMESTAMP WITH TIME ZONE',
        'NUMERIC(22, 2) NOT NULL',
        'VARCHAR NOT NULL',
        'VARCHAR',
    ],
}


@pytest.fixture
def schema() -> CSVSchema:
    return csv_schema(ALL.encode())


@pytest.mark.parametrize('dialect', TYPES)
def test_the_types(schema: CSVSchema, dialect: str) -> None:
    lines = schema.sql(dialect, 't').splitlines()
    assert lines[0].startswith('CREATE TABLE ')
    assert [line.strip(' ,')[4:] for line in lines[1:-1]] == TYPES[dialect]


def values(schema: CSVSchema) -> list[list[Any]]:
    return list(csv_rows(ALL.encode(), header=True, types=schema.types))


@pytest.fixture
def memory() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(':memory:')) as database:
        yield database


def test_sqlite_holds_the_values(schema: CSVSchema, memory: sqlite3.Connection) -> None:
    database = memory
    database.execute(schema.sql('sqlite', 'the "table"'))
    rows = [
        [v if v is None or type(v) in (int, float, bool) else str(v) for v in row]
        for row in values(schema)
    ]
    rows[1][2] = 0.5  # nan is null in SQLite
    insert = f'INSERT INTO "the ""table""" VALUES ({", ".join("?" * len(schema))})'
    database.executemany(insert, rows)
    assert database.execute('SELECT * FROM "the ""table"""').fetchall() == list(map(tuple, rows))
    with pytest.raises(sqlite3.IntegrityError, match='NOT NULL'):
        database.execute(insert, [None] * len(schema))


def test_duckdb_holds_the_values(schema: CSVSchema) -> None:
    duckdb = pytest.importorskip('duckdb')
    database = duckdb.connect()
    database.execute(schema.sql('duckdb', ('main', 'a b')))
    rows = values(schema)
    rows[1][2] = 0.5
    database.executemany(f'INSERT INTO "a b" VALUES ({", ".join("?" * len(schema))})', rows)
    taken = database.execute('SELECT * EXCLUDE z FROM "a b"').fetchall()
    assert taken == [tuple(row[:7] + row[8:]) for row in rows]


def test_names_that_a_database_takes_for_the_same(memory: sqlite3.Connection) -> None:
    schema = csv_schema(b'a,A,a_2,,a,"x""`y"\n1,2,3,4,5,6\n')
    assert schema.sql_names('sqlite') == ('a', 'A_3', 'a_2', 'column_4', 'a_4', 'x"`y')
    assert schema.sql_names('postgresql') == ('a', 'A', 'a_2', 'column_4', 'a_3', 'x"`y')
    memory.execute(schema.sql('sqlite', 't'))
    assert '"x""`y"' in schema.sql('postgresql', 't')
    assert '`x"``y`' in schema.sql('mysql', 't')


def test_large_texts_and_numbers() -> None:
    text = 'a,b,c,d,e\n' + ','.join(
        ['ä' * 255, 'x' * 256, 'x' * 70_000, '9' * 70, '1' * 20 + '.' + '5' * 25]
    )
    schema = csv_schema(text.encode(), max_field=None)
    lines = [line.split()[1] for line in schema.sql('mysql', 't').splitlines()[1:-1]]
    assert lines == ['VARCHAR(255)', 'TEXT', 'MEDIUMTEXT', 'VARCHAR(70)', 'NUMERIC(45,']
    lines = [line.split()[1] for line in schema.sql('duckdb', 't').splitlines()[1:-1]]
    assert lines == ['VARCHAR'] * 5
    assert '"d" NUMERIC(70, 0)' in schema.sql('postgresql', 't')
    assert '"a" NUMERIC NOT' in csv_schema(b'a\nsNaN\n').sql('postgresql', 't')


def test_what_is_no_table(schema: CSVSchema) -> None:
    with pytest.raises(ValueError, match='dialect must be one of postgresql, sqlite'):
        schema.sql('oracle', 't')
    with pytest.raises(ValueError, match='no columns'):
        csv_schema(b'').sql('sqlite', 't')
    for table in ('', (), ('a', '')):
        with pytest.raises(ValueError, match='table must be a name'):
            schema.sql('sqlite', table)
    with pytest.raises(ValueError, match='NUL'):
        schema.sql('sqlite', 'a\0b')


def test_sqlalchemy(schema: CSVSchema) -> None:
    sa = pytest.importorskip('sqlalchemy')
    engine = sa.create_engine('sqlite://')
    table = schema.sqlalchemy('t')
    table.metadata.create_all(engine)
    rows = [dict(zip(schema.names, row, strict=True)) for row in values(schema)]
    rows[1]['f'] = 0.5
    with engine.begin() as connection:
        connection.execute(table.insert(), rows)
        taken = connection.execute(sa.select(table.c.i, table.c.d, table.c.s)).all()
    engine.dispose()
    assert taken == [(row['i'], row['d'], row['s']) for row in rows]
    assert isinstance(table.c.j.type, sa.BigInteger)
    metadata = sa.MetaData()
    assert schema.sqlalchemy('u', metadata, schema='main').metadata is metadata

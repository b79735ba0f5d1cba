"""The table that holds what a CSVSchema found, in several dialects of SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from native_generators._schema import SchemaColumn

DIALECTS = ('postgresql', 'sqlite', 'mysql', 'duckdb')

# What is the same for every column of a type.
WORDS: dict[str, dict[type, str]] = {
    'postgresql': {
        float: 'DOUBLE PRECISION',
        bool: 'BOOLEAN',
        date: 'DATE',
        time: 'TIME',
        datetime: 'TIMESTAMP',
        str: 'TEXT',
    },
    'sqlite': {
        int: 'INTEGER',
        float: 'REAL',
        bool: 'BOOLEAN',
        date: 'TEXT',
        time: 'TEXT',
        datetime: 'TEXT',
        str: 'TEXT',
        Decimal: 'TEXT',  # its numbers are binary
    },
    'mysql': {
        float: 'DOUBLE',
        bool: 'BOOLEAN',
        date: 'DATE',
        time: 'TIME(6)',
        datetime: 'DATETIME(6)',
    },
    'duckdb': {
        float: 'DOUBLE',
        bool: 'BOOLEAN',
        date: 'DATE',
        time: 'TIME',
        datetime: 'TIMESTAMP',
        str: 'VARCHAR',
    },
}

MOST_DIGITS = {'postgresql': (1000, 1000), 'mysql': (65, 30), 'duckdb': (38, 38)}
SHORT_TEXT = 255  # characters that MySQL can index
MYSQL_TEXTS = ((65_535, 'TEXT'), (16_777_215, 'MEDIUMTEXT'))  # bytes


def check_dialect(dialect: str) -> None:
    if dialect not in DIALECTS:
        raise ValueError(f'dialect must be one of {", ".join(DIALECTS)}, not {dialect!r}')


def quoted(name: str, dialect: str) -> str:
    if '\0' in name:
        raise ValueError(f'a name with a NUL can not be written in SQL: {name!r}')
    mark = '`' if dialect == 'mysql' else '"'
    return mark + name.replace(mark, mark * 2) + mark


def sql_names(columns: Sequence[SchemaColumn], dialect: str) -> tuple[str, ...]:
    """A name of its own for each column."""
    check_dialect(dialect)
    fold = str if dialect == 'postgresql' else str.casefold
    taken = {fold(column.name) for column in columns}
    used: set[str] = set()
    names = []
    for i, column in enumerate(columns):
        name = stem = column.name or f'column_{i + 1}'
        number = 1
        while fold(name) in used or (name != column.name and fold(name) in taken):
            number += 1
            name = f'{stem}_{number}'
        used.add(fold(name))
        names.append(name)
    return tuple(names)


def text_type(column: SchemaColumn, dialect: str) -> str:
    if dialect != 'mysql':
        return WORDS[dialect][str]
    if (column.longest or 0) <= SHORT_TEXT:
        return f'VARCHAR({max(column.longest or 0, 1)})'
    need = column.most_bytes or 0
    return next((word for most, word in MYSQL_TEXTS if need <= most), 'LONGTEXT')


def int_type(column: SchemaColumn, dialect: str) -> str:
    if dialect == 'sqlite':
        return 'INTEGER'
    small = column.least >= -(2**31) and column.greatest < 2**31
    return {'mysql': 'INT'}.get(dialect, 'INTEGER') if small else 'BIGINT'


def decimal_type(column: SchemaColumn, dialect: str) -> str:
    if dialect == 'sqlite':
        return WORDS[dialect][Decimal]
    most, most_scale = MOST_DIGITS[dialect]
    precision, scale = column.precision or most + 1, column.scale or 0
    if precision <= most and scale <= most_scale and not column.not_finite:
        return f'NUMERIC({precision}, {scale})'
    return 'NUMERIC' if dialect == 'postgresql' else text_type(column, dialect)


def column_type(column: SchemaColumn, dialect: str) -> str:
    """The type of SQL that holds every value of the column."""
    if column.type is int:
        return int_type(column, dialect)
    if column.type is Decimal:
        return decimal_type(column, dialect)
    if column.type is str or (column.not_finite and dialect == 'mysql'):
        return text_type(column, dialect)
    word = WORDS[dialect][column.type]
    if column.type is datetime and column.zoned and dialect in ('postgresql', 'duckdb'):
        word += ' WITH TIME ZONE'
    return word


def create_table(columns: Sequence[SchemaColumn], dialect: str, table: str | Sequence[str]) -> str:
    check_dialect(dialect)
    if not columns:
        raise ValueError('there are no columns to make a table of')
    parts = [table] if isinstance(table, str) else list(table)
    if not parts or not all(parts):
        raise ValueError('table must be a name, or several')
    lines = [
        f'    {quoted(name, dialect)} {column_type(column, dialect)}'
        + ('' if column.nulls else ' NOT NULL')
        for name, column in zip(sql_names(columns, dialect), columns, strict=True)
    ]
    where = '.'.join(quoted(part, dialect) for part in parts)
    return f'CREATE TABLE {where} (\n' + ',\n'.join(lines) + '\n)'


def sqlalchemy_type(column: SchemaColumn) -> Any:
    import sqlalchemy as sa

    if column.type is int:
        small = column.least >= -(2**31) and column.greatest < 2**31
        return sa.Integer() if small else sa.BigInteger()
    if column.type is Decimal:
        return sa.Numeric(column.precision, column.scale)
    if column.type is datetime:
        return sa.DateTime(timezone=column.zoned)
    if column.type is str:
        return sa.String(column.longest) if column.longest else sa.Text()
    plain = {float: sa.Double, bool: sa.Boolean, date: sa.Date, time: sa.Time}
    return plain[column.type]()


def sqlalchemy_table(
    columns: Sequence[SchemaColumn], table: str, metadata: Any, **more: Any
) -> Any:
    import sqlalchemy as sa

    names = sql_names(columns, 'sqlite')  # the same in every database
    made = (
        sa.Column(name, sqlalchemy_type(column), nullable=column.nulls > 0)
        for name, column in zip(names, columns, strict=True)
    )
    return sa.Table(table, sa.MetaData() if metadata is None else metadata, *made, **more)

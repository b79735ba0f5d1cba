"""csv_schema: what the columns of a whole CSV source hold.

The native half reads the source and measures every value (csv/schema).  It asks `ask` about the
rare texts that it does not know.  Here its findings become a CSVSchema.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, InvalidOperation
from typing import Any, TypedDict, Unpack

from native_generators import convert
from native_generators._native import _CSVSchemaReader
from native_generators._sql import create_table, sql_names, sqlalchemy_table

TYPES: tuple[type, ...] = (int, float, bool, date, time, datetime, Decimal)
INT, FLOAT, BOOL, DATE, TIME, DATETIME, DECIMAL = range(7)
NAMES = ('int', 'float', 'bool', 'date', 'time', 'datetime', 'decimal')

DISTINCT = 256
MICROSECOND = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1)
EPOCH_DAY = EPOCH.toordinal()
STRICT = Context(traps=[InvalidOperation])  # whatever the context of the thread allows
MOST_DIGITS = 17  # no float needs more


# ---- what the machine asks ----


def keeps_digits(text: str) -> bool:
    """Whether the float of a text has all of its digits: written with as many, it shows them."""
    number, exact = float(text), Decimal(text, STRICT)
    if not exact.is_finite():
        return True
    digits = ''.join(map(str, exact.as_tuple().digits)).strip('0')
    if len(digits) > MOST_DIGITS:
        return False
    return Decimal(f'{number:.{max(len(digits), 1) - 1}e}', STRICT) == exact


def read_moment(text: str) -> tuple[int, bool]:
    value = datetime.fromisoformat(text)
    offset = value.utcoffset()
    since = value.replace(tzinfo=None) - EPOCH - (offset or timedelta(0))
    return since // MICROSECOND, offset is not None


def read_time(text: str) -> int | None:
    value = time.fromisoformat(text)
    if value.tzinfo is not None:
        return None
    seconds = (value.hour * 60 + value.minute) * 60 + value.second
    return seconds * 1_000_000 + value.microsecond


def ask(kind: int, text: str) -> object:
    """What the text is as a value of the type, or None: see csv/schema/ask.h."""
    try:
        if kind == INT:
            number = int(text)
            return str(number) if -(2**63) <= number < 2**63 else None
        if kind == FLOAT:
            return '0' if keeps_digits(text) else None
        if kind == DECIMAL:
            return str(Decimal(text, STRICT))
        if kind == DATE:
            return date.fromisoformat(text).toordinal() - EPOCH_DAY
        if kind == TIME:
            return read_time(text)
        return read_moment(text)
    except (ValueError, ArithmeticError):
        return None


# ---- what it found ----


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The first value of a column that does not have a type.

    record is its number, from 1 on, as in CSVError.record: the header counts.
    text is its first 60 bytes.
    """

    record: int
    text: str


@dataclass(frozen=True, slots=True)
class SchemaColumn:
    """What csv_schema() found in one column.

    name is the name in the header; without a header, f0, f1, ...
    type is int, float, bool, datetime.date, datetime.time, datetime.datetime, decimal.Decimal or
        str: the first of these types that every value has.  It is str if there are no values.
    contradictions is a dict.  For each type before it, it maps the name of the type to the first
        value that does not have this type.
    values is the number of values.  nulls is the number of records without a value: the field is
        empty, is one of the texts in `null`, or is missing.  empty and missing count two of these.
    shortest and longest are lengths in characters; most_bytes is the greatest length in UTF-8.
    least and greatest are values of the type.  They are None if there are none except inf and nan.
    distinct is the number of different values, and counts maps each of them, as text, to the number
        of its occurrences.  Both are None if there are more values than csv_schema() counts.
    precision and scale are for a column of numbers: the number of all digits, and of the digits
        after the point.
    zoned is true for datetimes with a time zone.  least and greatest are then in UTC.
    not_finite is the number of values that are inf or nan.
    leading_zeros is the number of whole numbers such as 007, which lose their zeros as an int.
    plain is false if some numbers are written in a way that few other programs accept, such as
        1_000 or digits of another script.
    """

    name: str
    type: type
    values: int
    nulls: int
    empty: int
    missing: int
    shortest: int | None
    longest: int | None
    most_bytes: int | None
    least: Any
    greatest: Any
    distinct: int | None
    counts: dict[str, int] | None
    precision: int | None
    scale: int | None
    zoned: bool
    not_finite: int
    leading_zeros: int
    plain: bool
    contradictions: dict[str, Contradiction]

    @property
    def type_name(self) -> str:
        """The name of the type: 'int', 'float', ..., 'decimal', 'str'."""
        return NAMES[TYPES.index(self.type)] if self.type in TYPES else 'str'

    def to_dict(self) -> dict[str, Any]:
        """Return the column as a dict that can be stored as JSON."""
        return {
            'name': self.name,
            'type': self.type_name,
            'values': self.values,
            'nulls': self.nulls,
            'empty': self.empty,
            'missing': self.missing,
            'shortest': self.shortest,
            'longest': self.longest,
            'most_bytes': self.most_bytes,
            'least': plain(self.least),
            'greatest': plain(self.greatest),
            'distinct': self.distinct,
            'counts': self.counts,
            'precision': self.precision,
            'scale': self.scale,
            'zoned': self.zoned,
            'not_finite': self.not_finite,
            'leading_zeros': self.leading_zeros,
            'plain': self.plain,
            'contradictions': {
                name: {'record': found.record, 'text': found.text}
                for name, found in self.contradictions.items()
            },
        }


def plain(value: Any) -> Any:
    """A value as JSON has it."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return value.isoformat() if isinstance(value, (date, time)) else str(value)


@dataclass(frozen=True, slots=True, repr=False)
class CSVSchema(Sequence[SchemaColumn]):
    """The result of csv_schema(): a sequence of SchemaColumn objects.  schema[name] and
    schema[index] return a column.

    rows is the number of records, without the header and without blank records, and blank is the
    number of blank records.  short and long are the numbers of records with fewer and with more
    fields than there are columns.  first_short and first_long are the numbers of the first such
    records, counted from 1, or None.  errors is the number of records that `on_error` skipped.
    """

    columns: tuple[SchemaColumn, ...]
    header: tuple[str, ...] | None
    rows: int
    blank: int
    short: int
    long: int
    first_short: int | None
    first_long: int | None
    errors: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def ragged(self) -> int:
        """The number of records that are short or long."""
        return self.short + self.long

    @property
    def types(self) -> dict[str | int, Any]:
        """A dict of the type of each column, for `types` of csv_rows() and csv_batches().

        The keys are names, or indices if there is no header or if names are repeated.  The type of
        a column of decimals is convert.decimal(precision, scale), which Arrow needs.  It is Decimal
        if the column has more than 38 digits, inf or nan, or is not plain; csv_batches() refuses
        Decimal.
        """
        names = self.names
        keys: Sequence[str | int] = names
        if self.header is None or len(set(names)) < len(names):
            keys = range(len(names))
        return dict(zip(keys, map(reading_type, self.columns), strict=True))

    def __len__(self) -> int:
        return len(self.columns)

    def __getitem__(self, key: Any) -> Any:
        """The column of a name or an index."""
        if not isinstance(key, str):
            return self.columns[key]
        for column in self.columns:
            if column.name == key:
                return column
        raise KeyError(key)

    def __iter__(self) -> Iterator[SchemaColumn]:
        return iter(self.columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the schema as a dict that can be stored as JSON."""
        return {
            'columns': [column.to_dict() for column in self.columns],
            'header': None if self.header is None else list(self.header),
            'rows': self.rows,
            'blank': self.blank,
            'short': self.short,
            'long': self.long,
            'first_short': self.first_short,
            'first_long': self.first_long,
            'errors': self.errors,
        }

    def sql(self, dialect: str, table: str | Sequence[str]) -> str:
        """Return the CREATE TABLE statement of a table that can store every value.

        dialect is 'postgresql', 'sqlite', 'mysql' or 'duckdb'.  table is a name, or a sequence of
        the names of a schema and a table.  Every name is quoted.  Names that are empty, or that the
        database considers equal, are numbered: x, x_2.  A column without nulls is NOT NULL.
        """
        return create_table(self.columns, dialect, table)

    def sql_names(self, dialect: str) -> tuple[str, ...]:
        """Return the names that the columns have in sql(), as a tuple."""
        return sql_names(self.columns, dialect)

    def sqlalchemy(self, table: str, metadata: Any = None, **more: Any) -> Any:
        """Return a sqlalchemy.Table that can store every value.  It requires SQLAlchemy.

        The other arguments are those of sqlalchemy.Table.
        """
        return sqlalchemy_table(self.columns, table, metadata, **more)

    def __repr__(self) -> str:
        title = f'<CSVSchema of {self.rows} rows, {len(self.columns)} columns'
        more = {'short': self.short, 'long': self.long, 'blank': self.blank, 'errors': self.errors}
        title += ''.join(f', {count} {name}' for name, count in more.items() if count)
        heads = ('name', 'type', 'nulls', 'distinct', 'least', 'greatest', 'longest')
        lines = [heads, *map(shown, self.columns)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
        table = (
            '  '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in lines
        )
        return '\n'.join([title + '>', *table])


MOST_SHOWN = 24


def shown(column: SchemaColumn) -> tuple[str, ...]:
    """A line of the table of a schema."""
    cells = (
        column.name,
        column.type_name,
        column.nulls,
        'many' if column.distinct is None else column.distinct,
        column.least,
        column.greatest,
        column.longest,
    )
    texts = ('' if cell is None else str(plain(cell)) for cell in cells)
    printable = (
        ''.join(c if c.isprintable() else '\N{REPLACEMENT CHARACTER}' for c in t) for t in texts
    )
    return tuple(t if len(t) <= MOST_SHOWN else t[: MOST_SHOWN - 3] + '...' for t in printable)


ARROW_DIGITS = 38


def reading_type(column: SchemaColumn) -> Any:
    """What reads the column."""
    if column.type is not Decimal or column.precision is None or column.scale is None:
        return column.type
    is_plain = column.precision <= ARROW_DIGITS and not column.not_finite and column.plain
    return convert.decimal(column.precision, column.scale) if is_plain else Decimal


# ---- from the one to the other ----


def moment(microseconds: int, zoned: bool) -> datetime:
    """A datetime; the nearest that there is, for a local time of the years 1 and 9999 in UTC."""
    limits = [(limit - EPOCH) // MICROSECOND for limit in (datetime.min, datetime.max)]
    value = EPOCH + min(max(microseconds, limits[0]), limits[1]) * MICROSECOND
    return value.replace(tzinfo=UTC) if zoned else value


def time_of(microseconds: int) -> time:
    return (EPOCH + microseconds * MICROSECOND).time()


def maker(kind: int, found: Mapping[str, Any]) -> tuple[Callable[[Any], Any], tuple[Any, Any]]:
    """What makes a value of the type, and what of."""
    if kind == DATE:
        return lambda day: date.fromordinal(day + EPOCH_DAY), found['dates']
    if kind == TIME:
        return time_of, found['times']
    if kind == DATETIME:
        return lambda at: moment(at, found['zoned']), found['moments']
    return TYPES[kind], (found['numbers']['least'], found['numbers']['greatest'])


def limits(kind: int | None, found: Mapping[str, Any]) -> tuple[Any, Any]:
    """The least and the greatest value, as values of the type."""
    if kind is None:
        return found['least'], found['greatest']
    if kind == BOOL:
        return not found['truths'] & 1, bool(found['truths'] & 2)
    make, ends = maker(kind, found)
    return (None, None) if ends[0] is None else (make(ends[0]), make(ends[1]))


def digits(kind: int | None, found: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Precision and scale."""
    if kind not in (INT, FLOAT, DECIMAL) or found['numbers']['least'] is None:
        return None, None
    scale = found['numbers']['scale']
    return max(found['numbers']['whole'] + scale, 1), scale


def make_column(name: str, found: Mapping[str, Any]) -> SchemaColumn:
    kind = next((i for i in range(len(TYPES)) if found['alive'] >> i & 1), None)
    if found['values'] == 0:
        kind = None
    wider = range(len(TYPES) if kind is None else kind) if found['values'] else ()
    least, greatest = limits(kind, found)
    precision, scale = digits(kind, found)
    counted = found['distinct']
    numbers = found['numbers'] or {}
    is_number = kind in (INT, FLOAT, DECIMAL)
    any_value = found['values'] > 0
    return SchemaColumn(
        name=name,
        type=str if kind is None else TYPES[kind],
        values=found['values'],
        nulls=found['empty'] + found['spelled'] + found['missing'],
        empty=found['empty'],
        missing=found['missing'],
        shortest=found['shortest'] if any_value else None,
        longest=found['longest'] if any_value else None,
        most_bytes=found['most_bytes'] if any_value else None,
        least=least,
        greatest=greatest,
        distinct=None if counted is None else len(counted),
        counts=None if counted is None else dict(counted),
        precision=precision,
        scale=scale,
        zoned=kind == DATETIME and found['zoned'],
        not_finite=numbers['not_finite'] if is_number else 0,
        leading_zeros=numbers['leading_zero'] if kind == INT else 0,
        plain=not (is_number and numbers['asked']),
        contradictions={NAMES[i]: Contradiction(*found['against'][i]) for i in wider},
    )


def make_schema(found: Mapping[str, Any]) -> CSVSchema:
    header = found['header']
    columns = found['columns']
    names = [f'f{i}' for i in range(len(columns))] if header is None else header
    return CSVSchema(
        columns=tuple(map(make_column, names, columns)),
        header=header,
        rows=found['rows'],
        blank=found['blank'],
        short=found['short'],
        long=found['long'],
        first_short=found['first_short'] or None,
        first_long=found['first_long'] or None,
        errors=found['errors'],
    )


# ---- the function ----


class Surveying(TypedDict, total=False):
    """What csv_batches takes for reading."""

    threads: int | None
    header: bool | None
    names: Any
    duplicates: str
    null: Any
    dialect: Any
    delimiter: str
    quotechar: str | None
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    lineterminator: str
    quoting: int
    strict: bool
    skip: Any
    comment: Any
    footer: int
    blank: str | None
    multiline: bool
    encoding: str
    errors: str
    items: str
    compression: str | None
    member: str | None
    complete: bool
    max_field: int | None
    max_record: int | None
    on_error: Any


OTHERS = ('types', 'schema', 'columns', 'rows', 'into', 'start', 'changed')


def csv_schema(
    source: Any,
    *,
    distinct: int = DISTINCT,
    ragged: str = 'allow',
    **reading: Unpack[Surveying],
) -> CSVSchema:
    """Read a CSV source once, and return a CSVSchema that describes the values of its columns.

    >>> from generators import csv_schema
    >>> schema = csv_schema(b'id,price,day\\n1,9.50,2024-02-29\\n2,,2024-03-01\\n')
    >>> schema
    <CSVSchema of 2 rows, 3 columns>
    name   type   nulls  distinct  least       greatest    longest
    id     int    0      2         1           2           1
    price  float  1      1         9.5         9.5         4
    day    date   0      2         2024-02-29  2024-03-01  10
    >>> schema.types['id']
    <class 'int'>

    Every value is examined: the types hold for the whole source, not for a sample, so that
    csv_rows(source, types=schema.types, header=True) reads every record.  The memory needed does
    not depend on the number of records, and no Python object is made for a value.

    The type of a column is the first that every value has, one of
        int, if it fits in 64 bits;
        float, if no digits are lost: written with as many digits as the text has, it is the same;
        bool, as csv_rows() reads it: true/false, t/f, yes/no, 1/0 in any case;
        date, time and datetime, as fromisoformat() reads them: times without a time zone, and
            datetimes that all have a time zone or all have none;
        Decimal;
        str, which every text is.

    Empty fields, and the texts in `null`, are not values.

    distinct is the greatest number of different values that are counted in a column; 0 counts none.
        The counted values of a column have at most 64 KiB of text in all.
    ragged says what happens to a record with too few or too many fields: 'allow' counts it; 'pad'
        counts it if it has too few, and otherwise refuses it; 'error' refuses it.
    threads is the number of threads that read the source, as for csv_batches().
    header is True by default.  header=False names the columns f0, f1, ... unless names are given;
        the number of columns is that of the fields of the first record.

    The other arguments are those of csv_batches(): null, names, skip, comment, footer, blank, the
    formatting parameters, encoding, errors, items, compression, the limits and on_error.

    Raises CSVError for data that can't be read, and OSError for a path that can't be opened.  An
    exception of the source is raised unchanged.
    """
    for name in OTHERS:
        if name in reading:
            raise TypeError(f'csv_schema() has no argument {name!r}: it examines every value')
    if ragged not in ('allow', 'pad', 'error'):
        raise ValueError(f"ragged must be 'allow', 'pad' or 'error', not {ragged!r}")
    distinct = operator.index(distinct)
    if not 0 <= distinct <= 1_000_000:
        raise ValueError(f'distinct must be 0 to 1000000, not {distinct}')
    reader = _CSVSchemaReader((ask, distinct, ragged), source, **reading)
    with closing(reader):
        return make_schema(next(reader))

"""``csv_batches`` held against ``csv_rows``: the same records, values, errors and counters."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pytest

from generators import CSVBatch, csv_rows

# Not for every platform: tests that import this module are skipped then.
pa: Any = pytest.importorskip('pyarrow')

ERRORS = ('path', 'record', 'line', 'byte', 'column', 'text')

Make = Callable[[], Any]


@dataclass
class Read:
    """What a reader gave until its end or its error, which is a text that tells all of it."""

    rows: list[list[Any]] = field(default_factory=list)
    error: str | None = None
    header: tuple[str, ...] | None = None
    counts: tuple[int, ...] = ()


def told(error: BaseException) -> str:
    places = [getattr(error, name, None) for name in ERRORS]
    return f'{type(error).__name__}: {error} {places} {type(error.__cause__).__name__}'


def values(batch: CSVBatch) -> list[list[Any]]:
    """The rows of a batch that pyarrow finds nothing wrong with."""
    made = pa.record_batch(batch)
    made.validate(full=True)
    assert len(batch) == batch.num_rows == made.num_rows
    assert batch.num_columns == made.num_columns == len(batch.column_names)
    assert list(batch.column_names) == made.schema.names
    columns = [made.column(i) for i in range(made.num_columns)]
    for i, column in enumerate(columns):
        assert len(batch.column(i)) == len(batch)
        assert batch.column(i).null_count == column.null_count
    listed = [plain(column) for column in columns]
    return [[column[at] for column in listed] for at in range(len(batch))]


def plain(column: pa.Array) -> list[Any]:
    """Its values as csv_rows() gives them: timestamps in UTC have a zone."""
    listed = column.to_pylist()
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return [value and value.astimezone(dt.UTC) for value in listed]
    return listed


def by_columns(csv_batches: Any, source: Any, rows: int, **arguments: Any) -> Read:
    stream = csv_batches(source, rows=rows, **arguments)
    read = Read()
    sizes: list[int] = []
    try:
        for batch in stream:
            assert 0 < len(batch) <= rows
            read.rows += values(batch)
            assert stream.row_num == len(read.rows)
            sizes.append(len(batch))
        assert all(size == rows for size in sizes[:-1])
    except (ValueError, OSError) as error:
        read.error = told(error)
    if read.error is None or sizes:
        read.header = stream.header
    read.counts = (stream.line_num, stream.row_num, stream.errors)
    assert next(stream, None) is None
    return read


def by_rows(source: Any, **arguments: Any) -> Read:
    """The same by csv_rows(), whose rows are tuples; a blank record is none."""
    arguments = {'header': True, 'ragged': 'error', **arguments}
    stream = csv_rows(source, into=tuple, **arguments)
    read = Read()
    try:
        for row in stream:
            if row:
                read.rows.append(list(row))
    except (ValueError, OSError) as error:
        read.error = told(error)
    if read.error is None or read.rows:
        read.header = stream.header
    read.counts = (stream.line_num, len(read.rows), stream.errors)
    return read


def exact(rows: Iterable[list[Any]]) -> list[list[str]]:
    """So that 1 is not True, nor 0.0 -0.0, and NaN equals itself."""
    return [[repr(value) for value in row] for row in rows]


def check_batches(
    csv_batches: Any, make: Make, sizes: Iterable[int] = (1, 2, 7, 1000), **arguments: Any
) -> Read:
    """Read a source, which is made anew each time, both ways, in batches of each size."""
    expected = by_rows(make(), **arguments)
    for rows in sizes:
        came = by_columns(csv_batches, make(), rows, **arguments)
        assert exact(came.rows) == exact(expected.rows)
        assert came.error == expected.error
        assert came.header == expected.header
        assert came.counts == expected.counts
    return expected

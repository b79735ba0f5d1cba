"""What type checkers make of batches; mypy reads this, nothing runs it."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, assert_type

from generators import CSVBatch, CSVError, acsv_batches, csv_batches


def refused(error: CSVError, raw: Any) -> None:
    print(error, raw)


def of_batches(chunks: Iterator[bytes]) -> None:
    batches = csv_batches(Path('a.csv'), types={'id': int, 2: datetime, 'x': str | None})
    assert_type(batches, csv_batches)
    assert_type(next(batches), CSVBatch)
    assert_type(batches.header, tuple[str, ...] | None)
    assert_type(batches.row_num + batches.errors + batches.line_num, int)
    csv_batches(chunks, rows=10, columns=['a', 1], null=['NA'], ragged='pad', on_error=refused)
    csv_batches('a.csv', start=batches.checkpoint(), schema=next(batches), threads=None)
    csv_batches('a.csv', ragged='allow')  # type: ignore[arg-type]
    csv_batches('a.csv', schema={'a': 'int8'})  # type: ignore[arg-type]
    csv_batches('a.csv', into=dict)  # type: ignore[call-arg]


def of_a_batch(batch: CSVBatch) -> None:
    assert_type(batch.num_rows + batch.num_columns + len(batch), int)
    assert_type(batch.column_names, tuple[str, ...])
    column = batch.column('a')
    assert_type(column.name, str)
    assert_type(column.null_count + len(column), int)
    memoryview(column)
    batch.column(1.5)  # type: ignore[arg-type]


async def of_async_batches(chunks: AsyncIterator[bytes]) -> None:
    async for batch in acsv_batches(chunks, close_with_task=True, encoding='latin-1'):
        assert_type(batch, CSVBatch)
    acsv_batches(chunks, start={})  # type: ignore[call-arg]

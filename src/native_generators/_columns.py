"""The command line's ``--to parquet`` and ``--to arrow``: CSV files as columns, by pyarrow.

Batches go from ``csv_batches`` to the file one by one, so that memory does not grow with the
files.  The output takes its name only when it is whole, because a part of it could not be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, BinaryIO

from native_generators import CSVError, csv_batches
from native_generators._progress import opened, shown

KINDS = ('parquet', 'arrow')
Reject = Callable[[CSVError, bytes], object]


@contextmanager
def whole(path: str) -> Iterator[BinaryIO]:
    """A new file, which takes the name when all is written and is gone otherwise."""
    part = f'{path}.part'
    with open(part, 'wb') as file:
        try:
            yield file
        except BaseException:
            file.close()
            os.unlink(part)
            raise
    os.replace(part, path)


@contextmanager
def sink(path: str | None) -> Iterator[BinaryIO]:
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with whole(path) as file:
        yield file


class Columns:
    """What is read of each file, and what is written of it."""

    def __init__(self, options: argparse.Namespace, selection: Any, out: BinaryIO) -> None:
        # Without its stubs, and only where it is there.
        self.pyarrow: Any = import_module('pyarrow')
        self.compute: Any = import_module('pyarrow.compute')
        self.ipc: Any = import_module('pyarrow.ipc')
        self.options = options
        self.selection = selection
        self.out = out
        self.schema: Any = None
        self.writer: Any = None

    def open(self, file: Any, reject: Reject | None) -> csv_batches:
        options = self.options
        return csv_batches(
            file,
            header=options.header,
            columns=self.selection.columns,
            types=self.selection.types,
            null=options.null,
            delimiter=options.delimiter,
            encoding=options.encoding,
            on_error='raise' if reject is None else reject,
        )

    def read(self, name: str, reject: Reject | None, rejected: Callable[[], None]) -> None:
        """Write what is kept of a file; `rejected` is called after each batch."""
        options = self.options
        shows = sys.stderr.isatty() if options.progress is None else options.progress
        with opened(name) as source, shown(source, shows) as progress:
            with self.open(source.file, reject) as batches:
                schema = self.schema_of(batches)
                if len(schema) > 0 or options.columns == []:
                    self.write(self.pyarrow.RecordBatch.from_pylist([], schema))
                for batch in batches:
                    self.write(self.pyarrow.record_batch(batch))
                    rejected()
                    progress()
            rejected()

    def schema_of(self, batches: csv_batches) -> Any:
        try:
            return self.pyarrow.schema(batches)
        except CSVError as e:  # the arguments do not fit the header
            if batches.row_num == 0 and batches.errors == 0:
                raise ValueError(str(e)) from None
            raise

    def write(self, batch: Any) -> None:
        batch = self.kept(batch)
        if self.schema is None:
            self.schema = batch.schema
            self.writer = self.new_writer()
        elif batch.schema != self.schema:
            raise ValueError(f'its columns are {told(batch.schema)}, and not {told(self.schema)}')
        if batch.num_rows > 0:
            self.writer.write_batch(batch)

    def kept(self, batch: Any) -> Any:
        """A batch without the rows and columns that are not wanted."""
        selection = self.selection
        keys = selection.columns
        if keys is None:
            keys = batch.schema.names if self.options.header else range(batch.num_columns)
        keys = list(keys)
        for key, values in selection.wanted.items():
            if key not in keys:
                raise ValueError(f'there is no column {key!r} among {tuple(keys)!r}')
            column = batch.column(keys.index(key))
            among = self.pyarrow.array(values, type=column.type)
            batch = batch.filter(self.compute.is_in(column, value_set=among))
        batch = batch.rename_columns([str(key) for key in keys])
        written = selection.written
        return batch if written is None else batch.select(list(range(written)))

    def new_writer(self) -> Any:
        if self.options.to == 'arrow':
            return self.ipc.new_file(self.out, self.schema)
        parquet: Any = import_module('pyarrow.parquet')
        return parquet.ParquetWriter(self.out, self.schema)

    def finish(self) -> None:
        if self.writer is None:  # no file had a column
            self.schema = self.pyarrow.schema([])
            self.writer = self.new_writer()
        self.writer.close()


def told(schema: Any) -> str:
    return ', '.join(f'{field.name} {field.type}' for field in schema)

"""The command line's ``--to parquet`` and ``--to arrow``: CSV files as columns, by pyarrow.

Batches go from ``csv_batches`` to the file one by one, so that memory does not grow with the
files.  The output takes its name only when it is whole, because a part of it could not be read.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from importlib import import_module
from typing import Any, BinaryIO

from native_generators import CSVError, DataError, csv_batches
from native_generators._cli.conditions import Test
from native_generators._cli.progress import Source, opened, shown
from native_generators._cli.run import status_of
from native_generators._cli.selection import Chosen, Selection
from native_generators._cli.trouble import Trouble
from native_generators._cli.write import Rejects

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

    def __init__(self, options: argparse.Namespace, out: BinaryIO) -> None:
        # Without its stubs, and only where it is there.
        self.pyarrow: Any = import_module('pyarrow')
        self.ipc: Any = import_module('pyarrow.ipc')
        self.options = options
        self.selection = Selection(options)
        self.out = out
        self.schema: Any = None
        self.writer: Any = None
        self.left: int | None = options.head

    def open(self, chosen: Chosen, source: Source, reject: Reject | None) -> csv_batches:
        options = self.options
        return csv_batches(
            source.rest(),
            columns=chosen.columns,
            types=chosen.types or None,
            null=options.null if chosen.types else (),
            on_error='raise' if reject is None else reject,
            **chosen.keywords,
        )

    def read(self, name: str, rejects: Rejects) -> None:
        """Write what is kept of a file."""
        with opened(name) as source:
            chosen = self.selection.of(source.name, source.first)
            if chosen is None:  # an empty file
                return
            rejects.begin(source.name)
            reject = rejects.take if self.options.rejects else None
            with (
                self.open(chosen, source, reject) as batches,
                shown(source, batches, self.options.progress) as progress,
            ):
                schema = self.schema_of(batches)
                self.write(chosen, self.pyarrow.RecordBatch.from_pylist([], schema))
                for batch in batches:
                    self.write(chosen, self.pyarrow.record_batch(batch))
                    rejects.write()
                    progress()
                    if self.left == 0:
                        break
            rejects.write()

    def read_or_name(self, name: str, rejects: Rejects) -> None:
        """Trouble with it says which file it is."""
        try:
            self.read(name, rejects)
        except DataError:
            raise
        except (Trouble, ValueError, LookupError, TypeError) as e:
            raise Trouble(f'{name}: {e}') from None

    def schema_of(self, batches: csv_batches) -> Any:
        try:
            return self.pyarrow.schema(batches)
        except CSVError as e:  # the arguments do not fit the header
            if batches.row_num == 0 and batches.errors == 0:
                raise ValueError(str(e)) from None
            raise

    def write(self, chosen: Chosen, batch: Any) -> None:
        batch = self.kept(chosen, batch)
        if self.schema is None:
            self.schema = batch.schema
            self.writer = self.new_writer()
        elif batch.schema != self.schema:
            raise ValueError(f'its columns are {told(batch.schema)}, and not {told(self.schema)}')
        if self.left is not None:
            batch = batch.slice(0, self.left)
            self.left -= batch.num_rows
        if batch.num_rows > 0:
            self.writer.write_batch(batch)

    def kept(self, chosen: Chosen, batch: Any) -> Any:
        """A batch without the rows and columns that are not wanted."""
        for at, test in chosen.tests:
            batch = batch.filter(self.holds(batch.column(at), test))
        batch = batch.rename_columns(list(chosen.labels))
        written = chosen.written
        return batch if written is None else batch.select(list(range(written)))

    def holds(self, column: Any, test: Test) -> Any:
        return self.pyarrow.array(map(test, column.to_pylist()), type=self.pyarrow.bool_())

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

    def abandon(self) -> None:
        """Close what would else write when it is collected."""
        if self.writer is not None:
            with suppress(Exception):
                self.writer.close()


def told(schema: Any) -> str:
    return ', '.join(f'{field.name} {field.type}' for field in schema)


def run_columns(options: argparse.Namespace) -> int:
    rejects = Rejects(options.rejects, reasons=options.reject_reasons)
    with closing(rejects), sink(options.output) as out:
        columns = Columns(options, out)
        try:
            for name in options.files:
                if columns.left != 0:
                    columns.read_or_name(name, rejects)
        except BaseException:
            columns.abandon()
            raise
        columns.finish()
    return status_of(rejects)

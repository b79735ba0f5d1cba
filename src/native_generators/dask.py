"""CSV files for Dask, split exactly where records begin.

    from generators.dask import read_csv, read_rows

`read_csv` returns a dask.dataframe, `read_rows` a dask.bag.  Files are split by csv_split(), also
where quoted fields contain line ends; large files are scanned by workers.  It requires the extra
`dask`: pip install 'native-generators[dask]'.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from native_generators import _engines
from native_generators._engines import Task

__all__ = ['read_csv', 'read_rows']

SIZE = '64 MiB'


def run(calls: _engines.Calls) -> Iterable[Any]:
    """Call functions by the scheduler that Dask is set to use."""
    dask = _engines.needed('dask', 'dask')
    results: Iterable[Any] = dask.compute(
        *[dask.delayed(function, pure=False)(*arguments) for function, arguments in calls]
    )
    return results


def tasks_of(
    urlpath: Any, blocksize: str | int, options: dict[str, Any] | None, structure: dict[str, Any]
) -> list[Task]:
    _engines.needed('dask', 'dask')
    files = _engines.files_of(urlpath, options, 'dask')
    return _engines.plan(files, _engines.bytes_of(blocksize), structure, run)


class Part:
    """What from_map() calls for each part: the frame of it, of some columns."""

    def __init__(self, schema: Any, reading: dict[str, Any]) -> None:
        self.schema = schema
        self.reading = reading

    def __call__(self, task: Task, columns: list[str] | None = None) -> Any:
        return frame_of(_engines.read_table(task, self.schema, self.reading, columns))

    def __dask_tokenize__(self) -> Any:
        return (str(self.schema), repr(sorted(self.reading.items(), key=str)))


def frame_of(table: Any) -> Any:
    """A pandas frame that is backed by Arrow."""
    pandas = _engines.needed('pandas', 'dask')
    return table.to_pandas(types_mapper=pandas.ArrowDtype)


def read_csv(
    urlpath: Any,
    *,
    blocksize: str | int = SIZE,
    storage_options: dict[str, Any] | None = None,
    **reading: Any,
) -> Any:
    """Return a dask.dataframe of CSV files, with a partition for each part of about `blocksize`
    bytes.

    urlpath is a path or a URL that fsspec supports, which may contain `*`, or a list of them.
    storage_options is passed to fsspec.  The other arguments are those of csv_batches, such as
    types, schema, columns, names and delimiter.  All files must have the same columns.

    This function scans the files; if there is much to scan, the scheduler of Dask does it.  The
    files are read when the frame is computed.  A column that no step needs is not read.  Types that
    are not given are found in the first part.  Frames are backed by Arrow.

    CSVError is raised for a record that can't be read, with the number of its line in the whole
    file.  ValueError is raised if a file has changed since it was scanned.
    """
    dataframe = _engines.needed('dask.dataframe', 'dask')
    tasks = tasks_of(urlpath, blocksize, storage_options, _engines.structure_of(reading))
    schema = _engines.schema_of(tasks[0], reading)
    return dataframe.from_map(
        Part(schema, reading),
        tasks,
        meta=frame_of(schema.empty_table()),
        label='generators-read-csv',
    )


def read_rows(
    urlpath: Any,
    *,
    blocksize: str | int = SIZE,
    storage_options: dict[str, Any] | None = None,
    **reading: Any,
) -> Any:
    """Return a dask.bag of the rows of CSV files, with a partition for each part of about
    `blocksize` bytes.

    `urlpath`, `blocksize` and `storage_options` are as for read_csv().  The other arguments are
    those of csv_rows, such as into=dict, types and on_error.
    """
    bag = _engines.needed('dask.bag', 'dask')
    dask = _engines.needed('dask', 'dask')
    structure = {k: v for k, v in reading.items() if k != 'on_error'}
    tasks = tasks_of(urlpath, blocksize, storage_options, structure)
    read = dask.delayed(_engines.read_rows, pure=False)
    return bag.from_delayed([read(task, reading) for task in tasks])

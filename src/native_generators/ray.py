"""CSV files for Ray Data, cut exactly where records begin.

    from generators.ray import read_csv

    dataset = read_csv('notes.csv', types={'id': int})

Files are cut by csv_split(), also where line ends stand inside quotes; tasks scan them if there is
more than a little.  Blocks are Arrow tables.  `CSVDatasource` is for ray.data.read_datasource().
Requires the extra `ray`: pip install 'native-generators[ray]'.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from native_generators import _engines
from native_generators._engines import Task

__all__ = ['CSVDatasource', 'read_csv']

SIZE = '64 MiB'
LEAST = 1 << 20  # bytes of a part, however many tasks Ray would like
ALONE = 4  # so many ranges are scanned without tasks

CSVDatasource: Any  # made when it is asked for: see __getattr__()


def run(calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> Iterable[Any]:
    """Call functions, as tasks if they are many."""
    if len(calls) <= ALONE:
        return [function(*arguments) for function, arguments in calls]
    ray = _engines.needed('ray', 'ray')

    @ray.remote  # type: ignore[untyped-decorator, unused-ignore]
    def call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return function(*arguments)

    results: Iterable[Any] = ray.get([call.remote(*given) for given in calls])
    return results


def blocks_of(task: Task, schema: Any, reading: dict[str, Any]) -> Iterator[Any]:
    """What a read task gives."""
    yield _engines.read_table(task, schema, reading)


@functools.cache
def make_datasource() -> Any:
    """The class, which has one of Ray's as its base."""
    datasource = _engines.needed('ray.data.datasource', 'ray')
    metadata_type = _engines.needed('ray.data.block', 'ray').BlockMetadata
    metadata_fields = {field.name for field in dataclasses.fields(metadata_type)}

    def metadata_of(task: Task) -> Any:
        assert task.part is not None
        known = {
            'num_rows': None,
            'size_bytes': task.part['end'] - task.part['offset'],
            'schema': None,
            'input_files': [task.file.url],
            'exec_stats': None,
        }
        return metadata_type(**{k: v for k, v in known.items() if k in metadata_fields})

    class CSVDatasource(datasource.Datasource):  # type: ignore[misc, name-defined]
        """CSV files, for ray.data.read_datasource(): see read_csv()."""

        def __init__(
            self,
            paths: Any,
            *,
            blocksize: str | int = SIZE,
            storage_options: dict[str, Any] | None = None,
            **reading: Any,
        ) -> None:
            super().__init__()
            self._blocksize = _engines.bytes_of(blocksize)
            self._files = _engines.files_of(paths, storage_options, 'ray')
            self._reading = reading
            self._size = sum(file.size() for file in self._files)

        def get_name(self) -> str:
            return 'GeneratorsCSV'

        def estimate_inmemory_data_size(self) -> int | None:
            return self._size

        def get_read_tasks(
            self,
            parallelism: int,
            per_task_row_limit: int | None = None,
            data_context: Any = None,
        ) -> list[Any]:
            share = -(-self._size // max(parallelism, 1))
            size = min(self._blocksize, max(share, LEAST))
            structure = _engines.structure_of(self._reading)
            tasks = _engines.plan(self._files, size, structure, run)
            schema = _engines.schema_of(tasks[0], self._reading)
            limit = {} if per_task_row_limit is None else {'per_task_row_limit': per_task_row_limit}
            return [
                datasource.ReadTask(
                    functools.partial(blocks_of, task, schema, self._reading),
                    metadata_of(task),
                    **limit,
                )
                for task in tasks
            ]

    CSVDatasource.__module__ = __name__
    CSVDatasource.__qualname__ = 'CSVDatasource'
    return CSVDatasource


def __getattr__(name: str) -> Any:
    if name == 'CSVDatasource':
        return make_datasource()
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')


def read_csv(
    paths: Any,
    *,
    blocksize: str | int = SIZE,
    storage_options: dict[str, Any] | None = None,
    override_num_blocks: int | None = None,
    concurrency: int | None = None,
    ray_remote_args: dict[str, Any] | None = None,
    **reading: Any,
) -> Any:
    """Read CSV files as a ray.data.Dataset, a read task for each part.

    paths is a path or a URL that fsspec knows, one with `*`, or a list of these.
    storage_options are for fsspec.  A part has at most about `blocksize` bytes, and fewer where
    Ray has more tasks at a time, or override_num_blocks asks for more.  concurrency and
    ray_remote_args are those of ray.data.read_datasource(), and the other arguments those of
    csv_batches: types, schema, columns, names, delimiter and so on.  Files must have the same
    columns.

    Types that are found in the data are those of the first part.

    A record that can't be read is a CSVError, with the line of the whole file, within the error
    of Ray.  A file that has changed since it was scanned is a ValueError.
    """
    data = _engines.needed('ray.data', 'ray')
    source = make_datasource()(
        paths, blocksize=blocksize, storage_options=storage_options, **reading
    )
    return data.read_datasource(
        source,
        override_num_blocks=override_num_blocks,
        concurrency=concurrency,
        ray_remote_args=ray_remote_args,
    )

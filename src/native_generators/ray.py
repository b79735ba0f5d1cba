"""CSV files for Ray Data, split exactly where records begin.

    from generators.ray import read_csv

    dataset = read_csv('notes.csv', types={'id': int})

Files are split by csv_split(), also where quoted fields contain line ends; large files are scanned
by tasks.  Blocks are Arrow tables.  `CSVDatasource` is for ray.data.read_datasource().  It requires
the extra `ray`: pip install 'native-generators[ray]'.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from native_generators import _engines
from native_generators._engines import Task

__all__ = ['CSVDatasource', 'read_csv']

SIZE = '64 MiB'
# Bytes of a part that costs Ray less to start than to read, if nothing is asked for.
LEAST = 8 << 20
NO_COLUMN = '__bsp_stub'  # Ray has no rows without columns, and hides a column of this name

CSVDatasource: Any  # made when it is asked for: see __getattr__()


def run(calls: _engines.Calls) -> Iterable[Any]:
    """Call functions, as tasks."""
    ray = _engines.needed('ray', 'ray')

    @ray.remote  # type: ignore[untyped-decorator, unused-ignore]
    def call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return function(*arguments)

    results: Iterable[Any] = ray.get([call.remote(*given) for given in calls])
    return results


def cores() -> int:
    """Of all machines that Ray has."""
    ray = _engines.needed('ray', 'ray')
    if not ray.is_initialized():
        ray.init()  # as ray.data does when it reads
    return max(int(ray.cluster_resources().get('CPU', 1)), 1)


def blocks_of(
    task: Task, schema: Any, reading: dict[str, Any], columns: list[str] | None
) -> Iterator[Any]:
    """What a read task gives."""
    table = _engines.read_table(task, schema, reading, columns)
    if not table.column_names:
        pa = _engines.needed('pyarrow', 'ray')
        table = pa.table({NO_COLUMN: pa.nulls(table.num_rows)})
    yield table


class Planned(NamedTuple):
    size: int  # bytes of a part
    tasks: list[Task]
    schema: Any


@functools.cache
def make_datasource() -> Any:
    """The class, which has one of Ray's as its base."""
    datasource = _engines.needed('ray.data.datasource', 'ray')
    metadata_type = _engines.needed('ray.data.block', 'ray').BlockMetadata
    metadata_fields = {field.name for field in dataclasses.fields(metadata_type)}
    task_takes = inspect.signature(datasource.ReadTask).parameters
    version = _engines.needed('ray', 'ray').__version__.split('.')
    can_choose = [int(number) for number in version[:2]] >= [2, 60]  # older ones rename as well

    def task_of(task: Task, read: Callable[[], Iterator[Any]], schema: Any, limit: Any) -> Any:
        assert task.part is not None
        known = {
            'num_rows': None,
            'size_bytes': task.part['end'] - task.part['offset'],
            'schema': schema,
            'input_files': [task.file.url],
            'exec_stats': None,
        }
        metadata = metadata_type(**{k: v for k, v in known.items() if k in metadata_fields})
        more = {'schema': schema, 'per_task_row_limit': limit}
        return datasource.ReadTask(
            read, metadata, **{k: v for k, v in more.items() if k in task_takes and v is not None}
        )

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
            self._lengths = [file.size() for file in self._files]
            self._size = sum(self._lengths)
            self._least = LEAST
            self._columns: list[str] | None = None  # all
            self._plans: list[Planned] = []  # the latest; copies of this share it

        def get_name(self) -> str:
            return 'GeneratorsCSV'

        def estimate_inmemory_data_size(self) -> int | None:
            return self._size

        def supports_projection_pushdown(self) -> bool:
            return can_choose

        def get_projection_map(self) -> dict[str, str] | None:
            return None if self._columns is None else {name: name for name in self._columns}

        def apply_projection(self, projection_map: Any) -> CSVDatasource:
            chosen = copy.copy(self)
            if projection_map is not None:
                known = self._columns
                chosen._columns = [c for c in projection_map if known is None or c in known]
            return chosen

        def blocks(self) -> int:
            """How many there are to be: Ray would cut the tables into pieces of 1 MiB."""
            return max(-(-self._size // self._blocksize), 2 * cores())

        def planned(self, parallelism: int) -> Planned:
            """Ray asks several times, for different numbers: the finest plan is kept."""
            share = -(-self._size // max(parallelism, 1))
            size = min(self._blocksize, max(share, self._least))
            if not self._plans or self._plans[0].size > size:
                structure = _engines.structure_of(self._reading)
                tasks = _engines.plan(self._files, size, structure, run, self._lengths)
                schema = _engines.schema_of(tasks[0], self._reading)
                self._plans[:] = [Planned(size, tasks, schema)]
            return self._plans[0]

        def get_read_tasks(
            self,
            parallelism: int,
            per_task_row_limit: int | None = None,
            data_context: Any = None,
        ) -> list[Any]:
            _, tasks, schema = self.planned(parallelism)
            its = schema if self._columns is None else _engines.choose(schema, self._columns)
            return [
                task_of(
                    task,
                    functools.partial(blocks_of, task, schema, self._reading, self._columns),
                    its if its.names else None,
                    per_task_row_limit,
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
    """Return a ray.data.Dataset of CSV files, with a read task for each part.

    paths is a path or a URL that fsspec supports, which may contain `*`, or a list of them.
    storage_options is passed to fsspec.  A part has at most about `blocksize` bytes, and fewer if
    Ray has more cores, or if override_num_blocks asks for more parts.  concurrency and
    ray_remote_args are those of ray.data.read_datasource().  The other arguments are those of
    csv_batches, such as types, schema, columns, names and delimiter.  All files must have the same
    columns.

    Types that are not given are found in the first part.  A column that no step needs is not read,
    if Ray tells which are needed.

    For a record that can't be read, Ray raises its own error, which contains a CSVError with the
    number of the line in the whole file.  ValueError is raised if a file has changed since it was
    scanned.
    """
    data = _engines.needed('ray.data', 'ray')
    source = make_datasource()(
        paths, blocksize=blocksize, storage_options=storage_options, **reading
    )
    if override_num_blocks is None:
        override_num_blocks = source.blocks()
    else:
        source._least = 1
    return data.read_datasource(
        source,
        override_num_blocks=override_num_blocks,
        concurrency=concurrency,
        ray_remote_args=ray_remote_args,
    )

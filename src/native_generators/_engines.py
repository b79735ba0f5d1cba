"""What the adapters for Dask, Ray and Spark share: files, plans, schemas and tables.

Everything that a worker is given can be pickled: a file is a name and how to open it, a part is a
dict, and functions are those of this module.  Nothing of an engine is imported here.
"""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from native_generators._native import csv_batches, csv_rows
from native_generators._split import csv_scan, csv_split

UNITS = {'': 1, 'kb': 10**3, 'mb': 10**6, 'gb': 10**9, 'kib': 2**10, 'mib': 2**20, 'gib': 2**30}
# What csv_batches takes and csv_rows, and with it csv_split, does not.
BATCHES_ONLY = {'schema', 'rows', 'threads'}
# What does not matter to where records are, and may not be picklable or known to a worker.
ROWS_ONLY = {'types', 'columns', 'null', 'ragged', 'into', 'on_error'}
ALONE = 4  # so many files or ranges are asked for without the engine
LOCAL = 1 << 30  # so many bytes of this machine's files are scanned without it
REQUESTS = 8  # at a time, where threads wait for them


def needed(module: str, extra: str) -> Any:
    """A module of an engine."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f'native_generators.{extra} needs {error.name}: '
            f"run `pip install 'native-generators[{extra}]'`",
            name=error.name,
        ) from None


def bytes_of(size: str | int) -> int:
    """``'64 MiB'`` in bytes."""
    if isinstance(size, str):
        found = re.fullmatch(r'\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*', size)
        if found is None or found[2].lower().removesuffix('bytes') not in UNITS:
            raise ValueError(f"blocksize must be a number of bytes, or as '64 MiB', not {size!r}")
        size = int(float(found[1]) * UNITS[found[2].lower()])
    if size < 1:
        raise ValueError(f'blocksize must be positive, not {size}')
    return size


# ---- files ----


class Opener(NamedTuple):
    """A file by its URL, as fsspec opens it; for pickles."""

    url: str
    options: dict[str, Any]
    path: str | None = None  # of a file of this machine, which needs no fsspec

    @contextmanager
    def __call__(self) -> Iterator[Any]:
        """What the readers take: a path, or the file, opened."""
        if self.path is not None:
            yield self.path
            return
        fsspec = importlib.import_module('fsspec')
        with fsspec.open(self.url, 'rb', **self.options) as file:
            yield file

    def size(self) -> int:
        if self.path is not None:
            return os.stat(self.path).st_size
        with self() as file:
            return int(file.seek(0, 2))


def files_of(urlpath: Any, options: dict[str, Any] | None, extra: str) -> list[Opener]:
    """A path or URL, one with ``*``, or several of either."""
    fsspec = needed('fsspec', extra)
    local = importlib.import_module('fsspec.implementations.local').LocalFileSystem
    if not isinstance(urlpath, (list, tuple)):
        urlpath = [urlpath]
    found: list[Opener] = []
    for given in urlpath:
        opened = fsspec.open_files(str(given), 'rb', **(options or {}))
        if not opened:
            raise FileNotFoundError(f'no file is named as {given}')
        for file in opened:
            path = file.path if isinstance(file.fs, local) else None
            found.append(Opener(file.full_name, options or {}, path))
    return found


# ---- plans ----


class Task(NamedTuple):
    """A part of one of the files, or all of it."""

    file: Opener
    part: dict[str, Any] | None


def structure_of(reading: dict[str, Any]) -> dict[str, Any]:
    """What csv_split needs of the arguments of csv_batches or csv_rows."""
    return {
        'header': True,
        **{k: v for k, v in reading.items() if k not in BATCHES_ONLY | ROWS_ONLY},
    }


def scan_file(file: Opener, start: int, stop: int, structure: dict[str, Any]) -> dict[str, Any]:
    with file() as opened:
        return csv_scan(opened, start, stop, **structure)


def plan_file(
    file: Opener, size: int, scans: Sequence[dict[str, Any]] | None, structure: dict[str, Any]
) -> list[Task]:
    with file() as opened:
        if scans is None:
            parts = csv_split(opened, size=size, **structure)
        else:
            parts = csv_split(opened, scans=scans, **structure)
    return [Task(file, part) for part in parts]


Calls = list[tuple[Callable[..., Any], tuple[Any, ...]]]
Run = Callable[[Calls], Iterable[Any]]


def run_by_threads(calls: Calls) -> list[Any]:
    """Where the engine's workers can't be asked, or are slower: requests wait side by side."""
    if len(calls) < 2:
        return [function(*arguments) for function, arguments in calls]
    with ThreadPoolExecutor(REQUESTS) as pool:
        return list(pool.map(lambda call: call[0](*call[1]), calls))


def even(length: int, size: int) -> int:
    """The size of parts of at most `size` bytes that are all as large: none is left over."""
    return max(-(-length // max(-(-length // size), 1)), 1)


def are_local(files: list[Opener]) -> bool:
    return all(file.path is not None for file in files)


def lengths_of(files: list[Opener], run: Run) -> list[int]:
    sizing: Calls = [(Opener.size, (file,)) for file in files]
    alone = are_local(files) or len(files) <= ALONE
    return list(run_by_threads(sizing) if alone else run(sizing))


def plan(
    files: list[Opener],
    size: int,
    structure: dict[str, Any],
    run: Run,
    lengths: list[int] | None = None,
) -> list[Task]:
    """The parts of all files.  `run` has workers call functions, and gives their results.

    `lengths` are those of the files, if they are known.  Workers scan a range of a file each, where
    there is much to scan.  Files of this machine are scanned by threads in less time than an engine
    needs to start its tasks.
    """
    if lengths is None:
        lengths = lengths_of(files, run)
    sizes = [even(length, size) for length in lengths]
    if are_local(files) and sum(lengths) <= LOCAL:
        pairs = zip(files, sizes, strict=True)
        return [task for file, its in pairs for task in plan_file(file, its, None, structure)]
    calls: Calls = []
    owners: list[int] = []
    for i, (file, length, its) in enumerate(zip(files, lengths, sizes, strict=True)):
        for start in range(0, length, its):
            calls.append((scan_file, (file, start, min(start + its, length), structure)))
            owners.append(i)
    scans: list[list[dict[str, Any]]] = [[] for _ in files]
    made = run_by_threads(calls) if len(calls) <= ALONE else run(calls)
    for i, scan in zip(owners, made, strict=True):
        scans[i].append(scan)
    tasks: list[Task] = []
    for file, its, done in zip(files, sizes, scans, strict=True):
        tasks += plan_file(file, its, done or None, structure)
    return tasks


# ---- tables ----


def batch_arguments(reading: dict[str, Any]) -> dict[str, Any]:
    return {'threads': 1, **reading}


def schema_of(task: Task, reading: dict[str, Any]) -> Any:
    """The types of the columns, as the first part says, for all parts."""
    pa = importlib.import_module('pyarrow')
    with (
        task.file() as file,
        closing(csv_batches(file, start=task.part, **batch_arguments(reading))) as batches,
    ):
        return pa.schema(batches)


def choose(schema: Any, columns: Sequence[str]) -> Any:
    """The schema of some columns."""
    pa = importlib.import_module('pyarrow')
    return pa.schema([schema.field(name) for name in columns])


def arguments_of(schema: Any, reading: dict[str, Any], columns: Sequence[str] | None) -> Any:
    """What csv_batches is given for a part: types are those of the schema."""
    rest = {k: v for k, v in batch_arguments(reading).items() if k not in ('types', 'schema')}
    if columns is not None:
        schema = choose(schema, columns)
        rest['columns'] = list(columns)
    return {**rest, 'schema': schema}


def read_batches(
    task: Task, schema: Any, reading: dict[str, Any], columns: Sequence[str] | None = None
) -> Iterator[Any]:
    """The record batches of a part."""
    pa = importlib.import_module('pyarrow')
    arguments = arguments_of(schema, reading, columns)
    with (
        task.file() as file,
        closing(csv_batches(file, start=task.part, **arguments)) as batches,
    ):
        for batch in batches:
            yield pa.record_batch(batch)


def read_table(
    task: Task, schema: Any, reading: dict[str, Any], columns: Sequence[str] | None = None
) -> Any:
    pa = importlib.import_module('pyarrow')
    chosen = arguments_of(schema, reading, columns)['schema']
    return pa.Table.from_batches(read_batches(task, schema, reading, columns), schema=chosen)


def read_rows(task: Task, reading: dict[str, Any]) -> list[Any]:
    """The rows of a part."""
    with task.file() as file, closing(csv_rows(file, start=task.part, **reading)) as rows:
        return list(rows)

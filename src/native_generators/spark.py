"""CSV files for Spark 4, split exactly where records begin.

    from generators.spark import CSVDataSource

    spark.dataSource.register(CSVDataSource)
    frame = spark.read.format('generators').option('types', 'id=int,value=float').load('notes.csv')

Files are split by csv_split(), also where quoted fields contain line ends, and each part is read by
a task, as Arrow record batches.  Options have the names of the parameters of csv_batches.  They are
texts: `true` and `false`, numbers, `none` for None, and lists with commas.  `types` is a list of
NAME=TYPE, with the types int, float, bool, str, bytes, date, time and datetime.  `blocksize` is the
size of a part, such as '64 MiB'.  A schema that is given by `spark.read.schema(...)` decides the
columns and their types.  A path is a path or a URL that fsspec supports, which may contain `*`, or
several of them with commas.  `storage_options` is passed to fsspec, as JSON.

The driver reads the files once to cut them.  Requires the extra `spark`:
pip install 'native-generators[spark]'.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
from collections.abc import Callable, Iterator
from typing import Any

from native_generators import _engines
from native_generators._engines import Task

__all__ = ['CSVDataSource']

SIZE = '64 MiB'

CSVDataSource: Any  # made when it is asked for: see __getattr__()

TYPES: dict[str, Any] = {
    **{kind.__name__: kind for kind in (int, float, bool, str, bytes)},
    'date': dt.date,
    'time': dt.time,
    'datetime': dt.datetime,
}


# ---- options ----


def flag(text: str) -> bool:
    if text.lower() not in ('true', 'false'):
        raise ValueError(f"an option must be 'true' or 'false', not {text!r}")
    return text.lower() == 'true'


def or_none(convert: Callable[[str], Any], text: str) -> Any:
    return None if text.lower() == 'none' else convert(text)


def names(text: str) -> list[str]:
    from native_generators._native import csv_rows

    return next(iter(csv_rows([text])), [])


def types(text: str) -> dict[str, Any]:
    found = {}
    for pair in names(text):
        name, equals, kind = pair.rpartition('=')
        if not equals or kind not in TYPES:
            raise ValueError(f'types must be NAME=TYPE,... with {", ".join(TYPES)}, not {pair!r}')
        found[name] = TYPES[kind]
    return found


number: Callable[[str], Any] = functools.partial(or_none, int)
OPTIONS: dict[str, Callable[[str], Any]] = {
    **dict.fromkeys(('header', 'doublequote', 'skipinitialspace', 'strict'), flag),
    **dict.fromkeys(('max_field', 'max_record'), number),
    **dict.fromkeys(('rows', 'quoting'), int),
    **dict.fromkeys(('delimiter', 'lineterminator', 'encoding', 'errors', 'ragged'), str),
    **dict.fromkeys(('dialect', 'on_error'), str),
    **dict.fromkeys(('quotechar', 'escapechar'), functools.partial(or_none, str)),
    **dict.fromkeys(('columns', 'names', 'null'), names),
    'types': types,
}
OWN = {'path', 'blocksize', 'storage_options'}


def reading_of(options: dict[str, str]) -> dict[str, Any]:
    """What csv_batches is given.  Spark does not tell small letters from large ones."""
    reading = {}
    for name, text in options.items():
        if name.lower() in OPTIONS:
            reading[name.lower()] = OPTIONS[name.lower()](text)
        elif name.lower() not in OWN:
            raise ValueError(f'there is no option {name!r}')
    return reading


# ---- the source ----


def files_of(options: dict[str, str]) -> list[_engines.Opener]:
    if 'path' not in options:
        raise ValueError("there is no path: use load('notes.csv')")
    storage = json.loads(options.get('storage_options', '{}'))
    return _engines.files_of(names(options['path']), storage, 'spark')


def plan(options: dict[str, str], reading: dict[str, Any]) -> list[Task]:
    size = _engines.bytes_of(options.get('blocksize', SIZE))
    return _engines.plan(
        files_of(options), size, _engines.structure_of(reading), _engines.run_by_threads
    )


@functools.cache
def make_classes() -> dict[str, Any]:
    """The classes, which have those of Spark as their bases."""
    base = _engines.needed('pyspark.sql.datasource', 'spark')

    class Part(base.InputPartition):  # type: ignore[misc, name-defined]
        def __init__(self, task: Task) -> None:
            self.task = task

    class CSVReader(base.DataSourceReader):  # type: ignore[misc, name-defined]
        def __init__(self, options: dict[str, str], schema: Any) -> None:
            self.options = options
            self.reading = reading_of(options)
            arrow = _engines.needed('pyspark.sql.pandas.types', 'spark')
            self.schema = arrow.to_arrow_schema(schema)
            self.columns = schema.names

        def partitions(self) -> list[Any]:
            return [Part(task) for task in plan(self.options, self.reading)]

        def read(self, partition: Any) -> Iterator[Any]:
            yield from _engines.read_batches(
                partition.task, self.schema, self.reading, self.columns
            )

    class CSVDataSource(base.DataSource):  # type: ignore[misc, name-defined]
        """CSV files, for spark.dataSource.register(): see the module."""

        @classmethod
        def name(cls) -> str:
            return 'generators'

        def schema(self) -> Any:
            arrow = _engines.needed('pyspark.sql.pandas.types', 'spark')
            reading = reading_of(self.options)
            file = files_of(self.options)[0]
            return arrow.from_arrow_schema(_engines.schema_of(Task(file, None), reading))

        def reader(self, schema: Any) -> Any:
            return CSVReader(dict(self.options), schema)

    made = {'Part': Part, 'CSVReader': CSVReader, 'CSVDataSource': CSVDataSource}
    for name, kind in made.items():
        kind.__module__ = __name__
        kind.__qualname__ = name
    return made


def __getattr__(name: str) -> Any:
    if name in ('CSVDataSource', 'CSVReader', 'Part'):
        return make_classes()[name]
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

"""Dask, Ray and Spark: generators' readers against their own.

    python benchmarks/engines.py [--mb 100] [--rounds 3] [--only WORD ...] [--cpu] [--list]

Both count the rows of a file and add up a column.  On plain rows the peer is the engine's own
reader.  Rows with line ends in quotes are read by Spark's own reader in one partition
(`multiLine`); those of Dask and Ray fail on them.  Ray and Spark work in processes of their own, so
that the time that passes is compared for them, also with --cpu, and the CPU time of all of these
(on Linux).
"""

from __future__ import annotations

import functools
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

from measure import Row, Suite, Work, compared, medians, package

suite = Suite(__doc__, rounds=3, mb=100)
options = suite.options

TYPES: dict[str, Any] = {'id': int, 'temperature': float}


def file_of(name: str, text: Callable[[int, random.Random], str]) -> Path:
    path = suite.folder / f'{name}.csv'
    if not path.exists():
        chance = random.Random(1)
        block = ''.join(
            f'{i},station {i % 400},{chance.random() * 40:.1f},{text(i, chance)}\n'
            for i in range(20_000)
        ).encode()
        with path.open('wb') as file:
            file.write(b'id,station,temperature,text\n')
            for _ in range(int(options.mb * 1e6) // len(block)):
                file.write(block)
    return path


def plain() -> Path:
    return file_of('plain', lambda i, _: f'remark {i}')


def quoted() -> Path:
    return file_of(
        'quoted',
        lambda i, chance: (
            f'"one\ntwo, {i}\n""three""\nfour"' if chance.random() < 1 / 3 else 'none'
        ),
    )


def processes_cpu() -> float:
    """CPU seconds of the processes that this one has started, and of theirs."""
    children: dict[int, list[int]] = {}
    seconds: dict[int, float] = {}
    for folder in Path('/proc').glob('[0-9]*'):
        try:
            fields = (folder / 'stat').read_text('utf-8').rpartition(')')[2].split()
        except OSError:  # it has ended
            continue
        children.setdefault(int(fields[1]), []).append(int(folder.name))
        seconds[int(folder.name)] = sum(map(int, fields[11:15])) / os.sysconf('SC_CLK_TCK')
    found = 0.0
    left = children.get(os.getpid(), [])
    while left:
        process = left.pop()
        left += children.get(process, [])
        found += seconds[process]
    return found


def passed(name: str, peer: str, works: list[Work], bar: float, by: str = 'time') -> Iterator[Row]:
    """The time that passes, and the CPU time of all processes of the engine: the bar is for one."""
    pairs: list[list[tuple[float, float]]] = [[] for _ in works]
    for i in range(options.rounds + 1):
        for work, found in zip(works, pairs, strict=True):
            busy, began = processes_cpu() + time.process_time(), time.perf_counter()
            work()
            took = time.perf_counter() - began
            if i > 0:
                found.append((took, processes_cpu() + time.process_time() - busy))
    for i, what in enumerate(('time', 'CPU')):
        theirs, ours = (median(one[i] for one in found) for found in pairs)
        yield compared(f'{name}, {what}', peer, theirs, ours, bar if what == by else None)


@suite.measurement
def dask() -> Iterator[Row]:
    dataframe = package('dask.dataframe')
    package('dask').config.set(scheduler='threads')
    from generators.dask import read_csv

    def answer(frame: Any) -> Any:
        return package('dask').compute(frame.temperature.sum(), frame.id.count())

    path = plain()
    works: list[Work] = [
        lambda: answer(dataframe.read_csv(path, blocksize='16MB')),
        lambda: answer(read_csv(path, blocksize='16 MB', types=TYPES)),
    ]
    if answer(read_csv(path, types=TYPES))[1] != answer(dataframe.read_csv(path))[1]:
        raise AssertionError('the rows differ')
    theirs, ours = medians(works, options.rounds)
    yield compared('dask: two columns of plain rows', 'dask.dataframe.read_csv', theirs, ours, 1)
    frame = dataframe.read_csv(path, blocksize='16MB')
    mine = read_csv(path, blocksize='16 MB', types=TYPES)
    theirs, ours = medians([lambda: frame.compute(), lambda: mine.compute()], options.rounds)
    yield compared('dask: all columns, the plan apart', 'dask.dataframe.read_csv', theirs, ours, 1)


def chain(read: Callable[[], Any], end: Callable[[Any], Any]) -> Any:
    return end(read())


def sum_of(table: Any) -> Any:
    total = package('pyarrow.compute').sum(table['temperature'])
    return package('pyarrow').table({'sum': [total.as_py()]})


def sums(rows: Any) -> Any:
    return rows.map_batches(sum_of, batch_format='pyarrow', batch_size=None).take_all()


@suite.measurement
def ray() -> Iterator[Row]:
    engine = package('ray')
    data = package('ray.data')
    from generators.ray import read_csv

    engine.init(
        num_cpus=os.cpu_count(),
        include_dashboard=False,
        _node_ip_address='127.0.0.1',
        runtime_env={'env_vars': {'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}},
        log_to_driver=False,
    )
    try:
        path = str(plain())
        readers = [lambda: data.read_csv(path), lambda: read_csv(path, types=TYPES)]
        ends = {  # sum() starts a process anew each time, which takes most of it
            'ray: the sum of a column': ('CPU', lambda rows: rows.sum('temperature')),
            'ray: sums by map_batches': ('time', sums),
            'ray: all columns, materialized': ('time', lambda rows: rows.materialize()),
        }
        for name, (by, end) in ends.items():
            works: list[Work] = [functools.partial(chain, read, end) for read in readers]
            yield from passed(f'{name}, plain rows', 'ray.data.read_csv', works, 1, by)
    finally:
        engine.shutdown()


@suite.measurement
def spark() -> Iterator[Row]:
    sql = package('pyspark.sql')
    from generators.spark import CSVDataSource

    os.environ.update(PYSPARK_PYTHON=sys.executable, SPARK_LOCAL_IP='127.0.0.1')
    os.environ['PYTHONPATH'] = os.pathsep.join(filter(None, sys.path))
    builder = sql.SparkSession.builder.master('local[2]').config('spark.ui.enabled', 'false')
    session = builder.config('spark.driver.bindAddress', '127.0.0.1').getOrCreate()
    session.sparkContext.setLogLevel('OFF')
    session.dataSource.register(CSVDataSource)
    schema = 'id long, station string, temperature double, text string'

    def answer(reader: Any, path: Path) -> Any:
        return reader.schema(schema).load(str(path)).agg({'temperature': 'sum', 'id': 'count'})

    def theirs_of(path: Path, **more: Any) -> Any:
        reader = session.read.format('csv').options(header=True, escape='"', **more)
        return answer(reader, path).collect()

    def ours_of(path: Path) -> Any:
        return answer(session.read.format('generators'), path).collect()

    try:
        works: list[Work] = [lambda: theirs_of(plain()), lambda: ours_of(plain())]
        yield from passed('spark: plain rows', 'csv', works, 1)
        works = [lambda: theirs_of(quoted(), multiLine=True), lambda: ours_of(quoted())]
        yield from passed('spark: line ends in quotes', 'csv, multiLine', works, 1.5)
    finally:
        session.stop()


if __name__ == '__main__':
    sys.exit(suite.main())

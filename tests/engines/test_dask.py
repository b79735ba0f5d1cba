"""``generators.dask`` on every scheduler, among them a cluster that is started for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError

from .files import TYPES, write_notes

dask: Any = pytest.importorskip('dask')
dataframe: Any = pytest.importorskip('dask.dataframe')
pytest.importorskip('fsspec')
pytest.importorskip('pyarrow')

from generators.dask import read_csv, read_rows  # noqa: E402

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings('ignore'),  # those of the engine
]

Rows = list[dict[str, Any]]


@pytest.fixture(scope='module')
def notes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    path = tmp_path_factory.mktemp('dask') / 'notes.csv'
    return path, write_notes(path, 6000)


@pytest.fixture(scope='module')
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip('distributed')
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, host='127.0.0.1'
        ) as made,
        distributed.Client(made) as client,
    ):
        yield client


def rows_of(frame: Any) -> Rows:
    found: Rows = frame.compute().to_dict('records')
    return found


@pytest.mark.parametrize('scheduler', ['synchronous', 'threads', 'processes'])
def test_line_ends_in_quotes(scheduler: str, notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    with dask.config.set(scheduler=scheduler):
        frame = read_csv(str(path), blocksize='20 KB', types=TYPES)
        assert frame.npartitions > 8
        assert [*frame.columns] == ['id', 'note', 'value']
        assert rows_of(frame) == rows


def test_a_cluster(cluster: Any, notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    frame = read_csv(path, blocksize=30_000, types=TYPES)
    assert rows_of(frame) == rows
    assert frame.value.sum().compute() == pytest.approx(sum(row['value'] for row in rows))
    assert read_rows(path, blocksize=30_000, into=dict, types=TYPES).compute() == rows


def die_once(flag: str, frame: Any) -> Any:
    try:
        os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return frame
    os._exit(1)


def test_a_worker_that_is_killed(cluster: Any, notes: tuple[Path, Rows], tmp_path: Path) -> None:
    path, rows = notes
    frame = read_csv(path, blocksize=30_000, types=TYPES)
    dying = frame.map_partitions(
        lambda part, flag=str(tmp_path / 'died'): die_once(flag, part), meta=frame._meta
    )
    assert rows_of(dying) == rows
    assert (tmp_path / 'died').exists()


def test_columns_that_are_not_needed_are_not_read(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    bad = {'id': int, 'note': float, 'value': float}  # no note is a number
    frame = read_csv(path, blocksize='50 KB', types=bad)
    assert frame[['id']].compute()['id'].tolist() == [row['id'] for row in rows]
    with pytest.raises(CSVError, match=r'column .note'):
        frame.compute(scheduler='synchronous')


def test_several_files(tmp_path: Path) -> None:
    rows: Rows = []
    for i in range(3):
        rows += write_notes(tmp_path / f'part-{i}.csv', 300 * i, seed=i)
    with dask.config.set(scheduler='synchronous'):
        for urlpath in (
            str(tmp_path / '*.csv'),
            [tmp_path / f'part-{i}.csv' for i in range(3)],
            f'file://{tmp_path}/part-*.csv',
        ):
            frame = read_csv(urlpath, blocksize='10KiB', types=TYPES)
            assert rows_of(frame) == rows
    with pytest.raises(FileNotFoundError):
        read_csv(str(tmp_path / 'no-*.csv'))


def test_a_file_in_memory(notes: tuple[Path, Rows]) -> None:
    fsspec = pytest.importorskip('fsspec')
    path, rows = notes
    with fsspec.open('memory://notes.csv', 'wb') as file:
        file.write(path.read_bytes())
    with dask.config.set(scheduler='threads'):
        assert rows_of(read_csv('memory://notes.csv', blocksize='20 KB', types=TYPES)) == rows


def test_a_file_behind_a_cache(notes: tuple[Path, Rows], tmp_path: Path) -> None:
    """Its path there is none of this machine's."""
    fsspec = pytest.importorskip('fsspec')
    path, rows = notes
    with fsspec.open('memory://cached.csv', 'wb') as file:
        file.write(path.read_bytes())
    options = {'filecache': {'cache_storage': str(tmp_path / 'cache')}}
    with dask.config.set(scheduler='threads'):
        frame = read_csv('filecache::memory://cached.csv', storage_options=options, types=TYPES)
        assert rows_of(frame) == rows


@pytest.mark.parametrize(
    ('text', 'arguments'),
    [
        ("id;note\n1;'a\n;'\n2;b\n", {'delimiter': ';', 'quotechar': "'"}),
        ('id\tnote\n1\ta\\\nb\n2\tc\n', {'delimiter': '\t', 'escapechar': '\\', 'quoting': 3}),
        ('1,"a\nb"\n2,c\n', {'header': False, 'names': ['id', 'note']}),
    ],
)
def test_dialects(text: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    from generators import csv_rows

    path = tmp_path / 'data.csv'
    path.write_text(text, newline='')
    expected = list(csv_rows(path, into=dict, types={'id': int}, **arguments))
    with dask.config.set(scheduler='synchronous'):
        for size in range(1, len(text) + 2):
            frame = read_csv(path, blocksize=size, types={'id': int}, **arguments)
            assert rows_of(frame) == expected
            bag = read_rows(path, blocksize=size, into=dict, types={'id': int}, **arguments)
            assert bag.compute() == expected


def test_a_bad_record_is_named_with_the_line_of_the_whole_file(
    notes: tuple[Path, Rows], tmp_path: Path
) -> None:
    path = tmp_path / 'bad.csv'
    data = notes[0].read_bytes()
    path.write_bytes(data + b'none,"a\nb",1\n')
    frame = read_csv(path, blocksize='20 KB', types=TYPES)
    line = data.count(b'\n') + 1
    with pytest.raises(CSVError, match=f'line {line}'):
        frame.compute(scheduler='synchronous')
    skipped = read_csv(path, blocksize='20 KB', types=TYPES, on_error='skip')
    assert skipped.compute(scheduler='threads').to_dict('records') == notes[1]


def test_a_file_that_changed_after_the_plan(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    write_notes(path, 50)
    frame = read_csv(path, types=TYPES)
    write_notes(path, 60)
    with pytest.raises(ValueError, match='the file has changed'):
        frame.compute(scheduler='synchronous')


def test_wrong_block_sizes(notes: tuple[Path, Rows]) -> None:
    for size in ('many', '3 parsecs', 0, -1):
        with pytest.raises(ValueError, match='blocksize must be'):
            read_csv(notes[0], blocksize=size)


def test_without_the_engine() -> None:
    code = (
        'import sys; sys.modules["dask"] = sys.modules["dask.dataframe"] = None\n'
        'import generators.dask\n'
        'try: generators.dask.read_csv("x.csv")\n'
        'except ModuleNotFoundError as e: print(e)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert "pip install 'native-generators[dask]'" in done.stdout

"""``generators.ray`` on a Ray that is started for it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from native_generators import _engines

from .files import TYPES, write_notes

ray: Any = pytest.importorskip('ray')
pytest.importorskip('ray.data')
pytest.importorskip('fsspec')

from generators.ray import CSVDatasource, read_csv  # noqa: E402

pytestmark = [
    pytest.mark.timeout(280),
    pytest.mark.filterwarnings('ignore'),  # those of the engine
]

Rows = list[dict[str, Any]]


@pytest.fixture(scope='module')
def notes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    path = tmp_path_factory.mktemp('ray') / 'notes.csv'
    return path, write_notes(path, 6000)


@pytest.fixture(scope='module', autouse=True)
def started() -> Iterator[None]:
    os.environ['RAY_USAGE_STATS_ENABLED'] = '0'
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        _node_ip_address='127.0.0.1',
        object_store_memory=100 << 20,
        runtime_env={'env_vars': {'PYTHONPATH': os.pathsep.join(sys.path)}},
        log_to_driver=False,
    )
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    yield
    ray.shutdown()


def rows_of(dataset: Any) -> Rows:
    return [dict(row) for row in dataset.take_all()]


def test_line_ends_in_quotes(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    dataset = read_csv(str(path), blocksize='30 KB', types=TYPES)
    assert rows_of(dataset) == rows
    tasks = CSVDatasource(path, blocksize='30 KB', types=TYPES).get_read_tasks(2)
    assert len(tasks) > 5


def test_columns_and_the_sum_of_one(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    dataset = read_csv(path, blocksize='60 KB', types={'value': float}, columns=['value'])
    assert dataset.sum('value') == pytest.approx(sum(row['value'] for row in rows))


def test_columns_that_are_not_needed_are_not_read(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    bad = {'id': int, 'note': float, 'value': float}  # no note is a number
    dataset = read_csv(path, blocksize='60 KB', types=bad)
    assert dataset.schema().names == ['id', 'note', 'value']
    chosen = dataset.select_columns(['value', 'id'])
    assert rows_of(chosen) == [{'value': row['value'], 'id': row['id']} for row in rows]
    assert rows_of(chosen.select_columns(['id'])) == [{'id': row['id']} for row in rows]
    assert dataset.count() == len(rows)
    with pytest.raises(Exception, match=r'column .note'):
        dataset.take_all()


def test_the_files_are_scanned_once(
    notes: tuple[Path, Rows], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, rows = notes
    plan, sizes = _engines.plan, []

    def counted(files: Any, size: int, *more: Any) -> Any:
        sizes.append(size)
        return plan(files, size, *more)

    monkeypatch.setattr(_engines, 'plan', counted)
    dataset = read_csv(path, blocksize='60 KB', types=TYPES)
    assert dataset.count() == len(rows_of(dataset)) == len(rows)
    assert sizes == [60_000]


def test_the_number_of_blocks(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    few = read_csv(path, types=TYPES).materialize()
    assert few.num_blocks() == 4  # two for each core
    many = read_csv(path, types=TYPES, override_num_blocks=9).materialize()
    assert many.num_blocks() == 9
    assert rows_of(few) == rows_of(many) == rows
    tasks = CSVDatasource(path, blocksize='60 KB', types=TYPES).get_read_tasks(1)
    assert sum(table.num_rows for task in tasks for table in task()) == len(rows)


def test_tasks_scan_large_files(notes: tuple[Path, Rows], monkeypatch: pytest.MonkeyPatch) -> None:
    path, rows = notes
    monkeypatch.setattr(_engines, 'LOCAL', 0)
    assert rows_of(read_csv(path, blocksize='30 KB', types=TYPES)) == rows


def test_a_limit(notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    assert rows_of(read_csv(path, blocksize='60 KB', types=TYPES).limit(7)) == rows[:7]


def test_a_task_that_is_killed(notes: tuple[Path, Rows], tmp_path: Path) -> None:
    path, rows = notes
    flag = str(tmp_path / 'died')

    def die_once(batch: Any) -> Any:
        try:
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return batch
        os._exit(1)

    dataset = read_csv(path, blocksize='60 KB', types=TYPES)
    assert rows_of(dataset.map_batches(die_once, batch_format='pyarrow')) == rows
    assert os.path.exists(flag)


def test_a_bad_record_is_named_with_the_line_of_the_whole_file(
    notes: tuple[Path, Rows], tmp_path: Path
) -> None:
    path = tmp_path / 'bad.csv'
    data = notes[0].read_bytes()
    path.write_bytes(data + b'none,"a\nb",1\n')
    line = data.count(b'\n') + 1
    with pytest.raises(Exception, match=f'line {line}'):
        read_csv(path, blocksize='60 KB', types=TYPES).take_all()
    skipped = read_csv(path, blocksize='60 KB', types=TYPES, on_error='skip')
    assert rows_of(skipped) == notes[1]


def test_without_the_engine() -> None:
    code = (
        'import sys; sys.modules["ray"] = sys.modules["ray.data"] = None\n'
        'import generators.ray\n'
        'try: generators.ray.read_csv("x.csv")\n'
        'except ModuleNotFoundError as e: print(e)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert "pip install 'native-generators[ray]'" in done.stdout

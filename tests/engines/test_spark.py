"""``generators.spark`` on a Spark that is started for it, on two cores."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .files import write_notes

pyspark: Any = pytest.importorskip('pyspark')
pytest.importorskip('pyspark.sql.datasource')
pytest.importorskip('fsspec')
pytest.importorskip('pandas')
if shutil.which('java') is None and 'JAVA_HOME' not in os.environ:
    pytest.skip('no Java', allow_module_level=True)

from generators import spark as ours  # noqa: E402

pytestmark = [
    pytest.mark.timeout(280),
    pytest.mark.filterwarnings('ignore'),  # those of the engine
]

Rows = list[dict[str, Any]]
KINDS = 'id=int,value=float'


@pytest.fixture(scope='module')
def notes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    path = tmp_path_factory.mktemp('spark') / 'notes.csv'
    return path, write_notes(path, 6000)


@pytest.fixture(scope='module')
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv('PYSPARK_PYTHON', sys.executable)
        patch.setenv('PYSPARK_DRIVER_PYTHON', sys.executable)
        patch.setenv('PYTHONPATH', os.pathsep.join(path for path in sys.path if path))
        patch.setenv('SPARK_LOCAL_IP', '127.0.0.1')
        session = (
            pyspark.sql.SparkSession.builder.master('local[2,3]')
            .config('spark.ui.enabled', 'false')
            .config('spark.driver.bindAddress', '127.0.0.1')
            .config('spark.driver.host', '127.0.0.1')
            .config('spark.sql.warehouse.dir', str(tmp_path_factory.mktemp('warehouse')))
            .config('spark.sql.execution.arrow.pyspark.enabled', 'true')
            .getOrCreate()
        )
        session.sparkContext.setLogLevel('OFF')
        session.dataSource.register(ours.CSVDataSource)
        yield session
        session.stop()


def read(spark: Any, path: Path, **options: str) -> Any:
    reader = spark.read.format('generators')
    for name, value in options.items():
        reader = reader.option(name, value)
    return reader.load(str(path))


def rows_of(frame: Any) -> Rows:
    return [row.asDict() for row in frame.collect()]


def test_line_ends_in_quotes(spark: Any, notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    frame = read(spark, path, types=KINDS, blocksize='30 KB')
    assert frame.schema.simpleString() == 'struct<id:bigint,note:string,value:double>'
    assert frame.rdd.getNumPartitions() > 5
    assert rows_of(frame) == rows
    assert frame.count() == len(rows)


def test_a_schema_that_is_given(spark: Any, notes: tuple[Path, Rows]) -> None:
    path, rows = notes
    frame = (
        spark.read.format('generators')
        .schema('value double, id int')
        .option('blocksize', '60 KB')
        .load(str(path))
    )
    assert rows_of(frame) == [{'value': row['value'], 'id': row['id']} for row in rows]


def test_several_files_and_a_dialect(spark: Any, tmp_path: Path) -> None:
    for i in range(3):
        (tmp_path / f'{i}.csv').write_text(f"{i};'a\n;b'\n{i};c\n", newline='')
    frame = read(
        spark,
        tmp_path / '*.csv',
        delimiter=';',
        quotechar="'",
        header='false',
        names='id,note',
        types='id=int',
    )
    expected = [{'id': i, 'note': note} for i in range(3) for note in ('a\n;b', 'c')]
    assert rows_of(frame) == expected


def test_a_bad_record_is_named_with_the_line_of_the_whole_file(
    spark: Any, notes: tuple[Path, Rows], tmp_path: Path
) -> None:
    path = tmp_path / 'bad.csv'
    data = notes[0].read_bytes()
    path.write_bytes(data + b'none,"a\nb",1\n')
    line = data.count(b'\n') + 1
    with pytest.raises(Exception, match=f'line {line}'):
        read(spark, path, types=KINDS, blocksize='60 KB').collect()
    assert rows_of(read(spark, path, types=KINDS, on_error='skip')) == notes[1]


def test_a_task_that_is_killed(spark: Any, notes: tuple[Path, Rows], tmp_path: Path) -> None:
    path, rows = notes
    flag = str(tmp_path / 'died')

    def die_once(batches: Any) -> Any:
        try:
            os.close(os.open(flag, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            yield from batches
            return
        os._exit(1)

    frame = read(spark, path, types=KINDS, blocksize='60 KB')
    assert rows_of(frame.mapInArrow(die_once, frame.schema)) == rows
    assert os.path.exists(flag)


def test_wrong_options(spark: Any, notes: tuple[Path, Rows]) -> None:
    for options, word in (
        ({'colour': 'red'}, 'no option'),
        ({'types': 'id=number'}, 'NAME=TYPE'),
        ({'strict': 'maybe'}, "'true' or 'false'"),
    ):
        with pytest.raises(Exception, match=word):
            read(spark, notes[0], **options).collect()


def test_what_spark_calls_in_its_workers(notes: tuple[Path, Rows]) -> None:
    """The hooks of a data source, without Spark between them and the test."""
    path, rows = notes
    options = {'path': str(path), 'types': KINDS, 'blocksize': '60 KB', 'storage_options': '{}'}
    source = ours.CSVDataSource(options)
    schema = source.schema()
    assert schema.simpleString() == 'struct<id:bigint,note:string,value:double>'
    reader = source.reader(schema)
    parts = reader.partitions()
    assert len(parts) > 2
    read = [batch for part in parts for batch in reader.read(part)]
    assert [row for batch in read for row in batch.to_pylist()] == rows
    with pytest.raises(ValueError, match=r"use load\('notes.csv'\)"):
        ours.CSVDataSource({}).schema()
    with pytest.raises(ValueError, match="there is no option 'delimeter'"):
        ours.CSVDataSource({**options, 'delimeter': ';'}).schema()
    with pytest.raises(AttributeError, match="no attribute 'CSVSource'"):
        ours.CSVSource  # noqa: B018
    empty = path.with_name('none.csv')
    with pytest.raises(FileNotFoundError):
        ours.CSVDataSource({**options, 'path': str(empty)}).schema()


def test_options_are_texts() -> None:
    given = {
        'path': 'x',
        'Header': 'False',
        'quotechar': 'none',
        'max_field': '7',
        'null': 'NA,"a,b"',
    }
    assert ours.reading_of(given) == {
        'header': False,
        'quotechar': None,
        'max_field': 7,
        'null': ['NA', 'a,b'],
    }


def test_without_the_engine() -> None:
    code = (
        'import sys; sys.modules["pyspark"] = None\n'
        'import generators.spark\n'
        'try: generators.spark.CSVDataSource\n'
        'except ModuleNotFoundError as e: print(e)\n'
    )
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert "pip install 'native-generators[spark]'" in done.stdout

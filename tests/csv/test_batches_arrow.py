"""``csv_batches`` and its batches by the Arrow PyCapsule interface, and those who take them."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, csv_batches, csv_encode

from .batches import pa, values

SOURCE = b'id,name\n' + b''.join(b'%d,n%d\n' % (i, i) for i in range(100))
TYPES = {'id': int}
SCHEMA = pa.schema([('id', pa.int64()), ('name', pa.string())])
ROWS = [{'id': i, 'name': f'n{i}'} for i in range(100)]


# --- the structs, as a consumer in C sees them --------------------------------------------------


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


RELEASE_SCHEMA = ctypes.CFUNCTYPE(None, ctypes.POINTER(Schema))
RELEASE_ARRAY = ctypes.CFUNCTYPE(None, ctypes.POINTER(Array))
RELEASE_STREAM = ctypes.CFUNCTYPE(None, ctypes.POINTER(Stream))
GET_SCHEMA = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Schema))
GET_NEXT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(Stream), ctypes.POINTER(Array))
GET_ERROR = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.POINTER(Stream))

Schema._fields_ = [
    ('format', ctypes.c_char_p),
    ('name', ctypes.c_char_p),
    ('metadata', ctypes.c_char_p),
    ('flags', ctypes.c_int64),
    ('n_children', ctypes.c_int64),
    ('children', ctypes.POINTER(ctypes.POINTER(Schema))),
    ('dictionary', ctypes.POINTER(Schema)),
    ('release', RELEASE_SCHEMA),
    ('private_data', ctypes.c_void_p),
]
Array._fields_ = [
    ('length', ctypes.c_int64),
    ('null_count', ctypes.c_int64),
    ('offset', ctypes.c_int64),
    ('n_buffers', ctypes.c_int64),
    ('n_children', ctypes.c_int64),
    ('buffers', ctypes.POINTER(ctypes.c_void_p)),
    ('children', ctypes.POINTER(ctypes.POINTER(Array))),
    ('dictionary', ctypes.POINTER(Array)),
    ('release', RELEASE_ARRAY),
    ('private_data', ctypes.c_void_p),
]
Stream._fields_ = [
    ('get_schema', GET_SCHEMA),
    ('get_next', GET_NEXT),
    ('get_last_error', GET_ERROR),
    ('release', RELEASE_STREAM),
    ('private_data', ctypes.c_void_p),
]

pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
pointer_of.restype = ctypes.c_void_p
pointer_of.argtypes = [ctypes.py_object, ctypes.c_char_p]


def struct_of(capsule: object, kind: type[Any], name: bytes) -> Any:
    return kind.from_address(pointer_of(capsule, name))


def run(tmp_path: Path, program: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own, which a fault would end."""
    script = tmp_path / 'program.py'
    script.write_text(program)
    return subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, check=False, timeout=60
    )


def release_of(held: Any) -> Any:
    """Its release function, which a struct that is released has no more."""
    return type(held.release)(ctypes.cast(held.release, ctypes.c_void_p).value)


def stream_of(capsule: object) -> Stream:
    return struct_of(capsule, Stream, b'arrow_array_stream')


def test_an_array_is_released_in_any_order() -> None:
    batch = next(csv_batches(SOURCE, types=TYPES))
    schema_capsule, array_capsule = batch.__arrow_c_array__()
    schema = struct_of(schema_capsule, Schema, b'arrow_schema')
    array = struct_of(array_capsule, Array, b'arrow_array')
    assert (schema.format, schema.n_children, array.length, array.n_children) == (b'+s', 2, 100, 2)
    assert [schema.children[i][0].format for i in range(2)] == [b'l', b'u']
    # A consumer moves a child out, releases the parent, and reads the child.
    moved = Array()
    ctypes.memmove(ctypes.byref(moved), array.children[0], ctypes.sizeof(Array))
    array.children[0][0].release = RELEASE_ARRAY()
    del batch
    release_of(array)(ctypes.byref(array))
    assert not array.release
    release = release_of(moved)
    numbers = ctypes.cast(moved.buffers[1], ctypes.POINTER(ctypes.c_int64))
    assert list(numbers[:100]) == list(range(100))
    release(ctypes.byref(moved))
    assert not moved.release
    release(ctypes.byref(moved))  # twice
    first = schema.children[0][0]
    for held in (first, schema):
        release_held = release_of(held)
        release_held(ctypes.byref(held))
        assert not held.release
        release_held(ctypes.byref(held))
    del schema_capsule, array_capsule


def test_a_stream_is_released_early_twice_and_from_another_thread() -> None:
    for release_on_thread in (False, True):
        log: list[str] = []

        def source(log: list[str] = log) -> Iterator[bytes]:
            try:
                yield b'x\n1\n'
                yield b'2\n'
            finally:
                log.append(threading.current_thread().name)

        capsule = csv_batches(source(), rows=1).__arrow_c_stream__()
        stream = stream_of(capsule)
        array = Array()
        assert stream.get_next(ctypes.byref(stream), ctypes.byref(array)) == 0
        assert array.length == 1
        release = release_of(stream)

        def let_go(stream: Any = stream, release: Any = release) -> None:
            release(ctypes.byref(stream))
            release(ctypes.byref(stream))

        if release_on_thread:
            thread = threading.Thread(target=let_go, name='other')
            thread.start()
            thread.join()
        else:
            let_go()
        assert log == ['other' if release_on_thread else 'MainThread']
        assert not stream.release
        assert array.length == 1
        release_of(array)(ctypes.byref(array))
        del capsule
        gc.collect()
        assert len(log) == 1


def test_a_stream_that_nobody_takes_closes_its_source() -> None:
    log: list[str] = []

    def source() -> Iterator[bytes]:
        try:
            yield b'x\n1\n'
            yield b'2\n'
        finally:
            log.append('closed')

    batches = csv_batches(source(), rows=1)
    next(batches)
    capsule = batches.__arrow_c_stream__()
    del batches
    assert log == []
    del capsule
    assert log == ['closed']


def test_a_thread_that_python_has_never_seen_reads_a_stream(tmp_path: Path) -> None:
    program = """
import sys
import pyarrow as pa, pyarrow.dataset as ds
from generators import csv_batches
source = b'x,y\\n' + b'1,2\\n' * 50000
reader = pa.RecordBatchReader.from_stream(csv_batches(source, rows=100, types={'x': int}))
print(ds.Scanner.from_batches(reader, use_threads=True).to_table().num_rows)
# Never released, and released when the interpreter ends.
sys.kept = csv_batches(source).__arrow_c_stream__()
sys.batch = next(csv_batches(source)).__arrow_c_array__()
sys.reader = pa.RecordBatchReader.from_stream(csv_batches(source))
sys.reader.read_next_batch()
"""
    done = run(tmp_path, program)
    assert (done.returncode, done.stdout, done.stderr) == (0, '50000\n', '')


# --- handing over -------------------------------------------------------------------------------


def test_a_stream_is_handed_over_once() -> None:
    stream = csv_batches(SOURCE, types=TYPES)
    table = pa.table(stream)
    assert table.schema == SCHEMA
    assert table.to_pylist() == ROWS
    with pytest.raises(ValueError, match='handed over already'):
        pa.table(stream)
    assert list(stream) == []


@pytest.mark.parametrize('use', [list, lambda stream: stream.close()])
def test_a_stream_that_has_ended_is_no_empty_table(use: Any) -> None:
    stream = csv_batches(SOURCE)
    use(stream)
    with pytest.raises(ValueError, match='has ended'):
        pa.table(stream)


def test_what_is_left_is_handed_over() -> None:
    stream = csv_batches(SOURCE, types=TYPES, rows=30)
    next(stream)
    table = pa.table(stream)
    assert table.to_pylist() == ROWS[30:]
    stream = csv_batches(SOURCE, types=TYPES, rows=30).prime()
    assert pa.table(stream).to_pylist() == ROWS


def test_no_rows_are_an_empty_table() -> None:
    for primed in (False, True):
        stream = csv_batches(b'id,name\n', types=TYPES)
        if primed:
            stream.prime()
        table = pa.table(stream)
        assert (table.num_rows, table.schema) == (0, SCHEMA)


def test_a_closed_generator_is_an_error_of_its_stream() -> None:
    with csv_batches(SOURCE, rows=10) as stream:
        reader = pa.RecordBatchReader.from_stream(stream)
        reader.read_next_batch()
    with pytest.raises(pa.ArrowInvalid, match='the generator of this stream was closed'):
        reader.read_all()


def test_the_schema_before_any_batch() -> None:
    import datetime as dt

    stream = csv_batches(b'at,n\n"",1\n2024-01-01T00:00Z,2\n', types={'at': dt.datetime, 'n': int})
    expected = pa.schema([('at', pa.timestamp('us', 'UTC')), ('n', pa.int64())])
    assert pa.schema(stream) == expected
    assert pa.schema(stream) == expected
    assert stream.row_num == 2
    assert pa.table(stream).schema == expected
    assert pa.schema(stream) == expected
    stream = csv_batches(SOURCE, types=TYPES)
    assert pa.schema(stream) == SCHEMA
    assert (stream.row_num, stream.line_num) == (0, 1)
    stream.close()
    assert pa.schema(stream) == SCHEMA
    stream = csv_batches(SOURCE)
    stream.close()
    with pytest.raises(ValueError, match='closed before it had a schema'):
        pa.schema(stream)
    assert pa.schema(csv_batches(b'1,2\n', header=False)).names == ['f0', 'f1']
    assert pa.schema(next(csv_batches(SOURCE, types=TYPES))) == SCHEMA


def test_a_source_that_raises_before_the_schema() -> None:
    def source() -> Iterator[bytes]:
        raise LookupError('gone')
        yield b''

    for ask in (pa.schema, lambda stream: stream.__arrow_c_schema__()):
        with pytest.raises(LookupError, match='gone'):
            ask(csv_batches(source()))
    with pytest.raises(OSError, match='LookupError: gone'):
        pa.table(csv_batches(source()))


def test_the_message_of_an_error_has_its_place() -> None:
    stream = csv_batches(b'id,name\n1,a\nx,b\n', types=TYPES)
    reader = pa.RecordBatchReader.from_stream(stream)
    assert len(reader.read_next_batch()) == 1
    for _ in range(2):  # and never the end
        with pytest.raises(
            pa.ArrowInvalid, match=r"'x' \(record 3, line 3, byte 12, column 'id', 'x'\)"
        ):
            reader.read_next_batch()


def test_errors_of_a_source_are_errors_of_reading() -> None:
    def source() -> Iterator[bytes]:
        yield b'x\n1\n'
        raise failures[-1]

    failures: list[BaseException] = []
    for failure, kind, message in (
        (OSError('disk'), OSError, 'OSError: disk'),
        (RuntimeError(), OSError, 'RuntimeError'),
    ):
        failures.append(failure)
        reader = pa.RecordBatchReader.from_stream(csv_batches(source()))
        assert len(reader.read_next_batch()) == 1
        with pytest.raises(kind, match=message):
            reader.read_next_batch()
    failures.append(MemoryError('no room'))  # at once
    with pytest.raises(pa.ArrowMemoryError, match='MemoryError: no room'):
        pa.table(csv_batches(source()))


class Nameless(Exception):
    def __str__(self) -> str:
        raise LookupError('no text')


def test_an_exception_without_a_text_is_still_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def source() -> Iterator[bytes]:
        raise Nameless
        yield b''

    seen: list[Any] = []
    monkeypatch.setattr(sys, 'unraisablehook', lambda args: seen.append(args.exc_value))
    with pytest.raises(OSError):
        pa.table(csv_batches(source()))
    assert list(map(type, seen)) == [LookupError]


def test_ctrl_c_while_a_consumer_pulls(tmp_path: Path) -> None:
    """The consumer makes another error of it; the interrupt comes all the same."""
    program = """
import pyarrow as pa
from generators import csv_batches

def source():
    yield b'x\\n1\\n'
    raise KeyboardInterrupt

try:
    try:
        pa.table(csv_batches(source()))
    except OSError as error:
        print(error)
        for _ in range(1000):
            pass
except KeyboardInterrupt:
    print('interrupted')
"""
    done = run(tmp_path, program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == 'interrupted'


# --- a requested schema -------------------------------------------------------------------------


def test_a_requested_schema_gives_types_to_what_has_none() -> None:
    asked = pa.schema([('id', pa.int16()), ('name', pa.large_string())])
    assert pa.table(csv_batches(SOURCE), schema=asked).schema == asked
    kept = pa.RecordBatchReader.from_stream(csv_batches(SOURCE, types=TYPES), schema=asked)
    assert kept.schema == pa.schema([('id', pa.int64()), ('name', pa.large_string())])
    stream = csv_batches(SOURCE, rows=10)
    next(stream)
    begun = pa.RecordBatchReader.from_stream(stream, schema=asked)
    assert begun.schema == pa.schema([('id', pa.string()), ('name', pa.string())])


@pytest.mark.parametrize(
    ('asked', 'message'),
    [
        (pa.schema([('id', pa.int16())]), 'of 1 fields is requested, and there are 2 columns'),
        (pa.schema([('id', pa.int16()), ('x', pa.int8())]), "is named 'name', but the .* 'x'"),
        (pa.schema([('id', pa.list_(pa.int8())), ('name', pa.string())]), "field 'id' is of a"),
    ],
)
def test_a_requested_schema_that_cannot_be(asked: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        pa.RecordBatchReader.from_stream(csv_batches(SOURCE), schema=asked)


def test_what_is_no_schema_is_refused() -> None:
    for ask in (
        lambda wrong: csv_batches(SOURCE).__arrow_c_stream__(wrong),
        lambda wrong: next(csv_batches(SOURCE)).__arrow_c_array__(wrong),
        lambda wrong: next(csv_batches(SOURCE)).column(0).__arrow_c_array__(wrong),
    ):
        for wrong in (5, next(csv_batches(SOURCE)).__arrow_c_array__()[1]):
            with pytest.raises((TypeError, ValueError)):
                ask(wrong)
    batch = next(csv_batches(SOURCE))
    one = pa.schema([('x', pa.int8())]).__arrow_c_schema__()
    with pytest.raises(ValueError, match='of 1 fields is requested, and there are 2 columns'):
        batch.__arrow_c_array__(one)
    two = SCHEMA.__arrow_c_schema__()
    assert len(batch.__arrow_c_array__(requested_schema=two)) == 2


# --- who takes them -----------------------------------------------------------------------------


def test_pyarrow_takes_batches_columns_and_streams() -> None:
    assert pa.table(csv_batches(SOURCE, types=TYPES)).to_pylist() == ROWS
    reader = pa.RecordBatchReader.from_stream(csv_batches(SOURCE, types=TYPES, rows=30))
    assert [len(batch) for batch in reader] == [30, 30, 30, 10]
    batch = next(csv_batches(SOURCE, types=TYPES))
    assert pa.record_batch(batch).to_pylist() == ROWS
    assert pa.chunked_array([pa.array(batch.column('id'))]).to_pylist() == list(range(100))


def test_polars_takes_batches_columns_and_streams() -> None:
    pl = pytest.importorskip('polars')
    frame = pl.DataFrame(csv_batches(SOURCE, types=TYPES, rows=30))
    assert frame.to_dicts() == ROWS
    assert frame.schema == {'id': pl.Int64, 'name': pl.String}
    batch = next(csv_batches(SOURCE, types=TYPES))
    assert pl.DataFrame(batch).to_dicts() == ROWS
    assert pl.Series(batch.column('id')).to_list() == list(range(100))
    kinds = pl.DataFrame(
        csv_batches(
            b'a,b,c\n1.25,red,2024-01-01T00:00:00Z\n,,\n',
            schema=pa.schema(
                [
                    ('a', pa.decimal128(9, 2)),
                    ('b', pa.dictionary(pa.int32(), pa.string())),
                    ('c', pa.timestamp('ns', 'UTC')),
                ]
            ),
            null=('',),
        )
    )
    assert str(kinds['a'][0]) == '1.25'
    assert kinds['b'].to_list() == ['red', None]
    assert kinds['c'].null_count() == 1
    with pytest.raises(Exception, match='record 3, line 3'):
        pl.DataFrame(csv_batches(b'a\n1\nx\n', types={'a': int}))


def test_a_polars_schema_names_types() -> None:
    pl = pytest.importorskip('polars')
    schema = pl.Schema({'id': pl.UInt8, 'name': pl.String})
    if not hasattr(schema, '__arrow_c_schema__'):
        pytest.skip('this polars exports no schema')
    frame = pl.DataFrame(csv_batches(SOURCE, schema=schema))
    assert frame.schema == schema
    assert frame.to_dicts() == ROWS


def test_pandas_takes_batches_and_streams() -> None:
    pd = pytest.importorskip('pandas')
    if not hasattr(pd.DataFrame, 'from_arrow'):
        frame = pa.table(csv_batches(SOURCE, types=TYPES)).to_pandas()
        assert frame.to_dict('records') == ROWS
        pytest.skip('this pandas has no from_arrow()')
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        frame = pd.DataFrame.from_arrow(csv_batches(SOURCE, types=TYPES, rows=30))
        assert frame.to_dict('records') == ROWS
        frame = pd.DataFrame.from_arrow(next(csv_batches(SOURCE, types=TYPES)))
        assert frame.to_dict('records') == ROWS


def test_duckdb_takes_streams() -> None:
    duckdb = pytest.importorskip('duckdb')
    batches = csv_batches(SOURCE, types=TYPES, rows=30)
    connection = duckdb.connect()
    connection.register('batches', pa.RecordBatchReader.from_stream(batches))
    assert connection.sql('select count(*), sum(id) from batches').fetchall() == [(100, 4950)]
    direct = csv_batches(SOURCE, types=TYPES, rows=30)
    found = duckdb.sql('select max(id), min(name) from direct').fetchall()
    assert found == [(99, 'n0')]
    assert list(direct) == []


def test_numpy_takes_columns_without_a_copy() -> None:
    numpy = pytest.importorskip('numpy')
    batch = next(csv_batches(SOURCE, types=TYPES))
    array = numpy.asarray(batch.column('id'))
    assert array.dtype == numpy.int64
    assert array.sum() == 4950
    assert numpy.asarray(batch.column('id')).ctypes.data == array.ctypes.data
    del batch
    gc.collect()
    assert array[99] == 99


def test_a_batch_outlives_its_reader_and_its_source() -> None:
    array = pa.record_batch(next(csv_batches(bytes(SOURCE), types=TYPES)))
    gc.collect()
    for _ in range(10):
        list(csv_batches(SOURCE))
    assert array.to_pylist() == ROWS


def test_an_error_comes_after_the_rows_before_it_wherever_it_is() -> None:
    for at in range(0, 100, 9):
        source = SOURCE.replace(b'\n%d,' % at, b'\nx%d,' % at, 1)
        reader = pa.RecordBatchReader.from_stream(csv_batches(source, types=TYPES))
        if at > 0:
            assert len(reader.read_next_batch()) == at
        with pytest.raises(pa.ArrowInvalid, match=f'record {at + 2}, line {at + 2}'):
            reader.read_next_batch()
        batches = csv_batches(source, types=TYPES)
        if at > 0:
            assert values(next(batches)) == [[row['id'], row['name']] for row in ROWS[:at]]
        with pytest.raises(CSVError):
            next(batches)


def test_csv_encode_takes_batches_and_streams() -> None:
    text = b''.join(csv_encode(csv_batches(SOURCE, types=TYPES, rows=30)))
    assert text.replace(b'\r\n', b'\n') == SOURCE
    batch = next(csv_batches(SOURCE, types=TYPES))
    assert b''.join(csv_encode(batch)) == text
    assert b''.join(csv_encode(csv_batches(SOURCE, types=TYPES, rows=1))) == text
    assert b''.join(csv_encode(iter([batch, batch]))) == text + text.partition(b'\n')[2]


@pytest.mark.parametrize('failure', [LookupError('gone'), KeyboardInterrupt(), MemoryError()])
def test_csv_encode_raises_the_exception_of_the_source_of_batches(failure: BaseException) -> None:
    def source() -> Iterator[bytes]:
        yield SOURCE
        raise failure

    with pytest.raises(type(failure)) as caught:
        list(csv_encode(csv_batches(source())))
    assert caught.value is failure
    for _ in range(1000):
        pass  # no Ctrl-C comes later
    with pytest.raises(CSVError) as refused:
        list(csv_encode(csv_batches(b'n\n1\nx\n', types={'n': int})))
    assert (refused.value.record, refused.value.column) == (3, 'n')

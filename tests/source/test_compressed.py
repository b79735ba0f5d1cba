"""Compressed sources: what is in them, from wherever they come, and what is wrong with them."""

from __future__ import annotations

import gc
import gzip
import io
import lzma
import random
import subprocess
import sys
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generators import (
    CSVError,
    DataError,
    acsv_batches,
    acsv_rows,
    aevent_source,
    ajsonl_rows,
    alines,
    csv_batches,
    csv_rows,
    event_source,
    jsonl_rows,
    lines,
)
from native_generators import _unpack

from .packed import NAMES, PACK, Pipe, collect, cut, cut_later, zipped, zipped_as_it_comes

chance = random.Random(7)
DATA = b'id,x\n' + b''.join(b'%d,%d\n' % (i, chance.randrange(10**9)) for i in range(30_000))
ROWS = list(csv_rows(DATA))
SMALL = b'a,b\n1,2\n'


@pytest.fixture(params=['isal', 'zlib'])
def each_gzip(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == 'isal':
        pytest.importorskip('isal')
    else:
        monkeypatch.setitem(sys.modules, 'isal', None)
    return str(request.param)


# --- what is read -------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', PACK)
def test_every_kind_from_everywhere(kind: str, tmp_path: Path, each_gzip: str) -> None:
    if each_gzip == 'zlib' and not kind.startswith('gzip'):
        return
    packed = PACK[kind](DATA)
    path = tmp_path / 'data.txt'
    path.write_bytes(packed)
    makers: list[Callable[[], Any]] = [
        lambda: path,
        lambda: str(path),
        lambda: packed,
        lambda: bytearray(packed),
        lambda: memoryview(packed),
        lambda: io.BytesIO(packed),
        lambda: Pipe(packed),
        lambda: cut(packed, 4099),
        lambda: cut(packed, 97),
    ]
    for make in makers:
        stream = csv_rows(make())
        assert list(stream) == ROWS
        assert stream.bytes_read == len(packed)
        assert stream.total_bytes in (None, len(packed))
    with path.open('rb') as file:
        assert list(csv_rows(file)) == ROWS
    for size in (97, 4099):
        arows = acsv_rows(cut_later(packed, size))
        assert collect(arows) == ROWS
        assert arows.bytes_read == len(packed)


@pytest.mark.parametrize('kind', PACK)
def test_every_cut_of_a_small_one(kind: str) -> None:
    packed = PACK[kind](SMALL)
    for size in range(1, 40):
        assert list(csv_rows(cut(packed, size))) == [['a', 'b'], ['1', '2']]
    assert list(csv_rows(cut(PACK[kind](b''), 3))) == []


@pytest.mark.parametrize('kind', NAMES)
def test_every_reader(kind: str, tmp_path: Path) -> None:
    pack = PACK[kind]
    path = tmp_path / 'a'
    path.write_bytes(pack(DATA))
    assert list(lines(path)) == DATA.splitlines()
    assert collect(alines(cut_later(pack(DATA), 1000))) == DATA.splitlines()
    for threads in (1, 2):
        batches = csv_batches(path, threads=threads, types={'id': int})
        assert sum(map(len, batches)) == len(ROWS) - 1
    assert sum(map(len, collect(acsv_batches(cut_later(pack(DATA), 1000))))) == len(ROWS) - 1
    assert list(jsonl_rows(pack(b'{"a": 1}\n'))) == [{'a': 1}]
    assert collect(ajsonl_rows(cut_later(pack(b'{"a": 1}\n'), 5))) == [{'a': 1}]
    assert [event.data for event in event_source(pack(b'data: x\n\n'))] == ['x']
    events = collect(aevent_source(cut_later(pack(b'data: x\n\n'), 5)))
    assert [event.data for event in events] == ['x']


@pytest.mark.parametrize('kind', NAMES)
def test_a_name_asks_for_that_and_nothing_else(kind: str) -> None:
    assert list(csv_rows(PACK[kind](SMALL), compression=kind)) == [['a', 'b'], ['1', '2']]  # type: ignore[arg-type]
    with pytest.raises(CSVError, match='begins here'):
        list(csv_rows(cut(SMALL * 10, 7), compression=kind))  # type: ignore[arg-type]
    with pytest.raises(CSVError, match='ends early'):
        list(csv_rows(b'', compression=kind))  # type: ignore[arg-type]
    with pytest.raises(CSVError, match=r"the source begins as .* pass compression='infer'"):
        list(csv_rows(PACK[kind](SMALL), compression=None))


def test_an_event_is_given_when_it_has_come() -> None:
    packer = zlib.compressobj(wbits=31)
    pulled = []

    def body() -> Any:
        for text in (b'data: 1\n\n', b'data: 2\n\n'):
            pulled.append(text)
            yield packer.compress(text) + packer.flush(zlib.Z_SYNC_FLUSH)
        yield packer.flush()

    events = event_source(body())
    assert next(events).data == '1'
    assert len(pulled) == 1
    assert [event.data for event in events] == ['2']


def test_progress_is_of_compressed_bytes(tmp_path: Path) -> None:
    path = tmp_path / 'a.gz'
    path.write_bytes(gzip.compress(DATA * 20))
    rows = csv_rows(path)
    seen = []
    for _ in rows:
        if rows.row_num % 100_000 == 1:
            seen.append(rows.bytes_read / path.stat().st_size)
    assert seen == sorted(seen)
    assert seen[0] < 0.5 < seen[-1] <= 1
    assert rows.bytes_read == rows.total_bytes


def test_text_is_decoded_after_it_is_decompressed() -> None:
    data = 'a;é\n'.encode('utf-16')
    assert list(csv_rows(gzip.compress(data), encoding='utf-16', delimiter=';')) == [['a', 'é']]
    bad = b'a\n' * 100 + b'\xe9\n'
    rows = csv_rows(gzip.compress(bad))
    with pytest.raises(CSVError, match="it can be read as 'cp1252'"):
        list(rows)
    assert rows.row_num == 100


@pytest.mark.parametrize('value', ['lzma', '', 5])
def test_a_compression_that_there_is_not(value: Any) -> None:
    with pytest.raises((TypeError, ValueError), match='compression must be'):
        csv_rows(SMALL, compression=value)
    with pytest.raises((TypeError, ValueError), match='compression must be'):
        acsv_rows(cut_later(SMALL, 4), compression=value)


def test_member_is_of_zip_files() -> None:
    with pytest.raises(ValueError, match='member is of a zip file'):
        csv_rows(SMALL, compression='gzip', member='a')
    with pytest.raises(TypeError, match='member must be a str'):
        csv_rows(SMALL, member=5)  # type: ignore[arg-type]


def test_zstd_without_a_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ('compression', 'compression.zstd', 'backports.zstd'):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'native-generators\[compression\]'):
        list(csv_rows(b'\x28\xb5\x2f\xfd' + b'x' * 20))


# --- members ------------------------------------------------------------------------------------


@pytest.mark.parametrize('pack', [zipped, zipped_as_it_comes])
def test_several_members(pack: Callable[..., bytes], tmp_path: Path) -> None:
    packed = pack(('a.csv', b'1\n'), ('b.csv', b'2\n'), ('c.txt', b'3\n'))
    path = tmp_path / 'a.zip'
    path.write_bytes(packed)
    for make in (lambda: path, lambda: packed, lambda: io.BytesIO(packed)):
        with pytest.raises(ValueError, match=r"3 members: pass member= one of 'a.csv', 'b.csv'"):
            list(csv_rows(make()))
        assert list(csv_rows(make(), member='b.csv')) == [['2']]
        with pytest.raises(CSVError, match=r"no member 'd', but 'a.csv'"):
            list(csv_rows(make(), member='d'))
    rows = csv_rows(cut(packed, 10))
    assert next(rows) == ['1']
    with pytest.raises(ValueError, match='members: pass member='):
        next(rows)
    assert list(csv_rows(cut(packed, 10), member='b.csv')) == [['2']]
    with pytest.raises(CSVError, match="no member 'd'"):
        list(csv_rows(cut(packed, 10), member='d'))


def test_a_zip_without_members() -> None:
    for source in (zipped(), cut(zipped(), 5), zipped(('d/', b''))):
        with pytest.raises(CSVError, match='has no members'):
            list(csv_rows(source))


@pytest.mark.parametrize('make', [lambda d: d, lambda d: cut(d, 50)])
def test_a_workbook_is_told(make: Any) -> None:
    book = zipped(('[Content_Types].xml', b'<x/>'), ('xl/workbook.xml', b'<x/>'))
    with pytest.raises(CSVError, match='an Excel workbook'):
        list(csv_rows(make(book)))


def test_a_zip_file_behind_other_data(tmp_path: Path) -> None:
    file = io.BytesIO(b'prefix' + zipped(('a.csv', SMALL)))
    file.seek(6)
    assert list(csv_rows(file)) == [['a', 'b'], ['1', '2']]


# --- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize('kind', NAMES)
def test_a_truncated_one(kind: str, tmp_path: Path, each_gzip: str) -> None:
    whole = PACK[kind](DATA)
    ends = (12, len(whole) // 2, len(whole) - 1)
    for length in ends[: 2 if kind == 'zip' else 3]:  # a stream may lack the end of the directory
        packed = whole[:length]
        path = tmp_path / 'a'
        path.write_bytes(packed)
        for source in (path, packed, cut(packed, 1000), io.BytesIO(packed)):
            rows: list[Any] = []
            with pytest.raises(CSVError) as caught:
                rows.extend(csv_rows(source))
            assert rows == ROWS[: len(rows)]
            if kind == 'gzip':
                assert 'the gzip data ends early' in str(caught.value)
                assert caught.value.byte == length
                assert length == 12 or len(rows) > 1000
        errors = collect_error(acsv_rows(cut_later(packed, 1000)))
        assert isinstance(errors, CSVError)


def collect_error(stream: Any) -> Exception | None:
    try:
        collect(stream)
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize('kind', NAMES)
def test_a_damaged_one(kind: str, tmp_path: Path, each_gzip: str) -> None:
    packed = bytearray(PACK[kind](DATA))
    at = len(packed) // 2
    packed[at : at + 30] = bytes(30)
    path = tmp_path / 'a'
    path.write_bytes(packed)
    for source in (path, bytes(packed), cut(packed, 1000)):
        rows: list[Any] = []
        with pytest.raises(CSVError, match=r'damaged|not valid') as caught:
            rows.extend(csv_rows(source))
        assert rows[:1000] in (ROWS[:1000], [])
        assert caught.value.byte is not None
        assert 0 <= caught.value.byte <= len(DATA)
    with pytest.raises(DataError, match='damaged'):
        list(lines(path))


def test_rows_before_a_wrong_checksum_are_given(each_gzip: str) -> None:
    for packed, at in ((gzip.compress(DATA), -6), (zipped(('a.csv', DATA)), 16)):
        wrong = bytearray(packed)
        if at > 0:
            at += wrong.index(b'PK\x01\x02')
        wrong[at] ^= 1
        rows: list[Any] = []
        with pytest.raises(CSVError, match='damaged'):
            rows.extend(csv_rows(bytes(wrong)))
        if each_gzip == 'zlib' or at > 0:
            assert rows == ROWS
        else:
            assert rows == ROWS[: len(rows)]  # isal keeps the last piece


def test_rows_before_the_wrong_byte_are_given(each_gzip: str) -> None:
    if each_gzip == 'isal':
        return  # it does not tell what was right before
    wrong = bytearray(gzip.compress(DATA, 6))
    at = len(wrong) * 3 // 4
    wrong[at : at + 20] = b'\xff' * 20
    rows: list[Any] = []
    with pytest.raises(CSVError, match='damaged') as caught:
        rows.extend(csv_rows(bytes(wrong)))
    assert len(rows) > len(ROWS) // 2
    assert caught.value.byte is not None
    assert at <= caught.value.byte < len(wrong)


@pytest.mark.parametrize('kind', [name for name in NAMES if name != 'zip'])
def test_other_data_behind(kind: str) -> None:
    packed = PACK[kind](SMALL)
    for source in (packed + b'more', cut(packed + b'more', 5)):
        rows = csv_rows(source)
        assert [next(rows), next(rows)] == [['a', 'b'], ['1', '2']]
        with pytest.raises(CSVError, match=f'other data behind the {kind} data') as caught:
            next(rows)
        assert caught.value.byte == len(packed)


@pytest.mark.parametrize('kind', NAMES)
def test_one_within_another_is_refused(kind: str) -> None:
    with pytest.raises(CSVError, match='the source begins as'):
        list(csv_rows(gzip.compress(PACK[kind](SMALL))))


def test_an_encrypted_member() -> None:
    packed = bytearray(zipped(('a.csv', SMALL)))
    for mark in (b'PK\x03\x04', b'PK\x01\x02'):
        packed[packed.index(mark) + (6 if mark[2] == 3 else 8)] |= 1
    for source in (bytes(packed), cut(packed, 10)):
        with pytest.raises(CSVError, match='is encrypted'):
            list(csv_rows(source))


def test_a_method_that_is_not_read() -> None:
    packed = zipped(('a.csv', SMALL), method=zipfile.ZIP_LZMA)
    with pytest.raises(CSVError, match='compressed with method 14'):
        list(csv_rows(packed))


@pytest.mark.parametrize('kind', NAMES)
def test_a_bomb_takes_no_memory(kind: str, tmp_path: Path) -> None:
    bomb = PACK[kind](b'x,y\n' * 8_000_000)  # 32 MB
    path = tmp_path / 'a'
    path.write_bytes(bomb)
    for make in (lambda: path, lambda: [bomb]):
        tracemalloc.start()
        rows = csv_rows(make())
        for _ in range(3):
            next(rows)
        rows.close()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < len(bomb) * 3 + 16_000_000
    endless = PACK[kind](b'x' * 3_000_000)
    with pytest.raises(CSVError, match='field larger'):
        list(csv_rows(endless))
    with pytest.raises(CSVError, match='max_record'):
        list(csv_rows(endless, max_field=None, max_record=1_000_000))


def test_xz_with_a_huge_dictionary_is_refused() -> None:
    filters = [{'id': lzma.FILTER_LZMA2, 'dict_size': 1 << 29}]
    try:
        packed = lzma.compress(SMALL, filters=filters)
    except MemoryError:
        pytest.skip('too little memory for the compressor')
    with pytest.raises(CSVError, match='damaged'):
        list(csv_rows(packed))


@pytest.mark.parametrize('reader', [csv_rows, lines, csv_batches])
def test_a_compressed_source_has_no_checkpoints(reader: Any, tmp_path: Path) -> None:
    path = tmp_path / 'a.gz'
    path.write_bytes(gzip.compress(DATA))
    stream = reader(path)
    next(stream)
    with pytest.raises(io.UnsupportedOperation, match='a compressed source has no checkpoints'):
        stream.checkpoint()
    path.write_bytes(DATA)
    stream = reader(path)
    next(stream)
    start = stream.checkpoint()
    with pytest.raises(ValueError, match='a compressed source has no checkpoints'):
        reader(path, start=start, compression='gzip')


def test_a_part_that_begins_as_compressed_data_is_read_as_it_is() -> None:
    data = b'a\n\x1f\x8b\x08,b\n'
    stream = csv_rows(io.BytesIO(data), encoding='latin-1')
    next(stream)
    rest = list(csv_rows(io.BytesIO(data), encoding='latin-1', start=stream.checkpoint()))
    assert rest == [['\x1f\x8b\x08', 'b']]


def test_a_file_that_fails_while_it_is_decompressed(tmp_path: Path) -> None:
    class Failing(io.FileIO):
        pass

    packed = gzip.compress(DATA * 10)

    def chunks() -> Any:
        yield packed[: len(packed) // 2]
        raise OSError('lost')

    rows = csv_rows(chunks())
    with pytest.raises(OSError, match='lost'):
        list(rows)
    assert rows.row_num > 1000


def test_what_an_unpacker_gives_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    class Wrong:
        def push(self, data: bytes) -> None: ...

        def next(self) -> Any:
            return 'text'

        def close(self) -> None: ...

    monkeypatch.setattr(_unpack, 'push', lambda name, member: Wrong())
    with pytest.raises(TypeError, match="a decompressor should have returned bytes, not 'str'"):
        list(csv_rows(gzip.compress(SMALL)))


def test_importing_the_package_imports_no_decompressor() -> None:
    code = (
        'import sys; from generators import csv_rows; list(csv_rows(b"a\\n")); '
        'sys.exit(any(m in sys.modules for m in ("native_generators._unpack", "lzma", "zipfile")))'
    )
    subprocess.run([sys.executable, '-c', code], check=True)


def test_what_unpacks_is_let_go_at_the_end() -> None:
    def unpackers() -> int:
        return sum('_unpack' in type(thing).__module__ for thing in gc.get_objects())

    data = gzip.compress(SMALL)
    gc.collect()
    before = unpackers()
    for _ in range(5):
        assert list(csv_rows(iter([data[:9], data[9:]])))
        assert list(csv_rows(data))
    gc.collect()
    assert unpackers() == before

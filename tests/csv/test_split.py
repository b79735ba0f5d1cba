"""``csv_split`` and ``csv_scan``: the parts one after another are the whole, wherever it is cut."""

from __future__ import annotations

import bz2
import codecs
import dataclasses
import gzip
import io
import itertools
import json
import os
import pickle
import random
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import (
    CSVError,
    CSVRow,
    csv_batches,
    csv_rows,
    csv_scan,
    csv_split,
    jsonl_rows,
    lines,
)
from native_generators._native import csv_scanner

from .corpus import DATA, NAMES

LONG = os.environ.get('GENERATORS_TESTS') == 'long'

DIALECTS: dict[str, dict[str, Any]] = {
    'excel': {},
    'strict': {'strict': True, 'on_error': 'skip'},
    'escapes': {'escapechar': '\\', 'doublequote': False},
    'escapes and doubled quotes': {'escapechar': '\\', 'strict': True, 'on_error': 'skip'},
    'no quotes': {'quoting': 3},
    'no quotes, escapes': {'quoting': 3, 'escapechar': '\\'},
    'skipped blanks': {'skipinitialspace': True},
    'blanks that separate': {'delimiter': ' ', 'skipinitialspace': True, 'strict': True}
    | {'on_error': 'skip'},
    'short fields': {'max_field': 3, 'on_error': 'skip'},
    'short records': {'max_record': 9, 'on_error': 'skip'},
    'ascii': {'encoding': 'ascii', 'on_error': 'skip'},
    'one byte': {'encoding': 'cp1252', 'on_error': 'skip'},
}

SMALL = [
    b'',
    b'a',
    b'\n',
    b'\r',
    b'\r\n',
    b'a,b\n1,2\n3,4\n',
    b'a,b\n1,2',
    b'a\r\rb\rc\r',
    b'a\r\n\r\nb\r\n"c\r\n\r\n"\r\nd\r\n',
    b'a\r\n\n\r\r\n"\r",\nb',
    '\ufeffé,b\n"1\n",2\nü,3\n'.encode(),
    b'\xef\xbb\xbf',
    b'\xef\xbb\xbf"a\nb",c\n',
    b'\xef\xbb',
    b'a"b,"c"d\n"x""y\n,z"\n"open\n',
    b'"never closed,\n\n,\n',
    b'a,b\n1,"2"x,3\n"4\n",5\n6,7\n',
    b'a\\\nb,c\n\\"d,"e\\"\n"\nf\\',
    b'a,\xff"\n",b\nc,"\x81\n"\nd\n',
    b'"\xc3\n"\n\xa9\n',
    b'abcdef,"gh\nij"\nk\n"lmnopq\nrs\ntu"\nv\n',
    b'a, "b\nc"\n  "d", e\n "\n',
]


def delivered(source: Any, **arguments: Any) -> Iterator[Any]:
    """Each row with its line, and how many could not be read."""
    rows = csv_rows(source, **arguments)
    for row in rows:
        yield row, rows.line_num
    yield rows.errors


def joined(source: Any, parts: list[dict[str, Any]], **arguments: Any) -> Any:
    """The same from the parts."""
    found: list[Any] = []
    errors = 0
    for part in parts:
        file = io.BytesIO(source) if isinstance(source, bytes) else source
        *rows, bad = delivered(file, start=part, **arguments)
        found += rows
        errors += bad
    return [*found, errors]


def check(data: bytes, parts: list[dict[str, Any]], **arguments: Any) -> None:
    assert joined(data, parts, **arguments) == list(delivered(io.BytesIO(data), **arguments))


def scans_at(data: bytes, cuts: list[int], **arguments: Any) -> list[dict[str, Any]]:
    return [
        csv_scan(io.BytesIO(data), start, stop, **arguments)
        for start, stop in itertools.pairwise(cuts)
    ]


# --- exactness --------------------------------------------------------------------------------


@pytest.mark.parametrize('dialect', DIALECTS)
def test_every_byte_of_small_files_as_a_cut(dialect: str) -> None:
    arguments = {'on_error': 'skip', **DIALECTS[dialect]}
    for data in SMALL:
        if contradicts(data, arguments):
            continue
        parts = csv_split(io.BytesIO(data), size=1, threads=1, **arguments)
        check(data, parts, **arguments)
        every = list(range(len(data) + 1))
        scans = scans_at(data, every, **arguments)
        assert csv_split(io.BytesIO(data), scans=scans, **arguments) == parts or not data
        for cut in every:
            scans = scans_at(data, [0, cut, len(data)], **arguments)
            check(data, csv_split(io.BytesIO(data), scans=scans, **arguments), **arguments)


@pytest.mark.parametrize('dialect', DIALECTS)
def test_every_short_text_of_the_awkward_characters(dialect: str) -> None:
    arguments = DIALECTS[dialect]
    for length in range(5 if LONG else 4):
        for characters in itertools.product(b',"\\\r\n a', repeat=length):
            data = bytes(characters)
            parts = csv_split(io.BytesIO(data), size=1, threads=1, **arguments)
            check(data, parts, **arguments)


FILES = [DATA / name for name in NAMES]


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_every_number_of_parts_of_the_corpora(path: Path) -> None:
    size = path.stat().st_size
    most = 50 if LONG or size < 10_000 else 7 if size < 100_000 else 3
    for arguments in ({}, {'delimiter': ';'}, {'strict': True}, {'escapechar': '\\'}):
        arguments = {'on_error': 'skip', 'max_record': None, **arguments}
        try:
            whole = list(delivered(path, **arguments))
        except CSVError as e:  # it begins as UTF-16, say
            with pytest.raises(CSVError, match=re.escape(e.args[0].partition(' (')[0])):
                csv_split(path, **arguments)
            continue
        for count in {*range(1, most + 1)} if size < 10_000 else {2, most, 50}:
            parts = csv_split(path, parts=count, threads=1, **arguments)
            assert len(parts) <= count
            assert joined(path, parts, **arguments) == whole


def contradicts(data: bytes, arguments: dict[str, Any]) -> bool:
    """Whether the byte order mark is of another encoding: that is refused."""
    return data.startswith(codecs.BOM_UTF8) and 'encoding' in arguments


def random_data(seed: int) -> bytes:
    chance = random.Random(seed)
    kind = chance.choice([',"\r\nab', ',"\n' + 'x' * 60, ',"\\\n' + 'y' * 20, '",\nä€𝄞 z'])
    data = ''.join(chance.choice(kind) for _ in range(chance.randrange(3000))).encode()
    if chance.random() < 0.2:
        data = data.replace(b'x', b'\xff', 1)
    return b'\xef\xbb\xbf' * (chance.random() < 0.1) + data


@pytest.mark.parametrize('dialect', DIALECTS)
def test_random_files_in_any_number_of_parts_and_threads(dialect: str) -> None:
    arguments = {'on_error': 'skip', **DIALECTS[dialect]}
    for seed in range(200 if LONG else 25):
        data = random_data(seed)
        if contradicts(data, arguments):
            data = data.removeprefix(codecs.BOM_UTF8)
        count = seed % 50 + 1
        parts = csv_split(io.BytesIO(data), parts=count, threads=1, **arguments)
        check(data, parts, **arguments)
        for threads in (2, 3):
            again = csv_split(io.BytesIO(data), parts=count, threads=threads, **arguments)
            assert again == parts
        step = max(-(-len(data) // count), 1)
        cuts = [*range(0, len(data), step), len(data)]
        scans = scans_at(data, cuts, **arguments)
        assert csv_split(io.BytesIO(data), scans=scans, **arguments) == parts


def test_scans_of_other_ranges_than_the_parts() -> None:
    data = random_data(7) + b'\n' + random_data(8)
    chance = random.Random(1)
    for _ in range(30):
        cuts = sorted([0, len(data), *(chance.randrange(len(data)) for _ in range(5))])
        check(data, csv_split(io.BytesIO(data), scans=scans_at(data, cuts)))


SHAPES: dict[str, dict[str, Any]] = {
    'dict': {'into': dict},
    'CSVRow': {'into': CSVRow},
    'dataclass': {'into': dataclasses.make_dataclass('Row', [('id', int), ('text', str)])},
    'columns': {'columns': ['text'], 'types': {'id': int}},
    'names': {'names': str.upper, 'into': dict},
    'names without a header': {'names': ['a', 'b'], 'header': False, 'into': dict},
    'a header that is no row': {'header': True, 'into': tuple},
}


@pytest.mark.parametrize('shape', SHAPES)
def test_the_header_is_known_to_every_part(shape: str) -> None:
    arguments = SHAPES[shape]
    data = b'id,text\r\n' + b''.join(b'%d,"a\n%d"\r\n\r\n' % (i, i) for i in range(50))
    parts = csv_split(io.BytesIO(data), parts=10, **arguments)
    assert len(parts) == 10
    whole = csv_rows(io.BytesIO(data), **arguments)
    for part in parts:
        assert csv_rows(io.BytesIO(data), start=part, **arguments).header == whole.header
    rows = [list(csv_rows(io.BytesIO(data), start=part, **arguments)) for part in parts]
    assert [list(row) if shape == 'CSVRow' else row for row in itertools.chain(*rows)] == [
        list(row) if shape == 'CSVRow' else row for row in whole
    ]


def test_the_width_of_the_first_record_is_known_to_every_part() -> None:
    data = b'\na,b\n' + b'1\n2,3\n' * 20
    for ragged in ('pad', 'error'):
        arguments = {'ragged': ragged, 'into': tuple, 'on_error': 'skip'}
        check(data, csv_split(io.BytesIO(data), parts=9, **arguments), **arguments)


def test_a_record_is_read_by_the_part_in_which_it_begins() -> None:
    data = b'id,text\n1,"two\nlines"\n2,one\n'
    for cut in range(1, len(data)):
        scans = scans_at(data, [0, cut, len(data)], header=True)
        parts = csv_split(io.BytesIO(data), scans=scans, header=True)
        starts = [part['offset'] for part in parts]
        assert starts == [8] + [22] * (8 < cut <= 22), cut
        assert parts[-1]['end'] == len(data)


# --- what a part is ---------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'id,text\n' + b''.join(b'%d,"a\nb"\n' % i for i in range(200)))
    return path


@pytest.mark.parametrize('way', [json, pickle])
def test_parts_and_scans_are_plain(way: Any, path: Path) -> None:
    parts = csv_split(path, parts=4, into=dict)
    assert way.loads(way.dumps(parts)) == parts
    rows = [
        row for part in parts for row in csv_rows(path, start=way.loads(way.dumps(part)), into=dict)
    ]
    assert rows == list(csv_rows(path, into=dict))
    scan = csv_scan(path, 5, 500)
    assert way.loads(way.dumps(scan)) == scan


def test_a_part_resumes_by_its_checkpoint(path: Path) -> None:
    for part in csv_split(path, parts=3):
        whole = list(csv_rows(path, start=part))
        rows = csv_rows(path, start=part)
        for i in range(len(whole)):
            start = json.loads(json.dumps(rows.checkpoint()))
            assert start['end'] == part['end']
            assert list(csv_rows(path, start=start)) == whole[i:]
            next(rows)
        assert list(csv_rows(path, start=rows.checkpoint())) == []


def test_parts_do_not_read_what_is_not_theirs(path: Path) -> None:
    for part in csv_split(path, parts=5):
        rows = csv_rows(path, start=part)
        list(rows)
        assert (rows.bytes_read, rows.total_bytes) == (part['end'], part['end'])


def test_there_are_fewer_parts_than_asked_for_and_always_one() -> None:
    for data, count in ((b'', 1), (b'a', 1), (b'a\nb\n', 2), (b'"\n\n\n\n\n"\n', 1)):
        assert len(csv_split(io.BytesIO(data), parts=40)) == count
        assert len(csv_split(io.BytesIO(data), size=1)) == count
    assert len(csv_split(io.BytesIO(b'a,b\n'), parts=3, header=True)) == 1


def test_a_record_that_is_longer_than_a_part_makes_it_longer() -> None:
    data = b'1\n"' + b'x\n' * 1000 + b'"\n2\n3\n'
    parts = csv_split(io.BytesIO(data), size=100)
    assert [part['end'] - part['offset'] for part in parts] == [2005, 4] or len(parts) == 2
    check(data, parts)


def test_the_place_of_an_error_is_that_of_the_whole_file(path: Path) -> None:
    with path.open('ab') as file:
        file.write(b'x,"y\nz"\n')
    arguments = {'types': {'id': int}, 'header': True}
    with pytest.raises(CSVError) as whole:
        list(csv_rows(path, **arguments))
    part = csv_split(path, parts=4, **arguments)[-1]
    with pytest.raises(CSVError) as last:
        list(csv_rows(path, start=part, **arguments))
    for name in ('path', 'record', 'line', 'byte', 'column', 'text'):
        assert getattr(last.value, name) == getattr(whole.value, name) is not None
    assert last.value.line == 402


@pytest.mark.parametrize(
    ('bad', 'arguments'),
    [
        (b'1,"2"x,"\n', {'strict': True}),
        (b'1,\xff,"\n', {}),
        (b'1,' + b'x' * 300 + b',"\n', {'max_field': 200}),
        (b'1,"' + b'x\n' * 300 + b'"\n', {'max_record': 500}),
    ],
)
def test_parts_behind_a_bad_record_begin_where_reading_goes_on(bad: bytes, arguments: Any) -> None:
    data = b'a,"b\nc"\n' * 40 + bad + b'd,"e\nf"\n' * 40 + bad + b'"g","h"\n' * 5
    for count in range(1, 30):
        for threads in (1, 2):
            parts = csv_split(
                io.BytesIO(data), parts=count, threads=threads, on_error='skip', **arguments
            )
            check(data, parts, on_error='skip', **arguments)
    errors = joined(data, parts, on_error='skip', **arguments)[-1]
    assert errors >= 2
    where = []
    for start in [{}, *({'start': part} for part in parts)]:
        found: list[tuple[Any, ...]] = []

        def note(e: CSVError, _: bytes, found: list[tuple[Any, ...]] = found) -> None:
            found.append((e.line, e.record, e.byte, str(e)))

        list(csv_rows(io.BytesIO(data), on_error=note, **start, **arguments))
        where.append(found)
    assert where[0] == [place for places in where[1:] for place in places]


# --- files ------------------------------------------------------------------------------------


class Remote:
    """A binary file that knows nothing but how to read and seek, as those of fsspec."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0
        self.reads = 0

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = 0) -> int:
        self.at = offset + (0, self.at, len(self.data))[whence]
        return self.at

    def read(self, n: int) -> bytes:
        self.reads += 1
        data = self.data[self.at : self.at + n]
        self.at += len(data)
        return data


def test_any_seekable_binary_file(path: Path) -> None:
    data = path.read_bytes()
    whole = list(csv_rows(data))
    for file in (Remote(data), io.BytesIO(data), path.open('rb'), path.open('rb', buffering=0)):
        parts = csv_split(file, parts=7, threads=3)
        assert file.tell() == 0
        rows: list[Any] = []
        for part in parts:
            file.seek(0)
            rows += csv_rows(file, start=part)
        assert rows == whole
        scans = [csv_scan(file, start, start + 500) for start in range(0, len(data), 500)]
        assert csv_split(file, scans=scans)[0]['offset'] == 0
        getattr(file, 'close', lambda: None)()


def test_files_that_were_read_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'# "a comment\n' + b'1,"\n"\n' * 30)
    with path.open('rb') as file:
        file.readline()
        parts = csv_split(file, parts=5)
        assert file.tell() == 13
    assert len(parts) == 5
    rows = [row for part in parts for row in csv_rows(path, start=part)]
    assert rows == [['1', '\n']] * 30


@pytest.mark.parametrize('encoding', ['latin-1', 'cp1252', 'iso8859-15', 'koi8-r', 'cp1251'])
def test_encodings_of_one_byte(encoding: str) -> None:
    high = bytes(range(0xC0, 0x100))
    text = high.decode(encoding)
    data = b''.join(b'%d;"' % i + high + b'\n"\r\n' for i in range(100))
    for arguments in ({'delimiter': ';'}, {'delimiter': text[5]}, {'quotechar': text[9]}):
        arguments = {'encoding': encoding, **arguments}
        check(data, csv_split(io.BytesIO(data), parts=13, **arguments), **arguments)
    rows = csv_rows(io.BytesIO(data), encoding=encoding, delimiter=';')
    for i in range(100):
        start = rows.checkpoint()
        assert next(rows) == [str(i), text + '\n']
        rest = csv_rows(io.BytesIO(data), encoding=encoding, delimiter=';', start=start)
        assert len(list(rest)) == 100 - i


@pytest.mark.parametrize(
    'encoding', ['utf-16', 'utf-32-le', 'gbk', 'shift_jis', 'utf-7', 'cp037', 'hz', 'cp864']
)
def test_encodings_that_cannot_be_split(encoding: str) -> None:
    file = io.BytesIO('a,b\n'.encode(encoding))
    for call in (csv_split, lambda file, **more: csv_scan(file, 0, 2, **more)):
        with pytest.raises(io.UnsupportedOperation, match='one byte per character'):
            call(file, encoding=encoding)


def test_what_cannot_be_read_from_anywhere(tmp_path: Path) -> None:
    packed = tmp_path / 'data.csv.gz'
    packed.write_bytes(gzip.compress(b'a,b\n1,2\n'))
    zipped = bz2.BZ2File(io.BytesIO(bz2.compress(b'a,b\n')))
    read, write = os.pipe()
    os.close(write)
    with gzip.open(packed) as unpacked, open(read, 'rb') as pipe:
        for source, reason in (
            (packed, 'compressed .gzip'),
            (io.BytesIO(bz2.compress(b'a')), 'compressed .bzip2'),
            (unpacked, 'compressed'),
            (zipped, 'compressed'),
            (io.StringIO('a,b\n'), 'text file'),
            (pipe, 'not seekable'),
            ([b'a,b\n'], 'not .list.'),
            (b'a,b\n', 'not .bytes.'),
        ):
            with pytest.raises(io.UnsupportedOperation, match=reason):
                csv_split(source)
            with pytest.raises(io.UnsupportedOperation, match=reason):
                csv_scan(source, 0, 1)
    with pytest.raises(FileNotFoundError):
        csv_split(tmp_path / 'nowhere.csv')


# --- bad input --------------------------------------------------------------------------------


def test_a_changed_file_is_refused_by_every_part(path: Path) -> None:
    parts = csv_split(path, parts=3)
    scans = [csv_scan(path, 0, 100), csv_scan(path, 100, 1 << 40)]
    with path.open('ab') as file:
        file.write(b'more\n')
    for part in parts:
        with pytest.raises(ValueError, match='the file has changed'):
            csv_rows(path, start=part)
    with pytest.raises(ValueError, match='has changed since it was scanned'):
        csv_split(path, scans=scans)
    path.unlink()
    for part in parts:
        with pytest.raises(FileNotFoundError):
            csv_rows(path, start=part)


def test_a_file_of_no_known_time_is_refused_where_it_shows() -> None:
    data = b'1,"a\nb"\n' * 40
    first = csv_split(Remote(data), parts=4)[0]
    with pytest.raises(ValueError, match='the file has changed'):
        csv_rows(Remote(data + b'x'), start=first)
    with pytest.raises(ValueError, match='does not end where a record ends'):
        list(csv_rows(Remote(b'"' + data[:-1]), start=first))


def test_parts_that_were_tampered_with_are_refused(path: Path) -> None:
    part = csv_split(path, parts=3)[1]
    for key in part.keys() - {'row', 'errors', 'version'}:
        for value in (1, 'x', None, [], -1):
            if part[key] != value:
                with pytest.raises(ValueError, match=r'part|checkpoint'):
                    csv_rows(path, start={**part, key: value})
        if key != 'end':
            less = {other: value for other, value in part.items() if other != key}
            with pytest.raises(ValueError, match='checkpoint'):
                csv_rows(path, start=less)


def test_another_dialect_or_other_limits_are_refused(path: Path) -> None:
    part = csv_split(path, parts=3)[1]
    for other in ({'delimiter': ';'}, {'strict': True}, {'encoding': 'latin-1'}):
        with pytest.raises(ValueError, match='another dialect or another encoding'):
            csv_rows(path, start=part, **other)
    for limit in ({'max_field': 5}, {'max_record': None}):
        with pytest.raises(ValueError, match='another max_field or max_record'):
            csv_rows(path, start=part, **limit)
    with pytest.raises(ValueError, match='another dialect'):
        csv_split(path, scans=[csv_scan(path, 0, 1 << 40, delimiter=';')])


def test_scans_that_do_not_fit(path: Path) -> None:
    size = path.stat().st_size
    a, b = csv_scan(path, 0, 100), csv_scan(path, 100, size)
    for scans, reason in (
        ([], 'end at 0'),
        ([a], 'end at 100'),
        ([b], 'must start at 0'),
        ([b, a], 'must start at 0'),
        ([a, a], 'must start at 100'),
        ([a, b, b], 'must start at'),
        ([{}], 'no scan'),
        ([{**a, 'version': 9}], 'no scan'),
        ([a, {**b, 'states': {}}], 'do not fit'),
        ([{**a, 'states': {'record': {'end': 'text'}}}, b], 'do not fit'),
        ([{**a, 'states': {'record': dict.fromkeys(a['states']['record'], 'x')}}, b], 'no scan'),
    ):
        with pytest.raises(ValueError, match=reason):
            csv_split(path, scans=scans)


def test_wrong_arguments(path: Path) -> None:
    for arguments, reason in (
        ({'parts': 0}, 'parts must be positive'),
        ({'size': -1}, 'size must be positive'),
        ({'threads': 0}, 'threads must be positive'),
        ({'parts': 2, 'size': 3}, 'exclude'),
        ({'scans': [], 'size': 3}, 'can not be given with scans'),
    ):
        with pytest.raises(ValueError, match=reason):
            csv_split(path, **arguments)
    for arguments in ({'start': {}}, {'changed': 'append'}, {'colour': 'red'}):
        with pytest.raises(TypeError):
            csv_split(path, **arguments)
        with pytest.raises(TypeError):
            csv_scan(path, 0, 1, **arguments)
    for start, stop in ((-1, 3), (5, 3)):
        with pytest.raises(ValueError, match='0 <= start <= stop'):
            csv_scan(path, start, stop)
    with pytest.raises(ValueError, match='changed must be'):
        csv_rows(path, changed='never')
    with pytest.raises(TypeError, match='changed must be'):
        csv_rows(path, changed=3)


def test_a_header_at_fault() -> None:
    with pytest.raises(CSVError, match='unexpected end'):
        csv_split(io.BytesIO(b'"a\n'), into=dict, strict=True)


def test_a_file_that_shrinks_while_it_is_read() -> None:
    class Shrinking(Remote):
        def read(self, n: int) -> bytes:
            return super().read(n) if self.reads < 4 else b''

    for threads in (1, 2):
        with pytest.raises(ValueError, match='shrank'):
            csv_split(Shrinking(b'1\n' * 100), parts=9, threads=threads)


def test_an_error_of_the_file_comes_through() -> None:
    class Failing(Remote):
        def read(self, n: int) -> bytes:
            if threading.current_thread() is not threading.main_thread():
                raise OSError('no connection')
            return super().read(n)

    before = set(threading.enumerate())
    with pytest.raises(OSError, match='no connection'):
        csv_split(Failing(b'1\n' * 100), parts=9, threads=2)
    assert set(threading.enumerate()) <= before


def test_a_file_that_reads_more_than_it_is_asked_for() -> None:
    class Generous(Remote):
        def read(self, n: int) -> bytes:
            return super().read(n + 5)

    part = csv_split(Remote(b'1\n' * 100), parts=9)[3]
    with pytest.raises(OSError, match='returned too much data'):
        list(csv_rows(Generous(b'1\n' * 100), start=part))


# --- files that grow --------------------------------------------------------------------------


def test_a_file_that_has_only_grown(path: Path) -> None:
    rows = csv_rows(path)
    whole = list(rows)
    end, parts = rows.checkpoint(), csv_split(path, parts=3)
    with path.open('ab') as file:
        file.write(b'new,"a\nb"\n')
    assert list(csv_rows(path, start=end, changed='append')) == [['new', 'a\nb']]
    found = [row for part in parts for row in csv_rows(path, start=part, changed='append')]
    assert found == whole
    with pytest.raises(ValueError, match='the file has changed'):
        csv_rows(path, start=end)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match='has shrunk'):
        csv_rows(path, start=end, changed='append')


@pytest.mark.parametrize('data', [b'a\n1', b'a\n"1\n', b'a\n1,"', b'a\n"\xc3'])
def test_a_last_record_that_was_not_complete(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(data)
    rows = csv_rows(path, on_error='skip')
    list(rows)
    end, part = rows.checkpoint(), csv_split(path)[-1]
    assert list(csv_rows(path, start=end, changed='append')) == []
    assert end['offset'] == len(data)
    path.write_bytes(data + b'2\n3\n')
    with pytest.raises(ValueError, match='has changed since the checkpoint, and'):
        csv_rows(path, start=end, changed='append')
    with pytest.raises(ValueError, match=r'does not end where a record ends|not valid'):
        list(csv_rows(path, start=part, changed='append'))


def test_another_file_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'aaa\n')
    start = csv_rows(path).checkpoint()
    rows = csv_rows(path)
    next(rows)
    behind = rows.checkpoint()
    path.write_bytes(b'bbbbbbbbb\n')
    assert list(csv_rows(path, start=start, changed='append')) == [['bbbbbbbbb']]
    with pytest.raises(ValueError, match='not only grown'):
        csv_rows(path, start=behind, changed='append')


def test_a_mark_is_no_record(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'\xef\xbb\xbf')
    rows = csv_rows(path)
    assert list(rows) == []
    path.write_bytes(b'\xef\xbb\xbfa\n')
    assert list(csv_rows(path, start=rows.checkpoint(), changed='append')) == [['a']]


def test_lines_and_json_lines_that_have_grown(tmp_path: Path) -> None:
    path = tmp_path / 'data.txt'
    for read, newline in ((lines, None), (lines, b'\0'), (lines, '||'), (jsonl_rows, None)):
        arguments: dict[str, Any] = {} if newline is None else {'newline': newline}
        end = newline.encode() if isinstance(newline, str) else newline or b'\n'
        path.write_bytes(b'1' + end + b'2' + end)
        stream: Any = read(path, **arguments)
        assert len(list(stream)) == 2
        start = stream.checkpoint()
        with path.open('ab') as file:
            file.write(b'3' + end)
        assert len(list(read(path, start=start, changed='append', **arguments))) == 1
        with pytest.raises(ValueError, match='the file has changed'):
            read(path, start=start, **arguments)
        path.write_bytes(b'1' + end + b'234' + end)
        with pytest.raises(ValueError, match='not only grown'):
            read(path, start=start, changed='append', **arguments)
        path.write_bytes(b'1')
        with pytest.raises(ValueError, match='has shrunk'):
            read(path, start=start, changed='append', **arguments)
        with pytest.raises(ValueError, match='changed must be'):
            read(path, changed='never', **arguments)


# --- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize('batch_rows', [1, 10, 65536])
def test_batches_read_parts(batch_rows: int, path: Path) -> None:
    pa: Any = pytest.importorskip('pyarrow')
    arguments: dict[str, Any] = {'types': {'id': int}, 'header': True}
    with path.open('ab') as file:
        file.write(b'x,"y\nz"\n')
    tables = []
    for part in csv_split(path, parts=7, **arguments):
        batches = csv_batches(path, start=part, rows=batch_rows, on_error='skip', **arguments)
        tables.append(pa.table(batches))
        assert batches.checkpoint()['end'] == part['end'] == batches.bytes_read
    rows = csv_rows(path, into=dict, on_error='skip', **arguments)
    assert pa.concat_tables(tables).to_pylist() == list(rows)
    assert rows.errors == batches.errors == 1
    with pytest.raises(CSVError) as error:
        list(csv_batches(path, start=part, **arguments))
    assert (error.value.line, error.value.record) == (402, 202)


def test_batches_of_a_file_that_has_grown(path: Path) -> None:
    batches = csv_batches(path)
    whole = sum(batch.num_rows for batch in batches)
    start = batches.checkpoint()
    with path.open('ab') as file:
        file.write(b'7,"a\nb"\n')
    with pytest.raises(ValueError, match='the file has changed'):
        csv_batches(path, start=start)
    more = csv_batches(path, start=start, changed='append')
    assert [batch.num_rows for batch in more] == [1]
    assert more.row_num == whole + 1


# --- the scanner --------------------------------------------------------------------------------


def scanner(encoding: str = 'utf-8') -> Any:
    return csv_scanner(44, 34, -1, True, False, False, encoding, b'')


def test_wrong_uses_of_the_scanner() -> None:
    with pytest.raises(ValueError, match="no encoding 'x'"):
        scanner('x')
    with pytest.raises(TypeError, match='delimiter'):
        csv_scanner()
    made = scanner()
    for step in (lambda: made.feed(b'x'), lambda: made.end(b'')):
        with pytest.raises(ValueError, match='the scanner has no range'):
            step()
    with pytest.raises(ValueError, match="no state 'x'"):
        made.begin(0, b'', 'x')
    for wrong in (lambda: made.begin(0), lambda: made.feed('x'), lambda: made.end('x')):
        with pytest.raises(TypeError):
            wrong()
    made.begin(0, b'')
    made.feed(b'a\n')
    readable, spans = made.end(b'')
    assert readable
    assert spans['record']['records'] == 1


def test_a_part_that_ends_before_it_starts() -> None:
    data = b'id,text\n1,"a\nb"\n2,x\n3,y\n'
    part = csv_split(io.BytesIO(data), size=8, threads=1)[1]
    part = {**part, 'end': part['offset'] - 1}
    part['check'] = csv_scanner.check(part)
    with pytest.raises(ValueError, match='not a checkpoint'):
        list(csv_rows(io.BytesIO(data), start=part))

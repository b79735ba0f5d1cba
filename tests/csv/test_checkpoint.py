"""``checkpoint()`` and ``start``: stop anywhere, go on there, in another process too."""

from __future__ import annotations

import gzip
import io
import json
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, csv_rows

LONG = ''.join(f'{i},"line\r\n{i}",{"x" * (i % 90)}\r\n' for i in range(5000))

FILES: dict[str, tuple[bytes, dict[str, Any]]] = {
    'plain': (b'a,b\n1,2\n3,4\n', {}),
    'header': (b'a,b\n1,2\n\n3,4\n', {'into': dict}),
    'no end': (b'a,b\n1,2', {}),
    'carriage returns': (b'a\r\rb\rc\r', {}),
    'crlf': (b'a\r\n\r\nb\r\n"c\r\n\r\n"\r\nd\r\n', {'header': True}),
    'mixed ends': (b'a\r\n\n\r\r\n"\r",\nb', {}),
    'a mark': ('\ufeffé,b\n"1\n",2\nü,3\n'.encode(), {'into': dict}),
    'a mark alone': (b'\xef\xbb\xbf', {}),
    'empty': (b'', {'header': True}),
    'short': (b'a', {}),
    'stray quotes': (b'a"b,"c"d\n"x""y\n,z"\n"open\n', {}),
    'latin-1': ('é;"ü\n"\nß;1\n'.encode('latin-1'), {'encoding': 'latin-1', 'delimiter': ';'}),
    'types': (b'a,b\n1,2\n"3",\n', {'types': {'a': int, 'b': float}, 'columns': ['b', 'a']}),
    'width of the first': (b'a,b\n1\n2,3\n', {'ragged': 'pad'}),
    'errors': (
        b'a,b\n1,2\nx,3\n"4"5,6\n7,8\n',
        {'types': {'a': int}, 'strict': True, 'on_error': 'skip'},
    ),
}


def delivered(path: Any, **arguments: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Each row, with the counters and the checkpoint behind it."""
    rows = csv_rows(path, **arguments)
    yield None, counters(rows), rows.checkpoint()
    for row in rows:
        yield row, counters(rows), rows.checkpoint()
    yield None, counters(rows), rows.checkpoint()


def counters(rows: Any) -> Any:
    return rows.row_num, rows.line_num, rows.errors


@pytest.mark.parametrize('name', FILES)
@pytest.mark.parametrize('way', [json, pickle])
def test_every_record_can_be_gone_on_from(name: str, way: Any, tmp_path: Path) -> None:
    data, arguments = FILES[name]
    path = tmp_path / 'data.csv'
    path.write_bytes(data)
    rows = list(csv_rows(path, **arguments))
    seen: list[Any] = []
    for row, _, checkpoint in delivered(path, **arguments):
        if row is not None:
            seen.append(row)
        start = way.loads(way.dumps(checkpoint))
        again = csv_rows(path, start=start, **arguments)
        assert again.row_num == len(seen)
        assert seen + list(again) == rows
        with path.open('rb') as file:
            assert seen + list(csv_rows(file, start=start, **arguments)) == rows


@pytest.mark.parametrize('name', FILES)
def test_counters_and_checkpoints_go_on_as_if_nothing_had_been(name: str, tmp_path: Path) -> None:
    data, arguments = FILES[name]
    path = tmp_path / 'data.csv'
    path.write_bytes(data)
    whole = list(delivered(path, **arguments))
    header = csv_rows(path, **arguments).header
    for i, (_, _, checkpoint) in enumerate(whole[:-1]):
        again = list(delivered(path, start=checkpoint, **arguments))
        assert again[1:] == whole[i + 1 :]
        assert csv_rows(path, start=checkpoint, **arguments).header == header


def test_far_into_a_file_with_blocks_cut_anywhere(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_text(LONG, newline='')
    whole = list(delivered(path))
    rows = list(csv_rows(path))
    for i in range(0, len(whole) - 1, 411):
        _, _, checkpoint = whole[i]
        assert list(csv_rows(path, start=checkpoint)) == rows[i:]


@pytest.mark.parametrize('more', range(131_070 - 4, 131_070 + 4))
def test_a_line_end_cut_by_a_block(more: int, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'"' + b'x' * more + b'"\r\na\r\n\r\nb\r\n')
    for i, (_, _, checkpoint) in enumerate(delivered(path, max_field=None)):
        rows = list(csv_rows(path, start=checkpoint, max_field=None))
        assert [len(row) for row in rows] == [1, 1, 0, 1][i:]


def test_in_a_new_process(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'\xef\xbb\xbfa,b\r\n"1\r\n",2\r\n3,4\r\n')
    rows = csv_rows(path, into=dict)
    assert next(rows) == {'a': '1\r\n', 'b': '2'}
    code = (
        'import json, sys; from generators import csv_rows\n'
        'print(list(csv_rows(sys.argv[1], into=dict, start=json.load(sys.stdin))))'
    )
    done = subprocess.run(
        [sys.executable, '-c', code, str(path)],
        input=json.dumps(rows.checkpoint()),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[{'a': '3', 'b': '4'}]\n"


def test_after_an_error_it_goes_on_with_the_record_at_fault(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    for data, arguments in (
        (b'1,a\nx,b\n3,c\n', {}),
        (b'1,a\n"2"x,b\n3,c\n', {'strict': True}),
        (b'1,a\n2,\xff\n3,c\n', {}),
    ):
        path.write_bytes(data)
        rows = csv_rows(path, types={0: int}, **arguments)
        assert next(rows) == [1, 'a']
        with pytest.raises(CSVError):
            next(rows)
        start = rows.checkpoint()
        again = csv_rows(path, types={0: int}, start=start, on_error='skip', **arguments)
        assert list(again) == [[3, 'c']]
        assert (again.row_num, again.line_num, again.errors) == (2, 3, 1)


def test_a_primed_row_was_not_delivered(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n2\n')
    rows = csv_rows(path, header=True).prime()
    assert list(csv_rows(path, header=True, start=rows.checkpoint())) == [['1'], ['2']]
    next(rows)
    assert list(csv_rows(path, header=True, start=rows.checkpoint())) == [['2']]
    rows.close()
    assert list(csv_rows(path, header=True, start=rows.checkpoint())) == [['2']]


def test_files_that_were_read_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'# a comment\n1\n2\n3\n')
    with path.open('rb') as file:
        file.readline()
        rows = csv_rows(file)
        assert next(rows) == ['1']
        start = rows.checkpoint()
    again = csv_rows(path, start=start)
    assert list(again) == [['2'], ['3']]
    assert csv_rows(io.BytesIO(b'1\n')).checkpoint()['size'] == 2


def test_a_gzip_file_can_be_gone_on_from(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv.gz'
    with gzip.open(path, 'wb') as file:
        file.write(b'1\n2\n')
    with gzip.open(path, 'rb') as file:
        rows = csv_rows(file)
        next(rows)
        start = rows.checkpoint()
    with gzip.open(path, 'rb') as file:
        assert list(csv_rows(file, start=start)) == [['2']]


def test_progress_goes_on(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n2\n')
    rows = csv_rows(path)
    next(rows)
    again = csv_rows(path, start=rows.checkpoint())
    assert (again.bytes_read, again.total_bytes) == (2, 6)
    list(again)
    assert (again.bytes_read, again.total_bytes) == (6, 6)


# --- what is refused --------------------------------------------------------------------------


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    start = csv_rows(path).checkpoint()
    path.write_bytes(b'a\n1\n2\n')
    with pytest.raises(ValueError, match='the file has changed'):
        csv_rows(path, start=start)
    start = csv_rows(path).checkpoint()
    os.utime(path, (1, 1))
    with pytest.raises(ValueError, match='the file has changed'):
        csv_rows(path, start=start)


@pytest.mark.parametrize(
    'other',
    [
        {'delimiter': ';'},
        {'quotechar': "'"},
        {'escapechar': '\\'},
        {'doublequote': False, 'escapechar': '!'},
        {'skipinitialspace': True},
        {'strict': True},
        {'quoting': 2},
        {'encoding': 'latin-1'},
    ],
)
def test_another_dialect_is_refused(other: Any, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    start = csv_rows(path).checkpoint()
    with pytest.raises(ValueError, match='another dialect or another encoding'):
        csv_rows(path, start=start, **other)


@pytest.mark.parametrize('start', [{}, {'version': 2}, [], 'x', 3, {'version': 'a'}])
def test_what_is_no_checkpoint_is_refused(start: Any, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    with pytest.raises(ValueError, match='start is not a checkpoint'):
        csv_rows(path, start=start)


def test_a_checkpoint_that_lacks_something_is_none(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n2\n')
    rows = csv_rows(path, header=True)
    next(rows)
    start = rows.checkpoint()
    for key in start:
        less = {other: value for other, value in start.items() if other != key}
        with pytest.raises(ValueError, match='start is not a checkpoint'):
            csv_rows(path, header=True, start=less)


@pytest.mark.parametrize('value', [None, -1, 1 << 70, 'x', {}])
def test_a_checkpoint_that_was_tampered_with_is_refused_or_read(value: Any, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n2\n')
    rows = csv_rows(path, header=True)
    next(rows)
    start = rows.checkpoint()
    for key in start:
        try:
            got = list(csv_rows(path, header=True, start={**start, key: value}))
        except ValueError:
            continue
        assert got == [['2']], key
    with pytest.raises(ValueError, match='dialect'):
        csv_rows(path, header=True, start={**start, 'dialect': [value]})


COUNTERS = ('base', 'offset', 'record', 'line', 'row', 'errors', 'width')


@pytest.mark.parametrize('key', COUNTERS)
def test_a_negative_counter_is_named(key: str, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    start = {**csv_rows(path).checkpoint(), key: -1}
    with pytest.raises(ValueError, match=f"'{key}' is negative: -1"):
        csv_rows(path, start=start)


@pytest.mark.parametrize(
    'changed', [{'width': 1 << 32}, {'base': (1 << 63) - 1, 'offset': 1}, {'row': 1 << 63}]
)
def test_a_number_that_is_too_large_is_refused(changed: Any, tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    with pytest.raises(ValueError, match='start is not a checkpoint'):
        csv_rows(path, start={**csv_rows(path).checkpoint(), **changed})


def test_sources_that_cannot_be_sought(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n')
    start = csv_rows(path).checkpoint()
    with path.open(newline='') as text, path.open('rb') as file:
        for source, arguments in (
            (b'a\n1\n', {}),
            (['a\n'], {}),
            ([b'a\n'], {}),
            (text, {}),
            (file, {'encoding': 'utf-16'}),
            (file, {'errors': 'replace'}),
        ):
            rows = csv_rows(source, **arguments)
            with pytest.raises(io.UnsupportedOperation):
                rows.checkpoint()
            with pytest.raises(io.UnsupportedOperation):
                csv_rows(source, start=start, **arguments)


def test_a_converter_may_not_ask(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n')
    rows = csv_rows(path, into=lambda field: rows.checkpoint())
    with pytest.raises(CSVError, match='already executing'):
        next(rows)


def test_after_a_header_at_fault_it_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a,a\n1,2\n')
    rows = csv_rows(path, into=dict)
    with pytest.raises(CSVError, match='a'):
        next(rows)
    start = rows.checkpoint()
    assert (start['offset'], start['record'], start['header']) == (0, 0, None)
    assert list(csv_rows(path, start=start)) == [['a', 'a'], ['1', '2']]


def test_rows_that_need_a_header_do_not_take_one_from_the_middle(tmp_path: Path) -> None:
    path = tmp_path / 'data.csv'
    path.write_bytes(b'a\n1\n2\n')
    rows = csv_rows(path)
    assert list(csv_rows(path, into=dict, start=rows.checkpoint())) == [{'a': '1'}, {'a': '2'}]
    next(rows)
    with pytest.raises(ValueError, match='without a header'):
        csv_rows(path, into=dict, start=rows.checkpoint())
    again = csv_rows(path, into=dict, header=False, names=['n'], start=rows.checkpoint())
    assert list(again) == [{'n': '1'}, {'n': '2'}]


@pytest.mark.parametrize('method', ['seekable', 'tell', 'fileno'])
def test_a_file_that_cannot_say_where_it_is(method: str) -> None:
    class File(io.BytesIO):
        failure: BaseException

        def __getattribute__(self, name: str) -> Any:
            if name == method:
                raise self.failure
            return super().__getattribute__(name)

    file = File(b'1\n')
    for harmless in (OSError(), AttributeError(), ValueError()):
        file.failure = harmless
        assert list(csv_rows(file)) == [['1']]
        file.seek(0)
    for failure in (KeyboardInterrupt(), MemoryError()):
        file.failure = failure
        with pytest.raises(type(failure)):
            csv_rows(file)

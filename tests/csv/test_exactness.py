"""``csv_rows`` gives what the rule gives: random text, random dialects, every kind of source."""

from __future__ import annotations

import array
import gzip
import io
import pathlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from generators import CSVError, csv_rows

from . import oracle, strategies
from .compare import CsvRows, check
from .strategies import cut, cuts

Dialect = dict[str, Any]

# Tests that run once for each kernel look at fewer examples, so that all take a fair time.
each_kernel = settings(max_examples=max(1, settings().max_examples * 2 // 3))
few = settings(max_examples=max(1, settings().max_examples // 3))


@pytest.fixture(scope='session')
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp('csv') / 'scratch.csv'


# --- str sources -----------------------------------------------------------------------------


@each_kernel
@given(case=strategies.dialects_and_texts())
def test_lines(kernel_csv_rows: CsvRows, case: tuple[Dialect, str]) -> None:
    dialect, text = case
    lines = oracle.split_lines(text)
    check(kernel_csv_rows, lines, oracle.read(lines, **dialect), **dialect)


@each_kernel
@given(case=strategies.dialects_and_items())
@example(case=({}, ['a\rb']))
@example(case=({'strict': True}, ['"a', '"b']))
def test_items_with_line_ends_anywhere(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, list[str]]
) -> None:
    dialect, items = case
    check(kernel_csv_rows, items, oracle.read(items, **dialect), **dialect)


@each_kernel
@given(case=strategies.dialects_and_texts(), places=cuts)
def test_str_chunks_cut_anywhere(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, str], places: list[int] | int
) -> None:
    dialect, text = case
    expected = oracle.read(oracle.split_lines(text), **dialect)
    check(kernel_csv_rows, cut(text, places), expected, items='chunks', **dialect)


def ended(items: list[str]) -> list[str]:
    """The items as they were before something cut their line ends off."""
    return [item if item.endswith(('\n', '\r')) else item + '\n' for item in items]


@few
@given(strategies.dialects_and_items())
@example(({}, ['"a', 'b",c']))
def test_str_items_named_lines(case: tuple[Dialect, list[str]]) -> None:
    dialect, items = case
    check(csv_rows, items, oracle.read(ended(items), **dialect), items='lines', **dialect)


@given(strategies.dialects_and_texts())
def test_text_file_without_newline_translation(case: tuple[Dialect, str]) -> None:
    dialect, text = case
    expected = oracle.read(oracle.split_lines(text), **dialect)
    check(csv_rows, io.StringIO(text, newline=''), expected, **dialect)


@pytest.mark.parametrize('newline', ['', None, '\n', '\r', '\r\n'])
@few
@given(case=strategies.dialects_and_bytes())
def test_text_file_on_disk_is_read_by_its_own_lines(
    scratch: Path, newline: str | None, case: tuple[Dialect, bytes]
) -> None:
    dialect, raw = case
    scratch.write_bytes(raw)
    with scratch.open(encoding='utf-8', newline=newline) as file:
        expected = oracle.read(file, **dialect)
    with scratch.open(encoding='utf-8', newline=newline) as file:
        check(csv_rows, file, expected, **dialect)
        assert not file.closed


@few
@given(strategies.dialects_and_items())
def test_lines_of_a_generator(case: tuple[Dialect, list[str]]) -> None:
    dialect, items = case
    check(csv_rows, (item for item in items), oracle.read(items, **dialect), **dialect)


@few
@given(case=strategies.dialects_and_items())
def test_lines_of_a_str_subclass(case: tuple[Dialect, list[str]]) -> None:
    class Line(str):
        __slots__ = ()

        def __str__(self) -> str:
            return 'not the line'

    dialect, items = case
    check(csv_rows, map(Line, items), oracle.read(items, **dialect), **dialect)


@pytest.mark.parametrize('strict', [False, True])
@pytest.mark.parametrize('items', [['\\\na'], ['\\\na', 'b'], ['x,\\\n', 'a,b', 'c\n', 'd\n']])
def test_a_line_end_behind_an_escape_keeps_the_record_open(items: list[str], strict: bool) -> None:
    """In the line after it only a separator ends the field: the end of the item does not."""
    dialect = {'escapechar': '\\', 'strict': strict}
    check(csv_rows, items, oracle.read(items, **dialect), **dialect)
    raw = items[0].encode()
    check(csv_rows, raw, oracle.read_bytes(raw, **dialect), **dialect)


# --- bytes sources ---------------------------------------------------------------------------


@each_kernel
@given(case=strategies.dialects_and_bytes())
def test_whole_bytes(kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    check(kernel_csv_rows, raw, oracle.read_bytes(raw, **dialect), **dialect)


@each_kernel
@given(case=strategies.dialects_and_bytes(), places=cuts)
def test_bytes_chunks_cut_anywhere(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    expected = oracle.read_bytes(raw, **dialect)
    check(kernel_csv_rows, cut(raw, places), expected, items='chunks', **dialect)


@each_kernel
@given(case=strategies.dialects_and_bytes('latin-1'), places=cuts)
def test_latin_1_chunks_cut_anywhere(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    expected = oracle.read_bytes(raw, 'latin-1', **dialect)
    arguments = dialect | {'encoding': 'latin-1', 'items': 'chunks'}
    check(kernel_csv_rows, cut(raw, places), expected, **arguments)


@given(strategies.dialects_and_bytes(), cuts)
def test_bytes_items_are_chunks_unless_told_otherwise(
    case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    chunks = cut(raw, places)
    # Several chunks with no line end in them may be lines that lost theirs, and so may be those
    # in which no record ends: whatever comes next would belong to the first.
    begin = b''.join(chunks[:8])
    lenient = dialect | {'strict': False}
    assume(
        len(chunks) < 2
        or (
            (b'\n' in begin or b'\r' in begin)
            and len(oracle.read_bytes(raw + b'x', **lenient).rows) > 1
        )
    )
    check(csv_rows, chunks, oracle.read_bytes(raw, **dialect), **dialect)


@few
@given(strategies.dialects_and_texts())
def test_bytes_items_named_lines(case: tuple[Dialect, str]) -> None:
    dialect, text = case
    lines = oracle.split_lines(text.encode('utf-8', 'ignore').decode())
    lines = [line.rstrip('\r\n') for line in lines]
    if lines and lines[0].startswith('\ufeff'):
        lines[0] = 'x' + lines[0]
    raw_lines = [line.encode() for line in lines]
    assume(not oracle.begins_packed(b''.join(raw_lines)))
    expected = oracle.read(ended(lines), **dialect)
    check(csv_rows, raw_lines, expected, items='lines', **dialect)


def words(raw: bytes) -> Any:
    """A buffer whose items are wider than a byte, where the length allows."""
    return array.array('H', raw) if len(raw) % 2 == 0 else bytearray(raw)


@pytest.mark.parametrize('kind', [bytearray, memoryview, words])
@few
@given(case=strategies.dialects_and_bytes())
def test_any_buffer(kind: Any, case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    check(csv_rows, kind(raw), oracle.read_bytes(raw, **dialect), **dialect)


@pytest.mark.parametrize('kind', [bytearray, memoryview])
@few
@given(case=strategies.dialects_and_bytes(), places=cuts)
def test_chunks_may_be_any_buffer(
    kind: Any, case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    chunks = map(kind, cut(raw, places))
    check(csv_rows, chunks, oracle.read_bytes(raw, **dialect), items='chunks', **dialect)


def test_one_buffer_may_be_used_for_every_chunk() -> None:
    """``readinto`` loops overwrite the chunk that they handed out before."""
    raw = b'one,"two\nlines",three\r\n' * 40

    def chunks() -> Iterator[memoryview]:
        block = bytearray(7)
        file = io.BytesIO(raw)
        while size := file.readinto(block):
            yield memoryview(block)[:size]

    check(csv_rows, chunks(), oracle.read_bytes(raw))


# --- files and paths -------------------------------------------------------------------------


@few
@given(case=strategies.dialects_and_bytes())
def test_binary_file_in_memory(case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    file = io.BytesIO(raw)
    check(csv_rows, file, oracle.read_bytes(raw, **dialect), **dialect)
    assert not file.closed


@pytest.mark.parametrize('buffering', [-1, 0, 1024])
@few
@given(case=strategies.dialects_and_bytes())
def test_binary_file_on_disk(scratch: Path, buffering: int, case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    scratch.write_bytes(raw)
    with scratch.open('rb', buffering=buffering) as file:
        check(csv_rows, file, oracle.read_bytes(raw, **dialect), **dialect)
        assert not file.closed


@few
@given(case=strategies.dialects_and_bytes(), skipped=st.integers(0, 100))
def test_binary_file_is_read_from_where_it_stands(
    case: tuple[Dialect, bytes], skipped: int
) -> None:
    dialect, raw = case
    file = io.BytesIO(b'z' * skipped + raw)
    file.seek(skipped)
    check(csv_rows, file, oracle.read_bytes(raw, **dialect), **dialect)


class ShortReads:
    """A file that has ``read`` and gives less than it is asked for, as sockets do."""

    def __init__(self, raw: bytes, sizes: list[int]) -> None:
        self._raw = raw
        self._sizes = sizes
        self._turn = 0
        self._at = 0

    def read(self, size: int = -1, /) -> bytes:
        self._turn += 1
        limit = self._sizes[self._turn % len(self._sizes)]
        if size >= 0:
            limit = min(limit, size)
        piece = self._raw[self._at : self._at + limit]
        self._at += len(piece)
        return piece


@given(
    strategies.dialects_and_bytes(),
    st.lists(st.integers(1, 70), min_size=1, max_size=5),
)
def test_file_that_reads_short(case: tuple[Dialect, bytes], sizes: list[int]) -> None:
    dialect, raw = case
    check(csv_rows, ShortReads(raw, sizes), oracle.read_bytes(raw, **dialect), **dialect)


@pytest.mark.parametrize('kind', [str, pathlib.Path, pathlib.PurePath])
@few
@given(case=strategies.dialects_and_bytes())
def test_path(scratch: Path, kind: Any, case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    scratch.write_bytes(raw)
    check(csv_rows, kind(scratch), oracle.read_bytes(raw, **dialect), **dialect)


@few
@given(case=strategies.dialects_and_bytes())
def test_gzip_file(case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    with gzip.GzipFile(fileobj=io.BytesIO(gzip.compress(raw))) as file:
        check(csv_rows, file, oracle.read_bytes(raw, **dialect), **dialect)


# --- encodings -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    'encoding',
    [
        'utf-8-sig',
        'utf8',
        'UTF-8',
        'latin-1',
        'iso8859-15',
        'ascii',
        'utf-16',
        'utf-16-le',
        'utf-16-be',
        'utf-32',
        'utf-32-be',
        'utf-7',
        'cp1252',
        'shift_jis',
        'iso2022_jp',
        'gb18030',
    ],
)
@few
@given(data=st.data(), places=cuts)
def test_encodings(encoding: str, data: st.DataObject, places: list[int] | int) -> None:
    dialect, raw = data.draw(strategies.dialects_and_bytes(encoding))
    expected = oracle.read_bytes(raw, encoding, **dialect)
    check(csv_rows, raw, expected, encoding=encoding, **dialect)
    chunks = cut(raw, places)
    check(csv_rows, chunks, expected, encoding=encoding, items='chunks', **dialect)


@pytest.mark.parametrize('errors', ['replace', 'ignore', 'surrogateescape', 'backslashreplace'])
@given(case=strategies.dialects_and_broken_bytes(), places=cuts)
def test_error_handlers_of_utf_8(
    errors: str, case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    expected = oracle.read_bytes(raw, errors=errors, **dialect)
    check(csv_rows, raw, expected, errors=errors, **dialect)
    check(csv_rows, cut(raw, places), expected, errors=errors, items='chunks', **dialect)


@pytest.mark.parametrize('errors', ['replace', 'ignore', 'surrogateescape'])
@pytest.mark.parametrize('encoding', ['ascii', 'cp1252', 'shift_jis', 'utf-16-le'])
@few
@given(data=st.data(), places=cuts)
def test_error_handlers_of_other_encodings(
    encoding: str, errors: str, data: st.DataObject, places: list[int] | int
) -> None:
    dialect, raw = data.draw(strategies.dialects_and_broken_bytes(encoding))
    expected = oracle.read_bytes(raw, encoding, errors, **dialect)
    arguments = dialect | {'encoding': encoding, 'errors': errors, 'items': 'chunks'}
    check(csv_rows, cut(raw, places), expected, **arguments)


@each_kernel
@given(case=strategies.dialects_and_broken_bytes(), places=cuts)
def test_rows_before_a_broken_byte_come_first(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes], places: list[int] | int
) -> None:
    dialect, raw = case
    expected = oracle.read_bytes(raw, **dialect)
    check(kernel_csv_rows, raw, expected, **dialect)
    check(kernel_csv_rows, cut(raw, places), expected, items='chunks', **dialect)


@pytest.mark.parametrize('encoding', ['ascii', 'cp1252', 'shift_jis', 'utf-16-le', 'utf-32-le'])
@few
@given(data=st.data(), places=cuts)
def test_rows_before_what_no_encoding_decodes_come_first(
    encoding: str, data: st.DataObject, places: list[int] | int
) -> None:
    dialect, raw = data.draw(strategies.dialects_and_broken_bytes(encoding))
    expected = oracle.read_bytes(raw, encoding, **dialect)
    check(csv_rows, cut(raw, places), expected, encoding=encoding, items='chunks', **dialect)


def test_surrogates_pass_where_that_is_asked_for() -> None:
    raw = b'a,\xed\xa0\x80\n'
    expected = oracle.Outcome([['a', '\ud800']], [1], None, 1)
    check(csv_rows, raw, expected, errors='surrogatepass')


BROKEN = {
    'a_lone_byte': b'a,b\nc,\xff\nd,e\n',
    'a_torn_character_at_the_end': b'a,b\nc,d\n\xe2\x82',
    'a_torn_character_before_a_delimiter': b'a,b\nc\xe2\x82,d\n',
    'a_surrogate': b'a,b\nc,\xed\xa0\x80\n',
    'an_overlong_form': b'a,b\nc,\xc0\xaf\n',
    'beyond_the_last_code_point': b'a,b\nc,\xf4\x90\x80\x80\n',
    'in_quotes': b'a,b\n"c\n\xff",d\n',
    'right_after_a_return': b'a,b\r\xff',
    'far_behind_the_row': b'a,b\n' + b'x' * 200 + b'\xff\n',
}


@pytest.mark.parametrize('name', BROKEN)
def test_a_broken_byte_at_every_cut(kernel_csv_rows: CsvRows, name: str) -> None:
    raw = BROKEN[name]
    expected = oracle.read_bytes(raw)
    assert expected.rows[0] == ['a', 'b']
    assert expected.error is UnicodeError
    check(kernel_csv_rows, raw, expected)
    for at in range(len(raw) + 1):
        check(kernel_csv_rows, [raw[:at], raw[at:]], expected)


def test_a_byte_order_mark_goes_at_every_cut() -> None:
    raw = b'\xef\xbb\xbf"a",b\n\xef\xbb\xbfc,d\n'
    expected = oracle.read_bytes(raw)
    assert expected.rows == [['a', 'b'], ['\ufeffc', 'd']]
    for at in range(len(raw) + 1):
        check(csv_rows, [raw[:at], raw[at:]], expected)


def test_a_byte_order_mark_alone_is_an_empty_file() -> None:
    check(csv_rows, b'\xef\xbb\xbf', oracle.Outcome())


@pytest.mark.parametrize('encoding', ['utf-16', 'utf-32'])
def test_wide_encodings_need_their_byte_order_mark(encoding: str) -> None:
    """As ``TextIOWrapper`` has it: native order would be a guess."""
    raw = 'a,b\n'.encode(f'{encoding}-be')
    check(csv_rows, raw, oracle.Outcome(error=CSVError), encoding=encoding)


def test_an_unknown_encoding_is_a_lookup_error() -> None:
    with pytest.raises(LookupError):
        list(csv_rows(b'a\n', encoding='no such encoding'))


# --- refused by design -----------------------------------------------------------------------


@pytest.mark.parametrize('kind', oracle.PACKED_BEGINNINGS)
def test_damaged_archives_are_refused_at_every_cut(kind: str) -> None:
    if kind == 'zstd' and sys.version_info < (3, 14):
        pytest.importorskip('backports.zstd')
    raw = oracle.PACKED_BEGINNINGS[kind] + b'\x08\0,\0\n\0a\n'
    expected = oracle.Outcome(error=CSVError)
    check(csv_rows, raw, expected)
    check(csv_rows, io.BytesIO(raw), expected)
    for at in range(1, 6):
        check(csv_rows, [raw[:at], raw[at:]], expected)


@pytest.mark.parametrize(
    'raw', [b'\x1f\x8a\n', b'PK,a\n', b'P\n', b'(\n', b'(,\n', b'\0\0a\n', b'\0']
)
def test_what_only_nearly_begins_packed_is_read(raw: bytes) -> None:
    check(csv_rows, raw, oracle.read_bytes(raw))
    check(csv_rows, cut(raw, 1), oracle.read_bytes(raw), items='chunks')


@pytest.mark.parametrize('encoding', ['utf-16-le', 'utf-32-le'])
def test_a_wide_encoding_may_begin_with_its_own_mark(encoding: str) -> None:
    raw = '\ufeffa,b\n'.encode(encoding)
    check(csv_rows, raw, oracle.read_bytes(raw, encoding), encoding=encoding)


def test_eight_items_that_lost_their_line_ends_are_refused() -> None:
    stream = csv_rows([b'a,b,c'] * 8)
    with pytest.raises(ValueError, match="items='lines'"):
        next(stream)


def test_eight_items_with_one_line_end_are_chunks() -> None:
    chunks = [b'a,b,c'] * 7 + [b'd\n'] + [b'a,b,c'] * 8
    check(csv_rows, chunks, oracle.read_bytes(b''.join(chunks)))


def test_items_one_with_a_line_end_are_chunks() -> None:
    chunks = [b'a,b,c'] * 7 + [b'abc\n'] + [b'a,b,c'] * 8
    check(csv_rows, chunks, oracle.read_bytes(b''.join(chunks)))


# --- rows, limits, long input ----------------------------------------------------------------


@few
@given(strategies.dialects_and_bytes())
def test_tuples(case: tuple[Dialect, bytes]) -> None:
    dialect, raw = case
    check(csv_rows, raw, oracle.read_bytes(raw, **dialect), into=tuple, **dialect)


limits = st.one_of(st.integers(1, 3), st.integers(1, 70))


@each_kernel
@given(case=strategies.dialects_and_bytes(), limit=limits, places=cuts)
def test_field_limit(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes], limit: int, places: list[int] | int
) -> None:
    dialect, raw = case
    expected = oracle.read_bytes(raw, field_limit=limit, **dialect)
    check(kernel_csv_rows, raw, expected, max_field=limit, **dialect)
    chunks = cut(raw, places)
    check(kernel_csv_rows, chunks, expected, max_field=limit, items='chunks', **dialect)


@few
@given(case=strategies.dialects_and_items(), limit=limits)
def test_field_limit_of_str_items(case: tuple[Dialect, list[str]], limit: int) -> None:
    dialect, items = case
    expected = oracle.read(items, field_limit=limit, **dialect)
    check(csv_rows, items, expected, max_field=limit, **dialect)


@pytest.mark.parametrize('item', ['\r\n\r\n', 'a\n\n\n', 'a,b\n\r\r\r'])
def test_line_ends_eaten_behind_a_record_count_for_no_field(item: str) -> None:
    check(csv_rows, [item], oracle.read([item], field_limit=1), max_field=1)


FIELDS_AT_THE_LIMIT = {
    'plain': 'x' * 131072,
    'quoted': '"' + 'x' * 131072 + '"',
    'quotes_doubled': '"' + '""' * 131072 + '"',
    'two_bytes_each': 'é' * 131072,
    'four_bytes_each': '😀' * 131072,
    'lines': '"' + 'x\n' * 65536 + '"',
}


@pytest.mark.parametrize('name', FIELDS_AT_THE_LIMIT)
def test_default_field_limit_counts_characters(kernel_csv_rows: CsvRows, name: str) -> None:
    field = FIELDS_AT_THE_LIMIT[name]
    for text in (f'a,{field},b\n', f'a,{field[:1]}{field},b\n'):
        raw = text.encode()
        expected = oracle.read_quickly(oracle.text_lines(raw))
        check(kernel_csv_rows, raw, expected)
        check(kernel_csv_rows, cut(raw, 65536), expected)


def test_no_field_limit() -> None:
    field = 'x' * 200_000
    assert list(csv_rows(f'a,{field}\n'.encode(), max_field=None)) == [['a', field]]


@settings(max_examples=max(1, settings().max_examples // 15))
@given(case=strategies.dialects_and_bytes(), size=st.sampled_from([8192, 65536, 100_003]))
def test_input_longer_than_any_block(
    kernel_csv_rows: CsvRows, case: tuple[Dialect, bytes], size: int
) -> None:
    """Records lie across the blocks that files are read in."""
    dialect, raw = case
    raw *= 300_000 // (len(raw) + 1)
    if not oracle.running_csv_agrees(dialect):
        raw = raw[:100_000].decode('utf-8', 'ignore').encode()
    expected = oracle.read_quickly(oracle.text_lines(raw), **dialect)
    check(kernel_csv_rows, raw, expected, **dialect)
    check(kernel_csv_rows, io.BytesIO(raw), expected, **dialect)
    check(kernel_csv_rows, cut(raw, size), expected, items='chunks', **dialect)


LONG_RECORDS = {
    'a_field_across_three_blocks': b'a,"' + b'text, more\n' * 11_000 + b'",b\nc\n',
    'five_thousand_columns': (b','.join(b'%d' % i for i in range(5000)) + b'\n') * 40,
    'nothing_but_delimiters': b',' * 200_000 + b'\n',
    'one_character_each': b'x\n' * 70_000,
    'blank_records': b'\n\r\n\r' * 30_000,
    'nothing_but_quotes': b'"' * 200_001,
    'a_stray_quote_in_each': b'ab"c,d,"e"f"\r\n' * 10_000,
    'two_byte_characters': 'é,ü,ß\n'.encode() * 20_000,
    'four_byte_characters': '😀,𝄞,🜚\n'.encode() * 15_000,
    'returns_only': b'a,b,c\r' * 25_000,
}


@pytest.mark.parametrize('name', LONG_RECORDS)
def test_long_records(kernel_csv_rows: CsvRows, name: str) -> None:
    raw = LONG_RECORDS[name]
    expected = oracle.read_quickly(oracle.text_lines(raw))
    check(kernel_csv_rows, raw, expected)
    check(kernel_csv_rows, cut(raw, 4095), expected, items='chunks')

"""``on_error``: what becomes of records that cannot be read, and that all others are."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import CSVError, csv_rows


def skipping(source: Any, **arguments: Any) -> tuple[list[Any], list[tuple[int | None, Any]]]:
    """The rows, and for each error the lines read so far and the raw text."""
    errors: list[tuple[int | None, Any]] = []
    rows = csv_rows(
        source, on_error=lambda _, raw: errors.append((rows.line_num, raw)), **arguments
    )
    result = list(rows)
    assert rows.errors == len(errors)
    assert rows.row_num == len(result)
    return result, errors


def expected(
    lines: list[str], limit: int = 131072, **arguments: Any
) -> tuple[list[Any], list[tuple[int | None, Any]]]:
    """csv.reader, asked again after each error; the raw text is the lines that it took."""
    taken: list[str] = []

    def source() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    rows: list[Any] = []
    errors: list[tuple[int | None, Any]] = []
    before = csv.field_size_limit(limit)
    try:
        reader = csv.reader(source(), **arguments)
        while True:
            taken.clear()
            try:
                rows.append(next(reader))
            except StopIteration:
                return rows, errors
            except csv.Error:
                errors.append((reader.line_num, ''.join(taken)))
    finally:
        csv.field_size_limit(before)


def as_bytes(outcome: Any, encoding: str = 'utf-8') -> Any:
    rows, errors = outcome
    return rows, [(line, raw.encode(encoding)) for line, raw in errors]


awkward = st.text('ab,"\r\n é', max_size=60)


@given(awkward, st.sampled_from([131072, 0, 2, 5]), st.integers(1, 9))
def test_after_a_skipped_error_it_goes_on_as_csv_reader_does(
    text: str, limit: int, size: int
) -> None:
    lines = list(io.StringIO(text, newline=''))
    outcome = expected(lines, limit, strict=True)
    arguments: dict[str, Any] = {'strict': True, 'max_field': limit}
    assert skipping(io.StringIO(text, newline=''), **arguments) == outcome
    assert skipping([text], items='chunks', **arguments) == outcome
    data = text.encode()
    assert skipping(data, **arguments) == as_bytes(outcome)
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    assert skipping(chunks, items='chunks', **arguments) == as_bytes(outcome)
    latin = [bytes([byte]) for byte in text.encode('latin-1')]
    assert skipping(latin, items='chunks', encoding='latin-1', **arguments) == as_bytes(
        outcome, 'latin-1'
    )
    wide = text.encode('utf-16-le')
    pieces = [wide[i : i + size] for i in range(0, len(wide), size)]
    assert skipping(pieces, items='chunks', encoding='utf-16-le', **arguments) == as_bytes(
        outcome, 'utf-16-le'
    )


@pytest.mark.parametrize('repeat', [1, 60, 3000])
def test_errors_far_apart(repeat: int) -> None:
    text = ('a,b\r\n' * repeat + '"x"y,"z\r\n1",\r\n2"\r\n') * 30
    outcome = expected(list(io.StringIO(text, newline='')), strict=True)
    assert len(outcome[1]) >= 30
    assert skipping(text.encode(), strict=True) == as_bytes(outcome)
    assert skipping(io.StringIO(text, newline=''), strict=True) == outcome


def test_lines_that_go_on_after_their_end() -> None:
    assert skipping(['a,b\rc\n', 'd\n']) == ([['d']], [(1, 'a,b\rc\n')])
    assert skipping([b'a,"', b'\xff', b'b'], items='lines') == ([['b']], [(2, b'a,"\n\xff\n')])


def test_records_of_every_kind_of_fault() -> None:
    data = b'id,x\r\n1,2\r\nq,2\r\n"3\r\n",y\r\n4\r\n5,6,7\r\n8,9'
    rows, errors = skipping(data, into=dict, types={'id': int, 'x': float})
    assert rows == [{'id': 1, 'x': 2.0}, {'id': 8, 'x': 9.0}]
    assert errors == [
        (3, b'q,2\r\n'),
        (5, b'"3\r\n",y\r\n'),
        (6, b'4\r\n'),
        (7, b'5,6,7\r\n'),
    ]


@pytest.mark.parametrize('size', [1, 2, 3, 7])
@pytest.mark.parametrize('end', ['\n', '\r', '\r\n'])
def test_the_raw_text_has_its_whole_line_end(size: int, end: str) -> None:
    text = end.join(['x', '1', 'y', '"z"', ''])
    data = text.encode()
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    rows, errors = skipping(chunks, items='chunks', types={0: int})
    assert rows == [[1]]
    assert [raw for _, raw in errors] == [f'{t}{end}'.encode() for t in ('x', 'y', '"z"')]
    rows, errors = skipping(text.splitlines(keepends=True), types={0: int})
    assert [raw for _, raw in errors] == [f'{t}{end}' for t in ('x', 'y', '"z"')]
    assert skipping(data[:1], types={0: int}) == ([], [(1, b'x')])


def test_counters_are_right_after_a_skip() -> None:
    rows = csv_rows(b'a\n"x\ny"\n1\n', on_error='skip', types={0: int}, header=True)
    assert next(rows) == [1]
    assert (rows.line_num, rows.row_num, rows.errors) == (4, 1, 1)


# --- decoding ---------------------------------------------------------------------------------


@pytest.mark.parametrize('size', [1, 2, 5, 1000])
@pytest.mark.parametrize('encoding', ['utf-8', 'ascii', 'shift_jis', 'utf-8-sig'])
def test_a_line_that_is_not_text_is_skipped(encoding: str, size: int) -> None:
    data = b'a,b\n1,\xff\xfe2\r\n"3\n",\xff\n\xff\n\xff\xff4,5\xff\n6,"\n7"\n8\xff'
    chunks = [data[i : i + size] for i in range(0, len(data), size)]
    rows, errors = skipping(chunks, items='chunks', encoding=encoding)
    assert rows == [['a', 'b'], ['6', '\n7']]
    assert errors == [
        (2, b'1,\xff\xfe2\r\n'),
        (4, b'"3\n",\xff\n'),
        (5, b'\xff\n'),
        (6, b'\xff\xff4,5\xff\n'),
        (9, b'8\xff'),
    ]


def test_wide_text_cut_short() -> None:
    data = 'a,b\nc\n'.encode('utf-16-le') + b'\x00\xd8x\x00\n\x00d\x00\n\x00e'
    rows, errors = skipping(data, encoding='utf-16-le')
    assert rows == [['a', 'b'], ['c'], ['d']]
    assert errors == [(3, b'\x00\xd8x\x00\n\x00'), (5, b'e')]


# --- limits -----------------------------------------------------------------------------------


def test_the_raw_text_is_whole_however_long() -> None:
    long = b'x' * 200_000
    for pieces in ([b'a\n' + long + b'\nb\n'], [b'a\n', *[long] * 20, b'\nb\n']):
        whole = b''.join(pieces).split(b'\n')[1] + b'\n'
        assert skipping(pieces, items='chunks') == ([['a'], ['b']], [(2, whole)])
    assert skipping([long.decode() + '\n', 'b\n']) == ([['b']], [(1, long.decode() + '\n')])


@pytest.mark.parametrize('ends', ['\n', '\r\n'])
def test_the_raw_text_of_a_record_over_max_record_is_cut_and_says_so(ends: str) -> None:
    seen: list[Any] = []

    def take(error: CSVError, raw: Any) -> None:
        seen.append((raw, error.__notes__))

    long = 'x' * 200_000
    text = f'a\n{long}{ends}b\n'
    kept = 100_000
    for source, unit in ((text.encode(), 'bytes'), ([text], 'characters')):
        rows = csv_rows(source, items='chunks', max_record=kept, max_field=None, on_error=take)
        assert list(rows) == [['a'], ['b']]
        cut = long[:kept]
        note = f'the text given to on_error is cut at {kept} {unit}'
        assert seen.pop() == (cut.encode() if unit == 'bytes' else cut, [note])
    assert seen == []


def test_an_endless_line_costs_bounded_memory() -> None:
    import tracemalloc

    def chunks() -> Iterator[bytes]:
        yield b'a\n"'
        for _ in range(300):
            yield b'x' * 100_000
        yield b'\nb\n'

    tracemalloc.start()
    try:
        rows = csv_rows(chunks(), on_error='skip')
        assert list(rows) == [['a'], ['b']]
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_max_record_is_skipped_too() -> None:
    rows, errors = skipping(b'a,b\n1234,567890\nc,d\n', max_record=6)
    assert rows == [['a', 'b'], ['c', 'd']]
    assert errors == [(2, b'1234,567890\n')]


# --- the three forms --------------------------------------------------------------------------


def test_skip_and_raise() -> None:
    data = b'1\nx\n2\n'
    rows = csv_rows(data, types={0: int}, on_error='skip')
    assert (list(rows), rows.errors) == ([[1], [2]], 1)
    rows = csv_rows(data, types={0: int}, on_error='raise')
    assert next(rows) == [1]
    with pytest.raises(CSVError):
        next(rows)
    assert rows.errors == 1
    with pytest.raises(ValueError, match="'raise', 'skip' or a callable, not 'ignore'"):
        csv_rows(data, on_error='ignore')
    with pytest.raises(TypeError, match='a callable, not 3'):
        csv_rows(data, on_error=3)


def test_the_error_given_is_the_one_that_would_be_raised() -> None:
    seen: list[Any] = []
    list(csv_rows(b'1\nx\n', types={0: int}, on_error=lambda *arguments: seen.append(arguments)))
    ((error, raw),) = seen
    assert isinstance(error, CSVError)
    assert isinstance(error.__cause__, ValueError)
    assert (error.record, error.line, error.byte, error.text, raw) == (2, 2, 2, 'x', b'x\n')


def test_what_on_error_raises_comes_through() -> None:
    def refuse(error: CSVError, raw: bytes) -> None:
        raise error

    with pytest.raises(CSVError, match='invalid literal'):
        list(csv_rows(b'x\n', types={0: int}, on_error=refuse))

    def stop(error: CSVError, raw: bytes) -> None:
        raise StopIteration

    with pytest.raises(RuntimeError, match='generator raised StopIteration'):
        list(csv_rows(b'x\n', types={0: int}, on_error=stop))


def test_on_error_may_not_reach_the_reader() -> None:
    def reach(error: CSVError, raw: bytes) -> None:
        next(rows)

    rows = csv_rows(b'x\n1\n', types={0: int}, on_error=reach)
    with pytest.raises(ValueError, match='generator already executing'):
        next(rows)


def test_a_failing_source_is_never_skipped() -> None:
    def broken() -> Iterator[bytes]:
        yield b'1,2\n'
        raise OSError('gone')

    rows = csv_rows(broken(), on_error='skip')
    assert next(rows) == ['1', '2']
    with pytest.raises(OSError, match='gone'):
        next(rows)
    with pytest.raises(CSVError, match='gzip'):
        list(csv_rows(b'\x1f\x8b\x08\0', on_error='skip'))
    with pytest.raises(CSVError, match='iterator should return'):
        list(csv_rows(['1\n', 3], on_error='skip'))

    def torn() -> Iterator[bytes]:
        yield b'1,"'
        yield b'"x'
        raise OSError('gone')

    with pytest.raises(OSError, match='gone'):
        list(csv_rows(torn(), strict=True, on_error='skip'))


def test_a_bad_header_is_never_skipped() -> None:
    with pytest.raises(CSVError):
        list(csv_rows(b'"a"b\n1\n', header=True, strict=True, on_error='skip'))
    with pytest.raises(CSVError, match='several columns'):
        list(csv_rows(b'a,a\n1,2\n', into=dict, on_error='skip'))


def test_stop_iteration_of_a_converter_is_never_skipped() -> None:
    def stop(text: str) -> Any:
        raise StopIteration

    with pytest.raises(RuntimeError):
        list(csv_rows(b'x\n', types={0: stop}, on_error='skip'))

"""What is around the records: held against a model that prepares lines for ``csv.reader``."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generators import CSVError, csv_batches, csv_rows

from . import around
from .strategies import cut, cuts

texts = st.text(st.sampled_from('a#b,"\n\r \né'), max_size=60)
options = st.fixed_dictionaries(
    {},
    optional={
        'skip': st.integers(0, 4),
        'comment': st.sampled_from(['#', '#a', 'é#', '##']),
        'footer': st.integers(0, 3),
        'blank': st.sampled_from(['skip', 'keep']),
        'multiline': st.booleans(),
    },
)
few = settings(max_examples=max(1, settings().max_examples // 3))


def outcome(stream: Any, errors: list[Any]) -> Any:
    rows = [(row, stream.line_num) for row in stream]
    return rows, errors


def read(source: Any, **arguments: Any) -> Any:
    errors: list[Any] = []

    def note(error: CSVError, raw: Any) -> None:
        text = raw if isinstance(raw, str) else raw.decode(arguments.get('encoding', 'utf-8'))
        assert error.line == error.record_line
        errors.append((error.record_line, text))

    return outcome(csv_rows(source, on_error=note, **arguments), errors)


def expected(text: str, given_options: dict[str, Any]) -> Any:
    found = around.read(text, **given_options)
    rows = [(record.row, record.last_line) for record in found if record.row is not None]
    return rows, [(r.first_line, r.raw) for r in found if r.row is None]


@given(texts, options, cuts)
@example('#"\na\n#', {'comment': '#'}, 1)
@example('"#\n#a"\n#"\nb', {'comment': '#'}, 1)
@example('a\r\n#b\r\nc', {'comment': '#'}, 1)
@example('a,"b\nc,d\n"', {'multiline': False, 'footer': 1}, 1)
@example('\n\r\n\r', {'skip': 2}, 1)
def test_bytes_cut_anywhere(text: str, given_options: dict[str, Any], places: Any) -> None:
    pieces = cut(text.encode(), places)
    assert read(pieces, items='chunks', **given_options) == expected(text, given_options)


@few
@given(texts, options, cuts)
def test_text_cut_anywhere(text: str, given_options: dict[str, Any], places: Any) -> None:
    pieces = cut(text, places)
    assert read(pieces, items='chunks', **given_options) == expected(text, given_options)


@few
@given(texts, options)
def test_text_in_lines(text: str, given_options: dict[str, Any]) -> None:
    source = io.StringIO(text, newline='')
    assert read(source, **given_options) == expected(text, given_options)


@few
@given(texts, options, cuts, st.sampled_from(['utf-16', 'latin-1', 'cp1252']))
def test_other_encodings(
    text: str, given_options: dict[str, Any], places: Any, encoding: str
) -> None:
    errors: list[Any] = []
    pieces = cut(text.encode(encoding), places)
    stream = csv_rows(
        pieces,
        items='chunks',
        encoding=encoding,
        on_error=lambda error, raw: errors.append(error.record_line),
        **given_options,
    )
    rows, faults = expected(text, given_options)
    assert outcome(stream, errors) == (rows, [line for line, _ in faults])


@few
@given(texts, options, cuts)
def test_a_prefix_or_a_callable_finds_the_first_line(
    text: str, given_options: dict[str, Any], places: Any
) -> None:
    for skip in ('a', '#', lambda line: line.endswith('b')):
        asked = {**given_options, 'skip': skip}
        try:
            rows = expected(text, asked)
        except ValueError:
            with pytest.raises(CSVError, match='skip: '):
                read(cut(text.encode(), places), items='chunks', **asked)
            continue
        assert read(cut(text.encode(), places), items='chunks', **asked) == rows
        assert read(cut(text, places), items='chunks', **asked) == rows
        assert read(io.StringIO(text, newline=''), **asked) == rows


@few
@given(texts, options, st.integers(1, 3))
def test_every_checkpoint_continues(text: str, given_options: dict[str, Any], step: int) -> None:
    rows, faults = expected(text, given_options)
    file = io.BytesIO(text.encode())
    stream = csv_rows(file, on_error='skip', **given_options)
    marks = [(0, stream.checkpoint())]
    for count, _ in enumerate(stream, 1):
        marks.append((count, stream.checkpoint()))
    marks.append((len(rows), stream.checkpoint()))
    for count, mark in marks[::step]:
        again = csv_rows(io.BytesIO(text.encode()), start=mark, on_error='skip', **given_options)
        assert outcome(again, [])[0] == rows[count:]
        assert again.errors == len(faults)


# --- what is passed over ----------------------------------------------------------------------


def test_what_is_skipped_need_not_be_text() -> None:
    data = b'\xff\xe9 title\nid\n1\n'
    assert list(csv_rows(data, skip=1, into=dict)) == [{'id': '1'}]
    assert list(csv_rows(data, skip='id', into=dict)) == [{'id': '1'}]
    assert list(csv_rows(data, skip=lambda line: line == 'id', into=dict)) == [{'id': '1'}]
    assert list(csv_rows([b'\xff', b'id', b'1'], items='lines', skip=1)) == [['id'], ['1']]


def test_a_byte_order_mark_is_no_part_of_the_first_line() -> None:
    text = '\ufeff# title\nid\n1\n'
    for source in (text.encode(), [text], io.StringIO(text)):
        items = 'chunks' if isinstance(source, list) else 'auto'
        assert list(csv_rows(source, items=items, comment='#')) == [['id'], ['1']]
        source = io.StringIO(text) if isinstance(source, io.StringIO) else source
        assert list(csv_rows(source, items=items, skip='id')) == [['id'], ['1']]


def test_an_endless_comment_and_an_endless_skipped_line_need_no_memory() -> None:
    taken = 0

    def source(first: bytes) -> Any:
        nonlocal taken
        yield first
        for _ in range(400):
            taken += 1
            yield b'"' * 65536
        yield b'\nid\n1\n'

    for first, arguments in ((b'#', {'comment': '#'}), (b'x', {'skip': 1}), (b'x', {'skip': 'id'})):
        rows = csv_rows(source(first), items='chunks', max_record=100_000, **arguments)
        assert list(rows) == [['id'], ['1']]
    with pytest.raises(CSVError, match='skip: a line is larger than max_record'):
        list(csv_rows(source(b'x'), skip=lambda line: False, max_record=100_000))


def test_an_exception_of_the_callable_comes_through() -> None:
    error = KeyError('x')

    def fails(line: str) -> bool:
        raise error

    with pytest.raises(KeyError) as caught:
        list(csv_rows(b'a\n', skip=fails))
    assert caught.value is error

    def stops(line: str) -> bool:
        raise StopIteration

    with pytest.raises(RuntimeError, match='StopIteration'):
        list(csv_rows(b'a\n', skip=stops))

    rows: Any = None

    def steps(line: str) -> bool:
        return bool(next(rows))

    rows = csv_rows(b'a\n', skip=steps)
    with pytest.raises(ValueError, match='already executing'):
        next(rows)


def test_a_comment_in_quotes_is_text() -> None:
    data = b'id,text\n1,"a\n# b\n"\n# c\n2,#\n'
    assert list(csv_rows(data, comment='#')) == [['id', 'text'], ['1', 'a\n# b\n'], ['2', '#']]


@pytest.mark.parametrize(
    ('arguments', 'error', 'message'),
    [
        ({'skip': -1}, ValueError, 'skip must not be negative'),
        ({'skip': True}, TypeError, 'skip must be a number of lines'),
        ({'skip': 1.0}, TypeError, 'skip must be a number of lines'),
        ({'skip': ''}, ValueError, 'skip must be the beginning of one line'),
        ({'skip': 'a\nb'}, ValueError, 'skip must be the beginning of one line'),
        ({'comment': ''}, ValueError, 'comment must be 1 to 16 bytes'),
        ({'comment': 'x' * 17}, ValueError, 'comment must be 1 to 16 bytes'),
        ({'comment': b'#'}, TypeError, 'comment must be str'),
        ({'comment': ',#'}, ValueError, 'comment must hold no line end, delimiter'),
        ({'footer': -1}, ValueError, 'footer must not be negative'),
        ({'footer': 'x'}, TypeError, 'integer'),
        ({'blank': 'drop'}, ValueError, "blank must be 'skip', 'keep' or 'error'"),
        ({'blank': 'keep', 'into': dict}, ValueError, "blank='keep' is for rows that are lists"),
        ({'duplicates': 'x'}, ValueError, "duplicates must be 'error' or 'number'"),
    ],
)
def test_arguments_that_are_wrong_for_any_data(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        csv_rows(b'', **arguments)
    if 'into' not in arguments:
        with pytest.raises(error, match=message):
            csv_batches(b'', **arguments)


def test_none_is_what_was_not_given() -> None:
    rows = csv_rows(b'a\n\nb\n', skip=None, comment=None, footer=None, blank=None, duplicates=None)
    assert list(rows) == [['a'], [], ['b']]


# --- blank records ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ('arguments', 'rows'),
    [
        ({}, [[], ['a', 'b'], [], ['1', '2'], []]),
        ({'into': tuple}, [(), ('a', 'b'), (), ('1', '2'), ()]),
        ({'blank': 'skip'}, [['a', 'b'], ['1', '2']]),
        ({'header': True}, [['1', '2']]),
        ({'header': True, 'blank': 'keep', 'skip': 1}, [[], ['1', '2'], []]),
        ({'into': dict}, [{'a': '1', 'b': '2'}]),
        ({'types': {'a': int}}, [[1, '2']]),
        ({'header': False, 'types': {0: str}}, [['a', 'b'], ['1', '2']]),
    ],
)
def test_blank_records(arguments: dict[str, Any], rows: list[Any]) -> None:
    assert list(csv_rows(b'\na,b\n\n1,2\n\n', **arguments)) == rows


def test_a_blank_record_that_is_an_error() -> None:
    for data, line in ((b'\na\n1\n', 1), (b'a\n1\n\n2\n', 3)):
        for read_it in (csv_rows, csv_batches):
            with pytest.raises(CSVError, match="a blank record, and blank is 'error'") as caught:
                list(read_it(data, blank='error', header=True))
            assert (caught.value.line, caught.value.record_line) == (line, line)
    found: list[Any] = []
    rows = csv_rows(b'a\n1\n\n2\n', blank='error', on_error=lambda e, raw: found.append(raw))
    assert (list(rows), found, rows.errors) == ([['a'], ['1'], ['2']], [b'\n'], 1)
    batches = csv_batches(b'\n1\n\n2\n', blank='error', header=False, on_error='skip', ragged='pad')
    assert [len(batch) for batch in batches] == [2]
    assert batches.errors == 2


# --- the footer -------------------------------------------------------------------------------


def test_the_footer_need_not_parse() -> None:
    data = b'id\n1\n2\nTotal "x\nof,\xff\n"no end'
    rows = csv_rows(data, into=dict, types={'id': int}, footer=3, strict=True)
    assert list(rows) == [{'id': 1}, {'id': 2}]
    assert rows.errors == 0


def test_a_fault_above_the_footer_is_told_where_it_is() -> None:
    data = b'id\n1\n\xff\n3\n4\nTotal\nend\n'
    rows = csv_rows(io.BytesIO(data), into=dict, footer=2)
    assert next(rows) == {'id': '1'}
    with pytest.raises(CSVError) as caught:
        next(rows)
    assert (caught.value.record, caught.value.line, caught.value.byte) == (3, 3, 5)
    mark = rows.checkpoint()
    assert (mark['offset'], mark['line'], mark['row']) == (5, 2, 1)
    found: list[Any] = []
    rows = csv_rows(data, into=dict, footer=2, on_error=lambda e, raw: found.append((e.line, raw)))
    assert list(rows) == [{'id': '1'}, {'id': '3'}, {'id': '4'}]
    assert found == [(3, b'\xff\n')]
    batches = csv_batches(data, types={'id': int}, footer=2, on_error='skip')
    assert [len(batch) for batch in batches] == [3]
    assert batches.errors == 1


@pytest.mark.parametrize('footer', [1, 5, 100])
def test_a_footer_may_be_longer_than_the_file(footer: int) -> None:
    assert list(csv_rows(b'id\n', into=dict, footer=footer)) == []
    assert [len(b) for b in csv_batches(b'id\n', footer=footer)] == []


def test_a_row_is_kept_while_records_are_held_back() -> None:
    from generators import CSVRow

    pieces = [b'id,text\n', *(b'%d,text %d\n' % (i, i) for i in range(50))]
    rows = list(csv_rows(pieces, items='chunks', into=CSVRow, footer=3))
    assert [row['text'] for row in rows] == [f'text {i}' for i in range(47)]


# --- sep= -------------------------------------------------------------------------------------


@pytest.mark.parametrize('first', ['sep=;\r\n', 'SEP=;\n', 'sep=;\r'])
@pytest.mark.parametrize('size', [1, 3, 100])
def test_a_first_line_gives_the_delimiter(first: str, size: int) -> None:
    text = f'{first}id;text\r\n1;a,b\r\n'
    for encoding in ('utf-8', 'utf-16'):
        data = text.encode(encoding)
        pieces = [data[i : i + size] for i in range(0, len(data), size)]
        for dialect in ({}, {'dialect': 'excel'}):
            rows = csv_rows(
                pieces, items='chunks', into=dict, delimiter=None, encoding=encoding, **dialect
            )
            assert list(rows) == [{'id': '1', 'text': 'a,b'}]
    lines = text.splitlines(keepends=True)
    assert list(csv_rows(lines, delimiter=None)) == [['id', 'text'], ['1', 'a,b']]
    assert next(csv_batches(text.encode(), delimiter=None)).column_names == ('id', 'text')


@pytest.mark.parametrize('text', ['sep=', 'sep=;x\n', 'sep', 'se\n', 'sep=\n', 'Separate,x\n', ''])
def test_other_first_lines_give_none(text: str) -> None:
    wanted = list(csv_rows([text], items='chunks'))
    assert list(csv_rows([text], items='chunks', delimiter=None)) == wanted
    assert list(csv_rows(text.encode(), delimiter=None)) == wanted


def test_the_line_means_nothing_unless_it_is_asked_for() -> None:
    assert list(csv_rows(b'sep=;\na;b\n')) == [['sep=;'], ['a;b']]
    with pytest.raises(TypeError, match='delimiter'):
        csv_rows(b'', delimiter=None, dialect='unix')
    with pytest.raises(CSVError, match="'sep=' gives no delimiter that can be used"):
        list(csv_rows(b'sep="\na\n', delimiter=None))
    with pytest.raises(CSVError, match="'sep=' gives no delimiter that can be used"):
        list(csv_rows(b'sep=#\na\n', delimiter=None, comment='#'))


def test_a_checkpoint_knows_the_delimiter_of_the_line() -> None:
    data = b'sep=;\nid;x\n1;2\n3;4\n'
    rows = csv_rows(io.BytesIO(data), delimiter=None, into=dict)
    assert next(rows) == {'id': '1', 'x': '2'}
    again = csv_rows(io.BytesIO(data), start=rows.checkpoint(), delimiter=None, into=dict)
    assert list(again) == [{'id': '3', 'x': '4'}]
    assert again.line_num == 4


# --- parts ------------------------------------------------------------------------------------


def test_a_part_is_not_read_with_what_needs_the_whole_file() -> None:
    from generators import csv_scan, csv_split

    data = b'1,2\n3,4\n'
    for arguments in (
        {'skip': 1},
        {'comment': '#'},
        {'footer': 1},
        {'multiline': False},
        {'delimiter': None},
    ):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            csv_split(io.BytesIO(data), **arguments)
        with pytest.raises(ValueError, match=next(iter(arguments))):
            csv_scan(io.BytesIO(data), 0, 2, **arguments)
        if 'delimiter' not in arguments:
            (part,) = csv_split(io.BytesIO(data), parts=1)
            with pytest.raises(ValueError, match=r'part|dialect'):
                csv_rows(io.BytesIO(data), start=part, **arguments)
    assert len(csv_split(io.BytesIO(data), skip=0, comment=None, footer=0, multiline=True)) == 1


def test_a_checkpoint_is_of_the_same_comments() -> None:
    data = b'a\n#\nb\n'
    rows = csv_rows(io.BytesIO(data), comment='#')
    next(rows)
    for arguments in ({}, {'comment': '/'}, {'comment': '#', 'multiline': False}):
        with pytest.raises(ValueError, match='another dialect'):
            csv_rows(io.BytesIO(data), start=rows.checkpoint(), **arguments)


def test_max_record_counts_each_line_that_is_skipped_by_itself() -> None:
    data = b'x' * 20 + b'\n'
    rows = csv_rows(data * 9 + b'id\n1\n', skip=lambda line: line == 'id', max_record=30)
    assert list(rows) == [['id'], ['1']]

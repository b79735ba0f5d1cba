"""csv_schema: what it tells, its arguments, errors, threads and sources."""

from __future__ import annotations

import datetime as dt
import decimal
import gzip
import inspect
import io
import json
import random
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from generators import CSVError, CSVSchema, convert, csv_rows, csv_schema

from .schema import found

SMALL = b'id,name,day\n1,Ann,2024-02-29\n2,,2024-03-01\n3,Bob,\n'


# ---- what it tells ----


def test_a_small_file() -> None:
    schema = csv_schema(SMALL)
    assert schema.names == schema.header == ('id', 'name', 'day')
    assert schema.rows == 3
    assert schema.types == {'id': int, 'name': str, 'day': dt.date}
    assert [column.type_name for column in schema] == ['int', 'str', 'date']
    name = schema['name']
    assert (name.values, name.nulls, name.empty, name.missing) == (2, 1, 1, 0)
    assert (name.least, name.greatest, name.shortest, name.longest) == ('Ann', 'Bob', 3, 3)
    assert name.counts == {'Ann': 1, 'Bob': 1}
    assert schema[2].least == dt.date(2024, 2, 29)
    assert schema[-1] is schema['day']


def test_the_first_record_against_each_narrower_type() -> None:
    schema = csv_schema(b'a\n1\n2\n1.5\ntrue\n')
    against = {name: (c.record, c.text) for name, c in schema['a'].contradictions.items()}
    assert against['int'] == (4, '1.5')
    assert against['float'] == (5, 'true')
    assert against['bool'] == (3, '2')
    assert set(against) == {'int', 'float', 'bool', 'date', 'time', 'datetime', 'decimal'}


def test_a_long_value_is_cut_between_characters() -> None:
    schema = csv_schema(('a\n' + 'ä' * 31 + 'x\n').encode())
    assert schema[0].contradictions['int'].text == 'ä' * 30
    assert schema[0].longest == 32
    assert schema[0].most_bytes == 63
    assert schema[0].least == 'ä' * 31 + 'x'


def test_a_column_without_values_is_str() -> None:
    schema = csv_schema(b'a,b\n,1\n,2\n')
    a = schema['a']
    assert (a.type, a.nulls, a.least, a.longest, a.contradictions) == (str, 2, None, None, {})
    assert a.counts == {}


def test_floats_that_are_not_finite() -> None:
    column = csv_schema(b'a\n1.5\nnan\n-inf\n')[0]
    assert (column.type, column.not_finite, column.least, column.greatest) == (float, 2, 1.5, 1.5)
    column = csv_schema(b'a\nnan\n')[0]
    assert (column.type, column.least, column.precision) == (float, None, None)


def test_integers_beyond_64_bits_are_decimals() -> None:
    schema = csv_schema(b'a\n9223372036854775807\n9223372036854775808\n')
    assert schema[0].type is Decimal
    assert schema[0].greatest == Decimal(2**63)
    assert (schema[0].precision, schema[0].scale) == (19, 0)
    (row, _) = csv_rows(b'a\n9223372036854775808\n1\n', header=True, types=schema.types)
    assert row == [Decimal(2**63)]


def test_floats_keep_their_digits() -> None:
    schema = csv_schema(b'a,b\n0.1,12345678901234567.25\n0.30000000000000004,1\n')
    assert [column.type for column in schema] == [float, Decimal]
    assert (schema['b'].precision, schema['b'].scale) == (19, 2)


def test_leading_zeros_are_counted() -> None:
    column = csv_schema(b'zip\n01234\n12345\n007\n0\n')[0]
    assert (column.type, column.leading_zeros) == (int, 2)


def test_datetimes_of_mixed_zones_are_text() -> None:
    schema = csv_schema(b'a\n2024-01-01T00:00Z\n2024-01-01T00:00\n')
    assert schema[0].type is str
    assert schema[0].contradictions['datetime'].record == 3
    schema = csv_schema(b'a\n2024-01-01T00:00Z\n2024-01-01T00:00+02:00\n')
    assert schema[0].zoned
    assert schema[0].least == dt.datetime(2023, 12, 31, 22, tzinfo=dt.UTC)


def test_datetimes_at_the_ends_of_the_calendar() -> None:
    column = csv_schema(b'a\n0001-01-01T00:00+23:00\n9999-12-31T23:59-23:00\n')[0]
    assert column.least == dt.datetime.min.replace(tzinfo=dt.UTC)
    assert column.greatest == dt.datetime.max.replace(tzinfo=dt.UTC)


def test_the_context_of_decimals_has_no_effect() -> None:
    with decimal.localcontext() as context:
        context.traps[decimal.InvalidOperation] = False
        context.prec = 3
        assert csv_schema(b'a\nxnan\n')[0].type is str
        column = csv_schema(b'a\n1_2345678901234567890.5\n')[0]
        assert column.greatest == Decimal('12345678901234567890.5')
        assert not column.plain


def test_types_of_decimals() -> None:
    schema = csv_schema(b'a,b,c\n12345678901234567890.25,1e99999,1_2345678901234567890.5\n')
    assert schema.types['a'] == convert.decimal(22, 2)
    assert schema.types['b'] is schema.types['c'] is Decimal


def test_as_json_and_as_a_table() -> None:
    text = (
        b'i,f,b,d,t,m,n,s\n1,1.5,yes,2024-01-01,10:00,2024-01-01T10:00,1e30000,"a\nb"\n'
        b'2,2.5,no,2024-01-02,11:00,2024-01-02T10:00,2,' + b'x' * 50 + b'\n'
    )
    schema = csv_schema(text)
    told = json.loads(json.dumps(schema.to_dict()))
    assert [c['type'] for c in told['columns']] == [c.type_name for c in schema]
    assert told['columns'][3]['least'] == '2024-01-01'
    assert told['columns'][6]['greatest'] == '1E+30000'
    assert told['rows'] == 2
    lines = repr(schema).splitlines()
    assert lines[0] == '<CSVSchema of 2 rows, 8 columns>'
    assert lines[1].split() == ['name', 'type', 'nulls', 'distinct', 'least', 'greatest', 'longest']
    assert len(lines) == 10
    assert lines[-1].endswith('x...  50')


def test_a_name_that_is_not_there() -> None:
    schema = csv_schema(SMALL)
    with pytest.raises(KeyError, match='nope'):
        schema['nope']
    with pytest.raises(IndexError):
        schema[3]


# ---- distinct values ----


def test_more_distinct_values_than_are_counted() -> None:
    text = b'a,b\n' + b''.join(b'%d,%d\n' % (i % 3, i) for i in range(10))
    schema = csv_schema(text, distinct=9)
    assert (schema['a'].distinct, schema['b'].distinct) == (3, None)
    assert schema['a'].counts == {'0': 4, '1': 3, '2': 3}
    assert schema['b'].counts is None
    assert csv_schema(text, distinct=10)['b'].distinct == 10
    assert csv_schema(text, distinct=0)['a'].distinct is None


def test_distinct_values_with_much_text() -> None:
    text = b'a\n' + b''.join(b'%d' % i * 20_000 + b'\n' for i in range(5))
    assert csv_schema(text)[0].distinct is None


@pytest.mark.parametrize('distinct', [-1, 2**40])
def test_distinct_out_of_range(distinct: int) -> None:
    with pytest.raises(ValueError, match='distinct must be 0 to 1000000'):
        csv_schema(SMALL, distinct=distinct)


# ---- names, header, null, records ----


def test_without_a_header() -> None:
    schema = csv_schema(b'\n1,x\n2,y\n', header=False)
    assert schema.names == ('f0', 'f1')
    assert schema.header is None
    assert schema.types == {0: int, 1: str}
    assert list(csv_rows(b'1,x\n', types=schema.types, header=False)) == [[1, 'x']]


def test_names_in_place_of_those_of_the_header() -> None:
    assert csv_schema(SMALL, names=['a', 'b', 'c']).names == ('a', 'b', 'c')
    assert csv_schema(b'1,2\n', names=['a', 'b'], header=False).types == {'a': int, 'b': int}
    assert csv_schema(SMALL, names=str.upper).names == ('ID', 'NAME', 'DAY')


def test_names_that_are_the_same() -> None:
    schema = csv_schema(b'a,a,\n1,x,2\n')
    assert schema.types == {0: int, 1: str, 2: int}
    assert schema['a'] is schema[0]


@pytest.mark.parametrize('header', [True, False])
def test_nothing(header: bool) -> None:
    schema = csv_schema(b'', header=header)
    assert (len(schema), schema.rows, schema.types) == (0, 0, {})
    assert repr(schema).startswith('<CSVSchema of 0 rows, 0 columns>')


def test_only_a_header() -> None:
    schema = csv_schema(b'a,b\n')
    assert schema.types == {'a': str, 'b': str}
    assert schema.rows == 0


def test_only_blank_records() -> None:
    schema = csv_schema(b'\n\n\n', header=False)
    assert (schema.rows, schema.blank, len(schema)) == (0, 3, 0)


def test_null() -> None:
    schema = csv_schema(b'a,b\n1,n/a\nn/a,"n/a"\n,x\n', null=['n/a', '-'])
    a, b = schema
    assert (a.type, a.nulls, a.empty) == (int, 2, 1)
    assert (b.values, b.nulls, b.counts) == (2, 1, {'n/a': 1, 'x': 1})


def test_five_thousand_columns() -> None:
    text = ','.join(f'c{i}' for i in range(5000)) + '\n'
    text += (','.join(map(str, range(5000))) + '\n') * 20
    text += ','.join(['x'] * 5000) + '\n'
    schema = csv_schema(text.encode())
    assert len(schema) == 5000
    assert {column.type for column in schema} == {str}
    assert schema[4999].contradictions['int'].record == 22


def test_ragged_records_are_counted() -> None:
    schema = csv_schema(b'a,b\n1,2\n3\n\n4,5,6\n7\n')
    assert (schema.rows, schema.short, schema.long, schema.ragged) == (4, 2, 1, 3)
    assert (schema.first_short, schema.first_long) == (3, 5)
    assert (schema['b'].nulls, schema['b'].missing, schema['b'].values) == (2, 2, 2)


def test_ragged_records_are_errors() -> None:
    with pytest.raises(CSVError, match='fields') as raised:
        csv_schema(b'a,b\n1,2\n3\n', ragged='error')
    assert raised.value.record == 3
    with pytest.raises(CSVError, match='fields'):
        csv_schema(b'a,b\n1,2\n3,4,5\n', ragged='pad')
    assert csv_schema(b'a,b\n1,2\n3\n', ragged='pad').short == 1


def test_ragged_records_are_skipped() -> None:
    bad: list[tuple[CSVError, Any]] = []
    text = b'a,b\n1,2\nx\ny,z,\n3,4\n'
    schema = csv_schema(text, ragged='error', on_error=lambda *given: bad.append(given))
    assert [raw for _, raw in bad] == [b'x\n', b'y,z,\n']
    assert (schema.rows, schema.errors, schema.types) == (2, 2, {'a': int, 'b': int})


def test_records_that_can_not_be_read_are_skipped() -> None:
    text = b'a\n1\n\xff\n2\n' + b'x' * 200 + b'\n3\n'
    schema = csv_schema(text, on_error='skip', max_field=100)
    assert (schema.errors, schema.rows, schema[0].type) == (2, 3, int)
    with pytest.raises(CSVError, match='record 3'):
        csv_schema(text)


def test_formats_and_encodings() -> None:
    assert (
        csv_schema('a;b\n1;"ü"\n'.encode('latin-1'), delimiter=';', encoding='latin-1')[1].least
        == 'ü'
    )
    assert csv_schema('a\nü\n'.encode('utf-16'), encoding='utf-16')[0].least == 'ü'
    assert csv_schema(b'a\tb\n1\t2\n', dialect='excel-tab').names == ('a', 'b')
    assert csv_schema(b"a,b\n 'x, y',2\n", quotechar="'", skipinitialspace=True)[0].least == 'x, y'
    assert csv_schema(b'a\n"x""y"\n"x\ny"\n')[0].greatest == 'x"y'
    assert csv_schema(b'a\\,b\n1\n', escapechar='\\').names == ('a,b',)


def test_text_that_is_not_unicode() -> None:
    schema = csv_schema(['a,b\n', '1,\ud800\n', '2,x\n'])
    assert schema.types == {'a': int, 'b': str}
    assert (schema[1].values, schema[1].longest, schema[1].distinct) == (2, 1, None)


@pytest.mark.parametrize('name', ['types', 'schema', 'columns', 'rows', 'into', 'start', 'changed'])
def test_arguments_of_other_readers(name: str) -> None:
    with pytest.raises(TypeError, match=f'csv_schema.* {name!r}'):
        csv_schema(SMALL, **{name: None})


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="ragged must be 'allow', 'pad' or 'error'"):
        csv_schema(SMALL, ragged='no')
    with pytest.raises(TypeError):
        csv_schema(SMALL, nonsense=1)
    with pytest.raises(ValueError, match='threads'):
        csv_schema(SMALL, threads=0)
    with pytest.raises(TypeError):
        csv_schema(SMALL, distinct='x')
    from native_generators import _native

    reader: Any = _native._CSVSchemaReader
    for arguments in [(), (1, SMALL), ((1,), SMALL)]:
        with pytest.raises(TypeError):
            reader(*arguments)


def test_a_signature() -> None:
    parameters = inspect.signature(csv_schema).parameters
    assert list(parameters) == ['source', 'distinct', 'ragged', 'reading']


# ---- sources ----


def test_every_kind_of_source(tmp_path: Path) -> None:
    path = tmp_path / 'x.csv'
    path.write_bytes(SMALL)
    text = SMALL.decode()
    whole = csv_schema(SMALL)
    sources: list[Any] = [
        path,
        str(path),
        io.BytesIO(SMALL),
        io.StringIO(text),
        bytearray(SMALL),
        text.splitlines(keepends=True),
        [SMALL[i : i + 3] for i in range(0, len(SMALL), 3)],
    ]
    for source in sources:
        assert csv_schema(source) == whole


def test_a_generator_is_closed_and_a_file_stays_open() -> None:
    closed = []

    def lines() -> Iterator[str]:
        try:
            yield 'a\n'
            yield '"x'
            yield '"\n'
        finally:
            closed.append(True)

    assert csv_schema(lines()).rows == 1
    with pytest.raises(CSVError):
        csv_schema(lines(), strict=True, max_field=0)
    assert closed == [True, True]
    file = io.BytesIO(SMALL)
    csv_schema(file)
    assert not file.closed


def test_an_exception_of_the_source() -> None:
    error = OSError('gone')

    def chunks() -> Iterator[bytes]:
        yield SMALL
        raise error

    with pytest.raises(OSError, match='gone') as raised:
        csv_schema(chunks())
    assert raised.value is error


@pytest.mark.parametrize('kind', [KeyboardInterrupt, MemoryError, GeneratorExit])
def test_what_no_reader_swallows(kind: type[BaseException]) -> None:
    def chunks() -> Iterator[bytes]:
        yield SMALL
        raise kind

    with pytest.raises(kind):
        csv_schema(chunks(), on_error='skip')


def test_a_path_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        csv_schema('/nowhere/at/all.csv')


def test_a_source_that_reads_another_one() -> None:
    inner: list[CSVSchema] = []

    def chunks() -> Iterator[bytes]:
        for i in range(0, len(SMALL), 5):
            inner.append(csv_schema(SMALL))
            yield SMALL[i : i + 5]

    assert csv_schema(chunks()) == inner[0]


@pytest.mark.skipif(sys.platform == 'win32', reason='no signal to a thread')
def test_ctrl_c(tmp_path: Path) -> None:
    class Endless:
        """A file of many short records."""

        def read(self, size: int) -> bytes:
            signal.raise_signal(signal.SIGINT)
            return b'1,2\n' * (size // 4)

    with pytest.raises(KeyboardInterrupt):
        csv_schema(Endless())


# ---- threads ----


def large(cells: Callable[[int], list[str]], count: int) -> bytes:
    rows = (','.join(cells(i)) for i in range(count))
    return ('\n'.join(['a,b,c,d,e', *rows]) + '\n').encode()


def mixed(i: int) -> list[str]:
    chance = random.Random(i)
    return [
        str(chance.randrange(10**9)),
        f'{chance.uniform(-100, 100):.{i % 7}f}' if i % 90_000 else '1_000.5',
        f'2024-01-{i % 28 + 1:02}' if i != 100_000 else '2024-01-01T10:00',
        chance.choice(['ä', 'b', '"c ""d"""', '']),
        '12345678901234567890.5' if i == 149_999 else 'nan' if i % 1000 == 5 else '0.25',
    ]


@pytest.mark.parametrize('threads', [2, 4])
def test_threads_find_the_same(threads: int) -> None:
    data = large(mixed, 150_000)
    assert len(data) > 4 << 20
    one = csv_schema(data, threads=1)
    assert [column.type_name for column in one] == [
        'int',
        'float',
        'datetime',
        'str',
        'decimal',
    ]
    assert csv_schema(data, threads=threads) == one


@pytest.mark.parametrize(
    'last',
    [b'x,1,1,1,1', b'1,1,2024-01-01T00:00Z,1,1', b'1', b'1,1,1,1,1,1', b'', b'\xff,1,1,1,1'],
)
def test_one_odd_record_at_the_end_of_a_large_file(last: bytes) -> None:
    def cells(i: int) -> list[str]:
        return [str(i), '1', f'2024-01-01T00:00:{i % 60:02}', 'x' * 20, '-']

    data = large(cells, 100_000) + last + b'\n'
    assert len(data) > 4 << 20
    results = []
    for threads in (1, 3):
        try:
            results.append(csv_schema(data, threads=threads))
        except CSVError as error:
            results.append((str(error), error.record))
    assert results[0] == results[1]


@pytest.mark.parametrize('ragged', ['allow', 'pad', 'error'])
def test_ragged_records_between_blocks(ragged: str) -> None:
    def cells(i: int) -> list[str]:
        return ['1', '2', '3', '4', 'x' * 40][: 5 - (i % 30_011 == 7)] + ['y'] * (i % 40_009 == 9)

    data = large(cells, 130_000)
    seen: list[list[bytes]] = [[], []]
    results = []
    for i, threads in enumerate((1, 3)):

        def collect(error: CSVError, raw: bytes, i: int = i) -> None:
            seen[i].append(raw)

        results.append(csv_schema(data, threads=threads, ragged=ragged, on_error=collect))
    assert results[0] == results[1]
    assert seen[0] == seen[1]
    assert len(seen[0]) == {'allow': 0, 'pad': 4, 'error': 9}[ragged]


def test_several_readers_at_once() -> None:
    data = large(mixed, 3_000)
    one = csv_schema(data)
    results: list[CSVSchema] = []
    threads = [threading.Thread(target=lambda: results.append(csv_schema(data))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [one] * 4


def test_the_reader_is_a_stream() -> None:
    from native_generators import _native, _schema

    reader = _native._CSVSchemaReader((_schema.ask, 10, 'allow'), SMALL, threads=1)
    result = next(reader)
    assert result['rows'] == 3
    assert list(reader) == []
    reader.close()
    closed = _native._CSVSchemaReader((_schema.ask, 10, 'allow'), SMALL)
    closed.close()
    assert list(closed) == []


@pytest.mark.parametrize(
    ('text', 'answers'),
    [
        (b'a\n1_0\n', [1, 'ä', ()]),
        (b'a\n2020-W01-1\n', ['x', 2**70]),
        (b'a\n2020-W01-1T10:00\n', ['x', (), (1,), ('x', True)]),
        (b'a\n10:11:12.1\n', ['x']),
    ],
)
def test_answers_that_are_none(text: bytes, answers: list[object]) -> None:
    from native_generators import _native

    reader: Any = _native._CSVSchemaReader
    kinds = {b'1_0': (0, 1, 6), b'2020-W01-1': (3,), b'2020-W01-1T10:00': (5,)}
    asked = kinds.get(text[2:-1], (4,))
    for answer in answers:
        made = reader((lambda kind, _, a=answer: a if kind in asked else None, 9, 'allow'), text)
        with pytest.raises((TypeError, ValueError, IndexError, SystemError, OverflowError)):
            next(made)


def test_what_ask_raises_is_raised() -> None:
    from native_generators import _native

    def ask(kind: int, text: str) -> object:
        raise KeyboardInterrupt

    reader: Any = _native._CSVSchemaReader
    for text in (b'a\n1_0\n', b'a\n2020-W01-1\n', b'a\n1e-320\n'):
        with pytest.raises(KeyboardInterrupt):
            next(reader((ask, 10, 'allow'), text))


def test_found_is_complete() -> None:
    (column,) = found(csv_schema(b'a\n1\n'))
    assert column['type'] == 'int'


# ---- what is around the records ----


def test_what_is_around_the_records() -> None:
    data = b'title\n# c\na;b\n\n1;2\n# x\n3;4\ntotal;7\n'
    around: dict[str, Any] = {'skip': 1, 'comment': '#', 'footer': 1, 'delimiter': ';'}
    schema = csv_schema(data, **around)
    assert (schema.rows, schema.types) == (2, {'a': int, 'b': int})
    assert csv_schema(gzip.compress(data), **around) == schema
    assert csv_schema(b'1\n2\nx\n', header=False, footer=1).types == {0: int}
    assert csv_schema(b'a,a\n1,x\n', duplicates='number').names == ('a', 'a_2')
    with pytest.raises(CSVError):
        csv_schema(b'a\n"1', complete=True)


def test_faults_behind_a_footer() -> None:
    data = b'a\n1\n"2"x\n3\nend\n'
    schema = csv_schema(data, footer=1, strict=True, on_error='skip')
    assert (schema.rows, schema.errors, schema.types) == (2, 1, {'a': int})
    with pytest.raises(CSVError):
        csv_schema(data, footer=1, strict=True)


def test_blank_records_are_errors() -> None:
    with pytest.raises(CSVError, match='blank'):
        csv_schema(b'a\n1\n\n2\n', blank='error')
    schema = csv_schema(b'a\n1\n\n2\n', blank='error', on_error='skip')
    assert (schema.rows, schema.errors, schema.blank) == (2, 1, 0)
    data = large(lambda i: ['1', '2', '3', '4', 'x' * 40], 130_000) + b'\n1,2,3,4,5\n'
    for threads in (1, 3):
        with pytest.raises(CSVError, match='record 130002'):
            csv_schema(data, blank='error', threads=threads)

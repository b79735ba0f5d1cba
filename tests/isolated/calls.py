"""Short uses of all that is offered: parameters, errors, attributes, copies.

Each takes the extension and gives what can be compared.  None makes a function, a class or a
generator expression, for which CPython up to 3.13 crashes where memory is short: see `Recipe`.
"""

from __future__ import annotations

import collections
import concurrent.futures
import copy
import csv
import functools
import io
from collections.abc import Callable, Iterator
from datetime import date, datetime, time
from decimal import Decimal
from types import SimpleNamespace
from typing import Annotated, Any, NamedTuple, TypedDict

from native_generators import _shapes, convert
from tests.csv import arrow_abi as abi
from tests.isolated.catalogue import AtOnce, Told, acounted, finish

LONG = 'x' * 300


CALLS: dict[str, Callable[[Any], Any]] = {}


def call(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    CALLS[function.__name__] = function
    return function


# --- parts of files ------------------------------------------------------------------------------


PARTS_OF = b'id,text\n' + b'1,"a\nb"\n' * 9
CP1252 = b'id,text\n1,\x80\n2,\x81\n'


@call
def a_scan(g: Any) -> Any:
    scanner = g.csv_scanner(44, 34, -1, True, False, False, 'utf-8', b'')
    scanner.begin(5, b'tex')
    scanner.feed(PARTS_OF[5:40])
    return scanner.end(PARTS_OF[40:43])


@call
def a_part(g: Any) -> Any:
    rows = g.csv_rows(io.BytesIO(PARTS_OF), header=True)
    part = {**rows._pass_to(9), 'end': 24, 'limits': [131072, 64 << 20]}
    part['check'] = g.csv_scanner.check(part)
    again = g.csv_rows(io.BytesIO(PARTS_OF), header=True, start=part, changed='append')
    return [part['offset'], again.checkpoint()['end'], list(again)]


@call
def what_is_sniffed(g: Any) -> Any:
    return g.csv_sniffed('# a\nid;name\n1;"a;b"\n', True)


@call
def a_checkpoint_of_a_codec(g: Any) -> Any:
    rows = g.csv_rows(io.BytesIO(CP1252), encoding='cp1252', on_error='skip')
    next(rows)
    start = rows.checkpoint()
    return list(g.csv_rows(io.BytesIO(CP1252), encoding='cp1252', on_error='skip', start=start))


# --- rows that are read -------------------------------------------------------------------------


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Plain:
    """A file whose readinto() is its own."""

    def __init__(self, data: bytes) -> None:
        self.pieces = [data[:3], data[3:], b'']

    def read(self, size: int) -> bytes:
        return self.pieces.pop(0)


DATES = b'1,2024-02-29,2024-02-29T23:59:59.000001,1.50,yes,\xc3\xa9,x\n'
KINDS = {0: int, 1: date, 2: datetime, 3: Decimal, 4: bool, 5: bytes, 6: str}


@call
def rows_of_types(g: Any) -> Any:
    return list(g.csv_rows(DATES * 2, types=KINDS))


@call
def rows_of_types_by_slow_ways(g: Any) -> Any:
    line = '"1\n","2024-W09-4",20240229T235959,"""1.5",1,"é""",null\n'
    types = {1: date, 2: datetime, 5: str, 6: int | None}
    rows = g.csv_rows([line], items='chunks', types=types, null=['null'], columns=[1, 2, 5, 6])
    return list(rows)


GERMAN = 'ß;1.234,50;1,5;24.12.2026;10:30;JA; é \n'
ODD = '" 1' + '0' * 70 + '";"1,5' + '0' * 70 + '";" 7,00";;10:30:01.5;STRASSE;\u3000x\n'
CONVERTERS = [
    convert.integer(),
    convert.number(decimal=',', thousands='.'),
    convert.decimal(9, 2, decimal=','),
    convert.date_format('%d.%m.%Y'),
    convert.time,
    convert.boolean(true=['ja', 'Straße'], false=['nein']),
    convert.strip,
]


@call
def rows_by_converters(g: Any) -> Any:
    own = [g._Converter(*kind.__reduce__()[1]) for kind in CONVERTERS]
    types = dict(enumerate(own))
    types[0] = g._Converter(*convert.strip.__reduce__()[1])
    rows = list(g.csv_rows([GERMAN, ODD], types=types, delimiter=';'))
    data = b' ;;\t;24.12.2026;;;\n'
    rows += g.csv_rows(data, types=types, delimiter=';')
    batches = g.csv_batches(data, types=types, delimiter=';', header=False, threads=1)
    shown = [
        [repr(kind), hash(kind) == hash(again), kind == again, kind.__reduce__()[1]]
        for kind, again in zip(own, own, strict=True)
    ]
    return [rows, [len(batch) for batch in batches], shown, own[0]('12'), own[0]('9' * 30)]


class Keys(TypedDict, total=False):
    a: str
    b: int


# What _shapes.py says of them.  It is Python, and makes functions.
DESCRIBED = {
    Keys: (
        Keys,
        [
            _shapes.Parameter(('A', 'a'), None, Annotated[str | None, convert.strip], False, False),
            _shapes.Parameter(('b',), 'b', int | None, True, True),
            _shapes.Parameter(('c',), 'c', None, True, True),
        ],
    ),
    list[str]: (list, None),
}


@call
def rows_of_classes_by_name(g: Any) -> Any:
    data = b'b,a\n1,x\n,y\n2\n'
    describe = _shapes.describe
    _shapes.describe = DESCRIBED.get  # type: ignore[assignment]
    try:
        rows = list(g.csv_rows(data, into=Keys, ragged='pad'))
        rows += g.csv_rows(data, into=list[str], ragged='pad', types={None: str, 'b': int})
        rows += g.csv_rows(b'a\nx\n', into=Keys)
        return rows
    finally:
        _shapes.describe = describe


async def wait(text: str) -> None: ...


@call
def callables_that_are_refused(g: Any) -> Any:
    refused = []
    for function in (wait, functools.partial(wait)):
        try:
            g.csv_rows(b'', types={0: function})
        except TypeError as error:
            refused.append(str(error).partition(':')[0])
    return refused


@call
def rows_as_dicts(g: Any) -> Any:
    text = 'a,b,c\n1,"x""y",é\n1,x,é\n2,x\n3,"",z\n'
    return [
        list(g.csv_rows(text.encode(), into=dict, ragged='pad', types={'a': int})),
        list(g.csv_rows(io.StringIO(text), into=dict, ragged='pad', columns=['c', 'a'])),
    ]


@call
def rows_of_classes(g: Any) -> Any:
    return [
        list(g.csv_rows(b'x,y\n1,2\n3,4\n', into=Point)),
        list(g.csv_rows(b'x\n1\n', into=Point)),
    ]


@call
def rows_that_are_lazy(g: Any) -> Any:
    data = 'a,b\n1,é\n"2 ""x""",y\n3,\n'
    kept = list(g.csv_rows(data.encode(), into=g.CSVRow, types={'a': str.upper}))
    kept += g.csv_rows(iter(data.splitlines(True)), into=g.CSVRow)
    return [
        [
            *(row['a'], row[1], row[:], row.keys(), hash(row), list(row), row == kept[0]),
            *(repr(row), row.get('a'), row.get('z', 0), row.items(), 'y' in row),
        ]
        for row in kept
    ]


@call
def rows_that_are_copied(g: Any) -> Any:
    (row,) = g.csv_rows(b'a,b\n1,2\n', into=g.CSVRow)
    made = g.CSVRow({'a': '1', 'b': 2})
    same = g.CSVRow(['1', '2'], ('a', 'b'))
    return [
        tuple(copy.copy(row)),
        tuple(copy.deepcopy(made)),
        tuple(same),
        dict(zip(row.keys(), row, strict=True)),
        row.index('2'),
        row.count('1'),
        '1' in row,
        reversed(row).__next__(),
    ]


@call
def rows_of_other_encodings(g: Any) -> Any:
    text = 'é,"b\n"\nü,\n'
    return [
        list(g.csv_rows(text.encode('cp1252'), encoding='cp1252')),
        list(g.csv_rows(iter([text.encode('utf-16')]), encoding='utf-16')),
        list(g.csv_rows(['é,b\n'.encode('latin-1')], items='lines', encoding='latin-1')),
        list(g.csv_rows(io.BytesIO(text.encode('cp1252')), encoding='cp1252', types={0: bytes})),
        list(g.csv_rows(b'\xff,1\n', errors='surrogateescape')),
        list(g.csv_rows(b'a\xe9\n', encoding='ascii', errors='backslashreplace', types={0: bytes})),
    ]


def message(error: BaseException) -> Any:
    """What it says, unless what it was raised from is the lack of memory."""
    cause: BaseException | None = error
    while cause is not None:
        # The latter is of CPython: see OF_CPYTHON in no_memory.py.
        if isinstance(cause, MemoryError) or str(cause) == 'lineterminator must be set':
            raise error
        cause = cause.__cause__ or cause.__context__
    return type(error).__name__, str(error), getattr(error, 'text', None)


def failing(g: Any, *args: Any, **options: Any) -> Any:
    try:
        return list(g.csv_rows(*args, **options))
    except (ValueError, TypeError, LookupError, OSError) as error:
        return message(error)


@call
def rows_that_fail(g: Any) -> Any:
    return [
        failing(g, b'a\n"b" c\n', strict=True),
        failing(g, b'x,' + LONG.encode() + b'\n', types={1: int}),
        failing(g, ['a,b\n', LONG + '\n'], types={0: date}),
        failing(g, b'\xff\n'),
        failing(g, b'ab\n', max_field=1),
        failing(g, b'a,a\n1,2\n', into=dict),
        failing(g, b'a,\n1,2\n', into=dict),
        failing(g, b'a\n1,2\n', into=dict),
        failing(g, b'a\n', columns=['b'], header=True),
        failing(g, b'a\n', names=['b', 'c'], header=True, columns=['d'], into=dict),
        failing(g, b'z\n1\n', into=Point),
        failing(g, [1]),
        failing(g, b'a\n', types={'b': int}, header=True),
        failing(g, b'PK\3\4'),
    ]


def take_fault(seen: list[Any], error: Any, record: Any) -> None:
    seen += [(message(error), record)]


@call
def rows_with_faults(g: Any) -> Any:
    seen: list[Any] = []
    take = functools.partial(take_fault, seen)
    rows: list[Any] = []
    data = b'1\n"2" x\n\xff\n"long\nnot\n3\nfour\n'
    rows += g.csv_rows(data, types={0: int}, strict=True, on_error=take)
    rows += g.csv_rows([data[:4], data[4:]], items='chunks', types={0: int}, on_error=take)
    text = ['1\n', 'two\n', '"3" x\n', '"4\n', 'x"\n', '5']
    rows += g.csv_rows(text, types={0: int}, strict=True, on_error=take)
    wide = '1\nzwei\n\ud800\n3\n'.encode('utf-16-le', 'surrogatepass')
    rows += g.csv_rows(wide, encoding='utf-16-le', types={0: int}, on_error=take)
    rows += g.csv_rows(b'a,b\n1\n1,2\n', into=dict, on_error='skip')
    return rows, seen


def batch_values(batches: Any) -> Any:
    """The parts of each batch, and the same after a copy."""
    return [
        [batch.__reduce__()[1], copy.copy(batch) == batch, repr(batch), batch.column_names]
        for batch in batches
    ]


@call
def batches_of_types(g: Any) -> Any:
    kinds = {key: kind for key, kind in KINDS.items() if kind is not Decimal}
    names = dict(enumerate('abcdefg'))
    return [
        batch_values(g.csv_batches(DATES * 2, types=kinds, header=False)),
        batch_values(g.csv_batches(DATES * 2, types=kinds, names=names.values(), header=False)),
    ]


@call
def batches_by_slow_ways(g: Any) -> Any:
    line = '"1_0","2024-W09-4",20240229T235959Z,"1_0.5",12:30:00.5,"\u00e9""",null\n'
    types = {0: int, 1: date, 2: datetime, 3: float, 4: time, 5: bytes}
    return batch_values(
        g.csv_batches(
            iter([line, line, '\n', line[:-1]]),
            types=types,
            null=['null'],
            columns=[5, 0, 1, 2, 3, 4, 6],
            header=False,
            rows=2,
        )
    )


class ArrowSchema:
    """That of a batch, as another library would give it."""

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __arrow_c_schema__(self) -> Any:
        return self.batch.__arrow_c_schema__()


@call
def batches_of_a_schema(g: Any) -> Any:
    (model,) = g.csv_batches(b'a,b\n1,2024-01-01T00:00Z\n', types={'a': int, 'b': datetime})
    source = b'a,b\n1,2024-01-01T00:00Z\n,\n'
    batches = g.csv_batches(source, schema=ArrowSchema(model))
    batches.__arrow_c_schema__()
    (batch,) = batches.prime()
    capsules = [*batch.__arrow_c_array__(), *batch.column('a').__arrow_c_array__()]
    stream = g.csv_batches(source).__arrow_c_stream__(model.__arrow_c_schema__())
    return batch_values([batch]), list(map(repr_of_capsule, [*capsules, stream]))


def repr_of_capsule(capsule: Any) -> str:
    return repr(capsule).split(' at ')[0]


class Raws(list[Any]):
    def __call__(self, error: BaseException, raw: bytes) -> None:
        message(error)
        self.append(raw)


@call
def batches_that_fail(g: Any) -> Any:
    seen = Raws()
    data = b'a,b\n1,2\nx,3\n4\n5,6\n7,"y" z\n'
    types = {'a': int}
    taken = batch_values(g.csv_batches(data, types=types, strict=True, on_error=seen))
    batches = g.csv_batches(data, types=types)
    taken += batch_values([next(batches)])
    try:
        next(batches)
    except ValueError as error:
        taken.append(message(error))
    return taken, seen, batches.errors


@call
def a_schema(g: Any) -> Any:
    from tests.isolated.catalogue import answer

    data = b'a,b,c,d\n1,2.5,2024-01-01,x\n1_0,12345678901234567890.1,2024-01-02,"y""z"\n,1e9999\n'
    seen = Raws()
    (found,) = g._CSVSchemaReader((answer, 10, 'error'), data, null=['-'], on_error=seen)
    (again,) = g._CSVSchemaReader((answer, 1, 'pad'), ['a;b\n', 'ä;\n'], delimiter=';')
    return found, again, seen


@call
def batches_from_a_checkpoint(g: Any) -> Any:
    data = b'a,b\n1,2\n3,4\n'
    batches = g.csv_batches(io.BytesIO(data), rows=1)
    first = next(batches)
    place = batches.checkpoint()
    rest = g.csv_batches(io.BytesIO(data), rows=1, start=place)
    return batch_values([first, *rest]), batches.header, batches.line_num


@call
def rows_from_a_checkpoint(g: Any) -> Any:
    data = b'a,b\n1,2\n3,4\n'
    rows = g.csv_rows(io.BytesIO(data), into=dict)
    first = next(rows)
    place = rows.checkpoint()
    rest = list(g.csv_rows(io.BytesIO(data), into=dict, start=place))
    return first, sorted(place), rest, rows.header, rows.line_num, rows.bytes_read


@call
def rows_of_files(g: Any) -> Any:
    return [
        list(g.csv_rows(Plain(b'a,b\n1,2\n'))),
        list(g.csv_rows(memoryview(b'a,b\n1,2\n'))),
        list(g.csv_rows([bytearray(b'a,'), memoryview(b'b\n')])),
        list(g.csv_rows([bytearray(b'a,b\n'), b'c\n', b''], items='lines')),
        list(g.csv_rows(io.BufferedReader(io.BytesIO(b'a\n')), dialect='excel-tab')),  # type: ignore[arg-type]
        list(g.csv_rows('a\n'.splitlines(True), names=['b'], header=True, into=dict)),
    ]


def shouted(names: list[str]) -> list[str]:
    return [*map(str.upper, names)]


class Names:
    def __call__(self, names: Any) -> Any:
        return shouted(names)


@call
def rows_with_a_mark(g: Any) -> Any:
    text = '\ufeffa,b\n1,2\n'
    return [
        list(g.csv_rows(io.StringIO(text), into=dict)),
        list(g.csv_rows(text.encode(), into=dict, names=Names())),
        list(g.csv_rows(text.encode(), into=dict, names=str.upper)),
    ]


WIDE = 'a,' * 2000 + '"b""c"'  # in each way of reading more room than there is at first
TALL = 'a,é\n' * 100


@call
def rows_that_need_room(g: Any) -> Any:
    return [
        list(g.csv_rows(WIDE.encode())),
        list(g.csv_rows([WIDE])),
        list(g.csv_rows([WIDE[:99], WIDE[99:]], items='chunks')),
        list(g.csv_rows([WIDE[:9].encode(), WIDE[9:].encode()], items='chunks')),
        list(g.csv_rows(WIDE.encode('utf-16-le'), encoding='utf-16-le')),
        list(g.csv_reader([WIDE, 'a,"b\n', 'c"'])),
        len(list(g.csv_rows([TALL], items='chunks'))),
        len(list(g.csv_rows(TALL.encode(), into=g.CSVRow, names=['x', 'y'], header=False))),
        list(g.csv_rows([b'"open'], strict=False)),
    ]


@call
def rows_of_types_in_every_shape(g: Any) -> Any:
    data = b'a,b\n1,x\n1000000,y\n2000000,y\n'
    shapes = (list, tuple, dict, g.CSVRow)
    typed = [list(g.csv_rows(data, into=into, types={'a': int}, header=True)) for into in shapes]
    called = [
        list(g.csv_rows(data, into=into, types={'a': int, 'b': str.upper}, header=True))
        for into in shapes
    ]
    return [
        [[*row] for rows in typed + called for row in rows],
        list(g.csv_rows(b'a\n1\n2,3,4\n', into=dict, ragged='allow', types={'a': int})),
        list(g.csv_rows(b'1,2,3\n4\n', types={1: float}, ragged='pad', header=False)),
        [row.__reduce__()[1][0] == tuple(row) for row in typed[3]],
    ]


# --- generators.csv -----------------------------------------------------------------------------


@call
def drop_in_reading(g: Any) -> Any:
    lines = ['a,b\n', '1,"x\n', 'y"\n', '2\n', '3,4,5\n', '\n', '1,é\n']
    reader = g.csv_dict_reader(iter(lines), restkey='more', restval='-')
    names = g.csv_dict_reader(iter(lines), ['x', 'x'])
    objects = g.csv_dict_reader(iter(lines), (1, 'x'))
    changed = g.csv_dict_reader(iter(lines), ['p', 'q'])
    some = [next(changed)]
    changed.fieldnames = ['r', 's']
    some += changed
    return [
        list(reader),
        reader.fieldnames,
        reader.line_num,
        list(names),
        list(objects),
        some,
        list(g.csv_reader(lines, quoting=csv.QUOTE_NONE)),
        list(g.csv_reader(['1,"a"\n'], quoting=csv.QUOTE_NONNUMERIC)),
    ]


class Given:
    line_num = 7

    def __init__(self, rows: list[Any]) -> None:
        self.rows = iter(rows)

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return next(self.rows)


@call
def drop_in_reading_of_any_rows(g: Any) -> Any:
    reader = g.csv_dict_reader(['a,b\n', '1,2,3\n', '4\n'])
    reader.reader = Given([['k', 'l'], ['1', '2', '3'], ['4'], ('5', '6')])
    return list(reader)


@call
def drop_in_writing(g: Any) -> Any:
    out = io.StringIO()
    writer = g.csv_dict_writer(out, ['a', 'b'], restval='-', lineterminator='\n')
    writer.writeheader()
    writer.writerows([{'a': 1}, {'b': 'x,"y"', 'a': 0.5}])
    try:
        writer.writerow({'c': 1, 'd': 2})
    except ValueError as error:
        told = message(error)
    plain = g.csv_writer(out, quoting=csv.QUOTE_NONNUMERIC)
    plain.writerows([[1, 'a', None], ('é', LONG), iter(['x', 2])])
    return out.getvalue(), told


@call
def drop_in_dialects(g: Any) -> Any:
    try:
        g.csv_reader([], delimiter='ab')
    except TypeError as error:
        told = message(error)
    return list(g.csv_reader(['a;b'], 'excel', delimiter=';')), told


# --- rows that are written ----------------------------------------------------------------------


class Described:
    """A cursor of a database."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows
        self.description = [('a', None), ('b', None)]

    def __iter__(self) -> Any:
        return iter(self.rows)


FORMATTED = [None, True, False, 1.5, float('nan'), Decimal('2.5'), 'NÄ', datetime(2024, 1, 1)]
FORMATS: dict[str, Any] = {
    'null': 'NÄ',
    'true': 'yes',
    'false': 'n,o',
    'float_format': '.3f',
    'datetime_format': 'iso',
    'decimal': ',',
}


def chunks(items: Any) -> bytes:
    return b''.join(items)


@call
def rows_written(g: Any) -> Any:
    keyed = [{'a': 1, 'b': 'x'}, {'b': 2, 'a': None}]
    return [
        chunks(g.csv_encode(iter(keyed), header=True, bom=True)),
        chunks(g.csv_encode(keyed, columns=('b', 'a'), header=['B', 'A'])),
        chunks(g.csv_encode([{'a': 1}], columns=['a', 'z'], missing='-', quoting=csv.QUOTE_ALL)),
        chunks(g.csv_encode([('é', '=1', ' +x', 1.5, Decimal(2))], escape_formulas=True)),
        chunks(g.csv_encode([('é', LONG)], encoding='cp1252', lineterminator='\n')),
        chunks(g.csv_encode([('ü', '\u20ac')], encoding='latin-1', errors='xmlcharrefreplace')),
        chunks(g.csv_encode([Point(1), Point(2, 3.0)], columns=['y', 'x'], header=True)),
        chunks(g.csv_encode([iter('ab')])),
        chunks(g.csv_encode([Point(1)], columns=['x', 'z'], missing='-', extra='ignore')),
        chunks(g.csv_encode([SimpleNamespace(a='é')], columns=['a', 'b'], missing=None)),
        chunks(g.csv_encode(Described([(1, 'é')]), columns=['b'], header=True)),
        chunks(g.csv_encode(Described([]), header=True)),
        chunks(g.csv_encode([FORMATTED], **FORMATS)),
        chunks(g.csv_encode([FORMATTED], quoting=csv.QUOTE_ALL, **FORMATS)),
        chunks(g.csv_encode([FORMATTED], datetime_format='%d.%m.%Y', float_format='.90e')),
    ]


TIME = abi.schema('tsn:Europe/Paris', 'when')
COLUMNS = abi.schema('+s', '', TIME, abi.schema('+l', 'list', abi.schema('d:9,2')))
ITEMS = abi.array(2, [None, bytes(32)])
LISTS = abi.array(2, [b'\1', bytes(8) + b'\2\0\0\0'], ITEMS, null_count=1)
TIMES = abi.array(2, [None, bytes(16)])
CODES = abi.array(
    2, [None, b'\1\0'], dictionary=abi.array(2, [None, bytes(4) + b'\1\0\0\0' * 2, b'"'])
)
CODED = abi.schema('+s', '', abi.schema('c', 'code', dictionary=abi.schema('u')))
BATCH = abi.Batch(COLUMNS, abi.array(2, [None], TIMES, LISTS))
CODED_BATCH = abi.Batch(CODED, abi.array(2, [None], CODES))
WRONG_BATCH = abi.Batch(CODED, abi.array(2, [None], TIMES))
LATE_BATCH = abi.Batch(COLUMNS, abi.array(2, [None], abi.array(2, [None, b'\x7f' * 16]), LISTS))


@call
def batches_written(g: Any) -> Any:
    return [
        chunks(g.csv_encode(BATCH, bom=True)),
        chunks(g.csv_encode(BATCH, **FORMATS)),
        chunks(g.csv_encode(BATCH, columns=['list', 'z'], missing='é', delimiter='é')),
        chunks(g.csv_encode(BATCH, encoding='utf-16', escape_formulas=True, quoting=1)),
        chunks(g.csv_encode(iter([CODED_BATCH, CODED_BATCH]), header=['é'], encoding='latin-1')),
    ]


@call
def batches_that_cannot_be_written(g: Any) -> Any:
    told = []
    for batch, options in (
        (WRONG_BATCH, {}),
        (LATE_BATCH, {'columns': ['z']}),
        (LATE_BATCH, {'columns': ['when'], 'extra': 'raise'}),
        (LATE_BATCH, {'header': ['a']}),
        (LATE_BATCH, {'quoting': csv.QUOTE_NONE, 'delimiter': ':'}),
    ):
        try:
            told.append(chunks(g.csv_encode(batch, **options)))
        except (ValueError, TypeError, csv.Error) as error:
            told.append(message(error))
    return told


@call
def rows_that_cannot_be_written(g: Any) -> Any:
    told = []
    for rows, options in (
        ([{'a': 1, 'b': 2}], {'columns': ['a']}),
        ([{'a': 1}], {'columns': ['a', 'b']}),
        ([['é']], {'encoding': 'ascii'}),
        (['ab'], {}),
        ([['a', 'x']], {'quoting': csv.QUOTE_NONE, 'delimiter': 'x'}),
        ([[1], None], {}),
    ):
        try:
            told.append(chunks(g.csv_encode(rows, **options)))
        except (ValueError, TypeError, csv.Error) as error:
            told.append(message(error))
    return told


def incomplete(g: Any) -> Any:
    try:
        return list(g.batched('abc', 2, strict=True))
    except ValueError as error:
        return message(error)


@call
def chunks_of_every_kind(g: Any) -> Any:
    return [
        list(g.chunked(['é', b'ab', bytearray(b'cd'), memoryview(b'ef'), g.FLUSH, 'x'], 3)),
        list(g.chunked(['é'] * 3, 2, encoding='utf-16')),
        list(g.chunked(io.BytesIO(b'abcdef'), 4)),
        list(g.chunked([b'x' * 50], 8, max_delay=None)),
        list(g.chunked(['a\ud83d', '\ude00b', 'é\ud83d', '\ude00'], 3)),
        b''.join(g.chunked(__file__, 1 << 20))[:9],
        list(g.batched('abcde', 2)),
        list(g.batched(['a', g.FLUSH, 'b', 'c'], 2, max_delay=1000)),
        incomplete(g),
    ]


# --- lines and JSON lines -----------------------------------------------------------------------


def taken_to_error(stream: Any) -> Any:
    taken = []
    try:
        for item in stream:
            taken.append(item)
    except ValueError as error:
        taken.append(message(error))
    return taken


@call
def lines_in_encodings(g: Any) -> Any:
    data = 'a\r\né\nб'
    return [
        list(g.lines(data.encode(encoding), encoding=encoding, errors='replace', newline=newline))
        for encoding in ('utf-8', 'utf-16', 'utf-8-sig')
        for newline in (None, '\n', 'é')
    ] + [list(g.lines(['é', 'b\n'], items='lines', keepends=True))]


@call
def lines_to_errors(g: Any) -> Any:
    return [
        taken_to_error(g.lines(b'a\n\xff', encoding='utf-8')),
        taken_to_error(g.lines(b'a\n\xff', encoding='utf-16')),
        taken_to_error(g.lines(b'a\nlong', max_line=2)),
        taken_to_error(g.jsonl_rows(b'1\nx\n', loads=int)),
        taken_to_error(g.jsonl_rows(b'1\n\n', loads=int, blank='error')),
        taken_to_error(g.jsonl_encode(['a', 'b\n'], dumps=str.upper)),
        taken_to_error(g.jsonl_encode(['a', '\ud800'], dumps=str.upper)),
    ]


@call
def lines_that_go_on(g: Any) -> Any:
    stream = g.lines(io.BytesIO(b'a\nb\n'))
    start = [next(stream), stream.checkpoint()][1]
    rows = g.jsonl_rows(io.BytesIO(b'1\n2\n'), loads=int)
    resumed = g.lines(io.BytesIO(b'a\nb\n'), start=start)
    return [list(resumed), resumed.line_num, resumed.total_bytes, next(rows), rows.checkpoint()]


@call
def lines_without_a_loop(g: Any) -> Any:
    pieces = [b'1\n2', b'\n']
    return [
        on_a_loop(collect(g.alines(g.to_async(pieces, thread=False)))),
        on_a_loop(collect(g.ajsonl_rows(g.to_async(pieces, thread=False), loads=int))),
        on_a_loop(collect(g.ajsonl_encode(g.to_async(['a', 'é'], thread=False), dumps=str.upper))),
    ]


# --- awaiting -----------------------------------------------------------------------------------


def returns(value: Any) -> Iterator[Any]:
    got = yield from [1, None]
    assert got is None
    future: concurrent.futures.Future[Any] = concurrent.futures.Future()
    future.set_result(value)
    return (yield future)


async def absolute(x: int) -> int:
    await Told(x)
    return abs(x)


async def collect(stream: Any) -> Any:
    return [item async for item in stream]


def on_a_loop(coroutine: Any) -> Any:
    """One without a step is closed, so that nobody is told of it."""
    try:
        return finish(coroutine)
    finally:
        coroutine.close()


@call
def tasks_that_are_driven(g: Any) -> Any:
    task = g.task(returns)
    coroutine = task(2)
    looked = [coroutine.__name__, coroutine.__qualname__, coroutine.cr_running]
    coroutine.close()
    return looked, task.__name__


def failing_call(g: Any, function: Any, items: Any) -> Any:
    try:
        return list(g.map_threads(function, items, executor=AtOnce()))
    except ValueError as error:
        return message(error)


@call
def calls_on_threads(g: Any) -> Any:
    return [
        list(g.map_threads(abs, [-1, 2], executor=AtOnce())),
        list(g.map_threads(abs, iter([-1, 2]), ordered=False, executor=AtOnce())),
        failing_call(g, int, ['1', LONG]),
    ]


@call
def streams_without_a_loop(g: Any) -> Any:
    return [
        on_a_loop(collect(g.abatched(acounted(3), 2))),
        on_a_loop(collect(g.to_async(range(3), thread=False))),
        on_a_loop(collect(g.acsv_rows(g.to_async([b'a,b\n', b'1,2\n'], thread=False)))),
        on_a_loop(collect(g.achunked(g.to_async(['a', 'b'], thread=False), max_delay=None))),
    ]


@call
def streams_that_are_thrown_into(g: Any) -> Any:
    told = []
    stream = g.abatched(acounted(9), 2)
    told.append(on_a_loop(stream.aprime()) is stream)
    told.append(on_a_loop(stream.asend(None)))
    for method in ('athrow', 'aclose'):
        arguments = (LookupError('x'),) if method == 'athrow' else ()
        try:
            told.append(on_a_loop(getattr(stream, method)(*arguments)))
        except LookupError as error:
            told.append(message(error))
    sync = g.batched(iter(range(9)), 2)
    sync.prime()
    try:
        sync.throw(LookupError('y'))
    except LookupError as error:
        told.append(message(error))
    return told


# --- events over HTTP ---------------------------------------------------------------------------

SERVED = 'event: \xe9\r\ndata: \u20ac\ndata\nid: 1\nretry: 5\n\ndata: b\n\n'


@call
def server_sent_events(g: Any) -> Any:
    told: list[Any] = []
    for source in (
        SERVED.encode(),
        [SERVED[:20].encode(), bytearray(SERVED[20:].encode())],
        io.BytesIO(b'event: \xff\nid: \xff\ndata: \xff\n\n'),
        io.StringIO(SERVED),
        SERVED.splitlines(),
        ['data: \ud800', ''],
    ):
        events = g.event_source(source, last_event_id='\xe9')
        told.append(events.last_event_id)
        told += events
        told.append([events.last_event_id, events.retry])
    events = g.event_source([b'data: a\n\ndata: ' + b'b' * 99], max_event=50)
    told.append(next(events))
    try:
        next(events)
    except g.DataError as error:
        told.append(message(error))
    try:
        list(g.event_source(['a\nb']))
    except g.DataError as error:
        told.append(message(error))
    return [*map(repr, told)]


SENT = [
    'a\nb\xe9',
    b'c\r\nd',
    memoryview(b'e'),
    {'data': [1, 'x' * 300], 'event': '\xe9', 'id': 10**30, 'comment': '\u20ac', 'retry': 5},
    collections.OrderedDict(data='a', id='\xe9'),
    {'data': None},
]


def last_event(error: Exception) -> Any:
    return {'data': message(error)}


@call
def server_sent_events_written(g: Any) -> Any:
    told: list[Any] = [*g.event_stream(['a\nb'])]
    told += g.event_stream([*SENT, g.ServerSentEvent('a', '\xe9', 'b')], dumps=repr, retry=3)
    told += on_a_loop(collect(g.aevent_stream(g.to_async(SENT, thread=False), dumps=repr, retry=4)))
    told += g.event_stream(['a', {'id': '\n'}], error=last_event, dumps=repr)
    for event in (
        {'event': 'a\nb'},
        {'id': 1.5},
        {'event': 1},
        {'comment': 1},
        {'name': 'x'},
        {},
        1,
        '\ud800',
        {'retry': '1'},
        {'data': 'x'},
        memoryview(b'abcd')[::2],
    ):
        try:
            told += g.event_stream([event])
        except (ValueError, TypeError, BufferError) as error:
            told.append(message(error))
    return told


# --- events -------------------------------------------------------------------------------------


@call
def items_that_are_broadcast(g: Any) -> Any:
    sender = g.Broadcast(buffersize=2, replay=1)
    told: list[Any] = [sender.publish('a')]
    streams = [
        sender.subscribe_sync(on_full=policy)
        for policy in ('wait', 'drop_oldest', 'drop_newest', 'close')
    ]
    later = sender.subscribe()
    told += [sender.publish('b'), sender.subscribers]
    told += [next(streams[0]), on_a_loop(later.__anext__()), on_a_loop(sender.apublish('c'))]
    try:
        sender.publish('d')
    except Exception as error:
        if isinstance(error, MemoryError):
            raise
        told.append(message(error))
    sender.run(iter('ef')) if sender.subscribers == 0 else sender.close()
    for stream in streams:
        try:
            told.append((list(stream), stream.dropped))
        except BufferError as error:
            told.append(message(error))
    return told


def take_all(log: list[Any]) -> Iterator[None]:
    while True:
        log.append((yield))


@call
def events_that_are_sent(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher()
    d.on('a', take_all(log))
    d.on('a', log.append)
    d.on('b', take_all(log))
    told = [d.emit('a', 1), d.emit('b', 2), d.emit('c', 3)]
    told.append(d.dispatch({'type': 'a', 'data': 4}))
    d.run([{'type': 'b', 'data': 5}, g.Event('a', 6)])
    d.off('a', log.append)
    d.off('b', d.on('b', print))
    told.append(d.emit('b', 7))
    d.close()
    return told, log


def checked(function: Any, *args: Any) -> Any:
    """A call after which CPython looks for a result with an exception set; not every one is."""
    return functools.partial(function, *args)()


@call
def events_that_nobody_wants(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher(default=log.append)
    told = [checked(d.dispatch, g.Event('x', 1)), checked(d.emit, 'y', 2)]
    d.close()
    return told, [tuple(event) for event in log]


def emit_more(d: Any, log: list[Any], data: int) -> None:
    log.append(data)
    if data:
        d.emit('a', data - 1)
        d.emit('b', data)


@call
def events_within_events(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher()

    d.on('a', functools.partial(emit_more, d, log))
    told = d.emit('a', 3)
    d.close()
    return told, log


async def take_later(log: list[Any], data: Any) -> None:
    await Told(data)
    log.append(data)


@call
def events_that_are_waited_for(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher()
    d.on(None, log.append)
    answers = [d.wait_for('a', where=bool, timeout=10), d.wait_for(None), d.wait_for('b')]
    told = [d.emit('a', 0), d.emit('a', 1), d.types, len(d.handlers()), len(d)]
    told += [finish(answer) for answer in answers[:2]]
    answers[2].close()
    stream = d.subscribe('a')
    told.append(d.emit('a', 2))
    d.close()
    told.append(finish(collect(stream)))
    return told, log


@call
def events_to_come(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher()
    d.on('a', functools.partial(take_later, log))
    d.on('a', log.append)
    told = [on_a_loop(d.aemit('a', 1)), on_a_loop(d.adispatch(g.Event('a', 2)))]
    on_a_loop(d.arun(g.to_async([g.Event('a', 3)], thread=False)))
    on_a_loop(d.aclose())
    return told, log


# --- what objects tell of themselves ------------------------------------------------------------


def shown(value: Any) -> Any:
    """Of a frame or code there is a new one each time."""
    return value if isinstance(value, int | str | tuple | list | None) else type(value).__name__


SYNC_TOLD = ('gi_code', 'gi_frame', 'gi_running', 'gi_state', 'gi_suspended', 'gi_yieldfrom')
ASYNC_TOLD = ('ag_await', 'ag_code', 'ag_frame', 'ag_running', 'ag_state', 'ag_suspended')
BOTH_TOLD = ('closed', 'errors', 'held', 'held_bytes', 'items', 'running', 'waits_for')
READER_TOLD = ('line_num', 'row_num', 'bytes_read', 'total_bytes')


def tell(stream: Any, names: tuple[str, ...]) -> list[Any]:
    return [shown(getattr(stream, name)) for name in names]


@call
def what_streams_tell(g: Any) -> Any:
    told = []
    for stream in (
        g.batched([1, 2, 3], 2),
        g.chunked(['ab', 'c'], 2),
        g.csv_rows(['a,b\n', 'c,d\n']),
        g.csv_encode([(1, 2), (3, 4)]),
        g.lines(['a\n', 'b\n']),
    ):
        told.append(tell(stream, SYNC_TOLD + BOTH_TOLD))
        next(stream)
        told.append(tell(stream, SYNC_TOLD + BOTH_TOLD))
        told.append([shown(getattr(stream, name, None)) for name in READER_TOLD])
        stream.close()
        told.append(tell(stream, SYNC_TOLD + BOTH_TOLD))
    return told


@call
def what_async_streams_tell(g: Any) -> Any:
    told = []
    for stream in (
        g.abatched(acounted(3), 2),
        g.acsv_rows(g.to_async(['a,b\n'], thread=False)),
    ):
        told.append(tell(stream, ASYNC_TOLD + BOTH_TOLD))
        told.append(shown(finish(stream.asend(None))))
        told.append(tell(stream, ASYNC_TOLD + BOTH_TOLD))
        finish(stream.aclose())
        told.append(tell(stream, ASYNC_TOLD + BOTH_TOLD))
    return told


@call
def a_stream_that_is_stopped(g: Any) -> Any:
    stream = g.abatched(acounted(3), 2)
    return [finish(stream.asend(None)), stream.stop(), finish(collect(stream))]


def fail_always(data: Any) -> None:
    raise LookupError(data)


def keep_report(log: list[Any], report: Any) -> None:
    # What it failed with may be that there was no memory, or what CPython makes of that.
    log.append([report.handler is fail_always, report.exception is None, report.event])


@call
def what_failures_tell(g: Any) -> Any:
    log: list[Any] = []
    d = g.Dispatcher()
    d.on('a', fail_always)
    d.on('error', functools.partial(keep_report, log))
    handled = d.emit('a', 1)
    kept = [handler.handler is fail_always for handler in d.handlers()]
    d.close()
    return handled, kept, [[own, none, event[1]] for own, none, event in log]


@call
def what_handlers_tell(g: Any) -> Any:
    names = ('active', 'awaits', 'background', 'calls', 'dropped', 'errors', 'held', 'returned')
    log: list[Any] = []
    d = g.Dispatcher()
    d.on('a', log.append)
    d.on('a', take_all(log))
    told = [tell(handler, names) for handler in d.handlers()]
    d.emit('a', 1)
    told += [tell(handler, names) for handler in d.handlers()]
    d.close()
    return told, log


@call
def what_batches_and_errors_tell(g: Any) -> Any:
    (batch,) = g.csv_batches(b'a,b\n1,2\n', threads=1)
    error = g.CSVError('x')
    return [
        [batch.num_rows, batch.num_columns, batch.column_names, batch.nbytes],
        [shown(error.record_line), error.problems, error.column, g.DataError('x').path],
    ]


def refused_at_once(d: Any) -> str:
    try:
        d.emit_threadsafe('a', 1)
    except RuntimeError as error:
        return str(error)
    return ''


@call
def events_from_other_threads(g: Any) -> Any:
    """Of a dispatcher that no event loop has used."""
    return refused_at_once(g.Dispatcher())

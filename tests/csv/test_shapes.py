"""``into``, ``columns`` and ``ragged``: the shape of a row."""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import gc
import inspect
import sys
import threading
import typing
import weakref
from collections import namedtuple
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from generators import CSVError, csv_rows

DATA = b'id,name,x\n1,Ann,2.5\n\n2,"B, ""c""",\n'


class Point(NamedTuple):
    x: float | None
    id: int
    note: str = 'none'


@dataclasses.dataclass
class Plain:
    id: int
    name: str
    x: float | None = 7.0


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    x: Decimal | None
    made: str = dataclasses.field(init=False, default='here')
    name: str = dataclasses.field(kw_only=True)


# --- shapes -----------------------------------------------------------------------------------


def test_dicts_have_the_names_in_order() -> None:
    rows = list(csv_rows(DATA, into=dict))
    assert rows == list(csv.DictReader(DATA.decode().splitlines()))
    assert [list(row) for row in rows] == [['id', 'name', 'x']] * 2
    assert type(rows[0]) is dict


def test_each_dict_is_its_own() -> None:
    first, second = csv_rows(DATA, into=dict)
    first['more'] = 1
    assert len(second) == 3


def test_dicts_whose_texts_repeat_themselves() -> None:
    records = ['1,x,', '1,x,', '2,x,y', '"1",,y', '1,x,', '1,x,'] * 3
    data = 'a,b,c\n' + ''.join(line + '\n' for line in records)
    expected = list(csv.DictReader(data.splitlines()))
    rows = csv_rows(data.encode(), into=dict)
    kept = []
    for row, other in zip(rows, expected, strict=True):
        assert row == other
        kept.append(dict(row))
        row.clear()
    assert kept == expected
    typed = csv_rows(data.encode(), into=dict, types={'a': int, 'c': lambda text: text or None})
    assert list(typed) == [{**row, 'a': int(row['a']), 'c': row['c'] or None} for row in expected]


@pytest.mark.parametrize('count', [1, 2, 5, 6, 10, 30, 31, 200])
def test_dicts_are_as_any_other_dict(count: int) -> None:
    names = [f'n{i}' for i in range(count)]
    lines = [names, *([f'{row}-{i}' for i in range(count)] for row in range(5))]
    data = '\n'.join(map(','.join, lines)).encode()
    expected = [dict(zip(names, line, strict=True)) for line in lines[1:]]
    rows = list(csv_rows(data, into=dict))
    for row, wanted in zip(rows, expected, strict=True):
        assert list(row.items()) == list(wanted.items())
        for each in row, wanted:
            each['new'] = 'value'
            del each['n0']
            each['n0'] = each.pop('new')
            each.update({f'more{i}': i for i in range(count)})
        assert list(row.items()) == list(wanted.items())
        assert list(row.copy().items()) == list(wanted.items())
        row.clear()
        assert not row
    assert list(csv_rows(data, into=dict)) == [
        dict(zip(names, line, strict=True)) for line in lines[1:]
    ]


def test_dict_is_collected_with_a_value_that_leads_back_to_it() -> None:
    class Value:
        row: Any = None

    data = b'a,b\n' + b'1,2\n' * 3
    alive = []
    for row in csv_rows(data, into=dict, types={'b': lambda text: Value()}):
        row['b'].row = row
        alive.append(weakref.ref(row['b']))
    del row
    gc.collect()
    assert [value() for value in alive] == [None] * 3


def test_dicts_leave_no_reference_behind() -> None:
    types: dict[str | int, Any] = {'b': int}
    data = b'a,b,c\n' + b'text of a,,\n' * 1000

    def count() -> int:
        for row in csv_rows(data, into=dict, types=types):
            assert row['b'] is None
        return sys.getrefcount(None)

    count()
    before = count()
    assert abs(count() - before) < 100


def test_a_dict_that_is_dropped_keeps_nothing_of_a_callable() -> None:
    class Value:
        pass

    rows = csv_rows(b'a\n1\n2\n', into=dict, types={'a': lambda text: Value()})
    row = next(rows)
    seen = weakref.ref(row['a'])
    del row
    assert seen() is None
    assert next(rows)


def test_a_dict_of_many_columns() -> None:
    names = [f'c{i}' for i in range(300)]
    data = ','.join(names) + '\n' + ','.join(map(str, range(300)))
    assert list(csv_rows(data.encode(), into=dict)) == [
        {name: str(i) for i, name in enumerate(names)}
    ]


def test_named_tuples_take_their_fields_by_name() -> None:
    rows = list(csv_rows(DATA, into=Point))
    assert rows == [Point(2.5, 1), Point(None, 2)]
    assert {type(row) for row in rows} == {Point}
    assert all(gc.is_tracked(row) for row in rows)
    assert hash(rows[0]) == hash(Point(2.5, 1))


def test_a_namedtuple_without_annotations_has_text() -> None:
    T = namedtuple('T', 'x id')
    assert list(csv_rows(DATA, into=T)) == [T('2.5', '1'), T('', '2')]


def test_a_named_tuple_that_makes_itself_is_asked_to() -> None:
    class Doubled(namedtuple('Doubled', 'id')):
        def __new__(cls, id: str) -> Doubled:
            return super().__new__(cls, id * 2)

    class Noted(Point):
        """With a dict of its own."""

    assert list(csv_rows(DATA, into=Doubled)) == [('11',), ('22',)]
    (row, _) = csv_rows(DATA, into=Noted)
    row.more = 1
    assert (type(row), row) == (Noted, (2.5, 1, 'none'))


def test_dataclasses_are_made_by_their_init() -> None:
    assert list(csv_rows(DATA, into=Plain)) == [Plain(1, 'Ann', 2.5), Plain(2, 'B, "c"', None)]
    assert list(csv_rows(DATA, into=Frozen)) == [
        Frozen(Decimal('2.5'), name='Ann'),
        Frozen(None, name='B, "c"'),
    ]


def test_a_field_without_a_column_has_its_default() -> None:
    @dataclasses.dataclass
    class Defaults:
        a: int = 1
        b: list[int] = dataclasses.field(default_factory=list)
        id: int = 3

    Defaults.__annotations__['b'] = 'object'
    (one, two) = csv_rows(DATA, into=Defaults)
    assert (one, two) == (Defaults(1, [], 1), Defaults(1, [], 2))
    assert one.b is not two.b


def test_post_init_and_init_var() -> None:
    @dataclasses.dataclass
    class Late:
        id: int
        x: dataclasses.InitVar[float | None]
        twice: int = dataclasses.field(init=False)

        def __post_init__(self, x: float | None) -> None:
            self.twice = self.id * 2
            self.x_given = x

    assert [(row.twice, row.x_given) for row in csv_rows(DATA, into=Late)] == [(2, 2.5), (4, None)]


def test_a_metaclass_has_its_say() -> None:
    class Meta(type):
        def __call__(cls, *args: Any, **kwargs: Any) -> Any:
            return ('made', super().__call__(*args, **kwargs))

    @dataclasses.dataclass
    class Made(metaclass=Meta):
        id: str

    assert [word for word, _ in csv_rows(DATA, into=Made)] == ['made'] * 2


def test_a_callable_gets_the_fields() -> None:
    assert list(csv_rows(b'a,b\n\nc,d\n', into=lambda *fields: fields)) == [('a', 'b'), ('c', 'd')]
    assert list(csv_rows(DATA, into='{}={}'.format, columns=['id', 'x'])) == ['1=2.5', '2=']
    assert list(csv_rows(b'1\n2\n', into=int)) == [1, 2]


def test_types_override_annotations() -> None:
    assert list(csv_rows(DATA, into=Point, types={'id': str, 'x': len})) == [
        Point(3, '1'),
        Point(None, '2'),
    ]


def test_new_type_and_any_and_object() -> None:
    class Row(NamedTuple):
        id: UserId  # noqa: F821
        name: Any
        x: object

    globals()['UserId'] = typing.NewType('UserId', int)
    assert next(iter(csv_rows(DATA, into=Row))) == (1, 'Ann', '2.5')


# --- columns ----------------------------------------------------------------------------------


@pytest.mark.parametrize('into', [list, tuple])
def test_columns_are_built_in_the_order_given(into: Any) -> None:
    rows = csv_rows(DATA, into=into, columns=['x', 0])
    assert list(rows) == [into(['2.5', '1']), into(['', '2'])]
    assert rows.header == ('id', 'name', 'x')


def test_indices_need_no_names() -> None:
    assert next(iter(csv_rows(DATA, columns=[2, 0, 0]))) == ['x', 'id', 'id']
    assert list(csv_rows(b'a,b\nc\n', columns=[1])) == [['b'], [None]]
    assert list(csv_rows(b'a,b\n', columns=())) == [[]]


def test_columns_of_dicts_and_classes() -> None:
    assert next(iter(csv_rows(DATA, into=dict, columns=['x', 0]))) == {'x': '2.5', 'id': '1'}
    assert next(iter(csv_rows(DATA, into=Plain, columns=['id', 'name']))) == Plain(1, 'Ann')


@pytest.mark.parametrize('flags', range(16))
def test_columns_are_those_of_all_fields(flags: int) -> None:
    """Whatever a record holds: quotes, doubled quotes, stray quotes, other scripts."""
    field = 'a' + 'é€😀'[: flags & 3] + ('"' if flags & 4 else '')
    text = f'"{field.replace(chr(34), chr(34) * 2)}"' if flags & 8 else field
    data = f'{text},"q ""q""",plain,{text}\n"x\ny",z,{text},w\n'
    for source, encoding in (
        (data.encode(), 'utf-8'),
        (data.splitlines(keepends=True), 'utf-8'),
        (data.encode('utf-16'), 'utf-16'),
    ):
        rows = list(csv_rows(source, encoding=encoding))
        chosen = csv_rows(source, encoding=encoding, columns=[3, 1])
        assert list(chosen) == [[row[3], row[1]] for row in rows]


def test_columns_not_in_the_header() -> None:
    for arguments in ({'columns': ['nome']}, {'types': {'nome': int}}, {'columns': [3]}):
        rows = csv_rows(DATA, header=True, **arguments)
        with pytest.raises(CSVError, match=r"there is no column ('nome' among|3, only 3)") as e:
            next(rows)
        assert (e.value.record, e.value.line) == (1, 1)


@pytest.mark.parametrize(
    ('columns', 'error'),
    [
        ('ab', TypeError),
        (3, TypeError),
        ([1.5], TypeError),
        ([True], TypeError),
        ([-1], ValueError),
    ],
)
def test_columns_that_are_none_are_refused(columns: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        csv_rows(DATA, columns=columns)


# --- names ------------------------------------------------------------------------------------


def test_duplicate_and_empty_names_are_refused_by_name() -> None:
    with pytest.raises(CSVError, match="several columns are named 'b': 1 and 3"):
        next(csv_rows(b'a,b,c,b\n1,2,3,4\n', into=dict))
    with pytest.raises(CSVError, match='the name of column 1 is empty'):
        next(csv_rows(b'a,,b\n1,2,3\n', into=dict))
    with pytest.raises(CSVError, match="several columns are named 'id'"):
        next(csv_rows(b'id,name,id\n1,2,3\n', into=Plain))
    with pytest.raises(CSVError, match="'a' is chosen twice"):
        next(csv_rows(b'a\n1\n', into=dict, columns=[0, 'a']))


def test_names_that_are_not_asked_for_may_be_duplicate() -> None:
    assert list(csv_rows(b'a,b,b,\n1,2,3,4\n', into=dict, columns=['a'])) == [{'a': '1'}]


def test_names_are_needed() -> None:
    for arguments in ({'into': dict}, {'into': Point}, {'columns': ['a']}, {'types': {'a': int}}):
        with pytest.raises(ValueError, match='header is False and there are no `names`'):
            csv_rows(DATA, header=False, **arguments)
    rows = csv_rows(b'1,2\n', header=False, names=['a', 'b'], into=dict)
    assert list(rows) == [{'a': '1', 'b': '2'}]
    assert list(csv_rows(b'A\n1\n', names=str.lower, into=dict)) == [{'a': '1'}]


@pytest.mark.parametrize('into', [dict, Point, Plain])
def test_an_empty_file_has_no_rows(into: Any) -> None:
    rows = csv_rows(b'', into=into, columns=['id'])
    assert list(rows) == []
    assert rows.header == ()


def test_a_class_with_fields_that_the_file_lacks() -> None:
    with pytest.raises(
        CSVError, match=r"Plain has fields without a column of that name: \['name'\]"
    ):
        next(csv_rows(b'id,x\n1,2\n', into=Plain))
    with pytest.raises(CSVError, match=r"Point has .*: \['x', 'id'\]"):
        next(csv_rows(b'a\n1\n', into=Point))


def test_an_annotation_that_cannot_be_resolved() -> None:
    class Lost(NamedTuple):
        id: Nowhere  # noqa: F821

    with pytest.raises(TypeError, match=r"annotations of .*Lost can't be resolved.*Nowhere") as e:
        csv_rows(DATA, into=Lost)
    assert isinstance(e.value.__cause__, NameError)


@pytest.mark.parametrize('hint', [int | str, list[str], typing.Literal['a']])
def test_an_annotation_that_no_field_can_be_read_as(hint: Any) -> None:
    class T(NamedTuple):
        id: str

    T.__annotations__['id'] = hint
    with pytest.raises(
        TypeError, match=r"column 'id': .* is not a type that a field can be converted to"
    ):
        next(csv_rows(DATA, into=T))
    assert next(csv_rows(DATA, into=T, types={'id': int})) == (1,)


# --- ragged -----------------------------------------------------------------------------------

RAGGED = b'a,b\n1\n1,2,3\n\n1,2\n'


def outcome(**arguments: Any) -> list[Any]:
    rows = []
    stream = csv_rows(RAGGED, **arguments)
    try:
        for row in stream:
            rows.append(row)
    except CSVError as error:
        rows.append((error.record, error.line, error.byte, str(error).split(' (')[0]))
    return rows


def test_ragged_lists() -> None:
    assert outcome(ragged='allow') == [['a', 'b'], ['1'], ['1', '2', '3'], [], ['1', '2']]
    assert outcome() == outcome(ragged='allow')
    long = (3, 3, 6, '2 fields expected, but 3 found')
    assert outcome(ragged='pad') == [['a', 'b'], ['1', None], long]
    short = (2, 2, 4, '2 fields expected, but 1 found')
    assert outcome(ragged='error') == [['a', 'b'], short]
    assert outcome(header=True, into=tuple, ragged='pad') == [('1', None), long]


def test_ragged_rows_of_other_shapes() -> None:
    short = (2, 2, 4, '2 fields expected, but 1 found')
    assert outcome(into=dict) == [short]
    assert outcome(into=lambda *a: a) == [('a', 'b'), short]
    assert outcome(into=dict, ragged='pad')[0] == {'a': '1', 'b': None}
    assert outcome(into=dict, ragged='allow') == [
        dict(row) for row in csv.DictReader(RAGGED.decode().splitlines())
    ]
    assert outcome(into=dict, ragged='allow', columns=['b']) == [
        {'b': None},
        {'b': '2'},
        {'b': '2'},
    ]
    assert outcome(into=lambda *a: len(a), ragged='allow') == [2, 1, 3, 2]


def test_ragged_has_three_values() -> None:
    with pytest.raises(ValueError, match="'allow', 'pad' or 'error', not 'never'"):
        csv_rows(DATA, ragged='never')


# --- what callables may do --------------------------------------------------------------------


def fail(*fields: Any) -> Any:
    raise KeyError('no', *fields)


def stop(*fields: Any) -> Any:
    raise StopIteration


class FailingInit(Plain):
    def __init__(self, id: int, name: str, x: float | None = None) -> None:
        raise KeyError('no')


@pytest.mark.parametrize(
    'arguments',
    [{'into': fail}, {'into': FailingInit}, {'types': {'id': fail}}],
    ids=['callable', 'class', 'types'],
)
def test_an_exception_of_a_callable_is_the_cause(arguments: Any) -> None:
    rows = csv_rows(DATA, header=True, **arguments)
    with pytest.raises(CSVError) as caught:
        next(rows)
    assert isinstance(caught.value.__cause__, KeyError)
    assert (caught.value.record, caught.value.line, caught.value.byte) == (2, 2, 10)
    assert rows.errors == 1
    assert list(rows) == []


@pytest.mark.parametrize('arguments', [{'into': stop}, {'types': {'id': stop}}])
def test_stop_iteration_of_a_callable_is_a_runtime_error(arguments: Any) -> None:
    rows = csv_rows(DATA, header=True, **arguments)
    with pytest.raises(RuntimeError, match='generator raised StopIteration') as caught:
        next(rows)
    assert isinstance(caught.value.__cause__, StopIteration)


def test_what_is_no_exception_comes_through() -> None:
    def interrupt(field: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        next(csv_rows(DATA, types={0: interrupt}))


@pytest.mark.parametrize('method', ['__next__', 'close', 'prime'])
@pytest.mark.parametrize('parameter', ['into', 'types'])
def test_a_callable_may_not_reach_the_reader(method: str, parameter: str) -> None:
    def reach(field: str, *rest: str) -> Any:
        return getattr(rows, method)()

    rows = csv_rows(DATA, **{parameter: reach if parameter == 'into' else {0: reach}})
    with pytest.raises(CSVError) as caught:
        next(rows)
    assert isinstance(caught.value.__cause__, ValueError)
    assert 'generator already executing' in str(caught.value)
    rows.close()


def test_init_that_returns_something() -> None:
    @dataclasses.dataclass(init=False)
    class Odd:
        id: str

        def __init__(self, id: str) -> Any:
            return 3  # noqa: PLE0101

    with pytest.raises(CSVError, match='should return None'):
        next(csv_rows(DATA, into=Odd))


def test_rows_read_from_several_threads() -> None:
    data = b'id,name,x\n' + b''.join(b'%d,n,\n' % i for i in range(4000))
    rows = csv_rows(data, into=Plain)
    got: list[int] = []

    def take() -> None:
        while True:
            try:
                got.append(next(rows).id)
            except StopIteration:
                return
            except ValueError as error:
                assert 'already executing' in str(error)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == list(range(4000))


@pytest.mark.parametrize(
    'make',
    [
        lambda: csv_rows(DATA, into=dict, types={'id': int}),
        lambda: csv_rows(DATA, into=Point),
        lambda: csv_rows(DATA, into=Frozen),
        lambda: csv_rows(DATA, into=Plain, null=['n' * 1000]),
        lambda: csv_rows(DATA, types={'x': fail}),
        lambda: csv_rows(DATA, into=fail),
        lambda: csv_rows(RAGGED, into=dict, ragged='allow'),
        lambda: csv_rows(RAGGED, into=Point),
        lambda: csv_rows(RAGGED, ragged='error'),
    ],
)
def test_nothing_leaks(make: Callable[[], Any]) -> None:
    def use() -> None:
        with contextlib.suppress(CSVError):
            list(make())

    def blocks() -> int:
        for _ in range(3):
            gc.collect()
        return sys.getallocatedblocks()

    for _ in range(300):
        use()
    before = blocks()
    references = [sys.getrefcount(thing) for thing in (Point, Plain, Frozen, fail)]
    for _ in range(600):
        use()
    assert blocks() - before < 500  # the interpreter's own come and go
    after = [sys.getrefcount(thing) for thing in (Point, Plain, Frozen, fail)]
    assert max(a - b for a, b in zip(after, references, strict=True)) < 10


def test_a_name_that_is_no_str_is_refused() -> None:
    with pytest.raises(CSVError, match='the name of column 0 must be str, not 1'):
        list(csv_rows(b'1,2\n', names=[1, 'b'], into=dict))  # type: ignore[list-item]


def test_a_cycle_through_the_target_is_collected() -> None:
    class Holder:
        def __call__(self, *fields: Any) -> Any:
            return fields

    import weakref

    holder = Holder()
    holder.rows = csv_rows(DATA, into=holder)
    next(holder.rows)
    seen = weakref.ref(holder)
    del holder
    gc.collect()
    assert seen() is None


# --- classes of every make ----------------------------------------------------------------------


class Single(NamedTuple):
    x: int


def test_a_named_tuple_with_an_init_is_called() -> None:
    class Initialised(Single):
        def __init__(self, *seen: Any) -> None:
            self.seen = seen

    (row,) = csv_rows(b'x\n1\n', into=Initialised)
    assert (row, row.seen) == ((1,), (1,))


def test_fields_that_are_no_tuple_are_refused() -> None:
    class Odd(tuple[Any, ...]):
        _fields = ['x']  # noqa: RUF012
        _field_defaults: dict[str, Any] = {}  # noqa: RUF012

    with pytest.raises(TypeError, match="_fields must be a tuple, not \\['x'\\]"):
        list(csv_rows(b'x\n1\n', into=Odd))


def test_a_dataclass_whose_init_takes_more() -> None:
    @dataclasses.dataclass(init=False)
    class More:
        x: int

        def __init__(self, x: int, *rest: Any, **more: Any) -> None:
            self.x = x
            self.given = (rest, more)

    (row,) = csv_rows(b'x\n1\n', into=More)
    assert (row.x, row.given) == (1, ((), {}))


def test_a_dataclass_whose_init_is_no_function_is_called() -> None:
    class Method:
        def __get__(self, of: Any, owner: Any = None) -> Any:
            return self if of is None else functools.partial(self, of)

        def __call__(self, of: Any, x: int) -> None:
            of.x = -x

    init = Method()
    init.__signature__ = inspect.signature(Method.__call__.__get__(init))  # type: ignore[attr-defined]
    made = dataclasses.make_dataclass('made', [('x', int)])
    made.__init__ = init  # type: ignore[misc]
    (row,) = csv_rows(b'x\n1\n', into=made)
    assert row.x == -1


def test_a_name_beside_one_that_is_no_text_is_found() -> None:
    assert list(csv_rows(b'a,b\n1,2\n', header=True, names=[1, 'y'], columns=['y'])) == [['2']]


def test_a_header_that_is_no_number_where_numbers_are_due() -> None:
    with pytest.raises(CSVError, match='could not convert string to float'):
        next(csv_rows(b'a,1\n', header=True, quoting=csv.QUOTE_NONNUMERIC))

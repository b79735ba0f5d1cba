"""``into`` a class of any library: built by name, or refused when the reader is made."""

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NotRequired,
    Optional,
    Required,
    TypedDict,
    TypeVar,
)

import pytest

from generators import CSVError, CSVRow, acsv_rows, convert, csv_rows
from tests.references import check_references

T = TypeVar('T')

# The order of the columns is never that of a class.
DATA = b'extra,name,id\nx,Ann,1\ny,Bob,2\n'


def first(into: Any, data: bytes = DATA, **more: Any) -> Any:
    return next(csv_rows(data, into=into, **more))


# ---- dataclasses ----


def test_a_dataclass_with_keywords_of_its_own() -> None:
    @dataclass(init=False)
    class Row:
        id: int
        name: str = 'nobody'

        def __init__(self, **values: Any) -> None:
            self.id = values.pop('id')
            self.name = values.pop('name', 'default')
            assert not values

    row = first(Row)
    assert (row.id, row.name) == (1, 'Ann')
    assert first(Row, b'id\n3\n').name == 'default'
    with pytest.raises(ValueError, match=r"fields without a column of that name: \['id'\]"):
        next(csv_rows(b'name\nx\n', into=Row))


def test_a_dataclass_with_named_parameters_and_keywords() -> None:
    @dataclass(init=False)
    class Row:
        id: int
        name: str

        def __init__(self, name: str, limit: int = 7, **rest: Any) -> None:
            self.id, self.name, self.limit = rest['id'], name, limit

    row = first(Row)
    assert (row.id, row.name, row.limit) == (1, 'Ann', 7)


def test_a_dataclass_whose_init_is_wrapped() -> None:
    def shout(init: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(init)
        def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
            assert not args
            init(self, **kwargs)

        return wrapper

    @dataclass
    class Row:
        id: int
        name: str

    Row.__init__ = shout(Row.__init__)  # type: ignore[method-assign]
    assert first(Row) == Row(id=1, name='Ann')


def test_a_dataclass_with_a_new_or_a_metaclass_of_its_own() -> None:
    class Meta(type):
        def __call__(cls, **values: Any) -> Any:
            return super().__call__(**values)

    @dataclass
    class ByMeta(metaclass=Meta):
        id: int
        name: str

    @dataclass
    class ByNew:
        id: int
        name: str

        def __new__(cls, **values: Any) -> Any:
            assert sorted(values) == ['id', 'name']
            return super().__new__(cls)

    assert first(ByMeta) == ByMeta(id=1, name='Ann')
    assert first(ByNew) == ByNew(id=1, name='Ann')


def test_a_dataclass_that_can_not_be_built_by_name() -> None:
    @dataclass(init=False)
    class Args:
        id: int

        def __init__(self, *args: Any) -> None: ...

    @dataclass(init=False)
    class Positional:
        id: int

        def __init__(self, id: int, /, **rest: Any) -> None: ...

    for cls, why in ((Args, 'values without names'), (Positional, "'id' can not be given by name")):
        with pytest.raises(TypeError, match=why):
            csv_rows(DATA, into=cls)


def test_a_subclass_that_takes_anything() -> None:
    @dataclass
    class Base:
        id: int
        name: str

    class Sub(Base):
        def __init__(self, *args: Any, **values: Any) -> None:
            super().__init__(*args, **values)

    row = first(Sub)
    assert (row.id, row.name) == (1, 'Ann')


# ---- generics ----


def test_the_rows_of_list_and_the_like() -> None:
    assert first(list[str]) == ['extra', 'name', 'id']
    assert first(tuple[str, ...]) == ('extra', 'name', 'id')
    assert first(dict[str, str]) == {'extra': 'x', 'name': 'Ann', 'id': '1'}
    assert first(dict[str, Any], types={'id': int})['id'] == 1
    assert first(CSVRow[str])['name'] == 'Ann'
    assert type(first(CSVRow[Any], types={'id': int})) is CSVRow


@pytest.mark.parametrize('into', [list[int], dict[str, int], dict[int, str], tuple[str, str]])
def test_the_rows_of_list_of_something_else(into: Any) -> None:
    with pytest.raises(TypeError, match=r'say into=\w+ and types='):
        csv_rows(DATA, into=into)


def test_generic_classes_are_built_by_name() -> None:
    @dataclass
    class Data(Generic[T]):
        id: T
        name: str
        other: list[T] = field(default_factory=list)

    class Tuple(NamedTuple, Generic[T]):
        id: T
        name: Optional[T] = None  # noqa: UP045

    class Plain(Generic[T]):
        def __init__(self, name: str, *, id: T) -> None:
            self.values = (id, name)

    class Known(Generic[T]):
        def __init__(self, *args: Any) -> None: ...

    assert first(Data[int]) == Data(1, 'Ann')
    assert first(Tuple[int], DATA.replace(b'Ann', b'7')) == Tuple(1, 7)
    assert first(Plain[int]).values == (1, 'Ann')
    with pytest.raises(TypeError, match='names no parameters'):
        csv_rows(DATA, into=Known[int])
    with pytest.raises(TypeError, match='is not a type that a field can be converted to'):
        first(Data)
    with pytest.raises(TypeError, match='it is not a class'):
        csv_rows(DATA, into=Annotated[Data[int], 1])


# ---- TypedDict ----


def test_a_typed_dict() -> None:
    class Row(TypedDict):
        id: int
        name: Annotated[str, convert.strip]
        more: NotRequired[float]

    class Loose(TypedDict, total=False):
        id: Required[int]
        name: str
        more: float

    Spaced = TypedDict('Spaced', {'Order ID': int})
    assert first(Row) == {'id': 1, 'name': 'Ann'}
    assert first(Loose) == {'id': 1, 'name': 'Ann'}
    assert first(Loose, b'more,id\n1.5,2\n') == {'id': 2, 'more': 1.5}
    assert first(Spaced, b'x,Order ID\n1,2\n') == {'Order ID': 2}
    with pytest.raises(ValueError, match=r"\['id'\]"):
        next(csv_rows(b'name\nx\n', into=Loose))


# ---- libraries ----

ORDERS = b'name;price;Order ID\n Ann ;1,5;7\nBob;x;8\nEve;2;0\n'


def test_pydantic_models() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')

    class Order(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        model_config = pydantic.ConfigDict(strict=True)
        id: int = pydantic.Field(alias='Order ID', gt=0)
        name: Annotated[str, convert.strip]
        price: Annotated[float, convert.number(decimal=',')]
        tags: list[str] = pydantic.Field(default_factory=list)

    errors: list[CSVError] = []
    rows = csv_rows(
        ORDERS, into=Order, delimiter=';', on_error=lambda error, raw: errors.append(error)
    )
    assert list(rows) == [Order(**{'Order ID': 7}, name='Ann', price=1.5)]
    assert [error.line for error in errors] == [3, 4]
    assert isinstance(errors[1].__cause__, pydantic.ValidationError)


def test_pydantic_converts_what_has_no_native_type() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')

    class Inner(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        a: int

    class Row(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        model_config = pydantic.ConfigDict(populate_by_name=True)
        id: int | str | None = None
        kind: Literal['a', 'b']
        where: pydantic.Json[Inner]
        number: int = pydantic.Field(alias='n', default=3)

    data = b'where,id,kind\n"{""a"": 1}",,b\n'
    assert first(Row, data) == Row(kind='b', where='{"a": 1}', id=None)
    assert first(Row, b'where,kind,number\n"{""a"": 1}",b,8\n').number == 8
    with pytest.raises(CSVError, match="Input should be 'a' or 'b'"):
        first(Row, data.replace(b',b', b',c'))


def test_pydantic_models_of_other_names() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')

    class Choices(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        id: int = pydantic.Field(validation_alias=pydantic.AliasChoices('ID', 'id'))

    class Path(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        id: int = pydantic.Field(validation_alias=pydantic.AliasPath('ids', 0))

    class Extra(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        model_config = pydantic.ConfigDict(extra='forbid')
        name: str

    assert first(Choices) == Choices(id=1)
    assert first(Choices, b'x,ID\n1,2\n') == Choices(ID=2)
    assert first(Extra) == Extra(name='Ann')
    with pytest.raises(TypeError, match="by the alias of 'id'"):
        csv_rows(DATA, into=Path)


def test_generic_pydantic_models() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')

    class Row(pydantic.BaseModel, Generic[T]):  # type: ignore[misc, name-defined]
        id: T
        name: str

    assert first(Row[int]) == Row[int](id=1, name='Ann')


def test_pydantic_dataclasses() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')

    @pydantic.dataclasses.dataclass
    class Row:
        id: int
        name: str
        tags: list[str] = pydantic.Field(default_factory=list)
        made: str = field(init=False, default='here')

    assert first(Row) == Row(id=1, name='Ann')
    with pytest.raises(CSVError, match='invalid literal for int'):
        first(Row, b'id,name\nx,Ann\n')


@pytest.mark.filterwarnings('ignore')
def test_models_of_pydantic_1() -> None:
    pytest.importorskip('pydantic', '2.0')
    try:
        from pydantic import v1
    except ImportError as error:  # not of Python 3.14
        pytest.skip(str(error))

    class Row(v1.BaseModel):  # type: ignore[misc, name-defined]
        number: int = v1.Field(alias='id')
        name: str = 'x'

        class Config:
            allow_population_by_field_name = True

    assert first(Row) == Row(id=1, name='Ann')
    assert first(Row, b'number\n5\n').number == 5


def test_attrs_classes() -> None:
    attrs = pytest.importorskip('attrs')

    @attrs.define
    class Row:
        id: int
        name: str
        _hidden: int = 5
        extra: Any = attrs.field(converter=str.upper, default='none')
        tags: list[str] = attrs.field(factory=list)
        made: int = attrs.field(init=False, default=1)

    @attrs.define(init=False)
    class Own:
        id: int
        name: str

        def __init__(self, **values: Any) -> None:
            self.__attrs_init__(**values)

    @attrs.define
    class Pair(Generic[T]):
        name: str
        id: T

    assert first(Row) == Row(id=1, name='Ann', extra='X')
    assert first(Row, b'hidden,name,id\n6,n,1\n') == Row(1, 'n', 6)
    assert first(Row, b'_hidden,name,id\n6,n,1\n') == Row(1, 'n', 6)
    assert first(Own) == Own(id=1, name='Ann')
    assert first(Pair[int]) == Pair('Ann', 1)
    with pytest.raises(ValueError, match=r"\['name'\]"):
        next(csv_rows(b'id\n1\n', into=Row))


def test_attrs_fields_of_another_type_are_refused_without_a_converter() -> None:
    attrs = pytest.importorskip('attrs')

    @attrs.define
    class Row:
        id: list[int]

    with pytest.raises(TypeError, match='is not a type that a field can be converted to'):
        first(Row)


def test_msgspec_structs() -> None:
    msgspec = pytest.importorskip('msgspec')

    class Row(msgspec.Struct, rename='camel'):  # type: ignore[misc, name-defined, call-arg]
        order_id: int
        name: str
        unit_price: Annotated[float, convert.number(decimal=',')] = 0.5
        tags: list[str] = msgspec.field(default_factory=list)

    class Pair(msgspec.Struct, Generic[T], kw_only=True):  # type: ignore[misc, name-defined, call-arg]
        id: T
        name: str

    assert first(Row, b'name;orderId;unitPrice\nAnn;7;1,5\n', delimiter=';') == Row(7, 'Ann', 1.5)
    assert first(Row, b'name,orderId\nAnn,7\n') == Row(7, 'Ann')
    assert first(Pair[int]) == Pair(id=1, name='Ann')
    with pytest.raises(ValueError, match='order_id'):
        next(csv_rows(b'name\nAnn\n', into=Row))


# ---- records that are too short ----


def test_a_missing_field_is_the_default() -> None:
    @dataclass
    class Data:
        id: int
        name: str = 'nobody'
        tags: str = field(default_factory=lambda: 'made')
        last: int = field(default=9, kw_only=True)

    class Tuple(NamedTuple):
        id: int
        name: str = 'nobody'
        tags: str | None = None

    data = b'id,name,tags,last\n1\n2,x\n3,y,z,4\n'
    assert list(csv_rows(data, into=Data, ragged='pad')) == [
        Data(1), Data(2, 'x'), Data(3, 'y', 'z', last=4),
    ]  # fmt: skip
    assert list(csv_rows(data, into=Tuple, ragged='pad')) == [
        Tuple(1), Tuple(2, 'x'), Tuple(3, 'y', 'z'),
    ]  # fmt: skip


def test_a_missing_field_without_a_default_is_none() -> None:
    @dataclass
    class Data:
        id: int
        name: str

    assert list(csv_rows(b'id,name\n1\n', into=Data, ragged='pad')) == [Data(1, None)]  # type: ignore[arg-type]


def test_a_missing_field_is_left_out_where_the_class_makes_the_default() -> None:
    class Keys(TypedDict, total=False):
        id: Required[int]
        name: str
        x: str

    @dataclass(init=False)
    class Data:
        id: int
        name: str = 'nobody'
        x: str = 'x'

        def __init__(self, **values: Any) -> None:
            self.values = values

    data = b'name,id,x\nAnn,1\n,2,3\n'
    assert list(csv_rows(data, into=Keys, ragged='pad')) == [
        {'id': 1, 'name': 'Ann'}, {'id': 2, 'name': '', 'x': '3'},
    ]  # fmt: skip
    assert [row.values for row in csv_rows(data, into=Data, ragged='pad')] == [
        {'id': 1, 'name': 'Ann'}, {'id': 2, 'name': '', 'x': '3'},
    ]  # fmt: skip
    assert [row.values for row in csv_rows(b'name,id\nAnn\n', into=Data, ragged='pad')] == [
        {'id': None, 'name': 'Ann'}
    ]


def test_a_missing_field_of_the_libraries() -> None:
    pydantic = pytest.importorskip('pydantic', '2.0')
    msgspec = pytest.importorskip('msgspec')
    attrs = pytest.importorskip('attrs')

    class Model(pydantic.BaseModel):  # type: ignore[misc, name-defined]
        id: int
        tags: Any = pydantic.Field(default_factory=list)

    class Struct(msgspec.Struct):  # type: ignore[misc, name-defined]
        id: int
        tags: Any = msgspec.field(default_factory=list)

    @attrs.define
    class Attrs:
        id: int
        tags: Any = attrs.field(factory=list)

    for cls in (Model, Struct, Attrs):
        rows = list(csv_rows(b'id,tags\n1\n2,x\n', into=cls, ragged='pad'))
        assert [(row.id, row.tags) for row in rows] == [(1, []), (2, 'x')]


# ---- what is refused ----


async def coroutine(*args: Any) -> Any: ...


async def async_generator(*args: Any) -> Any:
    yield args


class Waiting:
    async def __call__(self, *args: Any) -> Any: ...

    async def method(self, *args: Any) -> Any: ...


ASYNC = [
    coroutine,
    async_generator,
    Waiting(),
    Waiting().method,
    functools.partial(coroutine, 1),
    functools.partial(functools.partial(Waiting().method, 1), 2),
    functools.partial(Waiting(), 1),
]


@pytest.mark.parametrize('function', ASYNC)
@pytest.mark.parametrize('read', [csv_rows, acsv_rows])
def test_asynchronous_callables_are_refused(function: Any, read: Any) -> None:
    for arguments in ({'types': {0: function}}, {'into': function}, {'on_error': function}):
        with pytest.raises(TypeError, match='is asynchronous'):
            read(DATA, **arguments)
    with pytest.raises(TypeError, match=r'^types: .* never be awaited'):
        read(DATA, types={None: function})


def test_callables_that_only_look_so_are_called() -> None:
    class Fine:
        def __call__(self, text: str) -> str:
            return text.upper()

    types = {0: Fine(), 1: functools.partial(int, base=16), 2: len}
    assert next(csv_rows(b'a,ff,xyz\n', types=types)) == ['A', 255, 3]


def test_null_needs_types() -> None:
    @dataclass
    class Bare:
        id: object

    for into in (list, dict, CSVRow, lambda *fields: fields):
        with pytest.raises(ValueError, match='null needs `types`'):
            csv_rows(DATA, into=into, null=['x'])
    assert list(csv_rows(b'1,x\n', null=['x'], types={1: int})) == [['1', None]]
    assert list(csv_rows(b'1,x\n', null=[])) == [['1', 'x']]
    assert list(csv_rows(b'1,x\n', null=['x'], types={})) == [['1', 'x']]


def test_annotations_that_are_not_there_are_an_error() -> None:
    @dataclass(init=False)
    class Row:
        id: 'Nowhere'  # type: ignore[name-defined]  # noqa: F821

        def __init__(self, **values: Any) -> None: ...

    with pytest.raises(TypeError, match=r"the annotations of .*Row can't be resolved"):
        csv_rows(DATA, into=Row)


def test_fields_are_found_in_any_order() -> None:
    @dataclass
    class Row:
        id: int
        name: str
        there: dataclasses.InitVar[int] = 0

    assert first(Row, b'there,name,id\n5,x,1\n') == Row(1, 'x')


def test_classes_leave_no_reference_to_their_defaults() -> None:
    default, factory = object(), object

    @dataclass
    class Row:
        id: int
        name: Any = default
        other: Any = field(default=default, kw_only=True)
        made: Any = field(default_factory=factory)

    class Pair(NamedTuple):
        id: int
        name: Any = default

    @dataclass
    class Wrong:
        name: Any = default
        id: 'Nowhere' = default  # type: ignore[name-defined]  # noqa: F821

    def use() -> None:
        for into in (Row, Pair):
            assert first(into, b'id\n1\n').name is default
            assert first(into, b'id,name\n1,x\n').name == 'x'
            with pytest.raises(ValueError):
                next(csv_rows(b'name\nx\n', into=into))
        with pytest.raises(TypeError):
            csv_rows(DATA, into=Wrong)

    check_references(use, default)

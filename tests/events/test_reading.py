"""Reading type and data where the place of an attribute is remembered."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from generators import Dispatcher

Log = list[Any]


class Plain:
    def __init__(self, type: Any = 'x', data: Any = 1, **more: Any) -> None:
        self.type = type
        self.data = data
        self.__dict__.update(more)


@dataclasses.dataclass
class Data:
    source: Any
    type: str
    data: Any = None


def listening() -> tuple[Dispatcher, Log]:
    d, log = Dispatcher(), Log()
    d.on('x', log.append)
    return d, log


def test_attributes_in_any_order() -> None:
    d, log = listening()
    for n in range(3):
        d.dispatch(Data('here', 'x', n))
        event = Plain.__new__(Plain)
        event.data = n
        event.type = 'x'
        d.dispatch(event)
        d.dispatch(Plain(data=n))
    assert log == [n for n in range(3) for _ in range(3)]


def test_attributes_that_are_the_same_object() -> None:
    d, log = listening()
    for data in (None, 'x', 1, None, 'x'):
        d.dispatch(Data(None, 'x', data))
        d.dispatch(Data('x', 'x', data))
        d.dispatch(Data(data, 'x', data))
    assert log == [data for data in (None, 'x', 1, None, 'x') for _ in range(3)]


def test_attribute_that_is_deleted_or_changed() -> None:
    d, log = listening()
    d.dispatch(Plain(data=object))
    event = Plain(data=2)
    event.data = 3
    d.dispatch(event)
    del event.data
    with pytest.raises(AttributeError, match="no attribute 'data'"):
        d.dispatch(event)
    event.data = 4
    d.dispatch(event)
    assert log == [object, 3, 4]


def test_object_with_a_dict_of_its_own() -> None:
    d, log = listening()
    d.dispatch(Plain(data=1))
    event = Plain(data=2)
    vars(event)['data'] = 3
    d.dispatch(event)
    event.__dict__ = {'type': 'x', 'data': 4}
    d.dispatch(event)
    vars(event).clear()
    with pytest.raises(AttributeError):
        d.dispatch(event)
    for n in range(5, 60):
        d.dispatch(Plain(data=n, **{f'more{i}': i for i in range(n)}))
    assert log == [1, 3, 4, *range(5, 60)]


def test_class_that_changes() -> None:
    class Changing(Plain):
        data: Any

    d, log = listening()
    d.dispatch(Changing(data=1))
    event = Changing(data=2)
    Changing.data = property(lambda self: 'by property')
    d.dispatch(event)
    del Changing.data
    d.dispatch(event)
    Changing.data = 'of the class'
    d.dispatch(event)
    event.__class__ = Plain  # type: ignore[assignment]
    d.dispatch(event)
    assert log == [1, 'by property', 2, 2, 2]


def test_subclass_with_slots_and_attributes_beside() -> None:
    class Slotted(Plain):
        __slots__ = ('data',)

    class List(list[Any]):
        type = 'x'

    d, log = listening()
    for n in range(3):
        d.dispatch(Slotted(data=n))
        event = List()
        event.data = n  # type: ignore[attr-defined]
        d.dispatch(event)
    assert log == [0, 0, 1, 1, 2, 2]


def test_own_lookup_is_called_each_time() -> None:
    class Own(Plain):
        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            return value if name != 'data' else (value,)

    d, log = listening()
    d.dispatch(Own(data=1))
    d.dispatch(Own(data=2))
    assert log == [(1,), (2,)]

"""``ServerSentEvent``: a value."""

from __future__ import annotations

import copy
import doctest
import gc
import pickle
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generators import ServerSentEvent, event_source

TEXTS = st.text(max_size=20)


def test_the_fields_that_are_not_given() -> None:
    event = ServerSentEvent()
    assert (event.data, event.event, event.id, event.retry) == ('', 'message', '', None)
    assert repr(event) == "ServerSentEvent(data='')"
    assert ServerSentEvent(event='') == ServerSentEvent(event='message') == event


@given(TEXTS, TEXTS, TEXTS, st.none() | st.integers(0, 2**63 - 1))
def test_a_value(data: str, name: str, last_id: str, retry: int | None) -> None:
    event = ServerSentEvent(data, name, last_id, retry)
    assert (event.data, event.event, event.id, event.retry) == (
        data,
        name or 'message',
        last_id,
        retry,
    )
    again = ServerSentEvent(retry=retry, id=last_id, event=name, data=data)
    assert event == again
    assert hash(event) == hash(again)
    assert (event != again) is False
    assert eval(repr(event)) == event
    assert copy.copy(event) is copy.deepcopy(event) is event
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(event, protocol)) == event


def test_what_differs() -> None:
    events = [
        ServerSentEvent('a', 'b', 'c', 1),
        ServerSentEvent('x', 'b', 'c', 1),
        ServerSentEvent('a', 'x', 'c', 1),
        ServerSentEvent('a', 'b', 'x', 1),
        ServerSentEvent('a', 'b', 'c'),
        ServerSentEvent('ca', 'b', '', 1),
        ServerSentEvent('a', '', 'bc', 1),
    ]
    assert len(set(events)) == len(events)
    assert events[0] != ('a', 'b', 'c', 1)
    with pytest.raises(TypeError):
        sorted(events)  # type: ignore[type-var]


def test_it_equals_one_that_was_read() -> None:
    (event,) = event_source('event: é\nid: 1\nretry: 7\ndata: a\ndata: b\n\n'.encode())
    assert event == ServerSentEvent('a\nb', 'é', '1', 7)
    (event,) = event_source(b'event: message\ndata: \xff\n\n')
    assert event == ServerSentEvent('\ufffd')
    assert hash(event) == hash(ServerSentEvent('\ufffd'))


def test_json() -> None:
    event = ServerSentEvent('{"a": [1, null]}')
    assert event.json() == {'a': [1, None]}
    assert event.json(str.upper) == '{"A": [1, NULL]}'
    assert event.json(loads=len) == len(event.data)
    with pytest.raises(ValueError, match='Expecting value'):
        ServerSentEvent().json()


def test_it_never_changes() -> None:
    event: Any = ServerSentEvent('a')
    for name in ('data', 'event', 'id', 'retry', 'more'):
        with pytest.raises(AttributeError):
            setattr(event, name, 'x')
    with pytest.raises(TypeError):
        ServerSentEvent.data = 'x'  # type: ignore[assignment]
    with pytest.raises(TypeError):
        type('Subclass', (ServerSentEvent,), {})


def test_it_is_light() -> None:
    event = ServerSentEvent('x' * 100)
    assert not gc.is_tracked(event)
    assert sys.getsizeof(event) <= 100 + 64


@pytest.mark.parametrize(
    ('given', 'error'),
    [
        ({'data': b'x'}, TypeError),
        ({'event': None}, TypeError),
        ({'id': 1}, TypeError),
        ({'retry': '1'}, TypeError),
        ({'retry': 1.5}, TypeError),
        ({'retry': -1}, ValueError),
        ({'retry': 2**63}, ValueError),
        ({'data': '\ud800'}, UnicodeEncodeError),
        ({'id': '\ud800'}, UnicodeEncodeError),
        ({'more': 1}, TypeError),
    ],
)
def test_what_is_refused(given: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        ServerSentEvent(**given)


def test_the_docstring_of_json() -> None:
    parser = doctest.DocTestParser()
    globs = {'ServerSentEvent': ServerSentEvent}
    test = parser.get_doctest(ServerSentEvent.json.__doc__ or '', globs, 'json', None, 0)
    assert doctest.DocTestRunner().run(test).failed == 0

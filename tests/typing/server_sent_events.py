"""What a type checker makes of events over HTTP."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, assert_type

from generators import ServerSentEvent, aevent_source, aevent_stream, event_source, event_stream


def read(chunks: Iterator[bytes]) -> None:
    for event in event_source(chunks, last_event_id='7', max_event=None):
        assert_type(event, ServerSentEvent)
        assert_type(event.data, str)
        assert_type(event.retry, int | None)
        assert_type(event.json(), Any)
        event.json(json.loads)
        event.data = 'x'  # type: ignore[misc]
    assert_type(event_source('events.txt').last_event_id, str)
    event_source(1)  # type: ignore[arg-type]


async def aread(chunks: AsyncIterator[bytes]) -> None:
    async for event in aevent_source(chunks, close_with_task=True):
        assert_type(event, ServerSentEvent)


def write(texts: Iterator[str]) -> None:
    assert_type(next(event_stream(texts)), bytes)
    event_stream([b'a', ServerSentEvent('a', id='1'), {'data': [1], 'id': 7}], retry=3000)
    event_stream(texts, dumps=json.dumps, error=lambda error: {'data': str(error)})
    event_stream(texts, error=lambda error: None)
    event_stream([1])  # type: ignore[list-item]
    event_stream(texts, heartbeat=15)  # type: ignore[call-arg]


async def awrite(events: AsyncIterator[dict[str, Any]]) -> None:
    async for chunk in aevent_stream(events, heartbeat=15):
        assert_type(chunk, bytes)

"""text/event-stream as the HTML standard states it, in plain Python: slow, and meant to be read.

9.2.5 Parsing an event stream, 9.2.6 Interpreting an event stream.
"""

from __future__ import annotations

import re
from typing import NamedTuple

DIGITS = re.compile('[0-9]+')
LARGEST = 2**63 - 1


class Parsed(NamedTuple):
    # (data, event, id, retry) of each event
    events: list[tuple[str, str, str, int | None]]
    last_event_id: str
    retry: int | None


def parse(stream: bytes, last_event_id: str = '') -> Parsed:
    """What the events of a stream are, and what is known when all of it was read."""
    # "Streams must be decoded using the UTF-8 decode algorithm", which strips one mark.
    text = stream.decode('utf-8', 'replace').removeprefix('\ufeff')
    # What follows the last line end is no line.
    *lines, _ = re.split('\r\n|\r|\n', text)
    events: list[tuple[str, str, str, int | None]] = []
    data = name = ''
    id_buffer = last_id = last_event_id
    reconnection_time = retry = None
    for line in lines:
        if line == '':
            # Dispatch the event.
            last_id = id_buffer
            if data != '':
                events.append((data.removesuffix('\n'), name or 'message', last_id, retry))
            data = name = ''
            retry = None
        elif line.startswith(':'):
            continue
        else:
            field, _, value = line.partition(':')
            value = value.removeprefix(' ')
            if field == 'event':
                name = value
            elif field == 'data':
                data += value + '\n'
            elif field == 'id':
                if '\0' not in value:
                    id_buffer = value
            elif field == 'retry' and DIGITS.fullmatch(value):
                digits = value.lstrip('0')
                retry = LARGEST if len(digits) > 19 else min(int(digits or '0'), LARGEST)
                reconnection_time = retry
    return Parsed(events, last_id, reconnection_time)

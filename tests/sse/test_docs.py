"""The examples of docs/server_sent_events.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'server_sent_events.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    'offer 3 7\n7\n',
    (
        'Last-Event-ID: none\n'
        "ServerSentEvent(data='a', id='1')\n"
        'Last-Event-ID: 1\n'
        "ServerSentEvent(data='b', id='2')\n"
    ),
    (
        "b'retry: 3000\\n\\n'\n"
        "b'data: a text is the data\\ndata: of an event\\n\\n'\n"
        'b\'event: offer\\nid: 7\\ndata: {"price":3}\\n\\n\'\n'
        "b': clients ignore this\\n\\n'\n"
    ),
    (
        "b'data: hello\\ndata: \\ndata: event: admin\\n"
        'data: data: {"delete": "all"}\\n\\n\'\n'
        "event 0: 'event' must not contain a line end or a NUL\n"
    ),
    "b':\\n\\n'\nb'data: done\\n\\n'\n",
    ('data: To be\n\nevent: error\ndata: {"message":"the model does not answer"}\n\n'),
]


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize('n', range(len(PRINTED)))
def test_example(n: int) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(EXAMPLES[n], f'docs/server_sent_events.md example {n}', 'exec'), {})
    assert printed.getvalue() == PRINTED[n]

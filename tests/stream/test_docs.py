"""The examples of docs/streams.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'streams.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)


def test_a_function_of_any_stream() -> None:
    exec(compile(EXAMPLES[0], 'docs/streams.md', 'exec'), {})


def test_the_heartbeat_loses_nothing() -> None:
    _, example = EXAMPLES
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/streams.md', 'exec'), {})
    said = printed.getvalue().splitlines()
    assert 'still alive' in said
    assert [line for line in said if line != 'still alive'] == ['(0, 1)', '(2, 3)']

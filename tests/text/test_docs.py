"""The examples of docs/text.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'text.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    [
        "[b'one', b'two', b'three']",
        "[b'a', b'b']",
        r"['Zürich\r\n', 'Oslo']",
    ],
    [
        "{'id': 1}",
        "{'id': 2}",
        r"[(4, b'none\n')]",
        '4 21 none True',
        '{"id":1,"name":"Zoë"}',
        '["a",null]',
        '',
    ],
    ["b'one'", "[b'two', b'three']"],
]


@pytest.mark.parametrize(('example', 'expected'), [*zip(EXAMPLES, PRINTED, strict=True)])
def test_the_examples_print_what_they_should(example: str, expected: list[str]) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/text.md', 'exec'), {})
    assert printed.getvalue().splitlines() == expected

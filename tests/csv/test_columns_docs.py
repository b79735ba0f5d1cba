"""The examples of docs/columns.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip('pyarrow')

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'columns.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    [
        (
            "double [{'id': 1, 'name': 'Ann', 'price': 2.5}, "
            "{'id': 2, 'name': 'Bob, jr.', 'price': None}]"
        )
    ],
    ["2 ('id', 'name') [1, 2]", "1 ('id', 'name') [3]"],
    ["[Decimal('2.50'), Decimal('0.10')]"],
    ['2', '4 n three'],
    ['city,people', '"Zürich, ZH",443037', 'Oslo,', ''],
]


@pytest.mark.parametrize(('example', 'expected'), [*zip(EXAMPLES, PRINTED, strict=True)])
def test_the_examples_print_what_they_should(example: str, expected: list[str]) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/columns.md', 'exec'), {})
    assert printed.getvalue().splitlines() == expected

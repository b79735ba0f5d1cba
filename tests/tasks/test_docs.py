"""The examples of docs/tasks.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'tasks.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    '16\n',
    "1 1.0\n0 ZeroDivisionError('division by zero')\n2 0.5\n",
    "['A', 'B']\n",
    '5\nquotes q\ntrades t\n',
    "['A', 'B']\n",
]


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize('n', range(len(PRINTED)))
def test_example(n: int) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(EXAMPLES[n], f'docs/tasks.md example {n}', 'exec'), {})
    assert printed.getvalue() == PRINTED[n]

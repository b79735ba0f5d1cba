"""The examples of docs/schema.md run as they stand, and print what stands below them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'schema.md'
PAIR = re.compile(r'^```python\n(.*?)^```\n\n```text\n(.*?)^```$', re.M | re.S)
EXAMPLES = PAIR.findall(DOCUMENT.read_text('utf-8')) if DOCUMENT.exists() else []

pytestmark = pytest.mark.skipif(not DOCUMENT.exists(), reason='docs/ is not beside the tests')


@pytest.mark.parametrize(('example', 'expected'), EXAMPLES)
def test_the_examples_print_what_they_should(example: str, expected: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/schema.md', 'exec'), {})
    assert printed.getvalue() == expected


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4

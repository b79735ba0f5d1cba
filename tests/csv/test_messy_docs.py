"""The examples of "Messy files" in docs/files.md print what stands below them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'files.md'
SECTION = DOCUMENT.read_text('utf-8').split('## Messy files')[1].split('\n## ')[0]
EXAMPLES = re.findall(r'^```python\n(.*?)^```\n\nprints\n\n```\n(.*?)^```$', SECTION, re.M | re.S)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize(('example', 'expected'), EXAMPLES)
def test_the_examples_print_what_stands_below_them(example: str, expected: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/files.md', 'exec'), {})
    assert printed.getvalue() == expected

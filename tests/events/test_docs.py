"""docs/events.md: every defined behaviour names the tests that show it."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / 'docs' / 'events.md'
TEXT = PAGE.read_text('utf-8')
ROWS = re.findall(r'^\| (?!when|---)(.*?) \|$', TEXT, re.M)
TESTS = {
    name
    for path in HERE.glob('test_*.py')
    for name in re.findall(r'^def (test_\w+)', path.read_text('utf-8'), re.M)
}


def test_there_are_rows() -> None:
    assert len(ROWS) > 50
    assert len(ROWS) == len(set(ROWS))


@pytest.mark.parametrize('row', ROWS)
def test_row_names_tests_that_exist(row: str) -> None:
    cells = row.split(' | ')
    assert len(cells) == 3
    names = re.findall(r'`(\w+)`', cells[2])
    assert names
    assert set(names) <= TESTS


EXAMPLES = re.findall(r'^```python\n(.*?)^```$', TEXT, re.M | re.S)
PRINTED = [
    '1 hello\n2 again\n',
    '42\n',
    ''.join(f'{number} tea\n' for number in range(50)),
    '',
]


@pytest.mark.parametrize(('example', 'expected'), [*zip(EXAMPLES, PRINTED, strict=True)])
def test_example(example: str, expected: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/events.md', 'exec'), {'__name__': 'example'})
    assert printed.getvalue() == expected

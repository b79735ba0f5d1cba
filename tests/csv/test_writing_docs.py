"""The examples of docs/writing.md run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / 'docs' / 'writing.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    ['id,total', '1,5.0', '2,8', ''],
    ['id,city,people', '', 'n,name', '717710,Oslo', ''],
    ['1234,50;NA;ja;17.05.2024 12:30;"NA"', ''],
    ['[5000, 5000, 1427]', '[40000, 40000, 16437]'],
]


@pytest.mark.parametrize(('example', 'expected'), [*zip(EXAMPLES, PRINTED, strict=True)])
def test_the_examples_print_what_they_should(
    example: str, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/writing.md', 'exec'), {})
    assert printed.getvalue().splitlines() == expected

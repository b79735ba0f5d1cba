"""The examples of docs/files.md, from "Messy files" on, print what stands below them."""

import contextlib
import io
import re
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'files.md'
SECTION = DOCUMENT.read_text('utf-8').split('## Messy files')[1]
EXAMPLES = re.findall(r'^```python\n(.*?)^```\n\nprints\n\n```\n(.*?)^```$', SECTION, re.M | re.S)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize(('example', 'expected'), EXAMPLES)
def test_the_examples_print_what_stands_below_them(
    example: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ('pandas', 'polars'):
        if f'import {name}' in example:
            pytest.importorskip(name)
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/files.md', 'exec'), {})
    assert printed.getvalue() == expected

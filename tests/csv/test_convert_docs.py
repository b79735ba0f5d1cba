"""The examples of docs/convert.md, and of the docstrings, run as they stand."""

import contextlib
import doctest
import io
import re
from pathlib import Path

import pytest

from generators import convert

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'convert.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    [
        "[datetime.date(2026, 12, 24), 1234.5, True, 'Ann']",
        "[datetime.date(2027, 1, 2), -7.0, False, 'Bob']",
        "[None, None, None, '']",
    ],
    ['Sale(Betrag=1.5, Kunde=None)', '1000'],
    ["{'name': 'Oslo', 'population': 709037}"],
]


@pytest.mark.parametrize(('example', 'expected'), [*zip(EXAMPLES, PRINTED, strict=True)])
def test_the_examples_print_what_they_should(example: str, expected: list[str]) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/convert.md', 'exec'), {'__name__': 'example'})
    assert printed.getvalue().splitlines() == expected


def test_the_docstrings_print_what_they_should() -> None:
    failed, tried = doctest.testmod(convert)
    assert (failed, tried >= 6) == (0, True)

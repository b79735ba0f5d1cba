"""The README's examples run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / 'README.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', README.read_text('utf-8'), re.M | re.S)

PRINTED = [
    "{'name': 'Reykjavík', 'population': 139875}\n3 population many\n",
    'b\'city,people\\r\\n"Z\\xc3\\xbcrich, ZH",443037\\r\\nOslo,717710\\r\\n\'\n',
    '0 1 4 9 16 ',
    '(1, 2)\n(3, 4)\n',
    '1 hello\n2 again\n',
]


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize('n', range(len(PRINTED)))
def test_example(n, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(EXAMPLES[n], f'README example {n}', 'exec'), {'__name__': 'example'})
    assert printed.getvalue() == PRINTED[n]

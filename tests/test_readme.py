"""The README's examples run as they stand."""

import contextlib
import io
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / 'README.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', README.read_text('utf-8'), re.M | re.S)

CITIES = 'Name,Population\nReykjavík,139875\n"Washington, D.C.",678972\n'

PRINTED = [
    "['Name', 'Population']\n['Reykjavík', '139875']\n['Washington, D.C.', '678972']\n",
    "['name', 'population']\n['Reykjavík', '139875']\n",
    "('name', 'population')\n['Reykjavík', '139875']\n['Washington, D.C.', '678972']\n",
    "Oslo 709037 {'name': 'Oslo', 'population': '709037'}\n",
]


@pytest.mark.parametrize('n', range(len(EXAMPLES)))
def test_example(n, tmp_path, monkeypatch):
    (tmp_path / 'cities.csv').write_text(CITIES, 'utf-8')
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(EXAMPLES[n], f'README example {n}', 'exec'), {})
    if n < len(PRINTED):
        assert printed.getvalue() == PRINTED[n]
    else:
        rows, error = printed.getvalue().split("['1', '2']\n")
        assert rows == "['a', 'b']\n"
        assert error.split() == ['3', '3', '11']

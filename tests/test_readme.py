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
    (
        "{'Name': 'Reykjavík', 'Population': 139875}\n"
        "{'Name': 'Washington, D.C.', 'Population': 678972}\n"
    ),
    "{'Tag': datetime.date(2026, 12, 24), 'Preis': 1234.5}\n",
    "['1', 2]\n['5', 6]\n[b'3,x\\n']\n[['Washington, D.C.', '678972']]\n",
    "1 [['Reykjavík', '139875']]\n2 [['Washington, D.C.', '678972']]\n",
    "Oslo 709037 {'name': 'Oslo', 'population': '709037'}\n",
    "['a', 'b']\n['1', '2']\n3 3 11\n",
    '<CSVBatch of 2 rows, 2 columns> 818847\n',
    (
        '<CSVSchema of 2 rows, 2 columns>\n'
        'name        type  nulls  distinct  least      greatest          longest\n'
        'Name        str   0      2         Reykjavík  Washington, D.C.  16\n'
        'Population  int   0      2         139875     678972            6\n'
        'CREATE TABLE "cities" (\n'
        '    "Name" TEXT NOT NULL,\n'
        '    "Population" INTEGER NOT NULL\n'
        ")\n['Reykjavík', 139875]\n"
    ),
    '',
    "['one', 'two', 'three']\n[{'id': 1}, {'id': 2}]\nb'{\"id\":1}\\n{\"id\":2}\\n'\n",
    "[b'Data Chunk 0\\nData Ch', b'unk 1\\nData Chunk 2\\n']\n[('a', 'b'), ('c', 'd'), ('e',)]\n",
    (
        "[b'data: two\\ndata: lines\\n\\n', "
        'b\'event: offer\\nid: 7\\ndata: {"price":3}\\n\\n\']\n'
        "message 'two\\nlines' \noffer '{\"price\":3}' 7\n"
    ),
    'FIRST\nSECOND\n',
    '0 1 4 9 16 36\n',
    '(1, 2)\n(3, 4)\n',
    '17\nstill alive\n18\n',
    (
        "(('n', 'square'), ('0', '0'), ('1', '1'))\n(('2', '4'),)\n"
        "b'n;square\\r\\n0;0\\r\\n1;1\\r\\n2;4\\r\\n'\n"
    ),
    '5\n6\n5\n',
    '0\n1\n2\n',
    'Message: hello\nMessage: one\nMessage: two\n',
    'b\n',
    '[101, 102, 103] [101, 102, 103]\n',
    "['Name', 'Population']\n",
]


def test_every_example_has_its_output() -> None:
    assert len(EXAMPLES) == len(PRINTED)


@pytest.mark.parametrize('n', range(len(PRINTED)))
def test_example(n, tmp_path, monkeypatch):
    (tmp_path / 'cities.csv').write_text(CITIES, 'utf-8')
    monkeypatch.chdir(tmp_path)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(EXAMPLES[n], f'README example {n}', 'exec'), {'__name__': 'example'})
    assert printed.getvalue() == PRINTED[n]

"""The examples of docs/sniff.md run as they stand, and the one of examples/."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / 'docs' / 'sniff.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    [
        "{'encoding': 'cp1252', 'delimiter': ';', 'skip': 2, 'header': True}",
        "{'station': 'Tromsø; harbour', 'date': '2024-01-05', 'mean': '-3,4'}",
        "{'station': 'Bergen', 'date': '2024-01-05', 'mean': '2,1'}",
    ],
    ['; , 0.5'],
    ["[('1', 'Ada'), ('2', 'Grace'), ('3', 'Mary')]"],
]


def test_the_examples_print_what_they_should() -> None:
    names: dict[str, Any] = {}
    for example, expected in zip(EXAMPLES, PRINTED, strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example, 'docs/sniff.md', 'exec'), names)
        assert printed.getvalue().splitlines() == expected


def test_unknown_files_are_made_json_lines_or_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    program = ROOT / 'examples' / 'unknown_files.py'
    spec = importlib.util.spec_from_file_location('unknown_files', program)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (tmp_path / 'a.csv').write_bytes('# made by x\nname;n\nZoë;1\nAda;2\n'.encode('cp1252'))
    (tmp_path / 'b.csv').write_bytes(b'one, two\nthree, four or more\n,\n')
    assert module.main([str(tmp_path / 'a.csv')]) == 0
    assert capsys.readouterr().out.splitlines() == [
        '{"name":"Zoë","n":"1"}',
        '{"name":"Ada","n":"2"}',
    ]
    assert module.main([str(tmp_path / 'b.csv'), '--sure', '0.999']) == 1
    assert 'delimiter' in capsys.readouterr().err

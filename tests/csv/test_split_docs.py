"""The examples of docs/scale.md run as they stand, and its simulation with fewer workers."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / 'docs' / 'scale.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)
PRINTED = [
    ["1 ['0', '1'] 5", "5 ['2', '3'] 9", "9 ['4', '5'] 13"],
    ['7'],
    ['3 True'],
]


def test_the_examples_print_what_they_should() -> None:
    names: dict[str, Any] = {}
    for example, expected in zip(EXAMPLES, PRINTED, strict=True):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example, 'docs/scale.md', 'exec'), names)
        assert printed.getvalue().splitlines() == expected


@pytest.mark.timeout(120)
def test_workers_that_share_nothing_make_the_plan_of_a_single_reader(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip('resource')
    program = ROOT / 'benchmarks' / 'split_cluster.py'
    spec = importlib.util.spec_from_file_location('split_cluster', program)
    assert spec is not None
    assert spec.loader is not None
    module: Any = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, 'split_cluster', module)  # processes find it by its name
    monkeypatch.syspath_prepend(program.parent)
    spec.loader.exec_module(module)
    path = tmp_path / 'data.csv'
    module.write_file(path, 2_000_000)
    got = module.simulate(path, workers=30, lost=3, processes=2)
    assert (got.workers, got.lost, len(got.parts)) == (30, 3, 30)

"""A picture of figures is of the figures that stand beside it."""

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if not (ROOT / 'docs').exists():
    pytest.skip('docs/ is not beside the tests', allow_module_level=True)


def test_the_picture_of_ratios_is_of_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / 'benchmarks')
    ratios = importlib.import_module('ratios')
    text = (ROOT / 'docs' / 'performance.md').read_text('utf-8')
    assert ratios.PICTURE.read_text('utf-8') == ratios.picture(text), (
        'run python benchmarks/ratios.py'
    )
    bars = [bar for _, group in ratios.groups(text) for bar in group]
    assert ('csv_rows, lists, nfl', 'csv.reader', 4.8) in bars
    assert ('two columns of many', 'polars', 3.5) in bars
    assert all(group for _, group in ratios.groups(text))


def test_each_row_of_the_table_has_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / 'benchmarks')
    ratios = importlib.import_module('ratios')
    section = (ROOT / 'docs' / 'performance.md').read_text('utf-8').partition('## All types')[2]
    rows = [line for line in section.splitlines() if line.endswith('.py` |')]
    programs = {row.split('`')[-2] for row in rows}
    assert programs <= set().union(*ratios.GROUPS.values())


def test_the_picture_of_progress_has_the_line_that_is_nearest_to_half(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip('pty', reason='no terminals of POSIX')
    monkeypatch.syspath_prepend(ROOT / 'tools')
    tool = importlib.import_module('draw_progress')
    assert tool.halfway(['a: 9%', 'a: 47%', 'a:  60%|', 'b']) == 'a: 47%'
    assert '>$ a &lt; b</text>' in tool.drawn([('with tqdm', ['$ a < b'])])
    shown = tool.PICTURE.read_text('utf-8')
    assert tool.COMMAND.replace('"', '&quot;').replace('>', '&gt;') in shown

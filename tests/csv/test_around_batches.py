"""What is around the records, for ``csv_batches``: the same model, and threads."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generators import CSVError, csv_batches

from . import around
from .batches import values
from .strategies import cut, cuts
from .test_around import options, texts

few = settings(max_examples=max(1, settings().max_examples // 3))


@few
@given(texts, options, cuts, st.integers(1, 5))
def test_batches(text: str, given_options: dict[str, Any], places: Any, rows: int) -> None:
    asked = {**given_options, 'blank': 'skip', 'delimiter': '|'}
    found = around.read(text, **asked)
    wanted = [record.row[0] for record in found if record.row]
    if not wanted:
        return
    batches = csv_batches(
        cut(text.encode(), places),
        items='chunks',
        header=False,
        names=['x'],
        rows=rows,
        on_error='skip',
        ragged='pad',
        **asked,
    )
    got = [row[0] for batch in batches for row in values(batch)]
    assert got == [record.row[0] for record in found if record.row and len(record.row) == 1]


def large(lines: int) -> str:
    parts = ['title "x\n', 'id,text\n']
    for i in range(lines):
        parts.append(f'{i},"a\nb {i}"\n')
        if i % 7 == 0:
            parts.append(f'# it\'s a "comment {i}\n')
        if i % 1000 == 0:
            parts.append('\n')
    parts.append('Total,"many\n')
    return ''.join(parts)


def test_threads_give_the_same_batches(tmp_path: Path) -> None:
    text = large(120_000)
    path = tmp_path / 'large.csv'
    path.write_text(text, newline='')
    asked: dict[str, Any] = {'skip': 'id,', 'comment': '#', 'types': {'id': int}}
    with pytest.raises(CSVError) as caught:
        list(csv_batches(path, threads=2, strict=True, **asked))
    assert caught.value.line == text.count('\n')
    count = 0
    for threads, footer in itertools.product((1, 2), (0, 1)):
        batches = csv_batches(path, threads=threads, footer=footer, on_error='skip', **asked)
        ids: list[int] = []
        for batch in batches:
            ids += [row[0] for row in values(batch)]
        assert ids == list(range(120_000))
        assert batches.errors == 1 - footer
        count += 1
    assert count == 4


def test_threads_and_one_line_records(tmp_path: Path) -> None:
    path = tmp_path / 'stray.csv'
    rows = [f'{i},plain\n' if i % 1000 else f'{i},"stray\n' for i in range(500_000)]
    path.write_text('id,text\n' + ''.join(rows))
    for threads in (1, 2):
        errors: list[int | None] = []
        batches = csv_batches(
            path,
            types={'id': int},
            threads=threads,
            multiline=False,
            on_error=lambda error, raw, found=errors: found.append(error.line),
        )
        assert sum(len(batch) for batch in batches) == 500_000 - 500
        assert errors == [i + 2 for i in range(0, 500_000, 1000)]

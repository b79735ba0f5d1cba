"""Draws docs/ratios.svg: the ratios of docs/performance.md, a group of bars for each format.

    python benchmarks/ratios.py

It measures nothing.  The figures are those of the tables, of the newest CPython there, and a test
looks whether the picture is of the tables as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from pathlib import Path

from measure import svg

DOCS = Path(__file__).parents[1] / 'docs'
PICTURE = DOCS / 'ratios.svg'
TITLE = 'How many times as fast as a peer, in CPU time, CPython 3.13'
GROUPS = {
    'CSV by rows': {'csv_rows.py', 'rows.py', 'csv_row.py', 'csv_module.py'},
    'CSV by columns': {'columns.py'},
    'Writing CSV': {'csv_encode.py', 'columns_write.py'},
    'Lines and JSON lines': {'text.py'},
    'Server-sent events': {'sse.py'},
    'Chunks, bridges, events and tasks': {'chunked.py', 'bridges.py', 'events.py', 'tasks.py'},
}

LEFT, WIDTH = 340, 220  # of the bars

Bar = tuple[str, str, float]  # what is done, against whom, and the ratio


def cells(line: str) -> list[str]:
    return [cell.strip().replace('`', '') for cell in line.strip('|').split('|')]


def rows_of_files(text: str) -> Iterator[Bar]:
    """The first table: three files in one cell."""
    found = re.search(r'^\| lists: (.*) \|$', text, re.M)
    assert found is not None
    names, *_, ratios = found[1].split(' | ')
    for name, ratio in zip(names.split(' / '), ratios.split(' / '), strict=True):
        yield f'csv_rows, lists, {name}', 'csv.reader', float(ratio)


def rows_of_types(text: str, programs: set[str]) -> Iterator[Bar]:
    """The table of all types: where a cell names two peers, it has two ratios."""
    section = text.partition('## All types')[2].partition('\n## ')[0]
    last = ''
    for line in re.findall(r'^\|.*\|$', section, re.M)[2:]:
        work, peers, *_, ratios, program = cells(line)
        last = work = last if work == 'the same' else work
        if program in programs:
            for peer, ratio in zip(peers.split('; '), ratios.split('; '), strict=True):
                yield work, peer, float(ratio)


def groups(text: str) -> Iterator[tuple[str, list[Bar]]]:
    for name, programs in GROUPS.items():
        bars = list(rows_of_types(text, programs))
        if 'csv_rows.py' in programs:
            bars = [*rows_of_files(text), *bars]
        yield name, bars


def picture(text: str) -> str:
    """A bar for each ratio, and a line where the peer would be."""
    made: list[str] = []
    of_group = dict(groups(text))
    most = max(ratio for bars in of_group.values() for _, _, ratio in bars)
    unit = WIDTH / most
    y = 50
    for name, bars in of_group.items():
        made.append(f'<text x="10" y="{y}" font-weight="bold">{name}</text>')
        for work, peer, ratio in bars:
            y += 20
            length = round(unit * ratio)
            against = f'<tspan dx="6" fill="#667">{escape(peer)}</tspan>'
            made += [
                f'<text x="10" y="{y}" font-size="12">{escape(work)}</text>',
                f'<rect x="{LEFT}" y="{y - 11}" width="{length}" height="14" fill="#1b6ac9"/>',
                f'<text x="{LEFT + length + 6}" y="{y}" font-size="12">{ratio:g}{against}</text>',
            ]
        y += 32
    made.append(
        f'<path d="M{LEFT + unit:.0f} 34V{y - 26}" stroke="#c33" stroke-dasharray="3"/>'
        f'<text x="{LEFT + unit + 5:.0f}" y="44" font-size="11" fill="#c33">1: the peer</text>'
    )
    return svg(TITLE, y - 16, made)


if __name__ == '__main__':
    PICTURE.write_text(picture((DOCS / 'performance.md').read_text('utf-8')), 'utf-8')

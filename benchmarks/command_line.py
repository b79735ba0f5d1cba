"""The command line against a few lines of Python.

    python benchmarks/command_line.py [--mb 20] [--rounds 5] [--only WORD ...] [--cpu] [--list]

Both run in this process, without the start of an interpreter.  A ratio is the peer's median over
ours: more is better.  `MISSED` marks a figure that does not reach its bar.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from measure import Row, Suite, compared, medians

from native_generators._cli import main

suite = Suite(__doc__, rounds=5, mb=20)
options = suite.options


def file() -> Path:
    path = suite.folder / 'orders.csv'
    if not path.exists():
        line = '{},"customer {}, of Reykjavík",{:.2f},2026-11-{:02},yes,some text\n'
        block = ''.join(line.format(i, i, i / 7, i % 28 + 1) for i in range(10_000))
        with path.open('w', encoding='utf-8') as out:
            out.write('id,customer,amount,day,paid,remark\n')
            for _ in range(max(int(options.mb * 1e6) // len(block.encode()), 1)):
                out.write(block)
    return path


def by_hand(convert: Callable[[dict[str, Any]], dict[str, Any]] | None) -> None:
    with (
        file().open(newline='', encoding='utf-8') as source,
        (suite.folder / 'theirs').open('w', encoding='utf-8') as out,
    ):
        for row in csv.DictReader(source):
            out.write(json.dumps(row if convert is None else convert(row), ensure_ascii=False))
            out.write('\n')


def typed(row: dict[str, Any]) -> dict[str, Any]:
    row['id'] = int(row['id'])
    row['amount'] = float(row['amount'])
    row['day'] = dt.date.fromisoformat(row['day']).isoformat()
    row['paid'] = row['paid'] == 'yes'
    return row


def ours(*arguments: str) -> None:
    out = str(suite.folder / 'ours')
    assert main([str(file()), '--to', 'jsonl', '-o', out, '--no-progress', *arguments]) == 0


@suite.measurement
def json_of_text() -> Iterator[Row]:
    theirs, own = medians([lambda: by_hand(None), ours], options.rounds)
    yield compared('JSON lines of text', 'DictReader and json.dumps', theirs, own, 2)


@suite.measurement
def json_of_values() -> Iterator[Row]:
    types = '--types', 'id=int,amount=float,day=date,paid=bool'
    theirs, own = medians([lambda: by_hand(typed), lambda: ours(*types)], options.rounds)
    yield compared('JSON lines of values', 'DictReader, conversions, json.dumps', theirs, own, 2)


if __name__ == '__main__':
    sys.exit(suite.main())

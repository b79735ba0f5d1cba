"""Files for every engine: those that none of their own readers splits, and what is in them."""

from __future__ import annotations

import csv
import random
from pathlib import Path
from typing import Any


def write_notes(path: Path, records: int, seed: int = 1) -> list[dict[str, Any]]:
    """A third of the records has a quoted text of four lines.  What csv.reader finds there."""
    chance = random.Random(seed)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['id', 'note', 'value'])
        for i in range(records):
            note = f'line 1, of {i}\n"two"\r\n\nfour: ü' if chance.random() < 1 / 3 else f'note {i}'
            writer.writerow([i, note, round(chance.random(), 6)])
    with path.open(newline='', encoding='utf-8') as file:
        return [
            {'id': int(row['id']), 'note': row['note'], 'value': float(row['value'])}
            for row in csv.DictReader(file)
        ]


TYPES: dict[str, Any] = {'id': int, 'value': float}

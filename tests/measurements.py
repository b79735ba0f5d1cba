"""A file for examples/stations.py and its twins: line ends and commas in quotes."""

from __future__ import annotations

import csv
import random
from pathlib import Path


def write_measurements(path: Path, seed: int) -> None:
    """20,000 records of 40 stations."""
    chance = random.Random(seed)
    with path.open('w', newline='', encoding='utf-8') as file:
        writer = csv.writer(file)
        writer.writerow(['day', 'station', 'remark', 'temperature'])
        for day in range(20_000):
            remark = 'line one\n"line", two\r\n' if chance.random() < 0.3 else 'none'
            station = f'Station {chance.randrange(40)}, Zürich'
            writer.writerow([day, station, remark, f'{chance.gauss(9, 8):.1f}'])

"""A service reads a large CSV file lazily: one row in memory at a time.

    python article_000_csv.py data/computed_temperatures.csv

prints the mean temperature of every station, and the mean over all of them
weighted by the cosine of latitude (a degree of longitude is that much shorter
there), as climate means are made.
"""

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from generators import csv_rows


def read_large_csv(path: str) -> Iterator[list[str]]:
    rows = csv_rows(path)
    next(rows)  # skip the header
    for row in rows:
        yield row


@dataclass
class Mean:
    total: float = 0.0
    weight: float = 0.0

    def add(self, value: float, weight: float = 1.0) -> None:
        self.total += value * weight
        self.weight += weight

    @property
    def value(self) -> float:
        return self.total / self.weight


@dataclass
class Temperatures:
    stations: dict[str, Mean] = field(default_factory=dict)
    weighted: Mean = field(default_factory=Mean)

    def process_data(self, row: list[str]) -> None:
        station, latitude, _, celsius = row
        temperature = float(celsius)
        self.stations.setdefault(station, Mean()).add(temperature)
        self.weighted.add(temperature, math.cos(math.radians(float(latitude))))


def main(path: str) -> Temperatures:
    temperatures = Temperatures()
    for row in read_large_csv(path):
        temperatures.process_data(row)
    return temperatures


if __name__ == '__main__':
    result = main(sys.argv[1])
    for station, mean in sorted(result.stations.items()):
        print(f'{station:24} {mean.value:8.3f} °C  {mean.weight:6.0f} readings')
    print(f'{"weighted by latitude":24} {result.weighted.value:8.3f} °C')

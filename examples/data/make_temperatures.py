"""Writes computed_temperatures.csv: no one measured these, a formula gives them.

Seven invented stations, one reading every six hours of 2023's first 72 days.
The temperature falls with latitude and swings with the season and the hour.
"""

import csv
import math
import sys
from datetime import datetime, timedelta
from pathlib import Path

STATIONS = [
    ('Harbour, north quay', 64.1),
    ('Harbour, south quay', 64.0),
    ('Airfield "Old Strip"', 52.3),
    ('Vineyard', 45.8),
    ('Observatory', 31.5),
    ('Salt works', 12.2),
    ('Équateur', 0.4),
]
START = datetime(2023, 1, 1)
READINGS = 288


def temperature(latitude: float, when: datetime) -> float:
    day = when.timetuple().tm_yday
    mean = 30.0 - 0.55 * latitude
    season = -0.18 * latitude * math.cos(2 * math.pi * (day - 20) / 365)
    hour = -4.0 * math.cos(2 * math.pi * (when.hour - 3) / 24)
    return mean + season + hour


def write(path: Path) -> None:
    with open(path, 'w', encoding='utf-8', newline='') as f:
        writer = csv.writer(f)
        writer.writerow(['station', 'latitude', 'time', 'temperature_c'])
        for i in range(READINGS):
            when = START + timedelta(hours=6 * i)
            for name, latitude in STATIONS:
                celsius = round(temperature(latitude, when), 2)
                writer.writerow([name, latitude, when.isoformat(), celsius])


if __name__ == '__main__':
    here = Path(__file__).with_name('computed_temperatures.csv')
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else here)

"""The CSV files that benchmarks read: three real ones from ../shared/data/bench, made longer."""

from __future__ import annotations

from pathlib import Path

from measure import Skipped, Suite

SHARED = Path(__file__).resolve().parents[2] / 'shared' / 'data' / 'bench'
THREE = ('nfl', 'worldcitiespop', 'gtfs-mbta-stop-times')


def original(name: str) -> bytes:
    source = SHARED / f'{name}.csv'
    if not source.exists():
        raise Skipped(f'no {name}.csv in ../shared/data/bench')
    return source.read_bytes()


def three(suite: Suite, name: str, mb: float | None = None) -> Path:
    """One of the three, repeated up to the suite's --mb."""
    return repeated(suite, name, original(name), suite.options.mb if mb is None else mb)


def repeated(suite: Suite, name: str, data: bytes, mb: float) -> Path:
    """The header once, then the other lines at least once, and again while there is room.

    It stays in the suite's folder while that runs.
    """
    path = suite.folder / f'{name}-{mb:g}.csv'
    if path.exists():
        return path
    header, rows = data.split(b'\n', 1)
    with open(path, 'wb') as f:
        f.write(header + b'\n' + rows)
        many = rows * max(1, 4_000_000 // len(rows))
        while f.tell() + len(many) <= mb * 1e6:
            f.write(many)
        while f.tell() + len(rows) <= mb * 1e6:
            f.write(rows)
    return path

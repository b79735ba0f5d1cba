"""A plan by 1,000 workers that share nothing but a file: what csv_scan() costs, and what a driver.

    python benchmarks/split_cluster.py [--workers 1000] [--mb 200] [--lost 20] [--processes 2]

Every worker is a task of a pool of processes.  It scans its range of a real file with csv_scan()
and sends the scan back as JSON; tasks come back in any order, and some die on the way and run
again.  The driver puts the scans together with csv_split(scans=...).  The plan must be the one that
a single reader of the whole file makes.  What is printed is what a cluster of that size has to
reckon with: see docs/scale.md.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import json
import random
import resource
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from generators import csv_scan, csv_split

READING: dict[str, Any] = {'header': True}


@dataclass
class Outcome:
    workers: int
    size: int
    lost: int = 0
    scanning: float = 0.0  # CPU seconds of all workers
    bytes_sent: int = 0
    planning: float = 0.0  # CPU seconds of the driver
    single: float = 0.0  # CPU seconds of one reader of the whole file
    parts: list[dict[str, Any]] = field(default_factory=list)


def write_file(path: Path, size: int) -> None:
    """Records of which a third has a quoted text of four lines."""
    chance = random.Random(1)
    lines = []
    for i in range(20_000):
        text = f'"first, line {i}\nsecond\n""third""\n"' if chance.random() < 1 / 3 else f'text {i}'
        lines.append(f'{i},{text},{chance.random():.6f},2024-02-{i % 28 + 1:02}\n')
    block = ''.join(lines).encode()
    with path.open('wb') as file:
        file.write(b'id,text,value,day\n')
        while file.tell() < size:
            file.write(block)


def work(path: str, start: int, stop: int, dies: bool) -> tuple[str, float]:
    """One task: the scan, as it goes over the wire, and the CPU seconds that it took."""
    began = time.process_time()
    scan = csv_scan(path, start, stop, **READING)
    if dies:
        raise ConnectionError('the worker is gone, and its scan with it')
    return json.dumps(scan), time.process_time() - began


def gather(
    pool: concurrent.futures.Executor, path: Path, ranges: list[tuple[int, int]], lost: set[int]
) -> dict[int, tuple[str, float]]:
    """The scans by the number of their range, in whatever order they come."""
    found: dict[int, tuple[str, float]] = {}
    order = list(range(len(ranges)))
    random.Random(2).shuffle(order)
    waiting = {pool.submit(work, str(path), *ranges[i], i in lost): i for i in order}
    while waiting:
        done, _ = concurrent.futures.wait(waiting, return_when='FIRST_COMPLETED')
        for task in done:
            i = waiting.pop(task)
            if isinstance(task.exception(), ConnectionError):
                waiting[pool.submit(work, str(path), *ranges[i], False)] = i
            else:
                found[i] = task.result()
    return found


def simulate(path: Path, workers: int, lost: int, processes: int) -> Outcome:
    size = path.stat().st_size
    step = -(-size // workers)
    ranges = [(start, min(start + step, size)) for start in range(0, size, step)]
    dying = set(random.Random(3).sample(range(len(ranges)), min(lost, len(ranges))))
    result = Outcome(len(ranges), size, lost=len(dying))
    with concurrent.futures.ProcessPoolExecutor(processes) as pool:
        found = gather(pool, path, ranges, dying)
    result.scanning = sum(seconds for _, seconds in found.values())
    result.bytes_sent = sum(len(text) for text, _ in found.values())
    began = time.process_time()
    scans = (json.loads(found[i][0]) for i in range(len(ranges)))
    result.parts = csv_split(path, scans=scans, **READING)
    result.planning = time.process_time() - began
    began = time.process_time()
    if csv_split(path, size=step, threads=1, **READING) != result.parts:
        raise AssertionError('the plans differ')
    result.single = time.process_time() - began
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--workers', type=int, default=1000)
    parser.add_argument('--mb', type=int, default=200)
    parser.add_argument('--lost', type=int, default=20, help='workers that die once')
    parser.add_argument('--processes', type=int, default=2, help='that play the workers')
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, 'data.csv')
        write_file(path, options.mb * 1_000_000)
        got = simulate(path, options.workers, options.lost, options.processes)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f'Python {sys.version.split()[0]}, {got.workers} workers, {got.lost} of them lost once')
    print(f'{got.size / 1e6:.0f} MB, {len(got.parts)} parts: the plan of a single reader')
    each = got.scanning / got.workers
    print(f'a scan: {each * 1e3:.2f} ms, {got.size / got.scanning / 1e9:.2f} GB/s a core')
    print(f'sent by a worker: {got.bytes_sent / got.workers:.0f} bytes of JSON')
    print(f'the driver: {got.planning / got.workers * 1e6:.0f} µs a scan, {memory:.0f} MB at most')
    print(f'a single reader: {got.size / got.single / 1e9:.2f} GB/s')


if __name__ == '__main__':
    main()

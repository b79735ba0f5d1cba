"""The question of stations.py, answered by Dask: on threads, processes, or a cluster.

    python stations_dask.py measurements.csv [--scheduler tcp://127.0.0.1:8786]

The file may have line ends inside quotes, with which Dask's own reader fails.  Its frame is in
parts, and each worker reads its part.
"""

import argparse
from typing import Any

from generators.dask import read_csv

BLOCKSIZE = '16 MiB'


def summarise(path: str, blocksize: str = BLOCKSIZE) -> Any:
    """A frame by station: least, greatest, sum and number, in tenths, which add up exactly."""
    frame = read_csv(
        path,
        blocksize=blocksize,
        columns=['station', 'temperature'],
        types={'temperature': float},
    )
    frame = frame.assign(tenths=(frame.temperature * 10).round().astype('int64'))
    return frame.groupby('station').tenths.agg(['min', 'max', 'sum', 'count']).compute()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file')
    parser.add_argument('--scheduler', help='the address of a cluster, where there is one')
    parser.add_argument('--blocksize', default=BLOCKSIZE)
    options = parser.parse_args()
    if options.scheduler:
        from distributed import Client

        Client(options.scheduler)
    found = summarise(options.file, options.blocksize).sort_index()
    for station, (least, greatest, total, count) in zip(found.index, found.values, strict=True):
        print(f'{station}: {least / 10:.1f} {total / count / 10:.1f} {greatest / 10:.1f}')


if __name__ == '__main__':
    main()

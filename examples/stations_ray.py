"""The question of stations.py, answered by Ray Data.

    python stations_ray.py measurements.csv [--address ray://127.0.0.1:10001]

The file may have line ends inside quotes, with which Ray's own reader fails.  Each task reads a
part of it and gives what it found of each station; what the tasks found is then put together.
"""

import argparse
from typing import Any

import pandas as pd
import ray

from generators.ray import read_csv

BLOCKSIZE = '16 MiB'


def partial(frame: pd.DataFrame) -> pd.DataFrame:
    """Least, greatest, sum and number of one block, in tenths, which add up exactly."""
    tenths = (frame.temperature * 10).round().astype('int64')
    found = tenths.groupby(frame.station).agg(['min', 'max', 'sum', 'count'])
    return found.reset_index()


def summarise(path: str, blocksize: str = BLOCKSIZE) -> Any:
    data = read_csv(
        path,
        blocksize=blocksize,
        columns=['station', 'temperature'],
        types={'temperature': float},
    )
    parts = data.map_batches(partial, batch_format='pandas', batch_size=None).to_pandas()
    return parts.groupby('station').agg({'min': 'min', 'max': 'max', 'sum': 'sum', 'count': 'sum'})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('file')
    parser.add_argument('--address', help='of a cluster, where there is one')
    parser.add_argument('--blocksize', default=BLOCKSIZE)
    options = parser.parse_args()
    ray.init(options.address, include_dashboard=False, log_to_driver=False, logging_level='ERROR')
    ray.data.DataContext.get_current().enable_progress_bars = False
    found = summarise(options.file, options.blocksize).sort_index()
    for station, (least, greatest, total, count) in zip(found.index, found.values, strict=True):
        print(f'{station}: {least / 10:.1f} {total / count / 10:.1f} {greatest / 10:.1f}')
    ray.shutdown()


if __name__ == '__main__':
    main()

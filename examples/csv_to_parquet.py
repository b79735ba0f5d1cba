"""A CSV file of any size as a Parquet file, in constant memory.

    python csv_to_parquet.py measurements.csv measurements.parquet

reads the records by column, some of them typed, and writes each batch before it reads the next.
Records that cannot be read are put aside, as they stood, in `measurements.csv.rejects`.  Without
arguments it makes such a file first.  pyarrow writes the file.
"""

import random
import sys
import tempfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet

from generators import CSVError, csv_batches

SCHEMA = pa.schema(
    [
        ('at', pa.timestamp('ms', 'UTC')),
        ('station', pa.dictionary(pa.int32(), pa.string())),
        ('celsius', pa.decimal128(5, 2)),
        ('checked', pa.date32()),
    ]
)


def convert(source: Path, target: Path, rejects: Path) -> tuple[int, int]:
    """Rows written, and records rejected."""
    with open(rejects, 'wb') as bad:

        def reject(error: CSVError, raw: bytes) -> None:
            bad.write(raw)

        # A column that the schema does not name, such as the remark, is a string.
        with csv_batches(source, schema=SCHEMA, null=['n/a'], on_error=reject) as batches:
            with parquet.ParquetWriter(target, pa.schema(batches)) as writer:
                for batch in batches:
                    writer.write_batch(pa.record_batch(batch))
            return batches.row_num, batches.errors


def make(path: Path, count: int) -> None:
    chance = random.Random(0)
    start = datetime(2024, 1, 1, tzinfo=UTC)
    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write('at,station,celsius,checked,remark\n')
        for i in range(count):
            at = start + timedelta(seconds=30 * i)
            celsius = 'n/a' if i % 50 == 7 else f'{chance.uniform(-20, 40):.2f}'
            checked = '' if i % 3 else date(2024, 2, 1 + i % 28)
            remark = '"snow, then ""rain"""' if i % 10 == 0 else ''
            if i % 10_000 == 9_999:
                celsius = 'broken'
            file.write(f'{at.isoformat()},station {i % 7},{celsius},{checked},{remark}\n')


def main(*arguments: str) -> None:
    if len(arguments) == 2:
        source, target = map(Path, arguments)
        run(source, target)
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, 'measurements.csv')
        make(source, 50_000)
        run(source, source.with_suffix('.parquet'))


def run(source: Path, target: Path) -> None:
    rejects = Path(f'{source}.rejects')
    rows, rejected = convert(source, target, rejects)
    smaller = source.stat().st_size / target.stat().st_size
    print(f'{rows} rows, {rejected} records in {rejects.name}, {smaller:.0f} times smaller')


if __name__ == '__main__':
    main(*sys.argv[1:])

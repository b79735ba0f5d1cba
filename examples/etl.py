"""A packed CSV file loaded into a database: the job that is written somewhere every day.

    python etl.py sales.csv.gz sales.db

reads typed rows, inserts them by the thousands in one transaction, shows how far it is, and
puts records that cannot be read aside, as they stood, in `sales.csv.gz.rejects`.  Without
arguments it makes such a file first, some of whose records are bad.
"""

import csv
import gzip
import io
import os
import random
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

from generators import CSVError, batched, csv_rows

CREATE = 'CREATE TABLE sales (id INTEGER PRIMARY KEY, day TEXT, shop TEXT, pieces INT, price REAL)'
INSERT = 'INSERT INTO sales VALUES (?, ?, ?, ?, ?)'
BATCH = 5000


def iso_day(text: str) -> str:
    """The day as the database keeps it; ValueError for what is none."""
    return date.fromisoformat(text).isoformat()


TYPES = {'id': int, 'day': iso_day, 'shop': str, 'pieces': int, 'price': float}


def load(
    source: Path,
    database: sqlite3.Connection,
    rejects: Path,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> tuple[int, int]:
    """Rows loaded, and records rejected."""
    total = os.path.getsize(source)
    with open(source, 'rb') as packed, gzip.open(packed) as file, open(rejects, 'wb') as bad:

        def reject(error: CSVError, raw: bytes) -> None:
            bad.write(raw)

        rows = csv_rows(
            file,
            into=tuple,
            columns=list(TYPES),  # the note in the file is not loaded
            types=TYPES,
            ragged='error',
            on_error=reject,
        )
        with database:
            database.execute('BEGIN')  # the table is made with its rows, or not at all
            database.execute(CREATE)
            for batch in batched(rows, BATCH):
                database.executemany(INSERT, batch)
                progress(packed.tell(), total)
        return rows.row_num, rows.errors


def make(path: Path, count: int = 50_000) -> None:
    """Sales, with a bad record now and then."""
    rand = random.Random(1)
    with gzip.open(path, 'wb') as packed, io.TextIOWrapper(packed, 'utf-8', newline='') as file:
        writer = csv.writer(file)
        writer.writerow(['id', 'note', *list(TYPES)[1:]])
        for i in range(count):
            day = date(2024, 1, 1) + timedelta(rand.randrange(366))
            row = [i, 'a "gift"', day, rand.choice(['Oslo', 'Ål, vest']), rand.randrange(1, 9), 9.5]
            if i % 9999 == 77:
                row[rand.choice([0, 2, 4])] = 'unknown'
            writer.writerow(row)


def show(done: int, total: int) -> None:
    print(f'\r{100 * done // total}%', end='\n' if done == total else '', file=sys.stderr)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 2:
            source, target = Path(sys.argv[1]), sys.argv[2]
        else:
            source, target = Path(folder, 'sales.csv.gz'), ':memory:'
            make(source)
        rejects = source.with_name(source.name + '.rejects')
        with closing(sqlite3.connect(target)) as database:
            loaded, bad = load(source, database, rejects, show)
            (worth,) = database.execute('SELECT sum(pieces * price) FROM sales').fetchone()
        print(f'{loaded} rows worth {worth:.2f}, and {bad} records in {rejects.name}')


if __name__ == '__main__':
    main()

"""A query exported to a CSV file, in constant memory, and read back unchanged.

    python export_query.py measurements.csv

makes a table of 20,000 measurements in a database, exports a query of it, reads the file back
and says that every row is the one that the query gave.
"""

import sqlite3
import sys
from collections.abc import Iterator

from generators import csv_encode, csv_rows

QUERY = 'select id, station, celsius, remark from measurements order by id'


def make_database() -> sqlite3.Connection:
    connection = sqlite3.connect(':memory:')
    connection.row_factory = sqlite3.Row  # rows that know their columns' names
    connection.execute(
        'create table measurements (id integer, station text, celsius real, remark text)'
    )
    remarks = ['', 'dry, "clear" sky', 'rain\nand wind', 'Schnee über Zürich', '=no formula']
    connection.executemany(
        'insert into measurements values (?, ?, ?, ?)',
        ((n, f'station {n % 7}', n * 0.1 - 40, remarks[n % 5]) for n in range(20_000)),
    )
    return connection


def export(connection: sqlite3.Connection, path: str) -> int:
    """Write the query's rows to a file; how many bytes that took.

    A web framework would be given `chunks` itself: Response(chunks, mimetype='text/csv').
    """
    chunks = csv_encode(connection.execute(QUERY), header=True)
    with open(path, 'wb') as f:
        return sum(f.write(chunk) for chunk in chunks)


def read_back(path: str) -> Iterator[tuple[int, str, float, str]]:
    rows = csv_rows(path, header=True)
    for number, station, celsius, remark in rows:
        yield int(number), station, float(celsius), remark


def main(path: str) -> None:
    connection = make_database()
    size = export(connection, path)
    count = 0
    for row, read in zip(connection.execute(QUERY), read_back(path), strict=True):
        assert tuple(row) == read
        count += 1
    connection.close()
    print(f'{count} rows in {size} bytes, all of them unchanged')


if __name__ == '__main__':
    main(sys.argv[1])

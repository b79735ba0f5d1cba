"""A CSV file of any size as a table of SQLite, in constant memory.

    python csv_to_sqlite.py orders.csv orders.db orders

reads the file twice: once to find out the type of each column, right for every record, and once
to load it.  Without arguments it makes such a file first.
"""

import random
import sqlite3
import sys
import tempfile
from contextlib import closing
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

from generators import CSVSchema, batched, csv_rows, csv_schema

AS_TEXT = {'date', 'time', 'datetime', 'decimal'}  # which SQLite has no type for


def load(source: Path, database: sqlite3.Connection, table: str) -> CSVSchema:
    schema = csv_schema(source)
    database.execute(schema.sql('sqlite', table))
    # What SQLite keeps as text needs no conversion, and is checked already.
    types = {
        key: str if column.type_name in AS_TEXT else kind
        for (key, kind), column in zip(schema.types.items(), schema, strict=True)
    }
    width = len(schema)
    name = table.replace('"', '""')
    insert = f'INSERT INTO "{name}" VALUES ({", ".join("?" * width)})'

    def complete(row: list[Any]) -> list[Any]:
        """With null for what is missing, and for empty text."""
        values = [None if value == '' else value for value in row[:width]]
        return values + [None] * (width - len(values))

    with csv_rows(source, types=types, header=True) as rows:
        for some in batched(rows, 1000):
            database.executemany(insert, map(complete, some))
    database.commit()
    return schema


def make(path: Path, count: int) -> None:
    chance = random.Random(0)
    with open(path, 'w', encoding='utf-8', newline='') as file:
        file.write('order,customer,day,price,paid,remark\n')
        for i in range(count):
            day = date(2024, 1, 1) + timedelta(days=i % 366)
            price = f'{chance.uniform(1, 500):.2f}' if i != count - 1 else ''
            remark = '"late, again"' if i % 10 == 0 else ''
            customer = chance.choice(['Ann', 'Bob', 'Zoë'])
            file.write(f'{i},{customer},{day},{price},{"yes" if i % 3 else "no"},{remark}\n')


def run(source: Path, target: Path, table: str) -> None:
    with closing(sqlite3.connect(target)) as database:
        print(load(source, database, table))
        name = table.replace('"', '""')
        (count,) = chain.from_iterable(database.execute(f'SELECT count(*) FROM "{name}"'))
        print(f'{count} rows in {table}')


def main(*arguments: str) -> None:
    if len(arguments) == 3:
        run(Path(arguments[0]), Path(arguments[1]), arguments[2])
        return
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, 'orders.csv')
        make(source, 20_000)
        run(source, Path(folder, 'orders.db'), 'orders')


if __name__ == '__main__':
    main(*sys.argv[1:])

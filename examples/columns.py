"""One CSV file in duckdb, polars and pandas, and a table as a download.

    python columns.py cities.csv

asks each of the three which country has the most people, of batches that it takes without a copy;
those that are not installed are left out.  `python -m flask --app columns run` serves the answer
of duckdb, which comes as Arrow data, as a CSV download of `cities.csv`, or of the file that
`CITIES` names: /countries.csv.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from generators import csv_batches, csv_encode

TYPES = {'population': int}


def by_duckdb(path: str) -> Any:
    import duckdb

    batches = csv_batches(path, types=TYPES)  # noqa: F841 - duckdb finds it by its name
    return duckdb.sql(
        'select country, sum(population)::bigint as people from batches '
        'group by country order by people desc, country'
    )


def by_polars(path: str) -> Any:
    import polars as pl

    frame = pl.DataFrame(csv_batches(path, types=TYPES))
    people = pl.col('population').sum().alias('people')
    return (
        frame.group_by('country').agg(people).sort(['people', 'country'], descending=[True, False])
    )


def by_pandas(path: str) -> Any:
    import pandas as pd
    import pyarrow as pa

    batches = csv_batches(path, types=TYPES)
    # Since pandas 3 without pyarrow: pd.DataFrame.from_arrow(batches)
    frame: pd.DataFrame = pa.table(batches).to_pandas()
    people = frame.groupby('country', as_index=False)['population'].sum()
    people = people.rename(columns={'population': 'people'})
    people = people.sort_values(['people', 'country'], ascending=[False, True])
    return people.reset_index(drop=True)  # the index would be a column


WAYS: dict[str, Callable[[str], Any]] = {
    'duckdb': by_duckdb,
    'polars': by_polars,
    'pandas': by_pandas,
}


def as_csv(answer: Any) -> bytes:
    """Anything that is Arrow data as CSV text."""
    return b''.join(csv_encode(answer, lineterminator='\n'))


def create_app() -> Any:
    from flask import Flask, Response

    app = Flask(__name__)

    @app.get('/countries.csv')
    def countries() -> Response:
        answer = by_duckdb(os.environ.get('CITIES', 'cities.csv'))
        chunks = csv_encode(answer, escape_formulas=True)
        return Response(chunks.prime(), mimetype='text/csv')

    return app


def main(path: str) -> None:
    for name, ask in WAYS.items():
        try:
            text = as_csv(ask(path)).decode()
        except ModuleNotFoundError as error:
            print(f'{name}: {error.name} is not installed')
            continue
        _, first, *_ = text.splitlines()
        print(f'{name}: {first}')


if __name__ == '__main__':
    main(sys.argv[1])

"""A Flask service that streams: texts in chunks, and a database query as a CSV download.

    python article_001_flask.py
    curl http://localhost:5000/stream
    curl -OJ http://localhost:5000/measurements.csv

makes a database of a million measurements, measurements.db (or $MEASUREMENTS), where there is
none, and serves it with Flask's own server.  To serve it well:

    gunicorn --worker-class gthread --threads 16 article_001_flask:app
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from flask import Flask, Response

from generators import chunked, csv_encode

DATABASE = os.environ.get('MEASUREMENTS', 'measurements.db')
COLUMNS = ['id', 'station', 'celsius', 'remark']
QUERY = """
    select id, station, celsius, json_extract(details, '$.remark') from measurements order by id
"""

app = Flask(__name__)


def generate() -> Iterator[str]:
    for i in range(10):
        yield f'Data Chunk {i}\n'


@app.route('/stream')
def stream() -> Response:
    return Response(chunked(generate()), mimetype='text/plain')


def measurements() -> Iterator[tuple[object, ...]]:
    """The connection is closed with the stream: at its end, or when the client leaves."""
    with closing(sqlite3.connect(f'file:{DATABASE}?mode=ro', uri=True)) as connection:
        yield from connection.execute(QUERY)


@app.route('/measurements.csv')
def export() -> Response:
    chunks = csv_encode(measurements(), header=COLUMNS)
    # With its first rows made here, a query that fails is a 500.  One that fails later breaks the
    # download off, which the client sees.
    chunks.prime()
    headers = {'Content-Disposition': 'attachment; filename="measurements.csv"'}
    return Response(chunks, mimetype='text/csv', headers=headers)


def make_database(path: str, count: int = 1_000_000) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            'create table measurements (id integer primary key, station, celsius, details)'
        )
        connection.execute(
            """
            with recursive numbers(n) as (select 1 union all select n + 1 from numbers limit ?)
            insert into measurements
            select n, 'station ' || n % 7, n % 1000 / 10.0 - 40,
                   case n % 5 when 0 then '{"remark": "dry, \\"clear\\" sky"}'
                              when 1 then '{"remark": "Schnee über Zürich"}' else '{}' end
            from numbers
            """,
            [count],
        )


if __name__ == '__main__':
    if not os.path.exists(DATABASE):
        make_database(DATABASE)
    app.run()

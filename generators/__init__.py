"""Fast native generator types: rows out of files, pieces into responses, events, calls."""

from generators._native import (
    FLUSH,
    CSVError,
    CSVRow,
    Dispatcher,
    ErrorEvent,
    Event,
    abatched,
    achunked,
    acsv_encode,
    batched,
    chunked,
    csv_encode,
    csv_rows,
    drive,
    task,
    to_sync,
)

__all__ = [
    'FLUSH',
    'CSVError',
    'CSVRow',
    'Dispatcher',
    'ErrorEvent',
    'Event',
    'abatched',
    'achunked',
    'acsv_encode',
    'batched',
    'chunked',
    'csv_encode',
    'csv_rows',
    'drive',
    'task',
    'to_sync',
]

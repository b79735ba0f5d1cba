"""Fast native generator types: rows out of files, pieces into responses, events, calls."""

from generators._native import (
    FLUSH,
    CSVError,
    CSVRow,
    Dispatcher,
    ErrorEvent,
    Event,
    batched,
    chunked,
    csv_encode,
    csv_rows,
    drive,
    map_threads,
    task,
    to_async,
    to_sync,
)

__all__ = [
    'FLUSH',
    'CSVError',
    'CSVRow',
    'Dispatcher',
    'ErrorEvent',
    'Event',
    'batched',
    'chunked',
    'csv_encode',
    'csv_rows',
    'drive',
    'map_threads',
    'task',
    'to_async',
    'to_sync',
]

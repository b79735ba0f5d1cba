"""Fast native generator types: rows out of files, pieces into responses, events, calls."""

from generators._native import CSVError, csv_rows

__all__ = ['CSVError', 'csv_rows']

"""Fast native generator types: rows out of files, pieces into responses, events, calls."""

from generators._native import CSVError, CSVRow, csv_rows

__all__ = ['CSVError', 'CSVRow', 'csv_rows']

"""What `jsonl_encode` writes rows with: compact JSON, where a row that has names is an object."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from native_generators._native import CSVRow

__all__ = ['dumps']


def has_names(row: CSVRow[Any]) -> bool:
    try:
        row.keys()
    except TypeError:  # it was read without a header
        return False
    return True


def by_name(row: Any) -> Any:
    """A row that has names as a dict.  As in `csv_encode`, that is a mapping, a dataclass, a
    NamedTuple, or the row of a database: a sequence with `_fields` or `keys()`."""
    names = getattr(row, '_fields', None)
    if names is not None and isinstance(row, Sequence):
        return dict(zip(names, row, strict=True))
    if is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in fields(row)}
    if isinstance(row, Mapping):
        return dict(row)
    if isinstance(row, CSVRow) and not has_names(row):
        return list(row)
    if not isinstance(row, type) and callable(getattr(row, 'keys', None)):
        return dict(zip(row.keys(), row, strict=True))
    raise TypeError(f'Object of type {type(row).__name__} is not JSON serializable')


encode = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=by_name
).encode


def dumps(row: Any) -> str:
    # A NamedTuple is a tuple, which JSON has as an array.
    return encode(by_name(row) if isinstance(row, tuple) and hasattr(row, '_fields') else row)

"""Rows of arrays and of frames, for csv_encode, where C has no interface to them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

__all__ = ['array', 'frame']

_CELLS = 65536  # that are Python objects at once


def array(table: Any) -> tuple[Iterable[Any], tuple[str, ...] | None]:
    """The rows of an array of numpy, and the names of its fields, if it has them."""
    names = getattr(table.dtype, 'names', None)
    if table.ndim == 2 or (table.ndim == 1 and names):
        return _array_rows(table, names), names
    if table.ndim == 1 and getattr(table.dtype, 'kind', 'O') == 'O':
        return table, None  # of rows
    dimensions = 'dimension' if table.ndim == 1 else 'dimensions'
    raise TypeError(f'rows must be an array of two dimensions, not of {table.ndim} {dimensions}')


def _array_rows(table: Any, names: tuple[str, ...] | None) -> Iterator[Any]:
    types = [table.dtype[name] for name in names] if names else [table.dtype]
    if hasattr(table, 'mask') or all(map(_is_plain, types)):
        step = max(1, _CELLS // max(1, len(names) if names else table.shape[1]))
        blocks = (table[i : i + step].tolist() for i in range(0, len(table), step))
        return chain.from_iterable(blocks)
    return iter(table) if names else (row.flat for row in table)


def _is_plain(dtype: Any) -> bool:
    """Whether str() of Python's values is that of the array's."""
    kind = getattr(dtype, 'kind', 'O')
    if kind in 'fc':
        return bool(dtype.itemsize == (8 if kind == 'f' else 16))
    return kind in 'biuSUO'


def frame(table: Any) -> tuple[Iterable[Any], tuple[Any, ...]]:
    """The rows of a frame of pandas, and the names of its columns. As in Arrow data, an index
    that has a name is the last column."""
    columns = list(table.columns)
    index = getattr(table, 'index', None)
    named = [name for name in getattr(index, 'names', ()) if name is not None]
    if named:
        columns += named
        table = table.reset_index(named)[columns]
    return table.itertuples(index=False, name=None), tuple(columns)

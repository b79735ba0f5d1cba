"""Other projects' test files as batches, in every cut and under many dialects: as rows."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip('pyarrow')

from generators import csv_batches

from . import oracle
from .batches import check_batches
from .strategies import cut
from .test_files import DATA, DIALECTS, ENCODINGS, LARGE, NAMES, SMALL, content

pytestmark = pytest.mark.skipif(not NAMES, reason='no ../shared/data beside the repository')

NUMERIC = (oracle.QUOTE_NONNUMERIC, oracle.QUOTE_STRINGS)


def arguments_of(raw: bytes, **dialect: Any) -> dict[str, Any]:
    """Under these dialects csv_rows() makes numbers of what no type is given to."""
    if dialect.get('quoting') not in NUMERIC:
        return dialect
    return dialect | {'types': dict.fromkeys(range(2000), str), 'ragged': 'error'}


@pytest.mark.parametrize('ragged', ['error', 'pad'])
@pytest.mark.parametrize('name', SMALL)
def test_every_cut(name: str, ragged: str) -> None:
    raw = content(name)
    read = check_batches(csv_batches, lambda: raw, header=False, ragged=ragged)
    for size in (1, 3, 17, 64, 129):
        pieces = cut(raw, size)
        came = check_batches(
            csv_batches, lambda: iter(pieces), (7,), items='chunks', header=False, ragged=ragged
        )
        assert came.rows == read.rows

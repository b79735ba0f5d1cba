"""Columns of 2 GiB of text.  They need some 8 GB of memory: run by GENERATORS_TESTS=huge."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from generators import CSVError, csv_batches

pytestmark = [
    pytest.mark.skipif(os.environ.get('GENERATORS_TESTS') != 'huge', reason='needs much memory'),
    pytest.mark.timeout(600),
]

FIELD = b'x' * (1 << 20)
LIMIT = 2**31 - 1


def lines(count: int) -> Iterator[bytes]:
    yield b'a,b\n'
    for _ in range(count):
        yield FIELD
        yield b',1\n'


@pytest.mark.parametrize('threads', [1, 2])
def test_a_batch_ends_where_a_column_is_full(threads: int) -> None:
    stream: Any = csv_batches(lines(2100), rows=10**6, max_field=None, threads=threads)
    sizes = [len(batch) for batch in stream]
    assert sizes == [LIMIT // len(FIELD), 2100 - LIMIT // len(FIELD)]


def test_a_field_that_no_batch_can_hold_is_an_error_of_its_record() -> None:
    def source() -> Iterator[bytes]:
        yield b'a\nfirst\n'
        for _ in range(2049):
            yield FIELD
        yield b'\nlast\n'

    limits: dict[str, Any] = {'max_field': None, 'max_record': None}
    stream = csv_batches(source(), **limits)
    assert len(next(stream)) == 1
    with pytest.raises(CSVError, match='large_string would do') as caught:
        next(stream)
    assert caught.value.record == 3
    # A batch ends before the record that does not fit into it.
    assert [len(batch) for batch in csv_batches(source(), on_error='skip', **limits)] == [1, 1]

"""The plain statement of the writer, held against ``csv`` where that is the rule itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from .oracle import RUNNING_CSV_IS_THE_RULE
from .oracle_writer import write
from .rows import dialects_and_rows


@pytest.mark.skipif(not RUNNING_CSV_IS_THE_RULE, reason='csv of 3.13 or newer is the rule')
@given(dialects_and_rows())
def test_plain_statement(drawn: tuple[dict[str, Any], list[list[Any]]]) -> None:
    dialect, rows = drawn
    assert write(rows, plainly=True, **dialect) == write(rows, **dialect)

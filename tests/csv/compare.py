"""``csv_rows`` held against an outcome of the oracle."""

from __future__ import annotations

import csv
from collections.abc import Callable
from typing import Any

from .oracle import Outcome, exact

CsvRows = Callable[..., Any]


def check(csv_rows: CsvRows, source: Any, expected: Outcome, **arguments: Any) -> None:
    """Read ``source`` to its end, or its first error, and compare all there is to see."""
    rows: list[Any] = []
    line_nums: list[int] = []
    error: Exception | None = None
    stream = csv_rows(source, **arguments)
    try:
        for row in stream:
            rows.append(row)
            line_nums.append(stream.line_num)
    except ValueError as caught:
        error = caught

    quoting = arguments.get('quoting', csv.QUOTE_MINIMAL)
    expected_rows = expected.rows
    if arguments.get('into') is tuple:
        expected_rows = [tuple(row) for row in expected_rows]
    assert exact(rows, quoting) == exact(expected_rows, quoting)
    assert line_nums == expected.line_nums
    assert_same_error(error, expected.error)
    # Whichever way it ended, it has ended.
    assert next(stream, None) is None


def assert_same_error(error: Exception | None, expected: type[Exception] | None) -> None:
    if expected is None:
        if error is not None:
            raise AssertionError('an error where the rule has none') from error
        return
    assert error is not None, f'no error where the rule has {expected.__name__}'
    # Every CSVError is both: who catches csv.Error of csv.reader catches this one, too.
    assert isinstance(error, ValueError)
    if issubclass(expected, csv.Error):
        assert isinstance(error, csv.Error)
    if issubclass(expected, UnicodeError):
        assert isinstance(error, csv.Error)
        assert isinstance(error.__cause__, UnicodeError)

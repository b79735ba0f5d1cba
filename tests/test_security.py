"""SECURITY.md names a test for each of its promises."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_what_holds_each_promise_is_there() -> None:
    rows = re.findall(r'^\| \*\*.*\|(.*)\|$', (ROOT / 'SECURITY.md').read_text('utf-8'), re.M)
    assert len(rows) > 10
    for row in rows:
        paths = re.findall(r'`((?:tests|benchmarks|src)[^`]*)`', row)
        assert paths, row
        assert [path for path in paths if not (ROOT / path).exists()] == []

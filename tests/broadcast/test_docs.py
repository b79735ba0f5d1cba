"""The example of docs/broadcast.md runs as it stands."""

import contextlib
import io
import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / 'docs' / 'broadcast.md'
EXAMPLES = re.findall(r'^```python\n(.*?)^```$', DOCUMENT.read_text('utf-8'), re.M | re.S)


def test_everyone_hears_each_price() -> None:
    (example,) = EXAMPLES
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(example, 'docs/broadcast.md', 'exec'), {})
    said = printed.getvalue().splitlines()
    for name in ('Ann', 'Bob'):
        heard = [line for line in said if line.startswith(name)]
        assert heard == [f'{name} {price}' for price in (101, 102, 103)]

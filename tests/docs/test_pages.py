"""The examples of the site's own pages run as they stand, and print what stands below them.

The guides, which are older, have tests in the rooms that they are about.
"""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / 'docs'
if not DOCS.exists():
    pytest.skip('docs/ is not beside the tests', allow_module_level=True)
PAGES = [
    *(DOCS / f'{name}.md' for name in ('index', 'quickstart', 'tour', 'chunks', 'bridges')),
    *sorted(DOCS.glob('concepts/*.md')),
    *sorted(DOCS.glob('migrating/*.md')),
]
CITIES = 'Name,Population\nReykjavík,139875\n"Washington, D.C.",678972\n'
EXAMPLE = re.compile(r'^```python\n(.*?)^```\n\n```text\n(.*?)^```$', re.M | re.S)
PEERS = (
    'aiostream', 'blinker', 'httpx', 'httpx_sse', 'pandas', 'pyarrow', 'pyee', 'sse_starlette',
    'starlette', 'tornado',
)  # fmt: skip


def examples() -> list[object]:
    found = []
    for page in PAGES:
        for number, (code, printed) in enumerate(EXAMPLE.findall(page.read_text('utf-8'))):
            name = f'{page.relative_to(DOCS).with_suffix("")}-{number}'
            found.append(pytest.param(code, printed, id=name))
    return found


@pytest.mark.parametrize(('code', 'printed'), examples())
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_example_prints_what_stands_below_it(
    code: str, printed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for peer in PEERS:
        imported = re.search(rf'^(import|from) {peer}\b', code, re.M)
        if imported and importlib.util.find_spec(peer) is None:
            pytest.skip(f'{peer} is not installed')
    (tmp_path / 'cities.csv').write_text(CITIES, 'utf-8')
    monkeypatch.chdir(tmp_path)
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, 'docs', 'exec'), {'__name__': 'example'})
    assert output.getvalue().replace('\r\n', '\n') == printed


def test_each_example_has_its_output() -> None:
    for page in PAGES:
        text = page.read_text('utf-8')
        assert text.count('```python\n') == len(EXAMPLE.findall(text)), page.name


def test_each_migration_shows_both_sides() -> None:
    for page in DOCS.glob('migrating/*.md'):
        codes = [code for code, _ in EXAMPLE.findall(page.read_text('utf-8'))]
        ours = [re.search(r'^from generators import', code, re.M) for code in codes]
        assert any(ours), page.name
        assert not all(ours), page.name

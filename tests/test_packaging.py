"""What pyproject.toml, constraints.txt and CHANGES.md say together."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
if not (ROOT / 'constraints.txt').exists():
    pytest.skip('the checkout is not beside the tests', allow_module_level=True)
packaging = pytest.importorskip('packaging.requirements')
PROJECT: dict[str, Any] = tomllib.loads((ROOT / 'pyproject.toml').read_text('utf-8'))


def normal(name: str) -> str:
    return re.sub(r'[-_.]+', '-', name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / 'constraints.txt').read_text('utf-8').splitlines()
    return dict(line.split('==') for line in lines if not line.startswith('#'))


def requirements() -> Iterator[Any]:
    groups = [*PROJECT['dependency-groups'].values()]
    groups += [*PROJECT['project']['optional-dependencies'].values()]
    for group in groups:
        yield from (packaging.Requirement(item) for item in group if isinstance(item, str))


def test_each_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    versions = pins()
    for requirement in requirements():
        version = versions.get(normal(requirement.name))
        assert version is not None, f'{requirement} is not in constraints.txt: tools/constraints'
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_each_pin_is_written_as_pip_writes_it() -> None:
    versions = pins()
    assert list(versions) == sorted(map(normal, versions))


def test_changes_come_in_sections() -> None:
    text = (ROOT / 'CHANGES.md').read_text('utf-8')
    for release in re.split(r'^## ', text, flags=re.M)[1:]:
        title, _, body = release.partition('\n')
        sections = re.split(r'^### ', body, flags=re.M)
        assert sections[0].strip() == '', f'{title}: what is in no section'
        for section in sections[1:]:
            name, _, items = section.partition('\n')
            assert name in {'Added', 'Changed', 'Deprecated', 'Removed', 'Fixed', 'Security'}
            assert re.fullmatch(r'\n(- .*\n)+\n?', items), f'{title}, {name}'

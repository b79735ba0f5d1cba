"""The reference has every public name, and the whole of every docstring."""

import importlib.util
import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import generators
from native_generators import SUBMODULES

DOCS = Path(__file__).parents[2] / 'docs'
if not DOCS.exists():
    pytest.skip('docs/ is not beside the tests', allow_module_level=True)
TEXT = ''.join(page.read_text('utf-8') for page in sorted(DOCS.glob('reference/*.md')))


def docstrings_module() -> ModuleType:
    spec = importlib.util.spec_from_file_location('docstrings', DOCS / 'docstrings.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


restructured = docstrings_module().restructured


def documented() -> Iterator[tuple[str, object]]:
    for name in generators.__all__:
        thing = getattr(generators, name)
        yield name, thing
        if isinstance(thing, type):
            for member in vars(thing):
                if not member.startswith('_'):
                    yield f'{name}.{member}', inspect.getattr_static(thing, member)


@pytest.mark.parametrize('name', generators.__all__)
def test_each_public_name_is_in_the_reference(name: str) -> None:
    assert re.search(rf'^.. auto(class|function|data):: generators\.{name}$', TEXT, re.M)


@pytest.mark.parametrize('name', sorted(SUBMODULES))
def test_each_public_module_is_in_the_reference(name: str) -> None:
    assert re.search(rf'^.. auto\w+:: generators\.{name}\b', TEXT, re.M)


@pytest.mark.parametrize(('name', 'thing'), list(documented()))
def test_no_word_of_a_docstring_is_lost(name: str, thing: object) -> None:
    text = inspect.getdoc(thing) or ''
    made = '\n'.join(restructured(text.split('\n')))
    for word in re.findall(r'\w+', text.replace('_', ' ')):
        assert word in made, word


def test_the_forms_of_docstrings() -> None:
    text = 'Gives `x`.  *args_\n\nsize is the\n    length\nsource is one of\n    a;\n    b.'
    assert restructured(text.split('\n'), {'size', 'source'}) == [
        'Gives ``x``.  \\*args\\_',
        '',
        '- ``size`` is the length',
        '- ``source`` is one of',
        '',
        '  - a;',
        '  - b.',
        '',
        '',
    ]
    table = ['    path    of the file', '    line    counted', '            from 1']
    assert restructured(table) == ['- ``path``: of the file', '- ``line``: counted from 1', '']
    assert restructured(['>>> f(*a)', 'b_']) == ['>>> f(*a)', 'b_', '']

"""The reference has every public name, and the whole of every docstring."""

import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import generators
import native_generators
from native_generators import SUBMODULES

DOCS = Path(__file__).parents[2] / 'docs'
if not DOCS.exists():
    pytest.skip('docs/ is not beside the tests', allow_module_level=True)
TEXT = ''.join(page.read_text('utf-8') for page in sorted(DOCS.glob('reference/*.md')))


def module_of_docs(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f'{name}.py')
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where dataclasses looks for it
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


restructured = module_of_docs('docstrings').restructured
SOURCE = module_of_docs('signatures').Source(Path(native_generators.__file__).parent)
# They are not called, but by the package itself.
NOT_CALLED = {'AsyncStream', 'CSVBatch', 'CSVError', 'DataError', 'Handler', 'Stream'}


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


def typed() -> Iterator[tuple[str, object]]:
    yield from documented()
    for module, names in {
        'csv': ('reader', 'writer', 'DictReader', 'DictWriter'),
        'convert': ('number', 'integer', 'decimal', 'boolean', 'date_format'),
    }.items():
        for name in names:
            yield f'{module}.{name}', getattr(getattr(generators, module), name)
    for name in ('dask.read_csv', 'dask.read_rows', 'ray.read_csv'):
        yield name, None  # the engine need not be here


@pytest.mark.parametrize(('name', 'thing'), list(typed()))
def test_each_name_has_its_types(name: str, thing: object) -> None:
    shown = SOURCE.shown_of(f'generators.{name}', thing)
    if shown is None:
        assert name in NOT_CALLED or SOURCE.type_of(f'generators.{name}')
        return
    for signature in shown.signatures:
        text = signature.text()
        assert not re.search(r'\b_[A-Za-z]', text), text
        for parameter in signature.parameters:
            assert parameter.annotation is not None, text
        if not isinstance(thing, type):
            assert signature.result is not None, text


@pytest.mark.parametrize(('name', 'thing'), list(typed()))
def test_a_signature_has_the_parameters_and_defaults_of_the_object(
    name: str, thing: object
) -> None:
    shown = SOURCE.shown_of(f'generators.{name}', thing)
    if shown is None or len(shown.signatures) != 1 or not callable(thing):
        return
    actual = inspect.signature(thing).parameters.values()
    if any(one.kind is one.VAR_KEYWORD for one in actual):
        return  # the source tells them apart
    given = {one.name: one.default for one in shown.signatures[0].parameters}
    assert list(given) == [one.name for one in actual if one.name != 'self']
    for one in actual:
        if one.default not in {one.empty, ...}:
            assert given[one.name] == repr(one.default)


def test_a_name_that_only_signatures_have_has_its_place() -> None:
    text = '\n'.join(SOURCE.described())
    for name in ('Reads', 'AsyncReads', 'Writes', 'ArrowSchema', 'CSVColumn', 'Subscriber'):
        assert f'.. py:class:: {name}\n' in text
    assert '.. py:method:: read(n: int, /) -> Coroutine[Any, Any, Any]' in text


def test_short_overloads_stand_each_on_a_line() -> None:
    shown = SOURCE.shown_of('generators.CSVRow.get')
    assert [one.text() for one in shown.signatures] == [
        '(name: str, default: None = None, /) -> V | None',
        '(name: str, default: T, /) -> V | T',
    ]


def test_long_overloads_are_one_signature_and_what_each_makes() -> None:
    shown = SOURCE.shown_of('generators.csv_rows')
    assert len(shown.signatures) == 1
    assert ('into=dict, types=None', 'csv_rows[dict[str, str]]') in shown.results
    assert ('into: Callable[..., T]', 'csv_rows[T]') in shown.results
    assert len(shown.results) == 10
    shown = SOURCE.shown_of('generators.amap')
    assert ', pairs: bool = False, ' in shown.signatures[0].text()
    assert ('return_exceptions=False, pairs=True', 'amap[tuple[T, R]]') in shown.results


def test_an_attribute_of_a_base_has_its_type() -> None:
    assert SOURCE.type_of('generators.CSVError.record') == 'int | None'
    assert SOURCE.type_of('generators.CSVError.column') == 'str | int | None'

"""tools/stub.py, which makes the stub of a wheel."""

import ast
import importlib.util
import inspect
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import native_generators
from native_generators import _native

TOOL = Path(__file__).parents[1] / 'tools' / 'stub.py'
pytestmark = pytest.mark.skipif(not TOOL.exists(), reason='tools/ is not beside the tests')


def load_tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location('stub_tool', TOOL)
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool


@pytest.fixture(scope='module')
def stub() -> ast.Module:
    # The stub that stands beside the tool; an installed one has been through it.
    source = TOOL.parents[1] / 'src' / 'native_generators' / '_native.pyi'
    if not source.exists():
        source = Path(native_generators.__file__).parent / '_native.pyi'
    return ast.parse(load_tool().written(source.read_text('utf-8'), _native))


def classes(stub: ast.Module) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in stub.body if isinstance(node, ast.ClassDef)}


def test_every_public_type_has_its_docstring(stub: ast.Module) -> None:
    for name in native_generators.__all__:
        runtime = getattr(native_generators, name)
        if isinstance(runtime, type) and hasattr(_native, name):
            assert ast.get_docstring(classes(stub)[name]) == inspect.getdoc(runtime), name


def test_methods_and_attributes_have_theirs(stub: ast.Module) -> None:
    def docstring(kind: str, name: str) -> Any:
        nodes = [n for n in classes(stub)[kind].body if getattr(n, 'name', None) == name]
        return ast.get_docstring(nodes[0])  # type: ignore[arg-type, union-attr]

    assert docstring('csv_rows', 'checkpoint') == inspect.getdoc(_native.csv_rows.checkpoint)
    assert docstring('csv_rows', 'line_num') == inspect.getdoc(_native.csv_rows.line_num)
    assert docstring('Stream', 'prime') == inspect.getdoc(_native.lines.prime)
    assert docstring('Dispatcher', 'on') == inspect.getdoc(_native.Dispatcher.on)


def test_every_overload_spells_its_keywords_out(stub: ast.Module) -> None:
    keywords = set(inspect.signature(_native.csv_rows).parameters) - {'source'}
    for node in classes(stub)['csv_rows'].body:
        if isinstance(node, ast.FunctionDef) and node.name == '__new__':
            assert node.args.kwarg is None
            assert {argument.arg for argument in node.args.kwonlyargs} == keywords


def test_text_that_would_end_a_docstring_is_escaped() -> None:
    class Kind:
        __doc__ = 'A """quote""" and a \\ and "one"'

    module = ModuleType('module')
    module.Kind = Kind  # type: ignore[attr-defined]
    text = load_tool().written('class Kind:\n    x: int\n', module)
    assert ast.get_docstring(ast.parse(text).body[0]).strip() == Kind.__doc__  # type: ignore[arg-type, union-attr]

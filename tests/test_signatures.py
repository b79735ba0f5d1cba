"""What inspect.signature() reads of every public callable, and what the stub says of it.

The two name the same parameters, of the same kinds, with the same defaults.  `stubtest` compares
less: of overloads, no defaults.
"""

import ast
import inspect
import types
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import native_generators
from native_generators import _native, csv

STUB = ast.parse((Path(native_generators.__file__).parent / '_native.pyi').read_text('utf-8'))
CLASSES = {node.name: node for node in STUB.body if isinstance(node, ast.ClassDef)}
FORMATTING = {
    'delimiter', 'quotechar', 'escapechar', 'doublequote', 'skipinitialspace',
    'lineterminator', 'quoting', 'strict',
}  # fmt: skip

Kind = inspect._ParameterKind
Parameters = dict[str, inspect.Parameter]
NATIVE = [name for name in CLASSES if isinstance(getattr(_native, name, None), type)]
PUBLIC = [
    getattr(native_generators, name)
    for name in native_generators.__all__
    if callable(getattr(native_generators, name))
] + [csv.reader, csv.writer, csv.DictReader, csv.DictWriter]


def default_of(node: ast.expr | None) -> Any:
    return inspect.Parameter.empty if node is None else ast.literal_eval(node)


def of_a_definition(node: ast.FunctionDef, overloaded: bool = False) -> Parameters:
    """The parameters in the stub, without self or cls; of an overload, without the keywords that
    the first one spells out.
    """
    arguments = node.args
    found = {}

    def add(argument: ast.arg, kind: Kind, default: ast.expr | None = None) -> None:
        found[argument.arg] = inspect.Parameter(argument.arg, kind, default=default_of(default))

    before = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(before) - len(arguments.defaults)) + arguments.defaults
    for index, (argument, default) in enumerate(zip(before, defaults, strict=True)):
        positional = index < len(arguments.posonlyargs)
        kind = Kind.POSITIONAL_ONLY if positional else Kind.POSITIONAL_OR_KEYWORD
        add(argument, kind, default)
    if arguments.vararg is not None:
        add(arguments.vararg, Kind.VAR_POSITIONAL)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        add(argument, Kind.KEYWORD_ONLY, default)
    if arguments.kwarg is not None:
        annotation = ast.unparse(arguments.kwarg.annotation or ast.Constant(''))
        if not overloaded or 'Unpack' not in annotation:
            add(arguments.kwarg, Kind.VAR_KEYWORD)
    if not any(ast.unparse(item) == 'staticmethod' for item in node.decorator_list):
        del found[before[0].arg]
    return found


def of_definitions(nodes: list[ast.FunctionDef]) -> Parameters:
    """What the overloads of one function say together.  A parameter that one of them has a default
    for has that default; one that not all of them have is `...` where it is not given.
    """
    every = [of_a_definition(node, len(nodes) > 1) for node in nodes]
    found: Parameters = {}
    for parameters in every:
        for name, parameter in parameters.items():
            if name not in found or found[name].default is inspect.Parameter.empty:
                found[name] = parameter
    for name, parameter in found.items():
        given = parameter.default is not inspect.Parameter.empty
        if not given and parameter.kind not in (Kind.VAR_POSITIONAL, Kind.VAR_KEYWORD):
            always = all(name in parameters for parameters in every)
            found[name] = parameter if always else parameter.replace(default=...)
    return found


def definitions(name: str) -> dict[str, list[ast.FunctionDef]]:
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in CLASSES[name].body:
        if isinstance(node, ast.FunctionDef):
            decorators = [ast.unparse(item) for item in node.decorator_list]
            if 'property' not in decorators:
                found.setdefault(node.name, []).append(node)
    return found


def of_runtime(function: Any, bound: bool) -> Parameters:
    found = dict(inspect.signature(function).parameters)
    if not bound:
        del found[next(iter(found))]
    return found


def compare(stub: Parameters, runtime: Parameters) -> None:
    plain = {name: p for name, p in runtime.items() if p.kind is not Kind.VAR_KEYWORD}
    if plain != runtime and set(stub) >= FORMATTING:
        # csv's own formatting parameters, which the stub spells out, as typeshed does.
        stub = {name: p for name, p in stub.items() if name not in FORMATTING}
        runtime = plain
    assert {name: (p.kind, p.default) for name, p in stub.items()} == {
        name: (p.kind, p.default) for name, p in runtime.items()
    }
    assert [*stub.values()] == [*runtime.values()] or any(
        p.kind is Kind.KEYWORD_ONLY for p in runtime.values()
    )


@pytest.mark.parametrize('name', NATIVE)
def test_the_constructor_is_that_of_the_stub(name: str) -> None:
    kind = getattr(_native, name)
    found = definitions(name)
    nodes = found.get('__new__') or found.get('__init__')
    if nodes is None:
        bases = [ast.unparse(base) for base in CLASSES[name].bases]
        if 'NamedTuple' in bases:
            fields = [n.target.id for n in CLASSES[name].body if isinstance(n, ast.AnnAssign)]  # type: ignore[union-attr]
            assert list(inspect.signature(kind).parameters) == fields
        elif issubclass(kind, BaseException):
            assert str(inspect.signature(kind)) == '(*args)'
        else:
            with pytest.raises(TypeError, match='cannot create'):
                kind()
        return
    compare(of_definitions(nodes), of_runtime(kind, bound=True))


@pytest.mark.parametrize('name', NATIVE)
def test_each_method_is_that_of_the_stub(name: str) -> None:
    kind = getattr(_native, name)
    for method, nodes in definitions(name).items():
        if method in {'__new__', '__init__'}:
            continue
        function = getattr(kind, method)
        bound = not isinstance(function, types.MethodDescriptorType | types.WrapperDescriptorType)
        stub, runtime = of_definitions(nodes), of_runtime(function, bound)
        if isinstance(function, types.WrapperDescriptorType) and method != '__call__':
            # CPython names the parameters of slots.
            assert [p.kind for p in stub.values()] == [p.kind for p in runtime.values()], method
        elif not isinstance(function, types.WrapperDescriptorType):
            compare(stub, runtime)


@pytest.mark.parametrize('name', NATIVE)
def test_no_method_is_missing_from_the_stub(name: str) -> None:
    in_stub = {
        node.target.id if isinstance(node, ast.AnnAssign) else node.name  # type: ignore[union-attr]
        for base in [name, *(base.__name__ for base in getattr(_native, name).__mro__)]
        if base in CLASSES
        for node in CLASSES[base].body
        if isinstance(node, ast.FunctionDef | ast.AnnAssign)
    }
    public = {method for method in vars(getattr(_native, name)) if not method.startswith('_')}
    assert public - in_stub - {'count', 'index'} == set()


@pytest.mark.parametrize('method', ['emit', 'aemit', 'emit_threadsafe'])
def test_what_emits_has_the_parameters_of_the_stubs_protocol(method: str) -> None:
    stub = of_definitions(definitions('_EmitAny')['__call__'])
    compare(stub, of_runtime(getattr(native_generators.Dispatcher, method), bound=False))


@pytest.mark.parametrize('kind', [native_generators.csv_rows, native_generators.acsv_rows])
def test_the_first_overload_has_every_keyword(kind: Any) -> None:
    first = of_a_definition(definitions(kind.__name__)['__new__'][0])
    assert list(first.values()) == [
        p.replace(annotation=inspect.Parameter.empty)
        for p in inspect.signature(kind).parameters.values()
    ]


# ---- the defaults are what is meant when nothing is given ----


async def nothing() -> AsyncIterator[Any]:
    return
    yield


def minimal(function: Callable[..., Any]) -> Iterator[Any]:
    """An argument for each parameter that needs one."""
    values: dict[str, Any] = {
        'n': 2, 'every': 60, 'item': None, 'f': [], 'fn': str, 'values': [], 'generator': iter(()),
    }  # fmt: skip
    name = function.__name__
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not inspect.Parameter.empty:
            continue
        if parameter.kind is Kind.POSITIONAL_ONLY or parameter.kind is Kind.POSITIONAL_OR_KEYWORD:
            source = nothing() if name[0] == 'a' or name == 'to_sync' else []
            yield values.get(parameter.name, source)


LEFT_OUT = {'DictWriter', 'writer', 'drive', 'task', 'csv_writer', 'csv_dict_writer'}
WITH_DEFAULTS = [
    kind
    for kind in PUBLIC
    if kind.__name__ not in LEFT_OUT
    and any(
        p.default is not inspect.Parameter.empty
        for p in inspect.signature(kind).parameters.values()
    )
]


@pytest.mark.parametrize('function', WITH_DEFAULTS, ids=lambda function: function.__name__)
def test_each_default_can_be_given(function: Callable[..., Any], tmp_path: Path) -> None:
    parameters = inspect.signature(function).parameters.values()
    arguments = list(minimal(function))
    if function.__name__ in {'csv_split', 'csv_scan'}:
        (tmp_path / 'a.csv').write_text('a\n1\n')
        arguments = [tmp_path / 'a.csv']
    named = {
        p.name: p.default
        for p in parameters
        if p.default is not inspect.Parameter.empty and p.kind is not Kind.POSITIONAL_ONLY
    }
    made = function(*arguments, **named)
    if hasattr(made, 'close'):
        made.close()


def test_no_shape_is_lists() -> None:
    assert list(native_generators.csv_rows(b'a\n', into=None)) == [['a']]


def test_a_missing_key_is_an_error_for_an_ellipsis() -> None:
    rows = native_generators.csv_encode([{'a': 1}], columns=['a', 'b'], missing=...)
    with pytest.raises(native_generators.CSVError, match='b'):
        next(rows)


@pytest.mark.parametrize('function', PUBLIC, ids=lambda function: function.__name__)
def test_every_public_name_has_a_signature_and_says_what_it_is(function: Any) -> None:
    assert inspect.signature(function)
    assert inspect.getdoc(function)
    assert '\n--\n' not in function.__doc__

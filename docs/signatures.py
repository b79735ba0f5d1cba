"""The signatures of the reference, with the types that the stub and the Python modules give.

`inspect.signature()` of a native type knows no types, so they are read from the source.  Names
that only the stub has are replaced: an alias by what it stands for, a private class by what it is.
Those that remain have a place on the page `reference/names.md`, which `described()` fills.
"""

import ast
import copy
import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LONGEST = 4  # parameters, of overloads that stand each on a line
LONGEST_TYPE = 40  # characters, where an overload is named by the type of an argument
NO_BASES = {'Generic', 'Protocol', 'TypedDict', 'NamedTuple'}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Parameter:
    """One parameter: its kind is '/', '', '*args', '*' (a keyword) or '**'."""

    name: str
    kind: str
    annotation: ast.expr | None
    default: str | None = None

    def text(self) -> str:
        text = {'*args': '*', '**': '**'}.get(self.kind, '') + self.name
        if self.annotation is not None:
            text += f': {ast.unparse(self.annotation)}'
        if self.default is not None:
            text += f' = {self.default}' if self.annotation is not None else f'={self.default}'
        return text


@dataclass(frozen=True)
class Signature:
    parameters: tuple[Parameter, ...]
    result: ast.expr | None

    def arguments(self) -> str:
        """What stands between the parentheses, with them."""
        made: list[str] = []
        before = ''
        for parameter in self.parameters:
            if before == '/' and parameter.kind != '/':
                made.append('/')
            if parameter.kind == '*' and before not in {'*', '*args'}:
                made.append('*')
            made.append(parameter.text())
            before = parameter.kind
        if before == '/':
            made.append('/')
        return f'({", ".join(made)})'

    def text(self) -> str:
        result = '' if self.result is None else f' -> {ast.unparse(self.result)}'
        return self.arguments() + result


@dataclass(frozen=True)
class Shown:
    """What the reference shows of a callable: signatures, and what overloads of the one make."""

    signatures: tuple[Signature, ...]
    results: tuple[tuple[str, str], ...] = ()


def base_name(node: ast.expr) -> str:
    """`Generator` of `Generator[int, None, None]`."""
    node = node.value if isinstance(node, ast.Subscript) else node
    return ast.unparse(node).rpartition('.')[2]


def members_of(union: ast.expr) -> Iterator[ast.expr]:
    if isinstance(union, ast.BinOp):
        yield from members_of(union.left)
        yield from members_of(union.right)
    else:
        yield union


def union_of(members: Iterable[ast.expr]) -> ast.expr:
    """The union, each member once, and None last."""
    texts = {ast.unparse(member): member for member in members}
    literals = {'Literal[False]', 'Literal[True]'}
    if 'bool' in texts or literals <= texts.keys():
        texts = {text: member for text, member in texts.items() if text not in literals}
        texts.setdefault('bool', ast.Name('bool'))
    if 'None' in texts:
        texts['None'] = texts.pop('None')
    first, *others = texts.values()
    for other in others:
        first = ast.BinOp(first, ast.BitOr(), other)
    return first


def substituted(node: Any, names: Mapping[str, ast.expr]) -> Any:
    """A copy of the node with these names replaced."""

    class Substitution(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.expr:
            return copy.deepcopy(names.get(node.id, node))

    return Substitution().visit(copy.deepcopy(node))


class Source(ast.NodeTransformer):
    """What the stub and the modules of the package in that folder say."""

    def __init__(self, folder: Path) -> None:
        self.modules: dict[str, dict[str, list[ast.stmt]]] = {}
        self.aliases: dict[str, ast.expr] = {}
        self.variables: dict[str, list[ast.expr]] = {}  # of types, with what they are limited to
        self.classes: dict[str, ast.ClassDef] = {}
        self.renamed: dict[str, str] = {}  # in a public module
        self.used: set[str] = set()  # names that the page of names must have
        for path in sorted([*folder.glob('*.py'), folder / '_native.pyi']):
            self.read(path)

    def read(self, path: Path) -> None:
        found: dict[str, list[ast.stmt]] = {}
        for item in ast.parse(path.read_text('utf-8')).body:
            if isinstance(item, ast.ClassDef | ast.FunctionDef):
                found.setdefault(item.name, []).append(item)
                if isinstance(item, ast.ClassDef):
                    self.classes[item.name] = item
            elif isinstance(item, ast.AnnAssign):
                name = ast.unparse(item.target)
                found[name] = [item]
                if ast.unparse(item.annotation) == 'TypeAlias' and item.value is not None:
                    self.aliases[name] = item.value
            elif isinstance(item, ast.Assign) and isinstance(item.value, ast.Call):
                if re.search('TypeVar|ParamSpec', ast.unparse(item.value.func)):
                    self.variables[ast.unparse(item.targets[0])] = item.value.args[1:]
            elif isinstance(item, ast.ImportFrom) and item.module == 'native_generators._native':
                self.renamed |= {one.name: one.asname for one in item.names if one.asname}
            elif isinstance(item, ast.ImportFrom):  # `time as _time`
                private = [one for one in item.names if (one.asname or '').startswith('_')]
                self.renamed |= {one.asname: one.name for one in private if one.asname}
        self.modules[path.stem] = found

    # ---- names as readers know them ----

    def shown(self, node: ast.expr | None) -> ast.expr | None:
        return None if node is None else self.visit(copy.deepcopy(node))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        name = node.id
        if name in self.aliases:
            return self.visit(copy.deepcopy(self.aliases[name]))
        if name in self.variables:
            return ast.Name(name.strip('_').removesuffix('_co'))
        if name in self.renamed:
            return ast.Name(self.renamed[name])
        if name.startswith('_') and name in self.classes:
            return self.of_class(self.classes[name], [])
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        name = base_name(node)
        if name == 'Literal':
            return node
        if name.startswith('_') and name in self.classes:
            return self.of_class(self.classes[name], [node.slice])
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        members = [self.visit(member) for member in members_of(node)]
        return union_of(one for member in members for one in members_of(member))

    def of_class(self, kind: ast.ClassDef, given: list[ast.expr]) -> ast.expr:
        """What a private class is: its base or a callable, if the stub only has it for checkers."""
        checked = any(base_name(one) == 'type_check_only' for one in kind.decorator_list)
        call = [one for one in kind.body if getattr(one, 'name', '') == '__call__']
        bases = [base for base in kind.bases if base_name(base) not in NO_BASES]
        if checked and call:
            signature = self.signature_of(call[0], bound=True)
            taken = ast.List([p.annotation for p in signature.parameters if p.annotation])
            return ast.Subscript(ast.Name('Callable'), ast.Tuple([taken, signature.result]))
        if checked and bases:
            known = {'_T_co': given[0]} if given else {}
            return self.visit(substituted(bases[0], known))
        self.used.add(kind.name)
        name = ast.Name(kind.name.removeprefix('_'))
        return ast.Subscript(name, self.visit(given[0])) if given else name

    # ---- signatures ----

    def keywords_of(self, kind: ast.ClassDef) -> list[Parameter]:
        """The keywords of a TypedDict that is unpacked."""
        found: list[Parameter] = []
        for base in kind.bases:
            if base_name(base) in self.classes:
                found += self.keywords_of(self.classes[base_name(base)])
        for item in kind.body:
            if isinstance(item, ast.AnnAssign):
                name = ast.unparse(item.target)
                found.append(Parameter(name, '*', self.shown(item.annotation), '...'))
        return found

    def signature_of(self, function: ast.stmt, bound: bool) -> Signature:
        """The signature, without the first parameter where it is bound."""
        assert isinstance(function, Function)
        given = function.args
        found: list[Parameter] = []
        plain = [*given.posonlyargs, *given.args]
        defaults = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
        for number, (one, default) in enumerate(zip(plain, defaults, strict=True)):
            kind = '/' if number < len(given.posonlyargs) else ''
            found.append(self.parameter(one, kind, default))
        found = found[1:] if bound else found
        if given.vararg is not None and ast.unparse(given.vararg.annotation or given) != 'Never':
            found.append(self.parameter(given.vararg, '*args', None))
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
            found.append(self.parameter(one, '*', default))
        rest = given.kwarg
        if rest is not None and rest.annotation and base_name(rest.annotation) == 'Unpack':
            assert isinstance(rest.annotation, ast.Subscript)
            names = {parameter.name for parameter in found}
            kind = self.classes[ast.unparse(rest.annotation.slice)]
            found += [one for one in self.keywords_of(kind) if one.name not in names]
        elif rest is not None:
            found.append(self.parameter(rest, '**', None))
        result = function.returns
        if function.name == '__init__':  # `self` says what it makes
            result = plain[0].annotation
        return Signature(tuple(found), self.shown(result))

    def parameter(self, given: ast.arg, kind: str, default: ast.expr | None) -> Parameter:
        text = None if default is None else ast.unparse(default)
        return Parameter(given.arg, kind, self.shown(given.annotation), text)

    def unlimited(self, function: ast.stmt) -> list[ast.stmt]:
        """The function for each type that its limited variable stands for."""
        used = [one.id for one in ast.walk(function) if isinstance(one, ast.Name)]
        for name in used:
            if self.variables.get(name):
                return [substituted(function, {name: one}) for one in self.variables[name]]
        return [self.renamed_variables(function)]

    def renamed_variables(self, function: ast.stmt) -> ast.stmt:
        """The function, in which `_T_co` is not named as `_T` is."""
        used = {one.id for one in ast.walk(function) if isinstance(one, ast.Name)}
        if {'_T', '_T_co'} <= used:
            return substituted(function, {'_T_co': ast.Name('_R')})
        return function

    # ---- what has a name ----

    def found(self, name: str) -> tuple[ast.ClassDef | None, list[ast.stmt]]:
        """The class of a member of that full name, and what defines it there."""
        parts = name.split('.')[1:]
        public = {shown: private for private, shown in self.renamed.items()}
        if parts[0] in self.modules and parts[1:]:
            modules = [self.modules[parts.pop(0)], self.modules['_native']]
        else:
            modules = [self.modules['_native'], *self.modules.values()]
        own = public.get(parts[0], parts[0])
        items = next((module[own] for module in modules if own in module), [])
        if len(parts) == 1 or not items:
            return None, items
        kind = items[0]
        assert isinstance(kind, ast.ClassDef)
        return kind, self.member(kind, parts[1])

    def member(self, kind: ast.ClassDef, name: str) -> list[ast.stmt]:
        """What defines a member of that name, in the class or in what it comes from."""
        found = [
            item
            for item in kind.body
            if getattr(item, 'name', None) == name
            or (isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == name)
        ]
        bases = [self.classes[one] for one in map(base_name, kind.bases) if one in self.classes]
        for base in bases:
            found = found or self.member(base, name)
        return found

    def is_native(self, name: str) -> bool:
        """Whether the stub says what it is, and not a module that Sphinx reads by itself."""
        kind, _ = self.found(name)
        return kind is not None and kind in self.modules['_native'].get(kind.name, [])

    def type_of(self, name: str) -> str:
        """The type of a property or an attribute, or nothing."""
        _, items = self.found(name)
        for item in items:
            if isinstance(item, ast.FunctionDef):
                return ast.unparse(self.shown(item.returns) or ast.Name('Any'))
            if isinstance(item, ast.AnnAssign):
                return ast.unparse(self.shown(item.annotation) or ast.Name('Any'))
        return ''

    def shown_of(self, name: str, thing: Any = None) -> Shown | None:
        """What the reference shows of a function, a class or a method, where the source has it."""
        kind, items = self.found(name)
        if not items:
            return None
        if isinstance(items[0], ast.ClassDef):
            signatures = self.of_constructor(items[0])
        elif isinstance(items[0], ast.AnnAssign):
            signatures = self.of_called(items[0])
        else:
            static = any(base_name(one) == 'staticmethod' for one in items[0].decorator_list)
            whole = [one for item in self.overloads(items) for one in self.unlimited(item)]
            signatures = [self.signature_of(one, kind is not None and not static) for one in whole]
        if not signatures:
            return None
        return merged([with_defaults(signature, thing) for signature in signatures])

    def overloads(self, items: list[ast.stmt]) -> list[ast.stmt]:
        found = [
            item
            for item in items
            if isinstance(item, Function)
            and any(base_name(one) == 'overload' for one in item.decorator_list)
        ]
        return found or items[-1:]

    def of_constructor(self, kind: ast.ClassDef) -> list[Signature]:
        made = [item for item in kind.body if getattr(item, 'name', '') in {'__new__', '__init__'}]
        if not made:
            if any(base_name(one) in {'NamedTuple', 'Sequence'} for one in kind.bases):
                return self.of_fields(kind)
            return self.of_fields(kind) if kind.decorator_list and is_dataclass(kind) else []
        given = [base for base in kind.bases if isinstance(base, ast.Subscript)]
        own = ast.Name(kind.name)
        named = ast.Subscript(own, given[0].slice) if given else own
        found = []
        for item in self.overloads(made):
            item = substituted(item, {'Self': named})
            if item.name == '__init__' and item.args.args[0].annotation is None:
                item.args.args[0].annotation = named
            found += [self.signature_of(one, bound=True) for one in self.unlimited(item)]
        if len({ast.unparse(one.result) for one in found if one.result}) == 1:
            return [replace(one, result=None) for one in found]
        return found

    def of_fields(self, kind: ast.ClassDef) -> list[Signature]:
        fields = [item for item in kind.body if isinstance(item, ast.AnnAssign)]
        found = [
            Parameter(
                ast.unparse(item.target),
                '',
                self.shown(item.annotation),
                None if item.value is None else ast.unparse(item.value),
            )
            for item in fields
        ]
        return [Signature(tuple(found), None)]

    def of_called(self, attribute: ast.AnnAssign) -> list[Signature]:
        """What an attribute is called with: of a descriptor, what its first __get__ returns."""
        outer = self.classes.get(base_name(attribute.annotation))
        gets = [one for one in outer.body if getattr(one, 'name', '') == '__get__'] if outer else []
        if not gets or not isinstance(attribute.annotation, ast.Subscript):
            return []
        assert isinstance(gets[0], ast.FunctionDef)
        assert gets[0].returns is not None
        inner = self.classes[base_name(gets[0].returns)]
        known = {'_T_co': attribute.annotation.slice}
        calls = [item for item in inner.body if getattr(item, 'name', '') == '__call__']
        return [self.signature_of(substituted(item, known), bound=True) for item in calls]

    # ---- the page of names ----

    def public(self) -> Iterator[str]:
        """The names of all functions, classes and their members that others may use."""
        for module, items in self.modules.items():
            if module.startswith('_') and module not in PRIVATE:
                continue
            for name, (first, *_) in items.items():
                if name.startswith('_') or not isinstance(first, ast.ClassDef | ast.FunctionDef):
                    continue
                yield f'generators.{module}.{name}'
                for item in first.body if isinstance(first, ast.ClassDef) else []:
                    member = getattr(item, 'name', '_')
                    if not member.startswith('_'):
                        yield f'generators.{module}.{name}.{member}'

    def described(self) -> list[str]:
        """The classes that only have a name in signatures, as reStructuredText."""
        for name in self.public():
            self.shown_of(name)
            self.type_of(name)
        made: list[str] = []
        done: set[str] = set()
        while self.used - done:
            for name in sorted(self.used - done):
                done.add(name)
                made += self.description(self.classes[name])
        return made

    def description(self, kind: ast.ClassDef) -> list[str]:
        bases = [base for base in kind.bases if base_name(base) not in {'Generic', 'Protocol'}]
        text = ', '.join(f'``{ast.unparse(self.visit(copy.deepcopy(base)))}``' for base in bases)
        made = [f'.. py:class:: {kind.name.removeprefix("_")}', '']
        made += [f'   Bases: {text}', ''] if text else []
        for item in kind.body:
            if not isinstance(item, ast.FunctionDef):
                continue
            if any(base_name(one) == 'property' for one in item.decorator_list):
                result = ast.unparse(self.shown(item.returns) or ast.Name('Any'))
                made += [f'   .. py:property:: {item.name}', f'      :type: {result}', '']
            elif not item.name.startswith('_') or item.name in SPECIAL:
                text = self.signature_of(item, bound=True).text()
                made += [f'   .. py:method:: {item.name}{text}', '']
        return made


SPECIAL = {'__call__', '__arrow_c_schema__', '__arrow_c_array__', '__arrow_c_stream__'}
PRIVATE = {'_native', '_schema', '_sniff', '_split'}  # modules with public names


def is_dataclass(kind: ast.ClassDef) -> bool:
    return any('dataclass' in ast.unparse(one) for one in kind.decorator_list)


def with_defaults(signature: Signature, thing: Any) -> Signature:
    """The signature, with the default values of the object where the source only names them."""
    try:
        actual = inspect.signature(thing).parameters
    except (TypeError, ValueError):
        return signature
    found = []
    for one in signature.parameters:
        value = actual[one.name].default if one.name in actual else ...
        if one.default is not None and value not in {..., inspect.Parameter.empty}:
            one = replace(one, default=repr(value))
        found.append(one)
    return Signature(tuple(found), signature.result)


def plain_types(node: ast.expr) -> ast.expr:
    """The annotation with `type[dict]` for `type[dict[str, Any]]`."""

    class Plain(ast.NodeTransformer):
        def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
            if base_name(node) == 'type' and isinstance(node.slice, ast.Subscript):
                return ast.Subscript(node.value, node.slice.value)
            return self.generic_visit(node)  # type: ignore[return-value]

    return Plain().visit(copy.deepcopy(node))


def told(name: str, annotation: str) -> str:
    """How a caller chooses an overload: `into=dict`, or `source: Iterable[str]`."""
    found = re.fullmatch(r'type\[(\w+)\]|Literal\[(\w+)\]|(None)', annotation)
    if found is not None:
        return f'{name}={found[1] or found[2] or found[3]}'
    if len(annotation) > LONGEST_TYPE and ' | ' not in re.sub(r'\[.*\]', '', annotation):
        annotation = re.sub(r'\[.*\]', '[...]', annotation)
    return f'{name}: {annotation}'


def merged(signatures: list[Signature]) -> Shown:
    """Short overloads as they are; long ones as one signature and what each of them makes."""
    first = signatures[0]
    names = {parameter.name for parameter in first.parameters}
    if (
        len(signatures) == 1
        or len(names) <= LONGEST
        or any({one.name for one in other.parameters} != names for other in signatures)
    ):
        return Shown(tuple(signatures))
    kinds = [{one.name: one for one in signature.parameters} for signature in signatures]
    whole: list[Parameter] = []
    differing: dict[str, str] = {}
    for parameter in first.parameters:
        every = [kind[parameter.name] for kind in kinds]
        plain = [plain_types(one.annotation) for one in every if one.annotation is not None]
        union = union_of(member for one in plain for member in members_of(one))
        defaults = [one.default for one in every if one.default not in {None, '...'}]
        default = defaults[0] if defaults else parameter.default
        whole.append(replace(parameter, annotation=union, default=default))
        if len({ast.unparse(one) for one in plain}) > 1:
            differing[parameter.name] = ast.unparse(union)
    results: dict[tuple[str, str], None] = {}
    for signature, kind in zip(signatures, kinds, strict=True):
        given = {name: ast.unparse(plain_types(kind[name].annotation)) for name in differing}
        taken = [told(name, text) for name, text in given.items() if text != differing[name]]
        assert signature.result is not None
        results[', '.join(taken), ast.unparse(signature.result)] = None
    return Shown((Signature(tuple(whole), None),), tuple(results))

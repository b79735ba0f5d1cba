#!/usr/bin/env python3
"""The stub that a wheel has: _native.pyi, with the docstrings of the extension in it.

    python tools/stub.py STUB OUTPUT      (native_generators must be importable, with its extension)

Editors and generated references read docstrings from the stub alone.  Also, keywords that an
overload takes as `**reading: Unpack[_Reading]` are spelled out, with the defaults of the first
overload, so that they are shown and that stubtest compares them.

setup.py does this after the extension is built.
"""

import ast
import importlib
import inspect
import sys
from pathlib import Path

SLOTS = type(object.__eq__)
Edit = tuple[int, int, int, int, str]  # from line and column, to line and column, text


class Writer:
    """Finds the edits of one stub, from the module that it describes."""

    def __init__(self, text: str, module: object) -> None:
        self.text = text
        self.edits: list[Edit] = []
        body = ast.parse(text).body
        self.classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
        # The module does not export the bases of its types.
        types = [value for value in vars(module).values() if isinstance(value, type)]
        self.runtime = {base.__name__: base for kind in types for base in kind.__mro__}
        self.runtime |= {name: kind for name, kind in vars(module).items() if kind in types}

    def write(self) -> str:
        for node in self.classes.values():
            self.describe_class(node)
        lines = self.text.encode().splitlines(keepends=True)
        for line, column, end_line, end_column, text in sorted(self.edits, reverse=True):
            kept = lines[line - 1][:column] + text.encode() + lines[end_line - 1][end_column:]
            lines[line - 1 : end_line] = [kept]
        return b''.join(lines).decode()

    def describe_class(self, node: ast.ClassDef) -> None:
        runtime = self.runtime.get(node.name)
        if runtime is not None:
            self.add_docstring(node, runtime.__doc__)
        seen: dict[str, ast.FunctionDef] = {}
        for item in node.body:
            if isinstance(item, ast.FunctionDef):
                first = seen.setdefault(item.name, item)
                if runtime is not None:
                    self.describe_function(item, getattr(runtime, item.name, None))
                if item.args.kwarg is not None:
                    self.spell_out(item, first)

    def describe_function(self, node: ast.FunctionDef, function: object) -> None:
        # What CPython says of slots says nothing of this type.
        if node.name not in {'__new__', '__init__'} and not isinstance(function, SLOTS):
            self.add_docstring(node, getattr(function, '__doc__', None))

    def add_docstring(self, node: ast.ClassDef | ast.FunctionDef, text: str | None) -> None:
        if not text:
            return
        first = node.body[0]
        indent = ' ' * (node.col_offset + 4)
        text = inspect.cleandoc(text).replace('\\', '\\\\').replace('"""', '\\"\\"\\"')
        lines = [indent + line if line else '' for line in text.splitlines()]
        end = f'\n{indent}' if len(lines) > 1 or text.endswith('"') else ''
        docstring = f'"""{lines[0].lstrip()}' + ''.join(f'\n{line}' for line in lines[1:])
        docstring += f'{end}"""'
        if isinstance(first, ast.Expr):  # `...` on the line of the colon
            assert first.end_lineno is not None
            assert first.end_col_offset is not None
            before = first.col_offset - 1  # with the blank
            place = (first.lineno, before, first.end_lineno, first.end_col_offset)
            self.edits.append((*place, f'\n{indent}{docstring}'))
        else:
            line = min([first.lineno, *(d.lineno for d in getattr(first, 'decorator_list', []))])
            self.edits.append((line, 0, line, 0, f'{indent}{docstring}\n'))

    def spell_out(self, node: ast.FunctionDef, first: ast.FunctionDef) -> None:
        """Replace `**name: Unpack[TypedDict]` by its keys."""
        argument = node.args.kwarg
        assert argument is not None
        annotation = argument.annotation
        if not isinstance(annotation, ast.Subscript) or ast.unparse(annotation.value) != 'Unpack':
            return
        defaults = {
            keyword.arg: '...' if default is None else ast.unparse(default)
            for keyword, default in zip(first.args.kwonlyargs, first.args.kw_defaults, strict=True)
        }
        keywords = [
            f'{key}: {kind} = {defaults.get(key, "...")}'
            for key, kind in self.keys_of(ast.unparse(annotation.slice)).items()
        ]
        assert annotation.end_lineno is not None
        assert annotation.end_col_offset is not None
        stars = argument.col_offset - 2
        place = (argument.lineno, stars, annotation.end_lineno, annotation.end_col_offset)
        self.edits.append((*place, f',\n{" " * stars}'.join(keywords)))

    def keys_of(self, name: str) -> dict[str, str]:
        node = self.classes[name]
        found: dict[str, str] = {}
        for base in node.bases:
            if isinstance(base, ast.Name) and base.id in self.classes:
                found |= self.keys_of(base.id)
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                found[item.target.id] = ast.unparse(item.annotation)
        return found


def written(text: str, module: object) -> str:
    """The stub with docstrings and all keywords."""
    made = Writer(text, module).write()
    ast.parse(made)
    return made


def main() -> None:
    stub, output = map(Path, sys.argv[1:])
    module = importlib.import_module('native_generators._native')
    output.write_text(written(stub.read_text('utf-8'), module), 'utf-8', newline='\n')


if __name__ == '__main__':
    main()

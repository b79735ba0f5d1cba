"""The site: `sphinx-build -W docs FOLDER`, with the dependency group `docs` installed.

Sphinx imports the package and reads what `help()` and `inspect.signature()` read, so each native
type, member, signature and docstring is there as it is.  `docs/internals.md` says why it is Sphinx.
"""

import ast
import inspect
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(HERE))

from docstrings import restructured  # noqa: E402

with (ROOT / 'pyproject.toml').open('rb') as file:
    PROJECT = tomllib.load(file)['project']
REPOSITORY = PROJECT['urls']['Homepage']

import native_generators  # noqa: E402

project = 'native-generators'
author = 'the native-generators authors'
copyright = author
release = version = native_generators.__version__

extensions = ['myst_parser', 'sphinx.ext.autodoc', 'sphinx_copybutton']
exclude_patterns = ['coverage.md']
source_suffix = {'.md': 'markdown'}
nitpicky = False
smartquotes = False  # docstrings have quotes of code outside of markup, too
myst_heading_anchors = 4
myst_links_external_new_tab = False
suppress_warnings = ['ref.python']  # a parameter named `type` is no reference
copybutton_prompt_text = r'>>> |\.\.\. |\$ '
copybutton_prompt_is_regexp = True

autodoc_member_order = 'groupwise'
autodoc_default_options = {'members': True, 'show-inheritance': True}
autodoc_typehints = 'signature'
add_module_names = False
python_maximum_signature_line_length = 80
toc_object_entries_show_parents = 'hide'

html_theme = 'furo'
html_title = f'{project} {version}'
html_static_path = ['_static']
html_css_files = ['site.css']
html_show_sourcelink = False
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    'source_repository': REPOSITORY,
    'source_branch': 'main',
    'source_directory': 'docs/',
}
pygments_style = 'friendly'
pygments_dark_style = 'monokai'

# Pages link to files of the checkout as they stand there.  Those that the site has as pages are
# linked to as such, and others in the repository.
PAGES = {
    'CHANGES.md': 'changes.md',
    'SECURITY.md': 'security.md',
    'CONTRIBUTING.md': 'contributing.md',
    'docs/coverage.md': None,
}
LINK = re.compile(r'\]\(((?:\.\./)*)([\w./-]+)(#[\w-]+)?\)')


def linked(folder: Path, text: str) -> str:
    """The text of a page in that folder, with its links to files outside the site."""

    def replace(found: re.Match[str]) -> str:
        target = (folder / (found[1] + found[2])).resolve()
        if not target.is_relative_to(ROOT) or not target.exists():
            return found[0]  # Sphinx says that there is no such page
        name = target.relative_to(ROOT).as_posix()
        if name.startswith('docs/') and name not in PAGES:
            if folder.is_relative_to(HERE):
                return found[0]
            up = ''
            return f']({up}{name.removeprefix("docs/")}{found[3] or ""})'
        page = PAGES.get(name)
        if page is None:
            kind = 'tree' if target.is_dir() else 'blob'
            return f']({REPOSITORY}/{kind}/main/{name})'
        if not folder.is_relative_to(HERE):
            return f']({page}{found[3] or ""})'
        up = '../' * len(folder.relative_to(HERE).parts)
        return f']({up}{page}{found[3] or ""})'

    return LINK.sub(replace, text)


TESTED = re.compile(r'(?:^\|.*\| test \|$)\n(?:^\|.*\|$\n)+', re.M)


def without_tests(text: str) -> str:
    """The tables whose last column names tests, without it: readers of the site need the others."""

    def replace(found: re.Match[str]) -> str:
        return re.sub(r'\|(?:[^|]|(?<=\\)\|)*\|$', '|', found[0], flags=re.M)

    text = text.replace('Each row names the tests that show it.', 'A test shows each row.')
    return TESTED.sub(replace, text)


INCLUDED = re.compile(r'^<!-- include (\S+) -->$', re.M)


def on_source_read(app: Any, name: str, source: list[str]) -> None:
    folder = (HERE / name).parent
    text = linked(folder, source[0])

    def included(found: re.Match[str]) -> str:
        file = (folder / found[1]).resolve()
        return linked(file.parent, file.read_text('utf-8'))

    source[0] = without_tests(INCLUDED.sub(included, text))


def stub_types() -> dict[str, str]:
    """What each method of the stub returns and each property is, where that has a public name."""
    stub = Path(native_generators.__file__).with_name('_native.pyi')
    found: dict[str, str] = {}
    for kind in ast.parse(stub.read_text('utf-8')).body:
        for item in kind.body if isinstance(kind, ast.ClassDef) else []:
            if isinstance(item, ast.FunctionDef) and item.returns is not None:
                name = f'{kind.name}.{item.name}'
                text = ast.unparse(item.returns).replace('Coroutine[Any, Any, ', 'Coroutine[')
                several = found.get(name, text) != text  # overloads that differ
                private = re.search(r'\b_[A-Za-z]', text)
                found[name] = '' if several or private else text
    return found


TYPES = stub_types()


def type_of(name: str) -> str:
    return TYPES.get('.'.join(name.split('.')[-2:]), '')


def on_signature(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    known = type_of(name)
    if what == 'method' and signature and not returns and known:
        return signature, known
    return None


def on_docstring(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    try:
        parameters = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        parameters = set()
    lines[:] = restructured(lines, parameters)
    if what in {'attribute', 'property'} and type_of(name):
        lines += ['', f'Type: ``{type_of(name)}``', '']


def setup(app: Any) -> None:
    app.connect('source-read', on_source_read)
    app.connect('autodoc-process-docstring', on_docstring)
    app.connect('autodoc-process-signature', on_signature)

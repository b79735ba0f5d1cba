"""The site: `sphinx-build -W docs FOLDER`, with the dependency group `docs` installed.

Sphinx imports the package and reads what `help()` and `inspect.signature()` read, so each native
type, member, signature and docstring is there as it is.  `docs/internals.md` says why it is Sphinx.
"""

import builtins
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
from signatures import Source  # noqa: E402
from sphinx.addnodes import pending_xref  # noqa: E402

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


def names_of_signatures() -> str:
    return '\n'.join(['```{eval-rst}', *SOURCE.described(), '```'])


INCLUDED = re.compile(r'^<!-- include (\S+) -->$', re.M)


def on_source_read(app: Any, name: str, source: list[str]) -> None:
    folder = (HERE / name).parent
    text = linked(folder, source[0])

    def included(found: re.Match[str]) -> str:
        file = (folder / found[1]).resolve()
        return linked(file.parent, file.read_text('utf-8'))

    text = without_tests(INCLUDED.sub(included, text))
    source[0] = text.replace('<!-- names of signatures -->', names_of_signatures())


SOURCE = Source(Path(native_generators.__file__).parent)


def on_signature(
    app: Any, what: str, name: str, thing: Any, options: Any, signature: str | None, returns: str
) -> tuple[str, str] | None:
    """The signature with its types; of overloads, each on a line of the directive."""
    if signature is None or what not in {'class', 'exception', 'function', 'method'}:
        return None
    shown = SOURCE.shown_of(name, thing)
    if shown is None:
        return None
    dotted = re.sub(r'^\w+\.([a-z_]+\.(?=\w+$)|_\w+\.)?', '', name)
    first, *others = [one.text() for one in shown.signatures]
    text = '\n'.join([first, *(f'{dotted}{other}' for other in others)])
    return text, ''


def with_type(name: str, line: str) -> str:
    """A line of a table of attributes, with the type of the attribute."""
    found = re.match(r'- ``(\w+)``: ', line)
    known = SOURCE.type_of(f'{name}.{found[1]}') if found else ''
    return line.replace('``: ', f': {known}``: ', 1) if known else line


def on_docstring(
    app: Any, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    try:
        parameters = set(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        parameters = set()
    lines[:] = restructured(lines, parameters)
    if what in {'attribute', 'property'} and SOURCE.is_native(name) and SOURCE.type_of(name):
        lines += ['', f'Type: ``{SOURCE.type_of(name)}``', '']
    if what in {'class', 'exception'}:
        lines[:] = [with_type(name, line) for line in lines]
    shown = SOURCE.shown_of(name, thing) if what in {'class', 'function', 'method'} else None
    if shown is not None and shown.results:
        made = [f'- ``{given}`` → ``{result}``' for given, result in shown.results]
        place = lines.index('') + 1 if '' in lines else len(lines)
        told = 'What it makes depends on its arguments. The first that fits counts:'
        lines[place:place] = [told, '', *made, '']


def on_doctree(app: Any, doctree: Any) -> None:
    """The built-in `type` is no reference to an attribute of that name."""
    for node in list(doctree.findall(pending_xref)):
        if node.get('refdomain') == 'py' and node['reftarget'] in vars(builtins):
            node.replace_self(node.children)


def setup(app: Any) -> None:
    app.connect('doctree-read', on_doctree)
    app.connect('source-read', on_source_read)
    app.connect('autodoc-process-docstring', on_docstring)
    app.connect('autodoc-process-signature', on_signature)

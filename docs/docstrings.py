"""The docstrings of the package, which are plain text, as reStructuredText for the reference.

A docstring is read in `help()` and in editors first, so it has no markup but `name` in backquotes.
Its forms are few: a paragraph; a line whose further lines are indented, which describes one
parameter; an indented table of names; an example that begins with >>>.  Nothing is left out.
"""

import re
from collections.abc import Collection, Iterable

SPECIAL = re.compile(r'([\\*|_])')
TABLE_ROW = re.compile(r' {4}(\.?[\w=]+(?:, \w+)*)  +(\S.*)')


def escaped(text: str) -> str:
    """Text in which only what stands in backquotes is marked up."""
    parts = re.split(r'`([^`\n]+)`', text.replace('``', '`'))
    marked = [SPECIAL.sub(r'\\\1', part).replace('`', r'\`') for part in parts]
    marked[1::2] = [f'``{part}``' for part in parts[1::2]]
    joined = marked[0]
    for code, after in zip(marked[1::2], marked[2::2], strict=True):
        # Inline markup ends only before a blank or punctuation.
        joined += ('\\ ' if joined and joined[-1].isalnum() else '') + code
        joined += ('\\ ' if after and after[0].isalnum() else '') + after
    return joined


def blocks_of(lines: Iterable[str]) -> list[list[str]]:
    """What stands between blank lines."""
    found: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            found[-1].append(line.rstrip())
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def entry(lines: list[str], parameters: Collection[str]) -> list[str]:
    """One item of a list: a line, and those that are indented below it."""
    first, rest = lines[0].strip(), [line.strip() for line in lines[1:]]
    if first.endswith('one of') and len(rest) > 1:
        inner = re.split(r'(?<=;)\n', '\n'.join(rest))
        items = [f'  - {escaped(item.replace(chr(10), " "))}' for item in inner]
        return [f'- {emphasized(first, parameters)}', '', *items, '']
    return [f'- {emphasized(" ".join([first, *rest]), parameters)}']


def emphasized(text: str, parameters: Collection[str]) -> str:
    """The name of a parameter that a description begins with stands out."""
    found = re.match(r"(\w+)((?:=[\w.']+)?)(?= )", text)
    if found is None or found[1] not in parameters:
        return escaped(text)
    return f'``{found[0]}``{escaped(text[found.end() :])}'


def table(lines: list[str]) -> list[str]:
    """An indented list of names, each with what it is."""
    made: list[str] = []
    for line in lines:
        row = TABLE_ROW.match(line)
        if row is not None:
            made.append(f'- ``{row[1]}``: {escaped(row[2])}')
        else:
            made[-1] += f' {escaped(line.strip())}'
    return made


def rest_of(block: list[str], parameters: Collection[str]) -> list[str]:
    """One block, as reStructuredText."""
    if block[0].lstrip().startswith('>>>'):
        return [line.strip() if line.startswith(' ') else line for line in block]
    if TABLE_ROW.match(block[0]):
        return table(block)
    if block[0].startswith(' '):
        return ['::', '', *(f'    {line}' for line in block)]
    entries: list[list[str]] = []
    for line in block:
        if line.startswith(' ') and entries:
            entries[-1].append(line)
        else:
            entries.append([line])
    if all(len(lines) == 1 for lines in entries):
        return [escaped(' '.join(block))]
    made: list[str] = []
    for number, lines in enumerate(entries):
        rows = lines[1:]
        if rows and TABLE_ROW.match(rows[0]) and number == len(entries) - 1:
            made += ['', escaped(lines[0]), '', *table(rows)]
        else:
            made += entry(lines, parameters)
    return made


def restructured(lines: Iterable[str], parameters: Collection[str] = ()) -> list[str]:
    """A docstring, as reStructuredText."""
    made: list[str] = []
    for block in blocks_of(lines):
        made += [*rest_of(block, parameters), '']
    return made

"""The commands that have a name: ``generators split FILE``, and so on."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import native_generators as g  # whose names are loaded when a command uses them
from native_generators import csv_encode
from native_generators._cli.arguments import add_reading, add_sources, count, reading
from native_generators._cli.trouble import DONE, EPILOG, Trouble


def new_parser(name: str, description: str) -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog=f'generators {name}',
        description=description,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


# ---- split ----

SPLIT = """\
Split a CSV file into parts of whole records with about the same size, and write one line of
JSON for each part, which says where it is.  `generators FILE --part PART.json` reads a part.
With --output, each line is written to a file of its own.
"""


def split(arguments: list[str]) -> int:
    parser = new_parser('split', SPLIT)
    parser.add_argument('file', metavar='FILE', help='a file, but not a pipe')
    parser.add_argument('--parts', type=count, default=os.cpu_count() or 1, metavar='N')
    parser.add_argument(
        '--output',
        '-o',
        metavar='PATTERN',
        help="files to write, such as 'part-{}.json': {} is replaced by the number of the part",
    )
    group = parser.add_argument_group('how CSV is read')
    add_sources(group)
    add_reading(group)
    options = parser.parse_args(arguments)
    if options.output is not None and '{}' not in options.output:
        raise Trouble(
            f'--output {options.output}: {{}} is missing, which stands for the number of the part'
        )
    if options.file == '-':
        raise Trouble('split needs a file, not stdin: the parts are read from it later')
    keywords: dict[str, Any] = reading(options, options.file)
    parts = g.csv_split(options.file, parts=options.parts, **keywords)
    for number, part in enumerate(parts, 1):
        line = json.dumps(part) + '\n'
        if options.output is None:
            sys.stdout.write(line)
            continue
        with open(options.output.replace('{}', str(number)), 'w', encoding='utf-8') as file:
            file.write(line)
    if options.output is None:
        sys.stdout.flush()
    return DONE


# ---- sniff ----

SNIFF = """\
Find the parameters with which to read a CSV file.  Write each parameter with its confidence,
from 0 to 1, and the next most likely value; 0.5 means that nothing in the file decides.  Without
FILE, standard input is examined.
"""


def sniff(arguments: list[str]) -> int:
    parser = new_parser('sniff', SNIFF)
    parser.add_argument('file', nargs='?', default='-', metavar='FILE')
    parser.add_argument('--sample', type=count, default=1 << 20, metavar='N', help='bytes (1 MiB)')
    parser.add_argument(
        '--to',
        choices=('text', 'json', 'options'),
        default='text',
        help="'options' are those of `generators FILE`",
    )
    options = parser.parse_args(arguments)
    source: Any = options.file
    if source == '-':
        source = stdin().read(max(options.sample, 1))
    found = g.csv_sniff(source, sample=options.sample)
    if options.to == 'options':
        print(shlex.join(options_of(found)))
        return DONE
    values = {name: getattr(found, name) for name in found.sure}
    if options.to == 'json':
        print(
            json.dumps(
                {'format': values, 'sure': dict(found.sure), 'next_best': dict(found.next_best)}
            )
        )
        return DONE
    rows: list[tuple[str, ...]] = [('', 'found', 'sure', 'next best')]
    for name, value in values.items():
        after = found.next_best.get(name)
        rows.append(
            (name, repr(value), f'{found.sure[name]:.2f}', '' if after is None else repr(after))
        )
    print_table(rows)
    return DONE


def options_of(found: g.CSVFormat) -> list[str]:
    """What makes `generators FILE` read it so."""
    words: list[str] = []
    if found.encoding not in (None, 'utf-8'):
        words += ['-e', str(found.encoding)]
    for name in ('delimiter', 'escapechar', 'skip', 'comment'):
        if name in found:
            words += [f'--{name}', 'tab' if found[name] == '\t' else str(found[name])]
    if found.quotechar is None:
        words += ['--quoting', 'none']
    elif 'quotechar' in found:
        words += ['--quotechar', found.quotechar]
    if not found.doublequote:
        words.append('--no-doublequote')
    if found.skipinitialspace:
        words.append('--skipinitialspace')
    if not found.header:
        words.append('-n')
    return words


def print_table(rows: list[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = '  '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print(line.rstrip())


def stdin() -> BinaryIO:
    if sys.stdin is None or sys.stdin.isatty():
        raise Trouble('name a FILE, or pipe something in; see --help')
    return sys.stdin.buffer


# ---- schema ----

SCHEMA = """\
Read a whole CSV file, and write for each column the narrowest type that every value has, the
number of empty fields, the number of different values, and the least and greatest value.
Without FILE, standard input is read.
"""


def schema(arguments: list[str]) -> int:
    parser = new_parser('schema', SCHEMA)
    parser.add_argument('file', nargs='?', default='-', metavar='FILE')
    parser.add_argument(
        '--to',
        choices=('text', 'json', 'types', 'sql'),
        default='text',
        help="'types' is for `generators FILE --types`; 'sql' is a CREATE TABLE statement",
    )
    parser.add_argument('--sql', metavar='DIALECT', default='postgresql', help='(postgresql)')
    parser.add_argument('--table', metavar='NAME', help="(the file's name)")
    parser.add_argument('--null', action='append', default=[], metavar='TEXT', help='such as NA')
    parser.add_argument(
        '--distinct', type=count, default=256, metavar='N', help='different values to count (256)'
    )
    group = parser.add_argument_group('how CSV is read')
    add_sources(group)
    add_reading(group)
    options = parser.parse_args(arguments)
    source = stdin() if options.file == '-' else options.file
    keywords = reading(options, options.file)
    found = g.csv_schema(source, null=options.null, distinct=options.distinct, **keywords)
    if options.to == 'text':
        print(found)
    elif options.to == 'json':
        print(json.dumps(found.to_dict(), default=str, ensure_ascii=False))
    elif options.to == 'types':
        print(types_of(found))
    else:
        stem = os.path.basename(options.file).partition('.')[0]
        print(found.sql(options.sql, options.table or stem or 'table'))
    return DONE


def types_of(found: g.CSVSchema) -> str:
    """As --types takes it: of the columns that are not text."""
    pairs = [f'{column.name}={column.type_name}' for column in found if column.type is not str]
    return b''.join(csv_encode([pairs], lineterminator='')).decode() if pairs else ''


COMMANDS: dict[str, Callable[[list[str]], int]] = {'schema': schema, 'sniff': sniff, 'split': split}

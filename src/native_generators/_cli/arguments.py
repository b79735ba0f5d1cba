"""The arguments of `generators FILE...`: which there are, and what argparse can't tell of them."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import json
import os
import sys
from typing import Any

from native_generators import __version__
from native_generators._cli.conditions import Condition, condition
from native_generators._cli.kinds import KINDS as TYPES
from native_generators._cli.kinds import typed_pairs
from native_generators._cli.trouble import EPILOG, Trouble

QUOTING = {'minimal': csv.QUOTE_MINIMAL, 'all': csv.QUOTE_ALL, 'none': csv.QUOTE_NONE}

# What a name says of a file: the kind of what it holds, and how it is compressed.
KINDS = {
    '.csv': 'csv',
    '.tsv': 'tsv',
    '.tab': 'tsv',
    '.json': 'json',
    '.jsonl': 'jsonl',
    '.ndjson': 'jsonl',
    '.parquet': 'parquet',
    '.arrow': 'arrow',
}
COMPRESSED = ('.gz', '.bz2', '.xz', '.zst')
COLUMNS = ('parquet', 'arrow')  # kinds that are written as columns, by pyarrow
TEXT = ('csv', 'tsv')

DESCRIPTION = """\
Read CSV files or files of JSON lines, select columns and rows, convert values, and write the
result as CSV, as JSON, or as a Parquet or Arrow file.  CSV is read as by Python's csv module,
but a quote that is not closed is an error.  All CSV files must have the same columns.  Without
FILE, standard input is read.  The other commands are schema, sniff and split; each has its own
--help.
"""


# ---- values ----


def names_of(text: str) -> list[str]:
    """``a,"b,c"`` as the names that it holds."""
    return next(csv.reader([text]), [])


def character(text: str) -> str:
    result = {'tab': '\t', '\\t': '\t'}.get(text, text)
    if len(result) != 1:
        raise argparse.ArgumentTypeError("one character, or 'tab'")
    return result


def count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f'{text!r} is not a count')
    return int(text)


def limit(text: str) -> int | str:
    return text if text == 'none' else count(text)


def lines_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def where(text: str) -> Condition:
    try:
        return condition(text)
    except ValueError as e:
        raise argparse.ArgumentTypeError(str(e)) from None


# ---- options ----

# Options that are keywords of csv_rows, with which they are passed on as they are.
READING: dict[str, dict[str, Any]] = {
    'dialect': {'metavar': 'NAME', 'help': 'excel, excel-tab or unix'},
    'quotechar': {'type': character, 'metavar': 'CHAR', 'help': '(")'},
    'escapechar': {'type': character, 'metavar': 'CHAR', 'help': '(none)'},
    'no-doublequote': {'help': 'a quote in a quoted field is escaped, not doubled'},
    'skipinitialspace': {'help': 'spaces after a delimiter do not belong to the field'},
    'quoting': {'choices': tuple(QUOTING), 'help': "'none' reads quotes as other characters"},
    'errors': {'metavar': 'NAME', 'help': 'how invalid bytes are decoded: replace, ...'},
    'names': {
        'type': names_of,
        'metavar': 'NAME,...',
        'help': "the columns' names, in place of the header; with -n, of a file without one",
    },
    'ragged': {
        'choices': ('error', 'pad'),
        'help': 'records with too few fields are an error, or get empty fields',
    },
    'skip': {
        'type': lines_or_text,
        'metavar': 'N|TEXT',
        'help': 'lines to skip first: their number, or the beginning of the first line to read',
    },
    'comment': {'metavar': 'TEXT', 'help': 'skip lines that begin with this, such as #'},
    'footer': {'type': count, 'metavar': 'N', 'help': 'leave out the last N records'},
    'blank': {
        'choices': ('skip', 'error'),
        'help': 'blank lines are skipped, or are an error (skip)',
    },
    'duplicates': {
        'choices': ('error', 'number'),
        'help': "'number' renames a second x to x_2, and a third column without a name to column_3",
    },
    'no-multiline': {'help': 'a quote that is not closed in its line is an error of that line'},
    'max-field': {'type': limit, 'metavar': 'N', 'help': 'most characters, or none (131072)'},
    'max-record': {'type': limit, 'metavar': 'N', 'help': 'most bytes, or none (67108864)'},
}
FLAGS = {
    'no-doublequote': ('doublequote', False),
    'skipinitialspace': ('skipinitialspace', True),
    'no-multiline': ('multiline', False),
}

# Those of every reader.
SOURCES = ('compression', 'member', 'complete')


def add_sources(group: Any) -> None:
    add = group.add_argument
    add(
        '--compression',
        choices=('infer', 'none', 'gzip', 'bz2', 'xz', 'zstd', 'zip'),
        help='(infer, from the first bytes)',
    )
    add('--member', metavar='NAME', help='the file in a zip that has several')
    add(
        '--complete',
        action='store_const',
        const=True,
        help='a file that does not end with the end of a line is an error: it may be cut off',
    )


def opening(options: argparse.Namespace) -> dict[str, Any]:
    """The keywords with which the files are opened."""
    given = {name: getattr(options, name) for name in SOURCES}
    return {
        name: None if value == 'none' else value
        for name, value in given.items()
        if value is not None
    }


def dest_of(option: str) -> str:
    return FLAGS[option][0] if option in FLAGS else option.replace('-', '_')


def add_reading(group: Any) -> None:
    """The options of how CSV is read, which all commands have."""
    add = group.add_argument
    add('-d', '--delimiter', type=character, metavar='CHAR', help="(, or as .tsv says) or 'tab'")
    add('-t', '--tabs', dest='delimiter', action='store_const', const='\t', help='as -d tab')
    add(
        '-n',
        '--no-header',
        dest='header',
        action='store_false',
        help='the files have no header: columns are numbered from 1',
    )
    add('-e', '--encoding', help='of the files read (utf-8)')
    add(
        '--sniff',
        action='store_true',
        help='find the parameters that no option gives from the beginning of each file',
    )
    add('--lenient', action='store_true', help='quotes that are not closed are read as csv does')
    for option, settings in READING.items():
        if option in FLAGS:
            dest, value = FLAGS[option]
            add(f'--{option}', dest=dest, action='store_const', const=value, **settings)
        else:
            add(f'--{option}', **settings)


def reading(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """The keywords with which a file is read as CSV."""
    keywords: dict[str, Any] = {'header': options.header, 'encoding': 'utf-8'}
    if options.sniff:
        from native_generators import csv_sniff  # not at every start

        keywords.update(csv_sniff(name))
        keywords['header'] = keywords['header'] and options.header
    if options.encoding is not None:
        keywords['encoding'] = options.encoding
    keywords.update(strict=not options.lenient, **opening(options))
    for option in READING:
        value = getattr(options, dest_of(option))
        if value is not None:
            keywords[dest_of(option)] = None if value == 'none' else value
    if options.quoting is not None:
        keywords['quoting'] = QUOTING[options.quoting]
    if options.delimiter is not None:
        keywords['delimiter'] = options.delimiter
    elif options.dialect is None and not options.sniff and kind_of(name)[0] == 'tsv':
        keywords['delimiter'] = '\t'
    return keywords


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog='generators',
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument('--version', action='version', version=f'%(prog)s {__version__}')
    result.add_argument(
        'files', nargs='*', metavar='FILE', help="a file, compressed or not, or '-' for stdin"
    )
    add = result.add_argument_group('what is chosen').add_argument
    add(
        '-c',
        '--columns',
        type=names_of,
        action='extend',
        metavar='NAME,...',
        help='only these columns, in this order: names, or numbers such as 1, 3-5 or 7-; in JSON '
        'lines, the names of objects',
    )
    add(
        '--where',
        type=where,
        action='append',
        default=[],
        metavar='CONDITION',
        help='only rows for which it is true: NAME=VALUE, NAME!=VALUE, NAME>VALUE (or >= < <=), '
        'NAME~REGEX or NAME!~REGEX; numbers are compared as numbers, or as --types says; '
        'repeated: all must hold, but of several NAME=VALUE of one name, one',
    )
    add('--head', type=count, metavar='N', help='only the first N rows')
    group = result.add_argument_group('how it is read')
    add = group.add_argument
    add('--from', choices=('csv', 'jsonl'), help='what is read (csv, or as .jsonl says)')
    add_sources(group)
    add_reading(result.add_argument_group('how CSV is read'))
    add(
        '--types',
        type=typed_pairs,
        action='extend',
        default=[],
        metavar='NAME=TYPE,...',
        help=f'types of columns: {", ".join(TYPES)}; an empty field is then no value',
    )
    add(
        '--null',
        action='append',
        default=[],
        metavar='TEXT',
        help='a text that means no value in typed columns, such as NA; may be repeated',
    )
    add('--decimal', type=character, metavar='CHAR', help='decimal point of float, decimal(P,S)')
    add(
        '--thousands',
        metavar='CHAR',
        help='characters between groups of digits, in int, float and decimal(P,S)',
    )
    add(
        '--date-format',
        metavar='FORMAT',
        help="how date and datetime are written, as for strptime: '%%d.%%m.%%Y' (ISO 8601)",
    )
    add('--rejects', metavar='FILE', help='write records that cannot be read to it, unchanged')
    add(
        '--reject-reasons',
        metavar='FILE',
        help='write the file, line, column and error of each of them to this file, as CSV',
    )
    add(
        '--part',
        metavar='FILE',
        help='read only one part of the file: FILE contains it as JSON, as `generators split` '
        'writes it',
    )
    add = result.add_argument_group('what is written').add_argument
    add(
        '--to',
        choices=(*TEXT, 'json', 'jsonl', *COLUMNS),
        help='(csv, or as the name of --output says); json is an array, jsonl a line for each '
        'row; parquet and arrow, a file of Arrow IPC, need pyarrow',
    )
    add(
        '--output',
        '-o',
        metavar='FILE',
        help='the file to write, in place of stdout: compressed if it is called .gz, .bz2, '
        '.xz or .zst',
    )
    add('--out-delimiter', type=character, metavar='CHAR', help="of the output, or 'tab'")
    add(
        '--convert',
        action='store_true',
        help='write CSV from the values of --types, in place of the text of the file',
    )
    add = result.add_argument_group('long runs').add_argument
    add(
        '--resume',
        metavar='FILE',
        help='save the position there; a run with the same arguments continues from it',
    )
    add(
        '--changed',
        choices=('error', 'append'),
        default='error',
        help="'append' lets --resume read what has been added to a file since",
    )
    add(
        '--progress',
        action=argparse.BooleanOptionalAction,
        help='show the progress on stderr; the default if that is a terminal',
    )
    return result


# ---- what is told by names ----


def kind_of(name: str) -> tuple[str | None, str | None]:
    """What the name of a file says: the kind, and the compression as a suffix; None for neither."""
    name = name.lower()
    compression = next((suffix for suffix in COMPRESSED if name.endswith(suffix)), None)
    if compression is not None:
        name = name[: -len(compression)]
    return KINDS.get(os.path.splitext(name)[1]), compression


def complete(options: argparse.Namespace) -> None:
    """Set what the names of the files, and the terminal, say where no option does."""
    if not options.files:
        if sys.stdin is None or sys.stdin.isatty():
            raise Trouble('name a FILE, or pipe something in; see --help')
        options.files = ['-']
    if getattr(options, 'from') is None:
        kinds = {kind_of(name)[0] == 'jsonl' for name in options.files}
        if kinds == {True, False}:
            raise Trouble('some files end in .jsonl and some do not: choose with --from')
        setattr(options, 'from', 'jsonl' if kinds == {True} else 'csv')
    if options.to is None:
        kind = kind_of(options.output)[0] if options.output else None
        options.to = kind or 'csv'


# ---- what can't be ----

# Options that only CSV has a use for, and what they are without being given.
CSV_ONLY: dict[str, Any] = {
    'types': [],
    'null': [],
    'delimiter': None,
    'header': True,
    'part': None,
    'lenient': False,
    'sniff': False,
    'decimal': None,
    'thousands': None,
    'date_format': None,
    **{dest_of(option): None for option in READING},
}


def option_of(dest: str) -> str:
    if dest == 'header':
        return 'no-header'
    flags = {name: option for option, (name, _) in FLAGS.items()}
    return flags.get(dest, dest.replace('_', '-'))


def check(options: argparse.Namespace) -> None:
    if reads_jsonl(options):
        for dest, default in CSV_ONLY.items():
            if getattr(options, dest) != default:
                raise Trouble(f'--{option_of(dest)} is for CSV, and --from jsonl reads JSON lines')
    if options.to in COLUMNS:
        check_columns(options)
    if options.null and not options.types:
        raise Trouble('--null applies to typed columns only: also pass --types')
    if options.out_delimiter and options.to not in TEXT:
        raise Trouble(f'--out-delimiter is for CSV, and --to {options.to} writes none')
    if options.resume:
        check_resume(options)
    elif options.changed != 'error':
        raise Trouble('--changed needs --resume')
    if options.reject_reasons and not options.rejects:
        raise Trouble(
            '--reject-reasons needs --rejects: without it, the first bad record ends the run'
        )
    if options.sniff and '-' in options.files:
        raise Trouble('--sniff needs a file: stdin can be read only once')
    if options.part and (len(options.files) > 1 or '-' in options.files):
        raise Trouble('--part needs one file, not stdin')
    if options.files.count('-') > 1:
        raise Trouble('stdin can be read only once')
    check_files(options)


def check_columns(options: argparse.Namespace) -> None:
    if reads_jsonl(options):
        raise Trouble(f'--to {options.to} is for CSV, and --from jsonl reads JSON lines')
    if options.resume:
        raise Trouble(f'--to {options.to} cannot be resumed: --resume appends lines only')
    if options.output is None and sys.stdout is not None and sys.stdout.isatty():
        raise Trouble(f'--to {options.to} writes no text: name a file with --output')
    if options.output is not None and kind_of(options.output)[1]:
        raise Trouble(f'{options.output}: --to {options.to} compresses by itself')
    for name, kind in options.types:
        if kind == 'decimal':
            raise Trouble(
                f'--types {name}=decimal: a column needs a precision, and this type has none'
            )
    if importlib.util.find_spec('pyarrow') is None:
        raise Trouble(f"--to {options.to} needs pyarrow: pip install 'native-generators[columns]'")


def check_resume(options: argparse.Namespace) -> None:
    if not options.output:
        raise Trouble('--resume needs --output: what was written must be found again')
    if '-' in options.files:
        raise Trouble('--resume cannot read stdin again')
    if options.head is not None:
        raise Trouble('--resume reads to the end, and --head does not')
    if options.to == 'json' or kind_of(options.output)[1]:
        raise Trouble(
            f'{options.output}: --resume cannot append to a file that is compressed or JSON'
        )


def check_files(options: argparse.Namespace) -> None:
    written = [
        path
        for path in (options.output, options.rejects, options.reject_reasons, options.resume)
        if path
    ]
    for i, path in enumerate(written):
        for other in [*options.files, *written[:i]]:
            if same_file(path, other):
                raise Trouble(f'{path}: this run uses the same file twice')


def reads_jsonl(options: argparse.Namespace) -> bool:
    return bool(getattr(options, 'from') == 'jsonl')


def same_file(one: str, other: str) -> bool:
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.abspath(one) == os.path.abspath(other)


def read_part(path: str | None) -> Any:
    """What ``--part`` names."""
    if path is None:
        return None
    with open(path, encoding='utf-8') as file:
        try:
            part = json.load(file)
        except ValueError as e:
            raise Trouble(f'{path}: it is not JSON ({e})') from None
    if not isinstance(part, dict) or 'end' not in part:
        raise Trouble(f'{path}: it is not a part made by csv_split()')
    return part

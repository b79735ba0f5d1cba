"""The commands that have a name: ``generators split FILE``, and so on."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from typing import Any

from native_generators import csv_split
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
Cut a CSV file into parts of whole records, about as large as each other, and write what says
where each is, as JSON: a line for each part.  `generators FILE --part PART.json` reads one.
With --output, each line is a file of its own.
"""


def split(arguments: list[str]) -> int:
    parser = new_parser('split', SPLIT)
    parser.add_argument('file', metavar='FILE', help='one that can be sought: no pipe')
    parser.add_argument('--parts', type=count, default=os.cpu_count() or 1, metavar='N')
    parser.add_argument(
        '--output',
        '-o',
        metavar='PATTERN',
        help="as in 'part-{}.json': files, with the number of the part in place of {}",
    )
    group = parser.add_argument_group('how CSV is read')
    add_sources(group)
    add_reading(group)
    options = parser.parse_args(arguments)
    if options.output is not None and '{}' not in options.output:
        raise Trouble(f'--output {options.output}: there is no {{}} for the number of the part')
    if options.file == '-':
        raise Trouble('split needs a file, not stdin: its parts are read from there')
    keywords: dict[str, Any] = reading(options, options.file)
    parts = csv_split(options.file, parts=options.parts, header=options.header, **keywords)
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


COMMANDS: dict[str, Callable[[list[str]], int]] = {'split': split}

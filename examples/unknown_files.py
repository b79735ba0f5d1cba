"""CSV files from anywhere as JSON lines, each read as it is found to be.

    python unknown_files.py FILE... [--sure 0.7]

A file whose delimiter or header can't be told surely enough is named on stderr with what it may
be, and left out, so that a person looks at it.
"""

import argparse
import sys
from collections.abc import Sequence

from generators import CSVFormat, csv_rows, csv_sniff, jsonl_encode

ENCODINGS = ('cp1252',)  # what the senders use besides UTF-8


def doubts(format: CSVFormat, least: float) -> list[str]:
    return [
        f'{name} may be {getattr(format, name)!r} or {format.next_best[name]!r}'
        for name in ('delimiter', 'header')
        if format.sure[name] < least
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or '').splitlines()[0])
    parser.add_argument('files', nargs='+')
    parser.add_argument('--sure', type=float, default=0.7)
    options = parser.parse_args(arguments)
    status = 0
    for path in options.files:
        format = csv_sniff(path, encodings=ENCODINGS)
        if found := doubts(format, options.sure):
            print(f'{path}: {", ".join(found)}', file=sys.stderr)
            status = 1
            continue
        for chunk in jsonl_encode(csv_rows(path, into=dict, **format)):
            sys.stdout.write(chunk.decode())
    return status


if __name__ == '__main__':
    raise SystemExit(main())

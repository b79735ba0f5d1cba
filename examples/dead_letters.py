"""Records that cannot be read are kept in a dead-letter file, each with the reason.

    python dead_letters.py orders.csv orders.dead.csv

The file has the columns file, line, column, reason and record, the last one as the source
had it, so that somebody can mend the records, and `mended()` gives their text back to be
read again.  Without arguments it shows this on a few lines.
"""

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from generators import CSVError, csv_encode, csv_rows


@dataclass(frozen=True, slots=True)
class Order:
    id: int
    day: date
    amount: Decimal
    note: str


@dataclass
class Letter:
    file: str | None
    line: int | None
    column: str | None
    reason: str
    record: str


class DeadLetters:
    """What `on_error` is given, written at once: nothing is lost if the program stops."""

    def __init__(self, path: Path, encoding: str = 'utf-8') -> None:
        self.file = open(path, 'wb')
        self.encoding = encoding
        self.count = 0
        self.write(csv_encode([], columns=list(Letter.__annotations__), header=True))

    def write(self, chunks: Iterator[bytes]) -> None:
        self.file.write(b''.join(chunks))
        self.file.flush()

    def __call__(self, error: CSVError, raw: bytes) -> None:
        reason = str(error.__cause__ or error)
        record = raw.decode(self.encoding, 'backslashreplace').rstrip('\r\n')
        column = None if error.column is None else str(error.column)
        letter = Letter(error.path, error.line, column, reason, record)
        self.write(csv_encode([letter], columns=list(Letter.__annotations__)))
        self.count += 1

    def __enter__(self) -> 'DeadLetters':
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def read_orders(source: Path, dead: DeadLetters) -> Iterator[Order]:
    yield from csv_rows(source, into=Order, on_error=dead)


def mended(path: Path) -> str:
    """The records of a dead-letter file, to be read again."""
    return ''.join(letter.record + '\n' for letter in csv_rows(path, into=Letter))


ORDERS = '''\
id,day,amount,note
1,2024-02-28,10.50,"two
lines"
2,2024-02-30,1,no such day
3,2024-03-01,a lot,"quoted ""text"""
4,2024-03-01,7
5,2024-03-02,0.25,fine
'''


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, 'orders.csv'), Path(folder, 'orders.dead.csv')
        if len(sys.argv) > 2:
            source, target = map(Path, sys.argv[1:3])
        else:
            source.write_text(ORDERS, 'utf-8')
        with DeadLetters(target) as dead:
            orders = list(read_orders(source, dead))
        print(f'{len(orders)} orders of {sum(order.amount for order in orders)} in all')
        for letter in csv_rows(target, into=Letter):
            print(f'line {letter.line}, {letter.column or "the record"}: {letter.reason}')


if __name__ == '__main__':
    main()

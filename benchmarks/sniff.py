"""Dialects of annotated files: how many are found, and how fast, against named peers.

    python benchmarks/sniff.py [--rounds 3] [--only WORD ...] [--cpu]

The files are those of ../shared/dialects beside the repository, or of the folder DIALECTS: 317
files with the dialect that people noted.  A file counts where the delimiter is right and, if the
annotated quote character occurs in it, that too; failures are wrong.  All tools are given the same
text, or the same file where they take nothing else.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from measure import Row, Skipped, Suite, at_least, compared, medians, milliseconds, package

from generators import csv_sniff

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get('DIALECTS', ROOT.parent / 'shared' / 'dialects'))
DELIMITERS = {'comma': ',', 'semicolon': ';', 'tab': '\t', 'vslash': '|', 'nsign': '#'}
DELIMITERS['space'] = ' '
QUOTES = {'doublequote': '"', 'singlequote': "'"}
BARS = {'all': 0.95, 'wrangling': 0.90}
CLEVERCSV = 30.0
MILLISECONDS = 10.0  # at most, for 64 KiB

suite = Suite(__doc__, rounds=3)


class Annotated(NamedTuple):
    path: str
    corpus: str
    text: str
    delimiter: str
    quotechar: str


Found = tuple[str | None, str | None]  # delimiter, quotechar
Sniffer = Callable[[Annotated], Found]


def annotated() -> list[Annotated]:
    if not FOLDER.is_dir():
        raise Skipped(f'no annotated files: {FOLDER}')
    files = []
    for line in (FOLDER / 'annotations.txt').read_text().splitlines()[1:]:
        name, corpus, _, delimiter, quotechar, *_ = line.split('|')
        path = FOLDER / 'files' / name
        text = path.read_bytes().decode('utf-8', 'replace')
        files.append(
            Annotated(str(path), corpus, text, DELIMITERS[delimiter], QUOTES.get(quotechar, ''))
        )
    return files


def is_right(file: Annotated, sniffer: Sniffer) -> bool:
    try:
        delimiter, quotechar = sniffer(file)
    except Exception:
        return False
    occurs = file.quotechar and file.quotechar in file.text
    return delimiter == file.delimiter and (not occurs or quotechar == file.quotechar)


def ours(file: Annotated) -> Found:
    found = csv_sniff(file.path)
    return found.delimiter, found.quotechar


def standard(file: Annotated) -> Found:
    found = csv.Sniffer().sniff(file.text)
    return found.delimiter, found.quotechar


def clever() -> Sniffer:
    detector = package('clevercsv').Detector

    def sniff(file: Annotated) -> Found:
        found = detector().detect(file.text)
        return found.delimiter, found.quotechar

    return sniff


def duck() -> Sniffer:
    connection = package('duckdb').connect()

    def sniff(file: Annotated) -> Found:
        query = 'select Delimiter, Quote from sniff_csv(?)'
        delimiter, quote = connection.execute(query, [file.path]).fetchone()
        return delimiter, None if quote == '(empty)' else quote

    return sniff


PEERS: dict[str, Callable[[], Sniffer]] = {
    'csv.Sniffer': lambda: standard,
    'CleverCSV': clever,
    'duckdb sniff_csv': duck,
}


def accuracy(work: str, files: list[Annotated], sniffer: Sniffer, bars: bool) -> Iterator[Row]:
    right = [(file.corpus, is_right(file, sniffer)) for file in files]
    for corpus in 'all', 'w3c', 'wrangling':
        of_it = [fine for name, fine in right if corpus in ('all', name)]
        share = sum(of_it) / len(of_it)
        bar = at_least(BARS.get(corpus), share) if bars else ''
        yield Row(f'accuracy, {corpus}', work, ratio=f'{share:.3f}', bar=bar)


@suite.measurement
def accuracies() -> Iterator[Row]:
    files = annotated()
    yield from accuracy('csv_sniff', files, ours, True)
    for name, make in PEERS.items():
        try:
            sniffer = make()
        except Skipped as reason:
            yield Row('accuracy', name, bar=f'skipped: {reason}')
            continue
        yield from accuracy(name, files, sniffer, False)


def over_all(files: list[Annotated], sniffer: Sniffer) -> Callable[[], None]:
    def work() -> None:
        for file in files:
            try:
                sniffer(file)
            except Exception:  # it takes its time, too
                continue

    return work


@suite.measurement
def speed() -> Iterator[Row]:
    files = annotated()
    for name, make in PEERS.items():
        try:
            sniffer = make()
        except Skipped as reason:
            yield Row(f'{len(files)} files', name, bar=f'skipped: {reason}')
            continue
        works = over_all(files, sniffer), over_all(files, ours)
        theirs, mine = medians(works, suite.options.rounds)
        bar = CLEVERCSV if name == 'CleverCSV' else None
        yield compared(f'{len(files)} files', name, theirs, mine, bar)


@suite.measurement
def long_samples() -> Iterator[Row]:
    line = '{0},"Name, {0}",2024-01-05,{0}.25,some text\r\n'
    data = ''.join(map(line.format, range(50_000))).encode()
    for size, bar in (1 << 16, MILLISECONDS), (1 << 20, None):
        (seconds,) = medians([lambda size=size: csv_sniff(data, sample=size)], suite.options.rounds)
        fine = 'ok' if bar is None or seconds * 1e3 <= bar else 'MISSED'
        shown = '' if bar is None else f'<= {bar:g} ms {fine}'
        yield Row(f'a sample of {size >> 10} KiB', ours=milliseconds(seconds), bar=shown)


if __name__ == '__main__':
    raise SystemExit(suite.main())

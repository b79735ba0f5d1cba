"""Other projects' test files as batches, in every cut and under many dialects: as rows."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

from generators import csv_batches, csv_rows

from . import oracle
from .batches import check_batches
from .corpus import DATA, NAMES
from .strategies import cut
from .test_files import DIALECTS, ENCODINGS, LARGE, LIMIT, SMALL, content

pytestmark = pytest.mark.skipif(not NAMES, reason='no ../shared/data beside the repository')

FILES = DATA.parent / 'dialects' / 'files'
ANNOTATIONS = DATA.parent / 'dialects' / 'annotations.txt'


def as_text(raw: bytes, dialect: dict[str, Any]) -> dict[str, Any]:
    """Arguments with which csv_rows() makes no numbers of what is no string."""
    if dialect.get('quoting') not in (oracle.QUOTE_NONNUMERIC, oracle.QUOTE_STRINGS):
        return dialect
    plain = dialect | {'quoting': oracle.QUOTE_MINIMAL}
    first = next((row for row in csv_rows(raw, errors='replace', **plain) if row), [])
    return dialect | {'types': dict.fromkeys(range(len(first)), str)}


@pytest.mark.parametrize('ragged', ['error', 'pad'])
@pytest.mark.parametrize('name', SMALL)
def test_every_cut(kernel_csv_batches: Any, name: str, ragged: str) -> None:
    raw = content(name)
    if oracle.begins_packed(raw):
        return  # an error, and nothing to compare
    read = check_batches(kernel_csv_batches, lambda: raw, header=False, ragged=ragged)
    for size in (1, 3, 17, 64, 129):
        pieces = cut(raw, size)
        came = check_batches(
            kernel_csv_batches,
            lambda pieces=pieces: iter(pieces),
            (7,),
            items='chunks',
            header=False,
            ragged=ragged,
        )
        assert came.rows == read.rows


@pytest.mark.parametrize('name', LARGE)
def test_large_files(name: str) -> None:
    path = DATA / name
    for ragged in ('error', 'pad'):
        check_batches(csv_batches, lambda: path, (1000, 65536), header=False, ragged=ragged)
    check_batches(csv_batches, lambda: content(name)[:LIMIT], header=False, on_error='skip')


@pytest.mark.parametrize('dialect', DIALECTS)
def test_small_files_under_a_dialect(kernel_csv_batches: Any, dialect: str) -> None:
    for name in SMALL:
        raw = content(name)
        if oracle.begins_packed(raw):
            continue
        arguments = as_text(raw, DIALECTS[dialect]) | {'header': False, 'errors': 'replace'}
        for on_error in ('raise', 'skip'):
            for size in (len(raw) + 1, 65):
                pieces = cut(raw, size)
                check_batches(
                    kernel_csv_batches,
                    lambda pieces=pieces: iter(pieces),
                    (1, 7, 1000),
                    items='chunks',
                    on_error=on_error,
                    **arguments,
                )


@pytest.mark.parametrize('name', NAMES)
def test_every_file_as_a_text_file(name: str) -> None:
    with contextlib.ExitStack() as files:

        def text() -> io.TextIOWrapper:
            path = DATA / name
            return files.enter_context(path.open(encoding='utf-8', errors='replace', newline=''))

        check_batches(csv_batches, text, (7, 1000), header=False, ragged='pad')


@pytest.mark.parametrize('name', sorted(ENCODINGS.keys() & set(NAMES)))
def test_a_file_in_its_own_encoding(name: str) -> None:
    raw = content(name)
    read = check_batches(csv_batches, lambda: DATA / name, encoding=ENCODINGS[name])
    assert read.error is None
    for size in (1, 2, 3, 64):
        pieces = cut(raw, size)
        check_batches(
            csv_batches,
            lambda pieces=pieces: iter(pieces),
            (2,),
            encoding=ENCODINGS[name],
            items='chunks',
        )


ANNOTATED = ANNOTATIONS.read_text('utf-8').splitlines()[1:] if ANNOTATIONS.exists() else []
SEPARATORS = {
    'comma': ',',
    'nsign': '#',
    'semicolon': ';',
    'space': ' ',
    'tab': '\t',
    'vslash': '|',
}
QUOTES = {'doublequote': '"', 'singlequote': "'"}
CODECS = {'ansi': 'cp1252', 'shif-jis': 'shift-jis', 'utf8': 'utf-8'}


@pytest.mark.skipif(not ANNOTATED, reason='no ../shared/dialects beside the repository')
@pytest.mark.parametrize('part', range(8))
def test_files_of_the_web_in_their_dialects(part: int) -> None:
    for line in ANNOTATED[part::8]:
        name, _, encoding, delimiter, quote, escape, _ = line.split('|')
        path = FILES / name
        dialect: dict[str, Any] = {
            'delimiter': SEPARATORS[delimiter],
            'quotechar': QUOTES[quote],
            'escapechar': '\\' if escape == 'backslash' else None,
            'encoding': CODECS.get(encoding, encoding),
            'errors': 'replace',
        }
        for ragged in ('pad', 'error'):
            check_batches(
                csv_batches,
                lambda path=path: path,
                (7, 1000),
                header=False,
                ragged=ragged,
                on_error='skip',
                **dialect,
            )

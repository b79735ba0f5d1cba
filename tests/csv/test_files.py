"""Other projects' test files, in every cut and under many dialects; and what they say of csv."""

from __future__ import annotations

import io
import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from generators import csv_rows

from . import oracle
from .compare import CsvRows, check
from .corpus import DATA, NAMES
from .oracle import Outcome
from .strategies import cut

LIMIT = 64 * 1024
SMALL = [name for name in NAMES if (DATA / name).stat().st_size <= LIMIT]
LARGE = [name for name in NAMES if name not in SMALL]

pytestmark = pytest.mark.skipif(not NAMES, reason='no ../shared/data beside the repository')

SIZES = [
    *(1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129),
    *(255, 256, 257, 511, 512, 513, 1023, 1024, 1025, 2047, 2048, 2049, 4095, 4096, 4097),
    *(8191, 8192, 8193, 16383, 16384, 16385, 32767, 32768, 32769, 65535, 65536, 65537),
]

DIALECTS: dict[str, dict[str, Any]] = {
    'excel': {},
    'strict': {'strict': True},
    'semicolon': {'delimiter': ';', 'quotechar': "'"},
    'tab': {'delimiter': '\t'},
    'escape': {'escapechar': '\\'},
    'escape_no_doubling': {'escapechar': '\\', 'doublequote': False},
    'no_doubling_strict': {'doublequote': False, 'strict': True},
    'skip_spaces': {'skipinitialspace': True},
    'no_quotes': {'quoting': oracle.QUOTE_NONE},
    'no_quotes_escape': {'quoting': oracle.QUOTE_NONE, 'escapechar': '\\'},
    'letters': {'delimiter': 'e', 'quotechar': 'a', 'escapechar': 'n'},
    'wide': {'delimiter': 'é', 'quotechar': '€', 'escapechar': '😀'},
    'numbers': {'quoting': oracle.QUOTE_NONNUMERIC},
    'strings': {'quoting': oracle.QUOTE_STRINGS},
    'not_null': {'quoting': oracle.QUOTE_NOTNULL},
}

ENCODINGS = {
    'libvroom/encoding/latin1.csv': 'latin-1',
    'libvroom/encoding/utf16_be_bom.csv': 'utf-16',
    'libvroom/encoding/utf16_be_no_bom.csv': 'utf-16-be',
    'libvroom/encoding/utf16_bom.csv': 'utf-16',
    'libvroom/encoding/utf16_le_bom.csv': 'utf-16',
    'libvroom/encoding/utf16_le_no_bom.csv': 'utf-16-le',
    'libvroom/encoding/utf32_be_bom.csv': 'utf-32',
    'libvroom/encoding/utf32_le_bom.csv': 'utf-32',
    'libvroom/encoding/utf8_bom.csv': 'utf-8',
}


@cache
def content(name: str) -> bytes:
    return (DATA / name).read_bytes()


@cache
def expected_of(raw: bytes, encoding: str = 'utf-8', **dialect: Any) -> Outcome:
    """What the rule gives; found once, and held against every kernel."""
    if encoding == 'utf-8' and oracle.begins_packed(raw):
        return Outcome(error=oracle.csv.Error)
    # The plain statement takes a second for a megabyte.
    if len(raw) >= LIMIT // 2:
        return oracle.read_quickly(oracle.text_lines(raw, encoding), **dialect)
    return oracle.read_bytes(raw, encoding, **dialect)


@pytest.mark.parametrize('name', SMALL)
def test_every_cut(kernel_csv_rows: CsvRows, name: str) -> None:
    raw = content(name)
    expected = expected_of(raw)
    check(kernel_csv_rows, raw, expected)
    for size in SIZES:
        check(kernel_csv_rows, cut(raw, size), expected, items='chunks')
        if size >= len(raw):
            break


@pytest.mark.parametrize('name', LARGE)
def test_every_cut_of_the_first_64_kib(kernel_csv_rows: CsvRows, name: str) -> None:
    raw = content(name)[:LIMIT].decode('utf-8', 'ignore').encode()
    expected = expected_of(raw)
    for size in SIZES:
        check(kernel_csv_rows, cut(raw, size), expected, items='chunks')


@pytest.mark.parametrize('name', LARGE)
def test_large_cuts_of_a_large_file(kernel_csv_rows: CsvRows, name: str) -> None:
    raw = content(name)
    expected = expected_of(raw)
    check(kernel_csv_rows, raw, expected)
    check(kernel_csv_rows, DATA / name, expected)
    for size in (4097, 65535, 65537):
        check(kernel_csv_rows, cut(raw, size), expected, items='chunks')


@pytest.mark.parametrize('dialect', DIALECTS)
def test_small_files_under_a_dialect(kernel_csv_rows: CsvRows, dialect: str) -> None:
    arguments = DIALECTS[dialect]
    for name in SMALL:
        raw = content(name)
        expected = expected_of(raw, **arguments)
        check(kernel_csv_rows, raw, expected, **arguments)
        for size in (1, 63, 65):
            check(kernel_csv_rows, cut(raw, size), expected, items='chunks', **arguments)


@pytest.mark.parametrize('dialect', DIALECTS)
@pytest.mark.parametrize('name', LARGE)
def test_large_files_under_a_dialect(name: str, dialect: str) -> None:
    """Their first 200 KiB, which is some blocks; the plain statement is given less to do."""
    arguments = DIALECTS[dialect]
    size = 200 * 1024 if oracle.running_csv_agrees(arguments) else LIMIT
    raw = content(name)[:size].decode('utf-8', 'ignore').encode()
    expected = expected_of(raw, **arguments)
    check(csv_rows, raw, expected, **arguments)
    check(csv_rows, cut(raw, 4097), expected, items='chunks', **arguments)


@pytest.mark.parametrize('name', NAMES)
def test_every_file_by_its_path_and_as_a_file(name: str) -> None:
    expected = expected_of(content(name))
    check(csv_rows, str(DATA / name), expected)
    with (DATA / name).open('rb') as file:
        check(csv_rows, file, expected)


@pytest.mark.parametrize('newline', ['', None])
@pytest.mark.parametrize('name', NAMES)
def test_every_file_as_a_text_file(name: str, newline: str | None) -> None:
    def text() -> io.TextIOWrapper:
        return (DATA / name).open(encoding='utf-8', errors='surrogateescape', newline=newline)

    with text() as file:
        expected = oracle.read_quickly(file)
    with text() as file:
        check(csv_rows, file, expected)


@pytest.mark.parametrize('name', NAMES)
def test_every_file_as_str_lines_and_chunks(kernel_csv_rows: CsvRows, name: str) -> None:
    text = content(name)[: 8 * LIMIT].decode('utf-8', 'surrogateescape')
    lines = oracle.split_lines(text)
    expected = oracle.read_quickly(lines)
    check(kernel_csv_rows, lines, expected)
    for size in (61, 64, 4097):
        check(kernel_csv_rows, cut(text, size), expected, items='chunks')


@pytest.mark.parametrize(
    'name', [name for name in SMALL if not oracle.begins_packed(content(name), 'latin-1')]
)
def test_every_small_file_in_latin_1(name: str) -> None:
    raw = content(name)
    expected = oracle.read_bytes(raw, 'latin-1')
    for size in (1, 64, LIMIT):
        check(csv_rows, cut(raw, size), expected, encoding='latin-1', items='chunks')


@pytest.mark.parametrize('name', sorted(ENCODINGS.keys() & set(NAMES)))
def test_a_file_in_its_own_encoding_in_every_cut(name: str) -> None:
    raw = content(name)
    encoding = ENCODINGS[name]
    expected = oracle.read_bytes(raw, encoding)
    assert expected.error is None
    assert expected.rows[0][0].startswith('name')
    check(csv_rows, DATA / name, expected, encoding=encoding)
    for size in SIZES[:20]:
        check(csv_rows, cut(raw, size), expected, encoding=encoding, items='chunks')


# --- what the files' authors expect ----------------------------------------------------------

SPECTRUM = [Path(name).stem for name in NAMES if name.startswith('csv-spectrum')]

SPECTRUM_DIFFERS = {'newlines_crlf': 'the CSV file has lost its returns, the JSON has them'}


@pytest.mark.parametrize('name', SPECTRUM)
def test_csv_spectrum(name: str) -> None:
    expected = json.loads((DATA / f'csv-spectrum/json/{name}.json').read_bytes())
    header, *rows = csv_rows(DATA / f'csv-spectrum/csvs/{name}.csv')
    agrees = [dict(zip(header, row, strict=True)) for row in rows] == expected
    assert agrees is (name not in SPECTRUM_DIFFERS)


# Where csv.reader does otherwise, it is right and the specification is not ours.
CSV_DIFFERS = {
    'line-breaks-3': "a blank record is [], not ['']",
    'skip-empty-lines-1': 'blank records are given',
    'skip-empty-lines-2': 'blank records are given',
    'skip-empty-lines-3': 'blank records are given',
}
LINE_ENDS = {'\u240d': '\r', '\u240a': '\n', '\u2424': '\r\n', '\u2420': ' '}
ANY_LINE_END = '\u23ce'


def scalars(flow: str) -> list[str]:
    """The quoted scalars of a line: ``'it''s'`` or ``"a\\tb"``."""
    found = re.findall(r"'((?:[^']|'')*)'|(\"(?:[^\"\\]|\\.)*\")", flow)
    return [json.loads(double) if double else single.replace("''", "'") for single, double in found]


def comparison_checks(path: Path) -> list[tuple[str, str, list[list[str]]]]:
    """The checks of one specification; of YAML, only as much as these files use."""
    checks: list[tuple[str, str, list[list[str]]]] = []
    for line in path.read_text(encoding='utf-8').splitlines():
        key, _, rest = line.strip().partition(' ')
        if line.strip().startswith('- id: '):
            identity = line.split('- id: ')[1].strip()
        elif key == 'input:':
            (text,) = scalars(rest)
            checks.append((identity, text, []))
        elif key == '-' and rest.startswith('['):
            checks[-1][2].append(scalars(rest))
    return checks


def spelled(text: str, line_end: str) -> str:
    for picture, char in LINE_ENDS.items():
        text = text.replace(picture, char)
    return text.replace(ANY_LINE_END, line_end)


# A reader that knows comments is something else.
COMPARISON = [
    pytest.param(*check_, id=check_[0])
    for path in sorted(DATA.glob('csv-comparison/*.yaml'))
    if path.stem not in ('comments-read', 'comments-skip')
    for check_ in comparison_checks(path)
]


@pytest.mark.parametrize('line_end', ['\n', '\r', '\r\n'], ids=['lf', 'cr', 'crlf'])
@pytest.mark.parametrize(('identity', 'text', 'records'), COMPARISON)
def test_csv_comparison(identity: str, text: str, records: list[list[str]], line_end: str) -> None:
    raw = spelled(text, line_end).encode()
    records = [[spelled(field, line_end) for field in record] for record in records]
    expected = oracle.read_bytes(raw)
    assert (expected.rows != records) is (identity in CSV_DIFFERS)
    for size in (1, 2, 3, 64):
        check(csv_rows, cut(raw, size), expected, items='chunks')


def test_csv_comparison_is_read_whole() -> None:
    """So that the small YAML parser cannot lose a check in silence."""
    for path in DATA.glob('csv-comparison/*.yaml'):
        assert len(comparison_checks(path)) == path.read_text(encoding='utf-8').count('- id:')

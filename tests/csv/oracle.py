"""The rule that ``csv_rows`` keeps: CPython 3.13's ``_csv`` reader, on every interpreter.

From 3.13 on the running ``csv`` module is the oracle.  Before that, ``PlainReader`` is: the same
machine said in plain Python, one character at a time.  ``test_reader_rule.py`` holds the plain
statement against ``csv`` on 3.13 and newer, so that on 3.11 and 3.12 it may be trusted.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import chain
from typing import Any

RUNNING_CSV_IS_THE_RULE = sys.version_info >= (3, 13)

# 3.11 does not name the last two.
QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONNUMERIC, QUOTE_NONE, QUOTE_STRINGS, QUOTE_NOTNULL = range(6)
QUOTINGS = range(6)

FIELD_LIMIT = 131072

# What a packed or wide-character file begins with.  Bytes that begin so are refused, by design,
# where one-byte text is expected, so they are no part of the rule and have tests of their own.
PACKED_BEGINNINGS = {
    'gzip': b'\x1f\x8b',
    'zstd': b'\x28\xb5\x2f\xfd',
    'zip': b'PK\x03\x04',
    'xz': b'\xfd7zXZ\0',
    'utf-16-le': b'\xff\xfe',
    'utf-16-be': b'\xfe\xff',
    'utf-32-le': b'\xff\xfe\x00\x00',
    'utf-32-be': b'\x00\x00\xfe\xff',
}


# --- The dialect -----------------------------------------------------------------------------


@dataclass(frozen=True)
class PlainDialect:
    """What the reader needs of a dialect that has passed 3.13's checks."""

    delimiter: str
    quotechar: str | None
    escapechar: str | None
    doublequote: bool
    skipinitialspace: bool
    strict: bool
    quoting: int


_PARAMETERS = (
    'delimiter',
    'doublequote',
    'escapechar',
    'lineterminator',
    'quotechar',
    'quoting',
    'skipinitialspace',
    'strict',
)
_ABSENT = object()


def _one_character(name: str, value: object, *, or_none: bool) -> str | None:
    if value is None and or_none:
        return None
    if not isinstance(value, str):
        wanted = 'string or None' if or_none else 'string'
        raise TypeError(f'"{name}" must be {wanted}, not {type(value).__name__}')
    if len(value) != 1:
        raise TypeError(f'"{name}" must be a 1-character string')
    return value


def _refuse_line_end(name: str, char: str | None, terminator: str, *, space: bool) -> None:
    if char is None:
        return
    if char in ('\r', '\n') or (char == ' ' and not space):
        raise ValueError(f'bad {name} value')
    if char in terminator:
        raise ValueError(f'bad {name} or lineterminator value')


def _refuse_equal(first: str, second: str, one: str | None, other: str | None) -> None:
    if one is not None and one == other:
        raise ValueError(f'bad {first} or {second} value')


def plain_dialect(dialect: Any = None, **parameters: Any) -> PlainDialect:
    """3.13's checks of the formatting parameters, in its order and with its words.

    No dialect is not quite ``'excel'``: then ``quotechar=None`` alone means QUOTE_NONE.
    """
    for name in parameters:
        if name not in _PARAMETERS:
            raise TypeError(f"this function got an unexpected keyword argument '{name}'")
    if isinstance(dialect, str):
        dialect = csv.get_dialect(dialect)

    def given(name: str, default: object) -> Any:
        value = parameters.get(name, _ABSENT)
        if value is _ABSENT:
            value = getattr(dialect, name, _ABSENT)
        return default if value is _ABSENT else value

    delimiter = _one_character('delimiter', given('delimiter', ','), or_none=False)
    doublequote = bool(given('doublequote', True))
    escapechar = _one_character('escapechar', given('escapechar', None), or_none=True)
    terminator = given('lineterminator', '\r\n')
    if terminator is not None and not isinstance(terminator, str):
        raise TypeError('"lineterminator" must be a string')
    quotechar = _one_character('quotechar', given('quotechar', '"'), or_none=True)
    quoting = given('quoting', _ABSENT)
    named = quoting is not _ABSENT
    if not named:
        quoting = QUOTE_MINIMAL
    elif type(quoting) is not int:
        raise TypeError('"quoting" must be an integer')
    skipinitialspace = bool(given('skipinitialspace', False))
    strict = bool(given('strict', False))

    if quoting not in QUOTINGS:
        raise TypeError('bad "quoting" value')
    if quotechar is None and not named:
        quoting = QUOTE_NONE
    if quoting != QUOTE_NONE and quotechar is None:
        raise TypeError('quotechar must be set if quoting enabled')
    if terminator is None:
        raise TypeError('lineterminator must be set')
    space = not skipinitialspace
    _refuse_line_end('delimiter', delimiter, terminator, space=True)
    _refuse_line_end('escapechar', escapechar, terminator, space=space)
    _refuse_line_end('quotechar', quotechar, terminator, space=space)
    _refuse_equal('delimiter', 'escapechar', delimiter, escapechar)
    _refuse_equal('delimiter', 'quotechar', delimiter, quotechar)
    _refuse_equal('escapechar', 'quotechar', escapechar, quotechar)
    assert delimiter is not None
    return PlainDialect(
        delimiter, quotechar, escapechar, doublequote, skipinitialspace, strict, quoting
    )


def check_dialect(dialect: Any = None, **parameters: Any) -> None:
    """Raise what 3.13 raises for these formatting parameters."""
    if RUNNING_CSV_IS_THE_RULE:
        csv.reader([], dialect, **parameters)
    else:
        plain_dialect(dialect, **parameters)


def is_valid(**parameters: Any) -> bool:
    try:
        check_dialect(**parameters)
    except (TypeError, ValueError):
        return False
    return True


# --- The machine -----------------------------------------------------------------------------


class State(Enum):
    START_RECORD = auto()
    START_FIELD = auto()
    ESCAPED_CHAR = auto()
    AFTER_ESCAPED_CRNL = auto()
    IN_FIELD = auto()
    IN_QUOTED_FIELD = auto()
    ESCAPE_IN_QUOTED_FIELD = auto()
    QUOTE_IN_QUOTED_FIELD = auto()
    EAT_CRNL = auto()


# The event that follows the last character of every line item.
EOL = ''
_LINE_ENDS = ('\n', '\r', EOL)


class PlainReader:
    """``csv.reader`` of 3.13, one character at a time."""

    def __init__(
        self,
        lines: Iterable[str],
        dialect: Any = None,
        *,
        field_limit: int = FIELD_LIMIT,
        **parameters: Any,
    ) -> None:
        self.line_num = 0
        self._lines = iter(lines)
        self._dialect = plain_dialect(dialect, **parameters)
        self._limit = field_limit
        d = self._dialect
        # Under QUOTE_NONE a quote is a character like any other.
        self._quote = None if d.quoting == QUOTE_NONE else d.quotechar
        self._start_record()

    def __iter__(self) -> Iterator[list[Any]]:
        return self

    def __next__(self) -> list[Any]:
        self._start_record()
        while True:
            try:
                line = next(self._lines)
            except StopIteration:
                if not self._field and self._state is not State.IN_QUOTED_FIELD:
                    raise
                if self._dialect.strict:
                    raise csv.Error('unexpected end of data') from None
                self._save_field()
                return self._fields
            if not isinstance(line, str):
                raise csv.Error(
                    f'iterator should return strings, not {type(line).__name__} '
                    '(the file should be opened in text mode)'
                )
            self.line_num += 1
            for char in line:
                self._take(char)
            self._take(EOL)
            if self._state is State.START_RECORD:
                return self._fields

    def _start_record(self) -> None:
        self._fields: list[Any] = []
        self._field: list[str] = []
        self._unquoted = False
        self._state = State.START_RECORD

    def _add(self, char: str) -> None:
        if len(self._field) >= self._limit:
            raise csv.Error(f'field larger than field limit ({self._limit})')
        self._field.append(char)

    def _save_field(self) -> None:
        text = ''.join(self._field)
        value: str | float | None = text
        quoting = self._dialect.quoting
        if self._unquoted and not text and quoting in (QUOTE_NOTNULL, QUOTE_STRINGS):
            value = None
        elif self._unquoted and text and quoting in (QUOTE_NONNUMERIC, QUOTE_STRINGS):
            value = float(text)
        self._fields.append(value)
        self._field.clear()

    def _end_record(self, char: str) -> None:
        self._save_field()
        # A line end that is itself a character may have a second half, or blank company.
        self._state = State.START_RECORD if char == EOL else State.EAT_CRNL

    def _take(self, char: str) -> None:
        d = self._dialect
        state = self._state

        if state is State.START_RECORD:
            if char == EOL:
                return  # a blank record
            if char in _LINE_ENDS:
                self._state = State.EAT_CRNL
                return
            self._state = state = State.START_FIELD

        if state is State.START_FIELD:
            self._unquoted = True
            if char in _LINE_ENDS:
                self._end_record(char)
            elif char == self._quote:
                self._unquoted = False
                self._state = State.IN_QUOTED_FIELD
            elif char == d.escapechar:
                self._state = State.ESCAPED_CHAR
            elif char == ' ' and d.skipinitialspace:
                pass
            elif char == d.delimiter:
                self._save_field()
            else:
                self._add(char)
                self._state = State.IN_FIELD

        elif state is State.ESCAPED_CHAR:
            if char in ('\n', '\r'):
                self._add(char)
                self._state = State.AFTER_ESCAPED_CRNL
            else:
                self._add('\n' if char == EOL else char)
                self._state = State.IN_FIELD

        elif state is State.IN_FIELD or state is State.AFTER_ESCAPED_CRNL:
            if state is State.AFTER_ESCAPED_CRNL and char == EOL:
                pass  # the field goes on in the next line
            elif char in _LINE_ENDS:
                self._end_record(char)
            elif char == d.escapechar:
                self._state = State.ESCAPED_CHAR
            elif char == d.delimiter:
                self._save_field()
                self._state = State.START_FIELD
            else:
                # After an escaped line end the state stays, until the next special character.
                self._add(char)

        elif state is State.IN_QUOTED_FIELD:
            if char == EOL:
                pass  # the line end was taken as a character
            elif char == d.escapechar:
                self._state = State.ESCAPE_IN_QUOTED_FIELD
            elif char == self._quote:
                self._state = State.QUOTE_IN_QUOTED_FIELD if d.doublequote else State.IN_FIELD
            else:
                self._add(char)

        elif state is State.ESCAPE_IN_QUOTED_FIELD:
            self._add('\n' if char == EOL else char)
            self._state = State.IN_QUOTED_FIELD

        elif state is State.QUOTE_IN_QUOTED_FIELD:
            if char == self._quote:
                self._add(char)
                self._state = State.IN_QUOTED_FIELD
            elif char == d.delimiter:
                self._save_field()
                self._state = State.START_FIELD
            elif char in _LINE_ENDS:
                self._end_record(char)
            elif d.strict:
                raise csv.Error(f"'{d.delimiter}' expected after '{d.quotechar}'")
            else:
                self._add(char)
                self._state = State.IN_FIELD

        elif state is State.EAT_CRNL:
            if char == EOL:
                self._state = State.START_RECORD
            elif char not in _LINE_ENDS:
                raise csv.Error(
                    'new-line character seen in unquoted field - '
                    "do you need to open the file with newline=''?"
                )


# --- What it gives ---------------------------------------------------------------------------


@dataclass
class Outcome:
    """All that a reader gave: the rows, ``line_num`` after each, and how it ended."""

    rows: list[list[Any]] = field(default_factory=list)
    line_nums: list[int] = field(default_factory=list)
    error: type[Exception] | None = None
    error_line: int = 0


def exact(rows: list[Any], quoting: int = QUOTE_NONNUMERIC) -> list[Any]:
    """The rows with every float spelled out: nan is itself, and -0.0 is not 0.0."""
    if quoting not in (QUOTE_NONNUMERIC, QUOTE_STRINGS):
        return rows
    return [
        type(row)((float, repr(value)) if type(value) is float else value for value in row)
        for row in rows
    ]


@contextlib.contextmanager
def field_size_limit(limit: int) -> Iterator[None]:
    old = csv.field_size_limit(limit)
    try:
        yield
    finally:
        csv.field_size_limit(old)


def collect(reader: Any) -> Outcome:
    """Run a reader to its end or to its first error."""
    outcome = Outcome()
    try:
        for row in reader:
            outcome.rows.append(row)
            outcome.line_nums.append(reader.line_num)
    except (csv.Error, ValueError) as error:
        outcome.error = type(error)
    outcome.error_line = reader.line_num
    return outcome


def read_plainly(
    lines: Iterable[str], *, field_limit: int = FIELD_LIMIT, **dialect: Any
) -> Outcome:
    """What the plain statement gives."""
    return collect(PlainReader(lines, field_limit=field_limit, **dialect))


def read_with_running_csv(
    lines: Iterable[str], *, field_limit: int = FIELD_LIMIT, **dialect: Any
) -> Outcome:
    """What the ``csv`` module of the running interpreter gives."""
    with field_size_limit(field_limit):
        return collect(csv.reader(lines, **dialect))


def running_csv_agrees(dialect: dict[str, Any]) -> bool:
    """Whether every known version of ``csv`` reads this (valid) dialect as 3.13 does."""
    quoting = dialect.get('quoting', QUOTE_MINIMAL)
    return RUNNING_CSV_IS_THE_RULE or quoting in (QUOTE_MINIMAL, QUOTE_ALL, QUOTE_NONE)


def read(lines: Iterable[str], **dialect: Any) -> Outcome:
    """What the rule gives for ``lines``, each item being one line."""
    if RUNNING_CSV_IS_THE_RULE:
        return read_with_running_csv(lines, **dialect)
    return read_plainly(lines, **dialect)


def read_quickly(lines: Iterable[str], **dialect: Any) -> Outcome:
    """The same, by the running ``csv`` wherever that is known to agree: for much input."""
    if running_csv_agrees(dialect):
        return read_with_running_csv(lines, **dialect)
    return read_plainly(lines, **dialect)


# --- Bytes -----------------------------------------------------------------------------------


def codec_name(encoding: str) -> str:
    """``utf-8`` stands for ``utf-8-sig``: a byte order mark at the beginning goes."""
    name = codecs.lookup(encoding).name
    return 'utf-8-sig' if name == 'utf-8' else name


def split_lines(text: str) -> list[str]:
    """Lines as a text file opened with ``newline=''`` gives them."""
    return list(io.StringIO(text, newline=''))


def text_lines(raw: bytes, encoding: str = 'utf-8', errors: str = 'strict') -> list[str]:
    """The lines of ``TextIOWrapper(raw, newline='')``."""
    return list(io.TextIOWrapper(io.BytesIO(raw), codec_name(encoding), errors, newline=''))


def _raising(error: Exception) -> Iterator[str]:
    raise error
    yield


def read_bytes(
    raw: bytes, encoding: str = 'utf-8', errors: str = 'strict', **dialect: Any
) -> Outcome:
    """What the rule gives for bytes.

    Where a byte cannot be decoded, the rows complete before it come first (``TextIOWrapper``
    would lose them).  ``error`` is then ``UnicodeError``; or ``ValueError`` where the torn record
    before the bad byte may hold an error of its own, and either may be the one reported.
    """
    try:
        lines = text_lines(raw, encoding, errors)
    except UnicodeError:
        pass
    else:
        return read(lines, **dialect)

    whole, torn = _lines_before_bad_byte(raw, encoding, errors)
    outcome = read(chain(whole, _raising(UnicodeError())), **dialect)
    if outcome.error is UnicodeError and torn:
        with_torn = read([*whole, torn], **dialect)
        if with_torn.error is not None:
            outcome.error = ValueError
    return outcome


def _lines_before_bad_byte(raw: bytes, encoding: str, errors: str) -> tuple[list[str], str]:
    decoder = codecs.getincrementaldecoder(codec_name(encoding))(errors)
    text = io.StringIO()
    with contextlib.suppress(UnicodeError):
        for i in range(len(raw)):
            text.write(decoder.decode(raw[i : i + 1]))
    lines = split_lines(text.getvalue())
    torn = lines.pop() if lines and not lines[-1].endswith(('\n', '\r')) else ''
    return lines, torn


# Four characters of UTF-16, or two of UTF-32, without a byte order mark; and a page of HTML.
REFUSED = re.compile(
    rb'(?!\0*[\r\n])'
    rb'(([\t\r\n -~]\0){4}|(\0[\t\r\n -~]){4}|([\t\r\n -~]\0{3}){2}|(\0{3}[\t\r\n -~]){2})'
    rb'|<(?i:!doctype html|html[ >])'
)


def begins_packed(raw: bytes, encoding: str = 'utf-8') -> bool:
    marked = not encoding.startswith('utf') and raw.startswith(codecs.BOM_UTF8)
    return marked or bool(REFUSED.match(raw)) or raw.startswith(tuple(PACKED_BEGINNINGS.values()))

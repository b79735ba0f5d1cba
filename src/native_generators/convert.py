"""Converters: how the text of a field becomes a value, where its type does not say it.

    from generators import convert, csv_rows

    rows = csv_rows('umsatz.csv', delimiter=';', into=dict, types={
        'Betrag': convert.number(decimal=',', thousands='.'),
        'Datum': convert.date_format('%d.%m.%Y'),
        'bezahlt': convert.boolean(true=['ja'], false=['nein']),
    })

They are given to `types` of csv_rows, csv_batches and their async twins, wherever a type may
stand, or to a class: ``Betrag: Annotated[float, convert.number(decimal=',')]``.  They are read in
C; columns of Arrow are float64, int64, decimal128, date32, timestamp, time64, bool and string.

Whitespace around a text never counts, and a field of whitespace alone is as good as an empty one.
A text that can't be read is an error of its record.  A converter may also be called:
``convert.integer(thousands="'")("1'000")`` is 1000.
"""

from collections.abc import Iterable
from datetime import date, datetime
from datetime import time as _time
from decimal import Decimal
from typing import Final

from native_generators._native import _Converter as Converter

__all__ = [
    'Converter',
    'boolean',
    'date_format',
    'decimal',
    'integer',
    'number',
    'strip',
    'time',
]


def _check(name: str, value: object, kind: type) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise TypeError(f'{name} must be {kind.__name__}, not {type(value).__name__}')


def _text(name: str, value: str) -> str:
    """The text itself, also of a subclass: of a StrEnum, say."""
    _check(name, value, str)
    return str.__str__(value)


def _characters(name: str, value: str) -> str:
    value = _text(name, value)
    for mark in value:
        if mark.isalnum() or mark in '+-_' or (mark.isascii() and mark < ' '):
            raise ValueError(f'{name}={value!r}: {mark!r} may be a part of a number')
    return value


def _marks(decimal: str, thousands: str) -> tuple[str, str, str]:
    """Check the characters of numbers: how they are shown, and both."""
    decimal = _characters('decimal', decimal)
    thousands = _characters('thousands', thousands)
    if len(decimal) != 1:
        raise ValueError(f'decimal must be one character, not {decimal!r}')
    if decimal.isspace():
        raise ValueError(f'decimal={decimal!r}: whitespace is no decimal mark')
    if decimal in thousands:
        raise ValueError(f'decimal and thousands are both {decimal!r}')
    shown = '' if decimal == '.' else f'decimal={decimal!r}'
    grouped = f'thousands={thousands!r}' if thousands else ''
    return ', '.join(filter(None, [shown, grouped])), decimal, thousands


def number(*, decimal: str = '.', thousands: str = '') -> Converter[float]:
    """A float: what float() gives for the text without `thousands` and with a point.

    `thousands` is the character between groups of digits, or several, of which each may be:
    ' \\u00a0\\u202f' is any of three blanks.  Groups have three digits, or as in India two before
    the last three; anything else is an error, as is a point that is neither.  An exponent, nan,
    inf and infinity are read; digits are 0 to 9.

    >>> number(decimal=',', thousands='.')('-1.234,5')
    -1234.5
    """
    marks, decimal, thousands = _marks(decimal, thousands)
    return Converter('number', f'number({marks})', decimal, thousands, 0, 0, (), (), '', False)


def integer(*, thousands: str = '') -> Converter[int]:
    """An int of any size: what int() gives for the text without `thousands`, which is as for
    number().  A fraction or an exponent is an error.

    >>> integer(thousands="'")("1'234'567")
    1234567
    """
    thousands = _characters('thousands', thousands)
    shown = f'integer(thousands={thousands!r})' if thousands else 'integer()'
    return Converter('integer', shown, '', thousands, 0, 0, (), (), '', False)


def decimal(
    precision: int, scale: int, *, decimal: str = '.', thousands: str = ''
) -> Converter[Decimal]:
    """A Decimal of `scale` digits after the point, and `precision` digits in all: 1 to 38.

    A number that has more is an error; nothing is rounded.  In Arrow it is decimal128.

    >>> decimal(10, 2, decimal=',')('1,5')
    Decimal('1.50')
    """
    marks, decimal, thousands = _marks(decimal, thousands)
    shown = f'decimal({precision!r}, {scale!r}{", " if marks else ""}{marks})'
    _check('precision', precision, int)
    _check('scale', scale, int)
    if not 1 <= precision <= 38 or not 0 <= scale <= precision:
        raise ValueError(
            f'precision must be 1 to 38, and scale 0 to precision, not {precision} and {scale}'
        )
    return Converter(
        'decimal', shown, decimal, thousands, int(precision), int(scale), (), (), '', False
    )


def _words(name: str, given: Iterable[str]) -> tuple[list[str], list[str]]:
    """The words as they were given, and as they are compared."""
    if isinstance(given, (str, bytes)):
        raise TypeError(f'{name} must be a collection of words, not {type(given).__name__}')
    shown = [_text(f'{name}: a word', word) for word in given]
    for word in shown:
        if not word.strip():
            raise ValueError(f'{name}: an empty field is None, and no word: {word!r}')
    if not shown:
        raise ValueError(f'{name} has no words')
    return shown, sorted({word.strip().casefold() for word in shown})


def boolean(*, true: Iterable[str], false: Iterable[str]) -> Converter[bool]:
    """A bool, of the words for True and for False, in upper or lower case.

    >>> boolean(true=['ja', 'x'], false=['nein'])('JA')
    True
    """
    (yes, true_words), (no, false_words) = _words('true', true), _words('false', false)
    both = sorted(set(true_words).intersection(false_words))
    if both:
        raise ValueError(f'true and false both have {", ".join(map(repr, both))}')
    shown = f'boolean(true={yes!r}, false={no!r})'
    words = tuple(true_words), tuple(false_words)
    return Converter('boolean', shown, '', '', 0, 0, *words, '', False)


def _is_english() -> bool:
    """Whether the locale has the English names of months, AM and PM."""
    import calendar
    from time import strftime, struct_time

    names = [list(calendar.month_abbr)[1:], list(calendar.month_name)[1:]]
    full = [
        'January', 'February', 'March', 'April', 'May', 'June',
        'July', 'August', 'September', 'October', 'November', 'December',
    ]  # fmt: skip
    halves = [strftime('%p', struct_time((2000, 1, 1, h, 0, 0, 5, 1, 0))) for h in (1, 13)]
    return names == [[name[:3] for name in full], full] and halves == ['AM', 'PM']


def date_format(format: str, /) -> Converter[date] | Converter[datetime] | Converter[_time]:
    """A date, a datetime or a time, whichever the format names parts of: what
    datetime.strptime() gives.

    Formats of %d %m %Y %y %H %I %p %M %S %f %b and %B, each at most once, are read in C; others
    by strptime() itself.  Names of months, AM and PM are those of the locale when this is called.
    With %z, a datetime has a zone, and a column of Arrow is in UTC.

    >>> date_format('%d.%m.%Y')('24.12.2026')
    datetime.date(2026, 12, 24)
    >>> date_format('%d/%m/%y %H:%M')('24/12/26 18:30')
    datetime.datetime(2026, 12, 24, 18, 30)
    """
    format = _text('format', format)
    import re
    import warnings

    plain = format.strip()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', DeprecationWarning)  # of a day without a year
        try:
            datetime.strptime('', plain)
        except re.error:
            raise ValueError(f'a part of a date is named twice: {format!r}') from None
        except ValueError as error:
            if not str(error).startswith('time data '):
                raise
    shown = f'date_format({format!r})'
    return Converter('date_format', shown, '', '', 0, 0, (), (), plain, _is_english())


# As text: typing would keep the type, and with it the extension, in a cache.
time: 'Final[Converter[_time]]' = Converter('time', 'time', '', '', 0, 0, (), (), '', False)
"""A datetime.time: what time.fromisoformat() gives for the text."""

strip: 'Final[Converter[str]]' = Converter('strip', 'strip', '', '', 0, 0, (), (), '', False)
"""A str without whitespace around, as str.strip() gives it."""

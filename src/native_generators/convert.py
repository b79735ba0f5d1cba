"""Converters: rules that convert the text of a field, where a type alone does not say how.

    from generators import convert, csv_rows

    rows = csv_rows('umsatz.csv', delimiter=';', into=dict, types={
        'Betrag': convert.number(decimal=',', thousands='.'),
        'Datum': convert.date_format('%d.%m.%Y'),
        'bezahlt': convert.boolean(true=['ja'], false=['nein']),
    })

A converter may be given in `types` of csv_rows, csv_batches, acsv_rows and acsv_batches in place of
a type, or in an annotation of a class: ``Betrag: Annotated[float, convert.number(decimal=',')]``.
Values are converted in C.  The columns of a batch are float64, int64, decimal128, date32,
timestamp, time64, bool and string.

Whitespace before and after a text is ignored, and a field of only whitespace counts as empty.
A text that can't be converted is an error of its record.  A converter may also be called:
``convert.integer(thousands="'")("1'000")`` is 1000.
"""

from collections.abc import Iterable
from datetime import date, datetime
from datetime import time as _time
from decimal import Decimal

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
    """Return a converter to float.  The value is that of float(), for the text without the
    characters of `thousands` and with a point in place of `decimal`.

    `thousands` is the character between groups of digits.  It may be several characters, of which
    each is accepted, such as '\\u00a0\\u202f' for two kinds of space.  Groups have three digits or,
    as in India, two digits before the last three.  Other groups are an error, and so is a point
    that is neither `decimal` nor in `thousands`.  An exponent, nan, inf and infinity are accepted.
    Digits are 0 to 9.

    >>> number(decimal=',', thousands='.')('-1.234,5')
    -1234.5
    """
    marks, decimal, thousands = _marks(decimal, thousands)
    return Converter('number', f'number({marks})', decimal, thousands, 0, 0, (), (), '', False)


def integer(*, thousands: str = '') -> Converter[int]:
    """Return a converter to int, of any size.  The value is that of int(), for the text without the
    characters of `thousands`, which is as for number().  A fraction or an exponent is an error.

    >>> integer(thousands="'")("1'234'567")
    1234567
    """
    thousands = _characters('thousands', thousands)
    shown = f'integer(thousands={thousands!r})' if thousands else 'integer()'
    return Converter('integer', shown, '', thousands, 0, 0, (), (), '', False)


def decimal(
    precision: int, scale: int, *, decimal: str = '.', thousands: str = ''
) -> Converter[Decimal]:
    """Return a converter to Decimal, with `scale` digits after the point and at most `precision`
    digits in all, which must be 1 to 38.

    A number with more digits is an error; it is not rounded.  In a batch, the column is decimal128.

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
    """Return a converter to bool, from the words for True and for False, in upper or lower case.

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
    """Return a converter to a date, a datetime or a time, depending on the parts in the format.
    The value is that of datetime.strptime().

    A format of %d %m %Y %y %H %I %p %M %S %f %b and %B, each at most once, is converted in C;
    another format by strptime().  Names of months, AM and PM are those of the locale when this
    function is called.  With %z, a datetime has a time zone, and a column of a batch is in UTC.

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


# Not Final[...]: typing would keep the type, and with it the extension, in a cache.
time: Converter[_time] = Converter('time', 'time', '', '', 0, 0, (), (), '', False)
"""A converter to datetime.time.  The value is that of time.fromisoformat()."""

strip: Converter[str] = Converter('strip', 'strip', '', '', 0, 0, (), (), '', False)
"""A converter to str, which removes whitespace before and after the text, as str.strip()."""

"""What csv_schema() finds, stated in plain Python over the records of csv_rows()."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from decimal import Context, Decimal, InvalidOperation
from typing import Any

from generators import CSVSchema, csv_rows

STRICT = Context(traps=[InvalidOperation])
TRUE, FALSE = {'true', 't', 'yes', '1'}, {'false', 'f', 'no', '0'}


def as_int(text: str) -> int:
    value = int(text)
    if not -(2**63) <= value < 2**63:
        raise ValueError
    return value


def as_float(text: str) -> float:
    value, exact = float(text), Decimal(text, STRICT)
    if exact.is_finite():
        digits = ''.join(map(str, exact.as_tuple().digits)).strip('0')
        if len(digits) > 17 or Decimal(f'{value:.{max(len(digits) - 1, 0)}e}') != exact:
            raise ValueError
    return value


def as_bool(text: str) -> bool:
    if text.isascii() and text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError


def as_time(text: str) -> time:
    value = time.fromisoformat(text)
    if value.tzinfo is not None:
        raise ValueError
    return value


def as_datetime(text: str) -> datetime:
    return datetime.fromisoformat(text)


READ: dict[str, Callable[[str], Any]] = {
    'int': as_int,
    'float': as_float,
    'bool': as_bool,
    'date': date.fromisoformat,
    'time': as_time,
    'datetime': as_datetime,
    'decimal': lambda text: Decimal(text, STRICT),
}


def first_against(name: str, values: Sequence[tuple[int, str]]) -> tuple[int, str] | None:
    """The first value that is not of the type, with the number of its record."""
    zoned: bool | None = None
    for record, text in values:
        try:
            value = READ[name](text)
        except (ValueError, ArithmeticError):
            return record, text
        if name == 'datetime':
            if zoned is not None and zoned != (value.tzinfo is not None):
                return record, text
            zoned = value.tzinfo is not None
    return None


def finite(value: Any) -> bool:
    return not isinstance(value, (float, Decimal)) or Decimal(value).is_finite()


def in_utc(value: Any) -> Any:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    return value


def column(values: Sequence[tuple[int, str]]) -> dict[str, Any]:
    """What is found of a column whose values, which are not null, have these records."""
    against = {}
    chosen = 'str'
    for name in READ if values else ():
        found = first_against(name, values)
        if found is None:
            chosen = name
            break
        against[name] = (found[0], found[1].encode()[:60].decode(errors='ignore'))
    texts = [text for _, text in values]
    read = texts if chosen == 'str' else [in_utc(READ[chosen](text)) for text in texts]
    read = [value for value in read if finite(value)]
    return {
        'type': chosen,
        'against': against,
        'values': len(texts),
        'least': min(read, default=None),
        'greatest': max(read, default=None),
        'shortest': min(map(len, texts), default=None),
        'longest': max(map(len, texts), default=None),
        'most_bytes': max((len(text.encode()) for text in texts), default=None),
        'counts': dict(Counter(texts)),
    }


def expected(source: Any, width: int, **reading: Any) -> list[dict[str, Any]]:
    """What is found of each column of a file with a header, with nothing spelled as null."""
    values: list[list[tuple[int, str]]] = [[] for _ in range(width)]
    for record, row in enumerate(csv_rows(source, header=False, **reading), start=1):
        if record == 1:
            continue
        for i, text in enumerate(row[:width]):
            if text != '':
                values[i].append((record, text))
    return list(map(column, values))


def found(schema: CSVSchema) -> list[dict[str, Any]]:
    """The same of a schema."""
    return [
        {
            'type': c.type_name,
            'against': {n: (a.record, a.text) for n, a in c.contradictions.items()},
            'values': c.values,
            'least': c.least,
            'greatest': c.greatest,
            'shortest': c.shortest,
            'longest': c.longest,
            'most_bytes': c.most_bytes,
            'counts': c.counts,
        }
        for c in schema
    ]

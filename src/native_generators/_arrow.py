"""Values of Arrow columns as Python objects, where C has no interface to their types.

They are what `to_pylist` of pyarrow gives. Nanoseconds are pandas' own types, if pandas is there.
"""

import datetime as dt
from decimal import Decimal as decimal
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ['Interval', 'date', 'decimal', 'duration', 'offset', 'time', 'timestamp', 'zone']

_EPOCH = dt.datetime(1970, 1, 1)
_NANOSECONDS = 1_000_000_000


class Interval(NamedTuple):
    """What pyarrow calls MonthDayNano."""

    months: int
    days: int
    nanoseconds: int


Interval.__name__ = Interval.__qualname__ = 'MonthDayNano'


def date(count: int, per_day: int) -> dt.date:
    return _EPOCH.date() + dt.timedelta(days=count // per_day)


def time(count: int, per_second: int) -> dt.time:
    return (_EPOCH + _length(count, per_second, exact=False)).time()


def duration(count: int, per_second: int) -> Any:
    if per_second == _NANOSECONDS and find_spec('pandas') is not None:
        return import_module('pandas').Timedelta(count, unit='ns')
    return _length(count, per_second)


def timestamp(count: int, per_second: int, name: str) -> Any:
    tzinfo = zone(name) if name else None
    if per_second == _NANOSECONDS and find_spec('pandas') is not None:
        return import_module('pandas').Timestamp(count, tz=tzinfo, unit='ns')
    moment = _EPOCH + _length(count, per_second)
    if tzinfo is None:
        return moment
    return moment.replace(tzinfo=dt.UTC).astimezone(tzinfo)


def _length(count: int, per_second: int, exact: bool = True) -> dt.timedelta:
    seconds, rest = divmod(count, per_second)
    nanoseconds = rest * (_NANOSECONDS // per_second)
    if exact and nanoseconds % 1000:
        raise ValueError('nanoseconds need pandas')
    return dt.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)


def zone(name: str) -> dt.tzinfo:
    """The time zone of that name, or of an offset such as '+05:30'."""
    if len(name) == 6 and name[0] in '+-' and name[3] == ':':
        minutes = 60 * int(name[1:3]) + int(name[4:])
        return dt.timezone(dt.timedelta(minutes=int(name[0] + '1') * minutes))
    return ZoneInfo(name)


def offset(tzinfo: dt.tzinfo, seconds: int) -> int:
    """How many seconds a zone is ahead of UTC at a moment of UTC."""
    moment = (_EPOCH + dt.timedelta(seconds=seconds)).replace(tzinfo=dt.UTC)
    found = moment.astimezone(tzinfo).utcoffset()
    assert found is not None
    return round(found.total_seconds())

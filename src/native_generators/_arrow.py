"""Values of Arrow columns as Python objects, where C has no interface to their types.

They are what `to_pylist` of pyarrow gives. Nanoseconds are pandas' own types, if pandas is there.
"""

import datetime as _datetime
from decimal import Decimal as decimal
from importlib.util import find_spec
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

__all__ = ['Interval', 'date', 'decimal', 'duration', 'offset', 'time', 'timestamp', 'zone']

_EPOCH = _datetime.datetime(1970, 1, 1)
_NANOSECONDS = 1_000_000_000


class Interval(NamedTuple):
    """What pyarrow calls MonthDayNano."""

    months: int
    days: int
    nanoseconds: int


Interval.__name__ = Interval.__qualname__ = 'MonthDayNano'


def date(count: int, per_day: int) -> _datetime.date:
    return _EPOCH.date() + _datetime.timedelta(days=count // per_day)


def time(count: int, per_second: int) -> _datetime.time:
    return (_EPOCH + _length(count, per_second, exact=False)).time()


def duration(count: int, per_second: int) -> Any:
    if per_second == _NANOSECONDS and find_spec('pandas') is not None:
        from pandas import Timedelta

        return Timedelta(count, unit='ns')
    return _length(count, per_second)


def timestamp(count: int, per_second: int, name: str) -> Any:
    tzinfo = zone(name) if name else None
    if per_second == _NANOSECONDS and find_spec('pandas') is not None:
        from pandas import Timestamp

        return Timestamp(count, tz=tzinfo, unit='ns')
    moment = _EPOCH + _length(count, per_second)
    if tzinfo is None:
        return moment
    return moment.replace(tzinfo=_datetime.timezone.utc).astimezone(tzinfo)


def _length(count: int, per_second: int, exact: bool = True) -> _datetime.timedelta:
    seconds, rest = divmod(count, per_second)
    nanoseconds = rest * (_NANOSECONDS // per_second)
    if exact and nanoseconds % 1000:
        raise ValueError('nanoseconds need pandas')
    return _datetime.timedelta(seconds=seconds, microseconds=nanoseconds // 1000)


def zone(name: str) -> _datetime.tzinfo:
    """The time zone of that name, or of an offset such as '+05:30'."""
    if len(name) == 6 and name[0] in '+-' and name[3] == ':':
        minutes = 60 * int(name[1:3]) + int(name[4:])
        return _datetime.timezone(_datetime.timedelta(minutes=int(name[0] + '1') * minutes))
    return ZoneInfo(name)


def offset(tzinfo: _datetime.tzinfo, seconds: int) -> int:
    """How many seconds a zone is ahead of UTC at a moment of UTC."""
    moment = (_EPOCH + _datetime.timedelta(seconds=seconds)).replace(tzinfo=_datetime.timezone.utc)
    found = moment.astimezone(tzinfo).utcoffset()
    assert found is not None
    return round(found.total_seconds())

"""Timestamps and durations: microseconds in Python ints.

A timestamp counts from 1970-01-01T00:00:00Z and lies in the years 1 to 9999. A duration
lies within 292 years either way: CEL's implementations count its nanoseconds in 64
bits, which is also why the difference of two timestamps can have no result. CEL knows
nanoseconds; a constant finer than a microsecond is refused rather than rounded.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
TIMESTAMP_MIN = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
TIMESTAMP_MAX = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MICROSECOND
DURATION_MAX = (2**63 - 1) // 1_000

_TIMESTAMP = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)
_DURATION = re.compile(r"([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:h|ms|us|ns|m|s))+)", re.ASCII)
_DURATION_TERM = re.compile(r"(\d*)\.?(\d*)(h|ms|us|ns|m|s)", re.ASCII)
_NANOSECONDS = {
    "h": 3_600_000_000_000,
    "m": 60_000_000_000,
    "s": 1_000_000_000,
    "ms": 1_000_000,
    "us": 1_000,
    "ns": 1,
}
_OFFSET = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)


def parse_timestamp(text: str) -> int:
    """RFC 3339, `2026-01-31T09:00:00Z`; raises ValueError with the reason."""
    match = _TIMESTAMP.fullmatch(text)
    if match is None:
        raise ValueError("write it as 2026-01-31T09:00:00Z or with +01:00 for the zone")
    date, time, fraction, zone = match.groups()
    fraction = (fraction or "").ljust(6, "0")
    if fraction[6:].strip("0"):
        raise ValueError("at most 6 digits after the point: microseconds")
    offset = "+00:00" if zone in "Zz" else zone
    moment = datetime.fromisoformat(f"{date}T{time}.{fraction[:6]}{offset}")
    micros = (moment - _EPOCH) // _MICROSECOND
    if not TIMESTAMP_MIN <= micros <= TIMESTAMP_MAX:
        raise ValueError("it lies outside the years 1 to 9999")
    return micros


def parse_duration(text: str) -> int:
    """`1h30m`, `-2.5s`, `250ms`; raises ValueError with the reason."""
    if text == "0":
        return 0
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ValueError("write it as 90m, 1h30m or 2.5s (units h m s ms us ns)")
    sign, terms = match.groups()
    # Scaled by 10^9, so that no fraction of a nanosecond is lost before the check.
    scaled = 0
    for whole, fraction, unit in _DURATION_TERM.findall(terms):
        if len(whole) > 18 or len(fraction) > 9:
            raise ValueError("too many digits")
        digits = int((whole or "0") + fraction.ljust(9, "0"))
        scaled += digits * _NANOSECONDS[unit]
    micros, rest = divmod(scaled, 1_000 * 10**9)
    if rest:
        raise ValueError("the finest step is a microsecond")
    if micros > DURATION_MAX:
        raise ValueError("it is longer than 292 years")
    return -micros if sign == "-" else micros


@lru_cache(maxsize=256)
def time_zone(name: str) -> tzinfo:
    """`Europe/Paris` or `+01:00`; "" is UTC; raises ValueError for what is neither."""
    if not name:
        return UTC
    match = _OFFSET.fullmatch(name)
    try:
        if match is None:
            return ZoneInfo(name)
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-offset if sign == "-" else offset)
    # ZoneInfo raises KeyError, ValueError or OSError depending on how wrong it is.
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def timestamp_part(micros: int, function: str, zone: str) -> int:
    """What a CEL accessor such as `getHours` gives for a timestamp, in a zone."""
    moment = _EPOCH + timedelta(microseconds=micros)
    return _TIMESTAMP_PARTS[function](moment.astimezone(time_zone(zone)))


def duration_part(micros: int, function: str) -> int:
    """What a CEL accessor gives for a duration: whole units, truncated to zero."""
    size = abs(micros) // _DURATION_UNITS[function]
    if function == "getMilliseconds":
        # The one accessor that gives a remainder: milliseconds within the second.
        size %= 1_000
    return -size if micros < 0 else size


_TIMESTAMP_PARTS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda moment: moment.year,
    "getMonth": lambda moment: moment.month - 1,
    "getDate": lambda moment: moment.day,
    "getDayOfMonth": lambda moment: moment.day - 1,
    "getDayOfWeek": lambda moment: moment.isoweekday() % 7,
    "getDayOfYear": lambda moment: moment.timetuple().tm_yday - 1,
    "getHours": lambda moment: moment.hour,
    "getMinutes": lambda moment: moment.minute,
    "getSeconds": lambda moment: moment.second,
    "getMilliseconds": lambda moment: moment.microsecond // 1_000,
}
_DURATION_UNITS = {
    "getHours": 3_600_000_000,
    "getMinutes": 60_000_000,
    "getSeconds": 1_000_000,
    "getMilliseconds": 1_000,
}
#: Names of the accessors, for the compiler.
TIMESTAMP_PARTS = tuple(_TIMESTAMP_PARTS)
DURATION_PARTS = tuple(_DURATION_UNITS)

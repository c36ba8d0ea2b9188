"""Values of attributes as JSON and YAML have them, to the slots that rules read.

These have fewer types than CEL: an int is a number without a fraction, a timestamp an
RFC 3339 text, a duration a text such as "90s". Nothing at all is None.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, cast

from catalog_store.records import Attribute, AttributeType

#: Bytes of one string, and values of one list.
STRING_BYTES_MAX = 4_096
LIST_VALUES_MAX = 1_000
#: CEL's durations, 292 years, in microseconds.
DURATION_US_MAX = 9_223_372_036_854_775

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?s", re.ASCII)


def attribute_value(value: Any, attribute: Attribute) -> object:
    """The slot of a value; raises ValueError in plain words when it does not fit."""
    if value is None:
        return None
    scalar = _SCALARS.get(attribute.type)
    if scalar is not None:
        slot = scalar(value)
        _check_range(slot, attribute)
        return slot
    if not isinstance(value, list | tuple):
        raise ValueError(f"is not a {attribute.type}; write a list")
    values = cast("list[Any]", value)
    if len(values) > LIST_VALUES_MAX:
        raise ValueError(f"has {len(values)} values; write at most {LIST_VALUES_MAX}")
    item = AttributeType(attribute.type.removeprefix("list(").removesuffix(")"))
    return tuple(_SCALARS[item](each) for each in values)


def timestamp_us(text: str) -> int | None:
    """Microseconds since 1970 of an RFC 3339 text; None when it is none.

    Raises ValueError for what is outside the years that there are.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return None
    try:
        return (moment - _EPOCH) // timedelta(microseconds=1)
    except OverflowError:
        raise ValueError("is outside the years 1 to 9999") from None


def duration_us(text: str) -> int | None:
    """Microseconds of a text such as "90s"; None when it is none."""
    match = _DURATION.fullmatch(text)
    if match is None:
        return None
    sign, seconds, fraction = match.groups("")
    microseconds = int(seconds) * 1_000_000 + int(fraction.ljust(6, "0"))
    return -microseconds if sign else microseconds


def _check_range(slot: object, attribute: Attribute) -> None:
    if not isinstance(slot, int | float):
        return
    low, high = attribute.minimum, attribute.maximum
    if low is not None and slot < low:
        raise ValueError(f"is below the minimum, {low:g}")
    if high is not None and slot > high:
        raise ValueError(f"is above the maximum, {high:g}")


def _bool(value: Any) -> object:
    if not isinstance(value, bool):
        raise ValueError("is not a bool; write true or false")
    return value


def _int(value: Any) -> object:
    number = _number(value)
    if isinstance(number, float) and not number.is_integer():
        raise ValueError("is not a whole number")
    if not -(2**63) <= number < 2**63:
        raise ValueError("is not a number of 64 bits")
    return int(number)


def _double(value: Any) -> object:
    return float(_number(value))


def _number(value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("is not a number; write it without quotes")
    # An int has no end, and a double does.
    if not -1e308 <= value <= 1e308 or not isfinite(value):
        raise ValueError("is not a finite number; leave it out instead")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a string; write it in quotes")
    size_bytes = len(value.encode("utf-8", "surrogatepass"))
    if size_bytes > STRING_BYTES_MAX:
        raise ValueError(f"has {size_bytes} bytes; write at most {STRING_BYTES_MAX}")
    return value


def _timestamp(value: Any) -> object:
    found = timestamp_us(_string(value))
    if found is None:
        raise ValueError("is not a timestamp; write one such as 2026-05-01T09:00:00Z")
    return found


def _duration(value: Any) -> object:
    found = duration_us(_string(value))
    if found is None:
        raise ValueError('is not a duration; write seconds such as "90s"')
    if abs(found) > DURATION_US_MAX:
        raise ValueError("is longer than 292 years")
    return found


_SCALARS: dict[AttributeType, Callable[[Any], object]] = {
    AttributeType.BOOL: _bool,
    AttributeType.INT: _int,
    AttributeType.DOUBLE: _double,
    AttributeType.STRING: _string,
    AttributeType.TIMESTAMP: _timestamp,
    AttributeType.DURATION: _duration,
}

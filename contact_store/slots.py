"""The values that a profile may hold, type by type.

    bool       bool
    int        int, within 64 bits
    double     float, finite
    string     str, at most STRING_BYTES_MAX in UTF-8
    timestamp  int: microseconds since 1970, years 1 to 9999
    duration   int: microseconds, at most 10,000 years either way
    list(T)    tuple or list of T, at most LIST_MAX

None is an absent value, of any type. An int or a double also lies within the minimum
and maximum that its attribute declares.
"""

from collections.abc import Callable, Sequence
from math import isfinite
from typing import cast

from catalog_store.records import Attribute, AttributeType
from contact_store.errors import InvalidProfile

STRING_BYTES_MAX = 4_096
LIST_MAX = 1_024
INT_MIN = -(2**63)
INT_MAX = 2**63 - 1
#: 0001-01-01 and the last microsecond of 9999, as CEL has them.
TIMESTAMP_MIN_US = -62_135_596_800_000_000
TIMESTAMP_MAX_US = 253_402_300_799_999_999
#: What rules can read: 64 bits of nanoseconds, 292 years.
DURATION_MAX_US = 9_223_372_036_854_775

#: One of the values above.
Slot = object


def check_slots(attributes: Sequence[Attribute], values: Sequence[Slot]) -> None:
    """Raise InvalidProfile naming every attribute whose value does not fit."""
    if len(values) != len(attributes):
        raise InvalidProfile(
            f"{len(values)} values for {len(attributes)} attributes: give one each"
        )
    wrong: list[str] = []
    for attribute, value in zip(attributes, values, strict=True):
        if value is None:
            continue
        if not _FITS[attribute.type](value):
            wrong.append(f"{attribute.name}: not a {attribute.type}")
        elif reason := out_of_range(attribute, value):
            wrong.append(f"{attribute.name}: {reason}")
    if wrong:
        raise InvalidProfile("; ".join(wrong))


def fits(attribute_type: AttributeType, value: Slot) -> bool:
    """Whether a value that is there is of that type and within its bounds."""
    return _FITS[attribute_type](value)


def out_of_range(attribute: Attribute, value: Slot) -> str | None:
    """Why a value of its attribute's type is outside its bounds; None if it is not."""
    low, high = attribute.minimum, attribute.maximum
    if low is None and high is None:
        return None
    number = cast(float, value)
    if low is not None and number < low:
        return f"{number} is below the minimum, {_shown(low)}"
    if high is not None and number > high:
        return f"{number} is above the maximum, {_shown(high)}"
    return None


def _shown(bound: float) -> str:
    """`18` and not `18.0`."""
    return repr(float(bound)).removesuffix(".0")


def is_list(attribute_type: AttributeType) -> bool:
    return attribute_type in _LISTS


def _is_bool(value: Slot) -> bool:
    return type(value) is bool


def _is_int(value: Slot) -> bool:
    return type(value) is int and INT_MIN <= value <= INT_MAX


def _is_double(value: Slot) -> bool:
    return type(value) is float and isfinite(value)


def _is_string(value: Slot) -> bool:
    if type(value) is not str or len(value) > STRING_BYTES_MAX:
        return False
    try:
        return len(value.encode()) <= STRING_BYTES_MAX
    except UnicodeEncodeError:
        return False


def _is_timestamp(value: Slot) -> bool:
    return type(value) is int and TIMESTAMP_MIN_US <= value <= TIMESTAMP_MAX_US


def _is_duration(value: Slot) -> bool:
    return type(value) is int and abs(value) <= DURATION_MAX_US


def _list_of(item_fits: Callable[[Slot], bool]) -> Callable[[Slot], bool]:
    def is_list_of(value: Slot) -> bool:
        if not isinstance(value, list | tuple):
            return False
        items = cast(Sequence[Slot], value)
        return len(items) <= LIST_MAX and all(map(item_fits, items))

    return is_list_of


_FITS: dict[AttributeType, Callable[[Slot], bool]] = {
    AttributeType.BOOL: _is_bool,
    AttributeType.INT: _is_int,
    AttributeType.DOUBLE: _is_double,
    AttributeType.STRING: _is_string,
    AttributeType.TIMESTAMP: _is_timestamp,
    AttributeType.DURATION: _is_duration,
    AttributeType.BOOL_LIST: _list_of(_is_bool),
    AttributeType.INT_LIST: _list_of(_is_int),
    AttributeType.DOUBLE_LIST: _list_of(_is_double),
    AttributeType.STRING_LIST: _list_of(_is_string),
}

_LISTS = {
    AttributeType.BOOL_LIST,
    AttributeType.INT_LIST,
    AttributeType.DOUBLE_LIST,
    AttributeType.STRING_LIST,
}

"""A contact's attributes on the wire, as the profile store's slots and back.

They are written as in a call's context: an int is a number without a fraction, a
timestamp an RFC 3339 text, a duration a text such as "90s". A JSON number is a double;
an int beyond 2^53 is therefore its digits in a text. Null, like leaving it out, is
absent.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import cast

from google.protobuf import struct_pb2

from catalog_store.records import Attribute, AttributeType
from contact_store.slots import (
    LIST_MAX,
    STRING_BYTES_MAX,
    Slot,
    fits,
    is_list,
    out_of_range,
)
from server.requests import Violation, near_misses

#: Whole numbers that a double holds exactly, either way.
EXACT_MAX = 2**53
#: Wrong attributes that one contact is told of.
VIOLATIONS_MAX = 100

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DIGITS = re.compile(r"-?[0-9]{1,19}")
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,6}))?s")


class ProfileForm:
    """What the profiles of one environment hold."""

    def __init__(self, attributes: Sequence[Attribute]) -> None:
        self.attributes = tuple(attributes)
        self._by_name = {
            attribute.name: (place, attribute, _parser(attribute.type))
            for place, attribute in enumerate(attributes)
        }

    def slots(self, values: struct_pb2.Struct) -> tuple[list[Slot], list[Violation]]:
        """Values in the order of the attributes, and all that is wrong with them."""
        slots: list[Slot] = [None] * len(self.attributes)
        found: list[Violation] = []
        for name, value in values.fields.items():
            known = self._by_name.get(name)
            if known is None:
                text = f"is not declared{near_misses(name, self._by_name)}"
                found.append(Violation(f"attributes.{name[:64]}", text))
            elif value.WhichOneof("kind") != "null_value":
                place, attribute, parse = known
                slot, wrong = _read(value, attribute, parse)
                slots[place] = slot
                if wrong:
                    found.append(Violation(f"attributes.{name}", wrong))
            if len(found) == VIOLATIONS_MAX:
                break
        return slots, found

    def attributes_of(self, slots: Sequence[Slot]) -> struct_pb2.Struct:
        """The values of a profile that are there, by name."""
        values = struct_pb2.Struct()
        for attribute, slot in zip(self.attributes, slots, strict=True):
            if slot is not None:
                _write(values.fields[attribute.name], attribute.type, slot)
        return values


def _read(
    value: struct_pb2.Value,
    attribute: Attribute,
    parse: Callable[[struct_pb2.Value], Slot],
) -> tuple[Slot, str | None]:
    """The slot, or why there is none."""
    slot = parse(value)
    if slot is None or not fits(attribute.type, slot):
        return None, f"is not a {attribute.type}; send {_WANTED[attribute.type]}"
    return slot, out_of_range(attribute, slot)


def _parser(type_: AttributeType) -> Callable[[struct_pb2.Value], Slot]:
    """Gives a value that may still not fit, or None."""
    if not is_list(type_):
        return _SCALARS[type_]
    item = _SCALARS[_ITEM[type_]]

    def parse(value: struct_pb2.Value) -> Slot:
        if value.WhichOneof("kind") != "list_value":
            return None
        values = value.list_value.values
        # Before anything is made of a long one.
        return None if len(values) > LIST_MAX else tuple(map(item, values))

    return parse


def _bool(value: struct_pb2.Value) -> Slot:
    return value.bool_value if value.WhichOneof("kind") == "bool_value" else None


def _double(value: struct_pb2.Value) -> Slot:
    return value.number_value if value.WhichOneof("kind") == "number_value" else None


def _int(value: struct_pb2.Value) -> Slot:
    match value.WhichOneof("kind"):
        case "number_value":
            number = value.number_value
            exact = abs(number) <= EXACT_MAX and number.is_integer()
            return int(number) if exact else None
        case "string_value" if _DIGITS.fullmatch(value.string_value):
            return int(value.string_value)
        case _:
            return None


def _string(value: struct_pb2.Value) -> str | None:
    return value.string_value if value.WhichOneof("kind") == "string_value" else None


def _timestamp(value: struct_pb2.Value) -> Slot:
    try:
        moment = datetime.fromisoformat(_string(value) or "")
        return None if moment.tzinfo is None else (moment - _EPOCH) // _MICROSECOND
    except (ValueError, OverflowError):
        return None


def _duration(value: struct_pb2.Value) -> Slot:
    match = _DURATION.fullmatch(_string(value) or "")
    if match is None:
        return None
    microseconds = int(match[2]) * 1_000_000 + int((match[3] or "").ljust(6, "0"))
    return -microseconds if match[1] else microseconds


def _write(value: struct_pb2.Value, type_: AttributeType, slot: Slot) -> None:
    if is_list(type_):
        # A list with nothing in it is one, too.
        value.list_value.SetInParent()
        for item in cast(Sequence[Slot], slot):
            _write(value.list_value.values.add(), _ITEM[type_], item)
    elif type_ is AttributeType.BOOL:
        value.bool_value = cast(bool, slot)
    elif type_ is AttributeType.DOUBLE:
        value.number_value = cast(float, slot)
    elif type_ is AttributeType.INT and abs(cast(int, slot)) <= EXACT_MAX:
        value.number_value = cast(int, slot)
    elif type_ is AttributeType.TIMESTAMP:
        value.string_value = timestamp_text(cast(int, slot))
    elif type_ is AttributeType.DURATION:
        value.string_value = duration_text(cast(int, slot))
    else:
        value.string_value = str(slot)


def timestamp_text(microseconds: int) -> str:
    moment = _EPOCH + timedelta(microseconds=microseconds)
    return moment.isoformat().replace("+00:00", "Z")


def duration_text(microseconds: int) -> str:
    seconds, fraction = divmod(abs(microseconds), 1_000_000)
    text = f"{seconds}.{fraction:06}".rstrip("0").rstrip(".")
    return f"{'-' if microseconds < 0 else ''}{text}s"


_SCALARS: dict[AttributeType, Callable[[struct_pb2.Value], Slot]] = {
    AttributeType.BOOL: _bool,
    AttributeType.INT: _int,
    AttributeType.DOUBLE: _double,
    AttributeType.STRING: _string,
    AttributeType.TIMESTAMP: _timestamp,
    AttributeType.DURATION: _duration,
}
_ITEM = {
    AttributeType.BOOL_LIST: AttributeType.BOOL,
    AttributeType.INT_LIST: AttributeType.INT,
    AttributeType.DOUBLE_LIST: AttributeType.DOUBLE,
    AttributeType.STRING_LIST: AttributeType.STRING,
}
_WANTED = {
    AttributeType.BOOL: "true or false",
    AttributeType.INT: "a whole number within 64 bits, in quotes beyond 2^53",
    AttributeType.DOUBLE: "a finite number, without quotes",
    AttributeType.STRING: f"a text of at most {STRING_BYTES_MAX} bytes",
    AttributeType.TIMESTAMP: "one such as 2026-05-01T09:00:00Z",
    AttributeType.DURATION: 'seconds such as "90s", 292 years at most',
    **{type_: f"a JSON list of at most {LIST_MAX} such values" for type_ in _ITEM},
}

"""The context of a call, checked against the declared attributes.

JSON has fewer types than CEL: an int is a number without a fraction, a timestamp an
RFC 3339 text, a duration a text such as "90s"; null is a value of its own.
"""

from collections.abc import Callable, Iterable, Mapping
from math import isfinite

from google.protobuf import struct_pb2

from catalog_store.attribute_values import (
    LIST_VALUES_MAX,
    STRING_BYTES_MAX,
    duration_us,
    timestamp_us,
)
from catalog_store.records import Attribute, AttributeType
from compiler.runtime.times import DURATION_MAX
from compiler.runtime.values import MISSING
from contact_store.slots import out_of_range
from server.requests import Violation, near_misses

#: Attributes in one context.
CONTEXT_FIELDS_MAX = 100
#: JSON numbers are doubles: beyond this, whole numbers are not told apart.
INT_MAX = 2**53


def check_context(
    context: struct_pb2.Struct,
    declared: Iterable[Iterable[Attribute]],
    *,
    complete: bool = True,
) -> tuple[dict[str, object], list[Violation]]:
    """The values of a context by attribute name, and what is wrong with it.

    `declared` holds the schemas of the environments that may decide: an attribute
    must be declared in one of them, and fit in each that declares it. Unless it is
    `complete`, what the first of them requires may be left out.
    """
    schemas = [{a.name: a for a in attributes} for attributes in declared]
    values: dict[str, object] = {}
    violations: list[Violation] = []
    if len(context.fields) > CONTEXT_FIELDS_MAX:
        text = f"{len(context.fields)} attributes; send at most {CONTEXT_FIELDS_MAX}"
        return {}, [Violation("context", text)]
    for name, value in context.fields.items():
        attributes = [schema[name] for schema in schemas if name in schema]
        if not attributes:
            known = {known for schema in schemas for known in schema}
            text = f"is not declared{near_misses(name, known)}"
            violations.append(Violation(f"context.{name[:64]}", text))
        for attribute in attributes:
            try:
                values[name] = _converted(value, attribute)
            except ValueError as error:
                violations.append(Violation(f"context.{name}", str(error)))
                break
    for attribute in schemas[0].values():
        if complete and attribute.required and attribute.name not in context.fields:
            text = f"is required: send a value of type {attribute.type}"
            violations.append(Violation(f"context.{attribute.name}", text))
    return values, violations


def context_slots(
    values: Mapping[str, object], attributes: Iterable[Attribute], now_ms: int
) -> tuple[object, ...]:
    """The slots that rules read: the built-in ones, then the attributes.

    The channel and the space are the engine's to fill, for each space of the call.
    """
    return slots_at(declared_slots(values, attributes), now_ms)


def declared_slots(
    values: Mapping[str, object], attributes: Iterable[Attribute]
) -> tuple[object, ...]:
    """Those of the attributes, which are the same at any time."""
    return tuple([values.get(a.name, MISSING) for a in attributes])


def slots_at(declared: tuple[object, ...], now_ms: int) -> tuple[object, ...]:
    """As `context_slots`, given what is the same at any time."""
    return now_ms * 1_000, MISSING, MISSING, *declared


def _converted(value: struct_pb2.Value, attribute: Attribute) -> object:
    """Raises ValueError in plain words, for what is out of range too."""
    converted = _convert(value, attribute.type)
    reason = None if converted is None else out_of_range(attribute, converted)
    if reason is not None:
        raise ValueError(reason)
    return converted


def _convert(value: struct_pb2.Value, type_: AttributeType) -> object:
    """A JSON value as one of the declared type; raises ValueError in plain words."""
    if value.WhichOneof("kind") == "null_value":
        return None
    scalar = _SCALARS.get(type_)
    if scalar is not None:
        return scalar(value)
    if value.WhichOneof("kind") != "list_value":
        raise ValueError(f"is not a {type_}; send a JSON list")
    values = value.list_value.values
    if len(values) > LIST_VALUES_MAX:
        raise ValueError(f"has {len(values)} values; send at most {LIST_VALUES_MAX}")
    return tuple(_LISTS[type_](each) for each in values)


def _bool(value: struct_pb2.Value) -> bool:
    if value.WhichOneof("kind") != "bool_value":
        raise ValueError("is not a bool; send true or false")
    return value.bool_value


def _double(value: struct_pb2.Value) -> float:
    if value.WhichOneof("kind") != "number_value":
        raise ValueError("is not a number; send it without quotes")
    if not isfinite(value.number_value):
        raise ValueError("is not a finite number; leave it out instead")
    return value.number_value


def _int(value: struct_pb2.Value) -> int:
    number = _double(value)
    if not number.is_integer() or abs(number) > INT_MAX:
        raise ValueError(f"is not a whole number between {-INT_MAX} and {INT_MAX}")
    return int(number)


def _string(value: struct_pb2.Value) -> str:
    if value.WhichOneof("kind") != "string_value":
        raise ValueError("is not a string; send it in quotes")
    size_bytes = len(value.string_value.encode())
    if size_bytes > STRING_BYTES_MAX:
        raise ValueError(f"has {size_bytes} bytes; send at most {STRING_BYTES_MAX}")
    return value.string_value


def _timestamp(value: struct_pb2.Value) -> int:
    found = timestamp_us(_string(value))
    if found is None:
        raise ValueError("is not a timestamp; send one such as 2026-05-01T09:00:00Z")
    return found


def _duration(value: struct_pb2.Value) -> int:
    found = duration_us(_string(value))
    if found is None:
        raise ValueError('is not a duration; send seconds such as "90s"')
    if abs(found) > DURATION_MAX:
        raise ValueError("is longer than CEL's durations, 292 years")
    return found


_SCALARS: dict[AttributeType, Callable[[struct_pb2.Value], object]] = {
    AttributeType.BOOL: _bool,
    AttributeType.INT: _int,
    AttributeType.DOUBLE: _double,
    AttributeType.STRING: _string,
    AttributeType.TIMESTAMP: _timestamp,
    AttributeType.DURATION: _duration,
}
_LISTS: dict[AttributeType, Callable[[struct_pb2.Value], object]] = {
    AttributeType.BOOL_LIST: _bool,
    AttributeType.INT_LIST: _int,
    AttributeType.DOUBLE_LIST: _double,
    AttributeType.STRING_LIST: _string,
}

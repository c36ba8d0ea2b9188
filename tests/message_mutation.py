"""Messages that nobody would send: some field, anywhere, set to something else."""

from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as FD

_INTEGERS = {
    FD.CPPTYPE_INT32: (-(2**31), -1, 0, 1, 1_001, 2**31 - 1),
    FD.CPPTYPE_UINT32: (0, 1, 2, 5_000, 2**32 - 1),
    FD.CPPTYPE_INT64: (-(2**63), -1, 0, 999, 253_402_300_800, 2**63 - 1),
    FD.CPPTYPE_UINT64: (0, 1, 2**63, 2**64 - 1),
}
_DOUBLES = (float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 5e-324, 1e308)
_TEXTS = (
    "", "\0", "sample", "é", "a" * 64, "A", "a\nb", "{{ x }}", "{{ contact.age }}",
    "{% if %}", "contact.age >", "contact.age > 1", "1", "segment.sample", "\ud7ff",
    "environments/bank", "environments/bank/offers/sample", "/" * 9, "contact." * 900,
    "(" * 200, "[" * 50 + "]" * 50, "label = x", "label:", "UTC", "*", "name",
    "é" * 3_000,
)  # fmt: skip


def mutate(random: Random, message: Any) -> None:
    """Change one to three things in a message, at any depth."""
    for _ in range(random.randint(1, 3)):
        _mutate(random, message, 0)


def flipped(random: Random, data: bytes) -> bytes:
    """The same bytes, with some others among them, or some missing."""
    broken = bytearray(data or b"\x0a\x01a")
    for _ in range(random.randint(1, 4)):
        broken[random.randrange(len(broken))] = random.randrange(256)
    return bytes(broken[: random.randint(0, len(broken))])


def _mutate(random: Random, message: Any, depth: int) -> None:
    fields = message.DESCRIPTOR.fields
    if not fields:
        return
    field = random.choice(fields)
    if field.is_repeated:
        _mutate_repeated(random, message, field, depth)
    elif field.message_type is not None:
        below = getattr(message, field.name)
        below.SetInParent()
        if depth < 8:
            _mutate(random, below, depth + 1)
    elif random.random() < 0.1:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _value(random, field))


def _mutate_repeated(random: Random, message: Any, field: Any, depth: int) -> None:
    values = getattr(message, field.name)
    below = field.message_type
    if below is not None and below.GetOptions().map_entry:
        key = _value(random, below.fields_by_name["key"])
        value = below.fields_by_name["value"]
        if value.message_type is None:
            values[key] = _value(random, value)
        elif depth < 8:
            _mutate(random, values[key], depth + 1)
    elif below is not None:
        one = random.choice(values) if len(values) and random.random() < 0.5 else None
        if depth < 8:
            _mutate(random, values.add() if one is None else one, depth + 1)
    else:
        count = random.choice((1, 1, 2, 300))
        values.extend([_value(random, field)] * count)


def _value(random: Random, field: Any) -> Any:
    if field.cpp_type == FD.CPPTYPE_STRING:
        if field.type == FD.TYPE_BYTES:
            return random.randbytes(random.randint(0, 20))
        return random.choice(_TEXTS)
    if field.cpp_type == FD.CPPTYPE_ENUM:
        return random.choice((0, 1, 2, 3, 99, -1))
    if field.cpp_type in (FD.CPPTYPE_DOUBLE, FD.CPPTYPE_FLOAT):
        return random.choice(_DOUBLES)
    if field.cpp_type == FD.CPPTYPE_BOOL:
        return random.random() < 0.5
    return random.choice(_INTEGERS[field.cpp_type])

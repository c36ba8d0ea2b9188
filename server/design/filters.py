"""Filters of lists: a small part of AIP-160.

    filter     = condition {[AND] condition}
    condition  = path = value | path : value
    path       = field, or one inside of it: window.start_time, content.title
    value      = a word, or a text in double quotes

`=` compares; `:` asks whether a text contains the value, a list has it, a mapping has
that key, or (with `*`) anything is set at all.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from server.requests import InvalidRequest, Violation, near_misses

FILTER_BYTES_MAX = 1_000
CONDITIONS_MAX = 20

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<sign>[=:])|(?P<word>[^\s=:"()<>!]+))"""
)


class _Condition(NamedTuple):
    path: list[str]
    sign: str
    value: str


def filter_of(text: str, message: Any) -> Callable[[Any], bool]:
    """What a filter asks of messages like `message`; raises InvalidRequest."""
    if len(text.encode()) > FILTER_BYTES_MAX:
        raise _wrong(f"is longer than {FILTER_BYTES_MAX} bytes; shorten it")
    conditions = _parse(text)
    for condition in conditions:
        _check(condition, message.DESCRIPTOR)
    return lambda one: all(_holds(condition, one) for condition in conditions)


def _parse(text: str) -> list[_Condition]:
    tokens: list[tuple[str, str]] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise _wrong(
                f"cannot be read at {text[at : at + 20]!r}; write `field = value`,"
                " `field:value`, and AND between them"
            )
        tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
        at = match.end()
    conditions: list[_Condition] = []
    while tokens:
        if conditions and tokens[0] == ("word", "AND"):
            del tokens[0]
        kinds = [kind for kind, _ in tokens[:3]]
        if kinds not in (["word", "sign", "word"], ["word", "sign", "quoted"]):
            raise _wrong(
                "is no list of conditions such as `label:card AND disabled = true`"
            )
        (_, path), (_, sign), (kind, value) = tokens[:3]
        if kind == "quoted":
            value = re.sub(r"\\(.)", r"\1", value[1:-1])
        conditions.append(_Condition(path.split("."), sign, value))
        del tokens[:3]
    if len(conditions) > CONDITIONS_MAX:
        raise _wrong(f"has {len(conditions)} conditions; send at most {CONDITIONS_MAX}")
    return conditions


def _check(condition: _Condition, descriptor: Any) -> None:
    for place, step in enumerate(condition.path):
        field = descriptor.fields_by_name.get(step)
        if field is None:
            known = near_misses(step, descriptor.fields_by_name)
            raise _wrong(f"names {'.'.join(condition.path)[:100]!r}, no field{known}")
        below = field.message_type
        is_last = place == len(condition.path) - 1
        if below is not None and below.GetOptions().map_entry:
            if len(condition.path) - place <= 2:
                return
        elif below is not None and not field.is_repeated and not is_last:
            descriptor = below
            continue
        elif is_last:
            if below is not None and condition.value != "*":
                raise _wrong(f"compares {step!r}, which is no value; ask `{step}:*`")
            return
        raise _wrong(f"leads into {step!r}; compare that whole")


def _holds(condition: _Condition, message: Any) -> bool:
    value = message
    for place, step in enumerate(condition.path):
        field = value.DESCRIPTOR.fields_by_name[step]
        below = getattr(value, step)
        rest = condition.path[place + 1 :]
        is_message = field.message_type is not None
        if is_message and field.message_type.GetOptions().map_entry:
            if not rest:
                has_any = condition.value == "*" and len(below) > 0
                return has_any or condition.value in below
            return rest[0] in below and _matches(condition, below[rest[0]])
        if field.is_repeated:
            if condition.value == "*":
                return len(below) > 0
            return condition.sign == ":" and condition.value in map(str, below)
        if is_message and not rest:
            return value.HasField(step)
        value = below
        if not rest:
            if field.enum_type is not None:
                known = field.enum_type.values_by_number.get(below)
                value = known.name if known else str(below)
            return _matches(condition, value)
    return False


def _matches(condition: _Condition, value: Any) -> bool:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if condition.sign == ":":
        if condition.value == "*":
            return bool(value)
        return condition.value.lower() in text.lower()
    if isinstance(value, float):
        try:
            return value == float(condition.value)
        except ValueError:
            return False
    return text == condition.value


def _wrong(text: str) -> InvalidRequest:
    return InvalidRequest([Violation("filter", text)])

"""A bank's attributes and segments, for rules that people would write."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from catalog_store.records import Attribute, AttributeType
from compiler.rules import Kind, compile_rule
from compiler.runtime.history import PROPOSITION_FIELDS, History, PastSlots
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.linker import LinkedRule, link
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from compiler.segments import compile_segments
from compiler.source import Source

_CONTACT: Final = {
    "age": AttributeType.INT,
    "country": AttributeType.STRING,
    "balance": AttributeType.DOUBLE,
    "optin": AttributeType.BOOL,
    "tags": AttributeType.STRING_LIST,
    "scores": AttributeType.DOUBLE_LIST,
    "visits": AttributeType.INT_LIST,
    "joined": AttributeType.TIMESTAMP,
    "silence": AttributeType.DURATION,
    # Names that mean something in Python.
    "class": AttributeType.INT,
    "lambda": AttributeType.BOOL,
}
_CONTEXT: Final = {"cart_value": AttributeType.DOUBLE, "page": AttributeType.STRING}

SCHEMA: Final = Schema.of(
    tuple(Attribute(name=name, type=type_) for name, type_ in _CONTACT.items()),
    tuple(Attribute(name=name, type=type_) for name, type_ in _CONTEXT.items()),
    ("young", "young_french", "opted_in"),
)
SEGMENTS: Final = compile_segments(
    {
        "young_french": Source(
            "segments/young_french", "segment.young && contact.country == 'FR'"
        ),
        "young": Source("segments/young", "contact.age < 30"),
        "opted_in": Source("segments/opted_in", "contact.optin"),
    },
    SCHEMA,
)

#: What an evaluation without an answer gives in these tests.
NO_ANSWER: Final = "no answer"


def linked(text: str, kind: Kind = Kind.CONDITION) -> LinkedRule:
    compiled = compile_rule(Source("rule", text), SCHEMA, kind, SEGMENTS)
    return link(compiled.code, compiled.tree_bytes)


def contact(**values: Any) -> tuple[Any, ...]:
    """The contact's slots; attributes that are not named are absent."""
    assert set(values) <= set(_CONTACT), values
    return tuple(values.get(name, MISSING) for name in _CONTACT)


def context(
    now: int = 0, channel: str = "inbound_web", space: str = "home", **values: Any
) -> tuple[Any, ...]:
    assert set(values) <= set(_CONTEXT), values
    declared = (values.get(name, MISSING) for name in _CONTEXT)
    return (now, channel, space, *declared)


def past(
    offer: str = "gold_card", status: str = "presented", **fields: Any
) -> PastSlots:
    """One proposition of the history; fields that are not named are unremarkable."""
    unremarkable: dict[str, Any] = {
        "category": "cards",
        "space": "home",
        "channel": "inbound_web",
        "weight": 1.0,
        "rank": 1,
        "event_time": 0,
    }
    assert set(fields) <= set(unremarkable), fields
    values = {"offer": offer, "status": status, **unremarkable, **fields}
    return tuple(values[name] for name, _ in PROPOSITION_FIELDS)


def answer(
    text: str,
    *,
    kind: Kind = Kind.CONDITION,
    history: History = (),
    call: Mapping[str, Any] = MappingProxyType({}),
    **values: Any,
) -> Any:
    """What a rule says about a contact, agreed by both evaluators, or NO_ANSWER."""
    rule = linked(text, kind)
    slots = contact(**values), context(**call), history
    found: list[Any] = []
    for evaluate in (rule.evaluate, rule.evaluate_exactly):
        try:
            found.append(evaluate(*slots))
        except EvaluationError:
            found.append(NO_ANSWER)

    assert repr(found[0]) == repr(found[1]), (text, values)
    return found[0]

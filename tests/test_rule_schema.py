"""What rules may name: slots, and names that cannot stand."""

import pytest
from rule_examples import SCHEMA

from catalog_store.records import Attribute, AttributeType
from compiler.check import Kind, check
from compiler.front_end_errors import ERRORS_MAX
from compiler.runtime.tree import Op, slot_of, walk
from compiler.schema import NAMES_MAX, Schema
from compiler.source import Refused, Source, Span


def attribute(name: str, type_: AttributeType = AttributeType.INT) -> Attribute:
    return Attribute(name=name, type=type_)


def test_slots_are_places_in_declared_order_after_the_built_in_ones() -> None:
    """The context begins with now, channel and space; the rest follows as declared."""
    root = check(
        Source(
            "rule",
            "context.cart_value > 1.0 && context.now > contact.joined && "
            "context.channel != context.space",
        ),
        SCHEMA,
        Kind.CONDITION,
    )

    assert [slot_of(node) for node in walk(root) if node.op is Op.SLOT] == [
        ("context", 3, "cart_value"),
        ("context", 0, "now"),
        ("contact", 7, "joined"),
        ("context", 1, "channel"),
        ("context", 2, "space"),
    ]


def test_every_wrong_name_in_a_schema_is_reported() -> None:
    """Names that stand twice or are not names are all found at once."""
    with pytest.raises(ValueError, match="contact") as raised:
        Schema.of(
            (attribute("a"), attribute("a"), attribute("A b")),
            (attribute("now"),),
            ("x", "x"),
        )

    assert raised.value.args[0].split("; ") == [
        "contact.A b is not a name of lower-case letters, digits and underscores",
        "contact.a is declared twice",
        "context.now is declared twice",
        "segment.x is declared twice",
    ]


@pytest.mark.parametrize("type_", list(AttributeType))
def test_every_attribute_type_can_be_tested_for_presence(type_: AttributeType) -> None:
    """has() works on every type, lists included."""
    schema = Schema.of((attribute("a", type_),))

    assert check(Source("rule", "has(contact.a)"), schema, Kind.CONDITION)


def test_names_that_protobuf_would_confuse_are_fine() -> None:
    """`a_b` and `a__b` share a JSON name, and some names are words of CEL."""
    names = ("a_b", "a__b", "in", "null", "for", "package", "contact", "size")
    schema = Schema.of(tuple(attribute(name) for name in names))
    text = " && ".join(f"contact.`{name}` == 1" for name in names)
    root = check(Source("rule", text), schema, Kind.CONDITION)

    assert list(names) == [
        slot_of(node)[2] for node in walk(root) if node.op is Op.SLOT
    ]


def test_as_many_attributes_can_be_declared_as_the_schema_allows() -> None:
    """The schema's own limit comes before the front end's."""
    attributes = tuple(attribute(f"a{number}") for number in range(NAMES_MAX + 1))
    schema = Schema.of(attributes[:-1])
    root = check(Source("rule", "contact.a3999 > 1"), schema, Kind.CONDITION)

    assert slot_of(root.children[0]) == ("contact", 3_999, "a3999")
    with pytest.raises(ValueError, match="contact: 4001 names, at most 4000"):
        Schema.of(attributes)


def test_errors_are_reported_up_to_a_bound() -> None:
    """A rule of a thousand mistakes shows the first, and is refused quickly."""
    text = " || ".join(f"contact.x{number}" for number in range(200))
    with pytest.raises(Refused) as refused:
        check(Source("rule", text), SCHEMA, Kind.CONDITION)

    assert len(refused.value.diagnostics) == ERRORS_MAX
    assert refused.value.diagnostics[0].span == Span(8, 10)

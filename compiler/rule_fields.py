"""The rules of an environment: where they stand, and what they may name."""

from collections.abc import Container, Iterable, Iterator
from typing import NamedTuple

from catalog_store.records import (
    Environment,
    StoredExpression,
    WeightRow,
    resource_name,
)
from compiler.rules import Kind
from compiler.schema import Schema
from compiler.segments import Segments, compile_segments
from compiler.source import Source, field_source


class RuleField(NamedTuple):
    """A field of a record that holds a rule or a formula."""

    source: Source
    kind: Kind


def rule_fields(environment: Environment) -> Iterator[RuleField]:
    """Every field with a rule or a formula, in the order of the record."""
    name = environment.name
    yield from _fields(resource_name(name), environment.rule, environment.weights)
    for category in environment.categories:
        resource = resource_name(name, "categories", category.name)
        yield from _fields(resource, category.rule, category.weights)
    for offer in environment.offers:
        resource = resource_name(name, "offers", offer.name)
        yield from _fields(resource, offer.rule, offer.weights)
    for rule in environment.presentation_rules:
        resource = resource_name(name, "presentation_rules", rule.name)
        yield from _fields(resource, rule.rule)
        if rule.counted_rule is not None:
            source = Source(f"{resource}:counted_rule", rule.counted_rule)
            yield RuleField(source, Kind.COUNTED)
    for space in environment.spaces:
        resource = resource_name(name, "spaces", space.name)
        for field in ("stored_on_proposition", "stored_on_acceptance"):
            stored: tuple[StoredExpression, ...] = getattr(space, field)
            for place, one in enumerate(stored):
                where = f"{resource}:{field}[{place}].expression"
                yield RuleField(Source(where, one.expression), Kind.STORED)
    # A segment is a rule of its own, too: who is in it may be asked.
    for segment in environment.segments:
        resource = resource_name(name, "segments", segment.name)
        yield from _fields(resource, segment.rule)


def environment_schema(environment: Environment) -> Schema:
    """What the rules of an environment may name; raises ValueError."""
    return Schema.of(
        environment.contact_attributes,
        environment.context_attributes,
        tuple(segment.name for segment in environment.segments),
    )


def environment_segments(
    environment: Environment, schema: Schema, only: Container[str] | None = None
) -> Segments:
    """The segments of an environment, or some that need no others, compiled.

    Raises Refused.
    """
    sources = {
        segment.name: field_source(
            resource_name(environment.name, "segments", segment.name),
            "rule",
            segment.rule,
        )
        for segment in environment.segments
        if only is None or segment.name in only
    }
    return compile_segments(sources, schema)


def _fields(
    resource: str, rule: str | None, rows: Iterable[WeightRow] = ()
) -> list[RuleField]:
    found: list[RuleField] = []
    if rule is not None:
        found.append(RuleField(Source(f"{resource}:rule", rule), Kind.CONDITION))
    for place, row in enumerate(rows):
        field = f"{resource}:weights[{place}]"
        if isinstance(row.weight, str):
            source = Source(f"{field}.weight", row.weight)
            found.append(RuleField(source, Kind.FORMULA))
        if row.rule is not None:
            source = Source(f"{field}.rule", row.rule)
            found.append(RuleField(source, Kind.CONDITION))
    return found

"""A catalog to what one revision holds: every rule compiled, each distinct one once."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from catalog_store.compiled import CompiledCatalog, CompiledEnvironment, StoredRule
from catalog_store.records import Catalog, Environment, WeightRow, resource_name
from compiler.catalog_check import check_catalog
from compiler.check import check
from compiler.rules import CODE_TAG, Kind, compile_rule, rebuild_code
from compiler.schema import Schema
from compiler.segments import Segments, compile_segments
from compiler.source import Diagnostic, Refused, Severity, Source, field_source


class Compilation(NamedTuple):
    """A compiled catalog, and what its authors should know of it all the same."""

    catalog: CompiledCatalog
    #: Warnings and notes.
    diagnostics: tuple[Diagnostic, ...]


class RuleField(NamedTuple):
    """A field of a record that holds a rule or a formula."""

    source: Source
    kind: Kind


def compile_catalog(catalog: Catalog) -> Compilation:
    """Compile everything; raises Refused with every error of all environments."""
    found = check_catalog(catalog)
    compiled: list[CompiledEnvironment] = []
    for environment in catalog.environments:
        try:
            compiled.append(_compile_environment(_as_stored(environment)))
        except Refused as refused:
            found.extend(refused.diagnostics)
    if any(diagnostic.severity is Severity.ERROR for diagnostic in found):
        raise Refused(found)
    return Compilation(CompiledCatalog(tuple(compiled), CODE_TAG), tuple(found))


def rebuild(catalog: CompiledCatalog) -> CompiledCatalog:
    """The same catalog with code for this Python; trees are trusted as checked.

    Raises EncodingError when a tree is not one.
    """
    return CompiledCatalog(
        environments=tuple(
            msgspec.structs.replace(
                environment,
                rules=tuple(
                    msgspec.structs.replace(rule, code=rebuild_code(rule.tree))
                    for rule in environment.rules
                ),
            )
            for environment in catalog.environments
        ),
        code_tag=CODE_TAG,
    )


def rule_fields(environment: Environment) -> Iterator[RuleField]:
    """Every field with a rule or a formula, in the order of the record."""
    name = environment.name
    own = resource_name(name)
    yield from _condition(own, environment.rule)
    yield from _rows(own, environment.weights)
    for category in environment.categories:
        resource = resource_name(name, "categories", category.name)
        yield from _condition(resource, category.rule)
        yield from _rows(resource, category.weights)
    for offer in environment.offers:
        resource = resource_name(name, "offers", offer.name)
        yield from _condition(resource, offer.rule)
        yield from _rows(resource, offer.weights)
    for rule in environment.presentation_rules:
        resource = resource_name(name, "presentation_rules", rule.name)
        yield from _condition(resource, rule.rule)


def environment_schema(environment: Environment) -> Schema:
    """What the rules of an environment may name; raises ValueError."""
    return Schema.of(
        environment.contact_attributes,
        environment.context_attributes,
        tuple(segment.name for segment in environment.segments),
    )


def environment_segments(environment: Environment, schema: Schema) -> Segments:
    """The segments of an environment, compiled; raises Refused."""
    sources = {
        segment.name: field_source(
            resource_name(environment.name, "segments", segment.name),
            "rule",
            segment.rule,
        )
        for segment in environment.segments
    }
    return compile_segments(sources, schema)


def _as_stored(environment: Environment) -> Environment:
    """The record as a revision gives it back, so that both have one digest.

    A weight written as 1 is 1.0 there; what cannot be encoded was refused before.
    """
    encoded = msgspec.msgpack.encode(environment)
    return msgspec.msgpack.decode(encoded, type=Environment)


def _compile_environment(environment: Environment) -> CompiledEnvironment:
    """Raises Refused with the diagnostics of all of its rules."""
    try:
        schema = environment_schema(environment)
    except ValueError:
        # `check_catalog` says which names, and where.
        raise Refused([]) from None
    found: list[Diagnostic] = []
    segments: Segments | None = None
    try:
        segments = environment_segments(environment, schema)
    except Refused as refused:
        found.extend(refused.diagnostics)
    numbers: dict[tuple[str, Kind], int] = {}
    rules: list[StoredRule] = []
    rule_of: dict[str, int] = {}
    for source, kind in rule_fields(environment):
        number = numbers.get((source.text, kind))
        if number is None:
            try:
                if segments is None:
                    # Only what is wrong with the rule itself is news.
                    check(source, schema, kind)
                    continue
                compiled = compile_rule(source, schema, kind, segments)
            except Refused as refused:
                found.extend(refused.diagnostics)
                continue
            number = numbers[source.text, kind] = len(rules)
            rules.append(
                StoredRule(
                    text=source.text,
                    formula=kind is Kind.FORMULA,
                    tree=compiled.tree_bytes,
                    code=compiled.code,
                )
            )
        rule_of[source.name] = number
    if found:
        raise Refused(found)
    return CompiledEnvironment(environment, tuple(rules), rule_of)


def _condition(resource: str, text: str | None) -> Iterator[RuleField]:
    if text is not None:
        yield RuleField(field_source(resource, "rule", text), Kind.CONDITION)


def _rows(resource: str, rows: Iterable[WeightRow]) -> Iterator[RuleField]:
    for place, row in enumerate(rows):
        if isinstance(row.weight, str):
            field = f"weights[{place}].weight"
            yield RuleField(field_source(resource, field, row.weight), Kind.FORMULA)
        if row.rule is not None:
            field = f"weights[{place}].rule"
            yield RuleField(field_source(resource, field, row.rule), Kind.CONDITION)

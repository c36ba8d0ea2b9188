"""What is wrong with a catalog in which little changed, at the cost of little.

The catalog before had no errors. What is new in the one after is checked, and what
could mean something else now: a rule has no other way to use an attribute or a segment
than to spell out its name, and a template none to use an attribute.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from catalog_store.records import (
    Attribute,
    Catalog,
    Environment,
    Offer,
    Space,
    resource_name,
)
from compiler.assembly import parts_of
from compiler.catalog_check import check_catalog
from compiler.catalog_templates import check_templates, offer_attributes
from compiler.check import Kind, check, check_conditions
from compiler.rule_fields import (
    RuleField,
    environment_schema,
    environment_segments,
    rule_fields,
)
from compiler.schema import Schema
from compiler.segments import Segments, expand
from compiler.source import Diagnostic, Refused, field_source

_WORD = re.compile(r"[A-Za-z0-9_]+")
_NO_CATALOG = Catalog(environments=())
#: Sections whose records hold rules or templates.
_WITH_TEXTS = ("categories", "offers", "presentation_rules", "segments", "spaces")
_Text = TypeVar("_Text", Offer, Space)


def check_change(after: Catalog, before: Catalog = _NO_CATALOG) -> list[Diagnostic]:
    """Every error that `compile_catalog` would refuse `after` for, warnings besides.

    `before` had none. Of a catalog without environments nothing is said.
    """
    if not after.environments:
        return []
    accepted = {one.name: one for one in before.environments}
    found = check_catalog(after, accepted)
    for environment in after.environments:
        known = accepted.get(environment.name)
        if environment is not known:
            found += _check_texts(environment, known)
    return list(dict.fromkeys(found))


def _check_texts(after: Environment, before: Environment | None) -> list[Diagnostic]:
    """Errors in rules and templates."""
    try:
        schema = environment_schema(after)
    except ValueError:
        # `check_catalog` says which names, and where.
        return []
    known = before or _nothing_of(after)
    meanings = _changed_meanings(after, known)
    parts = _parts(after, known)
    fields = [*rule_fields(parts.new)]
    fields += [
        field
        for field in rule_fields(parts.same)
        if _mentions(field.source.text, meanings.in_rules)
    ]
    found = _check_rules(after, fields, schema)
    offers = _with_templates(parts.new.offers, parts.same.offers, meanings)
    spaces = _with_templates(parts.new.spaces, parts.same.spaces, meanings)
    return found + check_templates(after, schema, offers, spaces)


class _Parts(NamedTuple):
    """An environment cut in two."""

    #: What is other than before; its own rule and weights always are.
    new: Environment
    same: Environment


def _parts(after: Environment, before: Environment) -> _Parts:
    new: dict[str, tuple[Any, ...]] = {}
    same: dict[str, tuple[Any, ...]] = {}
    for kind in _WITH_TEXTS:
        records = getattr(after, kind)
        if records is getattr(before, kind):
            new[kind], same[kind] = (), records
            continue
        known = {one.name: one for one in getattr(before, kind)}
        is_same = [known.get(one.name) == one for one in records]
        pairs = list(zip(records, is_same, strict=True))
        new[kind] = tuple(one for one, unchanged in pairs if not unchanged)
        same[kind] = tuple(one for one, unchanged in pairs if unchanged)
    return _Parts(
        msgspec.structs.replace(after, **new),
        msgspec.structs.replace(after, **same, rule=None, weights=()),
    )


class _Meanings(NamedTuple):
    """Names that are gone, or mean something else than before."""

    in_rules: Collection[str]
    in_templates: Collection[str]


def _changed_meanings(after: Environment, before: Environment) -> _Meanings:
    attributes = _changed_attributes(
        after.contact_attributes, before.contact_attributes
    )
    attributes |= _changed_attributes(
        after.context_attributes, before.context_attributes
    )
    segments: set[str] = set()
    if after.segments is not before.segments:
        now = {one.name: one.rule for one in after.segments}
        changed = {one.name for one in before.segments if now.get(one.name) != one.rule}
        segments = _users(changed, now)
    gone: set[str] = set()
    if after.offers is not before.offers:
        gone = set(offer_attributes(before)) - set(offer_attributes(after))
    return _Meanings(attributes | segments, attributes | gone)


def _changed_attributes(
    after: Sequence[Attribute], before: Sequence[Attribute]
) -> set[str]:
    types = {one.name: one.type for one in after}
    return {one.name for one in before if types.get(one.name) != one.type}


def _users(changed: set[str], rules: dict[str, str]) -> set[str]:
    """These segments, and all that use one of them, directly or not."""
    found, reached = set[str](), changed
    while reached:
        found |= reached
        reached = {
            name
            for name, rule in rules.items()
            if name not in found and _mentions(rule, reached)
        }
    return found


def _used(texts: Iterable[str], rules: dict[str, str]) -> set[str]:
    """The segments that some rules use, directly or not."""
    found = set[str]()
    reached = _mentioned(texts, rules)
    while reached:
        found |= reached
        reached = _mentioned((rules[name] for name in reached), rules) - found
    return found


def _mentioned(texts: Iterable[str], names: Collection[str]) -> set[str]:
    if not names:
        return set()
    return {word for text in texts for word in _WORD.findall(text) if word in names}


def _mentions(text: str, names: Collection[str]) -> bool:
    return bool(names) and any(word in names for word in _WORD.findall(text))


def _with_templates(
    new: Sequence[_Text], same: Sequence[_Text], meanings: _Meanings
) -> list[_Text]:
    names = meanings.in_templates
    texts = ((one, msgspec.json.encode(one).decode()) for one in same if names)
    return [*new, *(one for one, text in texts if _mentions(text, names))]


def _check_rules(
    environment: Environment, fields: Sequence[RuleField], schema: Schema
) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    rules = {one.name: one.rule for one in environment.segments}
    own = {_segment_field(environment.name, name): name for name in rules}
    changed = {own[f.source.name] for f in fields if f.source.name in own}
    needed = _used((field.source.text for field in fields), rules) | changed
    segments: Segments | None = None
    try:
        segments = environment_segments(environment, schema, needed)
    except Refused as refused:
        found += refused.diagnostics
    sound = _sound_conditions(fields, schema)
    for source, kind in fields:
        if (source.text, kind) in sound:
            continue
        try:
            root = check(source, schema, kind)
            if segments is not None:
                expand(source, root, segments)
        except Refused as refused:
            found += refused.diagnostics
        else:
            sound.add((source.text, kind))
    return found


def _sound_conditions(
    fields: Iterable[RuleField], schema: Schema
) -> set[tuple[str, Kind]]:
    """Conditions that are right because each of their parts is.

    PERF: 10,000 rules of bench/design.py share their parts, which the front end takes
    in lists: a fifth of the time that it takes for the rules one by one.
    """
    texts = {source.text for source, kind in fields if kind is Kind.CONDITION}
    parts = {text: parts_of(text) for text in texts}
    wanted = sorted({one.text for found in parts.values() for one in found or ()})
    trees = zip(wanted, check_conditions(wanted, schema), strict=True)
    right = {text for text, tree in trees if tree is not None}
    return {
        (text, Kind.CONDITION)
        for text, found in parts.items()
        # As in `Assembly.rule`: one that stands twice is left to the whole rule.
        if found is not None
        and len({one.text for one in found}) == len(found)
        and all(one.text in right for one in found)
    }


def _segment_field(environment: str, name: str) -> str:
    return field_source(resource_name(environment, "segments", name), "rule", "").name


def _nothing_of(environment: Environment) -> Environment:
    return Environment(name=environment.name, time_zone=environment.time_zone)

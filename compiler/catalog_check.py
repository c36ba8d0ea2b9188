"""Whether the records of a catalog fit together, before any rule is looked at.

    environments    their names, the default one, who decides for visitors
    sections        per environment: names, sizes and texts of what it holds
    values          numbers, windows and periods      (catalog_values)
    references      names that must exist, and the category tree   (catalog_links)
    quotas          what they limit and name, and where it is counted (catalog_quotas)
    golden decisions what they name, and their values        (catalog_golden)
    shortfalls      warnings: what is published and can never be seen (catalog_links)

Rules and formulas are the compiler's, their length included. Errors keep a catalog
from being published; warnings do not.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from types import MappingProxyType
from zoneinfo import available_timezones

import msgspec

from catalog_store.golden_decisions import GOLDEN_DECISIONS_MAX
from catalog_store.records import (
    ATTRIBUTES_MAX,
    CATEGORIES_MAX,
    CONTENT_BYTES_MAX,
    CONTENT_FIELDS_MAX,
    DESCRIPTION_MAX,
    ENVIRONMENTS_MAX,
    LABEL_MAX,
    NAME_PATTERN,
    OFFER_ATTRIBUTE_CHARACTERS_MAX,
    OFFER_ATTRIBUTES_MAX,
    OFFERS_MAX,
    PRESENTATION_RULES_MAX,
    QUOTAS_MAX,
    SEGMENTS_MAX,
    SPACES_MAX,
    STORED_EXPRESSIONS_MAX,
    THEMES_MAX,
    TYPOLOGIES_MAX,
    Attribute,
    Catalog,
    Category,
    Environment,
    EnvironmentSource,
    GoldenDecision,
    Offer,
    PresentationRule,
    Quota,
    Rendering,
    Segment,
    Space,
    StoredExpression,
    Typology,
    resource_name,
)
from compiler import catalog_diagnostics as mistakes
from compiler.catalog_diagnostics import Field, Findings
from compiler.catalog_golden import check_golden_decisions
from compiler.catalog_links import check_links, check_shortfalls
from compiler.catalog_quotas import check_quotas
from compiler.catalog_values import check_values
from compiler.source import Diagnostic

#: CEL's keywords and the words that it keeps for the languages it is embedded in.
RESERVED_WORDS = frozenset({
    "as", "break", "const", "continue", "else", "false", "for", "function", "if",
    "import", "in", "let", "loop", "namespace", "null", "package", "return", "true",
    "var", "void", "while",
})  # fmt: skip
#: Attributes of the context that every environment has.
BUILT_IN_CONTEXT = frozenset({"now", "channel", "space"})

_NAME = re.compile(NAME_PATTERN)
_COUNT_MAX = {
    "categories": CATEGORIES_MAX,
    "offers": OFFERS_MAX,
    "spaces": SPACES_MAX,
    "segments": SEGMENTS_MAX,
    "presentation_rules": PRESENTATION_RULES_MAX,
    "typologies": TYPOLOGIES_MAX,
    "quotas": QUOTAS_MAX,
    "golden_decisions": GOLDEN_DECISIONS_MAX,
}
_Named = (
    Category
    | Offer
    | Space
    | Segment
    | PresentationRule
    | Typology
    | Quota
    | GoldenDecision
)


def check_catalog(
    catalog: Catalog, accepted: Mapping[str, Environment] = MappingProxyType({})
) -> list[Diagnostic]:
    """Every mistake that needs no rule to be seen; empty when there is none.

    Each is on a field of a record; see `compiler.source.field_source`. Beyond
    FINDINGS_MAX of a kind a note says that there are more. `accepted` are environments
    by name in which no error was found: what is equal there is not looked at again.
    """
    findings = Findings()
    _check_environments(catalog, findings)
    for environment in catalog.environments:
        if findings.full:
            break
        offers = _offers_to_check(environment, accepted.get(environment.name))
        _check_environment(environment, offers, findings)
        check_values(msgspec.structs.replace(environment, offers=offers), findings)
        check_links(environment, catalog, offers, findings)
        check_quotas(environment, _time_zones(), findings)
        check_golden_decisions(environment, findings)
        check_shortfalls(environment, findings)
    return findings.all("environments")


def _offers_to_check(
    environment: Environment, accepted: Environment | None
) -> tuple[Offer, ...]:
    """Those of which a check by themselves could find something.

    PERF: 20 ms instead of 80 ms where one of 10,000 offers changed.
    """
    if (
        accepted is None
        or environment.categories != accepted.categories
        or environment.spaces != accepted.spaces
    ):
        return environment.offers
    known = {offer.name: offer for offer in accepted.offers}
    return tuple(o for o in environment.offers if known.get(o.name) != o)


def _check_environments(catalog: Catalog, findings: Findings) -> None:
    names = [environment.name for environment in catalog.environments]
    if not names:
        findings.add(mistakes.none_at_all(Field("environments", ""), "environment"))
    if len(names) > ENVIRONMENTS_MAX:
        field = Field("environments", "")
        findings.add(
            mistakes.too_many(field, "environments", len(names), ENVIRONMENTS_MAX)
        )
    for name in _repeated(names):
        field = Field(resource_name(name), "name", name)
        findings.add(mistakes.duplicate(field, "environment"))
    sources = {each.source: each.name for each in catalog.environments if each.source}
    if len(sources) > 1:
        name = sources[EnvironmentSource.ARTIFACT]
        other = sources[EnvironmentSource.RECORDS]
        field = Field(resource_name(name), "source", EnvironmentSource.ARTIFACT)
        findings.add(mistakes.mixed_sources(field, other))
    defaults = [each.name for each in catalog.environments if each.default]
    for name in defaults[1:]:
        field = Field(resource_name(name), "default", "true")
        findings.add(mistakes.several_defaults(field, defaults[0]))


def _check_environment(
    environment: Environment, offers: Sequence[Offer], findings: Findings
) -> None:
    resource = resource_name(environment.name)
    _check_name(Field(resource, "name", environment.name), findings)
    _check_label(resource, environment.label, findings)
    dimension = environment.targeting_dimension
    _check_name(Field(resource, "targeting_dimension", dimension), findings)
    zone = environment.time_zone
    if zone != "UTC" and zone not in _time_zones():
        field = Field(resource, "time_zone", zone)
        findings.add(mistakes.unknown(field, "time zone", _time_zones()))
    _check_attributes(
        resource, "contact_attributes", environment.contact_attributes, findings
    )
    _check_attributes(
        resource, "context_attributes", environment.context_attributes, findings
    )
    for kind, limit in _COUNT_MAX.items():
        records: Sequence[_Named] = getattr(environment, kind)
        if len(records) > limit:
            field = Field(resource, kind)
            findings.add(mistakes.too_many(field, kind, len(records), limit))
        to_check = offers if kind == "offers" else records
        _check_section(environment.name, kind, records, to_check, findings)


@cache
def _time_zones() -> frozenset[str]:
    return frozenset(available_timezones()) | {"UTC"}


def _check_attributes(
    resource: str, kind: str, attributes: Sequence[Attribute], findings: Findings
) -> None:
    if len(attributes) > ATTRIBUTES_MAX:
        field = Field(resource, kind)
        findings.add(
            mistakes.too_many(field, "attributes", len(attributes), ATTRIBUTES_MAX)
        )
    repeated = set(_repeated(each.name for each in attributes))
    for index, attribute in enumerate(attributes):
        field = Field(resource, f"{kind}[{index}].name", attribute.name)
        _check_rule_word(field, findings)
        if attribute.name in repeated:
            repeated.discard(attribute.name)
            findings.add(mistakes.duplicate(field, "attribute"))
        if kind == "context_attributes" and attribute.name in BUILT_IN_CONTEXT:
            findings.add(mistakes.built_in_name(field))
        if kind == "contact_attributes" and attribute.required:
            field = Field(resource, f"{kind}[{index}].required", "true")
            findings.add(mistakes.required_contact_attribute(field))
        field = Field(resource, f"{kind}[{index}].description", attribute.description)
        _check_length(field, DESCRIPTION_MAX, findings)


def _check_section(
    environment: str,
    kind: str,
    records: Sequence[_Named],
    to_check: Sequence[_Named],
    findings: Findings,
) -> None:
    what = kind[:-3] + "y" if kind.endswith("ies") else kind[:-1].replace("_", " ")
    for name in _repeated(record.name for record in records):
        field = Field(resource_name(environment, kind, name), "name", name)
        findings.add(mistakes.duplicate(field, what))
    for record in to_check:
        if findings.full:
            return
        resource = resource_name(environment, kind, record.name)
        field = Field(resource, "name", record.name)
        _check_label(resource, record.label, findings)
        match record:
            case Segment():
                _check_rule_word(field, findings)
                continue
            case Category(themes=themes):
                _check_list(resource, "themes", themes, THEMES_MAX, findings)
            case Space():
                _check_space(resource, record, findings)
            case Offer():
                _check_content(resource, "content", record.content, findings)
                for space, texts in record.space_content.items():
                    path = f"space_content.{space}"
                    _check_content(resource, path, texts, findings)
                _check_attribute_texts(resource, record.attributes, findings)
            case _:
                pass
        _check_name(field, findings)


def _check_space(resource: str, space: Space, findings: Findings) -> None:
    names = [field.name for field in space.fields]
    if len(names) > CONTENT_FIELDS_MAX:
        findings.add(
            mistakes.too_many(
                Field(resource, "fields"), "fields", len(names), CONTENT_FIELDS_MAX
            )
        )
    repeated = set(_repeated(names))
    for index, field in enumerate(space.fields):
        place = Field(resource, f"fields[{index}].name", field.name)
        _check_name(place, findings)
        if field.name in repeated:
            repeated.discard(field.name)
            findings.add(mistakes.duplicate(place, "content field"))
        place = Field(resource, f"fields[{index}].description", field.description)
        _check_length(place, DESCRIPTION_MAX, findings)
    _check_bytes(Field(resource, "default_content", space.default_content), findings)
    for path in ("stored_on_proposition", "stored_on_acceptance"):
        _check_stored(resource, path, getattr(space, path), findings)
    if space.rendering is not None and not _is_one_form(space.rendering):
        findings.add(mistakes.rendering_of_one_form(Field(resource, "rendering")))
    themes = space.default_themes
    _check_list(resource, "default_themes", themes, THEMES_MAX, findings)


def _check_stored(
    resource: str, path: str, stored: Sequence[StoredExpression], findings: Findings
) -> None:
    limit = STORED_EXPRESSIONS_MAX
    if len(stored) > limit:
        field = Field(resource, path)
        findings.add(mistakes.too_many(field, "expressions", len(stored), limit))
    repeated = set(_repeated(one.name for one in stored))
    for index, one in enumerate(stored):
        place = Field(resource, f"{path}[{index}].name", one.name)
        _check_name(place, findings)
        if one.name in repeated:
            repeated.discard(one.name)
            findings.add(mistakes.duplicate(place, "stored expression"))


def _is_one_form(rendering: Rendering) -> bool:
    forms = (rendering.html, rendering.text, rendering.json)
    is_one = sum(form is not None for form in forms) == 1
    return is_one and isinstance(rendering.json, dict | None)


def _check_content(
    resource: str, path: str, content: dict[str, str], findings: Findings
) -> None:
    if len(content) > CONTENT_FIELDS_MAX:
        field = Field(resource, path)
        findings.add(
            mistakes.too_many(field, "content fields", len(content), CONTENT_FIELDS_MAX)
        )
    for name, text in content.items():
        if not _NAME.fullmatch(name):
            findings.add(mistakes.bad_name(Field(resource, f"{path}.{name}", name)))
        _check_bytes(Field(resource, f"{path}.{name}", text), findings)


def _check_attribute_texts(
    resource: str, attributes: dict[str, str], findings: Findings
) -> None:
    limit = OFFER_ATTRIBUTES_MAX
    if len(attributes) > limit:
        field = Field(resource, "attributes")
        findings.add(mistakes.too_many(field, "attributes", len(attributes), limit))
    for name, text in attributes.items():
        field = Field(resource, f"attributes.{name}", name)
        _check_name(field, findings)
        field = Field(resource, f"attributes.{name}", text)
        _check_length(field, OFFER_ATTRIBUTE_CHARACTERS_MAX, findings)


def _check_list(
    resource: str, path: str, names: Sequence[str], limit: int, findings: Findings
) -> None:
    if len(names) > limit:
        field = Field(resource, path)
        findings.add(mistakes.too_many(field, path, len(names), limit))
    for index, name in enumerate(names):
        _check_name(Field(resource, f"{path}[{index}]", name), findings)


def _check_rule_word(field: Field, findings: Findings) -> None:
    if field.text in RESERVED_WORDS:
        findings.add(mistakes.reserved_name(field))
    else:
        _check_name(field, findings)


def _check_name(field: Field, findings: Findings) -> None:
    # fullmatch, because `$` also matches before a line end.
    if not _NAME.fullmatch(field.text):
        findings.add(mistakes.bad_name(field))


def _check_label(resource: str, label: str, findings: Findings) -> None:
    _check_length(Field(resource, "label", label), LABEL_MAX, findings)


def _check_length(field: Field, limit: int, findings: Findings) -> None:
    if len(field.text) > limit:
        findings.add(mistakes.too_long(field, len(field.text), limit, "characters"))


def _check_bytes(field: Field, findings: Findings) -> None:
    size = len(field.text.encode("utf-8", "surrogatepass"))
    if size > CONTENT_BYTES_MAX:
        findings.add(mistakes.too_long(field, size, CONTENT_BYTES_MAX, "bytes"))


def _repeated(names: Iterable[str]) -> list[str]:
    """The names that stand more than once, each once, in their first order."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return [name for name, count in seen.items() if count > 1]

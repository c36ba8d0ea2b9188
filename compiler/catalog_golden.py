"""Whether golden decisions name what there is, with values that fit."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec

from catalog_store.attribute_values import attribute_value
from catalog_store.golden_decisions import (
    GOLDEN_BYTES_MAX,
    GOLDEN_OFFERS_MAX,
    GOLDEN_PAST_MAX,
    GOLDEN_PROPOSITIONS_MAX,
    GOLDEN_SPACES_MAX,
    GoldenDecision,
    GoldenSpace,
)
from catalog_store.records import (
    UNIX_MS_MAX,
    Attribute,
    Environment,
    resource_name,
)
from compiler import catalog_diagnostics as mistakes
from compiler import golden_diagnostics as golden
from compiler.catalog_diagnostics import Field, Findings
from compiler.source import Diagnostic


def check_golden_decisions(environment: Environment, findings: Findings) -> None:
    """Report what is unknown, of another type or out of bounds."""
    if not environment.golden_decisions:
        return
    names = _Names(environment, findings)
    for one in environment.golden_decisions:
        if findings.full:
            return
        names.check(one)


class _Names:
    """What the golden decisions of one environment may name."""

    def __init__(self, environment: Environment, findings: Findings) -> None:
        self._environment = environment
        self._findings = findings
        self._offers = {one.name for one in environment.offers}
        self._spaces = {one.name for one in environment.spaces}
        self._categories = {one.name for one in environment.categories}
        self._themes = {theme for one in environment.categories for theme in one.themes}

    def check(self, one: GoldenDecision) -> None:
        kind = "golden_decisions"
        resource = resource_name(self._environment.name, kind, one.name)
        self._at_most(resource, "past", len(one.past), GOLDEN_PAST_MAX)
        self._moment(resource, "decided_at", one.decided_at)
        for index, past in enumerate(one.past):
            self._moment(resource, f"past[{index}].at", past.at)
        size = _size(one)
        if size > GOLDEN_BYTES_MAX:
            field = Field(resource, "name", one.name)
            self._add(mistakes.too_long(field, size, GOLDEN_BYTES_MAX, "bytes"))
            return
        if not one.spaces:
            self._add(golden.no_space(Field(resource, "spaces")))
        spaces = [space.name for space in one.spaces]
        self._all_known(resource, "spaces", spaces, "space", below=".name")
        for index, space in enumerate(one.spaces):
            self._space(resource, f"spaces[{index}]", space)
        environment = self._environment
        self._values(resource, "contact", one.contact, environment.contact_attributes)
        self._values(resource, "context", one.context, environment.context_attributes)
        for index, past in enumerate(one.past):
            path = f"past[{index}]"
            self._known(Field(resource, f"{path}.offer", past.offer), "offer")
            self._known(Field(resource, f"{path}.space", past.space), "space")

    def _space(self, resource: str, path: str, space: GoldenSpace) -> None:
        if not 1 <= space.places <= GOLDEN_PROPOSITIONS_MAX:
            field = Field(resource, f"{path}.max_propositions", str(space.places))
            self._add(golden.bad_places(field, GOLDEN_PROPOSITIONS_MAX))
        self._expected(resource, f"{path}.expected", space)
        for kind, what in (
            ("absent", "offer"),
            ("categories", "category"),
            ("themes", "theme"),
        ):
            names: Sequence[str] = getattr(space, kind)
            self._all_known(resource, f"{path}.{kind}", names, what)
        expected = {name for group in space.expected for name in group}
        for index, name in enumerate(space.absent):
            if name in expected:
                field = Field(resource, f"{path}.absent[{index}]", name)
                self._add(mistakes.duplicate(field, "offer"))

    def _expected(self, resource: str, path: str, space: GoldenSpace) -> None:
        seen: set[str] = set()
        count = sum(map(len, space.expected))
        self._at_most(resource, path, count, GOLDEN_OFFERS_MAX)
        before = 0
        for index, group in enumerate(space.expected):
            if self._findings.full:
                return
            # As it is written: a list of one offer is that offer alone.
            alone = len(group) == 1
            field = Field(resource, f"{path}[{index}]", group[0] if group else "")
            if not group:
                self._add(golden.empty_group(field))
            elif before >= space.places:
                self._add(golden.beyond_places(field, space.places))
            before += len(group)
            for place, name in enumerate(group):
                own = f"{path}[{index}]" if alone else f"{path}[{index}][{place}]"
                field = Field(resource, own, name)
                if name in seen:
                    self._add(mistakes.duplicate(field, "offer"))
                else:
                    self._known(field, "offer")
                seen.add(name)

    def _values(
        self,
        resource: str,
        kind: str,
        values: Mapping[str, Any],
        attributes: Sequence[Attribute],
    ) -> None:
        declared = {attribute.name: attribute for attribute in attributes}
        for name, value in values.items():
            if self._findings.full:
                return
            attribute = declared.get(name)
            if attribute is None:
                field = Field(resource, f"{kind}.{name}", name)
                self._add(mistakes.unknown(field, f"{kind} attribute", declared))
                continue
            try:
                attribute_value(value, attribute)
            except ValueError as error:
                field = Field(resource, f"{kind}.{name}", str(value)[:100])
                self._add(golden.bad_value(field, str(error)))
        for attribute in attributes:
            if attribute.required and attribute.name not in values:
                field = Field(resource, kind)
                missing = golden.missing_attribute(
                    field, attribute.name, str(attribute.type)
                )
                self._add(missing)

    def _moment(self, resource: str, path: str, at_ms: int) -> None:
        if not 0 <= at_ms <= UNIX_MS_MAX:
            field = Field(resource, path, str(at_ms))
            self._add(mistakes.time_out_of_range(field))

    def _all_known(
        self,
        resource: str,
        path: str,
        names: Sequence[str],
        what: str,
        *,
        below: str = "",
    ) -> None:
        """Each of some names is known, and stands once."""
        limit = GOLDEN_SPACES_MAX if what == "space" else GOLDEN_OFFERS_MAX
        self._at_most(resource, path, len(names), limit)
        seen: set[str] = set()
        for index, name in enumerate(names):
            if self._findings.full:
                return
            field = Field(resource, f"{path}[{index}]{below}", name)
            if name in seen:
                self._add(mistakes.duplicate(field, what))
            else:
                self._known(field, what)
            seen.add(name)

    def _known(self, field: Field, what: str) -> None:
        known: Collection[str] = {
            "offer": self._offers,
            "space": self._spaces,
            "category": self._categories,
            "theme": self._themes,
        }[what]
        if field.text not in known:
            self._add(mistakes.unknown(field, what, known))

    def _at_most(self, resource: str, path: str, count: int, limit: int) -> None:
        if count > limit:
            field = Field(resource, path)
            what = path.rpartition(".")[2]
            self._add(mistakes.too_many(field, what, count, limit))

    def _add(self, diagnostic: Diagnostic) -> None:
        self._findings.add(diagnostic)


def _size(one: GoldenDecision) -> int:
    """Encoded bytes; 0 if a number has no encoding, which is reported by itself."""
    try:
        return len(msgspec.msgpack.encode(one))
    except OverflowError:
        return 0

"""Whether zones fit the spaces of their environments; the compiler knows no zones."""

from collections.abc import Iterable

from catalog_store.design_records import ZONES_MAX, Design, Ref, Zone
from catalog_store.records import LABEL_MAX
from compiler import catalog_diagnostics as mistakes
from compiler.catalog_diagnostics import Field
from compiler.source import Diagnostic


def check_zones(design: Design, environments: Iterable[str]) -> list[Diagnostic]:
    """Every mistake in the zones of some environments."""
    found: list[Diagnostic] = []
    for environment in environments:
        zones = design.of_kind(environment, "zones")
        spaces = {ref.name for ref, _ in design.of_kind(environment, "spaces")}
        if len(zones) > ZONES_MAX:
            field = Field(Ref(environment).resource, "zones")
            found.append(mistakes.too_many(field, "zones", len(zones), ZONES_MAX))
        for ref, stored in zones:
            assert isinstance(stored.record, Zone)
            found += _check_zone(ref, stored.record, spaces)
    return found


def _check_zone(ref: Ref, zone: Zone, spaces: set[str]) -> list[Diagnostic]:
    found: list[Diagnostic] = []
    if len(zone.label) > LABEL_MAX:
        field = Field(ref.resource, "label", zone.label)
        found.append(mistakes.too_long(field, len(zone.label), LABEL_MAX, "characters"))
    seen: set[str] = set()
    for index, name in enumerate(zone.spaces):
        field = Field(ref.resource, f"spaces[{index}]", name)
        if name in seen:
            found.append(mistakes.duplicate(field, "space"))
        elif name not in spaces:
            found.append(mistakes.unknown(field, "space", spaces))
        seen.add(name)
    return found

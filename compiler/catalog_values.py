"""Whether the numbers, windows and periods of an environment are within bounds."""

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from catalog_store.records import (
    FACTOR_MAX,
    MAXIMUM_MAX,
    PERIOD_MS_MAX,
    UNIX_MS_MAX,
    WEIGHT_MAX,
    WEIGHT_ROWS_MAX,
    Attribute,
    AttributeType,
    Environment,
    PresentationRule,
    WeightRow,
    Window,
    resource_name,
)
from compiler import catalog_diagnostics as mistakes
from compiler.catalog_diagnostics import Field, Findings

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def check_values(environment: Environment, findings: Findings) -> None:
    """Report what is not finite, not in order or not possible."""
    resource = resource_name(environment.name)
    _check_rows(resource, environment.weights, findings)
    for kind in ("contact_attributes", "context_attributes"):
        for index, attribute in enumerate(getattr(environment, kind)):
            _check_range(resource, f"{kind}[{index}]", attribute, findings)
    for category in environment.categories:
        resource = resource_name(environment.name, "categories", category.name)
        _check_window(resource, "window", category.window, findings)
        _check_rows(resource, category.weights, findings)
        if category.multiplier is not None:
            window = category.multiplier.window
            _check_window(resource, "multiplier.window", window, findings)
            factor = category.multiplier.factor
            if not 0 < factor <= FACTOR_MAX:
                field = Field(resource, "multiplier.factor", str(factor))
                findings.add(mistakes.bad_factor(field, FACTOR_MAX))
    for offer in environment.offers:
        resource = resource_name(environment.name, "offers", offer.name)
        _check_window(resource, "window", offer.window, findings)
        _check_rows(resource, offer.weights, findings)
    for rule in environment.presentation_rules:
        resource = resource_name(environment.name, "presentation_rules", rule.name)
        _check_presentation_rule(resource, rule, findings)


def _check_rows(resource: str, rows: Sequence[WeightRow], findings: Findings) -> None:
    if len(rows) > WEIGHT_ROWS_MAX:
        field = Field(resource, "weights")
        findings.add(
            mistakes.too_many(field, "weight rows", len(rows), WEIGHT_ROWS_MAX)
        )
    for index, row in enumerate(rows):
        path = f"weights[{index}]"
        _check_window(resource, f"{path}.window", row.window, findings)
        if isinstance(row.weight, str):
            continue
        # Comparisons with NaN are false, so it is caught here too.
        if not 0 <= row.weight <= WEIGHT_MAX:
            field = Field(resource, f"{path}.weight", str(row.weight))
            findings.add(mistakes.bad_weight(field, WEIGHT_MAX))


def _check_range(
    resource: str, path: str, attribute: Attribute, findings: Findings
) -> None:
    ends = {"minimum": attribute.minimum, "maximum": attribute.maximum}
    declared = {end: value for end, value in ends.items() if value is not None}
    for end, value in declared.items():
        field = Field(resource, f"{path}.{end}", str(value))
        if attribute.type not in (AttributeType.INT, AttributeType.DOUBLE):
            findings.add(mistakes.range_of_no_number(field, str(attribute.type)))
        elif not math.isfinite(value):
            findings.add(mistakes.bad_bound(field))
    # Comparisons with NaN are false, and it was reported above.
    if len(declared) == 2 and declared["minimum"] > declared["maximum"]:
        field = Field(resource, f"{path}.maximum", str(attribute.maximum))
        findings.add(mistakes.empty_range(field))


def _check_window(resource: str, path: str, window: Window, findings: Findings) -> None:
    in_range = True
    for end, at in (("start", window.start), ("end", window.end)):
        if at is not None and not 0 <= at <= UNIX_MS_MAX:
            in_range = False
            findings.add(
                mistakes.time_out_of_range(Field(resource, f"{path}.{end}", str(at)))
            )
    start, end_ms = window.start, window.end
    if in_range and start is not None and end_ms is not None and end_ms <= start:
        field = Field(resource, f"{path}.end", _as_text(end_ms))
        findings.add(mistakes.empty_window(field))


def _as_text(at_ms: int) -> str:
    at = _EPOCH + timedelta(milliseconds=at_ms)
    return at.isoformat().replace("+00:00", "Z")


def _check_presentation_rule(
    resource: str, rule: PresentationRule, findings: Findings
) -> None:
    for path, length_ms in (("period_ms", rule.period_ms), ("rest_ms", rule.rest_ms)):
        if length_ms is not None and not 0 < length_ms <= PERIOD_MS_MAX:
            field = Field(resource, path, str(length_ms))
            findings.add(mistakes.bad_period(field))
    if not 1 <= rule.maximum <= MAXIMUM_MAX:
        field = Field(resource, "maximum", str(rule.maximum))
        findings.add(mistakes.bad_maximum(field, MAXIMUM_MAX))


assert math.isfinite(WEIGHT_MAX * FACTOR_MAX**16), "a weight must stay finite"

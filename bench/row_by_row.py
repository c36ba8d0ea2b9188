"""The same answers, one row after the other.

`judged` is a second implementation of the decision for the catalogs of this package:
every row, every tie, every presentation rule, nothing clever. `first_matching` and
`all_matching` are what one would write without an index, and as little as that can be:
the yardsticks of speed, which know neither ties nor presentation rules.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from math import isfinite
from random import Random
from typing import NamedTuple

from bench.catalogs import ENVIRONMENT, NOW_MS, Caller
from bench.revisions import Loaded, context_slots
from catalog_store.counting import Counted
from catalog_store.records import (
    Category,
    WeightRow,
    Window,
    resource_name,
)
from compiler.runtime.interpreter import EvaluationError
from compiler.runtime.linker import LinkedRule
from contact_store.names import name_hash


class Row(NamedTuple):
    """One weight row of one offer, with what it takes to be a candidate."""

    weight: float
    offer: int
    #: The generated function of its rule.
    fast: Callable[..., bool | float]
    rule: LinkedRule
    formula: LinkedRule | None
    #: The product of the multipliers in force.
    factor: float


def rows_best_first(loaded: Loaded) -> list[Row]:
    """Every row of every offer; a row with a formula stands as if it gave 1."""
    record = loaded.record
    assert record.rule is None, "the catalogs of this package have rules on rows only"
    categories = {category.name: category for category in record.categories}
    rows: list[Row] = []
    for number, offer in enumerate(record.offers):
        path: list[Category] = []
        name: str | None = offer.category
        while name is not None:
            path.append(categories[name])
            name = categories[name].parent
        factor = 1.0
        # From the root down, as the engine multiplies: floats do not commute.
        for category in reversed(path):
            if category.multiplier and _is_open(category.multiplier.window):
                factor *= category.multiplier.factor
        holders = [("offers", offer.name, offer.weights)]
        holders += [("categories", each.name, each.weights) for each in path]
        holders.append(("", "", record.weights))
        for kind, holder, weights in holders:
            rows += _rows(loaded, kind, holder, weights, number, factor)
    return sorted(rows, key=lambda row: -row.weight * row.factor)


def first_matching(
    rows: Sequence[Row],
    contact: tuple[object, ...],
    context: tuple[object, ...],
    count: int,
) -> list[int]:
    """Offers in the order of the rows, until there are enough."""
    found: list[int] = []
    for row in rows:
        if row.fast(contact, context) and row.offer not in found:
            found.append(row.offer)
            if len(found) == count:
                break
    return found


def all_matching(
    rows: Sequence[Row],
    contact: tuple[object, ...],
    context: tuple[object, ...],
    count: int,
) -> list[int]:
    """Every row, then the best: what one does when the order is not known before."""
    matching = [row for row in rows if row.fast(contact, context)]
    return list(dict.fromkeys(row.offer for row in matching))[:count]


def judged(
    loaded: Loaded, rows: Sequence[Row], caller: Caller, count: int, seed: int
) -> list[tuple[int, float]]:
    """Offers and their weights, as the decision must have them."""
    contact, context = caller.contact, context_slots(loaded.record, caller)
    weights: dict[int, float] = {}
    for row in rows:
        weight = _weight(row, contact, context)
        if weight > weights.get(row.offer, 0.0):
            weights[row.offer] = weight
    groups: defaultdict[float, list[int]] = defaultdict(list)
    for offer in sorted(weights):
        groups[weights[offer]].append(offer)
    random = Random(seed)
    past = [(p.offer, p.category, p.event_time_ms) for p in caller.history]
    chosen: list[tuple[int, float]] = []
    for weight in sorted(groups, reverse=True):
        group = groups[weight]
        while group:
            place = random.randrange(len(group)) if len(group) > 1 else 0
            offer = group.pop(place)
            hashes = _hashes(loaded, offer)
            if _excluded(loaded, past, *hashes):
                continue
            chosen.append((offer, weight))
            past.append((*hashes, NOW_MS))
            if len(chosen) == count:
                return chosen
    return chosen


def _rows(
    loaded: Loaded,
    kind: str,
    holder: str,
    weights: Sequence[WeightRow],
    offer: int,
    factor: float,
) -> list[Row]:
    resource = resource_name(ENVIRONMENT, kind, holder)
    rows: list[Row] = []
    for place, row in enumerate(weights):
        field = f"{resource}:weights[{place}]"
        rule = loaded.rules[loaded.rule_of[f"{field}.rule"]]
        formula = None
        weight = 1.0
        if isinstance(row.weight, str):
            formula = loaded.rules[loaded.rule_of[f"{field}.weight"]]
        else:
            weight = float(row.weight)
        rows.append(Row(weight, offer, rule.fast, rule, formula, factor))
    return rows


def _weight(
    row: Row, contact: tuple[object, ...], context: tuple[object, ...]
) -> float:
    """A row's weight; 0 when it does not match."""
    try:
        if row.rule.evaluate(contact, context) is not True:
            return 0.0
        weight = row.weight
        if row.formula is not None:
            weight = row.formula.evaluate(contact, context)
    except EvaluationError:
        return 0.0
    return weight * row.factor if weight >= 0.0 and isfinite(weight) else 0.0


def _hashes(loaded: Loaded, number: int) -> tuple[int, int]:
    """What history knows an offer and its category by."""
    offer = loaded.record.offers[number]
    return (
        name_hash(resource_name(ENVIRONMENT, "offers", offer.name)),
        name_hash(resource_name(ENVIRONMENT, "categories", offer.category)),
    )


def _excluded(
    loaded: Loaded, past: Sequence[tuple[int, int, int]], offer: int, category: int
) -> bool:
    for rule in loaded.record.presentation_rules:
        count = sum(
            1
            for past_offer, past_category, at_ms in past
            if (rule.period_ms is None or abs(at_ms - NOW_MS) <= rule.period_ms)
            and (
                past_offer == offer
                if rule.counted is Counted.THIS_OFFER
                else past_category == category
            )
        )
        if count >= rule.maximum:
            return True
    return False


def _is_open(window: Window) -> bool:
    return (window.start is None or window.start <= NOW_MS) and (
        window.end is None or window.end > NOW_MS
    )

"""Which of the eligible offers come first: weights, multipliers, ties."""

from collections.abc import Iterable, Iterator
from math import isfinite
from random import Random
from typing import NamedTuple

from server.engine.eligibility import Conditions
from server.engine.live_catalog import LiveOffer, LiveRow


class Scored(NamedTuple):
    """An eligible offer, the row that won for it, and its weight by that row."""

    offer: LiveOffer
    row: LiveRow
    #: The row's weight times the multipliers in force; finite and above 0.
    weight: float


def score(
    offers: Iterable[LiveOffer], space: str, conditions: Conditions, at_ms: int
) -> list[Scored]:
    """Each offer with its highest matching row; without one it is left out.

    Multipliers belong to an offer's path, so that they scale all of its rows alike:
    they are applied once, to the winner.
    """
    scored: list[Scored] = []
    for offer in offers:
        best_row, best_weight = None, 0.0
        for row in offer.rows:
            weight = _weight(row, space, conditions, at_ms)
            if weight > best_weight:
                best_row, best_weight = row, weight
        for multiplier in offer.multipliers:
            if multiplier.window.includes(at_ms):
                best_weight *= multiplier.factor
        if best_row is not None and best_weight > 0.0 and isfinite(best_weight):
            scored.append(Scored(offer, best_row, best_weight))
    return scored


def _weight(row: LiveRow, space: str, conditions: Conditions, at_ms: int) -> float:
    """A row's weight; 0 when it does not match."""
    if not row.window.includes(at_ms):
        return 0.0
    if row.spaces and space not in row.spaces:
        return 0.0
    if row.rule is not None and not conditions.holds(row.rule):
        return 0.0
    if row.formula is None:
        return row.weight
    weight = conditions.weight(row.formula)
    # NaN, infinite and negative weights do not match; `0 <=` is false for NaN.
    if weight is None or not (weight >= 0.0) or not isfinite(weight):
        return 0.0
    return weight


class Draw:
    """Orders offers by weight, and draws among equals.

    The definition that every implementation shares: groups of equal weight, heaviest
    first; from a group in catalog order, one offer after the other is drawn without
    replacement by `randrange(len(group))` of one `Random(seed)` for the whole call; a
    group with one offer left draws nothing; drawing stops when the space is filled.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random: Random | None = None

    def in_order(self, scored: Iterable[Scored]) -> Iterator[Scored]:
        groups: dict[float, list[Scored]] = {}
        for one in scored:
            groups.setdefault(one.weight, []).append(one)
        for weight in sorted(groups, reverse=True):
            group = groups[weight]
            while len(group) > 1:
                yield group.pop(self._number_below(len(group)))
            yield group[0]

    def _number_below(self, stop: int) -> int:
        if self._random is None:
            # PERF: seeding costs more than a small decision (about 6 us, and most
            # calls have no ties), so that it waits for the first tie.
            self._random = Random(self._seed)
        return self._random.randrange(stop)

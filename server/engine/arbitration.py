"""Which of the eligible offers come first: weights, multipliers, ties."""

from collections.abc import Iterator
from math import isfinite
from random import Random
from typing import NamedTuple

from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveOffer, LiveRow


class Scored(NamedTuple):
    """An eligible offer, the row that won for it, and its weight by that row."""

    offer: LiveOffer
    row: LiveRow
    #: The row's weight times the multipliers in force; finite and above 0.
    weight: float


def row_weight(row: LiveRow, space: str, conditions: Conditions, at_ms: int) -> float:
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

    def from_class(self, offers: list[LiveOffer]) -> Iterator[LiveOffer]:
        """Offers of equal weight, given in catalog order, in the order of the draw."""
        while len(offers) > 1:
            yield offers.pop(self._number_below(len(offers)))
        yield from offers

    def _number_below(self, stop: int) -> int:
        if self._random is None:
            # PERF: seeding costs more than a small decision (about 6 us, and most
            # calls have no ties), so that it waits for the first tie.
            self._random = Random(self._seed)
        return self._random.randrange(stop)

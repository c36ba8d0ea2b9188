"""Which of the eligible offers come first: weights, multipliers, ties."""

from collections.abc import Callable, Iterator
from math import isfinite
from random import Random
from typing import NamedTuple

from server.engine.bit_sets import ascending, lowest_bit
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


#: Members of a set up to which a draw lists them. Beyond it, so many are found one by
#: one before the rest is listed.
_LISTED_MAX = 16
_FOUND_MAX = 16


class Draw:
    """Orders offers by weight, and draws among equals.

    The definition that every implementation shares: groups of equal weight, heaviest
    first; from a group in catalog order, one offer after the other is drawn without
    replacement by `randrange(len(group))` of one `Random(seed)` for the whole call; a
    group with one offer left draws nothing; drawing stops when the space is filled.

    Members are offers, or rows that stand in the order of their offers.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._random: Random | None = None
        self._owed: list[Callable[[], None]] = []

    def from_list(self, members: list[int]) -> Iterator[int]:
        """Members of equal weight, in catalog order, in the order of the draw."""
        while len(members) > 1:
            yield members.pop(self._number_below(len(members)))
        yield from members

    def from_set(self, members: int) -> Iterator[int]:
        """The same from a set, of which only those drawn are looked at.

        PERF: of 36 equal rows among 1,000 the first three take 12 us, and 24 us when
        all are listed; of 360 among 10,000 they take 28 and 170 us (two busy cores).
        """
        count = members.bit_count()
        for _ in range(_FOUND_MAX):
            if count <= _LISTED_MAX:
                break
            member = _nth(members, self._number_below(count))
            members ^= 1 << member
            count -= 1
            yield member
        yield from self.from_list(list(ascending(members)))

    def owe(self, earlier: Callable[[], None]) -> None:
        """Draws of an earlier space, to be made before any other if there is another.

        They are passed over where they change nothing; see `contenders`.
        """
        self._owed.append(earlier)

    def _number_below(self, stop: int) -> int:
        if self._owed:
            owed, self._owed = self._owed, []
            for earlier in owed:
                earlier()
        if self._random is None:
            # PERF: seeding costs more than a small decision (about 5 us, and most
            # calls have no ties), so that it waits for the first tie.
            self._random = Random(self._seed)
        return self._random.randrange(stop)


class DrawNeeded(Exception):
    """Two offers are equal, and there is to be no draw."""


class NoDraw(Draw):
    """Orders offers as long as no two are equal; raises DrawNeeded when they are."""

    def __init__(self) -> None:
        super().__init__(0)

    def _number_below(self, stop: int) -> int:
        raise DrawNeeded


def _nth(members: int, place: int) -> int:
    """The member of a set with so many below it; there must be one."""
    first = 0
    width = members.bit_length()
    while width > 64:
        half = width >> 1
        low = members & ((1 << half) - 1)
        below = low.bit_count()
        if place < below:
            members, width = low, half
        else:
            place -= below
            members >>= half
            first += half
            width -= half
    for _ in range(place):
        members &= members - 1
    return first + lowest_bit(members)

"""The index of a live environment: rows in the order in which they are proposed."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from math import inf, nextafter, prod
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from server.engine.bit_sets import lowest_bit, set_of
from server.engine.live_offers import LiveMultiplier, LiveRow

#: Moments whose open rows are remembered; decisions for now use one or two.
MOMENTS_MAX = 64
#: Inherited rows and multipliers up to which each row is bounded by those of its heirs,
#: and not by the highest of all.
#:
#: PERF: a look at each pair takes 0.4 us at 10,000 offers, once in each moment between
#: two at which a multiplier begins or ends.
_BOUNDS_MAX = 4_096


#: For one attribute whose values have an order, the rows that survive each: slot; the
#: `cuts` of its keys; by class (the gap below the first key, the first key, the gap
#: above it, and so on); null; absent.
#: PERF: a plain tuple is unpacked in 0.02 us, a NamedTuple in 0.06 us.
OrderedTable = tuple[int, Sequence[Any], Sequence[int], int, int]
#: The same for an attribute whose values have no order: slot; by value; any other
#: value; null; absent.
ValueTable = tuple[int, Mapping[Any, int], int, int, int]


def cuts(keys: Sequence[Any]) -> list[Any]:
    """Where each class of an ordered table but the first begins.

    PERF: one bisection among these instead of two among the keys takes 0.9 us less for
    nine attributes.
    """
    found: list[Any] = []
    for key in keys:
        found.append(key)
        # The next value that there is; nothing is above infinity.
        if isinstance(key, int):
            found.append(key + 1)
        elif key < inf:
            found.append(nextafter(key, inf))
    return found


class LiveTables(NamedTuple):
    """The tables of one record's attributes."""

    ordered: tuple[OrderedTable, ...] = ()
    of_values: tuple[ValueTable, ...] = ()


class LiveRowSet(NamedTuple):
    """What decides which of a number of rows match."""

    contact: LiveTables
    context: LiveTables
    #: Number of a condition, and the rows that need it.
    shared: tuple[tuple[int, int], ...]
    #: Row -> conditions that are asked only when it is about to win; the same rows as
    #: a set.
    residual: Mapping[int, tuple[int, ...]]
    residual_rows: int


class OpenRows(Protocol):
    """Which rows' windows are open, by moment."""

    def at(self, time_ms: int) -> int:
        """The rows that are open at a moment."""
        ...


class LiveGroup(NamedTuple):
    """Rows and offers whose weights the same multipliers scale."""

    #: Root first.
    multipliers: tuple[LiveMultiplier, ...]
    #: Own rows with numbers, heaviest first; the first of them is `start`.
    rows: int
    start: int
    #: Own rows with formulas, highest bound first.
    formula_rows: int
    offers: int

    def factors(self, at_ms: int) -> tuple[float, ...]:
        """Those in force at a moment."""
        return tuple(m.factor for m in self.multipliers if m.window.includes(at_ms))


class FormulaBounds(NamedTuple):
    """The most that formulas can give, as long as contacts are as declared."""

    #: Row -> what its formula never exceeds; a row that is not here is not bounded.
    highest: Mapping[int, float]
    #: The rows that are here.
    rows: int
    #: What the bounds rely on: a slot of the contact holds nothing, null, or a number
    #: from low to high.
    declared: tuple[tuple[int, float, float], ...]


class Kind(Enum):
    """Whose rows they are, and whether they are numbers."""

    OWN = 0
    OWN_FORMULAS = 1
    #: One row, number or formula.
    INHERITED = 2


#: Where rows come from: the most that any of them can weigh, negated, so that the
#: heaviest sorts first; its place, which settles equals; its kind; the number of the
#: group, or of the inherited row; its multipliers in force (none of an inherited row,
#: whose offers differ in them).
#: PERF: plain tuples: see OrderedTable.
Origin = tuple[float, int, Kind, int, tuple[float, ...]]


class InForce(NamedTuple):
    """What holds between two moments at which a multiplier begins or ends."""

    #: Heaviest first.
    origins: tuple[Origin, ...]
    #: Multipliers in force -> all offers that have just these.
    offers: Mapping[tuple[float, ...], int]
    #: Whether formulas stand by their bounds; otherwise all of them come first.
    bounded: bool


class Origins:
    """Where an environment's rows come from, by moment."""

    def __init__(
        self,
        groups: Sequence[LiveGroup],
        live_rows: Sequence[LiveRow],
        bounds: FormulaBounds,
        inherited: Sequence[tuple[LiveRow, int]],
    ) -> None:
        self._groups = groups
        #: Of each group: the weight of its first row, and the bound of its first
        #: formula; None where it has none.
        self._heaviest = [
            live_rows[group.start].weight if group.rows else None for group in groups
        ]
        self._highest = [
            bounds.highest.get(lowest_bit(group.formula_rows), inf)
            if group.formula_rows
            else None
            for group in groups
        ]
        self._inherited = [
            (row.weight if row.formula is None else inf, heirs)
            for row, heirs in inherited
        ]
        self._moments = sorted(
            {
                moment
                for group in groups
                for multiplier in group.multipliers
                for moment in multiplier.window
            }
            - {-inf, inf}
        )
        self._known: dict[tuple[int, bool], InForce] = {}

    def at(self, time_ms: int, bounded: bool) -> InForce:
        """What holds at a moment; without bounds every formula comes first.

        PERF: 20 groups take 35 us; a moment between the same two 0.2 us.
        """
        key = bisect_right(self._moments, time_ms), bounded
        known = self._known.get(key)
        if known is None:
            if len(self._known) >= MOMENTS_MAX:
                self._known.clear()
            known = self._known[key] = self._found(time_ms, bounded)
        return known

    def _found(self, time_ms: int, bounded: bool) -> InForce:
        origins: list[Origin] = []
        offers: dict[tuple[float, ...], int] = {}
        for number, group in enumerate(self._groups):
            factors = group.factors(time_ms)
            offers[factors] = offers.get(factors, 0) | group.offers
            heaviest, highest = self._heaviest[number], self._highest[number]
            if heaviest is not None:
                most = scaled(heaviest, factors)
                origins.append((-most, 2 * number, Kind.OWN, number, factors))
            # What is never above 0 is no weight.
            if highest is not None and (highest > 0.0 or not bounded):
                most = scaled(highest, factors) if bounded else inf
                place = 2 * number + 1
                origins.append((-most, place, Kind.OWN_FORMULAS, number, factors))
        # Products are rounded in the order of each path: what is added is more than
        # rounding can be, of tiny numbers too.
        products = [(prod(factors), heirs) for factors, heirs in offers.items()]
        highest = max((factor for factor, _ in products), default=1.0)
        is_short = len(products) * len(self._inherited) <= _BOUNDS_MAX
        for number, (weight, heirs) in enumerate(self._inherited):
            factor = highest
            if is_short:
                factor = max(
                    (f for f, some in products if some & heirs), default=highest
                )
            most = weight * factor * (1 + 1e-9) + 1e-200
            place = 2 * len(self._groups) + number
            origins.append((-most, place, Kind.INHERITED, number, ()))
        return InForce(tuple(sorted(origins, key=itemgetter(0, 1))), offers, bounded)


def repeating(offer_of: Sequence[int], class_stops: Sequence[int]) -> Iterator[int]:
    """The rows that follow one of the same offer and weight."""
    for row in range(1, len(offer_of)):
        if offer_of[row] == offer_of[row - 1] and class_stops[row - 1] > row:
            yield row


def scaled(weight: float, factors: tuple[float, ...]) -> float:
    """In the order of the path: products of doubles depend on it."""
    for factor in factors:
        weight *= factor
    return weight


class LiveIndex(NamedTuple):
    """Everything that finds the best rows of an environment."""

    groups: tuple[LiveGroup, ...]
    #: Row -> the row itself, its offer, and where the rows of its weight end.
    live_rows: Sequence[LiveRow]
    offer_of: Sequence[int]
    #: Row with a formula -> its place among its offer's rows.
    formula_places: Mapping[int, int]
    class_stops: Sequence[int]
    #: Rows that follow one of the same offer and weight.
    repeats: int
    formula_bounds: FormulaBounds
    rows: LiveRowSet
    all_rows: int
    all_offers: int
    open_rows: OpenRows
    #: Space -> rows of offers that it can show, limited to no other space.
    space_rows: Mapping[str, int]
    #: Category -> own rows of its subtree's offers; the same by theme.
    category_rows: Mapping[str, int]
    theme_rows: Mapping[str, int]
    always_included_rows: int
    #: Offer -> its own rows.
    rows_of_offer: Sequence[Sequence[int]]
    #: Rows handed down and the offers that inherit them, nearest category first.
    inherited: tuple[tuple[LiveRow, int], ...]
    offers: LiveRowSet
    open_offers: OpenRows
    origins: Origins

    def rows_of(self, offers: Iterable[int]) -> int:
        """The own rows of some offers."""
        rows = self.rows_of_offer
        return set_of((row for n in offers for row in rows[n]), len(self.live_rows))

"""Rows from one place, heaviest first, each looked at only when it could win.

A stream's weight is that of its next rows, or as much as they can have at most: what is
bounded is looked at when nothing known is heavier. So an inherited row's rule, a
formula, a whole group of offers are left alone where three offers are better anyway.
"""

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf, isfinite
from typing import NamedTuple, Protocol

from server.engine.arbitration import row_weight
from server.engine.bit_sets import ascending
from server.engine.eligibility import Conditions
from server.engine.live_index import InForce, Kind, Origin, scaled
from server.engine.live_offers import LiveRow
from server.engine.race import Race

# PERF: looking a member up in its class takes 60 ns, and there are many a decision.
_OWN, _OWN_FORMULAS = Kind.OWN, Kind.OWN_FORMULAS


class Tied(NamedTuple):
    """Offers of one weight; of an offer's rows, the one that came first wins."""

    listed: dict[int, LiveRow]
    #: Sets of offers, and the row that they inherit.
    sets: list[tuple[int, LiveRow]]

    def row_of(self, offer: int) -> LiveRow:
        row = self.listed.get(offer)
        if row is None:
            row = next(row for offers, row in self.sets if offers >> offer & 1)
        return row


class Stream(Protocol):
    """Rows in descending order of weight."""

    #: Of the next rows, or more than they have; 0 when there are none.
    weight: float

    def take(self, tied: Tied) -> None:
        """Adds the rows of just that weight, if any, and goes on to the next."""
        ...


def opened(origin: Origin, race: Race, in_force: InForce) -> Sequence[Stream]:
    """The streams from one origin."""
    _, _, kind, number, factors = origin
    index = race.index
    if kind is _OWN:
        group = index.groups[number]
        rows = race.rows & group.rows
        if rows:
            return (OwnRows(race, rows >> group.start, group.start, factors),)
    elif kind is _OWN_FORMULAS:
        rows = race.rows & index.groups[number].formula_rows
        if rows:
            formulas = FormulaRows(race, rows, factors, bounded=in_force.bounded)
            if formulas.weight > 0.0:
                return (formulas,)
    else:
        return _inherited(number, race, in_force)
    return ()


def _inherited(number: int, race: Race, in_force: InForce) -> Sequence[Stream]:
    """One for each of the multipliers in force."""
    row, heirs = race.index.inherited[number]
    eligible = race.offers() & heirs
    if not eligible:
        return ()
    weight = row_weight(row, race.space.name, race.conditions, race.at_ms)
    if not weight > 0.0:
        return ()
    return [
        _Inherited(race, row, eligible & offers, scaled(weight, factors))
        for factors, offers in in_force.offers.items()
        if eligible & offers
    ]


class OwnRows:
    """The rows of one group, which stand in the order of their weights.

    At least one; `first` is the number of the lowest bit's row.
    """

    def __init__(
        self, race: Race, rows: int, first: int, factors: tuple[float, ...]
    ) -> None:
        self._index = race.index
        self._conditions = race.conditions
        self._factors = factors
        self._all = rows
        self._first = first
        self._rows = ascending(rows, first)
        #: The next, None when there is none.
        self.row: int | None
        self.weight: float
        self._to(next(self._rows))

    def stop(self) -> int:
        """Where the rows of the next weight end; the next is the first of them."""
        assert self.row is not None
        return self._index.class_stops[self.row]

    def matches(self, row: int) -> bool:
        """Whether its residual conditions hold, if it has any."""
        needed = self._index.rows.residual.get(row)
        return needed is None or _all_hold(needed, self._conditions)

    def take(self, tied: Tied) -> None:
        index, listed, stop = self._index, tied.listed, self.stop()
        row = self.row
        while row is not None and row < stop:
            if self.matches(row):
                listed.setdefault(index.offer_of[row], index.live_rows[row])
            row = next(self._rows, None)
        self._to(row)

    def take_one(self) -> int | None:
        """The next row, if it matches, where it is the only one of its weight."""
        row = self.row
        assert row is not None
        # PERF: `matches` and `_to`, written out: 0.9 us an offer with both in it.
        needed = self._index.rows.residual.get(row)
        self.row = following = next(self._rows, None)
        if following is None:
            self.weight = 0.0
        else:
            weight = self._index.live_rows[following].weight
            self.weight = scaled(weight, self._factors) if self._factors else weight
        return row if needed is None or _all_hold(needed, self._conditions) else None

    def take_set(self) -> int:
        """The rows of the next weight that match; bit 0 is the next row."""
        row, stop = self.row, self.stop()
        assert row is not None
        rows = (self._all >> (row - self._first)) & ((1 << (stop - row)) - 1)
        residual, holds = self._index.rows.residual, self._conditions.holds
        for number in ascending(rows & (self._index.rows.residual_rows >> row), row):
            # PERF: `matches`, written out: of 36 equal rows 8 have such conditions, and
            # asking them is a quarter of a decision with ties.
            for condition in residual[number]:
                if not holds(condition):
                    rows ^= 1 << (number - row)
                    break
        self._all >>= stop - self._first
        self._first = stop
        self._rows = ascending(self._all, stop)
        self._to(next(self._rows, None))
        return rows

    def _to(self, row: int | None) -> None:
        self.row = row
        self.weight = 0.0
        if row is not None:
            self.weight = scaled(self._index.live_rows[row].weight, self._factors)


class FormulaRows:
    """The rows of one group whose weights are formulas, by their bounds."""

    def __init__(
        self, race: Race, rows: int, factors: tuple[float, ...], *, bounded: bool
    ) -> None:
        self._index = race.index
        self._conditions = race.conditions
        self._factors = factors
        self._bounded = bounded
        self._rows = ascending(rows)
        self._row: int | None
        #: Of the next row that is not weighed, with its factors.
        self._bound: float
        self._go_on()
        #: Weights, negated; offers, places, rows: in this order equals are taken.
        self._weighed: list[tuple[float, int, int, int]] = []
        self.weight = max(self._bound, 0.0)

    def is_settled(self) -> bool:
        """Whether its weight is one that a row has."""
        return bool(self._weighed) and -self._weighed[0][0] >= self._bound

    def settle(self, rival: float) -> None:
        """Weigh rows until the heaviest is known, or none can match a rival.

        PERF: where every weight is a formula with bounds, a decision takes 300 us; it
        took 450 us when each formula looked at was a class of its own.
        """
        weighed = self._weighed
        while self._row is not None and self._bound >= rival:
            if weighed and -weighed[0][0] >= self._bound:
                break
            self._weigh(self._row)
            self._go_on()
        known = -weighed[0][0] if weighed else 0.0
        self.weight = max(known, self._bound)

    def take(self, tied: Tied) -> None:
        weight, weighed, index = self.weight, self._weighed, self._index
        while self._row is not None and self._bound >= weight:
            self._weigh(self._row)
            self._go_on()
        while weighed and -weighed[0][0] == weight:
            _, offer, _, row = heappop(weighed)
            tied.listed.setdefault(offer, index.live_rows[row])
        known = -weighed[0][0] if weighed else 0.0
        self.weight = max(known, self._bound)

    def _weigh(self, row: int) -> None:
        index, conditions = self._index, self._conditions
        needed = index.rows.residual.get(row)
        if needed is not None and not _all_hold(needed, conditions):
            return
        formula = index.live_rows[row].formula
        assert formula is not None
        weight = conditions.weight(formula)
        if weight is not None and weight > 0.0 and isfinite(weight):
            entry = index.offer_of[row], index.formula_places[row], row
            heappush(self._weighed, (-scaled(weight, self._factors), *entry))

    def _go_on(self) -> None:
        self._row = row = next(self._rows, None)
        if row is None:
            self._bound = 0.0
        elif self._bounded:
            highest = self._index.formula_bounds.highest.get(row, inf)
            # PERF: a call less for each formula where there is nothing to multiply.
            factors = self._factors
            self._bound = scaled(highest, factors) if factors else highest
        else:
            self._bound = inf


class _Inherited:
    """One inherited row, for offers with the same multipliers in force."""

    def __init__(self, race: Race, row: LiveRow, offers: int, weight: float) -> None:
        self._race = race
        self._row = row
        self._offers = offers
        self.weight = weight

    def take(self, tied: Tied) -> None:
        offers = self._offers
        index, conditions = self._race.index.offers, self._race.conditions
        for offer in ascending(offers & index.residual_rows):
            if not _all_hold(index.residual[offer], conditions):
                offers ^= 1 << offer
        tied.sets.append((offers, self._row))
        self.weight = 0.0


def _all_hold(numbers: tuple[int, ...], conditions: Conditions) -> bool:
    return all(map(conditions.holds, numbers))

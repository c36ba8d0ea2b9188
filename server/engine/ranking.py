"""The eligible offers of a space, best first, as far as anybody asks.

Rows come from streams, each in descending order of weight: the rows of offers with the
same multipliers, whose factors scale all of them alike, and the rows that categories
and the environment hand down, each of which is one weight for a set of offers. Merging
the heads of the streams gives the classes of equal weight, and the draw orders each.
"""

import heapq
from collections.abc import Iterator
from math import isfinite
from typing import NamedTuple, Protocol

from server.engine.arbitration import Draw, Scored, row_weight
from server.engine.eligibility import Conditions
from server.engine.live_catalog import LiveEnvironment
from server.engine.live_index import LiveIndex
from server.engine.live_offers import LiveRow, LiveSpace
from server.engine.matching import ascending, survivors


class Candidates(NamedTuple):
    """What a call leaves of an environment, before anything is known of the contact.

    None is everything.
    """

    rows: int | None
    offers: int | None


#: The number of an eligible offer, and a row of it that matches.
_Match = tuple[int, LiveRow]


class _Stream(Protocol):
    """Rows in descending order of weight."""

    #: Of the next rows.
    weight: float

    def take(self) -> list[_Match]:
        """The rows of that weight, and go on to the next."""
        ...

    def is_over(self) -> bool: ...


def ranked(
    environment: LiveEnvironment,
    space: LiveSpace,
    candidates: Candidates,
    conditions: Conditions,
    at_ms: int,
    draw: Draw,
) -> Iterator[Scored]:
    """Eligible offers by weight, ties in the order of the draw; each offer once."""
    if environment.rule is not None and not conditions.holds(environment.rule):
        return
    index = environment.live_index
    streams = _streams(index, space, candidates, conditions, at_ms)
    # The place breaks ties, so that streams are never compared.
    heap = [(-stream.weight, place, stream) for place, stream in enumerate(streams)]
    heapq.heapify(heap)
    offers = environment.offers
    seen: set[int] = set()
    while heap:
        weight = -heap[0][0]
        matches = _take(heap)
        while heap and -heap[0][0] == weight:
            matches += _take(heap)
        tied: dict[int, LiveRow] = {}
        for offer, row in matches:
            if offer not in seen:
                tied.setdefault(offer, row)
        seen.update(tied)
        # Factors can carry a formula's weight out of the numbers: no proposition.
        if not (weight > 0.0 and isfinite(weight)):
            continue
        if len(tied) == 1:
            for offer, row in tied.items():
                yield Scored(offers[offer], row, weight)
        elif tied:
            for offer in draw.from_class([offers[number] for number in sorted(tied)]):
                yield Scored(offer, tied[offer.number], weight)


def _take(heap: list[tuple[float, int, _Stream]]) -> list[_Match]:
    """The heaviest rows of the first stream; the heap is in order again."""
    _, place, stream = heap[0]
    matches = stream.take()
    if stream.is_over():
        heapq.heappop(heap)
    else:
        heapq.heapreplace(heap, (-stream.weight, place, stream))
    return matches


def _streams(
    index: LiveIndex,
    space: LiveSpace,
    candidates: Candidates,
    conditions: Conditions,
    at_ms: int,
) -> list[_Stream]:
    streams: list[_Stream] = []
    rows = index.space_rows[space.name] & index.open_rows.at(at_ms)
    if candidates.rows is not None:
        rows &= candidates.rows
    rows = survivors(index.rows, rows, conditions)
    factors = [group.factors(at_ms) for group in index.groups]
    for group, factor in zip(index.groups, factors, strict=True):
        own = rows & group.rows
        if own:
            best_first = ascending(own >> group.start, group.start)
            streams.append(_OwnRows(index, best_first, factor, conditions))
        formulas = group.formula_rows and rows & group.formula_rows
        if formulas:
            streams.append(_FormulaRows(index, formulas, factor, conditions))
    if index.inherited:
        offers = space.offers & index.open_offers.at(at_ms)
        if candidates.offers is not None:
            offers &= candidates.offers
        offers = survivors(index.offers, offers, conditions)
        streams += _inherited(index, space, offers, factors, conditions, at_ms)
    return [stream for stream in streams if not stream.is_over()]


def _inherited(
    index: LiveIndex,
    space: LiveSpace,
    offers: int,
    factors: list[tuple[float, ...]],
    conditions: Conditions,
    at_ms: int,
) -> Iterator[_Stream]:
    """One stream for each inherited row that matches and each group of its offers."""
    for row, heirs in index.inherited:
        matching = offers & heirs
        if not matching:
            continue
        weight = row_weight(row, space.name, conditions, at_ms)
        if weight > 0.0:
            for group, factor in zip(index.groups, factors, strict=True):
                eligible = matching & group.offers
                if eligible:
                    scaled = _scaled(weight, factor)
                    yield _Inherited(index, row, eligible, scaled, conditions)


class _OwnRows:
    """The rows of one group, which stand in the order of their weights.

    At least one.
    """

    def __init__(
        self,
        index: LiveIndex,
        rows: Iterator[int],
        factors: tuple[float, ...],
        conditions: Conditions,
    ) -> None:
        self._index = index
        self._rows = rows
        self._factors = factors
        self._conditions = conditions
        head = next(rows)
        self._head: int | None = head
        self.weight = _scaled(index.live_rows[head].weight, factors)

    def is_over(self) -> bool:
        return self._head is None

    def take(self) -> list[_Match]:
        index, row = self._index, self._head
        assert row is not None
        stop = index.class_stops[row]
        matches: list[_Match] = []
        residual = index.rows.residual
        while row is not None and row < stop:
            if row not in residual or _all_hold(residual[row], self._conditions):
                matches.append((index.offer_of[row], index.live_rows[row]))
            row = next(self._rows, None)
        self._head = row
        if row is not None:
            self.weight = _scaled(index.live_rows[row].weight, self._factors)
        return matches


class _FormulaRows:
    """The rows of one group whose weights are formulas: all are evaluated."""

    def __init__(
        self,
        index: LiveIndex,
        rows: int,
        factors: tuple[float, ...],
        conditions: Conditions,
    ) -> None:
        weighed: dict[float, list[_Match]] = {}
        residual = index.rows.residual
        for row in ascending(rows):
            if row in residual and not _all_hold(residual[row], conditions):
                continue
            live = index.live_rows[row]
            assert live.formula is not None
            weight = conditions.weight(live.formula)
            if weight is not None and weight > 0.0 and isfinite(weight):
                match = (index.offer_of[row], live)
                weighed.setdefault(_scaled(weight, factors), []).append(match)
        self._weighed = sorted(weighed.items())
        if self._weighed:
            self.weight = self._weighed[-1][0]

    def is_over(self) -> bool:
        return not self._weighed

    def take(self) -> list[_Match]:
        _, matches = self._weighed.pop()
        if self._weighed:
            self.weight = self._weighed[-1][0]
        return matches


class _Inherited:
    """One inherited row, for its offers of one group."""

    def __init__(
        self,
        index: LiveIndex,
        row: LiveRow,
        offers: int,
        weight: float,
        conditions: Conditions,
    ) -> None:
        self._index = index
        self._row = row
        self._offers = offers
        self._conditions = conditions
        self.weight = weight

    def is_over(self) -> bool:
        return not self._offers

    def take(self) -> list[_Match]:
        offers, self._offers = self._offers, 0
        residual = self._index.offers.residual
        return [
            (offer, self._row)
            for offer in ascending(offers)
            if offer not in residual or _all_hold(residual[offer], self._conditions)
        ]


def _all_hold(numbers: tuple[int, ...], conditions: Conditions) -> bool:
    return all(map(conditions.holds, numbers))


def _scaled(weight: float, factors: tuple[float, ...]) -> float:
    """In the order of the path: products of doubles depend on it."""
    for factor in factors:
        weight *= factor
    return weight

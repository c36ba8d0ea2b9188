"""The index of a live environment: rows in the order in which they are proposed."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from math import inf
from typing import Any, NamedTuple

from server.engine.live_offers import LiveMultiplier, LiveRow, LiveWindow

#: Moments whose open rows are remembered; decisions for now use one or two.
MOMENTS_MAX = 64


#: For one attribute whose values have an order, the rows that survive each: slot; keys;
#: by class (the gap below the first key, the first key, the gap above it, and so on);
#: null; absent.
#: PERF: a plain tuple is unpacked in 0.02 us, a NamedTuple in 0.06 us.
OrderedTable = tuple[int, Sequence[Any], Sequence[int], int, int]
#: The same for an attribute whose values have no order: slot; by value; any other
#: value; null; absent.
ValueTable = tuple[int, Mapping[Any, int], int, int, int]


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
    #: Row -> conditions that are asked only when it is about to win.
    residual: Mapping[int, tuple[int, ...]]


class OpenRows:
    """Which rows' windows are open, by moment.

    Between two neighbouring starts or ends nothing changes, so that the answer for one
    moment holds for all of them.
    """

    def __init__(self, windows: Sequence[LiveWindow]) -> None:
        self._windowed = [
            (row, window)
            for row, window in enumerate(windows)
            if (window.start_ms, window.end_ms) != (-inf, inf)
        ]
        self._always = (1 << len(windows)) - 1
        for row, _ in self._windowed:
            self._always ^= 1 << row
        self._moments = sorted(
            {moment for _, window in self._windowed for moment in window} - {-inf, inf}
        )
        self._known: dict[int, int] = {}

    def at(self, time_ms: int) -> int:
        """The rows that are open at a moment."""
        between = bisect_right(self._moments, time_ms)
        known = self._known.get(between)
        if known is None:
            if len(self._known) >= MOMENTS_MAX:
                self._known.clear()
            known = self._always
            for row, window in self._windowed:
                if window.includes(time_ms):
                    known |= 1 << row
            self._known[between] = known
        return known


class LiveGroup(NamedTuple):
    """Rows and offers whose weights the same multipliers scale."""

    #: Root first.
    multipliers: tuple[LiveMultiplier, ...]
    #: Own rows with numbers, heaviest first; the first of them is `start`.
    rows: int
    start: int
    #: Own rows with formulas.
    formula_rows: int
    offers: int

    def factors(self, at_ms: int) -> tuple[float, ...]:
        """Those in force at a moment."""
        return tuple(m.factor for m in self.multipliers if m.window.includes(at_ms))


class LiveIndex(NamedTuple):
    """Everything that finds the best rows of an environment."""

    groups: tuple[LiveGroup, ...]
    #: Row -> the row itself, its offer, and where the rows of its weight end.
    live_rows: Sequence[LiveRow]
    offer_of: Sequence[int]
    class_stops: Sequence[int]
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

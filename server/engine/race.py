"""What is left of one space's rows and offers in one call, and looked up once."""

from typing import NamedTuple

from server.engine.counted_offers import LeftOut
from server.engine.eligibility import Conditions
from server.engine.live_index import LiveIndex
from server.engine.live_offers import LiveSpace
from server.engine.matching import survivors


class Candidates(NamedTuple):
    """What a call leaves of an environment, before anything is known of the contact.

    None is everything.
    """

    rows: int | None
    offers: int | None


class Race:
    """The own rows that match, but for their residual conditions; and offers alike."""

    def __init__(
        self,
        index: LiveIndex,
        space: LiveSpace,
        candidates: Candidates,
        conditions: Conditions,
        at_ms: int,
    ) -> None:
        """The conditions must have entered the space."""
        self.index = index
        self.space = space
        self.conditions = conditions
        self.at_ms = at_ms
        rows = index.space_rows[space.name] & index.open_rows.at(at_ms)
        if candidates.rows is not None:
            rows &= candidates.rows
        self.rows = survivors(index.rows, rows, conditions)
        self._candidates = candidates
        self._offers: int | None = None

    def without(self, left_out: LeftOut) -> "Race":
        """The same without some offers."""
        return _Part(self, ~left_out.rows, ~left_out.offers)

    def within(self, some: LeftOut) -> "Race":
        """The same with no offers but some."""
        return _Part(self, some.rows, some.offers)

    def offers(self) -> int:
        """Offers that are eligible, but for their residual conditions."""
        if self._offers is None:
            # Spared where no inherited row comes near: a look into every table.
            offers = self.candidates() & self.index.open_offers.at(self.at_ms)
            self._offers = survivors(self.index.offers, offers, self.conditions)
        return self._offers

    def candidates(self) -> int:
        """Offers that the space can show and the call did not leave out."""
        offers = self._candidates.offers
        return self.space.offers if offers is None else self.space.offers & offers

    def as_declared(self) -> bool:
        """Whether bounds hold for the contact, or no row that is left relies on any.

        A profile stored before an attribute had its range may lie outside.
        """
        bounds = self.index.formula_bounds
        if not bounds.declared or not self.rows & bounds.rows:
            return True
        contact = self.conditions.contact
        # MISSING has no order, and leaves the formula without an answer.
        return all(
            type(value := contact[slot]) not in (int, float) or low <= value <= high
            for slot, low, high in bounds.declared
        )


class _Part(Race):
    """Of another one.

    PERF: its tables are not looked into again, which takes 65 us where an environment
    has 100,000 offers.
    """

    def __init__(self, whole: Race, rows: int, offers: int) -> None:
        self.index = whole.index
        self.space = whole.space
        self.conditions = whole.conditions
        self.at_ms = whole.at_ms
        self.rows = whole.rows & rows
        self._whole = whole
        self._mask = offers

    def offers(self) -> int:
        return self._whole.offers() & self._mask

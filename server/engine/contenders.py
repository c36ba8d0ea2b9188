"""The ranking of a space without the offers that presentation rules exclude anyway.

Rules are asked after the draw, so that a contact who was proposed something of every
category would have thousands of offers ranked, drawn and left out. But what is excluded
cannot be chosen, and as long as no two of the others are equal no draw can change what
is. So the others are ranked alone. Where two of them are equal the ranking begins anew
as it is defined, with everybody, and all its draws; what was looked at is passed over.
"""

from collections.abc import Iterator, Set
from itertools import chain
from math import inf

from server.engine.arbitration import Draw, DrawNeeded, NoDraw, Scored
from server.engine.counted_offers import NOBODY, LeftOut
from server.engine.live_catalog import LiveEnvironment
from server.engine.live_offers import LiveOffer
from server.engine.presentation import Presented
from server.engine.race import Race
from server.engine.ranking import PassedOver, ranked

#: Excluded offers that are given before the ranking goes on without them, those that
#: were passed over counted as well; twice as many each time that equals were among the
#: others. Fewer where there are more offers: more of a full category stand ahead.
#:
#: PERF: one takes 1 to 4 us, and to begin a ranking anew 15. Of 10,000 offers 16 are
#: best (8 and 4 take a quarter more), of 100,000 one (16 take two thirds more).
LOOKS_MAX = 16
_LOOKS_BY_OFFERS = 200_000


class Contenders:
    """The offers of one space asked for, best first, as far as anybody asks."""

    def __init__(
        self,
        environment: LiveEnvironment,
        race: Race,
        presented: Presented,
        draw: Draw,
        shown: Set[int],
    ) -> None:
        """`shown` are the offers that the space must not repeat, as it is filled."""
        self._environment = environment
        self._race = race
        self._presented = presented
        self._draw = draw
        self._shown = shown
        by_offers = _LOOKS_BY_OFFERS // (len(environment.offers) + 1)
        self._looks_max = max(1, min(LOOKS_MAX, by_offers))
        self._passed_over = PassedOver(presented.plainly_full, shown, self._looks_max)
        #: With everybody; not begun before it is needed.
        self._whole = self._ranked(race, draw, self._passed_over)
        self._is_whole = True
        #: What is not ranked otherwise.
        self._left_out = NOBODY
        self._looks = 0
        #: Of those passed over.
        self._counted = 0

    def __iter__(self) -> Iterator[Scored]:
        """Each offer once; of those that are sure to be excluded only some."""
        self._is_whole = not self._leave_out()
        # Who weighs so much or more was given, or is left out.
        passed = inf
        while True:
            before = passed
            try:
                for best in self._ranking():
                    if best.weight >= before:
                        continue
                    if self._looks >= self._looks_max and best.weight < passed:
                        self._looks = 0
                        if self._leave_out():
                            self._go_on_without(best)
                            break
                    passed = best.weight
                    yield best
                else:
                    return
            except DrawNeeded:
                self._is_whole = True
                self._looks_max *= 2

    def excludes(self, offer: LiveOffer) -> bool:
        """Whether a rule excludes the offer given last."""
        if not self._presented.excludes(offer, self._race.space):
            return False
        self._looks += 1 + self._passed_over.count - self._counted
        self._counted = self._passed_over.count
        return True

    def has_left_out(self) -> bool:
        """Whether an eligible offer was never given that is not among those shown."""
        if self._passed_over.count:
            return True
        known = self._environment.counted_offers.with_rows(self._shown)
        return self._are_eligible(
            self._left_out.offers & ~known.offers, self._left_out.rows & ~known.rows
        )

    def has_left_out_shown(self) -> bool:
        """Whether an eligible offer was never given that is among those shown."""
        known = self._environment.counted_offers.with_rows(self._shown)
        return self._are_eligible(
            self._left_out.offers & known.offers, self._left_out.rows & known.rows
        )

    def _are_eligible(self, offers: int, rows: int) -> bool:
        """Whether one of them is."""
        if not offers:
            return False
        some = self._race.within(LeftOut(offers, rows))
        try:
            # Whoever is excluded as well is to be seen.
            ranking = self._ranked(
                some, NoDraw(), PassedOver(frozenset(), self._shown, 1)
            )
            return next(ranking, None) is not None
        except DrawNeeded:
            return True

    def end(self, last: Scored | None) -> None:
        """Leave the space, of which this was chosen last; None asked for all there are.

        Another space follows: draws that were passed over are owed to it.
        """
        if not self._is_whole:
            self._draw.owe(lambda: self._draw_on(last))

    def _draw_on(self, last: Scored | None) -> None:
        conditions = self._race.conditions
        entered = conditions.space
        conditions.enter(self._race.space)
        for best in self._whole:
            if last is not None and best.offer is last.offer:
                break
        assert entered is not None
        conditions.enter(entered)

    def _leave_out(self) -> bool:
        """See who is excluded by now; whether it is worth ranking the others alone."""
        left_out = self._presented.left_out(self._race.space)
        if not left_out.offers:
            return False
        offers = left_out.offers & self._race.candidates()
        is_more = offers != (0 if self._is_whole else self._left_out.offers)
        self._left_out = LeftOut(offers, left_out.rows)
        return is_more

    def _go_on_without(self, best: Scored) -> None:
        """`best` is the next."""
        if self._is_whole:
            self._whole = chain([best], self._whole)
            self._is_whole = False

    def _ranking(self) -> Iterator[Scored]:
        if self._is_whole:
            return self._whole
        others = self._race.without(self._left_out)
        return self._ranked(others, NoDraw(), self._passed_over)

    def _ranked(
        self, race: Race, draw: Draw, passed_over: PassedOver
    ) -> Iterator[Scored]:
        return ranked(self._environment.offers, race, draw, passed_over)

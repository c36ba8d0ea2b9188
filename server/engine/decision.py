"""The pipeline from a call to its propositions.

Spaces are filled in the order asked. For each: candidates (approved for the space,
of the categories and themes asked for) -> eligible (windows, rules) -> ranked (the
highest weight that matches, ties drawn) -> taken from the top, leaving out what the
presentation rules exclude and what the page shows already.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import NamedTuple

from server.engine.arbitration import Draw, Scored
from server.engine.call import Call, SpaceCall
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveSpace
from server.engine.presentation import Presented
from server.engine.ranking import Candidates, ranked


class Shortfall(Enum):
    """Why a space shows fewer propositions than were asked for."""

    NONE = "none"
    NOT_ENOUGH_ELIGIBLE = "not_enough_eligible"
    PRESENTATION_RULES = "presentation_rules"
    SHOWN_ELSEWHERE = "shown_elsewhere"


class Chosen(NamedTuple):
    """An offer to propose."""

    scored: Scored
    #: From 1 in its space; a space asked for twice goes on counting.
    rank: int


class SpaceDecision(NamedTuple):
    """The answer for one space asked for."""

    space: LiveSpace
    chosen: tuple[Chosen, ...]
    shortfall: Shortfall


class Decision(NamedTuple):
    """One answer per space asked for, in the same order."""

    spaces: tuple[SpaceDecision, ...]


def decide(call: Call) -> Decision:
    """Decide; the same call always gets the same decision."""
    conditions = Conditions(call)
    presented = Presented(call, conditions)
    draw = Draw(call.seed)
    page = _Page(call.allow_duplicates)
    return Decision(
        tuple(
            _fill(call, asked, conditions, presented, draw, page)
            for asked in call.spaces
        )
    )


class _Page:
    """What the call has chosen so far."""

    def __init__(self, allow_duplicates: bool) -> None:
        self._allow_duplicates = allow_duplicates
        self._in_space: dict[str, set[int]] = {}
        self._anywhere: set[int] = set()

    def shows(self, offer: int, space: str) -> bool:
        if self._allow_duplicates:
            return offer in self._in_space.get(space, ())
        return offer in self._anywhere

    def add(self, offer: int, space: str) -> int:
        """Take an offer into a space; returns its rank there."""
        in_space = self._in_space.setdefault(space, set())
        in_space.add(offer)
        self._anywhere.add(offer)
        return len(in_space)


def _fill(
    call: Call,
    asked: SpaceCall,
    conditions: Conditions,
    presented: Presented,
    draw: Draw,
    page: _Page,
) -> SpaceDecision:
    space = asked.space
    conditions.enter(space)
    candidates = _candidates(call, asked)
    best_first = ranked(
        call.environment, space, candidates, conditions, call.at_ms, draw
    )
    chosen: list[Chosen] = []
    shortfall = Shortfall.NOT_ENOUGH_ELIGIBLE
    for best in best_first:
        offer = best.offer
        if page.shows(offer.number, space.name):
            if shortfall is Shortfall.NOT_ENOUGH_ELIGIBLE:
                shortfall = Shortfall.SHOWN_ELSEWHERE
        elif presented.excludes(offer, space):
            shortfall = Shortfall.PRESENTATION_RULES
        else:
            chosen.append(Chosen(best, page.add(offer.number, space.name)))
            if space.recording:
                presented.add(offer, space)
            if len(chosen) == asked.max_propositions:
                return SpaceDecision(space, tuple(chosen), Shortfall.NONE)
    return SpaceDecision(space, tuple(chosen), shortfall)


def _candidates(call: Call, asked: SpaceCall) -> Candidates:
    """The rows and offers of the categories and themes asked for.

    Names in one list are alternatives, and both lists must agree; a name that the
    environment does not have contributes nothing.
    """
    environment, index = call.environment, call.environment.live_index
    categories, themes = asked.categories, asked.themes
    if not categories and not themes:
        categories = asked.space.default_categories
        themes = asked.space.default_themes
    if not categories and not themes and not call.excluded:
        return Candidates(None, None)
    rows, offers = index.all_rows, index.all_offers
    if categories:
        rows &= _union(index.category_rows, categories)
        offers &= _union(environment.categories, categories)
    if themes:
        rows &= _union(index.theme_rows, themes)
        offers &= _union(environment.themes, themes)
    rows |= index.always_included_rows
    offers |= environment.always_included
    for name in call.excluded:
        number = environment.offer_numbers.get(name)
        if number is not None:
            offers &= ~(1 << number)
            for row in index.rows_of_offer[number]:
                rows &= ~(1 << row)
    return Candidates(rows, offers)


def _union(masks: Mapping[str, int], names: Iterable[str]) -> int:
    union = 0
    for name in names:
        union |= masks.get(name, 0)
    return union

"""The pipeline from a call to its propositions.

Spaces are filled in the order asked. For each: candidates (approved for the space,
of the categories and themes asked for) -> eligible (windows, rules) -> ranked (the
highest weight that matches, ties drawn) -> taken from the top, leaving out what the
presentation rules exclude, what quotas have no room for, what the page shows already
and what cannot be rendered.
"""

from collections.abc import Iterable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from compiler.runtime.template_values import TemplateError
from server.engine.arbitration import Draw, Scored
from server.engine.call import Call, SpaceCall
from server.engine.contenders import Contenders
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveOffer, LiveSpace
from server.engine.presentation import Presented
from server.engine.quotas import QuotaRoom
from server.engine.race import Candidates, Race
from server.engine.ranking import NOBODY_IS_PASSED_OVER, ranked
from server.engine.rendering import Rendered, Shown, rendered

#: Grows when the same call may be decided otherwise than before.
ENGINE_VERSION = 2


class Shortfall(Enum):
    """Why a space shows fewer propositions than were asked for.

    Of several reasons the one that stands first here.
    """

    NONE = "none"
    QUOTAS = "quotas"
    PRESENTATION_RULES = "presentation_rules"
    NOT_RENDERED = "not_rendered"
    SHOWN_ELSEWHERE = "shown_elsewhere"
    NOT_ENOUGH_ELIGIBLE = "not_enough_eligible"


# PERF: a member is looked up in its class in 60 ns, and a candidate asks for three.
_NONE = Shortfall.NONE
_NOT_ENOUGH_ELIGIBLE = Shortfall.NOT_ENOUGH_ELIGIBLE
_PRESENTATION_RULES = Shortfall.PRESENTATION_RULES
_QUOTAS = Shortfall.QUOTAS
_SHOWN_ELSEWHERE = Shortfall.SHOWN_ELSEWHERE
_NOT_RENDERED = Shortfall.NOT_RENDERED
_BEFORE_NOT_RENDERED = (_QUOTAS, _PRESENTATION_RULES)


class Chosen(NamedTuple):
    """An offer to propose."""

    scored: Scored
    #: From 1 in its space; a space asked for twice goes on counting.
    rank: int
    #: Where the space has to render it: what was rendered, and from what.
    shown: Shown | None = None
    rendered: Rendered | None = None


class NotRendered(NamedTuple):
    """An offer that was left out because it could not be shown."""

    offer: LiveOffer
    #: Which value is missing, or what else is wrong.
    reason: str


class SpaceDecision(NamedTuple):
    """The answer for one space asked for."""

    space: LiveSpace
    chosen: tuple[Chosen, ...]
    shortfall: Shortfall
    not_rendered: tuple[NotRendered, ...] = ()


class Decision(NamedTuple):
    """One answer per space asked for, in the same order."""

    spaces: tuple[SpaceDecision, ...]
    #: Conditions and formulas that had no answer where they were asked.
    raised: int = 0
    #: Quota -> propositions to be counted; see `server.engine.quotas`.
    quotas_taken: Mapping[int, int] = MappingProxyType({})
    #: Times that an offer was left out because a quota had no room.
    quota_exclusions: int = 0


def decide(call: Call) -> Decision:
    """Decide; the same call always gets the same decision."""
    conditions = Conditions(call)
    # PERF: none where there are no presentation rules, 1.90 of the yardstick's time
    # instead of 1.32 (`bench.ratios`); nor where there are no quotas, 1.4 us.
    presented = (
        Presented(call, conditions) if call.environment.presentation_rules else None
    )
    draw = Draw(call.seed)
    room = QuotaRoom(call) if call.environment.quotas.live else None
    page = _Page(call.allow_duplicates)
    last = len(call.spaces) - 1
    # PERF: a list, not a generator: 0.1 us.
    spaces = tuple(
        [
            _fill(call, asked, conditions, presented, room, draw, page, place == last)
            for place, asked in enumerate(call.spaces)
        ]
    )
    if room is None:
        return Decision(spaces, conditions.raised)
    return Decision(spaces, conditions.raised, room.taken, room.exclusions)


class _Page:
    """What the call has chosen so far."""

    def __init__(self, allow_duplicates: bool) -> None:
        self._allow_duplicates = allow_duplicates
        self._in_space: dict[str, set[int]] = {}
        self._anywhere: set[int] = set()

    def shown(self, space: str) -> tuple[set[int], set[int]]:
        """Offers that the space must not repeat, and those in it; both are to be kept.

        PERF: sets to look into, where methods took two calls for each offer.
        """
        in_space = self._in_space.setdefault(space, set())
        return in_space if self._allow_duplicates else self._anywhere, in_space


def _fill(
    call: Call,
    asked: SpaceCall,
    conditions: Conditions,
    presented: Presented | None,
    room: QuotaRoom | None,
    draw: Draw,
    page: _Page,
    is_last: bool,
) -> SpaceDecision:
    space = asked.space
    conditions.enter(space)
    rule = call.environment.rule
    if rule is not None and not conditions.holds(rule):
        return SpaceDecision(space, (), _NOT_ENOUGH_ELIGIBLE)
    candidates = _candidates(call, asked)
    unrepeated, in_space = page.shown(space.name)
    race = Race(call.environment.live_index, space, candidates, conditions, call.at_ms)
    contenders: Contenders | None = None
    best_first: Iterable[Scored]
    if presented is None:
        best_first = ranked(call.environment.offers, race, draw, NOBODY_IS_PASSED_OVER)
    else:
        best_first = contenders = Contenders(
            call.environment, race, presented, draw, unrepeated
        )
    chosen: list[Chosen] = []
    not_rendered: list[NotRendered] = []
    shortfall = _NOT_ENOUGH_ELIGIBLE
    for best in best_first:
        offer = best.offer
        if offer.number in unrepeated:
            if shortfall is _NOT_ENOUGH_ELIGIBLE:
                shortfall = _SHOWN_ELSEWHERE
        elif contenders is not None and contenders.excludes(offer):
            if shortfall is not _QUOTAS:
                shortfall = _PRESENTATION_RULES
        elif room is not None and room.excludes(offer):
            shortfall = _QUOTAS
            if room.is_over:
                break
        else:
            one = Chosen(best, len(in_space) + 1)
            if space.rendered:
                try:
                    one = _rendered(one, call, conditions, space)
                except TemplateError as error:
                    not_rendered.append(NotRendered(offer, str(error)))
                    if shortfall not in _BEFORE_NOT_RENDERED:
                        shortfall = _NOT_RENDERED
                    continue
            unrepeated.add(offer.number)
            in_space.add(offer.number)
            chosen.append(one)
            is_full = len(chosen) == asked.max_propositions
            if space.recording:
                # PERF: nobody asks after the last one: 2 % of a call.
                if presented is not None and not (is_full and is_last):
                    presented.add(call, best, space, one.rank)
                if room is not None:
                    room.take(offer)
            if is_full:
                shortfall = _NONE
                break
    if contenders is not None:
        if shortfall is not _NONE:
            shortfall = _shortfall(shortfall, contenders)
        if not is_last:
            contenders.end(chosen[-1].scored if shortfall is _NONE else None)
    return SpaceDecision(space, tuple(chosen), shortfall, tuple(not_rendered))


def _shortfall(shortfall: Shortfall, contenders: Contenders) -> Shortfall:
    """With the reasons of those that nobody looked at."""
    if shortfall in _BEFORE_NOT_RENDERED:
        return shortfall
    if contenders.has_left_out():
        return _PRESENTATION_RULES
    # What was chosen here is not among those left out, unless others were looked at.
    if shortfall is _NOT_ENOUGH_ELIGIBLE and contenders.has_left_out_shown():
        return _SHOWN_ELSEWHERE
    return shortfall


def _rendered(
    one: Chosen, call: Call, conditions: Conditions, space: LiveSpace
) -> Chosen:
    """With what the space shows of it; raises TemplateError."""
    offer = one.scored.offer
    if not space.rendered >> offer.number & 1:
        return one
    shown = Shown(
        space=space,
        offer=offer,
        weight=one.scored.weight,
        rank=one.rank,
        interaction=call.seed,
        contact=conditions.contact,
        context=conditions.context,
    )
    return one._replace(shown=shown, rendered=rendered(shown))


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

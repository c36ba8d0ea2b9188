"""Counts why offers are not proposed, category by category: of each, the first reason.

The same walk as `scrutiny`, with what the offers of a category share asked once and
what an offer has of its own asked only as far as its first reason; for 100,000 offers
it is made while other calls run.
"""

from collections import Counter
from collections.abc import Generator, Mapping
from math import isfinite
from typing import NamedTuple

from server.engine.arbitration import row_weight
from server.engine.call import Call
from server.engine.decision import Decision
from server.engine.eligibility import Conditions
from server.engine.explanation.failing_conditions import RuleConditions
from server.engine.explanation.reasons import ReasonCode
from server.engine.explanation.scrutiny import OfPath, Scrutiny
from server.engine.explanation.space_page import space_page
from server.engine.live_offers import LiveOffer

#: Offers between two yields.
#: PERF: 0.1 ms; a millisecond the first time, when every rule asked is yet to be
#: linked (CPython 3.11, two busy cores).
_STEP = 16


class CategorySummary(NamedTuple):
    """The offers of one category node, without those below it, in one space."""

    #: Of the space among those asked for; one may be asked for twice.
    place: int
    space: str
    category: str
    offers: int
    proposed: int
    #: How many of the others have each reason as their first; none has 0.
    first_reasons: Mapping[ReasonCode, int]


def summarize(
    call: Call, decision: Decision
) -> Generator[None, None, tuple[CategorySummary, ...]]:
    """Spaces in the order asked, in each the categories in catalog order.

    Categories without offers of their own are left out. Yields between steps of at most
    about a millisecond.
    """
    found: list[CategorySummary] = []
    rules = RuleConditions(call.environment)
    for place, asked in enumerate(call.spaces):
        scrutiny = Scrutiny(call, space_page(call, decision, place), rules)
        counts = yield from _count(scrutiny)
        for category in call.environment.nouns.paths:
            if category not in counts:
                continue
            of_category = counts[category]
            found.append(
                CategorySummary(
                    place=place,
                    space=asked.space.name,
                    category=category,
                    offers=of_category.total(),
                    proposed=of_category.pop(None, 0),
                    first_reasons={
                        code: of_category[code]
                        for code in ReasonCode
                        if code in of_category
                    },
                )
            )
    return tuple(found)


def _count(
    scrutiny: Scrutiny,
) -> Generator[None, None, dict[str, Counter[ReasonCode | None]]]:
    """Category -> first reason, None for proposed offers -> offers."""
    first = _FirstReasons(scrutiny)
    counts: dict[str, Counter[ReasonCode | None]] = {}
    for offer in scrutiny.call.environment.offers:
        of_category = counts.get(offer.category)
        if of_category is None:
            of_category = counts[offer.category] = Counter()
        of_category[first.of(offer)] += 1
        if offer.number % _STEP == _STEP - 1:
            yield
    return counts


class _Shared(NamedTuple):
    """What the first reasons of a category's offers share."""

    path: OfPath
    disabled: ReasonCode | None
    requested: ReasonCode | None
    window: ReasonCode | None
    rule: ReasonCode | None


class _FirstReasons:
    """The first reason of each offer in one space of a decided call."""

    def __init__(self, scrutiny: Scrutiny) -> None:
        self._scrutiny = scrutiny
        self._conditions: Conditions = scrutiny.fast
        self._environment = scrutiny.call.environment
        self._nouns = self._environment.nouns
        self._at_ms = scrutiny.call.at_ms
        self._space = scrutiny.asked.space.name
        self._missing = self._nouns.missing[self._space]
        self._shared: dict[str, _Shared] = {}

    def of(self, offer: LiveOffer) -> ReasonCode | None:
        """None when the offer is proposed."""
        number, scrutiny = offer.number, self._scrutiny
        if number in scrutiny.page.ranks:
            return None
        if not self._nouns.is_approved(number, self._space):
            return ReasonCode.NOT_APPROVED
        if number in self._missing:
            return ReasonCode.MISSING_CONTENT
        shared = self._shared.get(offer.category)
        if shared is None:
            shared = self._shared[offer.category] = self._of_category(offer.category)
        return self._of_candidate(offer, shared) or self._of_page(offer)

    def _of_candidate(self, offer: LiveOffer, shared: _Shared) -> ReasonCode | None:
        """The first reason from what is enabled to the weight rows."""
        number = offer.number
        if shared.disabled:
            return shared.disabled
        if number in self._nouns.disabled:
            return ReasonCode.OFFER_DISABLED
        if shared.requested:
            return shared.requested
        if offer.name in self._scrutiny.call.excluded:
            return ReasonCode.EXCLUDED_BY_CALL
        if shared.window:
            return shared.window
        window = self._nouns.offer_windows.get(number)
        if window is not None and not window.includes(self._at_ms):
            if self._at_ms < window.start_ms:
                return ReasonCode.WINDOW_NOT_OPEN_YET
            return ReasonCode.WINDOW_CLOSED
        if shared.rule:
            return shared.rule
        rule = self._nouns.offer_rules[number]
        if rule is not None and not self._conditions.holds(rule):
            return ReasonCode.OFFER_RULE
        if not self._has_weight(offer, shared.path):
            return ReasonCode.NO_MATCHING_WEIGHT
        return None

    def _of_page(self, offer: LiveOffer) -> ReasonCode:
        """The first reason of an offer that is eligible."""
        page, space = self._scrutiny.page, self._scrutiny.asked.space
        shown = page.shown.get(offer.number, ())
        if space.name in shown:
            return ReasonCode.SHOWN_IN_SPACE
        if shown and not self._scrutiny.call.allow_duplicates:
            return ReasonCode.SHOWN_ELSEWHERE
        if self._scrutiny.presented.excludes(offer, space):
            return ReasonCode.PRESENTATION_RULE
        if self._scrutiny.room.excludes(offer):
            return ReasonCode.QUOTA
        if self._scrutiny.not_rendered(offer) is not None:
            return ReasonCode.NOT_RENDERED
        assert page.last is not None, "an eligible offer takes a place that is left"
        return ReasonCode.OUTRANKED

    def _has_weight(self, offer: LiveOffer, path: OfPath) -> bool:
        best = path.weight
        for row in self._nouns.offer_rows[offer.number]:
            weight = row_weight(row, self._space, self._conditions, self._at_ms)
            best = max(best, weight)
        scaled = self._scrutiny.rows.scaled(best, path.nodes)
        return scaled > 0.0 and isfinite(scaled)

    def _of_category(self, category: str) -> _Shared:
        path = self._scrutiny.path(category)
        shared = (path.disabled, path.requested, path.windows, path.rules)
        return _Shared(path, *(found[0].code if found else None for found in shared))

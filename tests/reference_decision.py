"""The decision, slow and obvious: the judge of the engine.

Works on the catalog's records as people wrote them, with sets and lists of names; rules
are evaluated from their texts by CEL's reference implementation. Shares nothing with
the engine but the rulings: no masks, no inheritance flattened at publication, no
compiled rules. What is recorded is the caller's to remember.
"""

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from random import Random
from types import MappingProxyType
from typing import Any, NamedTuple

from catalog_store.counting import Counted, CountedFrom, CountedStatus
from catalog_store.records import (
    Category,
    Environment,
    Offer,
    PresentationRule,
    Space,
    WeightRow,
    Window,
)
from compiler.runtime.history import HISTORY_MAX, History
from compiler.runtime.values import MISSING
from compiler.schema import Schema
from tests.cel_oracle import Oracle
from tests.reference_quotas import ReferenceQuotas

_ANSWERS = {"accepted", "rejected"}
_SEEN = {"presented", "interested", "scheduled", *_ANSWERS}
_STATUSES = {
    CountedStatus.ANY: {"generated", *_SEEN},
    CountedStatus.PRESENTED: _SEEN,
    CountedStatus.ACCEPTED: {"accepted"},
    CountedStatus.REJECTED: {"rejected"},
    CountedStatus.ACCEPTED_OR_REJECTED: _ANSWERS,
}
_SEGMENT = re.compile(r"\bsegment\.([a-z][a-z0-9_]*)")


class Past(NamedTuple):
    """One earlier proposition, by names."""

    offer: str
    category: str
    channel: str
    status: str
    event_time_ms: int
    #: When it got its status; 0 is when it was made.
    status_since_ms: int = 0
    #: Looked at by rules that read the history only.
    space: str = ""
    weight: float = 0.0
    rank: int = 0


class Asked(NamedTuple):
    """What is asked for one space; a space and a number will do for it."""

    space: str
    wanted: int
    categories: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()


class Choice(NamedTuple):
    """One offer to propose."""

    offer: str
    weight: float
    rank: int


class Filled(NamedTuple):
    """What one space shows, and why it is not more."""

    choices: list[Choice]
    #: none, not_enough_eligible, presentation_rules, quotas or shown_elsewhere.
    shortfall: str


class Reference:
    """Decides for one environment."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        self.oracle = Oracle(
            Schema.of(environment.contact_attributes, environment.context_attributes)
        )
        self.categories = {c.name: c for c in environment.categories}
        self.spaces = {s.name: s for s in environment.spaces}
        self.segments = {s.name: s.rule for s in environment.segments}
        self.attributes = {offer.name: offer.attributes for offer in environment.offers}
        # What rests while the catalog does: looked up, not found again for each rule.
        self.paths = {offer.name: self._path_of(offer) for offer in environment.offers}
        self.scopes = {r.name: self._scope(r) for r in environment.presentation_rules}
        self._texts: dict[str, str] = {}

    def decide(self, *call: Any) -> list[list[Choice]]:
        """What `fill_page` chooses: one list per space asked for, in the same order."""
        return [filled.choices for filled in self.fill_page(*call)]

    def fill_page(
        self,
        contact: Mapping[str, Any],
        context: Mapping[str, Any],
        history: Sequence[Past],
        asked: Sequence[tuple[Any, ...]],
        at_ms: int,
        seed: int,
        excluded: Collection[str] = (),
        allow_duplicates: bool = False,
        quotas_left: Mapping[str, int] = MappingProxyType({}),
    ) -> list[Filled]:
        """What each space asked for shows, in the same order."""
        self._contact, self._context, self._at_ms = contact, context, at_ms
        # What was stored before the call, newest first; the last of a moment first.
        self._history = sorted(reversed(history), key=lambda p: -p.event_time_ms)
        self._excluded_offers = excluded
        self._allow_duplicates = allow_duplicates
        self._quotas = ReferenceQuotas(self.environment, quotas_left)
        # In one call a rule has one answer, or one in each space if it asks which it
        # is: the only thing remembered here.
        self._answers: dict[tuple[str, ...], bool | float | str] = {}
        random = Random(seed)
        pasts = list(history)
        page: dict[str, list[str]] = {}
        return [self._fill(Asked(*one), pasts, page, random) for one in asked]

    def _fill(
        self,
        asked: Asked,
        pasts: list[Past],
        page: dict[str, list[str]],
        random: Random,
    ) -> Filled:
        space = self.spaces[asked.space]
        self._place = (str(space.channel), space.name)
        in_space = page.setdefault(space.name, [])
        choices: list[Choice] = []
        reasons: set[str] = set()
        for offer, weight in self._ranked(asked, space, random):
            if offer.name in self._shown(space, page):
                reasons.add("shown_elsewhere")
            elif self._excluded(offer, space, pasts):
                reasons.add("presentation_rules")
            elif not self._quotas.has_room(offer, self._path(offer)):
                reasons.add("quotas")
            else:
                in_space.append(offer.name)
                choices.append(Choice(offer.name, weight, len(in_space)))
                if space.recording:
                    self._quotas.consume(offer, self._path(offer))
                    pasts.append(self._as_past(choices[-1], offer, space))
            if len(choices) == asked.wanted:
                return Filled(choices, "none")
        for reason in ("quotas", "presentation_rules", "shown_elsewhere"):
            if reason in reasons:
                return Filled(choices, reason)
        return Filled(choices, "not_enough_eligible")

    def _ranked(
        self, asked: Asked, space: Space, random: Random
    ) -> Iterator[tuple[Offer, float]]:
        """Eligible offers and weights, best first, drawn as far as anybody asks."""
        weights = {
            offer.name: weight
            for offer in self.environment.offers
            if offer.name not in self._excluded_offers
            and self._requested(asked, space, self._path(offer))
            and self._eligible(offer, space)
            and (weight := self._weight(offer, space)) is not None
        }
        for weight in sorted(set(weights.values()), reverse=True):
            pool = [o for o in self.environment.offers if weights.get(o.name) == weight]
            while pool:
                # A draw of one of one takes nothing from the sequence of the seed.
                index = random.randrange(len(pool)) if len(pool) > 1 else 0
                yield pool.pop(index), weight

    def _shown(self, space: Space, page: dict[str, list[str]]) -> list[str]:
        """What the space must not repeat."""
        if self._allow_duplicates:
            return page[space.name]
        return [name for names in page.values() for name in names]

    def _as_past(self, choice: Choice, offer: Offer, space: Space) -> Past:
        """What this call proposes, as it counts in the rest of it."""
        return Past(
            offer.name,
            offer.category,
            space.channel,
            space.proposition_status,
            self._at_ms,
            space=space.name,
            weight=choice.weight,
            rank=choice.rank,
        )

    def _path(self, offer: Offer) -> list[Category]:
        return self.paths[offer.name]

    def _path_of(self, offer: Offer) -> list[Category]:
        path = [self.categories[offer.category]]
        while path[-1].parent is not None:
            path.append(self.categories[path[-1].parent])
        return path

    def _eligible(self, offer: Offer, space: Space) -> bool:
        path = self._path(offer)
        rules = [self.environment.rule, offer.rule, *(c.rule for c in path)]
        required = [field.name for field in space.fields if field.required]
        return (
            space.name in offer.spaces
            and all(offer.content.get(name) for name in required)
            and offer.enabled
            and all(category.enabled for category in path)
            and all(self._open(w) for w in (offer.window, *(c.window for c in path)))
            and all(rule is None or self._evaluate(rule) is True for rule in rules)
        )

    def _requested(self, asked: Asked, space: Space, path: list[Category]) -> bool:
        """Of the categories and themes asked for, or else of the space's defaults."""
        if asked.categories or asked.themes:
            return self._matches(path, asked.categories, asked.themes)
        return self._candidate(path, space)

    def _candidate(self, path: list[Category], space: Space) -> bool:
        """By the space's defaults."""
        return self._matches(path, space.default_categories, space.default_themes)

    def _matches(
        self, path: list[Category], categories: Sequence[str], themes: Sequence[str]
    ) -> bool:
        names = {category.name for category in path}
        known = {theme for category in path for theme in category.themes}
        by_category = not categories or names & set(categories)
        by_theme = not themes or known & set(themes)
        return bool(by_category and by_theme) or any(c.always_included for c in path)

    def _weight(self, offer: Offer, space: Space) -> float | None:
        path = self._path(offer)
        rows = [*offer.weights, *self.environment.weights]
        for category in path:
            rows += category.weights
        weights = [self._row_weight(row, space) for row in rows]
        best = max(weights, default=0.0)
        # Root first, as the multiplications are ordered in the rulings.
        for category in reversed(path):
            multiplier = category.multiplier
            if multiplier is not None and self._open(multiplier.window):
                best *= multiplier.factor
        return best if 0 < best < math.inf else None

    def _row_weight(self, row: WeightRow, space: Space) -> float:
        matches = (
            self._open(row.window)
            and (not row.spaces or space.name in row.spaces)
            and (row.rule is None or self._evaluate(row.rule) is True)
        )
        if not matches:
            return 0.0
        if not isinstance(row.weight, str):
            return float(row.weight)
        weight = self._evaluate(row.weight)
        if isinstance(weight, str) or not math.isfinite(weight) or weight < 0:
            return 0.0
        return float(weight)

    def _excluded(self, offer: Offer, space: Space, pasts: list[Past]) -> bool:
        environment = self.environment
        chosen = [t for t in environment.typologies if t.name == environment.typology]
        return any(
            self._excludes(rule, offer, space, pasts)
            for rule in environment.presentation_rules
            if rule.active and any(rule.name in t.rules for t in chosen)
        )

    def _excludes(
        self, rule: PresentationRule, offer: Offer, space: Space, pasts: list[Past]
    ) -> bool:
        if rule.channel is not None and rule.channel != space.channel:
            return False
        if rule.rule is not None and self._evaluate(rule.rule) is not True:
            return False
        scope = self.scopes[rule.name]
        if offer.name not in scope:
            return False
        moments: list[int] = []
        for past in pasts:
            moment = past.event_time_ms
            if rule.counted_from is CountedFrom.STATUS:
                moment = past.status_since_ms or past.event_time_ms
            if (
                self._is_counted(rule, past, offer, scope)
                and (not rule.same_channel or past.channel == space.channel)
                and past.status in _STATUSES[rule.counted_status]
                and self._holds_of(rule.counted_rule, past)
                and (
                    rule.period_ms is None
                    or abs(moment - self._at_ms) <= rule.period_ms
                )
            ):
                moments.append(moment)
        if rule.rest_ms is None:
            return len(moments) >= rule.maximum
        resting_until, counted = -math.inf, 0
        for moment in sorted(moments):
            if moment >= resting_until:
                counted += 1
                if counted == rule.maximum:
                    resting_until, counted = moment + rule.rest_ms, 0
        return self._at_ms < resting_until

    def _is_counted(
        self, rule: PresentationRule, past: Past, offer: Offer, scope: set[str]
    ) -> bool:
        match rule.counted:
            case Counted.ALL_OFFERS:
                return True
            case Counted.THIS_OFFER:
                return past.offer == offer.name
            case Counted.SAME_CATEGORY:
                return past.category == offer.category
            case Counted.SCOPE:
                return past.offer in scope
            case Counted.SAME_ATTRIBUTE:
                assert rule.attribute is not None
                value = offer.attributes.get(rule.attribute)
                other = self.attributes.get(past.offer, {}).get(rule.attribute)
                return value is not None and value == other

    def _holds_of(self, rule: str | None, past: Past) -> bool:
        """A condition on one proposition: as if it were all the history there is."""
        if rule is None:
            return True
        text = re.sub(r"\bproposition\.", "history[0].", rule)
        return self._ask(text, self._slots([past])) is True

    def _scope(self, rule: PresentationRule) -> set[str]:
        everything = not rule.offers and not rule.categories
        return {
            offer.name
            for offer in self.environment.offers
            if everything
            or offer.name in rule.offers
            or {c.name for c in self._path(offer)} & set(rule.categories)
        }

    def _open(self, window: Window) -> bool:
        after = window.start is None or window.start <= self._at_ms
        return after and (window.end is None or self._at_ms < window.end)

    def _evaluate(self, text: str) -> bool | float | str:
        """The text with its segments written out, by the reference implementation."""
        asks_where = "context" in self._written_out(text)
        key = (text, *self._place) if asks_where else (text,)
        if key not in self._answers:
            history = self._slots(self._history[:HISTORY_MAX])
            self._answers[key] = self._ask(text, history)
        return self._answers[key]

    def _ask(self, text: str, history: History) -> bool | float | str:
        environment = self.environment
        contact = tuple(
            self._contact.get(a.name, MISSING) for a in environment.contact_attributes
        )
        context = tuple(
            self._context.get(a.name, MISSING) for a in environment.context_attributes
        )
        now = (self._at_ms * 1_000, *self._place, *context)
        return self.oracle.evaluate(self._written_out(text), contact, now, history)

    def _written_out(self, text: str) -> str:
        if text not in self._texts:
            written = text
            while _SEGMENT.search(written):
                written = _SEGMENT.sub(
                    lambda use: f"({self.segments[use[1]]})", written
                )
            self._texts[text] = written
        return self._texts[text]

    def _slots(self, pasts: Sequence[Past]) -> History:
        return tuple(
            (
                past.offer if past.offer in self.attributes else "",
                past.category if past.category in self.categories else "",
                past.space if past.space in self.spaces else "",
                str(past.channel),
                str(past.status),
                past.weight,
                past.rank,
                past.event_time_ms * 1_000,
            )
            for past in pasts
        )

"""The decision, slow and obvious: the judge of the engine.

Works on the catalog's records as people wrote them, with sets and lists of names; rules
are evaluated from their texts by CEL's reference implementation. Shares nothing with
the engine but the rulings: no masks, no inheritance flattened at publication, no
compiled rules. What is recorded is the caller's to remember.
"""

import math
import re
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from catalog_store.records import (
    Category,
    Counted,
    CountedFrom,
    CountedStatus,
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


class Choice(NamedTuple):
    """One offer to propose."""

    offer: str
    weight: float
    rank: int


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

    def decide(
        self,
        contact: Mapping[str, Any],
        context: Mapping[str, Any],
        history: Sequence[Past],
        asked: Sequence[tuple[str, int]],
        at_ms: int,
        seed: int,
    ) -> list[list[Choice]]:
        """One list per space asked for, in the same order."""
        self._contact, self._context, self._at_ms = contact, context, at_ms
        # What was stored before the call, newest first; the last of a moment first.
        self._history = sorted(reversed(history), key=lambda p: -p.event_time_ms)
        random = Random(seed)
        pasts = list(history)
        page: dict[str, set[str]] = {}
        return [
            self._fill(self.spaces[name], count, pasts, page, random)
            for name, count in asked
        ]

    def _fill(
        self,
        space: Space,
        count: int,
        pasts: list[Past],
        page: dict[str, set[str]],
        random: Random,
    ) -> list[Choice]:
        self._place = (str(space.channel), space.name)
        # In one space a rule has one answer: the only thing remembered here.
        self._answers: dict[str, bool | float | str] = {}
        weights = {
            offer.name: weight
            for offer in self.environment.offers
            if self._eligible(offer, space)
            and (weight := self._weight(offer, space)) is not None
        }
        choices: list[Choice] = []
        for weight in sorted(set(weights.values()), reverse=True):
            pool = [o for o in self.environment.offers if weights.get(o.name) == weight]
            while pool and len(choices) < count:
                # A draw of one of one takes nothing from the sequence of the seed.
                index = random.randrange(len(pool)) if len(pool) > 1 else 0
                offer = pool.pop(index)
                shown = any(offer.name in offers for offers in page.values())
                if shown or self._excluded(offer, space, pasts):
                    continue
                in_space = page.setdefault(space.name, set())
                in_space.add(offer.name)
                choices.append(Choice(offer.name, weight, len(in_space)))
                if space.recording:
                    pasts.append(
                        Past(
                            offer.name,
                            offer.category,
                            space.channel,
                            space.proposition_status,
                            self._at_ms,
                        )
                    )
        return choices

    def _path(self, offer: Offer) -> list[Category]:
        path = [self.categories[offer.category]]
        while path[-1].parent is not None:
            path.append(self.categories[path[-1].parent])
        return path

    def _eligible(self, offer: Offer, space: Space) -> bool:
        path = self._path(offer)
        rules = [self.environment.rule, offer.rule, *(c.rule for c in path)]
        required = [field.name for field in space.fields if field.required]
        return (
            self._candidate(path, space)
            and space.name in offer.spaces
            and all(offer.content.get(name) for name in required)
            and offer.enabled
            and all(category.enabled for category in path)
            and all(self._open(w) for w in (offer.window, *(c.window for c in path)))
            and all(rule is None or self._evaluate(rule) is True for rule in rules)
        )

    def _candidate(self, path: list[Category], space: Space) -> bool:
        """By the space's defaults: these calls name no categories or themes."""
        names = {category.name for category in path}
        themes = {theme for category in path for theme in category.themes}
        by_category = not space.default_categories or names & set(
            space.default_categories
        )
        by_theme = not space.default_themes or themes & set(space.default_themes)
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
        return best if best > 0 else None

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
        typology = next(
            t
            for t in self.environment.typologies
            if t.name == self.environment.typology
        )
        return any(
            self._excludes(rule, offer, space, pasts)
            for rule in self.environment.presentation_rules
            if rule.name in typology.rules and rule.active
        )

    def _excludes(
        self, rule: PresentationRule, offer: Offer, space: Space, pasts: list[Past]
    ) -> bool:
        if rule.channel is not None and rule.channel != space.channel:
            return False
        if rule.rule is not None and self._evaluate(rule.rule) is not True:
            return False
        scope = self._scope(rule)
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
        attributes = {o.name: o.attributes for o in self.environment.offers}
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
                other = attributes.get(past.offer, {}).get(rule.attribute)
                return value is not None and value == other

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
        if text not in self._answers:
            self._answers[text] = self._evaluate_afresh(text)
        return self._answers[text]

    def _evaluate_afresh(self, text: str) -> bool | float | str:
        while _SEGMENT.search(text):
            text = _SEGMENT.sub(lambda use: f"({self.segments[use[1]]})", text)
        environment = self.environment
        contact = tuple(
            self._contact.get(a.name, MISSING) for a in environment.contact_attributes
        )
        context = tuple(
            self._context.get(a.name, MISSING) for a in environment.context_attributes
        )
        return self.oracle.evaluate(
            text,
            contact,
            (self._at_ms * 1_000, *self._place, *context),
            self._history_slots(),
        )

    def _history_slots(self) -> History:
        offers = {offer.name for offer in self.environment.offers}
        return tuple(
            (
                past.offer if past.offer in offers else "",
                past.category if past.category in self.categories else "",
                past.space if past.space in self.spaces else "",
                str(past.channel),
                past.status,
                past.weight,
                past.rank,
                past.event_time_ms * 1_000,
            )
            for past in self._history[:HISTORY_MAX]
        )

"""What the contact was proposed before, counted against what could be proposed now.

A rule applies to a candidate when the rule's channel is the space's (or it has none),
the contact is one it concerns, and the offer is in its scope. It then counts the
contact's propositions whose event time lies in `[t - period, t + period]`, and
excludes the candidate at `count >= maximum`. Propositions made earlier in the same
call count too.
"""

from collections import Counter
from typing import NamedTuple

from catalog_store.records import Counted
from contact_store.records import PropositionStatus
from server.engine.call import Call
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveOffer, LivePresentationRule, LiveSpace


class _Past(NamedTuple):
    """What the rules look at in one proposition."""

    offer_hash: int
    category_hash: int
    channel_code: int
    status: PropositionStatus
    event_time_ms: int


class Presented:
    """A contact's propositions, those of this call included as they are made."""

    def __init__(self, call: Call, conditions: Conditions) -> None:
        self._rules = call.environment.presentation_rules
        self._conditions = conditions
        self._at_ms = call.at_ms
        self._past: list[_Past] = []
        if self._rules:
            self._past = [
                _Past(p.offer, p.category, p.channel, p.status, p.event_time_ms)
                for p in call.history
            ]
        #: (rule number, channel counted or None for all) -> counts, by `_key`.
        self._counts: dict[tuple[int, int | None], Counter[int]] = {}

    def excludes(self, offer: LiveOffer, space: LiveSpace) -> bool:
        """Whether a rule keeps the offer from being proposed in the space."""
        if not self._rules:
            return False
        return any(
            self._applies(rule, offer, space)
            and self._count(rule, offer, space) >= rule.maximum
            for rule in self._rules
        )

    def add(self, offer: LiveOffer, space: LiveSpace) -> None:
        """Count an offer that this call proposes."""
        if not self._rules:
            return
        past = _Past(
            offer.offer_hash,
            offer.category_hash,
            space.channel_code,
            PropositionStatus.GENERATED,
            self._at_ms,
        )
        self._past.append(past)
        for (number, channel_code), counts in self._counts.items():
            rule = self._rules[number]
            if self._counts_for(rule, channel_code, past):
                counts[_key(rule, past)] += 1

    def _applies(
        self, rule: LivePresentationRule, offer: LiveOffer, space: LiveSpace
    ) -> bool:
        return (
            rule.channel_code in (None, space.channel_code)
            and bool(rule.offers >> offer.number & 1)
            and (rule.rule is None or self._conditions.holds(rule.rule))
        )

    def _count(
        self, rule: LivePresentationRule, offer: LiveOffer, space: LiveSpace
    ) -> int:
        channel_code = space.channel_code if rule.same_channel else None
        counts = self._counts.get((rule.number, channel_code))
        if counts is None:
            counts = Counter(
                _key(rule, past)
                for past in self._past
                if self._counts_for(rule, channel_code, past)
            )
            self._counts[rule.number, channel_code] = counts
        return counts[_key(rule, offer)]

    def _counts_for(
        self, rule: LivePresentationRule, channel_code: int | None, past: _Past
    ) -> bool:
        return (
            abs(past.event_time_ms - self._at_ms) <= rule.period_ms
            and (channel_code is None or past.channel_code == channel_code)
            and (rule.counted_statuses is None or past.status in rule.counted_statuses)
            and (
                rule.counted is not Counted.SCOPE
                or past.offer_hash in rule.scope_hashes
            )
        )


def _key(rule: LivePresentationRule, of: _Past | LiveOffer) -> int:
    """What a rule tells apart: offers, categories, or nothing."""
    if rule.counted is Counted.THIS_OFFER:
        return of.offer_hash
    if rule.counted is Counted.SAME_CATEGORY:
        return of.category_hash
    return 0

"""What the contact was proposed before, counted against what could be proposed now.

A rule applies to a candidate when the rule's channel is the space's (or it has none),
the contact is one it concerns, and the offer is in its scope. It then counts the
contact's propositions whose moment lies in `[t - period, t + period]`, and excludes the
candidate at `count >= maximum`. Propositions made earlier in the same call count too.

A rule with a rest looks at the same propositions in the order of their moments: each
time the maximum is full the offers rest, and what falls into a rest is not counted.
"""

from collections.abc import Set
from math import isfinite
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.records import Proposition
from server.engine.arbitration import Scored
from server.engine.call import Call
from server.engine.counted_offers import LeftOut
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveOffer, LivePresentationRule, LiveSpace
from server.engine.tallies import Tallies, Tally, counter_of


class Exclusion(NamedTuple):
    """A presentation rule that keeps an offer from being proposed in a space."""

    rule: LivePresentationRule
    #: Propositions counted; with a rest, those since the last one.
    counted: int
    #: The first moment at which it would no longer exclude, if nothing else were
    #: proposed meanwhile; None is never.
    frees_at_ms: int | None


class Presented:
    """A contact's propositions, those of this call included as they are made."""

    def __init__(self, call: Call, conditions: Conditions) -> None:
        self._counted_offers = call.environment.counted_offers
        self._conditions = conditions
        self._at_ms = call.at_ms
        self._tallies = Tallies(call, conditions)

    def excludes(self, offer: LiveOffer, space: LiveSpace) -> bool:
        """Whether a rule keeps the offer from being proposed in the space.

        The conditions must have entered it.
        """
        # PERF: most rules are plain, and two looks into one set answer for all of them.
        full = self._tallies.plainly_full
        if full and (offer.offer_hash in full or offer.category_hash in full):
            return True
        for tally in self._tallies.not_plain(space):
            # Mostly nothing is full, and nothing else need be looked at then.
            if tally.full:
                counter = _full_counter(tally, offer)
                if counter is not None and self._excludes_by(tally, counter):
                    return True
        return False

    @property
    def plainly_full(self) -> Set[int]:
        """Offers and categories, by their hashes, that are excluded anywhere.

        It grows with what is added; others may be excluded as well.
        """
        return self._tallies.plainly_full

    def left_out(self, space: LiveSpace) -> LeftOut:
        """Offers that rules keep from being proposed in the space.

        Of those that are excluded for themselves, and not for their category or the
        scope of a rule, only some. The conditions must have entered the space.
        """
        of_category = self._counted_offers.of_category
        offers = rows = 0
        for full in self._tallies.plainly_full:
            left_out = of_category(full)
            if left_out is not None:
                offers |= left_out.offers
                rows |= left_out.rows
        for tally in self._tallies.not_plain(space):
            for counter in tally.full:
                if self._excludes_by(tally, counter):
                    left_out = self._counted_offers.of(tally.rule, counter)
                    offers |= left_out.offers
                    rows |= left_out.rows
        return LeftOut(offers, rows)

    def exclusions(self, offer: LiveOffer, space: LiveSpace) -> tuple[Exclusion, ...]:
        """All the rules that do, for whoever asks why."""
        found: list[Exclusion] = []
        for tally in self._tallies.of(space):
            counter = _full_counter(tally, offer)
            if counter is not None and self._excludes_by(tally, counter):
                moments = self._tallies.moments(tally, counter)
                found.append(_exclusion(tally.rule, sorted(moments), self._at_ms))
        return tuple(found)

    def add(self, call: Call, chosen: Scored, space: LiveSpace, rank: int) -> None:
        """Count an offer that this call proposes."""
        self._tallies.add(proposed_now(call, chosen, space, rank))

    def _excludes_by(self, tally: Tally, counter: int) -> bool:
        """Whether a rule excludes by a full counter now."""
        rule = tally.rule
        if rule.rest_ms is not None:
            moments = self._tallies.moments(tally, counter)
            if self._at_ms >= _rests_until(rule, moments):
                return False
        return rule.rule is None or self._conditions.holds(rule.rule)


def proposed_now(
    call: Call, chosen: Scored, space: LiveSpace, rank: int
) -> Proposition:
    """As the history will keep it."""
    return Proposition(
        interaction=call.seed,
        offer=chosen.offer.offer_hash,
        category=chosen.offer.category_hash,
        space=space.space_hash,
        channel=space.channel_code,
        weight=chosen.weight,
        rank=rank,
        status=space.proposition_status,
        event_time_ms=UnixMs(call.at_ms),
        decided_at_ms=UnixMs(call.at_ms),
    )


def _full_counter(tally: Tally, offer: LiveOffer) -> int | None:
    """The one that an offer is counted under, if it is full."""
    rule = tally.rule
    counter = counter_of(rule, offer.offer_hash, offer.category_hash)
    if counter not in tally.full or not rule.offers >> offer.number & 1:
        return None
    return counter


def _exclusion(rule: LivePresentationRule, moments: list[int], at_ms: int) -> Exclusion:
    """`moments` are sorted."""
    if rule.rest_ms is not None:
        return Exclusion(rule, rule.maximum, _rests_until(rule, moments))
    # Free once so many of the oldest have left the period that one more fits.
    leaves_ms = moments[len(moments) - rule.maximum] + rule.period_ms + 1
    frees_at_ms = int(leaves_ms) if isfinite(leaves_ms) else None
    return Exclusion(rule, len(moments), frees_at_ms)


def _rests_until(rule: LivePresentationRule, moments: list[int]) -> int:
    """The end of the last rest; long ago when there was none."""
    assert rule.rest_ms is not None
    until: int | None = None
    counted = 0
    for moment in sorted(moments):
        if until is not None and moment < until:
            continue
        counted += 1
        if counted == rule.maximum:
            until, counted = moment + rule.rest_ms, 0
    return 0 if until is None else until

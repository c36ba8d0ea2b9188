"""What the contact was proposed before, counted against what could be proposed now.

A rule applies to a candidate when the rule's channel is the space's (or it has none),
the contact is one it concerns, and the offer is in its scope. It then counts the
contact's propositions whose moment lies in `[t - period, t + period]`, and excludes the
candidate at `count >= maximum`. Propositions made earlier in the same call count too.

A rule with a rest looks at the same propositions in the order of their moments: each
time the maximum is full the offers rest, and what falls into a rest is not counted.
"""

from collections.abc import Iterator, Sequence
from math import inf, isfinite
from typing import NamedTuple

from catalog_store.counting import Counted
from contact_store.records import Proposition, PropositionStatus
from contact_store.status_changes import status_since
from server.engine.call import Call
from server.engine.eligibility import Conditions
from server.engine.live_offers import LiveOffer, LivePresentationRule, LiveSpace

# PERF: looking a member up in its class takes 60 ns, and there are many a decision.
_THIS_OFFER, _SAME_CATEGORY = Counted.THIS_OFFER, Counted.SAME_CATEGORY
_ALL_OFFERS = Counted.ALL_OFFERS


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
        self._rules = call.environment.presentation_rules
        self._conditions = conditions
        self._at_ms = call.at_ms
        self._past: list[_Past] = []
        if self._rules:
            self._past = [_past(p) for p in call.history]
        #: Of those, the last that no tally has counted.
        self._uncounted: list[_Past] = []
        #: What rules counted, by what else the counting depends on.
        self._tallies: dict[_Counting, _Tally] = {}
        #: Those of the rules that may exclude in a space, of each that was asked about.
        self._of_space: dict[str, list[_Tally]] = {}

    def excludes(self, offer: LiveOffer, space: LiveSpace) -> bool:
        """Whether a rule keeps the offer from being proposed in the space.

        The conditions must have entered it.
        """
        if not self._rules:
            return False
        for tally in self._tallies_of(space):
            # PERF: mostly nothing is full, and nothing else need be looked at then.
            if tally.full and self._moments_against(offer, tally):
                return True
        return False

    def excluded_like(self, offer: LiveOffer, space: LiveSpace) -> int:
        """The offers that are excluded with it if they are of the same category."""
        offers = 0
        for tally in self._tallies_of(space):
            rule = tally.rule
            if rule.counted is _SAME_CATEGORY and self._moments_against(offer, tally):
                offers |= rule.offers
        return offers

    def exclusions(self, offer: LiveOffer, space: LiveSpace) -> tuple[Exclusion, ...]:
        """All the rules that do, for whoever asks why."""
        return tuple(
            _exclusion(rule, sorted(moments), self._at_ms)
            for rule, moments in self._excluding(offer, space)
        )

    def add(self, offer: LiveOffer, space: LiveSpace, weight: float, rank: int) -> None:
        """Count an offer that this call proposes."""
        if not self._rules:
            return
        past = _Past(
            offer.offer_hash,
            offer.category_hash,
            space.space_hash,
            space.channel_code,
            space.proposition_status,
            weight,
            rank,
            self._at_ms,
            self._at_ms,
        )
        self._past.append(past)
        # PERF: mostly nothing is asked after the last one.
        self._uncounted.append(past)

    def _excluding(
        self, offer: LiveOffer, space: LiveSpace
    ) -> Iterator[tuple[LivePresentationRule, list[int]]]:
        """The rules that exclude an offer, and the moments that they count."""
        for tally in self._tallies_of(space):
            moments = self._moments_against(offer, tally)
            if moments:
                yield tally.rule, moments

    def _moments_against(self, offer: LiveOffer, tally: "_Tally") -> list[int] | None:
        """What a rule counted that excludes the offer; None when it does not."""
        rule = tally.rule
        counter = _counter(rule, offer.offer_hash, offer.category_hash)
        if counter not in tally.full or not rule.offers >> offer.number & 1:
            return None
        moments = tally.moments[counter]
        if rule.rest_ms is not None and self._at_ms >= _rests_until(rule, moments):
            return None
        if rule.rule is not None and not self._conditions.holds(rule.rule):
            return None
        return moments

    def _tallies_of(self, space: LiveSpace) -> list["_Tally"]:
        """What the rules of the space's channel count there."""
        if self._uncounted:
            self._count_new()
        tallies = self._of_space.get(space.name)
        if tallies is None:
            tallies = self._of_space[space.name] = [
                self._tally(rule, space)
                for rule in self._rules
                if rule.channel_code is None or rule.channel_code == space.channel_code
            ]
        return tallies

    def _count_new(self) -> None:
        new, self._uncounted = self._uncounted, []
        for counting, tally in list(self._tallies.items()):
            if counting.space:
                # What another space counts is asked there.
                del self._tallies[counting]
                self._of_space.clear()
            else:
                self._count(tally, new)

    def _tally(self, rule: LivePresentationRule, space: LiveSpace) -> "_Tally":
        asks_space = rule.counted_rule is not None and self._conditions.reads_space(
            rule.counted_rule
        )
        counting = _Counting(
            rule.number,
            space.channel_code if rule.same_channel else None,
            space.name if asks_space else "",
        )
        tally = self._tallies.get(counting)
        if tally is None:
            tally = self._tallies[counting] = _Tally(rule, counting.channel, {}, set())
            if self._past:
                self._count(tally, self._past)
        return tally

    def _count(self, tally: "_Tally", pasts: Sequence["_Past"]) -> None:
        """Add the moments of those that a rule counts, by their counters."""
        rule, channel, counted, full = tally
        first_ms, last_ms = self._at_ms - rule.period_ms, self._at_ms + rule.period_ms
        from_status = rule.from_status
        statuses, counted_rule = rule.counted_statuses, rule.counted_rule
        # PERF: one loop, and `_counter` by `is`: 10 rules over 20 propositions take
        # 220 us a decision; a call for each and a `match` took 252 (`bench.matching`).
        for past in pasts:
            moment = past.status_since_ms if from_status else past.event_time_ms
            if (
                first_ms <= moment <= last_ms
                and (channel is None or past.channel == channel)
                and (statuses is None or past.status in statuses)
                and (counter := _counter(rule, past.offer, past.category)) is not None
                and (
                    counted_rule is None
                    or self._conditions.holds_of(counted_rule, past)
                )
            ):
                moments = counted.setdefault(counter, [])
                moments.append(moment)
                if len(moments) >= rule.maximum:
                    full.add(counter)


class _Tally(NamedTuple):
    """What a rule counted."""

    rule: LivePresentationRule
    #: The channel counted; None is all.
    channel: int | None
    #: Counter -> moments of the propositions.
    moments: dict[int, list[int]]
    #: The counters that have reached the maximum.
    full: set[int]


class _Counting(NamedTuple):
    """What a rule's counts depend on."""

    #: Its number.
    rule: int
    #: The channel counted; None is all.
    channel: int | None
    #: The space, if the rule's condition on propositions asks for it.
    space: str


class _Past(NamedTuple):
    """What the rules look at in one proposition; see `contact_store.records`."""

    offer: int
    category: int
    space: int
    channel: int
    status: PropositionStatus
    weight: float
    rank: int
    event_time_ms: int
    status_since_ms: int


def _past(proposition: Proposition) -> _Past:
    return _Past(
        proposition.offer,
        proposition.category,
        proposition.space,
        proposition.channel,
        proposition.status,
        proposition.weight,
        proposition.rank,
        proposition.event_time_ms,
        status_since(proposition),
    )


def _counter(rule: LivePresentationRule, offer: int, category: int) -> int | None:
    """What a rule counts a proposition or a candidate under; None if under nothing."""
    counted = rule.counted
    if counted is _THIS_OFFER:
        return offer
    if counted is _SAME_CATEGORY:
        return category
    if counted is _ALL_OFFERS:
        return 0
    return rule.counter_of.get(offer)


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
    until: float = -inf
    counted = 0
    for moment in sorted(moments):
        if moment < until:
            continue
        counted += 1
        if counted == rule.maximum:
            until, counted = moment + rule.rest_ms, 0
    return int(until) if isfinite(until) else 0

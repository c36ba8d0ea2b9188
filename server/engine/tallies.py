"""What presentation rules count of a contact's propositions.

Rules that look at the same propositions under the same counters share the count; each
has its own period and maximum.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from catalog_store.counting import Counted
from contact_store.records import Proposition
from contact_store.status_changes import status_since
from server.engine.call import Call
from server.engine.eligibility import Conditions
from server.engine.live_offers import LivePresentationRule, LiveSpace

# PERF: looking a member up in its class takes 60 ns, and there are many a decision.
_THIS_OFFER, _SAME_CATEGORY = Counted.THIS_OFFER, Counted.SAME_CATEGORY
_ALL_OFFERS = Counted.ALL_OFFERS


class Tally(NamedTuple):
    """What a rule counted."""

    rule: LivePresentationRule
    #: Counter -> moments of the propositions, also outside of the rule's period.
    moments: Mapping[int, list[int]]
    #: The counters that have reached the maximum.
    full: set[int]


class _Count:
    """What is counted by the rules that count alike."""

    __slots__ = ("asks_space", "channel", "moments", "rule", "tallies")

    def __init__(
        self, rule: LivePresentationRule, channel: int | None, asks_space: bool
    ) -> None:
        #: One of them.
        self.rule = rule
        #: The channel counted; None is all.
        self.channel = channel
        #: Whether another space may count otherwise.
        self.asks_space = asks_space
        self.moments: dict[int, list[int]] = {}
        self.tallies: list[Tally] = []


#: What counts depend on: the rule by `counts_like`; the channel counted, None is all;
#: the space, if the rule's condition on propositions asks for it.
#: PERF: a plain tuple: five rules need as many, and a NamedTuple takes 0.4 us.
_Counting = tuple[int, int | None, str]

_NONE: list[Tally] = []


class Tallies:
    """A contact's propositions as the rules count them, those of one call included."""

    def __init__(self, call: Call, conditions: Conditions) -> None:
        self._rules = call.environment.presentation_rules
        self._conditions = conditions
        self._at_ms = call.at_ms
        self._plain = call.environment.plain_counts
        self._past: list[Proposition] = [*call.history]
        #: Of those, the last that are in no count.
        self._uncounted: list[Proposition] = []
        self._is_all_plain = sum(len(p.limits) for p in self._plain) == len(self._rules)
        self._counts: dict[_Counting, _Count] = {}
        #: Those of the rules that may exclude in a space, of each that was asked about.
        self._of_space: dict[str, list[Tally]] = {}
        #: The same of those that are not plain.
        self._more_of_space: dict[str, list[Tally]] = {}
        #: What plain rules count: of each of `plain_counts`, by counters.
        self._plain_moments: list[dict[int, list[int]]] = [{} for _ in self._plain]
        self._plainly_full: set[int] = set()
        if self._past:
            self._count_plain(self._past)

    def of(self, space: LiveSpace) -> list[Tally]:
        """What the rules of the space's channel count there.

        The conditions must have entered the space.
        """
        if not self._past:
            return _NONE
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

    def not_plain(self, space: LiveSpace) -> list[Tally]:
        """Of the same those whose rules are not plain."""
        if self._is_all_plain or not self._past:
            return _NONE
        tallies = self.of(space)
        more = self._more_of_space.get(space.name)
        if more is None:
            more = [tally for tally in tallies if not tally.rule.is_plain]
            self._more_of_space[space.name] = more
        return more

    @property
    def plainly_full(self) -> Set[int]:
        """Offers and categories, by their hashes, that plain rules exclude anywhere.

        To be kept: it grows with what is added.
        """
        return self._plainly_full

    def add(self, proposition: Proposition) -> None:
        """Count one that this call makes."""
        self._past.append(proposition)
        self._uncounted.append(proposition)
        self._count_plain((proposition,))

    def moments(self, tally: Tally, counter: int) -> list[int]:
        """Those in the rule's period, in any order."""
        period_ms = tally.rule.period_ms
        first_ms, last_ms = self._at_ms - period_ms, self._at_ms + period_ms
        return [m for m in tally.moments[counter] if first_ms <= m <= last_ms]

    def _count_plain(self, pasts: Sequence[Proposition]) -> None:
        """See what plain rules exclude.

        PERF: without tallies, which are for who asks why: a tenth of a decision for a
        contact without a past, and a fifth with them (py-spy).
        """
        full = self._plainly_full
        for plain, counts in zip(self._plain, self._plain_moments, strict=True):
            by_offer, statuses, from_status, least, limits = plain
            for past in pasts:
                if statuses is not None and past.status not in statuses:
                    continue
                counter = past.offer if by_offer else past.category
                moment = status_since(past) if from_status else past.event_time_ms
                moments = counts.get(counter)
                if moments is None:
                    moments = counts[counter] = [moment]
                else:
                    moments.append(moment)
                if len(moments) >= least and counter not in full:
                    for maximum, period_ms in limits:
                        if self._reaches(moments, maximum, period_ms):
                            full.add(counter)
                            break

    def _reaches(self, moments: list[int], maximum: int, period_ms: float) -> bool:
        """Whether so many are in a period."""
        if len(moments) < maximum:
            return False
        first_ms, last_ms = self._at_ms - period_ms, self._at_ms + period_ms
        left = maximum
        for moment in moments:
            if first_ms <= moment <= last_ms:
                left -= 1
                if not left:
                    return True
        return False

    def _count_new(self) -> None:
        new, self._uncounted = self._uncounted, []
        if any(count.asks_space for count in self._counts.values()):
            # What another space counts is asked there.
            self._counts = {k: c for k, c in self._counts.items() if not c.asks_space}
            self._of_space.clear()
            self._more_of_space.clear()
        for count in self._counts.values():
            self._add(count, new)
            for past in new:
                counter = counter_of(count.rule, past.offer, past.category)
                if counter in count.moments:
                    for tally in count.tallies:
                        self._fill(tally, (counter,))

    def _tally(self, rule: LivePresentationRule, space: LiveSpace) -> Tally:
        asks_space = rule.counted_rule is not None and self._conditions.reads_space(
            rule.counted_rule
        )
        channel = space.channel_code if rule.same_channel else None
        counting = rule.counts_like, channel, space.name if asks_space else ""
        count = self._counts.get(counting)
        if count is None:
            count = self._counts[counting] = _Count(rule, channel, asks_space)
            self._add(count, self._past)
        for tally in count.tallies:
            if tally.rule is rule:
                return tally
        tally = Tally(rule, count.moments, set())
        count.tallies.append(tally)
        self._fill(tally, count.moments)
        return tally

    def _add(self, count: _Count, pasts: Sequence[Proposition]) -> None:
        """Add the moments of those that are counted, by their counters."""
        rule, channel, counts = count.rule, count.channel, count.moments
        statuses, counted_rule = rule.counted_statuses, rule.counted_rule
        if channel is not None or statuses is not None or counted_rule is not None:
            pasts = [
                past
                for past in pasts
                if (channel is None or past.channel == channel)
                and (statuses is None or past.status in statuses)
                and (
                    counted_rule is None
                    or self._conditions.holds_of(counted_rule, past)
                )
            ]
        for counter, past in zip(_counters(rule, pasts), pasts, strict=True):
            if counter is not None:
                moment = status_since(past) if rule.from_status else past.event_time_ms
                counts.setdefault(counter, []).append(moment)

    def _fill(self, tally: Tally, counters: Iterable[int]) -> None:
        """See which counters have reached the maximum."""
        rule, counts, full = tally
        for counter in counters:
            if counter not in full and self._reaches(
                counts[counter], rule.maximum, rule.period_ms
            ):
                full.add(counter)


def counter_of(rule: LivePresentationRule, offer: int, category: int) -> int | None:
    """What a rule counts a proposition or a candidate under; None if under nothing.

    Both are hashes, as history knows them.
    """
    counted = rule.counted
    if counted is _THIS_OFFER:
        return offer
    if counted is _SAME_CATEGORY:
        return category
    if counted is _ALL_OFFERS:
        return 0
    return rule.counter_of.get(offer)


def _counters(
    rule: LivePresentationRule, pasts: Sequence[Proposition]
) -> Sequence[int | None]:
    """The same of many."""
    counted = rule.counted
    if counted is _THIS_OFFER:
        return [past.offer for past in pasts]
    if counted is _SAME_CATEGORY:
        return [past.category for past in pasts]
    if counted is _ALL_OFFERS:
        return [0] * len(pasts)
    return [rule.counter_of.get(past.offer) for past in pasts]

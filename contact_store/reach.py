"""How far back a decision looks into a contact's history, and what that reaches.

    Look     propositions of some statuses, within a period
    Reach    all the looks of one decision, and its moment

A part of the history is reached if one look could count the newest moment in it with
one of the statuses in it. What a look does not reach it cannot count; what it reaches
it need not count: the engine decides about each proposition.
"""

from collections.abc import Iterable
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.records import ColdPart, Proposition, PropositionStatus
from contact_store.status_changes import status_since

#: Every status, a bit each.
ALL_STATUSES = sum(1 << status for status in PropositionStatus)


class Look(NamedTuple):
    """Propositions that one rule may count."""

    #: How far back from the call; infinite for ever.
    period_ms: float
    #: A bit each.
    statuses: int = ALL_STATUSES


class Reach(NamedTuple):
    """What one decision must see of a contact's propositions."""

    looks: tuple[Look, ...]
    #: When the contact sees the offers.
    at_ms: UnixMs
    #: So many of the newest, by event time, whatever the looks say.
    newest: int = 0

    def includes(self, newest_ms: UnixMs, statuses: int) -> bool:
        """Whether a look may count propositions, by newest moment and statuses."""
        for look in self.looks:
            if self.at_ms - look.period_ms <= newest_ms and look.statuses & statuses:
                return True
        return False

    def counted(self, propositions: Iterable[Proposition]) -> int:
        """How many of some propositions a look may count."""
        return sum(
            self.includes(latest_moment(one), 1 << one.status) for one in propositions
        )


def latest_moment(proposition: Proposition) -> UnixMs:
    """The later one of the two moments that rules count by."""
    # A proposition without answers has the status that it was made with.
    if not proposition.changes:
        return proposition.event_time_ms
    return max(proposition.event_time_ms, status_since(proposition))


def summary(
    number: int, last_sequence: int, propositions: Iterable[Proposition]
) -> ColdPart:
    """What a record says of a part that holds these; there is at least one."""
    count, statuses, newest_ms = 0, 0, UnixMs(0)
    for one in propositions:
        count += 1
        statuses |= 1 << one.status
        newest_ms = max(newest_ms, latest_moment(one))
    return ColdPart(number, last_sequence, count, newest_ms, statuses)


def needed_looks(looks: Iterable[Look]) -> tuple[Look, ...]:
    """Those that reach anything that no other one reaches."""
    needed: list[Look] = []
    for look in sorted(looks, key=lambda one: one.period_ms, reverse=True):
        if all(look.statuses & ~longer.statuses for longer in needed):
            needed.append(look)
    return tuple(needed)

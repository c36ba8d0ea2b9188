"""What is kept of a contact's propositions, and for how long.

    last change              a rule may still count it    what purging does
    -----------------------  ---------------------------  --------------------------
    within the retention     either                       nothing
    before it                yes                          leaves a mark
    before it                no                           removes it
    (a mark)                 no                           removes it

The last change is the decision or the last update, whichever was stored later. A mark
is a proposition without what only its caller knew: id, interaction, log and stored
values. It has everything that presentation rules look at, its moments too, so that any
of them counts the same with the mark as with the proposition.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.records import (
    ContactRecord,
    Proposition,
    PropositionStatus,
    StatusChange,
    is_mark,
)
from contact_store.status_changes import status_since

DAY_MS = 86_400_000
RETENTION_DAYS = 400
#: What replay keeps of a decision is older than that at no time.
RETENTION_DAYS_MIN = 32
RETENTION_DAYS_MAX = 3_650

#: A call may be decided for a moment that is as long ago.
LATENESS_MS = 300_000


class Counting(NamedTuple):
    """Which propositions one rule may count, from now on."""

    #: How far back from the call; infinite for ever.
    period_ms: float
    #: None counts every status.
    statuses: frozenset[PropositionStatus] | None = None
    #: Hashes of names; None counts every offer, or every category.
    offers: frozenset[int] | None = None
    categories: frozenset[int] | None = None
    #: Whether the moment that counts is that of the status, not of the proposition.
    from_status: bool = False

    def counts(self, proposition: Proposition, now_ms: UnixMs) -> bool:
        moment = (
            status_since(proposition) if self.from_status else proposition.event_time_ms
        )
        return (
            (self.statuses is None or proposition.status in self.statuses)
            and (self.offers is None or proposition.offer in self.offers)
            and (self.categories is None or proposition.category in self.categories)
            and moment + self.period_ms >= now_ms - LATENESS_MS
        )


class Retention(NamedTuple):
    """What is purged at one moment."""

    now_ms: UnixMs
    #: Propositions that last changed longer ago are purged.
    period_ms: int
    #: Of all the rules in force.
    countings: Sequence[Counting]

    def left_of(self, record: ContactRecord) -> ContactRecord | None:
        """The record after purging what stands in it; None when that is nothing."""
        left = self.left(record.propositions)
        if left is None:
            return None
        return replace(record, version=record.version + 1, propositions=left)

    def left(
        self, propositions: tuple[Proposition, ...]
    ) -> tuple[Proposition, ...] | None:
        """Propositions after purging, marks first; None when nothing is purged."""
        if all(map(self._stays, propositions)):
            return None
        kept = [p for p in propositions if self._stays(p)]
        marks = [
            mark_of(p)
            for p in propositions
            if not self._stays(p) and not is_mark(p) and self._is_counted(p)
        ]
        old_marks, others = _apart(kept)
        return (*old_marks, *marks, *others)

    def _stays(self, proposition: Proposition) -> bool:
        if is_mark(proposition):
            return self._is_counted(proposition)
        return last_change_ms(proposition) >= self.now_ms - self.period_ms

    def _is_counted(self, proposition: Proposition) -> bool:
        return any(one.counts(proposition, self.now_ms) for one in self.countings)


def last_change_ms(proposition: Proposition) -> UnixMs:
    """When a proposition was made or last updated, by the server's clock."""
    times = [change.received_at_ms for change in proposition.changes]
    return (
        max(proposition.decided_at_ms, *times) if times else proposition.decided_at_ms
    )


def mark_of(proposition: Proposition) -> Proposition:
    """What is left of a proposition that rules may still count."""
    since = status_since(proposition)
    changes: tuple[StatusChange, ...] = ()
    if since != proposition.event_time_ms:
        # The shortest log that says since when the status is what it is.
        status = proposition.status
        changes = (StatusChange(status, None, UnixMs(0)),)
        changes += (StatusChange(status, since, UnixMs(0)),)
    return replace(
        proposition,
        sequence=0,
        interaction=0,
        decided_at_ms=UnixMs(0),
        changes=changes,
        stored={},
    )


def _apart(
    propositions: Iterable[Proposition],
) -> tuple[list[Proposition], list[Proposition]]:
    """Marks, and the others."""
    marks: list[Proposition] = []
    others: list[Proposition] = []
    for proposition in propositions:
        (marks if is_mark(proposition) else others).append(proposition)
    return marks, others

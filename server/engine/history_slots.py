"""A contact's propositions as rules read them: names instead of stored numbers."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from compiler.runtime.history import HISTORY_MAX, History
from contact_store.records import Proposition, PropositionStatus

#: Statuses as rules compare them.
_STATUS_NAMES = {status: status.name.lower() for status in PropositionStatus}


class KnownNames(NamedTuple):
    """What the live catalog calls the things that history keeps numbers of.

    What the catalog no longer has is in neither mapping, and its name is empty.
    """

    #: Offers, categories and spaces by `contact_store.names`' hash. A function, because
    #: most catalogs never need it.
    of_hash: Callable[[], Mapping[int, str]]
    #: By `contact_store.channels`' code.
    of_channel: Mapping[int, str]


def history_slots(propositions: Sequence[Proposition], names: KnownNames) -> History:
    """The newest HISTORY_MAX propositions, newest first by event time.

    Those of one moment stand in the order in which they were made, last first.

    PERF: 0.4 us a proposition, so that a call pays for it only when a rule that reads
    the history is evaluated (CPython 3.11, two busy cores).
    """
    if not propositions:
        return ()
    newest = sorted(
        propositions, key=lambda p: (p.event_time_ms, p.sequence), reverse=True
    )
    return past_slots(newest[:HISTORY_MAX], names)


class Past(Protocol):
    """What rules read of a proposition, stored or about to be."""

    @property
    def offer(self) -> int: ...
    @property
    def category(self) -> int: ...
    @property
    def space(self) -> int: ...
    @property
    def channel(self) -> int: ...
    @property
    def status(self) -> PropositionStatus: ...
    @property
    def weight(self) -> float: ...
    @property
    def rank(self) -> int: ...
    @property
    def event_time_ms(self) -> int: ...


def past_slots(propositions: Sequence[Past], names: KnownNames) -> History:
    """Each of some propositions, in their order."""
    of_hash, of_channel = names.of_hash(), names.of_channel
    return tuple(
        [
            (
                of_hash.get(past.offer, ""),
                of_hash.get(past.category, ""),
                of_hash.get(past.space, ""),
                of_channel.get(past.channel, ""),
                _STATUS_NAMES[past.status],
                past.weight,
                past.rank,
                past.event_time_ms * 1_000,
            )
            for past in propositions
        ]
    )

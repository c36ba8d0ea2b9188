"""What history keeps: propositions, their changes of status, and a contact's record."""

from enum import IntEnum
from typing import NamedTuple

import msgspec

from catalog_store.records import UnixMs

#: Propositions in one contact's record; appending beyond it raises HistoryFull.
PROPOSITIONS_MAX = 4_096
#: Entries in one proposition's log; updating beyond it raises StatusLogFull.
STATUS_CHANGES_MAX = 256


class PropositionStatus(IntEnum):
    """What became of a proposition; numbered as in the contract, and stored so."""

    UNSPECIFIED = 0
    PRESENTED = 1
    INTERESTED = 2
    ACCEPTED = 3
    SCHEDULED = 4
    REJECTED = 5
    GENERATED = 6


class StatusChange(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One entry of a proposition's log."""

    status: PropositionStatus
    #: When it happened, if the caller said so.
    event_time_ms: UnixMs | None
    #: When it was stored.
    received_at_ms: UnixMs


class Proposition(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """The fact that an offer was proposed to a contact in a space.

    Stored as an array in this order: add at the end, with a default.
    """

    #: Counts the contact's propositions from 1; given by the store.
    sequence: int = 0
    #: Shared by all propositions of one call; unsigned 64 bits.
    interaction: int
    #: `name_hash` of the resource names.
    offer: int
    category: int
    space: int
    #: See `contact_store.channels`.
    channel: int
    #: At decision time, multipliers included.
    weight: float
    #: In its space, from 1.
    rank: int
    #: The one that counts now.
    status: PropositionStatus
    #: The contact's time, which presentation windows count by; updates leave it.
    event_time_ms: UnixMs
    decided_at_ms: UnixMs
    #: Empty until the first update. The first entry is then the status that the
    #: proposition was made with; the others are all updates, in order of arrival,
    #: those that changed nothing included.
    changes: tuple[StatusChange, ...] = ()


class ContactRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All that history holds of one contact."""

    #: Grows by one at each write; equal versions are equal records.
    version: int = 0
    next_sequence: int = 1
    #: Newest last.
    propositions: tuple[Proposition, ...] = ()


#: What a contact has before the first proposition.
EMPTY_RECORD = ContactRecord()


class StoredProposition(NamedTuple):
    """A proposition and the id that callers know it by."""

    proposition_id: str
    proposition: Proposition

"""What history keeps: propositions, their changes of status, and a contact's record."""

from enum import IntEnum
from typing import NamedTuple, TypeAlias

import msgspec

from catalog_store.records import UnixMs

#: Propositions stored of one contact; appending beyond it raises HistoryFull. So many
#: are moved by a merge, listed or erased at once, in some 2 MB.
PROPOSITIONS_MAX = 16_384
#: Propositions that one decision counts; with more of them inside the longest period of
#: its rules it is refused with HistoryFull, because counting fewer would be wrong.
COUNTED_MAX = 4_096
#: Propositions in one cold part. A record holds up to twice as many beside its parts.
PART_PROPOSITIONS = 64
#: Entries in one proposition's log; updating beyond it raises StatusLogFull.
STATUS_CHANGES_MAX = 256
#: What is stored with one proposition, names included and packed.
STORED_BYTES_MAX = 1_024

#: The result of an expression that a space stores; ints within 64 bits, no NaN.
StoredValue: TypeAlias = bool | int | float | str


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

    #: Counts the contact's propositions from 1; given by the store. 0 is a mark: see
    #: `is_mark`.
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
    #: Results of the space's stored expressions, by name. Empty is one byte.
    stored: dict[str, StoredValue] = {}


class ColdPart(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a record says of some of its older propositions, which stand elsewhere.

    It is what a decision must know to leave them there. Stored as an array in this
    order: add at the end, with a default.
    """

    #: Ascending within a record.
    number: int
    #: Propositions of sequences up to this one are in this part, or in one before.
    last_sequence: int
    #: Marks included.
    count: int
    #: The latest moment that a rule could count one of them by: of its event, or since
    #: when its status is what it is.
    newest_ms: UnixMs
    #: The statuses that they have, a bit each.
    statuses: int


class ContactRecord(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What history holds of one contact, or as much of it as was asked for.

    Stored as an array in this order: add at the end, with a default.
    """

    #: Grows at each write; equal versions of one contact are equal records, also
    #: when its id has come to lead to another record meanwhile.
    version: int = 0
    next_sequence: int = 1
    #: By sequence, ascending: newest last, but for those that came in a merge, which
    #: stand behind what was there, however old they are. Marks come first, in each
    #: part too.
    propositions: tuple[Proposition, ...] = ()
    #: Those that are not among `propositions`, in order.
    cold: tuple[ColdPart, ...] = ()

    @property
    def proposition_count(self) -> int:
        """Of all of them, marks included."""
        return len(self.propositions) + sum(part.count for part in self.cold)


def is_mark(proposition: Proposition) -> bool:
    """Whether a stored proposition is what purging left of one.

    Rules count it as before; nobody has its id, and whoever lists a contact's
    propositions leaves it out. See `contact_store.retention`.
    """
    return proposition.sequence == 0


#: What a contact has before the first proposition.
EMPTY_RECORD = ContactRecord()


class FoundProposition(NamedTuple):
    """A proposition, and the contact whose record it is in."""

    #: After a merge not the one that it was made in: its space tells that.
    environment: str
    contact_id: str
    proposition: Proposition


class StoredProposition(NamedTuple):
    """A proposition and the id that callers know it by."""

    proposition_id: str
    proposition: Proposition

"""Where a proposition is stored: among a record's newest, or in a cold part."""

from bisect import bisect_left
from operator import attrgetter
from typing import NamedTuple

from msgspec.structs import replace

from contact_store.cold_parts import Propositions
from contact_store.lmdb_env import Txn
from contact_store.record_tables import Located, RecordTables
from contact_store.records import ColdPart, ContactRecord, Proposition

_sequence_of = attrgetter("sequence")
_last_sequence_of = attrgetter("last_sequence")


class StoredPlace(NamedTuple):
    """A proposition, and what is written when it changes."""

    record_key: bytes
    record: ContactRecord
    #: None when it is among the record's own.
    part: ColdPart | None
    #: That it is one of.
    propositions: Propositions
    position: int

    @property
    def proposition(self) -> Proposition:
        return self.propositions[self.position]


def find_proposition(
    txn: Txn, tables: RecordTables, located: Located
) -> StoredPlace | None:
    """Where the sequence looked for is; None when there is none. Raises CorruptRecord.

    The list of parts says which one it is in: no other one is read.
    """
    key, record, sequence = located
    if record is None:
        return None
    part, propositions = None, record.propositions
    place = bisect_left(record.cold, sequence, key=_last_sequence_of)
    if place < len(record.cold):
        part = record.cold[place]
        propositions = tables.cold.read(txn, key, part)
    position = bisect_left(propositions, sequence, key=_sequence_of)
    if position == len(propositions) or propositions[position].sequence != sequence:
        return None
    return StoredPlace(key, record, part, propositions, position)


def put_proposition(
    txn: Txn, tables: RecordTables, place: StoredPlace, changed: Proposition
) -> None:
    """Write what became of the proposition there, as its record's next version."""
    key, record, part, propositions, position = place
    propositions = (*propositions[:position], changed, *propositions[position + 1 :])
    if part is None:
        record = replace(record, propositions=propositions)
    else:
        cold = tables.cold.rewritten(txn, key, record.cold, part, propositions)
        record = replace(record, cold=cold)
    tables.put(txn, key, replace(record, version=record.version + 1))

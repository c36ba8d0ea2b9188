"""What history knows of a contact, for those who list it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.bindings import Bindings
from contact_store.contact_ids import ContactName
from contact_store.environment_numbers import ENVIRONMENT_NUMBER_BYTES
from contact_store.id_keys import read_id_keys
from contact_store.lmdb_env import Txn
from contact_store.proposition_ids import PropositionPlace, encode_proposition_id
from contact_store.record_tables import ContactNames, RecordTables
from contact_store.records import Proposition, StoredProposition, is_mark

#: Picks those that are wanted, in the order wanted.
Choose = Callable[[Sequence[Proposition]], Sequence[Proposition]]


class BoundVisitor(NamedTuple):
    """A visitor who stands for the contact in an identified environment."""

    name: ContactName
    since_ms: UnixMs


class KnownContact(NamedTuple):
    """One consistent view of a contact."""

    names: ContactNames
    bindings: tuple[BoundVisitor, ...]
    proposition_count: int
    #: Those that were chosen.
    propositions: tuple[StoredProposition, ...]


def view_contact(
    txn: Txn,
    tables: RecordTables,
    bindings: Bindings,
    name: ContactName,
    choose: Choose,
) -> KnownContact | None:
    """None when no record was ever made for the contact; raises CorruptRecord."""
    lead = tables.find_key(txn, name.environment, name.contact_id.encode())
    if lead is None:
        return None
    key = tables.living_key(txn, lead)
    names = tables.names_of(txn, key)
    listed = [p for p in tables.propositions_at(txn, key) if not is_mark(p)]
    id_keys = read_id_keys(txn)
    return KnownContact(
        names,
        tuple(_bound(txn, bindings, visitor) for visitor in names.visitors),
        len(listed),
        tuple(
            StoredProposition(proposition_id_in(key, one.sequence, id_keys), one)
            for one in choose(listed)
        ),
    )


def proposition_id_in(
    record_key: bytes, sequence: int, id_keys: Mapping[int, bytes]
) -> str:
    """The id of a proposition of a record, made with the newest key."""
    place = PropositionPlace(
        int.from_bytes(record_key[:ENVIRONMENT_NUMBER_BYTES], "big"),
        int.from_bytes(record_key[ENVIRONMENT_NUMBER_BYTES:], "big"),
        sequence,
    )
    newest = max(id_keys)
    return encode_proposition_id(place, newest, id_keys[newest])


def _bound(txn: Txn, bindings: Bindings, visitor: ContactName) -> BoundVisitor:
    found = bindings.find(txn, visitor.environment, visitor.contact_id.encode())
    return BoundVisitor(visitor, UnixMs(0) if found is None else found.since_ms)

"""Where records are: what a contact's id leads to, and the record there.

    contacts       environment number, contact id      -> record key
    contact-ids    record key                          -> the id that it was made for
    records        record key                          -> record
    cold           record key, part's number           -> its older propositions

A record key is an environment's number and a contact's number there. A contact number
is never reused, so that an id of an erased contact's proposition can never lead to
another contact. An alias leads to the record of another contact, maybe of another
environment; see `contact_store.aliases` for records that moved.
"""

from typing import NamedTuple

import lmdb

from contact_store.aliases import Aliases, LeadingHere
from contact_store.cold_parts import ColdParts, Propositions
from contact_store.contact_ids import ContactName
from contact_store.environment_numbers import (
    ENVIRONMENT_NUMBER_BYTES,
    environment_name,
    find_environment,
    number_environment,
)
from contact_store.errors import CorruptRecord, UnknownProposition
from contact_store.lmdb_env import Txn
from contact_store.packing import pack_record, unpack_record
from contact_store.reach import Reach
from contact_store.records import PART_PROPOSITIONS, ContactRecord
from contact_store.sealed import seal, unseal

CONTACT_NUMBER_BYTES = 8
RECORD_KEY_BYTES = ENVIRONMENT_NUMBER_BYTES + CONTACT_NUMBER_BYTES
#: Merges in a row, each into a contact without aliases, that an old id is followed
#: through. They cannot lead in a circle; if they did, no writer would ever end.
MOVES_MAX = 10_000
_LAST = b"contact-number"


class Located(NamedTuple):
    """Where a record is now."""

    key: bytes
    #: As it is stored; None when the contact has a number and nothing else.
    record: ContactRecord | None
    #: What the sequence looked for is there.
    sequence: int


class ContactNames(NamedTuple):
    """All that leads to one record."""

    #: Whom it was made for.
    owner: ContactName
    #: Contacts who were merged into it, and visitors who lead to it.
    aliases: tuple[ContactName, ...]
    #: Visitors who are bound to one of these contacts, in identified environments.
    visitors: tuple[ContactName, ...]
    #: Records that moved here, and whose proposition ids lead here.
    moved: tuple[bytes, ...]


class RecordTables:
    """All tables of one store's records, used inside its transactions."""

    DATABASES = 3 + Aliases.DATABASES + ColdParts.DATABASES

    def __init__(
        self, lmdb_env: lmdb.Environment, part_propositions: int = PART_PROPOSITIONS
    ) -> None:
        self._contacts = lmdb_env.open_db(b"contacts")
        self._contact_ids = lmdb_env.open_db(b"contact-ids")
        self._records = lmdb_env.open_db(b"records")
        self.aliases = Aliases(lmdb_env)
        self.cold = ColdParts(lmdb_env, part_propositions)

    def read(
        self,
        txn: Txn,
        environment: str,
        contact: bytes,
        reach: Reach | None = None,
    ) -> ContactRecord | None:
        """What a contact's id leads to, as far as is asked; None when that is nothing.

        None reaches everything. Raises CorruptRecord, and HistoryFull as
        `ColdParts.within` does.
        """
        key = self.find_key(txn, environment, contact)
        if key is None:
            return None
        value = txn.get(key, db=self._records)
        # PERF: every decision reads here, and all but lagging aliases end here: 13.3 us
        # for a record of 21 propositions, 14.4 us by way of `locate`.
        if value is not None:
            record = unpack_record(key, value)
        else:
            key, record, _ = self.locate(txn, key)
        if record is None or not record.cold:
            return record
        return self.cold.within(txn, key, record, reach)

    def find(self, txn: Txn, environment: str, contact: bytes) -> Located | None:
        """The record that a contact's id leads to; None when it leads nowhere.

        Raises CorruptRecord.
        """
        key = self.find_key(txn, environment, contact)
        return None if key is None else self.locate(txn, key)

    def find_key(self, txn: Txn, environment: str, contact: bytes) -> bytes | None:
        """What a contact's id leads to, be it that the record there moved on."""
        environment_key = find_environment(txn, environment)
        if environment_key is None:
            return None
        contact_key = environment_key + contact
        value = txn.get(contact_key, db=self._contacts)
        return None if value is None else unseal(contact_key, value)

    def make_key(self, txn: Txn, environment: str, contact: bytes) -> bytes:
        """What a contact's id leads to; a new contact is given a number.

        Raises CorruptRecord, also when the id may be there with a flipped bit.
        """
        environment_key = number_environment(txn, environment)
        contact_key = environment_key + contact
        value = txn.get(contact_key, db=self._contacts)
        if value is not None:
            return unseal(contact_key, value)
        self._check_neighbours(txn, contact_key)
        last = txn.get(_LAST)
        number = 1 if last is None else int.from_bytes(unseal(_LAST, last), "big") + 1
        encoded = number.to_bytes(CONTACT_NUMBER_BYTES, "big")
        key = environment_key + encoded
        txn.put(contact_key, seal(contact_key, key), db=self._contacts)
        txn.put(key, seal(key, contact), db=self._contact_ids)
        txn.put(_LAST, seal(_LAST, encoded))
        return key

    def _check_neighbours(self, txn: Txn, contact_key: bytes) -> None:
        """Raise CorruptRecord when the entry before or behind a new one is damaged.

        One whose key has changed stays at its place, and whoever looks for it as it
        was comes to stand beside it: without this, its contact would get another
        record, and all its limits anew.

        PERF: 8 us among 20,000 contacts on two busy cores, once for each new one.
        """
        with txn.cursor(db=self._contacts) as cursor:
            found = cursor.set_range(contact_key)
            if found:
                unseal(cursor.key(), cursor.value())
            if cursor.prev() if found else cursor.last():
                unseal(cursor.key(), cursor.value())

    def lead(self, txn: Txn, name: ContactName, record_key: bytes) -> None:
        """Let a contact's id lead to a record from now on; raises as `make_key`."""
        contact_key = number_environment(txn, name.environment)
        contact_key += name.contact_id.encode()
        value = txn.get(contact_key, db=self._contacts)
        if value is not None:
            before = unseal(contact_key, value)
            if before == record_key:
                return
            self.aliases.remove_contact(txn, before, contact_key)
        else:
            self._check_neighbours(txn, contact_key)
        txn.put(contact_key, seal(contact_key, record_key), db=self._contacts)
        self.aliases.add_contact(txn, record_key, contact_key)

    def locate(self, txn: Txn, key: bytes, sequence: int = 0) -> Located:
        """The record under a key, or where it moved to.

        Raises CorruptRecord, and UnknownProposition when the record that was there
        never gave the sequence.
        """
        for _ in range(MOVES_MAX + 1):
            value = txn.get(key, db=self._records)
            if value is not None:
                return Located(key, unpack_record(key, value), sequence)
            move = self.aliases.find_move(txn, key)
            if move is None:
                return Located(key, None, sequence)
            if sequence >= move.next_sequence:
                raise UnknownProposition
            key, sequence = move.record_key, sequence + move.shift
        raise CorruptRecord(key, f"moved on over {MOVES_MAX} times")

    def living_key(self, txn: Txn, key: bytes) -> bytes:
        """Where the record under a key is now, be it damaged; raises CorruptRecord."""
        for _ in range(MOVES_MAX + 1):
            move = self.aliases.find_move(txn, key)
            if move is None:
                return key
            key = move.record_key
        raise CorruptRecord(key, f"moved on over {MOVES_MAX} times")

    def at(self, txn: Txn, record_key: bytes) -> ContactRecord | None:
        """The record under its own key, as it is stored; raises CorruptRecord."""
        value = txn.get(record_key, db=self._records)
        return None if value is None else unpack_record(record_key, value)

    def propositions_at(self, txn: Txn, record_key: bytes) -> Propositions:
        """All propositions of the record under its own key; raises CorruptRecord."""
        record = self.at(txn, record_key)
        if record is None:
            return ()
        return self.cold.within(txn, record_key, record, None).propositions

    def put(self, txn: Txn, record_key: bytes, record: ContactRecord) -> None:
        """Write a record as it is stored, after making parts of what is too much."""
        record = self.cold.with_room(txn, record_key, record)
        txn.put(record_key, pack_record(record_key, record), db=self._records)

    def delete(self, txn: Txn, record_key: bytes) -> None:
        """Remove a record and its parts."""
        txn.delete(record_key, db=self._records)
        self.cold.erase(txn, record_key)

    def erase(self, txn: Txn, record_key: bytes) -> LeadingHere:
        """Remove a record and all that leads to it; returns what did.

        Its number stays given: ids made with it lead nowhere for ever. Raises
        CorruptRecord.
        """
        leading = self.aliases.leading_to(txn, record_key)
        record_keys = (record_key, *leading.record_keys)
        for contact_key in (self._owner_key(txn, record_key), *leading.contacts):
            value = txn.get(contact_key, db=self._contacts)
            # One that leads elsewhere by now is somebody else's.
            if value is not None and unseal(contact_key, value) in record_keys:
                txn.delete(contact_key, db=self._contacts)
        for key in record_keys:
            self.delete(txn, key)
            txn.delete(key, db=self._contact_ids)
            self.aliases.erase(txn, key)
        return leading

    def name_of(self, txn: Txn, record_key: bytes) -> ContactName:
        """Whom a record was made for; raises CorruptRecord when that is lost."""
        return _name(txn, self._owner_key(txn, record_key))

    def names(self, txn: Txn, environment: str, contact: bytes) -> ContactNames | None:
        """All that leads where an id leads; None when that is nowhere.

        Raises CorruptRecord.
        """
        lead = self.find_key(txn, environment, contact)
        return None if lead is None else self.names_of(txn, self.living_key(txn, lead))

    def names_of(self, txn: Txn, record_key: bytes) -> ContactNames:
        """All that leads to a record; raises CorruptRecord."""
        contacts, visitors, moved = self.aliases.leading_to(txn, record_key)
        return ContactNames(
            self.name_of(txn, record_key),
            tuple(_name(txn, key) for key in contacts),
            tuple(_name(txn, key) for key in visitors),
            moved,
        )

    def _owner_key(self, txn: Txn, record_key: bytes) -> bytes:
        value = txn.get(record_key, db=self._contact_ids)
        if value is None:
            raise CorruptRecord(record_key, "missing contact id")
        contact = unseal(record_key, value)
        return record_key[:ENVIRONMENT_NUMBER_BYTES] + contact


def _name(txn: Txn, key: bytes) -> ContactName:
    environment = environment_name(txn, key[:ENVIRONMENT_NUMBER_BYTES])
    return ContactName(environment, key[ENVIRONMENT_NUMBER_BYTES:].decode())

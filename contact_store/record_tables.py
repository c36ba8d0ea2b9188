"""Where records are: a contact's number, and the record under that number.

    contacts    environment number, contact id      -> contact number
    records     environment number, contact number  -> record

A contact number is never reused, so that an id of an erased contact's proposition
can never lead to another contact.
"""

import lmdb

from contact_store.environment_numbers import find_environment, number_environment
from contact_store.lmdb_env import Txn
from contact_store.packing import pack_record, unpack_record
from contact_store.records import ContactRecord
from contact_store.sealed import seal, unseal

CONTACT_NUMBER_BYTES = 8
_LAST = b"contact-number"


class RecordTables:
    """Both tables of one store, used inside its transactions."""

    DATABASES = 2

    def __init__(self, lmdb_env: lmdb.Environment) -> None:
        self._contacts = lmdb_env.open_db(b"contacts")
        self._records = lmdb_env.open_db(b"records")

    def find_key(self, txn: Txn, environment: str, contact: bytes) -> bytes | None:
        """The key of a contact's record; None when the contact has no number."""
        environment_key = find_environment(txn, environment)
        if environment_key is None:
            return None
        return self._find_key(txn, environment_key, contact)

    def make_key(self, txn: Txn, environment: str, contact: bytes) -> bytes:
        """The key of a contact's record; a new contact is given a number."""
        environment_key = number_environment(txn, environment)
        found = self._find_key(txn, environment_key, contact)
        if found is not None:
            return found
        last = txn.get(_LAST)
        number = 1 if last is None else int.from_bytes(unseal(_LAST, last), "big") + 1
        encoded = number.to_bytes(CONTACT_NUMBER_BYTES, "big")
        contact_key = environment_key + contact
        txn.put(contact_key, seal(contact_key, encoded), db=self._contacts)
        txn.put(_LAST, seal(_LAST, encoded))
        return environment_key + encoded

    def get(self, txn: Txn, record_key: bytes) -> ContactRecord | None:
        """The record under that key; raises CorruptRecord."""
        value = txn.get(record_key, db=self._records)
        return None if value is None else unpack_record(record_key, value)

    def put(self, txn: Txn, record_key: bytes, record: ContactRecord) -> None:
        txn.put(record_key, pack_record(record_key, record), db=self._records)

    def _find_key(
        self, txn: Txn, environment_key: bytes, contact: bytes
    ) -> bytes | None:
        contact_key = environment_key + contact
        number = txn.get(contact_key, db=self._contacts)
        return None if number is None else environment_key + unseal(contact_key, number)

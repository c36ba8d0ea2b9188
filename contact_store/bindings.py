"""Bindings: the contact of an identified environment that a visitor id stands for.

bindings    environment number, visitor id -> the contact's id, since when

A visitor id is bound to one contact of an environment at a time, and the latest
binding wins. The contact's id is kept as it was given: it keeps leading to the
contact's record when that is merged into another.
"""

import lmdb
import msgspec

from catalog_store.records import UnixMs
from contact_store.environment_numbers import find_environment, number_environment
from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.record_tables import RecordTables
from contact_store.sealed import seal, unseal


class Binding(msgspec.Struct, frozen=True, array_like=True):
    """What one visitor id is bound to."""

    contact_id: str
    since_ms: UnixMs
    #: Whose alias the visitor is; see `contact_store.aliases`.
    record_key: bytes


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Binding).decode


class Bindings:
    """The table of one store, used inside its transactions."""

    DATABASES = 1

    def __init__(self, lmdb_env: lmdb.Environment, tables: RecordTables) -> None:
        self._tables = tables
        self._bindings = lmdb_env.open_db(b"bindings")

    def find(self, txn: Txn, environment: str, visitor: bytes) -> Binding | None:
        """The binding of a visitor id; raises CorruptRecord."""
        environment_key = find_environment(txn, environment)
        if environment_key is None:
            return None
        key = environment_key + visitor
        value = txn.get(key, db=self._bindings)
        if value is None:
            return None
        try:
            return _decode(unseal(key, value))
        except msgspec.DecodeError as error:
            raise CorruptRecord(key, str(error)) from error

    def erase(self, txn: Txn, visitor_key: bytes) -> bool:
        """Forget a binding, by environment number and visitor id."""
        return txn.delete(visitor_key, db=self._bindings)

    def bind(
        self, txn: Txn, environment: str, visitor: bytes, contact: bytes, now_ms: UnixMs
    ) -> None:
        """Bind a visitor id to a contact; a binding that is there keeps its age."""
        contact_id = contact.decode()
        bound = self.find(txn, environment, visitor)
        if bound is not None and bound.contact_id == contact_id:
            return
        key = number_environment(txn, environment) + visitor
        aliases = self._tables.aliases
        if bound is not None:
            aliases.remove_visitor(txn, bound.record_key, key)
        record_key = self._tables.make_key(txn, environment, contact)
        aliases.add_visitor(txn, record_key, key)
        binding = Binding(contact_id, now_ms, record_key)
        txn.put(key, seal(key, _encode(binding)), db=self._bindings)

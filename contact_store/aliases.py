"""Aliases: what leads to a contact's record besides the contact's own id and number.

moves      record key -> where its propositions went, and their sequences with them
aliases    record key, kind, what leads there -> nothing

A record that was merged into another leaves a move behind, under a key that never has
a record again, so that the proposition ids made with it stay good. Moves therefore
lead from dead keys to keys that lived at the time, never in a circle.

`aliases` lists the other way round, for whoever must find all that belongs to a
contact. It is a tree: what led to a record that moved stays listed under that record.
"""

from collections.abc import Iterator
from typing import NamedTuple

import lmdb
import msgspec

from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal

_CONTACT = b"c"
_VISITOR = b"v"
_RECORD = b"r"


class Move(msgspec.Struct, frozen=True, array_like=True):
    """Where the propositions of a record went."""

    record_key: bytes
    #: What their sequences grew by.
    shift: int
    #: The old record's: sequences from here on were never given to a proposition of
    #: it, though an aborted transaction may have made ids of them.
    next_sequence: int
    #: The newest key of proposition ids at the time: with those before it no id was
    #: made of the sequences that were grown to.
    key_number: int = 0


class LeadingHere(NamedTuple):
    """All that leads to one record, but for the id that it was made for."""

    #: Environment number and contact id.
    contacts: tuple[bytes, ...]
    #: Visitors who are bound to one of the contacts: identified environment's number
    #: and visitor id.
    visitors: tuple[bytes, ...]
    #: Records that moved here.
    record_keys: tuple[bytes, ...]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Move).decode


class Aliases:
    """Both tables of one store, used inside its transactions."""

    DATABASES = 2

    def __init__(self, lmdb_env: lmdb.Environment) -> None:
        self._moves = lmdb_env.open_db(b"moves")
        self._aliases = lmdb_env.open_db(b"aliases")

    def find_move(self, txn: Txn, record_key: bytes) -> Move | None:
        """Where a record went; None when it did not. Raises CorruptRecord."""
        value = txn.get(record_key, db=self._moves)
        if value is None:
            return None
        try:
            return _decode(unseal(record_key, value))
        except msgspec.DecodeError as error:
            raise CorruptRecord(record_key, str(error)) from error

    def moves_to(self, txn: Txn, record_key: bytes) -> Iterator[Move]:
        """How records came to the one under a key, none that came by way of another.

        Raises CorruptRecord.
        """
        for kind, key in self._listed(txn, record_key):
            move = self.find_move(txn, key) if kind == _RECORD else None
            if move is not None:
                yield move

    def add_move(self, txn: Txn, record_key: bytes, move: Move) -> None:
        txn.put(record_key, seal(record_key, _encode(move)), db=self._moves)
        self._add(txn, move.record_key + _RECORD + record_key)

    def add_contact(self, txn: Txn, record_key: bytes, contact_key: bytes) -> None:
        self._add(txn, record_key + _CONTACT + contact_key)

    def remove_contact(self, txn: Txn, record_key: bytes, contact_key: bytes) -> None:
        txn.delete(record_key + _CONTACT + contact_key, db=self._aliases)

    def add_visitor(self, txn: Txn, record_key: bytes, visitor_key: bytes) -> None:
        self._add(txn, record_key + _VISITOR + visitor_key)

    def remove_visitor(self, txn: Txn, record_key: bytes, visitor_key: bytes) -> None:
        txn.delete(record_key + _VISITOR + visitor_key, db=self._aliases)

    def leading_to(self, txn: Txn, record_key: bytes) -> LeadingHere:
        """What leads to a record, or to any that moved there; raises CorruptRecord."""
        contacts: list[bytes] = []
        visitors: list[bytes] = []
        record_keys = [record_key]
        # The list grows while it is walked.
        for listed_under in record_keys:
            for kind, key in self._listed(txn, listed_under):
                if kind == _CONTACT:
                    contacts.append(key)
                elif kind == _VISITOR:
                    visitors.append(key)
                else:
                    record_keys.append(key)
        return LeadingHere(
            tuple(sorted(contacts)), tuple(sorted(visitors)), tuple(record_keys[1:])
        )

    def erase(self, txn: Txn, record_key: bytes) -> None:
        """Forget where a record moved to, and the list of what leads there."""
        txn.delete(record_key, db=self._moves)
        for kind, key in list(self._listed(txn, record_key)):
            txn.delete(record_key + kind + key, db=self._aliases)

    def _add(self, txn: Txn, key: bytes) -> None:
        txn.put(key, seal(key, b""), db=self._aliases)

    def _listed(self, txn: Txn, record_key: bytes) -> Iterator[tuple[bytes, bytes]]:
        with txn.cursor(db=self._aliases) as cursor:
            if not cursor.set_range(record_key):
                return
            for key, value in cursor.iternext():
                if not key.startswith(record_key):
                    return
                unseal(key, value)
                entry = key[len(record_key) :]
                yield entry[:1], entry[1:]

"""What a recorded decision was made of, kept so that it can be made again.

Kept by day, for KEPT_DAYS; each decision that is kept removes a few that are older.

inputs        day, interaction                   -> the decision's inputs
inputs-of     record key, day, interaction       -> nothing, for erasing a contact
"""

from collections.abc import Iterator
from typing import Any

import lmdb
import msgspec

from catalog_store.records import UnixMs
from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.records import Proposition
from contact_store.sealed import seal, unseal

#: How long inputs are kept, and a day more at most.
KEPT_DAYS = 30
#: Old inputs removed with each that is kept: more than one, so that they run out.
REMOVED_PER_KEEP = 2

_DAY_MS = 86_400_000
_DAY_BYTES = 4
_INTERACTION_BYTES = 8


class SpaceInputs(msgspec.Struct, frozen=True, array_like=True):
    """What was asked for one space, by the names of the environment that decided."""

    space: str
    max_propositions: int
    categories: tuple[str, ...]
    themes: tuple[str, ...]


class DecisionInputs(msgspec.Struct, frozen=True, array_like=True, kw_only=True):
    """Everything that a decision depends on but the revision's own contents.

    Stored as an array in this order: add at the end, with a default.
    """

    #: Also the seed of the draw.
    interaction: int
    #: Of the engine that decided.
    engine_version: int
    revision: int
    #: That decided: the anonymous one when nobody was identified.
    environment: str
    contact_id: str
    #: Attribute -> value as rules read it; those that were absent are left out.
    contact: dict[str, Any]
    context: dict[str, Any]
    #: As it was before the decision.
    history: tuple[Proposition, ...]
    history_version: int
    spaces: tuple[SpaceInputs, ...]
    at_ms: UnixMs
    decided_at_ms: UnixMs
    excluded: tuple[str, ...]
    allow_duplicates: bool
    #: Of the decision's record, in its canonical encoding.
    record_sha256: bytes
    #: Quota -> what was left of it, of those whose counters could be read.
    quotas_left: dict[str, int] = {}
    #: The same of the limits that the others fell back on.
    fallbacks_left: dict[str, int] = {}


_encode = msgspec.msgpack.Encoder().encode
_decode_pair = msgspec.msgpack.Decoder(tuple[bytes, DecisionInputs]).decode


class InputTables:
    """The tables of one store, used inside its transactions."""

    DATABASES = 2

    def __init__(self, lmdb_env: lmdb.Environment) -> None:
        self._inputs = lmdb_env.open_db(b"inputs")
        self._of_contact = lmdb_env.open_db(b"inputs-of")

    def keep(self, txn: Txn, record_key: bytes, inputs: DecisionInputs) -> None:
        """Keep the inputs of a decision for the contact of a record."""
        day = inputs.decided_at_ms // _DAY_MS
        self._remove_old(txn, day)
        key = _key(day, inputs.interaction)
        txn.put(key, seal(key, _encode((record_key, inputs))), db=self._inputs)
        txn.put(record_key + key, b"", db=self._of_contact)

    def find(self, txn: Txn, interaction: int) -> DecisionInputs | None:
        """The inputs of a decision; raises CorruptRecord.

        An interaction does not say its day, so that every day is looked at: some 30
        reads for whoever replays, nothing for who decides.
        """
        with txn.cursor(db=self._inputs) as cursor:
            found = cursor.first()
            while found:
                day = int.from_bytes(cursor.key()[:_DAY_BYTES])
                key = _key(day, interaction)
                value = txn.get(key, db=self._inputs)
                if value is not None:
                    return _unpack(key, value)[1]
                found = cursor.set_range(_key(day + 1, 0))
        return None

    def newest(self, txn: Txn, limit: int) -> Iterator[DecisionInputs]:
        """The newest that are kept, by day; raises CorruptRecord."""
        with txn.cursor(db=self._inputs) as cursor:
            for key, value in cursor.iterprev():
                if limit <= 0:
                    return
                limit -= 1
                yield _unpack(key, value)[1]

    def has_any(self, txn: Txn, record_key: bytes) -> bool:
        """Whether something is kept of one contact."""
        with txn.cursor(db=self._of_contact) as cursor:
            found = cursor.set_range(record_key)
            return found and cursor.key().startswith(record_key)

    def erase(self, txn: Txn, record_key: bytes) -> int:
        """Remove everything kept of one contact; returns how many there were."""
        keys: list[bytes] = []
        with txn.cursor(db=self._of_contact) as cursor:
            found = cursor.set_range(record_key)
            while found and cursor.key().startswith(record_key):
                keys.append(cursor.key())
                found = cursor.next()
        for key in keys:
            txn.delete(key, db=self._of_contact)
            txn.delete(key[len(record_key) :], db=self._inputs)
        return len(keys)

    def _remove_old(self, txn: Txn, today: int) -> None:
        with txn.cursor(db=self._inputs) as cursor:
            for _ in range(REMOVED_PER_KEEP):
                if not cursor.first():
                    return
                key = cursor.key()
                if int.from_bytes(key[:_DAY_BYTES]) >= today - KEPT_DAYS:
                    return
                record_key, _ = _unpack(key, cursor.value())
                cursor.delete()
                txn.delete(record_key + key, db=self._of_contact)


def _key(day: int, interaction: int) -> bytes:
    return day.to_bytes(_DAY_BYTES) + interaction.to_bytes(_INTERACTION_BYTES)


def _unpack(key: bytes, value: bytes) -> tuple[bytes, DecisionInputs]:
    """The key of the contact's record, and the inputs."""
    try:
        record_key, inputs = _decode_pair(unseal(key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(key, str(error)) from error
    return record_key, inputs

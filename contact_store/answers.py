"""Answers kept under request ids, so that a retry gets what the first call got.

Answers are kept in one table per hour; a table is dropped whole, which costs the
same for one answer as for a million. An answer stays for the horizon at least and
for an hour more at most.

The number of answers is bounded: when the store is full the oldest table goes first,
be it inside the horizon or even the current hour's. A retry of what went is then
decided afresh, as if it had no id.

    hash of the request's key          -> the answer, with the digest of the request
    contact, hash of the request's key -> nothing

The second kind finds the answers that hold a contact's data, when that is erased. Both
are in the table of their hour, told apart by their length, and go with it.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any

import lmdb
import msgspec

from catalog_store.records import UnixMs
from contact_store.errors import CorruptRecord, RequestIdReused
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal

REQUEST_ID_BYTES_MAX = 128
#: One answer, encoded.
ANSWER_BYTES_MAX = 1 << 20
#: Over all tables.
ANSWERS_MAX = 2_000_000
HORIZON_HOURS = 1
HORIZON_HOURS_MAX = 24

#: One table for each hour of the longest horizon, the current and the next.
TABLES = HORIZON_HOURS_MAX + 2

#: Of whoever an answer is about: as long as a record's key.
OWNER_BYTES = 10

_HOUR_MS = 3_600_000
_STATE = b"answers"
_KEY_BYTES = 20


class RequestKey(msgspec.Struct, frozen=True, array_like=True):
    """Whose request it is: the same id from another caller is another request."""

    caller: str
    method: str
    environment: str
    request_id: str


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    request_digest: bytes
    answer: bytes


class _Table(msgspec.Struct, frozen=True, array_like=True):
    """What one hour holds."""

    hour: int
    count: int


_encode = msgspec.msgpack.Encoder().encode
_decode_answer = msgspec.msgpack.Decoder(_Answer).decode
_decode_tables = msgspec.msgpack.Decoder(tuple[_Table, ...]).decode


class AnswerTables:
    """The tables of one store, used inside its transactions."""

    def __init__(
        self,
        lmdb_env: lmdb.Environment,
        *,
        horizon_hours: int = HORIZON_HOURS,
        answers_max: int = ANSWERS_MAX,
    ) -> None:
        if not 1 <= horizon_hours <= HORIZON_HOURS_MAX:
            raise ValueError(f"horizon_hours: 1 to {HORIZON_HOURS_MAX}")
        if answers_max < 1:
            raise ValueError("answers_max: at least 1")
        self._horizon_hours = horizon_hours
        self._answers_max = answers_max
        # A ring, open from the start: a handle opened each hour would be one more
        # for as long as the process lives.
        self._databases = [lmdb_env.open_db(b"answers-%02d" % n) for n in range(TABLES)]

    def find(
        self, txn: Txn, request: RequestKey, request_digest: bytes, now_ms: UnixMs
    ) -> bytes | None:
        """The answer kept for that request; raises RequestIdReused."""
        key = _key(request)
        hour = now_ms // _HOUR_MS
        for table in reversed(_read_tables(txn)):
            if table.hour < hour - self._horizon_hours:
                break
            value = txn.get(key, db=self._databases[table.hour % TABLES])
            if value is None:
                continue
            kept = _unpack(key, value)
            if kept.request_digest != request_digest:
                raise RequestIdReused
            return kept.answer
        return None

    def keep(
        self,
        txn: Txn,
        request: RequestKey,
        request_digest: bytes,
        answer: bytes,
        now_ms: UnixMs,
        owners: Iterable[bytes] = (),
    ) -> None:
        """Keep an answer whose request `find` did not know.

        `owners` are those whose data it holds, OWNER_BYTES each; see `erase`.
        """
        if len(answer) > ANSWER_BYTES_MAX:
            raise ValueError(f"answer: at most {ANSWER_BYTES_MAX} bytes")
        key = _key(request)
        value = seal(key, _encode(_Answer(request_digest, answer)))
        *older, table = self._with_room(txn, now_ms // _HOUR_MS)
        database = self._databases[table.hour % TABLES]
        if txn.put(key, value, db=database, overwrite=False):
            table = _Table(table.hour, table.count + 1)
        # PERF: 2.4 us for one owner on top of 7.3 us for the answer, medians in a table
        # of 100,000, on a machine of 2 cores.
        for owner in owners:
            txn.put(owner + key, b"", db=database)
        _write_tables(txn, (*older, table))

    def erase(self, txn: Txn, owners: Iterable[bytes]) -> int:
        """Remove the answers that hold somebody's data; returns how many."""
        owners = set(owners)
        tables: list[_Table] = []
        erased = 0
        for table in _read_tables(txn):
            removed = self._erase_in(txn, table, owners)
            tables.append(_Table(table.hour, table.count - removed))
            erased += removed
        if erased:
            _write_tables(txn, tuple(tables))
        return erased

    def _erase_in(self, txn: Txn, table: _Table, owners: Iterable[bytes]) -> int:
        database = self._databases[table.hour % TABLES]
        removed = 0
        for key in [k for owner in owners for k in _listed(txn, database, owner)]:
            txn.delete(key, db=database)
            removed += txn.delete(key[OWNER_BYTES:], db=database)
        return removed

    def _with_room(self, txn: Txn, hour: int) -> tuple[_Table, ...]:
        """The tables, the current one last, with room for one more answer."""
        tables = list(_read_tables(txn))
        # The store's time never goes back, so that the newest table is the last.
        if not tables or tables[-1].hour < hour:
            tables.append(_Table(hour, 0))
        while tables[0].hour < hour - self._horizon_hours:
            self._drop(txn, tables.pop(0))
        while sum(table.count for table in tables) >= self._answers_max:
            oldest = tables.pop(0)
            self._drop(txn, oldest)
            if not tables:
                tables.append(_Table(oldest.hour, 0))
        return tuple(tables)

    def _drop(self, txn: Txn, table: _Table) -> None:
        txn.drop(self._databases[table.hour % TABLES], delete=False)


def _key(request: RequestKey) -> bytes:
    if not 0 < len(request.request_id.encode()) <= REQUEST_ID_BYTES_MAX:
        raise ValueError(f"request_id: 1 to {REQUEST_ID_BYTES_MAX} bytes")
    # Callers and methods are of any length, keys are not.
    return blake2b(_encode(request), digest_size=_KEY_BYTES).digest()


def _listed(txn: Txn, database: Any, owner: bytes) -> list[bytes]:
    """The keys that list an owner's answers."""
    keys: list[bytes] = []
    with txn.cursor(db=database) as cursor:
        found = cursor.set_range(owner)
        while found and (key := cursor.key()).startswith(owner):
            if len(key) == OWNER_BYTES + _KEY_BYTES:
                keys.append(key)
            found = cursor.next()
    return keys


def _unpack(key: bytes, value: bytes) -> _Answer:
    try:
        return _decode_answer(unseal(key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(key, str(error)) from error


def _read_tables(txn: Txn) -> tuple[_Table, ...]:
    value = txn.get(_STATE)
    return () if value is None else _decode_tables(unseal(_STATE, value))


def _write_tables(txn: Txn, tables: tuple[_Table, ...]) -> None:
    txn.put(_STATE, seal(_STATE, _encode(tables)))

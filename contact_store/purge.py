"""Removes old propositions in steps that nobody notices.

A step reads a few hundred records, or their cold parts, in one short read transaction,
and rewrites those that hold something to purge in one write transaction of bounded
work. Parts come first, each with its record, so that a record knows what is left of
its parts when its turn comes. How far the purge is stands in the store, written with
what it did: whoever is killed loses nothing, and the next one goes on from there.

    purge    the last key that was passed, of a part or of a record; they differ in size

A contact of whom nothing is left loses record, number and id, unless something leads
there: another id, a visitor, ids of propositions of a merged contact. Then an empty
record stays, so that its sequences are not given again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.cold_parts import Propositions, split_part_key, unpack_part
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.lmdb_env import ReadTxn, Txn, write_txn
from contact_store.packing import unpack_record
from contact_store.record_tables import RECORD_KEY_BYTES
from contact_store.records import is_mark
from contact_store.retention import Counting, Retention
from contact_store.sealed import seal, unseal
from contact_store.walk import Entry, entries_after

#: Rewritten in one write transaction, in bytes; a single record may be larger.
#: PERF: a whole step takes 5 ms at the median and 20 at p99, its flush included;
#: decisions beside it took 1.3 ms (p99 15) and 1.0 (p99 11) in the same minute without
#: (two cores, busy with other work).
WRITE_BYTES_MAX = 16 << 10
#: And in records or parts: a record that goes whole touches pages of five tables.
WRITE_RECORDS_MAX = 8
#: Steps without anything to purge until the store is told how far it is.
QUIET_STEPS = 50

_CURSOR = b"purge"


class PurgeStep(NamedTuple):
    """What one step did."""

    #: And cold parts, that were looked at.
    records: int = 0
    #: Propositions that are gone, those that left a mark included.
    propositions: int = 0
    marks: int = 0
    #: Of whom nothing is left.
    contacts: int = 0
    #: Records and parts that cannot be read, and are left as they are.
    damaged: int = 0
    #: Whether every record was passed; the next step begins with the first again.
    is_last: bool = False


class Purge:
    """One walk after the other over all records of a store."""

    def __init__(self, store: HistoryStore) -> None:
        """Goes on where the last one, of whichever process, was."""
        self._store = store
        self._records = store.lmdb_env.open_db(b"records")
        self._parts = store.lmdb_env.open_db(b"cold")
        with ReadTxn(store.lmdb_env) as txn:
            self._passed = _read_cursor(txn)
        self._quiet_steps = 0

    def step(
        self, now_ms: UnixMs, retention_ms: int, countings: Sequence[Counting]
    ) -> PurgeStep:
        """Purge a little; raises StoreFailed, and nothing is then purged."""
        retention = Retention(now_ms, retention_ms, countings)
        with ReadTxn(self._store.lmdb_env) as txn:
            entries = self._next_entries(txn)
            is_last = not entries
        due, passed, examined, damaged = self._due(entries, retention)
        self._quiet_steps += 1
        step = PurgeStep(records=examined, damaged=damaged, is_last=is_last)
        if due or is_last or self._quiet_steps >= QUIET_STEPS:
            with write_txn(self._store.lmdb_env) as txn:
                for key in due:
                    purge = self._purge_part if _is_part(key) else self._purge_record
                    try:
                        step = purge(txn, key, retention, step)
                    except CorruptRecord:
                        # Raised before anything of the contact is written.
                        step = step._replace(damaged=step.damaged + 1)
                _write_cursor(txn, b"" if is_last else passed)
            self._quiet_steps = 0
        self._passed = b"" if is_last else passed
        return step

    def _next_entries(self, txn: Txn) -> list[Entry]:
        """Parts as long as there are any, then records."""
        if not self._passed or _is_part(self._passed):
            parts = entries_after(txn, self._parts, self._passed)
            return parts or entries_after(txn, self._records, b"")
        return entries_after(txn, self._records, self._passed)

    def _due(
        self, entries: list[Entry], retention: Retention
    ) -> tuple[list[bytes], bytes, int, int]:
        """Keys to purge, the last one examined, how many, and how many unreadable."""
        due: list[bytes] = []
        passed, examined, damaged, size_bytes = self._passed, 0, 0, 0
        for key, value in entries:
            if size_bytes >= WRITE_BYTES_MAX or len(due) >= WRITE_RECORDS_MAX:
                break
            try:
                if _is_due(key, value, retention):
                    due.append(key)
                    size_bytes += len(value)
            except CorruptRecord:
                damaged += 1
            passed = key
            examined += 1
        return due, passed, examined, damaged

    def _purge_part(
        self, txn: Txn, key: bytes, retention: Retention, step: PurgeStep
    ) -> PurgeStep:
        """Purge one part as it is now, and say so in its record."""
        tables = self._store.tables
        record_key, number = split_part_key(key)
        record = tables.at(txn, record_key)
        listed = record.cold if record else ()
        part = next((one for one in listed if one.number == number), None)
        if record is None or part is None:
            # It was purged, erased or moved meanwhile; otherwise the doctor's to find.
            return step
        before = tables.cold.read(txn, record_key, part)
        after = retention.left(before)
        if after is None:
            return step
        cold = tables.cold.rewritten(txn, record_key, record.cold, part, after)
        version = record.version + 1
        tables.put(txn, record_key, replace(record, version=version, cold=cold))
        return _counted(step, before, after)

    def _purge_record(
        self, txn: Txn, key: bytes, retention: Retention, step: PurgeStep
    ) -> PurgeStep:
        """Purge one record as it is now: it may have changed since it was read."""
        tables = self._store.tables
        record = tables.at(txn, key)
        if record is None:
            return step
        left = retention.left_of(record)
        after = record if left is None else left
        if not after.proposition_count and not self._is_needed(txn, key):
            tables.erase(txn, key)
            step = step._replace(contacts=step.contacts + 1)
        elif left is not None:
            tables.put(txn, key, left)
        return _counted(step, record.propositions, after.propositions)

    def _is_needed(self, txn: Txn, key: bytes) -> bool:
        """Whether something leads to a record, be it empty."""
        leading = self._store.tables.aliases.leading_to(txn, key)
        return any(leading) or self._store.input_tables.has_any(txn, key)


def _is_part(key: bytes) -> bool:
    return len(key) > RECORD_KEY_BYTES


def _is_due(key: bytes, value: bytes, retention: Retention) -> bool:
    """Whether there is anything to purge; raises CorruptRecord."""
    if _is_part(key):
        return retention.left(unpack_part(key, value)) is not None
    record = unpack_record(key, value)
    return not record.proposition_count or retention.left_of(record) is not None


def _counted(step: PurgeStep, before: Propositions, after: Propositions) -> PurgeStep:
    """The step with what became of some propositions."""
    marks_before, marks_after = sum(map(is_mark, before)), sum(map(is_mark, after))
    made_before, made_after = len(before) - marks_before, len(after) - marks_after
    return step._replace(
        propositions=step.propositions + made_before - made_after,
        marks=step.marks + max(0, marks_after - marks_before),
    )


def _read_cursor(txn: Txn) -> bytes:
    value = txn.get(_CURSOR)
    try:
        return b"" if value is None else unseal(_CURSOR, value)
    except CorruptRecord:
        # It costs a walk from the beginning, and nothing else.
        return b""


def _write_cursor(txn: Txn, passed: bytes) -> None:
    txn.put(_CURSOR, seal(_CURSOR, passed))

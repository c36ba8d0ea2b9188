"""Removes old propositions in steps that nobody notices.

A step reads a few hundred records in one short read transaction, and rewrites those
that hold something to purge in one write transaction of bounded work. How far the purge
is stands in the store, written with what it did: whoever is killed loses nothing, and
the next one goes on from there.

    purge    the last record key that was passed

A contact of whom nothing is left loses record, number and id, unless something leads
there: another id, a visitor, ids of propositions of a merged contact. Then an empty
record stays, so that its sequences are not given again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.lmdb_env import Txn, read_txn, write_txn
from contact_store.packing import unpack_record
from contact_store.records import ContactRecord, is_mark
from contact_store.retention import Counting, Retention
from contact_store.sealed import seal, unseal
from contact_store.walk import Entry, entries_after

#: Rewritten in one write transaction, in bytes; a single record may be larger.
#: PERF: a whole step takes 5 ms at the median and 20 at p99, its flush included;
#: decisions beside it took 1.3 ms (p99 15) and 1.0 (p99 11) in the same minute without
#: (two cores, busy with other work).
WRITE_BYTES_MAX = 16 << 10
#: And in records: each that goes whole touches pages of four tables.
WRITE_RECORDS_MAX = 8
#: Steps without anything to purge until the store is told how far it is.
QUIET_STEPS = 50

_CURSOR = b"purge"


class PurgeStep(NamedTuple):
    """What one step did."""

    records: int = 0
    #: Propositions that are gone, those that left a mark included.
    propositions: int = 0
    marks: int = 0
    #: Of whom nothing is left.
    contacts: int = 0
    #: Records that cannot be read, and are left as they are.
    damaged: int = 0
    #: Whether every record was passed; the next step begins with the first again.
    is_last: bool = False


class Purge:
    """One walk after the other over all records of a store."""

    def __init__(self, store: HistoryStore) -> None:
        """Goes on where the last one, of whichever process, was."""
        self._store = store
        self._records = store.lmdb_env.open_db(b"records")
        with read_txn(store.lmdb_env) as txn:
            self._passed = _read_cursor(txn)
        self._quiet_steps = 0

    def step(
        self, now_ms: UnixMs, retention_ms: int, countings: Sequence[Counting]
    ) -> PurgeStep:
        """Purge a little; raises StoreFailed, and nothing is then purged."""
        retention = Retention(now_ms, retention_ms, countings)
        with read_txn(self._store.lmdb_env) as txn:
            entries = entries_after(txn, self._records, self._passed)
            is_last = not entries
        due, passed, examined, damaged = self._due(entries, retention)
        self._quiet_steps += 1
        step = PurgeStep(records=examined, damaged=damaged, is_last=is_last)
        if due or is_last or self._quiet_steps >= QUIET_STEPS:
            with write_txn(self._store.lmdb_env) as txn:
                for key in due:
                    try:
                        step = self._purge(txn, key, retention, step)
                    except CorruptRecord:
                        # Raised before anything of the contact is written.
                        step = step._replace(damaged=step.damaged + 1)
                _write_cursor(txn, b"" if is_last else passed)
            self._quiet_steps = 0
        self._passed = b"" if is_last else passed
        return step

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
                record = unpack_record(key, value)
                if not record.propositions or retention.left_of(record) is not None:
                    due.append(key)
                    size_bytes += len(value)
            except CorruptRecord:
                damaged += 1
            passed = key
            examined += 1
        return due, passed, examined, damaged

    def _purge(
        self, txn: Txn, key: bytes, retention: Retention, step: PurgeStep
    ) -> PurgeStep:
        """Purge one record as it is now: it may have changed since it was read."""
        value = txn.get(key, db=self._records)
        if value is None:
            return step
        tables = self._store.tables
        record = unpack_record(key, value)
        left = retention.left_of(record)
        after = record if left is None else left
        contacts = 0
        if not after.propositions and not self._is_needed(txn, key):
            tables.erase(txn, key)
            contacts = 1
        elif left is not None:
            tables.put(txn, key, left)
        counts_before, marks_before = _counts(record)
        counts_after, marks_after = _counts(after)
        return step._replace(
            propositions=step.propositions + counts_before - counts_after,
            marks=step.marks + max(0, marks_after - marks_before),
            contacts=step.contacts + contacts,
        )

    def _is_needed(self, txn: Txn, key: bytes) -> bool:
        """Whether something leads to a record, be it empty."""
        leading = self._store.tables.aliases.leading_to(txn, key)
        return any(leading) or self._store.input_tables.has_any(txn, key)


def _counts(record: ContactRecord) -> tuple[int, int]:
    """Propositions that are not marks, and marks."""
    marks = sum(map(is_mark, record.propositions))
    return len(record.propositions) - marks, marks


def _read_cursor(txn: Txn) -> bytes:
    value = txn.get(_CURSOR)
    try:
        return b"" if value is None else unseal(_CURSOR, value)
    except CorruptRecord:
        # It costs a walk from the beginning, and nothing else.
        return b""


def _write_cursor(txn: Txn, passed: bytes) -> None:
    txn.put(_CURSOR, seal(_CURSOR, passed))

"""History: what was proposed to each contact and what became of it.

main table    format; environments, their numbers; contact-number, clock: the last
              given; id-key:<n>: keys of proposition ids; answers: what `answers-NN`
              hold
contacts      environment number, contact id  -> record key: environment and contact
                                                 number
contact-ids   record key                      -> contact id
records       record key                      -> the contact's record
cold          record key, part's number       -> older propositions of the record
moves         record key                      -> the record that it was merged into
aliases       record key, what leads there    -> nothing
bindings      environment number, visitor id  -> contact id, since when
inputs        day, interaction                -> what a decision was made of
inputs-of     record key, day, interaction    -> nothing
answers-NN    hash of a request's key         -> its answer, a table per hour
quotas        name hash, period, its start    -> propositions counted in it

and in the main table, purge: how far the purge is.
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Self

import lmdb

from catalog_store.records import UnixMs
from contact_store.answers import ANSWERS_MAX, HORIZON_HOURS, TABLES, AnswerTables
from contact_store.bindings import Bindings
from contact_store.contact_ids import (
    ContactName,
    contact_id_bytes,
    visitor_id_bytes,
)
from contact_store.contact_view import Choose, KnownContact, view_contact
from contact_store.decision_inputs import DecisionInputs, InputTables
from contact_store.errors import StoreFailed
from contact_store.history_group import Group
from contact_store.history_snapshot import HistorySnapshot
from contact_store.history_transaction import HistoryTransaction, read_clock, set_clock
from contact_store.id_keys import (
    RandomBytes,
    add_id_key,
    read_id_keys,
    retire_id_keys,
)
from contact_store.lmdb_env import (
    MAP_BYTES,
    ReadTxn,
    Txn,
    is_usable,
    open_lmdb_env,
    write_txn,
)
from contact_store.quotas import QuotaPeriodKey, QuotaTables
from contact_store.reach import Reach
from contact_store.record_tables import ContactNames, RecordTables
from contact_store.records import PART_PROPOSITIONS, ContactRecord
from contact_store.sealed import seal, unseal

#: Of keys and values in the tables; a store of another format is refused.
FORMAT = 3
_FORMAT = b"format"


class HistoryStore:
    """All records, in one LMDB environment; any number of processes may open it.

    Everything returned is a copy and outlives its transaction. Readers never wait;
    writers wait for each other. Not for several threads at once.
    """

    def __init__(
        self,
        path: Path,
        *,
        map_bytes: int = MAP_BYTES,
        horizon_hours: int = HORIZON_HOURS,
        answers_max: int = ANSWERS_MAX,
        random_bytes: RandomBytes = os.urandom,
        part_propositions: int = PART_PROPOSITIONS,
    ) -> None:
        """Open or create the store; raises StoreFailed.

        Waits for whoever is writing, since tables may have to be made.
        `horizon_hours` and `answers_max` bound the answers kept for request ids;
        `random_bytes` makes the keys of proposition ids; `part_propositions` is the
        size of a cold part, and may change from one opening to the next.
        """
        self._path = path
        self._map_bytes = map_bytes
        self._horizon_hours = horizon_hours
        self._answers_max = answers_max
        self._random_bytes = random_bytes
        self._part_propositions = part_propositions
        #: Held by a thread that begins or commits a group: it may not be closed then.
        self._in_thread = Lock()
        self._open()

    def _open(self) -> None:
        self._lmdb_env = open_lmdb_env(
            self._path,
            map_bytes=self._map_bytes,
            databases_max=TABLES
            + RecordTables.DATABASES
            + Bindings.DATABASES
            + InputTables.DATABASES
            + QuotaTables.DATABASES,
        )
        try:
            self._check_format(self._path)
            self._tables = RecordTables(self._lmdb_env, self._part_propositions)
            self._bindings = Bindings(self._lmdb_env, self._tables)
            self._inputs = InputTables(self._lmdb_env)
            self._quotas = QuotaTables(self._lmdb_env)
            self._answers = AnswerTables(
                self._lmdb_env,
                horizon_hours=self._horizon_hours,
                answers_max=self._answers_max,
            )
        except BaseException as error:
            self._lmdb_env.close()
            if isinstance(error, lmdb.Error):
                raise StoreFailed(f"{self._path}: cannot be opened: {error}") from error
            raise

    @property
    def lmdb_env(self) -> lmdb.Environment:
        """For those who walk over tables: purge, doctor, backup, export.

        Not to be kept: after a failed commit it is another one.
        """
        return self._lmdb_env

    @property
    def tables(self) -> RecordTables:
        return self._tables

    @property
    def input_tables(self) -> InputTables:
        return self._inputs

    def close(self) -> None:
        self._lmdb_env.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def read(
        self, environment: str, contact_id: str, reach: Reach | None = None
    ) -> ContactRecord | None:
        """The record as last committed; None when the contact has none.

        It has the propositions that are reached, among others; None reaches all.
        Raises InvalidContactId, CorruptRecord, StoreFailed, and HistoryFull when more
        propositions are reached than a decision may count.
        """
        contact = contact_id_bytes(contact_id)
        with self._read_txn() as txn:
            return self._tables.read(txn, environment, contact, reach)

    def snapshot(self) -> HistorySnapshot:
        """What a decision reads, for `with`: all as of one moment."""
        return HistorySnapshot(self._read_txn(), self._snapshot_tables)

    def _snapshot_tables(self) -> tuple[RecordTables, QuotaTables]:
        return self._tables, self._quotas

    def bound_contact(self, environment: str, visitor_id: str) -> str | None:
        """The contact that a visitor is bound to in an identified environment.

        As last committed; None when it is bound to none. Raises InvalidContactId,
        CorruptRecord and StoreFailed.
        """
        visitor = visitor_id_bytes(visitor_id)
        with self._read_txn() as txn:
            binding = self._bindings.find(txn, environment, visitor)
        return None if binding is None else binding.contact_id

    def quota_used(self, key: QuotaPeriodKey) -> int | None:
        """What a quota had in a period; None when its counter is damaged.

        As last committed. Raises StoreFailed.
        """
        with self._read_txn() as txn:
            return self._quotas.used(txn, key)

    def latest_decided_at(self, now_ms: UnixMs) -> UnixMs:
        """As HistoryTransaction.decided_at, without moving the store's clock."""
        with self._read_txn() as txn:
            return max(now_ms, read_clock(txn))

    def names(self, name: ContactName) -> ContactNames | None:
        """All that leads to a contact's record; None when it never had a number.

        As last committed. Raises InvalidContactId, CorruptRecord and StoreFailed.
        """
        contact = contact_id_bytes(name.contact_id)
        with self._read_txn() as txn:
            return self._tables.names(txn, name.environment, contact)

    def view(self, name: ContactName, choose: Choose) -> KnownContact | None:
        """What is known of a contact, and the propositions that are chosen.

        As last committed; None when no record was ever made for it. Raises
        InvalidContactId, CorruptRecord and StoreFailed.
        """
        contact_id_bytes(name.contact_id)
        with self._read_txn() as txn:
            return view_contact(txn, self._tables, self._bindings, name, choose)

    def inputs(self, interaction: int) -> DecisionInputs | None:
        """What is kept of a decision; raises CorruptRecord and StoreFailed."""
        with self._read_txn() as txn:
            return self._inputs.find(txn, interaction)

    def newest_inputs(self, limit: int) -> tuple[DecisionInputs, ...]:
        """The newest decisions of which inputs are kept, by day; raises as `inputs`."""
        with self._read_txn() as txn:
            return tuple(self._inputs.newest(txn, limit))

    @contextmanager
    def transaction(self) -> Generator[HistoryTransaction]:
        """One write transaction, for `with`; durable when the block ends.

        An exception inside aborts all of it. Others wait meanwhile: no awaits, no
        logging and no other I/O inside. Raises StoreFailed.
        """
        with self._write_txn() as txn:
            yield self._transaction(txn)

    def begin_group(self) -> Group:
        """One write transaction for the work of several; see there.

        Waits for whoever is writing; raises StoreFailed. May be called in another
        thread, and the store be read meanwhile; a group that raised StoreFailed is to
        be followed by `recover`, where the store is read.
        """
        return Group(self._lmdb_env, self._in_thread, self._transaction)

    def recover(self) -> lmdb.Environment:
        """Open the store again if a commit failed half-way; else nothing happens.

        LMDB refuses every transaction after such a commit, reads too, until it was
        closed. Waits for a group whose commit is failing in another thread. Raises
        StoreFailed when the store cannot be opened; then to be tried again.
        """
        with self._in_thread:
            if not is_usable(self._lmdb_env):
                self._lmdb_env.close()
                self._open()
        return self._lmdb_env

    def _read_txn(self) -> ReadTxn:
        return ReadTxn(self._lmdb_env, self.recover)

    @contextmanager
    def _write_txn(self) -> Generator[Txn]:
        try:
            with write_txn(self._lmdb_env) as txn:
                yield txn
        except StoreFailed:
            self.recover()
            raise

    def _transaction(self, txn: Txn) -> HistoryTransaction:
        return HistoryTransaction(
            txn,
            self._tables,
            self._bindings,
            self._answers,
            self._inputs,
            self._quotas,
        )

    def begin_again(self) -> None:
        """Make a store that was copied from another go on by itself.

        What it gives from now on, the other may have given to others: ids made with
        the keys it has are good for what it holds now and for nothing later. Raises
        CorruptRecord, StoreFailed and TooManyIdKeys.
        """
        with self._write_txn() as txn:
            latest_ms = read_clock(txn)
            retire_id_keys(txn, self._random_bytes, latest_ms)
            set_clock(txn, UnixMs(latest_ms + 1))

    def _check_format(self, path: Path) -> None:
        """Raise StoreFailed for a store of another format; mark and key a new one."""
        with write_txn(self._lmdb_env) as txn:
            value = txn.get(_FORMAT)
            if value is None and not read_id_keys(txn):
                txn.put(_FORMAT, seal(_FORMAT, bytes([FORMAT])))
                add_id_key(txn, self._random_bytes)
            elif value is None or unseal(_FORMAT, value) != bytes([FORMAT]):
                raise StoreFailed(
                    f"{path}: holds history in the format of another version: move it"
                    " away to begin with an empty history, or run that version"
                )

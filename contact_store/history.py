"""History: what was proposed to each contact and what became of it.

main table    environments, their numbers; contact-number, clock: the last given;
              id-key:<n>: keys of proposition ids; answers: what `answers-NN` hold
contacts      environment number, contact id      -> contact number
records       environment number, contact number  -> the contact's record
answers-NN    hash of a request's key             -> its answer, a table per hour
"""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from contact_store.answers import ANSWERS_MAX, HORIZON_HOURS, TABLES, AnswerTables
from contact_store.contact_ids import contact_id_bytes
from contact_store.history_transaction import HistoryTransaction
from contact_store.id_keys import RandomBytes, add_id_key, read_id_keys
from contact_store.lmdb_env import (
    MAP_BYTES,
    open_lmdb_env,
    read_txn,
    write_txn,
)
from contact_store.record_tables import RecordTables
from contact_store.records import ContactRecord


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
    ) -> None:
        """Open or create the store; raises StoreFailed.

        Waits for whoever is writing, since tables may have to be made.
        `horizon_hours` and `answers_max` bound the answers kept for request ids;
        `random_bytes` makes the keys of proposition ids.
        """
        self._lmdb_env = open_lmdb_env(
            path, map_bytes=map_bytes, databases_max=TABLES + RecordTables.DATABASES
        )
        self._random_bytes = random_bytes
        self._tables = RecordTables(self._lmdb_env)
        self._answers = AnswerTables(
            self._lmdb_env, horizon_hours=horizon_hours, answers_max=answers_max
        )
        with write_txn(self._lmdb_env) as txn:
            if not read_id_keys(txn):
                add_id_key(txn, random_bytes)

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

    def read(self, environment: str, contact_id: str) -> ContactRecord | None:
        """The record as last committed; None when the contact has none.

        Raises InvalidContactId, CorruptRecord and StoreFailed.
        """
        contact = contact_id_bytes(contact_id)
        with read_txn(self._lmdb_env) as txn:
            key = self._tables.find_key(txn, environment, contact)
            return None if key is None else self._tables.get(txn, key)

    @contextmanager
    def transaction(self) -> Generator[HistoryTransaction]:
        """One write transaction, for `with`; durable when the block ends.

        An exception inside aborts all of it. Others wait meanwhile: no awaits, no
        logging and no other I/O inside. Raises StoreFailed.
        """
        with write_txn(self._lmdb_env) as txn:
            yield HistoryTransaction(txn, self._tables, self._answers)

    def add_id_key(self) -> int:
        """Make the key that new proposition ids use from now on; returns its number.

        Ids made with the keys before it stay good.
        """
        with write_txn(self._lmdb_env) as txn:
            return max(add_id_key(txn, self._random_bytes))

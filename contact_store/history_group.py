"""One write transaction for the work of several who wait at the same moment."""

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

import lmdb

from contact_store.errors import StoreFailed
from contact_store.history_transaction import HistoryTransaction
from contact_store.lmdb_env import Txn, begin_write, write_txn

ResultT = TypeVar("ResultT")


class Group:
    """Made by HistoryStore.begin_group(); ended by one `commit` or `abort`.

    The thread that made it must end it: it holds the lock of LMDB's writers. The work
    may be done by another one meanwhile, as long as only one of them is at it.
    """

    def __init__(
        self,
        lmdb_env: lmdb.Environment,
        in_thread: Lock,
        transaction: Callable[[Txn], HistoryTransaction],
    ) -> None:
        """Waits for whoever is writing; raises StoreFailed.

        The lock is held while it waits for them or for the disk.
        """
        self._lmdb_env = lmdb_env
        self._in_thread = in_thread
        self._transaction = transaction
        with in_thread:
            self._txn = begin_write(lmdb_env)

    def attempt(self, work: Callable[[HistoryTransaction], ResultT]) -> ResultT:
        """Do one's work in a transaction of its own, inside the group's.

        What the work raises is raised, and takes nothing of the others with it.
        """
        with write_txn(self._lmdb_env, parent=self._txn) as inner:
            return work(self._transaction(inner))

    def commit(self) -> None:
        """Make it all durable; raises StoreFailed, and then none of it is stored."""
        try:
            with self._in_thread:
                self._txn.commit()
        except lmdb.Error as error:
            raise StoreFailed(f"nothing was stored: {error}") from error

    def abort(self) -> None:
        """Store none of it."""
        self._txn.abort()

"""Walks over everything that is stored of contacts, and finds what is wrong with it.

    flaws            what can be wrong with a value, and what would make it good
    history_checks   one function for each kind of entry
    store_checks     main tables, profiles
    answer_checks    kept answers, and how many
    quarantine       values that nobody can read, in files

A server may serve meanwhile: each entry is looked at with what belongs to it in one
snapshot, and no snapshot is held for long. A repair looks again, in the transaction
that writes: what has changed since it was found is not touched.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import lmdb

from contact_store.answer_checks import KEY_BYTES, Counted, answer, miscounted
from contact_store.answers import TABLES
from contact_store.flaws import Flaw
from contact_store.history_checks import CHECKS
from contact_store.lmdb_env import ReadTxn, Txn, open_lmdb_env, write_txn
from contact_store.quarantine import Quarantine, Quarantined
from contact_store.store_checks import MAIN, main
from contact_store.walk import Table, entries_after

_ANSWER_TABLES = frozenset(f"answers-{number:02d}" for number in range(TABLES))

#: Learns the table, how many of its entries were looked at, and of how many.
Progress = Callable[[str, int, int], None]


class Finding(NamedTuple):
    """Something wrong, where, and what became of it."""

    store: str
    table: str
    #: In hexadecimal; a name in the catalog.
    key: str
    what: str
    #: What --repair does; empty when that needs people.
    remedy: str
    is_repaired: bool = False


class ContactDoctor:
    """Examines one store: `history` or `profiles`; for `with`."""

    def __init__(
        self, store: str, path: Path, quarantine: Quarantine | None = None
    ) -> None:
        """With a place for quarantined values it repairs; without it only looks.

        Opens the store even if what a server needs of it is damaged. Raises
        StoreFailed.
        """
        self._store = store
        self._quarantine = quarantine
        # Not HistoryStore: that refuses a store whose keys or format are damaged.
        self._lmdb_env = open_lmdb_env(path, databases_max=2 * TABLES)
        self._tables = dict(_open_tables(self._lmdb_env))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._lmdb_env.close()

    def examine(self, progress: Progress) -> Iterator[Finding]:
        """Every finding, table by table; raises StoreFailed."""
        yield from self._examine_table(MAIN, progress)
        for table in (*CHECKS, *sorted(_ANSWER_TABLES)):
            if table in self._tables:
                yield from self._examine_table(table, progress)

    def _examine_table(self, table: str, progress: Progress) -> Iterator[Finding]:
        passed, done, answers, total = b"", 0, 0, 0
        while True:
            flawed: list[tuple[bytes, list[Flaw]]] = []
            with ReadTxn(self._lmdb_env) as txn:
                total = txn.stat(self._tables[table])["entries"]
                entries = entries_after(txn, self._tables[table], passed)
                for key, value in entries:
                    flaws = list(self._check(txn, table, key, value))
                    if flaws:
                        flawed.append((key, flaws))
            for key, flaws in flawed:
                yield from self._findings(table, key, flaws)
            if not entries:
                break
            passed = entries[-1][0]
            done += len(entries)
            answers += sum(len(key) == KEY_BYTES for key, _ in entries)
            progress(f"{self._store}/{table}", done, total)
        if table in _ANSWER_TABLES:
            yield from self._counted(table, Counted(answers, done))

    def _check(self, txn: Txn, table: str, key: bytes, value: bytes) -> Iterator[Flaw]:
        if table == MAIN:
            return main(txn, self._tables, key, value)
        if table in _ANSWER_TABLES:
            return answer(key, value, table)
        return CHECKS[table](txn, self._tables, key, value)

    def _findings(self, table: str, key: bytes, flaws: list[Flaw]) -> Iterator[Finding]:
        repaired = self._repair(table, key) if self._quarantine else set[str]()
        for flaw in flaws:
            yield Finding(
                self._store,
                table,
                key.hex(),
                flaw.what,
                flaw.remedy,
                flaw.what in repaired,
            )

    def _repair(self, table: str, key: bytes) -> set[str]:
        """Make one entry good as it is now; what was wrong and no longer is."""
        with ReadTxn(self._lmdb_env) as txn:
            value = txn.get(key, db=self._tables[table])
            flaws = [] if value is None else list(self._check(txn, table, key, value))
        if not flaws and table == "contacts":
            return self._remove_misplaced(table, key)
        if value is None or not self._may_replace(table, key, value, flaws):
            return set()
        repaired: set[str] = set()
        with write_txn(self._lmdb_env) as txn:
            if txn.get(key, db=self._tables[table]) != value:
                return set()
            for flaw in self._check(txn, table, key, value):
                self._write(txn, flaw)
                if flaw.writes:
                    repaired.add(flaw.what)
        return repaired

    def _remove_misplaced(self, table: str, key: bytes) -> set[str]:
        """Remove an entry that only a walk finds: its key has changed at its place.

        What it led to says so from the other side. Whoever writes waits for the walk.
        """
        assert self._quarantine is not None
        with (
            write_txn(self._lmdb_env) as txn,
            txn.cursor(db=self._tables[table]) as cursor,
        ):
            for passed, value in cursor.iternext():
                if passed != key:
                    continue
                flaws = list(self._check(txn, table, key, value))
                # It may have become the key of another, which is at its place.
                if any(flaw.is_quarantined for flaw in flaws):
                    self._quarantine.add(Quarantined(self._store, table, key, value))
                    cursor.delete()
                    return {flaw.what for flaw in flaws}
        return set()

    def _may_replace(
        self, table: str, key: bytes, value: bytes, flaws: list[Flaw]
    ) -> bool:
        """Keep the value in a file, if something is to take its place."""
        assert self._quarantine is not None
        if not any(flaw.is_quarantined for flaw in flaws):
            return True
        one = Quarantined(self._store, table, key, value)
        if table == "records" and self._quarantine.has_other(one):
            # Its sequences would be given a second time.
            return False
        self._quarantine.add(one)
        return True

    def _write(self, txn: Txn, flaw: Flaw) -> None:
        for table, key, value in flaw.writes:
            if value is None:
                txn.delete(key, db=self._tables[table])
            else:
                txn.put(key, value, db=self._tables[table])

    def _counted(self, table: str, counted: Counted) -> Iterator[Finding]:
        with ReadTxn(self._lmdb_env) as txn:
            flaws = list(miscounted(txn, self._tables, table, counted))
        for flaw in flaws:
            is_repaired = False
            if self._quarantine:
                with write_txn(self._lmdb_env) as txn:
                    for again in miscounted(txn, self._tables, table, counted):
                        self._write(txn, again)
                        is_repaired = True
            yield Finding(self._store, table, "", flaw.what, flaw.remedy, is_repaired)


def _open_tables(lmdb_env: lmdb.Environment) -> Iterator[tuple[str, Table]]:
    yield MAIN, None
    for name in (*CHECKS, *sorted(_ANSWER_TABLES)):
        try:
            yield name, lmdb_env.open_db(name.encode(), create=False)
        except lmdb.NotFoundError:
            # Of the other store, or of a later version.
            continue

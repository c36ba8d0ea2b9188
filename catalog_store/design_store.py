"""The store of design records: what people edit before it is published.

    records     name -> change number and record
    deleted     name -> when, change number and record; for RETENTION_MS
    expiries    when it was deleted, name -> nothing
    changes     change number -> who, when, why, and how many entries
    entries     change number, name -> the record after it, and the entry before

A change is one write transaction: all of it is durable and visible, or nothing is. Its
entries stay for good, so that every state that a record ever had can be read again.
Everything returned is a decoded copy and outlives its transaction.
"""

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

import lmdb

from catalog_store.design_changes import (
    Author,
    AuthoredState,
    Change,
    DesignTransaction,
    read_author,
    read_change,
    read_entries,
)
from catalog_store.design_errors import DesignStoreFailed
from catalog_store.design_faults import Fault, Progress, design_faults
from catalog_store.design_past import (
    LoggedChange,
    read_design_at,
    read_log,
    read_logged,
    read_record_at,
)
from catalog_store.design_records import Deleted, Design, Ref, Stored
from catalog_store.design_values import (
    TABLES,
    Tables,
    Txn,
    last_version,
    read_deleted,
    read_environments,
    ref_of_key,
    unpack_stored,
)
from catalog_store.durable_files import reserve
from catalog_store.records import Environment, UnixMs

#: Address space, not disk: the file grows as it is used, up to this.
MAP_BYTES = 16 << 30
READERS_MAX = 126
#: As LMDB lays it out: two cache lines, and one for each reader.
_LOCK_BYTES = 128 + 64 * READERS_MAX


class DesignStore:
    """All design records; any number of processes may open it, one at a time writes."""

    def __init__(self, path: Path, *, map_bytes: int = MAP_BYTES) -> None:
        """Open or create the store; raises DesignStoreFailed."""
        self.path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            reserve(path / "lock.mdb", _LOCK_BYTES)
            self._lmdb_env = lmdb.open(
                str(path),
                map_size=map_bytes,
                max_dbs=len(TABLES),
                max_readers=READERS_MAX,
                mode=0o600,
                # What is visible is durable, and a full disk is an error, no signal.
                sync=True,
                metasync=True,
                writemap=False,
                # The format of files; the library's default may change.
                lib_version=0,
            )
            self._tables = Tables(
                *(self._lmdb_env.open_db(name.encode()) for name in TABLES)
            )
        except (lmdb.Error, OSError) as error:
            raise DesignStoreFailed(f"{path}: cannot be opened: {error}") from error

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

    def version(self) -> int:
        """The number of the last change; 0 when there was none."""
        with self._reading() as txn:
            return last_version(txn, self._tables)

    def design(self, known: Design | None = None) -> Design:
        """All records as they stand; `known` itself if it still says so.

        Raises DamagedDesign.
        """
        with self._reading() as txn:
            return _read_design(txn, self._tables, known)

    def environments(self) -> list[Environment]:
        """Their own records, in order of name; raises DamagedDesign."""
        with self._reading() as txn:
            return read_environments(txn, self._tables)

    def deleted(self, now_ms: UnixMs) -> dict[Ref, Deleted]:
        """Records that were deleted within RETENTION_MS, and not made again since."""
        with self._reading() as txn:
            return read_deleted(txn, self._tables, now_ms)

    def change(self, version: int) -> Change:
        """A change as it was made; raises UnknownChange and DamagedDesign."""
        with self._reading() as txn:
            return read_change(txn, self._tables, version)

    def entries_of(self, ref: Ref) -> Iterator[tuple[int, Stored | None]]:
        """The states of one record, newest first, with their changes' numbers.

        None stands where it was deleted.
        """
        with self._reading() as txn:
            yield from list(read_entries(txn, self._tables, ref))

    def authored_states(self, ref: Ref) -> Iterator[AuthoredState]:
        """The states of one record, newest first, and who made it so."""
        with self._reading() as txn:
            for version, stored in read_entries(txn, self._tables, ref):
                author = read_author(txn, self._tables, version)
                yield AuthoredState(version, author, stored and stored.record)

    def log(
        self, before: int, ref: Ref | None, limit: int, entries_max: int
    ) -> list[LoggedChange]:
        """At most so many changes with lower numbers than `before`, newest first.

        With a `ref`, those of one record. Raises DamagedDesign.
        """
        with self._reading() as txn:
            found = read_log(txn, self._tables, before, ref, entries_max)
            return list(islice(found, limit))

    def logged_change(self, version: int, entries_max: int) -> LoggedChange:
        """One change; raises UnknownChange and DamagedDesign."""
        with self._reading() as txn:
            return read_logged(txn, self._tables, version, entries_max)

    def design_at(self, version: int) -> Design:
        """All records after a change; raises UnknownChange and DamagedDesign."""
        with self._reading() as txn:
            return read_design_at(txn, self._tables, version)

    def record_at(self, ref: Ref, version: int) -> Stored | None:
        """One record after a change; raises UnknownChange and DamagedDesign."""
        with self._reading() as txn:
            return read_record_at(txn, self._tables, ref, version)

    def faults(self, progress: Progress) -> Iterator[Fault]:
        """Everything that is wrong with what is stored, as of one moment."""
        with self._reading() as txn:
            yield from design_faults(txn, self._tables, progress)

    @contextmanager
    def changing(
        self, author: Author, known: Design | None = None
    ) -> Generator["Changing"]:
        """One change, for `with`; whoever else wants to change something waits.

        What was put and deleted is stored when the block ends, under one number. An
        exception inside leaves everything as it was. Raises DesignStoreFailed.
        """
        try:
            with self._lmdb_env.begin(write=True) as txn:
                design = _read_design(txn, self._tables, known)
                transaction = DesignTransaction(txn, self._tables, author, design)
                yield Changing(design, transaction)
                transaction.write()
        except lmdb.Error as error:
            raise DesignStoreFailed(f"nothing was stored: {error}") from error

    @contextmanager
    def _reading(self) -> Generator[Txn]:
        try:
            with self._lmdb_env.begin() as txn:
                yield txn
        except lmdb.Error as error:
            raise DesignStoreFailed(f"the design cannot be read: {error}") from error


class Changing(NamedTuple):
    """A change in the making."""

    #: As it stands before it.
    design: Design
    transaction: DesignTransaction


def _read_design(txn: Txn, tables: Tables, known: Design | None) -> Design:
    version = last_version(txn, tables)
    if known is not None and known.version == version:
        return known
    records: dict[Ref, Stored] = {}
    with txn.cursor(tables.records) as cursor:
        for key, value in cursor:
            ref = ref_of_key(key)
            records[ref] = unpack_stored(ref, key, value)
    return Design.of(version, records)

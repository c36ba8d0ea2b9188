"""Exports what was proposed to Parquet, one folder per day, while a server serves.

    FOLDER/decided_day=2026-05-01/part-0001.parquet

Every contact is as it was at one moment, different contacts at different ones. Rows of
many days come mixed, so that they wait in a buffer, and the days with the most rows are
written first: memory stays the same however many contacts there are.

What purging left as a mark is no proposition any more, and left out.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from contact_store.channels import CHANNEL_OF_CODE
from contact_store.contact_ids import ContactName
from contact_store.contact_view import proposition_id_in
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.id_keys import read_id_keys
from contact_store.lmdb_env import ReadTxn
from contact_store.packing import unpack_record
from contact_store.records import Proposition, PropositionStatus, is_mark
from contact_store.status_changes import status_since
from contact_store.walk import entries_after

#: Rows that wait for others of their day; some 100 MB. PERF: 26,000 rows a second; 200
#: MB in all for 200,000 rows of 400 days, 241 MB for 600,000 (two busy cores).
BUFFERED_ROWS_MAX = 100_000
#: Decoded in one read transaction, but for a single contact that has more; 30 ms.
PROPOSITIONS_READ_MAX = 20_000
#: Files open at once.
OPEN_DAYS_MAX = 200
#: Of one file: what a writer remembers of each stays in memory until it is closed.
ROW_GROUPS_MAX = 32

_STATUS_NAMES = {status: status.name.lower() for status in PropositionStatus}
_DAY_MS = 86_400_000

#: Learns how many records are read, and of how many.
Progress = Callable[[int, int], None]


class ExportRefused(Exception):
    """The folder cannot be written; says why."""


class Exported(NamedTuple):
    """What an export came to."""

    propositions: int
    contacts: int
    days: int
    #: Records that cannot be read, and are not in it; the doctor names them.
    damaged: int


def export_propositions(
    store: HistoryStore, names: Mapping[int, str], folder: Path, progress: Progress
) -> Exported:
    """Write all propositions; the folder appears when it is complete.

    `names` are those of the catalog, by what history knows them by; what it does not
    have keeps its hash only. Raises ExportRefused, StoreFailed and OSError.
    """
    if folder.exists():
        raise ExportRefused(f"{folder} is there already: choose another name")
    partial = folder.with_name(f".{folder.name}.partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    reader = _Reader(store, names, progress)
    with _Days(partial) as days:
        for day, row in reader.rows():
            days.add(day, row)
    partial.rename(folder)
    return Exported(reader.propositions, reader.contacts, days.count, reader.damaged)


class _Reader:
    """Makes rows of records, some hundred records in a transaction."""

    def __init__(
        self, store: HistoryStore, names: Mapping[int, str], progress: Progress
    ) -> None:
        self._store = store
        self._names = names
        self._progress = progress
        self.propositions = self.contacts = self.damaged = 0

    def rows(self) -> Iterator[tuple[int, tuple[object, ...]]]:
        """Day and row of every proposition."""
        lmdb_env = self._store.lmdb_env
        records = lmdb_env.open_db(b"records")
        passed, done = b"", 0
        while True:
            with ReadTxn(lmdb_env) as txn:
                total = txn.stat(records)["entries"]
                id_keys = read_id_keys(txn)
                kept = self._next_contacts(txn, records, passed)
            if not kept:
                return
            for one in kept:
                yield from self._of_contact(one, id_keys)
            passed = kept[-1].key
            done += len(kept)
            self._progress(done, total)

    def _next_contacts(self, txn: Any, records: Any, passed: bytes) -> list["_Kept"]:
        """The next contacts, each as it is; none at the end."""
        found: list[_Kept] = []
        count = 0
        for key, value in entries_after(txn, records, passed):
            one = self._contact(txn, key, value)
            found.append(one)
            # Cold parts make a contact large: the transaction stays short.
            count += len(one.propositions)
            if count >= PROPOSITIONS_READ_MAX:
                break
        return found

    def _contact(self, txn: Any, key: bytes, value: bytes) -> "_Kept":
        tables = self._store.tables
        try:
            record = tables.cold.within(txn, key, unpack_record(key, value), None)
            return _Kept(key, tables.name_of(txn, key), record.propositions)
        except CorruptRecord:
            return _Kept(key, None, ())

    def _of_contact(
        self, one: "_Kept", id_keys: Mapping[int, bytes]
    ) -> Iterator[tuple[int, tuple[object, ...]]]:
        if one.name is None:
            self.damaged += 1
            return
        made = [kept for kept in one.propositions if not is_mark(kept)]
        self.contacts += bool(made)
        self.propositions += len(made)
        for proposition in made:
            proposition_id = proposition_id_in(one.key, proposition.sequence, id_keys)
            row = (*one.name, proposition_id, *_cells(proposition, self._names))
            yield proposition.decided_at_ms // _DAY_MS, row


class _Kept(NamedTuple):
    """A contact's record, read to the end."""

    key: bytes
    #: None when the record cannot be read, or nobody knows whose it is.
    name: ContactName | None
    propositions: tuple[Proposition, ...]


def _cells(one: Proposition, names: Mapping[int, str]) -> tuple[object, ...]:
    """Of the columns behind the proposition's id."""
    channel = CHANNEL_OF_CODE.get(one.channel)
    return (
        f"{one.interaction:016x}",
        names.get(one.offer),
        one.offer,
        names.get(one.category),
        one.category,
        names.get(one.space),
        one.space,
        None if channel is None else str(channel),
        one.weight,
        one.rank,
        _STATUS_NAMES[one.status],
        status_since(one),
        one.event_time_ms,
        one.decided_at_ms,
        msgspec.json.encode(one.stored).decode() if one.stored else None,
        [
            (_STATUS_NAMES[change.status], change.event_time_ms, change.received_at_ms)
            for change in one.changes
        ],
    )


class _Days:
    """The files of all days, for `with`; complete when the block ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows: dict[int, list[tuple[object, ...]]] = {}
        self._buffered = 0
        #: Least recently used first.
        self._writers: dict[int, _Part] = {}
        self._parts: dict[int, int] = {}
        self._schema = _schema()

    @property
    def count(self) -> int:
        return len(self._parts)

    def __enter__(self) -> "_Days":
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        try:
            if kind is None:
                for day in sorted(self._rows):
                    self._write(day)
        finally:
            for part in self._writers.values():
                part.close()

    def add(self, day: int, row: tuple[object, ...]) -> None:
        self._rows.setdefault(day, []).append(row)
        self._buffered += 1
        if self._buffered >= BUFFERED_ROWS_MAX:
            largest = sorted(self._rows, key=lambda day: -len(self._rows[day]))
            while self._buffered > BUFFERED_ROWS_MAX // 2:
                self._write(largest.pop(0))

    def _write(self, day: int) -> None:
        """Write what waits for a day, as one row group."""
        rows = self._rows.pop(day)
        self._buffered -= len(rows)
        arrow: Any = pa
        columns = [
            arrow.array(list(column), type=field.type)
            for column, field in zip(zip(*rows, strict=True), self._schema, strict=True)
        ]
        part = self._part(day)
        part.writer.write_table(arrow.table(columns, schema=self._schema))
        part = part._replace(row_groups=part.row_groups + 1)
        if part.row_groups >= ROW_GROUPS_MAX:
            part.close()
        else:
            self._writers[day] = part

    def _part(self, day: int) -> "_Part":
        """The open file of a day; it is put back by whoever takes it."""
        found = self._writers.pop(day, None)
        if found is not None:
            return found
        if len(self._writers) >= OPEN_DAYS_MAX:
            self._writers.pop(next(iter(self._writers))).close()
        number = self._parts[day] = self._parts.get(day, 0) + 1
        text = datetime.fromtimestamp(day * _DAY_MS / 1_000, UTC).strftime("%Y-%m-%d")
        folder = self._folder / f"decided_day={text}"
        folder.mkdir(exist_ok=True)
        path = folder / f"part-{number:04d}.parquet"
        return _Part(path, pq.ParquetWriter(path, self._schema), 0)


class _Part(NamedTuple):
    """One file that is being written."""

    path: Path
    writer: Any
    row_groups: int

    def close(self) -> None:
        self.writer.close()
        with self.path.open("rb") as file:
            os.fsync(file.fileno())


def _schema() -> Any:
    """The columns, in order; `decided_day` is the folder's name."""
    arrow: Any = pa
    moment = arrow.timestamp("ms", tz="UTC")
    text, number = arrow.string(), arrow.uint64()
    change = [("status", text), ("event_time", moment), ("received_at", moment)]
    return arrow.schema(
        [
            ("contact_environment", text),
            ("contact_id", text),
            ("proposition_id", text),
            ("interaction_id", text),
            ("offer", text),
            ("offer_hash", number),
            ("category", text),
            ("category_hash", number),
            ("space", text),
            ("space_hash", number),
            ("channel", text),
            ("weight", arrow.float64()),
            ("rank", arrow.int32()),
            ("status", text),
            ("status_since", moment),
            ("event_time", moment),
            ("decided_at", moment),
            ("stored", text),
            ("changes", arrow.list_(arrow.struct(change))),
        ]
    )

"""One change of the design: written whole, and read again."""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from catalog_store.design_errors import DamagedDesign, UnknownChange
from catalog_store.design_records import (
    Design,
    Ref,
    Stored,
    decode_record,
    encode_record,
)
from catalog_store.design_values import (
    Tables,
    Txn,
    forget_deleted,
    keep_deleted,
    key_of,
    number_key,
    number_of_key,
    pack_stored,
    ref_of_key,
    seal,
    unseal,
)
from catalog_store.records import Record, UnixMs


class Author(NamedTuple):
    """Who makes a change, when, and by what: `CreateOffer`, `apply` and so on."""

    name: str
    at_ms: UnixMs
    method: str


class Entry(NamedTuple):
    """One record before and after a change; None is that there was, or is, none."""

    ref: Ref
    before: Record | None
    after: Record | None


class AuthoredState(NamedTuple):
    """One record as a change left it; None is that the change deleted it."""

    version: int
    author: Author
    record: Record | None


class Change(NamedTuple):
    """A change as it was made; numbers grow by one."""

    version: int
    author: Author
    #: In order of name.
    entries: tuple[Entry, ...]


class DesignTransaction:
    """Collects what one change puts and deletes; see `DesignStore.changing`."""

    def __init__(
        self, txn: Txn, tables: Tables, author: Author, before: Design
    ) -> None:
        self.version = before.version + 1
        self._txn = txn
        self._tables = tables
        self._author = author
        self._before = before
        self._changes: dict[Ref, Record | None] = {}

    def put(self, ref: Ref, record: Record) -> None:
        """Store a record; an equal one stays as it was, its etag too."""
        stored = self._before.records.get(ref)
        if stored is None or stored.record != record:
            self._changes[ref] = record

    def delete(self, ref: Ref) -> None:
        """Delete a record that is there."""
        assert ref in self._before.records, ref
        self._changes[ref] = None

    def write(self) -> None:
        """Write what was collected; nothing at all if that is nothing."""
        if not self._changes:
            return
        txn, tables = self._txn, self._tables
        head = seal(
            number_key(self.version),
            _encode_head(_Head(*self._author, len(self._changes))),
        )
        txn.put(number_key(self.version), head, db=tables.changes)
        made = {ref for ref, record in self._changes.items() if record is not None}
        forget_deleted(txn, tables, made, self._author.at_ms)
        for ref, record in self._changes.items():
            self._write_entry(ref, record)

    def _write_entry(self, ref: Ref, record: Record | None) -> None:
        txn, tables, key = self._txn, self._tables, key_of(ref)
        before = self._before.records.get(ref)
        after = b"" if record is None else encode_record(record)
        entry = number_key(self.version) + key
        payload = number_key(before.version if before else 0) + after
        txn.put(entry, seal(entry, payload), db=tables.entries)
        if record is not None:
            stored = Stored(record, self.version)
            txn.put(key, pack_stored(key, stored), db=tables.records)
        elif before is not None:
            txn.delete(key, db=tables.records)
            keep_deleted(txn, tables, ref, before, self._author.at_ms)


class _Head(NamedTuple):
    name: str
    at_ms: int
    method: str
    entry_count: int


def read_change(txn: Txn, tables: Tables, version: int) -> Change:
    """Raises UnknownChange and DamagedDesign."""
    author, entry_count = read_head(txn, tables, version)
    key = number_key(version)
    entries: list[Entry] = []
    with txn.cursor(tables.entries) as cursor:
        if cursor.set_range(key):
            for entry_key, sealed in cursor:
                if not entry_key.startswith(key):
                    break
                entries.append(read_entry(txn, tables, entry_key, sealed))
    if len(entries) != entry_count:
        raise DamagedDesign(key, "some of its entries are missing")
    return Change(version, author, tuple(entries))


def read_head(txn: Txn, tables: Tables, version: int) -> tuple[Author, int]:
    """Who made a change, and of how many records.

    Raises UnknownChange and DamagedDesign.
    """
    key = number_key(version) if 0 < version < 2**63 else b"\0"
    value = txn.get(key, db=tables.changes)
    if value is None:
        raise UnknownChange(f"the design has no change {version}")
    try:
        head = _decode_head(unseal(key, value))
    except msgspec.MsgspecError as error:
        raise DamagedDesign(key, str(error)) from None
    return Author(head.name, UnixMs(head.at_ms), head.method), head.entry_count


def read_author(txn: Txn, tables: Tables, version: int) -> Author:
    """Of a change that there is; raises DamagedDesign."""
    try:
        author, _ = read_head(txn, tables, version)
    except UnknownChange:
        raise DamagedDesign(number_key(version), "a change is missing") from None
    return author


def read_entries(
    txn: Txn, tables: Tables, ref: Ref
) -> Iterator[tuple[int, Stored | None]]:
    """The states of a record, newest first; None stands where it was deleted."""
    key = key_of(ref)
    # Walks all changes, since a name that was deleted does not lead to its past.
    with txn.cursor(tables.changes) as cursor:
        for change_key in cursor.iterprev(keys=True, values=False):
            entry_key = change_key + key
            sealed = txn.get(entry_key, db=tables.entries)
            if sealed is not None:
                version = number_of_key(change_key)
                record = _record(ref, entry_key, unseal(entry_key, sealed)[8:])
                yield version, None if record is None else Stored(record, version)


def read_entry(txn: Txn, tables: Tables, entry_key: bytes, sealed: bytes) -> Entry:
    """An entry by its key, with what was before it; raises DamagedDesign."""
    ref = ref_of_key(entry_key[8:])
    payload = unseal(entry_key, sealed)
    after = _record(ref, entry_key, payload[8:])
    before: Record | None = None
    if number_of_key(payload):
        before_key = payload[:8] + entry_key[8:]
        found = txn.get(before_key, db=tables.entries)
        if found is None:
            raise DamagedDesign(before_key, "the state before a change is missing")
        before = _record(ref, before_key, unseal(before_key, found)[8:])
    return Entry(ref, before, after)


def _record(ref: Ref, key: bytes, data: bytes) -> Record | None:
    if not data:
        return None
    try:
        return decode_record(ref.kind, data)
    except msgspec.MsgspecError as error:
        raise DamagedDesign(key, str(error)) from None


_encode_head = msgspec.msgpack.Encoder().encode
_decode_head = msgspec.msgpack.Decoder(_Head).decode

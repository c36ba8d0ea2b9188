"""The design as it was: its changes, newest first, and what it came to at each."""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from catalog_store.design_changes import Author, Entry, read_entry, read_head
from catalog_store.design_errors import DamagedDesign, UnknownChange
from catalog_store.design_records import Design, Ref, Stored, decode_record
from catalog_store.design_values import (
    Tables,
    Txn,
    key_of,
    last_version,
    number_key,
    number_of_key,
    ref_of_key,
    unseal,
)


class LoggedChange(NamedTuple):
    """A change, as far as a list of changes shows it."""

    version: int
    author: Author
    #: Records that it changed.
    entry_count: int
    #: The first of them in order of name; in the log of one record, its own.
    entries: tuple[Entry, ...]


def read_logged(
    txn: Txn, tables: Tables, version: int, entries_max: int
) -> LoggedChange:
    """One change; raises UnknownChange and DamagedDesign."""
    author, count = read_head(txn, tables, version)
    prefix = number_key(version)
    entries: list[Entry] = []
    with txn.cursor(tables.entries) as cursor:
        if entries_max and cursor.set_range(prefix):
            for key, sealed in islice(cursor, entries_max):
                if not key.startswith(prefix):
                    break
                entries.append(read_entry(txn, tables, key, sealed))
    return LoggedChange(version, author, count, tuple(entries))


def read_log(
    txn: Txn, tables: Tables, before: int, ref: Ref | None, entries_max: int
) -> Iterator[LoggedChange]:
    """Changes with lower numbers than `before`, newest first; raises DamagedDesign.

    With a `ref`, those that changed this record.
    """
    own = b"" if ref is None else key_of(ref)
    for version in range(min(before - 1, last_version(txn, tables)), 0, -1):
        if not own:
            yield read_logged(txn, tables, version, entries_max)
            continue
        key = number_key(version) + own
        sealed = txn.get(key, db=tables.entries)
        if sealed is not None:
            author, count = read_head(txn, tables, version)
            entry = read_entry(txn, tables, key, sealed)
            yield LoggedChange(version, author, count, (entry,))


def read_design_at(txn: Txn, tables: Tables, version: int) -> Design:
    """All records as they stood after a change; after 0 there were none.

    Raises UnknownChange and DamagedDesign.
    """
    _check_known(txn, tables, version)
    found: dict[bytes, tuple[int, bytes]] = {}
    with txn.cursor(tables.entries) as cursor:
        for key, sealed in cursor:
            if number_of_key(key) > version:
                break
            found[key[8:]] = number_of_key(key), sealed
    records: dict[Ref, Stored] = {}
    for key, (number, sealed) in found.items():
        stored = _stored(key, number, sealed)
        if stored is not None:
            records[ref_of_key(key)] = stored
    return Design.of(version, records)


def read_record_at(txn: Txn, tables: Tables, ref: Ref, version: int) -> Stored | None:
    """One record as it stood after a change; None if there was none.

    Raises UnknownChange and DamagedDesign.
    """
    _check_known(txn, tables, version)
    key = key_of(ref)
    for number in range(version, 0, -1):
        sealed = txn.get(number_key(number) + key, db=tables.entries)
        if sealed is not None:
            return _stored(key, number, sealed)
    return None


def _stored(key: bytes, number: int, sealed: bytes) -> Stored | None:
    entry_key = number_key(number) + key
    data = unseal(entry_key, sealed)[8:]
    if not data:
        return None
    try:
        return Stored(decode_record(ref_of_key(key).kind, data), number)
    except msgspec.MsgspecError as error:
        raise DamagedDesign(entry_key, str(error)) from None


def _check_known(txn: Txn, tables: Tables, version: int) -> None:
    last = last_version(txn, tables)
    if not 0 <= version <= last:
        raise UnknownChange(f"the design has no change {version}; the last is {last}")

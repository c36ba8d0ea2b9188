"""Checks of a design's store: that every value can be read, and that they agree."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from catalog_store.design_changes import read_change
from catalog_store.design_errors import DamagedDesign, UnknownChange
from catalog_store.design_records import Ref, encode_record
from catalog_store.design_values import (
    Tables,
    Txn,
    key_of,
    number_key,
    number_of_key,
    read_deleted,
    ref_of_key,
    unpack_stored,
    unseal,
)
from catalog_store.records import UnixMs

#: Learns how many of how many values are checked.
Progress = Callable[[int, int], None]


class Fault(NamedTuple):
    """Something wrong, and where."""

    table: str
    key: bytes
    what: str


def design_faults(txn: Txn, tables: Tables, progress: Progress) -> Iterator[Fault]:
    """Every fault; the newest states of records first, and then each change."""
    record_count = txn.stat(tables.records)["entries"]
    change_count = txn.stat(tables.changes)["entries"]
    total, done = record_count + change_count, 0
    with txn.cursor(tables.records) as cursor:
        for key, value in cursor:
            if what := _fault_of_record(txn, tables, key, value):
                yield Fault("records", key, what)
            done += 1
            progress(done, total)
    try:
        read_deleted(txn, tables, UnixMs(0))
    except DamagedDesign as damaged:
        yield Fault("deleted", damaged.key, damaged.reason)
    expected = 1
    with txn.cursor(tables.changes) as cursor:
        for key in cursor.iternext(keys=True, values=False):
            version = number_of_key(key)
            if version != expected:
                yield Fault("changes", key, f"change {expected} is missing before it")
            expected = version + 1
            try:
                read_change(txn, tables, version)
            except DamagedDesign as damaged:
                yield Fault("changes", damaged.key, damaged.reason)
            except UnknownChange as error:
                yield Fault("changes", key, str(error))
            done += 1
            progress(done, total)
    yield from _faults_of_what_is_missing(txn, tables)


def _faults_of_what_is_missing(txn: Txn, tables: Tables) -> Iterator[Fault]:
    """Entries of no change, and records that the last entry says are there."""
    number_bytes = len(number_key(0))
    is_there: dict[bytes, bool] = {}
    with txn.cursor(tables.entries) as cursor:
        for entry_key, value in cursor:
            number, key = entry_key[:number_bytes], entry_key[number_bytes:]
            if txn.get(number, db=tables.changes) is None:
                yield Fault("entries", entry_key, "its change is missing")
            try:
                is_there[key] = len(unseal(entry_key, value)) > number_bytes
            except DamagedDesign:
                # Said of its change.
                is_there.pop(key, None)
    for key, expected in is_there.items():
        if (txn.get(key, db=tables.records) is not None) != expected:
            wrong = "is missing" if expected else "was deleted, and is there"
            yield Fault("records", key, f"the record {wrong}")


def _fault_of_record(txn: Txn, tables: Tables, key: bytes, value: bytes) -> str:
    """What is wrong with the newest state of a record, or nothing."""
    try:
        stored = unpack_stored(ref_of_key(key), key, value)
        entry_key = number_key(stored.version) + key
        entry = txn.get(entry_key, db=tables.entries)
        if entry is None:
            return f"change {stored.version}, which made it so, has no entry of it"
        payload = unseal(entry_key, entry)
    except DamagedDesign as damaged:
        return damaged.reason
    # After the number of the change before.
    if payload[len(number_key(0)) :] != encode_record(stored.record):
        return f"change {stored.version} made something else of it"
    ref = ref_of_key(key)
    if ref.kind == "approvals":
        return _fault_of_approvals(txn, tables, ref)
    return ""


def _fault_of_approvals(txn: Txn, tables: Tables, ref: Ref) -> str:
    """What approvals miss, or nothing."""
    if txn.get(key_of(Ref(ref.environment, "offers", ref.name)), db=tables.records):
        return ""
    return "its offer is missing"

"""Checks of cold parts: what a record says of them, and what is in them.

listed    of a record: each part that it lists is there, and they are in order
part      of a part: it can be read, its record lists it and says what is so
"""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from msgspec.structs import replace

from contact_store.cold_parts import (
    Propositions,
    part_key,
    split_part_key,
    unpack_part,
)
from contact_store.errors import CorruptRecord
from contact_store.flaws import Flaw, Write, leads_nowhere, one_way, only_seen
from contact_store.lmdb_env import Txn
from contact_store.packing import pack_record, unpack_record
from contact_store.reach import summary
from contact_store.records import ColdPart, ContactRecord, is_mark

#: Name -> handle.
Tables = Mapping[str, Any]


def listed(
    txn: Txn, tables: Tables, key: bytes, record: ContactRecord
) -> Iterator[Flaw]:
    """The list of parts in a record."""
    cold = tables["cold"]
    there = [
        txn.get(part_key(key, part.number), db=cold) is not None for part in record.cold
    ]
    if not all(there):
        kept = tuple(
            one for one, is_there in zip(record.cold, there, strict=True) if is_there
        )
        yield Flaw(
            f"{there.count(False)} of its cold parts are missing",
            "take them off its list; limits no longer count what was there",
            (_record_write(key, record, kept),),
        )
    if any(a.number >= b.number for a, b in pairwise(record.cold)):
        yield only_seen("the numbers of its cold parts do not ascend")
    bounds = [part.last_sequence for part in record.cold]
    sequences = _sequences(record.propositions)
    if bounds != sorted(bounds) or (
        bounds and min(sequences, default=1 << 63) <= bounds[-1]
    ):
        yield only_seen("the sequences of its cold parts do not ascend")
    if bounds and bounds[-1] >= record.next_sequence:
        yield only_seen(
            f"its next sequence is {record.next_sequence}, a cold part's {bounds[-1]}"
        )


def part(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """Some of a contact's older propositions."""
    record_key, number = split_part_key(key)
    stored = txn.get(record_key, db=tables["records"])
    try:
        record = None if stored is None else unpack_record(record_key, stored)
    except CorruptRecord:
        # Found at its own key, before this one.
        return
    said = (
        next((one for one in record.cold if one.number == number), None)
        if record
        else None
    )
    try:
        propositions = unpack_part(key, value)
    except CorruptRecord:
        yield _damaged(key, record_key, record, said)
        return
    if not propositions:
        yield only_seen("a cold part without propositions")
    elif record is None:
        yield leads_nowhere("a cold part of a record that is not there", "cold", key)
    elif said is None:
        yield _unlisted(txn, tables, record_key, record, number, propositions)
    else:
        yield from _summed_up(record_key, record, said, propositions)


def recounted(txn: Txn, tables: Tables, record_key: bytes) -> tuple[ColdPart, ...]:
    """What a record is to list, by the parts that can be read."""
    found: list[ColdPart] = []
    with txn.cursor(db=tables["cold"]) as cursor:
        is_there = cursor.set_range(record_key)
        while is_there and cursor.key().startswith(record_key):
            key, value = cursor.item()
            before = found[-1].last_sequence if found else 0
            try:
                propositions = unpack_part(key, value)
            except CorruptRecord:
                propositions = ()
            if propositions:
                last = max(before, *_sequences(propositions), 0)
                found.append(summary(split_part_key(key)[1], last, propositions))
            is_there = cursor.next()
    return tuple(found)


def _damaged(
    key: bytes, record_key: bytes, record: ContactRecord | None, said: ColdPart | None
) -> Flaw:
    writes = [Write("cold", key, None)]
    if record is not None and said is not None:
        kept = tuple(one for one in record.cold if one is not said)
        writes.append(_record_write(record_key, record, kept))
    return Flaw(
        "damaged: nobody knows what was proposed",
        "quarantine it; limits no longer count what was there, its ids are unknown",
        tuple(writes),
        is_quarantined=True,
    )


def _unlisted(
    txn: Txn,
    tables: Tables,
    record_key: bytes,
    record: ContactRecord,
    number: int,
    propositions: Propositions,
) -> Flaw:
    """A part that its record does not list, though it may be its own."""
    before = [one for one in record.cold if one.number < number]
    behind = [one for one in record.cold if one.number > number]
    following: Propositions = record.propositions
    if behind:
        key = part_key(record_key, behind[0].number)
        try:
            following = unpack_part(key, txn.get(key, db=tables["cold"]) or b"")
        except CorruptRecord:
            following = ()
    after = _sequences(following) or [record.next_sequence]
    bound = before[-1].last_sequence if before else 0
    own = _sequences(propositions)
    if own and not bound < min(own) <= max(own) < min(after):
        return only_seen("its record does not list it, and has its sequences elsewhere")
    again = summary(number, max(bound, *own, 0), propositions)
    write = _record_write(record_key, record, (*before, again, *behind))
    return one_way("its record's list of it", write)


def _summed_up(
    record_key: bytes, record: ContactRecord, said: ColdPart, propositions: Propositions
) -> Iterator[Flaw]:
    marks = [is_mark(one) for one in propositions]
    if marks != sorted(marks, reverse=True):
        yield only_seen("a mark stands behind propositions")
    sequences = _sequences(propositions)
    if any(a >= b for a, b in pairwise(sequences)):
        yield only_seen("its sequences do not ascend")
    if sequences and sequences[-1] > said.last_sequence:
        yield only_seen("it has sequences of the part behind it")
        return
    again = summary(said.number, said.last_sequence, propositions)
    if again != said:
        cold = tuple(again if one is said else one for one in record.cold)
        yield Flaw(
            "its record says something else of it",
            "count it again",
            (_record_write(record_key, record, cold),),
        )


def _record_write(
    key: bytes, record: ContactRecord, cold: tuple[ColdPart, ...]
) -> Write:
    """The record as its next version, with another list of parts."""
    after = replace(record, version=record.version + 1, cold=cold)
    return Write("records", key, pack_record(key, after))


def _sequences(propositions: Propositions) -> list[int]:
    return [one.sequence for one in propositions if not is_mark(one)]

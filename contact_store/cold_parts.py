"""Cold parts: a contact's older propositions, out of the way of its decisions.

    cold    record key, part's number    -> the propositions of one part

The record holds the newest propositions and, for each part, what a decision must know
not to read it. When the record has more than twice PART_PROPOSITIONS, the oldest of
them become a part: one write in so many carries them, and every other is small. A part
is written again when one of its propositions is answered or purged, always with its
record, in one transaction.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, filterfalse

import lmdb
import msgspec
from msgspec.structs import replace

from catalog_store.records import UnixMs
from contact_store.errors import CorruptRecord, HistoryFull
from contact_store.lmdb_env import Txn
from contact_store.reach import Reach, summary
from contact_store.records import (
    COUNTED_MAX,
    PART_PROPOSITIONS,
    ColdPart,
    ContactRecord,
    Proposition,
    is_mark,
)
from contact_store.sealed import seal, unseal

PART_NUMBER_BYTES = 4

Propositions = tuple[Proposition, ...]

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Propositions).decode


class ColdParts:
    """The table of one store, used inside its transactions."""

    DATABASES = 1

    def __init__(
        self, lmdb_env: lmdb.Environment, size: int = PART_PROPOSITIONS
    ) -> None:
        """`size` is the number of propositions in one part."""
        self._parts = lmdb_env.open_db(b"cold")
        self._size = size

    def within(
        self, txn: Txn, record_key: bytes, record: ContactRecord, reach: Reach | None
    ) -> ContactRecord:
        """The record with the propositions of all parts that are reached.

        None reaches all of them. Raises CorruptRecord, and HistoryFull when the looks
        reach more than COUNTED_MAX propositions.
        """
        if not record.cold:
            return record
        read = {
            part.number: self.read(txn, record_key, part)
            for part in record.cold
            if reach is None or reach.includes(part.newest_ms, part.statuses)
        }
        if reach is not None:
            _check_counted(record, read, reach)
            for part in _by_age(record, read) if reach.newest else ():
                if _later(record, read, part.newest_ms) >= reach.newest:
                    break
                read[part.number] = self.read(txn, record_key, part)
        if not read:
            return record
        propositions = (*_in_order(record, read), *record.propositions)
        left = tuple(part for part in record.cold if part.number not in read)
        return replace(record, propositions=propositions, cold=left)

    def read(self, txn: Txn, record_key: bytes, part: ColdPart) -> Propositions:
        """The propositions of a part that a record lists; raises CorruptRecord."""
        key = part_key(record_key, part.number)
        value = txn.get(key, db=self._parts)
        if value is None:
            raise CorruptRecord(key, "missing part of a contact's propositions")
        return unpack_part(key, value)

    def sealed(
        self, txn: Txn, record_key: bytes, record: ContactRecord, *, rest: int
    ) -> ContactRecord:
        """The record after its oldest propositions became parts, `rest` at most left.

        Parts are full, but for the last one of a record that keeps none.
        """
        hot, cold = record.propositions, list(record.cold)
        while len(hot) > rest:
            oldest, hot = hot[: self._size], hot[self._size :]
            cold.append(self.add(txn, record_key, cold, oldest))
        return replace(record, propositions=hot, cold=tuple(cold))

    def with_room(
        self, txn: Txn, record_key: bytes, record: ContactRecord
    ) -> ContactRecord:
        """The record with as many propositions beside its parts as it may have."""
        if len(record.propositions) <= 2 * self._size:
            return record
        return self.sealed(txn, record_key, record, rest=2 * self._size)

    def add(
        self,
        txn: Txn,
        record_key: bytes,
        before: Sequence[ColdPart],
        propositions: Propositions,
    ) -> ColdPart:
        """Write a part behind others; what its record is to say of it."""
        number = before[-1].number + 1 if before else 0
        # Of marks alone there is no sequence: nobody looks for one.
        last_sequence = propositions[-1].sequence or (
            before[-1].last_sequence if before else 0
        )
        return self._put(txn, record_key, number, last_sequence, propositions)

    def rewritten(
        self,
        txn: Txn,
        record_key: bytes,
        cold: tuple[ColdPart, ...],
        part: ColdPart,
        propositions: Propositions,
    ) -> tuple[ColdPart, ...]:
        """Write other propositions into a part; what its record is to list then.

        Nothing is left of a part without propositions. One that became smaller joins
        the part before if it fits, so that a list of parts is no longer than their
        propositions need. Raises CorruptRecord before anything is written.
        """
        index = cold.index(part)
        before = cold[index - 1 : index]
        if not propositions:
            self._delete(txn, record_key, part)
            return (*cold[:index], *cold[index + 1 :])
        is_smaller = len(propositions) < part.count
        joins = before and before[0].count + len(propositions) <= self._size
        if not (is_smaller and joins):
            after = self._put(
                txn, record_key, part.number, part.last_sequence, propositions
            )
            return (*cold[:index], after, *cold[index + 1 :])
        joined = marks_first((*self.read(txn, record_key, before[0]), *propositions))
        self._delete(txn, record_key, part)
        after = self._put(txn, record_key, before[0].number, part.last_sequence, joined)
        return (*cold[: index - 1], after, *cold[index + 1 :])

    def erase(self, txn: Txn, record_key: bytes) -> None:
        """Remove all parts of a record, those that it does not list included."""
        with txn.cursor(db=self._parts) as cursor:
            found = cursor.set_range(record_key)
            while found and cursor.key().startswith(record_key):
                found = cursor.delete()

    def _put(
        self,
        txn: Txn,
        record_key: bytes,
        number: int,
        last_sequence: int,
        propositions: Propositions,
    ) -> ColdPart:
        key = part_key(record_key, number)
        txn.put(key, pack_part(key, propositions), db=self._parts)
        return summary(number, last_sequence, propositions)

    def _delete(self, txn: Txn, record_key: bytes, part: ColdPart) -> None:
        txn.delete(part_key(record_key, part.number), db=self._parts)


def part_key(record_key: bytes, number: int) -> bytes:
    return record_key + number.to_bytes(PART_NUMBER_BYTES, "big")


def split_part_key(key: bytes) -> tuple[bytes, int]:
    """The record's key, and the part's number."""
    record_key, number = key[:-PART_NUMBER_BYTES], key[-PART_NUMBER_BYTES:]
    return record_key, int.from_bytes(number, "big")


def pack_part(key: bytes, propositions: Propositions) -> bytes:
    return seal(key, _encode(propositions))


def unpack_part(key: bytes, value: bytes) -> Propositions:
    """The propositions, or CorruptRecord naming the key."""
    try:
        return _decode(unseal(key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(key, str(error)) from error


def marks_first(propositions: Propositions) -> Propositions:
    return (
        *filter(is_mark, propositions),
        *filterfalse(is_mark, propositions),
    )


#: Propositions that were read, by the numbers of their parts.
_Read = dict[int, Propositions]


def _in_order(record: ContactRecord, read: _Read) -> Iterator[Proposition]:
    parts = (read[part.number] for part in record.cold if part.number in read)
    return chain.from_iterable(parts)


def _by_age(record: ContactRecord, read: _Read) -> list[ColdPart]:
    """Parts that are not read yet, that with the newest moment first."""
    unread = [part for part in record.cold if part.number not in read]
    return sorted(unread, key=lambda part: part.newest_ms, reverse=True)


def _later(record: ContactRecord, read: _Read, moment_ms: UnixMs) -> int:
    """How many of those read happened after everything up to a moment."""
    known = chain(_in_order(record, read), record.propositions)
    return sum(one.event_time_ms > moment_ms for one in known)


def _check_counted(record: ContactRecord, read: _Read, reach: Reach) -> None:
    """Raise HistoryFull for more than one decision may count."""
    most = len(record.propositions) + sum(map(len, read.values()))
    if most <= COUNTED_MAX:
        return
    counted = reach.counted(chain(_in_order(record, read), record.propositions))
    if counted > COUNTED_MAX:
        raise HistoryFull(
            f"the contact has {counted} propositions inside the longest period of the"
            f" presentation rules, of at most {COUNTED_MAX}: limits count no fewer"
        )

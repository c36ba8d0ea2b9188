"""Keys and values of the design store; every value has a checksum, as LMDB has none.

key of a record    environment NUL kind NUL name; names hold no NUL
byte 0             format
bytes 1 to 4       CRC32 of the key and the payload, big-endian
bytes 5 ..         payload
"""

from typing import Any, NamedTuple, TypeAlias
from zlib import crc32

import lmdb
import msgspec

from catalog_store.design_errors import DamagedDesign
from catalog_store.design_records import (
    RECORD_OF_KIND,
    Deleted,
    Ref,
    Stored,
    decode_record,
    encode_record,
)
from catalog_store.records import Environment, UnixMs

#: A transaction whose reads are copies, never views of the map.
Txn: TypeAlias = "lmdb.Transaction[bytes]"

TABLES = ("records", "deleted", "expiries", "changes", "entries")
#: How long what was deleted can still be listed.
RETENTION_MS = 30 * 86_400_000

_FORMAT = 1
_HEAD_BYTES = 5
_NUMBER_BYTES = 8


class Tables(NamedTuple):
    """LMDB's handles of TABLES."""

    records: Any
    deleted: Any
    expiries: Any
    changes: Any
    entries: Any


def key_of(ref: Ref) -> bytes:
    return "\0".join(ref).encode()


def ref_of_key(key: bytes) -> Ref:
    """Raises DamagedDesign when it is the key of no record."""
    try:
        parts = key.decode().split("\0")
    except UnicodeDecodeError:
        parts = []
    if len(parts) != len(Ref._fields) or parts[1] not in RECORD_OF_KIND:
        raise DamagedDesign(key, "the key of no record")
    return Ref(*parts)


def number_key(number: int) -> bytes:
    """Keys in the order of their numbers."""
    return number.to_bytes(_NUMBER_BYTES, "big")


def number_of_key(key: bytes) -> int:
    return int.from_bytes(key[:_NUMBER_BYTES], "big")


def seal(key: bytes, payload: bytes) -> bytes:
    checksum = crc32(payload, crc32(key))
    return bytes((_FORMAT,)) + checksum.to_bytes(4, "big") + payload


def unseal(key: bytes, value: bytes) -> bytes:
    """The payload; raises DamagedDesign."""
    if len(value) < _HEAD_BYTES or value[0] != _FORMAT:
        raise DamagedDesign(key, "unknown format")
    payload = value[_HEAD_BYTES:]
    if int.from_bytes(value[1:_HEAD_BYTES], "big") != crc32(payload, crc32(key)):
        raise DamagedDesign(key, "wrong checksum")
    return payload


def pack_stored(key: bytes, stored: Stored) -> bytes:
    return seal(key, number_key(stored.version) + encode_record(stored.record))


def unpack_stored(ref: Ref, key: bytes, value: bytes) -> Stored:
    """Raises DamagedDesign."""
    payload = unseal(key, value)
    try:
        record = decode_record(ref.kind, payload[_NUMBER_BYTES:])
    except msgspec.MsgspecError as error:
        raise DamagedDesign(key, str(error)) from None
    return Stored(record, number_of_key(payload))


def last_version(txn: Txn, tables: Tables) -> int:
    with txn.cursor(tables.changes) as cursor:
        return number_of_key(cursor.key()) if cursor.last() else 0


def read_environments(txn: Txn, tables: Tables) -> list[Environment]:
    """Their own records; what is in an environment is stepped over."""
    found: list[Environment] = []
    with txn.cursor(tables.records) as cursor:
        is_there = cursor.first()
        while is_there:
            key = cursor.key()
            ref = ref_of_key(key)
            record = unpack_stored(ref, key, cursor.value()).record
            if isinstance(record, Environment):
                found.append(record)
            # Its own key is the first that begins with its name.
            is_there = cursor.set_range(f"{ref.environment}\x01".encode())
    return found


def read_deleted(txn: Txn, tables: Tables, now_ms: UnixMs) -> dict[Ref, Deleted]:
    """What was deleted within RETENTION_MS, and not made again since."""
    found: dict[Ref, Deleted] = {}
    with txn.cursor(tables.expiries) as cursor:
        if not cursor.set_range(number_key(max(0, now_ms - RETENTION_MS))):
            return found
        for expiry_key, _ in cursor:
            key = expiry_key[_NUMBER_BYTES:]
            value = txn.get(key, db=tables.deleted)
            if value is None:
                raise DamagedDesign(key, "nothing was kept of what was deleted")
            ref = ref_of_key(key)
            deleted_at_ms = UnixMs(number_of_key(expiry_key))
            found[ref] = Deleted(unpack_stored(ref, key, value), deleted_at_ms)
    return found


def keep_deleted(
    txn: Txn, tables: Tables, ref: Ref, stored: Stored, now_ms: UnixMs
) -> None:
    key = key_of(ref)
    txn.put(key, pack_stored(key, stored), db=tables.deleted)
    txn.put(number_key(now_ms) + key, b"", db=tables.expiries)


def forget_deleted(txn: Txn, tables: Tables, made: set[Ref], now_ms: UnixMs) -> None:
    """Remove what is made again now, and what was deleted before RETENTION_MS."""
    again = {key_of(ref) for ref in made}
    gone: list[bytes] = []
    with txn.cursor(tables.expiries) as cursor:
        for expiry_key, _ in cursor:
            is_old = number_of_key(expiry_key) < now_ms - RETENTION_MS
            if is_old or expiry_key[_NUMBER_BYTES:] in again:
                gone.append(expiry_key)
    for expiry_key in gone:
        txn.delete(expiry_key[_NUMBER_BYTES:], db=tables.deleted)
        txn.delete(expiry_key, db=tables.expiries)

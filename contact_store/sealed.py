"""Values with a checksum, because LMDB has none.

    byte 0        format
    bytes 1 to 4  CRC32 of the key and the payload, big-endian
    bytes 5 ..    payload

The key counts, so that a value that turns up under another contact's key is damage
too.
"""

from struct import Struct
from zlib import crc32

from contact_store.errors import CorruptRecord

FORMAT = 1
_HEAD_BYTES = 5
_head = Struct(">BI").pack


def seal(key: bytes, payload: bytes) -> bytes:
    return _head(FORMAT, crc32(payload, crc32(key))) + payload


def unseal(key: bytes, value: bytes) -> bytes:
    """The payload, or CorruptRecord naming the key."""
    payload = value[_HEAD_BYTES:]
    if value[:_HEAD_BYTES] == _head(FORMAT, crc32(payload, crc32(key))):
        return payload
    if len(value) < _HEAD_BYTES or value[0] != FORMAT:
        raise CorruptRecord(key, "unknown format")
    raise CorruptRecord(key, "wrong checksum")

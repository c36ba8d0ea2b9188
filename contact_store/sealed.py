"""Values with a checksum, because LMDB has none.

    byte 0        format
    bytes 1 to 4  CRC32 of the key and the payload, big-endian
    bytes 5 ..    payload

The key counts, so that a value that turns up under another contact's key is damage
too.
"""

from zlib import crc32

from contact_store.errors import CorruptRecord

FORMAT = 1
_HEAD_BYTES = 5


def seal(key: bytes, payload: bytes) -> bytes:
    checksum = crc32(payload, crc32(key))
    return b"\x01" + checksum.to_bytes(4, "big") + payload


def unseal(key: bytes, value: bytes) -> bytes:
    """The payload, or CorruptRecord naming the key."""
    if len(value) < _HEAD_BYTES or value[0] != FORMAT:
        raise CorruptRecord(key, "unknown format")
    payload = value[_HEAD_BYTES:]
    if int.from_bytes(value[1:_HEAD_BYTES], "big") != crc32(payload, crc32(key)):
        raise CorruptRecord(key, "wrong checksum")
    return payload

"""Items to sealed chunks, and what a chunk is refused with.

    chunk = CRC-32 of the rest, four bytes, big end first; a msgpack array of items

The file's sha256 is verified when it is installed; the CRC tells of a disk that forgot
since then, and costs 0.3 ms per megabyte (CPython 3.11, two busy cores).
"""

from collections.abc import Iterable, Iterator
from zlib import crc32

import msgspec

#: A chunk is full with so many bytes, unless its first item alone is larger.
CHUNK_BYTES = 32_768
#: Items of one chunk; decoding a record takes some microseconds.
CHUNK_ITEMS_MAX = 128
#: Goes up when a file of before cannot be read any more: 2 cut it into chunks. What was
#: written before has no header.
FORMAT = 2

encode = msgspec.msgpack.Encoder(order="deterministic").encode

_SEAL_BYTES = 4


def sealed_chunks(items: Iterable[object], items_max: int) -> Iterator[bytes]:
    """Items in order, as many in a chunk as its bounds allow."""
    held: list[bytes] = []
    held_bytes = 0
    for item in items:
        encoded = encode(item)
        if held and (len(held) >= items_max or held_bytes + len(encoded) > CHUNK_BYTES):
            yield sealed(_array(held))
            held, held_bytes = [], 0
        held.append(encoded)
        held_bytes += len(encoded)
    if held:
        yield sealed(_array(held))


def sealed(data: bytes) -> bytes:
    return crc32(data).to_bytes(_SEAL_BYTES, "big") + data


def unsealed(value: bytes | memoryview | None, key: str) -> bytes:
    """A copy of what was sealed; raises DamagedRevision if it is missing or changed."""
    if value is None:
        raise damaged(f"the revision file has no {key!r}")
    data = bytes(value[_SEAL_BYTES:])
    if not data or crc32(data) != int.from_bytes(value[:_SEAL_BYTES], "big"):
        raise damaged(f"{key!r} of the revision file is damaged")
    return data


def damaged(what: str) -> Exception:
    """The DamagedRevision to raise, with the remedy."""
    # Imported here: `revisions` imports this package.
    from catalog_store.revisions import DamagedRevision

    return DamagedRevision(f"{what}; publish the catalog's files again")


def _array(encoded: list[bytes]) -> bytes:
    # The msgpack header of an array of up to 65,535 items, shorter for up to 15.
    count = len(encoded)
    head = bytes((0x90 | count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    return head + b"".join(encoded)

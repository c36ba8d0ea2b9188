"""Layouts: which value of a stored profile is which attribute's.

A profile is the msgpack array `[layout number, value, value, ...]`. The layout says
what the values are; it is stored once, under its number, and never changes. A
catalog with other attributes makes another layout, and profiles of both are read.
"""

from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from catalog_store.records import Attribute, AttributeType
from contact_store.errors import CorruptRecord
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal


class Layout(msgspec.Struct, frozen=True, array_like=True):
    """Names and types, in the order of the values."""

    names: tuple[str, ...]
    types: tuple[AttributeType, ...]


_LAST = b"layouts"
_NUMBERED = b"layout:"
_DIGESTED = b"layout-of:"
_decode = msgspec.msgpack.Decoder(Layout).decode
_encode = msgspec.msgpack.Encoder().encode


def layout_of(attributes: Sequence[Attribute]) -> Layout:
    return Layout(
        tuple(attribute.name for attribute in attributes),
        tuple(attribute.type for attribute in attributes),
    )


def find_layout(txn: Txn, number: int) -> Layout:
    """The layout of that number; raises CorruptRecord when there is none."""
    key = _NUMBERED + number.to_bytes(4, "big")
    value = txn.get(key)
    if value is None:
        raise CorruptRecord(key, "missing layout")
    try:
        return _decode(unseal(key, value))
    except msgspec.DecodeError as error:
        raise CorruptRecord(key, str(error)) from error


def number_layout(txn: Txn, layout: Layout) -> int:
    """The layout's number; allocated when the layout is new."""
    encoded = _encode(layout)
    digest_key = _DIGESTED + blake2b(encoded, digest_size=16).digest()
    known = txn.get(digest_key)
    if known is not None:
        return int.from_bytes(unseal(digest_key, known), "big")
    last = txn.get(_LAST)
    number = 1 if last is None else int.from_bytes(unseal(_LAST, last), "big") + 1
    stored = number.to_bytes(4, "big")
    key = _NUMBERED + stored
    txn.put(key, seal(key, encoded))
    txn.put(digest_key, seal(digest_key, stored))
    txn.put(_LAST, seal(_LAST, stored))
    return number

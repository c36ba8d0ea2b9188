"""Checks of the main tables: numbers of environments and of layouts, the profiles.

environment:<name>     the number, and back:
environment-name:<n>   the name
layout:<n>             names and types, and back:
layout-of:<digest>     the number
0x80 ...               profiles, by layer
"""

from collections.abc import Iterator
from hashlib import blake2b

import msgspec

from contact_store.environment_numbers import ENVIRONMENT_NUMBER_BYTES
from contact_store.errors import CorruptRecord
from contact_store.flaws import (
    Flaw,
    Write,
    damaged,
    leads_nowhere,
    one_way,
    only_seen,
    unreadable,
)
from contact_store.history_checks import Tables
from contact_store.layouts import Layout, find_layout
from contact_store.lmdb_env import Txn
from contact_store.profile_layers import PREFIX_BYTES, read_layers
from contact_store.profile_values import decode_profile
from contact_store.sealed import seal, unseal
from contact_store.slots import fits

#: The name of the main table.
MAIN = "main"

_NAMED = b"environment:"
_NUMBERED = b"environment-name:"
_LAYOUT = b"layout:"
_LAYOUT_OF = b"layout-of:"
_PROFILE = b"\x80"
#: Of profiles erased during an import: their values are empty.
_ERASED = b"\x81"
#: What is lost without them is made again.
_REMADE = {b"purge": "the purge begins with the first record again"}

_decode_layout = msgspec.msgpack.Decoder(Layout).decode


def main(txn: Txn, tables: Tables, key: bytes, value: bytes) -> Iterator[Flaw]:
    """Any entry of a main table."""
    if key.decode("latin-1") in tables:
        # LMDB's own: where the other tables are.
        return
    if key.startswith(_PROFILE):
        yield from _profile(txn, key, value)
    elif key.startswith(_ERASED):
        return
    elif key.startswith(_NAMED):
        yield from _pair(txn, key, value, _NAMED, _NUMBERED, "the number's name")
    elif key.startswith(_NUMBERED):
        yield from _pair(txn, key, value, _NUMBERED, _NAMED, "the name's number")
    elif key.startswith(_LAYOUT):
        yield from _layout(txn, key, value)
    elif key.startswith(_LAYOUT_OF):
        yield from _layout_digest(txn, key, value)
    elif _payload(key, value) is None:
        remedy = _REMADE.get(key)
        if remedy is None:
            yield unreadable("damaged")
        else:
            yield damaged("damaged", f"remove it; {remedy}", MAIN, key)


def _pair(
    txn: Txn, key: bytes, value: bytes, prefix: bytes, back_prefix: bytes, back: str
) -> Iterator[Flaw]:
    """One of two entries that name each other."""
    other = _payload(key, value)
    own = key[len(prefix) :]
    if other is None:
        found = _named_back(txn, own, back_prefix)
        if found is None:
            yield unreadable("damaged, and nothing else says it")
        else:
            again = (Write(MAIN, key, seal(key, found)),)
            yield Flaw("damaged", "write it again", again)
        return
    back_key = back_prefix + other
    if txn.get(back_key) is None:
        yield one_way(back, Write(MAIN, back_key, seal(back_key, own)))


def _named_back(txn: Txn, own: bytes, back_prefix: bytes) -> bytes | None:
    """Which of the other entries says that this one is its own."""
    with txn.cursor() as cursor:
        found = cursor.set_range(back_prefix)
        while found and cursor.key().startswith(back_prefix):
            key, value = cursor.item()
            if _payload(key, value) == own:
                return key[len(back_prefix) :]
            found = cursor.next()
    return None


def _layout(txn: Txn, key: bytes, value: bytes) -> Iterator[Flaw]:
    encoded = _payload(key, value)
    if encoded is None:
        yield unreadable("damaged: profiles of that layout cannot be read")
        return
    try:
        _decode_layout(encoded)
    except msgspec.DecodeError:
        yield unreadable("not a layout: profiles of it cannot be read")
        return
    digest_key = _LAYOUT_OF + blake2b(encoded, digest_size=16).digest()
    if txn.get(digest_key) is None:
        number = key[len(_LAYOUT) :]
        back = Write(MAIN, digest_key, seal(digest_key, number))
        yield one_way("the number of its digest", back)


def _layout_digest(txn: Txn, key: bytes, value: bytes) -> Iterator[Flaw]:
    number = _payload(key, value)
    if number is None:
        # Without it the same layout gets another number, which is as good.
        yield damaged("damaged", "remove it", MAIN, key)
    elif txn.get(_LAYOUT + number) is None:
        yield leads_nowhere("there is no such layout", MAIN, key)


def _profile(txn: Txn, key: bytes, value: bytes) -> Iterator[Flaw]:
    own_key = key[PREFIX_BYTES:]
    try:
        number, *values = decode_profile(own_key, value)
    except CorruptRecord:
        yield _unusable("damaged", key)
        return
    layers = read_layers(txn)
    layer = int.from_bytes(key[1:PREFIX_BYTES], "big")
    if layer not in layers.visible and layer != layers.writing:
        yield leads_nowhere("of an import that nobody will publish", MAIN, key)
        return
    environment = own_key[:ENVIRONMENT_NUMBER_BYTES]
    if txn.get(_NUMBERED + environment) is None:
        yield only_seen("of an environment without a name")
    try:
        layout = find_layout(txn, number) if isinstance(number, int) else None
    except (CorruptRecord, OverflowError):
        layout = None
    if layout is None:
        yield _unusable("of a layout that is not there", key)
    elif len(values) != len(layout.names):
        yield _unusable(f"{len(values)} values for {len(layout.names)} names", key)
    else:
        wrong = [
            name
            for name, kind, slot in zip(layout.names, layout.types, values, strict=True)
            if slot is not None and not fits(kind, slot)
        ]
        if wrong:
            yield _unusable(f"not what its layout says: {', '.join(wrong)}", key)


def _unusable(reason: str, key: bytes) -> Flaw:
    remedy = "quarantine it; the contact has no profile until it is imported again"
    return damaged(reason, remedy, MAIN, key)


def _payload(key: bytes, value: bytes) -> bytes | None:
    try:
        return unseal(key, value)
    except CorruptRecord:
        return None

"""Profiles that are erased while an import is under way.

An import that is published later must not bring back what was erased meanwhile, though
its file was made before. While a layer is written, whoever is erased leaves a mark
there, and the import leaves out the marked:

    0x81  layer (4 bytes)  hash of environment number and contact id -> nothing

A mark lives as long as its import. What is imported from then on is new.
"""

from hashlib import blake2b

from contact_store.lmdb_env import Txn
from contact_store.profile_layers import layer_prefix, read_layers

_MARK = b"\x81"
_HASH_BYTES = 16


def erase_profile(txn: Txn, own_key: bytes) -> bool:
    """Remove a profile from every layer; False when no visible one had it."""
    layers = read_layers(txn)
    if layers.writing is not None:
        txn.delete(layer_prefix(layers.writing) + own_key)
        txn.put(_mark(layers.writing, own_key), b"")
    return any([txn.delete(layer_prefix(one) + own_key) for one in layers.visible])


def has_marks(txn: Txn) -> bool:
    """Whether anybody was erased while the layer of now is written."""
    with txn.cursor() as cursor:
        return cursor.set_range(_MARK) and cursor.key().startswith(_MARK)


def is_marked(txn: Txn, layer: int, own_key: bytes) -> bool:
    return txn.get(_mark(layer, own_key)) is not None


def drop_marks(txn: Txn) -> None:
    """Forget who was erased, when no layer is written any more."""
    with txn.cursor() as cursor:
        while cursor.set_range(_MARK) and cursor.key().startswith(_MARK):
            cursor.delete()


def _mark(layer: int, own_key: bytes) -> bytes:
    digest = blake2b(own_key, digest_size=_HASH_BYTES).digest()
    return _MARK + layer.to_bytes(4, "big") + digest

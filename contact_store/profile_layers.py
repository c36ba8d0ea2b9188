"""Layers of profiles: what an import writes, and how it joins what was there.

Keys of profiles, and what is visible:

    0x80  layer (4 bytes)  environment number (2 bytes)  contact id (UTF-8)

    layers = (7, 3)    visible, newest first; a lookup takes the first hit
    writing = 9        the layer that an import fills and nobody reads

    begin      allocates 9; drops what an interrupted import left in `writing`
    publish    layers = (9, 3), in one small transaction
    fold       moves 9's profiles to 3, some hundred per transaction, then
               layers = (3,)

A moved profile is copied and deleted in one transaction, so that every snapshot
sees each contact exactly once. All of it is in the store: whoever comes next resumes
an interrupted fold.
"""

from collections.abc import Callable

import lmdb
import msgspec

from contact_store.lmdb_env import Txn, write_txn
from contact_store.sealed import seal, unseal

#: Profiles moved or dropped in one write transaction: 4 ms at 15 attributes.
FOLD_BATCH = 2_000

#: Of a key: the mark, the layer.
PREFIX_BYTES = 5

_MARK = b"\x80"
_STATE = b"layers"


class Layers(msgspec.Struct, frozen=True, array_like=True):
    """The state of all layers, one value in the store."""

    #: Newest first; the last one is what the others are folded into.
    visible: tuple[int, ...] = (1,)
    #: The layer of an import that has not been published.
    writing: int | None = None
    #: Greatest number ever given.
    last: int = 1


_decode = msgspec.msgpack.Decoder(Layers).decode
_encode = msgspec.msgpack.Encoder().encode


def read_layers(txn: Txn) -> Layers:
    value = txn.get(_STATE)
    return Layers() if value is None else _decode(unseal(_STATE, value))


def layer_prefix(layer: int) -> bytes:
    return _MARK + layer.to_bytes(4, "big")


def begin_layer(lmdb_env: lmdb.Environment) -> int:
    """A fresh layer to write in; resumes folds and drops abandoned layers first."""
    drop_abandoned(lmdb_env)
    fold(lmdb_env)
    with write_txn(lmdb_env) as txn:
        layers = read_layers(txn)
        number = layers.last + 1
        _write_layers(txn, Layers(layers.visible, writing=number, last=number))
    return number


def publish_layer(lmdb_env: lmdb.Environment) -> None:
    """Make the layer being written visible, as the newest."""
    with write_txn(lmdb_env) as txn:
        layers = read_layers(txn)
        assert layers.writing is not None, "begin_layer() comes first"
        below = layers.visible
        # The first import of all has nothing to be folded into.
        if not any(_some_keys(txn, layer_prefix(layer), 1) for layer in below):
            below = ()
        visible = (layers.writing, *below)
        _write_layers(txn, Layers(visible, writing=None, last=layers.last))


def drop_abandoned(lmdb_env: lmdb.Environment) -> None:
    """Delete, in batches, the layer that nobody will publish."""
    while True:
        with write_txn(lmdb_env) as txn:
            layers = read_layers(txn)
            if layers.writing is None:
                return
            keys = _some_keys(txn, layer_prefix(layers.writing), FOLD_BATCH)
            for key in keys:
                txn.delete(key)
            if len(keys) < FOLD_BATCH:
                done = Layers(layers.visible, writing=None, last=layers.last)
                _write_layers(txn, done)


def fold(
    lmdb_env: lmdb.Environment, on_moved: Callable[[int], None] = lambda _: None
) -> None:
    """Fold until one layer is left; `on_moved` learns how many each batch moved.

    It is called with 0 first, if there is anything to fold.
    """
    with lmdb_env.begin() as txn:
        if len(read_layers(txn).visible) == 1:
            return
    on_moved(0)
    while (moved := fold_batch(lmdb_env)) is not None:
        on_moved(moved)


def fold_batch(lmdb_env: lmdb.Environment, limit: int = FOLD_BATCH) -> int | None:
    """Move up to `limit` profiles one layer down; None when one layer is left."""
    with write_txn(lmdb_env) as txn:
        layers = read_layers(txn)
        if len(layers.visible) == 1:
            return None
        # At most two: begin_layer folds before there can be a third.
        upper, lower = layers.visible
        target = layer_prefix(lower)
        keys = _some_keys(txn, layer_prefix(upper), limit)
        for key in keys:
            value = txn.pop(key)
            assert value is not None, "a key that this transaction has just seen"
            txn.put(target + key[PREFIX_BYTES:], value)
        if len(keys) < limit:
            _write_layers(txn, Layers((lower,), layers.writing, layers.last))
    return len(keys)


def _some_keys(txn: Txn, prefix: bytes, limit: int) -> list[bytes]:
    keys: list[bytes] = []
    with txn.cursor() as cursor:
        if cursor.set_range(prefix):
            for key in cursor.iternext(keys=True, values=False):
                if len(keys) == limit or not key.startswith(prefix):
                    break
                keys.append(key)
    return keys


def _write_layers(txn: Txn, layers: Layers) -> None:
    txn.put(_STATE, seal(_STATE, _encode(layers)))

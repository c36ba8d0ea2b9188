"""The secret keys of proposition ids, kept in the store that they are for.

    id-key:<n>   the secret, and of a retired key the time up to which it was used

A store that was made of a backup counts propositions and contacts from where the backup
was made: places are given a second time that clients know ids of. Hence its keys are
retired. An id made with a retired key is good if the store of the backup had given its
place; the same place, given anew, is under another key.
"""

from collections.abc import Callable
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.lmdb_env import Txn
from contact_store.proposition_ids import ID_KEY_BYTES, ID_KEYS_MAX
from contact_store.sealed import seal, unseal

#: Gives that many unpredictable bytes.
RandomBytes = Callable[[int], bytes]

_PREFIX = b"id-key:"
_TIME_BYTES = 8


class TooManyIdKeys(Exception):
    """The store has had as many keys as it ever may; it can still be read."""


class _IdKey(NamedTuple):
    secret: bytes
    #: No proposition that was decided later has an id of this key; None for a key
    #: that is not retired.
    retired_at_ms: UnixMs | None


def read_id_keys(txn: Txn) -> dict[int, bytes]:
    """All secrets by number, oldest first; raises CorruptRecord."""
    return {number: key.secret for number, key in _keys(txn).items()}


def read_retired_at(txn: Txn, number: int) -> UnixMs | None:
    """Up to when a retired key was used; None for one that is not retired.

    Raises CorruptRecord.
    """
    return _decode(_key(number), txn.get(_key(number)) or b"").retired_at_ms


def add_id_key(txn: Txn, random_bytes: RandomBytes) -> dict[int, bytes]:
    """All secrets, a new one last: new ids are made with it, and old ids stay good.

    Raises TooManyIdKeys and CorruptRecord.
    """
    keys = read_id_keys(txn)
    number = max(keys, default=0) + 1
    if number > ID_KEYS_MAX:
        raise TooManyIdKeys(
            f"the store has had {ID_KEYS_MAX} id keys, one for each time that it was"
            " restored, and cannot have more"
        )
    secret = random_bytes(ID_KEY_BYTES)
    key = _key(number)
    txn.put(key, seal(key, secret))
    return {**keys, number: secret}


def retire_id_keys(txn: Txn, random_bytes: RandomBytes, at_ms: UnixMs) -> None:
    """Add a key, and retire all others that are not yet; raises as `add_id_key`."""
    for number, key in _keys(txn).items():
        if key.retired_at_ms is None:
            payload = key.secret + at_ms.to_bytes(_TIME_BYTES, "big")
            txn.put(_key(number), seal(_key(number), payload))
    add_id_key(txn, random_bytes)


def _keys(txn: Txn) -> dict[int, _IdKey]:
    keys: dict[int, _IdKey] = {}
    with txn.cursor() as cursor:
        if cursor.set_range(_PREFIX):
            for key, value in cursor.iternext():
                if not key.startswith(_PREFIX):
                    break
                keys[key[-1]] = _decode(key, value)
    return keys


def _key(number: int) -> bytes:
    return _PREFIX + bytes([number])


def _decode(key: bytes, value: bytes) -> _IdKey:
    payload = unseal(key, value)
    secret, retired = payload[:ID_KEY_BYTES], payload[ID_KEY_BYTES:]
    return _IdKey(secret, UnixMs(int.from_bytes(retired, "big")) if retired else None)

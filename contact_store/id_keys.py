"""The secret keys of proposition ids, kept in the store that they are for."""

from collections.abc import Callable

from contact_store.lmdb_env import Txn
from contact_store.proposition_ids import ID_KEY_BYTES, ID_KEYS_MAX
from contact_store.sealed import seal, unseal

#: Gives that many unpredictable bytes.
RandomBytes = Callable[[int], bytes]

_PREFIX = b"id-key:"


def read_id_keys(txn: Txn) -> dict[int, bytes]:
    """All keys by number, oldest first."""
    keys: dict[int, bytes] = {}
    with txn.cursor() as cursor:
        if cursor.set_range(_PREFIX):
            for key, value in cursor.iternext():
                if not key.startswith(_PREFIX):
                    break
                keys[key[-1]] = unseal(key, value)
    return keys


def add_id_key(txn: Txn, random_bytes: RandomBytes) -> dict[int, bytes]:
    """All keys, a new one last: new ids are made with it, and old ids stay good."""
    keys = read_id_keys(txn)
    number = max(keys, default=0) + 1
    if number > ID_KEYS_MAX:
        raise ValueError(f"id keys: at most {ID_KEYS_MAX} ever in one store")
    secret = random_bytes(ID_KEY_BYTES)
    key = _PREFIX + bytes([number])
    txn.put(key, seal(key, secret))
    return {**keys, number: secret}

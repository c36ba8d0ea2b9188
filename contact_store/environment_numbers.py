"""Small numbers for environment names, in keys and in proposition ids.

Allocated at the first write, never reused and never changed, per store.
"""

import re

from catalog_store.records import NAME_PATTERN
from contact_store.lmdb_env import Txn
from contact_store.sealed import seal, unseal

#: Two bytes in keys and ids.
ENVIRONMENTS_MAX = 65_535
ENVIRONMENT_NUMBER_BYTES = 2

_NAME = re.compile(NAME_PATTERN)
_LAST = b"environments"
_NAMED = b"environment:"


def find_environment(txn: Txn, environment: str) -> bytes | None:
    """The number, as keys hold it; None when nothing was ever stored there."""
    if not _NAME.fullmatch(environment):
        return None
    key = _NAMED + environment.encode()
    value = txn.get(key)
    return None if value is None else unseal(key, value)


def number_environment(txn: Txn, environment: str) -> bytes:
    """The number, as keys hold it; allocated when the name is new."""
    found = find_environment(txn, environment)
    if found is not None:
        return found
    if not _NAME.fullmatch(environment):
        raise ValueError(f"environment {environment!r}: not an environment's name")
    last = txn.get(_LAST)
    number = 1 if last is None else int.from_bytes(unseal(_LAST, last), "big") + 1
    if number > ENVIRONMENTS_MAX:
        raise ValueError(f"environments: at most {ENVIRONMENTS_MAX} ever in one store")
    encoded = number.to_bytes(ENVIRONMENT_NUMBER_BYTES, "big")
    key = _NAMED + environment.encode()
    txn.put(key, seal(key, encoded))
    txn.put(_LAST, seal(_LAST, encoded))
    return encoded

"""Resource names as history keeps them: 64 bits instead of a text."""

from functools import lru_cache
from hashlib import blake2b

#: Names remembered; a catalog's offers, categories and spaces fit.
_NAMES_MAX = 262_144


@lru_cache(maxsize=_NAMES_MAX)
def name_hash(resource_name: str) -> int:
    """The same number for the same name in every process, version and machine.

    Two of a million names share a hash with a probability of 3 in 100 million.
    """
    return int.from_bytes(blake2b(resource_name.encode(), digest_size=8).digest())

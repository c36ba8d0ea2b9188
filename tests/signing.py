"""Keys for tests: made anew, and trusted by a folder."""

from typing import Any

from catalog_store.keys import PrivateKey
from catalog_store.revisions import Revisions


def trusted_key(revisions: Revisions, name: str = "build", **times: Any) -> PrivateKey:
    """A build machine's key that a folder trusts, for ever unless told otherwise."""
    key = PrivateKey.generate()
    revisions.trust.trust(key.public, name=name, **{"valid_from_ms": 0, **times})
    return key

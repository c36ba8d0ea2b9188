"""Contact and visitor ids as callers write them, and as keys hold them."""

import re
from typing import NamedTuple

from contact_store.errors import InvalidContactId

#: In UTF-8. Keys of LMDB end at 511 bytes, so that no id needs hashing.
CONTACT_ID_BYTES_MAX = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ContactName(NamedTuple):
    """What callers call a contact: the same id elsewhere is another contact."""

    environment: str
    contact_id: str


def contact_id_bytes(contact_id: str, field: str = "contact_id") -> bytes:
    """The id in UTF-8; raises InvalidContactId naming the field."""
    try:
        encoded = contact_id.encode()
    except UnicodeEncodeError as error:
        raise InvalidContactId(f"{field} is not text: send UTF-8") from error
    if not 0 < len(encoded) <= CONTACT_ID_BYTES_MAX:
        raise InvalidContactId(
            f"{field} has {len(encoded)} bytes:"
            f" send 1 to {CONTACT_ID_BYTES_MAX} bytes of UTF-8"
        )
    # PERF: spares the usual id the search, 0.05 us against 0.16 us.
    if not contact_id.isprintable() and _CONTROL.search(contact_id):
        raise InvalidContactId(f"{field} holds control characters: remove them")
    return encoded


def visitor_id_bytes(visitor_id: str) -> bytes:
    """As contact_id_bytes: a visitor is the contact of an anonymous environment."""
    return contact_id_bytes(visitor_id, "visitor_id")

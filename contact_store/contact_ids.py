"""Contact ids as callers write them, and as keys hold them."""

import re

from contact_store.errors import InvalidContactId

#: In UTF-8. Keys of LMDB end at 511 bytes, so that no id needs hashing.
CONTACT_ID_BYTES_MAX = 256

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def contact_id_bytes(contact_id: str) -> bytes:
    """The id in UTF-8; raises InvalidContactId."""
    try:
        encoded = contact_id.encode()
    except UnicodeEncodeError as error:
        raise InvalidContactId("contact_id is not text: send UTF-8") from error
    if not 0 < len(encoded) <= CONTACT_ID_BYTES_MAX:
        raise InvalidContactId(
            f"contact_id has {len(encoded)} bytes:"
            f" send 1 to {CONTACT_ID_BYTES_MAX} bytes of UTF-8"
        )
    # PERF: spares the usual id the search, 0.05 us against 0.16 us.
    if not contact_id.isprintable() and _CONTROL.search(contact_id):
        raise InvalidContactId("contact_id holds control characters: remove them")
    return encoded

"""Proposition ids: where a proposition was made, in a form nobody can make up.

    byte 0          version
    byte 1          number of the key that made the tag
    bytes 2 to 3    environment number
    bytes 4 to 11   contact number
    bytes 12 to 15  sequence
    bytes 16 to 23  tag: HMAC-SHA256 of bytes 0 to 15, cut

In base64url that is 32 characters with no bit to spare, so that one proposition has
one id. The version is 1, hence every id begins with "AQ" and never with a dash, which
a command line would take for an option.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple

from contact_store.errors import UnknownProposition

PROPOSITION_ID_CHARACTERS = 32
#: A store's keys; ids made with any of them are good.
ID_KEYS_MAX = 255
ID_KEY_BYTES = 32

_VERSION = 1
_TAG_BYTES = 8
_PLACE = Struct(">BBHQI")
_SHAPE = re.compile(r"[A-Za-z0-9_-]{32}")


class PropositionPlace(NamedTuple):
    """Where a proposition was made; a merge may have moved it since."""

    environment_number: int
    contact_number: int
    sequence: int


def encode_proposition_id(place: PropositionPlace, key_id: int, key: bytes) -> str:
    packed = _PLACE.pack(_VERSION, key_id, *place)
    return urlsafe_b64encode(packed + _tag(key, packed)).decode()


def decode_proposition_id(
    proposition_id: str, keys: Mapping[int, bytes]
) -> PropositionPlace:
    """The place, or UnknownProposition for anything that no key here has made."""
    packed, tag = _unpack(proposition_id)
    key = keys.get(packed[1])
    if key is None or not hmac.compare_digest(tag, _tag(key, packed)):
        raise UnknownProposition
    _, _, environment_number, contact_number, sequence = _PLACE.unpack(packed)
    return PropositionPlace(environment_number, contact_number, sequence)


def key_number_of(proposition_id: str) -> int:
    """The key of an id that decode_proposition_id has taken."""
    return _unpack(proposition_id)[0][1]


def _unpack(proposition_id: str) -> tuple[bytes, bytes]:
    # The decoder would let other alphabets and stray characters pass.
    if not _SHAPE.fullmatch(proposition_id):
        raise UnknownProposition
    decoded = urlsafe_b64decode(proposition_id)
    if decoded[0] != _VERSION:
        raise UnknownProposition
    return decoded[: _PLACE.size], decoded[_PLACE.size :]


def _tag(key: bytes, packed: bytes) -> bytes:
    return hmac.digest(key, packed, "sha256")[:_TAG_BYTES]

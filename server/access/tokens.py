"""A bearer token: `propono_<id>_<secret>`, and the hash that is kept of it.

The prefix is for scanners that look for secrets where none should be, the id finds what
is kept, and the secret has 256 random bits. So one sha256 is enough: a slow hash makes
guessing passwords expensive, and nobody guesses one of 2**256.
"""

import re
from collections.abc import Callable
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple

from server.access.access_list import Token

PREFIX = "propono"

_ID_BYTES = 6
_SECRET_BYTES = 32
_FORM = re.compile(f"{PREFIX}_([0-9a-f]{{12}})_[0-9a-f]{{64}}")

#: Compared with when there is no such token, so that this takes as long.
_NO_SHA256 = "0" * 64


class NewToken(NamedTuple):
    """A token as it is given away; only its hash is kept."""

    id: str
    text: str


def new_token(random_bytes: Callable[[int], bytes]) -> NewToken:
    token_id = random_bytes(_ID_BYTES).hex()
    return NewToken(
        token_id, f"{PREFIX}_{token_id}_{random_bytes(_SECRET_BYTES).hex()}"
    )


def hash_of(text: str) -> str:
    """What is kept of a token."""
    return sha256(text.encode()).hexdigest()


def id_of(text: str) -> str | None:
    """The id in a token's text; None when it has not the form of one."""
    found = _FORM.fullmatch(text)
    return found and found[1]


def is_text_of(text: str, token: Token | None) -> bool:
    """Whether it is the text of that token; takes as long when it is not."""
    expected = _NO_SHA256 if token is None else token.sha256
    return compare_digest(hash_of(text), expected) and token is not None

"""Signatures over a manifest's exact bytes, and whose they may be.

    16 bytes   the key's id
    64 bytes   Ed25519 over the purpose and the bytes

What signs an artifact cannot be taken for what signs a revision: the purpose is signed
as well. Nothing is parsed before its signature is verified, and whether one is needed
never depends on what arrives.
"""

from collections.abc import Mapping
from enum import Enum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from catalog_store.keys import PrivateKey
from catalog_store.trust import TrustedKey, Untrusted

SIGNATURE_BYTES = 80

_ID_BYTES = 16


class Purpose(Enum):
    """What a signature is for; its value is signed before the bytes."""

    ARTIFACT = b"propono artifact\0"
    REVISION = b"propono revision\0"


def sign(key: PrivateKey, purpose: Purpose, data: bytes) -> bytes:
    signature = key.key.sign(purpose.value + data)
    return bytes.fromhex(key.key_id) + signature


def verify(
    signature: bytes, purpose: Purpose, data: bytes, trusted: Mapping[str, TrustedKey]
) -> TrustedKey:
    """The trusted key that signed; whether it was valid then is the caller's question.

    Raises Untrusted, for a revoked key as well.
    """
    if not signature:
        raise Untrusted("it is not signed")
    if len(signature) != SIGNATURE_BYTES:
        raise Untrusted("its signature is not one")
    key_id = signature[:_ID_BYTES].hex()
    key = trusted.get(key_id)
    if key is None:
        raise Untrusted(f"it is signed with key {key_id}, which nobody trusts")
    key.check_not_revoked()
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public)
        public.verify(signature[_ID_BYTES:], purpose.value + data)
    except (InvalidSignature, ValueError):
        raise Untrusted(
            f"its signature is not one of key {key_id} over these bytes"
        ) from None
    return key

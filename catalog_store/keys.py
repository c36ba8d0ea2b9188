"""Ed25519 keys in files: a private one signs, a public one is trusted.

Both are PEM, PKCS #8 and SubjectPublicKeyInfo, as other tools write and read them. A
key's id is the first half of the sha256 of its 32 public bytes, in hexadecimal digits.
"""

import hashlib
import os
from pathlib import Path
from typing import NamedTuple, Self

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

#: Bytes of a key file; a larger one is not read.
KEY_FILE_BYTES_MAX = 4_096
#: Bytes of a public key.
PUBLIC_BYTES = 32


class InvalidKey(Exception):
    """The file is not an Ed25519 key of the kind that was asked for."""


class PrivateKey(NamedTuple):
    """Signs; never printed, never logged."""

    key: Ed25519PrivateKey

    @classmethod
    def generate(cls) -> Self:
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises InvalidKey and OSError."""
        try:
            key = load_pem_private_key(_read(path), password=None)
        except (TypeError, ValueError, UnsupportedAlgorithm):
            raise InvalidKey(
                f"{path} is not a private key in PEM without a password; make one with"
                " `propono keys generate`"
            ) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise InvalidKey(f"{path} is not an Ed25519 key")
        return cls(key)

    def write(self, path: Path) -> None:
        """Write to a new file that only its owner can read; raises FileExistsError."""
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(self.pem())
            file.flush()
            os.fsync(file.fileno())

    def pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public(self) -> bytes:
        return self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> str:
        return key_id_of(self.public)


def key_id_of(public: bytes) -> str:
    """32 hexadecimal digits."""
    return hashlib.sha256(public).hexdigest()[:32]


def read_public_key(path: Path) -> bytes:
    """The 32 bytes of a public key; raises InvalidKey and OSError."""
    try:
        key = load_pem_public_key(_read(path))
    except (ValueError, UnsupportedAlgorithm):
        raise InvalidKey(
            f"{path} is not a public key in PEM; `propono keys generate` makes one"
            " beside each private key"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidKey(f"{path} is not an Ed25519 key")
    return key.public_bytes_raw()


def public_pem(public: bytes) -> bytes:
    key = Ed25519PublicKey.from_public_bytes(public)
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        data = file.read(KEY_FILE_BYTES_MAX + 1)
    if len(data) > KEY_FILE_BYTES_MAX:
        raise InvalidKey(f"{path} is larger than {KEY_FILE_BYTES_MAX} bytes")
    return data

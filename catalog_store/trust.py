"""Whose signatures count: the keys that a data folder trusts, and its own.

    KEYS/trusted.json   public keys with their time, and the revoked ones
    KEYS/own.key        signs the revisions published here; made when it is needed

Keys are trusted and revoked by whoever has the folder's rights, never by anything that
arrives over the wire.
"""

from pathlib import Path

import msgspec

from catalog_store.durable_files import replace_durably
from catalog_store.keys import PUBLIC_BYTES, InvalidKey, PrivateKey, key_id_of

#: Keys of one folder, the revoked ones included.
TRUSTED_KEYS_MAX = 64
#: Characters of what a key is called.
KEY_NAME_CHARACTERS_MAX = 100

_FILE_BYTES_MAX = 65_536


class Untrusted(Exception):
    """There is no signature, or none that counts; says which key, and why."""


class DamagedTrust(Exception):
    """KEYS/trusted.json cannot be read: until it can, nobody is trusted."""


class TrustedKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A public key, and when its signatures count: [valid_from, valid_until)."""

    key_id: str
    #: 32 bytes in hexadecimal digits.
    public_hex: str
    name: str
    #: UTC milliseconds.
    valid_from_ms: int
    #: None is without end.
    valid_until_ms: int | None = None
    #: A revoked key stays so, and nothing that it ever signed counts.
    revoked_at_ms: int | None = None
    #: Whether it was made here to sign what is published here.
    own: bool = False

    @property
    def public(self) -> bytes:
        return bytes.fromhex(self.public_hex)

    def check_not_revoked(self) -> None:
        """Raises Untrusted."""
        if self.revoked_at_ms is not None:
            raise Untrusted(f"key {self.key_id} ({self.name}) is revoked")

    def check_valid(self, at_ms: int) -> None:
        """Raises Untrusted when its signatures do not count at that time."""
        self.check_not_revoked()
        if at_ms < self.valid_from_ms:
            raise Untrusted(f"key {self.key_id} ({self.name}) is not valid yet")
        if self.valid_until_ms is not None and at_ms >= self.valid_until_ms:
            raise Untrusted(f"key {self.key_id} ({self.name}) has expired")


class _TrustFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: tuple[TrustedKey, ...]
    format: int = 1


_decoder = msgspec.json.Decoder(_TrustFile)


class TrustStore:
    """The keys of one folder; whoever changes it holds the folder's lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path = folder / "trusted.json"

    def keys(self) -> dict[str, TrustedKey]:
        """Key id -> key, in the order they were trusted; raises DamagedTrust."""
        try:
            with self._path.open("rb") as file:
                data = file.read(_FILE_BYTES_MAX + 1)
        except FileNotFoundError:
            return {}
        try:
            if len(data) > _FILE_BYTES_MAX:
                raise ValueError("it is too large")
            read = _decoder.decode(data)
            if read.format != 1:
                raise ValueError(f"format {read.format}; this version reads format 1")
            for key in read.keys:
                if len(key.public) != PUBLIC_BYTES or key_id_of(key.public) != (
                    key.key_id
                ):
                    raise ValueError(f"key {key.key_id!r} has another public key")
        except (ValueError, RecursionError) as error:
            raise DamagedTrust(
                f"{self._path}: {error}; restore it from a backup, or delete it and"
                " trust the keys again"
            ) from None
        return {key.key_id: key for key in read.keys}

    def trust(
        self,
        public: bytes,
        *,
        name: str,
        valid_from_ms: int,
        valid_until_ms: int | None = None,
        own: bool = False,
    ) -> TrustedKey:
        """Trust a key, or change when it is valid.

        Raises InvalidKey for one that was revoked, and when there are too many.
        """
        keys = self.keys()
        key_id = key_id_of(public)
        known = keys.get(key_id)
        if known is not None and known.revoked_at_ms is not None:
            raise InvalidKey(f"key {key_id} was revoked: it is never trusted again")
        if known is None and len(keys) >= TRUSTED_KEYS_MAX:
            raise InvalidKey(f"there are {len(keys)} keys already, which is the most")
        if not 0 < len(name) <= KEY_NAME_CHARACTERS_MAX or not name.isprintable():
            raise InvalidKey(
                f"a key's name has 1 to {KEY_NAME_CHARACTERS_MAX} printable characters"
            )
        if valid_until_ms is not None and valid_until_ms <= valid_from_ms:
            raise InvalidKey("the key would expire before it is valid")
        keys[key_id] = TrustedKey(
            key_id=key_id,
            public_hex=public.hex(),
            name=name,
            valid_from_ms=valid_from_ms,
            valid_until_ms=valid_until_ms,
            own=own or (known is not None and known.own),
        )
        self._write(keys)
        return keys[key_id]

    def revoke(self, key_id: str, now_ms: int) -> TrustedKey:
        """Let nothing count that a key ever signed; raises InvalidKey."""
        keys = self.keys()
        found = [key for key in keys if key.startswith(key_id)] if key_id else []
        if len(found) != 1:
            known = ", ".join(keys) or "none"
            raise InvalidKey(f"{key_id!r} is not the id of one key; known: {known}")
        key = keys[found[0]]
        if key.revoked_at_ms is None:
            key = msgspec.structs.replace(key, revoked_at_ms=now_ms)
            keys[key.key_id] = key
            self._write(keys)
        return key

    def own_key(self) -> PrivateKey:
        """The key that signs what is published here, made and trusted at first use.

        One that was revoked is replaced. Raises InvalidKey and DamagedTrust.
        """
        path = self.folder / "own.key"
        self.folder.mkdir(mode=0o700, exist_ok=True)
        keys = self.keys()
        try:
            key = PrivateKey.read(path)
        except FileNotFoundError:
            key = None
        if key is not None:
            known = keys.get(key.key_id)
            if known is not None and known.revoked_at_ms is None:
                return key
            if known is not None:
                path.unlink()
                key = None
        if key is None:
            key = PrivateKey.generate()
            replace_durably(path, key.pem())
        # Without an end: a server must be able to publish at any time.
        self.trust(key.public, name="this server", valid_from_ms=0, own=True)
        return key

    def _write(self, keys: dict[str, TrustedKey]) -> None:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        encoded = msgspec.json.encode(_TrustFile(tuple(keys.values())))
        replace_durably(self._path, msgspec.json.format(encoded, indent=2) + b"\n")

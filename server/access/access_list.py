"""Who was given access: tokens and certificates, in one file.

DATA/access/list.json   the list, replaced as a whole
DATA/access/lock        held while it is changed

Readable by its owner only, though it holds no secret: of a token, its hash. Servers
notice that it was replaced, see `server.access.gate`.
"""

import fcntl
import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from server.access.roles import Role

FORMAT = 1
#: Tokens, and certificates, that may be in force at once.
TOKENS_MAX = 1_000
IDENTITIES_MAX = 1_000
#: Bytes of the file; a larger one is not read.
LIST_BYTES_MAX = 4 << 20
#: Characters of a certificate's name.
CERTIFICATE_CHARACTERS_MAX = 512

#: Callers that nobody may be named like: see `server.access.callers`.
RESERVED_NAMES = frozenset({"admin", "anyone"})

_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")


class AccessError(Exception):
    """The list cannot be changed like that, or cannot be read; says why."""


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token that somebody was given."""

    id: str
    #: Who calls with it. Tokens of one name are one caller: that is how they rotate.
    name: str
    role: Role
    #: Of the token's text, in hexadecimal digits.
    sha256: str
    created_at_ms: int
    #: The first moment at which it is refused; None for never.
    expires_at_ms: int | None


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A certificate's name, and who calls with it."""

    #: An alternative name of the subject, such as spiffe://bank/web, or its common
    #: name when it has no other.
    certificate: str
    name: str
    role: Role
    created_at_ms: int


class AccessList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everybody who was given access."""

    tokens: tuple[Token, ...] = ()
    identities: tuple[Identity, ...] = ()
    format: int = FORMAT


_decode = msgspec.json.Decoder(AccessList).decode


def read_access_list(folder: Path) -> AccessList:
    """The list as it is now; empty when there is none. Raises AccessError."""
    path = folder / "list.json"
    try:
        with path.open("rb") as file:
            data = file.read(LIST_BYTES_MAX + 1)
        if len(data) > LIST_BYTES_MAX:
            raise AccessError(f"{path} has more than {LIST_BYTES_MAX} bytes")
        found = _decode(data)
    except FileNotFoundError:
        return AccessList()
    except (OSError, msgspec.DecodeError) as error:
        raise AccessError(f"{path} cannot be read as an access list: {error}") from None
    if found.format != FORMAT:
        raise AccessError(f"{path} has format {found.format}; this version reads 1")
    return found


def change_access_list(
    folder: Path, change: Callable[[AccessList], AccessList]
) -> AccessList:
    """Replace the list by what a function makes of it; one change at a time.

    Raises AccessError, and whatever the function raises: then nothing is changed.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        changed = change(read_access_list(folder))
        _write(folder, msgspec.json.format(msgspec.json.encode(changed)))
    finally:
        os.close(descriptor)
    return changed


def with_token(access: AccessList, token: Token) -> AccessList:
    """The list with one more token; raises AccessError."""
    _check_name(access, token.name, token.role)
    if len(access.tokens) >= TOKENS_MAX:
        raise AccessError(f"there are {TOKENS_MAX} tokens: revoke one first")
    assert token.id not in {each.id for each in access.tokens}
    return msgspec.structs.replace(access, tokens=(*access.tokens, token))


def without_token(access: AccessList, token_id: str) -> AccessList:
    """The list without that token; raises AccessError when it is not there."""
    tokens = tuple(each for each in access.tokens if each.id != token_id)
    if tokens == access.tokens:
        raise AccessError(f"there is no token {token_id!r}: `propono tokens list`")
    return msgspec.structs.replace(access, tokens=tokens)


def with_identity(access: AccessList, identity: Identity) -> AccessList:
    """The list with one more certificate; raises AccessError."""
    name = identity.certificate
    if not 0 < len(name) <= CERTIFICATE_CHARACTERS_MAX or not name.isprintable():
        raise AccessError(
            f"a certificate's name has 1 to {CERTIFICATE_CHARACTERS_MAX} printable"
            " characters"
        )
    _check_name(access, identity.name, identity.role)
    if any(each.certificate == name for each in access.identities):
        raise AccessError(f"{name!r} has a role already: remove it first")
    if len(access.identities) >= IDENTITIES_MAX:
        raise AccessError(f"there are {IDENTITIES_MAX} certificates: remove one first")
    return msgspec.structs.replace(access, identities=(*access.identities, identity))


def without_identity(access: AccessList, certificate: str) -> AccessList:
    """The list without that certificate; raises AccessError when it is not there."""
    identities = tuple(e for e in access.identities if e.certificate != certificate)
    if identities == access.identities:
        raise AccessError(f"{certificate!r} has no role: `propono identities list`")
    return msgspec.structs.replace(access, identities=identities)


def _check_name(access: AccessList, name: str, role: Role) -> None:
    """One name is one caller, and so one role."""
    if not _NAME.fullmatch(name) or name in RESERVED_NAMES:
        raise AccessError(
            f"{name!r} cannot name a caller: send 1 to 64 of a-z, 0-9, `_`, `.` and"
            " `-`, not beginning with a sign; `admin` and `anyone` are taken"
        )
    for each in (*access.tokens, *access.identities):
        if each.name == name and each.role != role:
            raise AccessError(
                f"{name!r} is {each.role} already, and a caller has one role: choose"
                " another name"
            )


def _write(folder: Path, data: bytes) -> None:
    """On disk and under its name, or as if nothing had happened."""
    partial = folder / "list.json.partial"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)
    partial.replace(folder / "list.json")
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)

"""Who is calling, and whether they may.

    credentials                        where they are needed    elsewhere
    none, or a certificate without
      a role                           UNAUTHENTICATED          anyone
    two authorization headers, another
      scheme, unknown, revoked, expired
      token                            UNAUTHENTICATED          UNAUTHENTICATED
    good, the role may not             PERMISSION_DENIED        PERMISSION_DENIED
    good, the role may                 the caller               the caller

A token that was sent is checked even where none is wanted: a mistake shows at home, not
abroad. A token counts before a certificate.
"""

import logging
from collections.abc import Callable, Sequence
from hmac import compare_digest
from pathlib import Path
from typing import NamedTuple

from server.access.access_list import (
    CERTIFICATE_CHARACTERS_MAX,
    AccessError,
    AccessList,
    Token,
    read_access_list,
)
from server.access.callers import ANYONE, LOCAL_ADMINISTRATOR, Caller
from server.access.permissions import Need, permission_of
from server.access.tokens import hash_of, id_of, is_text_of
from server.requests import PermissionDenied, TokenExpired, Unauthenticated

#: How long what was revoked may go on, and what was given may have to wait.
NOTICE_SECONDS = 0.5

_SCHEME = "Bearer "
_NOT_KNOWN = "the token is not known here, or was revoked; `propono tokens create`"

_log = logging.getLogger(__name__)


class GateRules(NamedTuple):
    """What one port asks of its callers."""

    #: Whether everybody must say who they are, for methods that leave it open.
    is_required: bool
    #: The text of DATA/admin.token, where it is good: on loopback.
    admin_token: str | None


class Gate:
    """Decides about every call of one port."""

    def __init__(
        self,
        folder: Path,
        rules: GateRules,
        now_ms: Callable[[], int],
        monotonic: Callable[[], float],
    ) -> None:
        """Raises AccessError when the list in the folder cannot be read."""
        self._folder = folder
        self._rules = rules
        self._admin_hash = rules.admin_token and hash_of(rules.admin_token)
        self._now_ms = now_ms
        self._monotonic = monotonic
        self._seen = self._stamp()
        self._look_again_at = monotonic() + NOTICE_SECONDS
        self._take(read_access_list(folder))

    def admit(
        self,
        method: str,
        authorization: Sequence[str | bytes],
        certificate: Callable[[], Sequence[str]],
    ) -> Caller:
        """Who calls, given all authorization headers and the names of a certificate.

        Raises Unauthenticated, TokenExpired and PermissionDenied.
        """
        permission = permission_of(method)
        if permission.need is Need.NEVER:
            return ANYONE
        if self._monotonic() >= self._look_again_at:
            self._look_again()
        if authorization:
            caller = self._bearer(authorization)
        else:
            # Where no certificate has a role, nobody asks gRPC for its names.
            caller = self._certified(certificate()) if self._identities else None
            if caller is None:
                if permission.need is Need.ALWAYS or self._rules.is_required:
                    raise Unauthenticated(self._who_are_you(certificate()))
                return ANYONE
        if caller.role not in permission.roles:
            raise PermissionDenied(method, caller.name, caller.role, permission.roles)
        return caller

    def _bearer(self, authorization: Sequence[str | bytes]) -> Caller:
        # One header: a second one is not a second chance.
        sent = authorization[0] if len(authorization) == 1 else ""
        if not isinstance(sent, str) or not sent.startswith(_SCHEME):
            raise Unauthenticated(self._who_are_you(()))
        text = sent.removeprefix(_SCHEME)
        # PERF: nothing is cached. The list is in memory, and a token costs one sha256:
        # bench/admission.py, two cores of an EPYC that did other work too, 1,000
        # tokens: 2.7 to 8 us, where a call of an echo takes 640 to 1,100. A cache would
        # have to hash as well, or have secrets as its keys.
        token_id = id_of(text)
        if token_id is None:
            if self._admin_hash and compare_digest(hash_of(text), self._admin_hash):
                return LOCAL_ADMINISTRATOR
            raise Unauthenticated(_NOT_KNOWN)
        known = self._tokens.get(token_id)
        if not is_text_of(text, known and known.token) or known is None:
            raise Unauthenticated(_NOT_KNOWN)
        expires_at_ms = known.token.expires_at_ms
        if expires_at_ms is not None and self._now_ms() >= expires_at_ms:
            raise TokenExpired(token_id, known.caller.name)
        return known.caller

    def _certified(self, names: Sequence[str]) -> Caller | None:
        """The first of a certificate's names that has a role decides."""
        return next((self._identities[n] for n in names if n in self._identities), None)

    def _who_are_you(self, names: Sequence[str]) -> str:
        text = "send a token of `propono tokens create` as `authorization: Bearer ...`"
        if self._rules.admin_token is not None:
            text += ", or on this machine the one in DATA/admin.token"
        if names:
            shown = names[0][:CERTIFICATE_CHARACTERS_MAX]
            text += (
                f"; the certificate of {shown!r} has no role: `propono identities add`"
            )
        return text

    def _look_again(self) -> None:
        """Notice that the list was replaced; keep the one before if it is damaged."""
        self._look_again_at = self._monotonic() + NOTICE_SECONDS
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._take(read_access_list(self._folder))
        except AccessError:
            _log.exception("the access list cannot be read; the one before is in force")

    def _stamp(self) -> tuple[int, int, int] | None:
        try:
            found = (self._folder / "list.json").stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size

    def _take(self, access: AccessList) -> None:
        self._tokens = {
            each.id: _Known(each, Caller(each.name, each.role, f"token {each.id}"))
            for each in access.tokens
        }
        self._identities = {
            each.certificate: Caller(
                each.name, each.role, f"certificate {each.certificate}"
            )
            for each in access.identities
        }


class _Known(NamedTuple):
    """A token, and who calls with it."""

    token: Token
    caller: Caller

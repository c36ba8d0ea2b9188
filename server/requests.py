"""What a caller can do wrong, in our own words; `server.status` gives the codes."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple


class Violation(NamedTuple):
    """One field that is wrong, and what to send instead."""

    field: str
    description: str


class InvalidRequest(Exception):
    """The request cannot be understood; holds every violation found."""

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = tuple(violations)
        super().__init__(
            "; ".join(f"{v.field}: {v.description}" for v in self.violations)
        )


class UnknownName(Exception):
    """The request names something that is not published."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        super().__init__(f"unknown {kind} {name!r}{near_misses(name, known)}")


class RequestTooLarge(Exception):
    """As gRPC itself refuses what is larger than any request may be."""

    def __init__(self, size_bytes: int, bytes_max: int) -> None:
        super().__init__(
            f"the request has {size_bytes} bytes; send at most {bytes_max}"
        )


class AnswerTooLarge(Exception):
    """The answer could not be kept for a retry; nothing was recorded."""

    def __init__(self, size_bytes: int, bytes_max: int) -> None:
        super().__init__(
            f"the answer has {size_bytes} bytes, and at most {bytes_max} are kept under"
            " a request_id; ask for fewer propositions, or send no request_id"
        )


class NotImplementedYet(Exception):
    """The contract has it, this version does not."""


class Unauthenticated(Exception):
    """The call does not say who makes it, or not credibly."""


class TokenExpired(Exception):
    """The call is made with a token that was good once."""

    def __init__(self, token_id: str, name: str) -> None:
        self.name = name
        self.known_by = f"token {token_id}"
        super().__init__(
            f"token {token_id} of {name} has expired: `propono tokens create` makes"
            " another"
        )


class PermissionDenied(Exception):
    """It is known who calls, and they may not."""

    def __init__(
        self, method: str, name: str, role: str | None, allowed: Iterable[str]
    ) -> None:
        self.name = name
        self.role = role
        may = ", ".join(sorted(allowed)) or "nobody"
        super().__init__(f"{name} is {role or 'of no role'}; {method} is for {may}")


def near_misses(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...` when something is close, else what there is."""
    known = sorted(known)
    close = get_close_matches(name[:64], known, n=3, cutoff=0.6)
    if close:
        return f"; did you mean {' or '.join(map(repr, close))}?"
    if not known:
        return "; there are none"
    shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
    return f"; there are {shown}"

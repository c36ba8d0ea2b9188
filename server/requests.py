"""What a caller can do wrong, in our own words; `server.status` gives the codes."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import NamedTuple

#: Bytes of all violations, and of the text about them. Both travel in trailers, in
#: base64 and with three characters for a byte that is no ASCII; clients take 8 KiB,
#: and an answer with more is an error of the connection to them.
VIOLATIONS_BYTES_MAX = 3_000
VIOLATIONS_TEXT_BYTES_MAX = 800
#: Characters of one field, or of one description.
VIOLATION_CHARACTERS_MAX = 400


class Violation(NamedTuple):
    """One field that is wrong, and what to send instead."""

    field: str
    description: str


class InvalidRequest(Exception):
    """The request cannot be understood; holds every violation found.

    Of more than a client would take it holds the first, and says how many more.
    """

    def __init__(self, violations: Iterable[Violation]) -> None:
        found = tuple(violations)
        self.violations = bounded(found)
        text = "; ".join(f"{v.field}: {v.description}" for v in self.violations)
        if len(text.encode()) > VIOLATIONS_TEXT_BYTES_MAX:
            first = self.violations[0]
            text = f"{first.field[:100]}: {first.description}".encode()
            text = text[:VIOLATIONS_TEXT_BYTES_MAX].decode(errors="ignore")
            text += f" and {len(found) - 1} more" if len(found) > 1 else ""
        super().__init__(text)


def bounded(violations: Sequence[Violation]) -> tuple[Violation, ...]:
    """As many as a client takes; the last then says how many more there are."""
    kept: list[Violation] = []
    left = VIOLATIONS_BYTES_MAX
    for violation in violations:
        field, description = (text[:VIOLATION_CHARACTERS_MAX] for text in violation)
        left -= len(field.encode()) + len(description.encode()) + 8
        if left < 0 and kept:
            more = len(violations) - len(kept)
            kept.append(Violation("", f"{more} more mistakes are not shown"))
            break
        kept.append(Violation(field, description))
    return tuple(kept)


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


class UnknownMethod(Exception):
    """The contract has no such method."""


class NameTaken(Exception):
    """What is to be created is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is there already; update it, or choose another id")


class StaleEtag(Exception):
    """Somebody else changed the resource since the caller read it."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} was changed since it was read; read it again, and send the new"
            " etag with what is to be changed"
        )


class DesignChanged(Exception):
    """The design is not the one that a plan was made for."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the design was changed since it was compared, and is at version {version}"
            " now; compare it again"
        )


class StillInUse(Exception):
    """Others refer to what is to be deleted; holds every reference found."""

    def __init__(self, name: str, violations: Iterable[Violation]) -> None:
        found = tuple(violations)
        self.violations = bounded(found)
        users = ", ".join(v.field for v in found[:5])
        more = len(found) - 5
        users += f" and {more} more" if more > 0 else ""
        super().__init__(f"{name} is in use: change or delete first {users}")


class NotPublishable(Exception):
    """The design is no catalog that could decide; says why, line by line."""

    def __init__(self, reasons: Sequence[str]) -> None:
        text = "\n".join(reasons).encode()[:VIOLATIONS_TEXT_BYTES_MAX]
        super().__init__(text.decode(errors="ignore"))


class OtherSource(Exception):
    """An environment is published from elsewhere; says from where, and the remedy."""


class NotPending(Exception):
    """What is to be reviewed is not waiting for a review."""

    def __init__(self, what: str, state: str) -> None:
        super().__init__(
            f"{what} is {state}, not pending; submit it for approval first"
        )


class NotTheReviewer(Exception):
    """A submission waits for others."""

    def __init__(self, name: str, reviewers: Iterable[str]) -> None:
        named = ", ".join(reviewers) or "offer managers"
        super().__init__(f"{name} does not review this; it waits for {named}")


class OwnApproval(Exception):
    """The environment wants a second person."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(
            f"{name} edited or submitted {what}; somebody else has to approve it"
        )


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

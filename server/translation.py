"""Between the wire and plain values: requests are bounded and checked here.

Every violation of a request is found before it is refused. What depends on the
catalog (names, the context's types) is checked by the decision service.
"""

from collections.abc import Iterable
from typing import NamedTuple

from google.protobuf import struct_pb2, timestamp_pb2

from catalog_store.records import UnixMs
from contact_store.answers import REQUEST_ID_BYTES_MAX
from contact_store.contact_ids import CONTACT_ID_BYTES_MAX
from contact_store.records import PropositionStatus
from server.engine.call import PROPOSITIONS_MAX, SPACES_MAX
from server.requests import InvalidRequest, Violation
from server.wire import decision_pb2 as pb
from server.wire import explanation_pb2

#: How far the contact's time may be from the server's clock.
CONTACT_TIME_SKEW_MAX_MS = 5 * 60_000
#: How far ahead a dry run may look.
DRY_RUN_AHEAD_MAX_MS = 400 * 86_400_000
#: Categories, themes or offers in one list.
NAMES_MAX = 100
#: Bytes of one name.
NAME_BYTES_MAX = 63
#: Bytes of the token of a page; ours are shorter.
PAGE_TOKEN_BYTES_MAX = 64
#: Bytes of a proposition id; ours are shorter.
PROPOSITION_ID_BYTES_MAX = 60

#: 9999-12-31T23:59:59.999Z, the last moment a Timestamp may hold.
_TIME_MAX_MS = 253_402_300_799_999
_TIME_MIN_MS = -62_135_596_800_000


class AskedSpace(NamedTuple):
    """What a call asks for one space, by name."""

    space: str
    max_propositions: int
    categories: tuple[str, ...]
    themes: tuple[str, ...]


class AskedExplanation(NamedTuple):
    """How much of its reasons a decision is to give."""

    #: Whether offer by offer, beside the summary.
    full: bool
    #: By name; empty is page by page.
    offers: tuple[str, ...]
    page_token: str


class AskedDecision(NamedTuple):
    """A Propose request, as far as it can be checked without a catalog."""

    request_id: str
    environment: str
    contact_id: str
    visitor_id: str
    spaces: tuple[AskedSpace, ...]
    context: struct_pb2.Struct
    dry_run: bool
    #: When the contact sees the offers; None is now.
    contact_time_ms: UnixMs | None
    excluded: frozenset[str]
    allow_duplicates: bool
    #: None when no reasons are asked for.
    explanation: AskedExplanation | None = None
    #: The same for all that ask the same, whoever is asked about; empty is unknown.
    form: bytes = b""

    def at_ms(self, decided_at_ms: UnixMs) -> UnixMs:
        """The time that is decided for."""
        at_ms = self.contact_time_ms
        return decided_at_ms if at_ms is None else at_ms


class AskedUpdate(NamedTuple):
    """An UpdateProposition request."""

    request_id: str
    proposition_id: str
    status: PropositionStatus
    event_time_ms: UnixMs | None
    context: struct_pb2.Struct


def asked_decision(request: pb.ProposeRequest, now_ms: int) -> AskedDecision:
    """Check a Propose request; raises InvalidRequest with every violation."""
    found: list[Violation] = []
    _check_text(found, "request_id", request.request_id, REQUEST_ID_BYTES_MAX)
    _check_text(found, "environment", request.environment, NAME_BYTES_MAX)
    _check_text(found, "contact_id", request.contact_id, CONTACT_ID_BYTES_MAX)
    _check_text(found, "visitor_id", request.visitor_id, CONTACT_ID_BYTES_MAX)
    _check_names(found, "excluded_offers", request.excluded_offers)
    spaces = _asked_spaces(found, request.spaces)
    contact_time_ms = None
    if request.HasField("contact_time"):
        contact_time_ms = _time_ms(found, "contact_time", request.contact_time)
        ahead_max_ms = (
            DRY_RUN_AHEAD_MAX_MS if request.dry_run else CONTACT_TIME_SKEW_MAX_MS
        )
        ahead_ms = contact_time_ms - now_ms
        if not -CONTACT_TIME_SKEW_MAX_MS <= ahead_ms <= ahead_max_ms:
            text = "is more than 5 minutes from now; only a dry run may look ahead"
            if request.dry_run:
                text = "is not between 5 minutes ago and 400 days ahead"
            found.append(Violation("contact_time", text))
    explanation = _asked_explanation(found, request)
    if found:
        raise InvalidRequest(found)
    return AskedDecision(
        request_id=request.request_id,
        environment=request.environment,
        contact_id=request.contact_id,
        visitor_id=request.visitor_id,
        spaces=spaces,
        context=request.context,
        dry_run=request.dry_run,
        contact_time_ms=contact_time_ms,
        excluded=frozenset(request.excluded_offers),
        allow_duplicates=request.allow_duplicates,
        explanation=explanation,
    )


def asked_update(request: pb.UpdatePropositionRequest, now_ms: int) -> AskedUpdate:
    """Check an UpdateProposition request; raises InvalidRequest."""
    found: list[Violation] = []
    _check_text(found, "request_id", request.request_id, REQUEST_ID_BYTES_MAX)
    if not request.proposition_id:
        text = "is required: send the proposition_id of an earlier answer"
        found.append(Violation("proposition_id", text))
    _check_text(
        found, "proposition_id", request.proposition_id, PROPOSITION_ID_BYTES_MAX
    )
    if request.status not in pb.PropositionStatus.values()[1:]:
        names = ", ".join(status.name for status in list(PropositionStatus)[1:])
        found.append(Violation("status", f"is required: send one of {names}"))
    event_time_ms = None
    if request.HasField("event_time"):
        event_time_ms = _time_ms(found, "event_time", request.event_time)
        if event_time_ms > now_ms + CONTACT_TIME_SKEW_MAX_MS:
            text = "is more than 5 minutes ahead; send when it happened"
            found.append(Violation("event_time", text))
    if found:
        raise InvalidRequest(found)
    return AskedUpdate(
        request_id=request.request_id,
        proposition_id=request.proposition_id,
        status=PropositionStatus(request.status),
        event_time_ms=event_time_ms,
        context=request.context,
    )


def timestamp(time_ms: int) -> timestamp_pb2.Timestamp:
    seconds, milliseconds = divmod(time_ms, 1_000)
    return timestamp_pb2.Timestamp(seconds=seconds, nanos=milliseconds * 1_000_000)


def _asked_explanation(
    found: list[Violation], request: pb.ProposeRequest
) -> AskedExplanation | None:
    level = request.explain
    if level not in explanation_pb2.ExplainLevel.values():
        found.append(Violation("explain", "is not a level; send FULL, SUMMARY or none"))
    full = level == explanation_pb2.EXPLAIN_LEVEL_FULL
    _check_names(found, "explained_offers", request.explained_offers)
    _check_text(
        found, "explain_page_token", request.explain_page_token, PAGE_TOKEN_BYTES_MAX
    )
    if not full:
        found += [
            Violation(field, "is for explain FULL; leave it out")
            for field in ("explained_offers", "explain_page_token")
            if getattr(request, field)
        ]
    if request.explain_page_token and not request.dry_run:
        text = "needs dry_run: each page is a decision of its own"
        found.append(Violation("explain_page_token", text))
    if not level:
        return None
    return AskedExplanation(
        full, tuple(request.explained_offers), request.explain_page_token
    )


def _asked_spaces(
    found: list[Violation], spaces: Iterable[pb.SpaceRequest]
) -> tuple[AskedSpace, ...]:
    spaces = tuple(spaces)
    if not 1 <= len(spaces) <= SPACES_MAX:
        text = f"has {len(spaces)} spaces; send 1 to {SPACES_MAX}"
        found.append(Violation("spaces", text))
        return ()
    asked: list[AskedSpace] = []
    for place, space in enumerate(spaces):
        field = f"spaces[{place}]"
        if not space.space:
            found.append(Violation(f"{field}.space", "is required: name a space"))
        _check_text(found, f"{field}.space", space.space, NAME_BYTES_MAX)
        if space.max_propositions > PROPOSITIONS_MAX:
            text = f"is {space.max_propositions}; send at most {PROPOSITIONS_MAX}"
            found.append(Violation(f"{field}.max_propositions", text))
        _check_names(found, f"{field}.categories", space.categories)
        _check_names(found, f"{field}.themes", space.themes)
        asked.append(
            AskedSpace(
                space=space.space,
                max_propositions=space.max_propositions or 1,
                categories=tuple(space.categories),
                themes=tuple(space.themes),
            )
        )
    return tuple(asked)


def _check_text(found: list[Violation], field: str, text: str, bytes_max: int) -> None:
    size_bytes = len(text.encode())
    if size_bytes > bytes_max:
        description = f"has {size_bytes} bytes; send at most {bytes_max}"
        found.append(Violation(field, description))


def _check_names(found: list[Violation], field: str, names: Iterable[str]) -> None:
    names = tuple(names)
    if len(names) > NAMES_MAX:
        text = f"has {len(names)} names; send at most {NAMES_MAX}"
        found.append(Violation(field, text))
        return
    for place, name in enumerate(names):
        _check_text(found, f"{field}[{place}]", name, NAME_BYTES_MAX)


def _time_ms(
    found: list[Violation], field: str, time: timestamp_pb2.Timestamp
) -> UnixMs:
    time_ms = time.seconds * 1_000 + time.nanos // 1_000_000
    if not (
        0 <= time.nanos < 1_000_000_000 and _TIME_MIN_MS <= time_ms <= _TIME_MAX_MS
    ):
        found.append(Violation(field, "is not a valid Timestamp, years 1 to 9999"))
        return UnixMs(0)
    return UnixMs(time_ms)

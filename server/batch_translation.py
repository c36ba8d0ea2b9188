"""A ProposeBatch request, bounded and checked as far as it can be without a catalog."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from catalog_store.records import UnixMs
from contact_store.contact_ids import contact_id_bytes
from contact_store.errors import InvalidContactId
from server.engine.call import PROPOSITIONS_MAX, SPACES_MAX
from server.requests import InvalidRequest, Violation
from server.translation import (
    CONTACT_TIME_SKEW_MAX_MS,
    DRY_RUN_AHEAD_MAX_MS,
    NAME_BYTES_MAX,
    AskedDecision,
    asked_decision,
)
from server.wire import decision_pb2 as pb

#: Contacts named in one call.
BATCH_CONTACTS_MAX = 100_000
#: Repeated ids that a refusal lists.
_REPEATED_LISTED_MAX = 20


class AskedBatch(NamedTuple):
    """A ProposeBatch request."""

    #: What is asked for each contact; names none.
    decision: AskedDecision
    #: Empty when a segment names them.
    contact_ids: Sequence[str]
    segment: str
    after_contact_id: str
    #: A contact with fewer propositions, over all spaces, is left out.
    min_propositions: int
    #: Whether a contact is left out when not every place is filled.
    cancels_on_shortfall: bool
    #: Of what is asked for each contact: equal in every retry.
    digest: bytes


def asked_batch(request: pb.ProposeBatchRequest, now_ms: int) -> AskedBatch:
    """Check a ProposeBatch request; raises InvalidRequest with every violation."""
    found: list[Violation] = []
    decision = _asked_decision(found, request, now_ms)
    contact_time_ms = _contact_time_ms(found, request, now_ms)
    contact_ids = _contact_ids(found, request)
    _check_segment(found, request)
    places = sum(one.max_propositions or 1 for one in request.spaces)
    places_max = places if decision else SPACES_MAX * PROPOSITIONS_MAX
    if request.min_propositions > places_max:
        text = f"is {request.min_propositions}, more than the {places} places asked for"
        found.append(Violation("min_propositions", text))
    if request.on_shortfall not in pb.OnShortfall.values():
        found.append(Violation("on_shortfall", "is not known; send BLANK or CANCEL"))
    if found or decision is None:
        raise InvalidRequest(found)
    return AskedBatch(
        decision=decision._replace(contact_time_ms=contact_time_ms),
        contact_ids=contact_ids,
        segment=request.segment,
        after_contact_id=request.after_contact_id,
        min_propositions=request.min_propositions,
        cancels_on_shortfall=request.on_shortfall == pb.ON_SHORTFALL_CANCEL,
        digest=_digest(request),
    )


def _asked_decision(
    found: list[Violation], request: pb.ProposeBatchRequest, now_ms: int
) -> AskedDecision | None:
    """The part that is as in Propose, but for the contact's time."""
    try:
        return asked_decision(
            pb.ProposeRequest(
                request_id=request.request_id,
                environment=request.environment,
                spaces=request.spaces,
                context=request.context,
                dry_run=request.dry_run,
                excluded_offers=request.excluded_offers,
                allow_duplicates=request.allow_duplicates,
            ),
            now_ms,
        )
    except InvalidRequest as error:
        found += error.violations
        return None


def _contact_time_ms(
    found: list[Violation], request: pb.ProposeBatchRequest, now_ms: int
) -> UnixMs | None:
    if not request.HasField("contact_time"):
        return None
    time = request.contact_time
    time_ms = time.seconds * 1_000 + time.nanos // 1_000_000
    # Both bounds are years away from the last moment that a Timestamp may hold.
    ahead_ms = time_ms - now_ms
    if not (
        0 <= time.nanos < 1_000_000_000
        and -CONTACT_TIME_SKEW_MAX_MS <= ahead_ms <= DRY_RUN_AHEAD_MAX_MS
    ):
        text = "is not between 5 minutes ago and 400 days ahead"
        found.append(Violation("contact_time", text))
    return UnixMs(time_ms)


def _contact_ids(
    found: list[Violation], request: pb.ProposeBatchRequest
) -> Sequence[str]:
    count = len(request.contact_ids)
    if count > BATCH_CONTACTS_MAX:
        text = f"has {count} contacts; send at most {BATCH_CONTACTS_MAX} in a call"
        found.append(Violation("contact_ids", text))
        return ()
    contact_ids = list(request.contact_ids)
    # PERF: 100,000 ids are told apart in 18 ms; the loop that says which of them are
    # repeated takes 33 ms (CPython 3.11, two busy cores).
    if len(set(contact_ids)) < count:
        found += _repeated(contact_ids)
    return contact_ids


def _repeated(contact_ids: Sequence[str]) -> list[Violation]:
    """Who is named again: deciding twice would reach somebody twice."""
    found: list[Violation] = []
    first_of: dict[str, int] = {}
    for place, contact_id in enumerate(contact_ids):
        first = first_of.setdefault(contact_id, place)
        if first != place and len(found) < _REPEATED_LISTED_MAX:
            text = f"is contact_ids[{first}] again; send each contact once"
            found.append(Violation(f"contact_ids[{place}]", text))
    return found


def _check_segment(found: list[Violation], request: pb.ProposeBatchRequest) -> None:
    if request.segment and request.contact_ids:
        text = "cannot be sent with contact_ids; send one of the two"
        found.append(Violation("segment", text))
    if not request.segment and not request.contact_ids:
        text = "is required: name contacts, or a segment of the environment"
        found.append(Violation("contact_ids", text))
    if request.after_contact_id and not request.segment:
        text = "is for a segment; leave it out"
        found.append(Violation("after_contact_id", text))
    size_bytes = len(request.segment.encode())
    if size_bytes > NAME_BYTES_MAX:
        text = f"has {size_bytes} bytes; send at most {NAME_BYTES_MAX}"
        found.append(Violation("segment", text))
    if request.after_contact_id:
        field = "after_contact_id"
        try:
            contact_id_bytes(request.after_contact_id, field)
        except InvalidContactId as error:
            found.append(Violation(field, str(error).removeprefix(f"{field} ")))


def _digest(request: pb.ProposeBatchRequest) -> bytes:
    """Of what is asked for each contact: a retry may name others, or fewer."""
    same = pb.ProposeBatchRequest(
        environment=request.environment,
        segment=request.segment,
        spaces=request.spaces,
        context=request.context,
        min_propositions=request.min_propositions,
        on_shortfall=request.on_shortfall,
        excluded_offers=request.excluded_offers,
        allow_duplicates=request.allow_duplicates,
    )
    if request.HasField("contact_time"):
        same.contact_time.CopyFrom(request.contact_time)
    encoded = same.SerializeToString(deterministic=True)
    return blake2b(encoded, digest_size=16).digest()

"""Approvals as messages, and the etag that covers an offer and its approvals."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from catalog_store.approvals import (
    ELIGIBILITY,
    ApprovalState,
    OfferApprovals,
    PartApproval,
    part_of,
    places_of,
    state_of,
)
from catalog_store.design_records import Design, Ref
from catalog_store.records import Environment, Offer, Space, UnixMs
from server.design.approved import has_approvals
from server.design.nouns import NOUN_OF_KIND
from server.design.translation import message_of
from server.requests import UnknownName
from server.translation import timestamp
from server.wire import approvals_pb2, catalog_pb2

_STATES = catalog_pb2.ApprovalState.DESCRIPTOR
_PREFIX = "APPROVAL_STATE_"


class OfferPart(NamedTuple):
    """One part of an offer, as the design has it, and what became of it."""

    place: str
    now: Offer
    known: PartApproval | None
    state: ApprovalState


def unknown_offer(design: Design, ref: Ref) -> UnknownName:
    """The UnknownName to raise, with names that are like it."""
    names = [one.name for one, _ in design.of_kind(ref.environment, "offers")]
    return UnknownName("offer", ref.name, names)


def designed_message(design: Design, ref: Ref) -> Any:
    """A record of the design as its message; offers with their approvals."""
    message = message_of(ref, design.records[ref])
    message.etag = etag_of(design, ref)
    if ref.kind == "offers":
        for part in parts_of(design, ref):
            if part.place == ELIGIBILITY:
                message.approval.eligibility = number_of(part.state)
            else:
                message.approval.content[part.place] = number_of(part.state)
    return message


def etag_of(design: Design, ref: Ref) -> str:
    """Changes with every change of a record; of an offer's approvals as well."""
    stored = design.records[ref]
    approvals = design.records.get(approvals_ref(ref)) if ref.kind == "offers" else None
    if approvals is None or approvals.version < stored.version:
        return stored.etag
    return approvals.etag


def approvals_ref(offer: Ref) -> Ref:
    return Ref(offer.environment, "approvals", offer.name)


def approvals_of(design: Design, offer: Ref) -> OfferApprovals | None:
    """None if nothing became of them yet."""
    stored = design.records.get(approvals_ref(offer))
    if stored is None:
        return None
    assert isinstance(stored.record, OfferApprovals)
    return stored.record


def parts_of(design: Design, ref: Ref) -> Iterator[OfferPart]:
    """Those of an offer; none where its environment has no approvals."""
    environment = design.records[Ref(ref.environment)].record
    offer = design.records[ref].record
    assert isinstance(environment, Environment)
    assert isinstance(offer, Offer)
    if not has_approvals(environment):
        return
    known = approvals_of(design, ref)
    spaces = spaces_in(design, ref.environment)
    for place in places_of(offer, known, spaces):
        part = known.parts.get(place) if known is not None else None
        now = part_of(offer, place, spaces)
        yield OfferPart(place, now, part, state_of(part, now, spaces.get(place)))


def spaces_in(design: Design, environment: str) -> dict[str, Space]:
    for one in design.catalog.environments:
        if one.name == environment:
            return {space.name: space for space in one.spaces}
    return {}


def number_of(state: ApprovalState) -> Any:
    return _STATES.values_by_name[f"{_PREFIX}{state.name}"].number


def state_sent(number: int) -> ApprovalState | None:
    """None for unspecified, and for what is no state."""
    value = _STATES.values_by_number.get(number)
    return None if value is None or not number else _state(value.name)


def approval_message(
    design: Design, ref: Ref, part: OfferPart, now_ms: UnixMs
) -> approvals_pb2.Approval:
    """One part of an offer, and what became of it."""
    known = part.known or PartApproval()
    message = approvals_pb2.Approval(
        offer=NOUN_OF_KIND["offers"].name_of(ref),
        space=part.place,
        state=number_of(part.state),
        has_approved_version=known.approved is not None,
        etag=etag_of(design, ref),
    )
    submission = known.submission
    if submission is None:
        return message
    message.submitter = submission.submitter
    message.submit_time.CopyFrom(timestamp(submission.at_ms))
    message.submit_comment = submission.comment
    message.reviewers[:] = submission.reviewers
    if submission.deadline_ms is not None:
        message.deadline.CopyFrom(timestamp(submission.deadline_ms))
        is_late = now_ms >= submission.deadline_ms
        message.overdue = is_late and part.state is ApprovalState.PENDING
    if submission.review is not None:
        message.reviewer = submission.review.reviewer
        message.review_time.CopyFrom(timestamp(submission.review.at_ms))
        message.review_comment = submission.review.comment
    return message


def _state(name: str) -> ApprovalState:
    return ApprovalState[name.removeprefix(_PREFIX)]

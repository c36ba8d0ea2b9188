"""Requests about approvals: bounded and checked."""

import re

from catalog_store.approvals import (
    COMMENT_MAX,
    REVIEWER_PATTERN,
    REVIEWERS_MAX,
    ApprovalState,
)
from catalog_store.records import UNIX_MS_MAX, UnixMs
from server.design.approval_messages import state_sent
from server.design.approving import AskedReview, AskedSubmission
from server.design.fields import unix_ms
from server.design.nouns import NOUN_OF_FIELD
from server.requests import InvalidRequest, Violation
from server.wire import admin_pb2 as pb

_REVIEWED = (ApprovalState.APPROVED, ApprovalState.REJECTED)


def asked_submission(
    request: pb.SubmitForApprovalRequest, now_ms: UnixMs
) -> AskedSubmission:
    """Raises InvalidRequest."""
    ref = NOUN_OF_FIELD["offer"].ref_of(request.name)
    found: list[Violation] = []
    _check_comment(request.comment, found)
    reviewers = tuple(request.reviewers)
    _check_reviewers(reviewers, found)
    deadline_ms: UnixMs | None = None
    if request.HasField("deadline"):
        deadline_ms = unix_ms(request.deadline, "deadline", found)
        if not now_ms < deadline_ms <= UNIX_MS_MAX:
            text = "is past, or no time of this era; send one that is to come"
            found.append(Violation("deadline", text))
    if found:
        raise InvalidRequest(found)
    return AskedSubmission(ref, request.space, request.comment, reviewers, deadline_ms)


def asked_review(request: pb.ReviewRequest) -> AskedReview:
    """Raises InvalidRequest."""
    ref = NOUN_OF_FIELD["offer"].ref_of(request.name)
    found: list[Violation] = []
    _check_comment(request.comment, found)
    state = state_sent(request.state)
    if state not in _REVIEWED:
        text = "is no review; send APPROVAL_STATE_APPROVED or APPROVAL_STATE_REJECTED"
        found.append(Violation("state", text))
    if request.publish and state is ApprovalState.REJECTED:
        text = "goes with an approval; leave it out"
        found.append(Violation("publish", text))
    if found:
        raise InvalidRequest(found)
    is_approved = state is ApprovalState.APPROVED
    return AskedReview(ref, request.space, is_approved, request.comment, request.etag)


def _check_comment(comment: str, found: list[Violation]) -> None:
    if len(comment) > COMMENT_MAX:
        text = f"has {len(comment)} characters; send at most {COMMENT_MAX}"
        found.append(Violation("comment", text))


def _check_reviewers(reviewers: tuple[str, ...], found: list[Violation]) -> None:
    if len(reviewers) > REVIEWERS_MAX:
        text = f"are {len(reviewers)}; name at most {REVIEWERS_MAX}"
        found.append(Violation("reviewers", text))
        return
    for place, name in enumerate(reviewers):
        if not re.fullmatch(REVIEWER_PATTERN, name):
            text = "is no name of a caller, as `propono tokens create --name` takes it"
            found.append(Violation(f"reviewers[{place}]", text))
        elif name in reviewers[:place]:
            found.append(Violation(f"reviewers[{place}]", "is named twice"))

"""ListApprovals and ListApprovalLog: what waits for whom, and what became of it."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from catalog_store.approvals import ApprovalState, OfferApprovals, PartApproval
from catalog_store.design_changes import Author, AuthoredState
from catalog_store.design_records import Design, Ref
from server.design.approval_messages import (
    approval_message,
    approvals_of,
    approvals_ref,
    number_of,
    parts_of,
    state_sent,
    unknown_offer,
)
from server.design.approved import has_approvals
from server.design.editing import DesignEditor
from server.design.nouns import ENVIRONMENTS, NOUN_OF_FIELD, is_id
from server.paging import page_size
from server.requests import InvalidRequest, UnknownName, Violation
from server.translation import timestamp
from server.wire import approvals_pb2 as pb


def list_approvals(
    editor: DesignEditor, request: pb.ListApprovalsRequest
) -> pb.ListApprovalsResponse:
    """A page of them; raises InvalidRequest and UnknownName."""
    size = page_size(request.page_size)
    state = state_sent(request.state)
    if request.state and state is None:
        text = f"has no value {request.state}; send one of {', '.join(ApprovalState)}"
        raise InvalidRequest([Violation("state", text)])
    after = _after(request.page_token)
    design, now_ms = editor.design(), editor.now_ms()
    answer = pb.ListApprovalsResponse()
    for ref in _offers(design, request.parent):
        is_one = ref.name and request.parent.endswith(f"/offers/{ref.name}")
        wanted = state or (None if is_one else ApprovalState.PENDING)
        if (ref.environment, ref.name) < after[:2] or not _may_be(design, ref, wanted):
            continue
        for part in parts_of(design, ref):
            key = (ref.environment, ref.name, part.place)
            if key <= after or wanted not in (None, part.state):
                continue
            if len(answer.approvals) == size:
                answer.next_page_token = _token(answer.approvals[-1])
                return answer
            answer.approvals.append(approval_message(design, ref, part, now_ms))
    return answer


def list_log(
    editor: DesignEditor, request: pb.ListApprovalLogRequest
) -> pb.ListApprovalLogResponse:
    """The newest of what became of an offer; raises InvalidRequest."""
    size = page_size(request.page_size)
    ref = NOUN_OF_FIELD["offer"].ref_of(request.name)
    answer = pb.ListApprovalLogResponse()
    states = list(editor.states_of(approvals_ref(ref)))
    design = editor.design()
    if not states and ref not in design.records:
        raise unknown_offer(design, ref)
    for newer, older in pairwise([*states, None]):
        if newer is None:
            break
        for event in _events(newer, older):
            if len(answer.events) == size:
                return answer
            answer.events.append(event)
    return answer


def _after(token: str) -> tuple[str, str, str]:
    """The last part of the page before."""
    if not token:
        return "", "", ""
    environment, _, rest = token.partition(".")
    offer, _, space = rest.partition(".")
    if not (is_id(environment) and is_id(offer) and (not space or is_id(space))):
        text = "is not a token of an earlier page"
        raise InvalidRequest([Violation("page_token", text)])
    return environment, offer, space


def _token(last: pb.Approval) -> str:
    ref = NOUN_OF_FIELD["offer"].ref_of(last.offer)
    return f"{ref.environment}.{ref.name}.{last.space}"


def _offers(design: Design, parent: str) -> Iterator[Ref]:
    """The offers that have approvals below a parent, in order of name."""
    offer, environment = "", ""
    if "/offers/" in parent:
        ref = NOUN_OF_FIELD["offer"].ref_of(parent, "parent")
        if ref not in design.records:
            raise unknown_offer(design, ref)
        environment, offer = ref.environment, ref.name
    elif parent:
        environment = ENVIRONMENTS.ref_of(parent, "parent").environment
        known = [one.name for one in design.catalog.environments]
        if environment not in known:
            raise UnknownName("environment", environment, known)
    for one in design.catalog.environments:
        if has_approvals(one) and environment in ("", one.name):
            for each in one.offers:
                if offer in ("", each.name):
                    yield Ref(one.name, "offers", each.name)


def _may_be(design: Design, ref: Ref, wanted: ApprovalState | None) -> bool:
    """PERF: most offers wait for nobody, and that is seen without looking at them."""
    if wanted is not ApprovalState.PENDING:
        return True
    known = approvals_of(design, ref)
    return known is not None and any(
        part.submission is not None and part.submission.review is None
        for part in known.parts.values()
    )


def _events(newer: AuthoredState, older: AuthoredState | None) -> Iterator[Any]:
    """What a change did to the approvals of an offer."""
    if not isinstance(newer.record, OfferApprovals):
        return
    before = older.record if older is not None else None
    known = before.parts if isinstance(before, OfferApprovals) else {}
    for place, part in sorted(newer.record.parts.items()):
        if part != known.get(place):
            yield _event(newer.version, newer.author, place, part)


def _event(
    version: int, author: Author, place: str, part: PartApproval
) -> pb.ApprovalEvent:
    submission = part.submission
    state, comment = ApprovalState.APPROVED, ""
    if submission is not None and submission.review is None:
        state, comment = ApprovalState.PENDING, submission.comment
    elif submission is not None and submission.review is not None:
        comment = submission.review.comment
        if not submission.review.approved:
            state = ApprovalState.REJECTED
    return pb.ApprovalEvent(
        design_version=version,
        event_time=timestamp(author.at_ms),
        author=author.name,
        space=place,
        state=number_of(state),
        comment=comment,
    )

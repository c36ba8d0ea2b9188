"""Submitting, reviewing and listing approvals: from requests to answers.

For the admin port, and for commands in a data folder.
"""

from collections.abc import Callable
from typing import Any

from catalog_store.approvals import approved_offer
from catalog_store.design_records import Design, Ref
from catalog_store.records import Offer
from server.access.callers import Caller
from server.access.permissions import permission_of
from server.design.approval_lists import list_approvals, list_log
from server.design.approval_messages import (
    approvals_of,
    designed_message,
    spaces_in,
)
from server.design.approval_requests import asked_review, asked_submission
from server.design.approving import review, submit
from server.design.editing import DesignEditor
from server.design.publishing import Publisher
from server.requests import PermissionDenied
from server.wire import admin_pb2 as pb
from server.wire import approvals_pb2

_PUBLISH = "/propono.v1.AdminService/Publish"


class ApprovalDesk:
    """What each of the methods about approvals does; none of them waits."""

    def __init__(self, editor: DesignEditor, publisher: Publisher) -> None:
        self._editor = editor
        self._publisher = publisher

    def submit(
        self, request: pb.SubmitForApprovalRequest, caller: Caller
    ) -> pb.SubmitForApprovalResponse:
        """Raises what `approving.submit` raises."""
        asked = asked_submission(request, self._editor.now_ms())
        design = submit(self._editor, asked, caller).design
        message = designed_message(design, asked.offer)
        return pb.SubmitForApprovalResponse(offer=message)

    def review(
        self, request: pb.ReviewRequest, caller: Caller
    ) -> tuple[pb.ReviewResponse, Design | None]:
        """The answer, and the design that is to be published with it, if one is.

        Raises what `approving.review` raises, and PermissionDenied.
        """
        asked = asked_review(request)
        roles = permission_of(_PUBLISH).roles
        if request.publish and caller.role not in roles:
            raise PermissionDenied("publishing", caller.name, caller.role, roles)
        design = review(self._editor, asked, caller).design
        answer = pb.ReviewResponse(offer=designed_message(design, asked.offer))
        is_wanted = request.publish and _is_complete(design, asked.offer)
        return answer, design if is_wanted else None

    def publish(
        self, answer: pb.ReviewResponse, design: Design, caller: Caller
    ) -> None:
        """Publish what a review made complete; raises what `Publisher.publish` does."""
        published = self._publisher.publish(
            self._publisher.catalog_of(design),
            caller.name,
            validate_only=False,
            # What it finds is Publish's to tell: 0.35 s of 10,000 offers.
            analysed=False,
        )
        answer.revision.CopyFrom(published.revision)

    def list(
        self, request: approvals_pb2.ListApprovalsRequest
    ) -> approvals_pb2.ListApprovalsResponse:
        """Raises InvalidRequest and UnknownName."""
        return list_approvals(self._editor, request)

    def log(
        self, request: approvals_pb2.ListApprovalLogRequest
    ) -> approvals_pb2.ListApprovalLogResponse:
        """Raises InvalidRequest and UnknownName."""
        return list_log(self._editor, request)

    def ask(self, method: str, request: Any, caller: Caller) -> Any:
        """The answer of one of the four methods, done to its end."""
        answering: dict[str, Callable[[], Any]] = {
            "SubmitForApproval": lambda: self.submit(request, caller),
            "ListApprovals": lambda: self.list(request),
            "ListApprovalLog": lambda: self.log(request),
        }
        if method != "Review":
            return answering[method]()
        answer, design = self.review(request, caller)
        if design is not None:
            self.publish(answer, design, caller)
        return answer


def _is_complete(design: Design, ref: Ref) -> bool:
    """Whether there is an approved version of an offer: in a space at least."""
    offer = design.records[ref].record
    assert isinstance(offer, Offer)
    spaces = spaces_in(design, ref.environment)
    return approved_offer(offer, approvals_of(design, ref), spaces) is not None

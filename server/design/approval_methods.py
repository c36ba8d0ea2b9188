"""SubmitForApproval, Review, ListApprovals and ListApprovalLog as gRPC handlers."""

from collections.abc import Awaitable, Callable

from catalog_store.approvals import approved_offer
from catalog_store.design_records import Design, Ref
from catalog_store.records import Offer
from server.access.callers import Caller, current_caller
from server.access.permissions import permission_of
from server.design.approval_lists import list_approvals, list_log
from server.design.approval_messages import (
    approvals_of,
    designed_message,
    spaces_in,
)
from server.design.approval_requests import asked_review, asked_submission
from server.design.approved import published_catalog
from server.design.approving import review, submit
from server.design.editing import DesignEditor
from server.design.publishing import Publisher
from server.design.thread import DesignThread
from server.requests import PermissionDenied
from server.transport import Context, Handler, unary_handler
from server.wire import admin_pb2 as pb
from server.wire import approvals_pb2

_PUBLISH = "/propono.v1.AdminService/Publish"


def approval_methods(
    editor: DesignEditor,
    publisher: Publisher,
    thread: DesignThread,
    compiling: DesignThread,
    admit: Callable[[Context], str],
) -> dict[str, Handler]:
    """Handlers by the names of their methods."""

    def submitting(request: pb.SubmitForApprovalRequest, _: str) -> Awaitable[bytes]:
        caller = current_caller.get()

        def work() -> bytes:
            asked = asked_submission(request, editor.now_ms())
            design = submit(editor, asked, caller).design
            message = designed_message(design, asked.offer)
            return pb.SubmitForApprovalResponse(offer=message).SerializeToString()

        return thread.run(work)

    async def reviewing(request: pb.ReviewRequest, _: str) -> bytes:
        caller = current_caller.get()
        asked = asked_review(request)
        if request.publish:
            _require_publisher(caller)
        edited = await thread.run(lambda: review(editor, asked, caller))
        answer = pb.ReviewResponse(offer=designed_message(edited.design, asked.offer))
        if request.publish and is_complete(edited.design, asked.offer):
            published = await compiling.run(
                lambda: publisher.publish(
                    published_catalog(edited.design), caller.name, validate_only=False
                )
            )
            await publisher.switched()
            answer.revision.CopyFrom(published.revision)
        return answer.SerializeToString()

    def listing(
        request: approvals_pb2.ListApprovalsRequest, _: str
    ) -> Awaitable[bytes]:
        return thread.run(lambda: list_approvals(editor, request).SerializeToString())

    def logging(
        request: approvals_pb2.ListApprovalLogRequest, _: str
    ) -> Awaitable[bytes]:
        return thread.run(lambda: list_log(editor, request).SerializeToString())

    return {
        "SubmitForApproval": unary_handler(
            pb.SubmitForApprovalRequest, submitting, admit
        ),
        "Review": unary_handler(pb.ReviewRequest, reviewing, admit),
        "ListApprovals": unary_handler(
            approvals_pb2.ListApprovalsRequest, listing, admit
        ),
        "ListApprovalLog": unary_handler(
            approvals_pb2.ListApprovalLogRequest, logging, admit
        ),
    }


def is_complete(design: Design, ref: Ref) -> bool:
    """Whether there is an approved version of an offer: in a space at least."""
    offer = design.records[ref].record
    assert isinstance(offer, Offer)
    spaces = spaces_in(design, ref.environment)
    return approved_offer(offer, approvals_of(design, ref), spaces) is not None


def _require_publisher(caller: Caller) -> None:
    roles = permission_of(_PUBLISH).roles
    if caller.role not in roles:
        raise PermissionDenied("publishing", caller.name, caller.role, roles)

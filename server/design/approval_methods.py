"""SubmitForApproval, Review, ListApprovals and ListApprovalLog as gRPC handlers."""

from collections.abc import Awaitable, Callable

from server.access.callers import current_caller
from server.design.approval_desk import ApprovalDesk
from server.design.publishing import Publisher
from server.design.thread import DesignThread
from server.transport import Context, Handler, unary_handler
from server.wire import admin_pb2 as pb
from server.wire import approvals_pb2


def approval_methods(
    desk: ApprovalDesk,
    publisher: Publisher,
    thread: DesignThread,
    compiling: DesignThread,
    admit: Callable[[Context], str],
) -> dict[str, Handler]:
    """Handlers by the names of their methods."""

    def submitting(request: pb.SubmitForApprovalRequest, _: str) -> Awaitable[bytes]:
        caller = current_caller.get()
        return thread.run(lambda: desk.submit(request, caller).SerializeToString())

    async def reviewing(request: pb.ReviewRequest, _: str) -> bytes:
        caller = current_caller.get()
        answer, design = await thread.run(lambda: desk.review(request, caller))
        if design is not None:
            await compiling.run(lambda: desk.publish(answer, design, caller))
            await publisher.switched()
        return answer.SerializeToString()

    def listing(
        request: approvals_pb2.ListApprovalsRequest, _: str
    ) -> Awaitable[bytes]:
        return thread.run(lambda: desk.list(request).SerializeToString())

    def logging(
        request: approvals_pb2.ListApprovalLogRequest, _: str
    ) -> Awaitable[bytes]:
        return thread.run(lambda: desk.log(request).SerializeToString())

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

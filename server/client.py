"""A small client of both ports: what the command line calls, and an example of one.

Every call carries a request id, so that the retries that the channel makes on its own
when a server goes away cannot decide twice.
"""

# grpc's own stubs leave calls untyped; the messages around them are not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

import json
from collections.abc import Iterator
from typing import Any, NamedTuple, Self, cast
from uuid import uuid4

import grpc
from google.rpc import (  # pyright: ignore[reportMissingTypeStubs]
    error_details_pb2,
    status_pb2,
)

from server.client_access import NO_ACCESS, ClientAccess
from server.wire import decision_pb2 as pb

#: How long a call may take, its retries included.
TIMEOUT_SECONDS = 2.0

_RETRIES = json.dumps(
    {
        "methodConfig": [
            {
                # Not streams: one that was retried while its server was killed and
                # started again was seen to wait for ever (grpcio 1.85).
                "name": [
                    {"service": "propono.v1.DecisionService", "method": method}
                    for method in ("Propose", "UpdateProposition")
                ],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.01s",
                    "maxBackoff": "0.1s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ]
    }
)


class CallFailed(Exception):
    """The server refused, or could not be reached; says why, field by field."""

    def __init__(self, code: str, reason: str, message: str) -> None:
        self.code = code
        #: Of google.rpc.ErrorInfo; empty when the server sent none.
        self.reason = reason
        super().__init__(message)


class Client(NamedTuple):
    """A connection to the decision port."""

    channel: grpc.Channel
    timeout_seconds: float = TIMEOUT_SECONDS
    metadata: tuple[tuple[str, str], ...] = ()

    @classmethod
    def connect(
        cls,
        address: str,
        timeout_seconds: float = TIMEOUT_SECONDS,
        access: ClientAccess = NO_ACCESS,
    ) -> Self:
        """Connects at the first call; nothing fails here."""
        channel = access.channel(address, [("grpc.service_config", _RETRIES)])
        return cls(channel, timeout_seconds, access.metadata())

    def close(self) -> None:
        self.channel.close()

    def propose(self, request: pb.ProposeRequest) -> pb.ProposeResponse:
        """Raises CallFailed."""
        return self._call("Propose", request, pb.ProposeResponse)

    def update_proposition(
        self, request: pb.UpdatePropositionRequest
    ) -> pb.UpdatePropositionResponse:
        """Raises CallFailed."""
        return self._call("UpdateProposition", request, pb.UpdatePropositionResponse)

    def propose_batch(
        self, request: pb.ProposeBatchRequest, timeout_seconds: float | None = None
    ) -> Iterator[pb.ContactDecision]:
        """The decisions as they come, in the order asked; raises CallFailed.

        Nothing is retried here: whoever goes on after a failure sends the same request
        id, and is given what was recorded again.
        """
        if not request.request_id:
            request.request_id = str(uuid4())
        call = self.channel.unary_stream(
            "/propono.v1.DecisionService/ProposeBatch",
            request_serializer=pb.ProposeBatchRequest.SerializeToString,
            response_deserializer=pb.ProposeBatchResponse.FromString,
        )
        answers: Any = call(request, timeout=timeout_seconds, metadata=self.metadata)
        try:
            for answer in answers:
                yield from answer.decisions
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None
        finally:
            answers.cancel()

    def _call(self, method: str, request: Any, response_type: Any) -> Any:
        if not request.request_id:
            request.request_id = str(uuid4())
        call = self.channel.unary_unary(
            f"/propono.v1.DecisionService/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response_type.FromString,
        )
        try:
            return call(request, timeout=self.timeout_seconds, metadata=self.metadata)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None


def call_failed(error: grpc.Call) -> CallFailed:
    """Why a call failed, in words for whoever made it."""
    code = error.code().name
    lines = [error.details() or code]
    reason = ""
    for key, value in error.trailing_metadata() or ():
        if key != "grpc-status-details-bin":
            continue
        for detail in status_pb2.Status.FromString(cast(bytes, value)).details:
            info = error_details_pb2.ErrorInfo()
            bad = error_details_pb2.BadRequest()
            failed = error_details_pb2.PreconditionFailure()
            if detail.Unpack(info):
                reason = info.reason
            elif detail.Unpack(failed):
                golden = [v for v in failed.violations if v.type == "GOLDEN_DECISION"]
                if golden:
                    lines = [lines[0].partition("\n")[0]]
                lines += [f"{v.subject}: {v.description}" for v in golden]
            elif detail.Unpack(bad):
                lines = [f"{v.field}: {v.description}" for v in bad.field_violations]
    return CallFailed(code, reason, "\n".join(lines))

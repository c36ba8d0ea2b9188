"""A client of what publishes over the admin port: `propono catalog push`."""

# grpc's own stubs leave calls untyped; the messages around them are not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self, cast

import grpc

from server.client import call_failed
from server.client_access import ClientAccess
from server.wire import admin_pb2 as pb

#: How long one publication may take, the way to the server included.
TIMEOUT_SECONDS = 660.0
#: Bytes sent at a time.
CHUNK_BYTES = 131_072

#: Learns how many bytes are sent, and of how many.
Progress = Callable[[int, int], None]


class PublicationClient(NamedTuple):
    """A connection to the admin port; nothing is retried."""

    channel: grpc.Channel
    metadata: tuple[tuple[str, str], ...]
    timeout_seconds: float = TIMEOUT_SECONDS

    @classmethod
    def connect(cls, address: str, access: ClientAccess) -> Self:
        """Connects at the first call; nothing fails here."""
        return cls(access.channel(address), access.metadata())

    def close(self) -> None:
        self.channel.close()

    def push(self, artifact: Path, progress: Progress) -> pb.Revision:
        """Publish a compiled catalog; raises CallFailed and OSError.

        Sent again after an answer that was lost, it is published once.
        """
        call = self.channel.stream_unary(
            "/propono.v1.AdminService/PushArtifact",
            request_serializer=pb.PushArtifactRequest.SerializeToString,
            response_deserializer=pb.PushArtifactResponse.FromString,
        )
        return self._answer(call, _parts(artifact, progress)).revision

    def roll_back(self, revision: int) -> pb.Revision:
        """Publish an earlier revision again; raises CallFailed."""
        call = self.channel.unary_unary(
            "/propono.v1.AdminService/Rollback",
            request_serializer=pb.RollbackRequest.SerializeToString,
            response_deserializer=pb.RollbackResponse.FromString,
        )
        return self._answer(call, pb.RollbackRequest(revision=revision)).revision

    def history(self) -> Iterator[pb.Revision]:
        """Every revision, newest first; raises CallFailed."""
        call = self.channel.unary_unary(
            "/propono.v1.AdminService/ListRevisions",
            request_serializer=pb.ListRevisionsRequest.SerializeToString,
            response_deserializer=pb.ListRevisionsResponse.FromString,
        )
        request = pb.ListRevisionsRequest(page_size=1_000)
        while True:
            page = self._answer(call, request)
            yield from page.revisions
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token

    def _answer(self, call: Any, sent: Any) -> Any:
        try:
            return call(sent, metadata=self.metadata, timeout=self.timeout_seconds)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None


def _parts(artifact: Path, progress: Progress) -> Iterator[pb.PushArtifactRequest]:
    total = artifact.stat().st_size
    done = 0
    with artifact.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            done += len(chunk)
            yield pb.PushArtifactRequest(chunk=chunk)
            progress(done, total)

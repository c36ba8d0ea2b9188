"""A client of the admin port's ContactService: what `propono contacts` calls."""

# grpc's own stubs leave calls untyped; the messages around them are not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterable
from typing import Any, NamedTuple, Self, cast

import grpc

from server.client import call_failed
from server.client_access import ClientAccess
from server.wire import contact_pb2 as pb

#: How long a call may take; a contact may have thousands of propositions.
TIMEOUT_SECONDS = 10.0


class AdminClient(NamedTuple):
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

    def upsert_contacts(
        self,
        requests: Iterable[pb.UpsertContactsRequest],
        timeout_seconds: float | None = None,
    ) -> pb.UpsertContactsResponse:
        """Raises CallFailed; send all of it again then."""
        call = self.channel.stream_unary(
            "/propono.v1.ContactService/UpsertContacts",
            request_serializer=pb.UpsertContactsRequest.SerializeToString,
            response_deserializer=pb.UpsertContactsResponse.FromString,
        )
        return self._answer(call, iter(requests), timeout_seconds)

    def get_contact(self, request: pb.GetContactRequest) -> pb.GetContactResponse:
        """Raises CallFailed."""
        return self._call("GetContact", request, pb.GetContactResponse)

    def list_propositions(
        self, request: pb.ListPropositionsRequest
    ) -> pb.ListPropositionsResponse:
        """Raises CallFailed."""
        return self._call("ListPropositions", request, pb.ListPropositionsResponse)

    def delete_contact(
        self, request: pb.DeleteContactRequest
    ) -> pb.DeleteContactResponse:
        """Raises CallFailed."""
        return self._call("DeleteContact", request, pb.DeleteContactResponse)

    def merge_contacts(
        self, request: pb.MergeContactsRequest
    ) -> pb.MergeContactsResponse:
        """Raises CallFailed."""
        return self._call("MergeContacts", request, pb.MergeContactsResponse)

    def _call(self, method: str, request: Any, response_type: Any) -> Any:
        call = self.channel.unary_unary(
            f"/propono.v1.ContactService/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=response_type.FromString,
        )
        return self._answer(call, request, self.timeout_seconds)

    def _answer(self, call: Any, sent: Any, timeout_seconds: float | None) -> Any:
        try:
            return call(sent, metadata=self.metadata, timeout=timeout_seconds)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None

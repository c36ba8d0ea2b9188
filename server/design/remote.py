"""A design that is reached over the admin port."""

# grpc's own stubs leave calls untyped; the messages around them are not.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from collections.abc import Iterator, Mapping
from typing import Any, cast

import grpc
from google.protobuf.message_factory import GetMessageClass

from catalog_store.design_records import Design, Ref, Stored
from catalog_store.records import Catalog, Record
from server.client import call_failed
from server.design.applying import ApplyOptions
from server.design.catalog_methods import design_record, record_sent
from server.design.local import Progress
from server.design.nouns import NOUN_OF_KIND, resource_of
from server.design.translation import message_of, record_of
from server.transport import MESSAGE_BYTES_MAX
from server.wire import admin_pb2 as pb
from server.wire import catalog_pb2, design_spaces_pb2, scheduling_pb2

#: Of 10,000 offers, on a busy machine, with as much to spare again and again.
TIMEOUT_SECONDS = 600.0
#: Bytes of a message that could have been two.
_PART_BYTES = MESSAGE_BYTES_MAX // 2


class CannotBeSent(Exception):
    """A record has no message that the admin port would take; the text says why."""


class RemoteDesign:
    """Calls what the admin port has for whole catalogs; nothing is retried."""

    def __init__(
        self, channel: grpc.Channel, metadata: tuple[tuple[str, str], ...]
    ) -> None:
        """`metadata` says who calls."""
        self._channel = channel
        self._metadata = metadata

    def apply(
        self, records: Mapping[Ref, Record], options: ApplyOptions, progress: Progress
    ) -> pb.ApplyCatalogResponse:
        """Raises CallFailed and CannotBeSent."""
        # Before the call, in which nothing that is raised here would reach us.
        sent = [_sent(ref, record) for ref, record in records.items()]
        call: Any = self._channel.stream_unary(
            "/propono.v1.AdminService/ApplyCatalog",
            request_serializer=pb.ApplyCatalogRequest.SerializeToString,
            response_deserializer=pb.ApplyCatalogResponse.FromString,
        )
        requests = _requests(sent, options, progress)
        try:
            return call(requests, metadata=self._metadata, timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None

    def publish(
        self, request: pb.PublishRequest, progress: Progress
    ) -> pb.PublishResponse:
        """Raises CallFailed; nobody tells how far it is."""
        return self._call("Publish", request, pb.PublishResponse)

    def scheduled(
        self, *, show_ended: bool
    ) -> list[scheduling_pb2.ScheduledPublication]:
        """Raises CallFailed."""
        answer: Any = self._call(
            "ListScheduledPublications",
            scheduling_pb2.ListScheduledPublicationsRequest(show_ended=show_ended),
            scheduling_pb2.ListScheduledPublicationsResponse,
        )
        return list(answer.scheduled_publications)

    def cancel(self, name: str) -> scheduling_pb2.ScheduledPublication:
        """Raises CallFailed."""
        return self._call(
            "CancelScheduledPublication",
            scheduling_pb2.CancelScheduledPublicationRequest(name=name),
            scheduling_pb2.CancelScheduledPublicationResponse,
        ).scheduled_publication

    def _call(self, method: str, request: Any, answer_type: Any) -> Any:
        call: Any = self._channel.unary_unary(
            f"/propono.v1.AdminService/{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer_type.FromString,
        )
        try:
            return call(request, metadata=self._metadata, timeout=TIMEOUT_SECONDS)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None

    def ask(self, method: str, request: Any) -> Any:
        """One of the methods about approvals; raises CallFailed."""
        described = pb.DESCRIPTOR.services_by_name["AdminService"]
        answer_type = GetMessageClass(described.methods_by_name[method].output_type)
        return self._call(method, request, answer_type)

    def environments_with_approvals(self) -> list[str]:
        """Raises CallFailed."""
        request = design_spaces_pb2.ListEnvironmentsRequest(page_size=1_000)
        found = self.ask("ListEnvironments", request).environments
        return [
            one.name.rpartition("/")[2]
            for one in found
            if one.source == catalog_pb2.ENVIRONMENT_SOURCE_RECORDS
        ]

    def log(self, request: pb.ListDesignChangesRequest) -> pb.ListDesignChangesResponse:
        """Raises CallFailed."""
        return self._call("ListDesignChanges", request, pb.ListDesignChangesResponse)

    def record(self, request: pb.GetDesignRecordRequest) -> pb.GetDesignRecordResponse:
        """Raises CallFailed."""
        return self._call("GetDesignRecord", request, pb.GetDesignRecordResponse)

    def catalog(self, version: int = 0) -> Catalog:
        """Now, or as it was; raises CallFailed."""
        call: Any = self._channel.unary_stream(
            "/propono.v1.AdminService/ExportCatalog",
            request_serializer=pb.ExportCatalogRequest.SerializeToString,
            response_deserializer=pb.ExportCatalogResponse.FromString,
        )
        records: dict[Ref, Stored] = {}
        try:
            for part in call(
                pb.ExportCatalogRequest(design_version=version),
                metadata=self._metadata,
                timeout=TIMEOUT_SECONDS,
            ):
                version = part.design_version
                for sent in part.records:
                    ref, record = record_sent(sent, "")
                    records[ref] = Stored(record, version)
        except grpc.RpcError as error:
            raise call_failed(cast(grpc.Call, error)) from None
        return Design.of(version, records).catalog


def _sent(ref: Ref, record: Record) -> pb.DesignRecord:
    noun, name = NOUN_OF_KIND[ref.kind], resource_of(ref)
    try:
        message = message_of(ref, Stored(record, 0))
    except (ValueError, TypeError) as error:
        # Numbers that no field has room for.
        raise CannotBeSent(f"{name} cannot be sent: {error}") from None
    sent = design_record(ref, message)
    # Some bytes are for what is around it.
    if sent.ByteSize() > MESSAGE_BYTES_MAX - 64:
        raise CannotBeSent(
            f"{name} has {sent.ByteSize()} bytes, and the admin port takes at most"
            f" {MESSAGE_BYTES_MAX}"
        )
    # Numbers in a JSON rendering, and of attributes, are doubles on the wire.
    has_numbers = ref.kind in ("spaces", "golden_decisions")
    if has_numbers and record_of(noun, message, ref, "") != record:
        raise CannotBeSent(f"{name} has a number in its JSON that is no double")
    return sent


def _requests(
    sent: list[pb.DesignRecord], options: ApplyOptions, progress: Progress
) -> Iterator[pb.ApplyCatalogRequest]:
    prune, validate_only, version = options
    request = pb.ApplyCatalogRequest(
        options=pb.ApplyOptions(
            prune=prune, validate_only=validate_only, design_version=version
        )
    )
    size = 0
    for place, one in enumerate(sent):
        if size and size + one.ByteSize() > _PART_BYTES:
            yield request
            progress(place, len(sent))
            request, size = pb.ApplyCatalogRequest(), 0
        request.records.append(one)
        size += one.ByteSize()
    yield request
    progress(len(sent), len(sent))

"""The admin port: reflection, health, the token, and what is not there yet."""

from typing import Any

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

from server.wire import admin_pb2 as pb
from tests.servers import DEADLINE_SECONDS, Server

ADMIN = "/propono.v1.AdminService"


@pytest.fixture
def token(bank: Server) -> tuple[tuple[str, str], ...]:
    text = (bank.data / "admin.token").read_text().strip()
    return (("authorization", f"Bearer {text}"),)


def invoke(bank: Server, method: str, request: Any, metadata: Any = ()) -> bytes:
    with grpc.insecure_channel(bank.admin) as channel:
        call = channel.unary_unary(method)
        return call(
            request.SerializeToString(), metadata=metadata, timeout=DEADLINE_SECONDS
        )


def test_reflection_lists_the_services_of_each_port(bank: Server) -> None:
    """As grpcurl and ghz ask for them; message types come along."""
    listed = {}
    for address in (bank.decisions, bank.admin):
        with grpc.insecure_channel(address) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            listed[address] = set(database.get_services())
            if address == bank.decisions:
                files = {
                    database.FindFileContainingSymbol(f"propono.v1.{symbol}").name
                    for symbol in (
                        "ProposeRequest",
                        "DecisionService",
                        "DecisionService.Propose",
                    )
                }

    standard = {
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    assert listed == {
        bank.decisions: {"propono.v1.DecisionService", *standard},
        bank.admin: {
            "propono.v1.AdminService",
            "propono.v1.ContactService",
            *standard,
        },
    }
    assert files == {"propono/v1/decision.proto"}


def test_the_token_file_is_its_owners_alone(bank: Server) -> None:
    """Mode 0600."""
    assert (bank.data / "admin.token").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "metadata",
    [
        (),
        (("authorization", ""),),
        (("authorization", "Bearer wrong"),),
        (("authorization", "Basic x"),),
    ],
)
@pytest.mark.parametrize("method", ["ListRevisions", "Publish", "CreateOffer"])
def test_without_the_token_nothing_is_told(
    bank: Server, method: str, metadata: Any
) -> None:
    """UNAUTHENTICATED before anything else, for methods not there yet as well."""
    with pytest.raises(grpc.RpcError) as raised:
        invoke(bank, f"{ADMIN}/{method}", pb.ListRevisionsRequest(), metadata)

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_two_tokens_are_none(bank: Server, token: Any) -> None:
    """A second authorization header is not a second chance."""
    with pytest.raises(grpc.RpcError) as raised:
        invoke(bank, f"{ADMIN}/ListRevisions", pb.ListRevisionsRequest(), token * 2)

    assert raised.value.code() is grpc.StatusCode.UNAUTHENTICATED


def test_revisions_are_listed_and_read(bank: Server, token: Any) -> None:
    """Newest first, in pages; the current one is marked."""
    first = pb.ListRevisionsResponse.FromString(
        invoke(
            bank, f"{ADMIN}/ListRevisions", pb.ListRevisionsRequest(page_size=1), token
        )
    )
    named = pb.GetRevisionRequest(name="revisions/current")
    current = pb.GetRevisionResponse.FromString(
        invoke(bank, f"{ADMIN}/GetRevision", named, token)
    ).revision

    assert list(first.revisions) == [current]
    assert current.current
    assert current.offer_count == 45


@pytest.mark.parametrize(
    ("method", "request_", "code"),
    [
        ("GetRevision", pb.GetRevisionRequest(name="revisions/9999"), "NOT_FOUND"),
        (
            "GetRevision",
            pb.GetRevisionRequest(name="revisions/" + "9" * 40),
            "NOT_FOUND",
        ),
        ("GetRevision", pb.GetRevisionRequest(name="offers/1"), "INVALID_ARGUMENT"),
        ("GetRevision", pb.GetRevisionRequest(name="revisions/²"), "INVALID_ARGUMENT"),
        ("ListRevisions", pb.ListRevisionsRequest(page_size=-1), "INVALID_ARGUMENT"),
        (
            "ListRevisions",
            pb.ListRevisionsRequest(page_token="x"),
            "INVALID_ARGUMENT",
        ),
    ],
)
def test_wrong_requests_for_revisions(
    bank: Server, token: Any, method: str, request_: Any, code: str
) -> None:
    """Bounded numbers and tokens, and names of the right kind."""
    with pytest.raises(grpc.RpcError) as raised:
        invoke(bank, f"{ADMIN}/{method}", request_, token)

    assert raised.value.code().name == code


def test_the_whole_contract_is_served(bank: Server, token: Any) -> None:
    """No method of the admin service is unknown, and none is a stub."""
    service = pb.DESCRIPTOR.services_by_name["AdminService"]
    codes: dict[str, grpc.StatusCode] = {}
    with grpc.insecure_channel(bank.admin) as channel:
        for method in service.methods:
            path = f"/{service.full_name}/{method.name}"
            kinds: dict[tuple[bool, bool], Any] = {
                (False, False): channel.unary_unary,
                (False, True): channel.unary_stream,
                (True, False): channel.stream_unary,
            }
            call = kinds[method.client_streaming, method.server_streaming](path)
            # No message of any method: nothing is changed.
            sent = b"\xff"
            asked = iter([sent]) if method.client_streaming else sent
            with pytest.raises(grpc.RpcError) as raised:
                list(call(asked, metadata=token, timeout=DEADLINE_SECONDS))
            codes[method.name] = raised.value.code()

    assert len(codes) > 60
    assert set(codes.values()) == {grpc.StatusCode.INVALID_ARGUMENT}, codes

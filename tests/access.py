"""Callers for tests: one token for each role, and every method, tried over the wire."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from grpc_reflection.v1alpha import reflection_pb2

from server.access.access_list import Token, change_access_list, with_token
from server.access.roles import Role
from server.access.tokens import hash_of, new_token
from server.wire import admin_pb2, contact_pb2, decision_pb2
from tests.servers import DEADLINE_SECONDS

ADMIN_PORT = (admin_pb2, contact_pb2)
DECISION_PORT = (decision_pb2,)


class Method(NamedTuple):
    """A method as a client sees it."""

    path: str
    takes_stream: bool = False
    gives_stream: bool = False
    #: Good enough to be answered, where nothing is no request.
    request: bytes = b""


_REFLECTION = reflection_pb2.ServerReflectionRequest(list_services="*")
STANDARD = (
    Method("/grpc.health.v1.Health/Check"),
    Method("/grpc.health.v1.Health/Watch", gives_stream=True),
    Method(
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
        takes_stream=True,
        gives_stream=True,
        request=_REFLECTION.SerializeToString(),
    ),
)


def methods_in(files: Iterable[Any]) -> list[Method]:
    """Every method of the contract in these files."""
    return [
        Method(
            f"/{service.full_name}/{method.name}",
            method.client_streaming,
            method.server_streaming,
        )
        for file in files
        for service in file.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    ]


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {token}"),)


def give_token(
    data: Path, role: Role, name: str = "", expires_at_ms: int | None = None
) -> str:
    """A new token's text, in force in that data folder."""
    made = new_token(os.urandom)
    token = Token(
        made.id, name or role.value, role, hash_of(made.text), 0, expires_at_ms
    )
    change_access_list(data / "access", lambda access: with_token(access, token))
    return made.text


def outcome(channel: grpc.Channel, method: Method, metadata: Any = ()) -> grpc.RpcError:
    """What the first answer is; `code()` of it is OK where nothing failed."""
    make = {
        (False, False): channel.unary_unary,
        (False, True): channel.unary_stream,
        (True, False): channel.stream_unary,
        (True, True): channel.stream_stream,
    }[method.takes_stream, method.gives_stream]
    sent = iter([method.request]) if method.takes_stream else method.request
    options = {"metadata": metadata, "timeout": DEADLINE_SECONDS}
    try:
        if method.gives_stream:
            answers = make(method.path)(sent, **options)
            next(answers, None)
            answers.cancel()
        else:
            make(method.path)(sent, **options)
    except grpc.RpcError as error:
        return error
    return _Fine()


class _Fine(grpc.RpcError):
    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.OK

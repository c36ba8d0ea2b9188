"""The standard services beside ours: health and reflection.

Their logic is grpc's own, but for Watch; the handlers are ours, because the generated
ones answer bytes that do not parse with UNKNOWN.
"""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from typing import Any, cast

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2
from grpc_reflection.v1alpha import _async as reflection_aio
from grpc_reflection.v1alpha import reflection_pb2

from server.requests import InvalidRequest
from server.transport import Context, Handlers, abort, handlers, parse

HEALTH = "grpc.health.v1.Health"
REFLECTION = "grpc.reflection.v1alpha.ServerReflection"

_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class Health:
    """Whether each service answers, for load balancers.

    Check is grpc's own. Watch is ours: grpc's never ends, and a server that ends waits
    for its calls.
    """

    def __init__(self, services: Iterable[str]) -> None:
        self._servicer: Any = cast(Any, health).aio.HealthServicer()
        self._services = ("", *services)
        self._statuses: dict[str, int] = {"": _status(True)}
        #: Set, and replaced by another, when one of them changes.
        self._changed = asyncio.Event()
        self._has_ended = False

    async def set(self, *, serving: bool) -> None:
        for service in self._services:
            await self.set_part(service, serving=serving)

    async def set_part(self, service: str, *, serving: bool) -> None:
        """The same for a name that says something of its own."""
        status = _status(serving)
        await self._servicer.set(service, status)
        self._statuses[service] = status
        self._notify()

    async def end(self) -> None:
        """NOT_SERVING for good; who watches is told so, and has been answered."""
        self._has_ended = True
        for service in list(self._statuses):
            await self.set_part(service, serving=False)
        self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def _watch(self, request: Any, rpc_context: Any) -> None:
        told: int | None = None
        while True:
            # Before the status is read: what changes while it is written is not missed.
            changed = self._changed
            status = self._statuses.get(request.service, _UNKNOWN)
            if status != told:
                await rpc_context.write(health_pb2.HealthCheckResponse(status=status))
                told = status
            elif self._has_ended:
                return
            else:
                await changed.wait()

    def rpc_handlers(self) -> Handlers:
        request_type = health_pb2.HealthCheckRequest
        return handlers(
            HEALTH,
            {
                "Check": grpc.unary_unary_rpc_method_handler(
                    _parsed(request_type, self._servicer.Check),
                    response_serializer=_encode,
                ),
                "Watch": grpc.unary_stream_rpc_method_handler(
                    _parsed(request_type, self._watch),
                    response_serializer=_encode,
                ),
            },
        )


def reflection_handlers(services: Iterable[str]) -> Handlers:
    """Lists services and their messages to tools such as grpcurl and ghz."""
    servicer: Any = reflection_aio.ReflectionServicer([*services, HEALTH, REFLECTION])

    async def reflect(data: AsyncIterator[bytes], rpc_context: Context) -> Any:
        async def requests() -> AsyncIterator[Any]:
            async for each in data:
                try:
                    request = parse(reflection_pb2.ServerReflectionRequest, each)
                except InvalidRequest as error:
                    await abort(rpc_context, error)
                yield _by_service(request)

        async for answer in servicer.ServerReflectionInfo(requests(), rpc_context):
            yield answer

    handler = grpc.stream_stream_rpc_method_handler(
        reflect, response_serializer=_encode
    )
    return handlers(REFLECTION, {"ServerReflectionInfo": handler})


def _status(serving: bool) -> int:
    return health_pb2.HealthCheckResponse.ServingStatus.Value(
        "SERVING" if serving else "NOT_SERVING"
    )


def _by_service(request: Any) -> Any:
    """The request, asking for the service where it asks for a method of it.

    ghz asks for the file of a method; grpc's servicer asks protobuf's pool, which
    knows files by services and messages, but not by methods.
    """
    if request.HasField("file_containing_symbol"):
        with suppress(KeyError):
            method = descriptor_pool.Default().FindMethodByName(
                request.file_containing_symbol
            )
            request.file_containing_symbol = method.containing_service.full_name
    return request


def _parsed(
    request_type: type[Message], behaviour: Callable[[Any, Any], Awaitable[Any]]
) -> Any:
    async def handle(data: bytes, rpc_context: Context) -> Any:
        try:
            request = parse(request_type, data)
        except InvalidRequest as error:
            await abort(rpc_context, error)
        return await behaviour(request, rpc_context)

    return handle


def _encode(message: Message) -> bytes:
    return message.SerializeToString()

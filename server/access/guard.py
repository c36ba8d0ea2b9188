"""In front of every method of a server: nothing is reached around it.

The guard stands where gRPC asks for the handler of a method, so that ours, health and
reflection are behind it alike, and a method that is added tomorrow is as well.
"""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from inspect import isasyncgenfunction
from typing import Any, NoReturn, TypeAlias

import grpc

from server.access.callers import current_caller
from server.access.gate import Gate
from server.status import code_of
from server.transport import Context, Handler, Handlers, abort

#: Told the path of a method and the name of gRPC's code.
ObserveRefusal: TypeAlias = Callable[[str, str], None]
_Behaviour: TypeAlias = Callable[[Any, Context], Any]


def guarded(
    services: Iterable[Handlers], gate: Gate, refused: ObserveRefusal
) -> list[Handlers]:
    """The same services, each call of which the gate admits first."""
    return [_Guarded(service, gate, refused) for service in services]


class _Guarded(grpc.GenericRpcHandler):
    """One service behind the gate."""

    def __init__(self, service: Handlers, gate: Gate, refused: ObserveRefusal) -> None:
        self._service = service
        self._gate = gate
        self._refused = refused
        #: By method; as many as the service has.
        self._handlers: dict[str, Handler] = {}

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        method = handler_call_details.method
        known = self._handlers.get(method)
        if known is None:
            handler = self._service.service(handler_call_details)
            if handler is None:
                return None
            known = self._handlers[method] = self._behind_the_gate(method, handler)
        return known

    def _behind_the_gate(self, method: str, handler: Any) -> Handler:
        kind = (handler.request_streaming, handler.response_streaming)
        make, behaviour = {
            (False, False): (grpc.unary_unary_rpc_method_handler, handler.unary_unary),
            (False, True): (grpc.unary_stream_rpc_method_handler, handler.unary_stream),
            (True, False): (grpc.stream_unary_rpc_method_handler, handler.stream_unary),
            (True, True): (
                grpc.stream_stream_rpc_method_handler,
                handler.stream_stream,
            ),
        }[kind]
        wrap = self._yielding if isasyncgenfunction(behaviour) else self._returning
        return make(
            wrap(method, behaviour),
            handler.request_deserializer,
            handler.response_serializer,
        )

    def _returning(self, method: str, behaviour: _Behaviour) -> _Behaviour:
        async def handle(request: Any, rpc_context: Context) -> Any:
            try:
                self._admit(method, rpc_context)
            except Exception as error:
                await self._refuse(method, rpc_context, error)
            return await behaviour(request, rpc_context)

        return handle

    def _yielding(self, method: str, behaviour: _Behaviour) -> _Behaviour:
        async def handle(request: Any, rpc_context: Context) -> AsyncIterator[Any]:
            try:
                self._admit(method, rpc_context)
            except Exception as error:
                await self._refuse(method, rpc_context, error)
            async for answer in behaviour(request, rpc_context):
                yield answer

        return handle

    def _admit(self, method: str, rpc_context: Context) -> None:
        metadata = rpc_context.invocation_metadata() or ()
        sent = [value for key, value in metadata if key == "authorization"]
        caller = self._gate.admit(method, sent, lambda: names_in(rpc_context))
        # The task is the call's own: no other call sees it.
        current_caller.set(caller)

    async def _refuse(
        self, method: str, rpc_context: Context, error: Exception
    ) -> NoReturn:
        self._refused(method, code_of(error))
        await abort(rpc_context, error)


def names_in(rpc_context: Context) -> Sequence[str]:
    """The names in the certificate of a caller; none without one."""
    identities = rpc_context.peer_identities() or ()
    return [each.decode("utf-8", "replace") for each in identities]

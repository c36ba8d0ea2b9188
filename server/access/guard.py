"""In front of every method of a server: nothing is reached around it.

The guard stands where gRPC asks for the handler of a method, so that ours, health and
reflection are behind it alike, and a method that is added tomorrow is as well. What the
table calls a change is audited here, and so is every refusal.
"""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from inspect import isasyncgenfunction
from typing import Any, NoReturn, Protocol

import grpc

from server.access.callers import Caller, current_caller
from server.access.gate import Gate
from server.access.permissions import permission_of
from server.access.rate_limits import RateLimiter
from server.audit.calls import Behaviour, peer_of
from server.audit.entries import AuditFailed
from server.requests import TokenExpired, Unauthenticated
from server.status import code_of
from server.transport import (
    Begin,
    Begun,
    Context,
    Handler,
    Handlers,
    UnaryHandler,
    abort,
)


class Witness(Protocol):
    """Who is told what comes to a port; see `server.audit.calls`."""

    async def refused(
        self, method: str, code: str, error: Exception, peer: str
    ) -> None: ...

    async def change(
        self,
        method: str,
        behaviour: Behaviour,
        caller: Caller,
        request: Any,
        rpc_context: Context,
    ) -> Any: ...


def guarded(
    services: Iterable[Handlers],
    gate: Gate,
    witness: Witness,
    limiter: RateLimiter | None = None,
) -> list[Handlers]:
    """The same services, each call of which the gate admits first.

    With a `limiter`, callers may not call as often as they like.
    """
    return [_Guarded(service, gate, witness, limiter) for service in services]


class _Guarded(grpc.GenericRpcHandler):
    """One service behind the gate."""

    def __init__(
        self,
        service: Handlers,
        gate: Gate,
        witness: Witness,
        limiter: RateLimiter | None,
    ) -> None:
        self._service = service
        self._gate = gate
        self._witness = witness
        self._limiter = limiter
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
        if permission_of(method).is_change:
            assert not handler.response_streaming, "a change answers once"
            wrap = self._changing
        behind: Any = wrap(method, behaviour)
        if isinstance(handler, UnaryHandler) and wrap == self._returning:
            return UnaryHandler(behind, begin=self._beginning(method, handler))
        return make(behind, handler.request_deserializer, handler.response_serializer)

    def _beginning(self, method: str, handler: UnaryHandler) -> Begin | None:
        """The same as `_returning` where nothing is awaited; None where it cannot be
        done so."""
        begin_for = handler.begin_for
        if begin_for is None or self._limiter is not None:
            return None

        def begin(request: bytes, rpc_context: Context) -> Begun:
            try:
                caller = self._caller(method, rpc_context)
            except Exception as error:
                return self._refuse(method, rpc_context, error)
            return begin_for(request, rpc_context, caller.name)

        return begin

    def _returning(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def handle(request: Any, rpc_context: Context) -> Any:
            with await self._admit(method, rpc_context):
                return await behaviour(request, rpc_context)

        return handle

    def _yielding(
        self, method: str, behaviour: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        async def handle(request: Any, rpc_context: Context) -> AsyncIterator[Any]:
            with await self._admit(method, rpc_context):
                async for answer in behaviour(request, rpc_context):
                    yield answer

        return handle

    def _changing(self, method: str, behaviour: Behaviour) -> Behaviour:
        async def handle(request: Any, rpc_context: Context) -> Any:
            with await self._admit(method, rpc_context):
                caller = current_caller.get()
                try:
                    return await self._witness.change(
                        method, behaviour, caller, request, rpc_context
                    )
                except AuditFailed as error:
                    await abort(rpc_context, error)

        return handle

    async def _admit(
        self, method: str, rpc_context: Context
    ) -> AbstractContextManager[None]:
        """Set who calls, for as long as the call is in flight; one that is not admitted
        ends here."""
        try:
            caller = self._caller(method, rpc_context)
            # The task is the call's own: no other call sees it.
            current_caller.set(caller)
            if self._limiter is None:
                return nullcontext()
            return self._limiter.begin(method, caller.name, caller.role)
        except Exception as error:
            await self._refuse(method, rpc_context, error)

    def _caller(self, method: str, rpc_context: Context) -> Caller:
        metadata = rpc_context.invocation_metadata() or ()
        sent = [value for key, value in metadata if key == "authorization"]
        try:
            return self._gate.admit(method, sent, lambda: names_in(rpc_context))
        except (Unauthenticated, TokenExpired):
            if self._limiter is not None:
                self._limiter.failed(peer_of(rpc_context))
            raise

    async def _refuse(
        self, method: str, rpc_context: Context, error: Exception
    ) -> NoReturn:
        peer = peer_of(rpc_context)
        await self._witness.refused(method, code_of(error), error, peer)
        await abort(rpc_context, error)


def names_in(rpc_context: Context) -> Sequence[str]:
    """The names in the certificate of a caller; none without one."""
    identities = rpc_context.peer_identities() or ()
    return [each.decode("utf-8", "replace") for each in identities]

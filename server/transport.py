"""gRPC handlers that answer every mistake with the right code.

A handler made by grpc's generated code answers a message that does not parse with
UNKNOWN. Here the bytes reach us first: they are parsed inside `try`, and whatever is
raised is translated by `server.status`.
"""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false
# pyright: reportMissingTypeArgument=false

import asyncio
import time
from collections.abc import (
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Mapping,
)
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from functools import partial
from typing import Any, Generic, NamedTuple, NoReturn, TypeAlias, TypeVar, cast

import grpc
import grpc.aio
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from server.admission import Admission, awaited, is_late, seconds_left
from server.log_lines import about_call
from server.requests import (
    InvalidRequest,
    RequestTooLarge,
    Violation,
)
from server.status import code_of, status_of

#: Bytes of one request; larger ones are RESOURCE_EXHAUSTED before they are parsed.
MESSAGE_BYTES_MAX = 256 * 1024
#: The same where many contacts come in one request; larger ones never reach us.
BATCH_MESSAGE_BYTES_MAX = 4 * 1024 * 1024

#: Measured against floods, slow handshakes and oversized headers on grpcio 1.85.
SERVER_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", BATCH_MESSAGE_BYTES_MAX),
    ("grpc.max_metadata_size", 8_192),
    ("grpc.absolute_max_metadata_size", 16_384),
    ("grpc.max_concurrent_streams", 100),
    ("grpc.max_allowed_incoming_connections", 2_000),
    ("grpc.server_handshake_timeout_ms", 5_000),
    ("grpc.max_connection_idle_ms", 300_000),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.http2.max_ping_strikes", 2),
)

#: How long the calls of a connection may go on when that has reached its age: longer
#: than a batch of 100,000 contacts takes.
CONNECTION_GRACE_MS = 600_000

#: Turns of the event loop in which nothing else was to do, after which nothing more is
#: expected, and how short such a turn is.
QUIET_TURNS = 16
QUIET_TURN_SECONDS = 50e-6
#: Others have their turn no longer than that: a stream goes on under any load.
OTHERS_SECONDS_MAX = 0.005

# In quotes: these classes are generic in grpc's stubs only.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Handlers: TypeAlias = grpc.GenericRpcHandler
Behaviour: TypeAlias = Callable[[Any, Context], Awaitable[Any]]
#: An answer, or what is left to do for one: to be run at once.
Begun: TypeAlias = "bytes | Coroutine[Any, Any, bytes]"
#: Begins a call, given its message.
Begin: TypeAlias = Callable[[bytes, Context], Begun]
#: The same, given who calls as well.
BeginFor: TypeAlias = Callable[[bytes, Context, str], Begun]
#: An answer in the making; each step blocks the event loop for about a millisecond.
Steps: TypeAlias = Generator[None, None, bytes]
#: Answers in the making; a step without one yields None, and one after which something
#: is to be waited for yields that.
AnswerSteps: TypeAlias = Generator["bytes | asyncio.Future[Any] | None", None, None]
#: Told the name of gRPC's code, and how many seconds a call took.
Observe: TypeAlias = Callable[[str, float], None]
RequestT = TypeVar("RequestT", bound=Message)


def unobserved(code: str, seconds: float) -> None:
    """For methods that nobody counts."""


def build_server(
    services: Iterable[Handlers],
    *,
    reuse_port: bool,
    connection_age_seconds: float | None = None,
) -> grpc.aio.Server:
    """A server of these services, not yet listening.

    With `reuse_port`, several processes may listen on one port, and the kernel
    shares out connections among them. A connection of the given age, or of a tenth
    more or less, ends when its calls have ended; the client makes another.
    """
    options = server_options(
        reuse_port=reuse_port, connection_age_seconds=connection_age_seconds
    )
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers(tuple(services))
    return server


def server_options(
    *, reuse_port: bool, connection_age_seconds: float | None = None
) -> tuple[tuple[str, int], ...]:
    """Those of a server of ours, as for `build_server`."""
    options = (*SERVER_OPTIONS, ("grpc.so_reuseport", int(reuse_port)))
    if connection_age_seconds is None:
        return options
    age_ms = round(connection_age_seconds * 1_000)
    return (
        *options,
        ("grpc.max_connection_age_ms", age_ms),
        ("grpc.max_connection_age_grace_ms", CONNECTION_GRACE_MS),
    )


def handlers(service: str, methods: dict[str, Handler]) -> Handlers:
    """What a server is given for one service."""
    return grpc.method_handlers_generic_handler(service, methods)


class UnaryHandler(grpc.RpcMethodHandler):
    """One request, one answer: for grpc's servers, and for one that can do without a
    coroutine where nothing is waited for."""

    request_streaming = response_streaming = False
    request_deserializer = response_serializer = None
    unary_stream = stream_unary = stream_stream = None

    def __init__(
        self,
        handle: Behaviour,
        begin_for: BeginFor | None = None,
        begin: Begin | None = None,
    ) -> None:
        self.unary_unary: Any = handle
        #: For whoever finds out who calls, and then offers `begin`.
        self.begin_for = begin_for
        self.begin = begin


def unary_handler(
    request_type: type[RequestT],
    answer: Callable[[RequestT, str], bytes | Steps | Awaitable[bytes | Steps]],
    caller_of: Callable[[Context], str],
    observe: Observe = unobserved,
    admission: Admission | None = None,
) -> Handler:
    """A handler for a function from a request and its caller to encoded bytes.

    The function runs on the event loop: it must neither wait nor block for long. What
    takes longer is a generator that returns the bytes: other calls run between its
    steps; what waits is awaited. `caller_of` names the caller, or raises. Without an
    `admission` all calls are taken on.
    """
    admitted = nullcontext() if admission is None else admission
    calls = _UnaryCalls(request_type, answer, observe, admitted)

    async def handle(data: bytes, rpc_context: Context) -> bytes:
        try:
            caller = caller_of(rpc_context)
        except Exception as error:
            call = _UnaryCall(data, rpc_context, "", time.perf_counter())
            await calls.failed(error, call)
        answered = calls.begin(data, rpc_context, caller)
        return answered if isinstance(answered, bytes) else await answered

    return UnaryHandler(handle, calls.begin)


class _UnaryCall(NamedTuple):
    """One that is not answered yet."""

    data: bytes
    rpc_context: Context
    caller: str
    began: float


class _UnaryCalls(Generic[RequestT]):
    """Those of one method."""

    def __init__(
        self,
        request_type: type[RequestT],
        answer: Callable[[RequestT, str], bytes | Steps | Awaitable[bytes | Steps]],
        observe: Observe,
        admitted: AbstractContextManager[None],
    ) -> None:
        self._request_type = request_type
        self._answer = answer
        self._observe = observe
        self._admitted = admitted

    def begin(self, data: bytes, rpc_context: Context, caller: str) -> Begun:
        call = _UnaryCall(data, rpc_context, caller, time.perf_counter())
        try:
            with self._admitted:
                seconds = seconds_left(rpc_context)
                if len(data) > MESSAGE_BYTES_MAX:
                    raise RequestTooLarge(len(data), MESSAGE_BYTES_MAX)
                answered = self._answer(parse(self._request_type, data), caller)
        except asyncio.CancelledError:
            self._ended(_code_of_gone(rpc_context), call)
            raise
        except Exception as error:
            return self.failed(error, call)
        # PERF: an Awaitable is looked for where there are no bytes only: 0.5 us.
        if type(answered) is bytes:
            self._ended("OK", call)
            return answered
        return self._rest(answered, seconds, call)

    async def failed(self, error: Exception, call: _UnaryCall) -> NoReturn:
        self._ended(code_of(error), call)
        about = partial(_about, self._request_type, call.caller, call.data)
        await abort(call.rpc_context, error, about)

    async def _rest(
        self,
        answered: bytes | Steps | Awaitable[bytes | Steps],
        seconds: float | None,
        call: _UnaryCall,
    ) -> bytes:
        try:
            # Its place is still free: nothing has run since it was left.
            with self._admitted:
                if isinstance(answered, Awaitable):
                    answered = await awaited(answered, seconds)
                while not isinstance(answered, bytes):
                    try:
                        next(answered)
                    except StopIteration as done:
                        answered = cast(bytes, done.value)
                    else:
                        await asyncio.sleep(0)
                        seconds_left(call.rpc_context)
        except asyncio.CancelledError:
            self._ended(_code_of_gone(call.rpc_context), call)
            raise
        except Exception as error:
            await self.failed(error, call)
        self._ended("OK", call)
        return answered

    def _ended(self, code: str, call: _UnaryCall) -> None:
        self._observe(code, time.perf_counter() - call.began)


def stream_handler(
    request_type: type[RequestT],
    answers: Callable[[RequestT, str], AnswerSteps],
    caller_of: Callable[[Context], str],
    observe: Observe = unobserved,
    admission: Admission | None = None,
) -> Handler:
    """A handler for a function from a request and its caller to encoded answers.

    The function runs on the event loop, a step at a time, as for `unary_handler`; a
    step that has no answer yields None, or what the next step has to wait for. When the
    caller goes away, or its deadline passes, no further step is taken.
    """
    admitted = nullcontext() if admission is None else admission

    async def answer_to(data: bytes, rpc_context: Context) -> None:
        seconds_left(rpc_context)
        caller = caller_of(rpc_context)
        with closing(answers(parse(request_type, data), caller)) as steps:
            for answer in steps:
                if isinstance(answer, bytes):
                    await rpc_context.write(answer)
                elif answer is not None:
                    # What it raises is raised in the step that asks for it.
                    await asyncio.wait([answer], timeout=seconds_left(rpc_context))
                await _others_have_their_turn()
                seconds_left(rpc_context)

    async def handle(data: bytes, rpc_context: Context) -> None:
        began = time.perf_counter()
        try:
            with admitted:
                await answer_to(data, rpc_context)
        except asyncio.CancelledError:
            observe(_code_of_gone(rpc_context), time.perf_counter() - began)
            raise
        except Exception as error:
            observe(code_of(error), time.perf_counter() - began)
            caller = ""
            with suppress(Exception):
                caller = caller_of(rpc_context)
            about = partial(_about, request_type, caller, data)
            await abort(rpc_context, error, about)
        observe("OK", time.perf_counter() - began)

    return grpc.unary_stream_rpc_method_handler(handle)


def _about(
    request_type: type[Message], caller: str, data: bytes
) -> Mapping[str, object]:
    """What the log tells of a call; found out again, since that is seldom needed."""
    request_id = ""
    with suppress(Exception):
        request_id = str(getattr(request_type.FromString(data), "request_id", ""))
    # Each method has a message of its own, which is named after it.
    method = request_type.DESCRIPTOR.name.removesuffix("Request")
    return about_call(method=method, caller=caller, request_id=request_id)


def _code_of_gone(rpc_context: Context) -> str:
    """What a call that gRPC cancelled counts as."""
    return "DEADLINE_EXCEEDED" if is_late(rpc_context) else "CANCELLED"


async def _others_have_their_turn() -> None:
    """Let the event loop turn until it has nothing else to do, or long enough.

    A call takes several turns, and what it waits for in between comes from another
    thread of gRPC's, tens of microseconds later.
    """
    clock = time.perf_counter
    start = turn_began = clock()
    quiet_turns = 0
    while quiet_turns < QUIET_TURNS and turn_began - start < OTHERS_SECONDS_MAX:
        await asyncio.sleep(0)
        turn_ended = clock()
        is_quiet = turn_ended - turn_began < QUIET_TURN_SECONDS
        quiet_turns = quiet_turns + 1 if is_quiet else 0
        turn_began = turn_ended


def refusing_handler(
    method: MethodDescriptor, caller_of: Callable[[Context], str], refusal: Exception
) -> Handler:
    """A handler that answers with the same error to all who may call."""

    async def handle(_: Any, rpc_context: Context) -> bytes:
        try:
            caller_of(rpc_context)
            # The same object each time: it must not collect where it has been.
            raise refusal.with_traceback(None)
        except Exception as error:
            await abort(rpc_context, error)

    kinds = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }
    return kinds[method.client_streaming, method.server_streaming](handle)


def parse(request_type: type[RequestT], data: bytes) -> RequestT:
    """Raises InvalidRequest when the bytes are not such a message."""
    try:
        return request_type.FromString(data)
    except DecodeError:
        text = f"the bytes are not a {request_type.DESCRIPTOR.full_name}"
        raise InvalidRequest([Violation("", text)]) from None


async def abort(
    rpc_context: Context,
    error: Exception,
    about: Callable[[], Mapping[str, object]] = dict,
) -> NoReturn:
    """End the call with the status of an error; `about` is as for `status_of`."""
    await cast(Any, rpc_context).abort_with_status(status_of(error, about))
    raise AssertionError("abort returned")


def methods_of(service: ServiceDescriptor) -> dict[str, MethodDescriptor]:
    return {method.name: method for method in service.methods}

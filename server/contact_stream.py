"""The handler of a method that takes a stream and answers once."""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from server.requests import InvalidRequest, Violation
from server.transport import MESSAGE_BYTES_MAX, Context, Handler, abort, parse

RequestT = TypeVar("RequestT", bound=Message, contravariant=True)


class Taking(Protocol[RequestT]):
    """What takes the messages of one call."""

    def add(self, request: RequestT) -> None: ...

    def finish(self) -> bytes | Awaitable[bytes]:
        """The encoded answer."""
        ...


def taking_handler(
    request_type: type[RequestT],
    begin: Callable[[str], Taking[RequestT]],
    caller_of: Callable[[Context], str],
) -> Handler:
    """A handler that gives each message of a call to what `begin` makes for its caller.

    Other calls run between messages. A message of more than MESSAGE_BYTES_MAX, or one
    that cannot be read, ends the call.
    """

    async def handle(messages: AsyncIterator[bytes], rpc_context: Context) -> bytes:
        try:
            taking = begin(caller_of(rpc_context))
            async for data in messages:
                if len(data) > MESSAGE_BYTES_MAX:
                    text = (
                        f"a message has {len(data)} bytes; send at most"
                        f" {MESSAGE_BYTES_MAX}, and more messages"
                    )
                    raise InvalidRequest([Violation("", text)])
                taking.add(parse(request_type, data))
            answer = taking.finish()
            return answer if isinstance(answer, bytes) else await answer
        except Exception as error:
            await abort(rpc_context, error)

    return grpc.stream_unary_rpc_method_handler(handle)

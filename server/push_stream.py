"""The handler of PushArtifact: parts until the client says that these were all."""

# grpc's own stubs leave these calls untyped: this is the seam, nothing else is loose.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownParameterType=false, reportUnknownArgumentType=false

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from typing import Protocol

import grpc

from server.requests import InvalidRequest, Violation
from server.transport import Context, Handler, abort, parse
from server.wire import admin_pb2 as pb

#: How long a part may take, and all of them.
PART_SECONDS = 30.0
PARTS_SECONDS = 600.0


class Parts(Protocol):
    """What takes the parts of one artifact."""

    def add(self, request: pb.PushArtifactRequest) -> None: ...

    async def finish(self) -> bytes:
        """The encoded answer."""
        ...


def push_handler(
    begin: Callable[[str], AbstractContextManager[Parts]],
    caller_of: Callable[[Context], str],
) -> Handler:
    """A handler that gives each part to what `begin` makes for a caller.

    The client can send no faster than parts are taken. One that cannot be read, or
    that does not come in time, ends the call.
    """

    async def handle(messages: AsyncIterator[bytes], rpc_context: Context) -> bytes:
        try:
            with begin(caller_of(rpc_context)) as parts:
                await _take(messages, parts)
                return await parts.finish()
        except Exception as error:
            await abort(rpc_context, error)

    return grpc.stream_unary_rpc_method_handler(handle)


async def _take(messages: AsyncIterator[bytes], parts: Parts) -> None:
    try:
        async with asyncio.timeout(PARTS_SECONDS):
            while True:
                async with asyncio.timeout(PART_SECONDS):
                    try:
                        data = await anext(messages)
                    except StopAsyncIteration:
                        return
                parts.add(parse(pb.PushArtifactRequest, data))
    except TimeoutError:
        text = (
            f"does not come; send each within {PART_SECONDS:.0f} seconds, and all"
            f" within {PARTS_SECONDS:.0f}"
        )
        raise InvalidRequest([Violation("chunk", text)]) from None

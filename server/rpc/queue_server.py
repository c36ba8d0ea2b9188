"""A gRPC server whose calls run on the loop that waits for them."""

import asyncio
from collections.abc import Iterable
from typing import Any, NamedTuple

from server.requests import UnknownMethod
from server.rpc import core
from server.rpc.queue_loop import QueueLoop
from server.rpc.server_call import Method, ServerCall
from server.status import status_of

#: Calls that gRPC may announce before we ask for another one.
_ASKED_FOR = 16


class _CallDetails(NamedTuple):
    """What services are asked with: see grpc.HandlerCallDetails."""

    method: str
    invocation_metadata: Any


class QueueServer:
    """Takes what grpc.aio.Server takes; made and stopped while its loop runs."""

    def __init__(self, options: tuple[tuple[str, int], ...]) -> None:
        """Raises TypeError where the running loop is no QueueLoop."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, QueueLoop):
            raise TypeError("a queue server runs on a QueueLoop")
        self._loop = loop
        self._server = core.new_server(options, loop.queue)
        self._services: list[Any] = []
        #: Those that were called; no more than there are.
        self._methods: dict[bytes, Method] = {}
        self._is_stopping = False
        self._stopped: asyncio.Future[None] = loop.create_future()

    def add_generic_rpc_handlers(self, services: Iterable[Any]) -> None:
        self._services.extend(services)

    def add_insecure_port(self, address: str) -> int:
        """The port; raises OSError when it cannot listen there."""
        return _listening(address, self._server.add_http2_port(address.encode()))

    def add_secure_port(self, address: str, server_credentials: Any) -> int:
        """The same with certificates of our own, as grpc makes its credentials."""
        inside = server_credentials._credentials
        return _listening(
            address, self._server.add_http2_port(address.encode(), inside)
        )

    async def start(self) -> None:
        self._server.start()
        for _ in range(_ASKED_FOR):
            self._ask_for_call()

    async def stop(self, grace: float | None) -> None:
        """Take no more calls, and wait until those in flight have ended.

        Those that have not after `grace` seconds, or at once with None, are cancelled.
        """
        if not self._is_stopping:
            self._is_stopping = True
            self._server.shutdown(self._loop.queue, self._has_stopped)
        await asyncio.wait([self._stopped], timeout=grace or 0)
        if not self._stopped.done():
            self._server.cancel_all_calls()
            await self._stopped

    def _ask_for_call(self) -> None:
        queue = self._loop.queue
        self._server.request_call(queue, queue, self._announced)

    def _announced(self, event: Any) -> None:
        if not event.success:
            # Asked for, and the server stopped before it came.
            return
        if not self._is_stopping:
            self._ask_for_call()
        self._loop.use_as_bell(event.call)
        details = event.call_details
        method = self._methods.get(details.method) or self._found(event)
        if method is None:
            status = status_of(UnknownMethod("there is no such method"), dict)
            core.send_status(event.call, status, _sent, is_first=True)
        else:
            ServerCall(event, method, self._loop).begin()

    def _found(self, event: Any) -> Method | None:
        path: bytes = event.call_details.method
        asked = _CallDetails(path.decode("utf-8", "replace"), event.invocation_metadata)
        for service in self._services:
            handler = service.service(asked)
            if handler is not None:
                method = self._methods[path] = Method.of(handler)
                return method
        return None

    def _has_stopped(self, event: Any) -> None:
        self._server.destroy()
        if not self._stopped.done():
            self._stopped.set_result(None)


def _listening(address: str, port: int) -> int:
    if port == 0:
        raise OSError(f"cannot listen on {address}")
    return port


def _sent(event: Any) -> None:
    """The call is over."""

"""One call of a queue server, as handlers see it.

A handler begins as soon as the message is there, and most have answered before anything
else happens. One that has to wait goes on as a task of the loop. When the caller goes
away, or its deadline passes, that task is cancelled, as grpc.aio does it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from contextvars import copy_context
from inspect import isasyncgenfunction
from typing import Any, NamedTuple, NoReturn

from server.requests import InvalidRequest, Violation
from server.rpc import core
from server.status import status_of


class Method(NamedTuple):
    """How a method is answered."""

    #: Where most answers need not wait: gives the bytes at once, or a coroutine.
    begin: Callable[[bytes, Any], Any] | None

    #: Called with the request's bytes, or an iterator of them, and the call.
    behaviour: Callable[[Any, Any], Any]
    requests_are_streamed: bool
    answers_are_streamed: bool
    #: None where the behaviour gives bytes.
    serializer: Callable[[Any], bytes] | None

    @classmethod
    def of(cls, handler: Any) -> "Method":
        """That of a handler as grpc's servers take them, of requests as bytes."""
        assert handler.request_deserializer is None
        behaviour = (
            handler.unary_unary
            or handler.unary_stream
            or handler.stream_unary
            or handler.stream_stream
        )
        return cls(
            getattr(handler, "begin", None),
            _writing(behaviour) if isasyncgenfunction(behaviour) else behaviour,
            handler.request_streaming,
            handler.response_streaming,
            handler.response_serializer,
        )


class _Status(NamedTuple):
    """As grpc.Status."""

    code: Any
    details: str
    trailing_metadata: tuple[Any, ...]


class Ended(Exception):
    """Raised in a handler that has ended its call with a status."""


class ServerCall:
    """What a handler is given beside the request: see grpc.aio.ServicerContext."""

    __slots__ = (
        "_answers_sent",
        "_core_call",
        "_deadline",
        "_is_cancelled",
        "_loop",
        "_metadata",
        "_method",
        "_task",
    )

    def __init__(self, event: Any, method: Method, loop: asyncio.AbstractEventLoop):
        self._core_call = event.call
        self._deadline = core.deadline_of(event)
        self._metadata = event.invocation_metadata
        self._method = method
        self._loop = loop
        self._task: asyncio.Task[None] | None = None
        self._answers_sent = 0
        self._is_cancelled = False

    def begin(self) -> None:
        """Ask for the message; the handler begins when it is there."""
        if self._method.requests_are_streamed:
            self._hear_close()
            self._run(self._method.behaviour(self._requests(), self))
        else:
            core.receive_message(self._core_call, self._received)

    # What handlers may ask.

    def invocation_metadata(self) -> tuple[tuple[str, str | bytes], ...]:
        return self._metadata

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None when there is none."""
        deadline = self._deadline
        return None if deadline is None else max(deadline - time.time(), 0.0)

    def cancelled(self) -> bool:
        """Whether nobody waits for an answer any more."""
        return self._is_cancelled

    def peer(self) -> str:
        return self._core_call.peer().decode()

    def peer_identities(self) -> Any:
        return core.peer_identities(self._core_call)

    async def write(self, answer: Any) -> None:
        """Send one of many answers, when the caller has room for it."""
        sent: asyncio.Future[bool] = self._loop.create_future()
        message = self._serialized(answer)
        is_first = self._answers_sent == 0
        self._answers_sent += 1

        def written(event: Any) -> None:
            if not sent.done():
                sent.set_result(event.success)

        core.send_message(self._core_call, message, written, is_first=is_first)
        if not await sent:
            raise asyncio.CancelledError

    async def abort(
        self, code: Any, details: str = "", trailing_metadata: tuple[Any, ...] = ()
    ) -> NoReturn:
        """End the call with a code of gRPC's; always raises Ended."""
        await self.abort_with_status(_Status(code, details, trailing_metadata))

    async def abort_with_status(self, status: Any) -> NoReturn:
        self._refuse(status)
        raise Ended

    # What gRPC tells.

    def _received(self, event: Any) -> None:
        message = core.message_of(event)
        if message is not None:
            begin = self._method.begin
            if begin is None:
                self._hear_close()
                self._run(self._method.behaviour(message, self))
            else:
                self._begin(begin, message)
            return
        self._hear_close()
        if event.success:
            missing = Violation("", "the call ended without its message")
            self._failed(InvalidRequest([missing]))

    def _begin(self, begin: Callable[[bytes, Any], Any], message: bytes) -> None:
        # PERF: what is ours of a call takes 7 us behind a guard instead of 12 as three
        # coroutines; an echo 105 instead of 118, since its end needs no event of its
        # own (h2load, CPython 3.11, two busy cores).
        try:
            answered = begin(message, self)
        except Exception as error:
            self._hear_close()
            self._failed(error)
            return
        if type(answered) is bytes:
            core.send_answer(self._core_call, answered, _sent, is_last=True)
        else:
            self._hear_close()
            self._run(answered)

    def _hear_close(self) -> None:
        core.receive_close(self._core_call, self._closed)

    def _closed(self, event: Any) -> None:
        if core.was_cancelled(event):
            self._is_cancelled = True
            if self._task is not None:
                # Later, so that a task which has not begun does so first: its handler
                # has, and is to know.
                self._loop.call_soon(self._task.cancel)

    def _run(self, handler: Coroutine[Any, Any, Any]) -> None:
        # PERF: the first step needs no task, and is mostly the only one: 9 us less a
        # call (bench.echo). Python 3.12 calls this an eager task.
        context = copy_context()
        try:
            awaited = context.run(handler.send, None)
        except StopIteration as done:
            self._answered(done.value)
        except Exception as error:
            self._failed(error)
        else:
            rest = self._rest(_Begun(handler, awaited))
            self._task = self._loop.create_task(rest, context=context)

    async def _rest(self, handler: "_Begun") -> None:
        try:
            answer = await handler
        except Exception as error:
            self._failed(error)
        else:
            self._answered(answer)

    def _answered(self, answer: Any) -> None:
        if self._is_cancelled:
            return
        if self._method.answers_are_streamed:
            is_first = self._answers_sent == 0
            core.send_end(self._core_call, _sent, is_first=is_first)
        else:
            message = self._serialized(answer)
            core.send_answer(self._core_call, message, _sent, is_last=False)

    def _failed(self, error: Exception) -> None:
        if not isinstance(error, Ended):
            # Handlers of ours end their calls themselves: see `server.transport`.
            self._refuse(status_of(error, dict))

    def _refuse(self, status: Any) -> None:
        if not self._is_cancelled:
            is_first = self._answers_sent == 0
            core.send_status(self._core_call, status, _sent, is_first=is_first)

    def _serialized(self, answer: Any) -> bytes:
        serializer = self._method.serializer
        return answer if serializer is None else serializer(answer)

    async def _requests(self) -> AsyncIterator[bytes]:
        while True:
            received: asyncio.Future[bytes | None] = self._loop.create_future()

            def tell(event: Any, received: Any = received) -> None:
                if not received.done():
                    received.set_result(core.message_of(event))

            core.receive_message(self._core_call, tell)
            message = await received
            if message is None:
                return
            yield message


class _Begun:
    """A coroutine that was begun without a task, and goes on in one."""

    def __init__(self, handler: Coroutine[Any, Any, Any], awaited: Any) -> None:
        self._handler = handler
        self._awaited = awaited

    def __await__(self) -> Generator[Any, Any, Any]:
        handler, awaited = self._handler, self._awaited
        while True:
            try:
                sent = yield awaited
            except BaseException as error:
                step, given = handler.throw, error
            else:
                step, given = handler.send, sent
            try:
                awaited = step(given)
            except StopIteration as done:
                return done.value


def _writing(
    behaviour: Callable[[Any, Any], AsyncIterator[Any]],
) -> Callable[[Any, Any], Any]:
    """A handler that yields its answers, as one that writes them."""

    async def handle(request: Any, call: Any) -> None:
        async for answer in behaviour(request, call):
            await call.write(answer)

    return handle


def _sent(event: Any) -> None:
    """What was sent needs nothing more: that the call is over is told to `_closed`."""

"""The decision port's own server answers as grpc.aio's does."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextvars import ContextVar
from typing import Any

import grpc
import pytest

from server.rpc.queue_loop import QueueLoop
from server.rpc.queue_server import QueueServer
from server.transport import UnaryHandler, handlers, server_options
from tests.servers import DEADLINE_SECONDS

NAME: ContextVar[str] = ContextVar("name", default="nobody")


class Methods:
    """One of each kind, and what came of them."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.gone: list[bool] = []
        self.go_on = asyncio.Event()

    async def echo(self, data: bytes, call: Any) -> bytes:
        self.begun.append(data)
        return data

    async def wait(self, data: bytes, call: Any) -> bytes:
        self.begun.append(data)
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.gone.append(call.cancelled())
            raise
        return data

    async def name(self, data: bytes, call: Any) -> bytes:
        before = NAME.get()
        NAME.set(data.decode())
        await asyncio.sleep(0)
        return f"{before} {NAME.get()}".encode()

    async def about(self, data: bytes, call: Any) -> bytes:
        sent = dict(call.invocation_metadata())
        seconds = call.time_remaining()
        peer = call.peer().partition(":")[0]
        return f"{sent.get('key')} {peer} {seconds is not None}".encode()

    async def fail(self, data: bytes, call: Any) -> bytes:
        if data:
            await asyncio.sleep(0)
        raise ValueError("of ours")

    async def refuse(self, data: bytes, call: Any) -> bytes:
        if data:
            await asyncio.sleep(0)
        await call.abort(grpc.StatusCode.NOT_FOUND, "no such é", (("why", "gone"),))

    async def count(self, data: bytes, call: Any) -> AsyncIterator[bytes]:
        for number in range(int(data)):
            yield str(number).encode()

    async def join(self, messages: AsyncIterator[bytes], call: Any) -> bytes:
        return b"".join([each async for each in messages])

    async def twice(
        self, messages: AsyncIterator[bytes], call: Any
    ) -> AsyncIterator[bytes]:
        async for each in messages:
            yield each
            yield each

    async def stream_until_gone(self, data: bytes, call: Any) -> None:
        self.begun.append(data)
        try:
            while True:
                await call.write(bytes(1_000))
        except asyncio.CancelledError:
            self.gone.append(call.cancelled())
            raise

    def begin(self, data: bytes, call: Any) -> Any:
        """What to do is in the message: answer, wait, or fail."""
        assert asyncio.current_task() is None
        if data == b"wait":
            return self.wait(data, call)
        if data == b"fail":
            raise ValueError("of ours")
        return data

    def handlers(self) -> dict[str, Any]:
        unary = grpc.unary_unary_rpc_method_handler
        plain = (self.echo, self.wait, self.name, self.about, self.fail, self.refuse)
        return {
            **{each.__name__: unary(each) for each in plain},
            "count": grpc.unary_stream_rpc_method_handler(self.count),
            "flood": grpc.unary_stream_rpc_method_handler(self.stream_until_gone),
            "begun": UnaryHandler(self.echo, begin=self.begin),
            "join": grpc.stream_unary_rpc_method_handler(self.join),
            "twice": grpc.stream_stream_rpc_method_handler(self.twice),
        }


class Served:
    """A server on a free port, and a client in a thread beside it."""

    def __init__(self, methods: Methods, server: QueueServer, port: int) -> None:
        self.methods = methods
        self.server = server
        self.port = port
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}")

    def calling(self, method: str, data: bytes = b"", **options: Any) -> Any:
        """A call that has begun."""
        options.setdefault("timeout", DEADLINE_SECONDS)
        return self.channel.unary_unary(f"/a.B/{method}").future(data, **options)

    async def until(self, condition: Callable[[], object]) -> None:
        while not condition():
            await asyncio.sleep(0.001)

    async def ended(self, call: Any) -> Any:
        await self.until(call.done)
        return call

    async def answer(self, method: str, data: bytes = b"", **options: Any) -> bytes:
        return (await self.ended(self.calling(method, data, **options))).result()


def served(scenario: Callable[[Served], Awaitable[None]]) -> None:
    """Let the scenario call a server; it must be able to stop afterwards."""

    async def serve() -> None:
        methods = Methods()
        server = QueueServer(server_options(reuse_port=False))
        server.add_generic_rpc_handlers([handlers("a.B", methods.handlers())])
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        here = Served(methods, server, port)
        try:
            async with asyncio.timeout(DEADLINE_SECONDS):
                await scenario(here)
        finally:
            here.channel.close()
            await server.stop(None)

    with asyncio.Runner(loop_factory=QueueLoop) as runner:
        runner.run(serve())


def test_calls_are_answered() -> None:
    """Many at once, each with its own answer."""

    async def scenario(here: Served) -> None:
        calls = [here.calling("echo", str(n).encode()) for n in range(90)]
        answers = [(await here.ended(call)).result() for call in calls]

        assert answers == [str(n).encode() for n in range(90)]

    served(scenario)


def test_what_waits_for_nothing_is_answered_without_a_task() -> None:
    """Many at once, beside one that waits after all, and one that fails."""

    async def scenario(here: Served) -> None:
        waiting = here.calling("begun", b"wait")
        failing = here.calling("begun", b"fail")
        calls = [here.calling("begun", str(n).encode()) for n in range(90)]
        answers = [(await here.ended(call)).result() for call in calls]
        error = await here.ended(failing)

        assert answers == [str(n).encode() for n in range(90)]
        assert error.code() is grpc.StatusCode.INTERNAL
        assert not waiting.done()
        here.methods.go_on.set()
        assert (await here.ended(waiting)).result() == b"wait"
        assert here.methods.begun == [b"wait"]

    served(scenario)


def test_one_that_waits_holds_up_nobody() -> None:
    """And is answered when it has what it waits for."""

    async def scenario(here: Served) -> None:
        waiting = here.calling("wait", b"later")
        await here.until(lambda: here.methods.begun)

        assert await here.answer("echo", b"now") == b"now"
        assert not waiting.done()
        here.methods.go_on.set()
        assert (await here.ended(waiting)).result() == b"later"

    served(scenario)


def test_what_a_call_sets_no_other_call_sees() -> None:
    """Before it waits, and after."""

    async def scenario(here: Served) -> None:
        assert await here.answer("name", b"ann") == b"nobody ann"
        assert await here.answer("name", b"bob") == b"nobody bob"
        assert NAME.get() == "nobody"

    served(scenario)


def test_a_handler_knows_who_calls_and_for_how_long() -> None:
    """Metadata, address and deadline."""

    async def scenario(here: Served) -> None:
        asked = {"metadata": (("key", "value"),)}

        assert await here.answer("about", **asked) == b"value ipv4 True"
        assert await here.answer("about", timeout=None) == b"None ipv4 False"

    served(scenario)


@pytest.mark.parametrize("method", ["wait", "begun"])
@pytest.mark.parametrize("how", ["cancelled", "late"])
def test_a_handler_whose_caller_is_gone_is_cancelled(how: str, method: str) -> None:
    """By its caller, or by its deadline."""

    async def scenario(here: Served) -> None:
        timeout = 0.1 if how == "late" else DEADLINE_SECONDS
        waiting = here.calling(method, b"wait", timeout=timeout)
        await here.until(lambda: here.methods.begun)
        if how == "cancelled":
            waiting.cancel()
        await here.until(lambda: here.methods.gone)

        assert here.methods.gone == [True]

    served(scenario)


@pytest.mark.parametrize("when", [b"", b"after it waited"])
def test_a_handler_that_fails_is_an_internal_error(
    when: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """The reason is in the log, and not in the answer."""

    async def scenario(here: Served) -> None:
        error = await here.ended(here.calling("fail", when))

        assert error.code() is grpc.StatusCode.INTERNAL
        assert error.details() == "internal error"

    served(scenario)

    assert "of ours" in caplog.text


@pytest.mark.parametrize("when", [b"", b"after it waited"])
def test_a_handler_can_refuse(when: bytes) -> None:
    """With a code, a text and metadata."""

    async def scenario(here: Served) -> None:
        error = await here.ended(here.calling("refuse", when))

        assert error.code() is grpc.StatusCode.NOT_FOUND
        assert error.details() == "no such é"
        assert ("why", "gone") in error.trailing_metadata()

    served(scenario)


def test_a_method_that_nobody_has_is_unimplemented() -> None:
    """Whatever its name."""

    async def scenario(here: Served) -> None:
        for name in ("none", "é", "echo/echo"):
            error = await here.ended(here.calling(name))

            assert error.code() is grpc.StatusCode.UNIMPLEMENTED

    served(scenario)


@pytest.mark.parametrize("method", ["echo", "begun"])
def test_one_message_is_asked_for(method: str) -> None:
    """A caller who ends the call without one is told."""

    async def scenario(here: Served) -> None:
        silent = here.channel.stream_unary(f"/a.B/{method}").future(
            iter([]), timeout=DEADLINE_SECONDS
        )
        error = await here.ended(silent)

        assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert here.methods.begun == []

    served(scenario)


def test_streams_go_both_ways() -> None:
    """Many answers, many requests, and both."""

    async def scenario(here: Served) -> None:
        def ask(kind: str, method: str, request: Any) -> Any:
            call = getattr(here.channel, kind)(f"/a.B/{method}")
            return call(request, timeout=DEADLINE_SECONDS)

        def three() -> tuple[list[bytes], list[bytes], bytes, list[bytes]]:
            parts = [b"a", b"b"]
            return (
                list(ask("unary_stream", "count", b"3")),
                list(ask("unary_stream", "count", b"0")),
                ask("stream_unary", "join", iter(parts)),
                list(ask("stream_stream", "twice", iter(parts))),
            )

        counted, nothing, joined, twice = await asyncio.to_thread(three)

        assert counted == [b"0", b"1", b"2"]
        assert nothing == []
        assert joined == b"ab"
        assert twice == [b"a", b"a", b"b", b"b"]

    served(scenario)


def test_a_stream_ends_when_its_caller_goes() -> None:
    """Though it is in the middle of writing what nobody reads."""

    async def scenario(here: Served) -> None:
        flood = here.channel.unary_stream("/a.B/flood")(b"", timeout=DEADLINE_SECONDS)
        await here.until(lambda: here.methods.begun)
        flood.cancel()
        await here.until(lambda: here.methods.gone)

        assert here.methods.gone == [True]

    served(scenario)


def test_a_server_that_stops_waits_for_its_calls() -> None:
    """It takes no more; those in flight are answered."""

    async def scenario(here: Served) -> None:
        waiting = here.calling("wait", b"later")
        await here.until(lambda: here.methods.begun)
        stopping = asyncio.ensure_future(here.server.stop(DEADLINE_SECONDS))
        await asyncio.sleep(0)
        refused = await here.ended(here.calling("echo"))
        here.methods.go_on.set()
        await stopping

        # gRPC's own word for it: the second where it has not told the client by then.
        assert refused.code().name in ("UNAVAILABLE", "CANCELLED")
        assert (await here.ended(waiting)).result() == b"later"

    served(scenario)


def test_a_server_that_stops_waits_no_longer_than_it_is_told() -> None:
    """What has not ended by then is cancelled."""

    async def scenario(here: Served) -> None:
        waiting = here.calling("wait")
        await here.until(lambda: here.methods.begun)
        await here.server.stop(0.05)

        assert (await here.ended(waiting)).code() in (
            grpc.StatusCode.UNAVAILABLE,
            grpc.StatusCode.CANCELLED,
        )
        await here.until(lambda: here.methods.gone)

    served(scenario)


def test_it_runs_on_no_other_loop() -> None:
    """Nobody would ask for its calls there."""

    async def make() -> None:
        QueueServer(server_options(reuse_port=False))

    with pytest.raises(TypeError, match="QueueLoop"):
        asyncio.run(make())


def test_a_port_that_is_taken_is_an_error() -> None:
    """Where two servers must not share it."""

    async def scenario(here: Served) -> None:
        other = QueueServer(server_options(reuse_port=False))
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{here.port}"):
            other.add_insecure_port(f"127.0.0.1:{here.port}")

    served(scenario)

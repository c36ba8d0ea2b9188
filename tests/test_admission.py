"""Calls beyond the limit are refused at once, and late ones are not worked on."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import grpc
import grpc.aio
import pytest
from google.rpc import error_details_pb2, status_pb2
from grpc_health.v1 import health_pb2

from server.admission import Admission, awaited
from server.refusals import TooLate
from server.rpc.queue_loop import QueueLoop
from server.rpc.queue_server import QueueServer
from server.standard_services import Health
from server.transport import (
    Context,
    build_server,
    handlers,
    server_options,
    stream_handler,
    unary_handler,
)
from server.wire import decision_pb2 as pb
from tests.servers import DEADLINE_SECONDS

REQUEST = pb.ProposeRequest(contact_id="ann").SerializeToString()
METHOD = "/propono.v1.DecisionService/Propose"


def anyone(_: Context) -> str:
    return "anyone"


class Calls:
    """A server of one method whose calls wait until the test lets them go."""

    def __init__(self, calls_max: int) -> None:
        self.observed: list[str] = []
        self.refused = 0
        self.waiting: list[asyncio.Future[bytes]] = []
        self.admission = Admission(calls_max, self._refuse)

    def _refuse(self) -> None:
        self.refused += 1

    def observe(self, code: str, seconds: float) -> None:
        self.observed.append(code)

    def propose(self, request: pb.ProposeRequest, caller: str) -> Awaitable[bytes]:
        pending: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting.append(pending)
        return pending

    def batch(
        self, request: pb.ProposeBatchRequest, caller: str
    ) -> Generator[bytes | None, None, None]:
        while True:
            self.waiting.append(asyncio.get_running_loop().create_future())
            yield None

    async def until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.001)

    async def at(self, count: int) -> None:
        await self.until(lambda: len(self.waiting) >= count)


def run(calls_max: int, scenario: Callable[[Calls, Any], Awaitable[None]]) -> None:
    """Serve on a free port, and let the scenario call it: on both of our servers."""

    async def serve(*, on_queue: bool) -> None:
        calls = Calls(calls_max)
        health = Health(["propono.v1.DecisionService"])
        await health.set(serving=True)
        rpc = {
            "Propose": unary_handler(
                pb.ProposeRequest,
                calls.propose,
                anyone,
                calls.observe,
                calls.admission,
            ),
            "ProposeBatch": stream_handler(
                pb.ProposeBatchRequest,
                calls.batch,
                anyone,
                calls.observe,
                calls.admission,
            ),
        }
        service = handlers("propono.v1.DecisionService", rpc)
        services = [service, health.rpc_handlers()]
        if on_queue:
            # As behind a guard: begun without a coroutine.
            begin_for = rpc["Propose"].begin_for
            rpc["Propose"].begin = lambda data, call: begin_for(data, call, "anyone")
            server: Any = QueueServer(server_options(reuse_port=False))
            server.add_generic_rpc_handlers(services)
        else:
            server = build_server(services, reuse_port=False)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with (
                asyncio.timeout(DEADLINE_SECONDS),
                grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
            ):
                await scenario(calls, channel)
        finally:
            await server.stop(None)

    asyncio.run(serve(on_queue=False))
    with asyncio.Runner(loop_factory=QueueLoop) as runner:
        runner.run(serve(on_queue=True))


def details(error: grpc.aio.AioRpcError) -> list[Any]:
    encoded = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info, retry = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    for packed in status_pb2.Status.FromString(encoded).details:
        assert packed.Unpack(info) or packed.Unpack(retry)
    return [info, retry]


def test_a_call_beyond_the_limit_is_refused_at_once() -> None:
    """With a reason and a time to wait, while those in flight go on."""

    async def scenario(calls: Calls, channel: Any) -> None:
        propose = channel.unary_unary(METHOD)
        inside = [asyncio.ensure_future(propose(REQUEST)) for _ in range(2)]
        await calls.at(2)
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await propose(REQUEST)
        info, retry = details(refused.value)
        for one in calls.waiting:
            one.set_result(b"done")

        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert (info.reason, info.domain) == ("OVERLOADED", "propono")
        assert retry.retry_delay.ToMilliseconds() == 100
        assert [await one for one in inside] == [b"done", b"done"]
        assert (calls.refused, calls.observed) == (
            1,
            ["RESOURCE_EXHAUSTED", "OK", "OK"],
        )

    run(2, scenario)


def test_each_call_that_ends_makes_room_for_another() -> None:
    """However it ends: answered, failed, or given up by its caller."""

    async def scenario(calls: Calls, channel: Any) -> None:
        propose = channel.unary_unary(METHOD)
        for number in range(1, 4):
            call = propose(REQUEST)
            inside = asyncio.ensure_future(call.code())
            await calls.at(number)
            if number == 1:
                calls.waiting[-1].set_result(b"done")
            elif number == 2:
                calls.waiting[-1].set_exception(ValueError("of ours"))
            else:
                call.cancel()
            await inside
            await calls.until(lambda: len(calls.observed) == number)  # noqa: B023
        last = asyncio.ensure_future(propose(REQUEST))
        await calls.at(4)
        calls.waiting[-1].set_result(b"done")

        assert await last == b"done"
        assert calls.observed == ["OK", "INTERNAL", "CANCELLED", "OK"]

    run(1, scenario)


def test_health_answers_at_the_limit() -> None:
    """A load balancer learns that the server lives, however busy it is."""

    async def scenario(calls: Calls, channel: Any) -> None:
        inside = asyncio.ensure_future(channel.unary_unary(METHOD)(REQUEST))
        await calls.at(1)
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        answer = await check(b"")
        calls.waiting[0].set_result(b"done")
        await inside

        status = health_pb2.HealthCheckResponse.FromString(answer).status
        assert status == health_pb2.HealthCheckResponse.SERVING

    run(1, scenario)


def test_an_announced_call_without_a_message_takes_no_place() -> None:
    """Whoever sends headers only keeps nobody else out."""

    async def scenario(calls: Calls, channel: Any) -> None:
        silent = [channel.stream_unary(METHOD)() for _ in range(3)]
        for one in silent:
            await one.wait_for_connection()
        inside = asyncio.ensure_future(channel.unary_unary(METHOD)(REQUEST))
        await calls.at(1)
        calls.waiting[0].set_result(b"done")

        assert await inside == b"done"
        assert calls.refused == 0
        for one in silent:
            one.cancel()

    run(1, scenario)


def test_what_waits_is_given_up_at_the_deadline() -> None:
    """So that work which waits for its turn is not done for nobody."""

    async def scenario(calls: Calls, channel: Any) -> None:
        with pytest.raises(grpc.aio.AioRpcError) as late:
            await channel.unary_unary(METHOD)(REQUEST, timeout=0.05)
        await calls.until(lambda: calls.observed != [])

        assert late.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert calls.waiting[0].cancelled()
        assert calls.observed == ["DEADLINE_EXCEEDED"]

    run(1, scenario)


def test_what_waits_is_given_up_though_grpc_is_late_to_say_so() -> None:
    """Under load gRPC's own word comes after the work was done."""

    async def wait() -> asyncio.Future[bytes]:
        pending: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        with pytest.raises(TooLate):
            await awaited(pending, 0.01)
        return pending

    assert asyncio.run(wait()).cancelled()


def test_a_call_whose_deadline_passed_in_the_queue_is_not_begun() -> None:
    """Its message is there, but its turn comes when nobody waits any more."""

    async def scenario(calls: Calls, channel: Any) -> None:
        late = Late(seconds=0.0)
        handler = unary_handler(
            pb.ProposeRequest, calls.propose, anyone, calls.observe, calls.admission
        )
        with pytest.raises(EndedCall):
            await handler.unary_unary(REQUEST, late)

        assert late.code == grpc.StatusCode.DEADLINE_EXCEEDED
        assert calls.waiting == []
        assert calls.observed == ["DEADLINE_EXCEEDED"]

    run(1, scenario)


def test_a_batch_ends_when_its_caller_goes() -> None:
    """No further group is decided."""

    async def scenario(calls: Calls, channel: Any) -> None:
        batch = channel.unary_stream("/propono.v1.DecisionService/ProposeBatch")
        call = batch(b"", timeout=0.2)
        await calls.at(1)
        assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await calls.until(lambda: calls.observed != [])
        steps = len(calls.waiting)
        await channel.unary_unary("/grpc.health.v1.Health/Check")(b"")

        assert len(calls.waiting) == steps
        assert calls.observed == ["DEADLINE_EXCEEDED"]

    run(1, scenario)


class EndedCall(Exception):
    """What gRPC raises in a handler that ends its call."""


class Late:
    """A call of which nobody waits for the answer: gRPC would hand it over as such."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.code: object = None

    def time_remaining(self) -> float:
        return self.seconds

    def cancelled(self) -> bool:
        return False

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return ()

    async def abort_with_status(self, status: Any) -> None:
        self.code = status.code
        raise EndedCall

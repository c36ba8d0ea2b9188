"""Callers of the admin port: how often, how many at a time, and never at others' cost.

A real port with guarded handlers of our own, and a clock that tests set.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import grpc.aio
import pytest

from server.access import rate_limits
from server.access.callers import caller_name
from server.access.gate import Gate, GateRules
from server.access.guard import guarded
from server.access.permissions import PERMISSIONS, Cost
from server.access.rate_limits import (
    CALLERS,
    COSTLY_IN_FLIGHT_MAX,
    RateLimiter,
    RateLimits,
    address_of,
)
from server.access.roles import Role
from server.audit.calls import AuditedCalls
from server.audit.log import AuditLog
from server.audit.reading import read_log
from server.client import CallFailed, call_failed
from server.refusals import RateLimited
from server.transport import build_server, handlers, unary_handler
from server.wire import admin_pb2 as pb
from tests.access import bearer, give_token
from tests.servers import DEADLINE_SECONDS, serving

PUBLISH = "/propono.v1.AdminService/Publish"
LIST = "/propono.v1.AdminService/ListRevisions"
CHECK = "/grpc.health.v1.Health/Check"
LIMITS = RateLimits(costly_per_minute=6, cheap_per_second=5, failed_per_minute=4)
#: At once, of one caller.
COSTLY_BURST = 3
CHEAP_BURST = 10


class Clock:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class Port(NamedTuple):
    """A guarded port, and tokens of two administrators."""

    channel: grpc.aio.Channel
    clock: Clock
    tokens: dict[str, str]
    #: Publications wait for it.
    go: asyncio.Event
    refused: list[None]

    async def call(self, method: str, who: str) -> str:
        """The reason that a call comes to; OK when it is answered."""
        token = self.tokens.get(who, who)
        call = self.channel.unary_unary(method)
        try:
            await call(b"", metadata=bearer(token), timeout=DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            return failure_of(error).reason
        return "OK"

    async def calls(self, method: str, who: str, count: int) -> list[str]:
        """One after the other."""
        return [await self.call(method, who) for _ in range(count)]


def failure_of(error: Any) -> CallFailed:
    return call_failed(error)


@asynccontextmanager
async def port_in(folder: Path) -> AsyncIterator[Port]:
    clock, go = Clock(), asyncio.Event()
    go.set()
    refused: list[None] = []
    tokens = {
        name: give_token(folder, Role.ADMINISTRATOR, name) for name in ("ann", "bob")
    }

    async def publish(request: pb.PublishRequest, caller: str) -> bytes:
        await go.wait()
        return b""

    def listed(request: pb.ListRevisionsRequest, caller: str) -> bytes:
        return b""

    rpc = {
        "Publish": unary_handler(pb.PublishRequest, publish, caller_name),
        "ListRevisions": unary_handler(pb.ListRevisionsRequest, listed, caller_name),
    }
    audited = AuditedCalls(
        AuditLog(folder / "audit", lambda: 0), asyncio.get_running_loop().call_later
    )
    gate = Gate(folder / "access", GateRules(True, None), lambda: 0, lambda: 0.0)
    limiter = RateLimiter(LIMITS, clock, lambda: refused.append(None))
    services = [handlers("propono.v1.AdminService", rpc)]
    server = build_server(guarded(services, gate, audited, limiter), reuse_port=False)
    at = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with grpc.aio.insecure_channel(at) as channel:
        yield Port(channel, clock, tokens, go, refused)
    await server.stop(DEADLINE_SECONDS)
    audited.close()


def on_a_port(folder: Path, use: Callable[[Port], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        async with port_in(folder) as port:
            await use(port)

    asyncio.run(run())


def test_a_caller_may_call_so_often_and_again_in_time(tmp_path: Path) -> None:
    """Half a minute's worth at once, and then one each time that it is full again."""

    async def use(port: Port) -> None:
        expected = ["OK"] * COSTLY_BURST + ["RATE_LIMITED"] * 2
        assert await port.calls(PUBLISH, "ann", COSTLY_BURST + 2) == expected
        assert len(port.refused) == 2
        port.clock.seconds += 9.9
        assert await port.call(PUBLISH, "ann") == "RATE_LIMITED"
        port.clock.seconds += 0.2
        assert await port.calls(PUBLISH, "ann", 2) == ["OK", "RATE_LIMITED"]
        port.clock.seconds += 3_600
        assert await port.calls(PUBLISH, "ann", COSTLY_BURST + 1) == expected[:-1]

    on_a_port(tmp_path, use)


def test_it_is_said_when_another_call_is_possible(tmp_path: Path) -> None:
    """As RetryInfo, which clients understand; after that time it is."""

    async def use(port: Port) -> None:
        await port.calls(PUBLISH, "ann", COSTLY_BURST)
        port.clock.seconds += 4
        call = port.channel.unary_unary(PUBLISH)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call(b"", metadata=bearer(port.tokens["ann"]))
        failure = failure_of(raised.value)
        assert failure.code == "RESOURCE_EXHAUSTED"
        assert "costly calls of ann; try again in 6.0 s" in str(failure)
        port.clock.seconds += 6
        assert await port.call(PUBLISH, "ann") == "OK"

    on_a_port(tmp_path, use)


def test_who_calls_too_often_keeps_nobody_else_out(tmp_path: Path) -> None:
    """Another administrator goes on; so does the same one with cheap calls."""

    async def use(port: Port) -> None:
        async def abuse() -> list[str]:
            return await port.calls(PUBLISH, "ann", 30)

        abusing = asyncio.create_task(abuse())
        assert await port.calls(PUBLISH, "bob", COSTLY_BURST) == ["OK"] * COSTLY_BURST
        found = await abusing
        assert found.count("OK") == COSTLY_BURST
        assert await port.calls(LIST, "ann", CHEAP_BURST + 1) == (
            ["OK"] * CHEAP_BURST + ["RATE_LIMITED"]
        )
        assert await port.call(LIST, "bob") == "OK"

    on_a_port(tmp_path, use)


def test_calls_in_flight_are_bounded(tmp_path: Path) -> None:
    """A third one is refused while two are under way, whatever the time."""

    async def use(port: Port) -> None:
        port.go.clear()
        begun = [
            asyncio.create_task(port.call(PUBLISH, "ann"))
            for _ in range(COSTLY_IN_FLIGHT_MAX)
        ]
        while len(list(read_log(tmp_path / "audit"))) < len(begun):
            await asyncio.sleep(0.01)
        assert await port.call(PUBLISH, "ann") == "RATE_LIMITED"
        others = asyncio.create_task(port.call(PUBLISH, "bob"))
        assert await port.call(LIST, "ann") == "OK"
        port.go.set()
        assert await asyncio.gather(*begun, others) == ["OK"] * 3
        assert await port.call(PUBLISH, "ann") == "OK"

    on_a_port(tmp_path, use)


def test_a_call_that_is_given_up_is_no_longer_in_flight(tmp_path: Path) -> None:
    """Whoever goes away makes room."""

    async def use(port: Port) -> None:
        port.go.clear()
        method = port.channel.unary_unary(PUBLISH)
        calls = [
            method(b"", metadata=bearer(port.tokens["ann"]))
            for _ in range(COSTLY_IN_FLIGHT_MAX)
        ]
        while len(list(read_log(tmp_path / "audit"))) < len(calls):
            await asyncio.sleep(0.01)
        for call in calls:
            call.cancel()
        port.go.set()
        # That they were given up reaches the server a little later.
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await port.call(PUBLISH, "ann") != "OK":
                port.clock.seconds += 10
                await asyncio.sleep(0.01)

    on_a_port(tmp_path, use)


def test_guessing_is_bounded_and_a_good_token_still_counts(tmp_path: Path) -> None:
    """From one address; what is wrong is no longer looked into, what is good is."""

    async def use(port: Port) -> None:
        tried = await port.calls(LIST, "wrong", LIMITS.failed_per_minute + 2)
        assert tried == ["UNAUTHENTICATED"] * 4 + ["RATE_LIMITED"] * 2
        assert await port.call(LIST, "ann") == "OK"
        port.clock.seconds += 15.1
        assert await port.calls(LIST, "wrong", 2) == ["UNAUTHENTICATED", "RATE_LIMITED"]

    on_a_port(tmp_path, use)


def test_refusals_are_audited_in_few_lines(tmp_path: Path) -> None:
    """The first of a caller and method at once, all others as one number."""

    async def use(port: Port) -> None:
        await port.calls(LIST, "ann", CHEAP_BURST + 20)

    on_a_port(tmp_path, use)
    found = [line.entry for line in read_log(tmp_path / "audit")]

    assert [(e.who, e.role, e.result, e.count) for e in found] == [
        ("ann", "administrator", "RESOURCE_EXHAUSTED", 1),
        ("ann", "administrator", "RESOURCE_EXHAUSTED", 19),
    ]


def test_all_callers_together_are_bounded_too() -> None:
    """Many names are no way around: a quarter each, and no more than four have."""
    limiter = RateLimiter(LIMITS, lambda: 0.0)
    done = 0
    refusal = ""
    for number in range(10 * CALLERS):
        try:
            with limiter.begin(PUBLISH, f"caller {number}"):
                done += 1
        except RateLimited as error:
            refusal = str(error)

    assert done == COSTLY_BURST * CALLERS
    assert "costly calls of all callers together" in refusal


def test_health_is_never_limited() -> None:
    """A load balancer asks as often as it likes."""
    limiter = RateLimiter(LIMITS, lambda: 0.0)
    for _ in range(10 * CHEAP_BURST):
        with limiter.begin(CHECK, "anyone"):
            pass

    costly = {
        m.rpartition("/")[2] for m, p in PERMISSIONS.items() if p.cost is Cost.COSTLY
    }
    assert costly == {
        "ApplyCatalog",
        "ExportCatalog",
        "Publish",
        "PushArtifact",
        "Rollback",
        "SetOfferDisabled",
        "UpsertContacts",
    }


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was quiet longest is forgotten, and no other."""
    monkeypatch.setattr(rate_limits, "REMEMBERED_MAX", 3)
    limiter = RateLimiter(LIMITS, lambda: 0.0)

    def fails(host: int) -> bool:
        try:
            limiter.failed(f"ipv4:10.0.0.{host}:5000")
        except RateLimited:
            return True
        return False

    assert [fails(1) for _ in range(5)] == [False] * 4 + [True]
    assert [fails(host) for host in (2, 3, 1, 4)] == [False, False, True, False]
    assert fails(1)
    assert not any(fails(host) for host in (5, 6, 7))
    assert not fails(1)


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        ("ipv4:10.1.2.3:5000", "10.1.2.3"),
        ("ipv6:%5B2001:db8:1:2:3:4:5:6%5D:5000", "2001:db8:1:2::"),
        ("ipv6:%5Bfe80::1%25eth0%5D:5000", "fe80::"),
        ("unix:/run/propono", "unix:/run/propono"),
        ("", ""),
    ],
)
def test_an_address_has_no_port(peer: str, address: str) -> None:
    """Else each attempt would come from another one; of IPv6 a network is one."""
    assert address_of(peer) == address


def test_serve_is_told_the_limits(tmp_path: Path) -> None:
    """In a file, and refusals are in the metrics."""
    config = tmp_path / "propono.toml"
    config.write_text("admin-cheap = 1\n")
    data = tmp_path / "data"
    with serving(data, 1, "--config", str(config)) as server:
        token = (data / "admin.token").read_text().strip()
        with grpc.insecure_channel(server.admin) as channel:
            call = channel.unary_unary(LIST)
            refused = 0
            for _ in range(20):
                try:
                    call(b"", metadata=bearer(token), timeout=DEADLINE_SECONDS)
                except grpc.RpcError as error:
                    refused += failure_of(error).reason == "RATE_LIMITED"
        metrics = _metrics(server.metrics)

    assert refused
    assert (
        f'propono_calls_refused_total{{reason="RATE_LIMITED"}} {refused}.0' in metrics
    )


def _metrics(address: str) -> str:
    from urllib.request import urlopen

    with urlopen(f"http://{address}/metrics", timeout=DEADLINE_SECONDS) as answer:
        return answer.read().decode()

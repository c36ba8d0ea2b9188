"""Changes behind the guard, with handlers that say what was before, fail and hang."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from server.access.callers import caller_name
from server.access.gate import Gate, GateRules
from server.access.guard import guarded
from server.access.roles import Role
from server.audit.calls import AuditedCalls
from server.audit.changes import current_change
from server.audit.entries import Entry
from server.audit.log import AuditLog
from server.audit.reading import read_log
from server.transport import build_server, handlers, unary_handler
from server.wire import admin_pb2 as pb
from tests.access import bearer, give_token
from tests.servers import DEADLINE_SECONDS

SERVICE = "propono.v1.AdminService"
PATH = f"/{SERVICE}/SetOfferDisabled"
GOLD = "environments/bank/offers/gold"
REQUEST = pb.SetOfferDisabledRequest(name=GOLD, disabled=True).SerializeToString()

Answer = Callable[[pb.SetOfferDisabledRequest, str], Any]
#: One call with these bytes; its code.
Call = Callable[[bytes], Awaitable[str]]


def called(
    folder: Path, answer: Answer, use: Callable[[Call, grpc.aio.Channel], Any]
) -> list[Entry]:
    """What the log holds after some calls of a method that answers like that."""
    token = give_token(folder, Role.OFFER_MANAGER, "ann")

    async def run() -> None:
        log = AuditLog(folder / "audit", lambda: 0)
        audited = AuditedCalls(log, asyncio.get_running_loop().call_later)
        gate = Gate(folder / "access", GateRules(True, None), lambda: 0, lambda: 0.0)
        rpc = {
            "SetOfferDisabled": unary_handler(
                pb.SetOfferDisabledRequest, answer, caller_name
            )
        }
        services = guarded([handlers(SERVICE, rpc)], gate, audited)
        server = build_server(services, reuse_port=False)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:

            async def call(data: bytes) -> str:
                method = channel.unary_unary(PATH)
                made = method(data, metadata=bearer(token), timeout=DEADLINE_SECONDS)
                return (await made.code()).name

            await use(call, channel)
        await server.stop(DEADLINE_SECONDS)

    asyncio.run(run())
    return [line.entry for line in read_log(folder / "audit")]


async def once(call: Call, _: object) -> None:
    await call(REQUEST)


def test_a_service_says_what_was_before(tmp_path: Path) -> None:
    """What is after is its answer; what was asked is in the line in front."""

    def disable(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        current_change().before = {"disabled": False}
        return pb.SetOfferDisabledResponse(offer={"name": GOLD}).SerializeToString()

    asked, done = called(tmp_path, disable, once)

    assert (asked.resource, asked.request) == (GOLD, {"name": GOLD, "disabled": True})
    assert (asked.before, asked.after) == (None, None)
    assert (done.who, done.resource, done.result) == ("ann", GOLD, "OK")
    assert (done.before, done.after) == ({"disabled": False}, {"offer": {"name": GOLD}})


def test_a_service_knows_the_resource_better(tmp_path: Path) -> None:
    """And may say itself what it became."""

    def publish(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        current_change().resource = "revisions/7"
        current_change().after = {"number": 7}
        return b""

    _, done = called(tmp_path, publish, once)

    assert (done.resource, done.after) == ("revisions/7", {"number": 7})


def test_calls_at_the_same_time_are_not_mixed_up(tmp_path: Path) -> None:
    """Each says what was before its own."""

    async def slowly(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        await asyncio.sleep(0)
        current_change().before = request.name
        await asyncio.sleep(0)
        return b""

    async def many(call: Call, _: object) -> None:
        requests = [pb.SetOfferDisabledRequest(name=f"o{n}") for n in range(20)]
        await asyncio.gather(*(call(r.SerializeToString()) for r in requests))

    found = called(tmp_path, slowly, many)
    done = [entry for entry in found if entry.result == "OK"]

    assert len(done) == 20
    for entry in done:
        assert entry.before == entry.resource == found[entry.asked - 1].resource  # type: ignore[operator]


def test_a_failure_is_how_it_ended(tmp_path: Path) -> None:
    """Also one of ours; nothing is said to be after it."""

    def fail(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        current_change().after = {"disabled": True}
        raise RuntimeError("a mistake of ours")

    async def twice(call: Call, _: object) -> None:
        assert await call(b"\xff") == "INVALID_ARGUMENT"
        assert await call(REQUEST) == "INTERNAL"

    found = called(tmp_path, fail, twice)

    assert sorted(e.result for e in found) == [
        "ASKED",
        "ASKED",
        "INTERNAL",
        "INVALID_ARGUMENT",
    ]
    assert {str(e.after) for e in found} == {"None"}


def test_who_hangs_up_is_in_the_log_as_well(tmp_path: Path) -> None:
    """What was begun may have been done."""
    begun = asyncio.Event()

    async def hang(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        begun.set()
        await asyncio.sleep(DEADLINE_SECONDS)
        return b""

    async def hang_up(call: Call, _: object) -> None:
        task = asyncio.create_task(call(REQUEST))
        await asyncio.wait_for(begun.wait(), DEADLINE_SECONDS)
        task.cancel()

    asked, ended = called(tmp_path, hang, hang_up)

    assert (ended.asked, ended.result) == (asked.number, "CANCELLED")


def test_a_change_that_was_made_is_answered_though_the_disk_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """That it was asked for is on disk; that it was done is in the server's log."""
    folder = tmp_path / "audit"

    def fill_the_disk(request: pb.SetOfferDisabledRequest, caller: str) -> bytes:
        folder.rename(tmp_path / "away")
        folder.touch()
        return b""

    async def answered(call: Call, _: object) -> None:
        assert await call(REQUEST) == "OK"
        folder.unlink()
        (tmp_path / "away").rename(folder)

    (asked,) = called(tmp_path, fill_the_disk, answered)

    assert asked.result == "ASKED"
    assert f"{PATH} of 'ann' was OK, and is not in the audit log" in caplog.text


def test_where_nobody_audits_nothing_is_kept() -> None:
    """A service may say what was before wherever it is called."""
    current_change().before = "x"

    assert current_change().before is None

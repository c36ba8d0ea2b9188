"""What it costs to ask who calls: the gate alone, and a call with and without it; and
to write down what they change.

python -m bench.admission --seconds 2
"""

# grpc's own stubs leave these calls untyped.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false

import asyncio
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import grpc.aio

from bench.timing import Times, report
from server.access.access_list import (
    TOKENS_MAX,
    AccessList,
    Identity,
    Token,
    change_access_list,
)
from server.access.callers import caller_name
from server.access.gate import Gate, GateRules
from server.access.guard import guarded
from server.access.roles import Role
from server.access.tokens import hash_of, new_token
from server.audit.calls import AuditedCalls
from server.audit.entries import Entry
from server.audit.log import AuditLog
from server.requests import Unauthenticated
from server.transport import build_server, handlers, unary_handler
from server.wire import decision_pb2 as pb

SERVICE = "propono.v1.DecisionService"
METHOD = f"/{SERVICE}/Propose"
SPIFFE = "spiffe://bank/web"
#: Admissions in one sample: one alone is not much longer than looking at the clock.
BUNCH = 100
#: Calls one after the other before the other server has its turn.
TURN_CALLS = 100


def full_list(folder: Path) -> str:
    """As many tokens as there may be, and a certificate; the text of one token."""
    made = [new_token(os.urandom) for _ in range(TOKENS_MAX)]
    tokens = tuple(
        Token(m.id, "web", Role.DECISION_CLIENT, hash_of(m.text), 0, 1 << 53)
        for m in made
    )
    identities = (Identity(SPIFFE, "web", Role.DECISION_CLIENT, 0),)
    change_access_list(folder, lambda _: AccessList(tokens, identities))
    return made[TOKENS_MAX // 2].text


def gate_of(folder: Path, *, is_required: bool) -> Gate:
    rules = GateRules(is_required, admin_token=None)
    return Gate(folder, rules, lambda: time.time_ns() // 1_000_000, time.monotonic)


def measure_gate(folder: Path, token: str, seconds: float) -> list[dict[str, object]]:
    """Microseconds to admit, or to refuse, one caller."""
    required, open_ = (gate_of(folder, is_required=r) for r in (True, False))
    header, wrong = [f"Bearer {token}"], [f"Bearer {token[:-1]}x"]

    def refuse() -> None:
        try:
            required.admit(METHOD, wrong, tuple)
        except Unauthenticated:
            return
        raise AssertionError("a wrong token was admitted")

    cases = {
        "nobody has to say": lambda: open_.admit(METHOD, (), tuple),
        "a token": lambda: required.admit(METHOD, header, tuple),
        "a certificate": lambda: required.admit(METHOD, (), lambda: [SPIFFE]),
        "a wrong token": refuse,
    }
    found: list[dict[str, object]] = []
    for what, admit in cases.items():

        def bunch(_: int, admit: Any = admit) -> None:
            for _ in range(BUNCH):
                admit()

        times = Times.of(bunch, [0], seconds / len(cases))
        found.append(
            {
                "what": what,
                "p50 us": times.p50_us / BUNCH,
                "p99 us": times.p99_us / BUNCH,
                "calls": times.calls * BUNCH,
            }
        )
    return found


def measure_log(folder: Path, seconds: float) -> dict[str, object]:
    """Microseconds until a line of the audit log is on disk; a change has two."""
    log = AuditLog(folder / "audit", lambda: 0)
    name = "environments/bank/offers/gold"
    line = Entry(
        at=log.now(),
        who="web",
        role=Role.OFFER_MANAGER,
        method=METHOD,
        resource=name,
        result="OK",
        request={"name": name},
    )
    times = Times.of(lambda _: log.record(line), [0], seconds)
    return {
        "what": "a line of the audit log",
        "p50 us": times.p50_us,
        "p99 us": times.p99_us,
        "calls": times.calls,
    }


async def measure_calls(folder: Path, token: str, seconds: float) -> dict[str, object]:
    """One call after the other of an echo, with the gate and without, in turns."""

    def echo(request: pb.ProposeRequest, caller: str) -> bytes:
        return request.SerializeToString()

    metadata = (("authorization", f"Bearer {token}"),)
    request = pb.ProposeRequest(
        contact_id="C000001", spaces=[pb.SpaceRequest(space="web_home_hero")]
    ).SerializeToString()
    servers: list[grpc.aio.Server] = []
    calls: list[Any] = []
    for is_guarded in (False, True):
        name = caller_name if is_guarded else (lambda _: "anyone")
        rpc = {"Propose": unary_handler(pb.ProposeRequest, echo, name)}
        services = [handlers(SERVICE, rpc)]
        if is_guarded:
            gate = gate_of(folder, is_required=True)
            log = AuditLog(folder / "audit", lambda: 0)
            later = asyncio.get_running_loop().call_later
            services = guarded(services, gate, AuditedCalls(log, later))
        server = build_server(services, reuse_port=False)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        servers.append(server)
        channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")
        calls.append(channel.unary_unary(METHOD))
    samples: list[list[int]] = [[], []]
    clock = time.perf_counter_ns
    stop = clock() + int(seconds * 1e9)
    while clock() < stop or not samples[1]:
        for call, times in zip(calls, samples, strict=True):
            for _ in range(TURN_CALLS):
                start = clock()
                await call(request, metadata=metadata)
                times.append(clock() - start)
    for server in servers:
        await server.stop(None)
    bare, asked = (sorted(times)[len(times) // 2] / 1_000 for times in samples)
    return {
        "what": "an echo, one call after the other",
        "bare p50 us": bare,
        "asked p50 us": asked,
        "ratio": asked / bare,
        "calls": len(samples[0]),
    }


@click.command()
@click.option("--seconds", default=2.0, show_default=True, help="Time per table.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(seconds: float, output: str) -> None:
    """Time the gate with as many tokens as there may be."""
    with tempfile.TemporaryDirectory() as folder:
        token = full_list(Path(folder))
        gate = measure_gate(Path(folder), token, seconds)
        gate.append(measure_log(Path(folder), seconds / 4))
        call = asyncio.run(measure_calls(Path(folder), token, seconds))
    report(f"Who calls, among {TOKENS_MAX} tokens", gate, output)
    report("A call with and without the gate", [call], output)


if __name__ == "__main__":
    main()

"""Calls of a server next to those of an echo on the same stack.

    python -m bench.echo                      # the example bank
    python -m bench.echo --offers 10000       # a generated catalog
    python -m bench.echo --offers 10000 --unpinned --seconds 10 --repeats 3

The echo answers every Propose with the bytes of one real answer, parses nothing and
decides nothing: see `bench.echo_server`. It is run on grpcio's two servers, and ratios
are to the faster of them; and on ours, which is what there is left to gain. One worker
on one core, the client on another, all in turn, as often as is asked for: first as many
calls as can be answered with 64 in flight; then half as many a second, whatever the
answers take.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from bench import ghz, served_answers, served_bank, served_rows
from bench.echo_server import OURS, STACKS, echoing
from bench.timing import report
from server.client import Client
from server.wire import decision_pb2 as pb

IN_FLIGHT, CONNECTIONS = 64, 8
WARM_UP_SECONDS = 2.0
#: Cores of the servers and of the client.
SERVER_CPU, CLIENT_CPU = 0, 1


class Target(NamedTuple):
    """What is called, and how."""

    address: str
    #: The request, or a file of them.
    request: str | Path

    def load(self, seconds: float, rate: float | None, cpu: int | None) -> ghz.Load:
        is_file = isinstance(self.request, Path)
        return ghz.Load(
            self.address,
            "" if is_file else self.request,
            IN_FLIGHT,
            CONNECTIONS,
            seconds,
            rate,
            self.request if is_file else None,
            cpu,
        )


class Measured(NamedTuple):
    """One target: at its highest rate, and at half of that."""

    highest: list[ghz.Answered]
    half: list[ghz.Answered]

    @property
    def rate(self) -> float:
        return median(one.rate for one in self.highest)

    @property
    def p99_ms_at_half(self) -> float:
        return median(one.p99_ms for one in self.half)

    def errors(self) -> int:
        return sum(sum(one.errors.values()) for one in (*self.highest, *self.half))


@click.command()
@click.option("--offers", type=int, help="Of a generated catalog, not the bank's.")
@click.option("--unpinned", is_flag=True, help="On whatever cores there are.")
@click.option("--seconds", type=float, default=5.0, show_default=True)
@click.option("--repeats", type=int, default=3, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    offers: int | None, unpinned: bool, seconds: float, repeats: int, output: str
) -> None:
    ghz.find()
    server_cpu, client_cpu = (None, None) if unpinned else (SERVER_CPU, CLIENT_CPU)
    with (
        TemporaryDirectory() as scratch,
        _targets(Path(scratch), offers, server_cpu) as targets,
    ):
        measured = _measured(targets, seconds, repeats, client_cpu)
    where = "any core" if unpinned else "a core each for server and client"
    title = f"{IN_FLIGHT} in flight, {CONNECTIONS} connections, {where}"
    report(title, _rows(measured), output)


@contextmanager
def _targets(
    scratch: Path, offers: int | None, cpu: int | None
) -> Generator[dict[str, Target]]:
    data, answer = scratch / "data", scratch / "answer"
    data.mkdir()
    dry: str | Path
    recorded: str | Path
    if offers is None:
        served_bank.published(data)
        dry, recorded = (
            served_bank.request(dry_run=is_dry) for is_dry in (True, False)
        )
    else:
        served_rows.published(data, offers)
        dry, recorded = served_rows.make_request_files(scratch)
    with (
        served_bank.serving(data, 1, cpu=cpu) as served,
        echoing("aio", answer, cpu) as aio,
        echoing("threads", answer, cpu) as threads,
        echoing(OURS, answer, cpu) as ours,
    ):
        if offers is not None:
            served_answers.check(served.address, offers)
        answer.write_bytes(_one_answer(served.address, offers))
        yield {
            "echo, aio": Target(aio, dry),
            "echo, threads": Target(threads, dry),
            "echo, ours": Target(ours, dry),
            "dry run": Target(served.address, dry),
            "recorded": Target(served.address, recorded),
        }


def _measured(
    targets: Mapping[str, Target], seconds: float, repeats: int, cpu: int | None
) -> dict[str, Measured]:
    measured = {name: Measured([], []) for name in targets}
    seeds = count()

    def ran(load: ghz.Load) -> ghz.Answered:
        if load.requests is not None:
            # Others than the last ones first: a contact who was proposed everything is
            # another case.
            served_rows.shuffle(load.requests, next(seeds))
        return ghz.run(load)

    # The first calls meet caches that are cold.
    for target in targets.values():
        ran(target.load(min(seconds, WARM_UP_SECONDS), None, cpu))
    for _ in range(repeats):
        for name, target in targets.items():
            measured[name].highest.append(ran(target.load(seconds, None, cpu)))
    for _ in range(repeats):
        for name, target in targets.items():
            half = target.load(seconds, measured[name].rate / 2, cpu)
            measured[name].half.append(ran(half))
    return measured


def _rows(measured: Mapping[str, Measured]) -> list[dict[str, object]]:
    fastest = max(
        (measured[f"echo, {stack}"] for stack in STACKS), key=lambda echo: echo.rate
    )
    rows: list[dict[str, object]] = []
    for name, one in measured.items():
        rates = sorted(run.rate for run in one.highest)
        rows.append(
            {
                "what": name,
                "calls/s": round(one.rate),
                "range": f"{rates[0]:.0f}-{rates[-1]:.0f}",
                "p50_ms": round(median(run.p50_ms for run in one.highest), 1),
                "p99_ms": round(median(run.p99_ms for run in one.highest), 1),
                "to echo": round(one.rate / fastest.rate, 2),
                "half: p50_ms": round(median(run.p50_ms for run in one.half), 2),
                "half: p99_ms": round(one.p99_ms_at_half, 2),
                "p99 to echo": round(one.p99_ms_at_half / fastest.p99_ms_at_half, 2),
                "errors": one.errors(),
            }
        )
    return rows


def _one_answer(address: str, offers: int | None) -> bytes:
    asked = pb.ProposeRequest(contact_id="C000001", dry_run=True)
    if offers is None:
        asked.spaces.add(space="web_home_side", max_propositions=3)
        asked.context.update({"page": "home"})
    else:
        asked = served_rows.request(1)
    client = Client.connect(address)
    try:
        return client.propose(asked).SerializeToString()
    finally:
        client.close()


if __name__ == "__main__":
    main()

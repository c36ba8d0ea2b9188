"""Load over the wire, made and measured by ghz."""

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import NamedTuple

import click

from bench.processes import on_core

ROOT = Path(__file__).parent.parent
PROTO = ROOT / "proto"


#: What to put before a command that goes before others.
FIRST = ("nice", "-n", "-20")


class NoGhz(click.ClickException):
    """ghz is not on the PATH; says how to get it."""

    def __init__(self) -> None:
        super().__init__(
            "ghz is not on the PATH: go install github.com/bojand/ghz/cmd/ghz@v0.121.0"
        )


class Load(NamedTuple):
    """How one run calls."""

    address: str
    #: The request, as JSON; ghz fills in its templates.
    request: str
    in_flight: int
    connections: int
    seconds: float
    #: Calls a second, whatever the answers take; None is as fast as they come.
    rate: float | None = None
    #: A file with requests as JSON, which are sent in turn instead of `request`.
    requests: Path | None = None
    #: The core that it runs on; None is any.
    cpu: int | None = None
    #: Whether it goes before whatever else runs on its core, where that is permitted.
    is_first: bool = False


class Answered(NamedTuple):
    """What one run measured; calls that ended with an error are no answers."""

    calls: int
    rate: float
    p50_ms: float
    p99_ms: float
    #: By gRPC code; calls that the end of the run cut off are left out.
    errors: dict[str, int]
    p999_ms: float
    slowest_ms: float


def may_be_first() -> bool:
    """Whether a process may be put before others: root may."""
    return os.geteuid() == 0


def find() -> str:
    """Where it is; raises NoGhz."""
    found = shutil.which("ghz")
    if found is None:
        raise NoGhz
    return found


def start(load: Load, method: str = "Propose") -> "subprocess.Popen[str]":
    """Run ghz beside us; `finish` waits for it. Raises NoGhz."""
    command = [
        *on_core(load.cpu),
        *(FIRST if load.is_first and may_be_first() else ()),
        *(find(), "--insecure", "-O", "json", "-i", str(PROTO)),
        *("--proto", str(PROTO / "propono/v1/decision.proto")),
        *("--call", f"propono.v1.DecisionService.{method}"),
        *("-c", str(load.in_flight), "--connections", str(load.connections)),
        *("-z", f"{load.seconds}s", "--duration-stop", "wait"),
        *(("-d", load.request) if load.requests is None else _in_turn(load.requests)),
        load.address,
    ]
    if load.rate is not None:
        command += ["--async", "--rps", str(round(load.rate))]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _in_turn(requests: Path) -> tuple[str, ...]:
    in_turn = ("-D", str(requests))
    if "{{" in requests.read_text():
        return in_turn
    # Without templates ghz reads all of them once, before its first call.
    return (*in_turn, "--disable-template-functions", "--disable-template-data")


def finish(run: "subprocess.Popen[str]") -> Answered:
    """What a run measured, once it has ended."""
    output, _ = run.communicate()
    measured = json.loads(output)
    by_code: dict[str, int] = measured["statusCodeDistribution"]
    ended = [
        detail["latency"] / 1e6
        for detail in measured["details"]
        if detail["status"] == "OK"
    ]
    ended.sort()
    seconds = measured["total"] / 1e9
    return Answered(
        len(ended),
        len(ended) / seconds,
        _quantile(ended, 0.5),
        _quantile(ended, 0.99),
        {code: count for code, count in by_code.items() if code != "OK"},
        _quantile(ended, 0.999),
        _quantile(ended, 1.0),
    )


def stop(run: "subprocess.Popen[str]") -> Answered:
    """What a run measured until now; it makes no more calls."""
    run.send_signal(signal.SIGINT)
    return finish(run)


def run(load: Load) -> Answered:
    """Raises NoGhz."""
    return finish(start(load))


def _quantile(ordered: list[float], share: float) -> float:
    if not ordered:
        return float("nan")
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]

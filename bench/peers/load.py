"""Load on a peer: calls as fast as they are answered, so many of them in flight."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from bench import ghz
from bench.peers.processes import cores
from bench.processes import on_core

#: Calls are spread over so many connections.
CONNECTIONS = 8


class Requests(NamedTuple):
    """What a gRPC peer is asked, contact after contact."""

    address: str
    #: package.Service/Method
    method: str
    #: A file with a list of messages as JSON; ghz takes them in turn.
    file: Path
    #: Without it the server's reflection tells what the messages are.
    proto: Path | None = None


class Rate(NamedTuple):
    """One run."""

    calls: int
    #: Answered calls a second.
    answers: float
    p50_ms: float
    p99_ms: float
    errors: int


def run(requests: Requests, in_flight: int, seconds: float) -> Rate:
    """Call for so long, from the clients' core; raises NoGhz."""
    told = () if requests.proto is None else _proto(requests.proto)
    command = [
        *on_core(cores()[1]),
        *(ghz.find(), "--insecure", "-O", "json", *told, "--call", requests.method),
        *("-c", str(in_flight), "--connections", str(min(CONNECTIONS, in_flight))),
        *("-z", f"{seconds}s", "--duration-stop", "wait", "--cpus", "1"),
        *("--disable-template-functions", "--disable-template-data"),
        *("-D", str(requests.file), requests.address),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    ended = ghz.finish(process)
    errors = sum(ended.errors.values())
    return Rate(ended.calls, ended.rate, ended.p50_ms, ended.p99_ms, errors)


def write(file: Path, messages: Sequence[object]) -> Path:
    """The file of `Requests`."""
    file.write_text(json.dumps(messages))
    return file


def _proto(file: Path) -> tuple[str, ...]:
    return ("-i", str(ghz.PROTO), "--proto", str(file))

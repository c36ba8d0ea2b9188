"""As many calls as can be answered, made by h2load: C, and so little of a processor.

It knows HTTP/2 and nothing of gRPC. An error is a stream that ended well to it, with
status 200: it counts a success. What came of the calls is what the server counted.
And it sends one request, again and again.
"""

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import NamedTuple

import click

from bench.processes import on_core
from server.wire import decision_pb2 as pb

WARM_UP_SECONDS = 1.0


class NoH2load(click.ClickException):
    """h2load is not on the PATH; says how to get it."""

    def __init__(self) -> None:
        super().__init__("h2load is not on the PATH: apt-get install nghttp2-client")


class Answered(NamedTuple):
    """What h2load says of one run."""

    rate: float
    #: Warm-up left out. Errors of gRPC are among them.
    succeeded: int
    #: Streams that were reset, connections that ended.
    failed: int


def find() -> str:
    """Where it is; raises NoH2load."""
    found = shutil.which("h2load")
    if found is None:
        raise NoH2load
    return found


def version() -> str:
    """Raises NoH2load."""
    shown = subprocess.run([find(), "--version"], capture_output=True, text=True)
    return shown.stdout.strip()


def run(
    address: str,
    request: Path,
    *,
    seconds: float,
    connections: int,
    in_flight: int,
    cpu: int | None = None,
    method: str = "Propose",
) -> Answered:
    """Send a request, as `write_request` wrote it; raises NoH2load."""
    done = subprocess.run(
        [
            *on_core(cpu),
            *(find(), "-d", str(request), "-D", f"{seconds * 1e3:.0f}ms"),
            *("--warm-up-time", f"{WARM_UP_SECONDS * 1e3:.0f}ms"),
            *("-c", str(connections), "-m", str(in_flight // connections)),
            *("-H", "content-type: application/grpc", "-H", "te: trailers"),
            f"http://{address}/propono.v1.DecisionService/{method}",
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return read(done.stdout)


def read(output: str) -> Answered:
    """What it prints; raises ValueError when that is something else."""
    rate = re.search(r"^finished in .*?, ([\d.]+) req/s", output, re.MULTILINE)
    counted = re.search(
        r"(\d+) succeeded, (\d+) failed, (\d+) errored, (\d+) timeout", output
    )
    if rate is None or counted is None:
        raise ValueError(f"h2load printed something else: {output[-500:]}")
    succeeded, *others = map(int, counted.groups())
    return Answered(float(rate[1]), succeeded, sum(others))


def write_request(path: Path, request: pb.ProposeRequest) -> None:
    """As gRPC frames it: not compressed, four bytes of length, the message."""
    message = request.SerializeToString()
    path.write_bytes(b"\0" + len(message).to_bytes(4, "big") + message)


def codes(metrics: str) -> dict[str, int]:
    """Calls that a server has answered, by gRPC code, as its metrics port says."""
    with urllib.request.urlopen(f"http://{metrics}/metrics") as answer:
        text = answer.read().decode()
    counted: dict[str, int] = {}
    for code, count in re.findall(
        r'^propono_calls_total\{code="(\w+)",method="Propose"\} ([\d.e+]+)', text, re.M
    ):
        counted[code] = int(float(count))
    return counted

"""The benches that a report is made of, and how they are run."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
#: Of one bench; what takes longer hangs.
PATIENCE_SECONDS = 900.0


class Part(NamedTuple):
    """One bench, and how its tables are to be read."""

    title: str
    #: The module below `bench`, and its arguments.
    words: tuple[str, ...]
    note: str


class Outcome(NamedTuple):
    """What came of one part."""

    part: Part
    seconds: float
    #: As the bench printed them: a title and results each.
    tables: list[dict[str, Any]]
    #: Why there are none; empty when there are.
    failure: str
    #: Whether that is only a tool that is missing.
    is_left_out: bool = False


def parts(offers: int, seconds: float, repeats: int) -> list[Part]:
    """In the order of the report."""
    size = ("--offers", str(offers))
    times = ("--seconds", str(seconds), "--repeats", str(repeats))
    return [
        Part("What is served", ("served_facts", *size), ""),
        Part(
            "Decisions, without a wire",
            ("matching", "--rows", str(offers), "--what", "plain"),
            "Microseconds in one process; each answer is compared with the judge's.",
        ),
        Part(
            "Compiling and loading",
            ("compiling", "--rows", str(offers), "--repeats", "2"),
            "CPU time of one core.",
        ),
        Part(
            "Calls next to an echo",
            ("echo", *size, *times),
            "ghz. One worker and the client have a core each. First a closed loop with"
            " 64 calls in flight: as many as can be answered. Then an open loop at half"
            " of each one's highest rate: what callers see. Medians and ranges of the"
            " runs, in turn. An echo answers with prepared bytes: on grpcio's two"
            " servers, the faster of which is what ratios are to, and on ours.",
        ),
        Part(
            "Capacity",
            ("capacity", *size, *times),
            "h2load, which takes little of a core. It counts errors of gRPC as"
            " successes; those here are from the server's metrics. Each run asks about"
            " one contact.",
        ),
        Part(
            "Publishing while calls go on",
            (
                *("publishing_latency", *size, "--repeats", str(repeats)),
                *(
                    "--seconds",
                    str(seconds * 3),
                    "--publications",
                    str(int(seconds * 3)),
                ),
            ),
            "An open loop of dry runs, with and without publications in turn; the"
            " longest call is that of all runs.",
        ),
        Part(
            "Next to other engines",
            ("peers", "--offers", "100", "--seconds", "0.5"),
            "The same rules and contacts; answers compared. First in one process, then"
            " served, if ghz is there. `make bench-peers` installs the others, and"
            " measures more.",
        ),
    ]


def run(part: Part) -> Outcome:
    """Run a part in a process of its own."""
    began = time.perf_counter()
    done = subprocess.run(
        [*command(part), "--output", "json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    seconds = time.perf_counter() - began
    if done.returncode != 0:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Outcome(part, seconds, [], last, "is not on the PATH" in last)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return Outcome(part, seconds, [one for one in lines if "results" in one], "")


def command(part: Part) -> list[str]:
    return [sys.executable, "-m", f"bench.{part.words[0]}", *part.words[1:]]

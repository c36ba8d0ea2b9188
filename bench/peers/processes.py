"""Processes of peers: on a core of their own, on a free port, stopped by their id."""

import os
import signal
import socket
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from bench.processes import on_core

#: A server that has not answered by then is given up.
START_SECONDS_MAX = 600.0
STOP_SECONDS_MAX = 30.0

Found = TypeVar("Found")


class NotStarted(Exception):
    """A server ended, or did not answer in time; says what it logged."""


def cores() -> tuple[int | None, int | None]:
    """One for servers and one for clients, if there are two."""
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[1]) if len(found) > 1 else (None, None)


@contextmanager
def running(
    command: Sequence[str | Path],
    folder: Path,
    variables: Mapping[str, str] | None = None,
) -> Generator["subprocess.Popen[bytes]"]:
    """Run a server on the servers' core until the block ends; it logs to `folder`."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*on_core(cores()[0]), *command],
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
            # Go starts as many threads as it is told: the others have one process too.
            env={**os.environ, "GOMAXPROCS": "1", **(variables or {})},
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS_MAX)


def first_answer(
    process: "subprocess.Popen[bytes]", folder: Path, ask: Callable[[], Found]
) -> Found:
    """Ask until there is an answer; `ask` raises OSError or RuntimeError till then.

    Raises NotStarted.
    """
    deadline = time.monotonic() + START_SECONDS_MAX
    while process.poll() is None and time.monotonic() < deadline:
        try:
            return ask()
        except (OSError, RuntimeError):
            time.sleep(0.05)
    raise NotStarted((folder / "log").read_text(errors="replace")[-2_000:])


def free_port() -> int:
    """Nobody listens on it now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def memory_mb(pid: int) -> float:
    """Of a process and its children, in MB of 10^6 bytes; shared pages count once."""
    total_kb = 0
    for one in _family(pid):
        text = Path(f"/proc/{one}/smaps_rollup").read_text()
        total_kb += int(text.partition("\nPss:")[2].split()[0])
    return total_kb * 1_024 / 1e6


def cpu_seconds(pid: int) -> float:
    """What a process and its children have used so far."""
    ticks = 0
    for one in _family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(pid: int) -> list[int]:
    children: defaultdict[int, list[int]] = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, _, rest = path.read_text().rpartition(")")
        except OSError:
            # It has ended meanwhile.
            continue
        children[int(rest.split()[1])].append(int(number.split()[0]))
    found = [pid]
    for one in found:
        found += children[one]
    return found

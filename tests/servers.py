"""Real servers for tests: `propono serve` as a process, on free ports."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import IO, NamedTuple

from tests.clean_processes import run_command

ROOT = Path(__file__).parent.parent
PROPONO = Path(sys.executable).with_name("propono")
BANK = ROOT / "examples" / "bank" / "catalog"
BANK_DATA = ROOT.parent / "shared" / "data" / "bank-full.csv"

#: Every wait ends; these machines are shared, so that it is long.
DEADLINE_SECONDS = 60.0


class Server(NamedTuple):
    """A running `propono serve`."""

    process: subprocess.Popen[str]
    data: Path
    decisions: str
    admin: str
    metrics: str


def run(*arguments: object, status: int = 0) -> str:
    """Run `propono`, expect an exit status, and return what it printed to stdout."""
    words = [str(argument) for argument in arguments]
    if words[:1] == ["serve"]:
        # Its processes import for themselves: this one too, in their order.
        done = subprocess.run(
            [str(PROPONO), *words],
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            cwd=ROOT,
        )
        ended, stdout, stderr = done.returncode, done.stdout, done.stderr
    else:
        ended, stdout, stderr = run_command(words, ROOT, DEADLINE_SECONDS)
    assert ended == status, stdout + stderr
    return stdout if status == 0 else stderr


@contextmanager
def serving(
    data: Path,
    workers: int = 1,
    *options: str,
    stderr: IO[str] | None = None,
    variables: Mapping[str, str] = MappingProxyType({}),
) -> Generator[Server]:
    """Serve a data folder until the block ends; the server must then end with 0.

    `variables` are added to its environment, and `stderr` is where it writes its log.
    """
    process = subprocess.Popen(
        [
            str(PROPONO),
            "serve",
            *("--data", str(data)),
            *("--workers", str(workers)),
            *("--listen", "127.0.0.1:0"),
            *("--admin-listen", "127.0.0.1:0"),
            *("--metrics-listen", "127.0.0.1:0"),
            *options,
        ],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=ROOT,
        env={**os.environ, **variables},
    )
    try:
        assert process.stdout is not None
        readable, _, _ = select.select([process.stdout], [], [], DEADLINE_SECONDS)
        assert readable, "the server did not say that it is up"
        words = process.stdout.readline().replace(",", "").split()
        assert words[:2] == ["decisions", "on"], words
        yield Server(process, data, words[2], words[5], words[8])
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(DEADLINE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        assert process.stdout is not None
        process.stdout.close()
    assert process.returncode == 0


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for a condition; fails at the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition was never met"
        time.sleep(0.01)


def children_of(pid: int) -> dict[str, int]:
    """The supervisor's processes: kind, and a number if there are several -> pid."""
    found: dict[str, int] = {}
    for entry in Path("/proc").iterdir():
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        if parent == pid and b"server.process" in words:
            kind = words[words.index(b"server.process") + 1].decode()
            found[f"{kind}{sum(k.startswith(kind) for k in found)}"] = int(entry.name)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True

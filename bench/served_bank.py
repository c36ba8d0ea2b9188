"""The example bank, served by `propono serve` on free ports for as long as needed."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.processes import on_core

ROOT = Path(__file__).parent.parent
CATALOG = ROOT / "examples" / "bank" / "catalog"
#: Contacts with profiles, as the example makes them.
CONTACTS = 5_000
#: A request of ghz for one of them at random.
REQUEST = (
    '{"contact_id":"{{printf `C%06d` (randomInt 1 ' + str(CONTACTS) + ')}}",'
    '"spaces":[{"space":"web_home_side","max_propositions":3}],'
    '"context":{"page":"home"},"dry_run":DRY_RUN}'
)


def request(*, dry_run: bool) -> str:
    return REQUEST.replace("DRY_RUN", "true" if dry_run else "false")


def published(data: Path) -> None:
    """Publish the bank's catalog and import its contacts into a data folder."""
    propono("catalog", "publish", str(CATALOG), "--data", str(data))
    clients = data / "clients.csv"
    make_clients(clients, CONTACTS)
    propono(*importing(clients, data))


def make_clients(file: Path, count: int) -> None:
    """A file of so many contacts; a longer one begins with the same."""
    made = ("-m", "examples.bank.contacts", str(count), "--seed", "7")
    _run(sys.executable, *made, "-o", str(file))


def importing(clients: Path, data: Path) -> tuple[str, ...]:
    """The command that imports such a file."""
    return (
        *("contacts", "import", str(clients), "--environment", "recipient"),
        *("--key", "client", "--data", str(data)),
    )


def propono(*words: str) -> None:
    """Run a command; raises CalledProcessError."""
    _run(sys.executable, "-m", "server.cli", *words)


class Served(NamedTuple):
    """A server that is up."""

    #: Of decisions.
    address: str
    admin: str
    #: Of the supervisor.
    pid: int
    metrics: str

    def cpu_seconds(self) -> float:
        """What its workers have used so far."""
        return sum(_cpu_seconds(pid) for pid in _workers(self.pid))


@contextmanager
def serving(
    data: Path,
    workers: int,
    variables: Mapping[str, str] | None = None,
    cpu: int | None = None,
) -> Generator[Served]:
    """Serve until the block ends, all processes on one core if it is given."""
    free = "127.0.0.1:0"
    process = subprocess.Popen(
        [
            *on_core(cpu),
            *(sys.executable, "-m", "server.cli", "serve", "--data", str(data)),
            *("--workers", str(workers), "--listen", free),
            *("--admin-listen", free, "--metrics-listen", free),
            # Publishing is measured, not its limit.
            *("--admin-costly", "100000"),
        ],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, **(variables or {})},
    )
    try:
        assert process.stdout is not None
        words = process.stdout.readline().replace(",", "").split()
        if words[:2] != ["decisions", "on"]:
            raise RuntimeError("the server did not start; see its log above")
        yield Served(words[2], words[5], process.pid, words[8])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def _workers(supervisor: int) -> Iterator[int]:
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = int(_stat(int(entry.name))[1])
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            # It has ended meanwhile.
            continue
        if parent == supervisor and b"worker" in words:
            yield int(entry.name)


def _cpu_seconds(pid: int) -> float:
    user, system = _stat(pid)[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """What /proc says of a process, from its state on."""
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

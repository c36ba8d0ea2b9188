"""The example bank, served by `propono serve` on free ports for as long as needed."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

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
    file = data / "clients.csv"
    propono("catalog", "publish", str(CATALOG), "--data", str(data))
    made = ("-m", "examples.bank.contacts", str(CONTACTS), "--seed", "7")
    _run(sys.executable, *made, "-o", str(file))
    propono(
        *("contacts", "import", str(file), "--environment", "recipient"),
        *("--key", "client", "--data", str(data)),
    )


def propono(*words: str) -> None:
    """Run a command; raises CalledProcessError."""
    _run(sys.executable, "-m", "server.cli", *words)


@contextmanager
def serving(
    data: Path, workers: int, variables: Mapping[str, str] | None = None
) -> Generator[str]:
    """Serve until the block ends; gives the address of decisions."""
    free = "127.0.0.1:0"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "server.cli", "serve", "--data", str(data)),
            *("--workers", str(workers), "--listen", free),
            *("--admin-listen", free, "--metrics-listen", free),
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
        yield words[2]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()


def _run(*command: str) -> None:
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)

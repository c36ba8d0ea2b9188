"""An import of contacts, and what decisions notice of it.

    python -m bench.importing
    python -m bench.importing --contacts 1000000

Calls come at a steady rate, half of them recorded, before and during the import of a
file, for contacts that it imports again.
"""

import resource
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from bench import ghz
from bench.served_bank import (
    ROOT,
    importing,
    make_clients,
    published,
    request,
    serving,
)
from bench.timing import report

#: Calls a second, dry and recorded each.
RATE = 100.0
#: Looks at the import's memory, a second.
LOOKS = 5


@click.command()
@click.option("--contacts", type=int, default=100_000, show_default=True)
@click.option("--seconds", type=float, default=10.0, help="Of calls before the import.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(contacts: int, seconds: float, output: str) -> None:
    ghz.find()
    with TemporaryDirectory() as scratch:
        data, clients = Path(scratch) / "data", Path(scratch) / "clients.csv"
        data.mkdir()
        published(data)
        make_clients(clients, contacts)
        with serving(data, 1) as served:
            before = _calls(served.address, seconds)
            alone = {kind: ghz.finish(run) for kind, run in before.items()}
            # Longer than any import: ghz is told to stop when it is over.
            beside = _calls(served.address, 3_600)
            began = time.monotonic()
            importer = subprocess.Popen(
                [sys.executable, "-m", "server.cli", *importing(clients, data)],
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
            )
            try:
                peaks = _memory_until_the_end(importer)
                took = time.monotonic() - began
            finally:
                during = {kind: ghz.stop(run) for kind, run in beside.items()}
    result: dict[str, object] = {
        "contacts": contacts,
        "seconds": took,
        "contacts/s": round(contacts / took),
        "half_way_mb": peaks[len(peaks) // 2],
        "peak_mb": max(peaks),
    }
    for kind, one in during.items():
        result[f"{kind}_p99_ms"] = one.p99_ms
        result[f"{kind}_times"] = one.p99_ms / alone[kind].p99_ms
        result[f"{kind}_errors"] = sum(one.errors.values())
    report("import beside decisions", [result], output)


def _calls(address: str, seconds: float) -> dict[str, "subprocess.Popen[str]"]:
    return {
        kind: ghz.start(
            ghz.Load(address, request(dry_run=kind == "dry"), 16, 4, seconds, RATE)
        )
        for kind in ("dry", "recorded")
    }


def _memory_until_the_end(importer: "subprocess.Popen[bytes]") -> list[float]:
    """MB of 10^6 bytes, resident, again and again while it runs."""
    looks: list[float] = []
    statm = Path(f"/proc/{importer.pid}/statm")
    while importer.poll() is None:
        pages = int(statm.read_text().split()[1])
        looks.append(pages * resource.getpagesize() / 1e6)
        time.sleep(1 / LOOKS)
    if importer.returncode:
        raise click.ClickException("the import failed; see above")
    return looks


if __name__ == "__main__":
    main()

"""What callers notice of publications: p99.9 and the longest call, with and without.

    python -m bench.publishing_latency --offers 10000 --seconds 20 --publications 20

Dry runs come at a steady rate, whatever the answers take, while nothing is published
and while a catalog is pushed again and again, every fourth time rolled back instead;
in turn, as often as is asked for. Bars: p99.9 at most twice what it is without, and no
call longer than 10 ms, on a machine that does nothing else.

The worker has a core to itself; the client, who publishes and the admin process share
the other one.
"""

import os
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from bench import ghz, served_answers, served_rows
from bench.processes import pids_of
from bench.publishing import builds, publishing
from bench.served_bank import Served, serving
from bench.timing import report
from catalog_store.revisions import Revisions
from server.data_folder import DataFolder
from server.publication_client import PublicationClient

#: Calls a second; about a tenth of what a worker can answer.
RATE = 200.0
CONNECTIONS = 8
#: Every so many publications one is a rollback.
ROLLBACK_EVERY = 4
#: Bars: of p99.9 with publications to that without, and of the longest call.
RATIO_MAX, LONGEST_MS_MAX = 2.0, 10.0
WORKER_CPU, OTHERS_CPU = 0, 1


class Phase(NamedTuple):
    """Calls for some seconds, and what was published meanwhile."""

    answered: ghz.Answered
    publications: int


def measure(
    folder: Path,
    *,
    offers: int,
    contacts: int,
    seconds: float,
    publications: int,
    repeats: int,
    rate: float,
) -> tuple[list[Phase], list[Phase]]:
    """Phases without publications, and with them."""
    data = folder / "data"
    data.mkdir()
    served_rows.published(data, offers, contacts)
    requests, _ = served_rows.make_request_files(folder, contacts)
    made = builds(served_rows.shape(offers), folder)
    Revisions(DataFolder(data).catalog).trust.trust(
        made.key.public, name="bench", valid_from_ms=0
    )
    is_pinned = len(os.sched_getaffinity(0)) > 1
    without: list[Phase] = []
    during: list[Phase] = []
    with serving(data, 1) as served, publishing(data, served) as client:
        served_answers.check(served.address, offers, min(contacts, 20))
        if is_pinned:
            _pin(served)
        load = ghz.Load(served.address, "", CONNECTIONS, CONNECTIONS, seconds, rate)
        # Otherwise the client waits for the publisher, and its wait is taken for ours.
        load = load._replace(
            requests=requests, cpu=OTHERS_CPU if is_pinned else None, is_first=True
        )
        # The first calls, and the first push, meet caches that are cold.
        ghz.run(load._replace(seconds=min(seconds, 2.0)))
        sequence = 0
        for _ in range(repeats):
            without.append(Phase(ghz.run(load), 0))
            artifacts = [
                made.artifact(sequence + number)
                for number in range(1, publications + 1)
            ]
            sequence += publications
            run = ghz.start(load)
            _publish(client, artifacts, seconds)
            during.append(Phase(ghz.finish(run), publications))
    return without, during


def _publish(client: PublicationClient, artifacts: list[Path], seconds: float) -> None:
    """All of them, spread over the time that there is."""
    began = time.perf_counter()
    for number, artifact in enumerate(artifacts, 1):
        pushed = client.push(artifact, lambda done, total: None).number
        artifact.unlink()
        if number % ROLLBACK_EVERY == 0:
            client.roll_back(pushed - 1)
        due = began + number * seconds / (len(artifacts) + 1)
        time.sleep(max(0.0, due - time.perf_counter()))


def _pin(served: Served) -> None:
    """The worker to a core of its own; whatever else there is, to the other."""
    for kind, pid in pids_of(served.pid):
        core = WORKER_CPU if kind == "worker" else OTHERS_CPU
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})
    os.sched_setaffinity(served.pid, {OTHERS_CPU})


def rows_of(without: list[Phase], during: list[Phase]) -> list[dict[str, object]]:
    """Medians of the phases, the longest call of all, and whether the bars are met."""
    rows: list[dict[str, object]] = []
    for what, phases in (("without", without), ("with", during)):
        p999 = sorted(phase.answered.p999_ms for phase in phases)
        rows.append(
            {
                "what": f"{what} publications",
                "publications": sum(phase.publications for phase in phases),
                "calls": sum(phase.answered.calls for phase in phases),
                "errors": sum(sum(p.answered.errors.values()) for p in phases),
                "p50 ms": median(phase.answered.p50_ms for phase in phases),
                "p99 ms": median(phase.answered.p99_ms for phase in phases),
                "p99.9 ms": median(p999),
                "range": f"{p999[0]:.1f}-{p999[-1]:.1f}",
                "longest ms": max(phase.answered.slowest_ms for phase in phases),
            }
        )
    return rows


def verdict(rows: list[dict[str, object]]) -> str:
    """The bars, and what was found."""
    alone, during = (float(str(row["p99.9 ms"])) for row in rows)
    longest = float(str(rows[1]["longest ms"]))
    return (
        f"p99.9 {during / alone:.1f} times that without (bar {RATIO_MAX:g}),"
        f" longest call {longest:.1f} ms (bar {LONGEST_MS_MAX:g}), the client"
        f" {'before' if ghz.may_be_first() else 'beside'} whatever shares its core"
    )


@click.command()
@click.option("--offers", default=served_rows.OFFERS, show_default=True)
@click.option("--contacts", default=5_000, show_default=True)
@click.option("--seconds", default=20.0, show_default=True)
@click.option("--publications", default=20, show_default=True, help="Of a phase.")
@click.option("--repeats", default=3, show_default=True)
@click.option("--rate", default=RATE, show_default=True, help="Calls a second.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    offers: int,
    contacts: int,
    seconds: float,
    publications: int,
    repeats: int,
    rate: float,
    output: str,
) -> None:
    ghz.find()
    with TemporaryDirectory() as folder:
        without, during = measure(
            Path(folder),
            offers=offers,
            contacts=contacts,
            seconds=seconds,
            publications=publications,
            repeats=repeats,
            rate=rate,
        )
    rows = rows_of(without, during)
    title = f"{offers:,} offers, {rate:.0f} calls/s: {verdict(rows)}"
    report(title, rows, output)


if __name__ == "__main__":
    main()

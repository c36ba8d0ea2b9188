"""A hundred publications in a minute while clients call: errors, mixtures, leaks.

    python -m bench.publishing_load --publications 100 --seconds 60 --clients 16

Every text of a catalog carries the catalog's mark, so that an answer tells which one it
came from: the one of the revision that it names, and of no other. Most publications are
pushes of a new catalog, and every fourth is a rollback. Half of the calls are recorded.
"""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import NamedTuple

import click
import grpc

from bench.processes import Process, processes_of
from bench.publishing import publishing
from bench.served_bank import serving
from bench.timing import report
from catalog_store.artifact import write_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.keys import PrivateKey
from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Category,
    Channel,
    ContentField,
    Environment,
    Offer,
    Space,
    WeightRow,
)
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from server.client import CallFailed, Client
from server.data_folder import DataFolder
from server.publication_client import PublicationClient
from server.wire import decision_pb2 as pb

SPACES = ("page", "side")
#: Every so many publications one is a rollback.
ROLLBACK_EVERY = 4
#: Contacts whose decisions are recorded.
CONTACTS = 1_000
TIMEOUT_SECONDS = 10.0


class Answer(NamedTuple):
    """Which revision decided, and the catalogs that the texts are of."""

    revision: int
    marks: frozenset[str]


class Caller:
    """A client that calls until it is told to stop."""

    def __init__(self, address: str, number: int) -> None:
        self.answers: list[Answer] = []
        self.errors: list[str] = []
        self._stop = Event()
        self._thread = Thread(target=self._call, args=(address, number), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _call(self, address: str, number: int) -> None:
        # Its own connection, and so a worker of its own.
        options = [("grpc.use_local_subchannel_pool", 1)]
        client = Client(grpc.insecure_channel(address, options), TIMEOUT_SECONDS)
        for call in count():
            if self._stop.is_set():
                break
            request = pb.ProposeRequest(contact_id=f"{(number + call * 31) % CONTACTS}")
            request.dry_run = call % 2 == 0
            request.context["page"] = "home"
            for space in SPACES:
                request.spaces.add(space=space, max_propositions=3)
            try:
                self.answers.append(answer_of(client.propose(request)))
            except CallFailed as failure:
                self.errors.append(f"{failure.code}: {failure}")
        client.close()


def answer_of(answer: pb.ProposeResponse) -> Answer:
    shown = [p for result in answer.results for p in result.propositions]
    marks = {p.content["title"].partition(" ")[0] for p in shown}
    return Answer(answer.revision, frozenset(marks or {"nothing"}))


class Outcome(NamedTuple):
    """What was published, what came of it, and the processes early and late."""

    #: Revision -> its catalog's mark.
    marks: dict[int, str]
    answers: list[Answer]
    errors: list[str]
    #: From the beginning of each publication until all workers had switched.
    seconds: list[float]
    early: list[Process]
    late: list[Process]

    @property
    def mixed(self) -> int:
        """Answers that are not of the revision that they name, and of it alone."""
        return sum(one.marks != {self.marks[one.revision]} for one in self.answers)


def published_under_load(
    folder: Path, *, publications: int, seconds: float, clients: int, offers: int
) -> Outcome:
    key = PrivateKey.generate()
    data = folder / "data"
    trust = Revisions(DataFolder(data).catalog).trust
    trust.trust(key.public, name="bench", valid_from_ms=0)
    outcome = Outcome({}, [], [], [], [], [])
    artifacts = built(folder, key, offers)
    with serving(data, 2) as server, publishing(data, server) as client:
        publish(client, artifacts, outcome)
        callers = [Caller(server.address, number) for number in range(clients)]
        began = time.perf_counter()
        for number in range(1, publications + 1):
            publish(client, artifacts, outcome)
            if number == max(1, publications // 5):
                outcome.early.extend(processes_of(server.pid))
            due = began + number * seconds / publications
            time.sleep(max(0.0, due - time.perf_counter()))
        outcome.late.extend(processes_of(server.pid))
        for caller in callers:
            caller.stop()
            outcome.answers.extend(caller.answers)
            outcome.errors.extend(caller.errors)
    return outcome


def publish(
    client: PublicationClient, artifacts: Iterator[tuple[str, Path]], outcome: Outcome
) -> None:
    """The next catalog, or the one before; remembers its mark."""
    marks = outcome.marks
    if (len(marks) + 1) % ROLLBACK_EVERY == 0:
        earlier = max(marks) - 1
        # Before the call: it is answered with before this process hears of it.
        marks[earlier + 2] = marks[earlier]
        began = time.perf_counter()
        number = client.roll_back(earlier).number
    else:
        mark, artifact = next(artifacts)
        marks[len(marks) + 1] = mark
        began = time.perf_counter()
        number = client.push(artifact, lambda done, total: None).number
        artifact.unlink()
    outcome.seconds.append(time.perf_counter() - began)
    assert number == len(marks)


def built(folder: Path, key: PrivateKey, offers: int) -> Iterator[tuple[str, Path]]:
    """Catalogs with marks of their own, one after the other."""
    previous: CompiledCatalog | None = None
    for sequence in count(1):
        mark = f"v{sequence}"
        catalog = Catalog(environments=(environment(mark, offers, sequence),))
        previous = compile_catalog(catalog, previous).catalog
        artifact = folder / f"{mark}.propono"
        write_artifact(artifact, previous, key, sequence=sequence)
        yield mark, artifact


def environment(mark: str, offers: int, sequence: int) -> Environment:
    """Half of the offers have a rule; another one is the best in each catalog."""
    return Environment(
        name="bench",
        default=True,
        context_attributes=(Attribute(name="page", type=AttributeType.STRING),),
        categories=(Category(name="all"),),
        offers=tuple(
            Offer(
                name=f"offer_{number}",
                label=f"offer {number}",
                category="all",
                spaces=SPACES,
                rule='context.page == "home"' if number % 2 else None,
                weights=(WeightRow(weight=float(1 + (number + sequence) % offers)),),
                content={"title": f"{mark} {number}"},
            )
            for number in range(offers)
        ),
        spaces=tuple(
            Space(
                name=name,
                channel=Channel.INBOUND_WEB,
                fields=(ContentField(name="title"),),
            )
            for name in SPACES
        ),
    )


def lines(outcome: Outcome) -> list[dict[str, object]]:
    taken = sorted(outcome.seconds)
    return [
        {
            "what": "publications",
            "made": len(outcome.marks),
            "median ms": taken[len(taken) // 2] * 1e3,
            "worst ms": taken[-1] * 1e3,
            "calls": len(outcome.answers),
            "errors": len(outcome.errors),
            "mixed": outcome.mixed,
            "revisions that decided": len({one.revision for one in outcome.answers}),
        }
    ]


def growth(outcome: Outcome) -> list[dict[str, object]]:
    """Each process after a fifth of the publications, and at the end."""
    return [
        {
            "what": early.kind,
            "MB early": early.memory_mb,
            "MB late": late.memory_mb,
            "descriptors early": early.descriptors,
            "descriptors late": late.descriptors,
            "mappings early": early.mappings,
            "mappings late": late.mappings,
        }
        for early, late in zip(outcome.early, outcome.late, strict=True)
    ]


@click.command()
@click.option("--publications", default=100, show_default=True)
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--clients", default=16, show_default=True)
@click.option("--offers", default=300, show_default=True)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    publications: int, seconds: float, clients: int, offers: int, output: str
) -> None:
    """Publish again and again while clients call."""
    with TemporaryDirectory() as folder:
        outcome = published_under_load(
            Path(folder),
            publications=publications,
            seconds=seconds,
            clients=clients,
            offers=offers,
        )
    for error in sorted(set(outcome.errors)):
        click.echo(error, err=True)
    title = f"{clients} clients, {offers:,} offers, {seconds:.0f} s"
    report(title, lines(outcome), output)
    report("processes", growth(outcome), output)


if __name__ == "__main__":
    main()

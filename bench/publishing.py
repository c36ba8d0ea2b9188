"""How long publishing takes: a push, a rollback, and what is in them.

    python -m bench.publishing --rows 10000 --workers 2

Over the wire, until every worker decides with the new revision; that it does is asked
over new connections after each. Bars: 1 s for a push, 200 ms for a rollback.
"""

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click
import grpc
import msgspec

from bench.catalogs import ENVIRONMENT, NOW_MS, SPACE, Shape
from bench.revisions import KEPT, published
from bench.served_bank import Served, serving
from bench.timing import report
from catalog_store.artifact import write_artifact
from catalog_store.compiled import CompiledCatalog
from catalog_store.keys import PrivateKey
from catalog_store.records import Catalog
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from server.client_access import ClientAccess
from server.data_folder import DataFolder
from server.live_loading import load
from server.publication_client import PublicationClient
from server.wire import decision_pb2 as pb

#: Between two switches, so that workers have given the revision before back.
PAUSE_SECONDS = 1.0
#: New connections asked after each switch; with SO_REUSEPORT each has its own worker.
ASKED = 6


class WrongRevision(Exception):
    """A worker decided with another revision than the one that was published."""


class Builds(NamedTuple):
    """Two catalogs that differ in one label, and the key that signs them."""

    catalogs: tuple[CompiledCatalog, CompiledCatalog]
    key: PrivateKey
    folder: Path

    def artifact(self, sequence: int) -> Path:
        """The catalogs take turns; written anew under each sequence."""
        path = self.folder / f"{sequence}.propono"
        write_artifact(path, self.catalogs[sequence % 2], self.key, sequence=sequence)
        return path


def builds(shape: Shape, folder: Path, kept: Path = KEPT) -> Builds:
    """A catalog of that shape, and the same with another label."""
    revisions, manifest = published(shape, kept)
    revision = revisions.open(manifest)
    try:
        first = revision.catalog()
    finally:
        revision.close()
    record = first.environments[0].environment
    offers = (msgspec.structs.replace(record.offers[0], label="x"), *record.offers[1:])
    edited = msgspec.structs.replace(record, offers=offers)
    second = compile_catalog(Catalog(environments=(edited,)), first).catalog
    return Builds((first, second), PrivateKey.generate(), folder)


def over_the_wire(
    builds: Builds, workers: int, repeats: int
) -> list[dict[str, object]]:
    """Pushes and rollbacks, taking turns, over a server of so many workers."""
    data = builds.folder / "data"
    Revisions(DataFolder(data).catalog).trust.trust(
        builds.key.public, name="bench", valid_from_ms=0
    )
    pushes: list[float] = []
    rollbacks: list[float] = []
    with serving(data, workers) as server, publishing(data, server) as client:
        for sequence in range(1, repeats + 1):
            artifact = builds.artifact(sequence)
            began = time.perf_counter()
            number = client.push(artifact, lambda done, total: None).number
            pushes.append(time.perf_counter() - began)
            check(server, number)
            artifact.unlink()
            if number == 1:
                continue
            began = time.perf_counter()
            number = client.roll_back(number - 1).number
            rollbacks.append(time.perf_counter() - began)
            check(server, number)
    # The first one meets processes that have done nothing yet.
    return [
        line("first push", pushes[:1]),
        line("push", pushes[1:]),
        line("rollback", rollbacks),
    ]


@contextmanager
def publishing(data: Path, server: Served) -> Generator[PublicationClient]:
    """A connection to the admin port, with the token of the data folder."""
    token = (data / "admin.token").read_text("ascii").strip()
    client = PublicationClient.connect(server.admin, ClientAccess(token=token))
    try:
        yield client
    finally:
        client.close()


def check(server: Served, number: int) -> None:
    """Raises WrongRevision unless new connections are all answered with it."""
    request = pb.ProposeRequest(contact_id="1", dry_run=True)
    request.spaces.add(space=SPACE)
    options = [("grpc.use_local_subchannel_pool", 1)]
    for _ in range(ASKED):
        with grpc.insecure_channel(server.address, options) as channel:
            call = channel.unary_unary("/propono.v1.DecisionService/Propose")
            answer = pb.ProposeResponse.FromString(call(request.SerializeToString()))
        if answer.revision != number:
            raise WrongRevision(f"{answer.revision} instead of {number}")
    time.sleep(PAUSE_SECONDS)


def stages(builds: Builds, repeats: int) -> list[dict[str, object]]:
    """What a publisher does, one thing after the other, without a server."""
    revisions = Revisions(builds.folder / "stages")
    revisions.trust.trust(builds.key.public, name="bench", valid_from_ms=0)
    times: dict[str, list[float]] = {}

    def timed(what: str, work: Callable[[], object]) -> None:
        began = time.perf_counter()
        work()
        times.setdefault(what, []).append(time.perf_counter() - began)

    for sequence in range(1, repeats + 1):
        artifact = builds.artifact(sequence)
        timed(
            "verify, write and flush the file",
            lambda path=artifact: revisions.install_artifact(path, NOW_MS),
        )
        installed = revisions.install_artifact(artifact, NOW_MS)
        artifact.unlink()
        timed(
            "publish",
            lambda one=installed: revisions.publish(
                one, publisher="bench", now_ms=NOW_MS
            ),
        )
        current = revisions.current()
        timed("verify a manifest's signature", revisions.current)
        timed(
            "hash the file",
            lambda one=current: list(revisions.verify_in_steps(one, again=True)),
        )
        revision = revisions.open_installed(current)
        try:
            timed("digest of the catalog", lambda one=revision: one.catalog().digest())
            timed(
                "load it once",
                lambda one=revision, manifest=current: load(one, manifest),
            )
        finally:
            revision.close()
    return [line(what, taken) for what, taken in times.items()]


def line(what: str, seconds: Sequence[float]) -> dict[str, object]:
    times = sorted(seconds) or [float("nan")]
    return {
        "what": what,
        "times": len(seconds),
        "best ms": times[0] * 1e3,
        "median ms": times[len(times) // 2] * 1e3,
        "worst ms": times[-1] * 1e3,
    }


@click.command()
@click.option("--rows", default=10_000, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--repeats", default=6, show_default=True)
@click.option(
    "--kept",
    type=click.Path(file_okay=False, path_type=Path),
    default=KEPT,
    help="Where compiled catalogs are kept.",
)
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(rows: int, workers: int, repeats: int, kept: Path, output: str) -> None:
    """Push and roll back under workers, and what a publisher spends its time on."""
    with TemporaryDirectory() as folder:
        made = builds(Shape(rows), Path(folder), kept)
        wire = over_the_wire(made, workers, repeats)
        spent = stages(made, repeats)
    about = f"{rows:,} offers of {ENVIRONMENT}"
    report(f"{about}, until all of {workers} workers switched", wire, output)
    report(f"{about}, in one process", spent, output)


if __name__ == "__main__":
    main()

"""One call in this process, from a request's bytes to an answer's.

    python -m bench.calling                   # the example bank
    python -m bench.calling --offers 10000    # a generated catalog

Without gRPC: what a worker does itself, all of it and by stages. Recorded calls wait
for the disk, each in a transaction of its own.
"""

from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import click

from bench import served_rows
from bench.served_bank import CONTACTS, published
from bench.timing import Times, report
from catalog_store.revisions import Revisions
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.data_folder import DataFolder
from server.decision_service import DecisionService
from server.metrics import CallMetrics
from server.preparation import Preparation
from server.recurring_requests import RecurringRequests
from server.translation import asked_decision
from server.transport import parse
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell, load_current, system_sources

#: Contacts that are asked about, in turn.
ASKED = 1_000


@click.command()
@click.option("--offers", type=int, help="Of a generated catalog, not the bank's.")
@click.option("--seconds", type=float, default=1.0, help="Of each stage.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(offers: int | None, seconds: float, output: str) -> None:
    with TemporaryDirectory() as scratch:
        data = Path(scratch)
        if offers is None:
            published(data)
        else:
            served_rows.published(data, offers)
        made = _of_bank if offers is None else _of_rows
        dry, recorded = made(dry_run=True), made(dry_run=False)
        folder = DataFolder(data)
        with (
            HistoryStore(folder.history) as history,
            ProfileStore(folder.profiles) as profiles,
        ):
            rows = _measured(folder, history, profiles, seconds, dry, recorded)
    report("one call, without gRPC", rows, output)


def _measured(
    folder: DataFolder,
    history: HistoryStore,
    profiles: ProfileStore,
    seconds: float,
    dry: list[bytes],
    recorded: list[bytes],
) -> list[dict[str, object]]:
    sources = system_sources()
    cell = CatalogCell()
    load_current(Revisions(folder.catalog), cell)
    catalog = cell.current
    assert catalog is not None
    service = DecisionService(cell, history, profiles, sources)
    preparation = Preparation(profiles, history, sources.random_bytes)
    recurring = RecurringRequests()
    now_ms = sources.now_ms()
    metrics = CallMetrics("Propose")

    def call(data: bytes) -> None:
        answer = service.propose(parse(pb.ProposeRequest, data), "anyone")
        assert isinstance(answer, bytes)
        metrics.observe("OK", 0.001)

    requests = [pb.ProposeRequest.FromString(data) for data in dry]
    asked = [recurring.asked(request, now_ms) for request in requests]
    stages = {
        "parsed": Times.of(lambda data: parse(pb.ProposeRequest, data), dry, seconds),
        "checked": Times.of(lambda r: recurring.asked(r, now_ms), requests, seconds),
        "checked, as if new": Times.of(
            lambda request: asked_decision(request, now_ms), requests, seconds
        ),
        "prepared": Times.of(lambda a: preparation.prepare(a, catalog), asked, seconds),
        "prepared, as if new": Times.of(
            lambda a: preparation.prepare(a, catalog),
            [one._replace(form=b"") for one in asked],
            seconds,
        ),
        "dry run, all": Times.of(call, dry, seconds),
        "recorded, all": Times.of(call, recorded, seconds),
    }
    return [
        {"stage": stage, "p50_us": times.p50_us, "p99_us": times.p99_us}
        for stage, times in stages.items()
    ]


def _of_bank(*, dry_run: bool) -> list[bytes]:
    contacts = Random(1).sample(range(1, CONTACTS + 1), ASKED)
    made: list[bytes] = []
    for number in contacts:
        request = pb.ProposeRequest(contact_id=f"C{number:06}", dry_run=dry_run)
        request.spaces.add(space="web_home_side", max_propositions=3)
        request.context.update({"page": "home"})
        made.append(request.SerializeToString())
    return made


def _of_rows(*, dry_run: bool) -> list[bytes]:
    contacts = Random(1).sample(range(1, served_rows.CONTACTS + 1), ASKED)
    return [
        served_rows.request(number, dry_run=dry_run).SerializeToString()
        for number in contacts
    ]


if __name__ == "__main__":
    main()

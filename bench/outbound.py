"""Contacts a second of a batch, and where the time goes.

    python -m bench.outbound
    python -m bench.outbound --contacts 20000 --max 3 --file clients.csv

The example bank's catalog and contacts, decided by the batch service in this process,
as a worker runs it: of one core, without the wire. Answers are compared with those of
Propose before anything is timed.
"""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from bench.timing import Times, report
from catalog_store.records import UnixMs
from catalog_store.revisions import Revisions
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.batch import BatchService
from server.batch_contacts import BatchPreparation
from server.batch_translation import asked_batch
from server.data_folder import DataFolder
from server.decision_service import DecisionService, Sources
from server.engine.decision import decide
from server.preparation import Preparation
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell, load_current

ROOT = Path(__file__).parent.parent
BANK = ROOT / "examples" / "bank" / "catalog"
SPACE = "email_newsletter"
#: Answers compared before anything is timed.
COMPARED = 50


class WrongAnswer(Exception):
    """A batch and Propose do not agree; says for whom."""


class Bank(NamedTuple):
    """The bank's stores, and contacts that have profiles."""

    cell: CatalogCell
    history: HistoryStore
    profiles: ProfileStore
    contact_ids: list[str]

    def batches(self) -> BatchService:
        return BatchService(
            self.cell, self.history, self.profiles, _sources(), kept_share=0.01
        )


def opened(folder: Path, contacts: int, file: Path | None) -> Bank:
    """Publish, import and load, all in a folder; the file's key is its row."""
    data, key = folder / "data", "#row"
    _propono("catalog", "publish", str(BANK), "--data", str(data))
    if file is None:
        file, key = folder / "clients.csv", "client"
        _run("-m", "examples.bank.contacts", str(contacts), "--seed", "7", "-o", file)
    _propono(
        *("contacts", "import", str(file), "--environment", "recipient"),
        *("--key", key, "--data", str(data), "--rejects", str(folder / "rejects.csv")),
    )
    cell = CatalogCell()
    load_current(Revisions(DataFolder(data).catalog), cell)
    assert cell.current is not None
    profiles = ProfileStore(DataFolder(data).profiles)
    decides = cell.current.environments["recipient"]
    scanned = profiles.scan("recipient", decides.contact_attributes, None)
    contact_ids = [contact_id for contact_id, _ in islice(scanned, contacts)]
    return Bank(cell, HistoryStore(DataFolder(data).history), profiles, contact_ids)


def batch_of(
    contact_ids: list[str], propositions: int, *, dry_run: bool, request_id: str = ""
) -> pb.ProposeBatchRequest:
    request = pb.ProposeBatchRequest(
        contact_ids=contact_ids, dry_run=dry_run, request_id=request_id
    )
    request.spaces.add(space=SPACE, max_propositions=propositions)
    return request


def check(bank: Bank, propositions: int) -> int:
    """Compare with Propose, seed by seed; returns how many propositions there were."""
    some = bank.contact_ids[:COMPARED]
    made = 0
    for one in answered(bank.batches(), batch_of(some, propositions, dry_run=True)):
        seed = bytes.fromhex(one.decision.interaction_id)
        sources = _sources(partial(_same, seed))
        single = DecisionService(bank.cell, bank.history, bank.profiles, sources, 0.0)
        request = pb.ProposeRequest(contact_id=one.contact_id, dry_run=True)
        request.spaces.add(space=SPACE, max_propositions=propositions)
        answer = single.propose(request, "bench")
        assert isinstance(answer, bytes)
        expected = pb.ProposeResponse.FromString(answer)
        for found in (expected, one.decision):
            for result in found.results:
                for proposition in result.propositions:
                    proposition.ClearField("event_time")
                    made += found is expected
        if expected != one.decision:
            raise WrongAnswer(one.contact_id)
    return made


def answered(
    batches: BatchService, request: pb.ProposeBatchRequest
) -> Iterator[pb.ContactDecision]:
    for answer in batches.propose_batch(request, "bench"):
        if isinstance(answer, bytes):
            yield from pb.ProposeBatchResponse.FromString(answer).decisions


def rate(bank: Bank, what: str, request: pb.ProposeBatchRequest) -> dict[str, object]:
    """One line: contacts a second, and the longest step that others wait for."""
    contacts = len(request.contact_ids)
    steps: list[float] = []
    cpu, wall = time.process_time(), time.perf_counter()
    began = wall
    for _ in bank.batches().propose_batch(request, "bench"):
        ended = time.perf_counter()
        steps.append(ended - began)
        began = time.perf_counter()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    steps.sort()
    return {
        "what": what,
        "contacts": contacts,
        "contacts/s of CPU": contacts / cpu,
        "contacts/s": contacts / wall,
        "us of CPU each": cpu / contacts * 1e6,
        "steps": len(steps),
        "p99 step ms": steps[len(steps) * 99 // 100] * 1e3,
    }


def stages(bank: Bank, propositions: int, seconds: float) -> list[dict[str, object]]:
    """Microseconds of what a dry run does for one contact, by itself."""
    sources = _sources()
    request = batch_of(bank.contact_ids, propositions, dry_run=True)
    asked = asked_batch(request, sources.now_ms())
    catalog = bank.cell.current
    assert catalog is not None
    preparation = Preparation(bank.profiles, bank.history, sources.random_bytes)
    prepared = BatchPreparation(asked, catalog, preparation)
    ready = [prepared.contact(contact_id) for contact_id in bank.contact_ids]
    now_ms = sources.now_ms()
    whole = batch_of(bank.contact_ids[:1], propositions, dry_run=True)

    def once(contact_id: str) -> None:
        whole.contact_ids[0] = contact_id
        for _ in bank.batches().propose_batch(whole, "bench"):
            pass

    parts = (
        ("profile", Times.of(prepared.contact, bank.contact_ids, seconds)),
        (
            "history",
            Times.of(
                lambda one: bank.history.read("recipient", one),
                bank.contact_ids,
                seconds,
            ),
        ),
        ("decide", Times.of(lambda one: decide(one.call((), now_ms)), ready, seconds)),
        ("a batch of one, whole", Times.of(once, bank.contact_ids, seconds)),
    )
    return [
        {"what": name, "p50 us": times.p50_us, "p99 us": times.p99_us}
        for name, times in parts
    ]


def _sources(random_bytes: Callable[[int], bytes] | None = None) -> Sources:
    """The machine's clock, and interactions that count up unless they are given."""
    numbers = count(1)
    return Sources(
        now_ms=lambda: UnixMs(time.time_ns() // 1_000_000),
        random_bytes=random_bytes or (lambda size: next(numbers).to_bytes(size)),
    )


def _same(seed: bytes, _: int) -> bytes:
    return seed


def _propono(*arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


def _run(*arguments: object) -> None:
    subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )


@click.command()
@click.option("--contacts", default=10_000, show_default=True)
@click.option("--max", "propositions", default=1, show_default=True)
@click.option("--file", type=click.Path(exists=True, path_type=Path))
@click.option("--seconds", default=1.0, show_default=True, help="Of each stage.")
@click.option("--output", type=click.Choice(["table", "json"]), default="table")
def main(
    contacts: int, propositions: int, file: Path | None, seconds: float, output: str
) -> None:
    """Contacts a second, dry and recorded, and the stages of a dry run."""
    with TemporaryDirectory() as folder:
        bank = opened(Path(folder), contacts, file)
        try:
            check(bank, propositions)
            ids = bank.contact_ids
            dry = batch_of(ids, propositions, dry_run=True)
            spent = stages(bank, propositions, seconds)
            rates = [
                rate(bank, "dry run", dry),
                rate(
                    bank,
                    "recorded",
                    batch_of(ids, propositions, dry_run=False, request_id="b"),
                ),
                rate(
                    bank,
                    "recorded, asked again",
                    batch_of(ids, propositions, dry_run=False, request_id="b"),
                ),
            ]
        finally:
            bank.history.close()
            bank.profiles.close()
    title = f"{SPACE}, at most {propositions}"
    report(f"{title}: contacts a second of one core", rates, output)
    report(f"{title}: one contact of a dry run", spent, output)


if __name__ == "__main__":
    main()

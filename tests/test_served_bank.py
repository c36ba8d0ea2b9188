"""The whole path on real clients: what is served is what the reference decides."""

import csv
import json
import time
from pathlib import Path
from typing import Any

import pytest

from catalog_store.records import AttributeType
from server.client import Client
from server.files import read_catalog
from server.wire import decision_pb2 as pb
from tests.reference_decision import Choice, Past, Reference
from tests.servers import (
    BANK,
    BANK_DATA,
    DEADLINE_SECONDS,
    Server,
    run,
    serving,
)

CONTACTS = 2_000
CONTEXT = {"page": "home", "language": "en", "device": "mobile"}
#: Contacts whose first proposition is accepted before they come back.
RETURNING = 200


class Twin:
    """The reference decision, fed with the same contacts and the same past."""

    def __init__(self) -> None:
        catalog = read_catalog(BANK).catalog
        record = next(e for e in catalog.environments if e.name == "recipient")
        self.reference = Reference(record)
        self.channels = {space.name: str(space.channel) for space in record.spaces}
        self.spaces = [space.name for space in record.spaces]
        self.recording = {space.name: space.recording for space in record.spaces}
        with BANK_DATA.open(encoding="utf-8") as file:
            rows = [
                row
                for row, _ in zip(csv.DictReader(file), range(CONTACTS), strict=False)
            ]
        types = {a.name: a.type for a in record.contact_attributes}
        self.contacts = [
            {
                name: _typed(types[name], text)
                for name, text in row.items()
                if name in types and text
            }
            for row in rows
        ]

    def expected(
        self,
        row: int,
        history: list[Past],
        asked: list[tuple[str, int]],
        at_ms: int,
        seed: int,
    ) -> list[list[Choice]]:
        contact = self.contacts[row]
        return self.reference.decide(contact, CONTEXT, history, asked, at_ms, seed)


def _typed(type_: AttributeType, text: str) -> Any:
    if type_ is AttributeType.BOOL:
        return text == "yes"
    return int(text) if type_ is AttributeType.INT else text


@pytest.fixture(scope="module")
def twin(real_bank: Server) -> Twin:
    return Twin()


def test_served_answers_equal_the_reference(real_bank: Server, twin: Twin) -> None:
    """2,000 real contacts, every space, ties from the recorded seed, history kept."""
    client = Client.connect(real_bank.decisions, DEADLINE_SECONDS)
    proposed = 0
    for row in range(CONTACTS):
        # Each space is first, and so unrestricted by the others, for some contacts.
        turn = row % len(twin.spaces)
        spaces = twin.spaces[turn:] + twin.spaces[:turn]
        asked = [(space, 2 + row % 2) for space in spaces]
        history: list[Past] = []
        answer = _propose_and_compare(client, twin, row, asked, history)
        proposed += sum(len(result.propositions) for result in answer.results)
        if row < RETURNING:
            _accept_first(client, answer, history)
            _propose_and_compare(client, twin, row, asked[::-1], history)
    client.close()

    # Not a comparison of empty lists.
    assert proposed > 5 * CONTACTS


def _propose_and_compare(
    client: Client,
    twin: Twin,
    row: int,
    asked: list[tuple[str, int]],
    history: list[Past],
) -> pb.ProposeResponse:
    at_ms = time.time_ns() // 1_000_000
    request = pb.ProposeRequest(contact_id=str(row + 1), environment="recipient")
    request.contact_time.FromMilliseconds(at_ms)
    request.context.update(CONTEXT)
    for space, count in asked:
        request.spaces.add(space=space, max_propositions=count)
    answer = client.propose(request)
    seed = int(answer.interaction_id, 16)
    served = [
        [Choice(p.offer, p.weight, p.rank) for p in result.propositions]
        for result in answer.results
    ]

    assert served == twin.expected(row, history, asked, at_ms, seed), f"contact {row}"
    for result in answer.results:
        for one in result.propositions:
            assert bool(one.proposition_id) == twin.recording[result.space]
            if twin.recording[result.space]:
                channel = twin.channels[result.space]
                history.append(
                    Past(one.offer, one.category, channel, "generated", at_ms)
                )
    return answer


def _accept_first(
    client: Client, answer: pb.ProposeResponse, history: list[Past]
) -> None:
    made = [p for result in answer.results for p in result.propositions]
    if not made or not made[0].proposition_id:
        return
    request = pb.UpdatePropositionRequest(
        proposition_id=made[0].proposition_id, status="PROPOSITION_STATUS_ACCEPTED"
    )
    updated = client.update_proposition(request)
    history[0] = history[0]._replace(status="accepted")

    assert updated.status == pb.PROPOSITION_STATUS_ACCEPTED


def test_an_accepted_offer_is_not_proposed_again(real_bank: Server) -> None:
    """Update to accepted, and the presentation rule then excludes that offer."""
    client = Client.connect(real_bank.decisions, DEADLINE_SECONDS)
    request = pb.ProposeRequest(contact_id="30001", environment="recipient")
    request.spaces.add(space="call_center_offer", max_propositions=1)
    first = client.propose(request).results[0].propositions[0]
    accepted = pb.UpdatePropositionRequest(
        proposition_id=first.proposition_id, status="PROPOSITION_STATUS_ACCEPTED"
    )
    client.update_proposition(accepted)
    request.request_id = ""
    request.dry_run = True
    request.spaces[0].max_propositions = 100
    after = {p.offer for p in client.propose(request).results[0].propositions}
    client.close()

    assert first.offer not in after
    assert after


def test_the_real_file_is_imported_whole(real_bank: Server) -> None:
    """45,211 clients; what the schema does not declare is not an attribute."""
    out = run(
        *("contacts", "import", BANK_DATA, "--environment", "recipient"),
        *("--key", "#row", "--data", real_bank.data, "--output", "json"),
        *("--rejects", real_bank.data / "rejects.csv"),
    )

    summary = json.loads(out)
    assert (summary["rows"], summary["contacts"]) == (45_211, 45_211)
    assert summary["rejected_rows"] == 0
    assert summary["ignored_columns"] == ["duration", "y"]


def test_two_workers_give_the_same_answers(tmp_path: Path, twin: Twin) -> None:
    """The number of workers changes nothing but the throughput."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    run(
        *("contacts", "import", BANK_DATA, "--environment", "recipient"),
        *("--key", "#row", "--data", tmp_path, "--rejects", tmp_path / "rejects.csv"),
    )
    with serving(tmp_path, workers=2) as server:
        for row in range(100):
            # A connection each: the kernel gives each to one worker or the other.
            client = Client.connect(server.decisions, DEADLINE_SECONDS)
            history: list[Past] = []
            asked = [(space, 2) for space in twin.spaces]
            _propose_and_compare(client, twin, row, asked, history)
            _propose_and_compare(client, twin, row, asked, history)
            client.close()

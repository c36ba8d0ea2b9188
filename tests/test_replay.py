"""A recorded decision made again: what is kept of it, of whom, and for how long."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.protobuf import struct_pb2
from msgspec.structs import replace

from catalog_store.records import (
    Attribute,
    AttributeType,
    Environment,
    PresentationRule,
    Space,
)
from catalog_store.revisions import Revisions
from contact_store.decision_inputs import KEPT_DAYS, DecisionInputs
from server.live_loading import load
from server.replaying import CannotReplay, is_kept, replayed
from server.wire import decision_pb2 as pb
from tests.bank import CONTEXT, DAY_MS, environment, offer, row, space
from tests.servers import run
from tests.services import Served, offers, served

SPACES = (space("banner"), space("side", recording=False))


def bank(*, spaces: tuple[Space, ...] = SPACES, **fields: object) -> Environment:
    """Ties, a formula, a rule over lists and times, a presentation rule."""
    return environment(
        [
            offer("card", row("double(contact.balance) / 100.0")),
            offer("loan", 5, rule="'gold' in context.tags && contact.age >= 18"),
            offer("fund", 5, rule="context.since < context.now"),
            offer("plan", 5),
        ],
        rules=[
            PresentationRule(
                name="twice", period_ms=DAY_MS, maximum=2, counted="this_offer"
            )
        ],
        spaces=spaces,
    )


def with_context(record: Environment) -> Environment:
    tags = Attribute(name="tags", type=AttributeType.STRING_LIST)
    since = Attribute(name="since", type=AttributeType.TIMESTAMP)
    return replace(record, context_attributes=(*CONTEXT, tags, since))


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, with_context(bank()), kept_share=1.0) as web:
        web.upsert("bank", "ann", age=30, balance=510)
        yield web


def ask(web: Served, **fields: object) -> pb.ProposeResponse:
    context = struct_pb2.Struct()
    context.update({"tags": ["gold", "old"], "since": "2026-01-01T00:00:00Z"})
    request = pb.ProposeRequest(contact_id="ann", context=context, **fields)
    request.spaces.add(space="banner", max_propositions=2)
    request.spaces.add(space="side", max_propositions=1)
    return web.ask(request)


def kept(web: Served, answer: pb.ProposeResponse) -> DecisionInputs | None:
    return web.history.inputs(int(answer.interaction_id, 16))


def replay_of(web: Served, answer: pb.ProposeResponse):
    inputs = kept(web, answer)
    assert inputs is not None
    revisions = Revisions(web.folder / "catalog")
    revision = revisions.open(revisions.manifest(inputs.revision))
    try:
        return replayed(inputs, load(revision, revisions.manifest(inputs.revision)))
    finally:
        revision.close()


def test_the_same_offers_in_the_same_order(web: Served) -> None:
    """Ties included: the seed is kept."""
    for _ in range(3):
        answer = ask(web)
        found = replay_of(web, answer)
        assert found.reproduced
        assert [
            one.offer for filled in found.record.spaces for one in filled.chosen
        ] == offers(answer)


def test_whatever_happened_since(web: Served) -> None:
    """Later propositions, answers, profiles and catalogs change nothing."""
    first, second = ask(web), ask(web)
    made = second.results[0].propositions[0].proposition_id
    web.update(made, "rejected")
    web.upsert("bank", "ann", age=3, balance=1)
    web.publish(with_context(bank(spaces=(space("banner"), space("side"), space("x")))))
    third = ask(web)

    assert [replay_of(web, a).reproduced for a in (first, second, third)] == [True] * 3
    assert replay_of(web, first).inputs.revision == 1
    assert replay_of(web, third).inputs.revision == 2


@pytest.mark.parametrize(
    ("call", "change"),
    [
        (0, {"contact": {"age": 30, "balance": 900}}),
        (0, {"contact": {"age": 3, "balance": 510}}),
        (0, {"context": {"tags": ["silver"], "since": 0}}),
        (0, {"excluded": ("card",)}),
        (0, {"interaction": 99}),
        (0, {"at_ms": 0}),
        (0, {"allow_duplicates": True}),
        (2, {"history": ()}),
    ],
)
def test_other_inputs_are_noticed(
    web: Served, call: int, change: dict[str, object]
) -> None:
    """Each of them is part of the decision."""
    inputs = kept(web, [ask(web), ask(web), ask(web)][call])
    assert inputs is not None
    catalog = web.cell.current
    assert catalog is not None

    assert replayed(inputs, catalog).reproduced
    assert not replayed(replace(inputs, **change), catalog).reproduced


def test_another_revision_is_refused(web: Served) -> None:
    """It would say nothing about the decision that was made."""
    inputs = kept(web, ask(web))
    assert inputs is not None
    web.publish(with_context(bank()))
    assert web.cell.current is not None

    with pytest.raises(CannotReplay, match="revision 2 is not the one that decided, 1"):
        replayed(inputs, web.cell.current)


def test_what_is_not_recorded_is_not_kept(web: Served) -> None:
    """A dry run, and a space that records nothing."""
    unrecorded = pb.ProposeRequest(contact_id="ann")
    unrecorded.spaces.add(space="side")

    assert kept(web, ask(web, dry_run=True)) is None
    assert kept(web, web.ask(unrecorded)) is None


def test_a_retry_is_kept_once(web: Served) -> None:
    """It is the same decision."""
    first = ask(web, request_id="r")
    again = ask(web, request_id="r")

    assert again == first
    assert len(web.history.newest_inputs(9)) == 1


def test_the_share_is_of_contacts(tmp_path: Path) -> None:
    """One is always kept or never, and about as many as were asked for."""
    share = sum(is_kept(f"c{number}", 0.01) for number in range(20_000)) / 20_000

    assert 0.008 < share < 0.012
    assert [is_kept("ann", 1.0), is_kept("ann", 0.0)] == [True, False]
    with served(tmp_path, with_context(bank()), kept_share=0.0) as web:
        assert kept(web, web.propose()) is None


def test_they_are_kept_for_a_month(web: Served) -> None:
    """Then each decision that is kept removes older ones."""
    old = [ask(web) for _ in range(3)]
    web.clock.now_ms += KEPT_DAYS * DAY_MS
    ask(web)
    assert all(kept(web, answer) for answer in old)

    web.clock.now_ms += DAY_MS
    ask(web)
    assert sum(kept(web, answer) is not None for answer in old) == 1
    ask(web)
    assert not any(kept(web, answer) for answer in old)
    assert len(web.history.newest_inputs(99)) == 3


@pytest.fixture
def data(web: Served) -> Path:
    """A data folder with one decision."""
    ask(web)
    return web.folder


def test_the_command_prints_what_was_decided(data: Path) -> None:
    """The same table again, and that it is the same."""
    interaction = json.loads(run("replay", "--data", data, "--output", "json"))[0]
    found = run("replay", interaction["interaction"], "--data", data)
    as_json = run(
        *("replay", interaction["interaction"], "--data", data, "--output", "json")
    )

    assert "reproduced: sha256 " in found
    assert "card" in found
    assert json.loads(as_json)["reproduced"] is True
    assert interaction["contact"] == "ann"


def test_the_command_refuses_with_a_reason(data: Path) -> None:
    """An interaction that is not kept, and what is no interaction."""
    unknown = run("replay", "ffffffffffffffff", "--data", data, status=1)

    assert "nothing is kept of interaction ffffffffffffffff" in unknown
    assert "16 hexadecimal digits" in run("replay", "x", "--data", data, status=2)
    nothing = run("replay", "1", "--data", data / "nowhere", status=1)
    assert "has no history; name a data folder with --data" in nothing

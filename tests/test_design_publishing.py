"""The design becomes the revision that decides."""

import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from catalog_store.design_records import Ref, catalog_records
from catalog_store.records import Record
from catalog_store.revisions import Revisions
from server.client import CallFailed, Client
from server.design import publishing
from server.files import read_catalog
from server.publication import publish_records
from server.wire import admin_pb2 as pb
from server.wire import decision_pb2
from tests.design_admin import DesignAdmin, design_admin
from tests.servers import BANK, DEADLINE_SECONDS, Server, run, serving, wait_until


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def bank() -> dict[Ref, Record]:
    return catalog_records(read_catalog(BANK).catalog)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


def test_what_is_designed_is_published(
    admin: DesignAdmin, bank: dict[Ref, Record], tmp_path: Path
) -> None:
    """Every record of it, under the next number, by whoever asked."""
    admin.apply(bank)
    first = admin.call("Publish").revision
    admin.call(
        "UpdateSegment",
        segment={"name": "environments/recipient/segments/affluent", "rule": "true"},
    )
    second = admin.call("Publish").revision
    revisions = Revisions(tmp_path / "catalog")
    revision = revisions.open(revisions.current())
    try:
        published = {
            name: revision.environment(name) for name in revision.environment_names
        }
    finally:
        revision.close()

    assert [(one.number, one.current) for one in (first, second)] == [(1, 1), (2, 1)]
    assert (first.publisher, first.offer_count) == ("anyone", 45)
    assert first.digest != second.digest
    rules = {one.name: one.rule for one in published["recipient"].segments}
    assert rules["affluent"] == "true"
    offers = [one.name for one in published["recipient"].offers]
    assert offers == sorted(ref.name for ref in bank if ref[:2] == (
        "recipient", "offers"
    ))  # fmt: skip


def test_validating_publishes_nothing(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """It says what the revision would be."""
    admin.apply(bank)
    seen = admin.call("Publish", validate_only=True).revision

    assert (seen.number, seen.name, seen.offer_count) == (0, "", 45)
    assert list(admin.call("ListRevisions").revisions) == []
    published = admin.call("Publish").revision
    assert (published.digest, published.rule_count) == (seen.digest, seen.rule_count)


def test_what_cannot_be_published_is_refused(admin: DesignAdmin) -> None:
    """Nothing designed yet, now or later."""
    code, reason, text = admin.refused("Publish")
    assert (code, reason) == ("FAILED_PRECONDITION", "NOT_PUBLISHABLE")
    assert "the design is empty" in text
    later = {"seconds": admin.clock.now_ms // 1_000 + 60}
    code, reason, _ = admin.refused("Publish", publish_time=later)
    assert (code, reason) == ("FAILED_PRECONDITION", "NOT_PUBLISHABLE")


def test_edits_are_answered_while_a_catalog_is_compiled(
    admin: DesignAdmin, bank: dict[Ref, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was there before them is what is published."""
    begun, edited = threading.Event(), threading.Event()

    def publish(*arguments: Any, **options: Any) -> Any:
        begun.set()
        assert edited.wait(DEADLINE_SECONDS)
        return publish_records(*arguments, **options)

    monkeypatch.setattr(publishing, "publish_records", publish)
    admin.apply(bank)
    before = admin.call("Publish", validate_only=True).revision
    call = admin.channel.unary_unary("/propono.v1.AdminService/Publish")
    future = call.future(b"")
    segment = {"name": "environments/recipient/segments/affluent", "rule": "true"}
    assert begun.wait(DEADLINE_SECONDS)
    admin.call("UpdateSegment", segment=segment)
    assert not future.done()
    edited.set()

    published = pb.PublishResponse.FromString(future.result()).revision
    assert published.digest == before.digest
    assert admin.call("Publish").revision.digest != before.digest


def propose(server: Server) -> Any:
    client = Client.connect(server.decisions)
    try:
        space = decision_pb2.SpaceRequest(space="web_home_side", max_propositions=3)
        request = decision_pb2.ProposeRequest(spaces=[space])
        return client.propose(request)
    finally:
        client.close()


def revision_of(server: Server) -> int:
    try:
        return propose(server).revision
    except CallFailed as failure:
        if failure.code != "UNAVAILABLE":
            raise
        return 0


@pytest.mark.parametrize("way", ["in the folder", "over the port"])
def test_a_server_decides_by_what_was_designed(served: Server, way: str) -> None:
    """From files to the design to decisions, with three commands."""
    place: tuple[object, ...] = ("--data", served.data)
    if way == "over the port":
        place = (*place, "--admin-server", served.admin)
    before = revision_of(served)
    run("catalog", "apply", BANK, "--yes", *place)
    dry = run("catalog", "publish", "--dry-run", *place)
    said = run("catalog", "publish", *place)
    wait_until(lambda: revision_of(served) == before + 1)
    propositions = propose(served).results[0].propositions

    assert dry.startswith("revision would be published: 45 offers,")
    assert said.startswith(f"revision {before + 1} is published: 45 offers,")
    assert len(propositions) == 3


def test_an_empty_design_is_not_published(tmp_path: Path) -> None:
    """And files are published as ever, without touching it."""
    data = ("--data", tmp_path / "data")
    said = run("catalog", "publish", *data, status=1)
    assert "the design is empty" in said
    assert run("catalog", "publish", BANK, *data).startswith("revision 1 is published")
    said = run("catalog", "publish", BANK, *data, "--dry-run", status=2)
    assert "without a PATH" in said
    assert "the design is empty" in run("catalog", "publish", *data, status=1)

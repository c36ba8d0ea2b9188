"""`propono catalog submit`, `approve`, `reject` and `approvals`."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catalog_store.records import Catalog
from server.access.roles import Role
from server.files.catalog_export import export_catalog
from tests.access import give_token
from tests.approvals import NAME, bank, live_offers
from tests.bank import offer
from tests.servers import Server, run, serving, wait_until


class Place(NamedTuple):
    """Where the design is."""

    data: Path
    options: tuple[object, ...]

    def run(self, *words: object, status: int = 0) -> str:
        return run("catalog", *words, *self.options, status=status)

    def json(self, *words: object) -> Any:
        return json.loads(self.run(*words, "--output", "json"))

    def states(self) -> dict[str, str]:
        found = self.json("approvals", "gold")["approvals"]
        return {one["space"] or "": one["state"] for one in found}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(params=["in the folder", "over the port"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """With two offers, of which nothing was submitted."""
    found = Place(tmp_path / "data", ("--data", tmp_path / "data"))
    if request.param == "over the port":
        server: Server = request.getfixturevalue("served")
        found = Place(
            server.data, ("--admin-server", server.admin, "--data", server.data)
        )
    record = bank(offer("gold", 5, content={"title": "Gold"}), offer("silver", 1))
    for number, offers in enumerate(((), record.offers)):
        # Offers that are made anew have no approvals.
        path = tmp_path / f"files{number}"
        environments = (bank(*offers) if offers else bank(offer("other", 1)),)
        export_catalog(Catalog(environments=environments), path)
        found.run("apply", path, "--yes", "--prune")
    return found


def test_an_offer_goes_its_way(place: Place) -> None:
    """Submitted, listed, rejected, submitted again, approved and published."""
    assert "nothing waits" in place.run("approvals")
    assert "pending" in place.run("submit", "gold", "--comment", "please")
    waiting = place.json("approvals", "--environment", "bank")
    assert [(one["offer"], one["space"]) for one in waiting] == [
        (NAME, None),
        (NAME, "banner"),
        (NAME, "side"),
    ]
    table = place.run("approvals")
    assert "bank/gold" in table
    assert "offer managers" in table
    place.run("reject", "gold", "--space", "side", "--comment", "too loud")
    place.run("approve", "gold", "--eligibility")
    assert place.states() == {"": "approved", "banner": "pending", "side": "rejected"}

    said = place.run("approve", "gold", "--all", "--publish")
    assert "is published" in said
    gold = live_offers(place.data)["gold"]
    assert gold.spaces == ("banner",)
    history = place.run("approvals", "gold")
    assert "too loud" in history
    log = place.json("approvals", "gold")["log"]
    assert [one["state"] for one in log] == [
        "approved", "approved", "rejected", "pending", "pending", "pending",
    ]  # fmt: skip


def test_one_part_at_a_time(place: Place) -> None:
    """With reviewers and a deadline."""
    words = ("--space", "side", "--reviewer", "bob", "--reviewer", "eve")
    place.run("submit", "gold", *words, "--deadline", "2099-01-01T00:00Z")
    (waiting,) = place.json("approvals")

    assert (waiting["space"], waiting["reviewers"]) == ("side", ["bob", "eve"])
    assert (waiting["deadline"], waiting["overdue"]) == ("2099-01-01T00:00:00Z", False)
    assert "bob, eve" in place.run("approvals")
    every = place.json("approvals", "--all")
    assert {one["state"] for one in every} == {"editing", "pending"}


REFUSALS: list[tuple[tuple[str, ...], int, str]] = [
    (("approve", "gold"), 2, "--space, --eligibility, or --all"),
    (("approve", "gold", "--all", "--eligibility"), 2, "--all"),
    (("approve", "gold", "--all"), 1, "nothing waits for a review"),
    (("approve", "gold", "--eligibility"), 1, "not pending"),
    (("submit", "gild"), 1, "gild"),
    (("submit", "gold", "--space", "none"), 1, "space"),
    (("submit", "gold", "--deadline", "soon"), 2, "is not a time"),
    (("submit", "gold", "--deadline", "2020-01-01T00:00Z"), 1, "is past"),
    (("approvals", "-e", "none"), 1, "none"),
]


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    """In one line, with the remedy; nothing is changed."""
    place = Place(tmp_path / "data", ("--data", tmp_path / "data"))
    export_catalog(Catalog(environments=(bank(),)), tmp_path / "files")
    place.run("apply", tmp_path / "files", "--yes")
    for words, status, text in REFUSALS:
        assert text in place.run(*words, status=status), words
    assert set(place.states().values()) == {"editing"}


def test_every_environment_can_be_named(tmp_path: Path) -> None:
    """And must be where none has approvals, or several have."""
    place = Place(tmp_path / "data", ("--data", tmp_path / "data"))
    files = tmp_path / "files"
    export_catalog(Catalog(environments=(bank(source=None),)), files)
    place.run("apply", files, "--yes")

    assert "--environment" in place.run("submit", "gold", status=2)
    assert "need no approval" in place.run("submit", NAME, "--eligibility", status=1)


def test_a_reviewer_with_a_token(tmp_path: Path) -> None:
    """Who is named may review what names them, and nothing else."""
    data = tmp_path / "data"
    local = Place(data, ("--data", data))
    files = tmp_path / "files"
    export_catalog(Catalog(environments=(bank(),)), files)
    local.run("apply", files, "--yes")
    local.run("submit", "gold", "--eligibility", "--reviewer", "bob")
    local.run("submit", "gold", "--space", "side")
    token = give_token(data, Role.DELIVERY_MANAGER, "bob")
    with serving(data) as server:
        options = ("--admin-server", server.admin, "--token", token)
        bob = Place(data, options)

        assert "--environment" in bob.run("approve", "gold", "--eligibility", status=2)
        assert "waits for offer managers" in bob.run(
            "approve", NAME, "--space", "side", status=1
        )
        assert "publishing is for" in bob.run(
            "approve", NAME, "--eligibility", "--publish", status=1
        )
        assert "approved" in bob.run("approve", NAME, "--eligibility")
        assert "offer_manager" in bob.run("submit", NAME, status=1)
        shown = json.loads(run("audit", "show", "--data", data, "--output", "json"))
        wait_until(lambda: bool(shown))
        reviews = [one for one in shown if one["method"].endswith("/Review")]
        assert {one["who"] for one in reviews} == {"bob"}
        done = next(one for one in reviews if one["result"] == "OK")
        assert done["after"]["offer"]["approval"]["eligibility"].endswith("_APPROVED")

"""Nothing is published that does not decide what it must."""

import json
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_store.artifact import write_artifact
from catalog_store.design_records import Ref, catalog_records
from catalog_store.golden_decisions import GoldenDecision, GoldenSpace
from catalog_store.records import Catalog, Environment
from catalog_store.revisions import Revisions
from compiler.revision import compile_catalog
from server import publication
from server.data_folder import DataFolder
from server.files import read_catalog
from server.golden.failures import GoldenDecisionsFailed
from tests.bank import NOON_MS, environment, offer, publish
from tests.design_admin import DesignAdmin, design_admin
from tests.servers import BANK, run, serving
from tests.signing import trusted_key

GOLDEN = GoldenDecision(
    name="seen",
    decided_at=NOON_MS,
    spaces=(GoldenSpace(name="banner", expected=(("gold",),)),),
)
OFFERS = (offer("gold", 2), offer("blue", 1))
GOOD = environment(OFFERS, golden_decisions=(GOLDEN,))
WRONG = replace(GOOD, offers=(offer("gold", 0.5), OFFERS[1]))
SAID = "environments/bank/goldenDecisions/seen: banner expected gold; got blue (1)"


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    """With revision 1 published."""
    folder = DataFolder(tmp_path / "data")
    publish(folder.catalog, GOOD)
    return folder


def numbers(data: DataFolder) -> list[int]:
    return [one.number for one in Revisions(data.catalog).history()]


def catalog(record: Environment) -> Catalog:
    return Catalog(environments=(record,))


def unchecked(data: DataFolder, record: Environment) -> int:
    """Publish without a trial."""
    _, manifest = publish(data.catalog, record)
    return manifest.number


def test_records_are_refused(data: DataFolder) -> None:
    """The revision before goes on deciding."""
    with pytest.raises(GoldenDecisionsFailed) as failed:
        publication.publish_records(
            data, catalog(WRONG), publisher="test", now_ms=NOON_MS
        )

    assert SAID in str(failed.value)
    assert str(failed.value).startswith("1 golden decision failed")
    assert numbers(data) == [1]
    publication.publish_records(data, catalog(GOOD), publisher="test", now_ms=NOON_MS)
    assert numbers(data) == [2, 1]


def test_an_artifact_is_refused_after_it_was_verified(
    data: DataFolder, tmp_path: Path
) -> None:
    """A trusted signature says who made it, and not that it decides right."""
    key = trusted_key(Revisions(data.catalog))
    compiled = compile_catalog(catalog(WRONG)).catalog
    write_artifact(tmp_path / "wrong.propono", compiled, key, sequence=1)

    with pytest.raises(GoldenDecisionsFailed):
        publication.publish_artifact(
            data, tmp_path / "wrong.propono", publisher="test", now_ms=NOON_MS
        )
    assert numbers(data) == [1]
    said = run(
        *(
            "catalog",
            "publish",
            tmp_path / "wrong.propono",
            "--data",
            tmp_path / "data",
        ),
        status=1,
    )
    assert "1 golden decision failed; nothing was published" in said


def test_a_rollback_that_is_tried_makes_them(data: DataFolder, tmp_path: Path) -> None:
    """A revision that another version of the engine would decide otherwise is no way
    back; one that workers of this server decided with needs no trial."""
    wrong = unchecked(data, WRONG)
    unchecked(data, GOOD)
    sha256 = Revisions(data.catalog).manifest(wrong).file_sha256

    with pytest.raises(GoldenDecisionsFailed):
        publication.roll_back(data, wrong, publisher="test", now_ms=NOON_MS)
    assert numbers(data) == [3, 2, 1]
    said = run("catalog", "rollback", wrong, "--data", tmp_path / "data", status=1)
    assert "1 golden decision failed; nothing was published" in said
    published = publication.roll_back(
        data, wrong, publisher="test", now_ms=NOON_MS, served={sha256}
    )
    assert (published.number, published.rollback_of) == (4, wrong)


def test_an_offer_is_out_at_once_whatever_they_say(data: DataFolder) -> None:
    """Also after a rollback to it; the next publication makes them again."""
    publication.switch_offer(
        data, "bank", "gold", enabled=False, publisher="test", now_ms=NOON_MS
    )
    switched = Revisions(data.catalog).current()
    publication.publish_records(data, catalog(GOOD), publisher="test", now_ms=NOON_MS)
    again = publication.roll_back(data, 2, publisher="test", now_ms=NOON_MS)

    assert (switched.number, switched.switched) == (2, True)
    assert (again.number, again.switched) == (4, True)
    out = replace(GOOD, offers=(replace(OFFERS[0], enabled=False), OFFERS[1]))
    with pytest.raises(GoldenDecisionsFailed) as failed:
        publication.publish_records(
            data, catalog(out), publisher="test", now_ms=NOON_MS
        )
    assert "gold: the offer is disabled" in str(failed.value)


def test_a_start_makes_none(data: DataFolder) -> None:
    """What decides already goes on, if its code must be rebuilt for another Python."""
    revisions = Revisions(data.catalog)
    compiled = replace(compile_catalog(catalog(WRONG)).catalog, code_tag="another")
    installed = revisions.install_catalog(compiled)
    revisions.publish(installed, publisher="test", now_ms=NOON_MS)
    publication.ensure_runnable(data, NOON_MS)

    assert numbers(data) == [3, 2, 1]


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path / "design") as made:
        yield made


def test_the_admin_port_says_what_failed(admin: DesignAdmin) -> None:
    """When validating too; the change that makes it right lets it through."""
    admin.apply(catalog_records(catalog(WRONG)))
    golden = Ref("bank", "golden_decisions", "seen")
    assert admin.call("GetGoldenDecision", name=name_of(golden)).golden_decision.etag

    for options in ({}, {"validate_only": True}):
        code, reason, said = admin.refused("Publish", **options)
        assert (code, reason) == ("FAILED_PRECONDITION", "GOLDEN_DECISION_FAILED")
        assert said.splitlines()[0] == "1 golden decision failed"
        assert SAID in said.splitlines()[1]
        assert "gold: its weight is 0.5" in said
    admin.call(
        "UpdateOffer",
        offer={"name": "environments/bank/offers/gold", "weights": [{"weight": 3}]},
        update_mask={"paths": ["weights"]},
    )
    assert admin.call("Publish").revision.number == 1


def name_of(ref: Ref) -> str:
    return f"environments/{ref.environment}/goldenDecisions/{ref.name}"


def test_so_much_is_said_as_a_client_takes(admin: DesignAdmin) -> None:
    """Of a hundred that fail, the first are told."""
    many = tuple(
        replace(GOLDEN, name=f"seen_{number:03}", spaces=GOLDEN.spaces)
        for number in range(100)
    )
    admin.apply(catalog_records(catalog(replace(WRONG, golden_decisions=many))))
    code, reason, said = admin.refused("Publish")

    assert (code, reason) == ("FAILED_PRECONDITION", "GOLDEN_DECISION_FAILED")
    assert said.startswith("100 golden decisions failed\n")
    assert "seen_000" in said


def test_warnings_refuse_where_it_is_asked_for(admin: DesignAdmin) -> None:
    """Else they are told: an offer that nobody can ever see is one."""
    never = offer("never", rule="contact.age > 5 && contact.age < 3")
    record = replace(GOOD, offers=(*OFFERS, never))
    admin.apply(catalog_records(catalog(record)))

    code, reason, said = admin.refused("Publish", strict=True)
    assert (code, reason) == ("FAILED_PRECONDITION", "NOT_PUBLISHABLE")
    assert "environments/bank/offers/never:rule:1:1: warning: no contact" in said
    found = admin.call("Publish").diagnostics
    assert ": warning: no contact" in found[0]
    assert any(": note: no rule reads balance" in one for one in found)


@pytest.fixture
def edited(tmp_path: Path) -> Path:
    """The bank, with an edit that its golden decisions do not allow."""
    folder = Path(shutil.copytree(BANK, tmp_path / "edited"))
    cards = folder / "recipient" / "offers" / "cards.yaml"
    text = cards.read_text()
    cards.write_text(text.replace("weight: 95, spaces", "weight: 15, spaces"))
    return folder


def test_the_example_bank_decides_what_it_must() -> None:
    """Without a store and without a server."""
    assert len(read_catalog(BANK).catalog.environments[0].golden_decisions) == 3
    run("catalog", "validate", BANK)


def test_commands_show_a_table_and_end_with_1(edited: Path, tmp_path: Path) -> None:
    """What was expected, what came, and why."""
    said = run("catalog", "validate", edited, status=1)
    assert said.splitlines()[-1] == "1 golden decision failed"
    data = ("--data", tmp_path / "data")
    said = run("catalog", "publish", edited, *data, status=1)
    assert "1 golden decision failed; nothing was published" in said
    assert run("catalog", "history", *data, "--output", "json") == "[]\n"
    run("catalog", "apply", edited, "--yes", *data)
    for options in ((), ("--dry-run",), ("--strict",)):
        said = run("catalog", "publish", *options, *data, status=1)
        assert "1 golden decision failed; nothing was published" in said


def test_all_of_them_can_be_tried(edited: Path, tmp_path: Path) -> None:
    """Of files and of the design, those that pass and those that fail."""
    data = ("--data", tmp_path / "data")
    said = run("catalog", "test", BANK)
    assert said.count("passed") == 3
    run("catalog", "apply", edited, "--yes", *data)
    for place in ((edited,), data):
        said = run("catalog", "test", *place, status=1)
        assert said == "1 of 3 golden decisions failed\n"
    run("catalog", "apply", BANK, "--yes", *data)
    found = json.loads(run("catalog", "test", *data, "--output", "json"))
    assert [one["passed"] for one in found] == [True, True, True]
    assert found[0]["name"].startswith("environments/recipient/goldenDecisions/a")


def test_a_server_that_refuses_says_so_to_the_command(
    edited: Path, tmp_path: Path
) -> None:
    """Over the admin port, and for a push."""
    data = tmp_path / "data"
    run("catalog", "publish", BANK, "--data", data)
    run("catalog", "apply", edited, "--yes", "--data", data)
    run("keys", "generate", "--out", tmp_path)
    run("keys", "trust", tmp_path / "propono.pub", "--name", "build", "--data", data)
    artifact = tmp_path / "edited.propono"
    run(
        *("catalog", "compile", edited, "-o", artifact),
        *("--key", tmp_path / "propono.key"),
    )
    with serving(data) as server:
        for command in (("publish",), ("push", artifact)):
            said = run(
                *("catalog", *command, "--data", data),
                *("--admin-server", server.admin),
                status=1,
            )
            assert "affluent_manager_on_the_travel_page" in said
            assert "gold_card (72)" in said
        shown = run("catalog", "history", "--data", data, "--output", "json")

    assert [one["revision"] for one in json.loads(shown)] == [1]

"""`propono catalog apply` and `export`: files and the design are the same catalog."""

import json
import os
import pty
import shutil
import subprocess
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.design_records import catalog_records
from catalog_store.records import Catalog, PresentationRule
from server.data_folder import DataFolder
from server.design.applying import ApplyOptions
from server.design.local import local_design
from server.files import read_catalog
from server.files.catalog_export import export_catalog
from tests.decision_generation import DecisionDice
from tests.servers import BANK, DEADLINE_SECONDS, PROPONO, ROOT, Server, run, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[Server]:
    """A server on which nothing was published, and nothing designed."""
    with serving(tmp_path_factory.mktemp("served")) as server:
        yield server


@pytest.fixture(params=["in the folder", "over the port"])
def place(
    request: pytest.FixtureRequest, served: Server, tmp_path: Path
) -> tuple[object, ...]:
    """Where the design is, as options; it is empty."""
    if request.param == "in the folder":
        return ("--data", tmp_path / "data")
    server = ("--admin-server", served.admin, "--data", served.data)
    with local_design(DataFolder(served.data)) as design:
        design.apply({}, ApplyOptions(prune=True), lambda _done, _total: None)
    return server


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """The bank's files, to edit."""
    shutil.copytree(BANK, tmp_path / "files")
    return tmp_path / "files"


def plan_of(path: Path, *options: object) -> Any:
    dry = ("--dry-run", "--output", "json")
    return json.loads(run("catalog", "apply", path, *options, *dry))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_files_are_applied_and_exported(
    place: tuple[object, ...], files: Path, tmp_path: Path
) -> None:
    """And then nothing differs, either way."""
    said = run("catalog", "apply", files, "--yes", *place)
    again = run("catalog", "apply", files, "--yes", *place)
    exported = run("catalog", "export", tmp_path / "out", *place)

    assert "+ " in said
    assert "environments/recipient/offers/classic_credit_card" in said
    assert "applied as version " in said
    assert again.startswith("nothing differs: ")
    assert "2 environments, 45 offers, in " in exported
    plan = plan_of(tmp_path / "out", *place, "--prune")
    assert (plan["changes"], plan["unchanged"] > 45) == ([], True)
    read = [catalog_records(read_catalog(at).catalog) for at in (files, BANK)]
    assert catalog_records(read_catalog(tmp_path / "out").catalog) == read[0] == read[1]


def test_a_plan_shows_what_would_change(place: tuple[object, ...], files: Path) -> None:
    """Deleted with --prune only; each change with its fields."""
    run("catalog", "apply", files, "--yes", *place)
    card = files / "recipient/offers/cards.yaml"
    edit(card, "label: Contactless debit card", "label: Another\n    enabled: false")
    (files / "visitor/more.yaml").write_text("segments:\n  new: 'true'\n")
    table = run("catalog", "apply", files, "--dry-run", *place)
    plan = plan_of(files, *place)
    run("catalog", "apply", files, "--yes", *place)
    (files / "visitor/more.yaml").unlink()
    pruned = run("catalog", "apply", files, "--dry-run", "--prune", *place)

    assert "- " in pruned
    assert "0 to create, 0 to change, 1 to delete" in pruned
    assert plan_of(files, *place)["changes"] == []
    assert "~ " in table
    assert "label, disabled" in table
    assert "1 to create, 1 to change, 0 to delete" in table
    assert plan["changes"] == [
        {
            "action": "update",
            "name": "environments/recipient/offers/debit_contactless",
            "fields": ["label", "disabled"],
        },
        {
            "action": "create",
            "name": "environments/visitor/segments/new",
            "fields": [],
        },
    ]


def test_without_yes_nobody_is_asked_in_a_script(
    place: tuple[object, ...], files: Path
) -> None:
    """The plan is shown, nothing is applied, and the status is 1."""
    said = run("catalog", "apply", files, *place, status=1)
    plan = plan_of(files, *place)

    assert "nothing was applied; --yes applies it without a question" in said
    assert plan["create"] > 45


@pytest.mark.parametrize(("answer", "status"), [("y", 0), ("n", 1)])
def test_people_are_asked(
    place: tuple[object, ...], files: Path, answer: str, status: int
) -> None:
    """And what they say is done."""
    ours, theirs = pty.openpty()
    arguments = ["catalog", "apply", str(files), *map(str, place)]
    process = subprocess.Popen(
        [str(PROPONO), *arguments],
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    os.close(ours)

    assert process.returncode == status, out + err
    assert "Apply this?" in err
    assert ("applied as version" in out) == (answer == "y")
    assert bool(plan_of(files, *place)["changes"]) == (answer == "n")


def test_mistakes_are_shown_where_they_stand(
    place: tuple[object, ...], files: Path
) -> None:
    """With file, line and caret; nothing is applied."""
    segments = files / "recipient/segments.yaml"
    edit(segments, "contact.balance", "contact.balanse")
    line = next(
        number
        for number, text in enumerate(segments.read_text().splitlines(), start=1)
        if "balanse" in text
    )
    said = run("catalog", "apply", files, "--yes", *place, status=1)

    assert f"segments.yaml:{line}:" in said
    assert "^" in said
    assert "did you mean 'balance'" in said
    assert "nothing was applied" in said
    edit(segments, "contact.balanse", "contact.balance")
    assert plan_of(files, *place)["unchanged"] == 0
    edit(segments, "segments:", "segments: [")
    said = run("catalog", "apply", files, "--yes", *place, status=1)
    assert "segments.yaml:" in said


def test_a_mistake_in_what_is_not_in_the_files_is_told(
    place: tuple[object, ...], files: Path, tmp_path: Path
) -> None:
    """By its resource: what stays in the design must fit what the files make of it."""
    # They name the attribute too.
    (files / "recipient/golden_decisions.yaml").unlink()
    run("catalog", "apply", files, "--yes", *place)
    extra = files / "recipient/extra.yaml"
    extra.write_text("segments:\n  rich: contact.balance > 9\n")
    run("catalog", "apply", files, "--yes", *place)
    extra.write_text("segments:\n  poor: segment.rich\n")
    said = run("catalog", "apply", files, "--yes", "--prune", *place, status=1)
    assert "extra.yaml:2:" in said
    extra.unlink()
    edit(files / "recipient/environment.yaml", "balance:", "balances:")
    for path in files.rglob("*.yaml"):
        path.write_text(path.read_text().replace("contact.balance", "contact.balances"))
    said = run("catalog", "apply", files, "--yes", *place, status=1)

    assert "environments/recipient/segments/rich" in said
    assert "nothing was applied" in said
    run("catalog", "apply", files, "--yes", "--prune", *place)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("export", "{tmp}"), "is not empty; name a new folder"),
        (("export", "{tmp}/new", "--data", "{tmp}/none"), "the design is empty"),
        (("apply", "{tmp}/empty"), "no environment"),
        (
            ("export", "{tmp}/new", "--admin-server", "127.0.0.1:1"),
            "cannot be read as a token",
        ),
    ],
)
def test_refusals_say_why(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    """Exit status 1, in words."""
    (tmp_path / "empty").mkdir()
    with local_design(DataFolder(tmp_path / "data")) as design:
        records = catalog_records(read_catalog(BANK).catalog)
        design.apply(records, ApplyOptions(), lambda _done, _total: None)
    filled = [one.format(tmp=tmp_path) for one in arguments]
    if "--data" not in filled:
        filled += ["--data", str(tmp_path / "data")]

    assert said in run("catalog", *filled, status=1)


def of_whole_seconds(rule: PresentationRule) -> PresentationRule:
    """As files and messages have it."""
    times = {
        name: max(1_000, value // 1_000 * 1_000)
        for name in ("period_ms", "rest_ms")
        if (value := getattr(rule, name)) is not None
    }
    return replace(rule, **times)


@settings(derandomize=True, deadline=None, max_examples=20)
@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_any_catalog_applied_and_exported_applies_to_nothing(
    tmp_path_factory: pytest.TempPathFactory, first: int, second: int
) -> None:
    """Whatever the design was before."""
    tmp_path = tmp_path_factory.mktemp("design")
    with local_design(DataFolder(tmp_path / "data")) as design:
        for seed in (first, second):
            made = DecisionDice(seed).environment()
            rules = tuple(map(of_whole_seconds, made.presentation_rules))
            own = replace(made, name=f"e{seed % 2}", presentation_rules=rules)
            records = catalog_records(Catalog(environments=(own,)))
            prune = ApplyOptions(prune=True)
            design.apply(records, prune, lambda _done, _total: None)
            folder = tmp_path / f"files{seed}"
            if not folder.exists():
                export_catalog(design.catalog(), folder)
            read = catalog_records(read_catalog(folder).catalog)
            again = design.apply(read, prune, lambda _done, _total: None)

            assert list(again.changes) == []
            assert again.unchanged_count == len(records)

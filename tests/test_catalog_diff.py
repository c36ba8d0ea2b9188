"""`propono catalog diff`: what makes one catalog another."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.design_records import Ref
from catalog_store.records import Record
from server.design.comparing import Action, compare
from tests.bank import offer
from tests.servers import BANK, run

NAMES = st.sampled_from(["gold", "card", "loan", "fund"])
LABELS = st.sampled_from(["Gold", "Card"])
CATALOGS = st.dictionaries(NAMES, LABELS, max_size=4)


def records(catalog: dict[str, str]) -> dict[Ref, Record]:
    return {
        Ref("bank", "offers", name): replace(offer(name), label=label)
        for name, label in catalog.items()
    }


@given(before=CATALOGS, after=CATALOGS)
@settings(derandomize=True)
def test_each_record_that_differs_is_named_once(
    before: dict[str, str], after: dict[str, str]
) -> None:
    """With what became of it; what is equal is not."""
    found = compare(records(before), records(after))

    expected = {
        f"environments/bank/offers/{name}": Action.DELETE
        if name not in after
        else (Action.UPDATE if name in before else Action.CREATE)
        for name in before | after
        if before.get(name) != after.get(name)
    }
    assert {one.name: one.action for one in found} == expected
    assert len(found) == len(expected)
    assert all(
        one.fields == ("label",) for one in found if one.action.value == "update"
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bank published, then with an offer fewer and another label, and designed."""
    folder = tmp_path_factory.mktemp("diff")
    run("catalog", "publish", BANK, "--data", folder / "data")
    changed = folder / "changed"
    shutil.copytree(BANK, changed)
    cards = changed / "recipient" / "offers" / "cards.yaml"
    text = cards.read_text()
    cards.write_text(text.replace("label: Classic credit card", "label: Classic"))
    run("catalog", "publish", changed, "--data", folder / "data")
    run("catalog", "apply", BANK, "--yes", "--data", folder / "data")
    return folder


def diff(data: Path, before: object, after: object, **options: int) -> str:
    return run(
        *("catalog", "diff", before, after, "--data", data / "data"),
        *("--output", "json"),
        **options,
    )


def test_revisions_the_design_and_files_are_compared(data: Path) -> None:
    """Whichever stands first is what the other differs from."""
    changed = [
        {
            "action": "update",
            "name": "environments/recipient/offers/classic_credit_card",
            "fields": ["label"],
        }
    ]

    assert json.loads(diff(data, 1, "current")) == changed
    assert json.loads(diff(data, 2, 1)) == changed
    assert json.loads(diff(data, "design", data / "changed")) == changed
    assert json.loads(diff(data, "design", BANK)) == []
    assert json.loads(diff(data, 1, "design")) == []
    shown = run("catalog", "diff", 1, 2, "--data", data / "data")
    assert "~" in shown
    assert "offers/classic_credit_card" in shown
    same = run("catalog", "diff", 1, 1, "--data", data / "data")
    assert same == "nothing differs\n"


def test_what_is_no_catalog_is_refused(data: Path, tmp_path: Path) -> None:
    """In a line that says what can be given."""
    assert "there is no revision 7" in diff(data, 7, 1, status=1)
    assert "there is no revision 9" in diff(data, "9" * 30, 1, status=1)
    assert "give a number, `current`" in diff(data, 1, "yesterday", status=1)
    assert "there is no folder" in diff(tmp_path, 1, 2, status=1)

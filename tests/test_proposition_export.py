"""The export: every proposition once, by day, with names, in bounded memory."""

import json

import pyarrow.parquet as pq
import pytest
from msgspec.structs import replace

from contact_store.contact_ids import ContactName
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.purge import Purge
from contact_store.records import PropositionStatus
from contact_store.retention import DAY_MS, Counting
from server.data_folder import DataFolder
from server.files import proposition_export
from server.files.proposition_export import (
    Exported,
    ExportRefused,
    export_propositions,
)
from tests.bank import NOON_MS, environment, offer, publish
from tests.servers import run
from tests.test_doctor import change, flipped
from tests.test_history import NEW, append

NAMES = {NEW.offer: "gold_card", NEW.space: "home"}


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


def made(day, **fields):
    at_ms = NOON_MS + day * DAY_MS
    return replace(NEW, decided_at_ms=at_ms, event_time_ms=at_ms, **fields)


def export(store, folder, names=NAMES):
    return export_propositions(store, names, folder, lambda *_: None)


def rows(folder):
    """Every row, with its day, in the order of days, contacts and moments."""
    read = pq.read_table(folder).to_pylist()
    return sorted(
        read, key=lambda r: (r["decided_day"], r["contact_id"], r["decided_at"])
    )


def test_a_row_says_all_that_is_stored(store, tmp_path):
    """With names where the catalog has them, JSON of stored values, and the log."""
    first = made(0, stored={"amount": 5, "why": 'a "b"'}, interaction=255)
    ((proposition_id, _),) = append(store, first)
    with store.transaction() as txn:
        txn.update(proposition_id, PropositionStatus.ACCEPTED, None, NOON_MS + 5)
    done = export(store, tmp_path / "out")

    (row,) = rows(tmp_path / "out")
    text = [(one["status"], one["event_time"] is None) for one in row["changes"]]
    assert done == Exported(1, 1, 1, 0)
    assert (str(row["decided_day"]), row["status"]) == ("2026-05-01", "accepted")
    assert (row["contact_environment"], row["contact_id"]) == ("bank", "C1")
    assert (row["offer"], row["space"], row["category"]) == ("gold_card", "home", None)
    assert row["category_hash"] == name_hash("environments/bank/categories/cards")
    assert (row["channel"], row["interaction_id"]) == (
        "inbound_web",
        "00000000000000ff",
    )
    assert json.loads(row["stored"]) == {"amount": 5, "why": 'a "b"'}
    assert text == [("presented", False), ("accepted", True)]
    assert row["proposition_id"] == proposition_id
    assert row["status_since"].timestamp() * 1_000 == NOON_MS + 5


def test_every_proposition_is_in_the_folder_of_its_day_once(
    store, tmp_path, monkeypatch
):
    """However small the buffer and the number of files at a time are."""
    monkeypatch.setattr(proposition_export, "BUFFERED_ROWS_MAX", 7)
    monkeypatch.setattr(proposition_export, "OPEN_DAYS_MAX", 2)
    monkeypatch.setattr(proposition_export, "ROW_GROUPS_MAX", 2)
    expected = []
    for number in range(40):
        days = [(number * 3) % 5, (number * 7) % 5]
        append(store, *[made(day) for day in days], contact=f"C{number:02}")
        expected += [(f"2026-05-{1 + day:02}", f"C{number:02}") for day in days]
    done = export(store, tmp_path / "out")

    found = [(str(r["decided_day"]), r["contact_id"]) for r in rows(tmp_path / "out")]
    assert done == Exported(80, 40, 5, 0)
    assert found == sorted(expected)
    assert len(list((tmp_path / "out").rglob("*.parquet"))) > 5


def test_ids_of_moved_propositions_lead_to_them(store, tmp_path):
    """After a merge an id may be another than the caller got; both are good."""
    append(store, made(0), contact="V1")
    append(store, made(1), contact="C1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "V1"), ContactName("bank", "C1"))
    export(store, tmp_path / "out")

    exported = rows(tmp_path / "out")
    assert [row["contact_id"] for row in exported] == ["C1", "C1"]
    with store.transaction() as txn:
        for row in exported:
            found = txn.find(row["proposition_id"]).proposition
            moment = row["decided_at"].timestamp() * 1_000
            assert found.decided_at_ms == moment


def test_marks_are_no_propositions(store, tmp_path):
    """What was purged is gone for those who analyse."""
    append(store, made(0), made(500))
    purge = Purge(store)
    now_ms = NOON_MS + 501 * DAY_MS
    while not purge.step(now_ms, 400 * DAY_MS, [Counting(float("inf"))]).is_last:
        pass
    done = export(store, tmp_path / "out")

    assert len(store.read("bank", "C1").propositions) == 2
    assert done == Exported(1, 1, 1, 0)


def test_a_folder_that_is_there_is_refused(store, tmp_path):
    """Nothing in it is touched; what was left half done is replaced."""
    append(store, made(0))
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportRefused, match="choose another name"):
        export(store, tmp_path / "out")
    (tmp_path / ".new.partial").mkdir()
    (tmp_path / ".new.partial" / "left").write_text("")
    export(store, tmp_path / "new")

    assert list((tmp_path / "out").iterdir()) == []
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["decided_day=2026-05-01"]


def test_the_command_names_what_the_catalog_has_and_what_is_damaged(tmp_path):
    """Damaged records are left out, counted, and status 1 says so."""
    folder = DataFolder(tmp_path / "data")
    publish(folder.catalog, environment([offer("gold_card")]))
    with HistoryStore(folder.history) as store:
        append(store, made(0))
        append(store, made(0), contact="C2")
    command = ("propositions", "export")
    whole = run(*command, tmp_path / "one", "--data", folder.root, "--output", "json")
    change(folder.history, "records", b"", flipped)
    refused = run(*command, tmp_path / "two", "--data", folder.root, status=1)

    assert json.loads(whole)["propositions"] == 2
    assert {row["offer"] for row in rows(tmp_path / "one")} == {"gold_card"}
    assert "1 damaged records are not in it" in refused
    assert len(rows(tmp_path / "two")) == 1

"""The doctor: each damage is found and named, and what needs no guess is repaired."""

import json
import os
from math import inf

import msgspec
import pytest
from msgspec.structs import replace

from catalog_store.records import Attribute, AttributeType
from contact_store.answers import RequestKey
from contact_store.contact_ids import ContactName
from contact_store.decision_inputs import DecisionInputs
from contact_store.history import HistoryStore
from contact_store.lmdb_env import open_lmdb_env
from contact_store.profiles import ProfileStore
from contact_store.purge import Purge
from contact_store.quarantine import Quarantined
from contact_store.retention import DAY_MS, Counting
from contact_store.sealed import seal
from server.data_folder import DataFolder
from server.doctor import examine
from tests.bank import environment, offer, publish
from tests.servers import run
from tests.test_history import NEW, append

NOW_MS = 1_800_000_000_000
ATTRIBUTES = (
    Attribute(name="age", type=AttributeType.INT),
    Attribute(name="tags", type=AttributeType.STRING_LIST),
)
FRESH = replace(NEW, decided_at_ms=NOW_MS, event_time_ms=NOW_MS)
REQUEST = RequestKey("c", "Propose", "bank", "r1")
INPUTS = DecisionInputs(
    interaction=7,
    engine_version=1,
    revision=1,
    environment="bank",
    contact_id="C1",
    contact={},
    context={},
    history=(),
    history_version=0,
    spaces=(),
    at_ms=NOW_MS,
    decided_at_ms=NOW_MS,
    excluded=(),
    allow_duplicates=False,
    record_sha256=b"",
)


@pytest.fixture
def folder(tmp_path):
    """Something of everything that is stored."""
    made = DataFolder(tmp_path / "data")
    publish(made.catalog, environment([offer("gold")]))
    publish(made.catalog, environment([offer("gold"), offer("blue")]))
    with HistoryStore(made.history) as store:
        append(store, FRESH, FRESH)
        append(store, FRESH, contact="C2")
        append(store, FRESH, contact="C3")
        append(store, FRESH, contact="V1", environment="visitors")
        with store.transaction() as txn:
            txn.merge(ContactName("bank", "C3"), ContactName("bank", "C2"))
            txn.bind_visitor("bank", "C1", "visitors", "V1", NOW_MS)
            txn.bind("bank", "V2", "C1", NOW_MS)
            txn.keep_inputs("bank", "C1", INPUTS)
            txn.decided_at(NOW_MS)
            txn.answer(REQUEST, b"digest", NOW_MS)
            txn.keep_answer(REQUEST, b"digest", b"answer", NOW_MS)
        purge = Purge(store)
        while not purge.step(NOW_MS, 400 * DAY_MS, ()).is_last:
            pass
    with ProfileStore(made.profiles) as profiles:
        profiles.upsert("bank", "C1", ATTRIBUTES, (30, ("a", "b")))
        profiles.upsert("bank", "C2", ATTRIBUTES, (None, None))
    return made


def doctor(folder, *, repair=False, now_ms=NOW_MS):
    return list(examine(folder, now_ms, lambda *_: None, repair=repair))


def table_of(lmdb_env, name):
    return None if name == "main" else lmdb_env.open_db(name.encode(), create=False)


def change(path, table, key, write):
    """Let `write` replace a value, or remove it by returning None; its key."""
    with open_lmdb_env(path, databases_max=60) as lmdb_env:
        handle = table_of(lmdb_env, table)
        with lmdb_env.begin(write=True) as txn:
            cursor = txn.cursor(db=handle)
            assert cursor.set_range(key)
            found, value = cursor.item()
            assert found.startswith(key)
            after = write(found, value)
            if after is None:
                txn.delete(found, db=handle)
            else:
                txn.put(found, after, db=handle)
    return found


def flipped(_, value):
    """One bit of the middle of a value."""
    at = len(value) // 2
    return value[:at] + bytes([value[at] ^ 4]) + value[at + 1 :]


def removed(*_):
    return None


def test_nothing_is_wrong_with_what_the_stores_wrote(folder):
    """Of every kind of entry there is one."""
    assert doctor(folder) == []
    assert not (folder.root / "quarantine").exists()


def test_nothing_is_wrong_after_erasing_and_purging(folder):
    """What leads to whom goes is gone as well; marks and empty records are in order."""
    with HistoryStore(folder.history) as store:
        with store.transaction() as txn:
            txn.erase("bank", "C1")
        append(store, FRESH, contact="C5")
        purge = Purge(store)
        later_ms = NOW_MS + 500 * DAY_MS
        while not purge.step(later_ms, 400 * DAY_MS, [Counting(inf)]).is_last:
            pass
        marked = store.read("bank", "C5")
        while not purge.step(later_ms, 400 * DAY_MS, ()).is_last:
            pass
        emptied = store.read("bank", "C3")

    assert [len(one.propositions) for one in (marked, emptied)] == [1, 0]
    assert doctor(folder) == []


def test_a_folder_with_nothing_in_it_has_nothing_wrong(tmp_path):
    """And nothing is made there."""
    tmp_path.joinpath("data").mkdir()

    assert doctor(DataFolder(tmp_path / "data")) == []
    assert list(tmp_path.joinpath("data").iterdir()) == []


#: Every kind of value: store, table, what its key begins with, whether it is repaired.
VALUES = [
    ("history", "main", b"format", False),
    ("history", "main", b"environments", False),
    ("history", "main", b"environment:bank", True),
    ("history", "main", b"environment-name:", True),
    ("history", "main", b"contact-number", False),
    ("history", "main", b"clock", False),
    ("history", "main", b"id-key:", False),
    ("history", "main", b"purge", True),
    ("history", "contacts", b"\x00\x01C1", True),
    ("history", "contacts", b"\x00\x01C3", True),
    ("history", "contact-ids", b"\x00\x01", True),
    ("history", "records", b"\x00\x01", True),
    ("history", "moves", b"", False),
    ("history", "aliases", b"", True),
    ("history", "bindings", b"", True),
    ("history", "inputs", b"", True),
    ("history", "answers-00", b"", True),
    ("profiles", "main", b"environment:bank", True),
    ("profiles", "main", b"environment-name:", True),
    ("profiles", "main", b"layouts", False),
    ("profiles", "main", b"layout:", False),
    ("profiles", "main", b"layout-of:", True),
    ("profiles", "main", b"\x80", True),
]


@pytest.mark.parametrize(("store", "table", "key", "repairs"), VALUES)
def test_a_flipped_bit_is_found_where_it_is(folder, store, table, key, repairs):
    """Each value is sealed; what can be said again is, and the rest needs a backup."""
    path = getattr(folder, store)
    if table == "answers-00":
        table = f"answers-{NOW_MS // 3_600_000 % 26:02d}"
    damaged = change(path, table, key, flipped)
    found = [one for one in doctor(folder) if one.key == damaged.hex()]
    repaired = doctor(folder, repair=True)
    # What was removed can leave something behind that leads nowhere now.
    doctor(folder, repair=True)

    assert [(one.store, one.table) for one in found] == [(store, table)]
    assert found[0].remedy != "" if repairs else found[0].remedy == ""
    assert repairs == all(one.is_repaired for one in repaired)
    assert (doctor(folder) == []) == repairs


#: One direction of each pair, and what says it, if anything does.
DIRECTIONS = [
    ("history", "main", b"environment:bank", "environment-name:"),
    ("history", "main", b"environment-name:", "environment:bank"),
    ("history", "contacts", b"\x00\x01C1", "contact-ids"),
    ("history", "contacts", b"\x00\x01C3", "aliases"),
    ("history", "contact-ids", b"\x00\x01", "contacts"),
    ("history", "aliases", b"\x00\x01" + b"\x00" * 7 + b"\x01c", "contacts"),
    ("history", "aliases", b"\x00\x01" + b"\x00" * 7 + b"\x01v", "bindings"),
    ("history", "aliases", b"\x00\x01" + b"\x00" * 7 + b"\x01r", "moves"),
    ("history", "bindings", b"", "aliases"),
    ("history", "inputs", b"", "inputs-of"),
    ("history", "inputs-of", b"", "inputs"),
    ("profiles", "main", b"layout-of:", "layout:"),
]


@pytest.mark.parametrize(("store", "table", "key", "named_by"), DIRECTIONS)
def test_a_missing_direction_is_found_from_the_other(
    folder, store, table, key, named_by
):
    """And added where it follows; what leads nowhere otherwise is removed."""
    change(getattr(folder, store), table, key, removed)
    found = doctor(folder)
    assert found
    repaired = doctor(folder, repair=True)

    named = {f"{one.table} {bytes.fromhex(one.key)!r}" for one in found}
    assert any(named_by in name for name in named), named
    assert [one for one in repaired if not one.is_repaired] == []
    assert doctor(folder) == []


def test_decisions_go_on_after_a_damaged_record_was_quarantined(folder):
    """Its bytes are in a file; no id leads to another proposition than its own."""
    with HistoryStore(folder.history) as store:
        ((old_id, _),) = append(store, FRESH, contact="C4")
    where = b"\x00\x01" + b"\x00" * 7 + b"\x05"
    key = change(folder.history, "records", where, flipped)
    (finding,) = doctor(folder, repair=True)
    with HistoryStore(folder.history) as store:
        ((new_id, made),) = append(store, FRESH, contact="C4")

    (path,) = (folder.root / "quarantine").iterdir()
    kept = msgspec.json.decode(path.read_bytes(), type=Quarantined)
    assert finding.is_repaired
    assert (kept.store, kept.table, kept.key) == ("history", "records", key)
    assert kept.value[:1] == b"\x01"
    assert made.sequence == 2**31
    assert old_id != new_id
    assert doctor(folder) == []


def test_a_record_is_not_quarantined_a_second_time(folder):
    """Its sequences would be given again: then only a backup helps."""
    where = b"\x00\x01" + b"\x00" * 7 + b"\x01"
    change(folder.history, "records", where, flipped)
    doctor(folder, repair=True)
    with HistoryStore(folder.history) as store:
        append(store, FRESH)
    change(folder.history, "records", where, flipped)
    (finding,) = doctor(folder, repair=True)

    assert not finding.is_repaired


def test_a_wrong_count_of_answers_is_found_and_set(folder):
    """The count is a part of one value, the answers are others."""

    def miscounted(key, _):
        return seal(key, msgspec.msgpack.encode([[NOW_MS // 3_600_000, 9]]))

    change(folder.history, "main", b"answers", miscounted)
    (finding,) = doctor(folder, repair=True)

    assert finding.what == "the number of answers is 9, and should be 1"
    assert finding.is_repaired
    assert doctor(folder) == []


def test_a_profile_that_its_layout_does_not_fit_is_quarantined(folder):
    """A number where the layout says a list: a decision would fail on it."""

    def misfit(key, _):
        return seal(key[5:], msgspec.msgpack.encode([1, 30, 5]))

    change(folder.profiles, "main", b"\x80", misfit)
    (finding,) = doctor(folder, repair=True)

    assert finding.what == "not what its layout says: tags"
    assert len(list((folder.root / "quarantine").iterdir())) == 1
    assert doctor(folder) == []


def test_moves_in_a_circle_are_found(folder):
    """Whoever follows them would not end."""

    def circle(key, _):
        return seal(key, msgspec.msgpack.encode([key, 0, 1]))

    key = change(folder.history, "moves", b"", circle)
    found = [one.what for one in doctor(folder) if one.key == key.hex()]

    assert "moved in a circle: restore a backup" in found


def test_sequences_that_do_not_ascend_are_found(folder):
    """Ids would lead to other propositions than their own."""

    def swapped(key, value):
        version, next_sequence, propositions, _ = msgspec.msgpack.decode(value[5:])
        return seal(
            key, msgspec.msgpack.encode([version, next_sequence, propositions[::-1]])
        )

    change(folder.history, "records", b"\x00\x01" + b"\x00" * 7 + b"\x01", swapped)

    assert [one.what for one in doctor(folder)] == ["its sequences do not ascend"]


def revision_file(folder):
    return sorted((folder.catalog / "files").iterdir())[0]


@pytest.mark.parametrize(
    ("write", "expected"),
    [
        (lambda path: os.truncate(path, 100), "has 100 bytes of"),
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_bytes(flipped(0, path.read_bytes())), "is damaged"),
    ],
    ids=["cut short", "removed", "one bit"],
)
def test_a_revision_file_that_is_not_whole_is_found(folder, write, expected):
    """By its size, its bytes, or that it is not there."""
    path = revision_file(folder)
    path.chmod(0o600)
    write(path)
    (finding,) = doctor(folder, repair=True)

    assert (finding.table, finding.key) == ("files", path.name)
    assert expected in finding.what
    assert not finding.is_repaired


@pytest.mark.parametrize("text", [None, "", "9\n", "\x00\x00", "1 2"])
def test_a_pointer_to_no_revision_is_found(folder, text):
    """Missing, cut short, or naming what is not there."""
    pointer = folder.catalog / "CURRENT"
    if text is None:
        pointer.unlink()
    else:
        pointer.write_text(text)

    assert [one.table for one in doctor(folder)] == ["CURRENT"]


def test_a_damaged_manifest_is_found_and_no_file_is_removed(folder):
    """It may name any of them."""
    folder.catalog.joinpath("revisions", "1.json").write_text("{")
    for path in folder.catalog.glob("files/*"):
        os.utime(path, (0, 0))
    found = doctor(folder, repair=True)

    assert [one.table for one in found] == ["revisions", "files"]
    assert len(list(folder.catalog.glob("files/*"))) == 2
    assert not any(one.is_repaired for one in found)


def test_files_that_no_revision_names_are_removed_when_they_are_old(folder):
    """A young one may be of a publication that is under way."""
    left = folder.catalog / "files" / f"{'a' * 64}.mdb"
    left.write_bytes(b"left")
    made_ms = left.stat().st_mtime_ns // 1_000_000
    young = doctor(folder, repair=True, now_ms=made_ms + 60_000)
    old = doctor(folder, now_ms=made_ms + 7_200_000)
    removed = doctor(folder, repair=True, now_ms=made_ms + 7_200_000)

    assert (young, [one.is_repaired for one in old]) == ([], [False])
    assert [one.is_repaired for one in removed] == [True]
    assert not left.exists()
    assert len(list(folder.catalog.glob("files/*"))) == 2


def test_the_command_says_what_is_wrong_and_ends_with_1_until_it_is_repaired(folder):
    """A table to read, or JSON for scripts."""
    change(folder.history, "inputs-of", b"", removed)
    command = ("doctor", "--data", folder.root)
    refused = run(*command, status=1)
    repaired = json.loads(run(*command, "--repair", "--output", "json"))

    assert "1 of 1 findings are not repaired" in refused
    assert [one["is_repaired"] for one in repaired["findings"]] == [True]
    assert "nothing is wrong" in run(*command)

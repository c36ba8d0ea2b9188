"""The doctor on cold parts: each damage is found and named, and made good."""

import msgspec
import pytest
from msgspec.structs import replace

from contact_store.cold_parts import pack_part, unpack_part
from contact_store.contact_ids import ContactName
from contact_store.errors import CorruptRecord, UnknownProposition
from contact_store.history import HistoryStore
from contact_store.lmdb_env import open_lmdb_env
from contact_store.packing import pack_record, unpack_record
from contact_store.reach import Look, Reach
from server.data_folder import DataFolder
from tests.test_backup import entries, made, restored
from tests.test_cold_parts import ROWS, at, sequences, stored, update
from tests.test_doctor import change, doctor, flipped, removed
from tests.test_history import ACCEPTED, append

SECOND = ROWS + b"\x00\x00\x00\x01"
FOR_EVER = Reach((Look(float("inf")),), at_ms=100)


@pytest.fixture
def folder(tmp_path):
    """A contact with three cold parts of two and three propositions beside them."""
    folder = DataFolder(tmp_path / "data")
    with opened(folder) as store:
        append(store, *at(*range(1, 10)))
        append(store, *at(*range(1, 7)), contact="C2")
        assert [part.number for part in stored(store).cold] == [0, 1, 2]
    return folder


def opened(folder):
    return HistoryStore(folder.history, part_propositions=2)


def ids(folder):
    """Of the contact's propositions, by sequence."""
    with opened(folder) as store:
        known = store.view(ContactName("bank", "C1"), lambda listed: listed)
        return {one.proposition.sequence: one for one in known.propositions}


def of_record(edit):
    """Writes a record as it is after an edit."""
    return lambda key, value: pack_record(key, edit(unpack_record(key, value)))


def of_part(edit):
    return lambda key, value: pack_part(key, edit(unpack_part(key, value)))


def summed_up(**fields):
    """Another summary of the second part."""

    def edit(record):
        first, second, third = record.cold
        return replace(record, cold=(first, replace(second, **fields), third))

    return of_record(edit)


def without_second(record):
    return replace(record, cold=(record.cold[0], record.cold[2]))


@pytest.mark.parametrize("write", [flipped, removed])
def test_a_part_that_is_lost_costs_its_own_propositions_only(folder, write):
    """Nobody decides without it until it is taken off the list; ids of it are gone."""
    before = ids(folder)
    change(folder.history, "cold", SECOND, write)
    with opened(folder) as store, pytest.raises(CorruptRecord):
        store.read("bank", "C1", FOR_EVER)
    (finding,) = doctor(folder, repair=True)

    assert finding.is_repaired
    assert finding.table == ("cold" if write is flipped else "records")
    assert doctor(folder) == []
    with opened(folder) as store:
        assert sequences(store.read("bank", "C1")) == [1, 2, 5, 6, 7, 8, 9]
        assert update(store, before[1], ACCEPTED).sequence == 1
        assert update(store, before[5], ACCEPTED).sequence == 5
        with pytest.raises(UnknownProposition):
            update(store, before[3], ACCEPTED)


@pytest.mark.parametrize("bit", range(0, 8 * 40, 7))
def test_a_flipped_bit_of_a_part_is_never_read(folder, bit):
    """Wherever it is: the seal covers all of it."""
    place, mask = divmod(bit, 8)

    def write(_, value):
        place_here = place % len(value)
        changed = value[place_here] ^ 1 << mask
        return value[:place_here] + bytes([changed]) + value[place_here + 1 :]

    change(folder.history, "cold", SECOND, write)
    with opened(folder) as store, pytest.raises(CorruptRecord):
        store.read("bank", "C1")


def test_a_part_under_another_contacts_key_is_damage(folder):
    """The key counts in the seal."""
    found = {}
    change(folder.history, "cold", SECOND, lambda _, value: found.setdefault(0, value))
    theirs = ROWS[:-1] + b"\x02"
    change(folder.history, "cold", theirs, lambda *_: found[0])

    (finding,) = doctor(folder)
    assert (finding.table, finding.remedy != "") == ("cold", True)
    with opened(folder) as store, pytest.raises(CorruptRecord):
        store.read("bank", "C2")


@pytest.mark.parametrize(
    "fields",
    [{"count": 1}, {"count": 3}, {"newest_ms": 2}, {"newest_ms": 5}, {"statuses": 4}],
)
def test_a_summary_that_is_not_so_is_counted_again(folder, fields):
    """A rule would pass over what it counts, or read what it need not."""
    with opened(folder) as store:
        before = stored(store)
    change(folder.history, "records", ROWS, summed_up(**fields))
    (finding,) = doctor(folder, repair=True)

    assert finding.is_repaired
    assert "something else" in finding.what
    assert doctor(folder) == []
    with opened(folder) as store:
        after = stored(store)
    assert after == replace(before, version=before.version + 1)


def test_a_part_that_its_record_does_not_list_is_listed_again(folder):
    """Its summary follows from it."""
    change(folder.history, "records", ROWS, of_record(without_second))
    (finding,) = doctor(folder, repair=True)

    assert (finding.table, finding.is_repaired) == ("cold", True)
    assert doctor(folder) == []
    with opened(folder) as store:
        assert sequences(store.read("bank", "C1")) == list(range(1, 10))


def test_a_part_of_a_record_that_is_gone_is_removed(folder):
    """Nothing can lead to it."""
    change(folder.history, "records", ROWS, removed)
    findings = doctor(folder)
    assert {finding.table for finding in findings} >= {"cold"}
    doctor(folder, repair=True)

    with open_lmdb_env(folder.history, databases_max=60) as lmdb_env:
        table = lmdb_env.open_db(b"cold", create=False)
        with lmdb_env.begin() as txn:
            keys = list(txn.cursor(db=table).iternext(values=False))
    assert all(not key.startswith(ROWS) for key in keys)


def test_a_damaged_record_keeps_its_parts(folder):
    """Limits still count what is in them, and their ids are good."""
    before = ids(folder)
    change(folder.history, "records", ROWS, flipped)
    (finding,) = doctor(folder, repair=True)

    assert finding.is_repaired
    assert doctor(folder) == []
    with opened(folder) as store:
        assert sequences(store.read("bank", "C1", FOR_EVER)) == [1, 2, 3, 4, 5, 6]
        assert update(store, before[3], ACCEPTED).sequence == 3
        with pytest.raises(UnknownProposition):
            update(store, before[8], ACCEPTED)
        (new,) = append(store, *at(50))
        assert new.proposition.sequence == 2**31
    assert doctor(folder) == []


@pytest.mark.parametrize(
    ("table", "key", "write", "what"),
    [
        ("cold", SECOND, of_part(lambda p: p[::-1]), "do not ascend"),
        (
            "cold",
            SECOND,
            of_part(lambda p: (*p, replace(p[0], sequence=5))),
            "sequences of the part behind",
        ),
        (
            "cold",
            SECOND,
            of_part(lambda p: (p[0], replace(p[1], sequence=0))),
            "a mark stands behind",
        ),
        (
            "records",
            ROWS,
            of_record(lambda r: replace(r, cold=r.cold[::-1])),
            "do not ascend",
        ),
        (
            "records",
            ROWS,
            of_record(lambda r: replace(r, next_sequence=3)),
            "next sequence is 3",
        ),
    ],
)
def test_what_needs_people_is_told(folder, table, key, write, what):
    """Ids would lead to other propositions than their own: no guess is made."""
    change(folder.history, table, key, write)

    assert any(what in one.what for one in doctor(folder)), doctor(folder)


def test_a_backup_holds_the_parts(folder, tmp_path):
    """Every entry is there again, and compaction changes none."""
    made(folder, tmp_path / "backup")
    again = restored(tmp_path / "backup", tmp_path / "again")

    parts = entries(folder.history)[b"cold"]
    assert len(parts) == 4
    assert parts == entries(again.history)[b"cold"]
    with opened(again) as store:
        assert sequences(store.read("bank", "C1")) == list(range(1, 10))


def test_an_answer_does_not_wait_for_another_part(folder):
    """A damaged neighbour is no reason to lose what became of a proposition."""
    before = ids(folder)
    change(folder.history, "cold", ROWS, flipped)
    with opened(folder) as store:
        assert update(store, before[3], ACCEPTED).status is ACCEPTED
        with pytest.raises(CorruptRecord):
            update(store, before[1], ACCEPTED)


def test_what_the_parts_hold_is_not_decoded_as_something_else(folder):
    """A part that is sealed well and holds no propositions is damaged too."""
    change(
        folder.history,
        "cold",
        SECOND,
        lambda key, _: pack_part(key, msgspec.msgpack.decode(b"\x91\xa1x")),
    )

    (finding,) = doctor(folder)
    assert finding.what.startswith("damaged")

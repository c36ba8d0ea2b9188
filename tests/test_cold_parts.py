"""Cold parts: older propositions are out of the way, and are there when they count."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from contact_store import cold_parts
from contact_store.contact_ids import ContactName
from contact_store.contact_view import view_contact
from contact_store.errors import CorruptRecord, HistoryFull
from contact_store.history import HistoryStore
from contact_store.reach import ALL_STATUSES, Look, Reach, needed_looks
from contact_store.records import EMPTY_RECORD
from contact_store.retention import Counting
from contact_store.status_changes import status_since
from tests.test_history import (
    ACCEPTED,
    NEW,
    PRESENTED,
    REJECTED,
    Interrupted,
    append,
)
from tests.test_purge import NOW_MS, OLD, purge

ROWS = b"\x00\x01" + bytes(7) + b"\x01"


@pytest.fixture
def store(tmp_path):
    """One in which more than four propositions are some in cold parts of two."""
    with HistoryStore(tmp_path / "history", part_propositions=2) as opened:
        yield opened


def at(*moments_ms, **fields):
    return [replace(NEW, event_time_ms=ms, **fields) for ms in moments_ms]


def stored(store, contact="C1"):
    """The record as it stands in its table."""
    with store.lmdb_env.begin() as txn:
        key = store.tables.find_key(txn, "bank", contact.encode())
        return store.tables.at(txn, key)


def remove_part(store, number):
    table = store.lmdb_env.open_db(b"cold")
    with store.lmdb_env.begin(write=True) as txn:
        assert txn.delete(cold_parts.part_key(ROWS, number), db=table)


def update(store, made, status, event_time_ms=None, received_at_ms=5_000):
    with store.transaction() as txn:
        return txn.update(made.proposition_id, status, event_time_ms, received_at_ms)


def sequences(record):
    return [one.sequence for one in record.propositions]


def test_the_oldest_leave_the_record_when_it_holds_twice_a_part(store):
    """Two by two, from the front; what the record says of them is what they are."""
    append(store, *at(10, 30, 20, 40))
    before = stored(store)
    append(store, *at(50, 60, 70))

    after = stored(store)
    assert (sequences(before), before.cold) == ([1, 2, 3, 4], ())
    assert sequences(after) == [5, 6, 7]
    assert [(p.number, p.last_sequence, p.count, p.newest_ms) for p in after.cold] == [
        (0, 2, 2, 30),
        (1, 4, 2, 40),
    ]
    assert {p.statuses for p in after.cold} == {1 << PRESENTED}


def test_a_part_that_no_look_reaches_is_not_read(store):
    """Were it gone, nobody would notice, but for whoever reads everything."""
    append(store, *at(10, 30, 20, 40, 50, 60))
    remove_part(store, 0)
    within = store.read("bank", "C1", Reach((Look(20),), at_ms=60))
    none = store.read("bank", "C1", Reach((), at_ms=60))

    assert (sequences(within), sequences(none)) == ([3, 4, 5, 6], [3, 4, 5, 6])
    with pytest.raises(CorruptRecord, match="missing part"):
        store.read("bank", "C1", Reach((Look(30),), at_ms=60))
    with pytest.raises(CorruptRecord, match="missing part"):
        store.read("bank", "C1")


def test_a_look_for_ever_reads_only_parts_with_a_status_that_it_counts(store):
    """Who looks for what was once accepted need not read what never was."""
    made = append(store, *at(*range(10)))
    update(store, made[3], ACCEPTED, event_time_ms=3)
    for_ever = Reach((Look(float("inf"), 1 << ACCEPTED),), at_ms=9_000)
    found = store.read("bank", "C1", for_ever)

    assert [part.last_sequence for part in found.cold] == [2, 6]
    assert sequences(found) == [3, 4, 7, 8, 9, 10]


def test_an_answer_brings_a_cold_proposition_back_into_reach(store):
    """Rules may count it from the moment of its status, long after it was made."""
    made = append(store, *at(*range(10)))
    reach = Reach((Look(100),), at_ms=5_050)
    before = store.read("bank", "C1", reach)
    answered = update(store, made[1], REJECTED, received_at_ms=5_000)
    after = store.read("bank", "C1", reach)

    assert (sequences(before), before.version) == ([7, 8, 9, 10], 1)
    assert (sequences(after), after.version) == ([1, 2, 7, 8, 9, 10], 2)
    assert answered == after.propositions[1]
    with store.transaction() as txn:
        assert txn.find(made[1].proposition_id).proposition == answered


propositions = st.builds(
    lambda ms, status: replace(NEW, event_time_ms=ms, status=status),
    st.integers(1, 40),
    st.sampled_from([PRESENTED, ACCEPTED, REJECTED]),
)
answers = st.tuples(
    st.integers(0, 11), st.sampled_from([PRESENTED, ACCEPTED]), st.integers(1, 60)
)
looks = st.builds(Look, st.integers(0, 50), st.integers(1, ALL_STATUSES))


def may_count(reach, one):
    """The slow twin: a moment within the period of a look for the status."""
    return any(
        moment >= reach.at_ms - look.period_ms and look.statuses >> one.status & 1
        for look in reach.looks
        for moment in (one.event_time_ms, status_since(one))
    )


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    made=st.lists(propositions, min_size=1, max_size=12),
    answered=st.lists(answers, max_size=3),
    size=st.integers(1, 3),
    reaches=st.lists(
        st.builds(
            Reach,
            st.lists(looks, max_size=2).map(tuple),
            st.integers(1, 60),
            st.integers(0, 6),
        ),
        min_size=4,
        max_size=8,
    ),
)
def test_a_decision_sees_whatever_it_could_count(
    tmp_path_factory, made, answered, size, reaches
):
    """For any moments, statuses and periods; and the newest that it asks for."""
    path = tmp_path_factory.mktemp("history")
    with HistoryStore(path, part_propositions=size) as store:
        kept = append(store, *made)
        for number, status, at_ms in answered:
            update(store, kept[number % len(made)], status, event_time_ms=at_ms)
        whole = store.read("bank", "C1").propositions
        for reach in reaches:
            seen = store.read("bank", "C1", reach).propositions
            newest = sorted(
                whole, key=lambda p: (p.event_time_ms, p.sequence), reverse=True
            )
            wanted = [one for one in whole if may_count(reach, one)]
            wanted += newest[: reach.newest]
            numbers = {one.sequence for one in seen}

            assert {one.sequence for one in wanted} <= numbers
            assert seen == tuple(one for one in whole if one.sequence in numbers)


def test_needed_looks_are_those_that_no_other_one_contains():
    """For ever what was accepted, and a week of everything: both; a day: neither."""
    accepted, week = Look(float("inf"), 1 << ACCEPTED), Look(7)
    day = Look(1)

    assert needed_looks([day, week, accepted]) == (accepted, week)
    assert needed_looks([week, week]) == (week,)
    assert needed_looks([]) == ()


def test_more_than_a_decision_may_count_is_refused_and_less_is_not(store, monkeypatch):
    """Those inside the period, to the millisecond; what is stored beside is free."""
    monkeypatch.setattr(cold_parts, "COUNTED_MAX", 5)
    append(store, *at(*range(1, 13)))
    five = store.read("bank", "C1", Reach((Look(10),), at_ms=18))
    everything = store.read("bank", "C1")

    assert [one.event_time_ms for one in five.propositions][-5:] == [8, 9, 10, 11, 12]
    assert len(everything.propositions) == 12
    with pytest.raises(HistoryFull, match="6 propositions inside the longest period"):
        store.read("bank", "C1", Reach((Look(10),), at_ms=17))
    with pytest.raises(HistoryFull), store.transaction() as txn:
        txn.contact("bank", "C1", Reach((Look(10),), at_ms=17))


def test_a_merge_keeps_both_pasts_and_every_id(store):
    """Cold and newest of either; the source's follow, and nothing is left of it."""
    ours = append(store, *at(*range(1, 8)))
    theirs = append(store, *at(*range(11, 20)), contact="V1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "V1"), ContactName("bank", "C1"))
    record = store.read("bank", "V1")

    assert sequences(record) == list(range(1, 17))
    moments = [one.event_time_ms for one in record.propositions]
    assert moments == [*range(1, 8), *range(11, 20)]
    for number, one in enumerate((*ours, *theirs)):
        assert update(store, one, ACCEPTED).sequence == number + 1
    table = store.lmdb_env.open_db(b"cold")
    with store.lmdb_env.begin() as txn:
        keys = set(txn.cursor(db=table).iternext(values=False))
        assert {key[:-4] for key in keys} == {ROWS}


def test_whoever_lists_a_contact_sees_the_cold_ones_too(store):
    """With ids that are good for updates."""
    made = append(store, *at(*range(1, 10)))
    with store.lmdb_env.begin() as txn:
        known = view_contact(
            txn,
            store.tables,
            store._bindings,
            ContactName("bank", "C1"),
            lambda listed: listed[:2],
        )

    assert known.proposition_count == 9
    assert [one.proposition_id for one in known.propositions] == [
        made[0].proposition_id,
        made[1].proposition_id,
    ]


def test_purging_empties_parts_and_joins_what_is_left(store):
    """Marks of several parts stand in one; a contact of whom nothing is left goes."""
    made = append(store, *[OLD] * 12, contact="C1")
    append(store, *[OLD] * 6, contact="C2")
    for number in (1, 3, 8):
        update(store, made[number], ACCEPTED)
    accepted = Counting(float("inf"), statuses=frozenset({ACCEPTED}))
    done = purge(store, countings=[accepted])
    kept, whole = stored(store), store.read("bank", "C1")

    assert (done.propositions, done.marks, done.contacts) == (18, 3, 1)
    assert sequences(whole) == [0, 0, 0]
    assert [part.count for part in kept.cold] == [2]
    assert store.read("bank", "C2") is None
    append(store, *at(NOW_MS, decided_at_ms=NOW_MS))
    assert sequences(store.read("bank", "C1")) == [0, 0, 0, 13]
    assert purge(store, now_ms=NOW_MS + 1).propositions == 0


def test_an_erased_contact_leaves_no_part(store):
    """All are gone with the record, and were counted."""
    append(store, *at(*range(1, 10)))
    append(store, *at(*range(1, 10)), contact="C2")
    with store.transaction() as txn:
        erased = txn.erase("bank", "C1")

    assert erased.propositions == 9
    table = store.lmdb_env.open_db(b"cold")
    with store.lmdb_env.begin() as txn:
        keys = list(txn.cursor(db=table).iternext(values=False))
    assert keys
    assert all(not key.startswith(ROWS) for key in keys)
    assert store.read("bank", "C1") is None


def test_an_aborted_split_leaves_everything_as_it_was(store):
    """The record and its parts are written together or not at all."""
    append(store, *at(1, 2, 3, 4))
    before = stored(store)
    with suppress(Interrupted), store.transaction() as txn:
        txn.append("bank", "C1", *at(5, 6, 7))
        raise Interrupted

    assert stored(store) == before
    table = store.lmdb_env.open_db(b"cold")
    with store.lmdb_env.begin() as txn:
        assert txn.stat(table)["entries"] == 0


def test_a_contact_without_history_has_an_empty_one_at_any_reach(store):
    """Reading makes nothing."""
    with store.transaction() as txn:
        assert txn.contact("bank", "C1", Reach((Look(1),), 5)) == EMPTY_RECORD
    with store.snapshot() as read:
        assert read.record("bank", "C1") is None

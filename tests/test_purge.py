"""Purging: what is old goes, what rules still count stays as a mark."""

import os
import signal
import subprocess
import sys
from math import inf
from pathlib import Path

import pytest
from msgspec.structs import replace

from contact_store.contact_ids import ContactName
from contact_store.errors import UnknownProposition
from contact_store.history import HistoryStore
from contact_store.packing import pack_record
from contact_store.purge import Purge, PurgeStep
from contact_store.records import (
    ContactRecord,
    PropositionStatus,
    StatusChange,
    is_mark,
)
from contact_store.retention import DAY_MS, Counting, mark_of
from contact_store.status_changes import status_since, with_change
from tests.test_history import NEW, append

ROOT = Path(__file__).parent.parent
RETENTION_MS = 400 * DAY_MS
NOW_MS = 1_000 * DAY_MS
OLD = replace(NEW, decided_at_ms=1_000, event_time_ms=1_000)
FRESH = replace(NEW, decided_at_ms=NOW_MS - 1, event_time_ms=NOW_MS - 1)
ACCEPTED_FOR_EVER = Counting(
    inf, statuses=frozenset({PropositionStatus.ACCEPTED}), from_status=True
)


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


def purge(store, now_ms=NOW_MS, countings=()):
    """One walk over everything; what all of its steps did together."""
    done = PurgeStep()
    running = Purge(store)
    while not done.is_last:
        step = running.step(now_ms, RETENTION_MS, countings)
        sums = [a + b for a, b in zip(done[:5], step[:5], strict=True)]
        done = PurgeStep(*sums, is_last=step.is_last)
    return done


def update(store, proposition_id, status, at_ms):
    with store.transaction() as txn:
        return txn.update(proposition_id, status, None, at_ms)


def is_unknown(store, proposition_id):
    try:
        update(store, proposition_id, PropositionStatus.ACCEPTED, NOW_MS)
    except UnknownProposition:
        return True
    return False


def test_only_what_changed_before_the_retention_goes(store):
    """To the millisecond; what was decided long ago and answered lately stays."""
    at_the_edge = replace(OLD, decided_at_ms=NOW_MS - RETENTION_MS)
    gone = replace(OLD, decided_at_ms=NOW_MS - RETENTION_MS - 1)
    made = append(store, at_the_edge, gone, OLD, FRESH)
    update(store, made[2].proposition_id, PropositionStatus.ACCEPTED, NOW_MS - 5)

    done = purge(store)

    kept = store.read("bank", "C1")
    assert [p.sequence for p in kept.propositions] == [1, 3, 4]
    assert kept.next_sequence == 5
    assert PurgeStep(1, 1, 0, 0, 0, True) == done
    assert [is_unknown(store, one.proposition_id) for one in made] == [
        False,
        True,
        False,
        False,
    ]


def test_what_a_rule_counts_for_ever_leaves_a_mark(store):
    """With its status and since when, without id, log and what was stored."""
    made = append(store, replace(OLD, stored={"amount": 5}), OLD)
    accepted = update(store, made[0].proposition_id, PropositionStatus.ACCEPTED, 7_000)

    done = purge(store, countings=[ACCEPTED_FOR_EVER])

    (mark,) = store.read("bank", "C1").propositions
    assert (done.propositions, done.marks) == (2, 1)
    assert is_mark(mark)
    assert status_since(mark) == status_since(accepted) == 7_000
    assert (mark.offer, mark.weight, mark.stored) == (NEW.offer, NEW.weight, {})
    assert is_unknown(store, made[0].proposition_id)


def test_a_mark_goes_when_no_rule_counts_it_any_more(store):
    """Be it that its period is over or that the rule is not in force."""
    append(store, OLD)
    two_years = Counting(730 * DAY_MS)
    purge(store, 500 * DAY_MS, [two_years])
    marks = len(store.read("bank", "C1").propositions)
    purge(store, 732 * DAY_MS, [two_years])

    assert marks == 1
    assert store.read("bank", "C1") is None


def test_a_rule_that_counts_from_the_answer_keeps_its_mark_from_then(store):
    """Though it is longer ago that the offer was proposed than the rule looks back."""
    rule = Counting(450 * DAY_MS, from_status=True)
    ((proposition_id, _),) = append(store, OLD)
    update(store, proposition_id, PropositionStatus.ACCEPTED, 300 * DAY_MS)
    purge(store, 749 * DAY_MS, [rule])
    before = store.read("bank", "C1")
    purge(store, 751 * DAY_MS, [rule])

    assert [is_mark(one) for one in before.propositions] == [True]
    assert store.read("bank", "C1") is None


def test_a_contact_with_nothing_left_comes_back_under_another_number(store):
    """So that no old id ever leads to what is proposed later."""
    ((old_id, _),) = append(store, OLD)
    done = purge(store)
    before = store.read("bank", "C1")
    ((new_id, proposition),) = append(store, FRESH)

    assert (before, done.contacts) == (None, 1)
    assert (proposition.sequence, old_id == new_id) == (1, False)
    assert [is_unknown(store, one) for one in (old_id, new_id)] == [True, False]


def test_an_empty_record_stays_when_something_leads_there(store):
    """Of a merged contact: its sequences are not given again."""
    ((old_id, _),) = append(store, OLD, contact="V1")
    append(store, OLD, contact="C1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "V1"), ContactName("bank", "C1"))
    purge(store)
    left = store.read("bank", "V1")
    append(store, FRESH, contact="V1")

    assert (left.propositions, left.next_sequence) == ((), 3)
    assert store.read("bank", "C1") == store.read("bank", "V1")
    assert is_unknown(store, old_id)


def test_marks_survive_a_merge_and_count_with_the_union(store):
    """In front of the others, whose sequences stay ascending and findable."""
    (one,) = append(store, OLD, contact="V1")
    update(store, one.proposition_id, PropositionStatus.ACCEPTED, 2)
    (two,) = append(store, OLD, contact="C1")
    update(store, two.proposition_id, PropositionStatus.ACCEPTED, 3)
    purge(store, countings=[ACCEPTED_FOR_EVER])
    (fresh_v,) = append(store, FRESH, contact="V1")
    (fresh_c,) = append(store, FRESH, contact="C1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "V1"), ContactName("bank", "C1"))

    record = store.read("bank", "C1")
    assert [p.sequence for p in record.propositions] == [0, 0, 2, 4]
    for made in (fresh_v, fresh_c):
        update(store, made.proposition_id, PropositionStatus.ACCEPTED, NOW_MS)


def test_damage_of_what_leads_to_a_record_does_not_stop_the_walk(store):
    """The contact stays as it is, and is counted."""
    append(store, OLD, contact="C1")
    append(store, OLD, contact="C2")
    names = store.lmdb_env.open_db(b"contact-ids")
    with store.lmdb_env.begin(write=True) as txn:
        key = next(iter(txn.cursor(db=names).iternext(values=False)))
        txn.put(key, b"\x01damaged", db=names)
    done = purge(store)

    assert (done.damaged, done.contacts) == (1, 1)
    assert len(store.read("bank", "C1").propositions) == 1


def test_a_record_that_cannot_be_read_is_left_alone(store):
    """The walk goes on behind it, and says that there was one."""
    append(store, OLD, contact="C1")
    append(store, OLD, contact="C2")
    records = store.lmdb_env.open_db(b"records")
    with store.lmdb_env.begin(write=True) as txn:
        key = next(iter(txn.cursor(db=records).iternext(values=False)))
        txn.put(key, b"\x01damaged", db=records)
    done = purge(store)

    assert (done.damaged, done.propositions) == (1, 1)
    assert store.read("bank", "C2") is None


def test_a_purge_goes_on_where_another_stopped(store, monkeypatch):
    """The place is in the store, written with what was done."""
    monkeypatch.setattr("contact_store.purge.WRITE_RECORDS_MAX", 2)
    for number in range(5):
        append(store, OLD, FRESH, contact=f"C{number}")
    first = Purge(store).step(NOW_MS, RETENTION_MS, ())
    left = [len(store.read("bank", f"C{n}").propositions) for n in range(5)]
    steps = []
    second = Purge(store)
    while not steps or not steps[-1].is_last:
        steps.append(second.step(NOW_MS, RETENTION_MS, ()))

    assert (first.records, left) == (2, [1, 1, 2, 2, 2])
    assert [step.records for step in steps] == [2, 1, 0]


def test_what_changes_between_reading_and_writing_is_purged_as_it_is_then(
    store, monkeypatch
):
    """An answer that arrives in between keeps its proposition."""
    ((proposition_id, _),) = append(store, OLD)
    running = Purge(store)
    due = running._due

    def answered_meanwhile(entries, retention):
        found = due(entries, retention)
        update(store, proposition_id, PropositionStatus.ACCEPTED, NOW_MS)
        return found

    monkeypatch.setattr(running, "_due", answered_meanwhile)
    step = running.step(NOW_MS, RETENTION_MS, ())

    assert (step.propositions, step.records) == (0, 1)
    assert store.read("bank", "C1").propositions[0].status == 3


PURGING = """
import sys
from pathlib import Path
import contact_store.purge as purge
from contact_store.history import HistoryStore

purge.WRITE_RECORDS_MAX = 1
with HistoryStore(Path(sys.argv[1])) as store:
    running = purge.Purge(store)
    while True:
        step = running.step(int(sys.argv[2]), int(sys.argv[3]), ())
        print("step", flush=True)
        if step.is_last:
            break
"""


def test_a_purge_that_is_killed_again_and_again_ends(tmp_path):
    """Nothing that stays is lost, nothing that goes comes back."""
    path = tmp_path / "history"
    with HistoryStore(path) as store:
        for number in range(60):
            append(store, OLD, FRESH, contact=f"C{number}")
    command = [sys.executable, "-c", PURGING, path, str(NOW_MS), str(RETENTION_MS)]
    left = []
    for kills in (5, 5, 5, 1_000):
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as child:
            for _ in range(kills):
                if not child.stdout.readline():
                    break
            os.kill(child.pid, signal.SIGKILL)
        with HistoryStore(path) as store:
            records = [store.read("bank", f"C{number}") for number in range(60)]
        left.append(sum(len(record.propositions) for record in records))
        stayed = {record.propositions[-1].decided_at_ms for record in records}
        assert stayed == {FRESH.decided_at_ms}

    assert left[0] > left[1] > left[2] > left[3] == 60


def test_a_mark_is_smaller_than_what_it_stands_for():
    """And a mark of a mark is itself: purging twice changes nothing more."""
    answered = replace(
        NEW,
        sequence=1,
        event_time_ms=NOW_MS,
        decided_at_ms=NOW_MS,
        stored={"amount": 5},
    )
    for day in range(3):
        change = StatusChange(PropositionStatus.ACCEPTED, None, NOW_MS + day)
        answered = with_change(answered, change)
    mark = mark_of(answered)
    sizes = [
        len(pack_record(b"", ContactRecord(1, 2, (one,)))) for one in (answered, mark)
    ]

    assert mark_of(mark) == mark
    assert sizes == [144, 80]

"""Contacts merged: one record, each proposition once, every id still good."""

import subprocess
import sys
from itertools import pairwise

import pytest
from msgspec.structs import replace

from contact_store import history_transaction, record_tables, records
from contact_store import merge as merge_module
from contact_store.contact_ids import ContactName
from contact_store.errors import (
    CorruptRecord,
    HistoryFull,
    InvalidContactId,
    UnknownProposition,
)
from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus
from tests.test_bindings import interactions, made
from tests.test_history import NEW, Interrupted, append
from tests.test_history_processes import ROOT, begin, go

A, B, C, D = (ContactName("bank", name) for name in "ABCD")
V = ContactName("web", "V")
REJECTED = PropositionStatus.REJECTED


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


def propose(store, name, *interactions):
    """The proposition ids."""
    with store.transaction() as txn:
        stored = txn.append(*name, *[made(number) for number in interactions])
    return [proposition_id for proposition_id, _ in stored]


def merge(store, *steps):
    for source, target in steps:
        with store.transaction() as txn:
            txn.merge(source, target)


def test_a_merge_is_the_union(store):
    """The target's propositions, then the source's, with sequences that ascend."""
    propose(store, A, 1, 2)
    propose(store, B, 3, 4, 5)

    merge(store, (A, B))
    propose(store, A, 6)

    record = store.read(*B)
    assert [p.interaction for p in record.propositions] == [3, 4, 5, 1, 2, 6]
    assert [p.sequence for p in record.propositions] == [1, 2, 3, 4, 5, 6]
    assert record.next_sequence == 7
    assert record == store.read(*A)


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        pytest.param([(A, B), (A, B)], [2, 1], id="twice"),
        pytest.param([(A, B), (B, A)], [2, 1], id="there and back"),
        pytest.param([(A, A), (A, B)], [2, 1], id="into itself"),
        pytest.param([(A, B), (B, C)], [3, 2, 1], id="chain"),
        pytest.param([(B, C), (A, B)], [3, 2, 1], id="into an alias"),
        pytest.param([(A, B), (A, C)], [3, 2, 1], id="of an alias"),
        pytest.param([(A, B), (B, C), (C, A)], [3, 2, 1], id="circle"),
        pytest.param([(A, B), (C, D), (B, D), (A, C)], [4, 3, 2, 1], id="pairs"),
        pytest.param([(V, A), (A, B)], [2, 1, 9], id="across environments"),
        pytest.param([(A, V), (V, B)], [2, 9, 1], id="and back across"),
    ],
)
def test_courses_of_merges_lose_and_double_nothing(store, steps, expected):
    """Whatever the order; every name and every id leads to the one record."""
    ids = {
        name: propose(store, name, number)[0]
        for name, number in ((A, 1), (B, 2), (C, 3), (D, 4), (V, 9))
    }

    merge(store, *steps)

    names = {name for step in steps for name in step}
    records = [store.read(*name) for name in names]
    assert [p.interaction for p in records[0].propositions] == expected
    assert all(record == records[0] for record in records)
    for name in names:
        with store.transaction() as txn:
            txn.update(ids[name], REJECTED, None, 2_000)
    assert [p.status for p in store.read(*A).propositions] == [REJECTED] * len(expected)


def test_a_contact_without_history_becomes_an_alias(store):
    """Of a contact that may be as unknown; what comes is the target's."""
    merge(store, (A, B))
    propose(store, A, 1)

    assert interactions(store, *B) == [1]
    with store.transaction() as txn:
        assert txn.names(*A).owner == B


def test_an_aborted_merge_never_was(store):
    """Both records, both names and the ids are as before."""
    ((proposition_id,), _) = propose(store, A, 1), propose(store, B, 2)

    def merge_and_fail():
        with store.transaction() as txn:
            txn.merge(A, B)
            raise Interrupted

    with pytest.raises(Interrupted):
        merge_and_fail()

    assert [interactions(store, *name) for name in (A, B)] == [[1], [2]]
    with store.transaction() as txn:
        assert txn.find(proposition_id)[:2] == A


def test_a_union_that_does_not_fit_is_refused_and_changes_nothing(store, monkeypatch):
    """Counted short it would exceed limits; cut, forget what callers have ids of."""
    for module in (history_transaction, merge_module):
        monkeypatch.setattr(module, "PROPOSITIONS_MAX", 3)
    ids = [*propose(store, A, 1, 2), *propose(store, B, 3, 4)]
    before = store.read(*A), store.read(*B)

    with store.transaction() as txn, pytest.raises(HistoryFull, match="4 prop"):
        txn.merge(A, B)

    assert before == (store.read(*A), store.read(*B))
    with store.transaction() as txn:
        owners = [txn.find(proposition_id)[:2] for proposition_id in ids]
    assert owners == [A, A, B, B]


def test_as_many_as_promised_fit_in_a_union(store):
    """16,384 of both together."""
    half = records.PROPOSITIONS_MAX // 2
    for name in (A, B):
        append(store, *[NEW] * half, contact=name.contact_id)

    merge(store, (A, B))

    record = store.read(*B)
    assert list(range(1, 16_385)) == [p.sequence for p in record.propositions]


def test_versions_grow_for_whoever_looks(store):
    """A version read under either id before a merge is none of the union's."""
    for _ in range(5):
        propose(store, A, 1)
    propose(store, B, 2)
    before = [store.read(*name).version for name in (A, B)]

    merge(store, (A, B))

    assert before == [5, 1]
    assert store.read(*A).version == 6


def test_versions_grow_when_a_visitor_changes_hands(store):
    """Else what was decided on one contact's history could pass for another's."""
    for _ in range(5):
        propose(store, A, 1)
    propose(store, B, 2)

    seen = []
    for contact in ("A", "B", "A", "C"):
        with store.transaction() as txn:
            txn.bind_visitor("bank", contact, "web", "V", 1)
        seen.append(store.read(*V).version)

    assert seen == [5, 6, 7, 8]


def test_the_id_of_an_aborted_proposition_stays_unknown(store):
    """Its sequence was never given, though the union gives that number later."""
    lost = []

    def propose_and_fail():
        with store.transaction() as txn:
            lost.extend(txn.append(*A, made(1), made(2)))
            raise Interrupted

    propose(store, A, 0)
    with pytest.raises(Interrupted):
        propose_and_fail()
    merge(store, (A, B))
    propose(store, B, 3, 4, 5)

    with store.transaction() as txn, pytest.raises(UnknownProposition):
        txn.find(lost[0].proposition_id)


def test_a_proposition_is_found_with_whom_it_belongs_to(store):
    """Before and after merges, and as updated in the same transaction."""
    ((first,), (second,)) = propose(store, A, 1), propose(store, V, 2)
    with store.transaction() as txn:
        before = [txn.find(proposition_id) for proposition_id in (first, second)]
        txn.update(second, REJECTED, None, 2_000, {"amount": 5})
        txn.merge(V, A)
        after = txn.find(second)

    assert [found[:2] for found in before] == [A, V]
    assert before[0].proposition == replace(made(1), sequence=1)
    assert after[:2] == A
    assert after.proposition.status == REJECTED
    assert after.proposition.stored == {"amount": 5}
    with store.transaction() as txn, pytest.raises(UnknownProposition):
        txn.find("A" * 32)


def test_a_name_that_lags_behind_is_brought_up_at_its_next_append(store, monkeypatch):
    """Or each merge of its contact would cost it a read for ever."""
    with store.transaction() as txn:
        txn.bind_visitor("bank", "A", "web", "V", 1)
    propose(store, A, 1)
    merge(store, (A, B), (B, C))
    with monkeypatch.context() as patched:
        patched.setattr(record_tables, "MOVES_MAX", 0)
        with pytest.raises(CorruptRecord):
            store.read(*V)

    propose(store, V, 2)

    monkeypatch.setattr(record_tables, "MOVES_MAX", 0)
    assert interactions(store, *V) == [1, 2]
    with store.transaction() as txn:
        assert txn.names(*V).aliases == (A, B, V)


def test_an_id_is_followed_through_so_many_merges_and_no_more(store, monkeypatch):
    """So that nothing that went wrong in the store can keep a writer busy for ever."""
    chain = [ContactName("bank", f"C{number}") for number in range(5)]
    (proposition_id,) = propose(store, chain[0], 1)
    merge(store, *pairwise(chain))

    monkeypatch.setattr(record_tables, "MOVES_MAX", 4)
    with store.transaction() as txn:
        assert txn.find(proposition_id)[:2] == chain[-1]
    monkeypatch.setattr(record_tables, "MOVES_MAX", 3)
    with store.transaction() as txn, pytest.raises(CorruptRecord, match="over 3 times"):
        txn.find(proposition_id)


def test_what_cannot_be_a_contact_is_not_merged(store):
    """Neither as source nor as target."""
    with store.transaction() as txn:
        for pair in ((A, ContactName("bank", "")), (ContactName("bank", "\0"), A)):
            with pytest.raises(InvalidContactId):
                txn.merge(*pair)
        for pair in ((A, ContactName("B", "A")), (ContactName("", "A"), A)):
            with pytest.raises(ValueError, match="not an environment's name"):
                txn.merge(*pair)


def test_a_damaged_move_is_never_followed(tmp_path):
    """The ids that it is for are refused rather than led astray."""
    with HistoryStore(tmp_path) as store:
        propose(store, A, *range(70))
        (proposition_id,) = propose(store, B, 1)
        merge(store, (B, A))
    path = tmp_path / "data.mdb"
    data = path.read_bytes()
    # By 70, from a record whose next sequence was 2, to the first contact's; made when
    # the first key of ids was the newest.
    move = b"\x94\xc4\x0a" + bytes([0, 1, 0, 0, 0, 0, 0, 0, 0, 1]) + b"%c\x02\x01"
    assert move % 70 in data
    path.write_bytes(data.replace(move % 70, move % 69))

    with (
        HistoryStore(tmp_path) as store,
        store.transaction() as txn,
        pytest.raises(CorruptRecord),
    ):
        txn.find(proposition_id)


BINDING = """
import sys
from pathlib import Path
from contact_store.history import HistoryStore
from tests.test_history import NEW
from msgspec.structs import replace

path, contact, interaction = sys.argv[1:]
with HistoryStore(Path(path)) as store:
    print("open", flush=True)
    sys.stdin.readline()
    for number in range(150):
        visitor = f"V{number % 10}"
        with store.transaction() as txn:
            if number % 3 == 2:
                txn.bind_visitor("bank", contact, "web", visitor, number)
            made = replace(NEW, interaction=int(interaction) + number)
            txn.append("web", visitor, made)
            txn.append("bank", contact, made)
"""


def test_two_processes_binding_the_same_visitors_lose_and_double_nothing(tmp_path):
    """Each appends for its contact and for visitors who change hands between them."""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", BINDING, str(tmp_path), contact, str(first)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for contact, first in (("C1", 0), ("C2", 1_000))
    ]
    with children[0], children[1]:
        for child in children:
            begin(child)
        for child in children:
            go(child)
        for child in children:
            child.stdout.read()

    with HistoryStore(tmp_path) as store:
        kept = [store.read("bank", contact) for contact in ("C1", "C2")]
        visitors = [store.read("web", f"V{number}") for number in range(10)]
    assert [child.returncode for child in children] == [0, 0]
    # Each visitor was bound in the end, so that all is with the two contacts.
    assert all(record in kept for record in visitors)
    expected = [*range(150), *range(1_000, 1_150)]
    found = [p.interaction for record in kept for p in record.propositions]
    assert sorted(expected * 2) == sorted(found)
    for record in kept:
        assert list(range(1, len(record.propositions) + 1)) == [
            p.sequence for p in record.propositions
        ]

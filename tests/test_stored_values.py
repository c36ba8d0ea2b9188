"""What is stored with propositions: given when made, or when updated, and bounded."""

import pytest
from msgspec.structs import replace

from contact_store.history import HistoryStore
from contact_store.records import STORED_BYTES_MAX, PropositionStatus
from tests.test_history import NEW

ACCEPTED = PropositionStatus.ACCEPTED
#: One of each type, at its edges.
EDGES = {
    "low": -(2**63),
    "high": 2**63 - 1,
    "share": 1e308,
    "yes": True,
    "text": "é\0",
    "": "",
}


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


def propose(store, stored):
    with store.transaction() as txn:
        ((proposition_id, proposition),) = txn.append(
            "bank", "C1", replace(NEW, stored=stored)
        )
    assert proposition.stored == stored
    return proposition_id


def read(store):
    (proposition,) = store.read("bank", "C1").propositions
    return proposition.stored


def test_values_are_read_as_they_were_stored(store):
    """Each with its type: true is not 1, and 1 is not 1.0."""
    propose(store, {**EDGES, "one": 1, "1": 1.0})

    expected = {**EDGES, "one": 1, "1": 1.0}
    assert expected == read(store)
    assert [type(v) for v in expected.values()] == [
        type(v) for v in read(store).values()
    ]


def test_an_update_adds_values_and_replaces_those_of_the_same_name(store):
    """And leaves the others; without values it leaves all."""
    proposition_id = propose(store, {"amount": 5, "branch": "north"})

    for stored in ({"amount": 7, "agent": "ann"}, None, {}):
        with store.transaction() as txn:
            updated = txn.update(proposition_id, ACCEPTED, None, 2_000, stored)

    assert read(store) == {"amount": 7, "branch": "north", "agent": "ann"}
    assert updated.stored == read(store)


@pytest.mark.parametrize(
    ("stored", "text"),
    [
        ({"a": 2**63}, "stored 'a': outside 64 bits"),
        ({"a": -(2**63) - 1}, "stored 'a': outside 64 bits"),
        ({"a": float("nan")}, "stored 'a': not finite"),
        ({"a": float("inf")}, "stored 'a': not finite"),
        ({"a": "\ud800"}, "stored 'a': not text"),
        ({"\ud800": 1}, "its name is not text"),
        ({1: 1}, "stored 1: its name is not text"),
        ({"a": None}, "stored 'a': a NoneType"),
        ({"a": b"a"}, "stored 'a': a bytes"),
        ({"a": [1]}, "stored 'a': a list"),
        ({"a": ACCEPTED}, "stored 'a': a PropositionStatus"),
        ({"a": "x" * STORED_BYTES_MAX}, "stored: 1030 bytes of at most 1024"),
        ({"x" * STORED_BYTES_MAX: 1}, "stored: 1029 bytes of at most 1024"),
        ({str(number): 0 for number in range(400)}, "bytes of at most 1024"),
        ({"a": None, "b": 2**63}, "stored 'a': .*; stored 'b': outside"),
    ],
)
def test_what_cannot_be_stored_is_refused(store, stored, text):
    """All mistakes at once, whether appended or joining what is there."""
    proposition_id = propose(store, {"b": 1})

    with store.transaction() as txn:
        with pytest.raises(ValueError, match=text):
            txn.append("bank", "C1", replace(NEW, stored=stored))
        with pytest.raises(ValueError, match="stored"):
            txn.update(proposition_id, ACCEPTED, None, 2_000, stored)

    assert read(store) == {"b": 1}


def test_as_many_bytes_as_promised_are_stored(store):
    """1,024, names and heads included; an update may not make it one more."""
    proposition_id = propose(store, {"a": "x" * (STORED_BYTES_MAX - 6)})

    with store.transaction() as txn, pytest.raises(ValueError, match="1025 bytes"):
        txn.update(proposition_id, ACCEPTED, None, 2_000, {"a": "x" * 1_019})
    with store.transaction() as txn, pytest.raises(ValueError, match="1027 bytes"):
        txn.update(proposition_id, ACCEPTED, None, 2_000, {"b": 1})
    assert len(read(store)["a"]) == 1_018

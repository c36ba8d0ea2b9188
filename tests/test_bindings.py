"""Visitors bound to contacts: the latest binding wins, and histories become one."""

import pytest
from msgspec.structs import replace

from contact_store import history_transaction, record_tables
from contact_store import merge as merge_module
from contact_store.contact_ids import ContactName
from contact_store.errors import CorruptRecord, HistoryFull, InvalidContactId
from contact_store.history import HistoryStore
from contact_store.records import PropositionStatus
from tests.test_history import NEW, append

LIMITS = (history_transaction, merge_module)


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


def sign_in(store, contact, visitor="V1", visitor_environment="web", now_ms=1):
    with store.transaction() as txn:
        txn.bind_visitor("bank", contact, visitor_environment, visitor, now_ms)


def interactions(store, environment, contact):
    record = store.read(environment, contact)
    return [p.interaction for p in record.propositions]


def made(interaction):
    return replace(NEW, interaction=interaction)


def test_the_latest_binding_wins(store):
    """Inside its transaction at once, outside when that has ended."""
    with store.transaction() as txn:
        txn.bind("bank", "V1", "C1", 5)
        assert store.bound_contact("bank", "V1") is None
        assert txn.bound_contact("bank", "V1") == "C1"
    with store.transaction() as txn:
        txn.bind("bank", "V1", "C2", 6)

    assert store.bound_contact("bank", "V1") == "C2"


def test_a_binding_is_of_one_environment(store):
    """The same visitor may be another contact elsewhere, or nobody."""
    with store.transaction() as txn:
        txn.bind("bank", "V1", "C1", 5)
        txn.bind("shop", "V1", "S1", 5)

    bound = [store.bound_contact(e, "V1") for e in ("bank", "shop", "web")]
    assert bound == ["C1", "S1", None]
    assert store.bound_contact("bank", "V2") is None


def test_a_binding_survives_opening_again(tmp_path):
    """It is as durable as a proposition."""
    with HistoryStore(tmp_path) as store:
        sign_in(store, "C1")
    with HistoryStore(tmp_path) as store:
        assert store.bound_contact("bank", "V1") == "C1"


def test_binding_again_writes_nothing(tmp_path):
    """Every call of a visitor who is signed in binds; the file stays as it is."""
    with HistoryStore(tmp_path) as store:
        append(store, made(1), contact="V1", environment="web")
        sign_in(store, "C1", now_ms=5)
        before = (tmp_path / "data.mdb").read_bytes()
        sign_in(store, "C1", now_ms=6)

        assert before == (tmp_path / "data.mdb").read_bytes()


def test_a_binding_keeps_its_age_until_it_moves(store):
    """Since when is the first call that said so, not the last."""
    since = []
    with store.transaction() as txn:
        for now_ms, contact in ((5, "C1"), (6, "C1"), (7, "C2"), (8, "C2")):
            txn.bind("bank", "V1", contact, now_ms)
            since.append(txn.binding("bank", "V1").since_ms)

    assert since == [5, 5, 7, 7]


def test_signing_in_unites_both_histories(store):
    """Either id reads and appends to one record, which counts each once."""
    append(store, made(1), made(2), contact="V1", environment="web")
    append(store, made(3), contact="C1")

    for _ in range(2):
        sign_in(store, "C1")
    append(store, made(4), contact="V1", environment="web")
    append(store, made(5), contact="C1")

    assert interactions(store, "bank", "C1") == [3, 1, 2, 4, 5]
    assert store.read("bank", "C1") == store.read("web", "V1")
    sequences = [p.sequence for p in store.read("bank", "C1").propositions]
    assert sequences == [1, 2, 3, 4, 5]


def test_a_visitor_without_history_is_the_contact_from_then_on(store):
    """Nothing was there to merge, and what comes counts for the contact."""
    sign_in(store, "C1")
    append(store, made(1), contact="V1", environment="web")

    assert interactions(store, "bank", "C1") == [1]


def test_a_visitor_may_be_bound_without_its_history(store):
    """And united later, once the anonymous environment is known."""
    append(store, made(1), contact="V1", environment="web")

    sign_in(store, "C1", visitor_environment=None)
    assert store.bound_contact("bank", "V1") == "C1"
    assert store.read("bank", "C1") is None
    sign_in(store, "C1")
    assert interactions(store, "bank", "C1") == [1]


def test_on_a_shared_computer_each_contact_keeps_its_own(store):
    """What the visitor saw as one contact is never another's: it counts for the first.

    A limit is exact for each contact. The browser may show an offer as often to the
    second contact as if the first had never used it.
    """
    append(store, made(1), contact="V1", environment="web")
    sign_in(store, "C1")
    append(store, made(2), contact="V1", environment="web")
    append(store, made(3), contact="C2")

    sign_in(store, "C2")
    append(store, made(4), contact="V1", environment="web")
    assert interactions(store, "bank", "C1") == [1, 2]
    assert interactions(store, "bank", "C2") == [3, 4]
    assert interactions(store, "web", "V1") == [3, 4]

    sign_in(store, "C1")
    append(store, made(5), contact="V1", environment="web")
    assert interactions(store, "bank", "C1") == [1, 2, 5]
    assert interactions(store, "bank", "C2") == [3, 4]


def test_ids_stay_with_the_contact_who_got_them(store):
    """A visitor's earlier proposition is where it went, whoever signs in later."""
    ((first, _),) = append(store, made(1), contact="V1", environment="web")
    sign_in(store, "C1")
    ((second, _),) = append(store, made(2), contact="V1", environment="web")
    sign_in(store, "C2")
    ((third, _),) = append(store, made(3), contact="V1", environment="web")

    with store.transaction() as txn:
        found = [txn.find(proposition_id)[:2] for proposition_id in (first, second)]
        txn.update(first, PropositionStatus.REJECTED, None, 2_000)
        assert txn.find(third)[:2] == ("bank", "C2")
    assert found == [("bank", "C1")] * 2
    statuses = [p.status for p in store.read("bank", "C1").propositions]
    assert statuses == [PropositionStatus.REJECTED, NEW.status]


def test_two_environments_bind_apart_and_the_latest_has_the_visitor(store):
    """An anonymous environment that two others share has one record per visitor."""
    append(store, made(1), contact="V1", environment="web")
    sign_in(store, "C1")
    with store.transaction() as txn:
        txn.bind_visitor("shop", "S1", "web", "V1", 2)
    append(store, made(2), contact="V1", environment="web")

    assert [store.bound_contact(e, "V1") for e in ("bank", "shop")] == ["C1", "S1"]
    assert interactions(store, "bank", "C1") == [1]
    assert interactions(store, "shop", "S1") == [2]
    sign_in(store, "C1")
    append(store, made(3), contact="V1", environment="web")
    assert interactions(store, "bank", "C1") == [1, 3]


def test_a_visitor_follows_its_contact_into_a_merge(store):
    """And the binding still names the contact that was given."""
    sign_in(store, "C1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "C1"), ContactName("bank", "C2"))
    append(store, made(1), contact="V1", environment="web")

    assert interactions(store, "bank", "C2") == [1]
    assert store.bound_contact("bank", "V1") == "C1"
    sign_in(store, "C1")
    append(store, made(2), contact="V1", environment="web")
    assert interactions(store, "bank", "C2") == [1, 2]


def test_a_visitor_that_lags_behind_is_brought_up_when_bound_again(store, monkeypatch):
    """Its id then leads where its contact's does, with nothing to follow."""
    append(store, made(1))
    sign_in(store, "C1")
    with store.transaction() as txn:
        txn.merge(ContactName("bank", "C1"), ContactName("bank", "C2"))

    sign_in(store, "C1")

    monkeypatch.setattr(record_tables, "MOVES_MAX", 0)
    assert interactions(store, "web", "V1") == [1]


def test_a_union_that_does_not_fit_leaves_both_apart(store, monkeypatch):
    """Nothing is bound and nothing cut; the transaction may go on without."""
    for module in LIMITS:
        monkeypatch.setattr(module, "PROPOSITIONS_MAX", 3)
    append(store, made(1), made(2), contact="V1", environment="web")
    append(store, made(3), made(4), contact="C1")

    with store.transaction() as txn:
        with pytest.raises(HistoryFull, match="4 propositions together"):
            txn.bind_visitor("bank", "C1", "web", "V1", 1)
        txn.append("bank", "C1", made(5))

    assert store.bound_contact("bank", "V1") is None
    assert interactions(store, "web", "V1") == [1, 2]
    assert interactions(store, "bank", "C1") == [3, 4, 5]


def test_names_tell_who_is_bound(store):
    """For whoever must find all that belongs to a contact."""
    append(store, made(1), contact="V1", environment="web")
    for visitor in ("V1", "V2", "V3"):
        sign_in(store, "C1", visitor)
    sign_in(store, "C2", "V3")

    with store.transaction() as txn:
        names = txn.names("bank", "C1")
    assert names.owner == ("bank", "C1")
    assert names.aliases == (("web", "V1"), ("web", "V2"))
    assert names.visitors == (("bank", "V1"), ("bank", "V2"))
    assert len(names.moved) == 1


def test_what_cannot_be_bound_is_refused(store):
    """The text names the field; one environment cannot be both."""
    with store.transaction() as txn:
        with pytest.raises(InvalidContactId, match="visitor_id has 0 bytes"):
            txn.bind("bank", "", "C1", 1)
        with pytest.raises(InvalidContactId, match="contact_id has 257 bytes"):
            txn.bind_visitor("bank", "x" * 257, "web", "V1", 1)
        with pytest.raises(ValueError, match="visitor_environment"):
            txn.bind_visitor("bank", "C1", "bank", "V1", 1)
        with pytest.raises(ValueError, match="Web"):
            txn.bind_visitor("bank", "C1", "Web", "V1", 1)
    with pytest.raises(InvalidContactId, match="visitor_id holds control"):
        store.bound_contact("bank", "V\n1")


def test_a_damaged_binding_is_never_used(tmp_path):
    """One changed byte in the file is an error."""
    with HistoryStore(tmp_path) as store:
        sign_in(store, "customer-77", visitor="V1")
    path = tmp_path / "data.mdb"
    data = path.read_bytes()
    # The name as the binding has it, after the head of a msgpack string.
    assert b"\xabcustomer-77" in data
    path.write_bytes(data.replace(b"\xabcustomer-77", b"\xabcustomer-78"))

    with HistoryStore(tmp_path) as store, pytest.raises(CorruptRecord):
        store.bound_contact("bank", "V1")

"""Erasure: nothing of a contact is left, not a byte; others keep everything."""

import pytest

from contact_store import erasure, history_erasure
from contact_store.aliases import Aliases
from contact_store.answers import AnswerTables
from contact_store.bindings import Bindings
from contact_store.contact_ids import ContactName
from contact_store.decision_inputs import InputTables
from contact_store.doctor import ContactDoctor
from contact_store.errors import InvalidContactId, UnknownProposition
from contact_store.history import HistoryStore
from contact_store.history_erasure import ErasedHistory
from contact_store.profiles import ProfileStore
from contact_store.record_tables import RecordTables
from contact_store.records import PropositionStatus
from tests.erased_contact import (
    DIGEST,
    GONE,
    GONE_BEFORE,
    GONE_VISITOR,
    NAME,
    NOW_MS,
    STAYS,
    Stores,
    decide,
    fill,
    left_in_files,
    request,
)
from tests.test_history import Interrupted

ACCEPTED = PropositionStatus.ACCEPTED
#: Two decisions for each of three names, and one after the merge.
ALL = ErasedHistory(ids=3, propositions=7, bindings=1, inputs=7, answers=7)


@pytest.fixture
def stores(tmp_path):
    with (
        HistoryStore(tmp_path / "history") as history,
        ProfileStore(tmp_path / "profiles") as profiles,
    ):
        yield Stores(tmp_path, history, profiles)


def erase(stores, name):
    return erasure.erase(stores.history, stores.profiles, name)


def kept_answer(stores, text):
    with stores.history.transaction() as txn:
        return txn.answer(request(text), DIGEST, NOW_MS)


@pytest.mark.parametrize("name", [GONE, GONE_BEFORE, GONE_VISITOR])
def test_any_of_its_ids_erases_the_whole_contact(stores, name):
    """The receipt counts everything; no id leads to anything afterwards."""
    ids = fill(stores)

    erased = erase(stores, name)

    assert (erased.profiles, erased.history) == (3, ALL)
    assert {erased.names.owner, *erased.names.aliases} == {
        GONE,
        GONE_BEFORE,
        GONE_VISITOR,
    }
    assert erased.names.visitors == (("bank", "gone-visitor"),)
    for gone in (GONE, GONE_BEFORE, GONE_VISITOR):
        assert stores.history.read(*gone) is None
        assert not stores.profiles.has(gone)
    assert stores.history.bound_contact("bank", "gone-visitor") is None
    with stores.history.transaction() as txn:
        for proposition_id in [i for name in ids for i in ids[name] if name != STAYS]:
            with pytest.raises(UnknownProposition):
                txn.update(proposition_id, ACCEPTED, None, 1)
        assert [txn.names(*gone) for gone in (GONE, GONE_BEFORE)] == [None, None]
    assert stores.history.read(*GONE) is None


def test_others_keep_everything(stores):
    """Propositions, profile, inputs and answers of whoever was not erased."""
    ids = fill(stores)

    erase(stores, GONE)

    assert len(stores.history.read(*STAYS).propositions) == 2
    assert stores.profiles.has(STAYS)
    assert kept_answer(stores, "stays-contact-0") is not None
    assert {i.contact_id for i in stores.history.newest_inputs(99)} == {"stays-contact"}
    with stores.history.transaction() as txn:
        updated = txn.update(ids[STAYS][0], ACCEPTED, None, 1)
    assert updated.status is ACCEPTED


def test_no_byte_is_left_in_a_compacted_copy(stores):
    """Neither ids nor profile, stored values, inputs, answers, or propositions' ids."""
    ids = fill(stores)
    proposition_ids = [one for name in ids for one in ids[name]]
    numbers = numbers_of(stores)

    assert GONE.contact_id in left_in_files(stores, proposition_ids)
    erase(stores, GONE)

    copied = Stores(stores.folder / "after", stores.history, stores.profiles)
    copied.folder.mkdir()
    assert left_in_files(copied, proposition_ids) == sorted(ids[STAYS])
    data = (copied.folder / "copy-of-HistoryStore" / "data.mdb").read_bytes()
    assert [number for number in numbers if number in data] == []


def numbers_of(stores):
    """The record keys of the contact, the merged ones too."""
    with stores.history.transaction() as txn:
        names = txn.names(*GONE)
        key = txn._tables.find_key(txn._txn, "bank", b"gone-contact")
    return [key, *names.moved]


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        (Aliases, "erase"),
        (Bindings, "erase"),
        (InputTables, "erase"),
        (AnswerTables, "erase"),
        (RecordTables, "erase"),
        (ProfileStore, "erase"),
    ],
)
def test_whatever_is_left_is_found(stores, monkeypatch, owner, method):
    """The search finds each kind that a faulty erasure would leave."""
    fill(stores)
    faulty = {RecordTables: lambda self, txn, key: self.aliases.leading_to(txn, key)}
    monkeypatch.setattr(owner, method, faulty.get(owner, lambda *_: 0))

    erase(stores, GONE)

    assert left_in_files(stores, []) != []


def test_a_row_left_of_an_alias_is_found(stores, monkeypatch):
    """An erasure that forgot the ids of merged contacts would leave theirs."""
    fill(stores)
    whole = Aliases.leading_to

    def without_contacts(self, txn, key):
        return whole(self, txn, key)._replace(contacts=())

    monkeypatch.setattr(Aliases, "leading_to", without_contacts)
    erase(stores, GONE)

    assert "gone-merged" in left_in_files(stores, [])


def test_the_contact_begins_anew_under_another_number(stores):
    """The same id starts from nothing; its old propositions stay unknown."""
    ids = fill(stores)
    erase(stores, GONE)

    made = decide(stores, GONE, "gone-contact-0")

    assert made not in ids[GONE]
    assert len(stores.history.read(*GONE).propositions) == 1
    assert stores.history.read(*GONE_BEFORE) is None
    with stores.history.transaction() as txn, pytest.raises(UnknownProposition):
        txn.find(ids[GONE][0])


def test_erasing_again_finds_nothing(stores):
    """Nothing is what erasing somebody unknown comes to, too."""
    fill(stores)

    assert erase(stores, GONE) is not None
    assert erase(stores, GONE) is None
    assert erase(stores, ContactName("bank", "nobody")) is None
    assert erase(stores, ContactName("unheard-of", "nobody")) is None


def test_what_is_expected_is_what_is_erased(stores):
    """Looking changes nothing."""
    fill(stores)

    looked = erasure.expected(stores.history, stores.profiles, GONE_BEFORE)
    again = erasure.expected(stores.history, stores.profiles, GONE_BEFORE)

    assert looked == again == erase(stores, GONE_BEFORE)
    assert erasure.expected(stores.history, stores.profiles, GONE_BEFORE) is None


def test_a_contact_with_nothing_but_a_profile(stores):
    """It was never decided for."""
    stores.profiles.upsert(*GONE, NAME, ["gone"])

    erased = erase(stores, GONE)

    assert (erased.names, erased.profiles, erased.history) == (None, 1, ErasedHistory())
    assert left_in_files(stores, []) == []


def test_an_answer_that_recorded_nothing_is_erased(stores):
    """A call that proposed nothing leaves no record, but an answer with its visitor."""
    with stores.history.transaction() as txn:
        txn.answer(request("1"), DIGEST, NOW_MS)
        txn.contact(*GONE_VISITOR)
        txn.keep_answer(request("1"), DIGEST, b"gone-visitor", NOW_MS)

    erased = erase(stores, GONE_VISITOR)

    assert erased.history == ErasedHistory(answers=1)
    assert kept_answer(stores, "1") is None
    assert left_in_files(stores, []) == []


def test_the_answer_to_an_update_is_erased(stores):
    """It holds the proposition's id."""
    proposition_id = decide(stores, GONE, "gone")
    with stores.history.transaction() as txn:
        txn.answer(request("update"), DIGEST, NOW_MS)
        txn.update(proposition_id, ACCEPTED, None, NOW_MS)
        txn.keep_answer(request("update"), DIGEST, proposition_id.encode(), NOW_MS)

    assert erase(stores, GONE).history.answers == 2
    assert left_in_files(stores, [proposition_id]) == []


def test_an_answer_belongs_to_the_contacts_of_its_own_request(stores):
    """In one transaction for many, as batches have it: others' retries stay safe."""
    with stores.history.transaction() as txn:
        for name in (GONE, STAYS):
            txn.answer(request(name.contact_id), DIGEST, NOW_MS)
            txn.contact(*name)
            txn.keep_answer(request(name.contact_id), DIGEST, b"answer", NOW_MS)

    erase(stores, GONE)

    assert kept_answer(stores, GONE.contact_id) is None
    assert kept_answer(stores, STAYS.contact_id) == b"answer"


def test_answers_of_several_hours_are_erased_and_no_longer_counted(tmp_path):
    """In each table; what is erased makes room."""
    hour_ms = 3_600_000
    with HistoryStore(tmp_path, answers_max=4) as history:
        for number in range(4):
            now_ms = NOW_MS + number // 2 * hour_ms
            with history.transaction() as txn:
                txn.answer(request(str(number)), DIGEST, now_ms)
                txn.contact(*(GONE if number % 2 else STAYS))
                txn.keep_answer(request(str(number)), DIGEST, b"answer", now_ms)

        with history.transaction() as txn:
            assert txn.erase(*GONE).answers == 2
            for number in (5, 6):
                txn.keep_answer(request(str(number)), DIGEST, b"answer", now_ms)
            kept = [txn.answer(request(str(n)), DIGEST, now_ms) for n in range(7)]

    answer = b"answer"
    assert kept == [answer, None, answer, None, None, answer, answer]


def test_on_a_shared_computer_the_visitor_stays_with_the_other(stores):
    """What it saw while it was the erased contact's goes, its binding now does not."""
    fill(stores)
    with stores.history.transaction() as txn:
        txn.bind_visitor(*STAYS, *GONE_VISITOR, NOW_MS)
    decide(stores, GONE_VISITOR, "stays-seen-later")

    erased = erase(stores, GONE)

    assert erased.history == ALL._replace(ids=2, bindings=0)
    assert stores.history.bound_contact("bank", "gone-visitor") == "stays-contact"
    assert len(stores.history.read(*GONE_VISITOR).propositions) == 3


def test_an_import_under_way_does_not_bring_the_contact_back(stores):
    """Neither what it had written nor what comes; one that begins later does."""
    other = ContactName("bank", "gone-later")
    with stores.profiles.importing("bank", NAME) as into:
        into.put(GONE.contact_id, ["gone, put before"])
        into._write()
        assert stores.profiles.erase([GONE, other]) == 0
        into.put(other.contact_id, ["gone, put after"])
        into.put(STAYS.contact_id, ["stays"])
        into.publish()

    assert into.contacts == 2
    assert [stores.profiles.has(name) for name in (GONE, other, STAYS)] == [
        False,
        False,
        True,
    ]
    assert left_in_files(stores, []) == []

    with stores.profiles.importing("bank", NAME) as into:
        into.put(GONE.contact_id, ["came back"])
        into.publish()
    assert stores.profiles.has(GONE)


def test_erased_between_two_layers_it_is_gone_from_both(stores):
    """An import that is published and not yet folded holds a profile twice."""
    stores.profiles.upsert(*GONE, NAME, ["gone, below"])

    def stop(_):
        raise Interrupted

    def import_and_stop():
        with stores.profiles.importing("bank", NAME) as into:
            into.put(GONE.contact_id, ["gone, above"])
            into.publish(stop)

    with pytest.raises(Interrupted):
        import_and_stop()

    assert stores.profiles.erase([GONE]) == 1
    assert not stores.profiles.has(GONE)
    assert left_in_files(stores, []) == []


def test_an_interrupted_erasure_is_done_by_the_next(stores, monkeypatch):
    """Profiles go first; the names that lead to the rest are still there."""
    fill(stores)

    def fail(*_):
        raise Interrupted

    with monkeypatch.context() as patched:
        patched.setattr(history_erasure.HistoryTables, "__new__", fail)
        with pytest.raises(Interrupted):
            erase(stores, GONE_BEFORE)
    assert len(stores.history.read(*GONE).propositions) == 7

    erased = erase(stores, GONE_BEFORE)

    assert (erased.profiles, erased.history) == (0, ALL)
    assert left_in_files(stores, []) == []


def test_whatever_is_merged_in_meanwhile_goes_too(stores, monkeypatch):
    """Between the transaction on profiles and the one on history."""
    ids = fill(stores)
    whole = ProfileStore.erase

    def merge_then(self, names):
        erased = whole(self, names)
        with stores.history.transaction() as txn:
            txn.merge(STAYS, GONE)
        monkeypatch.undo()
        return erased

    monkeypatch.setattr(ProfileStore, "erase", merge_then)

    assert erase(stores, GONE).profiles == 4
    assert not stores.profiles.has(STAYS)
    assert stores.history.read(*STAYS) is None
    assert left_in_files(stores, [one for name in ids for one in ids[name]]) == []


def test_a_damaged_record_is_erased_too(stores):
    """Nobody can count what was in it."""
    fill(stores)
    (key, *_) = numbers_of(stores)
    records = stores.history.lmdb_env.open_db(b"records")
    with stores.history.lmdb_env.begin(write=True) as txn:
        txn.put(key, b"gone", db=records)

    assert erase(stores, GONE).history == ALL._replace(propositions=0)
    assert left_in_files(stores, []) == []


def test_ids_that_cannot_be_are_refused(stores):
    """As everywhere."""
    with pytest.raises(InvalidContactId):
        erase(stores, ContactName("bank", "x" * 257))


@pytest.mark.parametrize("is_shared", [False, True])
def test_what_is_left_is_whole(tmp_path, is_shared):
    """A doctor finds nothing wrong with either store, on a shared computer neither."""
    with (
        HistoryStore(tmp_path / "history") as history,
        ProfileStore(tmp_path / "profiles") as profiles,
    ):
        stores = Stores(tmp_path, history, profiles)
        fill(stores)
        if is_shared:
            with history.transaction() as txn:
                txn.bind_visitor(*STAYS, *GONE_VISITOR, NOW_MS)
        assert erase(stores, GONE) is not None

    found = []
    for store in ("history", "profiles"):
        with ContactDoctor(store, tmp_path / store) as doctor:
            found += doctor.examine(lambda *_: None)
    assert found == []

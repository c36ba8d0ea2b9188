"""History: what was appended is read, updates follow ruling 10, time goes forward."""

import pytest
from msgspec.structs import replace

from catalog_store.records import Channel
from contact_store import history_transaction, records, status_changes
from contact_store.channels import CHANNEL_OF_CODE, CODE_OF_CHANNEL
from contact_store.errors import (
    CorruptRecord,
    HistoryFull,
    InvalidContactId,
    StatusLogFull,
    StoreFailed,
    UnknownProposition,
)
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.records import (
    ContactRecord,
    Proposition,
    PropositionStatus,
    StatusChange,
)

GENERATED = PropositionStatus.GENERATED
PRESENTED = PropositionStatus.PRESENTED
INTERESTED = PropositionStatus.INTERESTED
ACCEPTED = PropositionStatus.ACCEPTED
SCHEDULED = PropositionStatus.SCHEDULED
REJECTED = PropositionStatus.REJECTED

NEW = Proposition(
    interaction=2**64 - 1,
    offer=name_hash("environments/bank/offers/gold_card"),
    category=name_hash("environments/bank/categories/cards"),
    space=name_hash("environments/bank/spaces/home"),
    channel=1,
    weight=1.5,
    rank=1,
    status=PRESENTED,
    event_time_ms=1_000,
    decided_at_ms=1_000,
)


@pytest.fixture
def store(tmp_path):
    with HistoryStore(tmp_path / "history") as opened:
        yield opened


class Interrupted(Exception):
    """Stands for whatever goes wrong inside a transaction."""


def append(store, *propositions, contact="C1", environment="bank"):
    with store.transaction() as txn:
        return txn.append(environment, contact, *propositions)


def test_propositions_are_read_as_they_were_appended(store):
    """With sequences from 1, newest last, over several calls."""
    append(store, NEW, replace(NEW, rank=2, weight=0.25))
    append(store, replace(NEW, status=GENERATED))

    expected = ContactRecord(
        2,
        4,
        (
            replace(NEW, sequence=1),
            replace(NEW, sequence=2, rank=2, weight=0.25),
            replace(NEW, sequence=3, status=GENERATED),
        ),
    )
    assert expected == store.read("bank", "C1")


def test_no_history_is_none_outside_and_empty_inside(store):
    """Reading creates nothing."""
    append(store, NEW)

    with store.transaction() as txn:
        assert ContactRecord() == txn.contact("bank", "C2")
        assert ContactRecord() == txn.contact("shop", "C1")
    assert [store.read("bank", "C2"), store.read("shop", "C1")] == [None, None]


def test_a_transaction_sees_what_it_wrote(store):
    """Decisions of one contact in one transaction go one after the other."""
    with store.transaction() as txn:
        txn.append("bank", "C1", NEW)
        (second,) = txn.append("bank", "C1", NEW)
        txn.update(second.proposition_id, ACCEPTED, None, 2_000)
        seen = txn.contact("bank", "C1")

    assert [(made.sequence, made.status) for made in seen.propositions] == [
        (1, PRESENTED),
        (2, ACCEPTED),
    ]
    assert seen == store.read("bank", "C1")


def test_environments_and_contacts_do_not_mix(store):
    """The same contact id in two environments is two contacts."""
    append(store, NEW)
    append(store, NEW, NEW, environment="shop")
    append(store, NEW, contact="C10")

    counts = [
        len(store.read(environment, contact).propositions)
        for environment, contact in (("bank", "C1"), ("shop", "C1"), ("bank", "C10"))
    ]
    assert counts == [1, 2, 1]


def test_an_exception_aborts_the_whole_transaction(store):
    """Records, numbers, the clock and answers are as they were."""
    append(store, NEW)
    before = store.read("bank", "C1")

    def decide_and_fail():
        with store.transaction() as txn:
            txn.append("bank", "C1", NEW)
            txn.append("shop", "C2", NEW)
            txn.decided_at(9_000)
            raise Interrupted

    with pytest.raises(Interrupted):
        decide_and_fail()

    assert before == store.read("bank", "C1")
    assert store.read("shop", "C2") is None
    with store.transaction() as txn:
        assert txn.decided_at(1) == 1


def test_the_id_of_an_aborted_proposition_is_unknown(store):
    """Its tag is good, and it leads to nothing."""
    made = []

    def decide_and_fail():
        with store.transaction() as txn:
            made.extend(txn.append("bank", "C1", NEW))
            raise Interrupted

    with pytest.raises(Interrupted):
        decide_and_fail()

    with pytest.raises(UnknownProposition), store.transaction() as txn:
        txn.update(made[0].proposition_id, ACCEPTED, None, 2_000)


def test_time_never_goes_back(tmp_path):
    """Not in one process, and not after the store was opened again."""
    with HistoryStore(tmp_path) as store, store.transaction() as txn:
        given = [txn.decided_at(now_ms) for now_ms in (500, 499, 501)]
    with HistoryStore(tmp_path) as store, store.transaction() as txn:
        given += [txn.decided_at(now_ms) for now_ms in (400, 502)]

    assert given == [500, 500, 501, 501, 502]


# The updates that arrive, as (status, event time, received at), and the status after
# them. The proposition is made as PRESENTED with event time 1,000.
RULING_10 = {
    "any to any": ([(ACCEPTED, 2_000, 2_001), (SCHEDULED, 3_000, 3_001)], SCHEDULED),
    "later event wins": (
        [(REJECTED, 3_000, 3_001), (ACCEPTED, 2_000, 3_002)],
        REJECTED,
    ),
    "equal events, later arrival wins": (
        [(REJECTED, 3_000, 3_001), (ACCEPTED, 3_000, 3_002)],
        ACCEPTED,
    ),
    "without event, arrival": (
        [(INTERESTED, None, 2_000), (SCHEDULED, None, 3_000)],
        SCHEDULED,
    ),
    "accepted is not presented again": (
        [(ACCEPTED, None, 2_000), (PRESENTED, None, 3_000)],
        ACCEPTED,
    ),
    "accepted is not generated again": (
        [(ACCEPTED, 2_000, 2_001), (GENERATED, None, 3_000)],
        ACCEPTED,
    ),
    "rejected is not presented again": (
        [(REJECTED, None, 2_000), (PRESENTED, None, 3_000)],
        REJECTED,
    ),
    "rejected is not generated again": (
        [(REJECTED, None, 2_000), (GENERATED, None, 3_000)],
        REJECTED,
    ),
    "unless its event is later": (
        [(ACCEPTED, 2_000, 2_001), (PRESENTED, 2_500, 3_000)],
        PRESENTED,
    ),
    "interested may be presented again": (
        [(INTERESTED, None, 2_000), (PRESENTED, None, 3_000)],
        PRESENTED,
    ),
    "accepted may be rejected": (
        [(ACCEPTED, None, 2_000), (REJECTED, None, 3_000)],
        REJECTED,
    ),
    "no event after a later event": (
        [(REJECTED, 9_000, 2_000), (ACCEPTED, None, 3_000)],
        ACCEPTED,
    ),
    "what arrived counts as its event": (
        [(ACCEPTED, None, 3_000), (REJECTED, 2_000, 3_500)],
        ACCEPTED,
    ),
    "what was ignored does not count": (
        [(ACCEPTED, None, 2_000), (PRESENTED, None, 5_000), (REJECTED, 3_000, 5_500)],
        REJECTED,
    ),
    "what was late does not count": (
        [(ACCEPTED, 4_000, 4_000), (REJECTED, 3_000, 4_100), (SCHEDULED, 3_500, 4_200)],
        ACCEPTED,
    ),
    "a slow clock is heard": ([(ACCEPTED, 900, 1_100)], ACCEPTED),
}


@pytest.mark.parametrize(
    ("updates", "expected"), RULING_10.values(), ids=RULING_10.keys()
)
def test_status_updates(store, updates, expected):
    """Ruling 10, with every change in the log whatever became of it."""
    ((proposition_id, _),) = append(store, NEW)
    returned = None
    for update in updates:
        with store.transaction() as txn:
            returned = txn.update(proposition_id, *update)

    (stored,) = store.read("bank", "C1").propositions
    assert expected == stored.status
    assert stored == returned
    log = (StatusChange(PRESENTED, 1_000, 1_000), *(StatusChange(*u) for u in updates))
    assert log == stored.changes
    assert stored.event_time_ms == 1_000


def test_an_update_touches_one_proposition(store):
    """Its neighbours stay, and the record's version grows."""
    (_, (middle, _), _) = append(store, NEW, NEW, NEW)

    with store.transaction() as txn:
        txn.update(middle, REJECTED, None, 2_000)

    record = store.read("bank", "C1")
    assert [p.status for p in record.propositions] == [PRESENTED, REJECTED, PRESENTED]
    assert (record.version, record.next_sequence) == (2, 4)


def test_an_update_needs_a_status(store):
    """UNSPECIFIED is none."""
    ((proposition_id, _),) = append(store, NEW)

    with pytest.raises(ValueError, match="status"), store.transaction() as txn:
        txn.update(proposition_id, PropositionStatus.UNSPECIFIED, None, 2_000)


def test_a_full_history_is_refused_and_unchanged(store, monkeypatch):
    """One more than fits, and several at once that do not all fit."""
    monkeypatch.setattr(history_transaction, "PROPOSITIONS_MAX", 3)
    append(store, NEW, NEW)
    before = store.read("bank", "C1")

    with pytest.raises(HistoryFull), store.transaction() as txn:
        txn.append("bank", "C1", NEW, NEW)

    assert before == store.read("bank", "C1")
    append(store, NEW)
    with pytest.raises(HistoryFull):
        append(store, NEW)


def test_as_many_propositions_as_promised_fit(store):
    """16,384 of them are stored and read."""
    append(store, *[NEW] * records.PROPOSITIONS_MAX)

    assert len(store.read("bank", "C1").propositions) == 16_384


def test_a_full_status_log_is_refused(store, monkeypatch):
    """A client that repeats itself for ever cannot make a record grow for ever."""
    monkeypatch.setattr(status_changes, "STATUS_CHANGES_MAX", 3)
    ((proposition_id, _),) = append(store, NEW)
    for _ in range(2):
        with store.transaction() as txn:
            txn.update(proposition_id, INTERESTED, None, 2_000)

    with pytest.raises(StatusLogFull), store.transaction() as txn:
        txn.update(proposition_id, ACCEPTED, None, 2_000)


def test_a_damaged_record_is_never_used(tmp_path):
    """One flipped bit in the file is an error that names the record's key."""
    marker = 0x5EED_FACE_5EED_FACE
    with HistoryStore(tmp_path) as store:
        append(store, replace(NEW, interaction=marker))
    path = tmp_path / "data.mdb"
    data = path.read_bytes()
    packed = marker.to_bytes(8, "big")
    assert packed in data
    path.write_bytes(data.replace(packed, (marker ^ 1).to_bytes(8, "big")))

    with HistoryStore(tmp_path) as store:
        remedy = "0001" + "0" * 15 + "1 is damaged .*: run `propono doctor --repair`"
        with pytest.raises(CorruptRecord, match=remedy):
            store.read("bank", "C1")
        with pytest.raises(CorruptRecord):
            append(store, NEW)


def test_a_full_map_is_an_error_and_the_store_goes_on(tmp_path):
    """The transaction that did not fit is gone, what was there is not."""
    with HistoryStore(tmp_path, map_bytes=1 << 20) as store:
        append(store, NEW)

        def append_too_much():
            with store.transaction() as txn:
                for number in range(100_000):
                    txn.append("bank", f"D{number}", NEW)

        with pytest.raises(StoreFailed):
            append_too_much()

        append(store, NEW)
        assert len(store.read("bank", "C1").propositions) == 2


def test_what_cannot_be_a_contact_id_is_refused(store):
    """In reads and in writes."""
    with pytest.raises(InvalidContactId):
        store.read("bank", "")
    with pytest.raises(InvalidContactId):
        append(store, NEW, contact="x" * 257)


def test_a_store_is_opened_once_per_process(tmp_path):
    """LMDB's locks would be lost with the second."""
    with HistoryStore(tmp_path), pytest.raises(StoreFailed, match="already open"):
        HistoryStore(tmp_path)


def test_only_its_owner_reads_a_store(tmp_path):
    """It holds personal data and the keys of proposition ids."""
    with HistoryStore(tmp_path / "history"):
        modes = [
            (tmp_path / "history" / name).stat().st_mode & 0o777
            for name in ("", "data.mdb", "lock.mdb")
        ]

    assert modes == [0o700, 0o600, 0o600]


def test_channel_codes_never_change():
    """They are stored in every proposition."""
    assert {
        Channel.INBOUND_WEB: 1,
        Channel.INBOUND_CALL_CENTER: 2,
        Channel.EMAIL: 3,
        Channel.SMS: 4,
        Channel.PHONE: 5,
        Channel.DIRECT_MAIL: 6,
        Channel.MOBILE_APP: 7,
        Channel.OTHER: 8,
    } == CODE_OF_CHANNEL
    assert set(Channel) == set(CODE_OF_CHANNEL)
    assert list(CHANNEL_OF_CODE) == list(CODE_OF_CHANNEL.values())


def test_status_numbers_are_the_contracts():
    """They are stored in every proposition, and callers send them."""
    assert [
        PropositionStatus.UNSPECIFIED,
        PRESENTED,
        INTERESTED,
        ACCEPTED,
        SCHEDULED,
        REJECTED,
        GENERATED,
    ] == [0, 1, 2, 3, 4, 5, 6]


def test_name_hashes_never_change():
    """They are stored in every proposition."""
    assert name_hash("environments/bank/offers/gold_card") == GOLD_CARD_HASH


GOLD_CARD_HASH = 0x8DD2EAE0416D528B

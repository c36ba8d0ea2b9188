"""A contact whose id is damaged in the store does not come back as a new one."""

from pathlib import Path

import pytest

from contact_store.contact_ids import ContactName
from contact_store.doctor import ContactDoctor, Finding
from contact_store.environment_numbers import find_environment
from contact_store.errors import CorruptRecord
from contact_store.history import HistoryStore
from contact_store.lmdb_env import ReadTxn
from contact_store.quarantine import Quarantine
from contact_store.sealed import seal
from tests.test_history import NEW, append

CONTACTS = 30


def entry(store: HistoryStore, contact: str) -> tuple[bytes, bytes]:
    """Key and value of what a contact's id leads to."""
    with ReadTxn(store.lmdb_env) as txn:
        key = store.tables.find_key(txn, "bank", contact.encode())
        environment_key = find_environment(txn, "bank")
    assert key is not None
    assert environment_key is not None
    contact_key = environment_key + contact.encode()
    return contact_key, seal(contact_key, key)


@pytest.mark.parametrize("count", [1, CONTACTS])
@pytest.mark.parametrize("number", [0, 13, CONTACTS - 1])
def test_no_flipped_bit_of_an_id_makes_a_new_contact(
    tmp_path: Path, count: int, number: int
) -> None:
    """Whichever bit it is, of the first, the last, or another: it is refused."""
    contact = f"contact-{number % count:02d}"
    with HistoryStore(tmp_path) as store:
        for other in range(count):
            append(store, NEW, contact=f"contact-{other:02d}")
        key, value = entry(store, contact)
    path = tmp_path / "data.mdb"
    data = path.read_bytes()
    assert key + value in data
    unseen: list[int] = []
    for bit in range(8 * len(key)):
        flipped = bytearray(key)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data.replace(key + value, bytes(flipped) + value))
        with HistoryStore(tmp_path) as store:
            try:
                append(store, NEW, contact=contact)
                unseen.append(bit)
            except CorruptRecord:
                continue

    assert unseen == []


def test_new_contacts_are_made_beside_whole_ones(tmp_path: Path) -> None:
    """In any order, the first one included."""
    with HistoryStore(tmp_path) as store:
        for contact in ("m", "a", "z", "n", "b"):
            append(store, NEW, contact=contact)

        assert all(store.read("bank", contact) for contact in "abmnz")


def test_nobody_is_merged_whose_id_may_be_damaged(tmp_path: Path) -> None:
    """What is known of it would stay behind."""
    with HistoryStore(tmp_path) as store:
        for contact in ("a", "b", "c"):
            append(store, NEW, contact=contact)
        key, value = entry(store, "b")
    path = tmp_path / "data.mdb"
    path.write_bytes(path.read_bytes().replace(key + value, key[:-1] + b"B" + value))
    merged = ContactName("bank", "b"), ContactName("bank", "a")

    with (
        HistoryStore(tmp_path) as store,
        pytest.raises(CorruptRecord),
        store.transaction() as txn,
    ):
        txn.merge(*merged)


def repair(path: Path) -> list[Finding]:
    with ContactDoctor("history", path, Quarantine(path / "quarantine")) as doctor:
        return list(doctor.examine(lambda *_: None))


def test_a_repair_gives_the_contact_back_and_lets_new_ones_in(tmp_path: Path) -> None:
    """Whichever bit it was: the same record, and nobody beside it is refused."""
    with HistoryStore(tmp_path) as store:
        for other in range(CONTACTS):
            append(store, NEW, contact=f"contact-{other:02d}")
        key, value = entry(store, "contact-13")
    path = tmp_path / "data.mdb"
    data = path.read_bytes()
    for bit in range(8 * len(key)):
        flipped = bytearray(key)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(data.replace(key + value, bytes(flipped) + value))
        found = repair(tmp_path)
        again = repair(tmp_path)
        with HistoryStore(tmp_path) as store:
            for contact in ("contact-13", "contact-12x", "contact-13x"):
                append(store, NEW, contact=contact)
            record = store.read("bank", "contact-13")

        assert all(one.is_repaired for one in found), bit
        assert again == [], bit
        assert record is not None
        assert len(record.propositions) == 2, bit

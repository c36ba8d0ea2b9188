"""The bytes of a history: what earlier versions wrote is read, or refused in words."""

import lmdb
import pytest
from msgspec.structs import replace

from contact_store.errors import StoreFailed
from contact_store.history import HistoryStore
from contact_store.id_keys import add_id_key
from contact_store.lmdb_env import open_lmdb_env
from contact_store.packing import pack_record, unpack_record
from contact_store.records import (
    ColdPart,
    ContactRecord,
    PropositionStatus,
    StatusChange,
)
from contact_store.sealed import seal
from tests.test_history import NEW, append

RECORD = ContactRecord(
    3,
    2,
    (
        replace(
            NEW,
            sequence=1,
            offer=1,
            category=2,
            space=3,
            changes=(StatusChange(PropositionStatus.ACCEPTED, None, 1_001),),
            stored={"amount": 5},
        ),
    ),
    (ColdPart(number=7, last_sequence=640, count=64, newest_ms=1_001, statuses=2),),
)
#: CRC, then [3, 2, [[1, 2^64-1, 1, 2, 3, 1, 1.5, 1, 1, 1000, 1000, ...]], [...]].
PACKED = (
    "01 255483c1 94 03 02 91 9d 01 cfffffffffffffffff 01 02 03 01 cb3ff8000000000000"
    "01 01 cd03e8 cd03e8 91 93 03 c0 cd03e9 81 a6616d6f756e74 05"
    "91 95 07 cd0280 40 cd03e9 02"
)


def test_records_are_stored_in_these_bytes():
    """Stores of this format hold them: a change needs another format, or defaults."""
    packed = pack_record(b"key", RECORD)

    assert bytes.fromhex(PACKED) == packed
    assert unpack_record(b"key", packed) == RECORD


def test_a_record_without_the_last_fields_is_read_with_their_defaults():
    """Fields added at the end do not need another format."""
    payload = bytes.fromhex("93 01 02 91 9b 01 01 01 02 03 01 cb3ff8000000000000")
    payload += bytes.fromhex("01 01 cd03e8 cd03e8")

    (proposition,) = unpack_record(b"key", seal(b"key", payload)).propositions
    assert proposition == replace(
        NEW, sequence=1, interaction=1, offer=1, category=2, space=3
    )


@pytest.mark.parametrize("written", [None, b"\x02", b"\x04"])
def test_a_history_of_another_format_is_refused_with_a_remedy(tmp_path, written):
    """Be it older or newer; the folder stays as it is, and can be moved away."""
    with (
        open_lmdb_env(tmp_path / "history") as lmdb_env,
        lmdb_env.begin(write=True) as txn,
    ):
        add_id_key(txn, bytes)
        if written is not None:
            txn.put(b"format", seal(b"format", written))
    before = (tmp_path / "history" / "data.mdb").read_bytes()

    # Kept, as a caller may: a store that was refused is not open all the same.
    refused = []
    for _ in range(2):
        with pytest.raises(StoreFailed, match="move it away") as info:
            HistoryStore(tmp_path / "history")
        refused.append(info)
    assert before == (tmp_path / "history" / "data.mdb").read_bytes()
    (tmp_path / "history").rename(tmp_path / "old")
    with HistoryStore(tmp_path / "history") as store:
        append(store, NEW)


def test_a_history_of_this_format_says_so(tmp_path):
    """From the moment that it is made."""
    HistoryStore(tmp_path).close()

    with (
        lmdb.open(str(tmp_path), readonly=True, lib_version=0) as lmdb_env,
        lmdb_env.begin() as txn,
    ):
        assert seal(b"format", b"\x03") == txn.get(b"format")

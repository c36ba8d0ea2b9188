"""What a decision that stores nothing reads, when the disk has just failed."""

from pathlib import Path

from contact_store.history import HistoryStore
from tests.test_cold_parts import NEW, append


def test_a_snapshot_is_of_the_store_that_was_opened_again(tmp_path: Path) -> None:
    """LMDB refused everything until it was opened again; its tables are other ones."""
    with HistoryStore(tmp_path) as store:
        append(store, NEW)
        store._lmdb_env.close()
        with store.snapshot() as snapshot:
            record = snapshot.record("bank", "C1")

    assert record is not None
    assert len(record.propositions) == 1

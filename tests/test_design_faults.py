"""The doctor reads the whole design: each damage of it is found and named."""

from pathlib import Path

import lmdb
import pytest
from msgspec.structs import replace

from catalog_store.design_changes import Author
from catalog_store.design_records import Ref
from catalog_store.design_store import DesignStore
from catalog_store.design_values import TABLES, number_key, seal
from catalog_store.records import Category, Environment, UnixMs
from contact_store.doctor import Finding
from server.data_folder import DataFolder
from server.doctor import examine
from tests.bank import NOON_MS
from tests.servers import run

BANK, CARDS = Ref("bank"), Ref("bank", "categories", "cards")


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """Three changes: two records made, one edited, one deleted."""
    made = DataFolder(tmp_path / "data")
    record = Environment(name="bank")
    with DesignStore(made.design) as store:
        for number in range(3):
            with store.changing(Author("x", UnixMs(NOON_MS), "test")) as changing:
                label = f"number {number}"
                changing.transaction.put(BANK, replace(record, label=label))
                if number == 0:
                    changing.transaction.put(CARDS, Category(name="cards"))
                if number == 2:
                    changing.transaction.delete(CARDS)
    return made


def findings(folder: DataFolder) -> list[Finding]:
    return list(examine(folder, NOON_MS, lambda _stage, _done, _total: None))


def test_a_design_in_order_has_no_findings(folder: DataFolder) -> None:
    """Nor has one that is not there, which is not made either."""
    assert findings(folder) == []
    assert findings(DataFolder(folder.root / "none")) == []
    assert not (folder.root / "none").exists()
    run("doctor", "--data", folder.root)


@pytest.mark.parametrize("table", [one for one in TABLES if one != "expiries"])
@pytest.mark.parametrize("how", ["bit", "cut", "removed"])
def test_any_damage_is_found(folder: DataFolder, table: str, how: str) -> None:
    """Of any value: one bit, a shorter value, no value at all."""
    with lmdb.open(str(folder.design), max_dbs=9) as lmdb_env:
        handle = lmdb_env.open_db(table.encode(), create=False)
        with lmdb_env.begin() as txn:
            values = list(txn.cursor(handle))
    assert values
    for key, value in values:
        broken = {
            "bit": value[:-1] + bytes((value[-1] ^ 1,)),
            "cut": value[:-1],
            "removed": None,
        }[how]
        _set(folder, table, key, broken)
        found = findings(folder)
        assert found, (table, key)
        assert {one.store for one in found} == {"design"}
        assert all("restore it" in one.what for one in found)
        _set(folder, table, key, value)
    assert findings(folder) == []


def test_a_state_that_no_change_made_is_found(folder: DataFolder) -> None:
    """Its checksum is right, and it is not what was stored."""
    with lmdb.open(str(folder.design), max_dbs=9) as lmdb_env:
        handle = lmdb_env.open_db(b"entries", create=False)
        key = number_key(2) + b"bank\0\0"
        with lmdb_env.begin() as txn:
            older = txn.get(key, db=handle)
    assert older is not None
    newest = number_key(3) + b"bank\0\0"
    _set(folder, "entries", newest, seal(newest, number_key(2) + older[13:]))
    said = run("doctor", "--data", folder.root, status=1)

    assert [one.what for one in findings(folder)] == [
        "change 3 made something else of it; restore it from a backup"
    ]
    assert "1" in said


def _set(folder: DataFolder, table: str, key: bytes, value: bytes | None) -> None:
    with lmdb.open(str(folder.design), max_dbs=9) as lmdb_env:
        handle = lmdb_env.open_db(table.encode(), create=False)
        with lmdb_env.begin(write=True) as txn:
            if value is None:
                txn.delete(key, db=handle)
            else:
                txn.put(key, value, db=handle)

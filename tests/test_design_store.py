"""Design records on disk: numbered changes, whole or not at all, readable for good."""

import multiprocessing
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.design_changes import Author, Entry
from catalog_store.design_errors import (
    DamagedDesign,
    DesignStoreFailed,
    UnknownChange,
)
from catalog_store.design_records import (
    RECORD_OF_KIND,
    Design,
    Ref,
    Stored,
    Zone,
    catalog_records,
    decode_record,
    encode_record,
)
from catalog_store.design_store import DesignStore
from catalog_store.design_values import RETENTION_MS
from catalog_store.records import Catalog, Offer, Record, UnixMs
from server.files import read_catalog
from tests.bank import NOON_MS, environment, offer
from tests.servers import BANK

BANK_REF = Ref("bank")
GOLD = Ref("bank", "offers", "gold")


def author(at_ms: int = NOON_MS, name: str = "ann") -> Author:
    return Author(name, UnixMs(at_ms), "test")


def change(
    store: DesignStore, changes: dict[Ref, Record | None], at_ms: int = NOON_MS
) -> int:
    with store.changing(author(at_ms)) as changing:
        for ref, record in changes.items():
            if record is None:
                changing.transaction.delete(ref)
            else:
                changing.transaction.put(ref, record)
    return store.version()


def test_a_catalog_comes_back_as_it_was_stored(tmp_path: Path) -> None:
    """The example bank, after the store was closed, in order of name."""
    catalog = read_catalog(BANK).catalog
    with DesignStore(tmp_path) as store:
        change(store, {**catalog_records(catalog)})
    with DesignStore(tmp_path) as store:
        design = store.design()

    assert design.version == 1
    assert {r: s.record for r, s in design.records.items()} == catalog_records(catalog)
    names = [one.name for one in design.catalog.environments[0].offers]
    assert names == sorted(names)
    stored = Catalog(environments=design.catalog.environments)
    assert catalog_records(stored) == catalog_records(catalog)


def test_each_change_can_be_read_again(tmp_path: Path) -> None:
    """Who, when, and each record before and after."""
    gold, dear = offer("gold", 1), offer("gold", 2)
    with DesignStore(tmp_path) as store:
        change(store, {BANK_REF: environment([]), GOLD: gold})
        change(store, {GOLD: dear}, NOON_MS + 1)
        change(store, {GOLD: None}, NOON_MS + 2)
        change(store, {GOLD: gold}, NOON_MS + 3)

        assert [store.change(n).author.at_ms - NOON_MS for n in (2, 3, 4)] == [1, 2, 3]
        assert store.change(1).author == author()
        assert store.change(2).entries == (Entry(GOLD, gold, dear),)
        assert store.change(3).entries == (Entry(GOLD, dear, None),)
        assert store.change(4).entries == (Entry(GOLD, None, gold),)
        assert list(store.entries_of(GOLD)) == [
            (4, Stored(gold, 4)),
            (3, None),
            (2, Stored(dear, 2)),
            (1, Stored(gold, 1)),
        ]
        for unknown in (0, 5, -1, 2**70):
            with pytest.raises(UnknownChange):
                store.change(unknown)


def test_what_is_equal_is_no_change(tmp_path: Path) -> None:
    """Neither a number nor an etag is used up by it."""
    with DesignStore(tmp_path) as store:
        first = change(store, {BANK_REF: environment([]), GOLD: offer("gold", 1)})
        second = change(store, {GOLD: offer("gold", 1)})

        assert (first, second) == (1, 1)
        assert store.design().records[GOLD].etag == "1"


def test_an_exception_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """The block that raises has changed nothing."""
    with DesignStore(tmp_path) as store:
        change(store, {BANK_REF: environment([])})
        with pytest.raises(KeyError):
            _put_and_raise(store)

        assert store.version() == 1
        assert GOLD not in store.design().records


def _put_and_raise(store: DesignStore) -> None:
    with store.changing(author()) as changing:
        changing.transaction.put(GOLD, offer("gold"))
        raise KeyError


def test_a_full_store_says_so_and_keeps_what_it_has(tmp_path: Path) -> None:
    """The whole change is refused."""
    with DesignStore(tmp_path, map_bytes=1 << 20) as store:
        change(store, {BANK_REF: environment([])})
        large = {
            Ref("bank", "offers", f"o{n}"): offer(f"o{n}", content={"t": "x" * 60_000})
            for n in range(40)
        }
        with pytest.raises(DesignStoreFailed):
            change(store, {**large})

        assert store.version() == 1
        assert change(store, {GOLD: offer("gold")}) == 2


def test_what_was_deleted_is_listed_for_a_month(tmp_path: Path) -> None:
    """Until it is made again, or RETENTION_MS later."""
    silver = Ref("bank", "offers", "silver")
    later = UnixMs(NOON_MS + RETENTION_MS)
    with DesignStore(tmp_path) as store:
        made = {BANK_REF: environment([]), GOLD: offer("gold"), silver: offer("silver")}
        change(store, {**made})
        change(store, {GOLD: None, silver: None})
        found = store.deleted(NOON_MS)

        assert found.keys() == {GOLD, silver}
        assert found[GOLD].stored == Stored(offer("gold"), 1)
        assert found[GOLD].deleted_at_ms == NOON_MS
        change(store, {GOLD: offer("gold")}, NOON_MS + 1)
        assert store.deleted(later).keys() == {silver}
        assert store.deleted(UnixMs(later + 1)) == {}
        change(store, {GOLD: None}, later + 1)
        assert store.deleted(later).keys() == {GOLD}


def test_the_cached_design_is_given_back_while_it_holds(tmp_path: Path) -> None:
    """And another process's change is seen."""
    with DesignStore(tmp_path) as store:
        change(store, {BANK_REF: environment([])})
        known = store.design()

        assert store.design(known) is known
        process = multiprocessing.get_context("spawn").Process(
            target=_elsewhere, args=(tmp_path,)
        )
        process.start()
        process.join(60)
        assert process.exitcode == 0
        assert store.design(known).records.keys() == {BANK_REF, GOLD}


def _elsewhere(path: Path) -> None:
    with DesignStore(path) as store:
        change(store, {GOLD: offer("gold")})


@pytest.mark.parametrize("table", ["records", "changes", "entries"])
def test_every_damaged_value_is_noticed(tmp_path: Path, table: str) -> None:
    """A flipped byte anywhere is DamagedDesign, and nothing of the value is used."""
    with DesignStore(tmp_path) as store:
        change(store, {BANK_REF: environment([]), GOLD: offer("gold")})
    with lmdb.open(str(tmp_path), max_dbs=5, lib_version=0) as raw:
        handle = raw.open_db(table.encode())
        with raw.begin() as txn:
            key, value = next(iter(txn.cursor(handle)))
        for place in {*range(13), *range(13, len(value), 7)}:
            broken = bytearray(value)
            broken[place] ^= 0x40
            with raw.begin(write=True) as txn:
                txn.put(key, bytes(broken), db=handle)
            raw.close()
            with DesignStore(tmp_path) as store, pytest.raises(DamagedDesign):
                _ = store.design(), store.change(1)
            raw = lmdb.open(str(tmp_path), max_dbs=5, lib_version=0)
            handle = raw.open_db(table.encode())
        raw.close()


def test_every_kind_of_record_is_encoded_and_decoded() -> None:
    """With the order of texts forgotten, so that equal records have equal bytes."""
    one = offer("gold", content={"a": "1", "b": "2"})
    other = replace(one, content={"b": "2", "a": "1"})

    assert encode_record(one) == encode_record(other)
    assert decode_record("offers", encode_record(one)) == one
    zone = Zone(name="home", spaces=("banner",))
    assert decode_record("zones", encode_record(zone)) == zone
    assert RECORD_OF_KIND.keys() == {
        "", "categories", "golden_decisions", "offers", "presentation_rules", "quotas",
        "segments", "spaces", "typologies", "zones", "approvals",
    }  # fmt: skip


_REFS = st.sampled_from(
    [Ref(e) for e in "ab"] + [Ref(e, "offers", n) for e in "ab" for n in "xyz"]
)


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.dictionaries(_REFS, st.integers(0, 3), max_size=4), max_size=6))
def test_a_design_changed_is_the_design_made_anew(
    changes: list[dict[Ref, int]],
) -> None:
    """Whatever is put and deleted, in whichever order; 0 deletes."""
    design = Design.of(0, {})
    for version, change_ in enumerate(changes, start=1):
        records: dict[Ref, Record | None] = {
            ref: None if value == 0 else _record(ref, value)
            for ref, value in change_.items()
        }
        # An environment goes last: nothing is left without one.
        for ref in list(design.records):
            if ref.kind and records.get(Ref(ref.environment), ...) is None:
                records[ref] = None
        for ref in list(records):
            gone = Ref(ref.environment) not in design.records
            if ref.kind and gone and records.get(Ref(ref.environment)) is None:
                del records[ref]
        design = design.changed(records, version)

        assert design == Design.of(version, design.records)


def _record(ref: Ref, value: int) -> Record:
    if not ref.kind:
        return replace(environment([]), name=ref.environment, label=str(value))
    return Offer(name=ref.name, label=str(value), category="all")

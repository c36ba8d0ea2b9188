"""The past of the design: every state that it had can be read, listed and shown."""

import json
from collections.abc import Generator
from pathlib import Path

import lmdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.design_errors import DamagedDesign, UnknownChange
from catalog_store.design_records import Design, Ref, catalog_records
from catalog_store.design_store import DesignStore
from catalog_store.records import Catalog, Record
from server.client import CallFailed
from tests.approvals import NAME, bank, records_of
from tests.bank import environment, offer
from tests.design_admin import BY_ORDER as NOUNS_BY_ORDER
from tests.design_admin import DesignAdmin, create, design_admin, name_of
from tests.servers import BANK, run
from tests.test_design_store import BANK_REF, GOLD, change

_REFS = [BANK_REF, *(Ref("bank", "offers", name) for name in "xyz")]


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path) as made:
        yield made


@settings(derandomize=True, deadline=None, max_examples=50)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(_REFS), st.integers(0, 3), max_size=4),
        max_size=8,
    )
)
def test_every_state_that_the_design_had_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, edits: list[dict[Ref, int]]
) -> None:
    """All of it, and one record at a time; whatever was put and deleted since."""
    states = [Design.of(0, {})]
    with DesignStore(tmp_path_factory.mktemp("design")) as store:
        for edit in [{BANK_REF: 1}, *edits]:
            known = states[-1].records
            changes: dict[Ref, Record | None] = {}
            for ref, value in edit.items():
                if value or (ref in known and ref != BANK_REF):
                    changes[ref] = _record(ref, value) if value else None
            if change(store, changes) == len(states):
                states.append(store.design())

        for version, state in enumerate(states):
            assert store.design_at(version) == state
            for ref in _REFS:
                assert store.record_at(ref, version) == state.records.get(ref)
        with pytest.raises(UnknownChange):
            store.design_at(len(states))
        numbers = [one.version for one in store.log(2**63, None, 100, 0)]
        assert numbers == list(range(len(states) - 1, 0, -1))
        for ref in _REFS:
            changed = [
                version
                for version in numbers
                if states[version].records.get(ref)
                != states[version - 1].records.get(ref)
            ]
            assert [o.version for o in store.log(2**63, ref, 100, 0)] == changed


def _record(ref: Ref, value: int) -> Record:
    if not ref.kind:
        return replace(environment([]), label=str(value))
    return offer(ref.name, value)


def test_a_damaged_state_is_no_state(tmp_path: Path) -> None:
    """DamagedDesign, whichever of the states before it is asked for."""
    with DesignStore(tmp_path) as store:
        change(store, {BANK_REF: environment([]), GOLD: offer("gold")})
        change(store, {GOLD: offer("gold", 2)})
    with lmdb.open(str(tmp_path), max_dbs=5, lib_version=0) as raw:
        handle = raw.open_db(b"entries")
        with raw.begin(write=True) as txn:
            key, value = next(reversed(list(txn.cursor(handle))))
            txn.put(key, value[:-1] + b"?", db=handle)
    with DesignStore(tmp_path) as store:
        assert store.record_at(GOLD, 1) is not None
        for read in (
            lambda: store.design_at(2),
            lambda: store.record_at(GOLD, 2),
            lambda: store.log(2**63, None, 1, 1),
        ):
            with pytest.raises(DamagedDesign):
                read()


def test_changes_are_listed_newest_first(admin: DesignAdmin) -> None:
    """Who, when, by which method, what of which records; page by page."""
    for noun in NOUNS_BY_ORDER:
        create(admin, noun)
        admin.clock.now_ms += 1_000
    offers = next(noun for noun in NOUNS_BY_ORDER if noun.field == "offer")
    admin.call("UpdateOffer", offer={"name": name_of(offers), "label": "Silver"},
               update_mask={"paths": ["label"]})  # fmt: skip
    first = admin.call("ListDesignChanges", page_size=1)
    newest = first.design_changes[0]

    assert newest.number == len(NOUNS_BY_ORDER) + 1
    assert (newest.author, newest.method) == ("anyone", "UpdateOffer")
    assert newest.change_time.ToMilliseconds() == admin.clock.now_ms
    [one] = newest.changes
    assert (one.name, list(one.fields)) == (name_of(offers), ["label"])
    rest = admin.call("ListDesignChanges", page_token=first.next_page_token)
    numbers = [one.number for one in rest.design_changes]
    assert numbers == list(range(newest.number - 1, 0, -1))
    assert rest.next_page_token == ""
    own = admin.call("ListDesignChanges", record=name_of(offers)).design_changes
    assert [one.method for one in own] == ["UpdateOffer", "CreateOffer"]
    shown = admin.call("GetDesignChange", name=newest.name).design_change
    assert shown == newest


def test_a_large_change_is_listed_by_its_first_records(admin: DesignAdmin) -> None:
    """And counted; by itself it shows more of them."""
    record = environment([offer(f"o{n}") for n in range(30)])
    admin.apply(catalog_records(Catalog(environments=(record,))))
    [listed] = admin.call("ListDesignChanges").design_changes
    shown = admin.call("GetDesignChange", name="designChanges/1").design_change

    assert listed.record_count == shown.record_count == len(shown.changes)
    assert len(listed.changes) == 10


def test_a_record_is_shown_as_it_was(admin: DesignAdmin) -> None:
    """Every noun, zones too; with the change that made it so."""
    for number, noun in enumerate(NOUNS_BY_ORDER, start=1):
        made = create(admin, noun)
        answer = admin.call("GetDesignRecord", name=made.name)
        assert answer.design_version == number
        assert getattr(answer, noun.field) == made
    offers = next(noun for noun in NOUNS_BY_ORDER if noun.field == "offer")
    name = name_of(offers)
    before = admin.call("GetOffer", name=name).offer
    last = len(NOUNS_BY_ORDER)
    admin.call("UpdateOffer", offer={"name": name, "label": "Silver"},
               update_mask={"paths": ["label"]})  # fmt: skip

    was = admin.call("GetDesignRecord", name=name, design_version=last)
    assert (was.offer.label, was.design_version) == ("Gold", int(before.etag))
    now = admin.call("GetDesignRecord", name=name)
    assert (now.offer.label, now.design_version) == ("Silver", last + 1)


@pytest.mark.parametrize(
    ("method", "fields", "refusal"),
    [
        ("ListDesignChanges", {"page_size": -1}, "INVALID_ARGUMENT"),
        ("ListDesignChanges", {"page_token": "x"}, "INVALID_ARGUMENT"),
        ("ListDesignChanges", {"page_token": "9" * 30}, "INVALID_ARGUMENT"),
        ("ListDesignChanges", {"record": "offers/gold"}, "INVALID_ARGUMENT"),
        ("ListDesignChanges", {"record": "environments/b/cars/x"}, "INVALID_ARGUMENT"),
        ("GetDesignChange", {"name": "designChanges/7"}, "NOT_FOUND"),
        ("GetDesignChange", {"name": "designChanges/0"}, "NOT_FOUND"),
        ("GetDesignChange", {"name": "revisions/1"}, "INVALID_ARGUMENT"),
        ("GetDesignRecord", {"name": "environments/bank"}, "NOT_FOUND"),
        ("GetDesignRecord", {"name": "environments//offers/"}, "INVALID_ARGUMENT"),
        (
            "GetDesignRecord",
            {"name": "environments/bank", "design_version": 2**64 - 1},
            "NOT_FOUND",
        ),
        ("ExportCatalog", {"design_version": 2**63}, "NOT_FOUND"),
    ],
)
def test_what_never_was_is_not_found(
    admin: DesignAdmin, method: str, fields: dict[str, object], refusal: str
) -> None:
    """And what is no name is said to be none."""
    if method == "ExportCatalog":
        with pytest.raises(CallFailed, match="the design has no change") as raised:
            admin.export(**fields)
        assert raised.value.code == refusal
        return
    assert admin.refused(method, **fields)[0] == refusal


@pytest.mark.parametrize("way", ["in the folder", "over the port"])
def test_commands_show_the_past(tmp_path: Path, admin: DesignAdmin, way: str) -> None:
    """Log, a record, a comparison; and the way back with two commands."""
    token = tmp_path / "token"
    token.write_text("any")
    at: tuple[object, ...] = ("--data", tmp_path)
    if way == "over the port":
        at = (*at, "--admin-server", admin.address, "--token-file", token)
    run("catalog", "apply", BANK, "--yes", *at)
    name = "environments/recipient/segments/affluent"
    admin.call("UpdateSegment", segment={"name": name, "rule": "true"},
               update_mask={"paths": ["rule"]})  # fmt: skip

    newest, oldest = json.loads(run("catalog", "log", *at, "--output", "json"))
    assert newest["changes"] == [{"action": "update", "name": name, "fields": ["rule"]}]
    assert (newest["change"], newest["author"]) == (2, "anyone")
    assert oldest["record_count"] > 60
    assert f"~ {name} (rule)" in " ".join(run("catalog", "log", name, *at).split())
    assert "and " in run("catalog", "log", "--limit", 5, *at)

    shown = json.loads(run("catalog", "show", name, "--at", 1, *at, "--output", "json"))
    assert shown["rule"] != "true"
    assert "true" in run("catalog", "show", name, *at)
    assert "no change 9" in run("catalog", "show", name, "--at", 9, *at, status=1)

    said = run("catalog", "diff", "design@1", "design", "--data", tmp_path)
    assert name in said
    run("catalog", "export", tmp_path / "was", "--at", 1, *at)
    run("catalog", "apply", tmp_path / "was", "--prune", "--yes", *at)
    assert "nothing differs" in run(
        "catalog", "diff", "design@1", "design", "--data", tmp_path
    )


def test_approvals_are_shown_as_their_offers(tmp_path: Path) -> None:
    """They have no name of their own; nobody who lists changes meets an error."""
    with design_admin(tmp_path) as admin:
        admin.apply(records_of(bank()))
        admin.call("SubmitForApproval", name=NAME)
        newest = admin.call("ListDesignChanges").design_changes[0]

    assert [(one.name, list(one.fields)) for one in newest.changes] == [
        (NAME, ["approvals"])
    ]

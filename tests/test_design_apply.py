"""A whole catalog made the design, over the wire: all of it, or nothing."""

from collections import Counter
from collections.abc import Generator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.design_records import Ref, catalog_records
from catalog_store.records import Quota, QuotaPeriod, Record, Segment
from server.client import CallFailed
from server.design import catalog_methods
from server.design.nouns import NOUN_OF_FIELD
from server.design.translation import record_of
from server.files import read_catalog
from server.wire import admin_pb2 as pb
from tests.design_admin import PARENT, DesignAdmin, design_admin
from tests.message_mutation import flipped, mutate
from tests.servers import BANK
from tests.test_design_bad_input import ABOUT_THE_REQUEST, MUTATIONS, SEED

QUOTA = Ref("recipient", "quotas", "gold_a_day")
CARD = Ref("recipient", "offers", "gold_card")


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def bank() -> dict[Ref, Record]:
    quota = Quota(name="gold_a_day", limit=5, period=QuotaPeriod.DAY)
    records = catalog_records(read_catalog(BANK).catalog)
    return {**records, QUOTA: quota}


def exported(admin: DesignAdmin) -> dict[Ref, Record]:
    found: dict[Ref, Record] = {}
    for part in admin.export():
        for sent in part.records:
            field = sent.WhichOneof("record")
            noun, message = NOUN_OF_FIELD[field], getattr(sent, field)
            ref = noun.ref_of(message.name)
            found[ref] = record_of(noun, message, ref, "")
    return found


def told(answer: Any) -> list[tuple[int, str, list[str]]]:
    return [(one.action, one.name, list(one.fields)) for one in answer.changes]


def test_a_catalog_is_applied_once(admin: DesignAdmin, bank: dict[Ref, Record]) -> None:
    """What was applied is exported; applied again, it changes nothing."""
    first = admin.apply(bank)
    again = admin.apply(bank)

    assert (first.design_version, first.create_count) == (1, len(bank))
    assert first.update_count == first.delete_count == first.unchanged_count == 0
    assert {one.action for one in first.changes} == {pb.DESIGN_ACTION_CREATE}
    assert exported(admin) == bank
    assert again.design_version == 1
    assert again.unchanged_count == len(bank)
    assert told(again) == []


def test_what_differs_is_told_with_its_fields(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """Deletions, then updates, then creations; fields as the contract names them."""
    admin.apply(bank)
    segment = Ref("recipient", "segments", "new_one")
    changed = {
        **bank,
        CARD: replace(bank[CARD], label="Other", enabled=False),
        segment: Segment(name="new_one", rule="true"),
    }
    del changed[QUOTA]
    kept = admin.apply(changed, validate_only=True)
    answer = admin.apply(changed, prune=True)

    expected = [
        (
            pb.DESIGN_ACTION_UPDATE,
            "environments/recipient/offers/gold_card",
            ["label", "disabled"],
        ),
        (pb.DESIGN_ACTION_CREATE, "environments/recipient/segments/new_one", []),
    ]
    deleted = "environments/recipient/quotas/gold_a_day"
    assert told(kept) == expected
    assert told(answer) == [(pb.DESIGN_ACTION_DELETE, deleted, []), *expected]
    assert (kept.design_version, answer.design_version) == (1, 2)
    assert exported(admin) == changed
    assert answer.unchanged_count == len(bank) - 2


def test_zones_are_pruned_with_their_environment_only(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """Catalogs have none, so that their absence says nothing."""
    admin.apply(bank)
    spaces = [next(ref.name for ref in bank if ref.kind == "spaces")]
    parent = "environments/recipient"
    admin.call("CreateZone", parent=parent, zone_id="top", zone={"spaces": spaces})
    name = f"{parent}/zones/top"
    admin.apply(bank, prune=True)

    assert admin.call("GetZone", name=name).zone.spaces == spaces
    visitor = {ref: one for ref, one in bank.items() if ref.environment == "visitor"}
    answer = admin.apply(visitor, prune=True)
    assert name in {one.name for one in answer.changes}
    assert {ref.environment for ref in exported(admin)} == {"visitor"}
    assert admin.refused("ListZones", parent=parent)[0] == "NOT_FOUND"


def test_a_catalog_with_a_mistake_changes_nothing(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """Not even what is right in it."""
    admin.apply(bank)
    wrong = {
        **bank,
        CARD: replace(bank[CARD], rule="contact.agee > 1"),
        Ref("recipient", "segments", "new_one"): Segment(name="new_one", rule="true"),
    }
    with pytest.raises(CallFailed) as raised:
        admin.apply(wrong)

    assert (raised.value.code, raised.value.reason) == (
        "INVALID_ARGUMENT",
        "INVALID_REQUEST",
    )
    assert str(raised.value).startswith("environments/recipient/offers/gold_card: rule")
    assert exported(admin) == bank


def test_a_plan_is_applied_to_the_design_that_it_was_made_for(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """Another version is ABORTED, with the reason DESIGN_CHANGED."""
    planned = admin.apply(bank, validate_only=True)
    assert planned.design_version == 0
    admin.call("CreateEnvironment", environment_id="other", environment={})
    with pytest.raises(CallFailed) as raised:
        admin.apply(bank, design_version=planned.design_version)

    assert (raised.value.code, raised.value.reason) == ("ABORTED", "DESIGN_CHANGED")
    assert "compare it again" in str(raised.value)
    current = admin.apply(bank, validate_only=True).design_version
    assert admin.apply(bank, design_version=current).design_version == current + 1


@pytest.mark.parametrize(
    ("requests", "said"),
    [
        ([{"records": [{}]}], "records[0]: is empty"),
        ([{"records": [{"offer": {"name": "x"}}]}], "records[0].offer.name"),
        (
            [{"records": [{"segment": {"name": f"{PARENT}/segments/a"}}]}],
            "environments/bank: is no environment",
        ),
        (
            [{"records": [{"environment": {"name": PARENT}}]}] * 2,
            "records[1]: is sent twice",
        ),
        (
            [{"options": {"prune": True}}, {"options": {}}],
            "options: stand in the first message only",
        ),
        ([{"records": [{"quota": {"name": f"{PARENT}/quotas/a"}}]}], "quota.period"),
    ],
)
def test_wrong_requests_are_told(
    admin: DesignAdmin, requests: list[Any], said: str
) -> None:
    """INVALID_ARGUMENT with the record; nothing is stored."""
    sent = [pb.ApplyCatalogRequest(**one).SerializeToString() for one in requests]
    with pytest.raises(CallFailed) as raised:
        admin.stream(sent)

    assert raised.value.code == "INVALID_ARGUMENT"
    assert said in str(raised.value)
    assert exported(admin) == {}


def test_what_is_sent_is_bounded(
    admin: DesignAdmin, bank: dict[Ref, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message, and all of them together."""
    label = "x" * 300_000
    offer = pb.DesignRecord(offer={"name": f"{PARENT}/offers/a", "label": label})
    large = pb.ApplyCatalogRequest(records=[offer]).SerializeToString()
    with pytest.raises(CallFailed) as raised:
        admin.stream([large])
    assert "and more messages" in str(raised.value)

    monkeypatch.setattr(catalog_methods, "CATALOG_BYTES_MAX", 2_000)
    with pytest.raises(CallFailed) as raised:
        admin.apply(bank)
    assert "in all" in str(raised.value)


def test_a_large_design_is_exported_in_parts(
    admin: DesignAdmin, bank: dict[Ref, Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of them bounded, all of one version."""
    admin.apply(bank)
    monkeypatch.setattr(catalog_methods, "PART_BYTES_MAX", 2_000)
    parts = admin.export()

    assert len(parts) > 3
    assert {part.design_version for part in parts} == {1}
    assert all(len(p.records) == 1 or p.ByteSize() < 2_100 for p in parts)
    assert exported(admin) == bank


def test_mutated_catalogs_are_answered(
    admin: DesignAdmin, bank: dict[Ref, Record]
) -> None:
    """With a code about the request, never UNKNOWN or INTERNAL; the seed is printed."""
    random = Random(f"{SEED}/ApplyCatalog")
    print(f"PROPONO_SEED={SEED}")
    admin.apply(bank)
    all_of_it = pb.ApplyCatalogRequest(
        records=[one for part in admin.export() for one in part.records]
    )
    codes: Counter[str] = Counter()
    strange: list[tuple[str, str]] = []
    for _ in range(MUTATIONS):
        request = pb.ApplyCatalogRequest()
        request.CopyFrom(all_of_it)
        mutate(random, random.choice(request.records))
        mutate(random, request)
        data = request.SerializeToString()
        if random.random() < 0.2:
            data = flipped(random, data)
        try:
            admin.stream([data])
            codes["OK"] += 1
        except CallFailed as failure:
            codes[failure.code] += 1
            if failure.code not in ABOUT_THE_REQUEST or not failure.reason:
                strange.append((failure.code, str(failure)))

    assert strange == []
    assert codes["INVALID_ARGUMENT"], codes

"""The design over a real admin port: every noun, every method, every refusal."""

import multiprocessing
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from msgspec.structs import replace

from catalog_store.design_changes import Author
from catalog_store.design_records import Ref, Stored
from catalog_store.design_store import DesignStore
from catalog_store.records import UnixMs
from server.client import CallFailed
from server.design.nouns import NOUNS, Noun
from server.design.translation import message_of
from server.wire import catalog_pb2 as pb
from tests.bank import NOON_MS
from tests.design_admin import (
    BY_ORDER,
    PARENT,
    SAMPLES,
    DesignAdmin,
    create,
    design_admin,
    name_of,
)
from tests.servers import DEADLINE_SECONDS


@pytest.fixture
def admin(tmp_path: Path) -> Generator[DesignAdmin]:
    with design_admin(tmp_path) as made:
        yield made


@pytest.fixture
def bank(admin: DesignAdmin) -> DesignAdmin:
    """An environment with one of everything."""
    for noun in BY_ORDER:
        create(admin, noun)
    return admin


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: noun.field)
def test_a_resource_lives_through_all_its_methods(
    bank: DesignAdmin, noun: Noun
) -> None:
    """Created, read, listed, changed, deleted, read as deleted, and made again."""
    name, one = name_of(noun), noun.singular
    read = getattr(bank.call(f"Get{one}", name=name), noun.field)
    expected = type(read)(**SAMPLES[noun.field])
    parent = {"parent": PARENT} if noun.kind else {}

    assert read.name == name
    listed = getattr(bank.call(f"List{noun.plural}", **parent), noun.fields)
    assert list(listed) == [read]
    read.label = "Another label"
    changed = bank.call(f"Update{one}", **{noun.field: read})
    changed = getattr(changed, noun.field)
    assert changed.label == "Another label"
    assert changed.etag != read.etag
    for field in SAMPLES[noun.field]:
        if field != "label":
            assert getattr(changed, field) == getattr(expected, field)
    for user in reversed(BY_ORDER[BY_ORDER.index(noun) :]):
        bank.call(f"Delete{user.singular}", name=name_of(user))
    gone = getattr(bank.call(f"Get{one}", name=name), noun.field)
    assert gone.delete_time.ToMilliseconds() == NOON_MS
    if noun.kind:
        assert not getattr(bank.call(f"List{noun.plural}", **parent), noun.fields)
        again = create(bank, noun)
        assert again.etag > gone.etag


def test_creating_what_is_there_is_refused(bank: DesignAdmin) -> None:
    """ALREADY_EXISTS, for every noun, and what is there stays."""
    for noun in BY_ORDER:
        with pytest.raises(CallFailed) as raised:
            create(bank, noun)
        assert (raised.value.code, raised.value.reason) == (
            "ALREADY_EXISTS",
            "NAME_TAKEN",
        )


def test_what_is_in_use_cannot_be_deleted(bank: DesignAdmin) -> None:
    """FAILED_PRECONDITION names what refers to it, whatever kind that is."""
    users = {
        "environment": "environments/bank/offers/sample",
        "category": "environments/bank/offers/sample: category",
        "space": "environments/bank/zones/sample: spaces[0]",
        "offer": "environments/bank/presentationRules/sample: offers[0]",
        "presentation_rule": "environments/bank/typologies/sample: rules[0]",
    }
    for noun in BY_ORDER:
        if noun.field not in users:
            continue
        code, reason, text = bank.refused(f"Delete{noun.singular}", name=name_of(noun))
        assert (code, reason) == ("FAILED_PRECONDITION", "STILL_IN_USE")
        assert users[noun.field] in text
        assert bank.call(f"Get{noun.singular}", name=name_of(noun))


@pytest.mark.parametrize(
    ("fields", "where", "said"),
    [
        ({"rule": "contact.agee > 1"}, "offer.rule", "did you mean 'age'"),
        ({"category": "no"}, "offer.category", "unknown category 'no'"),
        ({"spaces": ["x"]}, "offer.spaces[0]", "unknown space"),
        ({"weights": [{"weight": -1}]}, "offer.weights[0].weight", "not a weight"),
        ({"weights": [{"formula": "1 +"}]}, "offer.weights[0].weight", "column 4"),
        ({"content": {"title": "{{ x }}"}}, "offer.content.title", "x"),
        ({"weights": [{}]}, "offer.weights[0].weight", "is required"),
    ],
)
def test_a_change_is_validated_by_the_compiler(
    bank: DesignAdmin, fields: dict[str, Any], where: str, said: str
) -> None:
    """INVALID_ARGUMENT with the field in the request; nothing is stored."""
    offer = {"name": f"{PARENT}/offers/sample", **SAMPLES["offer"], **fields}
    before = bank.call("GetOffer", name=offer["name"])
    for method, asked in (
        ("UpdateOffer", {"offer": offer}),
        ("CreateOffer", {"parent": PARENT, "offer_id": "other", "offer": offer}),
    ):
        code, reason, text = bank.refused(method, **asked)
        assert (code, reason) == ("INVALID_ARGUMENT", "INVALID_REQUEST")
        assert text.startswith(where), text
        assert said in text

    assert bank.call("GetOffer", name=offer["name"]) == before
    assert len(bank.call("ListOffers", parent=PARENT).offers) == 1


def test_a_change_is_refused_for_what_it_does_to_others(bank: DesignAdmin) -> None:
    """An attribute that rules name cannot go; each rule is told."""
    environment = {"name": PARENT, "default": True}
    code, _, text = bank.refused("UpdateEnvironment", environment=environment)

    assert code == "INVALID_ARGUMENT"
    assert "environments/bank/categories/sample: rule" in text
    assert "environments/bank/segments/sample: rule" in text
    assert "environments/bank/offers/sample: weights[1].weight" in text


def test_every_mistake_is_told_within_what_a_client_takes(admin: DesignAdmin) -> None:
    """Trailers of more than 8 KiB would be an error of the connection instead."""
    create(admin, BY_ORDER[0])
    rows = [{"formula": f"contact.no{n} + contact.nor{n}"} for n in range(200)]
    rule = {"channel": 1, "label": "x" * 201}
    category = {"weights": rows, "rule": "é" * 1_000}
    code, _, text = admin.refused(
        "CreateCategory", parent=PARENT, category_id="a", category=category
    )

    assert code == "INVALID_ARGUMENT"
    assert "more mistakes are not shown" in text
    code, _, text = admin.refused(
        "CreateSpace", parent=PARENT, space_id="a", space=rule
    )
    assert text.startswith("space.label: 201 characters")


def test_a_mask_changes_its_fields_alone(bank: DesignAdmin) -> None:
    """Fields, parts of messages, keys of mappings; what is not sent is cleared."""
    name = f"{PARENT}/offers/sample"

    def update(paths: list[str], **fields: Any) -> Any:
        offer = {"name": name, "label": "not this", **fields}
        mask = FieldMask(paths=paths)
        return bank.call("UpdateOffer", offer=offer, update_mask=mask).offer

    changed = update(["content.title", "disabled"], content={"title": "New"})
    assert changed.content == {"title": "New"}
    assert changed.label == "Gold"
    assert len(changed.weights) == 2
    window = {"start_time": {"seconds": 10}, "end_time": {"seconds": 20}}
    update(["window"], window=window)
    changed = update(["window.start_time"])
    assert not changed.window.HasField("start_time")
    assert changed.window.end_time.seconds == 20
    assert dict(update(["content.title"]).content) == {}
    assert update(["*"], category="sample").label == "not this"
    for paths in (
        ["name"], ["etag"], ["approval"], ["no"], ["weights.rule"], ["label.x"],
        ["window.start_time.seconds"], [""], ["content"] * 2 + ["."], ["*", "label"],
        [f"content.a{n}" for n in range(101)],
    ):  # fmt: skip
        with pytest.raises(CallFailed) as raised:
            update(paths)
        assert raised.value.code == "INVALID_ARGUMENT", paths
        assert str(raised.value).startswith("update_mask"), paths


def test_validate_only_changes_nothing(bank: DesignAdmin) -> None:
    """It answers what would be stored, or why it would not be."""
    name = f"{PARENT}/offers/sample"
    before = bank.call("GetOffer", name=name)
    offer = {**SAMPLES["offer"], "name": name, "label": "Other"}
    seen = bank.call("UpdateOffer", offer=offer, validate_only=True)
    made = {"parent": PARENT, "offer_id": "new", "offer": offer}
    created = bank.call("CreateOffer", **made, validate_only=True)

    assert seen.offer.label == "Other"
    assert created.offer.name == f"{PARENT}/offers/new"
    assert bank.call("GetOffer", name=name) == before
    assert bank.refused("GetOffer", name=f"{PARENT}/offers/new")[0] == "NOT_FOUND"
    wrong = {**made, "offer": {**offer, "category": "x"}, "validate_only": True}
    assert bank.refused("CreateOffer", **wrong)[0] == "INVALID_ARGUMENT"


def test_a_stale_etag_is_aborted(bank: DesignAdmin) -> None:
    """ETAG_MISMATCH for updates and deletions; without an etag the last one wins."""
    name = f"{PARENT}/segments/sample"
    first = bank.call("GetSegment", name=name).segment
    first.label = "Mine"
    second = bank.call("UpdateSegment", segment=first).segment
    first.label = "Late"

    for method, asked in (
        ("UpdateSegment", {"segment": first}),
        ("DeleteSegment", {"name": name, "etag": first.etag}),
    ):
        code, reason, text = bank.refused(method, **asked)
        assert (code, reason) == ("ABORTED", "ETAG_MISMATCH")
        assert "read it again" in text
    first.etag = ""
    assert bank.call("UpdateSegment", segment=first).segment.label == "Late"
    assert second.label == "Mine"


def test_two_admins_at_once_never_lose_an_update(bank: DesignAdmin) -> None:
    """Each of them reads, adds a theme and writes; every theme is there at the end."""
    name = f"{PARENT}/categories/sample"
    refusals: list[str] = []

    def edit(who: int) -> None:
        with grpc.insecure_channel(bank.address) as channel:
            mine = DesignAdmin(channel, bank.address, bank.clock)
            for number in range(8):
                while True:
                    category = mine.call("GetCategory", name=name).category
                    category.themes.append(f"theme_{who}_{number}")
                    try:
                        mine.call("UpdateCategory", category=category)
                        break
                    except CallFailed as failure:
                        refusals.append(failure.reason)

    threads = [threading.Thread(target=edit, args=(who,)) for who in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    themes = bank.call("GetCategory", name=name).category.themes
    assert set(themes) == {"travel"} | {
        f"theme_{who}_{number}" for who in range(3) for number in range(8)
    }
    assert len(themes) == 25
    assert set(refusals) <= {"ETAG_MISMATCH"}


def test_masks_of_different_fields_do_not_meet(bank: DesignAdmin) -> None:
    """Without etags, two who change different fields both have their way."""
    name = f"{PARENT}/categories/sample"
    done: list[str] = []

    def edit(field: str) -> None:
        with grpc.insecure_channel(bank.address) as channel:
            mine = DesignAdmin(channel, bank.address, bank.clock)
            for number in range(10):
                category = {"name": name, field: f"contact.age > {number}"}
                mask = FieldMask(paths=[field])
                mine.call("UpdateCategory", category=category, update_mask=mask)
            done.append(field)

    threads = [threading.Thread(target=edit, args=(f,)) for f in ("label", "rule")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    category = bank.call("GetCategory", name=name).category

    assert sorted(done) == ["label", "rule"]
    assert (category.label, category.rule) == ("contact.age > 9", "contact.age > 9")


def test_another_process_s_changes_are_seen(bank: DesignAdmin, tmp_path: Path) -> None:
    """The store says what is so, not what the server remembers."""
    name = f"{PARENT}/segments/sample"
    before = bank.call("GetSegment", name=name).segment
    process = multiprocessing.get_context("spawn").Process(
        target=_elsewhere, args=(tmp_path / "design",)
    )
    process.start()
    process.join(DEADLINE_SECONDS)
    after = bank.call("GetSegment", name=name).segment

    assert process.exitcode == 0
    assert (before.label, after.label) == ("", "Elsewhere")
    before.label = "Lost"
    assert bank.refused("UpdateSegment", segment=before)[1] == "ETAG_MISMATCH"


def _elsewhere(path: Path) -> None:
    author = Author("x", UnixMs(NOON_MS), "test")
    with DesignStore(path) as store, store.changing(author) as changing:
        ref = Ref("bank", "segments", "sample")
        record = changing.design.records[ref].record
        changing.transaction.put(ref, replace(record, label="Elsewhere"))


def test_a_record_is_shown_as_it_is_stored(bank: DesignAdmin) -> None:
    """The server's answer is what the store's record is as a message."""
    offer = bank.call("GetOffer", name=f"{PARENT}/offers/sample").offer
    sample = pb.Offer(name=offer.name, etag=offer.etag, **SAMPLES["offer"])

    assert offer == sample
    noun = BY_ORDER[3]
    record = noun.form.read(sample, "", [], name="sample")
    ref = Ref("bank", "offers", "sample")
    assert message_of(ref, Stored(record, int(offer.etag))) == sample

"""Lists of design records: pages, filters, and what was deleted."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from catalog_store.design_values import RETENTION_MS
from server.design.nouns import NOUNS
from server.design.service import PAGE_BYTES_MAX
from tests.design_admin import (
    BY_ORDER,
    PARENT,
    SAMPLES,
    DesignAdmin,
    create,
    design_admin,
    name_of,
)


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


def test_pages_hold_all_in_order_of_name(bank: DesignAdmin, tmp_path: Path) -> None:
    """Of any size, and while others come and go."""
    for number in range(7):
        create(bank, BY_ORDER[3], offer_id=f"offer_{number}")
    seen: list[str] = []
    token = ""
    while True:
        page = bank.call("ListOffers", parent=PARENT, page_size=3, page_token=token)
        seen += [offer.name.rsplit("/", 1)[1] for offer in page.offers]
        token = page.next_page_token
        if not token:
            break
        bank.call("DeleteOffer", name=page.offers[-1].name)

    assert seen == [*(f"offer_{number}" for number in range(7)), "sample"]
    assert bank.refused("ListOffers", parent=PARENT, page_size=1_001)[0] == (
        "INVALID_ARGUMENT"
    )
    assert bank.refused("ListOffers", parent=PARENT, page_token="/")[0] == (
        "INVALID_ARGUMENT"
    )
    assert bank.refused("ListOffers", parent="environments/no")[0] == "NOT_FOUND"


def test_a_page_is_no_larger_than_clients_take(
    bank: DesignAdmin, tmp_path: Path
) -> None:
    """Large offers come in smaller pages; none is lost."""
    content = {f"f{n}": "x" * 60_000 for n in range(4)}
    offer = {**SAMPLES["offer"], "content": content}
    for number in range(12):
        create(bank, BY_ORDER[3], offer_id=f"offer_{number:02}", offer=offer)
    first = bank.call("ListOffers", parent=PARENT)
    rest = bank.call("ListOffers", parent=PARENT, page_token=first.next_page_token)

    assert 1 < len(first.offers) < 12
    assert first.ByteSize() < PAGE_BYTES_MAX + 300_000
    assert len(first.offers) + len(rest.offers) == 13


@pytest.mark.parametrize(
    ("filter_", "names"),
    [
        ("", "abc"),
        ("label = Gold", "a"),
        ('label:"old c" AND disabled = false', "b"),
        ("label:GOLD disabled=true", "c"),
        ("spaces:sample", "abc"),
        ("spaces:other", ""),
        ("content:title", "a"),
        ("content.title:gold", "a"),
        ("content:*", "a"),
        ("window:*", "b"),
        ("window.start_time:*", ""),
        ("weights:*", "abc"),
        ('name = "environments/bank/offers/a"', "a"),
        (r'label = "say \"hi\""', ""),
    ],
)
def test_a_filter_chooses(bank: DesignAdmin, filter_: str, names: str) -> None:
    """By fields, texts, lists, mappings and what is set."""
    given_: dict[str, dict[str, Any]] = {
        "a": {"content": {"title": "Gold for you"}},
        "b": {"label": "A gold card", "window": {"end_time": {"seconds": 5}}},
        "c": {"label": "Fool's gold", "disabled": True},
    }
    for name, fields in given_.items():
        offer = {**SAMPLES["offer"], "content": {}, **fields}
        create(bank, BY_ORDER[3], offer_id=name, offer=offer)
    for user in ("GoldenDecision", "Quota", "Typology", "PresentationRule", "Offer"):
        noun = next(n for n in NOUNS if n.singular == user)
        bank.call(f"Delete{user}", name=name_of(noun))
    page = bank.call("ListOffers", parent=PARENT, filter=filter_)

    assert [one.name[-1] for one in page.offers] == list(names)


@pytest.mark.parametrize(
    "filter_",
    [
        "label", "label =", "= x", "no = 1", "label != x", "(label = x)",
        "a = b OR c = d", "NOT label = x", "label = x AND", "weights.rule = x",
        "window = x", "content.a.b:x", "label.x = y", '"label" = x', 'label = "x',
        "label = x " * 21, "label:" + "é" * 600,
    ],
)  # fmt: skip
def test_other_filters_are_refused(admin: DesignAdmin, filter_: str) -> None:
    """With what to write instead, before anything is looked at."""
    code, _, text = admin.refused("ListOffers", parent=PARENT, filter=filter_)

    assert code == "INVALID_ARGUMENT"
    assert text.startswith("filter: ")


def test_the_deleted_are_listed_on_demand(bank: DesignAdmin) -> None:
    """For a month, each with its time."""
    zone = BY_ORDER[5]
    bank.call("DeleteZone", name=name_of(zone))

    def listed() -> list[Any]:
        asked = {"parent": PARENT, "show_deleted": True}
        return list(bank.call("ListZones", **asked).zones)

    assert [one.HasField("delete_time") for one in listed()] == [True]
    create(bank, zone)
    assert [one.HasField("delete_time") for one in listed()] == [False]
    bank.call("DeleteZone", name=name_of(zone))
    bank.clock.now_ms += RETENTION_MS + 1
    assert listed() == []
    assert bank.refused("GetZone", name=name_of(zone))[0] == "NOT_FOUND"

"""Quotas in catalogs: what is refused, and what a revision keeps of them."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.counting import OnFailure, QuotaPeriod
from catalog_store.records import (
    QUOTA_LIMIT_MAX,
    QUOTAS_MAX,
    Catalog,
    Category,
    Environment,
    Quota,
)
from compiler.catalog_check import check_catalog
from compiler.catalog_diagnostics import FINDINGS_MAX
from compiler.revision import compile_catalog
from contact_store.names import name_hash
from server.files import read_catalog
from server.live.source import Source
from server.live_loading import load_in_steps
from tests.bank import environment, live, offer, publish, space
from tests.quota_bank import CARDS, OFFERS, bank, quota


def mistakes(record: Environment) -> list[str]:
    """Places, of errors only."""
    found = check_catalog(Catalog(environments=(record,)))
    return [each.source.name for each in found if each.severity == "error"]


@pytest.mark.parametrize(
    ("limit", "is_possible"),
    [(0, True), (1, True), (10**12, True), (-1, False), (10**12 + 1, False)],
)
def test_limits(limit: int, is_possible: bool) -> None:
    """0 withdraws the offers; a million million is as good as no limit."""
    assert QUOTA_LIMIT_MAX == 10**12
    assert (mistakes(bank(quota(limit))) == []) is is_possible


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"offers": ("gold",)}, ["gold:spaces[1]"]),
        ({"categories": ("products",)}, ["gold:spaces[1]", "loan:spaces[1]"]),
        ({"categories": ("cards",)}, ["gold:spaces[1]"]),
        ({}, ["gold:spaces[1]", "loan:spaces[1]", "news:spaces[0]"]),
        ({"offers": ("blue",)}, []),
        ({"active": False}, []),
    ],
)
def test_what_is_counted_is_recorded(
    fields: dict[str, Any], expected: list[str]
) -> None:
    """An offer of an active quota stands in no space that records nothing."""
    places = {"gold": ("banner", "side"), "loan": ("banner", "side"), "news": ("side",)}
    record = replace(
        bank(quota(**fields)),
        offers=tuple(
            replace(one, spaces=places.get(one.name, ("banner",))) for one in OFFERS
        ),
        spaces=(space("banner"), space("side", recording=False)),
    )

    assert mistakes(record) == [f"environments/bank/offers/{e}" for e in expected]


def test_recording_is_looked_at_when_the_catalog_was_accepted_before() -> None:
    """The mistake may be made by the quota, while the offers stay as they are."""
    spaces = (space("banner"), space("side", recording=False))
    before = bank(spaces=spaces)
    after = bank(quota(offers=("gold",)), spaces=spaces)
    assert check_catalog(Catalog(environments=(before,))) == []
    found = check_catalog(Catalog(environments=(after,)), {"bank": before})

    assert [each.source.name for each in found] == [
        "environments/bank/offers/gold:spaces[1]"
    ]


def test_a_circle_of_categories_ends_the_search() -> None:
    """It is a mistake of its own, and no reason to go round for ever."""
    circle = (Category(name="a", parent="b"), Category(name="b", parent="a"))
    record = environment(
        [offer("gold", category="a")],
        categories=circle,
        spaces=(space("banner"), space("side", recording=False)),
        quotas=(quota(categories=("all",)),),
    )

    assert mistakes(record) == ["environments/bank/categories/a:parent"]


def test_there_are_only_so_many() -> None:
    """And of a thousand mistakes the first are told."""
    many = tuple(quota(name=f"q{n}", offers=("gold",)) for n in range(QUOTAS_MAX + 1))
    wrong = tuple(replace(one, offers=("no",), limit=-1) for one in many[:-1])

    assert mistakes(bank(*many[:-1])) == []
    assert mistakes(bank(*many)) == ["environments/bank:quotas"]
    assert len(mistakes(bank(*wrong))) == FINDINGS_MAX


def test_names_and_labels_are_checked_like_others() -> None:
    """Twice the same name, and a label that is too long."""
    record = bank(quota(label="x" * 201), quota())

    assert mistakes(record) == [
        "environments/bank/quotas/scarce:name",
        "environments/bank/quotas/scarce:label",
    ]


def test_it_is_written_like_a_presentation_rule(tmp_path: Path) -> None:
    """With the environment's zone, all offers and closed failures by itself."""
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "environment.yaml").write_text("time_zone: Europe/Lisbon\n")
    (folder / "quotas.yaml").write_text(
        "categories: {cards: {}}\n"
        "offers: {gold: {label: Gold, category: cards}}\n"
        "quotas:\n"
        "  a_day: {limit: 500, period: day}\n"
        "  gold_for_ever:\n"
        "    label: While stocks last\n"
        "    limit: 100\n"
        "    period: total\n"
        "    offers: gold\n"
        "    categories: [cards]\n"
        "    time_zone: Asia/Tokyo\n"
        "    active: no\n"
        "    on_failure: open\n"
    )
    (record,) = read_catalog(tmp_path).catalog.environments

    assert record.quotas == (
        Quota(name="a_day", limit=500, period=QuotaPeriod.DAY),
        Quota(
            name="gold_for_ever",
            label="While stocks last",
            limit=100,
            period=QuotaPeriod.TOTAL,
            offers=("gold",),
            categories=("cards",),
            time_zone="Asia/Tokyo",
            active=False,
            on_failure=OnFailure.OPEN,
        ),
    )


def test_a_revision_keeps_them(tmp_path: Path) -> None:
    """In the record that comes back, and prepared for deciding."""
    quotas = (
        quota(0, name="off", active=False),
        quota(5, offers=("gold",), categories=("cards",), time_zone="Asia/Tokyo"),
        quota(7, name="all", period=QuotaPeriod.TOTAL, on_failure=OnFailure.OPEN),
    )
    record = replace(bank(*quotas), time_zone="Europe/Lisbon")
    revisions, manifest = publish(tmp_path / "a", record)
    revision = revisions.open(manifest)
    try:
        assert revision.environment("bank").quotas == quotas
        assert Source(revision, "bank").head.environment.quotas == ()
    finally:
        revision.close()
    found = live(tmp_path / "b", record).environments["bank"].quotas

    assert [one.name for one in found.live] == ["scarce", "all"]
    assert [one.number for one in found.live] == [0, 1]
    assert found.live[0].quota_hash == name_hash("environments/bank/quotas/scarce")
    assert (found.live[0].offers, found.live[1].offers) == (0b0011, -1)
    assert [one.time_zone for one in found.live] == ["Asia/Tokyo", "Europe/Lisbon"]
    assert [one.fallback_limit for one in found.live] == [0, None]
    assert [list(found.of(offer)) for offer in range(4)] == [[1, 0], [1, 0], [1], [1]]


def test_a_quota_changes_the_digest(tmp_path: Path) -> None:
    """Two catalogs that differ in a limit are two."""
    digests = {
        publish(tmp_path / str(limit), bank(quota(limit)))[1].digest for limit in (1, 2)
    }

    assert len(digests) == 2


def test_an_edit_is_compiled_like_the_whole() -> None:
    """What is taken from the compilation before never hides a quota."""
    before = compile_catalog(Catalog(environments=(bank(),))).catalog
    after = Catalog(environments=(bank(quota(3, offers=("gold",))),))

    assert compile_catalog(after, before) == compile_catalog(after)


def test_no_step_of_loading_is_long(tmp_path: Path) -> None:
    """Many quotas of many offers are loaded a little at a time."""
    offers = [offer(f"o{n}", category="cards") for n in range(3_000)]
    quotas = [quota(name=f"q{n}", categories=("cards",)) for n in range(40)]
    record = environment(offers, categories=CARDS, quotas=tuple(quotas))
    steps: dict[int, int] = {}
    for count, some in ((0, ()), (40, record.quotas)):
        folder = tmp_path / str(count)
        revisions, manifest = publish(folder, replace(record, quotas=some))
        revision = revisions.open(manifest)
        steps[count] = sum(1 for _ in load_in_steps(revision, manifest))
        revision.close()

    # Each quota: one for what it names, and one for each 1,024 offers.
    assert steps[40] - steps[0] == 1 + 40 * 3

"""Quotas that fall back on another limit while their counter is damaged."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_store.counting import OnFailure, QuotaPeriod
from catalog_store.records import Catalog
from catalog_store.revisions import Revisions
from compiler.catalog_check import check_catalog
from contact_store.history import HistoryStore
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from server.live_loading import load
from server.quota_listing import QuotaState, quota_states
from server.replaying import replayed
from server.wire import explanation_pb2
from tests.bank import DAY_MS, NOON_MS, environment, offer, publish
from tests.quota_bank import bank, quota
from tests.services import Served, offers, served
from tests.test_quota_counters import flip
from tests.test_quota_processes import hammers

SCARCE = QuotaPeriodKey(name_hash("environments/bank/quotas/scarce"), "total", None)
FALLING = {"on_failure": OnFailure.FALL_BACK, "fallback_limit": 2}
WARNING = (
    "quota 'scarce' has a damaged counter: it falls back on a limit of 2; see"
    " `propono quotas`"
)


def damage(history: HistoryStore, key: QuotaPeriodKey) -> None:
    flip(history, key.encoded(), 101)


@pytest.fixture
def falling(tmp_path: Path) -> Iterator[Served]:
    """One of five was proposed, and then the count was lost."""
    limited = quota(5, offers=("gold",), period=QuotaPeriod.TOTAL, **FALLING)
    with served(tmp_path, bank(limited), kept_share=1.0) as web:
        assert offers(web.propose(contact_id="first")) == ["gold"]
        damage(web.history, SCARCE)
        yield web


def ask(web: Served, count: int, **fields: Any) -> list[str]:
    answers = [web.propose(contact_id=f"c{n}", **fields) for n in range(count)]
    assert {w for answer in answers for w in answer.warnings} == {WARNING}
    return [name for answer in answers for name in offers(answer)]


def test_the_other_limit_holds(falling: Served) -> None:
    """Exactly so many more, and every answer that it concerned says so."""
    assert ask(falling, 4) == ["gold", "gold", "blue", "blue"]
    assert falling.history.quota_used(SCARCE) is None
    assert falling.history.quota_used(SCARCE.fallback()) == 2


def test_a_dry_run_takes_nothing_of_it(falling: Served) -> None:
    """Nor does a retry."""
    assert ask(falling, 3, dry_run=True) == ["gold"] * 3
    assert ask(falling, 1, request_id="r") == ask(falling, 1, request_id="r")
    assert falling.history.quota_used(SCARCE.fallback()) == 1


def test_it_is_closed_when_that_is_damaged_too(falling: Served) -> None:
    """Nothing is allowed that nobody counts."""
    ask(falling, 1)
    damage(falling.history, SCARCE.fallback())
    answer = falling.propose(contact_id="next")

    assert offers(answer) == ["blue"]
    assert [w.partition(": ")[2].partition(";")[0] for w in answer.warnings] == [
        "none is left"
    ]


def test_the_next_period_has_its_limit_again(tmp_path: Path) -> None:
    """And a loss of count then has a fallback of its own."""
    limited = quota(3, offers=("gold",), **FALLING)
    day = QuotaPeriodKey(SCARCE.name_hash, "day", NOON_MS - DAY_MS // 2)
    found: list[list[str]] = []
    with served(tmp_path, bank(limited)) as web:
        for start_ms in (day.start_ms or 0, (day.start_ms or 0) + DAY_MS):
            assert offers(web.propose(contact_id=f"first{start_ms}")) == ["gold"]
            damage(web.history, day._replace(start_ms=start_ms))
            found.append(ask(web, 3))
            web.clock.now_ms += DAY_MS
        healed = web.propose()

    assert found == [["gold", "gold", "blue"]] * 2
    assert (offers(healed), list(healed.warnings)) == (["gold"], [])


def test_it_is_explained_and_replayed(falling: Served, tmp_path: Path) -> None:
    """The reason is about the other limit, and the decision is made again alike."""
    ask(falling, 2)
    answer = falling.propose(
        explain=explanation_pb2.EXPLAIN_LEVEL_FULL, explained_offers=["gold"]
    )
    (explained,) = answer.explanation.offers
    (reason,) = explained.reasons

    assert reason.message == (
        "the quota scarce has a damaged counter, and falls back on 2, which had 2;"
        " never free again"
    )
    assert (reason.quota_limit, reason.quota_used) == (2, 2)
    (change,) = explained.changes
    assert change.kind == explanation_pb2.CHANGE_KIND_DESIGN
    assert change.message == "say what the quota has had, with `propono quotas set`"

    revisions = Revisions(tmp_path / "catalog")
    manifest = revisions.current()
    revision = revisions.open(manifest)
    catalog = load(revision, manifest)
    revision.close()
    kept = falling.history.newest_inputs(3)
    assert [one.fallbacks_left for one in kept] == [
        {"scarce": 0},
        {"scarce": 1},
        {"scarce": 2},
    ]
    assert all(replayed(one, catalog).reproduced for one in kept)


def test_processes_keep_it_together(tmp_path: Path) -> None:
    """Exactly the other limit, whoever asks."""
    limited = quota(
        900,
        offers=("gold",),
        period=QuotaPeriod.TOTAL,
        on_failure=OnFailure.FALL_BACK,
        fallback_limit=60,
    )
    publish(tmp_path / "catalog", environment([offer("gold")], quotas=(limited,)))
    with HistoryStore(tmp_path / "history") as history:
        with history.transaction() as txn:
            txn.consume_quotas({SCARCE: 7})
        damage(history, SCARCE)
    with hammers("store", tmp_path, 2) as started:
        for hammer in started:
            hammer.go(50)
        for hammer in started:
            hammer.wait()
        answers = Counter(one for each in started for one in each.answers.values())

    assert answers == Counter({"gold": 60, "": 40})


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"on_failure": OnFailure.FALL_BACK}, "on_failure"),
        ({"on_failure": OnFailure.FALL_BACK, "fallback_limit": 0}, "fallback_limit"),
        ({"on_failure": OnFailure.FALL_BACK, "fallback_limit": 6}, "fallback_limit"),
        ({"fallback_limit": 3}, "fallback_limit"),
        ({"on_failure": OnFailure.OPEN, "fallback_limit": 3}, "fallback_limit"),
        ({"on_failure": OnFailure.FALL_BACK, "fallback_limit": 5}, None),
    ],
)
def test_what_is_fallen_back_on_must_be_said(
    fields: dict[str, Any], expected: str | None
) -> None:
    """At least 1, at most the limit itself, and nowhere else."""
    found = check_catalog(Catalog(environments=(bank(quota(5, **fields)),)))
    places = [one.source.name for one in found if one.severity == "error"]

    assert places == ([f"environments/bank/quotas/scarce:{expected}"] * bool(expected))


def test_the_list_says_what_it_falls_back_on(falling: Served, tmp_path: Path) -> None:
    """What was had of it, and what is left of it."""

    def state() -> QuotaState:
        revisions = Revisions(tmp_path / "catalog")
        revision = revisions.open(revisions.current())
        try:
            (one,) = quota_states(revision, falling.history, ["bank"], NOON_MS)
        finally:
            revision.close()
        return one

    ask(falling, 1)

    assert (state().used, state().fallback_used, state().left) == (None, 1, 1)
    damage(falling.history, SCARCE.fallback())
    assert (state().used, state().fallback_used, state().left) == (None, None, 0)

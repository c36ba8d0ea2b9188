"""What is told of quotas: explanations, replays, the command, the metrics."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_store.counting import OnFailure, QuotaPeriod
from catalog_store.revisions import Revisions
from contact_store.names import name_hash
from contact_store.quotas import QuotaPeriodKey
from server.engine.explanation.changes import ChangeKind
from server.engine.explanation.reasons import ReasonCode
from server.live_loading import load
from server.replaying import replayed
from server.wire import decision_pb2 as pb
from server.wire import explanation_pb2
from tests.bank import NOON_MS, environment, offer, publish
from tests.counting import counted_here
from tests.explained_calls import explained, only
from tests.quota_bank import bank, decides, quota
from tests.servers import run
from tests.services import Served, offers, served
from tests.test_quota_counters import flip

FULL = explanation_pb2.EXPLAIN_LEVEL_FULL
MIDNIGHT_MS = NOON_MS + 12 * 3_600_000


def asked(left: int) -> dict[str, Any]:
    return {"quotas_left": {0: left}, "decided_at_ms": NOON_MS}


def test_the_reason_names_the_quota(tmp_path: Path) -> None:
    """Its limit, what was used, and when the next period begins."""
    of = decides(tmp_path, quota(5, offers=("gold",)))
    reason = only(of, "gold", **asked(-2))

    assert reason.code is ReasonCode.QUOTA
    assert reason.resource == "environments/bank/quotas/scarce"
    assert (reason.limit, reason.used) == (5, 7)
    assert reason.frees_at_ms == MIDNIGHT_MS
    assert reason.message == (
        "the quota scarce has had 7 of at most 5; free again on 2 May 2026 00:00 UTC"
    )


@pytest.mark.parametrize(
    ("limit", "period", "message"),
    [
        (5, "total", "the quota scarce has had 5 of at most 5; never free again"),
        (0, "day", "the quota scarce has had 0 of at most 0; never free again"),
        (
            *(5, "hour"),
            "the quota scarce has had 5 of at most 5; free again on 1 May 2026 13:00"
            " UTC",
        ),
    ],
)
def test_it_may_never_free(
    tmp_path: Path, limit: int, period: str, message: str
) -> None:
    """What counts for ever, and a limit of nothing."""
    limited = quota(limit, offers=("gold",), period=QuotaPeriod(period))
    of = decides(tmp_path, limited)

    assert only(of, "gold", **asked(0)).message == message


def test_every_quota_that_has_none_left_is_named(tmp_path: Path) -> None:
    """In the order of the catalog, those of all offers first."""
    of = decides(
        tmp_path,
        quota(5, name="one", offers=("gold",)),
        quota(5, name="two", categories=("cards",)),
        quota(5, name="all"),
    )
    left = {0: 0, 1: 3, 2: 0}
    (in_space,) = explained(of, "gold", quotas_left=left)

    assert [reason.resource for reason in in_space.reasons] == [
        "environments/bank/quotas/all",
        "environments/bank/quotas/one",
    ]


def test_what_the_call_proposes_is_counted(tmp_path: Path) -> None:
    """The last place went to another offer of the quota."""
    of = decides(tmp_path, quota(5, categories=("cards",)))
    reason = only(of, "blue", ("banner", 2), **asked(1))

    assert (reason.limit, reason.used) == (5, 5)


def test_the_change_is_the_owners(tmp_path: Path) -> None:
    """No attribute and no other time of the contact helps."""
    day = decides(tmp_path / "a", quota(5, offers=("gold",)))
    total = decides(tmp_path / "b", quota(5, offers=("gold",), period="total"))
    changes = [explained(of, "gold", **asked(0))[0].changes for of in (day, total)]

    assert [(one.kind, one.name) for (one,) in changes] == [
        (ChangeKind.DESIGN, "environments/bank/quotas/scarce")
    ] * 2
    assert [one.message for (one,) in changes] == [
        "raise the quota's limit, or ask again from 2 May 2026 00:00 UTC on",
        "raise the quota's limit",
    ]


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    quotas = (quota(2, categories=("cards",)), quota(9, name="spare", offers=("news",)))
    with served(tmp_path, bank(*quotas), kept_share=1.0) as web:
        yield web


def test_an_answer_explains_it(web: Served) -> None:
    """Over the wire, with figures beyond 32 bits; the summary counts it."""
    web.publish(bank(quota(10**12, categories=("cards",))))
    with web.history.transaction() as txn:
        key = QuotaPeriodKey(
            name_hash("environments/bank/quotas/scarce"),
            "day",
            MIDNIGHT_MS - 86_400_000,
        )
        txn.consume_quotas({key: 10**12})
    answer = web.propose(explain=FULL)
    reasons = {one.offer: list(one.reasons) for one in answer.explanation.offers}
    counts = {
        summary.category: [(one.code, one.offers) for one in summary.reasons]
        for summary in answer.explanation.categories
    }

    assert [reason.code for reason in reasons["gold"]] == [
        explanation_pb2.REASON_CODE_QUOTA
    ]
    assert reasons["gold"][0].quota_limit == reasons["gold"][0].quota_used == 10**12
    assert reasons["gold"][0].frees_at.ToMilliseconds() == MIDNIGHT_MS
    assert counts["cards"] == [(explanation_pb2.REASON_CODE_QUOTA, 2)]


def test_a_dry_run_says_when_it_frees_by_the_clock_of_the_store(web: Served) -> None:
    """Not by one that was set back."""
    for contact in ("ann", "bob"):
        web.propose(contact_id=contact)
    web.clock.now_ms -= 86_400_000
    answer = web.propose(dry_run=True, explain=FULL, explained_offers=["gold"])
    (reason,) = answer.explanation.offers[0].reasons

    assert reason.frees_at.ToMilliseconds() == MIDNIGHT_MS


def test_a_short_space_says_quotas(web: Served) -> None:
    """When they left out what would have filled it."""
    request = pb.ProposeRequest(contact_id="ann")
    request.spaces.add(space="banner", max_propositions=4)
    first, second = web.ask(request), web.ask(request)

    assert first.results[0].shortfall_reason == pb.SHORTFALL_REASON_UNSPECIFIED
    assert second.results[0].shortfall_reason == pb.SHORTFALL_REASON_QUOTAS
    assert offers(second) == ["loan", "news"]


def test_a_decision_is_made_again_with_what_was_left(web: Served) -> None:
    """Whatever was counted since; all quotas are kept, for whoever explains it."""
    answers = [web.propose(contact_id=f"c{number}") for number in range(4)]
    web.publish(bank(quota(9, categories=("cards",))))
    revisions = Revisions(web.folder / "catalog")
    manifest = revisions.manifest(1)
    revision = revisions.open(manifest)
    catalog = load(revision, manifest)
    revision.close()
    found = [web.history.inputs(int(a.interaction_id, 16)) for a in answers]
    kept = [one for one in found if one is not None]

    assert [offers(a) for a in answers] == [["gold"], ["gold"], ["loan"], ["loan"]]
    assert [one.quotas_left for one in kept] == [
        {"scarce": 2, "spare": 9},
        {"scarce": 1, "spare": 9},
        {"scarce": 0, "spare": 9},
        {"scarce": 0, "spare": 9},
    ]
    assert [replayed(one, catalog).reproduced for one in kept] == [True] * 4


def test_a_replay_needs_what_was_left(web: Served) -> None:
    """Other counts give another decision, and are noticed."""
    answer = web.propose()
    inputs = web.history.inputs(int(answer.interaction_id, 16))
    assert inputs is not None
    catalog = web.cell.current
    assert catalog is not None
    for left, is_same in (({"scarce": 5}, True), ({"scarce": 0}, False), ({}, False)):
        changed = type(inputs)(
            **{f: getattr(inputs, f) for f in inputs.__struct_fields__}
            | {"quotas_left": left}
        )
        assert replayed(changed, catalog).reproduced is is_same


def test_exclusions_are_counted(web: Served) -> None:
    """Each time that an offer was left out for want of room, without its name."""
    name = "propono_quota_exclusions_total"
    before = counted_here()[name]
    for number in range(4):
        web.propose(contact_id=f"c{number}")

    # Gold and blue, of the third and the fourth.
    assert counted_here()[name] == before + 4


def listed(data: Path, *options: object, status: int = 0) -> Any:
    return json.loads(
        run("quotas", "--data", data, "--output", "json", *options, status=status)
    )


TOTALS = (
    quota(2, name="scarce", period=QuotaPeriod.TOTAL, offers=("gold",)),
    quota(9, name="spare", period=QuotaPeriod.TOTAL, on_failure=OnFailure.OPEN),
    quota(5, name="asleep", period=QuotaPeriod.DAY, active=False),
)


def test_the_command_lists_what_is_left(tmp_path: Path) -> None:
    """As numbers for programs, and as a table for people."""
    with served(tmp_path, bank(*TOTALS)) as web:
        for number in range(3):
            web.propose(contact_id=f"c{number}")
    found = listed(tmp_path, "--environment", "bank")
    table = run("quotas", "--data", tmp_path)

    assert {one["quota"]: (one["used"], one["left"]) for one in found} == {
        "scarce": (2, 0),
        "spare": (3, 6),
        "asleep": (0, 5),
    }
    assert [one["frees_at"] is None for one in found] == [True, True, False]
    assert [one["active"] for one in found] == [True, True, False]
    lines = {
        line.split()[1]: line.split() for line in table.splitlines() if "bank" in line
    }
    assert lines["scarce"] == ["bank", "scarce", "total", "2", "2", "0", "never"]
    assert lines["asleep"][:7] == [*("bank", "asleep", "(inactive)", "day"), *"055"]


def test_the_command_makes_no_store(tmp_path: Path) -> None:
    """What is published and was never served has had nothing."""
    publish(tmp_path / "catalog", bank(*TOTALS))

    assert [(one["used"], one["left"]) for one in listed(tmp_path)] == [
        (0, 2),
        (0, 9),
        (0, 5),
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["catalog"]


def test_the_command_says_what_is_damaged(tmp_path: Path) -> None:
    """With status 1, and what to do about it."""
    with served(tmp_path, bank(*TOTALS)) as web:
        web.propose()
        for name in ("scarce", "spare"):
            counter = name_hash(f"environments/bank/quotas/{name}")
            flip(web.history, QuotaPeriodKey(counter, "total", None).encoded(), 100)
    said = run("quotas", "--data", tmp_path, status=1)

    assert "damaged counters: scarce, spare." in said
    assert "`propono quotas set` gives it a count at once" in said


def test_the_command_refuses_with_a_reason(tmp_path: Path) -> None:
    """No catalog, nothing published, an environment that nobody knows."""
    nowhere = run("quotas", "--data", tmp_path / "nowhere", status=1)
    Revisions(tmp_path / "empty" / "catalog")
    empty = run("quotas", "--data", tmp_path / "empty", status=1)
    with served(tmp_path, environment([offer("gold")])):
        pass
    unknown = run("quotas", "--data", tmp_path, "-e", "bonk", status=1)

    assert "has no catalog; name a data folder with --data" in nowhere
    assert "no catalog was published yet" in empty
    assert "unknown environment 'bonk'; known: bank" in unknown
    assert listed(tmp_path) == []

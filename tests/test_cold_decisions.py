"""Decisions for contacts with a cold past: the same as if all of it stood together."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog_store.records import (
    Counted,
    CountedFrom,
    CountedStatus,
    PresentationRule,
    UnixMs,
)
from catalog_store.revisions import Revisions
from contact_store import cold_parts
from contact_store.errors import HistoryFull
from contact_store.history import HistoryStore
from contact_store.history_transaction import HistoryTransaction
from contact_store.reach import Reach
from contact_store.records import Proposition, PropositionStatus
from server import contact_history
from server.contact_history import ContactHistory
from server.engine import history_slots as engine_history
from server.engine.decision import decide
from server.engine.live_catalog import LiveEnvironment
from server.live_loading import load
from server.looks import looks_of
from server.replaying import replayed
from server.wire import decision_pb2 as pb
from server.wire import explanation_pb2 as epb
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    chosen,
    environment,
    live,
    offer,
    past,
    space,
)
from tests.services import Served, offers, served
from tests.test_explanations import FULL
from tests.test_history import Interrupted

ACCEPTED, REJECTED = PropositionStatus.ACCEPTED, PropositionStatus.REJECTED
OFFERS = ("card", "loan", "fund", "plan")
#: Of past propositions, and how far rules look: both in days.
AGES = st.integers(0, 60)
PERIODS = st.none() | st.integers(0, 60)


def rule(name: str, days: int | None, **fields: object) -> PresentationRule:
    period_ms = None if days is None else days * DAY_MS
    fields = {"maximum": 2, "counted": Counted.THIS_OFFER, **fields}
    return PresentationRule(name=name, period_ms=period_ms, **fields)


ENVIRONMENTS = {
    "a week": [rule("week", 7)],
    "a day of all, and for ever what was accepted": [
        rule("day", 1, maximum=3, counted=Counted.ALL_OFFERS),
        rule("ever", None, maximum=1, counted_status=CountedStatus.ACCEPTED),
    ],
    "for ever": [rule("ever", None, maximum=3)],
    "from the answer on": [
        rule(
            "answer",
            10,
            maximum=1,
            counted_status=CountedStatus.REJECTED,
            counted_from=CountedFrom.STATUS,
        )
    ],
    "with a rest": [rule("rest", 20, rest_ms=30 * DAY_MS)],
    "a condition": [
        rule("some", 30, maximum=1, counted_rule="proposition.weight > 1.0")
    ],
    "none": [],
}


@pytest.fixture(scope="module", params=ENVIRONMENTS)
def decides(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> LiveEnvironment:
    """Offers with rules and weights over the history among them."""
    record = environment(
        [
            offer("card", 4),
            offer("loan", 3, rule="history.size() < 4"),
            offer("fund", "double(history.size()) / 3.0"),
            offer("plan", 1, rule="!history.exists(p, p.status == 'accepted')"),
        ],
        rules=ENVIRONMENTS[request.param],
    )
    folder = tmp_path_factory.mktemp("catalog")
    return live(folder, record).environments["bank"]


class Past(NamedTuple):
    """One proposition of a random past."""

    offer: str
    age_days: int
    weight: float
    answer: PropositionStatus | None
    answer_age_days: int


pasts = st.lists(
    st.builds(
        Past,
        st.sampled_from(OFFERS),
        AGES,
        st.sampled_from([1.0, 2.0]),
        st.sampled_from([None, None, ACCEPTED, REJECTED]),
        AGES,
    ),
    max_size=14,
)


def remember(txn: HistoryTransaction, made: Sequence[Past]) -> tuple[Proposition, ...]:
    """Store a past, answers included; all of it, as it then is."""
    for one in made:
        at_ms = NOON_MS - one.age_days * DAY_MS
        new = replace(past(one.offer, at_ms=at_ms), weight=one.weight)
        (stored,) = txn.append("bank", "ann", new)
        if one.answer is not None:
            answered_ms = UnixMs(NOON_MS - one.answer_age_days * DAY_MS)
            txn.update(stored.proposition_id, one.answer, answered_ms, NOON_MS)
    return txn.contact("bank", "ann").propositions


@pytest.fixture(scope="module")
def stores(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[int, HistoryStore]]:
    """Empty ones, by the size of their parts."""
    with ExitStack() as opened:
        yield {
            size: opened.enter_context(
                HistoryStore(tmp_path_factory.mktemp("history"), part_propositions=size)
            )
            for size in (1, 2, 3)
        }


@settings(max_examples=150, deadline=None, derandomize=True)
@given(made=pasts, size=st.integers(1, 3), newest=st.integers(1, 6))
def test_a_decision_is_that_of_a_plain_list(
    stores: dict[int, HistoryStore],
    decides: LiveEnvironment,
    made: Sequence[Past],
    size: int,
    newest: int,
) -> None:
    """For any past, whatever its rules count and whatever is cold."""
    plain = seen = None
    with (
        pytest.MonkeyPatch.context() as patch,
        suppress(Interrupted),
        stores[size].transaction() as txn,
    ):
        # As many as rules over the history see.
        patch.setattr(engine_history, "HISTORY_MAX", newest)
        patch.setattr(contact_history, "HISTORY_MAX", newest)
        whole = remember(txn, made)
        reach = Reach(looks_of(decides), NOON_MS)
        known = ContactHistory(lambda far: txn.contact("bank", "ann", far), reach)
        asked = (decides, ("banner", 4))
        plain = chosen(decide(call(*asked, history=whole)))
        split = call(*asked, history=known.counted, newest=known.newest)
        seen = chosen(decide(split))
        raise Interrupted

    assert seen is not None
    assert seen == plain


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    """Two offers of one a day each, and every decision kept; parts of two."""
    record = environment(
        [
            offer("card", 4, rule="!history.exists(p, p.status == 'rejected')"),
            offer("loan", 3),
        ],
        rules=[
            rule("day", 1, maximum=3),
            rule("ever", None, maximum=1, counted_status=CountedStatus.ACCEPTED),
        ],
        spaces=[space("banner"), space("side", recording=False)],
    )
    with served(tmp_path, record, kept_share=1.0, part_propositions=2) as web:
        yield web


def propose_daily(web: Served, days: int, each: int = 2) -> list[pb.ProposeResponse]:
    answers: list[pb.ProposeResponse] = []
    for _ in range(days):
        answers += [web.propose() for _ in range(each)]
        web.clock.now_ms += DAY_MS + 1
    return answers


def reject_the_first(web: Served) -> None:
    """What presentation rules count is newer: rules over the history find it."""
    first, *_ = propose_daily(web, 6)
    web.update(first.results[0].propositions[0].proposition_id, "rejected")
    web.clock.now_ms += 2 * DAY_MS


def cold_parts_of(web: Served) -> int:
    record = web.history.read("bank", "ann", Reach((), NOON_MS))
    return 0 if record is None else len(record.cold)


def test_what_was_answered_long_ago_counts(web: Served) -> None:
    """Accepted once is for ever, and rejected is known to rules: in parts by now."""
    first, *_ = propose_daily(web, 6)
    made = first.results[0].propositions[0]
    assert cold_parts_of(web) > 1
    assert offers(web.propose()) == ["card"]
    web.update(made.proposition_id, "accepted")
    assert offers(web.propose()) == ["loan"]
    web.update(made.proposition_id, "interested")
    assert offers(web.propose()) == ["card"]
    web.update(made.proposition_id, "rejected")
    assert offers(web.propose()) == ["loan"]
    assert offers(web.propose(dry_run=True)) == ["loan"]


def test_a_decision_that_read_parts_is_made_again(web: Served) -> None:
    """Whatever it looked at is kept: rules over the history found an old rejection."""
    reject_the_first(web)
    answer = web.propose()
    inputs = web.history.inputs(int(answer.interaction_id, 16))
    assert inputs is not None
    revisions = Revisions(web.folder / "catalog")
    manifest = revisions.manifest(inputs.revision)
    revision = revisions.open(manifest)
    try:
        found = replayed(inputs, load(revision, manifest))
    finally:
        revision.close()

    assert offers(answer) == ["loan"]
    assert found.reproduced


def test_an_explanation_knows_the_whole_past(web: Served) -> None:
    """Also for an offer that the decision did not come to: its rule holds."""
    reject_the_first(web)
    asks = "history.exists(p, p.status == 'rejected')"
    first = [offer(name, 9) for name in ("card", "loan", "fund")]
    web.publish(environment([*first, offer("plan", 1, rule=asks)]))
    known = web.propose(explain=FULL, dry_run=True)
    unknown = web.propose(explain=FULL, dry_run=True, contact_id="bob")

    assert cold_parts_of(web) > 1
    assert "plan" not in offers(known) + offers(unknown)
    reasons = [
        one.reasons[0].code
        for answer in (known, unknown)
        for one in answer.explanation.offers
        if one.offer == "plan"
    ]
    assert reasons[0] == epb.REASON_CODE_OUTRANKED
    assert reasons[1] not in (epb.REASON_CODE_OUTRANKED, epb.REASON_CODE_UNSPECIFIED)


def test_more_than_a_decision_may_count_is_refused(
    web: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Inside the periods of its rules; a day later there is room again."""
    monkeypatch.setattr(cold_parts, "COUNTED_MAX", 5)
    for _ in range(6):
        web.propose()
    with pytest.raises(HistoryFull, match="6 propositions inside the longest period"):
        web.propose()
    with pytest.raises(HistoryFull):
        web.propose(dry_run=True)
    web.clock.now_ms += DAY_MS + 1

    assert offers(web.propose()) == ["card"]

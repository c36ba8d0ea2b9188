"""The explanation of a small bank's decision, as an offer manager reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import (
    Category,
    Channel,
    Environment,
    PresentationRule,
    Segment,
)
from contact_store.records import PropositionStatus
from server.engine.call import Call
from server.engine.decision import decide
from server.engine.explanation.offers import explain_offers
from server.engine.explanation.summary import CategorySummary, summarize
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    environment,
    live,
    offer,
    past,
    row,
    space,
    title,
    window,
)

GOLDEN = Path(__file__).parent / "explained_bank.txt"


def small_bank() -> Environment:
    both = ("home_page", "call_center")
    said = {"title": "For you"}
    return environment(
        [
            offer("gold_card", 60, category="cards", spaces=both, content=said),
            offer(
                "platinum_card",
                80,
                category="cards",
                spaces=both,
                content=said,
                rule="segment.wealthy",
            ),
            offer(
                "summer_loan",
                row(50, window=window(NOON_MS + 30 * DAY_MS, None), label="in summer"),
                row(20, rule="contact.job == 'student'", label="students"),
                category="loans",
                spaces=both,
                content=said,
            ),
            offer("car_loan", 40, category="loans", spaces=both),
            offer("savings", 30, category="savings", spaces=both, content=said),
            offer("app", 1, spaces=("call_center",), content=said),
            offer("newsletter", 5, spaces=both, content=said),
            offer("survey", 5, spaces=both, content=said, enabled=False),
        ],
        categories=[
            Category(name="cards", themes=("payments",)),
            Category(name="loans", rule="contact.age < 70 || contact.balance > 5000"),
            Category(name="savings", window=window(NOON_MS + DAY_MS, None)),
        ],
        rule="contact.age >= 18",
        segments=[
            Segment(name="wealthy", rule="contact.balance >= 10000 && contact.age > 25")
        ],
        spaces=[
            space("home_page", fields=(title(),)),
            space("call_center", channel=Channel.INBOUND_CALL_CENTER),
        ],
        rules=[
            PresentationRule(
                name="after_a_refusal",
                period_ms=30 * DAY_MS,
                maximum=1,
                counted=Counted.THIS_OFFER,
                counted_status=CountedStatus.REJECTED,
            )
        ],
    )


@pytest.fixture
def asked(tmp_path: Path) -> Call:
    decides = live(tmp_path, small_bank()).environments["bank"]
    refused = past(
        "gold_card",
        category="cards",
        status=PropositionStatus.REJECTED,
        at_ms=NOON_MS - 9 * DAY_MS,
    )
    return call(
        decides,
        ("home_page", 1),
        ("call_center", 1),
        contact={"age": 40, "balance": 900, "job": "nurse"},
        history=[refused],
    )


def test_the_explanation_in_words(asked: Call, request: pytest.FixtureRequest) -> None:
    """Every offer in every space: its reasons, what would change them; the counts."""
    actual = "\n".join(_told(asked)) + "\n"
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(actual)

    assert GOLDEN.read_text() == actual


def _told(asked: Call) -> Iterator[str]:
    decision = decide(asked)
    for offer_explained in explain_offers(asked, decision, range(8)):
        for in_space in offer_explained.spaces:
            head = f"{offer_explained.name} in {in_space.space}"
            if in_space.rank is not None:
                yield f"{head}: proposed, rank {in_space.rank}"
                continue
            yield f"{head}:"
            for reason in in_space.reasons:
                yield f"  {reason.code}: {reason.message}"
            yield f"  -> {in_space.advice}"
    steps = summarize(asked, decision)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            yield from map(_line, done.value)
            return


def _line(summary: CategorySummary) -> str:
    firsts = ", ".join(
        f"{count} {code}" for code, count in summary.first_reasons.items()
    )
    return (
        f"{summary.space}, {summary.category}: {summary.proposed} of "
        f"{summary.offers} proposed{'; ' if firsts else ''}{firsts}"
    )

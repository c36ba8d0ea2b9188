"""Presentation rules: what a contact was proposed before excludes what could be."""

from pathlib import Path
from typing import Any

import pytest

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import Category, Channel, PresentationRule
from contact_store.records import PropositionStatus
from server.engine.decision import Shortfall, decide
from server.engine.live_catalog import LiveEnvironment
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    environment,
    live,
    names,
    offer,
    past,
    space,
)

CATEGORIES = (Category(name="loans"), Category(name="home", parent="loans"))
OFFERS = (
    offer("card", 3, spaces=("banner", "phone")),
    offer("loan", 2, category="loans", spaces=("banner", "phone")),
    offer("mortgage", 1, category="home", spaces=("banner", "phone")),
)
SPACES = (space("banner"), space("phone", channel=Channel.INBOUND_CALL_CENTER))


def bank(folder: Path, **fields: Any) -> LiveEnvironment:
    """An environment whose only rule has these fields."""
    fields = {"name": "rule", "period_ms": 10 * DAY_MS, "maximum": 1, **fields}
    record = environment(
        OFFERS, categories=CATEGORIES, spaces=SPACES, rules=[PresentationRule(**fields)]
    )
    return live(folder, record).environments["bank"]


@pytest.mark.parametrize(
    ("counted", "history", "expected"),
    [
        (Counted.ALL_OFFERS, ["loan"], []),
        (Counted.THIS_OFFER, ["loan"], ["card", "mortgage"]),
        (Counted.SAME_CATEGORY, ["loan"], ["card", "mortgage"]),
        (Counted.SAME_CATEGORY, ["card"], ["loan", "mortgage"]),
        (Counted.THIS_OFFER, [], ["card", "loan", "mortgage"]),
    ],
)
def test_what_is_counted(
    tmp_path: Path, counted: Counted, history: list[str], expected: list[str]
) -> None:
    """All offers, the offer itself, or those of its own category node."""
    category_of = {"card": "all", "loan": "loans", "mortgage": "home"}
    pasts = [past(name, category=category_of[name]) for name in history]
    decides = bank(tmp_path, counted=counted)
    # Each offer asked for by itself: propositions of the same call count too.
    found = [
        name
        for name in category_of
        if names(
            decides,
            "banner",
            history=pasts,
            excluded=frozenset(category_of) - {name},
        )
        == [[name]]
    ]

    assert found == expected


def test_a_scope_is_one_shared_counter(tmp_path: Path) -> None:
    """One each of two offers make two; others neither count nor are excluded."""
    decides = bank(
        tmp_path, maximum=2, counted=Counted.SCOPE, categories=("loans",), offers=()
    )
    both = [past("loan"), past("mortgage")]

    assert names(decides, ("banner", 9), history=both) == [["card"]]
    assert names(decides, "banner", history=[past("loan"), past("card")]) == [["card"]]
    assert names(decides, ("banner", 9), history=[past("loan")]) == [["card", "loan"]]


@pytest.mark.parametrize(
    ("days", "counts"),
    [(-10, True), (-10.0001, False), (0, True), (10, True), (10.0001, False)],
)
def test_the_window_reaches_both_ways(
    tmp_path: Path, days: float, counts: bool
) -> None:
    """Event times in `[t - period, t + period]`, ends included."""
    decides = bank(tmp_path)
    history = [past("card", at_ms=NOON_MS + int(days * DAY_MS))]

    assert names(decides, "banner", history=history) == [[] if counts else ["card"]]


@pytest.mark.parametrize(
    ("counted_status", "counting"),
    [
        (CountedStatus.ANY, list(PropositionStatus)),
        (CountedStatus.ACCEPTED, [PropositionStatus.ACCEPTED]),
        (CountedStatus.REJECTED, [PropositionStatus.REJECTED]),
        (
            CountedStatus.ACCEPTED_OR_REJECTED,
            [PropositionStatus.ACCEPTED, PropositionStatus.REJECTED],
        ),
    ],
)
def test_statuses(
    tmp_path: Path, counted_status: CountedStatus, counting: list[PropositionStatus]
) -> None:
    """Only propositions in the status asked for count."""
    decides = bank(tmp_path, counted_status=counted_status)
    excluding = [
        status
        for status in PropositionStatus
        if names(decides, "banner", history=[past("card", status=status)]) == [[]]
    ]

    assert excluding == counting


def test_a_rule_of_a_channel_applies_there_only(tmp_path: Path) -> None:
    """It counts propositions of every channel, unless it says otherwise."""
    decides = bank(tmp_path, channel=Channel.INBOUND_CALL_CENTER)
    history = [past("card", channel=Channel.INBOUND_WEB)]

    assert names(decides, "phone", history=history) == [[]]
    assert names(decides, "banner", history=history) == [["card"]]


def test_same_channel_counts_the_channel_of_the_call(tmp_path: Path) -> None:
    """Seen on the web, an offer can still be made on the phone."""
    decides = bank(tmp_path, same_channel=True)
    history = [past("card", channel=Channel.INBOUND_WEB)]

    assert names(decides, "banner", history=history) == [[]]
    assert names(decides, "phone", history=history) == [["card"]]


def test_a_rule_concerns_the_contacts_it_names(tmp_path: Path) -> None:
    """Others are not limited."""
    decides = bank(tmp_path, rule="contact.job == 'student'")
    history = [past("card")]

    assert names(decides, "banner", history=history, contact={"job": "student"}) == [[]]
    assert names(decides, "banner", history=history, contact={"job": "nurse"}) == [
        ["card"]
    ]
    assert names(decides, "banner", history=history) == [["card"]]


def test_an_inactive_rule_does_nothing(tmp_path: Path) -> None:
    """It may stay in its typology."""
    decides = bank(tmp_path, active=False)

    assert names(decides, "banner", history=[past("card")]) == [["card"]]


def test_propositions_of_the_same_call_count(tmp_path: Path) -> None:
    """At most one proposition in all, however many spaces a page has."""
    decides = bank(tmp_path)
    decision = decide(call(decides, ("banner", 9), "phone"))

    assert [len(s.chosen) for s in decision.spaces] == [1, 0]
    assert decision.spaces[1].shortfall is Shortfall.PRESENTATION_RULES


def test_a_space_that_records_nothing_counts_for_nothing(tmp_path: Path) -> None:
    """What is not stored is not seen by the rules, in the same call either."""
    rule = PresentationRule(name="rule", period_ms=DAY_MS, maximum=1)
    spaces = [space("banner", recording=False), space("side")]
    record = environment([offer("a", 2), offer("b", 1)], rules=[rule], spaces=spaces)
    decides = live(tmp_path, record).environments["bank"]

    assert names(decides, "banner", "side") == [["a"], ["b"]]
    assert names(decides, "side", "banner") == [["a"], []]


def test_the_next_best_offer_takes_the_place(tmp_path: Path) -> None:
    """What a rule excludes makes room; ranks stay without gaps."""
    decides = bank(tmp_path, counted=Counted.THIS_OFFER)
    decision = decide(call(decides, ("banner", 2), history=[past("card")]))

    assert [(c.scored.offer.name, c.rank) for c in decision.spaces[0].chosen] == [
        ("loan", 1),
        ("mortgage", 2),
    ]


def test_a_scope_names_offers_and_categories(tmp_path: Path) -> None:
    """Both together; what is outside is neither excluded nor counted."""
    decides = bank(
        tmp_path, counted=Counted.SCOPE, offers=("card",), categories=("home",)
    )

    assert names(decides, ("banner", 9), history=[past("mortgage")]) == [["loan"]]
    assert names(decides, ("banner", 9), history=[past("card")]) == [["loan"]]
    assert names(decides, "banner", history=[past("loan")]) == [["card"]]

"""Presentation rules that suppress: after an answer, for ever, and related offers."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.counting import Counted, CountedFrom, CountedStatus
from catalog_store.records import PresentationRule, StatusName, UnixMs
from contact_store.records import Proposition, PropositionStatus, StatusChange
from contact_store.status_changes import with_change
from server.engine.call import Call
from server.engine.decision import decide
from server.engine.eligibility import Conditions
from server.engine.live_catalog import LiveEnvironment
from server.engine.presentation import Exclusion, Presented
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

OFFERS = (
    offer("gold", 3, attributes={"line": "cards", "tier": "high"}),
    offer("blue", 2, attributes={"line": "cards"}),
    offer("loan", 1),
)


def bank(folder: Path, **fields: Any) -> LiveEnvironment:
    """An environment whose only rule has these fields."""
    fields = {
        "name": "rule",
        "period_ms": 10 * DAY_MS,
        "maximum": 1,
        "counted": Counted.THIS_OFFER,
        **fields,
    }
    record = environment(OFFERS, rules=[PresentationRule(**fields)])
    return live(folder, record).environments["bank"]


def answered(
    proposition: Proposition, status: PropositionStatus, at_ms: int
) -> Proposition:
    """With a later answer of the contact."""
    return with_change(
        proposition, StatusChange(status, UnixMs(at_ms), UnixMs(at_ms + 5))
    )


def test_for_ever(tmp_path: Path) -> None:
    """Without a period the oldest proposition counts, and the latest one made."""
    decides = bank(tmp_path, period_ms=None)
    old, ahead = past("gold", at_ms=0), past("gold", at_ms=NOON_MS + 300 * DAY_MS)

    assert names(decides, "banner", history=[old]) == [["blue"]]
    assert names(decides, "banner", history=[ahead]) == [["blue"]]


def test_from_the_answer_on(tmp_path: Path) -> None:
    """An offer of long ago that was refused yesterday is as fresh as the refusal."""
    shown = past("gold", at_ms=NOON_MS - 300 * DAY_MS)
    refused = answered(shown, PropositionStatus.REJECTED, NOON_MS - DAY_MS)
    fields = {"counted_status": CountedStatus.REJECTED}
    since_answer = bank(tmp_path / "a", counted_from=CountedFrom.STATUS, **fields)
    since_shown = bank(tmp_path / "b", **fields)

    assert names(since_answer, "banner", history=[refused]) == [["blue"]]
    assert names(since_shown, "banner", history=[refused]) == [["gold"]]


def test_an_answer_counts_from_the_update_that_gave_it(tmp_path: Path) -> None:
    """A later update that changed nothing moves nothing; a repeated answer does."""
    decides = bank(tmp_path, counted_from=CountedFrom.STATUS)
    shown = past("gold", at_ms=NOON_MS - 300 * DAY_MS)
    accepted = answered(shown, PropositionStatus.ACCEPTED, NOON_MS - 11 * DAY_MS)
    ignored = with_change(
        accepted, StatusChange(PropositionStatus.PRESENTED, None, UnixMs(NOON_MS))
    )
    again = answered(accepted, PropositionStatus.ACCEPTED, NOON_MS - DAY_MS)

    assert ignored.status is PropositionStatus.ACCEPTED
    assert names(decides, "banner", history=[accepted]) == [["gold"]]
    assert names(decides, "banner", history=[ignored]) == [["gold"]]
    assert names(decides, "banner", history=[again]) == [["blue"]]


def test_without_an_answer_the_event_time_counts(tmp_path: Path) -> None:
    """A proposition has the status it was made with since it was made."""
    decides = bank(tmp_path, counted_from=CountedFrom.STATUS)

    inside = past("gold", at_ms=NOON_MS - 10 * DAY_MS)
    outside = past("gold", at_ms=NOON_MS - 10 * DAY_MS - 1)
    assert names(decides, "banner", history=[inside]) == [["blue"]]
    assert names(decides, "banner", history=[outside]) == [["gold"]]


def test_related_offers(tmp_path: Path) -> None:
    """Those with the same value of an attribute; others are neither hit nor counted."""
    decides = bank(tmp_path, counted=Counted.SAME_ATTRIBUTE, attribute="line")

    assert names(decides, ("banner", 9), history=[past("blue")]) == [["loan"]]
    assert names(decides, ("banner", 9), history=[past("loan"), past("gone")]) == [
        ["gold", "loan"]
    ]


def test_a_value_relates_only_offers_that_have_it(tmp_path: Path) -> None:
    """No value is not a value of its own."""
    decides = bank(tmp_path, counted=Counted.SAME_ATTRIBUTE, attribute="tier")

    assert names(decides, ("banner", 9), history=[past("blue"), past("loan")]) == [
        ["gold", "blue", "loan"]
    ]
    assert names(decides, "banner", history=[past("gold")]) == [["blue"]]


def test_presented_is_everything_but_generated(tmp_path: Path) -> None:
    """Whoever answered has seen it."""
    decides = bank(tmp_path, counted_status=CountedStatus.PRESENTED)
    counting = [
        status.name
        for status in list(PropositionStatus)[1:]
        if names(decides, "banner", history=[past("gold", status=status)]) == [["blue"]]
    ]

    assert counting == ["PRESENTED", "INTERESTED", "ACCEPTED", "SCHEDULED", "REJECTED"]


@pytest.mark.parametrize(
    ("days_ago", "expected"),
    [
        ([9, 8], "gold"),
        ([9, 2], "blue"),
        ([9, 3.0001], "gold"),
        # The third falls into the rest that the second began: not counted.
        ([9, 4, 2], "gold"),
        # The rest of the first two is over; the third and fourth begin another.
        ([9, 8, 4, 1], "blue"),
        ([9, 8, 4], "gold"),
        # The moment at which a rest ends counts.
        ([8, 7, 4, 1], "blue"),
    ],
)
def test_after_the_maximum_offers_rest(
    tmp_path: Path, days_ago: list[float], expected: str
) -> None:
    """Two presentations, three days of rest, and counting begins anew."""
    decides = bank(tmp_path, period_ms=None, maximum=2, rest_ms=3 * DAY_MS)
    history = [past("gold", at_ms=NOON_MS - int(d * DAY_MS)) for d in days_ago]

    assert names(decides, "banner", history=history[::-1]) == [[expected]]


def test_a_space_gives_its_status(tmp_path: Path) -> None:
    """Counted at once, in the same call, as what the space makes of it."""
    rule = PresentationRule(
        name="rule", period_ms=1, maximum=1, counted_status=CountedStatus.PRESENTED
    )
    spaces = [
        space("banner"),
        space("side", proposition_status=StatusName.PRESENTED),
    ]
    record = environment(OFFERS, rules=[rule], spaces=spaces)
    decides = live(tmp_path, record).environments["bank"]

    assert names(decides, "banner", "side") == [["gold"], ["blue"]]
    assert names(decides, "side", "banner") == [["gold"], []]


def exclusions(asked: Call, name: str) -> tuple[Exclusion, ...]:
    decides = asked.environment
    conditions = Conditions(asked)
    conditions.enter(decides.spaces["banner"])
    offer_ = decides.offers[decides.offer_numbers[name]]
    return Presented(asked, conditions).exclusions(offer_, decides.spaces["banner"])


@pytest.mark.parametrize(
    ("fields", "days_ago", "free_days"),
    [
        ({}, [9], 1),
        ({"maximum": 2}, [9, 8, 7], 2),
        ({"maximum": 2}, [9, 8, -5], 2),
        ({"maximum": 3}, [9, 8, 7], 1),
        ({"period_ms": None}, [9], None),
        ({"rest_ms": 2 * DAY_MS}, [1], 1),
    ],
)
def test_when_it_frees(
    tmp_path: Path, fields: dict[str, Any], days_ago: list[int], free_days: int | None
) -> None:
    """The moment said is the first at which the offer is proposed again."""
    decides = bank(tmp_path, **fields)
    history = [past("gold", at_ms=NOON_MS - d * DAY_MS) for d in sorted(days_ago)]
    (exclusion,) = exclusions(call(decides, "banner", history=history), "gold")
    free_ms = exclusion.frees_at_ms

    assert exclusion.counted >= exclusion.rule.maximum
    if free_days is None:
        assert free_ms is None
        return
    assert free_ms is not None
    assert free_ms // DAY_MS == (NOON_MS + free_days * DAY_MS) // DAY_MS
    before = names(decides, "banner", history=history, at_ms=free_ms - 1)
    assert (before, names(decides, "banner", history=history, at_ms=free_ms)) == (
        [["blue"]],
        [["gold"]],
    )


def test_every_rule_that_excludes_is_named(tmp_path: Path) -> None:
    """Not only the first."""
    record = environment(
        OFFERS,
        rules=[
            PresentationRule(name="one", period_ms=DAY_MS, maximum=1),
            PresentationRule(name="two", period_ms=DAY_MS, maximum=2),
            PresentationRule(name="three", period_ms=None, maximum=1),
        ],
    )
    decides = live(tmp_path, record).environments["bank"]
    found = exclusions(call(decides, "banner", history=[past("loan")]), "gold")

    assert [e.rule.name for e in found] == ["one", "three"]


def test_a_decision_does_not_change_its_history(tmp_path: Path) -> None:
    """What is handed in is handed in again by whoever replays."""
    decides = bank(tmp_path)
    history = [replace(past("loan"), sequence=1)]
    asked = call(decides, ("banner", 3), history=history)

    assert decide(asked) == decide(asked)
    assert history == [replace(past("loan"), sequence=1)]

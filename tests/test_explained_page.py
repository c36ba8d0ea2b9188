"""Why an eligible offer is not proposed: the page, past propositions, the others."""

from pathlib import Path

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import Channel, PresentationRule, StatusName
from server.engine.call import SpaceCall
from server.engine.decision import decide
from server.engine.explanation.reasons import ReasonCode
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    offer,
    past,
    row,
    space,
    window,
)
from tests.explained_calls import bank, explained, only


def test_presentation_rules(tmp_path: Path) -> None:
    """All that exclude: what they count, from how many on, and when they free."""
    rules = [
        PresentationRule(name="weekly", period_ms=7 * DAY_MS, maximum=2),
        PresentationRule(
            name="ever", period_ms=None, maximum=1, counted=Counted.THIS_OFFER
        ),
        PresentationRule(name="rare", period_ms=DAY_MS, maximum=3),
    ]
    decides = bank(tmp_path, offer("card"), rules=rules)
    history = [past("card", at_ms=NOON_MS - DAY_MS), past("loan")]
    (found,) = explained(decides, "card", history=history)

    assert [
        (r.code, r.resource, r.counted, r.maximum, r.frees_at_ms) for r in found.reasons
    ] == [
        (
            ReasonCode.PRESENTATION_RULE,
            "environments/bank/presentation_rules/weekly",
            2,
            2,
            NOON_MS + 6 * DAY_MS + 1,
        ),
        (
            ReasonCode.PRESENTATION_RULE,
            "environments/bank/presentation_rules/ever",
            1,
            1,
            None,
        ),
    ]
    assert [r.message for r in found.reasons] == [
        "weekly counts 2 of at most 2; free again on 7 May 2026 12:01 UTC",
        "ever counts 1 of at most 1; never free again",
    ]


def test_presentation_rules_count_the_page(tmp_path: Path) -> None:
    """What the call proposes in the same space, or one before; not what comes later."""
    rule = PresentationRule(name="one", period_ms=DAY_MS, maximum=1)
    decides = bank(tmp_path, offer("a", 2), offer("b", 1), rules=[rule])
    first, second = explained(decides, "b", ("banner", 9), "side")
    apart = explained(decides, "b", "banner", "side", excluded=frozenset({"a"}))

    assert [r.counted for r in first.reasons] == [1]
    assert [r.counted for r in second.reasons] == [1]
    assert (apart[0].rank, apart[0].reasons) == (1, ())


def test_propositions_of_the_page_have_the_status_of_their_space(
    tmp_path: Path,
) -> None:
    """A rule that counts what was presented counts those of spaces that present."""
    rule = PresentationRule(
        name="seen",
        period_ms=DAY_MS,
        maximum=1,
        counted_status=CountedStatus.PRESENTED,
    )
    spaces = [
        space("banner", proposition_status=StatusName.PRESENTED),
        space("side"),
    ]
    decides = bank(tmp_path, offer("a", 2), offer("b", 1), rules=[rule], spaces=spaces)
    after_banner = explained(decides, "b", "banner", "side")[1]
    after_side = explained(decides, "b", "side", "banner")[1]

    assert [r.counted for r in after_banner.reasons] == [1]
    assert after_side.reasons == ()


def test_shown_in_the_space_and_elsewhere(tmp_path: Path) -> None:
    """A second request for a space, and a space after another."""
    decides = bank(tmp_path, offer("card"))
    _, again = explained(decides, "card", "banner", "banner")
    _, side = explained(decides, "card", "banner", "side")
    _, allowed = explained(decides, "card", "banner", "side", allow_duplicates=True)

    assert [(r.code, r.names) for r in again.reasons] == [
        (ReasonCode.SHOWN_IN_SPACE, ("banner",))
    ]
    assert [(r.code, r.names) for r in side.reasons] == [
        (ReasonCode.SHOWN_ELSEWHERE, ("banner",))
    ]
    assert (allowed.rank, allowed.reasons) == (1, ())


def test_outranked(tmp_path: Path) -> None:
    """Who took the last place, and with which weight."""
    decides = bank(tmp_path, offer("gold", 9), offer("blue", 5), offer("loan", 2))
    reason = only(decides, "loan", ("banner", 2))

    assert (reason.code, reason.weight, reason.winner, reason.winner_weight) == (
        ReasonCode.OUTRANKED,
        2.0,
        "blue",
        5.0,
    )
    assert reason.message == "its weight is 2, and the last place went to blue, with 5"


def test_an_offer_that_lost_the_draw(tmp_path: Path) -> None:
    """Equal weights."""
    decides = bank(tmp_path, offer("a", 2), offer("b", 2))
    made = call(decides, "banner", seed=1)
    decision = decide(made)
    (loser,) = {"a", "b"} - {decision.spaces[0].chosen[0].scored.offer.name}

    assert only(decides, loser, seed=1).message.startswith(
        "lost the draw among offers of weight 2: the last place went to "
    )


def test_every_reason_is_told_and_not_only_the_first(tmp_path: Path) -> None:
    """In the order of the pipeline; outranked is what nothing else explains."""
    rule = PresentationRule(
        name="one", period_ms=DAY_MS, maximum=1, channel=Channel.INBOUND_WEB
    )
    decides = bank(
        tmp_path,
        offer(
            "card",
            row(1, rule="contact.age > 3"),
            spaces=("side",),
            enabled=False,
            window=window(None, NOON_MS),
            rule="contact.age > 5",
        ),
        offer("other"),
        rules=[rule],
    )
    asked = SpaceCall(decides.spaces["banner"], 1, ("no_such",))
    (found,) = explained(
        decides,
        "card",
        asked,
        excluded=frozenset({"card"}),
        history=[past("card")],
        contact={"age": 1},
    )

    assert [reason.code for reason in found.reasons] == [
        ReasonCode.NOT_APPROVED,
        ReasonCode.OFFER_DISABLED,
        ReasonCode.NOT_REQUESTED,
        ReasonCode.EXCLUDED_BY_CALL,
        ReasonCode.WINDOW_CLOSED,
        ReasonCode.OFFER_RULE,
        ReasonCode.NO_MATCHING_WEIGHT,
        ReasonCode.PRESENTATION_RULE,
    ]

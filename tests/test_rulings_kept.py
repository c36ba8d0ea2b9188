"""The rulings about what is kept: history, contacts, statuses, times, dry runs.

Each test fails when its ruling is turned round. `test_rulings` has the others.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import (
    Category,
    Channel,
    Environment,
    PresentationRule,
)
from contact_store.errors import UnknownProposition
from contact_store.records import PropositionStatus
from server.engine.live_catalog import LiveEnvironment
from server.requests import InvalidRequest
from server.wire import decision_pb2 as pb
from tests.bank import (
    DAY_MS,
    NOON_MS,
    environment,
    live,
    names,
    offer,
    past,
    space,
    window,
)
from tests.services import Served, offers, served

MINUTE_MS = 60_000
REJECTED = PropositionStatus.REJECTED
CARD = offer("card", 3)
OFFERS = (
    CARD,
    offer("loan", 2, category="loans"),
    offer("other", 1, category="loans"),
)
ONCE = PresentationRule(
    name="once", period_ms=10 * DAY_MS, maximum=1, counted=Counted.THIS_OFFER
)


def under_rule(folder: Path, **fields: Any) -> LiveEnvironment:
    """An environment whose only presentation rule has these fields."""
    spaces = [space("banner"), space("side", channel=Channel.INBOUND_CALL_CENTER)]
    fields = {"name": "rule", "period_ms": 10 * DAY_MS, "maximum": 1, **fields}
    rule = PresentationRule(**fields)
    categories = [Category(name="loans")]
    record = environment(OFFERS, rules=[rule], spaces=spaces, categories=categories)
    return live(folder, record).environments["bank"]


@pytest.mark.parametrize("edge", [-10 * DAY_MS, 10 * DAY_MS])
def test_ruling_07_a_period_reaches_both_ways_ends_included(
    tmp_path: Path, edge: int
) -> None:
    """What was proposed before, and what is to be, down to the millisecond."""
    decides = under_rule(tmp_path)
    beyond = edge + (1 if edge > 0 else -1)

    assert names(decides, "banner", history=[past("x", at_ms=NOON_MS + edge)]) == [[]]
    assert names(decides, "banner", history=[past("x", at_ms=NOON_MS + beyond)]) == [
        ["card"]
    ]


@pytest.mark.parametrize(
    ("fields", "seen", "expected"),
    [
        ({}, {}, ""),
        ({"maximum": 2}, {}, "card loan other"),
        ({"counted": Counted.THIS_OFFER}, {}, "card other"),
        ({"counted": Counted.SAME_CATEGORY}, {}, "card"),
        ({"counted": Counted.SCOPE, "offers": ("card", "loan")}, {}, "other"),
        ({"counted": Counted.THIS_OFFER, "offers": ("card",)}, {}, "card loan other"),
        ({"channel": Channel.INBOUND_CALL_CENTER}, {}, "card loan other"),
        ({"channel": Channel.INBOUND_WEB}, {"channel": Channel.EMAIL}, ""),
        ({"same_channel": True}, {}, ""),
        ({"same_channel": True}, {"channel": Channel.EMAIL}, "card loan other"),
        ({"counted_status": CountedStatus.REJECTED}, {}, "card loan other"),
        ({"counted_status": CountedStatus.REJECTED}, {"status": REJECTED}, ""),
    ],
)
def test_ruling_07_what_counts_against_what(
    tmp_path: Path, fields: dict[str, Any], seen: dict[str, Any], expected: str
) -> None:
    """By channel, offers, status and maximum, once the loan was proposed on the web."""
    decides = under_rule(tmp_path, **fields)
    loan = past("loan", category="loans", **seen)
    # Each by itself: propositions of the same call count too.
    found = [
        one.name
        for one in OFFERS
        if names(
            decides,
            "banner",
            history=[loan],
            excluded=frozenset(o.name for o in OFFERS if o is not one),
        )
        == [[one.name]]
    ]

    assert found == expected.split()


def test_ruling_07_propositions_of_the_same_call_count(tmp_path: Path) -> None:
    """One in all, however much is asked for."""
    decides = under_rule(tmp_path)

    assert names(decides, ("banner", 9), "side") == [["card"], []]


def test_ruling_07_limits_edited_later_count_what_is_stored(tmp_path: Path) -> None:
    """By the names of rules and offers, whatever revision proposed."""
    rule = PresentationRule(
        name="rule", period_ms=DAY_MS, maximum=9, counted=Counted.THIS_OFFER
    )
    edited = PresentationRule(
        name="rule", period_ms=9 * DAY_MS, maximum=1, counted=Counted.THIS_OFFER
    )
    with served(tmp_path, environment([CARD], rules=[rule])) as web:
        web.propose()
        web.clock.now_ms = NOON_MS + 5 * DAY_MS
        assert offers(web.propose(dry_run=True)) == ["card"]
        web.publish(environment([offer("new", 1), CARD], rules=[edited]))
        assert offers(web.propose(dry_run=True)) == ["new"]


def _identifying(**fields: Any) -> tuple[Environment, Environment]:
    """`known` is implicit, binds and falls back; `plain` only falls back."""
    linked = {"anonymous_space": "page"}
    spaces = [
        space("known", implicit_identification=True, binds_visitors=True, **linked),
        space("plain", **linked),
        space("alone"),
    ]
    card = offer("card", spaces=("known", "plain", "alone"))
    hello = offer("hello", spaces=("page",))
    visitors = Environment(
        name="visitors",
        anonymous=True,
        categories=(Category(name="all"),),
        offers=(hello,),
        spaces=(space("page"),),
    )
    bank_ = environment(
        [card], spaces=spaces, anonymous_environment="visitors", **fields
    )
    return bank_, visitors


def test_ruling_09_explicit_then_implicit_then_anonymous(tmp_path: Path) -> None:
    """In one call; the latest binding wins, and no other space reads it."""
    with served(tmp_path, *_identifying()) as web:
        # A space that does not bind: the visitor stays unknown.
        web.propose("plain", contact_id="zoe", visitor_id="v")
        first = web.propose("known", visitor_id="v")
        web.propose("known", contact_id="ann", visitor_id="v")
        web.propose("known", contact_id="bob", visitor_id="v")
        bound = web.propose("known", visitor_id="v")
        records = [web.history.read("bank", name) for name in ("ann", "bob")]
        plain = web.propose("plain", visitor_id="v")
        nobody = web.propose("alone", visitor_id="v")

    assert [first.identification_mode, offers(first)] == [3, ["hello"]]
    assert [bound.identification_mode, offers(bound)] == [2, ["card"]]
    assert [plain.identification_mode, offers(plain)] == [3, ["hello"]]
    assert [nobody.identification_mode, offers(nobody)] == [3, []]
    # The visitor's own was merged once, into the first that it was bound to.
    assert [len(r.propositions) for r in records if r is not None] == [2, 2]


def test_ruling_09_a_contact_without_a_profile_is_identified(tmp_path: Path) -> None:
    """With an empty one; or it falls back where the environment says so."""
    with served(tmp_path / "a", *_identifying()) as web:
        usual = web.propose("known", contact_id="new")
    with served(tmp_path / "b", *_identifying(requires_profile=True)) as web:
        strict = web.propose("known", contact_id="new")

    assert [usual.identification_mode, offers(usual)] == [1, ["card"]]
    assert [strict.identification_mode, offers(strict)] == [3, ["hello"]]


def test_ruling_09_a_call_without_ids_is_given_a_visitor(tmp_path: Path) -> None:
    """By an anonymous space; the id is answered and keeps its history."""
    with served(tmp_path, *_identifying()) as web:
        answer = web.propose("page", environment="visitors", contact_id="")
        record = web.history.read("visitors", answer.visitor_id)

    assert offers(answer) == ["hello"]
    assert record is not None
    assert len(record.propositions) == 1


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    """Each offer at most once in ten days; `side` records nothing."""
    spaces = [space("banner"), space("side", recording=False)]
    record = environment([CARD, offer("loan", 2)], rules=[ONCE], spaces=spaces)
    with served(tmp_path, record) as web:
        yield web


def propose_at(web: Served, at_ms: int, **fields: Any) -> list[str]:
    """What is proposed for a time that the caller says."""
    request = pb.ProposeRequest(contact_id="ann", **fields)
    request.spaces.add(space="banner")
    request.contact_time.FromMilliseconds(at_ms)
    return offers(web.ask(request))


def change(web: Served, made: str, status: str, after_ms: int | None = None) -> str:
    """Update a proposition, and what its status is then."""
    request = pb.UpdatePropositionRequest(
        proposition_id=made, status=f"PROPOSITION_STATUS_{status.upper()}"
    )
    if after_ms is not None:
        request.event_time.FromMilliseconds(NOON_MS + after_ms)
    answer = web.service.update_proposition(request, "web")
    updated = pb.UpdatePropositionResponse.FromString(answer)
    return pb.PropositionStatus.Name(updated.status)[19:].lower()


def made(web: Served) -> str:
    """The id of a new proposition."""
    return web.propose().results[0].propositions[0].proposition_id


def test_ruling_10_any_status_may_follow_any_other(web: Served) -> None:
    """Each of the six after each of them, as long as it happened later."""
    one, status = made(web), list(PropositionStatus)[1:]
    walk = [s.name.lower() for a in status for b in status for s in (a, b)]
    after = [change(web, one, name, number) for number, name in enumerate(walk)]

    assert after == walk


def test_ruling_10_the_later_event_time_wins_then_the_later_arrival(
    web: Served,
) -> None:
    """What happened before arrives in vain, and is logged."""
    one = made(web)
    updates = [("rejected", 50), ("accepted", 49), ("scheduled", 50), ("presented", 51)]
    after = [change(web, one, status, at) for status, at in updates]
    record = web.history.read("bank", "ann")

    assert after == ["rejected", "rejected", "scheduled", "presented"]
    assert record is not None
    assert [c.status.name.lower() for c in record.propositions[0].changes] == [
        "generated",
        *(status for status, _ in updates),
    ]


@pytest.mark.parametrize("answer", ["accepted", "rejected"])
def test_ruling_10_without_a_time_an_answer_stays_an_answer(
    web: Served, answer: str
) -> None:
    """A late "presented" does not undo it; another answer, or interest, does."""
    one = made(web)
    web.clock.now_ms = NOON_MS + MINUTE_MS
    after = [
        change(web, one, status)
        for status in (answer, "generated", "presented", "interested", "presented")
    ]

    assert after == [answer, answer, answer, "interested", "presented"]


def test_ruling_10_an_unknown_proposition_is_not_found(web: Served) -> None:
    """Nothing is made of it."""
    with pytest.raises(UnknownProposition):
        change(web, made(web)[:-1] + "~", "accepted")


def test_ruling_11_the_time_of_a_store_never_goes_back(web: Served) -> None:
    """A clock put back a year still counts what was proposed."""
    web.propose()
    web.clock.now_ms = NOON_MS - 365 * DAY_MS

    assert offers(web.propose()) == ["loan"]
    assert offers(web.propose()) == []


def test_ruling_11_the_contacts_time_moves_periods_and_dates(tmp_path: Path) -> None:
    """For dry runs up to 400 days: what is proposed then, not now."""
    ahead = NOON_MS + 400 * DAY_MS
    records = [CARD, offer("sale", 9, window=window(ahead))]
    with served(tmp_path, environment(records, rules=[ONCE])) as web:
        web.propose()
        free = NOON_MS + 10 * DAY_MS + 1

        assert propose_at(web, free - 1, dry_run=True) == []
        assert propose_at(web, free, dry_run=True) == ["card"]
        assert propose_at(web, ahead - 1, dry_run=True) == ["card"]
        assert propose_at(web, ahead, dry_run=True) == ["sale"]


@pytest.mark.parametrize(
    ("earliest_ms", "latest_ms", "dry_run"),
    [
        (-5 * MINUTE_MS, 5 * MINUTE_MS, False),
        (-5 * MINUTE_MS, 400 * DAY_MS, True),
    ],
)
def test_ruling_11_how_far_the_contacts_time_may_be(
    web: Served, earliest_ms: int, latest_ms: int, dry_run: bool
) -> None:
    """Five minutes from now; only what records nothing may look ahead."""
    assert propose_at(web, NOON_MS + earliest_ms, dry_run=dry_run) == ["card"]
    assert propose_at(web, NOON_MS + latest_ms, dry_run=dry_run) != []
    for beyond in (earliest_ms - 1, latest_ms + 1):
        with pytest.raises(InvalidRequest, match="contact_time"):
            propose_at(web, NOON_MS + beyond, dry_run=dry_run)


def test_ruling_11_an_event_time_is_at_most_5_minutes_ahead(web: Served) -> None:
    """The contact cannot have answered tomorrow."""
    one = made(web)

    assert change(web, one, "accepted", 5 * MINUTE_MS) == "accepted"
    with pytest.raises(InvalidRequest, match="event_time"):
        change(web, one, "rejected", 5 * MINUTE_MS + 1)


def test_ruling_14_a_dry_run_stores_nothing(web: Served) -> None:
    """And counts for nothing in the next call; it sees what is stored all the same."""
    dry = [offers(web.propose("banner", dry_run=True)) for _ in range(2)]
    record = web.history.read("bank", "ann")
    recorded = offers(web.propose("banner"))

    assert (dry, record) == ([["card"], ["card"]], None)
    assert recorded == ["card"]
    assert offers(web.propose("banner", dry_run=True)) == ["loan"]


def test_ruling_14_a_space_with_recording_off_stores_nothing(web: Served) -> None:
    """By itself or beside one that records, and the rules see nothing of it."""
    alone = web.propose("side")
    nothing = web.history.read("bank", "ann")
    beside = web.propose("side", "banner", allow_duplicates=True)
    record = web.history.read("bank", "ann")

    assert (offers(alone), nothing) == (["card"], None)
    assert offers(beside) == ["card", "card"]
    assert [bool(r.propositions[0].proposition_id) for r in beside.results] == [
        False,
        True,
    ]
    assert record is not None
    assert len(record.propositions) == 1

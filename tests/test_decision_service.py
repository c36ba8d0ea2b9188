"""Recording: request ids, the clock, contacts that are retried, and dry runs."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from catalog_store.records import (
    ContentField,
    Environment,
    PresentationRule,
    UnixMs,
)
from contact_store.errors import RequestIdReused
from contact_store.history import HistoryStore
from contact_store.profiles import ProfileStore
from server.decision_service import DecisionService, Sources
from server.requests import AnswerTooLarge, InvalidRequest
from server.wire import decision_pb2 as pb
from server.worker import CatalogCell
from tests.bank import DAY_MS, NOON_MS, environment, live, offer, space
from tests.services import served


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now_ms = NOON_MS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def service(tmp_path: Path, clock: Clock) -> Iterator[DecisionService]:
    """Two offers, each at most once in ten days; `side` falls back to visitors."""
    rule = PresentationRule(
        name="once", period_ms=10 * DAY_MS, maximum=1, counted="this_offer"
    )
    bank = environment(
        [offer("card", 2), offer("loan", 1)],
        rules=[rule],
        spaces=[space("banner"), space("side", anonymous_space="page")],
        anonymous_environment="visitors",
    )
    visitors = Environment(
        name="visitors",
        anonymous=True,
        categories=bank.categories,
        offers=(offer("hello", 1, spaces=("page",)),),
        spaces=(space("page"),),
    )
    cell = CatalogCell()
    cell.current = live(tmp_path / "catalog", bank, visitors)
    numbers = count(1)
    sources = Sources(
        now_ms=lambda: UnixMs(clock.now_ms),
        random_bytes=lambda size: next(numbers).to_bytes(size),
    )
    with (
        HistoryStore(tmp_path / "history") as history,
        ProfileStore(tmp_path / "profiles") as profiles,
    ):
        yield DecisionService(cell, history, profiles, sources)


def propose(service: DecisionService, spaces: str = "banner", **fields: object):
    request = pb.ProposeRequest(**{"contact_id": "ann", **fields})
    for name in spaces.split():
        request.spaces.add(space=name)
    return pb.ProposeResponse.FromString(service.propose(request, "web"))


def offers(answer: pb.ProposeResponse) -> list[str]:
    return [p.offer for result in answer.results for p in result.propositions]


def test_a_repeated_request_is_answered_again_and_recorded_once(
    service: DecisionService,
) -> None:
    """Byte for byte; without an id it is a new decision."""
    first = propose(service, request_id="r1")

    assert propose(service, request_id="r1") == first
    assert offers(first) == ["card"]
    assert offers(propose(service, request_id="r2")) == ["loan"]
    assert offers(propose(service)) == []


def test_a_request_id_with_another_payload_is_refused(
    service: DecisionService,
) -> None:
    """And another caller's same id is another request."""
    propose(service, request_id="r1")
    with pytest.raises(RequestIdReused):
        propose(service, request_id="r1", contact_id="bob")
    request = pb.ProposeRequest(request_id="r1", contact_id="bob")
    request.spaces.add(space="banner")

    answer = pb.ProposeResponse.FromString(service.propose(request, "phone"))
    assert offers(answer) == ["card"]


def test_an_answer_too_large_to_keep_is_refused(tmp_path: Path) -> None:
    """With a request id, nothing recorded; without one it is answered."""
    large = {"title": "x" * 60_000}
    record = environment(
        [offer(f"o{number}", content=large) for number in range(20)],
        spaces=[space("banner", fields=(ContentField(name="title"),)), space("side")],
    )
    with served(tmp_path, record) as web:
        request = pb.ProposeRequest(contact_id="ann", request_id="r")
        request.spaces.add(space="banner", max_propositions=20)
        with pytest.raises(AnswerTooLarge, match="ask for fewer propositions"):
            web.ask(request)
        assert web.history.read("bank", "ann") is None
        request.request_id = ""
        assert len(web.ask(request).results[0].propositions) == 20


def test_an_update_is_answered_once_per_request_id(service: DecisionService) -> None:
    """The same update again is not a second entry of the log."""
    made = propose(service).results[0].propositions[0]
    update = pb.UpdatePropositionRequest(
        request_id="u1",
        proposition_id=made.proposition_id,
        status=pb.PROPOSITION_STATUS_ACCEPTED,
    )
    answers = {service.update_proposition(update, "web") for _ in range(3)}

    assert len(answers) == 1
    update.status = pb.PROPOSITION_STATUS_REJECTED
    with pytest.raises(RequestIdReused):
        service.update_proposition(update, "web")


def test_a_dry_run_neither_counts_nor_is_counted(service: DecisionService) -> None:
    """It sees the history, and leaves none."""
    dry = [offers(propose(service, dry_run=True)) for _ in range(2)]
    recorded = offers(propose(service))

    assert dry == [["card"], ["card"]]
    assert recorded == ["card"]
    assert offers(propose(service, dry_run=True)) == ["loan"]


def test_a_dry_run_can_look_ahead(service: DecisionService) -> None:
    """The contact's time moves the windows: free again after the period."""
    propose(service)
    ahead = pb.ProposeRequest(contact_id="ann", dry_run=True)
    ahead.spaces.add(space="banner")
    ahead.contact_time.FromMilliseconds(NOON_MS + 10 * DAY_MS + 1)
    answer = pb.ProposeResponse.FromString(service.propose(ahead, "web"))

    assert offers(answer) == ["card"]
    assert answer.results[0].propositions[0].event_time == ahead.contact_time


def test_a_clock_that_goes_back_opens_no_window(
    service: DecisionService, clock: Clock
) -> None:
    """The store's time is the latest that it has seen."""
    clock.now_ms = UnixMs(NOON_MS + DAY_MS)
    propose(service)
    clock.now_ms = UnixMs(NOON_MS - 100 * DAY_MS)
    answer = propose(service)

    assert offers(answer) == ["loan"]
    assert answer.results[0].propositions[0].event_time.ToMilliseconds() == (
        NOON_MS + DAY_MS
    )


def test_nobody_identified_is_decided_for_as_a_visitor(
    service: DecisionService,
) -> None:
    """In the same call; a space without an anonymous one says why it is empty."""
    answer = propose(service, "side banner", contact_id="")
    again = propose(service, "side", contact_id="", visitor_id=answer.visitor_id)

    assert offers(answer) == ["hello"]
    assert [r.shortfall_reason for r in answer.results] == [
        pb.SHORTFALL_REASON_UNSPECIFIED,
        pb.SHORTFALL_REASON_NOT_IDENTIFIED,
    ]
    assert answer.identification_mode == pb.IDENTIFICATION_MODE_ANONYMOUS
    assert len(answer.visitor_id) == 32
    assert offers(again) == ["hello"]


def test_a_call_that_could_never_be_answered_is_refused(
    service: DecisionService,
) -> None:
    """No id, and no space that leads anywhere; with a visitor id it is empty."""
    with pytest.raises(InvalidRequest, match="contact_id: is required"):
        propose(service, contact_id="")
    answer = propose(service, contact_id="", visitor_id="v1")

    assert offers(answer) == []
    assert answer.identification_mode == pb.IDENTIFICATION_MODE_ANONYMOUS


def test_unknown_names_are_ignored_with_a_warning(service: DecisionService) -> None:
    """Unless one of the two environments has them."""
    request = pb.ProposeRequest(contact_id="", excluded_offers=["card", "no_such"])
    request.spaces.add(space="side", categories=["all", "nowhere"], themes=[])
    answer = pb.ProposeResponse.FromString(service.propose(request, "web"))

    assert list(answer.warnings) == [
        "unknown category 'nowhere' ignored",
        "unknown offer 'no_such' ignored",
    ]
    assert offers(answer) == ["hello"]


def test_the_interaction_id_is_the_seed(service: DecisionService) -> None:
    """Sixteen digits of the number that was drawn for the call."""
    assert propose(service).interaction_id == f"{1:016x}"
    assert propose(service).interaction_id == f"{2:016x}"

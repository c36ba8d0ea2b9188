"""Quotas over many calls: who shares them, what is counted, and when they free."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_store.counting import QuotaPeriod
from contact_store.errors import HistoryFull
from contact_store.records import PROPOSITIONS_MAX
from server.wire import decision_pb2 as pb
from tests.bank import DAY_MS, NOON_MS, past, space
from tests.quota_bank import bank, quota
from tests.services import Served, offers, served

HOUR_MS = 3_600_000


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, bank(quota(2, categories=("cards",)))) as web:
        yield web


def test_all_contacts_share_it(web: Served) -> None:
    """Two cards a day, whoever they are proposed to."""
    proposed = [offers(web.propose(contact_id=name)) for name in ("ann", "bob", "cyd")]

    assert proposed == [["gold"], ["gold"], ["loan"]]


def test_the_next_period_is_another(web: Served) -> None:
    """From its first millisecond on, and after the server was started again."""
    midnight_ms = NOON_MS + 12 * HOUR_MS
    for contact in ("ann", "bob", "cyd"):
        web.propose(contact_id=contact)
    web.clock.now_ms = midnight_ms - 1
    before = web.propose(contact_id="dan")
    web.clock.now_ms = midnight_ms
    after = [offers(web.propose(contact_id=c)) for c in ("eve", "fay", "gus")]

    assert offers(before) == ["loan"]
    assert before.results[0].shortfall_reason == pb.SHORTFALL_REASON_UNSPECIFIED
    assert after == [["gold"], ["gold"], ["loan"]]


def test_it_is_counted_across_restarts(tmp_path: Path) -> None:
    """It is on disk with the propositions."""
    found: list[list[str]] = []
    for contact in ("ann", "bob", "cyd"):
        with served(tmp_path, bank(quota(2, categories=("cards",)))) as web:
            found.append(offers(web.propose(contact_id=contact)))

    assert found == [["gold"], ["gold"], ["loan"]]


def test_a_clock_that_is_set_back_begins_no_period(web: Served) -> None:
    """The store's clock never goes back: yesterday's room is not given again."""
    for contact in ("ann", "bob"):
        web.propose(contact_id=contact)
    web.clock.now_ms -= DAY_MS

    assert offers(web.propose(contact_id="cyd")) == ["loan"]
    assert offers(web.propose(contact_id="cyd", dry_run=True)) == ["loan"]


def test_the_time_of_the_contact_is_not_asked(web: Served) -> None:
    """A dry run for next week finds today's quota."""
    for contact in ("ann", "bob"):
        web.propose(contact_id=contact)
    request = pb.ProposeRequest(contact_id="cyd", dry_run=True)
    request.spaces.add(space="banner")
    request.contact_time.FromMilliseconds(NOON_MS + 7 * DAY_MS)

    assert offers(web.ask(request)) == ["loan"]


def test_a_dry_run_takes_nothing(web: Served) -> None:
    """However often it is asked; within it what it shows counts."""
    for _ in range(5):
        found = web.propose("banner", "side", "banner", dry_run=True)
        assert offers(found) == ["gold", "blue", "loan"]

    assert offers(web.propose()) == ["gold"]


def test_a_retry_takes_nothing(web: Served) -> None:
    """It gets the first answer again."""
    for _ in range(5):
        assert offers(web.propose(request_id="r")) == ["gold"]

    assert offers(web.propose(contact_id="bob")) == ["gold"]
    assert offers(web.propose(contact_id="cyd")) == ["loan"]


def test_an_answer_gives_nothing_back(web: Served) -> None:
    """It was proposed, whatever came of it."""
    for contact in ("ann", "bob"):
        made = web.propose(contact_id=contact).results[0].propositions[0]
        web.update(made.proposition_id, "rejected")

    assert offers(web.propose(contact_id="cyd")) == ["loan"]


def test_what_is_not_stored_is_not_counted(web: Served) -> None:
    """A call whose contact has no room for more is refused, and takes nothing."""
    full = [past("gone")] * PROPOSITIONS_MAX
    with web.history.transaction() as txn:
        txn.append("bank", "ann", *full)
    with pytest.raises(HistoryFull):
        web.propose()
    found = [offers(web.propose(contact_id=c)) for c in ("bob", "cyd", "dan")]

    assert found == [["gold"], ["gold"], ["loan"]]


def test_a_limit_that_is_edited_counts_what_was_counted(web: Served) -> None:
    """Lowered below what is used none are left, and raising it frees the rest."""
    for contact in ("ann", "bob"):
        web.propose(contact_id=contact)
    found: dict[int, list[str]] = {}
    for limit in (1, 0, 3):
        web.publish(bank(quota(limit, categories=("cards",))))
        found[limit] = offers(web.propose(contact_id=f"c{limit}"))

    assert found == {1: ["loan"], 0: ["loan"], 3: ["gold"]}


def test_offers_that_come_later_share_what_is_left(web: Served) -> None:
    """The count is the quota's, whatever it names; another name counts anew."""
    for contact in ("ann", "bob"):
        web.propose(contact_id=contact)
    web.publish(bank(quota(2, offers=("loan",))))
    assert offers(web.propose(contact_id="cyd", excluded_offers=["gold", "blue"])) == [
        "news"
    ]
    web.publish(bank(quota(2, name="other", offers=("loan",))))
    assert offers(web.propose(contact_id="cyd", excluded_offers=["gold", "blue"])) == [
        "loan"
    ]


@pytest.mark.parametrize(
    ("period", "zone", "times", "expected"),
    [
        # 2026-05-01T12:00Z is 13:00 in Lisbon: what follows is in hours from then.
        ("hour", "UTC", [0, 0.999, 1, 1.5], ["gold", "blue", "gold", "blue"]),
        ("hour", "Asia/Kathmandu", [0, 0.24, 0.25], ["gold", "blue", "gold"]),
        ("day", "UTC", [0, 11.99, 12], ["gold", "blue", "gold"]),
        ("day", "Europe/Lisbon", [0, 10.99, 11], ["gold", "blue", "gold"]),
        ("day", None, [0, 9.99, 10], ["gold", "blue", "gold"]),
        # A Friday.
        ("week", "UTC", [0, 59.99, 60], ["gold", "blue", "gold"]),
        ("month", "UTC", [0, 30.49 * 24, 30.5 * 24], ["gold", "blue", "gold"]),
        ("total", "UTC", [0, 400 * 24, 9_999 * 24], ["gold", "blue", "blue"]),
    ],
)
def test_it_frees_with_the_next_period(
    tmp_path: Path,
    period: str,
    zone: str | None,
    times: list[float],
    expected: list[str],
) -> None:
    """By the quota's zone, or else by the environment's, which is Berlin's."""
    limited = quota(period=QuotaPeriod(period), time_zone=zone, offers=("gold",))
    record = replace(bank(limited), time_zone="Europe/Berlin")
    found: list[str] = []
    with served(tmp_path, record) as web:
        for number, hours in enumerate(times):
            web.clock.now_ms = NOON_MS + round(hours * HOUR_MS)
            found += offers(web.propose(contact_id=f"c{number}"))

    assert found == expected


def test_a_day_of_25_hours_is_one(tmp_path: Path) -> None:
    """Clocks go back on 25 October 2026 in Lisbon: 23:00Z is on the same day."""
    limited = quota(time_zone="Europe/Lisbon", offers=("gold",))
    start_ms = 1_792_882_800_000  # 2026-10-24T23:00Z, midnight
    found: list[str] = []
    with served(tmp_path, bank(limited)) as web:
        for hours in (0, 24, 24.99, 25):
            web.clock.now_ms = start_ms + round(hours * HOUR_MS)
            found += offers(web.propose(contact_id=f"c{hours}"))

    assert found == ["gold", "blue", "blue", "gold"]


def test_the_anonymous_environment_has_its_own(tmp_path: Path) -> None:
    """Two quotas of one name in two environments count apart."""
    limited = quota(1, offers=("gold",))
    visitors = replace(
        bank(limited), name="visitor", default=False, anonymous=True, typology=None
    )
    spaces = (space("banner", anonymous_space="banner"), space("side"))
    clients = replace(
        bank(limited, spaces=spaces), anonymous_environment="visitor", typology=None
    )
    with served(tmp_path, clients, visitors) as web:
        found = [
            offers(web.propose(contact_id="ann")),
            offers(web.propose(visitor_id="cookie")),
            offers(web.propose(contact_id="bob")),
            offers(web.propose(visitor_id="jar")),
        ]

    assert found == [["gold"], ["gold"], ["blue"], ["blue"]]

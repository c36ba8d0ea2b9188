"""Worked cases with their numbers, as catalogs in files and calls of the service.

A anonymous banner, B changeover, C a rule about Canada, D a shared counter, E ranks and
a multiplier, F outbound mail, G a simulation, H statuses.
"""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from catalog_store.records import UnixMs
from contact_store.records import EMPTY_RECORD, Proposition
from server.client import Client
from server.files import read_catalog
from server.wire import decision_pb2 as pb
from tests.bank import DAY_MS
from tests.servers import DEADLINE_SECONDS, run, serving
from tests.services import Served, served

SCENARIOS = Path(__file__).parent / "scenarios"


class Found(NamedTuple):
    """One proposition."""

    offer: str
    weight: float
    rank: int


def date(text: str) -> UnixMs:
    """Of a date, or a moment, in UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return UnixMs(int(moment.timestamp() * 1_000))


@contextmanager
def scenario(folder: Path, name: str, now: str = "2017-01-15") -> Generator[Served]:
    """The service of a scenario's catalog, on some day."""
    catalog = read_catalog(SCENARIOS / name).catalog
    with served(folder, *catalog.environments) as web:
        web.clock.now_ms = date(now)
        yield web


def request(
    name: str,
    count: int = 1,
    *,
    categories: Sequence[str] = (),
    themes: Sequence[str] = (),
    **fields: Any,
) -> pb.ProposeRequest:
    """A call for one space, for `ann` unless other ids are given."""
    if not {"contact_id", "visitor_id"} & fields.keys():
        fields["contact_id"] = "ann"
    made = pb.ProposeRequest(**fields)
    made.spaces.add(
        space=name, max_propositions=count, categories=categories, themes=themes
    )
    return made


def ask(web: Served, name: str, count: int = 1, **fields: Any) -> list[Found]:
    """What is proposed in one space."""
    (result,) = web.ask(request(name, count, **fields)).results
    return [Found(p.offer, p.weight, p.rank) for p in result.propositions]


def names(found: Sequence[Found]) -> list[str]:
    return [one.offer for one in found]


def stored(web: Served, environment: str, contact: str) -> tuple[Proposition, ...]:
    return (web.history.read(environment, contact) or EMPTY_RECORD).propositions


def test_a_anonymous_banner(tmp_path: Path) -> None:
    """Either of two equals at each visit, recorded; never what lacks an image."""
    with scenario(tmp_path, "a_anonymous_banner") as web:
        visits = [
            ask(web, "premium_banner", themes=["financing"], visitor_id="v")
            for _ in range(40)
        ]
        everything = ask(web, "premium_banner", 9, visitor_id="w")
        other = ask(web, "premium_banner", 9, themes=["other"], visitor_id="w")
        kept = stored(web, "visitor", "v")

    both = {"home_insurance", "savings_account"}
    assert {len(visit) for visit in visits} == {1}
    assert {name for visit in visits for name in names(visit)} == both
    assert set(names(everything)) == both
    assert other == []
    assert [p.weight for p in kept] == [5.0] * 40


@pytest.mark.parametrize(
    ("now", "banner", "footer"),
    [
        ("2017-01-11T23:59:59.999", [], []),
        ("2017-01-15", [5, 5], [5]),
        ("2017-01-19T23:59:59.999", [5, 5], [5]),
        ("2017-01-22", [3, 3], [2]),
        ("2017-01-30", [2, 2], [2]),
        ("2017-12-31T23:59:59.999", [2, 2], [2]),
        ("2018-01-01", [], []),
    ],
)
def test_a_weights_at_dates(
    tmp_path: Path, now: str, banner: list[int], footer: list[int]
) -> None:
    """The highest of 5, 3 (in the banner only) and 2 that is open; 0 never is."""
    with scenario(tmp_path, "a_anonymous_banner", now) as web:
        found = [
            [one.weight for one in ask(web, name, 9, visitor_id="v")]
            for name in ("premium_banner", "footer")
        ]

    assert found == [banner, footer]


#: The page: two slots of one space, and one of another; the categories of both
#: environments, so that whichever decides finds its own.
SLOTS = [("web_best_offer", "best_offer")] * 2 + [("web_partner", "partner")]


HOME = {"page": "home"}


def page(**fields: Any) -> pb.ProposeRequest:
    made = pb.ProposeRequest(context=HOME, **fields)
    for name, category in SLOTS:
        made.spaces.add(space=name, categories=[category, f"{category}_anonymous"])
    return made


def pages(answers: Sequence[pb.ProposeResponse]) -> set[tuple[Any, ...]]:
    """The different pages among some answers: offers and ranks."""
    return {
        tuple((p.offer, p.rank) for r in answer.results for p in r.propositions)
        for answer in answers
    }


#: Ranks 1 and 2 of the first space never change; equals take turns in the other.
CLIENTS_PAGES = {
    (("refunded_fee", 1), ("half_price_card", 2), ("half_price_theatre", 1)),
    (("refunded_fee", 1), ("half_price_card", 2), ("half_price_museum", 1)),
}
VISITORS_PAGES = {
    (("home_insurance", 1), ("bank_account", 2), ("weekly_paper", 1)),
    (("home_insurance", 1), ("bank_account", 2), ("monthly_paper", 1)),
}


def test_b_changeover(tmp_path: Path) -> None:
    """Three anonymous offers before the login, three personal ones after it."""
    with scenario(tmp_path, "b_changeover") as web:
        before = [web.ask(page(visitor_id="v")) for _ in range(20)]
        after = [web.ask(page(contact_id="paul@bank.example")) for _ in range(20)]
        kept = {
            name: len(stored(web, name, contact))
            for name, contact in (("visitor", "v"), ("client", "paul@bank.example"))
        }

    assert pages(before) == VISITORS_PAGES
    assert pages(after) == CLIENTS_PAGES
    assert {answer.identification_mode for answer in before} == {3}
    assert {answer.identification_mode for answer in after} == {1}
    assert kept == {"visitor": 60, "client": 60}


def test_b_the_page_decides_the_weights(tmp_path: Path) -> None:
    """5, 4 and 3: on the page about banking the other offer leads."""
    with scenario(tmp_path, "b_changeover") as web:
        found = {
            where: ask(web, "web_best_offer", 2, context={"page": where})
            for where in ("home", "banking")
        }

    assert found == {
        "home": [("refunded_fee", 5.0, 1), ("half_price_card", 4.0, 2)],
        "banking": [("half_price_card", 4.0, 1), ("refunded_fee", 3.0, 2)],
    }


def test_b_changeover_on_a_port(tmp_path: Path) -> None:
    """The same from a published folder, through a server, over the wire."""
    run("catalog", "publish", SCENARIOS / "b_changeover", "--data", tmp_path)
    with serving(tmp_path) as server:
        client = Client.connect(server.decisions, DEADLINE_SECONDS)
        first = client.propose(page())
        visitor = first.visitor_id
        # Equals are drawn: with 30 more visits one of two stays away once in 10^9.
        before = [client.propose(page(visitor_id=visitor)) for _ in range(30)]
        paul = {"contact_id": "paul@bank.example"}
        after = [client.propose(page(**paul)) for _ in range(31)]
        client.close()

    assert pages([first, *before]) == VISITORS_PAGES
    assert pages(after) == CLIENTS_PAGES
    assert {answer.visitor_id for answer in before} == {visitor}


def test_c_canada(tmp_path: Path) -> None:
    """Who refuses one offer of Canada gets none for 10 days; others do."""
    americas: dict[str, Any] = {"categories": ["americas"]}
    first_two, neither = ["snowmobile", "new_york"], ["new_york", "grand_canyon"]
    found: dict[str, list[str]] = {}
    with scenario(tmp_path, "c_canada") as web:
        web.upsert("client", "tim", travels_often=True)
        web.upsert("client", "lea", travels_often=True)
        web.upsert("client", "kim", travels_often=False)
        preview = ask(web, "mail", **americas, contact_id="tim", dry_run=True)
        answers = {"tim": "rejected", "kim": "rejected", "lea": "accepted"}
        for contact, answer in answers.items():
            sent = web.ask(request("mail", 2, **americas, contact_id=contact))
            made = {p.offer: p.proposition_id for p in sent.results[0].propositions}
            assert list(made) == first_two
            web.update(made["snowmobile"], answer)
            found[contact] = names(ask(web, "mail", 2, **americas, contact_id=contact))
        for days in (10, 11):
            web.clock.now_ms = date("2017-01-15") + days * DAY_MS
            again = ask(web, "mail", 2, **americas, contact_id="tim", dry_run=True)
            found[f"{days} days later"] = names(again)

    assert preview == [("snowmobile", 1.0, 1)]
    assert found == {
        "tim": neither,
        "kim": first_two,
        "lea": first_two,
        "10 days later": neither,
        "11 days later": first_two,
    }


SCOPED = {f"offer_{number}" for number in range(1, 6)}


def shown(web: Served, name: str, **fields: Any) -> bool:
    """Whether an offer is proposed when nothing else may be."""
    others = sorted(SCOPED - {name})
    found = ask(web, "banner", excluded_offers=others, **fields)
    return names(found) == [name]


def test_d_shared_counter(tmp_path: Path) -> None:
    """One of 2 and one of 5 make two: 2, 3 and 5 are over; one of 2 is not enough."""
    with scenario(tmp_path, "d_shared_counter") as web:
        assert shown(web, "offer_2")
        after_one = {name: shown(web, name, dry_run=True) for name in SCOPED}
        assert shown(web, "offer_5")
        after_two = {name: shown(web, name, dry_run=True) for name in SCOPED}

    assert after_one == dict.fromkeys(SCOPED, True)
    assert {name for name, is_shown in after_two.items() if is_shown} == {
        "offer_1",
        "offer_4",
    }


def test_e_ranks_follow_weights(tmp_path: Path) -> None:
    """45, 40 and 35 of one category; the heavier offer of another is not asked for."""
    with scenario(tmp_path, "e_ranking") as web:
        found = ask(web, "letter", 3, categories=["current_accounts"], dry_run=True)

    assert found == [
        ("bank_account", 45.0, 1),
        ("cash_card", 40.0, 2),
        ("card", 35.0, 3),
    ]


@pytest.mark.parametrize(
    ("now", "profile", "has_refused", "weight"),
    [
        ("2017-02-08", {"age": 30, "premium": True}, False, 16.0),
        ("2017-02-08", {"age": 30, "premium": False}, True, 12.0),
        ("2017-02-08", {"age": 18, "premium": False}, False, 10.0),
        ("2017-02-08", {"age": 18, "premium": False}, True, None),
        ("2017-01-31T23:59:59.999", {"age": 30, "premium": True}, False, 8.0),
        ("2017-02-01", {"age": 30, "premium": True}, False, 16.0),
        ("2017-02-15", {"age": 30, "premium": True}, False, 8.0),
        ("2017-02-15", {"age": 30, "premium": False}, True, 6.0),
    ],
)
def test_e_multiplier_in_its_window(
    tmp_path: Path,
    now: str,
    profile: dict[str, Any],
    has_refused: bool,
    weight: float | None,
) -> None:
    """8, 6 or 5, whichever matches and is highest, times 2 from 1 to 14 February."""
    with scenario(tmp_path, "e_ranking", now) as web:
        web.upsert("client", "ann", **profile)
        if has_refused:
            sent = web.ask(request("letter"))
            web.update(sent.results[0].propositions[0].proposition_id, "rejected")
        found = ask(web, "banner")

    assert found == ([] if weight is None else [("best_offer", weight, 1)])


def test_f_outbound_mail(tmp_path: Path) -> None:
    """Planned for a later day, sent to five: ten generated, then presented."""
    contacts = [f"contact_{number}" for number in range(5)]
    africa: dict[str, Any] = {"categories": ["africa"]}
    with scenario(tmp_path, "f_outbound", "2017-03-01") as web:
        planned = request("mail", 2, contact_id=contacts[0], dry_run=True, **africa)
        planned.contact_time.FromMilliseconds(date("2017-03-08"))
        today = ask(web, "mail", 2, contact_id=contacts[0], dry_run=True, **africa)
        that_day = web.ask(planned).results[0].propositions
        web.clock.now_ms = date("2017-03-08")
        sent = [
            p
            for contact in contacts
            for p in web.ask(request("mail", 2, contact_id=contact, **africa))
            .results[0]
            .propositions
        ]
        generated = statuses(web, contacts)
        for each in sent:
            web.update(each.proposition_id, "presented")
        presented = statuses(web, contacts)

    assert names(today) == ["pyramids"]
    assert [p.offer for p in that_day] == ["pyramids", "sahara"]
    assert Counter((p.offer, p.rank) for p in sent) == {
        ("pyramids", 1): 5,
        ("sahara", 2): 5,
    }
    assert generated == {"GENERATED": 10}
    assert presented == {"PRESENTED": 10}


def statuses(web: Served, contacts: Sequence[str]) -> Counter[str]:
    return Counter(p.status.name for c in contacts for p in stored(web, "client", c))


def test_g_simulation(tmp_path: Path) -> None:
    """30 contacts, 3 equals: the sums are known, the spread is drawn, nothing kept."""
    contacts = [f"contact_{number}" for number in range(30)]
    with scenario(tmp_path, "g_simulation") as web:
        all_three, first = (
            [
                one
                for contact in contacts
                for one in ask(web, "mail", count, contact_id=contact, dry_run=True)
            ]
            for count in (3, 1)
        )
        kept = [stored(web, "client", contact) for contact in contacts]
    ranks: dict[str, list[int]] = {}
    for one in all_three:
        ranks.setdefault(one.offer, []).append(one.rank)
    averages = [sum(each) / len(each) for each in ranks.values()]

    assert sum(one.rank for one in all_three) == 180
    assert sorted(one.rank for one in all_three) == [1] * 30 + [2] * 30 + [3] * 30
    assert [len(each) for each in ranks.values()] == [30, 30, 30]
    # Every offer is first, second and third for some; so that averages are about 2.
    assert [set(each) for each in ranks.values()] == [{1, 2, 3}] * 3
    assert round(sum(averages), 9) == 6.0
    assert all(1.5 < average < 2.5 for average in averages)
    assert [one.rank for one in first] == [1] * 30
    assert set(names(first)) == set(ranks)
    assert kept == [()] * 30


@pytest.mark.parametrize(
    ("number", "name", "later_offer"),
    [(3, "ACCEPTED", "loan"), (5, "REJECTED", "insurance")],
)
def test_h_status_updates(
    tmp_path: Path, number: int, name: str, later_offer: str
) -> None:
    """3 is accepted, 5 rejected; kept with its log and what the space stores."""
    with scenario(tmp_path, "h_status") as web:
        sent = web.ask(request("banner"))
        made = sent.results[0].propositions[0]
        answer = web.update(made.proposition_id, name)
        (kept,) = stored(web, "client", "ann")
        now = ask(web, "banner", dry_run=True)
        web.clock.now_ms += 31 * DAY_MS
        later = ask(web, "banner", dry_run=True)

    assert answer.status == number
    assert kept.status.name == name
    assert [c.status.name for c in kept.changes] == ["GENERATED", name]
    assert kept.stored == {"answer": f"{name.lower()} on inbound_web"}
    found = [made.offer, *names(now), *names(later)]
    assert found == ["insurance", "loan", later_offer]

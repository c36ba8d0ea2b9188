"""Explanations over the wire: levels, pages, retries, and the tables of the command."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format
from msgspec.structs import replace

from catalog_store.records import (
    Attribute,
    AttributeType,
    Category,
    PresentationRule,
)
from server.requests import InvalidRequest
from server.wire import decision_pb2 as pb
from server.wire import explanation_pb2 as epb
from tests.bank import (
    ATTRIBUTES,
    DAY_MS,
    NOON_MS,
    environment,
    offer,
    row,
    window,
)
from tests.servers import BANK, run, serving
from tests.services import Served, finished, offers, served

FULL, SUMMARY = epb.EXPLAIN_LEVEL_FULL, epb.EXPLAIN_LEVEL_SUMMARY


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    """Five offers that fall to different reasons for whoever has no profile."""
    record = environment(
        [
            offer("best", 9),
            offer("next", 2),
            offer("adults", 5, rule="contact.age >= 18"),
            offer("later", 5, window=window(NOON_MS + DAY_MS, None)),
            offer(
                "member", 5, rule="contact.since < timestamp('2026-01-01T00:00:00Z')"
            ),
            offer("home", row(5, rule="contact.balance > 1000"), category="loans"),
        ],
        categories=[Category(name="loans")],
        rules=[
            PresentationRule(
                name="once", period_ms=DAY_MS, maximum=1, counted="this_offer"
            )
        ],
    )
    since = Attribute(name="since", type=AttributeType.TIMESTAMP)
    with served(
        tmp_path, replace(record, contact_attributes=(*ATTRIBUTES, since))
    ) as web:
        yield web


def told(answer: pb.ProposeResponse) -> dict[str, list[str]]:
    """Offer -> codes of its reasons."""
    return {
        one.offer: [
            epb.ReasonCode.Name(reason.code).removeprefix("REASON_CODE_").lower()
            for reason in one.reasons
        ]
        for one in answer.explanation.offers
    }


def test_full_says_why_of_every_offer(web: Served) -> None:
    """None of the offer that is proposed."""
    answer = web.propose(explain=FULL)

    assert offers(answer) == ["best"]
    assert told(answer) == {
        "best": [],
        "next": ["outranked"],
        "adults": ["offer_rule"],
        "later": ["window_not_open_yet"],
        "member": ["offer_rule"],
        "home": ["no_matching_weight"],
    }
    best = answer.explanation.offers[0]
    assert (best.proposed, best.rank, best.weight) == (True, 1, 9.0)
    assert answer.explanation.seed == int(answer.interaction_id, 16)


def test_a_summary_counts_first_reasons(web: Served) -> None:
    """By category; offer by offer only where it is asked for."""
    explanation = web.propose(explain=SUMMARY).explanation

    assert not explanation.offers
    assert json_format.MessageToDict(explanation.categories[1]) == {
        "space": "banner",
        "category": "loans",
        "offers": 1,
        "reasons": [{"code": "REASON_CODE_NO_MATCHING_WEIGHT", "offers": 1}],
    }
    assert [(c.category, c.offers, c.proposed) for c in explanation.categories] == [
        ("all", 5, 1),
        ("loans", 1, 0),
    ]


def test_reasons_and_changes_are_there_to_be_used(web: Served) -> None:
    """What is found, and what to send instead, as a call would send it."""
    web.upsert("bank", "ann", age=9, since=1_790_000_000_000_000)
    answer = web.propose(explain=FULL, explained_offers=["adults", "member", "later"])
    adults, member, later = map(json_format.MessageToDict, answer.explanation.offers)

    assert adults["reasons"][0] == {
        "code": "REASON_CODE_OFFER_RULE",
        "resource": "environments/bank/offers/adults",
        "message": "needs age >= 18, has 9",
        "condition": "contact.age >= 18",
        "found": [{"attribute": "contact.age", "value": 9.0}],
    }
    assert adults["changes"] == [
        {
            "kind": "CHANGE_KIND_ATTRIBUTE",
            "message": "set contact.age to 18, now 9",
            "attribute": "contact.age",
            "value": 18.0,
        }
    ]
    assert member["reasons"][0]["found"][0]["value"] == "2026-09-21T14:13:20Z"
    assert member["changes"][0]["value"] == "2025-12-31T23:59:59.999999Z"
    assert later["changes"][0]["contactTime"] == "2026-05-02T12:00:00Z"
    assert later["reasons"][0]["freesAt"] == "2026-05-02T12:00:00Z"


def test_a_change_of_nothing_known_has_no_value(web: Served) -> None:
    """An absent attribute is found without a value."""
    answer = web.propose(explain=FULL, explained_offers=["adults"])
    (found,) = answer.explanation.offers[0].reasons[0].found

    assert (found.attribute, found.HasField("value")) == ("contact.age", False)


def test_without_asking_there_is_no_explanation(web: Served) -> None:
    """And the answer is not made in steps."""
    request = pb.ProposeRequest(contact_id="ann")
    request.spaces.add(space="banner")
    answer = web.service.propose(request, "web")

    assert isinstance(answer, bytes)
    assert not pb.ProposeResponse.FromString(answer).HasField("explanation")


def test_an_explanation_is_made_in_steps(web: Served) -> None:
    """So that other calls run between them."""
    request = pb.ProposeRequest(contact_id="ann", explain=FULL)
    request.spaces.add(space="banner")
    steps = web.service.propose(request, "web")
    assert not isinstance(steps, bytes)

    assert next(steps) is None
    assert pb.ProposeResponse.FromString(finished(steps)).explanation.offers


def test_a_retry_is_answered_without(web: Served) -> None:
    """What is kept is the answer alone."""
    first = web.propose(explain=FULL, request_id="r")
    again = web.propose(explain=FULL, request_id="r")
    first.ClearField("explanation")

    assert again == first


def test_pages(tmp_path: Path) -> None:
    """500 explanations each, one per offer and space, until the catalog ends."""
    record = environment([offer(f"o{number}") for number in range(600)])
    with served(tmp_path, record) as web:
        one = web.propose(explain=FULL, dry_run=True)
        two = web.propose(
            explain=FULL,
            dry_run=True,
            explain_page_token=one.explanation.next_page_token,
        )
        both = web.propose("banner", "side", explain=FULL, dry_run=True)
        web.publish(record)
        with pytest.raises(InvalidRequest, match="explain_page_token: is not of rev"):
            web.propose(
                explain=FULL,
                dry_run=True,
                explain_page_token=one.explanation.next_page_token,
            )

    assert [len(a.explanation.offers) for a in (one, two, both)] == [500, 100, 500]
    assert two.explanation.offers[0].offer == "o500"
    assert two.explanation.next_page_token == ""
    assert both.explanation.next_page_token == "1-250"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"explained_offers": ["best"]}, "explained_offers"),
        ({"explain": SUMMARY, "explained_offers": ["best"]}, "explained_offers"),
        ({"explain": FULL, "explain_page_token": "1-5"}, "explain_page_token"),
        ({"explain": FULL, "dry_run": True, "explain_page_token": "x" * 65},
         "explain_page_token"),
        ({"explain": FULL, "dry_run": True, "explain_page_token": "1-٣"},
         "explain_page_token"),
        ({"explain": FULL, "dry_run": True, "explain_page_token": "1--5"},
         "explain_page_token"),
        ({"explain": FULL, "explained_offers": ["o"] * 101}, "explained_offers"),
        ({"explain": 9}, "explain"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked(web: Served, fields: dict[str, Any], field: str) -> None:
    """Each mistake names its field."""
    with pytest.raises(InvalidRequest) as refused:
        web.propose(**fields)

    assert [v.field for v in refused.value.violations] == [field]


def test_an_unknown_offer_is_a_warning(web: Served) -> None:
    """The others are explained."""
    answer = web.propose(explain=FULL, explained_offers=["bset", "best"])

    assert list(answer.warnings) == ["unknown offer 'bset' ignored"]
    assert list(told(answer)) == ["best"]


def test_the_command_prints_it(tmp_path: Path) -> None:
    """Tables to read, and JSON for scripts; against a real server."""
    run("catalog", "publish", BANK, "--data", tmp_path)
    with serving(tmp_path) as server:
        call = ("propose", "--space", "web_home_hero", "--contact", "C1", "--dry-run")
        to = ("--server", server.decisions)
        table = run(*call, "--explain", *to)
        one = run(*call, "--explain-offer", "gold_card", *to, "--output", "json")

    assert "others fell to" in table
    assert "environment rule: needs !default" in table
    (explained,) = json.loads(one)["explanation"]["offers"]
    assert (explained["offer"], explained["space"]) == ("gold_card", "web_home_hero")

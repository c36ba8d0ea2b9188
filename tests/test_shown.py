"""What spaces show: personalised content, renderings, acceptance URLs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from catalog_store.records import (
    Catalog,
    ContentField,
    Environment,
    PresentationRule,
    Rendering,
    StatusName,
)
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.wire import decision_pb2 as pb
from tests.bank import DAY_MS, environment, offer, space
from tests.services import Served, offers, served

TITLE = ContentField(name="title", required=True)
NOTE = ContentField(name="note")


def bank(**fields: Any) -> Environment:
    """One space with these fields; `personal` names the contact's job."""
    personal = {"title": "For a {{ contact.job }}", "note": "{{ contact.age }}"}
    return environment(
        [
            offer("personal", 2, content=personal, attributes={"line": "cards"}),
            offer("plain", 1, content={"title": "Plain & simple"}),
        ],
        spaces=[space("banner", fields=(TITLE, NOTE), **fields), space("side")],
        rules=[
            PresentationRule(
                name="once", period_ms=DAY_MS, maximum=1, counted="this_offer"
            )
        ],
    )


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path, bank(), kept_share=1.0) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        yield web


def first(answer: pb.ProposeResponse) -> pb.Proposition:
    return answer.results[0].propositions[0]


def test_content_is_personalised(web: Served) -> None:
    """Every field of it, with what the profile holds."""
    shown = first(web.propose())

    assert dict(shown.content) == {"title": "For a nurse", "note": "30"}


def test_what_cannot_be_rendered_makes_room(web: Served) -> None:
    """The next offer is proposed, nothing of the first is recorded, and it is told."""
    web.upsert("bank", "bob", age=30)
    answer = web.propose(contact_id="bob")
    record = web.history.read("bank", "bob")

    assert offers(answer) == ["plain"]
    assert list(answer.warnings) == [
        "offer 'personal' is left out of 'banner': contact.job is absent"
    ]
    assert record is not None
    assert len(record.propositions) == 1
    # Nor does it count for anything: with a job it is proposed at once.
    web.upsert("bank", "bob", age=30, job="cook")
    assert offers(web.propose(contact_id="bob")) == ["personal"]


def test_a_space_comes_up_short_for_what_it_cannot_show(web: Served) -> None:
    """Its own reason, and the default content."""
    request = pb.ProposeRequest(contact_id="new")
    request.spaces.add(space="banner", max_propositions=2)
    (result,) = web.ask(request).results

    assert [p.offer for p in result.propositions] == ["plain"]
    assert result.shortfall_reason == pb.SHORTFALL_REASON_NOT_RENDERED


def test_required_content_must_not_turn_out_empty(tmp_path: Path) -> None:
    """An offer whose title is empty for this contact is left out for this contact."""
    title = {"title": "{% if contact.age >= 18 %}Wine{% endif %}"}
    record = environment(
        [offer("wine", 1, content=title)],
        spaces=[space("banner", fields=(TITLE,)), space("side")],
    )
    with served(tmp_path, record) as web:
        web.upsert("bank", "ann", age=30)
        web.upsert("bank", "kid", age=9)

        assert offers(web.propose(contact_id="ann")) == ["wine"]
        answer = web.propose(contact_id="kid")
    assert list(answer.warnings) == [
        "offer 'wine' is left out of 'banner': content.title is required and empty"
    ]


@pytest.mark.parametrize(
    ("rendering", "field", "expected"),
    [
        (
            Rendering(html="<b>{{ content.title }}</b> {{ offer.attributes.line }}"),
            "html",
            "<b>For a R&amp;D chief</b> cards",
        ),
        (
            Rendering(
                text="{{ content.title }} in {{ space.name }} at {{ offer.label }}"
            ),
            "text",
            "For a R&D chief in banner at personal",
        ),
        (
            Rendering(
                json={"title": "{{ content.title }}", "rank": "{{ proposition.rank }}"}
            ),
            "json",
            {"title": "For a R&D chief", "rank": 1.0},
        ),
    ],
)
def test_representations(
    tmp_path: Path, rendering: Rendering, field: str, expected: object
) -> None:
    """HTML escapes what it inserts, text does not, JSON keeps types."""
    with served(tmp_path, bank(rendering=rendering)) as web:
        web.upsert("bank", "ann", age=30, job="R&D chief")
        representation = first(web.propose()).representation

    assert representation.WhichOneof("form") == field
    made = getattr(representation, field)
    as_json = json_format.MessageToDict(made) if field == "json" else made
    assert as_json == expected


URL = (
    "https://bank.example/go/{{ proposition.id }}?s={{ proposition.acceptance_status }}"
)


def test_an_acceptance_url_leads_to_its_proposition(tmp_path: Path) -> None:
    """With the id that was recorded, and the status that the space gives."""
    fields = {"acceptance_url": URL, "acceptance_status": StatusName.INTERESTED}
    with served(tmp_path, bank(**fields)) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        shown = first(web.propose())
        dry = first(web.propose(contact_id="ann", dry_run=True))
        updated = web.update(shown.proposition_id, "interested")

    assert shown.acceptance_url == (
        f"https://bank.example/go/{shown.proposition_id}?s=interested"
    )
    assert updated.status == pb.PROPOSITION_STATUS_INTERESTED
    assert (dry.offer, dry.proposition_id, dry.acceptance_url) == ("plain", "", "")


def test_a_click_url_is_one_of_its_own(tmp_path: Path) -> None:
    """With the id too, where the proposition has one."""
    click = "https://bank.example/look/{{ proposition.id }}?rank={{ proposition.rank }}"
    with served(tmp_path, bank(click_url=click)) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        shown = first(web.propose())
        dry = first(web.propose(dry_run=True))

    assert shown.click_url == (
        f"https://bank.example/look/{shown.proposition_id}?rank=1"
    )
    assert (shown.acceptance_url, dry.click_url) == ("", "")


def test_a_template_that_looks_for_a_certain_id_shows_its_content(
    tmp_path: Path,
) -> None:
    """What was recorded is answered, whatever a rendering does with the id."""
    text = (
        "{% if proposition.id == '" + "AQ" + 30 * "0" + "' %}a{% else %}"
        "{{ contact.balance }}{% endif %}"
    )
    with served(tmp_path, bank(rendering=Rendering(text=text))) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        shown = first(web.propose())

    assert shown.proposition_id
    assert shown.content["title"] == "For a nurse"
    assert shown.representation.text == ""


def test_retries_and_replays_show_the_same(tmp_path: Path) -> None:
    """The answer is kept whole; a replay knows what was shown, but for the id."""
    from tests.test_replay import replay_of

    rendering = Rendering(html="<a id='{{ proposition.id }}'>{{ content.title }}</a>")
    with served(tmp_path, bank(rendering=rendering), kept_share=1.0) as web:
        web.upsert("bank", "ann", age=30, job="nurse")
        answer = web.propose(request_id="r")

        assert web.propose(request_id="r") == answer
        assert first(answer).proposition_id in first(answer).representation.html
        assert replay_of(web, answer).reproduced


def test_why_it_was_not_shown(web: Served) -> None:
    """The explanation has the reason, and the change that helps."""
    web.upsert("bank", "bob", age=30)
    answer = web.propose(contact_id="bob", explain=2, explained_offers=["personal"])
    (explained,) = answer.explanation.offers

    assert [(r.code, r.message) for r in explained.reasons] == [
        (17, "cannot be shown: contact.job is absent")
    ]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        (
            {"rendering": Rendering(html="{{ content.titel }}")},
            "environments/bank/spaces/banner:rendering.html:1:12: error: unknown",
        ),
        (
            {"rendering": Rendering(json={"a": ["{{ contact.jbo }}"]})},
            "environments/bank/spaces/banner:rendering.json.a[0]:1:12: error: unknown",
        ),
        (
            {"acceptance_url": "ftp://x/{{ proposition.id }}"},
            "environments/bank/spaces/banner:acceptance_url:1:1: error: ",
        ),
        (
            {"click_url": "https://x.example/{{ contact.jbo }}"},
            "environments/bank/spaces/banner:click_url:1:30: error: unknown",
        ),
        ({"rendering": Rendering()}, "banner:rendering:1:1: error: a rendering is one"),
        (
            {"rendering": Rendering(html="", text="")},
            "banner:rendering:1:1: error: a rendering is one of",
        ),
        (
            {"rendering": Rendering(json=["{{ content.title }}"])},
            "banner:rendering:1:1: error: ",
        ),
    ],
)
def test_mistakes_are_found_before_publishing(
    fields: dict[str, Any], expected: str
) -> None:
    """Each with its place."""
    with pytest.raises(Refused) as refused:
        compile_catalog(Catalog(environments=(bank(**fields),)))

    assert expected in str(refused.value)


def test_a_mistake_in_content_names_its_offer() -> None:
    """And all of them are reported at once, rules included."""
    record = environment(
        [
            offer("a", 1, content={"title": "{{ contact.jbo }}"}, rule="contact.jbo"),
            offer("b", 1, content={"title": "{% for x in y %}"}),
        ],
        spaces=[space("banner", fields=(TITLE,)), space("side")],
    )
    with pytest.raises(Refused) as refused:
        compile_catalog(Catalog(environments=(record,)))
    found = str(refused.value)

    assert "environments/bank/offers/a:content.title:1:12: error: unknown" in found
    assert "environments/bank/offers/a:rule:1:" in found
    assert "environments/bank/offers/b:content.title:1:4: error: " in found

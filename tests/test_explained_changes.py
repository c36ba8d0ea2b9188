"""What would make an offer eligible: the changes, and that they do."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.counting import Counted
from catalog_store.records import (
    Attribute,
    AttributeType,
    Category,
    Environment,
    PresentationRule,
)
from server.engine.call import Call, SpaceCall
from server.engine.decision import decide
from server.engine.explanation.changes import NO_CHANGE_KNOWN, Change, ChangeKind, apply
from server.engine.live_catalog import LiveEnvironment
from server.resource_names import known_names
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    chosen,
    environment,
    live,
    offer,
    past,
    row,
    space,
    title,
    window,
)
from tests.explained_calls import bank, explained_last


def advice(decides: LiveEnvironment, name: str, *asked: Any, **fields: Any) -> str:
    """The changes in words, having made them: the offer is then proposed."""
    made = call(decides, *(asked or ("banner",)), **fields)
    found = explained_last(made, name)
    if found.is_applicable:
        place = len(made.spaces) - 1
        changed = apply(made, place, name, found.changes)
        assert name in chosen(decide(changed))[place]
    return found.advice


def test_a_value_of_the_context(tmp_path: Path) -> None:
    """The caller could have sent it; null is a value there."""
    decides = bank(
        tmp_path,
        offer("home", rule="context.page == 'home'"),
        offer("null", rule="context.page == null"),
    )

    assert advice(decides, "home", page="news") == (
        'set context.page to "home", now "news"'
    )
    assert advice(decides, "null", page="news") == (
        'set context.page to null, now "news"'
    )


def test_changes_are_plain_values(tmp_path: Path) -> None:
    """Kind, record, attribute and value."""
    made = call(
        bank(tmp_path, offer("card", rule="contact.balance >= 1000")),
        "banner",
        contact={"balance": 900},
    )

    assert explained_last(made, "card").changes == (
        Change(
            ChangeKind.ATTRIBUTE,
            "set contact.balance to 1000, now 900",
            record="contact",
            attribute="balance",
            value=1_000,
        ),
    )


def test_what_is_true_now_stays_true(tmp_path: Path) -> None:
    """The value suits the category's rule, the offer's and one row's together."""
    decides = bank(
        tmp_path,
        offer(
            "card",
            row(1, rule="contact.age >= 30"),
            row(1, rule="contact.age >= 90"),
            rule="contact.age != 30",
            category="cards",
        ),
        categories=[Category(name="cards", rule="contact.age < 40")],
    )

    assert advice(decides, "card", contact={"age": 20}) == (
        "set contact.age to 31, now 20"
    )


def test_the_row_that_needs_least_is_taken(tmp_path: Path) -> None:
    """One row that counts is enough."""
    decides = bank(
        tmp_path,
        offer(
            "card",
            row(9, rule="contact.age >= 30 && contact.job == 'nurse'"),
            row(1, rule="contact.balance >= 5"),
        ),
    )

    assert advice(decides, "card", contact={"age": 1, "balance": 1}) == (
        "set contact.balance to 5, now 1"
    )


def test_a_formula_can_be_given_a_value(tmp_path: Path) -> None:
    """It must come out above 0."""
    decides = bank(tmp_path, offer("card", "contact.balance - 100"))

    assert advice(decides, "card", contact={"balance": 5}) == (
        "set contact.balance to 101, now 5"
    )


def test_the_first_moment_that_suits(tmp_path: Path) -> None:
    """After every start and every presentation rule; `context.now` goes with it."""
    rule = PresentationRule(name="rest", period_ms=2 * DAY_MS, maximum=1)
    decides = bank(
        tmp_path,
        offer(
            "card",
            row(1, window=window(NOON_MS + 2 * DAY_MS, None)),
            rule="context.now > timestamp('2026-05-02T12:00:00Z')",
        ),
        rules=[rule],
    )
    (change,) = explained_last(call(decides, "banner"), "card").changes
    assert (change.kind, change.at_ms) == (ChangeKind.TIME, NOON_MS + 2 * DAY_MS)

    history = [past("card", at_ms=NOON_MS + DAY_MS)]
    assert advice(decides, "card", history=history) == (
        "decide for 4 May 2026 12:00:00.001 UTC"
    )


def test_the_clock_alone(tmp_path: Path) -> None:
    """A rule that reads only the time is a matter of time."""
    rule = "context.now > timestamp('2026-05-02T12:00:00Z')"
    decides = bank(tmp_path, offer("card", rule=rule))

    assert advice(decides, "card") == "decide for 2 May 2026 12:00:00.001 UTC"


def test_what_is_only_a_matter_of_asking(tmp_path: Path) -> None:
    """Its category, not leaving it out, showing it twice."""
    decides = bank(
        tmp_path,
        offer("card", category="cards"),
        categories=[Category(name="cards"), Category(name="loans")],
    )
    loans = SpaceCall(decides.spaces["banner"], 1, ("loans",), ("car",))

    assert advice(decides, "card", loans) == "ask for the category cards"
    assert advice(decides, "card", excluded=frozenset({"card"})) == (
        "do not name it among the offers to leave out"
    )
    assert advice(decides, "card", "banner", "side") == (
        "allow duplicates across the spaces of the call"
    )
    assert advice(decides, "card", "banner", "banner") == NO_CHANGE_KNOWN


def test_what_only_the_catalog_can_change(tmp_path: Path) -> None:
    """In words, apart from what the caller can do; and editing it so is enough."""
    broken = replace(
        offer(
            "card",
            row(0),
            category="cards",
            rule="contact.age >= 18",
            window=window(None, NOON_MS),
        ),
        spaces=("side",),
        enabled=False,
    )
    cards = Category(name="cards", enabled=False)
    spaces = [space("banner", fields=(title(),)), space("side")]
    record = environment([broken], categories=[cards], spaces=spaces)
    decides = live(tmp_path, record).environments["bank"]
    made = call(decides, "banner", contact={"age": 17})
    found = explained_last(made, "card")

    assert [(c.message, c.is_applicable, c.name) for c in found.changes] == [
        ("set contact.age to 18, now 17", True, ""),
        ("approve it for the space", False, "environments/bank/offers/card"),
        ("enable the category", False, "environments/bank/categories/cards"),
        ("enable the offer", False, "environments/bank/offers/card"),
        ("move the end of its dates", False, "environments/bank/offers/card"),
        (
            "give it a weight above 0 in this space",
            False,
            "environments/bank/offers/card",
        ),
    ]
    assert not found.is_applicable
    assert _proposed(_edited(record), apply(made, 0, "card", found.changes), tmp_path)


def _edited(record: Environment) -> Environment:
    (broken,) = record.offers
    edited = replace(
        broken,
        spaces=("banner",),
        enabled=True,
        content={"title": "Hello"},
        window=window(),
        weights=(row(1),),
    )
    categories = tuple(replace(c, enabled=True) for c in record.categories)
    return replace(record, offers=(edited,), categories=categories)


def _proposed(record: Environment, made: Call, folder: Path) -> bool:
    decides = live(folder / "edited", record).environments["bank"]
    call_of = made._replace(
        environment=decides,
        spaces=(SpaceCall(decides.spaces["banner"], 1),),
        names=known_names(decides),
    )
    return chosen(decide(call_of)) == [["card"]]


def test_missing_content_and_a_place_too_few(tmp_path: Path) -> None:
    """The words for the offer manager."""
    decides = bank(
        tmp_path,
        offer("gold", 5.5, content={"title": "Gold"}),
        offer("card", 2, content={"title": "Card"}),
        offer("bare", 3),
        offer("old", row(7, window=window(None, NOON_MS)), content={"title": "Old"}),
        spaces=[space("banner", fields=(title(),)), space("side")],
    )

    assert advice(decides, "bare") == "write the content that is missing"
    assert advice(decides, "old") == "give it a weight above 0 in this space"
    assert advice(decides, "card") == "give it a weight above 5.5"


def test_a_change_that_brings_another_reason_is_not_given(tmp_path: Path) -> None:
    """The new value would make a presentation rule concern the contact, for ever."""
    rule = PresentationRule(
        name="adults",
        period_ms=None,
        maximum=1,
        counted=Counted.THIS_OFFER,
        rule="contact.age >= 18",
    )
    decides = bank(tmp_path, offer("card", rule="contact.age > 20"), rules=[rule])

    assert advice(decides, "card", contact={"age": 3}) == (
        "set contact.age to 21, now 3"
    )
    assert advice(decides, "card", contact={"age": 3}, history=[past("card")]) == (
        NO_CHANGE_KNOWN
    )


def test_a_change_that_brings_a_presentation_rule_waits_for_it(tmp_path: Path) -> None:
    """The new value makes a rule concern the contact; a later time frees it."""
    rule = PresentationRule(
        name="adults", period_ms=DAY_MS, maximum=1, rule="contact.age >= 18"
    )
    decides = bank(tmp_path, offer("card", rule="contact.age > 20"), rules=[rule])

    assert advice(decides, "card", contact={"age": 3}, history=[past("card")]) == (
        "set contact.age to 21, now 3; decide for 2 May 2026 12:00:00.001 UTC"
    )


@pytest.mark.parametrize(
    ("rule", "contact"),
    [
        ("false", {}),
        ("contact.job.matches('^[a-z]{9}$')", {"job": "x"}),
        ("contact.balance > contact.age", {}),
        ("size(history) > 0", {}),
        ("context.space == 'side'", {}),
    ],
)
def test_no_change_is_better_than_a_guess(
    tmp_path: Path, rule: str, contact: dict[str, object]
) -> None:
    """What constants do not tell, and what nobody can send."""
    decides = bank(tmp_path, offer("card", rule=rule))

    assert advice(decides, "card", contact=contact) == NO_CHANGE_KNOWN


def test_the_clock_is_not_an_attribute(tmp_path: Path) -> None:
    """A rule that reads the time and an attribute is solved by the attribute."""
    rule = "context.now < timestamp('2026-04-01T00:00:00Z') || contact.age > 3"
    decides = bank(tmp_path, offer("card", rule=rule))

    assert advice(decides, "card", contact={"age": 1}) == (
        "set contact.age to 4, now 1"
    )


def test_an_attribute_that_a_call_must_have_is_not_left_out(tmp_path: Path) -> None:
    """A change must be one that the server would accept."""
    required = (Attribute(name="page", type=AttributeType.STRING, required=True),)
    record = environment([offer("card", rule="!has(context.page)")])
    record = replace(record, context_attributes=required)
    decides = live(tmp_path, record).environments["bank"]

    assert advice(decides, "card", page="home") == NO_CHANGE_KNOWN


def test_an_unknown_attribute_cannot_be_applied(tmp_path: Path) -> None:
    """Changes are data from elsewhere too."""
    made = call(bank(tmp_path, offer("card")), "banner")
    change = Change(ChangeKind.ATTRIBUTE, "", record="contact", attribute="no_such")

    with pytest.raises(KeyError, match=r"contact\.no_such"):
        apply(made, 0, "card", (change,))

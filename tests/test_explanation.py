"""Why an offer is not proposed, reason by reason; on compiled, published catalogs."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from catalog_store.records import (
    Category,
    ContentField,
    Multiplier,
    Segment,
)
from compiler.runtime.values import MISSING
from server.engine.call import SpaceCall
from server.engine.explanation.changes import ChangeKind
from server.engine.explanation.found_values import Found
from server.engine.explanation.reasons import ReasonCode, RowCode
from tests.bank import (
    DAY_MS,
    NOON_MS,
    offer,
    row,
    space,
    title,
    window,
)
from tests.explained_calls import bank, explained, only


def test_a_proposed_offer_has_no_reasons(tmp_path: Path) -> None:
    """It has a rank, and needs no advice."""
    (found,) = explained(bank(tmp_path, offer("card")), "card")

    assert (found.rank, found.reasons, found.changes, found.advice) == (1, (), (), "")


def test_not_approved(tmp_path: Path) -> None:
    """For the space asked for; others do not matter."""
    reason = only(bank(tmp_path, offer("card", spaces=("side",))), "card")

    assert (reason.code, reason.resource, reason.message) == (
        ReasonCode.NOT_APPROVED,
        "environments/bank/offers/card",
        "is not approved for the space banner",
    )


def test_missing_content(tmp_path: Path) -> None:
    """The required fields that are missing or empty; a field may be optional."""
    fields = (title(), ContentField(name="image"))
    decides = bank(
        tmp_path,
        offer("card", content={"title": ""}),
        spaces=[space("banner", fields=fields), space("side")],
    )
    reason = only(decides, "card")

    assert reason.code is ReasonCode.MISSING_CONTENT
    assert reason.names == ("title",)
    assert explained(decides, "card", "side")[0].reasons == ()


def test_what_is_disabled(tmp_path: Path) -> None:
    """Every category of the path that is, from the root down, and the offer."""
    categories = [
        Category(name="root", enabled=False),
        Category(name="leaf", parent="root", enabled=False),
    ]
    decides = bank(
        tmp_path,
        offer("card", category="leaf", enabled=False),
        categories=categories,
    )
    (found,) = explained(decides, "card")

    assert [(reason.code, reason.resource) for reason in found.reasons] == [
        (ReasonCode.CATEGORY_DISABLED, "environments/bank/categories/root"),
        (ReasonCode.CATEGORY_DISABLED, "environments/bank/categories/leaf"),
        (ReasonCode.OFFER_DISABLED, "environments/bank/offers/card"),
    ]


@pytest.mark.parametrize(
    ("categories", "themes", "message"),
    [
        (("loans",), (), "the call asks for categories loans only"),
        ((), ("car",), "the call asks for themes car only"),
        (
            ("all",),
            ("car",),
            "the call asks for categories all and themes car only",
        ),
        (("no_such",), (), "the call asks for categories no_such only"),
    ],
)
def test_not_requested(
    tmp_path: Path,
    categories: tuple[str, ...],
    themes: tuple[str, ...],
    message: str,
) -> None:
    """By category or theme; both lists must agree, unknown names give nothing."""
    decides = bank(tmp_path, offer("card"), categories=[Category(name="loans")])
    asked = SpaceCall(decides.spaces["banner"], 1, categories, themes)
    reason = only(decides, "card", asked)

    assert (reason.code, reason.message) == (ReasonCode.NOT_REQUESTED, message)


def test_not_requested_by_the_defaults_of_the_space(tmp_path: Path) -> None:
    """They count when the call names nothing, and what is always included stays."""
    decides = bank(
        tmp_path,
        offer("card"),
        offer("tip", category="tips"),
        categories=[
            Category(name="loans"),
            Category(name="tips", always_included=True),
        ],
        spaces=[space("banner", default_categories=("loans",)), space("side")],
    )
    reason = only(decides, "card")

    assert reason.message == "the space banner asks for categories loans only"
    assert explained(decides, "tip")[0].reasons == ()


def test_excluded_by_the_call(tmp_path: Path) -> None:
    """Named among the offers to leave out."""
    excluded = frozenset({"card"})
    reason = only(bank(tmp_path, offer("card")), "card", excluded=excluded)

    assert reason.code is ReasonCode.EXCLUDED_BY_CALL


def test_windows(tmp_path: Path) -> None:
    """Of categories, root first, and of the offer; with the moment that matters."""
    categories = [
        Category(name="root", window=window(None, NOON_MS)),
        Category(name="leaf", parent="root", window=window(NOON_MS, NOON_MS + 1)),
    ]
    decides = bank(
        tmp_path,
        offer("card", category="leaf", window=window(NOON_MS + DAY_MS, None)),
        categories=categories,
    )
    (found,) = explained(decides, "card")
    closed, unopened = found.reasons

    assert (closed.code, closed.resource, closed.closed_at_ms, closed.message) == (
        ReasonCode.WINDOW_CLOSED,
        "environments/bank/categories/root",
        NOON_MS,
        "the category root ended on 1 May 2026 12:00 UTC",
    )
    assert (unopened.code, unopened.frees_at_ms, unopened.message) == (
        ReasonCode.WINDOW_NOT_OPEN_YET,
        NOON_MS + DAY_MS,
        "the offer starts on 2 May 2026 12:00 UTC",
    )


def test_rules_condition_by_condition(tmp_path: Path) -> None:
    """Whose rule it is, each condition that is not true, and what it read."""
    decides = bank(
        tmp_path,
        offer(
            "card",
            category="cards",
            rule="contact.age >= 18 && contact.balance >= 1000 && contact.job == 'x'",
        ),
        categories=[Category(name="cards", rule="context.page == 'home'")],
        rule="contact.age < 18 || contact.job == 'nurse'",
    )
    contact = {"age": 20, "balance": 900}
    (found,) = explained(decides, "card", contact=contact, page="news")

    assert [
        (r.code, r.resource, r.condition, r.error, r.found) for r in found.reasons
    ] == [
        (
            ReasonCode.ENVIRONMENT_RULE,
            "environments/bank",
            "contact.age < 18 || contact.job == 'nurse'",
            "attribute contact.job is absent",
            (
                Found("contact.age", 20, "int"),
                Found("contact.job", MISSING, "string"),
            ),
        ),
        (
            ReasonCode.CATEGORY_RULE,
            "environments/bank/categories/cards",
            "context.page == 'home'",
            None,
            (Found("context.page", "news", "string"),),
        ),
        (
            ReasonCode.OFFER_RULE,
            "environments/bank/offers/card",
            "contact.balance >= 1000",
            None,
            (Found("contact.balance", 900, "int"),),
        ),
        (
            ReasonCode.OFFER_RULE,
            "environments/bank/offers/card",
            "contact.job == 'x'",
            "attribute contact.job is absent",
            (Found("contact.job", MISSING, "string"),),
        ),
    ]
    assert [r.message for r in found.reasons] == [
        "needs age < 18 || job == 'nurse', where age is 20, job is not known",
        "needs context.page == 'home', has \"news\"",
        "needs balance >= 1000, has 900",
        "needs job == 'x', job is not known",
    ]


def test_an_error_that_is_no_absence_is_told(tmp_path: Path) -> None:
    """With the words of the interpreter."""
    decides = bank(tmp_path, offer("card", rule="10 / contact.age > 0"))
    reason = only(decides, "card", contact={"age": 0})

    assert reason.error == "division by zero"
    assert reason.message == "needs 10 / age > 0, has 0: division by zero"


def test_a_condition_of_a_segment_names_it(tmp_path: Path) -> None:
    """Its text is the segment's, condition by condition."""
    rule = "contact.age >= 18 && contact.balance >= 1000"
    decides = bank(
        tmp_path,
        offer("card", rule="segment.rich"),
        segments=[Segment(name="rich", rule=rule)],
    )
    reason = only(decides, "card", contact={"age": 20, "balance": 1})

    assert reason.condition == "contact.balance >= 1000"
    assert reason.message == "needs balance >= 1000 (segment rich), has 1"


def test_a_rule_is_asked_about_the_space(tmp_path: Path) -> None:
    """`context.space` and `context.channel` are those of the space explained."""
    decides = bank(tmp_path, offer("card", rule="context.space == 'side'"))
    banner, side = explained(decides, "card", "banner", "side")

    assert banner.reasons[0].message == "needs context.space == 'side', has \"banner\""
    assert side.reasons == ()


def test_no_matching_weight_says_why_of_every_row(tmp_path: Path) -> None:
    """Own rows, then those of the nearest category, then of the environment."""
    decides = bank(
        tmp_path,
        offer(
            "card",
            row(9, window=window(NOON_MS + 1, None), label="later"),
            row(9, window=window(None, NOON_MS)),
            row(9, spaces=("side",)),
            row(9, rule="contact.age >= 30"),
            row(0),
            category="cards",
        ),
        categories=[
            Category(
                name="cards",
                weights=(
                    row("contact.balance - 2000"),
                    row("double(contact.age)", label="age"),
                    row("1.0 / (contact.balance == 1000 ? 0.0 : 1.0)"),
                ),
            )
        ],
        weights=(row("contact.balance * 0"),),
    )
    reason = only(decides, "card", contact={"balance": 1_000})

    assert reason.code is ReasonCode.NO_MATCHING_WEIGHT
    assert [
        (r.code, r.resource.partition("bank")[2], r.label) for r in reason.rows
    ] == [
        (RowCode.WINDOW_NOT_OPEN_YET, "/offers/card:weights[0]", "later"),
        (RowCode.WINDOW_CLOSED, "/offers/card:weights[1]", "card.weights[1]"),
        (RowCode.OTHER_SPACES, "/offers/card:weights[2]", "card.weights[2]"),
        (RowCode.RULE, "/offers/card:weights[3]", "card.weights[3]"),
        (RowCode.WEIGHT_ZERO, "/offers/card:weights[4]", "card.weights[4]"),
        (RowCode.NEGATIVE, "/categories/cards:weights[0]", "cards.weights[0]"),
        (RowCode.NO_ANSWER, "/categories/cards:weights[1]", "age"),
        (RowCode.NOT_FINITE, "/categories/cards:weights[2]", "cards.weights[2]"),
        (RowCode.WEIGHT_ZERO, ":weights[0]", "bank.weights[0]"),
    ]
    assert [r.message for r in reason.rows] == [
        "starts on 1 May 2026 12:00:00.001 UTC",
        "ended on 1 May 2026 12:00 UTC",
        "is for side only",
        "needs age >= 30, age is not known",
        "its weight is 0",
        "the formula contact.balance - 2000 gives -1000",
        "the formula double(contact.age) has no answer: attribute contact.age is "
        "absent",
        "the formula 1.0 / (contact.balance == 1000 ? 0.0 : 1.0) leaves the range of "
        "numbers",
        "the formula contact.balance * 0 gives 0",
    ]


def test_an_offer_without_rows(tmp_path: Path) -> None:
    """Nothing ranks it."""
    decides = bank(tmp_path, replace(offer("card"), weights=()))
    reason = only(decides, "card")

    assert reason.message == "has no weight row, and inherits none"


def test_multipliers_that_leave_the_numbers(tmp_path: Path) -> None:
    """A formula's weight times its factors is infinite: no row counts."""
    factor = Multiplier(factor=1e6)
    decides = bank(
        tmp_path,
        offer("card", "contact.balance < 5 ? 1e305 : 1.0", category="cards"),
        categories=[Category(name="cards", multiplier=factor)],
    )
    reason = only(decides, "card", contact={"balance": 1})

    assert [row.code for row in reason.rows] == [RowCode.NOT_FINITE]
    assert explained(decides, "card", contact={"balance": 5})[0].reasons == ()


def test_the_document_has_every_code() -> None:
    """In the order of the pipeline, and the codes of rows and changes too."""
    text = (Path(__file__).parent.parent / "docs" / "explain.md").read_text()
    first_cells = re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)

    assert first_cells == [*ReasonCode, *ChangeKind]
    assert [code for code in RowCode if f"`{code}`" not in text] == []

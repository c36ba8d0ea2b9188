"""Static analysis: contradictions are found, and what merely could be is left alone."""

from collections.abc import Sequence

import msgspec
import pytest

from catalog_store.records import (
    Attribute,
    AttributeType,
    Catalog,
    Category,
    Environment,
    Multiplier,
)
from compiler.analysis import analyse
from compiler.revision import compile_catalog
from server.publication import compile_files
from tests.bank import NOON_MS, environment, offer, row, space, title, window
from tests.servers import BANK


def findings(record: Environment) -> list[tuple[str, str, str]]:
    """Severity, field and the first words of each finding."""
    compiled = compile_catalog(Catalog(environments=(record,))).catalog.environments[0]
    return [
        (
            str(found.severity),
            found.source.name.removeprefix("environments/bank/"),
            " ".join(found.message.split()[:4]),
        )
        for found in analyse(compiled)
        if not found.message.startswith("no rule reads")
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "contact.age < 18 && contact.age >= 18",
        "contact.age > 17 && contact.age < 18",
        "contact.job == 'nurse' && contact.job == 'cook'",
        "contact.job == 'nurse' && contact.job in ['cook', 'clerk']",
        "has(contact.age) && !has(contact.age)",
        "!has(contact.age) && contact.age > 1",
        "contact.age == null && contact.age > 1",
        "contact.balance > 0 && (contact.age < 1 && contact.age > 2)",
        "false",
        "1 > 2 && contact.age > 1",
        "contact.age > 3 && !(contact.age > 3)",
    ],
)
def test_a_rule_that_nobody_can_meet_is_found(rule: str) -> None:
    """Contradictions of one attribute, of presence, and of constants."""
    assert findings(environment([offer("card", rule=rule)])) == [
        ("warning", "offers/card:rule", "no contact can meet")
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "contact.age >= 18 && contact.age <= 18",
        "contact.age > 17 && contact.age < 19",
        "contact.job != 'nurse' && contact.job != 'cook'",
        "contact.age < 18 || contact.age >= 18",
        "contact.age < 18 && contact.balance >= 18",
        "contact.age > contact.balance && contact.balance > contact.age",
        "has(contact.age)",
        "!has(contact.age)",
        "contact.job.startsWith('a') && contact.job.startsWith('b')",
    ],
)
def test_a_rule_that_somebody_could_meet_is_left_alone(rule: str) -> None:
    """Also where only a person sees that nobody can."""
    assert findings(environment([offer("card", rule=rule)])) == []


@pytest.mark.parametrize(
    "rule", ["true", "has(contact.age) || !has(contact.age)", "1 < 2", "true && true"]
)
def test_a_rule_that_everybody_meets_is_noted(rule: str) -> None:
    """It is without effect."""
    assert findings(environment([offer("card", rule=rule)])) == [
        ("note", "offers/card:rule", "every contact meets this")
    ]


def test_rules_that_contradict_each_other_are_found() -> None:
    """Of an offer and its categories, of a row and its offer."""
    categories = [Category(name="young", rule="contact.age < 30")]
    offers = [
        offer("old", category="young", rule="contact.age > 60"),
        offer("row", row(2, rule="contact.age > 40"), row(1), category="young"),
        offer("fine", row(2, rule="contact.age > 20"), row(1), category="young"),
    ]

    assert findings(environment(offers, categories=categories)) == [
        ("warning", "offers/old:rule", "no contact can meet"),
        ("warning", "offers/row:weights[0].rule", "no contact can meet"),
    ]


def test_rows_that_never_win_within_their_offer_are_found() -> None:
    """Another row matches whenever they do, and weighs no less."""
    narrow = window(NOON_MS, NOON_MS + 10)
    rows = [
        row(5, rule="contact.age > 20", label="main"),
        row(4, rule="contact.age > 20 && contact.job == 'nurse'"),
        row(3, rule="contact.job == 'nurse'"),
        row(2, spaces=("banner",)),
        row(2, window=narrow),
        row(1, window=narrow, spaces=("banner",)),
        row("1.0"),
        row(5, rule="contact.age > 20"),
    ]
    record = environment([offer("card", *rows)])

    assert findings(record) == [
        ("warning", f"offers/card:weights[{place}].weight", "this row never wins:")
        for place in (1, 5, 7)
    ]


def test_windows_that_never_meet_are_found() -> None:
    """Of offer and category, of row and offer."""
    categories = [
        Category(
            name="past", window=window(None, NOON_MS), multiplier=Multiplier(factor=2)
        )
    ]
    offers = [
        offer("after", category="past", window=window(NOON_MS, None)),
        offer("row", row(1), row(2, window=window(NOON_MS, None)), category="past"),
        offer("fine", row(2, window=window(NOON_MS - 1, None)), category="past"),
    ]

    assert findings(environment(offers, categories=categories)) == [
        ("warning", "offers/after:window", "this is never open:"),
        ("warning", "offers/row:weights[1].window", "this is never open:"),
    ]


def test_spaces_without_a_fallback_are_noted() -> None:
    """Only where something is always included, and required content counts."""
    categories = [Category(name="always", always_included=True)]
    spaces: Sequence = [space("banner", fields=(title(),)), space("side")]
    offers = [offer("tips", 0.1, category="always")]
    record = environment(offers, categories=categories, spaces=spaces)

    assert findings(record) == [("note", "spaces/banner:name", "space banner can stay")]


def test_attributes_that_no_rule_reads_are_noted() -> None:
    """Of the contact and of the context; a segment or a formula reads too."""
    record = environment([offer("card", "contact.balance", rule="contact.age > 1")])
    compiled = compile_catalog(Catalog(environments=(record,))).catalog.environments[0]
    messages = [found.message for found in analyse(compiled)]

    assert messages[:2] == ["no rule reads job", "no rule reads page"]


def test_formulas_without_bounds_are_noted() -> None:
    """By the attribute that lacks its range, or the formula that nothing bounds."""
    offers = [
        offer("sum", "contact.balance + 2 * contact.age"),
        offer("half", "contact.balance / 2", "contact.age > 1 ? 2.0 : 1.0"),
        offer("quotient", "1.0 / double(contact.age)"),
    ]
    age = Attribute(name="age", type=AttributeType.INT, minimum=0, maximum=130)
    record = environment(offers)
    others = record.contact_attributes[1:]

    assert findings(record) == [
        (
            "note",
            "environments/bank:contact_attributes[0].name",
            "2 weight formulas with",
        ),
        (
            "note",
            "environments/bank:contact_attributes[1].name",
            "2 weight formulas with",
        ),
    ]
    assert findings(
        msgspec.structs.replace(record, contact_attributes=(age, *others))
    ) == [
        ("note", "offers/quotient:weights[0].weight", "this formula can give"),
        (
            "note",
            "environments/bank:contact_attributes[1].name",
            "2 weight formulas with",
        ),
    ]


def test_the_example_bank_means_what_it_says() -> None:
    """No warning; notes have their places in the files."""
    found = compile_files(BANK).diagnostics

    assert {str(one.severity) for one in found} <= {"note"}
    assert all(one.source.name.endswith(".yaml") for one in found)

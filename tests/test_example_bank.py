"""The example bank's catalog: what its readers are told it shows."""

import csv
from pathlib import Path

import pytest

from catalog_store.counting import Counted, CountedStatus
from catalog_store.records import (
    AttributeType,
    Catalog,
    Channel,
    Environment,
)
from compiler.catalog_check import check_catalog
from compiler.revision import compile_catalog
from server.files import read_catalog

ROOT = Path(__file__).parent.parent
CLIENTS = ROOT.parent / "shared" / "data" / "bank-full.csv"
YEARS_MS = (1_767_225_600_000, 2_051_222_400_000)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return read_catalog(ROOT / "examples" / "bank" / "catalog").catalog


@pytest.fixture(scope="module")
def recipient(catalog: Catalog) -> Environment:
    return catalog.environments[0]


@pytest.fixture(scope="module")
def visitor(catalog: Catalog) -> Environment:
    return catalog.environments[1]


def test_nothing_is_wrong_with_it(catalog: Catalog) -> None:
    """Not even a warning: the example is what people copy from."""
    assert check_catalog(catalog) == []


def test_every_rule_compiles(catalog: Catalog) -> None:
    """Conditions, formulas and segments type-check, and are not few."""
    compilation = compile_catalog(catalog)

    assert compilation.diagnostics == ()
    assert [len(each.rules) > least for each, least in zip(
        compilation.catalog.environments, (80, 7), strict=True
    )] == [True, True]  # fmt: skip


def test_environments(recipient: Environment, visitor: Environment) -> None:
    """Clients are the default; whom we do not know is a visitor."""
    assert (recipient.name, recipient.default) == ("recipient", True)
    assert (visitor.name, visitor.anonymous) == ("visitor", True)
    assert recipient.anonymous_environment == visitor.name
    assert {space.anonymous_space for space in recipient.spaces} - {None} == {
        space.name for space in visitor.spaces
    }


def test_size(recipient: Environment, visitor: Environment) -> None:
    """It is large enough to be a bank's."""
    assert len(recipient.offers) >= 30
    assert len(visitor.offers) >= 6
    assert len(recipient.categories) >= 8
    assert len(recipient.spaces) >= 6
    assert len(recipient.presentation_rules) >= 5


def test_offers(recipient: Environment) -> None:
    """Most have several rows; formulas, spaces, windows and rules all occur."""
    rows = [row for offer in recipient.offers for row in offer.weights]
    lacking = [each for each in recipient.offers if "image_url" not in each.content]

    assert sum(len(offer.weights) > 1 for offer in recipient.offers) >= 30
    assert sum(isinstance(row.weight, str) for row in rows) >= 8
    assert sum(bool(row.spaces) for row in rows) >= 8
    assert sum(row.window.start is not None for row in rows) >= 8
    assert sum(row.rule is not None for row in rows) >= 30
    assert lacking


def test_categories(recipient: Environment) -> None:
    """A tree with themes, nested multipliers, one disabled and one for what is left."""
    parents = {each.name: each.parent for each in recipient.categories}
    factors = {each.name for each in recipient.categories if each.multiplier}
    always = [each.name for each in recipient.categories if each.always_included]
    weights = [
        row.weight
        for offer in recipient.offers
        if offer.category in always
        for row in offer.weights
    ]

    assert any(parents[name] in factors for name in factors)
    assert [each.name for each in recipient.categories if not each.enabled] == [
        "branch_events"
    ]
    assert always == ["good_to_know"]
    assert all(isinstance(weight, float) and 0 < weight <= 2 for weight in weights)


def test_spaces(recipient: Environment) -> None:
    """Three channels, required and optional content, default categories."""
    fields = [field for space in recipient.spaces for field in space.fields]

    assert {space.channel for space in recipient.spaces} == {
        Channel.INBOUND_WEB,
        Channel.INBOUND_CALL_CENTER,
        Channel.EMAIL,
    }
    assert {field.required for field in fields} == {True, False}
    assert any(space.default_categories for space in recipient.spaces)
    assert any(space.default_content for space in recipient.spaces)


def test_presentation_rules(recipient: Environment) -> None:
    """The typology holds every kind of count, and its fallback offers stay free."""
    rules = {rule.name: rule for rule in recipient.presentation_rules}
    typology = recipient.typologies[0]

    assert recipient.typology == typology.name
    assert set(typology.rules) == set(rules)
    assert {rule.counted for rule in rules.values()} == set(Counted)
    assert {rule.counted_status for rule in rules.values()} >= {
        CountedStatus.ANY,
        CountedStatus.ACCEPTED,
        CountedStatus.REJECTED,
    }
    assert all(rule.categories or rule.channel for rule in rules.values())


def test_it_keeps_working(catalog: Catalog) -> None:
    """Windows lie between 2026 and 2035, and most offers have none."""
    offers = [offer for each in catalog.environments for offer in each.offers]
    windows = [offer.window for offer in offers]
    windows += [row.window for offer in offers for row in offer.weights]
    windows += [
        category.multiplier.window
        for environment in catalog.environments
        for category in environment.categories
        if category.multiplier
    ]
    times = [time for each in windows for time in (each.start, each.end) if time]
    unbounded = [offer for offer in offers if offer.window.end is None]

    assert all(YEARS_MS[0] <= time <= YEARS_MS[1] for time in times)
    assert len(unbounded) > 0.8 * len(offers)


def test_attributes_are_the_columns_of_the_clients(recipient: Environment) -> None:
    """The data set of clients can be imported as it is."""
    if not CLIENTS.exists():
        pytest.skip(f"the clients' data set is not at {CLIENTS}")
    with CLIENTS.open(newline="") as file:
        first = next(csv.DictReader(file))
    # `duration` and `y` are known after the call only.
    columns = set(first) - {"duration", "y"}
    types = {each.name: each.type for each in recipient.contact_attributes}

    assert set(types) == columns
    for name in columns:
        is_number = first[name].lstrip("-").isdecimal()

        assert (types[name] is AttributeType.INT) == is_number

"""Formulas stand by the most that they can give, and only those that could win run."""

from pathlib import Path
from unittest.mock import patch

import msgspec
import pytest

from catalog_store.index_tables import EnvironmentIndex, FormulaBounds
from catalog_store.records import Attribute, AttributeType, Catalog, Environment, Offer
from compiler.revision import compile_catalog
from compiler.runtime.linker import LinkedRule
from server.engine.decision import decide
from server.engine.live_catalog import LiveEnvironment
from tests.bank import call, environment, live, names, offer, row

INT, STRING = AttributeType.INT, AttributeType.STRING
AGE = Attribute(name="age", type=INT, minimum=0, maximum=100)
ATTRIBUTES = (
    AGE,
    Attribute(name="balance", type=INT),
    Attribute(name="job", type=STRING),
)
BY_AGE = "double(contact.age) / 10.0"


def ranged(*offers: Offer) -> Environment:
    return msgspec.structs.replace(environment(offers), contact_attributes=ATTRIBUTES)


def bank(folder: Path, *offers: Offer) -> LiveEnvironment:
    return live(folder, ranged(*offers)).environments["bank"]


def index_of(record: Environment) -> EnvironmentIndex:
    return (
        compile_catalog(Catalog(environments=(record,))).catalog.environments[0].index
    )


def weighed(asked: LiveEnvironment, age: int, count: int = 1) -> tuple[list[str], int]:
    """The names proposed, and how many formulas were evaluated."""
    original, calls = LinkedRule.weight, 0

    def counting(rule: LinkedRule, *slots: object) -> float | None:
        nonlocal calls
        calls += 1
        return original(rule, *slots)

    with patch.object(LinkedRule, "weight", counting):
        (found,) = names(asked, ("banner", count), contact={"age": age})
    return found, calls


def test_formulas_stand_by_their_bounds() -> None:
    """The highest bound first, of numbers without an end infinity."""
    offers = [
        offer("low", "double(contact.age) / 20.0"),
        offer("high", BY_AGE),
        offer("open", "double(contact.balance) * 1e300 * 1e300"),
        offer("number", 7),
    ]
    index = index_of(ranged(*offers))

    assert [index.rows[row][0] for row in range(4)] == [3, 2, 1, 0]
    assert index.formula_bounds.highest == (float("inf"), 10.0, 5.0)
    assert index.formula_bounds.declared == ((0, 0.0, 100.0),)


@pytest.mark.parametrize(
    ("number", "count", "expected", "evaluated"),
    [
        (11, 1, ["number"], 0),
        # As much as the bound could tie: it must be known.
        (10, 1, ["number"], 1),
        (11, 2, ["number", "old"], 1),
        (8, 1, ["old"], 1),
        (4, 3, ["old", "young", "number"], 2),
    ],
)
def test_only_formulas_that_could_win_are_evaluated(
    tmp_path: Path, number: float, count: int, expected: list[str], evaluated: int
) -> None:
    """A bound below the next best settles the formula without asking it."""
    asked = bank(
        tmp_path,
        offer("young", "double(contact.age) / 20.0"),
        offer("old", BY_AGE),
        offer("number", number),
    )

    assert weighed(asked, 90, count) == (expected, evaluated)


def test_a_formula_at_its_bound_wins_and_ties(tmp_path: Path) -> None:
    """Just above a number it comes first; equal to it, the seed draws."""
    above = bank(tmp_path / "above", offer("number", 9.99), offer("formula", BY_AGE))
    equal = bank(tmp_path / "equal", offer("number", 10), offer("formula", BY_AGE))
    drawn = {
        names(equal, "banner", contact={"age": 100}, seed=seed)[0][0]
        for seed in range(20)
    }

    assert names(above, "banner", contact={"age": 100}) == [["formula"]]
    assert drawn == {"number", "formula"}


def test_a_stored_value_outside_its_range_still_counts(tmp_path: Path) -> None:
    """A profile from before the range was declared is ranked by what it holds."""
    asked = bank(tmp_path, offer("number", 50), offer("formula", BY_AGE))

    assert weighed(asked, 1_000) == (["formula"], 1)
    assert weighed(asked, 100) == (["number"], 0)


def test_of_equal_formulas_of_an_offer_the_first_wins(tmp_path: Path) -> None:
    """Whichever of them stands first in the index, by its bound."""
    formulas = [
        row("contact.age > 50 ? 1.0 : 2.0", label="first"),
        row("contact.age > 50 ? 1.0 : 3.0", label="second"),
    ]
    asked = bank(tmp_path, offer("both", *formulas))
    decision = decide(call(asked, "banner", contact={"age": 60}))

    assert decision.spaces[0].chosen[0].scored.row.label == "first"


def test_an_index_from_before_there_were_bounds_has_none() -> None:
    """The field came last: without it every formula is evaluated."""
    index = index_of(ranged(offer("card", BY_AGE)))
    stored = msgspec.msgpack.decode(msgspec.msgpack.encode(index))
    older = msgspec.msgpack.encode(stored[:-1])

    decoded = msgspec.msgpack.decode(older, type=EnvironmentIndex)

    assert decoded == msgspec.structs.replace(index, formula_bounds=FormulaBounds())

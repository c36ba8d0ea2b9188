"""The index changes the speed of an answer, never the answer."""

import os
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog_store.records import (
    Attribute,
    AttributeType,
    Category,
    Environment,
    Multiplier,
    Offer,
    Space,
    Typology,
    WeightRow,
    Window,
)
from compiler import row_sets
from compiler.runtime.values import MISSING
from server.engine import arbitration, ranking
from server.engine.call import Call, SpaceCall
from server.engine.decision import decide
from server.engine.live_catalog import LiveEnvironment
from server.resource_names import known_names
from tests.bank import NOON_MS, live, space, window
from tests.reference_decision import Choice, Reference

ATTRIBUTES = (
    Attribute(name="age", type=AttributeType.INT),
    Attribute(name="income", type=AttributeType.DOUBLE),
    Attribute(name="job", type=AttributeType.STRING),
    Attribute(name="retired", type=AttributeType.BOOL),
    Attribute(name="since", type=AttributeType.TIMESTAMP),
    Attribute(name="tags", type=AttributeType.STRING_LIST),
)
CONTEXT = (Attribute(name="page", type=AttributeType.STRING),)
JOBS = ("nurse", "clerk", "cook", "it's", "")
#: On both sides of every constant below, and on it.
AGES = (-(2**63), -1, 0, 17, 18, 19, 30, 31, 64, 65, 66, 2**63 - 1)
INCOMES = (-1.5, -0.0, 0.0, 999.5, 1_000.0, 1_000.5, 1e300)
#: Attributes whose range some catalogs declare. Some contacts lie outside, as profiles
#: do that were stored before.
RANGES = {"age": (0, 66), "income": (-2.0, 1_000.0)}
FORMULAS = (
    "contact.income",
    "double(contact.age)",
    "1.0 / contact.income",
    "2.0",
    "-1.0",
    # As much as numbers that other rows have, or as their bounds say at most.
    "contact.retired ? 2.0 : 3.0",
    "contact.age > 18 ? 5.5 : 3.0",
    "contact.income / 500.0",
    "double(contact.age) / 12.0",
    "3.0 - contact.income",
    "double(contact.age / 20) * (contact.income + 1.0)",
)

#: Catalogs; PROPONO_INDEX_CATALOGS makes it longer.
CATALOGS = int(os.environ.get("PROPONO_INDEX_CATALOGS", "60"))
CONTACTS_PER_CATALOG = 12


class Dice:
    """Random catalogs and contacts, from a seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self.one = self._random.choice
        self.chance = lambda p: self._random.random() < p
        #: Some catalogs are all ties, some all formulas.
        self._formulas = self.one([0.0, 0.2, 0.2, 0.6])
        self._weights = self.one([(0, 1, 2, 2, 3, 5.5), (2,)])
        #: Few rules, so that many offers are left.
        self._is_large = self.chance(0.2)

    def atom(self) -> str:
        """A condition over one attribute: what tables answer."""
        return self.one(
            [
                f"contact.age {self.one(['<', '<=', '>', '>=', '==', '!='])}"
                f" {self.one([0, 18, 30, 65])}",
                f"contact.age in [{self.one([0, 18])}, {self.one([30, 65])}]",
                f"{self.one([0.0, 1000.0])} {self.one(['<', '<=', '>', '=='])}"
                " contact.income",
                f"contact.job == {self.one(JOBS)!r}".replace('"it\'s"', '"it\'s"'),
                'contact.job in ["nurse", "clerk"]',
                'contact.job != "cook"',
                "contact.retired",
                "!contact.retired",
                "contact.retired == false",
                "has(contact.age)",
                "!has(contact.job)",
                "contact.age == null",
                "contact.job != null",
                'contact.since < timestamp("2020-01-01T00:00:00Z")',
                'context.page == "home"',
                "(contact.age < 18 || contact.age >= 65)",
                '(contact.job == "nurse" ? true : contact.job == "cook")',
                "true",
                "false",
            ]
        )

    def predicate(self) -> str:
        """A condition that no table answers."""
        return self.one(
            [
                "contact.age > 18 || contact.income > 1000.0",
                'contact.job.startsWith("c")',
                'contact.tags.exists(t, t == "vip")',
                '"vip" in contact.tags',
                "contact.age * 2 < 60",
                "double(contact.age) < contact.income",
                "10 / contact.age > 0",
                "contact.age + 1 > contact.age",
                'contact.job == "nurse" || contact.retired',
                "context.page == contact.job || has(contact.tags)",
            ]
        )

    def rule(self) -> str | None:
        if self.chance(0.8 if self._is_large else 0.3):
            return None
        parts = [
            self.predicate() if self.chance(0.25) else self.atom()
            for _ in range(self._random.randrange(1, 4))
        ]
        return " && ".join(f"({part})" for part in parts)

    def window(self) -> Window:
        if self.chance(0.7):
            return window()
        start = self.one([None, NOON_MS - 10, NOON_MS, NOON_MS + 10])
        end = self.one([None, NOON_MS + 20, NOON_MS + 30])
        return window(start, end)

    def row(self) -> WeightRow:
        return WeightRow(
            weight=self.one(FORMULAS)
            if self.chance(self._formulas)
            else self.one(self._weights),
            window=self.window(),
            spaces=self.one([(), (), (), ("banner",), ("side",)]),
            rule=self.rule() if self.chance(0.5) else None,
        )

    def rows(self, count_max: int) -> tuple[WeightRow, ...]:
        return tuple(self.row() for _ in range(self._random.randrange(count_max + 1)))

    def environment(self) -> Environment:
        categories: list[Category] = []
        for number in range(self._random.randrange(1, 6)):
            above = [None, *(c.name for c in categories)]
            factor = self.one([0.5, 2.0, 1.5, 1.0])
            categories.append(
                Category(
                    name=f"c{number}",
                    parent=self.one(above),
                    enabled=not self.chance(0.05),
                    window=self.window(),
                    rule=self.rule() if self.chance(0.3) else None,
                    multiplier=Multiplier(factor=factor, window=self.window())
                    if self.chance(0.4)
                    else None,
                    weights=self.rows(2) if self.chance(0.4) else (),
                    always_included=self.chance(0.1),
                )
            )
        offers = tuple(
            Offer(
                name=f"o{number}",
                label="",
                category=self.one(categories).name,
                enabled=not self.chance(0.05),
                window=self.window(),
                rule=self.rule(),
                weights=self.rows(3),
                spaces=self.one([("banner",), ("side",), ("banner", "side")]),
            )
            for number in range(
                self._random.randrange(100, 200)
                if self._is_large
                else self._random.randrange(1, 25)
            )
        )
        spaces: tuple[Space, ...] = (space("banner"), space("side"))
        return Environment(
            name="bank",
            default=True,
            contact_attributes=self.attributes(),
            context_attributes=CONTEXT,
            rule=self.rule() if self.chance(0.1) else None,
            weights=self.rows(1) if self.chance(0.3) else (),
            categories=tuple(categories),
            offers=offers,
            spaces=spaces,
            typologies=(Typology(name="none", rules=()),),
            typology="none",
        )

    def attributes(self) -> tuple[Attribute, ...]:
        return tuple(
            msgspec.structs.replace(
                attribute,
                minimum=RANGES[attribute.name][0],
                maximum=RANGES[attribute.name][1],
            )
            if attribute.name in RANGES and self.chance(0.6)
            else attribute
            for attribute in ATTRIBUTES
        )

    def contact(self) -> dict[str, Any]:
        """Some attributes are absent, some null."""
        values: dict[str, Any] = {
            "age": self.one(AGES if self.chance(0.3) else AGES[2:-1]),
            "income": self.one(INCOMES if self.chance(0.3) else INCOMES[:-2]),
            "job": self.one(JOBS),
            "retired": self.chance(0.5),
            "since": self.one([0, 1_577_836_800_000_000, 1_900_000_000_000_000]),
            "tags": self.one([(), ("vip",), ("a", "vip")]),
        }
        return {
            name: None if self.chance(0.05) else value
            for name, value in values.items()
            if not self.chance(0.2)
        }


@settings(max_examples=CATALOGS, deadline=None, derandomize=True, database=None)
@given(seed=st.integers(0, 2**32))
def test_decisions_equal_the_reference(seed: int) -> None:
    """Random catalogs and contacts: absent, null, on and beside every constant."""
    dice = Dice(seed)
    record = dice.environment()
    reference = Reference(record)
    # Small catalogs would never have what only large ones have: keys that find no
    # room in a table, and predicates of so few rows that they wait for their row.
    with (
        patch.object(row_sets, "KEYS_MAX", dice.one([1, row_sets.KEYS_MAX])),
        patch.object(row_sets, "SHARED_ROWS_PER_PREDICATE", dice.one([1, 64])),
        TemporaryDirectory() as folder,
    ):
        decides = live(Path(folder), record).environments["bank"]
    # Nor would their equal rows be so many that they are drawn from a set.
    few = (
        patch.object(ranking, "_LISTED_ROWS_MAX", dice.one([1, 64])),
        patch.object(arbitration, "_LISTED_MAX", dice.one([1, 16])),
        patch.object(arbitration, "_FOUND_MAX", dice.one([1, 16])),
    )
    with few[0], few[1], few[2]:
        _compare(seed, dice, decides, reference)


def _compare(
    seed: int, dice: Dice, decides: LiveEnvironment, reference: Reference
) -> None:
    """Some contacts of one catalog."""
    for number in range(CONTACTS_PER_CATALOG):
        contact = dice.contact()
        page = {"page": dice.one(["home", "nurse"])} if dice.chance(0.8) else {}
        at_ms = NOON_MS + dice.one([-11, -10, 0, 9, 10, 19, 20, 30])
        asked = [("banner", dice.one([1, 3, 30])), ("side", 2)]
        call = Call(
            environment=decides,
            contact=tuple(contact.get(a.name, MISSING) for a in ATTRIBUTES),
            context=(
                at_ms * 1_000,
                *(MISSING, MISSING),
                page.get("page", MISSING),
            ),
            history=(),
            spaces=tuple(SpaceCall(decides.spaces[n], count) for n, count in asked),
            at_ms=at_ms,
            seed=number,
            names=known_names(decides),
        )
        decided = [
            [Choice(c.scored.offer.name, c.scored.weight, c.rank) for c in s.chosen]
            for s in decide(call).spaces
        ]
        expected = reference.decide(contact, page, [], asked, at_ms, number)

        assert decided == expected, f"seed {seed}, contact {number}"

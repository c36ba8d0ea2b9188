"""Whole decisions at random: the engine gives what the slow and obvious one gives.

A longer run: PROPONO_DECISIONS=10000 PROPONO_DECISIONS_SEED=7 pytest -s this file.
"""

import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from server.engine.decision import decide
from tests.bank import live
from tests.decision_generation import Asking, DecisionDice, as_call
from tests.reference_decision import Choice, Filled, Reference

DECISIONS = int(os.environ.get("PROPONO_DECISIONS", "1000"))
SEED = int(os.environ.get("PROPONO_DECISIONS_SEED", "1"))
#: Compiling a catalog takes longer than deciding: many calls of each.
CALLS_PER_CATALOG = 20


class Compared(NamedTuple):
    """A call of one random catalog, and both of its decisions."""

    catalog_seed: int
    asking: Asking
    expected: list[Filled]
    decided: list[Filled]


@cache
def compared() -> tuple[Compared, ...]:
    print(f"PROPONO_DECISIONS_SEED={SEED}")
    catalogs = -(-DECISIONS // CALLS_PER_CATALOG)
    return tuple(
        one
        for number in range(catalogs)
        for one in _compared(SEED * 1_000_000 + number)
    )


def _compared(catalog_seed: int) -> Iterator[Compared]:
    dice = DecisionDice(catalog_seed)
    record = dice.environment()
    reference = Reference(record)
    with TemporaryDirectory() as folder:
        decides = live(Path(folder), record).environments["bank"]
    for seed in range(CALLS_PER_CATALOG):
        asking = dice.asking(record, seed)
        expected = reference.fill_page(*asking[:-1])
        decided = [
            Filled(
                [
                    Choice(c.scored.offer.name, c.scored.weight, c.rank)
                    for c in s.chosen
                ],
                s.shortfall.value,
            )
            for s in decide(as_call(asking, decides)).spaces
        ]
        yield Compared(catalog_seed, asking, expected, decided)


def test_decisions_equal_the_reference() -> None:
    """Offers, their order, exact weights, ranks, and why a space comes up short."""
    for one in compared():
        assert one.expected == one.decided, f"{one.catalog_seed}: {one.asking}"


def test_the_calls_are_of_every_kind() -> None:
    """Not a comparison of empty lists: every shortfall, many offers, many ties."""
    shortfalls = Counter(
        filled.shortfall for one in compared() for filled in one.expected
    )
    chosen = sum(len(filled.choices) for one in compared() for filled in one.expected)
    tied = sum(_ties(filled) for one in compared() for filled in one.expected)

    assert len(shortfalls) == 5
    assert min(shortfalls.values()) > DECISIONS / 20
    assert chosen > 2 * DECISIONS
    assert tied > DECISIONS / 2


def _ties(filled: Filled) -> int:
    """Offers that stand below one of the same weight."""
    weights = [choice.weight for choice in filled.choices]
    return sum(a == b for a, b in pairwise(weights))

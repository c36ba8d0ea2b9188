"""Equals are drawn fairly: over 10,000 seeds each stands in each place as often.

The seeds are fixed, so that these tests always pass or always fail; a fair draw would
have failed each comparison with a probability below one in a million.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import erfc, exp, sqrt
from pathlib import Path
from typing import Any

import pytest

from catalog_store.counting import Counted
from catalog_store.records import Category, Offer, PresentationRule
from server.engine.live_catalog import LiveEnvironment
from tests.bank import DAY_MS, environment, live, names, offer, past, row

SEEDS = range(10_000)
P_MIN = 1e-6

#: What no table answers; of so few rows among many, it is asked only of each offer that
#: is about to win.
RESIDUAL = "contact.age * contact.age + contact.balance > {number}"
FILLERS = [offer(f"filler_{number}", 0.1) for number in range(140)]


def bank(folder: Path, offers: Iterable[Offer], **fields: Any) -> LiveEnvironment:
    return live(folder, environment(offers, **fields)).environments["bank"]


def probability(counts: Counter[str], members: Sequence[str]) -> float:
    """Of counts as uneven as these, or more, by chi-square."""
    assert set(counts) <= set(members)
    expected = counts.total() / len(members)
    x = sum((counts[member] - expected) ** 2 / expected for member in members)
    freedom = len(members) - 1
    if freedom == 1:
        return erfc(sqrt(x / 2))
    # The closed form, which is for even numbers.
    assert freedom % 2 == 0
    term = total = exp(-x / 2)
    for number in range(1, freedom // 2):
        term *= x / 2 / number
        total += term
    return total


def assert_fair(
    orders: Sequence[Sequence[str]], members: Sequence[str], places: int = 3
) -> None:
    """Each member first, second and third equally often."""
    for place in range(min(places, len(members))):
        counts = Counter(order[place] for order in orders)
        assert probability(counts, members) > P_MIN, (place, counts)


@pytest.mark.parametrize("count", [2, 3, 7])
def test_equals_take_each_place_equally_often(tmp_path: Path, count: int) -> None:
    """First, second and third, whatever their order in the catalog."""
    members = [f"o{number}" for number in range(count)]
    decides = bank(tmp_path, map(offer, members))
    orders = [names(decides, ("banner", 3), seed=seed)[0] for seed in SEEDS]

    assert_fair(orders, members)


def test_a_hundred_and_one_equals(tmp_path: Path) -> None:
    """So many are drawn from a set instead of a list; as fairly."""
    members = [f"o{number}" for number in range(101)]
    decides = bank(tmp_path, map(offer, members))
    orders = [names(decides, ("banner", 3), seed=seed)[0] for seed in SEEDS]

    assert_fair(orders, members)


@pytest.mark.parametrize("count", [3, 7])
def test_three_tied_rows_are_one_lot(tmp_path: Path, count: int) -> None:
    """Own rows, and one that its category hands down, of one weight."""
    members = [f"o{number}" for number in range(count)]
    rich = offer(members[1], 1, row(1, rule="true"), 1, category="rich")
    others = [offer(name) for name in members if name != rich.name]
    decides = bank(
        tmp_path,
        [others[0], rich, *others[1:]],
        categories=[Category(name="rich", weights=(row(1),))],
    )
    orders = [names(decides, ("banner", 3), seed=seed)[0] for seed in SEEDS]

    assert_fair(orders, members)


def test_those_whose_rules_fail_leave_equal_chances(tmp_path: Path) -> None:
    """Two of seven are dropped when they are looked at; five remain, and are even."""
    members = [f"o{number}" for number in range(7)]
    limits = dict(zip(members, range(7), strict=True)) | {"o2": 10**6, "o3": 10**7}
    offers = [offer(name, rule=RESIDUAL.format(number=n)) for name, n in limits.items()]
    decides = bank(tmp_path, [*offers, *FILLERS])
    contact = {"age": 30, "balance": 100}
    orders = [
        names(decides, ("banner", 3), seed=seed, contact=contact)[0] for seed in SEEDS
    ]

    assert len(decides.live_index.rows.residual) == 7
    assert_fair(orders, [name for name, limit in limits.items() if limit < 7])


def test_those_excluded_leave_equal_chances(tmp_path: Path) -> None:
    """Two of seven are drawn and left out by a presentation rule."""
    members = [f"o{number}" for number in range(7)]
    once = PresentationRule(
        name="once", period_ms=DAY_MS, maximum=1, counted=Counted.THIS_OFFER
    )
    decides = bank(tmp_path, map(offer, members), rules=[once])
    history = [past("o0"), past("o3")]
    orders = [
        names(decides, ("banner", 3), seed=seed, history=history)[0] for seed in SEEDS
    ]

    assert_fair(orders, [name for name in members if name not in ("o0", "o3")])


def test_the_second_space_is_as_fair(tmp_path: Path) -> None:
    """The draws of one call share one sequence, and do not follow from each other."""
    here, there = ["a", "b", "c"], ["x", "y", "z"]
    decides = bank(
        tmp_path,
        [
            *(offer(name, spaces=("banner",)) for name in here),
            *(offer(name, spaces=("side",)) for name in there),
        ],
    )
    pages = [names(decides, "banner", "side", seed=seed) for seed in SEEDS]

    assert_fair([there for _, there in pages], there, places=1)
    pairs = Counter(banner[0] + side[0] for banner, side in pages)
    assert probability(pairs, [a + b for a in here for b in there]) > P_MIN


def test_an_uneven_draw_is_found() -> None:
    """36 in 100 instead of a third is told from chance; 34 in 100 is not."""
    uneven = Counter(a=3_600, b=3_200, c=3_200)
    even = Counter(a=3_400, b=3_300, c=3_300)

    assert probability(uneven, "abc") < P_MIN
    assert probability(even, "abc") > 0.3

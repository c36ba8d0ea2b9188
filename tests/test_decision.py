"""What the engine decides, rule by rule; on compiled, published, mapped catalogs."""

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from catalog_store.records import Category, Multiplier, Offer
from server.engine.call import SpaceCall
from server.engine.decision import Shortfall, decide
from tests.bank import (
    NOON_MS,
    call,
    environment,
    live,
    names,
    offer,
    row,
    space,
    title,
    window,
)


def test_the_heaviest_offers_come_first(tmp_path: Path) -> None:
    """Weight descending, ranks from 1, as many as were asked for."""
    bank = live(
        tmp_path, environment([offer("low", 1), offer("high", 9), offer("mid", 5)])
    ).environments["bank"]

    decision = decide(call(bank, ("banner", 2)))

    assert [
        (c.scored.offer.name, c.scored.weight, c.rank)
        for c in decision.spaces[0].chosen
    ] == [("high", 9.0, 1), ("mid", 5.0, 2)]


def test_an_offer_takes_the_highest_row_that_matches(tmp_path: Path) -> None:
    """Rows limited by space, window and rule; own, category's and environment's."""
    catalog = live(
        tmp_path,
        environment(
            [
                offer(
                    "loan",
                    row(2),
                    row(7, spaces=("side",)),
                    row(9, window=window(NOON_MS + 1, None)),
                    row(5, rule="contact.age >= 30"),
                    category="credit",
                )
            ],
            categories=[Category(name="credit", weights=(row(4, label="credit"),))],
            weights=(row(3),),
        ),
    )
    bank = catalog.environments["bank"]

    def weight(space_name: str, age: int, at_ms: int = NOON_MS) -> float:
        asked = call(bank, space_name, contact={"age": age}, at_ms=at_ms)
        return decide(asked).spaces[0].chosen[0].scored.weight

    assert weight("banner", 20) == 4.0
    assert weight("banner", 30) == 5.0
    assert weight("side", 20) == 7.0
    assert weight("side", 20, NOON_MS + 1) == 9.0


def test_of_equal_rows_the_nearest_wins(tmp_path: Path) -> None:
    """Own, then of the nearest category, then of the root, then the environment's."""
    categories = [
        Category(name="root", weights=(row(1, label="root"),)),
        Category(name="leaf", parent="root", weights=(row(1, label="leaf"),)),
    ]
    offers = [
        offer("own", row(1, label="own"), category="leaf"),
        offer("leaf", row(0), category="leaf"),
        offer("root", row(0), category="root"),
        offer("none", row(0)),
    ]
    record = environment(
        offers, categories=categories, weights=(row(1, label="environment"),)
    )
    bank = live(tmp_path, record).environments["bank"]
    won = {
        c.scored.offer.name: c.scored.row.label
        for c in decide(call(bank, ("banner", 9))).spaces[0].chosen
    }

    assert won == {"own": "own", "leaf": "leaf", "root": "root", "none": "environment"}


@pytest.mark.parametrize(
    ("formula", "weight"),
    [
        ("contact.balance", 1_000.0),
        ("double(contact.balance) / 100.0", 10.0),
        ("0.0", None),
        ("-1.0", None),
        ("1.0 / 0.0", None),
        ("0.0 / 0.0", None),
        ("double(contact.age)", None),
    ],
)
def test_a_formula_that_gives_no_weight_does_not_match(
    tmp_path: Path, formula: str, weight: float | None
) -> None:
    """Zero, negative, infinite, NaN, and an error: the row is ignored."""
    bank = live(tmp_path, environment([offer("loan", formula)])).environments["bank"]

    decision = decide(call(bank, "banner", contact={"balance": 1_000}))

    assert [c.scored.weight for c in decision.spaces[0].chosen] == (
        [] if weight is None else [weight]
    )


def test_a_row_of_weight_zero_is_ignored_and_no_veto(tmp_path: Path) -> None:
    """The other rows still rank the offer; zero alone leaves it out."""
    offers = [offer("both", row(0), row(1)), offer("zero", row(0))]
    bank = live(tmp_path, environment(offers)).environments["bank"]

    assert names(bank, ("banner", 9)) == [["both"]]


def test_multipliers_nest_each_inside_its_own_window(tmp_path: Path) -> None:
    """The product over the path, of those whose window is open."""
    categories = [
        Category(name="a", multiplier=Multiplier(factor=2.0)),
        Category(
            name="b",
            parent="a",
            multiplier=Multiplier(factor=10.0, window=window(NOON_MS, NOON_MS + 10)),
        ),
    ]
    bank = live(
        tmp_path,
        environment([offer("deep", 8, category="b")], categories=categories),
    ).environments["bank"]

    weights = [
        decide(call(bank, "banner", at_ms=at)).spaces[0].chosen[0].scored.weight
        for at in (NOON_MS - 1, NOON_MS, NOON_MS + 9, NOON_MS + 10)
    ]

    assert weights == [16.0, 160.0, 160.0, 16.0]


def test_windows_are_half_open_and_intersect(tmp_path: Path) -> None:
    """Start included, end excluded, the category's and the offer's both."""
    categories = [Category(name="spring", window=window(NOON_MS, NOON_MS + 100))]
    spring = offer("sale", category="spring", window=window(NOON_MS - 50, NOON_MS + 50))
    bank = live(tmp_path, environment([spring], categories=categories))

    open_at = [
        offset
        for offset in (-50, -1, 0, 49, 50, 99)
        if names(bank.environments["bank"], "banner", at_ms=NOON_MS + offset) != [[]]
    ]

    assert open_at == [0, 49]


def test_rules_of_environment_categories_and_offer_must_all_hold(
    tmp_path: Path,
) -> None:
    """From the environment down to the offer; an absent attribute is not eligible."""
    categories = [
        Category(name="a", rule="contact.balance > 0"),
        Category(name="b", parent="a", rule="contact.age >= 18"),
    ]
    bank = live(
        tmp_path,
        environment(
            [offer("card", category="b", rule="contact.job != 'student'")],
            categories=categories,
            rule="contact.age < 100",
        ),
    ).environments["bank"]
    good = {"age": 30, "balance": 1, "job": "nurse"}

    assert names(bank, "banner", contact=good) == [["card"]]
    for change in (
        {"age": 17},
        {"age": 100},
        {"balance": 0},
        {"job": "student"},
    ):
        assert names(bank, "banner", contact={**good, **change}) == [[]]
    for name in good:
        fewer = {k: v for k, v in good.items() if k != name}
        assert names(bank, "banner", contact=fewer) == [[]]


def test_disabling_a_category_disables_its_subtree(tmp_path: Path) -> None:
    """Offers of child categories are left out too."""
    categories = [
        Category(name="off", enabled=False),
        Category(name="child", parent="off"),
    ]
    offers = [
        offer("hidden", 9, category="child"),
        offer("shown", 1),
        offer("disabled", 5, enabled=False),
    ]
    bank = live(tmp_path, environment(offers, categories=categories))

    assert names(bank.environments["bank"], ("banner", 9)) == [["shown"]]


def test_an_offer_is_proposed_only_where_approved_and_complete(
    tmp_path: Path,
) -> None:
    """Not on other spaces, and not where content that the space requires is missing."""
    offers = [
        offer("whole", 1, content={"title": "A card"}),
        offer("bare", 2),
        offer("empty", 3, content={"title": ""}),
        offer("elsewhere", 4, spaces=("side",), content={"title": "x"}),
    ]
    spaces = [space("banner", fields=(title(),)), space("side")]
    bank = live(tmp_path, environment(offers, spaces=spaces)).environments["bank"]

    assert names(bank, ("banner", 9), ("side", 9), allow_duplicates=True) == [
        ["whole"],
        ["elsewhere", "empty", "bare", "whole"],
    ]
    contents = bank.spaces["banner"].contents
    assert {n: one.fields for n, one in contents.items()} == {0: {"title": "A card"}}


def _tree(tmp_path: Path) -> dict[str, object]:
    categories = [
        Category(name="credit", themes=("money",)),
        Category(name="loans", parent="credit", themes=("home",)),
        Category(name="cards", themes=("travel",)),
        Category(name="always", always_included=True),
    ]
    offers = [
        offer("credit_offer", 5, category="credit"),
        offer("loan", 4, category="loans"),
        offer("card", 3, category="cards"),
        offer("fallback", 0.01, category="always"),
    ]
    return {"offers": offers, "categories": categories}


@pytest.mark.parametrize(
    ("categories", "themes", "expected"),
    [
        ((), (), ["credit_offer", "loan", "card", "fallback"]),
        (("credit",), (), ["credit_offer", "loan", "fallback"]),
        (("loans", "cards"), (), ["loan", "card", "fallback"]),
        ((), ("money",), ["credit_offer", "loan", "fallback"]),
        (("credit",), ("home",), ["loan", "fallback"]),
        (("cards",), ("home",), ["fallback"]),
        (("no_such",), (), ["fallback"]),
        (("no_such", "cards"), (), ["card", "fallback"]),
        ((), ("no_such",), ["fallback"]),
    ],
)
def test_categories_and_themes_restrict(
    tmp_path: Path, categories: tuple[str, ...], themes: tuple[str, ...], expected: list
) -> None:
    """Or within a list, and between lists; subtrees and inherited themes included."""
    bank = live(tmp_path, environment(**_tree(tmp_path))).environments["bank"]
    asked = SpaceCall(bank.spaces["banner"], 9, categories, themes)

    assert names(bank, asked) == [expected]


def test_a_space_has_defaults_for_calls_that_name_nothing(tmp_path: Path) -> None:
    """Default categories count only when the call names neither list."""
    spaces = [space("banner", default_categories=("cards",)), space("side")]
    bank = live(tmp_path, environment(spaces=spaces, **_tree(tmp_path)))
    decides = bank.environments["bank"]
    asked = SpaceCall(decides.spaces["banner"], 9, (), ("home",))

    assert names(decides, ("banner", 9)) == [["card", "fallback"]]
    assert names(decides, asked) == [["loan", "fallback"]]


def test_an_offer_stands_once_on_a_page(tmp_path: Path) -> None:
    """Request order is priority, and a space comes up short rather than repeat."""
    offers = [
        offer("a", 9),
        offer("b", 8),
        offer("c", 7, spaces=("banner",)),
        offer("d", 6, spaces=("side",)),
    ]
    bank = live(tmp_path, environment(offers)).environments["bank"]

    decision = decide(call(bank, ("side", 2), ("banner", 3)))

    assert [[c.scored.offer.name for c in s.chosen] for s in decision.spaces] == [
        ["a", "b"],
        ["c"],
    ]
    assert [s.shortfall for s in decision.spaces] == [
        Shortfall.NONE,
        Shortfall.SHOWN_ELSEWHERE,
    ]
    assert names(bank, ("side", 2), ("banner", 3), allow_duplicates=True) == [
        ["a", "b"],
        ["a", "b", "c"],
    ]


def test_a_space_asked_twice_goes_on_counting(tmp_path: Path) -> None:
    """The second asks for the next ranks, duplicates allowed or not."""
    bank = live(
        tmp_path, environment([offer("a", 3), offer("b", 2), offer("c", 1)])
    ).environments["bank"]

    for allow in (False, True):
        decision = decide(call(bank, "banner", ("banner", 2), allow_duplicates=allow))
        ranks = [
            [(c.scored.offer.name, c.rank) for c in s.chosen] for s in decision.spaces
        ]
        assert ranks == [[("a", 1)], [("b", 2), ("c", 3)]]


def test_excluded_offers_are_not_proposed(tmp_path: Path) -> None:
    """Unknown names among them do no harm."""
    bank = live(tmp_path, environment([offer("a", 2), offer("b", 1)]))
    excluded = frozenset({"a", "no_such"})

    assert names(bank.environments["bank"], "banner", excluded=excluded) == [["b"]]


def test_ties_are_drawn_evenly_from_the_seed(tmp_path: Path) -> None:
    """Each of three equals comes first in a third of the draws; a seed repeats."""
    offers: list[Offer] = [offer(name) for name in "abc"]
    bank = live(tmp_path, environment(offers)).environments["bank"]
    orders = [tuple(names(bank, ("banner", 3), seed=seed)[0]) for seed in range(3_000)]

    assert orders == [
        tuple(names(bank, ("banner", 3), seed=seed)[0]) for seed in range(3_000)
    ]
    # Six orders, 500 expected of each; five standard deviations are 102.
    assert len(set(orders)) == 6
    assert all(abs(count - 500) < 102 for count in Counter(orders).values())


def test_an_offer_with_three_tied_rows_is_one_offer(tmp_path: Path) -> None:
    """Rows do not multiply an offer's chance in the draw."""
    offers = [offer("many", 1, 1, 1), offer("one", 1)]
    bank = live(tmp_path, environment(offers)).environments["bank"]
    firsts = Counter(names(bank, "banner", seed=seed)[0][0] for seed in range(2_000))

    assert abs(firsts["many"] - 1_000) < 112


def test_of_many_equals_those_proposed_already_are_left_out(tmp_path: Path) -> None:
    """An offer with a heavier row has no part in the draw for a lighter one."""
    offers = [offer("both", 9, 1), *(offer(f"o{number}") for number in range(80))]
    bank = live(tmp_path, environment(offers)).environments["bank"]
    pool, random = [f"o{number}" for number in range(80)], Random(5)
    drawn = [pool.pop(random.randrange(len(pool))) for _ in range(79)]

    assert names(bank, ("banner", 100), seed=5) == [["both", *drawn, *pool]]


def test_many_equals_follow_many_equals(tmp_path: Path) -> None:
    """Each class of weight whole, the heavier first, by one sequence of numbers."""
    heavy, light = ([f"{kind}{n}" for n in range(80)] for kind in ("heavy", "light"))
    offers = [offer(name, 2) for name in heavy] + [offer(name, 1) for name in light]
    bank = live(tmp_path, environment(offers)).environments["bank"]
    random = Random(5)
    drawn = [
        pool.pop(random.randrange(len(pool)) if len(pool) > 1 else 0)
        for pool in (heavy, light)
        for _ in range(80)
    ]

    assert names(bank, ("banner", 160), seed=5) == [drawn]


def test_an_empty_space_says_why(tmp_path: Path) -> None:
    """Fewer than asked for, with the reason."""
    bank = live(
        tmp_path, environment([offer("card", rule="contact.age >= 18")])
    ).environments["bank"]

    decision = decide(call(bank, ("banner", 2), contact={"age": 18}))
    empty = decide(call(bank, "banner", contact={"age": 17}))

    assert decision.spaces[0].shortfall is Shortfall.NOT_ENOUGH_ELIGIBLE
    assert len(decision.spaces[0].chosen) == 1
    assert empty.spaces[0].shortfall is Shortfall.NOT_ENOUGH_ELIGIBLE

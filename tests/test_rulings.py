"""The rulings of the decision, one by one; docs/semantics.md says them in full.

Each test fails when its ruling is turned round. `test_rulings_kept` has those about
history, contacts, statuses and times.
"""

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from catalog_store.counting import Counted
from catalog_store.records import (
    Catalog,
    Category,
    Multiplier,
    Offer,
    PresentationRule,
)
from compiler.revision import compile_catalog
from compiler.source import Refused
from server.engine.call import SpaceCall
from server.engine.decision import Shortfall, decide
from server.engine.live_catalog import LiveEnvironment
from server.wire import decision_pb2 as pb
from tests.bank import (
    DAY_MS,
    NOON_MS,
    call,
    environment,
    live,
    names,
    offer,
    past,
    row,
    space,
    title,
    window,
)
from tests.explained_calls import only
from tests.services import offers, served

MINUTE_MS = 60_000
CARD = offer("card", 2)


def bank(folder: Path, *records: Offer, **fields: Any) -> LiveEnvironment:
    return live(folder, environment(records, **fields)).environments["bank"]


def weight(decides: LiveEnvironment, **fields: Any) -> float:
    """Of the first proposition; 0 when there is none."""
    chosen = decide(call(decides, "banner", **fields)).spaces[0].chosen
    return chosen[0].scored.weight if chosen else 0.0


def drawn(seed: int, *groups: Sequence[str]) -> list[str]:
    """Groups of equals in catalog order, in the order of their draw."""
    random = Random(seed)
    order: list[str] = []
    for group in groups:
        rest = list(group)
        while rest:
            index = random.randrange(len(rest)) if len(rest) > 1 else 0
            order.append(rest.pop(index))
    return order


def test_ruling_01_windows_are_half_open_and_intersect(tmp_path: Path) -> None:
    """Open at the millisecond of the start, closed at that of the end."""
    decides = bank(
        tmp_path,
        offer("sale", category="may", window=window(NOON_MS - 50, NOON_MS + 50)),
        categories=[Category(name="may", window=window(NOON_MS, NOON_MS + 100))],
    )

    assert [
        offset
        for offset in (-50, -1, 0, 49, 50, 99)
        if weight(decides, at_ms=NOON_MS + offset) > 0
    ] == [0, 49]


def test_ruling_02_a_disabled_category_disables_its_subtree(tmp_path: Path) -> None:
    """An enabled child of a disabled category is of no avail."""
    categories = [
        Category(name="off", enabled=False),
        Category(name="child", parent="off"),
    ]
    decides = bank(
        tmp_path, offer("hidden", 9, category="child"), CARD, categories=categories
    )

    assert names(decides, ("banner", 9)) == [["card"]]


@pytest.mark.parametrize(
    ("above", "asked", "expected"),
    [
        ({"themes": ("home",)}, {"themes": ("home",)}, 3.0),
        ({"themes": ()}, {"themes": ("home",)}, 0.0),
        ({"window": window(NOON_MS + 1)}, {}, 0.0),
        ({"rule": "false"}, {}, 0.0),
        ({"multiplier": Multiplier(factor=2.0)}, {}, 6.0),
    ],
)
def test_ruling_02_categories_hand_down_what_they_say(
    tmp_path: Path, above: dict[str, Any], asked: dict[str, Any], expected: float
) -> None:
    """Themes, dates, filters and multipliers hold for the category's children."""
    categories = [
        Category(name="above", **above),
        Category(name="below", parent="above"),
    ]
    record = offer("card", 3, category="below")
    decides = bank(tmp_path, record, categories=categories)
    one = SpaceCall(decides.spaces["banner"], 1, **asked)
    chosen = decide(call(decides, one)).spaces[0].chosen

    assert sum(c.scored.weight for c in chosen) == expected


def test_ruling_02_nested_multipliers_multiply(tmp_path: Path) -> None:
    """Each only inside its own window."""
    inner = Multiplier(factor=10.0, window=window(NOON_MS, NOON_MS + 1))
    categories = [
        Category(name="a", multiplier=Multiplier(factor=2.0)),
        Category(name="b", parent="a", multiplier=inner),
    ]
    decides = bank(tmp_path, offer("deep", 8, category="b"), categories=categories)

    assert [weight(decides, at_ms=NOON_MS + n) for n in (-1, 0, 1)] == [16, 160, 16]


@pytest.mark.parametrize("factor", [0.0, -1.0, float("inf"), float("nan")])
def test_ruling_02_multipliers_are_finite_and_above_0(factor: float) -> None:
    """A catalog with another one is refused."""
    category = Category(name="a", multiplier=Multiplier(factor=factor))

    with pytest.raises(Refused, match="multiplier"):
        compile_catalog(
            Catalog(environments=(environment([CARD], categories=[category]),))
        )


def test_ruling_03_the_highest_row_that_matches_counts(tmp_path: Path) -> None:
    """The offer's own, its category's, its environment's; without one, nothing."""
    own = [row(9, rule="contact.age >= 18"), row(7, rule="contact.age >= 16")]
    categories = [Category(name="a", weights=(row(4, rule="contact.age >= 12"),))]
    card = offer("card", *own, category="a")
    inherited = row(5, rule="contact.age >= 14")
    decides = bank(tmp_path, card, categories=categories, weights=(inherited,))
    ages = (11, 12, 14, 16, 18)

    assert [weight(decides, contact={"age": n}) for n in ages] == [0, 4, 5, 7, 9]


@pytest.mark.parametrize(
    ("formula", "code"),
    [
        ("0.0 / 0.0", "not_finite"),
        ("1.0 / 0.0", "not_finite"),
        ("-1.0", "negative"),
        ("-double(contact.balance)", "negative"),
        ("double(contact.age)", "no_answer"),
    ],
)
def test_ruling_03_a_formula_without_a_weight_does_not_match(
    tmp_path: Path, formula: str, code: str
) -> None:
    """Other rows still count; where there are none, the explanation says why."""
    decides = bank(tmp_path, offer("card", formula, 1), offer("loan", formula))

    five: dict[str, Any] = {"contact": {"balance": 5}}

    assert names(decides, ("banner", 9), **five) == [["card"]]
    assert [str(r.code) for r in only(decides, "loan", **five).rows] == [code]


def test_ruling_03_a_row_of_weight_0_is_no_veto(tmp_path: Path) -> None:
    """It is ignored; and alone it proposes nothing."""
    decides = bank(tmp_path, offer("both", 0, 1), offer("zero", 0))

    assert names(decides, ("banner", 9)) == [["both"]]


def _tree(folder: Path) -> LiveEnvironment:
    return bank(
        folder,
        offer("loan", 4, category="loans"),
        offer("home", 3, category="home"),
        offer("card", 2, category="cards"),
        offer("hours", 1, category="service"),
        categories=[
            Category(name="loans", themes=("money",)),
            Category(name="home", parent="loans"),
            Category(name="cards", themes=("money", "travel")),
            Category(name="service", always_included=True),
        ],
        spaces=[space("banner"), space("side", default_categories=("cards",))],
    )


@pytest.mark.parametrize(
    ("asked", "categories", "themes", "expected"),
    [
        ("banner", (), (), "loan home card hours"),
        ("side", (), (), "card hours"),
        ("side", ("loans",), (), "loan home hours"),
        ("banner", ("home", "cards"), (), "home card hours"),
        ("banner", ("loans",), ("travel",), "hours"),
        ("banner", (), ("travel", "money"), "loan home card hours"),
        ("banner", ("cards", "no_such"), (), "card hours"),
    ],
)
def test_ruling_04_categories_and_themes_restrict(
    tmp_path: Path,
    asked: str,
    categories: tuple[str, ...],
    themes: tuple[str, ...],
    expected: str,
) -> None:
    """Subtrees, alternatives, both lists, defaults, and what is always included."""
    decides = _tree(tmp_path)
    one = SpaceCall(decides.spaces[asked], 9, categories, themes)

    assert names(decides, one) == [expected.split()]


def test_ruling_04_unknown_names_are_warned_about(tmp_path: Path) -> None:
    """And the call is answered."""
    with served(tmp_path, environment([CARD])) as web:
        request = pb.ProposeRequest(contact_id="ann")
        request.spaces.add(space="banner", categories=["all", "nowhere"])
        answer = web.ask(request)

    assert list(answer.warnings) == ["unknown category 'nowhere' ignored"]
    assert offers(answer) == ["card"]


#: What no table answers; of so few rows among many, it is asked of each by itself.
SQUARE = "contact.age * contact.age > 900"


def test_ruling_05_equals_are_drawn_in_catalog_order_from_the_seed(
    tmp_path: Path,
) -> None:
    """Heaviest first; rules hold before the draw, and three tied rows are one offer."""
    record = [
        offer("low", 0.5),
        offer("a", 1, 1, 1),
        offer("top", 2),
        *(offer(name) for name in "bcd"),
        offer("e", rule=SQUARE),
        offer("last", 0.5),
        *(offer(f"filler_{number}", 0.1) for number in range(90)),
    ]
    decides = bank(tmp_path, *record)

    for seed in range(50):
        young = names(decides, ("banner", 7), seed=seed, contact={"age": 30})
        old = names(decides, ("banner", 8), seed=seed, contact={"age": 31})
        assert young == [drawn(seed, ["top"], "abcd", ["low", "last"])]
        assert old == [drawn(seed, ["top"], "abcde", ["low", "last"])]


def test_ruling_05_presentation_rules_are_tested_after_the_draw(
    tmp_path: Path,
) -> None:
    """What they exclude was drawn all the same: the others keep their order."""
    equals = [offer(n) for n in "abcd"]
    once = PresentationRule(
        name="once", period_ms=DAY_MS, maximum=1, counted=Counted.THIS_OFFER
    )
    decides = bank(tmp_path, *equals, rules=[once])

    for seed in range(50):
        left = names(decides, ("banner", 9), seed=seed, history=[past("b")])
        assert left == [[n for n in drawn(seed, "abcd") if n != "b"]]


def test_ruling_05_the_seed_is_recorded(tmp_path: Path) -> None:
    """As the interaction's id: whoever has it can draw again."""
    with served(tmp_path, environment([offer(n) for n in "abcd"])) as web:
        for _ in range(20):
            answer = web.propose("banner")
            seed = int(answer.interaction_id, 16)
            assert offers(answer) == drawn(seed, "abcd")[:1]


def test_ruling_06_an_offer_stands_once_on_a_page(tmp_path: Path) -> None:
    """The first space has priority, and the other comes up short, or else repeats."""
    hero = offer("a", 9), offer("b", 8)
    decides = bank(tmp_path, *hero, offer("d", 7, spaces=("side",)))
    asked = call(decides, ("banner", 2), ("side", 2))

    assert names(decides, ("banner", 2), ("side", 2)) == [["a", "b"], ["d"]]
    assert decide(asked).spaces[1].shortfall is Shortfall.SHOWN_ELSEWHERE
    assert names(decides, ("side", 2), ("banner", 2)) == [["a", "b"], []]
    assert names(decides, ("banner", 2), ("side", 3), allow_duplicates=True) == [
        ["a", "b"],
        ["a", "b", "d"],
    ]


def test_ruling_06_a_space_asked_twice_goes_on(tmp_path: Path) -> None:
    """The second gets the next ranks, also where duplicates are allowed."""
    decides = bank(tmp_path, *(offer(n, 9 - i) for i, n in enumerate("abc")))
    asked = call(decides, "banner", ("banner", 2), allow_duplicates=True)

    assert [
        [(c.scored.offer.name, c.rank) for c in s.chosen] for s in decide(asked).spaces
    ] == [[("a", 1)], [("b", 2), ("c", 3)]]


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("contact.age > 1 || contact.job == 'x'", True),
        ("contact.job == 'x' || contact.age > 1", True),
        ("!(contact.age < 1 && contact.job == 'x')", True),
        ("!(contact.job == 'x' && contact.age < 1)", True),
        ("contact.job == 'x'", False),
        ("contact.job != 'x'", False),
        ("!(contact.job == 'x')", False),
        ("contact.job == 'x' || contact.age < 1", False),
        # "Taken into account if the page is known": !(guard) || condition.
        ("!has(context.page) || context.page == 'loans'", True),
        ("!has(contact.age) || contact.age > 99", False),
    ],
)
def test_ruling_12_rules_are_cels(tmp_path: Path, rule: str, holds: bool) -> None:
    """Errors are absorbed from either side, and what is left is not true."""
    decides = bank(tmp_path, offer("card", rule=rule))

    assert names(decides, "banner", contact={"age": 30}) == [["card"] if holds else []]


def test_ruling_12_an_error_is_explained(tmp_path: Path) -> None:
    """An absent attribute is named, and told from a condition that is false."""
    decides = bank(tmp_path, offer("card", rule="contact.age > 17"))
    absent = only(decides, "card")
    false = only(decides, "card", contact={"age": 17})

    assert "contact.age" in (absent.error or "")
    assert false.error is None


def test_ruling_12_a_rule_is_a_bool() -> None:
    """Another type is refused when it is published."""
    with pytest.raises(Refused, match="a condition is true or false, this is int"):
        compile_catalog(
            Catalog(environments=(environment([offer("card", rule="contact.age")]),))
        )


def test_ruling_13_approved_for_a_space_and_complete_there(tmp_path: Path) -> None:
    """Elsewhere nothing is proposed; what lacks content is warned about, no more."""
    record = environment(
        [
            offer("whole", 1, spaces=("banner",), content={"title": "A card"}),
            offer("bare", 2),
        ],
        spaces=[space("banner", fields=(title(),)), space("side")],
    )
    decides = live(tmp_path, record).environments["bank"]
    warned = compile_catalog(Catalog(environments=(record,))).diagnostics

    assert names(decides, ("banner", 9), ("side", 9), allow_duplicates=True) == [
        ["whole"],
        ["bare"],
    ]
    assert [d.source.name for d in warned] == ["environments/bank/offers/bare:content"]

"""Quotas in one decision: which offers are left out, and what is taken."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from catalog_store.counting import OnFailure
from catalog_store.records import PresentationRule
from server.engine.decision import Shortfall, decide
from server.engine.live_catalog import LiveEnvironment
from tests.bank import (
    DAY_MS,
    call,
    chosen,
    environment,
    live,
    offer,
    past,
    space,
    title,
)
from tests.quota_bank import OFFERS, bank, decides, quota


def shown(of: LiveEnvironment, *asked: Any, **fields: Any) -> list[list[str]]:
    return chosen(decide(call(of, *asked, **fields)))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"offers": ("gold",)}, ["blue", "loan", "news"]),
        ({"categories": ("cards",)}, ["loan", "news"]),
        ({"categories": ("products",)}, ["news"]),
        ({"categories": ("cards",), "offers": ("news",)}, ["loan"]),
        ({}, []),
        ({"active": False}, ["gold", "blue", "loan", "news"]),
    ],
)
def test_it_limits_the_offers_it_names(
    tmp_path: Path, scope: dict[str, Any], expected: list[str]
) -> None:
    """And those of its categories' subtrees; naming none is naming all."""
    of = decides(tmp_path, quota(**scope))
    left = {one.number: 0 for one in of.quotas.live}

    assert shown(of, ("banner", 9), quotas_left=left) == [expected]


@pytest.mark.parametrize("left", [0, -1, -(10**12)])
def test_none_left_is_none_left(tmp_path: Path, left: int) -> None:
    """Also where the limit was lowered below what is used."""
    of = decides(tmp_path, quota(offers=("gold",)))

    assert shown(of, "banner", quotas_left={0: left}) == [["blue"]]
    assert shown(of, "banner", quotas_left={0: 1}) == [["gold"]]


def test_an_offer_needs_room_in_all_of_its_quotas(tmp_path: Path) -> None:
    """Whichever of them has none left."""
    of = decides(
        tmp_path,
        quota(name="one", offers=("gold",)),
        quota(name="two", categories=("cards",)),
        quota(name="three"),
    )

    lefts = [{0: 9, 1: 9, 2: 9}, {0: 0, 1: 9, 2: 9}, {0: 9, 1: 0, 2: 9}]
    assert [shown(of, "banner", quotas_left=left) for left in lefts] == [
        [["gold"]],
        [["blue"]],
        [["loan"]],
    ]
    assert shown(of, "banner", quotas_left={0: 9, 1: 9, 2: 0}) == [[]]


def test_what_the_call_proposes_counts_in_it(tmp_path: Path) -> None:
    """Several offers of one quota in one space, and in several."""
    of = decides(tmp_path, quota(categories=("cards",)))

    one = shown(of, ("banner", 9), "side", quotas_left={0: 1})
    two = shown(of, "banner", ("side", 9), quotas_left={0: 2})
    assert one == [["gold", "loan", "news"], []]
    assert two == [["gold"], ["blue", "loan", "news"]]


def test_what_was_taken_is_told(tmp_path: Path) -> None:
    """Of each quota, with every space that shows something of it."""
    of = decides(tmp_path, quota(name="one", offers=("gold",)), quota(name="all"))
    left = {0: 9, 1: 9}
    asked = call(of, ("banner", 2), "side", quotas_left=left, allow_duplicates=True)

    decision = decide(asked)
    assert chosen(decision) == [["gold", "blue"], ["gold"]]
    assert decision.quotas_taken == {0: 2, 1: 3}
    assert decision.quota_exclusions == 0
    assert left == {0: 9, 1: 9}


def test_the_space_says_that_quotas_were_the_reason(tmp_path: Path) -> None:
    """If it is short, and they left out anything."""
    of = decides(tmp_path, quota(categories=("products",)))
    full = decide(call(of, ("banner", 1), quotas_left={0: 0}))
    short = decide(call(of, ("banner", 2), quotas_left={0: 0}))

    assert full.spaces[0].shortfall is Shortfall.NONE
    assert short.spaces[0].shortfall is Shortfall.QUOTAS
    assert short.quota_exclusions == 3


def test_a_presentation_rule_comes_first(tmp_path: Path) -> None:
    """What it excludes is not asked of the quota."""
    rule = PresentationRule(name="never", period_ms=DAY_MS, maximum=1)
    of = decides(tmp_path, quota(), rules=[rule])
    decision = decide(call(of, ("banner", 2), quotas_left={0: 1}))

    assert chosen(decision) == [["gold"]]
    assert decision.spaces[0].shortfall is Shortfall.PRESENTATION_RULES
    assert decision.quota_exclusions == 0


def test_quotas_are_told_before_presentation_rules(tmp_path: Path) -> None:
    """Whichever of the two left out an offer first."""
    rule = PresentationRule(name="no", period_ms=DAY_MS, maximum=1, offers=("blue",))
    history = [past("gone")]
    for name in ("gold", "loan"):
        of = decides(tmp_path / name, quota(offers=(name,)), rules=[rule])
        asked = call(of, ("banner", 9), quotas_left={0: 0}, history=history)

        assert decide(asked).spaces[0].shortfall is Shortfall.QUOTAS


def test_a_quota_of_all_offers_ends_the_ranking(tmp_path: Path) -> None:
    """Nobody looks at the others, in this space or in the next."""
    of = decides(tmp_path, quota())
    decision = decide(call(of, ("banner", 2), ("side", 9), quotas_left={0: 1}))

    assert chosen(decision) == [["gold"], []]
    assert [one.shortfall for one in decision.spaces] == [Shortfall.QUOTAS] * 2
    assert decision.quota_exclusions == 2


def test_quotas_do_not_change_the_draw(tmp_path: Path) -> None:
    """Ties are drawn before: the others stand in the order they would have."""
    tied = [offer(name, 1) for name in "abcdefgh"]
    record = environment(tied, quotas=(quota(offers=("c", "d")),))
    of = live(tmp_path, record).environments["bank"]
    for seed in range(50):
        (free,) = shown(of, ("banner", 9), seed=seed, quotas_left={0: 9})
        (kept,) = shown(of, ("banner", 9), seed=seed, quotas_left={0: 0})

        assert kept == [name for name in free if name not in ("c", "d")]


def test_an_unknown_count_is_none_left(tmp_path: Path) -> None:
    """Unless the quota is to go on without; nothing is then taken from room."""
    closed = decides(tmp_path / "a", quota(offers=("gold",)))
    opened = decides(tmp_path / "b", quota(offers=("gold",), on_failure=OnFailure.OPEN))

    assert shown(closed, "banner") == [["blue"]]
    assert shown(opened, "banner", "side", allow_duplicates=True) == [["gold"]] * 2


def test_what_cannot_be_rendered_takes_nothing(tmp_path: Path) -> None:
    """The next offer takes its place and its room."""
    texts = ("For {{ contact.job }}", *["Hello"] * 3)
    shown_by_title = [
        replace(one, content={"title": text})
        for one, text in zip(OFFERS, texts, strict=True)
    ]
    record = replace(
        bank(quota(1, categories=("cards",))),
        offers=tuple(shown_by_title),
        spaces=(space("banner", fields=(title(),)), space("side")),
    )
    of = live(tmp_path, record).environments["bank"]

    assert shown(of, "banner", quotas_left={0: 1}) == [["blue"]]
    assert shown(of, "banner", quotas_left={0: 1}, contact={"job": "nurse"}) == [
        ["gold"]
    ]


def test_quotas_are_told_before_what_cannot_be_rendered(tmp_path: Path) -> None:
    """Whichever of the two left out an offer first."""
    contents = ({"title": "For {{ contact.job }}"}, *[{"title": "Hello"}] * 3)
    for limited in ("blue", "loan"):
        record = replace(
            bank(quota(offers=(limited,))),
            offers=tuple(
                replace(one, content=content)
                for one, content in zip(OFFERS, contents, strict=True)
            ),
            spaces=(space("banner", fields=(title(),)), space("side")),
        )
        of = live(tmp_path / limited, record).environments["bank"]
        (banner,) = decide(call(of, ("banner", 9), quotas_left={0: 0})).spaces

        assert [one.offer.name for one in banner.not_rendered] == ["gold"]
        assert banner.shortfall is Shortfall.QUOTAS
